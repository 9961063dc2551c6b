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
	limit, now := *c.RequestsPerSecond, g.store.Steady()
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
	// MaxGuesses is how many in a row, and GuessesPerSecond how fast that is had back. Nobody has less than none, so that a till
	// that has named too many goes on a second later.
	MaxGuesses       = 100
	GuessesPerSecond = 1
	// guessesForHit is what a redemption gives back: where customers type codes, some are always wrong. Codes that may be used
	// again give back at most RepeatGuessesPerSecond: whoever has one could otherwise try others without end.
	guessesForHit          = 0.2
	RepeatGuessesPerSecond = 20
)

// guesses has how many wrong codes each caller may still name. Whoever redeems codes that are right does not guess.
type guesses struct {
	mu   sync.Mutex
	left map[string]*allowance
}

type allowance struct {
	guesses float64
	// repeats is how many guesses the redemptions of codes that may be used again can still give back.
	repeats float64
	at      time.Time
}

// pass brings the allowance up to an instant of the steady clock: one that is set gives no guesses back, and locks nobody out.
func (a *allowance) pass(now time.Time) {
	passed := now.Sub(a.at).Seconds()
	a.guesses = min(MaxGuesses, a.guesses+passed*GuessesPerSecond)
	a.repeats = min(RepeatGuessesPerSecond, a.repeats+passed*RepeatGuessesPerSecond)
	a.at = now
}

// Ask counts the codes that a caller asks about, of which some are unknown, and gives how many of them may be answered, from
// the first on: when no guess is left, nothing is answered any more, be it known or not, and wait is how long it takes until
// there is one. Codes that are known cost nothing. Requests at the same time share what is left.
func (g *Guard) Ask(c *coupon.Caller, unknown []bool) (allowed int, wait time.Duration) {
	if c.Name == coupon.LocalCaller {
		return len(unknown), 0
	}
	g.guesses.mu.Lock()
	defer g.guesses.mu.Unlock()
	a := g.guesses.left[c.Name]
	for i, isUnknown := range unknown {
		if a == nil && isUnknown {
			a = g.guesses.open(c.Name, g.store.Steady())
		}
		if a == nil {
			continue
		}
		if a.pass(g.store.Steady()); a.guesses < 1 {
			return i, time.Duration(math.Ceil((1-a.guesses)/GuessesPerSecond)) * time.Second
		}
		if isUnknown {
			a.guesses--
		}
	}
	return len(unknown), 0
}

// open returns the allowance of a caller who never guessed. The lock is held.
func (g *guesses) open(name string, now time.Time) *allowance {
	g.forget(now)
	a := &allowance{guesses: MaxGuesses, repeats: RepeatGuessesPerSecond, at: now}
	g.left[name] = a
	return a
}

// Found gives a guess back that Ask counted: what the caller asked about was there.
func (g *Guard) Found(c *coupon.Caller) {
	g.guesses.mu.Lock()
	defer g.guesses.mu.Unlock()
	if a := g.guesses.left[c.Name]; a != nil {
		a.guesses = min(MaxGuesses, a.guesses+1)
	}
}

// Redeemed gives back what a caller earns with redemptions that were recorded now: a repeated answer proves nothing. spent is how
// many of the codes may not be used again, reusable how many may.
func (g *Guard) Redeemed(c *coupon.Caller, spent, reusable int) {
	g.guesses.mu.Lock()
	defer g.guesses.mu.Unlock()
	a := g.guesses.left[c.Name]
	if a == nil {
		return
	}
	a.pass(g.store.Steady())
	ofReusable := min(a.repeats, float64(reusable)*guessesForHit)
	a.repeats -= ofReusable
	a.guesses = min(MaxGuesses, a.guesses+float64(spent)*guessesForHit+ofReusable)
}

// Reversed takes back what a caller earned with a redemption, which can be made again.
func (g *Guard) Reversed(c *coupon.Caller) {
	g.guesses.mu.Lock()
	defer g.guesses.mu.Unlock()
	if a := g.guesses.left[c.Name]; a != nil {
		a.guesses = max(0, a.guesses-guessesForHit)
	}
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
