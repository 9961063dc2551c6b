package db

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"

	"couponql/background"
	"couponql/db/duckdb"
)

// writer does in its turns what requests ask for.
type writer struct {
	*duckdb.Writer[*request]

	store   *Store
	conn    *sql.Conn
	journal *journal
	// ended is closed when its connections are.
	ended chan struct{}
	// commits counts transactions that reached the disk, and committed the requests that they
	// carried.
	commits, committed atomic.Int64
}

// request is one use case that writes.
type request struct {
	ctx context.Context //nolint:containedctx // it travels with the request to the writer's goroutine
	// alone is a use case that has a turn of its own, and join one that shares that of a group: one
	// of the two is set.
	alone func(context.Context, *turn) error
	join  func(*group) error
	// rows is how many rows join appends at the most; see duckdb.Request.
	rows int
	// isBrief: it takes a moment, so that Interrupt leaves it alone.
	isBrief bool
	done    chan error
}

// Context, Rows and Done make it a duckdb.Request.
func (r *request) Context() context.Context { return r.ctx }
func (r *request) Rows() int                { return r.rows }
func (r *request) Done() <-chan error       { return r.done }

func newWriter(ctx context.Context, s *Store) (*writer, error) {
	conn, err := s.engine.Connection(ctx)
	if err != nil {
		return nil, err
	}
	journal, err := newJournal(ctx, s, conn)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	w := &writer{store: s, conn: conn, journal: journal, ended: make(chan struct{})}
	// The writer outlives the opening of the store; each request brings a context of its own.
	ctx = context.WithoutCancel(ctx)
	w.Writer = duckdb.NewWriter(func(r *request) { w.commit(ctx, r) },
		func(group []*request) { w.commitGroup(ctx, group) })
	s.background(func() error {
		defer close(w.ended)
		// Closing the database tells what matters.
		defer func() { _ = w.conn.Close() }()
		defer w.journal.close()
		w.Run()
		return nil
	})
	return w, nil
}

// close does what was asked for before and closes the connections.
func (w *writer) close() {
	w.Close()
	<-w.ended
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

// commitGroup runs the requests of a group, brings what they decided to the disk together and
// answers each.
func (w *writer) commitGroup(ctx context.Context, requests []*request) {
	errs := make([]error, len(requests))
	err := w.store.engine.Whole()
	if err == nil {
		g := &group{effects: w.store.newEffects()}
		for i, r := range requests {
			redemptions, claims := len(g.redemptions), len(g.claims)
			entries, undo := len(g.entries), len(g.undo)
			switch errs[i] = r.decide(g); {
			case errs[i] != nil:
				// It may have panicked half-way.
				g.redemptions, g.claims = g.redemptions[:redemptions], g.claims[:claims]
				g.entries = g.entries[:entries]
				g.takeBack(undo)
			case len(g.redemptions) > redemptions, len(g.claims) > claims:
				g.take(r.ctx) //nolint:contextcheck // each request brings its own context
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
