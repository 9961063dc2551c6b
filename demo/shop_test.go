package demo

import (
	"context"
	"encoding/csv"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// afternoon is a time on a day after the clocks changed: the sales lie on both sides.
const afternoon = "2026-11-24T15:04:05+01:00"

func berlin(t *testing.T) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation(Zone)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func shopAt(t *testing.T, now string) *shop {
	t.Helper()
	at, err := time.Parse(time.RFC3339, now)
	if err != nil {
		t.Fatal(err)
	}
	return newShop(at, berlin(t))
}

// files writes every file of a shop.
func files(t *testing.T, s *shop) map[string]string {
	t.Helper()
	texts := make(map[string]string)
	for name, write := range map[string]func(io.Writer) error{
		"sport codes": func(w io.Writer) error { return writeSportCodes(w, s.sportCodes) },
		"flyer codes": func(w io.Writer) error { return writeFlyerCodes(w, s.flyerCodes) },
		"recipients":  func(w io.Writer) error { return writeRecipients(w, s.recipients) },
		"till sales":  func(w io.Writer) error { return writeTillSales(w, s.flyerSales) },
	} {
		var text strings.Builder
		if err := write(&text); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		texts[name] = text.String()
	}
	return texts
}

func TestShopIsTheSameAllDay(t *testing.T) {
	t.Parallel()
	first, second := shopAt(t, "2026-11-24T00:00:00+01:00"), shopAt(t, "2026-11-24T22:59:59Z")
	want, got := files(t, first), files(t, second)
	for name := range want {
		if got[name] != want[name] {
			t.Errorf("%s: the file differs from the one made earlier that day", name)
		}
	}
	if tomorrow := files(t,
		shopAt(t, "2026-11-24T23:00:00Z")); tomorrow["till sales"] == want["till sales"] {
		t.Error("the sales of the next day are those of the day before")
	}
}

func TestCodes(t *testing.T) {
	t.Parallel()
	s := shopAt(t, afternoon)
	if got, want := len(s.sportCodes)+len(s.flyerCodes), 50_000; got != want {
		t.Errorf("got %d codes, want %d", got, want)
	}
	byLabel := map[string]int{}
	known := map[string]bool{
		kickoffCode: true, flyerCode: true, sportCode: true, birthdayCode: true,
	}
	pattern := regexp.MustCompile(
		`^(SOCCER|RUNNING|CYCLING|TENNIS|SWIMMING|SUMMER)-[A-HJ-NP-Z2-9]{6}$`,
	)
	for _, c := range slices.Concat(s.sportCodes, s.flyerCodes) {
		byLabel[c.label]++
		if known[c.value] {
			t.Errorf("%s is there twice", c.value)
		}
		known[c.value] = true
		if c.value != firstCode && !pattern.MatchString(c.value) {
			t.Errorf("%s does not match %s", c.value, pattern)
		}
		if c.label != "" && !strings.HasPrefix(c.value, strings.ToUpper(c.label)+"-") {
			t.Errorf("%s has the label %s", c.value, c.label)
		}
	}
	want := map[string]int{"": flyerCount}
	for _, s := range sports {
		want[s.name] = s.codeCount
	}
	if diff := cmp.Diff(want, byLabel); diff != "" {
		t.Errorf("codes by label (-want +got):\n%s", diff)
	}
	if got, want := s.sportCodes[0].value, "SOCCER-7K2M"; got != want {
		t.Errorf(
			"got the first code %s, want %s, which the playground's examples ask for", got, want,
		)
	}
}

func TestRecipients(t *testing.T) {
	t.Parallel()
	s := shopAt(t, afternoon)
	if got := len(s.recipients); got != recipientCount {
		t.Fatalf("got %d recipients, want %d", got, recipientCount)
	}
	isEmail := regexp.MustCompile(`^[a-z.0-9]+@example\.(com|org|net)$`)
	isPhone := regexp.MustCompile(`^\+[0-9]{10,13}$`)
	ids, emails, phones := map[string]bool{}, map[string]bool{}, map[string]bool{}
	counts := map[string]int{}
	for i := range s.recipients {
		p := &s.recipients[i]
		if ids[p.externalID] {
			t.Errorf("%s is there twice", p.externalID)
		}
		ids[p.externalID] = true
		switch {
		case p.email == "":
			counts["no e-mail"]++
		case emails[p.email]:
			counts["shared e-mail"]++
		case !isEmail.MatchString(p.email):
			counts["bad e-mail"]++
		default:
			emails[p.email] = true
		}
		if p.phone != "" {
			counts["phone"]++
			if phones[p.phone] || !isPhone.MatchString(p.phone) {
				t.Errorf("%s: the phone number %s is bad or there twice", p.externalID, p.phone)
			}
			phones[p.phone] = true
		}
		if p.postalAddress != "" {
			counts["postal address"]++
		}
		if !p.isContactable {
			counts["not contactable"]++
		}
		counts["sport "+p.sport]++
		counts["tier "+p.tier]++
		counts["country "+p.country]++
		if age := s.today.Year() - p.birthYear; age < 18 || age > 88 {
			t.Errorf("%s: got the age %d, want 18 to 88", p.externalID, age)
		}
		if p.customerSince.After(s.today) || p.customerSince.Before(s.today.AddDate(-10, 0, -3)) {
			t.Errorf("%s: a customer since %v, want within the last ten years", p.externalID,
				p.customerSince)
		}
	}
	const withSport = 1 - shareWithoutSport
	for what, want := range map[string]float64{
		"no e-mail": shareWithoutEmail, "bad e-mail": shareBadEmail,
		"shared e-mail": shareSharedEmail,
		"phone":         shareWithPhone, "postal address": shareWithPostal,
		"not contactable": shareUncontactable,
		"sport ":          shareWithoutSport, "sport soccer": 0.34 * withSport,
		"sport running": 0.26 * withSport,
		"sport cycling": 0.18 * withSport, "sport tennis": 0.14 * withSport,
		"sport swimming": 0.08 * withSport,
		"tier bronze":    0.6, "tier silver": 0.28, "tier gold": 0.12,
		"country DE": 0.46, "country FR": 0.24, "country GB": 0.18, "country IE": 0.12,
	} {
		// Four standard deviations of a share of so many.
		tolerance := 4 * math.Sqrt(want*(1-want)/recipientCount)
		if got := float64(counts[what]) / recipientCount; math.Abs(got-want) > tolerance {
			t.Errorf("%s: got a share of %.4f, want %.4f ± %.4f", what, got, want, tolerance)
		}
	}
}

func TestPhonesOfACountryAreAllDifferent(t *testing.T) {
	t.Parallel()
	for _, c := range countries {
		seen := map[string]bool{}
		for rank := 0; ; rank++ {
			number := c.value.phone(rank)
			if number == "" {
				break
			}
			if seen[number] {
				t.Fatalf("%s: %s is there twice", c.value.code, number)
			}
			seen[number] = true
		}
		if want := int(c.share * shareWithPhone * recipientCount); len(seen) < want {
			t.Errorf("%s: got %d phone numbers, want at least %d", c.value.code, len(seen), want)
		}
	}
}

// TestFlyerSales: people come when the shop is open, most of them on Saturdays, and pay what things
// cost.
func TestFlyerSales(t *testing.T) {
	t.Parallel()
	s := shopAt(t, afternoon)
	if got, want := len(s.flyerSales), flyerSaleCount+mistypedCount+repeatedCount; got != want {
		t.Errorf("got %d sales, want %d", got, want)
	}
	var byDay [7]int
	var amounts []float64
	for i, sale := range s.flyerSales {
		if i > 0 && sale.at.Before(s.flyerSales[i-1].at) {
			t.Errorf("sale %d is earlier than the one before", i)
		}
		if sale.at.Before(s.at(campaignDays-2, 9, 0)) || !sale.at.Before(s.today) {
			t.Errorf("a sale at %v, want within the campaign and before %v", sale.at, s.today)
		}
		if shopTrade.weekday[sale.at.Weekday()] == 0 {
			t.Errorf("a sale at %v, when the shop is closed", sale.at)
		}
		if !slices.ContainsFunc(shopTrade.hours,
			func(h choice[int]) bool { return h.value == sale.at.Hour() }) {
			t.Errorf("a sale at %v, when nobody buys", sale.at)
		}
		byDay[sale.at.Weekday()]++
		amount, err := strconv.ParseFloat(sale.amount, 64)
		if err != nil || amount < 4.9 || sale.amount != strconv.FormatFloat(amount, 'f', 2, 64) {
			t.Errorf("got the amount %q, want euros and cents from 4.90", sale.amount)
		}
		amounts = append(amounts, amount)
	}
	slices.Sort(amounts)
	if got := amounts[len(amounts)/2]; math.Abs(got-shopTrade.basketEuros) > 3 {
		t.Errorf("got a median amount of %.2f, want %.2f ± 3", got, shopTrade.basketEuros)
	}
	if got := byDay[time.Saturday]; got < 3*byDay[time.Monday]/2 {
		t.Errorf("got %d sales on Saturdays and %d on Mondays, want far more on Saturdays", got,
			byDay[time.Monday])
	}
}

// TestSell: nobody uses a code before they have it, and half of them within the time of their habit
// or so.
func TestSell(t *testing.T) {
	t.Parallel()
	s, r := shopAt(t, afternoon), stream(drawStream)
	given := s.at(42, 9, 45)
	soon := 0
	const count = 2_000
	for range count {
		at := webTrade.sell(r, given, mailHabit)
		if at.Sub(given) < soonest {
			t.Fatalf("used at %v, given at %v", at, given)
		}
		if at.Sub(given) < time.Duration(mailHabit.delayDays*24)*time.Hour {
			soon++
		}
	}
	if soon < count*4/10 || soon > count*6/10 {
		t.Errorf("%d of %d come within the median of %v days", soon, count, mailHabit.delayDays)
	}
}

// TestBirthdays: every recipient has one, and a pool is made for those of the weeks that are told.
func TestBirthdays(t *testing.T) {
	t.Parallel()
	s := shopAt(t, afternoon)
	l := &loader{shop: s}
	const days = firstBirthday - lastBirthday + birthdayStep
	reached := s.birthdayCount(s.at(firstBirthday, 0, 0), days)
	if want := recipientCount * days / 365; reached < want*8/10 || reached > want {
		t.Errorf("got %d birthdays in %d days that can be reached, want nearly %d",
			reached, days, want)
	}
	if left, perDay := l.birthdayPool()-reached,
		float64(reached)/days; math.Abs(float64(left)-birthdaysLeft*perDay) > 1 {
		t.Errorf("%d codes are left, want those of %d days with %.1f", left, birthdaysLeft, perDay)
	}
}

// TestNewcomers: the files of customers have everybody once.
func TestNewcomers(t *testing.T) {
	t.Parallel()
	s := shopAt(t, afternoon)
	parts := [][]recipient{
		s.newcomers(100*366, campaignDays), s.newcomers(campaignDays, 28), s.newcomers(28, 0),
	}
	count := 0
	for i, part := range parts {
		if len(part) == 0 {
			t.Errorf("file %d is empty", i)
		}
		count += len(part)
	}
	if count != recipientCount {
		t.Errorf("the files have %d customers, want %d", count, recipientCount)
	}
}

// TestClock: it goes on, is set forward, and never back.
func TestClock(t *testing.T) {
	t.Parallel()
	now := time.Now()
	c := NewClock(now)
	start := c.Now()
	if want := now.AddDate(0, 0, -campaignDays); !start.Before(want) {
		t.Errorf("it begins at %v, want before %v", start, want)
	}
	c.advance(start.Add(time.Hour))
	c.advance(start)
	if got := c.Now().Sub(start); got < time.Hour || got > time.Hour+time.Minute {
		t.Errorf("after an hour it tells %v", got)
	}
	if first := c.Now(); !c.Now().After(first) {
		t.Error("it stands")
	}
}

// TestAgenda: things happen in the order of their time, those of one time in the order in which
// they were put, and nothing of today.
func TestAgenda(t *testing.T) {
	t.Parallel()
	l := &loader{shop: shopAt(t, afternoon)}
	var happened []string
	put := func(name string, at time.Time) {
		l.put(at, func(context.Context) error {
			happened = append(happened, name)
			return nil
		})
	}
	put("c", l.shop.at(2, 9, 0))
	put("a", l.shop.at(3, 9, 0))
	put("d", l.shop.at(2, 9, 0))
	put("b", l.shop.at(2, 8, 59))
	put("last", l.shop.today)
	put("never", l.shop.today.Add(time.Second))
	for _, e := range l.agenda {
		if err := e.do(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got := strings.Join(happened, " "); got != "a b c d last" {
		t.Errorf("it happened as %s", got)
	}
}

// Of the rows of the tills just the wrong ones cannot be imported, and just the lost flyers are
// odd.
func TestTillSalesUseFlyers(t *testing.T) {
	t.Parallel()
	s := shopAt(t, afternoon)
	flyers, lost := map[string]bool{}, map[string]bool{}
	for _, c := range s.flyerCodes {
		flyers[c.value] = true
	}
	for _, value := range s.lostFlyers() {
		lost[value] = true
	}
	if got := len(lost); got != lostFlyerCount {
		t.Errorf("got %d lost flyers, want %d", got, lostFlyerCount)
	}
	got := map[string]int{}
	used := map[string]bool{}
	for _, sale := range s.flyerSales {
		switch {
		case !flyers[sale.code]:
			got["mistyped"]++
		case used[sale.code]:
			got["repeated"]++
		case lost[sale.code]:
			got["found"]++
		default:
			got["good"]++
		}
		used[sale.code] = true
	}
	want := map[string]int{
		"mistyped": mistypedCount, "repeated": repeatedCount, "found": foundFlyerCount,
		"good": flyerSaleCount - foundFlyerCount,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("sales at the tills (-want +got):\n%s", diff)
	}
}

// Whatever zone the machine has, and although the clocks changed, the files tell the times that are
// meant.
func TestSalesFilesHaveTimes(t *testing.T) {
	t.Parallel()
	s := shopAt(t, afternoon)
	texts := files(t, s)
	for name, c := range map[string]struct {
		sales  []sale
		column int
		layout string
	}{
		"till sales": {s.flyerSales, 1, time.DateTime},
	} {
		rows, err := csv.NewReader(strings.NewReader(texts[name])).ReadAll()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got, want := len(rows), len(c.sales)+1; got != want {
			t.Fatalf("%s: got %d rows, want %d", name, got, want)
		}
		for i, row := range rows[1:] {
			at, err := time.ParseInLocation(c.layout, row[c.column], berlin(t))
			if err != nil || !at.Equal(c.sales[i].at) {
				t.Fatalf("%s: row %d: got the time %q (%v), want %v", name, i+1, row[c.column], err,
					c.sales[i].at)
			}
		}
	}
}

func TestGroup(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{
		0: "0", 999: "999", 1_000: "1,000", 50_007: "50,007", 1_234_567: "1,234,567",
	} {
		if got := group(n); got != want {
			t.Errorf("group(%d): got %s, want %s", n, got, want)
		}
	}
}
