package job_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"couponql/coupon"
	"couponql/db"
	"couponql/sender"
)

// asking is a flaky sender that asks before each message leaves, as the real ones do.
func asking(f *flaky) *asker { return &asker{flaky: f} }

type asker struct {
	*flaky

	// between is called before each question; nil: not.
	between func(place int)
}

func (a *asker) Traits() sender.Traits { return sender.Traits{MaxBatch: a.maxBatch} }

func (a *asker) Send(ctx context.Context, batch *sender.Batch) ([]coupon.Attempt, error) {
	attempts := make([]coupon.Attempt, len(batch.Messages))
	for i := range batch.Messages {
		if a.between != nil {
			a.between(i)
		}
		if !batch.Leave(i) {
			attempts[i] = coupon.Attempt{Result: coupon.AttemptWithheld}
			continue
		}
		one := *batch
		one.Messages, one.Leave = batch.Messages[i:i+1], nil
		results, err := a.flaky.Send(ctx, &one)
		if err != nil {
			return nil, err
		}
		attempts[i] = results[0]
	}
	return attempts, nil
}

func acceptAll(*coupon.OutgoingMessage, int) coupon.Attempt { return accept }

// object has the first recipient of the scene object.
func (s *scene) object(t *testing.T) {
	t.Helper()
	list, err := s.Recipients(t.Context(), nil, coupon.Page{First: 1, WantsItems: true})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.UpsertRecipients(t.Context(), []*coupon.RecipientChanges{{
		ExternalID: list.Items[0].ExternalID, IsContactable: coupon.Set(new(false)),
	}})
	if err != nil {
		t.Fatal(err)
	}
}

// TestChangedBeforeSending changes something of one or all messages before they leave, by a sender
// and by the outbox: what may not leave is canceled with its reason, and its code goes back where
// nobody can have it.
func TestChangedBeforeSending(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		change func(t *testing.T, s *scene, couponID coupon.ID)
		// sent is how many of three messages leave, available how many codes are free in the end.
		sent, available int
		reason          coupon.CancelReason
		status          coupon.DeliveryStatus
	}{
		{
			"objected", func(t *testing.T, s *scene, _ coupon.ID) { t.Helper(); s.object(t) }, 2, 1,
			coupon.CancelNotContactable, coupon.DeliveryFinished,
		},
		{"redeemed", func(t *testing.T, s *scene, id coupon.ID) {
			t.Helper()
			if _, err := s.Redeem(t.Context(),
				&coupon.RedeemRequest{Value: string(id) + "-00001"}); err != nil {
				t.Fatal(err)
			}
		}, 2, 0, coupon.CancelCodeRedeemed, coupon.DeliveryFinished},
		{"ended", func(t *testing.T, s *scene, id coupon.ID) {
			t.Helper()
			_, err := s.UpdateCoupon(t.Context(), id, &coupon.CouponChanges{
				EndsAt: coupon.Set(new(coupon.DateTime(s.Now().Format(time.RFC3339)))),
			})
			if err != nil {
				t.Fatal(err)
			}
		}, 0, 3, coupon.CancelCouponEnded, coupon.DeliveryStopped},
		{"archived", func(t *testing.T, s *scene, id coupon.ID) {
			t.Helper()
			if _, err := s.ArchiveCoupon(t.Context(), id); err != nil {
				t.Fatal(err)
			}
		}, 0, 3, coupon.CancelCouponArchived, coupon.DeliveryStopped},
	} {
		for _, hasSender := range []bool{true, false} {
			t.Run(fmt.Sprint(test.name, " sender ", hasSender), func(t *testing.T) {
				t.Parallel()
				s := newScene(t)
				couponID, id := s.ready(t, 3)
				s.confirm(t, id)
				test.change(t, s, couponID)
				out := asking(newFlaky(acceptAll))
				if hasSender {
					s.startSender(t, out)
				} else {
					s.start(t, 0)
				}
				d := s.wait(t, id, func(d *coupon.Delivery) bool { return d.Status == test.status })
				if d.Counts.Sent != test.sent || d.Counts.Canceled != 3-test.sent ||
					d.Counts.Pending != 0 {
					t.Errorf("got %+v", d.Counts)
				}
				if messages, _ := out.handOvers(); hasSender && messages != test.sent {
					t.Errorf("%d messages left, want %d", messages, test.sent)
				}
				counts, err := s.CanceledBy(t.Context(), []coupon.ID{id})
				if err != nil || len(counts[id]) != 1 || *counts[id][0] != (coupon.CancelCount{
					Reason: test.reason, Count: 3 - test.sent,
				}) {
					t.Errorf("got %+v, %v", counts[id], err)
				}
				free := 0
				for i := range 3 {
					code, err := s.CodeByValue(t.Context(), fmt.Sprintf("%s-%05d", couponID, i),
						coupon.AnyState)
					if err != nil {
						t.Fatal(err)
					}
					if code.MessageID == nil {
						free++
					}
				}
				if free != test.available {
					t.Errorf("%d codes have no message, want %d", free, test.available)
				}
				s.checkSound(t)
			})
		}
	}
}

// TestChangedInFlight changes something between two messages of a batch that a sender is busy with.
func TestChangedInFlight(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		change func(*scene, coupon.ID) error
		want   coupon.MessageCounts
		status coupon.DeliveryStatus
	}{
		{"paused", func(s *scene, id coupon.ID) error {
			_, err := s.PauseDelivery(t.Context(), id)
			return err
		}, coupon.MessageCounts{Pending: 2, Sent: 1, Total: 3}, coupon.DeliveryPaused},
		{"stopped", func(s *scene, id coupon.ID) error {
			_, err := s.StopDelivery(t.Context(), id)
			return err
		}, coupon.MessageCounts{Sent: 1, Canceled: 2, Total: 3}, coupon.DeliveryStopped},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			couponID, id := s.ready(t, 3)
			s.confirm(t, id)
			out := asking(newFlaky(acceptAll))
			out.between = func(place int) {
				if place != 1 {
					return
				}
				// The sender is busy; the answer comes all the same.
				if err := test.change(s, id); err != nil {
					t.Error(err)
				}
				if d := s.delivery(t, id); d.Status != test.status || d.Counts.InFlight != 1 {
					t.Errorf("got %s, %+v", d.Status, d.Counts)
				}
				// What a sender is busy with cannot be released.
				_, _, _, err := s.ReleaseCodes(t.Context(),
					&db.CodeSelection{CouponID: couponID, Filter: &coupon.CodeFilter{}},
					true, "mistake")
				if err != nil {
					t.Error(err)
				}
			}
			s.startSender(t, out)
			d := s.wait(t, id, func(d *coupon.Delivery) bool { return d.Counts.Sent == 1 })
			if d.Status != test.status || d.Counts != test.want {
				t.Errorf("got %s, %+v, want %+v", d.Status, d.Counts, test.want)
			}
			for _, m := range s.messages(t, id) {
				if m.Status == coupon.MessagePending && m.Attempts != 0 {
					t.Errorf("%s has %d attempts", m.ID, m.Attempts)
				}
			}
			s.checkSound(t)
			if test.status != coupon.DeliveryPaused {
				return
			}
			out.between = nil
			if _, err := s.ResumeDelivery(t.Context(), id); err != nil {
				t.Fatal(err)
			}
			s.wait(t, id, isFinished)
			if messages, times := out.handOvers(); messages != 3 || times != 3 {
				t.Errorf("%d messages left %d times", messages, times)
			}
			s.checkSound(t)
		})
	}
}

// TestUnknown: what was handed over and never answered is not repeated, keeps its code, and can be
// sent again by a person.
func TestUnknown(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	couponID, id := s.ready(t, 3)
	s.confirm(t, id)
	first := s.messages(t, id)[0].ID
	out := newFlaky(func(m *coupon.OutgoingMessage, _ int) coupon.Attempt {
		if m.MessageID == first {
			return coupon.Attempt{
				Result: coupon.AttemptUnknown, Reason: "no answer to the final dot",
			}
		}
		return accept
	})
	s.startSender(t, out)
	if d := s.wait(t, id,
		isFinished); d.Counts != (coupon.MessageCounts{Sent: 2, Unknown: 1, Total: 3}) {
		t.Errorf("got %+v", d.Counts)
	}
	if m := s.messages(t, id)[0]; m.Status != coupon.MessageUnknown || m.CodeID == nil ||
		m.Attempts != 1 {
		t.Errorf("got %+v", m)
	}
	s.wantAvailability(t, couponID, 0, 3)
	if _, _, err := s.ResendContent(t.Context(), first); err != nil {
		t.Error(err)
	}
	if m, err := s.RecordResend(t.Context(), first); err != nil || m.Status != coupon.MessageSent {
		t.Errorf("got %+v, %v", m, err)
	}
	if d := s.delivery(t, id); d.Counts != (coupon.MessageCounts{Sent: 3, Total: 3}) {
		t.Errorf("got %+v", d.Counts)
	}
	s.checkSound(t)
}

// TestPausedBySender: a refusal that is about the sender pauses the delivery, and costs no message
// anything.
func TestPausedBySender(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	_, id := s.ready(t, 3)
	s.confirm(t, id)
	out := newFlaky(func(*coupon.OutgoingMessage, int) coupon.Attempt {
		return coupon.Attempt{
			Result: coupon.AttemptRefused, About: coupon.AboutSender,
			Reason: "550 5.4.5 quota exceeded",
		}
	})
	s.startSender(t, out)
	d := s.wait(t, id, func(d *coupon.Delivery) bool { return d.Status == coupon.DeliveryPaused })
	if d.Counts != (coupon.MessageCounts{Pending: 3, Total: 3}) {
		t.Errorf("got %+v", d.Counts)
	}
	alerts, err := s.Alerts(t.Context(), coupon.Page{First: 10, WantsItems: true})
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, alert := range alerts.Items {
		found = found || alert.Kind == coupon.AlertDeliveryPaused && *alert.DeliveryID == id
	}
	if !found {
		t.Errorf("there is no alert: %+v", alerts.Items)
	}
	out.mu.Lock()
	out.decide = acceptAll
	out.mu.Unlock()
	if _, err := s.ResumeDelivery(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	s.wait(t, id, isFinished)
	s.checkSound(t)
}
