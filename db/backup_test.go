package db_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"couponql/coupon"
	"couponql/db"
	"couponql/db/dbtest"
)

func newBackup() *coupon.Export {
	return &coupon.Export{Kind: coupon.ExportBackup, Format: coupon.FormatDuckDB, Request: coupon.ExportRequest{HoursKept: 2}}
}

// backUp writes a backup to a file and gives its path.
func (s *scene) backUp(t *testing.T) string {
	t.Helper()
	done, text := s.export(t, newBackup())
	if done.VerifiedAt() == nil || done.RowCount == 0 {
		t.Errorf("the backup is %+v", done)
	}
	path := filepath.Join(t.TempDir(), done.FileName())
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// restore makes another database of a backup, and opens it at the time of the scene.
func (s *scene) restore(t *testing.T, backup string, options ...func(*db.Options)) (*scene, *db.Restored) {
	t.Helper()
	other := &scene{clock: s.clock, path: filepath.Join(t.TempDir(), "restored.duckdb")}
	restored, err := db.Restore(t.Context(), db.RestoreOptions{Backup: backup, Path: other.path, Now: s.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	if !restored.TakenAt.Equal(s.clock.Now()) || !restored.Report.IsSound() {
		t.Errorf("restored %+v", restored)
	}
	other.Store = dbtest.Open(t, other.path, append(options, s.clock.Use)...)
	return other, restored
}

// rowsOf returns what every table has, but for the jobs, settings and numbers that a restored database has otherwise.
func (s *scene) rowsOf(t *testing.T) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	for _, table := range s.Texts(t, "SELECT table_name FROM duckdb_tables() WHERE NOT temporary") {
		if slices.Contains([]string{"setting", "export", "upload", "number"}, table) {
			continue
		}
		// In the order of the file, which pages rely on.
		all[table] = s.Texts(t, "SELECT t::VARCHAR FROM "+table+" t")
	}
	return all
}

// TestBackup makes a database of a backup: nothing is lost, no number is given twice, and it can be worked with.
func TestBackup(t *testing.T) {
	t.Parallel()
	s := newScene(t, func(o *db.Options) { o.CaseSensitiveCodes = true })
	c := s.used(t)
	s.importFile(t, newImport(coupon.ImportCodes, into(c)), "code,label\nI1,soccer\n,\n")
	backup := s.backUp(t)
	before := s.rowsOf(t)
	s.codes(t, c, "", "LATER")
	r, restored := s.restore(t, backup, func(o *db.Options) { o.CaseSensitiveCodes = true })
	if restored.FailedExports != 1 || restored.FailedImports != 0 || len(restored.Paused) > 0 || restored.RowCount == 0 {
		t.Errorf("restored %+v", restored)
	}
	if diff := cmp.Diff(s.Schema(t), r.Schema(t)); diff != "" {
		t.Errorf("schema (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(before, r.rowsOf(t)); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	if code, err := r.CodeByValue(t.Context(), "LATER", coupon.AnyState); code != nil || err != nil {
		t.Errorf("what came after the backup: %+v, %v", code, err)
	}
	// What was lost since the backup had numbers, which nothing new gets.
	if a, b := s.newCoupon(t), r.newCoupon(t); a != "coupon_2" || b != "coupon_1000002" {
		t.Errorf("the next coupon is %s, restored %s", a, b)
	}
	r.codes(t, c, "", "AFTERWARDS")
	r.deliver(t, c, r.recipients(t, 3))
	r.checkSound(t)
	// Its exports are over, and their files not there.
	done, err := r.ExportsByID(t.Context(), []coupon.ID{"export_1"})
	if err != nil || done["export_1"].Status != coupon.ImportFailed || !strings.Contains(*done["export_1"].Failure, "restored") {
		t.Errorf("the backup in itself: %+v, %v", done["export_1"], err)
	}
	// A backup of what was restored is one as well.
	again, _ := r.restore(t, r.backUp(t), func(o *db.Options) { o.CaseSensitiveCodes = true })
	again.checkSound(t)
	if a, b := r.newCoupon(t), again.newCoupon(t); a != "coupon_1000003" || b != "coupon_2000003" {
		t.Errorf("the next coupon is %s, restored again %s", a, b)
	}
	if a, b := s.ID(), again.ID(); a == b || b == r.ID() {
		t.Errorf("ids %s, %s, %s", a, r.ID(), b)
	}
	s.wantNoFiles(t)
}

// TestBackupIsKept tells how long the file of a backup is kept, and that nothing else is left of it.
func TestBackupIsKept(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	for _, hours := range []int{0, coupon.MaxBackupHours + 1} {
		e := newBackup()
		e.Request.HoursKept = hours
		_, err := s.CreateExport(t.Context(), e)
		wantError(t, err, coupon.ErrorInvalid, "input.hoursKept")
	}
	wrong := codesOf(s.newCoupon(t), coupon.FormatDuckDB, nil)
	_, err := s.CreateExport(t.Context(), wrong)
	wantError(t, err, coupon.ErrorInvalid, "input.format")
	s.backUp(t)
	for _, has := range []bool{true, false} {
		if err := s.ForgetFiles(t.Context()); err != nil {
			t.Fatal(err)
		}
		left, err := os.ReadDir(filepath.Join(s.path+".files", "exports"))
		if err != nil || (len(left) == 1) != has {
			t.Errorf("left %v, %v; a file is wanted: %t", left, err, has)
		}
		s.clock.Advance(2 * time.Hour)
	}
	// What a crash leaves of a backup is in its way no more.
	dir := filepath.Join(s.path+".files", "spool", "export_2.backup")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "couponql.duckdb"), []byte("half a file"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.backUp(t)
	s.wantNoFiles(t)
}

// TestBackupBesideRedemptions backs up while codes are redeemed: nobody waits, and each backup is one instant.
func TestBackupBesideRedemptions(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.newCoupon(t, withoutAssignment)
	values := numbered("C", 4000)
	s.codes(t, c, "", values...)
	ctx, stop := context.WithCancel(t.Context())
	var wait sync.WaitGroup
	redeemed := 0
	wait.Go(func() {
		for _, value := range values {
			if ctx.Err() != nil {
				return
			}
			if _, err := s.Redeem(t.Context(), &coupon.RedeemRequest{Value: value}); err != nil {
				t.Error(err)
				return
			}
			redeemed++
		}
	})
	var backups []string
	for range 3 {
		backups = append(backups, s.backUp(t))
	}
	stop()
	wait.Wait()
	last := 0
	for _, backup := range backups {
		r, _ := s.restore(t, backup)
		a := r.availability(t, c)
		if a.Total != len(values) || a.Redeemed < last || a.Redeemed > redeemed {
			t.Errorf("%d of %d codes are redeemed, after %d before and %d in the end", a.Redeemed, a.Total, last, redeemed)
		}
		last = a.Redeemed
	}
	if last == 0 {
		t.Error("nothing was redeemed during the backups")
	}
}

// TestBackupOfTheUnsound refuses to call a copy good that breaks a promise.
func TestBackupOfTheUnsound(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.codes(t, s.newCoupon(t), "", "A")
	s.Exec(t, "INSERT INTO code SELECT id + 1, batch_id, coupon_id, label, key, value FROM code")
	created, err := s.CreateExport(t.Context(), newBackup())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.RunExport(t.Context(), created.ID, nil); err != nil {
		t.Fatal(err)
	}
	found, err := s.ExportsByID(t.Context(), []coupon.ID{created.ID})
	e := found[created.ID]
	if err != nil || e.Status != coupon.ImportFailed || !strings.Contains(*e.Failure, "code_twice: 1 (P6") || e.VerifiedAt() != nil {
		t.Errorf("got %+v (%v), %v", e, *e.Failure, err)
	}
	s.wantNoFiles(t)
}

// TestRestoreSendsNothing tells what becomes of deliveries, imports and links of a backup.
func TestRestoreSendsNothing(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.newCoupon(t)
	s.codes(t, c, "", numbered("C", 20)...)
	recipients := s.recipients(t, 4)
	running, later := s.newDelivery(t, c, recipients), s.newDelivery(t, c, recipients, func(d *coupon.DeliveryChanges) {
		d.ContactAt = coupon.Set(new(coupon.DateTime("2026-11-24T12:00:00Z")))
	})
	for _, id := range []coupon.ID{running, later} {
		s.confirm(t, id)
	}
	s.sendBatch(t, running, 1)
	waiting := s.queue(t, newImport(coupon.ImportCodes, into(c)), "code\nX\n")
	key, err := s.LinkKey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r, restored := s.restore(t, s.backUp(t))
	if diff := cmp.Diff([]coupon.ID{running, later}, restored.Paused); diff != "" || restored.FailedImports != 1 {
		t.Errorf("restored %+v", restored)
	}
	if due, err := r.DueDeliveries(t.Context()); err != nil || len(due) > 0 {
		t.Errorf("due: %v, %v", due, err)
	}
	if got := r.log(t, running); !strings.Contains(got[len(got)-1], "restored from a backup of 2026-11-23T12:00:00Z") {
		t.Errorf("log %q", got)
	}
	if i := r.imported(t, waiting); i.Status != coupon.ImportFailed || !strings.Contains(*i.Failure, "import the file again") {
		t.Errorf("the import is %+v", i)
	}
	if other, err := r.LinkKey(t.Context()); err != nil || bytes.Equal(key, other) {
		t.Errorf("links that were given out still work: %v", err)
	}
	for id, want := range map[coupon.ID]coupon.DeliveryStatus{running: coupon.DeliveryInProgress, later: coupon.DeliveryScheduled} {
		if d, err := r.ResumeDelivery(t.Context(), id); err != nil || d.Status != want {
			t.Errorf("%s: %+v, %v; want %s", id, d, err, want)
		}
	}
	// What the outbox has since the backup is not cut off.
	batch, err := r.NextBatch(t.Context(), running, 10)
	if err != nil {
		t.Fatal(err)
	}
	if len(batch.Contents) != 3 || batch.OutboxSize != 1<<63-1 {
		t.Errorf("the next batch has %d messages from %d on", len(batch.Contents), batch.OutboxSize)
	}
	batch.Release()
	r.checkSound(t)
}

// TestRestoreRefuses tells what is not restored, and that nothing is changed or left then.
func TestRestoreRefuses(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.codes(t, s.newCoupon(t), "", numbered("C", 1000)...)
	s.recipients(t, 1000, "soccer", "tennis")
	backup := s.backUp(t)
	content, err := os.ReadFile(backup)
	if err != nil {
		t.Fatal(err)
	}
	damaged := slices.Clone(content)
	for i := len(damaged) / 2; i < len(damaged); i += 1000 {
		damaged[i] ^= 1
	}
	unsound := func(t *testing.T, path string) {
		t.Helper()
		s := newScene(t)
		s.codes(t, s.newCoupon(t), "", "A")
		file := s.backUp(t)
		if err := os.Rename(file, path); err != nil {
			t.Fatal(err)
		}
		db.ExecOn(t, path, "INSERT INTO code SELECT id + 1, batch_id, coupon_id, label, key, value FROM code")
	}
	for name, test := range map[string]struct {
		// make writes the file that is restored, and what stands at the target.
		make      func(t *testing.T, file, target string)
		overwrite bool
		want      string
	}{
		"a damaged file":    {writing(damaged), false, "damaged or was cut off, and nothing was made"},
		"half a file":       {writing(content[:len(content)/2]), false, "damaged or was cut off, and nothing was made"},
		"a text":            {writing([]byte(strings.Repeat("text ", 5000))), false, "restore"},
		"no file":           {func(*testing.T, string, string) {}, false, "open the backup"},
		"an unsound backup": {func(t *testing.T, file, _ string) { t.Helper(); unsound(t, file) }, false, "code_twice: 1"},
		"a database":        {func(t *testing.T, file, _ string) { t.Helper(); closed(t, file) }, false, "not one that couponql backup made"},
		"another database":  {func(t *testing.T, file, _ string) { t.Helper(); db.ExecOn(t, file, "CREATE TABLE x (i INT)") }, false, "no database of couponql"},
		"over a database":   {func(t *testing.T, file, target string) { t.Helper(); writing(content)(t, file, ""); closed(t, target) }, false, "--force"},
		"beside an old log": {func(t *testing.T, file, target string) {
			t.Helper()
			writing(content)(t, file, "")
			writing(nil)(t, target+".wal", "")
		}, false, "--force"},
		"over it by a wreck": {func(t *testing.T, file, target string) { t.Helper(); writing(damaged)(t, file, ""); closed(t, target) }, true, "restore"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			file, target := filepath.Join(dir, "file"), filepath.Join(dir, "target")
			test.make(t, file, target)
			before := listing(t, dir)
			_, err := db.Restore(t.Context(), db.RestoreOptions{Backup: file, Path: target, Overwrites: test.overwrite})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
			if diff := cmp.Diff(before, listing(t, dir)); diff != "" {
				t.Errorf("the folder (-before +after):\n%s", diff)
			}
		})
	}
}

// writing returns what writes a file.
func writing(content []byte) func(t *testing.T, file, target string) {
	return func(t *testing.T, file, _ string) {
		t.Helper()
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// closed makes an empty database.
func closed(t *testing.T, path string) {
	t.Helper()
	s, err := db.Open(t.Context(), db.Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// listing returns the files below a folder with their sizes.
func listing(t *testing.T, dir string) []string {
	t.Helper()
	var files []string
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err == nil && !info.IsDir() {
			files = append(files, fmt.Sprintf("%s %d", path, info.Size()))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// TestRestoreOverwrites puts a backup in the place of a database, whose log and files go with it.
func TestRestoreOverwrites(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.codes(t, s.newCoupon(t), "", "A")
	backup := s.backUp(t)
	path := filepath.Join(t.TempDir(), "couponql.duckdb")
	closed(t, path)
	for _, name := range []string{path + ".wal", filepath.Join(path+".files", "uploads", "upload_1")} {
		writing([]byte("old"))(t, name, "")
	}
	// A crash in the middle of an earlier restore left these.
	writing([]byte("old"))(t, path+".restoring", "")
	if _, err := db.Restore(t.Context(), db.RestoreOptions{Backup: backup, Path: path, Overwrites: true}); err != nil {
		t.Fatal(err)
	}
	other := &scene{Store: dbtest.Open(t, path, s.clock.Use), clock: s.clock, path: path}
	other.code(t, "A")
	for _, line := range listing(t, filepath.Dir(path)) {
		if strings.Contains(line, "upload_1") || strings.Contains(line, "restoring") {
			t.Errorf("left: %s", line)
		}
	}
}

// TestOpenRefusesBackup tells that a backup is not served as it is.
func TestOpenRefusesBackup(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	backup := s.backUp(t)
	if opened, err := db.Open(t.Context(), db.Options{Path: backup}); err == nil || !strings.Contains(err.Error(), "couponql restore "+backup) {
		t.Errorf("got %v, %v", opened, err)
	}
}
