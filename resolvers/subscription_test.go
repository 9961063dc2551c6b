package resolvers_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"

	"couponql/db"
)

// event is what a subscription sends: a type such as next or complete, and the payload.
type event struct {
	kind string
	data string
}

// subscription is an open stream of events.
type subscription struct {
	// next gives the next event.
	next func() event
	// leave ends the subscription as a client does that goes away.
	leave func()
}

// overSSE subscribes by Server-Sent Events.
func overSSE(t *testing.T, s *server, query string) subscription {
	t.Helper()
	body, contentType := request(t, query, nil, nil)
	ctx, cancel := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+"/graphql",
		strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", contentType)
	r.Header.Set("Accept", "text/event-stream")
	s.authorize(r)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = response.Body.Close() })
	if got := response.Header.Get("Content-Type"); got != "text/event-stream" {
		t.Fatalf("the answer is %s", got)
	}
	lines := bufio.NewScanner(response.Body)
	return subscription{leave: cancel, next: func() event {
		var e event
		for lines.Scan() {
			line := lines.Text()
			if kind, isKind := strings.CutPrefix(line, "event: "); isKind {
				e.kind = kind
			}
			if data, isData := strings.CutPrefix(line, "data: "); isData {
				e.data = data
			}
			if line == "" && e.kind != "" {
				return e
			}
		}
		return event{kind: "end"}
	}}
}

// overWebSocket subscribes by the protocol graphql-transport-ws.
func overWebSocket(t *testing.T, s *server, query string) subscription {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	options := &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}}
	connection, response, err := websocket.Dial(ctx,
		strings.Replace(s.URL, "http", "ws", 1)+"/graphql", options)
	if err != nil {
		t.Fatal(err)
	}
	if response.Body != nil {
		t.Cleanup(func() { _ = response.Body.Close() })
	}
	t.Cleanup(func() { _ = connection.CloseNow() })
	send := func(message map[string]any) {
		if err := wsjson.Write(ctx, connection, message); err != nil {
			t.Fatal(err)
		}
	}
	receive := func() event {
		for {
			var message struct {
				Type    string          `json:"type"`
				Payload json.RawMessage `json:"payload"`
			}
			if err := wsjson.Read(ctx, connection, &message); err != nil {
				return event{kind: "end", data: err.Error()}
			}
			if message.Type != "ping" {
				return event{message.Type, string(message.Payload)}
			}
			send(map[string]any{"type": "pong"})
		}
	}
	hello := map[string]any{"type": "connection_init"}
	if s.token != "" {
		hello["payload"] = map[string]any{"Authorization": "Bearer " + s.token}
	}
	send(hello)
	if got := receive(); got.kind != "connection_ack" {
		t.Fatalf("connection_init was answered by %v", got)
	}
	send(map[string]any{"type": "subscribe", "id": "1", "payload": map[string]any{"query": query}})
	return subscription{next: receive, leave: func() { _ = connection.CloseNow() }}
}

func transports() map[string]func(*testing.T, *server, string) subscription {
	return map[string]func(*testing.T, *server, string) subscription{
		"SSE": overSSE, "WebSocket": overWebSocket,
	}
}

const (
	followDelivery = `subscription { deliveryProgress(id: "delivery_1") { status counts { pending sent total } messagesPerSecond secondsLeft
		coupon { label } } }`
	followImport = `subscription { importProgress(id: "import_1") { status progress rowsRead rowsImported coupon { availability {
		total } } } }`
)

// TestDeliveryProgress follows a delivery to its end: the first event comes at once, the counts
// never go back, the rate is told from the second message on, and after the final state the
// subscription is complete.
func TestDeliveryProgress(t *testing.T) {
	t.Parallel()
	for name, subscribe := range transports() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newDelivery(t, 4)
			follow := subscribe(t, s, followDelivery)
			var statuses []string
			sent, hasRate := -1, false
			for {
				e := follow.next()
				if e.kind == "complete" {
					break
				}
				var payload struct {
					Data struct {
						DeliveryProgress struct {
							Status string `json:"status"`
							Counts struct {
								Pending int `json:"pending"`
								Sent    int `json:"sent"`
								Total   int `json:"total"`
							} `json:"counts"`
							MessagesPerSecond *float64 `json:"messagesPerSecond"`
							SecondsLeft       *int     `json:"secondsLeft"`
							Coupon            struct {
								Label string `json:"label"`
							} `json:"coupon"`
						} `json:"deliveryProgress"`
					} `json:"data"`
				}
				if err := json.Unmarshal([]byte(e.data), &payload); err != nil || e.kind != "next" {
					t.Fatalf("%v: %v", e, err)
				}
				d := payload.Data.DeliveryProgress
				if d.Counts.Sent < sent || d.Counts.Pending+d.Counts.Sent != 4 ||
					d.Counts.Total != 4 || d.Coupon.Label != "Pool" {
					t.Errorf("after %d messages: %+v", sent, d)
				}
				rate, left := d.MessagesPerSecond, d.SecondsLeft
				isKnown := rate != nil && left != nil
				switch {
				case d.Status == "FINISHED" && (!isKnown || *rate != 0 || *left != 0),
					d.Counts.Sent < 2 && (rate != nil || left != nil):
					t.Errorf("after %d messages: %+v", sent, d)
				case d.Status == "IN_PROGRESS" && isKnown:
					hasRate = true
					if *rate <= 0 || *rate > 1 || *left < d.Counts.Pending {
						t.Errorf("one message a second is sent, and %d are left: %v, %v",
							d.Counts.Pending, *rate, *left)
					}
				}
				sent = d.Counts.Sent
				statuses = append(statuses, d.Status)
				s.clock.Advance(time.Second)
			}
			if len(statuses) < 2 || statuses[0] != "IN_PROGRESS" ||
				statuses[len(statuses)-1] != "FINISHED" || sent != 4 || !hasRate {
				t.Errorf("the states were %v, and %d messages sent; a rate was told: %t", statuses,
					sent, hasRate)
			}
			follow = subscribe(t, s, followDelivery)
			if first, second := follow.next(), follow.next(); !strings.Contains(first.data,
				"FINISHED") || second.kind != "complete" {
				t.Errorf("a finished delivery gives %v and %v", first, second)
			}
		})
	}
}

// TestImportProgress follows an import to its end.
func TestImportProgress(t *testing.T) {
	t.Parallel()
	for name, subscribe := range transports() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newPool(t)
			codes := "code\n" + strings.Repeat("x", 300) + "\n"
			for i := range 5_000 {
				codes += "C-" + string(rune('A'+i/676%26)) + string(rune('A'+i/26%26)) + string(rune('A'+i%26)) + "\n"
			}
			s.ask(t, `mutation ($file: Upload!) { importCodes(input: {couponId: "coupon_1", file: $file}) { userErrors { message } }
				}`, map[string]any{"file": "@codes.csv"}, map[string]string{"codes.csv": codes})
			follow := subscribe(t, s, followImport)
			last := event{}
			for {
				e := follow.next()
				if e.kind == "complete" {
					break
				}
				if e.kind != "next" {
					t.Fatal(e)
				}
				last = e
			}
			const want = `{"data":{"importProgress":{"status":"SUCCEEDED","progress":1,"rowsRead":5001,"rowsImported":5000,` +
				`"coupon":{"availability":{"total":5000}}}}}`
			if last.data != want {
				t.Errorf("the last event was %s, not %s", last.data, want)
			}
		})
	}
}

// TestBatchProgress follows codes that a job makes to their end.
func TestBatchProgress(t *testing.T) {
	t.Parallel()
	for name, subscribe := range transports() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newPool(t)
			request := &db.GenerateRequest{
				CouponID: "coupon_1", Count: 5000, Pattern: "########",
				Alphabet: "0123456789", IsJob: true,
			}
			if _, err := s.store.GenerateCodes(t.Context(), request); err != nil {
				t.Fatal(err)
			}
			follow := subscribe(t, s, `subscription {
				batchProgress(id: "batch_1") { status progress count madeCount requestedCount
					failure coupon { availability { total } } }
			}`)
			last := event{}
			for e := follow.next(); e.kind != "complete"; e = follow.next() {
				if e.kind != "next" {
					t.Fatal(e)
				}
				last = e
			}
			const want = `{"data":{"batchProgress":{"status":"SUCCEEDED","progress":1,"count":5000,"madeCount":5000,"requestedCount":5000,` +
				`"failure":null,"coupon":{"availability":{"total":5000}}}}}`
			if last.data != want {
				t.Errorf("the last event was %s, not %s", last.data, want)
			}
		})
	}
}

// TestRedemptionRecorded follows the redemptions of one coupon and of all, from when the
// subscription begins.
func TestRedemptionRecorded(t *testing.T) {
	t.Parallel()
	for name, subscribe := range transports() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			for _, label := range []string{"one", "other"} {
				s.ask(t, `mutation ($label: String!) { createCoupon(input: {label: $label, code: $label, type: ANONYMOUS, startsAt: "2020-01-01"}) {
					userErrors { message } } }`, map[string]any{"label": label}, nil)
			}
			redeem := func(value, reference string) {
				t.Helper()
				s.ask(t, `mutation ($value: String!, $reference: String) { redeemCode(input: {value: $value, reference: $reference}) {
					userErrors { message } } }`,
					map[string]any{"value": value, "reference": reference}, nil)
			}
			redeem("one", "before")
			all := subscribe(t, s,
				`subscription { redemptionRecorded { reference coupon { label } } }`)
			one := subscribe(t, s,
				`subscription { redemptionRecorded(couponId: "coupon_1") { reference codeValue } }`)
			// A subscription has begun when its first event comes; what is recorded earlier may be
			// missed.
			begun := make(chan struct{})
			go func() {
				defer close(begun)
				for _, subscribed := range []subscription{all, one} {
					subscribed.next()
				}
			}()
			for isBegun := false; !isBegun; {
				redeem("one", "begin")
				select {
				case <-begun:
					isBegun = true
				case <-time.After(20 * time.Millisecond):
				}
			}
			redeem("other", "a")
			redeem("ONE", "b")
			s.ask(t, `mutation { redeemCodes(input: {redemptions: [{value: "one", reference: "c"}, {value: "nobody"}, {value: "other", reference: "d"}]}) {
				userErrors { message } } }`, nil, nil)
			follow := func(f subscription, want ...string) {
				t.Helper()
				for _, data := range want {
					e := f.next()
					for strings.Contains(e.data, `"begin"`) {
						e = f.next()
					}
					if e.kind != "next" || e.data != data {
						t.Errorf("got %v, want %s", e, data)
					}
				}
			}
			event := func(reference, label string) string {
				return `{"data":{"redemptionRecorded":{"reference":"` + reference +
					`","coupon":{"label":"` + label + `"}}}}`
			}
			follow(all, event("a", "other"), event("b", "one"), event("c", "one"),
				event("d", "other"))
			follow(
				one,
				`{"data":{"redemptionRecorded":{"reference":"b","codeValue":"one"}}}`,
				`{"data":{"redemptionRecorded":{"reference":"c","codeValue":"one"}}}`,
			)
		})
	}
}

// TestSubscriptionRefused subscribes to what is not there.
func TestSubscriptionRefused(t *testing.T) {
	t.Parallel()
	for name, subscribe := range transports() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			for query, want := range map[string]string{
				`subscription { deliveryProgress(id: "delivery_99") { status } }`:  `"code":"NOT_FOUND"`,
				`subscription { importProgress(id: "nonsense") { status } }`:       `"code":"NOT_FOUND"`,
				`subscription { redemptionRecorded(couponId: "coupon_9") { id } }`: `"code":"NOT_FOUND"`,
				`subscription { redemptionRecorded(couponId: "code_1") { id } }`:   `"code":"NOT_FOUND"`,
				`subscription { exportProgress(id: "export_1") { id } }`:           `"code":"NOT_FOUND"`,
				`subscription { batchProgress(id: "batch_1") { id } }`:             `"code":"NOT_FOUND"`,
				`subscription { deliveryProgress(id: "delivery_99") { sttus } }`:   `"code":"GRAPHQL_VALIDATION_FAILED"`,
			} {
				if got := subscribe(t, s, query).next(); !strings.Contains(got.data, want) {
					t.Errorf("%s: %v", query, got)
				}
			}
		})
	}
}

// TestSubscriberGoesAway checks that nothing is left of subscriptions whose clients went away.
func TestSubscriberGoesAway(t *testing.T) { //nolint:paralleltest // it counts the goroutines of the process
	for name, subscribe := range transports() {
		t.Run(name, func(t *testing.T) {
			s := newDelivery(t, 2)
			s.ask(t, pause, nil, nil)
			s.drain(t)
			http.DefaultClient.CloseIdleConnections()
			before := runtime.NumGoroutine()
			for range 10 {
				follow := subscribe(t, s, followDelivery)
				if got := follow.next(); got.kind != "next" {
					t.Fatal(got)
				}
				follow.leave()
			}
			deadline := time.After(10 * time.Second)
			for {
				http.DefaultClient.CloseIdleConnections()
				now := runtime.NumGoroutine()
				if now <= before {
					return
				}
				select {
				case <-deadline:
					stacks := make([]byte, 1<<20)
					t.Fatalf("%d goroutines before, %d after:\n%s", before, now,
						stacks[:runtime.Stack(stacks, true)])
				case <-time.After(10 * time.Millisecond):
				}
			}
		})
	}
}
