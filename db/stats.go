package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"couponql/coupon"
)

// fact is a kind of row that statistics count: where its columns are, and what is counted.
type fact struct {
	from string
	// columns that dimensions and filters name.
	coupon, delivery, channel, label, at string
	// day is a stored date of at in UTC, where there is one.
	day string
	// source is "" where the fact has none.
	source   string
	measures string
}

// facts gives the three kinds: assignments, sendings and redemptions. Each counts in the period in which
// it happened. Messages without a coupon give nothing away and are no assignments. A sending has its label
// from its message, which is joined only where labels are asked for: that takes longer than all the rest.
func facts(withLabels bool) [3]fact {
	sendings := "(SELECT delivery_id, settled_at, NULL AS label FROM sending WHERE outcome = 'SENT')"
	if withLabels {
		sendings = "(SELECT s.delivery_id, s.settled_at, m.label FROM sending s JOIN message m ON m.id = s.message_id WHERE s.outcome = 'SENT')"
	}
	return [3]fact{
		{
			from:     "(SELECT * FROM message WHERE coupon_id IS NOT NULL) f JOIN delivery d ON d.id = f.delivery_id",
			coupon:   "f.coupon_id",
			delivery: "f.delivery_id",
			channel:  "d.channel",
			label:    "f.label",
			at:       "f.created_at",
			measures: "count(*) AS assigned, 0 AS sent, 0 AS redeemed, 0 AS reversed, NULL AS amount, NULL AS quantiles",
		},
		{
			from:   sendings + " f JOIN delivery d ON d.id = f.delivery_id AND d.coupon_id IS NOT NULL",
			coupon: "d.coupon_id", delivery: "f.delivery_id", channel: "d.channel", label: "f.label", at: "f.settled_at",
			measures: "0 AS assigned, count(*) AS sent, 0 AS redeemed, 0 AS reversed, NULL AS amount, NULL AS quantiles",
		},
		{
			from:     "redemption f LEFT JOIN reversal v ON v.redemption_id = f.id",
			coupon:   "f.coupon_id",
			delivery: "f.delivery_id",
			channel:  "f.channel",
			label:    "f.label",
			at:       "f.redeemed_at",
			day:      "f.redeemed_on",
			source:   "f.source",
			measures: `0 AS assigned, 0 AS sent, count(*) FILTER (v.reversed_at IS NULL) AS redeemed, count(*) FILTER (v.reversed_at IS NOT NULL) AS reversed,
    (sum(f.amount) FILTER (v.reversed_at IS NULL))::VARCHAR AS amount,
    quantile_cont(epoch(f.redeemed_at - f.assigned_at), [0.1, 0.5, 0.9, 0.99]) FILTER (v.reversed_at IS NULL AND f.redeemed_at >= f.assigned_at) AS quantiles`,
		},
	}
}

// key gives the expression of a dimension as text. Periods are those of the time zone $zone.
func (f *fact) key(dimension coupon.StatsDimension, isUTC bool) string {
	local := fmt.Sprintf("((%s AT TIME ZONE 'UTC') AT TIME ZONE $zone)", f.at)
	day := local + "::DATE"
	if isUTC {
		local, day = f.at, f.at+"::DATE"
		if f.day != "" {
			day = f.day
		}
	}
	switch dimension {
	case coupon.ByCoupon:
		return "coalesce('coupon_' || " + f.coupon + ", '')"
	case coupon.ByDelivery:
		return "coalesce('delivery_' || " + f.delivery + ", '')"
	case coupon.ByChannel:
		return "coalesce(" + f.channel + ", '')"
	case coupon.ByLabel:
		return "coalesce(" + f.label + ", '')"
	case coupon.BySource:
		return f.source
	case coupon.ByHour:
		return "strftime(date_trunc('hour', " + local + "), '%Y-%m-%dT%H:00')"
	case coupon.ByDay:
		return day + "::VARCHAR"
	case coupon.ByWeek:
		return "date_trunc('week', " + day + ")::DATE::VARCHAR"
	case coupon.ByMonth:
		return "strftime(" + day + ", '%Y-%m')"
	}
	return ""
}

// statement gives the question about one kind of fact: keys, then measures, of at most $limit groups.
func (f *fact) statement(groupBy []coupon.StatsDimension, isUTC bool) string {
	keys := make([]string, len(groupBy))
	places := make([]string, len(groupBy))
	for i, dimension := range groupBy {
		keys[i] = f.key(dimension, isUTC)
		places[i] = fmt.Sprint(i + 1)
	}
	group := ""
	if len(keys) > 0 {
		group = "\nGROUP BY " + strings.Join(places, ", ") + "\nORDER BY " + strings.Join(places, ", ")
	}
	list := strings.Join(slices.Concat(keys, []string{f.measures}), ", ")
	return fmt.Sprintf(`-- statistics of one kind of fact
SELECT %s
FROM %s
WHERE ($coupons::BIGINT[] IS NULL OR list_contains($coupons::BIGINT[], %s)) AND ($deliveries::BIGINT[] IS NULL OR list_contains($deliveries::BIGINT[], %s))
    AND ($channels::VARCHAR[] IS NULL OR list_contains($channels::VARCHAR[], %s)) AND ($labels::VARCHAR[] IS NULL OR list_contains($labels::VARCHAR[], %s))
    AND ($from::TIMESTAMP IS NULL OR %s >= $from) AND ($to::TIMESTAMP IS NULL OR %s < $to)%s
LIMIT $limit`, list, f.from, f.coupon, f.delivery, f.channel, f.label, f.at, f.at, group)
}

// RedemptionStats counts assignments, sendings and redemptions by dimensions, in the order of the keys.
// timezone is where periods, and the filter's dates without an offset, are meant. Without dimensions there
// is exactly one row. It returns INVALID.
func (s *Store) RedemptionStats(
	ctx context.Context,
	filter *coupon.StatsFilter,
	groupBy []coupon.StatsDimension,
	timezone string,
	limit int,
) ([]*coupon.StatsRow, error) {
	zone, err := coupon.LoadZone(timezone)
	if err != nil {
		return nil, coupon.Errorf(coupon.ErrorInvalid, "%q is not a time zone. Use an IANA name such as Europe/Berlin.", timezone).At("timezone")
	}
	if limit < 1 || limit > coupon.MaxStatsRows {
		return nil, coupon.Errorf(coupon.ErrorInvalid, "`limit` must be 1 to %d, not %d.", coupon.MaxStatsRows, limit).At("limit")
	}
	if len(groupBy) > coupon.MaxStatsDimensions {
		return nil, coupon.Errorf(coupon.ErrorInvalid, "Group by at most %d dimensions.", coupon.MaxStatsDimensions).At("groupBy")
	}
	args, err := statsArgs(filter, zone)
	if err != nil {
		return nil, err
	}
	release, err := s.report(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	isUTC := zone == time.UTC
	args = append(args, named("limit", limit))
	if !isUTC && slices.ContainsFunc(groupBy, isPeriod) {
		args = append(args, named("zone", timezone))
	}
	groups := map[string]*coupon.StatsRow{}
	if len(groupBy) == 0 {
		groups[""] = &coupon.StatsRow{Keys: []string{}, Stats: &coupon.RedemptionStats{}}
	}
	withLabels := slices.Contains(groupBy, coupon.ByLabel) || filter != nil && len(filter.Labels) > 0
	for _, f := range facts(withLabels) {
		if slices.Contains(groupBy, coupon.BySource) && f.source == "" {
			continue
		}
		_, err := collect(ctx, s, f.statement(groupBy, isUTC), func(rows *sql.Rows) (struct{}, error) {
			return struct{}{}, addStats(rows, groupBy, groups)
		}, args...)
		if err != nil {
			return nil, err
		}
	}
	rows := make([]*coupon.StatsRow, 0, len(groups))
	for _, row := range groups {
		rows = append(rows, row)
	}
	slices.SortFunc(rows, func(a, b *coupon.StatsRow) int { return slices.Compare(a.Keys, b.Keys) })
	return rows[:min(len(rows), limit)], nil
}

func isPeriod(dimension coupon.StatsDimension) bool {
	return slices.Contains([]coupon.StatsDimension{coupon.ByHour, coupon.ByDay, coupon.ByWeek, coupon.ByMonth}, dimension)
}

// addStats adds one row of one kind of fact to its group.
func addStats(rows *sql.Rows, groupBy []coupon.StatsDimension, groups map[string]*coupon.StatsRow) error {
	keys := make([]string, len(groupBy))
	var part coupon.RedemptionStats
	var amount *string
	var quantiles any
	targets := make([]any, 0, len(keys)+6)
	for i := range keys {
		targets = append(targets, &keys[i])
	}
	if err := rows.Scan(append(targets, &part.Assigned, &part.Sent, &part.Redeemed, &part.Reversed, &amount, &quantiles)...); err != nil {
		return err
	}
	name := strings.Join(keys, "\x00")
	row := groups[name]
	if row == nil {
		row = &coupon.StatsRow{Keys: keys, Stats: &coupon.RedemptionStats{}}
		for i, dimension := range groupBy {
			if keys[i] == "" {
				continue
			}
			switch dimension { //nolint:exhaustive // the other dimensions name no object
			case coupon.ByCoupon:
				row.CouponID = new(coupon.ID(keys[i]))
			case coupon.ByDelivery:
				row.DeliveryID = new(coupon.ID(keys[i]))
			}
		}
		groups[name] = row
	}
	stats := row.Stats
	stats.Assigned += part.Assigned
	stats.Sent += part.Sent
	stats.Redeemed += part.Redeemed
	stats.Reversed += part.Reversed
	if amount != nil {
		stats.Amount = new(coupon.NewDecimal(*amount))
	}
	if quantiles == nil {
		return nil
	}
	list, ok := quantiles.([]any)
	if !ok || len(list) != 4 {
		return errors.New("read quantiles")
	}
	values := [4]float64{}
	for i, value := range list {
		if values[i], ok = value.(float64); !ok {
			return errors.New("read quantiles")
		}
	}
	stats.TimeToRedeem = &coupon.Quantiles{P10: values[0], P50: values[1], P90: values[2], P99: values[3]}
	return nil
}

// CouponStats and DeliveryStats give the statistics of each of several objects in one question.
func (s *Store) CouponStats(ctx context.Context, coupons []coupon.ID, from, to *coupon.DateTime) (map[coupon.ID]*coupon.RedemptionStats, error) {
	rows, err := s.RedemptionStats(
		ctx,
		&coupon.StatsFilter{CouponIDs: coupons, From: from, To: to},
		[]coupon.StatsDimension{coupon.ByCoupon},
		"UTC",
		coupon.MaxStatsRows,
	)
	return statsByKey(coupons, rows), err
}

// DeliveryStats gives the statistics of each of several deliveries; see CouponStats.
func (s *Store) DeliveryStats(ctx context.Context, deliveries []coupon.ID, from, to *coupon.DateTime) (map[coupon.ID]*coupon.RedemptionStats, error) {
	rows, err := s.RedemptionStats(
		ctx,
		&coupon.StatsFilter{DeliveryIDs: deliveries, From: from, To: to},
		[]coupon.StatsDimension{coupon.ByDelivery},
		"UTC",
		coupon.MaxStatsRows,
	)
	return statsByKey(deliveries, rows), err
}

func statsByKey(ids []coupon.ID, rows []*coupon.StatsRow) map[coupon.ID]*coupon.RedemptionStats {
	found := make(map[coupon.ID]*coupon.RedemptionStats, len(ids))
	for _, id := range ids {
		found[id] = &coupon.RedemptionStats{}
	}
	for _, row := range rows {
		found[coupon.ID(row.Keys[0])] = row.Stats
	}
	return found
}
