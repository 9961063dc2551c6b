package sender

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
)

// Limits of what a mail server answers.
const (
	// maxReplyLine is the longest line of an answer that is read, in bytes: RFC 5321 allows 512, RFC 4954 allows 12,288.
	maxReplyLine = 16 << 10
	// maxReply is the longest answer to one step, in bytes.
	maxReply = 64 << 10
	// maxRaw is how much is read between two things that are written, encrypted and with certificates, in bytes.
	maxRaw = 1 << 20
)

// replies gives the answers of a mail server, line by line, to the library that reads them. The library waits for more where
// lines of one answer have different codes, keeps an answer without end in memory, and knows no line of a code alone, which
// RFC 5321 allows. Here the first two are errors at once, and the third is a line with an empty text.
type replies struct {
	lines *bufio.Reader
	// line is what is still to be given of the last line.
	line []byte
	// code is that of the answer that goes on; "" between two answers. size is how long it is so far.
	code string
	size int
	err  error
}

func newReplies(from io.Reader) *replies {
	return &replies{lines: bufio.NewReaderSize(from, maxReplyLine)}
}

func (r *replies) Read(p []byte) (int, error) {
	if len(r.line) == 0 && r.err == nil {
		r.next()
	}
	if len(r.line) == 0 {
		return 0, r.err
	}
	n := copy(p, r.line)
	r.line = r.line[n:]
	return n, nil
}

// next reads a line. What comes after an error is not read, as nobody knows to what it is an answer.
func (r *replies) next() {
	line, err := r.lines.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		r.err = fmt.Errorf("the answer has a line of more than %d bytes", maxReplyLine)
		return
	}
	if err != nil {
		r.line, r.err = line, err
		return
	}
	if r.size += len(line); r.size > maxReply {
		r.err = fmt.Errorf("the answer has no end within %d bytes", maxReply)
		return
	}
	text := bytes.TrimRight(line, "\r\n")
	code, goesOn, isReply := replyCode(text)
	switch {
	case !isReply && r.code == "":
		r.size = 0 // The library says what is wrong with it.
	case !isReply:
		// Old servers leave the code out of lines in between.
	case r.code != "" && r.code != code:
		r.err = fmt.Errorf("the answer is garbled: one of its lines has the code %s, and another %s", r.code, code)
		return
	case goesOn:
		r.code = code
	default:
		r.code, r.size = "", 0
	}
	if r.line = line; isReply && len(text) == len(code) {
		r.line = []byte(code + " \r\n")
	}
}

// replyCode returns the code with which a line of an answer begins, and tells whether another line follows.
func replyCode(line []byte) (code string, goesOn, isReply bool) {
	if len(line) < 3 || len(line) > 3 && line[3] != ' ' && line[3] != '-' {
		return "", false, false
	}
	for _, c := range line[:3] {
		if c < '0' || c > '9' {
			return "", false, false
		}
	}
	return string(line[:3]), len(line) > 3 && line[3] == '-', true
}

// wire is a connection to a mail server whose answers are watched as long as they are in the clear. Those inside of TLS
// are watched by session.watch; of them a greeting, and the answer to EHLO just after STARTTLS, are held to maxRaw alone,
// as the library reads them before it can be told.
type wire struct {
	net.Conn

	// clear has the answers in the clear; nil: TLS has begun.
	clear *replies
	// mayEncrypt: what is written next may be the first record of TLS.
	mayEncrypt bool
	// raw is how much was read since something was written.
	raw int
}

// tlsHandshake is the byte with which the first record of TLS begins.
const tlsHandshake = 0x16

func newWire(conn net.Conn, isEncrypted bool) *wire {
	l := &wire{Conn: conn}
	if !isEncrypted {
		l.clear = newReplies(readerFunc(l.read))
	}
	return l
}

func (l *wire) Read(p []byte) (int, error) {
	if l.clear != nil {
		return l.clear.Read(p)
	}
	return l.read(p)
}

func (l *wire) read(p []byte) (int, error) {
	n, err := l.Conn.Read(p)
	if l.raw += n; l.raw > maxRaw {
		return 0, fmt.Errorf("the answer has no end within %d bytes", maxRaw)
	}
	return n, err
}

func (l *wire) Write(p []byte) (int, error) {
	l.raw = 0
	if l.mayEncrypt && len(p) > 0 && p[0] == tlsHandshake {
		l.clear, l.mayEncrypt = nil, false
	}
	return l.Conn.Write(p)
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// watch has the answers watched that come out of TLS.
func (c *session) watch() {
	c.client.Text.R = bufio.NewReader(newReplies(c.client.Text.R))
}
