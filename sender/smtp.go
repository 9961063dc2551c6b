package sender

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/mail"
	"net/url"
	"strconv"
	"strings"
	"time"

	"couponql/background"
	"couponql/coupon"
)

// Limits of SMTP.
const (
	// maxMailBatch is how many messages are recorded together.
	maxMailBatch = 100
	// maxMailConnections is how many connections a batch uses at once: of one message on each, a
	// crash leaves open whether it arrived.
	maxMailConnections = 4
	// maxBreaks is how many connections in a row may break before the server counts as out of
	// order.
	maxBreaks = 3
	// slotLook is how often a batch without a connection looks whether one is free.
	slotLook = 20 * time.Millisecond
)

// SMTPOptions says how mail goes out.
type SMTPOptions struct {
	// URL is smtp://user:password@host:port, or smtps:// for TLS from the first byte. Its parameter
	// tls says what STARTTLS has to do with it: required (the default), optional or off.
	URL string
	// From is the sender's address, with or without a name.
	From string
	// HelloName is the name that EHLO says. Empty: the domain of From, or, where that is no full
	// one, the IP address of this end of the connection.
	HelloName string
	// UnsubscribeURL is the template of List-Unsubscribe: an https: or mailto: address, in which
	// {recipient} and {delivery} stand for the recipient's external id and the delivery's id.
	// Empty: no such header.
	UnsubscribeURL string
	// RootCAs are the authorities that certificates are verified with; nil means the machine's.
	RootCAs *x509.CertPool
	// Timeouts are the time limits of the steps.
	Timeouts Timeouts
	// Log is told what was learned of the server; nil: nobody is.
	Log *slog.Logger
}

// tlsPolicy says what STARTTLS has to do with it.
type tlsPolicy string

const (
	tlsRequired tlsPolicy = "required"
	tlsOptional tlsPolicy = "optional"
	tlsOff      tlsPolicy = "off"
)

// mailServer says which server takes mail, and how to get in.
type mailServer struct {
	host, address  string
	isImplicit     bool
	policy         tlsPolicy
	user, password string
}

// SMTP hands messages to a mail server, over a few connections that it keeps open.
type SMTP struct {
	mailServer

	tls         *tls.Config
	limits      Timeouts
	name        string
	from        *mail.Address
	unsubscribe string
	idle        chan *session
	pace        *pace
	refusals    refusals
}

// NewSMTP makes a sender of mail. It does not connect yet. Its errors contain neither user nor
// password.
func NewSMTP(options *SMTPOptions) (*SMTP, error) {
	from, err := senderOf(options.From)
	if err != nil {
		return nil, err
	}
	if err := checkUnsubscribe(options.UnsubscribeURL); err != nil {
		return nil, err
	}
	server, err := parseMailServer(options.URL)
	if err != nil {
		return nil, err
	}
	name, err := helloName(options.HelloName, from)
	if err != nil {
		return nil, err
	}
	return &SMTP{
		mailServer: server, limits: options.Timeouts.withDefaults(), name: name, from: from,
		tls: &tls.Config{
			ServerName: server.host, MinVersion: tls.VersionTLS12, RootCAs: options.RootCAs,
		},
		unsubscribe: options.UnsubscribeURL, idle: make(chan *session, maxMailConnections),
		pace: newPace(server.address, options.Log),
	}, nil
}

// helloName returns the name for EHLO; empty: the address of the connection.
func helloName(chosen string, from *mail.Address) (string, error) {
	if chosen != "" {
		if strings.ContainsFunc(chosen, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return "", fmt.Errorf(
				"the name for EHLO must be that of a host, such as mail.example.com, not %q",
				chosen,
			)
		}
		return chosen, nil
	}
	_, domain, _ := strings.Cut(from.Address, "@")
	isFull := strings.Contains(strings.Trim(domain, "."), ".") && !strings.HasPrefix(domain, "[")
	if !isFull || strings.ContainsFunc(domain, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", nil
	}
	return domain, nil
}

// parseMailServer reads the address of the mail server.
func parseMailServer(text string) (server mailServer, err error) {
	// The error of url.Parse has the whole address, so that it must not get out.
	address, err := url.Parse(text)
	if err != nil || address.Hostname() == "" ||
		address.Scheme != "smtp" && address.Scheme != "smtps" ||
		strings.Trim(address.Path, "/") != "" || address.Fragment != "" {
		return server, errors.New("the address of the mail server must be like smtp://user:password@mail.example.com:587, " +
			"with special characters of user and password written as %XX")
	}
	server.host, server.isImplicit = address.Hostname(), address.Scheme == "smtps"
	port := 587
	if server.isImplicit {
		port = 465
	}
	if address.Port() != "" {
		if port, err = strconv.Atoi(address.Port()); err != nil || port < 1 || port > 65535 {
			return server, errors.New("the port of the mail server must be between 1 and 65535")
		}
	}
	server.address = net.JoinHostPort(server.host, strconv.Itoa(port))
	parameters, err := url.ParseQuery(address.RawQuery)
	if err != nil {
		return server, errors.New("the parameters of the mail server's address are malformed")
	}
	server.policy = tlsRequired
	for name, values := range parameters {
		if name != "tls" {
			return server, fmt.Errorf(
				"the mail server's address has the unknown parameter %q; known is tls", name,
			)
		}
		server.policy = tlsPolicy(values[len(values)-1])
	}
	switch server.policy {
	case tlsRequired, tlsOptional, tlsOff:
	default:
		return server, fmt.Errorf(
			"the mail server's parameter tls must be required, optional or off, not %q",
			string(server.policy),
		)
	}
	if address.User != nil {
		server.user = address.User.Username()
		server.password, _ = address.User.Password()
	}
	return server, nil
}

// Traits tells how batches should be now.
func (s *SMTP) Traits() Traits {
	size, wait := s.pace.room(maxMailBatch)
	return Traits{
		MaxBatch: size, Wait: wait,
		NamesRecipients: strings.Contains(s.unsubscribe, recipientToken),
	}
}

// Limits returns what was learned of how much the mail server takes.
func (s *SMTP) Limits() Limits { return s.pace.limits() }

// Close ends the connections that are kept open.
func (s *SMTP) Close() {
	for {
		select {
		case c := <-s.idle:
			s.drop(c)
		default:
			return
		}
	}
}

// drop ends a connection; the server hears of it one way or the other.
func (s *SMTP) drop(c *session) {
	if c != nil {
		_ = c.end()
		s.pace.disconnect()
	}
}

// keep puts a connection back.
func (s *SMTP) keep(c *session) {
	if c == nil {
		return
	}
	c.isKept = true
	select {
	case s.idle <- c:
	default:
		s.drop(c) // there are enough
	}
}

// Reach does what sending does up to the recipient, and sends nothing. It returns what each step
// came to. Its errors contain neither user nor password.
func (s *SMTP) Reach(ctx context.Context) (said string, err error) {
	var steps []string
	tell := func(step mailStep, what string) {
		steps = append(steps, fmt.Sprintf("%s: %s", step, what))
	}
	c, err := s.open(ctx, tell)
	if err == nil {
		release := c.bind(ctx)
		err = c.rehearse(s.from.Address, tell)
		release()
		_ = c.conn.Close()
	}
	said = strings.Join(steps, "; ")
	failure, isFailure := errors.AsType[*mailError](err)
	switch {
	case !isFailure:
		return said, err
	case said != "":
		said += "; "
	}
	return said, fmt.Errorf("the mail server %s cannot be used: %s%s: %w", s.address, said,
		failure.step, failure)
}

// rehearse begins a mail and takes it back.
func (c *session) rehearse(from string, tell heard) error {
	if err := c.begin(from, strings.ContainsFunc(from, isWide)); err != nil {
		return err
	}
	tell(stepMail, "taken from "+from)
	if err := c.do(stepReset, c.limits.Command, c.client.Reset); err != nil {
		return err
	}
	tell(stepReset, "taken")
	if err := c.do(stepQuit, c.limits.Command, c.client.Quit); err != nil {
		return err
	}
	tell(stepQuit, "taken")
	return nil
}

// isWide reports whether an address with this letter needs SMTPUTF8.
func isWide(r rune) bool { return r > '~' }

// letter is a mail as it goes over the line.
type letter struct {
	from, to  string
	needsUTF8 bool
	text      []byte
}

// write makes the letter of a message.
func (s *SMTP) write(batch *Batch, message *coupon.OutgoingMessage) (*letter, error) {
	composed, err := s.compose(batch, message)
	if err != nil {
		return nil, err
	}
	from, ofFrom := composed.GetSender(false)
	to, ofTo := composed.GetRecipients()
	var text bytes.Buffer
	_, ofText := composed.WriteTo(&text)
	if err := errors.Join(ofFrom, ofTo, ofText); err != nil {
		return nil, fmt.Errorf("the mail cannot be written: %w", err)
	}
	return &letter{from, to[0], strings.ContainsFunc(from+to[0], isWide), text.Bytes()}, nil
}

// Send hands the messages to the mail server, over a few connections at a time. When it is about
// the sender or the line that one is not taken, the rest of the batch is not tried.
func (s *SMTP) Send(ctx context.Context, batch *Batch) ([]coupon.Attempt, error) {
	ctx, cancel := graceful(ctx)
	defer cancel()
	r := &mailRun{
		smtp: s, batch: batch, attempts: make([]coupon.Attempt, len(batch.Messages)),
		began: time.Now(), words: map[int]string{},
		ended: make(chan struct{}),
	}
	var workers background.Group
	for worker := range min(maxMailConnections, len(batch.Messages)) {
		workers.Go(func() error {
			r.work(ctx, worker > 0)
			return nil
		})
	}
	if err := workers.Wait(); err != nil {
		return nil, fmt.Errorf("send mail: %w", err)
	}
	// Whoever gave up for want of a connection left its messages to the others, who may have been
	// done by then.
	if r.isOpen() && ctx.Err() == nil {
		r.work(ctx, false)
	}
	r.conclude(ctx)
	return r.attempts, nil
}
