package db

import (
	"context"
	"testing"

	"couponql/coupon"
	"couponql/db/duckdb/memory"
)

// TestReplaceSparesWhatItCannotSee has codes added between the instant that a use case beside the
// writer sees and its look at memory: they are none of those that it deletes, and memory still has
// them.
func TestReplaceSparesWhatItCannotSee(t *testing.T) {
	t.Parallel()
	s := openTemp(t)
	id := addPool(t, s, "A1", "A2")
	number := coupon.MustNumber(coupon.KindCoupon, id)
	var unused []memory.Span
	attempts := 0
	err := s.decideBeside(t.Context(), func(tx *tx, w *memory.Witness) (err error) {
		if attempts++; attempts == 1 {
			// The engine fixes what a transaction sees when it first looks at a table.
			if _, err := setting(t.Context(), tx, caseSensitiveCodes); err != nil {
				return err
			}
			if _, _, err := s.AddCodes(t.Context(), id,
				[]coupon.NewCode{{Value: "B1"}, {Value: "B2"}}); err != nil {
				return err
			}
		}
		unused, err = tx.unusedCodes(t.Context(), w,
			func(r *memory.Run) bool { return r.CouponID == number })
		if err == nil {
			err = tx.createUnused(t.Context(), unused)
		}
		if err == nil {
			err = tx.deleteUnused(t.Context(), unused)
		}
		return err
	}, func(ctx context.Context, tx *turn, w *memory.Witness) error {
		_, err := tx.reconcileRemoval(ctx, unused, w)
		return err
	})
	if err != nil || attempts != 1 || memory.CountOf(unused) != 2 {
		t.Fatalf("%d attempts deleted %v, %v", attempts, unused, err)
	}
	for value, isThere := range map[string]bool{"A1": false, "A2": false, "B1": true, "B2": true} {
		if code, err := s.CodeByValue(t.Context(), value, coupon.AnyState); err != nil ||
			(code != nil) != isThere {
			t.Errorf("%s is %v, %v", value, code, err)
		}
	}
	checkReport(t, s)
}
