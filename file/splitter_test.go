package file

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"pgregory.net/rapid"

	"couponql/coupon"
)

func TestLongRows(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", MaxRowBytes)
	lines := strings.Repeat("l\n", MaxRowLines)
	tests := map[string]struct {
		content string
		// want has the rows by their first 40 characters.
		want []string
	}{
		"longest line":  {content: "code\n" + long + "\nB2\n", want: []string{"2: " + long[:37], "3: B2"}},
		"one byte more": {content: "code\n" + long + "x\nB2\n", want: []string{"2: MALFORMED " + long[:27], "3: B2"}},
		"spaces after a quote": {
			content: "code\n\"a\n\"" + strings.Repeat(" ", MaxRowBytes) + "\nB2\n",
			want:    []string{"2: MALFORMED \"a", "3: MALFORMED \"" + strings.Repeat(" ", 26), "4: B2"},
		},
		"many times as long": {
			content: "code\nA1\n" + strings.Repeat(long, 5) + "\r\nB2\r\n",
			want:    []string{"2: A1", "3: MALFORMED " + long[:27], "4: B2"},
		},
		"long last line": {content: "code\nA1\n" + strings.Repeat(long, 3), want: []string{"2: A1", "3: MALFORMED " + long[:27]}},
		"long, lone CR": {
			content: "code\rA1\r" + strings.Repeat(long, 3) + "\rB2",
			want:    []string{"2: A1", "3: MALFORMED " + long[:27], "4: B2"},
		},
		"long quoted row": {
			content: "code\n\"a\n" + long + "\"\nB2\n",
			want:    []string{"2: MALFORMED \"a", "3: MALFORMED " + long[:27], "4: B2"},
		},
		"long unquoted cell": {
			content: "code,x,y\nA,\"1\n\"," + long[3:] + "\nB2\n",
			want:    []string{"2: MALFORMED A,\"1", "3: MALFORMED \"," + long[:25], "4: B2"},
		},
		"quote far away": {
			content: "code\n\"A1\n" + strings.Repeat(long[:1000]+"\n", 3000) + "\"\n",
			want:    []string{"2: MALFORMED \"A1", "3: " + long[:37]},
		},
		"spaces without end": {
			content: "code\nA1\n" + strings.Repeat(" ", 3*MaxRowBytes) + "\nB2\n",
			want:    []string{"2: A1", "3: MALFORMED" + strings.Repeat(" ", 28), "4: B2"},
		},
		"most lines": {
			content: "code\n\"" + lines[2:] + "\"\nB2\n",
			want:    []string{"2: " + lines[2:39], fmt.Sprintf("%d: B2", 2+MaxRowLines)},
		},
		"one line more":        {content: "code\n\"" + lines + "\"\nB2\n", want: []string{"2: MALFORMED \"l", "3: l"}},
		"blank lines, a lot":   {content: strings.Repeat("\n", 3<<20) + "code\nA1\n", want: []string{fmt.Sprintf("%d: A1", 3<<20+2)}},
		"blank lines, lone CR": {content: strings.Repeat("\r", 3<<20) + "code\rA1\r", want: []string{fmt.Sprintf("%d: A1", 3<<20+2)}},
		"blank lines, CRLF":    {content: strings.Repeat("\r\n", 3<<19) + "code\r\nA1\r\n", want: []string{fmt.Sprintf("%d: A1", 3<<19+2)}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, got := readAll(t, write(t, []byte(test.content)), coupon.FileOptions{}, coupon.ImportCodes)
			for i := range got {
				got[i] = got[i][:min(len(got[i]), 40)]
			}
			if diff := cmp.Diff(test.want, got[:min(len(got), len(test.want))]); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
			if strings.HasSuffix(test.content, "B2\n") && !strings.HasSuffix(got[len(got)-1], ": B2") {
				t.Errorf("got last row %q", got[len(got)-1])
			}
		})
	}
}

// TestChunksMakeNoDifference reads texts byte by byte, so that a chunk ends at every place where one can.
func TestChunksMakeNoDifference(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.SampledFrom([]rune("\"\"\",,\r\n\na \té\x00"))).Draw(t, "text")
		read := func(chunk int) (rows []string) {
			s := newSplitter(strings.NewReader(text))
			s.chunk, s.delimiter, s.width = chunk, ',', 3
			for {
				var row Row
				err := s.next(&row)
				if errors.Is(err, io.EOF) {
					return rows
				}
				if err != nil {
					t.Fatal(err)
				}
				rows = append(rows, fmt.Sprintf("%d: %s %q %q", row.Line, row.Reason, row.Raw, row.Cells()))
			}
		}
		if diff := cmp.Diff(read(chunkBytes), read(1)); diff != "" {
			t.Errorf("rows (-at once +byte by byte):\n%s", diff)
		}
	})
}

// TestBrokenQuotesSwallowNoGoodRow puts lines with broken quotes between good rows. A good row with
// quotes is lost only where a quote that was opened before it makes it ambiguous; those without are not.
func TestBrokenQuotesSwallowNoGoodRow(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		bad := rapid.SampledFrom([]string{`"A,x`, `A,"x`, `"A"b,x`, `A,"x""`, `A,x,y`, `"`})
		lines := rapid.SliceOfN(rapid.OneOf(rapid.Just("GOOD,row"), bad), 1, 300).Draw(t, "lines")
		s := newSplitter(strings.NewReader(strings.Join(lines, "\n")))
		s.delimiter, s.width = ',', 2
		got := make(map[int]string)
		for {
			var row Row
			if err := s.next(&row); err != nil {
				break
			}
			got[row.Line] = strings.Join(row.Cells(), ",")
		}
		for i, line := range lines {
			// Between two broken lines a row can be part of a cell that is well-formed: "A,x … ".
			isAmbiguous := slices.ContainsFunc(lines[:i], func(s string) bool { return strings.Contains(s, `"`) }) &&
				slices.ContainsFunc(lines[i:], func(s string) bool { return strings.Contains(s, `"`) })
			if line == "GOOD,row" && !isAmbiguous && got[i+1] != line {
				t.Errorf("line %d was read as %q", i+1, got[i+1])
			}
		}
	})
}

// TestRoundTrip writes any table in any dialect and reads it back.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	utf16le := unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)
	utf16be := unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		set := rapid.SampledFrom([]encoding.Encoding{nil, utf16le, utf16be, charmap.Windows1252}).Draw(t, "encoding")
		name := map[encoding.Encoding]*string{utf16le: new("utf-16le"), utf16be: new("utf-16be"), charmap.Windows1252: new("latin1")}[set]
		letters := rapid.OneOf(rapid.SampledFrom([]rune("\",;\t|\r\n a1= é\u00a0")), rapid.Rune())
		if set == charmap.Windows1252 {
			letters = rapid.SampledFrom([]rune("\",;\t|\r\n ab1=éß€–"))
		}
		// NUL and, where a text was decoded, U+FFFD are what makes a row BAD_CHARACTER.
		isText := func(r rune) bool { return r != 0 && (r != '\uFFFD' || set == nil) }
		cell := rapid.StringOfN(letters.Filter(isText), 0, 12, -1)
		width := rapid.IntRange(2, 6).Draw(t, "width")
		table := rapid.SliceOfN(rapid.SliceOfN(cell, width, width), 0, 20).Draw(t, "table")
		header := append([]string{"code"}, []string{"a", "b", "c", "d", "e"}[:width-1]...)
		delimiter := rapid.SampledFrom([]rune(",;\t|")).Draw(t, "delimiter")

		var text strings.Builder
		w := csv.NewWriter(&text)
		w.Comma = delimiter
		if err := w.WriteAll(append([][]string{header}, table...)); err != nil {
			t.Fatal(err)
		}
		content := []byte(text.String())
		if set != nil {
			var err error
			if content, err = set.NewEncoder().Bytes(content); err != nil {
				t.Fatal(err)
			}
		}
		path := filepath.Join(dir, "table.csv")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := Open(path, coupon.FileOptions{Encoding: name}, Columns(coupon.ImportCodes))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = r.Close() }()
		var got [][]string
		for {
			row, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if row.Reason != "" {
				t.Fatalf("line %d is %s: %q", row.Line, row.Reason, row.Raw)
			}
			got = append(got, slices.Clone(row.Cells()))
		}
		if len(table) == 0 {
			table = nil
		}
		if diff := cmp.Diff(table, got); diff != "" {
			t.Errorf("table (-want +got):\n%s", diff)
		}
	})
}

func FuzzReader(f *testing.F) {
	f.Add([]byte("code,label\nA1,x\n"), uint8(0))
	f.Add([]byte("\"code\";label\r\n\"A\"\"1\";\"x\ny\"\r\"B2;\r\n;;\n"), uint8(1))
	f.Add([]byte("\xff\xfec\x00o\x00d\x00e\x00\n\x00A\x00"), uint8(2))
	f.Add([]byte("sep=|\nid|email\n1|a@b\n"), uint8(3))
	f.Add([]byte("A1,2026-01-01\n\xe4\n"), uint8(4))
	f.Add(gzipped(f, []byte("code\nA1\n")), uint8(8))
	f.Add([]byte("{\"code\":\"A1\",\"label\":null}\n{\"code\":6.9E+12,\"x\":[{\"y\":\"\\u00e4\"}]}\n{"), uint8(0))
	f.Add([]byte("{\"id\":1,\"tier\":\"gold\"}\r\n[1]\n{\"id\":2,\"city\":true}"), uint8(1))
	f.Add([]byte("<?xml version=\"1.0\"?><c><!-- --><value code=\"A&amp;1\"/>\n<value><code>B2</code><x><y/></x></value></c>"), uint8(0))
	f.Add([]byte("<r><recipient><id>1</id><tag>a</tag><tag><![CDATA[b]]></tag></recipient><recipient id='2'/></r>"), uint8(1))
	f.Add([]byte("<!DOCTYPE c [<!ENTITY x \"y\">]><c><value code=\"&x;\"/></c>"), uint8(12))
	f.Add(parquetOf(f, []parquetCode{{"A1", new("x")}, {"A1", nil}}), uint8(0))
	f.Add(parquetOf(f, []parquetCode{{"A1", new("x")}, {"A1", nil}}, parquet.DataPageVersion(1), parquet.Compression(&parquet.Zstd)), uint8(36))
	f.Fuzz(func(t *testing.T, content []byte, choice uint8) {
		kinds := []coupon.ImportKind{coupon.ImportCodes, coupon.ImportRecipients, coupon.ImportRedemptions, coupon.ImportTargets}
		options := coupon.FileOptions{}
		switch choice / 4 % 3 {
		case 1:
			options.HasHeader = new(false)
		case 2:
			options.HasHeader = new(true)
			options.Encoding = new("utf-8")
		}
		formats := []*coupon.FileFormat{nil, new(coupon.FormatXML), new(coupon.FormatJSONL), new(coupon.FormatParquet)}
		options.Format = formats[choice/12%4]
		columns := Columns(kinds[choice%4])
		r, err := Open(write(t, content), options, columns)
		if err != nil {
			if _, ok := errors.AsType[*coupon.UserError](err); !ok {
				t.Fatalf("got an internal error: %v", err)
			}
			return
		}
		defer func() { _ = r.Close() }()
		// Rows without values are counted as well: a page of Parquet has any number of them.
		r.source.left = 1 << 24
		buffer := bufferOf(r)
		line := 0
		for {
			row, err := r.Next()
			if err != nil {
				if _, ok := errors.AsType[*coupon.UserError](err); !ok && !errors.Is(err, io.EOF) {
					t.Fatalf("got an internal error: %v", err)
				}
				break
			}
			if row.Line <= line {
				t.Fatalf("line %d after line %d", row.Line, line)
			}
			line = row.Line
			checkRow(t, row, columns, len(r.Layout().Columns))
		}
		if grown := bufferOf(r); grown > buffer+4*MaxRowBytes {
			t.Errorf("the buffers have grown from %d to %d bytes", buffer, grown)
		}
	})
}

// bufferOf returns the size of the buffers that a reader holds.
func bufferOf(r *Reader) int {
	switch rows := r.rows.(type) {
	case *splitter:
		return cap(rows.buf) + cap(rows.text)
	case *jsonRows:
		return cap(rows.buf) + cap(rows.catalog.text) + cap(rows.name)
	case *xmlRows:
		return cap(rows.text.buf) + cap(rows.catalog.text) + cap(rows.own) + cap(rows.cell)
	case *parquetRows:
		return cap(rows.text)
	}
	return 0
}

// checkRow checks what holds for every row of every file.
func checkRow(t *testing.T, row *Row, columns []Column, width int) {
	t.Helper()
	cells := row.Cells()
	size := 0
	for _, cell := range cells {
		size += len(cell)
		if strings.ContainsRune(cell, 0) || strings.ToValidUTF8(cell, "") != cell {
			t.Errorf("line %d: %q is no text", row.Line, cell)
		}
	}
	if len(cells) > width || size > MaxRowBytes || width > 0 && (row.Reason == "") == (len(cells) == 0) {
		t.Errorf("line %d: %d cells of %d bytes, reason %q", row.Line, len(cells), size, row.Reason)
	}
	if row.Reason != "" && row.Reason != coupon.RejectedMalformed && row.Reason != coupon.RejectedBadCharacter {
		t.Errorf("line %d: reason %q", row.Line, row.Reason)
	}
	if len([]rune(row.Raw)) > coupon.MaxTextLength || strings.ContainsAny(row.Raw, "\x00\n\r") {
		t.Errorf("line %d: raw %q", row.Line, row.Raw)
	}
	for i := range columns {
		value := row.Get(i)
		isFound := slices.ContainsFunc(cells, func(cell string) bool { return strings.Contains(cell, value) })
		if value != "" && (!has(row, i) || !isFound) {
			t.Errorf("line %d: the value %q is in no cell", row.Line, value)
		}
	}
}
