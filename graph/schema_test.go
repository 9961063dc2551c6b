// Package graph_test keeps the schema to the conventions that callers rely on, and shows every
// change of the contract in testdata/schema.graphql.
package graph_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"
)

var update = flag.Bool("update", false, "rewrite testdata/schema.graphql")

// TestGolden compares the whole contract, without its descriptions, to the last one that was
// reviewed. After a change that is meant, run `go test ./graph -update` and read the difference.
func TestGolden(t *testing.T) {
	t.Parallel()

	var printed strings.Builder
	formatter.NewFormatter(&printed, formatter.WithIndent("  "), formatter.WithoutDescription()).
		FormatSchema(loadSchema(t))
	got := printed.String()

	path := filepath.Join("testdata", "schema.graphql")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("the schema differs from %s (-want +got); if that is meant, run go test ./graph -update:\n%s", path, diff)
	}
}

// convention is a rule that a machine can check. Each comes with a schema that breaks it, so that a
// rule which no longer finds anything is noticed.
type convention struct {
	name string
	// check gives one line for each place that breaks the rule.
	check func(*ast.Schema) []string
	// broken is a schema that breaks the rule, and want the lines that it must give.
	broken string
	want   []string
}

// TestConventions applies every rule to the schema, and to a schema that breaks it.
func TestConventions(t *testing.T) {
	t.Parallel()

	schema := loadSchema(t)
	for _, rule := range conventions() {
		t.Run(rule.name, func(t *testing.T) {
			t.Parallel()

			for _, violation := range rule.check(schema) {
				t.Error(violation)
			}
			broken, err := gqlparser.LoadSchema(
				&ast.Source{Name: "broken.graphqls", Input: rule.broken},
			)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(rule.want, rule.check(broken)); diff != "" {
				t.Errorf("violations of the broken schema (-want +got):\n%s", diff)
			}
		})
	}
}

func conventions() []convention {
	return []convention{
		{
			name:  "names are PascalCase, camelCase or SCREAMING_CASE",
			check: checkNames,
			broken: `type Query { Some_Field(Arg: Int): ColorEnum }
				enum ColorEnum { darkRed }`,
			want: []string{
				"ColorEnum: a type needs no suffix Enum",
				"ColorEnum.darkRed: not SCREAMING_CASE",
				"Query.Some_Field: not camelCase",
				"Query.Some_Field(Arg:): not camelCase",
			},
		},
		{
			name:   "booleans are predicates",
			check:  checkBooleans,
			broken: `type Query { active: Boolean! isLow: Boolean }`,
			want: []string{
				"Query.active: not named as a predicate",
				"Query.isLow: a Boolean must not be nullable",
			},
		},
		{
			name:   "times end in At",
			check:  checkTimes,
			broken: `scalar DateTime type Query { created: DateTime! updatedAt: DateTime! }`,
			want:   []string{"Query.created: a time not named …At"},
		},
		{
			name:   "counts are numbers",
			check:  checkCounts,
			broken: `type Query { rowCount: Int fileCount: String! codeCount: Int! }`,
			want: []string{
				"Query.rowCount: a count of type Int, want Int! or Float!",
				"Query.fileCount: a count of type String!, want Int! or Float!",
			},
		},
		{
			name:  "a mutation takes one input and gives a payload",
			check: checkMutations,
			broken: `type Query { a: Int }
				type Mutation {
					archive(input: ArchiveInput!): CouponPayload!
					openDoor(id: ID!): OpenDoorPayload!
					shutDoor(input: ShutDoorInput): ShutDoorPayload!
					lockDoor(input: ShutDoorInput!): ShutDoorPayload
				}
				input ArchiveInput { id: ID! }
				input ShutDoorInput { id: ID! }
				type CouponPayload { a: Int }
				type OpenDoorPayload { a: Int }
				type ShutDoorPayload { a: Int }`,
			want: []string{
				"Mutation.archive: not named verbNoun",
				"Mutation.openDoor: want the one argument input: OpenDoorInput!",
				"Mutation.shutDoor: want the one argument input: ShutDoorInput!",
				"Mutation.lockDoor: want the one argument input: LockDoorInput!",
				"Mutation.lockDoor: gives ShutDoorPayload, want LockDoorPayload!",
			},
		},
		{
			name:  "a payload has nullable objects and userErrors",
			check: checkPayloads,
			broken: `type Query { a: DoorPayload b: RoomPayload }
				type DoorPayload { door: Door! userErrors: [UserError!]! }
				type RoomPayload { userErrors: [UserError!] door: Door }
				type Door { id: ID! }
				type UserError { message: String! }`,
			want: []string{
				"DoorPayload.door: an object of a payload must be nullable",
				"RoomPayload: want userErrors: [UserError!]! as the last field",
			},
		},
		{
			name:  "what can answer userErrors lists their codes",
			check: checkErrorCodes,
			broken: `enum ErrorCode { INVALID NOT_FOUND QUERY_REJECTED }
				type Query {
					"Without a list."
					tryDoor: DoorPayload!
					"Gives a number, so it needs no list."
					a: Int
				}
				type Mutation {
					"""
					Opens it.

					- ` + "`INVALID`, `UNHEARD_OF`" + `: who knows.
					"""
					openDoor: DoorPayload!
				}
				type DoorPayload { a: Int }`,
			want: []string{
				"Mutation.openDoor: UNHEARD_OF is no ErrorCode",
				"Query.tryDoor: the description lists no ErrorCode",
				"ErrorCode.NOT_FOUND: no description of a root field names it",
				"ErrorCode.QUERY_REJECTED: no description of a root field names it",
			},
		},
		{
			name:  "lists hold no null, and are none",
			check: checkLists,
			broken: `type Query { a: [Int!] b(c: [Int]): [Int]! d: [[Int!]!]! e: [[Int!]]! }
				input Some { list: [Int] good: [Int!] }`,
			want: []string{
				"Query.a: type [Int!], want [T!]!",
				"Query.b: type [Int]!, want [T!]!",
				"Query.b(c:): type [Int], want no null in the list",
				"Query.e: type [[Int!]]!, want [T!]!",
				"Some.list: type [Int], want no null in the list",
			},
		},
		{
			name:  "connections have one shape",
			check: checkConnections,
			broken: `type Query {
					good(first: Int = 20, after: String): DoorConnection!
					doors(first: Int = 10, after: String): DoorConnection
					rooms(first: Int = 20): RoomConnection!
				}
				type DoorConnection { edges: [DoorEdge!]! nodes: [Door!]! pageInfo: PageInfo!
					totalCount: Int! }
				type DoorEdge { cursor: String! node: Door! }
				type Door { id: ID! }
				type RoomConnection { edges: [RoomEdge!]! pageInfo: PageInfo! totalCount: Int! }
				type RoomEdge { node: Door! }
				type PageInfo { hasNextPage: Boolean! }`,
			want: []string{
				"Query.doors: type DoorConnection, want DoorConnection!",
				"Query.doors: want the argument first: Int = 20",
				"Query.rooms: want the argument after: String",
				"RoomConnection: want nodes: [Room!]!",
				"RoomEdge: want cursor: String!",
				"RoomEdge: want node: Room!",
			},
		},
		{
			name:  "everything is described",
			check: checkDescribed,
			broken: `directive @mark(with: Int) on FIELD_DEFINITION
				type Query { a(b: Int): Color }
				enum Color { RED }
				input Some { c: Int }
				scalar Thing`,
			want: []string{
				"Color: no description",
				"Color.RED: no description",
				"Query: no description",
				"Query.a: no description",
				"Query.a(b:): no description",
				"Some: no description",
				"Some.c: no description",
				"Thing: no description",
				"@mark: no description",
				"@mark(with:): no description",
			},
		},
		{
			name:  "descriptions are sentences that say something",
			check: checkSentences,
			broken: `"lower case."
				type Query {
					"No full stop"
					a: Int
					"The id of the coupon."
					id: ID
					"What is READY_FOR_ALL waits."
					b: Int
					"Good, and better than 1."
					c: Int
				}`,
			want: []string{
				"Query: the description does not begin like a sentence",
				"Query.a: the description does not end like a sentence",
				"Query.id: the description only repeats the name",
				"Query.b: the description names READY_FOR_ALL, which is no enum value",
			},
		},
		{
			name:  "a deprecation says what to use and when the field goes",
			check: checkDeprecations,
			broken: `type Query {
					"Removal on 2027-03-01."
					good: Int @deprecated(reason: "Use better. Removal on 2027-03-01.")
					a: Int @deprecated
					b(
						"Removal on 2027-03-01."
						old: Int @deprecated(reason: "Use new. Removal on 2027-04-01.")
					): Int
				}`,
			want: []string{
				`Query.a: deprecated with "No longer supported", want "Use X. Removal on YYYY-MM-DD."`,
				"Query.b(old:): the description does not give the day of removal, 2027-04-01",
			},
		},
	}
}

var (
	pascalCase    = regexp.MustCompile(`^([A-Z][a-z0-9]*)+$`)
	camelCase     = regexp.MustCompile(`^[a-z][A-Za-z0-9]*$`)
	verbNoun      = regexp.MustCompile(`^[a-z]+[A-Z][A-Za-z]*$`)
	screamingCase = regexp.MustCompile(`^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$`)
	screamingWord = regexp.MustCompile(`\b[A-Z]+(?:_[A-Z]+)+\b`)
	// A setting that a caller switches on is called by the same verb in the input and in the
	// answer.
	predicate   = regexp.MustCompile(`^(is|has|requires|allow|ignore)[A-Z]`)
	timeName    = regexp.MustCompile(`(^at|At|^heldUntil)$`)
	emptyPhrase = regexp.MustCompile(`^(The|A|An) \w+( of (the|a|an|this) \w+)?\.$`)
	deprecation = regexp.MustCompile(`^Use .+\. Removal on (\d{4}-\d{2}-\d{2})\.$`)
	codesItem   = regexp.MustCompile("(?m)^- (`[A-Z_]+`(?:, `[A-Z_]+`)*):")
	codesInItem = regexp.MustCompile(`[A-Z_]+`)
)

func checkNames(schema *ast.Schema) []string {
	var found []string
	for _, p := range places(schema) {
		switch {
		case p.kind == definitionPlace && !pascalCase.MatchString(p.name):
			found = append(found, p.path+": not PascalCase")
		case p.kind == definitionPlace && strings.HasSuffix(p.name, "Enum"):
			found = append(found, p.path+": a type needs no suffix Enum")
		case p.kind == enumValuePlace && !screamingCase.MatchString(p.name):
			found = append(found, p.path+": not SCREAMING_CASE")
		case p.typ != nil && !camelCase.MatchString(p.name):
			found = append(found, p.path+": not camelCase")
		}
	}
	return found
}

// checkBooleans looks at answers only: in an input, null is "as it is".
func checkBooleans(schema *ast.Schema) []string {
	var found []string
	for _, p := range places(schema) {
		if p.kind != outputPlace || p.typ.Name() != "Boolean" {
			continue
		}
		if !predicate.MatchString(p.name) {
			found = append(found, p.path+": not named as a predicate")
		}
		if !p.typ.NonNull {
			found = append(found, p.path+": a Boolean must not be nullable")
		}
	}
	return found
}

// checkTimes looks at answers only: the bounds of a filter end in From and To.
func checkTimes(schema *ast.Schema) []string {
	var found []string
	for _, p := range places(schema) {
		if p.kind == outputPlace && p.typ.Name() == "DateTime" && !timeName.MatchString(p.name) {
			found = append(found, p.path+": a time not named …At")
		}
	}
	return found
}

func checkCounts(schema *ast.Schema) []string {
	var found []string
	for _, p := range places(schema) {
		if p.kind != outputPlace || !strings.HasSuffix(p.name, "Count") {
			continue
		}
		if typ := p.typ.String(); typ != "Int!" && typ != "Float!" {
			found = append(found, p.path+": a count of type "+typ+", want Int! or Float!")
		}
	}
	return found
}

func checkMutations(schema *ast.Schema) []string {
	// These payloads answer more than one mutation.
	shared := []string{
		"CouponPayload!", "DeletePayload!", "DeliveryPayload!", "ExportPayload!", "ImportPayload!",
		"RecipientListPayload!",
	}

	if schema.Mutation == nil {
		return nil
	}
	var found []string
	for _, field := range schema.Mutation.Fields {
		path := "Mutation." + field.Name
		if !verbNoun.MatchString(field.Name) {
			found = append(found, path+": not named verbNoun")
		}
		name := strings.ToUpper(field.Name[:1]) + field.Name[1:]
		input := name + "Input!"
		if len(field.Arguments) != 1 || field.Arguments[0].Name != "input" ||
			field.Arguments[0].Type.String() != input {
			found = append(found, path+": want the one argument input: "+input)
		}
		if got, want := field.Type.String(), name+"Payload!"; got != want &&
			!slices.Contains(shared, got) {
			found = append(found, path+": gives "+got+", want "+want)
		}
	}
	return found
}

func checkPayloads(schema *ast.Schema) []string {
	var found []string
	for _, def := range definitions(schema) {
		if def.Kind != ast.Object || !strings.HasSuffix(def.Name, "Payload") {
			continue
		}
		last := def.Fields[len(def.Fields)-1]
		if last.Name != "userErrors" || last.Type.String() != "[UserError!]!" {
			found = append(found, def.Name+": want userErrors: [UserError!]! as the last field")
		}
		for _, field := range def.Fields {
			typ := schema.Types[field.Type.Name()]
			if field.Type.Elem == nil && typ.IsCompositeType() && field.Type.NonNull {
				found = append(found,
					def.Name+"."+field.Name+": an object of a payload must be nullable")
			}
		}
	}
	return found
}

// checkErrorCodes reads the items "- `CODE`: …" in the descriptions of what gives a payload, and
// wants every ErrorCode to be named by some root field.
func checkErrorCodes(schema *ast.Schema) []string {
	var found []string
	var described strings.Builder
	codes := schema.Types["ErrorCode"]
	for _, p := range places(schema) {
		if p.kind != outputPlace || p.parent != schema.Query && p.parent != schema.Mutation {
			continue
		}
		described.WriteString(p.description + "\n")
		if !strings.HasSuffix(p.typ.Name(), "Payload") {
			continue
		}
		items := codesItem.FindAllStringSubmatch(p.description, -1)
		if len(items) == 0 {
			found = append(found, p.path+": the description lists no ErrorCode")
		}
		for _, item := range items {
			for _, code := range codesInItem.FindAllString(item[1], -1) {
				if codes.EnumValues.ForName(code) == nil {
					found = append(found, p.path+": "+code+" is no ErrorCode")
				}
			}
		}
	}
	for _, code := range codes.EnumValues {
		if !regexp.MustCompile(`\b` + code.Name + `\b`).MatchString(described.String()) {
			found = append(found,
				"ErrorCode."+code.Name+": no description of a root field names it")
		}
	}
	return found
}

func checkLists(schema *ast.Schema) []string {
	// The path of an error may be missing as a whole, and a row of SQL may hold NULL.
	exceptions := []string{"Error.field", "UserError.field", "SqlResult.rows"}

	var found []string
	for _, p := range places(schema) {
		if p.typ == nil || slices.Contains(exceptions, p.path) {
			continue
		}
		for typ := p.typ; typ.Elem != nil; typ = typ.Elem {
			if p.kind == outputPlace && (!typ.NonNull || !typ.Elem.NonNull) {
				found = append(found, p.path+": type "+p.typ.String()+", want [T!]!")
				break
			}
			if !typ.Elem.NonNull {
				found = append(found, p.path+": type "+p.typ.String()+", want no null in the list")
				break
			}
		}
	}
	return found
}

func checkConnections(schema *ast.Schema) []string {
	var found []string
	wantField := func(def *ast.Definition, name, typ string) {
		if field := def.Fields.ForName(name); field == nil || field.Type.String() != typ {
			found = append(found, fmt.Sprintf("%s: want %s: %s", def.Name, name, typ))
		}
	}
	wantArgument := func(field *ast.FieldDefinition, path, name, want string) {
		got := "none"
		if arg := field.Arguments.ForName(name); arg != nil {
			got = arg.Type.String()
			if arg.DefaultValue != nil {
				got += " = " + arg.DefaultValue.String()
			}
		}
		if got != want {
			found = append(found, path+": want the argument "+name+": "+want)
		}
	}
	for _, def := range definitions(schema) {
		for _, field := range def.Fields {
			if !strings.HasSuffix(field.Type.Name(), "Connection") {
				continue
			}
			path := def.Name + "." + field.Name
			if got, want := field.Type.String(), field.Type.Name()+"!"; got != want {
				found = append(found, path+": type "+got+", want "+want)
			}
			wantArgument(field, path, "first", "Int = 20")
			wantArgument(field, path, "after", "String")
		}
		if node, ok := strings.CutSuffix(def.Name, "Connection"); ok {
			wantField(def, "edges", "["+node+"Edge!]!")
			wantField(def, "nodes", "["+node+"!]!")
			wantField(def, "pageInfo", "PageInfo!")
			wantField(def, "totalCount", "Int!")
		}
		if node, ok := strings.CutSuffix(def.Name, "Edge"); ok {
			wantField(def, "cursor", "String!")
			wantField(def, "node", node+"!")
		}
	}
	return found
}

func checkDescribed(schema *ast.Schema) []string {
	var found []string
	for _, p := range places(schema) {
		if p.description == "" {
			found = append(found, p.path+": no description")
		}
	}
	return found
}

func checkSentences(schema *ast.Schema) []string {
	values := make(map[string]bool)
	for _, def := range definitions(schema) {
		for _, value := range def.EnumValues {
			values[value.Name] = true
		}
	}
	var found []string
	for _, p := range places(schema) {
		if p.description == "" {
			continue
		}
		if first, _ := utf8.DecodeRuneInString(p.description); unicode.IsLower(first) ||
			unicode.IsSpace(first) {
			found = append(found, p.path+": the description does not begin like a sentence")
		}
		if !strings.ContainsAny(p.description[len(p.description)-1:], ".?") {
			found = append(found, p.path+": the description does not end like a sentence")
		}
		if emptyPhrase.MatchString(p.description) {
			found = append(found, p.path+": the description only repeats the name")
		}
		for _, word := range screamingWord.FindAllString(p.description, -1) {
			if !values[word] {
				found = append(found,
					p.path+": the description names "+word+", which is no enum value")
			}
		}
	}
	return found
}

func checkDeprecations(schema *ast.Schema) []string {
	var found []string
	for _, p := range places(schema) {
		directive := p.directives.ForName("deprecated")
		if directive == nil {
			continue
		}
		reason := "No longer supported"
		if argument := directive.Arguments.ForName("reason"); argument != nil {
			reason = argument.Value.Raw
		}
		match := deprecation.FindStringSubmatch(reason)
		if match == nil {
			found = append(found, fmt.Sprintf(
				"%s: deprecated with %q, want \"Use X. Removal on YYYY-MM-DD.\"", p.path, reason,
			))
			continue
		}
		if !strings.Contains(p.description, match[1]) {
			found = append(found,
				p.path+": the description does not give the day of removal, "+match[1])
		}
	}
	return found
}

// placeKind is what stands at a place of the schema.
type placeKind int

const (
	definitionPlace placeKind = iota
	outputPlace
	inputPlace
	argumentPlace
	enumValuePlace
	directivePlace
)

// place is anything of the schema that has a name and a description.
type place struct {
	kind placeKind
	// path is how messages name the place: Coupon, Coupon.codes, Coupon.codes(first:), @goField.
	path string
	name string
	// parent is the type that the place belongs to; nil for directives.
	parent *ast.Definition
	// typ is nil for definitions, enum values and directives.
	typ         *ast.Type
	description string
	directives  ast.DirectiveList
}

// places returns everything that the schema's authors wrote, types by name and directives last.
func places(schema *ast.Schema) []place {
	var all []place
	for _, def := range definitions(schema) {
		all = append(all, place{
			kind: definitionPlace, path: def.Name, name: def.Name, parent: def,
			description: def.Description, directives: def.Directives,
		})
		for _, value := range def.EnumValues {
			all = append(all, place{
				kind: enumValuePlace, path: def.Name + "." + value.Name, name: value.Name,
				parent:      def,
				description: value.Description, directives: value.Directives,
			})
		}
		kind := outputPlace
		if def.Kind == ast.InputObject {
			kind = inputPlace
		}
		for _, field := range def.Fields {
			if strings.HasPrefix(field.Name, "__") {
				continue
			}
			path := def.Name + "." + field.Name
			all = append(all, place{
				kind: kind, path: path, name: field.Name, parent: def, typ: field.Type,
				description: field.Description, directives: field.Directives,
			})
			all = append(all, argumentPlaces(path, def, field.Arguments)...)
		}
	}
	directives := make([]*ast.DirectiveDefinition, 0, len(schema.Directives))
	for _, directive := range schema.Directives {
		if !directive.Position.Src.BuiltIn {
			directives = append(directives, directive)
		}
	}
	slices.SortFunc(directives,
		func(a, b *ast.DirectiveDefinition) int { return strings.Compare(a.Name, b.Name) })
	for _, directive := range directives {
		path := "@" + directive.Name
		all = append(all, place{
			kind: directivePlace, path: path, name: directive.Name,
			description: directive.Description,
		})
		all = append(all, argumentPlaces(path, nil, directive.Arguments)...)
	}
	return all
}

func argumentPlaces(
	path string, parent *ast.Definition, arguments ast.ArgumentDefinitionList,
) []place {
	all := make([]place, 0, len(arguments))
	for _, argument := range arguments {
		all = append(all, place{
			kind: argumentPlace, path: path + "(" + argument.Name + ":)", name: argument.Name,
			parent: parent,
			typ:    argument.Type, description: argument.Description,
			directives: argument.Directives,
		})
	}
	return all
}

// definitions returns the types that the schema's authors wrote, by name.
func definitions(schema *ast.Schema) []*ast.Definition {
	defs := make([]*ast.Definition, 0, len(schema.Types))
	for _, def := range schema.Types {
		if !def.BuiltIn {
			defs = append(defs, def)
		}
	}
	slices.SortFunc(defs, func(a, b *ast.Definition) int { return strings.Compare(a.Name, b.Name) })
	return defs
}

// loadSchema reads all schema files of the package.
func loadSchema(t *testing.T) *ast.Schema {
	t.Helper()

	names, err := filepath.Glob("*.graphqls")
	if err != nil {
		t.Fatal(err)
	}
	sources := make([]*ast.Source, 0, len(names))
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		sources = append(sources, &ast.Source{Name: name, Input: string(text)})
	}
	schema, err := gqlparser.LoadSchema(sources...)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// Tools show the schema's own description first: without it, nothing tells where to begin.
func TestSchemaDescribesItself(t *testing.T) {
	t.Parallel()
	schema := loadSchema(t)
	fields := regexp.MustCompile("`([a-z][A-Za-z]+)`").FindAllStringSubmatch(schema.Description, -1)
	if len(fields) < 5 {
		t.Fatalf("got the description %q, want one that names the fields to begin with",
			schema.Description)
	}
	others := []string{"userErrors", "errors", "extensions"}
	for _, field := range fields {
		name := field[1]
		if schema.Query.Fields.ForName(name) == nil &&
			schema.Mutation.Fields.ForName(name) == nil &&
			!slices.Contains(others, name) {
			t.Errorf("the description names %s, which is no field of Query or Mutation", name)
		}
	}
}
