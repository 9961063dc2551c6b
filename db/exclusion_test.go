package db_test

import (
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"

	"couponql/coupon"
)

// explained analyzes a delivery to all recipients and gives why each was left out, by external ids.
func (s *scene) explained(t *testing.T, id coupon.ID) map[string]string {
	t.Helper()
	page := coupon.Page{First: coupon.MaxPageSize, WantsItems: true}
	lists, err := s.ExclusionsOf(t.Context(), []coupon.ID{id}, nil, page)
	if err != nil {
		t.Fatal(err)
	}
	var people []coupon.ID
	for _, excluded := range lists[id].Items {
		people = append(people, excluded.RecipientID)
	}
	sentences, err := s.ExplainExclusions(t.Context(), id, people)
	if err != nil {
		t.Fatal(err)
	}
	known, err := s.RecipientsByID(t.Context(), people)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, excluded := range lists[id].Items {
		got[known[excluded.RecipientID].ExternalID] = string(excluded.Reason) + ": " +
			sentences[excluded.RecipientID]
	}
	return got
}

// TestExplainExclusions tells of each recipient that was left out what is wrong, and what is not so
// any more.
func TestExplainExclusions(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	email := func(name, address string) *coupon.RecipientChanges {
		return &coupon.RecipientChanges{ExternalID: name, Email: coupon.Set(&address)}
	}
	objector := email("objector", "twin@example.org")
	objector.IsContactable = coupon.Set(new(false))
	none := &coupon.RecipientChanges{ExternalID: "none", Phone: coupon.Set(new("+4930123456"))}
	s.upsert(t, objector, email("first", "Twin@example.org"),
		email("second", "twin\u200b@example.org"), email("third", "twin@example.org"),
		email("at", "anna.example.org"), email("space", "an na@example.org"),
		email("back", "back@example.org"), email("fine", "fine@example.org"), none)
	s.wantRecord(t, bounced(coupon.BounceHard, noon(), "back@example.org"), "1 0 1")
	all, err := s.Recipients(t.Context(), nil,
		coupon.Page{First: coupon.MaxPageSize, WantsItems: true})
	if err != nil {
		t.Fatal(err)
	}
	ids := make([]coupon.ID, len(all.Items))
	for i, r := range all.Items {
		ids[len(ids)-1-i] = r.ID // the oldest first
	}
	id := s.newDelivery(t, "", ids,
		func(d *coupon.DeliveryChanges) { d.Body = coupon.Set(new("Hello")) })
	s.analyze(t, id, coupon.DeliveryReady)
	want := map[string]string{
		"objector": "NOT_CONTACTABLE: `isContactable` was false.",
		"second":   `DUPLICATE_ADDRESS: The target "first" has the same address and comes first.`,
		"third":    `DUPLICATE_ADDRESS: The target "first" has the same address and comes first.`,
		"at":       "INVALID_ADDRESS: The address has no @: give one such as anna@example.com.",
		"space":    `INVALID_ADDRESS: ' ' cannot stand before the @: take it out.`,
		"back":     "QUARANTINED: The address is in quarantine since 2026-11-23, as a message came back for good: 550 no such user.",
		"none":     "NO_ADDRESS: The recipient had no address for EMAIL.",
	}
	if diff := cmp.Diff(want, s.explained(t, id)); diff != "" {
		t.Errorf("explained (-want +got):\n%s", diff)
	}
	s.upsert(t, email("at", "anna@example.org"), email("third", "third@example.org"))
	if _, err := s.LiftQuarantine(t.Context(), coupon.ChannelEmail,
		[]string{"back@example.org"}); err != nil {
		t.Fatal(err)
	}
	later := maps.Clone(want)
	later["at"] = "INVALID_ADDRESS: The address was changed since the analysis. Analyze the delivery again."
	later["third"] = "DUPLICATE_ADDRESS: No other target has the address any more. Analyze the delivery again."
	later["back"] = "QUARANTINED: The address is not in quarantine any more. Analyze the delivery again."
	if diff := cmp.Diff(later, s.explained(t, id)); diff != "" {
		t.Errorf("explained after the changes (-want +got):\n%s", diff)
	}
	if got, err := s.ExplainExclusions(t.Context(), "delivery_99", ids); err != nil ||
		len(got) > 0 {
		t.Errorf("of no delivery: %v, %v", got, err)
	}
}

// TestInvisibleToken: a push token is compared without what nobody sees, wherever it is: also where
// its quarantine is shown and where its owner is erased.
func TestInvisibleToken(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.upsert(t, &coupon.RecipientChanges{
		ExternalID: "p1",
		Attributes: coupon.Set(new(coupon.JSON(`{"pushToken":"\ufeffa\u200bB"}`))),
	})
	known, err := s.RecipientByExternalID(t.Context(), "p1")
	if err != nil {
		t.Fatal(err)
	}
	report := bounced(coupon.BounceHard, noon(), "aB@example")
	report[0].Address, report[0].Channel = new("aB"), new(coupon.ChannelPush)
	s.wantRecord(t, report, "1 0 1")
	if found, err := s.QuarantineOf(t.Context(), []coupon.ID{known.ID}); err != nil ||
		len(found[known.ID]) != 1 {
		t.Errorf("in quarantine: %v, %v", found, err)
	}
	if _, err := s.EraseRecipients(t.Context(), []coupon.ID{known.ID}, nil); err != nil {
		t.Fatal(err)
	}
	s.wantQuarantined(t)
}
