package db_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"couponql/coupon"
	"couponql/db"
)

func withMode(mode coupon.ImportMode) func(*coupon.Import) {
	return func(i *coupon.Import) { i.Mode = mode }
}

// values returns the values of a coupon's codes, in order.
func (s *scene) values(t *testing.T, id coupon.ID) []string {
	t.Helper()
	var values []string
	for _, code := range s.allCodes(t, id, nil) {
		values = append(values, code.Value)
	}
	slices.Sort(values)
	return values
}

// used makes a coupon with codes in every state: FREE and SPARE, which nobody ever had, and ASSIGNED, REDEEMED, VOIDED
// and RETURNED, which was assigned once.
func (s *scene) used(t *testing.T) coupon.ID {
	t.Helper()
	c := s.newCoupon(t)
	s.codes(t, c, "", "RETURNED")
	s.deliver(t, c, s.recipients(t, 1))
	selection := &db.CodeSelection{CouponID: c, Values: []string{"RETURNED"}}
	_, _, _, err := s.ReleaseCodes(t.Context(), selection, true, "undeliverable") //nolint:dogsled // only whether it fails matters
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.VoidCodes(t.Context(), &db.CodeSelection{CouponID: c, Values: []string{"RETURNED"}}); err != nil {
		t.Fatal(err)
	}
	s.codes(t, c, "", "ASSIGNED", "REDEEMED")
	s.deliver(t, c, s.recipients(t, 2))
	s.redeem(t, "REDEEMED")
	s.codes(t, c, "", "VOIDED")
	if _, err := s.VoidCodes(t.Context(), &db.CodeSelection{CouponID: c, Values: []string{"VOIDED"}}); err != nil {
		t.Fatal(err)
	}
	s.codes(t, c, "", "FREE", "SPARE")
	return c
}

// TestImportReplaceUnused tells that codes which nobody ever had make way for those of a file, and no others.
func TestImportReplaceUnused(t *testing.T) {
	t.Parallel()
	const text = "code\nNEW1\nfree\nASSIGNED\nVOIDED\nOTHER\nNEW2\n"
	prepare := func(t *testing.T) (*scene, coupon.ID) {
		t.Helper()
		s := newScene(t)
		c := s.used(t)
		s.codes(t, s.newCoupon(t), "", "OTHER")
		return s, c
	}
	rejections := []string{"4 ALREADY_EXISTS ASSIGNED", "5 ALREADY_EXISTS VOIDED", "6 EXISTS_ELSEWHERE OTHER"}
	changes := coupon.ImportChanges{Added: 3, Removed: 2}
	t.Run("OK", func(t *testing.T) {
		t.Parallel()
		s, c := prepare(t)
		i := s.importFile(t, newImport(coupon.ImportCodes, into(c), withMode(coupon.ImportReplaceUnused)), text)
		wantImport(t, i, "SUCCEEDED 6 = 3 + 3")
		s.wantRejections(t, i.ID, rejections...)
		if diff := cmp.Diff(changes, i.Changes); diff != "" {
			t.Errorf("changes (-want +got):\n%s", diff)
		}
		want := []string{"ASSIGNED", "NEW1", "NEW2", "REDEEMED", "RETURNED", "VOIDED", "free"}
		for range 2 {
			if diff := cmp.Diff(want, s.values(t, c)); diff != "" {
				t.Errorf("codes (-want +got):\n%s", diff)
			}
			s.wantAvailability(t, c, "available 3, assigned 1, redeemed 1, voided 2")
			s.checkSound(t)
			s.reopen(t)
		}
		// What made way can come back.
		s.codes(t, c, "", "SPARE")
		s.wantAvailability(t, c, "available 4, assigned 1, redeemed 1, voided 2")
		s.checkSound(t)
	})
	t.Run("dry run", func(t *testing.T) {
		t.Parallel()
		s, c := prepare(t)
		before := s.values(t, c)
		i := s.importFile(t, newImport(coupon.ImportCodes, into(c), withMode(coupon.ImportReplaceUnused), dryRun), text)
		wantImport(t, i, "SUCCEEDED 6 = 3 + 3")
		s.wantRejections(t, i.ID, rejections...)
		if diff := cmp.Diff(changes, i.Changes); diff != "" {
			t.Errorf("changes (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(before, s.values(t, c)); diff != "" {
			t.Errorf("codes (-want +got):\n%s", diff)
		}
		s.checkSound(t)
	})
	t.Run("rejected file", func(t *testing.T) {
		t.Parallel()
		s, c := prepare(t)
		before := s.values(t, c)
		i := s.importFile(t, newImport(coupon.ImportCodes, into(c), withMode(coupon.ImportReplaceUnused), rejectFile), text)
		wantImport(t, i, "FAILED 6 = 0 + 3")
		if i.Changes != (coupon.ImportChanges{}) {
			t.Errorf("a file that was rejected changed %+v", i.Changes)
		}
		if diff := cmp.Diff(before, s.values(t, c)); diff != "" {
			t.Errorf("codes (-want +got):\n%s", diff)
		}
		s.checkSound(t)
	})
}

// TestImportVoid tells which codes of a file are voided.
func TestImportVoid(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.used(t)
	s.codes(t, s.newCoupon(t), "", "OTHER")
	const text = "code\nfree\nASSIGNED\nREDEEMED\nVOIDED\nOTHER\nNOBODY\nFREE\n"
	for _, edit := range []func(*coupon.Import){dryRun, func(*coupon.Import) {}} {
		i := s.importFile(t, newImport(coupon.ImportCodes, into(c), withMode(coupon.ImportVoid), edit), text)
		wantImport(t, i, "SUCCEEDED 7 = 2 + 5")
		s.wantRejections(t, i.ID, "4 ALREADY_REDEEMED REDEEMED", "5 ALREADY_RECORDED VOIDED", "6 EXISTS_ELSEWHERE OTHER",
			"7 UNKNOWN_CODE NOBODY", "8 DUPLICATE_IN_FILE FREE")
		if want := (coupon.ImportChanges{Voided: 2}); i.Changes != want {
			t.Errorf("changes: got %+v, want %+v", i.Changes, want)
		}
		if i.IsDryRun {
			s.wantAvailability(t, c, "available 2, assigned 1, redeemed 1, voided 2")
		}
	}
	for range 2 {
		s.wantAvailability(t, c, "available 1, redeemed 1, voided 4")
		s.checkSound(t)
		s.reopen(t)
	}
	// Codes of an archived coupon can still be voided.
	if _, err := s.ArchiveCoupon(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	wantImport(t, s.importFile(t, newImport(coupon.ImportCodes, into(c), withMode(coupon.ImportVoid)), "code\nSPARE\n"), "SUCCEEDED 1 = 1 + 0")
	s.checkSound(t)
}

// TestUndoImport tells which codes of an import are deleted when it is undone, and which imports cannot be.
func TestUndoImport(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.newCoupon(t)
	s.codes(t, c, "", "MINE")
	i := s.importFile(t, newImport(coupon.ImportCodes, into(c)), "code,label\nA1,x\nA2,x\nA3,y\nA4,y\n")
	if _, err := s.VoidCodes(t.Context(), &db.CodeSelection{CouponID: c, Values: []string{"A4"}}); err != nil {
		t.Fatal(err)
	}
	s.deliver(t, c, s.recipients(t, 2)) // MINE and A1
	for range 2 {
		// Undoing it again changes nothing.
		result, err := s.UndoImport(t.Context(), i.ID)
		if err != nil {
			t.Fatal(err)
		}
		if undone := result.Import; undone.UndoneAt == nil || undone.Status != coupon.ImportSucceeded || result.Kept != 2 {
			t.Errorf("undone: %+v, %+v", undone, result)
		}
		if diff := cmp.Diff([]string{"A1", "A4", "MINE"}, s.values(t, c)); diff != "" {
			t.Errorf("codes (-want +got):\n%s", diff)
		}
		s.wantAvailability(t, c, "assigned 2, voided 1")
		s.checkSound(t)
		s.reopen(t)
	}
	wantImport(t, s.importFile(t, newImport(coupon.ImportCodes, into(c)), "code\nA2\nA1\n"), "SUCCEEDED 2 = 1 + 1")
	s.checkSound(t)
	dry := s.importFile(t, newImport(coupon.ImportCodes, into(c), dryRun), "code\nA9\n")
	failed := s.importFile(t, newImport(coupon.ImportCodes, into(c)), "")
	waiting := s.queue(t, newImport(coupon.ImportCodes, into(c)), "code\nA5\n")
	others := s.importFile(t, newImport(coupon.ImportRecipients), "id\nr7\n")
	for _, id := range []coupon.ID{dry.ID, failed.ID, waiting, others.ID} {
		_, err := s.UndoImport(t.Context(), id)
		wantError(t, err, coupon.ErrorInvalidState, "input.id")
	}
	for _, id := range []coupon.ID{"import_99", c, ""} {
		_, err := s.UndoImport(t.Context(), id)
		wantError(t, err, coupon.ErrorNotFound, "input.id")
	}
}

// TestCancelImport calls an import off while it waits, while its file is read and while its rows are stored: nothing
// of it is left.
func TestCancelImport(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.newCoupon(t)
	text := "code\n" + strings.Join(numbered("A", 150_000), "\n")
	for _, from := range []float64{-1, 0.01, 0.7} {
		id := s.queue(t, newImport(coupon.ImportCodes, into(c)), text)
		done := make(chan error, 1)
		if from >= 0 {
			watch, stop := s.Watch(id)
			go func() { done <- s.RunImport(t.Context(), id) }()
			for s.imported(t, id).Progress < from {
				<-watch
			}
			stop()
		}
		begun := time.Now()
		canceled, err := s.CancelImport(t.Context(), id)
		if err != nil {
			// Only where the machine was so slow to look that the import was over.
			t.Logf("at %v: %v", from, err)
		} else {
			wantImport(t, canceled, fmt.Sprintf("CANCELED %d = 0 + 0", canceled.RowsRead))
			s.wantAvailability(t, c, "")
		}
		t.Logf("canceled at %v in %s", from, time.Since(begun))
		if from >= 0 {
			if err := <-done; err != nil {
				t.Fatal(err)
			}
		} else if err := s.RunImport(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		s.checkSound(t)
		again, errAgain := s.CancelImport(t.Context(), id)
		if err == nil != (errAgain == nil) || err == nil && again.Status != coupon.ImportCanceled {
			t.Errorf("canceled again: %+v, %v", again, errAgain)
		}
		if _, err := s.UndoImport(t.Context(), id); err == nil {
			t.Log("it was over before it was canceled")
		}
	}
	_, err := s.CancelImport(t.Context(), "import_99")
	wantError(t, err, coupon.ErrorNotFound, "input.id")
	s.wantNoFiles(t)
	wantImport(t, s.importFile(t, newImport(coupon.ImportCodes, into(c)), text), "SUCCEEDED 150000 = 150000 + 0")
	s.checkSound(t)
}

// TestImportFindings tells what an import says of its file.
func TestImportFindings(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.newCoupon(t)
	i := s.importFile(t, newImport(coupon.ImportCodes, into(c)), "Voucher;shop;name\n6.9E+12;a;x\n7,1e+5;a;\n=1+2;a;\n2E+;a;\nE+1;a;\n")
	wantImport(t, i, "SUCCEEDED 5 = 5 + 0")
	sure := new(coupon.CertaintySure)
	want := coupon.ImportFindings{
		Layout: &coupon.ImportLayout{
			Delimiter: new(";"), Encoding: new("utf-8"), HasHeader: true,
			FormatCertainty: sure, DelimiterCertainty: sure, EncodingCertainty: sure, HeaderCertainty: sure,
			Columns: []*coupon.ImportColumn{
				{Name: "Voucher", Field: new("code"), Certainty: sure}, {Name: "shop"}, {Name: "name", Field: new("label"), Certainty: sure},
			},
			Sample: []*coupon.ImportSample{
				{Line: 2, Values: []string{"6.9E+12", "a", "x"}},
				{Line: 3, Values: []string{"7,1e+5", "a", ""}},
				{Line: 4, Values: []string{"=1+2", "a", ""}},
				{Line: 5, Values: []string{"2E+", "a", ""}},
				{Line: 6, Values: []string{"E+1", "a", ""}},
			},
		},
		Warnings: []*coupon.ImportWarning{
			{Kind: coupon.WarningScientific, Count: 2, Line: new(2), Value: "6.9E+12"},
			{Kind: coupon.WarningFormula, Count: 1, Line: new(4), Value: "=1+2"},
			{Kind: coupon.WarningIgnoredColumn, Count: 1, Value: "shop"},
		},
		Changes: coupon.ImportChanges{Added: 5},
	}
	if diff := cmp.Diff(want, i.ImportFindings); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	for _, w := range i.Warnings {
		if !strings.Contains(w.Text(), w.Value) {
			t.Errorf("the warning %q does not name %q", w.Text(), w.Value)
		}
	}
}

// TestImportNumbers tells what the numbers of an import are for every kind and mode, and whatever became of it: each row
// is imported, rejected or held back.
func TestImportNumbers(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.newCoupon(t, withoutAssignment)
	s.codes(t, c, "", "V1", "V2", "R1", "R2")
	s.recipients(t, 2)
	for name, test := range map[string]struct {
		of   func() *coupon.Import
		text string
	}{
		"codes": {
			func() *coupon.Import { return newImport(coupon.ImportCodes, into(s.newCoupon(t))) }, "code,label\nA1,\nA2,\n,x\n",
		},
		"codes that replace": {
			func() *coupon.Import {
				return newImport(coupon.ImportCodes, into(s.newCoupon(t)), withMode(coupon.ImportReplaceUnused))
			},
			"code,label\nB1,\nB2,\n,x\n",
		},
		"codes to void": {
			func() *coupon.Import { return newImport(coupon.ImportCodes, into(c), withMode(coupon.ImportVoid)) },
			"code\nV1\nV2\nNOBODY\n",
		},
		"redemptions": {
			func() *coupon.Import { return newImport(coupon.ImportRedemptions) },
			"code,date\nR1,2026-11-20\nR2,2026-11-20\nNOBODY,2026-11-20\n",
		},
		"recipients": {func() *coupon.Import { return newImport(coupon.ImportRecipients) }, "id,email\nr1,\nr9,\n,a@example.org\n"},
		"targets": {
			func() *coupon.Import { return newImport(coupon.ImportTargets, into(s.newDelivery(t, "", nil))) }, "id\nr1\nr2\nnobody\n",
		},
	} {
		for _, one := range []struct {
			edits        []func(*coupon.Import)
			text, want   string
			wantRejected int
		}{
			{[]func(*coupon.Import){rejectFile, dryRun}, test.text, "FAILED 3 = 0 + 1 + 2", 1},
			{[]func(*coupon.Import){rejectFile}, test.text, "FAILED 3 = 0 + 1 + 2", 1},
			{[]func(*coupon.Import){dryRun}, test.text, "SUCCEEDED 3 = 2 + 1 + 0", 1},
			// The quotation mark that never ends makes the last row a bad one, too.
			{[]func(*coupon.Import){rejectFile}, test.text + "\"X", "FAILED 4 = 0 + 2 + 2", 2},
			{nil, test.text, "SUCCEEDED 3 = 2 + 1 + 0", 1},
		} {
			i := test.of()
			for _, edit := range one.edits {
				edit(i)
			}
			done := s.importFile(t, i, one.text)
			got := fmt.Sprintf("%s %d = %d + %d + %d", done.Status, done.RowsRead, done.RowsImported, done.RowsRejected, done.RowsHeldBack())
			if rejected := s.rejections(t, done.ID); got != one.want || len(rejected) != one.wantRejected {
				t.Errorf("%s, %s, dry run %t: got %s, want %s; rejected are %q", name, i.OnRejection, i.IsDryRun, got, one.want, rejected)
			}
		}
	}
	// What cannot be read to its end is not judged.
	broken := s.importFile(t, newImport(coupon.ImportCodes, into(c)), "<codes><code>X1</code><code>X2</code></oops>")
	if broken.Status != coupon.ImportFailed || broken.RowsRead != 2 || broken.RowsHeldBack() != 2 {
		t.Errorf("a file that is broken behind its second row: %+v", broken)
	}
	s.checkSound(t)
}
