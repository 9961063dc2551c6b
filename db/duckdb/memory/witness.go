package memory

import (
	"errors"
	"slices"

	"couponql/coupon"
)

// maxWitnessed is how many changes of codes a witness notes; when there are more, its use case
// begins again.
const maxWitnessed = 1 << 20

// ErrBlind says that more happened than a witness notes.
var ErrBlind = errors.New("more happened meanwhile than is noted")

// Witness notes what others do to codes while a use case decides by where they stand. At its end
// the use case judges these codes again, and no others.
type Witness struct {
	// IsWatching: others may come in between. A use case in the writer's turn is alone.
	IsWatching bool
	// Revision is that of the last change of anything else when the witness began.
	Revision int64
	// Redemption is the number of the first redemption that was not on disk when the witness began.
	Redemption int64
	// lastRun is the last run of codes that was added before the witness began.
	lastRun int
	// redeemed are the codes that were redeemed, whose redemptions were reversed, or that were
	// sent, and changed those to which anything else happened: in no order, and as often as it
	// happened. coupons are those whose own code was redeemed.
	redeemed, changed []int64
	coupons           map[int64]struct{}
	// isBlind: more happened than is noted.
	isBlind bool
}

// Alone returns a witness for whom nothing happens.
func (m *Memory) Alone() *Witness {
	return answer(m, func(v View) *Witness {
		return &Witness{
			Revision: v.revisions.last, Redemption: v.next.Redemption, lastRun: v.added,
			coupons: map[int64]struct{}{},
		}
	})
}

// Watch returns a witness of what happens from now on, until stop is called.
func (m *Memory) Watch() (w *Witness, stop func()) {
	w = m.Alone()
	w.IsWatching = true
	m.mu.Lock()
	defer m.mu.Unlock()
	m.witnesses = append(m.witnesses, w)
	return w, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.witnesses = slices.DeleteFunc(m.witnesses,
			func(other *Witness) bool { return other == w })
	}
}

// RunsBefore returns the runs by their first number that are wanted and were there when the witness
// began. A transaction that began later sees all of their codes; of runs that came since it may see
// none.
func (m *Memory) RunsBefore(w *Witness, isWanted func(*Run) bool) []*Run {
	return m.runsOf(func(r *Run) bool { return r.seq <= w.lastRun && isWanted(r) })
}

// TakeSeen takes the redemptions over that a witness has noted so far, and has it go on from here.
func (m *Memory) TakeSeen(w *Witness) *Witness {
	m.mu.Lock()
	defer m.mu.Unlock()
	seen := *w
	w.redeemed, w.coupons, w.Redemption = nil, map[int64]struct{}{}, m.next.Redemption
	return &seen
}

// note tells those who watch that a code is about to stand elsewhere.
func (c Change) note(number int64, state coupon.CodeState) {
	for _, w := range c.witnesses {
		isOther := (c.codes.state(number)^state)&^(coupon.StateRedeemed|coupon.StateSent) != 0
		switch {
		case len(w.redeemed)+len(w.changed) == maxWitnessed:
			w.isBlind = true
		case isOther:
			w.changed = append(w.changed, number)
		default:
			w.redeemed = append(w.redeemed, number)
		}
	}
}

// noteCoupon tells those who watch that the own code of a coupon is redeemed once more or less.
func (c Change) noteCoupon(number int64) {
	for _, w := range c.witnesses {
		w.coupons[number] = struct{}{}
	}
}

// Happened returns those of the codes to which anything happened, each once and in order. It
// returns ErrBlind when not all was noted.
func (w *Witness) Happened(isWanted func(number int64) bool) ([]int64, error) {
	if w.isBlind {
		return nil, ErrBlind
	}
	return among(isWanted, w.redeemed, w.changed), nil
}

// Changed reports whether anything but redemptions happened to one of the codes. It returns
// ErrBlind when not all was noted.
func (w *Witness) Changed(isWanted func(number int64) bool) (bool, error) {
	if w.isBlind {
		return false, ErrBlind
	}
	return slices.ContainsFunc(w.changed, isWanted), nil
}

// Redeemed returns those of the codes that were redeemed, whose redemptions were reversed, or that
// were sent, each once and in order.
func (w *Witness) Redeemed(isWanted func(number int64) bool) []int64 {
	return among(isWanted, w.redeemed)
}

// Coupons returns those of the coupons whose own code was redeemed, in no order.
func (w *Witness) Coupons(isWanted func(number int64) bool) []int64 {
	var wanted []int64
	for number := range w.coupons {
		if isWanted(number) {
			wanted = append(wanted, number)
		}
	}
	return wanted
}

// among returns those of the numbers that are wanted, each once and in order.
func among(isWanted func(number int64) bool, lists ...[]int64) []int64 {
	var wanted []int64
	for _, list := range lists {
		for _, number := range list {
			if isWanted(number) {
				wanted = append(wanted, number)
			}
		}
	}
	slices.Sort(wanted)
	return slices.Compact(wanted)
}
