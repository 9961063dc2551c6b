package db

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"couponql/coupon"
	"couponql/db/duckdb"
	"couponql/db/duckdb/memory"
	"couponql/file"
)

// bounceRows are reports of what came of messages, on their way into the table.
type bounceRows struct {
	// rows has a row a report: line, what it names, number of the message, channel, address, kind, instant, reason.
	rows     *duckdb.Spool
	rejected rejectedSpool
	// recorded is how many are, or would be, recorded, and quarantined how many addresses come into quarantine by them.
	// pending is how many messages that are still to be sent go to these.
	recorded, quarantined, pending int
	// skipped is how many of the rejected rows are no fault.
	skipped int
	// region is where phone numbers are from that do not say so.
	region string
}

func (s *Store) newBounceRows() (*bounceRows, error) {
	spools, err := s.engine.NewSpools(2)
	if err != nil {
		return nil, err
	}
	return &bounceRows{rows: spools[0], rejected: rejectedSpool{spools[1]}, region: s.options.DefaultRegion}, nil
}

// reject notes a row that is not imported.
func (r *bounceRows) reject(line int, reason coupon.RejectionReason, value string) error {
	if !reason.IsFault() {
		r.skipped++
	}
	return r.rejected.add(line, reason, value)
}

// faults is how many of the rejected rows count for whether the others are recorded.
func (r *bounceRows) faults(rejected int) int { return rejected - r.skipped }

// total is how many rows there are, with those that are rejected already.
func (r *bounceRows) total() int { return r.rows.Rows() + r.rejected.Rows() }

// rejections is how many rows are rejected already.
func (r *bounceRows) rejections() int { return r.faults(r.rejected.Rows()) }

func (r *bounceRows) remove() error { return errors.Join(r.rows.Remove(), r.rejected.Remove()) }

// put adds a report, or rejects it. raw is what it names.
func (r *bounceRows) put(line int, raw string, b *coupon.Bounce, reason coupon.RejectionReason, value string) error {
	if reason != "" {
		return r.reject(line, reason, value)
	}
	if b.Address != "" {
		// Without what stands around it, so that it is found when its owner is erased.
		raw = b.Address
	}
	if b.Address != "" {
		address, why := coupon.Canonical(b.Channel, b.Address, r.region)
		if why != "" {
			// One that nobody can be written to is in no rejection either, as it may hold one that somebody can.
			if strings.ContainsRune(b.Address, '@') {
				b.Address = ""
			}
			return r.reject(line, coupon.RejectedBadAddress, b.Address)
		}
		b.Address = address.Send
	}
	r.rows.Number(int64(line)).Optional(coupon.Printable(raw))
	if b.MessageNumber == 0 {
		r.rows.Optional("")
	} else {
		r.rows.Number(b.MessageNumber)
	}
	return r.rows.Text(string(b.Channel)).Optional(b.Address).Text(string(b.Kind)).Text(b.At.UTC().Format(spoolTime)).Optional(b.Reason).End()
}

// bounceReader returns what reads reports to this database.
func (s *Store) bounceReader(channel *coupon.Channel, kind *coupon.BounceKind) *coupon.BounceReader {
	reader := &coupon.BounceReader{Origin: s.id, Now: s.now(), Channel: coupon.ChannelEmail, Kind: kind}
	if channel != nil {
		reader.Channel = *channel
	}
	return reader
}

// RecordBounces records what came of messages: of each it says whether it was recorded, known before, or rejected, and by
// which an address came into quarantine. What is known already, here or from an earlier call, changes nothing. It returns INVALID for
// no reports, or more than MaxRecordedBounces.
func (s *Store) RecordBounces(ctx context.Context, reports []*coupon.BounceInput) (record *coupon.BounceRecord, err error) {
	if len(reports) == 0 || len(reports) > coupon.MaxRecordedBounces {
		return nil, coupon.Errorf(coupon.ErrorInvalid, "Give 1 to %d bounces, not %d; importBounces takes more.", coupon.MaxRecordedBounces, len(reports)).
			At("input", "bounces")
	}
	rows, err := s.newBounceRows()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.remove()) }()
	reader := s.bounceReader(nil, nil)
	for i, in := range reports {
		b, reason, value := reader.Check(in)
		if err := rows.put(i+1, in.Names(), &b, reason, value); err != nil {
			return nil, err
		}
	}
	leave, err := s.recipients.Enter(ctx)
	if err != nil {
		return nil, s.cutOff(err)
	}
	defer leave()
	record = &coupon.BounceRecord{Rejections: []*coupon.Rejection{}}
	err = s.update(ctx, func(ctx context.Context, t *turn) error {
		if err := t.recordBounces(ctx, rows, 0, gate{}); err != nil {
			return err
		}
		rejections, err := duckdb.Collect(ctx, t, rejectedList, scanRejection)
		for _, r := range rejections {
			if r.Reason.IsRepeat() {
				record.RepeatedCount++
			} else {
				record.Rejections = append(record.Rejections, r)
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	record.RecordedCount, record.QuarantinedCount, record.PendingMessageCount = rows.recorded, rows.quarantined, rows.pending
	return record, nil
}

// recordBounces records the reports that are not rejected; the rejected ones stay in the temporary table. The caller is in the
// lane of recipients: nobody else puts an address in quarantine or takes one out.
func (t *tx) recordBounces(ctx context.Context, r *bounceRows, importNumber int64, gate gate) error {
	if err := t.stage(ctx, bounceStage, r.rows, r.rejected); err != nil {
		return err
	}
	for _, statement := range []string{bounceRejectUnknown, bounceRejectDoubles, bounceRejectRecorded} {
		if _, err := t.Exec(ctx, statement); err != nil {
			return err
		}
	}
	rejected, err := duckdb.One[int](ctx, t, rejectedCount)
	if err != nil {
		return err
	}
	r.recorded, r.quarantined, r.pending = r.total()-rejected, 0, 0
	if r.recorded == 0 {
		return nil
	}
	renewed := 0
	if err := t.Create(ctx, bounceTouched); err != nil {
		return err
	}
	if err := t.createSuspects(ctx, stagedReports); err != nil {
		return err
	}
	err = duckdb.Each(ctx, t, suspectCount, func(rows *sql.Rows) error { return rows.Scan(&r.quarantined, &renewed) })
	if err != nil {
		return err
	}
	if r.quarantined+renewed > 0 {
		if r.pending, err = t.countPending(ctx, suspectPending); err != nil {
			return err
		}
	}
	if !gate.opens(r.faults(rejected)) {
		return nil
	}
	if _, err := t.Exec(ctx, bounceRecord, named("import_id", unlessZero(importNumber)), named("now", t.now)); err != nil {
		return err
	}
	if renewed > 0 {
		if _, err := t.Exec(ctx, quarantineRenew); err != nil {
			return err
		}
	}
	if r.quarantined > 0 {
		if _, err := t.Exec(ctx, quarantineInsert, named("now", t.now)); err != nil {
			return err
		}
	}
	if r.quarantined+renewed > 0 {
		t.touch(memory.Quarantine)
	}
	return nil
}

// stagedReports are the reports that are about to be recorded, beside those that are.
const stagedReports = `UNION ALL SELECT s.channel, s.address_key, s.kind, s.happened_at, s.reason
    FROM stage s ANTI JOIN rejected r ON r.line = s.line WHERE s.address_key IS NOT NULL`

// createSuspects finds which of the touched addresses are to be in quarantine, by the recorded reports and others.
func (t *tx) createSuspects(ctx context.Context, others string) error {
	return t.Create(ctx, fill(bounceSuspects, "/* and those staged */", others), named("soft_limit", t.store.options.SoftBounceLimit),
		named("window_days", int(coupon.SoftBounceWindow/(24*time.Hour))))
}

// withdrawBounces takes the reports of an import back. It gives how many, and how many addresses left quarantine: those that nothing
// but these reports brought there, and that nobody has written to again. The caller is in the lane of recipients.
func (t *tx) withdrawBounces(ctx context.Context, importNumber int64) (removed, lifted int, err error) {
	of := named("import_id", importNumber)
	if err := t.Create(ctx, bounceTouchedBefore, of); err != nil {
		return 0, 0, err
	}
	if removed, err = t.Exec(ctx, bounceDelete, of); err != nil || removed == 0 {
		return 0, 0, err
	}
	if err := t.createSuspects(ctx, ""); err != nil {
		return 0, 0, err
	}
	if _, err := t.Exec(ctx, quarantineReview); err != nil {
		return 0, 0, err
	}
	lifted, err = t.Exec(ctx, quarantineWithdraw)
	t.touch(memory.Quarantine)
	return removed, lifted, err
}

// Places of the fields in file.Columns.
const (
	bouncesAddress = iota
	bouncesMessageID
	bouncesEvent
	bouncesKind
	bouncesStatus
	bouncesAt
	bouncesReason
)

func (r *importReader) importingBounces(gate gate) (*importing, error) {
	zone, err := coupon.LoadZone(r.source.Timezone)
	if err != nil {
		return nil, err
	}
	rows, err := r.store.newBounceRows()
	if err != nil {
		return nil, err
	}
	reader := r.store.bounceReader(r.source.Channel, r.source.BounceKind)
	dates := &coupon.FileDates{Zone: zone, Now: reader.Now, Order: r.source.Options.DateOrder}
	textOf := func(row *file.Row) *coupon.BounceText {
		return &coupon.BounceText{
			MessageID: row.Get(bouncesMessageID), Address: row.Get(bouncesAddress), Event: row.Get(bouncesEvent),
			Kind: row.Get(bouncesKind), Status: row.Get(bouncesStatus), Reason: row.Get(bouncesReason),
		}
	}
	return &importing{
		rows: rows,
		look: func(row *file.Row) (isBad bool) {
			date := row.Get(bouncesAt)
			if dates.Observe(date); r.source.Options.MaxRejections == nil {
				return false
			}
			_, reason := dates.Parse(date)
			_, other, _ := reader.Read(textOf(row), nil)
			return other.IsFault() && (reason == coupon.RejectedBadDate || other != "")
		},
		take: func(row *file.Row) error {
			text := textOf(row)
			var at *time.Time
			if date := row.Get(bouncesAt); date != "" {
				found, reason := dates.Parse(date)
				if reason != "" {
					return rows.reject(row.Line, reason, date)
				}
				at = &found
			}
			b, reason, value := reader.Read(text, at)
			return rows.put(row.Line, text.Names(), &b, reason, value)
		},
		harmless: func() int { return rows.skipped },
		// Whoever erases recipients has to find the rejected rows that name them, and their addresses.
		lane: r.store.recipients,
		store: func(ctx context.Context, t *tx, _ *memory.Witness) error {
			return t.recordBounces(ctx, rows, r.number, gate)
		},
		finish: func(context.Context, *turn, *memory.Witness) (int, error) {
			r.source.Changes.Added, r.source.Changes.Quarantined = rows.recorded, rows.quarantined
			r.source.Changes.PendingMessages = rows.pending
			return rows.recorded, nil
		},
	}, nil
}

// OutcomesOf counts what was reported of the messages of each delivery.
func (s *Store) OutcomesOf(ctx context.Context, deliveries []coupon.ID) (map[coupon.ID]*coupon.DeliveryOutcomes, error) {
	known, err := s.DeliveriesByID(ctx, deliveries)
	if err != nil {
		return nil, err
	}
	found := make(map[coupon.ID]*coupon.DeliveryOutcomes, len(deliveries))
	for id, d := range known {
		found[id] = &coupon.DeliveryOutcomes{Arrived: d.Counts.Sent}
	}
	err = duckdb.Each(ctx, s.engine, deliveryOutcomes, func(rows *sql.Rows) error {
		var number int64
		var o coupon.DeliveryOutcomes
		var returned int
		err := rows.Scan(&number, &o.Delivered, &o.SoftBounced, &o.HardBounced, &o.Complained, &returned)
		if sent := found[coupon.NewID(coupon.KindDelivery, number)]; sent != nil {
			// A message may have been sent, and come back, since the delivery was read.
			o.Arrived = max(0, sent.Arrived-returned)
			*sent = o
		}
		return err
	}, named("ids", numbersOf(coupon.KindDelivery, deliveries)))
	return found, err
}
