package db

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"couponql/background"
)

// work is what may take long, all of which ends before the store is closed.
type work struct {
	// ending is done when it has to end.
	ending context.Context //nolint:containedctx // it is the store's life, which no caller brings along
	end    context.CancelCauseFunc
	mu     sync.Mutex
	going  sync.WaitGroup
}

func newWork() *work {
	ending, end := context.WithCancelCause(context.Background())
	return &work{ending: ending, end: end}
}

// Interrupt ends at once what may take long, and refuses more of it: whatever is not committed yet is undone, its callers get
// ErrClosed, and jobs go on at the next start. What takes a moment is still done until Close: redemptions, and what became
// of messages and jobs.
func (s *Store) Interrupt() {
	s.work.mu.Lock()
	defer s.work.mu.Unlock()
	s.work.end(ErrClosed)
}

// within returns a context that ends with ctx and by Interrupt, which Close waits for until leave is called. Commits and
// rollbacks do not run in it: they come to their end.
func (s *Store) within(ctx context.Context) (inner context.Context, leave func()) {
	inner, cancel := context.WithCancelCause(ctx)
	w := s.work
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ending.Err() != nil {
		cancel(ErrClosed)
		return inner, func() {}
	}
	w.going.Add(1)
	stop := background.AfterDone(w.ending, func() error {
		cancel(ErrClosed)
		return nil
	}, func(error) {})
	return inner, func() {
		stop()
		cancel(nil)
		w.going.Done()
	}
}

// cutOff makes ErrClosed of the error of what has changed nothing since it was cut off while the store ends.
func (s *Store) cutOff(err error) error {
	if errors.Is(err, context.Canceled) && s.work.ending.Err() != nil && !errors.Is(err, ErrClosed) {
		return fmt.Errorf("%w: %w", ErrClosed, err)
	}
	return err
}
