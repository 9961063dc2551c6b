package file

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"couponql/coupon"
)

func TestReadCompressed(t *testing.T) {
	t.Parallel()
	var text bytes.Buffer
	text.WriteString("code,label\n")
	const rows = 100_000
	for i := range rows {
		fmt.Fprintf(&text, "CODE-%08x,soccer\n", i*2654435761)
	}
	encoder, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	zst := encoder.EncodeAll(text.Bytes(), nil)
	gz := gzipped(t, text.Bytes())
	quoted := gzipped(t, bytes.ReplaceAll(text.Bytes(), []byte(",soccer"), []byte(",\"soccer\"")))
	tests := map[string]struct {
		content []byte
		isCut   bool
	}{
		"plain": {content: text.Bytes()},
		"gzip":  {content: gz},
		"zstd":  {content: zst},
		"zstd, skip first": {
			content: append([]byte{0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 1, 2}, zst...),
		},
		"gzip, cut off":    {content: gz[:len(gz)-len(gz)/3], isCut: true},
		"zstd, cut off":    {content: zst[:len(zst)-len(zst)/3], isCut: true},
		"gzip, quoted":     {content: quoted},
		"quoted, cut off":  {content: quoted[:len(quoted)-len(quoted)/3], isCut: true},
		"gzip, no trailer": {content: gz[:len(gz)-4], isCut: true},
		"gzip, damaged": {
			content: append(slices.Clone(gz[:len(gz)-4]), 1, 2, 3, 4), isCut: true,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := open(t, write(t, test.content), coupon.FileOptions{}, coupon.ImportCodes)
			count, last := 0, 1
			for {
				row, err := r.Next()
				if err != nil {
					checkLast(t, r, err, test.isCut, last)
					break
				}
				if want := fmt.Sprintf("CODE-%08x", count*2654435761); row.Get(0) != want ||
					row.Get(1) != "soccer" || row.Reason != "" {
					t.Fatalf("line %d: got %q, %q, %q, want %q", row.Line, row.Get(0), row.Get(1),
						row.Reason, want)
				}
				count, last = count+1, row.Line
			}
			if !test.isCut && count != rows || count < rows/4 {
				t.Errorf("got %d rows", count)
			}
		})
	}
}

// checkLast checks the error after the last row, and that it stays.
func checkLast(t *testing.T, r *Reader, err error, isCut bool, line int) {
	t.Helper()
	if !isCut && !errors.Is(err, io.EOF) {
		t.Errorf("got %v at the end", err)
	}
	if read, size := r.Position(); !isCut && read != size || size == 0 {
		t.Errorf("got position %d of %d at the end", read, size)
	}
	want := fmt.Sprintf("nothing can be read after line %d.", line)
	user, ok := errors.AsType[*coupon.UserError](err)
	if isCut && (!ok || user.Code != coupon.ErrorFileUnreadable ||
		!strings.Contains(user.Message, want)) {
		t.Errorf("got %v, want %q", err, want)
	}
	if _, again := r.Next(); again == nil || again.Error() != err.Error() {
		t.Errorf("got %v, then %v", err, again)
	}
}

func TestCutOffWithinQuotes(t *testing.T) {
	t.Parallel()
	content := gzipped(t, []byte("code\nA1\n\"B2\n"))
	r := open(t, write(t, content[:len(content)-4]), coupon.FileOptions{}, coupon.ImportCodes)
	if row, err := r.Next(); err != nil || row.Get(0) != "A1" {
		t.Fatalf("got %v, %v", row, err)
	}
	_, err := r.Next()
	checkLast(t, r, err, true, 2)
}

func TestZstdWindow(t *testing.T) {
	t.Parallel()
	const magic = "\x28\xb5\x2f\xfd"
	const block = "\x29\x00\x00code\n"
	r := open(t, write(t, []byte(magic+"\x00\x88"+block)), coupon.FileOptions{}, coupon.ImportCodes)
	if got := r.Layout().Columns; len(got) != 1 {
		t.Errorf("got the columns %q with a window of 128 MiB", got)
	}
	_, err := Open(write(t, []byte(magic+"\x00\x90"+block)), coupon.FileOptions{},
		Columns(coupon.ImportCodes))
	user, ok := errors.AsType[*coupon.UserError](err)
	if !ok || user.Code != coupon.ErrorFileUnreadable ||
		!strings.Contains(user.Message, "too much memory") {
		t.Errorf("got %v with a window of 256 MiB", err)
	}
}

func TestFileTooLarge(t *testing.T) {
	t.Parallel()
	path := write(t, gzipped(t, []byte("code\n"+strings.Repeat("A1\n", 1<<20))))
	r := open(t, path, coupon.FileOptions{}, coupon.ImportCodes)
	r.source.left = 1 << 20
	count := 0
	for {
		_, err := r.Next()
		if err == nil {
			count++
			continue
		}
		user, ok := errors.AsType[*coupon.UserError](err)
		if !ok || user.Code != coupon.ErrorFileTooLarge {
			t.Errorf("got %v after %d rows", err, count)
		}
		break
	}
	if count == 0 || count > 1<<20 {
		t.Errorf("got %d rows", count)
	}
}

// TestMemoryIsBounded reads what would take a lot of memory if it were held: a line of 16 MiB, an
// open quote, and a small file that unpacks to the same.
func TestMemoryIsBounded(t *testing.T) { //nolint:paralleltest // it measures the memory of the process
	line := bytes.Repeat([]byte("x"), 16<<20)
	for name, start := range map[string]string{
		"line": "code\n", "quote": "code\n\"", "header": "",
	} {
		path := write(t, gzipped(t, append([]byte(start), line...)))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		r, err := Open(path, coupon.FileOptions{}, Columns(coupon.ImportCodes))
		for err == nil {
			_, err = r.Next()
		}
		runtime.ReadMemStats(&after)
		if user, ok := errors.AsType[*coupon.UserError](err); name == "header" &&
			(!ok || user.Code != coupon.ErrorFileUnreadable) {
			t.Errorf("%s: got %v", name, err)
		} else if name != "header" && !errors.Is(err, io.EOF) {
			t.Errorf("%s: got %v", name, err)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 8<<20 {
			t.Errorf("%s: %d MiB were allocated", name, used>>20)
		}
	}
}

func gzipped(t testing.TB, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
