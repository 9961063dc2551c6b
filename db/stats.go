package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"couponql/coupon"
	"couponql/db/duckdb"
)

// RedemptionStats counts assignments, sendings and redemptions by dimensions, in the order of the
// keys. Each counts in the period in which it happened. Without dimensions there is exactly one
// row. It returns INVALID, and RESULT_TOO_LARGE when there would be more than MaxStatsRows rows
// with filled periods.
func (s *Store) RedemptionStats(ctx context.Context, question *coupon.StatsQuestion) (
	[]*coupon.StatsRow, error,
) {
	zone, err := question.Check()
	if err != nil {
		return nil, err
	}
	n, err := newNarrowed(question.Filter, zone)
	if err != nil {
		return nil, err
	}
	return s.redemptionStats(ctx, question, zone, n)
}

func (s *Store) redemptionStats(
	ctx context.Context, question *coupon.StatsQuestion, zone *time.Location, n *narrowed,
) ([]*coupon.StatsRow, error) {
	release, err := s.reports.Enter(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	groups := statsGroups{}
	if len(question.GroupBy) == 0 {
		groups.at([]statsKey{})
	}
	asked := *question
	if question.FillPeriods {
		asked.Limit = coupon.MaxStatsRows + 1
	}
	clockZone := time.UTC
	if slices.ContainsFunc(question.GroupBy, coupon.StatsDimension.IsPeriod) {
		clockZone = zone
	}
	c, err := s.clockOf(ctx, clockZone, n.period.From)
	if err != nil {
		return nil, err
	}
	if err := s.countFacts(ctx, &asked, c, n, groups); err != nil {
		return nil, err
	}
	if question.FillPeriods {
		if err := groups.fill(question.GroupBy, zone, n.period); err != nil {
			return nil, err
		}
	}
	sorted := groups.sorted()
	rows := make([]*coupon.StatsRow, min(len(sorted), question.Limit))
	for i := range rows {
		rows[i] = statsRow(question.GroupBy, sorted[i])
	}
	return rows, nil
}

// countFacts asks about each kind of fact that is wanted.
func (s *Store) countFacts(
	ctx context.Context, question *coupon.StatsQuestion, c *clock, n *narrowed, groups statsGroups,
) error {
	wanted := question.Measures
	withLabels := slices.Contains(question.GroupBy, coupon.ByLabel) || len(n.filter.Labels) > 0
	withTimes := n.hasTimes() ||
		slices.ContainsFunc(question.GroupBy, coupon.StatsDimension.IsPeriod)
	withReasons := slices.Contains(question.GroupBy, coupon.ByReason)
	var facts []*fact
	if wanted.Assigned {
		facts = append(facts, assignments(withLabels), claims())
	}
	if wanted.Sent {
		facts = append(facts, sendings(withLabels, withTimes))
	}
	if wanted.Returned {
		facts = append(facts, returns())
	}
	if wanted.Unsent {
		facts = append(facts, unsent(withLabels, withTimes, withReasons))
	}
	if wanted.Redeemed || wanted.Amount || wanted.TimeToRedeem {
		facts = append(facts, redemptions(wanted))
	}
	for _, f := range facts {
		keys, where, args, ok := n.parts(f, question, c)
		if !ok {
			continue
		}
		err := duckdb.Each(ctx, s.engine, groupStatement(f, keys, where),
			func(rows *sql.Rows) error {
				return addStats(rows, len(keys), groups)
			}, args...)
		if err != nil {
			return err
		}
	}
	if !wanted.ByCurrency {
		return nil
	}
	f := redemptions(wanted)
	keys, where, args, ok := n.parts(f, question, c)
	if !ok {
		return nil
	}
	if strings.Contains(where, "\nWHERE ") {
		where += " AND f.amount IS NOT NULL"
	} else {
		where += "\nWHERE f.amount IS NOT NULL"
	}
	err := duckdb.Each(ctx, s.engine, currencyStatement(keys, where), func(rows *sql.Rows) error {
		return addCurrencies(rows, len(keys), groups)
	}, append(args, named("currencies", coupon.MaxStatsCurrencies))...)
	return err
}

// parts returns the parts of the statement about a fact. ok is false when the fact cannot be told
// by a dimension.
func (n *narrowed) parts(f *fact, question *coupon.StatsQuestion, c *clock) (
	keys []string, where string, args []any, ok bool,
) {
	for _, dimension := range question.GroupBy {
		key := f.key(dimension, c)
		if key == "" {
			return nil, "", nil, false
		}
		keys = append(keys, key)
	}
	where, args = n.where(f)
	return keys, where, append(args, named("limit", question.Limit)), true
}

// addStats adds one row of one kind of fact to its group.
func addStats(rows *sql.Rows, keyCount int, groups statsGroups) error {
	keys := make([]any, keyCount)
	targets := make([]any, 0, keyCount+11)
	for i := range keys {
		targets = append(targets, &keys[i])
	}
	var assigned, sent, bounced, complained, failed, canceled, unknown sql.NullInt64
	var redeemed, reversed sql.NullInt64
	var amount *string
	var quantiles any
	targets = append(targets, &assigned, &sent, &bounced, &complained, &failed, &canceled, &unknown,
		&redeemed, &reversed, &amount, &quantiles)
	if err := rows.Scan(targets...); err != nil {
		return err
	}
	stats, err := groups.of(keys)
	if err != nil {
		return err
	}
	stats.Assigned += int(assigned.Int64)
	stats.Sent += int(sent.Int64)
	stats.Bounced += int(bounced.Int64)
	stats.Complained += int(complained.Int64)
	stats.Failed += int(failed.Int64)
	stats.Canceled += int(canceled.Int64)
	stats.Unknown += int(unknown.Int64)
	stats.Redeemed += int(redeemed.Int64)
	stats.Reversed += int(reversed.Int64)
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
	seconds := [4]float64{}
	for i, value := range list {
		microseconds, ok := value.(float64)
		if !ok {
			return errors.New("read quantiles")
		}
		seconds[i] = microseconds / 1e6
	}
	stats.TimeToRedeem = &coupon.Quantiles{
		P10: seconds[0], P50: seconds[1], P90: seconds[2], P99: seconds[3],
	}
	return nil
}

// addCurrencies adds the sums of all currencies to their group.
func addCurrencies(rows *sql.Rows, keyCount int, groups statsGroups) error {
	keys := make([]any, keyCount)
	targets := make([]any, 0, keyCount+1)
	for i := range keys {
		targets = append(targets, &keys[i])
	}
	var packed *string
	if err := rows.Scan(append(targets, &packed)...); err != nil || packed == nil {
		return err
	}
	stats, err := groups.of(keys)
	if err != nil {
		return err
	}
	for one := range strings.SplitSeq(*packed, " ") {
		parts := strings.Split(one, ":")
		if len(parts) != 5 {
			return fmt.Errorf("read a sum: %q", one)
		}
		sum := &coupon.CurrencyAmount{
			Amount: coupon.NewDecimal(parts[2]), ReversedAmount: coupon.NewDecimal(parts[4]),
		}
		if parts[0] != "" {
			sum.Currency = &parts[0]
		}
		redeemed, err := strconv.Atoi(parts[1])
		reversed, err2 := strconv.Atoi(parts[3])
		if err := errors.Join(err, err2); err != nil {
			return err
		}
		sum.Redeemed, sum.Reversed = redeemed, reversed
		stats.ByCurrency = append(stats.ByCurrency, sum)
	}
	return nil
}

// CouponStats returns the numbers of each of several coupons that are wanted, in one question.
// Bounds without an offset are meant in the time zone of each coupon. It returns INVALID.
func (s *Store) CouponStats(
	ctx context.Context, coupons []coupon.ID, from, to *coupon.DateTime,
	wanted coupon.StatsMeasures,
) (map[coupon.ID]*coupon.RedemptionStats, error) {
	zones := make([]*time.Location, len(coupons))
	for i, id := range coupons {
		number, err := id.Number(coupon.KindCoupon)
		if err != nil {
			number = 0 // nothing has it
		}
		zones[i] = zoneOf(s, number)
	}
	return s.statsOf(ctx, coupon.ByCoupon, coupon.KindCoupon, coupons, zones, from, to, wanted)
}

// DeliveryStats returns the numbers of each of several deliveries; see CouponStats. The time zone
// is that of the coupon.
func (s *Store) DeliveryStats(
	ctx context.Context, deliveries []coupon.ID, from, to *coupon.DateTime,
	wanted coupon.StatsMeasures,
) (map[coupon.ID]*coupon.RedemptionStats, error) {
	zones := make([]*time.Location, len(deliveries))
	known := map[coupon.ID]*coupon.Delivery{}
	if from != nil || to != nil {
		var err error
		if known, err = s.DeliveriesByID(ctx, deliveries); err != nil {
			return nil, err
		}
	}
	for i, id := range deliveries {
		zones[i] = time.UTC
		if d := known[id]; d != nil && d.CouponID != nil {
			zones[i] = zoneOf(s, coupon.MustNumber(coupon.KindCoupon, *d.CouponID))
		}
	}
	return s.statsOf(ctx, coupon.ByDelivery, coupon.KindDelivery, deliveries, zones,
		from, to, wanted)
}

// statsOf returns the statistics of each of several objects, each in its time zone.
func (s *Store) statsOf(
	ctx context.Context, dimension coupon.StatsDimension, kind coupon.Kind, ids []coupon.ID,
	zones []*time.Location,
	from, to *coupon.DateTime, wanted coupon.StatsMeasures,
) (map[coupon.ID]*coupon.RedemptionStats, error) {
	found := make(map[coupon.ID]*coupon.RedemptionStats, len(ids))
	owners := &windows{dimension: dimension}
	for i, id := range ids {
		found[id] = &coupon.RedemptionStats{}
		period, err := coupon.NewPeriod(from, to, zones[i], "")
		if err != nil {
			if problem, ok := errors.AsType[*coupon.UserError](err); ok {
				// the bounds are arguments here, and in no filter
				err = problem.At(problem.Field[len(problem.Field)-1])
			}
			return nil, err
		}
		if number, err := id.Number(kind); err == nil {
			owners.add(number, period)
		}
	}
	question := &coupon.StatsQuestion{
		GroupBy: []coupon.StatsDimension{dimension}, Limit: len(ids), Measures: wanted,
	}
	rows, err := s.redemptionStats(ctx, question, time.UTC,
		&narrowed{filter: &coupon.StatsFilter{}, spans: owners})
	for _, row := range rows {
		found[coupon.ID(row.Keys[0])] = row.Stats
	}
	return found, err
}
