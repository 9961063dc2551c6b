package file

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"unicode"

	"couponql/coupon"
)

// Reports and spreadsheets put lines around their rows: a title above the header, and below the last row a sum, a count or
// a mark of the end. They are rejected as NOT_A_ROW, so that they are told and never become codes. Marks of the end that are
// no text are left out.

// tailBytes is how far from the end of a file the lines below its last row are looked for.
const tailBytes = 4 << 10

// closing is what a line below the last row of a file may be.
type closing int

const (
	// noClosing: the line is a row.
	noClosing closing = iota
	// wordClosing: it is one word, which may be a value as well.
	wordClosing
	// sureClosing: it can hardly be a value.
	sureClosing
)

// closingOf tells what the cells of a row look like below the last row: Total, Summe;2, 3 Zeilen, EOF, -- end --.
func closingOf(cells []string) closing { //nolint:cyclop // one case a kind of line
	first, numbers := -1, 0
	for i, cell := range cells {
		switch {
		case coupon.CleanValue(cell) == "":
		case first < 0:
			first = i
		case isFigure(cell):
			numbers++
		default:
			return noClosing
		}
	}
	if first < 0 {
		return noClosing
	}
	text := coupon.CleanValue(cells[first])
	if len(text) > coupon.MaxTextLength {
		return noClosing
	}
	switch {
	case isFooter(text), isRuler(text), numbers == 0 && isComment(text):
		return sureClosing
	case numbers == 0 && isCount(text, true):
		return wordClosing
	}
	name, number, hasColon := strings.Cut(text, ":")
	switch isEnd, isSum := isEndMark(text), isSumWord(name); {
	case isEnd && numbers == 0 && isDecorated(text):
		return sureClosing
	case isEnd && numbers == 0:
		return wordClosing
	case isSum && !hasColon:
		return wordClosing
	case isSum && (coupon.CleanValue(number) == "" || isFigure(number)):
		return sureClosing
	}
	return noClosing
}

// isFigure tells a number with what stands around it in a sum: 1.234,50 €.
func isFigure(text string) bool {
	return strings.ContainsAny(text, "0123456789") && strings.IndexFunc(text, func(r rune) bool {
		return !unicode.IsDigit(r) && !unicode.IsSpace(r) && !unicode.Is(unicode.Sc, r) && !strings.ContainsRune(".,'%+-()", r)
	}) < 0
}

// isSumWord tells what sums and counts of rows are called.
func isSumWord(text string) bool {
	switch normal(text) {
	case "total", "totals", "subtotal", "grandtotal", "sum", "count", "rowcount", "rows", "records", "totalrows", "totalrecords", "totalcount",
		"numberofrows", "numberofrecords",
		"summe", "summen", "gesamt", "gesamtsumme", "insgesamt", "zwischensumme", "anzahl", "zeilen", "datensatze", "anzahlzeilen", "anzahldatensatze",
		"totaux", "soustotal", "totalgeneral", "somme", "nombre", "nombredelignes", "lignes",
		"totales", "suma", "numerodefilas", "filas", "registros",
		"totale", "totali", "somma", "totalegenerale", "subtotale", "conteggio", "righe",
		"totais", "soma", "totalgeral", "contagem", "linhas",
		"totaal", "som", "subtotaal", "eindtotaal", "aantal", "aantalrijen", "rijen",
		"razem", "lacznie", "ogolem", "liczba", "wiersze", "liczbawierszy",
		"toplam", "geneltoplam", "aratoplam", "adet", "satirlar", "satirsayisi":
		return true
	}
	return false
}

// isEndMark tells what stands at the end of a file.
func isEndMark(text string) bool {
	switch normal(text) {
	case "eof", "end", "endoffile", "endofdata", "endofreport", "endofexport", "endoflist", "theend",
		"ende", "dateiende", "endederdatei", "listenende", "endederliste",
		"fin", "findufichier", "findeliste", "findelarchivo", "findelfichero",
		"fine", "finefile", "finedelfile", "fim", "fimdoarquivo", "fimdoficheiro",
		"einde", "eindebestand", "koniec", "koniecpliku", "son", "dosyasonu":
		return true
	}
	return false
}

// isDecorated tells a text that is set off by signs on both sides: -- end --, <EOF>.
func isDecorated(text string) bool {
	isSign := func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsSpace(r) }
	runes := []rune(text)
	return isSign(runes[0]) && isSign(runes[len(runes)-1])
}

// isComment tells a comment of SQL around a word of the end.
func isComment(text string) bool { return strings.HasPrefix(text, "--") && isEndMark(text) }

// isBelow reports whether a row is a line below the last row: nothing but such lines comes after it. One word
// is only where the values in its column look otherwise.
func (n *noRows) isBelow(row *Row) bool {
	s := n.text
	if len(s.buf)-s.pos > tailBytes {
		return false
	}
	if s.err == nil {
		s.fill()
	}
	if len(s.buf)-s.pos > tailBytes || !errors.Is(s.err, io.EOF) || !n.isClosing(row) {
		return false
	}
	look := s.look()
	var next Row
	for {
		switch err := look.next(&next); {
		case err != nil:
			return true
		case !n.isClosing(&next):
			return false
		}
	}
}

// isClosing reports whether a row may be a line below the last row.
func (n *noRows) isClosing(row *Row) bool {
	cells := row.Cells()
	if row.Reason == coupon.RejectedMalformed {
		return closingOf([]string{row.Raw}) == sureClosing // It may have a comma of its own.
	}
	switch closingOf(cells) {
	case sureClosing:
		return !n.hasClosings
	case wordClosing:
		first := slices.IndexFunc(cells, func(cell string) bool { return coupon.CleanValue(cell) != "" })
		return first > 0 || len(n.firsts) > 0 && compare(coupon.CleanValue(cells[0]), n.firsts) != alike
	case noClosing:
	}
	return false
}

// skipTitles goes to the header where other lines stand above it. They will be given as rejected rows. A header below other
// lines has the names of all required columns, and they have fewer cells than it, as titles do; the only column of a
// file is called so where all lines above read like words and no value does.
func (r *Reader) skipTitles(s *splitter, columns []Column, options *coupon.FileOptions) {
	if options.HasHeader != nil {
		return
	}
	delimiters := []byte("\t;|,")
	if options.Delimiter != nil && isDelimiter(*options.Delimiter) {
		delimiters = []byte{(*options.Delimiter)[0]}
	} else if s.delimiter != 0 {
		delimiters = []byte{s.delimiter}
	}
	best, most := 0, 0
	for _, delimiter := range delimiters {
		line, names := s.findHeader(delimiter, columns, options.Columns)
		if line == s.line {
			return
		}
		if names > most {
			best, most = line, names
		}
	}
	if most == 0 {
		return
	}
	r.layout.HeaderCertainty = coupon.CertaintyGuessed
	for s.line < best {
		end := s.lineEnd()
		if line := s.buf[s.pos:end]; !s.isBlank(line) {
			r.begun = append(r.begun, noRow{line: s.line, raw: bytes.Clone(line)})
		}
		s.pos = s.nextLine(end)
		s.line++
	}
}

// findHeader returns the line of the header that stands under other lines, and how many names of columns it has; 0 where there is
// none, and the line at pos where that has a name.
func (s *splitter) findHeader(delimiter byte, columns []Column, mappings []*coupon.ColumnMapping) (line, names int) {
	look := s.probe()
	look.delimiter = delimiter
	var above []string
	widest := 0
	for len(above) <= maxBegun {
		var row Row
		if err := look.next(&row); err != nil || row.Reason != "" && row.Reason != coupon.RejectedMalformed {
			return 0, 0
		}
		cells := row.Cells()
		known, filled := countNames(cells, columns, mappings), 0
		for _, cell := range cells {
			filled += one(coupon.CleanValue(cell) != "")
		}
		switch {
		case len(above) == 0 && known > 0:
			return s.line, known
		case known > 0 && filled > widest && filled > 1 && hasAll(cleanValues(cells), columns, mappings):
			return row.Line, known
		case known == 1 && filled == 1 && widest == 1 && len(cells) == 1 && hasAll(cleanValues(cells), columns, mappings):
			return row.Line, known * one(areTitles(above, look))
		}
		widest = max(widest, filled)
		if len(cells) > 0 {
			above = append(above, coupon.CleanValue(cells[0]))
		} else {
			above = append(above, row.Raw)
		}
	}
	return 0, 0
}

// areTitles reports whether lines above the header of one column read like words that no value below does.
func areTitles(above []string, below *splitter) bool {
	var values []string
	var row Row
	for len(values) < sampleRows && below.next(&row) == nil {
		if cells := row.Cells(); len(cells) > 0 && closingOf(cells) == noClosing {
			values = append(values, coupon.CleanValue(cells[0]))
		}
	}
	return len(values) > 0 && !slices.ContainsFunc(above, func(title string) bool { return compare(title, values) != unlike })
}

// hasAll reports whether all required columns are among the names.
func hasAll(names []string, columns []Column, mappings []*coupon.ColumnMapping) bool {
	a, err := assign(names, columns, mappings)
	return err == nil && a.checkRequired(columns, names) == nil
}

// probe is look for somebody who decides how the text is written: what is no text on its first line is read as Windows-1252, as
// a header may be that was written by another program than the rows.
func (s *splitter) probe() *splitter {
	look := s.look()
	end := s.lineEnd()
	line := s.buf[s.pos:end]
	if s.isDecoded || !s.isBad(line) || bytes.IndexByte(line, 0) >= 0 {
		return look
	}
	repaired := []byte(repair(line))
	look.repaired = len(repaired) - len(line)
	look.buf = slices.Concat(repaired, s.buf[end:])
	look.pos = 0
	look.offset = s.pos
	look.forget()
	return look
}

// after returns a splitter that stands where a probe of it does.
func (s *splitter) after(probe *splitter) *splitter {
	look := *probe
	look.err = s.err
	if probe.repaired != 0 {
		look.buf, look.pos = s.buf, probe.offset+probe.pos-probe.repaired
		look.repaired, look.offset = 0, 0
		look.forget()
	}
	return &look
}

// The mark of the end of a text that old programs write, and how much of what follows is looked at.
const (
	controlZ   = 0x1a
	maxEndMark = 1 << 10
)

// endTrimmer leaves out the marks of the end of a text, with the line ends behind them.
type endTrimmer struct {
	source io.Reader
	// ready is what is given next, held what may be the end, and err why the source gives no more.
	ready, held []byte
	err         error
}

func (e *endTrimmer) Read(p []byte) (int, error) {
	for {
		switch {
		case len(e.ready) > 0:
			n := copy(p, e.ready)
			e.ready = e.ready[n:]
			return n, nil
		case e.err != nil:
			return 0, e.err
		}
		n, err := e.source.Read(p)
		if len(e.held) == 0 && endMark(p[:n]) == n {
			return n, err
		}
		text := slices.Concat(e.held, p[:n])
		mark := endMark(text)
		e.ready, e.held, e.err = text[:mark], text[mark:], err
	}
}

// endMark returns where the marks of the end begin in a text; its length where it has none.
func endMark(text []byte) int {
	begin := len(text)
	for begin > 0 && len(text)-begin <= maxEndMark && (text[begin-1] == controlZ || text[begin-1] == '\n' || text[begin-1] == '\r') {
		begin--
	}
	if mark := bytes.IndexByte(text[begin:], controlZ); mark >= 0 && len(text)-begin <= maxEndMark {
		return begin + mark
	}
	return len(text)
}

// unwrapper takes the quotes off lines that are quoted as a whole: "a;""b"";c" is a;"b";c.
type unwrapper struct {
	source *bufio.Reader
	// isInside: the quotes are open. isLater: the line has begun.
	isInside, isLater bool
}

func newUnwrapper(source io.Reader) *unwrapper {
	return &unwrapper{source: bufio.NewReaderSize(source, chunkBytes)}
}

func (u *unwrapper) Read(p []byte) (int, error) {
	for n := range p {
		c, err := u.next()
		if err != nil {
			return n, err
		}
		p[n] = c
	}
	return len(p), nil
}

func (u *unwrapper) next() (byte, error) {
	for {
		c, err := u.source.ReadByte()
		switch {
		case err != nil:
			return 0, err
		case c == '"' && !u.isLater:
			u.isInside, u.isLater = true, true
			continue
		case c == '"' && u.isInside:
			follows, _ := u.source.Peek(1)
			switch {
			case len(follows) > 0 && follows[0] == '"':
				_, err = u.source.Discard(1)
				return c, err
			case len(follows) == 0 || follows[0] == '\r' || follows[0] == '\n':
				u.isInside = false
				continue
			}
			u.isInside = false // It is quoted in another way.
			return c, nil
		case (c == '\n' || c == '\r') && !u.isInside:
			u.isLater = false
		default:
			u.isLater = true
		}
		return c, nil
	}
}

// watchEdges has lines that are no rows looked for below the last row of a text that stands before the first one.
func (n *noRows) watchEdges(s *splitter) {
	n.text = s
	look := s.look()
	var row Row
	rows, closings := 0, 0
	for ; rows < sampleRows && look.next(&row) == nil; rows++ {
		cells := row.Cells()
		switch kind := closingOf(cells); {
		case len(cells) == 0:
		case kind != noClosing:
			closings += one(kind == sureClosing)
		default:
			n.firsts = append(n.firsts, coupon.CleanValue(cells[0]))
		}
	}
	n.hasClosings = closings >= minRulers && 3*closings > 2*rows
}

// unwrapped reports whether all rows in memory are quoted as a whole, and have names of columns inside. It gives a splitter of
// what is inside.
func (s *splitter) unwrapped(columns []Column, options *coupon.FileOptions) (inside *splitter, isWrapped bool) {
	look := s.look()
	look.delimiter = ','
	var row Row
	rows := 0
	for ; rows < sampleRows && look.next(&row) == nil; rows++ {
		if row.Reason != "" || len(row.spans) != 1 || !row.spans[0].isQuoted {
			return nil, false
		}
		if rows == 0 && !couldBeHeader(row.Cells()[0], columns, options) {
			return nil, false
		}
	}
	if rows == 0 {
		return nil, false
	}
	rest := s.source
	if s.err != nil {
		rest = failing(s.err)
	}
	inside = newSplitter(newUnwrapper(io.MultiReader(bytes.NewReader(bytes.Clone(s.buf[s.pos:])), rest)))
	inside.line, inside.isDecoded = s.line, s.isDecoded
	return inside, true
}

// couldBeHeader reports whether a text has several cells that are names of columns.
func couldBeHeader(text string, columns []Column, options *coupon.FileOptions) bool {
	for _, delimiter := range []byte("\t;|,") {
		cells := strings.Split(strings.ReplaceAll(text, `"`, ""), string(rune(delimiter)))
		if len(cells) > 1 && hasAll(cleanValues(cells), columns, options.Columns) {
			return true
		}
	}
	return false
}
