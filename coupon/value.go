package coupon

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// MaxTextLength is the longest label, name, code value or reference, in characters.
const MaxTextLength = 255

// CodeKeys says how the values of codes are compared in one database. It is chosen when the database
// is created and never changes, since every stored key depends on it.
type CodeKeys struct {
	// CaseSensitive keeps upper and lower case apart.
	CaseSensitive bool
}

// CleanValue trims what people and spreadsheets leave around a code: Unicode white space, byte order
// marks and zero-width characters at both ends.
func CleanValue(raw string) string {
	if isPlainASCII(raw) {
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

// Key gives the form by which a clean value is compared: Unicode NFKC, and upper case unless the
// database keeps case. Two codes with the same key are the same code.
func (k CodeKeys) Key(value string) string {
	if isPlainASCII(value) {
		if k.CaseSensitive {
			return value
		}
		return strings.ToUpper(value)
	}
	if k.CaseSensitive {
		return norm.NFKC.String(value)
	}
	// Upper-casing can leave a string that is not in normal form, so it is normalized again.
	return norm.NFKC.String(strings.ToUpper(norm.NFKC.String(value)))
}

// Parse cleans a raw value and gives it with its key, or the reason why it cannot be a code: EMPTY,
// TOO_LONG or BAD_CHARACTER (a control character, U+FFFE or U+FFFF, or bytes that are not UTF-8). A value is never cut.
func (k CodeKeys) Parse(raw string) (value, key string, reason RejectionReason) {
	value = CleanValue(raw)
	switch {
	case value == "":
		return "", "", RejectedEmpty
	case isPlainASCII(value):
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
	key = k.Key(value)
	// NFKC can make one character into many (a ligature, a circled number).
	if len(key) > MaxTextLength && utf8.RuneCountInString(key) > MaxTextLength {
		return "", "", RejectedTooLong
	}
	return value, key, ""
}

// isNoText tells control characters and the two that are no characters and that XML, which codes are exported to, cannot carry.
func isNoText(r rune) bool { return unicode.IsControl(r) || r == '\uFFFE' || r == '\uFFFF' }

func isPlainASCII(s string) bool {
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
