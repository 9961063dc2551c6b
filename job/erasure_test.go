package job_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"couponql/coupon"
)

// TestEraseWhileSending erases a part of the recipients while their messages go out: each message
// was sent or was canceled, and the outbox has those that were sent.
func TestEraseWhileSending(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	const count = 3000
	couponID, id := s.ready(t, count)
	s.confirm(t, id)
	s.start(t, 1000)
	var externalIDs []string
	for i := range count {
		if i%3 == 0 {
			externalIDs = append(externalIDs, fmt.Sprintf("r%d", i))
		}
	}
	canceled := 0
	for part := range 4 {
		erasure, err := s.EraseRecipients(t.Context(), nil,
			externalIDs[part*len(externalIDs)/4:(part+1)*len(externalIDs)/4])
		if err != nil {
			t.Fatal(err)
		}
		canceled += erasure.CanceledMessageCount
	}
	var d *coupon.Delivery
	for deadline := time.Now().Add(time.Minute); d == nil || d.Status != coupon.DeliveryFinished &&
		time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		found, err := s.DeliveriesByID(t.Context(), []coupon.ID{id})
		if err != nil {
			t.Fatal(err)
		}
		d = found[id]
	}
	if d.Status != coupon.DeliveryFinished || d.Counts.Canceled != canceled ||
		d.Counts.Sent+canceled != count || canceled == 0 {
		t.Errorf("%d were canceled, and the delivery is %s %+v", canceled, d.Status, d.Counts)
	}
	outbox, err := os.ReadFile(filepath.Join(s.folder, string(id)+".mbox"))
	if err != nil {
		t.Fatal(err)
	}
	if sent := strings.Count(string(outbox), "\nMessage-ID: "); sent != d.Counts.Sent {
		t.Errorf("the outbox has %d messages, %d were sent", sent, d.Counts.Sent)
	}
	found, err := s.Availabilities(t.Context(), []coupon.ID{couponID})
	if err != nil || found[couponID].Available != canceled {
		t.Errorf("%+v, %v; %d codes should be free", found[couponID], err, canceled)
	}
	report, err := s.IntegrityReport(t.Context())
	if err != nil || !report.IsSound() {
		t.Errorf("%+v, %v", report.Broken(), err)
	}
}
