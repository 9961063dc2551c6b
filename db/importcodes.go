package db

import (
	"context"
	"maps"
	"slices"

	"couponql/coupon"
	"couponql/db/duckdb/memory"
	"couponql/file"
)

// Places of the fields in file.Columns.
const (
	codesCode = iota
	codesLabel
	codesCoupon // Where the file says whose the codes are.
)

func (r *importReader) importingCodes(gate gate) (*importing, error) {
	if r.source.CouponID == nil {
		return r.importingCodesOfCoupons(gate)
	}
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
		advance: r.progress.advance, replacesUnused: r.source.Mode == coupon.ImportReplaceUnused,
	}
	if addition.replacesUnused {
		i.lane, i.end = r.store.removals, r.store.memory.ForgetKeys
	}
	r.addCodes(i, addition)
	return i, nil
}

func (r *importReader) takeCode(row *file.Row, rows *codeRows) error {
	if rows.ofCoupons {
		number, reason := r.pools.find(row.Get(codesCoupon))
		if reason != "" {
			return rows.reject(row.Line, reason, row.Get(codesCoupon))
		}
		rows.couponNumber = number
	}
	code, label := row.Get(codesCode), row.Get(codesLabel)
	if label == "" && r.source.Label != nil {
		label = *r.source.Label
	}
	if coupon.IsFormula(code) {
		r.source.Warn(coupon.WarningFormula, row.Line, coupon.Printable(code))
	}
	return rows.add(row.Line, code, label)
}

// importingCodesOfCoupons is importingCodes for a file that says of each code whose it is. Only coupons that the file names are
// touched.
func (r *importReader) importingCodesOfCoupons(gate gate) (*importing, error) {
	rows, err := r.store.newCodeRows()
	if err != nil {
		return nil, err
	}
	rows.ofCoupons = true
	r.pools = &namedPools{store: r.store, mode: r.source.Mode, known: map[string]namedPool{}, named: map[int64]struct{}{}}
	i := &importing{rows: rows, take: func(row *file.Row) error { return r.takeCode(row, rows) }}
	if r.source.Mode == coupon.ImportVoid {
		r.voidCodes(i, &codeVoiding{
			importNumber: r.number, createdBy: r.source.CreatedBy, rows: rows, gate: gate, reason: "voided by the import of " + r.source.FileName,
		})
		return i, nil
	}
	addition := &codeAddition{
		kind: coupon.BatchImported, importNumber: r.number, createdBy: r.source.CreatedBy, rows: rows, gate: gate, advance: r.progress.advance,
	}
	if r.source.Mode == coupon.ImportReplaceUnused {
		addition.replacesUnused, addition.named = true, r.pools.named
		i.lane, i.end = r.store.removals, r.store.memory.ForgetKeys
	}
	r.addCodes(i, addition)
	return i, nil
}

// checkPools returns INVALID_STATE when a coupon that the import touches, of those that may be, takes no such codes any more.
func (r *importReader) checkPools(ctx context.Context, t *turn, touched []int64) error {
	if r.source.CouponID != nil {
		_, err := t.poolOf(ctx, *r.source.CouponID, r.source.Mode)
		return err
	}
	for _, number := range touched {
		if _, err := t.poolOf(ctx, coupon.NewID(coupon.KindCoupon, number), r.source.Mode); err != nil {
			return err
		}
	}
	return nil
}

// namedPools finds coupons by the codes that a file has for them.
type namedPools struct {
	store *Store
	mode  coupon.ImportMode
	known map[string]namedPool
	// named are the coupons that the file names.
	named map[int64]struct{}
}

type namedPool struct {
	number int64
	reason coupon.RejectionReason
}

// maxNamedPools is how many spellings are remembered.
const maxNamedPools = 10_000

// find returns the number of the coupon with a code of its own that takes codes, or the reason to reject the row.
func (n *namedPools) find(code string) (number int64, reason coupon.RejectionReason) {
	if found, isKnown := n.known[code]; isKnown {
		return found.number, found.reason
	}
	_, key, reason := n.store.keys.Parse(code)
	if reason == "" {
		reason = coupon.RejectedUnknownCoupon
		n.store.memory.Read(func(v memory.View) {
			found, isCoupon := v.CouponOfKey(key)
			if !isCoupon {
				return
			}
			if number, reason = found, ""; v.Coupon(found).CheckPool(n.mode) != nil {
				reason = coupon.RejectedNoPool
			}
		})
	}
	if reason == "" {
		n.named[number] = struct{}{}
	}
	if len(n.known) < maxNamedPools {
		n.known[code] = namedPool{number, reason}
	}
	return number, reason
}

// addCodes has an import add the codes of the file.
func (r *importReader) addCodes(i *importing, a *codeAddition) {
	i.store = func(ctx context.Context, t *tx, w *memory.Witness) error { return t.insertCodes(ctx, a, w) }
	i.finish = func(ctx context.Context, t *turn, w *memory.Witness) (int, error) {
		touched := a.couponNumbers
		if a.named != nil {
			touched = slices.Sorted(maps.Keys(a.named))
		}
		if err := r.checkPools(ctx, t, touched); err != nil {
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
		if err := r.checkPools(ctx, t, v.coupons); err != nil {
			return 0, err
		}
		if err := t.reconcileVoiding(ctx, v, w); err != nil {
			return 0, err
		}
		r.source.Changes.Voided, r.source.Changes.PendingMessages = v.count, v.pending
		return v.count, nil
	}
}
