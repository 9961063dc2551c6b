// The program soak puts a server under load for as long as wanted, ends it over and over, and looks for what it lost, gave
// twice, told to the wrong one, and leaks. `make soak` runs it.
//
// Many clients do all that a server is for, at once and over HTTP: they import in every mode, generate, add, replace, void
// and release codes, deliver by the outbox and a webhook that answers badly, pause, stop, split, erase, redeem in every way
// and reverse, export, ask in SQL, make backups, end keys on open connections, subscribe and do not read, upload slowly, and
// go away in the middle. The program is the real one, with its files in a folder that is deleted at the end.
//
// # What is compared
//
// A model has each thing that clients made by a name that they gave it, with the states that it may be in: one, once a deed
// on it was acknowledged, and two while nobody answered. It knows the ids that were given out, the entries that the audit log
// must have, who was erased, and who was sent which code. After each end of the server a copy of its file is opened without
// the server: statement/promise has statements on what is promised, which are this program's own; and what statement/fact
// reads has to be what the model says. What nobody answered for is from then on as the file has it.
//
// # The three parts
//
// Seven tenths of the time the server is ended at random moments: mostly killed, as by a power cut, also while it starts,
// and stopped by SIGTERM at times, after which it has to end well and soon. After some of the starts the load waits until all
// jobs are over, deliveries are compared with the outbox, and integrityReport has to be sound; after some the last backup is
// restored and compared, and a server on it must give out numbers that nothing has.
//
// A tenth of the time another server runs on a small disk, which is filled under it and emptied again: what is refused
// meanwhile must not be there, and what was acknowledged must. This needs Linux and the right to mount; where that is
// missing the part is left out, and the report says so.
//
// In the rest one server runs without a break. After its first minute, or a quarter of the part, and again at the end, the
// load pauses until nothing is to do; then goroutines, open files, memory and files in the spool are counted, and must
// not have grown by more than what the data of the time between takes.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// options are the settings of a run.
type options struct {
	// binary is the built server.
	binary string
	// duration is how long there is load; preparing and checking come on top.
	duration time.Duration
	// dir is the folder that the server's files are made in; "" means that for temporary files.
	dir string
	// seed is what the clients' random numbers follow from.
	seed uint64
	// keep is a folder for copies of the database in which something was found; "" keeps none.
	keep string
	// only is a part of the names of those kinds of load that there is; "": all.
	only string
}

const (
	minDuration = 20 * time.Second
	maxDuration = 24 * time.Hour
)

func (o *options) check() error {
	if o.duration < minDuration || o.duration > maxDuration {
		return fmt.Errorf("--duration=%s: must be %s to %s", o.duration, minDuration, maxDuration)
	}
	if _, err := os.Stat(o.binary); err != nil {
		return fmt.Errorf("--binary: %w", err)
	}
	return nil
}

// kinds returns what clients do.
func (o *options) kinds() []kind {
	return slices.DeleteFunc(slices.Clone(kinds), func(k kind) bool {
		return !slices.ContainsFunc(strings.Split(o.only, ","), func(word string) bool { return strings.Contains(k.name, word) })
	})
}

func main() {
	var o options
	flag.StringVar(&o.binary, "binary", "bin/couponql", "the built server")
	flag.DurationVar(&o.duration, "duration", 10*time.Minute, "how long there is load")
	flag.StringVar(&o.dir, "dir", "", "folder in which the server's files are made, and deleted at the end (default: that for temporary files)")
	flag.Uint64Var(&o.seed, "seed", rand.Uint64N(1e6), "what clients choose by: with the same seed they choose the same, as far as the server answers alike")
	flag.StringVar(&o.keep, "keep", "", "folder for copies of the database, one for each round in which its file broke a promise")
	flag.StringVar(&o.only, "only", "", "what clients do, to look for the cause of something: kinds with one of these words, with commas in between")
	flag.Parse()
	err := o.check()
	if flag.NArg() > 0 {
		err = fmt.Errorf("unknown argument %q", flag.Arg(0))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err = run(ctx, &o, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

// run runs all parts in a folder that is gone afterwards, and tells on out what it is at and what came of it.
func run(ctx context.Context, o *options, out io.Writer) (err error) {
	folder, err := os.MkdirTemp(o.dir, "couponql-soak-*")
	if err != nil {
		return fmt.Errorf("make a folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	began := time.Now()
	s, err := newSoak(o, filepath.Join(folder, "data"), out)
	if err != nil {
		return err
	}
	defer s.close()
	// What was found is told, also when the soak could not go on.
	defer func() { s.tell(time.Since(began)) }()
	if err := s.prepare(ctx); err != nil {
		return fmt.Errorf("prepare: %w", err)
	}
	if err := s.crashes(ctx, o.duration*7/10, o.duration); err != nil {
		return fmt.Errorf("crashes: %w", err)
	}
	problems, isSkipped, err := fullDisk(ctx, o, filepath.Join(folder, "disk"), o.duration/10, out)
	if err != nil {
		return fmt.Errorf("full disk: %w", err)
	}
	if problems != nil {
		s.report("full disk", problems)
	}
	if isSkipped {
		s.lines = append(s.lines, "SKIPPED: the part with a full disk")
	}
	if err := s.steady(ctx, o.duration*2/10); err != nil {
		return fmt.Errorf("steady load: %w", err)
	}
	if err := s.finish(ctx); err != nil {
		return fmt.Errorf("at the end: %w", err)
	}
	for _, name := range s.counts.never(o.kinds()) {
		s.report("soak", fmt.Errorf("%q was never answered as done, so that nothing is known about it", name))
	}
	if total := s.found.total(); total > 0 {
		return fmt.Errorf("%d violations; --seed %d makes the clients choose the same", total, o.seed)
	}
	return nil
}
