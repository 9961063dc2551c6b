package db

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"couponql/coupon"
	"couponql/db/duckdb"
)

// fact is a kind of row that statistics count: where its columns are, and what is counted.
type fact struct {
	from string
	// columns that dimensions and filters name; "" where the fact has none.
	coupon, delivery, channel, label, source, at string
	// day is a stored date of at in UTC, where there is one.
	day string
	// counts gives the columns assigned, sent, redeemed, reversed, amount and quantiles.
	counts string
}

// assignments gives what counts codes that were given away. All messages of a delivery are made when it is confirmed,
// so that the deliveries tell all but the labels.
func assignments(withLabels bool) *fact {
	f := &fact{
		from:   "(SELECT * FROM delivery WHERE coupon_id IS NOT NULL AND message_count > 0) f",
		coupon: "f.coupon_id", delivery: "f.id", channel: "f.channel", label: "NULL", at: "f.confirmed_at",
		counts: "sum(f.message_count)::BIGINT, 0, 0, 0, NULL, NULL",
	}
	if withLabels {
		f.from = "(SELECT delivery_id, label FROM message WHERE coupon_id IS NOT NULL) m JOIN delivery f ON f.id = m.delivery_id"
		f.label, f.counts = "m.label", "count(*), 0, 0, 0, NULL, NULL"
	}
	return f
}

// sendings gives what counts messages that were handed to a sender. The deliveries tell, unless it matters when or with
// which label. A sending has its label from its message; joining them takes longer than all the rest.
func sendings(withLabels, withTimes bool) *fact {
	f := &fact{coupon: "d.coupon_id", delivery: "f.delivery_id", channel: "d.channel", label: "NULL", at: "f.settled_at"}
	const ofCoupons = " f JOIN delivery d ON d.id = f.delivery_id AND d.coupon_id IS NOT NULL"
	switch {
	case withLabels:
		f.from = "(SELECT s.delivery_id, s.settled_at, m.label FROM sending s JOIN message m ON m.id = s.message_id WHERE s.outcome = 'SENT')" + ofCoupons
		f.label, f.counts = "f.label", "0, count(*), 0, 0, NULL, NULL"
	case withTimes:
		// Thousands of messages were settled at one instant.
		f.from = "(SELECT delivery_id, settled_at, count(*) AS messages FROM sending WHERE outcome = 'SENT' GROUP BY delivery_id, settled_at)" + ofCoupons
		f.counts = "0, sum(f.messages)::BIGINT, 0, 0, NULL, NULL"
	default:
		f.from = "(SELECT id AS delivery_id, sent_count, NULL::TIMESTAMP AS settled_at FROM delivery WHERE sent_count > 0)" + ofCoupons
		f.counts = "0, sum(f.sent_count)::BIGINT, 0, 0, NULL, NULL"
	}
	return f
}

// redemptions gives what counts redemptions, of which no number is read that is not wanted.
func redemptions(wanted coupon.StatsMeasures) *fact {
	f := &fact{
		from:   "redemption f LEFT JOIN reversal v ON v.redemption_id = f.id",
		coupon: "f.coupon_id", delivery: "f.delivery_id", channel: "f.channel", label: "f.label", source: "f.source", at: "f.redeemed_at", day: "f.redeemed_on",
	}
	counts, amount, quantiles := "0, 0", "NULL", "NULL"
	if wanted.Redeemed {
		counts = "count(*) FILTER (v.redemption_id IS NULL), count(*) FILTER (v.redemption_id IS NOT NULL)"
	}
	if wanted.Amount {
		amount = "(sum(f.amount) FILTER (v.redemption_id IS NULL))::VARCHAR"
	}
	if wanted.TimeToRedeem {
		// Numbers are sorted several times as fast as the difference of two timestamps.
		quantiles = `quantile_cont(epoch_us(f.redeemed_at) - epoch_us(f.assigned_at), [0.1, 0.5, 0.9, 0.99])
        FILTER (v.redemption_id IS NULL AND f.redeemed_at >= f.assigned_at)`
	}
	f.counts = strings.Join([]string{"0, 0", counts, amount, quantiles}, ", ")
	return f
}

// clock gives expressions of SQL for what the clocks of a time zone show. The engine's own time zones are a hundred times
// slower, so that the offsets come with the statement. They are numbers, and no input.
type clock struct {
	isUTC bool
	// offsets are those since the first fact; the last one comes first.
	offsets []coupon.ClockOffset
}

// clockOf gives the clock of a zone for facts from an instant on, or for all; none happened later than now, but for
// what other clocks are ahead. Each change of the clock makes a statement longer, so that there are no more than needed.
func (s *Store) clockOf(ctx context.Context, zone *time.Location, from *time.Time) (*clock, error) {
	now := s.now()
	if zone == time.UTC {
		return &clock{isUTC: true, offsets: coupon.ClockOffsets(zone, now, now)}, nil
	}
	if from == nil {
		first, err := duckdb.One[sql.NullTime](ctx, s.engine, factFirst)
		if err != nil {
			return nil, err
		}
		from = &now
		if first.Valid {
			from = &first.Time
		}
	}
	// Also a change in the hour that it happened in counts.
	return &clock{offsets: coupon.ClockOffsets(zone, from.Add(-2*time.Hour), now.AddDate(0, 0, 3))}, nil
}

// offset gives how many seconds the clock is ahead at an instant, and since when, in seconds since 1970.
func (c *clock) offset(at string) (seconds, since string) {
	var ahead, begun strings.Builder
	for _, o := range c.offsets[:len(c.offsets)-1] {
		fmt.Fprintf(&ahead, " WHEN epoch_us(%s) >= %d THEN %d", at, o.Since.UnixMicro(), o.Seconds)
		fmt.Fprintf(&begun, " WHEN epoch_us(%s) >= %d THEN %d", at, o.Since.UnixMicro(), o.Since.Unix())
	}
	last := c.offsets[len(c.offsets)-1].Seconds
	if len(c.offsets) == 1 {
		return strconv.Itoa(last), strconv.Itoa(math.MinInt32 * 2)
	}
	return fmt.Sprintf("CASE%s ELSE %d END", &ahead, last), fmt.Sprintf("CASE%s ELSE %d END", &begun, math.MinInt32*2)
}

// local gives the number of whole units of so many seconds that the clock shows, counted from 1970. The engine divides
// towards zero, so that what is before is moved beyond it first.
func (c *clock) local(at string, unit int64) string {
	const moved = 40_000 * 24 * 60 * 60 // to 1860
	seconds, _ := c.offset(at)
	return fmt.Sprintf("((epoch_us(%s) + (%s + %d) * 1000000) // %d - %d)", at, seconds, moved, unit*1_000_000, moved/unit)
}

// period gives the number of a period, as coupon.StatsDimension counts them. day is a stored date of the instant, or "".
func (c *clock) period(dimension coupon.StatsDimension, at, day string) string {
	const secondsPerHour, secondsPerDay = 60 * 60, 24 * 60 * 60
	if dimension == coupon.ByHour {
		seconds, since := c.offset(at)
		return fmt.Sprintf("(greatest(%s * %d - (%s), %s) * %d + %d - (%s))",
			c.local(at, secondsPerHour), secondsPerHour, seconds, since, coupon.HourFactor, coupon.MaxClockOffset, seconds)
	}
	number := c.local(at, secondsPerDay)
	if c.isUTC && day != "" {
		number = fmt.Sprintf("(%s - DATE '1970-01-01')", day)
	}
	switch dimension { //nolint:exhaustive // HOUR is done, and the others are no periods
	case coupon.ByWeek:
		const moved = 7 * 6_000
		return fmt.Sprintf("((%s + %d) // 7 * 7 - %d)", number, moved+3, moved+3)
	case coupon.ByMonth:
		date := fmt.Sprintf("(DATE '1970-01-01' + (%s)::INTEGER)", number)
		if c.isUTC && day != "" {
			date = day
		}
		return fmt.Sprintf("(year(%s) * 12 + month(%s) - 1)", date, date)
	}
	return number
}

// key gives the expression of a dimension: a number or a text, NULL where the fact has nothing of the kind.
func (f *fact) key(dimension coupon.StatsDimension, c *clock) string {
	switch dimension {
	case coupon.ByCoupon:
		return f.coupon
	case coupon.ByDelivery:
		return f.delivery
	case coupon.ByChannel:
		return f.channel
	case coupon.ByLabel:
		return f.label
	case coupon.BySource:
		return f.source
	case coupon.ByHour, coupon.ByDay, coupon.ByWeek, coupon.ByMonth:
		return c.period(dimension, f.at, f.day)
	}
	return ""
}

// spans narrows facts to those of some coupons or deliveries, each with a period of its own. It is a table in the
// statement; without spans it is empty.
type spans struct {
	dimension coupon.StatsDimension
	ids       []int64
	// froms and tos are in microseconds since 1970; hasBounds: some are not at the ends of time.
	froms, tos []int64
	hasBounds  bool
}

func (s *spans) add(id int64, period coupon.Period) {
	from, to := int64(math.MinInt64), int64(math.MaxInt64)
	if period.From != nil {
		from, s.hasBounds = period.From.UnixMicro(), true
	}
	if period.To != nil {
		to, s.hasBounds = period.To.UnixMicro(), true
	}
	s.ids, s.froms, s.tos = append(s.ids, id), append(s.froms, from), append(s.tos, to)
}

// narrowed is a filter of facts as fragments of statements with their parameters.
type narrowed struct {
	filter *coupon.StatsFilter
	period coupon.Period
	spans  *spans
}

// where gives the part of a statement from FROM on that leaves out what is not wanted, with its parameters.
func (n *narrowed) where(f *fact) (text string, args []any) {
	text = "\nFROM " + f.from
	conditions := []string{}
	condition := func(name string, value any, format string, column ...any) {
		conditions = append(conditions, fmt.Sprintf(format, column...))
		args = append(args, named(name, value))
	}
	if s := n.spans; s != nil {
		owner := f.key(s.dimension, nil)
		text += fmt.Sprintf(
			"\nJOIN (SELECT unnest($ids::BIGINT[]) AS id, unnest($froms::BIGINT[]) AS since, unnest($tos::BIGINT[]) AS until) span ON span.id = %s",
			owner,
		)
		if s.hasBounds {
			text += fmt.Sprintf(" AND epoch_us(%s) >= span.since AND epoch_us(%s) < span.until", f.at, f.at)
		}
		args = append(args, named("ids", s.ids), named("froms", s.froms), named("tos", s.tos))
	}
	if len(n.filter.CouponIDs) > 0 {
		condition("coupons", numbersParameter(coupon.KindCoupon, n.filter.CouponIDs), "%s IN (SELECT unnest($coupons::BIGINT[]))", f.coupon)
	}
	if len(n.filter.DeliveryIDs) > 0 {
		condition("deliveries", numbersParameter(coupon.KindDelivery, n.filter.DeliveryIDs), "%s IN (SELECT unnest($deliveries::BIGINT[]))", f.delivery)
	}
	if len(n.filter.Channels) > 0 {
		condition("channels", texts(n.filter.Channels), "%s IN (SELECT unnest($channels::VARCHAR[]))", f.channel)
	}
	if len(n.filter.Labels) > 0 {
		condition("labels", texts(n.filter.Labels), "%s IN (SELECT unnest($labels::VARCHAR[]))", f.label)
	}
	if n.period.From != nil {
		condition("from", *n.period.From, "%s >= $from", f.at)
	}
	if n.period.To != nil {
		condition("to", *n.period.To, "%s < $to", f.at)
	}
	if len(conditions) > 0 {
		text += "\nWHERE " + strings.Join(conditions, " AND ")
	}
	return text, args
}

// hasTimes tells whether it matters when a fact happened.
func (n *narrowed) hasTimes() bool {
	return n.period.From != nil || n.period.To != nil || n.spans != nil && n.spans.hasBounds
}

// newNarrowed checks a filter. It returns INVALID.
func newNarrowed(filter *coupon.StatsFilter, zone *time.Location) (*narrowed, error) {
	if filter == nil {
		filter = &coupon.StatsFilter{}
	}
	if err := filter.Check(); err != nil {
		return nil, err
	}
	period, err := coupon.NewPeriod(filter.From, filter.To, zone, "")
	return &narrowed{filter: filter, period: period}, err
}

// groupStatement gives the question about one kind of fact: keys, then its counts, of at most $limit groups.
func groupStatement(f *fact, keys []string, where string) string {
	return "-- statistics of one kind of fact\nSELECT " + strings.Join(
		append(slices.Clone(keys), f.counts),
		", ",
	) + where + grouping(
		len(keys),
	) + ordering(
		len(keys),
	) + "\nLIMIT $limit"
}

// currencyStatement gives the sums of each currency of each group, the most frequent currencies at the most, as one text.
func currencyStatement(keys []string, where string) string {
	inner, outer, partition := "", "", ""
	for i, key := range keys {
		inner += fmt.Sprintf("%s AS k%d, ", key, i)
		outer += fmt.Sprintf("k%d, ", i)
	}
	if len(keys) > 0 {
		partition = "PARTITION BY " + strings.TrimSuffix(outer, ", ")
	}
	return fmt.Sprintf(`-- statistics by currency
SELECT %sstring_agg(coalesce(currency, '') || ':' || redeemed || ':' || amount || ':' || reversed || ':' || reversed_amount, ' ' ORDER BY currency NULLS FIRST)
FROM (
    SELECT %sf.currency, count(*) FILTER (v.redemption_id IS NULL) AS redeemed, coalesce(sum(f.amount) FILTER (v.redemption_id IS NULL), 0) AS amount,
        count(*) FILTER (v.redemption_id IS NOT NULL) AS reversed, coalesce(sum(f.amount) FILTER (v.redemption_id IS NOT NULL), 0) AS reversed_amount%s%s
    QUALIFY row_number() OVER (%s ORDER BY count(*) DESC, f.currency) <= $currencies
)%s%s
LIMIT $limit`, outer, inner, where, grouping(len(keys)+1), partition, grouping(len(keys)), ordering(len(keys)))
}

// grouping groups by the first columns.
func grouping(columns int) string {
	if columns == 0 {
		return ""
	}
	return "\nGROUP BY " + places(columns, "")
}

// ordering puts groups in their order.
func ordering(columns int) string {
	if columns == 0 {
		return ""
	}
	return "\nORDER BY " + places(columns, " NULLS FIRST")
}

// places names the first columns, each with a word behind it.
func places(columns int, word string) string {
	list := make([]string, columns)
	for i := range list {
		list[i] = strconv.Itoa(i+1) + word
	}
	return strings.Join(list, ", ")
}

// statsKey is what a group has in common by one dimension: a number or a text.
type statsKey struct {
	number int64
	text   string
}

// noKey stands for NULL, which comes before everything.
var noKey = statsKey{number: math.MinInt64}

func compareKeys(a, b []statsKey) int {
	return slices.CompareFunc(a, b, func(x, y statsKey) int {
		return cmp.Or(cmp.Compare(x.number, y.number), strings.Compare(x.text, y.text))
	})
}

// statsGroup is a row on its way.
type statsGroup struct {
	keys  []statsKey
	stats *coupon.RedemptionStats
}

// statsGroups has the groups found so far by their keys.
type statsGroups map[string]*statsGroup

// of gives the group with these keys as they were scanned.
func (g statsGroups) of(scanned []any) (*coupon.RedemptionStats, error) {
	keys := make([]statsKey, len(scanned))
	for i, value := range scanned {
		switch v := value.(type) {
		case nil:
			keys[i] = noKey
		case int64:
			keys[i].number = v
		case string:
			keys[i].text = v
		default:
			return nil, fmt.Errorf("a key is a %T", value)
		}
	}
	return g.at(keys).stats, nil
}

func (g statsGroups) at(keys []statsKey) *statsGroup {
	var b strings.Builder
	for _, key := range keys {
		fmt.Fprintf(&b, "%d %q ", key.number, key.text)
	}
	name := b.String()
	if g[name] == nil {
		g[name] = &statsGroup{keys: keys, stats: &coupon.RedemptionStats{}}
	}
	return g[name]
}

// sorted gives the groups in the order of their keys.
func (g statsGroups) sorted() []*statsGroup {
	groups := make([]*statsGroup, 0, len(g))
	for _, group := range g {
		groups = append(groups, group)
	}
	slices.SortFunc(groups, func(a, b *statsGroup) int { return compareKeys(a.keys, b.keys) })
	return groups
}

// RedemptionStats counts assignments, sendings and redemptions by dimensions, in the order of the keys. Each counts in
// the period in which it happened. Without dimensions there is exactly one row. It returns INVALID, and
// RESULT_TOO_LARGE when there would be more than MaxStatsRows rows with filled periods.
func (s *Store) RedemptionStats(ctx context.Context, question *coupon.StatsQuestion) ([]*coupon.StatsRow, error) {
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

func (s *Store) redemptionStats(ctx context.Context, question *coupon.StatsQuestion, zone *time.Location, n *narrowed) ([]*coupon.StatsRow, error) {
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
func (s *Store) countFacts(ctx context.Context, question *coupon.StatsQuestion, c *clock, n *narrowed, groups statsGroups) error {
	wanted := question.Measures
	withLabels := slices.Contains(question.GroupBy, coupon.ByLabel) || len(n.filter.Labels) > 0
	withTimes := n.hasTimes() || slices.ContainsFunc(question.GroupBy, coupon.StatsDimension.IsPeriod)
	var facts []*fact
	if wanted.Assigned {
		facts = append(facts, assignments(withLabels))
	}
	if wanted.Sent {
		facts = append(facts, sendings(withLabels, withTimes))
	}
	if wanted.Redeemed || wanted.Amount || wanted.TimeToRedeem {
		facts = append(facts, redemptions(wanted))
	}
	for _, f := range facts {
		keys, where, args, ok := n.parts(f, question, c)
		if !ok {
			continue
		}
		_, err := duckdb.Collect(ctx, s.engine, groupStatement(f, keys, where), func(rows *sql.Rows) (struct{}, error) {
			return struct{}{}, addStats(rows, len(keys), groups)
		}, args...)
		if err != nil {
			return err
		}
	}
	if !wanted.ByCurrency {
		return nil
	}
	f := redemptions(wanted)
	keys, where, args, _ := n.parts(f, question, c)
	if strings.Contains(where, "\nWHERE ") {
		where += " AND f.amount IS NOT NULL"
	} else {
		where += "\nWHERE f.amount IS NOT NULL"
	}
	_, err := duckdb.Collect(ctx, s.engine, currencyStatement(keys, where), func(rows *sql.Rows) (struct{}, error) {
		return struct{}{}, addCurrencies(rows, len(keys), groups)
	}, append(args, named("currencies", coupon.MaxStatsCurrencies))...)
	return err
}

// parts gives the parts of the statement about a fact. ok is false when the fact cannot be told by a dimension.
func (n *narrowed) parts(f *fact, question *coupon.StatsQuestion, c *clock) (keys []string, where string, args []any, ok bool) {
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
	targets := make([]any, 0, keyCount+6)
	for i := range keys {
		targets = append(targets, &keys[i])
	}
	var assigned, sent, redeemed, reversed sql.NullInt64
	var amount *string
	var quantiles any
	if err := rows.Scan(append(targets, &assigned, &sent, &redeemed, &reversed, &amount, &quantiles)...); err != nil {
		return err
	}
	stats, err := groups.of(keys)
	if err != nil {
		return err
	}
	stats.Assigned += int(assigned.Int64)
	stats.Sent += int(sent.Int64)
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
	stats.TimeToRedeem = &coupon.Quantiles{P10: seconds[0], P50: seconds[1], P90: seconds[2], P99: seconds[3]}
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
		sum := &coupon.CurrencyAmount{Amount: coupon.NewDecimal(parts[2]), ReversedAmount: coupon.NewDecimal(parts[4])}
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

// fill adds groups for the periods in which nothing happened, from the beginning of the filter, or else the first period
// with anything, to its end, or else the last one, for each combination of the other keys.
func (g statsGroups) fill(groupBy []coupon.StatsDimension, zone *time.Location, period coupon.Period) error {
	place := slices.IndexFunc(groupBy, coupon.StatsDimension.IsPeriod)
	dimension := groupBy[place]
	first, last := int64(math.MaxInt64), int64(math.MinInt64)
	others := statsGroups{}
	for _, group := range g {
		first, last = min(first, group.keys[place].number), max(last, group.keys[place].number)
		others.at(slices.Delete(slices.Clone(group.keys), place, place+1))
	}
	if len(groupBy) == 1 {
		others.at([]statsKey{}) // zeros tell that nothing happened at all
	}
	if period.From != nil {
		first = dimension.Period(*period.From, zone)
		last = max(last, first)
	}
	if period.To != nil {
		last = dimension.Period(period.To.Add(-time.Microsecond), zone)
		first = min(first, last)
	}
	if first > last || len(others) == 0 {
		return nil // nothing happened, and nobody said when
	}
	tooMany := coupon.Errorf(
		coupon.ErrorResultTooLarge,
		"With every %s there would be more than %d rows. Ask for a shorter period, longer periods or fewer groups.",
		dimension,
		coupon.MaxStatsRows,
	).At("fillPeriods")
	numbers, ok := dimension.Periods(first, last, zone, coupon.MaxStatsRows)
	if !ok || len(numbers)*len(others) > coupon.MaxStatsRows {
		return tooMany
	}
	for _, other := range others {
		for _, number := range numbers {
			g.at(slices.Insert(slices.Clone(other.keys), place, statsKey{number: number}))
		}
	}
	return nil
}

// statsRow gives a group as callers see it.
func statsRow(groupBy []coupon.StatsDimension, group *statsGroup) *coupon.StatsRow {
	row := &coupon.StatsRow{Keys: make([]string, len(groupBy)), Stats: group.stats}
	for i, dimension := range groupBy {
		key := group.keys[i]
		switch {
		case key == noKey:
		case dimension == coupon.ByCoupon:
			row.CouponID = new(coupon.NewID(coupon.KindCoupon, key.number))
			row.Keys[i] = string(*row.CouponID)
		case dimension == coupon.ByDelivery:
			row.DeliveryID = new(coupon.NewID(coupon.KindDelivery, key.number))
			row.Keys[i] = string(*row.DeliveryID)
		case dimension.IsPeriod():
			row.Keys[i] = dimension.PeriodText(key.number)
		default:
			row.Keys[i] = key.text
		}
	}
	return row
}

// CouponStats gives the numbers of each of several coupons that are wanted, in one question. Bounds without an offset are
// meant in the time zone of each coupon. It returns INVALID.
func (s *Store) CouponStats(
	ctx context.Context, coupons []coupon.ID, from, to *coupon.DateTime, wanted coupon.StatsMeasures,
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

// DeliveryStats gives the numbers of each of several deliveries; see CouponStats. The time zone is that of the coupon.
func (s *Store) DeliveryStats(
	ctx context.Context, deliveries []coupon.ID, from, to *coupon.DateTime, wanted coupon.StatsMeasures,
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
	return s.statsOf(ctx, coupon.ByDelivery, coupon.KindDelivery, deliveries, zones, from, to, wanted)
}

// statsOf gives the statistics of each of several objects, each in its time zone.
func (s *Store) statsOf(
	ctx context.Context, dimension coupon.StatsDimension, kind coupon.Kind, ids []coupon.ID, zones []*time.Location,
	from, to *coupon.DateTime, wanted coupon.StatsMeasures,
) (map[coupon.ID]*coupon.RedemptionStats, error) {
	found := make(map[coupon.ID]*coupon.RedemptionStats, len(ids))
	owners := &spans{dimension: dimension}
	for i, id := range ids {
		found[id] = &coupon.RedemptionStats{}
		period, err := coupon.NewPeriod(from, to, zones[i], "")
		if err != nil {
			if problem, ok := errors.AsType[*coupon.UserError](err); ok {
				err = problem.At(problem.Field[len(problem.Field)-1]) // the bounds are arguments here, and in no filter
			}
			return nil, err
		}
		if number, err := id.Number(kind); err == nil {
			owners.add(number, period)
		}
	}
	question := &coupon.StatsQuestion{GroupBy: []coupon.StatsDimension{dimension}, Limit: len(ids), Measures: wanted}
	rows, err := s.redemptionStats(ctx, question, time.UTC, &narrowed{filter: &coupon.StatsFilter{}, spans: owners})
	for _, row := range rows {
		found[coupon.ID(row.Keys[0])] = row.Stats
	}
	return found, err
}
