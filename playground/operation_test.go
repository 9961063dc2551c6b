package playground_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

func operationFiles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("operations/*")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatal("no operations")
	}
	return files
}

// contract reads the schema that the server serves.
func contract(t *testing.T) *ast.Schema {
	t.Helper()
	files, err := filepath.Glob("../graph/*.graphqls")
	if err != nil {
		t.Fatal(err)
	}
	var sources []*ast.Source
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		sources = append(sources, &ast.Source{Name: file, Input: string(content)})
	}
	schema, err := gqlparser.LoadSchema(sources...)
	if err != nil {
		t.Fatalf("load schema: %v", err)
	}
	return schema
}

// Each file is one named operation, valid against the contract, and it runs without any variable
// set.
func TestOperations(t *testing.T) {
	t.Parallel()
	schema := contract(t)
	titles := make(map[string]string)
	for i, file := range operationFiles(t) {
		if got, want := filepath.Base(file), fmt.Sprintf("%02d-",
			i+1); !strings.HasPrefix(got, want) {
			t.Errorf("%s: the name does not begin with %s", file, want)
		}
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		document, problems := gqlparser.LoadQueryWithRules(schema, string(content),
			rules.NewDefaultRules())
		if problems != nil {
			t.Errorf("%s: %v", file, problems)
			continue
		}
		if got := len(document.Operations); got != 1 {
			t.Errorf("%s: got %d operations, want 1", file, got)
			continue
		}
		operation := document.Operations[0]
		if operation.Name == "" {
			t.Errorf("%s: the operation has no name for its tab", file)
		}
		if other, ok := titles[operation.Name]; ok {
			t.Errorf("%s and %s share the name %s", file, other, operation.Name)
		}
		titles[operation.Name] = file
		if _, err := validator.VariableValues(schema, operation, nil); err != nil {
			t.Errorf("%s: without variables: %v", file, err)
		}
	}
}

// The list of examples shows the first paragraph of the comment, which asks what the operation
// answers.
func TestOperationsBeginWithAQuestion(t *testing.T) {
	t.Parallel()
	for _, file := range operationFiles(t) {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		question := regexp.MustCompile(`\A(# .+\n)+#\n`).FindString(string(content))
		if !strings.Contains(question, "?") {
			t.Errorf("%s: got the first paragraph %q, want a question", file, question)
		}
	}
}

// GraphiQL's editor is about 58 characters wide on a common screen; a longer line would wrap.
func TestOperationsFitTheEditor(t *testing.T) {
	t.Parallel()
	const editorWidth = 58
	for _, file := range operationFiles(t) {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for number, line := range strings.Split(string(content), "\n") {
			if got := len([]rune(line)); got > editorWidth {
				t.Errorf("%s:%d: got %d characters, want at most %d", file, number+1, got,
					editorWidth)
			}
		}
	}
}
