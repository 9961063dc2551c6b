package resolvers

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"strings"

	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator/core"

	"couponql/coupon"
)

// maxListed is how many names are listed where none is near.
const maxListed = 20

// operationOf returns the operation of a document that a request names, or says which there are.
func operationOf(document *ast.QueryDocument, name string) (*ast.OperationDefinition, *gqlerror.Error) {
	if operation := document.Operations.ForName(name); operation != nil {
		return operation, nil
	}
	var names []string
	for _, operation := range document.Operations {
		names = append(names, operation.Name)
	}
	if name == "" {
		return nil, refusal(errcode.ValidationFailed, nil, "The request has %d operations: %s. Set operationName to the one to run.",
			len(names), listed(names))
	}
	if names[0] == "" {
		return nil, refusal(errcode.ValidationFailed, nil, "The operation of the request has no name, but operationName is %q. Leave it out.",
			coupon.Printable(name))
	}
	return nil, refusal(errcode.ValidationFailed, nil, "The request has no operation %q. It has %s.", coupon.Printable(name), listed(names))
}

// listed returns names in a row.
func listed(names []string) string {
	if len(names) > maxListed {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:maxListed], ", "), len(names)-maxListed)
	}
	return strings.Join(names, ", ")
}

// hint says which name was probably meant, or which there are. what is what the names are of.
func (d *documents) hint(name, what string, options []string) string {
	if d.hidesSchema {
		return ""
	}
	if len(name) <= maxSuggestedBytes {
		if near := core.SuggestionList(name, options); len(near) > 0 {
			return " Did you mean " + core.QuotedOrList(near...) + "?"
		}
	}
	return fmt.Sprintf(" %s %s.", what, listed(options))
}

// explain says what is wrong with a variable as helpfully as validation does of a literal: what the library says of it names
// neither the value nor what would be right. Other problems stay as they are.
func (d *documents) explain(operation *ast.OperationDefinition, variables map[string]any, problem *gqlerror.Error) {
	if len(problem.Path) < 2 || problem.Path[0] != ast.PathName("variable") {
		return
	}
	name, _ := problem.Path[1].(ast.PathName)
	definition := operation.VariableDefinitions.ForName(string(name))
	if definition == nil {
		return
	}
	kind, place := definition.Type, "$"+string(name)
	value, isGiven := variables[string(name)]
	for _, step := range problem.Path[2:] {
		switch s := step.(type) {
		case ast.PathIndex:
			place += fmt.Sprintf("[%d]", s)
			if list, isList := value.([]any); isList && int(s) < len(list) {
				value = list[s]
			}
			kind = kind.Elem
		case ast.PathName:
			place += "." + string(s)
			owner := d.schema.Types[kind.Name()]
			field := owner.Fields.ForName(string(s))
			if field == nil {
				problem.Message = fmt.Sprintf("Variable %q: %s has no field %q.%s", place, owner.Name, string(s),
					d.hint(string(s), "Its fields are", fieldNames(owner)))
				return
			}
			members, _ := value.(map[string]any)
			value, isGiven = members[string(s)]
			kind = field.Type
		}
	}
	problem.Message = fmt.Sprintf("Variable %q: %s", place, d.wrongValue(kind, value, isGiven))
}

// wrongValue says why a value is none of its type.
func (d *documents) wrongValue(kind *ast.Type, value any, isGiven bool) string {
	switch {
	case !isGiven:
		return fmt.Sprintf("it is missing, and its type is %s.", kind)
	case value == nil:
		return fmt.Sprintf("it is null, and its type is %s.", kind)
	}
	named := d.schema.Types[kind.Name()]
	text, err := json.Marshal(value)
	if err != nil {
		text = []byte("the value")
	}
	shown := coupon.Printable(string(text))
	switch named.Kind { //nolint:exhaustive // all others are scalars here
	case ast.Enum:
		options := make([]string, len(named.EnumValues))
		for i, one := range named.EnumValues {
			options[i] = one.Name
		}
		return fmt.Sprintf("%s is not a value of %s.%s", shown, named.Name, d.hint(strings.Trim(shown, `"`), "Its values are", options))
	case ast.InputObject:
		return fmt.Sprintf("%s is not an object of the type %s.", shown, named.Name)
	}
	return fmt.Sprintf("%s is not a value of the type %s.", shown, named.Name)
}

func fieldNames(of *ast.Definition) []string {
	names := make([]string, len(of.Fields))
	for i, field := range of.Fields {
		names[i] = field.Name
	}
	return names
}

// undefinedField is what validation says of a field that an input does not have, where no name is near.
var undefinedField = regexp.MustCompile(`^Field "([^"]*)" is not defined by type "([^"]*)"\.$`)

// listFields adds the fields of an input to what validation says of one that it does not have.
func (d *documents) listFields(problems gqlerror.List) {
	for _, problem := range problems {
		match := undefinedField.FindStringSubmatch(problem.Message)
		if match == nil || d.schema.Types[match[2]] == nil {
			continue
		}
		problem.Message += fmt.Sprintf(" Its fields are %s.", listed(fieldNames(d.schema.Types[match[2]])))
	}
}

// exactNumbers has the numbers of a document keep their digits, which the library reads as binary fractions. A Decimal takes them
// as text; where any JSON may be they become variables, whose values it gives.
func exactNumbers(document *ast.QueryDocument) exact {
	e := exact{}
	for _, operation := range document.Operations {
		for _, variable := range operation.VariableDefinitions {
			e.value(variable.DefaultValue, false)
		}
		e.selections(operation.SelectionSet)
	}
	for _, fragment := range document.Fragments {
		e.selections(fragment.SelectionSet)
	}
	return e
}

// exact has numbers by the names of the variables that stand for them.
type exact map[string]any

func (e exact) selections(set ast.SelectionSet) {
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			for _, argument := range s.Arguments {
				e.value(argument.Value, true)
			}
			e.selections(s.SelectionSet)
		case *ast.InlineFragment:
			e.selections(s.SelectionSet)
		}
	}
}

// value changes the numbers of a value. mayVary: variables may stand in it.
func (e exact) value(v *ast.Value, mayVary bool) {
	switch {
	case v == nil:
	case v.Definition != nil && v.Definition.Name == "Decimal":
		if (v.Kind == ast.FloatValue || v.Kind == ast.IntValue) && !strings.ContainsAny(v.Raw, "eE") {
			v.Kind = ast.StringValue
		}
	case v.Definition != nil && v.Definition.Kind == ast.Scalar && (v.Kind == ast.ObjectValue || v.Kind == ast.ListValue):
		if mayVary {
			e.json(v)
		}
	default:
		for _, child := range v.Children {
			e.value(child.Value, mayVary)
		}
	}
}

// json changes the numbers of a value that may be any JSON.
func (e exact) json(v *ast.Value) {
	if v.Kind == ast.FloatValue {
		// No variable of a document has this name.
		number := json.Number(v.Raw)
		v.Kind, v.Raw = ast.Variable, "#"+v.Raw
		e[v.Raw] = number
	}
	for _, child := range v.Children {
		e.json(child.Value)
	}
}

// give adds the numbers to the variables of an operation.
func (e exact) give(variables map[string]any) { maps.Copy(variables, e) }
