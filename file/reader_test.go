package file

import (
	gocmp "cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"couponql/coupon"
)

func TestReadDialects(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		kind    coupon.ImportKind
		options coupon.FileOptions
		content string
		// want has a line for each row: its line, then its fields or the reason and the raw text.
		want []string
		// delimiter is "," unless set.
		delimiter string
		noHeader  bool
	}{
		"comma":     {content: "code,label\nA1,soccer\nB2,tennis\n", want: []string{"2: A1|soccer", "3: B2|tennis"}},
		"semicolon": {content: "code;label\nA1;soccer\n", want: []string{"2: A1|soccer"}, delimiter: ";"},
		"tab":       {content: "code\tlabel\nA1\tsoccer\n", want: []string{"2: A1|soccer"}, delimiter: "\t"},
		"pipe":      {content: "code|label\nA1|soccer\n", want: []string{"2: A1|soccer"}, delimiter: "|"},
		"given delimiter": {
			content: "code^label\nA1^a,b\n",
			want:    []string{"2: A1|a,b"}, delimiter: "^",
			options: coupon.FileOptions{Delimiter: new("^")},
		},
		"given against": {
			content: "code,x;label\nA1;soccer\n",
			want:    []string{"2: A1|soccer"}, delimiter: ";",
			options: coupon.FileOptions{Delimiter: new(";"), Columns: mapped("code", "code,x")},
		},
		"decimal comma":    {content: "code;label\nA1;1,5\nB2;2,5\n", want: []string{"2: A1|1,5", "3: B2|2,5"}, delimiter: ";"},
		"commas in header": {content: "code;x,label\nA1;y,soccer\n", want: []string{"2: A1"}, delimiter: ";"},
		"quoted delimiter": {content: "code;label\n\"A;1\";\"a;b;c\"\nB2;x\n", want: []string{"2: A;1|a;b;c", "3: B2|x"}, delimiter: ";"},
		"sep line":         {content: "sep=;\r\ncode;label\r\nA1;x,y\r\n", want: []string{"3: A1|x,y"}, delimiter: ";"},
		"sep line, quoted": {content: "\"SEP=|\"\ncode|label\nA1|x\n", want: []string{"3: A1|x"}, delimiter: "|"},
		"sep line alone against the data": {
			content: "sep=|\ncode,label\nA1,x\n", want: []string{"3: A1,x"}, delimiter: "|",
			options: coupon.FileOptions{Columns: mapped("code", "code,label")},
		},

		"CRLF":                {content: "code,label\r\nA1,x\r\nB2,y\r\n", want: []string{"2: A1|x", "3: B2|y"}},
		"lone CR":             {content: "code,label\rA1,x\rB2,y\r", want: []string{"2: A1|x", "3: B2|y"}},
		"mixed line ends":     {content: "code\rA1\r\nB2\nC3", want: []string{"2: A1", "3: B2", "4: C3"}},
		"no last line end":    {content: "code,label\nA1,x", want: []string{"2: A1|x"}},
		"blank lines":         {content: "\n  \n\t\ncode,label\n\n \t\nA1,x\n\r\n\nB2,y\n\n", want: []string{"7: A1|x", "10: B2|y"}},
		"empty cells":         {content: "code,label\n,\nA1,\n", want: []string{"2: |", "3: A1|"}},
		"quoted empty cell":   {content: "code\n\"\"\nA1\n", want: []string{"2: ", "3: A1"}},
		"header only":         {content: "code,label\n"},
		"header without end":  {content: "code"},
		"tabs are no blanks":  {content: "code\tlabel\n\t\nA1\tx\n", want: []string{"2: |", "3: A1|x"}, delimiter: "\t"},
		"one column":          {content: "code\nA1;x\nB|2\n", want: []string{"2: A1;x", "3: B|2"}},
		"one column too wide": {content: "code\nA1,x\nB2\n", want: []string{"2: MALFORMED A1,x", "3: B2"}},

		"one column without header": {content: "A1\nB2\n", want: []string{"1: A1", "2: B2"}, noHeader: true},
		"one quoted column without header": {
			content: "\"A,1\"\n\"B2\"\n", want: []string{"1: A,1", "2: B2"}, noHeader: true,
		},
		"header that is denied": {
			content: "code\nB2\n", want: []string{"1: code", "2: B2"}, noHeader: true, options: coupon.FileOptions{HasHeader: new(false)},
		},
		"two columns, no header, said so": {
			content: "A1;soccer\nB2;tennis\n", want: []string{"1: A1|soccer", "2: B2|tennis"}, delimiter: ";", noHeader: true,
			options: coupon.FileOptions{HasHeader: new(false)},
		},
		"ragged, no header, said so": {
			content: "A1\nB2,tennis\nC3\n", want: []string{"1: A1", "2: B2|tennis", "3: C3"}, noHeader: true,
			options: coupon.FileOptions{HasHeader: new(false), Delimiter: new(",")},
		},
		"no header, mapped by position": {
			content: "soccer,A1\ntennis,B2\n", want: []string{"1: A1|soccer", "2: B2|tennis"}, noHeader: true,
			options: coupon.FileOptions{Columns: append(mapped("label", "column1"), mapped("code", "Column 2")...)},
		},
		"header that nobody knows, said so": {
			content: "Gutschein,Sport\nA1,soccer\n", want: []string{"2: A1|soccer"},
			options: coupon.FileOptions{HasHeader: new(true), Columns: append(mapped("code", "Gutschein"), mapped("label", "Sport")...)},
		},
		"header that is mapped": {
			content: "Gutschein,Sport\nA1,soccer\n",
			want:    []string{"2: A1"},
			options: coupon.FileOptions{Columns: mapped("code", "gutschein")},
		},
		"mapping comes first": {
			content: "code,real\nA1,B2\n",
			want:    []string{"2: B2"},
			options: coupon.FileOptions{Columns: mapped("code", "real")},
		},

		"redemptions without header": {
			kind: coupon.ImportRedemptions, content: "A1,2026-11-24\nB2,2026-11-25T10:00:00+01:00\n", noHeader: true,
			want: []string{"1: A1|2026-11-24", "2: B2|2026-11-25T10:00:00+01:00"},
		},
		"recipients without header": {
			kind: coupon.ImportRecipients, content: "42;anna@example.com\n43;\n", noHeader: true, delimiter: ";",
			want: []string{"1: 42|anna@example.com", "2: 43|"},
		},
		"recipients without header, more columns": {
			kind: coupon.ImportRecipients, content: "42,a@example.com,,Anna,Smith,true,gold,Oslo\n", noHeader: true,
			want: []string{"1: 42|a@example.com||Anna|Smith|true column7=gold column8=Oslo"},
		},
		"spaces before the header": {content: strings.Repeat(" ", 10<<10) + "code\nA1\n", want: []string{"2: A1"}},
		"targets without header":   {kind: coupon.ImportTargets, content: "42\n43\n", noHeader: true, want: []string{"1: 42", "2: 43"}},
		"redemptions": {
			kind: coupon.ImportRedemptions, content: "coupon,code,redeemed_on,external_id\nCPN1,A1,2026-11-24,ORD-1\n",
			want: []string{"2: A1|2026-11-24|ORD-1"},
		},
		"recipients with attributes": {
			kind: coupon.ImportRecipients, content: "tier,Customer ID,E-Mail,,city\ngold,42,a@example.com,?,Oslo\nsilver,43\n",
			want: []string{"2: 42|a@example.com tier=gold city=Oslo", "3: 43 tier=silver"},
		},
		"mapped attribute": {
			kind: coupon.ImportRecipients, content: "id,Customer tier\n42,gold\n", want: []string{"2: 42 tier=gold"},
			options: coupon.FileOptions{Columns: mapped("tier", "customer_tier")},
		},

		"unquoted values are trimmed": {content: "code , label\n A1 ,\tb c \n", want: []string{"2: A1|b c"}},
		"quoted values are not":       {content: "code,label\n\" A1 \",\"\tx\"\n", want: []string{"2:  A1 |\tx"}},
		"spaces around quotes":        {content: "code,label\n \"A1\" , \"x\"\t\n", want: []string{"2: A1|x"}},
		"doubled quotes":              {content: "code,label\n\"A\"\"1\",\"\"\"\"\n", want: []string{"2: A\"1|\""}},
		"line ends in quotes": {
			content: "code,label\nA1,\"a\nb\r\nc\rd\"\nB2,x\n",
			want:    []string{"2: A1|a\nb\r\nc\rd", "6: B2|x"},
		},
		"header over two lines": {content: "code,\"x\ny\"\nA1,1\n", want: []string{"3: A1"}},
		"quote at the end":      {content: "code,label\nA1,\"x\"", want: []string{"2: A1|x"}},
		"CR after a quote":      {content: "code,label\r\"A1\",\"x\"\r\"B2\",\"y\"\r", want: []string{"2: A1|x", "3: B2|y"}},
		"bare quote": {
			content: "code,label\nA1,5\" nails\nB2,=\"0012\"\n",
			want:    []string{"2: A1|5\" nails", "3: B2|0012"},
		},
		"text after a quote": {
			content: "code,label\n\"A\"1,x\nB2,\"y\"z\nC3,\"z\"\n",
			want:    []string{"2: MALFORMED \"A\"1,x", "3: MALFORMED B2,\"y\"z", "4: C3|z"},
		},
		"open quote, then good rows": {
			content: "code,label\n\"A1,x\nB2,y\nC3,z\n", want: []string{"2: MALFORMED \"A1,x", "3: B2|y", "4: C3|z"},
		},
		"open quote, then quoted rows": {
			content: "code,label\n\"A1,x\n\"B2\",\"y\"\nC3,\"z\"\n", want: []string{"2: MALFORMED \"A1,x", "3: B2|y", "4: C3|z"},
		},
		"two open quotes": {
			content: "code,label\n\"A1,x\n\"B2,y\nC3,z\n", want: []string{"2: MALFORMED \"A1,x", "3: MALFORMED \"B2,y", "4: C3|z"},
		},
		"end of a broken cell is no row": {
			content: "code,label\nA1,\"x\ny\"z\nB2,\"5\"\" nails\"\nC3,6\" nails\n",
			want:    []string{"2: MALFORMED A1,\"x", "3: MALFORMED y\"z", "4: B2|5\" nails", "5: C3|6\" nails"},
		},
		"too few cells": {content: "code,label,x\nA1\nB2,y\n", want: []string{"2: A1", "3: B2|y"}},
		"too many cells": {
			content: "code,label\nA1,x,y\nB2,y,, \t,\nC3,\"z\",,\n",
			want:    []string{"2: MALFORMED A1,x,y", "3: B2|y", "4: C3|z"},
		},
		"too many quoted cells": {
			content: "code,label\n\"A1\",x,\"\ny\"\nB2,y\n",
			want:    []string{"2: MALFORMED \"A1\",x,\" y\"", "4: B2|y"},
		},
		"unnamed columns": {content: ",code,,\n0,A1,x,y\n", want: []string{"2: A1"}},

		"label that is also called name": {content: "name,code,label\nx,A1,soccer\n", want: []string{"2: A1|soccer"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if test.kind == "" {
				test.kind = coupon.ImportCodes
			}
			layout, got := readAll(t, write(t, []byte(test.content)), test.options, test.kind)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
			if want := gocmp.Or(test.delimiter, ","); layout.Delimiter != want {
				t.Errorf("got delimiter %q, want %q", layout.Delimiter, want)
			}
			if layout.HasHeader == test.noHeader {
				t.Errorf("got HasHeader %t", layout.HasHeader)
			}
		})
	}
}

func TestOpenErrors(t *testing.T) {
	t.Parallel()
	many := strings.TrimSuffix(strings.Repeat("a,", MaxColumns+1), ",")
	tests := map[string]struct {
		kind    coupon.ImportKind
		options coupon.FileOptions
		content string
		code    coupon.ErrorCode // FILE_UNREADABLE unless set
		want    string           // a part of the message
	}{
		"no bytes":            {content: "", want: "The file is empty."},
		"only a BOM":          {content: "\uFEFF", want: "The file is empty."},
		"only a UTF-16 BOM":   {content: "\xff\xfe", want: "The file is empty."},
		"only blank lines":    {content: "\n \r\n\t\r", want: "The file is empty."},
		"only sep":            {content: "sep=;\n", want: "The file is empty."},
		"no bytes, no header": {content: "\n", options: coupon.FileOptions{HasHeader: new(false)}, want: "The file is empty."},
		"empty, compressed":   {content: string(gzipped(t, nil)), want: "The file is empty."},

		"XLSX":             {content: "PK\x03\x04\x14\x00\x06\x00[Content_Types].xml", want: "save it as CSV"},
		"ZIP":              {content: "PK\x03\x04\x14\x00\x06\x00codes.csv", want: "ZIP archive"},
		"XLS":              {content: "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\x00\x00", want: "save it as CSV"},
		"PDF":              {content: "%PDF-1.7\n", want: "PDF"},
		"PNG":              {content: "\x89PNG\r\n\x1a\n\x00\x00", want: "picture"},
		"bzip2":            {content: "BZh91AY&SY\x01\x02", want: "gzip or zstd"},
		"compressed twice": {content: string(gzipped(t, gzipped(t, []byte("code\nA1\n")))), want: "compressed twice"},
		"NUL":              {content: "code,label\nA1,\x00\n", want: "The file is not text"},
		"UTF-32":           {content: "\xff\xfe\x00\x00c\x00\x00\x00", want: "UTF-32"},
		"HTML":             {content: "<!DOCTYPE html><html><body>Sign in", want: "web page"},

		"unknown encoding": {
			content: "code\n",
			options: coupon.FileOptions{Encoding: new("klingon")},
			code:    coupon.ErrorInvalid,
			want:    `"klingon" is not known`,
		},
		"no encoding": {
			content: "code\n",
			options: coupon.FileOptions{Encoding: new("replacement")},
			code:    coupon.ErrorInvalid,
			want:    "is not known",
		},
		"long delimiter": {
			content: "code\n",
			options: coupon.FileOptions{Delimiter: new("::")},
			code:    coupon.ErrorInvalid,
			want:    `"::" cannot be used`,
		},
		"quote delimiter": {
			content: "code\n",
			options: coupon.FileOptions{Delimiter: new("\"")},
			code:    coupon.ErrorInvalid,
			want:    "cannot be used",
		},
		"letter delimiter": {
			content: "code\n",
			options: coupon.FileOptions{Delimiter: new("x")},
			code:    coupon.ErrorInvalid,
			want:    "cannot be used",
		},

		"no column for codes": {
			content: "foo,bar\nA1,x\n",
			want:    "The file has 2 columns, and none for the codes. Name one `code`, or map it with options.columns.",
		},
		"codes are never guessed": {
			content: "A1,soccer\nB2,tennis\n",
			want:    "The file has 2 columns, and none for the codes. Name one `code`, or map it with options.columns.",
		},
		"header without codes": {
			content: "label,x\nsoccer,A1\n",
			want:    "The file has 2 columns, and none for the codes. Name one `code`, or map it with options.columns.",
		},
		"header said, not known": {
			content: "foo,bar\nA1,x\n",
			options: coupon.FileOptions{HasHeader: new(true)},
			want:    "The file has 2 columns, and none for the codes. Name one `code`, or map it with options.columns.",
		},
		"recipients without id": {
			kind: coupon.ImportRecipients, content: "foo,bar\n42,x\n",
			want: "The file has 2 columns, and none for the external ids. Name one `externalId`, or map it with options.columns.",
		},
		"recipients, e-mail first": {
			kind: coupon.ImportRecipients, content: "anna@example.com,Anna\n",
			want: "The file has 2 columns, and none for the external ids. Name one `externalId`, or map it with options.columns.",
		},
		"targets are never guessed": {kind: coupon.ImportTargets, content: "Oslo,42\nRome,43\n", want: "and none for the external ids"},
		"redemptions without date": {
			kind: coupon.ImportRedemptions, content: "code,amount\nA1,5\n",
			want: "and none for the dates of redemption",
		},
		"redemptions, one column": {kind: coupon.ImportRedemptions, content: "A1\nB2\n", want: "and none for the dates of redemption"},
		"redemptions, date first": {kind: coupon.ImportRedemptions, content: "2026-11-24,A1\n", want: "and none for the codes"},

		"mapped column missing": {
			content: "foo,bar\nA1,x\n",
			options: coupon.FileOptions{Columns: mapped("code", "baz")},
			want:    "The file has 2 columns, and none with the name that is given for `code`.",
		},
		"mapped position missing": {
			content: "A1,x\n", options: coupon.FileOptions{HasHeader: new(false), Columns: mapped("code", "column3")},
			want: "The file has 2 columns, and none with the name that is given for `code`.",
		},
		"mapped field unknown": {
			content: "foo,code\nA1,x\n", options: coupon.FileOptions{Columns: mapped("kode", "foo")}, code: coupon.ErrorInvalid,
			want: "There is no field `kode`. The fields are: code, label.",
		},
		"mapped field empty": {
			kind: coupon.ImportRecipients, content: "id,x\n",
			options: coupon.FileOptions{Columns: mapped("", "x")},
			code:    coupon.ErrorInvalid,
			want:    "There is no field ``",
		},
		"field mapped twice": {
			content: "a,b\nA1,x\n",
			options: coupon.FileOptions{Columns: append(mapped("code", "a"), mapped("code", "b")...)},
			code:    coupon.ErrorInvalid,
			want:    "mapped twice",
		},
		"attribute mapped twice": {
			kind: coupon.ImportRecipients, content: "id,a,b\n1,2,3\n",
			code:    coupon.ErrorInvalid,
			want:    "Two columns would have the same name.",
			options: coupon.FileOptions{Columns: append(mapped("tier", "a"), mapped("tier", "b")...)},
		},
		"attribute mapped onto a column": {
			kind: coupon.ImportRecipients, content: "id,a,b\n1,2,3\n",
			code:    coupon.ErrorInvalid,
			want:    "Two columns would have the same name.",
			options: coupon.FileOptions{Columns: mapped("b", "a")},
		},
		"column could be two": {
			content: "id,E-Mail,EMAIL\n",
			options: coupon.FileOptions{Columns: mapped("code", "e_mail")},
			code:    coupon.ErrorInvalid,
			want:    "The file has more than one column with the name that is given for `code`.",
		},
		"known name twice":    {content: "code,code\nA1,B2\n", want: "The columns 1 and 2 could both hold the codes. Say with options.columns which one does."},
		"known name two ways": {content: "Code,CODE\nA1,B2\n", want: "The columns 1 and 2 could both hold the codes. Say with options.columns which one does."},
		"aliases of label": {
			content: "code,name,category\nA1,,\n",
			want:    "The columns 2 and 3 could both hold the label. Say with options.columns which one does.",
		},
		"aliases of one field": {
			content: "voucher,promo code\nA1,B2\n",
			want:    "The columns 1 and 2 could both hold the codes. Say with options.columns which one does.",
		},
		"mapped name twice": {
			content: "code,x,x\nA1,,\n", options: coupon.FileOptions{Columns: mapped("label", "x")}, code: coupon.ErrorInvalid,
			want: "The file has more than one column with the name that is given for `label`.",
		},
		"broken header": {content: "code,\"label\nA1,x\n", want: "The first row of the file (line 1) cannot be read"},
		"long header": {
			content: strings.Repeat("x", MaxRowBytes+1) + "\nA1\n",
			want:    "The first row of the file (line 1) cannot be read",
		},
		"too many columns": {
			content: many + "\n",
			want:    fmt.Sprintf("The file has %d columns. At most %d can be read.", MaxColumns+1, MaxColumns),
		},
		"many long names": {
			content: strings.Repeat("\"\n\x01"+strings.Repeat("long ", 30)+"\",", 30) + "x\n",
			want:    "The file has 31 columns, and none for the codes. Name one `code`, or map it with options.columns.",
		},
		"empty, cut off": {
			content: string(gzipped(t, []byte("code\nA1\n"))[:12]),
			want:    "damaged or cut off: nothing of it can be read",
		},
		"header of gzip": {content: "\x1f\x8b\x08\x00", want: "damaged or cut off: nothing of it can be read"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if test.kind == "" {
				test.kind = coupon.ImportCodes
			}
			r, err := Open(write(t, []byte(test.content)), test.options, Columns(test.kind))
			if err == nil {
				t.Fatalf("got no error but %+v", r.Layout())
			}
			wantCode := test.code
			if wantCode == "" {
				wantCode = coupon.ErrorFileUnreadable
			}
			got, ok := errors.AsType[*coupon.UserError](err)
			if !ok || got.Code != wantCode || !strings.Contains(got.Message, test.want) {
				t.Errorf("got %#v, want %s with %q", err, wantCode, test.want)
			}
			if len(err.Error()) > 2000 || strings.ContainsAny(err.Error(), "\n\x01") {
				t.Errorf("got a message that cannot be shown: %q", err)
			}
		})
	}
}

func TestOpenMissingFile(t *testing.T) {
	t.Parallel()
	_, err := Open(filepath.Join(t.TempDir(), "none.csv"), coupon.FileOptions{}, Columns(coupon.ImportCodes))
	if _, isUser := errors.AsType[*coupon.UserError](err); isUser || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	// A directory can be opened but not read.
	_, err = Open(t.TempDir(), coupon.FileOptions{}, Columns(coupon.ImportCodes))
	if _, isUser := errors.AsType[*coupon.UserError](err); isUser || err == nil {
		t.Errorf("got %v", err)
	}
}

func TestClose(t *testing.T) {
	t.Parallel()
	r, err := Open(write(t, []byte("code\nA1\n")), coupon.FileOptions{}, Columns(coupon.ImportCodes))
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Next(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("got %v", err)
	}
}

// write makes a file with this content.
func write(t testing.TB, content []byte) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "rows.csv")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func open(t testing.TB, path string, options coupon.FileOptions, kind coupon.ImportKind) *Reader {
	t.Helper()
	r, err := Open(path, options, Columns(kind))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// readAll returns the rows as "line: field|field name=value", or as "line: REASON raw". A field that the
// file lacks is -, or left out after the last one that it has.
func readAll(t testing.TB, path string, options coupon.FileOptions, kind coupon.ImportKind) (layout Layout, rows []string) {
	t.Helper()
	r := open(t, path, options, kind)
	columns := Columns(kind)
	for {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			return r.Layout(), rows
		}
		if err != nil {
			t.Fatal(err)
		}
		if row.Reason != "" {
			rows = append(rows, fmt.Sprintf("%d: %s %s", row.Line, row.Reason, row.Raw))
			continue
		}
		var values []string
		for i := range columns {
			value := row.Get(i)
			if !has(row, i) {
				value += "-"
			}
			values = append(values, value)
		}
		for len(values) > 0 && !has(row, len(values)-1) {
			values = values[:len(values)-1]
		}
		text := fmt.Sprintf("%d: %s", row.Line, strings.Join(values, "|"))
		if kind == coupon.ImportRecipients {
			row.Extra(func(name string, cell coupon.Cell) {
				if cell.Presence != coupon.Null {
					text += " " + name + "=" + cell.Text
				}
			})
		}
		rows = append(rows, text)
	}
}

func mapped(field, column string) []*coupon.ColumnMapping {
	return []*coupon.ColumnMapping{{Field: field, Column: column}}
}

// has reports whether a row says something in a column, be it that there is nothing in it.
func has(row *Row, i int) bool {
	presence := row.Cell(i).Presence
	return presence != coupon.Absent && presence != coupon.Null
}
