package job_test

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"couponql/coupon"
	"couponql/courier"
	"couponql/db/dbtest"
	"couponql/sender"
	"couponql/sender/mailtest"
)

// newMailScene is a scene by the machine's clock, whose mail goes to a scripted server by the
// sender that it returns.
func newMailScene(t *testing.T, server *mailtest.Server) (*scene, sender.Sender) {
	t.Helper()
	s := &scene{Store: dbtest.New(t), folder: filepath.Join(t.TempDir(), "outbox")}
	out, err := sender.NewSMTP(&sender.SMTPOptions{URL: server.URL(), From: "shop@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(out.Close)
	s.startSender(t, out)
	return s, out
}

// checkOnce fails the test unless each recipient got so many mails in all, and nobody two.
func checkOnce(t *testing.T, server *mailtest.Server, want int) {
	t.Helper()
	got := map[string]int{}
	for _, letter := range server.Letters() {
		if got[letter.To]++; got[letter.To] > 1 {
			t.Errorf("%s got %d mails", letter.To, got[letter.To])
		}
	}
	if len(got) != want {
		t.Errorf("%d got their mail, want %d", len(got), want)
	}
}

// TestMailSenderRefused: what the server says of the sender pauses the delivery, costs no message
// anything, and after that was mended and the delivery resumed everybody gets their mail once.
func TestMailSenderRefused(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		step mailtest.Step
		text string
	}{
		"a quota at MAIL FROM":    {mailtest.Mail, "550 5.4.5 Daily user sending quota exceeded"},
		"a name without a dot":    {mailtest.Hello, "504 5.5.2 Helo command rejected"},
		"spam at DATA":            {mailtest.Data, "554 5.7.1 Blocked"},
		"relaying denied for all": {mailtest.Rcpt, "550 5.7.1 Relaying denied"},
		"rejected at the end":     {mailtest.Dot, "550 5.7.1 Rejected by policy"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var isMended atomic.Bool
			server := mailtest.Start(t, func(e mailtest.Event) mailtest.Reply {
				if e.Step == test.step && (e.Taken >= 20 || e.Step == mailtest.Hello) &&
					!isMended.Load() {
					return mailtest.Reply{Text: test.text}
				}
				return mailtest.Reply{}
			})
			s, _ := newMailScene(t, server)
			_, id := s.ready(t, 300)
			s.confirm(t, id)
			d := s.wait(t, id,
				func(d *coupon.Delivery) bool { return d.Status == coupon.DeliveryPaused })
			if d.Counts.Failed > 0 || d.Counts.Sent != len(server.Letters()) ||
				d.Counts.Pending != 300-d.Counts.Sent {
				t.Errorf("it is paused with %+v", d.Counts)
			}
			if logged := lastLog(t, s, id); !strings.Contains(logged, test.text) {
				t.Errorf("the log says %q, want %q in it", logged, test.text)
			}
			isMended.Store(true)
			if _, err := s.ResumeDelivery(t.Context(), id); err != nil {
				t.Fatal(err)
			}
			if d := s.wait(t, id, isFinished); d.Counts.Sent != 300 {
				t.Errorf("finished with %+v", d.Counts)
			}
			checkOnce(t, server, 300)
			s.checkSound(t)
		})
	}
}

// lastLog returns the last entry of a delivery's log.
func lastLog(t *testing.T, s *scene, id coupon.ID) string {
	t.Helper()
	entries, err := s.LogOf(t.Context(), []coupon.ID{id})
	if err != nil || len(entries[id]) == 0 {
		t.Fatalf("no log: %v", err)
	}
	return entries[id][len(entries[id])-1].Text
}

// TestMailLimits: however a server limits its line, everybody gets their mail, once.
func TestMailLimits(t *testing.T) {
	t.Parallel()
	window := mailtest.Quota(20, 300*time.Millisecond)
	for name, script := range map[string]func(mailtest.Event) mailtest.Reply{
		"a rate": func(e mailtest.Event) mailtest.Reply {
			if e.Step == mailtest.Rcpt && !window(e.At) {
				return mailtest.Reply{Text: "450 4.7.1 Too much"}
			}
			return mailtest.Reply{}
		},
		"connections": func(e mailtest.Event) mailtest.Reply {
			if e.Step == mailtest.Greeting && e.Open > 1 {
				return mailtest.Reply{Text: "421 4.7.0 Too many connections"}
			}
			return mailtest.Reply{Delay: time.Millisecond}
		},
		"mails on a connection": func(e mailtest.Event) mailtest.Reply {
			if e.Step == mailtest.Mail && e.OnConnection >= 7 {
				return mailtest.Reply{Text: "421 4.7.0 Too many messages"}
			}
			return mailtest.Reply{}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := mailtest.Start(t, script)
			s, _ := newMailScene(t, server)
			const count = 120
			_, id := s.ready(t, count)
			s.confirm(t, id)
			if d := s.wait(t, id, isFinished); d.Counts.Sent != count {
				t.Errorf("finished with %+v", d.Counts)
			}
			checkOnce(t, server, count)
			s.checkSound(t)
		})
	}
}

// TestSlowRate: a delivery of less than one message a second sends them one by one, can be paused
// at once, and its jobs end at once.
func TestSlowRate(t *testing.T) {
	t.Parallel()
	s := &scene{Store: dbtest.New(t), folder: filepath.Join(t.TempDir(), "outbox")}
	_, fast := s.ready(t, 10)
	_, slow := s.ready(t, 10,
		func(d *coupon.DeliveryChanges) { d.SendRate = coupon.Set(new(0.01)) })
	runner := s.start(t, 5)
	began := time.Now()
	s.confirm(t, fast)
	s.confirm(t, slow)
	s.wait(t, fast, isFinished)
	if took := time.Since(began); took < 1700*time.Millisecond || took > 10*time.Second {
		t.Errorf("10 messages took %v at 5 a second", took)
	}
	if d := s.delivery(t, slow); d.Counts.Sent != 1 {
		t.Errorf("%d messages went out at one in 100 seconds, want 1", d.Counts.Sent)
	}
	began = time.Now()
	if _, err := s.PauseDelivery(t.Context(), slow); err != nil {
		t.Fatal(err)
	}
	runner.Stop()
	if took := time.Since(began); took > time.Second {
		t.Errorf("pausing and stopping took %v", took)
	}
}

// TestUnknownSingles: who waits for a proof or a message that is sent again is told that nobody
// knows whether it was taken.
func TestUnknownSingles(t *testing.T) {
	t.Parallel()
	var isSilent atomic.Bool
	server := mailtest.Start(t, func(e mailtest.Event) mailtest.Reply {
		return mailtest.Reply{Breaks: e.Step == mailtest.Dot && isSilent.Load()}
	})
	s, out := newMailScene(t, server)
	_, id := s.ready(t, 1)
	s.confirm(t, id)
	s.wait(t, id, isFinished)
	c := courier.New(s.Store, out, nil)
	isSilent.Store(true)
	_, ofResend := c.Resend(t.Context(), s.messages(t, id)[0].ID)
	_, ofProof := c.SendProof(t.Context(), id, nil, []string{"tester@example.com"})
	for name, err := range map[string]error{"resend": ofResend, "proof": ofProof} {
		if err == nil || !strings.Contains(err.Error(), "nobody knows") {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if got := len(server.Letters()); got != 3 {
		t.Errorf("%d letters, want 3: nothing is repeated by itself", got)
	}
}

// TestWebhookSenderRefused: an answer about the secret or the address pauses the delivery, and
// fails no message.
func TestWebhookSenderRefused(t *testing.T) {
	t.Parallel()
	var isMended atomic.Bool
	var mu sync.Mutex
	keys := map[string]int{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isMended.Load() {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		keys[r.Header.Get(sender.HeaderIdempotencyKey)]++
	}))
	t.Cleanup(server.Close)
	out, err := sender.NewWebhook(server.URL, "0123456789abcdef", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(out.Close)
	s := &scene{Store: dbtest.New(t), folder: filepath.Join(t.TempDir(), "outbox")}
	s.startSender(t, out)
	_, id := s.ready(t, 600)
	s.confirm(t, id)
	d := s.wait(t, id, func(d *coupon.Delivery) bool { return d.Status == coupon.DeliveryPaused })
	if d.Counts.Pending != 600 || !strings.Contains(lastLog(t, s, id), "401 Unauthorized") {
		t.Errorf("it is paused with %+v: %s", d.Counts, lastLog(t, s, id))
	}
	isMended.Store(true)
	if _, err := s.ResumeDelivery(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if d := s.wait(t, id, isFinished); d.Counts.Sent != 600 {
		t.Errorf("finished with %+v", d.Counts)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(keys) != 2 {
		t.Errorf("got the batches %v, want 2, each once", keys)
	}
}
