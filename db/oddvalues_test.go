package db_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"couponql/coupon"
	"couponql/db/snapshot"
)

// oddTexts are texts that files, spreadsheets and databases take for something else.
func oddTexts() []string {
	return []string{
		// Quotes, separators, and what formats write things with.
		`a"b`,
		`"quoted"`,
		`""`,
		`'a'`,
		`a,b;c|d`,
		`;`,
		`,`,
		`|`,
		`\`,
		`\n`,
		`\N`,
		`a\"b`,
		`<a>&amp;</a>`,
		`]]>`,
		`&#10;`,
		`{"a":1}`,
		`[1]`,
		`%`,
		`#`,
		`--`,
		`$1`,
		`sep=;`,
		`<!-- x -->`,
		`"`,
		`'`,
		`&`,
		`<`,
		`>`,
		// What a spreadsheet takes for a formula, a number or a date.
		"=1+1",
		"+49 170",
		"-5",
		"@sum",
		"2026-11-24",
		"1/2",
		"MAR1",
		"1-2",
		"0012",
		"1e5",
		"6.9E+12",
		"1,5",
		"0x1F",
		"TRUE",
		"null",
		"NULL",
		"NaN",
		"inf",
		"12:30",
		"00000000000000000000001",
		"1234567890123456789012345",
		// Other scripts, marks that combine, directions, and what has no width.
		"Größe",
		"e\u0301",
		"n\u0303o",
		"مرحبا",
		"שלום",
		"\u202Eabc\u202C",
		"\u200Fa",
		"a\u200Bb",
		"a\u200Db",
		"a\uFEFFb",
		"a\u00A0b",
		"a\u2028b",
		"a\u2029b",
		"中文",
		"ﬀ",
		"İ",
		"ſs",
		"😀",
		"👩‍👩‍👧",
		"🇩🇪",
		"a\u0336b",
		"\u0301x",
		"\U0001D11E",
		"\uE000",
		"\uFFFD",
		"a\uFFFDb",
		"\uFDD0",
		"\U0001FFFE",
		"\U0010FFFF",
		// Long ones.
		strings.Repeat("x", coupon.MaxTextLength),
		strings.Repeat("😀", coupon.MaxTextLength),
		strings.Repeat(`"`, coupon.MaxTextLength),
		// Spaces inside, and at the ends.
		"a b",
		"a  b",
		" a",
		"a ",
		" a b ",
		"\u00A0a",
		"a\u3000",
		// What is no text for a code.
		"a\tb",
		"a\nb",
		"a\r\nb",
		"a\x01b",
		"a\x7fb",
		"a\u0085b",
		"a\x00b",
		"\uFFFEa",
		"a\uFFFF",
	}
}

// isKept reports whether a code or a label may be kept: the door refuses the others. What stands around it is cut off.
func isKept(text string) bool {
	return !strings.ContainsFunc(text, unicode.IsControl) && !strings.ContainsAny(text, "\uFFFE\uFFFF")
}

// TestOddValues exports codes, labels, references and the attributes of recipients, whatever is in them, in every format, and imports
// them into another database: each comes back identical, or was refused when it was given.
func TestOddValues(t *testing.T) {
	t.Parallel()
	formats := []coupon.FileFormat{coupon.FormatCSV, coupon.FormatXML, coupon.FormatJSONL, coupon.FormatParquet}
	s := newScene(t)
	c := s.newCoupon(t, withoutAssignment)
	given := make([]coupon.NewCode, 0, len(oddTexts()))
	for i, text := range oddTexts() {
		// A label that no other code has, and one of the odd texts.
		given = append(given, coupon.NewCode{Value: text, Label: new(oddTexts()[len(oddTexts())-1-i])})
	}
	_, rejections, err := s.AddCodes(t.Context(), c, given)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rejections {
		if code := given[r.Line-1]; r.Reason == coupon.RejectedBadCharacter && isKept(code.Value) && isKept(*code.Label) {
			t.Errorf("%q with the label %q was refused: %s", code.Value, *code.Label, r.Reason)
		}
	}
	want := s.codeFacts(t, c)
	if len(want) < len(given)/2 {
		t.Fatalf("only %d of %d are kept: %v", len(want), len(given), rejectionTexts(rejections))
	}
	for i, code := range slices.Sorted(maps.Keys(want)) {
		reference := oddTexts()[i]
		if clean, reason := coupon.CleanLabel(reference); reason != "" || clean == "" {
			reference = "r"
		}
		if _, err := s.Redeem(t.Context(), &coupon.RedeemRequest{Value: code, Reference: &reference}); err != nil {
			t.Fatal(err)
		}
	}
	recipients := oddRecipients()
	if _, err := s.UpsertRecipients(t.Context(), recipients); err != nil {
		t.Fatal(err)
	}
	_, err = s.UpsertRecipients(t.Context(), []*coupon.RecipientChanges{
		{ExternalID: "nul", Attributes: coupon.Set(new(coupon.JSON(`{"odd":"\\\u0000"}`)))},
	})
	wantError(t, err, coupon.ErrorInvalid, "input.recipients.0.attributes")
	for _, format := range formats {
		t.Run(string(format), func(t *testing.T) {
			t.Parallel()
			again := newScene(t)
			d := again.newCoupon(t, withoutAssignment)
			_, codes := s.export(t, codesOf(c, format, nil))
			i := again.importFile(t, newImport(coupon.ImportCodes, into(d), literally), codes)
			if diff := cmp.Diff(want, again.codeFacts(t, d)); diff != "" {
				t.Errorf("codes (-exported +imported):\n%s\n%+v %q", diff, i, again.rejections(t, i.ID))
			}
			_, redemptions := s.export(t, &coupon.Export{Kind: coupon.ExportRedemptions, Format: format})
			again.importFile(t, newImport(coupon.ImportRedemptions, literally), redemptions)
			if diff := cmp.Diff(s.references(t), again.references(t)); diff != "" {
				t.Errorf("redemptions (-exported +imported):\n%s", diff)
			}
			i = again.importFile(t, newImport(coupon.ImportRecipients, literally), s.exportRecipients(t, format, recipients))
			rejected := strings.Join(again.rejections(t, i.ID), "\n")
			for _, r := range recipients {
				kept, err := again.RecipientByExternalID(t.Context(), r.ExternalID)
				if err != nil {
					t.Fatal(err)
				}
				wanted := attribute(t, *r.Attributes.Value)
				if format == coupon.FormatCSV && !strings.ContainsAny(wanted, "\",\r\n") {
					// What is not in quotes loses the spaces around it.
					wanted = strings.Trim(wanted, " \t")
				}
				// In XML that another program wrote, U+FFFD stands for what could not be read.
				mayRefuse := !isKept(wanted) || format == coupon.FormatXML && strings.Contains(wanted, "\uFFFD")
				switch {
				case kept == nil && mayRefuse && strings.Contains(rejected, r.ExternalID):
				case kept == nil:
					t.Errorf("%s with %q was lost: %s", r.ExternalID, wanted, rejected)
				case attribute(t, kept.Attributes) != wanted:
					t.Errorf("the attribute %q came back as %q", wanted, attribute(t, kept.Attributes))
				}
			}
			again.checkSound(t)
		})
	}
}

// attribute returns the attribute odd as it is.
func attribute(t *testing.T, attributes coupon.JSON) string {
	t.Helper()
	var members map[string]string
	if err := json.Unmarshal([]byte(attributes), &members); err != nil {
		t.Fatal(err)
	}
	return members["odd"]
}

// codeFacts returns the labels of a coupon's codes by their values.
func (s *scene) codeFacts(t *testing.T, id coupon.ID) map[string]string {
	t.Helper()
	facts := map[string]string{}
	for _, code := range s.allCodes(t, id, nil) {
		facts[code.Value] = ""
		if code.Label != nil {
			facts[code.Value] = *code.Label
		}
	}
	return facts
}

// references returns those of all redemptions, by code.
func (s *scene) references(t *testing.T) map[string]string {
	t.Helper()
	list, err := s.Redemptions(t.Context(), nil, coupon.Page{First: coupon.MaxPageSize, WantsItems: true})
	if err != nil {
		t.Fatal(err)
	}
	references := map[string]string{}
	for _, r := range list.Items {
		references[r.CodeValue] = *r.Reference
	}
	return references
}

// oddRecipients returns a recipient for each text, who has it as the attribute odd, and one with a very long one.
func oddRecipients() []*coupon.RecipientChanges {
	var recipients []*coupon.RecipientChanges
	for i, text := range append(oddTexts(), strings.Repeat("long 😀 ", 5000)+".") {
		if strings.Contains(text, "\x00") {
			continue // No file of text can have it, so no recipient can.
		}
		encoded, err := json.Marshal(map[string]string{"odd": text})
		if err != nil {
			panic(err)
		}
		recipients = append(recipients, &coupon.RecipientChanges{
			ExternalID: fmt.Sprintf("r%03d", i), Attributes: coupon.Set(new(coupon.JSON(encoded))),
		})
	}
	return recipients
}

// exportRecipients writes recipients with their attribute as an analyst's query does; XML, which that cannot be, as another program
// would.
func (s *scene) exportRecipients(t *testing.T, format coupon.FileFormat, recipients []*coupon.RecipientChanges) string {
	t.Helper()
	if format == coupon.FormatXML {
		var b bytes.Buffer
		b.WriteString("<recipients>")
		for _, r := range recipients {
			text := attribute(t, *r.Attributes.Value)
			fmt.Fprintf(&b, `<recipient externalId="%s" odd="`, r.ExternalID)
			if err := xml.EscapeText(&b, []byte(text)); err != nil || !utf8.ValidString(text) {
				t.Fatal(err)
			}
			b.WriteString(`"/>`)
		}
		b.WriteString("</recipients>")
		return b.String()
	}
	taken, err := s.TakeSnapshot(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	opened, err := snapshot.Open(t.Context(), taken.Dir, snapshot.Options{MemoryLimit: "500MB", Threads: 1, ExportDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	const query = `SELECT external_id AS "externalId", attributes->>'odd' AS odd FROM recipients`
	columns, err := opened.Check(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "rows")
	if _, err := opened.Export(t.Context(), query, columns, format, false, path); err != nil {
		t.Fatal(err)
	}
	if err := opened.Close(); err != nil {
		t.Fatal(err)
	}
	if err := taken.Remove(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestExportOldCharacters: a character that XML cannot carry, which an older version let in, is not left out of a file without a
// word: the export as XML says in which column it is, and repeats nothing; the other formats have it.
func TestExportOldCharacters(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	for _, test := range []struct{ column, statement string }{
		{"code", "UPDATE code SET value = key || chr(65534) WHERE id = 1"},
		{"label", "UPDATE code SET label = 'x' || chr(1) WHERE id = 2"},
	} {
		column, statement := test.column, test.statement
		c := s.newCoupon(t)
		s.codes(t, c, "", strings.ToUpper(column)+"1")
		s.Exec(t, statement)
		xmlExport, err := s.CreateExport(t.Context(), codesOf(c, coupon.FormatXML, nil))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.RunExport(t.Context(), xmlExport.ID, nil); err != nil {
			t.Fatal(err)
		}
		found, err := s.ExportsByID(t.Context(), []coupon.ID{xmlExport.ID})
		if err != nil {
			t.Fatal(err)
		}
		e := found[xmlExport.ID]
		if want := "The column " + column + " has a character that XML cannot carry"; e.Status != coupon.ImportFailed ||
			!strings.HasPrefix(deref(e.Failure), want) || strings.Contains(*e.Failure, "CODE1") {
			t.Errorf("the export is %s: %s", e.Status, deref(e.Failure))
		}
		for _, format := range []coupon.FileFormat{coupon.FormatCSV, coupon.FormatJSONL, coupon.FormatParquet} {
			if _, text := s.export(t, codesOf(c, format, nil)); format == coupon.FormatCSV && !strings.ContainsAny(text, "\uFFFE\x01") {
				t.Errorf("%s: %q", format, text)
			}
		}
	}
	s.wantNoFiles(t)
}
