package job

import (
	"context"
	"time"
)

// runExports runs the exports that wait, one after the other.
func (r *Runner) runExports(ctx context.Context) (time.Time, error) {
	waiting, err := r.store.WaitingExports(ctx)
	if err != nil {
		return time.Time{}, err
	}
	for _, id := range waiting {
		if err := r.store.RunExport(ctx, id, r.options.Query); err != nil {
			return time.Time{}, err
		}
	}
	return time.Time{}, nil
}
