package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"couponql/sender/mailtest"
)

// handedOver is how many messages a delivery has that is killed at a step of its hand-over, and
// handOverSize how long the text of each is.
const (
	handedOver   = 5
	handOverSize = 30_000
)

// outcome is a delivery with its messages.
type outcome struct {
	Status   string
	Counts   struct{ Pending, Sent, Failed, Canceled, Unknown, Total int }
	Messages struct {
		Nodes []struct {
			ID, Status, Address string
			Code                *struct{ Value string }
		}
	}
}

// confirmed makes a delivery with codes and confirms it. It gives its id.
func (p *process) confirmed(t *testing.T, round int, channel string) string {
	t.Helper()
	var none json.RawMessage
	if round == 0 {
		p.must(t, createCoupon, &none)
		var recipients []string
		for i := range handedOver {
			recipients = append(recipients, fmt.Sprintf(
				`{externalId: "r%d", email: "r%d@example.org", phone: "+49170123456%d"}`, i, i, i,
			))
		}
		p.must(t, `mutation { upsertRecipients(input: {recipients: [`+strings.Join(recipients, ",")+
			`]}) { userErrors { message } } }`, &none)
	}
	id := fmt.Sprintf("delivery_%d", round+1)
	for _, query := range []string{
		fmt.Sprintf(`mutation { generateCodes(input: {couponId: "coupon_1", count: %d, pattern: "H-%d-########"}) { userErrors { message } } }`,
			handedOver, round),
		fmt.Sprintf(`mutation { createDelivery(input: {label: "L", channel: %s, couponId: "coupon_1", subject: "For you",
			body: "Code: {{ couponValue.code }} %s"}) { userErrors { message } } }`, channel,
			strings.Repeat("lorem ipsum\\n", handOverSize/12)),
		`mutation { addTargets(input: {deliveryId: "` + id +
			`", filter: {}}) { userErrors { message } } }`,
		`mutation { analyzeDelivery(input: {id: "` + id +
			`"}) { delivery { status } userErrors { message } } }`,
		`mutation { confirmDelivery(input: {id: "` + id +
			`"}) { delivery { status } userErrors { message } } }`,
	} {
		var answer map[string]struct{ UserErrors []struct{ Message string } }
		p.must(t, query, &answer)
		for _, part := range answer {
			if len(part.UserErrors) > 0 {
				t.Fatal(part.UserErrors[0].Message)
			}
		}
	}
	return id
}

// outcome waits until a delivery is finished, and gives it.
func (p *process) outcome(t *testing.T, id string) outcome {
	t.Helper()
	var read struct{ Delivery outcome }
	for deadline := time.Now().Add(30 * time.Second); read.Delivery.Status != "FINISHED"; pause(t) {
		if time.Now().After(deadline) {
			t.Fatalf("%s is %+v:\n%s", id, read.Delivery, p.text())
		}
		p.must(t, fmt.Sprintf(`{ delivery(id: %q) { status counts { pending sent failed canceled unknown total }
			messages { nodes { id status address code { value } } } } }`, id), &read)
	}
	return read.Delivery
}

// holding is another side that stops at one step until it is let go.
type holding struct {
	mu      sync.Mutex
	arrived chan struct{}
	release chan struct{}
}

func (h *holding) arm() (arrived <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.arrived, h.release = make(chan struct{}), make(chan struct{})
	return h.arrived
}

// stop tells that the step has come, once, and gives what to wait for; nil: not.
func (h *holding) stop() <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.arrived == nil {
		return nil
	}
	close(h.arrived)
	h.arrived = nil
	return h.release
}

// killAt kills the server when a step has come, and starts it again.
func (h *holding) killAt(
	t *testing.T, p *process, arrived <-chan struct{}, start func() *process,
) *process {
	t.Helper()
	select {
	case <-arrived:
	case <-time.After(30 * time.Second):
		t.Fatalf("it did not come to that:\n%s", p.text())
	}
	p.kill(t)
	close(h.release)
	return start()
}

// TestKillAtStepsOfMail kills the server at each step of handing a mail over. Nothing is sent twice
// and nothing is lost; what was answered is SENT, what did not leave is sent then, and only the
// mail that left and was not answered is UNKNOWN.
func TestKillAtStepsOfMail(t *testing.T) {
	t.Parallel()
	var held holding
	var mu sync.Mutex
	var step mailtest.Step
	answered := 0
	server := mailtest.Start(t, func(e mailtest.Event) mailtest.Reply {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case e.Step == mailtest.Greeting && e.Open > 1:
			// One connection alone, so that all is in order.
			return mailtest.Reply{Text: "421 4.7.0 Too many connections"}
		case e.Step == step && e.OnConnection == answered:
			return mailtest.Reply{Until: held.stop()}
		}
		return mailtest.Reply{}
	})
	dir := t.TempDir()
	begin := func() *process {
		return start(t, dir, "--smtp-url", "smtp://user:secret@"+server.Addr+"?tls=off",
			"--mail-from", "shop@example.org")
	}
	p := begin()
	seen := 0
	for round, test := range []struct {
		step mailtest.Step
		// answered is how many mails were answered before that; unknown how many messages are
		// UNKNOWN, of which so many arrived; -1: that depends on how much of it was on the line.
		answered, unknown, arrived int
	}{
		{mailtest.Hello, 0, 0, 0},
		{mailtest.Auth, 0, 0, 0},
		{mailtest.Mail, 0, 0, 0},
		{mailtest.Rcpt, 0, 0, 0},
		{mailtest.Data, 0, 0, 0},
		{mailtest.Content, 0, 1, -1},
		{mailtest.Dot, 0, 1, 1},
		{mailtest.Mail, 3, 0, 0}, // after three times 250
		{mailtest.Dot, 3, 1, 1},
	} {
		name := fmt.Sprintf("%s after %d", test.step, test.answered)
		mu.Lock()
		step, answered = test.step, test.answered
		mu.Unlock()
		arrived := held.arm()
		id := p.confirmed(t, round, "EMAIL")
		p = held.killAt(t, p, arrived, begin)
		got := p.outcome(t, id)
		if got.Counts.Unknown != test.unknown || got.Counts.Sent != handedOver-test.unknown {
			t.Errorf("%s: got %+v, want %d unknown", name, got.Counts, test.unknown)
		}
		letters := map[string]int{}
		for _, letter := range server.Letters()[seen:] {
			letters[letter.To]++
			seen++
		}
		unknown := 0
		for _, m := range got.Messages.Nodes {
			times := letters[m.Address]
			if m.Status == "UNKNOWN" {
				unknown += times
			} else if times != 1 {
				t.Errorf("%s: %s is %s and arrived %d times", name, m.ID, m.Status, times)
			}
			if times > 1 || m.Code == nil {
				t.Errorf("%s: %s arrived %d times, with the code %v", name, m.ID, times, m.Code)
			}
		}
		if test.arrived >= 0 && unknown != test.arrived {
			t.Errorf("%s: %d of the UNKNOWN arrived, want %d", name, unknown, test.arrived)
		}
		p.checkSound(t)
		// The next delivery begins with a new connection.
		server.Break()
	}
}

// gate is a listener whose connections are not read while hold says so.
type gate struct {
	net.Listener

	hold func() <-chan struct{}
}

func (g gate) Accept() (net.Conn, error) {
	conn, err := g.Listener.Accept()
	return &gated{Conn: conn, hold: g.hold}, err
}

type gated struct {
	net.Conn

	hold func() <-chan struct{}
}

func (c *gated) Read(to []byte) (int, error) {
	if release := c.hold(); release != nil {
		<-release
		return 0, io.ErrUnexpectedEOF
	}
	return c.Conn.Read(to)
}

// TestKillAtStepsOfWebhook kills the server before the webhook reads a request, in the middle of
// it, when it has all of it, and when it has answered. Each message is taken once under one key,
// and SENT.
func TestKillAtStepsOfWebhook(t *testing.T) {
	t.Parallel()
	var held holding
	var mu sync.Mutex
	moment := ""
	// keys are those under which each message came, taken how often it was taken as the manual
	// says.
	keys, taken := map[string][]string{}, map[string]int{}
	known := map[string]bool{}
	at := func(name string) <-chan struct{} {
		mu.Lock()
		defer mu.Unlock()
		if moment != name {
			return nil
		}
		return held.stop()
	}
	hook := httptest.NewUnstartedServer(http.HandlerFunc(func(
		w http.ResponseWriter, request *http.Request,
	) {
		body := bufio.NewReader(request.Body)
		if _, err := body.Peek(100); err != nil {
			return
		}
		if release := at("in the request"); release != nil {
			<-release
			return
		}
		var batch struct {
			Messages []struct {
				MessageID string `json:"messageId"`
			} `json:"messages"`
		}
		if err := json.NewDecoder(body).Decode(&batch); err != nil {
			return
		}
		key := request.Header.Get("Idempotency-Key")
		mu.Lock()
		for _, m := range batch.Messages {
			if keys[m.MessageID] = append(keys[m.MessageID], key); !known[key] {
				taken[m.MessageID]++
			}
		}
		known[key] = true
		mu.Unlock()
		if release := at("taken"); release != nil {
			<-release
			return
		}
		w.WriteHeader(http.StatusOK)
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
		at("answered")
	}))
	hook.Listener = gate{hook.Listener, func() <-chan struct{} { return at("before the request") }}
	hook.Start()
	t.Cleanup(hook.Close)
	dir := t.TempDir()
	begin := func() *process {
		return start(t, dir, "--webhook-url", hook.URL, "--webhook-secret",
			"hunter2-hunter2-hunter2")
	}
	p := begin()
	for round, name := range []string{"before the request", "in the request", "taken", "answered"} {
		mu.Lock()
		moment = name
		mu.Unlock()
		arrived := held.arm()
		id := p.confirmed(t, round, "SMS")
		p = held.killAt(t, p, arrived, begin)
		got := p.outcome(t, id)
		if got.Counts.Sent != handedOver {
			t.Errorf("%s: got %+v", name, got.Counts)
		}
		mu.Lock()
		for _, m := range got.Messages.Nodes {
			if taken[m.ID] != 1 || len(slices.Compact(slices.Clone(keys[m.ID]))) != 1 ||
				len(keys[m.ID]) > 2 {
				t.Errorf("%s: %s was taken %d times under %v", name, m.ID, taken[m.ID], keys[m.ID])
			}
		}
		mu.Unlock()
		p.checkSound(t)
		hook.CloseClientConnections()
	}
}

// TestKillInOutbox starts a server on an outbox in which its predecessor died in the middle of a
// message: that goes, and each message is there once.
func TestKillInOutbox(t *testing.T) {
	t.Parallel()
	for channel, extension := range map[string]string{"EMAIL": "mbox", "SMS": "jsonl"} {
		t.Run(channel, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			p := start(t, dir, "--send-rate", "2")
			id := p.confirmed(t, 0, channel)
			path := filepath.Join(dir, "outbox", id+"."+extension)
			var text []byte
			for deadline := time.Now().Add(30 * time.Second); len(text) < handOverSize; pause(t) {
				if time.Now().After(deadline) {
					t.Fatalf("nothing is sent:\n%s", p.text())
				}
				text, _ = os.ReadFile(path)
			}
			p.kill(t)
			// A part of a message that was never recorded, after one that may be whole and not be
			// recorded either.
			file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0o600)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := file.Write(text[:handOverSize/2]); err != nil {
				t.Fatal(err)
			}
			if err := file.Close(); err != nil {
				t.Fatal(err)
			}
			p = start(t, dir)
			got := p.outcome(t, id)
			if got.Counts.Sent != handedOver {
				t.Errorf("got %+v", got.Counts)
			}
			if text, err = os.ReadFile(path); err != nil {
				t.Fatal(err)
			}
			for _, m := range got.Messages.Nodes {
				if times := strings.Count(string(text), "Code: "+m.Code.Value); times != 1 {
					t.Errorf("%s is there %d times", m.ID, times)
				}
			}
			if times := strings.Count(string(text), "Code: "); times != handedOver {
				t.Errorf("%d messages are there, want %d", times, handedOver)
			}
			p.checkSound(t)
		})
	}
}
