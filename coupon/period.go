package coupon

import (
	"fmt"
	"slices"
	"time"
)

// A period of statistics (an hour, day, week or month on the clocks of a time zone) has a number, by which periods
// are grouped and ordered:
//
//	DAY    days since 1970-01-01
//	WEEK   the same, of its Monday
//	MONTH  months since January of the year 0
//	HOUR   when it began, and the offset of the clock: where clocks are put back, an hour comes twice

// IsPeriod reports whether the dimension is one of time.
func (d StatsDimension) IsPeriod() bool {
	return d == ByHour || d == ByDay || d == ByWeek || d == ByMonth
}

const (
	secondsPerDay  = 24 * 60 * 60
	secondsPerHour = 60 * 60
	// HourFactor is what the beginning of an hour, in seconds, is multiplied with to make room for the offset of
	// the clock.
	HourFactor = 1 << 18
	// MaxClockOffset is more seconds than any clock was ever ahead or behind of UTC.
	MaxClockOffset = HourFactor / 2
)

// Period returns the number of the period that an instant lies in, on the clocks of a zone; 0 for other dimensions.
func (d StatsDimension) Period(t time.Time, zone *time.Location) int64 {
	local := t.In(zone)
	_, offset := local.Zone()
	seconds := t.Unix() + int64(offset)
	day := floorDiv(seconds, secondsPerDay)
	switch d { //nolint:exhaustive // the others are no periods
	case ByHour:
		start := floorDiv(seconds, secondsPerHour)*secondsPerHour - int64(offset)
		// Newfoundland changed its clocks a minute past the hour.
		if since, _ := local.ZoneBounds(); !since.IsZero() {
			// Where only the name of the zone changed, the hour went on.
			if _, before := since.Add(-time.Second).In(zone).Zone(); before != offset {
				start = max(start, since.Unix())
			}
		}
		return start*HourFactor + MaxClockOffset - int64(offset)
	case ByDay:
		return day
	case ByWeek:
		return floorDiv(day+3, 7)*7 - 3 // 1970-01-01 was a Thursday
	case ByMonth:
		return int64(local.Year())*12 + int64(local.Month()) - 1
	}
	return 0
}

// floorDiv is division that rounds down also below zero.
func floorDiv(a, b int64) int64 {
	quotient := a / b
	if a%b < 0 {
		quotient--
	}
	return quotient
}

// PeriodText returns the name of a period: 2026-11-24 for a day and, by its Monday, for a week, 2026-11 for a month,
// and 2026-11-24T10:00+01:00 for an hour.
func (d StatsDimension) PeriodText(number int64) string {
	switch d { //nolint:exhaustive // the others are no periods
	case ByHour:
		start := floorDiv(number, HourFactor)
		offset := MaxClockOffset - (number - start*HourFactor)
		return time.Unix(start, 0).In(time.FixedZone("", int(offset))).Format("2006-01-02T15:00Z07:00")
	case ByMonth:
		return fmt.Sprintf("%04d-%02d", number/12, number%12+1)
	}
	return dayOf(number).Format(time.DateOnly)
}

// dayOf returns a day by its number, as its beginning in UTC.
func dayOf(number int64) time.Time { return time.Unix(number*secondsPerDay, 0).UTC() }

// DayText returns a day by its number, such as 2026-11-24.
func DayText(number int64) string { return ByDay.PeriodText(number) }

// Periods returns the numbers of all periods from first to last that there are on the clocks of a zone, in order. ok
// is false when there are more than most.
func (d StatsDimension) Periods(first, last int64, zone *time.Location, most int) (numbers []int64, ok bool) {
	if d == ByHour {
		return hours(first, last, zone, most)
	}
	step := int64(1)
	if d == ByWeek {
		step = 7
	}
	if (last-first)/step >= int64(most) {
		return nil, false
	}
	for number := first; number <= last; number += step {
		// Where a date line was moved a day is missing.
		if d != ByDay || dayExists(dayOf(number), zone) {
			numbers = append(numbers, number)
		}
	}
	return numbers, true
}

func dayExists(day time.Time, zone *time.Location) bool {
	return time.Date(day.Year(), day.Month(), day.Day(), 12, 0, 0, 0, zone).Day() == day.Day()
}

// hours walks from one change of the hour, or of the clock, to the next.
func hours(first, last int64, zone *time.Location, most int) (numbers []int64, ok bool) {
	begin, end := floorDiv(first, HourFactor), floorDiv(last, HourFactor)
	if (end-begin)/secondsPerHour > 2*int64(most) {
		return nil, false
	}
	for t := time.Unix(begin, 0); t.Unix() <= end; {
		local := t.In(zone)
		numbers = append(numbers, ByHour.Period(t, zone))
		_, offset := local.Zone()
		next := time.Unix((floorDiv(t.Unix()+int64(offset), secondsPerHour)+1)*secondsPerHour-int64(offset), 0)
		if _, change := local.ZoneBounds(); !change.IsZero() && change.Before(next) {
			next = change
		}
		t = next
	}
	numbers = slices.Compact(numbers) // where only the name of the zone changed
	return numbers, len(numbers) <= most
}

// ClockOffset is how far the clocks of a zone are ahead of UTC from an instant on.
type ClockOffset struct {
	Since   time.Time
	Seconds int
}

// ClockOffsets returns the offsets that the clocks of a zone have from one instant to another, the last first. The
// first of all holds before its Since, too.
func ClockOffsets(zone *time.Location, from, to time.Time) []ClockOffset {
	var offsets []ClockOffset
	for t := from; ; {
		local := t.In(zone)
		_, seconds := local.Zone()
		if last := len(offsets) - 1; last < 0 || offsets[last].Seconds != seconds {
			offsets = append(offsets, ClockOffset{Since: t, Seconds: seconds})
		}
		_, end := local.ZoneBounds()
		if end.IsZero() || end.After(to) {
			slices.Reverse(offsets)
			return offsets
		}
		t = end
	}
}
