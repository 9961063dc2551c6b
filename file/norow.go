package file

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"couponql/coupon"
)

// Files that were joined or that a database client wrote have lines that are no rows: the header
// once more, rulers, and what the client says of its answer. They are rejected as NOT_A_ROW, so
// that they are told and never become codes.
//
// A code may look like any of these. So there is evidence to ask for: a header has to be that of
// this file, or all its cells words for their columns; a ruler is one where most rows are none; a
// footer has a number and a word that only clients write, and nothing else stands in the row.

// minRuler is the length of the shortest ruler.
const minRuler = 3

// isRuler tells a line that is drawn: of one sign, such as ----- or =====, with what joins columns
// between.
func isRuler(text string) bool {
	var sign rune
	length, longest := 0, 0
	for _, r := range text {
		switch r {
		case '-', '=', '_', '*', '~', '#', '.', '─', '━', '═', '—', '–', '·':
			if sign != 0 && r != sign {
				return false
			}
			sign = r
			length++
			longest = max(longest, length)
			continue
		case '+', '|', ':', ',', ';', '\t', ' ', '"', '┼', '╪', '├', '┤', '└', '┘', '┌', '┐', '┴',
			'┬', '│', '╞', '╡':
		default:
			return false
		}
		length = 0
	}
	return longest >= minRuler
}

// isFooter tells what a database client says of its answer, such as (2 rows affected) or Time:
// 3.021 ms.
func isFooter(text string) bool {
	text = strings.Trim(text, " \t,;|\"")
	if text == "" || len(text) > coupon.MaxTextLength {
		return false
	}
	switch c := text[0]; {
	case c == '(':
		inner, isClosed := strings.CutSuffix(text[1:], ")")
		return isClosed && isCount(inner, true)
	case c >= '0' && c <= '9':
		return isCount(text, false)
	}
	if strings.IndexByte(text, ' ') < 0 {
		return false
	}
	lower := strings.ToLower(text)
	for _, start := range []string{
		"query ok, ", "empty set", "no rows selected", "no rows returned", "0 rows",
	} {
		if rest, is := strings.CutPrefix(lower, start); is {
			return rest == "" || strings.ContainsAny(rest, "0123456789") ||
				strings.Trim(rest, ". ") == ""
		}
	}
	for _, start := range []string{
		"time: ", "elapsed: ", "run time", "time taken: ", "completion time: ", "execution time: ",
		"planning time: ",
	} {
		if rest, is := strings.CutPrefix(lower, start); is {
			return isMeasure(rest)
		}
	}
	return false
}

// isCount tells a number of rows. In brackets that is enough; without them a client says what
// became of the rows.
func isCount(text string, isEnclosed bool) bool {
	number := strings.TrimLeft(text, "0123456789.,' \u00a0\u202f")
	if len(number) == len(text) ||
		!strings.ContainsAny(text[:len(text)-len(number)], " \u00a0\u202f") {
		return false
	}
	word, rest, _ := strings.Cut(strings.ToLower(number), " ")
	switch strings.TrimRight(word, ".") {
	case "row", "rows", "row(s)", "record", "records", "record(s)":
	case "datensatz",
		"datensätze",
		"enregistrement",
		"enregistrements",
		"record(i)",
		"rekord",
		"rekordy",
		"rekordów",
		"kayıt",
		"zeile",
		"zeilen",
		"ligne",
		"lignes",
		"fila",
		"filas",
		"riga",
		"righe",
		"linha",
		"linhas",
		"registro",
		"registros",
		"rij",
		"rijen",
		"wiersz",
		"wiersze",
		"wierszy",
		"satır":
	default:
		return false
	}
	rest = strings.TrimRight(strings.TrimSpace(rest), ".")
	word, rest, _ = strings.Cut(rest, " ")
	switch word {
	case "":
		return isEnclosed
	case "selected", "affected", "returned", "retrieved", "fetched", "exported", "inserted",
		"updated", "deleted", "processed":
		return rest == "" || isMeasure(strings.Trim(rest, "()"))
	case "in", "betroffen", "ausgewählt":
		return rest == "" || isMeasure(strings.Trim(strings.TrimPrefix(rest, "set"), " ()"))
	case "affecté(es)", "affectées", "afectadas", "interessate", "afetadas", "beïnvloed":
		return rest == ""
	}
	return false
}

// isMeasure tells a duration or an instant as clients write it: digits, and units of time.
func isMeasure(text string) bool {
	if !strings.ContainsAny(text, "0123456789") {
		return false
	}
	for word := range strings.FieldsFuncSeq(text,
		func(r rune) bool { return !unicode.IsLetter(r) }) {
		switch word {
		case "ms", "s", "sec", "secs", "second", "seconds", "min", "minutes", "h", "real", "user",
			"sys", "fetched", "row", "rows", "t", "z":
		default:
			return false
		}
	}
	return true
}

// noRows tells lines that are no rows from rows.
type noRows struct {
	// names are the normal names of the columns where the file has a header; nil where it has none.
	names []string
	// hasDigits says that one of them has a digit.
	hasDigits bool
	// isNamed says that every row names its columns: then it need not have all of them.
	isNamed bool
	// words has, for each cell, the known column that it holds; nil for none, or where nothing is
	// looked for.
	words []*Column
	// starts has the first two letters of all words, which tells nearly all values that are none.
	starts startSet
	// others are values of the only column of a file, with which a word is compared; nil: there are
	// more columns.
	others []string
	// text is that of the lines, of which those below the last row are looked for, and firsts are
	// values of their first column; nil where rows are no lines.
	text   *splitter
	firsts []string
	// hasClosings says that such lines are values in this file, as most rows look so.
	hasClosings bool
	// hasRulers says that rulers are values in this file, as most rows look so.
	hasRulers bool
}

// is reports whether a row is none. cells gives its values, and text them all.
func (n *noRows) is(row *Row, text string) bool {
	if text != "" && text[0] <= ' ' {
		text = strings.TrimLeft(text, " \t")
	}
	if text == "" {
		return false
	}
	c := text[0]
	isLetter := c|0x20 >= 'a' && c|0x20 <= 'z'
	switch {
	case beginsFooter(c) && strings.IndexByte(text, ' ') >= 0 && isFooter(text):
		return true
	case !isLetter && !n.hasRulers && isRuler(text):
		return true
	case row.Reason != "":
		return false
	case hasDigit(text): // No word has one, and nearly all codes have.
		return n.hasDigits && n.isHeader(row)
	}
	return n.isHeader(row) || n.mayStartWord(text) && n.isOtherHeader(row, text)
}

// beginsFooter tells with what footers begin.
func beginsFooter(c byte) bool {
	switch c | 0x20 {
	case 'q', 'e', 'n', 't', 'r', 'c', 'p', '(', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return true
	}
	return false
}

// isHeader reports whether each value of a row is the name of its column, and one of them is that
// of a known column.
func (n *noRows) isHeader(row *Row) bool {
	if len(n.names) == 0 || len(row.spans) > len(n.names) ||
		len(row.spans) < len(n.names) && !n.isNamed {
		return false
	}
	found := false
	for cell := range row.spans {
		name := n.names[cell]
		if row.spans[cell].isAbsent {
			if !n.isNamed && name != "" {
				return false
			}
			continue
		}
		value := row.value(cell)
		if name == "" && value == "" {
			continue
		}
		if name == "" || !isNormal(value, name) {
			return false
		}
		found = found || cell < len(n.words) && n.words[cell] != nil
	}
	return found
}

// isOtherHeader reports whether a row is the header of another file: all its values are words for
// their columns. One word alone says that only where no value of the file looks like it.
func (n *noRows) isOtherHeader(row *Row, text string) bool {
	found := 0
	for cell := range row.spans {
		value := row.value(cell)
		if value == "" {
			continue
		}
		if cell >= len(n.words) || n.words[cell] == nil || !n.words[cell].matches(normal(value)) {
			return false
		}
		found++
	}
	return found > 1 || found == 1 && len(n.others) > 0 && compare(text, n.others) != alike
}

// mayStartWord reports whether a row may be one of words.
func (n *noRows) mayStartWord(text string) bool {
	return len(n.words) > 0 && len(text) >= 2 &&
		(text[0] >= utf8.RuneSelf || text[1] >= utf8.RuneSelf || n.starts.has(text[0], text[1]))
}

// hasDigit looks from the end, where codes have their digits.
func hasDigit(text string) bool {
	for i := len(text) - 1; i >= 0; i-- {
		if text[i]-'0' <= 9 {
			return true
		}
	}
	return false
}

// startSet is a set of two letters each.
type startSet [26 * 26]bool

func startOf(first, second byte) (place int, isLetters bool) {
	a, b := int(first|0x20)-'a', int(second|0x20)-'a'
	return 26*a + b, a >= 0 && a < 26 && b >= 0 && b < 26
}

func (s *startSet) add(word string) {
	if place, isLetters := startOf(word[0], word[1]); isLetters {
		s[place] = true
	}
}

func (s *startSet) has(first, second byte) bool {
	place, isLetters := startOf(first, second)
	return isLetters && s[place]
}

// isNormal reports whether a text is another spelling of a name, which is normal. It costs next to
// nothing where it is not.
func isNormal(text, name string) bool {
	i := 0
	for _, c := range []byte(text) {
		switch {
		case c >= utf8.RuneSelf:
			return normal(text) == name
		case c >= 'A' && c <= 'Z':
			c |= 0x20
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
		default:
			continue
		}
		if i == len(name) || name[i] != c {
			return i < len(name) && name[i] >= utf8.RuneSelf && normal(text) == name
		}
		i++
	}
	return i == len(name) && i > 0
}

// newNoRows prepares to find lines that are no rows in a file with these columns.
func newNoRows(names []string, hasHeader bool, columns []Column, a *assignment) *noRows {
	n := &noRows{}
	if hasHeader {
		n.addNames(names)
	}
	n.words = make([]*Column, len(names))
	for i, cell := range a.fields {
		if cell < 0 || cell >= len(names) {
			continue
		}
		column := &columns[i]
		n.words[cell] = column
		for _, word := range append(append([]string{column.Name}, column.Aliases...),
			column.Words...) {
			if word = normal(word); len(word) >= 2 {
				n.starts.add(word)
			}
		}
	}
	return n
}

// addNames takes names in that are new.
func (n *noRows) addNames(names []string) {
	for _, name := range names[len(n.names):] {
		n.names = append(n.names, normal(name))
		n.hasDigits = n.hasDigits || hasDigit(name)
	}
}
