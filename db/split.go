package db

import (
	"context"
	"fmt"
	"strconv"

	"couponql/coupon"
)

// SplitDelivery moves targets of a delivery to new deliveries, one for each part, which have its
// text and settings but for the message limit. Targets that no part takes stay where they are. It
// gives the new deliveries in the order of the parts. It returns NOT_FOUND, INVALID, and
// INVALID_STATE for a delivery that was confirmed or an archived coupon.
func (s *Store) SplitDelivery(ctx context.Context, id coupon.ID, parts coupon.SplitParts) (
	[]*coupon.Delivery, error,
) {
	if err := parts.Check(); err != nil {
		return nil, err
	}
	var numbers []int64
	_, err := s.changeDelivery(ctx, id, "deliveryId", coupon.ActionEdit,
		func(ctx context.Context, t *turn, number int64, d *coupon.Delivery) error {
			if err := t.share(ctx, number, d, parts); err != nil {
				return err
			}
			for i, part := range parts {
				created, err := t.createPart(ctx, number, d, i, part)
				if err != nil {
					return err
				}
				numbers = append(numbers, created)
			}
			if _, err := t.Exec(ctx, partedDelete, named("id", number)); err != nil {
				return err
			}
			if err := t.targetsChanged(ctx, number, d); err != nil {
				return err
			}
			err := t.log(
				ctx,
				number,
				false,
				[]coupon.LogEntry{{
					Level: coupon.LogInfo,
					Text:  fmt.Sprintf("Split: targets moved to %d new deliveries.", len(parts)),
				}},
			)
			if err != nil {
				return err
			}
			return t.made(ctx, id, numbers)
		})
	if before := repeatOf(err); before != nil {
		err = before.tell(&numbers)
	}
	if err != nil {
		return nil, err
	}
	found, err := s.readDeliveries(ctx, numbers)
	return inOrder(found, coupon.KindDelivery, numbers), err
}

// share fills the temporary table parted with the targets that each part takes. The rest is taken
// last.
func (t *turn) share(
	ctx context.Context, number int64, d *coupon.Delivery, parts coupon.SplitParts,
) error {
	if err := t.Create(ctx, partedCreate); err != nil {
		return err
	}
	limits := parts.Limits(d.TargetCount)
	for _, isRest := range []bool{false, true} {
		for i, part := range parts {
			if part.Rest != isRest {
				continue
			}
			if err := t.Create(ctx, chosenCreate); err != nil {
				return err
			}
			if part.Filter != nil {
				if err := t.chooseMatching(ctx, part.Filter); err != nil {
					return atPart(err, i)
				}
			}
			_, err := t.Exec(ctx, partedAdd, named("id", number), named("part", i),
				named("is_chosen", part.Filter != nil), named("limit", limits[i]))
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// createPart makes the delivery of a part and gives its number.
func (t *turn) createPart(
	ctx context.Context, from int64, d *coupon.Delivery, i int, part *coupon.SplitPart,
) (int64, error) {
	number, err := t.nextNumber(ctx, numberOfDeliveries)
	if err != nil {
		return 0, err
	}
	created := *d
	created.ID, created.Status, created.Analysis = coupon.NewID(coupon.KindDelivery,
		number), coupon.DeliveryEditing, nil
	changes := &coupon.DeliveryChanges{
		Label: coupon.Set(&part.Label), MessageLimit: coupon.Set[int](nil),
	}
	if part.CouponID != nil {
		changes.CouponID = coupon.Set(part.CouponID)
	}
	if err := t.applyDelivery(ctx, &created, changes); err != nil {
		return 0, atPart(err, i)
	}
	if err := t.writeDelivery(ctx, deliveryInsert, number, &created,
		named("now", t.now)); err != nil {
		return 0, err
	}
	count, err := t.Exec(ctx, partedInsert, named("id", number), named("from", from),
		named("part", i))
	if err != nil {
		return 0, err
	}
	if _, err := t.Exec(ctx, targetRecord, named("id", number), named("count", count)); err != nil {
		return 0, err
	}
	text := fmt.Sprintf("Split off %q (%s) with %d targets.", d.Label, d.ID, count)
	return number, t.log(ctx, number, false, []coupon.LogEntry{{Level: coupon.LogInfo, Text: text}})
}

// atPart names the part that a user error is about.
func atPart(err error, i int) error {
	problems, isUser := coupon.AsUserErrors(err)
	if !isUser {
		return err
	}
	for j, problem := range problems {
		field := problem.Field
		if len(field) > 0 && field[0] == "input" {
			field = field[1:]
		}
		problems[j] = problem.At(append([]string{"input", "parts", strconv.Itoa(i)}, field...)...)
	}
	return problems
}
