package db_test

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"couponql/coupon"
)

// rejects returns the file of the rejected rows of an import.
func (s *scene) rejects(t *testing.T, id coupon.ID) string {
	t.Helper()
	var b strings.Builder
	if err := s.WriteRejects(t.Context(), id, &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func gzipped(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestWriteRejects imports files with bad rows, mends what was rejected and imports that.
func TestWriteRejects(t *testing.T) {
	t.Parallel()
	const (
		withHeader = "Code;Note;label\nA1;x;soccer\nKNOWN;\"n;1\";\n \"A2;y;\n;z;tennis\nA1; q;\n"
		rejects    = "Code,Note,label,_line,_reason,_value\nKNOWN,n;1,,3,ALREADY_EXISTS,KNOWN\n,,,4,MALFORMED,\" \"\"A2;y;\"\n" +
			",z,tennis,5,EMPTY,\nA1,q,,6,DUPLICATE_IN_FILE,A1\n"
	)
	for name, test := range map[string]struct {
		content, want string
		mend          []string
		edit          func(*coupon.Import)
		// again is what becomes of the mended file.
		again string
		codes []string
	}{
		"CSV": {
			content: withHeader, want: rejects,
			mend:  []string{"KNOWN,n", "B1,n", "\n,,,4,", "\nA2,y,,4,", "\n,z", "\nB2,z", "\nA1,", "\nB3,"},
			again: "SUCCEEDED 4 = 4 + 0", codes: []string{"A1", "A2", "B1", "B2", "B3"},
		},
		"CSV, partly mended": {
			content: withHeader, want: rejects, mend: []string{"KNOWN,n", "B1,n"},
			again: "SUCCEEDED 4 = 1 + 3", codes: []string{"A1", "B1"},
		},
		"gzip": {
			content: gzipped(t, withHeader), want: rejects, mend: []string{"KNOWN,n", "B1,n"},
			again: "SUCCEEDED 4 = 1 + 3", codes: []string{"A1", "B1"},
		},
		"CSV, nothing imported": {
			content: withHeader, want: rejects, mend: []string{"KNOWN,n", "B1,n", "\nA1,", "\nB3,"}, edit: rejectFile,
			again: "SUCCEEDED 4 = 2 + 2", codes: []string{"B1", "B3"},
		},
		"CSV without a header, one column": {
			content: "A1\nKNOWN\n", want: "code,_line,_reason,_value\nKNOWN,2,ALREADY_EXISTS,KNOWN\n", mend: []string{"\nKNOWN", "\nB1"},
			again: "SUCCEEDED 1 = 1 + 0", codes: []string{"A1", "B1"},
		},
		"CSV without a header": {
			content: "A1,soccer,x\nKNOWN,tennis,y\n", want: "code,label,column3,_line,_reason,_value\nKNOWN,tennis,y,2,ALREADY_EXISTS,KNOWN\n",
			mend: []string{"\nKNOWN", "\nB1"}, edit: func(i *coupon.Import) { i.Options.HasHeader = new(false) },
			again: "SUCCEEDED 1 = 1 + 0", codes: []string{"A1", "B1"},
		},
		"XML": {
			content: "<codes><code><value>A1</value></code><code><value>KNOWN</value><label>a &amp; \"b\"</label></code>\n<code><value/></code></codes>",
			want:    "value,label,_line,_reason,_value\nKNOWN,\"a & \"\"b\"\"\",2,ALREADY_EXISTS,KNOWN\n,,3,EMPTY,\n", mend: []string{"\nKNOWN", "\nB1"},
			again: "SUCCEEDED 2 = 1 + 1", codes: []string{"A1", "B1"},
		},
		"JSONL, a column that turns up late": {
			content: strings.Repeat("{\"code\":\"A1\"}\n", 1001) + "{\"code\":\"KNOWN\",\"note\":\"n\"}\n{\"code\n",
			want: "code,note,_line,_reason,_value\n" + manyDuplicates(2, 1001) +
				"KNOWN,n,1002,ALREADY_EXISTS,KNOWN\n,,1003,MALFORMED,\"{\"\"code\"\n",
			mend:  []string{"\nKNOWN", "\nB1"},
			again: "SUCCEEDED 1002 = 1 + 1001", codes: []string{"A1", "B1"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			c := s.newCoupon(t)
			s.codes(t, c, "", "KNOWN")
			edits := []func(*coupon.Import){into(c)}
			if test.edit != nil {
				edits = append(edits, test.edit)
			}
			first := s.importFile(t, newImport(coupon.ImportCodes, edits...), test.content)
			got := s.rejects(t, first.ID)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Fatalf("%v (-want +got):\n%s", first.Failure, diff)
			}
			mended := s.importFile(t, newImport(coupon.ImportCodes, into(c)), strings.NewReplacer(test.mend...).Replace(got))
			wantImport(t, mended, test.again)
			for _, value := range test.codes {
				if _, err := s.CodeByValue(t.Context(), value, coupon.AnyState); err != nil {
					t.Errorf("%s: %v", value, err)
				}
			}
			if mended.RowsRejected == 0 {
				return
			}
			// What is told about the rows is told anew, once.
			again := s.rejects(t, mended.ID)
			header, _, _ := strings.Cut(got, "\n")
			if !strings.HasPrefix(again, header+"\n") || strings.Count(again, "\n") != mended.RowsRejected+1 {
				t.Errorf("the rejected rows of the mended file are %q", again)
			}
		})
	}
}

func manyDuplicates(from, to int) string {
	var b strings.Builder
	for line := from; line <= to; line++ {
		fmt.Fprintf(&b, "A1,,%d,DUPLICATE_IN_FILE,A1\n", line)
	}
	return b.String()
}

// TestManyRejects has more rejected rows than are read at once, of recipients with attributes.
func TestManyRejects(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	const rows = 25_000
	var content strings.Builder
	content.WriteString("id,sport\n")
	for range rows {
		content.WriteString(", \" tennis\"\n")
	}
	content.WriteString("r1,soccer\n")
	i := s.importFile(t, newImport(coupon.ImportRecipients), content.String())
	wantImport(t, i, "SUCCEEDED 25001 = 1 + 25000")
	records, err := csv.NewReader(strings.NewReader(s.rejects(t, i.ID))).ReadAll()
	if err != nil || len(records) != rows+1 {
		t.Fatalf("%d records, %v", len(records), err)
	}
	for place, want := range map[int][]string{
		0: {"id", "sport", "_line", "_reason", "_value"}, 1: {"", " tennis", "2", "EMPTY", ""}, rows: {"", " tennis", fmt.Sprint(rows + 1), "EMPTY", ""},
	} {
		if diff := cmp.Diff(want, records[place]); diff != "" {
			t.Errorf("record %d (-want +got):\n%s", place, diff)
		}
	}
}

func TestNoRejects(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.newCoupon(t)
	good := s.importFile(t, newImport(coupon.ImportCodes, into(c)), "code\nA1\n")
	bad := s.importFile(t, newImport(coupon.ImportCodes, into(c)), "code\nA1\n")
	waiting := s.queue(t, newImport(coupon.ImportCodes, into(c)), "code\nA1\n")
	refused := func(id coupon.ID) {
		t.Helper()
		var b strings.Builder
		wantError(t, s.WriteRejects(t.Context(), id, &b), coupon.ErrorNotFound, "")
		if b.Len() > 0 {
			t.Errorf("%s: %q was written", id, b.String())
		}
	}
	for _, id := range []coupon.ID{"import_9", "coupon_1", good.ID, waiting} {
		refused(id)
	}
	if got := s.rejects(t, bad.ID); got != "code,_line,_reason,_value\nA1,2,ALREADY_EXISTS,A1\n" {
		t.Errorf("got %q", got)
	}
	broken := errors.New("the client went away")
	if err := s.WriteRejects(t.Context(), bad.ID, failingWriter{broken}); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	s.clock.Advance(coupon.RejectsLifetime)
	refused(bad.ID)
}

// failingWriter fails.
type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }

// TestLinkKey: the key is random, one for each database, and stays.
func TestLinkKey(t *testing.T) {
	t.Parallel()
	s, other := newScene(t), newScene(t)
	key, err := s.LinkKey(t.Context())
	if err != nil || len(key) != 32 {
		t.Fatalf("%d bytes, %v", len(key), err)
	}
	s.reopen(t)
	if again, err := s.LinkKey(t.Context()); err != nil || !bytes.Equal(again, key) {
		t.Errorf("the key changed, %v", err)
	}
	if another, err := other.LinkKey(t.Context()); err != nil || bytes.Equal(another, key) {
		t.Errorf("two databases have one key, %v", err)
	}
}
