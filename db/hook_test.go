package db

import (
	"context"

	"couponql/coupon"
)

// ConfirmWith is ConfirmDelivery that calls meanwhile each time when everything was decided and nothing is committed yet.
func (s *Store) ConfirmWith(ctx context.Context, id coupon.ID, check coupon.ContentCheck, meanwhile func()) (*coupon.Delivery, error) {
	return s.prepareDelivery(ctx, id, hooked(s.confirmation(check), meanwhile))
}

// AnalyzeWith is AnalyzeDelivery with the same hook.
func (s *Store) AnalyzeWith(ctx context.Context, id coupon.ID, check coupon.ContentCheck, meanwhile func()) (*coupon.Delivery, error) {
	return s.prepareDelivery(ctx, id, hooked(s.analysis(check, &coupon.UserErrors{}), meanwhile))
}

func hooked(p *preparation, meanwhile func()) *preparation {
	prepare := p.prepare
	p.prepare = func(ctx context.Context, t *tx, number int64, d *coupon.Delivery) error {
		err := prepare(ctx, t, number, d)
		if err == nil {
			meanwhile()
		}
		return err
	}
	return p
}
