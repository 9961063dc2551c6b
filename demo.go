package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"couponql/background"
	"couponql/client"
	"couponql/coupon"
	"couponql/db"
	"couponql/demo"
)

// demoCommand makes a database with the last two months of an invented shop.
type demoCommand struct {
	Data string `default:"demo.duckdb" type:"path" help:"Database file to make. Beside it are made a folder for files, named like it with .files at the end, and one for messages, with .outbox."`
}

// Help is what --help says beside the flags.
func (*demoCommand) Help() string {
	return `An ordinary server makes the data through the public API, with a clock that begins two months ago. It listens on this machine alone, for
as long as that takes, and sends nothing: messages go to the folder. Nothing that exists is changed.

Exit codes: 0 made; 1 not made, and nothing is left; 2 wrong usage.`
}

// outbox is the folder of the demo's messages.
func (c *demoCommand) outbox() string { return c.Data + ".outbox" }

// Run makes the data, and says on standard output how to look at it.
func (c *demoCommand) Run(ctx context.Context) error { return c.make(ctx, os.Stdout) }

func (c *demoCommand) make(ctx context.Context, out io.Writer) error {
	for _, path := range slices.Backward(c.paths()) {
		if !isMissing(path) {
			return fmt.Errorf(
				"%s exists already; serve it, delete it, or give another --data", path,
			)
		}
	}
	began := time.Now()
	if err := c.build(ctx, out); err != nil {
		return err
	}
	data := shown(c.Data)
	_, err := fmt.Fprintf(out, `
%s has two months of a sports shop, made in %.1f s. Look at them:

  couponql serve --data %s --outbox %s --timezone %s --enable-sql
`, data, time.Since(began).Seconds(), data, shown(c.outbox()), demo.Zone)
	return err
}

// unfinished follows the name of the database in that of the folder where a run makes it. What a
// run that is killed leaves has another name than what is whole.
const unfinished = ".unfinished-"

// build makes everything in a folder of its own beside where it belongs, and moves it there when it
// is whole, the database last.
func (c *demoCommand) build(ctx context.Context, out io.Writer) (err error) {
	left, err := filepath.Glob(escapeGlob(c.Data) + unfinished + "*")
	if err != nil {
		return err
	}
	for _, path := range left {
		if _, err := fmt.Fprintf(out, "%s is another run's; delete it if that was killed\n",
			shown(path)); err != nil {
			return err
		}
	}
	dir, err := os.MkdirTemp(filepath.Dir(c.Data), filepath.Base(c.Data)+unfinished)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	made := demoCommand{Data: filepath.Join(dir, filepath.Base(c.Data))}
	if err := made.fill(ctx, out); err != nil {
		return err
	}
	from, to := made.paths(), c.paths()
	for i := range from {
		if !isMissing(to[i]) {
			return fmt.Errorf("%s was made meanwhile by others; delete it, or give another --data",
				to[i])
		}
		if err := os.Rename(from[i], to[i]); err != nil {
			return err
		}
	}
	return nil
}

// paths are where the demo is, the database last.
func (c *demoCommand) paths() []string { return []string{c.Data + ".files", c.outbox(), c.Data} }

// escapeGlob returns a pattern that matches a path alone.
func escapeGlob(path string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(path)
}

// shown returns a path as a command line in this folder would have it.
func shown(path string) string {
	folder, err := os.Getwd()
	if err != nil {
		return path
	}
	if relative, err := filepath.Rel(folder, path); err == nil && filepath.IsLocal(relative) {
		return relative
	}
	return path
}

// fill serves the database until it has everything.
func (c *demoCommand) fill(ctx context.Context, out io.Writer) error {
	now := time.Now()
	clock := demo.NewClock(now)
	ready := make(chan string, 1)
	// Nobody else may ask it, and nothing of the environment leads out of the machine.
	server := serveCommand{
		Listen: "127.0.0.1:0", AdminKey: rand.Text() + rand.Text(), Data: c.Data,
		Outbox:      c.outbox(),
		MemoryLimit: db.DefaultMemoryLimit, Timezone: demo.Zone, HoldDuration: demo.HoldDuration,
		SoftBounceLimit: coupon.DefaultSoftBounceLimit, LogLevel: logLevel{slog.LevelWarn},
		clock: clock.Now, onReady: func(url string) { ready <- url },
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	done := make(chan error, 1)
	background.Go(func() error { return server.serve(ctx, server.logger()) },
		func(err error) { done <- err })
	select {
	case err := <-done:
		return err
	case url := <-ready:
		api := client.New(url, server.AdminKey)
		err := demo.Load(ctx, &demo.Options{Client: api, Clock: clock, Now: now, Out: out})
		api.Close()
		stop()
		return errors.Join(err, <-done)
	}
}
