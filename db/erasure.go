package db

import (
	"context"
	"slices"
	"time"

	"couponql/coupon"
	"couponql/db/duckdb"
	"couponql/db/duckdb/memory"
)

// erasedReason takes the place of what was said of an erased recipient's messages.
const erasedReason = "The recipient was erased."

// erasedSinceRewrite is the setting that says since when the file has parts, not in use any more,
// with text of erased recipients; see rewrite.
const erasedSinceRewrite = "erased_since_rewrite"

// EraseRecipients erases all that is known of recipients, by id and by the caller's own id, but for
// their number: their messages, codes and redemptions stay, so that what was counted does. What is
// still to be sent to them is canceled, and the codes of it go back to the pool unless they may be
// on their way. Who was erased before, or is not known by an external id, is left alone.
// Redemptions forget the customer where one of the recipients had the code, and where
// the customer is one of customers. It returns INVALID when nobody is named or more than
// MaxErasedRecipients are, and NOT_FOUND for an unknown id.
func (s *Store) EraseRecipients(
	ctx context.Context, ids []coupon.ID, externalIDs []string, customers ...string,
) (*coupon.Erasure, error) {
	switch count := len(ids) + len(externalIDs) + len(customers); {
	case count == 0:
		return nil, coupon.Errorf(coupon.ErrorInvalid,
			"Say whom to erase: recipientIds, externalIds or customers.").At("input")
	case count > coupon.MaxErasedRecipients:
		return nil, coupon.Errorf(coupon.ErrorInvalid, "Erase at most %d people at once, not %d.",
			coupon.MaxErasedRecipients, count).At("input")
	}
	clean := make([]string, len(externalIDs))
	for i, id := range externalIDs {
		clean[i] = coupon.CleanValue(id)
	}
	shoppers := make([]string, len(customers))
	for i, customer := range customers {
		shoppers[i] = coupon.CleanReference(customer)
	}
	return s.erase(ctx, shoppers, func(ctx context.Context, t *turn) error {
		if err := t.chooseRecipients(ctx, ids); err != nil {
			return err
		}
		return t.chooseMatching(ctx, &coupon.RecipientFilter{ExternalIDs: clean})
	})
}

// EraseIdle erases the first MaxErasedRecipients of whom nothing was heard since an instant: they
// were not changed, no message was made for them, no code claimed, and none of their codes
// redeemed. It gives how many were erased.
func (s *Store) EraseIdle(ctx context.Context, before time.Time) (int, error) {
	find := func(ctx context.Context, q duckdb.Querier, among any) ([]int64, error) {
		return duckdb.Collect(ctx, q, erasureIdle, duckdb.ScanInto[int64],
			named("before", before.UTC()), named("ids", among),
			named("limit", coupon.MaxErasedRecipients))
	}
	release, err := s.reports.Enter(ctx)
	if err != nil {
		return 0, err
	}
	numbers, err := find(ctx, s.engine, nil)
	release()
	if err != nil || len(numbers) == 0 {
		return 0, err
	}
	erasure, err := s.erase(ctx, nil, func(ctx context.Context, t *turn) error {
		// Somebody may have come back meanwhile.
		idle, err := find(ctx, t, numbers)
		if err == nil {
			_, err = t.Exec(ctx, chosenAddIDs, named("ids", idle))
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	return erasure.ErasedCount, nil
}

// erase erases those whom choose puts into the temporary table chosen, and customers of
// redemptions.
func (s *Store) erase(
	ctx context.Context, customers []string, choose func(context.Context, *turn) error,
) (*coupon.Erasure, error) {
	// An import that changes recipients, or keeps rejected rows that name them, comes before or
	// after.
	leave, err := s.recipients.Enter(ctx)
	if err != nil {
		return nil, s.cutOff(err)
	}
	defer leave()
	var locked []coupon.ID
	for {
		// A batch that is being handed over is recorded first: its messages are sent, the others
		// are not begun. That needs the writer, so that it cannot be waited for in its turn.
		unlock := s.lockAllSending(locked)
		erasure, sending, err := s.eraseLocked(ctx, customers, choose, locked)
		unlock()
		if err != nil || erasure != nil {
			return erasure, err
		}
		locked = sending
	}
}

// lockAllSending is lockSending for deliveries in order, so that two who do this cannot wait for
// each other. What is known of their sending is forgotten in the end.
func (s *Store) lockAllSending(deliveries []coupon.ID) (unlock func()) {
	unlocks := make([]func(), len(deliveries))
	for i, id := range deliveries {
		unlocks[i] = s.watchers.lockSending(id)
	}
	return func() {
		for i, id := range deliveries {
			s.forgetSending(id)
			unlocks[i]()
		}
	}
}

// eraseLocked erases, or gives the deliveries that have to be locked for that, in order.
func (s *Store) eraseLocked(
	ctx context.Context, customers []string, choose func(context.Context, *turn) error,
	locked []coupon.ID,
) (erasure *coupon.Erasure, sending []coupon.ID, err error) {
	release := s.writer.journal.hold()
	defer release()
	err = s.update(ctx, func(ctx context.Context, t *turn) error {
		if err := t.Create(ctx, chosenCreate); err != nil {
			return err
		}
		if err := choose(ctx, t); err != nil {
			return err
		}
		if _, err := t.Exec(ctx, erasureChoose); err != nil {
			return err
		}
		numbers, err := duckdb.Collect(ctx, t, erasureDeliveries, duckdb.ScanInto[int64])
		if err != nil {
			return err
		}
		isLocked := true
		for _, number := range numbers {
			id := coupon.NewID(coupon.KindDelivery, number)
			sending = append(sending, id)
			isLocked = isLocked && slices.Contains(locked, id)
		}
		if !isLocked {
			return nil
		}
		for _, id := range sending {
			t.onCommit(func() { s.watchers.notify(id) })
		}
		erasure, err = t.eraseChosen(ctx, customers)
		return err
	})
	return erasure, sending, err
}

// eraseChosen erases the recipients of the temporary table chosen, and customers of redemptions.
// The caller holds the journal.
func (t *turn) eraseChosen(ctx context.Context, customers []string) (*coupon.Erasure, error) {
	erasure := &coupon.Erasure{}
	codes, err := collectNumbers(ctx, t, erasureCodes)
	if err != nil {
		return nil, err
	}
	slices.Sort(codes)
	people, err := duckdb.Collect(ctx, t, chosenAll, duckdb.ScanInto[int64])
	if err != nil {
		return nil, err
	}
	batches := named("batches", t.openBatches())
	unknown, err := t.Exec(ctx, erasureUnknown, named("now", t.now),
		named("reason", interruptedReason), batches)
	if err != nil {
		return nil, err
	}
	if erasure.PendingMessageCount, err = duckdb.One[int](ctx, t, erasureBusy,
		batches); err != nil {
		return nil, err
	}
	if erasure.CanceledMessageCount, err = t.Exec(
		ctx,
		erasureCancel,
		named("now", t.now),
		named("reason", erasedReason),
		batches,
	); err != nil {
		return nil, err
	}
	if err := t.release(ctx, codes, "the recipient was erased"); err != nil {
		return nil, err
	}
	if erasure.CanceledMessageCount+unknown > 0 {
		if _, err := t.Exec(ctx, deliveryRecount); err != nil {
			return nil, err
		}
		t.onCommit(t.store.watchers.notifyDue)
	}
	if err := t.postJournal(ctx); err != nil {
		return nil, err
	}
	if err := t.Create(ctx, erasureSpent, named("customers", customers)); err != nil {
		return nil, err
	}
	if err := t.Create(ctx, erasureTexts, named("customers", customers)); err != nil {
		return nil, err
	}
	if err := t.Create(ctx, withInvisible(erasureAddresses)); err != nil {
		return nil, err
	}
	changed := 0
	for _, step := range []struct {
		statement string
		args      []any
	}{
		{erasureLists, nil},
		{erasureReports, nil},
		{erasureBounces, nil},
		{erasureQuarantine, nil},
		{erasureRejections, nil},
		{erasureFindings, nil},
		{erasureRequests, nil},
		{erasureAnalyses, nil},
		{erasureOutcomes, []any{named("reason", erasedReason)}},
		{erasureRefusals, []any{named("reason", erasedReason)}},
		{erasureMessages, nil},
		{erasureClaims, nil},
	} {
		rows, err := t.Exec(ctx, step.statement, step.args...)
		if err != nil {
			return nil, err
		}
		changed += rows
	}
	if erasure.ChangedRedemptionCount, err = t.Exec(ctx, erasureRedemptions); err != nil {
		return nil, err
	}
	if erasure.ErasedCount, err = t.Exec(ctx, erasureRecipients, named("now", t.now)); err != nil {
		return nil, err
	}
	if erasure.ErasedCount > 0 {
		t.touch(memory.AllRecipients)
		t.change(func(c memory.Change) { c.ErasePeople(people) })
	}
	if erasure.ErasedCount+erasure.ChangedRedemptionCount+changed == 0 {
		return erasure, nil
	}
	_, err = t.Exec(ctx, settingNote, named("name", erasedSinceRewrite),
		named("value", t.now.Format(time.RFC3339)))
	return erasure, err
}
