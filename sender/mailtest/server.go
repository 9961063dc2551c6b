// Package mailtest has a mail server that answers as a test wants: by step, late, within limits, or
// not at all.
package mailtest

import (
	"bufio"
	"fmt"
	"net"
	"net/textproto"
	"strings"
	"sync"
	"testing"
	"time"
)

// Step is what a server answers.
type Step string

// The steps, in their order.
const (
	Greeting Step = "greeting"
	Hello    Step = "EHLO"
	// Auth is when the client has answered the challenge of CRAM-MD5, whatever it says.
	Auth Step = "AUTH"
	Mail Step = "MAIL"
	Rcpt Step = "RCPT"
	Data Step = "DATA"
	// Content has arrived in part, Dot as a whole.
	Content Step = "content"
	Dot     Step = "dot"
	Reset   Step = "RSET"
	Quit    Step = "QUIT"
)

// Event is a step that waits for its answer.
type Event struct {
	Step Step
	// Line is what the client said; at Dot the mail.
	Line string
	// To is the recipient, once it was named.
	To string
	// Connection numbers the connections from 1. Open is how many there are, this one included.
	Connection, Open int
	// OnConnection is how many mails were taken on this connection, Taken how many on all.
	OnConnection, Taken int
	At                  time.Time
}

// Reply is how a step is answered. The zero value takes it.
type Reply struct {
	// Text is the answer, such as "450 4.7.1 Too fast".
	Text string
	// Delay is how long the answer takes; Until has it wait for a channel besides.
	Delay time.Duration
	Until <-chan struct{}
	// Breaks closes the connection instead of answering.
	Breaks bool
}

// Letter is a mail that was taken.
type Letter struct {
	To, Text string
	At       time.Time
}

// Server is a mail server on this machine.
type Server struct {
	// Addr is where it listens.
	Addr string

	script func(Event) Reply
	mu     sync.Mutex
	// open are the connections; asked counts the steps that were answered.
	open        map[net.Conn]struct{}
	connections int
	maxOpen     int
	asked       map[Step]int
	letters     []Letter
	hellos      []string
}

// Start starts a server that ends with the test. script, called by several goroutines at once,
// answers; nil takes everything.
func Start(t testing.TB, script func(Event) Reply) *Server {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{
		Addr: listener.Addr().String(), script: script, open: map[net.Conn]struct{}{},
		asked: map[Step]int{},
	}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			running.Go(func() { s.serve(conn) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		s.Break()
		running.Wait()
	})
	return s
}

// URL is the server's address for a sender.
func (s *Server) URL() string { return "smtp://" + s.Addr + "?tls=off" }

// Break closes all connections.
func (s *Server) Break() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for conn := range s.open {
		_ = conn.Close()
	}
}

// Letters returns the mails that were taken, in their order.
func (s *Server) Letters() []Letter {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Letter(nil), s.letters...)
}

// Asked returns how often a step was to be answered.
func (s *Server) Asked(step Step) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[step]
}

// Connections returns how many connections there were, and how many at once at most.
func (s *Server) Connections() (all, atOnce int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.connections, s.maxOpen
}

// Hellos returns the names that clients said.
func (s *Server) Hellos() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.hellos...)
}

// conversation is what is going on over a connection.
type conversation struct {
	*Server

	conn         net.Conn
	number       int
	onConnection int
	to           string
}

func (s *Server) serve(conn net.Conn) {
	s.mu.Lock()
	s.connections++
	c := &conversation{Server: s, conn: conn, number: s.connections}
	s.open[conn] = struct{}{}
	s.maxOpen = max(s.maxOpen, len(s.open))
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.open, conn)
		_ = conn.Close()
	}()
	if !c.answer(Greeting, "", "220 mailtest") {
		return
	}
	reader := textproto.NewReader(bufio.NewReader(conn))
	for {
		line, err := reader.ReadLine()
		if err != nil || !c.command(reader, line) {
			return
		}
	}
}

// command answers a line. It reports whether the conversation goes on.
func (c *conversation) command(reader *textproto.Reader, line string) bool {
	verb, rest, _ := strings.Cut(line, " ")
	switch strings.ToUpper(verb) {
	case "EHLO", "HELO":
		c.mu.Lock()
		c.hellos = append(c.hellos, rest)
		c.mu.Unlock()
		return c.answer(Hello, line,
			"250-mailtest\r\n250-8BITMIME\r\n250-AUTH CRAM-MD5\r\n250 ENHANCEDSTATUSCODES")
	case "AUTH":
		if _, err := fmt.Fprint(c.conn, "334 PDEuMkBtYWlsdGVzdD4=\r\n"); err != nil {
			return false
		}
		if _, err := reader.ReadLine(); err != nil {
			return false
		}
		return c.answer(Auth, line, "235 2.7.0 Ok")
	case "MAIL":
		c.to = ""
		return c.answer(Mail, line, "250 2.1.0 Ok")
	case "RCPT":
		_, to, _ := strings.Cut(line, "<")
		c.to, _, _ = strings.Cut(to, ">")
		return c.answer(Rcpt, line, "250 2.1.5 Ok")
	case "DATA":
		return c.content(reader, line)
	case "RSET":
		return c.answer(Reset, line, "250 2.0.0 Ok")
	case "QUIT":
		c.answer(Quit, line, "221 2.0.0 Bye")
		return false
	}
	_, err := fmt.Fprintf(c.conn, "502 5.5.2 Unknown command\r\n")
	return err == nil
}

// content answers DATA and the content behind it.
func (c *conversation) content(reader *textproto.Reader, line string) bool {
	reply := c.reply(Data, line)
	if reply.Breaks {
		return false
	}
	if reply.Text != "" {
		_, err := fmt.Fprintf(c.conn, "%s\r\n", reply.Text)
		return err == nil
	}
	if _, err := fmt.Fprintf(c.conn, "354 Go on\r\n"); err != nil {
		return false
	}
	if first, err := reader.R.Peek(1); err != nil || len(first) == 0 ||
		c.reply(Content, "").Breaks {
		return false
	}
	text, err := reader.ReadDotBytes()
	if err != nil {
		return false
	}
	reply = c.reply(Dot, string(text))
	if reply.Text == "" || strings.HasPrefix(reply.Text, "2") {
		// It is taken, whether the client hears of it or not.
		c.mu.Lock()
		c.onConnection++
		c.letters = append(c.letters, Letter{c.to, string(text), time.Now()})
		c.mu.Unlock()
	}
	if reply.Breaks {
		return false
	}
	if reply.Text == "" {
		reply.Text = "250 2.0.0 Queued"
	}
	_, err = fmt.Fprintf(c.conn, "%s\r\n", reply.Text)
	return err == nil
}

// reply asks the script, and waits as it says.
func (c *conversation) reply(step Step, line string) Reply {
	c.mu.Lock()
	c.asked[step]++
	event := Event{
		Step: step, Line: line, To: c.to, Connection: c.number, Open: len(c.open),
		OnConnection: c.onConnection, Taken: len(c.letters), At: time.Now(),
	}
	c.mu.Unlock()
	if c.script == nil {
		return Reply{}
	}
	reply := c.script(event)
	if reply.Delay > 0 {
		time.Sleep(reply.Delay)
	}
	if reply.Until != nil {
		<-reply.Until
	}
	return reply
}

// answer answers a step. It reports whether the conversation goes on.
func (c *conversation) answer(step Step, line, usual string) bool {
	reply := c.reply(step, line)
	if reply.Breaks {
		return false
	}
	isLast := strings.HasPrefix(reply.Text, "421") || step == Greeting && reply.Text != ""
	if reply.Text == "" {
		reply.Text = usual
	}
	_, err := fmt.Fprintf(c.conn, "%s\r\n", reply.Text)
	return err == nil && !isLast
}

// Quota returns whether one more is within a limit of so many in a window of time, and counts it.
// It is for scripts.
func Quota(limit int, window time.Duration) func(at time.Time) bool {
	var mu sync.Mutex
	var taken []time.Time
	return func(at time.Time) bool {
		mu.Lock()
		defer mu.Unlock()
		for len(taken) > 0 && at.Sub(taken[0]) >= window {
			taken = taken[1:]
		}
		if len(taken) >= limit {
			return false
		}
		taken = append(taken, at)
		return true
	}
}
