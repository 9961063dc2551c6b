package db

import (
	"context"

	"couponql/coupon"
	"couponql/db/duckdb/memory"
	"couponql/file"
)

// Places of the fields in file.Columns.
const (
	codesCode = iota
	codesLabel
)

func (r *importReader) importingCodes(gate gate) (*importing, error) {
	couponNumber, err := r.source.CouponID.Number(coupon.KindCoupon)
	if err != nil {
		return nil, err
	}
	rows, err := r.store.newCodeRows()
	if err != nil {
		return nil, err
	}
	i := &importing{rows: rows, take: func(row *file.Row) error { return r.takeCode(row, rows) }}
	if r.source.Mode == coupon.ImportVoid {
		r.voidCodes(i, &codeVoiding{
			couponNumber: couponNumber, importNumber: r.number, createdBy: r.source.CreatedBy, rows: rows, gate: gate,
			reason: "voided by the import of " + r.source.FileName,
		})
		return i, nil
	}
	addition := &codeAddition{
		kind: coupon.BatchImported, couponNumber: couponNumber, importNumber: r.number, createdBy: r.source.CreatedBy, rows: rows, gate: gate,
		advance: r.advance, replacesUnused: r.source.Mode == coupon.ImportReplaceUnused,
	}
	if addition.replacesUnused {
		i.lane, i.end = r.store.removals, r.store.memory.ForgetKeys
	}
	r.addCodes(i, addition)
	return i, nil
}

func (r *importReader) takeCode(row *file.Row, rows *codeRows) error {
	code, label := row.Get(codesCode), row.Get(codesLabel)
	if label == "" && r.source.Label != nil {
		label = *r.source.Label
	}
	if coupon.IsFormula(code) {
		r.source.Warn(coupon.WarningFormula, row.Line, coupon.Printable(code))
	}
	return rows.add(row.Line, code, label)
}

// addCodes has an import add the codes of the file.
func (r *importReader) addCodes(i *importing, a *codeAddition) {
	i.store = func(ctx context.Context, t *tx, w *memory.Witness) error { return t.insertCodes(ctx, a, w) }
	i.finish = func(ctx context.Context, t *turn, w *memory.Witness) (int, error) {
		if _, err := t.poolOf(ctx, *r.source.CouponID, r.source.Mode); err != nil {
			return 0, err
		}
		if err := t.reconcileAddition(ctx, a, w); err != nil {
			return 0, err
		}
		r.source.Changes.Added, r.source.Changes.Removed = a.count, a.removed
		return a.count, nil
	}
}

// voidCodes has an import void the codes of the file.
func (r *importReader) voidCodes(i *importing, v *codeVoiding) {
	i.store = func(ctx context.Context, t *tx, _ *memory.Witness) error { return t.voidRows(ctx, v) }
	i.finish = func(ctx context.Context, t *turn, w *memory.Witness) (int, error) {
		if _, err := t.poolOf(ctx, *r.source.CouponID, r.source.Mode); err != nil {
			return 0, err
		}
		if err := t.reconcileVoiding(ctx, v, w); err != nil {
			return 0, err
		}
		r.source.Changes.Voided = v.count
		return v.count, nil
	}
}
