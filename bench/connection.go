package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
)

// connections are kept open to one server, each for one request at a time. The client of net/http has two more goroutines
// for each, and took 28 % of what redeeming over HTTP took, on the processors that the server runs on too.
type connections struct {
	host string
	// head is what all requests begin with, but for the length of their body.
	head string
	idle chan *connection
}

// connection is one of them.
type connection struct {
	net.Conn
	reader *bufio.Reader
	// request is the text of the last one, whose room the next one takes.
	request []byte
}

// newConnections makes connections that post JSON to a path of a host, with a key unless it is "".
func newConnections(host, path, key string) *connections {
	head := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\n", path, host)
	if key != "" {
		head += "Authorization: Bearer " + key + "\r\n"
	}
	return &connections{host: host, head: head, idle: make(chan *connection, maxCallers)}
}

// post sends a body and gives the status and the body of the answer.
func (c *connections) post(ctx context.Context, body []byte) (status int, text []byte, err error) {
	one, err := c.take(ctx)
	if err != nil {
		return 0, nil, err
	}
	status, text, isKept, err := one.exchange(c.head, body)
	if err != nil || !isKept {
		_ = one.Close()
		return status, text, err
	}
	select {
	case c.idle <- one:
	default:
		_ = one.Close()
	}
	return status, text, nil
}

// take returns a connection that nobody uses.
func (c *connections) take(ctx context.Context) (*connection, error) {
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	select {
	case one := <-c.idle:
		return one, nil
	default:
	}
	opened, err := new(net.Dialer).DialContext(ctx, "tcp", c.host)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	return &connection{Conn: opened, reader: bufio.NewReader(opened)}, nil
}

func (c *connections) close() {
	for {
		select {
		case one := <-c.idle:
			_ = one.Close()
		default:
			return
		}
	}
}

// exchange sends a request and reads the answer; isKept tells whether the connection can be used again.
func (c *connection) exchange(head string, body []byte) (status int, text []byte, isKept bool, err error) {
	c.request = append(append(c.request[:0], head...), "Content-Length: "...)
	c.request = append(append(strconv.AppendInt(c.request, int64(len(body)), 10), "\r\n\r\n"...), body...)
	if _, err := c.Write(c.request); err != nil {
		return 0, nil, false, fmt.Errorf("send a request: %w", err)
	}
	response, err := http.ReadResponse(c.reader, nil)
	if err != nil {
		return 0, nil, false, fmt.Errorf("read an answer: %w", err)
	}
	defer response.Body.Close()
	var answer bytes.Buffer
	answer.Grow(int(max(0, min(response.ContentLength, maxAnswerBytes)) + bytes.MinRead))
	if _, err := answer.ReadFrom(io.LimitReader(response.Body, maxAnswerBytes)); err != nil {
		return 0, nil, false, fmt.Errorf("read an answer: %w", err)
	}
	return response.StatusCode, answer.Bytes(), !response.Close, nil
}
