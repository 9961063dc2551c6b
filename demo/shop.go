package demo

import (
	"encoding/csv"
	"fmt"
	"io"
	"math/rand/v2"
	"time"
)

// What the shop has. The sports' share of the recipients and their numbers of codes are in sports.
const (
	recipientCount = 20_000
	flyerCount     = 20_000
	// lostFlyerCount flyers, the last ones printed, were lost on their way to the shop and are voided.
	lostFlyerCount = 400
	// foundFlyerCount of the lost ones turn up at the till nevertheless.
	foundFlyerCount = 3
	// flyerSaleCount flyers came back to the tills.
	flyerSaleCount = 4_200
	// mistypedCount and repeatedCount rows of the tills' files are wrong: codes that nobody has, and
	// codes that were used before.
	mistypedCount = 14
	repeatedCount = 6
)

// campaignDays ago the coupons began. No sale is of today, so that the data is the same all day long.
const campaignDays = 58

// seed makes the data the same at every run. Each kind of data draws from a stream of its own, so that
// a change in one leaves the others as they are.
const seed = 20_261_124

const (
	codeStream = iota
	recipientStream
	flyerStream
	birthdayStream
	// drawStream is for what depends on the codes that the server gave away.
	drawStream
)

// shop is the invented sports shop: what it has before the server does anything. It depends on the day
// alone.
type shop struct {
	// today is the beginning of the day on which the data is made, in the shop's time zone.
	today      time.Time
	sportCodes []code
	flyerCodes []code
	recipients []recipient
	// flyerSales are uses of flyers in the order of time, wrong rows included.
	flyerSales []sale
}

// newShop makes the data of the day that holds now.
func newShop(now time.Time, zone *time.Location) *shop {
	year, month, day := now.In(zone).Date()
	s := &shop{today: time.Date(year, month, day, 0, 0, 0, 0, zone)}
	s.sportCodes, s.flyerCodes = newCodes(stream(codeStream))
	s.recipients = newRecipients(stream(recipientStream), s.today)
	drawBirthdays(stream(birthdayStream), s.recipients)
	s.flyerSales = s.newFlyerSales(stream(flyerStream))
	return s
}

// at returns an instant on a day so many days ago.
func (s *shop) at(daysAgo, hour, minute int) time.Time {
	year, month, day := s.today.AddDate(0, 0, -daysAgo).Date()
	return time.Date(year, month, day, hour, minute, 0, 0, s.today.Location())
}

// lostFlyers returns the values of the flyers that are voided.
func (s *shop) lostFlyers() []string {
	var values []string
	for _, c := range s.flyerCodes[len(s.flyerCodes)-lostFlyerCount:] {
		values = append(values, c.value)
	}
	return values
}

// newcomers returns who became a customer after a day and until another one, both that many days ago.
func (s *shop) newcomers(after, until int) []recipient {
	var found []recipient
	for i := range s.recipients {
		since := s.recipients[i].customerSince
		if since.After(s.today.AddDate(0, 0, -after)) && !since.After(s.today.AddDate(0, 0, -until)) {
			found = append(found, s.recipients[i])
		}
	}
	return found
}

// birthdayCount returns how many who can be reached by mail have their birthday on so many days.
func (s *shop) birthdayCount(from time.Time, days int) int {
	isOf := map[string]bool{}
	for _, birthday := range birthdays(from, days) {
		isOf[birthday] = true
	}
	count := 0
	for i := range s.recipients {
		if p := &s.recipients[i]; isOf[p.birthday] && p.hasEmail() {
			count++
		}
	}
	return count
}

func stream(number uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, number)) }

// choice is a value and how often it is drawn, in parts of the sum of all choices' shares.
type choice[T any] struct {
	value T
	share float64
}

// draw takes one of the choices by chance.
func draw[T any](r *rand.Rand, choices []choice[T]) T {
	sum := 0.0
	for _, c := range choices {
		sum += c.share
	}
	left := r.Float64() * sum
	for _, c := range choices {
		if left -= c.share; left < 0 {
			return c.value
		}
	}
	return choices[len(choices)-1].value
}

// one takes one of the values by chance, each as often as the others.
func one[T any](r *rand.Rand, values []T) T { return values[r.IntN(len(values))] }

// writeCSV writes a header and one row for each of the values.
func writeCSV[T any](w io.Writer, header []string, values []T, row func(*T) []string) error {
	c := csv.NewWriter(w)
	if err := c.Write(header); err != nil {
		return fmt.Errorf("write header: %w", err)
	}
	for i := range values {
		if err := c.Write(row(&values[i])); err != nil {
			return fmt.Errorf("write row %d: %w", i+1, err)
		}
	}
	c.Flush()
	if err := c.Error(); err != nil {
		return fmt.Errorf("write rows: %w", err)
	}
	return nil
}
