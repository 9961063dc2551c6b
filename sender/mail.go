package sender

import (
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"strings"

	gomail "github.com/wneessen/go-mail"

	"couponql/coupon"
)

// maxUnsubscribeLength is the length of the longest address in List-Unsubscribe, in bytes: a line
// of RFC 5322.
const maxUnsubscribeLength = 900

// compose makes the mail of a message. It is the same at every attempt, but for its date and the
// marks between its parts. An error says what is wrong with the message.
func (s *SMTP) compose(batch *Batch, message *coupon.OutgoingMessage) (*gomail.Msg, error) {
	to, err := mailbox(message.Address)
	if err != nil {
		return nil, err
	}
	m := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	m.FromMailAddress(s.from)
	m.ToMailAddress(to)
	m.SetMessageIDWithValue(fmt.Sprintf("%s@%s.couponql", message.MessageID, batch.Origin))
	m.SetDateWithValue(batch.At)
	if message.Subject != "" {
		// Without control characters nothing can begin another header.
		m.Subject(headerText(message.Subject))
	}
	if address := s.unsubscribeAddress(message); address != "" {
		m.SetGenHeaderPreformatted(gomail.HeaderListUnsubscribe, "<"+address+">")
		if strings.HasPrefix(address, "https:") {
			m.SetListUnsubscribePost()
		}
	}
	if message.IsHTML {
		m.SetBodyString(gomail.TypeTextPlain, plainText(message.Body))
		m.AddAlternativeString(gomail.TypeTextHTML, message.Body)
	} else {
		m.SetBodyString(gomail.TypeTextPlain, message.Body)
	}
	return m, nil
}

// mailbox returns an address of e-mail as it goes over the line. Messages that an earlier version
// wrote have it as it was given.
func mailbox(text string) (*mail.Address, error) {
	address, reason := coupon.Canonical(coupon.ChannelEmail, text, "")
	if reason != "" {
		return nil, errors.New(reason)
	}
	box, err := mail.ParseAddress(address.Send)
	if err != nil {
		return nil, fmt.Errorf("the address cannot be written: %w", err)
	}
	return box, nil
}

// senderOf returns the sender of mail, who may have a name.
func senderOf(text string) (*mail.Address, error) {
	named, err := mail.ParseAddress(text)
	if err != nil {
		return nil, fmt.Errorf("the sender of mail must be an address such as %q: %w",
			"Shop <shop@example.com>", err)
	}
	if strings.HasSuffix(named.Address, "@localhost") {
		// A server that is tried beside its mail server; no recipient is there.
		return named, nil
	}
	box, err := mailbox(named.Address)
	if err != nil {
		return nil, fmt.Errorf("the sender of mail, %q, cannot be an address: %w",
			named.Address, err)
	}
	box.Name = named.Name
	return box, nil
}

// The tokens of an unsubscribe address.
const (
	recipientToken = "{recipient}"
	deliveryToken  = "{delivery}"
)

// unsubscribeAddress fills in the template; a value cannot leave its place in the address. It is
// empty without a template, for messages that were written without the recipient's id, and when the
// address would be too long for a header.
func (s *SMTP) unsubscribeAddress(message *coupon.OutgoingMessage) string {
	if message.Recipient == "" && strings.Contains(s.unsubscribe, recipientToken) {
		return ""
	}
	address := strings.NewReplacer(
		recipientToken, escape(message.Recipient),
		deliveryToken, escape(string(message.DeliveryID)),
	).Replace(s.unsubscribe)
	if len(address) > maxUnsubscribeLength {
		return ""
	}
	return address
}

// escape makes a value safe in any part of an address: a space becomes %20, which a path and
// mailto: know too.
func escape(value string) string { return strings.ReplaceAll(url.QueryEscape(value), "+", "%20") }

// checkUnsubscribe refuses a template that makes no address.
func checkUnsubscribe(template string) error {
	if template == "" {
		return nil
	}
	filled := strings.NewReplacer(recipientToken, "r", deliveryToken, "d").Replace(template)
	address, err := url.Parse(filled)
	isWeb := err == nil && (address.Scheme == "https" || address.Scheme == "http") &&
		address.Host != ""
	isMail := err == nil && address.Scheme == "mailto" && strings.Contains(address.Opaque, "@")
	if !isWeb && !isMail || strings.ContainsAny(filled, "{}<> ") {
		return fmt.Errorf(
			"the unsubscribe address must be like https://example.com/leave?who=%s&which=%s or mailto:leave@example.com",
			recipientToken,
			deliveryToken,
		)
	}
	return nil
}
