package coupon

import "time"

// CancelReason says why a message that was not handed over never will be.
type CancelReason string

// The reasons.
const (
	CancelDeliveryStopped  CancelReason = "DELIVERY_STOPPED"
	CancelErased           CancelReason = "ERASED"
	CancelNotContactable   CancelReason = "NOT_CONTACTABLE"
	CancelQuarantined      CancelReason = "QUARANTINED"
	CancelCodeReleased     CancelReason = "CODE_RELEASED"
	CancelCodeVoided       CancelReason = "CODE_VOIDED"
	CancelCodeRedeemed     CancelReason = "CODE_REDEEMED"
	CancelLimitReached     CancelReason = "LIMIT_REACHED"
	CancelCouponNotStarted CancelReason = "COUPON_NOT_STARTED"
	CancelCouponEnded      CancelReason = "COUPON_ENDED"
	CancelCouponArchived   CancelReason = "COUPON_ARCHIVED"
)

// CancelReasons returns all reasons in their order.
func CancelReasons() []CancelReason {
	return []CancelReason{
		CancelDeliveryStopped, CancelErased, CancelNotContactable, CancelQuarantined, CancelCodeReleased, CancelCodeVoided,
		CancelCodeRedeemed, CancelLimitReached, CancelCouponNotStarted, CancelCouponEnded, CancelCouponArchived,
	}
}

// Text says the same in a sentence.
func (r CancelReason) Text() string {
	switch r {
	case CancelDeliveryStopped:
		return "The delivery was stopped."
	case CancelErased:
		return "The recipient was erased."
	case CancelNotContactable:
		return "The recipient must not be contacted."
	case CancelQuarantined:
		return "The address is in quarantine."
	case CancelCodeReleased:
		return "The code went back to the pool."
	case CancelCodeVoided:
		return "The code was voided."
	case CancelCodeRedeemed:
		return "The code was redeemed already."
	case CancelLimitReached:
		return "The code was redeemed as often as it may be."
	case CancelCouponNotStarted:
		return "The coupon is not valid yet."
	case CancelCouponEnded:
		return "The coupon has ended."
	case CancelCouponArchived:
		return "The coupon is archived."
	}
	return ""
}

// CancelCount is how many messages were canceled for a reason.
type CancelCount struct {
	Reason CancelReason
	Count  int
}

// Situation is what holds of a message at the moment in which it may leave.
type Situation struct {
	Now time.Time
	// Delivery is where the delivery stands; "": a person asks for this message, whatever the delivery does.
	Delivery DeliveryStatus
	// Coupon is nil for a message without one. Code is that of the message, or the coupon's own one.
	Coupon *Coupon
	Code   Redeemability
	// IsReturned: the code of the message went back to the pool, and may be somebody else's.
	IsReturned bool

	IsErased, HasObjected, IsQuarantined bool
}

// MayLeave decides whether the message may be handed over now. If not, the reason says why it never may; without a
// reason it may later, and waits.
func (s *Situation) MayLeave() (may bool, never CancelReason) {
	switch {
	case s.IsErased:
		return false, CancelErased
	case s.Delivery == DeliveryStopped:
		return false, CancelDeliveryStopped
	case s.IsReturned:
		return false, CancelCodeReleased
	}
	if s.Coupon != nil {
		if reason := s.Coupon.forbids(s.Code, s.Now); reason != "" {
			return false, reason
		}
	}
	switch {
	case s.HasObjected:
		return false, CancelNotContactable
	case s.IsQuarantined:
		return false, CancelQuarantined
	}
	return s.Delivery == "" || s.Delivery == DeliveryInProgress, ""
}

// forbids returns the reason for which no message with a code of the coupon may leave: no till would take it, or the
// coupon was put away.
func (c *Coupon) forbids(code Redeemability, now time.Time) CancelReason {
	if c.ArchivedAt != nil {
		return CancelCouponArchived
	}
	if c.Type == TypeIndividual && !code.State.Has(StateAssigned) {
		return CancelCodeReleased
	}
	refusal := c.CheckRedemption(code, now)
	if refusal == nil {
		return ""
	}
	switch refusal.Code {
	case ErrorCodeAlreadyRedeemed:
		if c.Type == TypeAnonymous {
			return CancelLimitReached
		}
		return CancelCodeRedeemed
	case ErrorRedemptionLimitReached:
		return CancelLimitReached
	case ErrorCodeNotYetValid:
		return CancelCouponNotStarted
	case ErrorCodeExpired:
		return CancelCouponEnded
	default:
		return CancelCodeVoided
	}
}

// ForbidsAll returns the reason for which no message of the coupon may leave, whatever its code; redeemed is how often the
// coupon's own code was redeemed. "": there is none.
func (c *Coupon) ForbidsAll(redeemed int, now time.Time) CancelReason {
	code := Redeemability{State: StateAssigned}
	if c.Type == TypeAnonymous {
		code.Count = redeemed
	}
	return c.forbids(code, now)
}
