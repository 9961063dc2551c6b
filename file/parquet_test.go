package file

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
	"github.com/parquet-go/parquet-go/deprecated"
	"pgregory.net/rapid"

	"couponql/coupon"
)

// parquetOf writes a Parquet file of these rows.
func parquetOf[T any](t testing.TB, rows []T, options ...parquet.WriterOption) []byte {
	t.Helper()
	var b bytes.Buffer
	w := parquet.NewGenericWriter[T](&b, options...)
	if _, err := w.Write(rows); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

type parquetCode struct {
	Code  string  `parquet:"Voucher Code"`
	Label *string `parquet:"label"`
}

func TestReadParquet(t *testing.T) {
	t.Parallel()
	type types struct {
		ID      string           `parquet:"id"`
		Bool    bool             `parquet:"bool"`
		Int32   int32            `parquet:"int32"`
		Int64   int64            `parquet:"int64"`
		Uint8   uint8            `parquet:"uint8"`
		Uint64  uint64           `parquet:"uint64"`
		Float32 float32          `parquet:"float32"`
		Float64 float64          `parquet:"float64"`
		Date    int32            `parquet:"date,date"`
		Millis  int64            `parquet:"millis,timestamp(millisecond)"`
		Micros  int64            `parquet:"micros,timestamp(microsecond:local)"`
		Nanos   int64            `parquet:"nanos,timestamp(nanosecond)"`
		Int96   deprecated.Int96 `parquet:"int96"`
		Decimal int64            `parquet:"decimal,decimal(2:18)"`
		UUID    [16]byte         `parquet:"uuid,uuid"`
		Bytes   []byte           `parquet:"bytes"`
		Fixed   [3]byte          `parquet:"fixed"`
		JSON    string           `parquet:"json,json"`
		Enum    string           `parquet:"enum,enum"`
		None    *float64         `parquet:"none"`
		NaN     float64          `parquet:"nan"`
	}
	at := time.Date(2026, 11, 24, 10, 15, 0, 500000000, time.FixedZone("", 3600))
	const julianDay = 2_461_369 // 24 November 2026.
	typed := parquetOf(t, []types{{
		ID: "42", Bool: true, Int32: -7, Int64: math.MinInt64, Uint8: 200, Uint64: math.MaxUint64,
		Float32: 0.1, Float64: 6.9e12,
		Date: int32(at.Unix() / secondsPerDay), Millis: at.UnixMilli(), Micros: at.UnixMicro(),
		Nanos: at.UnixNano(),
		Int96: deprecated.Int96{0: 1_000_000_000, 2: julianDay}, Decimal: -5,
		UUID:  [16]byte{0: 0x12, 15: 0xef},
		Bytes: []byte("b\"\n"), Fixed: [3]byte([]byte("abc")), JSON: "[1]", Enum: "x",
		NaN: math.NaN(),
	}, {
		ID: "43", Date: -1, Decimal: 123456, None: new(1e-7), Float64: 42,
		Fixed: [3]byte([]byte("abc")),
	}})
	tests := map[string]struct {
		kind    coupon.ImportKind
		options coupon.FileOptions
		content []byte
		want    []string
		columns []string
	}{
		"codes": {
			content: parquetOf(t,
				[]parquetCode{{"A1", new("soccer")}, {"B2", nil}, {" C3 ", new("")}}),
			want:    []string{"1: A1|soccer", "2: B2", "3:  C3 |"},
			columns: []string{"Voucher Code", "label"},
		},
		"no rows": {
			content: parquetOf(t, []parquetCode{}), columns: []string{"Voucher Code", "label"},
		},
		"asked for": {
			content: parquetOf(t, []parquetCode{{"A1", nil}}), want: []string{"1: A1"},
			columns: []string{"Voucher Code", "label"},
			options: coupon.FileOptions{Format: new(coupon.FormatParquet)},
		},
		"types": {
			kind: coupon.ImportRecipients, content: typed,
			want: []string{
				"1: 42 bool=true int32=-7 int64=-9223372036854775808 uint8=200 uint64=18446744073709551615 float32=0.1 float64=6900000000000" +
					" date=2026-11-24 millis=2026-11-24T09:15:00.5Z micros=2026-11-24T09:15:00.5 nanos=2026-11-24T09:15:00.5Z" +
					" int96=2026-11-24T00:00:01Z decimal=-0.05 uuid=12000000-0000-0000-0000-0000000000ef bytes=b\"\n fixed=abc json=[1] enum=x",
				"2: 43 bool=false int32=0 int64=0 uint8=0 uint64=0 float32=0 float64=42 date=1969-12-31 millis=1970-01-01T00:00:00Z" +
					" micros=1970-01-01T00:00:00 nanos=1970-01-01T00:00:00Z int96=-4713-11-24T00:00:00Z decimal=1234.56" +
					" uuid=00000000-0000-0000-0000-000000000000 bytes= fixed=abc json= enum= none=0.0000001 nan=0",
			},
		},
		"mapped": {
			content: parquetOf(t, []struct{ Gutschein, Code string }{{"A1", "7"}}),
			options: coupon.FileOptions{Columns: mapped("code", "gutschein")},
			want:    []string{"1: A1"}, columns: []string{"Gutschein", "Code"},
		},
		"bad characters": {
			content: parquetOf(t,
				[]parquetCode{{"A\xff", new("x")}, {"B2", nil}, {"C\x00", nil}, {"ä", nil}}),
			want: []string{
				"1: BAD_CHARACTER A\uFFFD,x", "2: B2", "3: BAD_CHARACTER C ,", "4: ä",
			}, columns: []string{"Voucher Code", "label"},
		},
		"long rows": {
			content: parquetOf(t,
				[]parquetCode{{strings.Repeat("x", MaxRowBytes+1), new("y")}, {"B2", nil}}),
			want:    []string{"1: MALFORMED " + strings.Repeat("x", coupon.MaxTextLength), "2: B2"},
			columns: []string{"Voucher Code", "label"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if test.kind == "" {
				test.kind = coupon.ImportCodes
			}
			layout, got := readAll(t, write(t, test.content), test.options, test.kind)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
			if test.columns != nil {
				if diff := cmp.Diff(test.columns, layout.Columns); diff != "" {
					t.Errorf("columns (-want +got):\n%s", diff)
				}
			}
			if layout.Format != coupon.FormatParquet || !layout.HasHeader {
				t.Errorf("got layout %+v", layout)
			}
		})
	}
}

func TestParquetErrors(t *testing.T) {
	t.Parallel()
	good := parquetOf(t, []parquetCode{{"A1", nil}, {"B2", nil}})
	wide := parquet.Group{}
	for i := range 10_000 {
		wide["c"+strconv.Itoa(i)] = parquet.String()
	}
	asked := coupon.FileOptions{Format: new(coupon.FormatParquet)}
	withMetadata := func(metadata string) string {
		size := binary.LittleEndian.AppendUint32(nil, uint32(len(metadata)))
		return "PAR1" + metadata + string(size) + "PAR1"
	}
	tests := map[string]struct {
		options coupon.FileOptions
		content string
		want    string
	}{
		"list": {
			content: string(parquetOf(t, []struct{ Code []string }{{}})),
			want:    "The column 1 of the Parquet file is nested. Write a file of simple columns, without lists and structures.",
		},
		"structure": {
			content: string(parquetOf(t, []struct{ Code struct{ A string } }{{}})),
			want:    "The column 1 of the Parquet file is nested. Write a file of simple columns, without lists and structures.",
		},
		"map": {
			content: string(parquetOf(t, []struct{ Code map[string]string }{{}})),
			want:    "is nested",
		},
		"time of day": {content: string(parquetOf(t, []struct {
			Code int32 `parquet:"code,time(millisecond)"`
		}{{}})), want: "values of a kind that cannot be read"},
		"no code": {
			content: string(parquetOf(t, []struct{ A, B string }{{}})),
			want:    "The file has 2 columns, and none for the codes. Name one `code`, or map it with options.columns.",
		},
		"too many columns": {
			content: string(schemaOnly(t, wide)),
			want:    "The file has more than 1000 columns, which is the most that can be read.",
		},
		"Brotli": {
			content: string(
				parquetOf(t, []parquetCode{{"A1", nil}}, parquet.Compression(&parquet.Brotli)),
			),
			want: "compressed with BROTLI; Snappy, gzip and zstd",
		},
		"LZ4": {content: string(
			parquetOf(t, []parquetCode{{"A1", nil}}, parquet.Compression(&parquet.Lz4Raw)),
		), want: "compressed with LZ4_RAW"},
		"cut off":        {content: string(good[:len(good)-1]), want: "damaged or cut off"},
		"cut off, a lot": {content: string(good[:64]), want: "damaged or cut off"},
		"beginning lost": {content: "PAR1\x00" + string(good[20:]), want: "damaged"},
		"only magic":     {content: "PAR1\x00PAR1", options: asked, want: "damaged or cut off"},
		"encrypted": {
			content: "PARE\x00" + string(good[4:len(good)-4]) + "PARE", want: "encrypted",
		},
		"compressed": {
			content: string(gzipped(t, good)), want: "The Parquet file is compressed once more",
		},
		"CSV, asked for": {
			content: "code\nA1\n", options: asked, want: "The file is not Parquet.",
		},
		"text, asked for": {
			content: "PAR1,x\nand more", options: asked, want: "damaged or cut off",
		},
		"Parquet is no CSV": {content: string(good), options: coupon.FileOptions{Format: new(coupon.FormatCSV)}, want: "not text"},
		"Parquet is no XML": {content: string(good), options: coupon.FileOptions{Format: new(coupon.FormatXML)}, want: "not text"},
		"metadata too long": {
			content: "PAR1\x00\x00\x00\x00\xff\xff\xff\xffPAR1", want: "damaged or cut off",
		},
		// Two thousand million row groups, in 23 bytes.
		"row group bomb": {
			content: withMetadata("\x49\xfc\xff\xff\xff\xff\x07"), options: asked,
			want: "damaged or cut off",
		},
		"map bomb": {
			content: withMetadata("\x0b\x14\xff\xff\xff\xff\x07\xcc"), options: asked,
			want: "damaged or cut off",
		},
		"deep lists": {
			content: withMetadata("\xf9" + strings.Repeat("\x19", 1<<20)), options: asked,
			want: "damaged or cut off",
		},
		"deep structs": {
			content: withMetadata(strings.Repeat("\xfc", 8<<20)), options: asked,
			want: "damaged or cut off",
		},
		"many structs": {
			content: withMetadata("\x49\xfc" + string(binary.AppendUvarint(nil, 8<<20)) +
				strings.Repeat("\x00", 8<<20)),
			want: "damaged or cut off",
		},
		"no metadata": {content: withMetadata("\x00"), options: asked, want: "damaged or cut off"},
		"empty":       {content: "", options: asked, want: "The file is empty."},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := Open(write(t, []byte(test.content)), test.options,
				Columns(coupon.ImportCodes))
			for err == nil {
				_, err = r.Next()
			}
			checkUserError(t, err, "", test.want)
		})
	}
}

// schemaOnly writes a Parquet file without rows.
func schemaOnly(t *testing.T, group parquet.Group) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := parquet.NewWriter(&b, parquet.NewSchema("wide", group)).Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestParquetRoundTrip writes any table in every encoding, compression and version of pages, with
// many small pages and row groups, and reads it back.
func TestParquetRoundTrip(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		codec := rapid.SampledFrom(
			[]compress.Codec{&parquet.Uncompressed, &parquet.Snappy, &parquet.Gzip, &parquet.Zstd},
		).Draw(t, "codec")
		texts := []parquet.Node{
			parquet.Encoded(parquet.String(), &parquet.Plain),
			parquet.Encoded(parquet.String(), &parquet.RLEDictionary),
			parquet.Encoded(parquet.String(), &parquet.DeltaLengthByteArray),
			parquet.Encoded(parquet.String(), &parquet.DeltaByteArray),
		}
		numbers := []parquet.Node{
			parquet.Encoded(parquet.Int(64), &parquet.Plain),
			parquet.Encoded(parquet.Int(64), &parquet.RLEDictionary),
			parquet.Encoded(parquet.Int(64), &parquet.DeltaBinaryPacked),
			parquet.Encoded(parquet.Int(32), &parquet.DeltaBinaryPacked),
			parquet.Encoded(parquet.Int(32), &parquet.RLEDictionary),
			parquet.Encoded(parquet.Int(64), &parquet.ByteStreamSplit),
		}
		flags := []parquet.Node{
			parquet.Leaf(parquet.BooleanType),
			parquet.Encoded(parquet.Leaf(parquet.BooleanType), &parquet.RLE),
		}
		group := parquet.Group{"code": rapid.SampledFrom(texts).Draw(t, "code")}
		for name, nodes := range map[string][]parquet.Node{
			"flag": flags, "number": numbers, "text": texts,
		} {
			node := rapid.SampledFrom(nodes).Draw(t, name)
			if rapid.Bool().Draw(t, "optional") {
				node = parquet.Optional(node)
			}
			group[name] = parquet.Compressed(node, codec)
		}
		schema := parquet.NewSchema("table", group)
		text := rapid.StringOfN(rapid.Rune().Filter(func(r rune) bool { return r != 0 }), 0, 20, -1)
		number := rapid.OneOf(rapid.Int64(), rapid.Int64Range(-3, 300))
		if group["number"].Type().Kind() == parquet.Int32 {
			number = rapid.OneOf(rapid.Int64Range(math.MinInt32, math.MaxInt32),
				rapid.Int64Range(-3, 300))
		}
		one := rapid.Custom(func(t *rapid.T) map[string]any {
			row := map[string]any{"code": text.Draw(t, "code")}
			for name, draw := range map[string]func() any{
				"flag":   func() any { return rapid.Bool().Draw(t, "flag") },
				"number": func() any { return number.Draw(t, "number") },
				"text":   func() any { return text.Draw(t, "text") },
			} {
				if !group[name].Optional() || rapid.IntRange(0, 4).Draw(t, "null") > 0 {
					row[name] = draw()
				}
			}
			return row
		})
		// Repeated, so that there are runs and more than one block.
		table := slices.Repeat(rapid.SliceOfN(one, 0, 40).Draw(t, "table"),
			rapid.SampledFrom([]int{1, 1, 2, 30}).Draw(t, "repeat"))
		names := []string{"code", "flag", "number", "text"}
		var b bytes.Buffer
		w := parquet.NewWriter(&b, schema,
			parquet.DataPageVersion(rapid.IntRange(1, 2).Draw(t, "version")),
			parquet.PageBufferSize(rapid.SampledFrom([]int{16, 200, 1 << 20}).Draw(t, "page")),
			parquet.MaxRowsPerRowGroup(
				rapid.SampledFrom([]int64{7, 300, 1 << 20}).Draw(t, "group"),
			))
		for _, row := range table {
			values := make(parquet.Row, len(names))
			for i, name := range names {
				values[i] = parquetValueOf(row[name], group[name], i)
			}
			if _, err := w.WriteRows([]parquet.Row{values}); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, "table")
		if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := Open(path, coupon.FileOptions{}, Columns(coupon.ImportCodes))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = r.Close() }()
		for i, want := range table {
			row, err := r.Next()
			if err != nil || row.Reason != "" || row.Line != i+1 {
				t.Fatalf("row %d of %d: got %+v, %v", i, len(table), row, err)
			}
			got := map[string]string{"code": row.Get(0)}
			row.Extra(func(name string, cell coupon.Cell) {
				if cell.Presence != coupon.Null {
					got[name] = cell.Text
				}
			})
			texts := make(map[string]string)
			for name, value := range want {
				texts[name] = fmt.Sprint(value)
			}
			if diff := cmp.Diff(texts, got); diff != "" {
				t.Fatalf("row %d (-want +got):\n%s", i, diff)
			}
		}
		_, err = r.Next()
		if read, size := r.Position(); !errors.Is(err, io.EOF) || read != size {
			t.Errorf("got %v at the end, %d of %d", err, read, size)
		}
	})
}

// parquetValueOf makes the value of a column; nil is null.
func parquetValueOf(value any, node parquet.Node, column int) parquet.Value {
	level := 0
	if node.Optional() {
		level = 1
	}
	if value == nil {
		return parquet.NullValue().Level(0, 0, column)
	}
	if number, ok := value.(int64); ok && node.Type().Kind() == parquet.Int32 {
		value = int32(number)
	}
	return parquet.ValueOf(value).Level(0, level, column)
}

// TestDamagedParquet changes some bytes of files in every encoding. Whatever comes of it must be
// rows or an error for the user, soon and in little memory.
func TestDamagedParquet(t *testing.T) { //nolint:paralleltest // it measures the memory of the process
	type row struct {
		Code   string  `parquet:"code"`
		Dict   string  `parquet:"dict,dict"`
		Length string  `parquet:"length,delta"`
		Number int64   `parquet:"number,delta"`
		Label  *string `parquet:"label,zstd"`
		Flag   *bool   `parquet:"flag,gzip"`
		Float  float64 `parquet:"float,snappy"`
	}
	rows := make([]row, 300)
	for i := range rows {
		rows[i] = row{
			Code: strconv.Itoa(i), Dict: strconv.Itoa(i % 5), Length: "x", Number: int64(i * i),
			Float: float64(i), Flag: new(i%2 == 0),
		}
		if i%3 > 0 {
			rows[i].Label = new(fmt.Sprint("label", i%7))
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	path := filepath.Join(t.TempDir(), "rows")
	files := [][]byte{
		parquetOf(t, rows, parquet.DataPageVersion(1)),
		parquetOf(t, rows, parquet.DataPageVersion(2), parquet.PageBufferSize(500)),
	}
	outcomes := make(map[bool]int)
	for i := range 1500 {
		content := slices.Clone(files[i%2])
		for range 1 + random.IntN(4) {
			content[4+random.IntN(len(content)-8)] = byte(random.Uint32())
		}
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		if i%50 == 0 {
			runtime.ReadMemStats(&before)
		}
		r, err := Open(path, coupon.FileOptions{}, Columns(coupon.ImportCodes))
		if err == nil {
			r.source.left = 1 << 24
			for err == nil {
				_, err = r.Next()
			}
			_ = r.Close()
		}
		if _, ok := errors.AsType[*coupon.UserError](err); !ok && !errors.Is(err, io.EOF) {
			t.Fatalf("file %d: got an internal error: %v", i, err)
		}
		outcomes[errors.Is(err, io.EOF)]++
		if i%50 == 0 {
			runtime.ReadMemStats(&after)
			if used := after.TotalAlloc - before.TotalAlloc; used > 600<<20 {
				t.Errorf("file %d: %d MiB were allocated", i, used>>20)
			}
		}
	}
	if outcomes[true] == 0 || outcomes[false] == 0 {
		t.Errorf("got %d files read to the end and %d errors", outcomes[true], outcomes[false])
	}
}
