package sender_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"couponql/coupon"
	"couponql/sender"
)

var sentAt = time.Date(2026, 11, 3, 14, 13, 5, 0, time.FixedZone("", 3600))

func open(t testing.TB) (*sender.Outbox, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "outbox")
	o, err := sender.OpenOutbox(dir)
	if err != nil {
		t.Fatal(err)
	}
	return o, dir
}

// batch makes n messages, numbered from first.
func batch(channel coupon.Channel, first, n int) []coupon.OutgoingMessage {
	messages := make([]coupon.OutgoingMessage, n)
	for i := range messages {
		number := first + i
		messages[i] = coupon.OutgoingMessage{
			MessageID: coupon.NewID(coupon.KindMessage, int64(number)), DeliveryID: "delivery_1",
			Channel:   channel,
			Recipient: fmt.Sprintf("c-%d", number), Address: fmt.Sprintf("r%d@example.com", number),
			Code:    fmt.Sprintf("CODE%d", number),
			Subject: "Your code",
			Body:    strings.Repeat("<p>Some text of an ordinary mail, in paragraphs.</p>\n", 19),
			IsHTML:  true,
		}
	}
	return messages
}

// mustAppend appends a batch and gives the file's new size.
func mustAppend(
	t *testing.T, o *sender.Outbox, delivery coupon.ID, at int64, messages []coupon.OutgoingMessage,
) int64 {
	t.Helper()
	size, err := o.Append(delivery, at, messages, sentAt)
	if err != nil {
		t.Fatal(err)
	}
	return size
}

func read(t *testing.T, path ...string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

var (
	separator = regexp.MustCompile(
		`^From \S+ [A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}$`,
	)
	quoted = regexp.MustCompile(`^>+From `)
)

// readMailbox reads a mailbox as RFC 4155 and mboxrd say, and its messages with net/mail.
func readMailbox(t *testing.T, content string) []*mail.Message {
	t.Helper()
	var texts []*strings.Builder
	lines := bufio.NewScanner(strings.NewReader(content))
	lines.Buffer(nil, len(content)+1)
	for lines.Scan() {
		line := lines.Text()
		if separator.MatchString(line) {
			texts = append(texts, &strings.Builder{})
			continue
		}
		if strings.HasPrefix(line, "From ") || len(texts) == 0 {
			t.Fatalf("%q is no separator", line)
		}
		if quoted.MatchString(line) {
			line = line[1:]
		}
		texts[len(texts)-1].WriteString(line + "\n")
	}
	messages := make([]*mail.Message, len(texts))
	for i, text := range texts {
		one, isWhole := strings.CutSuffix(text.String(), "\n\n")
		if !isWhole {
			t.Fatalf("message %d does not end with an empty line: %q", i, text)
		}
		message, err := mail.ReadMessage(strings.NewReader(one + "\n"))
		if err != nil {
			t.Fatalf("message %d: %v", i, err)
		}
		messages[i] = message
	}
	return messages
}

// decodeBody undoes a message's transfer encoding.
func decodeBody(t *testing.T, message *mail.Message) string {
	t.Helper()
	reader := message.Body
	if message.Header.Get("Content-Transfer-Encoding") == "quoted-printable" {
		reader = quotedprintable.NewReader(reader)
	}
	body, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func TestMailbox(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, address, subject, body string
		isHTML                       bool
		wantSubject, wantBody        string // where they differ
	}{
		{name: "Plain", subject: "Your code", body: "Hello\nyou\n"},
		{name: "HTML", subject: "Your code", body: "<p>Hello</p>\n", isHTML: true},
		{name: "Umlauts", subject: "Grüße aus Köln – 20 % für Ärzte", body: "Grüße\n"},
		{name: "LongSubject", subject: strings.Repeat("Überlänge ", 99) + "🎾", body: "x\n"},
		{name: "LongWord", subject: strings.Repeat("x", 998), body: "x\n"},
		{name: "LongWords", subject: strings.Repeat("long words ", 30) + "x", body: "x\n"},
		{name: "LooksEncoded", subject: "=?utf-8?b?eA==?= and more", body: "x\n"},
		{name: "NoSubject", body: "x\n"},
		{name: "From", subject: "x", body: "From here\n>From there\n>>From x\nFrom\nFromage\n>>>\n From\nFrom couponql@localhost Tue Nov  3 13:13:05 2026\n"},
		{name: "Dots", subject: ".", body: ".\n..\n.x\n\n\n.\n"},
		{name: "NoLineBreakAtTheEnd", body: "Hello", wantBody: "Hello\n"},
		{name: "EmptyLinesAtTheEnd", body: "Hello\n\n\n"},
		{name: "Empty", body: ""},
		{name: "LineBreaks", body: "a\r\nb\rc\n", wantBody: "a\nb\nc\n"},
		{
			name: "LineOf998",
			body: strings.Repeat("x", 998) + "\n" + strings.Repeat("y", 998) + "\n",
		},
		{name: "LineOf999", body: "a\n" + strings.Repeat("x", 999) + "\nFrom x\n=20 ü\n"},
		{name: "LongLine", body: strings.Repeat("ü From ", 10_000) + "\n"},
		{name: "NUL", body: "a\x00b\n"},
		{
			name: "Injection", address: "a@example.com\r\nBcc: all@example.com",
			subject:     "x\r\n\r\nBcc: all@example.com\nFrom x\u0085",
			wantSubject: "x    Bcc: all@example.com From x ", body: "x\n",
		},
		{name: "UnicodeAddress", address: "jörg@köln.example", body: "x\n"},
	}
	o, dir := open(t)
	var messages []coupon.OutgoingMessage
	for i, test := range tests {
		address := "r@example.com"
		if test.address != "" {
			address = test.address
		}
		messages = append(messages, coupon.OutgoingMessage{
			MessageID: coupon.NewID(coupon.KindMessage, int64(i+1)), DeliveryID: "delivery_7",
			Channel: coupon.ChannelEmail,
			Address: address, Code: "SECRET", Subject: test.subject, Body: test.body,
			IsHTML: test.isHTML,
		})
	}
	size := mustAppend(t, o, "delivery_7", 0, messages)
	content := read(t, dir, "delivery_7.mbox")
	if int64(len(content)) != size || strings.Contains(content, "SECRET") ||
		strings.Contains(content, "\r") {
		t.Errorf("got a size of %d for %d bytes, a code outside of the bodies, or a CR", size,
			len(content))
	}
	for line := range strings.Lines(content) {
		if len(line) > 1000 {
			t.Errorf("a line has %d bytes: %.60q", len(line), line)
		}
	}
	got := readMailbox(t, content)
	if len(got) != len(tests) {
		t.Fatalf("got %d messages, want %d", len(got), len(tests))
	}
	for i, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			header := got[i].Header
			wantSubject, wantBody := test.subject, test.body
			if test.wantSubject != "" {
				wantSubject = test.wantSubject
			}
			if test.wantBody != "" {
				wantBody = test.wantBody
			}
			subject, err := new(mime.WordDecoder).DecodeHeader(header.Get("Subject"))
			if err != nil || strings.TrimSpace(subject) != strings.TrimSpace(wantSubject) {
				t.Errorf("got the subject %q, %v, want %q", subject, err, wantSubject)
			}
			if body := decodeBody(t, got[i]); body != wantBody {
				t.Errorf("got the body %.200q, want %.200q", body, wantBody)
			}
			want := map[string]string{
				"From": "couponql <couponql@localhost>", "Date": "Tue, 03 Nov 2026 13:13:05 +0000",
				"Mime-Version": "1.0", "Bcc": "",
				"Message-Id":   fmt.Sprintf("<message_%d@couponql>", i+1),
				"Content-Type": "text/plain; charset=utf-8",
			}
			if test.isHTML {
				want["Content-Type"] = "text/html; charset=utf-8"
			}
			for name, value := range want {
				if header.Get(name) != value {
					t.Errorf("got the header %s: %q, want %q", name, header.Get(name), value)
				}
			}
			for name := range header {
				if _, ok := want[name]; !ok && name != "To" && name != "Subject" &&
					name != "Content-Transfer-Encoding" {
					t.Errorf("got the header %s", name)
				}
			}
			if test.name == "Injection" {
				return // such an address is none
			}
			if to, err := header.AddressList("To"); err != nil ||
				to[0].Address != messages[i].Address {
				t.Errorf("got the header To: %q, %v, want %q", header.Get("To"), err,
					messages[i].Address)
			}
		})
	}
}

func TestLines(t *testing.T) {
	t.Parallel()
	o, dir := open(t)
	messages := batch(coupon.ChannelSMS, 1, 3)
	messages[0].Subject, messages[0].Body = "", "Grüße\r\n\x00\"<b>\u2028 20 %"
	messages[1].Code = ""
	mustAppend(t, o, "delivery_2", 0, messages)
	content := read(t, dir, "delivery_2.jsonl")
	lines := strings.Split(strings.TrimSuffix(content, "\n"), "\n")
	if len(lines) != len(messages) || !strings.Contains(lines[1], "<p>") {
		t.Fatalf("got %d lines, want %d with readable HTML: %s", len(lines), len(messages), content)
	}
	for i, line := range lines {
		want := map[string]any{
			"deliveryId": "delivery_1", "messageId": string(messages[i].MessageID),
			"recipient": messages[i].Recipient,
			"address":   messages[i].Address, "code": messages[i].Code, "body": messages[i].Body,
		}
		if messages[i].Subject != "" {
			want["subject"] = messages[i].Subject
		}
		var got map[string]any
		if err := json.Unmarshal([]byte(line), &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("line %d (-want +got):\n%s", i, diff)
		}
	}
}

func TestAppendCutsOffAnInterruptedBatch(t *testing.T) {
	t.Parallel()
	for _, channel := range []coupon.Channel{coupon.ChannelEmail, coupon.ChannelPush} {
		t.Run(string(channel), func(t *testing.T) {
			t.Parallel()
			o, dir := open(t)
			first, second := batch(channel, 1, 3), batch(channel, 4, 3)
			size := mustAppend(t, o, "delivery_1", 0, first)
			mustAppend(t, o, "delivery_1", size, second)
			path := filepath.Join(dir, "delivery_1.mbox")
			if channel != coupon.ChannelEmail {
				path = filepath.Join(dir, "delivery_1.jsonl")
			}
			want := read(t, path)
			// Whatever a killed process left behind the size that was committed, the batch is there
			// once.
			for _, left := range []string{
				want[size:], want[size : size+100], "", want[size:] + want[size:],
			} {
				if err := os.WriteFile(path, []byte(want[:size]+left), 0o600); err != nil {
					t.Fatal(err)
				}
				end := mustAppend(t, o, "delivery_1", size, second)
				if got := read(t, path); got != want || end != int64(len(want)) {
					t.Errorf("behind %d bytes left: got %d bytes and the size %d, want %d",
						len(left), len(got), end, len(want))
				}
			}
		})
	}
}

func TestAppendToAShorterFile(t *testing.T) {
	t.Parallel()
	o, dir := open(t)
	size := mustAppend(t, o, "delivery_1", 0, batch(coupon.ChannelEmail, 1, 5))
	path := filepath.Join(dir, "delivery_1.mbox")
	if err := os.Rename(path, path+".old"); err != nil {
		t.Fatal(err)
	}
	// The file was moved away: the next batch begins a new one.
	end := mustAppend(t, o, "delivery_1", size, batch(coupon.ChannelEmail, 6, 2))
	if got := readMailbox(t, read(t, path)); len(got) != 2 ||
		got[0].Header.Get("To") != "r6@example.com" {
		t.Errorf("got %d messages, want 2", len(got))
	}
	end2 := mustAppend(t, o, "delivery_1", size, batch(coupon.ChannelEmail, 8, 1))
	if got := readMailbox(t, read(t, path)); len(got) != 3 || end2 <= end {
		t.Errorf("got %d messages and the size %d, want 3 and more than %d", len(got), end2, end)
	}
}

func TestAppendNothing(t *testing.T) {
	t.Parallel()
	o, dir := open(t)
	if got := mustAppend(t, o, "delivery_1", 17, nil); got != 17 {
		t.Errorf("got the size %d, want 17", got)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 0 {
		t.Errorf("got %v, %v, want no files", files, err)
	}
}

func TestAppendErrors(t *testing.T) {
	t.Parallel()
	o, dir := open(t)
	for _, id := range []coupon.ID{
		"../delivery_1", "delivery_1/../x", "coupon_1", "", "delivery_01",
	} {
		if _, err := o.Append(id, 0, batch(coupon.ChannelEmail, 1, 1), sentAt); err == nil {
			t.Errorf("%q: got no error", id)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "delivery_1.mbox"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := o.Append("delivery_1", 0, batch(coupon.ChannelEmail, 1, 1), sentAt); err == nil || !strings.Contains(err.Error(), "delivery_1.mbox") {
		t.Errorf("got %v, want an error that names the file", err)
	}
}

// TestFolderIsMadeAgain removes the folder of an outbox between two batches.
func TestFolderIsMadeAgain(t *testing.T) {
	t.Parallel()
	o, dir := open(t)
	for range 2 {
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		if _, err := o.Append("delivery_1", 0, batch(coupon.ChannelEmail, 1, 1),
			sentAt); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(filepath.Join(dir, "delivery_1.mbox")); err != nil ||
			info.Size() == 0 {
			t.Errorf("the file is %v, %v", info, err)
		}
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("got %v, %v, want a folder of mode 0700", info, err)
	}
}

func TestOpen(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{file, filepath.Join(file, "below")} {
		if _, err := sender.OpenOutbox(path); err == nil || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: got %v, want an error that names it", path, err)
		}
	}
	created := filepath.Join(dir, "a", "b")
	for range 2 { // the second time it exists
		if _, err := sender.OpenOutbox(created); err != nil {
			t.Fatal(err)
		}
	}
	if info, err := os.Stat(created); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("got %v, %v, want a folder of mode 0700", info, err)
	}
}

func TestDeliveriesAtOnce(t *testing.T) {
	t.Parallel()
	o, dir := open(t)
	var all sync.WaitGroup
	for number := range 8 {
		all.Go(func() {
			id, at := coupon.NewID(coupon.KindDelivery, int64(number+1)), int64(0)
			for i := range 5 {
				var err error
				if at, err = o.Append(id, at, batch(coupon.ChannelEmail, number*1000+i*10, 10),
					sentAt); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	for number := range 8 {
		got := readMailbox(t, read(t, dir, fmt.Sprintf("delivery_%d.mbox", number+1)))
		if len(got) != 50 {
			t.Fatalf("delivery %d: got %d messages, want 50", number+1, len(got))
		}
		for i, message := range got {
			if want := fmt.Sprintf("r%d@example.com",
				number*1000+i); message.Header.Get("To") != want {
				t.Errorf("delivery %d: got a message to %s, want %s", number+1,
					message.Header.Get("To"), want)
			}
		}
	}
}

// FuzzMailbox writes two messages around a fuzzed one and expects to read three.
func FuzzMailbox(f *testing.F) {
	f.Add("r@example.com", "Grüße", "From x\n>From y\r\n.\n")
	f.Add("a\r\nBcc: b", "=?utf-8?q?x?=", strings.Repeat("x", 2000))
	f.Fuzz(func(t *testing.T, address, subject, body string) {
		messages := batch(coupon.ChannelEmail, 1, 3)
		messages[1].Address, messages[1].Subject, messages[1].Body = address, subject, body
		o, dir := open(t)
		mustAppend(t, o, "delivery_1", 0, messages)
		got := readMailbox(t, read(t, dir, "delivery_1.mbox"))
		if len(got) != 3 || got[2].Header.Get("To") != "r3@example.com" || len(got[1].Header) > 8 {
			t.Fatalf("got %d messages, %v", len(got), got)
		}
		if strings.Contains(body, "\r") {
			return
		}
		if decoded := decodeBody(t, got[1]); strings.TrimRight(decoded,
			"\n") != strings.TrimRight(body, "\n") {
			t.Errorf("got the body %q, want %q", decoded, body)
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	const batchSize = 1000
	for _, channel := range []coupon.Channel{coupon.ChannelEmail, coupon.ChannelSMS} {
		b.Run(string(channel), func(b *testing.B) {
			o, _ := open(b)
			messages, at := batch(channel, 1, batchSize), int64(0)
			for b.Loop() {
				var err error
				if at, err = o.Append("delivery_1", at, messages, sentAt); err != nil {
					b.Fatal(err)
				}
				if at > 1<<30 {
					at = 0 // keep the file small
				}
			}
			b.ReportMetric(float64(b.N)*batchSize/b.Elapsed().Seconds(), "messages/s")
		})
	}
}

// TestOutboxLeave writes what may leave, and nothing of the rest.
func TestOutboxLeave(t *testing.T) {
	t.Parallel()
	for _, extra := range []sender.Extra{"", sender.ExtraResent} {
		dir := t.TempDir()
		o, err := sender.OpenOutbox(dir)
		if err != nil {
			t.Fatal(err)
		}
		b := &sender.Batch{
			DeliveryID: "delivery_1", Messages: batch(coupon.ChannelSMS, 1, 4), At: sentAt,
			Extra: extra,
			Leave: func(place int) bool { return place%2 == 1 },
		}
		got, err := o.Send(t.Context(), b)
		if err != nil {
			t.Fatal(err)
		}
		withheld, taken := coupon.Attempt{Result: coupon.AttemptWithheld}, coupon.Attempt{
			Result: coupon.AttemptAccepted,
		}
		wantAttempts(t, got, []coupon.Attempt{withheld, taken, withheld, taken})
		name := "delivery_1.jsonl"
		if extra != "" {
			name = "delivery_1-resent.jsonl"
		}
		text := read(t, dir, name)
		for i, isThere := range []bool{false, true, false, true} {
			if strings.Contains(text, fmt.Sprintf("CODE%d", i+1)) != isThere {
				t.Errorf("message %d stands in %s: %t", i+1, name, !isThere)
			}
		}
		if extra == "" && b.OutboxSize != int64(len(text)) {
			t.Errorf("the size is %d, want %d", b.OutboxSize, len(text))
		}
	}
}
