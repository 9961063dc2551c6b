package db

import (
	"context"

	"couponql/coupon"
)

// PauseBySender pauses a delivery whose sender the other server refuses, for a reason that somebody has to mend.
func (s *Store) PauseBySender(ctx context.Context, id coupon.ID, reason string) error {
	unlock := s.watchers.lockSending(id)
	defer unlock()
	defer s.forgetSending(id)
	_, err := s.changeDelivery(ctx, id, "id", coupon.ActionPause, func(ctx context.Context, t *turn, number int64, _ *coupon.Delivery) error {
		return t.setStatus(ctx, number, coupon.DeliveryPaused, nil, "Paused, since the sender is refused: "+reason)
	})
	return err
}
