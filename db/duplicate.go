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
		from, original, err := t.delivery(ctx, id)
		if err != nil {
			return at(err, "input", "id")
		}
		number, err := t.nextNumber(ctx, numberOfDeliveries)
		if err != nil {
			return err
		}
		created = coupon.NewID(coupon.KindDelivery, number)
		d := *original
		d.ID, d.Status, d.Analysis, d.ContactAt = created, coupon.DeliveryEditing, nil, nil
		if label != nil {
			changes := &coupon.DeliveryChanges{Label: coupon.Set(label)}
			if err := t.applyDelivery(ctx, &d, changes); err != nil {
				return err
			}
		}
		if err := t.writeDelivery(ctx, deliveryInsert, number, &d,
			named("now", t.now)); err != nil {
			return err
		}
		count := 0
		if withTargets {
			count, err = t.Exec(ctx, targetCopy, named("id", number), named("from", from))
			if err != nil {
				return err
			}
			if _, err := t.Exec(ctx, targetRecord, named("id", number),
				named("count", count)); err != nil {
				return err
			}
		}
		text := fmt.Sprintf("Copied from %q (%s) with %d targets.", original.Label, id, count)
		if err := t.log(ctx, number, false,
			[]coupon.LogEntry{{Level: coupon.LogInfo, Text: text}}); err != nil {
			return err
		}
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
