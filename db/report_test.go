package db_test

import (
	"context"
	"testing"

	"couponql/coupon"
	"couponql/db"
)

// TestTillsBesideReport: a report tells of one instant, and who redeems meanwhile does not wait
// until it is done.
func TestTillsBesideReport(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	_, err := s.GenerateCodes(t.Context(), &db.GenerateRequest{
		CouponID: s.newCoupon(t, withoutAssignment), Count: 200_000, Pattern: "##########",
		Alphabet: "ABCDEFGHJK",
	})
	if err != nil {
		t.Fatal(err)
	}
	s.newCoupon(t, anonymous, withCode("TILL"), withLimit(1_000_000))
	type outcome struct {
		report *coupon.IntegrityReport
		err    error
	}
	done := make(chan outcome, 1)
	go func() {
		report, err := s.IntegrityReport(t.Context())
		done <- outcome{report, err}
	}()
	// One may be before the report, and one would wait for it.
	const few = 5
	for redeemed := 0; ; redeemed++ {
		s.redeem(t, "TILL")
		select {
		case got := <-done:
			if got.err != nil || !got.report.IsSound() {
				t.Errorf("got %v, %v", got.report.Broken(), got.err)
			}
			if redeemed < few {
				t.Errorf("%d redemptions while the report was made", redeemed)
			}
			return
		default:
		}
	}
}

// TestReportOfNobody: when nobody waits for a report any more, it ends.
func TestReportOfNobody(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if report, err := s.IntegrityReport(gone); err == nil {
		t.Errorf("got %v", report)
	}
	s.checkSound(t)
}
