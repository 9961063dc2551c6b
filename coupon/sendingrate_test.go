package coupon

import (
	"math"
	"testing"
	"time"
)

func TestEstimate(t *testing.T) {
	t.Parallel()
	began := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	type batch struct {
		at               time.Duration
		settled, waiting int
	}
	steady := []batch{{0, 500, 0}, {2 * time.Second, 100, 0}, {4 * time.Second, 100, 0}}
	for name, test := range map[string]struct {
		status   DeliveryStatus
		pending  int
		batches  []batch
		now      time.Duration
		wantRate float64 // -1: unknown
		wantLeft int     // -1: unknown
	}{
		"not confirmed": {DeliveryReady, 0, nil, 0, -1, -1},
		"scheduled":     {DeliveryScheduled, 1000, nil, 0, -1, -1},
		"just started":  {DeliveryInProgress, 1000, nil, 0, -1, -1},
		"one batch tells nothing": {
			DeliveryInProgress, 500, steady[:1], time.Second, -1, -1,
		},
		"steady": {
			DeliveryInProgress, 1001, steady, 4 * time.Second, 50, 21,
		},
		"while the next batch is sent": {
			DeliveryInProgress, 1000, steady, 6 * time.Second, 50, 20,
		},
		"the next batch is late": {
			DeliveryInProgress, 1000, steady, 10 * time.Second, 25, 40,
		},
		"nothing for long": {
			DeliveryInProgress, 1000, steady, 10 * time.Minute, 0, -1,
		},
		"old batches do not count": {
			DeliveryInProgress, 100, append(steady, batch{40 * time.Second, 180, 0}),
			40 * time.Second, 5, 20,
		},
		"postponed messages do not count": {
			DeliveryInProgress, 1000,
			[]batch{{0, 1, 0}, {time.Second, 10, 900}},
			time.Second, 10, 10,
		},
		"only postponed ones left": {
			DeliveryInProgress, 900,
			[]batch{{0, 1, 0}, {time.Second, 10, 900}},
			time.Second, 10, -1,
		},
		"nothing but postponed ones": {
			DeliveryInProgress, 900, []batch{{0, 0, 10}, {time.Second, 0, 20}}, time.Second, 0, -1,
		},
		"two batches at one instant": {
			DeliveryInProgress, 900, []batch{{0, 1, 0}, {0, 1, 0}}, 0, -1, -1,
		},
		"an age": {
			DeliveryInProgress, MaxCount,
			[]batch{{0, 1, 0}, {10 * time.Second, 1, 0}},
			10 * time.Second, 0.1, MaxCount,
		},
		"paused":   {DeliveryPaused, 1000, steady, 4 * time.Second, -1, -1},
		"finished": {DeliveryFinished, 0, steady, 4 * time.Second, 0, 0},
		"stopped":  {DeliveryStopped, 0, steady, 4 * time.Second, 0, 0},
		"failed":   {DeliveryFailed, 0, nil, 0, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var r SendingRate
			for _, b := range test.batches {
				r.Record(began.Add(b.at), b.settled, b.waiting)
			}
			d := &Delivery{Status: test.status, Counts: MessageCounts{Pending: test.pending}}
			d.Estimate(&r, began.Add(test.now))
			rate, left := -1.0, -1
			if d.MessagesPerSecond != nil {
				rate = *d.MessagesPerSecond
			}
			if d.SecondsLeft != nil {
				left = *d.SecondsLeft
			}
			if math.Abs(rate-test.wantRate) > 1e-9 || left != test.wantLeft {
				t.Errorf("got %v a second and %d seconds, want %v and %d", rate, left,
					test.wantRate, test.wantLeft)
			}
		})
	}
}

// TestSendingRateForgets: what is older than the window is not kept.
func TestSendingRateForgets(t *testing.T) {
	t.Parallel()
	began := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	var r SendingRate
	for i := range 10_000 {
		r.Record(began.Add(time.Duration(i)*time.Second), 1, 0)
	}
	if len(r.batches) > 40 || cap(r.batches) > 200 {
		t.Errorf("%d batches are kept, in %d places", len(r.batches), cap(r.batches))
	}
}
