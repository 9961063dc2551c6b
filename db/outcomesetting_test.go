package db_test

import (
	"strings"
	"testing"

	"couponql/coupon"
)

// TestAllowDuplicateAddresses gives one address a message for each target that has it, where that
// is asked for, and says so.
func TestAllowDuplicateAddresses(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	people := s.recipients(t, 3)
	if _, err := s.UpsertRecipients(t.Context(), []*coupon.RecipientChanges{
		{ExternalID: "r2", Email: coupon.Set(new(" R1@example.org"))},
		{ExternalID: "r3", IsContactable: coupon.Set(new(false))},
	}); err != nil {
		t.Fatal(err)
	}
	c := s.newCoupon(t)
	s.codes(t, c, "", numbered("DUP", 3)...)
	id := s.newDelivery(t, c, people)
	if found := s.analyze(t, id, coupon.DeliveryReady); found.MessageCount != 1 {
		t.Fatalf("%d messages, want 1", found.MessageCount)
	}
	if _, err := s.UpdateDelivery(t.Context(), id, &coupon.DeliveryChanges{
		AllowDuplicateAddresses: coupon.Set(new(true)), SendRate: coupon.Set(new(0.05)),
	}); err != nil {
		t.Fatal(err)
	}
	found := s.analyze(t, id, coupon.DeliveryReady)
	if rate := s.delivery(t, id).SendRate; found.MessageCount != 2 || rate == nil || *rate != 0.05 {
		t.Errorf("%d messages, want 2; rate %v", found.MessageCount, rate)
	}
	if len(found.Exclusions) != 1 || found.Exclusions[0].Reason != coupon.ExcludedNotContactable {
		t.Errorf("left out %v, want the person who objected, whatever is switched off",
			found.Exclusions)
	}
	said := 0
	for _, line := range s.log(t, id) {
		if strings.HasPrefix(line, "INFO Switched off: ") {
			said++
		}
	}
	if said != 1 {
		t.Errorf("%d lines say what is switched off, want 1", said)
	}
	parts, err := s.SplitDelivery(t.Context(), id, coupon.SplitParts{{Label: "All", Rest: true}})
	if err != nil {
		t.Fatal(err)
	}
	if !parts[0].AllowDuplicateAddresses || parts[0].SendRate == nil || parts[0].IgnoreQuarantine {
		t.Errorf("the part has %v, %v, %v: not the settings of its delivery",
			parts[0].AllowDuplicateAddresses, parts[0].SendRate, parts[0].IgnoreQuarantine)
	}
}
