package job

import (
	"context"
	"time"

	"couponql/monitor"
)

// runExports runs the exports that wait, one after the other.
func (r *Runner) runExports(ctx context.Context) (time.Time, error) {
	waiting, err := r.store.WaitingExports(ctx)
	if err != nil {
		return time.Time{}, err
	}
	for _, id := range waiting {
		inner, end := r.options.Monitor.Begin(ctx, monitor.KindJob, "export")
		err := r.store.RunExport(inner, id, r.options.Query)
		end(monitor.OutcomeOf(err))
		if err != nil {
			return time.Time{}, err
		}
	}
	return time.Time{}, nil
}
