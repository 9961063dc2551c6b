package db

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"couponql/coupon"
)

// maxExamples is how many offenders a check names.
const maxExamples = 10

// invariants are the statements that must give no rows, in the order of the promises.
func invariants() []struct{ name, statement string } {
	return []struct{ name, statement string }{
		{"number_twice", invariantP1NumberTwice},
		{"number_again", invariantP1NumberAgain},
		{"code_held_twice", invariantP1CodeHeldTwice},
		{"message_without_code", invariantP1MessageWithoutCode},
		{"recipient_twice", invariantP1RecipientTwice},
		{"redeemed_too_often", invariantP2RedeemedTooOften},
		{"key_twice", invariantP2KeyTwice},
		{"half_import", invariantP3HalfImport},
		{"code_outside_batch", invariantP3BatchIncomplete},
		{"gone", invariantP3Reference},
		{"delivery_counts", invariantP4DeliveryCounts},
		{"message_with_two_outcomes", invariantP4MessageTwiceFinal},
		{"finished_with_pending", invariantP4FinishedWithPending},
		{"import_rows", invariantP5ImportRows},
		{"code_twice", invariantP6CodeTwice},
	}
}

// IntegrityReport recomputes the promises P1 to P6 from the rows, and compares what is kept in memory
// with them. It runs while the writer waits, so that it sees one state.
func (s *Store) IntegrityReport(ctx context.Context) (*coupon.IntegrityReport, error) {
	release, err := s.report(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	var report *coupon.IntegrityReport
	err = s.update(ctx, func(ctx context.Context, t *tx) error {
		checks, err := checkInvariants(ctx, t)
		if err != nil {
			return err
		}
		check, err := t.checkPool(ctx)
		report = &coupon.IntegrityReport{CheckedAt: t.now, Checks: checks}
		report.Checks = append(report.Checks, check)
		return err
	})
	return report, err
}

// checkInvariants recomputes the promises from the rows of the database that q asks.
func checkInvariants(ctx context.Context, q querier) ([]*coupon.IntegrityCheck, error) {
	var checks []*coupon.IntegrityCheck
	for _, i := range invariants() {
		check, err := checkInvariant(ctx, q, i.name, i.statement)
		if err != nil {
			return nil, err
		}
		checks = append(checks, check)
	}
	return checks, nil
}

func checkInvariant(ctx context.Context, q querier, name, statement string) (*coupon.IntegrityCheck, error) {
	check := &coupon.IntegrityCheck{Name: name, Description: title(statement), Examples: []string{}}
	counted := fmt.Sprintf("-- %s\nWITH offender(name) AS (%s) SELECT count(*), (SELECT string_agg(name, chr(10)) FROM (FROM offender LIMIT %d)) FROM offender",
		title(statement), statement, maxExamples)
	_, err := collect(ctx, q, counted, func(rows *sql.Rows) (struct{}, error) {
		var examples *string
		err := rows.Scan(&check.Violations, &examples)
		if examples != nil {
			check.Examples = strings.Split(*examples, "\n")
		}
		return struct{}{}, err
	})
	return check, err
}

// checkPool compares the counts in memory, which availability is made of, with the rows.
func (t *tx) checkPool(ctx context.Context) (*coupon.IntegrityCheck, error) {
	check := &coupon.IntegrityCheck{
		Name:        "availability",
		Description: "P4: availability, which is kept in memory, is what the rows say; so are the numbers that come next",
		Examples:    []string{},
	}
	type place struct {
		coupon int64
		label  string
	}
	wanted := map[place]poolCounts{}
	_, err := collect(ctx, t, poolRecount, func(rows *sql.Rows) (struct{}, error) {
		var at place
		var c poolCounts
		err := rows.Scan(&at.coupon, &at.label, &c.total, &c.redeemed, &c.voided, &c.assigned)
		wanted[at] = c
		return struct{}{}, err
	})
	if err != nil {
		return check, err
	}
	next, err := nextOf(ctx, t)
	if err != nil {
		return check, err
	}
	p := t.store.pool
	p.mu.RLock()
	defer p.mu.RUnlock()
	if p.next.isBehind(next) {
		check.Violations++
		check.Examples = append(check.Examples, fmt.Sprintf("next numbers: %+v in memory, %+v by the rows", p.next, next))
	}
	for number, known := range p.coupons {
		for label, pool := range known.labels {
			at := place{number, label}
			if wanted[at] != pool.counts {
				check.Violations++
				check.Examples = append(check.Examples, fmt.Sprintf("coupon_%d %q: %+v in memory, %+v in the rows", number, label, pool.counts, wanted[at]))
			}
			delete(wanted, at)
		}
	}
	for at := range wanted {
		check.Violations++
		check.Examples = append(check.Examples, fmt.Sprintf("coupon_%d %q is not in memory", at.coupon, at.label))
	}
	check.Examples = check.Examples[:min(len(check.Examples), maxExamples)]
	return check, nil
}
