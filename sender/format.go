package sender

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"mime/quotedprintable"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"couponql/coupon"
)

// sender stands in the header From and in the separator of the mailbox. It is nobody's address: the
// outbox sends nothing.
const sender = "couponql@localhost"

// The lengths of lines, in bytes without the line break, that RFC 5322 and RFC 2047 allow.
const (
	maxLine        = 998
	maxPlainHeader = 64 // a subject that is this long fits one line of 78 characters
	maxWordBytes   = 45 // makes an encoded word of 72 characters
)

// writeMail appends a message to a mailbox's text.
func writeMail(text []byte, message *coupon.OutgoingMessage, sentAt time.Time) ([]byte, error) {
	sentAt = sentAt.UTC()
	text = append(text, "From "+sender+" "...)
	text = sentAt.AppendFormat(text, time.ANSIC)
	text = append(text, "\nFrom: couponql <"+sender+">\nTo: "...)
	text = append(text, headerText(message.Address)...)
	if message.Subject != "" {
		text = append(text, "\nSubject: "...)
		text = appendSubject(text, headerText(message.Subject))
	}
	text = append(text, "\nDate: "...)
	text = sentAt.AppendFormat(text, time.RFC1123Z)
	text = append(text, "\nMessage-ID: <"...)
	text = append(text, headerText(string(message.MessageID))...)
	text = append(text, "@couponql>\nMIME-Version: 1.0\nContent-Type: "...)
	if message.IsHTML {
		text = append(text, "text/html; charset=utf-8\n"...)
	} else {
		text = append(text, "text/plain; charset=utf-8\n"...)
	}
	body := message.Body
	if strings.Contains(body, "\r") {
		body = strings.ReplaceAll(strings.ReplaceAll(body, "\r\n", "\n"), "\r", "\n")
	}
	if isTransparent(body) {
		text = append(text, "Content-Transfer-Encoding: 8bit\n\n"...)
	} else {
		var err error
		if body, err = quotePrintable(body); err != nil {
			return nil, err
		}
		text = append(text, "Content-Transfer-Encoding: quoted-printable\n\n"...)
	}
	return appendBody(text, body), nil
}

// headerText makes a value safe to stand in one line of a header: without control characters nothing
// can begin another header.
func headerText(value string) string {
	if !strings.ContainsFunc(value, unicode.IsControl) {
		return value
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, value)
}

// appendSubject writes a subject as it is if it is short ASCII, and as encoded words of RFC 2047
// otherwise, each on a line of its own.
func appendSubject(text []byte, subject string) []byte {
	isPlain := len(subject) <= maxPlainHeader && !strings.Contains(subject, "=?")
	for i := 0; isPlain && i < len(subject); i++ {
		isPlain = subject[i] < utf8.RuneSelf
	}
	if isPlain {
		return append(text, subject...)
	}
	for start := 0; start < len(subject); {
		end := min(start+maxWordBytes, len(subject))
		for end < len(subject) && !utf8.RuneStart(subject[end]) && end > start+maxWordBytes-utf8.UTFMax {
			end-- // a word holds whole characters
		}
		if start > 0 {
			text = append(text, "\n "...)
		}
		text = append(text, "=?utf-8?b?"...)
		text = base64.StdEncoding.AppendEncode(text, []byte(subject[start:end]))
		text = append(text, "?="...)
		start = end
	}
	return text
}

// isTransparent reports whether a body can stand in a message as it is: no line is too long, and there
// is no NUL.
func isTransparent(body string) bool {
	if strings.IndexByte(body, 0) >= 0 {
		return false
	}
	for len(body) > maxLine {
		end := strings.LastIndexByte(body[:maxLine+1], '\n')
		if end < 0 {
			return false
		}
		body = body[end+1:]
	}
	return true
}

// quotePrintable encodes a body with the line breaks of a mailbox.
func quotePrintable(body string) (string, error) {
	var encoded strings.Builder
	writer := quotedprintable.NewWriter(&encoded)
	if _, err := writer.Write([]byte(body)); err != nil {
		return "", fmt.Errorf("encode body: %w", err)
	}
	if err := writer.Close(); err != nil {
		return "", fmt.Errorf("encode body: %w", err)
	}
	return strings.ReplaceAll(encoded.String(), "\r\n", "\n"), nil
}

// appendBody writes a body and the empty line behind it. A line that begins like a separator, after
// any number of >, gets one > more (mboxrd), which readers take away.
func appendBody(text []byte, body string) []byte {
	for len(body) > 0 {
		line := body
		if end := strings.IndexByte(body, '\n'); end >= 0 {
			line = body[:end+1]
		}
		if line[0] == 'F' || line[0] == '>' {
			if strings.HasPrefix(strings.TrimLeft(line, ">"), "From ") {
				text = append(text, '>')
			}
		}
		text = append(text, line...)
		body = body[len(line):]
	}
	if text[len(text)-1] != '\n' {
		text = append(text, '\n')
	}
	return append(text, '\n')
}

// line is one message in a .jsonl file.
type line struct {
	DeliveryID coupon.ID `json:"deliveryId"`
	MessageID  coupon.ID `json:"messageId"`
	Recipient  string    `json:"recipient"`
	Address    string    `json:"address"`
	Subject    string    `json:"subject,omitempty"`
	Code       string    `json:"code"`
	Body       string    `json:"body"`
}

// writeJSON appends a message as one line of JSON.
func writeJSON(text []byte, message *coupon.OutgoingMessage, _ time.Time) ([]byte, error) {
	buffer := bytes.NewBuffer(text)
	encoder := json.NewEncoder(buffer)
	encoder.SetEscapeHTML(false) // people read it
	err := encoder.Encode(line{
		DeliveryID: message.DeliveryID,
		MessageID:  message.MessageID,
		Recipient:  message.Recipient,
		Address:    message.Address,
		Subject:    message.Subject,
		Code:       message.Code,
		Body:       message.Body,
	})
	if err != nil {
		return nil, fmt.Errorf("encode message: %w", err)
	}
	return buffer.Bytes(), nil
}
