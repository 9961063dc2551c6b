package db_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"couponql/coupon"
	"couponql/db"
)

func TestCreateDelivery(t *testing.T) {
	t.Parallel()
	t.Run("OK", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		d := s.delivery(t, s.newDelivery(t, s.newCoupon(t), nil))
		if d.Status != coupon.DeliveryEditing || d.Channel != coupon.ChannelEmail ||
			*d.CouponID != "coupon_1" ||
			!d.CreatedAt.Equal(noon()) {
			t.Errorf("got %+v", d)
		}
	})
	t.Run("INVALID", func(t *testing.T) {
		t.Parallel()
		_, err := newScene(t).CreateDelivery(t.Context(), &coupon.DeliveryChanges{
			Label: coupon.Set(new("")), Body: coupon.Set(new(" ")),
			MessageLimit: coupon.Set(new(-1)),
		})
		for _, field := range []string{"input.label", "input.body", "input.messageLimit"} {
			wantError(t, err, coupon.ErrorInvalid, field)
		}
	})
	t.Run("NOT_FOUND", func(t *testing.T) {
		t.Parallel()
		_, err := newScene(t).CreateDelivery(t.Context(),
			&coupon.DeliveryChanges{CouponID: coupon.Set(new(coupon.ID("coupon_9")))})
		wantError(t, err, coupon.ErrorNotFound, "input.couponId")
	})
}

func TestUpdateDelivery(t *testing.T) {
	t.Parallel()
	t.Run("OK", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		c := s.newCoupon(t)
		s.codes(t, c, "", "A1", "A2")
		id := s.newDelivery(t, c, s.recipients(t, 2))
		s.analyze(t, id, coupon.DeliveryReady)
		s.wantAvailability(t, c, "held 2")
		got, err := s.UpdateDelivery(t.Context(), id,
			&coupon.DeliveryChanges{Label: coupon.Set(new("Renamed"))})
		if err != nil {
			t.Fatal(err)
		}
		if got.Status != coupon.DeliveryEditing || got.Label != "Renamed" ||
			got.Analysis.HeldUntil != nil {
			t.Errorf("got %+v", got)
		}
		s.wantAvailability(t, c, "available 2")
		log := s.log(t, id)
		if last := log[len(log)-1]; !strings.Contains(last, "2 held codes are free again") {
			t.Errorf("the log ends with %q", last)
		}
		s.reopen(t)
		s.wantAvailability(t, c, "available 2")
	})
	t.Run("NOT_FOUND", func(t *testing.T) {
		t.Parallel()
		_, err := newScene(t).UpdateDelivery(t.Context(), "delivery_1", &coupon.DeliveryChanges{})
		wantError(t, err, coupon.ErrorNotFound, "input.id")
	})
	t.Run("INVALID_STATE", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		id := s.deliver(t, "", s.recipients(t, 1))
		_, err := s.UpdateDelivery(t.Context(), id, &coupon.DeliveryChanges{})
		wantError(t, err, coupon.ErrorInvalidState, "input.id")
		wantError(t, s.DeleteDelivery(t.Context(), id), coupon.ErrorInvalidState, "input.id")
		_, err = s.ClearTargets(t.Context(), id)
		wantError(t, err, coupon.ErrorInvalidState, "input.deliveryId")
	})
}

func TestAddTargets(t *testing.T) {
	t.Parallel()
	t.Run("OK", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		recipients := s.recipients(t, 6, "soccer", "tennis")
		id := s.newDelivery(t, "", nil)
		add := func(want int, ids []coupon.ID, filter *coupon.RecipientFilter) {
			t.Helper()
			d, err := s.AddTargets(t.Context(), id, ids, filter)
			if err != nil || d.TargetCount != want {
				t.Fatalf("%d targets, %v, want %d", d.TargetCount, err, want)
			}
		}
		add(2, []coupon.ID{recipients[4], recipients[1], recipients[4]}, nil)
		add(2, []coupon.ID{recipients[1]}, nil)
		add(4, nil, &coupon.RecipientFilter{
			Attributes: []*coupon.AttributeFilter{{Name: "sport", In: []string{"soccer"}}},
		})
		add(5, []coupon.ID{}, &coupon.RecipientFilter{Search: new("R6@")})
		add(6, nil, &coupon.RecipientFilter{})
		d, err := s.ClearTargets(t.Context(), id)
		if err != nil || d.TargetCount != 0 {
			t.Errorf("%d targets are left, %v", d.TargetCount, err)
		}
		s.checkSound(t)
	})
	t.Run("NOT_FOUND", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		recipients := s.recipients(t, 1)
		id := s.newDelivery(t, "", nil)
		for _, unknown := range []coupon.ID{"recipient_9", "coupon_1", "nonsense"} {
			_, err := s.AddTargets(t.Context(), id, []coupon.ID{recipients[0], unknown}, nil)
			wantError(t, err, coupon.ErrorNotFound, "input.recipientIds")
		}
		if got := s.delivery(t, id).TargetCount; got != 0 {
			t.Errorf("%d targets were added", got)
		}
		_, err := s.AddTargets(t.Context(), "delivery_9", recipients, nil)
		wantError(t, err, coupon.ErrorNotFound, "input.deliveryId")
	})
	t.Run("INVALID", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		id := s.newDelivery(t, "", nil)
		_, err := s.AddTargets(t.Context(), id, nil, nil)
		wantError(t, err, coupon.ErrorInvalid, "input")
		_, err = s.AddTargets(t.Context(), id,
			make([]coupon.ID, coupon.MaxUpsertedRecipients+1), nil)
		wantError(t, err, coupon.ErrorInvalid, "input.recipientIds")
		_, err = s.AddTargets(t.Context(), id, nil,
			&coupon.RecipientFilter{Attributes: make([]*coupon.AttributeFilter,
				coupon.MaxAttributeFilters+1)})
		wantError(t, err, coupon.ErrorInvalid, "input.filter.attributes")
	})
	t.Run("INVALID_STATE", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		recipients := s.recipients(t, 2)
		id := s.deliver(t, "", recipients[:1])
		_, err := s.AddTargets(t.Context(), id, recipients, nil)
		wantError(t, err, coupon.ErrorInvalidState, "input.deliveryId")
	})
}

// TestHolds tells who may count on which codes.
func TestHolds(t *testing.T) {
	t.Parallel()
	t.Run("two deliveries compete", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		c := s.newCoupon(t)
		s.codes(t, c, "", numbered("A", 5)...)
		recipients := s.recipients(t, 3)
		first, second := s.newDelivery(t, c, recipients), s.newDelivery(t, c, recipients)
		s.analyze(t, first, coupon.DeliveryReady)
		s.wantAvailability(t, c, "available 2, held 3")
		a := s.analyze(t, second, coupon.DeliveryEditing)
		if a.CodesNeeded != 3 || a.CodesAvailable != 2 || a.CodesShort != 1 {
			t.Errorf("got %+v", a)
		}
		var remedies []string
		for _, r := range a.Remedies {
			remedies = append(remedies, fmt.Sprint(r.Kind, " ", r.Count))
		}
		if diff := cmp.Diff([]string{
			"ADD_CODES 1", "LIMIT_MESSAGES 2", "SPLIT_DELIVERY 2", "RELEASE_HOLD 3",
		}, remedies); diff != "" {
			t.Errorf("remedies (-want +got):\n%s", diff)
		}
		// Nothing is held for who did not get enough.
		s.wantAvailability(t, c, "available 2, held 3")
		// An own hold is no obstacle: analyzing again frees it first.
		s.analyze(t, first, coupon.DeliveryReady)
		if err := s.DeleteDelivery(t.Context(), first); err != nil {
			t.Fatal(err)
		}
		s.analyze(t, second, coupon.DeliveryReady)
		s.reopen(t)
		s.wantAvailability(t, c, "available 2, held 3")
		if _, err := s.ConfirmDelivery(t.Context(), second, fine); err != nil {
			t.Error(err)
		}
		s.wantAvailability(t, c, "available 2, assigned 3")
		s.checkSound(t)
	})
	t.Run("a hold runs out", func(t *testing.T) {
		t.Parallel()
		s := newScene(t, func(o *db.Options) { o.HoldDuration = time.Hour })
		c := s.newCoupon(t)
		s.codes(t, c, "", "A1", "A2")
		recipients := s.recipients(t, 2)
		first, second := s.newDelivery(t, c, recipients), s.newDelivery(t, c, recipients)
		if a := s.analyze(t, first,
			coupon.DeliveryReady); !a.HeldUntil.Equal(noon().Add(time.Hour)) {
			t.Errorf("held until %s", a.HeldUntil)
		}
		s.clock.Advance(time.Hour - time.Microsecond)
		s.wantAvailability(t, c, "held 2")
		s.clock.Advance(time.Microsecond)
		s.wantAvailability(t, c, "available 2")
		s.analyze(t, second, coupon.DeliveryReady)
		// The first one's hold is gone, and what it needs is held by another.
		_, err := s.ConfirmDelivery(t.Context(), first, fine)
		wantError(t, err, coupon.ErrorInsufficientCodes, "input.id")
		if got := s.delivery(t, first).Status; got != coupon.DeliveryReady {
			t.Errorf("the first delivery is %s", got)
		}
		s.codes(t, c, "", "A3", "A4")
		if _, err := s.ConfirmDelivery(t.Context(), first, fine); err != nil {
			t.Errorf("there are enough again: %v", err)
		}
		if _, err := s.ConfirmDelivery(t.Context(), second, fine); err != nil {
			t.Error(err)
		}
		s.wantAvailability(t, c, "assigned 4")
		s.checkSound(t)
	})
	t.Run("labels and no labels", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		c := s.newCoupon(t)
		s.codes(t, c, "soccer", numbered("S", 4)...)
		s.codes(t, c, "tennis", numbered("T", 4)...)
		recipients := s.recipients(t, 6, "soccer", "tennis", "soccer")
		labelled := s.newDelivery(t, c, recipients, bySport)
		s.analyze(t, labelled, coupon.DeliveryReady) // 4 soccer, 2 tennis
		byLabel := s.availability(t, c).ByLabel
		if byLabel[0].Available != 0 || byLabel[1].Available != 2 {
			t.Errorf("by label: %+v %+v", byLabel[0], byLabel[1])
		}
		// Codes with any label will do, but not those held by name.
		unlabelled := s.newDelivery(t, c, recipients[:3])
		if a := s.analyze(t, unlabelled, coupon.DeliveryEditing); a.CodesAvailable != 2 {
			t.Errorf("%d are available", a.CodesAvailable)
		}
		s.codes(t, c, "", "X1")
		s.confirm(t, unlabelled)
		for _, code := range s.allCodes(t, c, &coupon.CodeFilter{DeliveryID: &unlabelled}) {
			if code.Value[0] == 'S' {
				t.Errorf("%s was held by name and taken by another", code.Value)
			}
		}
		if _, err := s.ConfirmDelivery(t.Context(), labelled, fine); err != nil {
			t.Error(err)
		}
		for _, code := range s.allCodes(t, c, &coupon.CodeFilter{DeliveryID: &labelled}) {
			if want := map[byte]string{
				'S': "soccer", 'T': "tennis",
			}[code.Value[0]]; *code.Label != want {
				t.Errorf("%s is %q", code.Value, *code.Label)
			}
		}
		s.wantAvailability(t, c, "assigned 9")
		s.checkSound(t)
	})
	t.Run("labels share what others hold without naming one", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		c := s.newCoupon(t)
		s.codes(t, c, "soccer", numbered("S", 5)...)
		s.codes(t, c, "tennis", numbered("T", 5)...)
		recipients := s.recipients(t, 8, "soccer", "tennis")
		unlabelled := s.newDelivery(t, c, recipients[:5])
		s.analyze(t, unlabelled, coupon.DeliveryReady)
		labelled := s.newDelivery(t, c, recipients, bySport)
		if a := s.analyze(t, labelled, coupon.DeliveryEditing); a.CodesShort != 3 {
			t.Errorf("4 and 4 of 10 codes, 5 of which are held: got %+v", a)
		}
		if _, err := s.ConfirmDelivery(t.Context(), unlabelled, fine); err != nil {
			t.Error(err)
		}
	})
}

func TestAnalyzeDelivery(t *testing.T) {
	t.Parallel()
	t.Run("exclusions", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		c := s.newCoupon(t)
		s.codes(t, c, "soccer", numbered("S", 9)...)
		email := func(
			id, address string, more ...func(*coupon.RecipientChanges),
		) *coupon.RecipientChanges {
			r := &coupon.RecipientChanges{
				ExternalID: id, Email: coupon.Set(&address),
				Attributes: coupon.Set(new(coupon.JSON(`{"sport":"soccer"}`))),
			}
			for _, edit := range more {
				edit(r)
			}
			return r
		}
		kept, err := s.UpsertRecipients(t.Context(), []*coupon.RecipientChanges{
			email("good", "good@example.org"), email("none", ""), email("bad", "bad@"),
			email("double", "GOOD@example.org"),
			email("optout", "optout@example.org",
				func(r *coupon.RecipientChanges) { r.IsContactable = coupon.Set(new(false)) }),
			email(
				"label", "label@example.org", func(r *coupon.RecipientChanges) { r.Attributes = coupon.Set(new(coupon.JSON(`{"sport":" "}`))) },
			),
			email("second", "second@example.org"), email("third", "third@example.org"),
		})
		if err != nil {
			t.Fatal(err)
		}
		ids := make([]coupon.ID, len(kept))
		for i, r := range kept {
			ids[i] = r.ID
		}
		id := s.newDelivery(t, c, ids, bySport,
			func(d *coupon.DeliveryChanges) { d.MessageLimit = coupon.Set(new(2)) })
		a := s.analyze(t, id, coupon.DeliveryReady)
		var got []string
		for _, e := range a.Exclusions {
			got = append(got, fmt.Sprint(e.Reason, " ", e.Count))
		}
		want := []string{
			"NO_ADDRESS 1", "INVALID_ADDRESS 1", "NOT_CONTACTABLE 1", "DUPLICATE_ADDRESS 1",
			"NO_MATCHING_LABEL 1",
			"MESSAGE_LIMIT 1",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("exclusions (-want +got):\n%s", diff)
		}
		if a.TargetCount != 8 || a.MessageCount != 2 || a.CodesNeeded != 2 {
			t.Errorf("got %+v", a)
		}
		noAddress := []coupon.ExclusionReason{
			coupon.ExcludedNoAddress, coupon.ExcludedInvalidAddress,
		}
		lists, err := s.ExclusionsOf(t.Context(), []coupon.ID{id}, noAddress,
			coupon.Page{First: 1, WantsItems: true, WantsTotal: true})
		if err != nil || lists[id].Total != 2 || !lists[id].HasNext ||
			lists[id].Items[0].RecipientID != ids[1] {
			t.Errorf("excluded: %+v, %v", lists[id], err)
		}
		// Who is over the limit is random, but the same every time.
		limited := func() coupon.ID {
			lists, err := s.ExclusionsOf(t.Context(), []coupon.ID{id},
				[]coupon.ExclusionReason{coupon.ExcludedMessageLimit},
				coupon.Page{First: 10, WantsItems: true})
			if err != nil {
				t.Fatal(err)
			}
			return lists[id].Items[0].RecipientID
		}
		before := limited()
		s.analyze(t, id, coupon.DeliveryReady)
		if after := limited(); after != before {
			t.Errorf("first %s was over the limit, then %s", before, after)
		}
	})
	t.Run("everything at once", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		c := s.newCoupon(t, withEnd("2026-11-20"))
		id := s.newDelivery(t, c, s.recipients(t, 1))
		problem := coupon.Errorf(coupon.ErrorTemplateInvalid, "There is no token x.")
		d, problems, err := s.AnalyzeDelivery(t.Context(), id,
			func(*coupon.Delivery, *coupon.Coupon) coupon.ContentFindings {
				return coupon.ContentFindings{Problems: coupon.UserErrors{problem}}
			})
		if err != nil || d.Status != coupon.DeliveryEditing || d.Analysis.IsSufficient ||
			len(problems) != 1 {
			t.Fatalf("got %+v, %v, %v", d, problems, err)
		}
		log := strings.Join(s.log(t, id), "\n")
		for _, want := range []string{
			"ERROR The coupon", "ERROR Not enough codes", "ERROR There is no token x.",
		} {
			if !strings.Contains(log, want) {
				t.Errorf("the log lacks %q:\n%s", want, log)
			}
		}
	})
	t.Run("NOT_FOUND", func(t *testing.T) {
		t.Parallel()
		_, _, err := newScene(t).AnalyzeDelivery(t.Context(), "delivery_1", fine)
		wantError(t, err, coupon.ErrorNotFound, "input.id")
	})
	t.Run("INVALID_STATE", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		_, _, err := s.AnalyzeDelivery(t.Context(), s.deliver(t, "", s.recipients(t, 1)), fine)
		wantError(t, err, coupon.ErrorInvalidState, "input.id")
	})
}

func TestConfirmDelivery(t *testing.T) {
	t.Parallel()
	ready := func(t *testing.T, s *scene) (couponID, id coupon.ID) {
		t.Helper()
		couponID = s.newCoupon(t)
		s.codes(t, couponID, "", numbered("A", 4)...)
		id = s.newDelivery(t, couponID, s.recipients(t, 3))
		s.analyze(t, id, coupon.DeliveryReady)
		return couponID, id
	}
	t.Run("OK", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		c, id := ready(t, s)
		for range 2 { // repeating it is harmless
			d, err := s.ConfirmDelivery(t.Context(), id, fine)
			if err != nil {
				t.Fatal(err)
			}
			if d.Status != coupon.DeliveryInProgress ||
				d.Counts != (coupon.MessageCounts{Pending: 3, Total: 3}) {
				t.Errorf("got %+v", d)
			}
		}
		s.wantAvailability(t, c, "available 1, assigned 3")
		s.send(t, id)
		d := s.delivery(t, id)
		if d.Status != coupon.DeliveryFinished || d.Counts.Sent != 3 || d.FinishedAt == nil {
			t.Errorf("got %+v", d)
		}
		s.checkSound(t)
	})
	t.Run("SCHEDULED", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		c := s.newCoupon(t)
		s.codes(t, c, "", "A1")
		id := s.newDelivery(t, c, s.recipients(t, 1), func(d *coupon.DeliveryChanges) {
			d.ContactAt = coupon.Set(new(coupon.DateTime("2026-11-24T08:00:00Z")))
		})
		s.confirm(t, id)
		if got := s.delivery(t, id).Status; got != coupon.DeliveryScheduled {
			t.Errorf("the delivery is %s", got)
		}
		due, err := s.DueDeliveries(t.Context())
		if err != nil || len(due) != 1 || !due[0].At.Equal(noon().Add(20*time.Hour)) {
			t.Errorf("due: %+v, %v", due, err)
		}
		if batch, err := s.NextBatch(t.Context(), id, 10); err != nil || batch != nil {
			t.Errorf("a scheduled delivery gives the batch %+v, %v", batch, err)
		}
		if err := s.BeginSending(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		s.send(t, id)
		if got := s.delivery(t, id).Status; got != coupon.DeliveryFinished {
			t.Errorf("the delivery is %s", got)
		}
	})
	t.Run("ANALYSIS_STALE", func(t *testing.T) {
		t.Parallel()
		for name, change := range map[string]func(t *testing.T, s *scene, couponID coupon.ID){
			"an address changes": func(t *testing.T, s *scene, _ coupon.ID) {
				t.Helper()
				_, err := s.UpsertRecipients(t.Context(), []*coupon.RecipientChanges{{
					ExternalID: "r2",
					Email:      coupon.Set(new("new@example.org")),
				}})
				if err != nil {
					t.Fatal(err)
				}
			},
			"a recipient opts out": func(t *testing.T, s *scene, _ coupon.ID) {
				t.Helper()
				_, err := s.UpsertRecipients(t.Context(), []*coupon.RecipientChanges{{
					ExternalID:    "r1",
					IsContactable: coupon.Set(new(false)),
				}})
				if err != nil {
					t.Fatal(err)
				}
			},
			"the coupon ends": func(t *testing.T, s *scene, couponID coupon.ID) {
				t.Helper()
				changes := &coupon.CouponChanges{}
				withEnd("2026-11-22")(changes)
				if _, err := s.UpdateCoupon(t.Context(), couponID, changes); err != nil {
					t.Fatal(err)
				}
			},
			"the coupon is archived": func(t *testing.T, s *scene, couponID coupon.ID) {
				t.Helper()
				if _, err := s.ArchiveCoupon(t.Context(), couponID); err != nil {
					t.Fatal(err)
				}
			},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				s := newScene(t)
				c, id := ready(t, s)
				change(t, s, c)
				_, err := s.ConfirmDelivery(t.Context(), id, fine)
				wantError(t, err, coupon.ErrorAnalysisStale, "input.id")
				if d := s.delivery(t, id); d.Status != coupon.DeliveryReady || d.Counts.Total != 0 {
					t.Errorf("the refused confirmation left %+v", d)
				}
				s.checkSound(t)
			})
		}
	})
	t.Run("INSUFFICIENT_CODES", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		c, id := ready(t, s)
		if _, err := s.VoidCodes(t.Context(), voiding(c, "A0001", "A0002")); err != nil {
			t.Fatal(err)
		}
		s.wantAvailability(t, c, "held 2, voided 2")
		_, err := s.ConfirmDelivery(t.Context(), id, fine)
		wantError(t, err, coupon.ErrorInsufficientCodes, "input.id")
		s.codes(t, c, "", "B1")
		if _, err := s.ConfirmDelivery(t.Context(), id, fine); err != nil {
			t.Error(err)
		}
		s.wantAvailability(t, c, "assigned 3, voided 2")
		s.checkSound(t)
	})
	t.Run("the hold ran out but there are enough", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		c, id := ready(t, s)
		s.clock.Advance(48 * time.Hour)
		if _, err := s.ConfirmDelivery(t.Context(), id, fine); err != nil {
			t.Error(err)
		}
		s.wantAvailability(t, c, "available 1, assigned 3")
	})
	t.Run("INVALID_STATE", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		_, err := s.ConfirmDelivery(t.Context(), s.newDelivery(t, "", nil), fine)
		wantError(t, err, coupon.ErrorInvalidState, "input.id")
	})
	t.Run("NOT_FOUND", func(t *testing.T) {
		t.Parallel()
		_, err := newScene(t).ConfirmDelivery(t.Context(), "delivery_1", fine)
		wantError(t, err, coupon.ErrorNotFound, "input.id")
	})
}

func TestStopDelivery(t *testing.T) {
	t.Parallel()
	t.Run("OK", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		c := s.newCoupon(t)
		s.codes(t, c, "", numbered("A", 5)...)
		id := s.newDelivery(t, c, s.recipients(t, 5))
		s.confirm(t, id)
		s.sendBatch(t, id, 2)
		if _, err := s.VoidCodes(t.Context(), voiding(c, "A0005")); err != nil {
			t.Fatal(err)
		}
		for range 2 { // repeating it is harmless
			d, err := s.StopDelivery(t.Context(), id)
			if err != nil || d.Status != coupon.DeliveryStopped ||
				d.Counts != (coupon.MessageCounts{Sent: 2, Canceled: 3, Total: 5}) {
				t.Fatalf("got %+v, %v", d, err)
			}
		}
		s.wantAvailability(t, c, "available 2, assigned 2, voided 1")
		s.reopen(t)
		s.wantAvailability(t, c, "available 2, assigned 2, voided 1")
		s.checkSound(t)
		_, err := s.ResumeDelivery(t.Context(), id)
		wantError(t, err, coupon.ErrorInvalidState, "input.id")
	})
	t.Run("READY", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		c := s.newCoupon(t)
		s.codes(t, c, "", "A1")
		id := s.newDelivery(t, c, s.recipients(t, 1))
		s.analyze(t, id, coupon.DeliveryReady)
		if _, err := s.StopDelivery(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		s.wantAvailability(t, c, "available 1")
	})
	t.Run("INVALID_STATE", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		_, err := s.StopDelivery(t.Context(), s.newDelivery(t, "", nil))
		wantError(t, err, coupon.ErrorInvalidState, "input.id")
		_, err = s.PauseDelivery(t.Context(), s.newDelivery(t, "", nil))
		wantError(t, err, coupon.ErrorInvalidState, "input.id")
	})
	t.Run("NOT_FOUND", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		_, err := s.StopDelivery(t.Context(), "delivery_1")
		wantError(t, err, coupon.ErrorNotFound, "input.id")
		_, err = s.PauseDelivery(t.Context(), "delivery_1")
		wantError(t, err, coupon.ErrorNotFound, "input.id")
		_, err = s.ResumeDelivery(t.Context(), "x")
		wantError(t, err, coupon.ErrorNotFound, "input.id")
	})
}

// TestRecord tells what becomes of messages that could not be sent.
func TestRecord(t *testing.T) {
	t.Parallel()
	t.Run("some fail", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		c := s.newCoupon(t)
		s.codes(t, c, "", numbered("A", 4)...)
		id := s.newDelivery(t, c, s.recipients(t, 4))
		s.confirm(t, id)
		if _, err := s.VoidCodes(t.Context(), voiding(c, "A0002")); err != nil {
			t.Fatal(err)
		}
		batch, err := s.NextBatch(t.Context(), id, 10)
		if err != nil || len(batch.Contents) != 4 {
			t.Fatalf("got %+v, %v", batch, err)
		}
		if may, never, err := batch.MayLeave(t.Context(), &batch.Contents[1]); may ||
			never != coupon.CancelCodeVoided || err != nil {
			t.Errorf("got %t %q, %v for a voided code", may, never, err)
		}
		outcome := &db.SentBatch{
			Sent: batch.Contents[2:], Failed: batch.Contents[:1],
			Failures: []string{"No such mailbox."}, Withheld: batch.Contents[1:2],
			OutboxSize: 77,
		}
		if err := batch.Record(t.Context(), outcome); err != nil {
			t.Fatal(err)
		}
		if d := s.delivery(t, id); d.Status != coupon.DeliveryFinished ||
			d.Counts != (coupon.MessageCounts{Sent: 2, Failed: 1, Canceled: 1, Total: 4}) {
			t.Errorf("got %+v", d)
		}
		s.wantAvailability(t, c, "available 1, assigned 2, voided 1")
		s.reopen(t)
		s.wantAvailability(t, c, "available 1, assigned 2, voided 1")
		s.checkSound(t)
	})
	t.Run("all fail", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		id := s.newDelivery(t, "", s.recipients(t, 1))
		s.confirm(t, id)
		batch, err := s.NextBatch(t.Context(), id, 10)
		if err != nil {
			t.Fatal(err)
		}
		if err := batch.Record(t.Context(),
			&db.SentBatch{Failed: batch.Contents, Failures: []string{"No."}}); err != nil {
			t.Fatal(err)
		}
		if got := s.delivery(t, id).Status; got != coupon.DeliveryFailed {
			t.Errorf("the delivery is %s", got)
		}
		s.checkSound(t)
	})
	t.Run("what was not handed over is settled once", func(t *testing.T) {
		t.Parallel()
		for name, meanwhile := range map[string]func(
			t *testing.T, s *scene, delivery, recipient coupon.ID,
		) error{
			"by a stop": func(t *testing.T, s *scene, delivery, _ coupon.ID) error {
				t.Helper()
				_, err := s.StopDelivery(t.Context(), delivery)
				return err
			},
			"by an erasure": func(t *testing.T, s *scene, _, recipient coupon.ID) error {
				t.Helper()
				_, err := s.EraseRecipients(t.Context(), []coupon.ID{recipient}, nil)
				return err
			},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				s := newScene(t)
				c := s.newCoupon(t)
				s.codes(t, c, "", numbered("A", 3)...)
				id := s.newDelivery(t, c, s.recipients(t, 3))
				s.confirm(t, id)
				batch, err := s.NextBatch(t.Context(), id, 10)
				if err != nil || len(batch.Contents) != 3 {
					t.Fatalf("got %+v, %v", batch, err)
				}
				gone := batch.Contents[0]
				found, err := s.RecipientsByID(t.Context(), []coupon.ID{gone.RecipientID})
				if err != nil {
					t.Fatal(err)
				}
				s.upsert(t, &coupon.RecipientChanges{
					ExternalID:    found[gone.RecipientID].ExternalID,
					IsContactable: coupon.Set(new(false)),
				})
				if err := batch.Begin(t.Context(), batch.Contents[2:]); err != nil {
					t.Fatal(err)
				}
				if err := meanwhile(t, s, id, gone.RecipientID); err != nil {
					t.Fatal(err)
				}
				outcome := &db.SentBatch{
					Sent: batch.Contents[2:], Withheld: batch.Contents[:1],
					Failed: batch.Contents[1:2], Failures: []string{"No such mailbox."},
				}
				if err := batch.Record(t.Context(), outcome); err != nil {
					t.Fatal(err)
				}
				if d := s.delivery(t, id); d.Counts.Sent != 1 ||
					d.Counts.Failed+d.Counts.Canceled != 2 || d.Counts.Pending != 0 {
					t.Errorf("got %+v", d)
				}
				s.wantAvailability(t, c, "available 2, assigned 1")
				s.checkSound(t)
			})
		}
	})
	t.Run("a batch that was not handed over comes again", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		id := s.newDelivery(t, "", s.recipients(t, 3))
		s.confirm(t, id)
		s.sendBatch(t, id, 1)
		for range 2 {
			batch, err := s.NextBatch(t.Context(), id, 10)
			if err != nil || len(batch.Contents) != 2 || batch.OutboxSize != 1 {
				t.Fatalf("got %+v, %v", batch, err)
			}
			batch.Release()
		}
	})
}

func TestPreviewContent(t *testing.T) {
	t.Parallel()
	t.Run("OK", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		c := s.newCoupon(t)
		s.codes(t, c, "soccer", "S1")
		s.codes(t, c, "tennis", "T1")
		recipients := s.recipients(t, 3, "soccer", "tennis", "golf")
		id := s.newDelivery(t, c, recipients[:2], bySport)
		want := func(recipient coupon.ID, code string) {
			t.Helper()
			_, _, content, err := s.PreviewContent(t.Context(), id, recipient)
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if content.Data.CouponValue != nil {
				got = content.Data.CouponValue.Code
			}
			if got != code {
				t.Errorf("%s sees the code %q, want %q", recipient, got, code)
			}
		}
		for range 2 { // it takes nothing
			want(recipients[0], "S1")
			want(recipients[1], "T1")
			want(recipients[2], "")
		}
		s.wantAvailability(t, c, "available 2")
		s.confirm(t, id)
		want(recipients[1], "T1")
	})
	t.Run("NOT_FOUND", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		recipients := s.recipients(t, 1)
		_, _, _, err := s.PreviewContent(t.Context(), "delivery_1", recipients[0])
		wantError(t, err, coupon.ErrorNotFound, "deliveryId")
		_, _, _, err = s.PreviewContent(t.Context(), s.newDelivery(t, "", nil), "recipient_9")
		wantError(t, err, coupon.ErrorNotFound, "recipientId")
	})
}
