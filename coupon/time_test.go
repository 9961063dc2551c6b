package coupon

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func zoneOf(t testing.TB, name string) *time.Location {
	t.Helper()
	zone, err := LoadZone(name)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func instantOf(t testing.TB, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at.UTC()
}

func TestDateTime(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		zone       string
		text       DateTime
		start, end string
	}{
		"UTC": {
			zone: "Europe/Berlin", text: "2026-11-24T10:15:00Z", start: "2026-11-24T10:15:00Z",
			end: "2026-11-24T10:15:00Z",
		},
		"offset": {
			zone: "Europe/Berlin", text: "2026-11-24T10:15:00-05:00", start: "2026-11-24T15:15:00Z",
			end: "2026-11-24T15:15:00Z",
		},
		"local, winter": {
			zone: "Europe/Berlin", text: "2026-11-24T10:15:00", start: "2026-11-24T09:15:00Z",
			end: "2026-11-24T09:15:00Z",
		},
		"local, summer": {
			zone: "Europe/Berlin", text: "2026-07-24T10:15", start: "2026-07-24T08:15:00Z",
			end: "2026-07-24T08:15:00Z",
		},
		"space, blanks around": {
			zone: "Europe/Berlin", text: " 2026-11-24 10:15:30+01:00\n",
			start: "2026-11-24T09:15:30Z", end: "2026-11-24T09:15:30Z",
		},
		"space, local": {
			zone: "America/New_York", text: "2026-11-24 10:15", start: "2026-11-24T15:15:00Z",
			end: "2026-11-24T15:15:00Z",
		},
		"offset without a colon": {
			zone: "UTC", text: "2026-11-24 10:15:30 +0100", start: "2026-11-24T09:15:30Z",
			end: "2026-11-24T09:15:30Z",
		},
		"UTC by its name": {
			zone: "Europe/Berlin", text: "2026-11-24 10:15 UTC", start: "2026-11-24T10:15:00Z",
			end: "2026-11-24T10:15:00Z",
		},
		"beyond microseconds": {
			zone: "UTC", text: "2026-11-24T10:15:00.123456789Z",
			start: "2026-11-24T10:15:00.123456Z",
			end:   "2026-11-24T10:15:00.123456Z",
		},
		"midnight is no date": {
			zone: "Europe/Berlin", text: "2026-11-24T00:00", start: "2026-11-23T23:00:00Z",
			end: "2026-11-23T23:00:00Z",
		},
		"date": {
			zone: "UTC", text: "2026-11-24", start: "2026-11-24T00:00:00Z",
			end: "2026-11-25T00:00:00Z",
		},
		"leap day": {
			zone: "UTC", text: "2028-02-29", start: "2028-02-29T00:00:00Z",
			end: "2028-03-01T00:00:00Z",
		},
		"Berlin, winter": {
			zone: "Europe/Berlin", text: "2026-11-24", start: "2026-11-23T23:00:00Z",
			end: "2026-11-24T23:00:00Z",
		},
		"Berlin, spring change": {
			zone: "Europe/Berlin", text: "2026-03-29", start: "2026-03-28T23:00:00Z",
			end: "2026-03-29T22:00:00Z",
		},
		"Berlin, autumn change": {
			zone: "Europe/Berlin", text: "2026-10-25", start: "2026-10-24T22:00:00Z",
			end: "2026-10-25T23:00:00Z",
		},
		"New York, spring": {
			zone: "America/New_York", text: "2026-03-08", start: "2026-03-08T05:00:00Z",
			end: "2026-03-09T04:00:00Z",
		},
		"New York, autumn": {
			zone: "America/New_York", text: "2026-11-01", start: "2026-11-01T04:00:00Z",
			end: "2026-11-02T05:00:00Z",
		},
		// Samoa crossed the date line and had no 30 December 2011.
		"Apia, before the gap": {
			zone: "Pacific/Apia", text: "2011-12-29", start: "2011-12-29T10:00:00Z",
			end: "2011-12-30T10:00:00Z",
		},
		"Apia, the missing day": {
			zone: "Pacific/Apia", text: "2011-12-30", start: "2011-12-30T10:00:00Z",
			end: "2011-12-30T10:00:00Z",
		},
		"Apia, after the gap": {
			zone: "Pacific/Apia", text: "2011-12-31", start: "2011-12-30T10:00:00Z",
			end: "2011-12-31T10:00:00Z",
		},
		"Apia, leaping midnight": {
			zone: "Pacific/Apia", text: "2010-09-26", start: "2010-09-26T11:00:00Z",
			end: "2010-09-27T10:00:00Z",
		},
		"Apia, today": {
			zone: "Pacific/Apia", text: "2026-11-24", start: "2026-11-23T11:00:00Z",
			end: "2026-11-24T11:00:00Z",
		},
		// Where the clock leaps from midnight to one, the day begins at one and the day before
		// lasts until then.
		"Santiago, the day before": {
			zone: "America/Santiago", text: "2026-09-05", start: "2026-09-05T04:00:00Z",
			end: "2026-09-06T04:00:00Z",
		},
		"Santiago, the day": {
			zone: "America/Santiago", text: "2026-09-06", start: "2026-09-06T04:00:00Z",
			end: "2026-09-07T03:00:00Z",
		},
		"Azores, the day": {
			zone: "Atlantic/Azores", text: "2026-03-29", start: "2026-03-29T01:00:00Z",
			end: "2026-03-30T00:00:00Z",
		},
		"Cairo, the day": {
			zone: "Africa/Cairo", text: "2026-04-24", start: "2026-04-23T22:00:00Z",
			end: "2026-04-24T21:00:00Z",
		},
		// The clock of Toronto leapt from half past eleven to half past twelve.
		"Toronto, half an hour late": {
			zone: "America/Toronto", text: "1919-03-31", start: "1919-03-31T04:30:00Z",
			end: "1919-04-01T04:00:00Z",
		},
		"Azores, midnight twice": {
			zone: "Atlantic/Azores", text: "2026-10-25", start: "2026-10-25T00:00:00Z",
			end: "2026-10-26T01:00:00Z",
		},
		"the first instant": {
			zone: "UTC", text: "1900-01-01", start: "1900-01-01T00:00:00Z",
			end: "1900-01-02T00:00:00Z",
		},
		"the last but one day": {
			zone: "UTC", text: "9999-12-30", start: "9999-12-30T00:00:00Z",
			end: "9999-12-31T00:00:00Z",
		},
		"the last instant": {
			zone: "UTC", text: "9999-12-31T23:59:59.999999Z", start: "9999-12-31T23:59:59.999999Z",
			end: "9999-12-31T23:59:59.999999Z",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			zone := zoneOf(t, test.zone)
			for _, bound := range []struct {
				read func(*time.Location) (time.Time, error)
				want string
			}{{test.text.Start, test.start}, {test.text.End, test.end}} {
				got, err := bound.read(zone)
				if err != nil {
					t.Fatal(err)
				}
				if want := instantOf(t, bound.want); !got.Equal(want) ||
					got.Location() != time.UTC {
					t.Errorf("got %s, want %s", got, want)
				}
			}
		})
	}
}

func TestDateTimeErrors(t *testing.T) {
	t.Parallel()
	const unreadable = " is not a date and time. Use RFC 3339, e.g. 2026-11-24T10:15:00+01:00, or a date alone, e.g. 2026-11-24"
	const outside = " is outside the years 1900 to 9999"
	tests := map[DateTime]string{
		"":                          `""` + unreadable,
		" tomorrow ":                `"tomorrow"` + unreadable,
		"24.11.2026":                `"24.11.2026"` + unreadable,
		"2026-11":                   `"2026-11"` + unreadable,
		"2026-02-29":                `"2026-02-29"` + unreadable,
		"2026-11-24T24:00:00Z":      `"2026-11-24T24:00:00Z"` + unreadable,
		"2026-11-24T10":             `"2026-11-24T10"` + unreadable,
		"2026-11-24T10:15:00 CET":   `"2026-11-24T10:15:00 CET"` + unreadable,
		"2026/11/24":                `"2026/11/24"` + unreadable,
		"20261124":                  `"20261124"` + unreadable,
		"24 Nov 2026":               `"24 Nov 2026"` + unreadable,
		"1899-12-31T23:59:59Z":      `"1899-12-31T23:59:59Z"` + outside,
		"0001-01-01":                `"0001-01-01"` + outside,
		"9999-12-31T23:59:59-01:00": `"9999-12-31T23:59:59-01:00"` + outside,
	}
	for text, want := range tests {
		for _, read := range []func(*time.Location) (time.Time, error){text.Start, text.End} {
			got, err := read(time.UTC)
			if err == nil || err.Error() != want || !got.IsZero() {
				t.Errorf("got %s and the error %v for %q, want %s", got, err, text, want)
			}
		}
	}
}

func TestDateTimeEndAfterTheLastYear(t *testing.T) {
	t.Parallel()
	got, err := DateTime("9999-12-31").End(time.UTC)
	if want := `"9999-12-31" is outside the years 1900 to 9999`; err == nil || err.Error() != want {
		t.Errorf("got %s and the error %v, want %s", got, err, want)
	}
}

// TestDateTimeDays holds the days of a zone together: each begins with the first instant that has
// its date, and ends where the next begins.
func TestDateTimeDays(t *testing.T) {
	t.Parallel()
	zones := []string{
		"UTC", "Europe/Berlin", "America/New_York", "Pacific/Apia", "America/Santiago",
		"America/Havana", "Atlantic/Azores", "Africa/Cairo",
		"Asia/Beirut", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca",
		"Pacific/Chatham", "America/St_Johns",
	}
	for _, name := range zones {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			zone := zoneOf(t, name)
			first := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
			for day := first; day.Year() < 2030; day = day.AddDate(0, 0, 1) {
				date, next := DateTime(day.Format(time.DateOnly)),
					DateTime(day.AddDate(0, 0, 1).Format(time.DateOnly))
				start, startErr := date.Start(zone)
				end, endErr := date.End(zone)
				nextStart, nextErr := next.Start(zone)
				if startErr != nil || endErr != nil || nextErr != nil {
					t.Fatal(startErr, endErr, nextErr)
				}
				if got := start.In(zone).Format(time.DateOnly); got != string(date) {
					t.Errorf("%s begins on %s", date, got)
				}
				if got := start.Add(-1).In(zone).Format(time.DateOnly); got == string(date) {
					t.Errorf("%s begins before %s", date, start.In(zone))
				}
				if !end.Equal(nextStart) {
					t.Errorf("%s ends at %s, but %s begins at %s", date, end, next, nextStart)
				}
			}
		})
	}
}

func TestDateTimeOfAnInstant(t *testing.T) {
	t.Parallel()
	berlin := zoneOf(t, "Europe/Berlin")
	rapid.Check(t, func(t *rapid.T) {
		first, last := time.Date(minYear, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(maxYear, 12, 31, 0,
			0, 0, 0, time.UTC)
		seconds := rapid.Int64Range(first.Unix(), last.Unix()).Draw(t, "seconds")
		want := time.Unix(seconds, 1000*rapid.Int64Range(0, 999_999).Draw(t, "microseconds"))
		offset := time.FixedZone("", 60*rapid.IntRange(-14*60, 14*60).Draw(t, "offset in minutes"))
		text := DateTime(want.In(offset).Format(time.RFC3339Nano))
		for _, read := range []func(*time.Location) (time.Time, error){text.Start, text.End} {
			// An instant with an offset near either end may have a year outside as text.
			if year := want.In(offset).Year(); year < 1 || year > maxYear {
				t.Skip("not RFC 3339")
			}
			got, err := read(berlin)
			if err != nil || !got.Equal(want) {
				t.Fatalf("got %s and the error %v for %q, want %s", got, err, text, want.UTC())
			}
		}
	})
}

func TestNewPeriod(t *testing.T) {
	t.Parallel()
	berlin := zoneOf(t, "Europe/Berlin")
	tests := map[string]struct {
		from, to *DateTime
		prefix   string
		want     Period
		problems []string
	}{
		"open": {},
		"from": {from: new(DateTime("2026-03-29")), want: Period{
			From: new(instantOf(t, "2026-03-28T23:00:00Z")),
		}},
		"to": {to: new(DateTime("2026-03-29")), want: Period{
			To: new(instantOf(t, "2026-03-29T22:00:00Z")),
		}},
		"one day": {
			from: new(DateTime("2026-10-25")), to: new(DateTime("2026-10-25")),
			want: Period{
				From: new(instantOf(t, "2026-10-24T22:00:00Z")),
				To:   new(instantOf(t, "2026-10-25T23:00:00Z")),
			},
		},
		"instants": {
			from: new(DateTime("2026-10-25T10:00")),
			to:   new(DateTime("2026-10-25T11:60Z")),
			want: Period{},
			problems: []string{
				`filter.to INVALID: "2026-10-25T11:60Z" is not a date and time. ` +
					`Use RFC 3339, e.g. 2026-11-24T10:15:00+01:00, or a date alone, e.g. 2026-11-24.`,
			},
		},
		"bad from": {
			from:   new(DateTime("x")),
			prefix: "assigned",
			problems: []string{
				`filter.assignedFrom INVALID: "x" is not a date and time. Use RFC 3339, e.g. 2026-11-24T10:15:00+01:00, or a date alone, e.g. 2026-11-24.`,
			},
		},
		"bad to": {
			to: new(DateTime("1066-10-14")), prefix: "redeemed",
			problems: []string{
				`filter.redeemedTo INVALID: "1066-10-14" is outside the years 1900 to 9999.`,
			},
		},
		"swapped": {
			from: new(DateTime("2026-12-01")), to: new(DateTime("2026-11-01")), prefix: "redeemed",
			problems: []string{`filter.redeemedFrom INVALID: The period ends (2026-11-01) before it begins (2026-12-01). Swap the two.`},
		},
		"an instant": {
			from: new(DateTime("2026-12-01T10:00Z")), to: new(DateTime("2026-12-01T10:00Z")),
			want: Period{
				From: new(instantOf(t, "2026-12-01T10:00:00Z")),
				To:   new(instantOf(t, "2026-12-01T10:00:00Z")),
			},
		},
		"bare names": {
			from: new(DateTime("1066-10-14")),
			problems: []string{
				`filter.from INVALID: "1066-10-14" is outside the years 1900 to 9999.`,
			},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := NewPeriod(test.from, test.to, berlin, test.prefix)
			if diff := cmp.Diff(test.problems, problemLines(t, err)); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("period (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLoadZone(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires"} {
		if zone, err := LoadZone(name); err != nil || zone.String() != name {
			t.Errorf("got %v and the error %v, want %s", zone, err, name)
		}
	}
	for _, name := range []string{
		"", "Local", "Berlin", "../etc/passwd", "/etc/localtime", "Europe\\Berlin", "+01:00",
	} {
		if zone, err := LoadZone(name); err == nil {
			t.Errorf("got %v for %q, want an error", zone, name)
		}
	}
}

func FuzzDateTime(f *testing.F) {
	for _, text := range []string{
		"2026-11-24", "2026-11-24T10:15:00+01:00", "2026-11-24 10:15",
		" 2026-11-24T10:15:00.123456789 ", "9999-12-31", "1900-01-01",
		"2011-12-30", "2010-09-26", "2026-02-30", "", "-0001-01-01", "2026-11-24T25:00Z",
	} {
		f.Add(text)
	}
	apia := zoneOf(f, "Pacific/Apia")
	f.Fuzz(func(t *testing.T, text string) {
		start, err := DateTime(text).Start(apia)
		if err != nil {
			if !start.IsZero() {
				t.Errorf("got %s with the error %v", start, err)
			}
			return
		}
		if start.Year() < minYear || start.Year() > maxYear || start.Nanosecond()%1000 != 0 {
			t.Errorf("got %s, which a client cannot hold", start)
		}
		if again, err := DateTime(start.Format(time.RFC3339Nano)).Start(apia); err != nil ||
			!again.Equal(start) {
			t.Errorf("got %s and the error %v again, want %s", again, err, start)
		}
		// Only the day after the last one has no end.
		end, err := DateTime(text).End(apia)
		if err == nil && end.Before(start) || err != nil && start.Year() < maxYear {
			t.Errorf("got the end %s and the error %v, want one not before %s", end, err, start)
		}
	})
}
