package db

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"couponql/coupon"
)

// TestSpool sends texts that look like the spool's own signs through every statement that reads one.
func TestSpool(t *testing.T) {
	t.Parallel()
	s := openTemp(t)
	texts := []string{
		`\N`,
		`"`,
		`""`,
		`"\N"`,
		`\`,
		`\\`,
		`\n`,
		`a"b`,
		`"a`,
		`a"`,
		`,`,
		`a,b`,
		`'`,
		`;`,
		`#`,
		`--`,
		` `,
		` a`,
		`a `,
		`NULL`,
		`null`,
		`0`,
		`-1`,
		"\u00a0",
		"\u2028",
		"é",
		"日本",
		"\U0001f600",
		"\ufeff",
		"\ufffd",
		`{"a":"b\"c"}`,
		`$x`,
		`?`,
		`\"`,
		`"\"`,
		strings.Repeat("x", 100_000),
	}
	checkSpool(t, s, texts)
}

// checkSpool writes a row a text, as a required and as an optional field, and reads them back.
func checkSpool(t *testing.T, s *Store, texts []string) {
	t.Helper()
	rows, err := s.newSpool()
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := rows.remove(); err != nil {
			t.Error(err)
		}
	}()
	for i, text := range texts {
		if err := rows.number(int64(i)).text(text).optional(text).optional("").end(); err != nil {
			t.Fatal(err)
		}
	}
	path, err := rows.flush()
	if err != nil {
		t.Fatal(err)
	}
	// The same options as in code_stage.sql.
	read, err := s.db.QueryContext(t.Context(), `SELECT line, key, value, label
		FROM read_csv(?, auto_detect = false, header = false, delim = '\t', quote = '"', escape = '"', nullstr = '\N',
			allow_quoted_nulls = false, columns = {'line': 'BIGINT', 'key': 'VARCHAR', 'value': 'VARCHAR', 'label': 'VARCHAR'})
		ORDER BY line`, path)
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	got := 0
	for ; read.Next(); got++ {
		var line int
		var required string
		var value, none *string
		if err := read.Scan(&line, &required, &value, &none); err != nil {
			t.Fatal(err)
		}
		want := texts[line]
		if required != want {
			t.Errorf("got %q, want %q", required, want)
		}
		if none != nil || (value == nil) != (want == "") || value != nil && *value != want {
			t.Errorf("optional %q: got %v, and %v for none", want, value, none)
		}
	}
	if err := read.Err(); err != nil || got != len(texts) {
		t.Errorf("got %d rows of %d: %v", got, len(texts), err)
	}
}

// FuzzSpool sends any printable text to the engine and back.
func FuzzSpool(f *testing.F) {
	for _, text := range []string{"a", `"`, `\N`, `a"b\`, "x, y", "'", "\u2029", `"\N`, "\r"} {
		f.Add(text, "x"+text)
	}
	s := openTemp(f)
	f.Fuzz(func(t *testing.T, a, b string) {
		checkSpool(t, s, []string{coupon.Printable(a), coupon.Printable(b), coupon.Printable(a + b), coupon.Printable(b + a)})
	})
}

// FuzzPrintable tells that any text can be shown and spooled: no control character, valid, not too long.
func FuzzPrintable(f *testing.F) {
	f.Add("a\x00\xff\u0085b")
	f.Add(strings.Repeat("é", 300))
	f.Fuzz(func(t *testing.T, text string) {
		got := coupon.Printable(text)
		if !utf8.ValidString(got) || strings.ContainsFunc(got, unicode.IsControl) || utf8.RuneCountInString(got) > coupon.MaxTextLength {
			t.Errorf("coupon.Printable(%q) = %q", text, got)
		}
		if again := coupon.Printable(got); again != got {
			t.Errorf("coupon.Printable(%q) = %q", got, again)
		}
	})
}

// FuzzParseNumbers compares with numbers joined again.
func FuzzParseNumbers(f *testing.F) {
	for _, packed := range []string{"", "1", "1 2 3", "9223372036854775807", "1  2", " 1", "x", "1 -2", "99999999999999999999"} {
		f.Add(packed)
	}
	f.Fuzz(func(t *testing.T, packed string) {
		numbers, err := parseNumbers(packed)
		if err != nil {
			return
		}
		if (len(numbers) == 0) != (packed == "") {
			t.Errorf("parseNumbers(%q) = %v", packed, numbers)
		}
		texts := make([]string, len(numbers))
		for i, number := range numbers {
			texts[i] = strconv.FormatInt(number, 10)
		}
		again, err := parseNumbers(strings.Join(texts, " "))
		if err != nil || !slices.Equal(again, numbers) {
			t.Errorf("parseNumbers(%q) = %v, and joined again %v, %v", packed, numbers, again, err)
		}
	})
}
