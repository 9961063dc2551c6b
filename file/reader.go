package file

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"

	"couponql/coupon"
)

// MaxColumns is how many columns a file may have.
const MaxColumns = 1000

// sampleBytes is how much of the unpacked file is looked at to find its encoding.
const sampleBytes = 1 << 20

// Layout is how a file turned out to be written.
type Layout struct {
	Format          coupon.FileFormat
	FormatCertainty coupon.Certainty
	// Delimiter is the character between the columns of CSV; a comma when there is one column. It is ""
	// in other formats.
	Delimiter          string
	DelimiterCertainty coupon.Certainty
	// Encoding is the name of the encoding in the WHATWG standard, e.g. "utf-8" or "windows-1252".
	Encoding          string
	EncodingCertainty coupon.Certainty
	// HasHeader says whether the first line of CSV names the columns. In other formats it is true, as
	// the columns always have names.
	HasHeader       bool
	HeaderCertainty coupon.Certainty
	// Columns are the names in the header, trimmed, with "" for columns without a name; without a
	// header "column1", "column2" and so on. JSONL and XML name columns in every row: these are the names
	// in the first rows, and those in the rows that were read since.
	Columns []string
	// Fields has, for each of the columns, the name of the known column that it holds; "" for none.
	Fields []string
	// Certainties has, for each of the columns, how sure it is that it holds its field.
	Certainties []coupon.Certainty
	// Warnings tell what was guessed.
	Warnings []*coupon.ImportWarning
}

// Reader reads the rows of one file. Only Position may be called while another call is running.
type Reader struct {
	path   string
	source *source
	// charset is nil for Parquet.
	charset *charset
	rows    rows
	// catalog has the columns of JSONL and XML, which grow; nil for other formats.
	catalog *catalog
	// known are the columns that were given to Open.
	known  []Column
	layout Layout
	row    Row
	err    error
	// noRows tells lines that are no rows; begun are those that come before the first row.
	noRows *noRows
	begun  []noRow
	found  coupon.ImportFindings
	// givenColumns are the mappings of the options, and isByPlace says that the columns have their fields by their order.
	givenColumns []*coupon.ColumnMapping
	isByPlace    bool
}

// noRow is a line that is no row.
type noRow struct {
	line int
	raw  []byte
}

// maxBegun is how many lines that are no rows may come before the header.
const maxBegun = 20

// rows reads the rows of one format.
type rows interface {
	// next reads a row into row. It returns io.EOF after the last one, or why no more can be read.
	next(row *Row) error
	// lastLine returns the last line that is good, for the message when the source fails; 0: none.
	lastLine() int
}

// Open opens a file, finds out how it is written and which of its columns hold the given ones, and
// stands before the first row. What is set in options is not detected; options.Columns comes before
// the spellings that are known. The columns of a file without a header are called column1, column2 …
// in options.Columns; unless they are mapped there they have the order of columns.
//
// It is taken for granted that the first row is a header when any of its cells is a known spelling, unless that
// comes again further down. When none is, a file whose first row has an e-mail address or a date in just the right
// place has none. In a file of one column the looks of the first row decide, and a warning tells it where
// they differ from those of all others. Everything else could be read in two ways and is an error, unless
// options.HasHeader decides.
//
// JSONL and XML name the columns in every row: the known ones are looked for in the first 1,000 rows, as
// far as they stand in the first MiB. options.Delimiter and options.HasHeader are for CSV alone.
//
// It returns a *coupon.UserError for everything that the marketer can mend: FILE_UNREADABLE when the
// file is empty, is not of a format that is read or that options.Format names, or lacks a required
// column, FILE_TOO_LARGE, INVALID for options that cannot be meant. Any other error is trouble of the
// file system.
func Open(path string, options coupon.FileOptions, columns []Column) (*Reader, error) {
	src, err := openSource(path)
	if err != nil {
		return nil, userError(err, 0)
	}
	r := &Reader{path: path, source: src, known: columns}
	if err := r.open(&options, columns); err != nil {
		_ = src.close()
		if errors.Is(err, io.EOF) {
			return nil, unreadable("The file is empty.")
		}
		return nil, userError(err, 0)
	}
	r.row.rules, r.row.keepsOthers = coupon.NewCellRules(&options, r.layout.Format), r.keepsOthers()
	return r, nil
}

// open finds out the layout. It returns io.EOF for a file without rows.
func (r *Reader) open(options *coupon.FileOptions, columns []Column) error { //nolint:cyclop // one case a format
	r.layout.FormatCertainty, r.layout.HeaderCertainty = coupon.CertaintySure, coupon.CertaintySure
	r.givenColumns = options.Columns
	if options.Format != nil {
		r.layout.FormatCertainty = coupon.CertaintyGiven
	}
	sample, rest, err := r.readSample()
	if err != nil {
		return err
	}
	isAsked := func(format coupon.FileFormat) bool { return options.Format != nil && *options.Format == format }
	if (options.Format == nil || isAsked(coupon.FormatParquet)) && isParquet(sample, isAsked(coupon.FormatParquet)) {
		return r.openParquet(options, columns)
	}
	if err := checkUnpacked(sample); err != nil {
		return err
	}
	if isAsked(coupon.FormatParquet) {
		return unreadable("The file is not Parquet. Leave out options.format, or import a Parquet file.")
	}
	isCut := len(sample) == sampleBytes
	set, err := detectCharset(sample, isCut, options.Encoding, func() (evidence, error) { return gatherRest(r.path, sampleBytes) })
	if err != nil {
		return err
	}
	isGiven := options.Encoding != nil && *options.Encoding != ""
	isSingleByte := set.name == nameUTF8 || set.name == nameWindows1252
	if isSingleByte && !isGiven {
		if err := checkBinary(sample); err != nil {
			return err
		}
	}
	if options.Format != nil {
		r.layout.Format = *options.Format
	} else if r.layout.Format, err = detectText(sample, set); err != nil {
		return err
	}
	if r.layout.Format == coupon.FormatXML && !isGiven {
		if set, err = set.declared(sample); err != nil {
			return err
		}
	}
	r.charset = set
	switch r.layout.Format {
	case coupon.FormatXML:
		return r.openXML(sample, rest, set, options, columns)
	case coupon.FormatJSONL:
		return r.openJSONL(set.newSplitter(sample, rest), options, columns)
	case coupon.FormatCSV, coupon.FormatParquet, coupon.FormatDuckDB:
	}
	return r.openCSV(set.newSplitter(sample, rest), options, columns)
}

// readSample returns the first sampleBytes of the unpacked file and what gives the rest. An error that
// comes with the sample is kept for the rest, unless there is nothing else.
func (r *Reader) readSample() (sample []byte, rest io.Reader, err error) {
	sample = make([]byte, sampleBytes)
	n := 0
	for n < len(sample) && err == nil {
		var more int
		more, err = r.source.Read(sample[n:])
		n += more
	}
	if n == 0 && err != nil {
		return nil, nil, err
	}
	rest = r.source
	if err != nil {
		rest = failing(err)
	}
	return sample[:n], rest, nil
}

// failing returns a reader of nothing but an error.
func failing(err error) io.Reader { return readerFunc(func([]byte) (int, error) { return 0, err }) }

// newSplitter makes the splitter of a text of which a sample is in memory already.
func (c *charset) newSplitter(sample []byte, rest io.Reader) *splitter {
	s := newSplitter(c.text(sample, rest))
	s.isDecoded = c.encoding != nil
	return s
}

// openCSV finds out the dialect and the columns.
func (r *Reader) openCSV(s *splitter, options *coupon.FileOptions, columns []Column) error {
	s.skipBlankLines()
	s.fillSample()
	s.skipSeparatorLine()
	r.skipNoRows(s)
	s.fillSample()
	if s.pos == len(s.buf) {
		return s.err
	}
	if inside, isWrapped := s.unwrapped(columns, options); isWrapped {
		r.found.Warn(coupon.WarningWrappedRows, s.line, "")
		s = inside
		s.fillSample()
	}
	r.skipTitles(s, columns, options)
	s.fillSample()
	countNames := func(cells []string) int { return countNames(cells, columns, options.Columns) }
	found, err := s.detectDialect(options, countNames)
	if err != nil {
		return err
	}
	s.delimiter = found.delimiter
	r.layout.Format = coupon.FormatCSV
	r.layout.Delimiter = string(rune(found.delimiter))
	switch {
	case found.isGiven:
		r.layout.DelimiterCertainty = coupon.CertaintyGiven
	case found.width > 1 && found.matches == 0 && found.share < 1:
		r.layout.DelimiterCertainty = coupon.CertaintyGuessed
	default:
		r.layout.DelimiterCertainty = coupon.CertaintySure
	}
	return r.findColumns(s, options, columns, found)
}

// skipNoRows goes to the first line that may be a row. The others will be given as rejected rows.
func (r *Reader) skipNoRows(s *splitter) {
	for {
		s.skipBlankLines()
		s.fillSample()
		end := s.lineEnd()
		line := s.buf[s.pos:end]
		next := s.buf[s.nextLine(end):]
		if i := bytes.IndexAny(next, "\r\n"); i >= 0 {
			next = next[:i]
		}
		isNone := len(line) <= coupon.MaxTextLength && (isRuler(string(line)) || isFooter(string(line)))
		// Where the next line looks the same, these are values.
		if !isNone || len(next) == 0 || len(next) <= coupon.MaxTextLength && isRuler(string(next)) || len(r.begun) == maxBegun {
			return
		}
		r.begun = append(r.begun, noRow{line: s.line, raw: bytes.Clone(line)})
		s.pos = s.nextLine(end)
		s.line++
	}
}

// useCatalog finds the known columns of JSONL or XML among those that the first rows have.
func (r *Reader) useCatalog(c *catalog, options *coupon.FileOptions, columns []Column) error {
	if err := c.assign(options.Columns); err != nil {
		return err
	}
	r.catalog = c
	r.setAssignment(c.assignment)
	r.layout.HasHeader = true
	r.noRows = newNoRows(c.names, true, columns, c.assignment)
	r.noRows.isNamed = true
	r.warnRivals(c.assignment, c.names)
	return nil
}

// findColumns finds out whether there is a header and which columns hold what.
func (r *Reader) findColumns(s *splitter, options *coupon.FileOptions, columns []Column, found dialect) error {
	if options.HasHeader != nil && !*options.HasHeader {
		return r.useNoHeader(s, options, columns, found)
	}
	cells, after, err := s.firstRow()
	if err != nil {
		return err
	}
	if width := max(found.width, len(cells)); width > MaxColumns {
		return coupon.Errorf(coupon.ErrorFileUnreadable, "The file has %d columns. At most %d can be read.", width, MaxColumns)
	}
	first := cleanValues(cells)
	names := positions(found.width)
	cells, others := s.firstCells()
	isName := func(cell string) bool { return countNames([]string{cell}, columns, options.Columns) > 0 }
	isHeader := found.matches > 0 && !areValues(cells, others, isName)
	switch {
	case options.HasHeader != nil:
		r.layout.HasHeader, r.layout.HeaderCertainty = true, coupon.CertaintyGiven
		return r.useHeader(after, first, columns, options.Columns)
	case isHeader && isProved(first, columns) && len(options.Columns) == 0 && !hasRequired(first, columns):
		return r.usePositions(s, names, columns, first)
	case isHeader:
		return r.useKnownHeader(s, after, first, others, columns, options)
	case len(options.Columns) > 0:
		if !areMapped(names, options.Columns) {
			names = first // It has none of the mapped names: the error names what it has.
		}
		return r.useNames(s, names, columns, options.Columns)
	case len(names) > 1 && !isProved(first, columns):
		return r.usePositions(s, nil, columns, first)
	case len(names) == 1 && len(first) == 1:
		return r.useLooks(s, after, first, others, columns)
	}
	return r.usePositions(s, names, columns, first)
}

// useKnownHeader takes the columns by their names, some of which are known words.
func (r *Reader) useKnownHeader(
	s, after *splitter, first []string, others [][]string, columns []Column, options *coupon.FileOptions,
) error {
	r.layout.HasHeader = true
	if len(first) == 1 && isDoubtful(first[0], others[0], columns) {
		r.guessHeader(coupon.WarningGuessedHeader, s.line, first[0])
	}
	if err := r.useNames(after, first, columns, options.Columns); err != nil {
		return err
	}
	r.watchSingle(others)
	return nil
}

func cleanValues(cells []string) []string {
	clean := make([]string, len(cells))
	for i, cell := range cells {
		clean[i] = coupon.CleanValue(cell)
	}
	return clean
}

// useNoHeader takes the columns by their positions, as the caller says that there is no header.
func (r *Reader) useNoHeader(s *splitter, options *coupon.FileOptions, columns []Column, found dialect) error {
	r.layout.HeaderCertainty = coupon.CertaintyGiven
	names := positions(min(found.widest, MaxColumns))
	if len(options.Columns) > 0 {
		return r.useNames(s, names, columns, options.Columns)
	}
	return r.usePositions(s, names, columns, names)
}

// useLooks decides by its looks whether the first row of a file of one column is a header.
func (r *Reader) useLooks(s, after *splitter, first []string, others [][]string, columns []Column) error {
	defer r.watchSingle(others)
	switch compare(first[0], others[0]) {
	case unlike:
		r.guessHeader(coupon.WarningGuessedHeader, s.line, first[0])
		r.layout.HasHeader = true
		return r.useHeader(after, first, columns, nil)
	case odd:
		r.guessHeader(coupon.WarningOddFirstRow, s.line, first[0])
	case alike:
		if len(others[0]) == 0 {
			r.layout.HeaderCertainty = coupon.CertaintyGuessed
		}
	}
	return r.usePositions(s, positions(1), columns, first)
}

// guessHeader tells that it is a guess what the first row is.
func (r *Reader) guessHeader(kind coupon.ImportWarningKind, line int, value string) {
	r.layout.HeaderCertainty = coupon.CertaintyGuessed
	r.found.Warn(kind, line, value)
}

// watchSingle has words that stand alone in a row compared with the values of the only column.
func (r *Reader) watchSingle(others [][]string) {
	if len(others) == 1 && r.noRows != nil {
		r.noRows.others = others[0]
	}
}

// isDoubtful reports whether the name of the only column, though it is a known word, looks like the values do.
func isDoubtful(name string, others []string, columns []Column) bool {
	for i := range columns {
		if class, _, isKnown := columns[i].rank(normal(name)); isKnown && class == exactSpelling {
			return false
		}
	}
	return len(others) > 0 && compare(name, others) == alike
}

// hasRequired reports whether all required columns are among the names.
func hasRequired(names []string, columns []Column) bool {
	a, err := assign(names, columns, nil)
	return err != nil || a.checkRequired(columns, names) == nil
}

// useHeader assigns the columns by their names. The only column of a file is the first one of its kind, unless its name
// is that of another.
func (r *Reader) useHeader(s *splitter, names []string, columns []Column, mappings []*coupon.ColumnMapping) error {
	isKnown := slices.ContainsFunc(columns, func(c Column) bool { return c.matches(normal(names[0])) })
	if len(names) > 1 || len(mappings) > 0 || isKnown {
		return r.useNames(s, names, columns, mappings)
	}
	a := newAssignment(len(columns))
	a.fields[0] = 0
	r.use(s, names, a)
	return a.checkRequired(columns, names)
}

// useNames assigns the columns of the file by their names.
func (r *Reader) useNames(s *splitter, names []string, columns []Column, mappings []*coupon.ColumnMapping) error {
	a, err := assign(names, columns, mappings)
	if err != nil {
		return err
	}
	r.use(s, names, a)
	return a.checkRequired(columns, names)
}

// usePositions assigns the columns of a file without a header in their order; shown is what an error
// gives as the file's columns.
func (r *Reader) usePositions(s *splitter, names []string, columns []Column, shown []string) error {
	a := newAssignment(len(columns))
	r.isByPlace = len(names) > 1
	positional := slices.IndexFunc(columns, func(c Column) bool { return c.isNamedOnly })
	if positional < 0 {
		positional = len(columns)
	}
	for i := range min(positional, len(names)) {
		a.fields[i] = i
		if columns[i].consent != 0 {
			a.addConsent(i, i, columns[i].consent)
		}
	}
	for cell := positional; cell < len(names); cell++ {
		a.others = append(a.others, otherColumn{name: names[cell], cell: cell})
	}
	r.use(s, names, a)
	return a.checkRequired(columns, shown)
}

func (r *Reader) use(s *splitter, names []string, a *assignment) {
	r.layout.Columns = names
	s.width = len(names)
	r.rows = s
	r.setAssignment(a)
	r.noRows = newNoRows(names, r.layout.HasHeader, r.known, a)
	r.noRows.hasRulers = s.hasRulers()
	r.noRows.watchEdges(s)
	r.warnRivals(a, names)
}

// warnRivals tells of columns that were not taken for what they could be.
func (r *Reader) warnRivals(a *assignment, names []string) {
	for _, cell := range a.rivals {
		r.found.Warn(coupon.WarningGuessedColumn, 0, names[cell])
	}
}

// Layout returns how the file turned out to be written.
func (r *Reader) Layout() Layout {
	layout := r.layout
	if r.catalog != nil {
		layout.Columns = r.catalog.names
	}
	layout.Columns = slices.Clone(layout.Columns)
	layout.Warnings = slices.Clone(r.found.Warnings)
	if r.charset != nil {
		layout.Encoding, layout.EncodingCertainty = r.charset.name, r.charset.certainty
	}
	layout.Fields = make([]string, len(layout.Columns))
	for i, cell := range r.row.assignment.fields {
		if cell >= 0 && cell < len(layout.Fields) {
			layout.Fields[cell] = r.known[i].Name
		}
	}
	for cell, field := range r.row.assignment.used {
		layout.Fields[cell] = r.known[field].Name
	}
	for _, column := range r.row.assignment.consents {
		if column.field >= 0 && column.cell < len(layout.Fields) {
			layout.Fields[column.cell] = r.known[column.field].Name
		}
	}
	for _, other := range r.row.assignment.others {
		if r.keepsOthers() && other.cell < len(layout.Fields) && layout.Fields[other.cell] == "" {
			layout.Fields[other.cell] = other.name
		}
	}
	layout.Certainties = make([]coupon.Certainty, len(layout.Columns))
	for cell, field := range layout.Fields {
		if field != "" {
			layout.Certainties[cell] = r.certainty(cell, layout.Columns[cell], field)
		}
	}
	r.warnIgnored(&layout)
	r.warnHints(&layout)
	return layout
}

// certainty tells how sure it is that a column holds a field.
func (r *Reader) certainty(cell int, name, field string) coupon.Certainty {
	isMapped := func(m *coupon.ColumnMapping) bool {
		return normal(m.Field) == normal(field) && (m.Column == name || normal(m.Column) == normal(name) || positionPrefix+m.Column == name)
	}
	a := r.row.assignment
	isRival := func(rival int) bool {
		for i, column := range r.known {
			if column.Name == field && a.fields[i] == cell && column.matches(normal(r.layoutName(rival))) {
				return true
			}
		}
		return false
	}
	switch {
	case slices.ContainsFunc(r.givenColumns, isMapped):
		return coupon.CertaintyGiven
	case r.isByPlace || slices.ContainsFunc(a.rivals, isRival) ||
		slices.ContainsFunc(a.consents, func(c consentColumn) bool { return c.cell == cell && c.field < 0 }):
		return coupon.CertaintyGuessed
	}
	return coupon.CertaintySure
}

func (r *Reader) layoutName(cell int) string {
	if r.catalog != nil {
		return r.catalog.names[cell]
	}
	return r.layout.Columns[cell]
}

// warnIgnored tells of the columns that hold nothing known.
func (r *Reader) warnIgnored(layout *Layout) {
	var told coupon.ImportFindings
	for _, cell := range r.row.assignment.doubles {
		told.Warn(coupon.WarningDoubleColumn, 0, layout.Columns[cell])
	}
	for cell, name := range layout.Columns {
		if layout.Fields[cell] == "" && name != "" && !IsReject(name) && !slices.Contains(r.row.assignment.doubles, cell) && !r.isNested(cell) {
			told.Warn(coupon.WarningIgnoredColumn, 0, name)
		}
	}
	layout.Warnings = append(layout.Warnings, told.Warnings...)
}

// isNested reports whether a cell cannot be read, which is told already.
func (r *Reader) isNested(cell int) bool {
	p, isParquet := r.rows.(*parquetRows)
	return isParquet && p.columns[cell].problem != ""
}

func (r *Reader) setAssignment(a *assignment) { r.row.assignment, r.row.fields = a, a.fields }

// keepsOthers reports whether columns that nobody knows are kept as attributes.
func (r *Reader) keepsOthers() bool {
	return slices.ContainsFunc(r.known, func(c Column) bool { return c.takesOthers })
}

// Next returns the next row, or io.EOF after the last one. The row is reused by the next call. A row
// that cannot be read has a Reason and is no error. It returns FILE_UNREADABLE, with the last line that
// is good, when compressed data is damaged or cut off, or with the line where XML is broken, Parquet is
// damaged or a column turns up that makes the columns ambiguous or too many; and FILE_TOO_LARGE beyond
// MaxFileBytes. Any other error is trouble of the file system. After an error it gives the same error
// for ever.
func (r *Reader) Next() (*Row, error) {
	if len(r.begun) > 0 && r.err == nil {
		line := r.begun[0]
		r.begun = r.begun[1:]
		r.row.reject(line.line, coupon.RejectedNotARow, line.raw)
		return &r.row, nil
	}
	if r.err == nil {
		r.err = r.rows.next(&r.row)
	}
	if r.err == nil && r.noRows != nil {
		r.judge(&r.row)
	}
	if r.err != nil {
		r.err = userError(r.err, r.rows.lastLine())
		return nil, r.err
	}
	return &r.row, nil
}

// judge rejects a row that is none.
func (r *Reader) judge(row *Row) {
	text := row.text
	switch {
	case row.Reason == coupon.RejectedMalformed:
		text = row.Raw
	case row.Reason != "":
		r.warnEncoding(coupon.WarningBadEncoding, row.Line, "")
		return
	case r.charset != nil && r.charset.isGuess() && !coupon.IsASCII(text):
		r.warnEncoding(coupon.WarningGuessedEncoding, row.Line, firstOther(row))
	}
	if r.catalog != nil && len(r.noRows.names) < len(r.catalog.names) {
		r.noRows.addNames(r.catalog.names)
	}
	if r.noRows.is(row, text) || r.noRows.text != nil && r.noRows.isBelow(row) {
		row.reject(row.Line, coupon.RejectedNotARow, []byte(text))
	}
}

// firstOther returns the first value of a row that has a letter beyond ASCII.
func firstOther(row *Row) string {
	for cell := range row.spans {
		if value := row.value(cell); !coupon.IsASCII(value) {
			return value
		}
	}
	return ""
}

// warnEncoding counts a row that tells something of the encoding.
func (r *Reader) warnEncoding(kind coupon.ImportWarningKind, line int, text string) {
	if r.charset == nil || r.charset.name == nameUTF16LE || r.charset.name == nameUTF16BE {
		return
	}
	r.found.Warn(kind, line, text)
}

// Position returns how many bytes of the file, compressed as it is, were taken so far, and its size. It
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

// positionPrefix and a number from 1 are the name of a column of a file without a header.
const positionPrefix = "column"

// positions returns the names of the columns of a file without a header.
func positions(count int) []string {
	names := make([]string, count)
	for i := range names {
		names[i] = positionPrefix + strconv.Itoa(i+1)
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
