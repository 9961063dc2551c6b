package db

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// The statements that make a snapshot. They are apart from the others since each file has several, which name tables
// of an attached database.
//
//go:embed snapshot/tables.sql
var snapshotTables string

//go:embed snapshot/views.sql
var snapshotViews string

// snapshotFile is the name of a snapshot's database in its folder. The engine calls the database by it, and so do the
// statements.
const snapshotFile = "snapshot.duckdb"

// Snapshot is a copy, in a file of its own, of what analysts may ask about: the views of snapshot/views.sql.
type Snapshot struct {
	// Dir is its folder.
	Dir string
	// TakenAt is the instant at which everything in it was so.
	TakenAt time.Time
}

// TakeSnapshot copies what analysts may ask about, as it is at one instant. It disturbs others no more than an export
// does. The snapshot stays until Remove, or until the store is opened again.
func (s *Store) TakeSnapshot(ctx context.Context) (taken *Snapshot, err error) {
	if err := s.whole(); err != nil {
		return nil, err
	}
	info, err := os.Stat(s.options.Path)
	if err != nil {
		return nil, fmt.Errorf("look how large the database is: %w", err)
	}
	if err := s.checkDisk(s.reserve + 2*uint64(info.Size())); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(s.spoolDir(), "snapshot-*")
	if err != nil {
		return nil, storageError("make the folder of a snapshot", err)
	}
	taken = &Snapshot{Dir: dir}
	defer func() {
		if err != nil {
			err = errors.Join(err, taken.Remove())
		}
	}()
	conn, err := s.connection(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	run := func(statement string, args ...any) error {
		s.statements.Add(1)
		if _, err := conn.ExecContext(ctx, statement, args...); err != nil {
			return storageError("take a snapshot", err)
		}
		return nil
	}
	// The path is ours.
	if err := run("-- attach a snapshot\nATTACH " + quote(filepath.Join(dir, snapshotFile)) + " AS snapshot"); err != nil {
		return nil, err
	}
	defer func() {
		// Detaching writes the file; it must happen also when the caller has gone.
		_, detached := conn.ExecContext(context.WithoutCancel(ctx), "-- detach a snapshot\nDETACH snapshot")
		err = errors.Join(err, detached)
	}()
	if err := run("BEGIN"); err != nil {
		return nil, err
	}
	taken.TakenAt = s.now()
	err = errors.Join(run("-- begin a snapshot\nCREATE SCHEMA snapshot.fact; CREATE TABLE snapshot.fact.snapshot (taken_at TIMESTAMP)"))
	if err == nil {
		err = run("-- note when a snapshot was taken\nINSERT INTO snapshot.fact.snapshot VALUES ($now)", named("now", taken.TakenAt))
	}
	for _, statements := range []string{snapshotTables, snapshotViews, "COMMIT"} {
		if err == nil {
			err = run(statements)
		}
	}
	if err != nil {
		_, undone := conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
		return nil, errors.Join(err, undone)
	}
	return taken, nil
}

// Remove deletes the snapshot. A process that has it open keeps its own view of it.
func (n *Snapshot) Remove() error {
	if err := os.RemoveAll(n.Dir); err != nil {
		return fmt.Errorf("remove a snapshot: %w", err)
	}
	return nil
}

// FreeForExport gives how many bytes of the disk a file may take before others miss them. It returns ErrDiskFull when
// there are none.
func (s *Store) FreeForExport() (uint64, error) {
	if err := s.checkDisk(s.reserve); err != nil {
		return 0, err
	}
	free, err := freeDisk(filepath.Dir(s.options.Path))
	if err != nil {
		return 0, fmt.Errorf("look how much of the disk is free: %w", err)
	}
	return free - s.reserve, nil
}
