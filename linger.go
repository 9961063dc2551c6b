package main

import (
	"io"
	"net/http"
	"time"

	"couponql/transfer"
)

// lingerTime is how long a client may go on sending what nobody needs, and lingerStep how much of
// it is read between two looks at the time.
const (
	lingerTime = 30 * time.Second
	lingerStep = 1 << 20
)

// lingering reads what a client still sends of a body when it is answered already. Most clients
// look for the answer when they have sent everything. A connection that ends before takes it from
// them: they report a broken connection in place of what they should mend.
func lingering(within time.Duration, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent := &sentBody{ReadCloser: r.Body}
		// The server looks at the body of the request that it made, so next gets another one.
		read := r.WithContext(r.Context())
		if r.Body != http.NoBody {
			read.Body = sent
		}
		next.ServeHTTP(w, read)
		// A client that waits for "100 Continue" sends nothing before it hears that.
		waits := r.Header.Get("Expect") != "" && !sent.isRead
		if r.Body == http.NoBody || sent.isOver || waits {
			return
		}
		if http.NewResponseController(w).Flush() != nil {
			return
		}
		rest, end := transfer.Body(w, r)
		defer end()
		for start := time.Now(); time.Since(start) < within; {
			if _, err := io.CopyN(io.Discard, rest, lingerStep); err != nil {
				return
			}
		}
	})
}

// sentBody is a body that knows whether it was read, and whether there is nothing more to come.
type sentBody struct {
	io.ReadCloser

	isRead, isOver bool
}

// Read reads.
func (b *sentBody) Read(p []byte) (int, error) {
	b.isRead = true
	n, err := b.ReadCloser.Read(p)
	// After an error the client is gone, stalls, or is no longer let in.
	b.isOver = b.isOver || err != nil
	return n, err //nolint:wrapcheck // io.EOF must stay what it is
}
