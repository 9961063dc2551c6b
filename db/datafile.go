package db

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/marcboeker/go-duckdb/v2"
)

// checkFile looks whether there is something that the engine may be given as a database, before it is: the engine would
// take an empty file for a new database, and look for an extension that reads what others wrote. isNew: there is none yet.
func checkFile(path string) (isNew bool, err error) {
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		return true, refuseOrphan(path)
	}
	if err != nil {
		return false, fmt.Errorf("open %s: %w", path, err)
	}
	switch {
	case info.IsDir():
		return false, fmt.Errorf("open %s: it is a folder; give the file of a database", path)
	case !info.Mode().IsRegular():
		return false, fmt.Errorf("open %s: it is no ordinary file; give the file of a database", path)
	case info.Size() == 0:
		return false, fmt.Errorf("open %s: it is empty, so it is no database any more; restore a backup, or delete it to begin with a new database", path)
	}
	file, err := os.Open(path)
	if err != nil {
		return false, fmt.Errorf("open the database: %w", err)
	}
	defer func() { _ = file.Close() }()
	// The engine's file begins with a checksum of eight bytes and its mark.
	const mark, markAt = "DUCK", 8
	beginning := make([]byte, 16)
	read, err := io.ReadFull(file, beginning)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return false, fmt.Errorf("open %s: %w", path, err)
	}
	beginning = beginning[:read]
	switch {
	case bytes.HasPrefix(beginning, []byte("SQLite format 3")):
		return false, fmt.Errorf("open %s: it is a database of SQLite, not of couponql; give another file", path)
	case len(beginning) < markAt+len(mark) || string(beginning[markAt:markAt+len(mark)]) != mark:
		return false, fmt.Errorf("open %s: it is no database, or its beginning is damaged; give another file, or restore a backup", path)
	}
	return false, nil
}

// refuseOrphan returns an error when a database is gone and its log is there, which the engine would take for that of a
// new one.
func refuseOrphan(path string) error {
	info, err := os.Stat(path + walSuffix)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	if info.Size() == 0 {
		return nil
	}
	return fmt.Errorf(
		"open %s: it does not exist, but its log %s does, which has changes that belong to it; bring the file back, restore a backup, or move the log away to begin with a new database",
		path,
		path+walSuffix,
	)
}

// refuseForeign returns an error for a database that the engine opened and this version must not change: one of somebody
// else, a backup, or one of a newer version.
func (s *Store) refuseForeign(ctx context.Context) error {
	applied, err := s.ownMigrations(ctx)
	if err != nil {
		return err
	}
	names, err := migrationNames()
	if err != nil {
		return err
	}
	for name := range applied {
		if !slices.Contains(names, name) {
			return fmt.Errorf("open %s: it was made by a newer version of couponql (it has the migration %s)", s.options.Path, name)
		}
	}
	if len(applied) == 0 {
		return nil
	}
	takenAt, err := setting(ctx, s, backupTakenAt)
	if err == nil && takenAt != "" {
		err = fmt.Errorf("open %s: it is a backup, taken at %s; make a database of it with: couponql restore %s --data NEW.duckdb",
			s.options.Path, takenAt, s.options.Path)
	}
	return err
}

// ownMigrations gives the migrations of a database that the engine opened, none for one whose first start did not come to its
// end. It returns an error for a database of somebody else, and for one that has lost all that was in it.
func (s *Store) ownMigrations(ctx context.Context) (map[string]string, error) {
	tables, err := collect(ctx, s, "-- the tables of a database\nSELECT table_name FROM duckdb_tables() WHERE NOT temporary", scanInto[string])
	if err != nil {
		return nil, err
	}
	const record = "migration"
	if len(tables) > 0 && !slices.Contains(tables, record) {
		return nil, fmt.Errorf("open %s: it is a database of DuckDB, but not of couponql; give another file", s.options.Path)
	}
	var applied map[string]string
	if len(tables) > 0 {
		if applied, err = s.appliedMigrations(ctx); err != nil {
			return nil, fmt.Errorf("open %s: it is a database of DuckDB, but not of couponql; give another file: %w", s.options.Path, err)
		}
	}
	if len(applied) > 0 {
		return applied, nil
	}
	// All that a young database has is in its log, so that a file without anything is what is left when the log is lost.
	for _, m := range marks() {
		if isSet, err := m.isSet(s.options.Path); err != nil || isSet {
			return nil, err
		}
	}
	return nil, fmt.Errorf("open %s: it has nothing in it, and its log %s is missing or has nothing that can be read: what was acknowledged was in the log; "+
		"bring the log back, restore a backup, or delete the file to begin with a new database", s.options.Path, s.options.Path+walSuffix)
}

// checkLog reads the engine's log before the engine does, which would leave out some damage without a word, and refuse
// other damage without a way on. It takes away what was never acknowledged, and what the operator says.
func (s *Store) checkLog() error {
	l, err := readLog(s.options.Path)
	if err != nil {
		return err
	}
	if s.notice = l.notice(); s.options.CutsLogAt != nil && l.state != logBroken {
		s.addNotice(needlessCut)
	}
	if l.state != logBroken && l.state != logFilled {
		return nil
	}
	// A server that runs is writing it right now.
	if err := probe(s.options.Path); isLockedOut(err) {
		return openError(s.options.Path, err)
	}
	if l.state == logBroken && (s.options.CutsLogAt == nil || *s.options.CutsLogAt != l.whole) {
		return fmt.Errorf("open %s: %w", s.options.Path, l.errBroken())
	}
	kept, err := l.keep()
	if err != nil {
		return err
	}
	if l.state == logBroken {
		// From now on a start that is killed leaves the rest to the next one.
		if err := markCut.set(s.options.Path); err != nil {
			return err
		}
	}
	if err := l.cut(); err != nil {
		return err
	}
	s.addNotice(fmt.Sprintf("It was cut off at byte %d; as it was it is kept in %s.", l.whole, kept))
	return nil
}

// needlessCut is said when there is nothing to cut off, lest the flag stays for a day when there is.
const needlessCut = "The log of the database has no damage that --cut-log-at is for, and nothing acknowledged was cut off: take the flag away."

// addNotice puts sentences behind those that an operator is told.
func (s *Store) addNotice(text string) {
	if s.notice != "" {
		s.notice += " "
	}
	s.notice += text
}

// finishStart does what follows from a log that was cut off, by this start or by one that was killed, and takes the marks of the
// start away. A kill between the two has the next start do it again, which changes nothing but numbers and the id: nothing was
// served yet.
func (s *Store) finishStart(ctx context.Context) error {
	wasCut, err := markCut.isSet(s.options.Path)
	if err != nil {
		return err
	}
	if wasCut {
		if err := s.settleCut(ctx); err != nil {
			return fmt.Errorf("go on after the log of the database was cut off: %w", err)
		}
	}
	for _, m := range marks() {
		if err := m.remove(s.options.Path); err != nil {
			return err
		}
	}
	return nil
}

// settleCut treats a database whose log was cut off as one that was restored.
func (s *Store) settleCut(ctx context.Context) error {
	settled := &Restored{}
	err := s.update(ctx, func(ctx context.Context, t *tx) error {
		t.reserve = min(t.reserve, minFreeDiskForOutcome) // A server starts when the disk is nearly full.
		return t.settleJobs(ctx, lostWithLog, settled)
	})
	if err != nil {
		return err
	}
	// The id is another one, and uploads are gone.
	if err := errors.Join(s.checkSettings(ctx), s.clearUploads(ctx)); err != nil {
		return err
	}
	paused := "no delivery was being sent or scheduled"
	if len(settled.Paused) > 0 {
		paused = fmt.Sprintf("paused deliveries: %v", settled.Paused)
	}
	s.addNotice(
		fmt.Sprintf("Acknowledged changes were cut off with the log of the database, so it is as after restoring a backup: new numbers begin %d further on, "+
			"the database has another id, links that were given out work no more, %s, failed imports: %d, failed exports: %d. See The log of the database in README.md.",
			skippedNumbers, paused, settled.FailedImports, settled.FailedExports),
	)
	return nil
}

// probe opens a database without changing it, and gives the engine's error.
func probe(path string) error {
	connector, err := duckdb.NewConnector(path+withoutExtensions+readOnly, nil)
	if err != nil {
		return err
	}
	return connector.Close()
}

// copyDurably copies a file to a new one, which only its owner may read, and brings it to the disk. It returns ErrDiskFull, and
// begins nothing, where the copy would leave less of the disk free than every commit does. Of a copy that failed nothing stays.
func copyDurably(from, to, what string) (err error) {
	source, err := os.Open(from)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	defer func() { _ = source.Close() }()
	info, err := source.Stat()
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	free, err := freeDisk(filepath.Dir(to))
	if err != nil {
		return fmt.Errorf("%s: look how much of the disk is free: %w", what, err)
	}
	if needed := uint64(info.Size()) + minFreeDisk; free < needed {
		return fmt.Errorf("%s: %w; make room and try again", what, &DiskError{Free: free, Needed: needed})
	}
	target, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	defer func() {
		if closed := target.Close(); err == nil && closed != nil {
			err = storageError(what, closed)
		}
		if err != nil {
			err = errors.Join(err, os.Remove(to))
		}
	}()
	if _, err := io.Copy(target, source); err != nil {
		return storageError(what, err)
	}
	if err := target.Sync(); err != nil {
		return storageError(what, err)
	}
	return nil
}
