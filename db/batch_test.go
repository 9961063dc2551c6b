package db_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"couponql/coupon"
	"couponql/db"
)

// asked returns a context in which somebody asks, as the audit log has it.
func asked(ctx context.Context, caller string) context.Context {
	return db.WithAudit(ctx, &coupon.AuditEntry{At: noon(), Caller: caller, Role: coupon.RoleMarketer, Kind: coupon.AuditMutation, Action: "test", Input: "{}"})
}

// batches returns a coupon's batches as text, oldest first.
func (s *scene) batches(t *testing.T, id coupon.ID) []string {
	t.Helper()
	lists, err := s.CouponBatches(t.Context(), []coupon.ID{id}, coupon.Page{First: 500, WantsItems: true, WantsTotal: true})
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, b := range slices.Backward(lists[id].Items) {
		by, from, undone := "nobody", "", ""
		if b.CreatedBy != nil {
			by = *b.CreatedBy
		}
		if b.ImportID != nil {
			from = " of " + string(*b.ImportID)
		}
		if b.UndoneAt != nil {
			undone = ", undone"
		}
		texts = append(texts, fmt.Sprintf("%s %s %d by %s%s%s", b.ID, b.Kind, b.Count, by, from, undone))
	}
	if lists[id].Total != len(texts) {
		t.Errorf("%d batches instead of %d", lists[id].Total, len(texts))
	}
	return texts
}

// TestBatches tells that every way in, and every voiding, is a batch, by whom, and which codes are of it, before and after a
// restart.
func TestBatches(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.newCoupon(t)
	codes := []coupon.NewCode{{Value: "A1"}, {Value: "A2"}, {Value: "A2"}}
	if _, _, err := s.AddCodes(asked(t.Context(), "key_1"), c, codes); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.AddCodes(asked(t.Context(), "key_1"), c, codes); err != nil { // All of them exist: no batch.
		t.Fatal(err)
	}
	request := &db.GenerateRequest{CouponID: c, Count: 5, Pattern: "G######", Alphabet: "0123456789"}
	made, err := s.GenerateCodes(asked(t.Context(), "oidc:ada"), request)
	if err != nil || made.Batch.Kind != coupon.BatchGenerated || made.Batch.Count != 5 {
		t.Fatalf("got %+v, %v", made, err)
	}
	file := newImport(coupon.ImportCodes, into(c))
	upload, err := s.Receive(t.Context(), "codes.csv", strings.NewReader("code,label\nI1,x\nI2,y\nA1,x\n"))
	if err != nil {
		t.Fatal(err)
	}
	queued, err := s.CreateImport(asked(t.Context(), "key_2"), file, upload.ID, true)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.RunImport(t.Context(), queued.ID); err != nil {
		t.Fatal(err)
	}
	s.importFile(t, newImport(coupon.ImportCodes, into(c), dryRun), "code\nI9\n")
	void := s.importFile(t, newImport(coupon.ImportCodes, into(c), withMode(coupon.ImportVoid)), "code\nI1\n")
	voided, err := s.VoidCodes(asked(t.Context(), "key_1"), voiding(c, "A1", "I1"))
	if err != nil || voided.Count != 1 {
		t.Fatalf("voided %+v, %v", voided, err)
	}
	if again, err := s.VoidCodes(asked(t.Context(), "key_1"), voiding(c, "A1")); err != nil || again.Batch != nil {
		t.Errorf("voiding nothing gave %+v, %v", again, err)
	}
	want := []string{
		"batch_1 ADDED 2 by key_1", "batch_2 GENERATED 5 by oidc:ada", "batch_3 IMPORTED 2 by key_2 of " + string(queued.ID),
		"batch_4 VOIDED 1 by nobody of " + string(void.ID), "batch_5 VOIDED 1 by key_1",
	}
	of := map[string]string{"batch_1": "A1 A2", "batch_3": "I1 I2", "batch_4": "I1", "batch_5": "A1", "batch_9": "", "coupon_1": "", "batch_": ""}
	for range 2 {
		if diff := cmp.Diff(want, s.batches(t, c)); diff != "" {
			t.Errorf("batches (-want +got):\n%s", diff)
		}
		for batch, values := range of {
			var got []string
			for _, code := range s.allCodes(t, c, &coupon.CodeFilter{BatchID: new(coupon.ID(batch))}) {
				got = append(got, code.Value)
			}
			if strings.Join(got, " ") != values {
				t.Errorf("%s has %v, want %s", batch, got, values)
			}
		}
		narrow := &coupon.CodeFilter{BatchID: new(coupon.ID("batch_3")), ValuePrefix: new("i2"), Label: []string{"y"}}
		if got := s.allCodes(t, c, narrow); len(got) != 1 || got[0].Value != "I2" || got[0].BatchID != "batch_3" {
			t.Errorf("got %+v", got)
		}
		if got := s.allCodes(t, c, &coupon.CodeFilter{BatchID: &made.Batch.ID}); len(got) != 5 {
			t.Errorf("%d generated codes", len(got))
		}
		s.checkSound(t)
		s.reopen(t)
	}
	generated := coupon.BatchGenerated
	list, err := s.CodeBatches(t.Context(), &generated, nil, nil, coupon.Page{First: 1, WantsItems: true, WantsTotal: true})
	if err != nil || list.Total != 1 || len(list.Items) != 1 || list.Items[0].ID != made.Batch.ID {
		t.Errorf("got %+v, %v", list, err)
	}
}

// TestUndoBatch takes back each kind of batch: the codes that somebody had stay.
func TestUndoBatch(t *testing.T) {
	t.Parallel()
	for _, kind := range []coupon.CodeBatchKind{coupon.BatchAdded, coupon.BatchGenerated, coupon.BatchImported} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			c := s.newCoupon(t)
			s.codes(t, c, "", "BEFORE")
			switch kind { //nolint:exhaustive // the other is of TestUndoVoiding
			case coupon.BatchAdded:
				s.codes(t, c, "", "A1", "A2", "A3", "A4", "A5")
			case coupon.BatchGenerated:
				request := &db.GenerateRequest{CouponID: c, Count: 5, Pattern: "#####", Alphabet: "0123456789"}
				if _, err := s.GenerateCodes(t.Context(), request); err != nil {
					t.Fatal(err)
				}
			case coupon.BatchImported:
				s.importFile(t, newImport(coupon.ImportCodes, into(c)), "code\nA1\nA2\nA3\nA4\nA5\n")
			}
			const batch = coupon.ID("batch_2")
			of := s.allCodes(t, c, &coupon.CodeFilter{BatchID: new(batch)})
			s.codes(t, c, "", "AFTER")
			s.deliver(t, c, s.recipients(t, 3)) // BEFORE and two of the batch
			s.redeem(t, of[0].Value)
			if _, err := s.VoidCodes(t.Context(), voiding(c, of[4].Value)); err != nil {
				t.Fatal(err)
			}
			for i := range 2 {
				undone, err := s.UndoBatch(t.Context(), batch)
				if err != nil || undone.Removed != 2*(1-i) ||
					undone.Kept != 3 || undone.Restored != 0 || undone.Batch.UndoneAt == nil || undone.Batch.Count != 5 {
					t.Fatalf("undone: %+v, %v", undone, err)
				}
				if isImport := kind == coupon.BatchImported; isImport != (undone.Import != nil) || isImport && undone.Import.UndoneAt == nil {
					t.Errorf("its import: %+v", undone.Import)
				}
				s.wantAvailability(t, c, "available 1, assigned 2, redeemed 1, voided 1")
				s.checkSound(t)
				s.reopen(t)
			}
		})
	}
	s := newScene(t)
	for _, id := range []coupon.ID{"batch_1", "import_1", ""} {
		_, err := s.UndoBatch(t.Context(), id)
		wantError(t, err, coupon.ErrorNotFound, "input.id")
	}
}

// TestUndoVoiding takes a wrong voiding back, by a file and by voidCodes: what is available is what it was before to the digit.
func TestUndoVoiding(t *testing.T) {
	t.Parallel()
	for _, way := range []string{"a file", "voidCodes"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			c := s.used(t)
			s.codes(t, c, "x", numbered("X", 3000)...)
			before := s.availability(t, c)
			values := append([]string{"ASSIGNED", "REDEEMED", "VOIDED", "FREE", "SPARE"}, numbered("X", 3000)...)
			s.clock.Advance(time.Minute)
			var undo func() (*coupon.Undone, error)
			if way == "a file" {
				i := s.importFile(t, newImport(coupon.ImportCodes, into(c), withMode(coupon.ImportVoid)), "code\n"+strings.Join(values, "\n"))
				wantImport(t, i, "SUCCEEDED 3005 = 3003 + 2")
				undo = func() (*coupon.Undone, error) { return s.UndoImport(asked(t.Context(), "key_9"), i.ID) }
			} else {
				voided, err := s.VoidCodes(t.Context(), voiding(c, values...))
				if err != nil || voided.Count != 3003 {
					t.Fatalf("voided %+v, %v", voided, err)
				}
				undo = func() (*coupon.Undone, error) { return s.UndoBatch(asked(t.Context(), "key_9"), voided.Batch.ID) }
			}
			// What is read of a code while it is voided must not be told of it later.
			if code := s.code(t, "FREE"); code.Status != coupon.CodeVoided {
				t.Errorf("got %+v", code)
			}
			s.clock.Advance(time.Minute)
			for i := range 2 {
				undone, err := undo()
				if err != nil || undone.Restored != 3003*(1-i) || undone.Kept != 0 || undone.Removed != 0 || undone.Batch.UndoneAt == nil {
					t.Fatalf("undone: %+v, %v", undone, err)
				}
				if diff := cmp.Diff(before, s.availability(t, c)); diff != "" {
					t.Errorf("availability (-before +after):\n%s", diff)
				}
				code := s.code(t, "ASSIGNED")
				if code.Status != coupon.CodeAssigned || code.VoidedAt != nil {
					t.Errorf("got %+v", code)
				}
				events, err := s.EventsOf(t.Context(), []coupon.ID{code.ID})
				if err != nil {
					t.Fatal(err)
				}
				history := events[code.ID]
				last := history[len(history)-1]
				if was := history[len(history)-2]; was.Kind != coupon.EventVoided || !was.At.Add(time.Minute).Equal(last.At) ||
					last.Kind != coupon.EventRestored || last.Text != "Not voided any more: undone by key_9." {
					t.Errorf("its history is %+v, %+v", was, last)
				}
				s.checkSound(t)
				s.reopen(t)
			}
			s.clock.Advance(time.Minute)
			if _, err := s.VoidCodes(t.Context(), voiding(c, "FREE")); err != nil {
				t.Fatal(err)
			}
			if code := s.code(t, "FREE"); !code.VoidedAt.Equal(s.clock.Now()) {
				t.Errorf("voided at %s instead of %s", code.VoidedAt, s.clock.Now())
			}
			// What is kept of it goes with its code, and with its coupon.
			if undone, err := s.UndoBatch(t.Context(), s.code(t, "X0001").BatchID); err != nil || undone.Removed != 3000 {
				t.Errorf("undone: %+v, %v", undone, err)
			}
			s.checkSound(t)
			other := s.newCoupon(t)
			s.codes(t, other, "", "GONE")
			voided, err := s.VoidCodes(t.Context(), voiding(other, "GONE"))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.UndoBatch(t.Context(), voided.Batch.ID); err != nil {
				t.Fatal(err)
			}
			if err := s.DeleteCoupon(t.Context(), other); err != nil {
				t.Fatal(err)
			}
			s.checkSound(t)
		})
	}
}

// TestUndoVoidingKeeps tells which codes stay voided when their voiding is undone.
func TestUndoVoidingKeeps(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.newCoupon(t, withoutAssignment)
	s.codes(t, c, "", "C1", "C2", "S1", "S2", "U1", "U2", "Z1")
	people := s.recipients(t, 2)
	pending := s.newDelivery(t, c, people)
	s.analyze(t, pending, coupon.DeliveryReady)
	s.confirm(t, pending) // C1 and C2
	voided, err := s.VoidCodes(t.Context(), voiding(c, "C1", "S1", "S2", "U1", "U2"))
	if err != nil || voided.Count != 5 || voided.Pending != 1 {
		t.Fatalf("voided %+v, %v", voided, err)
	}
	s.clock.Advance(time.Minute)
	s.sendJudged(t, pending, 2) // C1 is canceled with its message.
	uses := s.importFile(t, newImport(coupon.ImportRedemptions), "code,redeemed on\nU1,2026-11-23\nU2,2026-11-23\n")
	wantImport(t, uses, "SUCCEEDED 2 = 2 + 0")
	redemptions, err := s.Redemptions(t.Context(), nil, coupon.Page{First: 10, WantsItems: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range redemptions.Items {
		if *r.CodeID == s.code(t, "U2").ID {
			if _, err := s.Reverse(t.Context(), nil, r.ID, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	undone, err := s.UndoBatch(t.Context(), voided.Batch.ID)
	if err != nil || undone.Restored != 2 || undone.Kept != 3 {
		t.Errorf("undone: %+v, %v", undone, err)
	}
	for value, want := range map[string]coupon.CodeStatus{
		"C1": coupon.CodeVoided, "C2": coupon.CodeAssigned, "S1": coupon.CodeAvailable, "S2": coupon.CodeAvailable,
		"U1": coupon.CodeRedeemed, "U2": coupon.CodeVoided, "Z1": coupon.CodeAvailable,
	} {
		if code := s.code(t, value); code.Status != want {
			t.Errorf("%s is %s, want %s", value, code.Status, want)
		}
	}
	s.checkSound(t)
	s.reopen(t)
	s.checkSound(t)
}
