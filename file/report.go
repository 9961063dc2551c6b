package file

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// Limits of a report. What is beyond them is one row, as it stands, and says nothing that is known.
const (
	// maxReportRecipients is how many recipients one report may name. SES has at most 50.
	maxReportRecipients = 100
	// maxReportDepth is how many envelopes may be around a report.
	maxReportDepth = 8
)

// reports takes the reports of products that send mail apart: each object of JSON becomes rows whose columns are paths,
// such as `bounce.bounceType`. It opens what is named here and nothing else, so that the columns of a file stay few.
type reports struct {
	// waiting are the objects that are still to be taken apart, the next one last, and how many envelopes are around each.
	waiting []wrapped
	// flat has the members that all rows of a report share; rows are what each of them has besides.
	flat []member
	rows [][]member
	// isRepeated says that the row is not the first one of its object.
	isRepeated bool
	count      int
	text       bytes.Buffer
}

type wrapped struct {
	object []byte
	depth  int
}

// member is a name and a value of an object, which is JSON.
type member struct {
	name  string
	value json.RawMessage
}

// envelopes are members that have the whole report, or a list of them: of SNS, SQS, Lambda, EventBridge, of the web
// hooks of Mailgun, and of the pages that the APIs of Mailgun, Postmark, Mailjet and Brevo answer. What is around
// them is about the way of the report, with dates and ids of its own.
var envelopes = []string{"Message", "Records", "Sns", "Messages", "Body", "body", "detail", "event-data", "items", "Bounces", "Data", "events"}

// openPaths are the objects whose members become columns.
var openPaths = []string{
	"bounce", "complaint", "delivery", "deliveryDelay", "reject", "mail", "mail.commonHeaders", // SES
	"delivery-status", "message", "message.headers", // Mailgun
	"data", "data.bounce", // Resend
	"msg", // Mandrill
}

// recipientPaths are the lists that name the recipients of a report. The last ones have all recipients of the message, and
// count where no other list says to whom it happened.
var (
	recipientPaths = []string{
		"bounce.bouncedRecipients", "complaint.complainedRecipients", "deliveryDelay.delayedRecipients", "delivery.recipients",
	}
	destinationPaths = []string{"mail.destination", "data.to"}
)

// begin starts with an object, which is valid JSON.
func (r *reports) begin(object []byte) {
	r.waiting = append(r.waiting[:0], wrapped{object: object})
	r.count = 0
}

// next returns the next row of the object that was begun.
func (r *reports) next() (flat []byte, isAny bool) {
	for len(r.rows) == 0 {
		if len(r.waiting) == 0 {
			return nil, false
		}
		one := r.waiting[len(r.waiting)-1]
		r.waiting = r.waiting[:len(r.waiting)-1]
		if !hasNested(one.object) {
			return r.give(one.object), true
		}
		members := membersOf(one.object)
		if inside, isEnvelope := unwrap(members); isEnvelope && one.depth < maxReportDepth {
			for _, object := range slices.Backward(inside) {
				r.waiting = append(r.waiting, wrapped{object, one.depth + 1})
			}
			continue
		}
		if !r.open(members) {
			return r.give(one.object), true
		}
	}
	row := r.rows[0]
	r.rows = r.rows[1:]
	return r.give(r.write(row)), true
}

func (r *reports) give(flat []byte) []byte {
	r.isRepeated = r.count > 0
	r.count++
	return flat
}

// hasNested reports whether an object may have another one in it, or a text that is one.
func hasNested(object []byte) bool {
	begin := bytes.IndexByte(object, '{') + 1
	return bytes.ContainsAny(object[begin:], "{[")
}

// membersOf returns the members of an object in their order; nil: it is none.
func membersOf(object []byte) (members []member) {
	decoder := json.NewDecoder(bytes.NewReader(object))
	if begin, err := decoder.Token(); err != nil || begin != json.Delim('{') {
		return nil
	}
	for decoder.More() {
		var m member
		name, err := decoder.Token()
		text, isText := name.(string)
		if err != nil || !isText || decoder.Decode(&m.value) != nil {
			return nil
		}
		m.name = text
		members = append(members, m)
	}
	return members
}

// unwrap returns the objects inside of an envelope, without those that are no objects. An envelope with none is a report.
func unwrap(members []member) (inside [][]byte, isEnvelope bool) {
	for _, m := range members {
		if !slices.Contains(envelopes, m.name) {
			continue
		}
		value := []byte(m.value)
		var text string
		if value[0] == '"' && json.Unmarshal(value, &text) == nil {
			value = []byte(strings.TrimSpace(text))
		}
		switch {
		case len(value) == 0 || !json.Valid(value):
		case value[0] == '{':
			return [][]byte{value}, true
		case value[0] == '[':
			for _, one := range elementsOf(value) {
				if one[0] == '{' {
					inside = append(inside, one)
				}
			}
			if len(inside) > 0 {
				return inside, true
			}
		}
	}
	return nil, false
}

func elementsOf(list []byte) (elements []json.RawMessage) {
	if json.Unmarshal(list, &elements) != nil {
		return nil
	}
	return elements
}

// open takes a report apart into rows, one for each of its recipients. It reports whether it could: a report of too many
// recipients is left as it is.
func (r *reports) open(members []member) bool {
	r.flat = r.flat[:0]
	var named, destinations [][]member
	isNamed, isSent := false, false
	var walk func(prefix string, members []member) bool
	walk = func(prefix string, members []member) bool {
		for _, m := range members {
			path := prefix + m.name
			list := slices.Contains(recipientPaths, path)
			switch {
			case m.value[0] == '[' && (list || slices.Contains(destinationPaths, path)):
				rows := recipientsOf(path, m.value)
				if len(rows) > maxReportRecipients {
					return false
				}
				if list {
					named, isNamed = append(named, rows...), true
				} else {
					destinations, isSent = append(destinations, rows...), true
				}
			case m.value[0] == '{' && slices.Contains(openPaths, path):
				if !walk(path+".", membersOf(m.value)) {
					return false
				}
			default:
				r.flat = append(r.flat, member{path, m.value})
			}
		}
		return true
	}
	if !walk("", members) {
		return false
	}
	switch {
	case isNamed:
		r.rows = named
	case isSent:
		r.rows = destinations
	}
	if len(r.rows) == 0 {
		r.rows = [][]member{nil}
	}
	return len(r.rows) <= maxReportRecipients
}

// recipientsOf returns the members of each recipient in a list: an address, or an object.
func recipientsOf(path string, list []byte) (recipients [][]member) {
	for _, one := range elementsOf(list) {
		if one[0] != '{' {
			recipients = append(recipients, []member{{path, one}})
			continue
		}
		inside := membersOf(one)
		for i := range inside {
			inside[i].name = path + "." + inside[i].name
		}
		recipients = append(recipients, inside)
	}
	return recipients
}

// write returns a row as an object of JSON.
func (r *reports) write(row []member) []byte {
	r.text.Reset()
	r.text.WriteByte('{')
	for _, m := range slices.Concat(r.flat, row) {
		if r.text.Len() > 1 {
			r.text.WriteByte(',')
		}
		name, err := json.Marshal(m.name)
		if err != nil {
			continue // A text can always be written.
		}
		r.text.Write(name)
		r.text.WriteByte(':')
		r.text.Write(m.value)
	}
	r.text.WriteByte('}')
	return r.text.Bytes()
}
