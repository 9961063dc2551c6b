package coupon

import (
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"
)

// BenchmarkKey compares the key of values of each kind with that of the rule before it, in turns.
func BenchmarkKey(b *testing.B) {
	rules := []struct {
		name string
		key  func(string) string
	}{
		{"before", func(value string) string {
			if IsASCII(value) {
				return strings.ToUpper(value)
			}
			return norm.NFKC.String(strings.ToUpper(norm.NFKC.String(value)))
		}},
		{"now", CodeKeys{}.Key},
		{
			"with a collision",
			CodeKeys{}.WithCollisions(map[string][]string{"A-B": {"A-B", "A‐B"}}).Key,
		},
	}
	for _, kind := range []struct{ name, value string }{
		{"ASCII, upper case", "SUMMER-7K2Q9XWB"},
		{"ASCII, lower case", "summer-7k2q9xwb"},
		{"a hyphen of another kind", "SUMMER‑7K2Q9XWB"},
		{"an invisible character", "SUMMER\u200B7K2Q9XWB"},
		{"an umlaut", "FRÜHLING-7K2Q9X"},
		{"sharp s", "straße-7k2q9xwb"},
		{"Greek", "ΚΑΛΟΚΑΙΡΙ-7k2q9"},
		{"full width", "ＳＵＭＭＥＲ７Ｋ２Ｑ９ＸＷ"},
	} {
		for _, rule := range rules {
			b.Run(kind.name+"/"+rule.name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					_ = rule.key(kind.value)
				}
			})
		}
	}
}
