package db

import (
	"context"
	"database/sql"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"couponql/coupon"
)

// AnswerLifetime is how long an idempotency key counts, at least.
const AnswerLifetime = 48 * time.Hour

// loadPool reads all that the pool keeps.
func loadPool(ctx context.Context, s *Store) (*pool, error) {
	p := newPool()
	steps := []func(context.Context, *Store) error{
		p.loadCoupons, p.loadRuns, p.loadKeys, p.loadDeliveries, p.loadStates, p.loadRedemptions, p.loadHolds, p.loadNext,
	}
	for _, step := range steps {
		if err := step(ctx, s); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (p *pool) loadCoupons(ctx context.Context, s *Store) error {
	coupons, err := s.readCoupons(ctx, s, nil)
	if err != nil {
		return err
	}
	for _, c := range coupons {
		p.setCoupon(mustNumber(coupon.KindCoupon, c.ID), s.keys.Key(c.Code), c)
	}
	return nil
}

func (p *pool) loadRuns(ctx context.Context, s *Store) error {
	type counted struct {
		run
		count int64
	}
	runs, err := collect(ctx, s, poolRuns, func(rows *sql.Rows) (counted, error) {
		var r counted
		err := rows.Scan(&r.couponID, &r.label, &r.importID, &r.addedAt, &r.first, &r.last, &r.count)
		return r, err
	})
	if err != nil {
		return err
	}
	for _, r := range runs {
		p.addRun(&r.run)
		if gaps := r.last - r.first + 1 - r.count; gaps > 0 {
			// loadKeys clears the mark of those that are there.
			p.coupons[r.couponID].labels[r.label].counts.total -= int(gaps)
			for number := r.first; number <= r.last; number++ {
				p.state[number] = coupon.StateGone
			}
		}
	}
	p.keys.reserve(len(p.state))
	return nil
}

// loadKeys indexes the keys, on all cores: fetching and hashing takes longer than inserting.
func (p *pool) loadKeys(ctx context.Context, s *Store) error {
	last := int64(len(p.state) - 1)
	share := last/int64(runtime.NumCPU()) + 1
	var wait sync.WaitGroup
	var mu sync.Mutex
	var firstErr error
	for first := int64(1); first <= last; first += share {
		wait.Go(func() {
			if err := p.loadKeysBetween(ctx, s, first, min(last, first+share-1), &mu); err != nil {
				mu.Lock()
				firstErr = err
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	return firstErr
}

func (p *pool) loadKeysBetween(ctx context.Context, s *Store, first, last int64, mu *sync.Mutex) error {
	type entry struct {
		hash   uint32
		number int64
	}
	var entries []entry
	return eachPack(ctx, s, first, last, func(numbers func(i int) int64, keys string) {
		entries = entries[:0]
		for key := range strings.SplitSeq(keys, "\n") {
			entries = append(entries, entry{p.keys.hash(key), numbers(len(entries))})
		}
		mu.Lock()
		defer mu.Unlock()
		for _, e := range entries {
			p.keys.insert(e.hash, e.number)
			p.state[e.number] = 0
		}
	})
}

func (p *pool) loadDeliveries(ctx context.Context, s *Store) error {
	_, err := collect(ctx, s, poolDeliveries, func(rows *sql.Rows) (struct{}, error) {
		var number int64
		var d confirmed
		err := rows.Scan(&number, &d.channel, &d.at)
		p.deliveries[number] = &d
		return struct{}{}, err
	})
	return err
}

// loadStates replays what the rows say of each code, in the order of a life.
func (p *pool) loadStates(ctx context.Context, s *Store) error {
	type packed struct {
		delivery int64
		isSent   bool
		numbers  string
	}
	assigned, err := collect(ctx, s, poolAssigned, func(rows *sql.Rows) (packed, error) {
		var row packed
		err := rows.Scan(&row.delivery, &row.isSent, &row.numbers)
		return row, err
	})
	if err != nil {
		return err
	}
	for _, row := range assigned {
		flags := coupon.StateAssigned
		if row.isSent {
			flags |= coupon.StateSent
		}
		numbers, err := parseNumbers(row.numbers)
		if err != nil {
			return err
		}
		p.update(numbers, flags, 0)
		for _, number := range numbers {
			p.holders[number] = uint32(row.delivery)
		}
	}
	voided, err := collectNumbers(ctx, s, poolVoided)
	if err != nil {
		return err
	}
	p.update(voided, coupon.StateVoided, 0)
	return nil
}

func (p *pool) loadRedemptions(ctx context.Context, s *Store) error {
	type packed struct {
		times   int
		numbers string
	}
	redeemed, err := collect(ctx, s, poolRedeemed, func(rows *sql.Rows) (packed, error) {
		var row packed
		err := rows.Scan(&row.times, &row.numbers)
		return row, err
	})
	if err != nil {
		return err
	}
	for _, row := range redeemed {
		numbers, err := parseNumbers(row.numbers)
		if err != nil {
			return err
		}
		for _, number := range numbers {
			p.addRedemptions(number, row.times)
		}
	}
	type counted struct {
		couponID int64
		times    int
	}
	anonymous, err := collect(ctx, s, poolRedeemedAnonymous, func(rows *sql.Rows) (counted, error) {
		var row counted
		err := rows.Scan(&row.couponID, &row.times)
		return row, err
	})
	if err != nil {
		return err
	}
	for _, row := range anonymous {
		p.coupons[row.couponID].redeemed = row.times
	}
	type answer struct {
		key    string
		number int64
	}
	answers, err := collect(ctx, s, poolAnswers, func(rows *sql.Rows) (answer, error) {
		var row answer
		err := rows.Scan(&row.key, &row.number)
		return row, err
	}, named("since", s.now().Add(-AnswerLifetime)))
	if err != nil {
		return err
	}
	for _, row := range answers {
		p.answers[row.key] = row.number
	}
	return nil
}

func (p *pool) loadHolds(ctx context.Context, s *Store) error {
	type row struct {
		delivery, couponID int64
		label              *string
		count              int
		until              time.Time
	}
	holds, err := collect(ctx, s, poolHolds, func(rows *sql.Rows) (row, error) {
		var r row
		err := rows.Scan(&r.delivery, &r.couponID, &r.label, &r.count, &r.until)
		return r, err
	})
	if err != nil {
		return err
	}
	for _, r := range holds {
		h := p.holds[r.delivery]
		if h == nil {
			h = &hold{couponID: r.couponID, byLabel: r.label != nil, counts: map[string]int{}, until: r.until}
			p.holds[r.delivery] = h
		}
		label := ""
		if r.label != nil {
			label = *r.label
		}
		h.counts[label] = r.count
	}
	return nil
}

func (p *pool) loadNext(ctx context.Context, s *Store) error {
	next, err := collect(ctx, s, poolNext, func(rows *sql.Rows) (nextNumbers, error) {
		var n nextNumbers
		err := rows.Scan(&n.batch, &n.code, &n.recipient, &n.message, &n.redemption)
		return n, err
	})
	if err == nil {
		p.next = next[0]
	}
	return err
}

// collectNumbers runs a statement that gives numbers packed into texts, one a row.
func collectNumbers(ctx context.Context, q querier, statement string, args ...any) ([]int64, error) {
	packed, err := collect(ctx, q, statement, scanInto[string], args...)
	if err != nil {
		return nil, err
	}
	var numbers []int64
	for _, text := range packed {
		part, err := parseNumbers(text)
		if err != nil {
			return nil, err
		}
		numbers = append(numbers, part...)
	}
	return numbers, nil
}

// parseNumbers reads numbers that a statement packed into a text; "" gives nil.
func parseNumbers(packed string) ([]int64, error) {
	if packed == "" {
		return nil, nil
	}
	numbers := make([]int64, 0, strings.Count(packed, " ")+1)
	for text := range strings.SplitSeq(packed, " ") {
		number, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("read packed numbers: %w", err)
		}
		numbers = append(numbers, number)
	}
	return numbers, nil
}
