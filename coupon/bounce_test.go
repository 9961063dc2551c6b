package coupon

import (
	"strings"
	"testing"
	"time"
)

// TestBounceWords reads the rows of the products of the field.
func TestBounceWords(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		event, kind, status string
		want                BounceKind
		reason              RejectionReason
	}{
		"our own":                {kind: "HARD", want: BounceHard},
		"our own, in lower case": {kind: "complaint", want: BounceComplaint},
		"SES permanent":          {event: "Bounce", kind: "Permanent", want: BounceHard},
		"SES transient":          {event: "Bounce", kind: "Transient", want: BounceSoft},
		"SES undetermined":       {event: "Bounce", kind: "Undetermined", want: BounceSoft},
		"SES complaint":          {event: "Complaint", kind: "", want: BounceComplaint},
		"SES delivery":           {event: "Delivery", want: BounceDelivered},
		"SES send":               {event: "Send", reason: RejectedNoOutcome},
		"SES delay": {
			event: "DeliveryDelay", kind: "MailboxFull", want: BounceSoft,
		},
		"SendGrid bounce": {
			event: "bounce", kind: "bounce", status: "5.1.1", want: BounceHard,
		},
		"SendGrid full mailbox": {
			event: "bounce", kind: "bounce", status: "5.2.2", want: BounceSoft,
		},
		"SendGrid block": {
			event: "bounce", kind: "blocked", status: "5.1.1", want: BounceSoft,
		},
		"SendGrid dropped":           {event: "dropped", want: BounceSoft},
		"SendGrid deferred":          {event: "deferred", want: BounceSoft},
		"SendGrid spamreport":        {event: "spamreport", want: BounceComplaint},
		"SendGrid delivered":         {event: "delivered", want: BounceDelivered},
		"SendGrid click":             {event: "click", reason: RejectedNoOutcome},
		"SendGrid's list of bounces": {status: "550", want: BounceHard},
		"Mailgun permanent":          {event: "failed", kind: "permanent", want: BounceHard},
		"Mailgun temporary":          {event: "failed", kind: "temporary", want: BounceSoft},
		"Mailgun complained":         {event: "complained", want: BounceComplaint},
		"Postmark hard":              {event: "Bounce", kind: "HardBounce", want: BounceHard},
		"Postmark bad address":       {event: "Bounce", kind: "BadEmailAddress", want: BounceHard},
		"Postmark soft":              {event: "Bounce", kind: "SoftBounce", want: BounceSoft},
		"Postmark spam": {
			event: "SpamComplaint", kind: "SpamComplaint", want: BounceComplaint,
		},
		"Postmark auto responder": {
			event: "Bounce", kind: "AutoResponder", reason: RejectedNoOutcome,
		},
		"Postmark DNS": {event: "Bounce", kind: "DnsError", want: BounceSoft},
		"Brevo":        {event: "hard_bounce", want: BounceHard},
		"Mandrill":     {event: "soft-bounce", want: BounceSoft},
		"SparkPost":    {kind: "spam_complaint", want: BounceComplaint},
		"Resend":       {kind: "email.delivery_delayed", want: BounceSoft},
		"Twilio":       {status: "undelivered", want: BounceSoft},
		"an event, whatever else": {
			event: "delivered", kind: "bounce", status: "5.1.1", want: BounceDelivered,
		},
		"it came back, not how":   {event: "bounce", want: BounceSoft},
		"code of a server":        {status: "550 5.1.1 no such user", want: BounceHard},
		"code for later":          {status: "421", want: BounceSoft},
		"enhanced code for later": {status: "4.4.1", want: BounceSoft},
		"switched off":            {status: "5.2.1", want: BounceHard},
		"sender's own address":    {status: "5.1.8", want: BounceSoft},
		"policy":                  {status: "5.7.1", want: BounceSoft},
		"taken":                   {status: "250 OK", want: BounceDelivered},
		"no code":                 {status: "5505", reason: RejectedBadKind},
		"unknown":                 {event: "launched", reason: RejectedBadKind},
		"nothing":                 {reason: RejectedEmpty},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			kind, reason, _ := (&BounceReader{}).kindOf(
				&BounceText{Event: test.event, Kind: test.kind, Status: test.status},
			)
			if kind != test.want || reason != test.reason {
				t.Errorf("got %q %q, want %q %q", kind, reason, test.want, test.reason)
			}
		})
	}
	t.Run("by default", func(t *testing.T) {
		t.Parallel()
		hard := &BounceReader{Kind: new(BounceHard)}
		for text, want := range map[BounceText]BounceKind{
			{}: BounceHard, {Event: "bounce"}: BounceHard, {Kind: "soft"}: BounceSoft,
			{Event: "delivered"}: BounceDelivered,
		} {
			if kind, reason, _ := hard.kindOf(&text); kind != want || reason != "" {
				t.Errorf("%+v: got %q %q, want %q", text, kind, reason, want)
			}
		}
		if _, reason, _ := hard.kindOf(&BounceText{Event: "launched"}); reason != RejectedBadKind {
			t.Errorf("an unknown word is %q", reason)
		}
	})
}

// TestBounceReader says whom a report is about: a message of this database, or else an address.
func TestBounceReader(t *testing.T) {
	t.Parallel()
	r := &BounceReader{
		Origin: "0af3", Now: instantOf(t, "2026-11-23T12:00:00Z"), Channel: ChannelEmail,
	}
	at := instantOf(t, "2026-11-22T12:00:00Z")
	tests := map[string]struct {
		messageID, address string
		channel            Channel
		number             int64
		want               string
		reason             RejectionReason
	}{
		"id":                       {messageID: "message_17", number: 17},
		"id with white space":      {messageID: " message_17\u200b", number: 17},
		"Message-ID":               {messageID: "<message_17@0af3.couponql>", number: 17},
		"Message-ID of the outbox": {messageID: "message_17@couponql", number: 17},
		"id and address": {
			messageID: "message_17", address: "ada@example.org", number: 17,
		},
		"of another database": {
			messageID: "<message_17@0af4.couponql>", address: "ada@example.org",
			reason: RejectedUnknownMessage,
		},
		"no number": {messageID: "message_0", reason: RejectedUnknownMessage},
		"of another kind": {
			messageID: "recipient_17", reason: RejectedUnknownMessage,
		},
		"of another system, with address": {
			messageID: "0100-ses", address: "ada@example.org", want: "ada@example.org",
		},
		"address with a name": {
			address: `"Lovelace, Ada" <ada@example.org>`, want: "ada@example.org",
		},
		"address of a notice": {
			address: "rfc822; ada@example.org", want: "ada@example.org",
		},
		"address of a notice, in angles": {
			address: "RFC822;<ada@example.org>", want: "ada@example.org",
		},
		"phone": {
			address: "+49 170 1", channel: ChannelSMS, want: "+49 170 1",
		},
		"no address": {address: "ada", reason: RejectedBadAddress},
		"two addresses": {
			address: "ada@example.org bob@example.org", reason: RejectedBadAddress,
		},
		"too long": {
			address: strings.Repeat("a", 255) + "@example.org", reason: RejectedTooLong,
		},
		"control character": {
			messageID: "message_1\x00", reason: RejectedBadCharacter,
		},
		"nothing": {reason: RejectedEmpty},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := Bounce{Kind: BounceHard, Channel: r.Channel, At: at, Reason: "550 no\r\nsuch user"}
			if test.channel != "" {
				b.Channel = test.channel
			}
			reason, _ := r.check(&b, test.messageID, test.address, true)
			if reason != test.reason || b.MessageNumber != test.number ||
				reason == "" && b.Address != test.want {
				t.Errorf("got %q, message %d, address %q; want %q, %d, %q", reason, b.MessageNumber,
					b.Address, test.reason, test.number, test.want)
			}
			if b.Reason != "550 no such user" {
				t.Errorf("the reason is %q", b.Reason)
			}
		})
	}
}

// TestBounceReaderTimes: what has no time happened now, but for what only its time tells from a
// repeat.
func TestBounceReaderTimes(t *testing.T) {
	t.Parallel()
	r := &BounceReader{Now: instantOf(t, "2026-11-23T12:00:00Z"), Channel: ChannelEmail}
	address := new("ada@example.org")
	tests := map[string]struct {
		kind   BounceKind
		id     *ID
		at     *DateTime
		want   string
		reason RejectionReason
	}{
		"hard, now": {kind: BounceHard, want: "2026-11-23T12:00:00Z"},
		"hard, then": {
			kind: BounceHard, at: new(DateTime("2026-11-22T10:00:00+02:00")),
			want: "2026-11-22T08:00:00Z",
		},
		"soft, then": {
			kind: BounceSoft, at: new(DateTime("2026-11-22")), want: "2026-11-22T00:00:00Z",
		},
		"soft of a message": {
			kind: BounceSoft, id: new(ID("message_1")), want: "2026-11-23T12:00:00Z",
		},
		"soft, now": {kind: BounceSoft, reason: RejectedEmpty},
		"no time": {
			kind: BounceHard, at: new(DateTime("soon")), reason: RejectedBadDate,
		},
		"in the future": {
			kind: BounceHard, at: new(DateTime("2026-11-25")), reason: RejectedFutureDate,
		},
		"in another time zone": {
			kind: BounceHard, at: new(DateTime("2026-11-24T11:00:00Z")),
			want: "2026-11-24T11:00:00Z",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, reason, _ := r.Check(
				&BounceInput{MessageID: test.id, Address: address, Kind: test.kind, At: test.at},
			)
			if reason != test.reason {
				t.Fatalf("got %q, want %q", reason, test.reason)
			}
			if got := b.At.Format(time.RFC3339); reason == "" && got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}
