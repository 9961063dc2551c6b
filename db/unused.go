package db

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"sort"

	"couponql/coupon"
	"couponql/db/duckdb"
	"couponql/db/duckdb/memory"
)

// unusedPart is how many codes are looked at between two looks at the lock: tills wait for it.
const unusedPart = 1 << 16

// unusedCodes returns the codes of some runs that nobody ever had, in order: they are neither redeemed nor voided, and no
// message holds them or ever held them. Runs that came since the witness began, and the transaction may not see, are left out.
func (t *tx) unusedCodes(ctx context.Context, w *memory.Witness, isWanted func(*memory.Run) bool) ([]memory.Span, error) {
	numbers, err := collectNumbers(ctx, t, codeReturned)
	if err != nil {
		return nil, err
	}
	returned := make(map[int64]struct{}, len(numbers))
	for _, number := range numbers {
		returned[number] = struct{}{}
	}
	var spans []memory.Span
	for _, r := range t.store.memory.RunsBefore(w, isWanted) {
		current := memory.Span{Label: r.Label}
		look := func(v memory.View, number int64) {
			if _, wasHeld := returned[number]; wasHeld || v.State(number) != 0 {
				return
			}
			if current.Count > 0 && current.End() != number {
				spans = append(spans, current)
				current.Count = 0
			}
			if current.Count == 0 {
				current.First = number
			}
			current.Count++
		}
		for first := r.First; first <= r.Last; first += unusedPart {
			t.store.memory.Read(func(v memory.View) {
				for number := first; number <= min(r.Last, first+unusedPart-1); number++ {
					look(v, number)
				}
			})
		}
		if current.Count > 0 {
			spans = append(spans, current)
		}
	}
	return spans, nil
}

// createUnused makes the temporary table unused of the numbers of codes.
func (t *tx) createUnused(ctx context.Context, spans []memory.Span) error {
	if err := t.Create(ctx, unusedCreate); err != nil || len(spans) == 0 {
		return err
	}
	return t.createSpooled(ctx, unusedLoad, func(rows *duckdb.Spool) error {
		for _, s := range spans {
			if err := rows.Number(s.First).Number(int64(s.Count)).End(); err != nil {
				return err
			}
		}
		return nil
	})
}

// deleteUnused deletes the codes in the temporary table unused, which are those of the spans. reconcileRemoval takes them out of
// the pool.
func (t *tx) deleteUnused(ctx context.Context, spans []memory.Span) error {
	if len(spans) == 0 {
		return nil
	}
	deleted, err := t.Exec(ctx, codeDeleteUnused)
	if count := memory.CountOf(spans); err == nil && deleted != count {
		// Memory would forget what is still there.
		err = fmt.Errorf("delete codes: %d instead of %d: %w", deleted, count, errRival)
	}
	return err
}

// wholeCode is a code as it is stored.
type wholeCode struct {
	number, batch, coupon int64
	key                   string
	label, value          *string
}

// reconcileRemoval is called in the writer's turn before the deletion of codes that nobody ever had is committed. Those of them
// that others gave away, redeemed or voided meanwhile stay; it gives them.
func (t *turn) reconcileRemoval(ctx context.Context, spans []memory.Span, w *memory.Witness) (stay []wholeCode, err error) {
	numbers, err := w.Happened(func(number int64) bool { return isWithin(spans, number) })
	if err != nil {
		return nil, err
	}
	if len(numbers) > 0 {
		stay, err = duckdb.Collect(ctx, t.latest, codeWhole, func(rows *sql.Rows) (wholeCode, error) {
			var c wholeCode
			err := rows.Scan(&c.number, &c.batch, &c.coupon, &c.label, &c.key, &c.value)
			return c, err
		}, between(numbers)...)
		if err == nil && len(stay) != len(numbers) {
			err = errRival
		}
		if err == nil {
			err = t.restoreCodes(ctx, stay)
		}
		if err != nil {
			return nil, err
		}
		spans = cutOut(spans, numbers)
	}
	if _, err := t.Exec(ctx, codeRestoreDelete, named("stay", numbers)); err != nil {
		return nil, err
	}
	t.change(func(c memory.Change) { c.RemoveCodes(spans) })
	return stay, nil
}

// restoreCodes stores codes again that the transaction deleted.
func (t *tx) restoreCodes(ctx context.Context, codes []wholeCode) error {
	var ids, batches, coupons []int64
	var labels, keys, values []string
	for _, c := range codes {
		ids, batches, coupons, keys = append(ids, c.number), append(batches, c.batch), append(coupons, c.coupon), append(keys, c.key)
		labels, values = append(labels, orEmpty(c.label)), append(values, orEmpty(c.value))
	}
	_, err := t.Exec(ctx, codeRestore, named("ids", ids), named("batches", batches), named("coupons", coupons), named("labels", labels),
		named("keys", keys), named("values", values))
	return err
}

// isWithin reports whether a number lies in one of the spans, which are in order.
func isWithin(spans []memory.Span, number int64) bool {
	i := sort.Search(len(spans), func(i int) bool { return spans[i].End() > number })
	return i < len(spans) && spans[i].First <= number
}

// cutOut returns spans without some of their numbers, which are in order.
func cutOut(spans []memory.Span, numbers []int64) []memory.Span {
	var left []memory.Span
	for _, s := range spans {
		for len(numbers) > 0 && numbers[0] < s.End() {
			if before := int(numbers[0] - s.First); before > 0 {
				left = append(left, memory.Span{First: s.First, Count: before, Label: s.Label})
			}
			s.Count -= int(numbers[0]-s.First) + 1
			s.First = numbers[0] + 1
			numbers = numbers[1:]
		}
		if s.Count > 0 {
			left = append(left, s)
		}
	}
	return left
}

// yieldCodes takes those of an addition back that were to take the place of codes that stay.
func (t *tx) yieldCodes(ctx context.Context, a *codeAddition, stay []wholeCode) error {
	if a.last == 0 || len(stay) == 0 {
		return nil
	}
	keys := make([]string, len(stay))
	for i, c := range stay {
		keys[i] = c.key
	}
	numbers, err := duckdb.Collect(ctx, t, codeSpared, duckdb.ScanInto[int64], named("first_id", a.first), named("last_id", a.last), named("keys", keys))
	if err != nil || len(numbers) == 0 {
		return err
	}
	if _, err := t.Exec(ctx, sparedRecord, named("import_id", a.importNumber), named("keys", keys)); err != nil {
		return err
	}
	if _, err := t.Exec(ctx, codeBatchRecount, between(numbers)...); err != nil {
		return err
	}
	if _, err := t.Exec(ctx, codeDelete, between(numbers)...); err != nil {
		return err
	}
	a.count -= len(numbers)
	t.change(func(c memory.Change) { c.RemoveEach(numbers) })
	return nil
}

// codeVoiding is the voiding of the codes of a file.
type codeVoiding struct {
	// couponNumber is that of the coupon; 0 when each row names one.
	couponNumber, importNumber int64
	createdBy                  *string
	rows                       *codeRows
	gate                       gate
	reason                     string
	// count is how many codes are, or would be, voided; when they are, coupons are theirs, batches those of the voiding of
	// each coupon's, and numbers those of the codes, in order.
	count            int
	coupons, batches []int64
	numbers          []int64
	// pending is how many messages that are still to be sent have one of the codes.
	pending int
}

// voidRows voids the codes of rows that can be voided, and leaves the rows that cannot in the temporary table
// rejected. The gate may keep all of them as they are. What happens meanwhile is left to reconcileVoiding.
func (t *tx) voidRows(ctx context.Context, v *codeVoiding) error {
	v.numbers, v.coupons, v.pending = nil, nil, 0
	stage, reject, coupons := codeStage, matchedReject, []any{named("coupon_id", v.couponNumber)}
	if v.rows.ofCoupons {
		stage, reject, coupons = codeStageCoupons, matchedRejectCoupons, nil
	}
	if err := t.stage(ctx, stage, v.rows.rows, v.rows.rejected); err != nil {
		return err
	}
	path, err := v.rows.candidates.Flush()
	if err != nil {
		return err
	}
	if err := t.Create(ctx, matchedCreate, named("path", path)); err != nil {
		return err
	}
	for _, step := range []struct {
		statement string
		args      []any
	}{
		{reject, coupons},
		{codeRejectDoubles, nil},
	} {
		if _, err := t.Exec(ctx, step.statement, step.args...); err != nil {
			return err
		}
	}
	rejected, err := duckdb.One[int](ctx, t, rejectedCount)
	if err != nil {
		return err
	}
	if v.count = v.rows.total() - rejected; v.count == 0 {
		return nil
	}
	numbers, err := collectNumbers(ctx, t, matchedNumbers)
	if err != nil {
		return err
	}
	slices.Sort(numbers)
	if v.pending, err = t.pendingOf(ctx, numbers); err != nil || !v.gate.opens(rejected) {
		return err
	}
	v.numbers = numbers
	if v.coupons, err = duckdb.Collect(ctx, t, matchedCoupons, duckdb.ScanInto[int64]); err != nil {
		return err
	}
	first, _ := t.store.memory.TakeCodes(0, len(v.coupons))
	v.batches = make([]int64, len(v.coupons))
	for i := range v.batches {
		v.batches[i] = first + int64(i)
	}
	_, err = t.Exec(ctx, matchedVoid, named("now", t.now), named("reason", v.reason), named("coupons", v.coupons), named("batches", v.batches))
	return err
}

// reconcileVoiding is called in the writer's turn before codes are voided that were chosen beside it. Those that others redeemed,
// voided or deleted meanwhile are rejected.
func (t *turn) reconcileVoiding(ctx context.Context, v *codeVoiding, w *memory.Witness) error {
	m := t.store.memory
	var numbers []int64
	var reasons []string
	happened, err := w.Happened(isIn(v.numbers))
	if err != nil {
		return err
	}
	for _, number := range happened {
		var reason coupon.RejectionReason
		switch state := m.State(number); {
		case state.Has(coupon.StateGone):
			reason = coupon.RejectedUnknownCode
		case state.Has(coupon.StateRedeemed):
			reason = coupon.RejectedAlreadyRedeemed
		case state.Has(coupon.StateVoided):
			reason = coupon.RejectedAlreadyRecorded
		default:
			continue
		}
		numbers, reasons = append(numbers, number), append(reasons, string(reason))
	}
	if len(numbers) > 0 {
		if v.gate.most != nil {
			return errRival
		}
		if _, err := t.Exec(ctx, matchedSpare, named("import_id", v.importNumber), named("ids", numbers), named("reasons", reasons)); err != nil {
			return err
		}
		if _, err := t.Exec(ctx, voidDelete, named("ids", numbers)); err != nil {
			return err
		}
		v.count -= len(numbers)
		v.numbers = slices.DeleteFunc(v.numbers, isIn(numbers))
	}
	if len(v.numbers) == 0 {
		return nil
	}
	t.change(func(c memory.Change) { c.Update(v.numbers, coupon.StateVoided, 0) })
	_, err = t.Exec(ctx, codeBatchInsertVoided, named("coupons", v.coupons), named("batches", v.batches), named("import_id", v.importNumber),
		named("created_by", v.createdBy), named("now", t.now))
	return err
}
