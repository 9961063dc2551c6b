package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"
)

// The goals of a large delivery: the times, in seconds, and the memory, in MB, are promised for goalAudience messages.
const (
	maxAnalysis       = 2
	maxConfirmation   = 1
	maxDeliveryMemory = 1024
	goalAudience      = 1_000_000
	// leastSent is how many messages a second are rendered and written to the outbox.
	leastSent = 50_000
	// maxMessageGrowth is how much more a message of a large delivery may cost than one of a small delivery, of
	// smallAudience messages or a tenth.
	maxMessageGrowth = 1.3
	smallAudience    = 100_000
)

// The codes of a coupon: so many times as many as a delivery has messages, but no more than so many that nobody gets.
const (
	codesPerMessage = 5
	maxSpareCodes   = 5_000_000
)

// audienceTimes is what deliveries of one size took.
type audienceTimes struct {
	analyses, confirmations, sendings []time.Duration
	// peak is the most memory of the process since the first analysis, in bytes.
	peak int64
}

// aMessage returns what a message costs from the analysis to the outbox, in seconds.
func (a *audienceTimes) aMessage(messages int) float64 {
	return (median(a.analyses) + median(a.confirmations) + median(a.sendings)).Seconds() / float64(messages)
}

// audienceCodes returns how many codes the coupon has for deliveries of so many messages.
func (o *options) audienceCodes(messages int) int {
	return min(max(codesPerMessage, o.runs)*messages, o.runs*messages+maxSpareCodes)
}

// measureAudience analyzes, confirms and sends a large delivery, after a small one, which tells whether the cost of a
// message grows. The databases are its own.
func (b *bench) measureAudience(ctx context.Context) error {
	size := b.options.audience
	if size == 0 {
		return nil
	}
	part := min(smallAudience, size/10)
	few, err := b.deliverTo(ctx, part)
	if err != nil {
		return err
	}
	many, err := b.deliverTo(ctx, size)
	if err != nil {
		return err
	}
	analysis, confirmation, sending, memory := goal{}, goal{}, goal{least: leastSent}, goal{}
	if size == goalAudience {
		analysis.most, confirmation.most, memory.most = maxAnalysis, maxConfirmation, maxDeliveryMemory
	}
	confirmed := median(many.confirmations)
	b.add(
		newResult(
			fmt.Sprintf("analyze %s messages, %s codes", count(size), count(b.options.audienceCodes(size))),
			"s",
			median(many.analyses).Seconds(),
			0,
			analysis,
		),
	)
	b.add(newResult("  confirm them", "s", confirmed.Seconds(), 0, confirmation))
	b.add(newResult("  render them and write them to the outbox", "/s", float64(size)/median(many.sendings).Seconds(), 0, sending))
	b.add(newResult("  memory, peak of the process", "MB", float64(many.peak)/(1<<20), 0, memory))
	b.add(
		newResult(
			fmt.Sprintf("  what a message costs, in messages to %s", count(part)),
			"×",
			many.aMessage(size)/few.aMessage(part),
			0,
			goal{most: maxMessageGrowth},
		),
	)
	if !b.options.peers {
		return nil
	}
	peer, err := b.assignToAudience(ctx, size)
	if err != nil {
		return fmt.Errorf("PostgreSQL: assign: %w", err)
	}
	name := fmt.Sprintf("assign %s codes of %s, confirmDelivery beside UPDATE … FROM", count(size), count(b.options.audienceCodes(size)))
	b.add(newPeerResult(name, "s", confirmed.Seconds(), peer.Seconds(), leastAssign))
	return nil
}

// deliverTo makes a database with so many recipients and the codes for them, starts the server anew, and takes some
// deliveries to everybody from the analysis to the outbox.
func (b *bench) deliverTo(ctx context.Context, messages int) (took *audienceTimes, err error) {
	folder, err := os.MkdirTemp(b.folder, "audience-*")
	if err != nil {
		return nil, fmt.Errorf("make the server's folder: %w", err)
	}
	part := &bench{
		options: &options{messages: messages, runs: b.options.runs, profiles: b.options.profiles}, folder: folder,
		path: filepath.Join(folder, "couponql.duckdb"), clock: b.clock, log: b.log, progress: b.progress,
	}
	defer func() { err = errors.Join(err, part.close(), os.RemoveAll(folder)) }()
	if err := part.prepareAudience(ctx, b.options.audienceCodes(messages)); err != nil {
		return nil, err
	}
	kind := &deliveryKind{name: fmt.Sprintf("audience of %s", count(messages)), channel: "EMAIL"}
	took = &audienceTimes{}
	debug.FreeOSMemory()
	resetPeak()
	for range b.options.runs {
		c, err := part.prepare(ctx, kind, part.couponID, messages)
		if err != nil {
			return nil, err
		}
		for _, step := range []struct {
			name  string
			do    func(context.Context, *campaign) error
			times *[]time.Duration
		}{
			{"analyze", part.analyze, &took.analyses},
			{"confirm", part.confirm, &took.confirmations},
			{"send", part.awaitSent, &took.sendings},
		} {
			name := fmt.Sprintf("%s %s messages", step.name, count(messages))
			err := b.profiled(name, func() error {
				elapsed, err := timed(func() error { return step.do(ctx, c) })
				*step.times = append(*step.times, elapsed)
				return err
			})
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	took.peak = peakMemory()
	return took, nil
}

// prepareAudience makes the recipients and the codes.
func (b *bench) prepareAudience(ctx context.Context, codes int) error {
	if err := b.writeRecipients(); err != nil {
		return err
	}
	if err := b.open(ctx); err != nil {
		return err
	}
	if err := b.server.importFile(ctx, "importRecipients", variables{}, b.file(recipientsFile), b.options.messages); err != nil {
		return err
	}
	var err error
	if b.couponID, err = b.newCoupon(ctx, "Audience", true); err != nil {
		return err
	}
	err = b.server.generateCodes(ctx, variables{"couponId": b.couponID, "count": codes, "pattern": "############"})
	if err != nil {
		return err
	}
	err = b.server.close()
	b.server = nil
	if err != nil {
		return err
	}
	return b.open(ctx)
}

// open starts the server with its jobs.
func (b *bench) open(ctx context.Context) error {
	var err error
	if b.server, err = newServer(ctx, b.path, b.clock, b.log); err != nil {
		return err
	}
	return b.server.startJobs() //nolint:contextcheck // jobs run until they are stopped
}

// assignToAudience has PostgreSQL give as many codes to recipients as ours has messages, of as many codes.
func (b *bench) assignToAudience(ctx context.Context, messages int) (elapsed time.Duration, err error) {
	p, err := startPostgres(ctx, b.file("postgres-audience"))
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	if err := p.run(ctx, "postgres", "CREATE DATABASE "+peerAudience); err != nil {
		return 0, err
	}
	err = p.run(ctx, peerAudience, peerColumns+fmt.Sprintf(`
INSERT INTO code (code) SELECT upper(substr(md5(i::TEXT), 1, 8)) || i FROM generate_series(1, %d) i;
CREATE UNIQUE INDEX code_code ON code (code);`, b.options.audienceCodes(messages)))
	if err != nil {
		return 0, err
	}
	return p.assign(ctx, peerAudience, messages)
}
