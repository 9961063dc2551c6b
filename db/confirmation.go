package db

import (
	"context"
	"fmt"
	"time"

	"couponql/coupon"
	"couponql/db/duckdb/memory"
)

// ConfirmDelivery writes the messages of a READY delivery, each with its code, in one transaction,
// and makes it SCHEDULED or IN_PROGRESS. Repeating it is harmless. Everything is judged once more:
// it returns NOT_FOUND, INVALID_STATE, INSUFFICIENT_CODES when codes are missing by now, and
// ANALYSIS_STALE when anything else is not as the analysis found it.
func (s *Store) ConfirmDelivery(ctx context.Context, id coupon.ID, check coupon.ContentCheck) (
	*coupon.Delivery, error,
) {
	return s.prepareDelivery(ctx, id, s.confirmation(check))
}

func (s *Store) confirmation(check coupon.ContentCheck) *preparation {
	var found *judgement
	var spans []memory.Span
	var firstMessage int64
	return &preparation{
		action: coupon.ActionConfirm,
		prepare: func(ctx context.Context, t *tx, number int64, d *coupon.Delivery) (err error) {
			if found, err = t.analyze(ctx, number, d, check,
				&analysisPlan{isConfirmation: true}); err != nil {
				return err
			}
			if err := checkConfirmation(d, found.analysis); err != nil {
				return err
			}
			if spans, err = t.takeCodes(number, d, found); err != nil {
				return err
			}
			if t.drafted(found.content.Uses) == nil {
				if err := t.createDraft(ctx, d, found.content.Uses); err != nil {
					return err
				}
			}
			firstMessage = s.memory.TakeMessages(found.messages.count)
			return t.writeMessages(ctx, number, d, firstMessage, found.messages.count, spans)
		},
		finish: func(ctx context.Context, t *turn, number int64, d *coupon.Delivery) error {
			if found.analysis.CodesNeeded > 0 &&
				!s.memory.CanTake(wishOf(d, number, t.now), spans) {
				return errRival
			}
			if _, err := t.freeHold(ctx, number); err != nil {
				return err
			}
			status, text := coupon.DeliveryInProgress, "Confirmed. Sending begins."
			if d.ContactAt != nil && d.ContactAt.After(t.now) {
				status, text = coupon.DeliveryScheduled, fmt.Sprintf(
					"Confirmed. Sending begins at %s.", d.ContactAt.Format(time.RFC3339),
				)
			}
			if _, err := t.Exec(ctx, deliveryConfirm, named("id", number),
				named("status", string(status)), named("now", t.now),
				named("first_message_id", firstMessage),
				named("message_count", found.messages.count)); err != nil {
				return err
			}
			t.change(func(c memory.Change) {
				c.Confirm(number, memory.Confirmed{Channel: d.Channel, At: t.now})
			})
			t.onCommit(s.watchers.notifyDue)
			return t.log(ctx, number, false, []coupon.LogEntry{{Level: coupon.LogInfo, Text: text}})
		},
	}
}

// checkConfirmation refuses a delivery that is not any more as it was analyzed, now being what
// analysis says.
func checkConfirmation(d *coupon.Delivery, analysis *coupon.Analysis) error {
	switch {
	case analysis.Fingerprint != d.Analysis.Fingerprint:
		return coupon.Errorf(coupon.ErrorAnalysisStale, "The recipients of the delivery %q changed since the analysis (%d messages now, %d then). Analyze it again.", d.Label, analysis.MessageCount, d.Analysis.MessageCount).
			At("input", "id")
	case analysis.CodesShort > 0:
		return coupon.Errorf(coupon.ErrorInsufficientCodes, "The delivery %q needs %d codes; missing by now: %d. Add codes or analyze it again to see the remedies.", d.Label, analysis.CodesNeeded, analysis.CodesShort).
			At("input", "id")
	case !analysis.IsSufficient:
		return coupon.Errorf(coupon.ErrorAnalysisStale, "The delivery %q can no longer be sent as it was analyzed: its coupon or content changed. Analyze it again to see what is wrong.", d.Label).
			At("input", "id")
	}
	return nil
}

// wishOf returns what a delivery wants of its coupon's codes.
func wishOf(d *coupon.Delivery, number int64, now time.Time) memory.Wish {
	return memory.Wish{
		CouponID: coupon.MustNumber(coupon.KindCoupon, *d.CouponID), ByLabel: d.MatchLabelTo != nil,
		Delivery: number, Now: now,
	}
}

// takeCodes takes the codes of a delivery's messages out of the pool, in the order of the messages.
func (t *tx) takeCodes(number int64, d *coupon.Delivery, found *judgement) ([]memory.Span, error) {
	if found.analysis.CodesNeeded == 0 {
		return nil, nil
	}
	wish := wishOf(d, number, t.now)
	var spans []memory.Span
	for _, need := range found.messages.labels {
		part := t.store.memory.Take(wish, need.Label, need.Needed)
		if taken := memory.CountOf(part); taken != need.Needed {
			// Beside the writer others took, voided or removed some since they were counted.
			return nil, fmt.Errorf("take codes with one label: %d instead of %d: %w", taken,
				need.Needed, errRival)
		}
		spans = append(spans, part...)
	}
	if number > memory.MaxHolder {
		return nil, fmt.Errorf("take codes: the number of the delivery is above %d",
			memory.MaxHolder)
	}
	t.change(func(c memory.Change) { c.Assign(wish.CouponID, number, spans) })
	return spans, nil
}

// writeMessages writes the drafted messages of a delivery. Codes that follow one another are
// counted: looking up each one's place and sorting again takes as long as the rest.
func (t *tx) writeMessages(
	ctx context.Context, number int64, d *coupon.Delivery, first int64, count int,
	spans []memory.Span,
) error {
	args := []any{
		named("id", number), named("first_id", first),
		named("coupon_id", optionalNumber(coupon.KindCoupon, d.CouponID)), named("now", t.now),
	}
	statement := messageInsert
	switch len(spans) {
	case 0:
		args = append(args, named("first_code", nil), named("label", nil))
	case 1:
		args = append(args, named("first_code", spans[0].First), named("label", spans[0].Label))
	default:
		statement = messageInsertScattered
		if err := t.createTaken(ctx, spans); err != nil {
			return err
		}
	}
	written, err := t.Exec(ctx, statement, args...)
	if err == nil && written != count {
		err = fmt.Errorf("write messages: %d instead of %d", written, count)
	}
	return err
}

// createTaken lists the codes of spans by their place.
func (t *tx) createTaken(ctx context.Context, spans []memory.Span) error {
	var places, firsts, counts []int64
	var labels []string
	place := int64(0)
	for _, s := range spans {
		places, firsts, counts, labels = append(places, place), append(firsts,
			s.First), append(counts, int64(s.Count)), append(labels, s.Label)
		place += int64(s.Count)
	}
	return t.Create(ctx, takenCreate, named("places", places), named("firsts", firsts),
		named("counts", counts), named("labels", labels))
}
