package db_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"couponql/coupon"
	"couponql/db"
)

// messages returns the messages in the order they are stored in, without their times.
func (s *scene) messages(t *testing.T) []string {
	t.Helper()
	return s.Texts(t, "-- messages as they are stored\nSELECT m::VARCHAR FROM (SELECT * EXCLUDE created_at FROM message ORDER BY rowid) m")
}

// isInOrder reports whether messages are stored in the order of their numbers.
func (s *scene) isInOrder(t *testing.T) bool {
	t.Helper()
	return s.Texts(t, "SELECT (list(id ORDER BY rowid) = list(id ORDER BY id))::VARCHAR FROM message")[0] == "true"
}

// isMarked reports whether all messages came out of a draft that was marked; some alone fail the test.
func (s *scene) isMarked(t *testing.T) bool {
	t.Helper()
	marked := s.Texts(t, "SELECT DISTINCT starts_with(address, 'drafted ')::VARCHAR FROM message")
	if len(marked) != 1 {
		t.Fatalf("messages are drafted: %v", marked)
	}
	return marked[0] == "true"
}

// memory returns how many megabytes the rows take that are not in the file.
func (s *scene) memory(t *testing.T) int {
	t.Helper()
	s.Exec(t, "CHECKPOINT")
	megabytes, err := strconv.Atoi(s.Texts(t, "SELECT (memory_usage_bytes >> 20)::VARCHAR FROM duckdb_memory() WHERE tag = 'IN_MEMORY_TABLE'")[0])
	if err != nil {
		t.Fatal(err)
	}
	return megabytes
}

// TestDraft tells when a confirmation writes what the analysis drafted, and when it judges everybody again.
func TestDraft(t *testing.T) {
	t.Parallel()
	type parts struct {
		coupon, delivery coupon.ID
		recipients       []coupon.ID
	}
	for name, test := range map[string]struct {
		meanwhile func(*testing.T, *scene, parts)
		// isKept: what happened left the draft, and isUsed: the confirmation wrote it.
		isKept, isUsed bool
		check          coupon.ContentCheck
	}{
		"nothing happens": {func(*testing.T, *scene, parts) {}, true, true, fine},
		"codes are added": {func(t *testing.T, s *scene, p parts) { t.Helper(); s.codes(t, p.coupon, "", "B1") }, true, true, fine},
		"another coupon is changed": {func(t *testing.T, s *scene, _ parts) {
			t.Helper()
			if _, err := s.UpdateCoupon(t.Context(), s.newCoupon(t), &coupon.CouponChanges{Label: coupon.Set(new("Other"))}); err != nil {
				t.Fatal(err)
			}
		}, true, true, fine},
		"a simulation": {func(t *testing.T, s *scene, p parts) {
			t.Helper()
			if _, _, err := s.SimulateDelivery(t.Context(), p.delivery, &coupon.DeliveryChanges{}, nil, fine); err != nil {
				t.Fatal(err)
			}
		}, true, true, fine},
		"templates use more": {func(*testing.T, *scene, parts) {}, true, false, telling},
		"the coupon is changed": {func(t *testing.T, s *scene, p parts) {
			t.Helper()
			if _, err := s.UpdateCoupon(t.Context(), p.coupon, &coupon.CouponChanges{Label: coupon.Set(new("Other"))}); err != nil {
				t.Fatal(err)
			}
		}, false, false, fine},
		"a recipient is changed": {func(t *testing.T, s *scene, _ parts) {
			t.Helper()
			_, err := s.UpsertRecipients(t.Context(), []*coupon.RecipientChanges{{ExternalID: "r2", FirstName: coupon.Set(new("Zoe"))}})
			if err != nil {
				t.Fatal(err)
			}
		}, false, false, fine},
		"another recipient is erased": {func(t *testing.T, s *scene, p parts) {
			t.Helper()
			s.erase(t, coupon.Erasure{ErasedCount: 1}, p.recipients[3:])
		}, false, false, fine},
		"another delivery is analyzed": {func(t *testing.T, s *scene, p parts) {
			t.Helper()
			s.analyze(t, s.newDelivery(t, p.coupon, p.recipients[3:]), coupon.DeliveryReady)
		}, false, false, fine},
		"another delivery is confirmed": {func(t *testing.T, s *scene, p parts) {
			t.Helper()
			if _, err := s.ConfirmDelivery(t.Context(), s.newDelivery(t, "", p.recipients), fine); err == nil {
				t.Fatal("it was not analyzed")
			}
		}, false, false, fine},
		"its time ends":         {func(_ *testing.T, s *scene, _ parts) { s.ExpireDraft() }, false, false, fine},
		"the server is started": {func(t *testing.T, s *scene, _ parts) { t.Helper(); s.reopen(t) }, false, false, fine},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			c := s.newCoupon(t)
			s.codes(t, c, "", numbered("C", 9)...)
			recipients := s.recipients(t, 4)
			id := s.newDelivery(t, c, recipients[:3])
			s.analyze(t, id, coupon.DeliveryReady)
			if s.Drafted() != id {
				t.Fatalf("the draft is that of %q", s.Drafted())
			}
			s.MarkDraft(t)
			test.meanwhile(t, s, parts{c, id, recipients})
			if isKept := s.Drafted() == id; isKept != test.isKept {
				t.Errorf("the draft is kept: %t", isKept)
			}
			if _, err := s.ConfirmDelivery(t.Context(), id, test.check); err != nil {
				t.Fatal(err)
			}
			if isUsed := s.isMarked(t); isUsed != test.isUsed {
				t.Errorf("the draft is used: %t", isUsed)
			}
			if s.Drafted() != "" {
				t.Errorf("the draft of %q is left", s.Drafted())
			}
			s.checkSound(t)
		})
	}
}

// TestDraftGoes tells that a draft goes with the delivery that it is of, when that cannot be confirmed any more as it is.
func TestDraftGoes(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*scene, coupon.ID) error{
		"edited": func(s *scene, id coupon.ID) error {
			_, err := s.UpdateDelivery(t.Context(), id, &coupon.DeliveryChanges{Subject: coupon.Set(new("New"))})
			return err
		},
		"without targets": func(s *scene, id coupon.ID) error {
			_, err := s.ClearTargets(t.Context(), id)
			return err
		},
		"stopped": func(s *scene, id coupon.ID) error {
			_, err := s.StopDelivery(t.Context(), id)
			return err
		},
		"deleted": func(s *scene, id coupon.ID) error { return s.DeleteDelivery(t.Context(), id) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			id := s.newDelivery(t, "", s.recipients(t, 3), func(d *coupon.DeliveryChanges) { d.Body = coupon.Set(new("Hello")) })
			s.analyze(t, id, coupon.DeliveryReady)
			if s.Drafted() != id {
				t.Fatalf("the draft is that of %q", s.Drafted())
			}
			if err := change(s, id); err != nil {
				t.Fatal(err)
			}
			if s.Drafted() != "" {
				t.Errorf("the draft of %q is left", s.Drafted())
			}
		})
	}
}

// TestDraftIsFreed tells that the memory of a draft, with what it has of an erased recipient, is free when it is outdated or used.
func TestDraftIsFreed(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.Exec(t, `INSERT INTO recipient BY NAME SELECT i AS id, 'x' || i AS external_id, 'x' || i || '@example.org' AS email,
		'Ada' AS first_name, '{}' AS attributes, true AS is_contactable, now() AS updated_at FROM range(1000, 201000) r(i)`)
	zelda := s.zelda(t)
	newDelivery := func() coupon.ID {
		id := s.newDelivery(t, "", nil, func(d *coupon.DeliveryChanges) { d.Body = coupon.Set(new("Hello")) })
		if _, err := s.AddTargets(t.Context(), id, nil, &coupon.RecipientFilter{}); err != nil {
			t.Fatal(err)
		}
		return id
	}
	first, second := newDelivery(), newDelivery()
	empty := s.newDelivery(t, "", nil)
	before := s.memory(t)
	for _, test := range []struct {
		name     string
		delivery coupon.ID
		end      func()
	}{
		{"its time ends", first, s.ExpireDraft},
		{"a recipient is erased", first, func() { s.erase(t, coupon.Erasure{ErasedCount: 1}, []coupon.ID{zelda}) }},
		{"it is used", first, func() {
			s.confirm(t, first)
			if !s.isInOrder(t) {
				t.Error("the messages are not stored in their order")
			}
		}},
		{"another takes its place", second, func() { s.analyze(t, empty, coupon.DeliveryEditing) }},
	} {
		s.analyze(t, test.delivery, coupon.DeliveryReady)
		if drafted := s.memory(t) - before; drafted < 10 {
			t.Errorf("%s: a draft takes %d MB", test.name, drafted)
		}
		test.end()
		if left := s.memory(t) - before; left > 3 || s.Drafted() != "" {
			t.Errorf("%s: %d MB are left, and the draft of %q", test.name, left, s.Drafted())
		}
	}
}

// TestDraftIsNoneInTheWriter tells that an analysis which had to begin again leaves nothing.
func TestDraftIsNoneInTheWriter(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.newCoupon(t, withoutAssignment)
	s.codes(t, c, "", numbered("C", 5)...)
	id := s.newDelivery(t, c, s.recipients(t, 3))
	if d := s.analyzeBeside(t, id, func() { s.recipients(t, 1) }); d.Status != coupon.DeliveryReady {
		t.Fatalf("got %+v", d)
	}
	if s.Drafted() != "" {
		t.Errorf("the draft of %q is left", s.Drafted())
	}
	s.confirm(t, id)
	s.checkSound(t)
}

// TestDraftIsLimited tells that more messages than a draft may have are drafted only where they are written.
func TestDraftIsLimited(t *testing.T) {
	t.Parallel()
	for count, want := range map[int]bool{db.MaxDraft: true, db.MaxDraft + 1: false} {
		if beside, inTurn := db.MayDraft(count); beside != want || inTurn {
			t.Errorf("%d messages: %t, in the writer's turn %t", count, beside, inTurn)
		}
	}
}

// TestDraftedAlike tells that messages are the same, and stored in the same order, whether they were drafted by the analysis or
// judged again: with labels, codes that lie scattered, left-out targets, a limit, and other channels.
func TestDraftedAlike(t *testing.T) {
	t.Parallel()
	sports := []string{"chess", "judo", "ski"}
	for name, edits := range map[string][]func(*coupon.DeliveryChanges){
		"plain":   nil,
		"labels":  {bySport},
		"SMS":     {byChannel(coupon.ChannelSMS)},
		"limited": {bySport, func(d *coupon.DeliveryChanges) { d.MessageLimit = coupon.Set(new(17)) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var messages [2][]string
			for i := range messages {
				s := newScene(t)
				c := s.newCoupon(t, withoutAssignment)
				for _, sport := range sports {
					s.codes(t, c, sport, numbered(strings.ToUpper(sport), 30)...)
				}
				for at := 2; at < 30; at += 3 {
					s.redeem(t, fmt.Sprintf("CHESS%04d", at))
					s.redeem(t, fmt.Sprintf("SKI%04d", at/2+1))
				}
				recipients := s.recipients(t, 40, sports...)
				_, err := s.UpsertRecipients(t.Context(), []*coupon.RecipientChanges{
					{ExternalID: "r5", Email: coupon.Set(new("R4@example.org")), Phone: coupon.Set(new("+4917000 0004"))},
					{ExternalID: "r9", IsContactable: coupon.Set(new(false))},
				})
				if err != nil {
					t.Fatal(err)
				}
				slices.Reverse(recipients)
				id := s.newDelivery(t, c, recipients, edits...)
				if d, _, err := s.AnalyzeDelivery(t.Context(), id, telling); err != nil || d.Status != coupon.DeliveryReady {
					t.Fatalf("%+v, %v", d, err)
				}
				if i == 1 {
					s.ExpireDraft()
				}
				if _, err := s.ConfirmDelivery(t.Context(), id, telling); err != nil {
					t.Fatal(err)
				}
				messages[i] = s.messages(t)
				if !s.isInOrder(t) {
					t.Error("the messages are not stored in their order")
				}
				s.checkSound(t)
			}
			if len(messages[0]) < 17 || !slices.Equal(messages[0], messages[1]) {
				t.Errorf("drafted:\n%s\njudged again:\n%s", strings.Join(messages[0], "\n"), strings.Join(messages[1], "\n"))
			}
		})
	}
}

// TestDraftScattered has every message's code lie apart from the next: the messages are still stored in their order.
func TestDraftScattered(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	const count = 5000
	s.Exec(
		t,
		fmt.Sprintf(
			`INSERT INTO recipient BY NAME SELECT i AS id, 'x' || i AS external_id, 'x' || i || '@example.org' AS email,
		'Ada' AS first_name, '{}' AS attributes, true AS is_contactable, now() AS updated_at FROM range(1, %d) r(i)`,
			count+1,
		),
	)
	s.reopen(t) // which takes note of them
	c := s.newCoupon(t, withoutAssignment)
	values := numbered("C", 2*count)
	var even []string
	for i := 0; i < len(values); i += 2 {
		even = append(even, values[i])
	}
	s.codes(t, c, "", values...)
	if _, err := s.VoidCodes(t.Context(), voiding(c, even...)); err != nil {
		t.Fatal(err)
	}
	id := s.newDelivery(t, c, nil)
	if _, err := s.AddTargets(t.Context(), id, nil, &coupon.RecipientFilter{}); err != nil {
		t.Fatal(err)
	}
	s.analyze(t, id, coupon.DeliveryReady)
	s.confirm(t, id)
	want := []string{fmt.Sprintf("%d %d true", count, count)}
	got := s.Texts(t, `SELECT count(*) || ' ' || count(DISTINCT code_id) || ' ' || (list(code_id ORDER BY id) = list(code_id ORDER BY code_id)) FROM message`)
	if !slices.Equal(got, want) || !s.isInOrder(t) {
		t.Errorf("got %v, want %v; in order: %t", got, want, s.isInOrder(t))
	}
	s.checkSound(t)
}
