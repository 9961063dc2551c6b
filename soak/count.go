package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"
)

// maxFailures is how many failures are kept with their text.
const maxFailures = 20

// outcome is what became of one thing that a client did.
type outcome int

const (
	// done: it was answered.
	done outcome = iota
	// refused: the server was overloaded or had no disk, and said so.
	refused
	// interrupted: the server was killed, or the client was told to stop.
	interrupted
	// failed: nothing explains it.
	failed
)

// counts are what clients did, by what it was.
type counts struct {
	mu    sync.Mutex
	kinds map[string]*kindCounts
	errs  []error
	lost  int
}

type kindCounts struct {
	outcomes [failed + 1]int
	times    []time.Duration
}

func newCounts() *counts { return &counts{kinds: map[string]*kindCounts{}} }

// record counts one thing that was done; err is why it failed.
func (c *counts) record(kind string, o outcome, took time.Duration, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k := c.kinds[kind]
	if k == nil {
		k = &kindCounts{}
		c.kinds[kind] = k
	}
	k.outcomes[o]++
	switch o {
	case done:
		k.times = append(k.times, took)
	case failed:
		c.fail(fmt.Errorf("%s: %w", kind, err))
	case refused, interrupted:
	}
}

// problem counts what a check found.
func (c *counts) problem(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fail(err)
}

func (c *counts) fail(err error) {
	if len(c.errs) < maxFailures {
		c.errs = append(c.errs, err)
	} else {
		c.lost++
	}
}

// failures gives everything that went wrong as one error; nil: nothing did.
func (c *counts) failures() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	errs := c.errs
	if c.lost > 0 {
		errs = append(slices.Clone(errs), fmt.Errorf("and %d failures more", c.lost))
	}
	return errors.Join(errs...)
}

// print prints a line for each kind.
func (c *counts) print(out io.Writer) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var text strings.Builder
	text.WriteString("\tdone\trefused\tinterrupted\tfailed\tp50\tp99\tmost\t\n")
	for _, kind := range slices.Sorted(maps.Keys(c.kinds)) {
		k := c.kinds[kind]
		slices.Sort(k.times)
		at := func(share float64) string {
			if len(k.times) == 0 {
				return "–"
			}
			return fmt.Sprintf("%.1f ms", k.times[min(len(k.times)-1, int(share*float64(len(k.times))))].Seconds()*1000)
		}
		fmt.Fprintf(&text, "%s\t%d\t%d\t%d\t%d\t%s\t%s\t%s\t\n", kind, k.outcomes[done], k.outcomes[refused], k.outcomes[interrupted],
			k.outcomes[failed], at(0.5), at(0.99), at(1))
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	if _, err := io.WriteString(w, text.String()); err != nil {
		return fmt.Errorf("print what was done: %w", err)
	}
	return w.Flush()
}
