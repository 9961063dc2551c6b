package db

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"couponql/coupon"
	"couponql/db/duckdb/memory"
)

// TestReadBeforeWritten tells that a code that is read when its redemption is decided and not
// written yet is read anew later.
func TestReadBeforeWritten(t *testing.T) {
	t.Parallel()
	s := openTemp(t)
	c, err := s.CreateCoupon(t.Context(), &coupon.CouponChanges{
		Type: coupon.TypeIndividual, Label: coupon.Set(new("c")),
		StartsAt:           coupon.Set(new(coupon.DateTime("2020-01-01"))),
		RequiresAssignment: coupon.Set(new(false)),
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.AddCodes(t.Context(), c.ID, []coupon.NewCode{{Value: "A-1"}}); err != nil {
		t.Fatal(err)
	}
	err = s.join(t.Context(), 1, func(g *group) error {
		if outcome, _ := g.redeem(&coupon.RedeemRequest{Value: "A-1"}); outcome.Refusal != nil {
			return outcome.Refusal
		}
		code, err := s.CodeByValue(t.Context(), "A-1", coupon.AnyState)
		if err == nil && code.Status != coupon.CodeAvailable {
			err = fmt.Errorf("what is not on disk is shown: %+v", code)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if code, err := s.CodeByValue(t.Context(), "A-1", coupon.AnyState); err != nil ||
		code.RedeemedAt == nil {
		t.Errorf("got %+v, %v", code, err)
	}
}

// TestReadBeforeChange tells that what was read before a change, and comes after it, is not kept.
func TestReadBeforeChange(t *testing.T) {
	t.Parallel()
	s := openTemp(t)
	codes := s.memory.Describe(nil, coupon.AnyState)
	_, _, revision := s.memory.RecallRecipients(nil)
	err := s.update(t.Context(), func(_ context.Context, t *turn) error {
		t.HasWritten = true
		t.touch(memory.AllRecipients)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	codes.Codes[1], codes.Missing = &memory.KnownCode{Code: coupon.Code{Value: "A-1"}}, []int64{1}
	recipients := map[coupon.ID]*coupon.Recipient{
		"recipient_1": {},
		"recipient_2": {Attributes: coupon.JSON(strings.Repeat(" ", memory.MaxRecentAttributes+1))},
	}
	s.memory.KeepCodes(codes)
	s.memory.KeepRecipients(recipients, []int64{1, 2}, revision)
	if codes, recipients, _ := s.memory.Recent(); len(codes)+len(recipients) > 0 {
		t.Errorf("%d codes and %d recipients are kept", codes, recipients)
	}
	codes.Revision, revision = s.memory.Revision(), s.memory.Revision()
	s.memory.KeepCodes(codes)
	s.memory.KeepRecipients(recipients, []int64{1, 2}, revision)
	if codes, recipients, _ := s.memory.Recent(); len(codes) != 1 || len(recipients) != 1 {
		t.Errorf("%d codes and %d recipients are kept of what was read since, and not one each",
			codes, recipients)
	}
}
