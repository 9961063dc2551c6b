package analyst

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"couponql/background"
	"couponql/coupon"
	"couponql/db/snapshot"
)

// Command is the hidden command of the program that runs Answer.
const Command = "answer-sql"

// threads is how many cores one query may keep busy.
const threads = 2

// maxRequestBytes bounds a request: a query with every character escaped, and what goes with it.
const maxRequestBytes = 8 * coupon.MaxSQLQueryBytes

// Answer is the whole life of a process that answers one query: it reads the request from in, and writes the answer to
// out. It calls exit when in ends, which says that the server has gone.
func Answer(in io.Reader, out io.Writer, exit func(code int)) error {
	lines := bufio.NewReaderSize(in, maxRequestBytes)
	text, err := lines.ReadSlice('\n')
	if err != nil {
		return fmt.Errorf("read the request: %w", err)
	}
	var r request
	if err := json.Unmarshal(text, &r); err != nil {
		return fmt.Errorf("read the request: %w", err)
	}
	if err := confine(&r); err != nil {
		return err
	}
	background.Go(func() error {
		_, err := io.Copy(io.Discard, lines)
		return err
	}, func(error) { exit(1) })
	w := bufio.NewWriterSize(out, 1<<16)
	e := &encoder{json.NewEncoder(w)}
	last, err := e.answer(context.Background(), &r)
	if err != nil {
		last = endOf(err)
	}
	return errors.Join(e.Encode(line{End: last}), w.Flush())
}

// encoder writes the lines of an answer.
type encoder struct{ *json.Encoder }

// endOf says what went wrong.
func endOf(err error) *end {
	if problems, ok := coupon.AsUserErrors(err); ok {
		return &end{Code: problems[0].Code, Message: problems.Error()}
	}
	if errors.Is(err, snapshot.ErrMemory) {
		return &end{NeedsMemory: true}
	}
	return &end{Failure: err.Error()}
}

func (e *encoder) answer(ctx context.Context, r *request) (last *end, err error) {
	options := snapshot.Options{MemoryLimit: r.MemoryLimit, Threads: threads}
	if r.Task == taskFile {
		options.ExportDir = filepath.Dir(r.File)
	}
	// The process was started in the folder of the snapshot.
	snapshot, err := snapshot.Open(ctx, ".", options)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, snapshot.Close()) }()
	began := time.Now()
	columns, err := snapshot.Check(ctx, r.Query)
	if err != nil {
		return nil, err
	}
	if err := e.Encode(line{Columns: columns}); err != nil {
		return nil, err
	}
	last = &end{}
	switch r.Task {
	case taskCheck:
	case taskRows:
		last.IsTruncated, err = snapshot.Rows(ctx, r.Query, columns, r.Limit, e.row())
	case taskFile:
		last.RowCount, err = snapshot.Export(ctx, r.Query, columns, r.Format, r.IsSpreadsheetSafe, r.File)
	}
	last.ElapsedMs = float64(time.Since(began).Microseconds()) / 1000
	return last, err
}

// row returns what writes rows until there are too many bytes.
func (e *encoder) row() func([]json.RawMessage) error {
	size := 0
	return func(row []json.RawMessage) error {
		for _, value := range row {
			size += len(value) + 1
		}
		if size > coupon.MaxSQLResultBytes {
			return tooLarge()
		}
		return e.Encode(line{Row: row})
	}
}

func tooLarge() error {
	return coupon.Errorf(coupon.ErrorResultTooLarge,
		"The result has more than %d MB, the most that one answer may have. Ask for fewer rows or columns, or use exportSql.", coupon.MaxSQLResultBytes>>20)
}
