package demo

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

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

// operations returns the operation of each file, which must be one that has a name and is valid.
func operations(t *testing.T, schema *ast.Schema) map[string]*ast.OperationDefinition {
	t.Helper()
	files, err := filepath.Glob("operations/*")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatal("no operations")
	}
	found := make(map[string]*ast.OperationDefinition)
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		document, problems := gqlparser.LoadQueryWithRules(schema, string(content), rules.NewDefaultRules())
		if problems != nil {
			t.Errorf("%s: %v", file, problems)
			continue
		}
		if len(document.Operations) != 1 || document.Operations[0].Name == "" {
			t.Errorf("%s: got %d operations, want one that has a name", file, len(document.Operations))
			continue
		}
		found[file] = document.Operations[0]
	}
	return found
}

// A mutation that does not ask for userErrors would not notice a refusal.
func TestMutationsAskForUserErrors(t *testing.T) {
	t.Parallel()
	for file, operation := range operations(t, contract(t)) {
		if operation.Operation != ast.Mutation {
			continue
		}
		for _, selection := range operation.SelectionSet {
			if !asksFor(selection.(*ast.Field).SelectionSet, "userErrors", "code", "message", "field") {
				t.Errorf("%s: it does not ask for userErrors with code, message and field", file)
			}
		}
	}
}

// asksFor reports whether the selection has the field with all the fields below it.
func asksFor(selections ast.SelectionSet, name string, below ...string) bool {
	for _, selection := range selections {
		field := selection.(*ast.Field)
		if field.Name != name {
			continue
		}
		for _, want := range below {
			if !asksFor(field.SelectionSet, want) {
				return false
			}
		}
		return true
	}
	return false
}
