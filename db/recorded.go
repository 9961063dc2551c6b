package db

import (
	"sort"
	"sync"
)

// recordedNumbers tells in which order redemptions came to the disk. Numbers are given out before, and a file takes longer than
// a till: so its redemptions come after others with larger numbers. A place is how many numbers came before.
type recordedNumbers struct {
	mu    sync.RWMutex
	spans []recordedSpan
}

// recordedSpan is redemptions with consecutive numbers that came to the disk one after the other.
type recordedSpan struct {
	first, last int64
	// place is that of the first one.
	place int64
}

// end gives the place after the last one.
func (s recordedSpan) end() int64 { return s.place + s.last - s.first + 1 }

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
		r.spans = append(r.spans, recordedSpan{first: first, last: last})
	case r.spans[i].last+1 == first:
		r.spans[i].last = last
	default:
		r.spans = append(r.spans, recordedSpan{first: first, last: last, place: r.spans[i].end()})
	}
}

// end gives the place of the next redemption.
func (r *recordedNumbers) end() int64 {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if len(r.spans) == 0 {
		return 0
	}
	return r.spans[len(r.spans)-1].end()
}

// next gives the first numbers from a place on that are consecutive; isThere is false when there are none yet.
func (r *recordedNumbers) next(place int64) (span recordedSpan, isThere bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	i := sort.Search(len(r.spans), func(i int) bool { return r.spans[i].end() > place })
	if i == len(r.spans) {
		return recordedSpan{}, false
	}
	span = r.spans[i]
	return recordedSpan{first: span.first + max(0, place-span.place), last: span.last, place: max(place, span.place)}, true
}

// consecutive gives the numbers of redemptions that were decided one after the other.
func consecutive(redemptions []*redemptionRow) []recordedSpan {
	var spans []recordedSpan
	for _, r := range redemptions {
		if last := len(spans) - 1; last >= 0 && spans[last].last+1 == r.ID {
			spans[last].last++
		} else {
			spans = append(spans, recordedSpan{first: r.ID, last: r.ID})
		}
	}
	return spans
}
