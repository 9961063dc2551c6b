package db_test

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"couponql/coupon"
	"couponql/db"
)

func reusing(reuse coupon.CodeReuse) func(*coupon.DeliveryChanges) {
	return func(d *coupon.DeliveryChanges) { d.Reuse = coupon.Set(&reuse) }
}

// reminder makes a delivery to those who have an unredeemed code of a coupon.
func (s *scene) reminder(
	t *testing.T, c coupon.ID, edits ...func(*coupon.DeliveryChanges),
) coupon.ID {
	t.Helper()
	id := s.newDelivery(t, c, nil, append(edits, reusing(coupon.ReuseSameCode))...)
	_, err := s.AddTargets(t.Context(), id, nil, &coupon.RecipientFilter{
		Codes: []*coupon.GivenCodeFilter{{
			CouponID: &c, Status: []coupon.CodeStatus{coupon.CodeAssigned},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// reasons returns how many an analysis left out for which reason.
func reasons(a *coupon.Analysis) map[coupon.ExclusionReason]int {
	found := map[coupon.ExclusionReason]int{}
	for _, e := range a.Exclusions {
		found[e.Reason] = e.Count
	}
	return found
}

// TestReminder is a reminder as a shop means it: 1,000 get a code, 400 redeem theirs, and the other
// 600 get the same one again, which needs none from the pool.
func TestReminder(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.newCoupon(t)
	s.codes(t, c, "", numbered("A", 1000)...)
	people := s.recipients(t, 1300)
	first := s.newDelivery(t, c, people, limitedTo(1000))
	s.confirm(t, first)
	s.send(t, first)
	held := s.allHeld(t, first)
	names := slices.Sorted(maps.Keys(held))
	var requests []*coupon.RedeemRequest
	for _, name := range names[:400] {
		requests = append(requests, &coupon.RedeemRequest{Value: held[name]})
	}
	if _, err := s.RedeemAll(t.Context(), requests); err != nil {
		t.Fatal(err)
	}
	id := s.reminder(t, c)
	a := s.analyze(t, id, coupon.DeliveryReady)
	if a.MessageCount != 600 || a.CodesNeeded != 0 || a.CodesReused != 600 || a.HeldUntil != nil {
		t.Fatalf("analysis %+v", a)
	}
	// Who redeems between analysis and confirmation is left out.
	for _, name := range names[400:403] {
		s.redeem(t, held[name])
	}
	if _, err := s.ConfirmDelivery(t.Context(), id, fine); err != nil {
		t.Fatal(err)
	}
	s.wantAvailability(t, c, "assigned 597, redeemed 403")
	// Who redeems before the message leaves does not get it either.
	s.redeem(t, held[names[403]])
	s.sendJudged(t, id, 1000)
	d := s.delivery(t, id)
	if d.Counts.Total != 597 || d.Counts.Sent != 596 || d.Counts.Canceled != 1 ||
		d.Status != coupon.DeliveryFinished {
		t.Errorf("the reminder: %s %+v", d.Status, d.Counts)
	}
	want := maps.Clone(held)
	for _, name := range names[:403] {
		delete(want, name)
	}
	if diff := cmp.Diff(want, s.allHeld(t, id)); diff != "" {
		t.Errorf("codes of the reminder (-want +got):\n%s", diff)
	}
	s.wantAvailability(t, c, "assigned 596, redeemed 404")
	s.checkSound(t)
	// Those whom the limit left out are the rest of the first delivery.
	left := s.newDelivery(t, c, nil)
	d, err := s.AddTargets(t.Context(), left, nil, &coupon.RecipientFilter{
		ExcludedFrom: &coupon.ExcludedFromFilter{
			DeliveryID: first, Reasons: []coupon.ExclusionReason{coupon.ExcludedMessageLimit},
		},
	})
	if err != nil || d.TargetCount != 300 {
		t.Errorf("left out were %d, %v", d.TargetCount, err)
	}
	s.reopen(t)
	s.wantAvailability(t, c, "assigned 596, redeemed 404")
	s.checkSound(t)
}

// allHeld is heldBy for any number of messages.
func (s *scene) allHeld(t *testing.T, id coupon.ID) map[string]string {
	t.Helper()
	held := map[string]string{}
	page := coupon.Page{First: coupon.MaxPageSize, WantsItems: true}
	for {
		lists, err := s.DeliveryMessages(t.Context(), []coupon.ID{id}, nil, nil, nil, page)
		if err != nil {
			t.Fatal(err)
		}
		contents, err := s.MessageContents(t.Context(), lists[id].Items)
		if err != nil {
			t.Fatal(err)
		}
		var people []coupon.ID
		for _, m := range lists[id].Items {
			people = append(people, m.RecipientID)
		}
		known, err := s.RecipientsByID(t.Context(), people)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range lists[id].Items {
			held[known[m.RecipientID].ExternalID] = contents[m.ID].Data.CouponValue.Code
		}
		if !lists[id].HasNext {
			return held
		}
		page.After = new(lists[id].Cursors[len(lists[id].Cursors)-1])
	}
}

// TestReuse tells what each setting gives to whom: people without a code, with one, with one that
// waits, was redeemed, voided or taken back.
func TestReuse(t *testing.T) {
	t.Parallel()
	for reuse, want := range map[coupon.CodeReuse]struct {
		needed, reused int
		reasons        map[coupon.ExclusionReason]int
	}{
		coupon.ReuseNewCode: {6, 0, map[coupon.ExclusionReason]int{}},
		coupon.ReuseSameCode: {3, 1, map[coupon.ExclusionReason]int{
			coupon.ExcludedHoldsCode: 1, coupon.ExcludedAlreadyRedeemed: 1,
		}},
		coupon.ReuseSkipHolders: {4, 0, map[coupon.ExclusionReason]int{
			coupon.ExcludedHoldsCode: 2,
		}},
	} {
		t.Run(string(reuse), func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			c := s.newCoupon(t)
			s.codes(t, c, "", numbered("A", 20)...)
			people := s.recipients(t, 6)
			first := s.deliver(t, c, people[:4])
			waits := s.newDelivery(t, c, people[4:5], contactAt("2026-11-30"))
			s.confirm(t, waits)
			held := s.heldBy(t, first)
			s.redeem(t, held["r2"])
			if _, err := s.VoidCodes(t.Context(), voiding(c, held["r3"])); err != nil {
				t.Fatal(err)
			}
			if _, _, _, err := s.ReleaseCodes(t.Context(), voiding(c, held["r4"]), true,
				"bounced"); err != nil {
				t.Fatal(err)
			}
			id := s.newDelivery(t, c, people, reusing(reuse))
			a := s.analyze(t, id, coupon.DeliveryReady)
			if a.CodesNeeded != want.needed || a.CodesReused != want.reused ||
				a.MessageCount != want.needed+want.reused {
				t.Errorf("analysis: %+v", a)
			}
			if diff := cmp.Diff(want.reasons, reasons(a)); diff != "" {
				t.Errorf("left out (-want +got):\n%s", diff)
			}
			if _, err := s.ConfirmDelivery(t.Context(), id, fine); err != nil {
				t.Fatal(err)
			}
			s.send(t, id)
			got := s.heldBy(t, id)
			if len(got) != a.MessageCount ||
				(reuse != coupon.ReuseSkipHolders) != (got["r1"] != "") ||
				(reuse == coupon.ReuseSameCode) != (got["r1"] == held["r1"]) {
				t.Errorf("codes: %v, before %v", got, held)
			}
			s.checkSound(t)
		})
	}
}

// TestReminderFreesNothing: what becomes of a reminder changes nothing for the code, be it stopped,
// refused or erased.
func TestReminderFreesNothing(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.newCoupon(t)
	s.codes(t, c, "", numbered("A", 5)...)
	people := s.recipients(t, 4)
	first := s.deliver(t, c, people[:3])
	held := s.heldBy(t, first)
	// Targets without a code need one, before and behind those that have one.
	stopped := s.newDelivery(t, c, people, reusing(coupon.ReuseSameCode), contactAt("2026-11-30"))
	s.confirm(t, stopped)
	s.wantAvailability(t, c, "available 1, assigned 4")
	if _, err := s.StopDelivery(t.Context(), stopped); err != nil {
		t.Fatal(err)
	}
	s.wantAvailability(t, c, "available 2, assigned 3")
	failing := s.newDelivery(t, c, people[:3], reusing(coupon.ReuseSameCode))
	s.confirm(t, failing)
	batch, err := s.NextBatch(t.Context(), failing, 10)
	if err != nil {
		t.Fatal(err)
	}
	if err := batch.Record(t.Context(), &db.SentBatch{
		Failed: batch.Contents, Failures: []string{"no", "no", "no"},
	}); err != nil {
		t.Fatal(err)
	}
	if got := s.delivery(t, failing).Counts.Failed; got != 3 {
		t.Errorf("%d failed", got)
	}
	s.wantAvailability(t, c, "available 2, assigned 3")
	if diff := cmp.Diff(held, s.heldBy(t, failing)); diff != "" {
		t.Errorf("codes (-want +got):\n%s", diff)
	}
	erased := s.reminder(t, c, contactAt("2026-11-30"))
	s.confirm(t, erased)
	if _, err := s.EraseRecipients(t.Context(), people[:1], nil); err != nil {
		t.Fatal(err)
	}
	s.wantAvailability(t, c, "available 2, assigned 3")
	s.checkSound(t)
}

// TestReminderOfReleased: a code that is taken back takes the reminder along, so that it is nobody
// else's, also when that happens while the reminder is confirmed.
func TestReminderOfReleased(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.newCoupon(t)
	s.codes(t, c, "", numbered("A", 2)...)
	people := s.recipients(t, 3)
	held := s.heldBy(t, s.deliver(t, c, people[:2]))
	release := func(value string) (released, kept, canceled int) {
		released, kept, canceled, err := s.ReleaseCodes(t.Context(), voiding(c, value), true, "x")
		if err != nil {
			t.Fatal(err)
		}
		return released, kept, canceled
	}
	waiting := s.reminder(t, c, contactAt("2026-11-30"))
	s.confirm(t, waiting)
	if released, kept, canceled := release(held["r1"]); released != 1 || kept != 0 ||
		canceled != 1 {
		t.Errorf("released %d, kept %d, canceled %d", released, kept, canceled)
	}
	meanwhile := s.reminder(t, c, contactAt("2026-11-30"))
	s.analyze(t, meanwhile, coupon.DeliveryReady)
	var once sync.Once
	_, err := s.ConfirmWith(t.Context(), meanwhile, fine, func() {
		once.Do(func() { release(held["r2"]) })
	})
	wantError(t, err, coupon.ErrorAnalysisStale, "input.id")
	s.deliver(t, c, people[2:])
	s.clock.Set(noon().AddDate(0, 0, 8))
	if err := s.BeginSending(t.Context(), waiting); err != nil {
		t.Fatal(err)
	}
	s.send(t, waiting)
	if got := s.delivery(t, waiting).Counts; got.Sent != 0 || got.Canceled != 2 {
		t.Errorf("the reminder: %+v", got)
	}
	s.checkSound(t)
}

// TestReminderByLabel: who has a code needs no label that matches; who has none does.
func TestReminderByLabel(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.newCoupon(t)
	s.codes(t, c, "ball", numbered("B", 3)...)
	s.codes(t, c, "club", numbered("C", 3)...)
	people := s.recipients(t, 6, "ball", "club")
	matching := func(d *coupon.DeliveryChanges) { d.MatchLabelTo = coupon.Set(new("sport")) }
	first := s.newDelivery(t, c, people[:2], matching)
	s.confirm(t, first)
	s.send(t, first)
	held := s.heldBy(t, first)
	none := coupon.JSON(`{}`)
	s.upsert(t, &coupon.RecipientChanges{ExternalID: "r1", Attributes: coupon.Set(&none)},
		&coupon.RecipientChanges{ExternalID: "r3", Attributes: coupon.Set(&none)})
	id := s.newDelivery(t, c, people, matching, reusing(coupon.ReuseSameCode))
	a := s.analyze(t, id, coupon.DeliveryReady)
	if a.CodesReused != 2 || a.CodesNeeded != 3 ||
		reasons(a)[coupon.ExcludedNoMatchingLabel] != 1 {
		t.Errorf("analysis: %+v", a)
	}
	if _, err := s.ConfirmDelivery(t.Context(), id, fine); err != nil {
		t.Fatal(err)
	}
	s.send(t, id)
	got := s.heldBy(t, id)
	for i, prefix := range []string{held["r1"], held["r2"], "", "C", "B", "C"} {
		name := fmt.Sprintf("r%d", i+1)
		if prefix == "" != (got[name] == "") || len(prefix) > 0 && got[name][:1] != prefix[:1] ||
			len(prefix) > 1 && got[name] != prefix {
			t.Errorf("%s got %q, want %s", name, got[name], prefix)
		}
	}
	s.checkSound(t)
}
