package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"
)

// The goals of imports: a ratio to the raw SQL.
const maxImportRatio = 3

// newCoupon creates a coupon with a pool that is empty, whose codes can be redeemed only when assigned, or all.
func (b *bench) newCoupon(ctx context.Context, label string, requiresAssignment bool) (string, error) {
	var answer struct {
		Created struct{ Coupon struct{ ID string } }
	}
	err := b.server.ask(ctx, "mutation($input: CreateCouponInput!) { created: createCoupon(input: $input) { coupon { id } userErrors { message } } }",
		input(variables{"label": label, "type": "INDIVIDUAL", "startsAt": "2020-01-01", "requiresAssignment": requiresAssignment}), &answer)
	return answer.Created.Coupon.ID, err
}

// measureCodeImport imports the codes into empty databases, ours and raw in turns, and keeps the last of
// ours. The first import is also the one whose memory is measured: later ones find memory that the process
// did not give back.
func (b *bench) measureCodeImport(ctx context.Context) error {
	var ours, raw []time.Duration
	var peak int64
	name := fmt.Sprintf("import %s codes over HTTP", count(b.options.codes))
	for i := range b.options.runs {
		if b.server != nil {
			err := b.server.close()
			b.server = nil
			if err != nil {
				return err
			}
		}
		folder := b.file(fmt.Sprintf("server-%d", i))
		if err := os.Mkdir(folder, 0o700); err != nil {
			return fmt.Errorf("make the server's folder: %w", err)
		}
		b.path = filepath.Join(folder, "couponql.duckdb")
		var err error
		if b.server, err = newServer(ctx, b.path, b.clock, b.log); err != nil {
			return err
		}
		if err := b.server.startJobs(); err != nil { //nolint:contextcheck // jobs run until they are stopped
			return err
		}
		if b.couponID, err = b.newCoupon(ctx, "Imported", true); err != nil {
			return err
		}
		debug.FreeOSMemory()
		resetPeak()
		var elapsed time.Duration
		err = b.profiled(name, func() error {
			elapsed, err = timed(func() error {
				return b.server.importFile(ctx, "importCodes", variables{"couponId": b.couponID}, b.file(codesFile), b.options.codes)
			})
			return err
		})
		if err != nil {
			return err
		}
		if i == 0 {
			peak = peakMemory()
		}
		ours = append(ours, elapsed)
		if elapsed, err = b.importRaw(ctx, b.file(fmt.Sprintf("raw-%d.duckdb", i))); err != nil {
			return fmt.Errorf("raw import: %w", err)
		}
		raw = append(raw, elapsed)
	}
	b.add(newResult(name, "s", median(ours).Seconds(), median(raw).Seconds(), goal{mostRatio: maxImportRatio}))
	b.add(newResult("memory of the import, peak of the process", "MB", float64(peak)/(1<<20), 0, goal{}))
	return nil
}

// importRaw imports the codes into a new file.
func (b *bench) importRaw(ctx context.Context, path string) (time.Duration, error) {
	r, err := openRaw(ctx, path)
	if err != nil {
		return 0, err
	}
	defer r.close() //nolint:errcheck // the file is not used again
	if err := r.createCodes(ctx); err != nil {
		return 0, err
	}
	elapsed, err := timed(func() error { return r.importCodes(ctx, b.file(codesFile), 1) })
	if err != nil {
		return 0, err
	}
	return elapsed, r.expectCodes(ctx, b.options.codes)
}

// createCodes makes the table that importCodes writes to.
func (r *rawDB) createCodes(ctx context.Context) error {
	return r.run(ctx, "CREATE TABLE codes (id BIGINT, coupon_id BIGINT, code VARCHAR, label VARCHAR)")
}

// importCodes imports a file with the SQL that won the project's measurements of storage: stage, validate,
// find duplicates in the file and in the table, insert in order. The codes are numbered from first. What was
// rejected is in the table rej until dropStage.
func (r *rawDB) importCodes(ctx context.Context, path string, first int) error {
	if err := r.run(ctx, "BEGIN"); err != nil {
		return err
	}
	err := r.exec(ctx, `CREATE TEMP TABLE stage AS
SELECT row_number() OVER () line, code, label,
    CASE WHEN code IS NULL OR length(code) NOT BETWEEN 6 AND 64 THEN 1::UTINYINT
         WHEN NOT regexp_full_match(code, '[A-Za-z0-9_-]+') THEN 2 ELSE 0 END bad
FROM read_csv(?, header = true, auto_detect = false, delim = ',', quote = '"',
    columns = {'code': 'VARCHAR', 'label': 'VARCHAR'})`, path)
	if err != nil {
		return err
	}
	return r.run(ctx,
		"CREATE TEMP TABLE rej AS SELECT line, code, bad reason FROM stage WHERE bad <> 0",
		`INSERT INTO rej SELECT s.line, s.code, 3
FROM stage s JOIN (SELECT code, min(line) keep FROM stage WHERE bad = 0 GROUP BY code HAVING count(*) > 1) d USING (code)
WHERE s.bad = 0 AND s.line <> d.keep`,
		`INSERT INTO rej SELECT s.line, s.code, 4
FROM stage s SEMI JOIN codes c ON c.code = s.code WHERE s.bad = 0 AND s.line NOT IN (SELECT line FROM rej)`,
		fmt.Sprintf(`INSERT INTO codes SELECT %d + row_number() OVER (ORDER BY s.code) - 1, 1, s.code, s.label
FROM stage s ANTI JOIN rej r ON r.line = s.line ORDER BY s.code`, first),
		"COMMIT")
}

// dropStage makes room for the next importCodes.
func (r *rawDB) dropStage(ctx context.Context) error {
	return r.run(ctx, "DROP TABLE stage", "DROP TABLE rej")
}

func (r *rawDB) expectCodes(ctx context.Context, want int) error {
	rows, err := r.read(ctx, "SELECT count(*) FROM codes")
	if err == nil && rows[0][0] != int64(want) {
		err = fmt.Errorf("%v rows instead of %d", rows[0][0], want)
	}
	return err
}

// measureRecipientImport imports those whom the deliveries are for, once, and makes the copy on which the
// raw side goes on.
func (b *bench) measureRecipientImport(ctx context.Context) error {
	ours, err := timed(func() error {
		return b.server.importFile(ctx, "importRecipients", variables{}, b.file(recipientsFile), b.options.messages)
	})
	if err != nil {
		return err
	}
	if err := b.copyDatabase(ctx, "raw-delivery.duckdb"); err != nil {
		return err
	}
	raw, err := timed(func() error {
		return b.raw.exec(ctx, `CREATE TABLE raw_recipient AS
SELECT row_number() OVER () AS id, "external id", email, phone, "first name", "last name", json_object('sport', sport) AS attributes
FROM read_csv(?, header = true, all_varchar = true)
QUALIFY row_number() OVER (PARTITION BY "external id") = 1`, b.file(recipientsFile))
	})
	if err != nil {
		return err
	}
	b.add(newResult(fmt.Sprintf("import %s recipients over HTTP", count(b.options.messages)), "s", ours.Seconds(), raw.Seconds(), goal{}))
	return nil
}

// count returns a number as people write it.
func count(n int) string {
	text := fmt.Sprint(n)
	for place := len(text) - 3; place > 0; place -= 3 {
		text = text[:place] + "," + text[place:]
	}
	return text
}
