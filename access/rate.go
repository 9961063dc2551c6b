package access

import (
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"couponql/coupon"
)

const (
	// idleTime is after how long without a request a caller's rate is forgotten: it would be full again.
	idleTime = time.Minute
	// maxRated is how many rates are kept before those of idle callers are looked for.
	maxRated = 1024
)

// rates has how many requests each caller may send now.
type rates struct {
	mu       sync.Mutex
	limiters map[string]*limiter
}

type limiter struct {
	*rate.Limiter

	limit  int
	usedAt time.Time
}

// Admit counts a request of a caller. When that is one too many it gives how long to wait, otherwise 0. A caller who was quiet
// before may send the requests of two seconds in one.
func (g *Guard) Admit(c *coupon.Caller) (wait time.Duration) {
	if c.RequestsPerSecond == nil {
		return 0
	}
	limit, now := *c.RequestsPerSecond, g.store.Now()
	g.rates.mu.Lock()
	defer g.rates.mu.Unlock()
	known := g.rates.limiters[c.Name]
	if known == nil || known.limit != limit {
		g.rates.forget(now)
		known = &limiter{Limiter: rate.NewLimiter(rate.Limit(limit), limit), limit: limit}
		g.rates.limiters[c.Name] = known
	}
	known.usedAt = now
	r := known.ReserveN(now, 1)
	if wait = r.DelayFrom(now); wait > 0 {
		r.CancelAt(now)
	}
	return wait
}

// forget drops the rates of callers who are idle, when there are many.
func (r *rates) forget(now time.Time) {
	if r.limiters == nil {
		r.limiters = map[string]*limiter{}
	}
	if len(r.limiters) < maxRated {
		return
	}
	for name, known := range r.limiters {
		if now.Sub(known.usedAt) > idleTime {
			delete(r.limiters, name)
		}
	}
}

// How many codes a caller may ask about that do not exist.
const (
	// MaxGuesses is how many in a row, and GuessesPerSecond how fast that is had back.
	MaxGuesses       = 100
	GuessesPerSecond = 1
	// guessesForHit is what a redemption gives back: where customers type codes, some are always wrong.
	guessesForHit = 0.2
)

// guesses has how many wrong codes each caller may still name. Whoever redeems codes that are right does not guess.
type guesses struct {
	mu   sync.Mutex
	left map[string]*allowance
}

type allowance struct {
	guesses float64
	at      time.Time
}

// at brings the allowance up to an instant.
func (a *allowance) pass(now time.Time) {
	a.guesses = min(MaxGuesses, a.guesses+max(0, now.Sub(a.at).Seconds())*GuessesPerSecond)
	a.at = now
}

// MayGuess tells whether a caller may ask about a code that may not exist: 0, or how long to wait before.
func (g *Guard) MayGuess(c *coupon.Caller) (wait time.Duration) {
	if c.Name == coupon.LocalCaller {
		return 0
	}
	g.guesses.mu.Lock()
	defer g.guesses.mu.Unlock()
	a := g.guesses.left[c.Name]
	if a == nil {
		return 0
	}
	a.pass(g.store.Now())
	if a.guesses >= 1 {
		return 0
	}
	return time.Duration(math.Ceil((1-a.guesses)/GuessesPerSecond)) * time.Second
}

// Guessed counts the codes that a caller asked about: hits that were redeemed, and misses that do not exist.
func (g *Guard) Guessed(c *coupon.Caller, hits, misses int) {
	if c.Name == coupon.LocalCaller {
		return
	}
	g.guesses.mu.Lock()
	defer g.guesses.mu.Unlock()
	a := g.guesses.left[c.Name]
	if a == nil && misses == 0 {
		// It is whole.
		return
	}
	now := g.store.Now()
	if a == nil {
		g.guesses.forget(now)
		a = &allowance{guesses: MaxGuesses, at: now}
		g.guesses.left[c.Name] = a
	}
	a.pass(now)
	a.guesses = min(MaxGuesses, a.guesses+float64(hits)*guessesForHit-float64(misses))
}

// forget drops the allowances that are whole again, when there are many.
func (g *guesses) forget(now time.Time) {
	if g.left == nil {
		g.left = map[string]*allowance{}
	}
	if len(g.left) < maxRated {
		return
	}
	for name, a := range g.left {
		if a.pass(now); a.guesses == MaxGuesses {
			delete(g.left, name)
		}
	}
}
