package db

import (
	"context"
	"database/sql"
	"runtime"

	"couponql/background"
	"couponql/coupon"
	"couponql/db/duckdb"
	"couponql/db/duckdb/memory"
)

// loadMemory fills the memory from the rows.
func (s *Store) loadMemory(ctx context.Context) error {
	return s.memory.Load(func(l *memory.Loader) error {
		for _, load := range []func(context.Context, *memory.Loader) error{
			s.loadNext, s.loadCoupons, s.loadRuns, s.indexKeys, s.loadDeliveries, s.loadStates,
			s.loadClaims,
			s.loadRedemptions, s.loadAnswers, s.loadHolds,
		} {
			if err := load(ctx, l); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Store) loadNext(ctx context.Context, l *memory.Loader) error {
	next, err := nextOf(ctx, s.engine)
	l.SetNumbers(next)
	return err
}

func (s *Store) loadCoupons(ctx context.Context, l *memory.Loader) error {
	coupons, err := s.readCoupons(ctx, s.engine, nil)
	if err != nil {
		return err
	}
	for _, c := range coupons {
		l.SetCoupon(coupon.MustNumber(coupon.KindCoupon, c.ID), s.keys.Key(c.Code), c)
	}
	return nil
}

func (s *Store) loadRuns(ctx context.Context, l *memory.Loader) error {
	type counted struct {
		memory.Run
		count int64
	}
	runs, err := duckdb.Collect(ctx, s.engine, poolRuns, func(rows *sql.Rows) (*counted, error) {
		var r counted
		err := rows.Scan(&r.BatchID, &r.CouponID, &r.Label, &r.ImportID, &r.AddedAt, &r.First,
			&r.Last, &r.count)
		return &r, err
	})
	if err != nil {
		return err
	}
	count := 0
	for _, r := range runs {
		l.AddRun(&r.Run, r.count)
		count += int(r.count)
	}
	l.Reserve(count)
	return nil
}

// indexKeys indexes the keys of the codes, on all cores: hashing them takes as long as fetching
// them.
func (s *Store) indexKeys(ctx context.Context, l *memory.Loader) error {
	last := l.NextCode() - 1
	cores := runtime.GOMAXPROCS(0)
	share := last/int64(cores) + 1
	var parts background.Group
	for i := range cores {
		first := 1 + int64(i)*share
		parts.Go(func() error {
			batch := l.NewBatch()
			return eachKeys(ctx, s.engine, first, min(last, first+share-1), func(packs []keyPack) {
				for _, pack := range packs {
					pack.each(batch.Put)
				}
				batch.Insert()
			})
		})
	}
	return parts.Wait()
}

func (s *Store) loadDeliveries(ctx context.Context, l *memory.Loader) error {
	err := duckdb.Each(ctx, s.engine, poolDeliveries, func(rows *sql.Rows) error {
		var number int64
		var how memory.Confirmed
		err := rows.Scan(&number, &how.Channel, &how.At)
		l.Confirm(number, how)
		return err
	})
	return err
}

// loadStates replays what the rows say of each code, in the order of a life.
func (s *Store) loadStates(ctx context.Context, l *memory.Loader) error {
	type packed struct {
		delivery int64
		isSent   bool
		numbers  string
	}
	assigned, err := duckdb.Collect(ctx, s.engine, poolAssigned,
		func(rows *sql.Rows) (packed, error) {
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
		l.Update(numbers, flags, 0)
		l.SetHolder(numbers, row.delivery)
	}
	voided, err := collectNumbers(ctx, s.engine, poolVoided)
	if err != nil {
		return err
	}
	l.Update(voided, coupon.StateVoided, 0)
	return nil
}

func (s *Store) loadRedemptions(ctx context.Context, l *memory.Loader) error {
	type packed struct {
		times   int
		numbers string
	}
	redeemed, err := duckdb.Collect(ctx, s.engine, poolRedeemed,
		func(rows *sql.Rows) (packed, error) {
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
			l.CountRedemptions(0, number, row.times)
		}
	}
	reversed, err := collectNumbers(ctx, s.engine, poolReversed)
	if err != nil {
		return err
	}
	l.MarkReversed(reversed)
	err = duckdb.Each(ctx, s.engine, poolRedeemedAnonymous, func(rows *sql.Rows) error {
		var couponNumber int64
		var times int
		err := rows.Scan(&couponNumber, &times)
		if err == nil {
			l.CountRedemptions(couponNumber, 0, times)
		}
		return err
	})
	return err
}

func (s *Store) loadAnswers(ctx context.Context, l *memory.Loader) error {
	err := duckdb.Each(ctx, s.engine, poolAnswers, func(rows *sql.Rows) error {
		var caller, key string
		var number int64
		err := rows.Scan(&caller, &key, &number)
		l.SetAnswer(caller, key, number, s.Steady())
		return err
	}, named("since", s.now().Add(-memory.AnswerLifetime)))
	return err
}

func (s *Store) loadHolds(ctx context.Context, l *memory.Loader) error {
	holds := map[int64]*memory.Hold{}
	err := duckdb.Each(ctx, s.engine, poolHolds, func(rows *sql.Rows) error {
		var delivery int64
		var part memory.Hold
		var label *string
		var count int
		err := rows.Scan(&delivery, &part.CouponID, &label, &count, &part.Until)
		if holds[delivery] == nil {
			part.ByLabel, part.Counts = label != nil, map[string]int{}
			holds[delivery] = &part
		}
		holds[delivery].Counts[orEmpty(label)] = count
		return err
	})
	for delivery, h := range holds {
		l.Hold(delivery, h)
	}
	return err
}

// nextOf returns the numbers that come after those of the rows.
func nextOf(ctx context.Context, q duckdb.Querier) (memory.Numbers, error) {
	next, err := duckdb.Collect(ctx, q, poolNext, func(rows *sql.Rows) (memory.Numbers, error) {
		var n memory.Numbers
		err := rows.Scan(&n.Batch, &n.Code, &n.Recipient, &n.Message, &n.Redemption)
		return n, err
	})
	if err != nil {
		return memory.Numbers{}, err
	}
	return next[0], nil
}
