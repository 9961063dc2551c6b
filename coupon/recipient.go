package coupon

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Channel is the way a message takes.
type Channel string

// The channels.
const (
	ChannelEmail      Channel = "EMAIL"
	ChannelSMS        Channel = "SMS"
	ChannelPush       Channel = "PUSH"
	ChannelDirectMail Channel = "DIRECT_MAIL"
)

// Recipient is a person that messages can be sent to.
type Recipient struct {
	ID            ID
	ExternalID    string
	Email         *string
	Phone         *string
	FirstName     *string
	LastName      *string
	Attributes    JSON
	IsContactable bool
	// ErasedAt is when all that was known of the person was erased; nil: it was not.
	ErasedAt *time.Time
}

// Erasure tells what erasing recipients came to.
type Erasure struct {
	// ErasedCount is how many were erased; those who were before are not counted.
	ErasedCount int
	// CanceledMessageCount is how many messages were still to be sent to them.
	CanceledMessageCount int
	// PendingMessageCount is how many messages to them were being handed over just then.
	PendingMessageCount int
	// ChangedRedemptionCount is of how many redemptions the customer was erased.
	ChangedRedemptionCount int
}

// erasedID is what an erased recipient's external id looks like: nobody else may have one, nor
// anything be known of it.
var erasedID = regexp.MustCompile(`^erased-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// RecipientChanges is what a caller knows of a recipient: a field that is not set is left alone for
// a recipient that exists, and empty for a new one.
type RecipientChanges struct {
	ExternalID string
	Email      Change[string]
	Phone      Change[string]
	FirstName  Change[string]
	LastName   Change[string]
	// Attributes replace those that a known recipient has, unless they are changes.
	Attributes Change[JSON]
	// AttributesAreChanges: attributes that are not among them stay. Removed has the names of those
	// that are removed.
	AttributesAreChanges bool
	Removed              []string
	// IsContactable, where it is set to nil, says neither yes nor no: a known recipient stays as it
	// is, and a new one is not contactable. Where it is not set a known recipient stays as it is
	// too, and a new one is contactable, unless others of its file say yes or no.
	IsContactable Change[bool]
}

// RemovedText returns the names of the attributes that are removed as a list in JSON; "" for none.
func (r *RecipientChanges) RemovedText() string {
	if len(r.Removed) == 0 {
		return ""
	}
	text, _ := json.Marshal(r.Removed) //nolint:errchkjson // texts can be encoded
	return string(text)
}

// GivesCountry reports whether the changes say which country the recipient has, or that it has
// none.
func (r *RecipientChanges) GivesCountry() bool {
	if !r.Attributes.IsSet {
		return false
	}
	return !r.AttributesAreChanges || slices.Contains(r.Removed, CountryAttribute) ||
		r.Attributes.Value != nil &&
			strings.Contains(string(*r.Attributes.Value), CountryAttribute) &&
			r.Attributes.Value.Text(CountryAttribute) != ""
}

// Limits of one request.
const (
	// MaxUpsertedRecipients is how many recipients one upsertRecipients takes.
	MaxUpsertedRecipients = 10_000
	// MaxErasedRecipients is how many recipients one eraseRecipients takes.
	MaxErasedRecipients = 10_000
)

// Clean trims every field and checks it. It gives the reason and the value of the first that cannot
// be kept, and its name in the schema; an empty text clears the field.
func (r *RecipientChanges) Clean() (reason RejectionReason, field, value string) {
	raw := r.ExternalID
	r.ExternalID, reason = CleanLabel(raw)
	if reason != "" {
		return reason, "externalId", raw
	}
	if r.ExternalID == "" {
		return RejectedEmpty, "externalId", raw
	}
	if _, isSigned, isLost := readScientific(r.ExternalID); isSigned && isLost {
		return RejectedRoundedNumber, "externalId", raw
	}
	if erasedID.MatchString(r.ExternalID) {
		return RejectedReserved, "externalId", raw
	}
	for _, text := range []struct {
		name   string
		change *Change[string]
	}{{"email", &r.Email}, {"phone", &r.Phone}, {"firstName", &r.FirstName}, {
		"lastName", &r.LastName,
	}} {
		if text.change.Value == nil {
			continue
		}
		raw := *text.change.Value
		clean, reason := CleanLabel(raw)
		if reason != "" {
			return reason, text.name, raw
		}
		if isScientific, _, _ := readScientific(clean); isScientific && text.name == "phone" {
			return RejectedRoundedNumber, text.name, raw
		}
		text.change.Value = &clean
		if clean == "" {
			text.change.Value = nil
		}
	}
	if len(r.RemovedText()) > MaxJSONBytes {
		return RejectedTooLong, "attributes", r.RemovedText()
	}
	if r.Attributes.Value != nil && len(*r.Attributes.Value) > MaxJSONBytes {
		return RejectedTooLong, "attributes", string(*r.Attributes.Value)
	}
	if r.Attributes.Value != nil && r.Attributes.Value.hasNUL() {
		return RejectedBadCharacter, "attributes", string(*r.Attributes.Value)
	}
	return "", "", ""
}
