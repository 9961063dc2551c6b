package sender

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/wneessen/go-mail/smtp"

	"couponql/background"
)

// Timeouts says how long a mail server may take for a step. A zero one is that of RFC 5321.
type Timeouts struct {
	Connect  time.Duration
	Greeting time.Duration
	Command  time.Duration
	Data     time.Duration
	Block    time.Duration
	Dot      time.Duration
}

// The time limits of RFC 5321, section 4.5.3.2. A server that has a whole mail may look through it
// for minutes before it answers: who gives up before sends the mail twice.
const (
	// connectTimeout is ours: the section begins with the greeting.
	connectTimeout  = 30 * time.Second
	greetingTimeout = 5 * time.Minute
	commandTimeout  = 5 * time.Minute
	dataTimeout     = 2 * time.Minute
	blockTimeout    = 3 * time.Minute
	dotTimeout      = 10 * time.Minute
	// goodbyeTimeout is ours: what follows the last answer that matters must not hold anybody up.
	goodbyeTimeout = 5 * time.Second
)

// withDefaults returns the limits with those of RFC 5321 where none is set.
func (t Timeouts) withDefaults() Timeouts {
	for _, limit := range []struct {
		chosen   *time.Duration
		standard time.Duration
	}{
		{&t.Connect, connectTimeout},
		{&t.Greeting, greetingTimeout},
		{&t.Command, commandTimeout},
		{&t.Data, dataTimeout},
		{&t.Block, blockTimeout},
		{&t.Dot, dotTimeout},
	} {
		if *limit.chosen == 0 {
			*limit.chosen = limit.standard
		}
	}
	return t
}

// mailStep is a step of handing a mail over.
type mailStep string

// The steps, in their order.
const (
	stepConnect  mailStep = "connecting"
	stepGreeting mailStep = "the greeting"
	stepHello    mailStep = "EHLO"
	stepTLS      mailStep = "STARTTLS"
	stepAuth     mailStep = "AUTH"
	stepMail     mailStep = "MAIL FROM"
	stepRcpt     mailStep = "RCPT TO"
	stepData     mailStep = "DATA"
	stepContent  mailStep = "the content"
	stepDot      mailStep = "the end of the mail"
	stepReset    mailStep = "RSET"
	stepQuit     mailStep = "QUIT"
)

// mailError says at which step a mail server refused something, or was not heard of any more.
type mailError struct {
	step mailStep
	// code and enhanced are the server's, such as 550 and 5.1.1; 0 and "" without an answer.
	code     int
	enhanced string
	// text is what the server said, or what broke.
	text string
	// isSetting: there is no answer, but somebody has to change a setting or a certificate.
	isSetting bool
}

// Error returns what the server said, without the step.
func (e *mailError) Error() string { return e.text }

// errWithheld: the message may not leave.
var errWithheld = errors.New("the message may not leave")

var enhancedCode = regexp.MustCompile(`^[245]\.\d{1,3}\.\d{1,3}\b`)

// mailErrorOf returns what went wrong at a step; nil when nothing did.
func mailErrorOf(step mailStep, err error) error {
	if err == nil {
		return nil
	}
	if answer, ok := errors.AsType[*textproto.Error](err); ok {
		said := strings.Join(strings.Fields(answer.Msg), " ")
		return &mailError{
			step: step, code: answer.Code, enhanced: enhancedCode.FindString(said),
			text: fmt.Sprintf("%d %s", answer.Code, said),
		}
	}
	e := &mailError{step: step, text: err.Error()}
	_, isCertificate := errors.AsType[*tls.CertificateVerificationError](err)
	_, isUnknown := errors.AsType[x509.UnknownAuthorityError](err)
	e.isSetting = isCertificate || isUnknown
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		e.text = "no answer in time"
	}
	return e
}

// session is a connection to a mail server. One goroutine at a time uses it.
type session struct {
	client *smtp.Client
	conn   net.Conn
	limits *Timeouts
	// taken is how many mails the server took on it.
	taken int
	// isKept: it was idle since the last batch, so that it may be dead.
	isKept bool
}

// do makes a step within its time limit.
func (c *session) do(step mailStep, limit time.Duration, run func() error) error {
	err := c.client.UpdateDeadline(limit)
	if err == nil {
		err = run()
	}
	return mailErrorOf(step, err)
}

// bind has the connection break when ctx is done. The function that it returns ends that, and
// reports whether the connection is still whole.
func (c *session) bind(ctx context.Context) (release func() bool) {
	return background.AfterDone(ctx, c.conn.Close, func(error) {})
}

// heard is told of each step that the server took, and of what it said.
type heard func(step mailStep, said string)

// open connects to the mail server, up to the point where it takes mail. Its errors contain neither
// user nor password.
func (s *SMTP) open(ctx context.Context, tell heard) (*session, error) {
	dialer := net.Dialer{Timeout: s.limits.Connect}
	conn, err := dialer.DialContext(ctx, "tcp", s.address)
	if err != nil {
		return nil, mailErrorOf(stepConnect, err)
	}
	c := &session{conn: conn, limits: &s.limits}
	release := c.bind(ctx)
	defer release()
	if err := s.letIn(ctx, c, tell); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return c, nil
}

// letIn makes the steps from the greeting to the login.
func (s *SMTP) letIn(ctx context.Context, c *session, tell heard) error {
	plain := newWire(c.conn, s.isImplicit)
	var conn net.Conn = plain
	if err := conn.SetDeadline(time.Now().Add(c.limits.Greeting)); err != nil {
		return mailErrorOf(stepConnect, err)
	}
	if s.isImplicit {
		encrypted := tls.Client(conn, s.tls)
		if err := encrypted.HandshakeContext(ctx); err != nil {
			return mailErrorOf(stepConnect, err)
		}
		conn = encrypted
	}
	tell(stepConnect, "connected to "+conn.RemoteAddr().String())
	var err error
	if c.client, err = smtp.NewClient(conn, s.host); err != nil {
		return mailErrorOf(stepGreeting, err)
	}
	if s.isImplicit {
		c.watch()
	}
	name := s.helloName(conn.LocalAddr())
	if err := c.do(stepHello, c.limits.Command,
		func() error { return c.client.Hello(name) }); err != nil {
		return err
	}
	tell(stepHello, fmt.Sprintf("taken with the name %s (%s)", name, c.client.HelloResponse()))
	if err := s.encrypt(c, plain, tell); err != nil {
		return err
	}
	return s.login(c, tell)
}

// encrypt goes over to TLS, if that is wanted.
func (s *SMTP) encrypt(c *session, plain *wire, tell heard) error {
	if s.isImplicit || s.policy == tlsOff {
		return nil
	}
	if isOffered, _ := c.client.Extension("STARTTLS"); !isOffered {
		if s.policy == tlsOptional {
			return nil
		}
		return &mailError{
			step: stepTLS, isSetting: true,
			text: "the server does not offer STARTTLS, which ?tls=required needs",
		}
	}
	plain.mayEncrypt = true
	err := c.do(stepTLS, c.limits.Command, func() error { return c.client.StartTLS(s.tls) })
	if err == nil {
		c.watch()
		tell(stepTLS, "encrypted")
	}
	return err
}

// login logs in, if there is a user, by the best way that the server offers.
func (s *SMTP) login(c *session, tell heard) error {
	if s.user == "" {
		return nil
	}
	_, offered := c.client.Extension("AUTH")
	way, auth := s.loginWay(c.client, strings.Fields(offered))
	if auth == nil {
		return &mailError{
			step: stepAuth, isSetting: true,
			text: "the server offers no AUTH that is safe on this connection",
		}
	}
	err := c.do(stepAuth, c.limits.Command, func() error { return c.client.Auth(auth) })
	if err == nil {
		tell(stepAuth, "logged in by "+way)
	}
	return err
}

// loginWay returns the safest way to log in of those that the server offers; nil: none. A password
// in the clear needs TLS.
func (s *SMTP) loginWay(client *smtp.Client, offered []string) (string, smtp.Auth) {
	state, err := client.GetTLSConnectionState()
	isEncrypted := err == nil
	for _, way := range []struct {
		name   string
		needed bool // TLS
		auth   func() smtp.Auth
	}{
		{"SCRAM-SHA-256-PLUS", true, func() smtp.Auth {
			return smtp.ScramSHA256PlusAuth(s.user, s.password, state)
		}},
		{"SCRAM-SHA-256", false, func() smtp.Auth {
			return smtp.ScramSHA256Auth(s.user, s.password)
		}},
		{"SCRAM-SHA-1-PLUS", true, func() smtp.Auth {
			return smtp.ScramSHA1PlusAuth(s.user, s.password, state)
		}},
		{"SCRAM-SHA-1", false, func() smtp.Auth { return smtp.ScramSHA1Auth(s.user, s.password) }},
		{"NTLM", false, func() smtp.Auth { return smtp.NTLMAuth(s.user, s.password, "") }},
		{"CRAM-MD5", false, func() smtp.Auth { return smtp.CRAMMD5Auth(s.user, s.password) }},
		{"PLAIN", true, func() smtp.Auth {
			return smtp.PlainAuth("", s.user, s.password, s.host, false)
		}},
		{"LOGIN", true, func() smtp.Auth {
			return smtp.LoginAuth(s.user, s.password, s.host, false)
		}},
	} {
		if (isEncrypted || !way.needed) && slices.Contains(offered, way.name) {
			return way.name, way.auth()
		}
	}
	return "", nil
}

// helloName returns the name for EHLO: the chosen one, else the address of this end of the
// connection as a literal (RFC 5321, section 4.1.3), which every server has to take.
func (s *SMTP) helloName(local net.Addr) string {
	if s.name != "" {
		return s.name
	}
	host, _, err := net.SplitHostPort(local.String())
	if err != nil {
		host = "127.0.0.1"
	}
	if strings.Contains(host, ":") {
		return "[IPv6:" + host + "]"
	}
	return "[" + host + "]"
}

// begin names the sender of a mail.
func (c *session) begin(from string, needsUTF8 bool) error {
	c.client.SkipSMTPUTF8(!needsUTF8)
	return c.do(stepMail, c.limits.Command, func() error { return c.client.Mail(from) })
}

// deliver hands a mail over. mayLeave is asked when the server waits for the content.
func (c *session) deliver(l *letter, mayLeave func() bool) error {
	if err := c.begin(l.from, l.needsUTF8); err != nil {
		return err
	}
	if err := c.do(stepRcpt, c.limits.Command,
		func() error { return c.client.Rcpt(l.to) }); err != nil {
		return err
	}
	var content io.WriteCloser
	err := c.do(stepData, c.limits.Data, func() (err error) {
		content, err = c.client.Data()
		return err
	})
	if err != nil {
		return err
	}
	if !mayLeave() {
		return errWithheld
	}
	for block := range slices.Chunk(l.text, blockSize) {
		err := c.do(stepContent, c.limits.Block, func() error {
			_, err := content.Write(block)
			return err
		})
		if err != nil {
			return err
		}
	}
	if err := c.do(stepDot, c.limits.Dot, content.Close); err != nil {
		return err
	}
	c.taken++
	return nil
}

// blockSize is how much of a mail goes out within one time limit, in bytes.
const blockSize = 32 << 10

// reset has the server forget a mail that it did not take. It reports whether the connection can be
// used again.
func (c *session) reset() bool {
	return c.do(stepReset, c.limits.Command, c.client.Reset) == nil
}

// end says goodbye and closes the connection.
func (c *session) end() error {
	err := c.do(stepQuit, goodbyeTimeout, c.client.Quit)
	_ = c.conn.Close()
	return err
}
