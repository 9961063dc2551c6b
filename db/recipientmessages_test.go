package db_test

import (
	"slices"
	"testing"

	"couponql/coupon"
)

// TestRecipientMessages: each person has the messages of all deliveries, the newest first.
func TestRecipientMessages(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	people := s.recipients(t, 2)
	for _, code := range []string{"A", "B", "C"} {
		id := s.newCoupon(t)
		s.codes(t, id, "", code)
		s.deliver(t, id, people[:1])
	}
	var got []coupon.ID
	page := coupon.Page{First: 2, WantsItems: true, WantsTotal: true}
	for {
		lists, err := s.RecipientMessages(t.Context(), people, page)
		if err != nil {
			t.Fatal(err)
		}
		if none := lists[people[1]]; none.Total != 0 || len(none.Items) != 0 || none.HasNext {
			t.Fatalf("messages of somebody who got none: %+v", none)
		}
		list := lists[people[0]]
		if list.Total != 3 {
			t.Errorf("Total = %d, want 3", list.Total)
		}
		for i, m := range list.Items {
			if m.RecipientID != people[0] {
				t.Errorf("%s is to %s, want %s", m.ID, m.RecipientID, people[0])
			}
			got, page.After = append(got, m.ID), &list.Cursors[i]
		}
		if !list.HasNext {
			break
		}
	}
	newestFirst := func(a, b coupon.ID) int {
		kind := coupon.KindMessage
		return int(coupon.MustNumber(kind, b) - coupon.MustNumber(kind, a))
	}
	if len(got) != 3 || !slices.IsSortedFunc(got, newestFirst) {
		t.Errorf("messages = %v, want 3, newest first", got)
	}
}
