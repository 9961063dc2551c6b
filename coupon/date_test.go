package coupon

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestDateProblems tells that a date which cannot be read is rejected with what is wrong with it.
func TestDateProblems(t *testing.T) {
	t.Parallel()
	const short, serial, other = "The year has two digits", "This is the number of a day",
		"The date cannot be read"
	dates := &FileDates{Zone: time.UTC, Now: time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)}
	for text, want := range map[string]string{
		"24.11.26": short, "11/24/26": short, "26-11-24": short, "24-Nov-26": short,
		"24.11.26 10:15": short, "3/4/26, 9:05 PM": short, "24. Nov. 26": short,
		"45985": serial, "45985.4273": serial, "45985,5": serial, " 45985 ": serial,
		"soon": other, "123": other, "99999": other, "2026-13-45": other, "4598": other,
		"24.11.026": other,
	} {
		if _, reason := dates.Parse(text); reason != RejectedBadDate {
			t.Errorf("%q: got %q", text, reason)
		}
		rejection := Rejection{Reason: RejectedBadDate, Value: &text}
		if got := rejection.Message(); !strings.HasPrefix(got, fmt.Sprintf("%q: %s", text, want)) {
			t.Errorf("%q: got %s", text, got)
		}
	}
}

func TestFileDates(t *testing.T) {
	t.Parallel()
	const now = "2026-11-24T09:15:00Z"
	dayFirst, monthFirst := []string{"24/11/2026"}, []string{"11/24/2026"}
	tests := map[string]struct {
		observed []string
		order    DateOrder
		zone     string
		text     string
		want     string
		reason   RejectionReason
	}{
		"ISO with an offset": {
			text: "2026-11-24T10:15:00+01:00", want: "2026-11-24T09:15:00Z",
		},
		"ISO in UTC":         {text: "2026-11-24T09:15:00Z", want: "2026-11-24T09:15:00Z"},
		"ISO local":          {text: "2026-11-24T10:15:00", want: "2026-11-24T09:15:00Z"},
		"ISO with a space":   {text: "2026-11-24 10:15", want: "2026-11-24T09:15:00Z"},
		"ISO date":           {text: "2026-11-24", want: "2026-11-23T23:00:00Z"},
		"ISO date in summer": {text: "2026-07-24", want: "2026-07-23T22:00:00Z"},
		"ISO date in New York": {
			zone: "America/New_York", text: "2026-07-24", want: "2026-07-24T04:00:00Z",
		},
		"ISO needs no evidence": {
			observed: []string{"24/11/2026", "11/24/2026"}, text: "2026-03-04",
			want: "2026-03-03T23:00:00Z",
		},
		"edges trimmed": {
			text: "\uFEFF 2026-11-24\u00A0", want: "2026-11-23T23:00:00Z",
		},
		"epoch seconds":          {text: "1795511700", want: "2026-11-24T09:15:00Z"},
		"epoch milliseconds":     {text: "1795511700250", want: "2026-11-24T09:15:00.25Z"},
		"epoch of nine digits":   {text: "999999999", reason: RejectedBadDate},
		"epoch of eleven digits": {text: "17955117000", reason: RejectedBadDate},
		"epoch in the future":    {text: "9999999999", reason: RejectedFutureDate},
		"day first by itself":    {text: "24/11/2026", want: "2026-11-23T23:00:00Z"},
		"month first by itself":  {text: "11/24/2026", want: "2026-11-23T23:00:00Z"},
		"by itself against the row": {
			observed: monthFirst, text: "24.10.2026", want: "2026-10-23T22:00:00Z",
		},
		"day and month alike": {text: "03.03.2026", want: "2026-03-02T23:00:00Z"},
		"one digit each": {
			observed: dayFirst, text: "3/4/2026", want: "2026-04-02T22:00:00Z",
		},
		"day first by evidence": {
			observed: dayFirst, text: "03/04/2026", want: "2026-04-02T22:00:00Z",
		},
		"month first by evidence": {
			observed: monthFirst, text: "03/04/2026", want: "2026-03-03T23:00:00Z",
		},
		"no evidence": {text: "03/04/2026", reason: RejectedAmbiguousDate},
		"evidence that is none": {
			observed: []string{"03/04/2026", "12/12/2026", "2026-11-24", "x", ""},
			text:     "03/04/2026", reason: RejectedAmbiguousDate,
		},
		"contradictory evidence": {
			observed: []string{"24/11/2026", "11/24/2026"}, text: "03/04/2026",
			reason: RejectedAmbiguousDate,
		},
		"contradictory, told apart": {
			observed: []string{"24/11/2026", "11/24/2026"}, text: "13/04/2026",
			want: "2026-04-12T22:00:00Z",
		},
		"evidence of no date": {
			observed: []string{"31/13/2026", "13/31/2026"}, text: "03/04/2026",
			reason: RejectedAmbiguousDate,
		},
		"first 13, second 31": {
			observed: []string{"13/31/2026", "24/11/2026"}, text: "03/04/2026",
			want: "2026-04-02T22:00:00Z",
		},
		"first 31, second 13": {
			observed: []string{"31/13/2026", "11/24/2026"}, text: "03/04/2026",
			want: "2026-03-03T23:00:00Z",
		},
		"evidence of a third row": {
			observed: []string{"01/02/2026", "05-06-2026", "7.13.2026"}, text: "03/04/2026",
			want: "2026-03-03T23:00:00Z",
		},
		"evidence with edges": {
			observed: []string{"\uFEFF24/11/2026\u00A0"}, text: "03/04/2026",
			want: "2026-04-02T22:00:00Z",
		},
		"evidence with a time": {
			observed: []string{"24/11/2026 10:15 PM"}, text: "03/04/2026",
			want: "2026-04-02T22:00:00Z",
		},
		"dots":                     {text: "24.11.2026", want: "2026-11-23T23:00:00Z"},
		"hyphens":                  {text: "24-11-2026", want: "2026-11-23T23:00:00Z"},
		"mixed separators":         {text: "24/11-2026", reason: RejectedBadDate},
		"time":                     {text: "24.11.2026 10:15", want: "2026-11-24T09:15:00Z"},
		"time with seconds":        {text: "24.11.2026 10:14:59", want: "2026-11-24T09:14:59Z"},
		"time after T":             {text: "24/11/2026T10:15", want: "2026-11-24T09:15:00Z"},
		"time after a comma":       {text: "11/24/2026, 10:15:00 AM", want: "2026-11-24T09:15:00Z"},
		"am":                       {text: "11/23/2026 9:05 am", want: "2026-11-23T08:05:00Z"},
		"pm":                       {text: "11/23/2026 9:05 pm", want: "2026-11-23T20:05:00Z"},
		"pm without a space":       {text: "11/23/2026 9:05PM", want: "2026-11-23T20:05:00Z"},
		"noon":                     {text: "11/23/2026 12:00 PM", want: "2026-11-23T11:00:00Z"},
		"midnight":                 {text: "11/23/2026 12:00 AM", want: "2026-11-22T23:00:00Z"},
		"13 pm":                    {text: "11/23/2026 13:00 PM", reason: RejectedBadDate},
		"25 o'clock":               {text: "23.11.2026 25:00", reason: RejectedBadDate},
		"time without minutes":     {text: "23.11.2026 10", reason: RejectedBadDate},
		"time with an offset":      {text: "23.11.2026 10:15 +01:00", want: "2026-11-23T09:15:00Z"},
		"31 April":                 {text: "31.04.2026", reason: RejectedBadDate},
		"31 April, month first":    {text: "04/31/2026", reason: RejectedBadDate},
		"29 February":              {text: "29.02.2026", reason: RejectedBadDate},
		"29 February of 2024":      {text: "29.02.2024", want: "2024-02-28T23:00:00Z"},
		"ISO 31 April":             {text: "2026-04-31", reason: RejectedBadDate},
		"month 13":                 {text: "2026-13-01", reason: RejectedBadDate},
		"both above 12":            {text: "13/13/2026", reason: RejectedBadDate},
		"both above 12, differing": {text: "31/13/2026", reason: RejectedBadDate},
		"day 0":                    {text: "00/05/2026", reason: RejectedBadDate},
		"month 0":                  {text: "05/00/2026", reason: RejectedBadDate},
		"day 0 by evidence": {
			observed: dayFirst, text: "00/05/2026", reason: RejectedBadDate,
		},
		"both 0":                  {text: "00/00/2026", reason: RejectedBadDate},
		"day 32":                  {text: "32/05/2026", reason: RejectedBadDate},
		"year of two digits":      {text: "24.11.26", reason: RejectedBadDate},
		"year 1":                  {text: "24.11.0001", reason: RejectedBadDate},
		"year 1900":               {text: "24.11.1900", want: "1900-11-23T23:00:00Z"},
		"year 1899":               {text: "1899-11-24", reason: RejectedBadDate},
		"year first with slashes": {text: "2026/11/24", want: "2026-11-23T23:00:00Z"},
		"year first with dots":    {text: "2026.11.4", want: "2026-11-03T23:00:00Z"},
		"month as a word":         {text: "24 Nov 2026", want: "2026-11-23T23:00:00Z"},
		"offset without a colon": {
			text: "2026-11-23 09:50:26 +0200", want: "2026-11-23T07:50:26Z",
		},
		"offset of hours": {text: "2026-11-23T09:50:26-05", want: "2026-11-23T14:50:26Z"},
		"offset beside": {
			text: "2026-11-23 09:50:26+0100", want: "2026-11-23T08:50:26Z",
		},
		"UTC": {text: "2026-11-23 09:50:26 UTC", want: "2026-11-23T09:50:26Z"},
		"UTC and an offset": {
			text: "2026-11-23 09:50:26 UTC+2", want: "2026-11-23T07:50:26Z",
		},
		"Z after a space": {text: "2026-11-23 09:50 z", want: "2026-11-23T09:50:00Z"},
		"offset with a minus": {
			text: "2026-11-23 09:50:26 \u22120330", want: "2026-11-23T13:20:26Z",
		},
		"offset with a name": {
			text: "2026-11-23T09:50:26+01:00[Europe/Berlin]", want: "2026-11-23T08:50:26Z",
		},
		"offset of 25 hours":   {text: "2026-11-23T09:50:26+25:00", reason: RejectedBadDate},
		"zone by a short name": {text: "2026-11-23 09:50:26 CST", reason: RejectedBadDate},
		"date of XML, UTC":     {text: "2026-11-23Z", want: "2026-11-23T00:00:00Z"},
		"date of XML, offset":  {text: "2026-11-23-05:00", want: "2026-11-23T05:00:00Z"},
		"mail": {
			text: "Mon, 23 Nov 2026 09:50:26 +0000", want: "2026-11-23T09:50:26Z",
		},
		"HTTP": {
			text: "Mon, 23 Nov 2026 09:50:26 GMT", want: "2026-11-23T09:50:26Z",
		},
		"JavaScript": {
			text: "Mon Nov 23 2026 10:50:26 GMT+0100 (Central European Standard Time)",
			want: "2026-11-23T09:50:26Z",
		},
		"narrow space before PM": {
			text: "11/23/2026, 9:05:00\u202FPM", want: "2026-11-23T20:05:00Z",
		},
		"marks of direction": {
			text: "\u200E11\u200E/\u200E23\u200E/\u200E2026\u200E \u200E9\u200E:\u200E05\u200E \u200EPM",
			want: "2026-11-23T20:05:00Z",
		},
		"p.m.":            {text: "11/23/2026 9:05 p.m.", want: "2026-11-23T20:05:00Z"},
		"hours alone, pm": {text: "11/23/2026 9 PM", want: "2026-11-23T20:00:00Z"},
		"Uhr":             {text: "23.11.2026, 10:15 Uhr", want: "2026-11-23T09:15:00Z"},
		"French hours":    {text: "23/11/2026 10h15", want: "2026-11-23T09:15:00Z"},
		"time with dots":  {text: "23.11.2026 10.15", want: "2026-11-23T09:15:00Z"},
		"fraction": {
			text: "2026-11-23 10:15:00.250", want: "2026-11-23T09:15:00.25Z",
		},
		"fraction with a comma": {
			text: "2026-11-23 10:15:00,25", want: "2026-11-23T09:15:00.25Z",
		},
		"compact":              {text: "20261123", want: "2026-11-22T23:00:00Z"},
		"compact with a time":  {text: "20261123T101500Z", want: "2026-11-23T10:15:00Z"},
		"digits alone":         {text: "20261123101500", want: "2026-11-23T09:15:00Z"},
		"digits that are none": {text: "20261323", reason: RejectedBadDate},
		"epoch with a point":   {text: "1795511700.0", want: "2026-11-24T09:15:00Z"},
		"epoch microseconds":   {text: "1795511700250000", want: "2026-11-24T09:15:00.25Z"},
		"English, month first": {text: "November 23rd, 2026", want: "2026-11-22T23:00:00Z"},
		"German":               {text: "3. März 2026", want: "2026-03-02T23:00:00Z"},
		"French":               {text: "3 févr. 2026", want: "2026-02-02T23:00:00Z"},
		"Spanish": {
			text: "3 de agosto de 2026 10:00", want: "2026-08-03T08:00:00Z",
		},
		"Italian":             {text: "3 ottobre 2026", want: "2026-10-02T22:00:00Z"},
		"Portuguese":          {text: "3 de março de 2026", want: "2026-03-02T23:00:00Z"},
		"Dutch":               {text: "3 mrt. 2026", want: "2026-03-02T23:00:00Z"},
		"Polish":              {text: "3 października 2026", want: "2026-10-02T22:00:00Z"},
		"Turkish":             {text: "3 Ağustos 2026", want: "2026-08-02T22:00:00Z"},
		"Oracle":              {text: "23-NOV-2026", want: "2026-11-22T23:00:00Z"},
		"no month":            {text: "3 foo 2026", reason: RejectedBadDate},
		"dots, the day first": {text: "03.11.2026 10:00", want: "2026-11-03T09:00:00Z"},
		"dots, other evidence": {
			observed: monthFirst, text: "03.11.2026", want: "2026-11-02T23:00:00Z",
		},
		"dots, own evidence": {
			observed: []string{"11.23.2026"}, text: "03.11.2026", want: "2026-03-10T23:00:00Z",
		},
		"dots, both": {
			observed: []string{"11.23.2026", "23.11.2026"}, text: "03.11.2026",
			reason: RejectedAmbiguousDate,
		},
		"said: the day first": {
			order: DayFirst, text: "03/04/2026", want: "2026-04-02T22:00:00Z",
		},
		"said: the month first": {
			order: MonthFirst, text: "03/04/2026", want: "2026-03-03T23:00:00Z",
		},
		"said against evidence": {
			order: MonthFirst, observed: dayFirst, text: "03/04/2026", want: "2026-03-03T23:00:00Z",
		},
		"said against dots": {
			order: MonthFirst, text: "03.04.2026", want: "2026-03-03T23:00:00Z",
		},
		"said and impossible": {
			order: MonthFirst, text: "23/11/2026", want: "2026-11-22T23:00:00Z",
		},
		"empty":                    {text: "", reason: RejectedEmpty},
		"blank":                    {text: " \u200B\t", reason: RejectedEmpty},
		"a word":                   {text: "yesterday", reason: RejectedBadDate},
		"tomorrow's same time":     {text: "2026-11-25T09:15:00Z", want: "2026-11-25T09:15:00Z"},
		"just later than tomorrow": {text: "2026-11-25T09:15:01Z", reason: RejectedFutureDate},
		"date of tomorrow":         {text: "25.11.2026", want: "2026-11-24T23:00:00Z"},
		"date after tomorrow":      {text: "26.11.2026", reason: RejectedFutureDate},
		"two readings, one future": {text: "01/12/2026", reason: RejectedAmbiguousDate},
		"day leaping midnight": {
			zone: "Atlantic/Azores", text: "29/03/2026", want: "2026-03-29T01:00:00Z",
		},
		"time in the leap": {
			zone: "Atlantic/Azores", text: "29/03/2026 00:30", want: "2026-03-29T00:30:00Z",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			zone := "Europe/Berlin"
			if test.zone != "" {
				zone = test.zone
			}
			dates := &FileDates{Zone: zoneOf(t, zone), Now: instantOf(t, now)}
			if test.order != "" {
				dates.Order = &test.order
			}
			for _, text := range test.observed {
				dates.Observe(text)
			}
			dates.Observe(test.text)
			at, reason := dates.Parse(test.text)
			got := ""
			if !at.IsZero() {
				got = at.Format(time.RFC3339Nano)
			}
			if got != test.want || reason != test.reason {
				t.Errorf("got %q, %q, want %q, %q", got, reason, test.want, test.reason)
			}
		})
	}
}

func TestFileDatesLatest(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ zone, text, want string }{
		"instant": {
			zone: "Europe/Berlin", text: "2026-11-24T10:15:00+01:00", want: "2026-11-24T09:15:00Z",
		},
		"local": {
			zone: "Europe/Berlin", text: "2026-11-24 10:15", want: "2026-11-24T09:15:00Z",
		},
		"epoch": {
			zone: "Europe/Berlin", text: "1795511700", want: "2026-11-24T09:15:00Z",
		},
		"ISO date": {
			zone: "Europe/Berlin", text: " 2026-11-23\u00A0", want: "2026-11-23T23:00:00Z",
		},
		"numeric date": {
			zone: "Europe/Berlin", text: "23.11.2026", want: "2026-11-23T23:00:00Z",
		},
		"numeric with a time": {
			zone: "Europe/Berlin", text: "23.11.2026 00:00", want: "2026-11-22T23:00:00Z",
		},
		"spring change": {
			zone: "Europe/Berlin", text: "2026-03-29", want: "2026-03-29T22:00:00Z",
		},
		"autumn change": {
			zone: "Europe/Berlin", text: "25.10.2026", want: "2026-10-25T23:00:00Z",
		},
		"offset, no time": {
			zone: "Europe/Berlin", text: "2026-11-23-05:00", want: "2026-11-24T05:00:00Z",
		},
		"month by its name": {
			zone: "Europe/Berlin", text: "23 Nov 2026", want: "2026-11-23T23:00:00Z",
		},
		"leap at its midnight": {
			zone: "Atlantic/Azores", text: "2026-03-28", want: "2026-03-29T01:00:00Z",
		},
		"leap at its start": {
			zone: "Atlantic/Azores", text: "29/03/2026", want: "2026-03-30T00:00:00Z",
		},
		"year's end": {
			zone: "America/New_York", text: "12/31/2025", want: "2026-01-01T05:00:00Z",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dates := &FileDates{
				Zone: zoneOf(t, test.zone), Now: instantOf(t, "2026-11-24T09:15:00Z"),
			}
			at, reason := dates.Parse(test.text)
			if reason != "" {
				t.Fatalf("got the reason %s", reason)
			}
			if got := dates.Latest(test.text, at).Format(time.RFC3339Nano); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

// TestFileDatesOfOneDay writes one day in every way, which must all mean the same.
func TestFileDatesOfOneDay(t *testing.T) {
	t.Parallel()
	zones := []string{
		"UTC", "Europe/Berlin", "America/New_York", "America/Santiago", "Pacific/Apia",
		"Atlantic/Azores",
	}
	now := instantOf(t, "2040-01-01T00:00:00Z")
	rapid.Check(t, func(t *rapid.T) {
		zone, err := LoadZone(rapid.SampledFrom(zones).Draw(t, "zone"))
		if err != nil {
			t.Fatal(err)
		}
		day := time.Date(2000, 1, 1+rapid.IntRange(0, 14_000).Draw(t, "day"), 0, 0, 0, 0, time.UTC)
		separator := rapid.SampledFrom([]string{"/", ".", "-"}).Draw(t, "separator")
		want, reason := (&FileDates{Zone: zone, Now: now}).Parse(day.Format(time.DateOnly))
		if reason != "" {
			t.Fatalf("got the reason %s", reason)
		}
		for layout, evidence := range map[string]string{
			"02/01/2006": "31/01/2026", "2/1/2006": "13.12.2026", "01/02/2006": "12-13-2026",
			"1/2/2006": "1/31/2026 1:00 PM",
		} {
			dates := &FileDates{Zone: zone, Now: now}
			dates.Observe(strings.NewReplacer("/", separator, ".", separator, "-",
				separator).Replace(evidence))
			text := strings.ReplaceAll(day.Format(layout), "/", separator)
			if got, reason := dates.Parse(text); !got.Equal(want) || reason != "" {
				t.Fatalf("got %s, %q for %s after %s, want %s", got, reason, text, evidence, want)
			}
			if got, end := dates.Latest(text, want), want.In(zone).AddDate(0, 0,
				1); !got.After(want) || got.Sub(end).Abs() > time.Hour {
				t.Fatalf("got the latest %s for %s, want about %s", got, text, end)
			}
		}
	})
}

func FuzzFileDates(f *testing.F) {
	for _, text := range []string{
		"2026-11-24", "24/11/2026", "03/04/2026 9:05 PM", "11-24-2026, 10:15:00", "1795511700",
		"1795511700250", "00/00/0000",
		"31.04.2026T10:15", "\uFEFF", "x", "Mon, 23 Nov 2026 09:50:26 +0000", "20261123T101500Z",
		"2026-11-23-05:00", "11/23/2026, 9:05\u202FPM",
		"3 de agosto de 2026 10h15", "Mon Nov 23 2026 10:50:26 GMT+0100 (CET)",
	} {
		f.Add(text, "24/11/2026")
		f.Add("3.4.2026", text)
	}
	zone, now := zoneOf(f, "America/Santiago"), instantOf(f, "2026-11-24T09:15:00Z")
	f.Fuzz(func(t *testing.T, text, evidence string) {
		dates := &FileDates{Zone: zone, Now: now}
		dates.Observe(evidence)
		at, reason := dates.Parse(text)
		if (reason == "") == at.IsZero() {
			t.Fatalf("got %s and the reason %q", at, reason)
		}
		if reason != "" {
			return
		}
		if at.Year() < minYear || at.After(now.Add(FutureTolerance)) || at.Location() != time.UTC {
			t.Errorf("got %s for %q", at, text)
		}
		if latest := dates.Latest(text, at); latest.Before(at) || latest.Sub(at) > 25*time.Hour {
			t.Errorf("got the latest %s of %s for %q", latest, at, text)
		}
		again, reason := dates.Parse(fmt.Sprintf(" %s\t", at.Format(time.RFC3339Nano)))
		// A file may be more precise than the database, which a DateTime is cut to.
		if reason != "" || again.Sub(at).Abs() >= time.Microsecond {
			t.Errorf("got %s, %q again, want %s", again, reason, at)
		}
	})
}
