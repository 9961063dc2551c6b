package db_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"couponql/coupon"
)

func bySportFilter(sport string) *coupon.RecipientFilter {
	return &coupon.RecipientFilter{Attributes: []*coupon.AttributeFilter{{Name: "sport", In: []string{sport}}}}
}

// counts returns how many targets deliveries have.
func counts(deliveries []*coupon.Delivery) []int {
	var targets []int
	for _, d := range deliveries {
		targets = append(targets, d.TargetCount)
	}
	return targets
}

// TestSplitDelivery tells whom each part takes, what the new deliveries are like, and what is left of the old one.
func TestSplitDelivery(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c, other := s.newCoupon(t), s.newCoupon(t)
	s.codes(t, c, "", numbered("A", 20)...)
	s.codes(t, other, "", numbered("B", 20)...)
	id := s.newDelivery(t, c, s.recipients(t, 20, "tennis", "soccer", "golf", "ski"), func(d *coupon.DeliveryChanges) { d.MessageLimit = coupon.Set(new(10)) })
	s.analyze(t, id, coupon.DeliveryReady)
	parts, err := s.SplitDelivery(t.Context(), id, coupon.SplitParts{
		{Label: "rest", Rest: true, CouponID: &other},
		{Label: "tennis", Filter: bySportFilter("tennis")},
		{Label: "three", Count: new(3)},
		{Label: "quarter", Percent: new(25.0)},
		{Label: "nobody", Filter: bySportFilter("tennis")},
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int{7, 5, 3, 5, 0}, counts(parts)); diff != "" {
		t.Errorf("targets (-want +got):\n%s", diff)
	}
	for i, d := range parts {
		couponID := c
		if i == 0 {
			couponID = other
		}
		if d.Status != coupon.DeliveryEditing || *d.CouponID != couponID || d.Body != "{{ couponValue.code }}" || d.MessageLimit != nil || d.Analysis != nil {
			t.Errorf("part %d: %+v", i, d)
		}
	}
	rest := s.delivery(t, id)
	if rest.TargetCount != 0 || rest.Status != coupon.DeliveryEditing {
		t.Errorf("the delivery that was split: %+v", rest)
	}
	if log := s.log(t, id); !strings.Contains(strings.Join(log, "\n"), "10 held codes are free again") {
		t.Errorf("log: %v", log)
	}
	s.wantAvailability(t, c, "available 20")
	for _, d := range parts[:4] {
		s.confirm(t, d.ID)
		s.send(t, d.ID)
	}
	s.wantAvailability(t, c, "available 7, assigned 13")
	s.wantAvailability(t, other, "available 13, assigned 7")
	s.checkSound(t)
}

// TestSplitDeliveryRefuses tells what is not split.
func TestSplitDeliveryRefuses(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c, archived := s.newCoupon(t), s.newCoupon(t)
	if _, err := s.ArchiveCoupon(t.Context(), archived); err != nil {
		t.Fatal(err)
	}
	s.codes(t, c, "", numbered("A", 3)...)
	recipients := s.recipients(t, 3)
	id := s.newDelivery(t, c, recipients)
	done := s.deliver(t, c, recipients)
	rest := coupon.SplitParts{{Label: "rest", Rest: true}}
	tooMany := &coupon.RecipientFilter{ExternalIDs: slices.Repeat([]string{"x"}, coupon.MaxUpsertedRecipients+1)}
	for _, test := range []struct {
		id    coupon.ID
		parts coupon.SplitParts
		code  coupon.ErrorCode
		field string
	}{
		{"delivery_99", rest, coupon.ErrorNotFound, "input.deliveryId"},
		{done, rest, coupon.ErrorInvalidState, "input.deliveryId"},
		{id, nil, coupon.ErrorInvalid, "input.parts"},
		{
			id,
			coupon.SplitParts{{Label: "a", Count: new(1)}, {Label: "b", Rest: true, CouponID: new(coupon.ID("coupon_9"))}},
			coupon.ErrorNotFound, "input.parts.1.couponId",
		},
		{id, coupon.SplitParts{{Label: "b", Rest: true, CouponID: &archived}}, coupon.ErrorInvalidState, "input.parts.0.couponId"},
		{id, coupon.SplitParts{{Label: "b", Filter: tooMany}}, coupon.ErrorInvalid, "input.parts.0.filter.externalIds"},
	} {
		_, err := s.SplitDelivery(t.Context(), test.id, test.parts)
		wantError(t, err, test.code, test.field)
	}
	if d := s.delivery(t, id); d.TargetCount != 3 {
		t.Errorf("a split that was refused left %d targets", d.TargetCount)
	}
	s.checkSound(t)
}

// TestSplitDeliveryAddsUp draws parts at random: every target is in exactly one delivery.
func TestSplitDeliveryAddsUp(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	sports := []string{"tennis", "soccer", "golf"}
	recipients := s.recipients(t, 30, sports...)
	rapid.Check(t, func(rt *rapid.T) {
		id := s.newDelivery(t, "", recipients[:rapid.IntRange(1, len(recipients)).Draw(rt, "targets")])
		total := s.delivery(t, id).TargetCount
		var parts coupon.SplitParts
		for i := range rapid.IntRange(1, 5).Draw(rt, "parts") {
			part := &coupon.SplitPart{Label: fmt.Sprint("part ", i)}
			switch rapid.IntRange(0, 3).Draw(rt, "kind") {
			case 0:
				part.Count = new(rapid.IntRange(1, 10).Draw(rt, "count"))
			case 1:
				part.Percent = new(rapid.Float64Range(0.1, 20).Draw(rt, "percent"))
			case 2:
				part.Filter = bySportFilter(rapid.SampledFrom(sports).Draw(rt, "sport"))
			default:
				part.Rest = !slices.ContainsFunc(parts, func(p *coupon.SplitPart) bool { return p.Rest })
				if !part.Rest {
					part.Count = new(1)
				}
			}
			parts = append(parts, part)
		}
		made, err := s.SplitDelivery(t.Context(), id, parts)
		if err != nil {
			rt.Fatal(err)
		}
		left := s.delivery(t, id).TargetCount
		for _, count := range counts(made) {
			left += count
		}
		if left != total {
			rt.Fatalf("%v and the rest make %d instead of %d", counts(made), left, total)
		}
		if slices.ContainsFunc(parts, func(p *coupon.SplitPart) bool { return p.Rest }) && s.delivery(t, id).TargetCount > 0 {
			rt.Fatal("a rest left somebody")
		}
	})
	s.checkSound(t)
}

// TestSimulateDelivery tells what an analysis would say, and that nothing is held or written.
func TestSimulateDelivery(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c, other := s.newCoupon(t), s.newCoupon(t)
	s.codes(t, c, "tennis", numbered("A", 4)...)
	s.codes(t, other, "", numbered("B", 20)...)
	id := s.newDelivery(t, c, s.recipients(t, 9, "tennis", "soccer", "golf"))
	before := s.log(t, id)
	for name, test := range map[string]struct {
		changes coupon.DeliveryChanges
		filter  *coupon.RecipientFilter
		want    string
	}{
		"as it is": {want: "9 messages, 9 codes of 4, short 5, false"},
		"limited":  {changes: coupon.DeliveryChanges{MessageLimit: coupon.Set(new(4))}, want: "4 messages, 4 codes of 4, short 0, true"},
		"filtered": {filter: bySportFilter("golf"), want: "3 messages, 3 codes of 4, short 0, true"},
		"labels":   {changes: coupon.DeliveryChanges{MatchLabelTo: coupon.Set(new("sport"))}, want: "9 messages, 9 codes of 4, short 6, false"},
		"other":    {changes: coupon.DeliveryChanges{CouponID: coupon.Set(&other)}, want: "9 messages, 9 codes of 20, short 0, true"},
		"too early": {
			changes: coupon.DeliveryChanges{CouponID: coupon.Set(&other), ContactAt: coupon.Set(new(coupon.DateTime("2026-10-01")))},
			want:    "9 messages, 9 codes of 20, short 0, true",
		},
		"no coupon": {changes: coupon.DeliveryChanges{CouponID: coupon.Set[coupon.ID](nil)}, want: "9 messages, 0 codes of 0, short 0, true"},
	} {
		analysis, problems, err := s.SimulateDelivery(t.Context(), id, &test.changes, test.filter, fine)
		if err != nil || len(problems) > 0 {
			t.Fatal(name, err, problems)
		}
		got := fmt.Sprintf(
			"%d messages, %d codes of %d, short %d, %t",
			analysis.MessageCount,
			analysis.CodesNeeded,
			analysis.CodesAvailable,
			analysis.CodesShort,
			analysis.IsSufficient,
		)
		if got != test.want {
			t.Errorf("%s: got %s, want %s", name, got, test.want)
		}
		if analysis.HeldUntil != nil || len(analysis.Lines) == 0 {
			t.Errorf("%s: held until %v, log %v", name, analysis.HeldUntil, analysis.Lines)
		}
	}
	if d := s.delivery(t, id); d.Status != coupon.DeliveryEditing || d.Analysis != nil || d.MessageLimit != nil {
		t.Errorf("a simulation changed the delivery: %+v", d)
	}
	if diff := cmp.Diff(before, s.log(t, id)); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
	s.wantAvailability(t, c, "available 4")
	done := s.deliver(t, other, s.recipients(t, 1))
	for _, test := range []struct {
		id      coupon.ID
		changes coupon.DeliveryChanges
		code    coupon.ErrorCode
		field   string
	}{
		{"delivery_9", coupon.DeliveryChanges{}, coupon.ErrorNotFound, "input.id"},
		{done, coupon.DeliveryChanges{}, coupon.ErrorInvalidState, "input.id"},
		{id, coupon.DeliveryChanges{CouponID: coupon.Set(new(coupon.ID("coupon_9")))}, coupon.ErrorNotFound, "input.couponId"},
		{id, coupon.DeliveryChanges{MessageLimit: coupon.Set(new(-1))}, coupon.ErrorInvalid, "input.messageLimit"},
	} {
		_, _, err := s.SimulateDelivery(t.Context(), test.id, &test.changes, nil, fine)
		wantError(t, err, test.code, test.field)
	}
	s.checkSound(t)
}
