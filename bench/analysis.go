package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// The goals of what analysts ask.
const (
	// maxAnalysisRatio is how many times as long as the raw SQL an answer may take, and as long as
	// on an idle server while codes are imported.
	maxAnalysisRatio = 1.5
	// leastAnalysis is how many times as fast as PostgreSQL it is to be at least.
	leastAnalysis = 10
	// analysisGoal is the size that the promised times are about.
	analysisGoal = 10_000_000
	// analysisDeliveries is how many deliveries gave away the codes, one a day.
	analysisDeliveries = 100
	// analysisDays is how long ago the first one was.
	analysisDays = 120
	// importPart is what part of the codes is imported once more while analysts ask.
	importPart = 10
)

// analysisData fills a server's database with a coupon of so many codes, half of them given away,
// six in ten of those redeemed within three weeks, and one in fifty of these taken back. The
// parameters are the number of codes, the number of messages of each delivery, and when the first
// delivery was confirmed.
const analysisData = `INSERT INTO code_batch BY NAME
SELECT 1 AS id, 'ADDED' AS kind, 'SUCCEEDED' AS status, 1 AS coupon_id, 1 AS first_id,
	$codes::BIGINT AS last_id, last_id AS count, $start AS created_at;
INSERT INTO code BY NAME
    SELECT i + 1 AS id, 1 AS batch_id, 1 AS coupon_id, ['climbing', 'running', 'soccer', 'swimming',
        'tennis'][1 + i * 5 // $codes::BIGINT] AS label,
        'K' || lpad((i + 1)::VARCHAR, 11, '0') AS key
    FROM range($codes::BIGINT) r(i);
INSERT INTO recipient BY NAME
    SELECT i + 1 AS id, 'c-' || i AS external_id, 'customer.' || i || '@example.com' AS email,
        '{}' AS attributes, true AS is_contactable, $start AS updated_at
    FROM range($each::BIGINT) r(i);
INSERT INTO delivery BY NAME
    SELECT (SELECT given FROM number WHERE kind = 'delivery') + 1 + i AS id,
        'Delivery ' || i AS label,
        ['EMAIL', 'SMS', 'PUSH', 'DIRECT_MAIL'][1 + i % 4] AS channel, 1 AS coupon_id,
        '' AS body, 'FINISHED' AS status, $each::BIGINT AS target_count,
            1 + i * $each::BIGINT AS first_message_id, $each::BIGINT AS message_count,
        $each::BIGINT AS sent_count, 0 AS failed_count, 0 AS canceled_count, 0 AS outbox_size,
            $start AS created_at,
        $start + to_days(i::INTEGER) AS confirmed_at,
            $start + to_days(i::INTEGER) + INTERVAL 1 HOUR AS finished_at
    FROM range($deliveries::BIGINT) r(i);
UPDATE number SET given = given + $deliveries::BIGINT WHERE kind = 'delivery';
INSERT INTO target BY NAME
    SELECT d.id AS delivery_id, i + 1 AS seq, i + 1 AS recipient_id
        FROM delivery d, range($each::BIGINT) r(i);
INSERT INTO message BY NAME
    SELECT c.id, d.id AS delivery_id, 1 AS coupon_id,
        1 + (c.id - 1) % $each::BIGINT AS recipient_id,
        'customer.' || (c.id - 1) % $each::BIGINT || '@example.com' AS address, c.id AS code_id,
            c.label, d.confirmed_at AS created_at
    FROM code c JOIN delivery d ON d.id = 1 + (c.id - 1) // $each::BIGINT ORDER BY c.id;
INSERT INTO sending BY NAME
    SELECT id AS message_id, delivery_id, 'SENT' AS outcome, created_at
        + to_seconds((id % $each::BIGINT) // 2000) AS settled_at FROM message ORDER BY id;
INSERT INTO posted_redemption BY NAME
    SELECT row_number() OVER (ORDER BY happened, m.id) AS id, m.coupon_id, m.code_id, m.delivery_id,
        d.channel, m.label, m.created_at AS assigned_at,
        happened AS redeemed_at, happened::DATE AS redeemed_on, ['API',
            'IMPORT'][1 + m.id % 2] AS source, (hash(m.id) % 10000)::DECIMAL(18, 4) / 100 AS amount,
        ['EUR', 'CHF'][1 + m.id % 2] AS currency, happened AS recorded_at
    FROM (SELECT *, created_at + to_seconds((hash(id) % 1814400)::BIGINT) AS happened
        FROM message) m JOIN delivery d ON d.id = m.delivery_id
    WHERE hash(m.id + 7) % 5 < 3 AND happened < $now ORDER BY id;
INSERT INTO reversal BY NAME SELECT id AS redemption_id,
	redeemed_at + INTERVAL 1 HOUR AS reversed_at FROM redemption WHERE id % 50 = 0;
CHECKPOINT`

// analysis is one question: of ours, in raw SQL on a copy, and in PostgreSQL's.
type analysis struct {
	name string
	// most is the promised time at analysisGoal codes, in milliseconds; 0 promises none.
	most float64
	// isPromised: the goals beside raw SQL and PostgreSQL hold for it.
	isPromised bool
	query      string
	raw        string
	// rows is how many rows the raw answer has at least.
	rows int
	// peer is PostgreSQL's statement; "" asks it nothing.
	peer string
}

// analyses are the questions. The raw ones are what a person types who knows the tables and
// DuckDB's slow spots.
func analyses() []analysis {
	const live = "FROM posted_redemption r LEFT JOIN reversal v ON v.redemption_id = r.id"
	return []analysis{
		{
			name: "status counts of a coupon", most: 20, isPromised: true,
			query: `query($id: ID!) { coupon(id: $id) { availability { total available held assigned redeemed expired voided } } }`,
			raw: `SELECT (SELECT count(*) FROM code WHERE coupon_id = 1), (SELECT count(*) FROM message WHERE coupon_id = 1),
    (SELECT count(*) FROM posted_redemption WHERE coupon_id = 1), (SELECT count(*) FROM reversal),
        (SELECT count(*) FROM code_void)`,
			rows: 1,
			peer: `SELECT CASE WHEN redeemed_at IS NOT NULL THEN 'REDEEMED' WHEN assigned_at IS NOT NULL THEN 'ASSIGNED' ELSE 'AVAILABLE' END, count(*)
FROM code WHERE coupon_id = 1 GROUP BY 1`,
		},
		{
			name:       "redemptions by day and channel",
			most:       100,
			isPromised: true,
			query:      `{ redemptionStats(groupBy: [DAY, CHANNEL], limit: 10000) { keys stats { redeemed reversed } } }`,
			raw: `SELECT redeemed_on, channel, count(*) FILTER (v.redemption_id IS NULL), count(*) FILTER (v.redemption_id IS NOT NULL) ` + live + `
GROUP BY ALL ORDER BY ALL`,
			rows: 4,
			peer: `SELECT redeemed_at::DATE, channel, count(*) FILTER (WHERE reversed_at IS NULL), count(reversed_at) FROM redemption
GROUP BY 1, 2 ORDER BY 1, 2`,
		},
		{
			name:  "  the same in Europe/Berlin",
			query: `{ redemptionStats(groupBy: [DAY, CHANNEL], timezone: "Europe/Berlin", limit: 10000) { keys stats { redeemed reversed } } }`,
			raw: `SELECT ((redeemed_at AT TIME ZONE 'UTC') AT TIME ZONE 'Europe/Berlin')::DATE, channel,
    count(*) FILTER (v.redemption_id IS NULL),
        count(*) FILTER (v.redemption_id IS NOT NULL) ` + live +
				` GROUP BY ALL ORDER BY ALL`,
			rows: 4,
			peer: `SELECT ((redeemed_at AT TIME ZONE 'UTC') AT TIME ZONE 'Europe/Berlin')::DATE, channel,
    count(*) FILTER (WHERE reversed_at IS NULL), count(reversed_at) FROM redemption GROUP BY 1, 2
        ORDER BY 1, 2`,
		},
		{
			name: "quantiles of the time to redeem", most: 200, isPromised: true,
			query: `{ redemptionStats { stats { timeToRedeem { p10 p50 p90 p99 } } } }`,
			raw: `SELECT quantile_cont(epoch_us(redeemed_at) - epoch_us(assigned_at), [0.1, 0.5, 0.9, 0.99]) FILTER (v.redemption_id IS NULL) ` +
				live,
			rows: 1,
			peer: `SELECT percentile_cont(ARRAY[0.1, 0.5, 0.9, 0.99]) WITHIN GROUP (ORDER BY extract(epoch FROM redeemed_at - assigned_at))
FROM redemption WHERE reversed_at IS NULL`,
		},
		{
			name:  "assigned, sent and redeemed by day and channel, amounts by currency",
			query: `{ redemptionStats(groupBy: [DAY, CHANNEL], limit: 10000) { keys stats { assigned sent redeemed byCurrency { currency amount } } } }`,
			raw: `SELECT day, channel, sum(assigned), sum(sent), sum(redeemed), list(amount) FROM (
    SELECT m.created_at::DATE AS day, d.channel, count(*) AS assigned, 0 AS sent, 0 AS redeemed,
        NULL AS currency, 0 AS amount
    FROM message m JOIN delivery d ON d.id = m.delivery_id GROUP BY ALL
    UNION ALL SELECT s.settled_at::DATE, d.channel, 0, count(*), 0, NULL, 0 FROM sending s
        JOIN delivery d ON d.id = s.delivery_id GROUP BY ALL
    UNION ALL SELECT redeemed_on, channel, 0, 0, count(*), currency,
        sum(amount) ` + live + ` WHERE v.redemption_id IS NULL GROUP BY ALL
) GROUP BY ALL ORDER BY day, channel`,
			rows: 4,
		},
		{
			name:  "funnel",
			query: `{ redemptionFunnel { stage count share } }`,
			raw: `SELECT (SELECT sum(target_count) FROM delivery), (SELECT count(*) FROM message), (SELECT count(*) FROM sending WHERE outcome = 'SENT'),
    (SELECT count(DISTINCT code_id) ` + live +
				` WHERE v.redemption_id IS NULL AND delivery_id IS NOT NULL)`,
			rows: 1,
		},
		{
			name:  "cohorts by day, 30 days each",
			query: `{ redemptionCohorts(days: 30) { day assigned redeemed days { daysSince redeemed } } }`,
			raw: `SELECT assigned_at::DATE AS day, redeemed_on - assigned_at::DATE AS since, count(*) ` + live + `
WHERE v.redemption_id IS NULL AND delivery_id IS NOT NULL GROUP BY ALL ORDER BY ALL`,
			rows: 20,
		},
		{
			name:  "statistics of 100 deliveries",
			query: `{ deliveries(first: 100) { nodes { stats { assigned sent redeemed redemptionRate } } } }`,
			raw: `SELECT d.id, d.message_count, d.sent_count, r.redeemed FROM delivery d
LEFT JOIN (SELECT delivery_id, count(*) AS redeemed ` + live +
				` WHERE v.redemption_id IS NULL GROUP BY delivery_id) r ON r.delivery_id = d.id ORDER BY d.id`,
			rows: analysisDeliveries,
		},
	}
}

// measureAnalyses asks what analysts ask of a coupon with many codes: on an idle server beside raw
// SQL, while codes are imported, and beside PostgreSQL.
func (b *bench) measureAnalyses(ctx context.Context) error {
	if b.options.analysts == 0 {
		return nil
	}
	if err := b.fillAnalyses(ctx); err != nil {
		return err
	}
	idle := make([]float64, len(analyses()))
	for i, a := range analyses() {
		goal := goal{}
		if a.isPromised {
			goal.mostRatio = maxAnalysisRatio
		}
		if b.options.analysts == analysisGoal {
			goal.most = a.most
		}
		name := fmt.Sprintf("%s, %s codes", a.name, count(b.options.analysts))
		if strings.HasPrefix(name, " ") {
			name = a.name
		}
		err := b.compare(name, reportCount, goal, func(int) error { return b.askAnalysis(ctx, &a) },
			func(int) error {
				rows, err := b.raw.read(ctx, a.raw)
				if err == nil && len(rows) < a.rows {
					err = fmt.Errorf("%d rows", len(rows))
				}
				return err
			})
		if err != nil {
			return err
		}
		idle[i] = b.results[len(b.results)-1].Ours
	}
	if err := b.measureQuestions(ctx); err != nil {
		return err
	}
	if err := b.analyzeMeanwhile(ctx, idle); err != nil {
		return err
	}
	if b.options.peers {
		if err := b.measurePeerAnalyses(ctx, idle); err != nil {
			return fmt.Errorf("PostgreSQL: %w", err)
		}
	}
	err := errors.Join(b.server.close(), b.raw.close())
	b.server, b.raw = nil, nil
	return err
}

func (b *bench) askAnalysis(ctx context.Context, a *analysis) error {
	return b.server.ask(ctx, a.query, variables{"id": b.couponID}, nil)
}

// fillAnalyses makes the databases, and has the server prove that what was written is as it would
// have written it.
func (b *bench) fillAnalyses(ctx context.Context) error {
	folder, err := os.MkdirTemp(b.folder, "analysts-*")
	if err != nil {
		return fmt.Errorf("make the server's folder: %w", err)
	}
	b.path = filepath.Join(folder, "couponql.duckdb")
	if b.server, err = newServer(ctx, b.path, b.clock, b.log); err != nil {
		return err
	}
	b.couponID, err = b.newCoupon(ctx, "Analysts", false)
	err = errors.Join(err, b.server.close())
	b.server = nil
	if err != nil {
		return err
	}
	if b.raw, err = openRaw(ctx, b.path); err != nil {
		return err
	}
	now := time.Now().UTC().Truncate(time.Second)
	for statement := range strings.SplitSeq(analysisData, ";\n") {
		var args []any
		for name, value := range map[string]any{
			"codes": b.options.analysts, "each": b.options.analysts / 2 / analysisDeliveries,
			"deliveries": analysisDeliveries,
			"start":      now.AddDate(0, 0, -analysisDays), "now": now,
		} {
			if strings.Contains(statement, "$"+name) {
				args = append(args, named(name, value))
			}
		}
		if err := b.raw.exec(ctx, statement, args...); err != nil {
			return err
		}
	}
	err = b.raw.close()
	b.raw = nil
	if err != nil {
		return err
	}
	if b.server, err = newServer(ctx, b.path, b.clock, b.log); err != nil {
		return err
	}
	report, err := b.server.store.IntegrityReport(ctx)
	if err != nil {
		return err
	}
	for _, check := range report.Checks {
		if check.Violations > 0 {
			return fmt.Errorf("the data for analysts break %s: %v", check.Name, check.Examples)
		}
	}
	if err := b.copyDatabase(ctx, "analysts.duckdb"); err != nil {
		return err
	}
	return b.server.startJobs() //nolint:contextcheck // jobs run until they are stopped
}

// analyzeMeanwhile asks the promised questions while codes are imported over and over into another
// coupon.
func (b *bench) analyzeMeanwhile(ctx context.Context, idle []float64) error {
	rows := b.options.analysts / importPart
	var isOver atomic.Bool
	done := make(chan error, 1)
	began := make(chan struct{})
	begin := sync.OnceFunc(func() { close(began) })
	go func() {
		done <- func() error {
			defer begin()
			for round := 0; round == 0 || !isOver.Load(); round++ {
				id, err := b.newCoupon(ctx, fmt.Sprintf("Imported meanwhile %d", round), true)
				if err != nil {
					return err
				}
				path := b.file("meanwhile.csv")
				err = writeFile(path, "code,label", rows, func(line []byte, i int) []byte {
					return fmt.Appendf(appendCode(line, round*rows+i), ",tennis\n")
				})
				if err != nil {
					return err
				}
				begin()
				if err := b.server.importFile(ctx, "importCodes", variables{"couponId": id}, path,
					rows); err != nil {
					return err
				}
			}
			return nil
		}()
	}()
	<-began
	var errs []error
	for i, a := range analyses() {
		if !a.isPromised {
			continue
		}
		var times []time.Duration
		for range b.options.runs {
			turned, err := turn(0, reportCount, func(int) error { return b.askAnalysis(ctx, &a) })
			if err != nil {
				errs = append(errs, fmt.Errorf("%s during an import: %w", a.name, err))
				break
			}
			times = append(times, turned...)
		}
		r := newResult(fmt.Sprintf("  %s, while %s codes are imported", a.name, count(rows)), "ms",
			milliseconds(median(times)), 0, goal{})
		b.add(r)
		b.add(newResult("    in times of the idle server's", "×", r.Ours/idle[i], 0,
			goal{most: maxAnalysisRatio}))
	}
	isOver.Store(true)
	return errors.Join(append(errs, <-done)...)
}

// measurePeerAnalyses has PostgreSQL answer what it can: codes with what happened to them in their
// rows, as most shops have them, and redemptions in a table of their own, both vacuumed and
// analyzed.
func (b *bench) measurePeerAnalyses(ctx context.Context, ours []float64) (err error) {
	p, err := startPostgres(ctx, b.file("analysts-postgres"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	codes, redemptions := b.file("analysts-codes.csv"), b.file("analysts-redemptions.csv")
	deliveries, recipients := b.file("analysts-deliveries.csv"), b.file("analysts-recipients.csv")
	err = b.raw.run(ctx, fmt.Sprintf(`COPY (
    SELECT c.id, c.coupon_id, c.key, c.label, m.delivery_id, m.recipient_id,
        m.created_at AS assigned_at, r.redeemed_at
    FROM code c LEFT JOIN message m ON m.code_id = c.id
    LEFT JOIN (FROM redemption WHERE id NOT IN (SELECT redemption_id FROM reversal)) r
        ON r.code_id = c.id
) TO '%s' (HEADER)`, codes), fmt.Sprintf(`COPY (
    SELECT r.id, r.coupon_id, r.code_id, r.delivery_id, r.channel, r.assigned_at, r.redeemed_at,
        r.amount, r.currency, v.reversed_at
    FROM redemption r LEFT JOIN reversal v ON v.redemption_id = r.id
) TO '%s' (HEADER)`, redemptions),
		fmt.Sprintf("COPY (SELECT id, label, channel FROM delivery) TO '%s' (HEADER)", deliveries),
		fmt.Sprintf("COPY (SELECT id, external_id, email FROM recipient) TO '%s' (HEADER)",
			recipients))
	if err != nil {
		return err
	}
	err = p.run(ctx, "postgres", fmt.Sprintf(`CREATE TABLE code (
    id BIGINT PRIMARY KEY, coupon_id BIGINT NOT NULL, code TEXT NOT NULL, label TEXT,
        delivery_id BIGINT, recipient_id BIGINT, assigned_at TIMESTAMP, redeemed_at TIMESTAMP
);
CREATE TABLE delivery (id BIGINT PRIMARY KEY, label TEXT, channel TEXT);
CREATE TABLE recipient (id BIGINT PRIMARY KEY, external_id TEXT, email TEXT);
CREATE TABLE redemption (
    id BIGINT PRIMARY KEY, coupon_id BIGINT NOT NULL, code_id BIGINT, delivery_id BIGINT,
        channel TEXT, assigned_at TIMESTAMP, redeemed_at TIMESTAMP,
    amount NUMERIC, currency TEXT, reversed_at TIMESTAMP
);
\copy code FROM '%s' (FORMAT csv, HEADER)
\copy redemption FROM '%s' (FORMAT csv, HEADER)
\copy delivery FROM '%s' (FORMAT csv, HEADER)
\copy recipient FROM '%s' (FORMAT csv, HEADER)
CREATE INDEX ON redemption (redeemed_at);
CREATE INDEX ON redemption (code_id);
CREATE UNIQUE INDEX ON code (code);
CREATE INDEX ON code (coupon_id, id);
VACUUM ANALYZE;
CHECKPOINT;`, codes, redemptions, deliveries, recipients))
	if err != nil {
		return err
	}
	for i, a := range analyses() {
		if a.peer == "" {
			continue
		}
		var times []time.Duration
		for range b.options.runs {
			elapsed, err := p.explained(ctx, "postgres", a.peer)
			if err != nil {
				return err
			}
			times = append(times, elapsed)
		}
		least := 0.0
		if a.isPromised {
			least = leastAnalysis
		}
		b.add(newPeerResult(strings.TrimSpace(a.name), "ms", ours[i],
			milliseconds(median(times)), least))
	}
	return b.measurePeerQuestions(ctx, p)
}
