package db

import (
	"context"
	"database/sql"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"

	"couponql/coupon"
	"couponql/db/duckdb"
	"couponql/file"
)

// rejectsPage is how many rejected rows are read at once: a client that takes its time must not hold a connection
// to the database, nor a page much memory.
const rejectsPage = 10_000

// WriteRejects writes the rejected rows of an import that is over as CSV: the columns of its file, then the line, the
// reason and the value at fault. The file can be mended and imported again, as the added columns are not read. A row
// that could not be read has no columns but these. Columns of a file without a header get the names of what they were
// taken for. It returns NOT_FOUND, before anything is written, when there is no such import, when it rejected nothing,
// or when its file is gone.
func (s *Store) WriteRejects(ctx context.Context, importID coupon.ID, w io.Writer) (err error) {
	number, err := importID.Number(coupon.KindImport)
	if err != nil {
		return err
	}
	i, err := s.importByNumber(ctx, number)
	if err != nil {
		return err
	}
	if !i.HasRejects(s.now()) {
		return noRejects(i)
	}
	reader, err := s.openImport(i)
	if errors.Is(err, os.ErrNotExist) {
		return noRejects(i)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, reader.Close()) }()
	out := newRejectWriter(w, i, reader)
	rejected := &rejectedRows{store: s, number: number}
	if err := out.header(); err != nil {
		return err
	}
	for {
		rejection, err := rejected.next(ctx)
		if err != nil {
			return err
		}
		if rejection == nil {
			return out.flush()
		}
		if err := out.write(ctx, rejection); err != nil {
			return err
		}
	}
}

func noRejects(i *coupon.Import) error {
	return coupon.Errorf(coupon.ErrorNotFound, "There are no rejected rows of %s to download: it has none, is not over, or its file was deleted.", i.ID)
}

// rejectedRows gives the rejections of an import one by one, in the order of lines.
type rejectedRows struct {
	store  *Store
	number int64
	page   []coupon.Rejection
	last   int
	isOver bool
}

// next returns nil after the last one. What it gives is valid until the next call.
func (r *rejectedRows) next(ctx context.Context) (*coupon.Rejection, error) {
	if len(r.page) == 0 && !r.isOver {
		var err error
		r.page, err = duckdb.Collect(ctx, r.store.engine, rejectionAfter, func(rows *sql.Rows) (coupon.Rejection, error) {
			var one coupon.Rejection
			err := rows.Scan(&one.Line, &one.Reason, &one.Value)
			return one, err
		}, named("import_id", r.number), named("after", r.last), named("limit", rejectsPage))
		if err != nil {
			return nil, err
		}
		r.isOver = len(r.page) < rejectsPage
	}
	if len(r.page) == 0 {
		return nil, nil //nolint:nilnil // there are no more
	}
	next := &r.page[0]
	r.page, r.last = r.page[1:], next.Line
	return next, nil
}

// rejectWriter writes rejected rows, with their cells from the file that was imported.
type rejectWriter struct {
	csv    *csv.Writer
	reader *file.Reader
	// row is the row of the file that was read last; nil before the first one and after the last one.
	row  *file.Row
	read int
	// names are those of the columns, and places says which cell each has: a file of rejected rows that is imported
	// again has columns that tell why, and these are told anew.
	names  []string
	places []int
	cells  []string
}

func newRejectWriter(w io.Writer, i *coupon.Import, reader *file.Reader) *rejectWriter {
	out := &rejectWriter{csv: csv.NewWriter(w), reader: reader}
	// The import has seen every column of the file; the reader only those of the first rows.
	if i.Layout == nil {
		return out
	}
	for place, column := range i.Layout.Columns {
		name := column.Name
		if !i.Layout.HasHeader && column.Field != nil {
			name = *column.Field
		}
		if !file.IsReject(name) {
			out.names, out.places = append(out.names, name), append(out.places, place)
		}
	}
	return out
}

func (w *rejectWriter) header() error {
	w.cells = append(append(w.cells[:0], w.names...), file.RejectLine, file.RejectReason, file.RejectValue)
	return w.record()
}

// write writes one rejected row. Rejections come in the order of lines, as rows do.
func (w *rejectWriter) write(ctx context.Context, rejection *coupon.Rejection) error {
	for w.row == nil || w.row.Line < rejection.Line {
		row, err := w.reader.Next()
		if errors.Is(err, io.EOF) {
			w.row = nil
			break
		}
		if err != nil {
			return err
		}
		w.row = row
		if w.read++; w.read%rowsPerCheck == 0 && ctx.Err() != nil {
			return fmt.Errorf("read the rejected rows: %w", context.Cause(ctx))
		}
	}
	var values []string
	if w.row != nil && w.row.Line == rejection.Line {
		values = w.row.Values()
	}
	w.cells = w.cells[:0]
	for _, place := range w.places {
		value := ""
		if place < len(values) {
			value = values[place]
		}
		w.cells = append(w.cells, value)
	}
	value := ""
	if rejection.Value != nil {
		value = *rejection.Value
	}
	w.cells = append(w.cells, fmt.Sprint(rejection.Line), string(rejection.Reason), value)
	return w.record()
}

func (w *rejectWriter) record() error {
	if err := w.csv.Write(w.cells); err != nil {
		return fmt.Errorf("write rejected rows: %w", err)
	}
	return nil
}

func (w *rejectWriter) flush() error {
	w.csv.Flush()
	if err := w.csv.Error(); err != nil {
		return fmt.Errorf("write rejected rows: %w", err)
	}
	return nil
}

// rejectedSpool is the spool of rows that are not imported.
type rejectedSpool struct{ *duckdb.Spool }

func (r rejectedSpool) add(line int, reason coupon.RejectionReason, value string) error {
	return r.Number(int64(line)).Text(string(reason)).Optional(coupon.Printable(value)).End()
}
