package resolvers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"couponql/access"
	"couponql/coupon"
	"couponql/db"
)

// auditor writes the audit log.
type auditor struct {
	store  *db.Store
	schema *ast.Schema
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
		RequestID: RequestID(ctx),
	}, nil
}

// literal is what may be a code or a name in SQL: a text, also with escapes, a long number, and a comment, also one that does
// not end. After a text between dollars nothing is kept: it may have dollars in it.
var literal = regexp.MustCompile(`(?s)[eE]'(?:[^'\\]|\\.|'')*(?:'|\z)|'(?:[^']|'')*(?:'|\z)|\$\w*\$.*|--[^\n]*|/\*.*?(?:\*/|\z)|\b\d{5,}\b`)

// harmlessSQL gives a query without literals, cut to what the audit log keeps.
func harmlessSQL(query string) string {
	return cutText(literal.ReplaceAllLiteralString(query, "'"+coupon.Mask+"'"))
}

// begin begins an entry about what a field is asked to do.
func (a *auditor) begin(ctx context.Context, field graphql.CollectedField) (*db.Audited, error) {
	given := field.ArgumentMap(graphql.GetOperationContext(ctx).Variables)
	input := map[string]any{}
	for _, argument := range field.Definition.Arguments {
		value := a.harmless(argument.Type, given[argument.Name], false)
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
		input["query"] = harmlessSQL(query)
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
	payload, err := next(ctx)
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

// response gives the interceptor that records what an answer showed.
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

// read records that an operation showed confidential fields.
func (a *auditor) read(ctx context.Context, fields []string, response *graphql.Response) error {
	operation := graphql.GetOperationContext(ctx)
	action := operation.OperationName
	if action == "" {
		action = operation.Operation.Name
	}
	if action == "" {
		for _, field := range graphql.CollectFields(operation, operation.Operation.SelectionSet, []string{"Query", "Subscription"}) {
			action = field.Name
			break
		}
	}
	variables := map[string]any{}
	for _, variable := range operation.Operation.VariableDefinitions {
		if value, isGiven := operation.Variables[variable.Variable]; isGiven {
			// Which argument it is given to, and so whether it is a code, only that argument knows: texts are left out.
			variables[variable.Variable] = a.harmless(variable.Type, value, variable.Type.Name() == "String")
		}
	}
	entry, err := a.entry(ctx, coupon.AuditRead, cutText(action), map[string]any{"fields": fields, "variables": variables})
	if err != nil {
		return err
	}
	outcome := coupon.AuditDone
	if len(response.Errors) > 0 {
		outcome = coupon.AuditFailed
	}
	return a.store.Audit(db.WithAudit(ctx, entry), outcome, nil)
}

// harmless gives a value of an input type without what is confidential, cut to what the audit log keeps.
func (a *auditor) harmless(kind *ast.Type, value any, isConfidential bool) any {
	if value == nil {
		return nil
	}
	definition := a.schema.Types[kind.Name()]
	switch v := value.(type) {
	case []any:
		items := make([]any, 0, min(len(v), coupon.MaxAuditItems+1))
		for i, item := range v {
			if i == coupon.MaxAuditItems {
				items = append(items, fmt.Sprintf("… and %d more", len(v)-i))
				break
			}
			items = append(items, a.harmless(elementOf(kind), item, isConfidential))
		}
		return items
	case map[string]any:
		if definition == nil || definition.Kind != ast.InputObject {
			// A JSON object is kept as its owner wrote it, unless it is about a person.
			if isConfidential {
				return coupon.Mask
			}
			return cutJSON(v)
		}
		members := map[string]any{}
		for _, field := range definition.Fields {
			if inner, isGiven := v[field.Name]; isGiven {
				isSecret := isConfidential || field.Directives.ForName("confidential") != nil || field.Directives.ForName("unlogged") != nil
				members[field.Name] = a.harmless(field.Type, inner, isSecret)
			}
		}
		return members
	case graphql.Upload:
		return map[string]any{"fileName": cutText(v.Filename), "byteCount": v.Size}
	case *graphql.Upload:
		return map[string]any{"fileName": cutText(v.Filename), "byteCount": v.Size}
	}
	if isConfidential {
		return coupon.Mask
	}
	if text, isText := value.(string); isText {
		return cutText(text)
	}
	return value
}

// cutText cuts a text to what the audit log keeps.
func cutText(text string) string {
	if utf8.RuneCountInString(text) <= coupon.MaxAuditText {
		return text
	}
	return string([]rune(text)[:coupon.MaxAuditText]) + "…"
}

// cutJSON gives a JSON object, or the beginning of its text when it is long.
func cutJSON(object map[string]any) any {
	text, err := json.Marshal(object)
	if err != nil || utf8.RuneCount(text) > coupon.MaxAuditText {
		return cutText(string(text))
	}
	return object
}
