package main

import (
	"net"
	"time"
)

// stallTime is how long a client may take nothing of an answer before it is cut off, and writeStep
// how much it has to take meanwhile.
const (
	stallTime = time.Minute
	writeStep = 64 << 10
)

// patientListener gives connections that end when their clients take nothing for as long as
// patience says, whatever the answer is: of the API, a stream, a WebSocket, a file.
type patientListener struct {
	net.Listener

	patience time.Duration
}

// Accept waits for a connection.
func (l patientListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err //nolint:wrapcheck // net/http tells errors apart
	}
	return patientConn{conn, l.patience}, nil
}

type patientConn struct {
	net.Conn

	patience time.Duration
}

// Write writes, as long as the client takes a little of it now and then.
func (c patientConn) Write(p []byte) (written int, err error) {
	for {
		_ = c.SetWriteDeadline(time.Now().Add(c.patience))
		step := p[written:min(len(p), written+writeStep)]
		n, err := c.Conn.Write(step)
		written += n
		if err != nil || written == len(p) {
			return written, err //nolint:wrapcheck // net/http tells errors apart
		}
	}
}
