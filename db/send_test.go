package db_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"couponql/coupon"
	"couponql/db"
)

// TestSendDelivery sends after a template: the targets are those that were asked for, each gets a
// code, the template stays as it is, and a key sends once.
func TestSendDelivery(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.newCoupon(t)
	s.codes(t, c, "", numbered("A", 10)...)
	people := s.recipients(t, 5)
	template := s.newDelivery(t, c, people[:2])
	before := s.delivery(t, template)
	ctx := once(t.Context(), "key_1", "K", "sendDelivery", "digest")
	o := &db.Sendout{
		TemplateID: template, Label: new(" Night "), RecipientIDs: people[1:4], WithTargets: true,
	}
	sent, problems, err := s.SendDelivery(ctx, o, fine)
	if err != nil || problems != nil {
		t.Fatalf("%v, %v", problems, err)
	}
	if sent.Label != "Night" || sent.Status != coupon.DeliveryInProgress || sent.TargetCount != 4 ||
		sent.Counts.Total != 4 || sent.ID == template {
		t.Errorf("sent %+v", sent)
	}
	s.send(t, sent.ID)
	again, problems, err := s.SendDelivery(ctx, o, fine)
	if err != nil || problems != nil || again.ID != sent.ID ||
		again.Status != coupon.DeliveryFinished {
		t.Errorf("once more: %+v, %v, %v", again, problems, err)
	}
	if after := s.delivery(t, template); after.Status != before.Status || after.TargetCount != 2 {
		t.Errorf("the template became %+v", after)
	}
	later := coupon.DateTime("2026-11-30T08:00")
	planned, problems, err := s.SendDelivery(t.Context(), &db.Sendout{
		TemplateID: sent.ID, ContactAt: &later, Filter: &coupon.RecipientFilter{},
	}, fine)
	if err != nil || problems != nil || planned.Status != coupon.DeliveryScheduled ||
		planned.TargetCount != 5 {
		t.Errorf("planned %+v, %v, %v", planned, problems, err)
	}
	s.wantAvailability(t, c, "available 1, assigned 9")
	s.checkSound(t)
}

// TestSendDeliveryWithoutCodes: nothing is sent and nothing held, the analysis tells what is
// missing, and the same key sends the same delivery once there are codes.
func TestSendDeliveryWithoutCodes(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.newCoupon(t)
	s.codes(t, c, "", numbered("A", 2)...)
	template := s.newDelivery(t, c, s.recipients(t, 5))
	ctx := once(t.Context(), "key_1", "K", "sendDelivery", "digest")
	o := &db.Sendout{TemplateID: template, WithTargets: true}
	short, problems, err := s.SendDelivery(ctx, o, fine)
	if err != nil || len(problems) != 1 || problems[0].Code != coupon.ErrorInsufficientCodes ||
		!strings.Contains(problems[0].Message, "needs 5 codes; missing: 3.") {
		t.Fatalf("%+v, %v", problems, err)
	}
	if short.Status != coupon.DeliveryEditing || short.TargetCount != 5 ||
		short.Analysis.CodesShort != 3 || len(short.Analysis.Remedies) == 0 {
		t.Errorf("short: %+v", short)
	}
	s.wantAvailability(t, c, "available 2")
	s.codes(t, c, "", numbered("B", 3)...)
	s.reopen(t)
	sent, problems, err := s.SendDelivery(ctx, o, fine)
	if err != nil || problems != nil || sent.ID != short.ID || sent.Counts.Total != 5 {
		t.Errorf("with codes: %+v, %v, %v", sent, problems, err)
	}
	s.wantAvailability(t, c, "assigned 5")
	s.checkSound(t)
}

// TestSendDeliveryRefuses tells what makes nothing, and what makes a delivery that is not sent.
func TestSendDeliveryRefuses(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.newCoupon(t)
	s.codes(t, c, "", numbered("A", 5)...)
	people := s.recipients(t, 2)
	template := s.newDelivery(t, c, people)
	badTime := coupon.DateTime("soon")
	for _, test := range []struct {
		sendout db.Sendout
		code    coupon.ErrorCode
		field   string
	}{
		{db.Sendout{TemplateID: template}, coupon.ErrorInvalid, "input"},
		{
			db.Sendout{TemplateID: "delivery_9", WithTargets: true},
			coupon.ErrorNotFound,
			"input.templateId",
		},
		{
			db.Sendout{TemplateID: template, RecipientIDs: []coupon.ID{people[0], "recipient_9"}},
			coupon.ErrorNotFound, "input.recipientIds",
		},
		{
			db.Sendout{TemplateID: template, WithTargets: true, Label: new("")},
			coupon.ErrorInvalid, "input.label",
		},
		{
			db.Sendout{TemplateID: template, WithTargets: true, ContactAt: &badTime},
			coupon.ErrorInvalid, "input.contactAt",
		},
		{
			db.Sendout{
				TemplateID:   template,
				RecipientIDs: make([]coupon.ID, coupon.MaxUpsertedRecipients+1),
			}, coupon.ErrorInvalid, "input.recipientIds",
		},
	} {
		_, _, err := s.SendDelivery(t.Context(), &test.sendout, fine)
		wantError(t, err, test.code, test.field)
	}
	if found, err := s.DeliveriesByID(t.Context(), []coupon.ID{"delivery_2"}); err != nil ||
		len(found) != 0 {
		t.Errorf("a refusal made %v, %v", found, err)
	}
	nobody, problems, err := s.SendDelivery(t.Context(),
		&db.Sendout{TemplateID: template, RecipientIDs: []coupon.ID{}}, fine)
	if err != nil || len(problems) != 1 || problems[0].Code != coupon.ErrorInvalidState ||
		nobody.Status != coupon.DeliveryEditing {
		t.Errorf("to nobody: %+v, %+v, %v", nobody, problems, err)
	}
	s.wantAvailability(t, c, "available 5")
	s.checkSound(t)
}

// TestSendDeliveryAtTheSameTime asks with one key from many sides, some of which go away: one
// delivery is made and sent, and who stays is told it.
func TestSendDeliveryAtTheSameTime(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.newCoupon(t)
	s.codes(t, c, "", numbered("A", 30)...)
	o := &db.Sendout{TemplateID: s.newDelivery(t, c, s.recipients(t, 10)), WithTargets: true}
	var mu sync.Mutex
	sent := map[coupon.ID]int{}
	var group sync.WaitGroup
	for i := range 16 {
		group.Go(func() {
			ctx, cancel := context.WithCancel(
				once(t.Context(), "key_1", "K", "sendDelivery", "digest"))
			defer cancel()
			if i%4 == 0 {
				time.AfterFunc(time.Duration(i)*time.Millisecond, cancel)
			}
			d, problems, err := s.SendDelivery(ctx, o, fine)
			if errors.Is(err, context.Canceled) {
				return
			}
			if err != nil || problems != nil || d.Counts.Total != 10 {
				t.Errorf("%+v, %v, %v", d, problems, err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			sent[d.ID]++
		})
	}
	group.Wait()
	if len(sent) != 1 {
		t.Errorf("sent %v", sent)
	}
	s.wantAvailability(t, c, "available 20, assigned 10")
	s.checkSound(t)
}
