package coupon

import (
	"math"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Limits of generated and added codes.
const (
	// MaxGeneratedCodes is how many codes one generateCodes makes.
	MaxGeneratedCodes = 50_000_000
	// MaxGeneratedAtOnce is how many codes generateCodes makes while its caller waits; more are a
	// job.
	MaxGeneratedAtOnce = 1_000_000
	// MaxAddedCodes is how many codes one addCodes takes.
	MaxAddedCodes = 10_000
	// MinGuesses is how many random tries an attacker must need on average for one hit of the pool;
	// a smaller code space is refused as guessable.
	MinGuesses = 100
)

// Pattern is the plan of generated codes: '#' stands for a random character of the alphabet, every
// other character for itself.
type Pattern struct {
	runes    []rune
	alphabet []rune
	draws    int
}

// PatternMark is the character of a pattern that a random one takes the place of.
const PatternMark = '#'

// NewPattern checks a pattern and an alphabet. It returns INVALID when the pattern has no mark, is
// empty or too long, or when the alphabet has fewer than two characters, a repeated one or one that
// codes cannot have. Under case-insensitive keys two letters that differ in case are the same.
func NewPattern(pattern, alphabet string, keys CodeKeys) (*Pattern, error) {
	text, key, reason := keys.Parse(pattern)
	if reason != "" || key == "" || text != pattern {
		return nil, Errorf(
			ErrorInvalid,
			"The pattern must have 1 to %d characters, no control characters and no space at its ends.",
			MaxTextLength,
		).At("input", "pattern")
	}
	plan := &Pattern{runes: []rune(pattern), alphabet: []rune(alphabet)}
	plan.draws = strings.Count(pattern, string(PatternMark))
	if plan.draws == 0 {
		return nil, Errorf(ErrorInvalid,
			"The pattern %q has no %q, so every code would be the same.", pattern,
			PatternMark).At("input", "pattern")
	}
	seen := make(map[string]bool, len(plan.alphabet))
	for _, r := range plan.alphabet {
		key := keys.Key(string(r))
		// A character that joins the one before it, such as a loose accent, would make two draws
		// one character; one that nobody sees makes none.
		if r == utf8.RuneError || isEdge(r) || isNoText(r) || utf8.RuneCountInString(key) != 1 ||
			!norm.NFKC.PropertiesString(key).BoundaryBefore() {
			return nil, Errorf(
				ErrorInvalid,
				"The alphabet has the character %q, which codes cannot be made of.", r,
			).At("input", "alphabet")
		}
		if seen[key] {
			return nil, Errorf(
				ErrorInvalid,
				"The alphabet has the character %q twice (upper and lower case count as the same unless the database keeps case).",
				r,
			).At("input", "alphabet")
		}
		seen[key] = true
	}
	if len(plan.alphabet) < 2 || len(plan.alphabet) > MaxAlphabetLength {
		return nil, Errorf(ErrorInvalid, "The alphabet must have 2 to %d characters.",
			MaxAlphabetLength).At("input", "alphabet")
	}
	return plan, nil
}

// MaxAlphabetLength is how many characters an alphabet may have: as many as one random byte tells
// apart.
const MaxAlphabetLength = 256

// Space is how many different codes the pattern can make; infinite where it passes a float64.
func (p *Pattern) Space() float64 {
	return math.Pow(float64(len(p.alphabet)), float64(p.draws))
}

// CheckSpace refuses a pattern with CODE_SPACE_TOO_SMALL when count more codes would make the pool
// guessable, and says how many are possible.
func (p *Pattern) CheckSpace(count int) error {
	space := p.Space()
	if float64(count)*MinGuesses <= space {
		return nil
	}
	return Errorf(
		ErrorCodeSpaceTooSmall,
		"The pattern has room for %.0f codes; of these at most %.0f may be generated, so that a code cannot be guessed in fewer than %d tries, but %d were asked for. Use more %q or a larger alphabet.",
		space,
		math.Floor(space/MinGuesses),
		MinGuesses,
		count,
		PatternMark,
	).At("input", "pattern")
}

// Append appends one code to dst, with the random characters that draw gives: a number below n
// each, which must be uniform and unpredictable.
func (p *Pattern) Append(dst []byte, draw func(n int) int) []byte {
	for _, r := range p.runes {
		if r == PatternMark {
			r = p.alphabet[draw(len(p.alphabet))]
		}
		dst = utf8.AppendRune(dst, r)
	}
	return dst
}
