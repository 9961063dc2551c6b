package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"couponql/client"
)

const (
	// recipientCount recipients are in groups of groupSize; a delivery goes to one group.
	recipientCount = 2000
	groupSize      = 100
	// settleTimeout is how long jobs may take until all are over, and pollInterval the pause between two looks.
	settleTimeout = 2 * time.Minute
	pollInterval  = 50 * time.Millisecond
	// warmUp is after how long with load the first count is made; shorter parts make it after a quarter of their time.
	warmUp = time.Minute
)

// Between two crashes there is load for a time from minLife to maxLife.
const (
	minLife = time.Second
	maxLife = 10 * time.Second
)

// soak is one server with its files, the load on it, and what it acknowledged.
type soak struct {
	options *options
	dir     string
	out     io.Writer
	ledger  *ledger
	counts  *counts
	server  *server
	// deliveries is the coupon of deliveries, and tills the one whose codes are imported and redeemed at once.
	deliveries, tills string
	// serial numbers files and batches of codes, so that each code is new.
	serial atomic.Int64
	// isDiskFull: answers are refused for want of disk.
	isDiskFull atomic.Bool
	crashCount int
	lines      []string
}

func newSoak(o *options, dir string, out io.Writer) (*soak, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make a folder: %w", err)
	}
	return &soak{options: o, dir: dir, out: out, ledger: newLedger(), counts: newCounts()}, nil
}

// close ends a server that runs when something went wrong.
func (s *soak) close() {
	if s.server != nil && !s.server.hasEnded() {
		s.server.kill()
	}
}

// sayf tells what is done; whoever does not read it changes nothing.
func (s *soak) sayf(format string, args ...any) { _, _ = fmt.Fprintf(s.out, format+"\n", args...) }

// start starts the server on the files that are there.
func (s *soak) start(ctx context.Context) (err error) {
	s.server, err = startServer(ctx, s.options.binary, s.dir)
	return err
}

func (s *soak) do(ctx context.Context, operation string, vars client.Variables, answer any) error {
	return s.server.client.Do(ctx, operation, vars, answer)
}

// prepare starts a server that has two coupons and the recipients.
func (s *soak) prepare(ctx context.Context) error {
	if err := s.start(ctx); err != nil {
		return err
	}
	for _, c := range []struct {
		id                 *string
		requiresAssignment bool
	}{{&s.deliveries, true}, {&s.tills, false}} {
		var created struct {
			CreateCoupon struct{ Coupon struct{ ID string } }
		}
		in := map[string]any{"label": "Soak", "type": "INDIVIDUAL", "startsAt": "2020-01-01", "requiresAssignment": c.requiresAssignment}
		operation := "mutation($input: CreateCouponInput!) { createCoupon(input: $input) { coupon { id } userErrors { code message field } } }"
		if err := s.do(ctx, operation, client.Input(in), &created); err != nil {
			return err
		}
		*c.id = created.CreateCoupon.Coupon.ID
	}
	var queued struct {
		ImportRecipients struct{ Import struct{ ID string } }
	}
	operation := "mutation($input: ImportRecipientsInput!) { importRecipients(input: $input) { import { id } userErrors { code message field } } }"
	err := s.server.client.Upload(ctx, operation, map[string]any{}, "recipients.csv", func(w io.Writer) error {
		var text strings.Builder
		text.WriteString("id,email,group\n")
		for i := range recipientCount {
			fmt.Fprintf(&text, "r%d,r%d@example.org,g%d\n", i, i, i/groupSize)
		}
		_, err := io.WriteString(w, text.String())
		return err
	}, &queued)
	if err != nil {
		return err
	}
	return s.settle(ctx)
}

// drive puts the server under load for a time, or until it is gone.
func (s *soak) drive(ctx context.Context, d time.Duration, atEnd func()) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wait sync.WaitGroup
	for _, k := range kinds {
		for i := range k.clients {
			wait.Go(func() { s.driveOne(ctx, &k, &caller{soak: s, server: s.server, number: i}) })
		}
	}
	select {
	case <-time.After(d):
	case <-s.server.ended:
		if !s.isDiskFull.Load() {
			s.counts.problem(fmt.Errorf("the server ended by itself: %w\n%s", s.server.err, s.server.text()))
		}
	case <-ctx.Done():
	}
	if atEnd != nil {
		atEnd()
	}
	cancel()
	wait.Wait()
	s.server.client.Close()
}

// driveOne is one client that does the same over and over.
func (s *soak) driveOne(ctx context.Context, k *kind, c *caller) {
	for ctx.Err() == nil && !c.server.hasEnded() {
		began := time.Now()
		err := k.do(c, ctx)
		o := done
		switch problem, isAnswer := errors.AsType[*client.Error](err); {
		case err == nil:
		case errors.Is(err, errNothingToDo):
			sleep(ctx, k.pause)
			continue
		case ctx.Err() != nil || c.server.isDying.Load():
			o = interrupted
		case isAnswer && problem.Extensions.Code == "UNAVAILABLE", s.isDiskFull.Load():
			o = refused
		default:
			o = failed
		}
		s.counts.record(k.name, o, time.Since(began), err)
		sleep(ctx, k.pause+time.Duration(rand.Int64N(int64(k.pause)+1)))
	}
}

// sleep waits, or until nobody wants more.
func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// crashes kills the server over and over for a time, and checks it after each new start.
func (s *soak) crashes(ctx context.Context, d time.Duration) error {
	for end := time.Now().Add(d); time.Now().Before(end) && ctx.Err() == nil; {
		life := min(minLife+rand.N(maxLife-minLife), max(time.Until(end), minLife))
		s.drive(ctx, life, s.server.kill)
		began := time.Now()
		if err := s.start(ctx); err != nil {
			return err
		}
		s.crashCount++
		started := time.Since(began)
		if err := s.check(ctx); err != nil {
			return err
		}
		s.sayf("crash %d after %.1f s: started again in %.0f ms, and sound", s.crashCount, life.Seconds(), started.Seconds()*1000)
	}
	return ctx.Err()
}

// steady puts one server under load without a break, and looks whether it has grown more than its data.
func (s *soak) steady(ctx context.Context, d time.Duration) error {
	if err := s.server.stop(); err != nil {
		return err
	}
	if err := s.start(ctx); err != nil {
		return err
	}
	first := min(warmUp, d/4)
	s.drive(ctx, first, nil)
	before, err := s.measure(ctx)
	if err != nil {
		return err
	}
	s.drive(ctx, d-first, nil)
	after, err := s.measure(ctx)
	if err != nil {
		return err
	}
	for _, problem := range before.compare(after) {
		s.counts.problem(problem)
	}
	s.lines = append(s.lines, before.lines(after, first, d)...)
	return s.check(ctx)
}

// settle waits until nothing is to do any more.
func (s *soak) settle(ctx context.Context) error {
	for end := time.Now().Add(settleTimeout); ; sleep(ctx, pollInterval) {
		var open struct {
			Deliveries, Imports struct{ Nodes []struct{ ID, Status string } }
		}
		err := s.do(ctx, `{
			deliveries(status: [SCHEDULED, IN_PROGRESS, PAUSED]) { nodes { id status } }
			imports(status: [QUEUED, RUNNING]) { nodes { id status } }
		}`, nil, &open)
		if err != nil {
			return fmt.Errorf("look what is to do: %w", err)
		}
		if len(open.Deliveries.Nodes)+len(open.Imports.Nodes) == 0 {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("not done after %s: %+v\n%s", settleTimeout, open, s.server.text())
		}
	}
}

// check waits until nothing is to do, and compares the server with the ledger. What is wrong is counted; an error means
// that the server does not answer.
func (s *soak) check(ctx context.Context) error {
	if err := s.settle(ctx); err != nil {
		return err
	}
	if err := s.checkImports(ctx); err != nil {
		return err
	}
	if err := s.checkDeliveries(ctx); err != nil {
		return err
	}
	if err := s.checkRedeemed(ctx, s.ledger.takeFresh()); err != nil {
		return err
	}
	return s.checkSound(ctx)
}

// finish starts the server once more, compares everything with the ledger, and stops it.
func (s *soak) finish(ctx context.Context) error {
	if err := s.server.stop(); err != nil {
		return err
	}
	if err := s.start(ctx); err != nil {
		return err
	}
	if err := s.checkFiles(ctx); err != nil {
		return err
	}
	if err := s.check(ctx); err != nil {
		return err
	}
	if err := s.checkCodes(ctx); err != nil {
		return err
	}
	if err := s.checkOutbox(); err != nil {
		return err
	}
	return s.server.stop()
}

// report prints what was done and what came of it.
func (s *soak) report(elapsed time.Duration) {
	s.sayf("")
	// Nobody reads it, then.
	_ = s.counts.print(s.out)
	n := s.ledger.sizes()
	s.sayf("\nacknowledged, and found again: %d codes imported, %d added, %d generated; %d redemptions; %d deliveries with %d messages",
		n.imported, n.added, n.generated, n.redeemed, n.deliveries, n.messages)
	s.sayf("%d crashes in %s", s.crashCount, elapsed.Round(time.Second))
	for _, line := range s.lines {
		s.sayf("%s", line)
	}
}

// footprint is what a server takes while nothing is to do.
type footprint struct {
	goroutines, openFiles, memory float64
	// codes is how many there are.
	codes int
	// fileCounts are the files in the folders of the server, by folder, and mayStay how many of each may stay for a while.
	fileCounts, mayStay map[string]int
}

const (
	// What may come on top while nothing leaks: connections that are about to close, threads, the allocator's slack.
	slackGoroutines = 20
	slackFiles      = 20
	slackMemory     = 128 << 20
	// bytesOfCode is what a code may take in memory, with its message and redemption, twice over for the garbage collector.
	bytesOfCode = 400
)

// fileFolders are those in which files come and go.
var fileFolders = []string{"spool", "temp", "uploads", "exports"}

// measure waits until nothing is to do, and looks what the server takes.
func (s *soak) measure(ctx context.Context) (*footprint, error) {
	if err := s.settle(ctx); err != nil {
		return nil, err
	}
	s.server.client.Close()
	// Subscriptions and requests of clients that went away end when the server notices it.
	sleep(ctx, quietTime)
	metrics, err := s.server.metrics(ctx)
	if err != nil {
		return nil, err
	}
	f := &footprint{
		goroutines: metrics["go_goroutines"], openFiles: metrics["process_open_fds"], memory: metrics["process_resident_memory_bytes"],
		mayStay: map[string]int{"uploads": s.ledger.uploads + s.ledger.files, "exports": s.ledger.exports},
	}
	if f.goroutines == 0 || f.openFiles == 0 || f.memory == 0 {
		return nil, fmt.Errorf("/metrics does not tell what the server takes: %v", f)
	}
	n := s.ledger.sizes()
	f.codes = n.imported + n.added + n.generated
	f.fileCounts, err = s.countFiles()
	return f, err
}

// countFiles counts the files in each of the server's folders.
func (s *soak) countFiles() (counts map[string]int, err error) {
	counts = map[string]int{}
	for _, folder := range fileFolders {
		if counts[folder], err = files(filepath.Join(s.dir, "couponql.duckdb.files", folder)); err != nil {
			return nil, fmt.Errorf("count files: %w", err)
		}
	}
	return counts, nil
}

// quietTime is how long after the load the server is looked at: longer than the interval at which subscriptions are kept
// alive, which is when the server notices that a client is gone.
const quietTime = 20 * time.Second

// compare gives what has grown more than it may.
func (f *footprint) compare(after *footprint) (problems []error) {
	grown := func(what string, before, after, slack float64) {
		if after > before+slack {
			problems = append(problems, fmt.Errorf("%s: %.0f grew to %.0f, by more than %.0f", what, before, after, slack))
		}
	}
	grown("goroutines", f.goroutines, after.goroutines, slackGoroutines)
	grown("open files", f.openFiles, after.openFiles, slackFiles)
	grown("bytes of memory", f.memory, after.memory, slackMemory+bytesOfCode*float64(after.codes-f.codes))
	for folder, count := range after.fileCounts {
		grown("files in "+folder, float64(f.fileCounts[folder]), float64(count), float64(after.mayStay[folder]-f.mayStay[folder]))
	}
	return problems
}

// lines tells about both.
func (f *footprint) lines(after *footprint, first, all time.Duration) []string {
	lines := []string{
		fmt.Sprintf("without a break, after %s and after %s of load:", first.Round(time.Second), all.Round(time.Second)),
		fmt.Sprintf("  goroutines %.0f, %.0f", f.goroutines, after.goroutines),
		fmt.Sprintf("  open files %.0f, %.0f", f.openFiles, after.openFiles),
		fmt.Sprintf("  memory     %.0f MB, %.0f MB, with %d codes more", f.memory/1e6, after.memory/1e6, after.codes-f.codes),
	}
	for _, folder := range fileFolders {
		lines = append(lines, fmt.Sprintf("  files in %s %d, %d", folder, f.fileCounts[folder], after.fileCounts[folder]))
	}
	return lines
}
