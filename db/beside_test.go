package db

import (
	"context"
	"errors"
	"testing"

	"couponql/coupon"
)

// TestRivals adds codes beside the writer, and has others add one of them before the commit: then
// nothing of the long addition remains, and nothing of the others is lost.
func TestRivals(t *testing.T) {
	t.Parallel()
	code := func(s *Store, id coupon.ID) error {
		_, _, err := s.AddCodes(t.Context(), id, []coupon.NewCode{{Value: " rival "}})
		return err
	}
	ownCode := func(s *Store, _ coupon.ID) error {
		_, err := s.CreateCoupon(t.Context(), &coupon.CouponChanges{
			Type:     coupon.TypeAnonymous,
			Label:    coupon.Set(new("Rival")),
			Code:     coupon.Set(new("rival")),
			StartsAt: coupon.Set(new(coupon.DateTime("2026-11-01"))),
		})
		return err
	}
	gone := func(s *Store, id coupon.ID) error { return s.DeleteCoupon(t.Context(), id) }
	other := func(s *Store, id coupon.ID) error {
		_, _, err := s.AddCodes(t.Context(), id, []coupon.NewCode{{Value: "other"}})
		return err
	}
	for name, test := range map[string]struct {
		rival func(*Store, coupon.ID) error
		want  error
		total int
	}{
		"a code":           {code, errRival, 1},
		"a coupon's code":  {ownCode, errRival, 0},
		"the coupon goes":  {gone, coupon.NotFound(coupon.KindCoupon, "coupon_1"), 0},
		"an unlike code":   {other, nil, 4},
		"nothing happened": {func(*Store, coupon.ID) error { return nil }, nil, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openTemp(t)
			c, err := s.CreateCoupon(t.Context(), &coupon.CouponChanges{
				Type: coupon.TypeIndividual, Label: coupon.Set(new("Winter")),
				StartsAt: coupon.Set(new(coupon.DateTime("2026-11-01"))),
			})
			if err != nil {
				t.Fatal(err)
			}
			rows, err := s.newCodeRows()
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := rows.remove(); err != nil {
					t.Error(err)
				}
			}()
			for i, value := range []string{"A1", "RIVAL", "A2"} {
				if err := rows.add(i+1, value, ""); err != nil {
					t.Fatal(err)
				}
			}
			addition := &codeAddition{
				kind:         coupon.BatchAdded,
				couponNumber: coupon.MustNumber(coupon.KindCoupon, c.ID), rows: rows,
			}
			err = s.beside(t.Context(), s.additions, func(ctx context.Context, tx *tx) error {
				if err := tx.insertCodes(ctx, addition, nil); err != nil {
					return err
				}
				return test.rival(s, c.ID)
			}, func(ctx context.Context, tx *turn) error {
				if _, err := tx.poolOf(ctx, c.ID, coupon.ImportAdd); err != nil {
					return err
				}
				return tx.checkRivals(ctx, addition)
			})
			var problem *coupon.UserError
			switch {
			case errors.As(test.want, &problem):
				if got, ok := coupon.AsUserErrors(err); !ok || got[0].Code != problem.Code {
					t.Errorf("got %v, want %v", err, test.want)
				}
			case !errors.Is(err, test.want):
				t.Errorf("got %v, want %v", err, test.want)
			}
			availability, err := s.Availabilities(t.Context(), []coupon.ID{c.ID})
			if err != nil {
				t.Fatal(err)
			}
			if got := availability[c.ID]; got != nil && got.Total != test.total {
				t.Errorf("%d codes, want %d", got.Total, test.total)
			}
			checkReport(t, s)
		})
	}
}
