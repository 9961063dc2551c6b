package db

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"couponql/background"
	"couponql/coupon"
	"couponql/db/duckdb"
)

// The statements that make a snapshot. They are apart from the others since each file has several, which name tables
// of an attached database.
//
//go:embed snapshot/tables.sql
var snapshotTables string

//go:embed snapshot/views.sql
var snapshotViews string

// snapshotFunctions has the functions that analysts may call.
//
//go:embed snapshot/functions.txt
var snapshotFunctions string

// snapshotKeywords has the words of SQL.
//
//go:embed snapshot/keywords.txt
var snapshotKeywords string

// snapshotFile is the name of a snapshot's database in its folder. The engine calls the database by it, and so do the
// statements.
const snapshotFile = "snapshot.duckdb"

// Snapshot is a copy, in a file of its own, of what analysts may ask about: the views of snapshot/views.sql.
type Snapshot struct {
	// Dir is its folder.
	Dir string
	// TakenAt is the instant at which everything in it was so.
	TakenAt  time.Time
	store    *Store
	steadyAt time.Time
}

// Age tells how old the snapshot is: never less than the time that has passed, however the clock was set since.
func (n *Snapshot) Age() time.Duration {
	return max(n.store.now().Sub(n.TakenAt), n.store.Steady().Sub(n.steadyAt))
}

// confidentialMacros give the macros that tables.sql hands codes and personal data to. In a masked snapshot they forget what they
// are given, so that nothing that is asked of it, and no fault of the engine, can tell it.
func confidentialMacros(isMasked bool) string {
	text, ownCode, object := "x", "x", "x"
	if isMasked {
		text, ownCode, object = maskedText("x"), maskedOwnCode("x", "coupon_type"), "'"+string(coupon.EmptyJSON)+"'"
	}
	return "-- say what becomes of what is confidential\nCREATE OR REPLACE TEMP MACRO confidential_text(x) AS " + text +
		";\nCREATE OR REPLACE TEMP MACRO confidential_own_code(x, coupon_type) AS " + ownCode +
		";\nCREATE OR REPLACE TEMP MACRO confidential_object(x) AS " + object
}

// TakeSnapshot copies what analysts may ask about, as it is at one instant. It disturbs others no more than an export
// does. The snapshot stays until Remove, or until the store is opened again. When ctx is done it ends soon. isMasked: it has
// coupon.Mask in the place of codes and personal data.
func (s *Store) TakeSnapshot(ctx context.Context, isMasked bool) (*Snapshot, error) {
	if err := s.engine.Whole(); err != nil {
		return nil, err
	}
	ctx, leave := s.within(ctx)
	defer leave()
	info, err := os.Stat(s.options.Path)
	if err != nil {
		return nil, fmt.Errorf("look how large the database is: %w", err)
	}
	if err := s.engine.CheckDisk(s.reserve + 2*uint64(info.Size())); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(s.spoolDir(), "snapshot-*")
	if err != nil {
		return nil, duckdb.StorageError("make the folder of a snapshot", err)
	}
	n := &Snapshot{Dir: dir, store: s}
	if err := background.Run(func() error { return n.take(ctx, isMasked) }); err != nil {
		if duckdb.IsLost(err) {
			err = s.engine.Fail(err)
		}
		return nil, errors.Join(err, n.Remove())
	}
	return n, nil
}

// take writes the snapshot.
func (n *Snapshot) take(ctx context.Context, isMasked bool) (err error) {
	s := n.store
	leave, err := s.engine.Catalogs(ctx)
	if err != nil {
		return err
	}
	defer leave()
	conn, err := s.engine.Connection(ctx)
	if err != nil {
		return err
	}
	// It does not go back to the others: whatever went wrong on it goes with it.
	defer duckdb.Discard(conn)
	run := func(ctx context.Context, statement string, args ...any) error {
		if err := s.engine.Run(ctx, conn, statement, args...); err != nil {
			return fmt.Errorf("take a snapshot: %w", err)
		}
		return nil
	}
	// The path is ours.
	if err := run(ctx, "-- attach a snapshot\nATTACH "+duckdb.Quote(filepath.Join(n.Dir, snapshotFile))+" AS snapshot"); err != nil {
		return err
	}
	defer func() {
		// Detaching writes the file; it must happen also when the caller has gone.
		err = errors.Join(err, run(context.WithoutCancel(ctx), "-- detach a snapshot\nDETACH snapshot"))
	}()
	if err := run(ctx, "BEGIN"); err != nil {
		return err
	}
	n.TakenAt, n.steadyAt = s.now(), s.Steady()
	err = run(ctx, "-- begin a snapshot\nCREATE SCHEMA snapshot.fact; CREATE TABLE snapshot.fact.snapshot (taken_at TIMESTAMP)")
	if err == nil {
		err = run(ctx, "-- note when a snapshot was taken\nINSERT INTO snapshot.fact.snapshot VALUES ($now)", named("now", n.TakenAt))
	}
	for _, statements := range []string{confidentialMacros(isMasked), snapshotTables, snapshotViews, "COMMIT"} {
		if err == nil {
			err = run(ctx, statements)
		}
	}
	if err != nil {
		// A commit that failed has ended the transaction by itself.
		_, _ = conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
	}
	return err
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
	if err := s.engine.CheckDisk(s.reserve); err != nil {
		return 0, err
	}
	free, err := duckdb.FreeDisk(filepath.Dir(s.options.Path))
	if err != nil {
		return 0, fmt.Errorf("look how much of the disk is free: %w", err)
	}
	return free - s.reserve, nil
}
