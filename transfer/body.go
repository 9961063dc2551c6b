package transfer

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"time"

	"couponql/background"
)

// stallTime is how long a client may neither send nor take a byte before it is cut off.
const stallTime = time.Minute

// Body returns the body of a request that may take hours, and what the handler has to call at its end. A read of it
// fails when the client sends nothing for a minute, and when the request is canceled, as it is when the server stops.
func Body(w http.ResponseWriter, r *http.Request) (content io.Reader, end func()) {
	return newBody(w, r, stallTime)
}

func newBody(w http.ResponseWriter, r *http.Request, patience time.Duration) (content *body, end func()) {
	b := &body{from: r.Body, ctx: r.Context(), control: http.NewResponseController(w), patience: patience}
	b.wait()
	b.release = background.AfterDone(r.Context(), func() error { return b.control.SetReadDeadline(time.Unix(1, 0)) }, func(error) {})
	return b, func() { b.release() }
}

// body is a body with a deadline that moves on with each read.
type body struct {
	from     io.Reader
	ctx      context.Context //nolint:containedctx // it is that of the request that the body belongs to
	control  *http.ResponseController
	patience time.Duration
	release  func() bool
	isOver   bool
}

// wait moves the deadline on. Where the connection has no deadlines, as in a test without one, there is none.
func (b *body) wait() { _ = b.control.SetReadDeadline(time.Now().Add(b.patience)) }

// Read reads, or gives why the request was canceled.
func (b *body) Read(p []byte) (int, error) {
	if b.isOver {
		return 0, io.EOF
	}
	b.wait()
	// The deadline may just have replaced the one that ends a canceled request: so this is asked after it.
	if b.ctx.Err() != nil {
		return 0, context.Cause(b.ctx)
	}
	n, err := b.from.Read(p)
	if errors.Is(err, io.EOF) {
		// From here on the server watches the connection, with all the time that the answer takes. After another
		// error the deadline stays: the server reads what is left of the body before it answers.
		b.isOver = true
		b.release()
		_ = b.control.SetReadDeadline(time.Time{})
	}
	return n, err
}

// answer is a response that may take hours: a write of it fails when the client takes nothing for a minute.
type answer struct {
	http.ResponseWriter

	control  *http.ResponseController
	patience time.Duration
	// isBegun says that something was written, so that the status cannot change any more.
	isBegun bool
}

// newAnswer returns the response and what takes its deadline back.
func newAnswer(w http.ResponseWriter, patience time.Duration) (a *answer, end func()) {
	a = &answer{ResponseWriter: w, control: http.NewResponseController(w), patience: patience}
	return a, func() { _ = a.control.SetWriteDeadline(time.Time{}) }
}

// Write writes.
func (a *answer) Write(p []byte) (int, error) {
	a.isBegun = true
	// An error comes again with the write, or there are no deadlines.
	_ = a.control.SetWriteDeadline(time.Now().Add(a.patience))
	return a.ResponseWriter.Write(p)
}

// isGone tells the errors of a client that broke off, stalled or was told to go; they are not the server's.
func isGone(r *http.Request, err error) bool {
	if r.Context().Err() != nil || errors.Is(err, io.ErrUnexpectedEOF) {
		return true
	}
	_, isBroken := errors.AsType[*net.OpError](err)
	return isBroken
}
