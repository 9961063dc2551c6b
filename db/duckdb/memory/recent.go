package memory

import (
	"fmt"
	"slices"

	lru "github.com/hashicorp/golang-lru/v2"

	"couponql/coupon"
)

const (
	// maxRecent is how many codes, and how many recipients, are kept that were read recently: 160 pages of 100, in some 10 MB.
	maxRecent = 16_000
	// MaxRecentAttributes is how many bytes of attributes a recipient has at the most who is kept.
	MaxRecentAttributes = 1024
)

// recent keeps what was read recently of codes and recipients: pages are asked for again and again. Entries always match the
// rows. A code's state shows changes to that code; changes that no state shows (a recipient edited or erased, a redemption
// reversed) clear the cache in the same commit.
type recent struct {
	codes      *lru.Cache[int64, *KnownCode]
	recipients *lru.Cache[int64, *coupon.Recipient]
}

func newRecent() (*recent, error) {
	codes, err := lru.New[int64, *KnownCode](maxRecent)
	if err != nil {
		return nil, fmt.Errorf("keep codes: %w", err)
	}
	recipients, err := lru.New[int64, *coupon.Recipient](maxRecent)
	if err != nil {
		return nil, fmt.Errorf("keep recipients: %w", err)
	}
	return &recent{codes: codes, recipients: recipients}, nil
}

// forget empties what may not be so any more when something changed.
func (r *recent) forget(changed Topic) {
	switch changed {
	case AllRecipients:
		r.codes.Purge()
		r.recipients.Purge()
	case AllReversals:
		r.codes.Purge()
	case Quarantine: // it is read anew each time
	}
}

// KnownCode is a code as far as memory knows it, on its way to be read.
type KnownCode struct {
	coupon.Code

	// Flags are where the code stands.
	Flags coupon.CodeState
}

// isWhole reports whether there is a row for all that memory says of the code: a redemption is marked there before it is on
// disk.
func (c *KnownCode) isWhole() bool {
	isThere := func(state coupon.CodeState, hasRow bool) bool { return hasRow || !c.Flags.Has(state) }
	return c.Value != "" && isThere(coupon.StateAssigned, c.MessageID != nil) && isThere(coupon.StateSent, c.SentAt != nil) &&
		isThere(coupon.StateRedeemed, c.RedeemedAt != nil) && isThere(coupon.StateVoided, c.VoidedAt != nil)
}

// Described is what memory knows of codes.
type Described struct {
	Codes map[int64]*KnownCode
	// Missing are the numbers of those of which only the rows know more, and Happened is everything that happened to any of
	// these.
	Missing  []int64
	Happened coupon.CodeState
	// Revision is the one at which all of it was so.
	Revision int64
}

// Describe returns what memory knows of codes. What is gone is left out.
func (m *Memory) Describe(numbers []int64) *Described {
	return answer(m, func(v View) *Described { return v.describe(numbers) })
}

func (v View) describe(numbers []int64) *Described {
	d := &Described{Codes: make(map[int64]*KnownCode, len(numbers)), Revision: v.revisions.last}
	for _, number := range numbers {
		r := v.RunOf(number)
		if r == nil || v.coupons[r.CouponID] == nil || v.codes.state(number).Has(coupon.StateGone) {
			continue
		}
		code := &KnownCode{Flags: v.codes.state(number)}
		code.ID, code.CouponID, code.AddedAt = coupon.NewID(coupon.KindCode, number), coupon.NewID(coupon.KindCoupon, r.CouponID), r.AddedAt
		code.BatchID = coupon.NewID(coupon.KindBatch, r.BatchID)
		if r.Label != "" {
			code.Label = &r.Label
		}
		if r.ImportID != 0 {
			code.ImportID = new(coupon.NewID(coupon.KindImport, r.ImportID))
		}
		if code.Flags.Has(coupon.StateAssigned) {
			holder := v.codes.holder(number)
			how := v.deliveries[holder]
			code.DeliveryID, code.Channel, code.AssignedAt = new(coupon.NewID(coupon.KindDelivery, holder)), &how.Channel, &how.At
		}
		d.Codes[number] = code
		if !v.recall(number, code) {
			d.Missing = append(d.Missing, number)
			d.Happened |= code.Flags
		}
	}
	return d
}

// recall fills in what the rows said of a code when it was read last, if nothing happened to it since.
func (v View) recall(number int64, code *KnownCode) bool {
	kept, isKept := v.recent.codes.Get(number)
	if !isKept || kept.Flags != code.Flags || !isSame(kept.DeliveryID, code.DeliveryID) || v.isRepeated(number) {
		return false
	}
	code.Value, code.MessageID, code.RecipientID, code.Address = kept.Value, kept.MessageID, kept.RecipientID, kept.Address
	code.SentAt, code.RedeemedAt, code.VoidedAt = kept.SentAt, kept.RedeemedAt, kept.VoidedAt
	return true
}

// isSame reports whether two ids are equal, or neither is there.
func isSame(a, b *coupon.ID) bool { return a == b || a != nil && b != nil && *a == *b }

// KeepCodes keeps the missing codes, which were read, unless something changed meanwhile that no state tells.
func (m *Memory) KeepCodes(read *Described) {
	m.Read(func(v View) {
		if v.isTouched(read.Revision, AllRecipients, AllReversals) {
			return
		}
		for _, number := range read.Missing {
			if code := read.Codes[number]; code.isWhole() && !v.isRepeated(number) {
				kept := *code
				v.recent.codes.Add(number, &kept)
			}
		}
	})
}

// RecallRecipients returns those of the recipients who are kept, the numbers of the others, and the revision that KeepRecipients
// wants for these.
func (m *Memory) RecallRecipients(numbers []int64) (found map[coupon.ID]*coupon.Recipient, missing []int64, revision int64) {
	found = make(map[coupon.ID]*coupon.Recipient, len(numbers))
	m.Read(func(v View) {
		revision = v.revisions.last
		for _, number := range numbers {
			kept, isKept := v.recent.recipients.Get(number)
			if !isKept {
				missing = append(missing, number)
				continue
			}
			recipient := *kept
			found[recipient.ID] = &recipient
		}
	})
	return found, missing, revision
}

// KeepRecipients keeps those found of the recipients who were missing at a revision, unless any changed meanwhile.
func (m *Memory) KeepRecipients(found map[coupon.ID]*coupon.Recipient, missing []int64, revision int64) {
	m.Read(func(v View) {
		if v.isTouched(revision, AllRecipients) {
			return
		}
		for _, number := range missing {
			if r := found[coupon.NewID(coupon.KindRecipient, number)]; r != nil && len(r.Attributes) <= MaxRecentAttributes {
				kept := *r
				v.recent.recipients.Add(number, &kept)
			}
		}
	})
}

// Recent returns the numbers of the codes and recipients that are kept, in order.
func (m *Memory) Recent() (codes, recipients []int64) {
	codes, recipients = m.recent.codes.Keys(), m.recent.recipients.Keys()
	slices.Sort(codes)
	slices.Sort(recipients)
	return codes, recipients
}
