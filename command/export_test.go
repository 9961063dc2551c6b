package command

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestExportInput tells what becomes of the flags.
func TestExportInput(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ args, operation, want string }{
		{"codes --coupon SUMMER", "ExportCodes", `{"couponId":"coupon_17","filter":{}}`},
		{
			"codes --coupon coupon_17 --status available,VOIDED --label a,b --label c --import import_1 --delivery delivery_2 --prefix X --format xml --spreadsheet-safe",
			"ExportCodes",
			`{"couponId":"coupon_17","filter":{"deliveryId":"delivery_2","importId":"import_1","label":["a,b","c"],` +
				`"status":["AVAILABLE","VOIDED"],"valuePrefix":"X"},"format":"XML","isSpreadsheetSafe":true}`,
		},
		{"codes", "ExportCodes", `{"filter":{}}`},
		{
			"codes --coupon SUMMER --coupon coupon_17", "ExportCodes",
			`{"couponIds":["coupon_17","coupon_17"],"filter":{}}`,
		},
		{
			"coupons --status active,archived --search sale", "ExportCoupons",
			`{"filter":{"search":"sale","status":["ACTIVE","ARCHIVED"]}}`,
		},
		{"coupons --codes", "ExportCoupons", `{"filter":{},"format":"XML","withCodes":true}`},
		{
			"recipients --external-id a,b --search x", "ExportRecipients",
			`{"filter":{"externalIds":["a,b"],"search":"x"}}`,
		},
		{
			"deliveries --coupon SUMMER --status in-progress", "ExportDeliveries",
			`{"couponId":"coupon_17","status":["IN_PROGRESS"]}`,
		},
		{
			"messages --delivery delivery_2 --format parquet", "ExportMessages",
			`{"deliveryId":"delivery_2","format":"PARQUET"}`,
		},
		{"redemptions", "ExportRedemptions", `{"filter":{}}`},
		{
			"redemptions --coupon SUMMER --coupon coupon_17 --delivery delivery_1,delivery_2 --channel sms,direct-mail --label x --from 2026-11-01 --to 2026-11-24",
			"ExportRedemptions",
			`{"filter":{"channels":["SMS","DIRECT_MAIL"],"couponIds":["coupon_17","coupon_17"],"deliveryIds":["delivery_1","delivery_2"],` +
				`"from":"2026-11-01","labels":["x"],"to":"2026-11-24"}}`,
		},
	} {
		t.Run(test.args, func(t *testing.T) {
			t.Parallel()
			s := newServer(t, nil)
			got := s.run(t.Context(), t, nil, nil,
				append([]string{"export"}, strings.Fields(test.args)...)...)
			want := result{0, download, "standard output: 2 rows, 19 bytes\n"}
			if got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
			input, err := json.Marshal(s.inputs[test.operation][0])
			if err != nil || string(input) != test.want {
				t.Errorf("got %s, %v, want %s", input, err, test.want)
			}
		})
	}
}

// The ending of the file names the format, unless it is given.
func TestExportFormat(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, args string
		want       any
	}{
		{"a.parquet", "", "PARQUET"},
		{"a.JSONL", "", "JSONL"},
		{"a.xml", "--format csv", "CSV"},
		{"a.txt", "", nil},
		{"a", "", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t, nil)
			args := append(
				[]string{"export", "redemptions", "-o", filepath.Join(t.TempDir(), test.name)},
				strings.Fields(test.args)...,
			)
			if got := s.run(t.Context(), t, nil, nil, args...); got.code != 0 || got.out != "" {
				t.Errorf("got %+v", got)
			}
			if got := s.inputs["ExportRedemptions"][0]["format"]; got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestExportToFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "codes.csv")
	s := newServer(t, nil)
	got := s.run(t.Context(), t, nil, nil, "export", "redemptions", "-o", path)
	if want := (result{0, "", "codes.csv: 2 rows, 19 bytes\n"}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	checkFile(t, dir, download)
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := s.run(t.Context(), t, nil, nil, "export", "redemptions", "-o",
		path); got.code != CodeMisused || !strings.Contains(got.err, "--force") {
		t.Errorf("got %+v", got)
	}
	checkFile(t, dir, "mine")
	got = s.run(t.Context(), t, nil, nil, "export", "redemptions", "-o", path, "--force", "--json")
	if got.code != 0 || got.err != "" || !strings.HasPrefix(got.out, `{"id":"export_1"`) ||
		strings.Count(got.out, "\n") != 1 {
		t.Errorf("got %+v", got)
	}
	checkFile(t, dir, download)
	if got := s.run(t.Context(), t, nil, nil, "export", "redemptions", "-o", dir,
		"--force"); got.code != CodeMisused {
		t.Errorf("got %+v", got)
	}
	if got := s.run(t.Context(), t, nil, nil, "export", "redemptions",
		"--json"); got.code != CodeMisused {
		t.Errorf("got %+v", got)
	}
}

// checkFile tells whether the folder has codes.csv with this content and nothing else.
func checkFile(t *testing.T, dir, content string) {
	t.Helper()
	const name = "codes.csv"
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 1 || entries[0].Name() != name {
		t.Errorf("got %v, want %s", entries, name)
	}
	if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(got) != content {
		t.Errorf("got %q, %v, want %q", got, err, content)
	}
}

// TestFetch tells how a file arrives over a connection with troubles.
func TestFetch(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		// trouble handles the n-th request, from 1; true: it has answered.
		trouble func(n int, w http.ResponseWriter, r *http.Request) bool
		want    string
	}{
		"breaks now and then": {func(n int, w http.ResponseWriter, r *http.Request) bool {
			if n > len(download)-1 {
				return false
			}
			if want := fmt.Sprintf("bytes=%d-", n-1); n > 1 && r.Header.Get("Range") != want {
				return false
			}
			w.Header().Set("Content-Length", "99")
			if n > 1 {
				w.WriteHeader(http.StatusPartialContent)
			}
			_, _ = io.WriteString(w, download[n-1:n])
			_ = http.NewResponseController(w).Flush()
			breakOff(w)
			return true
		}, ""},
		"knows no ranges": {func(n int, w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Content-Length", fmt.Sprint(len(download)))
			if n == 1 {
				_, _ = io.WriteString(w, download[:5])
				_ = http.NewResponseController(w).Flush()
				breakOff(w)
				return true
			}
			_, _ = io.WriteString(w, download)
			return true
		}, ""},
		"has no such file": {func(_ int, w http.ResponseWriter, r *http.Request) bool {
			http.NotFound(w, r)
			return true
		}, "fetch export_1: the server answers 404 Not Found: 404 page not found"},
		"has half of it": {func(_ int, w http.ResponseWriter, _ *http.Request) bool {
			_, _ = io.WriteString(w, download[:5])
			return true
		}, "fetch export_1: 5 bytes came of 19"},
		"never answers": {func(_ int, w http.ResponseWriter, _ *http.Request) bool {
			breakOff(w)
			return true
		}, "given up after 10 tries"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t, nil)
			s.transfer = func(w http.ResponseWriter, r *http.Request, _ *upload) bool {
				s.mu.Lock()
				n := s.requests[r.Method]
				s.mu.Unlock()
				return test.trouble(n, w, r)
			}
			dir := t.TempDir()
			got := s.run(t.Context(), t, nil, nil, "export", "redemptions", "-o",
				filepath.Join(dir, "codes.csv"))
			if test.want == "" {
				if got.code != 0 {
					t.Errorf("got %+v", got)
				}
				checkFile(t, dir, download)
				return
			}
			if got.code != codeFailed || !strings.Contains(got.err, test.want) {
				t.Errorf("got %+v, want %q", got, test.want)
			}
			if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
				t.Errorf("%v are left, %v", left, err)
			}
		})
	}
}

func TestExportFails(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ operation, answer, want string }{
		{
			"GetExport", `{"data":{"export":{"id":"export_1","status":"FAILED","failure":"The disk is full."}}}`, "export_1 is FAILED: The disk is full.",
		},
		{
			"GetExport", `{"data":{"export":{"id":"export_1","status":"CANCELED"}}}`,
			"export_1 is CANCELED and has no file",
		},
		{
			"GetExport", `{"data":{"export":null}}`,
			"follow export_1: the server does not know it any more",
		},
		{
			"ExportRedemptions",
			`{"data":{"exportRedemptions":{"export":null,"userErrors":[{"code":"INVALID","message":"No date.","field":["input","filter","from"]}]}}}`,
			"exportRedemptions: INVALID at input.filter.from: No date.",
		},
	} {
		t.Run(test.want, func(t *testing.T) {
			t.Parallel()
			s := newServer(t, func(s *server) { s.answers[test.operation] = []string{test.answer} })
			got := s.run(t.Context(), t, nil, nil, "export", "redemptions")
			if want := (result{codeFailed, "", "couponql: " + test.want + "\n"}); got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}

func TestExportInterrupted(t *testing.T) {
	t.Parallel()
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	s := newServer(t, func(s *server) {
		s.transfer = func(_ http.ResponseWriter, r *http.Request, _ *upload) bool {
			interrupt()
			<-r.Context().Done()
			return true
		}
	})
	dir := t.TempDir()
	got := s.run(ctx, t, nil, nil, "export", "redemptions", "-o", filepath.Join(dir, "a.csv"))
	if want := (result{codeInterrupted, "", "couponql: interrupted\n"}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("%v are left, %v", left, err)
	}
}

// TestExportOfOneWhoMayNotAskByCode: who may not find a coupon by its code is told to give its id,
// with which the export works.
func TestExportOfOneWhoMayNotAskByCode(t *testing.T) {
	t.Parallel()
	s := newServer(t, func(s *server) {
		s.answers["FindCoupon"] = []string{
			`{"errors":[{"message":"Query.couponByCode is not for the role ANALYST, which Ann has.","extensions":{"code":"FORBIDDEN"}}]}`,
		}
	})
	got := s.run(t.Context(), t, nil, nil, "export", "codes", "--coupon", "SUMMER")
	if want := (result{codeFailed, "", "couponql: find coupon SUMMER: Query.couponByCode is not for the role ANALYST, which Ann has. " +
		"Give the coupon's id, such as coupon_17\n"}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := s.run(t.Context(), t, nil, nil, "export", "codes", "--coupon",
		"coupon_17"); got.code != 0 || got.out != download {
		t.Errorf("got %+v", got)
	}
}
