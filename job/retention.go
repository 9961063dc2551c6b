package job

import (
	"context"
	"time"
)

// retentionInterval is how often recipients of whom nothing was heard for long are looked for.
const retentionInterval = time.Hour

// eraseIdle gives the job that erases the recipients of whom nothing was heard for as long as the operator wants to know
// them, batch by batch, so that others wait for no more than one. Looking for them reads whole columns: it is done every
// hour, and not whenever there is other work.
func (r *Runner) eraseIdle() func(context.Context) (time.Time, error) {
	var next time.Time
	return func(ctx context.Context) (time.Time, error) {
		now := r.store.Now()
		if now.Before(next) {
			return next, nil
		}
		for ctx.Err() == nil {
			erased, err := r.store.EraseIdle(ctx, now.Add(-r.options.Retention))
			if err != nil {
				return time.Time{}, err
			}
			if erased == 0 {
				break
			}
			r.options.Log.InfoContext(ctx, "recipients of whom nothing was heard were erased", "count", erased, "for", r.options.Retention)
		}
		next = now.Add(retentionInterval)
		return next, nil
	}
}
