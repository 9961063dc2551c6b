package graph_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

// TestContract wants everything that testdata/contract.graphql promises in the schema, under the same name and with the
// same type. The schema may have more, as long as nobody has to give it, and what had to be given may be left out.
func TestContract(t *testing.T) {
	t.Parallel()

	path := filepath.Join("testdata", "contract.graphql")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	contract, err := gqlparser.LoadSchema(&ast.Source{Name: path, Input: string(text)})
	if err != nil {
		t.Fatal(err)
	}
	schema, checked := loadSchema(t), 0
	for _, want := range definitions(contract) {
		checked += checkDefinition(t, want, schema.Types[want.Name])
	}
	if checked < minPromises {
		t.Errorf("%d promises were looked at, want %d or more", checked, minPromises)
	}
}

// minPromises is how many fields, arguments, members and values the contract has at least.
const minPromises = 700

// checkDefinition returns how many promises it looked at.
func checkDefinition(t *testing.T, want, got *ast.Definition) (checked int) {
	t.Helper()
	if got == nil || got.Kind != want.Kind {
		t.Errorf("%s: the schema has no %s of this name", want.Name, want.Kind)
		return 0
	}
	for _, name := range want.Interfaces {
		checked++
		if !slices.Contains(got.Interfaces, name) {
			t.Errorf("%s does not implement %s", want.Name, name)
		}
	}
	for _, value := range want.EnumValues {
		checked++
		if got.EnumValues.ForName(value.Name) == nil {
			t.Errorf("%s.%s is missing", want.Name, value.Name)
		}
	}
	for _, field := range want.Fields {
		checked += checkField(t, want.Name+"."+field.Name, field, got.Fields.ForName(field.Name), want.Kind == ast.InputObject)
	}
	if want.Kind == ast.InputObject {
		for _, field := range got.Fields {
			if want.Fields.ForName(field.Name) == nil && field.Type.NonNull && field.DefaultValue == nil {
				t.Errorf("%s.%s must be given, and is not in the contract", want.Name, field.Name)
			}
		}
	}
	return checked
}

// checkField looks at a field of an object, or a member of an input.
func checkField(t *testing.T, path string, want, got *ast.FieldDefinition, isInput bool) (checked int) {
	t.Helper()
	if got == nil {
		t.Errorf("%s is missing", path)
		return 1
	}
	checkValue(t, path, want.Type, got.Type, want.DefaultValue, got.DefaultValue, isInput)
	for _, argument := range want.Arguments {
		checked++
		path := path + "(" + argument.Name + ":)"
		if given := got.Arguments.ForName(argument.Name); given == nil {
			t.Errorf("%s is missing", path)
		} else {
			checkValue(t, path, argument.Type, given.Type, argument.DefaultValue, given.DefaultValue, true)
		}
	}
	for _, argument := range got.Arguments {
		if want.Arguments.ForName(argument.Name) == nil && argument.Type.NonNull && argument.DefaultValue == nil {
			t.Errorf("%s(%s:) must be given, and is not in the contract", path, argument.Name)
		}
	}
	return checked + 1
}

// settings returns what is the server's setting unless it is given, whose own default is that of the contract (--timezone, UTC).
func settings() []string {
	return []string{"ImportRedemptionsInput.timezone", "Query.redemptionStats(timezone:)"}
}

// checkValue compares types and default values. What is given may be of a type that takes null besides: who gives a value still may.
func checkValue(t *testing.T, path string, want, got *ast.Type, wantDefault, gotDefault *ast.Value, isInput bool) {
	t.Helper()
	if got.String() != want.String() && (!isInput || got.String()+"!" != want.String()) {
		t.Errorf("%s has the type %s, want %s", path, got, want)
	}
	if wantDefault.String() != gotDefault.String() && (gotDefault != nil || !slices.Contains(settings(), path)) {
		t.Errorf("%s is %s unless given, want %s", path, gotDefault, wantDefault)
	}
}
