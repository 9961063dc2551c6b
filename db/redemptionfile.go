package db

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"couponql/coupon"
	"couponql/db/duckdb"
	"couponql/db/duckdb/memory"
	"couponql/file"
)

// redemptionRows are the redemptions of a file on their way into the table.
type redemptionRows struct {
	importNumber int64
	// rows has a row a redemption, and candidates a row for each code that may be its own: line, number.
	rows, candidates *duckdb.Spool
	rejected         rejectedSpool
	gate             gate
	// count is how many are, or would be, recorded; when they are, first and last are their numbers.
	count       int
	first, last int64
	// codes are those that they redeem, in order and as often as they do, and coupons those whose they are, with how often they
	// redeem a coupon's own code.
	codes   []int64
	coupons map[int64]int
}

func (s *Store) newRedemptionRows(importNumber int64, gate gate) (*redemptionRows, error) {
	spools, err := s.engine.NewSpools(3)
	if err != nil {
		return nil, err
	}
	return &redemptionRows{importNumber: importNumber, rows: spools[0], candidates: spools[1], rejected: rejectedSpool{spools[2]}, gate: gate}, nil
}

func (r *redemptionRows) remove() error {
	return errors.Join(r.rows.Remove(), r.candidates.Remove(), r.rejected.Remove())
}

// reject notes a row that is not imported.
func (r *redemptionRows) reject(line int, reason coupon.RejectionReason, value string) error {
	return r.rejected.add(line, reason, value)
}

// rejections is how many rows are rejected already.
func (r *redemptionRows) rejections() int { return r.rejected.Rows() }

func (r *redemptionRows) total() int { return r.rows.Rows() + r.rejected.Rows() }

// recordRedemptions records the redemptions of a file that are not rejected; the rejected ones stay in the temporary table. What
// others redeem meanwhile is left to reconcileRedemptions.
func (t *tx) recordRedemptions(ctx context.Context, r *redemptionRows) error {
	candidates, err := r.candidates.Flush()
	if err != nil {
		return err
	}
	if err := t.stage(ctx, redemptionStage, r.rows, r.rejected, named("candidates", candidates)); err != nil {
		return err
	}
	for _, step := range []struct {
		statement string
		args      []any
	}{
		{redemptionRejectUnknown, nil},
		{redemptionRejectRecorded, []any{named("import_id", r.importNumber)}},
		{redemptionRejectDoubles, nil},
		{redemptionRejectSpent, nil},
	} {
		if _, err := t.Exec(ctx, step.statement, step.args...); err != nil {
			return err
		}
	}
	rejected, err := duckdb.One[int](ctx, t, rejectedCount)
	if err != nil {
		return err
	}
	r.first, r.last, r.codes, r.coupons = 0, 0, nil, map[int64]int{}
	if r.count = r.total() - rejected; r.count == 0 || !r.gate.opens(rejected) {
		return nil
	}
	r.first = t.store.memory.TakeRedemptions(r.count)
	r.last = r.first + int64(r.count) - 1
	if err := t.Create(ctx, recordingCreate, named("first_id", r.first)); err != nil {
		return err
	}
	added, err := t.Exec(ctx, redemptionInsertStaged, named("import_id", r.importNumber), named("now", t.now))
	if err == nil && added != r.count {
		err = fmt.Errorf("record redemptions: %d instead of %d", added, r.count)
	}
	if err != nil {
		return err
	}
	if r.codes, err = collectNumbers(ctx, t, recordingCodes); err != nil {
		return err
	}
	slices.Sort(r.codes)
	err = duckdb.Each(ctx, t, recordingCoupons, func(rows *sql.Rows) error {
		var number int64
		var times int
		err := rows.Scan(&number, &times)
		r.coupons[number] = times
		return err
	})
	return err
}

// catchUp takes into account what others redeemed so far, so that less is left to the writer's turn.
func (t *tx) catchUp(ctx context.Context, r *redemptionRows, w *memory.Witness) error {
	if !w.IsWatching || r.first == 0 {
		return nil
	}
	// What the witness has seen by now is on disk after a turn of the writer.
	seen, err := t.store.takeSeen(ctx, w)
	if err != nil {
		return err
	}
	return t.yieldRedemptions(ctx, r, seen, t.store.engine)
}

// takeSeen takes over what a witness has noted so far, with every redemption of it on disk.
func (s *Store) takeSeen(ctx context.Context, w *memory.Witness) (seen *memory.Witness, err error) {
	err = s.update(ctx, func(context.Context, *turn) error {
		seen = s.memory.TakeSeen(w)
		return nil
	})
	return seen, err
}

// reconcileRedemptions is called in the writer's turn before the redemptions of a file are committed. It returns errRival when
// anything but redemptions changed that they depend on.
func (t *turn) reconcileRedemptions(ctx context.Context, r *redemptionRows, w *memory.Witness) error {
	if r.first == 0 {
		return nil
	}
	if isChanged, err := w.Changed(isIn(r.codes)); err != nil || isChanged {
		return cmp.Or(err, errRival)
	}
	for number := range r.coupons {
		m := t.store.memory
		if m.Coupon(number) == nil || m.IsTouched(w.Revision, memory.Topic(coupon.NewID(coupon.KindCoupon, number))) {
			return errRival
		}
	}
	if err := t.yieldRedemptions(ctx, r, w, t.latest); err != nil || r.count == 0 {
		return err
	}
	t.announce(memory.Recorded{First: r.first, Last: r.last})
	t.change(func(c memory.Change) {
		for _, number := range r.codes {
			c.CountRedemptions(0, number, 1)
		}
		for number, times := range r.coupons {
			if times > 0 {
				c.CountRedemptions(number, 0, times)
			}
		}
	})
	return nil
}

// yieldRedemptions takes redemptions of a file back that others made impossible. latest sees what these committed.
func (t *tx) yieldRedemptions(ctx context.Context, r *redemptionRows, seen *memory.Witness, latest duckdb.Querier) error {
	codes := seen.Redeemed(isIn(r.codes))
	coupons := seen.Coupons(func(number int64) bool { return r.coupons[number] > 0 })
	if len(codes)+len(coupons) == 0 {
		return nil
	}
	if err := t.createContested(ctx, codes, coupons); err != nil {
		return err
	}
	if err := t.createLate(ctx, latest, seen.Redemption, codes, coupons); err != nil {
		return err
	}
	if err := t.Create(ctx, belatedCreate); err != nil {
		return err
	}
	type belated struct{ coupon, code int64 }
	gone, err := duckdb.Collect(ctx, t, belatedList, func(rows *sql.Rows) (belated, error) {
		var b belated
		err := rows.Scan(&b.coupon, &b.code)
		return b, err
	})
	if err != nil || len(gone) == 0 {
		return err
	}
	if r.gate.most != nil {
		return errRival
	}
	for _, step := range []struct {
		statement string
		args      []any
	}{{belatedDelete, nil}, {belatedForget, nil}, {belatedRecord, []any{named("import_id", r.importNumber)}}} {
		touched, err := t.Exec(ctx, step.statement, step.args...)
		if err == nil && touched != len(gone) {
			err = fmt.Errorf("%s: %d instead of %d", duckdb.Title(step.statement), touched, len(gone))
		}
		if err != nil {
			return err
		}
	}
	r.count -= len(gone)
	less := map[int64]int{}
	r.coupons = maps.Clone(r.coupons)
	for _, b := range gone {
		if b.code == 0 {
			r.coupons[b.coupon]--
		} else {
			less[b.code]++
		}
	}
	r.codes = slices.DeleteFunc(r.codes, func(number int64) bool {
		less[number]--
		return less[number] >= 0
	})
	return nil
}

// createContested makes the temporary table contested of codes, and of coupons whose own code is meant.
func (t *tx) createContested(ctx context.Context, codes, coupons []int64) error {
	return t.createSpooled(ctx, contestedCreate, func(rows *duckdb.Spool) (err error) {
		t.store.memory.Read(func(v memory.View) {
			for _, number := range codes {
				// A code whose run is gone was changed, which is a rival's doing.
				if run := v.RunOf(number); run != nil && err == nil {
					err = rows.Number(run.CouponID).Number(number).Number(int64(v.RedeemCount(number))).End()
				}
			}
			for _, number := range coupons {
				if v.Coupon(number) != nil && err == nil {
					err = rows.Number(number).Number(0).Number(int64(v.CouponRedeemCount(number))).End()
				}
			}
		})
		return err
	})
}

// createLate makes the temporary table late of the redemptions of codes, and of the own codes of coupons, from a number on.
// latest sees them; the transaction does not, since they are younger.
func (t *tx) createLate(ctx context.Context, latest duckdb.Querier, first int64, codes, coupons []int64) error {
	return t.createSpooled(ctx, lateCreate, func(rows *duckdb.Spool) error {
		err := duckdb.Each(ctx, latest, redemptionLate, func(found *sql.Rows) error {
			var couponNumber int64
			var codeNumber *int64
			var at time.Time
			var reference *string
			if err := found.Scan(&couponNumber, &codeNumber, &at, &reference); err != nil {
				return err
			}
			rows.Number(couponNumber)
			if codeNumber == nil {
				rows.Optional("")
			} else {
				rows.Number(*codeNumber)
			}
			return rows.Text(at.Format(spoolTime)).Optional(orEmpty(reference)).End()
		}, named("first_id", first), named("ids", codes), named("coupons", coupons))
		return err
	})
}

// createSpooled makes a temporary table by a statement that reads a spool, which write fills.
func (t *tx) createSpooled(ctx context.Context, statement string, write func(*duckdb.Spool) error) (err error) {
	rows, err := t.store.engine.NewSpool()
	if err != nil {
		return err
	}
	defer func() {
		if removed := rows.Remove(); err == nil {
			err = removed
		}
	}()
	if err := write(rows); err != nil {
		return err
	}
	path, err := rows.Flush()
	if err != nil {
		return err
	}
	return t.Create(ctx, statement, named("path", path))
}

// Places of the fields in file.Columns.
const (
	redemptionsCode = iota
	redemptionsRedeemedAt
	redemptionsReference
	redemptionsAmount
	redemptionsCurrency
	redemptionsStore
	redemptionsCustomer
	redemptionsSource
)

func (r *importReader) importingRedemptions(gate gate) (*importing, error) {
	zone, err := coupon.LoadZone(r.source.Timezone)
	if err != nil {
		return nil, err
	}
	rows, err := r.store.newRedemptionRows(r.number, gate)
	if err != nil {
		return nil, err
	}
	dates := &coupon.FileDates{Zone: zone, Now: r.store.now(), Order: r.source.Options.DateOrder}
	amounts := &coupon.FileAmounts{Mark: r.source.Options.DecimalMark}
	return &importing{
		rows: rows,
		// A first pass tells in which order days and months stand, and what the decimal mark is.
		look: func(row *file.Row) (isBad bool) {
			date := row.Get(redemptionsRedeemedAt)
			dates.Observe(date)
			amounts.Observe(row.Cell(redemptionsAmount))
			if r.source.Options.MaxRejections == nil {
				return false
			}
			_, reason := dates.Parse(date)
			return reason == coupon.RejectedBadDate || reason == coupon.RejectedEmpty
		},
		take: func(row *file.Row) error { return r.takeRedemption(row, dates, amounts, rows) },
		lane: r.store.redemptions,
		store: func(ctx context.Context, t *tx, _ *memory.Witness) error {
			return t.recordRedemptions(ctx, rows)
		},
		catchUp: func(ctx context.Context, t *tx, w *memory.Witness) error { return t.catchUp(ctx, rows, w) },
		finish: func(ctx context.Context, t *turn, w *memory.Witness) (int, error) {
			if err := t.reconcileRedemptions(ctx, rows, w); err != nil {
				return 0, err
			}
			r.source.Changes.Added = rows.count
			return rows.count, nil
		},
	}, nil
}

func (r *importReader) takeRedemption(row *file.Row, dates *coupon.FileDates, amounts *coupon.FileAmounts, rows *redemptionRows) error {
	code := row.Get(redemptionsCode)
	value, key, reason := r.store.keys.Parse(code)
	if reason != "" {
		return rows.rejected.add(row.Line, reason, code)
	}
	date := row.Get(redemptionsRedeemedAt)
	at, reason := dates.Parse(date)
	if reason != "" {
		return rows.rejected.add(row.Line, reason, date)
	}
	reference, reason := coupon.CheckReference(row.Get(redemptionsReference))
	if reason != "" {
		return rows.rejected.add(row.Line, reason, row.Get(redemptionsReference))
	}
	store, reason := coupon.CheckReference(row.Get(redemptionsStore))
	if reason != "" {
		return rows.rejected.add(row.Line, reason, row.Get(redemptionsStore))
	}
	customer, reason := coupon.CheckReference(row.Get(redemptionsCustomer))
	if reason != "" {
		// What cannot be kept as the name of a customer could not be erased by it either.
		return rows.rejected.add(row.Line, reason, "")
	}
	amount, reason, raw := r.amountOf(row, amounts)
	if reason != "" {
		return rows.rejected.add(row.Line, reason, raw)
	}
	if err := r.store.addCandidates(rows.candidates, row.Line, key); err != nil {
		return err
	}
	return rows.rows.Number(int64(row.Line)).Text(coupon.Printable(value)).Text(key).Text(at.Format(spoolTime)).
		Text(dates.Latest(date, at).Format(spoolTime)).Optional(reference).Optional(string(amount.Value)).
		Optional(amount.Currency).Optional(store).Optional(customer).
		Text(string(coupon.SourceOfFile(row.Get(redemptionsSource)))).End()
}

// amountOf returns the amount of a row and its currency, or the reason to reject the row: recorded without its amount it could
// never get it, as the row that was mended would be a repeat.
func (r *importReader) amountOf(row *file.Row, amounts *coupon.FileAmounts) (amount coupon.Amount, reason coupon.RejectionReason, raw string) {
	currency, isKnown := coupon.ParseCurrency(row.Get(redemptionsCurrency))
	if !isKnown {
		return amount, coupon.RejectedBadCurrency, row.Get(redemptionsCurrency)
	}
	cell := row.Cell(redemptionsAmount)
	if cell.Presence != coupon.Given {
		return coupon.Amount{Currency: currency}, "", ""
	}
	if amount, reason = amounts.Parse(cell, currency); reason == "" && amount.IsRounded {
		r.source.Warn(coupon.WarningRounded, row.Line, coupon.Printable(cell.Text))
	}
	return amount, reason, cell.Text
}

// spoolTime is how a spool has an instant.
const spoolTime = "2006-01-02 15:04:05.000000"
