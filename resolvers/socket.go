package resolvers

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/coder/websocket"
)

// webSocket accepts WebSockets for the library's transport.
type webSocket struct {
	options websocket.AcceptOptions
}

var _ transport.WebsocketImplementation = webSocket{}

// Accept accepts a WebSocket.
func (s webSocket) Accept(w http.ResponseWriter, r *http.Request, options transport.WebsocketAcceptOptions) (transport.WebsocketConn, error) {
	conn, err := transport.CoderWebsocketImplementation{AcceptOptions: s.options}.Accept(w, r, options)
	if err != nil {
		// The reason quotes the request, and has been answered; the library would log it.
		return nil, errors.New("it was refused")
	}
	return &readSocket{conn}, nil
}

// readSocket is a WebSocket that ends, with all that is asked by it, when its client takes no answer: the library would go on.
type readSocket struct {
	transport.WebsocketConn
}

// WriteJSON sends a message.
func (s *readSocket) WriteJSON(value any) error {
	if err := s.WebsocketConn.WriteJSON(value); err != nil {
		return errors.Join(fmt.Errorf("send: %w", err), s.Close())
	}
	return nil
}

// NextReader returns the next message. It refuses one that is nested too deep.
func (s *readSocket) NextReader() (int, io.Reader, error) {
	kind, from, err := s.WebsocketConn.NextReader()
	if err != nil {
		return kind, nil, err //nolint:wrapcheck // the library tells errors apart
	}
	text, err := io.ReadAll(from)
	if err != nil {
		return kind, nil, fmt.Errorf("read: %w", err)
	}
	if _, depth := weigh(text); depth > maxNesting {
		return kind, nil, errors.Join(fmt.Errorf("a message is nested deeper than %d levels", maxNesting), s.Close())
	}
	return kind, bytes.NewReader(text), nil
}

// SetReadLimit sets how many bytes a message has at the most.
func (s *readSocket) SetReadLimit(limit int64) {
	if limiter, isLimiter := s.WebsocketConn.(transport.WebsocketReadLimiter); isLimiter {
		limiter.SetReadLimit(limit)
	}
}
