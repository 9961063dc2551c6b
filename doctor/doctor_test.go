package doctor

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"couponql/client"
	"couponql/coupon"
	"couponql/db"
)

// want compares the last finding.
func (r *Report) want(t *testing.T, name string, status Status, text string) {
	t.Helper()
	if len(r.Findings) == 0 {
		t.Fatalf("no finding, want %s", name)
	}
	got := r.Findings[len(r.Findings)-1]
	if got.Name != name || got.Status != status || !strings.Contains(got.Text, text) {
		t.Errorf("got %+v, want %s %s %q", got, name, status, text)
	}
}

// newDatabase makes a database with one coupon.
func newDatabase(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "couponql.duckdb")
	s, err := db.Open(t.Context(), db.Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.CreateCoupon(t.Context(), &coupon.CouponChanges{
		Type: coupon.TypeAnonymous, Label: coupon.Set(new("Sale")),
		StartsAt: coupon.Set(new(coupon.DateTime("2026-11-01"))),
		Timezone: coupon.Set(new("Asia/Tokyo")),
	})
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestDatabase looks at databases that are well and others.
func TestDatabase(t *testing.T) {
	t.Parallel()
	path := newDatabase(t)
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r := &Report{}
	found := r.Database(t.Context(), path, "500MB")
	r.want(t, "integrity", OK, "All 17 checks of integrityReport that need no running server hold")
	if found == nil || found.RowCount == 0 || len(found.Timezones) != 1 ||
		found.Timezones[0] != "Asia/Tokyo" {
		t.Errorf("got %+v", found)
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
		t.Errorf("looking changed the file: %v", err)
	}
	r.Database(t.Context(), path+".other", "500MB")
	r.want(t, "database", Warning, "does not exist")
	text := filepath.Join(t.TempDir(), "text.duckdb")
	if err := os.WriteFile(text, []byte(strings.Repeat("text ", 5000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if r.Database(t.Context(), text, "500MB") != nil {
		t.Error("a text is a database")
	}
	r.want(t, "database", Failed, text)
	if !r.HasFailed() {
		t.Error("nothing failed")
	}
}

// TestFiles looks at permissions and leftovers.
func TestFiles(t *testing.T) {
	t.Parallel()
	path := newDatabase(t)
	outbox := t.TempDir()
	if err := os.Chmod(outbox, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	r := &Report{}
	r.Files(path, outbox)
	r.want(t, "leftovers", OK, "Nothing")
	if r.Findings[0].Status != OK {
		t.Errorf("got %+v", r.Findings[0])
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+".restoring", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r.Files(path, outbox)
	r.want(t, "leftovers", Warning, path+".restoring")
	if got := r.Findings[2]; got.Status != Warning ||
		!strings.Contains(got.Text, "chmod -R go= "+path) {
		t.Errorf("got %+v", got)
	}
	r.Disk(filepath.Join(outbox, "not", "there", "yet"), 0)
	r.want(t, "disk", r.Findings[len(r.Findings)-1].Status, "are free at "+outbox)
	r.Disk(path, 1<<60)
	r.want(t, "disk", Warning, "a backup and large imports need")
}

// TestMachine compares needs with what there is.
func TestMachine(t *testing.T) {
	t.Parallel()
	available, _ := machineMemory()
	if available == 0 {
		t.Skip("the memory of this machine is not known")
	}
	r := &Report{}
	r.Memory(MemoryNeeds{Engine: 1})
	r.want(t, "memory", OK, "200.0 MB")
	r.Memory(MemoryNeeds{Engine: available - 1, Codes: 1_000_000})
	r.want(t, "memory", Warning, "for 1000000 codes")
	r.Memory(MemoryNeeds{Engine: available + 1})
	r.want(t, "memory", Failed, "Lower it")
	r.Timezones([]string{"Asia/Tokyo"})
	r.want(t, "time zones", OK, "1 of them")
	r.Timezones([]string{"Mars/Olympus"})
	r.want(t, "time zones", Failed, "Mars/Olympus")
	r.Settings(nil, nil)
	r.want(t, "settings", OK, "")
	r.Settings(nil, []string{"Odd."})
	r.want(t, "settings", Warning, "Odd.")
	r.Settings(errors.New("--x means nothing"), []string{"Odd."})
	r.want(t, "settings", Failed, "--x means nothing")
	r.Reach(t.Context(), "mail",
		func(context.Context) (string, error) { return "", errors.New("refused") })
	r.want(t, "mail", Failed, "refused")
	r.Reach(t.Context(), "mail",
		func(context.Context) (string, error) { return "EHLO: taken", nil })
	r.want(t, "mail", OK, "nothing was sent (EHLO: taken)")
}

// TestServer asks servers that are well and others.
func TestServer(t *testing.T) {
	t.Parallel()
	const sound = `{"data":{"integrityReport":{"checkedAt":"2026-11-27T12:00:00Z","checks":[{"name":"a","description":"A","violations":0,"examples":[]}]}}}`
	broken := strings.Replace(strings.Replace(sound, `"violations":0`, `"violations":2`, 1), `[]}]`,
		`["x","y"]}]`, 1)
	const metrics = "# HELP\ncouponql_build_info{version=\"v1\"} 1\n"
	for name, test := range map[string]struct {
		ready           int
		metrics, answer string
		want            []Status
		text            string
	}{
		"well": {200, metrics, sound, []Status{OK, OK, OK}, "All 1 checks"},
		"another": {
			200, strings.Replace(metrics, "v1", "v2", 1), sound,
			[]Status{OK, Warning, OK},
			"All 1 checks",
		},
		"without": {200, "", sound, []Status{OK, Warning, OK}, "All 1 checks"},
		"unsound": {200, metrics, broken, []Status{OK, OK, Failed}, "a: 2 (A), the first one x"},
		"alike": {
			200, metrics, strings.Replace(broken, `"violations":2`,
				`"isWarning":true,"violations":2`, 1),
			[]Status{OK, OK, Warning, OK},
			"All 0 checks",
		},
		"not ready": {503, metrics, sound, []Status{Failed}, "503"},
		"not to be had": {
			200, metrics, `{"errors":[{"message":"no"}]}`,
			[]Status{OK, OK, Failed},
			"does not tell",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(
				w http.ResponseWriter, r *http.Request,
			) {
				switch r.URL.Path {
				case "/readyz":
					w.WriteHeader(test.ready)
					_, _ = w.Write([]byte("ready\n"))
				case "/metrics":
					_, _ = w.Write([]byte(test.metrics))
				default:
					_, _ = w.Write([]byte(test.answer))
				}
			}))
			t.Cleanup(server.Close)
			r := &Report{}
			r.Server(t.Context(), client.New(server.URL, ""), "v1")
			if len(r.Findings) != len(test.want) {
				t.Fatalf("got %+v", r.Findings)
			}
			for i, status := range test.want {
				if r.Findings[i].Status != status {
					t.Errorf("got %+v, want %s", r.Findings[i], status)
				}
			}
			if last := r.Findings[len(r.Findings)-1]; !strings.Contains(last.Text, test.text) {
				t.Errorf("got %+v, want %q", last, test.text)
			}
		})
	}
	gone := httptest.NewServer(nil)
	gone.Close()
	r := &Report{}
	r.Server(t.Context(), client.New(gone.URL, ""), "v1")
	r.want(t, "server", Failed, "no server answers")
}

// TestWrite tells how findings are written.
func TestWrite(t *testing.T) {
	t.Parallel()
	r := &Report{Findings: []Finding{{"disk", Warning, "a\nb\x1b[2J"}}}
	var out bytes.Buffer
	if err := r.Write(&out); err != nil || out.String() != "warning  disk       a b\uFFFD[2J\n" {
		t.Errorf("got %q, %v", out.String(), err)
	}
	out.Reset()
	var back Report
	if err := errors.Join(r.WriteJSON(&out), json.Unmarshal(out.Bytes(), &back)); err != nil ||
		len(back.Findings) != 1 || back.Findings[0] != r.Findings[0] {
		t.Errorf("got %+v, %v", back, err)
	}
}
