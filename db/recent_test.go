package db_test

import (
	"testing"
	"time"

	"couponql/coupon"
)

// TestRecent tells that a page of codes and recipients that is asked for again runs no statement
// for them, until anything changes that matters to it.
func TestRecent(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	id := s.newCoupon(t)
	s.codes(t, id, "", "A-1", "a-2", "A-3", "A-4")
	recipients := s.recipients(t, 3)
	s.deliver(t, id, recipients)
	redemption := s.redeem(t, "A-1")
	// look reads all of it, and tells how many statements that took.
	look := func() (codes []*coupon.Code, statements int64) {
		before := s.Statements()
		codes = s.allCodes(t, id, nil)
		if _, err := s.RecipientsByID(t.Context(), recipients); err != nil {
			t.Fatal(err)
		}
		return codes, s.Statements() - before
	}
	look()
	if _, statements := look(); statements != 0 {
		t.Errorf("the same again runs %d statements", statements)
	}
	for _, step := range []struct {
		name string
		do   func() error
	}{
		{"a redemption", func() error { s.redeem(t, "a-2"); return nil }},
		{"another redemption instead of one", func() error {
			_, err := s.Reverse(t.Context(), nil, redemption.ID, nil)
			s.clock.Advance(time.Hour)
			redemption = s.redeem(t, "A-1")
			return err
		}},
		{"a reversal", func() error {
			_, err := s.Reverse(t.Context(), nil, redemption.ID, nil)
			return err
		}},
		{"a void", func() error {
			_, err := s.VoidCodes(t.Context(), voiding(id, "A-4"))
			return err
		}},
		{"a recipient", func() error { s.recipients(t, 3); return nil }},
		{"an erasure", func() error {
			_, err := s.EraseRecipients(t.Context(), recipients[:1], nil)
			return err
		}},
	} {
		if err := step.do(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if _, statements := look(); statements == 0 {
			t.Errorf("after %s nothing was read anew", step.name)
		}
		if _, statements := look(); statements != 0 {
			t.Errorf("after %s the same again runs %d statements", step.name, statements)
		}
		s.checkSound(t)
		look()
	}
	codes, _ := look()
	for _, code := range codes {
		if code.RecipientID != nil && *code.RecipientID == recipients[0] && *code.Address != "" {
			t.Errorf("the address of an erased recipient is kept: %q", *code.Address)
		}
	}
}
