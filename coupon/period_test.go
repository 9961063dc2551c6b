package coupon_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"couponql/coupon"
)

func zones(t *rapid.T) *time.Location {
	name := rapid.SampledFrom([]string{
		"UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia",
		"America/Santiago", "Asia/Kathmandu", "Africa/Monrovia",
	}).Draw(t, "zone")
	zone, err := coupon.LoadZone(name)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// TestPeriod compares the numbers of periods with what the clock shows, at any time in any zone.
func TestPeriod(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		zone := zones(t)
		at := time.Unix(rapid.Int64Range(-2_000_000_000, 4_000_000_000).Draw(t, "at"), 0)
		local := at.In(zone)
		monday := local.AddDate(0, 0, -(int(local.Weekday())+6)%7)
		for dimension, want := range map[coupon.StatsDimension]string{
			coupon.ByDay:   local.Format(time.DateOnly),
			coupon.ByMonth: local.Format("2006-01"),
			coupon.ByHour:  local.Format("2006-01-02T15:00Z07:00"),
		} {
			if got := dimension.PeriodText(dimension.Period(at, zone)); got != want {
				t.Fatalf("%s of %s is %s, not %s", dimension, local, got, want)
			}
		}
		// Where midnight is left out AddDate may name the day before.
		week := coupon.ByWeek.PeriodText(coupon.ByWeek.Period(at, zone))
		if day, err := time.Parse(time.DateOnly, week); err != nil ||
			day.Weekday() != time.Monday || monday.Sub(day).Abs() > 40*time.Hour {
			t.Fatalf("the week of %s is that of %s", local, week)
		}
	})
}

// TestPeriods walks through a span by the minute, and finds the same periods in the same order.
func TestPeriods(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		zone := zones(t)
		// Mostly about changes of the clock.
		from := time.Unix(rapid.Int64Range(1_200_000_000, 1_800_000_000).Draw(t, "from"), 0)
		if _, change := from.In(zone).ZoneBounds(); !change.IsZero() &&
			rapid.Bool().Draw(t, "at a change") {
			from = change.Add(
				-time.Duration(rapid.IntRange(0, 3000).Draw(t, "minutes before")) * time.Minute,
			)
		}
		to := from.Add(time.Duration(rapid.IntRange(0, 5000).Draw(t, "minutes")) * time.Minute)
		for _, dimension := range []coupon.StatsDimension{
			coupon.ByHour, coupon.ByDay, coupon.ByWeek, coupon.ByMonth,
		} {
			var want []int64
			for at := from; !at.After(to); at = at.Add(time.Minute) {
				want = append(want, dimension.Period(at, zone))
			}
			want = slices.Compact(want)
			slices.Sort(want)
			want = slices.Compact(want)
			got, ok := dimension.Periods(want[0], want[len(want)-1], zone, 1000)
			if !ok || !slices.Equal(want, got) {
				t.Fatalf("%s in %s from %s to %s: %v, not %v", dimension, zone, from, to,
					texts(dimension, got), texts(dimension, want))
			}
			if _, ok := dimension.Periods(want[0], want[len(want)-1], zone, len(want)-1); ok {
				t.Fatalf("%s: more than %d were given", dimension, len(want)-1)
			}
		}
	})
}

func texts(dimension coupon.StatsDimension, numbers []int64) []string {
	all := make([]string, len(numbers))
	for i, number := range numbers {
		all[i] = dimension.PeriodText(number)
	}
	return all
}

// TestPeriodsLeaveOutWhatNeverWas: on Samoa no clock showed the 30th of December 2011.
func TestPeriodsLeaveOutWhatNeverWas(t *testing.T) {
	t.Parallel()
	zone, err := coupon.LoadZone("Pacific/Apia")
	if err != nil {
		t.Fatal(err)
	}
	first := coupon.ByDay.Period(time.Date(2011, 12, 29, 12, 0, 0, 0, zone), zone)
	numbers, _ := coupon.ByDay.Periods(first, first+3, zone, 10)
	if got := texts(coupon.ByDay, numbers); !slices.Equal(got,
		[]string{"2011-12-29", "2011-12-31", "2012-01-01"}) {
		t.Error(got)
	}
	zone, _ = coupon.LoadZone("Europe/Berlin")
	night := time.Date(2026, 10, 25, 0, 0, 0, 0, zone)
	numbers, _ = coupon.ByHour.Periods(coupon.ByHour.Period(night, zone),
		coupon.ByHour.Period(night.Add(4*time.Hour), zone), zone, 10)
	if got := texts(coupon.ByHour, numbers); !slices.Equal(got, []string{
		"2026-10-25T00:00+02:00", "2026-10-25T01:00+02:00", "2026-10-25T02:00+02:00",
		"2026-10-25T02:00+01:00", "2026-10-25T03:00+01:00",
	}) {
		t.Error(got)
	}
}

// TestClockOffsets gives at every instant what the clock shows.
func TestClockOffsets(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		zone := zones(t)
		from := time.Unix(rapid.Int64Range(-2_000_000_000, 1_800_000_000).Draw(t, "from"), 0)
		to := from.Add(
			time.Duration(rapid.Int64Range(0, int64(20*365*24*time.Hour)).Draw(t, "span")),
		)
		at := from.Add(time.Duration(rapid.Int64Range(0, int64(to.Sub(from))).Draw(t, "at")))
		offsets := coupon.ClockOffsets(zone, from, to)
		place := slices.IndexFunc(offsets,
			func(o coupon.ClockOffset) bool { return !at.Before(o.Since) })
		if _, want := at.In(zone).Zone(); place < 0 || offsets[place].Seconds != want {
			t.Fatalf("at %s in %s: %v", at, zone, offsets)
		}
	})
}
