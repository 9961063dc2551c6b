package coupon

import (
	"math"
	"time"
)

// SendingRateWindow is about how far back the rate of a delivery looks.
const SendingRateWindow = 30 * time.Second

// SendingRate is how fast a delivery is being sent, from the batches that were recorded lately. The zero value knows
// of none. It belongs to one run of sending: after a pause or a restart it begins anew.
type SendingRate struct {
	batches []recordedBatch
	// waiting is how many messages waited for their next attempt after the last batch.
	waiting int
}

// recordedBatch is a batch that was recorded.
type recordedBatch struct {
	at      time.Time
	settled int
}

// Record adds a batch: how many of its messages are sent or have failed now, and how many messages of the
// delivery wait for another attempt.
func (r *SendingRate) Record(at time.Time, settled, waiting int) {
	r.batches, r.waiting = append(r.since(at), recordedBatch{at, settled}), waiting
}

// since returns the batches of the window that ends at an instant, and the one before it, where it begins.
func (r *SendingRate) since(now time.Time) []recordedBatch {
	first := 0
	for first < len(r.batches)-1 && now.Sub(r.batches[first+1].at) >= SendingRateWindow {
		first++
	}
	return r.batches[first:]
}

// rate returns how many messages a second were sent or failed lately; false: too little is known.
func (r *SendingRate) rate(now time.Time) (perSecond float64, isKnown bool) {
	batches := r.since(now)
	if len(r.batches) < 2 {
		return 0, false
	}
	// How long the first batch took is unknown: it is only where the time begins.
	settled, longest := 0, time.Duration(0)
	for i := range batches[1:] {
		settled += batches[i+1].settled
		longest = max(longest, batches[i+1].at.Sub(batches[i].at))
	}
	if len(batches) == 1 {
		return 0, true
	}
	// The batch that is on its way slows the rest down only when it takes longer than any of them.
	last := batches[len(batches)-1].at
	if late := now.Add(-longest); late.After(last) {
		last = late
	}
	took := last.Sub(batches[0].at)
	if took <= 0 {
		return 0, false
	}
	return float64(settled) / took.Seconds(), true
}

// Estimate sets the rate and the time left of a delivery by its sending rate.
func (d *Delivery) Estimate(r *SendingRate, now time.Time) {
	d.MessagesPerSecond, d.SecondsLeft = nil, nil
	switch d.Status {
	case DeliveryFinished, DeliveryStopped, DeliveryFailed:
		d.MessagesPerSecond, d.SecondsLeft = new(float64), new(int)
	case DeliveryInProgress:
		perSecond, isKnown := r.rate(now)
		if !isKnown {
			return
		}
		d.MessagesPerSecond = &perSecond
		if left := d.Counts.Pending - r.waiting; perSecond > 0 && left > 0 {
			d.SecondsLeft = new(int(min(math.Ceil(float64(left)/perSecond), MaxCount)))
		}
	case DeliveryEditing, DeliveryReady, DeliveryScheduled, DeliveryPaused:
	}
}
