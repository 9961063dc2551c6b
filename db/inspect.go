package db

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"couponql/coupon"
	"couponql/db/duckdb"
)

// Inspection tells what a database is like that no server has open.
type Inspection struct {
	// SizeBytes is how large it is on the disk, with its log.
	SizeBytes uint64
	// BackupTakenAt is not "" for a backup.
	BackupTakenAt string
	// MissingMigrations are those that the next start will apply, and UnknownMigrations those of a newer version.
	MissingMigrations, UnknownMigrations []string
	// IsBegun: its first start did not come to its end, and nothing is in it.
	IsBegun bool
	// CodeCount is how many codes it has, and RowCount how many rows.
	CodeCount, RowCount int
	// Timezones are those of its coupons.
	Timezones []string
	// Notice is not "" when something is odd about the engine's log; IsLogDamaged: the next start says so or does something
	// about it, and nothing else was read.
	Notice       string
	IsLogDamaged bool
	// ErasedSince is not "" when the file may still have, in parts not in use, text of recipients erased since.
	ErasedSince string
	// Report says whether the promises hold; nil when the schema is not that of this version.
	Report *coupon.IntegrityReport
}

// Inspect reads a database that no process has open, every value of it, and changes nothing. It returns an error for a
// file that cannot be opened or read, os.ErrNotExist among them.
func Inspect(ctx context.Context, path, memoryLimit string) (found *Inspection, err error) {
	isMissing, err := duckdb.CheckFile(path)
	if err != nil {
		return nil, err
	}
	if isMissing {
		return nil, fmt.Errorf("open the database: %w: %s", os.ErrNotExist, path)
	}
	s, err := describeStore(Options{Path: path, MemoryLimit: memoryLimit, isInspection: true})
	if err != nil {
		return nil, err
	}
	found = &Inspection{}
	if found.SizeBytes, err = duckdb.Size(s.options.Path); err != nil {
		return nil, err
	}
	log, err := duckdb.ReadLog(s.options.Path)
	if err != nil {
		return nil, err
	}
	if found.Notice = log.Notice(); log.State == duckdb.LogBroken || log.State == duckdb.LogFilled {
		if err := duckdb.Probe(s.options.Path); duckdb.IsLockedOut(err) {
			return nil, duckdb.OpenError(s.options.Path, err)
		}
		found.IsLogDamaged = true
		if log.State == duckdb.LogBroken {
			return found, fmt.Errorf("open %s: %w", s.options.Path, log.BrokenError())
		}
		return found, nil
	}
	if wasCut, err := markCut.isSet(s.options.Path); err != nil {
		return nil, err
	} else if wasCut {
		const interrupted = "The log of the database was cut off by a start that did not come to its end: the next one does what follows from that."
		found.Notice = strings.TrimSpace(found.Notice + " " + interrupted)
	}
	if err := s.connect(ctx); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := found.readMigrations(ctx, s); err != nil {
		return nil, err
	}
	if found.RowCount, err = s.engine.ReadAll(ctx, s.engine); err != nil {
		return nil, fmt.Errorf("read every value: %w", err)
	}
	if len(found.MissingMigrations)+len(found.UnknownMigrations) > 0 {
		return found, nil
	}
	if found.CodeCount, err = duckdb.One[int](ctx, s.engine, codeCountAll); err != nil {
		return nil, err
	}
	if found.Timezones, err = duckdb.Collect(ctx, s.engine, couponTimezones, duckdb.ScanInto[string]); err != nil {
		return nil, err
	}
	for name, value := range map[string]*string{backupTakenAt: &found.BackupTakenAt, erasedSinceRewrite: &found.ErasedSince} {
		if *value, err = setting(ctx, s.engine, name); err != nil {
			return nil, err
		}
	}
	checks, err := checkInvariants(ctx, s.engine)
	found.Report = &coupon.IntegrityReport{CheckedAt: s.now(), Checks: checks}
	return found, err
}

func (i *Inspection) readMigrations(ctx context.Context, s *Store) error {
	applied, err := s.ownMigrations(ctx)
	if err != nil {
		return err
	}
	i.IsBegun = len(applied) == 0
	names, err := migrationNames()
	if err != nil {
		return err
	}
	for _, name := range names {
		if applied[name] == "" {
			i.MissingMigrations = append(i.MissingMigrations, name)
		}
	}
	for name := range applied {
		if !slices.Contains(names, name) {
			i.UnknownMigrations = append(i.UnknownMigrations, name)
		}
	}
	slices.Sort(i.UnknownMigrations)
	return nil
}

// Leftovers returns the files that an interrupted restore, or a log that was cut off, left beside a database, and the server
// does not need.
func Leftovers(path string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("look for leftovers: %w", err)
	}
	var left []string
	for _, entry := range entries {
		base := filepath.Base(path)
		if strings.HasPrefix(entry.Name(), base+restoringSuffix) || strings.HasPrefix(entry.Name(), base+duckdb.LogSuffix+duckdb.DamagedSuffix) {
			left = append(left, filepath.Join(filepath.Dir(path), entry.Name()))
		}
	}
	return left, nil
}

// Disk returns how many bytes of the disk that a folder is on are free, and how many of them writes leave alone.
func Disk(dir string) (free, reserve uint64, err error) {
	free, err = duckdb.FreeDisk(dir)
	return free, minFreeDisk, err
}
