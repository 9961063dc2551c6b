package message

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTokensDocument wants each token, tag and filter in docs/tokens.md once, and nothing else
// there.
func TestTokensDocument(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../docs/tokens.md")
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile("(?m)^\\| `([\\w.]+)` \\|")
	for title, want := range map[string][]string{
		"Tokens": tokenNames(), "Tags": openingTags(), "Filters": filterNames(),
	} {
		_, chapter, ok := strings.Cut(string(page), "\n## "+title+"\n")
		if !ok {
			t.Errorf("there is no chapter %s", title)
			continue
		}
		chapter, _, _ = strings.Cut(chapter, "\n## ")
		var got []string
		for _, match := range row.FindAllStringSubmatch(chapter, -1) {
			got = append(got, match[1])
		}
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", title, diff)
		}
	}
}

// openingTags returns the tags that stand alone or begin a block.
func openingTags() []string {
	return slices.DeleteFunc(tagNames(), func(name string) bool {
		return strings.HasPrefix(name, "end") ||
			slices.Contains([]string{"else", "elsif", "when"}, name)
	})
}
