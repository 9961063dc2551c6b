package main

import (
	"context"
	"database/sql"
	"fmt"
	"sync/atomic"
	"time"
)

const (
	// maxPage is the promised time of a page of 100 codes, in milliseconds.
	maxPage = 10
	// pageSize is that of the pages that are measured.
	pageSize = 100
	// How many pages, single codes and reports are asked for in each run.
	pageCount, lookupCount, reportCount = 20, 60, 5
	// redeemTime is how long each number of callers redeems, and redeemValues how many codes there are for it.
	redeemTime   = 2 * time.Second
	redeemValues = 20_000
)

// named is a parameter of a statement.
func named(name string, value any) any { return sql.Named(name, value) }

// redemptionCount is how many redemptions come back by file.
func (b *bench) redemptionCount() int { return b.options.codes * 3 / 10 }

// measureRedemptionImport imports the redemptions of codes that messages had, spread over the days since.
// The copy that is made before is what all later raw SQL is about.
func (b *bench) measureRedemptionImport(ctx context.Context) error {
	b.clock.moveTo(0)
	if err := b.copyDatabase(ctx, "raw-report.duckdb"); err != nil {
		return err
	}
	if err := b.server.startJobs(); err != nil { //nolint:contextcheck // jobs run until they are stopped
		return err
	}
	err := b.raw.run(ctx, fmt.Sprintf(`COPY (
    SELECT code, strftime(assigned_at + to_microseconds((hash(code) %% (epoch_us(now()) - epoch_us(assigned_at)))::BIGINT),
        '%%Y-%%m-%%dT%%H:%%M:%%SZ') AS "redeemed at", '12.50' AS amount, 'EUR' AS currency
    FROM (SELECT c.key AS code, m.created_at AS assigned_at FROM message m JOIN code c ON c.id = m.code_id)
    ORDER BY hash(code) LIMIT %d
) TO '%s' (HEADER)`, b.redemptionCount(), b.file(redemptionsFile)))
	if err != nil {
		return err
	}
	name := fmt.Sprintf("import %s redemptions over HTTP", count(b.redemptionCount()))
	var ours time.Duration
	err = b.profiled(name, func() error {
		ours, err = timed(func() error {
			return b.server.importFile(ctx, "importRedemptions", variables{}, b.file(redemptionsFile), b.redemptionCount())
		})
		return err
	})
	if err != nil {
		return err
	}
	raw, err := timed(func() error {
		return b.raw.exec(ctx, `INSERT INTO posted_redemption BY NAME
SELECT row_number() OVER () AS id, c.coupon_id, c.id AS code_id, m.delivery_id, d.channel, c.label, m.created_at AS assigned_at,
    f."redeemed at" AS redeemed_at, f."redeemed at"::DATE AS redeemed_on, 'IMPORT' AS source, f.amount, f.currency,
    now()::TIMESTAMP AS recorded_at
FROM read_csv(?, header = true, auto_detect = false,
    columns = {'code': 'VARCHAR', 'redeemed at': 'TIMESTAMP', 'amount': 'DECIMAL(18, 4)', 'currency': 'VARCHAR'}) f
JOIN code c ON c.key = f.code JOIN message m ON m.code_id = c.id JOIN delivery d ON d.id = m.delivery_id
ANTI JOIN posted_redemption r ON r.code_id = c.id`, b.file(redemptionsFile))
	})
	if err != nil {
		return err
	}
	b.add(newResult(name, "s", ours.Seconds(), raw.Seconds(), goal{}))
	return nil
}

// codePage is a page of codes with everything that a list of them shows. %s is what else is asked for.
const codePage = `query($id: ID!, $after: String, $filter: CodeFilter) {
  coupon(id: $id) {
    codes(first: 100, after: $after, filter: $filter) {
      %s pageInfo { endCursor hasNextPage }
      nodes {
        id value status label channel address assignedAt sentAt redeemedAt
        coupon { id label } delivery { id label status } recipient { id externalId email firstName }
      }
    }
  }
}`

// rawPage is the same in SQL. %s is the condition.
const rawPage = `SELECT c.id, c.key, c.label, p.id, p.label, d.id, d.label, d.status, d.channel, m.address, m.created_at,
    s.settled_at, r.redeemed_at, v.voided_at, k.id, k.external_id, k.email, k.first_name
FROM code c JOIN coupon p ON p.id = c.coupon_id
LEFT JOIN message m ON m.code_id = c.id AND m.id NOT IN (SELECT message_id FROM code_return)
LEFT JOIN delivery d ON d.id = m.delivery_id
LEFT JOIN recipient k ON k.id = m.recipient_id
LEFT JOIN sending s ON s.message_id = m.id AND s.outcome = 'SENT'
LEFT JOIN (
    SELECT code_id, min(redeemed_at) AS redeemed_at
    FROM posted_redemption WHERE id NOT IN (SELECT redemption_id FROM reversal) GROUP BY code_id
) r ON r.code_id = c.id
LEFT JOIN code_void v ON v.code_id = c.id
WHERE c.coupon_id = 1 AND c.id > ? %s
ORDER BY c.id LIMIT 100`

// measurePages reads on from page to page, with one filter after the other.
func (b *bench) measurePages(ctx context.Context) error {
	// The last delivery that is in the middle of the file.
	delivery := b.campaigns[len(b.campaigns)/2]
	number := 0
	if _, err := fmt.Sscanf(delivery.id, "delivery_%d", &number); err != nil {
		return fmt.Errorf("read the id %q: %w", delivery.id, err)
	}
	ofDelivery := fmt.Sprintf("AND m.delivery_id = %d", number)
	pages := []struct {
		name, more string
		filter     variables
		condition  string
		count      string
	}{
		{name: "page of 100 codes with coupon, delivery, recipient"},
		{name: "  the same with totalCount", more: "totalCount", count: "SELECT count(*) FROM code WHERE coupon_id = 1"},
		{name: "  only redeemed ones", filter: variables{"status": []string{"REDEEMED"}}, condition: "AND r.redeemed_at IS NOT NULL AND v.voided_at IS NULL"},
		{
			name:      "  only assigned ones, with totalCount",
			more:      "totalCount",
			filter:    variables{"status": []string{"ASSIGNED"}},
			condition: "AND r.redeemed_at IS NULL AND m.id IS NOT NULL",
			count:     "SELECT count(*) FROM code c JOIN message m ON m.code_id = c.id WHERE c.coupon_id = 1 AND c.id NOT IN (SELECT code_id FROM posted_redemption)",
		},
		{name: "  only of one delivery", filter: variables{"deliveryId": delivery.id}, condition: ofDelivery},
		{
			name: "  only of one delivery, with totalCount", more: "totalCount", filter: variables{"deliveryId": delivery.id},
			condition: ofDelivery,
			count:     fmt.Sprintf("SELECT count(*) FROM message WHERE delivery_id = %d", number),
		},
	}
	for _, p := range pages {
		query := fmt.Sprintf(codePage, p.more)
		statement := fmt.Sprintf(rawPage, p.condition)
		var after, afterRaw any = nil, int64(0)
		err := b.compare(p.name, pageCount, goal{most: maxPage}, func(int) error {
			var answer struct {
				Coupon struct {
					Codes struct {
						PageInfo struct {
							EndCursor   string
							HasNextPage bool
						}
						Nodes []struct{ ID string }
					}
				}
			}
			err := b.server.ask(ctx, query, variables{"id": b.couponID, "after": after, "filter": p.filter}, &answer)
			codes := &answer.Coupon.Codes
			if err == nil && len(codes.Nodes) == 0 {
				err = fmt.Errorf("an empty page")
			}
			after = codes.PageInfo.EndCursor
			if !codes.PageInfo.HasNextPage {
				after = nil
			}
			return err
		}, func(int) error {
			rows, err := b.raw.read(ctx, statement, afterRaw)
			if err != nil {
				return err
			}
			afterRaw = int64(0)
			if len(rows) == pageSize {
				afterRaw = rows[len(rows)-1][0]
			}
			if p.count != "" {
				return b.raw.expect(ctx, 1, p.count)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// lookup asks for a code with everything that a till shows.
const lookup = "query($value: String!) { code(value: $value) { id status label address assignedAt redeemedAt } }"

// measureLookups asks for single things.
func (b *bench) measureLookups(ctx context.Context) error {
	err := b.compare("code(value:)", lookupCount, goal{}, func(i int) error {
		var answer struct{ Code *struct{ ID string } }
		err := b.server.ask(
			ctx,
			lookup,
			variables{"value": b.values[i*7%len(b.values)]},
			&answer,
		)
		if err == nil && answer.Code == nil {
			err = fmt.Errorf("there is no code %s", b.values[i*7%len(b.values)])
		}
		return err
	}, func(i int) error {
		return b.raw.expect(ctx, 1, `SELECT c.id, c.label, m.address, m.created_at, r.redeemed_at
FROM code c LEFT JOIN message m ON m.code_id = c.id LEFT JOIN posted_redemption r ON r.code_id = c.id
WHERE c.key = ?`, b.values[i*7%len(b.values)])
	})
	if err != nil {
		return err
	}
	return b.compare("availability of a coupon, by label too", reportCount, goal{}, func(int) error {
		return b.server.ask(
			ctx,
			"query($id: ID!) { coupon(id: $id) { availability { total available held assigned redeemed expired voided byLabel { label total available assigned redeemed } } } }",
			variables{"id": b.couponID},
			nil,
		)
	}, func(int) error {
		return b.raw.expect(ctx, len(sports()), `SELECT c.label, count(*), count(r.code_id), count(v.code_id), count(m.code_id)
FROM code c LEFT JOIN message m ON m.code_id = c.id LEFT JOIN posted_redemption r ON r.code_id = c.id LEFT JOIN code_void v ON v.code_id = c.id
WHERE c.coupon_id = 1 GROUP BY c.label`)
	})
}

// measureStats asks how many codes were assigned, sent and redeemed on each day and channel.
func (b *bench) measureStats(ctx context.Context) error {
	name := fmt.Sprintf("redemptionStats by day and channel, %s messages, %s redemptions", count(b.options.codes), count(b.redemptionCount()))
	return b.compare(name, reportCount, goal{}, func(int) error {
		return b.server.ask(
			ctx,
			"{ redemptionStats(groupBy: [DAY, CHANNEL]) { keys stats { assigned sent redeemed reversed redemptionRate amount timeToRedeem { p10 p50 p90 p99 } } } }",
			nil,
			nil,
		)
	}, func(int) error {
		for _, statement := range []string{
			"SELECT m.created_at::DATE AS day, d.channel, count(*) FROM message m JOIN delivery d ON d.id = m.delivery_id GROUP BY ALL ORDER BY ALL",
			"SELECT s.settled_at::DATE AS day, d.channel, count(*) FROM sending s JOIN delivery d ON d.id = s.delivery_id WHERE s.outcome = 'SENT' GROUP BY ALL ORDER BY ALL",
			`SELECT redeemed_on AS day, channel, count(*), sum(amount),
    quantile_cont(epoch(redeemed_at - assigned_at), [0.1, 0.5, 0.9, 0.99])
FROM posted_redemption WHERE id NOT IN (SELECT redemption_id FROM reversal) GROUP BY day, channel ORDER BY day, channel`,
		} {
			if _, err := b.raw.read(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	})
}

// measureRedemptions redeems codes by 1, 8 and 64 callers at once. The raw side appends a row to the table
// and commits, without finding the code and without any check: it is the least that a redemption which
// survives a crash needs.
func (b *bench) measureRedemptions(ctx context.Context) error {
	callers := []int{1, 8, maxCallers}
	rows, err := b.raw.read(ctx, `SELECT c.id, c.key
FROM message m JOIN code c ON c.id = m.code_id ANTI JOIN posted_redemption r ON r.code_id = c.id
ORDER BY hash(c.key) LIMIT ?`, redeemValues*len(callers)*b.options.runs)
	if err != nil {
		return err
	}
	share := len(rows) / (len(callers) * b.options.runs)
	for _, number := range callers {
		var ours, raw load
		name := fmt.Sprintf("redeemCode, %d callers", number)
		if number == 1 {
			name = "redeemCode, 1 caller"
		}
		err := b.profiled(name, func() error {
			for range b.options.runs {
				part := rows[:share]
				rows = rows[share:]
				if err := ours.call(number, each(part, func(row []any) error { return b.redeem(ctx, row) })); err != nil {
					return err
				}
				if err := raw.call(number, each(part, func(row []any) error { return b.redeemRaw(ctx, row) })); err != nil {
					return fmt.Errorf("raw: %w", err)
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		b.add(newResult(name, "/s", ours.rate(), raw.rate(), goal{}))
		for _, percent := range []int{50, 99} {
			share := float64(percent) / 100
			oursTime, rawTime := quantile(ours.times, share), quantile(raw.times, share)
			b.add(newResult(fmt.Sprintf("  p%d", percent), "ms", milliseconds(oursTime), milliseconds(rawTime), goal{}))
		}
	}
	return nil
}

// each returns the rows to callers, each row to one, until there are no more.
func each(rows [][]any, do func(row []any) error) func() (more bool, err error) {
	var next atomic.Int64
	return func() (bool, error) {
		i := int(next.Add(1)) - 1
		if i >= len(rows) {
			return false, nil
		}
		return true, do(rows[i])
	}
}

func (b *bench) redeem(ctx context.Context, row []any) error {
	return b.server.ask(ctx, "mutation($input: RedeemCodeInput!) { redeemCode(input: $input) { redemption { id redeemedAt } userErrors { code message } } }",
		input(variables{"value": row[1], "reference": "till 1"}), nil)
}

func (b *bench) redeemRaw(ctx context.Context, row []any) error {
	_, err := b.raw.db.ExecContext(ctx, `INSERT INTO posted_redemption
    (id, coupon_id, code_id, redeemed_at, redeemed_on, source, reference, recorded_at)
VALUES (0, 1, ?, now()::TIMESTAMP, now()::DATE, 'API', 'till 1', now()::TIMESTAMP)`, row[0])
	return err
}
