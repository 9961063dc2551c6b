package db

import (
	"encoding/json"
	"testing"
)

// TestObjectOf: attributes are the same text as those of json.Marshal, whatever is in them.
func TestObjectOf(t *testing.T) {
	t.Parallel()
	for name, attributes := range map[string][]attribute{
		"none":     nil,
		"sorted":   {{"city", "Bern"}, {"sport", "golf"}},
		"unsorted": {{"sport", "golf"}, {"city", "Bern"}, {"a", "1"}},
		"twice":    {{"sport", "golf"}, {"city", "Bern"}, {"sport", "tennis"}},
		"odd": {
			{`a"b`, `back\\slash`},
			{"<b>", "a&b > c"},
			{"", "tab\tand\nline"},
			{"é", "Zürich\u2028"},
			{"bad", "\xff\x7f"},
		},
	} {
		known := map[string]string{}
		for _, a := range attributes {
			known[a.name] = a.value
		}
		want, err := json.Marshal(known)
		if err != nil {
			t.Fatal(err)
		}
		got, err := objectOf(attributes)
		if err != nil || string(got) != string(want) {
			t.Errorf("%s: got %s, %v; want %s", name, got, err, want)
		}
	}
}

func BenchmarkObjectOf(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := objectOf([]attribute{
			{"sport", "soccer"}, {"city", "Hamburg"}, {"language", "de"},
		}); err != nil {
			b.Fatal(err)
		}
	}
}
