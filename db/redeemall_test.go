package db_test

import (
	"fmt"
	"testing"

	"couponql/coupon"
)

// TestRedeemAll tells that many redemptions are decided one after the other, each as if it had come
// alone, and that a batch made again changes nothing.
func TestRedeemAll(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.newCoupon(t, withoutAssignment)
	s.codes(t, c, "", "A1", "A2", "a3")
	s.newCoupon(t, anonymous, withCode("ALL"), withLimit(2))
	requests := func() []*coupon.RedeemRequest {
		return []*coupon.RedeemRequest{
			{
				Value: "A1", IdempotencyKey: new("order 1"), Amount: new(coupon.Decimal("7.5")),
				Currency: new("EUR"),
			},
			{Value: "a1", IdempotencyKey: new("order 2")},
			{Value: "nobody"},
			{Value: "ALL", IdempotencyKey: new("order 3")},
			{Value: "all", IdempotencyKey: new("order 4")},
			{Value: "ALL"},
			{
				Value: "A1", IdempotencyKey: new("order 1"), Amount: new(coupon.Decimal("7.50")),
				Currency: new("EUR"),
			},
			{Value: "A2", IdempotencyKey: new("order 1")},
			{Value: "A2", Currency: new("euro")},
			{Value: "A3", IdempotencyKey: new("order 5")},
		}
	}
	want := []coupon.ErrorCode{
		"", coupon.ErrorCodeAlreadyRedeemed, coupon.ErrorCodeUnknown, "", "",
		coupon.ErrorRedemptionLimitReached, "",
		coupon.ErrorAlreadyExists, coupon.ErrorInvalid, "",
	}
	var ids []coupon.ID
	for round := range 3 {
		got, err := s.RedeemAll(t.Context(), requests())
		if err != nil {
			t.Fatal(err)
		}
		for i, outcome := range got {
			code := coupon.ErrorCode("")
			if problems, ok := coupon.AsUserErrors(outcome.Refusal); ok {
				code = problems[0].Code
			}
			if code != want[i] || (outcome.Redemption == nil) != (want[i] != "") {
				t.Errorf("round %d: request %d: %v, %v, want %q", round, i, outcome.Redemption,
					outcome.Refusal, want[i])
			}
			if outcome.Redemption == nil {
				continue
			}
			if round == 0 {
				ids = append(ids, outcome.Redemption.ID)
			} else if place := countSet(want[:i]); ids[place] != outcome.Redemption.ID {
				t.Errorf("round %d: request %d gives %s, not %s again", round, i,
					outcome.Redemption.ID, ids[place])
			}
		}
		if got[0].Redemption.ID != got[6].Redemption.ID {
			t.Errorf("one idempotency key recorded %s and %s", got[0].Redemption.ID,
				got[6].Redemption.ID)
		}
		s.wantAvailability(t, c, "available 1, redeemed 2")
		s.checkSound(t)
		if round == 1 {
			s.reopen(t)
		}
	}
}

// countSet counts the requests that are not refused.
func countSet(codes []coupon.ErrorCode) int {
	count := 0
	for _, code := range codes {
		if code == "" {
			count++
		}
	}
	return count
}

// TestRedeemAsksNoRows tells that a decision and its answer need no statement, so that they cost
// the same however many codes there are.
func TestRedeemAsksNoRows(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.newCoupon(t)
	s.codes(t, c, "", "A1", "A2", "a3")
	s.deliver(t, c, s.recipients(t, 2))
	before := s.Statements()
	s.redeem(t, "a1")
	for value, want := range map[string]coupon.ErrorCode{
		"A1": coupon.ErrorCodeAlreadyRedeemed, "A3": coupon.ErrorCodeNotAssigned,
		"A4": coupon.ErrorCodeUnknown,
	} {
		_, err := s.Redeem(t.Context(), &coupon.RedeemRequest{Value: value})
		wantError(t, err, want, "input.value")
	}
	if statements := s.Statements() - before; statements != 0 {
		t.Errorf("redeeming ran %d statements", statements)
	}
}

// TestRecorded tells that who watches gets every redemption once, in the order in which they were
// recorded.
func TestRecorded(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	one, other := s.newCoupon(t, withoutAssignment), s.newCoupon(t, withoutAssignment)
	s.codes(t, one, "", numbered("A", 700)...)
	s.codes(t, other, "", numbered("B", 10)...)
	s.redeem(t, "B0001")
	place, changed, stop := s.WatchRedemptions()
	defer stop()
	for i := range 10 {
		var requests []*coupon.RedeemRequest
		for j := range 60 {
			requests = append(requests,
				&coupon.RedeemRequest{Value: fmt.Sprintf("A%04d", i*60+j+1)})
		}
		if i == 4 {
			requests = append(requests, &coupon.RedeemRequest{Value: "B0002"},
				&coupon.RedeemRequest{Value: "B0001"})
		}
		if _, err := s.RedeemAll(t.Context(), requests); err != nil {
			t.Fatal(err)
		}
	}
	s.importFile(t, &coupon.Import{Kind: coupon.ImportRedemptions, Timezone: "UTC"},
		"code,date\nA0601,2026-01-01\nB0003,2026-01-02\n")
	<-changed
	read := func(id coupon.ID) (values []string) {
		t.Helper()
		at := place
		for {
			redemptions, next, err := s.Recorded(t.Context(), at, id)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range redemptions {
				values = append(values, r.CodeValue)
			}
			if next == at {
				return values
			}
			at = next
		}
	}
	if got := read(one); len(got) != 601 || got[0] != "A0001" || got[599] != "A0600" ||
		got[600] != "A0601" {
		t.Errorf("got %d: %v", len(got), got)
	}
	if got := read(other); fmt.Sprint(got) != "[B0002 B0003]" {
		t.Errorf("got %v", got)
	}
	if got := read(""); len(got) != 603 || got[300] != "B0002" {
		t.Errorf("got %d: %v", len(got), got)
	}
}
