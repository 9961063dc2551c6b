package file

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"

	"couponql/coupon"
)

// jsonRows reads the rows of JSONL: one object a line, whose keys are the columns. The objects may also stand in
// arrays and go over many lines (jsondocument.go), and may be reports that have the outcome of several messages
// (report.go).
//
// Whether a line is JSON is for encoding/json to say. What is left is to find where the values of an
// object that is known to be good begin and end, so that numbers stay as they are written.
type jsonRows struct {
	*splitter
	catalog *catalog
	// name is the key that is being read.
	name []byte
	// document finds the objects where these are not one a line; nil: they are.
	document *jsonDocument
	// reports takes reports apart; nil: each object is a row.
	reports *reports
	// last is the line of the row before, as no two rows have the same one.
	last int
}

// openJSONL finds the columns among the keys of the first rows.
func (r *Reader) openJSONL(s *splitter, options *coupon.FileOptions, columns []Column) error {
	s.skipBlankLines()
	s.fillSample()
	if s.pos == len(s.buf) {
		return s.err
	}
	rows := &jsonRows{splitter: s, catalog: newCatalog(columns)}
	if isJSONDocument(s.buf[s.pos:]) {
		rows.document = &jsonDocument{splitter: s}
	}
	if slices.ContainsFunc(columns, func(c Column) bool { return c.holdsReports }) {
		rows.reports = &reports{}
	}
	isAny, err := rows.lookAtNames()
	switch {
	case err != nil:
		return err
	case !isAny && rows.document != nil:
		return unreadable("The file is JSON without objects in it. Write one object for each row, e.g. [{\"code\": \"A1\"}]")
	case !isAny:
		return unreadable("The file is not JSONL: none of its first lines is a JSON object. Write one object a line, e.g. {\"code\": \"A1\"}")
	}
	r.rows = rows
	return r.useCatalog(rows.catalog, options, columns)
}

// lookAtNames takes the names of the first rows into the catalog, and reports whether there is any row
// that can be read.
func (j *jsonRows) lookAtNames() (isAny bool, err error) {
	look := &jsonRows{splitter: j.look(), catalog: j.catalog}
	if j.document != nil {
		look.document = &jsonDocument{splitter: look.splitter}
	}
	if j.reports != nil {
		look.reports = &reports{}
	}
	var row Row
	for range maxNamedRows {
		switch err := look.next(&row); {
		case errors.Is(err, io.EOF), errors.Is(err, errSampleEnd), errors.Is(err, errDamaged) && isAny:
			return isAny, nil
		case err != nil:
			return false, err
		}
		isAny = isAny || row.Reason == ""
	}
	return isAny, nil
}

func (j *jsonRows) next(row *Row) error {
	for {
		if j.reports != nil {
			if flat, isAny := j.reports.next(); isAny {
				return j.take(row, flat)
			}
		}
		object, err := j.nextObject(row)
		if err != nil || object == nil {
			return err
		}
		if j.reports == nil || !json.Valid(object) {
			return j.take(row, object)
		}
		j.reports.begin(object)
	}
}

// nextObject returns the text of the next object. It is nil where the row was made of something that cannot be one.
func (j *jsonRows) nextObject(row *Row) ([]byte, error) {
	if j.document != nil {
		return j.documentObject(row)
	}
	s := j.splitter
	for {
		end, err := s.findLine()
		switch {
		case err != nil:
			return nil, err
		case end-s.pos > MaxRowBytes:
			j.number(s.line)
			s.rejectLong(row, end)
			row.Line = j.last
			return nil, nil
		}
		line, number := s.buf[s.pos:end], s.line
		isBad := s.isBad(line)
		s.pos = s.nextLine(end)
		s.line++
		switch {
		case s.isBlank(line):
			continue
		case isBad:
			row.reject(j.number(number), coupon.RejectedBadCharacter, line)
			return nil, nil
		}
		j.number(number)
		return line, nil
	}
}

// documentObject is nextObject where objects are not one a line.
func (j *jsonRows) documentObject(row *Row) ([]byte, error) {
	object, number, err := j.document.next()
	if err != nil {
		return nil, err
	}
	j.number(number)
	if j.isNoText(object) { // NUL is no JSON.
		row.reject(j.last, coupon.RejectedBadCharacter, object)
		object = nil
	}
	return object, nil
}

// number returns a row its line: the one on which it begins, or the next one where rows before it have that.
func (j *jsonRows) number(line int) int {
	j.last = max(j.last+1, line)
	return j.last
}

// take makes an object the row.
func (j *jsonRows) take(row *Row, object []byte) error {
	if j.reports != nil && j.reports.isRepeated {
		j.number(0)
	}
	switch reason, err := j.split(row, object); {
	case err != nil:
		return err
	case reason != "":
		row.reject(j.last, reason, object)
	default:
		row.accept(j.last, string(j.catalog.text))
	}
	return nil
}

// split finds the cells of a line. It gives the reason for which the line is no row.
func (j *jsonRows) split(row *Row, line []byte) (coupon.RejectionReason, error) {
	j.catalog.begin(row)
	i := skipJSONSpaces(line, 0)
	if line[i] != '{' || !json.Valid(line) {
		return coupon.RejectedMalformed, nil
	}
	for i = skipJSONSpaces(line, i+1); line[i] != '}'; {
		var isText bool
		var end int
		if j.name, isText, end = readJSONString(j.name[:0], line, i); !isText {
			return coupon.RejectedBadCharacter, nil
		}
		place, err := j.catalog.place(row, j.name)
		if err != nil {
			return "", err
		}
		if place < 0 {
			return coupon.RejectedMalformed, nil
		}
		i = skipJSONSpaces(line, end) // The colon.
		i = skipJSONSpaces(line, i+1) // The value.
		var reason coupon.RejectionReason
		if i, reason = j.readValue(row, place, line, i); reason != "" {
			return reason, nil
		}
		if i = skipJSONSpaces(line, i); line[i] == ',' {
			i = skipJSONSpaces(line, i+1)
		}
	}
	return j.catalog.finish(row), nil
}

// readValue makes the value at i the content of a cell. It gives the position after it, or the reason
// for which the line is no row: a list or an object where a known column wants a value, a key that comes
// twice.
func (j *jsonRows) readValue(row *Row, place int, line []byte, i int) (end int, reason coupon.RejectionReason) {
	c := j.catalog
	start := len(c.text)
	switch line[i] {
	case 'n': // null
		row.spans[place].isNull = true
		return i + len("null"), ""
	case '"':
		var isText bool
		if c.text, isText, end = readJSONString(c.text, line, i); !isText {
			return 0, coupon.RejectedBadCharacter
		}
	case '{', '[':
		end = nestedEnd(line, i)
		if !c.mayNest(place) {
			if !c.passOver(place) {
				return 0, coupon.RejectedMalformed
			}
			return end, ""
		}
		c.text = append(c.text, line[i:end]...)
	default: // A number, true or false.
		for end = i; line[end] != ',' && line[end] != '}' && line[end] != ' ' && line[end] != '\t'; {
			end++
		}
		c.text = append(c.text, line[i:end]...)
	}
	if !c.set(row, place, start, true) {
		return 0, coupon.RejectedMalformed
	}
	row.spans[place].isNumber = line[i] == '-' || line[i] >= '0' && line[i] <= '9'
	return end, ""
}

// readJSONString adds the string whose first quote is at i to text, and gives the position after its
// last quote. Half a surrogate pair and NUL are no text.
func readJSONString(text, line []byte, i int) (result []byte, isText bool, end int) {
	first := i
	hasEscape := false
	for i++; ; {
		length := bytes.IndexByte(line[i:], '"')
		escape := bytes.IndexByte(line[i:i+length], '\\')
		if escape < 0 {
			end = i + length + 1
			break
		}
		hasEscape = true
		i += escape + 2
	}
	if !hasEscape {
		return append(text, line[first+1:end-1]...), true, end
	}
	raw := line[first:end]
	var decoded string
	if err := json.Unmarshal(raw, &decoded); err != nil {
		return text, false, end
	}
	// The decoder writes U+FFFD for what is no character.
	replacement := []byte("\uFFFD")
	start := len(text)
	text = append(text, decoded...)
	isText = bytes.Count(text[start:], replacement) <= bytes.Count(raw, replacement) && bytes.IndexByte(text[start:], 0) < 0
	return text, isText, end
}

// nestedEnd returns the position after the list or object that begins at i.
func nestedEnd(line []byte, i int) int {
	for depth := 0; ; i++ {
		switch line[i] {
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		case '"':
			for i++; line[i] != '"'; i++ {
				if line[i] == '\\' {
					i++
				}
			}
		}
	}
}

// skipJSONSpaces returns the position of the first byte from i on that is no space.
func skipJSONSpaces(line []byte, i int) int {
	for i < len(line) && (line[i] == ' ' || line[i] == '\t') {
		i++
	}
	return i
}
