package resolvers

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"couponql/unavailable"
)

// gate is what every operation passes, whatever transport it comes by: its document is read, its cost is known, and there is room
// for it before it is run.
type gate struct {
	documents *documents
	persisted persisted
	budget    *budget
}

// gated is a transport behind the gate.
type gated struct {
	graphql.Transport

	gate *gate
}

var _ graphql.Transport = gated{}

// Do answers a request.
func (t gated) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	body := t.gate.budget.of(r.Context())
	defer body.release()
	e := &admission{GraphExecutor: exec, gate: t.gate}
	defer e.leave()
	t.Transport.Do(w, r.WithContext(withHold(r.Context(), body)), e)
}

// admission is the executor of one request, or of the operations of one WebSocket.
type admission struct {
	graphql.GraphExecutor

	gate *gate
	// held is what the operation of a request holds until its answer has left. Those of a WebSocket give it back one by one.
	held *hold
}

var _ graphql.GraphExecutor = &admission{}

// holdExtension is the name under which an operation carries what it holds.
const holdExtension = "hold"

// CreateOperationContext reads a request, and refuses it where it may cost too much, or when there is no room for it now.
func (a *admission) CreateOperationContext(ctx context.Context, params *graphql.RawParams) (*graphql.OperationContext, gqlerror.List) {
	document, named, problems := a.gate.read(ctx, params)
	if problems != nil {
		return &graphql.OperationContext{RawQuery: params.Query, OperationName: params.OperationName, Variables: map[string]any{}}, problems
	}
	operation, problems := a.GraphExecutor.CreateOperationContext(withDocument(ctx, document.QueryDocument), params)
	if problems != nil {
		for _, problem := range problems {
			a.gate.documents.explain(named, params.Variables, problem)
		}
		return operation, shortened(problems)
	}
	document.numbers.give(operation.Variables)
	a.gate.persisted.keep(ctx, params)
	held := a.gate.budget.of(ctx)
	count := 1
	if operation.Operation.Operation == ast.Subscription {
		count = 0
	}
	bytes := bytesOf(operation)
	if socketOf(ctx) != nil {
		// That of a request is in what its body holds.
		bytes += bytesOfValue * valuesIn(params.Variables)
	}
	if !held.take(count, bytes) {
		return operation, gqlerror.List{overloaded(ctx)}
	}
	operation.Stats.SetExtension(holdExtension, held)
	if socketOf(ctx) == nil {
		a.held = held
	}
	return operation, nil
}

// read returns the document of a request, which may come by its hash, and the operation of it that is asked for.
func (g *gate) read(ctx context.Context, params *graphql.RawParams) (*document, *ast.OperationDefinition, gqlerror.List) {
	if problem := g.persisted.complete(ctx, params); problem != nil {
		return nil, nil, gqlerror.List{problem}
	}
	document, problems := g.documents.read(ctx, params.Query)
	if problems != nil {
		return nil, nil, problems
	}
	operation, problem := operationOf(document.QueryDocument, params.OperationName)
	if problem != nil {
		return nil, nil, shortened(gqlerror.List{problem})
	}
	return document, operation, nil
}

// valuesIn returns how many values there are in JSON that was read.
func valuesIn(value any) int64 {
	count := int64(1)
	switch v := value.(type) {
	case map[string]any:
		for _, inner := range v {
			count += valuesIn(inner)
		}
	case []any:
		for _, inner := range v {
			count += valuesIn(inner)
		}
	}
	return count
}

// bytesOf returns how much memory an operation may take until it is answered.
func bytesOf(operation *graphql.OperationContext) int64 {
	c := costOf(operation)
	return bytesOfUnit * int64(c.complexity+c.schemaSize)
}

// overloaded is the answer of a server that has no room for an operation.
func overloaded(ctx context.Context) *gqlerror.Error {
	retryLater(ctx, unavailable.RetryAfter)
	return &gqlerror.Error{
		Message: fmt.Sprintf("The server answers as much as it can at once, or as it may to you, and did nothing of this. Read the answers that wait, "+
			"ask for less at once, or try again in %s.", unavailable.RetryAfter),
		Extensions: map[string]any{"code": codeUnavailable, "retryAfterSeconds": int(unavailable.RetryAfter.Seconds())},
	}
}

// isOverloaded tells the answer of overloaded.
func isOverloaded(problems gqlerror.List) bool {
	return len(problems) == 1 && problems[0].Extensions["code"] == codeUnavailable
}

// DispatchOperation runs an operation. What it holds is its estimate while it runs, and what the answer takes until a transport asks
// for the next.
func (a *admission) DispatchOperation(ctx context.Context, operation *graphql.OperationContext) (graphql.ResponseHandler, context.Context) {
	held, _ := operation.Stats.GetExtension(holdExtension).(*hold)
	if held == nil {
		// It was refused, and is not to be run.
		panic(errors.New("an operation was not let in"))
	}
	isRunning := false
	defer func() {
		if !isRunning {
			held.release()
		}
	}()
	responses, inner := a.GraphExecutor.DispatchOperation(ctx, operation)
	isRunning = true
	return func(ctx context.Context) *graphql.Response {
		// The answer before has left.
		held.resize(bytesOf(operation))
		var response *graphql.Response
		defer func() {
			if response == nil {
				held.release()
				return
			}
			held.resize(copiesOfAnswer * int64(len(response.Data)))
		}()
		response = responses(ctx)
		return response
	}, inner
}

// leave gives back what a request held.
func (a *admission) leave() {
	if a.held != nil {
		a.held.release()
	}
}
