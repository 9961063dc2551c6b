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
	"golang.org/x/text/encoding/unicode"
	"pgregory.net/rapid"

	"couponql/coupon"
)

func TestReadJSONL(t *testing.T) {
	t.Parallel()
	utf16 := string(
		encoded(t, unicode.UTF16(unicode.BigEndian, unicode.UseBOM), `{"code":"Ä1"}`+"\n"),
	)
	tests := map[string]struct {
		kind    coupon.ImportKind
		options coupon.FileOptions
		content string
		want    []string
		columns []string
	}{
		"codes": {
			content: `{"code":"A1","label":"soccer"}` + "\n" +
				`{"code":"B2","label":"tennis"}` + "\n",
			want: []string{"1: A1|soccer", "2: B2|tennis"}, columns: []string{"code", "label"},
		},
		"aliases, in any order": {
			content: `{"Category":"soccer","Voucher_Code":"A1"}` + "\n" +
				`{"Voucher_Code":"B2","Category":"x"}`,
			want:    []string{"1: A1|soccer", "2: B2|x"},
			columns: []string{"Category", "Voucher_Code"},
		},
		"spaces": {
			content: "\n  \n { \"code\" :\t\"A1\" , \"n\" : 1 , \"label\":\"x\" } \n\n{\"code\":\"B2\"}",
			want:    []string{"3: A1|x", "5: B2"}, columns: []string{"code", "n", "label"},
		},
		"CRLF and lone CR": {
			content: "{\"code\":\"A1\"}\r\n{\"code\":\"B2\"}\r{\"code\":\"C3\"}",
			want:    []string{"1: A1", "2: B2", "3: C3"}, columns: []string{"code"},
		},
		"byte order mark": {
			content: "\uFEFF{\"code\":\"A1\"}\n", want: []string{"1: A1"},
			columns: []string{"code"},
		},
		"UTF-16": {content: utf16, want: []string{"1: Ä1"}, columns: []string{"code"}},
		"Latin-1": {
			content: "{\"code\":\"\xc41\"}\n", want: []string{"1: Ä1"}, columns: []string{"code"},
		},
		"compressed": {
			content: string(gzipped(t, []byte(`{"code":"A1"}`))), want: []string{"1: A1"},
			columns: []string{"code"},
		},
		"numbers as they are written": {
			content: `{"code":6900000000000}` + "\n" + `{"code":6.90E+12}` + "\n" +
				`{"code":-0.10}` + "\n" + `{"code":12345678901234567890}`,
			want: []string{
				"1: 6900000000000", "2: 6.90E+12", "3: -0.10", "4: 12345678901234567890",
			}, columns: []string{"code"},
		},
		"spaces in strings are kept": {
			content: `{"code":" A1 ","label":"\t"}`, want: []string{"1:  A1 |\t"},
			columns: []string{"code", "label"},
		},
		"escapes": {
			content: `{"c\u006fde":"A\"\\\/\u00e4\ud83d\ude00","label":"\\"}`,
			want:    []string{`1: A"\/ä😀|\`}, columns: []string{"code", "label"},
		},
		"recipients": {
			kind: coupon.ImportRecipients,
			content: `{"id":42,"email":"a@example.com","isContactable":false,"tier":"gold"}` +
				"\n" +
				`{"id":43,"email":null,"city":"Oslo","vip":true}` + "\n" +
				`{"id":44,"tags":[ "a", {"b":"]}\""} ],"tier":null,"address":{"city":"Rome"}}`,
			want: []string{
				"1: 42|a@example.com|-|-|-|false tier=gold",
				"2: 43 city=Oslo vip=true",
				`3: 44 tags=[ "a", {"b":"]}\""} ] address={"city":"Rome"}`,
			},
			columns: []string{
				"id", "email", "isContactable", "tier", "city", "vip", "tags", "address",
			},
		},
		"mapped": {
			kind:    coupon.ImportRecipients,
			content: `{"key":"42","Customer tier":"gold"}`,
			options: coupon.FileOptions{
				Columns: append(mapped("externalId", "key"), mapped("tier", "customer_tier")...),
			},
			want: []string{"1: 42 tier=gold"}, columns: []string{"key", "Customer tier"},
		},
		"mapped attribute that is nested": {
			kind:    coupon.ImportRecipients,
			content: `{"id":"42","a":[1]}`,
			options: coupon.FileOptions{Columns: mapped("list", "a")},
			want:    []string{"1: 42 list=[1]"}, columns: []string{"id", "a"},
		},
		"rows that are malformed": {
			content: `{"code":"A1"}` + "\n" + `{"code":"B2"` + "\n" + `["C3"]` + "\n" + `"D4"` +
				"\n" + `{"code":"E5"},` + "\n" +
				`{"code":["F6"]}` + "\n" + `{"code":"G7","code":"H8"}` + "\n" + `null` + "\n" +
				`{"code":01}` + "\n" + `{"code":"I9"}`,
			want: []string{
				"1: A1", `2: MALFORMED {"code":"B2"`, `3: MALFORMED ["C3"]`, `4: MALFORMED "D4"`,
				`5: MALFORMED {"code":"E5"},`,
				`6: MALFORMED {"code":["F6"]}`, `7: MALFORMED {"code":"G7","code":"H8"}`,
				`8: MALFORMED null`, `9: MALFORMED {"code":01}`, "10: I9",
			},
			columns: []string{"code"},
		},
		"bad characters": {
			content: `{"code":"ÄÄ"}` +
				"\n{\"code\":\"\xff\"}\n{\"code\":\"A\\u0000\"}\n{\"code\":\"\\ud800\"}\n{\"\\ud800\":1}\n{\"code\":\"B2\"}",
			want: []string{
				"1: ÄÄ", "2: BAD_CHARACTER {\"code\":\"\uFFFD\"}",
				`3: BAD_CHARACTER {"code":"A\u0000"}`, `4: BAD_CHARACTER {"code":"\ud800"}`,
				`5: BAD_CHARACTER {"\ud800":1}`, "6: B2",
			},
			columns: []string{"code"},
		},
		"rows without the code": {
			content: `{"code":"A1"}` + "\n{}\n" + `{"label":"x"}`,
			want:    []string{"1: A1", "2: ", "3: -|x"},
			columns: []string{"code", "label"},
		},
		"first rows broken": {
			content: "{\"code\":\n\"A1\"}\n{\"code\":\"B2\"}",
			want:    []string{`1: MALFORMED {"code":`, `2: MALFORMED "A1"}`, "3: B2"},
			columns: []string{"code"},
		},
		"asked for": {
			content: "x\n{\"code\":\"A1\"}",
			options: coupon.FileOptions{Format: new(coupon.FormatJSONL)},
			want:    []string{"1: MALFORMED x", "2: A1"},
			columns: []string{"code"},
		},
		"names that are long": {
			content: `{"code":"A1"}` + "\n" + `{"` + strings.Repeat("x", coupon.MaxTextLength+1) +
				`":1,"code":"B2"}`,
			want: []string{
				"1: A1", `2: MALFORMED {"` + strings.Repeat("x", coupon.MaxTextLength-2),
			}, columns: []string{"code"},
		},
		"nameless": {
			kind:    coupon.ImportRecipients,
			content: `{"id":1,"":2," ":3}` + "\n" + `{"id":2}`,
			want:    []string{`1: MALFORMED {"id":1,"":2," ":3}`, "2: 2"},
			columns: []string{"id", ""},
		},
		"nameless, once": {
			kind: coupon.ImportRecipients, content: `{"id":1,"":2}`, want: []string{"1: 1"},
			columns: []string{"id", ""},
		},
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
			if diff := cmp.Diff(test.columns, layout.Columns); diff != "" {
				t.Errorf("columns (-want +got):\n%s", diff)
			}
			if layout.Format != coupon.FormatJSONL || layout.Delimiter != "" || !layout.HasHeader {
				t.Errorf("got layout %+v", layout)
			}
		})
	}
}

func TestOpenJSONLErrors(t *testing.T) {
	t.Parallel()
	var wide strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&wide, `,"c%d":1`, i)
	}
	asked := coupon.FileOptions{Format: new(coupon.FormatJSONL)}
	tests := map[string]struct {
		options coupon.FileOptions
		content string
		code    coupon.ErrorCode
		want    string
	}{
		"array, asked for": {
			content: "[1]", options: asked, want: "from line 1 on: an object has to stand there",
		},
		"arrays":      {content: "[\"A1\"]\n[\"B2\"]", want: "a JSON array of values"},
		"empty array": {content: "[ ]", options: asked, want: "JSON without objects"},
		"array, cut off": {
			content: "[{\"code\": \"A1\"},\n{\"code\": \"A",
			want:    "broken, or cut off, in what begins on line 2",
		},
		"array, no comma": {
			content: "[{\"code\": \"A1\"}\n{\"code\": \"B2\"}]",
			want:    "from line 2 on: an object has to stand there",
		},
		"array, no end":   {content: "[{\"code\": \"A1\"}\n", want: "broken, or cut off"},
		"array, brackets": {content: "[{\"code\": [\"A1\"}}]", want: "broken, or cut off"},
		"array, too much": {content: "[{\"code\": \"A1\"}]]", want: "from line 1 on"},
		"array, too long": {
			content: "[{\"code\": \"A1\"},\n{\"code\": \"" + strings.Repeat("x", MaxRowBytes) +
				"\"}]", want: "on line 2 is longer than 1 MiB",
		},
		"CSV, asked for": {content: "code\nA1\n", options: asked, want: "The file is not JSONL"},
		"empty":          {content: "\n \n", options: asked, want: "The file is empty."},
		"XML, asked for": {
			content: "<coupon code=\"A1\"/>", options: asked, want: "The file is not JSONL",
		},
		"no code": {
			content: `{"foo":1}` + "\n" + `{"bar":2}`,
			want:    "The file has 2 columns, and none for the codes. Name one `code`, or map it with options.columns.",
		},
		"no code in a long": {
			content: strings.Repeat(`{"foo":1}`+"\n", maxNamedRows) + `{"code":"A1"}`,
			want:    "The file has 1 column, and none for the codes. Name one `code`, or map it with options.columns.",
		},
		"two codes": {
			content: `{"voucher":1,"promo code":2}` + "\n" + `{"promo code":3,"voucher":4}`,
			want:    "could both hold the codes",
		},
		"mapped, missing": {
			content: `{"code":1}`,
			options: coupon.FileOptions{Columns: mapped("code", "foo")},
			want:    "The file has 1 column, and none with the name that is given for `code`.",
		},
		"mapped, unknown": {
			content: `{"code":1}`,
			options: coupon.FileOptions{Columns: mapped("kode", "code")},
			code:    coupon.ErrorInvalid,
			want:    "no field `kode`",
		},
		"too many columns": {
			content: `{"code":"A1"` + wide.String() + "}", want: "more than 1000 columns",
		},
		"cut off": {
			content: string(gzipped(t, []byte(`{"code":"A1"}`))[:20]), want: "damaged or cut off",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := Open(write(t, []byte(test.content)), test.options,
				Columns(coupon.ImportCodes))
			for err == nil {
				_, err = r.Next()
			}
			checkUserError(t, err, test.code, test.want)
		})
	}
}

// checkUserError checks the error of a file that cannot be read; FILE_UNREADABLE unless code is
// set.
func checkUserError(t *testing.T, err error, code coupon.ErrorCode, want string) {
	t.Helper()
	if code == "" {
		code = coupon.ErrorFileUnreadable
	}
	got, ok := errors.AsType[*coupon.UserError](err)
	if !ok || got.Code != code || !strings.Contains(got.Message, want) {
		t.Errorf("got %v, want %s with %q", err, code, want)
	}
	if err != nil && (len(err.Error()) > 2000 || strings.ContainsAny(err.Error(), "\n\x00\x01")) {
		t.Errorf("got a message that cannot be shown: %q", err)
	}
}

// TestLateColumns has columns that only rows far from the first ones have.
func TestLateColumns(t *testing.T) {
	t.Parallel()
	first := strings.Repeat(`{"id":1}`+"\n", 2*maxNamedRows)
	tests := map[string]struct {
		late    string
		options coupon.FileOptions
		want    string // The last row.
		warning string
	}{
		"attribute":  {late: `{"id":2,"tier":"gold"}`, want: "2 tier=gold"},
		"known":      {late: `{"id":2,"E-Mail":"a@example.com"}`, want: "2|a@example.com"},
		"exactly so": {late: `{"email":"x","id":2}`, want: "2|x"},
		"no better":  {late: `{"user id":2}`, want: "2"},
		"better":     {late: `{"externalId":2}`, want: "2"},
		"name in use": {
			late:    `{"id":2,"tier":3}`,
			options: coupon.FileOptions{Columns: mapped("tier", "x")},
			want:    "2",
			warning: "DOUBLE_COLUMN tier",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			content := first + test.late
			if test.options.Columns != nil {
				content = `{"id":1,"x":1}` + "\n" + content
			}
			r := open(t, write(t, []byte(content)), test.options, coupon.ImportRecipients)
			var got string
			for {
				row, err := r.Next()
				if err != nil {
					if !errors.Is(err, io.EOF) {
						t.Error(err)
					}
					break
				}
				got = row.Get(0)
				if has(row, 1) {
					got += "|" + row.Get(1)
				}
				row.Extra(func(name string, cell coupon.Cell) {
					if cell.Presence != coupon.Null {
						got += " " + name + "=" + cell.Text
					}
				})
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			layout := r.Layout()
			if warnings := strings.Join(warningsOf(&layout), ";"); warnings != test.warning {
				t.Errorf("got the warnings %q, want %q", warnings, test.warning)
			}
		})
	}
}

func TestLongJSONL(t *testing.T) {
	t.Parallel()
	long := `{"code":"` + strings.Repeat("x", MaxRowBytes-len(`{"code":""}`))
	content := `{"code":"A1"}` + "\n" + long + "\"}\n" + long + "x\"}\n" +
		strings.Repeat(long, 4) + "\"}\n" +
		strings.Repeat("[", 100_000) + "\n" + `{"x":` + strings.Repeat("[", 20_000) +
		strings.Repeat("]", 20_000) + "}\n" + `{"code":"B2"}`
	_, got := readAll(t, write(t, []byte(content)), coupon.FileOptions{}, coupon.ImportCodes)
	for i := range got {
		got[i] = got[i][:min(len(got[i]), 24)]
	}
	want := []string{
		"1: A1", "2: " + strings.Repeat("x", 21), `3: MALFORMED {"code":"xx`,
		`4: MALFORMED {"code":"xx`, "5: MALFORMED [[[[[[[[[[[",
		`6: MALFORMED {"x":[[[[[[`, "7: B2",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

// TestJSONLRoundTrip writes objects with encoding/json and reads them back.
func TestJSONLRoundTrip(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		isText := func(r rune) bool { return r != 0 }
		text := rapid.StringOfN(rapid.OneOf(rapid.SampledFrom([]rune("\"\\\n,:{}[] \u2028é\uFFFD")),
			rapid.Rune()).Filter(isText), 0, 12, -1)
		value := rapid.OneOf(rapid.Just[any](nil), rapid.Map(text, func(s string) any { return s }),
			rapid.Map(rapid.Int64(), func(n int64) any { return n }),
			rapid.Map(rapid.Bool(), func(b bool) any { return b }))
		names := rapid.SampledFrom([]string{"a", "b", "long name", "é\"", "d"})
		objects := rapid.SliceOfN(rapid.MapOf(names, value), 0, 20).Draw(t, "objects")
		content := []byte(`{"code":"first"}` + "\n")
		for _, object := range objects {
			line, err := json.Marshal(object)
			if err != nil {
				t.Fatal(err)
			}
			content = append(append(content, line...), '\n')
		}
		path := filepath.Join(dir, "rows")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := Open(path, coupon.FileOptions{}, Columns(coupon.ImportCodes))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = r.Close() }()
		if row, err := r.Next(); err != nil || row.Get(0) != "first" {
			t.Fatalf("got %v, %v", row, err)
		}
		for i, object := range objects {
			row, err := r.Next()
			if err != nil || row.Reason != "" || row.Line != i+2 {
				t.Fatalf("object %d: got %+v, %v", i, row, err)
			}
			want := make(map[string]string)
			for name, value := range object {
				if value != nil {
					want[name] = fmt.Sprint(value)
				}
			}
			got := make(map[string]string)
			row.Extra(func(name string, cell coupon.Cell) {
				if cell.Presence != coupon.Null {
					got[name] = cell.Text
				}
			})
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("object %d (-want +got):\n%s", i, diff)
			}
		}
		if _, err := r.Next(); !errors.Is(err, io.EOF) {
			t.Errorf("got %v at the end", err)
		}
	})
}
