package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestWebhookAfterKill kills the server while its webhook works on a batch: the next server posts
// the batch again under the same key, and every message arrives with the code that the API knows.
// No secret is logged.
func TestWebhookAfterKill(t *testing.T) {
	t.Parallel()
	type call struct {
		key      string
		Messages []struct {
			MessageID string `json:"messageId"`
			Code      string `json:"code"`
		} `json:"messages"`
	}
	hook := newStallingHook(t, http.StatusOK)
	settings := []string{
		"--webhook-url", hook.address, "--webhook-secret", "hunter2-hunter2-hunter2",
	}
	dir := t.TempDir()
	p := start(t, dir, settings...)
	var none json.RawMessage
	p.must(t, createCoupon, &none)
	for _, query := range []string{
		`mutation { addCodes(input: {couponId: "coupon_1", codes: [{value: "A1"}, {value: "A2"}, {value: "A3"}]}) { userErrors { message } } }`,
		`mutation { upsertRecipients(input: {recipients: [{externalId: "r1", phone: "+491701"}, {externalId: "r2", phone: "+491702"}]}) {
			userErrors { message } } }`,
		`mutation { createDelivery(input: {label: "L", channel: SMS, couponId: "coupon_1", body: "Code: {{ couponValue.code }}"}) { userErrors { message } } }`,
		`mutation { addTargets(input: {deliveryId: "delivery_1", filter: {}}) { userErrors { message } } }`,
		`mutation { analyzeDelivery(input: {id: "delivery_1"}) { delivery { status } } }`,
		`mutation { confirmDelivery(input: {id: "delivery_1"}) { delivery { status } userErrors { message } } }`,
	} {
		p.must(t, query, &none)
	}
	select {
	case <-hook.arrived:
	case <-time.After(30 * time.Second):
		t.Fatalf("nothing arrived:\n%s", p.text())
	}
	p.kill(t)
	again := start(t, dir, settings...)
	var read struct {
		Delivery struct {
			Status   string
			Messages struct {
				Nodes []struct {
					ID       string
					Attempts int
					Code     struct{ Value string }
				}
			}
		}
	}
	for deadline := time.Now().Add(30 * time.Second); read.Delivery.Status !=
		"FINISHED"; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the delivery is %+v:\n%s", read, again.text())
		}
		again.must(t, `{ delivery(id: "delivery_1") { status messages { nodes { id attempts code { value } } } } }`, &read)
	}
	var calls []call
	for _, got := range hook.taken() {
		one := call{key: got.key}
		if err := json.Unmarshal([]byte(got.body), &one); err != nil {
			t.Error(err)
		}
		calls = append(calls, one)
	}
	if len(calls) != 2 || calls[0].key == "" || calls[0].key != calls[1].key ||
		len(calls[1].Messages) != 2 {
		t.Fatalf("got %+v", calls)
	}
	for i, m := range read.Delivery.Messages.Nodes {
		for _, got := range calls {
			if one := got.Messages[i]; one.MessageID != m.ID || one.Code != m.Code.Value ||
				m.Attempts != 1 {
				t.Errorf("got %+v, want %+v", one, m)
			}
		}
	}
	if log := p.text() + again.text(); strings.Contains(log, "hunter2") {
		t.Errorf("a secret was logged:\n%s", log)
	}
}

// TestAlertAfterKill kills the server while its webhook is being told of an alert: the next server
// tells it again under the same key, and then never more.
func TestAlertAfterKill(t *testing.T) {
	t.Parallel()
	hook := newStallingHook(t, http.StatusNoContent)
	settings := []string{
		"--alert-webhook-url", hook.address, "--alert-webhook-secret", "hunter2-hunter2-hunter2",
	}
	dir := t.TempDir()
	p := start(t, dir, settings...)
	var none json.RawMessage
	p.must(
		t,
		`mutation { createCoupon(input: {label: "Sale", type: INDIVIDUAL, startsAt: "2020-01-01", lowStockThreshold: 5}) { userErrors { message } } }`,
		&none,
	)
	select {
	case <-hook.arrived:
	case <-time.After(30 * time.Second):
		t.Fatalf("nothing arrived:\n%s", p.text())
	}
	p.kill(t)
	again := start(t, dir, settings...)
	for deadline := time.Now().Add(30 * time.Second); len(hook.taken()) < 2; time.Sleep(
		10 * time.Millisecond,
	) {
		if time.Now().After(deadline) {
			t.Fatalf("it was not told again:\n%s", again.text())
		}
	}
	again.stop(t, 20*time.Second)
	third := start(t, dir, settings...)
	// Whatever is waiting would be told at once.
	third.must(t, `{ alerts { totalCount nodes { kind } } }`, &none)
	time.Sleep(200 * time.Millisecond)
	calls := hook.taken()
	if len(calls) != 2 || calls[0] != calls[1] || !strings.HasSuffix(calls[0].key, "-alert-1") ||
		!strings.Contains(calls[0].body, `"LOW_STOCK"`) {
		t.Errorf("got %+v", calls)
	}
	if log := p.text() + again.text() + third.text(); strings.Contains(log, "hunter2") {
		t.Errorf("a secret was logged:\n%s", log)
	}
}

// stallingHook is a webhook that works on the first request until the test ends, and answers every
// other one.
type stallingHook struct {
	// address has a password in it. arrived is closed when the first request is there.
	address string
	arrived chan struct{}
	mu      sync.Mutex
	calls   []hookCall
}

type hookCall struct{ key, body string }

func newStallingHook(t *testing.T, status int) *stallingHook {
	t.Helper()
	hook := &stallingHook{arrived: make(chan struct{})}
	release := make(chan struct{})
	receiver := httptest.NewServer(http.HandlerFunc(func(
		w http.ResponseWriter, request *http.Request,
	) {
		body, err := io.ReadAll(request.Body)
		if err != nil {
			t.Error(err)
		}
		hook.mu.Lock()
		hook.calls = append(hook.calls,
			hookCall{request.Header.Get("Idempotency-Key"), string(body)})
		isFirst := len(hook.calls) == 1
		hook.mu.Unlock()
		if isFirst {
			close(hook.arrived)
			<-release
		}
		w.WriteHeader(status)
	}))
	t.Cleanup(func() {
		close(release)
		receiver.Close()
	})
	hook.address = strings.Replace(receiver.URL, "http://", "http://user:hunter2@", 1)
	return hook
}

// taken returns the requests that came so far.
func (h *stallingHook) taken() []hookCall {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.calls)
}
