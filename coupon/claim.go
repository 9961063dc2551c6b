package coupon

import (
	"time"
)

// MaxClaims is how many codes one request claims.
const MaxClaims = 10_000

// IfHeld says what a person gets who claims a code of a coupon and has one.
type IfHeld string

// The choices.
const (
	// IfHeldSame: the code that the person has, as long as it may be redeemed and never was.
	IfHeldSame IfHeld = "SAME"
	// IfHeldNew: another one.
	IfHeldNew IfHeld = "NEW"
)

// ClaimRequest asks for a code of a coupon for one person, now.
type ClaimRequest struct {
	// Caller is the name of who asks, to whom IdempotencyKey belongs.
	Caller string
	// CouponID or CouponCode names the coupon.
	CouponID   *ID
	CouponCode *string
	// Recipient is the person, who is added when nobody has the external id; one who is known stays
	// as known.
	Recipient *RecipientChanges
	// Label is the label that the code must have; nil: any.
	Label *string
	// Channel is how whoever asks will show the code; nil: not told.
	Channel        *Channel
	IfHeld         IfHeld
	IdempotencyKey *string
}

// Check cleans the request and checks what does not depend on the coupon. It returns UserErrors
// with INVALID.
func (r *ClaimRequest) Check() error {
	var problems UserErrors
	if (r.CouponID == nil) == (r.CouponCode == nil) {
		problems = append(problems, Errorf(ErrorInvalid,
			"Name the coupon: give couponId or couponCode, one of the two.").At("input"))
	}
	if reason, field, _ := r.Recipient.Clean(); reason != "" {
		problems = append(problems, Errorf(ErrorInvalid, "%s",
			reason.Message()).At("input", "recipient", field))
	}
	if r.Label != nil {
		clean, reason := CleanLabel(*r.Label)
		if reason != "" {
			invalidf(&problems, "label", "%s", reason.Message())
		}
		r.Label = &clean
	}
	if r.IdempotencyKey != nil {
		clean, reason := CheckReference(*r.IdempotencyKey)
		if reason != "" || clean == "" {
			invalidf(&problems, "idempotencyKey",
				"idempotencyKey must have 1 to %d characters and no control characters.",
				MaxTextLength)
		}
		r.IdempotencyKey = &clean
	}
	return problems.OrNil()
}

// CheckClaim decides whether codes of the coupon may be claimed at an instant. It returns
// INVALID_STATE, CODE_NOT_YET_VALID or CODE_EXPIRED, or nil.
func (c *Coupon) CheckClaim(at time.Time) *UserError {
	switch {
	case c.Type == TypeAnonymous:
		return Errorf(ErrorInvalidState,
			"The coupon %q is anonymous: everybody gets its own code %q, and nobody has to claim it.",
			c.Label, c.Code)
	case c.ArchivedAt != nil:
		return Errorf(ErrorInvalidState, "The coupon %q is archived and gives no codes away.",
			c.Label)
	case at.Before(c.StartsAt):
		return Errorf(ErrorCodeNotYetValid,
			"The coupon %q starts at %s. Its codes can be claimed from then on.", c.Label,
			c.StartsAt.Format(time.RFC3339))
	case c.HasEnded(at):
		return Errorf(ErrorCodeExpired, "The coupon %q ended at %s. Its codes are worth nothing.",
			c.Label, c.EndsAt.Format(time.RFC3339))
	}
	return nil
}

// Channels returns all channels.
func Channels() []Channel {
	return []Channel{ChannelEmail, ChannelSMS, ChannelPush, ChannelDirectMail}
}
