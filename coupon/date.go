package coupon

import (
	"regexp"
	"strconv"
	"time"
)

// FutureTolerance is how far in the future a date of a file may lie: a shop in another zone writes
// tomorrow's date today.
const FutureTolerance = 24 * time.Hour

// DateOrder says which number of a date comes first where that is not known.
type DateOrder string

// The orders.
const (
	DayFirst   DateOrder = "DAY_FIRST"
	MonthFirst DateOrder = "MONTH_FIRST"
)

// FileDates reads the dates of one file. With dots between the numbers the day comes first. Otherwise day and month are
// told apart by evidence alone: a first or second number above 12 anywhere in the file. Show every date to Observe before
// the first Parse.
type FileDates struct {
	// Zone is meant where a date has no offset.
	Zone *time.Location
	Now  time.Time
	// Order is what the caller says; nil: it follows from the file.
	Order *DateOrder

	// hasDayFirst and hasMonthFirst are the evidence of all dates, and the others that of those with dots.
	hasDayFirst, hasMonthFirst, hasDayFirstDots, hasMonthFirstDots bool
}

// epochDate is a number of seconds, or of their thousandths, millionths or billionths, since 1970, for any instant from
// 2001 to 2286. Behind a point stands a fraction of a second, of which programs leave zeros out.
var epochDate = regexp.MustCompile(`^(\d{10})(?:(\d{3}|\d{6}|\d{9})|\.(\d{1,9}))?$`)

// shortYear tells a date whose year has two digits, and serialDate the number of a day as spreadsheets count them, from 1954
// to 2118. Which century or count is meant is not known, so that neither is read (ADR 71).
var (
	shortYear  = regexp.MustCompile(`^\d{1,2} ?[./-] ?(?:\d{1,2}|\pL{3,}\.?) ?[./-] ?\d{2}(?:$|[ ,T])`)
	serialDate = regexp.MustCompile(`^[2-7]\d{4}(?:[.,]\d+)?$`)
)

// dateProblem says what is wrong with a text that cannot be read as a date.
func dateProblem(text string) string {
	switch text = CleanValue(text); {
	case shortYear.MatchString(text):
		return "The year has two digits, so that it is not known which one is meant. Write all four, as in 2026-11-24."
	case serialDate.MatchString(text):
		return "This is the number of a day as a spreadsheet counts them. Format the column as a date there, as in 2026-11-24, and export it again."
	}
	return RejectedBadDate.Message()
}

// Observe learns from one date of the file in which order its days and months stand.
func (f *FileDates) Observe(text string) {
	m, isMoment := readMoment(CleanValue(text))
	if !isMoment || !m.isOpen {
		return
	}
	isDayFirst, isMonthFirst := m.first > 12 && m.second <= 12, m.second > 12 && m.first <= 12
	f.hasDayFirst, f.hasMonthFirst = f.hasDayFirst || isDayFirst, f.hasMonthFirst || isMonthFirst
	if m.sep == '.' {
		f.hasDayFirstDots, f.hasMonthFirstDots = f.hasDayFirstDots || isDayFirst, f.hasMonthFirstDots || isMonthFirst
	}
}

// order returns the order of the numbers of a date that could have either; "" when it is not known.
func (f *FileDates) order(sep byte) DateOrder {
	dayFirst, monthFirst := f.hasDayFirst, f.hasMonthFirst
	if sep == '.' {
		dayFirst, monthFirst = !f.hasMonthFirstDots || f.hasDayFirstDots, f.hasMonthFirstDots
	}
	switch {
	case f.Order != nil:
		return *f.Order
	case dayFirst && !monthFirst:
		return DayFirst
	case monthFirst && !dayFirst:
		return MonthFirst
	}
	return ""
}

// Parse returns the instant of a date, in UTC, or the reason to reject it: EMPTY, BAD_DATE,
// AMBIGUOUS_DATE or FUTURE_DATE.
func (f *FileDates) Parse(text string) (time.Time, RejectionReason) {
	text = CleanValue(text)
	if text == "" {
		return time.Time{}, RejectedEmpty
	}
	at, reason := f.parse(text, 0)
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

// Bound returns the instant of a date that begins or ends a period in a zone, in UTC, or the reason to reject it: EMPTY, BAD_DATE or
// AMBIGUOUS_DATE. It may lie in the future, and a date alone that ends the period includes its day.
func (f *FileDates) Bound(text string, zone *time.Location, isEnd bool) (time.Time, RejectionReason) {
	text = CleanValue(text)
	if text == "" {
		return time.Time{}, RejectedEmpty
	}
	days := 0
	if isEnd {
		days = 1
	}
	inZone := *f
	inZone.Zone = zone
	at, reason := inZone.parse(text, days)
	if reason == "" && (at.Year() < minYear || at.Year() > maxYear) {
		reason = RejectedBadDate
	}
	return at, reason
}

// Latest returns the last instant that a date can mean which Parse read as at: at itself, or for a date
// without a time the end of that day. It tells what happened before something else for sure.
func (f *FileDates) Latest(text string, at time.Time) time.Time {
	if end, reason := f.parse(CleanValue(text), 1); reason == "" {
		return end
	}
	return at
}

// parse reads a date; one without a time stands for the beginning of the day that comes days later.
func (f *FileDates) parse(text string, days int) (time.Time, RejectionReason) {
	if at, isEpoch := parseEpoch(text); isEpoch {
		return at, ""
	}
	m, isMoment := readMoment(text)
	if !isMoment {
		return time.Time{}, RejectedBadDate
	}
	if m.isOpen {
		if reason := f.settle(&m); reason != "" {
			return time.Time{}, reason
		}
	}
	at, exists := m.instant(f.Zone, days)
	if !exists {
		return time.Time{}, RejectedBadDate
	}
	// The database keeps microseconds.
	return at.UTC().Truncate(time.Microsecond), ""
}

func parseEpoch(text string) (at time.Time, isEpoch bool) {
	if len(text) < 10 || text[4] < '0' || text[4] > '9' || text[9] < '0' || text[9] > '9' {
		return at, false
	}
	match := epochDate.FindStringSubmatch(text)
	if match == nil {
		return at, false
	}
	// The pattern lets digits through alone, few enough for an int.
	seconds, _ := strconv.ParseInt(match[1], 10, 64)
	nanoseconds, _ := strconv.ParseInt((match[2] + match[3] + "000000000")[:9], 10, 64)
	return time.Unix(seconds, nanoseconds).UTC().Truncate(time.Microsecond), true
}

// settle finds out which number of a date is the day.
func (f *FileDates) settle(m *moment) RejectionReason {
	m.day, m.month = m.first, m.second
	switch {
	case m.first == m.second, m.first > 12:
	case m.second > 12:
		m.day, m.month = m.second, m.first
	case m.first == 0 || m.second == 0:
		return RejectedBadDate
	default:
		switch f.order(m.sep) {
		case DayFirst:
		case MonthFirst:
			m.day, m.month = m.second, m.first
		default:
			return RejectedAmbiguousDate
		}
	}
	return ""
}
