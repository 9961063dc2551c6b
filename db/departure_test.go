package db_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"couponql/coupon"
	"couponql/db"
)

// TestDepartures: of a batch that a dead server left open, what was answered is sent after the
// restart, what did not leave or was not taken waits as before, and only what left and was not
// answered is unknown, whatever happens to it before it is settled.
func TestDepartures(t *testing.T) {
	t.Parallel()
	do := func(use func(*db.Store, coupon.ID) error) func(
		*testing.T, *scene, coupon.ID, []coupon.ID,
	) {
		return func(t *testing.T, s *scene, id coupon.ID, _ []coupon.ID) {
			t.Helper()
			if err := use(s.Store, id); err != nil {
				t.Fatal(err)
			}
		}
	}
	pause := do(func(s *db.Store, id coupon.ID) error {
		_, err := s.PauseDelivery(t.Context(), id)
		return err
	})
	stop := do(func(s *db.Store, id coupon.ID) error {
		_, err := s.StopDelivery(t.Context(), id)
		return err
	})
	nothing := do(func(*db.Store, coupon.ID) error { return nil })
	for _, test := range []struct {
		name string
		// before happens while the batch is in flight, after when the server is there again.
		before, after func(*testing.T, *scene, coupon.ID, []coupon.ID)
		// restarted is what is known at once, want what comes of it, available how many of five
		// codes are free then.
		restarted, want coupon.MessageCounts
		available       int
	}{
		{
			"going on", nothing, nothing,
			coupon.MessageCounts{Sent: 1, Pending: 4, Total: 5},
			coupon.MessageCounts{Sent: 4, Unknown: 1, Total: 5},
			0,
		},
		{
			"stopped before", stop, nothing,
			coupon.MessageCounts{Sent: 1, Pending: 1, Canceled: 3, Total: 5},
			coupon.MessageCounts{Sent: 1, Unknown: 1, Canceled: 3, Total: 5},
			3,
		},
		{
			"paused before and stopped after", pause, stop,
			coupon.MessageCounts{Sent: 1, Pending: 4, Total: 5},
			coupon.MessageCounts{Sent: 1, Unknown: 1, Canceled: 3, Total: 5},
			3,
		},
		{"erased after", nothing, func(t *testing.T, s *scene, _ coupon.ID, people []coupon.ID) {
			t.Helper()
			if e, err := s.EraseRecipients(t.Context(), people, nil); err != nil ||
				e.CanceledMessageCount != 3 {
				t.Errorf("got %+v, %v", e, err)
			}
		}, coupon.MessageCounts{Sent: 1, Pending: 4, Total: 5}, coupon.MessageCounts{
			Sent: 1, Unknown: 1, Canceled: 3, Total: 5,
		}, 3},
		{"the coupon ended", nothing, func(t *testing.T, s *scene, _ coupon.ID, _ []coupon.ID) {
			t.Helper()
			s.clock.Advance(30 * 24 * time.Hour)
		}, coupon.MessageCounts{Sent: 1, Pending: 4, Total: 5}, coupon.MessageCounts{
			Sent: 1, Unknown: 1, Canceled: 3, Total: 5,
		}, 3},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			c := s.newCoupon(t, withEnd("2026-11-30"))
			s.codes(t, c, "", numbered("A", 5)...)
			people := s.recipients(t, 5)
			id := s.newDelivery(t, c, people)
			s.confirm(t, id)
			batch, err := s.NextBatch(t.Context(), id, 4)
			if err != nil {
				t.Fatal(err)
			}
			if err := batch.Begin(t.Context(), batch.Contents); err != nil {
				t.Fatal(err)
			}
			for i := range 3 {
				// Asked twice, it leaves once.
				for range 2 {
					if may, err := batch.Leave(t.Context(),
						&batch.Contents[i]); err != nil || !may {
						t.Fatalf("got %t, %v", may, err)
					}
				}
			}
			if d := s.delivery(t, id); d.Counts.InFlight != 3 {
				t.Errorf("%d messages are in flight, want 3", d.Counts.InFlight)
			}
			for place, isTaken := range []bool{true, false} {
				if err := batch.Answer(&batch.Contents[place], isTaken); err != nil {
					t.Fatal(err)
				}
			}
			test.before(t, s, id, people)
			batch.Release()
			s.reopen(t)
			if d := s.delivery(t, id); d.Counts != test.restarted {
				t.Errorf("after the restart: got %+v, want %+v", d.Counts, test.restarted)
			}
			s.checkSound(t)
			test.after(t, s, id, people)
			s.goOn(t, id)
			if d := s.delivery(t, id); d.Counts != test.want {
				t.Errorf("in the end: got %+v, want %+v", d.Counts, test.want)
			}
			statuses := s.messagesOf(t, id, nil)
			if statuses[0].Status != coupon.MessageSent ||
				statuses[2].Status != coupon.MessageUnknown {
				t.Errorf("what was taken is %s, what was not answered is %s", statuses[0].Status,
					statuses[2].Status)
			}
			free := 0
			for i := range 5 {
				if s.code(t, fmt.Sprintf("A%04d", i+1)).MessageID == nil {
					free++
				}
			}
			if free != test.available {
				t.Errorf("%d codes are free, want %d", free, test.available)
			}
			s.checkSound(t)
			s.reopen(t)
			s.wantNoDepartures(t)
		})
	}
}

// TestSettledBesideABatch: what a batch has and was not handed over is in no open batch: when
// others cancel it meanwhile, it is settled once, and the batch is recorded all the same.
func TestSettledBesideABatch(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*scene, coupon.ID, coupon.ID, []coupon.ID) error{
		"released": func(s *scene, c, id coupon.ID, _ []coupon.ID) error {
			if _, err := s.PauseDelivery(t.Context(), id); err != nil {
				return err
			}
			_, _, _, err := s.ReleaseCodes(t.Context(),
				&db.CodeSelection{CouponID: c, Filter: &coupon.CodeFilter{}}, true, "mistake")
			return err
		},
		"stopped": func(s *scene, _, id coupon.ID, _ []coupon.ID) error {
			_, err := s.StopDelivery(t.Context(), id)
			return err
		},
		"erased": func(s *scene, _, _ coupon.ID, people []coupon.ID) error {
			_, err := s.EraseRecipients(t.Context(), people[1:], nil)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			c := s.newCoupon(t)
			s.codes(t, c, "", numbered("A", 3)...)
			people := s.recipients(t, 3)
			id := s.newDelivery(t, c, people)
			s.confirm(t, id)
			batch, err := s.NextBatch(t.Context(), id, 10)
			if err != nil {
				t.Fatal(err)
			}
			// The first is handed over; the second may not leave, and the third could not be
			// rendered.
			if err := batch.Begin(t.Context(), batch.Contents[:1]); err != nil {
				t.Fatal(err)
			}
			if err := change(s, c, id, people); err != nil {
				t.Fatal(err)
			}
			err = batch.Record(t.Context(), &db.SentBatch{
				Sent: batch.Contents[:1], Withheld: batch.Contents[1:2], Failed: batch.Contents[2:],
				Failures: []string{"No."},
			})
			if err != nil {
				t.Fatal(err)
			}
			if d := s.delivery(t,
				id); d.Counts != (coupon.MessageCounts{Sent: 1, Canceled: 2, Total: 3}) {
				t.Errorf("got %+v", d.Counts)
			}
			s.wantAvailability(t, c, "available 2, assigned 1")
			s.checkSound(t)
		})
	}
}

// goOn sends what may leave, and settles what an earlier server left open, as jobs do for senders
// whose batches cannot be repeated.
func (s *scene) goOn(t *testing.T, id coupon.ID) {
	t.Helper()
	for {
		batch, err := s.NextBatch(t.Context(), id, 10)
		if err != nil {
			t.Fatal(err)
		}
		if batch == nil {
			return
		}
		outcome := &db.SentBatch{Sent: batch.Contents}
		if isInterrupted, _ := batch.IsInterrupted(); isInterrupted {
			outcome = batch.Abandon()
		}
		if err := batch.Record(t.Context(), outcome); err != nil {
			t.Fatal(err)
		}
	}
}

func (s *scene) wantNoDepartures(t *testing.T) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(s.path+".files", "departures-*"))
	if err != nil || len(files) != 1 {
		t.Fatalf("got %v, %v", files, err)
	}
	if info, err := os.Stat(files[0]); err != nil || info.Size() != 0 {
		t.Errorf("%d bytes of departures are left, %v", info.Size(), err)
	}
}
