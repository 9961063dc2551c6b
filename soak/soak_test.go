package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"couponql/client"
)

// answering is a soak whose server answers everything alike.
func answering(t *testing.T, data string) *soak {
	t.Helper()
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"data": `+data+`}`)
	}))
	t.Cleanup(web.Close)
	s, err := newSoak(&options{}, t.TempDir(), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	s.server = &server{url: web.URL, client: client.New(web.URL, ""), ended: make(chan struct{})}
	return s
}

func expect(t *testing.T, s *soak, want string) {
	t.Helper()
	err := s.counts.failures()
	if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
		t.Errorf("got %v, want %q", err, want)
	}
}

// TestCheckRedeemed notices a redemption that is gone.
func TestCheckRedeemed(t *testing.T) {
	t.Parallel()
	for status, want := range map[string]string{
		`{"status": "REDEEMED"}`:  "",
		`{"status": "AVAILABLE"}`: "F1-000000 was redeemed",
		"null":                    "F1-000000 was redeemed",
	} {
		s := answering(t, `{"c0": `+status+`}`)
		if err := s.checkRedeemed(t.Context(), []string{"F1-000000"}); err != nil {
			t.Fatal(err)
		}
		expect(t, s, want)
	}
}

// TestLookAtImport tells an import that is over from one that is gone, or lost rows.
func TestLookAtImport(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		status string
		rows   int
		isOver bool
		want   string
	}{
		"running":   {"RUNNING", 0, false, ""},
		"done":      {"SUCCEEDED", importRows, true, ""},
		"lost rows": {"SUCCEEDED", importRows - 1, true, "1999 of 2000 rows"},
		"failed":    {"FAILED", 0, true, "import_1 is FAILED"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data, err := json.Marshal(map[string]any{"import": map[string]any{"status": tt.status, "rowsRead": importRows, "rowsImported": tt.rows}})
			if err != nil {
				t.Fatal(err)
			}
			s := answering(t, string(data))
			s.ledger.queue("import_1", file{name: "F1", rows: importRows})
			isOver, err := s.lookAtImport(t.Context(), s.server, "import_1")
			if isOver != tt.isOver || tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got %t, %v, want %t, %q", isOver, err, tt.isOver, tt.want)
			}
			if got, want := len(s.ledger.take(10)), 10; tt.status == "SUCCEEDED" && err == nil && got != want {
				t.Errorf("got %d codes to redeem, want %d", got, want)
			}
		})
	}
}

// TestCheckSound notices a report that is not sound, and one that checks nothing.
func TestCheckSound(t *testing.T) {
	t.Parallel()
	for report, want := range map[string]string{
		`{"isSound": true, "checks": [{"name": "P1"}]}`:                   "",
		`{"isSound": false, "checks": [{"name": "P1", "violations": 1}]}`: "not sound",
		`{"isSound": true, "checks": []}`:                                 "not sound",
	} {
		s := answering(t, `{"integrityReport": `+report+`}`)
		if err := s.checkSound(t.Context()); err != nil {
			t.Fatal(err)
		}
		expect(t, s, want)
	}
}

// TestCompare tells growth from leaks.
func TestCompare(t *testing.T) {
	t.Parallel()
	before := footprint{
		goroutines: 20, openFiles: 15, memory: 200e6, codes: 1000, fileCounts: map[string]int{"spool": 0, "uploads": 5}, mayStay: map[string]int{"uploads": 5},
	}
	for name, tt := range map[string]struct {
		change func(*footprint)
		want   []string
	}{
		"the same":            {func(*footprint) {}, nil},
		"slack":               {func(f *footprint) { f.goroutines, f.openFiles, f.memory = 40, 35, 300e6 }, nil},
		"memory of new codes": {func(f *footprint) { f.memory, f.codes = 700e6, 1_001_000 }, nil},
		"goroutines":          {func(f *footprint) { f.goroutines = 41 }, []string{"goroutines"}},
		"open files":          {func(f *footprint) { f.openFiles = 36 }, []string{"open files"}},
		"memory":              {func(f *footprint) { f.memory = 400e6 }, []string{"bytes of memory"}},
		"uploads that are kept": {func(f *footprint) {
			f.fileCounts, f.mayStay = map[string]int{"uploads": 7}, map[string]int{"uploads": 7}
		}, nil},
		"left-over files": {func(f *footprint) { f.fileCounts = map[string]int{"spool": 1, "uploads": 6} }, []string{"files in spool", "files in uploads"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			after := before
			tt.change(&after)
			var got []string
			for _, problem := range before.compare(&after) {
				what, _, _ := strings.Cut(problem.Error(), ":")
				got = append(got, what)
			}
			slices.Sort(got)
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}
