// Package job does what takes longer than a request: it runs the imports that wait, generates
// codes, sends the deliveries whose time has come, looks out for alerts, and erases recipients of
// whom nothing was heard. What it does is recorded step by step in the store, so a server that was
// stopped or killed goes on where it was.
package job

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"couponql/background"
	"couponql/coupon"
	"couponql/db"
	"couponql/monitor"
	"couponql/sender"
)

// Options says how to run jobs.
type Options struct {
	// SendRate is the largest number of messages that each delivery hands over in a second; 0: no
	// limit.
	SendRate float64
	// Senders are those of channels whose messages do not go to the outbox.
	Senders map[coupon.Channel]sender.Sender
	// Alerts is told of alerts that begin; nil: nobody is.
	Alerts *sender.Webhook
	// Retention is how long recipients of whom nothing is heard are kept; 0: for ever.
	Retention time.Duration
	// Query writes what the query of an export gives.
	Query db.WriteQuery
	// Monitor times the jobs; nil: nobody does.
	Monitor *monitor.Monitor
	Log     *slog.Logger
}

// Runner runs jobs until it is stopped.
type Runner struct {
	store   *db.Store
	outbox  sender.Sender
	options Options
	stop    context.CancelFunc
	done    sync.WaitGroup
	// sending has the deliveries that are being sent, and importing the imports that run.
	mu        sync.Mutex
	sending   map[coupon.ID]struct{}
	importing map[coupon.ID]struct{}
}

// Start begins to run the jobs of a store, sending what no other sender is chosen for to the
// outbox. What an earlier server left unfinished is taken up first. When ctx is done, jobs end at
// their next step; Stop waits for that.
func Start(ctx context.Context, store *db.Store, out sender.Sender, options Options) *Runner {
	ctx, stop := context.WithCancel(ctx)
	r := &Runner{
		store: store, outbox: out, options: options, stop: stop, sending: map[coupon.ID]struct{}{},
		importing: map[coupon.ID]struct{}{},
	}
	// Two lanes: large imports follow each other, and small ones pass them.
	r.repeat(ctx, func(ctx context.Context) (time.Time, error) { return r.runImports(ctx, false) })
	r.repeat(ctx, func(ctx context.Context) (time.Time, error) { return r.runImports(ctx, true) })
	r.repeat(ctx, r.runExports)
	r.repeat(ctx, r.runBatches)
	r.repeat(ctx, r.forget)
	r.repeat(ctx, r.startDeliveries)
	r.repeat(ctx, r.recordAlerts)
	if options.Retention > 0 {
		r.repeat(ctx, r.eraseIdle())
	}
	if options.Alerts != nil {
		r.repeat(ctx, r.tellAlerts)
	}
	return r
}

// Stop ends all jobs at their next step and waits for that; they go on at the next start.
func (r *Runner) Stop() {
	r.stop()
	r.done.Wait()
}

// retryInterval is how long a job waits after an error that was not its own.
const retryInterval = time.Second

// lookInterval is the longest time until the clock is looked at again: a timer counts the seconds
// that the machine is awake, and the clock may be set, or jump with a machine that slept.
const lookInterval = time.Second

// run does something beside the others until it ends; Stop waits for it.
func (r *Runner) run(ctx context.Context, do func()) {
	r.done.Add(1)
	background.Go(func() error {
		do()
		return nil
	}, func(err error) {
		if err != nil {
			r.options.Log.ErrorContext(ctx, "job ended", "error", err)
		}
		r.done.Done()
	})
}

// repeat does step whenever there may be work: at the start, when the store says so, and at the
// time that the last step gave (the zero time: none).
func (r *Runner) repeat(
	ctx context.Context, step func(context.Context) (next time.Time, err error),
) {
	r.run(ctx, func() {
		due, stop := r.store.WatchDue()
		defer stop()
		for ctx.Err() == nil {
			var next time.Time
			err := background.Run(func() (err error) {
				next, err = step(ctx)
				return err
			})
			if err != nil && ctx.Err() == nil {
				r.options.Log.ErrorContext(ctx, "job failed", "error", err)
				next = r.store.Now().Add(retryInterval)
			}
			r.await(ctx, next, due, nil)
		}
	})
}

// await waits until there may be work: due or changed says so (nil: never), or an instant has come
// (the zero time: none). It has come when the clock says so, or when as much time has passed as
// there was left, so that a clock that is set back puts nothing off; whoever goes by the clock
// looks at it then. It returns early when ctx is done.
func (r *Runner) await(ctx context.Context, next time.Time, due, changed <-chan struct{}) {
	began, rest := r.store.Steady(), next.Sub(r.store.Now())
	for {
		var look <-chan time.Time
		if !next.IsZero() {
			left := min(next.Sub(r.store.Now()), rest-r.store.Steady().Sub(began))
			if left <= 0 {
				return
			}
			look = time.After(min(left, lookInterval))
		}
		select {
		case <-look:
		case <-due:
			return
		case <-changed:
			return
		case <-ctx.Done():
			return
		}
	}
}

// forgetInterval is how often files that nobody needs any more are looked for.
const forgetInterval = 10 * time.Minute

// forget deletes the files that nobody needs any more.
func (r *Runner) forget(ctx context.Context) (time.Time, error) {
	return r.store.Now().Add(forgetInterval), r.store.ForgetFiles(ctx)
}
