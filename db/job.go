package db

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"couponql/coupon"
)

// errCanceled is the cause that stops a job which was called off.
var errCanceled = errors.New("the job was canceled")

// runningJob is an import, an export or a generation that is at work.
type runningJob struct {
	// cancel calls it off, and done is closed when its end is recorded.
	cancel context.CancelCauseFunc
	done   chan struct{}
}

// rowProgress is how far a job is that makes rows: an import, or a batch that is generated. It is kept in memory alone.
type rowProgress struct {
	runningJob

	store *Store
	id    coupon.ID
	// rows is how many there are so far; read of size is how much is done of making them.
	rows, read, size atomic.Int64
	// stored is how much of checking and storing is done, in per cent.
	stored   atomic.Int64
	notified time.Time
}

// readShare is the part of a job's progress that making the rows stands for; the rest is checking and storing.
const readShare = 0.7

func (p *rowProgress) share() float64 {
	size := p.size.Load()
	if size == 0 {
		return 0
	}
	return readShare*float64(p.read.Load())/float64(size) + (1-readShare)*float64(p.stored.Load())/100
}

const (
	// progressInterval is how often those who watch a job are woken.
	progressInterval = 100 * time.Millisecond
	// rowsPerCheck is how many rows are made between two looks at the clock and the context.
	rowsPerCheck = 1024
)

// count counts a row. From time to time it asks for the position, wakes who watches, and looks whether the job may go on.
func (p *rowProgress) count(ctx context.Context, position func() (done, all int64)) error {
	if p.rows.Add(1)%rowsPerCheck != 0 {
		return nil
	}
	read, size := position()
	p.read.Store(read)
	p.size.Store(size)
	if now := time.Now(); now.Sub(p.notified) >= progressInterval {
		p.notified = now
		p.store.watchers.notify(p.id)
		// A small file can unpack to more rows than the disk has room for: it must not take the room of others.
		if err := p.store.engine.CheckDisk(2 * p.store.reserve); err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return fmt.Errorf("make the rows: %w", context.Cause(ctx))
	}
	return nil
}

// advance tells how much of checking and storing is done, in per cent.
func (p *rowProgress) advance(percent int64) {
	p.stored.Store(percent)
	p.store.watchers.notify(p.id)
}

// progressOf returns how far a job is that makes rows; nil when it does not run.
func (s *Store) progressOf(id coupon.ID) *rowProgress {
	known, _ := s.running.Load(id)
	progress, _ := known.(*rowProgress)
	return progress
}

// runningJob returns a job that makes rows, to be called off; nil when it does not run.
func (s *Store) runningJob(id coupon.ID) *runningJob {
	if p := s.progressOf(id); p != nil {
		return &p.runningJob
	}
	return nil
}

// runJob does a job when start has recorded that it runs: in how many rows, none for a job that was called off while it waited.
func (s *Store) runJob(
	ctx context.Context, id coupon.ID, start func(context.Context, *turn) (int, error), do func(context.Context, *rowProgress) error,
) error {
	ctx, leave := s.within(ctx)
	defer leave()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	progress := &rowProgress{runningJob: runningJob{cancel, make(chan struct{})}, store: s, id: id}
	s.running.Store(id, progress)
	defer s.watchers.notify(id)
	defer close(progress.done)
	defer s.running.Delete(id)
	var started int
	err := s.update(ctx, func(ctx context.Context, t *turn) error {
		t.onCommit(func() { s.watchers.notify(id) })
		var err error
		started, err = start(ctx, t)
		return err
	})
	if errors.Is(err, errCanceled) || err == nil && started == 0 { // It was canceled while it waited.
		return nil
	}
	if err != nil {
		return fmt.Errorf("start %s: %w", id, err)
	}
	return do(ctx, progress)
}

// cancelJob calls off a job that waits, or that is at work: running.
func (s *Store) cancelJob(ctx context.Context, running *runningJob, statement string, id coupon.ID, number int64) error {
	if running != nil {
		running.cancel(errCanceled)
		select {
		case <-running.done:
		case <-ctx.Done():
			return fmt.Errorf("wait for the end of %s: %w", id, context.Cause(ctx))
		}
	}
	return s.update(ctx, func(ctx context.Context, t *turn) error {
		_, err := t.Exec(ctx, statement, named("id", number), named("now", t.now))
		t.onCommit(func() { s.watchers.notify(id) })
		return err
	})
}

// concludeJob records the outcome of a job that did not succeed, whether or not its caller stays and however full the disk is. One that
// was called off has its outcome already.
func (s *Store) concludeJob(ctx context.Context, record func(context.Context, *turn) error) error {
	err := s.conclude(context.WithoutCancel(ctx), func(ctx context.Context, t *turn) error {
		t.reserve = min(t.reserve, minFreeDiskForOutcome)
		return record(ctx, t)
	})
	if errors.Is(err, errCanceled) {
		return nil
	}
	return err
}
