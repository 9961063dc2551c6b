package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"couponql/db"
)

// maxStart is the promised time of a start, in seconds.
const maxStart = 0.5

// measureFirstStart opens the database that has the imported codes and nothing else that is read at the
// start, and so tells also what a code costs in memory.
func (b *bench) measureFirstStart(ctx context.Context) error {
	perCode, err := b.measureStart(ctx, fmt.Sprintf("start with %s codes", count(b.options.codes)))
	b.add(newResult("memory for a code after the start", "B", perCode/float64(b.options.codes), 0, goal{}))
	return err
}

// measureFullStart opens the database as it is after the campaigns.
func (b *bench) measureFullStart(ctx context.Context) error {
	codes, messages, redemptions := count(2*b.options.codes), count(b.options.codes), count(b.redemptionCount())
	name := fmt.Sprintf("start with %s codes, %s messages, %s redemptions", codes, messages, redemptions)
	_, err := b.measureStart(ctx, name)
	return err
}

// measureStart opens and closes the server's database a few times, and gives how much an open store takes
// of the heap, in bytes. The raw side opens its file and reads every code once, which is the least that an
// index in memory needs.
func (b *bench) measureStart(ctx context.Context, name string) (heap float64, err error) {
	err = errors.Join(b.server.close(), b.raw.close())
	rawPath := b.raw.path
	b.server, b.raw = nil, nil
	if err != nil {
		return 0, err
	}
	var ours, raw []time.Duration
	err = b.profiled(name, func() error {
		for range b.options.runs {
			elapsed, size, err := b.openStore(ctx)
			if err != nil {
				return err
			}
			ours, heap = append(ours, elapsed), size
			if elapsed, err = readRaw(ctx, rawPath); err != nil {
				return fmt.Errorf("raw start: %w", err)
			}
			raw = append(raw, elapsed)
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	b.add(newResult(name, "s", median(ours).Seconds(), median(raw).Seconds(), goal{most: maxStart}))
	if b.raw, err = openRaw(ctx, rawPath); err != nil {
		return 0, err
	}
	b.server, err = newServer(ctx, b.path, b.clock, b.log)
	return heap, err
}

func (b *bench) openStore(ctx context.Context) (elapsed time.Duration, heap float64, err error) {
	before := heapSize()
	var store *db.Store
	elapsed, err = timed(func() error {
		store, err = db.Open(ctx, db.Options{Path: b.path, MemoryLimit: memoryLimit, Now: b.clock.now})
		return err
	})
	if err != nil {
		return 0, 0, err
	}
	heap = float64(heapSize()) - float64(before)
	return elapsed, heap, store.Close()
}

// heapSize returns the bytes of the Go heap that are in use.
func heapSize() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

func readRaw(ctx context.Context, path string) (time.Duration, error) {
	var r *rawDB
	elapsed, err := timed(func() error {
		var err error
		if r, err = openRaw(ctx, path); err != nil {
			return err
		}
		rows, err := r.conn.QueryContext(ctx, "SELECT id, key FROM code")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var number int64
			var key string
			if err := rows.Scan(&number, &key); err != nil {
				return err
			}
		}
		return rows.Err()
	})
	if r != nil {
		err = errors.Join(err, r.close())
	}
	return elapsed, err
}
