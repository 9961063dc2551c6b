package resolvers_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

// TestWalkthrough keeps docs/walkthrough.md and README's example equal to the scenario that is run.
func TestWalkthrough(t *testing.T) {
	t.Parallel()
	const source = "testdata/walkthrough.txtar"
	archive, err := txtar.ParseFile(source)
	if err != nil {
		t.Fatal(err)
	}
	for path, text := range map[string]string{
		"../docs/walkthrough.md": walk(t, archive, steps(archive)...),
		"../README.md":           walk(t, archive, "15-redeemCode"),
	} {
		keepWritten(t, path, "walkthrough", text)
	}
}

// keepWritten fails the test unless the part of a document between two marks is this text; with
// -update it writes the part.
func keepWritten(t *testing.T, path, mark, text string) {
	t.Helper()
	document, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	begin := "<!-- " + mark + ": written by go test ./resolvers -run TestWalkthrough -update -->\n"
	end := "<!-- /" + mark + " -->"
	before, rest, hasBegin := strings.Cut(string(document), begin)
	_, after, hasEnd := strings.Cut(rest, end)
	if !hasBegin || !hasEnd {
		t.Fatalf("%s has no place for the %s", path, mark)
	}
	want := before + begin + text + end + after
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, string(document)); diff != "" {
		t.Errorf("%s is not what the scenario says; run go test ./resolvers -run TestWalkthrough -update (-want +got):\n%s", path, diff)
	}
}

// walk returns steps of a scenario as Markdown: what each is for, its files, its request and its
// answer. One step alone has no heading.
func walk(t *testing.T, archive *txtar.Archive, names ...string) string {
	t.Helper()
	var b strings.Builder
	for _, name := range names {
		number, _, _ := strings.Cut(name, "-")
		heading, prose, _ := strings.Cut(string(section(archive, name+".md")), "\n\n")
		if len(names) > 1 {
			fmt.Fprintf(&b, "\n## %s. %s\n\n%s", strings.TrimPrefix(number, "0"), heading, prose)
		}
		variables := strings.TrimSpace(string(section(archive, name+".variables.json")))
		for _, file := range archive.Files {
			if strings.Contains(variables, `"@`+file.Name+`"`) {
				fmt.Fprintf(&b, "\nThe file `%s`:\n\n```csv\n%s```\n", file.Name, file.Data)
			}
		}
		fmt.Fprintf(&b, "\n```graphql\n%s```\n", section(archive, name+".graphql"))
		if variables != "" {
			fmt.Fprintf(&b, "\n```json\n%s\n```\n", variables)
		}
		fmt.Fprintf(&b, "\nThe answer:\n\n```json\n%s\n```\n",
			compact(t, section(archive, name+".response.json")))
	}
	return b.String() + "\n"
}

// compact returns JSON with everything on one line that fits there.
func compact(t *testing.T, text []byte) string {
	t.Helper()
	const columns = 98
	var b strings.Builder
	var write func(value json.RawMessage, indent string, taken int)
	write = func(value json.RawMessage, indent string, taken int) {
		line := oneLine(t, value)
		if taken+len(line) <= columns || line[0] != '{' && line[0] != '[' {
			b.WriteString(line)
			return
		}
		decoder := json.NewDecoder(bytes.NewReader(value))
		open, err := decoder.Token()
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%v", open)
		inner := indent + "  "
		separator := ""
		for decoder.More() {
			b.WriteString(separator + "\n" + inner)
			separator = ","
			taken := len(inner) + 1
			if open == json.Delim('{') {
				name, err := decoder.Token()
				if err != nil {
					t.Fatal(err)
				}
				quoted := fmt.Sprintf("%q: ", name)
				b.WriteString(quoted)
				taken += len(quoted)
			}
			var member json.RawMessage
			if err := decoder.Decode(&member); err != nil {
				t.Fatal(err)
			}
			write(member, inner, taken)
		}
		b.WriteString("\n" + indent + map[string]string{"{": "}", "[": "]"}[line[:1]])
	}
	write(text, "", 0)
	return b.String()
}

// oneLine returns JSON on one line, with a space behind each comma and colon.
func oneLine(t *testing.T, value json.RawMessage) string {
	t.Helper()
	var indented bytes.Buffer
	if err := json.Indent(&indented, bytes.TrimSpace(value), "", ""); err != nil {
		t.Fatal(err)
	}
	return strings.NewReplacer("[\n", "[", "{\n", "{", "\n]", "]", "\n}", "}", "\n",
		" ").Replace(indented.String())
}

// TestWalkthroughElsewhere follows the walkthrough on a server that has other coupons, deliveries
// and people already, in another year: but for ids, instants and random codes the answers are the
// same.
func TestWalkthroughElsewhere(t *testing.T) {
	t.Parallel()
	archive, err := txtar.ParseFile("testdata/walkthrough.txtar")
	if err != nil {
		t.Fatal(err)
	}
	before, err := txtar.ParseFile("testdata/reference.txtar")
	if err != nil {
		t.Fatal(err)
	}
	server := newServer(t)
	for _, name := range steps(before) {
		server.run(t, before, name)
	}
	server.moveClock(t, time.Date(2031, 3, 5, 8, 0, 0, 0, time.UTC).Format(time.RFC3339))
	for _, name := range steps(archive) {
		want, got := withoutIDs(section(archive, name+".response.json")),
			withoutIDs(server.run(t, archive, name))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// withoutIDs returns an answer with each id and each instant of the server's as its place among
// those of the answer.
func withoutIDs(answer []byte) string {
	seen := map[string]string{}
	return regexp.MustCompile(`"\w+_\d+"|"\d{4}-\d\d-\d\dT\d\d:00:00Z"`).
		ReplaceAllStringFunc(string(answer), func(id string) string {
			if seen[id] == "" {
				seen[id] = fmt.Sprintf(`"%d"`, len(seen)+1)
			}
			return seen[id]
		})
}
