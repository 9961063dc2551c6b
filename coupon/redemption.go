package coupon

import (
	"strings"
	"time"
)

// RedemptionSource says how a redemption became known.
type RedemptionSource string

// The sources.
const (
	SourceAPI    RedemptionSource = "API"
	SourceImport RedemptionSource = "IMPORT"
)

// SourceOfFile returns the source of a redemption of a file: what the server wrote when it exported one that redeemCode decided
// about. Other words, which other systems have for ways of their own, say nothing of that.
func SourceOfFile(text string) RedemptionSource {
	if RedemptionSource(text) == SourceAPI {
		return SourceAPI
	}
	return SourceImport
}

// RedemptionAnomaly says why redeemCode would have refused what a file reports.
type RedemptionAnomaly string

// The anomalies.
const (
	AnomalyNotAssigned      RedemptionAnomaly = "NOT_ASSIGNED"
	AnomalyBeforeAssignment RedemptionAnomaly = "BEFORE_ASSIGNMENT"
	AnomalyOutsideValidity  RedemptionAnomaly = "OUTSIDE_VALIDITY"
	AnomalyVoided           RedemptionAnomaly = "VOIDED"
)

// Redemption is the fact that a code was used.
type Redemption struct {
	ID       ID
	CouponID ID
	// CodeID is nil for the code of an anonymous coupon.
	CodeID *ID
	// CodeValue is the code as it was given; empty where that was not read.
	CodeValue  string
	RedeemedAt time.Time
	Source     RedemptionSource
	Reference  *string
	Amount     *Decimal
	Currency   *string
	// Store is where the code was used and Customer by whom, as the shop names them. Customer is personal data.
	Store      *string
	Customer   *string
	ReversedAt *time.Time
	Anomalies  []RedemptionAnomaly
}

// ReversalTime is how long after it was recorded a till takes its own redemption back: a customer who thinks again, a cashier who
// mistyped. What comes later, such as goods that are returned, is for those who see whose redemption it is.
const ReversalTime = 24 * time.Hour

// ReferencedReversalTime is the same for one that the till names by its reference, as for an order that is canceled: ids can be
// counted through, and references are known to who gave them.
const ReferencedReversalTime = 90 * 24 * time.Hour

// MayReverse reports whether the caller may take a redemption back at an instant, by whom and when it was recorded, when a till may
// within a time.
func (c *Caller) MayReverse(recordedBy string, recordedAt, now time.Time, within time.Duration) bool {
	return c.Role != RoleRedeemer || recordedBy == c.Name && now.Sub(recordedAt) <= within
}

// RedeemRequest asks to redeem a code now, or at an instant that just passed.
type RedeemRequest struct {
	// Caller is the name of who asks, "" where nobody was asked for.
	Caller         string
	Value          string
	RedeemedAt     *time.Time
	Reference      *string
	Amount         *Decimal
	Currency       *string
	Store          *string
	Customer       *string
	IdempotencyKey *string
}

// MaxRedemptions is how many codes one request redeems.
const MaxRedemptions = 10_000

// ClockTolerance is how far in the future a shop's clock may be when it redeems.
const ClockTolerance = 5 * time.Minute

// Check cleans the request, so that what is kept, answered and compared is one form of it, and checks what does not depend on the
// code. It returns UserErrors with INVALID.
func (r *RedeemRequest) Check(now time.Time) error {
	var problems UserErrors
	for _, text := range []struct {
		field string
		value **string
	}{{"reference", &r.Reference}, {"store", &r.Store}, {"customer", &r.Customer}, {"idempotencyKey", &r.IdempotencyKey}} {
		if *text.value == nil {
			continue
		}
		clean, reason := CheckReference(**text.value)
		if reason != "" || clean == "" {
			invalidf(&problems, text.field, "%s must have 1 to %d characters and no control characters.", text.field, MaxTextLength)
		}
		*text.value = &clean
	}
	if r.Amount != nil {
		amount, err := ParseDecimal(string(*r.Amount))
		if err != nil {
			invalidf(&problems, "amount", "%s.", err)
		}
		r.Amount = &amount
	}
	if r.Currency != nil {
		code := strings.ToUpper(CleanReference(*r.Currency))
		if !IsCurrency(code) {
			invalidf(&problems, "currency", "%q is not a currency. Use the three letters of ISO 4217, such as EUR.", Printable(*r.Currency))
		}
		r.Currency = &code
	}
	if r.RedeemedAt != nil && r.RedeemedAt.After(now.Add(ClockTolerance)) {
		invalidf(&problems, "redeemedAt", "The redemption lies in the future.")
	}
	return problems.OrNil()
}

// IsCurrency reports whether the text has the form of an ISO 4217 code: three capital letters.
func IsCurrency(text string) bool {
	if len(text) != 3 {
		return false
	}
	for i := range len(text) {
		if text[i] < 'A' || text[i] > 'Z' {
			return false
		}
	}
	return true
}
