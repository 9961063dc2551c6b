package sender_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"math/big"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"github.com/google/go-cmp/cmp"

	"couponql/coupon"
	"couponql/sender"
)

// mailServer is a real SMTP server whose answers a test decides.
type mailServer struct {
	addr  string
	roots *x509.CertPool
	// rcpt and data decide about a recipient and about the content for it; a nil one agrees.
	rcpt func(s *mailServer, to string, conn net.Conn) error
	data func(s *mailServer, to string, conn net.Conn) error

	mu       sync.Mutex
	received []letter
	// attempts counts the recipients that were named, connections the connections.
	attempts    map[string]int
	connections int
}

// letter is a mail that arrived.
type letter struct {
	from, to, user string
	isEncrypted    bool
	text           string
}

func (l *letter) parse(t *testing.T) *mail.Message {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(l.text))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

type mailSession struct {
	server   *mailServer
	conn     *smtp.Conn
	from, to string
	user     string
}

func (s *mailServer) NewSession(conn *smtp.Conn) (smtp.Session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.connections++
	return &mailSession{server: s, conn: conn}, nil
}

func (*mailSession) Reset()        {}
func (*mailSession) Logout() error { return nil }

func (*mailSession) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *mailSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if password != "p@ss:word" {
			return smtp.ErrAuthFailed
		}
		s.user = user
		return nil
	}), nil
}

func (s *mailSession) Mail(from string, _ *smtp.MailOptions) error {
	s.from = from
	return nil
}

func (s *mailSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.server.mu.Lock()
	s.server.attempts[to]++
	s.server.mu.Unlock()
	s.to = to
	if s.server.rcpt != nil {
		return s.server.rcpt(s.server, to, s.conn.Conn())
	}
	return nil
}

func (s *mailSession) Data(r io.Reader) error {
	if s.server.data != nil {
		if err := s.server.data(s.server, s.to, s.conn.Conn()); err != nil {
			return err
		}
	}
	text, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	_, isEncrypted := s.conn.TLSConnectionState()
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	s.server.received = append(s.server.received, letter{s.from, s.to, s.user, isEncrypted, string(text)})
	return nil
}

// attemptsOf tells how often a recipient was named.
func (s *mailServer) attemptsOf(to string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.attempts[to]
}

// letters returns what arrived, in the order of the recipients.
func (s *mailServer) letters() []letter {
	s.mu.Lock()
	defer s.mu.Unlock()
	letters := slices.Clone(s.received)
	slices.SortStableFunc(letters, func(a, b letter) int { return strings.Compare(a.to, b.to) })
	return letters
}

// startMail starts a server; withTLS offers STARTTLS with a certificate of an authority of its own, implicit
// begins with TLS.
func startMail(t *testing.T, server *mailServer, withTLS, implicit bool) *mailServer {
	t.Helper()
	server.attempts = map[string]int{}
	s := smtp.NewServer(server)
	s.Domain = "localhost"
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server.addr = listener.Addr().String()
	if withTLS || implicit {
		s.TLSConfig, server.roots = certificate(t)
	}
	if implicit {
		listener = tls.NewListener(listener, s.TLSConfig)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = s.Serve(listener)
	}()
	t.Cleanup(func() {
		_ = s.Close()
		<-ended
	})
	return server
}

// certificate makes an authority and a certificate for this machine.
func certificate(t *testing.T) (*tls.Config, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}, roots
}

func newSMTP(t *testing.T, options *sender.SMTPOptions) *sender.SMTP {
	t.Helper()
	if options.From == "" {
		options.From = `"The Shop, Ltd." <shop@example.com>`
	}
	s, err := sender.NewSMTP(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// plainSMTP returns a sender for a server without TLS.
func plainSMTP(t *testing.T, server *mailServer) *sender.SMTP {
	t.Helper()
	return newSMTP(t, &sender.SMTPOptions{URL: "smtp://" + server.addr + "?tls=off"})
}

const origin = "0123456789abcdef0123456789abcdef"

// send hands messages over and gives what came of them.
func send(t *testing.T, s sender.Sender, messages []coupon.OutgoingMessage) []coupon.Attempt {
	t.Helper()
	attempts, err := s.Send(t.Context(), &sender.Batch{Key: "key-1", Origin: origin, DeliveryID: "delivery_1", Messages: messages, At: sentAt})
	if err != nil {
		t.Fatal(err)
	}
	return attempts
}

func accepted(n int) []coupon.Attempt {
	return slices.Repeat([]coupon.Attempt{{Result: coupon.AttemptAccepted}}, n)
}

func wantAttempts(t *testing.T, got, want []coupon.Attempt) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("attempts (-want +got):\n%s", diff)
	}
}

// partsOf returns the decoded parts of a mail by their types.
func partsOf(t *testing.T, m *mail.Message) map[string]string {
	t.Helper()
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	parts := map[string]string{}
	if kind == "text/plain" {
		text, err := io.ReadAll(quotedprintable.NewReader(m.Body))
		if err != nil {
			t.Fatal(err)
		}
		return map[string]string{kind: string(text)}
	}
	if kind != "multipart/alternative" {
		t.Fatalf("got %s", kind)
	}
	reader := multipart.NewReader(m.Body, params["boundary"])
	for {
		part, err := reader.NextPart()
		if errors.Is(err, io.EOF) {
			return parts
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(part) // quoted-printable is decoded by the reader
		if err != nil {
			t.Fatal(err)
		}
		kind, _, _ := mime.ParseMediaType(part.Header.Get("Content-Type"))
		parts[kind] = string(text)
	}
}

func TestSMTP(t *testing.T) {
	t.Parallel()
	server := startMail(t, &mailServer{}, false, false)
	s := newSMTP(t, &sender.SMTPOptions{
		URL:            "smtp://" + server.addr + "?tls=off",
		UnsubscribeURL: "https://example.com/leave?who={recipient}&which={delivery}",
	})
	messages := batch(coupon.ChannelEmail, 1, 100)
	messages[0].Subject, messages[0].Recipient = "Grüße, Ihr Code", "c 1&x=>"
	messages[0].Body = "<html><head><style>p{}</style></head><body><h1>Hallo</h1><p>Ihr Code:\n <b>CODE1</b><br>Gr&uuml;&szlig;e</p>" +
		"<a href=\"https://example.com/?a=1&amp;b=2\">zum Laden</a></body></html>"
	messages[1].Body, messages[1].IsHTML = "Ihr Code: CODE2\n.\nEnde = über\n", false
	wantAttempts(t, send(t, s, messages), accepted(100))
	letters := server.letters()
	if len(letters) != 100 {
		t.Fatalf("%d letters arrived, want 100", len(letters))
	}
	if server.connections > 4 {
		t.Errorf("%d connections, want at most 4", server.connections)
	}
	first := letters[slices.IndexFunc(letters, func(l letter) bool { return l.to == "r1@example.com" })]
	m := first.parse(t)
	for name, want := range map[string]string{
		"From":                  `"The Shop, Ltd." <shop@example.com>`,
		"To":                    "<r1@example.com>",
		"Message-Id":            "<message_1@" + origin + ".couponql>",
		"Date":                  "Tue, 03 Nov 2026 14:13:05 +0100",
		"List-Unsubscribe":      "<https://example.com/leave?who=c%201%26x%3D%3E&which=delivery_1>",
		"List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
	} {
		if got := m.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject")); err != nil || subject != "Grüße, Ihr Code" {
		t.Errorf("the subject is %q, %v", subject, err)
	}
	if first.from != "shop@example.com" {
		t.Errorf("the envelope is from %q", first.from)
	}
	parts := partsOf(t, m)
	text := "Hallo\n\nIhr Code: CODE1\nGrüße\n\nzum Laden (https://example.com/?a=1&b=2)\n"
	if got := strings.ReplaceAll(parts["text/plain"], "\r\n", "\n"); got != text {
		t.Errorf("the text is %q, want %q", got, text)
	}
	if got := strings.ReplaceAll(parts["text/html"], "\r\n", "\n"); got != messages[0].Body {
		t.Errorf("the HTML is %q, want %q", got, messages[0].Body)
	}
	second := letters[slices.IndexFunc(letters, func(l letter) bool { return l.to == "r2@example.com" })]
	if got := partsOf(t, second.parse(t))["text/plain"]; strings.ReplaceAll(got, "\r\n", "\n") != messages[1].Body {
		t.Errorf("the plain body is %q, want %q", got, messages[1].Body)
	}
	// The connections are used again, and the same message has the same Message-ID.
	before := server.connections
	wantAttempts(t, send(t, s, messages[:4]), accepted(4))
	if server.connections != before {
		t.Errorf("%d new connections, want none", server.connections-before)
	}
	ids := map[string]bool{}
	for _, l := range server.letters() {
		ids[l.parse(t).Header.Get("Message-Id")] = true
	}
	if len(ids) != 100 {
		t.Errorf("%d Message-IDs for 100 messages", len(ids))
	}
}

// TestSMTPRefusals tells messages apart: one is taken later, one never, one has no address, the others at once.
func TestSMTPRefusals(t *testing.T) {
	t.Parallel()
	server := startMail(t, &mailServer{
		rcpt: func(s *mailServer, to string, _ net.Conn) error {
			switch {
			case to == "r2@example.com" && s.attemptsOf(to) == 1:
				return &smtp.SMTPError{Code: 450, EnhancedCode: smtp.EnhancedCode{4, 2, 1}, Message: "Greylisted, come back"}
			case to == "r3@example.com":
				return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "No such mailbox"}
			}
			return nil
		},
		data: func(_ *mailServer, to string, _ net.Conn) error {
			if to == "r4@example.com" {
				return &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 7, 1}, Message: "Looks like spam"}
			}
			return nil
		},
	}, false, false)
	s := plainSMTP(t, server)
	messages := batch(coupon.ChannelEmail, 1, 6)
	messages[4].Address = "Foo r5@example.com"
	wantAttempts(t, send(t, s, messages), []coupon.Attempt{
		{Result: coupon.AttemptAccepted},
		{Result: coupon.AttemptPostponed, Reason: "450 4.2.1 Greylisted, come back"},
		{Result: coupon.AttemptRefused, Reason: "550 5.1.1 No such mailbox"},
		{Result: coupon.AttemptRefused, Reason: "554 5.7.1 Looks like spam"},
		{Result: coupon.AttemptRefused, Reason: "' ' cannot stand before the @: take it out."},
		{Result: coupon.AttemptAccepted},
	})
	wantAttempts(t, send(t, s, messages[1:2]), accepted(1))
	if got := len(server.letters()); got != 3 {
		t.Errorf("%d letters arrived, want 3", got)
	}
}

// TestSMTPBrokenConnection breaks the connection before and after the message was handed over.
func TestSMTPBrokenConnection(t *testing.T) {
	t.Parallel()
	t.Run("before DATA", func(t *testing.T) {
		t.Parallel()
		server := &mailServer{}
		server.rcpt = func(s *mailServer, to string, conn net.Conn) error {
			switch {
			case to == "r2@example.com" && s.attemptsOf(to) == 1:
				return conn.Close()
			case s.attemptsOf(to) == 1:
				return &smtp.SMTPError{Code: 421, EnhancedCode: smtp.EnhancedCode{4, 3, 2}, Message: "Shutting down"}
			}
			return nil
		}
		s := plainSMTP(t, startMail(t, server, false, false))
		got := send(t, s, batch(coupon.ChannelEmail, 1, 1))[0]
		if got.Result != coupon.AttemptPostponed || got.About != coupon.AboutLine || !strings.HasSuffix(got.Reason, ": 421 4.3.2 Shutting down") {
			t.Errorf("got %+v, want it postponed because of the line", got)
		}
		wantAttempts(t, send(t, s, batch(coupon.ChannelEmail, 1, 1)), accepted(1))
		fresh := plainSMTP(t, server)
		if got := send(t, fresh, batch(coupon.ChannelEmail, 2, 1))[0]; got.Result != coupon.AttemptPostponed || got.MayBeSent {
			t.Errorf("got %+v, want a message that was surely not sent", got)
		}
		wantAttempts(t, send(t, fresh, batch(coupon.ChannelEmail, 2, 1)), accepted(1))
	})
	t.Run("after DATA", func(t *testing.T) {
		t.Parallel()
		server := startMail(t, &mailServer{data: func(s *mailServer, to string, conn net.Conn) error {
			if s.attemptsOf(to) == 1 && to == "r2@example.com" {
				return conn.Close()
			}
			return nil
		}}, false, false)
		s := plainSMTP(t, server)
		got := send(t, s, batch(coupon.ChannelEmail, 1, 3))
		if got[1].Result != coupon.AttemptUnknown {
			t.Errorf("got %+v, want it unknown", got[1])
		}
		wantAttempts(t, []coupon.Attempt{got[0], got[2]}, accepted(2))
	})
	t.Run("a kept connection died", func(t *testing.T) {
		t.Parallel()
		var conns []net.Conn
		server := startMail(t, &mailServer{data: func(s *mailServer, _ string, conn net.Conn) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			conns = append(conns, conn)
			return nil
		}}, false, false)
		s := plainSMTP(t, server)
		wantAttempts(t, send(t, s, batch(coupon.ChannelEmail, 1, 1)), accepted(1))
		server.mu.Lock()
		for _, conn := range conns {
			_ = conn.Close()
		}
		server.mu.Unlock()
		wantAttempts(t, send(t, s, batch(coupon.ChannelEmail, 2, 2)), accepted(2))
	})
	t.Run("nobody listens", func(t *testing.T) {
		t.Parallel()
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		addr := listener.Addr().String()
		if err := listener.Close(); err != nil {
			t.Fatal(err)
		}
		s := newSMTP(t, &sender.SMTPOptions{URL: "smtp://user:secret@" + addr + "?tls=off"})
		for _, attempt := range send(t, s, batch(coupon.ChannelEmail, 1, 100)) {
			if attempt.Result != coupon.AttemptPostponed || attempt.About != coupon.AboutLine || attempt.MayBeSent ||
				strings.Contains(attempt.Reason, "secret") || !strings.Contains(attempt.Reason, addr) {
				t.Fatalf("got %+v", attempt)
			}
		}
	})
}

// TestSMTPStops leaves open what it does not come to when the server stops.
func TestSMTPStops(t *testing.T) {
	t.Parallel()
	server := startMail(t, &mailServer{}, false, false)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	// There is some time left for what is begun.
	attempts, err := plainSMTP(t, server).Send(ctx, &sender.Batch{Origin: origin, Messages: batch(coupon.ChannelEmail, 1, 5), At: sentAt})
	if err != nil {
		t.Fatal(err)
	}
	wantAttempts(t, attempts, accepted(5))
}

func TestSMTPEncryption(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		scheme, user, parameter   string
		withTLS, implicit, trusts bool
		want                      string // what the reason has; empty: accepted
		isPlain                   bool
	}{
		"STARTTLS":                      {scheme: "smtp", withTLS: true, trusts: true},
		"STARTTLS and a login":          {scheme: "smtp", user: "user:p%40ss%3Aword@", withTLS: true, trusts: true},
		"a wrong password":              {scheme: "smtp", user: "user:hunter2@", withTLS: true, trusts: true, want: "535"},
		"an unknown authority":          {scheme: "smtp", withTLS: true, want: "certificate"},
		"no STARTTLS":                   {scheme: "smtp", want: "STARTTLS"},
		"optional, but offered":         {scheme: "smtp", parameter: "?tls=optional", withTLS: true, trusts: true},
		"optional and not offered":      {scheme: "smtp", parameter: "?tls=optional", isPlain: true},
		"a password in the clear":       {scheme: "smtp", user: "user:p%40ss%3Aword@", parameter: "?tls=off", want: "auth"},
		"TLS from the first byte":       {scheme: "smtps", implicit: true, trusts: true},
		"TLS with an unknown authority": {scheme: "smtps", implicit: true, want: "certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := startMail(t, &mailServer{}, test.withTLS, test.implicit)
			options := &sender.SMTPOptions{URL: fmt.Sprintf("%s://%s%s%s", test.scheme, test.user, server.addr, test.parameter), RootCAs: x509.NewCertPool()}
			if test.trusts {
				options.RootCAs = server.roots
			}
			got := send(t, newSMTP(t, options), batch(coupon.ChannelEmail, 1, 1))[0]
			letters := server.letters()
			if test.want != "" {
				if got.Result != coupon.AttemptPostponed || !strings.Contains(strings.ToLower(got.Reason), strings.ToLower(test.want)) || len(letters) > 0 {
					t.Errorf("got %+v, want it postponed because of %q", got, test.want)
				}
				if strings.Contains(got.Reason, "hunter2") || strings.Contains(got.Reason, "word@") {
					t.Errorf("the reason has the password: %s", got.Reason)
				}
				return
			}
			wantAttempts(t, []coupon.Attempt{got}, accepted(1))
			if len(letters) != 1 || letters[0].isEncrypted == test.isPlain || (letters[0].user == "user") != (test.user != "") {
				t.Errorf("got %+v", letters)
			}
		})
	}
}

// FuzzMail must not find a subject, name or address that makes a header of its own.
func FuzzMail(f *testing.F) {
	server := &mailServer{attempts: map[string]int{}}
	s := smtp.NewServer(server)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		f.Fatal(err)
	}
	go func() { _ = s.Serve(listener) }()
	f.Cleanup(func() { _ = s.Close() })
	out, err := sender.NewSMTP(&sender.SMTPOptions{
		URL: "smtp://" + listener.Addr().String() + "?tls=off", From: "shop@example.com", UnsubscribeURL: "https://example.com/{recipient}/{delivery}",
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Add("a\r\nBcc: victim@example.com\r\n\r\nbody", "r\r\nX-Evil: 1", "r@example.com")
	f.Add("a\nX-Evil: 1", ">, <mailto:x@y>\r\nX-Evil: 1", "r@example.com\r\nBcc: victim@example.com")
	f.Add("=?utf-8?q?x=0D=0AX-Evil:_1?=", strings.Repeat("ä", 1000), "\"a\r\nRCPT TO:<victim@example.com>\"@example.com")
	f.Add(strings.Repeat("x", 998), "", "victim@example.com, r@example.com")
	f.Add("a\u2028X-Evil: 1\x85X-Evil: 1", "r", "r@example.com>\r\nDATA")
	f.Fuzz(func(t *testing.T, subject, recipient, address string) {
		messages := batch(coupon.ChannelEmail, 1, 1)
		messages[0].Subject, messages[0].Recipient, messages[0].Address = subject, recipient, address
		server.mu.Lock()
		server.received = nil
		server.mu.Unlock()
		got := send(t, out, messages)[0]
		letters := server.letters()
		if got.Result != coupon.AttemptAccepted {
			if len(letters) > 0 {
				t.Errorf("got %+v, but %d letters", got, len(letters))
			}
			return
		}
		if len(letters) != 1 {
			t.Fatalf("got %d letters", len(letters))
		}
		known := []string{
			"Content-Type", "Date", "From", "List-Unsubscribe", "List-Unsubscribe-Post", "Message-Id", "Mime-Version", "Subject", "To",
		}
		for name, values := range letters[0].parse(t).Header {
			if !slices.Contains(known, name) || len(values) != 1 {
				t.Errorf("got the header %s: %q", name, values)
			}
		}
		for line := range strings.SplitSeq(letters[0].text, "\r\n") {
			if len(line) > 998 {
				t.Errorf("a line has %d bytes", len(line))
			}
		}
	})
}

func TestNewSMTPErrors(t *testing.T) {
	t.Parallel()
	for name, options := range map[string]sender.SMTPOptions{
		"no address":            {},
		"another scheme":        {URL: "https://user:hunter2@example.com"},
		"no host":               {URL: "smtp://user:hunter2@"},
		"a malformed password":  {URL: "smtp://user:hunter2%zz@example.com"},
		"a path":                {URL: "smtp://user:hunter2@example.com/x"},
		"a port that is none":   {URL: "smtp://user:hunter2@example.com:99999"},
		"an unknown parameter":  {URL: "smtp://user:hunter2@example.com?verify=no"},
		"an unknown policy":     {URL: "smtp://user:hunter2@example.com?tls=maybe"},
		"no sender":             {URL: "smtp://user:hunter2@example.com", From: "shop"},
		"a bad unsubscribe URL": {URL: "smtp://user:hunter2@example.com", From: "shop@example.com", UnsubscribeURL: "leave"},
		"an unknown token":      {URL: "smtp://user:hunter2@example.com", From: "shop@example.com", UnsubscribeURL: "https://example.com/{who}"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if name != "no sender" {
				options.From = "shop@example.com"
			}
			_, err := sender.NewSMTP(&options)
			if err == nil || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("got %v, want an error without the password", err)
			}
		})
	}
	if _, err := sender.NewSMTP(&sender.SMTPOptions{
		URL: "smtp://mail.example.com", From: "shop@example.com", UnsubscribeURL: "mailto:leave@example.com?subject={recipient}",
	}); err != nil {
		t.Error(err)
	}
}
