package db_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"couponql/coupon"
)

// TestDuplicateDelivery: a copy has what the delivery was to be and nothing of what became of it,
// and goes its own way.
func TestDuplicateDelivery(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.newCoupon(t)
	s.codes(t, c, "", numbered("A", 10)...)
	people := s.recipients(t, 5)
	id := s.newDelivery(t, c, people, limitedTo(4), reusing(coupon.ReuseSkipHolders),
		contactAt("2026-11-23"))
	s.confirm(t, id)
	s.send(t, id)
	original := s.delivery(t, id)
	made, err := s.DuplicateDelivery(t.Context(), id, new(" Second "), true)
	if err != nil {
		t.Fatal(err)
	}
	want := &coupon.Delivery{
		ID: made.ID, Label: "Second", Channel: original.Channel, CouponID: original.CouponID,
		Subject: original.Subject, Body: original.Body, MessageLimit: original.MessageLimit,
		Reuse: original.Reuse, Status: coupon.DeliveryEditing, TargetCount: 5,
		Counts: coupon.MessageCounts{DeliveryID: made.ID}, CreatedAt: s.Now(),
	}
	want.Counts.DeliveryID = made.Counts.DeliveryID
	if diff := cmp.Diff(want, made); diff != "" {
		t.Errorf("the copy (-want +got):\n%s", diff)
	}
	if log := strings.Join(s.log(t, made.ID), "\n"); !strings.Contains(log,
		`Copied from "Newsletter" (`+string(id)+`) with 5 targets.`) {
		t.Errorf("log: %s", log)
	}
	// Four have a code by now.
	if a := s.analyze(t, made.ID, coupon.DeliveryReady); a.MessageCount != 1 {
		t.Errorf("analysis: %+v", a)
	}
	if diff := cmp.Diff(original, s.delivery(t, id)); diff != "" {
		t.Errorf("the original (-before +after):\n%s", diff)
	}
	empty, err := s.DuplicateDelivery(t.Context(), made.ID, nil, false)
	if err != nil || empty.TargetCount != 0 || empty.Label != "Second" ||
		empty.Status != coupon.DeliveryEditing {
		t.Errorf("without targets: %+v, %v", empty, err)
	}
	_, err = s.DuplicateDelivery(t.Context(), "delivery_9", nil, true)
	wantError(t, err, coupon.ErrorNotFound, "input.id")
	_, err = s.DuplicateDelivery(t.Context(), id, new(""), true)
	wantError(t, err, coupon.ErrorInvalid, "input.label")
	s.checkSound(t)
}
