package coupon

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestNewPatternErrors(t *testing.T) {
	t.Parallel()
	const badPattern = "input.pattern INVALID: The pattern must have 1 to 255 characters, no control characters and no space at its ends."
	unusable := func(quoted string) string {
		return "input.alphabet INVALID: The alphabet has the character " + quoted +
			", which codes cannot be made of."
	}
	twice := func(quoted string) string {
		return "input.alphabet INVALID: The alphabet has the character " + quoted +
			" twice (upper and lower case count as the same unless the database keeps case)."
	}
	var alphabet257 strings.Builder
	for i := range rune(257) {
		alphabet257.WriteRune('一' + i)
	}
	tests := map[string]struct {
		pattern, alphabet string
		keys              CodeKeys
		want              string
	}{
		"digits":             {pattern: "SKI-####", alphabet: "0123456789"},
		"marks alone":        {pattern: "#", alphabet: "AB"},
		"255 characters":     {pattern: strings.Repeat("#", 255), alphabet: "AB"},
		"256 characters":     {pattern: strings.Repeat("#", 256), alphabet: "AB", want: badPattern},
		"empty":              {pattern: "", alphabet: "AB", want: badPattern},
		"space at the start": {pattern: " ##", alphabet: "AB", want: badPattern},
		"space at the end":   {pattern: "##\u00A0", alphabet: "AB", want: badPattern},
		"control character":  {pattern: "#\t#", alphabet: "AB", want: badPattern},
		"not UTF-8":          {pattern: "#\xff", alphabet: "AB", want: badPattern},
		"no mark": {
			pattern: "SKI", alphabet: "AB",
			want: `input.pattern INVALID: The pattern "SKI" has no '#', so every code would be the same.`,
		},
		"full-width mark is no mark": {
			pattern: "＃", alphabet: "AB", want: `input.pattern INVALID: The pattern "＃" has no '#', so every code would be the same.`,
		},
		"the mark as a character": {pattern: "##", alphabet: "#A"},
		"alphabet empty": {
			pattern: "#", alphabet: "",
			want: "input.alphabet INVALID: The alphabet must have 2 to 256 characters.",
		},
		"alphabet of 1": {
			pattern: "#", alphabet: "A",
			want: "input.alphabet INVALID: The alphabet must have 2 to 256 characters.",
		},
		"alphabet of 256": {
			pattern: "#", alphabet: strings.TrimSuffix(alphabet257.String(), string('一'+rune(256))),
		},
		"alphabet of 257": {
			pattern: "#", alphabet: alphabet257.String(),
			want: "input.alphabet INVALID: The alphabet must have 2 to 256 characters.",
		},
		"repeated":   {pattern: "#", alphabet: "ABA", want: twice("'A'")},
		"both cases": {pattern: "#", alphabet: "AaB", want: twice("'a'")},
		"both cases, kept apart": {
			pattern: "#", alphabet: "AaB", keys: CodeKeys{CaseSensitive: true},
		},
		"full width and plain": {
			pattern: "#", alphabet: "AＡ", keys: CodeKeys{CaseSensitive: true}, want: twice("'Ａ'"),
		},
		"space":           {pattern: "#", alphabet: "A B", want: unusable("' '")},
		"no-break space":  {pattern: "#", alphabet: "A\u00A0B", want: unusable(`'\u00a0'`)},
		"zero width":      {pattern: "#", alphabet: "A\u200BB", want: unusable(`'\u200b'`)},
		"control":         {pattern: "#", alphabet: "A\x07B", want: unusable(`'\a'`)},
		"bytes not UTF-8": {pattern: "#", alphabet: "A\xffB", want: unusable("'\uFFFD'")},
		"ligature":        {pattern: "#", alphabet: "Aﬃ", want: unusable("'ﬃ'")},
		"loose accent":    {pattern: "#", alphabet: "AÁ\u0301", want: unusable("'\u0301'")},
		"Hangul vowel": {
			pattern: "#", alphabet: "\u1100\u1161", want: unusable("'\u1161'"),
		},
		"Hangul syllables": {pattern: "#", alphabet: "가나"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := NewPattern(test.pattern, test.alphabet, test.keys)
			var want []string
			if test.want != "" {
				want = []string{test.want}
			}
			if diff := cmp.Diff(want, problemLines(t, err)); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPatternSpace(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		pattern, alphabet string
		want              float64
	}{
		"one":  {pattern: "X#", alphabet: "AB", want: 2},
		"four": {pattern: "#-#-#-#", alphabet: "0123456789", want: 10_000},
		"infinite": {
			pattern: strings.Repeat("#", 255), alphabet: "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
			want: math.Inf(1),
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := NewPattern(test.pattern, test.alphabet, CodeKeys{})
			if err != nil {
				t.Fatal(err)
			}
			if got := p.Space(); got != test.want {
				t.Errorf("got %g, want %g", got, test.want)
			}
		})
	}
}

func TestPatternCheckSpace(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		pattern string
		count   int
		want    []string
	}{
		"just enough": {pattern: "####", count: 100},
		"one too many": {pattern: "####", count: 101, want: []string{
			"input.pattern CODE_SPACE_TOO_SMALL: The pattern has room for 10000 codes; of these at most 100 may be generated, so that a code cannot be guessed in fewer than 100 tries, but 101 were asked for. Use more '#' or a larger alphabet.",
		}},
		"none possible": {pattern: "#", count: 1, want: []string{
			"input.pattern CODE_SPACE_TOO_SMALL: The pattern has room for 10 codes; of these at most 0 may be generated, so that a code cannot be guessed in fewer than 100 tries, but 1 were asked for. Use more '#' or a larger alphabet.",
		}},
		"the most codes": {pattern: "##########", count: MaxGeneratedCodes},
		"the most, too few digits": {pattern: "#########", count: 10_000_001, want: []string{
			"input.pattern CODE_SPACE_TOO_SMALL: The pattern has room for 1000000000 codes; of these at most 10000000 may be generated, so that a code cannot be guessed in fewer than 100 tries, but 10000001 were asked for. Use more '#' or a larger alphabet.",
		}},
		"infinite": {pattern: strings.Repeat("#", 255), count: MaxGeneratedCodes},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := NewPattern(test.pattern, "0123456789", CodeKeys{})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, problemLines(t, p.CheckSpace(test.count))); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

// TestPatternAppendIsUniform makes every sequence of draws once: each code of the space then comes
// once, so uniform draws give uniform codes.
func TestPatternAppendIsUniform(t *testing.T) {
	t.Parallel()
	alphabet := []rune("AbÖ北")
	p, err := NewPattern("ß#-##", string(alphabet), CodeKeys{})
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for sequence := range int(p.Space()) {
		rest, draws := sequence, 0
		code := string(p.Append([]byte("code: "), func(n int) int {
			if n != len(alphabet) {
				t.Errorf("got a draw below %d, want %d", n, len(alphabet))
			}
			draws++
			drawn := rest % n
			rest /= n
			return drawn
		}))
		if draws != 3 {
			t.Errorf("got %d draws, want 3", draws)
		}
		want := "code: ß" + string(alphabet[sequence%4]) + "-" + string(alphabet[sequence/4%4]) +
			string(alphabet[sequence/16])
		if code != want {
			t.Errorf("got %q, want %q", code, want)
		}
		counts[code]++
	}
	if len(counts) != 64 {
		t.Errorf("got %d different codes, want 64", len(counts))
	}
}

// TestPatternCodesAreCodes holds what the space promises: every generated code can be added as it
// is, and different draws give different keys.
func TestPatternCodesAreCodes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		keys := CodeKeys{CaseSensitive: rapid.Bool().Draw(t, "case-sensitive")}
		pattern := rapid.StringN(0, 10, -1).Draw(t, "before") + "#" +
			rapid.StringN(0, 10, -1).Draw(t, "between") + "##"
		alphabet := string(
			rapid.SliceOfNDistinct(rapid.Rune(), 2, 20, rapid.ID[rune]).Draw(t, "alphabet"),
		)
		p, err := NewPattern(pattern, alphabet, keys)
		if err != nil {
			t.Skip("refused")
		}
		draw := func(name string) ([]int, string, string) {
			drawn := make([]int, 0, 3)
			code := string(p.Append(nil, func(n int) int {
				drawn = append(drawn, rapid.IntRange(0, n-1).Draw(t, name))
				return drawn[len(drawn)-1]
			}))
			value, key, reason := keys.Parse(code)
			if value != code || reason != "" {
				t.Fatalf("the code %q is %q with the reason %q", code, value, reason)
			}
			return drawn, code, key
		}
		drawn, code, key := draw("one")
		otherDrawn, otherCode, otherKey := draw("other")
		if sameDraws := cmp.Equal(drawn, otherDrawn); sameDraws != (key == otherKey) {
			t.Fatalf("the codes %q and %q have the keys %q and %q", code, otherCode, key, otherKey)
		}
	})
}
