package sender_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"couponql/coupon"
	"couponql/sender"
)

const secret = "0123456789abcdef"

// receiver is a real HTTP server that verifies what it gets and answers as a test decides.
type receiver struct {
	t      *testing.T
	answer func(w http.ResponseWriter, call int)

	address string
	mu      sync.Mutex
	keys    []string
	bodies  []string
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		r.t.Error(err)
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(request.Header.Get("Couponql-Timestamp") + "." + string(body)))
	if want := "v1=" +
		hex.EncodeToString(mac.Sum(nil)); request.Header.Get("Couponql-Signature") != want {
		r.t.Errorf("the signature is %s, want %s", request.Header.Get("Couponql-Signature"), want)
	}
	if request.Method != http.MethodPost ||
		request.Header.Get("Content-Type") != "application/json" ||
		request.Header.Get("Couponql-Timestamp") != "1793711585" {
		r.t.Errorf("got %s %+v", request.Method, request.Header)
	}
	r.mu.Lock()
	r.keys, r.bodies = append(r.keys, request.Header.Get("Idempotency-Key")), append(r.bodies,
		string(body))
	call := len(r.keys)
	r.mu.Unlock()
	r.answer(w, call)
}

func startReceiver(t *testing.T, answer func(w http.ResponseWriter, call int)) (
	*receiver, *sender.Webhook,
) {
	t.Helper()
	r := &receiver{t: t, answer: answer}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	r.address = strings.Replace(server.URL, "http://", "http://user:hunter2@", 1) + "/messages"
	w, err := sender.NewWebhook(r.address, secret, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return r, w
}

func TestWebhook(t *testing.T) {
	t.Parallel()
	r, w := startReceiver(t, func(w http.ResponseWriter, call int) {
		if call == 1 {
			w.Header().Set("Retry-After", "120")
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		_, _ = io.WriteString(w, `{"refused":[{"messageId":"message_2","reason":"No such number","isPermanent":true},
			{"messageId":"message_3","reason":"Quiet hours"},{"messageId":"message_99",
				"reason":"Unknown"}]}`)
	})
	messages := batch(coupon.ChannelSMS, 1, 3)
	messages[1].Subject = ""
	wantAttempts(t, send(t, w, messages), same(3, coupon.Attempt{
		Result: coupon.AttemptPostponed, About: coupon.AboutLine,
		Reason:    "The webhook answered 503 Service Unavailable",
		NotBefore: sentAt.Add(2 * time.Minute), RepeatsBatch: true,
	}))
	// It is left alone for so long, by other deliveries too.
	if wait := w.Traits().Wait; wait < time.Minute || wait > 2*time.Minute {
		t.Errorf("it is left alone for %v", wait)
	}
	early := send(t, w, messages)[0]
	if early.About != coupon.AboutLine || !early.RepeatsBatch ||
		!early.NotBefore.After(sentAt.Add(time.Minute)) || len(r.keys) != 1 {
		t.Errorf("got %+v after %d requests, want it put off", early, len(r.keys))
	}
	again, err := sender.NewWebhook(r.address, secret, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(again.Close)
	wantAttempts(t, send(t, again, messages), []coupon.Attempt{
		{Result: coupon.AttemptAccepted},
		{Result: coupon.AttemptRefused, Reason: "No such number"},
		{Result: coupon.AttemptPostponed, Reason: "Quiet hours"},
	})
	if diff := cmp.Diff([]string{"key-1", "key-1"}, r.keys); diff != "" ||
		r.bodies[0] != r.bodies[1] {
		t.Errorf("a batch that is repeated must look the same (-want +got):\n%s", diff)
	}
	var got struct {
		Messages []map[string]any `json:"messages"`
	}
	if err := json.Unmarshal([]byte(r.bodies[0]), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]any{
		"messageId": "message_2", "deliveryId": "delivery_1", "channel": "SMS", "recipient": "c-2",
		"address": "r2@example.com",
		"code":    "CODE2", "body": messages[1].Body,
	}, got.Messages[1]); diff != "" || len(got.Messages) != 3 ||
		got.Messages[0]["subject"] != "Your code" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func same(n int, attempt coupon.Attempt) []coupon.Attempt {
	attempts := make([]coupon.Attempt, n)
	for i := range attempts {
		attempts[i] = attempt
	}
	return attempts
}

func TestWebhookAnswers(t *testing.T) {
	t.Parallel()
	later := func(about coupon.AttemptSubject, reason string, mayBeSent bool) coupon.Attempt {
		return coupon.Attempt{
			Result: coupon.AttemptPostponed, About: about, Reason: "The webhook answered " + reason,
			MayBeSent: mayBeSent, RepeatsBatch: true,
		}
	}
	refused := func(reason string) coupon.Attempt {
		return coupon.Attempt{
			Result: coupon.AttemptRefused, Reason: "The webhook answered " + reason,
		}
	}
	const message, line, account = coupon.AboutMessage, coupon.AboutLine, coupon.AboutSender
	date := later(line, "429 Too Many Requests", false)
	date.NotBefore = time.Date(2026, 11, 3, 15, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		status  int
		headers map[string]string
		body    string
		want    coupon.Attempt
	}{
		"accepted": {status: 204, want: coupon.Attempt{Result: coupon.AttemptAccepted}},
		"accepted with a text": {
			status: 202, body: "thanks", want: coupon.Attempt{Result: coupon.AttemptAccepted},
		},
		"malformed":       {status: 400, want: refused("400 Bad Request")},
		"refused":         {status: 422, want: refused("422 Unprocessable Entity")},
		"a wrong secret":  {status: 401, want: later(account, "401 Unauthorized", false)},
		"no rights":       {status: 403, want: later(account, "403 Forbidden", false)},
		"a wrong address": {status: 404, want: later(account, "404 Not Found", false)},
		"not for posts": {
			status: 405, want: later(account, "405 Method Not Allowed", false),
		},
		"gone": {status: 410, want: later(account, "410 Gone", false)},
		"moved": {
			status: 307, headers: map[string]string{"Location": "http://127.0.0.1:1/"},
			want: later(account, "307 Temporary Redirect", false),
		},
		"request timeout": {status: 408, want: later(line, "408 Request Timeout", false)},
		"too early":       {status: 425, want: later(line, "425 Too Early", false)},
		"too many requests": {
			status:  429,
			headers: map[string]string{"Retry-After": "Tue, 03 Nov 2026 15:00:00 GMT"}, want: date,
		},
		"unavailable":   {status: 503, want: later(line, "503 Service Unavailable", false)},
		"broken":        {status: 500, want: later(message, "500 Internal Server Error", true)},
		"nobody behind": {status: 502, want: later(line, "502 Bad Gateway", true)},
		"late behind":   {status: 504, want: later(line, "504 Gateway Timeout", true)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, w := startReceiver(t, func(w http.ResponseWriter, _ int) {
				for name, value := range test.headers {
					w.Header().Set(name, value)
				}
				w.WriteHeader(test.status)
				_, _ = io.WriteString(w, test.body)
			})
			wantAttempts(t, send(t, w, batch(coupon.ChannelPush, 1, 2)), same(2, test.want))
		})
	}
}

// TestWebhookUnanswered: when the receiver breaks off, it may have taken the batch; when nobody
// listens, not.
func TestWebhookUnanswered(t *testing.T) {
	t.Parallel()
	for name, mayBeSent := range map[string]bool{"breaks off": true, "nobody listens": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(
				func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
			))
			w, err := sender.NewWebhook(
				strings.Replace(server.URL, "http://", "http://user:hunter2@", 1), secret, nil,
			)
			if err != nil {
				t.Fatal(err)
			}
			if mayBeSent {
				t.Cleanup(server.Close)
			} else {
				server.Close()
			}
			for _, got := range send(t, w, batch(coupon.ChannelSMS, 1, 2)) {
				if got.Result != coupon.AttemptPostponed || got.MayBeSent != mayBeSent ||
					(got.About == coupon.AboutLine) == mayBeSent ||
					!got.RepeatsBatch || strings.Contains(got.Reason, "hunter2") {
					t.Errorf("got %+v", got)
				}
			}
		})
	}
}

// TestWebhookStops leaves the batch open when the server stops and no answer comes.
func TestWebhookStops(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	release := make(chan struct{})
	_, w := startReceiver(t, func(http.ResponseWriter, int) {
		cancel()
		<-release
	})
	defer close(release)
	attempts, err := w.Send(ctx,
		&sender.Batch{Key: "key-1", Messages: batch(coupon.ChannelSMS, 1, 2), At: sentAt})
	if err != nil {
		t.Fatal(err)
	}
	wantAttempts(t, attempts, make([]coupon.Attempt, 2))
}

func TestNewWebhookErrors(t *testing.T) {
	t.Parallel()
	for _, test := range [][2]string{
		{"ftp://user:hunter2@example.com", secret},
		{"https://user:hunter2%zz@example.com", secret},
		{"https://", secret},
		{"https://example.com", "hunter2"},
	} {
		if _, err := sender.NewWebhook(test[0], test[1], nil); err == nil ||
			strings.Contains(err.Error(), "hunter2") {
			t.Errorf("got %v, want an error without a secret", err)
		}
	}
}

// TestWebhookLeave leaves out what may not leave, and does not ask the receiver when nothing may.
func TestWebhookLeave(t *testing.T) {
	t.Parallel()
	r, w := startReceiver(t, func(w http.ResponseWriter, _ int) {
		_, _ = io.WriteString(w, `{"refused":[{"messageId":"message_1","reason":"Not mine"},{"messageId":"message_3","reason":"No such number"}]}`)
	})
	sendSome := func(may func(place int) bool) []coupon.Attempt {
		t.Helper()
		attempts, err := w.Send(t.Context(), &sender.Batch{
			Key: "key-1", Messages: batch(coupon.ChannelSMS, 1, 3), At: sentAt, Leave: may,
		})
		if err != nil {
			t.Fatal(err)
		}
		return attempts
	}
	wantAttempts(t, sendSome(func(place int) bool { return place > 0 }), []coupon.Attempt{
		{Result: coupon.AttemptWithheld},
		{Result: coupon.AttemptAccepted},
		{Result: coupon.AttemptPostponed, Reason: "No such number"},
	})
	if strings.Contains(r.bodies[0], "CODE1") || !strings.Contains(r.bodies[0], "CODE2") {
		t.Errorf("got %s", r.bodies[0])
	}
	wantAttempts(t, sendSome(func(int) bool { return false }),
		same(3, coupon.Attempt{Result: coupon.AttemptWithheld}))
	if len(r.bodies) != 1 {
		t.Errorf("%d requests, want 1", len(r.bodies))
	}
}

// TestWebhookOddAnswers reads the refusals of an answer as far as it can be read.
func TestWebhookOddAnswers(t *testing.T) {
	t.Parallel()
	const first = `{"messageId":"message_1","reason":"No such number","isPermanent":true}`
	long := strings.Repeat("z", 6000)
	for name, test := range map[string]struct {
		answer string
		want   []coupon.Attempt
	}{
		"a number as a reason": {
			`{"refused":[` + first +
				`,{"messageId":"message_2","reason":21211,"isPermanent":"true"}]}`,
			[]coupon.Attempt{{Result: coupon.AttemptRefused, Reason: "No such number"}, {
				Result: coupon.AttemptRefused, Reason: "21211",
			}},
		},
		"one that is none": {
			`{"taken":{"a":[1]},"refused":[{"messageId":1},"x",` + first + `]}`,
			[]coupon.Attempt{{Result: coupon.AttemptRefused, Reason: "No such number"}, {
				Result: coupon.AttemptAccepted,
			}},
		},
		"cut off": {
			`{"refused":[` + first + `,{"messageId":"message_2","rea`,
			[]coupon.Attempt{{Result: coupon.AttemptRefused, Reason: "No such number"}, {
				Result: coupon.AttemptAccepted,
			}},
		},
		"long reasons": {
			`{"refused":[` + first + strings.Repeat(`,{"messageId":"message_9","reason":"`+long+
				`"}`, 400) + `,{"messageId":"message_2","reason":"full"}]}`,
			[]coupon.Attempt{{Result: coupon.AttemptRefused, Reason: "No such number"}, {
				Result: coupon.AttemptPostponed, Reason: "full",
			}},
		},
		"no list": {`{"refused":"all"}`, []coupon.Attempt{
			{Result: coupon.AttemptAccepted}, {Result: coupon.AttemptAccepted},
		}},
		"no JSON": {"<p>OK</p>", []coupon.Attempt{
			{Result: coupon.AttemptAccepted}, {Result: coupon.AttemptAccepted},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, w := startReceiver(t,
				func(w http.ResponseWriter, _ int) { _, _ = io.WriteString(w, test.answer) })
			if diff := cmp.Diff(test.want, send(t, w, batch(coupon.ChannelSMS, 1, 2))); diff != "" {
				t.Errorf("attempts (-want +got):\n%s", diff)
			}
		})
	}
}
