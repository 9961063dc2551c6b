package main

import (
	"context"
	"fmt"
	"strings"
	"time"
)

const (
	// maxDelivery is the promised time to analyze and confirm a delivery of 100,000 messages, in seconds.
	maxDelivery = 0.5
	// campaignDays is how long ago the first delivery is sent; each one is a day later.
	campaignDays = 60
	// batchSize is how many messages the raw side marks as sent at once: as many as the server does.
	batchSize = 5000
	// labelAttribute is the attribute of recipients that labels of codes are matched to.
	labelAttribute = "sport"
)

// campaign is a delivery of the server.
type campaign struct {
	id       string
	kind     *deliveryKind
	messages int
}

// deliveryKind is a way to hand out codes.
type deliveryKind struct {
	name    string
	channel string
	// share is how many of the recipients get a message.
	share      float64
	matchLabel bool
	// source is the raw statement that gives the messages: recipient_id, address, code_id. Its parameters are
	// the delivery, the first code that is free, and the limit.
	source string
}

// deliveryKinds returns the kinds that are measured. Matching by label comes first: the others take codes
// label by label, and would use some up.
func deliveryKinds() []*deliveryKind {
	// Who gets a message: those who have an address that can be one and may be contacted, each address once.
	const reachable = `
FROM target t JOIN recipient r ON r.id = t.recipient_id
WHERE t.delivery_id = $delivery AND r.email IS NOT NULL AND r.is_contactable AND regexp_full_match(r.email, '[^@\s]+@[^@\s]+\.[^@\s]+')
QUALIFY row_number() OVER (PARTITION BY lower(r.email) ORDER BY t.seq) = 1`
	// The codes are taken by number, from the first free one.
	const next = "$first + row_number() OVER () - 1"
	return []*deliveryKind{
		{
			name: "codes by label", channel: "SMS", share: 1, matchLabel: true,
			source: `SELECT m.recipient_id, m.address, c.id AS code_id
FROM (
    SELECT recipient_id, address, sport, row_number() OVER (PARTITION BY sport) AS place
    FROM (SELECT r.id AS recipient_id, r.email AS address, r.attributes->>'sport' AS sport` + reachable + `)
) m JOIN (
    SELECT id, label, row_number() OVER (PARTITION BY label ORDER BY id) AS place
    FROM code WHERE id NOT IN (SELECT code_id FROM message) AND $first > 0
) c ON c.label = m.sport AND c.place = m.place
LIMIT $limit`,
		},
		{
			name: "individual codes", channel: "EMAIL", share: 1,
			source: `SELECT recipient_id, address, ` + next + ` AS code_id
FROM (SELECT r.id AS recipient_id, r.email AS address` + reachable + ` LIMIT $limit)`,
		},
		{
			name: "limited to nine in ten", channel: "EMAIL", share: 0.9,
			source: `SELECT recipient_id, address, ` + next + ` AS code_id
FROM (SELECT r.id AS recipient_id, r.email AS address` + reachable + ` ORDER BY md5($delivery || ':' || r.id) LIMIT $limit)`,
		},
	}
}

// messageBody is a mail as shops send it: about a kilobyte, with a few tokens.
func messageBody() string {
	return `<html><body><h1>Hello {{ recipient.firstName }} {{ recipient.lastName }},</h1>` +
		strings.Repeat("<p>the season begins, and we have put something aside for you. Come and see what is new on our shelves.</p>\n", 8) +
		`<p>Your code for everything about {{ recipient.attributes.sport }}: <b>{{ couponValue.code }}</b></p></body></html>`
}

// prepare creates a delivery to everybody.
func (b *bench) prepare(ctx context.Context, kind *deliveryKind, couponID string, limit int) (*campaign, error) {
	fields := variables{
		"label": kind.name, "channel": kind.channel, "couponId": couponID,
		"subject": "For you, {{ recipient.firstName }}", "body": messageBody(),
	}
	if limit < b.options.messages {
		fields["messageLimit"] = limit
	}
	if kind.matchLabel {
		fields["matchLabelTo"] = labelAttribute
	}
	var created struct {
		Created struct{ Delivery struct{ ID string } }
	}
	err := b.server.ask(
		ctx,
		"mutation($input: CreateDeliveryInput!) { created: createDelivery(input: $input) { delivery { id } userErrors { message } } }",
		input(fields),
		&created,
	)
	if err != nil {
		return nil, err
	}
	c := &campaign{id: created.Created.Delivery.ID, kind: kind, messages: limit}
	return c, b.server.ask(ctx, "mutation($input: AddTargetsInput!) { addTargets(input: $input) { userErrors { message } } }",
		input(variables{"deliveryId": c.id, "filter": variables{}}), nil)
}

func (b *bench) analyze(ctx context.Context, c *campaign) error {
	var answer struct {
		Analyzed struct {
			Delivery struct {
				Status   string
				Analysis struct{ Log []struct{ Text string } }
			}
		}
	}
	err := b.server.ask(
		ctx,
		"mutation($input: AnalyzeDeliveryInput!) { analyzed: analyzeDelivery(input: $input) { delivery { status analysis { log { text } } } userErrors { message } } }",
		input(variables{"id": c.id}),
		&answer,
	)
	if d := answer.Analyzed.Delivery; err == nil && d.Status != "READY" {
		err = fmt.Errorf("the delivery is %s after its analysis: %v", d.Status, d.Analysis.Log)
	}
	return err
}

func (b *bench) confirm(ctx context.Context, c *campaign) error {
	var answer struct {
		Confirmed struct {
			Delivery struct{ Counts struct{ Total int } }
		}
	}
	err := b.server.ask(
		ctx,
		"mutation($input: ConfirmDeliveryInput!) { confirmed: confirmDelivery(input: $input) { delivery { counts { total } } userErrors { message } } }",
		input(variables{"id": c.id}),
		&answer,
	)
	if total := answer.Confirmed.Delivery.Counts.Total; err == nil && total != c.messages {
		err = fmt.Errorf("%d messages instead of %d", total, c.messages)
	}
	return err
}

// measureDeliveries analyzes and confirms each kind of delivery a few times. No jobs run, so that nothing is
// sent meanwhile.
func (b *bench) measureDeliveries(ctx context.Context) error {
	day := campaignDays
	next := 1
	for _, kind := range deliveryKinds() {
		var analyses, confirmations, both, raw []time.Duration
		name := fmt.Sprintf("analyze + confirm %s messages, %s", count(b.messagesOf(kind)), kind.name)
		for range b.options.runs {
			day--
			b.clock.moveTo(max(0, day))
			c, err := b.prepare(ctx, kind, b.couponID, b.messagesOf(kind))
			if err != nil {
				return err
			}
			var analysis, confirmation time.Duration
			err = b.profiled(name, func() error {
				if analysis, err = timed(func() error { return b.analyze(ctx, c) }); err != nil {
					return err
				}
				confirmation, err = timed(func() error { return b.confirm(ctx, c) })
				return err
			})
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			// Its messages wait until they are measured.
			if err := b.server.ask(
				ctx,
				"mutation($input: PauseDeliveryInput!) { pauseDelivery(input: $input) { userErrors { message } } }",
				input(variables{"id": c.id}),
				nil,
			); err != nil {
				return err
			}
			b.campaigns = append(b.campaigns, *c)
			analyses, confirmations = append(analyses, analysis), append(confirmations, confirmation)
			both = append(both, analysis+confirmation)
			elapsed, err := b.confirmRaw(ctx, len(b.campaigns), next, c)
			if err != nil {
				return fmt.Errorf("%s: raw: %w", name, err)
			}
			raw = append(raw, elapsed)
			next += c.messages
		}
		b.add(newResult(name, "s", median(both).Seconds(), median(raw).Seconds(), goal{most: maxDelivery}))
		b.add(newResult("  of which the analysis", "s", median(analyses).Seconds(), 0, goal{}))
		if kind.share == 1 && !kind.matchLabel {
			b.confirmation = median(confirmations)
		}
		b.add(newResult("  of which the confirmation", "s", median(confirmations).Seconds(), 0, goal{}))
	}
	return nil
}

func (b *bench) messagesOf(kind *deliveryKind) int {
	return int(kind.share * float64(b.options.messages))
}

// confirmRaw writes the messages of a delivery with one statement, each with a code.
func (b *bench) confirmRaw(ctx context.Context, delivery, firstCode int, c *campaign) (time.Duration, error) {
	if err := b.raw.run(ctx, fmt.Sprintf("INSERT INTO target SELECT %d, row_number() OVER (), id FROM recipient", delivery)); err != nil {
		return 0, err
	}
	elapsed, err := timed(func() error {
		return b.raw.exec(ctx, `INSERT INTO message (id, delivery_id, coupon_id, recipient_id, address, code_id, created_at)
SELECT $first + row_number() OVER () - 1, $delivery, 1, recipient_id, address, code_id, now()::TIMESTAMP FROM (`+c.kind.source+`)`,
			named("delivery", delivery), named("first", firstCode), named("limit", c.messages))
	})
	if err != nil {
		return 0, err
	}
	written, err := b.raw.read(ctx, "SELECT count(DISTINCT code_id) FROM message WHERE delivery_id = ?", delivery)
	if err == nil && written[0][0] != int64(c.messages) {
		err = fmt.Errorf("%v messages instead of %d", written[0][0], c.messages)
	}
	return elapsed, err
}

// measureSending sends the deliveries with individual codes one after the other, then all the others, and
// last as many messages of another coupon as are missing for the statistics.
func (b *bench) measureSending(ctx context.Context) error {
	if err := b.server.startJobs(); err != nil { //nolint:contextcheck // jobs run until they are stopped
		return err
	}
	var ours, raw load
	name := fmt.Sprintf("send %s messages to the outbox", count(b.options.messages))
	sent := 0
	for i, c := range b.campaigns {
		sent += c.messages
		if c.kind.matchLabel || c.kind.share < 1 {
			continue
		}
		err := b.profiled(name, func() error {
			elapsed, err := timed(func() error { return b.send(ctx, &c) })
			ours.rates = append(ours.rates, float64(c.messages)/elapsed.Seconds())
			return err
		})
		if err != nil {
			return err
		}
		elapsed, err := timed(func() error { return b.sendRaw(ctx, i+1) })
		if err != nil {
			return fmt.Errorf("raw sending: %w", err)
		}
		raw.rates = append(raw.rates, float64(c.messages)/elapsed.Seconds())
	}
	b.add(newResult("send messages to the outbox", "/s", ours.rate(), raw.rate(), goal{}))
	for _, c := range b.campaigns {
		if c.kind.matchLabel || c.kind.share < 1 {
			if err := b.send(ctx, &c); err != nil {
				return err
			}
		}
	}
	return b.fill(ctx, b.options.codes-sent)
}

// send resumes a paused delivery and waits until it is finished.
func (b *bench) send(ctx context.Context, c *campaign) error {
	err := b.server.ask(
		ctx,
		"mutation($input: ResumeDeliveryInput!) { resumeDelivery(input: $input) { userErrors { message } } }",
		input(variables{"id": c.id}),
		nil,
	)
	if err != nil {
		return err
	}
	return b.awaitSent(ctx, c)
}

func (b *bench) awaitSent(ctx context.Context, c *campaign) error {
	var answer struct {
		Delivery struct {
			Status string
			Counts struct{ Sent int }
		}
	}
	err := b.server.follow(ctx, "query($id: ID!) { delivery(id: $id) { status counts { sent } } }", variables{"id": c.id}, &answer, func() bool {
		return answer.Delivery.Status != "IN_PROGRESS"
	})
	if err == nil && answer.Delivery.Counts.Sent != c.messages {
		err = fmt.Errorf("%d messages are sent instead of %d; the delivery is %s", answer.Delivery.Counts.Sent, c.messages, answer.Delivery.Status)
	}
	return err
}

// sendRaw reads what is needed to write the messages of a delivery, and marks them as sent, in batches.
func (b *bench) sendRaw(ctx context.Context, delivery int) error {
	bounds, err := b.raw.read(ctx, "SELECT min(id), max(id) FROM message WHERE delivery_id = ?", delivery)
	if err != nil {
		return err
	}
	first, _ := bounds[0][0].(int64)
	last, _ := bounds[0][1].(int64)
	for ; first <= last; first += batchSize {
		end := min(last, first+batchSize-1)
		err := b.raw.expect(ctx, int(end-first+1), `SELECT m.id, m.address, c.key, r.first_name, r.last_name, r.attributes
FROM message m JOIN code c ON c.id = m.code_id JOIN recipient r ON r.id = m.recipient_id
WHERE m.id BETWEEN ? AND ? AND m.delivery_id = ?`, first, end, delivery)
		if err != nil {
			return err
		}
		err = b.raw.exec(
			ctx,
			"INSERT INTO sending (message_id, delivery_id, outcome, settled_at) SELECT id, delivery_id, 'SENT', now()::TIMESTAMP FROM message WHERE id BETWEEN ? AND ? AND delivery_id = ?",
			first,
			end,
			delivery,
		)
		if err != nil {
			return err
		}
	}
	return nil
}

// fill sends codes of another coupon, which are made by the server, until there are as many messages as the
// statistics are to be about.
func (b *bench) fill(ctx context.Context, missing int) error {
	couponID, err := b.newCoupon(ctx, "Generated", true)
	if err != nil {
		return err
	}
	if err = b.server.generateCodes(ctx, variables{"couponId": couponID, "count": b.options.codes}); err != nil {
		return err
	}
	kind := &deliveryKind{name: "generated codes", channel: "EMAIL"}
	for day := campaignDays / 2; missing > 0; day-- {
		b.clock.moveTo(max(0, day))
		c, err := b.prepare(ctx, kind, couponID, min(missing, b.options.messages))
		if err == nil {
			err = b.analyze(ctx, c)
		}
		if err == nil {
			err = b.confirm(ctx, c)
		}
		if err == nil {
			err = b.awaitSent(ctx, c)
		}
		if err != nil {
			return err
		}
		missing -= c.messages
	}
	return nil
}
