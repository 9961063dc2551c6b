package memory

import (
	"iter"
	"slices"
	"sort"
	"time"

	"couponql/coupon"
)

// Run is a run of codes with consecutive numbers that were added together with one label.
type Run struct {
	First, Last int64
	CouponID    int64
	Label       string
	BatchID     int64
	ImportID    int64 // 0: not by an import
	AddedAt     time.Time
	// seq tells the order in which runs were added; numbers are given out before.
	seq int
}

// labelCodes is where the codes of one coupon with one label stand.
type labelCodes struct {
	label  string
	runs   []*Run
	counts Counts
	// cursor is a number below which no code is free.
	cursor int64
	// top is a number above which no code is free.
	top int64
}

// Counts counts codes by what happened to them; the clock is the reader's affair.
type Counts struct {
	Total, Assigned, Redeemed, Voided int
}

func (c *Counts) free() int { return c.Total - c.Assigned - c.Redeemed - c.Voided }

func (c *Counts) add(state coupon.CodeState, by int) {
	c.Total += by
	switch state.Status(false) {
	case coupon.CodeRedeemed:
		c.Redeemed += by
	case coupon.CodeVoided:
		c.Voided += by
	case coupon.CodeAssigned:
		c.Assigned += by
	case coupon.CodeAvailable, coupon.CodeExpired:
	}
}

// in counts the codes that stand in one of the states; none means any.
func (c *Counts) in(status []coupon.CodeStatus, hasEnded bool) int {
	if len(status) == 0 {
		return c.Total
	}
	counts := map[coupon.CodeStatus]int{
		coupon.CodeRedeemed: c.Redeemed, coupon.CodeVoided: c.Voided,
	}
	if hasEnded {
		counts[coupon.CodeExpired] = c.free() + c.Assigned
	} else {
		counts[coupon.CodeAvailable], counts[coupon.CodeAssigned] = c.free(), c.Assigned
	}
	sum := 0
	for one, count := range counts {
		if slices.Contains(status, one) {
			sum += count
		}
	}
	return sum
}

// Find returns the number of the code with this key, and whether its value is spelled otherwise
// than the key; 0 when there is none. It compares 63 bits of a hash whose seed nobody knows: among
// 100 million codes a key that is not there is taken for one that is once in 10¹¹ times.
func (v View) Find(key string) (number int64, isRespelled bool) {
	hash, bits := v.keys.hash(key)
	for candidate := range v.keys.candidates(hash) {
		// What is not in a run yet is being added, and what is gone may be added again.
		if v.RunOf(candidate) == nil || v.codes.state(candidate).Has(coupon.StateGone) {
			continue
		}
		if known := v.codes.printOf(candidate); known.isOf(bits) {
			return candidate, known.isRespelled()
		}
	}
	return 0, false
}

// Find is View.Find.
func (m *Memory) Find(key string) (number int64, isRespelled bool) {
	m.Read(func(v View) { number, isRespelled = v.Find(key) })
	return number, isRespelled
}

// Candidates returns the numbers of all codes that may have this key, those that are being added
// among them.
func (v View) Candidates(key string) iter.Seq[int64] {
	hash, _ := v.keys.hash(key)
	return v.keys.candidates(hash)
}

// Hash returns what the index keeps of a key. Codes whose hashes are equal are told apart by more
// bits, and by their rows.
func (m *Memory) Hash(key string) uint32 {
	hash, _ := m.keys.hash(key)
	return hash
}

// State returns where a code stands. There must be such a code.
func (v View) State(number int64) coupon.CodeState { return v.codes.state(number) }

// State is View.State.
func (m *Memory) State(number int64) coupon.CodeState {
	return answer(m, func(v View) coupon.CodeState { return v.codes.state(number) })
}

// RunOf returns the run that a code lies in, or nil.
func (v View) RunOf(number int64) *Run {
	i := sort.Search(len(v.runs), func(i int) bool { return v.runs[i].Last >= number })
	if i == len(v.runs) || v.runs[i].First > number {
		return nil
	}
	return v.runs[i]
}

// runsOf returns the runs by their first number that are wanted.
func (m *Memory) runsOf(isWanted func(*Run) bool) []*Run {
	return answer(m, func(v View) (runs []*Run) {
		for _, r := range v.runs {
			if isWanted(r) {
				runs = append(runs, r)
			}
		}
		return runs
	})
}

// HasBatch reports whether a batch brought codes of which some are there.
func (m *Memory) HasBatch(number int64) bool {
	return answer(m, func(v View) bool {
		return slices.ContainsFunc(v.runs, func(r *Run) bool { return r.BatchID == number })
	})
}

// LastRun returns what RunsSince wants to return the runs that are added from now on.
func (m *Memory) LastRun() (seq int) { return answer(m, func(v View) int { return v.added }) }

// RunsSince returns the runs that were added after another one.
func (m *Memory) RunsSince(seq int) []*Run {
	return m.runsOf(func(r *Run) bool { return r.seq > seq })
}

// SetStatus tells of codes that were read where they stand at an instant. A redemption counts once
// its row is there, if the caller wanted to know of it.
func (m *Memory) SetStatus(d *Described, now time.Time) {
	m.Read(func(v View) {
		for _, code := range d.Codes {
			known := v.Coupon(coupon.MustNumber(coupon.KindCoupon, code.CouponID))
			code.Status = (code.Flags&^coupon.StateRedeemed | code.Found()).Status(known != nil &&
				known.HasEnded(now))
		}
	})
}

// addRun takes over a run of new codes; their keys are indexed apart.
func (c Change) addRun(r *Run) {
	c.codes.reach(r.Last)
	c.added++
	r.seq = c.added
	c.runs = insertRun(c.runs, r)
	labels := c.coupons[r.CouponID].labels
	codes := labels[r.Label]
	if codes == nil {
		codes = &labelCodes{label: r.Label, cursor: r.First}
		labels[r.Label] = codes
	}
	codes.runs = insertRun(codes.runs, r)
	codes.cursor = min(codes.cursor, r.First)
	codes.top = max(codes.top, r.Last)
	codes.counts.Total += int(r.Last - r.First + 1)
}

// insertRun puts a run in its place: numbers are given out before codes are added, by several at a
// time.
func insertRun(runs []*Run, r *Run) []*Run {
	i := sort.Search(len(runs), func(i int) bool { return runs[i].First > r.First })
	return slices.Insert(runs, i, r)
}

// RemoveCodes forgets codes that are deleted; no span goes beyond its run. Their keys stay in the
// index until ForgetKeys.
func (c Change) RemoveCodes(spans []Span) {
	if len(spans) == 0 {
		return
	}
	c.last.run = nil
	gone := map[*Run]bool{}
	for _, s := range spans {
		r := c.RunOf(s.First)
		counts := &c.coupons[r.CouponID].labels[r.Label].counts
		// Nearly all stand alike, and tills wait: the counts are kept once for all of them.
		alike, count := coupon.CodeState(0), 0
		for number := s.First; number < s.End(); number++ {
			state := c.codes.state(number)
			if state.Has(coupon.StateGone) {
				continue
			}
			if state != alike {
				counts.add(alike, -count)
				alike, count = state, 0
			}
			count++
			c.note(number, coupon.StateGone)
			c.forgetHolder(number)
			c.codes.setState(number, coupon.StateGone)
		}
		counts.add(alike, -count)
		if s.First == r.First && s.End() == r.Last+1 {
			gone[r] = true
		}
	}
	isGone := func(r *Run) bool { return gone[r] }
	c.runs = slices.DeleteFunc(c.runs, isGone)
	for _, known := range c.coupons {
		for _, codes := range known.labels {
			codes.runs = slices.DeleteFunc(codes.runs, isGone)
		}
	}
}

// RemoveEach is RemoveCodes for codes by number.
func (c Change) RemoveEach(numbers []int64) {
	spans := make([]Span, len(numbers))
	for i, number := range numbers {
		spans[i] = Span{First: number, Count: 1, Label: c.RunOf(number).Label}
	}
	c.RemoveCodes(spans)
}

// ForgetKeys takes the keys of codes out of the index that are gone, which nobody finds any more.
// It looks at all of the index, part by part, and takes the lock for each.
func (m *Memory) ForgetKeys() {
	isGone := func(number int64) bool {
		return number < m.codes.end() && m.codes.state(number).Has(coupon.StateGone)
	}
	m.keys.removeFunc(isGone, m.mu.Lock, m.mu.Unlock)
}

// setState changes where a code stands and keeps the counts.
func (c Change) setState(number int64, state coupon.CodeState) {
	c.note(number, state)
	if r := c.last.run; r == nil || number < r.First || number > r.Last {
		r = c.RunOf(number)
		c.last.run, c.last.codes = r, c.coupons[r.CouponID].labels[r.Label]
	}
	codes := c.last.codes
	before := c.codes.state(number)
	codes.counts.add(before, -1)
	c.codes.setState(number, state)
	if before.Has(coupon.StateAssigned) && !state.Has(coupon.StateAssigned) {
		c.forgetHolder(number)
	}
	if state.Has(coupon.StateGone) {
		return
	}
	codes.counts.add(state, 1)
	if state == 0 {
		codes.cursor = min(codes.cursor, number)
		codes.top = max(codes.top, number)
	}
}

// Update sets and clears flags of codes.
func (c Change) Update(numbers []int64, set, unset coupon.CodeState) {
	for _, number := range numbers {
		c.setState(number, c.codes.state(number)&^unset|set)
	}
}

// Assign marks the codes of spans as assigned by a delivery.
func (c Change) Assign(couponID, delivery int64, spans []Span) {
	c.noteUnread(couponID, delivery)
	for _, s := range spans {
		codes := c.coupons[couponID].labels[s.Label]
		for number := s.First; number < s.End(); number++ {
			state := c.codes.state(number) | coupon.StateAssigned
			c.note(number, state)
			c.codes.setState(number, state)
			c.codes.setHolder(number, delivery)
		}
		codes.counts.Assigned += s.Count
		// Codes are taken lowest first, so below the end of a span nothing of the label is free.
		codes.cursor = max(codes.cursor, s.End())
	}
}

// noteUnread notes that the messages of a delivery have codes of a coupon.
func (c Change) noteUnread(couponID, delivery int64) {
	known := c.coupons[couponID]
	if last := len(known.unread) - 1; last < 0 || known.unread[last] != delivery &&
		!slices.Contains(known.unread, delivery) {
		known.unread = append(known.unread, delivery)
	}
}

// SetHolder says which delivery gave codes away that are marked as assigned.
func (c Change) SetHolder(numbers []int64, delivery int64) {
	if len(numbers) > 0 {
		c.noteUnread(c.RunOf(numbers[0]).CouponID, delivery)
	}
	for _, number := range numbers {
		c.codes.setHolder(number, delivery)
	}
}

// Span is a part of a run, of codes that have something in common: that messages take them, or that
// they go.
type Span struct {
	First int64
	Count int
	Label string
}

// End returns the number after the last one.
func (s Span) End() int64 { return s.First + int64(s.Count) }

// CountOf counts the codes of spans.
func CountOf(spans []Span) int {
	sum := 0
	for _, s := range spans {
		sum += s.Count
	}
	return sum
}
