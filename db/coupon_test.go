package db_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"couponql/coupon"
)

func TestCreateCoupon(t *testing.T) {
	t.Parallel()
	t.Run("OK", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		got, err := s.CreateCoupon(t.Context(), &coupon.CouponChanges{
			Type: coupon.TypeIndividual, Label: coupon.Set(new(" Winter ")),
			StartsAt: coupon.Set(new(coupon.DateTime("2026-12-01"))),
			EndsAt:   coupon.Set(new(coupon.DateTime("2026-12-31"))),
			Timezone: coupon.Set(new("Europe/Berlin")),
		})
		if err != nil {
			t.Fatal(err)
		}
		if got.ID != "coupon_1" || got.Label != "Winter" || got.Code != "CPN1" ||
			got.Status != coupon.CouponScheduled ||
			*got.RedemptionLimit != 1 || !got.RequiresAssignment {
			t.Errorf("got %+v", got)
		}
		if want := time.Date(2026, 12, 31, 23, 0, 0, 0, time.UTC); !got.EndsAt.Equal(want) {
			t.Errorf("ends at %s, want the end of the day in Berlin, %s", got.EndsAt, want)
		}
		read, err := s.CouponByCode(t.Context(), " cpn1 ")
		if err != nil || read == nil || read.ID != got.ID {
			t.Errorf("by code: %+v, %v", read, err)
		}
	})
	t.Run("automatic codes skip taken ones", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		first := s.newCoupon(t, withCode("cpn2"))
		s.codes(t, first, "", "CPN3", "Cpn4")
		second := s.newCoupon(t)
		third := s.newCoupon(t)
		found, err := s.CouponsByID(t.Context(), []coupon.ID{second, third})
		if err != nil {
			t.Fatal(err)
		}
		if found[second].Code != "CPN5" || found[third].Code != "CPN6" {
			t.Errorf("got the codes %q and %q, want CPN5 and CPN6", found[second].Code,
				found[third].Code)
		}
		s.checkSound(t)
	})
	t.Run("INVALID", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		_, err := s.CreateCoupon(t.Context(), &coupon.CouponChanges{
			Type: coupon.TypeIndividual, Label: coupon.Set(new("")), Code: coupon.Set(new("a\tb")),
			StartsAt: coupon.Set(new(coupon.DateTime("soon"))),
		})
		for _, field := range []string{"input.label", "input.code", "input.startsAt"} {
			wantError(t, err, coupon.ErrorInvalid, field)
		}
		list, err := s.Coupons(t.Context(), nil, coupon.OrderCreatedAtAsc,
			coupon.Page{First: 10, WantsItems: true, WantsTotal: true})
		if err != nil || list.Total != 0 {
			t.Errorf("%d coupons were left behind, %v", list.Total, err)
		}
	})
	t.Run("ALREADY_EXISTS", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		first := s.newCoupon(t, withCode("Winter-24"))
		s.codes(t, first, "", "fiﬁ1")
		for _, code := range []string{"winter-24", " WINTER-24\u00a0", "FIFI1", "ｆｉｆｉ１"} {
			_, err := s.CreateCoupon(t.Context(), &coupon.CouponChanges{
				Type: coupon.TypeAnonymous, Label: coupon.Set(new("Other")),
				StartsAt: coupon.Set(new(coupon.DateTime("2026-11-01"))),
				Code:     coupon.Set(&code),
			})
			wantError(t, err, coupon.ErrorAlreadyExists, "input.code")
		}
	})
}

func TestUpdateCoupon(t *testing.T) {
	t.Parallel()
	t.Run("OK", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		id := s.newCoupon(t, withCode("OLD"), withLimit(1))
		got, err := s.UpdateCoupon(t.Context(), id, &coupon.CouponChanges{
			Code:            coupon.Set(new("NEW")),
			RedemptionLimit: coupon.Set(new(3)),
		})
		if err != nil {
			t.Fatal(err)
		}
		if got.Code != "NEW" || *got.RedemptionLimit != 3 || got.Label != "Winter sale" {
			t.Errorf("got %+v", got)
		}
		if old, err := s.CouponByCode(t.Context(), "OLD"); err != nil || old != nil {
			t.Errorf("the old code still finds %v, %v", old, err)
		}
		// Its own code, in any spelling, is no other's; and the old one is free.
		if _, err := s.UpdateCoupon(t.Context(), id,
			&coupon.CouponChanges{Code: coupon.Set(new("new"))}); err != nil {
			t.Error(err)
		}
		s.newCoupon(t, withCode("OLD"))
		s.reopen(t)
		if again, err := s.CouponByCode(t.Context(), "NEW"); err != nil || again == nil ||
			again.Code != "new" {
			t.Errorf("after a restart: %+v, %v", again, err)
		}
		s.checkSound(t)
	})
	t.Run("NOT_FOUND", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		for _, id := range []coupon.ID{"coupon_7", "delivery_1", "x", ""} {
			_, err := s.UpdateCoupon(t.Context(), id, &coupon.CouponChanges{})
			wantError(t, err, coupon.ErrorNotFound, "input.id")
		}
	})
	t.Run("INVALID", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		id := s.newCoupon(t)
		_, err := s.UpdateCoupon(t.Context(), id,
			&coupon.CouponChanges{EndsAt: coupon.Set(new(coupon.DateTime("2026-10-01")))})
		wantError(t, err, coupon.ErrorInvalid, "input.endsAt")
		found, err := s.CouponsByID(t.Context(), []coupon.ID{id})
		if err != nil || found[id].EndsAt != nil {
			t.Errorf("the coupon was changed: %+v, %v", found[id], err)
		}
	})
	t.Run("ALREADY_EXISTS", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		id := s.newCoupon(t)
		s.newCoupon(t, withCode("TAKEN"))
		s.codes(t, id, "", "OWN")
		for _, code := range []string{"taken", "own"} {
			_, err := s.UpdateCoupon(t.Context(), id,
				&coupon.CouponChanges{Code: coupon.Set(&code)})
			wantError(t, err, coupon.ErrorAlreadyExists, "input.code")
		}
		s.checkSound(t)
	})
	t.Run("INVALID_STATE", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		id := s.newCoupon(t, anonymous, withCode("ALL"))
		s.redeem(t, "all")
		s.redeem(t, "ALL")
		_, err := s.UpdateCoupon(t.Context(), id,
			&coupon.CouponChanges{Code: coupon.Set(new("OTHER"))})
		wantError(t, err, coupon.ErrorInvalidState, "input.code")
		_, err = s.UpdateCoupon(t.Context(), id,
			&coupon.CouponChanges{RedemptionLimit: coupon.Set(new(1))})
		wantError(t, err, coupon.ErrorInvalidState, "input.redemptionLimit")
		if _, err = s.UpdateCoupon(t.Context(), id,
			&coupon.CouponChanges{RedemptionLimit: coupon.Set(new(2))}); err != nil {
			t.Error(err)
		}
		several := s.newCoupon(t, withLimit(3), withoutAssignment)
		s.codes(t, several, "", "A1", "A2")
		s.redeem(t, "A1")
		s.redeem(t, "A2")
		s.redeem(t, "A2")
		_, err = s.UpdateCoupon(t.Context(), several,
			&coupon.CouponChanges{RedemptionLimit: coupon.Set(new(1))})
		wantError(t, err, coupon.ErrorInvalidState, "input.redemptionLimit")
		s.checkSound(t)
	})
}

func TestArchiveCoupon(t *testing.T) {
	t.Parallel()
	t.Run("OK", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		id := s.newCoupon(t)
		s.codes(t, id, "", "A1", "A2")
		s.deliver(t, id, s.recipients(t, 1))
		first, err := s.ArchiveCoupon(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		s.clock.Advance(time.Hour)
		again, err := s.ArchiveCoupon(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if again.Status != coupon.CouponArchived || !again.ArchivedAt.Equal(*first.ArchivedAt) {
			t.Errorf("archived twice: %+v, then %+v", first, again)
		}
		// What was handed out stays redeemable.
		s.redeem(t, "A1")
		_, _, err = s.AddCodes(t.Context(), id, []coupon.NewCode{{Value: "A3"}})
		wantError(t, err, coupon.ErrorInvalidState, "input.couponId")
		_, err = s.CreateDelivery(t.Context(), &coupon.DeliveryChanges{
			Label: coupon.Set(new("L")), Body: coupon.Set(new("b")),
			CouponID: coupon.Set(&id),
		})
		wantError(t, err, coupon.ErrorInvalidState, "input.couponId")
	})
	t.Run("NOT_FOUND", func(t *testing.T) {
		t.Parallel()
		_, err := newScene(t).ArchiveCoupon(t.Context(), "coupon_1")
		wantError(t, err, coupon.ErrorNotFound, "input.id")
	})
}

func TestUnarchiveCoupon(t *testing.T) {
	t.Parallel()
	t.Run("OK", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		id := s.newCoupon(t)
		if _, err := s.ArchiveCoupon(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		s.clock.Advance(time.Hour)
		first, err := s.UnarchiveCoupon(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if first.Status != coupon.CouponActive || first.ArchivedAt != nil ||
			!first.UpdatedAt.Equal(s.Now()) {
			t.Errorf("unarchived: %+v", first)
		}
		s.clock.Advance(time.Hour)
		again, err := s.UnarchiveCoupon(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if !again.UpdatedAt.Equal(first.UpdatedAt) {
			t.Errorf("unarchived twice: %+v, then %+v", first, again)
		}
		// It takes codes and deliveries again.
		s.codes(t, id, "", "A1", "A2")
		s.deliver(t, id, s.recipients(t, 1))
		s.checkSound(t)
	})
	t.Run("NOT_FOUND", func(t *testing.T) {
		t.Parallel()
		_, err := newScene(t).UnarchiveCoupon(t.Context(), "coupon_1")
		wantError(t, err, coupon.ErrorNotFound, "input.id")
	})
}

// TestNextCouponCode: what was shown is what the next coupon gets, whatever was taken or deleted.
func TestNextCouponCode(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	wantNext := func(want string) {
		t.Helper()
		got, err := s.NextCouponCode(t.Context())
		if err != nil || got != want {
			t.Fatalf("NextCouponCode = %q, %v, want %q", got, err, want)
		}
	}
	wantNext("CPN1")
	wantNext("CPN1")
	id := s.newCoupon(t, withCode("cpn2"))
	// The second coupon would have the number 2, whose code the first one took.
	wantNext("CPN3")
	if err := s.DeleteCoupon(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	// A number is given out once; the code of the deleted one is free again.
	wantNext("CPN2")
	made, err := s.CouponsByID(t.Context(), []coupon.ID{s.newCoupon(t)})
	if err != nil {
		t.Fatal(err)
	}
	if got := made["coupon_2"].Code; got != "CPN2" {
		t.Errorf("the next coupon has the code %q, want CPN2", got)
	}
}

func TestDeleteCoupon(t *testing.T) {
	t.Parallel()
	t.Run("OK", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		kept := s.newCoupon(t)
		s.codes(t, kept, "", "K1", "K2")
		gone := s.newCoupon(t, withCode("GONE"))
		s.codes(t, gone, "", "G1", "G2", "G3")
		last := s.newCoupon(t)
		s.codes(t, last, "", "L1")
		if _, err := s.VoidCodes(t.Context(), voiding(gone, "G2")); err != nil {
			t.Fatal(err)
		}
		if err := s.DeleteCoupon(t.Context(), gone); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if code, err := s.CodeByValue(t.Context(), "G1", coupon.AnyState); err != nil ||
				code != nil {
				t.Errorf("a deleted code is found: %+v, %v", code, err)
			}
			_, err := s.Redeem(t.Context(), &coupon.RedeemRequest{Value: "G2"})
			wantError(t, err, coupon.ErrorCodeUnknown, "input.value")
			s.wantAvailability(t, kept, "available 2")
			s.wantAvailability(t, last, "available 1")
			s.checkSound(t)
			s.reopen(t)
		}
		// The values are free for others, and no number is given again.
		again := s.newCoupon(t, withCode("GONE"))
		numbers := []coupon.ID{s.code(t, "L1").ID}
		for _, code := range s.codes(t, again, "", "G1", "G2") {
			if slices.Contains(numbers, code.ID) || code.ID <= "code_6" {
				t.Errorf("the number of %s was used before", code.ID)
			}
		}
		if again == gone {
			t.Errorf("%s was given again", again)
		}
		s.checkSound(t)
	})
	t.Run("the newest codes", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		id := s.newCoupon(t)
		s.codes(t, id, "", "A1", "A2")
		if err := s.DeleteCoupon(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		s.reopen(t)
		next := s.newCoupon(t)
		if added := s.codes(t, next, "", "A1"); added[0].ID != "code_3" {
			t.Errorf("got %s, want code_3", added[0].ID)
		}
		s.reopen(t)
		s.wantAvailability(t, next, "available 1")
		s.checkSound(t)
	})
	t.Run("NOT_FOUND", func(t *testing.T) {
		t.Parallel()
		wantError(t, newScene(t).DeleteCoupon(t.Context(), "coupon_1"),
			coupon.ErrorNotFound, "input.id")
	})
	t.Run("INVALID_STATE", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		planned := s.newCoupon(t)
		id := s.newDelivery(t, planned, nil)
		wantError(t, s.DeleteCoupon(t.Context(), planned), coupon.ErrorInvalidState, "input.id")
		if err := s.DeleteDelivery(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		if err := s.DeleteCoupon(t.Context(), planned); err != nil {
			t.Error(err)
		}
		redeemed := s.newCoupon(t, anonymous, withCode("ALL"))
		s.redeem(t, "ALL")
		wantError(t, s.DeleteCoupon(t.Context(), redeemed), coupon.ErrorInvalidState, "input.id")
	})
}

// TestCouponOrders pages by one through coupons that are alike in something.
func TestCouponOrders(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	for _, c := range []struct {
		code, start string
		kind        coupon.CouponType
	}{
		{"beta", "2026-11-05", coupon.TypeIndividual},
		{"ALPHA", "2026-11-01", coupon.TypeAnonymous},
		{"gamma", "2026-11-05", coupon.TypeAnonymous},
		{"Delta", "2026-11-03", coupon.TypeIndividual},
	} {
		s.newCoupon(t, withCode(c.code), func(changes *coupon.CouponChanges) {
			changes.Type = c.kind
			changes.StartsAt = coupon.Set(new(coupon.DateTime(c.start)))
		})
	}
	for order, want := range map[coupon.CouponOrder]string{
		coupon.OrderStartsAtAsc:  "ALPHA Delta beta gamma",
		coupon.OrderStartsAtDesc: "gamma beta Delta ALPHA",
		coupon.OrderCodeAsc:      "ALPHA beta Delta gamma",
		coupon.OrderTypeAsc:      "ALPHA gamma beta Delta",
	} {
		var got []string
		page := coupon.Page{First: 1, WantsItems: true, WantsTotal: true}
		for {
			list, err := s.Coupons(t.Context(), nil, order, page)
			if err != nil {
				t.Fatal(err)
			}
			for i, c := range list.Items {
				got, page.After = append(got, c.Code), &list.Cursors[i]
			}
			if !list.HasNext {
				break
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v, want %s", order, got, want)
		}
	}
}

func TestCoupons(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	for _, c := range []struct{ label, end string }{
		{"b", "2027-01-01"}, {"A", ""}, {"c", "2026-11-20"}, {"a", "2026-12-01"},
	} {
		s.newCoupon(t, func(changes *coupon.CouponChanges) {
			changes.Label = coupon.Set(&c.label)
			if c.end != "" {
				withEnd(c.end)(changes)
			}
		})
	}
	low := coupon.ID("coupon_1")
	if _, err := s.UpdateCoupon(t.Context(), low,
		&coupon.CouponChanges{LowStockThreshold: coupon.Set(new(1))}); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		filter *coupon.CouponFilter
		order  coupon.CouponOrder
		want   string
	}{
		{"newest first", nil, coupon.OrderCreatedAtDesc, "coupon_4 coupon_3 coupon_2 coupon_1"},
		{"oldest first", nil, coupon.OrderCreatedAtAsc, "coupon_1 coupon_2 coupon_3 coupon_4"},
		{"by label, ties by age", nil, coupon.OrderLabelAsc, "coupon_2 coupon_4 coupon_1 coupon_3"},
		{"by end, endless last", nil, coupon.OrderEndsAtAsc, "coupon_3 coupon_4 coupon_1 coupon_2"},
		{"expired", &coupon.CouponFilter{Status: []coupon.CouponStatus{coupon.CouponExpired}}, coupon.OrderCreatedAtAsc, "coupon_3"},
		{
			"search in the code", &coupon.CouponFilter{Search: new(" cpn4")},
			coupon.OrderCreatedAtAsc, "coupon_4",
		},
		{"low", &coupon.CouponFilter{IsLow: new(true)}, coupon.OrderCreatedAtAsc, "coupon_1"},
		{
			"not low", &coupon.CouponFilter{IsLow: new(false)}, coupon.OrderCreatedAtAsc,
			"coupon_2 coupon_3 coupon_4",
		},
		{
			"of a type that none has", &coupon.CouponFilter{Type: new(coupon.TypeAnonymous)}, coupon.OrderCreatedAtAsc, "",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			page := coupon.Page{First: 1, WantsItems: true, WantsTotal: true}
			for {
				list, err := s.Coupons(t.Context(), test.filter, test.order, page)
				if err != nil {
					t.Fatal(err)
				}
				if want := len(strings.Fields(test.want)); list.Total != want {
					t.Errorf("total %d, want %d", list.Total, want)
				}
				for _, c := range list.Items {
					got = append(got, string(c.ID))
				}
				if !list.HasNext {
					break
				}
				page.After = &list.Cursors[0]
			}
			if text := strings.Join(got, " "); text != test.want {
				t.Errorf("got %q, want %q", text, test.want)
			}
		})
	}
}
