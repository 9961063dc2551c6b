package file

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"couponql/coupon"
)

// TestLinesBelowTheLastRow reads what reports write below their rows, and codes that only look
// alike.
func TestLinesBelowTheLastRow(t *testing.T) {
	t.Parallel()
	closings := []string{
		"Total: 1", "Summe: 2", "Gesamt:", "Total", "TOTAL", "EOF", "<EOF>", "-- end --",
		"*** ENDE ***", "End of file", "Fin", "1 Zeilen", "3 rows",
		"(3 rows affected)", "Anzahl: 3", "Rows: 1,234", "Totale: 1.234,50 €", "Razem", "Toplam: 5",
		"3 Datensätze", "2 registros",
	}
	for _, closing := range closings {
		for _, end := range []string{
			"", "\n", "\r\n\r\n", "\n\x1a", "\nEOF\n", "\n\n-----\n(2 rows)\n",
		} {
			content := "code\nA1\nB2\n" + closing + end
			_, rows := readAll(t, write(t, []byte(content)), coupon.FileOptions{},
				coupon.ImportCodes)
			if len(rows) < 3 || rows[0] != "2: A1" || rows[1] != "3: B2" ||
				rows[2] != "4: NOT_A_ROW "+closing {
				t.Errorf("%q: got %q", content, rows)
			}
			for _, row := range rows[2:] {
				if !strings.Contains(row, "NOT_A_ROW") {
					t.Errorf("%q: got %q", content, rows)
				}
			}
		}
		// With rows below it, and where no value looks otherwise, it is one.
		content := "code\nA1\n" + closing + "\n" + strings.Repeat("B2\n", 2)
		// A client's footer is one anywhere, and a comma makes two cells.
		if strings.ContainsAny(closing, "(,") {
			continue
		}
		_, rows := readAll(t, write(t, []byte(content)), coupon.FileOptions{}, coupon.ImportCodes)
		if len(rows) != 4 || rows[1] != "3: "+closing {
			t.Errorf("%q: got %q", content, rows)
		}
	}
	tests := map[string]struct {
		kind    coupon.ImportKind
		content string
		want    []string
	}{
		"a sum in a cell": {content: "code;label\nA1;x\nSumme;2\n", want: []string{
			"2: A1|x", "3: NOT_A_ROW Summe;2",
		}},
		"a sum, empty cells": {content: "code;label\nA1;x\nTotal;;;\n", want: []string{
			"2: A1|x", "3: NOT_A_ROW Total;;;",
		}},
		"no header": {
			content: "A1\nB2\nTotal: 2\n",
			want:    []string{"1: A1", "2: B2", "3: NOT_A_ROW Total: 2"},
		},
		"codes that are words": {content: "code\nSUMMER\nWINTER\nTOTAL\n", want: []string{
			"2: SUMMER", "3: WINTER", "4: TOTAL",
		}},
		"codes that are counts": {content: "code\n1 ROW\n2 ROWS\n3 ROWS\n4 ROWS\n", want: []string{
			"2: 1 ROW", "3: 2 ROWS", "4: 3 ROWS", "5: 4 ROWS",
		}},
		"a label that is a word": {
			content: "code;label\nA1;Total\n", want: []string{"2: A1|Total"},
		},
		"redemptions": {
			kind:    coupon.ImportRedemptions,
			content: "code;date;amount\nA1;2026-11-20;5\nTotal;;5,00 €\n",
			want:    []string{"2: A1|2026-11-20|-|5", "3: NOT_A_ROW Total;;5,00 €"},
		},
		"recipients": {
			kind: coupon.ImportRecipients, content: "id,email\n1,a@example.com\nTotal: 1,\n",
			want: []string{"2: 1|a@example.com", "3: NOT_A_ROW Total: 1,"},
		},
		"coupons": {
			kind:    coupon.ImportCoupons,
			content: "code;label;type\nS1;Summer;INDIVIDUAL\nAnzahl;1;\n",
			want:    []string{"2: S1|Summer|INDIVIDUAL", "3: NOT_A_ROW Anzahl;1;"},
		},
		"bounces": {
			kind: coupon.ImportBounces, content: "email,event\na@example.com,bounce\n-- end --\n",
			want: []string{"2: a@example.com|-|bounce", "3: NOT_A_ROW -- end --"},
		},
		"targets": {kind: coupon.ImportTargets, content: "id\n17\n18\nEOF\n", want: []string{
			"2: 17", "3: 18", "4: NOT_A_ROW EOF",
		}},
	}
	for name, test := range tests {
		if test.kind == "" {
			test.kind = coupon.ImportCodes
		}
		_, rows := readAll(t, write(t, []byte(test.content)), coupon.FileOptions{}, test.kind)
		if diff := cmp.Diff(test.want, rows); diff != "" {
			t.Errorf("%s: rows (-want +got):\n%s", name, diff)
		}
	}
}

// TestClosingsFarFromTheEnd has a file whose end is in another chunk than its rows.
func TestClosingsFarFromTheEnd(t *testing.T) {
	t.Parallel()
	for _, size := range []int{
		chunkBytes, sampleBytes, MaxRowBytes + chunkBytes, MaxRowBytes + 3*chunkBytes,
	} {
		for _, shift := range []int{-13, -5, 0, 11} {
			line := "A" + strings.Repeat("1", 999) + "\n"
			count := (size + shift) / len(line)
			content := "code\n" + strings.Repeat(line, count) +
				strings.Repeat("B1\n", (size+shift-count*len(line))/3) + "Total: 5\n"
			count += (size + shift - count*len(line)) / 3
			r := open(t, write(t, []byte(content)), coupon.FileOptions{}, coupon.ImportCodes)
			rows, closings := 0, 0
			for {
				row, err := r.Next()
				if err != nil {
					break
				}
				rows++
				closings += one(row.Reason == coupon.RejectedNotARow)
			}
			if rows != count+1 || closings != 1 {
				t.Errorf("%d and %d bytes: got %d rows of %d, and %d that are none", size, shift,
					rows, count+1, closings)
			}
		}
	}
}

// TestEndMarks leaves out the mark that old programs put at the end of a text, in every format that
// is text and in UTF-16.
func TestEndMarks(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{
		"CSV": "code\nA1\nB2", "JSONL": `{"code":"A1"}` + "\n" + `{"code":"B2"}`,
		"XML": "<c><v code=\"A1\"/>\n<v code=\"B2\"/></c>",
	} {
		for _, mark := range []string{
			"\x1a", "\n\x1a", "\r\n\x1a\r\n", "\x1a\x1a\x1a", "\n\x1a\n\n\x1a",
		} {
			_, want := readAll(t, write(t, []byte(content)), coupon.FileOptions{},
				coupon.ImportCodes)
			_, got := readAll(t, write(t, []byte(content+mark)), coupon.FileOptions{},
				coupon.ImportCodes)
			if diff := cmp.Diff(want, got); diff != "" || len(want) != 2 {
				t.Errorf("%s with %q: rows (-want +got):\n%s", name, mark, diff)
			}
			if name != "CSV" {
				continue
			}
			wide := "\xff\xfe"
			for _, c := range content + mark {
				wide += string([]byte{byte(c), 0})
			}
			if _, got = readAll(t, write(t, []byte(wide)), coupon.FileOptions{},
				coupon.ImportCodes); !slices.Equal(got, want) {
				t.Errorf("UTF-16 with %q: got %q, want %q", mark, got, want)
			}
		}
	}
	// In the middle it is a character like others, and the row is the caller's to reject.
	_, rows := readAll(t, write(t, []byte("code\nA\x1a1\n\x1a\nB2\n")), coupon.FileOptions{},
		coupon.ImportCodes)
	if len(rows) != 3 {
		t.Errorf("got %q", rows)
	}
}

// TestTitles reads reports, which have lines above their header.
func TestTitles(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		kind    coupon.ImportKind
		options coupon.FileOptions
		content string
		want    []string
		failure string
	}{
		"a title": {
			kind: coupon.ImportRecipients, content: "Kundenliste Sommer 2026\n\nKundennummer;E-Mail;Vorname\n17;a@example.com;Ada\n",
			want: []string{"1: NOT_A_ROW Kundenliste Sommer 2026", "4: 17|a@example.com|-|Ada"},
		},
		"of a spreadsheet": {
			kind: coupon.ImportRecipients, content: "Kundenliste;;\nStand;24.11.2026;\n;;\nKundennummer;E-Mail;Vorname\n17;a@example.com;Ada\nAnzahl;1;\n",
			want: []string{
				"1: NOT_A_ROW Kundenliste;;", "2: NOT_A_ROW Stand;24.11.2026;", "3: NOT_A_ROW ;;",
				"5: 17|a@example.com|-|Ada", "6: NOT_A_ROW Anzahl;1;",
			},
		},
		"with commas": {
			content: "List of all, as of November, by label\ncode;label\nA1;x\n",
			want:    []string{"1: NOT_A_ROW List of all, as of November, by label", "3: A1|x"},
		},
		"quoted": {content: "\"My report\"\n\"code\",\"label\"\n\"A1\",\"x\"\n", want: []string{
			`1: NOT_A_ROW "My report"`, "3: A1|x",
		}},
		"redemptions": {
			kind:    coupon.ImportRedemptions,
			content: "Report\ncode,redeemed at,amount\nA1,2026-11-20,5\n",
			want:    []string{"1: NOT_A_ROW Report", "3: A1|2026-11-20|-|5"},
		},
		"coupons": {
			kind:    coupon.ImportCoupons,
			content: "Our coupons\ncode,label,type\nS1,Summer,INDIVIDUAL\n",
			want:    []string{"1: NOT_A_ROW Our coupons", "3: S1|Summer|INDIVIDUAL"},
		},
		"bounces": {
			kind:    coupon.ImportBounces,
			content: "Bounces of November\nemail;event\na@example.com;bounce\n",
			want:    []string{"1: NOT_A_ROW Bounces of November", "3: a@example.com|-|bounce"},
		},
		"one column": {
			content: "Sommeraktion 2026\nGutscheincode\nA1B2\nC3D4\n",
			want:    []string{"1: NOT_A_ROW Sommeraktion 2026", "3: A1B2", "4: C3D4"},
		},
		"one column, codes": {content: "A1\nB2\nGutscheincode\nC3\n", want: []string{
			"1: A1", "2: B2", "3: NOT_A_ROW Gutscheincode", "4: C3",
		}},
		"joined files": {content: "A1;x\ncode;label\nB2;y\n", failure: "columns"},
		"that is denied": {
			content: "Report\ncode;label\nA1;x\n",
			options: coupon.FileOptions{HasHeader: new(true)},
			want:    []string{"2: code;label", "3: A1;x"},
		},
		"a mapped column": {
			content: "Report\nno;label\nA1;x\n",
			options: coupon.FileOptions{Columns: mapped("code", "no")},
			want:    []string{"1: NOT_A_ROW Report", "3: A1|x"},
		},
		"a header that has less": {
			kind: coupon.ImportRedemptions, content: "Report;a;b\ncode;amount\nA1;5\n",
			failure: "columns",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if test.kind == "" {
				test.kind = coupon.ImportCodes
			}
			path := write(t, []byte(test.content))
			if test.failure != "" {
				if r, err := Open(path, test.options, Columns(test.kind)); err == nil ||
					!strings.Contains(err.Error(), test.failure) {
					if err == nil {
						_ = r.Close()
					}
					t.Errorf("got %v", err)
				}
				return
			}
			layout, rows := readAll(t, path, test.options, test.kind)
			if diff := cmp.Diff(test.want, rows); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
			if hasTitle := strings.HasPrefix(test.want[0],
				"1: NOT_A_ROW"); hasTitle != (layout.HeaderCertainty == coupon.CertaintyGuessed) {
				t.Errorf("the header is %s", layout.HeaderCertainty)
			}
		})
	}
}

// TestWrappedRows reads files whose lines are quoted as a whole.
func TestWrappedRows(t *testing.T) {
	t.Parallel()
	for _, end := range []string{"\n", "\r\n"} {
		content := strings.ReplaceAll(`"code;label"`+"\n"+`"A1;x"`+"\n"+`"B2;""y;z"""`+"\n"+
			`"C3;v"`+"\n"+`"D4;""u"`+"\n", "\n", end)
		layout, rows := readAll(t, write(t, []byte(content)), coupon.FileOptions{},
			coupon.ImportCodes)
		want := []string{"2: A1|x", "3: B2|y;z", "4: C3|v", `5: MALFORMED D4;"u`}
		if diff := cmp.Diff(want, rows); diff != "" {
			t.Errorf("rows (-want +got):\n%s", diff)
		}
		if got := warningsOf(&layout); !slices.Equal(got, []string{"WRAPPED_ROWS "}) ||
			layout.Delimiter != ";" {
			t.Errorf("got %q and the delimiter %q", got, layout.Delimiter)
		}
	}
	for name, content := range map[string]string{
		"one column of quoted codes": "\"code\"\n\"A;1\"\n\"B;2\"\n",
		"quoted cells":               "\"code\";\"label\"\n\"A1\";\"x\"\n",
	} {
		layout, rows := readAll(t, write(t, []byte(content)), coupon.FileOptions{},
			coupon.ImportCodes)
		if len(layout.Warnings) > 0 || len(rows) == 0 {
			t.Errorf("%s: got %q and %q", name, warningsOf(&layout), rows)
		}
	}
	// Across the chunks of the reader.
	many := "\"code,label\"\n" + strings.Repeat("\"A1,\"\"x,y\"\"\"\n", 200_000)
	r := open(t, write(t, []byte(many)), coupon.FileOptions{}, coupon.ImportCodes)
	count := 0
	for {
		row, err := r.Next()
		if err != nil {
			break
		}
		if count++; row.Get(0) != "A1" || row.Get(1) != "x,y" {
			t.Fatalf("row %d: got %q", count, row.Cells())
		}
	}
	if count != 200_000 {
		t.Errorf("got %d rows", count)
	}
}

// TestFirstLineInAnotherEncoding has a first line that another program wrote than the rows, which
// are UTF-8.
func TestFirstLineInAnotherEncoding(t *testing.T) {
	t.Parallel()
	const rows = "17;Müller;ä\n18;Gößl;ö\n19;Łukasz;ü\n"
	for name, test := range map[string]struct {
		first string
		want  []string
		names []string
	}{
		"a header": {
			"Kundennummer;Nachname;Größe\n",
			[]string{
				"2: 17|-|-|-|Müller Größe=ä", "3: 18|-|-|-|Gößl Größe=ö",
				"4: 19|-|-|-|Łukasz Größe=ü",
			},
			[]string{"Kundennummer", "Nachname", "Größe"},
		},
		"a word by accents": {
			"N° client;Nom;Unité\n",
			[]string{
				"2: 17|-|-|-|Müller Unité=ä", "3: 18|-|-|-|Gößl Unité=ö",
				"4: 19|-|-|-|Łukasz Unité=ü",
			},
			[]string{"N° client", "Nom", "Unité"},
		},
		"a quoted header": {
			"\"Kundennummer\";\"Nachname\";\"Größe\"\n",
			[]string{
				"2: 17|-|-|-|Müller Größe=ä", "3: 18|-|-|-|Gößl Größe=ö",
				"4: 19|-|-|-|Łukasz Größe=ü",
			},
			[]string{"Kundennummer", "Nachname", "Größe"},
		},
	} {
		first := latin1(test.first)
		layout, got := readAll(t, write(t, append(first, rows...)), coupon.FileOptions{},
			coupon.ImportRecipients)
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: rows (-want +got):\n%s", name, diff)
		}
		if !slices.Equal(layout.Columns, test.names) ||
			layout.EncodingCertainty != coupon.CertaintyGuessed {
			t.Errorf("%s: got the columns %q, and the encoding is %s", name, layout.Columns,
				layout.EncodingCertainty)
		}
	}
	_, got := readAll(t, write(t, append(latin1("GRÜN1\n"), "BLÄU2\nRÖT3\nGÄLB4\n"...)),
		coupon.FileOptions{}, coupon.ImportCodes)
	if diff := cmp.Diff([]string{"1: BAD_CHARACTER GR\uFFFDN1", "2: BLÄU2", "3: RÖT3", "4: GÄLB4"},
		got); diff != "" {
		t.Errorf("a value: rows (-want +got):\n%s", diff)
	}
}

// latin1 writes a text in Latin-1.
func latin1(text string) []byte {
	var bytes []byte
	for _, r := range text {
		bytes = append(bytes, byte(r))
	}
	return bytes
}
