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

// The goals of redeemCode over HTTP while a file of any kind is imported, in milliseconds.
const (
	maxBeside        = 50
	maxBesideLongest = 250
	// besideTills is how many tills redeem meanwhile.
	besideTills = 8
	// minBeside lets a file be there for a moment.
	minBeside = 1000
)

// besideImports imports files of every kind and mode while tills redeem.
type besideImports struct {
	*bench

	folder string
	// rows is how many rows each file has.
	rows int
	// next is the number in appendCode of the first code that was not used yet.
	next int
}

// besideMode is a kind of import in one of its modes. prepare makes what it is about and gives what is measured.
type besideMode struct {
	name    string
	prepare func(context.Context) (run func() error, err error)
}

func (i *besideImports) modes() []besideMode {
	return []besideMode{
		{"add", i.addCodes},
		{"replace", i.replace},
		{"void", i.void},
		{"undo", i.undo},
		{"recipients", func(ctx context.Context) (func() error, error) { return i.recipients(ctx, "new") }},
		{"known-recipients", i.knownRecipients},
		{"targets", i.targets},
		{"redemptions", i.redemptions},
		{"one-code", i.redemptionsOfOne},
	}
}

// besideModeNames are what --modes takes.
func besideModeNames() []string {
	var names []string
	for _, mode := range new(besideImports).modes() {
		names = append(names, mode.name)
	}
	return names
}

// measureBeside tells what tills see of imports. The database is its own.
func (b *bench) measureBeside(ctx context.Context) error {
	if b.options.beside == 0 {
		return nil
	}
	i := &besideImports{bench: b, folder: b.file("beside"), rows: b.options.beside}
	b.path = filepath.Join(i.folder, "couponql.duckdb")
	if err := os.Mkdir(i.folder, 0o700); err != nil {
		return fmt.Errorf("make the server's folder: %w", err)
	}
	var err error
	if b.server, err = newServer(ctx, b.path, b.clock, b.log); err != nil {
		return err
	}
	if err := b.server.startJobs(); err != nil { //nolint:contextcheck // jobs run until they are stopped
		return err
	}
	if err := i.newShared(ctx, "TILL"); err != nil {
		return err
	}
	if err := i.during(ctx, "nothing", func() error {
		time.Sleep(redeemTime)
		return nil
	}); err != nil {
		return err
	}
	for _, mode := range i.modes() {
		if b.options.modes != "" && !strings.Contains(","+b.options.modes+",", ","+mode.name+",") {
			continue
		}
		run, err := mode.prepare(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", mode.name, err)
		}
		if err := i.during(ctx, fmt.Sprintf("%s of %s rows", mode.name, count(i.rows)), run); err != nil {
			return fmt.Errorf("%s: %w", mode.name, err)
		}
	}
	err = b.server.close()
	b.server = nil
	return err
}

// during has tills redeem over HTTP while something runs.
func (i *besideImports) during(ctx context.Context, what string, do func() error) error {
	var l load
	var isOver atomic.Bool
	var wait sync.WaitGroup
	var redeemErr error
	wait.Go(func() {
		for !isOver.Load() && redeemErr == nil {
			redeemErr = l.call(besideTills, func() (bool, error) {
				return !isOver.Load(), i.redeem(ctx, []any{nil, "TILL"})
			})
		}
	})
	elapsed, err := timed(do)
	isOver.Store(true)
	wait.Wait()
	if err := errors.Join(err, redeemErr); err != nil {
		return err
	}
	i.add(newResult(what+" while tills redeem over HTTP", "s", elapsed.Seconds(), 0, goal{}))
	i.add(newResult(fmt.Sprintf("  redeemCode, %d at once, p50", besideTills), "ms", milliseconds(median(l.times)), 0, goal{}))
	i.add(newResult("  p99", "ms", milliseconds(quantile(l.times, 0.99)), 0, goal{most: maxBeside}))
	i.add(newResult("  the longest", "ms", milliseconds(quantile(l.times, 1)), 0, goal{most: maxBesideLongest}))
	return nil
}

// newShared makes a coupon whose own code everybody may redeem.
func (i *besideImports) newShared(ctx context.Context, code string) error {
	return i.server.ask(ctx, "mutation($input: CreateCouponInput!) { createCoupon(input: $input) { coupon { id } userErrors { message } } }",
		input(variables{"label": code, "type": "ANONYMOUS", "code": code, "startsAt": "2020-01-01"}), nil)
}

// writeCodes writes a file of codes that are not in the database, with what follows each.
func (i *besideImports) writeCodes(columns, rest string) (path string, err error) {
	first := i.next
	i.next += i.rows
	return i.write(columns, func(line []byte, row int) []byte { return append(appendCode(line, first+row), rest+"\n"...) })
}

func (i *besideImports) write(columns string, row func(line []byte, i int) []byte) (path string, err error) {
	path = filepath.Join(i.folder, "file.csv")
	return path, writeFile(path, columns, i.rows, row)
}

// pool makes a coupon with as many codes as a file has rows, and leaves the file.
func (i *besideImports) pool(ctx context.Context) (couponID, importID, path string, err error) {
	if couponID, err = i.newCoupon(ctx, "Beside", false); err != nil {
		return "", "", "", err
	}
	if path, err = i.writeCodes("code", ""); err != nil {
		return "", "", "", err
	}
	importID, err = i.server.importPart(ctx, "importCodes", variables{"couponId": couponID}, path, i.rows)
	return couponID, importID, path, err
}

// importing returns the import of a file, all of whose rows are good.
func (i *besideImports) importing(ctx context.Context, mutation string, fields variables, path string) func() error {
	return func() error { return i.server.importFile(ctx, mutation, fields, path, i.rows) }
}

func (i *besideImports) addCodes(ctx context.Context) (func() error, error) {
	couponID, err := i.newCoupon(ctx, "Beside", false)
	if err != nil {
		return nil, err
	}
	path, err := i.writeCodes("code", "")
	return i.importing(ctx, "importCodes", variables{"couponId": couponID}, path), err
}

func (i *besideImports) replace(ctx context.Context) (func() error, error) {
	couponID, _, _, err := i.pool(ctx)
	if err != nil {
		return nil, err
	}
	path, err := i.writeCodes("code", "")
	return i.importing(ctx, "importCodes", variables{"couponId": couponID, "mode": "REPLACE_UNUSED"}, path), err
}

func (i *besideImports) void(ctx context.Context) (func() error, error) {
	couponID, _, path, err := i.pool(ctx)
	return i.importing(ctx, "importCodes", variables{"couponId": couponID, "mode": "VOID"}, path), err
}

func (i *besideImports) undo(ctx context.Context) (func() error, error) {
	_, importID, _, err := i.pool(ctx)
	return func() error {
		return i.server.ask(ctx, "mutation($id: ID!) { undoImport(input: {id: $id}) { removedCount userErrors { message } } }", variables{"id": importID}, nil)
	}, err
}

func (i *besideImports) recipients(ctx context.Context, name string) (func() error, error) {
	path, err := i.write("external id,email,first name", func(line []byte, row int) []byte {
		return fmt.Appendf(line, "c-%d,%s.%d@example.com,Ada\n", row, name, row)
	})
	return i.importing(ctx, "importRecipients", variables{}, path), err
}

func (i *besideImports) knownRecipients(ctx context.Context) (func() error, error) {
	first, err := i.recipients(ctx, "old")
	if err != nil {
		return nil, err
	}
	if err := first(); err != nil {
		return nil, err
	}
	return i.recipients(ctx, "known")
}

func (i *besideImports) targets(ctx context.Context) (func() error, error) {
	first, err := i.recipients(ctx, "target")
	if err != nil {
		return nil, err
	}
	if err := first(); err != nil {
		return nil, err
	}
	var answer struct {
		Created struct{ Delivery struct{ ID string } }
	}
	err = i.server.ask(ctx, "mutation($input: CreateDeliveryInput!) { created: createDelivery(input: $input) { delivery { id } userErrors { message } } }",
		input(variables{"label": "Beside", "subject": "x", "body": "x"}), &answer)
	if err != nil {
		return nil, err
	}
	path, err := i.write("external id", func(line []byte, row int) []byte { return fmt.Appendf(line, "c-%d\n", row) })
	return i.importing(ctx, "importTargets", variables{"deliveryId": answer.Created.Delivery.ID}, path), err
}

func (i *besideImports) redemptions(ctx context.Context) (func() error, error) {
	if _, _, _, err := i.pool(ctx); err != nil {
		return nil, err
	}
	i.next -= i.rows
	path, err := i.writeCodes("code,redeemed on", ",2026-03-01")
	return i.importing(ctx, "importRedemptions", variables{}, path), err
}

func (i *besideImports) redemptionsOfOne(ctx context.Context) (func() error, error) {
	if err := i.newShared(ctx, "SHARED"); err != nil {
		return nil, err
	}
	path, err := i.write("code,redeemed on,order", func(line []byte, row int) []byte { return fmt.Appendf(line, "SHARED,2026-03-01,o%d\n", row) })
	return i.importing(ctx, "importRedemptions", variables{}, path), err
}
