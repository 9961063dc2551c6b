package db

import (
	"context"

	"couponql/coupon"
)

// unusedCodes gives the codes of some runs that nobody ever had: they are neither redeemed nor voided, and no
// message holds them or ever held them.
func (t *tx) unusedCodes(ctx context.Context, isWanted func(*run) bool) ([]span, error) {
	numbers, err := collectNumbers(ctx, t, codeReturned)
	if err != nil {
		return nil, err
	}
	returned := make(map[int64]struct{}, len(numbers))
	for _, number := range numbers {
		returned[number] = struct{}{}
	}
	p := t.store.pool
	p.mu.RLock()
	defer p.mu.RUnlock()
	var spans []span
	for _, r := range p.runs {
		if !isWanted(r) {
			continue
		}
		current := span{label: r.label}
		for number := r.first; number <= r.last; number++ {
			if _, wasHeld := returned[number]; wasHeld || p.codes.state(number) != 0 {
				continue
			}
			if current.count > 0 && current.end() != number {
				spans = append(spans, current)
				current.count = 0
			}
			if current.count == 0 {
				current.first = number
			}
			current.count++
		}
		if current.count > 0 {
			spans = append(spans, current)
		}
	}
	return spans, nil
}

// createUnused makes the temporary table unused of the numbers of codes.
func (t *tx) createUnused(ctx context.Context, spans []span) (err error) {
	if err := t.create(ctx, unusedCreate); err != nil || len(spans) == 0 {
		return err
	}
	rows, err := t.store.newSpool()
	if err != nil {
		return err
	}
	defer func() {
		if removed := rows.remove(); err == nil {
			err = removed
		}
	}()
	for _, s := range spans {
		if err := rows.number(s.first).number(int64(s.count)).end(); err != nil {
			return err
		}
	}
	path, err := rows.flush()
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, unusedLoad, named("path", path))
	return err
}

// removeUnused deletes the codes in the temporary table unused, which are those of the spans.
func (t *tx) removeUnused(ctx context.Context, spans []span) error {
	if len(spans) == 0 {
		return nil
	}
	if _, err := t.exec(ctx, codeDeleteUnused); err != nil {
		return err
	}
	t.changePool(func(p *pool) { p.removeCodes(spans) })
	return nil
}

// voidRows voids the codes of rows that can be voided, and leaves the rows that cannot in the temporary table
// refused. The gate may keep all of them as they are. It gives how many codes were, or would be, voided.
func (t *tx) voidRows(ctx context.Context, couponNumber int64, rows *codeRows, gate gate, reason string) (int, error) {
	if err := t.stage(ctx, codeStage, rows.rows, rows.refused); err != nil {
		return 0, err
	}
	path, err := rows.candidates.flush()
	if err != nil {
		return 0, err
	}
	if err := t.create(ctx, matchedCreate, named("path", path)); err != nil {
		return 0, err
	}
	for _, step := range []struct {
		statement string
		args      []any
	}{
		{matchedRefuse, []any{named("coupon_id", couponNumber)}},
		{codeRefuseDoubles, nil},
	} {
		if _, err := t.exec(ctx, step.statement, step.args...); err != nil {
			return 0, err
		}
	}
	refused, err := one[int](ctx, t, refusedCount)
	if err != nil {
		return 0, err
	}
	count := rows.rows.rows + rows.refused.rows - refused
	if count == 0 || !gate.opens(refused) {
		return count, nil
	}
	numbers, err := collectNumbers(ctx, t, matchedNumbers)
	if err != nil {
		return 0, err
	}
	if _, err := t.exec(ctx, matchedVoid, named("now", t.now), named("reason", reason)); err != nil {
		return 0, err
	}
	t.changePool(func(p *pool) { p.update(numbers, coupon.StateVoided, 0) })
	return count, nil
}
