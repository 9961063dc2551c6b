package coupon

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// MaxTextLength is the longest label, name, code value or reference, in characters.
const MaxTextLength = 255

// CodeRule names the rule of CodeKeys.Key. Where it changes, keys that are stored are made anew.
const CodeRule = "2"

// CodeKeys says how the values of codes are compared in one database. It is chosen when the database
// is created and never changes, since every stored key depends on it.
type CodeKeys struct {
	// CaseSensitive keeps upper and lower case apart.
	CaseSensitive bool
	// collisions has the narrow keys of codes that were different before the rule made them one, by the
	// key that they would share; see WithCollisions.
	collisions map[string][]string
}

// CleanValue trims what people and spreadsheets leave around a code: Unicode white space, byte order
// marks and zero-width characters at both ends.
func CleanValue(raw string) string {
	if IsASCII(raw) {
		return strings.Trim(raw, " \t\r\n\v\f")
	}
	return strings.TrimFunc(raw, isEdge)
}

// isEdge tells the characters that are never part of a code where they stand at its edge.
func isEdge(r rune) bool {
	switch r {
	case '\uFEFF', '\u200B', '\u200C', '\u200D', '\u2060', '\u180E':
		return true
	}
	return unicode.IsSpace(r)
}

// WithCollisions returns keys under which the codes of a collision stay what they were: each is compared
// by its narrow key. collisions has these by the key that the codes would share.
func (k CodeKeys) WithCollisions(collisions map[string][]string) CodeKeys {
	k.collisions = collisions
	return k
}

// Key returns the form by which a clean value is compared. Two codes with the same key are the same code.
// It leaves out what nobody sees or types, has one hyphen and one space for those that look alike,
// Unicode's normal form NFKC, and, unless the database keeps case, folds case by Unicode's full rule.
// Letters are then in upper case, as keys of plain ASCII always were. Key of a key is the key.
//
// A value of plain ASCII is its own key, in upper case unless the database keeps case.
func (k CodeKeys) Key(value string) string {
	key := k.wide(value)
	if len(k.collisions) > 0 && k.collisions[key] != nil {
		return k.Narrow(value)
	}
	return key
}

// Prefix returns the form by which the beginning of values is compared with the beginning of keys.
func (k CodeKeys) Prefix(text string) string { return k.wide(strings.TrimSpace(text)) }

// wide is Key without the collisions.
func (k CodeKeys) wide(value string) string {
	hasLower := false
	for i := range len(value) {
		c := value[i]
		if c >= utf8.RuneSelf {
			return k.folded(value)
		}
		hasLower = hasLower || 'a' <= c && c <= 'z'
	}
	if !hasLower {
		return value
	}
	return k.upper(value)
}

// joiner is what Unicode's normal form puts between 30 accents on one letter and the next ones.
const joiner = "\u034F"

// folded is wide of a value that is not plain ASCII.
func (k CodeKeys) folded(value string) string {
	for range MaxTextLength {
		key := k.fold(value)
		// Like all that nobody sees, the joiner is left out of what is compared: accents may change places then.
		if key == value || !strings.Contains(key, joiner) {
			return key
		}
		value = key
	}
	return value
}

// fold is one step of folded.
func (k CodeKeys) fold(value string) string {
	// Both ends may have been invisible characters, or one that NFKC makes a space and an accent.
	value = strings.Trim(norm.NFKC.String(strings.Map(typed, value)), " ")
	if k.CaseSensitive || IsASCII(value) {
		return k.upper(value)
	}
	if strings.ContainsFunc(value, foldsFurther) {
		value = furtherFolds.Replace(value)
	}
	// Each of these can leave a string that is not in normal form, so it is normalized again.
	return norm.NFKC.String(k.upper(value))
}

// furtherFolds has the folded forms of the letters that foldsFurther tells. It is several times as fast as folding a value as a
// whole, of whose other letters the upper case is enough.
var furtherFolds = func() *strings.Replacer {
	fold := cases.Fold()
	var pairs []string
	for r := range rune(lastFurtherFold + 1) {
		if foldsFurther(r) {
			pairs = append(pairs, string(r), fold.String(string(r)))
		}
	}
	return strings.NewReplacer(pairs...)
}()

// lastFurtherFold is the last letter that foldsFurther tells.
const lastFurtherFold = '\u1FFC'

// foldsFurther tells the letters whose folded form in upper case is not their upper case: ß, and letters with
// accents that have no upper case in one character.
func foldsFurther(r rune) bool {
	switch r {
	case 'ß', 'İ', 'ǰ', 'ΐ', 'ΰ':
		return true
	}
	return r >= '\u1E96' && r <= '\u1E9E' || r >= '\u1F50' && r <= lastFurtherFold
}

// upper returns a value in upper case, unless the database keeps case.
func (k CodeKeys) upper(value string) string {
	if k.CaseSensitive {
		return value
	}
	return strings.ToUpper(value)
}

// typed returns the character that a key has for one of a value, and what is read of an amount or a date: -1 for one
// that is not seen, and of hyphens and spaces the one that has a key of its own.
func typed(r rune) rune {
	switch {
	case r < firstHyphen && r != '\u0085' && r != '\u00A0' && r != '\u00AD' && r != '\u034F':
		return r // a letter of most alphabets
	case isIgnorable(r):
		return -1
	case unicode.IsSpace(r):
		return ' '
	case isHyphen(r):
		return '-'
	}
	return r
}

// firstHyphen is the first character beyond ASCII that isHyphen tells.
const firstHyphen = '\u058A'

// isIgnorable tells Unicode's default-ignorable characters.
func isIgnorable(r rune) bool { return unicode.Is(ignorableTable, r) }

// ignorableTable is the characters of InvisiblePattern that are no white space.
var ignorableTable = &unicode.RangeTable{
	R16: []unicode.Range16{
		{0x00AD, 0x00AD, 1},
		{0x034F, 0x034F, 1},
		{0x061C, 0x061C, 1},
		{0x115F, 0x1160, 1},
		{0x17B4, 0x17B5, 1},
		{0x180B, 0x180F, 1},
		{0x200B, 0x200F, 1},
		{0x202A, 0x202E, 1},
		{0x2060, 0x206F, 1},
		{0x3164, 0x3164, 1},
		{0xFE00, 0xFE0F, 1},
		{0xFEFF, 0xFEFF, 1},
		{0xFFA0, 0xFFA0, 1},
		{0xFFF0, 0xFFF8, 1},
	},
	R32: []unicode.Range32{{0x1BCA0, 0x1BCA3, 1}, {0x1D173, 0x1D17A, 1}, {0xE0000, 0xE0FFF, 1}},
}

// isHyphen tells the characters that keyboards and word processors put for a hyphen, and what looks like one.
func isHyphen(r rune) bool {
	switch r {
	case firstHyphen, '\u05BE', // of Armenian and Hebrew keyboards
		'\u2010', '\u2011', '\u2012', '\u2013', '\u2014', '\u2015',
		'\u207B', '\u208B', '\u2212', '\u2E3A', '\u2E3B', '\uFE31', '\uFE32', '\uFE58', '\uFE63', '\uFF0D':
		return true
	}
	return false
}

// Narrow returns the form by which the codes of a collision are compared: Unicode's normal form NFKC, and
// upper case unless the database keeps case. Each was found by it before the rule made them one.
func (k CodeKeys) Narrow(value string) string {
	return norm.NFKC.String(k.upper(norm.NFKC.String(value)))
}

// isAmbiguous reports whether a value could be any code of a collision, because it is spelled like none of them.
func (k CodeKeys) isAmbiguous(value string) bool {
	if len(k.collisions) == 0 {
		return false
	}
	apart := k.collisions[k.wide(value)]
	return apart != nil && !slices.Contains(apart, k.Narrow(value))
}

// Parse cleans a raw value and gives it with its key, or the reason why it cannot be a code: EMPTY,
// TOO_LONG, BAD_CHARACTER (a control character, U+FFFE or U+FFFF, or bytes that are not UTF-8), or
// AMBIGUOUS_CODE. A value is never cut.
func (k CodeKeys) Parse(raw string) (value, key string, reason RejectionReason) {
	value = CleanValue(raw)
	switch {
	case value == "":
		return "", "", RejectedEmpty
	case IsASCII(value):
		if len(value) > MaxTextLength {
			return "", "", RejectedTooLong
		}
		for i := range len(value) {
			if value[i] < ' ' || value[i] == 0x7f {
				return "", "", RejectedBadCharacter
			}
		}
	case !utf8.ValidString(value) || strings.ContainsFunc(value, isNoText):
		return "", "", RejectedBadCharacter
	case utf8.RuneCountInString(value) > MaxTextLength:
		return "", "", RejectedTooLong
	}
	switch key = k.Key(value); {
	case key == "":
		return "", "", RejectedEmpty
	case isTooLong(key) && isTooLong(k.Narrow(value)):
		// NFKC can make one character into many (a ligature, a circled number). That case folding makes two
		// of some is no reason: there are codes of before it.
		return "", "", RejectedTooLong
	case k.isAmbiguous(value):
		return "", "", RejectedAmbiguousCode
	}
	return value, key, ""
}

func isTooLong(key string) bool {
	return len(key) > MaxTextLength && utf8.RuneCountInString(key) > MaxTextLength
}

// isNoText tells control characters and the two that are no characters and that XML, which codes are exported to, cannot carry.
func isNoText(r rune) bool { return unicode.IsControl(r) || r == '\uFFFE' || r == '\uFFFF' }

// IsASCII reports whether a text has characters of ASCII alone.
func IsASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// CleanLabel trims a label like a code. An empty label is none. It returns the reason TOO_LONG or
// BAD_CHARACTER when the label cannot be kept.
func CleanLabel(raw string) (label string, reason RejectionReason) {
	label = CleanValue(raw)
	switch {
	case !utf8.ValidString(label) || strings.ContainsFunc(label, isNoText):
		return "", RejectedBadCharacter
	case utf8.RuneCountInString(label) > MaxTextLength:
		return "", RejectedTooLong
	}
	return label, ""
}

// CleanReference returns a value by which a caller knows a thing, such as an order number, as it is kept and compared: without
// what nobody sees, also in its middle.
func CleanReference(raw string) string {
	if IsASCII(raw) {
		return CleanValue(raw)
	}
	return CleanValue(strings.Map(func(r rune) rune {
		if isIgnorable(r) {
			return -1
		}
		return r
	}, raw))
}

// CheckReference is CleanReference for a value that is to be kept. It returns the reason TOO_LONG or BAD_CHARACTER when it cannot
// be.
func CheckReference(raw string) (clean string, reason RejectionReason) {
	return CleanLabel(CleanReference(raw))
}

// Printable makes any text fit to be shown: control characters and broken bytes become the replacement character, and what is
// longer than MaxTextLength is cut with an ellipsis.
func Printable(text string) string {
	clean := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return utf8.RuneError
		}
		return r
	}, strings.ToValidUTF8(text, string(utf8.RuneError)))
	if utf8.RuneCountInString(clean) <= MaxTextLength {
		return clean
	}
	return string([]rune(clean)[:MaxTextLength-1]) + "…"
}
