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
	"couponql/db/duckdb"
	"couponql/db/duckdb/memory"
)

// effects are what a write does besides its rows: entries of the audit log, changes of memory, and
// what is undone there when nothing reaches the disk.
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

// tx is a transaction of one goroutine, on a connection of its own. Others may write at the same
// time: it reads, makes temporary tables, and appends rows that nobody else touches.
type tx struct {
	*duckdb.Tx
	effects

	// draft is that of the connection; nil on the writer's connection, which cannot be given away.
	draft *draft
	// keepsDraft: the temporary table draft stays.
	keepsDraft bool
	// hasDeliveries: it writes rows of deliveries.
	hasDeliveries bool
}

// Exec runs a statement that writes, and returns the number of rows that it touched.
func (t *tx) Exec(ctx context.Context, statement string, args ...any) (int, error) {
	t.watch(statement)
	return t.Tx.Exec(ctx, statement, args...)
}

// QueryContext makes the transaction a Querier.
func (t *tx) QueryContext(ctx context.Context, statement string, args ...any) (*sql.Rows, error) {
	t.watch(statement)
	return t.Tx.QueryContext(ctx, statement, args...)
}

// watch has what is kept of deliveries be forgotten with the commit, when a statement writes any.
func (t *tx) watch(statement string) {
	if !t.hasDeliveries && writesDeliveries[statement] {
		t.hasDeliveries = true
		t.touch(memory.AllDeliveries)
	}
}

// turn is the writer's turn: nobody else writes until it ends. What a use case reads in it, from
// the rows or from memory, holds at its commit.
type turn struct {
	*tx

	// latest sees what others committed, also when the transaction began before they did.
	latest duckdb.Querier
}

// group is the turn that small use cases share. They decide in memory and append redemptions; there
// is no connection, so that none can wait for a statement.
type group struct {
	effects

	redemptions []*redemptionRow
}

// update runs a use case in the writer's turn. When do returns an error, nothing of it remains;
// when update returns nil, everything is on disk. A caller who goes away before the turn cancels
// the use case; once begun it is finished, so that no outcome is unknown. Interrupt alone ends it
// before it is committed.
func (s *Store) update(ctx context.Context, do func(context.Context, *turn) error) error {
	return s.cutOff(s.writer.Ask(&request{ctx: ctx, alone: do, done: make(chan error, 1)}))
}

// conclude is update for what has happened already and takes a moment to record: Interrupt leaves
// it alone.
func (s *Store) conclude(ctx context.Context, do func(context.Context, *turn) error) error {
	return s.writer.Ask(&request{ctx: ctx, alone: do, isBrief: true, done: make(chan error, 1)})
}

// join runs a small use case in a group. do returns its error before it changes anything, and hands
// what it marks in memory to onFailure to take back. rows is how many rows it appends at the most.
// join returns ErrBusy when too many requests wait: somebody stands at a till, and would rather
// know.
func (s *Store) join(ctx context.Context, rows int, do func(*group) error) error {
	return s.writer.Ask(&request{ctx: ctx, join: do, rows: max(1, rows), done: make(chan error, 1)})
}

// errRival says that what a use case decided beside the writer does not hold any more: others
// changed something that it relied on.
var errRival = errors.New("others changed the same meanwhile")

// beside runs a long use case in a transaction of its own, while the writer serves others. When do
// is through, finish has the writer's turn for the same transaction, right before the commit. There
// it looks at what others did meanwhile, and returns errRival when that matters. The transaction
// sees the rows as they were when do began; it must change no row in place that others may have
// changed since.
func (s *Store) beside(
	ctx context.Context, l duckdb.Lane, do func(context.Context, *tx) error,
	finish func(context.Context, *turn) error,
) error {
	leave, err := l.Enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	// From here on it comes to its end, as in besideOn.
	ctx, done := s.within(context.WithoutCancel(ctx))
	defer done()
	conn, err := s.engine.Connection(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	return s.besideOn(ctx, conn, do, finish)
}

// besideOn is beside on a connection of the caller's, who is in a lane. What a caller begins who
// then goes away comes to its end all the same, as in update: nobody waits for it, and nothing of
// it was done for nothing. Interrupt alone ends it.
func (s *Store) besideOn(
	ctx context.Context, conn *sql.Conn, do func(context.Context, *tx) error,
	finish func(context.Context, *turn) error,
) error {
	if ctx.Err() != nil {
		return fmt.Errorf("begin beside the writer: %w", context.Cause(ctx))
	}
	inner, leave := s.within(context.WithoutCancel(ctx))
	defer leave()
	return s.transact(ctx, conn, func(_ context.Context, t *tx) error { return do(inner, t) },
		func(t *tx) error {
			return s.update(inner, func(ctx context.Context, own *turn) error {
				if err := finish(ctx, &turn{tx: t, latest: own.tx}); err != nil {
					return err
				}
				t.take(ctx)
				return t.end(ctx)
			})
		})
}

// transact runs do in a transaction of a connection, and then end, which calls tx.end in the
// writer's turn.
func (s *Store) transact(
	ctx context.Context, conn *sql.Conn, do func(context.Context, *tx) error, end func(*tx) error,
) error {
	ctx = context.WithoutCancel(ctx)
	inner, err := s.engine.Begin(ctx, conn)
	if err != nil {
		return err
	}
	t := &tx{Tx: inner, effects: s.newEffects()}
	// A panic must leave neither the transaction open nor its caller without an answer.
	err = background.Run(func() error {
		if err := do(ctx, t); err != nil {
			return err
		}
		return end(t)
	})
	if t.IsCommitted() {
		return err
	}
	if duckdb.IsLost(err) {
		err = s.engine.Fail(err)
	}
	t.takeBack(0)
	if rollback := t.Rollback(ctx); err == nil {
		err = rollback
	}
	return err
}

// end brings the transaction to the disk when it wrote anything.
func (t *tx) end(ctx context.Context) error {
	var kept []string
	if t.keepsDraft {
		kept = []string{draftTable}
	}
	if err := t.DropTemporary(ctx, kept...); err != nil || !t.HasWritten {
		return err
	}
	if err := t.appendAudit(ctx); err != nil {
		return err
	}
	return t.finish()
}

// finish brings what the transaction wrote to the disk.
func (t *tx) finish() error {
	if err := t.store.engine.CheckDisk(t.reserve); err != nil {
		return err
	}
	return t.publish(t.Commit)
}

// draftTable is the temporary table that an analysis may leave; see draft.
const draftTable = "draft"

// temporaryTables are the tables that use cases share between their statements.
func temporaryTables() []string {
	return []string{
		"stage", "rejected", "chosen", "prepared", draftTable, "taken", "unused", "matched",
		"parted", "erased",
		"recording", "late", "contested", "belated", "merged", "suspect", "erased_address",
		"erased_redemption",
	}
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
		return e.store.engine.Fail(fmt.Errorf("take over what was committed: %w", failed))
	}
	return err
}

// change has do called when everything is on disk, in one step with it: nobody sees the rows with
// the memory of before.
func (e *effects) change(do func(memory.Change)) { e.changes = append(e.changes, do) }

// touch records, when it is on disk, that something changed. A draft that relies on it is freed:
// what was erased is in no draft any more.
func (e *effects) touch(topic memory.Topic) {
	e.change(func(c memory.Change) {
		c.Touch(topic)
		if outdated := e.store.drafts.outdate(topic); outdated != nil {
			e.onCommit(outdated.free)
		}
	})
}

// onCommit has notify called when everything is on disk and memory is changed, before the caller
// hears of it.
func (e *effects) onCommit(notify func()) { e.committed = append(e.committed, notify) }

// onFailure has undo called, last first, when the transaction does not make it to the disk.
func (e *effects) onFailure(undo func()) { e.undo = append(e.undo, undo) }

// takeBack takes back in memory what was done since there were so many things to undo, and does not
// make it to the disk.
func (e *effects) takeBack(kept int) {
	for _, undo := range slices.Backward(e.undo[kept:]) {
		undo()
	}
	e.undo = e.undo[:kept]
}
