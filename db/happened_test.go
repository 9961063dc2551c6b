package db_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"couponql/coupon"
)

// TestHappened: what happened to a code that nobody looked at before is found without a statement
// once its neighbours were asked for, and is what the rows say.
func TestHappened(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.newCoupon(t)
	const count = 200
	s.codes(t, c, "", numbered("H", count)...)
	s.deliver(t, c, s.recipients(t, count/2))
	for i := range count / 4 {
		s.redeem(t, fmt.Sprintf("H%04d", 2*i+1))
	}
	wanted := coupon.AnyState &^ (coupon.StateAddressed | coupon.StateVoided)
	values := numbered("H", count)
	ask := func(value string) (*coupon.Code, int64) {
		t.Helper()
		before := s.Statements()
		code, err := s.CodeByValue(t.Context(), value, wanted)
		if err != nil || code == nil {
			t.Fatalf("%s: %v, %v", value, code, err)
		}
		return code, s.Statements() - before
	}
	// The rows are asked until the page is read.
	rows := map[string]*coupon.Code{}
	for _, value := range values {
		rows[value], _ = ask(value)
		rows[value].Address = nil
	}
	s.ForgetRecent()
	for _, value := range values {
		code, statements := ask(value)
		if statements != 0 {
			t.Errorf("%s took %d statements", value, statements)
		}
		if diff := cmp.Diff(rows[value], code); diff != "" {
			t.Errorf("%s (-rows +known):\n%s", value, diff)
		}
	}
	// What changes is known as it is now: redeemed, reversed, redeemed again, voided.
	s.clock.Advance(time.Hour)
	again := s.redeem(t, values[61])
	if code, statements := ask(values[61]); statements != 0 ||
		!code.RedeemedAt.Equal(s.clock.Now()) {
		t.Errorf("redeemed now: %+v after %d statements", code.RedeemedAt, statements)
	}
	if _, err := s.Reverse(t.Context(), nil, again.ID, nil); err != nil {
		t.Fatal(err)
	}
	if code, _ := ask(values[61]); code.RedeemedAt != nil {
		t.Errorf("reversed: redeemed at %v", code.RedeemedAt)
	}
	s.clock.Advance(time.Hour)
	s.redeem(t, values[61])
	if code, _ := ask(values[61]); !code.RedeemedAt.Equal(s.clock.Now()) {
		t.Errorf("redeemed once more: %v", code.RedeemedAt)
	}
	s.checkSound(t)
}

// TestHappenedRedemptions: the redemption of a code is found by its number, and none of several is
// taken for the only one.
func TestHappenedRedemptions(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.newCoupon(t, func(c *coupon.CouponChanges) { c.RedemptionLimit = coupon.Set(new(2)) })
	values := numbered("R", 40)
	s.codes(t, c, "", values...)
	s.deliver(t, c, s.recipients(t, 40))
	for _, value := range values {
		s.redeem(t, value)
	}
	if err := s.LearnHappened(t.Context()); err != nil {
		t.Fatal(err)
	}
	twice := s.redeem(t, values[1])
	if _, err := s.Reverse(t.Context(), nil, s.redeem(t, values[2]).ID, nil); err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{1, 2, 2, 1} {
		code, err := s.CodeByValue(t.Context(), values[i], 0)
		if err != nil {
			t.Fatal(err)
		}
		before := s.Statements()
		lists, err := s.CodeRedemptions(t.Context(), []coupon.ID{code.ID},
			coupon.Page{First: 10, WantsItems: true, WantsTotal: true})
		if err != nil {
			t.Fatal(err)
		}
		statements := s.Statements() - before
		list := lists[code.ID]
		if len(list.Items) != want || list.Total != want {
			t.Errorf("%s has %d redemptions of %d, want %d", values[i], len(list.Items),
				list.Total, want)
		}
		if want == 1 && statements != 1 {
			t.Errorf("%s took %d statements, want that of the redemption alone", values[i], statements)
		}
		after := list.Items[len(list.Items)-1].ID
		beyond, err := s.CodeRedemptions(t.Context(), []coupon.ID{code.ID}, coupon.Page{
			First: 10, WantsItems: true,
			After: &coupon.Cursor{Number: coupon.MustNumber(coupon.KindRedemption, after)},
		})
		if err != nil || len(beyond[code.ID].Items) != 0 {
			t.Errorf("%s: %v beyond the last one, %v", values[i], beyond[code.ID], err)
		}
		if i == 1 && list.Items[0].ID != twice.ID {
			t.Errorf("the newest is %s, want %s", list.Items[0].ID, twice.ID)
		}
	}
	s.checkSound(t)
}

// TestHappenedIsChecked: integrityReport finds what memory keeps that the rows do not say, and
// keeps what they say.
func TestHappenedIsChecked(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.newCoupon(t)
	s.codes(t, c, "", numbered("C", 20)...)
	s.deliver(t, c, s.recipients(t, 20))
	if err := s.LearnHappened(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.Exec(t, "UPDATE message SET recipient_id = recipient_id + 1000 WHERE code_id = 7")
	violations := func() []string {
		report, err := s.IntegrityReport(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(report.Checks,
			func(check *coupon.IntegrityCheck) bool { return check.Name == "happened" })
		return report.Checks[i].Examples
	}
	if diff := cmp.Diff([]string{"code_7"}, violations()); diff != "" {
		t.Errorf("violations (-want +got):\n%s", diff)
	}
	if left := violations(); len(left) > 0 {
		t.Errorf("%v is wrong still", left)
	}
}
