package db_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"couponql/coupon"
)

// firsts returns the first redemption that stands of each code of each delivery, in Go.
func (h *history) firsts() map[[2]string]event {
	first := map[[2]string]event{}
	for _, e := range h.events {
		name := [2]string{string(e.delivery), e.code}
		if e.kind != "redeemed" || e.isReversed || e.delivery == "" {
			continue
		}
		if known, found := first[name]; !found || e.at.Before(known.at) {
			first[name] = e
		}
	}
	return first
}

// confirmedAt returns when the deliveries of individual coupons were confirmed.
func (h *history) confirmedAt(t *testing.T) map[coupon.ID]*coupon.Delivery {
	t.Helper()
	found := map[coupon.ID]*coupon.Delivery{}
	for _, id := range []coupon.ID{"delivery_1", "delivery_2", "delivery_3"} {
		found[id] = h.delivery(t, id)
	}
	return found
}

// TestOutcomes compares funnels, cohorts and comparisons with counting in Go.
func TestOutcomes(t *testing.T) {
	t.Parallel()
	h := newHistory(t, rand.New(rand.NewPCG(11, 12)))
	h.clock.Set(time.Date(2026, 10, 24, 20, 0, 0, 0, time.UTC))
	h.happen(t)
	deliveries := h.confirmedAt(t)
	first := h.firsts()
	if len(first) < 20 {
		t.Fatalf("only %d codes were redeemed", len(first))
	}
	for name, filter := range map[string]*coupon.StatsFilter{
		"all":       nil,
		"coupon":    {CouponIDs: []coupon.ID{"coupon_1", "coupon_3"}},
		"delivery":  {DeliveryIDs: []coupon.ID{"delivery_2", "delivery_5"}},
		"channel":   {Channels: []coupon.Channel{coupon.ChannelSMS}},
		"labels":    {Labels: []string{"soccer", "tennis"}},
		"confirmed": {From: new(coupon.DateTime("2026-10-25")), To: new(coupon.DateTime("2026-10-25"))},
		"nothing":   {CouponIDs: []coupon.ID{"coupon_77"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, timezone := range []string{"UTC", "Europe/Berlin", "America/St_Johns"} {
				zone, err := time.LoadLocation(timezone)
				if err != nil {
					t.Fatal(err)
				}
				if filter == nil {
					filter = &coupon.StatsFilter{}
				}
				period, err := coupon.NewPeriod(filter.From, filter.To, zone, "")
				if err != nil {
					t.Fatal(err)
				}
				isChosen := func(d *coupon.Delivery) bool {
					return d != nil && matches(filter.CouponIDs, *d.CouponID) && matches(filter.DeliveryIDs, d.ID) && matches(filter.Channels, d.Channel) &&
						(period.From == nil || !d.ConfirmedAt.Before(*period.From)) && (period.To == nil || d.ConfirmedAt.Before(*period.To))
				}
				outcome := coupon.Outcome{Targeted: new(0)}
				byDay, ages := map[string]int{}, map[string]map[int]int{}
				dayOf := func(at time.Time) time.Time {
					y, m, d := at.In(zone).Date()
					return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
				}
				for _, d := range deliveries {
					if isChosen(d) {
						*outcome.Targeted += d.TargetCount
					}
				}
				for _, e := range h.events {
					if !isChosen(deliveries[e.delivery]) || !matches(filter.Labels, e.label) {
						continue
					}
					switch e.kind {
					case "assigned":
						outcome.Assigned++
						byDay[dayOf(e.at).Format(time.DateOnly)]++
					case "sent":
						outcome.Sent++
					case "bounced":
						outcome.Returned++
					}
				}
				for _, e := range first {
					d := deliveries[e.delivery]
					if !isChosen(d) || !matches(filter.Labels, e.label) {
						continue
					}
					outcome.Redeemed++
					day := dayOf(*d.ConfirmedAt)
					if ages[day.Format(time.DateOnly)] == nil {
						ages[day.Format(time.DateOnly)] = map[int]int{}
					}
					ages[day.Format(time.DateOnly)][max(0, int(dayOf(e.at).Sub(day)/(24*time.Hour)))]++
				}
				if len(filter.Labels) > 0 {
					outcome.Targeted = nil
				}
				funnel, err := h.Funnel(t.Context(), filter, timezone)
				if diff := cmp.Diff(outcome.Funnel(), funnel); err != nil || diff != "" {
					t.Errorf("funnel (-want +got): %v\n%s", err, diff)
				}
				for _, days := range []int{0, 2, 40} {
					got, err := h.Cohorts(t.Context(), &coupon.CohortQuestion{Filter: filter, Timezone: timezone, Days: days, Limit: 100})
					if err != nil {
						t.Fatal(err)
					}
					var want []*coupon.RedemptionCohort
					for day, assigned := range byDay {
						c := &coupon.RedemptionCohort{Day: day, Assigned: assigned}
						begin, _ := time.Parse(time.DateOnly, day)
						for _, count := range ages[day] {
							c.Redeemed += count
						}
						sum := 0
						for age := 0; age <= days && !begin.AddDate(0, 0, age).After(dayOf(h.Now())); age++ {
							sum += ages[day][age]
							c.Days = append(c.Days, &coupon.CohortDay{
								DaysSince: age, Redeemed: ages[day][age], RedeemedSoFar: sum, Share: float64(sum) / float64(assigned),
							})
						}
						want = append(want, c)
					}
					slices.SortFunc(want, func(a, b *coupon.RedemptionCohort) int {
						if a.Day < b.Day {
							return -1
						}
						return 1
					})
					if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
						t.Errorf("%s, cohorts of %d days (-want +got):\n%s", timezone, days, diff)
					}
					if len(want) < 2 {
						continue
					}
					latest, err := h.Cohorts(t.Context(), &coupon.CohortQuestion{Filter: filter, Timezone: timezone, Days: days, Limit: 1})
					if diff := cmp.Diff(want[len(want)-1:], latest); err != nil || diff != "" {
						t.Errorf("the latest (-want +got): %v\n%s", err, diff)
					}
				}
			}
		})
	}
}

func TestCompareDeliveries(t *testing.T) {
	t.Parallel()
	h := newHistory(t, rand.New(rand.NewPCG(13, 14)))
	h.clock.Set(time.Date(2026, 10, 24, 20, 0, 0, 0, time.UTC))
	h.happen(t)
	deliveries := h.confirmedAt(t)
	edited := h.newDelivery(t, "coupon_1", nil)
	ids := []coupon.ID{"delivery_2", "delivery_1", "delivery_3", "delivery_4", "delivery_5", edited, "delivery_1"}
	for _, within := range []*int{nil, new(1), new(30)} {
		got, err := h.CompareDeliveries(t.Context(), &coupon.ComparisonQuestion{DeliveryIDs: ids, WithinDays: within})
		if err != nil {
			t.Fatal(err)
		}
		var want []*coupon.DeliveryComparison
		for _, id := range ids {
			d := h.delivery(t, id)
			c := &coupon.DeliveryComparison{DeliveryID: id, Sent: d.Counts.Sent}
			if d.CouponID != nil {
				c.Assigned = d.Counts.Total
			}
			if deliveries[id] != nil {
				c.Redeemed = new(0)
			}
			if within != nil && d.ConfirmedAt != nil {
				c.IsComplete = !h.Now().Before(d.ConfirmedAt.AddDate(0, 0, *within))
			}
			want = append(want, c)
		}
		for _, e := range h.firsts() {
			for _, c := range want {
				isInTime := within == nil || deliveries[e.delivery] != nil && e.at.Before(deliveries[e.delivery].ConfirmedAt.AddDate(0, 0, *within))
				if c.DeliveryID == e.delivery && c.Redeemed != nil && isInTime {
					*c.Redeemed++
				}
			}
		}
		coupon.Compare(want)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("within %v (-want +got):\n%s", within, diff)
		}
	}
	for field, question := range map[string]coupon.ComparisonQuestion{
		"ids":        {},
		"withinDays": {DeliveryIDs: ids, WithinDays: new(0)},
	} {
		_, err := h.CompareDeliveries(t.Context(), &question)
		wantError(t, err, coupon.ErrorInvalid, field)
	}
	_, err := h.CompareDeliveries(t.Context(), &coupon.ComparisonQuestion{DeliveryIDs: []coupon.ID{"delivery_1", "delivery_99"}})
	wantError(t, err, coupon.ErrorNotFound, "ids.1")
	for field, question := range map[string]coupon.CohortQuestion{
		"timezone": {Timezone: "Moon", Days: 1, Limit: 1},
		"days":     {Timezone: "UTC", Days: coupon.MaxCohortDays + 1, Limit: 1},
		"limit":    {Timezone: "UTC", Days: 1, Limit: coupon.MaxCohorts + 1},
	} {
		_, err := h.Cohorts(t.Context(), &question)
		wantError(t, err, coupon.ErrorInvalid, field)
	}
	_, err = h.Funnel(t.Context(), nil, "Moon")
	wantError(t, err, coupon.ErrorInvalid, "timezone")
}

// TestForecasts tells when pools run dry, and what that is reckoned from.
func TestForecasts(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	recipients := s.recipients(t, 40)
	c := s.newCoupon(t)
	all := s.newCoupon(t, anonymous)
	s.codes(t, c, "", numbered("A", 100)...)
	s.confirm(t, s.newDelivery(t, c, recipients[:20]))
	s.confirm(t, s.newDelivery(t, all, recipients[:20]))
	forecast := func() *coupon.StockForecast {
		t.Helper()
		found, err := s.Forecasts(t.Context(), []coupon.ID{c, all})
		if err != nil || found[all] != nil {
			t.Fatalf("%v, %v", found[all], err)
		}
		return found[c]
	}
	if got := forecast(); got.RunsOutAt != nil || got.Assigned != 20 || got.PerDay != nil || !got.CountedFromAt.Equal(noon()) {
		t.Errorf("too little history: %+v", got)
	}
	s.clock.Advance(5 * 24 * time.Hour)
	if got := forecast(); !got.RunsOutAt.Equal(noon().AddDate(0, 0, 25)) || *got.PerDay != 4 {
		t.Errorf("at a pace of 4 a day: %+v", got)
	}
	// One needs codes in three days; one that holds its codes, and one for a day that has passed, do not.
	planned := s.newDelivery(t, c, recipients, contactAt("2026-12-01T12:00:00Z"), limitedTo(30))
	s.newDelivery(t, c, recipients, contactAt("2026-11-20T12:00:00Z"))
	held := s.newDelivery(t, c, recipients[:10], contactAt("2026-12-02T12:00:00Z"))
	if _, problems, err := s.AnalyzeDelivery(t.Context(), held, fine); err != nil || problems != nil {
		t.Fatal(problems, err)
	}
	got := forecast()
	want := []*coupon.PlannedDelivery{{DeliveryID: planned, ContactAt: noon().AddDate(0, 0, 8), Codes: 30}}
	// 70 are free: 30 for the planned one, and 4 a day, for ten days.
	if diff := cmp.Diff(want, got.Planned); diff != "" || !got.RunsOutAt.Equal(noon().AddDate(0, 0, 15)) || got.PlannedCodes() != 30 {
		t.Errorf("with a planned delivery: %+v (-want +got)\n%s", got, diff)
	}
	s.clock.Advance(30 * 24 * time.Hour)
	if got := forecast(); got.RunsOutAt != nil || got.Assigned != 0 || !got.CountedFromAt.Equal(s.Now().Add(-coupon.PaceWindow)) {
		t.Errorf("nothing lately: %+v", got)
	}
}

func contactAt(at coupon.DateTime) func(*coupon.DeliveryChanges) {
	return func(d *coupon.DeliveryChanges) { d.ContactAt = coupon.Set(&at) }
}

func limitedTo(limit int) func(*coupon.DeliveryChanges) {
	return func(d *coupon.DeliveryChanges) { d.MessageLimit = coupon.Set(&limit) }
}
