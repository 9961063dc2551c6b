package db

import (
	"context"
	"fmt"

	"couponql/coupon"
)

// DuplicateDelivery makes a new delivery with the text and settings of another one, whatever became
// of that, and with its targets when they are wanted. It is EDITING and has no contact time. label
// is its name; nil: the same. It returns NOT_FOUND and INVALID.
func (s *Store) DuplicateDelivery(
	ctx context.Context, id coupon.ID, label *string, withTargets bool,
) (*coupon.Delivery, error) {
	var created coupon.ID
	err := s.update(ctx, func(ctx context.Context, t *turn) error {
		if err := t.once(ctx); err != nil {
			return err
		}
		changes := &coupon.DeliveryChanges{}
		if label != nil {
			changes.Label = coupon.Set(label)
		}
		_, d, err := t.copyDelivery(ctx, id, "id", changes, withTargets)
		if err != nil {
			return err
		}
		created = d.ID
		return t.made(ctx, created, nil)
	})
	if before := repeatOf(err); before != nil {
		found, err := s.DeliveriesByID(ctx, []coupon.ID{before.object})
		return there(found, before, err)
	}
	if err != nil {
		return nil, err
	}
	return s.delivery(ctx, created)
}

// copyDelivery makes a delivery with the text and settings of another one but for the changes. It
// has no contact time unless they say one. field is the input's field that names the other one.
func (t *turn) copyDelivery(
	ctx context.Context, id coupon.ID, field string, changes *coupon.DeliveryChanges,
	withTargets bool,
) (number int64, _ *coupon.Delivery, err error) {
	from, original, err := t.delivery(ctx, id)
	if err != nil {
		return 0, nil, at(err, "input", field)
	}
	if number, err = t.nextNumber(ctx, numberOfDeliveries); err != nil {
		return 0, nil, err
	}
	d := *original
	d.ID = coupon.NewID(coupon.KindDelivery, number)
	d.Status, d.Analysis, d.ContactAt = coupon.DeliveryEditing, nil, nil
	if err := t.applyDelivery(ctx, &d, changes); err != nil {
		return 0, nil, err
	}
	if err := t.writeDelivery(ctx, deliveryInsert, number, &d, named("now", t.now)); err != nil {
		return 0, nil, err
	}
	count := 0
	if withTargets {
		count, err = t.Exec(ctx, targetCopy, named("id", number), named("from", from))
		if err != nil {
			return 0, nil, err
		}
		if _, err := t.Exec(ctx, targetRecord, named("id", number),
			named("count", count)); err != nil {
			return 0, nil, err
		}
	}
	text := fmt.Sprintf("Copied from %q (%s) with %d targets.", original.Label, id, count)
	return number, &d, t.log(ctx, number, false,
		[]coupon.LogEntry{{Level: coupon.LogInfo, Text: text}})
}
