package file

import (
	"bytes"
	"fmt"
	"os"
	"testing"

	"golang.org/x/text/encoding/unicode"

	"couponql/coupon"
)

// new1M returns a CSV file of a million rows.
func new1M(b *testing.B, format string) (path string, size int64) {
	b.Helper()
	return newMillion(b, "code,label\n", format, "")
}

func benchmarkRead(b *testing.B, path string, size int64) {
	b.Helper()
	b.SetBytes(size)
	b.ReportAllocs()
	rows, length := 0, 0
	for b.Loop() {
		r := open(b, path, coupon.FileOptions{}, coupon.ImportCodes)
		for {
			row, err := r.Next()
			if err != nil {
				break
			}
			rows++
			length += len(row.Get(0)) + len(row.Get(1))
		}
	}
	if rows != b.N*1_000_000 || length == 0 {
		b.Errorf("read %d rows in %d runs", rows, b.N)
	}
	b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
}

func BenchmarkReadPlain(b *testing.B) {
	path, size := new1M(b, "CODE-%08X,soccer\n")
	benchmarkRead(b, path, size)
}

func BenchmarkReadCRLF(b *testing.B) {
	path, size := new1M(b, "CODE-%08X,soccer\r\n")
	benchmarkRead(b, path, size)
}

func BenchmarkReadQuoted(b *testing.B) {
	path, size := new1M(b, "\"CODE-%08X\",\"soccer\"\n")
	benchmarkRead(b, path, size)
}

func BenchmarkReadUnicode(b *testing.B) {
	path, size := new1M(b, "CODE-%08X,Fußball\n")
	benchmarkRead(b, path, size)
}

func BenchmarkReadUTF16(b *testing.B) {
	path, size := new1M(b, "CODE-%08X,soccer\n")
	text, err := os.ReadFile(path)
	if err != nil {
		b.Fatal(err)
	}
	path = write(b, encoded(b, unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), string(text)))
	benchmarkRead(b, path, 2*size)
}

func BenchmarkReadGzip(b *testing.B) {
	path, size := new1M(b, "CODE-%08X,soccer\n")
	text, err := os.ReadFile(path)
	if err != nil {
		b.Fatal(err)
	}
	benchmarkRead(b, write(b, gzipped(b, text)), size)
}

// newMillion returns a file of a million rows between start and end.
func newMillion(b *testing.B, start, format, end string) (path string, size int64) {
	b.Helper()
	var text bytes.Buffer
	text.WriteString(start)
	for i := range 1_000_000 {
		fmt.Fprintf(&text, format, uint32(i)*2654435761)
	}
	text.WriteString(end)
	return write(b, text.Bytes()), int64(text.Len())
}

func BenchmarkReadJSONL(b *testing.B) {
	path, size := newMillion(b, "", "{\"code\":\"CODE-%08X\",\"label\":\"soccer\"}\n", "")
	benchmarkRead(b, path, size)
}

func BenchmarkReadXML(b *testing.B) {
	path, size := newMillion(b, "<coupon>\n", "<value code=\"CODE-%08X\" label=\"soccer\"/>\n", "</coupon>\n")
	benchmarkRead(b, path, size)
}

func BenchmarkReadXMLElements(b *testing.B) {
	path, size := newMillion(b, "<coupon>\n", "<value><code>CODE-%08X</code><label>soccer</label></value>\n", "</coupon>\n")
	benchmarkRead(b, path, size)
}

func BenchmarkReadParquet(b *testing.B) {
	type row struct {
		Code  string `parquet:"code,snappy"`
		Label string `parquet:"label,dict,snappy"`
	}
	rows := make([]row, 1_000_000)
	for i := range rows {
		rows[i] = row{Code: fmt.Sprintf("CODE-%08X", uint32(i)*2654435761), Label: "soccer"}
	}
	content := parquetOf(b, rows)
	benchmarkRead(b, write(b, content), int64(len(content)))
}
