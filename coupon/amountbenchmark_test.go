package coupon_test

import (
	"testing"

	"couponql/coupon"
)

// BenchmarkAmount reads amounts as an import of redemptions does: it looks at each, and then reads
// it.
func BenchmarkAmount(b *testing.B) {
	for name, text := range map[string]string{
		"point": "49.90", "comma": "1.234,50", "currency": "49,90 EUR", "negative": "(12.00)",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			amounts := &coupon.FileAmounts{}
			cell := coupon.Cell{Presence: coupon.Given, Text: text}
			for b.Loop() {
				amounts.Observe(cell)
				if _, reason := amounts.Parse(cell, "EUR"); reason != "" {
					b.Fatal(reason)
				}
			}
		})
	}
}
