package memory

import (
	"sort"
	"sync"
)

// recordedNumbers tells in which order redemptions came to the disk. Numbers are given out before,
// and a file takes longer than a till: so its redemptions come after others with larger numbers. A
// place is how many numbers came before.
type recordedNumbers struct {
	mu    sync.RWMutex
	spans []Recorded
}

// Recorded is redemptions with consecutive numbers that came to the disk one after the other.
type Recorded struct {
	First, Last int64
	// Place is that of the first one.
	Place int64
}

// End returns the place after the last one.
func (s Recorded) End() int64 { return s.Place + s.Last - s.First + 1 }

// Record tells that redemptions with consecutive numbers are on disk now.
func (m *Memory) Record(first, last int64) { m.recorded.add(first, last) }

// RecordedEnd returns the place of the next redemption.
func (m *Memory) RecordedEnd() int64 { return m.recorded.end() }

// RecordedFrom returns the first numbers from a place on that are consecutive; isThere is false
// when there are none yet.
func (m *Memory) RecordedFrom(place int64) (span Recorded, isThere bool) {
	return m.recorded.next(place)
}

// add adds redemptions that are on disk now, unless last is before first.
func (r *recordedNumbers) add(first, last int64) {
	if last < first {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	i := len(r.spans) - 1
	switch {
	case i < 0:
		r.spans = append(r.spans, Recorded{First: first, Last: last})
	case r.spans[i].Last+1 == first:
		r.spans[i].Last = last
	default:
		r.spans = append(r.spans, Recorded{First: first, Last: last, Place: r.spans[i].End()})
	}
}

// end returns the place of the next redemption.
func (r *recordedNumbers) end() int64 {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if len(r.spans) == 0 {
		return 0
	}
	return r.spans[len(r.spans)-1].End()
}

// next returns the first numbers from a place on that are consecutive.
func (r *recordedNumbers) next(place int64) (span Recorded, isThere bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	i := sort.Search(len(r.spans), func(i int) bool { return r.spans[i].End() > place })
	if i == len(r.spans) {
		return Recorded{}, false
	}
	span = r.spans[i]
	return Recorded{
		First: span.First + max(0, place-span.Place), Last: span.Last,
		Place: max(place, span.Place),
	}, true
}
