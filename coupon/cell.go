package coupon

import (
	"strings"
	"unicode/utf8"
)

// Presence tells apart four ways of having no value. The rule is the same for every format, every kind of import and,
// as far as it can tell them apart, the API:
//
//	what is there                                                 new row       known row
//	Absent: no such column or key, or the row ends before it      no value      stays as it is
//	Empty:  nothing between the delimiters, "" or <email/>        no value      stays as it is
//	Null:   null of JSON and Parquet, xsi:nil                     no value      the value is removed
//	Nothing: \N, or a text that FileOptions.Nothing names         no value      the value is removed
//
// Consent is the exception: silence never gives it. Of a known recipient whatever says neither yes nor no changes
// nothing; see RecipientChanges.IsContactable for a new one.
type Presence uint8

// The ways, and Given: there is a value.
const (
	Absent Presence = iota
	Empty
	Null
	Nothing
	Given
)

// Cell is what a row of a file says in one of its columns.
type Cell struct {
	Presence Presence
	// Text is the value where it is Given. Where it is Empty, it is "" or blanks.
	Text string
	// Guarded is the text as it stands in the file where a guard of spreadsheets was taken off; "" otherwise.
	Guarded string
	// IsNumber says that the format itself says so, as JSON does by leaving out the quotes: its decimal mark is a point.
	IsNumber bool
}

// Change returns what the cell does to a field that is a text.
func (c Cell) Change() Change[string] {
	switch c.Presence {
	case Null, Nothing:
		return Set[string](nil)
	case Given:
		return Set(&c.Text)
	case Absent, Empty:
	}
	return Change[string]{}
}

// Flag returns what the cell does to a field that is a yes or no, or reports that it is neither. Whatever is there
// without saying yes or no is a change to nil.
func (c Cell) Flag() (flag Change[bool], isKnown bool) {
	switch c.Presence {
	case Absent:
		return Change[bool]{}, true
	case Given:
		value, isKnown := ParseFlag(c.Text)
		return Set(&value), isKnown
	case Empty, Null, Nothing:
	}
	return Set[bool](nil), true
}

// SQLNull is what databases write for a value that is not there. As a text it is written with one backslash more, and so is a text
// of several backslashes and an N.
const SQLNull = `\N`

// isEscapedNull tells texts of at least two backslashes and an N.
func isEscapedNull(text string) bool {
	return len(text) > len(SQLNull) && text[0] == '\\' && text[len(text)-1] == 'N' && strings.Trim(text[:len(text)-1], `\`) == ""
}

// GuardedPattern tells texts of which reading might take a guard off, in the syntax of Go and of the engine. An export writes
// another guard around them, so that what is read is what was exported.
const GuardedPattern = `^(="|'[=+@0-9-])`

// CellRules turns the text of a cell into its value. The zero value has the rules of a file without options.
type CellRules struct {
	// nothing has the texts that stand for nothing; nil: SQLNull alone.
	nothing map[string]struct{}
	// guards says which guards of spreadsheets are taken off.
	guards guards
}

// guards says which guards of spreadsheets are taken off the values of a file.
type guards uint8

const (
	noGuards guards = iota
	// likelyGuards: what can hardly be meant, which is told.
	likelyGuards
	// exportedGuards: those of an export that is safe for spreadsheets, which has no other values that look like one.
	exportedGuards
)

// NewCellRules returns the rules of a file. Only CSV comes from spreadsheets.
func NewCellRules(options *FileOptions, format FileFormat) CellRules {
	var rules CellRules
	switch {
	case options.IsSpreadsheetSafe != nil && *options.IsSpreadsheetSafe:
		rules.guards = exportedGuards
	case options.IsSpreadsheetSafe == nil && format == FormatCSV:
		rules.guards = likelyGuards
	}
	if options.Nothing != nil {
		rules.nothing = make(map[string]struct{}, len(options.Nothing))
		for _, text := range options.Nothing {
			rules.nothing[CleanValue(text)] = struct{}{}
		}
	}
	return rules
}

// IsPlain reports whether a text is sure to be a value as it stands. It is quick, and true for nearly all values.
func (r *CellRules) IsPlain(text string) bool {
	return text != "" && r.nothing == nil && plainStarts[text[0]]
}

// plainStarts has the first bytes of texts that are neither blank, nor guarded, nor stand for nothing.
var plainStarts = func() (starts [256]bool) {
	for c := byte('!'); c < utf8.RuneSelf; c++ {
		starts[c] = c != '=' && c != '\'' && c != SQLNull[0]
	}
	return starts
}()

// Read returns the cell of a text that stands in a row.
func (r *CellRules) Read(text string) Cell {
	if r.IsPlain(text) {
		return Cell{Presence: Given, Text: text}
	}
	if r.guards != noGuards && text != "" && (text[0] == '=' || text[0] == '\'') {
		if value, isGuarded := r.guards.takeOff(text); isGuarded {
			cell := r.readBare(value)
			if r.guards == likelyGuards {
				cell.Guarded = text
			}
			return cell
		}
	}
	return r.readBare(text)
}

// takeOff returns a text without its guard, or reports that it has none: ="00123", and an apostrophe before what a spreadsheet
// would take for a number or a formula. An apostrophe before a letter is one: 't Hooft.
func (g guards) takeOff(text string) (value string, isGuarded bool) {
	if inner, isFormula := strings.CutPrefix(text, `="`); isFormula && strings.HasSuffix(inner, `"`) {
		inner = strings.TrimSuffix(inner, `"`)
		if strings.Contains(strings.ReplaceAll(inner, `""`, ""), `"`) {
			return "", false
		}
		return strings.ReplaceAll(inner, `""`, `"`), true
	}
	if text[0] != '\'' || len(text) == 1 {
		return "", false
	}
	if g == exportedGuards {
		return text[1:], strings.IndexByte("=+-@\t\r'", text[1]) >= 0
	}
	return text[1:], strings.IndexByte("=+-@0123456789", text[1]) >= 0 && text[len(text)-1] != '\''
}

func (r *CellRules) readBare(text string) Cell {
	switch {
	case r.nothing == nil && text == SQLNull || r.nothing != nil && r.isNothing(text):
		return Cell{Presence: Nothing}
	case isEscapedNull(text):
		return Cell{Presence: Given, Text: text[1:]}
	case text == "" || (text[0] <= ' ' || text[0] >= utf8.RuneSelf) && CleanValue(text) == "":
		return Cell{Presence: Empty, Text: text}
	}
	return Cell{Presence: Given, Text: text}
}

func (r *CellRules) isNothing(text string) bool {
	_, isNothing := r.nothing[CleanValue(text)]
	return isNothing
}

// Odd tells what is odd about a cell that was taken all the same, and the text that is; "" when nothing is.
func (c Cell) Odd() (kind ImportWarningKind, text string) {
	switch {
	case c.Guarded != "":
		return WarningGuard, c.Guarded
	case c.Presence != Given:
		return "", ""
	case !c.IsNumber && isPlaceholder(c.Text):
		return WarningPlaceholder, c.Text
	}
	// As in 6.9E+12.
	if isScientific, isSigned, isLost := readScientific(c.Text); isScientific && isSigned && isLost {
		return WarningScientific, c.Text
	}
	return "", ""
}

// maxPlaceholder is the length of the longest placeholder, in bytes.
const maxPlaceholder = 9

// isPlaceholder tells texts that people and programs write where there is nothing. They may be meant: Null is a name.
func isPlaceholder(text string) bool {
	if text == "" || len(text) > maxPlaceholder {
		return false
	}
	switch text[0] {
	case '-', '#', '(', '<', '[', 'n', 'N', 'u', 'U', '.', '?', 0xE2, '\\':
	default:
		return false
	}
	switch strings.ToLower(text) {
	case "null", "(null)", "<null>", "[null]", "nil", "<nil>", "none", "<none>", "(none)", "n/a", "<na>", "#n/a", "#na", "#nv",
		"nan", "nat", "undefined", "-", "--", "---", "–", "—", ".", "?", "(leer)", "(blank)", `\n`,
		"#ref!", "#value!", "#name?", "#null!", "#num!", "#div/0!":
		return true
	}
	return false
}
