package job

import (
	"context"
	"time"

	"couponql/coupon"
	"couponql/db"
	"couponql/monitor"
)

// quickImportBytes is the size of the largest file whose import may pass others.
const quickImportBytes = 8 << 20

// runImports runs the imports that wait, oldest first and one after the other; the quick lane those alone that may
// pass others.
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
	}
	return time.Time{}, nil
}

// claimImport chooses the import that a lane runs next; "" when there is none.
func (r *Runner) claimImport(waiting []db.WaitingImport, isQuickLane bool) coupon.ID {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, one := range waiting {
		if _, isRunning := r.importing[one.ID]; isRunning || isQuickLane && !mayPass(one, waiting[:i]) {
			continue
		}
		r.importing[one.ID] = struct{}{}
		return one.ID
	}
	return ""
}

// mayPass tells whether an import may be run before others that were asked for earlier: when it is short, and none
// of them changes the same coupon or delivery.
func mayPass(one db.WaitingImport, earlier []db.WaitingImport) bool {
	if one.ByteCount > quickImportBytes {
		return false
	}
	for _, other := range earlier {
		if one.Owner != "" && one.Owner == other.Owner {
			return false
		}
	}
	return true
}
