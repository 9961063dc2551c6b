package db

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"couponql/coupon"
	"couponql/db/duckdb"
	"couponql/db/duckdb/memory"
	"couponql/file"
)

// newImportReader returns what reads the file of an import and stores its rows.
func (s *Store) newImportReader(number int64, i *coupon.Import, progress *rowProgress) *importReader {
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
	kinds := map[coupon.ImportKind]func(gate) (*importing, error){
		coupon.ImportCodes: r.importingCodes, coupon.ImportRecipients: r.importingRecipients,
		coupon.ImportRedemptions: r.importingRedemptions, coupon.ImportTargets: r.importingTargets,
		coupon.ImportBounces: r.importingBounces, coupon.ImportCoupons: r.importingCoupons,
	}
	begin := kinds[r.source.Kind]
	if begin == nil {
		return fmt.Errorf("import of %s", r.source.Kind)
	}
	rows, err := begin(gate{isDryRun: r.source.IsDryRun, most: r.source.MostRejections()})
	if err != nil {
		return err
	}
	return r.importRows(ctx, rows)
}

// importing is what an import does with rows of its kind.
type importing struct {
	rows importedRows
	// look is given every row once before take is, where one row says how others are to be read; nil: nothing does. With
	// MaxRejections it reports whether the row is rejected whatever the others say.
	look func(*file.Row) (isBad bool)
	// take notes a row that can be read, or rejects it.
	take func(*file.Row) error
	// lane is what the import waits for when the file is read; nil: nothing.
	lane duckdb.Lane
	// store decides about the rows and writes them, beside the writer. The rejected ones it leaves in a temporary table.
	store func(ctx context.Context, t *tx, w *memory.Witness) error
	// catchUp may take into account what others did so far, so that less is left to finish; nil: it is not worth it.
	catchUp func(ctx context.Context, t *tx, w *memory.Witness) error
	// finish takes it into account in the writer's turn. It returns how many rows were, or would be, imported.
	finish func(ctx context.Context, t *turn, w *memory.Witness) (imported int, err error)
	// harmless is how many of the rejected rows are no fault; nil: none is.
	harmless func() int
	// end is called in the end, whatever came of it; nil: there is nothing to do.
	end func()
}

// importedRows are the rows of a file on their way into tables.
type importedRows interface {
	// reject notes a row that is not imported.
	reject(line int, reason coupon.RejectionReason, value string) error
	// total is how many rows there are, with those that are rejected already.
	total() int
	// rejections is how many rows are rejected already.
	rejections() int
	remove() error
}

// importRows reads the rows of the file, stores them beside the writer and records what came of it.
func (r *importReader) importRows(ctx context.Context, i *importing) (err error) {
	defer func() { err = errors.Join(err, i.rows.remove()) }()
	if i.look != nil {
		bad := 0
		err := r.each(ctx, false, func() int { return bad }, func(*file.Row) error {
			bad++
			return nil
		}, func(row *file.Row) error {
			if i.look(row) {
				bad++
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	err = r.each(ctx, true, i.rows.rejections, func(row *file.Row) error { return i.rows.reject(row.Line, row.Reason, row.Raw) }, i.take)
	if err != nil {
		return err
	}
	if i.lane != nil {
		leave, err := i.lane.Enter(ctx)
		if err != nil {
			return err
		}
		defer leave()
	}
	if i.end != nil {
		defer i.end()
	}
	return r.decide(ctx, func(t *tx, w *memory.Witness) error {
		if err := i.store(ctx, t, w); err != nil {
			return err
		}
		if err := t.recordRejected(ctx, r.number); err != nil || i.catchUp == nil {
			return err
		}
		return i.catchUp(ctx, t, w)
	}, func(ctx context.Context, t *turn, w *memory.Witness) error {
		imported, err := i.finish(ctx, t, w)
		if err != nil {
			return err
		}
		harmless := 0
		if i.harmless != nil {
			harmless = i.harmless()
		}
		return t.recordOutcome(ctx, r.number, r.source, i.rows.total(), imported, harmless)
	})
}

// importReader reads the file of one import.
type importReader struct {
	store    *Store
	number   int64
	source   *coupon.Import
	progress *rowProgress
	// pools finds the coupons that a file of codes names; nil where it has those of one.
	pools *namedPools
	// decide is Store.decideImport.
	decide func(ctx context.Context, do func(*tx, *memory.Witness) error, finish func(context.Context, *turn, *memory.Witness) error) error
}

// each returns every row that can be read to take, and every other one to reject, until more are rejected than may be. It counts
// progress, so only the pass that stores rows sets count.
func (r *importReader) each(ctx context.Context, count bool, rejected func() int, reject, take func(*file.Row) error) (err error) {
	most := r.source.Options.MaxRejections
	reader, err := r.store.openImport(r.source)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, reader.Close()) }()
	r.source.Format = reader.Layout().Format
	layout := &coupon.ImportLayout{}
	for {
		var row *file.Row
		err := io.EOF
		if most == nil || rejected() <= *most {
			row, err = reader.Next()
		}
		if errors.Is(err, io.EOF) {
			if count {
				r.describe(reader.Layout(), layout)
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
			if row.Reason == "" && len(layout.Sample) < coupon.MaxSampleRows {
				layout.AddSample(row.Line, row.Values())
			}
		}
		if row.Reason != "" {
			err = reject(row)
		} else {
			if count {
				r.notice(row)
			}
			err = take(row)
		}
		if err != nil {
			return err
		}
	}
}

// columnsOf returns the columns that an import knows.
func columnsOf(i *coupon.Import) []file.Column {
	if i.Kind == coupon.ImportCodes && i.CouponID == nil {
		return file.CodeColumnsOfCoupons()
	}
	return file.Columns(i.Kind)
}

// openImport opens the file of an import.
func (s *Store) openImport(i *coupon.Import) (*file.Reader, error) {
	if i.UploadID == nil {
		return nil, fmt.Errorf("the file of %s is not known", i.ID)
	}
	return file.Open(s.uploadPath(coupon.MustNumber(coupon.KindUpload, *i.UploadID)), i.Options, columnsOf(i))
}

// describe notes how the file turned out to be written; layout has the sample.
func (r *importReader) describe(found file.Layout, layout *coupon.ImportLayout) {
	layout.HasHeader, layout.Columns = found.HasHeader, make([]*coupon.ImportColumn, len(found.Columns))
	layout.FormatCertainty, layout.HeaderCertainty = &found.FormatCertainty, &found.HeaderCertainty
	if found.Delimiter != "" {
		layout.Delimiter, layout.DelimiterCertainty = &found.Delimiter, &found.DelimiterCertainty
	}
	if found.Encoding != "" {
		layout.Encoding, layout.EncodingCertainty = &found.Encoding, &found.EncodingCertainty
	}
	for i, name := range found.Columns {
		layout.Columns[i] = &coupon.ImportColumn{Name: name}
		if field := found.Fields[i]; field != "" {
			layout.Columns[i].Field, layout.Columns[i].Certainty = &field, &found.Certainties[i]
		}
	}
	r.source.Warnings = append(r.source.Warnings, found.Warnings...)
	r.source.Layout = layout
}

// hasColumn reports whether the file has a column that holds a field. It is known when all rows were read.
func (r *importReader) hasColumn(field string) bool {
	return slices.ContainsFunc(r.source.Layout.Columns, func(c *coupon.ImportColumn) bool { return c.Field != nil && *c.Field == field })
}

// notice warns of what is odd about the values of a row, of each kind once.
func (r *importReader) notice(row *file.Row) {
	var seen [3]coupon.ImportWarningKind
	found := 0
	row.Each(func(cell coupon.Cell) {
		if kind, text := cell.Odd(); kind != "" && found < len(seen) && !slices.Contains(seen[:], kind) {
			seen[found] = kind
			found++
			r.source.Warn(kind, row.Line, coupon.Printable(text))
		}
	})
}

func (r *importReader) count(ctx context.Context, reader *file.Reader) error {
	return r.progress.count(ctx, reader.Position)
}

// stage makes the temporary tables of an import: its rows, and those that are rejected already. It comes before
// anything that lasts is written.
func (t *tx) stage(ctx context.Context, statement string, rows *duckdb.Spool, rejected rejectedSpool, more ...any) error {
	if err := t.Create(ctx, rejectedCreate); err != nil {
		return err
	}
	path, err := rows.Flush()
	if err != nil {
		return err
	}
	if err := t.Create(ctx, statement, append(more, named("path", path))...); err != nil {
		return err
	}
	if rejected.Rows() > 0 {
		if path, err = rejected.Flush(); err != nil {
			return err
		}
		if _, err = t.Exec(ctx, rejectedLoad, named("path", path)); err != nil {
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
