package resolvers_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"couponql/job"
)

// newDelivery returns a server that sends one message a second, with a confirmed delivery of count messages.
func newDelivery(t *testing.T, count int) *server {
	t.Helper()
	s := newServer(t, func(o *job.Options) { o.SendRate = 1 })
	recipients := make([]any, count)
	codes := make([]any, count)
	for i := range count {
		recipients[i] = map[string]any{"externalId": string(rune('a' + i)), "email": string(rune('a'+i)) + "@example.com"}
		codes[i] = map[string]any{"value": "CODE-" + string(rune('A'+i))}
	}
	s.ask(t, `mutation ($codes: [NewCode!]!, $recipients: [RecipientInput!]!) {
		createCoupon(input: {label: "Pool", type: INDIVIDUAL, startsAt: "2026-11-01"}) { userErrors { message } }
		addCodes(input: {couponId: "coupon_1", codes: $codes}) { userErrors { message } }
		upsertRecipients(input: {recipients: $recipients}) { userErrors { message } }
		createDelivery(input: {label: "Slow", couponId: "coupon_1", body: "{{ couponValue.code }}"}) { userErrors { message } }
		addTargets(input: {deliveryId: "delivery_1", filter: {}}) { userErrors { message } }
		analyzeDelivery(input: {id: "delivery_1"}) { userErrors { message } }
		confirmDelivery(input: {id: "delivery_1"}) { userErrors { message } }
	}`, map[string]any{"codes": codes, "recipients": recipients}, nil)
	return s
}

// await waits until so many messages of delivery_1 are sent, and gives the delivery.
func (s *server) await(t *testing.T, sent int) map[string]any {
	t.Helper()
	changed, stop := s.store.Watch("delivery_1")
	defer stop()
	for {
		data := s.ask(t, `{ delivery(id: "delivery_1") { status finishedAt counts { pending sent failed canceled total } coupon {
			availability { available assigned } } } }`, nil, nil)
		if got := at[float64](t, data, "delivery", "counts", "sent"); got >= float64(sent) {
			return at[map[string]any](t, data, "delivery")
		}
		select {
		case <-changed:
		case <-time.After(time.Minute):
			t.Fatalf("%d messages were not sent in a minute: %v", sent, data)
		}
	}
}

const (
	pause = `mutation { change: pauseDelivery(input: {id: "delivery_1"}) { delivery { status counts { pending sent } } userErrors {
		message } } }`
	resume = `mutation { change: resumeDelivery(input: {id: "delivery_1"}) { pendingMessageCount delivery { status counts { pending sent } }
		userErrors { message } } }`
	stop = `mutation { change: stopDelivery(input: {id: "delivery_1"}) { delivery { status counts { pending sent canceled total }
		coupon { availability { available assigned } } analysis { log { text } } } userErrors { message } } }`
)

// TestPauseAndResume takes a delivery that is being sent through its states: nothing is sent while it is
// paused, everything once after it was resumed.
func TestPauseAndResume(t *testing.T) {
	t.Parallel()
	s := newDelivery(t, 3)
	s.await(t, 1)
	for range 2 {
		if got := at[string](t, s.ask(t, pause, nil, nil), "change", "delivery", "status"); got != "PAUSED" {
			t.Fatalf("after pauseDelivery it is %s", got)
		}
	}
	before := at[float64](t, s.ask(t, pause, nil, nil), "change", "delivery", "counts", "sent")
	for _, refused := range []string{"analyzeDelivery", "updateDelivery", "addTargets"} {
		query := `mutation { change: ` + refused + `(input: {id: "delivery_1"}) { userErrors { code } } }`
		if refused == "addTargets" {
			query = `mutation { change: addTargets(input: {deliveryId: "delivery_1", filter: {}}) { userErrors { code } } }`
		}
		problems := at[[]any](t, s.try(t, query, nil, nil), "change", "userErrors")
		if len(problems) != 1 || at[string](t, problems[0], "code") != "INVALID_STATE" {
			t.Errorf("%s of a paused delivery: %v", refused, problems)
		}
	}
	// Longer than the pause between two messages.
	timer := time.NewTimer(1200 * time.Millisecond)
	<-timer.C
	if after := at[float64](t, s.ask(t, pause, nil, nil), "change", "delivery", "counts", "sent"); after != before || after == 3 {
		t.Errorf("%v messages were sent before the pause, %v in the end", before, after)
	}
	for range 2 {
		resumed := s.ask(t, resume, nil, nil)
		if got := at[string](t, resumed, "change", "delivery", "status"); got != "IN_PROGRESS" {
			t.Fatalf("after resumeDelivery it is %s", got)
		}
		if told := at[float64](t, resumed, "change", "pendingMessageCount"); told != at[float64](t, resumed, "change", "delivery", "counts", "pending") {
			t.Errorf("%v pending messages are told: %v", told, resumed)
		}
	}
	if got := s.await(t, 3); got["status"] != "FINISHED" || got["finishedAt"] == nil {
		t.Errorf("in the end it is %v", got)
	}
	s.checkPromises(t)
}

// TestStopWhileSending stops deliveries that are being sent and paused: what was sent keeps its code, the
// other codes are back in the pool.
func TestStopWhileSending(t *testing.T) {
	t.Parallel()
	for name, isPaused := range map[string]bool{"IN_PROGRESS": false, "PAUSED": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newDelivery(t, 5)
			s.await(t, 1)
			if isPaused {
				s.ask(t, pause, nil, nil)
			}
			for range 2 {
				d := at[map[string]any](t, s.ask(t, stop, nil, nil), "change", "delivery")
				counts := at[map[string]any](t, d, "counts")
				sent, canceled := at[float64](t, counts, "sent"), at[float64](t, counts, "canceled")
				if d["status"] != "STOPPED" || counts["pending"] != 0.0 || sent+canceled != 5 || canceled == 0 {
					t.Fatalf("after stopDelivery it is %v", d)
				}
				availability := at[any](t, d, "coupon", "availability")
				available, assigned := at[float64](t, availability, "available"), at[float64](t, availability, "assigned")
				if available != canceled || assigned != sent {
					t.Errorf("%v codes are available and %v assigned; %v messages were sent and %v canceled", available, assigned, sent, canceled)
				}
			}
			s.drain(t)
			s.checkPromises(t)
		})
	}
}

// TestAnalysisWarnings asks for what an analysis warns of: who lacks a value that the content shows, and what an SMS costs.
func TestAnalysisWarnings(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	data := s.ask(t, `mutation {
		upsertRecipients(input: {recipients: [
			{externalId: "a", phone: "+491700000001", firstName: "Ann", attributes: {sport: "ski"}},
			{externalId: "b", phone: "+491700000002", attributes: {sport: ""}},
			{externalId: "c", phone: "+491700000003"},
			{externalId: "d"}
		]}) { userErrors { message } }
		createDelivery(input: {label: "Slow", channel: SMS, body: "{{ recipient.firstName }} {{ recipient.attributes.sport }}`+
		strings.Repeat("x", 157)+`"}) { userErrors { message } }
		addTargets(input: {deliveryId: "delivery_1", filter: {}}) { userErrors { message } }
		analyzeDelivery(input: {id: "delivery_1"}) { delivery { status analysis {
			smsParts missingValues { token count recipients { externalId } } log { level text } } } userErrors { message } }
	}`, nil, nil)
	analysis := at[map[string]any](t, data, "analyzeDelivery", "delivery", "analysis")
	if parts := at[float64](t, analysis, "smsParts"); parts != 2 {
		t.Errorf("an SMS has %v parts, want 2", parts)
	}
	got, err := json.Marshal(analysis["missingValues"])
	if err != nil {
		t.Fatal(err)
	}
	want := `[{"count":2,"recipients":[{"externalId":"b"},{"externalId":"c"}],"token":"recipient.firstName"},` +
		`{"count":2,"recipients":[{"externalId":"b"},{"externalId":"c"}],"token":"recipient.attributes.sport"}]`
	if string(got) != want {
		t.Errorf("missing values: got %s, want %s", got, want)
	}
	warnings := 0
	for _, line := range at[[]any](t, analysis, "log") {
		if at[string](t, line, "level") == "WARNING" {
			warnings++
		}
	}
	if warnings != 3 {
		t.Errorf("%d warnings, want 3: %v", warnings, analysis["log"])
	}
}
