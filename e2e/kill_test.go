package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/mail"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
)

const (
	killRounds = 2
	// killMessages is how many messages a delivery has; killSendRate makes their sending take some seconds, where
	// that is needed.
	killMessages = 1200
	killSendRate = "500"
	// mailConnections is of how many messages by SMTP a crash leaves open at most whether they arrived: one on each connection.
	mailConnections = 4
)

// moments are those at which the server is killed, in the middle of what they are called after.
var moments = map[string]func(*killed, *testing.T){
	"analysis": (*killed).duringAnalysis,
	"confirm":  (*killed).duringConfirm,
	"sending":  (*killed).duringSending,
	"pause":    (*killed).duringPause,
}

// TestKill kills the server at each moment of a delivery's life, sending to the outbox and by SMTP. After the new
// start the delivery goes on by itself: every message arrives once, with its own code. By SMTP it is UNKNOWN whether those arrived
// that were not answered yet at the kill, which are not sent again.
func TestKill(t *testing.T) {
	t.Parallel()
	for _, sender := range []string{"outbox", "SMTP"} {
		t.Run(sender, func(t *testing.T) {
			t.Parallel()
			k := &killed{dir: t.TempDir()}
			if sender == "SMTP" {
				k.mailbox = startMailbox(t)
				k.settings = []string{"--smtp-url", "smtp://" + k.mailbox.address + "?tls=off", "--mail-from", "shop@example.org"}
			}
			p := start(t, k.dir, k.settings...)
			var none json.RawMessage
			p.must(t, createCoupon, &none)
			var file strings.Builder
			file.WriteString("id,email\n")
			for i := range killMessages {
				fmt.Fprintf(&file, "r%d,r%d@example.org\n", i, i)
			}
			p.importFile(t, `importRecipients(input: {file: $file})`, file.String())
			p.stop(t, shutdownTimeout)
			for range killRounds {
				for name, kill := range moments {
					if t.Failed() {
						return
					}
					k.round(t, name, kill)
				}
			}
		})
	}
}

// killed is a server that is killed, with one delivery at a time.
type killed struct {
	dir      string
	settings []string
	// mailbox gets the mail; nil: the outbox.
	mailbox *mailbox

	p        *process
	rounds   int
	moment   string
	delivery string
	// isAnswered: what was asked for at the kill was answered.
	isAnswered bool
	// took is how long the last change took.
	took time.Duration
	// sent is how many messages were recorded as sent at most a moment before the kill, and unknown of how many nobody knows.
	sent, unknown int
}

// round makes a delivery, kills the server at a moment, and checks what became of the delivery.
func (k *killed) round(t *testing.T, moment string, kill func(*killed, *testing.T)) {
	t.Helper()
	k.rounds++
	k.moment, k.isAnswered, k.sent = moment, false, 0
	settings := k.settings
	if k.mailbox != nil || moment == "pause" {
		settings = append([]string{"--send-rate", killSendRate}, settings...)
	}
	k.p = start(t, k.dir, settings...)
	k.newDelivery(t)
	kill(k, t)
	k.p.kill(t)
	k.p = start(t, k.dir, k.settings...)
	k.goOn(t)
	k.check(t)
	k.p.stop(t, shutdownTimeout)
}

// newDelivery makes as many codes as there are recipients, and a delivery to all of these.
func (k *killed) newDelivery(t *testing.T) {
	t.Helper()
	var created struct {
		GenerateCodes  struct{ GeneratedCount int }
		CreateDelivery struct{ Delivery struct{ ID string } }
	}
	k.p.must(t, fmt.Sprintf(`mutation {
		generateCodes(input: {couponId: "coupon_1", count: %d, pattern: "S-%d-########"}) { generatedCount }
		createDelivery(input: {label: "Kill", couponId: "coupon_1", subject: "For you", body: "Code: {{ couponValue.code }}"}) {
			delivery { id }
		}
	}`, killMessages, k.rounds), &created)
	k.delivery = created.CreateDelivery.Delivery.ID
	var none json.RawMessage
	k.p.must(t, fmt.Sprintf(`mutation { addTargets(input: {deliveryId: %q, filter: {}}) { delivery { id } } }`, k.delivery), &none)
	if k.moment == "analysis" {
		return
	}
	k.change(t, "analyzeDelivery")
	if k.moment != "confirm" {
		k.change(t, "confirmDelivery")
	}
}

func (k *killed) mutation(name string) string {
	return fmt.Sprintf(`mutation { change: %s(input: {id: %q}) { delivery { status } userErrors { message } } }`, name, k.delivery)
}

// change does something with the delivery.
func (k *killed) change(t *testing.T, name string) {
	t.Helper()
	var changed struct {
		Change struct{ UserErrors []struct{ Message string } }
	}
	began := time.Now()
	k.p.must(t, k.mutation(name), &changed)
	k.took = time.Since(began)
	if problems := changed.Change.UserErrors; len(problems) > 0 {
		t.Fatalf("%s: %s", name, problems[0].Message)
	}
}

// during asks for something and kills the server before or just after it is done.
func (k *killed) during(t *testing.T, name string) {
	t.Helper()
	answered := make(chan bool)
	go func() {
		var changed struct {
			Change struct{ UserErrors []struct{ Message string } }
		}
		err := k.p.ask(t.Context(), k.mutation(name), nil, &changed)
		answered <- err == nil && len(changed.Change.UserErrors) == 0
	}()
	time.Sleep(rand.N(2 * max(k.took, 20*time.Millisecond)))
	k.p.kill(t)
	k.isAnswered = <-answered
}

func (k *killed) duringAnalysis(t *testing.T) { k.during(t, "analyzeDelivery") }

func (k *killed) duringConfirm(t *testing.T) { k.during(t, "confirmDelivery") }

func (k *killed) duringPause(t *testing.T) {
	k.waitSent(t, 1+rand.IntN(killMessages/2))
	k.during(t, "pauseDelivery")
}

// duringSending kills the server half-way: while it writes the outbox as fast as it can, or at the instant at which
// the mail server has taken a message and did not answer yet.
func (k *killed) duringSending(t *testing.T) {
	if k.mailbox == nil {
		time.Sleep(rand.N(150 * time.Millisecond))
		return
	}
	k.waitSent(t, 1)
	select {
	case <-k.mailbox.hold(rand.IntN(killMessages / 2)):
	case <-time.After(30 * time.Second):
		t.Fatalf("nothing arrives:\n%s", k.p.text())
	}
	k.p.kill(t)
	k.mailbox.letGo()
}

// sending is where a delivery stands.
type sending struct {
	Status            string
	Counts            struct{ Pending, Sent, Unknown, Total int }
	MessagesPerSecond *float64
}

func (k *killed) state(t *testing.T) sending {
	t.Helper()
	var read struct{ Delivery sending }
	k.p.must(t, fmt.Sprintf(`{ delivery(id: %q) { status counts { pending sent unknown total } messagesPerSecond } }`, k.delivery), &read)
	return read.Delivery
}

// waitSent waits until so many messages are sent.
func (k *killed) waitSent(t *testing.T, sent int) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); k.sent < sent; pause(t) {
		if time.Now().After(deadline) {
			t.Fatalf("%d messages of %s are sent after 30 seconds:\n%s", k.sent, k.delivery, k.p.text())
		}
		k.sent = k.state(t).Counts.Sent
	}
}

// goOn checks how the delivery stands after the new start, and does what a caller does who got no answer. Nobody
// has to do anything for what was confirmed and is not paused.
func (k *killed) goOn(t *testing.T) {
	t.Helper()
	got := k.state(t)
	switch status := got.Status; {
	case k.moment == "analysis" && status == "EDITING" && !k.isAnswered:
		k.change(t, "analyzeDelivery")
		k.change(t, "confirmDelivery")
	case k.moment == "analysis" && status == "READY":
		k.change(t, "confirmDelivery")
	case k.moment == "confirm" && status == "READY" && !k.isAnswered:
		if got.Counts.Total != 0 {
			t.Errorf("%s is not confirmed and has messages: %+v", k.delivery, got)
		}
		k.change(t, "confirmDelivery")
	case k.moment == "pause" && status == "PAUSED":
		if got.MessagesPerSecond != nil {
			t.Errorf("%s is paused: %+v", k.delivery, got)
		}
		if again := k.state(t); again.Counts != got.Counts {
			t.Errorf("%s is paused, and %+v became %+v", k.delivery, got, again)
		}
		k.change(t, "resumeDelivery")
	case (k.moment == "confirm" || k.moment == "sending" || !k.isAnswered && k.moment == "pause") &&
		(status == "IN_PROGRESS" || status == "FINISHED"):
	default:
		t.Fatalf("killed during %s (answered: %t), %s is %s", k.moment, k.isAnswered, k.delivery, status)
	}
	if got.Counts.Sent < k.sent {
		t.Errorf("%d messages of %s were sent, and %d after the new start", k.sent, k.delivery, got.Counts.Sent)
	}
	for deadline := time.Now().Add(30 * time.Second); got.Status != "FINISHED"; pause(t) {
		if time.Now().After(deadline) {
			t.Fatalf("killed during %s, %s does not go on: %+v\n%s", k.moment, k.delivery, got, k.p.text())
		}
		got = k.state(t)
	}
	k.unknown = got.Counts.Unknown
	most := 0
	if k.mailbox != nil {
		most = mailConnections
	}
	if got.Counts.Sent+k.unknown != killMessages || k.unknown > most {
		t.Errorf("killed during %s, %s ended with %+v", k.moment, k.delivery, got)
	}
}

// arrival is what arrived of one message.
type arrival struct {
	code  string
	times int
}

// check fails the test unless each message arrived with its code, as often as it may, and the database is sound.
func (k *killed) check(t *testing.T) {
	t.Helper()
	k.p.checkSound(t)
	arrived, codes := k.arrived(t), k.codes(t)
	if len(arrived) < killMessages-k.unknown || len(codes) != killMessages {
		t.Errorf("killed during %s: %d messages of %s arrived, %d may have, and %d have codes", k.moment, len(arrived), k.delivery, k.unknown, len(codes))
	}
	holders := map[string]int{}
	twice := 0
	for number, a := range arrived {
		if a.code != codes[number] || a.code == "" || holders[a.code] != 0 {
			t.Errorf("message_%d arrived with the code %q of message_%d, and should have %q", number, a.code, holders[a.code], codes[number])
		}
		holders[a.code] = number
		if a.times != 1 {
			twice++
		}
	}
	t.Logf("killed during %s (answered: %t): of %d messages nobody knows", k.moment, k.isAnswered, k.unknown)
	if twice > 0 {
		t.Errorf("killed during %s: %d messages arrived twice", k.moment, twice)
	}
	if k.mailbox != nil && k.moment == "sending" && k.unknown == 0 {
		t.Error("the message that the mail server had taken at the kill is not UNKNOWN")
	}
}

// codes returns the code of each message, by its number, as the API has it.
func (k *killed) codes(t *testing.T) map[int]string {
	t.Helper()
	codes := map[int]string{}
	for after := "null"; after != ""; {
		var read struct {
			Delivery struct {
				Messages struct {
					Nodes []struct {
						ID   string
						Code struct{ Value string }
					}
					PageInfo struct {
						HasNextPage bool
						EndCursor   string
					}
				}
			}
		}
		k.p.must(t, fmt.Sprintf(`{
			delivery(id: %q) { messages(first: 500, after: %s) { nodes { id code { value } } pageInfo { hasNextPage endCursor } } }
		}`, k.delivery, after), &read)
		for _, m := range read.Delivery.Messages.Nodes {
			codes[messageNumber(t, m.ID)] = m.Code.Value
		}
		after = ""
		if page := read.Delivery.Messages.PageInfo; page.HasNextPage {
			after = strconv.Quote(page.EndCursor)
		}
	}
	return codes
}

// arrived returns what arrived of the delivery's messages, by their numbers.
func (k *killed) arrived(t *testing.T) map[int]arrival {
	t.Helper()
	arrived := map[int]arrival{}
	arrive := func(id, code string) {
		number := messageNumber(t, id)
		if known := arrived[number]; known.times > 0 && known.code != code {
			t.Errorf("%s arrived with %s and with %s", id, known.code, code)
		}
		arrived[number] = arrival{code, arrived[number].times + 1}
	}
	if k.mailbox != nil {
		messageIDs := map[string]string{}
		for _, letter := range k.mailbox.take() {
			id, code := letter.Header.Get("Message-Id"), codeOf(t, letter.Body)
			if other := messageIDs[code]; other != "" && other != id {
				t.Errorf("%s arrived as %s and as %s", code, other, id)
			}
			messageIDs[code] = id
			arrive(id, code)
		}
		return arrived
	}
	text, err := os.ReadFile(filepath.Join(k.dir, "outbox", k.delivery+".mbox"))
	if err != nil {
		t.Fatal(err)
	}
	ids, codes := messageIDLine.FindAllSubmatch(text, -1), codeLine.FindAllSubmatch(text, -1)
	if len(ids) != len(codes) {
		t.Fatalf("the outbox has %d messages and %d codes", len(ids), len(codes))
	}
	for i := range ids {
		arrive(string(ids[i][1]), string(codes[i][1]))
	}
	return arrived
}

var messageNumberIn = regexp.MustCompile(`message_(\d+)`)

func messageNumber(t *testing.T, text string) int {
	t.Helper()
	match := messageNumberIn.FindStringSubmatch(text)
	if match == nil {
		t.Fatalf("%q names no message", text)
	}
	number, err := strconv.Atoi(match[1])
	if err != nil {
		t.Fatal(err)
	}
	return number
}

func codeOf(t *testing.T, body io.Reader) string {
	t.Helper()
	text, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	match := codeLine.FindStringSubmatch(strings.ReplaceAll(string(text), "\r\n", "\n"))
	if match == nil {
		t.Fatalf("a mail without a code: %s", text)
	}
	return match[1]
}

// mailbox is a real SMTP server that keeps what arrives.
type mailbox struct {
	address string

	mu      sync.Mutex
	letters []*mail.Message
	// after that many more letters, the next one is not answered until release is closed; held tells of it.
	after   int
	held    chan struct{}
	release chan struct{}
}

func startMailbox(t *testing.T) *mailbox {
	t.Helper()
	m := &mailbox{}
	server := smtp.NewServer(m)
	server.Domain = "localhost"
	var listening net.ListenConfig
	listener, err := listening.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m.address = listener.Addr().String()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Serve(listener)
	}()
	t.Cleanup(func() {
		_ = server.Close()
		<-ended
	})
	return m
}

// hold leaves a letter unanswered, after so many more, and tells when it is there.
func (m *mailbox) hold(after int) <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.after, m.held, m.release = after, make(chan struct{}), make(chan struct{})
	return m.held
}

// letGo answers the letter that was held.
func (m *mailbox) letGo() { close(m.release) }

// take returns what arrived and forgets it.
func (m *mailbox) take() []*mail.Message {
	m.mu.Lock()
	defer m.mu.Unlock()
	letters := m.letters
	m.letters = nil
	return letters
}

// receive keeps a letter. What it gives is closed when the letter is to be answered; nil: now.
func (m *mailbox) receive(letter *mail.Message) (release <-chan struct{}) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.letters = append(m.letters, letter)
	if m.held == nil {
		return nil
	}
	if m.after--; m.after < 0 {
		close(m.held)
		m.held = nil
		return m.release
	}
	return nil
}

func (m *mailbox) NewSession(*smtp.Conn) (smtp.Session, error) { return mailSession{m}, nil }

// mailSession is one connection to a mailbox.
type mailSession struct{ mailbox *mailbox }

func (mailSession) Reset()                               {}
func (mailSession) Logout() error                        { return nil }
func (mailSession) Mail(string, *smtp.MailOptions) error { return nil }
func (mailSession) Rcpt(string, *smtp.RcptOptions) error { return nil }

func (s mailSession) Data(r io.Reader) error {
	letter, err := mail.ReadMessage(r)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(letter.Body)
	if err != nil {
		return err
	}
	letter.Body = strings.NewReader(string(text))
	if release := s.mailbox.receive(letter); release != nil {
		<-release
	}
	return nil
}
