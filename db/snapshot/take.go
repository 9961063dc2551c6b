package snapshot

import (
	"context"
	"database/sql"
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
//go:embed tables.sql
var tables string

//go:embed views.sql
var views string

// functions has the functions that analysts may call.
//
//go:embed functions.txt
var functions string

// keywords has the words of SQL.
//
//go:embed keywords.txt
var keywords string

// File is the name of a snapshot's database in its folder. The engine calls the database by it, and so do the
// statements.
const File = "snapshot.duckdb"

// Clock tells the time.
type Clock interface {
	// Now tells the time by a clock that may be set.
	Now() time.Time
	// Steady tells the time by one that nobody sets.
	Steady() time.Time
}

// Snapshot is a copy, in a file of its own, of what analysts may ask about: the views of views.sql.
type Snapshot struct {
	// Dir is its folder.
	Dir string
	// TakenAt is the instant at which everything in it was so.
	TakenAt  time.Time
	clock    Clock
	steadyAt time.Time
}

// Age returns how old the snapshot is: never less than the time that has passed, however the clock was set since.
func (n *Snapshot) Age() time.Duration {
	return max(n.clock.Now().Sub(n.TakenAt), n.clock.Steady().Sub(n.steadyAt))
}

// confidentialMacros return the macros that tables.sql hands codes and personal data to. In a masked snapshot they forget what they
// are given, so that nothing that is asked of it, and no fault of the engine, can tell it.
func confidentialMacros(isMasked bool) string {
	text, ownCode, object := "x", "x", "x"
	if isMasked {
		text, ownCode, object = MaskedText("x"), MaskedOwnCode("x", "coupon_type"), "'"+string(coupon.EmptyJSON)+"'"
	}
	return "-- say what becomes of what is confidential\nCREATE OR REPLACE TEMP MACRO confidential_text(x) AS " + text +
		";\nCREATE OR REPLACE TEMP MACRO confidential_own_code(x, coupon_type) AS " + ownCode +
		";\nCREATE OR REPLACE TEMP MACRO confidential_object(x) AS " + object
}

// Take copies what analysts may ask about, as it is at one instant, into a new folder in dir. The snapshot stays until Remove. When
// ctx is done it ends soon. isMasked: it has coupon.Mask in the place of codes and personal data. Of one that fails nothing stays.
func Take(ctx context.Context, e *duckdb.Engine, clock Clock, dir string, isMasked bool) (*Snapshot, error) {
	made, err := os.MkdirTemp(dir, "snapshot-*")
	if err != nil {
		return nil, duckdb.StorageError("make the folder of a snapshot", err)
	}
	n := &Snapshot{Dir: made, clock: clock}
	if err := background.Run(func() error { return n.take(ctx, e, isMasked) }); err != nil {
		if duckdb.IsLost(err) {
			err = e.Fail(err)
		}
		return nil, errors.Join(err, n.Remove())
	}
	return n, nil
}

// take writes the snapshot.
func (n *Snapshot) take(ctx context.Context, e *duckdb.Engine, isMasked bool) (err error) {
	leave, err := e.Catalogs(ctx)
	if err != nil {
		return err
	}
	defer leave()
	conn, err := e.Connection(ctx)
	if err != nil {
		return err
	}
	// It does not go back to the others: whatever went wrong on it goes with it.
	defer duckdb.Discard(conn)
	run := func(ctx context.Context, statement string, args ...any) error {
		if err := e.Run(ctx, conn, statement, args...); err != nil {
			return fmt.Errorf("take a snapshot: %w", err)
		}
		return nil
	}
	// The path is ours.
	if err := run(ctx, "-- attach a snapshot\nATTACH "+duckdb.Quote(filepath.Join(n.Dir, File))+" AS snapshot"); err != nil {
		return err
	}
	defer func() {
		// Detaching writes the file; it must happen also when the caller has gone.
		err = errors.Join(err, run(context.WithoutCancel(ctx), "-- detach a snapshot\nDETACH snapshot"))
	}()
	if err := run(ctx, "BEGIN"); err != nil {
		return err
	}
	n.TakenAt, n.steadyAt = n.clock.Now(), n.clock.Steady()
	err = run(ctx, "-- begin a snapshot\nCREATE SCHEMA snapshot.fact; CREATE TABLE snapshot.fact.snapshot (taken_at TIMESTAMP)")
	if err == nil {
		err = run(ctx, "-- note when a snapshot was taken\nINSERT INTO snapshot.fact.snapshot VALUES ($now)", sql.Named("now", n.TakenAt))
	}
	for _, statements := range []string{confidentialMacros(isMasked), tables, views, "COMMIT"} {
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
