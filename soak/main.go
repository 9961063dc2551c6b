// The program soak puts a server under load for as long as wanted and looks for what it lost and for what it leaks.
// `make soak` runs it.
//
// Many clients do all that a server is for, at once and over HTTP: they import, generate, deliver, redeem, ask for pages
// and statistics, export, subscribe and do not read, upload slowly, and go away in the middle. What the server
// acknowledges goes into a ledger. The program is the real one, with its files in a folder that is deleted at the end.
//
// # The three parts
//
// Half of the time the server is killed, as by a power cut, at random moments, and started again on its files. After each
// new start what it acknowledged must be there, jobs that were interrupted must end, and integrityReport must be sound.
//
// A tenth of the time another server runs on a small disk, which is filled under it and emptied again: what is refused
// meanwhile must not be there, and what was acknowledged must. This needs Linux and the right to mount; where that is
// missing the part is left out, and the report says so.
//
// In the rest one server runs without a break. After its first minute, or a quarter of the part, and again at the end, the
// load pauses until nothing is to do; then goroutines, open files, memory and files in the spool are counted, and must
// not have grown by more than what the data of the time between takes.
//
// At the end all codes are exported and compared with the ledger, and so is the outbox.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
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

func main() {
	var o options
	flag.StringVar(&o.binary, "binary", "bin/couponql", "the built server")
	flag.DurationVar(&o.duration, "duration", 10*time.Minute, "how long there is load")
	flag.StringVar(&o.dir, "dir", "", "folder in which the server's files are made, and deleted at the end (default: that for temporary files)")
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
	if err := s.prepare(ctx); err != nil {
		return fmt.Errorf("prepare: %w", err)
	}
	if err := s.crashes(ctx, o.duration/2); err != nil {
		return fmt.Errorf("crashes: %w", err)
	}
	problems, isSkipped, err := fullDisk(ctx, o, filepath.Join(folder, "disk"), o.duration/10, out)
	if err != nil {
		return fmt.Errorf("full disk: %w", err)
	}
	if problems != nil {
		s.counts.problem(fmt.Errorf("full disk: %w", problems))
	}
	if err := s.steady(ctx, o.duration-o.duration/2-o.duration/10); err != nil {
		return fmt.Errorf("steady load: %w", err)
	}
	if err := s.finish(ctx); err != nil {
		return fmt.Errorf("at the end: %w", err)
	}
	if isSkipped {
		s.lines = append(s.lines, "SKIPPED: the part with a full disk")
	}
	s.report(time.Since(began))
	return s.counts.failures()
}
