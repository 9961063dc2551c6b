package sender

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"

	"couponql/background"
	"couponql/coupon"
)

// Limits of SMTP.
const (
	// maxMailBatch is how many messages are recorded together: so many a crash can make go out twice.
	maxMailBatch = 100
	// maxMailConnections is how many connections are open at once.
	maxMailConnections = 4
	// mailTimeout is how long the server may take to let us in, and for one message.
	mailTimeout = 30 * time.Second
)

// SMTPOptions says how mail goes out.
type SMTPOptions struct {
	// URL is smtp://user:password@host:port, or smtps:// for TLS from the first byte. Its parameter tls says
	// what STARTTLS has to do with it: required (the default), optional or off.
	URL string
	// From is the sender's address, with or without a name.
	From string
	// UnsubscribeURL is the template of List-Unsubscribe: an https: or mailto: address, in which {recipient} and
	// {delivery} stand for the recipient's external id and the delivery's id. Empty: no such header.
	UnsubscribeURL string
	// RootCAs are the authorities that certificates are verified with; nil means the machine's.
	RootCAs *x509.CertPool
}

// SMTP hands messages to a mail server, over a few connections that it keeps open.
type SMTP struct {
	client      *gomail.Client
	from        *mail.Address
	unsubscribe string
	idle        chan *smtp.Client
}

// NewSMTP makes a sender of mail. It does not connect yet. Its errors contain neither user nor password.
func NewSMTP(options *SMTPOptions) (*SMTP, error) {
	from, err := senderOf(options.From)
	if err != nil {
		return nil, err
	}
	if err := checkUnsubscribe(options.UnsubscribeURL); err != nil {
		return nil, err
	}
	host, settings, err := smtpSettings(options)
	if err != nil {
		return nil, err
	}
	client, err := gomail.NewClient(host, settings...)
	if err != nil {
		return nil, fmt.Errorf("set up the mail server %s: %w", host, err)
	}
	return &SMTP{client, from, options.UnsubscribeURL, make(chan *smtp.Client, maxMailConnections)}, nil
}

// smtpSettings reads the address of the mail server.
func smtpSettings(options *SMTPOptions) (host string, settings []gomail.Option, err error) {
	// The error of url.Parse has the whole address, so that it must not get out.
	address, err := url.Parse(options.URL)
	if err != nil || address.Hostname() == "" || address.Scheme != "smtp" && address.Scheme != "smtps" ||
		strings.Trim(address.Path, "/") != "" || address.Fragment != "" {
		return "", nil, errors.New("the address of the mail server must be like smtp://user:password@mail.example.com:587, " +
			"with special characters of user and password written as %XX")
	}
	host = address.Hostname()
	settings = []gomail.Option{
		gomail.WithTimeout(mailTimeout),
		gomail.WithoutNoop(),
		gomail.WithTLSConfig(&tls.Config{ServerName: host, MinVersion: tls.VersionTLS12, RootCAs: options.RootCAs}),
	}
	port := 587
	if address.Scheme == "smtps" {
		port, settings = 465, append(settings, gomail.WithSSL())
	}
	if address.Port() != "" {
		if port, err = strconv.Atoi(address.Port()); err != nil || port < 1 || port > 65535 {
			return "", nil, errors.New("the port of the mail server must be between 1 and 65535")
		}
	}
	settings = append(settings, gomail.WithPort(port))
	parameters, err := url.ParseQuery(address.RawQuery)
	if err != nil {
		return "", nil, errors.New("the parameters of the mail server's address are malformed")
	}
	policy := gomail.TLSMandatory
	for name, values := range parameters {
		switch value := values[len(values)-1]; {
		case name != "tls":
			return "", nil, fmt.Errorf("the mail server's address has the unknown parameter %q; known is tls", name)
		case value == "required":
		case value == "optional":
			policy = gomail.TLSOpportunistic
		case value == "off":
			policy = gomail.NoTLS
		default:
			return "", nil, fmt.Errorf("the mail server's parameter tls must be required, optional or off, not %q", value)
		}
	}
	settings = append(settings, gomail.WithTLSPolicy(policy))
	if address.User != nil {
		password, _ := address.User.Password()
		settings = append(
			settings,
			gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover),
			gomail.WithUsername(address.User.Username()),
			gomail.WithPassword(password),
		)
	}
	return host, settings, nil
}

// Traits tells how batches should be.
func (s *SMTP) Traits() Traits {
	return Traits{MaxBatch: maxMailBatch, NamesRecipients: strings.Contains(s.unsubscribe, recipientToken)}
}

// Close ends the connections that are kept open.
func (s *SMTP) Close() {
	for {
		select {
		case connection := <-s.idle:
			// The server hears of it one way or the other.
			_ = s.client.CloseWithSMTPClient(connection)
		default:
			return
		}
	}
}

// Send hands the messages to the mail server, over a few connections at a time. When it cannot be reached any
// more, the rest of the batch is not tried.
func (s *SMTP) Send(ctx context.Context, batch *Batch) ([]coupon.Attempt, error) {
	ctx, cancel := graceful(ctx)
	defer cancel()
	r := &mailRun{batch: batch, attempts: make([]coupon.Attempt, len(batch.Messages)), places: make(chan int, len(batch.Messages))}
	for i := range batch.Messages {
		r.places <- i
	}
	close(r.places)
	var workers background.Group
	for range min(maxMailConnections, len(batch.Messages)) {
		workers.Go(func() error {
			s.work(ctx, r)
			return nil
		})
	}
	if err := workers.Wait(); err != nil {
		return nil, fmt.Errorf("send mail: %w", err)
	}
	if ctx.Err() == nil {
		for place := range r.places {
			r.attempts[place] = postponed(r.reason)
		}
	}
	return r.attempts, nil
}

// mailRun is a batch on its way.
type mailRun struct {
	batch    *Batch
	attempts []coupon.Attempt
	// places has the places of the messages that nobody took yet.
	places chan int
	mu     sync.Mutex
	// reason is why a connection could not be had or was given up.
	reason string
}

func (r *mailRun) giveUp(reason string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reason = reason
}

// maxBreaks is how many connections in a row may break before the server counts as out of order.
const maxBreaks = 3

// work sends messages over one connection at a time until none is left or no connection can be had. One that
// was kept and turns out to be dead, before it took the message, is replaced.
func (s *SMTP) work(ctx context.Context, r *mailRun) {
	connection, isKept, err := s.connect(ctx)
	if err != nil {
		r.giveUp(err.Error())
		return // other connections may do
	}
	breaks := 0
	for place := range r.places {
		if ctx.Err() != nil {
			break // this one and the rest stay open
		}
		letter, err := s.compose(r.batch, &r.batch.Messages[place])
		if err != nil {
			r.attempts[place] = coupon.Attempt{Result: coupon.AttemptRefused, Reason: err.Error()}
			continue
		}
		for isDone := false; !isDone; {
			if connection == nil {
				if connection, err = s.dial(ctx); err != nil {
					r.giveUp(err.Error())
					r.attempts[place] = postponed(err.Error())
					return
				}
			}
			err = s.client.SendWithSMTPClient(connection, letter)
			attempt, isAlive := judgeMail(letter, err)
			r.attempts[place], isDone = attempt, true
			if isAlive {
				breaks, isKept = 0, false
				continue
			}
			_ = connection.Close() // it is of no use any more
			connection = nil
			if codeOf(err) != 0 {
				continue
			}
			isDone = !isKept || attempt.Result != coupon.AttemptPostponed || attempt.MayBeSent
			isKept = false
			if breaks++; breaks >= maxBreaks {
				r.giveUp(attempt.Reason)
				return
			}
		}
	}
	s.keep(connection)
}

// connect gives a connection that was kept, or a new one.
func (s *SMTP) connect(ctx context.Context) (connection *smtp.Client, isKept bool, err error) {
	select {
	case connection = <-s.idle:
		return connection, true, nil
	default:
		connection, err = s.dial(ctx)
		return connection, false, err
	}
}

func (s *SMTP) dial(ctx context.Context) (*smtp.Client, error) {
	connection, err := s.client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return nil, fmt.Errorf("the mail server %s cannot be used: %w", s.client.ServerAddr(), err)
	}
	return connection, nil
}

// Reach connects to the mail server, with TLS and the password as for mail, and sends nothing. Its errors contain neither
// user nor password.
func (s *SMTP) Reach(ctx context.Context) error {
	connection, err := s.dial(ctx)
	if err != nil {
		return err
	}
	if err := s.client.CloseWithSMTPClient(connection); err != nil {
		return fmt.Errorf("the mail server %s does not let go: %w", s.client.ServerAddr(), err)
	}
	return nil
}

// keep puts a connection back.
func (s *SMTP) keep(connection *smtp.Client) {
	if connection == nil {
		return
	}
	select {
	case s.idle <- connection:
	default:
		// There are enough.
		_ = s.client.CloseWithSMTPClient(connection)
	}
}

// Codes of RFC 5321 and RFC 4954 that mean something else than their first digit.
const (
	codeShuttingDown     = 421
	codeAuthNeeded       = 530
	codeAuthTooWeak      = 534
	codeAuthFailed       = 535
	codeEncryptionNeeded = 538
	codeLength           = 3
	firstPermanent       = 500
)

// judgeMail tells what came of a message, and whether the connection can be used again.
func judgeMail(mail *gomail.Msg, err error) (attempt coupon.Attempt, isAlive bool) {
	code := codeOf(err)
	switch {
	case err == nil:
		return coupon.Attempt{Result: coupon.AttemptAccepted}, true
	case mail.IsDelivered():
		// Only what follows the message went wrong.
		return coupon.Attempt{Result: coupon.AttemptAccepted}, false
	case code == 0:
		// The connection broke. When the message had been handed over completely, the server may have taken it.
		attempt = postponed("The connection to the mail server broke: " + replyOf(err))
		problem, ok := errors.AsType[*gomail.SendError](err)
		attempt.MayBeSent = !ok || problem.Reason == gomail.ErrSMTPDataClose
		return attempt, false
	case code < firstPermanent, code == codeAuthNeeded, code == codeAuthTooWeak, code == codeAuthFailed, code == codeEncryptionNeeded:
		// Missing rights are the operator's affair, not the message's.
		return postponed(replyOf(err)), isReusable(err, code)
	}
	return coupon.Attempt{Result: coupon.AttemptRefused, Reason: replyOf(err)}, isReusable(err, code)
}

// isReusable tells whether the server waits for the next message after it refused one: the library resets the
// connection only after MAIL and RCPT.
func isReusable(err error, code int) bool {
	problem, ok := errors.AsType[*gomail.SendError](err)
	return code != codeShuttingDown && ok &&
		(problem.Reason == gomail.ErrSMTPMailFrom || problem.Reason == gomail.ErrSMTPRcptTo || problem.Reason == gomail.ErrSMTPDataClose)
}

// codeOf gives the code that the server answered; 0: none.
func codeOf(err error) int {
	if problem, ok := errors.AsType[*gomail.SendError](err); ok {
		return problem.ErrorCode()
	}
	return 0
}

// replyOf gives what the server said, without what the library says of the message.
func replyOf(err error) string {
	text, _, _ := strings.Cut(err.Error(), ", affected ")
	if problem, ok := errors.AsType[*gomail.SendError](err); ok {
		text = strings.TrimPrefix(text, problem.Reason.String()+": ")
	}
	// Newer versions of Go quote what the server said.
	if code, said, _ := strings.Cut(text, " "); len(code) == codeLength {
		if unquoted, err := strconv.Unquote(said); err == nil {
			return code + " " + unquoted
		}
	}
	return text
}
