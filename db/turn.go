package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"couponql/background"
	"couponql/coupon"
	"couponql/db/duckdb/memory"
)

// effects are what a write does besides its rows: entries of the audit log, changes of memory, and what is undone there when
// nothing reaches the disk.
type effects struct {
	store *Store
	// now is the one time of everything that is written.
	now time.Time
	// reserve is how many bytes of the disk must be free at the commit.
	reserve   uint64
	entries   []*coupon.AuditEntry
	changes   []func(memory.Change)
	committed []func()
	undo      []func()
}

func (s *Store) newEffects() effects { return effects{store: s, now: s.now(), reserve: s.reserve} }

// tx is a transaction of one goroutine, on a connection of its own. Others may write at the same time: it reads, makes temporary
// tables, and appends rows that nobody else touches.
type tx struct {
	effects

	conn       *sql.Conn
	tx         *sql.Tx
	hasWritten bool
	// hasTemporary: the transaction made temporary tables, which are dropped at its end.
	hasTemporary bool
	// hasCommittedTemporary: temporary tables were committed, so that a rollback leaves them.
	hasCommittedTemporary bool
	// draft is that of the connection; nil on the writer's connection, which cannot be given away.
	draft *draft
	// keepsDraft: the temporary table draft stays.
	keepsDraft bool
	// isCommitted: what the transaction wrote is on disk.
	isCommitted bool
}

// turn is the writer's turn: nobody else writes until it ends. What a use case reads in it, from the rows or from memory, holds
// at its commit.
type turn struct {
	*tx

	// latest sees what others committed, also when the transaction began before they did.
	latest querier
}

// group is the turn that small use cases share. They decide in memory and append redemptions; there is no connection, so that
// none can wait for a statement.
type group struct {
	effects

	redemptions []*redemptionRow
}

// update runs a use case in the writer's turn. When do returns an error, nothing of it remains; when update returns nil,
// everything is on disk. A caller who goes away before the turn cancels the use case; once begun it is finished, so that no
// outcome is unknown. Interrupt alone ends it before it is committed.
func (s *Store) update(ctx context.Context, do func(context.Context, *turn) error) error {
	return s.cutOff(s.writer.ask(&request{ctx: ctx, alone: do, done: make(chan error, 1)}))
}

// conclude is update for what has happened already and takes a moment to record: Interrupt leaves it alone.
func (s *Store) conclude(ctx context.Context, do func(context.Context, *turn) error) error {
	return s.writer.ask(&request{ctx: ctx, alone: do, isBrief: true, done: make(chan error, 1)})
}

// join runs a small use case in a group. do returns its error before it changes anything, and hands what it marks in memory to
// onFailure to take back. rows is how many rows it appends at the most. join returns ErrBusy when too many requests wait:
// somebody stands at a till, and would rather know.
func (s *Store) join(ctx context.Context, rows int, do func(*group) error) error {
	s.writer.joining.Add(1)
	defer s.writer.joining.Add(-1)
	return s.writer.ask(&request{ctx: ctx, join: do, rows: rows, done: make(chan error, 1)})
}

// errRival says that what a use case decided beside the writer does not hold any more: others changed something that it
// relied on.
var errRival = errors.New("others changed the same meanwhile")

// beside runs a long use case in a transaction of its own, while the writer serves others. When do is through, finish has the
// writer's turn for the same transaction, right before the commit. There it looks at what others did meanwhile, and returns
// errRival when that matters. The transaction sees the rows as they were when do began; it must change no row in place that
// others may have changed since.
func (s *Store) beside(ctx context.Context, l lane, do func(context.Context, *tx) error, finish func(context.Context, *turn) error) error {
	leave, err := l.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	conn, err := s.connection(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	return s.besideOn(ctx, conn, do, finish)
}

// besideOn is beside on a connection of the caller's, who is in a lane.
func (s *Store) besideOn(
	ctx context.Context, conn *sql.Conn, do func(context.Context, *tx) error, finish func(context.Context, *turn) error,
) error {
	inner, leave := s.within(context.WithoutCancel(ctx))
	defer leave()
	return s.transact(ctx, conn, func(_ context.Context, t *tx) error { return do(inner, t) }, func(t *tx) error {
		return s.update(ctx, func(ctx context.Context, own *turn) error {
			if err := finish(ctx, &turn{tx: t, latest: own.tx}); err != nil {
				return err
			}
			t.take(ctx)
			return t.end(ctx)
		})
	})
}

// transact runs do in a transaction of a connection, and then end, which calls tx.end in the writer's turn.
func (s *Store) transact(ctx context.Context, conn *sql.Conn, do func(context.Context, *tx) error, end func(*tx) error) error {
	if err := s.whole(); err != nil {
		return err
	}
	// A transaction outlives the context of its use case, so that rolling it back is never left out.
	ctx = context.WithoutCancel(ctx)
	sqlTx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return storageError("begin", err)
	}
	t := &tx{effects: s.newEffects(), conn: conn, tx: sqlTx}
	// A panic must leave neither the transaction open nor its caller without an answer.
	err = background.Run(func() error {
		if err := do(ctx, t); err != nil {
			return err
		}
		return end(t)
	})
	if t.isCommitted {
		return err
	}
	if isLost(err) {
		err = s.fail(err)
	}
	t.takeBack(0)
	if rollback := t.tx.Rollback(); rollback != nil && !errors.Is(rollback, sql.ErrTxDone) && err == nil {
		err = storageError("roll back", rollback)
	}
	if t.hasCommittedTemporary {
		err = errors.Join(err, dropTables(temporaryTables(), func(statement string) error {
			_, err := conn.ExecContext(ctx, statement)
			return err
		}))
	}
	return err
}

// end brings the transaction to the disk when it wrote anything.
func (t *tx) end(ctx context.Context) error {
	if err := t.dropTemporary(ctx); err != nil || !t.hasWritten {
		return err
	}
	if err := t.appendAudit(ctx); err != nil {
		return err
	}
	return t.finish()
}

// finish brings what the transaction wrote to the disk.
func (t *tx) finish() error {
	if err := t.store.checkDisk(t.reserve); err != nil {
		return err
	}
	if err := t.publish(t.tx.Commit); err != nil {
		return t.store.fail(storageError("commit", err))
	}
	t.isCommitted = true
	return nil
}

// QueryContext makes the transaction a querier that counts.
func (t *tx) QueryContext(ctx context.Context, statement string, args ...any) (*sql.Rows, error) {
	t.store.statements.Add(1)
	return t.tx.QueryContext(ctx, statement, args...)
}

// exec runs a statement that writes and gives the number of rows it touched.
func (t *tx) exec(ctx context.Context, statement string, args ...any) (int, error) {
	t.store.statements.Add(1)
	t.hasWritten = true
	result, err := t.tx.ExecContext(ctx, statement, args...)
	if err != nil {
		return 0, storageError(title(statement), err)
	}
	count, err := result.RowsAffected()
	if err != nil {
		return 0, fmt.Errorf("%s: %w", title(statement), err)
	}
	return int(count), nil
}

// create makes a temporary table of the use case, dropped when the transaction ends: what it held is
// memory that nobody else can use.
func (t *tx) create(ctx context.Context, statement string, args ...any) error {
	t.hasTemporary = true
	_, err := t.exec(ctx, statement, args...)
	return err
}

// draftTable is the temporary table that an analysis may leave; see draft.
const draftTable = "draft"

// temporaryTables are the tables that use cases share between their statements.
func temporaryTables() []string {
	return []string{
		"stage", "refused", "chosen", "prepared", draftTable, "taken", "unused", "matched", "parted", "erased",
		"recording", "late", "contested", "belated", "merged",
	}
}

func (t *tx) dropTemporary(ctx context.Context) error {
	if !t.hasTemporary {
		return nil
	}
	tables := temporaryTables()
	if t.keepsDraft {
		tables = slices.DeleteFunc(tables, func(table string) bool { return table == draftTable })
	}
	return dropTables(tables, func(statement string) error {
		_, err := t.exec(ctx, statement)
		return err
	})
}

func dropTables(tables []string, exec func(statement string) error) error {
	for _, table := range tables {
		if err := exec("-- drop a temporary table\nDROP TABLE IF EXISTS temp." + table); err != nil {
			return err
		}
	}
	return nil
}

// commitTemporary commits the temporary tables made so far and begins the transaction anew: the engine reads what an
// open transaction wrote on one core, and what was committed on all of them. Nothing that lasts may have been
// written before.
func (t *tx) commitTemporary(ctx context.Context) error {
	if err := t.tx.Commit(); err != nil {
		return t.store.fail(storageError("commit temporary tables", err))
	}
	t.hasCommittedTemporary = true
	// Its own context would end the connection with the transaction when the use case is canceled.
	next, err := t.conn.BeginTx(context.WithoutCancel(ctx), nil)
	if err != nil {
		return storageError("begin", err)
	}
	t.tx = next
	return nil
}

// end brings what the group decided to the disk: redemptions, and entries of what changed nothing.
func (g *group) end(ctx context.Context, j *journal) error {
	if len(g.redemptions)+len(g.entries) == 0 {
		return nil
	}
	if len(g.redemptions) > 0 {
		g.announce(consecutive(g.redemptions)...)
	} else {
		g.reserve = min(g.reserve, minFreeDiskForOutcome)
	}
	return g.publish(func() error { return j.write(ctx, g) })
}

// publish commits and takes over into memory what was written, in one step for readers.
func (e *effects) publish(commit func() error) error {
	if err := e.commit(commit); err != nil {
		return err
	}
	for _, notify := range e.committed {
		notify()
	}
	return nil
}

// commit is publish but for those who are told of it.
func (e *effects) commit(commit func() error) error {
	if len(e.changes) == 0 {
		return commit()
	}
	var failed error
	err := e.store.memory.Commit(commit, func(c memory.Change) {
		failed = background.Run(func() error {
			for _, change := range e.changes {
				change(c)
			}
			return nil
		})
	})
	if failed != nil {
		// Memory is not what is on disk, so that nothing can be decided by it any more.
		return e.store.fail(fmt.Errorf("take over what was committed: %w", failed))
	}
	return err
}

// change has do called when everything is on disk, in one step with it: nobody sees the rows with the memory of before.
func (e *effects) change(do func(memory.Change)) { e.changes = append(e.changes, do) }

// touch records, when it is on disk, that something changed. A draft that relies on it is freed: what was erased is in no draft
// any more.
func (e *effects) touch(topic memory.Topic) {
	e.change(func(c memory.Change) {
		c.Touch(topic)
		if outdated := e.store.drafts.outdate(topic); outdated != nil {
			e.onCommit(outdated.free)
		}
	})
}

// onCommit has notify called when the transaction is on disk and the pool is changed, before the caller
// hears of it.
func (e *effects) onCommit(notify func()) { e.committed = append(e.committed, notify) }

// onFailure has undo called, last first, when the transaction does not make it to the disk.
func (e *effects) onFailure(undo func()) { e.undo = append(e.undo, undo) }

// takeBack takes back in memory what was done since there were so many things to undo, and does not make it to the disk.
func (e *effects) takeBack(kept int) {
	for _, undo := range slices.Backward(e.undo[kept:]) {
		undo()
	}
	e.undo = e.undo[:kept]
}
