package resolvers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"couponql/access"
	"couponql/background"
)

const typeEvents = "text/event-stream"

// stream answers with Server-Sent Events until the responses end or the client is gone, by the protocol graphql-sse with a
// connection for each operation (https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md); an EventSource may ask by
// GET. cancel ends the operation when nobody takes its events.
func (a *reply) stream(responses graphql.ResponseHandler, ctx context.Context, cancel func()) { //nolint:revive // as DispatchOperation gives them
	a.w.Header().Set("Content-Type", typeEvents)
	// A proxy that buffers would keep events to itself.
	a.w.Header().Set("X-Accel-Buffering", "no")
	events := &events{w: a.w, control: http.NewResponseController(a.w), cancel: cancel}
	events.send(":\n\n")
	stop := events.keepAlive(ctx)
	defer stop()
	for response := responses(ctx); response != nil; response = responses(ctx) {
		events.next(response)
	}
	if stops(ctx) {
		// What breaks off is not complete: the client connects again.
		return
	}
	events.send("event: complete\ndata:\n\n")
}

// stops reports whether the server stops, or the client is gone, by the context
// of a request.
func stops(ctx context.Context) bool {
	return ctx.Err() != nil && !errors.Is(context.Cause(ctx), access.ErrOut)
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
	// A line ends an event's data; between the values of JSON it is a blank.
	text := bytes.ReplaceAll(responseText(response), []byte("\n"), []byte(" "))
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
