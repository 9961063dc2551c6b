package db_test

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"html"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"couponql/coupon"
)

// What a cell of fileOf is when it is no value.
const (
	cellAbsent = "\x00absent"
	cellNull   = "\x00null"
)

func allFormats() []coupon.FileFormat {
	return []coupon.FileFormat{coupon.FormatCSV, coupon.FormatXML, coupon.FormatJSONL, coupon.FormatParquet}
}

// fileOf writes rows in a format. A cell of CSV can be absent only at the end of its row, and none of CSV or Parquet can be
// what the format does not have: an absent one of Parquet and a null of CSV fail the test.
func fileOf(t *testing.T, format coupon.FileFormat, columns []string, rows ...[]string) string {
	t.Helper()
	var b strings.Builder
	switch format {
	case coupon.FormatCSV:
		for _, row := range append([][]string{columns}, rows...) {
			row = slices.Clone(row[:len(row)-countTail(row)])
			for i, cell := range row {
				if strings.HasPrefix(cell, "\x00") {
					t.Fatalf("CSV has no cell %q", cell)
				}
				row[i] = cell
				if strings.ContainsAny(cell, "\",\n") {
					row[i] = `"` + strings.ReplaceAll(cell, `"`, `""`) + `"`
				}
			}
			b.WriteString(strings.Join(row, ",") + "\n")
		}
	case coupon.FormatXML:
		b.WriteString(`<rows xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">` + "\n")
		for _, row := range rows {
			b.WriteString("<row>")
			for i, cell := range row {
				switch cell {
				case cellAbsent:
				case cellNull:
					b.WriteString("<" + columns[i] + ` xsi:nil="true"/>`)
				default:
					b.WriteString("<" + columns[i] + ">" + html.EscapeString(cell) + "</" + columns[i] + ">")
				}
			}
			b.WriteString("</row>\n")
		}
		b.WriteString("</rows>\n")
	case coupon.FormatJSONL:
		for _, row := range rows {
			var members []string
			for i, cell := range row {
				value, err := json.Marshal(cell)
				if err != nil {
					t.Fatal(err)
				}
				if cell == cellNull {
					value = []byte("null")
				}
				if cell != cellAbsent {
					members = append(members, fmt.Sprintf("%q:%s", columns[i], value))
				}
			}
			b.WriteString("{" + strings.Join(members, ",") + "}\n")
		}
	case coupon.FormatParquet:
		return parquetOf(t, columns, rows)
	case coupon.FormatDuckDB:
	}
	return b.String()
}

func countTail(row []string) int {
	count := 0
	for count < len(row) && row[len(row)-1-count] == cellAbsent {
		count++
	}
	return count
}

// parquetOf writes columns of texts. A column whose name ends in :DOUBLE or the like is of that type.
func parquetOf(t *testing.T, columns []string, rows [][]string) string {
	t.Helper()
	var selects []string
	for i, column := range columns {
		name, kind, isTyped := strings.Cut(column, ":")
		if !isTyped {
			kind = "VARCHAR"
		}
		selects = append(selects, fmt.Sprintf(`c%d::%s AS "%s"`, i, kind, name))
	}
	var values []string
	for _, row := range rows {
		var cells []string
		for _, cell := range row {
			switch cell {
			case cellAbsent:
				t.Fatal("a row of Parquet has all columns")
			case cellNull:
				cells = append(cells, "NULL")
			default:
				cells = append(cells, "'"+strings.ReplaceAll(cell, "'", "''")+"'")
			}
		}
		values = append(values, "("+strings.Join(cells, ", ")+")")
	}
	var names []string
	for i := range columns {
		names = append(names, fmt.Sprintf("c%d", i))
	}
	return parquetFrom(t, fmt.Sprintf("SELECT %s FROM (VALUES %s) v(%s)", strings.Join(selects, ", "), strings.Join(values, ", "), strings.Join(names, ", ")))
}

func parquetFrom(t *testing.T, query string) string {
	t.Helper()
	engine, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = engine.Close() }()
	path := filepath.Join(t.TempDir(), "file.parquet")
	if _, err := engine.ExecContext(t.Context(), "COPY ("+query+") TO '"+path+"' (FORMAT parquet)"); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// person tells what is known of somebody.
func (s *scene) person(t *testing.T, externalID string) string {
	t.Helper()
	r, err := s.RecipientByExternalID(t.Context(), externalID)
	if err != nil || r == nil {
		t.Fatalf("%s: %v, %v", externalID, r, err)
	}
	text := func(p *string) string {
		if p == nil {
			return "-"
		}
		return *p
	}
	return fmt.Sprint(text(r.Email), " ", text(r.FirstName), " ", r.Attributes, " ", r.IsContactable)
}

// warned returns the warnings of an import as their kinds, counts, lines and values.
func warned(i *coupon.Import) []string {
	var got []string
	for _, w := range i.Warnings {
		line := 0
		if w.Line != nil {
			line = *w.Line
		}
		got = append(got, fmt.Sprintf("%s %d %d %s", w.Kind, w.Count, line, w.Value))
	}
	slices.Sort(got)
	return got
}

// objector is somebody of whom everything is known, and who must not be contacted.
func objector(externalID string) *coupon.RecipientChanges {
	attributes := coupon.JSON(`{"postalAddress":"Main St 1","pushToken":"p1","tier":"basic","points":12.50}`)
	return &coupon.RecipientChanges{
		ExternalID: externalID, Email: coupon.Set(new("o@example.org")), FirstName: coupon.Set(new("Ona")),
		Attributes: coupon.Set(&attributes), IsContactable: coupon.Set(new(false)),
	}
}

// TestAbsentEmptyNullNothing imports a person who is known and one who is new, with each way of having no value, in every
// format that has it.
func TestAbsentEmptyNullNothing(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	const (
		attributes = `{"postalAddress":"Main St 1","pushToken":"p1","tier":"basic","points":12.50}`
		lessTier   = `{"postalAddress":"Main St 1","pushToken":"p1","points":12.50}`
	)
	columns := []string{"externalId", "email", "firstName", "tier", "isContactable"}
	number := 0
	for way, test := range map[string]struct {
		cell       string
		options    coupon.FileOptions
		formats    []coupon.FileFormat
		known, new string
		cleared    int
		isSilent   bool
	}{
		"absent": {
			cell: cellAbsent, formats: []coupon.FileFormat{coupon.FormatCSV, coupon.FormatXML, coupon.FormatJSONL},
			known: "o@example.org Ona " + attributes + " false", new: "- - {} false",
		},
		"empty": {
			cell: "", formats: allFormats(), isSilent: true,
			known: "o@example.org Ona " + attributes + " false", new: "- - {} false",
		},
		"null": {
			cell: cellNull, formats: []coupon.FileFormat{coupon.FormatXML, coupon.FormatJSONL, coupon.FormatParquet}, isSilent: true,
			known: "- - " + lessTier + " false", new: "- - {} false", cleared: 3,
		},
		"nothing": {
			cell: `\N`, formats: allFormats(), isSilent: true,
			known: "- - " + lessTier + " false", new: "- - {} false", cleared: 3,
		},
		"nothing, named": {
			cell: "k. A.", formats: allFormats(), isSilent: true, options: coupon.FileOptions{Nothing: []string{"k. A.", "-"}},
			known: "- - " + lessTier + " false", new: "- - {} false", cleared: 3,
		},
		"empty, named": {
			cell: "", formats: allFormats(), isSilent: true, options: coupon.FileOptions{Nothing: []string{""}},
			known: "- - " + lessTier + " false", new: "- - {} false", cleared: 3,
		},
	} {
		for _, format := range test.formats {
			number++
			known, added, full := fmt.Sprintf("k%d", number), fmt.Sprintf("n%d", number), fmt.Sprintf("f%d", number)
			s.upsert(t, objector(known))
			row := func(id string) []string { return []string{id, test.cell, test.cell, test.cell, test.cell} }
			content := fileOf(t, format, columns, []string{full, "f@example.org", "Fay", "gold", "yes"}, row(known), row(added))
			dry := s.importFile(t, newImport(coupon.ImportRecipients, dryRun, func(i *coupon.Import) { i.Options = test.options }), content)
			i := s.importFile(t, newImport(coupon.ImportRecipients, func(i *coupon.Import) { i.Options = test.options }), content)
			wantImport(t, i, "SUCCEEDED 3 = 3 + 0")
			for id, want := range map[string]string{known: test.known, added: test.new, full: `f@example.org Fay {"tier":"gold"} true`} {
				if got := s.person(t, id); got != want {
					t.Errorf("%s in %s: got %s, want %s", way, format, got, want)
				}
			}
			want := coupon.ImportChanges{Added: 2, Changed: 1, Cleared: test.cleared}
			if i.Changes != want || dry.Changes != want {
				t.Errorf("%s in %s: changes %+v, in the dry run %+v, want %+v", way, format, i.Changes, dry.Changes, want)
			}
			line := slices.IndexFunc(strings.Split(content, "\n"), func(line string) bool { return strings.Contains(line, known) }) + 1
			if format == coupon.FormatParquet {
				line = 2
			}
			var warnings []string
			if test.isSilent {
				warnings = []string{fmt.Sprintf("SILENT_CONSENT 2 %d %s", line, known)}
			}
			if diff := cmp.Diff(warnings, warned(i)); diff != "" {
				t.Errorf("%s in %s: warnings (-want +got):\n%s", way, format, diff)
			}
		}
	}
	s.checkSound(t)
}

// TestImportTouchesNothingElse imports one column of people of whom more is known.
func TestImportTouchesNothingElse(t *testing.T) {
	t.Parallel()
	for _, format := range allFormats() {
		t.Run(string(format), func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			s.upsert(t, objector("r1"))
			i := s.importFile(
				t,
				newImport(coupon.ImportRecipients),
				fileOf(t, format, []string{"externalId", "tier"}, []string{"r1", "gold"}, []string{"r2", "gold"}),
			)
			wantImport(t, i, "SUCCEEDED 2 = 2 + 0")
			for id, want := range map[string]string{
				"r1": `o@example.org Ona {"postalAddress":"Main St 1","pushToken":"p1","tier":"gold","points":12.50} false`,
				"r2": `- - {"tier":"gold"} true`,
			} {
				if got := s.person(t, id); got != want {
					t.Errorf("%s: got %s, want %s", id, got, want)
				}
			}
			if diff := cmp.Diff([]string{"NO_CONSENT_COLUMN 1 0 isContactable"}, warned(i)); diff != "" {
				t.Errorf("warnings (-want +got):\n%s", diff)
			}
			s.checkSound(t)
		})
	}
}

// TestUpsertWithNull tells that null removes what the API knows of a person, but gives no consent.
func TestUpsertWithNull(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.upsert(t, objector("r1"))
	for _, step := range []struct {
		changes *coupon.RecipientChanges
		want    string
	}{
		{&coupon.RecipientChanges{ExternalID: "r1", IsContactable: coupon.Set[bool](nil)}, "o@example.org Ona %s false"},
		{&coupon.RecipientChanges{ExternalID: "r1", Email: coupon.Set[string](nil)}, "- Ona %s false"},
		{&coupon.RecipientChanges{ExternalID: "r1", FirstName: coupon.Set(new(""))}, "- - %s false"},
		{&coupon.RecipientChanges{ExternalID: "r1", IsContactable: coupon.Set(new(true))}, "- - %s true"},
		{&coupon.RecipientChanges{ExternalID: "r1", IsContactable: coupon.Set[bool](nil)}, "- - %s true"},
		{&coupon.RecipientChanges{ExternalID: "r1", Attributes: coupon.Set[coupon.JSON](nil)}, "- - {} true"},
		{&coupon.RecipientChanges{ExternalID: "r2", IsContactable: coupon.Set[bool](nil)}, "- - {} false"},
		{&coupon.RecipientChanges{ExternalID: "r3"}, "- - {} true"},
	} {
		s.upsert(t, step.changes)
		want := strings.ReplaceAll(step.want, "%s", string(*objector("").Attributes.Value))
		if got := s.person(t, step.changes.ExternalID); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	s.checkSound(t)
}

// TestImportedAttributesHaveALimit tells that attributes which come in parts are not larger than those which come at once.
func TestImportedAttributesHaveALimit(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	large := func(id, column string) string {
		return "externalId," + column + "\n" + id + "," + strings.Repeat("x", 40_000) + "\n"
	}
	wantImport(t, s.importFile(t, newImport(coupon.ImportRecipients), large("r1", "a")), "SUCCEEDED 1 = 1 + 0")
	i := s.importFile(t, newImport(coupon.ImportRecipients), large("r1", "b")+"r2,y\n")
	wantImport(t, i, "SUCCEEDED 2 = 1 + 1")
	s.wantRejections(t, i.ID, "2 TOO_LONG {\"b\":\""+strings.Repeat("x", 248)+"…")
	wantImport(t, s.importFile(t, newImport(coupon.ImportRecipients), large("r1", "a")), "SUCCEEDED 1 = 1 + 0")
	s.checkSound(t)
}

// TestPlaceholders tells that a text which may stand for nothing is kept, told and counted, in every kind of import.
func TestPlaceholders(t *testing.T) {
	t.Parallel()
	for _, format := range allFormats() {
		t.Run(string(format), func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			line := map[coupon.FileFormat]int{coupon.FormatCSV: 3, coupon.FormatXML: 3, coupon.FormatJSONL: 2, coupon.FormatParquet: 2}[format]
			c := s.newCoupon(t)
			codes := s.importFile(t, newImport(coupon.ImportCodes, into(c)),
				fileOf(t, format, []string{"code", "label"}, []string{"A1", `\N`}, []string{"A2", "N/A"}, []string{`\N`, ""}, []string{"A3", "-"}))
			wantImport(t, codes, "SUCCEEDED 4 = 3 + 1")
			people := s.importFile(t, newImport(coupon.ImportRecipients), fileOf(t, format, []string{"externalId", "firstName", "city", "contactable"},
				[]string{"r1", `\N`, `\N`, "yes"}, []string{"r2", "NULL", "NULL", "yes"}))
			wantImport(t, people, "SUCCEEDED 2 = 2 + 0")
			if got, want := s.person(t, "r1")+", "+s.person(t, "r2"), `- - {} true, - NULL {"city":"NULL"} true`; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
			redemptions := s.importFile(t, newImport(coupon.ImportRedemptions), fileOf(t, format, []string{"code", "redeemedAt", "reference", "amount"},
				[]string{"A1", "2026-11-20", `\N`, `\N`}, []string{"A2", "2026-11-20", "null", ""}))
			wantImport(t, redemptions, "SUCCEEDED 2 = 2 + 0")
			targets := s.importFile(
				t,
				newImport(coupon.ImportTargets, into(s.newDelivery(t, c, nil))),
				fileOf(t, format, []string{"externalId"}, []string{"r1"}, []string{`\N`}),
			)
			wantImport(t, targets, "SUCCEEDED 2 = 1 + 1")
			for i, want := range map[*coupon.Import]string{
				codes: fmt.Sprintf("PLACEHOLDER 2 %d N/A", line), people: fmt.Sprintf("PLACEHOLDER 1 %d NULL", line),
				redemptions: fmt.Sprintf("PLACEHOLDER 1 %d null", line),
			} {
				if diff := cmp.Diff([]string{want}, warned(i)); diff != "" {
					t.Errorf("%s: warnings (-want +got):\n%s", i.Kind, diff)
				}
			}
			s.checkSound(t)
		})
	}
}

// literally takes the values of a file as they are.
func literally(i *coupon.Import) {
	i.Options.Nothing, i.Options.IsSpreadsheetSafe = []string{}, new(false)
}

// TestImportedAmounts reads amounts, currencies and dates as people write them, in every format, and rejects what could mean two
// things with a reason of its own.
func TestImportedAmounts(t *testing.T) {
	t.Parallel()
	columns := []string{"code", "redeemedAt", "reference", "amount", "currency"}
	for _, format := range allFormats() {
		t.Run(string(format), func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			s.codes(t, s.newCoupon(t, withoutAssignment), "", "A1", "A2", "A3", "A4", "A5", "A6", "A7", "A8")
			rows := [][]string{
				{"A1", "2026-11-20 09:50:26 +0200", "r1", "49,90", "eur"},
				{"A2", "11/20/2026, 9:05\u202fPM", "r2", "1.234", "€"},
				{"A3", "03.11.2026 10:00", "r3", "49,90 EUR", ""},
				{"A4", "2026-11-20 09:50:26 UTC", "r4", "49.900000000000006", "EUR"},
				{"A5", "2026-11-20", "r5", "a lot", "EUR"},
				{"A6", "2026-11-20", "r6", "1", "euro"},
				{"A7", "2026-11-20", "r7", "1,23457E+12", "EUR"},
			}
			content := fileOf(t, format, columns, rows...)
			i := s.importFile(t, newImport(coupon.ImportRedemptions), content)
			wantImport(t, i, "SUCCEEDED 7 = 3 + 4")
			var reasons []string
			for _, rejection := range s.rejections(t, i.ID) {
				_, reason, _ := strings.Cut(rejection, " ")
				reasons = append(reasons, reason)
			}
			// A comma and a point are proved: which one 1.234 has is not known.
			want := []string{"AMBIGUOUS_AMOUNT 1.234", "BAD_AMOUNT a lot", "BAD_CURRENCY euro", "ROUNDED_NUMBER 1,23457E+12"}
			if diff := cmp.Diff(want, reasons); diff != "" {
				t.Errorf("rejections (-want +got):\n%s", diff)
			}
			again := s.importFile(t, newImport(coupon.ImportRedemptions, func(i *coupon.Import) { i.Options.DecimalMark = new(",") }),
				fileOf(t, format, columns, rows[1], []string{"A8", "2026-11-20", "r8", "5,5", ""}))
			wantImport(t, again, "SUCCEEDED 2 = 2 + 0")
			got := s.Texts(t, "SELECT concat_ws(' ', reference, redeemed_at, amount, currency) FROM redemption ORDER BY reference")
			facts := []string{
				"r1 2026-11-20 07:50:26 49.9000 EUR", "r2 2026-11-20 21:05:00 1234.0000 EUR", "r3 2026-11-03 10:00:00 49.9000 EUR",
				"r4 2026-11-20 09:50:26 49.9000 EUR", "r8 2026-11-20 00:00:00 5.5000",
			}
			if diff := cmp.Diff(facts, got); diff != "" {
				t.Errorf("redemptions (-want +got):\n%s", diff)
			}
			s.checkSound(t)
		})
	}
}

// TestGuardsAreTakenOff imports what spreadsheets guard, and our own export that is safe for them, which comes back as it was.
func TestGuardsAreTakenOff(t *testing.T) {
	t.Parallel()
	s, again := newScene(t), newScene(t)
	c := s.newCoupon(t, withoutAssignment)
	i := s.importFile(t, newImport(coupon.ImportCodes, into(c)), "code\n\"=\"\"00123\"\"\"\n'00456\n'=A1\n't7\n")
	wantImport(t, i, "SUCCEEDED 4 = 4 + 0")
	if diff := cmp.Diff([]string{"00123", "00456", "=A1", "'t7"}, s.values(t, c), cmp.Transformer("sorted", func(in []string) []string {
		out := slices.Clone(in)
		slices.Sort(out)
		return out
	})); diff != "" {
		t.Errorf("codes (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"FORMULA 1 4 =A1", `GUARD 3 2 ="00123"`}, warned(i)); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
	s.codes(t, c, "", `="1"`, "'=1", "''x", "6E12", "nov-26", "+1", "-2", "@a", "12")
	d := again.newCoupon(t, withoutAssignment)
	safe := codesOf(c, coupon.FormatCSV, nil)
	safe.Request.IsSpreadsheetSafe = true
	_, content := s.export(t, safe)
	for _, options := range []coupon.FileOptions{{}, {IsSpreadsheetSafe: new(true)}} {
		i := again.importFile(t, newImport(coupon.ImportCodes, into(d), dryRun, func(i *coupon.Import) { i.Options = options }), content)
		wantImport(t, i, "SUCCEEDED 13 = 13 + 0")
	}
	again.importFile(t, newImport(coupon.ImportCodes, into(d), func(i *coupon.Import) { i.Options.IsSpreadsheetSafe = new(true) }), content)
	if diff := cmp.Diff(s.values(t, c), again.values(t, d)); diff != "" {
		t.Errorf("codes (-exported +imported):\n%s\n%s", diff, content)
	}
	s.checkSound(t)
	again.checkSound(t)
}

// TestRoundedNumbersAreRefused tells that a phone number or an id which lost its digits is no recipient's.
func TestRoundedNumbersAreRefused(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	columns := []string{"externalId", "phone", "contactable"}
	for _, format := range allFormats() {
		i := s.importFile(t, newImport(coupon.ImportRecipients), fileOf(t, format, columns,
			[]string{"r1", "4,91712E+11", "yes"}, []string{"4.5E+07", "", "yes"}, []string{"r3", "+491701234567", "hayır"}))
		wantImport(t, i, "SUCCEEDED 3 = 1 + 2")
		var reasons []string
		for _, rejection := range s.rejections(t, i.ID) {
			_, reason, _ := strings.Cut(rejection, " ")
			reasons = append(reasons, reason)
		}
		if diff := cmp.Diff([]string{"ROUNDED_NUMBER 4,91712E+11", "ROUNDED_NUMBER 4.5E+07"}, reasons); diff != "" {
			t.Errorf("%s: rejections (-want +got):\n%s", format, diff)
		}
		if got, want := s.person(t, "r3"), "- - {} false"; got != want {
			t.Errorf("%s: got %s, want %s", format, got, want)
		}
	}
	_, err := s.UpsertRecipients(t.Context(), []*coupon.RecipientChanges{{ExternalID: "r1", Phone: coupon.Set(new("4.91712e11"))}})
	wantError(t, err, coupon.ErrorInvalid, "input.recipients.0.phone")
}
