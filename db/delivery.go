package db

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"couponql/coupon"
	"couponql/db/duckdb"
	"couponql/db/duckdb/memory"
)

// CreateDelivery makes a delivery. It returns INVALID for what breaks a delivery's rules, NOT_FOUND
// for an unknown coupon and INVALID_STATE for an archived one.
func (s *Store) CreateDelivery(ctx context.Context, changes *coupon.DeliveryChanges) (
	*coupon.Delivery, error,
) {
	var created coupon.ID
	err := s.update(ctx, func(ctx context.Context, t *turn) error {
		if err := t.once(ctx); err != nil {
			return err
		}
		number, err := t.nextNumber(ctx, numberOfDeliveries)
		if err != nil {
			return err
		}
		d := &coupon.Delivery{
			ID: coupon.NewID(coupon.KindDelivery, number), Status: coupon.DeliveryEditing,
			Reuse:   coupon.ReuseNewCode,
			Channel: coupon.ChannelEmail,
		}
		created = d.ID
		if err := t.applyDelivery(ctx, d, changes); err != nil {
			return err
		}
		if err := t.writeDelivery(ctx, deliveryInsert, number, d, named("now", t.now)); err != nil {
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

// UpdateDelivery changes a delivery that was not confirmed. One that was READY is EDITING again,
// and the codes held for it are free. Beside what CreateDelivery returns, NOT_FOUND and
// INVALID_STATE.
func (s *Store) UpdateDelivery(ctx context.Context, id coupon.ID, changes *coupon.DeliveryChanges) (
	*coupon.Delivery, error,
) {
	return s.changeDelivery(ctx, id, "id", coupon.ActionEdit,
		func(ctx context.Context, t *turn, number int64, d *coupon.Delivery) error {
			if err := t.applyDelivery(ctx, d, changes); err != nil {
				return err
			}
			if err := t.unprepare(ctx, number, d, "The delivery was changed"); err != nil {
				return err
			}
			return t.writeDelivery(ctx, deliveryUpdate, number, d)
		})
}

// changeDelivery runs a use case on one delivery: finds it, checks that the action is allowed now,
// and does it, unless it was done before. field is the input's field that names the delivery.
func (
	s *Store,
) changeDelivery(ctx context.Context, id coupon.ID, field string, action coupon.DeliveryAction,
	do func(context.Context, *turn, int64, *coupon.Delivery) error,
) (*coupon.Delivery, error) {
	err := s.update(ctx, func(ctx context.Context, t *turn) error {
		if err := t.once(ctx); err != nil {
			return err
		}
		number, d, err := t.delivery(ctx, id)
		if err != nil {
			return at(err, "input", field)
		}
		isDone, err := d.Check(action)
		if err != nil {
			return at(err, "input", field)
		}
		if isDone {
			return nil
		}
		t.touch(memory.Topic(id))
		t.onCommit(func() { s.watchers.notify(id) })
		return do(ctx, t, number, d)
	})
	if err != nil {
		return nil, err
	}
	return s.delivery(ctx, id)
}

// delivery reads one delivery, or gives NOT_FOUND.
func (s *Store) delivery(ctx context.Context, id coupon.ID) (*coupon.Delivery, error) {
	found, err := s.DeliveriesByID(ctx, []coupon.ID{id})
	if err == nil && found[id] == nil {
		err = coupon.NotFound(coupon.KindDelivery, id)
	}
	return found[id], err
}

func (t *tx) delivery(ctx context.Context, id coupon.ID) (int64, *coupon.Delivery, error) {
	number, err := id.Number(coupon.KindDelivery)
	if err != nil {
		return 0, nil, err
	}
	found, err := readDeliveries(ctx, t, []int64{number})
	if err == nil && found[id] == nil {
		err = coupon.NotFound(coupon.KindDelivery, id)
	}
	return number, found[id], err
}

// couponOf returns the coupon of a delivery, or nil when it has none.
func (s *Store) couponOf(ctx context.Context, d *coupon.Delivery) (*coupon.Coupon, error) {
	if d.CouponID == nil {
		return nil, nil //nolint:nilnil // a delivery may have no coupon
	}
	coupons, err := s.CouponsByID(ctx, []coupon.ID{*d.CouponID})
	return coupons[*d.CouponID], err
}

// couponOf returns the coupon of a delivery as the pool has it, or nil when it has none.
func (t *tx) couponOf(d *coupon.Delivery) *coupon.Coupon {
	if d.CouponID == nil {
		return nil
	}
	return t.store.memory.Coupon(coupon.MustNumber(coupon.KindCoupon, *d.CouponID))
}

func (t *tx) applyDelivery(
	_ context.Context, d *coupon.Delivery, changes *coupon.DeliveryChanges,
) error {
	zone := time.UTC
	couponID := d.CouponID
	if changes.CouponID.IsSet {
		couponID = changes.CouponID.Value
	}
	if couponID != nil {
		number, err := couponID.Number(coupon.KindCoupon)
		known := t.store.memory.Coupon(number)
		if err != nil || known == nil {
			return coupon.NotFound(coupon.KindCoupon, *couponID).At("input", "couponId")
		}
		if known.ArchivedAt != nil && changes.CouponID.IsSet {
			return coupon.Errorf(coupon.ErrorInvalidState,
				"The coupon %q is archived. Choose another one.",
				known.Label).At("input", "couponId")
		}
		zone = zoneOf(t.store, number)
	}
	return d.Apply(changes, zone)
}

func (t *tx) writeDelivery(
	ctx context.Context, statement string, number int64, d *coupon.Delivery, more ...any,
) error {
	_, err := t.Exec(ctx, statement, append(
		more,
		named("id", number),
		named("label", d.Label),
		named("channel", string(d.Channel)),
		named("coupon_id", optionalNumber(coupon.KindCoupon, d.CouponID)),
		named("subject", d.Subject),
		named("body", d.Body),
		named(
			"message_limit",
			d.MessageLimit,
		),
		named("match_label_to", d.MatchLabelTo),
		named("contact_at", d.ContactAt),
		named("status", string(d.Status)),
		named("send_rate", d.SendRate),
		named("allow_duplicate_addresses", d.AllowDuplicateAddresses),
		named("ignore_quarantine", d.IgnoreQuarantine),
		named("reuse", string(d.Reuse)),
	)...)
	return err
}

// log adds lines to a delivery's log; with newRound they begin the log of a new analysis.
func (t *tx) log(ctx context.Context, number int64, newRound bool, lines []coupon.LogEntry) error {
	type place struct{ round, seq int }
	last, err := duckdb.Collect(ctx, t, deliveryLogRound, func(rows *sql.Rows) (place, error) {
		var p place
		err := rows.Scan(&p.round, &p.seq)
		return p, err
	}, named("id", number))
	if err != nil {
		return err
	}
	if newRound {
		last[0].round++
	}
	levels, texts := make([]string, len(lines)), make([]string, len(lines))
	for i, line := range lines {
		levels[i], texts[i] = string(line.Level), line.Text
	}
	_, err = t.Exec(
		ctx,
		deliveryLogInsert,
		named("id", number),
		named("round", last[0].round),
		named("seq", last[0].seq),
		named("now", t.now),
		named("levels", levels),
		named("texts", texts),
	)
	return err
}

// ReleaseHold frees the codes that are held for a READY delivery, which is EDITING again then. One
// that is EDITING holds none and stays as it is. It returns NOT_FOUND and INVALID_STATE.
func (s *Store) ReleaseHold(ctx context.Context, id coupon.ID) (*coupon.Delivery, error) {
	return s.changeDelivery(ctx, id, "id", coupon.ActionEdit,
		func(ctx context.Context, t *turn, number int64, d *coupon.Delivery) error {
			if d.Status != coupon.DeliveryReady {
				return nil
			}
			if err := t.unprepare(ctx, number, d, "The held codes were released"); err != nil {
				return err
			}
			return t.writeDelivery(ctx, deliveryUpdate, number, d)
		})
}

// DeleteDelivery deletes a delivery that was never confirmed, with its targets. It returns
// NOT_FOUND and INVALID_STATE.
func (s *Store) DeleteDelivery(ctx context.Context, id coupon.ID) error {
	return s.update(ctx, func(ctx context.Context, t *turn) error {
		number, d, err := t.delivery(ctx, id)
		if err != nil {
			return at(err, "input", "id")
		}
		if _, err := d.Check(coupon.ActionDelete); err != nil {
			return at(err, "input", "id")
		}
		if _, err := t.freeHold(ctx, number); err != nil {
			return err
		}
		t.touch(memory.Topic(id))
		for _, statement := range []string{
			targetDelete, exclusionDelete, deliveryDeleteLog, deliveryDelete,
		} {
			if _, err := t.Exec(ctx, statement, named("id", number)); err != nil {
				return err
			}
		}
		return nil
	})
}

// PauseDelivery stops sending until ResumeDelivery. It returns NOT_FOUND and INVALID_STATE.
func (s *Store) PauseDelivery(ctx context.Context, id coupon.ID) (*coupon.Delivery, error) {
	unlock := s.watchers.lockSending(id)
	defer unlock()
	// While a delivery is paused, codes may be released and their messages canceled.
	defer s.forgetSending(id)
	return s.changeDelivery(ctx, id, "id", coupon.ActionPause,
		func(ctx context.Context, t *turn, number int64, _ *coupon.Delivery) error {
			return t.setStatus(ctx, number, coupon.DeliveryPaused, nil, "Paused.")
		})
}

// ResumeDelivery goes on sending. It returns NOT_FOUND and INVALID_STATE.
func (s *Store) ResumeDelivery(ctx context.Context, id coupon.ID) (*coupon.Delivery, error) {
	return s.changeDelivery(ctx, id, "id", coupon.ActionResume,
		func(ctx context.Context, t *turn, number int64, d *coupon.Delivery) error {
			t.onCommit(s.watchers.notifyDue)
			return t.setStatus(ctx, number, d.Resumed(t.now), nil, "Resumed.")
		})
}

// StopDelivery ends a delivery for good: messages that did not reach the sender are canceled and
// their codes go back to the pool, except those that may be on their way all the same; the log has
// the receipt. It returns NOT_FOUND and INVALID_STATE.
func (s *Store) StopDelivery(ctx context.Context, id coupon.ID) (*coupon.Delivery, error) {
	unlock := s.watchers.lockSending(id)
	defer unlock()
	defer s.forgetSending(id)
	return s.changeDelivery(ctx, id, "id", coupon.ActionStop,
		func(ctx context.Context, t *turn, number int64, d *coupon.Delivery) error {
			freed, err := t.freeHold(ctx, number)
			if err != nil {
				return err
			}
			if d.Status == coupon.DeliveryReady {
				return t.setStatus(ctx, number, coupon.DeliveryStopped, &t.now,
					fmt.Sprintf(
						"Stopped before it was confirmed. %d held codes are free again.", freed,
					))
			}
			return t.stopSending(ctx, number, d, coupon.CancelDeliveryStopped, nil, "Stopped.")
		})
}

// stopSending ends a confirmed delivery: what is not in an open batch is canceled for a reason, and
// the codes of what was surely not handed over go back to the pool. A cause says why the server
// does so by itself.
func (t *turn) stopSending(
	ctx context.Context, number int64, d *coupon.Delivery, reason coupon.CancelReason,
	cause *string, text string,
) error {
	codes, err := collectNumbers(ctx, t, deliveryUnsentCodes, named("id", number))
	if err != nil {
		return err
	}
	settled, err := t.Exec(ctx, deliveryCancelMessages, named("id", number), named("now", t.now),
		named("batches", t.openBatches()),
		named("reason", string(reason)), named("text", reason.Text()),
		named("unknown", interruptedReason))
	if err != nil {
		return err
	}
	if err := t.release(ctx, codes, "the delivery was stopped"); err != nil {
		return err
	}
	counts := d.Counts
	if settled > 0 {
		if _, err := t.Exec(ctx, deliveryRecount); err != nil {
			return err
		}
		_, now, err := t.delivery(ctx, d.ID)
		if err != nil {
			return err
		}
		counts = now.Counts
	}
	text += fmt.Sprintf(" %d messages canceled, %d of their codes returned to the pool; %d messages were sent before and keep theirs.",
		counts.Canceled-d.Counts.Canceled, len(codes), counts.Sent)
	if unknown := counts.Unknown - d.Counts.Unknown; unknown > 0 {
		text += fmt.Sprintf(" Of %d nobody knows whether they were taken.", unknown)
	}
	if counts.Pending > 0 {
		text += fmt.Sprintf(" The sender is busy with %d, and settles them.", counts.Pending)
	}
	return t.halt(ctx, number, coupon.DeliveryStopped, &t.now, cause, text)
}

// interruptedReason is what is said of a message that was being handed over when the server died.
const interruptedReason = "The server ended while the message was being handed over. Nobody knows whether it was taken."

func (t *turn) setStatus(
	ctx context.Context, number int64, status coupon.DeliveryStatus,
	finishedAt *time.Time, text string,
) error {
	return t.halt(ctx, number, status, finishedAt, nil, text)
}

// halt is setStatus for what the server does by itself: cause says why, and is an alert.
func (t *turn) halt(
	ctx context.Context, number int64, status coupon.DeliveryStatus, finishedAt *time.Time,
	cause *string, text string,
) error {
	_, err := t.Exec(ctx, deliverySetStatus, named("id", number), named("status", string(status)),
		named("finished_at", finishedAt),
		named("cause", cause), named("now", t.now))
	if err != nil {
		return err
	}
	level := coupon.LogInfo
	if cause != nil {
		level = coupon.LogWarning
	}
	return t.log(ctx, number, false, []coupon.LogEntry{{Level: level, Text: text}})
}

// PauseBySender pauses a delivery for a reason that is the sender's, and not one message's: the log
// and an alert have it. One that is not IN_PROGRESS any more is left alone.
func (s *Store) PauseBySender(ctx context.Context, id coupon.ID, cause string) error {
	defer s.forgetSending(id)
	return s.haltSending(ctx, id,
		func(ctx context.Context, t *turn, number int64, _ *coupon.Delivery) error {
			return t.halt(ctx, number, coupon.DeliveryPaused, nil, &cause,
				"Paused by the server: "+cause)
		})
}

// stopOver stops a delivery none of whose messages may leave any more, whose lock of sending is
// held.
func (s *Store) stopOver(ctx context.Context, id coupon.ID, reason coupon.CancelReason) error {
	defer s.forgetSending(id)
	return s.haltSending(ctx, id,
		func(ctx context.Context, t *turn, number int64, d *coupon.Delivery) error {
			return t.stopSending(ctx, number, d, reason, new(reason.Text()),
				"Stopped by the server: "+reason.Text())
		})
}

func (s *Store) haltSending(
	ctx context.Context, id coupon.ID,
	do func(context.Context, *turn, int64, *coupon.Delivery) error,
) error {
	return s.conclude(ctx, func(ctx context.Context, t *turn) error {
		number, d, err := t.delivery(ctx, id)
		if err != nil || d.Status != coupon.DeliveryInProgress {
			return err
		}
		t.touch(memory.Topic(id))
		t.onCommit(func() {
			s.watchers.notify(id)
			s.watchers.notifyDue()
		})
		return do(ctx, t, number, d)
	})
}
