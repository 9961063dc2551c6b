package resolvers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/extension"
	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/coder/websocket"
	"github.com/vektah/gqlparser/v2/ast"

	"couponql/graph"
	"couponql/monitor"
)

// Limits of a request.
const (
	// MaxRequestBytes is the size of the largest request that is not an upload.
	MaxRequestBytes = 4 << 20
	// maxFiles is how many files come with one request, and maxPlaces how many variables they are given to.
	maxFiles  = 10
	maxPlaces = 100
	// maxNesting is how deep the JSON of a request may be nested.
	maxNesting = 100
	// bodyTime is how long a body may take to arrive that is not an upload.
	bodyTime = 30 * time.Second
	// queryTimeout ends queries that take too long; a mutation that has begun is finished.
	queryTimeout      = 60 * time.Second
	keepAliveInterval = 15 * time.Second
	webSocketInitTime = 10 * time.Second
)

// Options say how the API is served.
type Options struct {
	Log *slog.Logger
	// Monitor times root fields; nil: nobody does.
	Monitor *monitor.Monitor
	// HidesSchema: introspection is refused, and errors do not tell names that would have been right.
	HidesSchema bool
	// Origins are the other sites whose pages may use the API, such as https://shop.example.com, with their scheme.
	Origins []string
}

// Handler serves the GraphQL API: queries, mutations and uploads by POST, queries by GET, subscriptions by
// Server-Sent Events and WebSocket.
func Handler(r *Resolver, options Options) http.Handler {
	config := graph.Config{Resolvers: r}
	setComplexity(&config.Complexity)
	schema := offered(graph.NewExecutableSchema(config).Schema())
	config.Schema = schema
	audit := newAuditor(r.store, schema)
	config.Directives.Confidential, config.Directives.Audited = mask, audit.use
	executable := graph.NewExecutableSchema(config)
	server := handler.New(executable)
	// The first transport that supports a request takes it, so the special ones stand before plainHTTP.
	entrance := &gate{documents: newDocuments(schema, options.HidesSchema), persisted: newPersisted(), budget: &budget{}}
	for _, one := range []graphql.Transport{
		transport.Websocket{
			KeepAlivePingInterval: keepAliveInterval, InitTimeout: webSocketInitTime, InitFunc: initialize(r.guard),
			Implementation: sockets{webSocket{options: websocket.AcceptOptions{OriginPatterns: options.Origins}}},
		},
		transport.Options{},
		multipartForm{store: r.store, options: options},
		plainHTTP{},
	} {
		server.AddTransport(gated{Transport: one, gate: entrance})
	}
	server.SetQueryCache(readDocuments{})
	server.Use(presence{r.guard})
	if options.HidesSchema {
		server.Use(hiddenSchema{})
	} else {
		server.Use(extension.Introspection{})
	}
	server.Use(costLimit{executable})
	server.Use(authorization{guard: r.guard, schema: schema, rules: rulesOf(schema)})
	server.Use(idempotency{schema})
	server.SetErrorPresenter(present(options))
	server.SetRecoverFunc(func(_ context.Context, panicked any) error {
		return fmt.Errorf("panic: %v\n%s", panicked, debug.Stack())
	})
	server.AroundOperations(new(subscriptions).limit)
	server.AroundResponses(audit.response(present(options)))
	server.AroundResponses(func(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
		ctx = withAliases(withScope(ctx), audit)
		if runs(ctx, ast.Query) {
			limited, cancel := context.WithTimeout(ctx, queryTimeout)
			defer cancel()
			ctx = limited
		}
		return next(ctx)
	})
	server.AroundRootFields(func(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
		operation := graphql.GetOperationContext(ctx).Operation.Operation
		if operation == ast.Mutation {
			ctx = withScope(ctx)
		}
		field := graphql.GetRootFieldContext(ctx).Field
		ctx, end := options.Monitor.Begin(ctx, monitor.Kind(operation), field.Name)
		isRefused := false
		result := next(context.WithValue(ctx, refusedKey{}, &isRefused))
		end(rootOutcome(ctx, field.Alias, isRefused))
		return result
	})
	return limitRequests(identified(server, r.guard))
}

// offered returns a schema without the directive @defer, which the library adds to every one: answers here are whole.
func offered(schema *ast.Schema) *ast.Schema {
	copied := *schema
	copied.Directives = maps.Clone(schema.Directives)
	delete(copied.Directives, "defer")
	return &copied
}

type refusedKey struct{}

// noteRefusal notes that the root field of a context told its caller what to mend.
func noteRefusal(ctx context.Context) {
	if isRefused, ok := ctx.Value(refusedKey{}).(*bool); ok {
		*isRefused = true
	}
}

// rootOutcome tells what came of a root field.
func rootOutcome(ctx context.Context, alias string, isRefused bool) monitor.Outcome {
	outcome := monitor.OutcomeDone
	if isRefused {
		outcome = monitor.OutcomeRefused
	}
	for _, err := range graphql.GetErrors(ctx) {
		if len(err.Path) == 0 || err.Path[0] != ast.PathName(alias) {
			continue
		}
		switch err.Extensions["code"] {
		case codeInternal, codeUnavailable, codeTimeout:
			return monitor.OutcomeFailed
		}
		outcome = monitor.OutcomeRefused
	}
	return outcome
}

// runs reports whether an operation of a kind is answered. A request that cannot be read has no operation.
func runs(ctx context.Context, kind ast.Operation) bool {
	if !graphql.HasOperationContext(ctx) {
		return false
	}
	operation := graphql.GetOperationContext(ctx).Operation
	return operation != nil && operation.Operation == kind
}

// limitRequests bounds the bodies of requests that carry no file.
func limitRequests(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isUpload := (multipartForm{}).Supports(r); !isUpload {
			r.Body = http.MaxBytesReader(w, r.Body, MaxRequestBytes)
			if r.ContentLength != 0 && !isUpgrade(r) {
				r.Body = punctual(w, r.Body, bodyTime)
			}
		}
		// Answers hold codes and addresses.
		w.Header().Set("Cache-Control", "no-store")
		ctx := withHeader(r.Context(), w.Header())
		if isUpgrade(r) {
			ctx = withSocket(ctx, w, r)
		}
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// punctual returns a body of which nothing can be read any more after a time.
func punctual(w http.ResponseWriter, from io.ReadCloser, within time.Duration) io.ReadCloser {
	b := &punctualBody{ReadCloser: from, control: http.NewResponseController(w)}
	// Where the connection has no deadlines, as in a test without one, there is none.
	_ = b.control.SetReadDeadline(time.Now().Add(within))
	return b
}

type punctualBody struct {
	io.ReadCloser

	control *http.ResponseController
}

// Read reads. From the end of the body on the server watches the connection, with all the time that the answer takes.
func (b *punctualBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if errors.Is(err, io.EOF) {
		_ = b.control.SetReadDeadline(time.Time{})
	}
	return n, err //nolint:wrapcheck // io.EOF must stay what it is
}
