package coupon

import (
	"crypto/sha256"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"
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
		"plain": {
			caseSensitive: insensitive, raw: "Trynow", value: "Trynow", key: "TRYNOW",
		},
		"plain, case kept": {
			caseSensitive: sensitive, raw: "Trynow", value: "Trynow", key: "Trynow",
		},
		"inner space": {
			caseSensitive: insensitive, raw: " 2 for 1 ", value: "2 for 1", key: "2 FOR 1",
		},
		"byte order mark": {
			caseSensitive: insensitive, raw: "\uFEFFtry", value: "try", key: "TRY",
		},
		"zero width": {
			caseSensitive: insensitive, raw: "\u200Btry\u2060", value: "try", key: "TRY",
		},
		"no-break space": {
			caseSensitive: insensitive, raw: "\u00A0a\u00A0b\u00A0", value: "a\u00A0b", key: "A B",
		},
		"ligature": {
			caseSensitive: insensitive, raw: "oﬃce", value: "oﬃce", key: "OFFICE",
		},
		"ligature, case kept": {
			caseSensitive: sensitive, raw: "oﬃce", value: "oﬃce", key: "office",
		},
		"full width": {
			caseSensitive: insensitive, raw: "ＡＢｃ１２", value: "ＡＢｃ１２", key: "ABC12",
		},
		"full width, case kept": {
			caseSensitive: sensitive, raw: "ＡＢｃ１２", value: "ＡＢｃ１２", key: "ABc12",
		},
		"half width":  {caseSensitive: insensitive, raw: "ｶﾞ", value: "ｶﾞ", key: "ガ"},
		"circled":     {caseSensitive: insensitive, raw: "①ⓐ", value: "①ⓐ", key: "1A"},
		"superscript": {caseSensitive: insensitive, raw: "m²", value: "m²", key: "M2"},
		"composed":    {caseSensitive: insensitive, raw: "é", value: "é", key: "É"},
		"decomposed": {
			caseSensitive: insensitive, raw: "e\u0301", value: "e\u0301", key: "É",
		},
		"decomposed, case kept": {
			caseSensitive: sensitive, raw: "e\u0301", value: "e\u0301", key: "é",
		},
		"sharp s": {
			caseSensitive: insensitive, raw: "Straße", value: "Straße", key: "STRASSE",
		},
		"capital sharp s": {
			caseSensitive: insensitive, raw: "STRAẞE", value: "STRAẞE", key: "STRASSE",
		},
		"sharp s, case kept": {
			caseSensitive: sensitive, raw: "Straße", value: "Straße", key: "Straße",
		},
		"dotless i":              {caseSensitive: insensitive, raw: "ı", value: "ı", key: "I"},
		"dotted I keeps its dot": {caseSensitive: insensitive, raw: "İ", value: "İ", key: "İ"},
		"dotted I, decomposed": {
			caseSensitive: insensitive, raw: "I\u0307", value: "I\u0307", key: "İ",
		},
		"dotless i with a dot": {
			caseSensitive: insensitive, raw: "ı\u0307", value: "ı\u0307", key: "İ",
		},
		"long s":      {caseSensitive: insensitive, raw: "ſ", value: "ſ", key: "S"},
		"final sigma": {caseSensitive: insensitive, raw: "ςσ", value: "ςσ", key: "ΣΣ"},
		"micro":       {caseSensitive: insensitive, raw: "µ", value: "µ", key: "Μ"},
		"kelvin": {
			caseSensitive: insensitive, raw: "\u212A", value: "\u212A", key: "K",
		},
		"iota below": {
			caseSensitive: insensitive, raw: "\u03B1\u0345", value: "\u03B1\u0345", key: "ΑΙ",
		},
		"digraph":       {caseSensitive: insensitive, raw: "ǆ", value: "ǆ", key: "DŽ"},
		"emoji":         {caseSensitive: insensitive, raw: "🎿2", value: "🎿2", key: "🎿2"},
		"one character": {caseSensitive: insensitive, raw: "x", value: "x", key: "X"},
		"255 characters": {
			caseSensitive: insensitive, raw: strings.Repeat("x", 255),
			value: strings.Repeat("x", 255), key: strings.Repeat("X", 255),
		},
		"255 with white space": {
			caseSensitive: insensitive, raw: " " + strings.Repeat("x", 255) + "\n",
			value: strings.Repeat("x", 255),
			key:   strings.Repeat("X", 255),
		},
		"256 characters": {
			caseSensitive: insensitive, raw: strings.Repeat("x", 256), reason: RejectedTooLong,
		},
		"255 characters, 2 bytes": {
			caseSensitive: insensitive, raw: strings.Repeat("ä", 255),
			value: strings.Repeat("ä", 255), key: strings.Repeat("Ä", 255),
		},
		"256 characters, 2 bytes": {
			caseSensitive: insensitive, raw: strings.Repeat("ä", 256), reason: RejectedTooLong,
		},
		"key of 252 characters": {
			caseSensitive: insensitive,
			raw:           strings.Repeat("\uFDFA", 14),
			value:         strings.Repeat("\uFDFA", 14),
			key:           strings.Repeat("صلى الله عليه وسلم", 14),
		},
		"255 that fold to two": {
			caseSensitive: insensitive, raw: strings.Repeat("ß", 255),
			value: strings.Repeat("ß", 255), key: strings.Repeat("S", 510),
		},
		"invisible inside": {
			caseSensitive: insensitive, raw: "WEB\u200B88", value: "WEB\u200B88", key: "WEB88",
		},
		"invisible at an end": {
			caseSensitive: insensitive, raw: "\u200EWEB88\u00AD", value: "\u200EWEB88\u00AD",
			key: "WEB88",
		},
		"space behind invisible": {
			caseSensitive: insensitive, raw: "\u00AD WEB88", value: "\u00AD WEB88", key: "WEB88",
		},
		"invisible, case kept": {
			caseSensitive: sensitive, raw: "Web\u200B8\u201188", value: "Web\u200B8\u201188",
			key: "Web8-88",
		},
		"an emoji's variant": {
			caseSensitive: insensitive, raw: "❤\uFE0F5", value: "❤\uFE0F5", key: "❤5",
		},
		"nothing but invisible": {
			caseSensitive: insensitive, raw: "\u00AD\uFE0F\u2066", reason: RejectedEmpty,
		},
		"invisible and spaces": {
			caseSensitive: sensitive, raw: "\u00AD \u00A0\u00AD", reason: RejectedEmpty,
		},
		"fillers of Hangul": {
			caseSensitive: insensitive, raw: "\u3164\u115F\uFFA0", reason: RejectedEmpty,
		},
		"key of 270 characters": {
			caseSensitive: insensitive, raw: strings.Repeat("\uFDFA", 15), reason: RejectedTooLong,
		},
		"empty": {caseSensitive: insensitive, raw: "", reason: RejectedEmpty},
		"blank": {
			caseSensitive: insensitive, raw: " \t\u00A0\uFEFF", reason: RejectedEmpty,
		},
		"inner line break": {
			caseSensitive: insensitive, raw: "a\nb", reason: RejectedBadCharacter,
		},
		"inner tab": {
			caseSensitive: insensitive, raw: "a\tb", reason: RejectedBadCharacter,
		},
		"null": {
			caseSensitive: insensitive, raw: "a\x00", reason: RejectedBadCharacter,
		},
		"delete": {
			caseSensitive: insensitive, raw: "a\x7Fb", reason: RejectedBadCharacter,
		},
		"no character": {
			caseSensitive: insensitive, raw: "a\uFFFEb", reason: RejectedBadCharacter,
		},
		"nor this": {
			caseSensitive: sensitive, raw: "\uFFFF", reason: RejectedBadCharacter,
		},
		"other non-characters": {
			caseSensitive: insensitive, raw: "A\uFDD0", value: "A\uFDD0", key: "A\uFDD0",
		},
		"C1 control": {
			caseSensitive: insensitive, raw: "a\u009Fb", reason: RejectedBadCharacter,
		},
		"control beside Unicode": {
			caseSensitive: insensitive, raw: "ä\x1Bb", reason: RejectedBadCharacter,
		},
		"Latin-1 bytes": {
			caseSensitive: insensitive, raw: "Stra\xDFe", reason: RejectedBadCharacter,
		},
		"long and bad": {
			caseSensitive: insensitive, raw: strings.Repeat("ä", 256) + "\xff",
			reason: RejectedBadCharacter,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			value, key, reason := CodeKeys{CaseSensitive: test.caseSensitive}.Parse(test.raw)
			if value != test.value || key != test.key || reason != test.reason {
				t.Errorf("got %q, %q, %q, want %q, %q, %q", value, key, reason, test.value,
					test.key, test.reason)
			}
		})
	}
}

// TestCodeKeysOfEveryCharacter tries what a fuzzer may never meet: each character of Unicode's
// first two planes by itself.
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
		"Trynow", " \uFEFF2 for 1\u200B ", "oﬃce", "ＡＢｃ", "e\u0301", "Straße", "İı", "a\nb", "\xff",
		"\u03B1\u0345\u0301", "\uFDFA",
		strings.Repeat("\u0308", 40) + "\u0345", "´", "SAVE\u201110", "WEB\u200B88", "ẞß", "\u00AD",
		"ος", "2\u00A0for\u20281", "❤\uFE0F",
		"\u05BE\u0345\u0301", "\u0130\u0307", strings.Repeat("x", 255),
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
			if n < 1 || n > 3*MaxTextLength || !utf8.ValidString(text) ||
				strings.ContainsFunc(text, unicode.IsControl) {
				t.Errorf("got the value %q and the key %q for %q", value, key, raw)
			}
		}
		if CleanValue(key) == "" {
			t.Errorf("got the blank key %q for %q", key, raw)
		}
		if again, keyAgain, reason := keys.Parse(value); again != value || keyAgain != key ||
			reason != "" {
			t.Errorf("got %q, %q, %q for the value %q of %q, want it and the key %q", again,
				keyAgain, reason, value, raw, key)
		}
		if again := keys.Key(key); again != key {
			t.Errorf("got the key %q for the key %q of %q", again, key, raw)
		}
		// In more than 30 accents on one letter their order depends on where they are parted.
		if again := keys.Key(CleanValue(keys.Narrow(value))); again != key &&
			!strings.Contains(keys.Narrow(value), joiner) {
			t.Errorf("got the key %q for the narrow key of %q, want %q: what was one code is two",
				again, raw, key)
		}
		if key != keys.Narrow(value) && keys.Key(keys.Narrow(value)) == keys.Narrow(value) {
			t.Errorf("the narrow key of %q could be the key of another code", raw)
		}
	}
}

// TestAlike tells which spellings are one code, and which are not.
func TestAlike(t *testing.T) {
	t.Parallel()
	const insensitive, sensitive = 1, 2
	tests := map[string]struct {
		one, other string
		// alike is where the two are one code: bits of insensitive and sensitive.
		alike int
	}{
		"no-break hyphen":        {"SAVE\u201110", "SAVE-10", insensitive | sensitive},
		"hyphen":                 {"SAVE\u201010", "SAVE-10", insensitive | sensitive},
		"figure dash":            {"SAVE\u201210", "SAVE-10", insensitive | sensitive},
		"en dash":                {"SAVE\u201310", "SAVE-10", insensitive | sensitive},
		"em dash":                {"SAVE\u201410", "SAVE\u201510", insensitive | sensitive},
		"minus":                  {"SAVE\u221210", "SAVE-10", insensitive | sensitive},
		"small and full width":   {"SAVE\uFE6310", "SAVE\uFF0D10", insensitive | sensitive},
		"two em dashes":          {"SAVE\u2E3A10", "SAVE-10", insensitive | sensitive},
		"two hyphens":            {"SAVE--10", "SAVE-10", 0},
		"wave":                   {"SAVE\u301C10", "SAVE-10", 0},
		"underscore":             {"SAVE_10", "SAVE-10", 0},
		"soft hyphen":            {"SAVE\u00AD10", "SAVE10", insensitive | sensitive},
		"a soft one is none":     {"SAVE\u00AD10", "SAVE-10", 0},
		"zero-width space":       {"WEB\u200B88", "WEB88", insensitive | sensitive},
		"word joiner":            {"WEB\u206088", "WEB88", insensitive | sensitive},
		"byte order mark":        {"WEB\uFEFF88", "WEB88", insensitive | sensitive},
		"direction":              {"\u202AWEB88\u202C", "WEB88", insensitive | sensitive},
		"tag":                    {"WEB\U000E002088", "WEB88", insensitive | sensitive},
		"filler":                 {"WEB\u316488", "WEB88", insensitive | sensitive},
		"between accents":        {"e\u034F\u0301", "é", insensitive | sensitive},
		"no-break space":         {"2\u00A0FOR\u202F1", "2 FOR 1", insensitive | sensitive},
		"space of an ideograph":  {"2\u3000FOR 1", "2 FOR 1", insensitive | sensitive},
		"line separator":         {"2\u2028FOR 1", "2 FOR 1", insensitive | sensitive},
		"no space":               {"2FOR1", "2 FOR 1", 0},
		"sharp s":                {"straße", "STRASSE", insensitive},
		"capital sharp s":        {"STRAẞE", "straße", insensitive},
		"final sigma":            {"ΟΔΟΣ", "οδος", insensitive},
		"sigma":                  {"οδοσ", "οδος", insensitive},
		"case of ASCII":          {"save", "SAVE", insensitive},
		"case beside a hyphen":   {"save\u201110", "SAVE-10", insensitive},
		"full width":             {"ＳＡＶＥ", "SAVE", insensitive | sensitive},
		"full width, other case": {"ｓａｖｅ", "SAVE", insensitive},
		"dotless i":              {"ındırım", "INDIRIM", insensitive},
		"dotted I":               {"İNDİRİM", "i\u0307ndi\u0307ri\u0307m", insensitive},
		"dotted I is not i":      {"İNDİRİM", "INDIRIM", 0},
		"ligature":               {"oﬃce", "office", insensitive | sensitive},
		"Cherokee":               {"ꭰ", "Ꭰ", insensitive},
		"emoji":                  {"❤\uFE0F10", "❤10", insensitive | sensitive},
		"emoji as text":          {"❤\uFE0E10", "❤\uFE0F10", insensitive | sensitive},
		"family":                 {"👨\u200D👩", "👨👩", insensitive | sensitive},
		"another emoji":          {"❤10", "🧡10", 0},
		"an accent":              {"CAFÉ", "CAFE", 0},
		"another script's a":     {"А1", "A1", 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for bit, keys := range map[int]CodeKeys{
				insensitive: {}, sensitive: {CaseSensitive: true},
			} {
				if got, want := keys.Key(test.one) == keys.Key(test.other),
					test.alike&bit != 0; got != want {
					t.Errorf("case sensitive %t: %q and %q are alike: %t", keys.CaseSensitive,
						test.one, test.other, got)
				}
			}
		})
	}
}

// TestIgnorable compares what keys leave out with Unicode's property and with what addresses leave
// out.
func TestIgnorable(t *testing.T) {
	t.Parallel()
	ofAddresses := regexp.MustCompile("^[" + ignorables + "]$")
	for r := range rune(unicode.MaxRune + 1) {
		// As DerivedCoreProperties.txt puts it together.
		want := unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Cf,
			unicode.Variation_Selector) &&
			!unicode.In(r, unicode.White_Space, unicode.Prepended_Concatenation_Mark) &&
			(r < 0xFFF9 || r > 0xFFFB) && (r < 0x13430 || r > 0x1345F)
		if got := isIgnorable(r); got != want || got != ofAddresses.MatchString(string(r)) {
			t.Errorf("%U: %t in keys, %t in Unicode, %t in addresses", r, got, want,
				ofAddresses.MatchString(string(r)))
		}
	}
}

// TestCodeRule fails when the key of a character becomes another one, be it by a new version of
// Unicode: stored keys are made anew when CodeRule is another one, and never found otherwise.
func TestCodeRule(t *testing.T) {
	t.Parallel()
	sum := sha256.New()
	for _, keys := range []CodeKeys{{}, {CaseSensitive: true}} {
		for r := range rune(unicode.MaxRune + 1) {
			if key := keys.Key(string(r)); key != string(r) {
				_, _ = fmt.Fprintf(sum, "%U %q\n", r, key)
			}
		}
	}
	const want = "2 c8c6cb3528cf4374"
	if got := fmt.Sprintf("%s %x", CodeRule, sum.Sum(nil)[:8]); got != want {
		t.Errorf("the keys are those of %s, want %s: raise CodeRule", got, want)
	}
}

// TestFoldsFurther compares the letters that are not folded, because their upper case is enough,
// with Unicode's full folding.
func TestFoldsFurther(t *testing.T) {
	t.Parallel()
	for r := range rune(unicode.MaxRune + 1) {
		text := string(r)
		if !norm.NFKC.IsNormalString(text) || foldsFurther(r) {
			continue
		}
		if folded, upper := strings.ToUpper(cases.Fold().String(text)),
			strings.ToUpper(text); folded != upper {
			t.Errorf("%U %q: folded %q, in upper case %q", r, r, folded, upper)
		}
	}
}

// TestKeyOfASCII tells that a plain value's key is the one that it always had.
func TestKeyOfASCII(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		value := CleanValue(rapid.StringOf(rapid.RuneFrom(nil,
			&unicode.RangeTable{R16: []unicode.Range16{{0x20, 0x7E, 1}}})).Draw(t, "value"))
		if got, want := (CodeKeys{}).Key(value), strings.ToUpper(value); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if got := (CodeKeys{CaseSensitive: true}).Key(value); got != value {
			t.Errorf("got %q, want %q where case is kept", got, value)
		}
	})
}

// TestKeyIsOneForSpellings puts into values what nobody sees, writes their hyphens, spaces and
// letters otherwise, and wants the key to stay; and a key for what can be seen.
func TestKeyIsOneForSpellings(t *testing.T) {
	t.Parallel()
	hyphens, spaces := []rune(
		"-\u2010\u2011\u2012\u2013\u2014\u2015\u2212\uFE58\uFE63\uFF0D\u2E3A",
	), []rune(" \u00A0\u2009\u202F\u3000")
	unseen := rapid.SampledFrom(
		[]rune("\u00AD\u200B\u200D\u200E\u2060\u2066\uFE0F\uFEFF\u3164\U000E0041"),
	)
	letters := rapid.StringMatching(`[A-Za-z0-9ÄäßẞΣσςЖжé🎿 \-]{1,12}`)
	rapid.Check(t, func(t *rapid.T) {
		value := CleanValue(letters.Draw(t, "value"))
		keys := CodeKeys{CaseSensitive: rapid.Bool().Draw(t, "keeps case")}
		var other strings.Builder
		for _, r := range value {
			if rapid.Bool().Draw(t, "something unseen") {
				other.WriteRune(unseen.Draw(t, "unseen"))
			}
			switch {
			case r == '-':
				r = rapid.SampledFrom(hyphens).Draw(t, "hyphen")
			case r == ' ':
				r = rapid.SampledFrom(spaces).Draw(t, "space")
			case !keys.CaseSensitive && rapid.Bool().Draw(t, "other case"):
				r = unicode.SimpleFold(r)
			}
			other.WriteRune(r)
		}
		key := keys.Key(value)
		if got := keys.Key(other.String()); got != key {
			t.Errorf("%q has the key %q, and %q the key %q", value, key, other.String(), got)
		}
		if got := keys.Key(key); got != key {
			t.Errorf("the key %q of %q has the key %q", key, value, got)
		}
		if (key == "") != (value == "") {
			t.Errorf("%q has the key %q", value, key)
		}
	})
}

// TestCollisions tells how codes are compared that were different before the rule made them one.
func TestCollisions(t *testing.T) {
	t.Parallel()
	keys := CodeKeys{}.WithCollisions(map[string][]string{
		"SAVE-10": {"SAVE-10", "SAVE\u201010"}, "WEB88": {"WEB\u200B88", "WEB\u206088"},
	})
	for raw, want := range map[string]struct {
		key    string
		reason RejectionReason
	}{
		"SAVE-10": {key: "SAVE-10"},
		"save-10": {key: "SAVE-10"},
		// NFKC makes it the hyphen without a rule for breaks
		"SAVE\u201110":       {key: "SAVE\u201010"},
		"save\u201110":       {key: "SAVE\u201010"},
		"SAVE\u201310":       {reason: RejectedAmbiguousCode},
		"SA\u00ADVE-10":      {reason: RejectedAmbiguousCode},
		"ＳＡＶＥ-10":            {key: "SAVE-10"},
		"WEB\u200B88":        {key: "WEB\u200B88"},
		"web\u206088":        {key: "WEB\u206088"},
		"WEB88":              {reason: RejectedAmbiguousCode},
		"WEB\u00AD88":        {reason: RejectedAmbiguousCode},
		"WEB89":              {key: "WEB89"},
		"SAVE\u201011":       {key: "SAVE-11"},
		"SAVE-10\u00ADAGAIN": {key: "SAVE-10AGAIN"},
	} {
		_, key, reason := keys.Parse(raw)
		if key != want.key || reason != want.reason {
			t.Errorf("%q: got %q, %q, want %q, %q", raw, key, reason, want.key, want.reason)
		}
		if again := keys.Key(key); again != key {
			t.Errorf("%q: the key %q has the key %q", raw, key, again)
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

// FuzzPrintable tells that any text can be shown and spooled: no control character, valid, not too
// long.
func FuzzPrintable(f *testing.F) {
	f.Add("a\x00\xff\u0085b")
	f.Add(strings.Repeat("é", 300))
	f.Fuzz(func(t *testing.T, text string) {
		got := Printable(text)
		if !utf8.ValidString(got) || strings.ContainsFunc(got, unicode.IsControl) ||
			utf8.RuneCountInString(got) > MaxTextLength {
			t.Errorf("Printable(%q) = %q", text, got)
		}
		if again := Printable(got); again != got {
			t.Errorf("Printable(%q) = %q", got, again)
		}
	})
}
