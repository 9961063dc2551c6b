package db

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"couponql/background"
	"couponql/coupon"
)

const (
	// maxGroup is how many small writes share one transaction, and so one flush of the disk; one request may bring more.
	maxGroup = 1024
	// maxWaiting is how many requests wait for the writer: what comes then is refused, or waits longer if it is large.
	maxWaiting = 4096
	// gatherTime is how long a group waits for more at the most.
	gatherTime = 2 * time.Millisecond
)

// ErrBusy says that more small writes wait for the writer than it can do in a moment: nothing was changed, and the same
// request may be made again soon.
var ErrBusy error = &coupon.UnavailableError{
	Cause:  "too many writes wait",
	Reason: "The server has more to write than it can in a moment",
	Advice: fmt.Sprintf("Try again in %s.", coupon.RetryAfter), RetryAfter: coupon.RetryAfter,
}

// writer is the one goroutine that writes.
type writer struct {
	store   *Store
	conn    *sql.Conn
	journal *journal
	// joins has the requests that may share a transaction, and alone the others.
	joins, alone chan *request
	done         chan struct{}
	// joining counts the requests that wait to join a group or to be answered, and callers is how many did so lately.
	joining atomic.Int64
	callers int
	// commits counts transactions that reached the disk, and committed the requests that they carried.
	commits, committed atomic.Int64
	// closing guards the channels against being sent to after they are closed.
	closing sync.RWMutex
	closed  bool
}

// request is one use case that writes.
type request struct {
	ctx context.Context //nolint:containedctx // it travels with the request to the writer's goroutine
	do  func(context.Context, *tx) error
	// joins is how many rows the request appends at the most, having decided in memory: it may share a transaction. 0: it
	// may not.
	joins int
	// isBrief: it takes a moment, so that Interrupt leaves it alone.
	isBrief bool
	done    chan error
}

// tx is a transaction of the writer. It is used by one goroutine. That of a group has no conn and no tx: it decides in memory,
// and the journal brings it to the disk.
type tx struct {
	store *Store
	conn  *sql.Conn
	tx    *sql.Tx
	// now is the one time of everything that the transaction writes.
	now         time.Time
	redemptions []*redemptionRow
	// entries are those of the audit log that go with the transaction.
	entries    []*coupon.AuditEntry
	hasWritten bool
	// reserve is how many bytes of the disk must be free when the transaction is committed.
	reserve uint64
	// hasTemporary: the transaction made temporary tables, which are dropped at its end.
	hasTemporary bool
	// turn is the transaction of the writer's connection in whose turn this one ends, which sees what others committed since it
	// began; nil before, and in the writer's own transactions.
	turn *tx
	// draft is that of the connection; nil in the writer's turn, whose connection cannot be given away.
	draft *draft
	// keepsDraft: the temporary table draft stays.
	keepsDraft bool
	// hasSettled: temporary tables were committed, so that a rollback leaves them.
	hasSettled bool
	// isCommitted: what the transaction wrote is on disk.
	isCommitted bool
	changes     []func(*pool)
	committed   []func()
	undo        []func()
}

func newWriter(ctx context.Context, s *Store) (*writer, error) {
	conn, err := s.connection(ctx)
	if err != nil {
		return nil, err
	}
	journal, err := newJournal(ctx, s, conn)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	w := &writer{
		store: s, conn: conn, journal: journal, joins: make(chan *request, maxWaiting), alone: make(chan *request, maxWaiting), done: make(chan struct{}),
	}
	// The writer outlives the opening of the store; each request brings a context of its own.
	s.background(func() error {
		w.run(context.WithoutCancel(ctx))
		return nil
	})
	return w, nil
}

// close runs what was asked for before and ends the goroutine.
func (w *writer) close() {
	w.closing.Lock()
	if !w.closed {
		w.closed = true
		close(w.joins)
		close(w.alone)
	}
	w.closing.Unlock()
	<-w.done
}

// update runs a use case that writes, alone in a transaction. When do returns an error, nothing of it
// remains; when update returns nil, everything is on disk. A caller who goes away before the turn of
// the use case cancels it; once begun it is finished, so that no outcome is unknown. Interrupt alone ends it before it is committed.
func (s *Store) update(ctx context.Context, do func(context.Context, *tx) error) error {
	return s.cutOff(s.writer.ask(&request{ctx: ctx, do: do, done: make(chan error, 1)}))
}

// conclude is update for what has happened already and takes a moment to record: Interrupt leaves it alone.
func (s *Store) conclude(ctx context.Context, do func(context.Context, *tx) error) error {
	return s.writer.ask(&request{ctx: ctx, do: do, isBrief: true, done: make(chan error, 1)})
}

// join runs a small use case that may share a transaction with others: do must decide in memory,
// return its error before it changes anything, and write only by appending rows to tx. What it marks
// in the pool it must hand to tx.onFailure to take back. rows is how many rows it appends at the most. When too many
// requests wait already it returns ErrBusy: somebody stands at a till, and would rather know.
func (s *Store) join(ctx context.Context, rows int, do func(context.Context, *tx) error) error {
	s.writer.joining.Add(1)
	defer s.writer.joining.Add(-1)
	return s.writer.ask(&request{ctx: ctx, do: do, joins: rows, done: make(chan error, 1)})
}

func (w *writer) ask(r *request) error {
	w.closing.RLock()
	if w.closed {
		w.closing.RUnlock()
		return ErrClosed
	}
	err := w.queue(r)
	w.closing.RUnlock()
	if err != nil {
		return err
	}
	return <-r.done
}

// queue has a request wait for its turn.
func (w *writer) queue(r *request) error {
	if r.joins > 0 {
		select {
		case w.joins <- r:
			return nil
		default:
			return ErrBusy
		}
	}
	select {
	case w.alone <- r:
		return nil
	case <-r.ctx.Done():
		return fmt.Errorf("wait for the writer: %w", context.Cause(r.ctx))
	}
}

// run serves until close was called and everything is done that was asked for before. Those who share a transaction go first,
// since somebody stands at a till; whoever writes alone has a turn after each of their groups.
func (w *writer) run(ctx context.Context) {
	defer close(w.done)
	// Closing the database tells what matters.
	defer func() { _ = w.conn.Close() }()
	defer w.journal.close()
	for {
		r, isAlone, isThere := w.next()
		switch {
		case !isThere:
			return
		case isAlone:
			w.commit(ctx, r)
			continue
		}
		w.record(ctx, w.fill([]*request{r}))
		select {
		case r, isThere := <-w.alone:
			if isThere {
				w.commit(ctx, r)
			}
		default:
		}
	}
}

// next waits for a request; isThere is false when there will be none.
func (w *writer) next() (r *request, isAlone, isThere bool) {
	select {
	case r, isThere = <-w.joins:
	default:
		select {
		case r, isThere = <-w.joins:
		case r, isAlone = <-w.alone:
			isThere = isAlone
		}
	}
	if isThere {
		return r, isAlone, true
	}
	// One of them is closed, and so is the other: what is left is done.
	if r, isThere = <-w.joins; isThere {
		return r, false, true
	}
	r, isThere = <-w.alone
	return r, true, isThere
}

// fill adds the requests that wait and may join, and those that are about to come. A flush of the disk costs as much for one
// as for many: where many callers ask over and over, it is worth waiting until those come back whom the last group answered.
func (w *writer) fill(group []*request) []*request {
	// As many as asked at once lately; a caller who is alone is never kept waiting.
	w.callers = max(int(w.joining.Load()), w.callers-max(1, w.callers/8))
	patience := time.NewTimer(gatherTime)
	defer patience.Stop()
	for rows := group[0].joins; rows < maxGroup; {
		r, isThere := w.await(patience.C, len(group) < w.callers)
		if !isThere {
			break
		}
		group = append(group, r)
		rows += r.joins
	}
	return group
}

// await gives the next request that waits to join, or that comes before it is late, if one is expected.
func (w *writer) await(late <-chan time.Time, isExpected bool) (r *request, isThere bool) {
	select {
	case r, isThere = <-w.joins:
		return r, isThere
	default:
	}
	if !isExpected {
		return nil, false
	}
	select {
	case r, isThere = <-w.joins:
		return r, isThere
	case <-late:
		return nil, false
	}
}

// commit runs a request in a transaction of its own and answers it.
func (w *writer) commit(ctx context.Context, r *request) {
	err := w.transact(ctx, func(_ context.Context, t *tx) error {
		err := r.run(t) //nolint:contextcheck // each request brings its own context
		if err == nil {
			t.take(r.ctx) //nolint:contextcheck // as above
		}
		return err
	})
	w.answer([]*request{r}, []error{nil}, err)
}

// record runs the requests of a group, which decide in memory, brings what they redeemed to the disk together and answers
// each.
func (w *writer) record(ctx context.Context, group []*request) {
	errs := make([]error, len(group))
	err := w.store.whole()
	if err == nil {
		t := &tx{store: w.store, now: w.store.now(), reserve: w.store.reserve}
		for i, r := range group {
			redemptions, entries, undo := len(t.redemptions), len(t.entries), len(t.undo)
			switch errs[i] = r.run(t); { //nolint:contextcheck // each request brings its own context
			case errs[i] != nil:
				// It may have panicked half-way.
				t.redemptions, t.entries = t.redemptions[:redemptions], t.entries[:entries]
				t.takeBack(undo)
			case len(t.redemptions) > redemptions:
				t.take(r.ctx) //nolint:contextcheck // as above
			}
		}
		if len(t.redemptions) > 0 {
			t.record(consecutive(t.redemptions)...)
		} else {
			t.reserve = min(t.reserve, minFreeDiskForOutcome)
		}
		if len(t.redemptions)+len(t.entries) > 0 {
			if err = t.publish(func() error { return w.journal.write(ctx, t) }); err != nil {
				t.takeBack(0)
			}
		}
	}
	w.answer(group, errs, err)
}

// run runs the use case of a request, unless the caller has gone.
func (r *request) run(t *tx) error {
	if r.ctx.Err() != nil {
		return fmt.Errorf("wait for the writer: %w", context.Cause(r.ctx))
	}
	ctx := context.WithoutCancel(r.ctx)
	if r.joins > 0 || r.isBrief {
		return background.Run(func() error { return r.do(ctx, t) })
	}
	ctx, leave := t.store.within(ctx)
	defer leave()
	return background.Run(func() error { return r.do(ctx, t) })
}

// answer tells requests what came of each, and of the transaction that they shared.
func (w *writer) answer(group []*request, errs []error, shared error) {
	if shared == nil {
		w.commits.Add(1)
		w.committed.Add(int64(len(group)))
	}
	for i, r := range group {
		r.done <- cmp.Or(errs[i], shared)
	}
}

func (w *writer) transact(ctx context.Context, do func(context.Context, *tx) error) error {
	return w.store.transact(ctx, w.conn, do, func(t *tx) error { return t.end(ctx) })
}

// errRival says that what a use case decided beside the writer does not hold any more: others changed something that it
// relied on.
var errRival = errors.New("others changed the same meanwhile")

// lane limits how many use cases run beside the writer at once.
type lane chan struct{}

// enter waits for a turn in the lane, which the caller gives back with the function it gets.
func (l lane) enter(ctx context.Context) (leave func(), err error) {
	select {
	case l <- struct{}{}:
		return func() { <-l }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for others of the kind: %w", context.Cause(ctx))
	}
}

// beside runs a long use case in a transaction of its own, while the writer serves others. When do is through, finish is
// run in the writer's turn, right before the commit: there it looks at what others did meanwhile, and returns errRival when
// that matters. Both get the same transaction, which sees the rows as they were when do began; it must change no row in
// place that others may have changed since.
func (s *Store) beside(ctx context.Context, l lane, do, finish func(context.Context, *tx) error) error {
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

// besideOn is beside on a connection of the caller's, who is in a lane. What a caller begins who then goes away comes to its end all
// the same, as in update: nobody waits for it, and nothing of it was done for nothing. Interrupt alone ends it.
func (s *Store) besideOn(ctx context.Context, conn *sql.Conn, do, finish func(context.Context, *tx) error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("begin beside the writer: %w", context.Cause(ctx))
	}
	inner, leave := s.within(context.WithoutCancel(ctx))
	defer leave()
	return s.transact(ctx, conn, func(_ context.Context, t *tx) error { return do(inner, t) }, func(t *tx) error {
		return s.update(inner, func(ctx context.Context, turn *tx) error {
			t.turn = turn
			if err := finish(ctx, t); err != nil {
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
	t := &tx{store: s, conn: conn, tx: sqlTx, now: s.now(), reserve: s.reserve}
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
	if t.hasSettled {
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

// publish commits and takes what was written over into the pool, in one step for readers.
func (t *tx) publish(commit func() error) error {
	if err := t.commit(commit); err != nil {
		return err
	}
	for _, notify := range t.committed {
		notify()
	}
	return nil
}

// commit is publish but for those who are told of it.
func (t *tx) commit(commit func() error) error {
	p := t.store.pool
	if len(t.changes) > 0 {
		p.mu.Lock()
		defer p.mu.Unlock()
	}
	if err := commit(); err != nil {
		return err
	}
	err := background.Run(func() error {
		for _, change := range t.changes {
			change(p)
		}
		return nil
	})
	if err != nil {
		// Memory is not what is on disk, so that nothing can be decided by it any more.
		return t.store.fail(fmt.Errorf("take over what was committed: %w", err))
	}
	return nil
}

// QueryContext makes the transaction a querier that counts.
func (t *tx) QueryContext(ctx context.Context, statement string, args ...any) (*sql.Rows, error) {
	t.store.statements.Add(1)
	return t.tx.QueryContext(ctx, statement, args...)
}

// latest gives what sees all that others have committed by now.
func (t *tx) latest() querier {
	if t.turn != nil {
		return t.turn
	}
	return t.store
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

// settle commits the temporary tables made so far and begins the transaction anew: the engine reads what an
// open transaction wrote on one core, and what was committed on all of them. Nothing that lasts may have been
// written before.
func (t *tx) settle(ctx context.Context) error {
	if err := t.tx.Commit(); err != nil {
		return t.store.fail(storageError("commit temporary tables", err))
	}
	t.hasSettled = true
	// Its own context would end the connection with the transaction when the use case is canceled.
	next, err := t.conn.BeginTx(context.WithoutCancel(ctx), nil)
	if err != nil {
		return storageError("begin", err)
	}
	t.tx = next
	return nil
}

// changePool has change called when the transaction is on disk, while the pool is locked: nobody sees
// the rows of the transaction with the pool of before it.
func (t *tx) changePool(change func(*pool)) { t.changes = append(t.changes, change) }

// onCommit has notify called when the transaction is on disk and the pool is changed, before the caller
// hears of it.
func (t *tx) onCommit(notify func()) { t.committed = append(t.committed, notify) }

// onFailure has undo called, last first, when the transaction does not make it to the disk.
func (t *tx) onFailure(undo func()) { t.undo = append(t.undo, undo) }

// takeBack takes back in memory what was done since there were so many things to undo, and does not make it to the disk.
func (t *tx) takeBack(kept int) {
	for _, undo := range slices.Backward(t.undo[kept:]) {
		undo()
	}
	t.undo = t.undo[:kept]
}

// mustNumber gives the number of an id that was read from the database.
func mustNumber(kind coupon.Kind, id coupon.ID) int64 {
	number, err := id.Number(kind)
	if err != nil {
		panic(fmt.Sprintf("the id %q is not one of a %s", id, kind))
	}
	return number
}
