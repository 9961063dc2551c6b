package coupon

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// DeliveryStatus is where a delivery stands.
type DeliveryStatus string

// The states of a delivery.
const (
	DeliveryEditing    DeliveryStatus = "EDITING"
	DeliveryReady      DeliveryStatus = "READY"
	DeliveryScheduled  DeliveryStatus = "SCHEDULED"
	DeliveryInProgress DeliveryStatus = "IN_PROGRESS"
	DeliveryPaused     DeliveryStatus = "PAUSED"
	DeliveryFinished   DeliveryStatus = "FINISHED"
	DeliveryStopped    DeliveryStatus = "STOPPED"
	DeliveryFailed     DeliveryStatus = "FAILED"
)

// DeliveryAction is something that a caller can do with a delivery.
type DeliveryAction string

// The actions.
const (
	ActionEdit    DeliveryAction = "edit"
	ActionDelete  DeliveryAction = "delete"
	ActionAnalyze DeliveryAction = "analyze"
	ActionConfirm DeliveryAction = "confirm"
	ActionPause   DeliveryAction = "pause"
	ActionResume  DeliveryAction = "resume"
	ActionStop    DeliveryAction = "stop"
)

// allowed is the life cycle: in which states an action may be taken.
func (a DeliveryAction) allowed() []DeliveryStatus {
	switch a {
	case ActionEdit, ActionDelete, ActionAnalyze:
		return []DeliveryStatus{DeliveryEditing, DeliveryReady}
	case ActionConfirm:
		return []DeliveryStatus{DeliveryReady}
	case ActionPause:
		return []DeliveryStatus{DeliveryInProgress}
	case ActionResume:
		return []DeliveryStatus{DeliveryPaused}
	case ActionStop:
		return []DeliveryStatus{
			DeliveryReady, DeliveryScheduled, DeliveryInProgress, DeliveryPaused,
		}
	}
	return nil
}

// isDone reports whether a delivery in this state already is where the action leads, so that
// repeating the action is harmless.
func (a DeliveryAction) isDone(status DeliveryStatus) bool {
	switch a {
	case ActionConfirm:
		return slices.Contains([]DeliveryStatus{
			DeliveryScheduled, DeliveryInProgress, DeliveryPaused, DeliveryFinished,
		}, status)
	case ActionPause:
		return status == DeliveryPaused
	case ActionResume:
		return status == DeliveryInProgress
	case ActionStop:
		return status == DeliveryStopped
	case ActionEdit, ActionDelete, ActionAnalyze:
	}
	return false
}

// allActions lists the actions in the order in which a delivery's life takes them.
func allActions() []DeliveryAction {
	return []DeliveryAction{
		ActionEdit, ActionDelete, ActionAnalyze, ActionConfirm, ActionPause,
		ActionResume, ActionStop,
	}
}

// Delivery is one sending to its targets.
type Delivery struct {
	ID           ID
	Label        string
	Channel      Channel
	CouponID     *ID
	Subject      *string
	Body         string
	MessageLimit *int
	MatchLabelTo *string
	ContactAt    *time.Time
	// SendRate is how many messages a second are handed over at most; nil: only the server's own
	// limit counts.
	SendRate *float64
	// AllowDuplicateAddresses and IgnoreQuarantine switch exclusions of the analysis off. That of a
	// person who objected cannot be.
	AllowDuplicateAddresses bool
	IgnoreQuarantine        bool
	// Reuse says what people get who have a code of the coupon.
	Reuse CodeReuse

	Status      DeliveryStatus
	TargetCount int
	Analysis    *Analysis
	Counts      MessageCounts
	// MessagesPerSecond and SecondsLeft are set by Estimate.
	MessagesPerSecond *float64
	SecondsLeft       *int
	CreatedAt         time.Time
	ConfirmedAt       *time.Time
	FinishedAt        *time.Time
}

// Check decides whether the action may be taken now. isDone: it was taken before, and there is
// nothing to do. It returns INVALID_STATE, naming the state and what is allowed in it.
func (d *Delivery) Check(action DeliveryAction) (isDone bool, err error) {
	if slices.Contains(action.allowed(), d.Status) {
		return false, nil
	}
	if action.isDone(d.Status) {
		return true, nil
	}
	var possible []string
	for _, other := range allActions() {
		if slices.Contains(other.allowed(), d.Status) {
			possible = append(possible, string(other))
		}
	}
	rest := "nothing can be done with it any more"
	if len(possible) > 0 {
		rest = "what is possible now: " + strings.Join(possible, ", ")
	}
	hint := ""
	if action == ActionConfirm && d.Status == DeliveryEditing {
		hint = " Analyze it first."
	}
	return false, Errorf(ErrorInvalidState, "The delivery %q is %s, so you cannot %s it; %s.%s",
		d.Label, d.Status, action, rest, hint)
}

// Resumed returns what a paused delivery is when it goes on: one that a restored database had
// paused before its contact time waits for that.
func (d *Delivery) Resumed(now time.Time) DeliveryStatus {
	if d.ContactAt != nil && d.ContactAt.After(now) {
		return DeliveryScheduled
	}
	return DeliveryInProgress
}

// Limits of a delivery's texts.
const (
	// MaxSubjectLength is in characters: the longest line of RFC 5322.
	MaxSubjectLength = 998
	// MaxBodyBytes is the size of the largest body.
	MaxBodyBytes = 1 << 20
)

// Limits of a delivery's own rate, in messages a second. The lowest is about one message an hour.
const (
	MinSendRate = 0.0003
	MaxSendRate = 1_000_000
)

// CodeReuse says what a delivery gives to people who have a code of its coupon.
type CodeReuse string

// What they get.
const (
	ReuseNewCode     CodeReuse = "NEW_CODE"
	ReuseSameCode    CodeReuse = "SAME_CODE"
	ReuseSkipHolders CodeReuse = "SKIP_HOLDERS"
)

// DeliveryFilter narrows a list of deliveries; what is nil or empty does not narrow.
type DeliveryFilter struct {
	Search  *string
	Channel *Channel
	From    *DateTime
	To      *DateTime
}

// DeliveryChanges is what a caller wants a delivery to be: for a new delivery everything, for an
// existing one only what is set.
type DeliveryChanges struct {
	Label        Change[string]
	Channel      Change[Channel]
	CouponID     Change[ID]
	Subject      Change[string]
	Body         Change[string]
	MessageLimit Change[int]
	MatchLabelTo Change[string]
	ContactAt    Change[DateTime]

	SendRate                Change[float64]
	AllowDuplicateAddresses Change[bool]
	IgnoreQuarantine        Change[bool]
	Reuse                   Change[CodeReuse]
}

// Apply makes the changes and checks every rule a delivery must keep by itself; zone is the
// coupon's, for a contact time without an offset. It returns UserErrors with INVALID, all of them
// at once.
func (d *Delivery) Apply(changes *DeliveryChanges, zone *time.Location) error {
	var problems UserErrors
	if changes.Label.IsSet {
		d.Label = required(changes.Label, "label", "The label of a delivery", &problems)
	}
	if changes.Channel.IsSet {
		d.Channel = ChannelEmail
		if changes.Channel.Value != nil {
			d.Channel = *changes.Channel.Value
		}
	}
	if changes.CouponID.IsSet {
		d.CouponID = changes.CouponID.Value
	}
	d.applyContent(changes, &problems)
	if changes.MessageLimit.IsSet {
		d.MessageLimit = changes.MessageLimit.Value
		switch {
		case d.MessageLimit == nil:
		case *d.MessageLimit < 0:
			invalidf(&problems, "messageLimit",
				"The message limit must not be negative; null or 0 means no limit.")
		case *d.MessageLimit > MaxCount:
			invalidf(&problems, "messageLimit",
				"The message limit must be at most %d; null or 0 means no limit.", MaxCount)
		}
	}
	if changes.MatchLabelTo.IsSet {
		d.MatchLabelTo = nil
		if changes.MatchLabelTo.Value != nil && *changes.MatchLabelTo.Value != "" {
			name := required(changes.MatchLabelTo, "matchLabelTo",
				"The name of the attribute", &problems)
			d.MatchLabelTo = &name
		}
	}
	if changes.ContactAt.IsSet {
		d.ContactAt = nil
		if changes.ContactAt.Value != nil {
			contactAt, err := changes.ContactAt.Value.Start(zone)
			if err != nil {
				invalidf(&problems, "contactAt", "%s.", err)
			}
			d.ContactAt = &contactAt
		}
	}
	d.applySending(changes, &problems)
	return problems.OrNil()
}

func (d *Delivery) applySending(changes *DeliveryChanges, problems *UserErrors) {
	if changes.SendRate.IsSet {
		d.SendRate = changes.SendRate.Value
		// The negation tells NaN, too.
		if d.SendRate != nil && !(*d.SendRate >= MinSendRate && *d.SendRate <= MaxSendRate) {
			invalidf(problems, "sendRate", "The rate must be %g to %d messages a second; null means only the server's own limit.",
				MinSendRate, MaxSendRate)
		}
	}
	if changes.AllowDuplicateAddresses.IsSet {
		d.AllowDuplicateAddresses = changes.AllowDuplicateAddresses.Value != nil &&
			*changes.AllowDuplicateAddresses.Value
	}
	if changes.IgnoreQuarantine.IsSet {
		d.IgnoreQuarantine = changes.IgnoreQuarantine.Value != nil &&
			*changes.IgnoreQuarantine.Value
	}
	if changes.Reuse.IsSet {
		d.Reuse = ReuseNewCode
		if changes.Reuse.Value != nil {
			d.Reuse = *changes.Reuse.Value
		}
	}
}

func (d *Delivery) applyContent(changes *DeliveryChanges, problems *UserErrors) {
	if changes.Subject.IsSet {
		d.Subject = changes.Subject.Value
		if d.Subject != nil && utf8.RuneCountInString(*d.Subject) > MaxSubjectLength {
			invalidf(problems, "subject", "The subject must have at most %d characters.",
				MaxSubjectLength)
		}
	}
	if changes.Body.IsSet {
		d.Body = ""
		if changes.Body.Value != nil {
			d.Body = *changes.Body.Value
		}
		switch {
		case strings.TrimSpace(d.Body) == "":
			invalidf(problems, "body", "The body must not be empty.")
		case len(d.Body) > MaxBodyBytes:
			invalidf(problems, "body", "The body must have at most %d bytes, not %d.", MaxBodyBytes,
				len(d.Body))
		}
	}
}

// Limit returns the largest number of messages, or 0 for no limit.
func (d *Delivery) Limit() int {
	if d.MessageLimit == nil {
		return 0
	}
	return *d.MessageLimit
}

// ContactTime is when the messages will reach their recipients: contactAt, but not in the past.
func (d *Delivery) ContactTime(now time.Time) time.Time {
	if d.ContactAt != nil && d.ContactAt.After(now) {
		return *d.ContactAt
	}
	return now
}

// RateLimit returns how many messages of the delivery are handed over a second at the most, where
// the server's own limit is all: the smaller of the two. 0: no limit.
func (d *Delivery) RateLimit(all float64) float64 {
	if d.SendRate == nil {
		return all
	}
	if all <= 0 {
		return *d.SendRate
	}
	return min(*d.SendRate, all)
}

// MessageStatus is where a message stands.
type MessageStatus string

// The states of a message. SENT means handed to the sender; UNKNOWN that it was handed over
// completely and nobody knows whether it was taken. Only PENDING changes by itself.
const (
	MessagePending  MessageStatus = "PENDING"
	MessageSent     MessageStatus = "SENT"
	MessageFailed   MessageStatus = "FAILED"
	MessageCanceled MessageStatus = "CANCELED"
	MessageUnknown  MessageStatus = "UNKNOWN"
)

// MessageCounts is where the messages of a delivery stand; the parts add up to Total.
type MessageCounts struct {
	// DeliveryID is set where their reasons are asked for.
	DeliveryID ID
	Pending    int
	Sent       int
	Failed     int
	Canceled   int
	Unknown    int
	Total      int
	// InFlight is how many of the pending ones a sender is busy with.
	InFlight int
}

// Message is one message of a confirmed delivery.
type Message struct {
	ID          ID
	DeliveryID  ID
	RecipientID ID
	Address     string
	CodeID      *ID
	// IsCodeRepeated: an earlier message gave the code to the recipient.
	IsCodeRepeated bool
	Status         MessageStatus
	Attempts       int
	CreatedAt      time.Time
	SentAt         *time.Time
	Failure        *string
	// CancelReason is set of a CANCELED message.
	CancelReason *CancelReason
	// Outcome is what was reported of it since, with when that was and what was said; nil: nothing.
	Outcome       *MessageOutcome
	OutcomeAt     *time.Time
	OutcomeReason *string
}
