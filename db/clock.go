package db

import (
	"sync"
	"time"
)

const (
	// maxDrift is by how much the clock may be set forward until what has passed is doubted.
	maxDrift = time.Minute
	// beliefTime is how long a clock that was set forward has to go on until it is believed.
	beliefTime = 24 * time.Hour
)

// passedClock tells which instants have passed for sure. A clock that is set forward, by mistake or for a moment, must take
// nothing away that cannot be brought back; one that is set back is believed at once.
type passedClock struct {
	mu sync.Mutex
	// lead is how far the clock is believed to be before the steady one; what it was at the start is believed.
	lead time.Duration
	// doubtedAt is the steady time since when the clock is further ahead; the zero time: it is not.
	doubtedAt time.Time
}

// tell returns the instant that has passed for sure, by a clock that may be set and by one that nobody sets.
func (c *passedClock) tell(now, steady time.Time) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	lead := now.Sub(steady)
	isAhead := lead > c.lead+maxDrift
	switch {
	case isAhead && c.doubtedAt.IsZero():
		c.doubtedAt = steady
		return steady.Add(c.lead)
	case isAhead && steady.Sub(c.doubtedAt) < beliefTime:
		return steady.Add(c.lead)
	}
	c.lead, c.doubtedAt = lead, time.Time{}
	return now
}

// now returns the time to the precision that the database keeps.
func (s *Store) now() time.Time { return s.options.Now().UTC().Truncate(time.Microsecond) }

// Now tells the time by the store's clock, which may be set and jumps with a machine that slept. What somebody was told an
// instant for goes by it.
func (s *Store) Now() time.Time { return s.now() }

// Timezone is the zone that is meant where nobody names one; an IANA name.
func (s *Store) Timezone() string { return s.options.Timezone }

// Steady tells the time by a clock that nobody sets, which stands while the machine sleeps. What lasts a while goes by it;
// it is no date.
func (s *Store) Steady() time.Time { return s.options.Steady().UTC() }

// Passed tells an instant that has passed for sure: Now, but for a clock that was set forward since less than a day. What
// time takes away for good goes by it.
func (s *Store) Passed() time.Time { return s.certain.tell(s.now(), s.Steady()) }
