// Package dbtest makes databases for tests.
package dbtest

import (
	"path/filepath"
	"sync"
	"testing"
	"time"

	"couponql/db"
)

// New gives a fresh database in a folder of its own, closed when the test ends.
func New(t testing.TB, options ...func(*db.Options)) *db.Store {
	t.Helper()
	return Open(t, filepath.Join(t.TempDir(), "couponql.duckdb"), options...)
}

// Open opens or creates the database at a path, closed when the test ends.
func Open(t testing.TB, path string, options ...func(*db.Options)) *db.Store {
	t.Helper()
	o := db.Options{Path: path, MemoryLimit: "1GB"}
	for _, option := range options {
		option(&o)
	}
	store, err := db.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return store
}

// Clock is a clock that a test moves, safe for concurrent use.
type Clock struct {
	mu sync.Mutex
	at time.Time
}

// NewClock gives a clock that stands at an instant.
func NewClock(at time.Time) *Clock { return &Clock{at: at} }

// Now tells the time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

// Set moves the clock to an instant.
func (c *Clock) Set(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = at
}

// Advance moves the clock on by a duration.
func (c *Clock) Advance(by time.Duration) { c.Set(c.Now().Add(by)) }

// Use makes a store use the clock.
func (c *Clock) Use(o *db.Options) { o.Now = c.Now }
