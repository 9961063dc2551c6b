package db_test

import (
	"testing"

	"couponql/coupon"
	"couponql/db"
)

// TestTimezone: a new coupon is in the server's zone unless another one is named, by a file as by a
// request.
func TestTimezone(t *testing.T) {
	t.Parallel()
	s := newScene(t, func(o *db.Options) { o.Timezone = "Europe/Berlin" })
	want := func(id coupon.ID, zone, startsAt string) {
		t.Helper()
		found, err := s.CouponsByID(t.Context(), []coupon.ID{id})
		if err != nil || found[id] == nil || found[id].Timezone != zone ||
			found[id].StartsAt.Format("2006-01-02T15:04Z") != startsAt {
			t.Errorf("%s is %+v, %v, want it in %s from %s", id, found[id], err, zone, startsAt)
		}
	}
	want(s.newCoupon(t), "Europe/Berlin", "2026-10-31T23:00Z")
	tokyo := func(c *coupon.CouponChanges) { c.Timezone = coupon.Set(new("Asia/Tokyo")) }
	want(s.newCoupon(t, tokyo), "Asia/Tokyo", "2026-10-31T15:00Z")
	s.importFile(
		t,
		newImport(coupon.ImportCoupons),
		"code,label,type,startsAt,timezone\nFILE,File,INDIVIDUAL,2026-11-01,\nOTHER,Other,INDIVIDUAL,2026-11-01,Asia/Tokyo\n",
	)
	want("coupon_3", "Europe/Berlin", "2026-10-31T23:00Z")
	want("coupon_4", "Asia/Tokyo", "2026-10-31T15:00Z")
	if s.Timezone() != "Europe/Berlin" {
		t.Errorf("the store's zone is %s", s.Timezone())
	}
}
