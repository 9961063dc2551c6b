package db

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"couponql/background"
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
var ErrBusy = errors.New("too many writes wait")

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
	// alone is a use case that has a turn of its own, and join one that shares that of a group: one of the two is set.
	alone func(context.Context, *turn) error
	join  func(*group) error
	// rows is how many rows join appends at the most.
	rows int
	// isBrief: it takes a moment, so that Interrupt leaves it alone.
	isBrief bool
	done    chan error
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
	if r.join != nil {
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
		w.commitGroup(ctx, w.fill([]*request{r}))
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
	for rows := group[0].rows; rows < maxGroup; {
		r, isThere := w.await(patience.C, len(group) < w.callers)
		if !isThere {
			break
		}
		group = append(group, r)
		rows += r.rows
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

// commit runs a request in a turn of its own and answers it.
func (w *writer) commit(ctx context.Context, r *request) {
	err := w.store.transact(ctx, w.conn, func(_ context.Context, t *tx) error {
		err := r.run(&turn{tx: t, latest: t}) //nolint:contextcheck // each request brings its own context
		if err == nil {
			t.take(r.ctx) //nolint:contextcheck // as above
		}
		return err
	}, func(t *tx) error { return t.end(ctx) })
	w.answer([]*request{r}, []error{nil}, err)
}

// commitGroup runs the requests of a group, brings what they decided to the disk together and answers each.
func (w *writer) commitGroup(ctx context.Context, requests []*request) {
	errs := make([]error, len(requests))
	err := w.store.whole()
	if err == nil {
		g := &group{effects: w.store.newEffects()}
		for i, r := range requests {
			redemptions, entries, undo := len(g.redemptions), len(g.entries), len(g.undo)
			switch errs[i] = r.decide(g); {
			case errs[i] != nil:
				// It may have panicked half-way.
				g.redemptions, g.entries = g.redemptions[:redemptions], g.entries[:entries]
				g.takeBack(undo)
			case len(g.redemptions) > redemptions:
				g.take(r.ctx)
			}
		}
		if err = g.end(ctx, w.journal); err != nil {
			g.takeBack(0)
		}
	}
	w.answer(requests, errs, err)
}

// isGone returns an error when the caller of a request has gone before its turn came.
func (r *request) isGone() error {
	if r.ctx.Err() != nil {
		return fmt.Errorf("wait for the writer: %w", context.Cause(r.ctx))
	}
	return nil
}

// run runs the use case of a request that has a turn of its own, unless its caller has gone.
func (r *request) run(t *turn) error {
	if err := r.isGone(); err != nil {
		return err
	}
	ctx := context.WithoutCancel(r.ctx)
	if !r.isBrief {
		inner, leave := t.store.within(ctx)
		defer leave()
		ctx = inner
	}
	return background.Run(func() error { return r.alone(ctx, t) })
}

// decide is run for a request that shares a turn.
func (r *request) decide(g *group) error {
	if err := r.isGone(); err != nil {
		return err
	}
	return background.Run(func() error { return r.join(g) })
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
