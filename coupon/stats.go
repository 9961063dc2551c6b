package coupon

import "time"

// StatsDimension is something that redemption statistics can be grouped by.
type StatsDimension string

// The dimensions. Each fact (assignment, sending, redemption) counts in the period in which it
// happened.
const (
	ByCoupon   StatsDimension = "COUPON"
	ByDelivery StatsDimension = "DELIVERY"
	ByChannel  StatsDimension = "CHANNEL"
	ByLabel    StatsDimension = "LABEL"
	BySource   StatsDimension = "SOURCE"
	ByStore    StatsDimension = "STORE"
	ByReason   StatsDimension = "CANCEL_REASON"
	ByHour     StatsDimension = "HOUR"
	ByDay      StatsDimension = "DAY"
	ByWeek     StatsDimension = "WEEK"
	ByMonth    StatsDimension = "MONTH"
)

// Limits of statistics.
const (
	// MaxStatsRows is the largest `limit` of redemptionStats.
	MaxStatsRows = 10_000
	// MaxStatsDimensions is how many dimensions statistics can be grouped by at once.
	MaxStatsDimensions = 4
	// MaxFilterValues is how many values one list of a filter takes.
	MaxFilterValues = 1_000
	// MaxStatsCurrencies is how many currencies one group lists: the most frequent ones.
	MaxStatsCurrencies = 50
)

// StatsFilter narrows facts; what is nil or empty does not narrow. The period is half-open.
type StatsFilter struct {
	CouponIDs   []ID      `json:"couponIds,omitempty"`
	DeliveryIDs []ID      `json:"deliveryIds,omitempty"`
	Channels    []Channel `json:"channels,omitempty"`
	Labels      []string  `json:"labels,omitempty"`
	From        *DateTime `json:"from,omitempty"`
	To          *DateTime `json:"to,omitempty"`
	// What follows is told of redemptions alone.
	Reference  *string             `json:"reference,omitempty"`
	Source     *RedemptionSource   `json:"source,omitempty"`
	Anomalies  []RedemptionAnomaly `json:"anomalies,omitempty"`
	IsReversed *bool               `json:"isReversed,omitempty"`
	Store      *string             `json:"store,omitempty"`
	Customer   *string             `json:"customer,omitempty"`
}

// Cleaned returns the filter with what a caller named as it is kept; nil for nil.
func (f *StatsFilter) Cleaned() *StatsFilter {
	if f == nil {
		return nil
	}
	clean := *f
	for _, text := range []**string{&clean.Reference, &clean.Store, &clean.Customer} {
		if *text != nil {
			*text = new(CleanReference(**text))
		}
	}
	return &clean
}

// OfRedemptions returns the field of the filter that only redemptions have, "" when it has none.
func (f *StatsFilter) OfRedemptions() string {
	switch {
	case f.Reference != nil:
		return "reference"
	case f.Source != nil:
		return "source"
	case len(f.Anomalies) > 0:
		return "anomalies"
	case f.IsReversed != nil:
		return "isReversed"
	case f.Store != nil:
		return "store"
	case f.Customer != nil:
		return "customer"
	}
	return ""
}

// CheckFacts is Check for what counts assignments and sendings too. It returns INVALID for a field that only redemptions have.
func (f *StatsFilter) CheckFacts() error {
	if field := f.OfRedemptions(); field != "" {
		return Errorf(ErrorInvalid, "%s narrows redemptions alone, and this counts assignments and messages too. Ask redemptions or exportRedemptions.", field).
			At("filter", field)
	}
	return f.Check()
}

// Check refuses lists that are too long. It returns INVALID.
func (f *StatsFilter) Check() error {
	if max(len(f.CouponIDs), len(f.DeliveryIDs), len(f.Channels), len(f.Labels), len(f.Anomalies)) > MaxFilterValues {
		return Errorf(ErrorInvalid, "Give at most %d values in one list of a filter.", MaxFilterValues).At("filter")
	}
	return nil
}

// StatsMeasures tells which numbers of statistics are wanted: what is not is not computed, and a group in which
// nothing that is wanted happened is left out.
type StatsMeasures struct {
	Assigned bool
	Sent     bool
	// Returned is Bounced and Complained, and Unsent is Failed, Canceled and Unknown.
	Returned bool
	Unsent   bool
	// Redeemed is Redeemed and Reversed.
	Redeemed     bool
	Amount       bool
	ByCurrency   bool
	TimeToRedeem bool
}

// AllStatsMeasures wants everything.
func AllStatsMeasures() StatsMeasures {
	return StatsMeasures{Assigned: true, Sent: true, Returned: true, Unsent: true, Redeemed: true, Amount: true, ByCurrency: true, TimeToRedeem: true}
}

// StatsQuestion asks for statistics by dimensions.
type StatsQuestion struct {
	Filter  *StatsFilter
	GroupBy []StatsDimension
	// Timezone is where periods, and the filter's dates without an offset, are meant; an IANA name.
	Timezone string
	// Limit is how many rows are given at most, 1 to MaxStatsRows.
	Limit int
	// FillPeriods gives periods in which nothing happened rows, too.
	FillPeriods bool
	Measures    StatsMeasures
}

// Check returns the time zone that is meant. It returns INVALID.
func (q *StatsQuestion) Check() (*time.Location, error) {
	zone, err := checkZone(q.Timezone)
	if err != nil {
		return nil, err
	}
	if q.Limit < 1 || q.Limit > MaxStatsRows {
		return nil, Errorf(ErrorInvalid, "`limit` must be 1 to %d, not %d.", MaxStatsRows, q.Limit).At("limit")
	}
	if len(q.GroupBy) > MaxStatsDimensions {
		return nil, Errorf(ErrorInvalid, "Group by at most %d dimensions.", MaxStatsDimensions).At("groupBy")
	}
	if periods := q.periods(); q.FillPeriods && periods != 1 {
		return nil, Errorf(ErrorInvalid, "`fillPeriods` needs exactly one of HOUR, DAY, WEEK and MONTH in `groupBy`, not %d.", periods).At("fillPeriods")
	}
	return zone, nil
}

func (q *StatsQuestion) periods() int {
	count := 0
	for _, dimension := range q.GroupBy {
		if dimension.IsPeriod() {
			count++
		}
	}
	return count
}

// checkZone loads the time zone of an argument `timezone`. It returns INVALID.
func checkZone(name string) (*time.Location, error) {
	zone, err := LoadZone(name)
	if err != nil {
		return nil, Errorf(ErrorInvalid, "%q is not a time zone. Use an IANA name such as Europe/Berlin.", name).At("timezone")
	}
	return zone, nil
}

// RedemptionStats is a funnel, and how fast people redeem. What was not asked for is zero.
type RedemptionStats struct {
	Assigned int
	Sent     int
	// Bounced and Complained are of those sent, and count when these were sent.
	Bounced    int
	Complained int
	Failed     int
	Canceled   int
	Unknown    int
	Redeemed   int
	Reversed   int
	// Amount is the sum over redemptions that were not reversed; nil when none has an amount.
	Amount *Decimal
	// ByCurrency has the sums of each currency, in the order of their codes; redemptions without a currency come
	// first.
	ByCurrency []*CurrencyAmount
	// TimeToRedeem is in seconds from assignment to redemption; nil when nothing can be measured.
	TimeToRedeem *Quantiles
}

// CurrencyAmount sums up the redemptions that have an amount in one currency.
type CurrencyAmount struct {
	// Currency is nil for amounts that came without one.
	Currency *string
	// Redeemed and Amount are about redemptions that stand, Reversed and ReversedAmount about those taken back.
	Redeemed       int
	Amount         Decimal
	Reversed       int
	ReversedAmount Decimal
}

// Delivered is how many messages were sent and did not come back. One may come back, and count, while the others are
// counted.
func (s *RedemptionStats) Delivered() int { return max(0, s.Sent-s.Bounced) }

// RedemptionRate is redeemed / sent, nil where nothing was sent. It is 1 at the most: the code of an
// anonymous coupon is passed on, and codes that were handed out elsewhere are redeemed without a message.
func (s *RedemptionStats) RedemptionRate() *float64 {
	if s.Sent == 0 {
		return nil
	}
	return new(min(1, float64(s.Redeemed)/float64(s.Sent)))
}

// Quantiles describes a distribution, in seconds.
type Quantiles struct {
	P10 float64
	P50 float64
	P90 float64
	P99 float64
}

// StatsRow is one group; Keys are in the order of the dimensions asked for.
type StatsRow struct {
	Keys       []string
	CouponID   *ID
	DeliveryID *ID
	Stats      *RedemptionStats
}
