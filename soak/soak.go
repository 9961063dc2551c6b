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
	// recipientCount recipients are in groups of groupSize; a calm delivery goes to one group.
	recipientCount = 1000
	groupSize      = 100
	// drainTimeout is how long jobs may take until all are over, and pollInterval the pause between
	// two looks.
	drainTimeout = 2 * time.Minute
	pollInterval = 50 * time.Millisecond
	// warmUp is after how long with load the first count is made; shorter parts make it after a
	// quarter of their time.
	warmUp = time.Minute
)

const (
	// Between two ends of the server there is load for a time from minLife to maxLife.
	minLife = 300 * time.Millisecond
	maxLife = 6 * time.Second
	// A life is longer, by shortPatience at the most, until kindsPerLife kinds of deeds were done
	// in it, and where nobody ends the server by longPatience, until all were.
	kindsPerLife  = 8
	shortPatience = 10 * time.Second
	longPatience  = time.Minute
	// timePerKill is how long the whole soak takes for each kill, at the most: the part with kills
	// goes on until there were as many.
	timePerKill = 6 * time.Second
	// One end in termEvery is a SIGTERM, and after one kill in startKillEvery another one comes
	// while the server starts.
	termEvery      = 6
	startKillEvery = 5
	maxStartLife   = 600 * time.Millisecond
	// After each end the file is looked at. After one start in drainEvery the load waits until all
	// jobs are over, and after one in restoreEvery the last backup is restored.
	drainEvery   = 4
	restoreEvery = 6
)

// soak is one server with its files, the load on it, and what it acknowledged.
type soak struct {
	options *options
	dir     string
	out     io.Writer
	random  *rand.Rand
	model   *model
	counts  *counts
	spooled spooled
	found   *violations
	webhook *receiver
	outbox  *outbox
	server  *server
	// key is what clients show.
	key string
	// deliveries is the coupon of deliveries, tills the one whose codes are imported and redeemed
	// at once, and claimed the one whose codes are claimed.
	deliveries, tills, claimed string
	// serial numbers whatever has to be new.
	serial atomic.Int64
	// shared is the code of a coupon that many share.
	shared atomic.Pointer[string]
	// isDiskFull: answers are refused for want of disk.
	isDiskFull atomic.Bool
	// isSteady: everybody does what they do, and nobody ends the server.
	isSteady bool

	mu     sync.Mutex
	shelf  shelf
	sent   []*delivery
	backup *backup

	round, kills, stops, restores int
	lines                         []string
}

func newSoak(o *options, dir string, out io.Writer) (*soak, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make a folder: %w", err)
	}
	s := &soak{
		options: o, dir: dir, out: out, random: rand.New(rand.NewPCG(o.seed, 1)),
		counts: newCounts(), found: newViolations(),
		shelf: shelf{claims: claims{codes: map[string]string{}, people: map[string]string{}}},
	}
	s.model = newModel(s.report)
	s.outbox = newOutbox(filepath.Join(dir, "outbox"), s.report)
	s.webhook = newReceiver(o.seed, s.report)
	return s, nil
}

// report counts what contradicts a promise.
func (s *soak) report(promise string, problem error) { s.found.add(promise, s.round, problem) }

// close ends what runs.
func (s *soak) close() {
	if s.server != nil && !s.server.hasEnded() {
		s.server.kill()
	}
	s.webhook.CloseClientConnections()
	s.webhook.Close()
}

// sayf tells what is done; whoever does not read it changes nothing.
func (s *soak) sayf(format string, args ...any) { _, _ = fmt.Fprintf(s.out, format+"\n", args...) }

// start starts the server on the files that are there.
func (s *soak) start(ctx context.Context) (err error) {
	began := time.Now()
	s.server, err = startServer(ctx, s.options.binary, s.dir, s.webhook.URL, s.key)
	if took := time.Since(began); err == nil && took > startLimit {
		s.report("P7", fmt.Errorf("a start took %s", took))
	}
	return err
}

// stop stops the server, and wants it to end well and soon.
func (s *soak) stop() {
	took, err := s.server.stop()
	if err == nil && took > stopLimit {
		err = fmt.Errorf("the server took %s to end after SIGTERM", took.Round(time.Millisecond))
	}
	if err != nil {
		s.report("stop", err)
	}
	s.stops++
}

func (s *soak) do(ctx context.Context, operation string, vars client.Variables, answer any) error {
	return s.server.client.Do(ctx, operation, vars, answer)
}

// prepare starts a server that has a key, three coupons and the recipients.
func (s *soak) prepare(ctx context.Context) error {
	if err := s.start(ctx); err != nil {
		return err
	}
	c := s.newCaller(&kind{name: "prepare"}, 0)
	label := c.mark()
	change := s.model.begin("createApiKey", move{"key " + label, there})
	var made struct {
		APIKey struct{ ID string }
		Token  string
	}
	if err := change.answered(c.mutate(ctx, "createApiKey", "apiKey { id } token", label,
		map[string]any{"label": label, "role": "ADMIN"}, &made)); err != nil {
		return err
	}
	s.model.give(made.APIKey.ID, "key "+label)
	s.key = made.Token
	s.server.client.Close()
	s.server.client = client.New(s.server.url, s.key)
	var err error
	if s.deliveries, _, err = c.newCoupon(ctx, true); err != nil {
		return err
	}
	if s.tills, _, err = c.newCoupon(ctx, false); err != nil {
		return err
	}
	if s.claimed, _, err = c.newCoupon(ctx, false); err != nil {
		return err
	}
	var text strings.Builder
	text.WriteString("id,email,group\n")
	people := make([]string, recipientCount)
	for i := range recipientCount {
		people[i] = fmt.Sprintf("r%d", i)
		fmt.Fprintf(&text, "r%d,r%d@example.org,g%d\n", i, i, i/groupSize)
	}
	_, err = c.importFile(ctx, "importRecipients", map[string]any{}, text.String(),
		importing{read: len(people), imported: len(people)},
		moves(there, recipientNames(people)...)...)
	return err
}

// drive puts the server under load for a time, or until it is gone.
func (s *soak) drive(ctx context.Context, d time.Duration, atEnd func()) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.round++
	var wait sync.WaitGroup
	for _, k := range s.options.kinds() {
		for i := range k.clients {
			wait.Go(func() { s.driveOne(ctx, &k, s.newCaller(&k, i)) })
		}
	}
	select {
	case <-s.lived(ctx, d):
	case <-s.server.ended:
		if !s.isDiskFull.Load() {
			s.report("server",
				fmt.Errorf("the server ended by itself: %w\n%s", s.server.err, s.server.text()))
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

// lived is closed after a time, or later when the machine is so slow that few kinds of deeds were
// done by then: a kill is to meet all of them.
func (s *soak) lived(ctx context.Context, d time.Duration) <-chan struct{} {
	done := make(chan struct{})
	began := time.Now()
	wanted, patience := min(kindsPerLife, len(s.options.kinds())/3), shortPatience
	if s.isSteady {
		wanted, patience = len(s.options.kinds()), longPatience
	}
	before := s.counts.dones()
	go func() {
		defer close(done)
		sleep(ctx, d)
		for ctx.Err() == nil && time.Since(began) < d+patience &&
			s.counts.doneSince(before) < wanted {
			sleep(ctx, pollInterval)
		}
	}()
	return done
}

// crashes ends the server over and over for a time, in most cases by a kill, and looks at its file
// each time.
func (s *soak) crashes(ctx context.Context, d, all time.Duration) error {
	began := time.Now()
	for time.Since(began) < d || s.kills < int(all/timePerKill) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		life := minLife + time.Duration(s.random.Int64N(int64(maxLife-minLife)))
		isTerm := s.random.IntN(termEvery) == 0
		s.drive(ctx, life, func() { s.end(isTerm) })
		if err := s.look(ctx); err != nil {
			return err
		}
		if s.random.IntN(startKillEvery) == 0 {
			if err := s.killStart(ctx); err != nil {
				return err
			}
		}
		if s.random.IntN(restoreEvery) == 0 {
			if err := s.tryRestore(ctx); err != nil {
				return err
			}
		}
		started := time.Now()
		if err := s.start(ctx); err != nil {
			return err
		}
		s.sayf("round %d: ended after %.1f s (%s), started again in %.0f ms; %d kills, %d violations",
			s.round, life.Seconds(),
			map[bool]string{true: "SIGTERM", false: "kill"}[isTerm],
			time.Since(started).Seconds()*1000, s.kills, s.found.total())
		if s.round%drainEvery != 0 {
			continue
		}
		if err := s.check(ctx); err != nil {
			return err
		}
	}
	return nil
}

// end ends the server, if it did not end by itself.
func (s *soak) end(isTerm bool) {
	switch {
	case s.server.hasEnded():
	case isTerm:
		s.stop()
	default:
		s.server.kill()
		s.kills++
	}
}

// killStart kills a server while it starts, and looks at its file.
func (s *soak) killStart(ctx context.Context) error {
	starting, _, err := launch(ctx, s.options.binary, s.dir, s.webhook.URL)
	if err != nil {
		return err
	}
	sleep(ctx, time.Duration(s.random.Int64N(int64(maxStartLife))))
	if starting.hasEnded() {
		return fmt.Errorf("the server does not start: %w\n%s", starting.err, starting.text())
	}
	starting.kill()
	s.kills++
	return s.look(ctx)
}

// look compares the file with what was acknowledged, and asks it about the promises. No server
// runs.
func (s *soak) look(ctx context.Context) (err error) {
	d, err := openCopy(ctx, dataFile(s.dir))
	if err != nil {
		// What cannot be opened has lost everything.
		s.report("P3", err)
		return err
	}
	before := s.found.total()
	defer func() {
		if s.options.keep != "" && s.found.total() > before {
			err = errors.Join(err, copyDatabase(filepath.Join(s.options.keep,
				fmt.Sprintf("round-%d.duckdb", s.round)), dataFile(s.dir)))
		}
		err = errors.Join(err, d.close())
	}()
	found, err := d.violations(ctx)
	if err != nil {
		return err
	}
	for _, v := range found {
		s.report(v.promise, errors.New(v.text))
	}
	facts, err := d.facts(ctx)
	if err != nil {
		return err
	}
	s.model.compare(facts)
	return nil
}

// steady puts one server under load without a break, and looks whether it has grown more than its
// data.
func (s *soak) steady(ctx context.Context, d time.Duration) error {
	s.stop()
	if err := s.start(ctx); err != nil {
		return err
	}
	s.isSteady = true
	first := min(warmUp, d/4)
	if err := s.driveOn(ctx, first); err != nil {
		return err
	}
	before, err := s.measure(ctx)
	if err != nil {
		return err
	}
	if err := s.driveOn(ctx, d-first); err != nil {
		return err
	}
	after, err := s.measure(ctx)
	if err != nil {
		return err
	}
	for _, problem := range before.compare(after) {
		s.report("leak", problem)
	}
	s.lines = append(s.lines, before.lines(after, first, d)...)
	return s.check(ctx)
}

// driveOn is drive, and starts the server again should it have ended by itself, which is reported,
// so that the rest is looked at.
func (s *soak) driveOn(ctx context.Context, d time.Duration) error {
	s.drive(ctx, d, nil)
	if !s.server.hasEnded() {
		return nil
	}
	if err := s.look(ctx); err != nil {
		return err
	}
	return s.start(ctx)
}

// finish starts the server once more, compares everything, and stops it.
func (s *soak) finish(ctx context.Context) error {
	s.stop()
	if err := s.start(ctx); err != nil {
		return err
	}
	if err := s.checkFiles(ctx); err != nil {
		return err
	}
	if err := s.check(ctx); err != nil {
		return err
	}
	answered, err := s.readAvailability(ctx)
	if err != nil {
		return err
	}
	s.stop()
	if err := s.look(ctx); err != nil {
		return err
	}
	if err := s.compareAvailability(ctx, answered); err != nil {
		return err
	}
	return s.tryRestore(ctx)
}

// tell prints what was done and what came of it.
func (s *soak) tell(elapsed time.Duration) {
	s.sayf("")
	// Nobody reads it, then.
	_ = s.counts.print(s.out)
	posts, messages := s.webhook.counts()
	s.sayf("\n%s with seed %d: %d kills, %d ends by SIGTERM, %d backups restored",
		elapsed.Round(time.Second), s.options.seed, s.kills, s.stops, s.restores)
	s.sayf("%s", s.model.summary())
	s.sayf("sent: %d messages to the outbox; %d requests to the webhook, which took %d messages",
		s.outbox.count(), posts, messages)
	for _, line := range append(s.lines, s.found.lines()...) {
		s.sayf("%s", line)
	}
	s.sayf("%d violations", s.found.total())
}
