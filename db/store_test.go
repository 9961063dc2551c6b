package db_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"couponql/coupon"
)

// redeemAt redeems a code at a store, by a customer.
func (s *scene) redeemAt(t *testing.T, value, store, customer string) *coupon.Redemption {
	t.Helper()
	redemption, err := s.Redeem(t.Context(), &coupon.RedeemRequest{
		Value: value, Store: &store, Customer: &customer,
	})
	if err != nil {
		t.Fatal(err)
	}
	return redemption
}

// customers returns what is known of the customers of redemptions, the latest first; "" where nothing is.
func (s *scene) customers(t *testing.T, filter *coupon.StatsFilter) []string {
	t.Helper()
	page := coupon.Page{First: coupon.MaxPageSize, WantsItems: true, WantsTotal: true}
	list, err := s.Redemptions(t.Context(), filter, page)
	if err != nil {
		t.Fatal(err)
	}
	customers := make([]string, len(list.Items))
	for i, r := range list.Items {
		if r.Customer != nil {
			customers[i] = *r.Customer
		}
	}
	if list.Total != len(customers) {
		t.Errorf("%d are counted, and %d are there", list.Total, len(customers))
	}
	return customers
}

// TestStoreAndCustomer: they are answered and kept in the form of references, found by any
// spelling of it, and the history of a code tells where it was redeemed, but not by whom.
func TestStoreAndCustomer(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.newCoupon(t, anonymous, withCode("ALL"))
	c := s.newCoupon(t, withoutAssignment)
	s.codes(t, c, "", "A1")
	first := s.redeemAt(t, "A1", " Till\u200b 4 ", "\uFEFFk-\u00AD1")
	if *first.Store != "Till 4" || *first.Customer != "k-1" {
		t.Errorf("answered %q and %q", *first.Store, *first.Customer)
	}
	s.redeemAt(t, "ALL", "Till 4", "k-2")
	s.redeem(t, "ALL")
	for range 2 {
		for name, test := range map[string]struct {
			filter coupon.StatsFilter
			want   []string
		}{
			"no filter":        {want: []string{"", "k-2", "k-1"}},
			"a store":          {filter: coupon.StatsFilter{Store: new("Till\u00AD 4")}, want: []string{"k-2", "k-1"}},
			"a customer":       {filter: coupon.StatsFilter{Customer: new(" k-1 ")}, want: []string{"k-1"}},
			"both":             {filter: coupon.StatsFilter{Store: new("Till 4"), Customer: new("k-2")}, want: []string{"k-2"}},
			"in another case":  {filter: coupon.StatsFilter{Store: new("till 4")}, want: []string{}},
			"an unknown store": {filter: coupon.StatsFilter{Store: new("x")}, want: []string{}},
		} {
			if diff := cmp.Diff(test.want, s.customers(t, &test.filter)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
		events, err := s.EventsOf(t.Context(), []coupon.ID{*first.CodeID})
		if err != nil {
			t.Fatal(err)
		}
		last := events[*first.CodeID][len(events[*first.CodeID])-1]
		if last.Text != "Redeemed at Till 4." {
			t.Errorf("the history says %q", last.Text)
		}
		s.reopen(t)
	}
	for _, field := range []string{"store", "customer"} {
		for name, value := range map[string]string{
			"too long": strings.Repeat("x", coupon.MaxTextLength+1), "empty": " ", "a control character": "a\nb",
		} {
			request := &coupon.RedeemRequest{Value: "ALL", Store: &value}
			if field == "customer" {
				request.Store, request.Customer = nil, &value
			}
			_, err := s.Redeem(t.Context(), request)
			t.Log(name)
			wantError(t, err, coupon.ErrorInvalid, "input."+field)
			if strings.Contains(err.Error(), "xxx") || strings.Contains(err.Error(), "a\nb") {
				t.Errorf("the error repeats the value: %v", err)
			}
		}
	}
	// What counts assignments and messages too knows neither.
	for field, filter := range map[string]*coupon.StatsFilter{"store": {Store: new("x")}, "customer": {Customer: new("x")}} {
		_, err := s.RedemptionStats(t.Context(), &coupon.StatsQuestion{Filter: filter, Timezone: "UTC", Limit: 1})
		wantError(t, err, coupon.ErrorInvalid, "filter."+field)
	}
	s.checkSound(t)
}

// TestStoreAndCustomerOfAKey: a repeat under the same idempotency key tells the same store and
// customer, in whatever spelling, or it is another redemption.
func TestStoreAndCustomerOfAKey(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.newCoupon(t, anonymous, withCode("ALL"))
	request := func(store, customer *string) *coupon.RedeemRequest {
		return &coupon.RedeemRequest{Value: "ALL", IdempotencyKey: new("k"), Store: store, Customer: customer}
	}
	first, err := s.Redeem(t.Context(), request(new("Till 4"), new("k-1")))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		for name, test := range map[string]struct {
			store, customer *string
			isSame          bool
		}{
			"the same":            {new("Till 4"), new("k-1"), true},
			"the same, otherwise": {new(" Till\u200b 4"), new("k-1\u00AD "), true},
			"another store":       {new("Till 5"), new("k-1"), false},
			"another customer":    {new("Till 4"), new("k-2"), false},
			"no store":            {nil, new("k-1"), false},
			"no customer":         {new("Till 4"), nil, false},
		} {
			again, err := s.Redeem(t.Context(), request(test.store, test.customer))
			t.Log(name)
			if !test.isSame {
				wantError(t, err, coupon.ErrorAlreadyExists, "input.idempotencyKey")
			} else if err != nil || again.ID != first.ID {
				t.Errorf("got %+v, %v", again, err)
			}
		}
		s.reopen(t)
	}
	if got := s.customers(t, nil); len(got) != 1 {
		t.Errorf("there are %v", got)
	}
}

// TestStoreAndCustomerOfAFile: files bring both, in the form of references. The row that is
// rejected for its customer does not repeat it.
func TestStoreAndCustomerOfAFile(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.newCoupon(t, anonymous, withCode("ALL"))
	long := strings.Repeat("x", coupon.MaxTextLength+1)
	i := s.importFile(t, newImport(coupon.ImportRedemptions), "code,date,order,Filiale,Kundennummer\n"+
		"ALL,2026-11-01,1, Till\u200b 4,k-1\u00AD\nALL,2026-11-01,2,,\nALL,2026-11-01,3,Till 4,"+long+"\nALL,2026-11-01,4,"+long+",k-1\n")
	s.wantRejections(t, i.ID, "4 TOO_LONG", "5 TOO_LONG "+coupon.Printable(long))
	fields := map[string]string{}
	for _, column := range i.Layout.Columns {
		if column.Field != nil {
			fields[column.Name] = *column.Field
		}
	}
	if fields["Filiale"] != "store" || fields["Kundennummer"] != "customer" {
		t.Errorf("the columns are %v", fields)
	}
	if diff := cmp.Diff([]string{"k-1"}, s.customers(t, &coupon.StatsFilter{Store: new("Till 4")})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"", "k-1"}, s.customers(t, nil)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	s.checkSound(t)
}

// TestMaskedCustomer: a masked file and a masked snapshot have the store and not the customer; an
// export narrowed by the customer has that person's redemptions.
func TestMaskedCustomer(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.newCoupon(t, anonymous, withCode("ALL"))
	s.redeemAt(t, "ALL", "Till 4", "k-1")
	s.redeemAt(t, "ALL", "Till 5", "k-2")
	for _, format := range allFormats() {
		masked := &coupon.Export{Kind: coupon.ExportRedemptions, Format: format}
		masked.Request.IsMasked = true
		_, text := s.export(t, masked)
		if !strings.Contains(text, "Till 4") || strings.Contains(text, "k-1") {
			t.Errorf("masked %s:\n%s", format, text)
		}
		whole := &coupon.Export{Kind: coupon.ExportRedemptions, Format: format}
		whole.Request.StatsFilter = &coupon.StatsFilter{Customer: new(" k-1")}
		_, text = s.export(t, whole)
		if !strings.Contains(text, "k-1") || strings.Contains(text, "k-2") {
			t.Errorf("%s:\n%s", format, text)
		}
	}
	for isMasked, want := range map[bool][]string{
		false: {`["Till 4","k-1"]`, `["Till 5","k-2"]`},
		true:  {`["Till 4","` + coupon.Mask + `"]`, `["Till 5","` + coupon.Mask + `"]`},
	} {
		taken, err := s.TakeSnapshot(t.Context(), isMasked)
		if err != nil {
			t.Fatal(err)
		}
		q, end := openTaken(t, taken)
		got := q.rows(t, "SELECT store, customer FROM redemptions ORDER BY store")
		end()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("masked %t (-want +got):\n%s", isMasked, diff)
		}
	}
}
