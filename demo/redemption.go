package demo

import (
	"context"
	"fmt"
	"io"
	"time"

	"couponql/client"
)

const (
	// Of so many orders one is returned, returnDays later, and of the flyers in each file of the tills so many.
	ordersPerReturn = 120
	flyersReturned  = 2
	returnDays      = 3
)

// take removes from sales those before an instant and returns them in order.
func take(sales *[]sale, before time.Time) []sale {
	var taken, left []sale
	for _, s := range inOrder(*sales) {
		if s.at.Before(before) {
			taken = append(taken, s)
		} else {
			left = append(left, s)
		}
	}
	*sales = left
	return taken
}

// redeemOrders redeems the codes of the day's orders, as the web shop does at midnight, and sees to it that
// some goods come back.
func (l *loader) redeemOrders(ctx context.Context, midnight time.Time) error {
	orders := take(&l.webSales, midnight)
	if len(orders) == 0 {
		return nil
	}
	inputs := make([]map[string]any, len(orders))
	for i := range orders {
		orders[i].reference = order(l.webCount + i)
		inputs[i] = map[string]any{
			"value": orders[i].code, "redeemedAt": orders[i].at.Format(time.RFC3339), "amount": orders[i].amount, "currency": currency,
			"store":     orders[i].store,
			"reference": orders[i].reference, "idempotencyKey": orders[i].reference,
		}
	}
	var answer struct {
		RedeemCodes struct {
			Results []struct {
				Redemption *struct{ ID string }
				UserErrors []client.UserError
			}
		}
	}
	if err := l.Client.Do(ctx, codeRedeem, client.Input(map[string]any{"redemptions": inputs}), &answer); err != nil {
		return fmt.Errorf("redeem %d codes: %w", len(orders), err)
	}
	if got := len(answer.RedeemCodes.Results); got != len(orders) {
		return fmt.Errorf("redeem %d codes: got %d results", len(orders), got)
	}
	for i, result := range answer.RedeemCodes.Results {
		if result.Redemption == nil {
			return fmt.Errorf("redeem %s: %v", orders[i].code, result.UserErrors)
		}
		delete(l.unused, orders[i].code)
		rank := l.webCount + i
		isFirst := orders[i].code == firstCode && !l.isTakenBack
		if isFirst || rank%ordersPerReturn == ordersPerReturn/2 {
			l.planReturn(&orders[i], map[string]any{"id": result.Redemption.ID})
		}
		if isFirst {
			l.isTakenBack = true
			again := orders[i]
			again.at = again.at.AddDate(0, 0, returnDays+1)
			l.webSales = append(l.webSales, again)
		}
	}
	l.webCount += len(orders)
	return nil
}

// planReturn lets the goods of a sale come back; which says what redemption that takes back.
func (l *loader) planReturn(s *sale, which map[string]any) {
	year, month, day := s.at.AddDate(0, 0, returnDays).Date()
	const openingHour = 11
	at := time.Date(year, month, day, openingHour, 0, 0, 0, s.at.Location())
	if now := l.Clock.Now(); at.Before(now) {
		at = now
	}
	l.put(at, func(ctx context.Context) error {
		which["reason"] = "the goods came back"
		if err := l.Client.Do(ctx, redemptionReverse, client.Input(which), nil); err != nil {
			return fmt.Errorf("take back %s: %w", s.code, err)
		}
		l.unused[s.code] = true
		return nil
	})
}

// When the tills are closed and report their week.
const closingHour, closingMinute = 20, 30

// importTills imports what the tills report of the last week.
func (l *loader) importTills(ctx context.Context, daysAgo int) error {
	sales := take(&l.tillSales, l.shop.at(daysAgo, closingHour, closingMinute))
	count := importCount{}
	for i := range sales {
		sales[i].reference = receipt(l.tillCount + i)
	}
	l.tillCount += len(sales)
	returned := 0
	for i := range sales {
		if !l.unused[sales[i].code] {
			count.rejected++
			continue
		}
		count.imported++
		delete(l.unused, sales[i].code)
		if returned < flyersReturned {
			returned++
			l.planReturn(&sales[i], map[string]any{"reference": sales[i].reference})
		}
	}
	name := "tills-" + l.dateTime(daysAgo, 0)[:len(time.DateOnly)] + ".csv"
	err := l.importFile(ctx, redemptionImport, map[string]any{"timezone": Zone}, name, count,
		func(w io.Writer) error { return writeTillSales(w, sales) })
	if err != nil {
		return err
	}
	l.sayf("%s redemptions imported from %s, %d rows rejected", group(count.imported), name, count.rejected)
	return nil
}
