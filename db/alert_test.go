package db_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"couponql/coupon"
	"couponql/db"
)

func withThreshold(threshold int) func(*coupon.CouponChanges) {
	return func(c *coupon.CouponChanges) { c.LowStockThreshold = coupon.Set(&threshold) }
}

// alerts returns all alerts as short texts, read by pages of a size.
func (s *scene) alerts(t *testing.T, size int) []string {
	t.Helper()
	var all []string
	page := coupon.Page{First: size, WantsItems: true, WantsTotal: true}
	for {
		list, err := s.Alerts(t.Context(), page)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range list.Items {
			subject := ""
			for _, id := range []*coupon.ID{a.CouponID, a.DeliveryID, a.ImportID} {
				if id != nil {
					subject += string(*id)
				}
			}
			all = append(all, fmt.Sprintf("%s %s %s", a.Kind, subject, a.At.Format("01-02 15:04")))
		}
		if !list.HasNext {
			if list.Total != len(all) {
				t.Errorf("%d alerts in all, %d were listed", list.Total, len(all))
			}
			return all
		}
		page.After = &list.Cursors[len(list.Cursors)-1]
	}
}

// failImport has an import fail: its file cannot be read.
func (s *scene) failImport(t *testing.T, id coupon.ID) {
	t.Helper()
	i := newImport(coupon.ImportCodes)
	i.CouponID, i.OnRejection = &id, coupon.RejectFile
	failed := s.importFile(t, i, "code\nGOOD1\n\"\"\nGOOD2\nGOOD2\n")
	if failed.Status != coupon.ImportFailed {
		t.Fatalf("the import is %s", failed.Status)
	}
}

// failDelivery has all messages of a delivery refused.
func (s *scene) failDelivery(t *testing.T, couponID coupon.ID, recipients []coupon.ID) {
	t.Helper()
	id := s.newDelivery(t, couponID, recipients)
	s.confirm(t, id)
	batch, err := s.NextBatch(t.Context(), id, 100)
	if err != nil {
		t.Fatal(err)
	}
	failed := &db.SentBatch{Failed: batch.Contents, Failures: make([]string, len(batch.Contents)), OutboxSize: batch.OutboxSize}
	if err := batch.Record(t.Context(), failed); err != nil {
		t.Fatal(err)
	}
	if d := s.delivery(t, id); d.Status != coupon.DeliveryFailed {
		t.Fatalf("the delivery is %s", d.Status)
	}
}

func TestAlerts(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	recipients := s.recipients(t, 10)
	low := s.newCoupon(t, withThreshold(5))                                                                                  // coupon_1
	share := s.newCoupon(t, func(c *coupon.CouponChanges) { c.LowStockShare = coupon.Set(new(0.5)) }, withEnd("2026-11-27")) // coupon_2
	s.newCoupon(t, withThreshold(5), withEnd("2026-11-23T12:00:00Z"))                                                        // has ended
	s.newCoupon(t, anonymous, withEnd("2026-12-24"))
	archived := s.newCoupon(t, withThreshold(5))
	if _, err := s.ArchiveCoupon(t.Context(), archived); err != nil {
		t.Fatal(err)
	}
	want := func(want ...string) {
		t.Helper()
		for _, size := range []int{1, 2, 100} {
			if diff := cmp.Diff(want, s.alerts(t, size)); diff != "" {
				t.Errorf("by pages of %d (-want +got):\n%s", size, diff)
			}
		}
	}
	want("LOW_STOCK coupon_1 11-23 12:00", "ENDS_SOON coupon_2 11-28 00:00")
	s.codes(t, low, "", numbered("A", 20)...)
	s.codes(t, share, "", numbered("B", 10)...)
	want("ENDS_SOON coupon_2 11-28 00:00")
	s.confirm(t, s.newDelivery(t, share, recipients[:6]))
	s.failDelivery(t, low, recipients) // its codes are free again, and its pace counts
	s.failImport(t, low)
	s.failImport(t, share)
	if err := s.RecordAlerts(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	s.clock.Advance(24 * time.Hour)
	want("LOW_STOCK coupon_2 11-23 12:00", "ENDS_SOON coupon_2 11-28 00:00", "RUNS_OUT_SOON coupon_2 11-25 04:00", "RUNS_OUT_SOON coupon_1 11-26 12:00",
		"IMPORT_FAILED import_2 11-23 12:00", "IMPORT_FAILED import_1 11-23 12:00", "DELIVERY_FAILED delivery_2 11-23 12:00")
	list, err := s.Alerts(t.Context(), coupon.Page{First: 4, WantsItems: true})
	if err != nil {
		t.Fatal(err)
	}
	for i, text := range []string{
		`"Winter sale" runs low: 4 of 10 codes are available, less than 50 %.`,
		`"Winter sale" ends on 2026-11-28 00:00 UTC.`,
		`"Winter sale" runs out of codes on 2026-11-25 04:00 UTC: 4 are available at a pace of 6 a day.`,
		`"Winter sale" runs out of codes on 2026-11-26 12:00 UTC: 20 are available at a pace of 10 a day.`,
	} {
		if list.Items[i].Text != text {
			t.Errorf("got %s, want %s", list.Items[i].Text, text)
		}
	}
	// The same file, imported with success, mends what failed.
	i := newImport(coupon.ImportCodes)
	i.CouponID = &low
	s.importFile(t, i, "code\nGOOD1\n\"\"\nGOOD2\nGOOD2\n")
	if all := s.alerts(t, 100); slices.ContainsFunc(all, func(a string) bool { return strings.HasPrefix(a, "IMPORT_FAILED import_1 ") }) {
		t.Errorf("import_1 is mended: %v", all)
	}
	s.clock.Advance(6 * 24 * time.Hour)
	want()
}

// TestManyFailed: a delivery that is finished is an alert where many of its messages failed, in number and in share.
func TestManyFailed(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		failed, sent, canceled int
		isAlert                bool
	}{{coupon.ManyFailed - 1, 2, 0, false}, {coupon.ManyFailed, 2, 0, true}, {coupon.ManyFailed, 91, 0, false}, {coupon.ManyFailed, 85, 5, true}} {
		t.Run(fmt.Sprintf("%+v", test), func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			id := s.newDelivery(t, "", s.recipients(t, test.failed+test.sent+test.canceled))
			s.confirm(t, id)
			batch, err := s.NextBatch(t.Context(), id, 200)
			if err == nil {
				err = batch.NameRecipients(t.Context())
			}
			if err != nil {
				t.Fatal(err)
			}
			outcome := &db.SentBatch{
				Failed: batch.Contents[:test.failed], Failures: make([]string, test.failed), Sent: batch.Contents[test.failed+test.canceled:],
				Withheld: batch.Contents[test.failed : test.failed+test.canceled],
			}
			for i := range outcome.Withheld {
				_, err := s.UpsertRecipients(t.Context(), []*coupon.RecipientChanges{{
					ExternalID: outcome.Withheld[i].Data.Recipient.ExternalID, IsContactable: coupon.Set(new(false)),
				}})
				if err != nil {
					t.Fatal(err)
				}
			}
			if err := batch.Record(t.Context(), outcome); err != nil {
				t.Fatal(err)
			}
			if d := s.delivery(t, id); d.Status != coupon.DeliveryFinished || d.Counts.Failed != test.failed || d.Counts.Canceled != test.canceled {
				t.Errorf("got %s %+v", d.Status, d.Counts)
			}
			var want []string
			if test.isAlert {
				want = []string{"DELIVERY_FAILED delivery_1 11-23 12:00"}
			}
			if diff := cmp.Diff(want, s.alerts(t, 10)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestHaltsAreTold: what the server does with a delivery by itself is told outside, and is over when a person goes on with it.
func TestHaltsAreTold(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.newCoupon(t)
	s.codes(t, c, "", numbered("A", 4)...)
	people := s.recipients(t, 2)
	stopped, paused := s.newDelivery(t, c, people), s.newDelivery(t, "", people)
	s.confirm(t, stopped)
	s.confirm(t, paused)
	want := func(want ...string) {
		t.Helper()
		if err := s.RecordAlerts(t.Context(), true); err != nil {
			t.Fatal(err)
		}
		notices, _, err := s.UntoldAlerts(t.Context(), 10)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, n := range notices {
			got = append(got, fmt.Sprintf("%s %s %s", n.Kind, *n.DeliveryID, n.Text))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	want()
	if _, err := s.ArchiveCoupon(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if batch, err := s.NextBatch(t.Context(), stopped, 10); batch != nil || err != nil {
		t.Fatalf("got %+v, %v", batch, err)
	}
	ofStop := `DELIVERY_STOPPED delivery_1 The delivery "Newsletter" was stopped by the server: The coupon is archived.`
	want(ofStop)
	if err := s.PauseBySender(t.Context(), paused, "550 5.4.5 Quota exceeded"); err != nil {
		t.Fatal(err)
	}
	want(ofStop, `DELIVERY_PAUSED delivery_2 The delivery "Newsletter" was paused by the server: 550 5.4.5 Quota exceeded`)
	if _, err := s.ResumeDelivery(t.Context(), paused); err != nil {
		t.Fatal(err)
	}
	if _, err := s.PauseDelivery(t.Context(), paused); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"DELIVERY_STOPPED delivery_1 11-23 12:00"}, s.alerts(t, 10)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestRecordAlerts tells of each alert that begins once, of none that began while nobody was to be told, and of those that
// ended before they were told.
func TestRecordAlerts(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	record := func(isTold bool) {
		t.Helper()
		if err := s.RecordAlerts(t.Context(), isTold); err != nil {
			t.Fatal(err)
		}
	}
	untold := func(want ...string) []*coupon.AlertNotice {
		t.Helper()
		notices, times, err := s.UntoldAlerts(t.Context(), 100)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for i, n := range notices {
			id, _ := strings.CutPrefix(n.ID, s.ID()+"-alert-")
			subject := ""
			if n.CouponID != nil {
				subject = string(*n.CouponID)
			}
			got = append(got, fmt.Sprintf("%s %s %s %d %s", id, n.Kind, subject, n.Attempts, times[i].Format("15:04:05")))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("untold (-want +got):\n%s", diff)
		}
		return notices
	}
	first := s.newCoupon(t, withThreshold(2))
	record(false)
	record(true)
	untold()
	second := s.newCoupon(t, withThreshold(2))
	for range 2 {
		record(true)
		untold("2 LOW_STOCK coupon_2 0 12:00:00")
	}
	before := s.Statements()
	record(true)
	if count := s.Statements() - before; count != 3 {
		t.Errorf("%d statements although nothing changed", count)
	}
	s.codes(t, first, "", "A1", "A2")
	s.codes(t, second, "", "B1", "B2")
	s.clock.Advance(time.Minute)
	record(true)
	notices := untold("2 LOW_STOCK coupon_2 0 12:00:00")
	if err := s.SettleAlert(t.Context(), notices[0], s.Now().Add(time.Minute), false); err != nil {
		t.Fatal(err)
	}
	s.reopen(t)
	notices = untold("2 LOW_STOCK coupon_2 1 12:02:00")
	if n := notices[0]; n.Text != `"Winter sale" runs low: 0 of 0 codes are available, less than 2.` || !n.BeganAt.Equal(noon()) || !n.At.Equal(noon()) {
		t.Errorf("got %+v", n)
	}
	if err := s.SettleAlert(t.Context(), notices[0], time.Time{}, true); err != nil {
		t.Fatal(err)
	}
	untold()
	if _, err := s.VoidCodes(t.Context(), &db.CodeSelection{CouponID: second, Values: []string{"B1"}}); err != nil {
		t.Fatal(err)
	}
	record(true)
	untold("3 LOW_STOCK coupon_2 0 12:01:00")
}
