package file

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"couponql/coupon"
)

// TestReadJSONDocument reads objects that are not one a line, each with the line on which it begins.
func TestReadJSONDocument(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		content string
		want    []string
	}{
		"array":              {content: `[{"code":"A1"},{"code":"B2","label":"x"}]`, want: []string{"1: A1|", "2: B2|x"}},
		"array, a line each": {content: "[\n{\"code\":\"A1\"},\n\n{\"code\":\"B2\"}\n]\n", want: []string{"2: A1|", "4: B2|"}},
		"over many lines":    {content: "{\n \"code\": \"A1\",\r\n \"label\": \"x\"\n}\n{\n \"code\": \"B2\"}", want: []string{"1: A1|x", "5: B2|"}},
		"arrays":             {content: "[{\"code\":\"A1\"},{\"code\":\"B2\"}]\n[]\n[{\"code\":\"C3\"}]", want: []string{"1: A1|", "2: B2|", "3: C3|"}},
		"array and objects":  {content: "[{\"code\":\"A1\"}]{\"code\":\"B2\"} {\"code\":\"C3\"}", want: []string{"1: A1|", "2: B2|", "3: C3|"}},
		"lone CR":            {content: "[\r{\"code\":\"A1\"},\r{\"code\":\"B2\"}]", want: []string{"2: A1|", "3: B2|"}},
		"brackets in texts":  {content: `[{"code":"}]\"{"},{"code":"\\"}]`, want: []string{`1: }]"{|`, `2: \|`}},
		"a list for a code":  {content: `[{"code":["A1"]},{"code":"B2"}]`, want: []string{"1: MALFORMED", "2: B2|"}},
		"no text":            {content: "[{\"code\":\"\\ud800\"},{\"code\":\"B2\"}]", want: []string{"1: BAD_CHARACTER", "2: B2|"}},
		"stray bytes": {
			content: "[{\"code\":\"Ä\"},{\"code\":\"Ö\"},{\"code\":\"\xFF\"},{\"code\":\"B2\"}]",
			want:    []string{"1: Ä|", "2: Ö|", "3: BAD_CHARACTER", "4: B2|"},
		},
		"long": {
			content: "[" + strings.Repeat(`{"code":"`+strings.Repeat("x", 1000)+`"},`+"\n", 2000) + `{"code":"B2"}]`,
			want:    append(longRows(2000), "2001: B2|"),
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, content := range []string{test.content, string(gzipped(t, []byte(test.content)))} {
				got := rowsOf(t, write(t, []byte(content)), coupon.FileOptions{}, Columns(coupon.ImportCodes), 2)
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Errorf("rows (-want +got):\n%s", diff)
				}
			}
		})
	}
}

func longRows(count int) []string {
	rows := make([]string, count)
	for i := range rows {
		rows[i] = fmt.Sprintf("%d: %s|", i+1, strings.Repeat("x", 1000))
	}
	return rows
}

// TestJSONDocumentIsJSONL reads the same rows from objects however they are laid out.
func TestJSONDocumentIsJSONL(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		objects := rapid.SliceOfN(rapid.MapOfN(rapid.SampledFrom([]string{"code", "label", "x\"}", "y"}), rapid.String(), 1, 4), 1, 8).Draw(t, "objects")
		objects = append([]map[string]string{{"code": "A1"}}, objects...)
		var lines strings.Builder
		for _, object := range objects {
			line, err := json.Marshal(object)
			if err != nil {
				t.Fatal(err)
			}
			lines.Write(line)
			lines.WriteByte('\n')
		}
		list, err := json.MarshalIndent(objects, rapid.StringMatching(`[ \t]{0,2}`).Draw(t, "prefix"), rapid.StringMatching(`[ \t]{0,2}`).Draw(t, "indent"))
		if err != nil {
			t.Fatal(err)
		}
		want, got := textsOf(t, dir, lines.String()), textsOf(t, dir, string(list))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("rows of an array (-as lines +got):\n%s\n%s", diff, list)
		}
	})
}

// textsOf returns the values of the rows of a text, or why they cannot be read.
func textsOf(t *rapid.T, dir, content string) (rows []string) {
	path := filepath.Join(dir, "rows.json")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := Open(path, coupon.FileOptions{Encoding: new("utf-8")}, Columns(coupon.ImportCodes))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	for {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			return rows
		}
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, fmt.Sprintf("%s %q", row.Reason, row.Values()))
	}
}
