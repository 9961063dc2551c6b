package db_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"couponql/coupon"
)

func TestRedeem(t *testing.T) {
	t.Parallel()
	t.Run("OK", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		c := s.newCoupon(t)
		s.codes(t, c, "soccer", "A1")
		delivery := s.deliver(t, c, s.recipients(t, 1))
		s.clock.Advance(time.Hour)
		got, err := s.Redeem(t.Context(), &coupon.RedeemRequest{
			Value: " a1 ", Reference: new("order 7"),
			Amount: new(coupon.Decimal("12.5")), Currency: new("EUR"),
		})
		if err != nil {
			t.Fatal(err)
		}
		if got.CodeValue != "A1" || !got.RedeemedAt.Equal(noon().Add(time.Hour)) || got.Source != coupon.SourceAPI || *got.Reference != "order 7" ||
			*got.Amount != "12.50" || *got.Currency != "EUR" || got.ReversedAt != nil || len(got.Anomalies) != 0 {
			t.Errorf("got %+v", got)
		}
		s.wantAvailability(t, c, "redeemed 1")
		rows, err := s.RedemptionStats(t.Context(), &coupon.StatsQuestion{
			Filter: &coupon.StatsFilter{DeliveryIDs: []coupon.ID{delivery}, Labels: []string{"soccer"}}, Timezone: "UTC", Limit: 10,
			Measures: coupon.AllStatsMeasures(),
		})
		if err != nil || rows[0].Stats.Redeemed != 1 || rows[0].Stats.TimeToRedeem.P50 != 3600 {
			t.Errorf("stats %+v, %v", rows[0].Stats, err)
		}
	})
	t.Run("an idempotency key counts once", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		c := s.newCoupon(t, withLimit(2), withoutAssignment)
		s.codes(t, c, "", "A1", "A2")
		request := func(value string) *coupon.RedeemRequest {
			return &coupon.RedeemRequest{Value: value, IdempotencyKey: new("k"), Amount: new(coupon.Decimal("5"))}
		}
		first, err := s.Redeem(t.Context(), request("A1"))
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			again, err := s.Redeem(t.Context(), request("a1"))
			if err != nil || again.ID != first.ID {
				t.Errorf("again: %+v, %v", again, err)
			}
			_, err = s.Redeem(t.Context(), request("A2"))
			wantError(t, err, coupon.ErrorAlreadyExists, "input.idempotencyKey")
			other := request("A1")
			other.Amount = new(coupon.Decimal("6"))
			_, err = s.Redeem(t.Context(), other)
			wantError(t, err, coupon.ErrorAlreadyExists, "input.idempotencyKey")
			s.reopen(t)
		}
		s.wantAvailability(t, c, "available 1, redeemed 1")
		s.redeem(t, "A1")
		s.checkSound(t)
	})
	t.Run("an idempotency key belongs to its caller", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		c := s.newCoupon(t, withoutAssignment)
		s.codes(t, c, "", "A1", "A2", "A3")
		request := func(caller, value, key string) *coupon.RedeemRequest {
			return &coupon.RedeemRequest{Caller: caller, Value: value, IdempotencyKey: &key}
		}
		first, err := s.Redeem(t.Context(), request("key_1", "A1", "order 1"))
		if err != nil {
			t.Fatal(err)
		}
		// As one is that was recorded before its caller was.
		old, err := s.Redeem(t.Context(), request("", "A2", "order 2"))
		if err != nil {
			t.Fatal(err)
		}
		var second *coupon.Redemption
		for round := range 2 {
			_, err = s.Redeem(t.Context(), request("key_2", "A1", "order 1"))
			if round == 0 {
				wantError(t, err, coupon.ErrorCodeAlreadyRedeemed, "input.value")
				if second, err = s.Redeem(t.Context(), request("key_2", "A3", "order 1")); err != nil {
					t.Fatal(err)
				}
			} else {
				wantError(t, err, coupon.ErrorAlreadyExists, "input.idempotencyKey")
			}
			for _, again := range []struct {
				caller, value, key string
				want               coupon.ID
			}{
				{"key_1", "A1", "order 1", first.ID}, {"key_2", "A3", "order 1", second.ID}, {"key_1", "A2", "order 2", old.ID},
				{"key_2", "A2", "order 2", old.ID},
			} {
				got, err := s.Redeem(t.Context(), request(again.caller, again.value, again.key))
				if err != nil || got.ID != again.want {
					t.Errorf("%s repeats %q: %+v, %v, want %s", again.caller, again.key, got, err, again.want)
				}
			}
			s.reopen(t)
		}
		s.wantAvailability(t, c, "redeemed 3")
		s.checkSound(t)
	})
	t.Run("one value has one form", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		c := s.newCoupon(t, withoutAssignment)
		s.codes(t, c, "", "A1")
		request := func(reference, key, amount, currency string) *coupon.RedeemRequest {
			return &coupon.RedeemRequest{
				Value: "A1", Reference: &reference, IdempotencyKey: &key, Amount: new(coupon.Decimal(amount)), Currency: &currency,
			}
		}
		for range 2 {
			for _, alike := range []*coupon.RedeemRequest{
				request(" B-7 ", "order 1", "0049.90", "eur"), request(" B-7 ", "order 1", "0049.90", "eur"),
				request("B\u200B-7", "\uFEFForder\u00AD 1", "49.9", " EUR"), request("B-7", "order 1", "49.9000", "EUR"),
			} {
				got, err := s.Redeem(t.Context(), alike)
				if err != nil || *got.Reference != "B-7" || *got.Amount != "49.90" || *got.Currency != "EUR" {
					t.Fatalf("got %+v, %v", got, err)
				}
			}
			s.reopen(t)
		}
		_, err := s.Redeem(t.Context(), request("B-7", "order 1", "-49.90", "EUR"))
		wantError(t, err, coupon.ErrorAlreadyExists, "input.idempotencyKey")
	})
	t.Run("a late repeat of what was reversed redeems nothing", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		c := s.newCoupon(t, anonymous, withCode("ALL"))
		request := func(key string) *coupon.RedeemRequest {
			return &coupon.RedeemRequest{Caller: "key_1", Value: "ALL", IdempotencyKey: &key}
		}
		first, err := s.Redeem(t.Context(), request("order 1"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Reverse(t.Context(), nil, first.ID, nil); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			got, err := s.Redeem(t.Context(), request("order 1"))
			wantError(t, err, coupon.ErrorRedemptionReversed, "input.idempotencyKey")
			if got == nil || got.ID != first.ID || got.ReversedAt == nil {
				t.Errorf("beside it stands %+v", got)
			}
			other := request("order 1")
			other.Reference = new("another")
			_, err = s.Redeem(t.Context(), other)
			wantError(t, err, coupon.ErrorAlreadyExists, "input.idempotencyKey")
			s.reopen(t)
		}
		if stats, err := s.RedemptionStats(t.Context(), &coupon.StatsQuestion{
			Filter: &coupon.StatsFilter{CouponIDs: []coupon.ID{c}}, Timezone: "UTC", Limit: 1, Measures: coupon.AllStatsMeasures(),
		}); err != nil || stats[0].Stats.Redeemed != 0 {
			t.Errorf("it counts: %+v, %v", stats, err)
		}
		if _, err := s.Redeem(t.Context(), request("order 2")); err != nil {
			t.Error(err)
		}
		s.checkSound(t)
	})
	t.Run("INVALID", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		_, err := s.Redeem(t.Context(), &coupon.RedeemRequest{Value: "x", Currency: new("euro")})
		wantError(t, err, coupon.ErrorInvalid, "input.currency")
		_, err = s.Redeem(t.Context(), &coupon.RedeemRequest{Value: "x", RedeemedAt: new(noon().Add(time.Hour))})
		wantError(t, err, coupon.ErrorInvalid, "input.redeemedAt")
	})
	for _, test := range []struct {
		code  coupon.ErrorCode
		value string
		setUp func(t *testing.T, s *scene)
	}{
		{coupon.ErrorCodeUnknown, "nobody", func(*testing.T, *scene) {}},
		{coupon.ErrorCodeUnknown, "\t", func(*testing.T, *scene) {}},
		{coupon.ErrorCodeUnknown, "CPN1", func(t *testing.T, s *scene) { t.Helper(); s.newCoupon(t) }},
		{coupon.ErrorCodeNotAssigned, "A1", func(t *testing.T, s *scene) { t.Helper(); s.codes(t, s.newCoupon(t), "", "A1") }},
		{coupon.ErrorCodeAlreadyRedeemed, "A1", func(t *testing.T, s *scene) {
			t.Helper()
			s.codes(t, s.newCoupon(t, withoutAssignment), "", "A1")
			s.redeem(t, "A1")
		}},
		{coupon.ErrorRedemptionLimitReached, "ALL", func(t *testing.T, s *scene) {
			t.Helper()
			s.newCoupon(t, anonymous, withCode("ALL"), withLimit(2))
			s.redeem(t, "ALL")
			s.redeem(t, "all")
		}},
		{coupon.ErrorCodeVoided, "A1", func(t *testing.T, s *scene) {
			t.Helper()
			id := s.newCoupon(t, withoutAssignment)
			s.codes(t, id, "", "A1")
			if _, err := s.VoidCodes(t.Context(), voiding(id, "A1")); err != nil {
				t.Fatal(err)
			}
		}},
		{coupon.ErrorCodeNotYetValid, "ALL", func(t *testing.T, s *scene) {
			t.Helper()
			s.newCoupon(t, anonymous, withCode("ALL"))
			s.clock.Set(noon().AddDate(0, -1, 0))
		}},
		{coupon.ErrorCodeExpired, "ALL", func(t *testing.T, s *scene) {
			t.Helper()
			s.newCoupon(t, anonymous, withCode("ALL"), withEnd("2026-11-23T12:00:00Z"))
		}},
	} {
		t.Run(string(test.code), func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			test.setUp(t, s)
			for range 2 { // the same decision after a restart
				_, err := s.Redeem(t.Context(), &coupon.RedeemRequest{Value: test.value})
				wantError(t, err, test.code, "input.value")
				_, _, refusal, err := s.ValidateCode(t.Context(), test.value)
				if err != nil || refusal == nil || refusal.Code != test.code {
					t.Errorf("validated: %+v, %v", refusal, err)
				}
				s.reopen(t)
			}
			s.checkSound(t)
		})
	}
}

func TestReverse(t *testing.T) {
	t.Parallel()
	t.Run("OK", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		c := s.newCoupon(t, withoutAssignment, withLimit(3))
		s.codes(t, c, "", "A1", "B1")
		s.deliver(t, c, s.recipients(t, 1)) // takes A1
		reverse := func(id coupon.ID) {
			t.Helper()
			for range 2 { // repeating it is harmless
				r, err := s.Reverse(t.Context(), nil, id, new("returned"))
				if err != nil || !r.ReversedAt.Equal(noon()) {
					t.Fatalf("got %+v, %v", r, err)
				}
			}
		}
		reverse(s.redeem(t, "A1").ID)
		if got := s.code(t, "A1").Status; got != coupon.CodeAssigned {
			t.Errorf("a code that somebody holds is %s", got)
		}
		first, second := s.redeem(t, "B1"), s.redeem(t, "B1")
		reverse(first.ID)
		if got := s.code(t, "B1").Status; got != coupon.CodeRedeemed {
			t.Errorf("a code with another redemption is %s", got)
		}
		reverse(second.ID)
		if got := s.code(t, "B1").Status; got != coupon.CodeVoided {
			t.Errorf("a code that nobody holds is %s", got)
		}
		s.wantAvailability(t, c, "assigned 1, voided 1")
		s.newCoupon(t, anonymous, withCode("ALL"), withLimit(1))
		reverse(s.redeem(t, "ALL").ID)
		s.redeem(t, "ALL")
		s.reopen(t)
		s.wantAvailability(t, c, "assigned 1, voided 1")
		_, err := s.Redeem(t.Context(), &coupon.RedeemRequest{Value: "ALL"})
		wantError(t, err, coupon.ErrorCodeAlreadyRedeemed, "input.value")
		s.checkSound(t)
	})
	t.Run("INVALID", func(t *testing.T) {
		t.Parallel()
		_, err := newScene(t).Reverse(t.Context(), nil, "redemption_1", new("a\nb"))
		wantError(t, err, coupon.ErrorInvalid, "input.reason")
	})
	t.Run("NOT_FOUND", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		for _, id := range []coupon.ID{"redemption_1", "code_1", ""} {
			_, err := s.Reverse(t.Context(), nil, id, nil)
			wantError(t, err, coupon.ErrorNotFound, "input.id")
		}
	})
}

func TestRedemptions(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.newCoupon(t, withLimit(3), withoutAssignment)
	s.codes(t, c, "soccer", "A1")
	s.codes(t, c, "", "B1")
	for _, value := range []string{"A1", "B1", "A1"} {
		s.redeem(t, value)
		s.clock.Advance(24 * time.Hour)
	}
	for _, test := range []struct {
		name   string
		filter *coupon.StatsFilter
		want   string
	}{
		{"all, newest first", nil, "redemption_3 redemption_2 redemption_1"},
		{"label", &coupon.StatsFilter{Labels: []string{"soccer"}}, "redemption_3 redemption_1"},
		{
			"days, both included", &coupon.StatsFilter{From: new(coupon.DateTime("2026-11-24")), To: new(coupon.DateTime("2026-11-24"))},
			"redemption_2",
		},
		{"unknown coupon", &coupon.StatsFilter{CouponIDs: []coupon.ID{"x"}}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			list, err := s.Redemptions(t.Context(), test.filter, coupon.Page{First: 10, WantsItems: true, WantsTotal: true})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, r := range list.Items {
				got = append(got, string(r.ID))
			}
			if strings.Join(got, " ") != test.want || list.Total != len(got) {
				t.Errorf("got %q (%d), want %q", got, list.Total, test.want)
			}
		})
	}
	ofCode, err := s.CodeRedemptions(t.Context(), []coupon.ID{s.code(t, "A1").ID},
		coupon.Page{First: 1, WantsItems: true, WantsTotal: true})
	if list := ofCode[s.code(t, "A1").ID]; err != nil || list.Total != 2 || !list.HasNext || list.Items[0].ID != "redemption_3" {
		t.Errorf("of a code: %+v, %v", list, err)
	}
	_, err = s.Redemptions(t.Context(), &coupon.StatsFilter{Labels: make([]string, coupon.MaxFilterValues+1)}, coupon.Page{First: 10})
	wantError(t, err, coupon.ErrorInvalid, "filter")
	_, err = s.Redemptions(t.Context(), &coupon.StatsFilter{From: new(coupon.DateTime("x"))}, coupon.Page{First: 10})
	wantError(t, err, coupon.ErrorInvalid, "filter.from")
	if got := fmt.Sprint(s.availability(t, c).Redeemed); got != "2" {
		t.Errorf("%s codes are redeemed", got)
	}
}
