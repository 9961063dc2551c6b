package coupon

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// ParseFlag reads a yes or no as people write it in English, German, French, Spanish, Italian, Portuguese, Dutch, Polish
// and Turkish, and as programs do. Case and accents make no difference.
func ParseFlag(text string) (value, isKnown bool) {
	switch plain(text) {
	case "1", "1.0", "1,0", "-1", // The last is what databases of desktops keep for yes.
		"true", "t", "yes", "y", "on",
		"ja", "j", "wahr", "oui", "o", "vrai", "si", "s", "verdadero", "vero", "sim", "verdadeiro", "waar",
		"tak", "prawda", "evet", "e", "dogru":
		return true, true
	case "0", "0.0", "0,0",
		"false", "f", "no", "n", "off",
		"nein", "falsch", "non", "faux", "falso", "nao", "nee", "neen", "onwaar",
		"nie", "falsz", "hayir", "h", "yanlis":
		return false, true
	}
	return false, false
}

// plain returns a word without what stands around it, in lower case and without accents.
func plain(text string) string {
	text = strings.ToLower(CleanValue(text))
	if IsASCII(text) {
		return text
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == 'ı':
			return 'i'
		case r == 'ł':
			return 'l'
		case unicode.Is(unicode.Mn, r):
			return -1
		}
		return r
	}, norm.NFKD.String(text))
}
