package db

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"couponql/coupon"
)

// Upload is a file that came in and waits for its import, or for Discard.
type Upload struct {
	path      string
	ByteCount int64
	// Checksum is the SHA-256 of the file, in hexadecimal.
	Checksum string
}

// Discard deletes the file of an upload that no import took.
func (u *Upload) Discard() error {
	if err := os.Remove(u.path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("discard an upload: %w", err)
	}
	return nil
}

// Receive stores a file on disk as it comes in. It returns FILE_UNREADABLE when the sender broke off.
func (s *Store) Receive(r io.Reader) (upload *Upload, err error) {
	file, err := os.CreateTemp(s.uploadDir(), "incoming-*")
	if err != nil {
		return nil, storageError("store an upload", err)
	}
	defer func() {
		if closed := file.Close(); err == nil && closed != nil {
			err = fmt.Errorf("store an upload: %w", closed)
		}
		if err != nil {
			err = errors.Join(err, os.Remove(file.Name()))
		}
	}()
	sum := sha256.New()
	count, err := io.Copy(io.MultiWriter(file, sum), r)
	if err != nil {
		return nil, storageError("store an upload", err)
	}
	// The import is acknowledged, and resumed after a crash, so its file must be on disk.
	if err := file.Sync(); err != nil {
		return nil, storageError("store an upload", err)
	}
	return &Upload{path: file.Name(), ByteCount: count, Checksum: hex.EncodeToString(sum.Sum(nil))}, nil
}

func (s *Store) importPath(number int64) string {
	return filepath.Join(s.uploadDir(), coupon.NewID(coupon.KindImport, number).FileName())
}

// clearUploads deletes files that no import waits for: those of requests that a crash cut off.
func (s *Store) clearUploads(ctx context.Context) error {
	numbers, err := collect(ctx, s, importWaiting, scanInto[int64])
	if err != nil {
		return err
	}
	waiting := map[string]bool{}
	for _, number := range numbers {
		waiting[s.importPath(number)] = true
	}
	entries, err := os.ReadDir(s.uploadDir())
	if err != nil {
		return fmt.Errorf("read the folder of uploads: %w", err)
	}
	for _, entry := range entries {
		if path := filepath.Join(s.uploadDir(), entry.Name()); !waiting[path] {
			if err := os.Remove(path); err != nil {
				return fmt.Errorf("clear the folder of uploads: %w", err)
			}
		}
	}
	return nil
}

// CreateImport queues an import of an upload, which it takes over. It returns NOT_FOUND for an unknown
// coupon or delivery, INVALID_STATE when that takes no rows now, and INVALID.
func (s *Store) CreateImport(ctx context.Context, i *coupon.Import, upload *Upload) (*coupon.Import, error) {
	var number int64
	err := s.update(ctx, func(ctx context.Context, t *tx) error {
		if err := t.checkImport(ctx, i); err != nil {
			return err
		}
		var err error
		if number, err = one[int64](ctx, t, importNext); err != nil {
			return err
		}
		options, err := json.Marshal(i.Options)
		if err != nil {
			return fmt.Errorf("encode the options of an import: %w", err)
		}
		_, err = t.exec(
			ctx,
			importInsert,
			named("id", number),
			named("kind", string(i.Kind)),
			named("mode", string(i.Mode)),
			named("format", string(i.Format)),
			named(
				"is_dry_run",
				i.IsDryRun,
			),
			named("coupon_id", optionalNumber(coupon.KindCoupon, i.CouponID)),
			named("delivery_id", optionalNumber(coupon.KindDelivery, i.DeliveryID)),
			named(
				"file_name",
				i.FileName,
			),
			named("byte_count", upload.ByteCount),
			named("checksum", upload.Checksum),
			named("on_rejection", string(i.OnRejection)),
			named("options", string(options)),
			named("label", i.Label),
			named("timezone", i.Timezone),
			named("now", t.now),
		)
		if err != nil {
			return err
		}
		if err := os.Rename(upload.path, s.importPath(number)); err != nil {
			return fmt.Errorf("take over an upload: %w", err)
		}
		t.onFailure(func() { _ = os.Remove(s.importPath(number)) })
		t.onCommit(s.watchers.notifyDue)
		return nil
	})
	if err != nil {
		return nil, errors.Join(err, upload.Discard())
	}
	return s.importByNumber(ctx, number)
}

func (t *tx) checkImport(ctx context.Context, i *coupon.Import) error {
	if i.Kind == coupon.ImportCodes {
		if _, err := t.poolOf(ctx, *i.CouponID); err != nil {
			return err
		}
	}
	if i.Kind == coupon.ImportTargets {
		_, d, err := t.delivery(ctx, *i.DeliveryID)
		if err != nil {
			return atInput(err, "deliveryId")
		}
		if _, err := d.Check(coupon.ActionEdit); err != nil {
			return atInput(err, "deliveryId")
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

// importProgress is how far a running import is; it is kept in memory alone.
type importProgress struct {
	rows     atomic.Int64
	read     atomic.Int64
	size     atomic.Int64
	notified time.Time
}

// readShare is the part of an import's progress that reading the file stands for; the rest is checking
// and storing.
const readShare = 0.7

func (p *importProgress) share() float64 {
	if size := p.size.Load(); size > 0 {
		return readShare * float64(p.read.Load()) / float64(size)
	}
	return 0
}

// progressInterval is how often those who watch an import are woken.
const progressInterval = 100 * time.Millisecond

// WaitingImports gives the imports that are queued or were interrupted, oldest first.
func (s *Store) WaitingImports(ctx context.Context) ([]coupon.ID, error) {
	return collect(ctx, s, importWaiting, func(rows *sql.Rows) (coupon.ID, error) {
		var number int64
		err := rows.Scan(&number)
		return coupon.NewID(coupon.KindImport, number), err
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
	progress := &importProgress{}
	s.running.Store(id, progress)
	defer s.running.Delete(id)
	defer s.watchers.notify(id)
	err = s.update(ctx, func(ctx context.Context, t *tx) error {
		t.onCommit(func() { s.watchers.notify(id) })
		_, err := t.exec(ctx, importStart, named("id", number), named("now", t.now))
		return err
	})
	if err != nil {
		return fmt.Errorf("start %s: %w", id, err)
	}
	i, err := s.importByNumber(ctx, number)
	if err != nil {
		return err
	}
	err = s.runImport(ctx, number, i, progress)
	if ctx.Err() != nil {
		// The server stops: the import stays RUNNING and is run again at the next start.
		return fmt.Errorf("run %s: %w", id, context.Cause(ctx))
	}
	if err != nil {
		failure := "The server could not finish the import; its log has the cause. Nothing was imported."
		problems, isUser := coupon.AsUserErrors(err)
		switch {
		case isUser:
			failure = problems[0].Message
		case errors.Is(err, ErrDiskFull):
			failure = "The server's disk is full. Nothing was imported: make room and import the file again."
		}
		finish := s.update(ctx, func(ctx context.Context, t *tx) error {
			t.reserve = min(t.reserve, minFreeDiskForOutcome)
			return t.finishImport(
				ctx,
				number,
				&importOutcome{status: coupon.ImportFailed, format: i.Format, rowsRead: int(progress.rows.Load()), failure: &failure},
			)
		})
		if finish != nil {
			return errors.Join(err, finish)
		}
		if isUser {
			err = nil
		}
	}
	return errors.Join(err, s.removeUpload(number))
}

func (s *Store) removeUpload(number int64) error {
	if err := os.Remove(s.importPath(number)); err != nil {
		return fmt.Errorf("remove the file of an import: %w", err)
	}
	return nil
}

// importOutcome is what became of an import.
type importOutcome struct {
	status                              coupon.ImportStatus
	format                              coupon.FileFormat
	rowsRead, rowsImported, rowsRefused int
	failure                             *string
}

func (t *tx) finishImport(ctx context.Context, number int64, o *importOutcome) error {
	_, err := t.exec(
		ctx,
		importFinish,
		named("id", number),
		named("status", string(o.status)),
		named("format", string(o.format)),
		named("rows_read", o.rowsRead),
		named("rows_imported", o.rowsImported),
		named("rows_rejected", o.rowsRefused),
		named("failure", o.failure),
		named("now", t.now),
	)
	return err
}

// gate decides whether the good rows of an import are stored.
type gate struct {
	isDryRun   bool
	rejectFile bool
}

// opens tells whether rows are stored when this many were refused.
func (g gate) opens(refused int) bool { return !g.isDryRun && (!g.rejectFile || refused == 0) }

// settleImport records the outcome of an import in the transaction that stored its rows.
func (t *tx) settleImport(ctx context.Context, number int64, i *coupon.Import, rowsRead, imported int) error {
	if _, err := t.exec(ctx, refusedRecord, named("import_id", number)); err != nil {
		return err
	}
	o := &importOutcome{status: coupon.ImportSucceeded, format: i.Format, rowsRead: rowsRead, rowsImported: imported, rowsRefused: rowsRead - imported}
	if i.OnRejection == coupon.RejectFile && o.rowsRefused > 0 {
		o.status, o.rowsImported = coupon.ImportFailed, 0
		o.failure = new(fmt.Sprintf("%d of %d rows cannot be imported, so none was (REJECT_FILE). Mend them, or use SKIP_ROW.", o.rowsRefused, rowsRead))
	}
	return t.finishImport(ctx, number, o)
}

// ImportsByID gives the imports that exist of these, with the progress of those that run.
func (s *Store) ImportsByID(ctx context.Context, ids []coupon.ID) (map[coupon.ID]*coupon.Import, error) {
	return s.readImports(ctx, numbersOf(coupon.KindImport, ids))
}

func (s *Store) readImports(ctx context.Context, numbers []int64) (map[coupon.ID]*coupon.Import, error) {
	found := make(map[coupon.ID]*coupon.Import, len(numbers))
	if len(numbers) == 0 {
		return found, nil
	}
	_, err := collect(ctx, s, importGet, func(rows *sql.Rows) (struct{}, error) {
		var number int64
		var couponNumber, deliveryNumber *int64
		var options string
		var i coupon.Import
		err := rows.Scan(
			&number,
			&i.Kind,
			&i.Mode,
			&i.Status,
			&i.Format,
			&i.IsDryRun,
			&couponNumber,
			&deliveryNumber,
			&i.FileName,
			&i.ByteCount,
			&i.Checksum,
			&i.OnRejection,
			&options,
			&i.Label,
			&i.Timezone,
			&i.RowsRead,
			&i.RowsImported,
			&i.RowsRejected,
			&i.Failure,
			&i.CreatedAt,
			&i.StartedAt,
			&i.FinishedAt,
		)
		if err != nil {
			return struct{}{}, err
		}
		i.ID = coupon.NewID(coupon.KindImport, number)
		i.CouponID, i.DeliveryID = coupon.NewIDPtr(coupon.KindCoupon, couponNumber), coupon.NewIDPtr(coupon.KindDelivery, deliveryNumber)
		if err := json.Unmarshal([]byte(options), &i.Options); err != nil {
			return struct{}{}, fmt.Errorf("decode the options of %s: %w", i.ID, err)
		}
		if i.Status.IsFinal() {
			i.Progress = 1
		} else if progress, isRunning := s.running.Load(i.ID); isRunning {
			if p, ok := progress.(*importProgress); ok {
				i.Progress, i.RowsRead = p.share(), int(p.rows.Load())
			}
		}
		found[i.ID] = &i
		return struct{}{}, nil
	}, named("ids", numbers))
	return found, err
}

// Imports gives a page of imports, newest first; kind and status narrow it unless empty.
func (s *Store) Imports(ctx context.Context, kind *coupon.ImportKind, status []coupon.ImportStatus, page coupon.Page) (*coupon.List[*coupon.Import], error) {
	var one any
	if kind != nil {
		one = string(*kind)
	}
	return newestPage(ctx, s, page, coupon.KindImport, importPage, importCount, []any{named("kind", one), named("status", texts(status))}, s.readImports)
}

// CouponImports gives a page of each coupon's imports, newest first.
func (s *Store) CouponImports(ctx context.Context, coupons []coupon.ID, page coupon.Page) (map[coupon.ID]*coupon.List[*coupon.Import], error) {
	pages, err := s.pagesOf(ctx, &nestedPage{
		parents: coupons, parentKind: coupon.KindCoupon, page: page, list: couponImports, count: couponImportsCount, isNewestFirst: true,
	})
	if err != nil {
		return nil, err
	}
	return fillPages(ctx, pages, coupon.KindImport, s.readImports)
}

// RejectionsOf gives a page of each import's rejected rows, in the order of the file.
func (s *Store) RejectionsOf(ctx context.Context, imports []coupon.ID, page coupon.Page) (map[coupon.ID]*coupon.List[*coupon.Rejection], error) {
	pages, err := s.pagesOf(ctx, &nestedPage{
		parents: imports, parentKind: coupon.KindImport, page: page, list: importRejections, count: importRejectionsCount,
	})
	if err != nil {
		return nil, err
	}
	lists := make(map[coupon.ID]*coupon.List[*coupon.Rejection], len(pages))
	var parents, lines []int64
	for id, p := range pages {
		lists[id] = &coupon.List[*coupon.Rejection]{Cursors: cursorsOf(p.numbers), HasNext: p.hasNext, Total: p.total}
		for _, line := range p.numbers {
			parents, lines = append(parents, mustNumber(coupon.KindImport, id)), append(lines, line)
		}
	}
	_, err = collect(ctx, s, rejectionGet, func(rows *sql.Rows) (struct{}, error) {
		var parent int64
		var r coupon.Rejection
		err := rows.Scan(&parent, &r.Line, &r.Reason, &r.Value)
		list := lists[coupon.NewID(coupon.KindImport, parent)]
		list.Items = append(list.Items, &r)
		return struct{}{}, err
	}, named("parents", parents), named("lines", lines))
	return lists, err
}

// RejectionReasonsOf counts each import's rejected rows by reason, most frequent first.
func (s *Store) RejectionReasonsOf(ctx context.Context, imports []coupon.ID) (map[coupon.ID][]*coupon.RejectionCount, error) {
	counts := make(map[coupon.ID][]*coupon.RejectionCount, len(imports))
	_, err := collect(ctx, s, rejectionReasons, func(rows *sql.Rows) (struct{}, error) {
		var number int64
		var c coupon.RejectionCount
		err := rows.Scan(&number, &c.Reason, &c.Count)
		id := coupon.NewID(coupon.KindImport, number)
		counts[id] = append(counts[id], &c)
		return struct{}{}, err
	}, named("ids", numbersOf(coupon.KindImport, imports)))
	return counts, err
}

// SameFileOf gives, for each of the imports whose file came before, the first import of that file.
func (s *Store) SameFileOf(ctx context.Context, imports []coupon.ID) (map[coupon.ID]*coupon.Import, error) {
	earlier := map[coupon.ID]int64{}
	var numbers []int64
	_, err := collect(ctx, s, importSameFile, func(rows *sql.Rows) (struct{}, error) {
		var number, first int64
		err := rows.Scan(&number, &first)
		earlier[coupon.NewID(coupon.KindImport, number)] = first
		numbers = append(numbers, first)
		return struct{}{}, err
	}, named("ids", numbersOf(coupon.KindImport, imports)))
	if err != nil {
		return nil, err
	}
	found, err := s.readImports(ctx, numbers)
	same := make(map[coupon.ID]*coupon.Import, len(earlier))
	for id, first := range earlier {
		same[id] = found[coupon.NewID(coupon.KindImport, first)]
	}
	return same, err
}

// parseFlag reads a yes or no as files have it; "" means yes.
func parseFlag(text string) (value, ok bool) {
	switch strings.ToLower(text) {
	case "", "1", "t", "true", "y", "yes", "on":
		return true, true
	case "0", "f", "false", "n", "no", "off":
		return false, true
	}
	value, err := strconv.ParseBool(text)
	return value, err == nil
}
