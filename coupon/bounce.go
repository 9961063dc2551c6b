package coupon

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// BounceKind is what a report says that came of a message.
type BounceKind string

// The kinds of reports.
const (
	BounceSoft      BounceKind = "SOFT"      // it did not arrive; a later one may
	BounceDelivered BounceKind = "DELIVERED" // it arrived
	BounceHard      BounceKind = "HARD"      // it did not arrive, and none ever will
	BounceComplaint BounceKind = "COMPLAINT" // it arrived, and its recipient called it spam
)

// BounceKinds lists the kinds from what counts least to what counts most where several were reported of a message.
// An order of kinds and not of times: reports come late, twice and out of order. A mail that was delayed arrives at
// last, one that was taken can come back, and only what arrived can be complained about.
func BounceKinds() []BounceKind {
	return []BounceKind{BounceSoft, BounceDelivered, BounceHard, BounceComplaint}
}

// MessageOutcome is what came of a message after a sender took it, as far as it was reported.
type MessageOutcome string

// The outcomes, each for the kind of report that says it.
const (
	OutcomeSoftBounce MessageOutcome = "SOFT_BOUNCE"
	OutcomeDelivered  MessageOutcome = "DELIVERED"
	OutcomeHardBounce MessageOutcome = "HARD_BOUNCE"
	OutcomeComplaint  MessageOutcome = "COMPLAINT"
)

// When an address is not written to any more.
const (
	// DefaultSoftBounceLimit is how many soft bounces quarantine an address unless the server is set otherwise, and
	// MaxSoftBounceLimit the most that it may be set to.
	DefaultSoftBounceLimit = 3
	MaxSoftBounceLimit     = 100
	// SoftBounceWindow is how far back from the latest soft bounce of an address others count. What was DELIVERED
	// in between forgets those before it.
	SoftBounceWindow = 90 * 24 * time.Hour
	// MaxRecordedBounces is how many reports one recordBounces takes, and MaxLiftedAddresses how many addresses one
	// liftQuarantine.
	MaxRecordedBounces = 10_000
	MaxLiftedAddresses = 10_000
)

// DeliveryOutcomes counts the messages of a delivery by what was reported of them.
type DeliveryOutcomes struct {
	Delivered   int
	SoftBounced int
	HardBounced int
	Complained  int
	// Arrived is how many were sent and did not come back.
	Arrived int
}

// Quarantine is an address that is not written to any more.
type Quarantine struct {
	Channel Channel
	Address string
	// QuarantinedAt is since when.
	QuarantinedAt time.Time
	// Reason is HARD, SOFT or COMPLAINT: what counts most of what was reported.
	Reason BounceKind
	// BounceCount is how many bounces and complaints were reported since it was last lifted.
	BounceCount int
	// LastReason is what the latest of them said; nil: nothing.
	LastReason *string
}

// explain says in a sentence why the address is in quarantine.
func (q *Quarantine) explain() string {
	why := map[BounceKind]string{
		BounceHard: "a message came back for good", BounceSoft: "messages came back again and again", BounceComplaint: "a message was called spam",
	}[q.Reason]
	text := fmt.Sprintf("The address is in quarantine since %s, as %s", q.QuarantinedAt.UTC().Format(time.DateOnly), why)
	if q.LastReason != nil {
		text += ": " + strings.TrimSuffix(*q.LastReason, ".")
	}
	return text + "."
}

// BounceInput is a report as a caller gives it.
type BounceInput struct {
	MessageID *ID
	Address   *string
	Channel   *Channel
	Kind      BounceKind
	At        *DateTime
	Reason    *string
}

// Names returns what the report is about, as it was given.
func (in *BounceInput) Names() string {
	switch {
	case in.MessageID != nil && *in.MessageID != "":
		return string(*in.MessageID)
	case in.Address != nil:
		return *in.Address
	}
	return ""
}

// BounceRecord tells what recording reports came to: every one of them was recorded, repeated one that was before,
// or was rejected.
type BounceRecord struct {
	RecordedCount    int
	RepeatedCount    int
	QuarantinedCount int
	// PendingMessageCount is how many messages that are still to be sent go to these addresses.
	PendingMessageCount int
	Rejections          []*Rejection
}

// Bounce is a report that can be recorded, unless nobody knows its message.
type Bounce struct {
	// MessageNumber is that of the message; 0: of an address alone.
	MessageNumber int64
	Channel       Channel
	// Address is empty where the message has it.
	Address string
	Kind    BounceKind
	At      time.Time
	Reason  string
}

// BounceText is what a row of a file says, as it stands there.
type BounceText struct {
	MessageID, Address, Event, Kind, Status, Reason string
}

// Names returns what the row is about.
func (t *BounceText) Names() string {
	if t.MessageID != "" {
		return t.MessageID
	}
	return t.Address
}

// BounceReader reads reports.
type BounceReader struct {
	// Origin is the id of the database whose messages are meant.
	Origin string
	Now    time.Time
	// Channel is that of addresses which come without one, and Kind that of rows which say none; nil: they are rejected.
	Channel Channel
	Kind    *BounceKind
}

// messageIDPattern is how messages are named to others: by their id, or in a mail by its Message-ID, with the database that it
// comes from unless the outbox wrote it.
var messageIDPattern = regexp.MustCompile(`^(message_[1-9][0-9]*)$|^<?(message_[1-9][0-9]*)@(?:([0-9a-f-]+)\.)?couponql>?$`)

// messageNumber returns the number of the message that a text names; 0: it is no message of this database.
func (r *BounceReader) messageNumber(text string) int64 {
	m := messageIDPattern.FindStringSubmatch(text)
	if m == nil || m[3] != "" && m[3] != r.Origin {
		return 0
	}
	number, err := ID(m[1] + m[2]).Number(KindMessage)
	if err != nil {
		return 0
	}
	return number
}

// Check reads a report of a caller. It gives the reason to reject it, and the value at fault.
func (r *BounceReader) Check(in *BounceInput) (b Bounce, reason RejectionReason, value string) {
	b = Bounce{Kind: in.Kind, Channel: r.Channel, At: r.Now}
	if in.Channel != nil {
		b.Channel = *in.Channel
	}
	if in.At != nil {
		at, err := in.At.Start(time.UTC)
		if err != nil {
			return b, RejectedBadDate, string(*in.At)
		}
		if at.After(r.Now.Add(FutureTolerance)) {
			return b, RejectedFutureDate, string(*in.At)
		}
		b.At = at
	}
	messageID, address := "", ""
	if in.MessageID != nil {
		messageID = string(*in.MessageID)
	}
	if in.Address != nil {
		address = *in.Address
	}
	if in.Reason != nil {
		b.Reason = *in.Reason
	}
	reason, value = r.check(&b, messageID, address, in.At != nil)
	return b, reason, value
}

// Read reads a row of a file. at is its date, or nil.
func (r *BounceReader) Read(text *BounceText, at *time.Time) (b Bounce, reason RejectionReason, value string) {
	b = Bounce{Channel: r.Channel, At: r.Now, Reason: text.Reason}
	if at != nil {
		b.At = *at
	}
	if b.Kind, reason, value = r.kindOf(text); reason != "" {
		return b, reason, value
	}
	reason, value = r.check(&b, text.MessageID, text.Address, at != nil)
	return b, reason, value
}

// check settles whom a report is about. A message that other products named is known by the address beside it.
func (r *BounceReader) check(b *Bounce, messageID, address string, hasTime bool) (reason RejectionReason, value string) {
	b.Reason = oneLine(b.Reason)
	for _, text := range []*string{&messageID, &address} {
		clean, reason := CleanLabel(*text)
		if reason != "" {
			return reason, *text
		}
		*text = clean
	}
	b.MessageNumber = r.messageNumber(messageID)
	switch {
	case b.MessageNumber != 0:
		return "", ""
	case address == "" && messageID == "":
		return RejectedEmpty, ""
	case address == "":
		return RejectedUnknownMessage, messageID
	case messageIDPattern.MatchString(messageID):
		// A message of another database, or none of this one: its address may be of somebody else.
		return RejectedUnknownMessage, messageID
	}
	if b.Address = bareAddress(b.Channel, address); b.Address == "" {
		if strings.ContainsRune(address, '@') {
			// There may be an address in it, which nobody would find there when its owner is erased.
			address = ""
		}
		return RejectedBadAddress, address
	}
	if b.Kind == BounceSoft && !hasTime {
		// Nothing else tells a repeat from a second bounce.
		return RejectedEmpty, ""
	}
	return "", ""
}

// bareAddress returns an address without what reports put around it, such as `rfc822; <ada@example.com>`.
func bareAddress(channel Channel, text string) string {
	if channel != ChannelEmail {
		return text
	}
	if kind, rest, found := strings.Cut(text, ";"); found && strings.EqualFold(strings.TrimSpace(kind), "rfc822") {
		text = strings.TrimSpace(rest)
	}
	if begin := strings.LastIndexByte(text, '<'); begin >= 0 && strings.HasSuffix(text, ">") {
		text = text[begin+1 : len(text)-1]
	}
	if at := strings.LastIndexByte(text, '@'); at <= 0 || at == len(text)-1 || strings.ContainsAny(text, " <>") {
		return ""
	}
	return text
}
