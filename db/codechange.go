package db

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"couponql/coupon"
	"couponql/db/duckdb"
	"couponql/db/duckdb/memory"
)

// CodeSelection names codes of a coupon: those with the values, narrowed by the filter. One of the
// two must be given.
type CodeSelection struct {
	CouponID coupon.ID
	Values   []string
	Filter   *coupon.CodeFilter
}

// choose returns the numbers of the selected codes, in order.
func (t *turn) choose(ctx context.Context, selection *CodeSelection) ([]int64, error) {
	couponNumber, _, err := t.coupon(ctx, selection.CouponID)
	if err != nil {
		return nil, at(err, "input", "couponId")
	}
	switch {
	case selection.Values == nil && selection.Filter == nil:
		return nil, coupon.Errorf(coupon.ErrorInvalid,
			"Say which codes: give their values, or a filter ({} for all).").At("input")
	case len(selection.Values) > coupon.MaxAddedCodes:
		return nil, coupon.Errorf(coupon.ErrorInvalid,
			"Give at most %d values; use a filter for more.",
			coupon.MaxAddedCodes).At("input", "values")
	}
	facts, err := t.store.codeFacts(ctx, t, []int64{couponNumber}, selection.Filter)
	if err != nil {
		return nil, err
	}
	selected, candidates := t.store.selectCodes(couponNumber, selection.Filter, facts)
	if selection.Values != nil {
		named := t.numbersOfValues(selection.Values)
		if candidates == nil {
			return t.store.memory.Keep(selected, named), nil
		}
		isCandidate := isIn(candidates)
		return slices.DeleteFunc(named,
			func(number int64) bool { return !isCandidate(number) }), nil
	}
	if candidates == nil {
		candidates = t.store.memory.All(selected)
	}
	return candidates, nil
}

// numbersOfValues returns the numbers of the codes with these values, in order.
func (t *turn) numbersOfValues(values []string) []int64 {
	numbers := make([]int64, 0, len(values))
	for _, value := range values {
		if _, key, reason := t.store.keys.Parse(value); reason == "" {
			if number, _ := t.store.memory.Find(key); number != 0 {
				numbers = append(numbers, number)
			}
		}
	}
	slices.Sort(numbers)
	return slices.Compact(numbers)
}

// Voided is what voiding codes came to.
type Voided struct {
	// Batch is nil when no code was voided.
	Batch *coupon.CodeBatch
	// Count is how many codes were voided, and Pending how many messages that are still to be sent
	// have one of them.
	Count, Pending int
}

// VoidCodes makes codes worthless until UndoBatch; redeemed ones stay redeemed, and voiding a
// voided code again changes nothing. It returns NOT_FOUND and INVALID.
func (s *Store) VoidCodes(ctx context.Context, selection *CodeSelection) (*Voided, error) {
	voided := &Voided{}
	var batch int64
	err := s.update(ctx, func(ctx context.Context, t *turn) error {
		numbers, err := t.choose(ctx, selection)
		if err != nil {
			return err
		}
		numbers = s.memory.KeepStates(numbers, func(_ int64, state coupon.CodeState) bool {
			return !state.Has(coupon.StateRedeemed | coupon.StateVoided)
		})
		voided.Count = len(numbers)
		if voided.Pending, err = t.pendingOf(ctx, numbers); err != nil || len(numbers) == 0 {
			return err
		}
		batch, _ = s.memory.TakeCodes(0, 1)
		if err := t.recordBatch(ctx, &batchRow{
			number: batch, kind: coupon.BatchVoided,
			couponNumber: coupon.MustNumber(coupon.KindCoupon, selection.CouponID), first: 1,
			count: len(numbers), createdBy: callerOf(ctx),
		}); err != nil {
			return err
		}
		return t.void(ctx, numbers, "voided by voidCodes", batch)
	})
	if err != nil || voided.Count == 0 {
		return voided, err
	}
	voided.Batch, err = s.batchByNumber(context.WithoutCancel(ctx), batch)
	return voided, err
}

// void voids codes, by a batch or by none: 0.
func (t *turn) void(ctx context.Context, numbers []int64, reason string, batch int64) error {
	args := []any{
		named("ids", numbers), named("now", t.now), named("reason", reason),
		named("batch_id", unlessZero(batch)),
	}
	if _, err := t.Exec(ctx, codeVoidInsert, args...); err != nil {
		return err
	}
	t.change(func(c memory.Change) { c.Update(numbers, coupon.StateVoided, 0) })
	return nil
}

// ReleaseCodes returns assigned codes back to the pool. A code that was not sent takes its message
// with it, which is then canceled; a sent one is kept unless evenIfSent, and so is every code of a
// delivery that is being sent right now, or of a message that a sender is busy with. It gives how
// many codes were released and how many kept, and how many messages were canceled. It returns
// NOT_FOUND and INVALID.
func (s *Store) ReleaseCodes(
	ctx context.Context, selection *CodeSelection, evenIfSent bool, reason string,
) (released, kept, canceled int, err error) {
	reason, bad := coupon.CleanLabel(reason)
	if reason == "" || bad != "" {
		return 0, 0, 0, coupon.Errorf(coupon.ErrorInvalid,
			"Give a reason of 1 to %d characters: it stays in the history of every code.",
			coupon.MaxTextLength).
			At("input", "reason")
	}
	err = s.update(ctx, func(ctx context.Context, t *turn) error {
		chosen, err := t.choose(ctx, selection)
		if err != nil {
			return err
		}
		count := len(chosen)
		numbers := s.memory.KeepStates(chosen, func(_ int64, state coupon.CodeState) bool {
			return state.Has(coupon.StateAssigned) &&
				!state.Has(coupon.StateRedeemed|coupon.StateVoided) &&
				(evenIfSent || !state.Has(coupon.StateSent))
		})
		kept = count - len(numbers)
		if len(numbers) == 0 {
			return nil
		}
		sending, err := duckdb.Collect(ctx, t, codeReturnUnsendable, duckdb.ScanInto[int64],
			append(between(numbers), named("batches", t.openBatches()))...)
		if err != nil {
			return err
		}
		slices.Sort(sending)
		numbers = slices.DeleteFunc(numbers, isIn(sending))
		kept += len(sending)
		released = len(numbers)
		if canceled, err = t.pendingOf(ctx, numbers); err != nil {
			return err
		}
		t.touch(memory.AllReleases)
		return t.release(ctx, numbers, reason)
	})
	return released, kept, canceled, err
}

func (t *turn) release(ctx context.Context, numbers []int64, reason string) error {
	if len(numbers) == 0 {
		return nil
	}
	args := append(between(numbers), named("now", t.now), named("reason", reason))
	canceled, err := t.Exec(ctx, messageCancelByCode, args...)
	if err != nil {
		return err
	}
	if canceled > 0 {
		if _, err := t.Exec(ctx, deliveryRecount); err != nil {
			return err
		}
	}
	returned, err := t.Exec(ctx, codeReturnInsert, args...)
	if err != nil {
		return err
	}
	if returned != len(numbers) {
		return fmt.Errorf("release codes: %d of %d were held by a message", returned, len(numbers))
	}
	t.change(func(c memory.Change) { c.Update(numbers, 0, coupon.StateAssigned|coupon.StateSent) })
	return nil
}

// EventsOf tells what happened to each of the codes, oldest first.
func (s *Store) EventsOf(ctx context.Context, codes []coupon.ID) (
	map[coupon.ID][]*coupon.CodeEvent, error,
) {
	events := make(map[coupon.ID][]*coupon.CodeEvent, len(codes))
	numbers := numbersOf(coupon.KindCode, codes)
	if len(numbers) == 0 {
		return events, nil
	}
	err := duckdb.Each(ctx, s.engine, codeEvents, func(rows *sql.Rows) error {
		var number int64
		var deliveryNumber *int64
		var at time.Time
		var kind coupon.CodeEventKind
		var detail, store *string
		if err := rows.Scan(&number, &at, &kind, &deliveryNumber, &detail, &store); err != nil {
			return err
		}
		id := coupon.NewID(coupon.KindCode, number)
		events[id] = append(
			events[id],
			coupon.NewCodeEvent(at, kind, coupon.NewIDPtr(coupon.KindDelivery, deliveryNumber),
				orEmpty(detail), orEmpty(store)),
		)
		return nil
	}, between(numbers)...)
	return events, err
}
