package memory

import (
	"slices"
	"time"

	"couponql/coupon"
)

// Redeemable is a code, or the own code of an anonymous coupon, that a value names.
type Redeemable struct {
	CouponNumber int64
	// CodeNumber is 0 for an anonymous coupon.
	CodeNumber int64
	// Value is as it was given when the code was added; "" when only the rows know.
	Value string
}

// Redeemable returns what a key names, or nil.
func (v View) Redeemable(key string) *Redeemable {
	if couponNumber, isCoupon := v.couponKeys[key]; isCoupon {
		known := v.coupons[couponNumber].coupon
		if known.Type != coupon.TypeAnonymous {
			return nil
		}
		return &Redeemable{CouponNumber: couponNumber, Value: known.Code}
	}
	number, isRespelled := v.Find(key)
	if number == 0 {
		return nil
	}
	found := &Redeemable{CouponNumber: v.RunOf(number).CouponID, CodeNumber: number}
	if !isRespelled {
		found.Value = key
	}
	return found
}

// Redeemable is View.Redeemable.
func (m *Memory) Redeemable(key string) *Redeemable {
	return answer(m, func(v View) *Redeemable { return v.Redeemable(key) })
}

// Check decides about a redemption of what Redeemable returned. value is what the caller entered,
// for the message. It returns CODE_UNKNOWN, and what coupon.CheckRedemption returns.
func (v View) Check(found *Redeemable, value string, at time.Time) *coupon.UserError {
	value = coupon.Printable(coupon.CleanValue(value))
	if found == nil {
		return coupon.Errorf(coupon.ErrorCodeUnknown, "There is no code %q.", value)
	}
	known := v.coupons[found.CouponNumber]
	facts := coupon.Redeemability{Value: value, Count: known.redeemed}
	if found.CodeNumber != 0 {
		facts.State, facts.Count = v.codes.state(found.CodeNumber), v.RedeemCount(found.CodeNumber)
	}
	return known.coupon.CheckRedemption(facts, at)
}

// Attempt is one request to redeem.
type Attempt struct {
	// Key is that of Value, which is what the caller entered.
	Key, Value string
	// At is when the code was redeemed.
	At time.Time
	// Caller is the name of who asks, to whom IdempotencyKey belongs; that is nil when none was
	// given. Steady is the time by a clock that nobody sets, from which it counts.
	Caller         string
	IdempotencyKey *string
	Steady         time.Time
}

// Redeemed is a redemption that is decided and not on disk yet.
type Redeemed struct {
	Redeemable

	Number int64
	// IsSpent: the code may not be redeemed again.
	IsSpent bool
	// Label is that of the code, "" when it has none.
	Label string
	// IsAssigned: somebody has the code. Delivery is the number of the one whose message holds it,
	// 0 when a claim does; Confirmed tells of either.
	IsAssigned bool
	Delivery   int64
	Confirmed  Confirmed

	// answer is the idempotency key, nil when none was given.
	answer *answerKey
}

// Redeem decides about a redemption and marks it. It returns the redemption; or the number of the
// one that the idempotency key recorded before; or why not, as Check does. Unredeem takes it back
// when it does not reach the disk.
func (m *Memory) Redeem(a *Attempt) (
	redeemed *Redeemed, answered int64, refusal *coupon.UserError,
) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.change()
	var key *answerKey
	if a.IdempotencyKey != nil {
		key = &answerKey{a.Caller, *a.IdempotencyKey}
		if answered = c.answers.find(*key); answered != 0 {
			return nil, answered, nil
		}
	}
	found := c.Redeemable(a.Key)
	if refusal := c.Check(found, a.Value, a.At); refusal != nil {
		return nil, 0, refusal
	}
	redeemed = &Redeemed{Redeemable: *found, Number: c.next.Redemption, answer: key}
	c.next.Redemption++
	if number := found.CodeNumber; number != 0 {
		redeemed.Label = c.RunOf(number).Label
		if c.codes.state(number).Has(coupon.StateAssigned) {
			redeemed.IsAssigned = true
			redeemed.Delivery = c.codes.holder(number)
			redeemed.Confirmed = c.deliveries[redeemed.Delivery]
			if recipient, channel, at := c.claimOf(number); recipient != 0 {
				redeemed.Confirmed = Confirmed{Channel: orEmpty(channel), At: at}
			}
		}
	}
	c.CountRedemptions(found.CouponNumber, found.CodeNumber, 1)
	if limit := c.coupons[found.CouponNumber].coupon.RedemptionLimit; limit != nil {
		count := c.coupons[found.CouponNumber].redeemed
		if found.CodeNumber != 0 {
			count = c.RedeemCount(found.CodeNumber)
		}
		redeemed.IsSpent = count >= *limit
	}
	if key != nil {
		c.answers.add(*key, redeemed.Number, a.Steady)
	}
	return redeemed, 0, nil
}

// Unredeem takes a redemption back. Its number is not given out again: a file may have taken the
// next ones.
func (m *Memory) Unredeem(r *Redeemed) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.change()
	c.CountRedemptions(r.CouponNumber, r.CodeNumber, -1)
	if r.answer != nil {
		c.answers.remove(*r.answer)
	}
}

// SetAnswer takes over that an idempotency key of a caller recorded a redemption, from a steady
// instant on. caller is "" when the redemption does not tell.
func (c Change) SetAnswer(caller, key string, redemption int64, steady time.Time) {
	c.answers.add(answerKey{caller, key}, redemption, steady)
}

// RedeemCount tells how often a code is redeemed.
func (v View) RedeemCount(number int64) int {
	if count, found := v.repeats[number]; found {
		return count
	}
	if v.codes.state(number).Has(coupon.StateRedeemed) {
		return 1
	}
	return 0
}

// Standing returns a coupon, and what a decision about one of its codes must know, or about its own
// when code is 0.
func (v View) Standing(couponNumber, code int64) (*coupon.Coupon, coupon.Redeemability) {
	known := v.coupons[couponNumber]
	if known == nil {
		return nil, coupon.Redeemability{}
	}
	if code == 0 {
		return known.coupon, coupon.Redeemability{Count: known.redeemed}
	}
	return known.coupon, coupon.Redeemability{
		State: v.codes.state(code), Count: v.RedeemCount(code),
	}
}

// CouponRedeemCount tells how often the own code of a coupon is redeemed.
func (v View) CouponRedeemCount(number int64) int { return v.coupons[number].redeemed }

// isRepeated reports whether a code is redeemed more than once: its state does not change with each
// time.
func (v View) isRepeated(number int64) bool {
	_, isRepeated := v.repeats[number]
	return isRepeated
}

// Redeemed returns those of the codes that have redemptions. Codes all of whose redemptions were
// reversed are among them, and a redemption may not be on disk yet.
func (m *Memory) Redeemed(numbers []int64) []int64 {
	return answer(m, func(v View) []int64 {
		return slices.DeleteFunc(slices.Clone(numbers), func(number int64) bool {
			return number < 1 || number >= v.codes.end() ||
				!v.codes.state(number).Has(coupon.StateRedeemed) && !v.codes.wasReversed(number)
		})
	})
}

// WereReversed reports whether a redemption of any of the codes was reversed.
func (m *Memory) WereReversed(numbers []int64) bool {
	return answer(m, func(v View) bool { return slices.ContainsFunc(numbers, v.codes.wasReversed) })
}

// MarkReversed tells that redemptions of the codes were reversed.
func (l *Loader) MarkReversed(numbers []int64) {
	for _, number := range numbers {
		l.codes.setReversed(number)
	}
}

// MostRedeemed tells how often the most redeemed code of a coupon is redeemed.
func (m *Memory) MostRedeemed(couponNumber int64) int {
	return answer(m, func(v View) int {
		known := v.coupons[couponNumber]
		if known == nil { // It was deleted meanwhile.
			return 0
		}
		most := known.redeemed
		for _, codes := range known.labels {
			if codes.counts.Redeemed > 0 {
				most = max(most, 1)
			}
		}
		for number, count := range v.repeats {
			if count > most && v.RunOf(number).CouponID == couponNumber {
				most = count
			}
		}
		return most
	})
}

// CountRedemptions counts redemptions of a code, or of a coupon's own when code is 0; a negative
// number takes them back.
func (c Change) CountRedemptions(couponNumber, code int64, by int) {
	if code == 0 {
		c.noteCoupon(couponNumber)
		c.coupons[couponNumber].redeemed += by
		return
	}
	if by < 0 {
		c.codes.setReversed(code)
	}
	count := c.RedeemCount(code) + by
	delete(c.repeats, code)
	if count > 1 {
		c.repeats[code] = count
	}
	state := c.codes.state(code) &^ coupon.StateRedeemed
	if count > 0 {
		state |= coupon.StateRedeemed
	}
	c.setState(code, state)
}
