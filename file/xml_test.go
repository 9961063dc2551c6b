package file

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"pgregory.net/rapid"

	"couponql/coupon"
)

func TestReadXML(t *testing.T) {
	t.Parallel()
	utf16 := string(encoded(t, unicode.UTF16(unicode.LittleEndian, unicode.UseBOM),
		`<?xml version="1.0" encoding="UTF-16"?><c><value code="Ä1"/></c>`))
	utf16Bare := string(
		encoded(t, unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM),
			`<c><value code="Ä1"/></c>`),
	)
	latin2 := string(encoded(t, charmap.ISO8859_2,
		`<?xml version='1.0' encoding='ISO-8859-2'?><c><value code="ř1"/></c>`))
	tests := map[string]struct {
		kind     coupon.ImportKind
		options  coupon.FileOptions
		content  string
		want     []string
		encoding string // utf-8 unless set
	}{
		"attributes": {
			content: "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<coupon>\n  <value code=\"A1\" label=\"soccer\"/>\n  <value code='B2' label='tennis'></value>\n</coupon>\n",
			want:    []string{"3: A1|soccer", "4: B2|tennis"},
		},
		"elements": {
			content: "<coupon>\n<value>\n  <code>A1</code>\n  <label> soccer </label>\n</value>\n<value><label/><code>B2</code></value>\n</coupon>",
			want:    []string{"2: A1|soccer", "6: B2|"},
		},
		"both": {
			content: "<c><value code=\"A1\"><label>x</label></value></c>",
			want:    []string{"1: A1|x"},
		},
		"coupons as rows": {
			content: "<coupons>\n<coupon code=\"A1\"/>\n<coupon code=\"B2\" label=\"x\"/>\n</coupons>",
			want:    []string{"2: A1", "3: B2|x"},
		},
		"coupons around the rows": {
			content: "<coupons><coupon code=\"CPN23\">\n<couponValue code=\"Trynow\" validTo=\"2026-12-31\"/>\n" +
				"<couponValue><code>2for1</code></couponValue>\n</coupon><coupon code=\"CPN24\">\n<couponValue code=\"X\"/></coupon></coupons>",
			want: []string{"2: Trynow", "3: 2for1", "5: X"},
		},
		"a coupon with a code around the rows": {
			content: "<coupon><code>CPN1</code>\n<values>\n<value>A1</value>\n<value>B2</value>\n</values></coupon>", want: []string{"3: A1", "4: B2"},
		},
		"text alone": {
			content: "<codes>\n<code>A1</code>\n<code>B2</code></codes>",
			want:    []string{"2: A1", "3: B2"},
		},
		"text alone, once": {content: "<codes>\n<code>A1</code></codes>", want: []string{"1: A1"}},
		"text alone, in groups": {
			content: "<codes><group>\n<code>A1</code>\n<code>B2</code></group><group>\n<code>C3</code></group></codes>",
			want:    []string{"2: A1", "3: B2", "4: C3"},
		},
		"text with attributes": {
			content: "<codes>\n<code label=\"x\">A1</code>\n<code>B2</code>\n</codes>",
			want:    []string{"2: A1|x", "3: B2"},
		},
		"root alone": {
			content: "<coupon code=\"A1\" label=\"x\"/>", want: []string{"1: A1|x"},
		},
		"root alone, with text": {content: "<code>A1</code>", want: []string{"1: A1"}},
		"root with an id": {
			kind:    coupon.ImportTargets,
			content: "<export id=\"7\">\n<r id=\"1\"/>\n<r id=\"2\"/></export>",
			want:    []string{"2: 1", "3: 2"},
		},
		"no rows": {
			content: "<?xml version=\"1.0\"?>\n<coupons exported=\"now\">\n</coupons>",
		},
		"no rows, in one tag": {content: "<coupons/>"},
		"several a line": {
			content: "<c><value code=\"A1\"/><value code=\"B2\"/>\n<value code=\"C3\"/><value code=\"D4\"/></c>",
			want:    []string{"1: A1", "2: B2", "3: C3", "4: D4"},
		},
		"tag over many lines": {
			content: "<c>\n<value\n code=\"A1\"\n/>\n<value code=\"B2\"/></c>",
			want:    []string{"2: A1", "5: B2"},
		},
		"namespaces": {
			content: "<c:c xmlns:c=\"urn:c\" xmlns=\"urn:d\"><c:value c:code=\"A1\" xml:lang=\"en\" xmlns:x=\"urn:x\"/></c:c>",
			want:    []string{"1: A1"},
		},
		"comments and CDATA": {
			content: "<c><!-- <value code=\"X\"/> --><value><code><![CDATA[A<1>]]></code></value><!----></c><!-- end -->",
			want:    []string{"1: A<1>"},
		},
		"entities": {
			content: "<c><value code=\"&lt;A&amp;&#49;&#x31;&gt;\"><label>&quot;&apos;</label></value></c>",
			want:    []string{"1: <A&11>|\"'"},
		},
		"spaces in attributes": {
			content: "<c><value code=\" A1 \"/></c>", want: []string{"1:  A1 "},
		},
		"numbers": {
			content: "<c><value code=\"6.9E+12\"/><value><code>007</code></value></c>",
			want:    []string{"1: 6.9E+12", "2: 007"},
		},
		"byte order mark": {
			content: "\uFEFF<c><value code=\"Ä1\"/></c>", want: []string{"1: Ä1"},
		},
		"blank lines before": {
			content: "\n\n<?xml version=\"1.0\"?><c><value code=\"A1\"/></c>",
			want:    []string{"3: A1"},
		},
		"UTF-16":          {content: utf16, want: []string{"1: Ä1"}, encoding: "utf-16le"},
		"UTF-16, no mark": {content: utf16Bare, want: []string{"1: Ä1"}, encoding: "utf-16be"},
		"UTF-16, said wrongly": {
			content: "<?xml version=\"1.0\" encoding=\"utf-16\"?><c><value code=\"Ä1\"/></c>",
			want:    []string{"1: Ä1"},
		},
		"Latin-2": {content: latin2, want: []string{"1: ř1"}, encoding: "iso-8859-2"},
		"Latin-1, not said": {
			content: "<c><value code=\"\xc41\"/></c>", want: []string{"1: Ä1"},
			encoding: "windows-1252",
		},
		"encoding given": {
			content: "<?xml version=\"1.0\" encoding=\"UTF-8\"?><c><value code=\"\xc41\"/></c>",
			want:    []string{"1: Ä1"}, encoding: "windows-1252",
			options: coupon.FileOptions{Encoding: new("latin1")},
		},
		"compressed": {
			content: string(gzipped(t, []byte("<c><value code=\"A1\"/></c>"))),
			want:    []string{"1: A1"},
		},
		"asked for": {
			content: "<c><value code=\"A1\"/></c>",
			options: coupon.FileOptions{Format: new(coupon.FormatXML)}, want: []string{"1: A1"},
		},

		"redemptions": {
			kind: coupon.ImportRedemptions,
			content: "<redemptions>\n<redemption code=\"Trynow\" redeemedOn=\"2026-11-24T10:15:00+01:00\" " +
				"coupon=\"CPN23\" externalId=\"ORD-1\"/>\n</redemptions>",
			want: []string{"2: Trynow|2026-11-24T10:15:00+01:00|ORD-1"},
		},
		"redemptions, elements": {
			kind: coupon.ImportRedemptions,
			content: "<redemptions date=\"2026-01-01\"><redemption>\n<coupon>CPN23</coupon><code>A1</code><redeemed_at>2026-11-24</redeemed_at>" +
				"<amount>5.00</amount><currency>EUR</currency></redemption></redemptions>",
			want: []string{"1: A1|2026-11-24|-|5.00|EUR"},
		},
		"recipients": {
			kind: coupon.ImportRecipients,
			content: "<recipients xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\n" +
				"<recipient externalId=\"42\" email=\"a@example.com\" tier=\"gold\"/>\n" +
				"<recipient><externalId>43</externalId><e-mail xsi:nil=\"true\"/><phone/><city>Oslo</city>\n<tag>a</tag><tag>b</tag>" +
				"<address><street>Main <b>St</b></street><id>7</id></address></recipient>\n</recipients>",
			want: []string{
				"2: 42|a@example.com tier=gold", "3: 43|-| city=Oslo tag=a, b address=Main St 7",
			},
		},
		"mapped": {
			content: "<x><y Gutschein=\"A1\" code=\"7\"/></x>", want: []string{"1: A1"},
			options: coupon.FileOptions{Columns: mapped("code", "gutschein")},
		},

		"rows that are malformed": {
			content: "<c>\n<value code=\"A1\"/>\n<value code=\"B2\" code=\"C3\"/>\n<value code=\"D4\"><code>E5</code></value>\n" +
				"<value><code>F<b>6</b></code></value>\n<value code=\"G7\"/></c>",
			want: []string{
				"2: A1", "3: MALFORMED <value code=\"B2\" code=\"C3\"/>",
				"4: MALFORMED <value code=\"D4\"><code>E5</code></value>",
				"5: MALFORMED <value><code>F<b>6</b></code></value>", "6: G7",
			},
		},
		"bad characters": {
			content: "<c>\n<value code=\"ÄÄ\"/>\n<value code=\"A\xff\"/>\n<value code=\"B2\"/></c>",
			want:    []string{"2: ÄÄ", "3: BAD_CHARACTER <value code=\"A\uFFFD\"/>", "4: B2"},
		},
		"rows without the code": {
			content: "<c><value code=\"A1\"/>\n<value label=\"x\"/>\n<value/></c>",
			want:    []string{"1: A1", "2: -|x", "3: "},
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
			if test.encoding == "" {
				test.encoding = "utf-8"
			}
			if layout.Format != coupon.FormatXML || layout.Encoding != test.encoding ||
				!layout.HasHeader {
				t.Errorf("got layout %+v", layout)
			}
		})
	}
}

func TestXMLErrors(t *testing.T) {
	t.Parallel()
	var wide strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&wide, " c%d=\"1\"", i)
	}
	good := "<c>\n<value code=\"A1\"/>\n"
	bomb := "<!DOCTYPE lolz [<!ENTITY lol \"lol\"><!ENTITY lol2 \"" + strings.Repeat("&lol;", 10) +
		"\">]>\n<c><value code=\"&lol2;\"/></c>"
	external := "<!DOCTYPE c [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><c><value code=\"&x;\"/></c>"
	tests := map[string]struct {
		kind    coupon.ImportKind
		options coupon.FileOptions
		content string
		rows    int // How many rows are given before the error.
		want    string
	}{
		"entity bomb": {
			content: bomb,
			want:    "on line 1: its document type (<!DOCTYPE …>) has entities of its own",
		},
		"external entity": {content: external, want: "has entities of its own"},
		"late DTD": {
			content: good + "<!DOCTYPE c>", rows: 1,
			want: "on line 3: it has a declaration (<!…>) where there can be none",
		},
		"unknown entity": {
			content: good + "<value code=\"&foo;\"/></c>",
			rows:    1,
			want:    "The XML cannot be read on line 3: it has an entity that is not known, such as & where &amp; is meant",
		},
		"bad reference": {
			content: good + "<value code=\"&#0;\"/></c>", rows: 1, want: "on line 3",
		},
		"late declaration": {
			content: good + "<?xml version=\"1.0\"?></c>", rows: 1,
			want: "a second XML declaration",
		},
		"XML 1.1": {
			content: "<?xml version=\"1.1\"?>" + good + "</c>",
			want:    "The XML cannot be read on line 1: only version 1.0 of XML is read",
		},
		"unknown encoding": {
			content: "<?xml version=\"1.0\" encoding=\"klingon\"?>" + good + "</c>",
			want:    "The file declares an encoding that is not known. Save it as UTF-8.",
		},
		"deep": {
			content: good + strings.Repeat("<a>", 1_000_000), rows: 1,
			want: "more than 100 elements are nested",
		},
		"deep, at once": {
			content: strings.Repeat("<a>", 1_000_000), want: "more than 100 elements are nested",
		},
		"NUL": {
			content: strings.Repeat(" ", binaryBytes) + good + "<value code=\"A\x00\"/></c>",
			rows:    1,
			want:    "on line 3: illegal character code U+0000",
		},
		"truncated": {
			content: good + "<value code=\"B2\"/>\n<value co", rows: 2,
			want: "it ends on line 4, before its outermost element does",
		},
		"no end":   {content: good, rows: 1, want: "it ends on line 3"},
		"in CDATA": {content: good + "<![CDATA[", rows: 1, want: "it ends on line 3"},
		"wrong end": {
			content: good + "<value code=\"B2\"></c>",
			rows:    1,
			want:    "The XML cannot be read on line 3: its elements are not closed in the order in which they were opened",
		},
		"no quotes": {
			content: good + "<value code=B2/></c>", rows: 1,
			want: "on line 3: unquoted or missing attribute value",
		},
		"bare ampersand": {
			content: good + "\n<value code=\"B&C\"/></c>", rows: 1, want: "on line 4",
		},
		"text after": {
			content: good + "</c>\nmore", rows: 1, want: "text outside the outermost element",
		},
		"two roots": {
			content: good + "</c>\n<c/>", rows: 1,
			want: "on line 4: a second outermost element begins",
		},
		"other rows": {
			content: good + "<code code=\"B2\"/></c>",
			want:    "The rows of the XML file could be elements of two names, as both hold codes. Import a file that has only one of them.",
		},
		"two kinds": {
			content: "<c><a code=\"A1\"/><b code=\"B2\"/></c>",
			want:    "The rows of the XML file could be elements of two names, as both hold codes. Import a file that has only one of them.",
		},
		"one around many": {
			kind:    coupon.ImportTargets,
			content: "<c><batch id=\"1\"><r id=\"2\"/><r id=\"3\"/></batch></c>",
			want:    "The rows of the XML file could be elements of two names, as both hold external ids. Import a file that has only one of them.",
		},
		"no code": {
			content: "<c><value foo=\"A1\"><bar>1</bar></value></c>",
			want:    "The file has 2 columns, and none for the codes. Name one `code`, or map it with options.columns.",
		},
		"no date": {
			kind: coupon.ImportRedemptions, content: "<c><value code=\"A1\"/></c>",
			want: "and none for the dates of redemption",
		},
		"two names": {
			content: "<c><value voucher=\"A1\" promoCode=\"B2\"/></c>",
			want:    "could both hold the codes",
		},
		"mapped, missing": {
			content: good + "</c>", options: coupon.FileOptions{Columns: mapped("code", "foo")},
			want: "and none for the codes",
		},
		"too many columns": {
			content: "<c><value code=\"A1\"" + wide.String() + "/></c>",
			want:    "more than 1000 columns",
		},
		"long text": {
			content: good + "<value><code>" + strings.Repeat("x", 3*MaxRowBytes) +
				"</code></value></c>",
			rows: 1,
			want: "on line 3: a part of it is longer than 1048576 bytes",
		},
		"long attribute": {
			content: good + "<value code=\"" + strings.Repeat("x", 3*MaxRowBytes) + "\"/></c>",
			rows:    1,
			want:    "on line 3: a part of it is longer",
		},
		"long comment": {
			content: good + "<!--" + strings.Repeat("x", 3*MaxRowBytes) + "--></c>", rows: 1,
			want: "on line 3: a part of it is longer",
		},
		"long space": {
			content: "<c>" + strings.Repeat(" ", 3*MaxRowBytes) + "<value code=\"A1\"/></c>",
			want:    "and none for the codes",
		},
		"CSV, asked for": {
			content: "code\nA1\n", options: coupon.FileOptions{Format: new(coupon.FormatXML)},
			want: "text outside the outermost element",
		},
		"JSONL, asked for": {
			content: "{\"code\":\"A1\"}",
			options: coupon.FileOptions{Format: new(coupon.FormatXML)},
			want:    "text outside the outermost element",
		},
		"blank, asked for": {
			content: "\n \n", options: coupon.FileOptions{Format: new(coupon.FormatXML)},
			want: "it has no element",
		},
		"only a comment": {content: "<!-- -->", want: "it has no element"},
		"HTML":           {content: "<html><body>Sign in", want: "web page"},
		"compressed, cut": {
			content: cutGzip(t, good+strings.Repeat("<value code=\"B2\"/>\n", 1<<17)+"</c>"),
			rows:    1 << 15,
			want:    "damaged or cut off: nothing can be read after line",
		},
		"control in a name": {content: "<c><value\x01 code=\"A1\"/></c>", want: "on line 1"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if test.kind == "" {
				test.kind = coupon.ImportCodes
			}
			r, err := Open(write(t, []byte(test.content)), test.options, Columns(test.kind))
			rows := -1
			for err == nil {
				rows++
				_, err = r.Next()
			}
			checkUserError(t, err, "", test.want)
			if rows = max(rows, 0); rows < test.rows || rows > test.rows && test.rows < 10 {
				t.Errorf("got %d rows before the error, want %d", rows, test.rows)
			}
		})
	}
}

// cutGzip compresses a text and cuts a part off.
func cutGzip(t *testing.T, text string) string {
	t.Helper()
	content := gzipped(t, []byte(text))
	return string(content[:len(content)*3/4])
}

// TestLateXML has rows of another element far from the first ones, and new columns.
func TestLateXML(t *testing.T) {
	t.Parallel()
	first := "<c>\n" + strings.Repeat("<value code=\"A1\" x=\"\"/>\n", 60_000)
	r := open(t, write(t, []byte(first+"<value label=\"soccer\"/>\n<other code=\"B2\"/>\n</c>")),
		coupon.FileOptions{}, coupon.ImportCodes)
	for i := range 60_000 {
		if row, err := r.Next(); err != nil || row.Get(0) != "A1" || row.Line != i+2 {
			t.Fatalf("row %d: got %+v, %v", i, row, err)
		}
	}
	if row, err := r.Next(); err != nil || row.Get(1) != "soccer" || has(row, 0) {
		t.Errorf("got %+v, %v", row, err)
	}
	_, err := r.Next()
	checkUserError(t, err, "", "The XML cannot be read on line 60003: an element that has not the name of the rows has a value of theirs")
}

// TestLongXML has rows that are too long in parts which are not.
func TestLongXML(t *testing.T) {
	t.Parallel()
	part := "<x" + strings.Repeat("y", 20) + ">" + strings.Repeat("z", 10_000) + "</x" +
		strings.Repeat("y", 20) + ">\n"
	for _, parts := range []int{110, 500} {
		content := "<c>\n<value code=\"A1\"/>\n<value code=\"B2\">" + strings.Repeat(part, parts) +
			"</value>\n<value code=\"C3\"/></c>"
		_, got := readAll(t, write(t, []byte(content)), coupon.FileOptions{}, coupon.ImportCodes)
		want := []string{
			"2: A1", "3: MALFORMED <value code=\"B2\"><xyyy", fmt.Sprintf("%d: C3", 4+parts),
		}
		for i := range got {
			got[i] = got[i][:min(len(got[i]), 35)]
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%d parts: rows (-want +got):\n%s", parts, diff)
		}
	}
}

// TestXMLRoundTrip writes rows with encoding/xml, as attributes and as elements, and reads them
// back.
func TestXMLRoundTrip(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		// What XML 1.0 allows and CR does not become LF; NUL and U+FFFD make rows BAD_CHARACTER.
		isText := func(r rune) bool {
			return r >= ' ' && r <= 0xd7ff || r == '\n' || r == '\t' ||
				r >= 0xe000 && r <= 0xfffc || r >= 0x10000 && r <= 0x10ffff
		}
		letters := rapid.OneOf(rapid.SampledFrom([]rune("<>&\"'\n\t ]]é")),
			rapid.Rune()).Filter(isText)
		text := rapid.StringOfN(letters, 0, 12, -1)
		table := rapid.SliceOfN(rapid.SliceOfN(text, 4, 4), 1, 20).Draw(t, "table")
		var content bytes.Buffer
		content.WriteString(xml.Header + "<rows>")
		escape := func(text string) string {
			var b bytes.Buffer
			if err := xml.EscapeText(&b, []byte(text)); err != nil {
				t.Fatal(err)
			}
			return b.String()
		}
		for _, cells := range table {
			// A space at the edge of an element's text is layout.
			cells[2], cells[3] = strings.Trim(cells[2], " \t\n"), strings.Trim(cells[3], " \t\n")
			fmt.Fprintf(
				&content,
				"<row code=\"%s\" a=\"%s\"><b>%s</b><c>%s</c></row>\n",
				escape(cells[0]),
				escape(cells[1]),
				escape(cells[2]),
				escape(cells[3]),
			)
		}
		content.WriteString("</rows>")
		path := filepath.Join(dir, "rows")
		if err := os.WriteFile(path, content.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := Open(path, coupon.FileOptions{}, Columns(coupon.ImportCodes))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = r.Close() }()
		for i, want := range table {
			row, err := r.Next()
			if err != nil || row.Reason != "" {
				t.Fatalf("row %d: got %+v, %v", i, row, err)
			}
			if diff := cmp.Diff(want, row.Cells()); diff != "" {
				t.Fatalf("row %d (-want +got):\n%s", i, diff)
			}
		}
		if _, err := r.Next(); !errors.Is(err, io.EOF) {
			t.Errorf("got %v at the end", err)
		}
	})
}
