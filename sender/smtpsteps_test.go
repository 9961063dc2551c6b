package sender_test

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"couponql/coupon"
	"couponql/sender"
	"couponql/sender/mailtest"
)

// toServer returns a sender for a scripted server, with short time limits.
func toServer(t *testing.T, server *mailtest.Server) *sender.SMTP {
	t.Helper()
	const short = 300 * time.Millisecond
	return newSMTP(t, &sender.SMTPOptions{URL: server.URL(), Log: slog.New(
		slog.NewTextHandler(t.Output(), nil),
	), Timeouts: sender.Timeouts{
		Greeting: short, Command: short, Data: short, Block: short, Dot: short,
	}})
}

// at returns a script that answers one step.
func at(step mailtest.Step, reply mailtest.Reply) func(mailtest.Event) mailtest.Reply {
	return func(e mailtest.Event) mailtest.Reply {
		if e.Step == step {
			return reply
		}
		return mailtest.Reply{}
	}
}

// TestMailSteps has a server answer each step in each way and looks at what that is about, and
// whether the mail may be on its way.
func TestMailSteps(t *testing.T) {
	t.Parallel()
	const later, refused = coupon.AttemptPostponed, coupon.AttemptRefused
	for _, test := range []struct {
		step   mailtest.Step
		reply  mailtest.Reply
		result coupon.AttemptResult
		about  coupon.AttemptSubject
	}{
		{
			mailtest.Greeting,
			mailtest.Reply{Text: "554 5.7.1 No service for you"},
			later,
			coupon.AboutSender,
		},
		{mailtest.Greeting, mailtest.Reply{Text: "421 4.3.2 Too busy"}, later, coupon.AboutLine},
		{mailtest.Greeting, mailtest.Reply{Breaks: true}, later, coupon.AboutLine},
		{mailtest.Greeting, mailtest.Reply{Delay: time.Second}, later, coupon.AboutLine},
		{mailtest.Hello, mailtest.Reply{
			Text: "504 5.5.2 Helo command rejected: need fully-qualified hostname",
		}, later, coupon.AboutSender},
		{mailtest.Hello, mailtest.Reply{Text: "450 4.7.1 Host not found"}, later, coupon.AboutLine},
		{
			mailtest.Mail,
			mailtest.Reply{Text: "550 5.4.5 Daily user sending quota exceeded"},
			later, coupon.AboutSender,
		},
		{
			mailtest.Mail,
			mailtest.Reply{Text: "530 5.7.0 Authentication required"},
			later,
			coupon.AboutSender,
		},
		{mailtest.Mail, mailtest.Reply{Text: "450 4.7.1 Too much mail"}, later, coupon.AboutLine},
		{mailtest.Mail, mailtest.Reply{Breaks: true}, later, coupon.AboutLine},
		{mailtest.Mail, mailtest.Reply{Delay: time.Second}, later, coupon.AboutLine},
		{
			mailtest.Rcpt,
			mailtest.Reply{Text: "550 5.1.1 No such mailbox"},
			refused,
			coupon.AboutMessage,
		},
		{mailtest.Rcpt, mailtest.Reply{Text: "550 No such mailbox"}, refused, coupon.AboutMessage},
		{mailtest.Rcpt, mailtest.Reply{Text: "450 4.2.1 Greylisted"}, later, coupon.AboutMessage},
		{mailtest.Rcpt, mailtest.Reply{Text: "452 4.2.2 Mailbox full"}, later, coupon.AboutMessage},
		{
			mailtest.Rcpt,
			mailtest.Reply{Text: "452 4.5.3 Too many recipients"},
			later,
			coupon.AboutLine,
		},
		{
			mailtest.Rcpt,
			mailtest.Reply{Text: "452 Insufficient system storage"},
			later,
			coupon.AboutLine,
		},
		{
			mailtest.Rcpt,
			mailtest.Reply{Text: "451 4.3.0 Temporary lookup failure"},
			later,
			coupon.AboutLine,
		},
		{mailtest.Rcpt, mailtest.Reply{Text: "421 4.7.0 Too many errors"}, later, coupon.AboutLine},
		{
			mailtest.Rcpt,
			mailtest.Reply{Text: "550 5.1.8 Bad sender's system address"},
			later,
			coupon.AboutSender,
		},
		{
			mailtest.Rcpt,
			mailtest.Reply{Text: "530 5.7.0 Authentication required"},
			later,
			coupon.AboutSender,
		},
		{mailtest.Rcpt, mailtest.Reply{Breaks: true}, later, coupon.AboutLine},
		{mailtest.Data, mailtest.Reply{Text: "554 5.7.1 Not today"}, refused, coupon.AboutMessage},
		{
			mailtest.Data,
			mailtest.Reply{Text: "550 5.4.5 Daily user sending quota exceeded"},
			later, coupon.AboutSender,
		},
		{
			mailtest.Data,
			mailtest.Reply{Text: "530 5.7.0 Authentication required"},
			later,
			coupon.AboutSender,
		},
		{mailtest.Data, mailtest.Reply{Text: "451 4.3.0 Not now"}, later, coupon.AboutLine},
		{mailtest.Data, mailtest.Reply{Delay: time.Second}, later, coupon.AboutLine},
		{
			mailtest.Content,
			mailtest.Reply{Breaks: true},
			coupon.AttemptUnknown,
			coupon.AboutMessage,
		},
		{
			mailtest.Dot,
			mailtest.Reply{Text: "554 5.7.1 Looks like spam"},
			refused,
			coupon.AboutMessage,
		},
		{mailtest.Dot, mailtest.Reply{Text: "552 5.3.4 Too large"}, refused, coupon.AboutMessage},
		{
			mailtest.Dot,
			mailtest.Reply{Text: "550 5.4.5 Daily user sending quota exceeded"},
			later, coupon.AboutSender,
		},
		{mailtest.Dot, mailtest.Reply{Text: "451 4.3.0 Queue is full"}, later, coupon.AboutLine},
		{mailtest.Dot, mailtest.Reply{Text: "421 4.3.2 Shutting down"}, later, coupon.AboutLine},
		{
			mailtest.Dot,
			mailtest.Reply{Text: "354 More"},
			coupon.AttemptUnknown,
			coupon.AboutMessage,
		},
		{
			mailtest.Dot,
			mailtest.Reply{Text: "999 What"},
			coupon.AttemptUnknown,
			coupon.AboutMessage,
		},
		{mailtest.Dot, mailtest.Reply{Breaks: true}, coupon.AttemptUnknown, coupon.AboutMessage},
		{
			mailtest.Dot,
			mailtest.Reply{Delay: time.Second},
			coupon.AttemptUnknown,
			coupon.AboutMessage,
		},
		{
			mailtest.Reset,
			mailtest.Reply{Text: "500 What?"},
			coupon.AttemptAccepted,
			coupon.AboutMessage,
		},
		{mailtest.Quit, mailtest.Reply{Breaks: true}, coupon.AttemptAccepted, coupon.AboutMessage},
	} {
		t.Run(fmt.Sprintf("%s %s%v", test.step, test.reply.Text, test.reply.Delay),
			func(t *testing.T) {
				t.Parallel()
				server := mailtest.Start(t, at(test.step, test.reply))
				got := send(t, toServer(t, server), batch(coupon.ChannelEmail, 1, 1))[0]
				if got.Result != test.result || got.About != test.about || got.MayBeSent ||
					got.Result != coupon.AttemptAccepted &&
						!strings.Contains(got.Reason, test.reply.Text) {
					t.Errorf("got %+v, want %s about %q", got, test.result, test.about)
				}
			})
	}
}

// TestMailGarbled judges an answer that is none, or has no end, at once and not at the time limit:
// by its step, and as unknown where the mail may be taken.
func TestMailGarbled(t *testing.T) {
	t.Parallel()
	const later, unknown, taken = coupon.AttemptPostponed, coupon.AttemptUnknown,
		coupon.AttemptAccepted
	endless := strings.Repeat("250-more\r\n", 1_000_000)
	for name, test := range map[string]struct {
		step   mailtest.Step
		text   string
		result coupon.AttemptResult
		reason string
	}{
		"greeting of two codes": {
			mailtest.Greeting, "220-hello\r\n554 no", later, "the code 220, and another 554",
		},
		"EHLO of two codes": {
			mailtest.Hello, "250-hello\r\n550 no", later, "the code 250, and another 550",
		},
		"sender of two codes": {
			mailtest.Mail, "250-ok\r\n550 no", later, "the code 250, and another 550",
		},
		"recipient of two codes": {
			mailtest.Rcpt, "550-no\r\n250 ok", later, "the code 550, and another 250",
		},
		"end of two codes": {
			mailtest.Dot, "250-ok\r\n550 no", unknown, "the code 250, and another 550",
		},
		"end of two codes, no end": {
			mailtest.Dot, "550-no\r\n250-ok", unknown, "the code 550, and another 250",
		},
		"end without end":       {mailtest.Dot, endless, unknown, "no end within 65536 bytes"},
		"recipient without end": {mailtest.Rcpt, endless, later, "no end within 65536 bytes"},
		"line without end": {
			mailtest.Dot, "250 " + strings.Repeat("x", 1_000_000), unknown,
			"a line of more than 16384 bytes",
		},
		"no code":               {mailtest.Dot, "queued", unknown, ""},
		"empty":                 {mailtest.Dot, "\r\n", unknown, ""},
		"lines in between":      {mailtest.Dot, "250-ok\r\nno code here\r\n250 ok", taken, ""},
		"a code alone":          {mailtest.Dot, "250", taken, ""},
		"a code alone, at last": {mailtest.Dot, "250-ok\r\n250", taken, ""},
		"a long answer": {
			mailtest.Dot,
			strings.Repeat("250-"+strings.Repeat("x", 10_000)+"\r\n", 5) + "250 ok", taken, "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := mailtest.Start(t, at(test.step, mailtest.Reply{Text: test.text}))
			const limit = 5 * time.Minute
			s := newSMTP(t, &sender.SMTPOptions{URL: server.URL(), Timeouts: sender.Timeouts{
				Greeting: limit, Command: limit, Data: limit, Block: limit, Dot: limit,
			}})
			began := time.Now()
			got := send(t, s, batch(coupon.ChannelEmail, 1, 1))[0]
			if got.Result != test.result || !strings.Contains(got.Reason, test.reason) {
				t.Errorf("got %+v, want %s with %q", got, test.result, test.reason)
			}
			if took := time.Since(began); took > time.Minute {
				t.Errorf("it took %v", took)
			}
		})
	}
}

// TestMailSlowDot: a server that takes its time with a whole mail gets it once.
func TestMailSlowDot(t *testing.T) {
	t.Parallel()
	server := mailtest.Start(t, at(mailtest.Dot, mailtest.Reply{Delay: 400 * time.Millisecond}))
	s := newSMTP(t, &sender.SMTPOptions{
		URL: server.URL(), Timeouts: sender.Timeouts{Command: 100 * time.Millisecond},
	})
	wantAttempts(t, send(t, s, batch(coupon.ChannelEmail, 1, 4)), accepted(4))
	if got := len(server.Letters()); got != 4 {
		t.Errorf("%d letters, want 4", got)
	}
}

// TestMailStopsUnanswered: when the server stops while a mail waits for its answer, nobody knows
// whether it was taken.
func TestMailStopsUnanswered(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	never := make(chan struct{})
	server := mailtest.Start(t, func(e mailtest.Event) mailtest.Reply {
		if e.Step != mailtest.Dot {
			return mailtest.Reply{}
		}
		cancel()
		return mailtest.Reply{Until: never}
	})
	t.Cleanup(func() { close(never) })
	s := newSMTP(t, &sender.SMTPOptions{URL: server.URL()})
	began := time.Now()
	got, err := s.Send(ctx,
		&sender.Batch{Origin: origin, Messages: batch(coupon.ChannelEmail, 1, 20), At: sentAt})
	if err != nil {
		t.Fatal(err)
	}
	counts := countResults(got)
	if counts[coupon.AttemptUnknown] != 4 || counts[coupon.AttemptOpen] != 16 ||
		time.Since(began) > 10*time.Second {
		t.Errorf("got %v after %v, want 4 unknown and 16 open soon", counts, time.Since(began))
	}
}

func countResults(attempts []coupon.Attempt) map[coupon.AttemptResult]int {
	counts := map[coupon.AttemptResult]int{}
	for _, attempt := range attempts {
		counts[attempt.Result]++
	}
	return counts
}

// TestMailLeave asks at the last moment: after the recipient was taken, before anything of the
// message goes out.
func TestMailLeave(t *testing.T) {
	t.Parallel()
	server := mailtest.Start(t, nil)
	s := toServer(t, server)
	var asked atomic.Int32
	messages := batch(coupon.ChannelEmail, 1, 40)
	got, err := s.Send(t.Context(),
		&sender.Batch{Origin: origin, Messages: messages, At: sentAt, Leave: func(place int) bool {
			if asked.Add(1) == 1 && server.Asked(mailtest.Rcpt) == 0 {
				t.Error("it is asked before a recipient was taken")
			}
			return place%2 == 0
		}})
	if err != nil {
		t.Fatal(err)
	}
	left := map[string]bool{}
	for _, letter := range server.Letters() {
		left[letter.To] = true
	}
	for i, attempt := range got {
		want := coupon.AttemptAccepted
		if i%2 == 1 {
			want = coupon.AttemptWithheld
		}
		if attempt.Result != want || left[messages[i].Address] != (i%2 == 0) {
			t.Errorf("message %d: got %+v, left %t", i, attempt, left[messages[i].Address])
		}
	}
}

// TestMailWithheld: once nothing may leave, as after a pause, the rest of a batch costs the server
// nothing.
func TestMailWithheld(t *testing.T) {
	t.Parallel()
	server := mailtest.Start(t, nil)
	got, err := toServer(t, server).Send(t.Context(), &sender.Batch{
		Origin: origin, Messages: batch(coupon.ChannelEmail, 1, 100), At: sentAt,
		Leave: func(int) bool { return false },
	})
	if err != nil {
		t.Fatal(err)
	}
	if counts := countResults(got); counts[coupon.AttemptWithheld] != 100 ||
		len(server.Letters()) > 0 || server.Asked(mailtest.Mail) > 4 {
		t.Errorf("got %v, %d letters, %d times MAIL", counts, len(server.Letters()),
			server.Asked(mailtest.Mail))
	}
}

// TestMailRows: the same words for different recipients in a row are not about the recipients,
// unless they say so.
func TestMailRows(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		step    mailtest.Step
		text    string
		want    coupon.AttemptResult
		about   coupon.AttemptSubject
		atLeast int
	}{
		"relaying denied": {
			mailtest.Rcpt, "550 5.7.1 <%s>: Relay access denied", coupon.AttemptPostponed,
			coupon.AboutSender, 100,
		},
		"spam": {
			mailtest.Dot, "554 5.7.1 Rejected as spam, id %s-1", coupon.AttemptPostponed,
			coupon.AboutSender, 100,
		},
		"before the content": {
			mailtest.Data, "554 5.7.1 Not today, %s", coupon.AttemptPostponed,
			coupon.AboutSender, 100,
		},
		"a limit": {
			mailtest.Rcpt, "450 4.7.1 <%s>: Too fast", coupon.AttemptPostponed,
			coupon.AboutLine, 100,
		},
		"a limit at the dot": {
			mailtest.Dot, "451 4.7.1 Too fast, %s", coupon.AttemptPostponed, coupon.AboutLine, 100,
		},
		"many dead mailboxes": {
			mailtest.Rcpt, "550 5.1.1 <%s>: No such mailbox", coupon.AttemptRefused,
			coupon.AboutMessage, 100,
		},
		"many full mailboxes": {
			mailtest.Rcpt, "452 4.2.2 <%s>: Mailbox full", coupon.AttemptPostponed,
			coupon.AboutMessage, 100,
		},
		"greylisting": {
			mailtest.Rcpt, "450 4.7.1 <%s>: Greylisted", coupon.AttemptPostponed,
			coupon.AboutMessage, 100,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := mailtest.Start(t, func(e mailtest.Event) mailtest.Reply {
				if e.Step != test.step {
					return mailtest.Reply{}
				}
				return mailtest.Reply{Text: fmt.Sprintf(test.text, e.To)}
			})
			count := 0
			for _, attempt := range send(t, toServer(t, server),
				batch(coupon.ChannelEmail, 1, 100)) {
				if attempt.Result == test.want && attempt.About == test.about &&
					attempt.Reason != "" {
					count++
				}
			}
			if count < test.atLeast {
				t.Errorf("%d of 100 are %s about %q", count, test.want, test.about)
			}
		})
	}
}

// TestMailPolicy: words about a policy are about the sender after a few recipients, however small
// the batch, and about one recipient where the others get their mail.
func TestMailPolicy(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		step    mailtest.Step
		refuses func(to string) bool
		want    map[coupon.AttemptSubject]int
	}{
		"all": {
			mailtest.Rcpt, func(string) bool { return true },
			map[coupon.AttemptSubject]int{coupon.AboutSender: 5},
		},
		"all at DATA": {
			mailtest.Data, func(string) bool { return true },
			map[coupon.AttemptSubject]int{coupon.AboutSender: 5},
		},
		"one at DATA": {
			mailtest.Data,
			func(to string) bool { return strings.HasPrefix(to, "r2@") },
			map[coupon.AttemptSubject]int{coupon.AboutMessage: 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := mailtest.Start(t, func(e mailtest.Event) mailtest.Reply {
				if e.Step == test.step && test.refuses(e.To) {
					return mailtest.Reply{Text: "550 5.7.1 Refused by policy"}
				}
				return mailtest.Reply{}
			})
			messages := batch(coupon.ChannelEmail, 1, 5)
			for i := range messages {
				messages[i].Address = fmt.Sprintf("r%d@example.com", i)
			}
			got := map[coupon.AttemptSubject]int{}
			for _, attempt := range send(t, toServer(t, server), messages) {
				if attempt.Result != coupon.AttemptAccepted {
					got[attempt.About]++
				}
			}
			if !maps.Equal(got, test.want) {
				t.Errorf("refused about %v, want %v", got, test.want)
			}
		})
	}
}

// sendAll sends messages as the jobs do: in batches as large as the sender wants, again those that
// the line had no room for. It returns how many were taken, and how many attempts counted.
func sendAll(
	t *testing.T, s *sender.SMTP, messages []coupon.OutgoingMessage, within time.Duration,
) (taken, counted int) {
	t.Helper()
	for began := time.Now(); len(messages) > 0 && time.Since(began) < within; {
		traits := s.Traits()
		if traits.Wait > 0 {
			time.Sleep(min(traits.Wait, within))
		}
		size := min(traits.MaxBatch, len(messages))
		var again []coupon.OutgoingMessage
		for i, attempt := range send(t, s, messages[:size]) {
			switch {
			case attempt.Result == coupon.AttemptAccepted:
				taken++
			case attempt.About == coupon.AboutMessage:
				counted++
				again = append(again, messages[i])
			default:
				again = append(again, messages[i])
			}
		}
		messages = append(messages[size:], again...)
	}
	return taken, counted
}

// TestMailPace: a relay that takes so many mails a second and refuses the rest gets about so many,
// and no message loses more attempts than it takes to understand the relay.
func TestMailPace(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it waits for seconds")
	}
	for name, text := range map[string]string{
		"with a code of a limit": "452 4.5.3 Too many recipients",
		"with any code":          "450 4.7.1 Come back", "without a code": "450 Come back",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			isIn := mailtest.Quota(10, time.Second)
			server := mailtest.Start(t, func(e mailtest.Event) mailtest.Reply {
				if e.Step == mailtest.Rcpt && !isIn(e.At) {
					return mailtest.Reply{Text: text}
				}
				return mailtest.Reply{}
			})
			s := toServer(t, server)
			taken, counted := sendAll(t, s, batch(coupon.ChannelEmail, 1, 2000), 8*time.Second)
			refused := server.Asked(mailtest.Rcpt) - taken
			if taken < 30 || counted > 0 || refused > taken {
				t.Errorf("%d taken, %d refused, %d counted", taken, refused, counted)
			}
			if limits := s.Limits(); limits.Rate <= 0 || limits.Rate > 40 {
				t.Errorf("got the limits %+v", limits)
			}
		})
	}
}

// TestMailConnections: a server that has enough connections gets its mail over those.
func TestMailConnections(t *testing.T) {
	t.Parallel()
	server := mailtest.Start(t, func(e mailtest.Event) mailtest.Reply {
		if e.Step == mailtest.Greeting && e.Open > 2 {
			return mailtest.Reply{Text: "421 4.7.0 Too many connections"}
		}
		return mailtest.Reply{Delay: time.Millisecond}
	})
	s := toServer(t, server)
	for range 3 {
		wantAttempts(t, send(t, s, batch(coupon.ChannelEmail, 1, 60)), accepted(60))
	}
	if all, _ := server.Connections(); all > 4 {
		t.Errorf("%d connections, want at most the 4 of the first batch", all)
	}
	if limits := s.Limits(); limits.Connections == 0 || limits.Connections > 2 || limits.Rate > 0 {
		t.Errorf("got the limits %+v, want at most 2 connections", limits)
	}
}

// TestMailPerConnection: a server that takes so many mails on a connection gets the rest on others.
func TestMailPerConnection(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"421 4.7.0 Too many messages", "452 4.5.3 Too many messages"} {
		server := mailtest.Start(t, func(e mailtest.Event) mailtest.Reply {
			if e.Step == mailtest.Mail && e.OnConnection >= 5 {
				return mailtest.Reply{Text: text}
			}
			return mailtest.Reply{}
		})
		s := toServer(t, server)
		wantAttempts(t, send(t, s, batch(coupon.ChannelEmail, 1, 100)), accepted(100))
		if limits := s.Limits(); limits.PerConnection != 5 || limits.Rate > 0 {
			t.Errorf("got the limits %+v, want 5 on a connection", limits)
		}
		// After the first connections nobody runs into the limit.
		if asked := server.Asked(mailtest.Mail); asked > 104 {
			t.Errorf("%d times MAIL for 100 mails", asked)
		}
	}
}

// TestMailRecovers: a server that was away for a moment gets its mail at full speed afterwards.
func TestMailRecovers(t *testing.T) {
	t.Parallel()
	var isAway atomic.Bool
	isAway.Store(true)
	server := mailtest.Start(t, func(mailtest.Event) mailtest.Reply {
		return mailtest.Reply{Breaks: isAway.Load()}
	})
	s := toServer(t, server)
	for _, attempt := range send(t, s, batch(coupon.ChannelEmail, 1, 100)) {
		if attempt.Result != coupon.AttemptPostponed || attempt.About != coupon.AboutLine {
			t.Fatalf("got %+v", attempt)
		}
	}
	if all, _ := server.Connections(); all > 4 {
		t.Errorf("%d connections to a server that is away", all)
	}
	isAway.Store(false)
	if wait := s.Traits().Wait; wait <= 0 || wait > time.Second {
		t.Errorf("it is left alone for %v", wait)
	}
	if taken, counted := sendAll(t, s, batch(coupon.ChannelEmail, 1, 300),
		10*time.Second); taken != 300 || counted > 0 {
		t.Errorf("%d taken, %d counted", taken, counted)
	}
}

// TestMailHello: the name for EHLO is the chosen one, the sender's domain, or the address of the
// connection.
func TestMailHello(t *testing.T) {
	t.Parallel()
	for want, options := range map[string]sender.SMTPOptions{
		"mail.example.net": {HelloName: "mail.example.net", From: "shop@example.com"},
		"example.com":      {From: "Shop <shop@example.com>"},
		"[127.0.0.1]":      {From: "shop@localhost"},
	} {
		server := mailtest.Start(t, nil)
		options.URL = server.URL()
		wantAttempts(t, send(t, newSMTP(t, &options), batch(coupon.ChannelEmail, 1, 1)),
			accepted(1))
		if names := server.Hellos(); len(names) != 1 || names[0] != want {
			t.Errorf("got %q, want %q", names, want)
		}
	}
	if _, err := sender.NewSMTP(&sender.SMTPOptions{
		URL: "smtp://mail.example.com", From: "a@example.com", HelloName: "a b",
	}); err == nil {
		t.Error("a name with a space is taken")
	}
}
