package db

import (
	"context"

	"couponql/coupon"
	"couponql/db/duckdb/memory"
)

// maxSendRounds is how often SendDelivery analyzes a delivery that others change each time before
// it is confirmed.
const maxSendRounds = 3

// Sendout is what SendDelivery sends, and to whom.
type Sendout struct {
	// TemplateID is the delivery that is copied.
	TemplateID coupon.ID
	// Label is the name of the copy; nil: that of the template.
	Label *string
	// ContactAt is when sending begins; nil: at once.
	ContactAt *coupon.DateTime
	// RecipientIDs, those that match Filter, and WithTargets the targets of the template get it.
	RecipientIDs []coupon.ID
	Filter       *coupon.RecipientFilter
	WithTargets  bool
}

// SendDelivery copies a delivery, gives it its targets, in one transaction, and analyzes and
// confirms it. A repetition with the key goes on with what it finds. What keeps the copy from being
// sent is given as problems, with the copy, which is EDITING or READY then. It returns NOT_FOUND,
// INVALID and ALREADY_EXISTS when nothing was made.
func (s *Store) SendDelivery(ctx context.Context, o *Sendout, check coupon.ContentCheck) (
	*coupon.Delivery, coupon.UserErrors, error,
) {
	id, err := s.makeSendout(ctx, o)
	if err != nil {
		return nil, nil, err
	}
	// The key has made its delivery; what follows is harmless to repeat.
	ctx = WithOnce(ctx, nil)
	var refused coupon.UserErrors
	for range maxSendRounds {
		d, err := s.delivery(ctx, id)
		if err != nil {
			return nil, nil, err
		}
		if d.Status != coupon.DeliveryEditing && d.Status != coupon.DeliveryReady {
			return d, nil, nil
		}
		d, problems, err := s.AnalyzeDelivery(ctx, id, check)
		if err == nil && len(problems) > 0 {
			return d, problems, nil
		}
		if err == nil && d.Status != coupon.DeliveryReady {
			return d, coupon.UserErrors{d.SendRefusal()}, nil
		}
		if err == nil {
			if d, err = s.ConfirmDelivery(ctx, id, check); err == nil {
				return d, nil, nil
			}
		}
		// Somebody else was faster: with the same key, or in changing what was analyzed.
		var isRefused bool
		if refused, isRefused = coupon.AsUserErrors(err); !isRefused {
			return nil, nil, err
		}
	}
	for _, problem := range refused {
		// The input names no delivery that it is about.
		problem.Field = []string{"input"}
	}
	d, err := s.delivery(ctx, id)
	return d, refused, err
}

// makeSendout makes the copy with its targets, unless its key has made it before.
func (s *Store) makeSendout(ctx context.Context, o *Sendout) (created coupon.ID, err error) {
	if o.RecipientIDs == nil && o.Filter == nil && !o.WithTargets {
		return "", coupon.Errorf(coupon.ErrorInvalid, "Say who gets it: recipientIds, a filter ({} for everybody) or withTargets.").
			At("input")
	}
	if err := checkPeople(o.RecipientIDs); err != nil {
		return "", err
	}
	err = s.update(ctx, func(ctx context.Context, t *turn) error {
		if err := t.once(ctx); err != nil {
			return err
		}
		changes := &coupon.DeliveryChanges{}
		if o.Label != nil {
			changes.Label = coupon.Set(o.Label)
		}
		if o.ContactAt != nil {
			changes.ContactAt = coupon.Set(o.ContactAt)
		}
		number, d, err := t.copyDelivery(ctx, o.TemplateID, "templateId", changes, o.WithTargets)
		if err != nil {
			return err
		}
		created = d.ID
		t.touch(memory.Topic(created))
		if err := t.choosePeople(ctx, o.RecipientIDs, o.Filter); err != nil {
			return err
		}
		if err := t.addChosen(ctx, number); err != nil {
			return err
		}
		if err := t.targetsChanged(ctx, number, d); err != nil {
			return err
		}
		return t.made(ctx, created, nil)
	})
	if before := repeatOf(err); before != nil {
		found, err := s.DeliveriesByID(ctx, []coupon.ID{before.object})
		_, err = there(found, before, err)
		return before.object, err
	}
	return created, err
}
