package memory

import (
	"fmt"
	"iter"
	"math"
	"slices"
	"time"

	"couponql/coupon"
)

// MaxRecipient is the largest number of a recipient who can claim a code.
const MaxRecipient = int64(math.MaxUint32)

// holders finds the codes that a person has. Those of claims are always there; those of messages
// are read when somebody first claims a code of their coupon, so that who claims nothing pays
// nothing: 17 bytes a code, in pages, and some 20 a person.
type holders struct {
	// latest has the code that each recipient was given last; the others follow by
	// holderPage.earlier.
	latest map[uint32]uint32
}

// holderPage is the part of it for pageCodes consecutive numbers.
type holderPage struct {
	// recipients has who has the code; 0: nobody, or that was not read.
	recipients [pageCodes]uint32
	// earlier has the code that its recipient was noted with before; 0: none.
	earlier [pageCodes]uint32
	// claimed has when it was claimed, in microseconds; it means something only while the holder is
	// a claim.
	claimed  [pageCodes]int64
	channels [pageCodes]uint8
}

// claimHolder stands where the number of a delivery does when a claim holds the code.
const claimHolder = int64(0)

// noteHolder notes that a recipient has a code.
func (c Change) noteHolder(number, recipient int64, channel coupon.Channel, claimed int64) {
	page, place := c.codes.pages[number>>pageBits], number%pageCodes
	if page.people == nil {
		page.people = &holderPage{}
	}
	p := page.people
	p.recipients[place], p.earlier[place] = uint32(recipient), c.holders.latest[uint32(recipient)]
	p.claimed[place], p.channels[place] = claimed, uint8(channelPlace(channel))
	c.holders.latest[uint32(recipient)] = uint32(number)
}

// channelPlace returns the place of a channel among all, counted from 1; 0: none.
func channelPlace(channel coupon.Channel) int {
	return slices.Index(coupon.Channels(), channel) + 1
}

// forgetHolder forgets who has a code.
func (c Change) forgetHolder(number int64) {
	p, place := c.codes.pages[number>>pageBits].people, number%pageCodes
	if p == nil || p.recipients[place] == 0 {
		return
	}
	recipient, earlier := p.recipients[place], p.earlier[place]
	p.recipients[place], p.earlier[place] = 0, 0
	if int64(c.holders.latest[recipient]) == number {
		if earlier == 0 {
			delete(c.holders.latest, recipient)
			return
		}
		c.holders.latest[recipient] = earlier
		return
	}
	for later := range c.codesOf(int64(recipient)) {
		page := c.codes.pages[later>>pageBits].people
		if int64(page.earlier[later%pageCodes]) == number {
			page.earlier[later%pageCodes] = earlier
			return
		}
	}
}

// codesOf returns the codes that are noted of a recipient, the last one first.
func (v View) codesOf(recipient int64) iter.Seq[int64] {
	return func(yield func(int64) bool) {
		for number := int64(v.holders.latest[uint32(recipient)]); number != 0; {
			next := int64(v.codes.pages[number>>pageBits].people.earlier[number%pageCodes])
			if !yield(number) {
				return
			}
			number = next
		}
	}
}

// claimOf tells by whom, how and when a code was claimed that a claim holds; recipient 0: no claim
// holds it.
func (v View) claimOf(number int64) (recipient int64, channel *coupon.Channel, at time.Time) {
	if !v.codes.state(number).Has(coupon.StateAssigned) || v.codes.holder(number) != claimHolder {
		return 0, nil, time.Time{}
	}
	p, place := v.codes.pages[number>>pageBits].people, number%pageCodes
	if p == nil {
		return 0, nil, time.Time{}
	}
	if at := p.channels[place]; at > 0 {
		channel = new(coupon.Channels()[at-1])
	}
	return int64(p.recipients[place]), channel, time.UnixMicro(p.claimed[place]).UTC()
}

// UnreadHolders returns the deliveries that gave codes of a coupon away and whose recipients
// NoteHolders was not told.
func (m *Memory) UnreadHolders(couponNumber int64) []int64 {
	return answer(m, func(v View) []int64 {
		known := v.coupons[couponNumber]
		if known == nil {
			return nil
		}
		return slices.Clone(known.unread)
	})
}

// NoteHolders takes over who was given codes by the messages of a delivery. What is not so any more
// is left out.
func (m *Memory) NoteHolders(delivery int64, codes, recipients []int64) error {
	if len(codes) != len(recipients) {
		return fmt.Errorf("note who has codes: %d codes of %d recipients", len(codes),
			len(recipients))
	}
	// Tills wait for the lock.
	const batch = 4096
	for first := 0; first < len(codes); first += batch {
		last := min(first+batch, len(codes))
		m.mu.Lock()
		c := m.change()
		for i := first; i < last; i++ {
			number := codes[i]
			if number < c.codes.end() && recipients[i] <= MaxRecipient &&
				c.codes.state(number).Has(coupon.StateAssigned) &&
				!c.codes.state(number).Has(coupon.StateGone) &&
				c.codes.holder(number) == delivery {
				c.forgetHolder(number)
				c.noteHolder(number, recipients[i], "", 0)
			}
		}
		m.mu.Unlock()
	}
	return nil
}

// HoldersRead takes over that NoteHolders was told all about deliveries of a coupon.
func (m *Memory) HoldersRead(couponNumber int64, deliveries []int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if known := m.coupons[couponNumber]; known != nil {
		known.unread = slices.DeleteFunc(known.unread,
			func(delivery int64) bool { return slices.Contains(deliveries, delivery) })
	}
}

// NoteClaims takes over claims from the rows.
func (l *Loader) NoteClaims(channel coupon.Channel, codes, recipients, times []int64) error {
	if len(codes) != len(recipients) || len(codes) != len(times) {
		return fmt.Errorf("note claims: %d codes, %d recipients, %d times", len(codes),
			len(recipients), len(times))
	}
	l.Update(codes, coupon.StateAssigned, 0)
	for i, number := range codes {
		l.codes.setHolder(number, claimHolder)
		l.noteHolder(number, recipients[i], channel, times[i])
	}
	return nil
}
