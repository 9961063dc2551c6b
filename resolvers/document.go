package resolvers

import (
	"context"
	"fmt"
	"strings"

	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

// Limits of a document, which hold before it is validated: validation itself may be dear.
const (
	// maxTokens is how long a document may be.
	maxTokens = 15_000
	// maxSelections is how large the operations and fragments of a document are together, with what each spreads in its place: fields,
	// spreads, directives, arguments and values, and 256 bytes of a literal, count one each.
	maxSelections = 50_000
	literalUnit   = 256
	// maxComparisons is how many pairs of fields and spreads are compared because they answer under one name; 700 of one name make that
	// many. Validation looks at every pair, with its arguments.
	maxComparisons = 250_000
	// maxArguments is how many arguments a field or a directive may have; the schema knows no more than a dozen of any.
	maxArguments = 50
	// maxProblems is how many things that are wrong with a document are told, of at most maxProblemBytes each. A name that would have
	// been right is looked for where there are few, with short names: that takes the product of the lengths of names.
	maxProblems       = 50
	maxProblemBytes   = 1000
	maxSuggested      = 10
	maxSuggestedBytes = 200
	// cachedQueries is how many documents are kept that were read before, of at most maxCachedQueryBytes each.
	cachedQueries       = 1000
	maxCachedQueryBytes = 16 << 10
)

// codeDocument is the code of a document that is too large to be read or validated.
const codeDocument = "DOCUMENT_LIMIT_EXCEEDED"

// documents reads documents, and keeps small ones. What reading one may cost is known, and refused, by a look at each of its parts
// once.
type documents struct {
	schema *ast.Schema
	// hidesSchema: errors do not tell names that would have been right.
	hidesSchema bool
	known       *lru.LRU[*document]
}

// document is one that is valid.
type document struct {
	*ast.QueryDocument

	// numbers are variables that every request has for the document; see exactNumbers.
	numbers exact
}

func newDocuments(schema *ast.Schema, hidesSchema bool) *documents {
	return &documents{schema: schema, hidesSchema: hidesSchema, known: lru.New[*document](cachedQueries)}
}

// read returns a document that is valid, or what is wrong with it.
func (d *documents) read(ctx context.Context, query string) (*document, gqlerror.List) {
	if known, isKnown := d.known.Get(ctx, query); isKnown {
		return known, nil
	}
	parsed, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: query}, maxTokens)
	if err != nil {
		return nil, shortened(gqlerror.List{unread(err)})
	}
	if len(parsed.Operations) == 0 {
		problem := gqlerror.Errorf("no operation provided")
		errcode.Set(problem, errcode.ValidationFailed)
		return nil, gqlerror.List{problem}
	}
	if _, problem := measure(parsed); problem != nil {
		return nil, shortened(gqlerror.List{problem})
	}
	if problems := d.validate(parsed); len(problems) > 0 {
		for _, problem := range problems {
			errcode.Set(problem, errcode.ValidationFailed)
		}
		return nil, shortened(problems)
	}
	read := &document{parsed, exactNumbers(parsed)}
	if len(query) <= maxCachedQueryBytes {
		d.known.Add(ctx, query, read)
	}
	return read, nil
}

// unread says why a document could not be read. The parser tells its own limits by their messages alone.
func unread(err error) *gqlerror.Error {
	problem := gqlerror.WrapIfUnwrapped(err)
	switch problem.Message {
	case fmt.Sprintf("exceeded token limit of %d", maxTokens):
		return refusal(codeDocument, nil, "The document has more than %d tokens. Send several documents, or give lists as variables.", maxTokens)
	case fmt.Sprintf("exceeded maximum nesting depth of %d", parser.MaxNestingDepth):
		return refusal(
			codeDocument,
			nil,
			"The document is nested more than %d levels deep. An operation may nest its fields %d levels deep: ask for less at once.",
			parser.MaxNestingDepth,
			maxDepth,
		)
	}
	errcode.Set(problem, errcode.ParseFailed)
	return problem
}

// validate returns what is wrong with a document, with suggestions where they are cheap.
func (d *documents) validate(document *ast.QueryDocument) gqlerror.List {
	problems := validator.ValidateWithRules(d.schema, document, rulesWithoutSuggestions())
	if len(problems) == 0 || len(problems) > maxSuggested || d.hidesSchema {
		return problems
	}
	for _, problem := range problems {
		// Every problem names what it is about, so that names are no longer than it.
		if len(problem.Message) > maxSuggestedBytes {
			return problems
		}
	}
	problems = validator.ValidateWithRules(d.schema, document, rules.NewDefaultRules())
	d.listFields(problems)
	return problems
}

// rulesWithoutSuggestions returns the rules of validation whose time does not depend on the lengths of names.
func rulesWithoutSuggestions() *rules.Rules {
	all := rules.NewDefaultRules()
	for _, plain := range []validator.Rule{
		rules.FieldsOnCorrectTypeRuleWithoutSuggestions, rules.KnownArgumentNamesRuleWithoutSuggestions, rules.KnownTypeNamesRuleWithoutSuggestions,
		rules.ScalarLeafsRuleWithoutSuggestions, rules.ValuesOfCorrectTypeRuleWithoutSuggestions,
	} {
		all.ReplaceRule(strings.TrimSuffix(plain.Name, "WithoutSuggestions"), plain.RuleFunc)
	}
	return all
}

// shortened cuts problems to what an answer tells of them.
func shortened(problems gqlerror.List) gqlerror.List {
	if len(problems) > maxProblems {
		more := len(problems) - maxProblems
		problems = append(problems[:maxProblems:maxProblems], &gqlerror.Error{
			Message: fmt.Sprintf("… and %d more", more), Extensions: map[string]any{"code": errcode.ValidationFailed},
		})
	}
	for _, problem := range problems {
		if len(problem.Message) > maxProblemBytes {
			problem.Message = strings.ToValidUTF8(problem.Message[:maxProblemBytes], "") + "…"
		}
	}
	return problems
}

// ruler measures a document: how much validation will have to look at.
type ruler struct {
	fragments map[string]*ast.FragmentDefinition
	// sizes has the sizes of fragments that were measured, and inside those that are being measured.
	sizes  map[*ast.FragmentDefinition]int
	inside map[*ast.FragmentDefinition]bool
	// path leads to where the ruler is, through fragments.
	path []*ast.FragmentSpread
	// comparisons is how many pairs will be compared.
	comparisons int
	// steps is how often something was looked at.
	steps   int
	problem *gqlerror.Error
}

// measure returns how often it looked at something, and refuses a document that is too large. It takes time linear in the document
// and, where fragments multiply, in maxSelections.
func measure(document *ast.QueryDocument) (steps int, problem *gqlerror.Error) {
	r := &ruler{
		fragments: make(map[string]*ast.FragmentDefinition, len(document.Fragments)), sizes: map[*ast.FragmentDefinition]int{},
		inside: map[*ast.FragmentDefinition]bool{},
	}
	for _, fragment := range document.Fragments {
		if r.fragments[fragment.Name] == nil {
			r.fragments[fragment.Name] = fragment
		}
	}
	size := 0
	for _, fragment := range document.Fragments {
		size += r.fragment(fragment)
	}
	for _, operation := range document.Operations {
		size += 1 + r.directives(operation.Directives) + r.selections(operation.SelectionSet)
		for _, variable := range operation.VariableDefinitions {
			size += 1 + r.directives(variable.Directives) + r.value(variable.DefaultValue)
		}
	}
	if r.problem == nil && size > maxSelections {
		r.refusef(nil, "The document is too large with its fragments in their places: it has more than %d fields, arguments and values. "+
			"Send several documents.", maxSelections)
	}
	if r.problem != nil {
		return r.steps, r.problem
	}
	for _, fragment := range document.Fragments {
		r.compare(fragment.SelectionSet)
	}
	for _, operation := range document.Operations {
		r.compare(operation.SelectionSet)
	}
	return r.steps, r.problem
}

// refusef notes the first thing that is too much.
func (r *ruler) refusef(position *ast.Position, format string, args ...any) {
	if r.problem == nil {
		r.problem = refusal(codeDocument, position, format, args...)
	}
}

// fragment returns the size of a fragment, which is measured once.
func (r *ruler) fragment(fragment *ast.FragmentDefinition) int {
	size, isKnown := r.sizes[fragment]
	if !isKnown {
		r.inside[fragment] = true
		size = min(1+r.directives(fragment.Directives)+r.selections(fragment.SelectionSet), maxSelections+1)
		delete(r.inside, fragment)
		r.sizes[fragment] = size
	}
	return size
}

// selections returns the size of a selection set, at most a little more than is allowed.
func (r *ruler) selections(set ast.SelectionSet) int {
	size := 0
	for _, selection := range set {
		r.steps++
		size++
		switch s := selection.(type) {
		case *ast.Field:
			size += r.arguments(s.Arguments, s.Position) + r.directives(s.Directives) + r.selections(s.SelectionSet)
		case *ast.InlineFragment:
			size += r.directives(s.Directives) + r.selections(s.SelectionSet)
		case *ast.FragmentSpread:
			size += r.directives(s.Directives) + r.spread(s)
		}
		size = min(size, maxSelections+1)
	}
	return size
}

// spread returns the size of what is spread.
func (r *ruler) spread(s *ast.FragmentSpread) int {
	fragment := r.fragments[s.Name]
	if fragment == nil || r.problem != nil {
		return 0
	}
	r.path = append(r.path, s)
	defer func() { r.path = r.path[:len(r.path)-1] }()
	if r.inside[fragment] {
		r.problem = cycle(r.path)
		return 0
	}
	return r.fragment(fragment)
}

// cycle is what is wrong when the last spread of a path is inside of the fragment that it spreads; as validation says it.
func cycle(path []*ast.FragmentSpread) *gqlerror.Error {
	last := path[len(path)-1]
	via := ""
	for i := len(path) - 2; i >= 0 && path[i].Name != last.Name; i-- {
		via = fmt.Sprintf(", %q%s", path[i].Name, via)
		if len(via) > maxProblemBytes {
			break
		}
	}
	if via != "" {
		via = " via" + strings.TrimPrefix(via, ",")
	}
	return refusal(errcode.ValidationFailed, last.Position, `Cannot spread fragment "%s" within itself%s.`, last.Name, via)
}

func (r *ruler) directives(all ast.DirectiveList) int {
	size := 0
	for _, directive := range all {
		size += 1 + r.arguments(directive.Arguments, directive.Position)
	}
	return size
}

func (r *ruler) arguments(all ast.ArgumentList, position *ast.Position) int {
	if len(all) > maxArguments {
		r.refusef(position, "A field or directive has %d arguments; the server allows %d.", len(all), maxArguments)
	}
	size := 0
	for _, argument := range all {
		size += 1 + r.value(argument.Value)
	}
	return size
}

func (r *ruler) value(v *ast.Value) int {
	if v == nil {
		return 0
	}
	r.steps++
	size := len(v.Raw) / literalUnit
	for _, child := range v.Children {
		size += 1 + r.value(child.Value)
	}
	return size
}

// group is what answers under one name.
type group struct {
	count, arguments int
	sets             []ast.SelectionSet
}

// collection is what selection sets select at one place of the answer, each fragment once.
type collection struct {
	*ruler

	groups  map[string]*group
	seen    map[*ast.FragmentDefinition]bool
	spreads int
	// deepest is how deep inline fragments are nested; each of them is validated by itself too.
	deepest int
}

// compare counts the pairs that validation compares at one place of the answer, and below it.
func (r *ruler) compare(sets ...ast.SelectionSet) {
	c := collection{ruler: r, groups: map[string]*group{}, seen: map[*ast.FragmentDefinition]bool{}}
	for _, set := range sets {
		c.collect(set, 1)
	}
	r.comparisons += pairs(c.spreads) * c.deepest
	for _, g := range c.groups {
		r.comparisons += pairs(g.count) * c.deepest * (1 + g.arguments)
	}
	if r.comparisons > maxComparisons {
		r.refusef(nil, "The document selects too many fields or fragments that answer under one name: each is compared with each other. "+
			"Select a field once, or give it aliases.")
	}
	for _, g := range c.groups {
		if r.problem == nil && len(g.sets) > 0 {
			r.compare(g.sets...)
		}
	}
}

func pairs(count int) int { return count * (count - 1) / 2 }

// collect collects the fields of a selection set that is inside of as many inline fragments as level says, less one.
func (c *collection) collect(set ast.SelectionSet, level int) {
	c.deepest = max(c.deepest, level)
	for _, selection := range set {
		c.steps++
		switch s := selection.(type) {
		case *ast.Field:
			g := c.groups[s.Alias]
			if g == nil {
				g = &group{}
				c.groups[s.Alias] = g
			}
			g.count++
			if len(s.Arguments) > 0 {
				g.arguments = max(g.arguments, c.arguments(s.Arguments, s.Position))
			}
			if len(s.SelectionSet) > 0 {
				g.sets = append(g.sets, s.SelectionSet)
			}
		case *ast.InlineFragment:
			c.collect(s.SelectionSet, level+1)
		case *ast.FragmentSpread:
			c.spreads++
			if fragment := c.fragments[s.Name]; fragment != nil && !c.seen[fragment] {
				c.seen[fragment] = true
				c.collect(fragment.SelectionSet, level)
			}
		}
	}
}

type documentKey struct{}

// withDocument returns a context that carries the document of a request to the executor.
func withDocument(ctx context.Context, document *ast.QueryDocument) context.Context {
	return context.WithValue(ctx, documentKey{}, document)
}

// readDocuments is where the executor finds documents: they were read before it is called.
type readDocuments struct{}

// Get returns the document of a request.
func (readDocuments) Get(ctx context.Context, _ string) (*ast.QueryDocument, bool) {
	document, isRead := ctx.Value(documentKey{}).(*ast.QueryDocument)
	return document, isRead
}

// Add has nothing to keep.
func (readDocuments) Add(context.Context, string, *ast.QueryDocument) {}
