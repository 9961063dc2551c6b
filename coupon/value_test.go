package coupon

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestCleanValue(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ raw, want string }{
		"clean":              {raw: "Trynow", want: "Trynow"},
		"empty":              {raw: "", want: ""},
		"ASCII white space":  {raw: " \t\r\n\v\fA b\t ", want: "A b"},
		"byte order mark":    {raw: "\uFEFFTrynow", want: "Trynow"},
		"zero width":         {raw: "\u200B\u200C\u200D\u2060\u180ETrynow\u200B", want: "Trynow"},
		"no-break spaces":    {raw: "\u00A0\u202FTrynow\u3000", want: "Trynow"},
		"line separators":    {raw: "\u2028\u0085Trynow\u2029", want: "Trynow"},
		"mixed":              {raw: " \uFEFF \u200B Try\u200Bnow \u00A0\r\n", want: "Try\u200Bnow"},
		"nothing but edges":  {raw: " \uFEFF\u00A0\u200B", want: ""},
		"letters of scripts": {raw: " Öl 北京 ", want: "Öl 北京"},
		"not UTF-8":          {raw: " \xff ", want: "\xff"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := CleanValue(test.raw); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestCodeKeysParse(t *testing.T) {
	t.Parallel()
	const sensitive, insensitive = true, false
	tests := map[string]struct {
		caseSensitive   bool
		raw, value, key string
		reason          RejectionReason
	}{
		"plain":                  {caseSensitive: insensitive, raw: "Trynow", value: "Trynow", key: "TRYNOW"},
		"plain, case kept":       {caseSensitive: sensitive, raw: "Trynow", value: "Trynow", key: "Trynow"},
		"inner space":            {caseSensitive: insensitive, raw: " 2 for 1 ", value: "2 for 1", key: "2 FOR 1"},
		"byte order mark":        {caseSensitive: insensitive, raw: "\uFEFFtry", value: "try", key: "TRY"},
		"zero width":             {caseSensitive: insensitive, raw: "\u200Btry\u2060", value: "try", key: "TRY"},
		"no-break space":         {caseSensitive: insensitive, raw: "\u00A0a\u00A0b\u00A0", value: "a\u00A0b", key: "A B"},
		"ligature":               {caseSensitive: insensitive, raw: "oﬃce", value: "oﬃce", key: "OFFICE"},
		"ligature, case kept":    {caseSensitive: sensitive, raw: "oﬃce", value: "oﬃce", key: "office"},
		"full width":             {caseSensitive: insensitive, raw: "ＡＢｃ１２", value: "ＡＢｃ１２", key: "ABC12"},
		"full width, case kept":  {caseSensitive: sensitive, raw: "ＡＢｃ１２", value: "ＡＢｃ１２", key: "ABc12"},
		"half width":             {caseSensitive: insensitive, raw: "ｶﾞ", value: "ｶﾞ", key: "ガ"},
		"circled":                {caseSensitive: insensitive, raw: "①ⓐ", value: "①ⓐ", key: "1A"},
		"superscript":            {caseSensitive: insensitive, raw: "m²", value: "m²", key: "M2"},
		"composed":               {caseSensitive: insensitive, raw: "é", value: "é", key: "É"},
		"decomposed":             {caseSensitive: insensitive, raw: "e\u0301", value: "e\u0301", key: "É"},
		"decomposed, case kept":  {caseSensitive: sensitive, raw: "e\u0301", value: "e\u0301", key: "é"},
		"sharp s has no upper s": {caseSensitive: insensitive, raw: "Straße", value: "Straße", key: "STRAßE"},
		"dotless i":              {caseSensitive: insensitive, raw: "ı", value: "ı", key: "I"},
		"dotted I keeps its dot": {caseSensitive: insensitive, raw: "İ", value: "İ", key: "İ"},
		"dotted I, decomposed":   {caseSensitive: insensitive, raw: "I\u0307", value: "I\u0307", key: "İ"},
		"dotless i with a dot":   {caseSensitive: insensitive, raw: "ı\u0307", value: "ı\u0307", key: "İ"},
		"long s":                 {caseSensitive: insensitive, raw: "ſ", value: "ſ", key: "S"},
		"final sigma":            {caseSensitive: insensitive, raw: "ςσ", value: "ςσ", key: "ΣΣ"},
		"micro":                  {caseSensitive: insensitive, raw: "µ", value: "µ", key: "Μ"},
		"kelvin":                 {caseSensitive: insensitive, raw: "\u212A", value: "\u212A", key: "K"},
		"iota below":             {caseSensitive: insensitive, raw: "\u03B1\u0345", value: "\u03B1\u0345", key: "ᾼ"},
		"digraph":                {caseSensitive: insensitive, raw: "ǆ", value: "ǆ", key: "DŽ"},
		"emoji":                  {caseSensitive: insensitive, raw: "🎿2", value: "🎿2", key: "🎿2"},
		"one character":          {caseSensitive: insensitive, raw: "x", value: "x", key: "X"},
		"255 characters":         {caseSensitive: insensitive, raw: strings.Repeat("x", 255), value: strings.Repeat("x", 255), key: strings.Repeat("X", 255)},
		"255 with white space": {
			caseSensitive: insensitive, raw: " " + strings.Repeat("x", 255) + "\n", value: strings.Repeat("x", 255),
			key: strings.Repeat("X", 255),
		},
		"256 characters":          {caseSensitive: insensitive, raw: strings.Repeat("x", 256), reason: RejectedTooLong},
		"255 characters, 2 bytes": {caseSensitive: insensitive, raw: strings.Repeat("ä", 255), value: strings.Repeat("ä", 255), key: strings.Repeat("Ä", 255)},
		"256 characters, 2 bytes": {caseSensitive: insensitive, raw: strings.Repeat("ä", 256), reason: RejectedTooLong},
		"key of 252 characters": {
			caseSensitive: insensitive,
			raw:           strings.Repeat("\uFDFA", 14),
			value:         strings.Repeat("\uFDFA", 14),
			key:           strings.Repeat("صلى الله عليه وسلم", 14),
		},
		"key of 270 characters":  {caseSensitive: insensitive, raw: strings.Repeat("\uFDFA", 15), reason: RejectedTooLong},
		"empty":                  {caseSensitive: insensitive, raw: "", reason: RejectedEmpty},
		"blank":                  {caseSensitive: insensitive, raw: " \t\u00A0\uFEFF", reason: RejectedEmpty},
		"inner line break":       {caseSensitive: insensitive, raw: "a\nb", reason: RejectedBadCharacter},
		"inner tab":              {caseSensitive: insensitive, raw: "a\tb", reason: RejectedBadCharacter},
		"null":                   {caseSensitive: insensitive, raw: "a\x00", reason: RejectedBadCharacter},
		"delete":                 {caseSensitive: insensitive, raw: "a\x7Fb", reason: RejectedBadCharacter},
		"no character":           {caseSensitive: insensitive, raw: "a\uFFFEb", reason: RejectedBadCharacter},
		"nor this":               {caseSensitive: sensitive, raw: "\uFFFF", reason: RejectedBadCharacter},
		"other non-characters":   {caseSensitive: insensitive, raw: "A\uFDD0", value: "A\uFDD0", key: "A\uFDD0"},
		"C1 control":             {caseSensitive: insensitive, raw: "a\u009Fb", reason: RejectedBadCharacter},
		"control beside Unicode": {caseSensitive: insensitive, raw: "ä\x1Bb", reason: RejectedBadCharacter},
		"Latin-1 bytes":          {caseSensitive: insensitive, raw: "Stra\xDFe", reason: RejectedBadCharacter},
		"long and bad":           {caseSensitive: insensitive, raw: strings.Repeat("ä", 256) + "\xff", reason: RejectedBadCharacter},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			value, key, reason := CodeKeys{CaseSensitive: test.caseSensitive}.Parse(test.raw)
			if value != test.value || key != test.key || reason != test.reason {
				t.Errorf("got %q, %q, %q, want %q, %q, %q", value, key, reason, test.value, test.key, test.reason)
			}
		})
	}
}

// TestCodeKeysOfEveryCharacter tries what a fuzzer may never meet: each character of Unicode's first two
// planes by itself.
func TestCodeKeysOfEveryCharacter(t *testing.T) {
	t.Parallel()
	// The planes above hold nothing but ideographs, private characters and those without a form.
	for r := range rune(0x20000) {
		if utf8.ValidRune(r) {
			checkCodeKeys(t, string(r))
		}
	}
}

func FuzzCodeKeysParse(f *testing.F) {
	for _, raw := range []string{
		"Trynow", " \uFEFF2 for 1\u200B ", "oﬃce", "ＡＢｃ", "e\u0301", "Straße", "İı", "a\nb", "\xff", "\u03B1\u0345\u0301", "\uFDFA",
		strings.Repeat("\u0308", 40) + "\u0345", "´", strings.Repeat("x", 255),
	} {
		f.Add(raw)
	}
	f.Fuzz(checkCodeKeys)
}

// checkCodeKeys checks what every value must keep, whatever it is.
func checkCodeKeys(t *testing.T, raw string) {
	t.Helper()
	for _, keys := range []CodeKeys{{}, {CaseSensitive: true}} {
		value, key, reason := keys.Parse(raw)
		if reason != "" {
			if value != "" || key != "" {
				t.Errorf("got %q, %q with the reason %s for %q", value, key, reason, raw)
			}
			continue
		}
		for _, text := range []string{value, key} {
			n := utf8.RuneCountInString(text)
			if n < 1 || n > MaxTextLength || !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
				t.Errorf("got the value %q and the key %q for %q", value, key, raw)
			}
		}
		if CleanValue(key) == "" {
			t.Errorf("got the blank key %q for %q", key, raw)
		}
		if again, keyAgain, reason := keys.Parse(value); again != value || keyAgain != key || reason != "" {
			t.Errorf("got %q, %q, %q for the value %q of %q, want it and the key %q", again, keyAgain, reason, value, raw, key)
		}
		if again := keys.Key(key); again != key {
			t.Errorf("got the key %q for the key %q of %q", again, key, raw)
		}
	}
}

func TestCleanLabel(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		raw, label string
		reason     RejectionReason
	}{
		"clean":           {raw: "Ball games", label: "Ball games"},
		"trimmed":         {raw: "\uFEFF Ball \u00A0", label: "Ball"},
		"empty is none":   {raw: "", label: ""},
		"blank is none":   {raw: " \u200B", label: ""},
		"255 characters":  {raw: strings.Repeat("ß", 255), label: strings.Repeat("ß", 255)},
		"256 characters":  {raw: strings.Repeat("ß", 256), reason: RejectedTooLong},
		"control":         {raw: "a\x01b", reason: RejectedBadCharacter},
		"not UTF-8":       {raw: "a\xE9", reason: RejectedBadCharacter},
		"bad before long": {raw: strings.Repeat("x", 300) + "\x01x", reason: RejectedBadCharacter},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if label, reason := CleanLabel(test.raw); label != test.label || reason != test.reason {
				t.Errorf("got %q, %q, want %q, %q", label, reason, test.label, test.reason)
			}
		})
	}
}

// FuzzPrintable tells that any text can be shown and spooled: no control character, valid, not too long.
func FuzzPrintable(f *testing.F) {
	f.Add("a\x00\xff\u0085b")
	f.Add(strings.Repeat("é", 300))
	f.Fuzz(func(t *testing.T, text string) {
		got := Printable(text)
		if !utf8.ValidString(got) || strings.ContainsFunc(got, unicode.IsControl) || utf8.RuneCountInString(got) > MaxTextLength {
			t.Errorf("Printable(%q) = %q", text, got)
		}
		if again := Printable(got); again != got {
			t.Errorf("Printable(%q) = %q", got, again)
		}
	})
}
