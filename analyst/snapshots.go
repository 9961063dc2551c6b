package analyst

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"couponql/background"
	"couponql/coupon"
	"couponql/db"
	"couponql/db/snapshot"
)

// snapshots keeps the one snapshot that queries are asked of, and those that older queries still have.
type snapshots struct {
	store *db.Store
	// isMasked: they have no codes and no personal data.
	isMasked bool
	maxAge   time.Duration
	log      *slog.Logger
	// stop ends the making of a snapshot, and making waits for that.
	ctx    context.Context //nolint:containedctx // a snapshot is made for all who wait, not for one request
	stop   context.CancelFunc
	making sync.WaitGroup

	mu      sync.Mutex
	current *shared
	// askedAt is the steady time of the last query; expiry removes the current snapshot when it is maxAge ago.
	askedAt time.Time
	expiry  *time.Timer
	// next is what is being made; nil when nothing is.
	next *making
}

// shared is a snapshot and how many use it; being the current one counts as a use.
type shared struct {
	*snapshot.Snapshot

	users int
}

// making is a snapshot that is being made. done is closed when it is the current one or could not be made, for err.
type making struct {
	done chan struct{}
	err  error
}

func newSnapshots(store *db.Store, isMasked bool, maxAge time.Duration, log *slog.Logger) *snapshots {
	ctx, stop := context.WithCancel(context.Background())
	return &snapshots{store: store, isMasked: isMasked, maxAge: maxAge, log: log, ctx: ctx, stop: stop}
}

// acquire returns a snapshot that is not too old, and what the caller calls when it is done with it. Of those who come while
// none is there, all wait for one maker. A snapshot past half of its time is followed by a new one while it is still asked,
// so that those who go on asking do not wait.
func (n *snapshots) acquire(ctx context.Context) (*snapshot.Snapshot, func(), error) {
	// What was made while the caller waited is as new as can be, even if the limit is shorter than the making.
	for hasWaited := false; ; hasWaited = true {
		n.mu.Lock()
		n.askedAt = n.store.Steady()
		age := n.maxAge
		if n.current != nil {
			age = n.current.Age()
		}
		if n.next == nil && age >= n.maxAge/2 {
			n.begin()
		}
		next := n.next
		if n.current != nil && (age < n.maxAge || hasWaited) {
			used := n.current
			used.users++
			n.mu.Unlock()
			return used.Snapshot, func() { n.release(used) }, nil
		}
		n.mu.Unlock()
		select {
		case <-next.done:
			if next.err != nil {
				return nil, nil, next.err
			}
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return nil, nil, coupon.Errorf(coupon.ErrorQueryTimeout,
					"The snapshot that SQL is asked of is still being made, which goes on. Ask again in a moment; a larger --sql-max-age makes it rarer.")
			}
			return nil, nil, fmt.Errorf("wait for a snapshot: %w", context.Cause(ctx))
		}
	}
}

// begin has a snapshot made that becomes the current one. Whoever calls it holds the lock.
func (n *snapshots) begin() {
	m := &making{done: make(chan struct{})}
	n.next = m
	n.making.Add(1)
	var taken *snapshot.Snapshot
	background.Go(func() (err error) {
		taken, err = n.store.TakeSnapshot(n.ctx, n.isMasked)
		return err
	}, func(err error) {
		defer n.making.Done()
		if err != nil && n.ctx.Err() == nil {
			n.log.Error("could not make a snapshot for SQL", "error", err)
		}
		n.end(m, taken, err)
	})
}

// end makes a snapshot the current one, unless it could not be made, and tells those who wait.
func (n *snapshots) end(m *making, taken *snapshot.Snapshot, err error) {
	n.mu.Lock()
	old := n.current
	if err == nil {
		n.current = &shared{taken, 1}
		// Those who wait for it are yet to ask it.
		n.askedAt = n.store.Steady()
		n.expireAfter(n.maxAge)
	}
	n.next = nil
	n.mu.Unlock()
	m.err = err
	close(m.done)
	if err == nil && old != nil {
		n.release(old)
	}
}

// expireAfter looks in a while whether the current snapshot is still asked. Whoever calls it holds the lock.
func (n *snapshots) expireAfter(wait time.Duration) {
	if n.expiry != nil {
		n.expiry.Stop()
	}
	n.expiry = background.After(wait, n.expire, func(err error) {
		if err != nil {
			n.log.Error("could not remove an unused snapshot", "error", err)
		}
	})
}

// expire removes the current snapshot when nobody has asked for maxAge: it has what may have been erased since.
func (n *snapshots) expire() error {
	n.mu.Lock()
	old := n.current
	if old == nil {
		n.mu.Unlock()
		return nil
	}
	if rest := n.maxAge - n.store.Steady().Sub(n.askedAt); rest > 0 {
		n.expireAfter(rest)
		n.mu.Unlock()
		return nil
	}
	n.current = nil
	n.mu.Unlock()
	n.release(old)
	return nil
}

// release gives a snapshot back, and removes it after its last use.
func (n *snapshots) release(used *shared) {
	n.mu.Lock()
	used.users--
	isLast := used.users == 0
	n.mu.Unlock()
	if !isLast {
		return
	}
	if err := used.Remove(); err != nil {
		// The next start of the server removes it.
		n.log.Warn("could not remove a snapshot", "error", err)
	}
}

// close removes the current snapshot.
func (n *snapshots) close() error {
	n.stop()
	n.making.Wait()
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.expiry != nil {
		n.expiry.Stop()
	}
	if n.current == nil {
		return nil
	}
	err := n.current.Remove()
	n.current = nil
	if err != nil {
		return errors.Join(errors.New("close the analyst"), err)
	}
	return nil
}
