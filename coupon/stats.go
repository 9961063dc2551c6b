package coupon

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
)

// StatsFilter narrows facts; what is nil or empty does not narrow. The period is half-open.
type StatsFilter struct {
	CouponIDs   []ID      `json:"couponIds,omitempty"`
	DeliveryIDs []ID      `json:"deliveryIds,omitempty"`
	Channels    []Channel `json:"channels,omitempty"`
	Labels      []string  `json:"labels,omitempty"`
	From        *DateTime `json:"from,omitempty"`
	To          *DateTime `json:"to,omitempty"`
}

// RedemptionStats is a funnel, and how fast people redeem.
type RedemptionStats struct {
	Assigned int
	Sent     int
	Redeemed int
	Reversed int
	// Amount is the sum over redemptions that were not reversed; nil when none has an amount.
	Amount *Decimal
	// TimeToRedeem is in seconds from assignment to redemption; nil when nothing can be measured.
	TimeToRedeem *Quantiles
}

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
