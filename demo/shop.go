package main

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
	// tillCount flyers and webCount uses of the kick-off's code came in over the past weeks.
	tillCount = 4_200
	webCount  = 3_200
	// mistypedCount and repeatedCount rows of the till's file are wrong: codes that nobody has, and
	// codes that were used before.
	mistypedCount = 14
	repeatedCount = 6
	// basketCount is how many codes of the first delivery are redeemed at once.
	basketCount = 400
)

// The coupons began campaignDays ago, and the redemptions that the files report came in over the last
// salesDays. None came in today, so that the data is the same all day long.
const (
	campaignDays = 56
	salesDays    = 42
)

// seed makes the data the same at every run. Each kind of data draws from a stream of its own, so that
// a change in one leaves the others as they are.
const seed = 20_261_124

const (
	codeStream = iota
	recipientStream
	tillStream
	webStream
	basketStream
)

// shop is the invented sports shop: everything that is going to be loaded. It depends on the day alone.
type shop struct {
	// today is the beginning of the day on which the data is made, in the shop's time zone.
	today      time.Time
	sportCodes []code
	flyerCodes []code
	recipients []recipient
	// tillSales are uses of flyers, wrong rows included; webSales those of the kick-off's code.
	tillSales []sale
	webSales  []sale
	// baskets are the amounts of the orders in which codes of the first delivery are redeemed.
	baskets []string
}

// newShop makes the data of the day that holds now.
func newShop(now time.Time, zone *time.Location) *shop {
	year, month, day := now.In(zone).Date()
	s := &shop{today: time.Date(year, month, day, 0, 0, 0, 0, zone)}
	s.sportCodes, s.flyerCodes = newCodes(stream(codeStream))
	s.recipients = newRecipients(stream(recipientStream), s.today)
	s.tillSales = newTillSales(stream(tillStream), s.today, s.flyerCodes)
	s.webSales = newWebSales(stream(webStream), s.today)
	baskets := stream(basketStream)
	for range basketCount + 1 { // one is placed again
		s.baskets = append(s.baskets, webTrade.basket(baskets))
	}
	return s
}

// lostFlyers gives the values of the flyers that are voided.
func (s *shop) lostFlyers() []string {
	var values []string
	for _, c := range s.flyerCodes[len(s.flyerCodes)-lostFlyerCount:] {
		values = append(values, c.value)
	}
	return values
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
