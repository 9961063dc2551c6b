package db

import (
	"context"
	"database/sql"
	"fmt"

	"couponql/coupon"
	"couponql/db/duckdb"
)

// givenAway asks what became of the codes of deliveries. Redeemed counts codes: most can be redeemed once, so that their
// redemptions are counted, and only those of other coupons are told apart.
type givenAway struct {
	// hasRepeats: there are coupons whose codes can be redeemed more than once.
	hasRepeats bool
	// chosen is the statement of the deliveries; args are its parameters and those of labeled.
	chosen string
	args   []any
	// labeled narrows redemptions and messages to codes with some labels, named by their alias; "": none are left out.
	labeled   func(alias string) string
	hasLabels bool
}

// newOutcomes chooses deliveries of individual coupons by a filter, whose period is about when they were confirmed.
// columns are what is read of them; f is the delivery.
func (s *Store) newOutcomes(n *narrowed, columns string) *givenAway {
	f := &fact{
		from: `(
    SELECT d.*, c.redemption_limit IS NOT DISTINCT FROM 1 AS is_single
    FROM delivery d JOIN coupon c ON c.id = d.coupon_id WHERE c.type = 'INDIVIDUAL' AND d.message_count > 0
) f`,
		coupon: "f.coupon_id", delivery: "f.id", channel: "f.channel", at: "f.confirmed_at",
	}
	filter := *n.filter
	filter.Labels = nil
	where, args := (&narrowed{filter: &filter, period: n.period}).where(f)
	o := &givenAway{
		hasRepeats: s.memory.HasRepeats(),
		chosen:     "SELECT f.id, f.is_single, " + columns + where,
		args:       args,
		labeled:    func(string) string { return "" },
	}
	if len(n.filter.Labels) > 0 {
		o.hasLabels = true
		o.args = append(o.args, named("labels", texts(n.filter.Labels)))
		o.labeled = func(alias string) string { return " AND " + alias + ".label IN (SELECT unnest($labels::VARCHAR[]))" }
	}
	return o
}

// firsts returns the statement of the first redemption of each code that stands. Columns of the deliveries in `chosen` are
// c's, and those of redemptions r's; single is read of a code that is redeemed once, and many, with aggregates, of
// others. more narrows the redemptions.
func (o *givenAway) firsts(single, many, more string) string {
	const live = `
    FROM redemption r JOIN chosen c ON c.id = r.delivery_id AND %s ANTI JOIN reversal v ON v.redemption_id = r.id
    WHERE r.code_id IS NOT NULL`
	more += o.labeled("r")
	statement := "SELECT " + single + fmt.Sprintf(live, "c.is_single") + more
	if o.hasRepeats {
		statement += "\n    UNION ALL\n    SELECT " + many + fmt.Sprintf(live, "NOT c.is_single") + more + "\n    GROUP BY r.delivery_id, r.code_id"
	}
	return statement
}

// returned returns the statement of how many messages of the deliveries in `chosen` were sent and came back. The labels are those
// of their codes.
func (o *givenAway) returned() string {
	return `SELECT count(*) FROM message_outcome r
    JOIN chosen c ON c.id = r.delivery_id
    JOIN sending s ON s.message_id = r.message_id AND s.outcome = 'SENT'
    JOIN message m ON m.id = r.message_id
    WHERE r.outcome IN ('SOFT_BOUNCE', 'HARD_BOUNCE') AND m.code_id IS NOT NULL` + o.labeled("m")
}

// assigned returns the statement of how many codes each delivery gave away and sent, with the columns in `chosen`.
func (o *givenAway) assigned() string {
	if !o.hasLabels {
		return "SELECT id, target_count AS targeted, message_count AS assigned, sent_count AS sent FROM chosen"
	}
	return `SELECT c.id, NULL::BIGINT AS targeted, count(*) AS assigned, count(s.message_id) AS sent
    FROM message m JOIN chosen c ON c.id = m.delivery_id
    LEFT JOIN (SELECT message_id FROM sending WHERE outcome = 'SENT' AND delivery_id IN (SELECT id FROM chosen)) s ON s.message_id = m.id
    WHERE m.code_id IS NOT NULL` + o.labeled("m") + "\n    GROUP BY c.id"
}

const countedColumns = "f.target_count, f.message_count, f.sent_count, f.confirmed_at"

// Funnel tells how far the codes got that deliveries of individual coupons gave away in the period of the filter:
// whenever they were sent and redeemed. The stage TARGETED is left out when labels are asked for. It returns INVALID.
func (s *Store) Funnel(ctx context.Context, filter *coupon.StatsFilter, timezone string) ([]*coupon.FunnelStep, error) {
	// The zone is checked as that of any question is.
	zone, err := (&coupon.StatsQuestion{Timezone: timezone, Limit: 1}).Check()
	if err != nil {
		return nil, err
	}
	n, err := newNarrowed(filter, zone)
	if err != nil {
		return nil, err
	}
	release, err := s.reports.Enter(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	o := s.newOutcomes(n, countedColumns)
	found, err := duckdb.Collect(ctx, s.engine, `-- how far codes got that were given away
WITH chosen AS (
`+o.chosen+`
), given AS (
    `+o.assigned()+`
), first AS (
    `+o.firsts("1 AS one", "1 AS one", "")+`
)
SELECT sum(targeted)::BIGINT, coalesce(sum(assigned), 0)::BIGINT, coalesce(sum(sent), 0)::BIGINT, (SELECT count(*) FROM first),
    (`+o.returned()+`) FROM given`,
		func(rows *sql.Rows) (*coupon.Outcome, error) {
			var outcome coupon.Outcome
			err := rows.Scan(&outcome.Targeted, &outcome.Assigned, &outcome.Sent, &outcome.Redeemed, &outcome.Returned)
			return &outcome, err
		}, o.args...)
	if err != nil {
		return nil, err
	}
	if !o.hasLabels && found[0].Targeted == nil {
		found[0].Targeted = new(0)
	}
	return found[0].Funnel(), nil
}

// CompareDeliveries compares deliveries with the first of them. It returns INVALID, and NOT_FOUND.
func (s *Store) CompareDeliveries(ctx context.Context, question *coupon.ComparisonQuestion) ([]*coupon.DeliveryComparison, error) {
	if err := question.Check(); err != nil {
		return nil, err
	}
	known, err := s.DeliveriesByID(ctx, question.DeliveryIDs)
	if err != nil {
		return nil, err
	}
	now := s.now()
	compared := map[coupon.ID]*coupon.DeliveryComparison{}
	all := make([]*coupon.DeliveryComparison, len(question.DeliveryIDs))
	for i, id := range question.DeliveryIDs {
		d := known[id]
		if d == nil {
			return nil, coupon.NotFound(coupon.KindDelivery, id).At("ids", fmt.Sprint(i))
		}
		all[i] = &coupon.DeliveryComparison{DeliveryID: id, Sent: d.Counts.Sent}
		if d.CouponID != nil {
			all[i].Assigned = d.Counts.Total
		}
		if d.ConfirmedAt != nil && question.WithinDays != nil {
			all[i].IsComplete = !now.Before(d.ConfirmedAt.AddDate(0, 0, *question.WithinDays))
		}
		compared[id] = all[i]
	}
	release, err := s.reports.Enter(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	o := s.newOutcomes(&narrowed{filter: &coupon.StatsFilter{DeliveryIDs: question.DeliveryIDs}}, countedColumns)
	within, args := "", o.args
	if question.WithinDays != nil {
		within = " AND r.redeemed_at < c.confirmed_at + to_days($days::INTEGER)"
		args = append(args, named("days", *question.WithinDays))
	}
	err = duckdb.Each(ctx, s.engine, `-- how many codes of each delivery were redeemed
WITH chosen AS (
`+o.chosen+`
), first AS (
    `+o.firsts("r.delivery_id", "r.delivery_id", within)+`
)
SELECT c.id, count(f.delivery_id) FROM chosen c LEFT JOIN first f ON f.delivery_id = c.id GROUP BY c.id`,
		func(rows *sql.Rows) error {
			var number int64
			var redeemed int
			err := rows.Scan(&number, &redeemed)
			compared[coupon.NewID(coupon.KindDelivery, number)].Redeemed = &redeemed
			return err
		}, args...)
	if err != nil {
		return nil, err
	}
	// A delivery that was named twice is one.
	for i, id := range question.DeliveryIDs {
		all[i] = compared[id]
	}
	coupon.Compare(all)
	return all, nil
}

// Cohorts returns the codes of individual coupons by the day on which they were given away, the latest days, and how many
// were redeemed so many days later; what a file says was redeemed before counts as redeemed on that day. It returns
// INVALID.
func (s *Store) Cohorts(ctx context.Context, question *coupon.CohortQuestion) ([]*coupon.RedemptionCohort, error) {
	zone, err := question.Check()
	if err != nil {
		return nil, err
	}
	n, err := newNarrowed(question.Filter, zone)
	if err != nil {
		return nil, err
	}
	release, err := s.reports.Enter(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	now := s.now()
	c, err := s.clockOf(ctx, zone, nil)
	if err != nil {
		return nil, err
	}
	o := s.newOutcomes(n, countedColumns+", "+c.period(coupon.ByDay, "f.confirmed_at", "")+" AS day")
	// Counted by delivery and day before the deliveries are joined, which are few. Of codes that are redeemed more than once the
	// first day counts.
	first := `SELECT c.day, x.day AS redeemed_day, x.count FROM (
        SELECT r.delivery_id, ` + c.period(coupon.ByDay, "r.redeemed_at", "r.redeemed_on") + ` AS day, count(*) AS count
        FROM redemption r ANTI JOIN reversal v ON v.redemption_id = r.id
        WHERE r.code_id IS NOT NULL AND r.delivery_id IS NOT NULL` + o.labeled("r") + `
        GROUP BY ALL
    ) x JOIN chosen c ON c.id = x.delivery_id AND c.is_single`
	if o.hasRepeats {
		first += `
    UNION ALL
    SELECT any_value(c.day), ` + c.period(coupon.ByDay, "min(r.redeemed_at)", "") + `, 1
    FROM redemption r JOIN chosen c ON c.id = r.delivery_id AND NOT c.is_single ANTI JOIN reversal v ON v.redemption_id = r.id
    WHERE r.code_id IS NOT NULL` + o.labeled("r") + `
    GROUP BY r.delivery_id, r.code_id`
	}
	type cell struct{ day, since, count int64 }
	cells, err := duckdb.Collect(ctx, s.engine, `-- codes by the day of their assignment, and by how many days later they were redeemed
WITH chosen AS (
`+o.chosen+`
QUALIFY dense_rank() OVER (ORDER BY day DESC) <= $limit
), given AS (
    `+o.assigned()+`
), first AS (
    `+first+`
)
SELECT c.day, -1 AS since, sum(g.assigned)::BIGINT FROM chosen c JOIN given g ON g.id = c.id GROUP BY c.day
UNION ALL
SELECT day, greatest(0, least($days + 1, redeemed_day - day)) AS since, sum(count)::BIGINT FROM first GROUP BY day, since
ORDER BY 1, 2`,
		func(rows *sql.Rows) (cell, error) {
			var one cell
			err := rows.Scan(&one.day, &one.since, &one.count)
			return one, err
		}, append(o.args, named("days", question.Days), named("limit", question.Limit))...)
	if err != nil {
		return nil, err
	}
	cohorts := []*coupon.RedemptionCohort{}
	today := coupon.ByDay.Period(now, zone)
	for len(cells) > 0 {
		day, assigned, later := cells[0].day, 0, 0
		redeemed := make([]int, question.Days+1)
		for ; len(cells) > 0 && cells[0].day == day; cells = cells[1:] {
			switch count := int(cells[0].count); {
			case cells[0].since < 0:
				assigned = count
			case cells[0].since > int64(question.Days):
				later = count
			default:
				redeemed[cells[0].since] = count
			}
		}
		cohorts = append(cohorts, coupon.NewCohort(day, today, assigned, redeemed, later))
	}
	return cohorts, nil
}
