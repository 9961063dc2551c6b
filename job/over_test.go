package job_test

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"couponql/coupon"
	"couponql/courier"
	"couponql/sender/mailtest"
)

// endIn has a coupon end after a time.
func (s *scene) endIn(t *testing.T, id coupon.ID, after time.Duration) {
	t.Helper()
	end := coupon.DateTime(s.Now().Add(after).Format(time.RFC3339))
	if _, err := s.UpdateCoupon(t.Context(), id,
		&coupon.CouponChanges{EndsAt: coupon.Set(&end)}); err != nil {
		t.Fatal(err)
	}
}

// readyAnonymous makes a delivery of a coupon with one code for everybody, which may be redeemed
// limit times.
func (s *scene) readyAnonymous(t *testing.T, count, limit int) (couponID, id coupon.ID) {
	t.Helper()
	c, err := s.CreateCoupon(t.Context(), &coupon.CouponChanges{
		Type: coupon.TypeAnonymous, Label: coupon.Set(new("Welcome")),
		Code:            coupon.Set(new("HELLO")),
		StartsAt:        coupon.Set(new(coupon.DateTime("2026-11-01"))),
		RedemptionLimit: coupon.Set(&limit),
	})
	if err != nil {
		t.Fatal(err)
	}
	_, id = s.ready(t, count, func(d *coupon.DeliveryChanges) {
		d.CouponID, d.Body = coupon.Set(&c.ID), coupon.Set(new("Code: {{ coupon.code }}"))
	})
	return c.ID, id
}

// TestCouponIsOver: whatever holds a delivery up, nothing leaves once its coupon is over: it stops
// itself, with a reason, a line in its log and an alert, and the codes go back.
func TestCouponIsOver(t *testing.T) {
	t.Parallel()
	individual := func(t *testing.T, s *scene) (couponID, id coupon.ID) {
		t.Helper()
		return s.ready(t, 3)
	}
	unlimited := func(t *testing.T, s *scene) (couponID, id coupon.ID) {
		t.Helper()
		return s.readyAnonymous(t, 3, 9)
	}
	ends := func(t *testing.T, s *scene, couponID coupon.ID) {
		t.Helper()
		s.endIn(t, couponID, time.Minute)
		s.pass(2 * time.Minute)
	}
	// inPause sends one of three messages, and has the delivery paused meanwhile.
	inPause := func(t *testing.T, s *scene, id coupon.ID, meanwhile func()) {
		t.Helper()
		s.start(t, 1)
		s.wait(t, id, func(d *coupon.Delivery) bool { return d.Counts.Sent == 1 })
		if _, err := s.PauseDelivery(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		meanwhile()
		if _, err := s.ResumeDelivery(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		name  string
		ready func(*testing.T, *scene) (couponID, id coupon.ID)
		run   func(t *testing.T, s *scene, couponID, id coupon.ID)
		// sent is how many messages left before, available how many codes are free in the end.
		sent, available int
		reason          coupon.CancelReason
	}{
		{"a pause", individual, func(t *testing.T, s *scene, couponID, id coupon.ID) {
			t.Helper()
			inPause(t, s, id, func() { ends(t, s, couponID) })
		}, 1, 2, coupon.CancelCouponEnded},
		{"a slow rate", individual, func(t *testing.T, s *scene, couponID, id coupon.ID) {
			t.Helper()
			s.start(t, 0.5)
			s.wait(t, id, func(d *coupon.Delivery) bool { return d.Counts.Sent == 1 })
			ends(t, s, couponID)
		}, 1, 2, coupon.CancelCouponEnded},
		{"retries", individual, func(t *testing.T, s *scene, couponID, id coupon.ID) {
			t.Helper()
			out := newFlaky(func(*coupon.OutgoingMessage, int) coupon.Attempt { return postpone })
			s.startSender(t, out)
			s.waitTimes(t, id, out, 3)
			s.wait(t, id,
				func(*coupon.Delivery) bool { return s.messages(t, id)[2].Failure != nil })
			ends(t, s, couponID)
		}, 0, 3, coupon.CancelCouponEnded},
		{"a restart", individual, func(t *testing.T, s *scene, couponID, id coupon.ID) {
			t.Helper()
			runner := s.start(t, 1)
			s.wait(t, id, func(d *coupon.Delivery) bool { return d.Counts.Sent == 1 })
			runner.Stop()
			ends(t, s, couponID)
			s.start(t, 0)
		}, 1, 2, coupon.CancelCouponEnded},
		{"its last batch", individual, func(t *testing.T, s *scene, couponID, _ coupon.ID) {
			t.Helper()
			out := asking(newFlaky(acceptAll))
			out.between = func(place int) {
				if place == 1 {
					ends(t, s, couponID)
				}
			}
			s.startSender(t, out)
		}, 1, 2, coupon.CancelCouponEnded},
		{"a new beginning", individual, func(t *testing.T, s *scene, couponID, id coupon.ID) {
			t.Helper()
			inPause(t, s, id, func() {
				begin := coupon.DateTime("2026-12-01")
				if _, err := s.UpdateCoupon(t.Context(), couponID,
					&coupon.CouponChanges{StartsAt: coupon.Set(&begin)}); err != nil {
					t.Fatal(err)
				}
			})
		}, 1, 2, coupon.CancelCouponNotStarted},
		{"anonymous, a pause", unlimited, func(t *testing.T, s *scene, couponID, id coupon.ID) {
			t.Helper()
			inPause(t, s, id, func() { ends(t, s, couponID) })
		}, 1, 3, coupon.CancelCouponEnded},
		{"anonymous, used up", func(t *testing.T, s *scene) (couponID, id coupon.ID) {
			t.Helper()
			return s.readyAnonymous(t, 3, 2)
		}, func(t *testing.T, s *scene, _, id coupon.ID) {
			t.Helper()
			inPause(t, s, id, func() {
				for range 2 {
					if _, err := s.Redeem(t.Context(),
						&coupon.RedeemRequest{Value: "HELLO"}); err != nil {
						t.Fatal(err)
					}
				}
			})
		}, 1, 3, coupon.CancelLimitReached},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			couponID, id := test.ready(t, s)
			s.confirm(t, id)
			test.run(t, s, couponID, id)
			d := s.wait(t, id,
				func(d *coupon.Delivery) bool { return d.Status == coupon.DeliveryStopped })
			if d.Counts != (coupon.MessageCounts{
				Sent: test.sent, Canceled: 3 - test.sent, Total: 3,
			}) {
				t.Errorf("got %+v", d.Counts)
			}
			counts, err := s.CanceledBy(t.Context(), []coupon.ID{id})
			if err != nil || len(counts[id]) != 1 ||
				*counts[id][0] != (coupon.CancelCount{Reason: test.reason, Count: 3 - test.sent}) {
				t.Errorf("got %+v, %v", counts[id], err)
			}
			if logged := lastLog(t, s, id); !strings.HasPrefix(logged,
				"Stopped by the server: "+test.reason.Text()) {
				t.Errorf("the log says %q", logged)
			}
			s.wantStopAlert(t, id, test.reason)
			if free := s.freeCodes(t); free != test.available {
				t.Errorf("%d codes are free, want %d", free, test.available)
			}
			s.checkSound(t)
		})
	}
}

// freeCodes counts the codes of all coupons that no message has.
func (s *scene) freeCodes(t *testing.T) int {
	t.Helper()
	list, err := s.Coupons(t.Context(), nil, coupon.OrderCreatedAtAsc,
		coupon.Page{First: 10, WantsItems: true})
	if err != nil {
		t.Fatal(err)
	}
	free := 0
	for _, c := range list.Items {
		codes, err := s.CodesOf(t.Context(), []coupon.ID{c.ID}, nil,
			coupon.Page{First: 10, WantsItems: true}, coupon.AnyState)
		if err != nil {
			t.Fatal(err)
		}
		for _, code := range codes[c.ID].Items {
			if code.MessageID == nil {
				free++
			}
		}
	}
	return free
}

// wantStopAlert fails the test unless there is an alert that a delivery stopped itself.
func (s *scene) wantStopAlert(t *testing.T, id coupon.ID, reason coupon.CancelReason) {
	t.Helper()
	alerts, err := s.Alerts(t.Context(), coupon.Page{First: 10, WantsItems: true})
	if err != nil {
		t.Fatal(err)
	}
	want := `The delivery "News" was stopped by the server: ` + reason.Text()
	for _, a := range alerts.Items {
		if a.Kind == coupon.AlertDeliveryStopped && *a.DeliveryID == id && a.Text == want {
			return
		}
	}
	t.Errorf("the alerts are %+v, want %q", alerts.Items, want)
}

// TestResendIsJudged: a message is judged when it is sent again at the last moment before it
// leaves; a proof is for who tries it, whatever holds of the recipient.
func TestResendIsJudged(t *testing.T) {
	t.Parallel()
	var isChanging atomic.Bool
	var once sync.Once
	var s *scene
	server := mailtest.Start(t, func(e mailtest.Event) mailtest.Reply {
		if e.Step == mailtest.Data && isChanging.Load() {
			// The mail server waits for the content.
			once.Do(func() { s.object(t) })
		}
		return mailtest.Reply{}
	})
	s, out := newMailScene(t, server)
	_, id := s.ready(t, 1)
	s.confirm(t, id)
	s.wait(t, id, isFinished)
	c := courier.New(s.Store, out, nil)
	message := s.messages(t, id)[0].ID
	if m, err := c.Resend(t.Context(), message); err != nil || m.Attempts != 2 {
		t.Fatalf("got %+v, %v", m, err)
	}
	isChanging.Store(true)
	_, err := c.Resend(t.Context(), message)
	problem, isUser := errors.AsType[*coupon.UserError](err)
	if !isUser || problem.Code != coupon.ErrorInvalidState ||
		!strings.Contains(problem.Message, coupon.CancelNotContactable.Text()) {
		t.Errorf("got %v", err)
	}
	if m := s.messages(t, id)[0]; m.Status != coupon.MessageSent || m.Attempts != 2 {
		t.Errorf("got %+v", m)
	}
	if got := len(server.Letters()); got != 2 {
		t.Errorf("%d letters, want 2", got)
	}
	if _, err := c.SendProof(t.Context(), id, nil, []string{"tester@example.com"}); err != nil {
		t.Error(err)
	}
	if got := len(server.Letters()); got != 3 {
		t.Errorf("%d letters, want 3", got)
	}
	s.checkSound(t)
}
