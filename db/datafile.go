package db

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"couponql/db/duckdb"
)

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
	takenAt, err := setting(ctx, s.engine, backupTakenAt)
	if err == nil && takenAt != "" {
		err = fmt.Errorf("open %s: it is a backup, taken at %s; make a database of it with: couponql restore %s --data NEW.duckdb",
			s.options.Path, takenAt, s.options.Path)
	}
	return err
}

// ownMigrations returns the migrations of a database that the engine opened, none for one whose first start did not come to its
// end. It returns an error for a database of somebody else, and for one that has lost all that was in it.
func (s *Store) ownMigrations(ctx context.Context) (map[string]string, error) {
	tables, err := duckdb.Collect(ctx, s.engine,
		tableNames, duckdb.ScanInto[string])
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
		"bring the log back, restore a backup, or delete the file to begin with a new database", s.options.Path, s.options.Path+duckdb.LogSuffix)
}

// checkLog reads the engine's log before the engine does, which would leave out some damage without a word, and refuse
// other damage without a way on. It takes away what was never acknowledged, and what the operator says.
func (s *Store) checkLog() error {
	l, err := duckdb.ReadLog(s.options.Path)
	if err != nil {
		return err
	}
	if s.notice = l.Notice(); s.options.CutsLogAt != nil && l.State != duckdb.LogBroken {
		s.addNotice(needlessCut)
	}
	if l.State != duckdb.LogBroken && l.State != duckdb.LogFilled {
		return nil
	}
	// A server that runs is writing it right now.
	if err := duckdb.Probe(s.options.Path); duckdb.IsLockedOut(err) {
		return duckdb.OpenError(s.options.Path, err)
	}
	if l.State == duckdb.LogBroken && (s.options.CutsLogAt == nil || *s.options.CutsLogAt != l.Whole) {
		return fmt.Errorf("open %s: %w", s.options.Path, l.BrokenError())
	}
	kept, err := l.Keep(minFreeDisk)
	if err != nil {
		return err
	}
	if l.State == duckdb.LogBroken {
		// From now on a start that is killed leaves the rest to the next one.
		if err := markCut.set(s.options.Path); err != nil {
			return err
		}
	}
	if err := l.Cut(); err != nil {
		return err
	}
	s.addNotice(fmt.Sprintf("It was cut off at byte %d; as it was it is kept in %s.", l.Whole, kept))
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
		if err := s.adoptCut(ctx); err != nil {
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

// adoptCut treats a database whose log was cut off as one that was restored.
func (s *Store) adoptCut(ctx context.Context) error {
	settled := &Restored{}
	err := s.update(ctx, func(ctx context.Context, t *turn) error {
		t.reserve = min(t.reserve, minFreeDiskForOutcome) // A server starts when the disk is nearly full.
		return t.endJobs(ctx, lostWithLog, settled)
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
			"the database has another id, links that were given out work no more, %s, failed imports: %d, failed exports: %d. See docs/operating.md, The log of the database.",
			skippedNumbers, paused, settled.FailedImports, settled.FailedExports),
	)
	return nil
}
