package resolvers_test

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf16"

	gocmp "github.com/google/go-cmp/cmp"
)

// importCodes imports a file into coupon_1 and gives the import when it is over.
func (s *server) importCodes(t *testing.T, name, content string) map[string]any {
	t.Helper()
	data := s.ask(t, `mutation ($file: Upload!) { importCodes(input: {couponId: "coupon_1", file: $file}) { import { id }
		userErrors { message } } }`,
		map[string]any{"file": "@" + name}, map[string]string{name: content})
	s.drain(t)
	data = s.ask(t, `query ($id: ID!) { import(id: $id) { status failure rowsRead rowsImported rowsRejected rejectionsByReason {
		reason count } rejections(first: 500) { totalCount nodes { line reason value } } } }`,
		map[string]any{"id": at[string](t, data, "importCodes", "import", "id")}, nil)
	return at[map[string]any](t, data, "import")
}

// newPool returns a server with one coupon that has no codes yet.
func newPool(t *testing.T) *server {
	t.Helper()
	s := newServer(t)
	s.ask(t, `mutation { createCoupon(input: {label: "Pool", type: INDIVIDUAL, startsAt: "2026-11-01"}) { userErrors { message } }
		}`, nil, nil)
	return s
}

// utf16Text encodes text with a byte order mark.
func utf16Text(order binary.AppendByteOrder, text string) string {
	encoded := order.AppendUint16(nil, 0xFEFF)
	for _, unit := range utf16.Encode([]rune(text)) {
		encoded = order.AppendUint16(encoded, unit)
	}
	return string(encoded)
}

// TestImportEncodings imports the same codes in every encoding, and files that are none.
func TestImportEncodings(t *testing.T) {
	t.Parallel()
	const text = "code;label\r\nZÜRICH-1;Größe\r\nZÜRICH-2;\r\n"
	var gzipped bytes.Buffer
	w := gzip.NewWriter(&gzipped)
	if _, err := w.Write([]byte(text)); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	random := make([]byte, 4096)
	source := rand.NewChaCha8([32]byte{})
	_, _ = source.Read(random)
	latin1 := make([]byte, 0, len(text))
	for _, r := range text {
		latin1 = append(latin1, byte(r))
	}
	for name, test := range map[string]struct{ content, failure string }{
		"utf8.csv":      {content: text},
		"bom.csv":       {content: "\ufeff" + text},
		"utf16le.csv":   {content: utf16Text(binary.LittleEndian, text)},
		"utf16be.csv":   {content: utf16Text(binary.BigEndian, text)},
		"latin1.csv":    {content: string(latin1)},
		"codes.csv.gz":  {content: gzipped.String()},
		"gzip.csv":      {content: gzipped.String()},
		"cut.csv.gz":    {content: gzipped.String()[:gzipped.Len()-12], failure: "damaged or cut off"},
		"random.csv":    {content: string(random), failure: "not text"},
		"picture.csv":   {content: "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + string(random), failure: "picture"},
		"zip.csv":       {content: "PK\x03\x04" + string(random), failure: "ZIP"},
		"blank.csv":     {content: " \r\n\r\n", failure: "empty"},
		"nothing.csv":   {content: "", failure: "empty"},
		"separator.csv": {content: "sep=;\r\n" + text},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newPool(t)
			got := s.importCodes(t, name, test.content)
			if test.failure != "" {
				if failure, _ := got["failure"].(string); got["status"] != "FAILED" || !strings.Contains(failure, test.failure) {
					t.Errorf("the import is %v: %v", got["status"], got["failure"])
				}
				s.checkPromises(t)
				return
			}
			if got["status"] != "SUCCEEDED" || got["rowsImported"] != 2.0 {
				t.Fatalf("got %v", got)
			}
			data := s.ask(t, `{ coupon(id: "coupon_1") { codes { nodes { value label } } } }`, nil, nil)
			want := []any{map[string]any{"value": "ZÜRICH-1", "label": "Größe"}, map[string]any{"value": "ZÜRICH-2", "label": nil}}
			if diff := gocmp.Diff(want, at[[]any](t, data, "coupon", "codes", "nodes")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			s.checkPromises(t)
		})
	}
}

// TestImportWithBadRows imports 10,000 rows, of which every hundredth is bad: the good ones are there, and
// every bad one is reported with its line and reason.
func TestImportWithBadRows(t *testing.T) {
	t.Parallel()
	s := newPool(t)
	bad := []struct{ row, reason string }{
		{",tennis", "EMPTY"},
		{"\"open", "MALFORMED"},
		{"GOOD-000001,again", "DUPLICATE_IN_FILE"},
		{strings.Repeat("x", 256) + ",tennis", "TOO_LONG"},
		{"BAD\x01VALUE,tennis", "BAD_CHARACTER"},
	}
	const rows = 10_000
	var content strings.Builder
	content.WriteString("code,label\n")
	var want []any
	counts := map[string]int{}
	for i := 1; i <= rows; i++ {
		if i%100 > 0 {
			fmt.Fprintf(&content, "GOOD-%06d,tennis\n", i)
			continue
		}
		one := bad[i/100%len(bad)]
		content.WriteString(one.row + "\n")
		counts[one.reason]++
		want = append(want, map[string]any{"line": float64(i + 1), "reason": one.reason})
	}
	got := s.importCodes(t, "codes.csv", content.String())
	for name, want := range map[string]any{
		"status": "SUCCEEDED", "failure": nil,
		"rowsRead": float64(rows), "rowsImported": float64(rows - rows/100), "rowsRejected": float64(rows / 100),
	} {
		if got[name] != want {
			t.Errorf("%s is %v, not %v", name, got[name], want)
		}
	}
	rejections := at[[]any](t, got, "rejections", "nodes")
	for _, rejection := range rejections {
		delete(at[map[string]any](t, rejection), "value")
	}
	if diff := gocmp.Diff(want, rejections); diff != "" {
		t.Errorf("rejections (-want +got):\n%s", diff)
	}
	for _, one := range at[[]any](t, got, "rejectionsByReason") {
		if reason := at[string](t, one, "reason"); float64(counts[reason]) != at[float64](t, one, "count") {
			t.Errorf("%s: %v rows, not %d", reason, at[float64](t, one, "count"), counts[reason])
		}
	}
	data := s.ask(t, `{ coupon(id: "coupon_1") { availability { total available } } last: code(value: "good-009999") { label } }`, nil, nil)
	all := map[string]any{
		"coupon": map[string]any{"availability": map[string]any{"total": 9900.0, "available": 9900.0}},
		"last":   map[string]any{"label": "tennis"},
	}
	if diff := gocmp.Diff(all, data); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	s.checkPromises(t)
}
