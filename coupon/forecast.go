package coupon

import "time"

const (
	// PaceWindow is how far back assignments are looked at to tell how fast a pool runs dry.
	PaceWindow = 14 * 24 * time.Hour
	// MinHistory is how long ago the first of them must be to tell a pace.
	MinHistory = 24 * time.Hour
	// MaxPlannedDeliveries is how many deliveries a forecast takes into account: the soonest ones.
	MaxPlannedDeliveries = 100
	// maxForecast is how far ahead a forecast is worth telling.
	maxForecast = 10 * 365 * 24 * time.Hour
)

// StockForecast tells when a pool runs dry, and how that was reckoned.
type StockForecast struct {
	// CountedFromAt is from when on assignments were counted: PaceWindow ago, or the first one after that.
	CountedFromAt time.Time
	// Assigned is how many codes deliveries were given since then.
	Assigned int
	// PerDay is the pace; nil without assignments, or when the first of them is less than MinHistory ago.
	PerDay *float64
	// Planned are the deliveries with a contact date ahead that still need their codes, the soonest first.
	Planned []*PlannedDelivery
	// RunsOutAt is when the pool runs dry; nil: never, too little history, or in more than ten years.
	RunsOutAt *time.Time
}

// PlannedDelivery is a delivery that will need codes.
type PlannedDelivery struct {
	DeliveryID ID
	ContactAt  time.Time
	// Codes is how many it will need at the most: its targets, or its message limit.
	Codes int
}

// NewStockForecast tells when a pool with so many available codes runs dry that gave away assigned codes since the first of
// them, at the same pace, and when the planned deliveries, the soonest first, get theirs besides.
func NewStockForecast(available, assigned int, first *time.Time, planned []*PlannedDelivery, now time.Time) *StockForecast {
	f := &StockForecast{CountedFromAt: now.Add(-PaceWindow), Assigned: assigned, Planned: planned}
	if first != nil {
		f.CountedFromAt = *first
	}
	pace := 0.0 // codes a nanosecond
	if elapsed := now.Sub(f.CountedFromAt); assigned > 0 && elapsed >= MinHistory {
		pace = float64(assigned) / float64(elapsed)
		f.PerDay = new(pace * float64(24*time.Hour))
	}
	left, at := float64(available), now
	for _, next := range planned {
		if f.runsOut(left, pace, at, next.ContactAt, now) {
			return f
		}
		left -= pace*float64(next.ContactAt.Sub(at)) + float64(next.Codes)
		at = next.ContactAt
	}
	f.runsOut(left, pace, at, now.Add(maxForecast), now)
	return f
}

// PlannedCodes is how many codes the planned deliveries will need at the most.
func (f *StockForecast) PlannedCodes() int {
	sum := 0
	for _, planned := range f.Planned {
		sum += planned.Codes
	}
	return sum
}

// runsOut reports whether the pool runs dry between two instants, and notes when.
func (f *StockForecast) runsOut(left, pace float64, from, to, now time.Time) bool {
	after := 0.0
	if left > 0 {
		if pace == 0 {
			return false
		}
		after = left / pace
	} else if pace == 0 && from.Equal(now) {
		return false // it is dry, but nobody takes codes
	}
	if after > float64(to.Sub(from)) || after > float64(maxForecast) {
		return false
	}
	f.RunsOutAt = new(from.Add(time.Duration(after)).Truncate(time.Second))
	return true
}
