package command

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// content is a file of several chunks.
var content = "code\n" + strings.Repeat("0123456789\n", 500)

func TestImport(t *testing.T) {
	t.Parallel()
	s := newServer(t, func(s *server) {
		s.answers["ImportProgress"] = []string{
			`{"data":{"import":{"status":"QUEUED","progress":0,"rowsRead":0}}}`,
			`{"data":{"import":{"status":"RUNNING","progress":0.5,"rowsRead":1}}}`,
			`{"data":{"import":{"status":"SUCCEEDED","progress":1,"rowsRead":3}}}`,
		}
	})
	got := s.run(t.Context(), t, nil, nil, "import", "codes", "--coupon", "SUMMER",
		write(t, "codes.csv", content))
	want := result{
		0, "codes.csv: imported as import_1\n  3 rows read, 3 imported, 0 rejected\n  3 added\n",
		"",
	}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	u := s.uploads[0]
	if string(u.content) != content || u.size != int64(len(content)) || u.fileName != "codes.csv" {
		t.Errorf("the server has %d bytes of %d as %q", len(u.content), u.size, u.fileName)
	}
	if s.requests[http.MethodPatch] != 6 {
		t.Errorf("got %v, want 6 chunks", s.requests)
	}
	wantAsked := []string{
		"FindCoupon", "CreateUpload", "ImportCodes", "ImportProgress", "ImportProgress",
		"ImportProgress", "GetImport",
	}
	if !slices.Equal(s.asked, wantAsked) {
		t.Errorf("got %v, want %v", s.asked, wantAsked)
	}
}

// TestImportInput tells what becomes of the flags.
func TestImportInput(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ args, operation, want string }{
		{
			"codes --coupon coupon_17", "ImportCodes",
			`{"couponId":"coupon_17","uploadId":"upload_1"}`,
		},
		{"codes", "ImportCodes", `{"uploadId":"upload_1"}`},
		{"coupons --dry-run", "ImportCoupons", `{"dryRun":true,"uploadId":"upload_1"}`},
		{
			"codes --coupon summer --coupon SUMMER --mode replace-unused --label=a,b --dry-run --reject-file", "ImportCodes",
			`{"couponId":"coupon_17","dryRun":true,"label":"a,b","mode":"REPLACE_UNUSED","onRejection":"REJECT_FILE","uploadId":"upload_1"}`,
		},
		{
			"codes --coupon SUMMER --mode VOID --format Jsonl --delimiter=tab --encoding utf-16 --header --column code=a,b=c --column label=2", "ImportCodes",
			`{"couponId":"coupon_17","mode":"VOID","options":{"columns":[{"column":"a,b=c","field":"code"},{"column":"2","field":"label"}],` +
				`"delimiter":"\t","encoding":"utf-16","format":"JSONL","hasHeader":true},"uploadId":"upload_1"}`,
		},
		{
			"redemptions --nothing=NULL --nothing= --nothing=- --date-order month-first --decimal-mark comma --no-spreadsheet-safe", "ImportRedemptions",
			`{"options":{"dateOrder":"MONTH_FIRST","decimalMark":",","isSpreadsheetSafe":false,"nothing":["NULL","","-"]},"uploadId":"upload_1"}`,
		},
		{
			"recipients --no-header --delimiter=;", "ImportRecipients",
			`{"options":{"delimiter":";","hasHeader":false},"uploadId":"upload_1"}`,
		},
		{
			"recipients --max-rejections 0", "ImportRecipients",
			`{"options":{"maxRejections":0},"uploadId":"upload_1"}`,
		},
		{
			"redemptions --timezone Europe/Berlin", "ImportRedemptions",
			`{"timezone":"Europe/Berlin","uploadId":"upload_1"}`,
		},
		{
			"targets --delivery delivery_3", "ImportTargets",
			`{"deliveryId":"delivery_3","uploadId":"upload_1"}`,
		},
	} {
		t.Run(test.args, func(t *testing.T) {
			t.Parallel()
			s := newServer(t, nil)
			args := append([]string{"import"}, strings.Fields(test.args)...)
			if got := s.run(t.Context(), t, nil, nil,
				append(args, write(t, "codes.csv", "code\nA\n"))...); got.code != 0 {
				t.Fatalf("got %+v", got)
			}
			got, err := json.Marshal(s.inputs[test.operation][0])
			if err != nil || string(got) != test.want {
				t.Errorf("got %s, %v, want %s", got, err, test.want)
			}
		})
	}
}

// TestImportMisuse tells what is refused before the server is asked.
func TestImportMisuse(t *testing.T) {
	t.Parallel()
	file, other := write(t, "codes.csv", "A\n"), write(t, "other.csv", "B\n")
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"codes", "--coupon", "SUMMER"}, `expected "<file> ..."`},
		{[]string{"targets", file}, "missing flags: --delivery"},
		{[]string{"recipients", file + "x"}, "no such file"},
		{[]string{"recipients", "-", file, "-"}, "standard input can be read only once"},
		{[]string{"recipients", file, other, "--rejects", "-"}, "import the files one by one"},
		{[]string{"recipients", file, "--rejects", "-", "--json"}, "both write to standard output"},
		{[]string{"recipients", file, "--rejects", other}, "exists; give --force"},
		{
			[]string{"recipients", file, "--rejects", filepath.Join(file, "x")},
			"there is no such folder",
		},
		{
			[]string{"recipients", file, "--format", "xls"},
			`"xls" is none of csv, xml, jsonl, parquet`,
		},
		{
			[]string{"codes", file, "--coupon", "SUMMER", "--mode", "replace"},
			`"replace" is none of add, replace-unused, void`,
		},
		{[]string{"recipients", file, "--delimiter", "::"}, `"::" is neither one character`},
		{[]string{"recipients", file, "--column", "code"}, "field=column"},
		{[]string{"redemptions", file, "--decimal-mark", ";"}, `";" is neither point nor comma`},
		{[]string{"redemptions", file, "--date-order", "year-first"}, "day-first, month-first"},
		{
			[]string{"codes", file, "--max-rejections", "-1"},
			`--max-rejections: must be 0 to 2147483647, not "-1"`,
		},
		{
			[]string{"codes", file, "--max-rejections=-1"},
			`--max-rejections: must be 0 to 2147483647, not "-1"`,
		},
		{
			[]string{"codes", file, "--max-rejections", "2147483648"},
			`--max-rejections: must be 0 to 2147483647, not "2147483648"`,
		},
		{
			[]string{"codes", file, "--max-rejections", "few"},
			`--max-rejections: must be 0 to 2147483647, not "few"`,
		},
	} {
		t.Run(strings.Join(test.args, " "), func(t *testing.T) {
			t.Parallel()
			s := newServer(t, nil)
			got := s.run(t.Context(), t, nil, nil, append([]string{"import"}, test.args...)...)
			if got.code != CodeMisused || !strings.Contains(got.err, test.want) ||
				len(s.asked) > 0 {
				t.Errorf("got %+v and asked %v, want %q", got, s.asked, test.want)
			}
		})
	}
	got := (&server{url: "ftp://x"}).run(t.Context(), t, nil, nil, "import", "recipients", file)
	if got.code != CodeMisused || !strings.Contains(got.err, "--url=ftp://x") {
		t.Errorf("got %+v", got)
	}
}

// TestImportOutcome tells exit codes and texts.
func TestImportOutcome(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		// operation is answered with answer.
		operation, answer string
		args              string
		want              result
	}{
		"rejected rows": {
			"GetImport", imported(rejectedRow), "",
			result{
				codeRejected, "codes.csv: imported as import_1\n  3 rows read, 2 imported, 1 rejected\n  2 added\n" +
					"  1 ALREADY_EXISTS: The coupon already has this code. (first in line 3: \"A\\x1b[2J\")\n",
				"",
			},
		},
		"rejected rows, quiet": {
			"GetImport",
			imported(`"rowsRejected":1,"rejectionsByReason":[{"reason":"EMPTY","count":1}]`),
			"--quiet",
			result{codeRejected, "codes.csv: imported as import_1\n  3 rows read, 3 imported, 1 rejected\n  3 added\n" +
				"  1 EMPTY: A required value is empty.\n", ""},
		},
		"all well, quiet": {"GetImport", imported(`"rowsRead":3`), "-q", result{}},
		"layout": {
			"GetImport", imported(`"isDryRun":true,"format":"CSV","changes":{"added":3},"layout":{"delimiter":";","delimiterCertainty":"SURE",` +
				`"encoding":"windows-1252","encodingCertainty":"GUESSED","hasHeader":true,"headerCertainty":"SURE",` +
				`"columns":[{"name":"Kundennummer","field":"externalId","certainty":"SURE"},{"name":"foo"},{"name":"bar"}],` +
				`"sample":[{"line":2,"values":["7","x"]}]}`), "--dry-run",
			result{
				0, "codes.csv: checked as import_1\n  read as CSV, delimiter \";\", windows-1252 (guessed), header\n" +
					"    Kundennummer -> externalId\n    foo is not read\n    bar is not read\n    line 2: 7 | x\n" +
					"  3 rows read, 3 would be imported, 0 rejected\n  would be changed: 3 added\n",
				"",
			},
		},
		"dry run": {
			"GetImport", imported(`"isDryRun":true,"changes":{"added":2,"changed":1}`), "--dry-run",
			result{0, "codes.csv: checked as import_1\n  3 rows read, 3 would be imported, 0 rejected\n  would be changed: 2 added, 1 changed\n", ""},
		},
		"warnings": {
			"GetImport", imported(`"warnings":[{"text":"Odd."}],"sameFileAs":{"id":"import_0","fileName":"old.csv","createdAt":"2026-11-24T10:00:00Z"}`), "-q",
			result{0, "codes.csv: imported as import_1\n  3 rows read, 3 imported, 0 rejected\n  3 added\n  warning: Odd.\n" +
				"  warning: the same file was imported before: import_0, old.csv of 2026-11-24T10:00:00Z\n", ""},
		},
		"failed": {
			"GetImport", imported(`"status":"FAILED","failure":"Not a file.\u001b"`), "",
			result{codeFailed, "codes.csv: not imported as import_1\n  Not a file.\uFFFD\n  3 rows read, 3 imported, 0 rejected\n", ""},
		},
		"canceled by others": {
			"GetImport", imported(`"status":"CANCELED"`), "",
			result{
				codeFailed,
				"codes.csv: canceled as import_1\n  3 rows read, 3 imported, 0 rejected\n", "",
			},
		},
		"user error": {
			"ImportRecipients",
			`{"data":{"importRecipients":{"import":null,"userErrors":[{"code":"INVALID","message":"No such sign.","field":["input","options"]}]}}}`, "",
			result{
				codeFailed, "", "couponql: codes.csv: importRecipients: INVALID at input.options: No such sign.\n",
			},
		},
		"user error as JSON": {
			"CreateUpload", `{"data":{"createUpload":{"upload":null,"userErrors":[{"code":"FILE_TOO_LARGE","message":"Too large."}]}}}`, "--json",
			result{
				codeFailed,
				`{"error":"createUpload: FILE_TOO_LARGE: Too large.","fileName":"codes.csv"}` +
					"\n",
				"couponql: codes.csv: createUpload: FILE_TOO_LARGE: Too large.\n",
			},
		},
		"error while following": {
			"ImportProgress", `{"errors":[{"message":"internal error"}],"data":null}`, "",
			result{
				codeFailed, "",
				"couponql: codes.csv: follow import_1, which goes on: internal error\n",
			},
		},
		"JSON": {
			"GetImport", `{"data":{"import":{"id":"import_1", "status":"SUCCEEDED","rowsRead":3 ,"byteCount":6,"x":"<"}}}`, "--json",
			result{
				0, `{"id":"import_1","status":"SUCCEEDED","rowsRead":3,"byteCount":6,"x":"<"}` +
					"\n", "",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t, func(s *server) { s.answers[test.operation] = []string{test.answer} })
			args := append([]string{"import", "recipients", write(t, "codes.csv", "code\nA\n")},
				strings.Fields(test.args)...)
			if got := s.run(t.Context(), t, nil, nil, args...); got != test.want {
				t.Errorf("got  %+v\nwant %+v", got, test.want)
			}
		})
	}
}

func TestImportSeveralFiles(t *testing.T) {
	t.Parallel()
	s := newServer(t, func(s *server) {
		s.answers["GetImport"] = []string{imported(rejectedRow), imported(`"rowsRead":3`)}
	})
	got := s.run(t.Context(), t, strings.NewReader("code\nC\n"), nil,
		"import", "codes", "--coupon", "coupon_17", write(t, "a.csv", "code\nA\n"), "-", "--json")
	if got.code != codeRejected || got.err != "" || strings.Count(got.out, "\n") != 2 {
		t.Errorf("got %+v", got)
	}
	if u := s.uploads[1]; string(u.content) != "code\nC\n" || u.size != -1 ||
		u.fileName != "stdin" {
		t.Errorf("got %+v", u)
	}
	if s.requests[http.MethodPut] != 1 || s.requests[http.MethodPatch] != 1 {
		t.Errorf("got %v", s.requests)
	}
}

func TestImportNobodyThere(t *testing.T) {
	t.Parallel()
	got := (&server{url: "http://127.0.0.1:1"}).run(t.Context(), t, nil, nil,
		"import", "codes", "--coupon", "X", write(t, "a.csv", "A\n"), write(t, "b.csv", "B\n"))
	if got.code != codeFailed || got.out != "" || !strings.Contains(got.err, "connection refused") {
		t.Errorf("got %+v", got)
	}
	s := newServer(t, nil)
	got = s.run(t.Context(), t, nil, nil, "import", "codes", "--coupon", "coupon_1",
		write(t, "a.csv", "A\n"))
	want := result{
		codeFailed, "", "couponql: a.csv: there is no coupon with the id or code coupon_1\n",
	}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// TestSend tells how a file arrives over a connection with troubles.
func TestSend(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		// trouble handles the n-th request of a method, from 1; true: it has answered.
		trouble func(n int, w http.ResponseWriter, r *http.Request, u *upload) bool
		want    string
	}{
		"breaks in the middle of chunks": {func(
			n int, w http.ResponseWriter, r *http.Request, u *upload,
		) bool {
			if r.Method != http.MethodPatch || n > 30 {
				return false
			}
			part := make([]byte, 100)
			_, _ = io.ReadFull(r.Body, part)
			u.content = append(u.content, part...)
			breakOff(w)
			return true
		}, ""},
		"breaks after chunks, before the answer": {func(
			n int, w http.ResponseWriter, r *http.Request, u *upload,
		) bool {
			if r.Method != http.MethodPatch || n%2 == 0 {
				return false
			}
			all, _ := io.ReadAll(r.Body)
			u.content = append(u.content, all...)
			breakOff(w)
			return true
		}, ""},
		"is busy for a while": {func(
			n int, w http.ResponseWriter, _ *http.Request, _ *upload,
		) bool {
			if n >= maxTries/2 {
				return false
			}
			w.WriteHeader([]int{500, 502, 503, 504, 423, 429, 409}[n%7])
			return true
		}, ""},
		"is silent": {func(n int, _ http.ResponseWriter, r *http.Request, _ *upload) bool {
			if n == 2 {
				// What is left unread would hide that the client went away.
				_, _ = io.Copy(io.Discard, r.Body)
				<-r.Context().Done()
			}
			return n == 2
		}, ""},
		"always breaks": {func(_ int, w http.ResponseWriter, r *http.Request, _ *upload) bool {
			if r.Method == http.MethodPatch {
				breakOff(w)
			}
			return r.Method == http.MethodPatch
		}, "send: given up after 10 tries: "},
		"stays where it is": {func(_ int, w http.ResponseWriter, _ *http.Request, _ *upload) bool {
			w.Header().Set("Upload-Offset", "0")
			return true
		}, "send: given up after 10 tries: the server has 0 bytes after a request that carried on from 0"},
		"does not know the upload": {func(
			_ int, w http.ResponseWriter, _ *http.Request, _ *upload,
		) bool {
			http.Error(w, "expired", http.StatusGone)
			return true
		}, "send: the server answers 410 Gone"},
		"has enough": {func(_ int, w http.ResponseWriter, r *http.Request, _ *upload) bool {
			if r.Method == http.MethodPatch {
				http.Error(w, "it is too large", http.StatusRequestEntityTooLarge)
			}
			return r.Method == http.MethodPatch
		}, "send: the server answers 413 Request Entity Too Large: it is too large"},
		"speaks no tus": {
			func(int, http.ResponseWriter, *http.Request, *upload) bool { return true },
			"does not say how much of the file it has",
		},
		"has more": {func(_ int, w http.ResponseWriter, _ *http.Request, _ *upload) bool {
			w.Header().Set("Upload-Offset", "9999")
			return true
		}, "the server has 9999 bytes of a file that has"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t, nil)
			s.transfer = func(w http.ResponseWriter, r *http.Request, u *upload) bool {
				s.mu.Lock()
				n := s.requests[r.Method]
				s.mu.Unlock()
				return test.trouble(n, w, r, u)
			}
			edit := func(c *Console) {
				if name == "is silent" {
					c.pace.silence = 50 * time.Millisecond
				}
			}
			got := s.run(t.Context(), t, nil, edit, "import", "recipients",
				write(t, "codes.csv", content))
			if test.want != "" {
				if got.code != codeFailed || !strings.Contains(got.err, test.want) ||
					slices.Contains(s.asked, "ImportRecipients") {
					t.Errorf("got %+v after %v, want %q", got, s.asked, test.want)
				}
				return
			}
			if got.code != 0 || string(s.uploads[0].content) != content {
				t.Errorf("got %+v and %d bytes, want %d", got, len(s.uploads[0].content),
					len(content))
			}
		})
	}
}

// An empty file is a file.
func TestSendNothing(t *testing.T) {
	t.Parallel()
	s := newServer(t, nil)
	if got := s.run(t.Context(), t, nil, nil, "import", "recipients",
		write(t, "codes.csv", "")); got.code != 0 || s.requests[http.MethodPut] != 1 {
		t.Errorf("got %+v after %v", got, s.requests)
	}
}

func TestPutFails(t *testing.T) {
	t.Parallel()
	s := newServer(t, nil)
	got := s.run(t.Context(), t, iotest.ErrReader(io.ErrClosedPipe), nil, "import",
		"recipients", "-")
	if got.code != codeFailed || !strings.Contains(got.err, "couponql: stdin: send: ") ||
		slices.Contains(s.asked, "ImportRecipients") {
		t.Errorf("got %+v after %v", got, s.asked)
	}
}

// What is followed is looked at again after a broken connection.
func TestFollowAgain(t *testing.T) {
	t.Parallel()
	s := newServer(t, func(s *server) {
		s.answers["ImportProgress"] = []string{
			`no GraphQL`, `{"data":{"import":{"status":"RUNNING"}}}`, `no GraphQL`,
			`{"data":{"import":{"status":"SUCCEEDED"}}}`,
		}
	})
	if got := s.run(t.Context(), t, nil, nil, "import", "recipients",
		write(t, "codes.csv", "A\n")); got.code != 0 {
		t.Errorf("got %+v", got)
	}
	s = newServer(t, func(s *server) { s.answers["ImportProgress"] = []string{`no GraphQL`} })
	got := s.run(t.Context(), t, nil, nil, "import", "recipients", write(t, "codes.csv", "A\n"))
	if got.code != codeFailed ||
		!strings.Contains(got.err, "follow import_1, which goes on: given up after 10 tries") {
		t.Errorf("got %+v", got)
	}
}

// TestInterrupt tells what Ctrl-C does, by where it comes.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	canceled := imported(`"status":"CANCELED","rowsImported":0,"changes":{}`)
	for name, test := range map[string]struct {
		// at is the operation during which it comes; "": while the file is sent.
		at     string
		cancel string
		asked  string
		want   result
	}{
		"sending": {
			"", "", "CreateUpload",
			result{
				codeInterrupted, "", "couponql: a.csv: interrupted; what was sent will expire, nothing is imported\n",
			},
		},
		"importing": {
			"ImportProgress", canceled, "CreateUpload ImportRecipients ImportProgress CancelImport ImportProgress ImportProgress GetImport",
			result{
				codeInterrupted,
				"codes.csv: canceled as import_1\n  3 rows read, 0 imported, 0 rejected\n", "",
			},
		},
		"beginning": {
			"ImportRecipients", canceled, "CreateUpload ImportRecipients CancelImport ImportProgress ImportProgress ImportProgress GetImport",
			result{
				codeInterrupted,
				"codes.csv: canceled as import_1\n  3 rows read, 0 imported, 0 rejected\n", "",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, interrupt := context.WithCancel(t.Context())
			defer interrupt()
			s := newServer(t, func(s *server) {
				running := `{"data":{"import":{"status":"RUNNING"}}}`
				s.answers["ImportProgress"] = []string{
					running, running, `{"data":{"import":{"status":"CANCELED"}}}`,
				}
				s.answers["GetImport"] = []string{test.cancel}
				s.onAsked = func(name string) {
					if name == test.at {
						interrupt()
					}
				}
				s.transfer = func(_ http.ResponseWriter, r *http.Request, _ *upload) bool {
					if test.at == "" && r.Method == http.MethodPatch {
						interrupt()
						_, _ = io.Copy(io.Discard, r.Body)
						<-r.Context().Done()
						return true
					}
					return false
				}
			})
			got := s.run(ctx, t, nil, nil, "import", "recipients", write(t, "a.csv", content),
				write(t, "b.csv", content))
			if got != test.want {
				t.Errorf("got  %+v\nwant %+v", got, test.want)
			}
			if asked := strings.Join(s.asked, " "); asked != test.asked {
				t.Errorf("asked %s\nwant  %s", asked, test.asked)
			}
		})
	}
}

// Ctrl-C works while standard input is silent.
func TestInterruptSilence(t *testing.T) {
	t.Parallel()
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	s := newServer(t, func(s *server) {
		s.transfer = func(_ http.ResponseWriter, r *http.Request, _ *upload) bool {
			interrupt()
			_, _ = io.Copy(io.Discard, r.Body)
			return true
		}
	})
	silent, source := io.Pipe()
	go func() { _, _ = io.WriteString(source, strings.Repeat("A\n", 100_000)) }()
	got := s.run(ctx, t, silent, nil, "import", "recipients", "-")
	want := result{
		codeInterrupted, "",
		"couponql: stdin: interrupted; what was sent will expire, nothing is imported\n",
	}
	if got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// It is too late to cancel what is done.
func TestInterruptTooLate(t *testing.T) {
	t.Parallel()
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	s := newServer(t, func(s *server) {
		s.answers["CancelImport"] = []string{`{"data":{"cancelImport":{"import":null,"userErrors":[{"code":"INVALID_STATE","message":"Done."}]}}}`}
		s.onAsked = func(name string) {
			if name == "ImportRecipients" {
				interrupt()
			}
		}
	})
	got := s.run(ctx, t, nil, nil, "import", "recipients", write(t, "a.csv", "A\n"))
	want := result{
		codeInterrupted,
		"codes.csv: imported as import_1\n  3 rows read, 3 imported, 0 rejected\n  3 added\n", "",
	}
	if got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestRejects(t *testing.T) {
	t.Parallel()
	withRejects := func(s *server) { s.answers["GetImport"] = []string{imported(rejectedRow)} }
	path := filepath.Join(t.TempDir(), "rejects.csv")
	s := newServer(t, withRejects)
	got := s.run(t.Context(), t, nil, nil, "import", "recipients", write(t, "codes.csv", "A\n"),
		"--rejects", path)
	written, err := os.ReadFile(path)
	if got.code != codeRejected || !strings.Contains(got.out, "are in "+path) || err != nil ||
		string(written) != download {
		t.Errorf("got %+v and the file %q, %v", got, written, err)
	}
	s = newServer(t, withRejects)
	got = s.run(t.Context(), t, nil, nil, "import", "recipients", write(t, "codes.csv", "A\n"),
		"--rejects", "-")
	if got.code != codeRejected || got.out != download || !strings.Contains(got.err, "1 rejected") {
		t.Errorf("got %+v", got)
	}
	s = newServer(t,
		func(s *server) { s.answers["GetImport"] = []string{imported(`"rowsRejected":1`)} })
	got = s.run(t.Context(), t, nil, nil, "import", "recipients", write(t, "codes.csv", "A\n"),
		"--rejects", path, "--force")
	if got.code != codeRejected ||
		got.err != "couponql: codes.csv: the server has no file of the rejected rows\n" {
		t.Errorf("got %+v", got)
	}
}

// Progress is for people who watch, and leaves nothing behind on standard output.
func TestProgress(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		args       string
		isTerminal bool
		want       bool
	}{{"", true, true}, {"", false, false}, {"--quiet", true, false}, {"--json", true, false}} {
		t.Run(fmt.Sprint(test), func(t *testing.T) {
			t.Parallel()
			s := newServer(t, nil)
			args := append([]string{"import", "recipients", write(t, "codes.csv", content), "-"},
				strings.Fields(test.args)...)
			got := s.run(t.Context(), t, strings.NewReader("A\n"),
				func(c *Console) { c.isTerminal = test.isTerminal }, args...)
			if hasShown := strings.Contains(got.err, "sending codes.csv"); hasShown != test.want ||
				got.code != 0 || strings.Contains(got.out, "sending") {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestPrintable(t *testing.T) {
	t.Parallel()
	if diff := cmp.Diff("a\uFFFD[2Jé\n\tz\uFFFD", printable("a\x1b[2Jé\n\tz\u202e")); diff != "" {
		t.Error(diff)
	}
}
