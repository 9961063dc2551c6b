package duckdb

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"couponql/unavailable"
)

const (
	// maxGroup is how many rows small writes append that share one flush of the disk; one request
	// may bring more.
	maxGroup = 1024
	// MaxWaiting is how many requests wait for the writer: what comes then is refused, or waits
	// longer if it is large.
	MaxWaiting = 4096
	// gatherTime is how long a group waits for more at the most.
	gatherTime = 2 * time.Millisecond
)

// ErrBusy says that more small writes wait for the writer than it can do in a moment: nothing was
// changed, and the same request may be made again soon.
var ErrBusy error = &unavailable.Error{
	Cause:      "too many writes wait",
	Reason:     "The server has more to write than it can in a moment",
	Advice:     fmt.Sprintf("Try again in %s.", unavailable.RetryAfter),
	RetryAfter: unavailable.RetryAfter,
}

// ErrClosed answers what the end of the store cut off, and what comes after it: nothing of that
// remains.
var ErrClosed error = &unavailable.Error{
	Cause:  "the database is closed",
	Reason: "The server stops and did not do this", Advice: "Try again when it is back.",
	RetryAfter: unavailable.RetryAfter,
}

// Request asks for a turn of a Writer.
type Request interface {
	// Context is that of the caller.
	Context() context.Context
	// Rows is how many rows the request appends at the most, if it may share its turn with others;
	// 0: it may not.
	Rows() int
	// Done is what the answer comes through.
	Done() <-chan error
}

// Writer gives turns, one after the other, in a goroutine of its own: so whatever is decided in a
// turn holds until its end.
type Writer[R Request] struct {
	// alone and group are what is done in a turn: they answer the requests.
	alone func(R)
	group func([]R)
	// joins has the requests that may share a turn, and alones the others.
	joins, alones chan R
	done          chan struct{}
	// joining counts the requests that wait to join a group or to be answered, and callers is how
	// many did so lately.
	joining atomic.Int64
	callers int
	// closing guards the channels against being sent to after they are closed.
	closing sync.RWMutex
	closed  bool
}

// NewWriter returns a writer. Run must be called, in a goroutine of its own.
func NewWriter[R Request](alone func(R), group func([]R)) *Writer[R] {
	return &Writer[R]{
		alone: alone, group: group, joins: make(chan R, MaxWaiting),
		alones: make(chan R, MaxWaiting), done: make(chan struct{}),
	}
}

// Close has everything done that was asked for before, and returns when Run has. It may be called
// again.
func (w *Writer[R]) Close() {
	w.closing.Lock()
	if !w.closed {
		w.closed = true
		close(w.joins)
		close(w.alones)
	}
	w.closing.Unlock()
	<-w.done
}

// Ask waits for a turn and for its outcome. It returns ErrClosed; ErrBusy when too many wait that
// share turns: somebody stands at a till, and would rather know; and the caller's context's cause
// while the request has not got into the queue.
func (w *Writer[R]) Ask(r R) error {
	if r.Rows() > 0 {
		w.joining.Add(1)
		defer w.joining.Add(-1)
	}
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
	return <-r.Done()
}

// queue has a request wait for its turn.
func (w *Writer[R]) queue(r R) error {
	if r.Rows() > 0 {
		select {
		case w.joins <- r:
			return nil
		default:
			return ErrBusy
		}
	}
	select {
	case w.alones <- r:
		return nil
	case <-r.Context().Done():
		return fmt.Errorf("wait for the writer: %w", context.Cause(r.Context()))
	}
}

// Waiting counts the requests that wait: those that may share a turn, and the others.
func (w *Writer[R]) Waiting() (joins, alone int) { return len(w.joins), len(w.alones) }

// Run serves until Close was called and everything is done that was asked for before. Those who
// share a turn go first, since somebody stands at a till; whoever has one alone comes after each of
// their groups.
func (w *Writer[R]) Run() {
	defer close(w.done)
	for {
		r, isAlone, isThere := w.next()
		switch {
		case !isThere:
			return
		case isAlone:
			w.alone(r)
			continue
		}
		w.group(w.fill([]R{r}))
		select {
		case r, isThere := <-w.alones:
			if isThere {
				w.alone(r)
			}
		default:
		}
	}
}

// next waits for a request; isThere is false when there will be none.
func (w *Writer[R]) next() (r R, isAlone, isThere bool) {
	select {
	case r, isThere = <-w.joins:
	default:
		select {
		case r, isThere = <-w.joins:
		case r, isAlone = <-w.alones:
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
	r, isThere = <-w.alones
	return r, true, isThere
}

// fill adds the requests that wait and may join, and those that are about to come. A flush of the
// disk costs as much for one as for many: where many callers ask over and over, it is worth waiting
// until those come back whom the last group answered.
func (w *Writer[R]) fill(group []R) []R {
	// As many as asked at once lately; a caller who is alone is never kept waiting.
	w.callers = max(int(w.joining.Load()), w.callers-max(1, w.callers/8))
	patience := time.NewTimer(gatherTime)
	defer patience.Stop()
	for rows := group[0].Rows(); rows < maxGroup; {
		r, isThere := w.await(patience.C, len(group) < w.callers)
		if !isThere {
			break
		}
		group = append(group, r)
		rows += r.Rows()
	}
	return group
}

// await returns the next request that waits to join, or that comes before it is late, if one is
// expected.
func (w *Writer[R]) await(late <-chan time.Time, isExpected bool) (r R, isThere bool) {
	select {
	case r, isThere = <-w.joins:
		return r, isThere
	default:
	}
	if !isExpected {
		return r, false
	}
	select {
	case r, isThere = <-w.joins:
		return r, isThere
	case <-late:
		return r, false
	}
}
