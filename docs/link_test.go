// Package docs_test reads the documents as their readers do: links lead somewhere, examples are
// what the schema knows, lists are complete. The pages walkthrough, settings, commands and sql are
// written by tests of their own.
package docs_test

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

var update = flag.Bool("update", false,
	"write the lists of the documents anew; review them before you commit")

// root is the folder of the repository.
const root = ".."

// pages returns every Markdown file of the repository, by its path from the root.
func pages(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() &&
			(entry.Name() == "node_modules" || entry.Name() == ".git" || entry.Name() == "bin"):
			return fs.SkipDir
		case entry.IsDir() || filepath.Ext(name) != ".md":
			return nil
		}
		relative, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		found[filepath.ToSlash(relative)] = read(t, filepath.ToSlash(relative))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if found["README.md"] == "" || found["docs/README.md"] == "" {
		t.Fatalf("got %d pages, and not those that begin: %v", len(found), found)
	}
	return found
}

// read returns a file of the repository.
func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// write writes a file of the repository.
func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(root, filepath.FromSlash(name)), []byte(text),
		0o600); err != nil {
		t.Fatal(err)
	}
}

// fence is a block of code: its language and its lines.
var fence = regexp.MustCompile("(?ms)^```(\\w*)\n(.*?)^```$")

// prose returns a page without its blocks of code.
func prose(text string) string { return fence.ReplaceAllString(text, "") }

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	source  = regexp.MustCompile(`(?:src|srcset|href)="([^"]+)"`)
	heading = regexp.MustCompile(`(?m)^#+ +(.+)$`)
)

// anchors returns what a link can lead to inside a page, as GitHub names headings.
func anchors(text string) map[string]bool {
	found := map[string]bool{}
	for _, match := range heading.FindAllStringSubmatch(prose(text), -1) {
		title := link.ReplaceAllString(match[1], "]")
		name := strings.Map(func(r rune) rune {
			switch {
			case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
				return unicode.ToLower(r)
			case r == ' ':
				return '-'
			default:
				return -1
			}
		}, title)
		unique := name
		for i := 1; found[unique]; i++ {
			unique = fmt.Sprintf("%s-%d", name, i)
		}
		found[unique] = true
	}
	return found
}

// TestLinks follows every link from a page of the repository to another file of it, or into it.
func TestLinks(t *testing.T) {
	t.Parallel()
	all := pages(t)
	followed := 0
	for page, text := range all {
		targets := link.FindAllStringSubmatch(prose(text), -1)
		targets = append(targets, source.FindAllStringSubmatch(prose(text), -1)...)
		for _, match := range targets {
			file, anchor, _ := strings.Cut(match[1], "#")
			if strings.Contains(file, ":") {
				continue // It leads out of the repository.
			}
			followed++
			target := page
			if file != "" {
				target = path.Join(path.Dir(page), file)
			}
			if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(target))); err != nil {
				t.Errorf("%s links to %s: %v", page, match[1], err)
				continue
			}
			if anchor != "" && !anchors(all[target])[anchor] {
				t.Errorf("%s links to %s: %s has no such heading", page, match[1], target)
			}
		}
	}
	if followed < 100 {
		t.Errorf("got %d links, want many more", followed)
	}
}

// mention is a path in a text: `resolvers/gate.go`, `docs/adr`, `db/query/*.sql`.
var mention = regexp.MustCompile(
	"`([a-z]+/[\\w./*-]+\\.(?:go|sql|txtar|graphqls|graphql|md|txt))(?::\\d+)?`",
)

// TestMentions looks for the files that pages about the present name. Decisions and the changelog
// tell of the past.
func TestMentions(t *testing.T) {
	t.Parallel()
	for page, text := range pages(t) {
		if strings.HasPrefix(page, "docs/adr/") || page == "CHANGELOG.md" {
			continue
		}
		for _, match := range mention.FindAllStringSubmatch(prose(text), -1) {
			files, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(match[1])))
			if err != nil || len(files) == 0 {
				t.Errorf("%s speaks of %s, which is not there (%v)", page, match[1], err)
			}
		}
	}
}

// TestNamedTests looks for the tests that pages name as proofs: such as TestKill in the file that
// the page links to.
func TestNamedTests(t *testing.T) {
	t.Parallel()
	proof := regexp.MustCompile(`\[(Test\w+)\]\(([^)#]+)\)`)
	named := 0
	for page, text := range pages(t) {
		for _, match := range proof.FindAllStringSubmatch(prose(text), -1) {
			named++
			file := path.Join(path.Dir(page), match[2])
			// TestLinks tells which files are not there.
			source, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(file)))
			if err == nil &&
				!strings.Contains(string(source), "\nfunc "+match[1]+"(t *testing.T) {") {
				t.Errorf("%s: %s has no %s", page, file, match[1])
			}
		}
	}
	if named == 0 {
		t.Error("no page names a test")
	}
}

// TestMakeTargets looks for the targets of make that pages name.
func TestMakeTargets(t *testing.T) {
	t.Parallel()
	makefile := "\n" + read(t, "Makefile")
	named := 0
	for page, text := range pages(t) {
		for _, match := range regexp.MustCompile("(?m)(?:^|`)make ([a-z-]+)").FindAllStringSubmatch(
			text, -1,
		) {
			named++
			if !strings.Contains(makefile, "\n"+match[1]+":") {
				t.Errorf("%s: there is no target %s", page, match[1])
			}
		}
	}
	if named == 0 {
		t.Error("no page names a target")
	}
}

// TestIndex wants each page of docs in its index once, and README short.
func TestIndex(t *testing.T) {
	t.Parallel()
	all := pages(t)
	for page := range all {
		folder, name := path.Split(page)
		if folder != "docs/" || name == "README.md" {
			continue
		}
		if got := strings.Count(all["docs/README.md"], "]("+name+")"); got != 1 {
			t.Errorf("docs/README.md links to %s %d times, want once", name, got)
		}
	}
	const most = 8 << 10
	if got := len(all["README.md"]); got > most {
		t.Errorf(
			"README.md has %d bytes, want at most %d: a page of docs can hold the rest", got, most,
		)
	}
}

// TestPagesAreNarrow wants at most 100 columns in the text of pages. Tables, headings and addresses
// stay in one piece.
func TestPagesAreNarrow(t *testing.T) {
	t.Parallel()
	const columns = 100
	for page, text := range pages(t) {
		folder := path.Dir(page)
		if folder != "." && folder != "docs" || page == "CHANGELOG.md" {
			continue
		}
		for line := range strings.Lines(prose(text)) {
			line = strings.TrimRight(line, "\n")
			if utf8.RuneCountInString(line) <= columns || strings.HasPrefix(line, "|") ||
				strings.HasPrefix(line, "#") ||
				!strings.Contains(strings.TrimLeft(line, "- "), " ") ||
				strings.HasPrefix(strings.TrimSpace(line), "<") {
				continue
			}
			t.Errorf("%s: %d columns, want at most %d: %s", page, utf8.RuneCountInString(line),
				columns, line)
		}
	}
}
