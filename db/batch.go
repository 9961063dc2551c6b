package db

import (
	"context"
	"database/sql"

	"couponql/coupon"
	"couponql/db/duckdb"
	"couponql/db/duckdb/memory"
)

// callerOf gives what the audit log calls who asked for the use case of a context; nil when nobody asked.
func callerOf(ctx context.Context) *string {
	if a := AuditedOf(ctx); a != nil {
		return &a.entry.Caller
	}
	return nil
}

// batchRow is a batch on its way into its table.
type batchRow struct {
	number       int64
	kind         coupon.CodeBatchKind
	couponNumber int64
	// importNumber is 0 for a batch of no import.
	importNumber int64
	// last is below first when the batch brings no codes.
	first, last int64
	count       int
	createdBy   *string
}

func (t *tx) recordBatch(ctx context.Context, b *batchRow) error {
	var importNumber any
	if b.importNumber != 0 {
		importNumber = b.importNumber
	}
	_, err := t.Exec(ctx, codeBatchInsert, named("id", b.number), named("kind", string(b.kind)), named("coupon_id", b.couponNumber),
		named("import_id", importNumber), named("first_id", b.first), named("last_id", b.last), named("count", b.count),
		named("created_by", b.createdBy), named("now", t.now))
	return err
}

// CodeBatchesByID gives the batches that exist of these.
func (s *Store) CodeBatchesByID(ctx context.Context, ids []coupon.ID) (map[coupon.ID]*coupon.CodeBatch, error) {
	return s.readBatches(ctx, numbersOf(coupon.KindBatch, ids))
}

func (s *Store) readBatches(ctx context.Context, numbers []int64) (map[coupon.ID]*coupon.CodeBatch, error) {
	found := make(map[coupon.ID]*coupon.CodeBatch, len(numbers))
	if len(numbers) == 0 {
		return found, nil
	}
	err := s.eachBatch(ctx, numbers, nil, func(b *coupon.CodeBatch) { found[b.ID] = b })
	return found, err
}

// eachBatch gives the batches with some numbers, and those of some imports.
func (s *Store) eachBatch(ctx context.Context, numbers, imports []int64, take func(*coupon.CodeBatch)) error {
	return duckdb.Each(ctx, s.engine, codeBatchGet, func(rows *sql.Rows) error {
		var number, couponNumber int64
		var importNumber *int64
		var b coupon.CodeBatch
		err := rows.Scan(&number, &b.Kind, &couponNumber, &importNumber, &b.Count, &b.CreatedBy, &b.CreatedAt, &b.UndoneAt)
		b.ID, b.CouponID = coupon.NewID(coupon.KindBatch, number), coupon.NewID(coupon.KindCoupon, couponNumber)
		b.ImportID = coupon.NewIDPtr(coupon.KindImport, importNumber)
		take(&b)
		return err
	}, named("ids", numbers), named("imports", imports))
}

func (s *Store) batchByNumber(ctx context.Context, number int64) (*coupon.CodeBatch, error) {
	id := coupon.NewID(coupon.KindBatch, number)
	found, err := s.readBatches(ctx, []int64{number})
	if err == nil && found[id] == nil {
		err = coupon.NotFound(coupon.KindBatch, id)
	}
	return found[id], err
}

// CodeBatches gives a page of batches, newest first; kind narrows it unless nil.
func (s *Store) CodeBatches(ctx context.Context, kind *coupon.CodeBatchKind, page coupon.Page) (*coupon.List[*coupon.CodeBatch], error) {
	return newestPage(ctx, s, page, coupon.KindBatch, codeBatchPage, codeBatchCount, []any{named("kind", optionalText(kind))}, s.readBatches)
}

// CouponBatches gives a page of each coupon's batches, newest first.
func (s *Store) CouponBatches(ctx context.Context, coupons []coupon.ID, page coupon.Page) (map[coupon.ID]*coupon.List[*coupon.CodeBatch], error) {
	pages, err := s.pagesOf(ctx, &nestedPage{
		parents: coupons, parentKind: coupon.KindCoupon, page: page, list: couponBatches, count: couponBatchesCount, isNewestFirst: true,
	})
	if err != nil {
		return nil, err
	}
	return fillPages(ctx, pages, coupon.KindBatch, s.readBatches)
}

// BatchesOfImports gives the batch of each of the imports that has one.
func (s *Store) BatchesOfImports(ctx context.Context, imports []coupon.ID) (map[coupon.ID]*coupon.CodeBatch, error) {
	of := make(map[coupon.ID]*coupon.CodeBatch, len(imports))
	err := s.eachBatch(ctx, nil, numbersOf(coupon.KindImport, imports), func(b *coupon.CodeBatch) { of[*b.ImportID] = b })
	return of, err
}

// UndoBatch takes a batch back: it deletes the codes that nobody ever had, or has voided codes stand where they stood before. It
// returns NOT_FOUND.
func (s *Store) UndoBatch(ctx context.Context, id coupon.ID) (*coupon.Undone, error) {
	number, err := id.Number(coupon.KindBatch)
	if err != nil {
		return nil, at(err, "input", "id")
	}
	b, err := s.batchByNumber(ctx, number)
	if err != nil {
		return nil, at(err, "input", "id")
	}
	undone := &coupon.Undone{Batch: b}
	if err := s.undo(ctx, undone, &memory.Selection{BatchID: number}); err != nil {
		return nil, err
	}
	if b.ImportID != nil {
		undone.Import, err = s.importByNumber(context.WithoutCancel(ctx), coupon.MustNumber(coupon.KindImport, *b.ImportID))
	}
	return undone, err
}

// undo takes the batch of undone back, or with the selection of an import all that are of it, and reads the batch anew.
func (s *Store) undo(ctx context.Context, undone *coupon.Undone, of *memory.Selection) error {
	ctx, end := s.within(ctx)
	defer end()
	number := coupon.MustNumber(coupon.KindBatch, undone.Batch.ID)
	err := s.undoCodes(ctx, number, undone, of)
	if err != nil {
		return s.cutOff(err)
	}
	// It is done, whether or not its caller stays.
	undone.Batch, err = s.batchByNumber(context.WithoutCancel(ctx), number)
	return err
}

func (s *Store) undoCodes(ctx context.Context, number int64, undone *coupon.Undone, of *memory.Selection) error {
	leave, err := s.removals.Enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	// From here on it comes to its end, whether or not its caller stays.
	ctx, done := s.within(context.WithoutCancel(ctx))
	defer done()
	if undone.Batch.Kind == coupon.BatchVoided {
		return s.restoreVoided(ctx, number, undone)
	}
	var unused []memory.Span
	err = s.decideBeside(ctx, func(t *tx, w *memory.Witness) error {
		var err error
		isWanted := func(r *memory.Run) bool {
			return of.BatchID == r.BatchID || of.ImportID != 0 && of.ImportID == r.ImportID
		}
		if unused, err = t.unusedCodes(ctx, w, isWanted); err != nil {
			return err
		}
		if err := t.createUnused(ctx, unused); err != nil {
			return err
		}
		return t.deleteUnused(ctx, unused)
	}, func(ctx context.Context, t *turn, w *memory.Witness) error {
		stay, err := t.reconcileRemoval(ctx, unused, w)
		if err != nil {
			return err
		}
		undone.Removed = memory.CountOf(unused) - len(stay)
		undone.Kept = s.memory.Count(of) - undone.Removed
		return t.recordUndo(ctx, undone.Batch, of.ImportID != 0)
	})
	if err == nil {
		s.memory.ForgetKeys()
	}
	return err
}

// restoreVoided has the codes that a batch voided stand where they stood before. When anything happens to one of them meanwhile it
// begins again.
func (s *Store) restoreVoided(ctx context.Context, number int64, undone *coupon.Undone) error {
	var numbers []int64
	batch := named("batch_id", number)
	return s.decideBeside(ctx, func(t *tx, _ *memory.Witness) error {
		var err error
		if numbers, err = collectNumbers(ctx, t, voidUndoable, batch); err != nil {
			return err
		}
		if err := t.createUnused(ctx, spansOf(numbers)); err != nil {
			return err
		}
		count, err := duckdb.One[int](ctx, t, voidCount, batch)
		if err != nil {
			return err
		}
		undone.Kept = count - len(numbers)
		restored, err := t.Exec(ctx, voidTakeBack, batch)
		undone.Restored = restored
		return err
	}, func(ctx context.Context, t *turn, w *memory.Witness) error {
		happened, err := w.Happened(isIn(numbers))
		if err != nil {
			return err
		}
		// That a message was canceled with its voided code is nothing that happens to the code.
		canceled, err := duckdb.One[int](ctx, t.latest, voidTouched, batch, named("since", t.now))
		if err != nil {
			return err
		}
		if len(happened)+canceled > 0 && w.IsWatching {
			return errRival
		}
		t.change(func(c memory.Change) { c.Update(numbers, 0, coupon.StateVoided) })
		// The codes may be voided again, at another time than is kept of them.
		t.touch(memory.AllReversals)
		return t.recordUndo(ctx, undone.Batch, false)
	})
}

// recordUndo records that a batch is undone, and its import with it; with all the other batches of the import where it is whole.
func (t *turn) recordUndo(ctx context.Context, b *coupon.CodeBatch, isWhole bool) error {
	importNumber := optionalNumber(coupon.KindImport, b.ImportID)
	if importNumber != nil {
		if _, err := t.Exec(ctx, importUndo, named("id", importNumber), named("now", t.now)); err != nil {
			return err
		}
	}
	if !isWhole {
		importNumber = nil
	}
	_, err := t.Exec(ctx, codeBatchUndo, named("id", coupon.MustNumber(coupon.KindBatch, b.ID)), named("import_id", importNumber), named("now", t.now))
	return err
}

// spansOf gives numbers, which are in order, as spans.
func spansOf(numbers []int64) []memory.Span {
	var spans []memory.Span
	for _, number := range numbers {
		if last := len(spans) - 1; last >= 0 && spans[last].End() == number {
			spans[last].Count++
			continue
		}
		spans = append(spans, memory.Span{First: number, Count: 1})
	}
	return spans
}
