package db_test

import (
	"fmt"
	"testing"

	"couponql/coupon"
	"couponql/db"
	"couponql/db/dbtest"
)

// BenchmarkCodeByValue looks up single codes of a large pool.
func BenchmarkCodeByValue(b *testing.B) {
	const codes = 1_000_000
	s := dbtest.New(b)
	c, err := s.CreateCoupon(b.Context(), &coupon.CouponChanges{
		Type: coupon.TypeIndividual, Label: coupon.Set(new("a")),
		StartsAt: coupon.Set(new(coupon.DateTime("2026-11-01"))),
	})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := s.GenerateCodes(b.Context(), &db.GenerateRequest{
		CouponID: c.ID, Count: codes, Pattern: "##########", Alphabet: "ABCDEFGHJK",
	}); err != nil {
		b.Fatal(err)
	}
	list, err := s.CodesOf(b.Context(), []coupon.ID{c.ID}, nil,
		coupon.Page{First: coupon.MaxPageSize, WantsItems: true}, coupon.AnyState)
	if err != nil {
		b.Fatal(err)
	}
	var values []string
	for _, code := range list[c.ID].Items {
		values = append(values, code.Value)
	}
	for i := 0; b.Loop(); i++ {
		if found, err := s.CodeByValue(b.Context(), values[i%len(values)],
			coupon.AnyState); err != nil || found == nil {
			b.Fatal(fmt.Errorf("%s: %v, %w", values[i%len(values)], found, err))
		}
	}
}
