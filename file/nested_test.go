package file

import (
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

// TestNestedXML reads a file of coupons with their codes in them, as coupons and as codes. A coupon is one row however many codes it has.
func TestNestedXML(t *testing.T) {
	t.Parallel()
	many := strings.Repeat(`<value code="M" label="x"/>`+"\n", MaxRowBytes/20)
	for name, test := range map[string]struct {
		content        string
		coupons, codes []string
	}{
		"one coupon of many codes": {
			content: "<coupons>\n<coupon code=\"A\" label=\"a\">\n<value code=\"A1\"/>\n<value code=\"A2\" label=\"y\"/>\n</coupon>\n</coupons>",
			coupons: []string{"2: A|a"}, codes: []string{"3: A1||A", "4: A2|y|A"},
		},
		"coupons with and without codes": {
			content: "<coupons>\n<coupon code=\"A\" label=\"a\"/>\n<coupon code=\"B\" label=\"b\"><value code=\"B1\"/></coupon>\n" +
				"<coupon code=\"C\" label=\"c\">\n<value code=\"C1\" coupon=\"D\"/></coupon></coupons>",
			coupons: []string{"2: A|a", "3: B|b", "4: C|c"}, codes: []string{"3: B1||B", "5: C1||D"},
		},
		"fields behind the codes": {
			content: "<coupons>\n<coupon code=\"A\">\n<value code=\"A1\"/><label>late</label></coupon>\n<coupon code=\"B\" label=\"b\"/></coupons>",
			coupons: []string{"2: A|late", "4: B|b"}, codes: []string{"3: A1||A"},
		},
		"bytes that are no text, before the codes": {
			content: "<coupons>\n<coupon code=\"A\" label=\"\xFF\">\n<value code=\"A1\"/>\n</coupon>\n<coupon code=\"Ä\" label=\"b\"/></coupons>",
			coupons: []string{"2: BAD_CHARACTER", "5: Ä|b"}, codes: []string{"3: A1||A"},
		},
		"its own code as an element": {
			content: "<coupons>\n<coupon><code>A</code><label>a</label>\n<value code=\"A1\"/>\n</coupon>\n" +
				"<coupon><label>b</label><code> B </code>\n<value code=\"B1\"/></coupon></coupons>",
			coupons: []string{"2: A|a", "5: B|b"}, codes: []string{"3: A1||A", "6: B1||B"},
		},
		"codes as elements": {
			content: "<coupons>\n<coupon><code>A</code><label>a</label>\n<value>A1</value>\n<value>A2</value></coupon>\n" +
				"<coupon><code>B</code><label>b</label>\n<value>B1</value></coupon>\n<coupon><code>C</code><label>c</label></coupon></coupons>",
			coupons: []string{"2: A|a", "5: B|b", "7: C|c"}, codes: []string{"3: A1||A", "4: A2||A", "6: B1||B"},
		},
		"one code each": {
			content: "<coupons>\n<coupon><code>A</code><label>a</label>\n<value>A1</value></coupon>\n" +
				"<coupon code=\"B\" label=\"b\">\n<value>B1</value></coupon></coupons>",
			coupons: []string{"2: A|a", "4: B|b"}, codes: []string{"3: A1||A", "5: B1||B"},
		},
		"codes in a list of their own": {
			content: "<coupons>\n<coupon><code>A</code><label>a</label><codes>\n<code>A1</code>\n<code>A2</code></codes></coupon>\n" +
				"<coupon><code>B</code><codes>\n<code>B1</code></codes><label>b</label></coupon></coupons>",
			coupons: []string{"2: A|a", "5: B|b"}, codes: []string{"3: A1||A", "4: A2||A", "6: B1||B"},
		},
		"a code of its own behind the codes": {
			content: "<coupons>\n<coupon><code>A</code><label>a</label>\n<value code=\"A1\"/></coupon>\n" +
				"<coupon>\n<value code=\"B1\"/><code>B</code><label>b</label></coupon></coupons>",
			coupons: []string{"2: A|a", "4: B|b"}, codes: []string{"3: A1||A", "5: B1||"},
		},
		"a code outside of coupons": {
			content: "<coupons>\n<coupon code=\"A\" label=\"a\">\n<value code=\"A1\"/></coupon>\n<other>\n<value code=\"X\"/></other></coupons>",
			coupons: []string{"2: A|a"}, codes: []string{"3: A1||A", "5: X||"},
		},
		"coupons without codes in front": {
			content: "<coupons>\n" + strings.Repeat("<coupon code=\"N\" label=\"n\"/>\n", sampleBytes/20) +
				"<coupon code=\"A\" label=\"a\">\n<value code=\"A1\"/></coupon></coupons>",
			codes: []string{fmt.Sprintf("%d: A1||A", sampleBytes/20+3)},
		},
		"a long beginning": {
			content: "<coupons>\n<!-- " + strings.Repeat(strings.Repeat("x", 1000)+" -->\n<!-- ", sampleBytes/1000+5) + " -->\n" +
				"<coupon code=\"A\" label=\"a\">\n<value code=\"A1\"/></coupon></coupons>",
			coupons: []string{fmt.Sprintf("%d: A|a", sampleBytes/1000+8)}, codes: []string{fmt.Sprintf("%d: A1||A", sampleBytes/1000+9)},
		},
		"text codes, more than a row has room for": {
			content: "<coupons>\n<coupon code=\"A\" label=\"a\">\n" + strings.Repeat("<value>M</value>\n", MaxRowBytes/10) +
				"</coupon>\n<coupon code=\"B\" label=\"b\"/></coupons>",
			coupons: []string{"2: A|a", fmt.Sprintf("%d: B|b", 4+MaxRowBytes/10)},
		},
		"listed codes, more than a row has room for": {
			content: "<coupons>\n<coupon code=\"A\" label=\"a\"><codes>\n" + strings.Repeat("<code>M</code>\n", MaxRowBytes/10) +
				"</codes></coupon>\n<coupon code=\"B\" label=\"b\"/></coupons>",
			coupons: []string{"2: A|a", fmt.Sprintf("%d: B|b", 4+MaxRowBytes/10)},
		},
		"more codes than a row has room for": {
			content: "<coupons>\n<coupon code=\"A\" label=\"a\">\n" + many + "</coupon>\n<coupon code=\"B\" label=\"b\"/></coupons>",
			coupons: []string{"2: A|a", fmt.Sprintf("%d: B|b", 4+strings.Count(many, "\n"))},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "a.xml")
			if err := os.WriteFile(path, []byte(test.content), 0o600); err != nil {
				t.Fatal(err)
			}
			options := coupon.FileOptions{Encoding: new("utf-8")}
			if test.coupons == nil {
				test.coupons = rowsOf(t, path, options, Columns(coupon.ImportCoupons), 2)
				if want := sampleBytes/20 + 1; len(test.coupons) != want {
					t.Errorf("got %d coupons, want %d", len(test.coupons), want)
				}
			}
			if diff := cmp.Diff(test.coupons, rowsOf(t, path, options, Columns(coupon.ImportCoupons), 2)); diff != "" {
				t.Errorf("coupons (-want +got):\n%s", diff)
			}
			if test.codes == nil {
				return
			}
			if diff := cmp.Diff(test.codes, rowsOf(t, path, options, CodeColumnsOfCoupons(), 3)); diff != "" {
				t.Errorf("codes (-want +got):\n%s", diff)
			}
		})
	}
}

// TestLateCodesInCoupons tells that codes are never read from coupons of which the first ones seemed to be codes themselves.
func TestLateCodesInCoupons(t *testing.T) {
	t.Parallel()
	content := "<coupons>\n" + strings.Repeat("<coupon code=\"N\" label=\"n\"/>\n", sampleBytes/20) +
		"<coupon code=\"A\" label=\"a\">\n<value code=\"A1\"/></coupon></coupons>"
	r := open(t, write(t, []byte(content)), coupon.FileOptions{}, coupon.ImportCodes)
	for {
		_, err := r.Next()
		if errors.Is(err, io.EOF) {
			t.Fatal("got no error")
		}
		if err != nil {
			if !strings.Contains(err.Error(), "a coupon has codes in it here") || !strings.Contains(err.Error(), fmt.Sprintf("line %d", sampleBytes/20+3)) {
				t.Errorf("got %v", err)
			}
			return
		}
	}
}

// rowsOf returns the rows of a file, each with its line and its first fields or the reason for which it cannot be read.
func rowsOf(t *testing.T, path string, options coupon.FileOptions, columns []Column, fields int) (rows []string) {
	t.Helper()
	reader, err := Open(path, options, columns)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reader.Close() }()
	for {
		row, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return rows
		}
		if err != nil {
			t.Fatal(err)
		}
		if row.Reason != "" {
			rows = append(rows, fmt.Sprintf("%d: %s", row.Line, row.Reason))
			continue
		}
		var texts []string
		for i := range fields {
			texts = append(texts, row.Get(i))
		}
		rows = append(rows, fmt.Sprintf("%d: %s", row.Line, strings.Join(texts, "|")))
	}
}
