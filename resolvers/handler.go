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
	"github.com/vektah/gqlparser/v2/ast"

	"couponql/graph"
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
	// maxDepth is how deep fields may be nested.
	maxDepth = 15
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
	// HidesSchema: introspection is refused, and errors do not tell names that would have been right.
	HidesSchema bool
}

// Handler serves the GraphQL API: queries, mutations and uploads by POST, queries by GET, subscriptions by
// Server-Sent Events and WebSocket.
func Handler(r *Resolver, options Options) http.Handler {
	config := graph.Config{Resolvers: r}
	setComplexity(&config.Complexity)
	server := handler.New(graph.NewExecutableSchema(config))
	// The first transport that supports a request takes it, so the special ones stand before plainHTTP.
	server.AddTransport(transport.Websocket{KeepAlivePingInterval: keepAliveInterval, InitTimeout: webSocketInitTime})
	server.AddTransport(transport.SSE{KeepAlivePingInterval: keepAliveInterval})
	server.AddTransport(transport.Options{})
	server.AddTransport(multipartForm{store: r.store, options: options})
	server.AddTransport(plainHTTP{})
	server.SetQueryCache(smallQueries{lru.New[*ast.QueryDocument](cachedQueries)})
	server.SetParserTokenLimit(maxTokens)
	if options.HidesSchema {
		server.Use(hiddenSchema{})
	} else {
		server.Use(extension.Introspection{})
	}
	server.Use(extension.FixedComplexityLimit(maxComplexity))
	server.Use(depthLimit{})
	server.SetErrorPresenter(present(options))
	server.SetRecoverFunc(func(_ context.Context, panicked any) error {
		return fmt.Errorf("panic: %v\n%s", panicked, debug.Stack())
	})
	server.AroundResponses(func(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
		ctx = withAliases(withScope(ctx))
		if isQuery(ctx) {
			limited, cancel := context.WithTimeout(ctx, queryTimeout)
			defer cancel()
			ctx = limited
		}
		return next(ctx)
	})
	server.AroundRootFields(func(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
		switch graphql.GetOperationContext(ctx).Operation.Operation {
		case ast.Mutation:
			return next(withScope(ctx))
		case ast.Query, ast.Subscription:
		}
		return next(ctx)
	})
	return limitRequests(server)
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
		next.ServeHTTP(w, r.WithContext(withHeader(r.Context(), w.Header())))
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
