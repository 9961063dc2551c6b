package db_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"couponql/coupon"
	"couponql/db"
)

// TestImportMeanwhile has something happen to what an import is about right before it commits: it
// counts what happened, as if it had come after it.
func TestImportMeanwhile(t *testing.T) {
	t.Parallel()
	redemptions := newImport(coupon.ImportRedemptions)
	redeem := func(values ...string) func(*testing.T, *scene, coupon.ID) {
		return func(t *testing.T, s *scene, _ coupon.ID) {
			t.Helper()
			for _, value := range values {
				if _, err := s.Redeem(t.Context(),
					&coupon.RedeemRequest{Value: value, Reference: new("till")}); err != nil {
					t.Error(err)
				}
			}
		}
	}
	voided := func(values ...string) func(*testing.T, *scene, coupon.ID) {
		return func(t *testing.T, s *scene, c coupon.ID) {
			t.Helper()
			if _, err := s.VoidCodes(t.Context(), voiding(c, values...)); err != nil {
				t.Error(err)
			}
		}
	}
	assign := func(t *testing.T, s *scene, c coupon.ID) {
		t.Helper()
		s.deliver(t, c, s.recipients(t, 1)) // A0001
	}
	release := func(t *testing.T, s *scene, c coupon.ID) {
		t.Helper()
		assign(t, s, c)
		_, _, _, err := s.ReleaseCodes(t.Context(),
			&db.CodeSelection{CouponID: c, Values: []string{"A0001"}}, true, "undeliverable")
		if err != nil {
			t.Error(err)
		}
	}
	limited := func(t *testing.T, s *scene, c coupon.ID) {
		t.Helper()
		if _, err := s.UpdateCoupon(t.Context(), c,
			&coupon.CouponChanges{Label: coupon.Set(new("Other"))}); err != nil {
			t.Error(err)
		}
	}
	all := "code\n" + strings.Join(numbered("A", 4), "\n") + "\n"
	void, replace := []func(*coupon.Import){withMode(coupon.ImportVoid)}, []func(*coupon.Import){
		withMode(coupon.ImportReplaceUnused),
	}
	for name, test := range map[string]struct {
		kind      coupon.ImportKind
		edits     []func(*coupon.Import)
		text      string
		limit     int
		meanwhile func(*testing.T, *scene, coupon.ID)
		want      string
		rejected  []string
		// stand is where the codes stand in the end.
		stand string
		// again is how often the import begins again: what tills do is no reason, unless the file
		// is whole or nothing.
		again int
	}{
		"redemptions, one by a till": {
			kind: redemptions.Kind, text: "code,date\nA0001,2026-11-20\nA0002,2026-11-20\n",
			meanwhile: redeem("A0002"),
			want:      "SUCCEEDED 2 = 1 + 1", rejected: []string{"3 ALREADY_REDEEMED A0002"},
			stand: "available 2, redeemed 2",
		},
		"redemptions, the same by a till": {
			kind: redemptions.Kind,
			text: "code,date,order\nA0001,2026-11-20,till\nA0001,2026-11-20,o1\nA0001,2026-11-20,o2\nA0002,2026-11-20,\n", limit: 3,
			meanwhile: redeem("A0001"), want: "SUCCEEDED 4 = 3 + 1",
			rejected: []string{"2 ALREADY_RECORDED A0001"}, stand: "available 2, redeemed 2",
		},
		"redemptions, up to the limit": {
			kind: redemptions.Kind,
			text: "code,date,order\nA0001,2026-11-20,o1\nA0001,2026-11-20,o2\nA0001,2026-11-20,o3\nA0002,2026-11-20,\n", limit: 3,
			meanwhile: redeem("A0001", "A0003"), want: "SUCCEEDED 4 = 3 + 1",
			rejected: []string{"4 ALREADY_REDEEMED A0001"}, stand: "available 1, redeemed 3",
		},
		"redemptions of a file that is whole or nothing": {
			kind: redemptions.Kind, edits: []func(*coupon.Import){rejectFile},
			text:      "code,date\nA0001,2026-11-20\nA0002,2026-11-20\n",
			meanwhile: redeem("A0002"), want: "FAILED 2 = 0 + 1",
			rejected: []string{"3 ALREADY_REDEEMED A0002"},
			stand:    "available 3, redeemed 1", again: 1,
		},
		"redemptions, one assigned": {
			kind: redemptions.Kind, text: "code,date\nA0001,2026-11-20\n", meanwhile: assign,
			want: "SUCCEEDED 1 = 1 + 0", stand: "available 3, redeemed 1", again: 1,
		},
		"redemptions, the coupon changed": {
			kind: redemptions.Kind, text: "code,date\nA0001,2026-11-20\n", meanwhile: limited,
			want: "SUCCEEDED 1 = 1 + 0", stand: "available 3, redeemed 1", again: 1,
		},
		"void, one redeemed and one voided": {
			kind: coupon.ImportCodes, edits: void, text: all, want: "SUCCEEDED 4 = 2 + 2",
			stand: "redeemed 1, voided 3",
			meanwhile: func(t *testing.T, s *scene, c coupon.ID) {
				t.Helper()
				redeem("A0002")(t, s, c)
				voided("A0003")(t, s, c)
			},
			rejected: []string{"3 ALREADY_REDEEMED A0002", "4 ALREADY_RECORDED A0003"},
		},
		"void a file that is whole or nothing": {
			kind: coupon.ImportCodes, edits: append(void, rejectFile), text: all,
			meanwhile: redeem("A0002"),
			want:      "FAILED 4 = 0 + 1", rejected: []string{"3 ALREADY_REDEEMED A0002"},
			stand: "available 3, redeemed 1", again: 1,
		},
		"void, one assigned": {
			kind: coupon.ImportCodes, edits: void, text: all, meanwhile: assign,
			want: "SUCCEEDED 4 = 4 + 0", stand: "voided 4",
		},
		"replace, one redeemed that is not in the file": {
			kind: coupon.ImportCodes, edits: replace, text: "code\nB1\nB2\n",
			meanwhile: redeem("A0002"),
			want:      "SUCCEEDED 2 = 2 + 0", stand: "available 2, redeemed 1",
		},
		"replace, one redeemed that is in the file": {
			kind: coupon.ImportCodes, edits: replace, text: "code\nB1\na0002\nA0003\n",
			meanwhile: redeem("A0002"),
			want:      "SUCCEEDED 3 = 2 + 1", rejected: []string{"3 ALREADY_EXISTS a0002"},
			stand: "available 2, redeemed 1",
		},
		"replace by a file that is whole or nothing": {
			kind: coupon.ImportCodes, edits: append(replace, rejectFile), text: "code\nB1\na0002\n",
			meanwhile: redeem("A0002"),
			want:      "FAILED 2 = 0 + 1", rejected: []string{"3 ALREADY_EXISTS a0002"},
			stand: "available 3, redeemed 1", again: 1,
		},
		"replace, one voided": {
			kind: coupon.ImportCodes, edits: replace, text: "code\nB1\n",
			meanwhile: voided("A0001"),
			want:      "SUCCEEDED 1 = 1 + 0", stand: "available 1, voided 1",
		},
		"replace, one assigned": {
			kind: coupon.ImportCodes, edits: replace, text: "code\nB1\n", meanwhile: assign,
			want: "SUCCEEDED 1 = 1 + 0", stand: "available 1, assigned 1",
		},
		"replace, one given away and returned": {
			kind: coupon.ImportCodes, edits: replace, text: "code\nB1\n", meanwhile: release,
			want: "SUCCEEDED 1 = 1 + 0", stand: "available 2",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			c := s.newCoupon(t, withoutAssignment, withLimit(max(1, test.limit)))
			s.codes(t, c, "", numbered("A", 4)...)
			edits := test.edits
			if test.kind == coupon.ImportCodes {
				edits = append(slices.Clone(edits), into(c))
			}
			id := s.queue(t, newImport(test.kind, edits...), test.text)
			attempts := 0
			err := s.RunImportWith(t.Context(), id, func() {
				if attempts++; attempts == 1 {
					test.meanwhile(t, s, c)
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			if attempts != 1+test.again {
				t.Errorf("it was decided %d times beside the writer, want %d", attempts,
					1+test.again)
			}
			wantImport(t, s.imported(t, id), test.want)
			if diff := cmp.Diff(append([]string{}, test.rejected...),
				s.rejections(t, id)); diff != "" {
				t.Errorf("rejections (-want +got):\n%s", diff)
			}
			for range 2 {
				s.wantAvailability(t, c, test.stand)
				s.checkSound(t)
				s.reopen(t)
			}
		})
	}
}

// TestRedemptionsOfAnonymousMeanwhile tells that a file and tills together never exceed the limit
// of a coupon's own code.
func TestRedemptionsOfAnonymousMeanwhile(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.newCoupon(t, anonymous, withCode("ALL"), withLimit(5))
	id := s.queue(t, newImport(coupon.ImportRedemptions),
		"code,date,order\nALL,2026-11-20,o1\nALL,2026-11-20,o2\nALL,2026-11-20,o3\nALL,2026-11-20,o4\n")
	err := s.RunImportWith(t.Context(), id, func() {
		for _, reference := range []string{"o2", "t1", "t2"} {
			if _, err := s.Redeem(t.Context(),
				&coupon.RedeemRequest{Value: "ALL", Reference: &reference}); err != nil {
				t.Error(err)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	wantImport(t, s.imported(t, id), "SUCCEEDED 4 = 2 + 2")
	s.wantRejections(t, id, "3 ALREADY_RECORDED ALL", "5 ALREADY_REDEEMED ALL")
	_, err = s.Redeem(t.Context(), &coupon.RedeemRequest{Value: "ALL"})
	wantError(t, err, coupon.ErrorRedemptionLimitReached, "input.value")
	if list, err := s.Redemptions(
		t.Context(),
		&coupon.StatsFilter{CouponIDs: []coupon.ID{c}},
		coupon.Page{First: 1, WantsTotal: true},
	); err != nil ||
		list.Total != 5 {
		t.Errorf("%d redemptions, %v", list.Total, err)
	}
	s.checkSound(t)
	s.reopen(t)
	s.checkSound(t)
}

// TestTargetsMeanwhile tells that targets that others add or take out while a file of targets is
// imported count.
func TestTargetsMeanwhile(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		meanwhile func(*scene, coupon.ID, []coupon.ID) error
		want      string
		targets   int
	}{
		"one is added": {func(s *scene, d coupon.ID, recipients []coupon.ID) error {
			_, err := s.AddTargets(t.Context(), d, recipients[1:2], nil)
			return err
		}, "SUCCEEDED 3 = 2 + 1", 3},
		"all are taken out": {func(s *scene, d coupon.ID, _ []coupon.ID) error {
			_, err := s.ClearTargets(t.Context(), d)
			return err
		}, "SUCCEEDED 3 = 3 + 0", 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			recipients := s.recipients(t, 3)
			d := s.newDelivery(t, "", nil)
			id := s.queue(t, newImport(coupon.ImportTargets, into(d)), "id\nr1\nr2\nr3\n")
			happened := false
			err := s.RunImportWith(t.Context(), id, func() {
				if !happened {
					happened = true
					if err := test.meanwhile(s, d, recipients); err != nil {
						t.Error(err)
					}
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			wantImport(t, s.imported(t, id), test.want)
			if got := s.delivery(t, d).TargetCount; got != test.targets {
				t.Errorf("%d targets, want %d", got, test.targets)
			}
			s.checkSound(t)
		})
	}
}

// TestTillsBesideImports redeems codes at tills while files redeem, void, replace and take out the
// same ones, and asks in the end who got what: no code is redeemed beyond its limit, none is
// redeemed that made way, and nothing that a till was told is lost.
func TestTillsBesideImports(t *testing.T) {
	t.Parallel()
	const codes, tills = 3000, 4
	for name, run := range map[string]func(*testing.T, *scene, coupon.ID, coupon.ID) error{
		"redemptions": func(t *testing.T, s *scene, _, _ coupon.ID) error {
			return s.RunImport(t.Context(), s.queue(t,
				newImport(coupon.ImportRedemptions),
				"code,date,order\n"+strings.Join(numbered("T", codes), ",2026-11-20,f\n")+
					",2026-11-20,f\n"))
		},
		"void": func(t *testing.T, s *scene, c, _ coupon.ID) error {
			return s.RunImport(t.Context(), s.queue(t,
				newImport(coupon.ImportCodes, into(c), withMode(coupon.ImportVoid)),
				"code\n"+strings.Join(numbered("T", codes), "\n")))
		},
		"replace": func(t *testing.T, s *scene, c, _ coupon.ID) error {
			return s.RunImport(t.Context(), s.queue(t,
				newImport(coupon.ImportCodes, into(c), withMode(coupon.ImportReplaceUnused)),
				"code\n"+strings.Join(numbered("T", codes/2), "\n")))
		},
		"undo": func(t *testing.T, s *scene, _, first coupon.ID) error {
			_, err := s.UndoImport(t.Context(), first)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			c := s.newCoupon(t, withoutAssignment)
			first := s.importFile(t, newImport(coupon.ImportCodes, into(c)),
				"code\n"+strings.Join(numbered("T", codes), "\n")).ID
			var isOver atomic.Bool
			var redeemed, next atomic.Int64
			for _, err := range atOnce(1+tills, func(i int) error {
				if i == 0 {
					// The tills are on their way by then.
					for redeemed.Load() < tills {
						time.Sleep(time.Millisecond)
					}
					defer isOver.Store(true)
					return run(t, s, c, first)
				}
				for !isOver.Load() {
					number := int(next.Add(1))
					if number > codes {
						return nil
					}
					// Here and there, so that the file has met some codes and some not.
					_, err := s.Redeem(t.Context(), &coupon.RedeemRequest{
						Value:     fmt.Sprintf("T%04d", 1+number*1009%codes),
						Reference: new(fmt.Sprint(number)),
					})
					if _, isRefused := coupon.AsUserErrors(err); err != nil && !isRefused {
						return err
					}
					if err == nil {
						redeemed.Add(1)
					}
				}
				return nil
			}) {
				if err != nil {
					t.Error(err)
				}
			}
			for range 2 {
				s.checkSound(t)
				list, err := s.Redemptions(t.Context(), &coupon.StatsFilter{},
					coupon.Page{First: 1, WantsTotal: true})
				if err != nil {
					t.Fatal(err)
				}
				a := s.availability(t, c)
				want := int(redeemed.Load())
				if name == "redemptions" {
					want = codes
				}
				if list.Total != want || a.Redeemed != want {
					t.Errorf("%d redemptions, %d redeemed codes, want %d, by tills %d", list.Total,
						a.Redeemed, want, redeemed.Load())
				}
				t.Logf("tills redeemed %d: %+v", redeemed.Load(), *a)
				s.reopen(t)
			}
		})
	}
}

// TestImportIsCanceledMeanwhile calls imports off when all is decided and nothing is committed:
// nothing of them remains.
func TestImportIsCanceledMeanwhile(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.newCoupon(t, withoutAssignment)
	s.codes(t, c, "", numbered("A", 4)...)
	d := s.newDelivery(t, "", nil)
	s.recipients(t, 2)
	before := s.values(t, c)
	for _, i := range []struct {
		file *coupon.Import
		text string
	}{
		{newImport(coupon.ImportCodes, into(c)), "code\nB1\nA0001\n"},
		{
			newImport(coupon.ImportCodes, into(c), withMode(coupon.ImportReplaceUnused)),
			"code\nB1\na0001\n",
		},
		{newImport(coupon.ImportCodes, into(c), withMode(coupon.ImportVoid)), "code\nA0001\nB1\n"},
		{newImport(coupon.ImportRecipients), "id,email\nr1,new@example.org\nr3,\n"},
		{newImport(coupon.ImportRedemptions), "code,date\nA0001,2026-11-20\nB1,2026-11-20\n"},
		{newImport(coupon.ImportTargets, into(d)), "id\nr1\nr9\n"},
	} {
		id := s.queue(t, i.file, i.text)
		ctx, cancel := context.WithCancel(t.Context())
		if err := s.RunImportWith(ctx, id, cancel); !errors.Is(err, context.Canceled) {
			t.Errorf("%s %s: got %v, want that it is canceled", i.file.Kind, i.file.Mode, err)
		}
		cancel()
		canceled, err := s.CancelImport(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		wantImport(t, canceled, "CANCELED 0 = 0 + 0")
		if rejections := s.rejections(t, id); len(rejections) > 0 {
			t.Errorf("%s %s: rejections remain: %v", i.file.Kind, i.file.Mode, rejections)
		}
	}
	if diff := cmp.Diff(before, s.values(t, c)); diff != "" {
		t.Errorf("codes (-want +got):\n%s", diff)
	}
	s.wantAvailability(t, c, "available 4")
	if r, err := s.RecipientByExternalID(t.Context(), "r1"); err != nil ||
		*r.Email != "r1@example.org" {
		t.Errorf("recipient %+v, %v", r, err)
	}
	if got := s.delivery(t, d).TargetCount; got != 0 {
		t.Errorf("%d targets", got)
	}
	s.codes(t, c, "", "B1")
	s.redeem(t, "A0002")
	for range 2 {
		s.wantAvailability(t, c, "available 4, redeemed 1")
		s.checkSound(t)
		s.reopen(t)
	}
}

// TestImportIsCalledOffBetweenAttempts records that an import was called off after it began to
// decide and before it commits, as one does whose server was started again: it must neither be done
// nor take back what was said of it.
func TestImportIsCalledOffBetweenAttempts(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.newCoupon(t, withoutAssignment)
	s.codes(t, c, "", numbered("A", 4)...)
	for _, mode := range []coupon.ImportMode{
		coupon.ImportAdd, coupon.ImportReplaceUnused, coupon.ImportVoid,
	} {
		id := s.queue(t, newImport(coupon.ImportCodes, into(c), withMode(mode)),
			"code\nB1\nA0001\n")
		number, _ := id.Number(coupon.KindImport)
		err := s.RunImportWith(t.Context(), id, func() {
			s.Exec(t, fmt.Sprintf("UPDATE import SET status = 'CANCELED' WHERE id = %d", number))
		})
		if err == nil || !strings.Contains(err.Error(), "the job was canceled") {
			t.Errorf("%s: got %v, want that it was canceled", mode, err)
		}
		if got := s.imported(t, id).Status; got != coupon.ImportCanceled {
			t.Errorf("%s: it is %s", mode, got)
		}
		s.wantAvailability(t, c, "available 4")
	}
	s.checkSound(t)
}

// TestErasureWaitsForImport erases a recipient while a file that names it is imported: what the
// import rejected of it is erased, too, and nobody is told that the server failed.
func TestErasureWaitsForImport(t *testing.T) {
	t.Parallel()
	for _, kind := range []coupon.ImportKind{coupon.ImportRecipients, coupon.ImportTargets} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			s.recipients(t, 2)
			i := newImport(kind)
			if kind == coupon.ImportTargets {
				i = newImport(kind, into(s.newDelivery(t, "", nil)))
			}
			id := s.queue(t, i, "id\nr1\nr2\nr1\n")
			erased, upserted := make(chan error, 1), make(chan error, 1)
			err := s.RunImportWith(t.Context(), id, func() {
				go func() {
					_, err := s.EraseRecipients(t.Context(), nil, []string{"r1"})
					erased <- err
				}()
				go func() {
					_, err := s.UpsertRecipients(t.Context(), []*coupon.RecipientChanges{
						{ExternalID: "r2", FirstName: coupon.Set(new("Ada"))},
					})
					upserted <- err
				}()
			})
			for _, err := range []error{err, <-erased, <-upserted} {
				if err != nil {
					t.Error(err)
				}
			}
			wantImport(t, s.imported(t, id), "SUCCEEDED 3 = 2 + 1")
			s.wantRejections(t, id, "4 DUPLICATE_IN_FILE")
			if r, err := s.RecipientByExternalID(t.Context(), "r1"); err != nil || r != nil {
				t.Errorf("r1 is still %+v, %v", r, err)
			}
			if r, err := s.RecipientByExternalID(t.Context(), "r2"); err != nil || r == nil ||
				r.FirstName == nil || *r.FirstName != "Ada" {
				t.Errorf("r2 is %+v, %v", r, err)
			}
			s.checkSound(t)
		})
	}
}

// TestImportManyKnownRecipients changes more recipients than are changed in place: what the file
// says nothing of stays, numbers stay, and who was erased is not known.
func TestImportManyKnownRecipients(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	const rows = coupon.MaxUpsertedRecipients + 1
	name := func(i int) string { return fmt.Sprintf("c%d", i) }
	wantImport(t, s.importFile(t, newImport(coupon.ImportRecipients),
		repeated("id,email,phone,sport", rows, func(i int) string {
			return fmt.Sprintf("%s,%s@example.org,+49 170 %06d,soccer", name(i), name(i), i)
		})), fmt.Sprintf("SUCCEEDED %d = %d + 0", rows, rows))
	first, err := s.RecipientByExternalID(t.Context(), name(7))
	if err != nil {
		t.Fatal(err)
	}
	i := s.importFile(t, newImport(coupon.ImportRecipients),
		repeated("id,email,first name", rows+2, func(i int) string { return name(i) + `,\N,Ada` }))
	wantImport(t, i, fmt.Sprintf("SUCCEEDED %d = %d + 0", rows+2, rows+2))
	if want := (coupon.ImportChanges{Added: 2, Changed: rows, Cleared: rows}); i.Changes != want {
		t.Errorf("changes %+v, want %+v", i.Changes, want)
	}
	for range 2 {
		changed, err := s.RecipientByExternalID(t.Context(), name(7))
		if err != nil || changed == nil {
			t.Fatalf("%+v, %v", changed, err)
		}
		if changed.ID != first.ID || changed.Email != nil || *changed.Phone != *first.Phone ||
			*changed.FirstName != "Ada" ||
			changed.Attributes != first.Attributes {
			t.Errorf("got %+v, was %+v", changed, first)
		}
		list, err := s.Recipients(t.Context(), nil, coupon.Page{First: 1, WantsTotal: true})
		if err != nil || list.Total != rows+2 {
			t.Errorf("%d recipients, %v", list.Total, err)
		}
		s.checkSound(t)
		s.reopen(t)
	}
}

// TestRecordedOutOfOrder tells that who watches gets the redemptions of a file that were numbered
// before a till's, and came to the disk after it.
func TestRecordedOutOfOrder(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.codes(t, s.newCoupon(t, withoutAssignment), "", numbered("A", 9)...)
	place, _, stop := s.WatchRedemptions()
	defer stop()
	id := s.queue(t, newImport(coupon.ImportRedemptions),
		"code,date\nA0001,2026-11-20\nA0002,2026-11-20\n")
	if err := s.RunImportWith(t.Context(), id, func() { s.redeem(t, "A0009") }); err != nil {
		t.Fatal(err)
	}
	s.redeem(t, "A0008")
	var values []string
	for {
		redemptions, next, err := s.Recorded(t.Context(), place, "")
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range redemptions {
			values = append(values, r.CodeValue)
		}
		if next == place {
			break
		}
		place = next
	}
	if got, want := strings.Join(values, " "), "A0009 A0001 A0002 A0008"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
