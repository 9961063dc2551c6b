package resolvers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"couponql/access"
	"couponql/coupon"
	"couponql/db"
	"couponql/db/snapshot"
	"couponql/monitor"
)

// auditor writes the audit log.
type auditor struct {
	store  *db.Store
	schema *ast.Schema
	// words are the names of arguments and of fields of inputs.
	words map[string]bool
}

// newAuditor returns the auditor of a schema.
func newAuditor(store *db.Store, schema *ast.Schema) *auditor {
	a := &auditor{store: store, schema: schema, words: map[string]bool{}}
	for _, definition := range schema.Types {
		for _, field := range definition.Fields {
			a.words[field.Name] = a.words[field.Name] || definition.Kind == ast.InputObject
			for _, argument := range field.Arguments {
				a.words[argument.Name] = true
			}
		}
	}
	return a
}

// entry begins an entry about the request of a context.
func (a *auditor) entry(ctx context.Context, kind coupon.AuditKind, action string, input any) (*coupon.AuditEntry, error) {
	text, err := json.Marshal(input)
	if err != nil {
		return nil, fmt.Errorf("encode the input for the audit log: %w", err)
	}
	caller := access.CallerOf(ctx)
	return &coupon.AuditEntry{
		At: a.store.Now(), Caller: caller.Name, Role: caller.Role, Address: caller.Address, Kind: kind, Action: action, Input: coupon.JSON(text),
		RequestID: monitor.RequestID(ctx),
	}, nil
}

// begin begins an entry about what a field is asked to do.
func (a *auditor) begin(ctx context.Context, field graphql.CollectedField) (*db.Audited, error) {
	given := field.ArgumentMap(graphql.GetOperationContext(ctx).Variables)
	input := map[string]any{}
	for _, argument := range field.Definition.Arguments {
		value := a.harmless(argument.Type, given[argument.Name], secrecyOf(argument.Directives))
		if members, isObject := value.(map[string]any); isObject {
			// The members of the argument input say enough.
			maps.Copy(input, members)
		} else {
			input[argument.Name] = value
		}
	}
	if _, isSQL := input["query"]; isSQL {
		query, isWhole := given["query"].(string)
		if members, isInput := given["input"].(map[string]any); !isWhole && isInput {
			query, _ = members["query"].(string)
		}
		input["query"] = cutText(snapshot.HarmlessSQL(query))
	}
	kind := coupon.AuditMutation
	if graphql.GetOperationContext(ctx).Operation.Operation == ast.Query {
		kind = coupon.AuditRead
	}
	entry, err := a.entry(ctx, kind, field.Name, input)
	if err != nil {
		return nil, err
	}
	return db.NewAudited(entry), nil
}

// use is the directive @audited: it records what a field was asked to do, and what came of it.
func (a *auditor) use(ctx context.Context, _ any, next graphql.Resolver) (any, error) {
	field := graphql.GetFieldContext(ctx).Field
	audited := aliasesOf(ctx).audits[field.Alias]
	if audited == nil {
		var err error
		if audited, err = a.begin(ctx, field); err != nil {
			return nil, err
		}
	}
	ctx = db.WithAudited(ctx, audited)
	once, err := withOnce(ctx, a.schema, a.store.ChecksumOf)
	var payload any
	if err == nil {
		payload, err = next(once)
	}
	outcome, codes := outcomeOf(payload, err)
	if outcome == coupon.AuditRefused {
		noteRefusal(ctx)
	}
	return payload, errors.Join(err, a.store.Audit(ctx, outcome, codes))
}

// outcomeOf tells what came of a field by its payload.
func outcomeOf(payload any, err error) (coupon.AuditOutcome, []coupon.ErrorCode) {
	var codes []coupon.ErrorCode
	if problems, isUser := coupon.AsUserErrors(err); isUser {
		for _, problem := range problems {
			codes = append(codes, problem.Code)
		}
	} else if err != nil {
		return coupon.AuditFailed, nil
	}
	if value := reflect.ValueOf(payload); value.Kind() == reflect.Pointer && !value.IsNil() {
		if field := value.Elem().FieldByName("UserErrors"); field.IsValid() {
			problems, _ := reflect.TypeAssert[[]*coupon.UserError](field)
			for _, problem := range problems {
				codes = append(codes, problem.Code)
			}
		}
	}
	if len(codes) > 0 {
		return coupon.AuditRefused, codes
	}
	return coupon.AuditDone, nil
}

// response returns the interceptor that records what an answer showed.
func (a *auditor) response(present graphql.ErrorPresenterFunc) graphql.ResponseMiddleware {
	return func(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
		response := next(ctx)
		if response == nil || !graphql.HasOperationContext(ctx) {
			return response
		}
		operation := graphql.GetOperationContext(ctx)
		if operation.Operation == nil {
			return response
		}
		fields, isConfidential := operation.Stats.GetExtension(readExtension).([]string)
		if !isConfidential {
			return response
		}
		// The first event of a subscription counts for all.
		operation.Stats.SetExtension(readExtension, nil)
		if err := a.read(ctx, fields, response); err != nil {
			// What cannot be noted is not shown.
			return &graphql.Response{Errors: gqlerror.List{present(ctx, err)}}
		}
		return response
	}
}

// read records that an operation showed confidential fields. Names that a client chose, of the operation, of variables and of
// aliases, may be those of people, and are not kept.
func (a *auditor) read(ctx context.Context, fields []string, response *graphql.Response) error {
	operation := graphql.GetOperationContext(ctx)
	variables := map[string]any{}
	for i, variable := range operation.Operation.VariableDefinitions {
		if value, isGiven := operation.Variables[variable.Variable]; isGiven {
			name := variable.Variable
			if !a.words[name] {
				name = fmt.Sprintf("variable%d", i+1)
			}
			// Which argument it is given to, and so whether it is a label, only that argument knows: texts are left out.
			variables[name] = a.harmless(variable.Type, value, secrecyUnsaid)
		}
	}
	entry, err := a.entry(ctx, coupon.AuditRead, rootOf(operation), map[string]any{"fields": fields, "variables": variables})
	if err != nil {
		return err
	}
	outcome := coupon.AuditDone
	if len(response.Errors) > 0 {
		outcome = coupon.AuditFailed
	}
	return a.store.Audit(db.WithAudit(ctx, entry), outcome, nil)
}

// rootOf returns the names of the fields of an operation's root, each once, in their order.
func rootOf(operation *graphql.OperationContext) string {
	var names []string
	for _, field := range graphql.CollectFields(operation, operation.Operation.SelectionSet, []string{"Query", "Subscription"}) {
		if !slices.Contains(names, field.Name) {
			names = append(names, field.Name)
		}
	}
	return strings.Join(names, " ")
}

// secrecy says what the schema tells of a given value.
type secrecy int

const (
	// secrecyUnsaid: a text may be anything.
	secrecyUnsaid secrecy = iota
	// secrecyNone: the value is @logged, a name or a setting.
	secrecyNone
	// secrecyFull: the value is @confidential, and so is whatever is in it.
	secrecyFull
)

func secrecyOf(directives ast.DirectiveList) secrecy {
	switch {
	case directives.ForName("confidential") != nil:
		return secrecyFull
	case directives.ForName("logged") != nil:
		return secrecyNone
	}
	return secrecyUnsaid
}

// harmless returns a value of an input type as the audit log may keep it: what the type and the directives of the schema say to be
// neither a code nor personal data, cut; the mask in the place of all else.
func (a *auditor) harmless(kind *ast.Type, value any, is secrecy) any {
	if value == nil {
		return nil
	}
	if items, isList := itemsOf(kind, value); isList {
		kept := make([]any, 0, min(len(items), coupon.MaxAuditItems+1))
		for i, item := range items {
			if i == coupon.MaxAuditItems {
				kept = append(kept, fmt.Sprintf("… and %d more", len(items)-i))
				break
			}
			kept = append(kept, a.harmless(kind.Elem, item, is))
		}
		return kept
	}
	definition := a.schema.Types[kind.Name()]
	switch {
	case is == secrecyFull || definition == nil:
	case definition.Kind == ast.InputObject:
		given := membersOf(value)
		members := map[string]any{}
		for _, field := range definition.Fields {
			if inner, isGiven := given[field.Name]; isGiven {
				members[field.Name] = a.harmless(field.Type, inner, secrecyOf(field.Directives))
			}
		}
		return members
	case definition.Kind == ast.Enum:
		if text, isText := value.(string); isText && definition.EnumValues.ForName(text) != nil {
			return text
		}
	case definition.Kind == ast.Scalar:
		return harmlessScalar(kind.Name(), value, is)
	}
	return coupon.Mask
}

// Instants and amounts, as far as the audit log keeps them: nothing else looks like that.
var (
	loggedInstant = regexp.MustCompile(`^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?)?(Z|[+-]\d\d:?\d\d)?$`)
	loggedAmount  = regexp.MustCompile(`^-?\d{1,20}(\.\d{1,20})?$`)
)

// harmlessScalar returns a value of a scalar as the audit log may keep it.
func harmlessScalar(name string, value any, is secrecy) any {
	text, isText := value.(string)
	switch name {
	case "Boolean":
		if _, isBool := value.(bool); isBool {
			return value
		}
	case "Int", "Float":
		switch number := value.(type) {
		case int, int32, int64, float32, float64:
			return value
		case json.Number:
			if _, err := number.Float64(); err == nil {
				return value
			}
		}
	case "ID":
		if isText && coupon.ID(text).IsKnown() {
			return text
		}
	case "DateTime", "Date":
		if isText && loggedInstant.MatchString(text) {
			return text
		}
	case "Decimal":
		if digits := fmt.Sprint(value); loggedAmount.MatchString(digits) {
			return digits
		}
	case "String":
		if isText && is == secrecyNone {
			return cutText(text)
		}
	case "Upload":
		upload, _ := value.(graphql.Upload)
		if file, isStored := upload.File.(*storedFile); isStored {
			return map[string]any{"byteCount": file.size}
		}
	}
	return coupon.Mask
}

// itemsOf returns the items of a value of a list type, of whatever Go type they are; one item stands for a list of one. isList is
// false for a type that is no list.
func itemsOf(kind *ast.Type, value any) (items []any, isList bool) {
	if kind.Elem == nil {
		return nil, false
	}
	list := reflect.ValueOf(value)
	if list.Kind() != reflect.Slice {
		return []any{value}, true
	}
	for i := range list.Len() {
		items = append(items, list.Index(i).Interface())
	}
	return items, true
}

// membersOf returns the members of a value of an input object; none of what is no object.
func membersOf(value any) map[string]any {
	members, _ := value.(map[string]any)
	return members
}

// cutText cuts a text to what the audit log keeps.
func cutText(text string) string {
	if utf8.RuneCountInString(text) <= coupon.MaxAuditText {
		return text
	}
	return string([]rune(text)[:coupon.MaxAuditText]) + "…"
}
