package file

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"

	"golang.org/x/text/transform"

	"couponql/coupon"
)

// MaxColumns is how many columns a file may have.
const MaxColumns = 1000

// sampleBytes is how much of the unpacked file is looked at to find its encoding.
const sampleBytes = 1 << 20

// Layout is how a file turned out to be written.
type Layout struct {
	Format coupon.FileFormat
	// Delimiter is the character between columns; a comma when there is one column.
	Delimiter string
	// Encoding is the name of the encoding in the WHATWG standard, e.g. "utf-8" or "windows-1252".
	Encoding  string
	HasHeader bool
	// Columns are the names in the header, trimmed, with "" for columns without a name; without a
	// header "column1", "column2" and so on.
	Columns []string
}

// Reader reads the rows of one file. Only Position may be called while another call is running.
type Reader struct {
	source *source
	rows   *splitter
	layout Layout
	row    Row
	err    error
}

// Open opens a file, finds out how it is written and which of its columns hold the given ones, and
// stands before the first row. What is set in options is not detected; options.Columns comes before
// the spellings that are known. The columns of a file without a header are called column1, column2 …
// in options.Columns; unless they are mapped there they have the order of columns.
//
// It is taken for granted that the first row is a header when any of its cells is a known spelling.
// When none is, a file of one column has no header, nor has one whose first row has an e-mail address
// or a date in just the right place. Everything else could be read in two ways and is an error, unless
// options.HasHeader decides.
//
// It returns a *coupon.UserError for everything that the marketer can mend: FILE_UNREADABLE when the
// file is empty, is no CSV or lacks a required column, FILE_TOO_LARGE, INVALID for options that cannot
// be meant. Any other error is trouble of the file system.
func Open(path string, options coupon.FileOptions, columns []Column) (*Reader, error) {
	if options.Format != nil && *options.Format != coupon.FormatCSV {
		return nil, unsupported(*options.Format)
	}
	src, err := openSource(path)
	if err != nil {
		return nil, userError(err, 0)
	}
	r := &Reader{source: src}
	if err := r.open(&options, columns); err != nil {
		_ = src.close()
		if errors.Is(err, io.EOF) {
			return nil, unreadable("The file is empty.")
		}
		return nil, userError(err, 0)
	}
	return r, nil
}

// open finds out the layout. It returns io.EOF for a file without rows.
func (r *Reader) open(options *coupon.FileOptions, columns []Column) error {
	if err := r.openText(options); err != nil {
		return err
	}
	s := r.rows
	s.skipBlankLines()
	s.fillSample()
	s.skipSeparatorLine()
	s.skipBlankLines()
	s.fillSample()
	if s.pos == len(s.buf) {
		return s.err
	}
	if options.Format == nil {
		if err := checkText(s.buf[s.pos:]); err != nil {
			return err
		}
	}
	countNames := func(cells []string) int { return countNames(cells, columns, options.Columns) }
	found, err := s.detectDialect(options, countNames)
	if err != nil {
		return err
	}
	s.delimiter = found.delimiter
	r.layout.Delimiter = string(rune(found.delimiter))
	return r.findColumns(options, columns, found)
}

// openText finds out the encoding and prepares the splitter.
func (r *Reader) openText(options *coupon.FileOptions) error {
	sample := make([]byte, sampleBytes)
	n := 0
	var err error
	for n < len(sample) && err == nil {
		var more int
		more, err = r.source.Read(sample[n:])
		n += more
	}
	sample = sample[:n]
	if n == 0 && err != nil {
		return err
	}
	if err := checkUnpacked(sample); err != nil {
		return err
	}
	set, setErr := detectCharset(sample, err == nil, options.Encoding)
	if setErr != nil {
		return setErr
	}
	isSingleByte := set.name == nameUTF8 || set.name == nameWindows1252
	if isSingleByte && (options.Encoding == nil || *options.Encoding == "") {
		if err := checkBinary(sample); err != nil {
			return err
		}
	}
	// An error of the sample comes after what could be read.
	rest := io.Reader(r.source)
	if err != nil {
		rest = readerFunc(func([]byte) (int, error) { return 0, err })
	}
	text := io.MultiReader(bytes.NewReader(sample[set.bomSize:]), rest)
	if set.encoding != nil {
		text = transform.NewReader(text, set.encoding.NewDecoder())
	}
	r.rows = newSplitter(text)
	r.rows.isDecoded = set.encoding != nil
	r.layout.Format = coupon.FormatCSV
	r.layout.Encoding = set.name
	return nil
}

// findColumns finds out whether there is a header and which columns hold what.
func (r *Reader) findColumns(options *coupon.FileOptions, columns []Column, found dialect) error {
	if options.HasHeader != nil && !*options.HasHeader {
		names := positions(min(found.widest, MaxColumns))
		if len(options.Columns) > 0 {
			return r.useNames(names, columns, options.Columns)
		}
		return r.usePositions(names, columns, names)
	}
	cells, after, err := r.rows.firstRow()
	if err != nil {
		return err
	}
	if width := max(found.width, len(cells)); width > MaxColumns {
		return coupon.Errorf(coupon.ErrorFileUnreadable, "The file has %d columns. At most %d can be read.", width, MaxColumns)
	}
	first := make([]string, len(cells))
	for i, cell := range cells {
		first[i] = coupon.CleanValue(cell)
	}
	names := positions(found.width)
	switch {
	case options.HasHeader != nil || found.matches > 0:
		r.rows = after
		r.layout.HasHeader = true
		return r.useNames(first, columns, options.Columns)
	case len(options.Columns) > 0 && areMapped(names, options.Columns):
		return r.useNames(names, columns, options.Columns)
	case len(options.Columns) > 0:
		// The first row has none of the mapped names: the error names what it has.
		return r.useNames(first, columns, options.Columns)
	case len(names) > 1 && !isProved(first, columns):
		return r.usePositions(nil, columns, first)
	}
	return r.usePositions(names, columns, first)
}

// useNames assigns the columns of the file by their names.
func (r *Reader) useNames(names []string, columns []Column, mappings []*coupon.ColumnMapping) error {
	a, err := assign(names, columns, mappings)
	if err != nil {
		return err
	}
	r.use(names, a)
	return a.checkRequired(columns, names)
}

// usePositions assigns the columns of a file without a header in their order; shown is what an error
// gives as the file's columns.
func (r *Reader) usePositions(names []string, columns []Column, shown []string) error {
	a := &assignment{fields: make([]int, len(columns))}
	for i := range columns {
		a.fields[i] = -1
		if i < len(names) {
			a.fields[i] = i
		}
	}
	for cell := len(columns); cell < len(names); cell++ {
		a.others = append(a.others, otherColumn{name: names[cell], cell: cell})
	}
	r.use(names, a)
	return a.checkRequired(columns, shown)
}

func (r *Reader) use(names []string, a *assignment) {
	r.layout.Columns = names
	r.rows.width = len(names)
	r.row.assignment = a
}

// Layout gives how the file turned out to be written.
func (r *Reader) Layout() Layout {
	layout := r.layout
	layout.Columns = slices.Clone(layout.Columns)
	return layout
}

// Next gives the next row, or io.EOF after the last one. The row is reused by the next call. A row
// that cannot be read has a Reason and is no error. It returns FILE_UNREADABLE, with the last line that
// is good, when compressed data is damaged or cut off, and FILE_TOO_LARGE beyond MaxFileBytes; any
// other error is trouble of the file system. After an error it gives the same error for ever.
func (r *Reader) Next() (*Row, error) {
	if r.err == nil {
		r.err = r.rows.next(&r.row)
	}
	if r.err != nil {
		r.err = userError(r.err, r.rows.line-1)
		return nil, r.err
	}
	return &r.row, nil
}

// Position gives how many bytes of the file, compressed as it is, were taken so far, and its size. It
// may be called from another goroutine while Next works.
func (r *Reader) Position() (read, size int64) { return r.source.read.Load(), r.source.size }

// Close closes the file. Rows can no longer be read.
func (r *Reader) Close() error {
	r.err = os.ErrClosed
	if err := r.source.close(); err != nil {
		return fmt.Errorf("close file: %w", err)
	}
	return nil
}

// userError turns damage of compressed data into a FILE_UNREADABLE that names the last good line, if
// there is one, and leaves every other error as it is.
func userError(err error, line int) error {
	switch {
	case !errors.Is(err, errDamaged):
		return err
	case line > 0:
		return coupon.Errorf(coupon.ErrorFileUnreadable,
			"The compressed file is damaged or cut off: nothing can be read after line %d. Send the whole file again.", line)
	}
	return unreadable("The compressed file is damaged or cut off: nothing of it can be read. Send the whole file again.")
}

// positions gives the names of the columns of a file without a header.
func positions(count int) []string {
	names := make([]string, count)
	for i := range names {
		names[i] = "column" + strconv.Itoa(i+1)
	}
	return names
}

// countNames counts the cells that are known or mapped names of columns.
func countNames(cells []string, columns []Column, mappings []*coupon.ColumnMapping) int {
	count := 0
	for _, cell := range cells[:min(len(cells), MaxColumns)] {
		spelling := normal(coupon.CleanValue(cell))
		if slices.ContainsFunc(columns, func(c Column) bool { return c.matches(spelling) }) ||
			slices.ContainsFunc(mappings, func(m *coupon.ColumnMapping) bool { return normal(m.Column) == spelling }) {
			count++
		}
	}
	return count
}

// areMapped reports whether all mapped columns are among the names.
func areMapped(names []string, mappings []*coupon.ColumnMapping) bool {
	return !slices.ContainsFunc(mappings, func(m *coupon.ColumnMapping) bool {
		_, err := mappedCell(names, m)
		return err != nil
	})
}

// isProved reports whether the cells of the first row can only be values in the order of columns.
func isProved(cells []string, columns []Column) bool {
	for i := range min(len(cells), len(columns)) {
		if columns[i].isProof != nil && columns[i].isProof(cells[i]) {
			return true
		}
	}
	return false
}
