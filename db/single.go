package db

import (
	"context"

	"couponql/coupon"
	"couponql/db/duckdb"
)

// ProofContent returns what is needed to render a message of a delivery as a recipient would get it, or as its first
// target would. It returns NOT_FOUND, and INVALID for a delivery without targets.
func (s *Store) ProofContent(ctx context.Context, deliveryID coupon.ID, recipientID *coupon.ID) (*Batch, error) {
	if recipientID == nil {
		number, err := deliveryID.Number(coupon.KindDelivery)
		if err != nil {
			return nil, at(err, "input", "deliveryId")
		}
		if _, err := s.delivery(ctx, deliveryID); err != nil {
			return nil, at(err, "input", "deliveryId")
		}
		targets, err := duckdb.Collect(ctx, s.engine, targetFirst, duckdb.ScanInto[int64], named("id", number))
		if err != nil {
			return nil, err
		}
		if len(targets) == 0 {
			return nil, coupon.Errorf(coupon.ErrorInvalid, "The delivery has no targets yet: name the recipient whose message is to be shown.").
				At("input", "recipientId")
		}
		recipientID = new(coupon.NewID(coupon.KindRecipient, targets[0]))
	}
	d, c, content, err := s.PreviewContent(ctx, deliveryID, *recipientID)
	if err != nil {
		return nil, coupon.Under(err, "input")
	}
	return &Batch{store: s, Delivery: d, Coupon: c, Contents: []Content{*content}}, nil
}

// ResendContent returns what is needed to render a message once more, and the message. It returns NOT_FOUND, and
// INVALID_STATE for one that must not be sent again.
func (s *Store) ResendContent(ctx context.Context, id coupon.ID) (*Batch, *coupon.Message, error) {
	revision := s.memory.Revision()
	m, err := s.message(ctx, id)
	if err != nil {
		return nil, nil, at(err, "input", "id")
	}
	contents, err := s.MessageContents(ctx, []*coupon.Message{m})
	if err != nil {
		return nil, nil, err
	}
	d, err := s.delivery(ctx, m.DeliveryID)
	if err != nil {
		return nil, nil, err
	}
	c, err := s.couponOf(ctx, d)
	if err != nil {
		return nil, nil, err
	}
	b := &Batch{store: s, Delivery: d, Coupon: c, Contents: []Content{contents[id]}, isAsked: true, standing: standing{revision: revision}}
	if err := m.CheckResend(b.situation(&b.Contents[0], "", s.now())); err != nil {
		return nil, nil, at(err, "input", "id")
	}
	return b, m, nil
}

func (s *Store) message(ctx context.Context, id coupon.ID) (*coupon.Message, error) {
	found, err := s.MessagesByID(ctx, []coupon.ID{id})
	if err == nil && found[id] == nil {
		err = coupon.NotFound(coupon.KindMessage, id)
	}
	return found[id], err
}

// RecordResend records that a message was handed over once more, whether or not its caller has gone, and gives it.
func (s *Store) RecordResend(ctx context.Context, id coupon.ID) (*coupon.Message, error) {
	ctx = context.WithoutCancel(ctx)
	m, err := s.message(ctx, id)
	if err != nil {
		return nil, err
	}
	err = s.conclude(ctx, func(ctx context.Context, t *turn) error {
		batch, err := t.nextNumber(ctx, numberOfBatches)
		if err != nil {
			return err
		}
		_, err = t.Exec(
			ctx,
			attemptInsert,
			named("ids", []int64{coupon.MustNumber(coupon.KindMessage, id)}),
			named(
				"delivery_id",
				coupon.MustNumber(coupon.KindDelivery, m.DeliveryID),
			),
			named("number", m.Attempts+1),
			named("batch_id", batch),
			named("size", 1),
			named("now", t.now),
		)
		if err != nil {
			return err
		}
		number := coupon.MustNumber(coupon.KindDelivery, m.DeliveryID)
		resolved, err := t.Exec(ctx, sendingResolve, named("id", coupon.MustNumber(coupon.KindMessage, id)), named("now", t.now))
		if err == nil && resolved > 0 {
			_, err = t.Exec(ctx, deliveryResolve, named("id", number))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return s.message(ctx, id)
}
