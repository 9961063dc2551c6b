package db

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"couponql/coupon"
	"couponql/db/duckdb"
)

// TestDamagedLog damages the log that a kill left in every way: what was acknowledged is there, or the start says what is
// lost, of which file, and how to go on; nothing is changed before the operator says so.
func TestDamagedLog(t *testing.T) {
	t.Parallel()
	killed := filledCopied(t, 0, false, true)
	for _, suffix := range []string{"", duckdb.LogSuffix} {
		if info, err := os.Stat(killed + suffix); err != nil || info.Size() < 1000 {
			t.Fatalf("%s: %v, %v", killed+suffix, info, err)
		}
	}
	sound, err := os.ReadFile(killed + duckdb.LogSuffix)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := duckdb.ReadLog(killed)
	if err != nil || whole.State != duckdb.LogWhole || whole.Changes < 10 || whole.Whole != int64(len(sound)) {
		t.Fatalf("the sound log is %+v, %v", whole, err)
	}
	const logHeader = 8
	random := make([]byte, len(sound))
	for i := range random {
		random[i] = byte(rand.IntN(256))
	}
	flipped := func(at int) []byte {
		damaged := slices.Clone(sound)
		damaged[at] ^= 4
		return damaged
	}
	type outcome int
	const (
		starts outcome = iota
		notes
		cuts
		refuses
	)
	for name, test := range map[string]struct {
		log  []byte
		want outcome
		text string
	}{
		"whole":                {sound, starts, ""},
		"zeros behind it":      {slices.Concat(sound, make([]byte, 4096)), cuts, "ends with zeros"},
		"one zero behind it":   {slices.Concat(sound, make([]byte, 1)), notes, "middle of a change"},
		"a change of zeros":    {slices.Concat(sound, sound[logHeader:logHeader+40], make([]byte, 5000)), cuts, "ends with zeros"},
		"nothing but zeros":    {make([]byte, len(sound)), refuses, "none of its changes can be read"},
		"cut in an entry":      {sound[:len(sound)-5], notes, "middle of a change"},
		"cut in the middle":    {sound[:len(sound)/2+3], notes, "middle of a change"},
		"a bit in the middle":  {flipped(len(sound) / 2), refuses, "changes before that can be read"},
		"a bit of its end":     {flipped(len(sound) - 8), refuses, "changes before that can be read"},
		"a bit of its header":  {flipped(1), refuses, "none of its changes can be read"},
		"random":               {random, refuses, "none of its changes can be read"},
		"random from the half": {slices.Concat(sound[:len(sound)/2], random[:len(sound)/2]), refuses, "changes before that can be read"},
		"doubled":              {slices.Concat(sound, sound), refuses, "changes before that can be read"},
		"another file":         {[]byte(strings.Repeat("Dear customer, ", 1000)), refuses, "none of its changes can be read"},
		"another file behind":  {slices.Concat(sound, []byte(strings.Repeat("Dear customer, ", 1000))), refuses, "changes before that can be read"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "couponql.duckdb")
			copyFile(t, killed, path)
			if err := os.WriteFile(path+duckdb.LogSuffix, test.log, 0o600); err != nil {
				t.Fatal(err)
			}
			found, err := Inspect(t.Context(), path, "1GB")
			if test.want == refuses != (err != nil) || test.want >= cuts && !found.IsLogDamaged || !strings.Contains(fmt.Sprint(found.Notice, err), test.text) {
				t.Errorf("inspected %+v, %v", found, err)
			}
			s, err := Open(t.Context(), Options{Path: path, MemoryLimit: "1GB"})
			if test.want == refuses {
				if err == nil {
					t.Fatal("it starts", s.Close())
				}
				s = openCut(t, path, test.log, err, test.text)
			} else if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			}()
			if (test.want == starts) != (s.Notice() == "") || !strings.Contains(s.Notice(), test.text) {
				t.Errorf("notice %q", s.Notice())
			}
			kept, err := filepath.Glob(path + duckdb.LogSuffix + duckdb.DamagedSuffix + "*")
			if err != nil || (len(kept) == 1) != (test.want >= cuts) {
				t.Errorf("kept %v, %v", kept, err)
			}
			if len(kept) == 1 {
				if content, err := os.ReadFile(kept[0]); err != nil || !bytes.Equal(content, test.log) || !strings.Contains(s.Notice(), kept[0]) {
					t.Errorf("kept %d bytes of %d, %v; notice %q", len(content), len(test.log), err, s.Notice())
				}
			}
			checkReport(t, s)
			if test.want != starts && test.want != cuts && name != "one zero behind it" {
				return
			}
			// What was acknowledged is there.
			if c, err := s.CodeByValue(t.Context(), "C", coupon.AnyState); err != nil || c == nil {
				t.Errorf("the code is %v, %v", c, err)
			}
			if found, err := s.CouponsByID(t.Context(), []coupon.ID{"coupon_2"}); err != nil || len(found) != 1 {
				t.Errorf("the coupon is %v, %v", found, err)
			}
		})
	}
}

// openCut opens a database that was not opened, in the way that the error says, after another place was refused.
func openCut(t *testing.T, path string, log []byte, refused error, text string) *Store {
	t.Helper()
	if !strings.Contains(refused.Error(), path+duckdb.LogSuffix) || !strings.Contains(refused.Error(), text) ||
		!strings.Contains(refused.Error(), "couponql restore") {
		t.Errorf("refused: %v", refused)
	}
	if now, err := os.ReadFile(path + duckdb.LogSuffix); err != nil || !bytes.Equal(now, log) {
		t.Errorf("refusing changed the log: %v", err)
	}
	_, behind, _ := strings.Cut(refused.Error(), "--cut-log-at=")
	var at int64
	if _, err := fmt.Sscanf(behind, "%d", &at); err != nil {
		t.Fatalf("%v: %v", err, refused)
	}
	if s, err := Open(t.Context(), Options{Path: path, MemoryLimit: "1GB", CutsLogAt: new(at + 1)}); err == nil {
		t.Fatal("cut at another place", s.Close())
	}
	s, err := Open(t.Context(), Options{Path: path, MemoryLimit: "1GB", CutsLogAt: &at})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestForeignFiles gives what is no database of this version: each gets a sentence that names it, and nothing changes.
func TestForeignFiles(t *testing.T) {
	t.Parallel()
	write := func(content string) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			t.Helper()
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, test := range map[string]struct {
		prepare func(t *testing.T, path string)
		want    string
	}{
		"SQLite":           {write("SQLite format 3\x00" + strings.Repeat("\x00\x01", 4096)), "a database of SQLite"},
		"a text":           {write(strings.Repeat("text ", 5000)), "no database"},
		"a short text":     {write("x"), "no database"},
		"an empty file":    {write(""), "it is empty"},
		"a log alone":      {func(t *testing.T, path string) { t.Helper(); write("x")(t, path+duckdb.LogSuffix) }, "does not exist, but its log"},
		"a folder":         {func(t *testing.T, path string) { t.Helper(); mkdir(t, path) }, "it is a folder"},
		"another database": {func(t *testing.T, path string) { t.Helper(); ExecOn(t, path, "CREATE TABLE x (i INT)") }, "not of couponql"},
		"one with a table of that name": {
			func(t *testing.T, path string) { t.Helper(); ExecOn(t, path, "CREATE TABLE migration (i INT)") },
			"not of couponql",
		},
		"one that has lost its log": {func(t *testing.T, path string) { t.Helper(); ExecOn(t, path, "SELECT 1") }, "nothing in it"},
		"a backup": {func(t *testing.T, path string) {
			t.Helper()
			copyFile(t, backedUp(t, reopened(t, path+".source")), path)
		}, "couponql restore"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path := filepath.Join(dir, "file")
			test.prepare(t, path)
			before := contentsOf(t, dir)
			_, err := Open(t.Context(), Options{Path: path, MemoryLimit: "1GB"})
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), "xtension") {
				t.Errorf("got %v, want %q", err, test.want)
			}
			if after := contentsOf(t, dir); after != before {
				t.Errorf("before:\n%safter:\n%s", before, after)
			}
			if _, err := Restore(t.Context(), RestoreOptions{Backup: path, Path: filepath.Join(t.TempDir(), "restored")}); name != "a backup" && err == nil {
				t.Error("it is restored")
			}
		})
	}
}

func mkdir(t *testing.T, path string) {
	t.Helper()
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
}

// contentsOf returns the names below a folder, and a checksum of each file.
func contentsOf(t *testing.T, dir string) string {
	t.Helper()
	var all strings.Builder
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		var content []byte
		if info.Mode().IsRegular() {
			content, err = os.ReadFile(path)
		}
		fmt.Fprintf(&all, "%s %d %x\n", path, len(content), sumOf(content))
		return err
	})
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return all.String()
}

func sumOf(content []byte) uint32 { return crc32.ChecksumIEEE(content) }
