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

	"couponql/background"
	"couponql/coupon"
)

// loadPool reads all that the pool keeps.
func loadPool(ctx context.Context, s *Store) (*pool, error) {
	p := newPool()
	var err error
	if p.recent, err = newRecent(); err != nil {
		return nil, err
	}
	steps := []func(context.Context, *Store) error{
		p.loadNext, p.loadCoupons, p.loadRuns, p.loadKeys, p.loadDeliveries, p.loadStates, p.loadRedemptions, p.loadHolds,
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
	count := 0
	for _, r := range runs {
		p.addRun(&r.run)
		count += int(r.count)
		if gaps := r.last - r.first + 1 - r.count; gaps > 0 {
			// loadKeys clears the mark of those that are there.
			p.coupons[r.couponID].labels[r.label].counts.total -= int(gaps)
			for number := r.first; number <= r.last; number++ {
				p.codes.setState(number, coupon.StateGone)
			}
		}
	}
	unshared := func() {}
	p.keys.reserve(count, unshared, unshared)
	return nil
}

// loadKeys indexes the keys, on all cores: hashing them takes as long as fetching them.
func (p *pool) loadKeys(ctx context.Context, s *Store) error {
	last := p.next.code - 1
	cores := runtime.GOMAXPROCS(0)
	share := last/int64(cores) + 1
	var parts background.Group
	var locks [keyShards]sync.Mutex
	for i := range cores {
		first := 1 + int64(i)*share
		parts.Go(func() error { return p.loadKeysBetween(ctx, s, first, min(last, first+share-1), &locks) })
	}
	return parts.Wait()
}

func (p *pool) loadKeysBetween(ctx context.Context, s *Store, first, last int64, locks *[keyShards]sync.Mutex) error {
	keys := &keyBatch{}
	return eachKeys(ctx, s, first, last, func(packs []keyPack) {
		for _, pack := range packs {
			pack.each(func(number int64, key string, isRespelled bool) {
				hash, bits := p.keys.hash(key)
				keys.add(hash, number)
				p.codes.setPrint(number, newPrint(bits, isRespelled))
				p.codes.setState(number, 0)
			})
		}
		p.keys.insertBatch(keys, func(shard int) { locks[shard].Lock() }, func(shard int) { locks[shard].Unlock() })
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
			p.codes.setHolder(number, row.delivery)
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
	now := s.now()
	_, err = collect(ctx, s, poolAnswers, func(rows *sql.Rows) (struct{}, error) {
		var key string
		var number int64
		err := rows.Scan(&key, &number)
		p.answers.add(key, number, s.Steady())
		return struct{}{}, err
	}, named("since", now.Add(-AnswerLifetime)))
	return err
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
	next, err := nextOf(ctx, s)
	p.next = next
	p.recorded.add(1, p.next.redemption-1)
	return err
}

// nextOf gives the numbers that come after those of the rows.
func nextOf(ctx context.Context, q querier) (nextNumbers, error) {
	next, err := collect(ctx, q, poolNext, func(rows *sql.Rows) (nextNumbers, error) {
		var n nextNumbers
		err := rows.Scan(&n.batch, &n.code, &n.recipient, &n.message, &n.redemption)
		return n, err
	})
	if err != nil {
		return nextNumbers{}, err
	}
	return next[0], nil
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
