package db

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"couponql/coupon"
	"couponql/db/duckdb"
	"couponql/db/duckdb/memory"
)

// callerOf returns what the audit log calls who asked for the use case of a context; nil when nobody asked.
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
	// request is what a job is to make; nil for a batch that is there.
	request *GenerateRequest
}

func (t *tx) recordBatch(ctx context.Context, b *batchRow) error {
	status, request := coupon.ImportSucceeded, any(nil)
	if b.request != nil {
		text, err := json.Marshal(b.request)
		if err != nil {
			return fmt.Errorf("encode the request of a batch: %w", err)
		}
		status, request = coupon.ImportQueued, string(text)
	}
	_, err := t.Exec(ctx, codeBatchInsert, named("id", b.number), named("kind", string(b.kind)), named("coupon_id", b.couponNumber),
		named("status", string(status)), named("request", request),
		named("import_id", unlessZero(b.importNumber)), named("first_id", b.first), named("last_id", b.last), named("count", b.count),
		named("created_by", b.createdBy), named("now", t.now))
	return err
}

// CodeBatchesByID returns the batches that exist of these.
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

// eachBatch returns the batches with some numbers, and those of some imports.
func (s *Store) eachBatch(ctx context.Context, numbers, imports []int64, take func(*coupon.CodeBatch)) error {
	return duckdb.Each(ctx, s.engine, codeBatchGet, func(rows *sql.Rows) error {
		var number, couponNumber int64
		var importNumber *int64
		var request *string
		var b coupon.CodeBatch
		err := rows.Scan(
			&number, &b.Kind, &b.Status, &request, &b.Failure, &couponNumber, &importNumber, &b.Count, &b.CreatedBy, &b.CreatedAt, &b.UndoneAt,
		)
		if err != nil {
			return err
		}
		b.ID, b.CouponID = coupon.NewID(coupon.KindBatch, number), coupon.NewID(coupon.KindCoupon, couponNumber)
		b.ImportID = coupon.NewIDPtr(coupon.KindImport, importNumber)
		if err := s.addProgress(&b, request); err != nil {
			return err
		}
		take(&b)
		return nil
	}, named("ids", numbers), named("imports", imports))
}

// addProgress tells how far a batch is, whose job was asked for by a request; nil: there was none.
func (s *Store) addProgress(b *coupon.CodeBatch, request *string) error {
	b.RequestedCount = b.Count
	if request != nil {
		var asked GenerateRequest
		if err := json.Unmarshal([]byte(*request), &asked); err != nil {
			return fmt.Errorf("decode the request of %s: %w", b.ID, err)
		}
		b.RequestedCount = asked.Count
	}
	b.MadeCount = b.Count
	if b.Status.IsFinal() {
		b.Progress = 1
	} else if p := s.progressOf(b.ID); p != nil {
		b.Progress, b.MadeCount = p.share(), int(p.rows.Load())
	}
	return nil
}

func (s *Store) batchByNumber(ctx context.Context, number int64) (*coupon.CodeBatch, error) {
	id := coupon.NewID(coupon.KindBatch, number)
	found, err := s.readBatches(ctx, []int64{number})
	if err == nil && found[id] == nil {
		err = coupon.NotFound(coupon.KindBatch, id)
	}
	return found[id], err
}

// CodeBatches returns a page of batches, newest first; kind, status and the import narrow it unless nil. There are none of an import
// that does not exist.
func (s *Store) CodeBatches(
	ctx context.Context, kind *coupon.CodeBatchKind, status []coupon.ImportStatus, importID *coupon.ID, page coupon.Page,
) (*coupon.List[*coupon.CodeBatch], error) {
	var importNumber any
	if importID != nil {
		number, err := importID.Number(coupon.KindImport)
		if err != nil {
			return &coupon.List[*coupon.CodeBatch]{}, nil //nolint:nilerr // no import has such an id
		}
		importNumber = number
	}
	args := []any{named("kind", optionalText(kind)), named("status", texts(status)), named("import_id", importNumber)}
	return newestPage(ctx, s, page, coupon.KindBatch, codeBatchPage, codeBatchCount, args, s.readBatches)
}

// CouponBatches returns a page of each coupon's batches, newest first.
func (s *Store) CouponBatches(ctx context.Context, coupons []coupon.ID, page coupon.Page) (map[coupon.ID]*coupon.List[*coupon.CodeBatch], error) {
	pages, err := s.pagesOf(ctx, &nestedPage{
		parents: coupons, parentKind: coupon.KindCoupon, page: page, list: couponBatches, count: couponBatchesCount, isNewestFirst: true,
	})
	if err != nil {
		return nil, err
	}
	return fillPages(ctx, pages, coupon.KindBatch, s.readBatches)
}

// BatchesOfImports returns the batch of each of the imports that has one. Those that have several, one for each coupon, are
// left out.
func (s *Store) BatchesOfImports(ctx context.Context, imports []coupon.ID) (map[coupon.ID]*coupon.CodeBatch, error) {
	of := make(map[coupon.ID]*coupon.CodeBatch, len(imports))
	counts := make(map[coupon.ID]int, len(imports))
	err := s.eachBatch(ctx, nil, numbersOf(coupon.KindImport, imports), func(b *coupon.CodeBatch) {
		of[*b.ImportID] = b
		counts[*b.ImportID]++
	})
	for id, count := range counts {
		if count > 1 {
			delete(of, id)
		}
	}
	return of, err
}

// UndoBatch takes a batch back: it deletes the codes that nobody ever had, or has voided codes stand where they stood before. It
// returns NOT_FOUND, and INVALID_STATE for a batch that is not made.
func (s *Store) UndoBatch(ctx context.Context, id coupon.ID) (*coupon.Undone, error) {
	number, err := id.Number(coupon.KindBatch)
	if err != nil {
		return nil, at(err, "input", "id")
	}
	b, err := s.batchByNumber(ctx, number)
	if err == nil {
		// A batch that is made never changes in what this depends on.
		err = b.CheckUndo()
	}
	if err != nil {
		return nil, at(err, "input", "id")
	}
	undone := &coupon.Undone{Batch: b}
	u := &undoing{batch: number}
	if b.Kind == coupon.BatchVoided {
		u.voidings = []int64{number}
	}
	if err := s.undo(ctx, u, undone); err != nil {
		return nil, err
	}
	if b.ImportID != nil {
		undone.Import, err = s.importByNumber(context.WithoutCancel(ctx), coupon.MustNumber(coupon.KindImport, *b.ImportID))
	}
	return undone, err
}

// undoing is what is taken back: a batch, or all batches of an import.
type undoing struct {
	// One of them is 0.
	batch, importNumber int64
	// voidings are its batches that voided codes; nil: it brought codes.
	voidings []int64
}

func (u *undoing) brought(r *memory.Run) bool {
	return u.batch != 0 && r.BatchID == u.batch || u.importNumber != 0 && r.ImportID == u.importNumber
}

// undo takes back, and reads the batch of undone anew where there is one.
func (s *Store) undo(ctx context.Context, u *undoing, undone *coupon.Undone) error {
	ctx, end := s.within(ctx)
	defer end()
	err := s.undoCodes(ctx, u, undone)
	if err != nil {
		return s.cutOff(err)
	}
	if undone.Batch == nil {
		return nil
	}
	// It is done, whether or not its caller stays.
	undone.Batch, err = s.batchByNumber(context.WithoutCancel(ctx), coupon.MustNumber(coupon.KindBatch, undone.Batch.ID))
	return err
}

func (s *Store) undoCodes(ctx context.Context, u *undoing, undone *coupon.Undone) error {
	leave, err := s.removals.Enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	// From here on it comes to its end, whether or not its caller stays.
	ctx, done := s.within(context.WithoutCancel(ctx))
	defer done()
	if len(u.voidings) > 0 {
		return s.restoreVoided(ctx, u, undone)
	}
	var unused []memory.Span
	err = s.decideBeside(ctx, func(t *tx, w *memory.Witness) error {
		var err error
		if unused, err = t.unusedCodes(ctx, w, u.brought); err != nil {
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
		undone.Kept = s.memory.Count(&memory.Selection{BatchID: u.batch, ImportID: u.importNumber, Now: t.now}) - undone.Removed
		return t.recordUndo(ctx, u)
	})
	if err == nil {
		s.memory.ForgetKeys()
	}
	return err
}

// restoreVoided has the codes that batches voided stand where they stood before. When anything happens to one of them meanwhile it
// begins again.
func (s *Store) restoreVoided(ctx context.Context, u *undoing, undone *coupon.Undone) error {
	var numbers []int64
	batches := named("batches", u.voidings)
	return s.decideBeside(ctx, func(t *tx, _ *memory.Witness) error {
		var err error
		if numbers, err = collectNumbers(ctx, t, voidUndoable, batches); err != nil {
			return err
		}
		if err := t.createUnused(ctx, spansOf(numbers)); err != nil {
			return err
		}
		count, err := duckdb.One[int](ctx, t, voidCount, batches)
		if err != nil {
			return err
		}
		undone.Kept = count - len(numbers)
		if _, err := t.Exec(ctx, codeRestoreInsert, batches, named("now", t.now), named("restored_by", callerOf(ctx))); err != nil {
			return err
		}
		restored, err := t.Exec(ctx, voidTakeBack, batches)
		undone.Restored = restored
		return err
	}, func(ctx context.Context, t *turn, w *memory.Witness) error {
		happened, err := w.Happened(isIn(numbers))
		if err != nil {
			return err
		}
		// That a message was canceled with its voided code is nothing that happens to the code.
		canceled, err := duckdb.One[int](ctx, t.latest, voidTouched, batches, named("since", t.now))
		if err != nil {
			return err
		}
		if len(happened)+canceled > 0 && w.IsWatching {
			return errRival
		}
		t.change(func(c memory.Change) { c.Update(numbers, 0, coupon.StateVoided) })
		// The codes may be voided again, at another time than is kept of them.
		t.touch(memory.AllReversals)
		return t.recordUndo(ctx, u)
	})
}

// recordUndo records that batches are undone, and their import where none of its batches is left.
func (t *turn) recordUndo(ctx context.Context, u *undoing) error {
	args := []any{named("id", u.batch), named("import_id", u.importNumber), named("now", t.now)}
	if _, err := t.Exec(ctx, codeBatchUndo, args...); err != nil {
		return err
	}
	_, err := t.Exec(ctx, importUndo, args...)
	return err
}

// spansOf returns numbers, which are in order, as spans.
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
