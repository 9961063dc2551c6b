package memory

import (
	"math"
	"time"

	"couponql/coupon"
)

// happenedPage is what the rows said of what happened to the codes of a page: 16 bytes a code, and
// 8 for each instant that none of the page shares with another. The rows stay the truth: whatever
// changes where a code stands has what is known of it forgotten here in the same step.
type happenedPage struct {
	// messages and recipients are the numbers of the message that holds a code and of who got it,
	// and redemptions those of the one that counts; 0: not known.
	messages, recipients, redemptions [pageCodes]uint32
	// sent and redeemed are places in instants; 0: not known.
	sent, redeemed [pageCodes]uint16
	// instants are in microseconds since 1970. A page has at most two for each of its codes, which
	// a place can count; the first one stands for nothing.
	instants []int64
}

// forget forgets what is known of a code.
func (h *happenedPage) forget(place int64) {
	h.messages[place], h.recipients[place], h.redemptions[place] = 0, 0, 0
	h.sent[place], h.redeemed[place] = 0, 0
}

// at returns an instant by its place, or nil.
func (h *happenedPage) at(place uint16) *time.Time {
	if place == 0 {
		return nil
	}
	return new(time.UnixMicro(h.instants[place]).UTC())
}

// maxInstants is how many instants a page has room for.
const maxInstants = math.MaxUint16 + 1

// setRedeemed takes over when a code was redeemed, and by which redemption.
func (h *happenedPage) setRedeemed(place, redemption int64, at time.Time) {
	if redemption > math.MaxUint32 || len(h.instants) == maxInstants {
		return
	}
	h.instants = append(h.instants, at.UnixMicro())
	h.redeemed[place], h.redemptions[place] = uint16(len(h.instants)-1), uint32(redemption)
}

// minMissed is how many readings a page must have missed before all of it is read: a single reading
// of three statements takes some 2 ms, that of a page some 20 ms.
const minMissed = 16

// HappenedReading is a reading of what happened to the codes of a page.
type HappenedReading struct {
	// First and Last are the numbers that the page has room for.
	First, Last int64

	codes *codePage
	read  *happenedPage
	// places are those of the instants that were read.
	places map[int64]uint16
	// changed has a bit for each code that changed since the reading began.
	changed [pageCodes / 64]uint64
}

// Miss tells that the rows have to be asked what happened to codes. It returns a reading for each
// page of them that missed as many as it may, unless others are about it. Who gets one tells it
// what the rows say, and ends it by TakeOver.
func (m *Memory) Miss(numbers []int64) (readings []*HappenedReading) {
	m.mu.Lock()
	defer m.mu.Unlock()
	seen := map[int64]bool{}
	for _, number := range numbers {
		index := number >> pageBits
		if number < 1 || number >= m.codes.end() || seen[index] {
			continue
		}
		seen[index] = true
		page := m.codes.pages[index]
		if page.missed++; page.missed >= minMissed && page.reading == nil {
			readings = append(readings, m.codes.beginReading(index))
		}
	}
	return readings
}

func (t *codeTable) beginReading(index int64) *HappenedReading {
	page := t.pages[index]
	page.missed = 0
	page.reading = &HappenedReading{
		First: index << pageBits, Last: (index+1)<<pageBits - 1, codes: page,
		read: &happenedPage{instants: []int64{0}}, places: map[int64]uint16{},
	}
	return page.reading
}

// EachKnown begins a reading of each page that is known, one after the other, for do to tell it
// what the rows say and end it. A page that others read at the moment is left out.
func (m *Memory) EachKnown(do func(*HappenedReading) error) error {
	for index := int64(0); ; index++ {
		m.mu.Lock()
		if index >= int64(len(m.codes.pages)) {
			m.mu.Unlock()
			return nil
		}
		var reading *HappenedReading
		if page := m.codes.pages[index]; page.happened != nil && page.reading == nil {
			reading = m.codes.beginReading(index)
		}
		m.mu.Unlock()
		if reading != nil {
			if err := do(reading); err != nil {
				return err
			}
		}
	}
}

// place returns the place of an instant; 0 when there is no more room.
func (r *HappenedReading) place(at time.Time) uint16 {
	micros := at.UnixMicro()
	place, isKnown := r.places[micros]
	if !isKnown && len(r.read.instants) < maxInstants {
		place = uint16(len(r.read.instants))
		r.read.instants = append(r.read.instants, micros)
		r.places[micros] = place
	}
	return place
}

// has reports whether a code is one of the page, and numbers are small enough to be kept.
func (r *HappenedReading) has(code int64, numbers ...int64) bool {
	for _, number := range numbers {
		if number > math.MaxUint32 {
			return false
		}
	}
	return code >= r.First && code <= r.Last
}

// Held tells that a message holds a code, and whose it is.
func (r *HappenedReading) Held(code, message, recipient int64) {
	if r.has(code, message, recipient) {
		place := code - r.First
		r.read.messages[place], r.read.recipients[place] = uint32(message), uint32(recipient)
	}
}

// Sent tells when the message that holds a code was sent.
func (r *HappenedReading) Sent(code int64, at time.Time) {
	if r.has(code) {
		r.read.sent[code-r.First] = r.place(at)
	}
}

// Redeemed tells when a code was redeemed, by the redemption that counts.
func (r *HappenedReading) Redeemed(code, redemption int64, at time.Time) {
	if r.has(code, redemption) {
		place := code - r.First
		r.read.redeemed[place], r.read.redemptions[place] = r.place(at), uint32(redemption)
	}
}

// Holders returns the numbers of the deliveries that hold the codes of the page, by the place of
// the code; 0 where none does.
func (m *Memory) Holders(r *HappenedReading) []int64 {
	return answer(m, func(View) []int64 {
		holders := make([]int64, pageCodes)
		for place := range holders {
			if r.codes.states[place].Has(coupon.StateAssigned) {
				holders[place] = int64(r.codes.holders[place])
			}
		}
		return holders
	})
}

// TakeOver ends a reading. What changed meanwhile is left out; with isWhole false all of it is. It
// returns the numbers of the codes of which something else was known before.
func (m *Memory) TakeOver(r *HappenedReading, isWhole bool) (wrong []int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r.codes.reading = nil
	if !isWhole {
		return nil
	}
	for place := range int64(pageCodes) {
		number := r.First + place
		if r.changed[place/64]&(1<<(place%64)) != 0 {
			r.read.forget(place)
			continue
		}
		// Of several redemptions of a code none is the one.
		if m.codes.wasReversed(number) || (View{&m.state}).isRepeated(number) {
			r.read.redeemed[place], r.read.redemptions[place] = 0, 0
		}
		if before := r.codes.happened; before != nil && before.differs(r.read, place) {
			wrong = append(wrong, number)
		}
	}
	r.codes.happened = r.read
	return wrong
}

// differs reports whether something is known of a code that the other one does not say.
func (h *happenedPage) differs(other *happenedPage, place int64) bool {
	isOther := func(a, b uint32) bool { return a != 0 && a != b }
	isOtherInstant := func(a, b uint16) bool {
		return a != 0 && (b == 0 || h.instants[a] != other.instants[b])
	}
	return isOther(h.messages[place], other.messages[place]) ||
		isOther(h.recipients[place], other.recipients[place]) ||
		isOther(h.redemptions[place], other.redemptions[place]) ||
		isOtherInstant(h.sent[place], other.sent[place]) ||
		isOtherInstant(h.redeemed[place], other.redeemed[place])
}

// remember fills in what a page knows of what happened to a code, as far as nothing newer is known.
func (v View) remember(number int64, code *KnownCode) {
	page := v.codes.pages[number>>pageBits]
	h, place := page.happened, number%pageCodes
	if h == nil {
		return
	}
	missing := code.Flags &^ code.Known
	if missing.Has(coupon.StateAssigned) && h.messages[place] != 0 {
		code.MessageID = new(coupon.NewID(coupon.KindMessage, int64(h.messages[place])))
		code.RecipientID = new(coupon.NewID(coupon.KindRecipient, int64(h.recipients[place])))
		code.Known |= coupon.StateAssigned
	}
	if at := h.at(h.sent[place]); missing.Has(coupon.StateSent) && at != nil {
		code.SentAt = at
		code.Known |= coupon.StateSent
	}
	if at := h.at(h.redeemed[place]); missing.Has(coupon.StateRedeemed) && at != nil &&
		!v.isRepeated(number) && !v.codes.wasReversed(number) {
		code.RedeemedAt = at
		code.Known |= coupon.StateRedeemed
	}
}

// OnlyRedemptions returns the number of the redemption of each code, in their order; nil unless it
// is known that each of them had this one alone.
func (m *Memory) OnlyRedemptions(codes []int64) []int64 {
	return answer(m, func(v View) []int64 {
		redemptions := make([]int64, len(codes))
		for i, code := range codes {
			if code < 1 || code >= v.codes.end() || v.isRepeated(code) ||
				v.codes.wasReversed(code) {
				return nil
			}
			h := v.codes.pages[code>>pageBits].happened
			if h == nil || h.redemptions[code%pageCodes] == 0 {
				return nil
			}
			redemptions[i] = int64(h.redemptions[code%pageCodes])
		}
		return redemptions
	})
}
