package db_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"couponql/coupon"
	"couponql/db"
)

// sendJudged sends the next messages of a delivery, but for those that may not leave.
func (s *scene) sendJudged(t *testing.T, id coupon.ID, limit int) {
	t.Helper()
	batch, err := s.NextBatch(t.Context(), id, limit)
	if err != nil {
		t.Fatal(err)
	}
	outcome := &db.SentBatch{OutboxSize: batch.OutboxSize}
	for _, content := range batch.Contents {
		switch may, _, err := batch.MayLeave(t.Context(), &content); {
		case err != nil:
			t.Fatal(err)
		case may:
			outcome.Sent = append(outcome.Sent, content)
		default:
			outcome.Withheld = append(outcome.Withheld, content)
		}
	}
	if err := batch.Record(t.Context(), outcome); err != nil {
		t.Fatal(err)
	}
}

// TestMessagesSeen: what became of a message reads the same wherever messages are seen: the API,
// files, SQL, the history of its code.
func TestMessagesSeen(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.newCoupon(t)
	codes := s.codes(t, c, "", numbered("S", 6)...)
	id := s.newDelivery(t, c, s.recipients(t, 6))
	s.confirm(t, id)
	last := s.messagesOf(t, id, nil)[5]
	for _, code := range codes {
		if code.ID != *last.CodeID {
			continue
		}
		if _, err := s.VoidCodes(t.Context(),
			&db.CodeSelection{CouponID: c, Values: []string{code.Value}}); err != nil {
			t.Fatal(err)
		}
	}
	batch, err := s.NextBatch(t.Context(), id, 4)
	if err != nil {
		t.Fatal(err)
	}
	if err := batch.Begin(t.Context(), batch.Contents); err != nil {
		t.Fatal(err)
	}
	outcome := &db.SentBatch{Sent: batch.Contents[2:], OutboxSize: batch.OutboxSize}
	for i, attempt := range []coupon.Attempt{
		{Result: coupon.AttemptRefused, Reason: "550 unknown"},
		{Result: coupon.AttemptUnknown, Reason: "it broke"},
	} {
		outcome.Refused = append(outcome.Refused, db.Refusal{
			Content: batch.Contents[i], Settlement: attempt.Settle(batch.Number, false, s.Now(), 0),
		})
	}
	if err := batch.Record(t.Context(), outcome); err != nil {
		t.Fatal(err)
	}
	s.sendJudged(t, id, 2)
	bounceAt := noon().Add(time.Minute)
	var sent []*coupon.Message
	counts := map[string]int{}
	for _, m := range s.messagesOf(t, id, nil) {
		counts[string(m.Status)]++
		if m.Status == coupon.MessageSent {
			sent = append(sent, m)
		}
	}
	s.record(t, bounced(coupon.BounceHard, bounceAt, string(sent[0].ID)))
	if counts["FAILED"] != 1 || counts["UNKNOWN"] != 1 || counts["CANCELED"] != 1 {
		t.Fatalf("messages are %v", counts)
	}

	var want, history []string
	for _, m := range s.messagesOf(t, id, nil) {
		want = append(want,
			row(m.ID, m.Status, m.CancelReason, m.Outcome, m.OutcomeAt, m.OutcomeReason))
	}
	d := s.delivery(t, id)
	q, end := openSnapshot(t, s.Store)
	defer end()
	if diff := cmp.Diff(want, q.rows(t, `SELECT id, status, cancel_reason, outcome, outcome_at, outcome_reason FROM messages ORDER BY id`)); diff != "" {
		t.Errorf("the view messages (-API +SQL):\n%s", diff)
	}
	wantCounts := []string{
		row(d.Counts.Pending, d.Counts.Sent, d.Counts.Failed, d.Counts.Canceled, d.Counts.Unknown),
	}
	if diff := cmp.Diff(wantCounts, q.rows(t, "SELECT pending_count, sent_count, failed_count, canceled_count, unknown_count FROM deliveries")); diff != "" {
		t.Errorf("the view deliveries (-API +SQL):\n%s", diff)
	}
	if got := q.rows(t, "SELECT reason, last_reason FROM quarantine"); !slices.Equal(got,
		[]string{`["HARD","550 no such user"]`}) {
		t.Errorf("the view quarantine has %v", got)
	}
	for _, isMasked := range []bool{false, true} {
		_, text := s.export(t, &coupon.Export{
			Kind: coupon.ExportMessages, Format: coupon.FormatJSONL,
			Request: coupon.ExportRequest{DeliveryID: &id, IsMasked: isMasked},
		})
		reason := map[bool]string{false: "550 no such user", true: "•••"}[isMasked]
		for _, part := range []string{
			`"cancelReason":"CODE_VOIDED"`, `"status":"UNKNOWN"`, `"outcome":"HARD_BOUNCE"`,
			`"outcomeReason":"` + reason + `"`,
		} {
			if !strings.Contains(text, part) {
				t.Errorf("masked %t, the file lacks %s:\n%s", isMasked, part, text)
			}
		}
	}
	ids := make([]coupon.ID, len(codes))
	for i, code := range codes {
		ids[i] = code.ID
	}
	events, err := s.EventsOf(t.Context(), ids)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		for _, event := range events[id] {
			if event.Kind == coupon.EventUnknown || event.Kind == coupon.EventBounced {
				history = append(history, row(event.At, event.Kind, event.Text))
			}
		}
	}
	slices.Sort(history)
	address := ""
	for _, m := range s.messagesOf(t, id, nil) {
		if m.Status == coupon.MessageUnknown {
			address = m.Address
		}
	}
	wantHistory := []string{
		row(noon(), coupon.EventUnknown, "Handed over and never answered for "+address+"."),
		row(bounceAt, coupon.EventBounced, "Came back: 550 no such user."),
	}
	if diff := cmp.Diff(wantHistory, history); diff != "" {
		t.Errorf("the history of codes (-want +got):\n%s", diff)
	}
}
