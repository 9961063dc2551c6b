package job

import (
	"context"
	"slices"
	"time"

	"couponql/coupon"
	"couponql/db"
	"couponql/monitor"
)

// quickImportBytes is the size of the largest file whose import may pass others.
const quickImportBytes = 8 << 20

// runImports runs the imports that wait, oldest first and one after the other; the quick lane the small ones alone. Those of
// one coupon or delivery follow each other whatever the lane.
func (r *Runner) runImports(ctx context.Context, isQuickLane bool) (time.Time, error) {
	for ctx.Err() == nil {
		waiting, err := r.store.WaitingImports(ctx)
		if err != nil {
			return time.Time{}, err
		}
		id := r.claimImport(waiting, isQuickLane)
		if id == "" {
			break
		}
		inner, end := r.options.Monitor.Begin(ctx, monitor.KindJob, "import")
		err = r.store.RunImport(inner, id)
		end(monitor.OutcomeOf(err))
		r.mu.Lock()
		delete(r.importing, id)
		r.mu.Unlock()
		if err != nil {
			return time.Time{}, err
		}
		// The other lane may have left out what follows it. What could not be brought to an end keeps its followers waiting, and is
		// tried again later: nobody is woken then.
		r.store.NotifyDue()
	}
	return time.Time{}, nil
}

// claimImport chooses the import that a lane runs next; "" when there is none.
func (r *Runner) claimImport(waiting []db.WaitingImport, isQuickLane bool) coupon.ID {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, one := range waiting {
		_, isRunning := r.importing[one.ID]
		isTooLarge := isQuickLane && one.ByteCount > quickImportBytes
		if isRunning || isTooLarge || follows(one, waiting[:i]) {
			continue
		}
		r.importing[one.ID] = struct{}{}
		return one.ID
	}
	return ""
}

// follows reports whether an import has to wait for one that was asked for earlier, because both change the same coupon or
// delivery.
func follows(one db.WaitingImport, earlier []db.WaitingImport) bool {
	return one.Owner != "" && slices.ContainsFunc(earlier, func(other db.WaitingImport) bool { return one.Owner == other.Owner })
}
