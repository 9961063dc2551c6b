package file

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"couponql/coupon"
)

// TestGigabyteLine reads a line of 1 GiB, which is a small file as long as it is compressed, in
// each format, in little memory. In XML there is nothing to go on with after it.
func TestGigabyteLine(t *testing.T) { //nolint:paralleltest // it measures the memory of the process
	tests := map[string]struct {
		start, end string
		rows       int
		want       string // "": the rows after the line are read.
	}{
		"JSONL": {
			start: "{\"code\":\"A1\"}\n{\"code\":\"", end: "\"}\n{\"code\":\"B2\"}", rows: 3,
		},
		"JSONL, at first": {
			start: "{\"code\":\"", end: "\"}\n{\"code\":\"B2\"}",
			want: "none of its first lines is a JSON object",
		},
		"XML, attribute": {
			start: "<c><value code=\"A1\"/><value code=\"", end: "\"/></c>", rows: 1,
			want: "a part of it is longer",
		},
		"XML, text": {
			start: "<c><value code=\"A1\"/>", end: "</c>", rows: 1, want: "a part of it is longer",
		},
	}
	const memberBytes = 16 << 20
	member := gzipped(t, bytes.Repeat([]byte("x"), memberBytes))
	for name, test := range tests {
		path := filepath.Join(t.TempDir(), "rows")
		// Members of gzip that follow each other are one file.
		content := gzipped(t, []byte(test.start))
		for range 1 << 30 / memberBytes {
			content = append(content, member...)
		}
		content = append(content, gzipped(t, []byte(test.end))...)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		r, err := Open(path, coupon.FileOptions{}, Columns(coupon.ImportCodes))
		rows := -1
		for err == nil {
			rows++
			_, err = r.Next()
		}
		runtime.ReadMemStats(&after)
		user, ok := errors.AsType[*coupon.UserError](err)
		if test.want == "" && !errors.Is(err, io.EOF) ||
			test.want != "" && (!ok || !strings.Contains(user.Message, test.want)) {
			t.Errorf("%s: got %v, want %q", name, err, test.want)
		}
		if max(rows, 0) != test.rows {
			t.Errorf("%s: got %d rows, want %d", name, rows, test.rows)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 48<<20 {
			t.Errorf("%s: %d MiB were allocated", name, used>>20)
		}
	}
}
