package coupon

import (
	"math"
	"time"
)

// FunnelStage is how far the code of a recipient got.
type FunnelStage string

// The stages, in their order.
const (
	StageTargeted  FunnelStage = "TARGETED"
	StageAssigned  FunnelStage = "ASSIGNED"
	StageSent      FunnelStage = "SENT"
	StageDelivered FunnelStage = "DELIVERED"
	StageRedeemed  FunnelStage = "REDEEMED"
)

// FunnelStep is one stage and how many got there.
type FunnelStep struct {
	Stage FunnelStage
	Count int
	// Share is of the first stage, and ShareOfPrevious of the one before; nil where those are empty.
	Share           *float64
	ShareOfPrevious *float64
}

// Outcome is what became of the codes that deliveries of individual coupons gave away. Redeemed counts codes, not
// redemptions.
type Outcome struct {
	// Targeted is nil where it cannot be told: labels belong to codes, and those who got no code have none.
	Targeted *int
	Assigned int
	Sent     int
	// Returned is how many of those sent came back.
	Returned int
	Redeemed int
}

// Funnel returns the stages of an outcome.
func (o *Outcome) Funnel() []*FunnelStep {
	stages := []*FunnelStep{
		{Stage: StageAssigned, Count: o.Assigned},
		{Stage: StageSent, Count: o.Sent},
		{Stage: StageDelivered, Count: o.Sent - o.Returned},
		{Stage: StageRedeemed, Count: o.Redeemed},
	}
	if o.Targeted != nil {
		stages = append([]*FunnelStep{{Stage: StageTargeted, Count: *o.Targeted}}, stages...)
	}
	for i, step := range stages {
		step.Share = share(step.Count, stages[0].Count)
		step.ShareOfPrevious = share(step.Count, stages[max(0, i-1)].Count)
	}
	return stages
}

func share(part, whole int) *float64 {
	if whole == 0 {
		return nil
	}
	return new(float64(part) / float64(whole))
}

// Limits of comparisons and cohorts.
const (
	// MaxComparedDeliveries is how many deliveries are compared at once.
	MaxComparedDeliveries = 100
	// MaxCohorts is how many cohorts are given at once, and MaxCohortDays the largest number of days after the
	// assignment that are told apart.
	MaxCohorts    = 400
	MaxCohortDays = 400
	// SignificanceLevel is how likely chance alone may make a difference that is called significant.
	SignificanceLevel = 0.05
)

// DeliveryComparison is how well a delivery did beside the first one of the comparison, the baseline.
type DeliveryComparison struct {
	DeliveryID ID
	Assigned   int
	Sent       int
	// Redeemed counts codes; nil for a delivery whose codes cannot be told apart (an anonymous coupon), or that has
	// no coupon.
	Redeemed *int
	// IsComplete: redemptions are counted in some days alone, and these are over.
	IsComplete bool
	// Rate is redeemed codes for each message sent, Difference the rate less the baseline's, Lift the difference as
	// a part of the baseline's rate; nil where they cannot be told.
	RedemptionRate *float64
	Difference     *float64
	Lift           *float64
	// PValue is how likely chance alone makes a difference of this size or a larger one, by the two-sided z-test of
	// two shares.
	PValue *float64
}

// IsSignificant reports whether the difference is hardly chance.
func (c *DeliveryComparison) IsSignificant() bool {
	return c.PValue != nil && *c.PValue < SignificanceLevel
}

// Compare fills in the rates of comparisons, of which the first is the baseline.
func Compare(all []*DeliveryComparison) {
	for _, c := range all {
		if c.Redeemed != nil && c.Sent > 0 {
			c.RedemptionRate = new(min(1, float64(*c.Redeemed)/float64(c.Sent)))
		}
	}
	for i, c := range all {
		base := all[0]
		if i == 0 || c.RedemptionRate == nil || base.RedemptionRate == nil {
			continue
		}
		c.Difference = new(*c.RedemptionRate - *base.RedemptionRate)
		if *base.RedemptionRate > 0 {
			c.Lift = new(*c.Difference / *base.RedemptionRate)
		}
		n, m := float64(c.Sent), float64(base.Sent)
		pooled := (*c.RedemptionRate*n + *base.RedemptionRate*m) / (n + m)
		if spread := math.Sqrt(pooled * (1 - pooled) * (1/n + 1/m)); spread > 0 {
			c.PValue = new(math.Erfc(math.Abs(*c.Difference) / spread / math.Sqrt2))
		}
	}
}

// ComparisonQuestion asks to compare deliveries with the first of them.
type ComparisonQuestion struct {
	DeliveryIDs []ID
	// WithinDays counts redemptions up to so many days after each confirmation; nil: all.
	WithinDays *int
}

// Check returns INVALID.
func (q *ComparisonQuestion) Check() error {
	if count := len(q.DeliveryIDs); count < 1 || count > MaxComparedDeliveries {
		return Errorf(ErrorInvalid, "Give 1 to %d deliveries to compare, not %d.", MaxComparedDeliveries, count).At("ids")
	}
	if q.WithinDays != nil && (*q.WithinDays < 1 || *q.WithinDays > MaxCohortDays) {
		return Errorf(ErrorInvalid, "`withinDays` must be 1 to %d, not %d.", MaxCohortDays, *q.WithinDays).At("withinDays")
	}
	return nil
}

// RedemptionCohort is the codes that were given away on one day, and how many of them were redeemed so many days later.
type RedemptionCohort struct {
	// Day is such as 2026-11-24, in the time zone asked for.
	Day      string
	Assigned int
	// Redeemed counts codes that were redeemed by now, however late.
	Redeemed int
	Days     []*CohortDay
}

// CohortDay is how many codes of a cohort were redeemed so many days after they were given away.
type CohortDay struct {
	DaysSince int
	Redeemed  int
	// RedeemedSoFar counts earlier days, too, and Share is its part of the cohort.
	RedeemedSoFar int
	Share         float64
}

// CohortQuestion asks for cohorts.
type CohortQuestion struct {
	// Filter's period is about when codes were given away.
	Filter   *StatsFilter
	Timezone string
	// Days is how many days after the assignment are told apart: 0 to Days.
	Days int
	// Limit is how many cohorts are given: the latest ones.
	Limit int
}

// Check returns the time zone that is meant. It returns INVALID.
func (q *CohortQuestion) Check() (*time.Location, error) {
	zone, err := checkZone(q.Timezone)
	if err != nil {
		return nil, err
	}
	if q.Days < 0 || q.Days > MaxCohortDays {
		return nil, Errorf(ErrorInvalid, "`days` must be 0 to %d, not %d.", MaxCohortDays, q.Days).At("days")
	}
	if q.Limit < 1 || q.Limit > MaxCohorts {
		return nil, Errorf(ErrorInvalid, "`limit` must be 1 to %d, not %d.", MaxCohorts, q.Limit).At("limit")
	}
	return zone, nil
}

// NewCohort returns the cohort of a day by its number. redeemed has how many codes were redeemed so many days later, and
// later how many after that. Days that are still to come, after today, are left out.
func NewCohort(day, today int64, assigned int, redeemed []int, later int) *RedemptionCohort {
	c := &RedemptionCohort{Day: DayText(day), Assigned: assigned, Days: []*CohortDay{}}
	for since, count := range redeemed {
		c.Redeemed += count
		if day+int64(since) > today && count == 0 {
			continue
		}
		one := &CohortDay{DaysSince: since, Redeemed: count, RedeemedSoFar: c.Redeemed}
		if assigned > 0 {
			one.Share = float64(c.Redeemed) / float64(assigned)
		}
		c.Days = append(c.Days, one)
	}
	c.Redeemed += later
	return c
}
