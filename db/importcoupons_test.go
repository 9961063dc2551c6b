package db_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"couponql/coupon"
)

// couponFacts gives what is known of all coupons, oldest first.
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
	for _, mode := range []coupon.ImportMode{coupon.ImportReplaceUnused, coupon.ImportVoid} {
		upload, err := s.Receive(t.Context(), "codes.csv", strings.NewReader("code\nZ\n"))
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.CreateImport(t.Context(), newImport(coupon.ImportCodes, func(i *coupon.Import) { i.Mode = mode }), upload.ID, true)
		wantError(t, err, coupon.ErrorInvalid, "input.couponId")
	}
}
