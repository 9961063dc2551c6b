package resolvers

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"couponql/access"
	"couponql/background"
)

// farewellTime is how long a client may take to read that its caller is out, before its connection is cut off.
const farewellTime = 500 * time.Millisecond

// The codes with which a WebSocket of graphql-transport-ws closes. Clients connect again after all but
// closeUnauthorized, perhaps with a newer token: the same key would be refused again.
const (
	closeGoingAway    = 1001
	closeTryAgain     = 1013
	closeUnauthorized = 4401
	closeForbidden    = 4403
)

// presence has every operation judged when it acts, not only when its connection was opened: before anything of it is read,
// before each field of a mutation, and before each answer, of which a stream has many.
type presence struct{ guard *access.Guard }

var _ interface {
	graphql.HandlerExtension
	graphql.OperationParameterMutator
	graphql.OperationInterceptor
	graphql.RootFieldInterceptor
} = presence{}

// ExtensionName names the extension.
func (presence) ExtensionName() string { return "Presence" }

// Validate has nothing to check.
func (presence) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationParameters refuses what a caller asks for who is out.
func (p presence) MutateOperationParameters(ctx context.Context, _ *graphql.RawParams) *gqlerror.Error {
	if p.isOut(ctx) {
		return refusal(codeUnauthenticated, nil, "%s.", sentence(access.ErrOut))
	}
	return nil
}

// InterceptOperation answers that the caller is out, once, instead of what came of the operation.
func (p presence) InterceptOperation(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	handler := next(context.WithValue(ctx, farewellKey{}, new(atomic.Bool)))
	isOver := false
	return func(ctx context.Context) *graphql.Response {
		if isOver {
			return nil
		}
		response := handler(ctx)
		if !p.isOut(ctx) {
			return response
		}
		isOver = true
		answer := refusal(codeUnauthenticated, nil, "%s.", sentence(access.ErrOut))
		if graphql.GetOperationContext(ctx).Operation.Operation == ast.Mutation {
			answer.Message += " What this mutation had changed before stays changed."
		}
		return &graphql.Response{Errors: gqlerror.List{answer}}
	}
}

// InterceptRootField does nothing more of a mutation whose caller is out meanwhile; InterceptOperation says so.
func (p presence) InterceptRootField(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
	if graphql.GetOperationContext(ctx).Operation.Operation == ast.Mutation && p.isOut(ctx) {
		return graphql.Null
	}
	return next(ctx)
}

// isOut reports whether the caller of an operation is not let in any more.
func (p presence) isOut(ctx context.Context) bool {
	caller := access.CallerOf(ctx)
	if caller == nil || p.guard.IsStillIn(caller) {
		return false
	}
	farewell, isOperation := ctx.Value(farewellKey{}).(*atomic.Bool)
	return !isOperation || !farewell.Load()
}

type farewellKey struct{}

// changeRights ends what others have open who lost their right by the mutation of a context. If its own caller is one of them,
// it is the last operation that is done and answered.
func (r *Resolver) changeRights(ctx context.Context) {
	if farewell, isOperation := ctx.Value(farewellKey{}).(*atomic.Bool); isOperation {
		farewell.Store(true)
	}
	r.guard.Spare(ctx)
	r.guard.Look()
}

// cutOff has a connection end that a client keeps open by not reading, or not closing it, after its caller is out. done is to be
// called when the request is answered: the connection may be used for others.
func cutOff(ctx context.Context, w http.ResponseWriter, isSocket bool) (done func()) {
	control, isThrough := http.NewResponseController(w), make(chan struct{})
	stop := background.AfterDone(ctx, func() error {
		if !errors.Is(context.Cause(ctx), access.ErrOut) {
			return nil
		}
		// Where the connection has no deadlines, as in a test without one, there is none.
		deadline := time.Now().Add(farewellTime)
		_ = control.SetWriteDeadline(deadline)
		if isSocket {
			_ = control.SetReadDeadline(deadline)
		}
		return nil
	}, func(error) { close(isThrough) })
	return func() {
		if !stop() {
			<-isThrough
			_ = control.SetWriteDeadline(time.Time{})
		}
	}
}

// socket is a WebSocket that is open, or about to be.
type socket struct {
	transport.WebsocketConn
	transport.WebsocketReadLimiter

	address string
	w       http.ResponseWriter
	// request is the context of its request, which ends when the server stops.
	request context.Context //nolint:containedctx // the socket belongs to it
	// during is the context of its caller's stay, once connection_init was read.
	during atomic.Pointer[context.Context]
}

type socketKey struct{}

// withSocket returns a context of a request that wants to become a WebSocket.
func withSocket(ctx context.Context, w http.ResponseWriter, r *http.Request) context.Context {
	return context.WithValue(ctx, socketKey{}, &socket{address: addressOf(r), w: w, request: r.Context()})
}

// socketOf returns the WebSocket that an operation came through, nil when it came otherwise.
func socketOf(ctx context.Context) *socket {
	s, _ := ctx.Value(socketKey{}).(*socket)
	return s
}

// sockets opens WebSockets.
type sockets struct {
	transport.WebsocketImplementation
}

// Accept opens a WebSocket.
func (i sockets) Accept(w http.ResponseWriter, r *http.Request, options transport.WebsocketAcceptOptions) (transport.WebsocketConn, error) {
	connection, err := i.WebsocketImplementation.Accept(w, r, options)
	if err != nil {
		return nil, err
	}
	s := socketOf(r.Context())
	s.WebsocketConn = connection
	s.WebsocketReadLimiter, _ = connection.(transport.WebsocketReadLimiter)
	return s, nil
}

// stay notes the context of the caller's stay. The connection ends with it.
func (s *socket) stay(during context.Context) {
	s.during.Store(&during)
	cutOff(during, s.w, true)
}

// WriteClose closes the WebSocket, with the reason if that is that its caller is out, or that the
// server stops.
func (s *socket) WriteClose(code int, reason string) error {
	during := s.during.Load()
	switch {
	case during != nil && errors.Is(context.Cause(*during), access.ErrOut):
		code, reason = closeForbidden, "Forbidden: the key or token is not valid any more"
	case stops(s.request):
		code, reason = closeGoingAway, "Going away: the server stops"
	}
	return s.WebsocketConn.WriteClose(code, reason)
}
