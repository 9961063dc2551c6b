package coupon

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// FutureTolerance is how far in the future a date of a file may lie: a shop in another zone writes
// tomorrow's date today.
const FutureTolerance = 24 * time.Hour

// FileDates reads the dates of one file. Day and month are told apart by evidence alone: a first or
// second number above 12 anywhere in the file. Show every date to Observe before the first Parse.
type FileDates struct {
	// Zone is meant where a date has no offset.
	Zone *time.Location
	Now  time.Time

	hasDayFirst, hasMonthFirst bool
}

// numericDatePattern is a date like 24/11/2026 or 11-24-2026, with an optional time of day.
var numericDatePattern = regexp.MustCompile(`^(\d{1,2})([/.-])(\d{1,2})([/.-])(\d{4})(?:[ T,]+(.+))?$`)

// epochDate is a number of seconds or milliseconds since 1970, for any instant from 2001 to 2286.
var epochDate = regexp.MustCompile(`^(\d{10})(\d{3})?$`)

// Observe learns from one date of the file in which order its days and months stand.
func (f *FileDates) Observe(text string) {
	date, ok := splitNumericDate(CleanValue(text))
	if !ok {
		return
	}
	f.hasDayFirst = f.hasDayFirst || date.first > 12 && date.second <= 12
	f.hasMonthFirst = f.hasMonthFirst || date.second > 12 && date.first <= 12
}

// numericDate is a date of which it is not known yet whether the first number is the day or the month.
type numericDate struct {
	first, second, year int
	// clock is the time of day as text, or empty.
	clock string
}

func splitNumericDate(text string) (date numericDate, ok bool) {
	m := numericDatePattern.FindStringSubmatch(text)
	if m == nil || m[2] != m[4] {
		return numericDate{}, false
	}
	// The pattern lets digits through alone, few enough for an int.
	date.first, _ = strconv.Atoi(m[1])
	date.second, _ = strconv.Atoi(m[3])
	date.year, _ = strconv.Atoi(m[5])
	date.clock = strings.ToUpper(strings.TrimSpace(m[6]))
	return date, true
}

// Parse gives the instant of a date, in UTC, or the reason to reject it: EMPTY, BAD_DATE,
// AMBIGUOUS_DATE or FUTURE_DATE.
func (f *FileDates) Parse(text string) (time.Time, RejectionReason) {
	text = CleanValue(text)
	if text == "" {
		return time.Time{}, RejectedEmpty
	}
	at, reason := f.parse(text)
	switch {
	case reason != "":
		return time.Time{}, reason
	case at.Year() < minYear || at.Year() > maxYear:
		return time.Time{}, RejectedBadDate
	case at.After(f.Now.Add(FutureTolerance)):
		return time.Time{}, RejectedFutureDate
	}
	return at, ""
}

// Latest gives the last instant that a date can mean which Parse read as at: at itself, or for a date
// without a time the end of that day. It tells what happened before something else for sure.
func (f *FileDates) Latest(text string, at time.Time) time.Time {
	text = CleanValue(text)
	date, isNumeric := splitNumericDate(text)
	if _, err := time.Parse(time.DateOnly, text); err == nil || isNumeric && date.clock == "" {
		day := at.In(f.Zone)
		return startOfDay(time.Date(day.Year(), day.Month(), day.Day()+1, 0, 0, 0, 0, time.UTC), f.Zone).UTC()
	}
	return at
}

func (f *FileDates) parse(text string) (time.Time, RejectionReason) {
	if m := epochDate.FindStringSubmatch(text); m != nil {
		seconds, _ := strconv.ParseInt(m[1], 10, 64)
		millis, _ := strconv.ParseInt("0"+m[2], 10, 64)
		return time.Unix(seconds, millis*int64(time.Millisecond)).UTC(), ""
	}
	if date, ok := splitNumericDate(text); ok {
		return f.parseNumeric(date)
	}
	if at, err := DateTime(text).Start(f.Zone); err == nil {
		return at, ""
	}
	return time.Time{}, RejectedBadDate
}

func (f *FileDates) parseNumeric(date numericDate) (time.Time, RejectionReason) {
	day, month := date.first, time.Month(date.second)
	switch {
	case date.first == date.second:
	case date.first > 12:
	case date.second > 12, f.hasMonthFirst && !f.hasDayFirst:
		day, month = date.second, time.Month(date.first)
	case f.hasDayFirst && !f.hasMonthFirst:
	case date.first == 0 || date.second == 0:
		return time.Time{}, RejectedBadDate
	default:
		return time.Time{}, RejectedAmbiguousDate
	}
	// time.Date moves the 31st of April to May; a date that moved is none.
	midnight := time.Date(date.year, month, day, 0, 0, 0, 0, time.UTC)
	if midnight.Day() != day || midnight.Month() != month {
		return time.Time{}, RejectedBadDate
	}
	if date.clock == "" {
		return startOfDay(midnight, f.Zone).UTC(), ""
	}
	for _, layout := range []string{"15:04:05", "15:04", "3:04:05 PM", "3:04 PM", "3:04PM"} {
		if clock, err := time.Parse(layout, date.clock); err == nil {
			return time.Date(date.year, month, day, clock.Hour(), clock.Minute(), clock.Second(), 0, f.Zone).UTC(), ""
		}
	}
	return time.Time{}, RejectedBadDate
}
