package db

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"time"

	"couponql/background"
	"couponql/coupon"
	"couponql/db/duckdb"
	"couponql/unavailable"
)

// exportProgress is how far a running export is.
type exportProgress struct {
	runningJob

	// path is the file that is being written.
	path string
	// expected is about how large it will be; 0 while that is not known.
	expected atomic.Int64
}

func (s *Store) exportPath(number int64) string {
	return filepath.Join(s.exportDir(), coupon.NewID(coupon.KindExport, number).FileName())
}

// CreateExport queues an export. It returns NOT_FOUND for an unknown coupon or delivery, and
// INVALID for a filter that cannot be.
func (s *Store) CreateExport(ctx context.Context, e *coupon.Export) (*coupon.Export, error) {
	if err := e.Check(); err != nil {
		return nil, err
	}
	var number int64
	err := s.update(ctx, func(ctx context.Context, t *turn) error {
		if err := t.once(ctx); err != nil {
			return err
		}
		if err := t.checkExport(ctx, e); err != nil {
			return err
		}
		request, err := json.Marshal(e.Request)
		if err != nil {
			return fmt.Errorf("encode the request of an export: %w", err)
		}
		if number, err = t.nextNumber(ctx, numberOfExports); err != nil {
			return err
		}
		t.onCommit(s.watchers.notifyDue)
		_, err = t.Exec(ctx, exportInsert, named("id", number), named("kind", string(e.Kind)),
			named("format", string(e.Format)),
			named("request", string(request)), named("now", t.now))
		if err != nil {
			return err
		}
		return t.made(ctx, coupon.NewID(coupon.KindExport, number), nil)
	})
	if before := repeatOf(err); before != nil {
		found, err := s.ExportsByID(ctx, []coupon.ID{before.object})
		return there(found, before, err)
	}
	if err != nil {
		return nil, err
	}
	return s.exportByNumber(ctx, number)
}

func (t *turn) checkExport(ctx context.Context, e *coupon.Export) error {
	switch e.Kind {
	case coupon.ExportCodes:
		return t.checkCodeExport(ctx, &e.Request)
	case coupon.ExportMessages:
		_, _, err := t.delivery(ctx, *e.Request.DeliveryID)
		return at(err, "input", "deliveryId")
	case coupon.ExportRedemptions:
		// As it is kept of redemptions, so that erasing finds it.
		e.Request.StatsFilter = e.Request.StatsFilter.Cleaned()
		_, err := exportedRedemptions(e.Request.StatsFilter)
		return coupon.Under(err, "input")
	case coupon.ExportRecipients:
		_, _, err := t.store.recipientCondition(ctx, e.Request.RecipientFilter)
		return coupon.Under(err, "input")
	case coupon.ExportCoupons, coupon.ExportDeliveries:
		// Any filter can be.
		return nil
	case coupon.ExportSQL, coupon.ExportBackup:
		// Whoever runs the query has checked it, and there is always something to back up.
		return nil
	}
	return fmt.Errorf("export of %s", e.Kind)
}

// checkCodeExport returns NOT_FOUND for an unknown coupon, and INVALID for a filter that cannot be
// in the zone of one of them.
func (t *turn) checkCodeExport(ctx context.Context, r *coupon.ExportRequest) error {
	zones := map[string]*time.Location{"UTC": time.UTC}
	for i, id := range r.Coupons() {
		_, c, err := t.coupon(ctx, id)
		switch {
		case err != nil && r.CouponID != nil:
			return at(err, "input", "couponId")
		case err != nil:
			return at(err, "input", "couponIds", strconv.Itoa(i))
		}
		if zones[c.Timezone], err = coupon.LoadZone(c.Timezone); err != nil {
			return err
		}
	}
	if r.CodeFilter == nil {
		return nil
	}
	for _, zone := range zones {
		if _, _, err := t.store.factStatement(zone, 0, r.CodeFilter); err != nil {
			return coupon.Under(err, "input")
		}
	}
	return nil
}

func (s *Store) exportByNumber(ctx context.Context, number int64) (*coupon.Export, error) {
	id := coupon.NewID(coupon.KindExport, number)
	found, err := s.ExportsByID(ctx, []coupon.ID{id})
	if err == nil && found[id] == nil {
		err = coupon.NotFound(coupon.KindExport, id)
	}
	return found[id], err
}

// ExportsByID returns the exports that exist of these, with the progress of those that run.
func (s *Store) ExportsByID(ctx context.Context, ids []coupon.ID) (
	map[coupon.ID]*coupon.Export, error,
) {
	return s.readExports(ctx, numbersOf(coupon.KindExport, ids))
}

// Exports returns a page of exports, newest first; kind and status narrow it unless empty.
func (s *Store) Exports(
	ctx context.Context, kind *coupon.ExportKind, status []coupon.ImportStatus, page coupon.Page,
) (*coupon.List[*coupon.Export], error) {
	args := []any{named("kind", optionalText(kind)), named("status", texts(status))}
	return newestPage(ctx, s, page, coupon.KindExport, exportPage, exportCount, args, s.readExports)
}

func (s *Store) readExports(ctx context.Context, numbers []int64) (
	map[coupon.ID]*coupon.Export, error,
) {
	found := make(map[coupon.ID]*coupon.Export, len(numbers))
	if len(numbers) == 0 {
		return found, nil
	}
	err := duckdb.Each(ctx, s.engine, exportGet, func(rows *sql.Rows) error {
		var number int64
		var request string
		var e coupon.Export
		err := rows.Scan(
			&number,
			&e.Kind,
			&e.Status,
			&e.Format,
			&request,
			&e.RowCount,
			&e.ByteCount,
			&e.Failure,
			&e.CreatedAt,
			&e.StartedAt,
			&e.FinishedAt,
			&e.ExpiresAt,
		)
		if err != nil {
			return err
		}
		e.ID = coupon.NewID(coupon.KindExport, number)
		if err := json.Unmarshal([]byte(request), &e.Request); err != nil {
			return fmt.Errorf("decode the request of %s: %w", e.ID, err)
		}
		if e.Status.IsFinal() {
			e.Progress = 1
		} else if known, isRunning := s.exporting.Load(e.ID); isRunning {
			known.(*exportProgress).tell(&e) //nolint:forcetypeassert // nothing else is stored
		}
		found[e.ID] = &e
		return nil
	}, named("ids", numbers))
	return found, err
}

// tell tells how far an export is by the size of its file.
func (p *exportProgress) tell(e *coupon.Export) {
	info, err := os.Stat(p.path)
	if err != nil { // Nothing is written yet.
		return
	}
	e.ByteCount = float64(info.Size())
	if expected := p.expected.Load(); expected > 0 {
		const almost = 0.99
		e.Progress = min(almost, e.ByteCount/float64(expected))
	}
}

// WaitingExports returns the exports that are queued or were interrupted, oldest first.
func (s *Store) WaitingExports(ctx context.Context) ([]coupon.ID, error) {
	return duckdb.Collect(ctx, s.engine, exportWaiting, func(rows *sql.Rows) (coupon.ID, error) {
		var number int64
		err := rows.Scan(&number)
		return coupon.NewID(coupon.KindExport, number), err
	})
}

// RunExport writes the file of an export from start to end, as the rows are at one instant. An
// interrupted export is simply run again. Trouble with the disk becomes the failure of the export;
// an error is returned when it could not be brought to an end. What an analyst's query gives, query
// writes. One that is called off leaves no file.
func (s *Store) RunExport(ctx context.Context, id coupon.ID, query WriteQuery) error {
	number, err := id.Number(coupon.KindExport)
	if err != nil {
		return err
	}
	ctx, leave := s.within(ctx)
	defer leave()
	e, err := s.exportByNumber(ctx, number)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	progress := &exportProgress{
		path:       filepath.Join(s.spoolDir(), id.FileName()),
		runningJob: runningJob{cancel, make(chan struct{})},
	}
	write := s.writeRows
	switch e.Kind { //nolint:exhaustive // the engine writes the others
	case coupon.ExportSQL:
		// A folder of its own: whoever writes there sees nothing else.
		progress.path = filepath.Join(s.spoolDir(), id.FileName()+".query", "rows")
		write = query.write
	case coupon.ExportBackup:
		// So that the engine's log of the file goes with it.
		progress.path = filepath.Join(s.spoolDir(), id.FileName()+".backup", "couponql.duckdb")
		write = s.writeBackup
	}
	s.exporting.Store(id, progress)
	defer s.watchers.notify(id)
	defer close(progress.done)
	defer s.exporting.Delete(id)
	var started int
	err = s.update(ctx, func(ctx context.Context, t *turn) error {
		t.onCommit(func() { s.watchers.notify(id) })
		var err error
		started, err = t.Exec(ctx, exportStart, named("id", number), named("now", t.now))
		return err
	})
	switch {
	case errors.Is(context.Cause(ctx), errCanceled):
		return s.recordCanceledExport(ctx, number)
	case err != nil:
		return fmt.Errorf("start %s: %w", id, err)
	case started == 0: // It was canceled while it waited.
		return nil
	}
	stop := s.keepNotifying(ctx, id)
	var rows int
	var size int64
	err = background.Run(func() (err error) {
		rows, size, err = s.writeExport(ctx, number, e, progress, write)
		return err
	})
	stop()
	if errors.Is(context.Cause(ctx), errCanceled) {
		return s.recordCanceledExport(ctx, number)
	}
	if ctx.Err() != nil {
		// The server stops: the export stays RUNNING and is run again at the next start.
		return fmt.Errorf("run %s: %w", id, context.Cause(ctx))
	}
	if err = s.finishExport(ctx, number, e, rows, size, err); errors.Is(context.Cause(ctx),
		errCanceled) {
		return s.recordCanceledExport(ctx, number)
	}
	return err
}

// recordCanceledExport records that an export was called off, unless its end was recorded before,
// and deletes its file.
func (s *Store) recordCanceledExport(ctx context.Context, number int64) error {
	canceled := 0
	err := s.conclude(context.WithoutCancel(ctx), func(ctx context.Context, t *turn) error {
		t.reserve = min(t.reserve, minFreeDiskForOutcome)
		var err error
		canceled, err = t.Exec(ctx, exportCancel, named("id", number), named("now", t.now))
		return err
	})
	if err != nil || canceled == 0 {
		return err
	}
	if err := os.Remove(s.exportPath(number)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove a canceled export: %w", err)
	}
	return nil
}

// CancelExport calls off an export that waits or runs, for a role; nothing of its file stays. It
// gives the export as it then is. Repeating it is harmless. It returns NOT_FOUND, INVALID for one
// that is not the role's to call off, and INVALID_STATE for one that is over.
func (s *Store) CancelExport(ctx context.Context, id coupon.ID, role coupon.Role) (
	*coupon.Export, error,
) {
	number, err := id.Number(coupon.KindExport)
	if err != nil {
		return nil, at(err, "input", "id")
	}
	e, err := s.exportByNumber(ctx, number)
	if err == nil {
		err = e.CheckCancel(role)
	}
	if err != nil {
		return nil, at(err, "input", "id")
	}
	var running *runningJob
	if known, isRunning := s.exporting.Load(id); isRunning {
		running = &known.(*exportProgress).runningJob //nolint:forcetypeassert // nothing else is stored
	}
	if err := s.cancelJob(ctx, running, exportCancel, id, number); err != nil {
		return nil, err
	}
	if e, err = s.exportByNumber(ctx, number); err == nil && e.Status != coupon.ImportCanceled {
		return nil, coupon.Errorf(coupon.ErrorInvalidState,
			"The export is %s; only one that is QUEUED or RUNNING can be canceled.", e.Status).
			At("input", "id")
	}
	return e, err
}

// keepNotifying wakes those who watch an object from time to time, until stop is called.
func (s *Store) keepNotifying(ctx context.Context, id coupon.ID) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	s.background(func() error {
		ticker := time.NewTicker(progressInterval)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				s.watchers.notify(id)
			case <-ctx.Done():
				return nil
			}
		}
	})
	return cancel
}

// finishExport records the end of an export. It gives failed when that was not the disk's doing.
func (s *Store) finishExport(
	ctx context.Context, number int64, e *coupon.Export, rows int, size int64, failed error,
) error {
	status := coupon.ImportSucceeded
	var failure *string
	if failed != nil {
		status, rows, size = coupon.ImportFailed, 0, 0
		text := "The server could not finish the export; its log has the cause."
		problems, isUser := coupon.AsUserErrors(failed)
		switch {
		case errors.Is(failed, ErrDiskFull):
			text, failed = diskNotice(failed)+" Make room and export again.", nil
		case errors.Is(failed, ErrMemory):
			text = "The export needs more memory than the database engine may take (--memory-limit) beside other work. " +
				"Export again later, or let the engine take more."
		case isUser:
			text, failed = problems.Error(), nil
		}
		failure = &text
	}
	err := s.conclude(ctx, func(ctx context.Context, t *turn) error {
		t.reserve = min(t.reserve, minFreeDiskForOutcome)
		_, err := t.Exec(ctx, exportFinish, named("id", number), named("status", string(status)),
			named("row_count", rows), named("byte_count", size),
			named("failure", failure), named("now", t.now),
			named("expires_at", t.now.Add(e.Lifetime())))
		return err
	})
	return errors.Join(failed, err)
}

// WriteQuery writes what the query of an export gives to a new file, and gives how many rows that
// are. It returns UserErrors for what is wrong with the query.
type WriteQuery func(ctx context.Context, e *coupon.Export, path string) (rows int, err error)

func (w WriteQuery) write(ctx context.Context, e *coupon.Export, progress *exportProgress) (
	int, error,
) {
	if err := os.MkdirAll(filepath.Dir(progress.path), 0o700); err != nil {
		return 0, duckdb.StorageError("make the folder of an export", err)
	}
	return w(ctx, e, progress.path)
}

// writeExport writes the file of an export. It is written into the spool folder, the only one that
// the engine may open; whole and synced it is moved to its place.
func (s *Store) writeExport(
	ctx context.Context, number int64, e *coupon.Export, progress *exportProgress,
	write func(context.Context, *coupon.Export, *exportProgress) (int, error),
) (rows int, size int64, err error) {
	defer func() {
		if removed := os.Remove(progress.path); removed != nil &&
			!errors.Is(removed, os.ErrNotExist) {
			err = errors.Join(err, fmt.Errorf("remove a spool file: %w", removed))
		}
		if dir := filepath.Dir(progress.path); dir != s.spoolDir() {
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}()
	if rows, err = write(ctx, e, progress); err != nil {
		return 0, 0, err
	}
	if size, err = duckdb.SyncFile(progress.path); err != nil {
		return 0, 0, err
	}
	if err := os.Rename(progress.path, s.exportPath(number)); err != nil {
		return 0, 0, fmt.Errorf("keep an export: %w", err)
	}
	return rows, size, nil
}

// writeRows has the engine write the rows of a table.
func (s *Store) writeRows(ctx context.Context, e *coupon.Export, progress *exportProgress) (
	rows int, err error,
) {
	conn, err := s.engine.Connection(ctx)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	x, err := s.exportStatement(ctx, conn, e)
	if err != nil {
		return 0, err
	}
	defer func() {
		_, dropped := conn.ExecContext(context.WithoutCancel(ctx),
			"-- drop a temporary table\nDROP TABLE IF EXISTS temp.chosen")
		if dropped != nil {
			err = errors.Join(err, fmt.Errorf("drop a temporary table: %w", dropped))
		}
	}()
	progress.expected.Store(int64(x.expected))
	if err := s.engine.CheckDisk(s.reserve + uint64(x.expected)); err != nil {
		return 0, err
	}
	rows, err = s.engine.RunCounting(ctx, conn,
		duckdb.CopyTo(progress.path, x.columns, x.rows, x.format), x.args...)
	return rows - x.moreLines, explainXML(err)
}

// OpenExport opens the file of an export for reading. It returns NOT_FOUND for an export without a
// file, or whose file is gone.
func (s *Store) OpenExport(ctx context.Context, id coupon.ID) (*os.File, *coupon.Export, error) {
	number, err := id.Number(coupon.KindExport)
	if err != nil {
		return nil, nil, err
	}
	e, err := s.exportByNumber(ctx, number)
	if err != nil {
		return nil, nil, err
	}
	if !e.HasFile(s.now()) {
		return nil, nil, coupon.NotFound(coupon.KindExport, id)
	}
	file, err := os.Open(s.exportPath(number))
	if err != nil {
		return nil, nil, fmt.Errorf("open %s: %w", id, err)
	}
	return file, e, nil
}

// diskNotice begins the failure of a job that an ErrDiskFull ended. What came of it and what to do
// is to follow.
func diskNotice(err error) string {
	full, _ := errors.AsType[*unavailable.Error](err)
	return full.Reason + "."
}
