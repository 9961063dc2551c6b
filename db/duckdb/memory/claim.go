package memory

import (
	"cmp"
	"slices"
	"time"

	"couponql/coupon"
)

// ClaimAttempt is one request for a code of a coupon for a person.
type ClaimAttempt struct {
	CouponNumber, Recipient int64
	// Label is the one that the code must have; nil: any.
	Label   *string
	Channel coupon.Channel
	// WantsNew: a code that the person has does not do.
	WantsNew bool
	At       time.Time
	// Caller, IdempotencyKey and Steady are as in Attempt.
	Caller         string
	IdempotencyKey *string
	Steady         time.Time
}

// Claimed is a code that a person has by a claim, which is not on disk yet when it IsNew.
type Claimed struct {
	CouponNumber, CodeNumber int64
	// Number is that of the claim, 0 for a code that the person had.
	Number int64
	IsNew  bool
	// EndsAt is until when the code is valid; nil: for good.
	EndsAt *time.Time
	// Label is that of the code, "" when it has none.
	Label string

	answer *answerKey
}

// Claim decides about a claim and marks it. It returns the code or why there is none: as
// Coupon.CheckClaim, and INSUFFICIENT_CODES, ALREADY_EXISTS for an idempotency key of another
// claim. isUnread: NoteHolders has to be told first who has codes of the coupon. Unclaim takes it
// back when it does not reach the disk.
func (m *Memory) Claim(a *ClaimAttempt) (
	claimed *Claimed, isUnread bool, refusal *coupon.UserError,
) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.change()
	if refusal := c.CheckClaim(a.CouponNumber, a.At); refusal != nil {
		return nil, false, refusal
	}
	known := c.coupons[a.CouponNumber]
	claimed = &Claimed{CouponNumber: a.CouponNumber, EndsAt: known.coupon.EndsAt}
	var key *answerKey
	if a.IdempotencyKey != nil {
		key = &answerKey{a.Caller, *a.IdempotencyKey}
		if number := c.claimAnswers.find(*key); number != 0 {
			if !c.isClaimOf(number, a) {
				return nil, false, coupon.Errorf(coupon.ErrorAlreadyExists,
					"The idempotency key %q was used for another claim, or its code was taken back. Use a new key for each claim.", *a.IdempotencyKey).At("input", "idempotencyKey")
			}
			claimed.CodeNumber = number
			return claimed, false, nil
		}
	}
	if len(known.unread) > 0 && !a.WantsNew {
		return nil, true, nil
	}
	if !a.WantsNew {
		claimed.CodeNumber = c.usableOf(a)
	}
	if claimed.CodeNumber == 0 {
		number, label := c.lastFree(a)
		if number == 0 {
			return nil, false, insufficient(known.coupon, a.Label)
		}
		claimed.CodeNumber, claimed.Label, claimed.IsNew = number, label, true
		claimed.Number = c.next.Message
		c.next.Message++
		c.setState(number, coupon.StateAssigned)
		c.codes.setHolder(number, claimHolder)
		c.noteHolder(number, a.Recipient, a.Channel, a.At.UnixMicro())
		if key != nil {
			claimed.answer = key
			c.claimAnswers.add(*key, number, a.Steady)
		}
	}
	return claimed, false, nil
}

// CheckClaim decides whether codes of a coupon may be claimed at an instant: NOT_FOUND, or what
// coupon.CheckClaim returns.
func (v View) CheckClaim(couponNumber int64, at time.Time) *coupon.UserError {
	known := v.coupons[couponNumber]
	if known == nil {
		return coupon.NotFound(coupon.KindCoupon, coupon.NewID(coupon.KindCoupon, couponNumber))
	}
	return known.coupon.CheckClaim(at)
}

// CheckStock is CheckClaim for somebody who has no code of the coupon, and needs a free one.
func (v View) CheckStock(couponNumber int64, label *string, at time.Time) *coupon.UserError {
	if refusal := v.CheckClaim(couponNumber, at); refusal != nil {
		return refusal
	}
	if v.promisable(wishOf(couponNumber, label, at), orEmpty(label)) > 0 {
		return nil
	}
	return insufficient(v.coupons[couponNumber].coupon, label)
}

// insufficient returns why nobody gets a code.
func insufficient(c *coupon.Coupon, label *string) *coupon.UserError {
	which := ""
	if label != nil {
		which = " with the label " + coupon.Printable(*label)
	}
	return coupon.Errorf(coupon.ErrorInsufficientCodes,
		"The coupon %q has no free code%s. Add codes; those that are held for analyzed deliveries stay theirs.",
		c.Label, which)
}

// Unclaim takes a claim back. Its number is not given out again.
func (m *Memory) Unclaim(claimed *Claimed) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.change()
	c.setState(claimed.CodeNumber, c.codes.state(claimed.CodeNumber)&^coupon.StateAssigned)
	if claimed.answer != nil {
		c.claimAnswers.remove(*claimed.answer)
	}
}

// SetClaimAnswer takes over that an idempotency key of a caller claimed a code.
func (c Change) SetClaimAnswer(caller, key string, code int64, steady time.Time) {
	c.claimAnswers.add(answerKey{caller, key}, code, steady)
}

// isClaimOf reports whether a code is what a claim like this one got.
func (v View) isClaimOf(number int64, a *ClaimAttempt) bool {
	if number >= v.codes.end() || v.codes.state(number).Has(coupon.StateGone) {
		return false
	}
	r := v.RunOf(number)
	recipient, channel, _ := v.claimOf(number)
	return r != nil && r.CouponID == a.CouponNumber && recipient == a.Recipient &&
		(a.Label == nil || *a.Label == r.Label) &&
		channelPlace(a.Channel) == channelPlace(orEmpty(channel))
}

// usableOf returns the code of the coupon that the person was given last, of those that were never
// redeemed and may be; 0: none.
func (v View) usableOf(a *ClaimAttempt) int64 {
	owner := v.coupons[a.CouponNumber].coupon
	for number := range v.codesOf(a.Recipient) {
		r, state := v.RunOf(number), v.codes.state(number)
		if r != nil && r.CouponID == a.CouponNumber && (a.Label == nil || *a.Label == r.Label) &&
			state.Has(coupon.StateAssigned) && !state.Has(coupon.StateRedeemed) &&
			owner.CheckRedemption(coupon.Redeemability{State: state}, a.At) == nil {
			return number
		}
	}
	return 0
}

// wishOf returns what a claim wants of a coupon's codes.
func wishOf(couponNumber int64, label *string, at time.Time) Wish {
	return Wish{CouponID: couponNumber, ByLabel: label != nil, Now: at}
}

// lastFree returns the number of the code that a claim gets, with its label: the last one that is
// free. Deliveries take the first ones, and would else have to plan anew with every claim that
// comes while their messages are written.
func (c Change) lastFree(a *ClaimAttempt) (number int64, label string) {
	wish := wishOf(a.CouponNumber, a.Label, a.At)
	if c.promisable(wish, orEmpty(a.Label)) == 0 {
		return 0, ""
	}
	labels := c.coupons[a.CouponNumber].labels
	if a.Label != nil {
		return labels[*a.Label].lastFree(c.View), *a.Label
	}
	var last *labelCodes
	for name, codes := range labels {
		if codes.counts.free() > c.held(a.CouponNumber, name, 0, a.At) &&
			(last == nil || cmp.Less(last.label, name)) {
			last = codes
		}
	}
	if last == nil {
		return 0, ""
	}
	return last.lastFree(c.View), last.label
}

// lastFree returns the number of the last free code; 0: there is none. It lowers top to it.
func (l *labelCodes) lastFree(v View) int64 {
	for _, r := range slices.Backward(l.runs) {
		for number := min(r.Last, l.top); number >= r.First; number-- {
			if v.codes.state(number) == 0 {
				l.top = number
				return number
			}
		}
	}
	return 0
}

// orEmpty returns what a pointer points at, or the zero value for nil.
func orEmpty[T any](value *T) (zero T) {
	if value == nil {
		return zero
	}
	return *value
}
