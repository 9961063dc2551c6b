package resolvers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"couponql/background"
)

// eventStream is the transport of Server-Sent Events, by the protocol graphql-sse with a connection for each operation
// (https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md). It takes queries and mutations too.
//
// The transport that comes with the library writes bodies that it cannot read into the log and the answer.
type eventStream struct{}

var _ graphql.Transport = eventStream{}

const typeEvents = "text/event-stream"

// Supports tells requests that want events.
func (eventStream) Supports(r *http.Request) bool {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && r.Method == http.MethodPost && kind == typeJSON && strings.Contains(r.Header.Get("Accept"), typeEvents)
}

// Do answers a request until its operation is complete or its client is gone.
func (eventStream) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	start := graphql.Now()
	params, err := readBody(r)
	if problem, isHTTP := errors.AsType[httpError](err); isHTTP {
		w.Header().Set("Content-Type", typeJSON)
		refuseHTTP(w, problem)
		return
	}
	params.Headers, params.ReadTime = r.Header, graphql.TraceTiming{Start: start, End: graphql.Now()}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	operation, problems := exec.CreateOperationContext(ctx, params)
	ctx = graphql.WithOperationContext(ctx, operation)
	if isOverloaded(problems) {
		w.Header().Set("Content-Type", typeJSON)
		refuseOperation(w, typeJSON, exec.DispatchError(ctx, problems))
		return
	}
	w.Header().Set("Content-Type", typeEvents)
	events := &events{w: w, control: http.NewResponseController(w), cancel: cancel}
	events.send(":\n\n")
	if problems != nil {
		events.next(exec.DispatchError(ctx, problems))
		events.send("event: complete\n\n")
		return
	}
	stop := events.keepAlive(ctx)
	defer stop()
	responses, ctx := exec.DispatchOperation(ctx, operation)
	for response := responses(ctx); response != nil; response = responses(ctx) {
		events.next(response)
	}
	events.send("event: complete\n\n")
}

// events are those of one answer.
type events struct {
	mu      sync.Mutex
	w       io.Writer
	control *http.ResponseController
	// cancel ends the operation when nobody takes its events.
	cancel func()
}

// send writes the lines of an event, or of a comment.
func (e *events) send(lines string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	_, err := io.WriteString(e.w, lines)
	if err == nil {
		err = e.control.Flush()
	}
	if err != nil {
		e.cancel()
	}
}

// next sends a response.
func (e *events) next(response *graphql.Response) {
	text, err := json.Marshal(response)
	if err != nil {
		// It is made of what was JSON before.
		panic(err)
	}
	e.send(fmt.Sprintf("event: next\ndata: %s\n\n", text))
}

// keepAlive sends comments, so that proxies do not take the connection for idle. stop returns when the last was sent.
func (e *events) keepAlive(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	background.Go(func() error {
		ticker := time.NewTicker(keepAliveInterval)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				e.send(": ping\n\n")
			case <-ctx.Done():
				return nil
			}
		}
	}, func(err error) {
		if err != nil {
			e.cancel()
		}
		close(done)
	})
	return func() {
		cancel()
		<-done
	}
}
