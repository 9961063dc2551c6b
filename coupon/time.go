package coupon

import (
	"fmt"
	"strings"
	"time"
)

// DateTime is an instant as a caller wrote it: RFC 3339, or a local time or a date alone, which are
// meant in some time zone that the receiver knows (a coupon's).
type DateTime string

// Start returns the instant in UTC; a date alone is the beginning of that day in the zone. The error
// is a sentence for the caller, without its full stop.
func (d DateTime) Start(zone *time.Location) (time.Time, error) { return d.instant(zone, 0) }

// End is Start for the exclusive end of a period: a date alone includes that day, so it gives the
// beginning of the next one.
func (d DateTime) End(zone *time.Location) (time.Time, error) { return d.instant(zone, 1) }

// instant reads the text; a date alone stands for the beginning of the day that comes days later.
func (d DateTime) instant(zone *time.Location, days int) (time.Time, error) {
	text := strings.TrimSpace(string(d))
	m, isMoment := readMoment(text)
	instant, exists := m.instant(zone, days)
	if !isMoment || !exists || !m.isYearFirst || m.sep != '-' {
		return time.Time{}, fmt.Errorf("%q is not a date and time. Use RFC 3339, e.g. 2026-11-24T10:15:00+01:00, or a date alone, e.g. 2026-11-24", text)
	}
	// The database keeps microseconds; cutting here keeps what is answered equal to what is stored.
	instant = instant.UTC().Truncate(time.Microsecond)
	if year := instant.Year(); year < minYear || year > maxYear {
		return time.Time{}, fmt.Errorf("%q is outside the years %d to %d", text, minYear, maxYear)
	}
	return instant, nil
}

// startOfDay returns the first instant in a zone of the day that date, in UTC, names. Where the clock leaps
// over midnight, as each spring in Santiago or on the Azores, time.Date may name an instant of the day
// before; the day then begins with the leap.
func startOfDay(date time.Time, zone *time.Location) time.Time {
	midnight := time.Date(date.Year(), date.Month(), date.Day(), 0, 0, 0, 0, zone)
	if midnight.Day() != date.Day() {
		_, leap := midnight.ZoneBounds()
		return leap
	}
	return midnight
}

// The years that an instant may lie in: what every client's date type can hold.
const (
	minYear = 1900
	maxYear = 9999
)

// LoadZone returns the time zone with an IANA name. "Local" is refused: it means whatever the server's
// machine is set to, which no caller can know.
func LoadZone(name string) (*time.Location, error) {
	if name == "" || name == "Local" {
		return nil, fmt.Errorf("%q is not a time zone", name)
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("load time zone: %w", err)
	}
	return zone, nil
}

// Period is a half-open span of time; a nil bound is open.
type Period struct {
	From *time.Time
	To   *time.Time
}

// NewPeriod reads the bounds of a period in a time zone; a date alone includes that day at either
// end. It returns INVALID for a bound that is not a date, and for an end before the beginning; prefix is what the
// names of the two fields begin with ("assigned" for assignedFrom and assignedTo).
func NewPeriod(from, to *DateTime, zone *time.Location, prefix string) (Period, error) {
	var period Period
	if from != nil {
		start, err := from.Start(zone)
		if err != nil {
			return Period{}, Errorf(ErrorInvalid, "%s.", err).At("filter", boundName(prefix, "From"))
		}
		period.From = &start
	}
	if to != nil {
		end, err := to.End(zone)
		if err != nil {
			return Period{}, Errorf(ErrorInvalid, "%s.", err).At("filter", boundName(prefix, "To"))
		}
		period.To = &end
	}
	if period.From != nil && period.To != nil && period.To.Before(*period.From) {
		return Period{}, Errorf(ErrorInvalid, "The period ends (%s) before it begins (%s). Swap the two.", *to, *from).At("filter", boundName(prefix, "From"))
	}
	return period, nil
}

// boundName makes the name of a bound's field: "assignedFrom", or "from" without a prefix.
func boundName(prefix, bound string) string {
	if prefix == "" {
		return strings.ToLower(bound)
	}
	return prefix + bound
}
