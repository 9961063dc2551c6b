package memory

import (
	"math"
	"slices"
	"sort"
	"time"

	"couponql/coupon"
)

// Selection narrows codes by what memory knows.
type Selection struct {
	CouponID   int64 // 0: any
	ImportID   int64 // 0: any
	BatchID    int64 // 0: any
	DeliveryID int64 // 0: any
	Labels     []string
	Status     []coupon.CodeStatus
	Now        time.Time
}

// matchesRun reports whether codes of a run can be in the selection.
func (s *Selection) matchesRun(r *Run) bool {
	return (s.CouponID == 0 || s.CouponID == r.CouponID) &&
		(s.ImportID == 0 || s.ImportID == r.ImportID) &&
		(s.BatchID == 0 || s.BatchID == r.BatchID) &&
		(len(s.Labels) == 0 || slices.Contains(s.Labels, r.Label))
}

// stateSet tells of each state whether codes that stand so are selected. Looking it up is what
// makes a walk over millions of codes quick.
type stateSet [math.MaxUint8 + 1]bool

// states returns the states of selected codes whose coupon has ended, or has not.
func (s *Selection) states(hasEnded bool) *stateSet {
	set := &stateSet{}
	for i := range set {
		state := coupon.CodeState(i)
		set[i] = !state.Has(coupon.StateGone) &&
			(s.DeliveryID == 0 || state.Has(coupon.StateAssigned)) &&
			(len(s.Status) == 0 || slices.Contains(s.Status, state.Status(hasEnded)))
	}
	return set
}

// walk calls take with each code of the selection in the runs, after a number, until take wants no
// more.
func (v View) walk(s *Selection, runs []*Run, after int64, take func(number int64) (more bool)) {
	running, ended := s.states(false), s.states(true)
	for _, r := range runs {
		known := v.coupons[r.CouponID]
		if known == nil || !s.matchesRun(r) {
			continue
		}
		wanted := running
		if known.coupon.HasEnded(s.Now) {
			wanted = ended
		}
		for number := max(r.First, after+1); number <= r.Last; number++ {
			if wanted[v.codes.state(number)] &&
				(s.DeliveryID == 0 || v.codes.holder(number) == s.DeliveryID) && !take(number) {
				return
			}
		}
	}
}

// Page returns the numbers of at most limit codes of the selection that come after one.
func (m *Memory) Page(s *Selection, after int64, limit int) []int64 {
	return answer(m, func(v View) []int64 {
		numbers := make([]int64, 0, limit)
		begin := sort.Search(len(v.runs), func(i int) bool { return v.runs[i].Last > after })
		v.walk(s, v.runs[begin:], after, func(number int64) bool {
			numbers = append(numbers, number)
			return len(numbers) < limit
		})
		return numbers
	})
}

// All returns the numbers of all codes of the selection. It takes memory for those alone, however
// many others there are.
func (m *Memory) All(s *Selection) []int64 {
	return answer(m, func(v View) []int64 {
		numbers := make([]int64, 0, v.count(s))
		v.walk(s, v.runs, 0, func(number int64) bool {
			numbers = append(numbers, number)
			return true
		})
		return numbers
	})
}

// Count counts the codes of the selection.
func (m *Memory) Count(s *Selection) int {
	return answer(m, func(v View) int { return v.count(s) })
}

func (v View) count(s *Selection) int {
	total := 0
	if s.ImportID == 0 && s.BatchID == 0 && s.DeliveryID == 0 {
		for number, known := range v.coupons {
			if s.CouponID != 0 && s.CouponID != number {
				continue
			}
			for label, codes := range known.labels {
				if len(s.Labels) == 0 || slices.Contains(s.Labels, label) {
					total += codes.counts.in(s.Status, known.coupon.HasEnded(s.Now))
				}
			}
		}
		return total
	}
	v.walk(s, v.runs, 0, func(int64) bool {
		total++
		return true
	})
	return total
}

// SortByCoupon adds the numbers of codes to those known of their coupon; those of other coupons are
// left out.
func (m *Memory) SortByCoupon(numbers []int64, known map[int64][]int64) {
	m.Read(func(v View) {
		for _, number := range numbers {
			r := v.RunOf(number)
			if r == nil {
				continue
			}
			if codes, isWanted := known[r.CouponID]; isWanted {
				known[r.CouponID] = append(codes, number)
			}
		}
	})
}

// Keep returns those of the numbers that are in the selection, in their order. It reuses the slice.
func (m *Memory) Keep(s *Selection, numbers []int64) []int64 {
	return answer(m, func(v View) []int64 {
		running, ended := s.states(false), s.states(true)
		kept := numbers[:0]
		for _, number := range numbers {
			r := v.RunOf(number)
			if r == nil || !s.matchesRun(r) || v.coupons[r.CouponID] == nil {
				continue
			}
			wanted := running
			if v.coupons[r.CouponID].coupon.HasEnded(s.Now) {
				wanted = ended
			}
			if wanted[v.codes.state(number)] &&
				(s.DeliveryID == 0 || v.codes.holder(number) == s.DeliveryID) {
				kept = append(kept, number)
			}
		}
		return kept
	})
}

// KeepStates returns those of the numbers of codes whose state is wanted, in their order. It reuses
// the slice.
func (m *Memory) KeepStates(
	numbers []int64, isWanted func(number int64, state coupon.CodeState) bool,
) []int64 {
	return answer(m, func(v View) []int64 {
		return slices.DeleteFunc(numbers,
			func(number int64) bool { return !isWanted(number, v.codes.state(number)) })
	})
}
