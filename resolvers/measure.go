package resolvers

import (
	"context"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"couponql/coupon"
)

// measuresOf tells which numbers the operation asks for of the RedemptionStats that is being answered.
func measuresOf(ctx context.Context) coupon.StatsMeasures {
	var wanted coupon.StatsMeasures
	addMeasures(&wanted, graphql.CollectFieldsCtx(ctx, []string{"RedemptionStats"}))
	return wanted
}

// measuresOfRows is measuresOf for a list of StatsRow. Who asks for keys alone wants to know where anything happened.
func measuresOfRows(ctx context.Context) coupon.StatsMeasures {
	var wanted coupon.StatsMeasures
	for _, field := range graphql.CollectFieldsCtx(ctx, []string{"StatsRow"}) {
		if field.Name == "stats" {
			addMeasures(&wanted, graphql.CollectFields(graphql.GetOperationContext(ctx), field.Selections, []string{"RedemptionStats"}))
		}
	}
	if wanted == (coupon.StatsMeasures{}) {
		wanted = coupon.StatsMeasures{Assigned: true, Sent: true, Unsent: true, Redeemed: true}
	}
	return wanted
}

func addMeasures(wanted *coupon.StatsMeasures, fields []graphql.CollectedField) {
	for _, field := range fields {
		switch field.Name {
		case "assigned":
			wanted.Assigned = true
		case "sent":
			wanted.Sent = true
		case "delivered":
			wanted.Sent, wanted.Returned = true, true
		case "bounced", "complained":
			wanted.Returned = true
		case "failed", "canceled", "unknown":
			wanted.Unsent = true
		case "redeemed", "reversed":
			wanted.Redeemed = true
		case "amount":
			wanted.Amount = true
		case "redemptionRate":
			wanted.Sent, wanted.Redeemed = true, true
		case "byCurrency":
			wanted.ByCurrency = true
		case "timeToRedeem":
			wanted.TimeToRedeem = true
		}
	}
}

// instant returns an instant as it is answered.
func instant(t *time.Time) *coupon.DateTime {
	if t == nil {
		return nil
	}
	return new(coupon.DateTime(t.UTC().Format(time.RFC3339Nano)))
}

// forecasts returns the forecasts of coupons, whose planned deliveries are part of the answer.
func (r *Resolver) forecasts(ctx context.Context, ids []coupon.ID) (map[coupon.ID]*coupon.StockForecast, error) {
	found, err := r.store.Forecasts(ctx, ids)
	for _, forecast := range found {
		show(ctx, forecast.Planned...)
	}
	return found, err
}
