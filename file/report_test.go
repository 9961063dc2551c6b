package file

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"couponql/coupon"
)

// Reports as the products write them.
const (
	sesBounce = `{"notificationType":"Bounce","bounce":{"bounceType":"Permanent","bounceSubType":"General","bouncedRecipients":[
{"emailAddress":"ada@example.net","action":"failed","status":"5.1.1","diagnosticCode":"smtp; 550 5.1.1 user unknown"},
{"emailAddress":"bob@example.net"}],"timestamp":"2026-11-22T14:59:38.237Z","feedbackId":"0100","reportingMTA":"dns; a"},
"mail":{"timestamp":"2026-11-22T14:59:00.000Z","source":"shop@example.org","messageId":"0100-ses","destination":["ada@example.net","bob@example.net","eve@example.net"],
"headers":[{"name":"To","value":"ada@example.net"}],"commonHeaders":{"from":["shop@example.org"],"to":["ada@example.net"],"messageId":"<message_7@0af3.couponql>"}}}`
	sesComplaint = `{"eventType":"Complaint","complaint":{"complainedRecipients":[{"emailAddress":"ada@example.net"}],` +
		`"timestamp":"2026-11-22T14:59:38.237Z","complaintFeedbackType":"abuse"},
"mail":{"messageId":"0100-ses","destination":["ada@example.net"]}}`
	sesDelay = `{"eventType":"DeliveryDelay","deliveryDelay":{"timestamp":"2026-11-22T14:59:38.237Z","delayType":"TransientCommunicationFailure",
"delayedRecipients":[{"emailAddress":"ada@example.net","status":"4.4.1"}]},"mail":{"messageId":"0100-ses","destination":["ada@example.net"]}}`
	sesDelivery = `{"eventType":"Delivery","delivery":{"timestamp":"2026-11-22T14:59:38.237Z","recipients":["ada@example.net"],` +
		`"smtpResponse":"250 ok"},
"mail":{"messageId":"0100-ses","destination":["ada@example.net"]}}`
	sesOpen = `{"eventType":"Open","open":{"timestamp":"2026-11-22T14:59:38.237Z"},"mail":{"messageId":"0100-ses",` +
		`"destination":["ada@example.net"]}}`
	mailgun = `{"event":"failed","severity":"permanent","reason":"bounce","recipient":"ada@example.net","timestamp":1795359578.90823,` +
		`"delivery-status":{"code":550,"message":"No such user"},"message":{"headers":{"message-id":"20261122.1@mg.example.org"}},` +
		`"flags":{"is-routed":false}}`
	brevoEvent = `{"event":"soft_bounce","email":"ada@example.net","id":26224,"date":"2026-11-22 00:00:00","ts":1795359578,` +
		`"message-id":"<2017.57@relay.example.com>","ts_event":1795359578,"subject":"Hi"}`
)

// oneLine returns JSON without line ends.
func oneLine(text string) string { return strings.ReplaceAll(text, "\n", "") }

// quoted returns a text as a string of JSON.
func quoted(t *testing.T, text string) string {
	t.Helper()
	out, err := json.Marshal(text)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// readReports returns "line: whom kind at" of each row of a file of reports, or why it is none.
func readReports(t *testing.T, content string) (got []string, layout Layout) {
	t.Helper()
	columns := Columns(coupon.ImportBounces)
	place := func(name string) int {
		return slices.IndexFunc(columns, func(c Column) bool { return c.Name == name })
	}
	r, err := Open(write(t, []byte(content)), coupon.FileOptions{}, columns)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	reader := &coupon.BounceReader{Origin: "0af3", Now: now, Channel: coupon.ChannelEmail}
	dates := &coupon.FileDates{Zone: time.UTC, Now: now}
	for {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			return got, r.Layout()
		}
		if err != nil {
			t.Fatal(err)
		}
		if row.Reason != "" {
			got = append(got, fmt.Sprintf("%d: %s", row.Line, row.Reason))
			continue
		}
		get := func(name string) string { return row.Get(place(name)) }
		var at *time.Time
		if text := get("at"); text != "" {
			found, reason := dates.Parse(text)
			if reason != "" {
				t.Errorf("line %d: the date %q is %s", row.Line, text, reason)
			}
			at = &found
		}
		b, reason, value := reader.Read(&coupon.BounceText{
			MessageID: get("messageId"), Address: get("address"), Event: get("event"),
			Kind: get("kind"), Status: get("status"), Reason: get("reason"),
		}, at)
		whom := b.Address
		if b.MessageNumber != 0 {
			whom = fmt.Sprintf("message_%d", b.MessageNumber)
		}
		if reason != "" {
			got = append(got, fmt.Sprintf("%d: %s %s", row.Line, reason, value))
			continue
		}
		got = append(got,
			fmt.Sprintf("%d: %s %s %s", row.Line, whom, b.Kind, b.At.Format("02T15:04")))
	}
}

// TestReports reads what products that send mail report, as they write it.
func TestReports(t *testing.T) {
	t.Parallel()
	sns := func(message string) string {
		return `{"Type":"Notification","MessageId":"22b8","TopicArn":"arn",` +
			`"Message":` + quoted(t, message) +
			`,"Timestamp":"2026-11-23T10:00:00Z","Signature":"x"}`
	}
	tests := map[string]struct {
		content string
		want    []string
	}{
		"SES, over many lines": {content: "{\n" + sesBounce[1:], want: []string{
			"1: message_7 HARD 22T14:59", "2: message_7 HARD 22T14:59",
		}},
		"SES, one a line": {
			content: oneLine(sesComplaint) + "\n" + oneLine(sesDelay) + "\n" +
				oneLine(sesDelivery) + "\n" + oneLine(sesOpen),
			want: []string{
				"1: ada@example.net COMPLAINT 22T14:59",
				"2: ada@example.net SOFT 22T14:59",
				"3: ada@example.net DELIVERED 22T14:59",
				"4: NO_OUTCOME Open",
			},
		},
		"SES, lines behind a bounce of two": {
			content: oneLine(sesBounce) + "\n" + oneLine(sesComplaint) + "\n\n\n" +
				oneLine(sesOpen),
			want: []string{
				"1: message_7 HARD 22T14:59", "2: message_7 HARD 22T14:59",
				"3: ada@example.net COMPLAINT " +
					"22T14:59", "5: NO_OUTCOME Open",
			},
		},
		"SES, a complaint that is none": {
			content: oneLine(strings.Replace(sesComplaint, "abuse", "not-spam", 1)),
			want:    []string{"1: NO_OUTCOME not-spam"},
		},
		"SES, transient": {content: oneLine(
			strings.Replace(sesBounce, "Permanent", "Transient", 1),
		), want: []string{"1: message_7 SOFT " +
			"22T14:59", "2: message_7 SOFT 22T14:59"}},
		"SES, without headers": {
			content: oneLine(strings.Replace(sesBounce, `"commonHeaders"`, `"other"`, 1)),
			want: []string{
				"1: ada@example.net HARD 22T14:59", "2: bob@example.net HARD 22T14:59",
			},
		},
		"SES, to nobody": {
			content: oneLine(
				strings.Replace(sesComplaint, `[{"emailAddress":"ada@example.net"}]`, "[]", 1),
			),
			want: []string{"1: UNKNOWN_MESSAGE 0100-ses"},
		},
		"SNS": {
			content: sns(sesBounce) + "\n" + sns(oneLine(sesOpen)) + "\n" +
				sns("Successfully validated SNS topic."),
			want: []string{
				"1: message_7 HARD 22T14:59", "2: message_7 HARD 22T14:59", "3: NO_OUTCOME Open",
				"4: NO_OUTCOME Notification",
			},
		},
		"SQS": {
			content: `{"Messages":[{"MessageId":"1","Body":` + quoted(t, sns(sesComplaint)) +
				`},{"MessageId":"2",` +
				`"Body":` + quoted(t, sns(sesDelivery)) + `}]}`,
			want: []string{
				"1: ada@example.net COMPLAINT 22T14:59", "2: ada@example.net DELIVERED 22T14:59",
			},
		},
		"Lambda": {
			content: `{"Records":[{"EventSource":"aws:sns","Sns":` + sns(sesComplaint) + `}]}`,
			want: []string{"1: ada@example.net COMPLAINT " +
				"22T14:59"},
		},
		"EventBridge": {
			content: `{"version":"0","detail-type":"Email Complaint","time":"2026-11-23T10:00:00Z","detail":` + oneLine(sesComplaint) + `}`,
			want:    []string{"1: ada@example.net COMPLAINT 22T14:59"},
		},
		"Mailgun": {
			content: mailgun + "\n" + strings.Replace(mailgun, "permanent", "temporary", 1) + "\n" +
				strings.Replace(mailgun, `"failed"`, `"opened"`, 1),
			want: []string{
				"1: ada@example.net HARD 22T14:59", "2: ada@example.net SOFT 22T14:59",
				"3: NO_OUTCOME opened",
			},
		},
		"Mailgun, dropped for what was before": {
			content: strings.Replace(
				mailgun,
				`"bounce"`,
				`"suppress-bounce"`,
				1,
			) + "\n" + strings.Replace(
				mailgun,
				`"bounce"`,
				`"suppress-complaint"`,
				1,
			) + "\n" +
				strings.Replace(
					mailgun,
					`"bounce"`,
					`"suppress-unsubscribe"`,
					1,
				) + "\n" + strings.Replace(
				mailgun,
				`"bounce"`,
				`"old"`,
				1,
			),
			want: []string{
				"1: ada@example.net HARD 22T14:59", "2: ada@example.net COMPLAINT 22T14:59",
				"3: NO_OUTCOME " +
					"suppress-unsubscribe", "4: ada@example.net SOFT 22T14:59",
			},
		},
		"Mailgun, web hook": {
			content: `{"signature":{"timestamp":"1529006854","token":"a"},"event-data":` + mailgun +
				`}`, want: []string{"1: ada@example.net " +
				"HARD 22T14:59"},
		},
		"Mailgun, a page": {
			content: `{"items":[` + mailgun + `,` + mailgun +
				`],"paging":{"next":"https://api.example.com"}}`,
			want: []string{
				"1: ada@example.net HARD 22T14:59", "2: ada@example.net HARD 22T14:59",
			},
		},
		"Mailgun, list of bounces": {
			content: "address,code,error,created_at\nada@example.net,550,No such mailbox,\"Sun, 22 Nov 2026 14:59:38 " +
				"UTC\"\nbob@example.net,552,Full,2026-11-22T14:59:38Z\n",
			want: []string{"2: ada@example.net HARD 22T14:59", "3: bob@example.net SOFT 22T14:59"},
		},
		"SendGrid": {
			content: `[{"email":"ada@example.net","timestamp":1795359578,"smtp-id":"<14c5@ismtpd>","event":"bounce","category":["cat"],` +
				`"sg_event_id":"6g4Z","sg_message_id":"14c5","reason":"550 5.1.1 no","status":"5.1.1","type":"bounce"},
{"email":"bob@example.net","timestamp":1795359578,"event":"bounce","type":"blocked","reason":"550 5.7.1 policy","status":"5.7.1"},
{"email":"bob@example.net","timestamp":1795359579,"event":"spamreport"},{"email":"bob@example.net","timestamp":1795359578,"event":"processed"},
{"email":"bob@example.net","timestamp":1795359578,"event":"dropped","reason":"Bounced Address"},{"email":"eve@example.net","timestamp":1795359578,"event":"dropped","reason":"Unsubscribed Address"}]`,
			want: []string{
				"1: ada@example.net HARD 22T14:59", "2: bob@example.net SOFT 22T14:59",
				"3: bob@example.net COMPLAINT " +
					"22T14:59", "4: NO_OUTCOME processed",
				"5: bob@example.net HARD 22T14:59", "6: NO_OUTCOME Unsubscribed Address",
			},
		},
		"SendGrid, list of bounces": {
			content: "status,reason,email,created\n5.1.1,550 5.1.1 The email account does not exist,ada@example.net,1795359578\n4.0.0,Unable " +
				"to resolve MX,bob@example.net,1795359578\n",
			want: []string{"2: ada@example.net HARD 22T14:59", "3: bob@example.net SOFT 22T14:59"},
		},
		"Postmark": {
			content: `{"RecordType":"Bounce","ID":42,"Type":"HardBounce","TypeCode":1,"Name":"Hard bounce","MessageID":"883953f4",` +
				`"Metadata":{"a":"b"},"Description":"The server was unable","Details":"no","Email":"ada@example.net",` +
				`"From":"shop@example.org","BouncedAt":"2026-11-22T14:59:38.9070259Z","Inactive":true}
{"RecordType":"SpamComplaint","Type":"SpamComplaint","TypeCode":512,"MessageID":"883953f4","Email":"bob@example.net","BouncedAt":"2026-11-22T14:59:38Z"}
{"RecordType":"Delivery","MessageID":"883953f4","Recipient":"eve@example.net","DeliveredAt":"2026-11-22T14:59:38Z","Details":"250 ok"}
{"RecordType":"SubscriptionChange","MessageID":"883953f4","Recipient":"eve@example.net","ChangedAt":"2026-11-22T14:59:38Z","SuppressSending":true}`,
			want: []string{
				"1: ada@example.net HARD 22T14:59", "2: bob@example.net COMPLAINT 22T14:59",
				"3: eve@example.net DELIVERED " +
					"22T14:59", "4: NO_OUTCOME SubscriptionChange",
			},
		},
		"Postmark, a page": {
			content: `{"TotalCount":1,"Bounces":[{"ID":42,"Type":"SoftBounce","MessageID":"883953f4","Email":"ada@example.net",` +
				`"BouncedAt":"2026-11-22T14:59:38Z"}]}`,
			want: []string{"1: ada@example.net SOFT 22T14:59"},
		},
		"Mailjet": {
			content: `[{"event":"bounce","time":1795359578,"MessageID":13792286917004336,"email":"ada@example.net","blocked":true,` +
				`"hard_bounce":true,"error_related_to":"recipient","error":"user unknown"},
{"event":"bounce","time":1795359578,"MessageID":1379,"email":"bob@example.net","blocked":false,"hard_bounce":false,"error":"mailbox full"},
{"event":"blocked","time":1795359578,"email":"bob@example.net","error":"preblocked"},{"event":"spam","time":1795359578,"email":"eve@example.net","source":"JMRPP"},
{"event":"click","time":1795359578,"email":"eve@example.net"}]`,
			want: []string{
				"1: ada@example.net HARD 22T14:59", "2: bob@example.net SOFT 22T14:59",
				"3: bob@example.net SOFT " +
					"22T14:59", "4: eve@example.net COMPLAINT 22T14:59",
				"5: NO_OUTCOME click",
			},
		},
		"Brevo": {
			content: brevoEvent + "\n" + strings.Replace(
				brevoEvent,
				"soft_bounce",
				"hard_bounce",
				1,
			) + "\n" + strings.Replace(
				brevoEvent,
				"soft_bounce",
				"unique_opened",
				1,
			),
			want: []string{
				"1: ada@example.net SOFT 22T14:59", "2: ada@example.net HARD 22T14:59",
				"3: NO_OUTCOME unique_opened",
			},
		},
		"Brevo, its log": {
			content: "st_text;ts;sub;frm;email;tag;mid;link\nHard bounce;22-11-2026 " +
				"14:59:38;Hi;shop@example.org;ada@example.net;;<2017.57@relay.example.com>;\n" +
				"First opening;22-11-2026 14:59:38;Hi;shop@example.org;bob@example.net;;<2017.58@relay.example.com>;\n",
			want: []string{"2: ada@example.net HARD 22T14:59", "3: NO_OUTCOME First opening"},
		},
		"Resend": {
			content: `{"type":"email.bounced","created_at":"2026-11-22T14:59:38Z","data":{"email_id":"56761188",` +
				`"from":"Shop <shop@example.org>","to":["ada@example.net"],"bounce":{"message":"no such user","subType":"Suppressed",` +
				`"type":"Permanent"}}}` + "\n" +
				`{"type":"email.opened","created_at":"2026-11-22T14:59:38Z","data":{"email_id":"56761188","to":["ada@example.net"]}}`,
			want: []string{"1: ada@example.net HARD 22T14:59", "2: NO_OUTCOME email.opened"},
		},
		"Mandrill": {
			content: `[{"event":"hard_bounce","_id":"1","msg":{"ts":1795359578,"email":"ada@example.net","diag":"smtp;550 5.1.1",` +
				`"bounce_description":"bad_mailbox"},"ts":1795359578}]`,
			want: []string{"1: ada@example.net HARD 22T14:59"},
		},
		"an envelope of nothing": {
			content: brevoEvent + "\n" + `{"Records":[]}` + "\n" + `{"Message":"{\"a\":"}`,
			want: []string{"1: ada@example.net SOFT " +
				"22T14:59", "2: EMPTY ", "3: EMPTY "},
		},
		"too many recipients": {
			content: oneLine(
				sesDelivery,
			) + "\n" + oneLine(
				strings.Replace(sesDelivery, `"ada@example.net"`,
					`"ada@example.net"`+
						strings.Repeat(`,"bob@example.net"`, maxReportRecipients), 1),
			),
			want: []string{"1: ada@example.net DELIVERED 22T14:59", "2: EMPTY "},
		},
		"envelopes in envelopes": {
			content: brevoEvent + "\n" + strings.Repeat(`{"detail":`, 1000) + brevoEvent +
				strings.Repeat("}", 1000),
			want: []string{"1: ada@example.net SOFT 22T14:59", "2: EMPTY "},
		},
		"a line that is broken": {
			content: oneLine(sesComplaint) + "\n{\"eventType\":\n" + oneLine(sesDelivery),
			want: []string{"1: ada@example.net COMPLAINT " +
				"22T14:59", "2: MALFORMED", "3: ada@example.net DELIVERED 22T14:59"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, _ := readReports(t, test.content)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("reports (-want +got):\n%s", diff)
			}
		})
	}
}

// TestReportLayout tells by their paths which members were taken for what.
func TestReportLayout(t *testing.T) {
	t.Parallel()
	_, layout := readReports(t, oneLine(sesBounce))
	fields := map[string]string{}
	for i, name := range layout.Columns {
		if layout.Fields[i] != "" {
			fields[name] = layout.Fields[i]
		}
	}
	want := map[string]string{
		"notificationType": "event", "bounce.bounceType": "kind",
		"bounce.bouncedRecipients.emailAddress":   "address",
		"bounce.bouncedRecipients.status":         "status",
		"bounce.bouncedRecipients.diagnosticCode": "reason",
		"bounce.timestamp":                        "at",
		"mail.commonHeaders.messageId":            "messageId",
	}
	if diff := cmp.Diff(want, fields); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
}

// FuzzReports: no report makes the reader panic, and every line of objects is at least one row.
func FuzzReports(f *testing.F) {
	for _, seed := range []string{
		sesBounce, sesComplaint, sesDelay, sesDelivery, sesOpen, mailgun, brevoEvent,
		`{"Records":[{"Sns":{"Message":"{\"a\":[]}"}}]}`,
	} {
		f.Add([]byte(oneLine(seed)))
		f.Add([]byte("[" + seed + "]"))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		columns := Columns(coupon.ImportBounces)
		r, err := Open(write(t, content),
			coupon.FileOptions{Encoding: new("utf-8"), Format: new(coupon.FormatJSONL)}, columns)
		if err != nil {
			if _, ok := errors.AsType[*coupon.UserError](err); !ok {
				t.Fatalf("got an internal error: %v", err)
			}
			return
		}
		defer func() { _ = r.Close() }()
		rows, line := 0, 0
		for {
			row, err := r.Next()
			if err != nil {
				if _, ok := errors.AsType[*coupon.UserError](err); !ok && !errors.Is(err, io.EOF) {
					t.Fatalf("got an internal error: %v", err)
				}
				if isDocument := r.rows.(*jsonRows).document != nil; errors.Is(err, io.EOF) &&
					!isDocument && rows < lines(content) {
					t.Errorf("%d rows of %d lines", rows, lines(content))
				}
				return
			}
			if row.Line <= line {
				t.Fatalf("line %d after line %d", row.Line, line)
			}
			rows, line = rows+1, row.Line
			checkRow(t, row, nil, len(r.Layout().Columns))
		}
	})
}

// lines counts the lines that are objects.
func lines(content []byte) (count int) {
	for line := range strings.FieldsFuncSeq(string(content),
		func(r rune) bool { return r == '\n' || r == '\r' }) {
		if strings.HasPrefix(line, "{") && json.Valid([]byte(line)) {
			count++
		}
	}
	return count
}
