package resolvers

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/textproto"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"couponql/access"
	"couponql/background"
	"couponql/coupon"
)

// The codes of errors about who asks, in extensions.code.
const (
	codeUnauthenticated = "UNAUTHENTICATED"
	codeForbidden       = "FORBIDDEN"
	codeRateLimited     = "RATE_LIMITED"
)

// Subscriptions that are open at once. A server with no keys answers one caller alone, who may have all.
const (
	// MaxSubscriptions is how many there are of all callers.
	MaxSubscriptions = 20_000
	// MaxSubscriptionsOfOne is how many one caller with a key has.
	MaxSubscriptionsOfOne = 1000
)

// rule says who may ask for a field.
type rule struct {
	roles          []coupon.Role
	isConfidential bool
}

// rulesOf reads the directives of a schema. A field that has none, nor its type, has no rule, and nobody may ask for it.
func rulesOf(schema *ast.Schema) map[*ast.FieldDefinition]rule {
	rules := map[*ast.FieldDefinition]rule{}
	for _, definition := range schema.Types {
		for _, field := range definition.Fields {
			one := rule{isConfidential: field.Directives.ForName("confidential") != nil}
			switch allow := field.Directives.ForName("allow"); {
			case allow != nil:
				one.roles = rolesOf(allow)
			case definition.Kind == ast.Interface:
				// What implements the interface says it of its own fields.
				one.roles = coupon.Roles()
			case definition.Directives.ForName("allow") != nil:
				one.roles = rolesOf(definition.Directives.ForName("allow"))
			default:
				continue
			}
			rules[field] = one
		}
	}
	return rules
}

// rolesOf returns the roles that a directive @allow names, and ADMIN.
func rolesOf(allow *ast.Directive) []coupon.Role {
	roles := []coupon.Role{coupon.RoleAdmin}
	if to := allow.Arguments.ForName("to"); to != nil {
		for _, child := range to.Value.Children {
			roles = append(roles, coupon.Role(child.Value.Raw))
		}
	}
	return roles
}

// authorization refuses operations that ask for what their caller may not have.
type authorization struct {
	guard  *access.Guard
	schema *ast.Schema
	rules  map[*ast.FieldDefinition]rule
}

var _ interface {
	graphql.OperationContextMutator
	graphql.HandlerExtension
} = authorization{}

// ExtensionName names the extension.
func (authorization) ExtensionName() string { return "Authorization" }

// Validate has nothing to check.
func (authorization) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationContext refuses an operation with a field or an input that its caller may not use, before anything of it is
// done. It notes which confidential fields the answer will show.
func (a authorization) MutateOperationContext(ctx context.Context, operation *graphql.OperationContext) *gqlerror.Error {
	caller := access.CallerOf(ctx)
	if caller == nil {
		return refusal(codeUnauthenticated, nil, "%s.", sentence(access.ErrNoKey))
	}
	if socketOf(ctx) != nil {
		if wait := a.guard.Admit(caller); wait > 0 {
			return refusal(codeRateLimited, nil, "These are more requests than %s may send in a second. Try again in %s.", caller.Label, roundUp(wait))
		}
	}
	w := walk{authorization: a, caller: caller, operation: operation, shown: map[string]bool{}}
	if err := w.selection(operation.Operation.SelectionSet); err != nil {
		return err
	}
	if len(w.shown) > 0 && operation.Operation.Operation != ast.Mutation {
		shown := make([]string, 0, len(w.shown))
		for name := range w.shown {
			shown = append(shown, name)
		}
		slices.Sort(shown)
		operation.Stats.SetExtension(readExtension, shown)
	}
	return nil
}

// readExtension is the name under which an operation carries the confidential fields that it shows.
const readExtension = "confidential"

// refusal is the error of an operation that is not run.
func refusal(code string, position *ast.Position, format string, args ...any) *gqlerror.Error {
	err := &gqlerror.Error{Message: fmt.Sprintf(format, args...), Extensions: map[string]any{"code": code}}
	if position != nil {
		err.Locations = []gqlerror.Location{{Line: position.Line, Column: position.Column}}
	}
	return err
}

// walk looks at every field of an operation once.
type walk struct {
	authorization

	caller    *coupon.Caller
	operation *graphql.OperationContext
	// shown has the confidential fields that are not masked.
	shown map[string]bool
	// done has the fragments that were looked at.
	done []*ast.FragmentDefinition
}

func (w *walk) selection(set ast.SelectionSet) *gqlerror.Error {
	for _, selection := range set {
		var err *gqlerror.Error
		switch s := selection.(type) {
		case *ast.Field:
			err = w.field(s)
		case *ast.InlineFragment:
			err = w.selection(s.SelectionSet)
		case *ast.FragmentSpread:
			if slices.Contains(w.done, s.Definition) {
				continue
			}
			w.done = append(w.done, s.Definition)
			err = w.selection(s.Definition.SelectionSet)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) field(f *ast.Field) *gqlerror.Error {
	if strings.HasPrefix(f.Name, "__") {
		// The schema is no secret of its own; see hiddenSchema.
		return nil
	}
	name := f.ObjectDefinition.Name + "." + f.Name
	one := w.rules[f.Definition]
	if !slices.Contains(one.roles, w.caller.Role) {
		return refusal(codeForbidden, f.Position, "%s is not for the role %s, which %s has.", name, w.caller.Role, w.caller.Label)
	}
	if w.caller.IsMasked() {
		if place := w.confidential(f); place != "" {
			return refusal(
				codeForbidden,
				f.Position,
				"The role %s, which %s has, may not choose by %s: the answer would tell codes or personal data, which are masked.",
				w.caller.Role,
				w.caller.Label,
				place,
			)
		}
	} else if one.isConfidential {
		w.shown[name] = true
	}
	return w.selection(f.SelectionSet)
}

// confidential returns the place of a confidential input in the arguments of a field, "" when there is none.
func (w *walk) confidential(f *ast.Field) string {
	if len(f.Arguments) == 0 {
		return ""
	}
	given := f.ArgumentMap(w.operation.Variables)
	for _, argument := range f.Definition.Arguments {
		value, isGiven := given[argument.Name]
		if !isGiven || value == nil {
			continue
		}
		if argument.Directives.ForName("confidential") != nil {
			return argument.Name
		}
		if place := w.confidentialIn(argument.Type, value); place != "" {
			return argument.Name + "." + place
		}
	}
	return ""
}

// confidentialIn returns the place of a confidential field, or choice, in a value of an input type, "" when there is none.
func (w *walk) confidentialIn(kind *ast.Type, value any) string {
	if items, isList := itemsOf(kind, value); isList {
		for _, item := range items {
			if place := w.confidentialIn(kind.Elem, item); place != "" {
				return place
			}
		}
		return ""
	}
	definition := w.schema.Types[kind.Name()]
	if definition.Kind == ast.Enum {
		text, _ := value.(string)
		if chosen := definition.EnumValues.ForName(text); chosen != nil && chosen.Directives.ForName("confidential") != nil {
			return chosen.Name
		}
		return ""
	}
	given := membersOf(value)
	for _, field := range definition.Fields {
		inner := given[field.Name]
		if inner == nil {
			continue
		}
		if field.Directives.ForName("confidential") != nil {
			return field.Name
		}
		if place := w.confidentialIn(field.Type, inner); place != "" {
			return field.Name + "." + place
		}
	}
	return ""
}

// mask is the directive @confidential: it hides the value of a field from those who may not see it. Of inputs it only says
// what they are.
func mask(ctx context.Context, object any, next graphql.Resolver) (any, error) {
	value, err := next(ctx)
	if _, isInput := object.(map[string]any); isInput || err != nil {
		return value, err
	}
	if caller := access.CallerOf(ctx); caller != nil && !caller.IsMasked() {
		return value, nil
	}
	if export, isExport := object.(*coupon.Export); isExport && export.IsMasked() {
		// What was exported had nothing to hide.
		return value, nil
	}
	if c, isCoupon := object.(*coupon.Coupon); isCoupon && value == c.Code && !c.Type.IsOwnCodeSecret() {
		return value, nil
	}
	switch v := value.(type) {
	case string:
		return coupon.MaskText(v), nil
	case *string:
		if v == nil {
			return v, nil
		}
		return new(coupon.MaskText(*v)), nil
	case []string:
		masked := make([]string, len(v))
		for i := range v {
			masked[i] = coupon.MaskText(v[i])
		}
		return masked, nil
	case coupon.JSON:
		return coupon.EmptyJSON, nil
	}
	return nil, fmt.Errorf("no mask for %T", value)
}

// identified lets those in alone whom the guard knows, as often as they may come.
func identified(next http.Handler, guard *access.Guard) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		caller, err := guard.Identify(r.Context(), r.Header.Get("Authorization"), addressOf(r))
		if errors.Is(err, access.ErrNoKey) && isUpgrade(r) {
			// Browsers cannot send a header with it, so the first message has the key; see initialize.
			next.ServeHTTP(w, r)
			return
		}
		if err != nil {
			writeRefusal(w, r, access.StatusOf(err), notIdentified(err))
			return
		}
		if wait := guard.Admit(caller); wait > 0 {
			retryLater(r.Context(), wait)
			writeRefusal(w, r, http.StatusTooManyRequests, refusal(codeRateLimited, nil,
				"These are more requests than the %d a second that %s may send. Try again in %s.", *caller.RequestsPerSecond, caller.Label, roundUp(wait)))
			return
		}
		during, leave := guard.Stay(r.Context(), caller)
		defer leave()
		if !isUpgrade(r) {
			defer cutOff(during, w, false)()
		}
		next.ServeHTTP(w, r.WithContext(during))
	})
}

// notIdentified says why the guard does not know who asks.
func notIdentified(err error) *gqlerror.Error {
	if access.StatusOf(err) == http.StatusUnauthorized {
		return refusal(codeUnauthenticated, nil, "%s.", sentence(err))
	}
	return refusal(codeUnavailable, nil, "The identity provider of this server does not answer. Try again in a moment, or use a key.")
}

// writeRefusal answers a request that is not let in.
func writeRefusal(w http.ResponseWriter, r *http.Request, status int, problem *gqlerror.Error) {
	setType(w, r)
	writeResponse(w, status, &graphql.Response{Errors: gqlerror.List{problem}})
}

// sentence returns an error as the beginning of a sentence.
func sentence(err error) string {
	text := err.Error()
	return strings.ToUpper(text[:1]) + text[1:]
}

// roundUp returns whole seconds, at least one.
func roundUp(wait time.Duration) time.Duration {
	return max(time.Second, (wait + time.Second - 1).Truncate(time.Second))
}

// addressOf returns the network address that a request came from, without its port.
func addressOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// isUpgrade reports whether a request wants to become a WebSocket.
func isUpgrade(r *http.Request) bool { return strings.EqualFold(r.Header.Get("Upgrade"), "websocket") }

// initialize reads the first message of a WebSocket, connection_init, whose payload may have the member Authorization, with the
// value that the header of this name would have.
func initialize(guard *access.Guard) transport.WebsocketInitFunc {
	return func(ctx context.Context, payload transport.InitPayload) (context.Context, *transport.InitPayload, error) {
		s := socketOf(ctx)
		if access.CallerOf(ctx) != nil {
			s.stay(ctx)
			return ctx, nil, nil
		}
		authorization := ""
		for name, value := range payload {
			if text, isText := value.(string); isText && textproto.CanonicalMIMEHeaderKey(name) == "Authorization" {
				authorization = text
			}
		}
		caller, err := guard.Identify(ctx, authorization, s.address)
		if err != nil {
			code, reason := closeUnauthorized, "Unauthorized: give a key that works in connection_init"
			if access.StatusOf(err) != http.StatusUnauthorized {
				code, reason = closeTryAgain, "Try again later: the identity provider does not answer"
			}
			return transport.WithWebsocketCloseCode(transport.AppendCloseReason(ctx, reason), code), nil, notIdentified(err)
		}
		during, leave := guard.Stay(ctx, caller)
		// The context of a request ends with its connection.
		background.AfterDone(ctx, func() error {
			leave()
			return nil
		}, func(error) {})
		s.stay(during)
		return during, nil, nil
	}
}

// subscriptions counts those that are open, by the names of their callers.
type subscriptions struct {
	mu    sync.Mutex
	total int
	open  map[string]int
}

// enter counts a subscription until ctx is done; false when there are too many.
func (s *subscriptions) enter(ctx context.Context, caller *coupon.Caller) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.total >= MaxSubscriptions || s.open[caller.Name] >= MaxSubscriptionsOfOne && caller.Name != coupon.LocalCaller {
		return false
	}
	if s.open == nil {
		s.open = map[string]int{}
	}
	s.total++
	s.open[caller.Name]++
	background.AfterDone(ctx, func() error {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.total--
		if s.open[caller.Name]--; s.open[caller.Name] == 0 {
			delete(s.open, caller.Name)
		}
		return nil
	}, func(error) {})
	return true
}

// limit is a graphql.OperationMiddleware that refuses one subscription too many.
func (s *subscriptions) limit(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	if graphql.GetOperationContext(ctx).Operation.Operation != ast.Subscription {
		return next(ctx)
	}
	if !s.enter(ctx, access.CallerOf(ctx)) {
		return graphql.OneShot(&graphql.Response{Errors: gqlerror.List{refusal(codeRateLimited, nil,
			"There are too many open subscriptions: at most %d of one caller, and %d of all.", MaxSubscriptionsOfOne, MaxSubscriptions)}})
	}
	return next(ctx)
}
