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
			*got.Amount != "12.50" || *got.Currency != "EUR" || got.ReversedAt != nil ||
			len(got.Anomalies) != 0 {
			t.Errorf("got %+v", got)
		}
		s.wantAvailability(t, c, "redeemed 1")
		rows, err := s.RedemptionStats(t.Context(), &coupon.StatsQuestion{
			Filter: &coupon.StatsFilter{
				DeliveryIDs: []coupon.ID{delivery}, Labels: []string{"soccer"},
			}, Timezone: "UTC", Limit: 10,
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
			return &coupon.RedeemRequest{
				Value: value, IdempotencyKey: new("k"), Amount: new(coupon.Decimal("5")),
			}
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
				if second, err = s.Redeem(t.Context(),
					request("key_2", "A3", "order 1")); err != nil {
					t.Fatal(err)
				}
			} else {
				wantError(t, err, coupon.ErrorAlreadyExists, "input.idempotencyKey")
			}
			for _, again := range []struct {
				caller, value, key string
				want               coupon.ID
			}{
				{"key_1", "A1", "order 1", first.ID},
				{"key_2", "A3", "order 1", second.ID},
				{"key_1", "A2", "order 2", old.ID},
				{"key_2", "A2", "order 2", old.ID},
			} {
				got, err := s.Redeem(t.Context(), request(again.caller, again.value, again.key))
				if err != nil || got.ID != again.want {
					t.Errorf("%s repeats %q: %+v, %v, want %s", again.caller, again.key, got,
						err, again.want)
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
				Value: "A1", Reference: &reference, IdempotencyKey: &key,
				Amount: new(coupon.Decimal(amount)), Currency: &currency,
			}
		}
		for range 2 {
			for _, alike := range []*coupon.RedeemRequest{
				request(" B-7 ", "order 1", "0049.90", "eur"),
				request(" B-7 ", "order 1", "0049.90", "eur"),
				request("B\u200B-7", "\uFEFForder\u00AD 1", "49.9", " EUR"),
				request("B-7", "order 1", "49.9000", "EUR"),
			} {
				got, err := s.Redeem(t.Context(), alike)
				if err != nil || *got.Reference != "B-7" || *got.Amount != "49.90" ||
					*got.Currency != "EUR" {
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
			Filter: &coupon.StatsFilter{CouponIDs: []coupon.ID{c}}, Timezone: "UTC", Limit: 1,
			Measures: coupon.AllStatsMeasures(),
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
		_, err = s.Redeem(t.Context(),
			&coupon.RedeemRequest{Value: "x", RedeemedAt: new(noon().Add(time.Hour))})
		wantError(t, err, coupon.ErrorInvalid, "input.redeemedAt")
	})
	for _, test := range []struct {
		code  coupon.ErrorCode
		value string
		setUp func(t *testing.T, s *scene)
	}{
		{coupon.ErrorCodeUnknown, "nobody", func(*testing.T, *scene) {}},
		{coupon.ErrorCodeUnknown, "\t", func(*testing.T, *scene) {}},
		{coupon.ErrorCodeUnknown, "CPN1", func(t *testing.T, s *scene) {
			t.Helper()
			s.newCoupon(t)
		}},
		{coupon.ErrorCodeNotAssigned, "A1", func(t *testing.T, s *scene) {
			t.Helper()
			s.codes(t, s.newCoupon(t), "", "A1")
		}},
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
				_, _, refusal, err := s.ValidateCode(t.Context(), test.value, coupon.AnyState)
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

// TestReverseReferenced: a redemption is taken back by what its shop calls it, also after a restart
// and days later, once; a till finds its own alone.
func TestReverseReferenced(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.newCoupon(t, withoutAssignment, withLimit(2))
	s.codes(t, c, "", "A1", "A2")
	s.newCoupon(t, anonymous, withCode("ALL"))
	till, other := &coupon.Caller{Name: "key_1", Role: coupon.RoleRedeemer}, &coupon.Caller{
		Name: "key_2", Role: coupon.RoleRedeemer,
	}
	redeem := func(by *coupon.Caller, value, reference string) coupon.ID {
		t.Helper()
		r, err := s.Redeem(t.Context(),
			&coupon.RedeemRequest{Caller: by.Name, Value: value, Reference: &reference})
		if err != nil {
			t.Fatal(err)
		}
		return r.ID
	}
	reverse := func(by *coupon.Caller, reference string, value *string) (
		*coupon.Redemption, error,
	) {
		return s.ReverseReferenced(t.Context(), by, reference, value, nil)
	}
	first := redeem(till, "A1", "A-7")
	two := []coupon.ID{redeem(till, "A1", "A-8"), redeem(till, "A2", "A-8")}
	ofAll := redeem(till, "ALL", "A-9")
	theirs := redeem(other, "A2", "B-1")
	s.reopen(t)
	s.clock.Advance(coupon.ReversalTime + coupon.IdempotencyLifetime)
	for range 2 {
		got, err := reverse(till, " A-\u200B7 ", nil)
		if err != nil || got.ID != first || got.ReversedAt == nil {
			t.Fatalf("by its reference: %+v, %v", got, err)
		}
		if _, err := s.Reverse(t.Context(), till, ofAll, nil); err == nil {
			t.Error("a till takes back by its id what is days old")
		}
		_, err = reverse(till, "A-8", nil)
		wantError(t, err, coupon.ErrorInvalid, "input.reference")
		if !strings.Contains(err.Error(), "2 redemptions have") {
			t.Errorf("got %v, want how many there are", err)
		}
		s.reopen(t)
	}
	for _, nothing := range []struct {
		by        *coupon.Caller
		reference string
		value     *string
	}{
		{till, "A-0", nil},
		{till, "B-1", nil},
		{other, "A-9", nil},
		{till, "A-8", new("ALL")},
		{till, "A-8", new("nobody")},
		{till, "", nil},
		{nil, "A-9", new("A1")},
	} {
		_, err := reverse(nothing.by, nothing.reference, nothing.value)
		wantError(t, err, coupon.ErrorNotFound, "input.reference")
	}
	for _, named := range []struct {
		by        *coupon.Caller
		reference string
		value     *string
		want      coupon.ID
	}{
		{till, "A-8", new("a2"), two[1]},
		{till, "A-8", new("a2"), two[1]},
		{till, "A-8", nil, two[0]},
		{till, "A-9", new("all"), ofAll},
		{nil, "B-1", nil, theirs},
	} {
		got, err := reverse(named.by, named.reference, named.value)
		if err != nil || got.ID != named.want || got.ReversedAt == nil {
			t.Errorf("%s: %+v, %v, want %s", named.reference, got, err, named.want)
		}
	}
	last := redeem(till, "ALL", "A-10")
	s.clock.Advance(coupon.ReferencedReversalTime + time.Second)
	_, err := reverse(till, "A-10", nil)
	wantError(t, err, coupon.ErrorNotFound, "input.reference")
	if got, err := reverse(&coupon.Caller{Role: coupon.RoleMarketer}, "A-10", nil); err != nil ||
		got.ID != last {
		t.Errorf("a marketer takes back %+v, %v", got, err)
	}
	s.checkSound(t)
}

// TestRedemptionsByTheirOwn filters by what only redemptions have, in pages and in a file; what
// counts other things refuses it.
func TestRedemptionsByTheirOwn(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.newCoupon(t, withLimit(5))
	s.codes(t, c, "", "A1", "A2")
	s.deliver(t, c, s.recipients(t, 1)) // takes A1
	for _, reference := range []string{"A-1", "A-2"} {
		if _, err := s.Redeem(t.Context(),
			&coupon.RedeemRequest{Value: "A1", Reference: &reference}); err != nil {
			t.Fatal(err)
		}
	}
	s.importFile(t, newImport(coupon.ImportRedemptions),
		"code,redeemedAt,reference\nA2,2026-10-01,A-3\nA1,2026-11-02T11:00:00Z,A-4\n")
	if _, err := s.ReverseReferenced(t.Context(), nil, "A-2", nil, nil); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		filter coupon.StatsFilter
		want   string
	}{
		"a reference":       {coupon.StatsFilter{Reference: new(" A-2\u200B")}, "A-2"},
		"another":           {coupon.StatsFilter{Reference: new("a-2")}, ""},
		"by a till":         {coupon.StatsFilter{Source: new(coupon.SourceAPI)}, "A-2 A-1"},
		"from a file":       {coupon.StatsFilter{Source: new(coupon.SourceImport)}, "A-4 A-3"},
		"one anomaly":       {coupon.StatsFilter{Anomalies: []coupon.RedemptionAnomaly{coupon.AnomalyNotAssigned}}, "A-3"},
		"either":            {coupon.StatsFilter{Anomalies: []coupon.RedemptionAnomaly{coupon.AnomalyVoided, coupon.AnomalyBeforeAssignment, coupon.AnomalyOutsideValidity}}, "A-4 A-3"},
		"reversed":          {coupon.StatsFilter{IsReversed: new(true)}, "A-2"},
		"standing":          {coupon.StatsFilter{IsReversed: new(false)}, "A-4 A-3 A-1"},
		"standing of tills": {coupon.StatsFilter{IsReversed: new(false), Source: new(coupon.SourceAPI), CouponIDs: []coupon.ID{c}}, "A-1"},
		"of no coupon": {
			coupon.StatsFilter{IsReversed: new(false), CouponIDs: []coupon.ID{"coupon_9"}}, "",
		},
	} {
		list, err := s.Redemptions(t.Context(), &test.filter,
			coupon.Page{First: 10, WantsItems: true, WantsTotal: true})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range list.Items {
			got = append(got, *r.Reference)
		}
		if strings.Join(got, " ") != test.want || list.Total != len(got) {
			t.Errorf("%s: got %q (%d), want %q", name, got, list.Total, test.want)
		}
		_, err = s.RedemptionStats(t.Context(), &coupon.StatsQuestion{
			Filter: &test.filter, Timezone: "UTC", Limit: 1, Measures: coupon.AllStatsMeasures(),
		})
		wantError(t, err, coupon.ErrorInvalid, "filter."+test.filter.OfRedemptions())
		_, err = s.Funnel(t.Context(), &test.filter, "UTC")
		wantError(t, err, coupon.ErrorInvalid, "filter."+test.filter.OfRedemptions())
		request := coupon.ExportRequest{StatsFilter: &test.filter}
		if test.filter.IsReversed == nil || !*test.filter.IsReversed {
			_, text := s.export(t, &coupon.Export{
				Kind: coupon.ExportRedemptions, Format: coupon.FormatCSV, Request: request,
			})
			standing := strings.Count(strings.ReplaceAll(test.want, "A-2", ""), "A-")
			if rows := strings.Count(text, "\n") - 1; rows != standing {
				t.Errorf("%s: the file has %d rows, want %d:\n%s", name, rows, standing, text)
			}
		} else {
			_, err := s.CreateExport(t.Context(), &coupon.Export{
				Kind: coupon.ExportRedemptions, Format: coupon.FormatCSV, Request: request,
			})
			wantError(t, err, coupon.ErrorInvalid, "input.filter.isReversed")
		}
	}
	s.checkSound(t)
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
			"days, both included", &coupon.StatsFilter{
				From: new(coupon.DateTime("2026-11-24")), To: new(coupon.DateTime("2026-11-24")),
			},
			"redemption_2",
		},
		{"unknown coupon", &coupon.StatsFilter{CouponIDs: []coupon.ID{"x"}}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			list, err := s.Redemptions(t.Context(), test.filter,
				coupon.Page{First: 10, WantsItems: true, WantsTotal: true})
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
	if list := ofCode[s.code(t, "A1").ID]; err != nil || list.Total != 2 || !list.HasNext ||
		list.Items[0].ID != "redemption_3" {
		t.Errorf("of a code: %+v, %v", list, err)
	}
	_, err = s.Redemptions(
		t.Context(), &coupon.StatsFilter{Labels: make([]string, coupon.MaxFilterValues+1)},
		coupon.Page{First: 10},
	)
	wantError(t, err, coupon.ErrorInvalid, "filter")
	_, err = s.Redemptions(t.Context(), &coupon.StatsFilter{From: new(coupon.DateTime("x"))},
		coupon.Page{First: 10})
	wantError(t, err, coupon.ErrorInvalid, "filter.from")
	if got := fmt.Sprint(s.availability(t, c).Redeemed); got != "2" {
		t.Errorf("%s codes are redeemed", got)
	}
}
