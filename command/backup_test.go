package command

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestBackup tells where a backup goes, who may read it, and that it says it was verified.
func TestBackup(t *testing.T) {
	t.Parallel()
	s := newServer(t, nil)
	s.answers["GetExport"] = []string{fmt.Sprintf(`{"data":{"export":{"id":"export_1","status":"SUCCEEDED","rowCount":2,"byteCount":%d,`+
		`"progress":1,"url":"/file","verifiedAt":"2026-11-23T12:00:00Z"}}}`, len(download))}
	dir := t.TempDir()
	path := filepath.Join(dir, "codes.csv")
	got := s.run(t.Context(), t, nil, nil, "backup", path, "--hours-kept", "3")
	if got.code != 0 || got.out != "" ||
		!strings.Contains(got.err, "codes.csv: 2 rows, 19 bytes, verified: ") {
		t.Errorf("got %+v", got)
	}
	if hours := fmt.Sprint(s.inputs["ExportBackup"][0]["hoursKept"]); hours != "3" {
		t.Errorf("hours kept: %s", hours)
	}
	checkFile(t, dir, download)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("got %v, %v", info.Mode(), err)
	}
	for _, args := range [][]string{
		{path}, {"-"}, {dir, "--force"}, {filepath.Join(dir, "nowhere", "file")}, {},
	} {
		if got := s.run(t.Context(), t, nil, nil,
			append([]string{"backup"}, args...)...); got.code != CodeMisused {
			t.Errorf("%v: got %+v", args, got)
		}
	}
	checkFile(t, dir, download)
	if got := s.run(t.Context(), t, nil, nil, "backup", path, "--force", "--json"); got.code != 0 ||
		!strings.Contains(got.out, `"verifiedAt":"2026`) {
		t.Errorf("got %+v", got)
	}
	s.answers["GetExport"] = []string{
		`{"data":{"export":{"id":"export_1","status":"FAILED","failure":"The copy is no good."}}}`,
	}
	if got := s.run(t.Context(), t, nil, nil, "backup", filepath.Join(dir,
		"b")); got.code != codeFailed || !strings.Contains(got.err, "The copy is no good.") {
		t.Errorf("got %+v", got)
	}
	checkFile(t, dir, download)
}
