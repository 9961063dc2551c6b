package db

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"couponql/coupon"
	"couponql/db/duckdb"
	"couponql/db/duckdb/memory"
)

// maxExamples is how many offenders a check names: the first by name, each once.
const maxExamples = 10

type invariant struct {
	name, statement string
	// isWarning: what it finds breaks no promise.
	isWarning bool
}

// invariants are the statements that must give no rows, in the order of the promises.
func invariants() []invariant {
	return []invariant{
		{name: "number_twice", statement: invariantP1NumberTwice},
		{name: "number_again", statement: invariantP1NumberAgain},
		{name: "code_held_twice", statement: invariantP1CodeHeldTwice},
		{name: "code_repeated", statement: invariantP1CodeRepeated},
		{name: "message_without_code", statement: invariantP1MessageWithoutCode},
		{name: "recipient_twice", statement: invariantP1RecipientTwice},
		{name: "redeemed_too_often", statement: invariantP2RedeemedTooOften},
		{name: "key_twice", statement: invariantP2KeyTwice},
		{name: "half_import", statement: invariantP3HalfImport},
		{name: "code_outside_batch", statement: invariantP3BatchIncomplete},
		{name: "gone", statement: invariantP3Reference},
		{name: "delivery_counts", statement: invariantP4DeliveryCounts},
		{name: "message_with_two_outcomes", statement: invariantP4MessageTwiceFinal},
		{name: "finished_with_pending", statement: invariantP4FinishedWithPending},
		{name: "import_rows", statement: invariantP5ImportRows},
		{name: "code_twice", statement: invariantP6CodeTwice},
		{name: "codes_alike", statement: invariantP6CodesAlike, isWarning: true},
	}
}

// IntegrityReport recomputes the promises P1 to P6 from the rows, and compares what is kept in
// memory with them. Rows and memory are those of one instant, at which the writer waits; the rest
// is done beside it, until ctx is done.
func (s *Store) IntegrityReport(ctx context.Context) (*coupon.IntegrityReport, error) {
	ctx, leave := s.within(ctx)
	defer leave()
	release, err := s.reports.Enter(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	conn, err := s.engine.Connection(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	var rows *tx
	var known memory.Summary
	err = s.update(ctx, func(_ context.Context, t *turn) error {
		reading, err := s.engine.Begin(ctx, conn)
		if err != nil {
			return err
		}
		rows = &tx{Tx: reading, effects: effects{store: s, now: t.now}}
		known = s.memory.Summary()
		// The engine fixes what a transaction sees when it first looks at a table.
		_, err = setting(ctx, rows, caseSensitiveCodes)
		return err
	})
	if rows != nil {
		// It has changed nothing.
		defer func() { _ = rows.Rollback(context.WithoutCancel(ctx)) }()
	}
	if err != nil {
		return nil, err
	}
	checks, err := checkInvariants(ctx, rows)
	if err != nil {
		return nil, err
	}
	pool, err := rows.checkPool(ctx, known)
	if err != nil {
		return nil, err
	}
	happened, err := s.checkHappened(ctx)
	return &coupon.IntegrityReport{
		CheckedAt: rows.now, Checks: append(checks, pool, happened),
	}, err
}

// checkInvariants recomputes the promises from the rows of the database that q asks.
func checkInvariants(ctx context.Context, q duckdb.Querier) ([]*coupon.IntegrityCheck, error) {
	var checks []*coupon.IntegrityCheck
	for _, i := range invariants() {
		check, err := checkInvariant(ctx, q, i)
		if err != nil {
			return nil, err
		}
		checks = append(checks, check)
	}
	return checks, nil
}

func checkInvariant(ctx context.Context, q duckdb.Querier, i invariant) (
	*coupon.IntegrityCheck, error,
) {
	title := duckdb.Title(i.statement)
	check := &coupon.IntegrityCheck{
		Name: i.name, Description: title, IsWarning: i.isWarning, Examples: []string{},
	}
	counted := fmt.Sprintf("-- %s\nWITH offender(name) AS (%s) SELECT count(*), "+
		"(SELECT string_agg(name, chr(10) ORDER BY name) FROM (SELECT DISTINCT name FROM offender ORDER BY name LIMIT %d)) FROM offender",
		title, i.statement, maxExamples)
	err := duckdb.Each(ctx, q, counted, func(rows *sql.Rows) error {
		var examples *string
		err := rows.Scan(&check.Violations, &examples)
		if examples != nil {
			check.Examples = strings.Split(*examples, "\n")
		}
		return err
	})
	return check, err
}

// checkPool compares the counts in memory, which availability is made of, with the rows.
func (t *tx) checkPool(ctx context.Context, known memory.Summary) (*coupon.IntegrityCheck, error) {
	check := &coupon.IntegrityCheck{
		Name:        "availability",
		Description: "P4: availability, which is kept in memory, is what the rows say; so are the numbers that come next",
		Examples:    []string{},
	}
	wanted := map[memory.Place]memory.Counts{}
	err := duckdb.Each(ctx, t, poolRecount, func(rows *sql.Rows) error {
		var at memory.Place
		var c memory.Counts
		err := rows.Scan(&at.Coupon, &at.Label, &c.Total, &c.Redeemed, &c.Voided, &c.Assigned)
		wanted[at] = c
		return err
	})
	if err != nil {
		return check, err
	}
	next, err := nextOf(ctx, t)
	if err != nil {
		return check, err
	}
	offend := func(format string, args ...any) {
		if check.Violations++; len(check.Examples) < maxExamples {
			check.Examples = append(check.Examples, fmt.Sprintf(format, args...))
		}
	}
	if known.Next.IsBehind(next) {
		offend("next numbers: %+v in memory, %+v by the rows", known.Next, next)
	}
	for at, counts := range known.Counts {
		if wanted[at] != counts {
			offend("coupon_%d %q: %+v in memory, %+v in the rows", at.Coupon, at.Label,
				counts, wanted[at])
		}
		delete(wanted, at)
	}
	for at := range wanted {
		offend("coupon_%d %q is not in memory", at.Coupon, at.Label)
	}
	return check, nil
}
