package access

import (
	"context"
	"errors"
	"sync"
	"time"

	"couponql/background"
	"couponql/coupon"
)

// ErrOut says that a caller who was let in before would not be let in now.
var ErrOut = errors.New("you are not let in any more: the key was revoked or has expired, the token has expired, or the server got its first key")

const (
	// presenceInterval is how often the guard looks whether those whose requests last are still let in.
	presenceInterval = 250 * time.Millisecond
	// spareTime is how long the request goes on that took its own caller's right away.
	spareTime = 500 * time.Millisecond
)

// IsStillIn reports whether a caller who was let in before would be let in now.
func (g *Guard) IsStillIn(c *coupon.Caller) bool {
	switch {
	case c.KeyID != nil:
		return g.store.KeyWorks(*c.KeyID)
	case c.Name == coupon.LocalCaller:
		return g.IsOpen()
	}
	return c.ExpiresAt == nil || !c.ExpiresAt.Before(g.store.Now())
}

// presence has the requests that are being answered, so that they end with the right of their callers.
type presence struct {
	mu    sync.Mutex
	stays map[*stay]struct{}
	// isWatched: somebody will soon look.
	isWatched bool
}

// stay is one request, or one WebSocket.
type stay struct {
	caller *coupon.Caller
	end    context.CancelCauseFunc
	// sparedUntil is set by Spare.
	sparedUntil time.Time
}

type stayKey struct{}

// CallerOf returns who sent the request of a context, nil where nobody was asked for.
func CallerOf(ctx context.Context) *coupon.Caller {
	if s, isThere := ctx.Value(stayKey{}).(*stay); isThere {
		return s.caller
	}
	return nil
}

// Stay returns a context for what a caller asks for. It carries the caller, and ends with the cause ErrOut within
// presenceInterval of the moment from which the caller would not be let in. leave is to be called when all is answered.
func (g *Guard) Stay(ctx context.Context, c *coupon.Caller) (during context.Context, leave func()) {
	s := &stay{caller: c}
	during, s.end = context.WithCancelCause(context.WithValue(ctx, stayKey{}, s))
	p := &g.presence
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stays == nil {
		p.stays = map[*stay]struct{}{}
	}
	p.stays[s] = struct{}{}
	if !p.isWatched {
		p.isWatched = true
		g.watch()
	}
	return during, func() {
		p.mu.Lock()
		delete(p.stays, s)
		p.mu.Unlock()
		s.end(nil)
	}
}

// Look ends at once what callers have open who are not let in any more. The guard does so by itself from time to time; whoever
// takes a right away does not wait for that.
func (g *Guard) Look() {
	p := &g.presence
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	for s := range p.stays {
		if !g.IsStillIn(s.caller) && now.After(s.sparedUntil) {
			delete(p.stays, s)
			s.end(ErrOut)
		}
	}
}

// Spare lets the request of a context go on for a moment after it took its own caller's right away, so that its answer arrives:
// the first key is told to somebody who has none.
func (g *Guard) Spare(ctx context.Context) {
	s, isThere := ctx.Value(stayKey{}).(*stay)
	if !isThere {
		return
	}
	g.presence.mu.Lock()
	defer g.presence.mu.Unlock()
	s.sparedUntil = time.Now().Add(spareTime)
}

// watch looks again and again, as long as there is somebody.
func (g *Guard) watch() {
	background.After(presenceInterval, func() error {
		g.Look()
		return nil
	}, func(err error) {
		p := &g.presence
		p.mu.Lock()
		defer p.mu.Unlock()
		if err != nil {
			// Nobody knows who is still in: so nobody is.
			for s := range p.stays {
				delete(p.stays, s)
				s.end(ErrOut)
			}
		}
		if p.isWatched = len(p.stays) > 0; p.isWatched {
			g.watch()
		}
	})
}
