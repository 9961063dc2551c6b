package demo

import (
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"
)

// sale is a use of a code, as a till or the web shop reports it.
type sale struct {
	code string
	at   time.Time
	// reference is the number of the receipt or order, which the till or the web shop gives it in the order
	// of time; amount is in euros, e.g. "49.90".
	reference string
	amount    string
	// store is where that was.
	store string
}

// trade is when and for how much people buy in one of the shop's two places.
type trade struct {
	// weekday is how likely somebody comes on the days from Sunday to Saturday, against the best of them.
	weekday [7]float64
	// hours of the day, and the share of the sales in each.
	hours []choice[int]
	// basketEuros is the median amount, and basketSpread how much that differs, log-normal too.
	basketEuros, basketSpread float64
	// stores are the places, and the share of the sales in each.
	stores []choice[string]
}

// The shop is closed on Sundays and full on Saturdays, and sells most after work.
var shopTrade = trade{
	weekday: [7]float64{0, 0.45, 0.45, 0.5, 0.55, 0.75, 1},
	hours: []choice[int]{
		{9, 2}, {10, 5}, {11, 8}, {12, 11}, {13, 9}, {14, 8}, {15, 9}, {16, 12}, {17, 15}, {18, 13}, {19, 8},
	},
	basketEuros: 47, basketSpread: 0.55,
	stores: []choice[string]{{"Berlin", 4}, {"Hamburg", 3}, {"Munich", 2}, {"Cologne", 1}},
}

// webStore is what the web shop calls itself.
const webStore = "web shop"

// The web shop is always open, and sells most on Sundays and in the evenings.
var webTrade = trade{
	weekday: [7]float64{1, 0.8, 0.7, 0.65, 0.65, 0.6, 0.75},
	hours: []choice[int]{
		{0, 2},
		{1, 1},
		{6, 1},
		{7, 3},
		{8, 4},
		{9, 4},
		{10, 5},
		{11, 5},
		{12, 7},
		{13, 6},
		{14, 4},
		{15, 4},
		{16, 5},
		{17, 6},
		{18, 7},
		{19, 10},
		{20, 13},
		{21, 12},
		{22, 8},
		{23, 4},
	},
	basketEuros: 62, basketSpread: 0.6,
	stores: []choice[string]{{webStore, 1}},
}

// basket draws an amount in euros. Prices end in .90, .95 or .00, and nothing costs less than 4.90.
func (t *trade) basket(r *rand.Rand) string {
	const cheapest = 4.9
	euros := t.basketEuros * math.Exp(t.basketSpread*r.NormFloat64())
	return strconv.FormatFloat(max(cheapest, math.Floor(euros)+one(r, []float64{0.9, 0.95, 0})), 'f', 2, 64)
}

// soonest is the least time between getting a code and using it.
const soonest = 15 * time.Minute

// sell draws when a code is used that somebody got at an instant. Who would come on a day when the shop is
// closed, or before that instant, is drawn anew.
func (t *trade) sell(r *rand.Rand, given time.Time, habit habit) time.Time {
	for {
		days := habit.delayDays * math.Exp(habit.delaySpread*r.NormFloat64())
		day := given.Add(time.Duration(days * float64(24*time.Hour)))
		if r.Float64() >= t.weekday[day.Weekday()] {
			continue
		}
		at := time.Date(day.Year(), day.Month(), day.Day(), draw(r, t.hours), r.IntN(60), r.IntN(60), 0, day.Location())
		if at.Sub(given) >= soonest {
			return at
		}
	}
}

// habit is how soon people use what they got: delayDays is the median, and delaySpread how much that
// differs; both are those of a log-normal distribution.
type habit struct{ delayDays, delaySpread float64 }

// newFlyerSales makes what the shop's tills report: the use of some flyers, which were handed out on every
// day of the campaign, and a few rows that cannot be right.
func (s *shop) newFlyerSales(r *rand.Rand) []sale {
	lost := len(s.flyerCodes) - lostFlyerCount
	var values []string
	for _, i := range r.Perm(lost)[:flyerSaleCount-foundFlyerCount] {
		values = append(values, s.flyerCodes[i].value)
	}
	for _, i := range r.Perm(lostFlyerCount)[:foundFlyerCount] {
		values = append(values, s.flyerCodes[lost+i].value)
	}
	for i := range mistypedCount {
		// What is read as 0 and 1 on a flyer is in no code.
		values = append(values, values[1+i][:len(values[1+i])-1]+one(r, []string{"0", "1"}))
	}
	values = append(values, values[1:1+repeatedCount]...)

	sales := make([]sale, len(values))
	for i, value := range values {
		at := s.today
		for !at.Before(s.today) {
			const firstDay = campaignDays - 2
			at = shopTrade.sell(r, s.at(1+r.IntN(firstDay), 9, 0), habit{5, 0.9})
		}
		sales[i] = sale{code: value, at: at, amount: shopTrade.basket(r), store: draw(r, shopTrade.stores)}
	}
	return inOrder(sales)
}

// inOrder sorts sales by time.
func inOrder(sales []sale) []sale {
	slices.SortStableFunc(sales, func(a, b sale) int { return a.at.Compare(b.at) })
	return sales
}

// receipt and order give the number of the receipt or order with this rank from 0.
func receipt(rank int) string { return fmt.Sprintf("T-%06d", 81_204+rank) }
func order(rank int) string   { return fmt.Sprintf("W-%06d", 410_377+rank) }

// writeTillSales writes local times of the shop, and columns with the names that the tills use.
func writeTillSales(w io.Writer, sales []sale) error {
	return writeCSV(w, []string{"voucher", "redeemed on", "order number", "amount", "currency", "store"}, sales, func(s *sale) []string {
		return []string{s.code, s.at.Format(time.DateTime), s.reference, s.amount, currency, s.store}
	})
}

// currency is ISO 4217.
const currency = "EUR"
