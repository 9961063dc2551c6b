package resolvers_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

// TestReadme keeps README's walk through the reference job equal to the scenario that is run.
func TestReadme(t *testing.T) {
	t.Parallel()
	const path = "../README.md"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	archive, err := txtar.ParseFile("testdata/reference.txtar")
	if err != nil {
		t.Fatal(err)
	}
	before, rest, hasBegin := strings.Cut(string(text), "<!-- reference: written by go test ./resolvers -run TestReadme -update -->\n")
	_, after, hasEnd := strings.Cut(rest, "<!-- /reference -->")
	if !hasBegin || !hasEnd {
		t.Fatal("README has no place for the reference job")
	}
	want := before + "<!-- reference: written by go test ./resolvers -run TestReadme -update -->\n" + walk(archive) + "<!-- /reference -->" + after
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Errorf("README is not what the scenario says; run go test ./resolvers -run TestReadme -update (-want +got):\n%s", diff)
	}
}

// walk gives a scenario as Markdown: each step's request and its files. The answers stay in the scenario.
func walk(archive *txtar.Archive) string {
	var b strings.Builder
	for _, file := range archive.Files {
		name, kind, _ := strings.Cut(file.Name, ".")
		content := strings.TrimSuffix(string(file.Data), "\n")
		switch kind {
		case "csv":
			fmt.Fprintf(&b, "\nThe file `%s`:\n\n```csv\n%s\n```\n", file.Name, content)
		case "graphql":
			number, title, _ := strings.Cut(name, "-")
			fmt.Fprintf(&b, "\n**%s. %s**\n\n```graphql\n%s\n```\n", strings.TrimPrefix(number, "0"), title, content)
		case "variables.json":
			fmt.Fprintf(&b, "\nwith the variables `%s`\n", content)
		}
	}
	return b.String() + "\n"
}
