package resolvers

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/extension"
	"github.com/99designs/gqlgen/graphql/handler/lru"
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
	// maxTokens is how long a document may be.
	maxTokens = 15_000
	// maxDepth is how deep fields may be nested, and maxAliases how many of them may have a name of the caller's.
	maxDepth   = 15
	maxAliases = 1000
	// maxComplexity is how much one operation may ask for: each field counts one, each list as many times
	// as it has items at the most.
	maxComplexity = 500_000
	// queryTimeout ends queries that take too long; a mutation that has begun is finished.
	queryTimeout = 60 * time.Second
	// cachedQueries is how many parsed documents are kept, of at most maxCachedQueryBytes each.
	cachedQueries       = 1000
	maxCachedQueryBytes = 16 << 10
	keepAliveInterval   = 15 * time.Second
	webSocketInitTime   = 10 * time.Second
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
	audit := &auditor{store: r.store}
	config.Directives.Confidential, config.Directives.Audited = mask, audit.use
	executable := graph.NewExecutableSchema(config)
	audit.schema = executable.Schema()
	server := handler.New(executable)
	// The first transport that supports a request takes it, so the special ones stand before plainHTTP.
	server.AddTransport(transport.Websocket{
		KeepAlivePingInterval: keepAliveInterval, InitTimeout: webSocketInitTime, InitFunc: initialize(r.guard),
		Implementation: sockets{transport.CoderWebsocketImplementation{AcceptOptions: websocket.AcceptOptions{OriginPatterns: options.Origins}}},
	})
	server.AddTransport(transport.SSE{KeepAlivePingInterval: keepAliveInterval})
	server.AddTransport(transport.Options{})
	server.AddTransport(multipartForm{store: r.store, options: options})
	server.AddTransport(plainHTTP{})
	server.SetQueryCache(smallQueries{lru.New[*ast.QueryDocument](cachedQueries)})
	server.SetParserTokenLimit(maxTokens)
	server.Use(presence{r.guard})
	if options.HidesSchema {
		server.Use(hiddenSchema{})
	} else {
		server.Use(extension.Introspection{})
	}
	server.Use(extension.FixedComplexityLimit(maxComplexity))
	server.Use(shapeLimit{})
	server.Use(authorization{guard: r.guard, schema: audit.schema, rules: rulesOf(audit.schema)})
	server.SetErrorPresenter(present(options))
	server.SetRecoverFunc(func(_ context.Context, panicked any) error {
		return fmt.Errorf("panic: %v\n%s", panicked, debug.Stack())
	})
	server.AroundOperations(new(subscriptions).limit)
	server.AroundResponses(audit.response(present(options)))
	server.AroundResponses(func(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
		ctx = withAliases(withScope(ctx), audit)
		if isQuery(ctx) {
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

// isQuery tells whether a query is answered. A request that cannot be read has no operation.
func isQuery(ctx context.Context) bool {
	if !graphql.HasOperationContext(ctx) {
		return false
	}
	operation := graphql.GetOperationContext(ctx).Operation
	return operation != nil && operation.Operation == ast.Query
}

// limitRequests bounds the bodies of requests that carry no file.
func limitRequests(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isUpload := (multipartForm{}).Supports(r); !isUpload {
			r.Body = http.MaxBytesReader(w, r.Body, MaxRequestBytes)
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

// smallQueries caches parsed documents, but not huge ones: the cache counts documents, not bytes.
type smallQueries struct {
	*lru.LRU[*ast.QueryDocument]
}

// Add keeps a document unless it is large.
func (c smallQueries) Add(ctx context.Context, query string, document *ast.QueryDocument) {
	if len(query) <= maxCachedQueryBytes {
		c.LRU.Add(ctx, query, document)
	}
}
