package file

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"couponql/coupon"
)

// TestRowsNameTheirFields reads files of which each row names its columns, in JSONL and in XML.
func TestRowsNameTheirFields(t *testing.T) {
	t.Parallel()
	many := func(row string) string { return strings.Repeat(row+"\n", maxNamedRows) }
	tests := map[string]struct {
		kind    coupon.ImportKind
		options coupon.FileOptions
		jsonl   string
		xml     string
		want    []string // the last rows, without their lines
		fields  map[string]string
		failure string
	}{
		"two spellings": {
			kind: coupon.ImportRecipients,
			jsonl: `{"externalId":"1","mail":"a@example.com"}` + "\n" +
				`{"externalId":"2","email":"b@example.com"}` + "\n" +
				`{"Kundennummer":"3","courriel":"c@example.com"}`,
			xml: `<r><p><externalId>1</externalId><mail>a@example.com</mail></p>` + "\n" +
				`<p><externalId>2</externalId><email>b@example.com</email></p>` + "\n" +
				`<p><Kundennummer>3</Kundennummer><courriel>c@example.com</courriel></p></r>`,
			want: []string{"1|a@example.com", "2|b@example.com", "3|c@example.com"},
			fields: map[string]string{
				"externalId": "externalId", "Kundennummer": "externalId", "mail": "email",
				"email": "email", "courriel": "email",
			},
		},
		"the second behind the first rows": {
			jsonl: many(`{"voucher":"A1"}`) + `{"code":"B2"}` + "\n" +
				`{"Gutscheincode":"C3","Gruppe":"x"}`,
			xml: "<c>" + many(`<v voucher="A1"/>`) + `<v code="B2"/>` + "\n" +
				`<v Gutscheincode="C3" Gruppe="x"/></c>`,
			want: []string{"A1", "B2", "C3|x"},
		},
		"two in one row": {
			jsonl: `{"voucher":"A1"}` + "\n" + `{"Gutscheincode":"B2"}` + "\n" +
				`{"coupon":"C3","voucher":"D4"}` + "\n" + `{"coupon":"E5"}`,
			xml: `<c><v voucher="A1"/>` + "\n" + `<v Gutscheincode="B2"/>` + "\n" +
				`<v coupon="C3" voucher="D4"/>` + "\n" + `<v coupon="E5"/></c>`,
			want: []string{"A1", "B2", "AMBIGUOUS_COLUMN", "E5"},
		},
		"two in one row, behind the first rows": {
			jsonl: many(`{"voucher":"A1"}`) + `{"coupon":"C3","voucher":"D4"}` + "\n" +
				`{"coupon":"E5"}`,
			xml: "<c>" + many(`<v voucher="A1"/>`) + `<v coupon="C3" voucher="D4"/>` + "\n" +
				`<v coupon="E5"/></c>`,
			want: []string{"A1", "AMBIGUOUS_COLUMN", "E5"},
		},
		"two in each row": {
			jsonl:   `{"voucher":"A1","coupon":"C"}` + "\n" + `{"voucher":"B2","coupon":"C"}`,
			xml:     `<c><v voucher="A1" coupon="C"/><v voucher="B2" coupon="C"/></c>`,
			failure: "The columns 1 and 2 could both hold the codes. Say with options.columns which one does.",
		},
		"two in each row, mapped": {
			jsonl:   `{"voucher":"A1","coupon":"C"}` + "\n" + `{"coupon":"C"}`,
			xml:     `<c><v voucher="A1" coupon="C"/>` + "\n" + `<v coupon="C"/></c>`,
			options: coupon.FileOptions{Columns: mapped("code", "voucher")},
			want:    []string{"A1", "-"},
		},
		"a column beside the right one is another thing": {
			jsonl: `{"code":"A1","coupon":"C"}` + "\n" + `{"coupon":"C"}`,
			xml:   `<c><v code="A1" coupon="C"/>` + "\n" + `<v coupon="C"/></c>`,
			want:  []string{"A1", "-"}, fields: map[string]string{"code": "code", "coupon": ""},
		},
		"an attribute beside the field": {
			kind:  coupon.ImportRecipients,
			jsonl: `{"id":"1","email":"a@example.com","mail":"paper"}`,
			xml:   `<r><p id="1" email="a@example.com" mail="paper"/></r>`,
			want:  []string{"1|a@example.com mail=paper"},
		},
	}
	for name, test := range tests {
		for format, content := range map[string]string{"JSONL": test.jsonl, "XML": test.xml} {
			t.Run(name+", "+format, func(t *testing.T) {
				t.Parallel()
				if test.kind == "" {
					test.kind = coupon.ImportCodes
				}
				path := write(t, []byte(content))
				if test.failure != "" {
					_, err := Open(path, test.options, Columns(test.kind))
					if err == nil || !strings.Contains(err.Error(), test.failure) {
						t.Errorf("got %v, want %q", err, test.failure)
					}
					return
				}
				layout, rows := readAll(t, path, test.options, test.kind)
				rows = rows[max(0, len(rows)-len(test.want)):]
				for i, row := range rows {
					_, rows[i], _ = strings.Cut(row, ": ")
					if strings.HasPrefix(rows[i], "AMBIGUOUS_COLUMN ") {
						rows[i] = "AMBIGUOUS_COLUMN"
					}
					if rows[i] == "" {
						rows[i] = "-"
					}
				}
				if diff := cmp.Diff(test.want, rows); diff != "" {
					t.Errorf("rows (-want +got):\n%s", diff)
				}
				for i, name := range layout.Columns {
					if want, isAsked := test.fields[name]; isAsked && layout.Fields[i] != want {
						t.Errorf("%s: got the field %q, want %q", name, layout.Fields[i], want)
					}
				}
			})
		}
	}
}

// TestNullNamesItsField has a row whose code is null: what stands beside it is not the code.
func TestNullNamesItsField(t *testing.T) {
	t.Parallel()
	content := `{"code":"A1"}` + "\n" + `{"voucher":"B2"}` + "\n" +
		`{"code":null,"voucher":"C3"}` + "\n"
	_, got := readAll(t, write(t, []byte(content)), coupon.FileOptions{}, coupon.ImportCodes)
	if diff := cmp.Diff([]string{"1: A1", "2: ", "3: "}, got); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

func TestWhatNobodyNeeds(t *testing.T) {
	t.Parallel()
	type nested struct {
		Tags  []string `parquet:"tags,list"`
		Code  string   `parquet:"code"`
		Shop  struct{ City, Street string }
		Label string `parquet:"label"`
		More  map[string]string
	}
	parquet := string(parquetOf(t, []nested{
		{Tags: []string{"x", "y"}, Code: "A1", Label: "soccer"}, {Code: "B2", Label: "tennis"},
	}))
	const xml = "<c><v code=\"A1\" label=\"soccer\"/>\n<v code=\"B2\" label=\"tennis\"/></c>"
	tests := map[string]struct {
		kind     coupon.ImportKind
		content  string
		want     []string
		warnings []string
	}{
		"columns of one name": {
			content:  "code,item,label,item\nA1,1,soccer,2\n",
			want:     []string{"2: A1|soccer"},
			warnings: []string{"DOUBLE_COLUMN item", "IGNORED_COLUMN item"},
		},
		"attributes of one name": {
			kind:     coupon.ImportRecipients,
			content:  "id,item,item\n1,a,b\n",
			want:     []string{"2: 1 item=a"},
			warnings: []string{"DOUBLE_COLUMN item"},
		},
		"nested columns of Parquet": {
			content: parquet, want: []string{"1: A1|soccer", "2: B2|tennis"},
			warnings: []string{"NESTED_COLUMN tags"},
		},
		"a document type": {
			content: "<!DOCTYPE c>" + xml, want: []string{"1: A1|soccer", "2: B2|tennis"},
		},
		"a document type of its own": {
			content: "<!DOCTYPE c [<!ELEMENT c (v*)><!-- x --><!ATTLIST v code CDATA #REQUIRED>]>" +
				xml,
			want: []string{"1: A1|soccer", "2: B2|tennis"},
		},
		"a style sheet": {
			content: "<?xml version=\"1.0\"?><?xml-stylesheet href=\"x.xsl\"?>" + xml,
			want:    []string{"1: A1|soccer", "2: B2|tennis"},
		},
		"an instruction in a row": {
			content: "<c><v><code>A<?x y?>1</code><?z?></v></c><?end?>", want: []string{"1: A1"},
		},
		"two columns that are not read": {
			content: "code,foo,bar\nA1,1,2\n", want: []string{"2: A1"},
			warnings: []string{"IGNORED_COLUMN foo"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if test.kind == "" {
				test.kind = coupon.ImportCodes
			}
			layout, got := readAll(t, write(t, []byte(test.content)),
				coupon.FileOptions{}, test.kind)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.warnings, warningsOf(&layout)); diff != "" {
				t.Errorf("warnings (-want +got):\n%s", diff)
			}
			for _, w := range layout.Warnings {
				if w.Kind == coupon.WarningIgnoredColumn && w.Count == 2 &&
					!strings.Contains(w.Text(), `"foo", "bar"`) {
					t.Errorf("got %q, which does not name both columns", w.Text())
				}
			}
		})
	}
}

func TestXMLThatCouldExpandOrFetch(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]string{
		"an entity":              `<!DOCTYPE c [<!ENTITY x "y">]>`,
		"a parameter entity":     `<!DOCTYPE c [<!ENTITY % x "y"> %x;]>`,
		"lower case":             `<!DOCTYPE c [<!entity x "y">]>`,
		"another file":           `<!DOCTYPE c SYSTEM "http://127.0.0.1/c.dtd">`,
		"a public file":          `<!DOCTYPE c PUBLIC "-//x" "http://127.0.0.1/c.dtd">`,
		"another file, entities": "<!DOCTYPE c\nSYSTEM 'c.dtd' [<!ELEMENT c ANY>]>",
	} {
		if r, err := Open(write(t, []byte(start+`<c><v code="A1"/></c>`)), coupon.FileOptions{},
			Columns(coupon.ImportCodes)); err == nil {
			_ = r.Close()
			t.Errorf("%s is accepted", name)
		} else if !strings.Contains(err.Error(), "document type") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// TestPadding has zeros behind compressed data. What else follows it is damage.
func TestPadding(t *testing.T) {
	t.Parallel()
	text := []byte("code\nA1\nB2\n")
	zeros := strings.Repeat("\x00", 3*chunkBytes+1)
	for format, packed := range map[string]string{
		"gzip": string(gzipped(t, text)), "zstd": string(zstdOf(t, text)),
	} {
		for name, test := range map[string]struct {
			content string
			want    []string
		}{
			"one zero": {content: packed + "\x00", want: []string{"2: A1", "3: B2"}},
			"four zeros": {
				content: packed + "\x00\x00\x00\x00", want: []string{"2: A1", "3: B2"},
			},
			"many zeros": {content: packed + zeros, want: []string{"2: A1", "3: B2"}},
			"two parts": {content: packed + packed, want: []string{
				"2: A1", "3: B2", "4: NOT_A_ROW code", "5: A1", "6: B2",
			}},
			"two parts and zeros": {content: packed + packed + zeros, want: []string{
				"2: A1", "3: B2", "4: NOT_A_ROW code", "5: A1", "6: B2",
			}},
		} {
			_, got := readAll(t, write(t, []byte(test.content)), coupon.FileOptions{},
				coupon.ImportCodes)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("%s, %s (-want +got):\n%s", format, name, diff)
			}
		}
		for name, content := range map[string]string{
			"zeros and more": packed + zeros + "x", "other bytes": packed + "trailing",
			"cut off":           packed[:len(packed)-3],
			"zeros for the end": packed[:len(packed)-7] + "\x00\x00\x00\x00\x00\x00\x00",
		} {
			r, err := Open(write(t, []byte(content)), coupon.FileOptions{},
				Columns(coupon.ImportCodes))
			for err == nil {
				_, err = r.Next()
			}
			if err == nil || !strings.Contains(fmt.Sprint(err), "damaged or cut off") {
				t.Errorf("%s, %s: got %v", format, name, err)
			}
		}
	}
}

func zstdOf(t testing.TB, content []byte) []byte {
	t.Helper()
	encoder, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = encoder.Close() }()
	return encoder.EncodeAll(content, nil)
}
