package docs_test

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// module is the name of the module, and of its package main in lists.
const module = "couponql"

// TestArrows keeps the arrows of ARCHITECTURE.md those of the code, which package imports which,
// and wants each package in the table before them.
func TestArrows(t *testing.T) {
	t.Parallel()
	imports := map[string][]string{}
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir():
			_, noModule := os.Stat(filepath.Join(name, "go.mod"))
			if name != root && noModule == nil || entry.Name() == "node_modules" ||
				entry.Name() == "testdata" {
				return fs.SkipDir
			}
			return nil
		case filepath.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		relative, err := filepath.Rel(root, filepath.Dir(name))
		if err != nil {
			return err
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		from := strings.TrimPrefix(path.Join(module, filepath.ToSlash(relative)), module+"/")
		imports[from] = append(imports[from], nil...)
		for _, spec := range parsed.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if to, isOurs := strings.CutPrefix(imported, module+"/"); isOurs &&
				!slices.Contains(imports[from], to) {
				imports[from] = append(imports[from], to)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for from, to := range imports {
		slices.Sort(to)
		if len(to) > 0 {
			lines = append(lines, from+" -> "+strings.Join(to, ", "))
		}
	}
	slices.Sort(lines)
	const few = 10
	if len(lines) < few {
		t.Fatalf("got %d packages with arrows: %v", len(lines), lines)
	}
	_, table, _ := strings.Cut(read(t, "ARCHITECTURE.md"), "\n## Packages\n")
	table, _, _ = strings.Cut(table, "<!--")
	for from := range imports {
		if !strings.Contains(table, "`"+from+"`") {
			t.Errorf("ARCHITECTURE.md does not say what the package %s is about", from)
		}
	}
	keepList(t, "ARCHITECTURE.md", "arrows", "```text\n"+strings.Join(lines, "\n")+"\n```\n")
}

// decision is what the index says of an ADR.
type decision struct{ file, title, status string }

// statusLine is the status of a decision.
var statusLine = regexp.MustCompile(
	`(?m)^\*\*Status:\*\* (Accepted|Superseded (?:in part )?by \[ADR \d+\]\(\d{4}-[\w-]+\.md\))$`,
)

// TestDecisions wants each decision with a status and in the index once, and a word on each number
// that is not there.
func TestDecisions(t *testing.T) {
	t.Parallel()
	const folder = "docs/adr"
	files, err := filepath.Glob(filepath.Join(root, folder, "[0-9]*.md"))
	if err != nil {
		t.Fatal(err)
	}
	decisions := map[int]decision{}
	last := 0
	for _, file := range files {
		name := filepath.Base(file)
		number, err := strconv.Atoi(name[:4])
		if err != nil {
			t.Fatal(err)
		}
		text := read(t, folder+"/"+name)
		first, _, _ := strings.Cut(text, "\n")
		title, ok := strings.CutPrefix(first, fmt.Sprintf("# %d. ", number))
		if !ok {
			t.Errorf("%s begins with %q, want its number and title", name, first)
		}
		status := statusLine.FindStringSubmatch(text)
		if status == nil {
			t.Errorf(
				`%s has no line "**Status:** Accepted" or "**Status:** Superseded by [ADR N](…)"`, name,
			)
			continue
		}
		if decisions[number].file != "" {
			t.Errorf("%s and %s have one number", decisions[number].file, name)
		}
		decisions[number] = decision{name, title, status[1]}
		last = max(last, number)
	}
	index := read(t, folder+"/README.md")
	rows := map[int]int{}
	for _, row := range regexp.MustCompile(`(?m)^\| (\d+) \| (.+?) \| (.+?) \| (.+?) \|$`).
		FindAllStringSubmatch(index, -1) {
		number, err := strconv.Atoi(row[1])
		if err != nil {
			t.Fatal(err)
		}
		rows[number]++
		want := decisions[number]
		if want.file == "" {
			if row[2] != "—" {
				t.Errorf("the index has a decision %d, %q, which is not there", number, row[2])
			}
			continue
		}
		if got, want := row[2], fmt.Sprintf("[%s](%s)", want.title, want.file); got != want {
			t.Errorf("decision %d: got the title %q, want %q", number, got, want)
		}
		if row[3] != want.status {
			t.Errorf("decision %d: got the status %q, want %q", number, row[3], want.status)
		}
	}
	for number := 1; number <= last; number++ {
		if rows[number] != 1 {
			t.Errorf("the index has number %d %d times, want once", number, rows[number])
		}
	}
	if last == 0 {
		t.Error("there are no decisions")
	}
}
