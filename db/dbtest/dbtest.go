// Package dbtest makes databases for tests.
package dbtest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"couponql/db"
)

// New returns a fresh database in a folder of its own, closed when the test ends.
func New(t testing.TB, options ...func(*db.Options)) *db.Store {
	t.Helper()
	return Open(t, filepath.Join(t.TempDir(), "couponql.duckdb"), options...)
}

// Open opens the database at a path, closed when the test ends. One that does not exist is a copy of one that was just made, since
// making it takes twice as long; all of these have the same id.
func Open(t testing.TB, path string, options ...func(*db.Options)) *db.Store {
	t.Helper()
	o := db.Options{Path: path, MemoryLimit: "1GB"}
	for _, option := range options {
		option(&o)
	}
	if _, err := os.Lstat(path); errors.Is(err, os.ErrNotExist) && !o.CaseSensitiveCodes {
		if err := copyEmpty(path); err != nil {
			t.Fatal(err)
		}
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

// empty gives the file of a database that was just made. It is made once in a process.
var empty = sync.OnceValues(func() (file []byte, err error) {
	dir, err := os.MkdirTemp("", "couponql-empty-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	path := filepath.Join(dir, "couponql.duckdb")
	store, err := db.Open(context.Background(), db.Options{Path: path})
	if err != nil {
		return nil, err
	}
	if err := store.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// copyEmpty makes an empty database at a path.
func copyEmpty(path string) error {
	file, err := empty()
	if err != nil {
		return err
	}
	return os.WriteFile(path, file, 0o600)
}

// Clock is a clock that a test moves, safe for concurrent use.
type Clock struct {
	mu sync.Mutex
	at time.Time
	// lead is how far the clock was set ahead of the time that passed.
	lead time.Duration
}

// NewClock returns a clock that stands at an instant.
func NewClock(at time.Time) *Clock { return &Clock{at: at} }

// Now tells the time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at.Add(c.lead)
}

// Steady tells the time as it passed, however the clock jumped.
func (c *Clock) Steady() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

// Set lets time pass until an instant; for one that was before, it sets the clock back.
func (c *Clock) Set(at time.Time) {
	if by := at.Sub(c.Now()); by < 0 {
		c.Jump(by)
	} else {
		c.Advance(by)
	}
}

// Advance lets time pass.
func (c *Clock) Advance(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(by)
}

// Jump sets the clock forward or back by a duration, without any time passing.
func (c *Clock) Jump(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lead += by
}

// Use makes a store use the clock.
func (c *Clock) Use(o *db.Options) { o.Now, o.Steady = c.Now, c.Steady }
