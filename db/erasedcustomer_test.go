package db_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"couponql/coupon"
)

// shopper is the name of a customer that stands for zelda, and for nobody else.
const shopper = "Shopper-9xQ"

// tellsShopper returns the tables that name the customer.
func (s *scene) tellsShopper(t *testing.T) []string {
	t.Helper()
	found := []string{}
	tables := s.rowsOf(t)
	tables["export"] = s.Texts(t, "SELECT request FROM export")
	for table, rows := range tables {
		if strings.Contains(strings.ToLower(strings.Join(rows, "\n")), strings.ToLower(shopper)) {
			found = append(found, table)
		}
	}
	return found
}

// TestEraseCustomer: who is erased as a recipient is the customer of no code that the person had
// any more, and of other codes when named. Other customers stay, and so does what was counted.
func TestEraseCustomer(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.newCoupon(t)
	s.codes(t, c, "", "A1", "A2")
	s.newCoupon(t, anonymous, withCode("ALL"))
	zelda, other := s.zelda(t), s.recipients(t, 1)[0]
	// A code that zelda had once is redeemed by who has it now.
	stopped := s.newDelivery(t, c, []coupon.ID{zelda})
	s.confirm(t, stopped)
	if _, err := s.StopDelivery(t.Context(), stopped); err != nil {
		t.Fatal(err)
	}
	s.deliver(t, c, []coupon.ID{other})
	s.deliver(t, c, []coupon.ID{zelda})
	found, err := s.RecipientCodes(t.Context(), []coupon.ID{zelda, other},
		coupon.Page{First: 1, WantsItems: true}, coupon.AnyState)
	if err != nil {
		t.Fatal(err)
	}
	s.redeemAt(t, found[other].Items[0].Value, "Till 4", "k-1")
	s.redeemAt(t, "ALL", "Till 4", shopper)
	s.redeemAt(t, found[zelda].Items[0].Value, "Till 4", shopper)
	stats := func() []*coupon.StatsRow {
		rows, err := s.RedemptionStats(t.Context(), &coupon.StatsQuestion{
			GroupBy:  []coupon.StatsDimension{coupon.ByStore, coupon.ByCoupon},
			Timezone: "UTC", Limit: 10,
			Measures: coupon.AllStatsMeasures(),
		})
		if err != nil {
			t.Fatal(err)
		}
		return rows
	}
	before := stats()
	for _, step := range []struct {
		name          string
		ids           []coupon.ID
		customers     []string
		want          coupon.Erasure
		customersLeft []string
	}{
		{"the recipient", []coupon.ID{zelda}, nil, coupon.Erasure{ErasedCount: 1, ChangedRedemptionCount: 1}, []string{"", shopper, "k-1"}},
		{"the recipient again", []coupon.ID{zelda}, nil, coupon.Erasure{}, []string{
			"", shopper, "k-1",
		}},
		{"an unknown customer", nil, []string{"x", ""}, coupon.Erasure{}, []string{
			"", shopper, "k-1",
		}},
		{
			"the customer", nil,
			[]string{" " + shopper + "\u200b"},
			coupon.Erasure{ChangedRedemptionCount: 1},
			[]string{"", "", "k-1"},
		},
		{"the customer again", nil, []string{shopper}, coupon.Erasure{}, []string{"", "", "k-1"}},
	} {
		got, err := s.EraseRecipients(t.Context(), step.ids, nil, step.customers...)
		if err != nil || *got != step.want {
			t.Errorf("%s: erased %+v, %v; want %+v", step.name, got, err, step.want)
		}
		if diff := cmp.Diff(step.customersLeft, s.customers(t, nil)); diff != "" {
			t.Errorf("%s: customers (-want +got):\n%s", step.name, diff)
		}
	}
	if diff := cmp.Diff(before, stats()); diff != "" {
		t.Errorf("statistics (-before +after):\n%s", diff)
	}
	s.checkSound(t)
}

// TestNothingTellsACustomer: nothing is left of a customer who is erased by name, in no row of any
// table and, once the server has started again, in no byte of its files.
func TestNothingTellsACustomer(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.newCoupon(t, anonymous, withCode("ALL"))
	s.redeemAt(t, "ALL", "Till 4", shopper)
	// A row that is rejected for what stands in the wrong column, one that is recorded, and the
	// first rows of the file.
	s.importFile(t, newImport(coupon.ImportRedemptions), "code,date,order,customer\n"+
		shopper+",2026-11-01,1,x\nALL,2026-11-01,2,"+shopper+"\n")
	asked := &coupon.Export{Kind: coupon.ExportRedemptions, Format: coupon.FormatCSV}
	asked.Request.StatsFilter = &coupon.StatsFilter{Customer: new(" " + shopper)}
	asked, err := s.CreateExport(t.Context(), asked)
	if err != nil {
		t.Fatal(err)
	}
	// A redemption that is being posted stands in the journal still.
	if got := s.tellsShopper(t); len(got) < 4 {
		t.Fatalf("only %v tell the customer", got)
	}
	got, err := s.EraseRecipients(t.Context(), nil, nil, shopper)
	if want := (coupon.Erasure{ChangedRedemptionCount: 2}); err != nil || *got != want {
		t.Errorf("erased %+v, %v; want %+v", got, err, want)
	}
	if left := s.tellsShopper(t); len(left) > 0 {
		t.Errorf("%v tell the customer", left)
	}
	// The export that waits has the redemptions of nobody, instead of everybody's.
	if err := s.RunExport(t.Context(), asked.ID, nil); err != nil {
		t.Fatal(err)
	}
	if done, err := s.ExportsByID(t.Context(), []coupon.ID{asked.ID}); err != nil ||
		done[asked.ID].RowCount != 0 {
		t.Errorf("exported %+v, %v", done[asked.ID], err)
	}
	s.reopen(t)
	if isDone, err := s.Rewritten(); !isDone || err != nil {
		t.Errorf("rewritten: %t, %v", isDone, err)
	}
	for _, name := range []string{s.path, s.path + ".wal"} {
		content, err := os.ReadFile(name)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		if strings.Contains(string(content), shopper) {
			t.Errorf("%s has the customer", filepath.Base(name))
		}
	}
	s.checkSound(t)
}

// TestEraseTooManyCustomers: the limit counts recipients and customers together.
func TestEraseTooManyCustomers(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	customers := make([]string, coupon.MaxErasedRecipients)
	_, err := s.EraseRecipients(t.Context(), nil, []string{"r1"}, customers...)
	wantError(t, err, coupon.ErrorInvalid, "input")
	if _, err := s.EraseRecipients(t.Context(), nil, nil, customers...); err != nil {
		t.Error(err)
	}
}

// TestRetentionForgetsCustomers: who is erased after a time without activity leaves no customer
// either.
func TestRetentionForgetsCustomers(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.newCoupon(t)
	s.codes(t, c, "", "A1")
	people := s.recipients(t, 1)
	s.deliver(t, c, people)
	s.redeemAt(t, "A1", "Till 4", shopper)
	s.clock.Advance(48 * time.Hour)
	if got, err := s.EraseIdle(t.Context(), s.clock.Now()); err != nil || got != 1 {
		t.Fatalf("erased %d, %v", got, err)
	}
	if got := s.tellsShopper(t); len(got) > 0 {
		t.Errorf("%v tell the customer", got)
	}
}
