package file

import (
	"bytes"
	"cmp"
	"errors"

	"couponql/coupon"
)

// sampleRows is how many rows are looked at to find the delimiter.
const sampleRows = 200

// anyWidth is more cells than a row can have.
const anyWidth = MaxRowBytes + 2

// errSampleEnd ends a look at the part of the text that is in memory.
var errSampleEnd = errors.New("end of the sample")

// dialect is how well a delimiter explains the beginning of a text.
type dialect struct {
	delimiter byte
	// matches is how many cells of the first row are names of columns.
	matches int
	// width is the number of columns: the header's, or without one that of most rows.
	width int
	// widest is the number of cells of the longest row.
	widest int
	// share is the part of the rows that have so many cells, from 0 to 1.
	share float64
	// isGiven says that the delimiter was not looked for.
	isGiven bool
}

// detectDialect finds the delimiter, unless it is given. The one under which the first row has the most
// known names wins, then the one under which the rows agree on the number of cells, then the one with
// more cells. Where comma and another one are equally good, the comma is taken for a decimal sign. A
// text that none of them separates has one column, and the comma: codes may well have any of the
// others in them.
func (s *splitter) detectDialect(options *coupon.FileOptions, countNames func(cells []string) int) (dialect, error) {
	if options.Delimiter != nil && *options.Delimiter != "" {
		if !isDelimiter(*options.Delimiter) {
			return dialect{}, coupon.Errorf(coupon.ErrorInvalid,
				"The delimiter %q cannot be used. Give one character: a comma, a semicolon, a tab, a pipe or another sign.",
				excerpt(*options.Delimiter, maxNameLength)).At("input", "options", "delimiter")
		}
		given := s.tryDelimiter((*options.Delimiter)[0], options.HasHeader, countNames)
		given.isGiven = true
		return given, nil
	}
	if s.delimiter != 0 { // The line sep= has named it.
		given := s.tryDelimiter(s.delimiter, options.HasHeader, countNames)
		given.isGiven = true
		return given, nil
	}
	var best dialect
	for _, delimiter := range []byte("\t;|,") {
		tried := s.tryDelimiter(delimiter, options.HasHeader, countNames)
		order := cmp.Or(
			cmp.Compare(tried.matches, best.matches),
			cmp.Compare(tried.share, best.share),
			cmp.Compare(tried.width, best.width),
		)
		if tried.width > 1 && (best.delimiter == 0 || order > 0) {
			best = tried
		}
	}
	if best.delimiter == 0 {
		best = s.tryDelimiter(',', options.HasHeader, countNames)
	}
	return best, nil
}

// tryDelimiter splits the text that is in memory by this delimiter.
func (s *splitter) tryDelimiter(delimiter byte, hasHeader *bool, countNames func(cells []string) int) dialect {
	look := s.probe()
	look.delimiter = delimiter
	d := dialect{delimiter: delimiter}
	// counts has, for each number of cells, how many rows have it; 0 are the rows that cannot be read.
	counts := make(map[int]int)
	rows := 0
	var row Row
	for ; rows < sampleRows && look.next(&row) == nil; rows++ {
		cells := row.Cells()
		if rows == 0 && (hasHeader == nil || *hasHeader) {
			d.matches = countNames(cells)
			if d.matches > 0 || hasHeader != nil {
				d.width = len(cells)
			}
		}
		counts[len(cells)]++
		d.widest = max(d.widest, len(cells))
	}
	if d.width == 0 {
		d.width = mostCommon(counts)
	}
	if rows > 0 {
		d.share = float64(counts[d.width]) / float64(rows)
	}
	return d
}

// mostCommon returns the number of cells, but not 0, that most rows have; the larger one of two.
func mostCommon(counts map[int]int) int {
	best := 0
	for width, count := range counts {
		if width > 0 && (best == 0 || cmp.Or(cmp.Compare(count, counts[best]), cmp.Compare(width, best)) > 0) {
			best = width
		}
	}
	return best
}

// look returns a splitter that stands where s does, splits rows of any width, reads nothing more and
// leaves s as it is.
func (s *splitter) look() *splitter {
	look := *s
	look.text = nil
	look.width = anyWidth
	if look.err == nil {
		look.err = errSampleEnd
	}
	return &look
}

// fillSample reads until the longest first row is surely in memory, or the source has ended.
func (s *splitter) fillSample() {
	for s.err == nil && len(s.buf)-s.pos <= MaxRowBytes+1 {
		s.fill()
	}
}

// minRulers is how many values have to look like rulers before that is taken for the way of the file.
const minRulers = 3

// hasRulers reports whether most of the rows that are in memory look like rulers, so that they are values.
func (s *splitter) hasRulers() bool {
	look := s.look()
	var row Row
	rows, rulers := 0, 0
	for ; rows < sampleRows && look.next(&row) == nil; rows++ {
		if row.Reason == "" && isRuler(row.text) {
			rulers++
		}
	}
	return rulers >= minRulers && 3*rulers > 2*rows
}

// skipSeparatorLine takes the delimiter from the line `sep=;` by which Excel tells it to itself.
func (s *splitter) skipSeparatorLine() {
	end := s.lineEnd()
	line := bytes.Trim(s.buf[s.pos:end], `"`)
	const prefix = "sep="
	if len(line) != len(prefix)+1 || !bytes.EqualFold(line[:len(prefix)], []byte(prefix)) || !isDelimiter(string(line[len(prefix):])) {
		return
	}
	s.delimiter = line[len(prefix)]
	s.pos = s.nextLine(end)
	s.line++
}

// isDelimiter tells what can separate cells: one ASCII character that is part of no value and no line
// end.
func isDelimiter(text string) bool {
	if len(text) != 1 {
		return false
	}
	c := text[0]
	isAlphanumeric := c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
	return c == '\t' || c > 0 && c < 0x7f && !isAlphanumeric && c != '"' && c != ' ' && c != '\n' && c != '\r'
}

// firstRow returns the cells of the next row, and a splitter that stands after it. Cells that cannot be
// read are a FILE_UNREADABLE; io.EOF says that there is no row.
func (s *splitter) firstRow() (cells []string, after *splitter, err error) {
	look := s.probe()
	var row Row
	switch err := look.next(&row); {
	case err != nil:
		return nil, nil, err
	case row.Reason != "":
		return nil, nil, coupon.Errorf(coupon.ErrorFileUnreadable,
			"The first row of the file (line %d) cannot be read: its quotes or its encoding are wrong.", row.Line)
	}
	return row.Cells(), s.after(look), nil
}
