package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// maxTold is how many violations of one promise are told with their text.
const maxTold = 12

// violations are what contradicts the promises, by promise.
type violations struct {
	mu     sync.Mutex
	counts map[string]int
	told   map[string][]string
}

func newViolations() *violations {
	return &violations{counts: map[string]int{}, told: map[string][]string{}}
}

// add notes that a promise is broken, with the round in which that was seen.
func (v *violations) add(promise string, round int, problem error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.counts[promise]++
	if len(v.told[promise]) < maxTold {
		v.told[promise] = append(v.told[promise], fmt.Sprintf("[round %d, %s] %s", round, time.Now().Format(clock), problem))
	}
}

// total returns how many there are.
func (v *violations) total() (total int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, count := range v.counts {
		total += count
	}
	return total
}

// lines tells how many there are by promise, and the first ones of each.
func (v *violations) lines() (lines []string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, promise := range slices.Sorted(maps.Keys(v.counts)) {
		lines = append(lines, fmt.Sprintf("violations of %s: %d", promise, v.counts[promise]))
		for _, text := range v.told[promise] {
			lines = append(lines, "  "+strings.ReplaceAll(text, "\n", "\n    "))
		}
	}
	return lines
}

// err is an error when there are any.
func (v *violations) err() error {
	if total := v.total(); total > 0 {
		return fmt.Errorf("%d violations: %w", total, errors.New(strings.Join(v.lines(), "\n")))
	}
	return nil
}
