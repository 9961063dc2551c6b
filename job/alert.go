package job

import (
	"context"
	"time"

	"couponql/coupon"
)

const (
	// alertInterval is how often alerts are looked for, besides whenever there is new work.
	alertInterval = 10 * time.Second
	// maxNotices is how many notices are read at once.
	maxNotices = 100
)

// recordAlerts notes which alerts began and which are over.
func (r *Runner) recordAlerts(ctx context.Context) (time.Time, error) {
	return r.store.Now().Add(alertInterval), r.store.RecordAlerts(ctx, r.options.Alerts != nil)
}

// tellAlerts tells the receiver of the alerts that began, one after the other, those that it did
// not take before when their time comes. What it took is recorded after that: when the server dies
// in between it is told once more, with the same idempotency key.
func (r *Runner) tellAlerts(ctx context.Context) (time.Time, error) {
	for ctx.Err() == nil {
		notices, times, err := r.store.UntoldAlerts(ctx, maxNotices)
		if err != nil || len(notices) == 0 {
			return time.Time{}, err
		}
		for i, notice := range notices {
			if rest := times[i].Sub(r.store.Now()); rest > 0 && rest <= coupon.MaxNoticeDelay {
				return times[i], nil
			}
			if err := r.tellAlert(ctx, notice); err != nil || ctx.Err() != nil {
				return time.Time{}, err
			}
		}
	}
	return time.Time{}, nil
}

func (r *Runner) tellAlert(ctx context.Context, notice *coupon.AlertNotice) error {
	attempt, err := r.options.Alerts.SendAlert(ctx, notice, r.store.Now())
	if err != nil || attempt.Result == coupon.AttemptOpen {
		return err
	}
	retryAt, isDone := notice.Settle(&attempt, r.store.Now())
	if attempt.Result != coupon.AttemptAccepted {
		r.options.Log.WarnContext(ctx, "the alert webhook did not accept an alert", "alert",
			notice.ID, "kind", notice.Kind, "reason", attempt.Reason,
			"givenUp", isDone)
	}
	// It is recorded also when the server stops meanwhile, so that it is not told once more for
	// nothing.
	return r.store.SettleAlert(context.WithoutCancel(ctx), notice, retryAt, isDone)
}
