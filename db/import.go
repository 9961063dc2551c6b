package db

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"couponql/background"
	"couponql/coupon"
	"couponql/db/duckdb"
)

// CreateImport queues an import of a file. An upload that is owned came for this import alone and goes with it;
// another one may serve several imports. It returns NOT_FOUND for an unknown coupon, delivery or upload,
// INVALID_STATE when that takes no rows now or the upload is not complete, and INVALID.
func (s *Store) CreateImport(ctx context.Context, i *coupon.Import, uploadID coupon.ID, isOwned bool) (*coupon.Import, error) {
	var number int64
	err := s.update(ctx, func(ctx context.Context, t *turn) error {
		if err := t.once(ctx); err != nil {
			return err
		}
		if err := t.checkImport(ctx, i); err != nil {
			return err
		}
		uploadNumber, upload, err := s.upload(ctx, t, uploadID)
		switch {
		case err != nil:
			return at(err, "input", "uploadId")
		case !upload.IsComplete:
			return coupon.Errorf(coupon.ErrorInvalidState, "The file %q is not complete yet: %d bytes are here.", upload.FileName, upload.Received).
				At("input", "uploadId")
		}
		if number, err = t.nextNumber(ctx, numberOfImports); err != nil {
			return err
		}
		if err := t.insertImport(ctx, number, i, uploadNumber, upload); err != nil {
			return err
		}
		if isOwned {
			if _, err := t.Exec(ctx, uploadRelease, named("id", uploadNumber), named("now", t.now)); err != nil {
				return err
			}
		}
		t.onCommit(s.watchers.notifyDue)
		return t.made(ctx, coupon.NewID(coupon.KindImport, number), nil)
	})
	if err != nil && isOwned {
		err = errors.Join(err, s.DeleteUpload(context.WithoutCancel(ctx), uploadID))
	}
	if before := repeatOf(err); before != nil {
		found, err := s.ImportsByID(ctx, []coupon.ID{before.object})
		return there(found, before, err)
	}
	if err != nil {
		return nil, err
	}
	return s.importByNumber(ctx, number)
}

func (t *turn) insertImport(ctx context.Context, number int64, i *coupon.Import, uploadNumber int64, upload *coupon.Upload) error {
	options, err := json.Marshal(i.Options)
	if err != nil {
		return fmt.Errorf("encode the options of an import: %w", err)
	}
	_, err = t.Exec(ctx, importInsert, named("id", number), named("kind", string(i.Kind)), named("mode", string(i.Mode)),
		named("format", string(i.Format)), named("is_dry_run", i.IsDryRun), named("coupon_id", optionalNumber(coupon.KindCoupon, i.CouponID)),
		named("delivery_id", optionalNumber(coupon.KindDelivery, i.DeliveryID)), named("upload_id", uploadNumber), named("file_name", upload.FileName),
		named("byte_count", upload.ByteCount), named("checksum", upload.Checksum), named("on_rejection", string(i.OnRejection)),
		named("options", string(options)), named("label", i.Label), named("timezone", i.Timezone), named("now", t.now),
		named("channel", optionalText(i.Channel)), named("bounce_kind", optionalText(i.BounceKind)), named("created_by", callerOf(ctx)))
	return err
}

func (t *turn) checkImport(ctx context.Context, i *coupon.Import) error {
	if i.Kind == coupon.ImportCodes && i.CouponID != nil {
		if _, err := t.poolOf(ctx, *i.CouponID, i.Mode); err != nil {
			return err
		}
	}
	if i.Kind == coupon.ImportTargets {
		_, d, err := t.delivery(ctx, *i.DeliveryID)
		if err != nil {
			return at(err, "input", "deliveryId")
		}
		if _, err := d.Check(coupon.ActionEdit); err != nil {
			return at(err, "input", "deliveryId")
		}
	}
	return i.Check()
}

func (s *Store) importByNumber(ctx context.Context, number int64) (*coupon.Import, error) {
	id := coupon.NewID(coupon.KindImport, number)
	found, err := s.ImportsByID(ctx, []coupon.ID{id})
	if err == nil && found[id] == nil {
		err = coupon.NotFound(coupon.KindImport, id)
	}
	return found[id], err
}

// WaitingImport is an import that is queued or was interrupted.
type WaitingImport struct {
	ID coupon.ID
	// ByteCount is the size of its file.
	ByteCount int64
	// Owner is the coupon or delivery that it changes; "" for a kind of import that has none.
	Owner coupon.ID
}

// WaitingImports returns the imports that are queued or were interrupted, oldest first.
func (s *Store) WaitingImports(ctx context.Context) ([]WaitingImport, error) {
	return duckdb.Collect(ctx, s.engine, importWaiting, func(rows *sql.Rows) (WaitingImport, error) {
		var number int64
		var couponNumber, deliveryNumber *int64
		var i WaitingImport
		err := rows.Scan(&number, &i.ByteCount, &couponNumber, &deliveryNumber)
		i.ID = coupon.NewID(coupon.KindImport, number)
		switch {
		case couponNumber != nil:
			i.Owner = coupon.NewID(coupon.KindCoupon, *couponNumber)
		case deliveryNumber != nil:
			i.Owner = coupon.NewID(coupon.KindDelivery, *deliveryNumber)
		}
		return i, err
	})
}

// RunImport does an import from start to end: it reads the file, and then checks and stores all rows in
// one transaction with the import's outcome. An interrupted import is simply run again. What is wrong
// with the file becomes the failure of the import; an error is returned when the import could not be
// brought to an end.
func (s *Store) RunImport(ctx context.Context, id coupon.ID) error {
	number, err := id.Number(coupon.KindImport)
	if err != nil {
		return err
	}
	start := func(ctx context.Context, t *turn) (int, error) {
		return t.Exec(ctx, importStart, named("id", number), named("now", t.now))
	}
	return s.runJob(ctx, id, start, func(ctx context.Context, progress *rowProgress) error {
		// Should it be canceled from here on, endImport says so.
		i, err := s.importByNumber(context.WithoutCancel(ctx), number)
		if err != nil {
			return err
		}
		if err = background.Run(func() error { return s.newImportReader(number, i, progress).run(ctx) }); err != nil {
			err = s.endImport(ctx, number, i, progress, err)
		}
		if err != nil {
			return err
		}
		return s.forgetUploads(context.WithoutCancel(ctx))
	})
}

// endImport records why an import that failed or was canceled did not succeed. It gives the error when that was
// neither the file's nor the caller's doing.
func (s *Store) endImport(ctx context.Context, number int64, i *coupon.Import, progress *rowProgress, err error) error {
	o := &importOutcome{status: coupon.ImportFailed, source: i, rowsRead: int(progress.rows.Load())}
	problems, isUser := coupon.AsUserErrors(err)
	failure := "The server could not finish the import; its log has the cause. Nothing was imported."
	switch {
	case errors.Is(context.Cause(ctx), errCanceled), errors.Is(err, errCanceled):
		o.status, err = coupon.ImportCanceled, nil
	case ctx.Err() != nil:
		// The server stops: the import stays RUNNING and is run again at the next start.
		return fmt.Errorf("run %s: %w", i.ID, context.Cause(ctx))
	case isUser:
		failure, err = problems[0].Message, nil
	case errors.Is(err, ErrMemory):
		failure = "The file needs more memory than the database engine may take (--memory-limit). Nothing was imported: import it in parts, or let the engine take more."
	case errors.Is(err, ErrDiskFull):
		failure = diskNotice(err) + " Nothing was imported: make room and import the file again."
	}
	if o.status == coupon.ImportFailed {
		o.failure = &failure
	}
	i.Changes = coupon.ImportChanges{}
	return errors.Join(err, s.concludeJob(ctx, func(ctx context.Context, t *turn) error { return t.finishImport(ctx, number, o) }))
}

// CancelImport calls off an import that waits or runs; what it did so far is undone. It gives the import as it
// then is. Repeating it is harmless. It returns NOT_FOUND, and INVALID_STATE for an import that is over.
func (s *Store) CancelImport(ctx context.Context, id coupon.ID) (*coupon.Import, error) {
	number, err := id.Number(coupon.KindImport)
	if err != nil {
		return nil, at(err, "input", "id")
	}
	if err := s.cancelJob(ctx, s.runningJob(id), importCancel, id, number); err != nil {
		return nil, err
	}
	i, err := s.importByNumber(ctx, number)
	if err != nil {
		return nil, at(err, "input", "id")
	}
	if i.Status != coupon.ImportCanceled {
		return nil, coupon.Errorf(coupon.ErrorInvalidState, "The import is %s; only one that is QUEUED or RUNNING can be canceled.", i.Status).At("input", "id")
	}
	return i, s.forgetUploads(ctx)
}

// UndoImport takes back what an import of codes did, as UndoBatch does, or the reports of bounces that it recorded. It returns
// NOT_FOUND, and INVALID_STATE for an import that did neither.
func (s *Store) UndoImport(ctx context.Context, id coupon.ID) (*coupon.Undone, error) {
	number, err := id.Number(coupon.KindImport)
	if err != nil {
		return nil, at(err, "input", "id")
	}
	i, err := s.importByNumber(ctx, number)
	if err != nil {
		return nil, at(err, "input", "id")
	}
	// An import that is over never changes in what this depends on.
	if err := i.CheckUndo(); err != nil {
		return nil, at(err, "input", "id")
	}
	undone := &coupon.Undone{}
	if i.Kind == coupon.ImportBounces {
		err = s.undoBounces(ctx, number, undone)
	} else {
		err = s.undoImported(ctx, number, i, undone)
	}
	if err != nil {
		return nil, s.cutOff(err)
	}
	// It is done, whether or not its caller stays.
	undone.Import, err = s.importByNumber(context.WithoutCancel(ctx), number)
	return undone, err
}

// undoImported takes back what an import of codes did. One that neither brought nor voided a code has no batch.
func (s *Store) undoImported(ctx context.Context, number int64, i *coupon.Import, undone *coupon.Undone) error {
	batches, err := s.BatchesOfImports(ctx, []coupon.ID{i.ID})
	if err != nil {
		return err
	}
	undone.Batch = batches[i.ID]
	u := &undoing{importNumber: number}
	err = s.eachBatch(ctx, nil, []int64{number}, func(b *coupon.CodeBatch) {
		if b.Kind == coupon.BatchVoided {
			u.voidings = append(u.voidings, coupon.MustNumber(coupon.KindBatch, b.ID))
		}
	})
	if err != nil {
		return err
	}
	if undone.Batch != nil || i.CouponID == nil {
		return s.undo(ctx, u, undone)
	}
	if i.Changes.Voided > 0 {
		return coupon.Errorf(coupon.ErrorInvalidState, "Which codes %s voided was not noted: an earlier version of the server did it.", i.ID).
			At("input", "id")
	}
	return s.update(ctx, func(ctx context.Context, t *turn) error {
		return t.recordUndo(ctx, &undoing{importNumber: number})
	})
}

// undoBounces takes reports back beside the writer: nobody else changes reports and quarantine in the lane of recipients.
func (s *Store) undoBounces(ctx context.Context, number int64, undone *coupon.Undone) error {
	ctx, end := s.within(ctx)
	defer end()
	return s.beside(ctx, s.recipients, func(ctx context.Context, t *tx) (err error) {
		undone.Removed, undone.Lifted, err = t.withdrawBounces(ctx, number)
		return err
	}, func(ctx context.Context, t *turn) error {
		return t.recordUndo(ctx, &undoing{importNumber: number})
	})
}

// importOutcome is what became of an import.
type importOutcome struct {
	status coupon.ImportStatus
	// source has the format and the findings.
	source                               *coupon.Import
	rowsRead, rowsImported, rowsRejected int
	failure                              *string
}

func (t *turn) finishImport(ctx context.Context, number int64, o *importOutcome) error {
	findings, err := json.Marshal(o.source.ImportFindings)
	if err != nil {
		return fmt.Errorf("encode the findings of an import: %w", err)
	}
	finished, err := t.Exec(ctx, importFinish, named("id", number), named("status", string(o.status)), named("format", string(o.source.Format)),
		named("rows_read", o.rowsRead), named("rows_imported", o.rowsImported), named("rows_rejected", o.rowsRejected),
		named("findings", string(findings)), named("failure", o.failure), named("now", t.now))
	if err == nil && finished == 0 {
		// It was called off between two attempts, or while the server that ran it was down: nothing of it may stay.
		return errCanceled
	}
	if err == nil && o.rowsRejected > 0 {
		_, err = t.Exec(ctx, uploadKeep, named("import_id", number), named("expires_at", t.now.Add(coupon.RejectsLifetime)))
	}
	return err
}

// gate decides whether the good rows of an import are stored.
type gate struct {
	isDryRun bool
	// most is how many rows may be rejected; nil: any number.
	most *int
}

// opens reports whether rows are stored when this many were rejected.
func (g gate) opens(rejected int) bool { return !g.isDryRun && (g.most == nil || rejected <= *g.most) }

// recordRejected records the rejected rows of an import, which takes long when they are many.
func (t *tx) recordRejected(ctx context.Context, number int64) error {
	_, err := t.Exec(ctx, rejectedRecord, named("import_id", number))
	return err
}

// recordOutcome records the outcome of an import in the transaction that stored its rows. Of the rows that were not imported,
// so many are no fault.
func (t *turn) recordOutcome(ctx context.Context, number int64, i *coupon.Import, rowsRead, imported, harmless int) error {
	o := &importOutcome{status: coupon.ImportSucceeded, source: i, rowsRead: rowsRead, rowsImported: imported, rowsRejected: rowsRead - imported}
	if most := i.MostRejections(); most != nil && o.rowsRejected-harmless > *most {
		o.status, o.rowsImported, i.Changes = coupon.ImportFailed, 0, coupon.ImportChanges{}
		o.failure = new(tooManyRejected(i, o.rowsRejected-harmless, rowsRead))
	}
	return t.finishImport(ctx, number, o)
}

// tooManyRejected says why nothing of a file was imported.
func tooManyRejected(i *coupon.Import, rejected, rowsRead int) string {
	if most := i.Options.MaxRejections; most != nil && rejected > *most {
		return fmt.Sprintf("%d of the first %d rows cannot be imported, more than the %d that maxRejections allows, so none was and no more were read. "+
			"Mend the file, or allow more.", rejected, rowsRead, *most)
	}
	return fmt.Sprintf("%d of %d rows cannot be imported, so none was (REJECT_FILE). Mend them, or use SKIP_ROW.", rejected, rowsRead)
}
