// Package background runs what goes on beside its caller, and what nobody waits for. A panic in a
// goroutine of its own ends the whole program, whatever else that serves; so nothing in this
// program starts a goroutine or a timer in another way, and each says who hears of the outcome.
package background

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"
)

// Run calls do and gives its error. A panic becomes an error, which has the stack.
func Run(do func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	return do()
}

// Go runs do beside its caller, and hands what came of it to end: once, whatever happens. end must
// neither fail nor wait for long.
func Go(do func() error, end func(error)) {
	go runAndEnd(do, end)
}

// runAndEnd hands what came of do to end, also when do ended its goroutine, as tests do that fail
// beside.
func runAndEnd(do func() error, end func(error)) {
	err := errGoroutineEnded
	defer func() { end(err) }()
	err = Run(do)
}

var errGoroutineEnded = errors.New("the goroutine was ended (runtime.Goexit)")

// After runs do, like Go, when some time has passed by the machine's clock that nobody sets.
// Stopping the timer before that keeps do and end from being called.
func After(wait time.Duration, do func() error, end func(error)) *time.Timer {
	return time.AfterFunc(wait, func() { runAndEnd(do, end) })
}

// AfterDone runs do, like Go, when a context is done. stop keeps do and end from being called, and
// reports whether it came before.
func AfterDone(ctx context.Context, do func() error, end func(error)) (stop func() bool) {
	return context.AfterFunc(ctx, func() { runAndEnd(do, end) })
}

// Group runs parts of something at once, for a caller who waits for all of them. The zero value is
// ready; it must not be copied.
type Group struct {
	wait sync.WaitGroup
	mu   sync.Mutex
	errs []error
}

// Go runs a part.
func (g *Group) Go(do func() error) {
	g.wait.Add(1)
	Go(do, func(err error) {
		if err != nil {
			g.mu.Lock()
			g.errs = append(g.errs, err)
			g.mu.Unlock()
		}
		g.wait.Done()
	})
}

// Wait waits until all parts are done and gives the errors of those that failed.
func (g *Group) Wait() error {
	g.wait.Wait()
	g.mu.Lock()
	defer g.mu.Unlock()
	return errors.Join(g.errs...)
}
