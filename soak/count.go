package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"
)

// outcome is what became of one thing that a client did.
type outcome int

const (
	// done: it was answered.
	done outcome = iota
	// refused: the server was overloaded or had no disk, and said so.
	refused
	// interrupted: the server was ended, or the client was told to stop.
	interrupted
	// failed: nothing explains it.
	failed
)

// counts are what clients did, by what it was.
type counts struct {
	mu    sync.Mutex
	kinds map[string]*kindCounts
}

type kindCounts struct {
	outcomes [failed + 1]int
	times    []time.Duration
}

func newCounts() *counts { return &counts{kinds: map[string]*kindCounts{}} }

// record counts one thing that was done.
func (c *counts) record(kind string, o outcome, took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k := c.kinds[kind]
	if k == nil {
		k = &kindCounts{}
		c.kinds[kind] = k
	}
	k.outcomes[o]++
	if o == done {
		k.times = append(k.times, took)
	}
}

// dones returns how often each kind was done.
func (c *counts) dones() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	found := map[string]int{}
	for name, k := range c.kinds {
		found[name] = k.outcomes[done]
	}
	return found
}

// doneSince returns how many kinds were done since dones gave the numbers before.
func (c *counts) doneSince(before map[string]int) (kinds int) {
	for name, count := range c.dones() {
		if count > before[name] {
			kinds++
		}
	}
	return kinds
}

// never returns the kinds of things that were never answered as done.
func (c *counts) never(kinds []kind) (names []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, k := range kinds {
		if c.kinds[k.name] == nil || c.kinds[k.name].outcomes[done] == 0 {
			names = append(names, k.name)
		}
	}
	return names
}

// print prints a line for each kind, and one of all.
func (c *counts) print(out io.Writer) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var text strings.Builder
	var all [failed + 1]int
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
		for i, count := range k.outcomes {
			all[i] += count
		}
	}
	fmt.Fprintf(&text, "all\t%d\t%d\t%d\t%d\t\t\t\t\n", all[done], all[refused], all[interrupted], all[failed])
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	if _, err := io.WriteString(w, text.String()); err != nil {
		return fmt.Errorf("print what was done: %w", err)
	}
	return w.Flush()
}
