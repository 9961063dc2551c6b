package docs_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	gql "github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

// schema returns the schema as it is written by hand, with its descriptions.
func schema(t *testing.T) *gql.Schema {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "graph", "*.graphqls"))
	if err != nil {
		t.Fatal(err)
	}
	var sources []*gql.Source
	for _, file := range files {
		sources = append(sources, &gql.Source{Name: file, Input: read(t, path.Join("graph", filepath.Base(file)))})
	}
	schema, err := gqlparser.LoadSchema(sources...)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// TestExamples validates every request that a page shows.
func TestExamples(t *testing.T) {
	t.Parallel()
	schema := schema(t)
	shown := 0
	for page, text := range pages(t) {
		if strings.HasPrefix(page, "docs/adr/") {
			continue
		}
		for _, block := range fence.FindAllStringSubmatch(text, -1) {
			if block[1] != "graphql" {
				continue
			}
			shown++
			if _, problems := gqlparser.LoadQueryWithRules(schema, block[2], rules.NewDefaultRules()); problems != nil {
				t.Errorf("%s: %v in\n%s", page, problems, block[2])
			}
		}
	}
	if shown == 0 {
		t.Error("no page shows a request")
	}
}

// enumTable returns the values of an enum as a table.
func enumTable(t *testing.T, schema *gql.Schema, name string) string {
	t.Helper()
	definition := schema.Types[name]
	if definition == nil {
		t.Fatalf("the schema has no %s", name)
	}
	var b strings.Builder
	b.WriteString("| code | what it says |\n|---|---|\n")
	for _, value := range definition.EnumValues {
		if value.Description == "" {
			t.Errorf("%s.%s has no description", name, value.Name)
		}
		fmt.Fprintf(&b, "| `%s` | %s |\n", value.Name, strings.Join(strings.Fields(value.Description), " "))
	}
	return b.String()
}

// keepList fails the test unless the part of a page between two marks is this text; with -update it writes the part.
func keepList(t *testing.T, page, mark, text string) {
	t.Helper()
	begin, end := fmt.Sprintf("<!-- %s: written by go test ./docs -update -->\n", mark), fmt.Sprintf("<!-- /%s -->", mark)
	before, rest, hasBegin := strings.Cut(read(t, page), begin)
	got, after, hasEnd := strings.Cut(rest, end)
	if !hasBegin || !hasEnd {
		t.Errorf("%s has no place for the list %s", page, mark)
		return
	}
	if *update {
		write(t, page, before+begin+text+end+after)
		return
	}
	if got != text {
		t.Errorf("%s: the list %s is not up to date; run go test ./docs -update. got:\n%s\nwant:\n%s", page, mark, got, text)
	}
}

// TestClients keeps the clients of docs/frontends.md those that are tested.
func TestClients(t *testing.T) { //nolint:paralleltest // with -update all are written to one file
	const folder = "tools/conformance/"
	files, err := filepath.Glob(filepath.Join(root, folder, "client", "*.mjs"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d clients: %v", len(files), err)
	}
	for _, file := range files {
		name := "client/" + filepath.Base(file)
		keepList(t, "docs/frontends.md", name, "```js\n"+read(t, folder+name)+"```\n")
	}
}

// TestErrorCodes wants every code that an answer can have in docs/errors.md: those of the schema in lists that are made of it, those
// of whole requests in a table of their own, each once.
//
//nolint:paralleltest // with -update both lists are written to one file
func TestErrorCodes(t *testing.T) {
	const page = "docs/errors.md"
	schema := schema(t)
	for _, enum := range []string{"ErrorCode", "RejectionReason"} {
		keepList(t, page, enum, enumTable(t, schema, enum))
	}
	_, requests, ok := strings.Cut(read(t, page), "## Whole requests\n")
	if !ok {
		t.Fatalf("%s has no chapter of whole requests", page)
	}
	requests, _, _ = strings.Cut(requests, "\n## ")
	got := map[string]int{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([A-Z_]+)` \\|").FindAllStringSubmatch(requests, -1) {
		got[row[1]]++
	}
	want := requestCodes(t)
	for _, value := range schema.Types["ErrorCode"].EnumValues {
		delete(want, value.Name)
	}
	for code := range want {
		if got[code] != 1 {
			t.Errorf("%s has %s %d times among the codes of whole requests, want once", page, code, got[code])
		}
	}
	for code := range got {
		if !want[code] {
			t.Errorf("%s has %s, which no code of resolvers gives", page, code)
		}
	}
}

// requestCodes returns the values of extensions.code that the source of resolvers names, and those of the library that it passes on.
func requestCodes(t *testing.T) map[string]bool {
	t.Helper()
	codes := map[string]bool{"GRAPHQL_PARSE_FAILED": true, "GRAPHQL_VALIDATION_FAILED": true}
	files, err := filepath.Glob(filepath.Join(root, "resolvers", "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	take := func(node ast.Expr) {
		literal, ok := node.(*ast.BasicLit)
		if !ok || literal.Kind != token.STRING {
			return
		}
		text, err := strconv.Unquote(literal.Value)
		if err != nil {
			t.Fatal(err)
		}
		codes[text] = true
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(node ast.Node) bool {
			switch n := node.(type) {
			case *ast.ValueSpec: // codeTimeout = "TIMEOUT"
				for i, name := range n.Names {
					if strings.HasPrefix(name.Name, "code") && len(n.Values) > i {
						take(n.Values[i])
					}
				}
			case *ast.CallExpr: // refusal("DEPTH_LIMIT_EXCEEDED", …)
				if name, ok := n.Fun.(*ast.Ident); ok && name.Name == "refusal" {
					take(n.Args[0])
				}
			case *ast.KeyValueExpr: // "code": "INTROSPECTION_DISABLED"
				if key, ok := n.Key.(*ast.BasicLit); ok && key.Value == `"code"` {
					take(n.Value)
				}
			}
			return true
		})
	}
	const few = 10
	if len(codes) < few {
		t.Fatalf("got the codes %v, want more", slices.Sorted(maps.Keys(codes)))
	}
	return codes
}

// TestStates looks at the diagrams of docs/states.md: each has every status of its thing, and nothing else; every verb is a mutation.
func TestStates(t *testing.T) {
	t.Parallel()
	schema := schema(t)
	page := read(t, "docs/states.md")
	arrow := regexp.MustCompile(`(?m)^    (\S+) --> (\S+?)(?:: (.*))?$`)
	verb := regexp.MustCompile(`\b[a-z]+[A-Z]\w+`)
	for title, enum := range map[string]string{
		"A code": "CodeStatus", "A delivery": "DeliveryStatus", "A message": "MessageStatus", "An import or an export": "ImportStatus",
	} {
		_, chapter, _ := strings.Cut(page, "\n## "+title+"\n")
		chapter, _, _ = strings.Cut(chapter, "\n## ")
		drawn := map[string]bool{"[*]": true}
		for _, parts := range arrow.FindAllStringSubmatch(chapter, -1) {
			drawn[parts[1]], drawn[parts[2]] = true, true
			for _, name := range verb.FindAllString(parts[3], -1) {
				if schema.Mutation.Fields.ForName(name) == nil && schema.Types["Coupon"].Fields.ForName(name) == nil {
					t.Errorf("%s --> %s: there is no mutation %s", parts[1], parts[2], name)
				}
			}
		}
		want := map[string]bool{"[*]": true}
		for _, value := range schema.Types[enum].EnumValues {
			want[value.Name] = true
		}
		if !maps.Equal(want, drawn) {
			t.Errorf("%s: got the states %v, want %v", title, slices.Sorted(maps.Keys(drawn)), slices.Sorted(maps.Keys(want)))
		}
	}
}
