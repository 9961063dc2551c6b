package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"couponql/coupon"
)

// The goals of redeeming online, with tillCodes codes and on two processors.
const (
	// maxOne is the promised p50 of a single caller at the storage layer, and maxMany the p99 of
	// many, in milliseconds.
	maxOne, maxMany = 0.8, 8
	// maxMeanwhile is the promised p99 of many while a large import or delivery runs, in
	// milliseconds.
	maxMeanwhile = 50
	// leastHTTP is the promised rate of many callers over HTTP, and maxHTTP their p99, in
	// milliseconds.
	leastHTTP, maxHTTP = 8000, 30
	// maxLookup is the promised p50 of finding a code by its value at the storage layer, in
	// milliseconds.
	maxLookup = 0.3
	// maxPerCode is the promised memory of a code, in bytes.
	maxPerCode = 24
	tillCodes  = 10_000_000
	// maxTillStart and maxLargeStart are the promised times of a start with tillCodes and
	// largeTillCodes codes, in seconds.
	maxTillStart, maxLargeStart = 3, 12
	largeTillCodes              = 50_000_000
)

// tills redeem codes of one pool, each once, in the order of their numbers in appendCode.
type tills struct {
	*bench

	// next is the number of the next code, and end that of the first one that is for others.
	next atomic.Int64
	end  int
	// rates are the redemptions a second at the storage layer, by the number of callers.
	rates map[int]float64
	// httpRate is that of maxCallers over HTTP.
	httpRate float64
}

// tillShares is into how many shares the pool is divided: each measurement has one.
const tillShares = 8

// share begins with the next share of the codes.
func (t *tills) share() {
	t.next.Store(int64(t.end))
	t.end += t.options.tills / tillShares
}

// take returns a code of the share that nobody has redeemed yet, while there are any.
func (t *tills) take() (code string, more bool) {
	number := int(t.next.Add(1)) - 1
	return string(appendCode(nil, number)), number < t.end
}

// measureTills redeems codes of a large pool: at the storage layer, over HTTP, and while codes are
// imported and a delivery is confirmed. The database is its own.
func (b *bench) measureTills(ctx context.Context) error {
	size := b.options.tills
	if size == 0 {
		return nil
	}
	folder, err := os.MkdirTemp(b.folder, "tills-*")
	if err != nil {
		return fmt.Errorf("make the server's folder: %w", err)
	}
	b.path = filepath.Join(folder, "couponql.duckdb")
	first, second := filepath.Join(folder, "first.csv"), filepath.Join(folder, "second.csv")
	code := func(from int) func(line []byte, i int) []byte {
		return func(line []byte, i int) []byte { return append(appendCode(line, from+i), '\n') }
	}
	if err := errors.Join(writeFile(first, "code", size, code(0)),
		writeFile(second, "code", size/2, code(size))); err != nil {
		return err
	}
	if err := b.importFirst(ctx, first, size); err != nil {
		return err
	}
	if err := b.measureTillStart(ctx); err != nil {
		return err
	}
	t := &tills{bench: b, rates: map[int]float64{}}
	steps := []func(context.Context) error{
		t.measureLookup, t.measureCallers, t.measureHTTP, t.measureClaims, t.measureBatch,
		func(ctx context.Context) error { return t.measureMeanwhile(ctx, second) },
	}
	if b.options.peers {
		steps = append(steps, func(ctx context.Context) error { return t.measurePeer(ctx, first) })
	}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return err
		}
	}
	err = b.server.close()
	b.server = nil
	return err
}

func (b *bench) measureTillStart(ctx context.Context) error {
	size := b.options.tills
	if err := b.server.close(); err != nil {
		return err
	}
	b.server = nil
	var took []time.Duration
	var heap float64
	name := fmt.Sprintf("start with %s codes in one pool", count(size))
	err := b.profiled(name, func() error {
		for range b.options.runs {
			elapsed, bytes, err := b.openStore(ctx)
			if err != nil {
				return err
			}
			took, heap = append(took, elapsed), bytes
		}
		return nil
	})
	if err != nil {
		return err
	}
	var start, memory goal
	switch size {
	case tillCodes:
		start.most, memory.most = maxTillStart, maxPerCode
	case largeTillCodes:
		start.most, memory.most = maxLargeStart, maxPerCode
	}
	b.add(newResult(name, "s", median(took).Seconds(), 0, start))
	b.add(newResult("  memory for a code", "B", heap/float64(size), 0, memory))
	if b.server, err = newServer(ctx, b.path, b.clock, b.log); err != nil {
		return err
	}
	return b.server.startJobs() //nolint:contextcheck // jobs run until they are stopped
}

// measureLookup finds codes by their value at the storage layer.
func (t *tills) measureLookup(ctx context.Context) error {
	const calls = 1000
	step := max(1, t.options.tills/calls)
	times, err := turn(0, min(calls, t.options.tills/2), func(i int) error {
		code, err := t.server.store.CodeByValue(ctx,
			string(appendCode(nil, i*step%t.options.tills)), coupon.AnyState)
		if err == nil && code == nil {
			err = fmt.Errorf("code %d is not found", i*step)
		}
		return err
	})
	if err != nil {
		return err
	}
	t.add(newResult("code(value) at the storage layer, p50", "ms", milliseconds(median(times)), 0,
		goal{most: maxLookup}))
	t.add(newResult("  p99", "ms", milliseconds(quantile(times, 0.99)), 0, goal{}))
	return nil
}

// redeemInStore redeems one code at the storage layer.
func (t *tills) redeemInStore(ctx context.Context) (more bool, err error) {
	value, more := t.take()
	if !more {
		return false, nil
	}
	_, err = t.server.store.Redeem(ctx,
		&coupon.RedeemRequest{Value: value, Reference: new("till 1")})
	return true, err
}

// redeemOverHTTP redeems one code as a shop does.
func (t *tills) redeemOverHTTP(ctx context.Context) (more bool, err error) {
	value, more := t.take()
	if !more {
		return false, nil
	}
	return true, t.redeem(ctx, []any{nil, value})
}

// measureCallers redeems at the storage layer, each redemption on disk before its caller knows of
// it.
func (t *tills) measureCallers(ctx context.Context) error {
	for _, callers := range []int{1, 8, maxCallers} {
		var l load
		t.share()
		name := fmt.Sprintf("redeem at the storage layer, %d at once", callers)
		err := t.profiled(name, func() error {
			for range t.options.runs {
				if err := l.call(callers,
					func() (bool, error) { return t.redeemInStore(ctx) }); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		t.rates[callers] = l.rate()
		var p50, p99 goal
		switch callers {
		case 1:
			p50.most = maxOne
		case maxCallers:
			p99.most = maxMany
		}
		t.add(newResult(name, "/s", l.rate(), 0, goal{}))
		t.addTimes(&l, p50, p99)
	}
	return nil
}

func (t *tills) addTimes(l *load, p50, p99 goal) {
	t.add(newResult("  p50", "ms", milliseconds(median(l.times)), 0, p50))
	t.add(newResult("  p99", "ms", milliseconds(quantile(l.times, 0.99)), 0, p99))
	t.add(newResult("  the longest", "ms", milliseconds(quantile(l.times, 1)), 0, goal{}))
}

// measureHTTP redeems over HTTP and GraphQL.
func (t *tills) measureHTTP(ctx context.Context) error {
	var l load
	t.share()
	name := fmt.Sprintf("redeemCode over HTTP, %d at once", maxCallers)
	err := t.profiled(name, func() error {
		for range t.options.runs {
			if err := l.call(maxCallers,
				func() (bool, error) { return t.redeemOverHTTP(ctx) }); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	t.httpRate = l.rate()
	t.add(newResult(name, "/s", l.rate(), 0, goal{least: leastHTTP}))
	t.addTimes(&l, goal{}, goal{most: maxHTTP})
	return nil
}

// measureBatch redeems many codes in one request.
func (t *tills) measureBatch(ctx context.Context) error {
	t.share()
	number := min(coupon.MaxRedemptions, t.options.tills/tillShares/t.options.runs)
	var rates []float64
	for range t.options.runs {
		redemptions := make([]variables, number)
		for i := range redemptions {
			value, _ := t.take()
			redemptions[i] = variables{"value": value}
		}
		var answer struct{ RedeemCodes struct{ RedeemedCount int } }
		elapsed, err := timed(func() error {
			return t.server.ask(ctx, `mutation($input: RedeemCodesInput!) { redeemCodes(input: $input) {
				redeemedCount results { redemption { id } userErrors { code } } } }`,
				input(variables{"redemptions": redemptions}), &answer)
		})
		if err == nil && answer.RedeemCodes.RedeemedCount != number {
			err = fmt.Errorf("%d of %d were redeemed", answer.RedeemCodes.RedeemedCount, number)
		}
		if err != nil {
			return fmt.Errorf("redeemCodes: %w", err)
		}
		rates = append(rates, float64(number)/elapsed.Seconds())
	}
	t.add(newResult(fmt.Sprintf("redeemCodes over HTTP, %s at once", count(number)), "/s",
		(&load{rates: rates}).rate(), 0, goal{}))
	return nil
}

// measureMeanwhile redeems at the storage layer while a file of half as many codes is imported, and
// while a delivery with a tenth as many messages is confirmed.
func (t *tills) measureMeanwhile(ctx context.Context, file string) error {
	size := t.options.tills
	other, err := t.newCoupon(ctx, "Import", false)
	if err != nil {
		return err
	}
	err = t.during(ctx, fmt.Sprintf("import of %s codes", count(size/2)), func() error {
		return t.server.importFile(ctx, "importCodes", variables{"couponId": other}, file, size/2)
	})
	if err != nil {
		return err
	}
	messages := size / 10
	recipients := filepath.Join(filepath.Dir(t.path), "recipients.csv")
	err = writeFile(recipients, "external id,email", messages, func(line []byte, i int) []byte {
		return fmt.Appendf(line, "c-%d,customer.%d@example.com\n", i, i)
	})
	if err != nil {
		return err
	}
	if err := t.server.importFile(ctx, "importRecipients", variables{}, recipients,
		messages); err != nil {
		return err
	}
	kind := &deliveryKind{name: "tills", channel: "EMAIL"}
	c, err := t.prepare(ctx, kind, other, messages)
	if err != nil {
		return err
	}
	t.server.stopJobs()
	err = t.during(ctx, fmt.Sprintf("analysis of %s messages", count(messages)),
		func() error { return t.analyze(ctx, c) })
	if err != nil {
		return err
	}
	return t.during(ctx, fmt.Sprintf("confirmation of %s messages", count(messages)),
		func() error { return t.confirm(ctx, c) })
}

// during has tills redeem while something runs, and tells how long that took and what the tills
// saw.
func (t *tills) during(ctx context.Context, what string, do func() error) error {
	var l load
	t.share()
	var isOver atomic.Bool
	var wait sync.WaitGroup
	var redeemErr error
	wait.Go(func() {
		for !isOver.Load() && redeemErr == nil && int(t.next.Load()) < t.end {
			redeemErr = l.call(maxCallers, func() (bool, error) {
				if isOver.Load() {
					return false, nil
				}
				return t.redeemInStore(ctx)
			})
		}
	})
	var elapsed time.Duration
	err := t.profiled(what, func() (err error) {
		elapsed, err = timed(do)
		return err
	})
	isOver.Store(true)
	wait.Wait()
	if err := errors.Join(err, redeemErr); err != nil {
		return fmt.Errorf("redeem during the %s: %w", what, err)
	}
	t.add(newResult(what+" while tills redeem", "s", elapsed.Seconds(), 0, goal{}))
	t.add(newResult(fmt.Sprintf("  redeem at the storage layer meanwhile, %d at once", maxCallers),
		"/s", float64(len(l.times))/elapsed.Seconds(), 0, goal{}))
	t.addTimes(&l, goal{}, goal{most: maxMeanwhile})
	return nil
}

// measurePeer has PostgreSQL redeem single codes of as large a pool by as many callers.
func (t *tills) measurePeer(ctx context.Context, file string) (err error) {
	p, err := startPostgres(ctx, t.file("postgres-tills"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	if err := p.run(ctx, "postgres", "CREATE DATABASE "+peerBase); err != nil {
		return fmt.Errorf("PostgreSQL: %w", err)
	}
	if err := p.run(ctx, peerBase, fmt.Sprintf(`CREATE TABLE code (id BIGINT GENERATED BY DEFAULT AS IDENTITY, code TEXT NOT NULL, redeemed_at TIMESTAMP);
\copy code (code) FROM '%s' (FORMAT csv, HEADER)
CREATE UNIQUE INDEX code_code ON code (code);
ALTER TABLE code ADD PRIMARY KEY (id);
VACUUM ANALYZE code;
CHECKPOINT;`, file)); err != nil {
		return fmt.Errorf("PostgreSQL: %w", err)
	}
	script := filepath.Join(t.folder, "redeem-tills.sql")
	if err := os.WriteFile(script, fmt.Appendf(nil, peerRedemption, t.options.tills),
		0o600); err != nil {
		return fmt.Errorf("write a script: %w", err)
	}
	for _, callers := range []int{1, 8, maxCallers} {
		var peer load
		for range t.options.runs {
			rate, err := p.transactions(ctx, peerBase, script, callers)
			if err != nil {
				return fmt.Errorf("PostgreSQL: redeem: %w", err)
			}
			peer.rates = append(peer.rates, rate)
		}
		least := 0.0
		if callers == maxCallers {
			least = leastRedeemed
		}
		t.add(newPeerResult(fmt.Sprintf("redeem one of %s codes at the storage layer, %d at once",
			count(t.options.tills), callers), "/s",
			t.rates[callers], peer.rate(), least))
	}
	return nil
}
