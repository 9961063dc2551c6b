package job

import (
	"context"
	"time"
)

// retentionInterval is how often recipients of whom nothing was heard for long are looked for.
const retentionInterval = time.Hour

// eraseIdle returns the job that erases the recipients of whom nothing was heard for as long as the operator wants to know
// them, batch by batch, so that others wait for no more than one. Looking for them reads whole columns: it is done every
// hour, and not whenever there is other work.
func (r *Runner) eraseIdle() func(context.Context) (time.Time, error) {
	var next time.Time
	return func(ctx context.Context) (time.Time, error) {
		if rest := next.Sub(r.store.Steady()); rest > 0 {
			return r.store.Now().Add(rest), nil
		}
		// A clock that is set forward must erase nobody.
		before := r.store.Passed().Add(-r.options.Retention)
		for ctx.Err() == nil {
			erased, err := r.store.EraseIdle(ctx, before)
			if err != nil {
				return time.Time{}, err
			}
			if erased == 0 {
				break
			}
			r.options.Log.InfoContext(ctx, "erased inactive recipients", "count", erased, "for", r.options.Retention)
		}
		next = r.store.Steady().Add(retentionInterval)
		return r.store.Now().Add(retentionInterval), nil
	}
}
