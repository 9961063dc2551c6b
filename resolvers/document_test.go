package resolvers

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/complexity"
	"github.com/99designs/gqlgen/graphql"
	"github.com/rogpeppe/go-internal/txtar"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"

	"couponql/graph"
)

// newCost returns what counts the cost of operations of the real schema.
func newCost() costLimit {
	var config graph.Config
	setComplexity(&config.Complexity)
	return costLimit{graph.NewExecutableSchema(config)}
}

// scenarioDocuments returns the documents of all scenarios.
func scenarioDocuments(t testing.TB) map[string]string {
	t.Helper()
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	documents := map[string]string{}
	for _, path := range paths {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range archive.Files {
			if strings.HasSuffix(file.Name, ".graphql") {
				documents[filepath.Base(path)+" "+file.Name] = string(file.Data)
			}
		}
	}
	return documents
}

// TestComplexityIsTheLibrarys: what an operation counts is what the library counts, which looks at a fragment anew wherever it is spread.
func TestComplexityIsTheLibrarys(t *testing.T) {
	t.Parallel()
	l := newCost()
	documents := scenarioDocuments(t)
	documents["fragments"] = `{ ...A ...A node(id: "x") { id ... on Coupon { ...C codes(first: 7) { nodes { ...D } } } } coupons(first: 0) { nodes { ...C } } }
		fragment A on Query { coupons(first: 3) { nodes { ...C ...C } edges { node { ...C } } } } fragment C on Coupon { id label codes { nodes { ...D } } }
		fragment D on Code { id value ... on Code { coupon { id } } }`
	documents["odd numbers"] = `{ a: coupons(first: -7) { nodes { id } } b: redemptionStats(limit: -3) { keys } c: sql(query: "", limit: -4) { rows }
		d: redemptionCohorts(days: -1, limit: 7) { date } e: __type(name: "Query") { name fields { name } } __schema { types { name } } }`
	documents["introspection"] = introspection
	read, counted := newDocuments(l.executable.Schema(), false), 0
	for name, text := range documents {
		document, problems := read.read(t.Context(), text)
		if problems != nil {
			// Scenarios ask wrong things too.
			continue
		}
		for _, operation := range document.Operations {
			counted++
			got := l.count(t.Context(), operation, nil).complexity
			if want := complexity.Calculate(t.Context(), l.executable, operation, nil); got != want {
				t.Errorf("%s counts %d, the library says %d", name, got, want)
			}
		}
	}
	if counted < 100 {
		t.Errorf("only %d operations were counted", counted)
	}
}

// introspection is what tools ask for to know a schema: the query of graphql-js, with all that it may ask for and more levels of types.
const introspection = `query IntrospectionQuery { __schema { description queryType { name kind } mutationType { name kind } subscriptionType { name kind }
	types { ...FullType } directives { name description isRepeatable locations args(includeDeprecated: true) { ...InputValue } } } }
	fragment FullType on __Type { kind name description specifiedByURL isOneOf
		fields(includeDeprecated: true) { name description args(includeDeprecated: true) { ...InputValue } type { ...TypeRef } isDeprecated deprecationReason }
		inputFields(includeDeprecated: true) { ...InputValue } interfaces { ...TypeRef }
		enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason } possibleTypes { ...TypeRef } }
	fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue isDeprecated deprecationReason }
	fragment TypeRef on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType {
		kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } } } }`

// TestIntrospectionOfTools: what tools ask of the schema passes with room to spare, and many times that does not.
func TestIntrospectionOfTools(t *testing.T) {
	t.Parallel()
	l := newCost()
	read := newDocuments(l.executable.Schema(), false)
	document, problems := read.read(t.Context(), introspection)
	if problems != nil {
		t.Fatal(problems)
	}
	c := l.count(t.Context(), document.Operations[0], nil)
	if c.schemaSize*3 > maxSchemaSize || c.schemaSize*10 < maxSchemaSize || c.schemaDepth+10 > maxSchemaDepth || c.aliases > 0 {
		t.Errorf("the query of tools counts %+v, of %d and %d levels", c, maxSchemaSize, maxSchemaDepth)
	}
	for name, test := range map[string]struct{ query, code string }{
		"many aliases": {manyOf(300, "a%d: __schema { types { name fields { name args { name type { name ofType { name } } } } } }"), "COMPLEXITY_LIMIT_EXCEEDED"},
		"names":        {"{ __schema { types " + manyOf(1001, "a%d: name") + " } }", "ALIAS_LIMIT_EXCEEDED"},
		"depth": {
			"{ __schema { types { fields { type " + strings.Repeat("{ ofType ", 30) + "{ name }" + strings.Repeat("}", 30) + " } } } }",
			"DEPTH_LIMIT_EXCEEDED",
		},
		"reports":    {manyOf(10, "a%d: integrityReport { isSound }"), "COMPLEXITY_LIMIT_EXCEEDED"},
		"statistics": {manyOf(50, "a%d: redemptionStats(limit: 1) { keys }"), "COMPLEXITY_LIMIT_EXCEEDED"},
		"a page of pages of pages": {
			"{ coupons(first: 500) { nodes " + strings.Repeat("{ codes(first: 500) { nodes { coupon ", 9) + "{ id }" + strings.Repeat("}}}", 9) + "}}",
			"COMPLEXITY_LIMIT_EXCEEDED",
		},
		"a product that is no number any more": {
			"{ coupons(first: 4611686018427387904) { nodes { codes(first: 4) { nodes { id } } } } }", "COMPLEXITY_LIMIT_EXCEEDED",
		},
	} {
		document, problems := read.read(t.Context(), test.query)
		if problems != nil {
			t.Fatalf("%s: %v", name, problems)
		}
		operation := &graphql.OperationContext{Doc: document.QueryDocument, Operation: document.Operations[0]}
		if err := l.MutateOperationContext(t.Context(), operation); err == nil || err.Extensions["code"] != test.code {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// manyOf returns a selection set with many of one selection, numbered.
func manyOf(count int, format string) string {
	var text strings.Builder
	text.WriteString("{")
	for i := range count {
		text.WriteString(" ")
		if strings.Contains(format, "%") {
			fmt.Fprintf(&text, format, i)
		} else {
			text.WriteString(format)
		}
	}
	text.WriteString(" }")
	return text.String()
}

// worst are documents that are dear for their size, by a size.
func worst() map[string]func(n int) string {
	fragments := func(n int, format string) string {
		var text strings.Builder
		for i := range n {
			fmt.Fprintf(&text, " fragment F%[1]d on Caller "+format, i, i+1)
		}
		fmt.Fprintf(&text, " fragment F%d on Caller {name}", n)
		return text.String()
	}
	return map[string]func(n int) string{
		"fragments that double": func(n int) string { return "{caller{...F0}}" + fragments(n, "{...F%[2]d ...F%[2]d}") },
		"fragments in two fields": func(n int) string {
			return "{caller{...F0}}" + fragments(n, "{name ...F%[2]d ... on Caller{...F%[2]d}}")
		},
		"a chain of fragments": func(n int) string { return "{caller{...F0}}" + fragments(n, "{name ...F%[2]d}") },
		"cycles":               func(n int) string { return "{caller{...F0}}" + fragments(n, "{...F%[2]d ...F%[2]d ...F0}") },
		"operations that share a fragment": func(n int) string {
			var text strings.Builder
			for i := range n {
				fmt.Fprintf(&text, "query Q%d{caller{...F}}", i)
			}
			return text.String() + "fragment F on Caller" + manyOf(n, "name")
		},
		"fields of one name":             func(n int) string { return "{caller" + manyOf(n, "name") + "}" },
		"objects of one name":            func(n int) string { return manyOf(n, "caller{name role}") },
		"fields of one name and another": func(n int) string { return manyOf(n, "a:caller{name} a:coupons{totalCount}") },
		"inline fragments": func(n int) string {
			return "{" + strings.Repeat("...{", n) + "caller" + manyOf(n, "a%d:name") + strings.Repeat("}", n) + "}"
		},
		"unknown fields":   func(n int) string { return manyOf(n, "unknownField%d") },
		"an unknown field": func(n int) string { return "{" + strings.Repeat("a", 100*n) + "}" },
		"unknown types":    func(n int) string { return manyOf(n, "...on UnknownType%d{id}") },
		"an unknown value": func(n int) string {
			return "{coupons(filter:{status:[" + strings.Repeat("A", 100*n) + "]}){totalCount}}"
		},
		"unknown arguments": func(n int) string { return "{coupons(" + strings.Repeat("x:1 ", n) + "){totalCount}}" },
		"values": func(n int) string {
			return "{coupons(filter:{status:[" + strings.Repeat("ACTIVE ", n) + "]}){totalCount}}"
		},
		"wrong values": func(n int) string { return "{coupons(filter:{status:[" + strings.Repeat("1 ", n) + "]}){totalCount}}" },
		"nested values": func(n int) string {
			return "{coupons(first:" + strings.Repeat("[", n) + "1" + strings.Repeat("]", n) + "){totalCount}}"
		},
		"values of one name": func(n int) string {
			return manyOf(n/10+2, "coupons(filter:{status:["+strings.Repeat("ACTIVE ", 10)+"]}){totalCount}")
		},
		"directives":         func(n int) string { return "{caller" + strings.Repeat("@skip(if:false)", n) + "{name}}" },
		"unknown directives": func(n int) string { return "{caller" + strings.Repeat("@x ", n) + "{name}}" },
		"variables": func(n int) string {
			var names, uses strings.Builder
			for i := range n {
				fmt.Fprintf(&names, "$v%d:String ", i)
				fmt.Fprintf(&uses, "a%d:recipient(externalId:$v%d){id} ", i, i)
			}
			return "query(" + names.String() + "){" + uses.String() + "}"
		},
		"unused variables":        func(n int) string { return "query(" + strings.Repeat("$v:String ", n) + "){caller{name}}" },
		"unused fragments":        func(n int) string { return "{caller{name}}" + fragments(n, "{name}") },
		"introspection":           func(n int) string { return manyOf(n, "a%d:__schema{types{name}}") },
		"braces":                  func(n int) string { return strings.Repeat("{a", n) },
		"brackets":                func(n int) string { return "{a(b:" + strings.Repeat("[", n) },
		"comments":                func(n int) string { return strings.Repeat("#\n", n) + "{caller{name}}" },
		"a text":                  func(n int) string { return `{recipient(externalId:"` + strings.Repeat(`\"`, 100*n) + `"){id}}` },
		"a block of text":         func(n int) string { return `{recipient(externalId:"""` + strings.Repeat("a\n ", 100*n) + `"""){id}}` },
		"a text at a wrong place": func(n int) string { return `{coupons(first:"` + strings.Repeat("a", 100*n) + `"){totalCount}}` },
	}
}

// TestWorkOnDocuments: whatever a document is, the ruler looks at as much as the document is long and as a document may be large, and
// what it lets through is within the limits of what validation looks at. Work counts, not time.
func TestWorkOnDocuments(t *testing.T) {
	t.Parallel()
	for name, of := range worst() {
		before := 0
		for _, n := range []int{100, 400, 1600, 6400} {
			steps := checkWork(t, name, of(n))
			if before > 0 && steps > 6*before && steps > 2*maxSelections {
				t.Errorf("%s: %d steps at %d, after %d", name, steps, n, before)
			}
			before = steps
		}
	}
}

// checkWork measures a document and gives how often something was looked at.
func checkWork(t *testing.T, name, text string) int {
	t.Helper()
	document, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: text}, maxTokens)
	if err != nil {
		return 0
	}
	steps, problem := measure(document)
	// Each selection and value is measured once, and compared once for each time that it stands in the document.
	if most := 2*maxTokens + 3*maxSelections; steps > most {
		t.Errorf("%s: %d steps", name, steps)
	}
	if problem != nil && steps > 2*maxTokens && problem.Extensions["code"] != codeDocument {
		t.Errorf("%s: %d steps for %v", name, steps, problem)
	}
	return steps
}

// TestAllocationsOfDocuments: reading the worst documents that the limits let through allocates in proportion to the limits: neither in
// the square of a document, nor of a name.
func TestAllocationsOfDocuments(t *testing.T) { //nolint:paralleltest // it counts what the process allocates
	read := newDocuments(newCost().executable.Schema(), false)
	for name, of := range worst() {
		for _, n := range []int{25, 100, 400, 700, 1600, 3200, 6400} {
			text := of(n)
			allocations := testing.AllocsPerRun(1, func() {
				_, problems := read.read(t.Context(), text)
				checkProblems(t, name, problems)
				read = newDocuments(read.schema, false)
			})
			const most = 60 * maxSelections
			if allocations > most {
				t.Errorf("%s of %d: %.0f allocations", name, n, allocations)
			}
		}
	}
}

// checkProblems looks at what is told of a document that was refused.
func checkProblems(t *testing.T, name string, problems gqlerror.List) {
	t.Helper()
	if len(problems) > maxProblems+1 {
		t.Errorf("%s: %d problems are told", name, len(problems))
	}
	for _, problem := range problems {
		if len(problem.Message) > maxProblemBytes+len("…") {
			t.Errorf("%s: a problem has %d bytes", name, len(problem.Message))
		}
		if problem.Extensions["code"] == nil {
			t.Errorf("%s: a problem has no code: %v", name, problem)
		}
	}
}

// TestDocumentLimits: each limit of documents, and what is told.
func TestDocumentLimits(t *testing.T) {
	t.Parallel()
	read := newDocuments(newCost().executable.Schema(), false)
	for name, test := range map[string]struct{ query, code, message string }{
		"selections":  {worst()["fragments that double"](40), codeDocument, "more than 50000 fields"},
		"operations":  {worst()["operations that share a fragment"](400), codeDocument, "more than 50000 fields"},
		"one name":    {worst()["fields of one name"](14_900), codeDocument, "answer under one name"},
		"spreads":     {"{caller" + manyOf(1000, "...F") + "} fragment F on Caller{name}", codeDocument, "answer under one name"},
		"arguments":   {worst()["unknown arguments"](51), codeDocument, "has 51 arguments; the server allows 50"},
		"a cycle":     {"{caller{...A}} fragment A on Caller{...B} fragment B on Caller{...A}", "GRAPHQL_VALIDATION_FAILED", `Cannot spread fragment "A" within itself via "B".`},
		"itself":      {"{caller{...A}} fragment A on Caller{...A}", "GRAPHQL_VALIDATION_FAILED", `Cannot spread fragment "A" within itself.`},
		"tokens":      {manyOf(15_000, "a"), codeDocument, "more than 15000 tokens. Send several documents"},
		"a syntax":    {"{caller{name}", "GRAPHQL_PARSE_FAILED", "Expected Name"},
		"nesting":     {strings.Repeat("{a", 2000), codeDocument, "nested more than 1000 levels deep"},
		"suggestions": {"{couponz{totalCount}}", "GRAPHQL_VALIDATION_FAILED", `Did you mean "coupon" or "coupons"`},
		"a long name": {"{" + strings.Repeat("coupons", 1000) + "}", "GRAPHQL_VALIDATION_FAILED", "…"},
	} {
		_, problems := read.read(t.Context(), test.query)
		checkProblems(t, name, problems)
		if len(problems) != 1 || problems[0].Extensions["code"] != test.code || !strings.Contains(problems[0].Message, test.message) {
			t.Errorf("%s: %.300v", name, problems)
		}
	}
	if _, problems := read.read(t.Context(), manyOf(400, "unknown%d")); len(problems) != maxProblems+1 || problems[maxProblems].Message != "… and 350 more" {
		t.Errorf("%d problems are told of 400", len(problems))
	}
	for name, query := range map[string]string{
		"800 aliases with a fragment": "mutation" + manyOf(800, `a%d:redeemCode(input:{value:"x"}){...F}`) +
			"fragment F on RedeemCodePayload{redemption{id redeemedAt codeValue reference amount} userErrors{code message field}}",
		"100 fragments of components": "{coupon(id:\"x\")" + manyOf(100, "...F%d") + "}" + componentFragments(100),
		"the query of tools":          introspection,
	} {
		if _, problems := read.read(t.Context(), query); problems != nil {
			t.Errorf("%s: %.300v", name, problems)
		}
	}
}

// componentFragments returns fragments as the components of a page have them.
func componentFragments(count int) string {
	var text strings.Builder
	for i := range count {
		fmt.Fprintf(&text, " fragment F%d on Coupon{id label status availability{total available}}", i)
	}
	return text.String()
}

// FuzzDocuments: whatever text comes, reading and counting it looks at things as often as the limits say, and tells what is wrong in few
// words.
func FuzzDocuments(f *testing.F) {
	for _, text := range scenarioDocuments(f) {
		f.Add(text)
	}
	for _, of := range worst() {
		f.Add(of(40))
		f.Add(of(600))
	}
	f.Add(introspection)
	l := newCost()
	read := newDocuments(l.executable.Schema(), false)
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > MaxRequestBytes {
			return
		}
		checkWork(t, "this", text)
		document, problems := read.read(t.Context(), text)
		checkProblems(t, "this", problems)
		if problems != nil {
			return
		}
		for _, operation := range document.Operations {
			c := l.count(t.Context(), operation, nil)
			if c.complexity < 0 || c.complexity > unbounded || c.schemaSize < 0 || c.schemaSize > unbounded || c.aliases > maxTokens*maxSelections {
				t.Errorf("it counts %+v", c)
			}
			// What was let through is small enough for the library to count.
			if want := min(complexity.Calculate(t.Context(), l.executable, operation, nil), unbounded); c.complexity != want {
				t.Errorf("it counts %d, the library says %d", c.complexity, want)
			}
		}
	})
}
