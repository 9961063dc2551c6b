package duckdb

import (
	"context"
	"database/sql"
	"errors"
	"slices"
)

// Tx is a transaction of one goroutine, on a connection of its own. Rollback must be called, also
// after Commit.
type Tx struct {
	// HasWritten: there is something to commit.
	HasWritten bool

	engine *Engine
	conn   *sql.Conn
	tx     *sql.Tx
	// hasTemporary: the transaction made temporary tables, which are dropped at its end.
	hasTemporary bool
	// hasCommittedTemporary: temporary tables were committed, so that a rollback leaves them.
	hasCommittedTemporary bool
	// isCommitted: what the transaction wrote is on disk.
	isCommitted bool
}

// Begin begins a transaction on a connection of the caller's.
func (e *Engine) Begin(ctx context.Context, conn *sql.Conn) (*Tx, error) {
	if err := e.Whole(); err != nil {
		return nil, err
	}
	t := &Tx{engine: e, conn: conn}
	return t, t.begin(ctx)
}

// begin begins a transaction that outlives the context of its use case: rolling it back is never
// left out, and the connection does not end with it when the use case is canceled.
func (t *Tx) begin(ctx context.Context) (err error) {
	if t.tx, err = t.conn.BeginTx(context.WithoutCancel(ctx), nil); err != nil {
		return StorageError("begin", err)
	}
	return nil
}

// QueryContext makes the transaction a Querier.
func (t *Tx) QueryContext(ctx context.Context, statement string, args ...any) (*sql.Rows, error) {
	t.engine.statements.Add(1)
	return t.tx.QueryContext(ctx, statement, args...)
}

// Exec runs a statement that writes and returns the number of rows that it touched.
func (t *Tx) Exec(ctx context.Context, statement string, args ...any) (int, error) {
	t.HasWritten = true
	t.engine.statements.Add(1)
	result, err := t.tx.ExecContext(ctx, statement, args...)
	return touched(statement, result, err)
}

// Append is Exec for what goes along with a transaction that writes anything, and for what is
// written in the background. Statements leaves it out: who counts those of a request would count
// the others' by chance.
func (t *Tx) Append(ctx context.Context, statement string, args ...any) error {
	if _, err := t.tx.ExecContext(ctx, statement, args...); err != nil {
		return StorageError(Title(statement), err)
	}
	return nil
}

// Create makes a temporary table, one of Options.TemporaryTables. DropTemporary drops it: what it
// held is memory that nobody else can use.
func (t *Tx) Create(ctx context.Context, statement string, args ...any) error {
	t.hasTemporary = true
	_, err := t.Exec(ctx, statement, args...)
	return err
}

// DropTemporary drops the temporary tables that Create made, but for those that are kept on the
// connection.
func (t *Tx) DropTemporary(ctx context.Context, kept ...string) error {
	if !t.hasTemporary {
		return nil
	}
	for _, table := range t.engine.options.TemporaryTables {
		if slices.Contains(kept, table) {
			continue
		}
		if _, err := t.Exec(ctx, dropTemporary(table)); err != nil {
			return err
		}
	}
	return nil
}

func dropTemporary(table string) string {
	return "-- drop a temporary table\nDROP TABLE IF EXISTS temp." + table
}

// CommitTemporary commits the temporary tables made so far and begins the transaction anew: the
// engine reads what an open transaction wrote on one core, and what was committed on all of them.
// Nothing that lasts may have been written before.
func (t *Tx) CommitTemporary(ctx context.Context) error {
	if err := t.tx.Commit(); err != nil {
		return t.engine.Fail(StorageError("commit temporary tables", err))
	}
	t.hasCommittedTemporary = true
	return t.begin(ctx)
}

// Commit brings everything to the disk. The engine fails with it: nobody knows then what is on the
// disk.
func (t *Tx) Commit() error {
	if err := t.tx.Commit(); err != nil {
		return t.engine.Fail(StorageError("commit", err))
	}
	t.isCommitted = true
	return nil
}

// IsCommitted reports whether what was written is on the disk.
func (t *Tx) IsCommitted() bool { return t.isCommitted }

// Rollback undoes everything unless it was committed.
func (t *Tx) Rollback(ctx context.Context) error {
	if t.isCommitted {
		return nil
	}
	var err error
	if rollback := t.tx.Rollback(); rollback != nil && !errors.Is(rollback, sql.ErrTxDone) {
		err = StorageError("roll back", rollback)
	}
	if !t.hasCommittedTemporary {
		return err
	}
	for _, table := range t.engine.options.TemporaryTables {
		_, dropped := t.conn.ExecContext(ctx, dropTemporary(table))
		err = errors.Join(err, dropped)
	}
	return err
}

// Exec runs a statement in a transaction of its own.
func (e *Engine) Exec(ctx context.Context, statement string, args ...any) error {
	e.statements.Add(1)
	if _, err := e.db.ExecContext(ctx, statement, args...); err != nil {
		return StorageError(Title(statement), err)
	}
	return nil
}

// Transact runs do in a transaction and commits it, unless do returns an error.
func (e *Engine) Transact(ctx context.Context, do func(*Tx) error) (err error) {
	conn, err := e.Connection(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	t, err := e.Begin(ctx, conn)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.Rollback(context.WithoutCancel(ctx))) }()
	if err := do(t); err != nil {
		return err
	}
	return t.Commit()
}
