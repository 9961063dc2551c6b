package db_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"couponql/coupon"
	"couponql/db"
)

// nasty returns values that programs on the way of a file like to take for something else.
func nasty() []string {
	return []string{
		"00123", "=1+1", "'=a", `="00456"`, `=""`, `\N`, `\\N`, `\\\N`, `\n`, `\`, "NULL", "N/A", "-", "---", `"quoted"`, `a"b`, "a,b;c|d", "a\u00a0b",
		"😀 Ärger",
		"1234567890123456789012", "6.9E+12", "'t Hooft", "'5", "''6'", "-7", "+49", "@x", "true", "a  b", "<&>", "]]>", "1,5", "2026-01-02", "03/04/2026",
		"(2 rows affected)", "code", "label", "#REF!", "&amp;", "a\u2028b", "'", "=", "~",
	}
}

// identity is what is exported and imported again: kinds in an order in which each finds what it names.
func identity() []struct {
	export  coupon.ExportKind
	imports coupon.ImportKind
} {
	return []struct {
		export  coupon.ExportKind
		imports coupon.ImportKind
	}{
		{coupon.ExportCoupons, coupon.ImportCoupons},
		{coupon.ExportCodes, coupon.ImportCodes},
		{coupon.ExportRecipients, coupon.ImportRecipients},
		{coupon.ExportRedemptions, coupon.ImportRedemptions},
	}
}

// furnish fills a scene with coupons, codes, recipients and redemptions of any value.
func (s *scene) furnish(t *testing.T) {
	t.Helper()
	var ids []coupon.ID
	for i, value := range nasty() {
		ids = append(ids, s.newCoupon(t, withoutAssignment, func(c *coupon.CouponChanges) {
			c.Label, c.Code = coupon.Set(new("L"+value)), coupon.Set(new(fmt.Sprintf("%s~%d", value, i)))
			if i%2 == 1 {
				c.Label = coupon.Set(&value)
				c.Metadata = coupon.Set(new(coupon.JSON(`{"z":1.50,"a":[null,{"b":"\\N\n\u00e9"}]}`)))
				c.EndsAt, c.Timezone = coupon.Set(new(coupon.DateTime("2027-03-28"))), coupon.Set(new("America/Santiago"))
				c.LowStockShare, c.LowStockThreshold = coupon.Set(new(0.1)), coupon.Set(new(3))
			}
		}))
	}
	s.newCoupon(t, anonymous, withCode("=OPEN"), withLimit(3))
	ids = append(ids, s.newCoupon(t, withCode(`\\\\N`)), s.newCoupon(t, withCode("'=own")))
	slices.Reverse(ids)
	for i, id := range ids[:3] {
		for _, label := range []string{"", "'=x", `\N`} {
			var codes []coupon.NewCode
			for j, value := range nasty() {
				if label == "" && j%3 == i {
					codes = append(codes, coupon.NewCode{Value: value})
				}
				codes = append(codes, coupon.NewCode{Value: fmt.Sprintf("%s %d%s", value, i, label), Label: &label})
			}
			if _, _, err := s.AddCodes(t.Context(), id, codes); err != nil {
				t.Fatal(err)
			}
		}
	}
	var people []*coupon.RecipientChanges
	for i, value := range nasty() {
		if value == "6.9E+12" { // No id: a spreadsheet rounded it.
			continue
		}
		one := &coupon.RecipientChanges{ExternalID: value, FirstName: coupon.Set(&value), IsContactable: coupon.Set(new(i%2 == 0))}
		if i%2 == 1 {
			one.Email, one.LastName = coupon.Set(new(fmt.Sprintf("a%d@example.org", i))), coupon.Set(new(value+"!"))
			one.Attributes = coupon.Set(new(coupon.JSON(`{"n":12.50,"t":"\\N","":" x ","email":"=1","o":{"a":null},"e":"","list":["'=a",true]}`)))
		}
		people = append(people, one)
	}
	if _, err := s.UpsertRecipients(t.Context(), people); err != nil {
		t.Fatal(err)
	}
	rows := "code,redeemedAt,reference,amount,currency,store,customer\n=OPEN,2026-11-20T10:00:00+01:00,r0,1234.5,EUR,'=s,\"=\"\"1\"\"\"\n" +
		"=OPEN,2026-11-20T10:00:00+02:00,r1,1.234,,,007\n"
	i := s.importFile(t, newImport(coupon.ImportRedemptions, func(i *coupon.Import) {
		i.Options.DecimalMark, i.Options.IsSpreadsheetSafe = new("."), new(false)
	}), rows)
	if i.RowsImported != 2 {
		t.Fatalf("imported %+v: %v", i, s.rejections(t, i.ID))
	}
	// What redeemCode decided about says so when it comes back.
	for j, value := range []string{"=OPEN", "00123 2", "😀 Ärger 2"} {
		request := &coupon.RedeemRequest{
			Value:      value,
			Reference:  new(fmt.Sprintf("till %d", j)),
			Amount:     new(coupon.Decimal("9.90")),
			Currency:   new("EUR"),
			RedeemedAt: new(noon().Add(-time.Hour)),
		}
		if _, err := s.Redeem(t.Context(), request); err != nil {
			t.Fatal(err)
		}
	}
}

// TestExportImportIsIdentity: what is exported and imported into an empty database is exported as the same bytes, of each kind and in each
// format, with nothing said of how to read it. A file that is safe for spreadsheets needs to be called so.
func TestExportImportIsIdentity(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.furnish(t)
	forms := map[string]coupon.ExportRequest{"safe CSV": {IsSpreadsheetSafe: true}}
	for _, format := range allFormats() {
		forms[string(format)] = coupon.ExportRequest{}
	}
	for name, request := range forms {
		t.Run(name, func(t *testing.T) {
			format := coupon.FileFormat(name)
			if request.IsSpreadsheetSafe {
				format = coupon.FormatCSV
			}
			again := newScene(t)
			files := map[coupon.ExportKind]string{}
			for _, kind := range identity() {
				e := &coupon.Export{Kind: kind.export, Format: format, Request: request}
				_, files[kind.export] = s.export(t, e)
				i := again.importFile(t, newImport(kind.imports, func(i *coupon.Import) {
					if request.IsSpreadsheetSafe {
						i.Options.IsSpreadsheetSafe = new(true)
					}
				}), files[kind.export])
				if i.Status != coupon.ImportSucceeded || i.RowsImported != i.RowsRead || i.RowsRead == 0 {
					t.Fatalf("%s: imported %+v: %v", kind.export, i, again.rejections(t, i.ID))
				}
			}
			for _, kind := range identity() {
				_, text := again.export(t, &coupon.Export{Kind: kind.export, Format: format, Request: request})
				switch {
				case text == files[kind.export]:
				case format == coupon.FormatParquet:
					t.Errorf("%s: %d bytes are other %d bytes", kind.export, len(files[kind.export]), len(text))
				default:
					t.Errorf("%s (-exported +exported again):\n%s", kind.export, cmp.Diff(files[kind.export], text))
				}
			}
			again.checkSound(t)
		})
	}
}

// TestCouponsWithCodes: one file of XML has coupons with their codes in them. Two imports of the same file bring both into an empty
// database, whose own file is the same; however many codes a coupon has, it is one row.
func TestCouponsWithCodes(t *testing.T) {
	t.Parallel()
	s, again := newScene(t), newScene(t)
	s.furnish(t)
	// More than a row may be long, and than is looked at to find the rows.
	large := s.newCoupon(t, withCode("LARGE"))
	request := &db.GenerateRequest{CouponID: large, Count: 30_000, Pattern: "########", Alphabet: "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"}
	if _, err := s.GenerateCodes(t.Context(), request); err != nil {
		t.Fatal(err)
	}
	e := &coupon.Export{Kind: coupon.ExportCoupons, Format: coupon.FormatXML, Request: coupon.ExportRequest{WithCodes: true}}
	done, first := s.export(t, e)
	for _, kind := range []coupon.ImportKind{coupon.ImportCoupons, coupon.ImportCodes} {
		i := again.importFile(t, newImport(kind), first)
		if i.Status != coupon.ImportSucceeded || i.RowsImported != i.RowsRead {
			t.Fatalf("%s: imported %+v: %v", kind, i, again.rejections(t, i.ID))
		}
		done.RowCount -= i.RowsRead
	}
	if done.RowCount != 0 {
		t.Errorf("the file has %d rows more than were read", done.RowCount)
	}
	// What tills did no file of coupons brings.
	_, redemptions := s.export(t, &coupon.Export{Kind: coupon.ExportRedemptions, Format: coupon.FormatXML})
	again.importFile(t, newImport(coupon.ImportRedemptions), redemptions)
	if _, second := again.export(t, e); second != first {
		t.Errorf("(-exported +exported again):\n%s", cmp.Diff(first, second))
	}
	again.checkSound(t)
	_, err := s.CreateExport(t.Context(), &coupon.Export{Kind: coupon.ExportCoupons, Format: coupon.FormatCSV, Request: e.Request})
	wantError(t, err, coupon.ErrorInvalid, "input.withCodes")
}
