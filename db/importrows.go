package db

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"couponql/coupon"
	"couponql/db/duckdb"
	"couponql/db/duckdb/memory"
	"couponql/file"
)

// newImportReader gives what reads the file of an import and stores its rows.
func (s *Store) newImportReader(number int64, i *coupon.Import, progress *importProgress) *importReader {
	return &importReader{store: s, number: number, source: i, progress: progress, decide: s.decideImport}
}

// decideImport is decideBeside for a job, which is ended where it stands when it is called off.
func (s *Store) decideImport(
	ctx context.Context, do func(*tx, *memory.Witness) error, finish func(context.Context, *turn, *memory.Witness) error,
) error {
	return s.decideBeside(ctx, do, func(inner context.Context, t *turn, w *memory.Witness) error {
		if ctx.Err() != nil {
			return fmt.Errorf("store the rows: %w", context.Cause(ctx))
		}
		return finish(inner, t, w)
	})
}

// run reads the file and stores its rows. The format of the import becomes what the file is.
func (r *importReader) run(ctx context.Context) error {
	gate := gate{isDryRun: r.source.IsDryRun, rejectFile: r.source.OnRejection == coupon.RejectFile}
	switch r.source.Kind {
	case coupon.ImportCodes:
		return r.importCodes(ctx, gate)
	case coupon.ImportRecipients:
		return r.importRecipients(ctx, gate)
	case coupon.ImportRedemptions:
		return r.importRedemptions(ctx, gate)
	case coupon.ImportTargets:
		return r.importTargets(ctx, gate)
	}
	return fmt.Errorf("import of %s", r.source.Kind)
}

// importReader reads the file of one import.
type importReader struct {
	store    *Store
	number   int64
	source   *coupon.Import
	progress *importProgress
	// decide is Store.decideImport.
	decide func(ctx context.Context, do func(*tx, *memory.Witness) error, finish func(context.Context, *turn, *memory.Witness) error) error
}

// each gives every row that can be read to take, and every other one to refuse. It counts progress, so
// only the pass that stores rows sets count.
func (r *importReader) each(ctx context.Context, count bool, refuse func(*file.Row) error, take func(*file.Row) error) (err error) {
	reader, err := r.store.openImport(r.source)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, reader.Close()) }()
	r.source.Format = reader.Layout().Format
	for {
		row, err := reader.Next()
		if errors.Is(err, io.EOF) {
			if count {
				r.describe(reader.Layout())
			}
			return nil
		}
		if err != nil {
			return err
		}
		if count {
			if err := r.count(ctx, reader); err != nil {
				return err
			}
		}
		if row.Reason != "" {
			err = refuse(row)
		} else {
			err = take(row)
		}
		if err != nil {
			return err
		}
	}
}

// openImport opens the file of an import.
func (s *Store) openImport(i *coupon.Import) (*file.Reader, error) {
	if i.UploadID == nil {
		return nil, fmt.Errorf("the file of %s is not known", i.ID)
	}
	return file.Open(s.uploadPath(coupon.MustNumber(coupon.KindUpload, *i.UploadID)), i.Options, file.Columns(i.Kind))
}

// describe notes how the file turned out to be written, and which of its columns are not read.
func (r *importReader) describe(found file.Layout) {
	layout := &coupon.ImportLayout{HasHeader: found.HasHeader, Columns: make([]*coupon.ImportColumn, len(found.Columns))}
	if found.Delimiter != "" {
		layout.Delimiter = &found.Delimiter
	}
	if found.Encoding != "" {
		layout.Encoding = &found.Encoding
	}
	for i, name := range found.Columns {
		layout.Columns[i] = &coupon.ImportColumn{Name: name}
		if field := found.Fields[i]; field != "" {
			layout.Columns[i].Field = &field
		} else if name != "" && !file.IsReject(name) {
			r.source.Warn(coupon.WarningIgnoredColumn, 0, name)
		}
	}
	r.source.Layout = layout
}

// advance tells how much of checking and storing is done, in per cent.
func (r *importReader) advance(percent int64) {
	r.progress.stored.Store(percent)
	r.store.watchers.notify(r.source.ID)
}

// rowsPerCheck is how many rows are read between two looks at the clock and the context.
const rowsPerCheck = 1024

func (r *importReader) count(ctx context.Context, reader *file.Reader) error {
	p := r.progress
	if p.rows.Add(1)%rowsPerCheck != 0 {
		return nil
	}
	read, size := reader.Position()
	p.read.Store(read)
	p.size.Store(size)
	if now := time.Now(); now.Sub(p.notified) >= progressInterval {
		p.notified = now
		r.store.watchers.notify(r.source.ID)
		// A small file can unpack to more rows than the disk has room for: it must not take the room of others.
		if err := r.store.engine.CheckDisk(2 * r.store.reserve); err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return fmt.Errorf("read the file: %w", context.Cause(ctx))
	}
	return nil
}

// Places of the fields in file.Columns.
const (
	codesCode = iota
	codesLabel
)

func (r *importReader) importCodes(ctx context.Context, gate gate) (err error) {
	rows, err := r.store.newCodeRows()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.remove()) }()
	err = r.each(ctx, true, func(row *file.Row) error {
		return rows.refused.add(row.Line, row.Reason, row.Raw)
	}, func(row *file.Row) error {
		code, label := row.Get(codesCode), row.Get(codesLabel)
		if label == "" && r.source.Label != nil {
			label = *r.source.Label
		}
		if kind := coupon.OddCode(code); kind != "" {
			r.source.Warn(kind, row.Line, coupon.Printable(code))
		}
		return rows.add(row.Line, code, label)
	})
	if err != nil {
		return err
	}
	switch r.source.Mode {
	case coupon.ImportVoid:
		return r.voidCodes(ctx, rows, gate)
	case coupon.ImportReplaceUnused:
		leave, err := r.store.removals.Enter(ctx)
		if err != nil {
			return err
		}
		defer leave()
		defer r.store.memory.ForgetKeys()
	case coupon.ImportAdd:
	}
	return r.addCodes(ctx, rows, gate)
}

// addCodes adds the codes of the file while the writer serves others.
func (r *importReader) addCodes(ctx context.Context, rows *codeRows, gate gate) error {
	couponNumber, err := r.source.CouponID.Number(coupon.KindCoupon)
	if err != nil {
		return err
	}
	addition := &codeAddition{
		couponNumber: couponNumber, importNumber: r.number, rows: rows, gate: gate, advance: r.advance,
		replacesUnused: r.source.Mode == coupon.ImportReplaceUnused,
	}
	return r.decide(ctx, func(t *tx, w *memory.Witness) error {
		if err := t.insertCodes(ctx, addition, w); err != nil {
			return err
		}
		return t.recordRefused(ctx, r.number)
	}, func(ctx context.Context, t *turn, w *memory.Witness) error {
		if _, err := t.poolOf(ctx, *r.source.CouponID, r.source.Mode); err != nil {
			return err
		}
		if err := t.settleAddition(ctx, addition, w); err != nil {
			return err
		}
		r.source.Changes.Added, r.source.Changes.Removed = addition.count, addition.removed
		return t.settleImport(ctx, r.number, r.source, rows.total(), addition.count)
	})
}

// voidCodes voids the codes of the file while the writer serves others.
func (r *importReader) voidCodes(ctx context.Context, rows *codeRows, gate gate) error {
	couponNumber, err := r.source.CouponID.Number(coupon.KindCoupon)
	if err != nil {
		return err
	}
	voiding := &codeVoiding{
		couponNumber: couponNumber, importNumber: r.number, rows: rows, gate: gate, reason: "voided by the import of " + r.source.FileName,
	}
	return r.decide(ctx, func(t *tx, _ *memory.Witness) error {
		if err := t.voidRows(ctx, voiding); err != nil {
			return err
		}
		return t.recordRefused(ctx, r.number)
	}, func(ctx context.Context, t *turn, w *memory.Witness) error {
		if _, err := t.poolOf(ctx, *r.source.CouponID, r.source.Mode); err != nil {
			return err
		}
		if err := t.settleVoiding(ctx, voiding, w); err != nil {
			return err
		}
		r.source.Changes.Voided = voiding.count
		return t.settleImport(ctx, r.number, r.source, rows.total(), voiding.count)
	})
}

// Places of the fields in file.Columns.
const (
	recipientsExternalID = iota
	recipientsEmail
	recipientsPhone
	recipientsFirstName
	recipientsLastName
	recipientsContactable
)

func (r *importReader) importRecipients(ctx context.Context, gate gate) (err error) {
	rows, err := r.store.newRecipientRows()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.remove()) }()
	err = r.each(ctx, true, func(row *file.Row) error {
		return rows.refused.add(row.Line, row.Reason, row.Raw)
	}, func(row *file.Row) error {
		changes, reason, value, err := recipientOf(row)
		if err != nil {
			return err
		}
		if reason == "" {
			reason, _, value = changes.Clean()
		}
		if reason != "" {
			return rows.refused.add(row.Line, reason, value)
		}
		return rows.put(row.Line, changes)
	})
	if err != nil {
		return err
	}
	leave, err := r.store.recipients.Enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	var added, changed int
	return r.decide(ctx, func(t *tx, _ *memory.Witness) (err error) {
		if added, changed, err = t.upsertRecipients(ctx, rows, gate); err != nil {
			return err
		}
		return t.recordRefused(ctx, r.number)
	}, func(ctx context.Context, t *turn, _ *memory.Witness) error {
		r.source.Changes.Added, r.source.Changes.Changed = added, changed
		return t.settleImport(ctx, r.number, r.source, rows.total(), added+changed)
	})
}

// recipientOf reads a row; columns that are no field of a recipient are attributes.
func recipientOf(row *file.Row) (changes *coupon.RecipientChanges, reason coupon.RejectionReason, value string, err error) {
	changes = &coupon.RecipientChanges{ExternalID: row.Get(recipientsExternalID)}
	for place, change := range map[int]*coupon.Change[string]{
		recipientsEmail: &changes.Email, recipientsPhone: &changes.Phone, recipientsFirstName: &changes.FirstName, recipientsLastName: &changes.LastName,
	} {
		if row.Has(place) {
			*change = coupon.Set(new(row.Get(place)))
		}
	}
	if row.Has(recipientsContactable) {
		isContactable, ok := parseFlag(row.Get(recipientsContactable))
		if !ok {
			return nil, coupon.RejectedMalformed, row.Get(recipientsContactable), nil
		}
		changes.IsContactable = coupon.Set(&isContactable)
	}
	attributes := map[string]string{}
	hasAttributes := false
	row.Extra(func(name, value string) {
		hasAttributes = true
		if value != "" {
			attributes[name] = value
		}
	})
	if hasAttributes {
		text, err := json.Marshal(attributes)
		if err != nil {
			return nil, "", "", fmt.Errorf("encode attributes: %w", err)
		}
		changes.Attributes = coupon.Set(new(coupon.JSON(text)))
	}
	return changes, "", "", nil
}

// Places of the fields in file.Columns.
const (
	redemptionsCode = iota
	redemptionsRedeemedAt
	redemptionsReference
	redemptionsAmount
	redemptionsCurrency
)

func (r *importReader) importRedemptions(ctx context.Context, gate gate) (err error) {
	rows, err := r.store.newRedemptionRows(r.number, gate)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.remove()) }()
	zone, err := coupon.LoadZone(r.source.Timezone)
	if err != nil {
		return err
	}
	dates := &coupon.FileDates{Zone: zone, Now: r.store.now()}
	// A first pass tells in which order days and months stand.
	ignore := func(*file.Row) error { return nil }
	err = r.each(ctx, false, ignore, func(row *file.Row) error {
		dates.Observe(row.Get(redemptionsRedeemedAt))
		return nil
	})
	if err != nil {
		return err
	}
	err = r.each(ctx, true, func(row *file.Row) error {
		return rows.refused.add(row.Line, row.Reason, row.Raw)
	}, func(row *file.Row) error {
		return r.takeRedemption(row, dates, rows)
	})
	if err != nil {
		return err
	}
	leave, err := r.store.redemptions.Enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	return r.decide(ctx, func(t *tx, w *memory.Witness) error {
		if err := t.recordRedemptions(ctx, rows); err != nil {
			return err
		}
		if err := t.recordRefused(ctx, r.number); err != nil {
			return err
		}
		return t.catchUp(ctx, rows, w)
	}, func(ctx context.Context, t *turn, w *memory.Witness) error {
		if err := t.settleRedemptions(ctx, rows, w); err != nil {
			return err
		}
		r.source.Changes.Added = rows.count
		return t.settleImport(ctx, r.number, r.source, rows.total(), rows.count)
	})
}

func (r *importReader) takeRedemption(row *file.Row, dates *coupon.FileDates, rows *redemptionRows) error {
	raw := row.Get(redemptionsCode)
	value, key, reason := r.store.keys.Parse(raw)
	if reason == coupon.RejectedTooLong || reason == coupon.RejectedBadCharacter {
		return rows.refused.add(row.Line, reason, raw)
	}
	if reason != "" {
		return rows.refused.add(row.Line, coupon.RejectedEmpty, raw)
	}
	date := row.Get(redemptionsRedeemedAt)
	at, reason := dates.Parse(date)
	if reason != "" {
		return rows.refused.add(row.Line, reason, date)
	}
	reference, reason := coupon.CleanLabel(row.Get(redemptionsReference))
	if reason != "" {
		return rows.refused.add(row.Line, reason, row.Get(redemptionsReference))
	}
	amount, currency := coupon.CleanValue(row.Get(redemptionsAmount)), coupon.CleanValue(row.Get(redemptionsCurrency))
	if amount != "" {
		if _, err := coupon.ParseDecimal(amount); err != nil {
			return rows.refused.add(row.Line, coupon.RejectedMalformed, amount)
		}
	}
	if currency != "" && !coupon.IsCurrency(currency) {
		return rows.refused.add(row.Line, coupon.RejectedMalformed, currency)
	}
	if err := r.store.addCandidates(rows.candidates, row.Line, key); err != nil {
		return err
	}
	return rows.rows.Number(int64(row.Line)).Text(coupon.Printable(value)).Text(key).Text(at.Format(spoolTime)).
		Text(dates.Latest(date, at).Format(spoolTime)).Optional(reference).Optional(amount).Optional(currency).End()
}

// spoolTime is how a spool has an instant.
const spoolTime = "2006-01-02 15:04:05.000000"

func (r *importReader) importTargets(ctx context.Context, gate gate) (err error) {
	rows, err := r.store.newRecipientRows()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.remove()) }()
	err = r.each(ctx, true, func(row *file.Row) error {
		return rows.refused.add(row.Line, row.Reason, row.Raw)
	}, func(row *file.Row) error {
		raw := row.Get(recipientsExternalID)
		externalID, reason := coupon.CleanLabel(raw)
		if reason == "" && externalID == "" {
			reason = coupon.RejectedEmpty
		}
		if reason != "" {
			return rows.refused.add(row.Line, reason, raw)
		}
		return rows.rows.Number(int64(row.Line)).Text(externalID).End()
	})
	if err != nil {
		return err
	}
	// Whoever erases recipients has to find the rejected rows that name them.
	leave, err := r.store.recipients.Enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	deliveryNumber, imported := int64(0), 0
	return r.decide(ctx, func(t *tx, _ *memory.Witness) (err error) {
		if deliveryNumber, _, err = t.delivery(ctx, *r.source.DeliveryID); err != nil {
			return err
		}
		if imported, err = t.addTargets(ctx, deliveryNumber, rows, gate); err != nil {
			return err
		}
		return t.recordRefused(ctx, r.number)
	}, func(ctx context.Context, t *turn, w *memory.Witness) error {
		if r.store.memory.IsTouched(w.Revision, memory.Topic(*r.source.DeliveryID)) {
			return errRival
		}
		_, d, err := t.delivery(ctx, *r.source.DeliveryID)
		if err != nil {
			return err
		}
		if _, err := d.Check(coupon.ActionEdit); err != nil {
			return err
		}
		r.source.Changes.Added = imported
		if gate.opens(rows.total() - imported) {
			if err := t.settleTargets(ctx, deliveryNumber, d); err != nil {
				return err
			}
		}
		return t.settleImport(ctx, r.number, r.source, rows.total(), imported)
	})
}

// addTargets adds the staged targets that are not refused. It gives how many were, or would be, added.
func (t *tx) addTargets(ctx context.Context, number int64, rows *recipientRows, gate gate) (int, error) {
	if err := t.stage(ctx, targetStage, rows.rows, rows.refused); err != nil {
		return 0, err
	}
	if _, err := t.Exec(ctx, targetRefuse, named("id", number)); err != nil {
		return 0, err
	}
	refused, err := duckdb.One[int](ctx, t, refusedCount)
	if err != nil {
		return 0, err
	}
	count := rows.total() - refused
	if count == 0 || !gate.opens(refused) {
		return count, nil
	}
	_, last, err := t.countTargets(ctx, number)
	if err != nil {
		return 0, err
	}
	_, err = t.Exec(ctx, targetInsertStaged, named("id", number), named("seq", last))
	return count, err
}

// stage makes the temporary tables of an import: its rows, and those that are refused already. It comes before
// anything that lasts is written.
func (t *tx) stage(ctx context.Context, statement string, rows *duckdb.Spool, refused refusals, more ...any) error {
	if err := t.Create(ctx, refusedCreate); err != nil {
		return err
	}
	path, err := rows.Flush()
	if err != nil {
		return err
	}
	if err := t.Create(ctx, statement, append(more, named("path", path))...); err != nil {
		return err
	}
	if refused.Rows() > 0 {
		if path, err = refused.Flush(); err != nil {
			return err
		}
		if _, err = t.Exec(ctx, refusedLoad, named("path", path)); err != nil {
			return err
		}
	}
	if rows.Rows() <= rowGroup {
		return nil
	}
	return t.CommitTemporary(ctx)
}

// rowGroup is how many rows the engine stores, and gives to a core, as one.
const rowGroup = 122_880
