package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"couponql/coupon"
	"couponql/db/duckdb"
)

// RestoreOptions says what to restore.
type RestoreOptions struct {
	// Backup is the file that an export of a backup gave, and Path the database to be made of it.
	Backup, Path string
	// Overwrites: a database at Path is deleted, with its files.
	Overwrites bool
	// MemoryLimit is what the engine may take, such as "2GB"; "" means DefaultMemoryLimit.
	MemoryLimit string
	// Now is the clock; nil means the machine's.
	Now func() time.Time
}

// Restored tells what a backup became.
type Restored struct {
	// TakenAt is the instant of which everything is.
	TakenAt time.Time
	Report  *coupon.IntegrityReport
	// RowCount is how many rows all tables have.
	RowCount int
	// Paused are the deliveries that the server would have gone on with.
	Paused []coupon.ID
	// FailedImports and FailedExports had not come to their end.
	FailedImports, FailedExports int
}

// restoringSuffix and the name of a database file are what it is called until it is whole.
const restoringSuffix = ".restoring"

// skippedNumbers is how many numbers of coupons, deliveries and so on a restored database passes over: more than were given
// out since the backup. A coupon's automatic code is made of its number, and the outbox has files by numbers.
const skippedNumbers = 1_000_000

// What is said of jobs that a backup was made among.
const (
	restoredImport   = "The database was restored from a backup, which has no uploaded files: import the file again."
	restoredExport   = "The database was restored from a backup, which has no exported files: export again."
	restoredDelivery = "Paused: the database was restored from a backup of %s. What was sent since is not recorded: see to that, and resume or stop."
)

// loss is how acknowledged changes were lost, in the words that are said of the jobs among them.
type loss struct{ ofImport, ofExport, ofDelivery string }

// lostWithLog is the loss when a damaged log was cut off.
var lostWithLog = loss{
	ofImport:   "The log of the database was damaged and cut off, and with it perhaps the end of this import: import the file again.",
	ofExport:   "The log of the database was damaged and cut off, and with it perhaps the end of this export: export again.",
	ofDelivery: "Paused: the log of the database was damaged and cut off. What was sent since is not recorded: see to that, and resume or stop.",
}

// lostSince is the loss when a backup of an instant was restored.
func lostSince(backup time.Time) loss {
	return loss{restoredImport, restoredExport, fmt.Sprintf(restoredDelivery, backup.Format(time.RFC3339))}
}

// Restore makes a database of a backup, without a server: every value is read, the promises are checked, and only then
// it stands at its path. It has another id than the one that was backed up, so that what it sends is not taken for a
// repetition, and sends nothing by itself: deliveries are paused, and imports and exports that were not done have
// failed. It returns an error when there is a database already, unless that is to be overwritten and no process has it
// open, when the file is no backup, and when the backup breaks a promise.
func Restore(ctx context.Context, options RestoreOptions) (restored *Restored, err error) {
	path, err := filepath.Abs(options.Path)
	if err != nil {
		return nil, fmt.Errorf("find the database: %w", err)
	}
	if err := checkTarget(path, options.Overwrites); err != nil {
		return nil, err
	}
	if isMissing, err := duckdb.CheckFile(options.Backup); err != nil {
		return nil, err
	} else if isMissing {
		return nil, fmt.Errorf("open the backup: %w: %s", os.ErrNotExist, options.Backup)
	}
	temporary := path + restoringSuffix
	if err := removeDatabase(temporary); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, removeDatabase(temporary))
		}
	}()
	if err := duckdb.CopyDurably(options.Backup, temporary, "copy the backup", minFreeDisk); err != nil {
		return nil, err
	}
	restored, err = adoptBackup(ctx, Options{Path: temporary, MemoryLimit: options.MemoryLimit, Now: options.Now})
	if err != nil {
		return nil, fmt.Errorf("restore %s: %w", options.Backup, err)
	}
	if options.Overwrites {
		if err := removeDatabase(path); err != nil {
			return nil, err
		}
	}
	if err := os.Rename(temporary+filesSuffix, path+filesSuffix); err != nil {
		return nil, fmt.Errorf("put the restored database in its place: %w", err)
	}
	if err := os.Rename(temporary, path); err != nil {
		return nil, fmt.Errorf("put the restored database in its place: %w", err)
	}
	return restored, duckdb.SyncFolder(filepath.Dir(path))
}

// databaseFiles returns the names of what belongs to a database: the file itself comes last, so that as long as it is there
// the rest is as well.
func databaseFiles(path string) []string {
	names := []string{path + filesSuffix, path + duckdb.LogSuffix}
	for _, m := range marks() {
		names = append(names, path+string(m))
	}
	return append(names, path)
}

// checkTarget refuses a path where a database is, or was.
func checkTarget(path string, overwrites bool) error {
	for _, name := range databaseFiles(path) {
		if _, err := os.Lstat(name); errors.Is(err, os.ErrNotExist) {
			continue
		} else if err != nil {
			return fmt.Errorf("look whether %s exists: %w", name, err)
		}
		if !overwrites {
			return fmt.Errorf("%s exists: choose another path for the restored database, or give --force to delete it and what belongs to it", name)
		}
	}
	if _, err := os.Stat(path); err != nil {
		return nil //nolint:nilerr // there is none, or none that can be opened
	}
	if duckdb.IsLockedOut(duckdb.Probe(path)) {
		return fmt.Errorf("overwrite %s: another process has the database open; stop it first", path)
	}
	return nil
}

// removeDatabase deletes a database with all that belongs to it, if it exists.
func removeDatabase(path string) error {
	for _, name := range databaseFiles(path) {
		if err := os.RemoveAll(name); err != nil {
			return fmt.Errorf("delete a database: %w", err)
		}
	}
	return nil
}

// adoptBackup makes a database of the copy of a backup.
func adoptBackup(ctx context.Context, options Options) (restored *Restored, err error) {
	s, err := describeStore(options)
	if err != nil {
		return nil, err
	}
	if err := s.makeFolders(); err != nil {
		return nil, err
	}
	if err := s.connect(ctx); err != nil {
		return nil, damagedBackup(ctx, err)
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	restored = &Restored{}
	if restored.RowCount, err = s.engine.ReadAll(ctx, s.engine); err != nil {
		return nil, damagedBackup(ctx, err)
	}
	if restored.TakenAt, err = s.unmarkBackup(ctx); err != nil {
		return nil, err
	}
	for _, step := range []func(context.Context) error{s.migrate, s.load} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	if err := s.update(ctx, func(ctx context.Context, t *turn) error {
		return t.endJobs(ctx, lostSince(restored.TakenAt), restored)
	}); err != nil {
		return nil, err
	}
	if restored.Report, err = s.IntegrityReport(ctx); err != nil {
		return nil, err
	}
	return restored, refuseUnsound(restored.Report)
}

// damagedBackup says what it means that the engine cannot read the copy of a backup.
func damagedBackup(ctx context.Context, err error) error {
	if ctx.Err() != nil || errors.Is(err, ErrDiskFull) {
		return fmt.Errorf("read the backup: %w", err)
	}
	return fmt.Errorf("the backup is damaged or was cut off, and nothing was made of it; take another one, or fetch it again (%w)", err)
}

// unmarkBackup makes a database of a backup again, compares codes as it does, and gives when it was taken.
func (s *Store) unmarkBackup(ctx context.Context) (time.Time, error) {
	settings := map[string]string{}
	err := duckdb.Each(ctx, s.engine, settingAll, func(rows *sql.Rows) error {
		var name, value string
		err := rows.Scan(&name, &value)
		settings[name] = value
		return err
	})
	if err != nil {
		return time.Time{}, fmt.Errorf("it is no database of couponql: %w", err)
	}
	mark, isBackup := settings[backupTakenAt]
	if !isBackup {
		return time.Time{}, errors.New("it is a database, but not one that couponql backup made. Give it to --data, with all files that belong to it")
	}
	takenAt, err := time.Parse(time.RFC3339Nano, mark)
	if err != nil {
		return time.Time{}, fmt.Errorf("when the backup was taken: %w", err)
	}
	s.keys.CaseSensitive = settings[caseSensitiveCodes] == "true"
	s.options.CaseSensitiveCodes = s.keys.CaseSensitive
	if err := s.engine.Exec(ctx, settingDelete, named("name", backupTakenAt)); err != nil {
		return time.Time{}, err
	}
	return takenAt, nil
}

// endJobs has nothing go on, or be taken, for what was lost: it ends what a server must not go on with, passes over numbers that
// may have been given out, and gives the database another id.
func (t *turn) endJobs(ctx context.Context, how loss, restored *Restored) (err error) {
	if restored.FailedImports, err = t.Exec(ctx, restoredImports, named("failure", how.ofImport), named("now", t.now)); err != nil {
		return err
	}
	if restored.FailedExports, err = t.Exec(ctx, restoredExports, named("failure", how.ofExport), named("now", t.now)); err != nil {
		return err
	}
	numbers, err := duckdb.Collect(ctx, t, restoredDeliveries, duckdb.ScanInto[int64])
	if err != nil {
		return err
	}
	for _, number := range numbers {
		restored.Paused = append(restored.Paused, coupon.NewID(coupon.KindDelivery, number))
		if err := t.setStatus(ctx, number, coupon.DeliveryPaused, nil, how.ofDelivery); err != nil {
			return err
		}
	}
	for _, step := range []struct {
		statement string
		args      []any
	}{
		{restoredOutbox, nil},
		{restoredIdentity, nil},
		{restoredNumbers, []any{named("skipped", skippedNumbers)}},
		{restoredUploads, nil},
		{restoredLinks, []any{named("now", t.now)}},
		// Links that were given out lead to files of the same names, and not to the same files.
		{settingDelete, []any{named("name", linkKeyName)}},
	} {
		if _, err := t.Exec(ctx, step.statement, step.args...); err != nil {
			return err
		}
	}
	return nil
}
