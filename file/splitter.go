package file

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"couponql/coupon"
)

// Limits of a row. What is beyond them is MALFORMED.
const (
	// MaxRowBytes is the size of the longest row that is read, in bytes of UTF-8.
	MaxRowBytes = 1 << 20
	// MaxRowLines is the largest number of lines over which one row may go, inside quotes.
	MaxRowLines = 100
)

// chunkBytes is how much of a text is read at once.
const chunkBytes = 256 << 10

// splitter cuts a text into rows and cells. It knows quotes and line ends and nothing of columns.
//
// Nearly all rows of nearly all files have no quotes. For those a row is one search for the line end,
// one string and one search for each delimiter. The positions of the next CR, quote and NUL are
// remembered, so that a file without them is searched once a chunk and not once a row.
type splitter struct {
	source io.Reader
	// err says why the source gives no more; io.EOF at its end, nil while it may go on.
	err error
	// buf is the part of the text that is in memory. Its capacity is enough for the longest row and a
	// chunk, and never grows.
	buf []byte
	// chunk is how much is read at once.
	chunk int
	// pos is where the next row begins in buf, and line its line in the file, from 1.
	pos, line int

	lf, cr, quote, nul mark

	delimiter byte
	// width is the number of columns. Cells beyond it must be empty.
	width int
	// isDecoded says that the text was made from another encoding, whose errors are U+FFFD by now.
	isDecoded bool
	// strictUntil is the line up to which a broken quote was followed.
	strictUntil int
	// text collects the cells of a row with quotes.
	text []byte
	// offset is where buf begins in that of the splitter of which this is a probe, and repaired how much longer it is.
	offset, repaired int
}

func newSplitter(source io.Reader) *splitter {
	s := &splitter{source: source, buf: make([]byte, 0, MaxRowBytes+chunkBytes), chunk: chunkBytes, line: 1}
	s.forget()
	return s
}

// mark is the position of the next byte of a kind, once it is known; len(buf) when there is none.
type mark int

func (m *mark) next(buf []byte, from int, c byte) int {
	if int(*m) < from {
		if i := bytes.IndexByte(buf[from:], c); i >= 0 {
			*m = mark(from + i)
		} else {
			*m = mark(len(buf))
		}
	}
	return int(*m)
}

// forget drops the marks, as they hold for one state of the buffer.
func (s *splitter) forget() { s.lf, s.cr, s.quote, s.nul = -1, -1, -1, -1 }

// fill reads one chunk more. The caller makes sure that the row in the buffer is at most MaxRowBytes
// long, and that err is nil.
func (s *splitter) fill() {
	s.buf = s.buf[:copy(s.buf, s.buf[s.pos:])]
	s.pos = 0
	s.forget()
	// A decoder gives little at a time. A row that is longer would be looked at again after each piece.
	for end := min(len(s.buf)+s.chunk, cap(s.buf)); s.err == nil && len(s.buf) < end; {
		var n int
		n, s.err = s.source.Read(s.buf[len(s.buf):end])
		s.buf = s.buf[:len(s.buf)+n]
	}
}

// next reads a row into row. It returns io.EOF after the last one, or why the source failed: then
// what is left in the buffer is cut off somewhere and no row.
func (s *splitter) next(row *Row) error {
	for {
		end, err := s.findLine()
		switch {
		case err != nil:
			return err
		case end-s.pos > MaxRowBytes:
			s.rejectLong(row, end)
			return nil
		}
		if s.quote.next(s.buf, s.pos, '"') < end {
			if isDone, err := s.splitQuoted(row, end); isDone || err != nil {
				return err
			}
			continue
		}
		line := s.buf[s.pos:end]
		number := s.line
		isBad := s.isBad(line)
		s.pos = s.nextLine(end)
		s.line++
		if s.isBlank(line) {
			continue
		}
		if isBad {
			row.reject(number, coupon.RejectedBadCharacter, line)
		} else {
			s.splitPlain(row, number, line)
		}
		return nil
	}
}

// lastLine returns the last line that was read as a whole.
func (s *splitter) lastLine() int { return s.line - 1 }

// findLine reads until the line at pos is in memory, or more than MaxRowBytes of it, and gives the
// position of its end. It returns io.EOF after the last line, or why the source failed.
func (s *splitter) findLine() (end int, err error) {
	for {
		end := s.lineEnd()
		isComplete := end < len(s.buf)-1 || end < len(s.buf) && s.buf[end] == '\n'
		switch {
		case end-s.pos > MaxRowBytes, isComplete:
			return end, nil
		case s.err == nil:
			s.fill()
		case end < len(s.buf): // A CR is the last byte.
			return end, nil
		case !errors.Is(s.err, io.EOF) || s.pos == end:
			return 0, s.err
		default: // The last line has no end.
			return end, nil
		}
	}
}

// rejectLong makes a row of the line at pos, which is too long to be read, and goes to the next one.
func (s *splitter) rejectLong(row *Row, end int) {
	row.reject(s.line, coupon.RejectedMalformed, s.buf[s.pos:end])
	s.skipLine()
}

// lineEnd returns the position of the CR or LF that ends the line at pos, or len(buf).
func (s *splitter) lineEnd() int {
	return min(s.lf.next(s.buf, s.pos, '\n'), s.cr.next(s.buf, s.pos, '\r'))
}

// nextLine returns the position after the line end at end.
func (s *splitter) nextLine(end int) int {
	switch {
	case end >= len(s.buf):
		return len(s.buf)
	case s.buf[end] == '\r' && end+1 < len(s.buf) && s.buf[end+1] == '\n':
		return end + 2
	}
	return end + 1
}

// skipLine goes to the next line without holding this one in memory.
func (s *splitter) skipLine() {
	for {
		end := s.lineEnd()
		isLastCR := end == len(s.buf)-1 && s.buf[end] == '\r'
		if s.err != nil || end < len(s.buf) && !isLastCR {
			s.pos = s.nextLine(end)
			s.line++
			return
		}
		s.pos = end
		s.fill()
	}
}

// skipBlankLines goes to the first line with anything on it, or to the end.
func (s *splitter) skipBlankLines() {
	for {
		end := s.lineEnd()
		switch {
		case end-s.pos > MaxRowBytes || !s.isBlank(s.buf[s.pos:end]):
			return
		case end >= len(s.buf)-1 && s.err == nil:
			s.fill()
		case s.pos == len(s.buf):
			return
		default:
			s.pos = s.nextLine(end)
			s.line++
		}
	}
}

// isBlank tells lines of nothing but spaces and tabs. Where tabs separate cells, they do count.
func (s *splitter) isBlank(line []byte) bool {
	for _, c := range line {
		if c != ' ' && (c != '\t' || s.delimiter == '\t') {
			return false
		}
	}
	return true
}

// isBad tells bytes that are no text. It is called for text that begins at pos.
func (s *splitter) isBad(text []byte) bool {
	if s.nul.next(s.buf, s.pos, 0) < s.pos+len(text) {
		return true
	}
	return s.isNoText(text)
}

// isNoText tells bytes that stand for no character of the file's encoding.
func (s *splitter) isNoText(text []byte) bool {
	if s.isDecoded {
		return bytes.Contains(text, []byte("\uFFFD"))
	}
	return !utf8.Valid(text)
}

// splitPlain splits a line without quotes.
func (s *splitter) splitPlain(row *Row, number int, line []byte) {
	text := string(line)
	spans := row.spans[:0]
	start := 0
	for {
		if len(spans) == s.width {
			if strings.Trim(text[start:], string([]byte{s.delimiter, ' ', '\t'})) != "" {
				row.reject(number, coupon.RejectedMalformed, line)
				return
			}
			break
		}
		length := strings.IndexByte(text[start:], s.delimiter)
		if length < 0 {
			spans = append(spans, span{start: int32(start), end: int32(len(text))})
			break
		}
		spans = append(spans, span{start: int32(start), end: int32(start + length)})
		start += length + 1
	}
	row.spans = spans
	row.accept(number, text)
}

// splitQuoted splits a row whose first line, which ends at end, has a quote. It is not done when more
// had to be read.
func (s *splitter) splitQuoted(row *Row, end int) (isDone bool, err error) {
	size, lines, shape := s.parse(row)
	if shape == unfinished && s.err == nil {
		s.fill()
		return false, nil
	}
	if shape == unfinished && !errors.Is(s.err, io.EOF) {
		return false, s.err
	}
	if shape == unfinished || shape == broken {
		row.reject(s.line, coupon.RejectedMalformed, s.buf[s.pos:end])
		s.strictUntil = max(s.strictUntil, s.line+lines-1)
		s.pos = s.nextLine(end)
		s.line++
		return true, nil
	}
	raw := bytes.TrimRight(s.buf[s.pos:s.pos+size], "\r\n")
	switch {
	case shape == tooWide:
		row.reject(s.line, coupon.RejectedMalformed, raw)
	case s.isBad(raw):
		row.reject(s.line, coupon.RejectedBadCharacter, raw)
	default:
		row.accept(s.line, string(s.text))
	}
	s.pos += size
	s.line += lines
	return true, nil
}

// shape is what a row with quotes looks like.
type shape int

const (
	whole shape = iota
	// unfinished: the buffer ends before the row does.
	unfinished
	// broken: a quote is not closed, or not closed where a cell ends.
	broken
	// tooWide: the row is well-formed but has more cells than there are columns.
	tooWide
)

// parse reads the cells of the row at pos into s.text and the row's spans. It gives the size of the
// row with its line end, and the number of lines that it looked at.
func (s *splitter) parse(row *Row) (size, lines int, result shape) {
	data := s.buf[s.pos:]
	isOpen := !errors.Is(s.err, io.EOF)
	s.text = s.text[:0]
	row.spans = row.spans[:0]
	isTooWide := false
	lines = 1
	for end := -1; ; {
		cell := span{start: int32(len(s.text))}
		var more int
		end, more, cell.isQuoted, result = s.parseCell(data, end+1, lines)
		lines += more
		if result != whole {
			return 0, lines, result
		}
		cell.end = int32(len(s.text))
		if len(row.spans) < s.width {
			row.spans = append(row.spans, cell)
		} else if len(bytes.Trim(s.text[cell.start:], " \t")) > 0 {
			isTooWide = true
		}
		switch {
		case end == len(data) && isOpen, end == len(data)-1 && data[end] == '\r' && isOpen:
			return 0, lines, unfinished
		case end < len(data) && data[end] == s.delimiter:
			continue
		case end < len(data) && data[end] != '\r' && data[end] != '\n':
			return 0, lines, broken
		case isTooWide:
			result = tooWide
		}
		return s.nextLine(s.pos+end) - s.pos, lines, result
	}
}

// parseCell adds the cell that begins at i to s.text. It gives the position after the cell and how many
// lines end in it. The row has so many lines before the cell.
func (s *splitter) parseCell(data []byte, i, before int) (end, lines int, isQuoted bool, result shape) {
	end = s.skipSpaces(data, i)
	if end < len(data) && data[end] == '"' {
		end, lines, result = s.parseQuotes(data, end+1, before)
		return end, lines, true, result
	}
	end = s.unquotedEnd(data, i)
	isStrict := s.line <= s.strictUntil
	if end > MaxRowBytes || isStrict && bytes.IndexByte(data[i:end], '"') >= 0 {
		return 0, 0, false, broken
	}
	s.text = append(s.text, data[i:end]...)
	return end, 0, false, whole
}

// parseQuotes adds a quoted cell to s.text; i is the position after its first quote. It gives the
// position after the last quote and the spaces that follow, and how many lines end in the cell. The
// row has so many lines before the cell.
func (s *splitter) parseQuotes(data []byte, i, before int) (end, lines int, result shape) {
	for {
		length := bytes.IndexByte(data[i:], '"')
		part := data[i:]
		if length >= 0 {
			part = part[:length]
		}
		// Look at no more than may belong to the row, so that one broken quote costs no more than that.
		part = part[:min(len(part), MaxRowBytes+1)]
		lines += countLineEnds(part)
		i += len(part)
		if before+lines > MaxRowLines || i > MaxRowBytes {
			return 0, min(lines, MaxRowLines), broken
		}
		if length < 0 {
			return 0, lines, unfinished
		}
		s.text = append(s.text, part...)
		i++
		if i == len(data) && !errors.Is(s.err, io.EOF) {
			return 0, lines, unfinished
		}
		if i == len(data) || data[i] != '"' {
			if end = s.skipSpaces(data, i); end > MaxRowBytes {
				return 0, lines, broken
			}
			return end, lines, whole
		}
		s.text = append(s.text, '"')
		i++
	}
}

// skipSpaces returns the position of the first byte from i on that is no space.
func (s *splitter) skipSpaces(data []byte, i int) int {
	for i < len(data) && (data[i] == ' ' || data[i] == '\t' && s.delimiter != '\t') {
		i++
	}
	return i
}

// unquotedEnd returns the position of the delimiter or line end that ends the cell at i.
func (s *splitter) unquotedEnd(data []byte, i int) int {
	for i < len(data) && data[i] != s.delimiter && data[i] != '\n' && data[i] != '\r' {
		i++
	}
	return i
}

// countLineEnds counts LF, CRLF and lone CR.
func countLineEnds(text []byte) int {
	count := bytes.Count(text, []byte{'\n'})
	for {
		i := bytes.IndexByte(text, '\r')
		if i < 0 {
			return count
		}
		text = text[i+1:]
		if len(text) == 0 || text[0] != '\n' {
			count++
		}
	}
}
