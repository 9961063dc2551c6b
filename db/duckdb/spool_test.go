package duckdb

import (
	"path/filepath"
	"strings"
	"testing"

	"couponql/coupon"
)

// TestSpool sends texts that look like the spool's own signs through every statement that reads
// one.
func TestSpool(t *testing.T) {
	t.Parallel()
	e := open(t)
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
	checkSpool(t, e, texts)
}

// checkSpool writes a row a text, as a required and as an optional field, and reads them back.
func checkSpool(t *testing.T, e *Engine, texts []string) {
	t.Helper()
	rows, err := e.NewSpool()
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := rows.Remove(); err != nil {
			t.Error(err)
		}
	}()
	for i, text := range texts {
		if err := rows.Number(int64(i)).Text(text).Optional(text).Optional("").End(); err != nil {
			t.Fatal(err)
		}
	}
	path, err := rows.Flush()
	if err != nil {
		t.Fatal(err)
	}
	// The same options as in code_stage.sql.
	read, err := e.QueryContext(t.Context(), `SELECT line, key, value, label
		FROM read_csv(?, auto_detect = false, header = false, delim = '\t', quote = '"',
			escape = '"', nullstr = '\N',
			allow_quoted_nulls = false, columns = {'line': 'BIGINT', 'key': 'VARCHAR', 'value':
				'VARCHAR', 'label': 'VARCHAR'})
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
	e := open(f)
	f.Fuzz(func(t *testing.T, a, b string) {
		checkSpool(t, e, []string{
			coupon.Printable(a), coupon.Printable(b), coupon.Printable(a + b),
			coupon.Printable(b + a),
		})
	})
}

// open opens an engine on a new file until the test ends.
func open(t testing.TB) *Engine {
	t.Helper()
	dir := t.TempDir()
	e, err := Open(t.Context(), Options{
		Path: filepath.Join(dir, "test.duckdb"), SpoolDir: dir, TempDir: filepath.Join(dir, "temp"),
		MemoryLimit: "500MB", MaxConnections: 4,
		TemporaryTables: []string{"stage"},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}
