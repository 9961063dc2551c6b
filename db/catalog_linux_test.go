package db

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"couponql/coupon"
	"couponql/db/duckdb"
	"couponql/db/snapshot"
)

// TestBackupBesideSnapshots takes snapshots one after the other while backups are made: the engine
// stays whole, and every copy is one.
func TestBackupBesideSnapshots(t *testing.T) {
	t.Parallel()
	s := openTemp(t)
	id := addPool(t, s)
	if _, err := s.GenerateCodes(
		t.Context(),
		&GenerateRequest{
			CouponID: id, Count: 200_000, Pattern: "##########", Alphabet: "ABCDEFGHJKLMNPQR",
		},
	); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	snapshots := make(chan error, 1)
	go func() {
		for ctx.Err() == nil {
			taken, err := s.TakeSnapshot(t.Context(), false)
			if err == nil {
				err = checkSnapshot(t, taken)
			}
			if err != nil {
				snapshots <- err
				return
			}
		}
		snapshots <- nil
	}()
	for range 4 {
		e, err := s.CreateExport(
			t.Context(),
			&coupon.Export{
				Kind: coupon.ExportBackup, Format: coupon.FormatDuckDB,
				Request: coupon.ExportRequest{HoursKept: 1},
			},
		)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.RunExport(t.Context(), e.ID, nil); err != nil {
			t.Fatal(err)
		}
		found, err := s.ExportsByID(t.Context(), []coupon.ID{e.ID})
		if err != nil || found[e.ID].Status != coupon.ImportSucceeded {
			t.Fatalf("the backup is %+v, %v", found[e.ID], err)
		}
	}
	stop()
	if err := <-snapshots; err != nil {
		t.Error(err)
	}
	checkReport(t, s)
}

// checkSnapshot opens a snapshot, as another process does, and removes it: nobody may have it open,
// or hold back its rows.
func checkSnapshot(t *testing.T, taken *snapshot.Snapshot) error {
	t.Helper()
	if _, err := os.Stat(filepath.Join(taken.Dir, snapshot.File+duckdb.LogSuffix)); err == nil {
		t.Error("the snapshot was given away before it was whole")
	}
	return taken.Remove()
}

// TestCatalogsAreListedInOnePlace tells that nothing asks the engine what there is but what
// excludes snapshots meanwhile.
func TestCatalogsAreListedInOnePlace(t *testing.T) {
	t.Parallel()
	lists := regexp.MustCompile(`duckdb_\w+\(|information_schema|pragma_\w+|SHOW (ALL )?TABLES`)
	known := map[string]bool{
		"backup.go": true, "query/backup_tables.sql": true, "query/backup_views.sql": true,
		// Nothing else is attached at the start.
		"query/setting_exists.sql": true, "query/table_names.sql": true,
	}
	for _, pattern := range []string{"*.go", "query/*.sql", "snapshot/*.sql", "migration/*.sql"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s gives %v, %v", pattern, files, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if lists.Match(text) && !known[file] && !strings.HasSuffix(file, "_test.go") {
				t.Errorf("%s lists catalogs: see listCatalogs", file)
			}
		}
	}
}

// TestSnapshotFails tells that whatever keeps a snapshot from being made is an error of its own:
// nothing of it stays, the store goes on, and the next one is made.
func TestSnapshotFails(t *testing.T) {
	t.Parallel()
	s := openTemp(t)
	id := addPool(t, s)
	if _, err := s.GenerateCodes(
		t.Context(),
		&GenerateRequest{
			CouponID: id, Count: 300_000, Pattern: "############",
			Alphabet: "ABCDEFGHJKLMNPQRSTUVWXYZ",
		},
	); err != nil {
		t.Fatal(err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for name, take := range map[string]func() error{
		"its folder is missing": func() error {
			if err := os.Rename(s.spoolDir(), s.spoolDir()+"-away"); err != nil {
				t.Fatal(err)
			}
			_, err := s.TakeSnapshot(t.Context(), false)
			if err := os.Rename(s.spoolDir()+"-away", s.spoolDir()); err != nil {
				t.Fatal(err)
			}
			return err
		},
		"whoever asked has gone": func() error {
			_, err := s.TakeSnapshot(gone, false)
			return err
		},
		"its disk is full": func() error {
			if err := syscall.Mount("tmpfs", s.spoolDir(), "tmpfs", 0, "size=1m"); err != nil {
				t.Skipf("mounting a small disk: %v", err)
			}
			_, err := s.TakeSnapshot(t.Context(), false)
			if left, read := os.ReadDir(s.spoolDir()); read != nil || len(left) > 0 {
				t.Errorf("the snapshot left %v, %v", left, read)
			}
			if err := syscall.Unmount(s.spoolDir(), syscall.MNT_DETACH); err != nil {
				t.Fatal(err)
			}
			return err
		},
	} {
		if err := take(); err == nil {
			t.Errorf("%s: a snapshot is made", name)
		} else {
			t.Logf("%s: %v", name, err)
		}
		select {
		case <-s.Failed():
			t.Fatalf("%s: the store failed: %v", name, s.engine.Whole())
		default:
		}
		if _, _, err := s.AddCodes(t.Context(), id,
			[]coupon.NewCode{{Value: "after " + name}}); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		taken, err := s.TakeSnapshot(t.Context(), false)
		if err != nil {
			t.Fatalf("after: %s: %v", name, err)
		}
		if err := taken.Remove(); err != nil {
			t.Error(err)
		}
	}
	checkReport(t, s)
}
