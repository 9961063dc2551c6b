package job

import (
	"context"
	"time"

	"couponql/monitor"
)

// runBatches makes the codes of the batches that wait, one after the other: each of them holds what
// it drew in memory.
func (r *Runner) runBatches(ctx context.Context) (time.Time, error) {
	waiting, err := r.store.WaitingBatches(ctx)
	if err != nil {
		return time.Time{}, err
	}
	for _, id := range waiting {
		inner, end := r.options.Monitor.Begin(ctx, monitor.KindJob, "batch")
		err := r.store.RunBatch(inner, id)
		end(monitor.OutcomeOf(err))
		if err != nil {
			return time.Time{}, err
		}
	}
	return time.Time{}, nil
}
