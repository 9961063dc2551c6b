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
	// IsNumber says that the format itself says so, as JSON does by leaving out the quotes: its decimal mark is a point.
	IsNumber bool
}

// Change gives what the cell does to a field that is a text.
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

// Flag gives what the cell does to a field that is a yes or no, or reports that it is neither. Whatever is there
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

// SQLNull is what databases write for a value that is not there.
const SQLNull = `\N`

// CellRules turns the text of a cell into its value. The zero value has the rules of a file without options.
type CellRules struct {
	// nothing has the texts that stand for nothing; nil: SQLNull alone.
	nothing map[string]struct{}
}

// NewCellRules gives the rules of a file.
func NewCellRules(options *FileOptions) CellRules {
	var rules CellRules
	if options.Nothing != nil {
		rules.nothing = make(map[string]struct{}, len(options.Nothing))
		for _, text := range options.Nothing {
			rules.nothing[CleanValue(text)] = struct{}{}
		}
	}
	return rules
}

// Read gives the cell of a text that stands in a row.
func (r *CellRules) Read(text string) Cell {
	switch {
	case r.nothing == nil && text == SQLNull || r.nothing != nil && r.isNothing(text):
		return Cell{Presence: Nothing}
	case text == "" || (text[0] <= ' ' || text[0] >= utf8.RuneSelf) && CleanValue(text) == "":
		return Cell{Presence: Empty, Text: text}
	}
	return Cell{Presence: Given, Text: text}
}

func (r *CellRules) isNothing(text string) bool {
	_, isNothing := r.nothing[CleanValue(text)]
	return isNothing
}

// Odd tells what is odd about the value of a cell, which was taken all the same; "" when nothing is.
func (c Cell) Odd() ImportWarningKind {
	switch {
	case c.Presence != Given || c.IsNumber:
		return ""
	case isPlaceholder(c.Text):
		return WarningPlaceholder
	}
	return ""
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
