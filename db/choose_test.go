package db

import (
	"fmt"
	"slices"
	"testing"

	"couponql/coupon"
)

// addPool makes a coupon with codes of its own.
func addPool(t *testing.T, s *Store, values ...string) coupon.ID {
	t.Helper()
	c, err := s.CreateCoupon(t.Context(), &coupon.CouponChanges{
		Type: coupon.TypeIndividual, Label: coupon.Set(new("Winter")),
		StartsAt: coupon.Set(new(coupon.DateTime("2026-11-01"))),
	})
	if err != nil {
		t.Fatal(err)
	}
	codes := make([]coupon.NewCode, len(values))
	for i, value := range values {
		codes[i].Value = value
	}
	if len(codes) > 0 {
		if _, _, err := s.AddCodes(t.Context(), c.ID, codes); err != nil {
			t.Fatal(err)
		}
	}
	return c.ID
}

// TestVoidDuringAddition voids codes by filter while others give out numbers beside the writer, as
// an import does; the race detector looks on.
func TestVoidDuringAddition(t *testing.T) {
	t.Parallel()
	s := openTemp(t)
	others, id := addPool(t, s, "B1", "B2"), addPool(t, s)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				s.memory.TakeCodes(1, 1)
			}
		}
	}()
	for i := range 20 {
		if _, _, err := s.AddCodes(t.Context(), id,
			[]coupon.NewCode{{Value: fmt.Sprintf("V%d", i)}}); err != nil {
			t.Fatal(err)
		}
		voided, err := s.VoidCodes(t.Context(),
			&CodeSelection{CouponID: id, Filter: &coupon.CodeFilter{}})
		if err != nil || voided.Count != 1 {
			t.Fatalf("%+v were voided instead of one, %v", voided, err)
		}
	}
	close(stop)
	<-stopped
	found, err := s.Availabilities(t.Context(), []coupon.ID{others})
	if err != nil || found[others].Available != 2 {
		t.Errorf("codes of another coupon were voided: %+v, %v", found[others], err)
	}
}

// TestChoiceTakesOwnMemory chooses a few codes where a hundred million numbers were given out.
func TestChoiceTakesOwnMemory(t *testing.T) {
	t.Parallel()
	s := openTemp(t)
	id := addPool(t, s, "A1", "A2", "A3")
	s.memory.TakeCodes(100_000_000, 1)
	for name, filter := range map[string]*coupon.CodeFilter{
		"all": {}, "a status": {Status: []coupon.CodeStatus{coupon.CodeAvailable}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			selected, _ := s.selectCodes(coupon.MustNumber(coupon.KindCoupon, id), filter, nil)
			chosen := s.memory.All(selected)
			if !slices.Equal(chosen, []int64{1, 2, 3}) || cap(chosen) > 8 {
				t.Errorf("chosen are %v in memory for %d", chosen, cap(chosen))
			}
		})
	}
}
