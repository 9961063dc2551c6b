package memory

import (
	"fmt"
	"maps"
	"slices"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"couponql/coupon"
)

const (
	// maxRecent is how many codes, and how many recipients, are kept that were read recently: 160
	// pages of 100, in some 10 MB.
	maxRecent = 16_000
	// maxRedeemed is how many codes are kept that were redeemed or claimed just now, apart from
	// those that were read: tills would drive these out. It covers the moment until their answers
	// are written.
	maxRedeemed = 4_000
	// maxClaimable is how many values are kept of codes that were claimed lately and may be asked
	// for again, or will be claimed soon: some 10 MB.
	maxClaimable = 100_000
	// maxDeliveries is how many deliveries are kept that were read recently.
	maxDeliveries = 1_000
	// MaxRecentAttributes is how many bytes of attributes a recipient has at the most who is kept.
	MaxRecentAttributes = 1024
)

// recent keeps what was read recently of codes, recipients and deliveries: pages are asked for
// again and again. Entries always match the rows. A code's state shows changes to that code;
// changes that no state shows (a recipient edited or erased, a redemption reversed, a delivery
// written) clear the cache in the same commit.
type recent struct {
	codes      *lru.Cache[int64, *KnownCode]
	redeemed   *lru.Cache[int64, *KnownCode]
	recipients *lru.Cache[int64, *coupon.Recipient]
	// claimable has the values of codes that were claimed lately, or will be soon.
	claimable  *lru.Cache[int64, string]
	deliveries *lru.Cache[int64, *coupon.Delivery]
}

func newRecent() (*recent, error) {
	codes, err := lru.New[int64, *KnownCode](maxRecent)
	if err != nil {
		return nil, fmt.Errorf("keep codes: %w", err)
	}
	redeemed, err := lru.New[int64, *KnownCode](maxRedeemed)
	if err != nil {
		return nil, fmt.Errorf("keep redeemed codes: %w", err)
	}
	recipients, err := lru.New[int64, *coupon.Recipient](maxRecent)
	if err != nil {
		return nil, fmt.Errorf("keep recipients: %w", err)
	}
	deliveries, err := lru.New[int64, *coupon.Delivery](maxDeliveries)
	if err != nil {
		return nil, fmt.Errorf("keep deliveries: %w", err)
	}
	claimable, err := lru.New[int64, string](maxClaimable)
	if err != nil {
		return nil, fmt.Errorf("keep values of codes: %w", err)
	}
	return &recent{
		codes: codes, redeemed: redeemed, recipients: recipients, deliveries: deliveries,
		claimable: claimable,
	}, nil
}

// forget empties what may not be so any more when something changed.
func (r *recent) forget(changed Topic) {
	switch changed {
	case AllRecipients:
		r.codes.Purge()
		r.redeemed.Purge()
		r.recipients.Purge()
	case AllReversals:
		r.codes.Purge()
		r.redeemed.Purge()
	case AllDeliveries:
		r.deliveries.Purge()
	case Quarantine, AllReleases: // nothing of what is kept is about them
	}
}

// KnownCode is a code as far as memory knows it, on its way to be read.
type KnownCode struct {
	coupon.Code

	// Flags are where the code stands.
	Flags coupon.CodeState
	// Known are those of the flags whose rows were read: StateAssigned the message that holds the
	// code and whose it is, StateAddressed its address, StateSent, StateRedeemed and StateVoided
	// when that happened.
	Known coupon.CodeState
}

// Found returns those of the flags that have a row: a redemption is marked in memory before it is
// on disk.
func (c *KnownCode) Found() coupon.CodeState { return c.Code.State() & c.Flags }

// Described is what memory knows of codes.
type Described struct {
	Codes map[int64]*KnownCode
	// Wanted is what the caller wants to know of what happened to them.
	Wanted coupon.CodeState
	// Missing are the numbers of those of which only the rows know more that is wanted.
	Missing []int64
	// Revision is the one at which all of it was so.
	Revision int64
}

// Lacking returns the numbers of the codes to which any of this happened, if it is wanted and not
// known.
func (d *Described) Lacking(happened coupon.CodeState) []int64 {
	var numbers []int64
	for _, number := range d.Missing {
		if code := d.Codes[number]; code.Flags&d.Wanted&happened&^code.Known != 0 {
			numbers = append(numbers, number)
		}
	}
	return numbers
}

// Describe returns what memory knows of codes. What is gone is left out. wanted is what the caller
// wants to know of what happened to them.
func (m *Memory) Describe(numbers []int64, wanted coupon.CodeState) *Described {
	return answer(m, func(v View) *Described {
		d := &Described{
			Codes: make(map[int64]*KnownCode, len(numbers)), Wanted: wanted,
			Revision: v.revisions.last,
		}
		for _, number := range numbers {
			code := v.describe(number)
			if code == nil {
				continue
			}
			d.Codes[number] = code
			if code.Value == "" || code.Flags&wanted&^code.Known != 0 {
				d.Missing = append(d.Missing, number)
			}
		}
		return d
	})
}

// DescribeAgain is Describe of the same codes, whose values it keeps.
func (m *Memory) DescribeAgain(before *Described) *Described {
	numbers := slices.Collect(maps.Keys(before.Codes))
	slices.Sort(numbers)
	d := m.Describe(numbers, before.Wanted)
	for number, code := range d.Codes {
		if code.Value == "" {
			code.Value = before.Codes[number].Value
		}
	}
	return d
}

// describe returns what memory knows of a code; nil when it is gone.
func (v View) describe(number int64) *KnownCode {
	r := v.RunOf(number)
	if r == nil || v.coupons[r.CouponID] == nil || v.codes.state(number).Has(coupon.StateGone) {
		return nil
	}
	code := &KnownCode{Flags: v.codes.state(number)}
	code.ID, code.CouponID, code.AddedAt = coupon.NewID(coupon.KindCode,
		number), coupon.NewID(coupon.KindCoupon, r.CouponID), r.AddedAt
	code.BatchID = coupon.NewID(coupon.KindBatch, r.BatchID)
	if r.Label != "" {
		code.Label = &r.Label
	}
	if r.ImportID != 0 {
		code.ImportID = new(coupon.NewID(coupon.KindImport, r.ImportID))
	}
	if code.Flags.Has(coupon.StateAssigned) {
		if recipient, channel, at := v.claimOf(number); recipient != 0 {
			v.recall(number, code)
			v.remember(number, code)
			// It is all that there is to know of who has the code.
			code.MessageID, code.Address = nil, nil
			code.RecipientID = new(coupon.NewID(coupon.KindRecipient, recipient))
			code.Channel, code.AssignedAt = channel, &at
			code.Known |= coupon.StateAssigned
			return code
		}
		code.Flags |= coupon.StateAddressed
		holder := v.codes.holder(number)
		how := v.deliveries[holder]
		code.DeliveryID, code.Channel, code.AssignedAt = new(coupon.NewID(coupon.KindDelivery,
			holder)), &how.Channel, &how.At
	}
	v.recall(number, code)
	v.remember(number, code)
	return code
}

// recall fills in what the rows said of a code when it was read last, as far as nothing of that
// happened anew.
func (v View) recall(number int64, code *KnownCode) {
	kept, isKept := v.recent.codes.Get(number)
	if !isKept {
		if kept, isKept = v.recent.redeemed.Get(number); !isKept {
			return
		}
	}
	code.Value = kept.Value
	code.Known = kept.Known & kept.Flags & code.Flags
	if !isSame(kept.DeliveryID, code.DeliveryID) {
		code.Known &^= coupon.StateAssigned | coupon.StateAddressed | coupon.StateSent
	}
	if v.isRepeated(number) {
		code.Known &^= coupon.StateRedeemed
	}
	if code.Known.Has(coupon.StateAssigned) {
		code.MessageID, code.RecipientID = kept.MessageID, kept.RecipientID
	}
	if code.Known.Has(coupon.StateAddressed) {
		code.Address = kept.Address
	}
	if code.Known.Has(coupon.StateSent) {
		code.SentAt = kept.SentAt
	}
	if code.Known.Has(coupon.StateRedeemed) {
		code.RedeemedAt = kept.RedeemedAt
	}
	if code.Known.Has(coupon.StateVoided) {
		code.VoidedAt = kept.VoidedAt
	}
}

// isSame reports whether two ids are equal, or neither is there.
func isSame(a, b *coupon.ID) bool { return a == b || a != nil && b != nil && *a == *b }

// KeepCodes keeps what was read of the missing codes, unless something changed meanwhile that no
// state tells.
func (m *Memory) KeepCodes(read *Described) {
	m.Read(func(v View) {
		if v.isTouched(read.Revision, AllRecipients, AllReversals) {
			return
		}
		for _, number := range read.Missing {
			if code := read.Codes[number]; code.Value != "" {
				kept := *code
				v.keep(v.recent.codes, number, &kept)
			}
		}
	})
}

// KeepRedeemed keeps that a code was redeemed, by its value, at this instant and by a redemption,
// unless something changed since the revision that no state tells. The redemption is on disk.
func (m *Memory) KeepRedeemed(
	revision, number int64, value string, at time.Time, redemption int64,
) {
	m.mu.Lock()
	defer m.mu.Unlock()
	v := View{&m.state}
	if v.isTouched(revision, AllRecipients, AllReversals) {
		return
	}
	code := v.describe(number)
	if code == nil || !code.Flags.Has(coupon.StateRedeemed) || v.isRepeated(number) {
		return
	}
	if h := v.codes.pages[number>>pageBits].happened; h != nil && !v.codes.wasReversed(number) {
		h.setRedeemed(number%pageCodes, redemption, at)
	}
	code.Value, code.RedeemedAt = value, &at
	// Of two entries of a code, recall would look at the older one alone.
	recent := v.recent.redeemed
	if v.recent.codes.Contains(number) {
		recent = v.recent.codes
	}
	v.keep(recent, number, code)
}

// Claimable returns the value of a code that KeepClaimable was told: it never changes.
func (m *Memory) Claimable(number int64) (value string, isKnown bool) {
	return m.recent.claimable.Get(number)
}

// KeepClaimable keeps the value of a code for who claims it.
func (m *Memory) KeepClaimable(number int64, value string) {
	m.recent.claimable.Add(number, value)
}

// KeepClaimed keeps the value of a code that was claimed just now.
func (m *Memory) KeepClaimed(number int64, value string) {
	m.Read(func(v View) {
		code := v.describe(number)
		if value == "" || code == nil || v.recent.codes.Contains(number) {
			return
		}
		code.Value = value
		v.keep(v.recent.redeemed, number, code)
	})
}

// keep keeps what is known of a code.
func (v View) keep(recent *lru.Cache[int64, *KnownCode], number int64, code *KnownCode) {
	code.Known = code.Found()
	if v.isRepeated(number) {
		code.Known &^= coupon.StateRedeemed
	}
	recent.Add(number, code)
}

// RecallRecipients returns those of the recipients who are kept, which the caller may change but
// for what they point at, the numbers of the others, and the revision that KeepRecipients wants for
// these.
func (m *Memory) RecallRecipients(numbers []int64) (
	found map[coupon.ID]*coupon.Recipient, missing []int64, revision int64,
) {
	return recall(m, m.recent.recipients, coupon.KindRecipient, numbers)
}

// RecallDeliveries is RecallRecipients for deliveries and KeepDeliveries.
func (m *Memory) RecallDeliveries(numbers []int64) (
	found map[coupon.ID]*coupon.Delivery, missing []int64, revision int64,
) {
	return recall(m, m.recent.deliveries, coupon.KindDelivery, numbers)
}

func recall[T any](
	m *Memory, recent *lru.Cache[int64, *T], kind coupon.Kind, numbers []int64,
) (found map[coupon.ID]*T, missing []int64, revision int64) {
	found = make(map[coupon.ID]*T, len(numbers))
	m.Read(func(v View) {
		revision = v.revisions.last
		for _, number := range numbers {
			kept, isKept := recent.Get(number)
			if !isKept {
				missing = append(missing, number)
				continue
			}
			found[coupon.NewID(kind, number)] = new(*kept)
		}
	})
	return found, missing, revision
}

// KeepRecipients keeps those found of the recipients who were missing at a revision, unless any
// changed meanwhile.
func (m *Memory) KeepRecipients(
	found map[coupon.ID]*coupon.Recipient, missing []int64, revision int64,
) {
	m.Read(func(v View) {
		if v.isTouched(revision, AllRecipients) {
			return
		}
		for _, number := range missing {
			if r := found[coupon.NewID(coupon.KindRecipient, number)]; r != nil &&
				len(r.Attributes) <= MaxRecentAttributes {
				kept := *r
				v.recent.recipients.Add(number, &kept)
			}
		}
	})
}

// KeepDeliveries keeps deliveries as they were read at a revision, unless any was written since.
func (m *Memory) KeepDeliveries(read map[coupon.ID]*coupon.Delivery, revision int64) {
	m.Read(func(v View) {
		if v.isTouched(revision, AllDeliveries) {
			return
		}
		for id, d := range read {
			kept := *d
			v.recent.deliveries.Add(coupon.MustNumber(coupon.KindDelivery, id), &kept)
		}
	})
}

// Recent returns the numbers of the codes, recipients and deliveries that are kept, in order.
func (m *Memory) Recent() (codes, recipients, deliveries []int64) {
	codes = append(m.recent.codes.Keys(), m.recent.redeemed.Keys()...)
	recipients, deliveries = m.recent.recipients.Keys(), m.recent.deliveries.Keys()
	for _, numbers := range [][]int64{codes, recipients, deliveries} {
		slices.Sort(numbers)
	}
	return slices.Compact(codes), recipients, deliveries
}
