package db_test

import (
	"fmt"
	"strings"
	"testing"

	"couponql/coupon"
	"couponql/db/dbtest"
)

// benchmarkedRows is how many rows an import of a benchmark has.
const benchmarkedRows = 100_000

// BenchmarkImport imports files of benchmarkedRows rows into a database, each time of others.
func BenchmarkImport(b *testing.B) {
	for _, test := range []struct {
		kind   coupon.ImportKind
		header string
		row    func(i int) string
	}{
		{coupon.ImportRecipients, "external id,email,phone,first name,last name,sport", func(
			i int,
		) string {
			return fmt.Sprintf(
				"c-%d,customer.%d@example.com,+49151%08d,Ada,Lovelace the %dth,golf", i, i, i, i,
			)
		}},
		{coupon.ImportCodes, "code,label", func(i int) string {
			return fmt.Sprintf("N%09d,golf", i)
		}},
		{coupon.ImportRedemptions, "code,redeemed at,reference,amount,currency", func(
			i int,
		) string {
			return fmt.Sprintf("N%09d,2026-11-19T10:%02d:%02dZ,receipt-%d,49.90,EUR", i,
				i/60%60, i%60, i)
		}},
	} {
		b.Run(strings.ToLower(string(test.kind)), func(b *testing.B) {
			s := dbtest.New(b)
			c, err := s.CreateCoupon(b.Context(), &coupon.CouponChanges{
				Type: coupon.TypeIndividual, Label: coupon.Set(new("a")),
				StartsAt:           coupon.Set(new(coupon.DateTime("2026-11-01"))),
				RequiresAssignment: coupon.Set(new(false)),
			})
			if err != nil {
				b.Fatal(err)
			}
			count := 0
			run := func(kind coupon.ImportKind, header string, row func(i int) string) {
				i := newImport(kind)
				if kind == coupon.ImportCodes {
					i.CouponID = &c.ID
				}
				first := count
				text := repeated(header, benchmarkedRows,
					func(i int) string { return row(first + i) })
				upload, err := s.Receive(b.Context(), "file.csv", strings.NewReader(text))
				if err != nil {
					b.Fatal(err)
				}
				queued, err := s.CreateImport(b.Context(), i, upload.ID, true)
				if err != nil {
					b.Fatal(err)
				}
				if kind == test.kind {
					b.StartTimer()
				}
				if err := s.RunImport(b.Context(), queued.ID); err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				if found, err := s.ImportsByID(b.Context(), []coupon.ID{queued.ID}); err != nil ||
					found[queued.ID].RowsImported != benchmarkedRows {
					b.Fatalf("the import is %+v, %v", found[queued.ID], err)
				}
			}
			for b.Loop() {
				b.StopTimer()
				if test.kind == coupon.ImportRedemptions {
					run(coupon.ImportCodes, "code",
						func(i int) string { return fmt.Sprintf("N%09d", i) })
				}
				run(test.kind, test.header, test.row)
				count += benchmarkedRows
				b.StartTimer()
			}
			b.ReportMetric(benchmarkedRows*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
