package memory

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"couponql/coupon"
)

// Hold is the codes kept for one delivery; label "" in Counts means any label unless ByLabel.
type Hold struct {
	CouponID int64
	ByLabel  bool
	Counts   map[string]int
	Until    time.Time
}

// Total counts the codes.
func (h *Hold) Total() int {
	sum := 0
	for _, count := range h.Counts {
		sum += count
	}
	return sum
}

// HoldOf returns what is held for a delivery, be it over, or nil. The caller must not change it.
func (m *Memory) HoldOf(delivery int64) *Hold {
	return answer(m, func(v View) *Hold { return v.holds[delivery] })
}

// Hold takes over what is held for a delivery; nil frees it.
func (c Change) Hold(delivery int64, h *Hold) {
	if h == nil {
		delete(c.holds, delivery)
		return
	}
	c.holds[delivery] = h
}

// Availability counts where the codes of a coupon stand at an instant.
func (m *Memory) Availability(number int64, now time.Time) *coupon.Availability {
	return answer(m, func(v View) *coupon.Availability { return v.availability(number, now) })
}

func (v View) availability(number int64, now time.Time) *coupon.Availability {
	a := &coupon.Availability{
		CouponID: coupon.NewID(coupon.KindCoupon, number), ByLabel: []*coupon.LabelAvailability{},
		Holds: []*coupon.CodeHold{},
	}
	known := v.coupons[number]
	if known == nil {
		return a
	}
	hasEnded := known.coupon.HasEnded(now)
	for label, codes := range known.labels {
		counts := codes.counts
		if label != "" && counts.Total > 0 {
			row := &coupon.LabelAvailability{
				Label: label, Total: counts.Total, Redeemed: counts.Redeemed,
			}
			if !hasEnded {
				row.Assigned = counts.Assigned
				row.Available = max(0, counts.free()-v.held(number, label, 0, now))
			}
			a.ByLabel = append(a.ByLabel, row)
		}
		a.Total += counts.Total
		a.Available += counts.free()
		a.Assigned += counts.Assigned
		a.Redeemed += counts.Redeemed
		a.Voided += counts.Voided
	}
	slices.SortFunc(a.ByLabel,
		func(x, y *coupon.LabelAvailability) int { return strings.Compare(x.Label, y.Label) })
	if hasEnded {
		a.Expired = a.Available + a.Assigned
		a.Available, a.Assigned = 0, 0
	} else {
		a.Held = min(a.Available, v.heldInAll(number, 0, now))
		a.Available -= a.Held
		a.Holds = v.holdsOf(number, 0, now)
	}
	if known.coupon.Type == coupon.TypeAnonymous {
		a.Redeemed = 0
	}
	a.IsLow = known.coupon.IsLow(a.Available, a.Total)
	return a
}

// HeldFor counts the codes that a live hold keeps for a delivery.
func (m *Memory) HeldFor(delivery int64, now time.Time) int {
	if h := m.HoldOf(delivery); h != nil && now.Before(h.Until) {
		return h.Total()
	}
	return 0
}

// Holds returns the largest live holds of a coupon's codes that other deliveries have, at most
// coupon.MaxHolds.
func (m *Memory) Holds(couponID, except int64, now time.Time) []*coupon.CodeHold {
	return answer(m, func(v View) []*coupon.CodeHold { return v.holdsOf(couponID, except, now) })
}

func (v View) holdsOf(couponID, except int64, now time.Time) []*coupon.CodeHold {
	holds := []*coupon.CodeHold{}
	for delivery, h := range v.holds {
		if delivery != except && h.CouponID == couponID && now.Before(h.Until) {
			holds = append(holds, &coupon.CodeHold{
				DeliveryID: coupon.NewID(coupon.KindDelivery, delivery), Count: h.Total(),
				EndsAt: h.Until,
			})
		}
	}
	slices.SortFunc(holds, func(x, y *coupon.CodeHold) int {
		return cmp.Or(
			cmp.Compare(y.Count, x.Count),
			cmp.Compare(coupon.MustNumber(coupon.KindDelivery, x.DeliveryID),
				coupon.MustNumber(coupon.KindDelivery, y.DeliveryID)),
		)
	})
	return holds[:min(len(holds), coupon.MaxHolds)]
}

// held counts the codes with this label that live holds of other deliveries keep by name.
func (v View) held(couponID int64, label string, except int64, now time.Time) int {
	sum := 0
	for delivery, h := range v.holds {
		if delivery != except && h.CouponID == couponID && h.ByLabel && now.Before(h.Until) {
			sum += h.Counts[label]
		}
	}
	return sum
}

// heldInAll counts the codes of a coupon that live holds of other deliveries keep.
func (v View) heldInAll(couponID, except int64, now time.Time) int {
	sum := 0
	for delivery, h := range v.holds {
		if delivery != except && h.CouponID == couponID && now.Before(h.Until) {
			sum += h.Total()
		}
	}
	return sum
}

// Wish is what a delivery wants of the codes of a coupon. With ByLabel it takes those with a label
// alone; else codes with any label, but none that others hold by name.
type Wish struct {
	CouponID int64
	ByLabel  bool
	// Delivery is the number of the delivery, whose own hold stands in nobody's way; 0: none.
	Delivery int64
	Now      time.Time
}

// Promisable counts the codes that a delivery may count on: free ones, less what live holds of
// others keep. The label matters only to a wish by label.
func (m *Memory) Promisable(of Wish, label string) int {
	return answer(m, func(v View) int { return v.promisable(of, label) })
}

func (v View) promisable(of Wish, label string) int {
	known := v.coupons[of.CouponID]
	if known == nil { // It was deleted meanwhile.
		return 0
	}
	free := 0
	for _, codes := range known.labels {
		free += codes.counts.free()
	}
	all := max(0, free-v.heldInAll(of.CouponID, of.Delivery, of.Now))
	if !of.ByLabel {
		return all
	}
	codes := known.labels[label]
	if codes == nil {
		return 0
	}
	return max(0, min(all, codes.counts.free()-v.held(of.CouponID, label, of.Delivery, of.Now)))
}

// Take plans which codes the next messages of a delivery get: count free codes, lowest numbers
// first. Nothing is marked. It returns fewer than count when there are no more.
func (m *Memory) Take(of Wish, label string, count int) []Span {
	return answer(m, func(v View) []Span { return v.take(of, label, count) })
}

func (v View) take(of Wish, label string, count int) []Span {
	known := v.coupons[of.CouponID]
	if known == nil { // It was deleted meanwhile.
		return nil
	}
	if of.ByLabel {
		if codes := known.labels[label]; codes != nil {
			return v.takeFrom(codes, count)
		}
		return nil
	}
	labels := make([]string, 0, len(known.labels))
	for name := range known.labels {
		labels = append(labels, name)
	}
	slices.Sort(labels)
	var spans []Span
	for _, name := range labels {
		codes := known.labels[name]
		spare := max(0, codes.counts.free()-v.held(of.CouponID, name, of.Delivery, of.Now))
		part := v.takeFrom(codes, min(count, spare))
		for _, s := range part {
			count -= s.Count
		}
		spans = append(spans, part...)
	}
	return spans
}

func (v View) takeFrom(codes *labelCodes, count int) []Span {
	var spans []Span
	for _, r := range codes.runs {
		if r.Last < codes.cursor {
			continue
		}
		for number := max(r.First, codes.cursor); number <= r.Last && count > 0; number++ {
			if v.codes.state(number) != 0 {
				continue
			}
			if last := len(spans) - 1; last >= 0 && spans[last].End() == number {
				spans[last].Count++
			} else {
				spans = append(spans, Span{First: number, Count: 1, Label: codes.label})
			}
			count--
		}
	}
	return spans
}

// FirstFree returns the number of the code that the next message would get, or 0.
func (m *Memory) FirstFree(of Wish, label string) int64 {
	for _, s := range m.Take(of, label, 1) {
		return s.First
	}
	return 0
}

// CanTake reports whether a delivery may have the codes of spans: nothing happened to them, and no
// one else's hold needs them.
func (m *Memory) CanTake(of Wish, spans []Span) bool {
	return answer(m, func(v View) bool {
		wanted := &Hold{CouponID: of.CouponID, ByLabel: of.ByLabel, Counts: map[string]int{}}
		for _, s := range spans {
			label := ""
			if of.ByLabel {
				label = s.Label
			}
			wanted.Counts[label] += s.Count
		}
		return v.areFree(spans) && v.canPromise(wanted, of.Delivery, of.Now)
	})
}

// areFree reports whether nothing happened to the codes of spans.
func (v View) areFree(spans []Span) bool {
	for _, s := range spans {
		for number := s.First; number < s.End(); number++ {
			if v.codes.state(number) != 0 {
				return false
			}
		}
	}
	return true
}

// CanPromise reports whether what a hold of a delivery wants may be kept for it.
func (m *Memory) CanPromise(h *Hold, delivery int64, now time.Time) bool {
	return answer(m, func(v View) bool { return v.canPromise(h, delivery, now) })
}

func (v View) canPromise(h *Hold, delivery int64, now time.Time) bool {
	of := Wish{CouponID: h.CouponID, ByLabel: h.ByLabel, Delivery: delivery, Now: now}
	for label, count := range h.Counts {
		if v.promisable(of, label) < count {
			return false
		}
	}
	of.ByLabel = false
	return v.promisable(of, "") >= h.Total()
}
