package coupon

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestNewStockForecast(t *testing.T) {
	t.Parallel()
	now := instantOf(t, "2026-11-24T09:15:00.5Z")
	const day = 24 * time.Hour
	after := func(days float64) *time.Time {
		return new(now.Add(time.Duration(days * float64(day))).Truncate(time.Second))
	}
	planned := func(days float64, codes int) *PlannedDelivery {
		return &PlannedDelivery{
			ContactAt: now.Add(time.Duration(days * float64(day))), Codes: codes,
		}
	}
	tests := map[string]struct {
		available, assigned int
		ago                 time.Duration
		planned             []*PlannedDelivery
		want                *time.Time
	}{
		"half left": {
			available: 100, assigned: 100, ago: 10 * day, want: after(10),
		},
		"a tenth left": {
			available: 10, assigned: 100, ago: 10 * day, want: after(1),
		},
		"nothing left": {
			available: 0, assigned: 100, ago: 10 * day, want: after(0),
		},
		"nothing left, nobody takes any": {available: 0},
		"nothing assigned":               {available: 100, assigned: 0, ago: 10 * day},
		"a day of history": {
			available: 1, assigned: 1, ago: day, want: after(1),
		},
		"less than a day": {available: 1, assigned: 1, ago: day - 1},
		"in ten years": {
			available: 3650, assigned: 1, ago: day, want: after(3650),
		},
		"in more than ten years": {available: 3651, assigned: 1, ago: day},
		"beyond what a duration holds": {
			available: 2_000_000_000, assigned: 1, ago: 14 * day,
		},
		"a planned delivery takes some": {
			available: 100, assigned: 100, ago: 10 * day,
			planned: []*PlannedDelivery{planned(2, 50)}, want: after(5),
		},
		"a planned delivery comes too late": {
			available: 100, assigned: 100, ago: 10 * day,
			planned: []*PlannedDelivery{planned(11, 50)}, want: after(10),
		},
		"a planned delivery takes all": {
			available: 100, assigned: 100, ago: 10 * day,
			planned: []*PlannedDelivery{planned(2, 90)}, want: after(2),
		},
		"the second of them takes all": {
			available: 100, planned: []*PlannedDelivery{planned(2, 60), planned(3, 60)},
			want: after(3),
		},
		"enough for them, and no pace": {
			available: 100, planned: []*PlannedDelivery{planned(2, 60), planned(3, 30)},
		},
		"nothing left for a planned delivery": {
			available: 0, planned: []*PlannedDelivery{planned(2, 60)}, want: after(2),
		},
		"planned in more than ten years alone": {
			available: 10, planned: []*PlannedDelivery{planned(4000, 60)},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var first *time.Time
			if test.ago != 0 {
				first = new(now.Add(-test.ago))
			}
			got := NewStockForecast(test.available, test.assigned, first, test.planned, now)
			if diff := cmp.Diff(test.want, got.RunsOutAt); diff != "" {
				t.Errorf("instant (-want +got):\n%s", diff)
			}
		})
	}
}

// TestNoticeSettle repeats a notice until it is taken, more and more seldom, for three days and
// once after that.
func TestNoticeSettle(t *testing.T) {
	t.Parallel()
	began := instantOf(t, "2026-11-24T09:15:00Z")
	later := &Attempt{Result: AttemptPostponed}
	n := &AlertNotice{BeganAt: began}
	now := began
	var delays []time.Duration
	for {
		retryAt, isDone := n.Settle(later, now)
		if isDone {
			break
		}
		delays = append(delays, retryAt.Sub(now))
		n.Attempts++
		now = retryAt
	}
	var want []time.Duration
	for _, seconds := range []int{10, 30, 90, 270, 810, 2430, 3600, 3600} {
		want = append(want, time.Duration(seconds)*time.Second)
	}
	if diff := cmp.Diff(want, delays[:8]); diff != "" {
		t.Errorf("delays (-want +got):\n%s", diff)
	}
	if now.Sub(began) < NoticeTime || now.Sub(began) > NoticeTime+time.Hour {
		t.Errorf("given up after %s", now.Sub(began))
	}
	if _, isDone := (&AlertNotice{BeganAt: began}).Settle(&Attempt{Result: AttemptAccepted},
		began); !isDone {
		t.Error("it was taken")
	}
	refused := &Attempt{Result: AttemptRefused, NotBefore: began.Add(5 * time.Minute)}
	if retryAt, isDone := (&AlertNotice{BeganAt: began}).Settle(refused, began); isDone ||
		!retryAt.Equal(refused.NotBefore) {
		t.Errorf("the receiver can be mended: %s", retryAt)
	}
	refused.NotBefore = began.AddDate(1, 0, 0)
	if retryAt, _ := (&AlertNotice{BeganAt: began}).Settle(refused,
		began); !retryAt.Equal(began.Add(time.Hour)) {
		t.Errorf("at %s", retryAt)
	}
}

// TestCompare checks the test of two shares with numbers from a textbook, and what always holds of
// it.
func TestCompare(t *testing.T) {
	t.Parallel()
	all := []*DeliveryComparison{
		{Sent: 1000, Redeemed: new(100)},
		{Sent: 1000, Redeemed: new(130)},
		{Sent: 0, Redeemed: new(0)},
		{Sent: 10},
	}
	Compare(all)
	// z = 0.03 / sqrt(0.115 · 0.885 · 2/1000) = 2.1028; two-sided p = 0.0355.
	if p := all[1].PValue; p == nil || math.Abs(*p-0.0355) > 0.0001 || !all[1].IsSignificant() ||
		math.Abs(*all[1].Lift-0.3) > 1e-9 {
		t.Errorf("got %+v", all[1])
	}
	if all[0].PValue != nil || all[0].Difference != nil || all[2].RedemptionRate != nil ||
		all[3].RedemptionRate != nil || all[3].IsSignificant() {
		t.Error("what cannot be told is nil")
	}
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) *DeliveryComparison {
			sent := rapid.IntRange(0, 1_000_000).Draw(t, name+" sent")
			return &DeliveryComparison{
				Sent: sent, Redeemed: new(rapid.IntRange(0, sent).Draw(t, name+" redeemed")),
			}
		}
		a, b := draw("a"), draw("b")
		Compare([]*DeliveryComparison{a, b})
		forth := b.PValue
		Compare([]*DeliveryComparison{b, a})
		back := a.PValue
		switch {
		case (forth == nil) != (back == nil):
			t.Fatalf("forth %v, back %v", forth, back)
		case forth != nil && (*forth < 0 || *forth > 1 || math.Abs(*forth-*back) > 1e-9):
			t.Fatalf("forth %v, back %v", *forth, *back)
		}
	})
}
