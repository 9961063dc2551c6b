package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/pprof"
	"slices"
	"strings"
	"sync"
	"time"
)

// bench is one run of all measurements. Each step leaves behind what the next one needs.
type bench struct {
	options  *options
	folder   string
	clock    *clock
	log      *slog.Logger
	progress io.Writer
	results  []result

	// values are some codes of the imported file.
	values []string
	// path is the database of the server.
	path   string
	server *server
	// raw is a copy of the server's database, or of what it was.
	raw *rawDB
	// couponID is the coupon of the imported codes.
	couponID string
	// campaigns are the deliveries that were confirmed and wait to be sent.
	campaigns []campaign
	// confirmation is how long it took to confirm a delivery with individual codes, and
	// peerAssignment how long PostgreSQL takes to assign as many codes; 0 where it was not asked.
	confirmation, peerAssignment time.Duration
	// asked is how many questions about a few rows were answered in a second, by their names.
	asked map[string]float64
}

// runAll tells the story; see the package comment.
func (b *bench) runAll(ctx context.Context) error {
	if b.options.profiles != "" {
		if err := os.MkdirAll(b.options.profiles, 0o700); err != nil {
			return fmt.Errorf("make the folder of profiles: %w", err)
		}
	}
	// First of all, while the process has not had memory for anything else.
	if err := b.measureBulk(ctx); err != nil {
		return err
	}
	if err := b.measureTills(ctx); err != nil {
		return err
	}
	if err := b.measureBeside(ctx); err != nil {
		return err
	}
	if err := b.measureAudience(ctx); err != nil {
		return err
	}
	if err := b.measureAnalyses(ctx); err != nil {
		return err
	}
	if err := b.measureSubscriptions(ctx); err != nil {
		return err
	}
	b.clock.moveTo(campaignDays)
	if err := b.writeFiles(); err != nil {
		return err
	}
	steps := []func(context.Context) error{
		b.measureCodeImport, b.measureRecipientImport, b.measureFirstStart, b.measureDeliveries,
		b.comparePeerAssignment, b.measureSending,
		b.measureRedemptionImport, b.measureFullStart, b.measurePages, b.measurePageRate,
		b.measureLookups, b.measureStats, b.measureRedemptions,
	}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// close closes what is open at the end, or when a step failed.
func (b *bench) close() error {
	var errs []error
	if b.raw != nil {
		errs = append(errs, b.raw.close())
	}
	if b.server != nil {
		errs = append(errs, b.server.close())
	}
	return errors.Join(errs...)
}

// file returns the path of a file of this run.
func (b *bench) file(name string) string { return filepath.Join(b.folder, name) }

func (b *bench) add(r result) {
	// Progress is a courtesy.
	_, _ = fmt.Fprintf(b.progress, "%s: %s %s\n", r.Name, r.ours(), r.verdict())
	b.results = append(b.results, r)
}

// profiled runs a part that is measured, with a CPU profile of its own where one is wanted.
func (b *bench) profiled(name string, do func() error) (err error) {
	if b.options.profiles == "" {
		return do()
	}
	name = strings.Map(func(r rune) rune {
		if strings.ContainsRune(" ,/()", r) {
			return '-'
		}
		return r
	}, name)
	file, err := os.Create(filepath.Join(b.options.profiles, name+".pprof"))
	if err != nil {
		return fmt.Errorf("create a profile: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if err := pprof.StartCPUProfile(file); err != nil {
		return fmt.Errorf("begin a profile: %w", err)
	}
	defer pprof.StopCPUProfile()
	return do()
}

// timed returns how long something took.
func timed(do func() error) (time.Duration, error) {
	start := time.Now()
	err := do()
	return time.Since(start), err
}

// compare measures a quick thing, ours and raw in turns, so that both meet the same noise. A turn
// is count calls, because the raw side's scans of whole tables empty the processor's caches.
func (b *bench) compare(name string, count int, goal goal, ours, raw func(i int) error) error {
	var oursTimes, rawTimes []time.Duration
	err := b.profiled(name, func() error {
		for run := range b.options.runs {
			times, err := turn(run*count, count, ours)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			oursTimes = append(oursTimes, times...)
			if times, err = turn(run*count, count, raw); err != nil {
				return fmt.Errorf("%s: raw: %w", name, err)
			}
			rawTimes = append(rawTimes, times...)
		}
		return nil
	})
	if err == nil {
		b.add(newResult(name, "ms", milliseconds(median(oursTimes)),
			milliseconds(median(rawTimes)), goal))
	}
	return err
}

// turn returns how long each of count calls takes. The first calls before them fill caches: in a
// server that has run for a minute nobody waits for that.
func turn(first, count int, do func(i int) error) ([]time.Duration, error) {
	const warmUp = 3
	times := make([]time.Duration, 0, count)
	for i := range count + warmUp {
		elapsed, err := timed(func() error { return do(first + i) })
		if err != nil {
			return nil, err
		}
		if i >= warmUp {
			times = append(times, elapsed)
		}
	}
	return times, nil
}

// quantile returns the time that this share of all stays below; 0.5 gives the median.
func quantile(times []time.Duration, share float64) time.Duration {
	if len(times) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(times))
	return sorted[min(len(sorted)-1, int(share*float64(len(sorted))))]
}

func median(times []time.Duration) time.Duration { return quantile(times, 0.5) }

func milliseconds(d time.Duration) float64 { return d.Seconds() * 1000 }

// load is what many callers saw.
type load struct {
	times []time.Duration
	// rates is how many calls a second there were, in each run.
	rates []float64
}

// call has some callers do the same over and over, until redeemTime is over or do says that nothing
// is left.
func (l *load) call(callers int, do func() (more bool, err error)) error {
	times := make([][]time.Duration, callers)
	errs := make([]error, callers)
	start := time.Now()
	var wait sync.WaitGroup
	for i := range callers {
		wait.Go(func() {
			for time.Since(start) < redeemTime {
				before := time.Now()
				more, err := do()
				if err != nil || !more {
					errs[i] = err
					return
				}
				times[i] = append(times[i], time.Since(before))
			}
		})
	}
	wait.Wait()
	elapsed := time.Since(start)
	all := slices.Concat(times...)
	l.times = append(l.times, all...)
	l.rates = append(l.rates, float64(len(all))/elapsed.Seconds())
	return errors.Join(errs...)
}

// rate returns the median of the runs.
func (l *load) rate() float64 {
	sorted := slices.Sorted(slices.Values(l.rates))
	return sorted[len(sorted)/2]
}
