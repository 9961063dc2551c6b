package db

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"math"
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
	coupon, delivery, channel, label, source, store, reason, at string
	// day is a stored date of at in UTC, where there is one.
	day string
	// counts are what is counted.
	counts counted
}

// counted has the expressions of SQL for what a fact counts; "": it does not.
type counted struct {
	assigned, sent, bounced, complained, failed, canceled, unknown string
	redeemed, reversed, amount, quantiles                          string
}

// columns returns them in the order in which addStats reads them.
func (c counted) columns() string {
	columns := []string{
		c.assigned, c.sent, c.bounced, c.complained, c.failed, c.canceled, c.unknown, c.redeemed,
		c.reversed, c.amount, c.quantiles,
	}
	for i, column := range columns {
		columns[i] = cmp.Or(column, "NULL")
	}
	return strings.Join(columns, ", ")
}

// assignments returns what counts codes that were given away. All messages of a delivery are made
// when it is confirmed, so that the deliveries tell all but the labels.
func assignments(withLabels bool) *fact {
	f := &fact{
		from:   "(SELECT * FROM delivery WHERE coupon_id IS NOT NULL AND message_count > 0) f",
		coupon: "f.coupon_id", delivery: "f.id", channel: "f.channel", label: "NULL",
		at:     "f.confirmed_at",
		counts: counted{assigned: "sum(f.message_count)::BIGINT"},
	}
	if withLabels {
		f.from = "(SELECT delivery_id, label FROM message WHERE coupon_id IS NOT NULL) m JOIN delivery f ON f.id = m.delivery_id"
		f.label, f.counts = "m.label", counted{assigned: "count(*)"}
	}
	return f
}

// claims is what counts codes that were claimed, as codes that deliveries gave away.
func claims() *fact {
	return &fact{
		from: "claim f", coupon: "f.coupon_id", delivery: "NULL::BIGINT", channel: "f.channel",
		label: "f.label", at: "f.claimed_at", counts: counted{assigned: "count(*)"},
	}
}

// ofCoupons leaves out what has no code; f is what is counted, and d its delivery.
const ofCoupons = " f JOIN delivery d ON d.id = f.delivery_id AND d.coupon_id IS NOT NULL"

// sendings returns what counts messages that were handed to a sender. The deliveries tell, unless
// it matters when or with which label. A sending has its label from its message; joining them takes
// longer than all the rest.
func sendings(withLabels, withTimes bool) *fact {
	f := &fact{
		coupon: "d.coupon_id", delivery: "f.delivery_id", channel: "d.channel", label: "NULL",
		at: "f.settled_at",
	}
	switch {
	case withLabels:
		f.from = "(SELECT s.delivery_id, s.settled_at, m.label FROM sending s JOIN message m ON m.id = s.message_id WHERE s.outcome = 'SENT')" + ofCoupons
		f.label, f.counts.sent = "f.label", "count(*)"
	case withTimes:
		// Thousands of messages were settled at one instant.
		f.from = "(SELECT delivery_id, settled_at, count(*) AS messages FROM sending WHERE outcome = 'SENT' GROUP BY delivery_id, settled_at)" + ofCoupons
		f.counts.sent = "sum(f.messages)::BIGINT"
	default:
		f.from = "(SELECT id AS delivery_id, sent_count, NULL::TIMESTAMP AS settled_at FROM delivery WHERE sent_count > 0)" + ofCoupons
		f.counts.sent = "sum(f.sent_count)::BIGINT"
	}
	return f
}

// returns is what counts messages that were sent and came back, or were complained about: few,
// so that each is looked at. They count when they were sent, so that of any group the others were
// delivered.
func returns() *fact {
	return &fact{
		from: `(
    SELECT s.delivery_id, s.settled_at, m.label, o.outcome
    FROM message_outcome o JOIN sending s ON s.message_id = o.message_id AND s.outcome = 'SENT'
        JOIN message m ON m.id = o.message_id
    WHERE o.outcome <> 'DELIVERED'
)` + ofCoupons,
		coupon: "d.coupon_id", delivery: "f.delivery_id", channel: "d.channel", label: "f.label",
		at: "f.settled_at",
		counts: counted{
			bounced:    "count(*) FILTER (f.outcome IN ('SOFT_BOUNCE', 'HARD_BOUNCE'))",
			complained: "count(*) FILTER (f.outcome = 'COMPLAINT')",
		},
	}
}

// unsent returns what counts messages of which is not known that they were sent, as sendings does
// for the others. By reasons, only those that were canceled count.
func unsent(withLabels, withTimes, withReasons bool) *fact {
	f := &fact{
		coupon: "d.coupon_id", delivery: "f.delivery_id", channel: "d.channel", label: "NULL",
		at: "f.settled_at",
	}
	if !withLabels && !withTimes && !withReasons {
		f.from = `(
    SELECT id AS delivery_id, failed_count, canceled_count, unknown_count,
        NULL::TIMESTAMP AS settled_at FROM delivery
    WHERE failed_count + canceled_count + unknown_count > 0
)` + ofCoupons
		f.counts = counted{
			failed: "sum(f.failed_count)::BIGINT", canceled: "sum(f.canceled_count)::BIGINT",
			unknown: "sum(f.unknown_count)::BIGINT",
		}
		return f
	}
	chosen := "s.outcome <> 'SENT'"
	if withReasons {
		chosen, f.reason = "s.outcome = 'CANCELED'", "f.reason"
	}
	label, join := "NULL::VARCHAR", ""
	if withLabels {
		label, join, f.label = "m.label", " JOIN message m ON m.id = s.message_id", "f.label"
	}
	f.from = "(\n    SELECT s.delivery_id, s.settled_at, s.outcome, s.reason, " + label +
		" AS label, count(*) AS messages FROM sending s" + join +
		" WHERE " + chosen + "\n    GROUP BY ALL\n)" + ofCoupons
	of := func(outcome string) string {
		return "(sum(f.messages) FILTER (f.outcome = '" + outcome + "'))::BIGINT"
	}
	f.counts = counted{failed: of("FAILED"), canceled: of("CANCELED"), unknown: of("UNKNOWN")}
	return f
}

// redemptions returns what counts redemptions, of which no number is read that is not wanted.
func redemptions(wanted coupon.StatsMeasures) *fact {
	f := &fact{
		from:   "redemption f LEFT JOIN reversal v ON v.redemption_id = f.id",
		coupon: "f.coupon_id", delivery: "f.delivery_id", channel: "f.channel", label: "f.label",
		source: "f.source",
		store:  "f.store", at: "f.redeemed_at", day: "f.redeemed_on",
	}
	if wanted.Redeemed {
		f.counts.redeemed, f.counts.reversed = "count(*) FILTER (v.redemption_id IS NULL)",
			"count(*) FILTER (v.redemption_id IS NOT NULL)"
	}
	if wanted.Amount {
		f.counts.amount = "(sum(f.amount) FILTER (v.redemption_id IS NULL))::VARCHAR"
	}
	if wanted.TimeToRedeem {
		// Numbers are sorted several times as fast as the difference of two timestamps.
		f.counts.quantiles = `quantile_cont(epoch_us(f.redeemed_at) - epoch_us(f.assigned_at), [0.1, 0.5, 0.9, 0.99])
        FILTER (v.redemption_id IS NULL AND f.redeemed_at >= f.assigned_at)`
	}
	return f
}

// clock gives expressions of SQL for what the clocks of a time zone show. The engine's own time
// zones are a hundred times slower, so that the offsets come with the statement. They are numbers,
// and no input.
type clock struct {
	isUTC bool
	// offsets are those since the first fact; the last one comes first.
	offsets []coupon.ClockOffset
}

// clockOf returns the clock of a zone for facts from an instant on, or for all; none happened later
// than now, but for what other clocks are ahead. Each change of the clock makes a statement longer,
// so that there are no more than needed.
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
	return &clock{
		offsets: coupon.ClockOffsets(zone, from.Add(-2*time.Hour), now.AddDate(0, 0, 3)),
	}, nil
}

// offset returns how many seconds the clock is ahead at an instant, and since when, in seconds
// since 1970.
func (c *clock) offset(at string) (seconds, since string) {
	var ahead, begun strings.Builder
	for _, o := range c.offsets[:len(c.offsets)-1] {
		fmt.Fprintf(&ahead, " WHEN epoch_us(%s) >= %d THEN %d", at, o.Since.UnixMicro(), o.Seconds)
		fmt.Fprintf(&begun, " WHEN epoch_us(%s) >= %d THEN %d", at, o.Since.UnixMicro(),
			o.Since.Unix())
	}
	last := c.offsets[len(c.offsets)-1].Seconds
	if len(c.offsets) == 1 {
		return strconv.Itoa(last), strconv.Itoa(math.MinInt32 * 2)
	}
	return fmt.Sprintf("CASE%s ELSE %d END", &ahead, last),
		fmt.Sprintf("CASE%s ELSE %d END", &begun, math.MinInt32*2)
}

// local returns the number of whole units of so many seconds that the clock shows, counted from
// 1970. The engine divides towards zero, so that what is before is moved beyond it first.
func (c *clock) local(at string, unit int64) string {
	const moved = 40_000 * 24 * 60 * 60 // to 1860
	seconds, _ := c.offset(at)
	return fmt.Sprintf("((epoch_us(%s) + (%s + %d) * 1000000) // %d - %d)", at, seconds, moved,
		unit*1_000_000, moved/unit)
}

// period returns the number of a period, as coupon.StatsDimension counts them. day is a stored date
// of the instant, or "".
func (c *clock) period(dimension coupon.StatsDimension, at, day string) string {
	const secondsPerHour, secondsPerDay = 60 * 60, 24 * 60 * 60
	if dimension == coupon.ByHour {
		seconds, since := c.offset(at)
		return fmt.Sprintf("(greatest(%s * %d - (%s), %s) * %d + %d - (%s))",
			c.local(at, secondsPerHour), secondsPerHour, seconds, since, coupon.HourFactor,
			coupon.MaxClockOffset, seconds)
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

// key returns the expression of a dimension: a number or a text, NULL where the fact has nothing of
// the kind.
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
	case coupon.ByStore:
		return f.store
	case coupon.ByReason:
		return f.reason
	case coupon.ByHour, coupon.ByDay, coupon.ByWeek, coupon.ByMonth:
		return c.period(dimension, f.at, f.day)
	}
	return ""
}

// windows narrows facts to those of some coupons or deliveries, each with a period of its own. It
// is a table in the statement; without spans it is empty.
type windows struct {
	dimension coupon.StatsDimension
	ids       []int64
	// froms and tos are in microseconds since 1970; hasBounds: some are not at the ends of time.
	froms, tos []int64
	hasBounds  bool
}

func (s *windows) add(id int64, period coupon.Period) {
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
	spans  *windows
}

// where returns the part of a statement from FROM on that leaves out what is not wanted, with its
// parameters.
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
			text += fmt.Sprintf(
				" AND epoch_us(%s) >= span.since AND epoch_us(%s) < span.until", f.at, f.at,
			)
		}
		args = append(args, named("ids", s.ids), named("froms", s.froms), named("tos", s.tos))
	}
	if len(n.filter.CouponIDs) > 0 {
		condition("coupons", numbersParameter(coupon.KindCoupon, n.filter.CouponIDs),
			"%s IN (SELECT unnest($coupons::BIGINT[]))", f.coupon)
	}
	if len(n.filter.DeliveryIDs) > 0 {
		condition("deliveries", numbersParameter(coupon.KindDelivery, n.filter.DeliveryIDs),
			"%s IN (SELECT unnest($deliveries::BIGINT[]))", f.delivery)
	}
	if len(n.filter.Channels) > 0 {
		condition("channels", texts(n.filter.Channels),
			"%s IN (SELECT unnest($channels::VARCHAR[]))", f.channel)
	}
	if len(n.filter.Labels) > 0 {
		condition("labels", texts(n.filter.Labels),
			"%s IN (SELECT unnest($labels::VARCHAR[]))", f.label)
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

// hasTimes reports whether it matters when a fact happened.
func (n *narrowed) hasTimes() bool {
	return n.period.From != nil || n.period.To != nil || n.spans != nil && n.spans.hasBounds
}

// newNarrowed checks a filter. It returns INVALID.
func newNarrowed(filter *coupon.StatsFilter, zone *time.Location) (*narrowed, error) {
	if filter == nil {
		filter = &coupon.StatsFilter{}
	}
	if err := filter.CheckFacts(); err != nil {
		return nil, err
	}
	period, err := coupon.NewPeriod(filter.From, filter.To, zone, "")
	return &narrowed{filter: filter, period: period}, err
}
