package db_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"couponql/coupon"
)

// wantImport compares what became of an import, written like "SUCCEEDED 3 = 2 + 1".
func wantImport(t *testing.T, i *coupon.Import, want string) {
	t.Helper()
	got := fmt.Sprintf("%s %d = %d + %d", i.Status, i.RowsRead, i.RowsImported, i.RowsRejected)
	if got != want {
		failure := ""
		if i.Failure != nil {
			failure = *i.Failure
		}
		t.Errorf("import: got %q, want %q %s", got, want, failure)
	}
	if i.Progress != 1 || i.FinishedAt == nil {
		t.Errorf("an import that is over has %+v", i)
	}
}

func (s *scene) wantRejections(t *testing.T, id coupon.ID, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, s.rejections(t, id)); diff != "" {
		t.Errorf("rejections (-want +got):\n%s", diff)
	}
}

func TestImportCodes(t *testing.T) {
	t.Parallel()
	const text = "code;label\nA1;soccer\n\"A;2\";\na1;tennis\nKNOWN;\n;\nOTHER;\nCPN1;\nA\x013;\nA4;soccer\n"
	prepare := func(t *testing.T) (*scene, coupon.ID) {
		t.Helper()
		s := newScene(t)
		s.codes(t, s.newCoupon(t), "", "other")
		c := s.newCoupon(t)
		s.codes(t, c, "", "known")
		return s, c
	}
	rejections := []string{
		"4 DUPLICATE_IN_FILE a1", "5 ALREADY_EXISTS KNOWN", "6 EMPTY", "7 EXISTS_ELSEWHERE OTHER",
		"8 EXISTS_ELSEWHERE CPN1", "9 BAD_CHARACTER A\ufffd3",
	}
	t.Run("OK", func(t *testing.T) {
		t.Parallel()
		s, c := prepare(t)
		i := s.importFile(t, newImport(coupon.ImportCodes, into(c),
			func(i *coupon.Import) { i.Label = new("rest") }), text)
		wantImport(t, i, "SUCCEEDED 9 = 3 + 6")
		s.wantRejections(t, i.ID, rejections...)
		var codes []string
		for _, code := range s.allCodes(t, c, &coupon.CodeFilter{ImportID: &i.ID}) {
			codes = append(codes, code.Value+" "+*code.Label)
		}
		if diff := cmp.Diff([]string{"A;2 rest", "A1 soccer", "A4 soccer"}, codes); diff != "" {
			t.Errorf("codes (-want +got):\n%s", diff)
		}
		reasons, err := s.RejectionReasonsOf(t.Context(), []coupon.ID{i.ID})
		if err != nil || len(reasons[i.ID]) != 5 ||
			reasons[i.ID][0].Reason != coupon.RejectedExistsElsewhere ||
			reasons[i.ID][0].Count != 2 {
			t.Errorf("reasons: %+v, %v", reasons[i.ID], err)
		}
		// The same file again brings nothing new.
		again := s.importFile(t, newImport(coupon.ImportCodes, into(c)), text)
		wantImport(t, again, "SUCCEEDED 9 = 0 + 9")
		same, err := s.SameFileOf(t.Context(), []coupon.ID{i.ID, again.ID})
		if err != nil || same[again.ID].ID != i.ID || same[i.ID] != nil {
			t.Errorf("same file: %+v, %v", same, err)
		}
		s.checkSound(t)
		// The files are kept as long as their rejected rows can be downloaded.
		s.clock.Advance(coupon.RejectsLifetime)
		if err := s.ForgetFiles(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.wantNoFiles(t)
	})
	t.Run("dry run", func(t *testing.T) {
		t.Parallel()
		s, c := prepare(t)
		i := s.importFile(t, newImport(coupon.ImportCodes, into(c), dryRun), text)
		wantImport(t, i, "SUCCEEDED 9 = 3 + 6")
		s.wantAvailability(t, c, "available 1")
		if code, err := s.CodeByValue(t.Context(), "A1", coupon.AnyState); err != nil ||
			code != nil {
			t.Errorf("a dry run left %+v, %v", code, err)
		}
		s.checkSound(t)
	})
	t.Run("REJECT_FILE", func(t *testing.T) {
		t.Parallel()
		s, c := prepare(t)
		i := s.importFile(t, newImport(coupon.ImportCodes, into(c), rejectFile), text)
		wantImport(t, i, "FAILED 9 = 0 + 6")
		if !strings.Contains(*i.Failure, "6 of 9 rows") {
			t.Errorf("failure %q", *i.Failure)
		}
		s.wantAvailability(t, c, "available 1")
		good := s.importFile(t, newImport(coupon.ImportCodes, into(c), rejectFile),
			"code\nG1\nG2\n")
		wantImport(t, good, "SUCCEEDED 2 = 2 + 0")
		s.checkSound(t)
	})
	t.Run("a file that cannot be read", func(t *testing.T) {
		t.Parallel()
		s, c := prepare(t)
		for _, text := range []string{"", "label,size\nA,B\n", "PK\x03\x04zip"} {
			i := s.importFile(t, newImport(coupon.ImportCodes, into(c)), text)
			wantImport(t, i, "FAILED 0 = 0 + 0")
			if i.Failure == nil || !strings.HasSuffix(*i.Failure, ".") {
				t.Errorf("%q: failure %v", text, i.Failure)
			}
		}
		s.checkSound(t)
		s.wantNoFiles(t)
	})
	t.Run("many codes are found, and found again", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		c := s.newCoupon(t)
		text := "code,label\n"
		for i := range 30_000 {
			text += fmt.Sprintf("N%05d,%s\n", i, []string{"", "soccer", "tennis"}[i%3])
		}
		wantImport(t, s.importFile(t, newImport(coupon.ImportCodes, into(c)), text),
			"SUCCEEDED 30000 = 30000 + 0")
		for range 2 {
			for i := 0; i < 30_000; i += 997 {
				s.code(t, fmt.Sprintf("n%05d", i))
			}
			wantImport(t, s.importFile(t, newImport(coupon.ImportCodes, into(c)), text),
				"SUCCEEDED 30000 = 0 + 30000")
			s.reopen(t)
		}
		s.checkSound(t)
	})
	t.Run("the coupon goes before its turn", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		for _, change := range []func(id coupon.ID) error{
			func(id coupon.ID) error { return s.DeleteCoupon(t.Context(), id) },
			func(id coupon.ID) error { _, err := s.ArchiveCoupon(t.Context(), id); return err },
		} {
			c := s.newCoupon(t)
			id := s.queue(t, newImport(coupon.ImportCodes, into(c)), "code\nA1\n")
			if err := change(c); err != nil {
				t.Fatal(err)
			}
			if err := s.RunImport(t.Context(), id); err != nil {
				t.Fatal(err)
			}
			wantImport(t, s.imported(t, id), "FAILED 1 = 0 + 0")
		}
		s.checkSound(t)
	})
	t.Run("NOT_FOUND, INVALID_STATE and INVALID", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		for _, test := range []struct {
			i     *coupon.Import
			code  coupon.ErrorCode
			field string
		}{
			{
				newImport(coupon.ImportCodes, into("coupon_9")), coupon.ErrorNotFound,
				"input.couponId",
			},
			{
				newImport(coupon.ImportCodes, into(s.newCoupon(t, anonymous))),
				coupon.ErrorInvalidState, "input.couponId",
			},
			{
				newImport(coupon.ImportTargets, into("delivery_9")), coupon.ErrorNotFound,
				"input.deliveryId",
			},
			{
				newImport(coupon.ImportTargets, into(s.deliver(t, "", s.recipients(t, 1)))),
				coupon.ErrorInvalidState, "input.deliveryId",
			},
			{
				newImport(coupon.ImportRedemptions, func(i *coupon.Import) { i.Timezone = "Mars" }),
				coupon.ErrorInvalid, "input.timezone",
			},
		} {
			upload, err := s.Receive(t.Context(), "codes.csv", strings.NewReader("code\nA1\n"))
			if err != nil {
				t.Fatal(err)
			}
			_, err = s.CreateImport(t.Context(), test.i, upload.ID, true)
			wantError(t, err, test.code, test.field)
		}
		s.wantNoFiles(t)
	})
}

// wantNoFiles fails the test when an upload or spooled rows were left behind, once the time for the
// download of rejected rows is over.
func (s *scene) wantNoFiles(t *testing.T) {
	t.Helper()
	s.clock.Advance(coupon.RejectsLifetime)
	if err := s.ForgetFiles(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"uploads", "exports", "spool"} {
		left, err := os.ReadDir(filepath.Join(s.path+".files", dir))
		if err != nil || len(left) > 0 {
			t.Errorf("left in %s: %v, %v", dir, left, err)
		}
	}
}

func TestImportRecipients(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.recipients(t, 1, "soccer")
	const text = "id,email,first name,contactable,city\n" +
		"r1,new@example.org,Ann,no,Rome\nr2,b@example.org,\"B \"\"quoted\"\"\",,\nr2,c@example.org,C,yes,Oslo\n,d@example.org,D,yes,\nr4,e@example.org,E,perhaps,\nr5,,\\N,1,\\N\n"
	dry := s.importFile(t, newImport(coupon.ImportRecipients, dryRun), text)
	wantImport(t, dry, "SUCCEEDED 6 = 3 + 3")
	i := s.importFile(t, newImport(coupon.ImportRecipients), text)
	wantImport(t, i, "SUCCEEDED 6 = 3 + 3")
	s.wantRejections(t, i.ID, "4 DUPLICATE_IN_FILE r2", "5 EMPTY", "6 BAD_FLAG perhaps")
	for id, want := range map[string]string{
		`r1`: `new@example.org +49 170 000001 Ann {"sport":"soccer","city":"Rome"} false`,
		`r2`: `b@example.org - B "quoted" {} false`,
		`r5`: `- - - {} true`,
	} {
		r, err := s.RecipientByExternalID(t.Context(), id)
		if err != nil || r == nil {
			t.Fatalf("%s: %v, %v", id, r, err)
		}
		text := func(p *string) string {
			if p == nil {
				return "-"
			}
			return *p
		}
		if got := fmt.Sprint(text(r.Email), " ", text(r.Phone), " ", text(r.FirstName), " ",
			r.Attributes, " ",
			r.IsContactable); got != want {
			t.Errorf("%s: got %s, want %s", id, got, want)
		}
	}
	wantImport(t, s.importFile(t, newImport(coupon.ImportRecipients, rejectFile), text),
		"FAILED 6 = 0 + 3")
	s.reopen(t)
	wantImport(t, s.importFile(t, newImport(coupon.ImportRecipients),
		"id,email\nr6,x@example.org\n"), "SUCCEEDED 1 = 1 + 0")
	list, err := s.Recipients(t.Context(), nil,
		coupon.Page{First: 10, WantsItems: true, WantsTotal: true})
	if err != nil || list.Total != 4 || list.Items[3].ID != "recipient_4" {
		t.Errorf("got %+v, %v", list, err)
	}
	s.checkSound(t)
}

func TestImportRedemptions(t *testing.T) {
	t.Parallel()
	prepare := func(t *testing.T) (*scene, coupon.ID) {
		t.Helper()
		s := newScene(t)
		c := s.newCoupon(t, withEnd("2026-11-30"))
		s.codes(t, c, "soccer", "A1", "A2", "A3", "A4")
		s.newCoupon(t, anonymous, withCode("ALL"))
		s.deliver(t, c, s.recipients(t, 2)) // A1 and A2
		if _, err := s.VoidCodes(t.Context(), voiding(c, "A4")); err != nil {
			t.Fatal(err)
		}
		return s, c
	}
	const text = "code,redeemed at,order,amount,currency\n" +
		"a1,2026-11-23T12:30:00Z,o1,12.50,EUR\nA1,2026-11-23 12:40,o2,,\nA1,2026-11-23T12:30:00Z,o1,12.50,EUR\nnobody,2026-11-23,,,\n" +
		"A2,2026-11-20,,,\nA3,2026-10-01,,,\nA4,2026-11-23,,,\nALL,2026-11-23,x1,,\nALL,2026-11-23,x2,,\nALL,2026-11-23,x1,,\n" +
		"A2,soon,,,\nA2,2027-01-01,,,\n,2026-11-23,,,\nA2,2026-11-23,,a lot,\nA2,2026-11-23,,1,euro\n"
	t.Run("OK", func(t *testing.T) {
		t.Parallel()
		s, c := prepare(t)
		i := s.importFile(t, newImport(coupon.ImportRedemptions), text)
		wantImport(t, i, "SUCCEEDED 15 = 6 + 9")
		s.wantRejections(t, i.ID, "3 ALREADY_REDEEMED A1", "4 DUPLICATE_IN_FILE A1",
			"5 UNKNOWN_CODE nobody", "11 DUPLICATE_IN_FILE ALL",
			"12 BAD_DATE soon",
			"13 FUTURE_DATE 2027-01-01", "14 EMPTY", "15 BAD_AMOUNT a lot", "16 BAD_CURRENCY euro")
		list, err := s.Redemptions(t.Context(), nil, coupon.Page{First: 10, WantsItems: true})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range list.Items {
			got = append(got, fmt.Sprint(r.CodeValue, " ", r.RedeemedAt.Format("2006-01-02T15:04"),
				" ", r.Anomalies))
		}
		want := []string{
			"ALL 2026-11-23T00:00 []",
			"ALL 2026-11-23T00:00 []",
			"A4 2026-11-23T00:00 [NOT_ASSIGNED VOIDED]",
			"A3 2026-10-01T00:00 [NOT_ASSIGNED OUTSIDE_VALIDITY]",
			"A2 2026-11-20T00:00 [BEFORE_ASSIGNMENT]",
			"A1 2026-11-23T12:30 []",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("redemptions (-want +got):\n%s", diff)
		}
		for range 2 {
			s.wantAvailability(t, c, "redeemed 4")
			_, err = s.Redeem(t.Context(), &coupon.RedeemRequest{Value: "A2"})
			wantError(t, err, coupon.ErrorCodeAlreadyRedeemed, "input.value")
			// The same file again is harmless.
			again := s.importFile(t, newImport(coupon.ImportRedemptions), text)
			if again.RowsImported != 0 || again.Status != coupon.ImportSucceeded {
				t.Errorf("the same file again: %+v", again)
			}
			s.checkSound(t)
			s.reopen(t)
		}
	})
	t.Run("dry run and REJECT_FILE", func(t *testing.T) {
		t.Parallel()
		s, c := prepare(t)
		wantImport(t, s.importFile(t, newImport(coupon.ImportRedemptions, dryRun), text),
			"SUCCEEDED 15 = 6 + 9")
		wantImport(t, s.importFile(t, newImport(coupon.ImportRedemptions, rejectFile), text),
			"FAILED 15 = 0 + 9")
		s.wantAvailability(t, c, "available 1, assigned 2, voided 1")
		s.redeem(t, "A1")
		s.checkSound(t)
	})
	t.Run("a limit above one", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		c := s.newCoupon(t, withLimit(3), withoutAssignment)
		s.codes(t, c, "", "A1")
		s.redeem(t, "A1")
		i := s.importFile(t, newImport(coupon.ImportRedemptions),
			"code,date\nA1,2026-11-20\nA1,2026-11-21\nA1,2026-11-22\n")
		wantImport(t, i, "SUCCEEDED 3 = 2 + 1")
		s.wantRejections(t, i.ID, "4 ALREADY_REDEEMED A1")
		_, err := s.Redeem(t.Context(), &coupon.RedeemRequest{Value: "A1"})
		wantError(t, err, coupon.ErrorRedemptionLimitReached, "input.value")
		s.reopen(t)
		_, err = s.Redeem(t.Context(), &coupon.RedeemRequest{Value: "A1"})
		wantError(t, err, coupon.ErrorRedemptionLimitReached, "input.value")
		s.checkSound(t)
	})
}

func TestImportTargets(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.newCoupon(t)
	s.codes(t, c, "", numbered("A", 9)...)
	recipients := s.recipients(t, 4)
	id := s.newDelivery(t, c, recipients[:1])
	s.analyze(t, id, coupon.DeliveryReady)
	const text = "id\nr4\nr1\nnobody\nr2\nr4\n"
	wantImport(t, s.importFile(t, newImport(coupon.ImportTargets, into(id), dryRun), text),
		"SUCCEEDED 5 = 2 + 3")
	wantImport(t, s.importFile(t, newImport(coupon.ImportTargets, into(id), rejectFile), text),
		"FAILED 5 = 0 + 3")
	if d := s.delivery(t, id); d.TargetCount != 1 || d.Status != coupon.DeliveryReady {
		t.Errorf("before: %+v", d)
	}
	i := s.importFile(t, newImport(coupon.ImportTargets, into(id)), text)
	wantImport(t, i, "SUCCEEDED 5 = 2 + 3")
	s.wantRejections(t, i.ID, "3 ALREADY_EXISTS r1", "4 UNKNOWN_RECIPIENT nobody",
		"6 DUPLICATE_IN_FILE r4")
	// The delivery is another one now: it must be analyzed again.
	if d := s.delivery(t, id); d.TargetCount != 3 || d.Status != coupon.DeliveryEditing {
		t.Errorf("after: %+v", d)
	}
	s.wantAvailability(t, c, "available 9")
	queued := s.queue(t, newImport(coupon.ImportTargets, into(id)), "id\nr3\n")
	s.confirm(t, id)
	if err := s.RunImport(t.Context(), queued); err != nil {
		t.Fatal(err)
	}
	wantImport(t, s.imported(t, queued), "FAILED 1 = 0 + 0")
	s.checkSound(t)
}

// TestInterruptedImport tells that an import whose server stopped is done at the next start, and
// that uploads that no import waits for are thrown away.
func TestInterruptedImport(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.newCoupon(t)
	id := s.queue(t, newImport(coupon.ImportCodes, into(c)),
		"code\n"+strings.Join(numbered("A", 3000), "\n"))
	if _, err := s.Receive(t.Context(), "codes.csv", strings.NewReader("lost")); err != nil {
		t.Fatal(err)
	}
	_, err := s.Receive(t.Context(), "codes.csv", iotest.ErrReader(io.ErrUnexpectedEOF))
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a sender that breaks off gives %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	watch, stop := s.Watch(id)
	defer stop()
	done := make(chan error)
	go func() { done <- s.RunImport(ctx, id) }()
	<-watch // it is RUNNING
	cancel()
	if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	s.clock.Advance(coupon.UploadLifetime)
	s.reopen(t)
	if err := s.ForgetFiles(t.Context()); err != nil {
		t.Fatal(err)
	}
	uploads, err := os.ReadDir(s.path + ".files/uploads")
	if err != nil {
		t.Fatal(err)
	}
	waiting, err := s.WaitingImports(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(uploads) != len(waiting) {
		t.Errorf("%d uploads for %v", len(uploads), waiting)
	}
	for _, id := range waiting {
		if err := s.RunImport(t.Context(), id.ID); err != nil {
			t.Fatal(err)
		}
	}
	wantImport(t, s.imported(t, id), "SUCCEEDED 3000 = 3000 + 0")
	s.wantAvailability(t, c, "available 3000")
	s.wantNoFiles(t)
	s.checkSound(t)
}

func TestUpsertRecipients(t *testing.T) {
	t.Parallel()
	t.Run("OK", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		s.recipients(t, 2, "soccer")
		kept, err := s.UpsertRecipients(t.Context(), []*coupon.RecipientChanges{
			{ExternalID: "new", FirstName: coupon.Set(new(`Ann "the" \N`))},
			{
				ExternalID: " r1 ", Email: coupon.Set[string](nil),
				IsContactable: coupon.Set(new(false)),
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		if kept[0].ID != "recipient_3" || *kept[0].FirstName != `Ann "the" \N` ||
			!kept[0].IsContactable || kept[0].Attributes != "{}" {
			t.Errorf("got %+v", kept[0])
		}
		if kept[1].ID != "recipient_1" || kept[1].Email != nil || kept[1].Phone == nil || kept[1].IsContactable || kept[1].Attributes != `{"sport":"soccer"}` {
			t.Errorf("got %+v", kept[1])
		}
	})
	t.Run("INVALID", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		_, err := s.UpsertRecipients(t.Context(), []*coupon.RecipientChanges{
			{ExternalID: "a"},
			{ExternalID: "a"},
			{ExternalID: ""},
			{ExternalID: "b", LastName: coupon.Set(new("x\ny"))},
		})
		for _, field := range []string{
			"input.recipients.1.externalId", "input.recipients.2.externalId",
			"input.recipients.3.lastName",
		} {
			wantError(t, err, coupon.ErrorInvalid, field)
		}
		_, err = s.UpsertRecipients(t.Context(),
			make([]*coupon.RecipientChanges, coupon.MaxUpsertedRecipients+1))
		wantError(t, err, coupon.ErrorInvalid, "input.recipients")
		if r, err := s.RecipientByExternalID(t.Context(), "a"); err != nil || r != nil {
			t.Errorf("left behind: %+v, %v", r, err)
		}
	})
}

func TestClosedStore(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	id := s.newCoupon(t, anonymous, withCode("ALL"))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := s.Redeem(t.Context(), &coupon.RedeemRequest{Value: "ALL"})
	if _, isUser := coupon.AsUserErrors(err); err == nil || isUser {
		t.Errorf("redeeming gives %v", err)
	}
	if _, err := s.ArchiveCoupon(t.Context(), id); err == nil {
		t.Error("a closed store writes")
	}
	if err := s.Ping(t.Context()); err == nil {
		t.Error("a closed store answers")
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	other := newScene(t)
	if _, err := other.ArchiveCoupon(canceled, "coupon_1"); !errors.Is(err, context.Canceled) {
		t.Errorf("who went away before the turn gets %v", err)
	}
}
