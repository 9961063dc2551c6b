package coupon_test

import (
	"testing"
	"time"

	"couponql/coupon"
)

// TestMayLeave changes one thing at a time of a message that may leave.
func TestMayLeave(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	individual := func(change func(*coupon.Coupon)) *coupon.Coupon {
		c := &coupon.Coupon{
			Type: coupon.TypeIndividual, StartsAt: now.Add(-time.Hour),
			EndsAt:          new(now.Add(time.Hour)),
			RedemptionLimit: new(1), RequiresAssignment: true,
		}
		if change != nil {
			change(c)
		}
		return c
	}
	anonymous := func(limit int) *coupon.Coupon {
		return &coupon.Coupon{
			Type: coupon.TypeAnonymous, StartsAt: now.Add(-time.Hour), RedemptionLimit: &limit,
		}
	}
	for _, test := range []struct {
		name   string
		change func(*coupon.Situation)
		may    bool
		never  coupon.CancelReason
	}{
		{"nothing", func(*coupon.Situation) {}, true, ""},
		{"no coupon", func(s *coupon.Situation) { s.Coupon, s.Code = nil, coupon.Redeemability{} }, true, ""},
		{"paused", func(s *coupon.Situation) { s.Delivery = coupon.DeliveryPaused }, false, ""},
		{
			"scheduled",
			func(s *coupon.Situation) { s.Delivery = coupon.DeliveryScheduled }, false, "",
		},
		{"asked for by a person", func(s *coupon.Situation) { s.Delivery = "" }, true, ""},
		{
			"stopped", func(s *coupon.Situation) { s.Delivery = coupon.DeliveryStopped }, false,
			coupon.CancelDeliveryStopped,
		},
		{"erased", func(s *coupon.Situation) { s.IsErased = true }, false, coupon.CancelErased},
		{
			"erased, asked for", func(s *coupon.Situation) { s.Delivery, s.IsErased = "", true },
			false, coupon.CancelErased,
		},
		{
			"objected", func(s *coupon.Situation) { s.HasObjected = true }, false,
			coupon.CancelNotContactable,
		},
		{"objected, paused", func(s *coupon.Situation) {
			s.Delivery, s.HasObjected = coupon.DeliveryPaused, true
		}, false, coupon.CancelNotContactable},
		{
			"quarantined", func(s *coupon.Situation) { s.IsQuarantined = true }, false,
			coupon.CancelQuarantined,
		},
		{
			"returned", func(s *coupon.Situation) { s.IsReturned = true }, false,
			coupon.CancelCodeReleased,
		},
		{"free", func(s *coupon.Situation) { s.Code.State = 0 }, false, coupon.CancelCodeReleased},
		{"free, for anybody", func(s *coupon.Situation) {
			s.Coupon, s.Code.State = individual(
				func(c *coupon.Coupon) { c.RequiresAssignment = false },
			), 0
		}, false, coupon.CancelCodeReleased},
		{
			"voided", func(s *coupon.Situation) { s.Code.State |= coupon.StateVoided }, false,
			coupon.CancelCodeVoided,
		},
		{
			"redeemed", func(s *coupon.Situation) { s.Code = redeemedTimes(1) }, false,
			coupon.CancelCodeRedeemed,
		},
		{"redeemed once of three times", func(s *coupon.Situation) {
			s.Coupon, s.Code = individual(func(c *coupon.Coupon) { c.RedemptionLimit = new(3) }),
				redeemedTimes(1)
		}, true, ""},
		{"redeemed three times", func(s *coupon.Situation) {
			s.Coupon, s.Code = individual(func(c *coupon.Coupon) { c.RedemptionLimit = new(3) }),
				redeemedTimes(3)
		}, false, coupon.CancelLimitReached},
		{
			"ended", func(s *coupon.Situation) { s.Now = now.Add(time.Hour) }, false,
			coupon.CancelCouponEnded,
		},
		{
			"just before the end",
			func(s *coupon.Situation) { s.Now = now.Add(time.Hour - 1) }, true, "",
		},
		{
			"not begun", func(s *coupon.Situation) { s.Now = now.Add(-time.Hour - 1) }, false,
			coupon.CancelCouponNotStarted,
		},
		{"archived", func(s *coupon.Situation) {
			s.Coupon = individual(func(c *coupon.Coupon) { c.ArchivedAt = &now })
		}, false, coupon.CancelCouponArchived},
		{"anonymous below its limit", func(s *coupon.Situation) {
			s.Coupon, s.Code = anonymous(2), coupon.Redeemability{Count: 1}
		}, true, ""},
		{"anonymous at its limit", func(s *coupon.Situation) {
			s.Coupon, s.Code = anonymous(2), coupon.Redeemability{Count: 2}
		}, false, coupon.CancelLimitReached},
		{"anonymous for one", func(s *coupon.Situation) {
			s.Coupon, s.Code = anonymous(1), coupon.Redeemability{Count: 1}
		}, false, coupon.CancelLimitReached},
	} {
		s := &coupon.Situation{
			Now: now, Delivery: coupon.DeliveryInProgress, Coupon: individual(nil),
			Code: coupon.Redeemability{State: coupon.StateAssigned},
		}
		test.change(s)
		if may, never := s.MayLeave(); may != test.may || never != test.never {
			t.Errorf("%s: got %t %q, want %t %q", test.name, may, never, test.may, test.never)
		}
	}
}

func redeemedTimes(count int) coupon.Redeemability {
	return coupon.Redeemability{State: coupon.StateAssigned | coupon.StateRedeemed, Count: count}
}

func TestForbidsAll(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	c := &coupon.Coupon{
		Type: coupon.TypeIndividual, StartsAt: now, RedemptionLimit: new(1),
		RequiresAssignment: true,
	}
	if reason := c.ForbidsAll(0, now); reason != "" {
		t.Errorf("got %q for a valid coupon", reason)
	}
	c.EndsAt = &now
	if reason := c.ForbidsAll(0, now); reason != coupon.CancelCouponEnded {
		t.Errorf("got %q for one that ended", reason)
	}
	c = &coupon.Coupon{Type: coupon.TypeAnonymous, StartsAt: now, RedemptionLimit: new(5)}
	if reason := c.ForbidsAll(5, now); reason != coupon.CancelLimitReached {
		t.Errorf("got %q for a code at its limit", reason)
	}
}

// TestCancelReasons: each reason has a sentence of its own.
func TestCancelReasons(t *testing.T) {
	t.Parallel()
	known := map[string]coupon.CancelReason{}
	for _, reason := range coupon.CancelReasons() {
		if text := reason.Text(); text == "" || known[text] != "" {
			t.Errorf("%s says %q, as %q", reason, text, known[text])
		}
		known[reason.Text()] = reason
	}
}
