package db

import (
	"context"
	"database/sql"

	"couponql/coupon"
	"couponql/db/duckdb"
	"couponql/db/duckdb/memory"
	"couponql/file"
)

// AddTargets adds recipients to a delivery: those with the ids and those that match the filter. Who
// is a target already stays once. It returns NOT_FOUND for an unknown delivery or recipient,
// INVALID and INVALID_STATE.
func (s *Store) AddTargets(
	ctx context.Context, id coupon.ID, recipients []coupon.ID, filter *coupon.RecipientFilter,
) (*coupon.Delivery, error) {
	if recipients == nil && filter == nil {
		return nil, coupon.Errorf(coupon.ErrorInvalid,
			"Say whom to add: recipientIds, or a filter ({} for everybody).").At("input")
	}
	if err := checkPeople(recipients); err != nil {
		return nil, err
	}
	return s.changeDelivery(ctx, id, "deliveryId", coupon.ActionEdit,
		func(ctx context.Context, t *turn, number int64, d *coupon.Delivery) error {
			if err := t.choosePeople(ctx, recipients, filter); err != nil {
				return err
			}
			if err := t.addChosen(ctx, number); err != nil {
				return err
			}
			return t.targetsChanged(ctx, number, d)
		})
}

// choosePeople makes the temporary table chosen of the recipients with the ids and of those who
// match the filter; nil: none by that.
func (t *tx) choosePeople(
	ctx context.Context, recipients []coupon.ID, filter *coupon.RecipientFilter,
) error {
	if err := t.Create(ctx, chosenCreate); err != nil {
		return err
	}
	if recipients != nil {
		if err := t.chooseRecipients(ctx, recipients); err != nil {
			return err
		}
	}
	if filter == nil {
		return nil
	}
	return coupon.Under(t.chooseMatching(ctx, filter), "input")
}

// chooseMatching adds those who match a filter to the temporary table chosen.
func (t *tx) chooseMatching(ctx context.Context, filter *coupon.RecipientFilter) error {
	where, args, err := t.store.recipientCondition(ctx, filter)
	if err != nil {
		return err
	}
	_, err = t.Exec(ctx, chosenAddFilter+where, args...)
	return err
}

// checkPeople returns INVALID for more ids than a request may have.
func checkPeople(recipients []coupon.ID) error {
	if len(recipients) <= coupon.MaxUpsertedRecipients {
		return nil
	}
	return coupon.Errorf(
		coupon.ErrorInvalid, "Give at most %d ids; use a filter or importTargets for more.",
		coupon.MaxUpsertedRecipients,
	).At("input", "recipientIds")
}

func (t *tx) chooseRecipients(ctx context.Context, recipients []coupon.ID) error {
	unique := map[int64]coupon.ID{}
	for _, id := range recipients {
		number, err := id.Number(coupon.KindRecipient)
		if err != nil {
			return at(err, "input", "recipientIds")
		}
		unique[number] = id
	}
	numbers := make([]int64, 0, len(unique))
	for number := range unique {
		numbers = append(numbers, number)
	}
	count, err := t.Exec(ctx, chosenAddIDs, named("ids", numbers))
	if err != nil || count == len(numbers) {
		return err
	}
	known, err := duckdb.Collect(ctx, t, chosenAll, duckdb.ScanInto[int64])
	if err != nil {
		return err
	}
	for _, number := range known {
		delete(unique, number)
	}
	for _, id := range unique {
		return coupon.NotFound(coupon.KindRecipient, id).At("input", "recipientIds")
	}
	return nil
}

// addChosen adds the recipients of the temporary table chosen to the targets.
func (t *tx) addChosen(ctx context.Context, number int64) error {
	_, last, err := t.countTargets(ctx, number)
	if err != nil {
		return err
	}
	_, err = t.Exec(ctx, targetInsert, named("id", number), named("seq", last))
	return err
}

func (t *tx) countTargets(ctx context.Context, number int64) (count int, last int64, err error) {
	err = duckdb.Each(ctx, t, targetCount, func(rows *sql.Rows) error {
		return rows.Scan(&count, &last)
	}, named("id", number))
	return count, last, err
}

// targetsChanged records a changed number of targets.
func (t *turn) targetsChanged(ctx context.Context, number int64, d *coupon.Delivery) error {
	t.touch(memory.Topic(d.ID))
	count, _, err := t.countTargets(ctx, number)
	if err != nil {
		return err
	}
	if _, err := t.Exec(ctx, targetRecord, named("id", number), named("count", count)); err != nil {
		return err
	}
	wasReady := d.Status == coupon.DeliveryReady
	if err := t.unprepare(ctx, number, d, "The targets were changed"); err != nil || !wasReady {
		return err
	}
	return t.writeDelivery(ctx, deliveryUpdate, number, d)
}

// ClearTargets takes all targets out of a delivery. It returns NOT_FOUND and INVALID_STATE.
func (s *Store) ClearTargets(ctx context.Context, id coupon.ID) (*coupon.Delivery, error) {
	return s.changeDelivery(ctx, id, "deliveryId", coupon.ActionEdit,
		func(ctx context.Context, t *turn, number int64, d *coupon.Delivery) error {
			if _, err := t.Exec(ctx, targetDelete, named("id", number)); err != nil {
				return err
			}
			return t.targetsChanged(ctx, number, d)
		})
}

func (r *importReader) importingTargets(gate gate) (*importing, error) {
	rows, err := r.store.newRecipientRows()
	if err != nil {
		return nil, err
	}
	deliveryNumber, imported := int64(0), 0
	return &importing{
		rows: rows,
		take: func(row *file.Row) error {
			raw := row.Get(recipientsExternalID)
			externalID, reason := coupon.CleanLabel(raw)
			if reason == "" && externalID == "" {
				reason = coupon.RejectedEmpty
			}
			if reason != "" {
				return rows.reject(row.Line, reason, raw)
			}
			return rows.rows.Number(int64(row.Line)).Text(externalID).End()
		},
		// Whoever erases recipients has to find the rejected rows that name them.
		lane: r.store.recipients,
		store: func(ctx context.Context, t *tx, _ *memory.Witness) (err error) {
			if deliveryNumber, _, err = t.delivery(ctx, *r.source.DeliveryID); err == nil {
				imported, err = t.addTargets(ctx, deliveryNumber, rows, gate)
			}
			return err
		},
		finish: func(ctx context.Context, t *turn, w *memory.Witness) (int, error) {
			if r.store.memory.IsTouched(w.Revision, memory.Topic(*r.source.DeliveryID)) {
				return 0, errRival
			}
			_, d, err := t.delivery(ctx, *r.source.DeliveryID)
			if err != nil {
				return 0, err
			}
			if _, err := d.Check(coupon.ActionEdit); err != nil {
				return 0, err
			}
			r.source.Changes.Added = imported
			if gate.opens(rows.total() - imported) {
				if err := t.targetsChanged(ctx, deliveryNumber, d); err != nil {
					return 0, err
				}
			}
			return imported, nil
		},
	}, nil
}

// addTargets adds the staged targets that are not rejected. It gives how many were, or would be,
// added.
func (t *tx) addTargets(ctx context.Context, number int64, rows *recipientRows, gate gate) (
	int, error,
) {
	if err := t.stage(ctx, targetStage, rows.rows, rows.rejected); err != nil {
		return 0, err
	}
	if _, err := t.Exec(ctx, targetReject, named("id", number)); err != nil {
		return 0, err
	}
	rejected, err := duckdb.One[int](ctx, t, rejectedCount)
	if err != nil {
		return 0, err
	}
	count := rows.total() - rejected
	if count == 0 || !gate.opens(rejected) {
		return count, nil
	}
	_, last, err := t.countTargets(ctx, number)
	if err != nil {
		return 0, err
	}
	_, err = t.Exec(ctx, targetInsertStaged, named("id", number), named("seq", last))
	return count, err
}
