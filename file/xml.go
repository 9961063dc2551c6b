package file

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"couponql/coupon"
)

// maxXMLDepth is how many elements may be open at once.
const maxXMLDepth = 100

// xmlRows reads the rows of an XML text. A row is an element; its attributes and the elements in it are
// the cells.
//
// There is no safe place at which to go on after broken XML: what seems to be a row may stand in a
// comment. So an error ends the reading, and a *coupon.UserError says on which line.
type xmlRows struct {
	catalog *catalog
	text    *xmlText
	decoder *xml.Decoder
	// element is what a row is.
	element xmlElement
	// key is the column by which rows are known.
	key xmlKey
	// depth is how many elements are open.
	depth int
	// hasRoot is set after the first element begins, isBroken when the XML cannot be read on.
	hasRoot, isBroken bool
	// line is the line of the last row.
	line int
	// owner is the code of the owner around the rows, for the column at ownerField; -1: no column is the owner's.
	owner      string
	ownerField int
	// ownerDepth is at which depth the owner stands; 0: none is open. isOwners says that the text of an element in it is read,
	// which may be its code: ownerText.
	ownerDepth int
	isOwners   bool
	ownerText  []byte
	// own is the text of the row outside the elements in it, cell that of the element being read.
	own, cell []byte
	// isBad: a part of the row that is not kept has bytes that are no text.
	isBad bool
}

// xmlElement is a kind of element: its name without prefix, and at which depth the outermost ones stand.
// The root has the depth 1.
type xmlElement struct {
	name  string
	depth int
}

// openXML finds out which elements are the rows, and the columns among the names in the first of them. Where the beginning of
// the file does not tell, all of it is looked at: there may be coupons without codes in front of those with codes.
func (r *Reader) openXML(sample []byte, rest io.Reader, set *charset, options *coupon.FileOptions, columns []Column) error {
	key := newXMLKey(columns, options.Columns)
	open := func(set *charset, rest io.Reader) *xmlRows {
		text := set.text(sample, rest)
		if set.encoding == nil {
			// The decoder of UTF-8 replaces what is none by U+FFFD, so that only its row is lost.
			text = transform.NewReader(text, unicode.UTF8.NewDecoder())
		}
		return newXMLRows(text, key, columns)
	}
	// The end of the sample is not the end of the file, unless the file is smaller.
	isCut := len(sample) == sampleBytes
	sampleEnd := rest
	if isCut {
		sampleEnd = failing(errSampleEnd)
	}
	rows := open(set, rest)
	r.rows = rows
	found := r.findXML(rows, func() (*xmlRows, error) { return open(set, sampleEnd), nil }, options, columns)
	if found == nil || !isCut {
		return found
	}
	var sources []*source
	defer func() {
		for _, source := range sources {
			_ = source.close()
		}
	}()
	err := r.findXML(rows, func() (*xmlRows, error) {
		again, err := openSource(r.path)
		if err != nil {
			return nil, err
		}
		sources = append(sources, again)
		if _, err := io.CopyN(io.Discard, again, sampleBytes); err != nil {
			return nil, err
		}
		copied := *set // The text finds out its encoding while it is read.
		return open(&copied, again), nil
	}, options, columns)
	if err != nil {
		return found
	}
	return nil
}

// findXML finds the rows and the columns of an XML text in what open gives of it.
func (r *Reader) findXML(rows *xmlRows, open func() (*xmlRows, error), options *coupon.FileOptions, columns []Column) error {
	outlined, err := open()
	if err != nil {
		return err
	}
	outline := &xmlOutline{rows: outlined}
	if rows.element, err = outline.findRows(); err != nil {
		return err
	}
	if rows.element.name == "" { // There is nothing in the root, so there are no rows.
		r.setAssignment(newAssignment(len(columns)))
		r.layout.HasHeader = true
		return nil
	}
	look, err := open()
	if err != nil {
		return err
	}
	rows.catalog = newCatalog(columns)
	look.element, look.catalog = rows.element, rows.catalog
	if err := look.lookAtNames(); err != nil {
		return err
	}
	return r.useCatalog(rows.catalog, options, columns)
}

func newXMLRows(source io.Reader, key xmlKey, columns []Column) *xmlRows {
	x := &xmlRows{catalog: newCatalog(columns), key: key}
	x.ownerField = slices.IndexFunc(columns, func(c Column) bool { return c.isOwners })
	x.text = &xmlText{source: source, buf: make([]byte, 0, MaxRowBytes+chunkBytes)}
	x.decoder = xml.NewDecoder(x.text)
	// The text is decoded already.
	x.decoder.CharsetReader = func(_ string, input io.Reader) (io.Reader, error) { return input, nil }
	return x
}

// lookAtNames takes the names of the first rows into the catalog. Where the XML is broken will be told
// when the rows up to there have been given.
func (x *xmlRows) lookAtNames() error {
	var row Row
	for range maxNamedRows {
		if err := x.next(&row); err != nil {
			if x.isBroken || errors.Is(err, io.EOF) || x.text.err != nil && errors.Is(err, x.text.err) {
				return nil
			}
			return err
		}
	}
	return nil
}

func (x *xmlRows) lastLine() int { return x.line }

func (x *xmlRows) next(row *Row) error { //nolint:cyclop // one case a kind of element
	for {
		start := x.position()
		token, err := x.token()
		if err != nil {
			return err
		}
		switch token := token.(type) {
		case xml.StartElement:
			isOwners := x.isOwners
			x.isOwners = false // What has elements in it is no code.
			switch {
			case token.Name.Local == x.element.name && x.depth >= x.element.depth:
				return x.readRow(row, token, start)
			case x.ownerField >= 0 && normal(token.Name.Local) == x.key.column.owner:
				x.owner, x.ownerDepth = x.key.of(token.Attr), x.depth
			case x.depth == x.element.depth && x.key.isIn(token.Attr):
				return x.broken(start.line, "an element that has not the name of the rows has a value of theirs")
			case !isOwners && x.owner == "" && x.ownerDepth > 0 && x.depth == x.ownerDepth+1 && x.key.matches(token.Name.Local):
				x.ownerText, x.isOwners = x.ownerText[:0], true
			}
		case xml.CharData:
			if x.depth == 0 && len(trimXML(token)) > 0 {
				return x.broken(start.line, "there is text outside the outermost element")
			}
			if x.isOwners && x.depth == x.ownerDepth+1 {
				x.ownerText = append(x.ownerText, token[:min(len(token), MaxRowBytes-len(x.ownerText))]...)
			}
		case xml.EndElement:
			if x.isOwners {
				x.owner, x.isOwners = string(trimXML(x.ownerText)), false
			}
			if x.depth < x.ownerDepth {
				x.owner, x.ownerDepth = "", 0
			}
		}
	}
}

// xmlPosition is where a token begins: how many bytes of the text come before it, and on which line it
// is, from 1.
type xmlPosition struct {
	offset int64
	line   int
}

func (x *xmlRows) position() xmlPosition {
	line, _ := x.decoder.InputPos()
	return xmlPosition{offset: x.decoder.InputOffset(), line: line}
}

// token reads the next element's begin or end, or text. It refuses what could expand or fetch: entities of one's own, and
// parts of the document type that stand elsewhere. What else is no row is read over.
func (x *xmlRows) token() (xml.Token, error) {
	for {
		start := x.position()
		x.text.token = start.offset
		token, err := x.decoder.Token()
		if err != nil {
			return nil, x.failure(start.line, err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			if x.depth == 0 && x.hasRoot {
				return nil, x.broken(start.line, "a second outermost element begins")
			}
			x.hasRoot = true
			if x.depth++; x.depth > maxXMLDepth {
				return nil, x.broken(start.line, fmt.Sprintf("more than %d elements are nested", maxXMLDepth))
			}
			return token, nil
		case xml.EndElement:
			x.depth--
			return token, nil
		case xml.CharData:
			return token, nil
		case xml.Directive:
			if err := x.checkDocumentType(token, start.line); err != nil {
				return nil, err
			}
		case xml.ProcInst:
			if token.Target == "xml" && x.hasRoot {
				return nil, x.broken(start.line, "it has a second XML declaration (<?xml …?>)")
			}
		}
	}
}

// checkDocumentType refuses a document type that could expand or fetch something.
func (x *xmlRows) checkDocumentType(token xml.Directive, line int) error {
	text := strings.ToUpper(string(token))
	outside, inside, _ := strings.Cut(text, "[")
	isOutside := func(word string) bool { return slices.Contains(strings.Fields(outside), word) }
	switch {
	case !strings.HasPrefix(text, "DOCTYPE") || x.hasRoot:
		return x.broken(line, "it has a declaration (<!…>) where there can be none")
	case strings.Contains(inside, "!ENTITY") || strings.Contains(inside, "%"):
		return x.broken(line, "its document type (<!DOCTYPE …>) has entities of its own, which are not accepted")
	case isOutside("SYSTEM") || isOutside("PUBLIC"):
		return x.broken(line, "its document type (<!DOCTYPE …>) stands in another file, which is not accepted")
	}
	return nil
}

// failure says why the decoder failed while it read a token that begins on this line.
func (x *xmlRows) failure(line int, err error) error {
	syntax, isSyntax := errors.AsType[*xml.SyntaxError](err)
	switch {
	case errors.Is(err, errTokenTooLong):
		return x.broken(line, fmt.Sprintf("a part of it is longer than %d bytes", MaxRowBytes))
	case x.text.err != nil && !errors.Is(x.text.err, io.EOF):
		return x.text.err
	case errors.Is(err, io.EOF) && x.hasRoot:
		return io.EOF
	case errors.Is(err, io.EOF):
		return unreadable("The file is not XML: it has no element.")
	case isSyntax && errors.Is(x.text.err, io.EOF) && strings.Contains(syntax.Msg, "EOF"):
		x.isBroken = true
		return coupon.Errorf(coupon.ErrorFileUnreadable,
			"The XML file is cut off: it ends on line %d, before its outermost element does. Send the whole file again.", syntax.Line)
	case isSyntax:
		return x.broken(syntax.Line, xmlProblem(syntax.Msg))
	}
	return x.broken(line, xmlProblem(err.Error()))
}

// quotesXML finds what a message of the parser repeats of a file.
var quotesXML = regexp.MustCompile(`[<"'][\pL\pN_/:?]|&|encoding|version`)

// xmlProblem returns a message of the parser, or its kind where it repeats what is in the file.
func xmlProblem(message string) string {
	switch isQuote := quotesXML.MatchString(message); {
	case !isQuote:
		return message
	case strings.Contains(message, "version"):
		return "only version 1.0 of XML is read"
	case strings.Contains(message, "entity"):
		return "it has an entity that is not known, such as & where &amp; is meant"
	case strings.Contains(message, "element"):
		return "its elements are not closed in the order in which they were opened"
	}
	return "its syntax is wrong"
}

// broken makes the error of XML that cannot be read on. problem has nothing of the file.
func (x *xmlRows) broken(line int, problem string) error {
	x.isBroken = true
	return coupon.Errorf(coupon.ErrorFileUnreadable,
		"The XML cannot be read on line %d: %s. Nothing was imported; fix the file and import it again.", line, problem)
}

// readRow reads the row whose first tag was read.
func (x *xmlRows) readRow(row *Row, tag xml.StartElement, start xmlPosition) error {
	x.text.row = start.offset
	x.text.isRow = true
	defer func() { x.text.isRow = false }()
	x.catalog.begin(row)
	isGood := true
	for _, attribute := range tag.Attr {
		if isMeta(attribute.Name) {
			continue
		}
		isSet, err := x.set(row, attribute.Name.Local, []byte(attribute.Value), true)
		if err != nil {
			return err
		}
		isGood = isGood && isSet
	}
	isSet, end, err := x.readCells(row, start.offset)
	if err != nil {
		return err
	}
	isGood = isGood && isSet
	if x.owner != "" && !x.hasOwner(row) {
		if isSet, err = x.set(row, x.catalog.columns[x.ownerField].Name, []byte(x.owner), true); err != nil {
			return err
		}
		isGood = isGood && isSet
	}
	if text := trimXML(x.own); len(text) > 0 && isGood {
		if isGood, err = x.set(row, tag.Name.Local, text, false); err != nil {
			return err
		}
	}
	x.line = max(start.line, x.line+1)
	raw, isWhole := x.text.raw(end)
	reason := x.catalog.finish(row)
	switch {
	case x.isBad:
		row.reject(x.line, coupon.RejectedBadCharacter, raw)
	case !isWhole || !isGood:
		row.reject(x.line, coupon.RejectedMalformed, raw)
	case bytes.Contains(raw, []byte("\uFFFD")):
		row.reject(x.line, coupon.RejectedBadCharacter, raw)
	case reason != "":
		row.reject(x.line, reason, raw)
	default:
		row.accept(x.line, string(x.catalog.text))
	}
	return nil
}

// hasOwner reports whether a row says itself whose it is.
func (x *xmlRows) hasOwner(row *Row) bool {
	place, isKnown := x.catalog.places[x.catalog.columns[x.ownerField].Name]
	return isKnown && place < len(row.spans) && !row.spans[place].isAbsent
}

// skipRows reads over an element in a row that is a row of another kind. However many there are, they are no part of the row.
func (x *xmlRows) skipRows() error {
	if before, isWhole := x.text.raw(x.decoder.InputOffset()); isWhole && bytes.Contains(before, []byte("\uFFFD")) {
		x.isBad = true
	}
	if len(trimXML(x.own)) == 0 {
		x.own = x.own[:0]
	}
	for depth := x.depth; x.depth >= depth; {
		if _, err := x.token(); err != nil {
			return err
		}
		x.text.row = x.decoder.InputOffset()
	}
	return nil
}

// readCells reads the elements in a row and the text between them, to the row's end. It reports whether
// they can be cells. What is too long for a row is read over.
func (x *xmlRows) readCells(row *Row, start int64) (isGood bool, end int64, err error) { //nolint:cyclop // one case a token
	isGood = true
	rowDepth := x.depth
	x.own, x.isBad = x.own[:0], false
	var name string
	var isNested, isNull, isSkipped bool
	for {
		token, err := x.token()
		if err != nil {
			return false, 0, err
		}
		isLong := x.decoder.InputOffset()-start > MaxRowBytes
		switch token := token.(type) {
		case xml.StartElement:
			switch {
			case x.key.column.element != "" && (x.key.isIn(token.Attr) || x.depth > rowDepth+1 && x.key.matches(token.Name.Local)):
				isSkipped = isSkipped || x.depth > rowDepth+1
				if err := x.skipRows(); err != nil {
					return false, 0, err
				}
				start = x.decoder.InputOffset()
				continue
			case x.ownerField < 0 && x.depth == rowDepth+1 && x.key.isIn(token.Attr) && normal(x.element.name) == x.key.column.owner:
				return false, 0, x.broken(x.position().line, "a coupon has codes in it here, and the first ones of the file have none. "+
					"Put one with codes first, or import the file without a couponId")
			}
			if x.depth == rowDepth+1 {
				isSkipped = false
				name, isNested, isNull = token.Name.Local, false, isNil(token.Attr)
				x.cell = x.cell[:0]
			} else {
				isNested = true
				x.separate()
			}
		case xml.CharData:
			switch {
			case isLong:
			case x.depth == rowDepth:
				x.own = append(x.own, token...)
			default:
				x.cell = append(x.cell, token...)
			}
		case xml.EndElement:
			switch {
			case x.depth < rowDepth:
				return isGood && !isLong, x.decoder.InputOffset(), nil
			case x.depth > rowDepth:
				x.separate()
				continue
			case isLong:
				continue
			case isNull:
				x.setNull(row, name)
				continue
			case isSkipped: // It has rows of another kind in it.
				continue
			case x.key.column.element != "" && x.isRepeated(row, name):
				start = x.decoder.InputOffset()
				x.text.row = start
				continue
			}
			isSet, err := x.add(row, name, trimXML(x.cell), isNested)
			if err != nil {
				return false, 0, err
			}
			isGood = isGood && isSet
		}
	}
}

// isRepeated reports whether an element that nobody knows stands in the row once more. Of coupons such elements are codes.
func (x *xmlRows) isRepeated(row *Row, name string) bool {
	place, isKnown := x.catalog.places[name]
	return isKnown && !x.catalog.isField(place) && place < len(row.spans) && !row.spans[place].isAbsent
}

// separate keeps apart what stands in different elements of one cell.
func (x *xmlRows) separate() {
	if length := len(x.cell); length > 0 && x.cell[length-1] != ' ' {
		x.cell = append(x.cell, ' ')
	}
}

// trimXML cuts off the spaces and line ends by which XML is laid out.
func trimXML(text []byte) []byte { return bytes.Trim(text, " \t\r\n") }

// set makes a value that of the cell with this name. It reports whether there can be such a cell.
func (x *xmlRows) set(row *Row, name string, value []byte, isQuoted bool) (bool, error) {
	place, err := x.catalog.place(row, []byte(name))
	if err != nil || place < 0 {
		return false, err
	}
	start := len(x.catalog.text)
	x.catalog.text = append(x.catalog.text, value...)
	return x.catalog.set(row, place, start, isQuoted), nil
}

// setNull notes that an element of this name says that it has no value. A name that only such elements have is no column.
func (x *xmlRows) setNull(row *Row, name string) {
	if place, isKnown := x.catalog.places[name]; isKnown && row.spans[place].isAbsent {
		row.spans[place].isNull = true
	}
}

// add makes a value that of the cell with this name. Elements that nobody knows may come several times
// in a row, one after the other; their values are joined.
func (x *xmlRows) add(row *Row, name string, value []byte, isNested bool) (bool, error) {
	c := x.catalog
	place, err := c.place(row, []byte(name))
	if err != nil || place < 0 {
		return false, err
	}
	if c.isField(place) && isNested {
		return false, nil
	}
	if cell := &row.spans[place]; !cell.isAbsent && int(cell.end) == len(c.text) && !c.isField(place) {
		c.text = append(append(c.text, ", "...), value...)
		cell.end = int32(len(c.text))
		return true, nil
	}
	return x.set(row, name, value, false)
}

// Names of XML that say something about the text and nothing about the row.
const (
	xmlSchemaSpace = "http://www.w3.org/2001/XMLSchema-instance"
	xmlSpace       = "http://www.w3.org/XML/1998/namespace"
)

// isMeta tells attributes that are no cells: declarations of namespaces, and those of XML itself.
func isMeta(name xml.Name) bool {
	return name.Space == "xmlns" || name.Space == "" && name.Local == "xmlns" ||
		name.Space == xmlSchemaSpace || name.Space == "xsi" || name.Space == xmlSpace || name.Space == "xml"
}

// isNil reports whether an element says that it has no value, which is another thing than an empty one.
func isNil(attributes []xml.Attr) bool {
	for _, attribute := range attributes {
		if (attribute.Name.Space == xmlSchemaSpace || attribute.Name.Space == "xsi") && attribute.Name.Local == "nil" {
			return attribute.Value == "true" || attribute.Value == "1"
		}
	}
	return false
}

// xmlText gives a text to the decoder, and remembers the row that is being read for as long as it is not
// too long. It reads byte by byte so that the decoder, which would otherwise read ahead, stops behind
// each token.
type xmlText struct {
	source io.Reader
	// err says why the source gives no more.
	err error
	// buf is the part of the text that is in memory; its capacity never grows. base is the offset in the
	// text at which it begins, and pos the position of the next byte in it.
	buf  []byte
	base int64
	pos  int
	// token is the offset of the token, and row that of the row, if isRow.
	token, row int64
	isRow      bool
	// head is the beginning of a row that is too long.
	head []byte
}

// errTokenTooLong says that a tag, a text or a comment is longer than a row may be.
var errTokenTooLong = errors.New("token too long")

// ReadByte returns the next byte. It returns errTokenTooLong, and what the source returns.
func (t *xmlText) ReadByte() (byte, error) {
	if t.pos == len(t.buf) {
		if err := t.fill(); err != nil {
			return 0, err
		}
	}
	c := t.buf[t.pos]
	t.pos++
	return c, nil
}

// Read returns one byte at a time. The decoder does not call it, as there is ReadByte.
func (t *xmlText) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	c, err := t.ReadByte()
	if err != nil {
		return 0, err
	}
	p[0] = c
	return 1, nil
}

// fill reads a chunk more. It keeps the row, or when that is too long, the token.
func (t *xmlText) fill() error {
	if t.err != nil {
		return t.err
	}
	keep := t.token
	if t.isRow {
		keep = max(t.row, t.base)
	}
	if t.base+int64(len(t.buf))-keep > MaxRowBytes {
		if t.isRow && t.row >= t.base {
			t.head = append(t.head[:0], t.buf[t.row-t.base:][:4*coupon.MaxTextLength]...)
		}
		keep = t.token
	}
	if t.base+int64(len(t.buf))-keep > MaxRowBytes {
		return errTokenTooLong
	}
	kept := copy(t.buf, t.buf[keep-t.base:])
	t.base = keep
	t.pos = kept
	for end := kept + chunkBytes; t.err == nil && kept < end; {
		var n int
		n, t.err = t.source.Read(t.buf[kept:end])
		kept += n
	}
	t.buf = t.buf[:kept]
	if t.pos == kept {
		return t.err
	}
	return nil
}

// raw returns the text of the row, which ends at this offset, or only its beginning when it is too long.
func (t *xmlText) raw(end int64) (raw []byte, isWhole bool) {
	if t.row < t.base {
		return t.head, false
	}
	raw = t.buf[t.row-t.base : end-t.base]
	return raw, len(raw) <= MaxRowBytes
}
