package resolvers

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"couponql/coupon"
	"couponql/db"
	"couponql/monitor"
	"couponql/unavailable"
)

// The codes of errors that the caller cannot mend by changing the input, in extensions.code.
const (
	codeInternal    = "INTERNAL"
	codeBadRequest  = "BAD_REQUEST"
	codeTimeout     = "TIMEOUT"
	codeUnavailable = "UNAVAILABLE"
)

// userErrors splits what the store returned: problems that the caller can act on are data, anything else
// stays an error.
func userErrors(err error) ([]*coupon.UserError, error) {
	if err == nil {
		return []*coupon.UserError{}, nil
	}
	if problems, ok := coupon.AsUserErrors(err); ok {
		return problems, nil
	}
	return nil, err
}

// present makes the error that a client sees: problems of the caller and of GraphQL itself as they are,
// everything else logged whole and answered without detail.
func present(options Options) graphql.ErrorPresenterFunc {
	return func(ctx context.Context, err error) *gqlerror.Error {
		if problems, ok := coupon.AsUserErrors(err); ok {
			extensions := map[string]any{"code": string(problems[0].Code)}
			if problems[0].Field != nil {
				extensions["field"] = problems[0].Field
			}
			return &gqlerror.Error{Message: problems.Error(), Path: graphql.GetPath(ctx), Extensions: extensions}
		}
		known, isKnown := errors.AsType[*gqlerror.Error](err)
		if isKnown && (known.Err == nil || known.Extensions["code"] != nil) {
			if known.Path == nil {
				known.Path = graphql.GetPath(ctx)
			}
			return known
		}
		if known != nil && len(known.Path) > len(graphql.GetPath(ctx)) {
			// The path leads into the arguments: a value there is not what its type takes.
			return &gqlerror.Error{Message: known.Message, Path: known.Path, Extensions: map[string]any{"code": errcode.ValidationFailed}}
		}
		if errors.Is(err, context.DeadlineExceeded) {
			return &gqlerror.Error{
				Message:    "The operation took longer than the server allows. Ask for less at once.",
				Path:       graphql.GetPath(ctx),
				Extensions: map[string]any{"code": codeTimeout},
			}
		}
		if guesses, isGuesses := errors.AsType[*guessesError](err); isGuesses {
			retryLater(ctx, guesses.wait)
			return &gqlerror.Error{Message: guesses.Error(), Path: graphql.GetPath(ctx), Extensions: map[string]any{"code": codeRateLimited}}
		}
		if unable, isUnable := errors.AsType[*unavailable.Error](err); isUnable {
			remains := ""
			if runs(ctx, ast.Mutation) {
				remains = "nothing was changed"
			}
			return refuseNow(ctx, options.Log, unable, err, remains)
		}
		if errors.Is(err, context.Canceled) {
			// Who reads this did not go away, so that it is the server that ends. What it has done by then nobody knows here.
			unable, _ := errors.AsType[*unavailable.Error](db.ErrClosed)
			return refuseNow(ctx, options.Log, unable, err, "")
		}
		requestID := monitor.RequestID(ctx)
		options.Log.ErrorContext(ctx, "request failed", "request", requestID, "field", placeOf(ctx), "error", err)
		return &gqlerror.Error{
			Message: "Something went wrong on the server; its log has the cause under request " + requestID + ".", Path: graphql.GetPath(ctx),
			Extensions: map[string]any{"code": codeInternal, "requestId": requestID},
		}
	}
}

// placeOf returns the names of the fields that lead to where a context is. An alias may be anything that a client wrote.
func placeOf(ctx context.Context) string {
	var names []string
	for at := graphql.GetFieldContext(ctx); at != nil; at = at.Parent {
		if at.Index == nil && at.Field.Field != nil {
			names = append(names, at.Field.Name)
		}
	}
	slices.Reverse(names)
	return strings.Join(names, ".")
}

// refuseNow answers what the server cannot do now. remains says what is left of the request, as unavailable.Error.Sentences has it.
func refuseNow(ctx context.Context, log *slog.Logger, unable *unavailable.Error, err error, remains string) *gqlerror.Error {
	if unable.IsLogged {
		log.WarnContext(ctx, unable.Cause, "request", monitor.RequestID(ctx), "field", placeOf(ctx), "error", err)
	}
	if unable.RetryAfter > 0 {
		retryLater(ctx, unable.RetryAfter)
	}
	return &gqlerror.Error{
		Message: unable.Sentences(remains), Path: graphql.GetPath(ctx), Extensions: map[string]any{"code": codeUnavailable},
	}
}

type headerKey struct{}

// withHeader returns a context that carries the header of the response, for retryLater.
func withHeader(ctx context.Context, header http.Header) context.Context {
	return context.WithValue(ctx, headerKey{}, &responseHeader{header: header})
}

type responseHeader struct {
	once   sync.Once
	header http.Header
}

// retryLater adds Retry-After (RFC 9110, 10.2.3), in whole seconds, to the response.
func retryLater(ctx context.Context, wait time.Duration) {
	if response, ok := ctx.Value(headerKey{}).(*responseHeader); ok {
		response.once.Do(func() { response.header.Set("Retry-After", strconv.Itoa(int(roundUp(wait).Seconds()))) })
	}
}
