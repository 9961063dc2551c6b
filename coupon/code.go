package coupon

import (
	"strings"
	"time"
)

// CodeStatus is where a code stands at an instant.
type CodeStatus string

// The states of a code. EXPIRED is derived from the clock, never written.
const (
	CodeAvailable CodeStatus = "AVAILABLE"
	CodeAssigned  CodeStatus = "ASSIGNED"
	CodeRedeemed  CodeStatus = "REDEEMED"
	CodeExpired   CodeStatus = "EXPIRED"
	CodeVoided    CodeStatus = "VOIDED"
)

// Code is one individual code of a coupon's pool.
type Code struct {
	ID       ID
	Value    string
	Label    *string
	CouponID ID
	ImportID *ID
	BatchID  ID
	AddedAt  time.Time
	// Status is where the code stood when it was read.
	Status CodeStatus
	// MessageID, DeliveryID, RecipientID, Channel and Address tell of the message that holds the
	// code now; nil when none does.
	MessageID   *ID
	DeliveryID  *ID
	RecipientID *ID
	Channel     *Channel
	Address     *string
	AssignedAt  *time.Time
	SentAt      *time.Time
	RedeemedAt  *time.Time
	VoidedAt    *time.Time
}

// CodeState is everything that happened to a code and still counts, as flags. The zero value is a
// code that nobody touched.
type CodeState uint8

// The flags of a CodeState.
const (
	StateAssigned CodeState = 1 << iota
	// StateSent: a message with the code was handed to a sender. It then never returns by itself.
	StateSent
	StateRedeemed
	StateVoided
	// StateGone: there is no code with this number (any more).
	StateGone
	// StateAddressed: an assigned code went to an address. It is known apart, since it is a text.
	StateAddressed

	// AnyState is everything that can happen to a code that exists.
	AnyState = StateAssigned | StateSent | StateRedeemed | StateVoided | StateAddressed
)

// Has reports whether any of the flags is set.
func (s CodeState) Has(flags CodeState) bool { return s&flags != 0 }

// Status tells where a code in this state stands when its coupon has or has not ended. What
// happened for good (redeemed, voided) outranks the clock, and the clock outranks an assignment.
func (s CodeState) Status(hasEnded bool) CodeStatus {
	switch {
	case s.Has(StateRedeemed):
		return CodeRedeemed
	case s.Has(StateVoided):
		return CodeVoided
	case hasEnded:
		return CodeExpired
	case s.Has(StateAssigned):
		return CodeAssigned
	default:
		return CodeAvailable
	}
}

// Redeemability is what the decision about a redemption must know of a code.
type Redeemability struct {
	// Value is the code as given, for the message.
	Value string
	State CodeState
	// Count is how often the code is redeemed and not reversed.
	Count int
}

// CheckRedemption decides whether a code of the coupon may be redeemed at an instant: the first
// reason that forbids it, in the order in which a shop can explain it, or nil. It returns
// CODE_ALREADY_REDEEMED or REDEMPTION_LIMIT_REACHED, CODE_VOIDED, CODE_NOT_YET_VALID, CODE_EXPIRED,
// CODE_NOT_ASSIGNED.
func (c *Coupon) CheckRedemption(code Redeemability, at time.Time) *UserError {
	limited := c.RedemptionLimit != nil && code.Count >= *c.RedemptionLimit
	switch {
	case limited && *c.RedemptionLimit == 1:
		return Errorf(ErrorCodeAlreadyRedeemed, "The code %q was already redeemed.", code.Value)
	case limited:
		return Errorf(ErrorRedemptionLimitReached,
			"The code %q was redeemed %d times, and may be redeemed no more often.",
			code.Value, code.Count)
	case code.State.Has(StateVoided):
		return Errorf(ErrorCodeVoided, "The code %q was voided.", code.Value)
	case at.Before(c.StartsAt):
		return Errorf(ErrorCodeNotYetValid, "The code %q is valid from %s.", code.Value,
			c.StartsAt.Format(time.RFC3339))
	case c.HasEnded(at):
		return Errorf(ErrorCodeExpired, "The code %q was valid until %s.", code.Value,
			c.EndsAt.Format(time.RFC3339))
	case c.Type == TypeIndividual && c.RequiresAssignment && !code.State.Has(StateAssigned):
		return Errorf(ErrorCodeNotAssigned, "The code %q was not given to anybody yet.", code.Value)
	}
	return nil
}

// CodeEventKind is what happened to a code.
type CodeEventKind string

// The kinds of events.
const (
	EventAdded    CodeEventKind = "ADDED"
	EventAssigned CodeEventKind = "ASSIGNED"
	EventSent     CodeEventKind = "SENT"
	EventUnknown  CodeEventKind = "UNKNOWN"
	EventBounced  CodeEventKind = "BOUNCED"
	EventReturned CodeEventKind = "RETURNED"
	EventRedeemed CodeEventKind = "REDEEMED"
	EventReversed CodeEventKind = "REVERSED"
	EventVoided   CodeEventKind = "VOIDED"
	// EventRestored: its voiding was taken back.
	EventRestored CodeEventKind = "RESTORED"
)

// CodeEvent is one thing that happened to a code.
type CodeEvent struct {
	At         time.Time
	Kind       CodeEventKind
	DeliveryID *ID
	Text       string
}

// CodeFilter narrows a list of codes; what is nil or empty does not narrow. Periods are half-open.
type CodeFilter struct {
	ImportID     *ID              `json:"importId,omitempty"`
	BatchID      *ID              `json:"batchId,omitempty"`
	Status       []CodeStatus     `json:"status,omitempty"`
	Label        []string         `json:"label,omitempty"`
	DeliveryID   *ID              `json:"deliveryId,omitempty"`
	Outcome      []MessageOutcome `json:"outcome,omitempty"`
	RecipientID  *ID              `json:"recipientId,omitempty"`
	ValuePrefix  *string          `json:"valuePrefix,omitempty"`
	AssignedFrom *DateTime        `json:"assignedFrom,omitempty"`
	AssignedTo   *DateTime        `json:"assignedTo,omitempty"`
	RedeemedFrom *DateTime        `json:"redeemedFrom,omitempty"`
	RedeemedTo   *DateTime        `json:"redeemedTo,omitempty"`
}

// NewCode is a code to add.
type NewCode struct {
	Value string
	Label *string
}

// Availability is where the codes of a coupon stand. Available + Held + Assigned + Redeemed +
// Expired + Voided = Total.
type Availability struct {
	Total     int
	Available int
	Held      int
	Assigned  int
	Redeemed  int
	Expired   int
	Voided    int
	ByLabel   []*LabelAvailability
	// Holds are the MaxHolds largest.
	Holds []*CodeHold
	IsLow bool
	// CouponID tells whose codes they are.
	CouponID ID
}

// CodeHold is the codes that are kept for a delivery, by number.
type CodeHold struct {
	DeliveryID ID
	Count      int
	EndsAt     time.Time
}

// MaxHolds is how many holds of a coupon are named, the largest first.
const MaxHolds = 20

// LabelAvailability is where the codes with one label stand.
type LabelAvailability struct {
	Label     string
	Total     int
	Available int
	Assigned  int
	Redeemed  int
}

// IsLow reports whether a pool of total codes with this many available has fallen below one of the
// coupon's thresholds. An anonymous coupon has no pool and is never low.
func (c *Coupon) IsLow(available, total int) bool {
	if c.Type == TypeAnonymous {
		return false
	}
	below := c.LowStockThreshold != nil && available < *c.LowStockThreshold
	// Dividing rounds 7 of 100 to the same number as the text 0.07 does; a product would lie above
	// 7.
	belowShare := c.LowStockShare != nil && total > 0 &&
		float64(available)/float64(total) < *c.LowStockShare
	return below || belowShare
}

// State returns the flags of what happened to the code.
func (c *Code) State() CodeState {
	var state CodeState
	if c.MessageID != nil {
		state |= StateAssigned
	}
	if c.Address != nil {
		state |= StateAddressed
	}
	if c.SentAt != nil {
		state |= StateSent
	}
	if c.RedeemedAt != nil {
		state |= StateRedeemed
	}
	if c.VoidedAt != nil {
		state |= StateVoided
	}
	return state
}

// CheckPool reports whether an import of this mode may change the coupon's codes. It returns
// INVALID_STATE when the coupon is anonymous, or archived and would get new codes.
func (c *Coupon) CheckPool(mode ImportMode) error {
	switch {
	case c.Type == TypeAnonymous:
		return Errorf(
			ErrorInvalidState,
			"The coupon %q is anonymous: everybody gets its own code %q, so it has no pool of codes.",
			c.Label,
			c.Code,
		).At("input", "couponId")
	case c.ArchivedAt != nil && mode != ImportVoid:
		return Errorf(ErrorInvalidState, "The coupon %q is archived and takes no new codes.",
			c.Label).At("input", "couponId")
	}
	return nil
}

// NewCodeEvent tells in a sentence what happened; detail is the file of an import, an address, an
// order, a reason or who asked for it, and store is where it was redeemed. Both may be empty.
func NewCodeEvent(
	at time.Time, kind CodeEventKind, deliveryID *ID, detail, store string,
) *CodeEvent {
	text := map[CodeEventKind]string{
		EventAdded: "Added to the pool", EventAssigned: "Given to a message",
		EventSent:    "Handed to the sender",
		EventUnknown: "Handed over and never answered", EventBounced: "Came back",
		EventReturned: "Returned to the pool", EventRedeemed: "Redeemed",
		EventReversed: "Redemption reversed", EventVoided: "Voided",
		EventRestored: "Not voided any more",
	}[kind]
	if detail != "" {
		joint := map[CodeEventKind]string{
			EventAdded: " by the import of ", EventAssigned: " to ", EventSent: " for ",
			EventUnknown: " for ", EventBounced: ": ", EventReturned: ": ",
			EventRedeemed: " with the reference ", EventReversed: ": ", EventVoided: ": ",
			EventRestored: ": undone by ",
		}[kind]
		if joint == ": " {
			detail = strings.TrimSuffix(detail, ".") // others write sentences
		}
		text += joint + detail
	}
	if store != "" {
		text += " at " + store
	}
	return &CodeEvent{At: at, Kind: kind, DeliveryID: deliveryID, Text: text + "."}
}
