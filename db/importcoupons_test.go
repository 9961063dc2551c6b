package db_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"couponql/coupon"
	"couponql/db"
)

// couponFacts returns what is known of all coupons, oldest first.
func (s *scene) couponFacts(t *testing.T) []string {
	t.Helper()
	list, err := s.Coupons(t.Context(), nil, coupon.OrderCreatedAtAsc, coupon.Page{First: coupon.MaxPageSize, WantsItems: true})
	if err != nil {
		t.Fatal(err)
	}
	var facts []string
	for _, c := range list.Items {
		end, limit := "no end", "no limit"
		if c.EndsAt != nil {
			end = c.EndsAt.Format("2006-01-02T15:04")
		}
		if c.RedemptionLimit != nil {
			limit = fmt.Sprint(*c.RedemptionLimit)
		}
		facts = append(facts, fmt.Sprintf("%s %q %s %s %s %s %v %s %s %s",
			c.Code, c.Label, c.Type, c.StartsAt.Format("2006-01-02T15:04"), end, limit, c.RequiresAssignment, c.Timezone, c.Metadata, c.Status))
	}
	return facts
}

// TestImportCoupons: a file creates coupons and changes those that are known, cell by cell, in every format; each cause has its reason.
func TestImportCoupons(t *testing.T) {
	t.Parallel()
	columns := []string{"code", "name", "type", "valid from", "valid until", "limit", "timezone", "metadata", "archived"}
	rows := [][]string{
		{"NEW", "Neu", "individual", "2026-12-01", "2026-12-24", "", "Europe/Berlin", `{ "a": 1.50 }`, ""},
		{"open", "Offen", "ANONYMOUS", "2026-12-01T10:00:00Z", "", "", "", "", "no"},
		{"known", "", "INDIVIDUAL", "", "31.12.2027", "5", "", "", ""},
		{"new", "Again", "INDIVIDUAL", "2026-12-01", "", "", "", "", ""},
		{"TYPE", "x", "other", "2026-12-01", "", "", "", "", ""},
		{"", "x", "INDIVIDUAL", "2026-12-01", "", "", "", "", ""},
		{"NOLABEL", "", "INDIVIDUAL", "2026-12-01", "", "", "", "", ""},
		{"NOSTART", "x", "INDIVIDUAL", "", "", "", "", "", ""},
		{"DATE", "x", "INDIVIDUAL", "soon", "", "", "", "", ""},
		{"PERIOD", "x", "INDIVIDUAL", "2026-12-02", "2026-12-01", "", "", "", ""},
		{"NUMBER", "x", "INDIVIDUAL", "2026-12-02", "", "many", "", "", ""},
		{"RANGE", "x", "INDIVIDUAL", "2026-12-02", "", "0", "", "", ""},
		{"ZONE", "x", "INDIVIDUAL", "2026-12-02", "", "", "Berlin", "", ""},
		{"JSON", "x", "INDIVIDUAL", "2026-12-02", "", "", "", "[1]", ""},
		{"FLAG", "x", "INDIVIDUAL", "2026-12-02", "", "", "", "", "perhaps"},
		{"pooled", "x", "INDIVIDUAL", "2026-12-02", "", "", "", "", ""},
		{"TYPED", "x", "ANONYMOUS", "", "", "", "", "", ""},
		{"AWAY", "", "", "", "", "", "", "", "no"},
		{"USED", "", "", "", "", "1", "", "", ""},
	}
	wantFacts := []string{
		`KNOWN "Winter sale" INDIVIDUAL 2026-11-01T00:00 2028-01-01T00:00 5 true UTC {} ACTIVE`,
		`TYPED "Winter sale" INDIVIDUAL 2026-11-01T00:00 no end 1 true UTC {} ACTIVE`,
		`AWAY "Winter sale" INDIVIDUAL 2026-11-01T00:00 no end 1 true UTC {} ARCHIVED`,
		`USED "Winter sale" INDIVIDUAL 2026-11-01T00:00 no end 2 false UTC {} ACTIVE`,
		`NEW "Neu" INDIVIDUAL 2026-11-30T23:00 2026-12-24T23:00 1 true Europe/Berlin {"a":1.50} SCHEDULED`,
		`open "Offen" ANONYMOUS 2026-12-01T10:00 no end no limit true UTC {} SCHEDULED`,
	}
	wantReasons := []string{
		"DUPLICATE_IN_FILE new", "BAD_TYPE other", "EMPTY", "EMPTY NOLABEL", "EMPTY NOSTART", "BAD_DATE soon", "BAD_PERIOD 2026-12-01",
		"BAD_NUMBER many", "BAD_NUMBER 0", "BAD_TIMEZONE Berlin", "BAD_JSON [1]", "BAD_FLAG perhaps", "EXISTS_ELSEWHERE pooled",
		"CANNOT_CHANGE ANONYMOUS", "CANNOT_CHANGE AWAY", "CANNOT_CHANGE 1",
	}
	for _, format := range allFormats() {
		t.Run(string(format), func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			known, _ := s.newCoupon(t, withCode("KNOWN")), s.newCoupon(t, withCode("TYPED"))
			if _, err := s.ArchiveCoupon(t.Context(), s.newCoupon(t, withCode("AWAY"))); err != nil {
				t.Fatal(err)
			}
			s.codes(t, known, "", "POOLED")
			used := s.newCoupon(t, withCode("USED"), withLimit(2), withoutAssignment)
			s.codes(t, used, "", "TWICE")
			s.redeem(t, "TWICE")
			s.redeem(t, "TWICE")
			before := s.couponFacts(t)
			names := slices.Clone(columns)
			if format == coupon.FormatXML {
				for i, name := range names {
					names[i] = strings.ReplaceAll(name, " ", "-")
				}
			}
			text := fileOf(t, format, names, rows...)
			for _, edit := range []func(*coupon.Import){
				func(i *coupon.Import) { i.IsDryRun = true },
				func(i *coupon.Import) { i.OnRejection = coupon.RejectFile },
			} {
				i := s.importFile(t, newImport(coupon.ImportCoupons, edit), text)
				if diff := cmp.Diff(before, s.couponFacts(t)); diff != "" || i.RowsRejected != len(wantReasons) || i.RowsRead != len(rows) {
					t.Errorf("changed by %+v (-before +after):\n%s", i, diff)
				}
			}
			i := s.importFile(t, newImport(coupon.ImportCoupons), text)
			if i.Status != coupon.ImportSucceeded || i.RowsImported != 3 || i.Changes.Added != 2 || i.Changes.Changed != 1 {
				t.Errorf("imported %+v", i)
			}
			var reasons []string
			for _, text := range s.rejections(t, i.ID) {
				_, rest, _ := strings.Cut(text, " ")
				reasons = append(reasons, rest)
			}
			if diff := cmp.Diff(wantReasons, reasons); diff != "" {
				t.Errorf("rejections (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(wantFacts, s.couponFacts(t)); diff != "" {
				t.Errorf("coupons (-want +got):\n%s", diff)
			}
			// What memory has is what the file has.
			s.reopen(t)
			if diff := cmp.Diff(wantFacts, s.couponFacts(t)); diff != "" {
				t.Errorf("coupons after a restart (-want +got):\n%s", diff)
			}
			s.codes(t, s.newCoupon(t), "", "LATER")
			s.checkSound(t)
		})
	}
}

// TestImportCouponCells: an empty cell leaves a known coupon as it is, one that stands for nothing takes the value away.
func TestImportCouponCells(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.newCoupon(t, withCode("A"), withEnd("2027-01-01"), withLimit(7))
	s.newCoupon(t, withCode("B"), withEnd("2027-01-01"), withLimit(7))
	i := s.importFile(t, newImport(coupon.ImportCoupons), "code,endsAt,redemptionLimit,label\nA,,,\nB,\\N,\\N,\nA2,,,\nB,,,\\N\n")
	if i.RowsImported != 2 || i.Changes.Changed != 1 {
		t.Errorf("imported %+v", i)
	}
	want := []string{
		`A "Winter sale" INDIVIDUAL 2026-11-01T00:00 2027-01-02T00:00 7 true UTC {} ACTIVE`,
		`B "Winter sale" INDIVIDUAL 2026-11-01T00:00 no end 1 true UTC {} ACTIVE`,
	}
	if diff := cmp.Diff(want, s.couponFacts(t)); diff != "" {
		t.Errorf("coupons (-want +got):\n%s", diff)
	}
}

// TestImportCodesOfCoupons: one file brings codes into the pools of many coupons, by their codes, in every format; it can be undone.
func TestImportCodesOfCoupons(t *testing.T) {
	t.Parallel()
	for _, format := range allFormats() {
		t.Run(string(format), func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			a, b := s.newCoupon(t, withCode("A")), s.newCoupon(t, withCode("B"))
			s.newCoupon(t, anonymous, withCode("OPEN"))
			s.codes(t, a, "", "OLD")
			text := fileOf(t, format, []string{"code", "label", "coupon"},
				[]string{"B2", "", "b"}, []string{"A2", "x", "A"}, []string{"A1", "", "A"}, []string{"B1", "x", "B"}, []string{"old", "", "A"},
				[]string{"OLD", "", "B"}, []string{"a1", "", "B"}, []string{"U", "", "nobody"}, []string{"O", "", "OPEN"}, []string{"N", "", ""},
			)
			wantRejections := []string{
				"ALREADY_EXISTS old", "EXISTS_ELSEWHERE OLD", "DUPLICATE_IN_FILE a1", "UNKNOWN_COUPON nobody", "NO_POOL OPEN", "EMPTY",
			}
			i := s.importFile(t, newImport(coupon.ImportCodes, func(i *coupon.Import) { i.OnRejection = coupon.RejectFile }), text)
			if i.Status != coupon.ImportFailed || i.RowsRejected != 6 {
				t.Errorf("REJECT_FILE: %+v", i)
			}
			i = s.importFile(t, newImport(coupon.ImportCodes), text)
			if i.Status != coupon.ImportSucceeded || i.RowsImported != 4 || i.RowsRejected != 6 || i.Changes.Added != 4 {
				t.Errorf("imported %+v", i)
			}
			var reasons []string
			for _, text := range s.rejections(t, i.ID) {
				_, rest, _ := strings.Cut(text, " ")
				reasons = append(reasons, rest)
			}
			if diff := cmp.Diff(wantRejections, reasons); diff != "" {
				t.Errorf("rejections (-want +got):\n%s", diff)
			}
			check := func() {
				t.Helper()
				for id, want := range map[coupon.ID]string{a: "A1/- A2/x OLD/-", b: "B1/x B2/-"} {
					var got []string
					for _, code := range s.allCodes(t, id, nil) {
						label := "-"
						if code.Label != nil {
							label = *code.Label
						}
						got = append(got, code.Value+"/"+label)
					}
					slices.Sort(got)
					if strings.Join(got, " ") != want {
						t.Errorf("codes of %s: %v, want %s", id, got, want)
					}
				}
			}
			check()
			s.checkSound(t)
			s.reopen(t)
			check()
			undone, err := s.UndoImport(t.Context(), i.ID)
			if err != nil || undone.Removed != 4 {
				t.Errorf("undone: %+v, %v", undone, err)
			}
			s.wantAvailability(t, a, "available 1")
			s.wantAvailability(t, b, "")
			s.checkSound(t)
		})
	}
}

// couponImports returns the ids of the imports of a coupon, newest first.
func (s *scene) couponImports(t *testing.T, id coupon.ID) []coupon.ID {
	t.Helper()
	lists, err := s.CouponImports(t.Context(), []coupon.ID{id}, coupon.Page{First: coupon.MaxPageSize, WantsItems: true, WantsTotal: true})
	if err != nil {
		t.Fatal(err)
	}
	ids := []coupon.ID{}
	for _, i := range lists[id].Items {
		ids = append(ids, i.ID)
	}
	if lists[id].Total != len(ids) {
		t.Errorf("%d imports of %s, %d in total", len(ids), id, lists[id].Total)
	}
	return ids
}

// TestImportModesOfCoupons voids and replaces codes of the coupons that a file names, each as one of its own, and leaves those
// alone that it does not name; a dry run says the same, and undoImport takes it back.
func TestImportModesOfCoupons(t *testing.T) {
	t.Parallel()
	begin := func(t *testing.T) (s *scene, a, b, c coupon.ID) {
		s = newScene(t)
		a, b, c = s.newCoupon(t, withCode("A")), s.newCoupon(t, withCode("B")), s.newCoupon(t, withCode("C"))
		s.newCoupon(t, anonymous, withCode("OPEN"))
		s.codes(t, a, "", "A1", "A2", "A3")
		s.codes(t, b, "", "B1", "B2", "B3")
		s.codes(t, c, "", "C1", "C2", "C3")
		return s, a, b, c
	}
	rehearse := func(t *testing.T, s *scene, text string, mode coupon.ImportMode) *coupon.Import {
		change := func(i *coupon.Import) { i.Mode = mode }
		dry := s.importFile(t, newImport(coupon.ImportCodes, change, func(i *coupon.Import) { i.IsDryRun = true }), text)
		i := s.importFile(t, newImport(coupon.ImportCodes, change), text)
		if i.Status != coupon.ImportSucceeded || dry.Changes != i.Changes || dry.RowsImported != i.RowsImported {
			t.Errorf("%s, %v: changes %+v, rehearsed %+v", i.Status, i.Failure, i.Changes, dry.Changes)
		}
		return i
	}
	reasons := func(t *testing.T, s *scene, id coupon.ID) string { return strings.Join(s.rejections(t, id), ", ") }
	t.Run("VOID", func(t *testing.T) {
		t.Parallel()
		s, a, b, c := begin(t)
		i := rehearse(t, s, "code,coupon\nA1,A\na2,a\nB1,B\nB2,A\nB2,B\nC9,C\nX,nobody\nX,OPEN\nA1,A\n", coupon.ImportVoid)
		if i.Changes.Voided != 3 || i.RowsImported != 3 {
			t.Errorf("changes %+v", i.Changes)
		}
		// Of two rows of one code the first one counts, whatever becomes of it.
		if got, want := reasons(
			t,
			s,
			i.ID,
		), "5 EXISTS_ELSEWHERE B2, 6 DUPLICATE_IN_FILE B2, 7 UNKNOWN_CODE C9, 8 UNKNOWN_COUPON nobody, 9 NO_POOL OPEN, 10 DUPLICATE_IN_FILE A1"; got != want {
			t.Errorf("rejected %s, want %s", got, want)
		}
		s.wantAvailability(t, a, "available 1, voided 2")
		s.wantAvailability(t, b, "available 2, voided 1")
		s.wantAvailability(t, c, "available 3")
		for id, want := range map[coupon.ID]int{a: 1, b: 1, c: 0} {
			if got := len(s.couponImports(t, id)); got != want {
				t.Errorf("%s has %d imports, want %d", id, got, want)
			}
		}
		s.checkSound(t)
		s.reopen(t)
		undone, err := s.UndoImport(t.Context(), i.ID)
		if err != nil || undone.Restored != 3 || undone.Kept != 0 || undone.Import.UndoneAt == nil {
			t.Errorf("undone %+v, %v", undone, err)
		}
		s.wantAvailability(t, a, "available 3")
		s.wantAvailability(t, b, "available 3")
		s.checkSound(t)
	})
	t.Run("REPLACE_UNUSED", func(t *testing.T) {
		t.Parallel()
		s, a, b, c := begin(t)
		if _, err := s.VoidCodes(t.Context(), &db.CodeSelection{CouponID: a, Values: []string{"A1"}}); err != nil {
			t.Fatal(err)
		}
		// B3 goes over to A, whose other codes make way; of C nothing is said but by a row that is no code of its own.
		i := rehearse(t, s, "code,coupon\nNEW1,A\nB3,A\nA1,A\nNEW2,B\nC1,B\nX,nobody\n", coupon.ImportReplaceUnused)
		if i.Changes.Added != 3 || i.Changes.Removed != 5 {
			t.Errorf("changes %+v", i.Changes)
		}
		if got, want := reasons(t, s, i.ID), "4 ALREADY_EXISTS A1, 6 EXISTS_ELSEWHERE C1, 7 UNKNOWN_COUPON nobody"; got != want {
			t.Errorf("rejected %s, want %s", got, want)
		}
		for id, want := range map[coupon.ID]string{a: "A1 B3 NEW1", b: "NEW2", c: "C1 C2 C3"} {
			var got []string
			for _, code := range s.allCodes(t, id, nil) {
				got = append(got, code.Value)
			}
			slices.Sort(got)
			if strings.Join(got, " ") != want {
				t.Errorf("codes of %s: %v, want %s", id, got, want)
			}
		}
		s.checkSound(t)
		s.reopen(t)
		undone, err := s.UndoImport(t.Context(), i.ID)
		if err != nil || undone.Removed != 3 {
			t.Errorf("undone %+v, %v", undone, err)
		}
		s.wantAvailability(t, a, "voided 1")
		s.wantAvailability(t, b, "")
		s.wantAvailability(t, c, "available 3")
		if got := len(s.couponImports(t, a)) + 10*len(s.couponImports(t, c)); got != 1 {
			t.Errorf("imports of A and of C: %d", got)
		}
		s.checkSound(t)
	})
	t.Run("whole or nothing", func(t *testing.T) {
		t.Parallel()
		s, a, b, _ := begin(t)
		for _, mode := range []coupon.ImportMode{coupon.ImportVoid, coupon.ImportReplaceUnused} {
			i := s.importFile(
				t,
				newImport(coupon.ImportCodes, func(i *coupon.Import) { i.Mode, i.OnRejection = mode, coupon.RejectFile }),
				"code,coupon\nA1,A\nB1,A\nC1,B\n",
			)
			if i.Status != coupon.ImportFailed {
				t.Errorf("%s is %s", mode, i.Status)
			}
		}
		s.wantAvailability(t, a, "available 3")
		s.wantAvailability(t, b, "available 3")
		s.checkSound(t)
	})
}

// TestImportCodesNamesCoupon: with a coupon the column is not read; without one it is needed, in any of nine languages, and codes that
// are there are left alone.
func TestImportCodesNamesCoupon(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	a, b := s.newCoupon(t, withCode("A")), s.newCoupon(t, withCode("B"))
	s.importFile(t, newImport(coupon.ImportCodes, into(a)), "code,coupon\nX1,B\nX2,nobody\n")
	s.wantAvailability(t, a, "available 2")
	for i, header := range []string{
		"code,coupon", "Gutscheincode,Kampagne", "code promo,campagne", "código,campaña", "codice,campagna", "código,campanha", "kortingscode,campagne",
		"kod,kampania", "kupon kodu,kampanya", "coupon code,coupon",
	} {
		if done := s.importFile(t, newImport(coupon.ImportCodes), fmt.Sprintf("%s\nY%d,B\n", header, i)); done.RowsImported != 1 {
			t.Errorf("%s: %+v", header, done)
		}
	}
	s.wantAvailability(t, b, "available 10")
	if done := s.importFile(t, newImport(coupon.ImportCodes), "code,label\nZ,x\n"); done.Failure == nil || !strings.Contains(*done.Failure, "coupon") {
		t.Errorf("without a coupon: %+v", done)
	}
}
