package sender

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"couponql/coupon"
)

// Limits of the webhook.
const (
	// MaxWebhookBatch is how many messages one request has at most.
	MaxWebhookBatch = 500
	// webhookTimeout is how long one request may take, the answer included.
	webhookTimeout = 30 * time.Second
	// maxAnswer is how much of an answer is read, in bytes: 8 KiB for each message of the largest batch.
	maxAnswer = 8 << 10 * MaxWebhookBatch
	// maxIdleConnections is how many connections are kept open.
	maxIdleConnections = 4
	// MinSecretLength is the length of the shortest secret, in bytes.
	MinSecretLength = 16
)

// The headers of a request.
const (
	HeaderTimestamp      = "Couponql-Timestamp"
	HeaderSignature      = "Couponql-Signature"
	HeaderIdempotencyKey = "Idempotency-Key"
)

// Webhook posts batches of messages, or alerts, as JSON to an address of the operator's. Each request is signed and carries
// a key that is the same when the batch is repeated, so that the receiver can tell.
type Webhook struct {
	address *url.URL
	secret  []byte
	client  *http.Client
	pace    *pace
}

// NewWebhook makes a webhook. log is told what is learned of the receiver; nil: nobody is. Its errors do not contain the
// address, which may have a password, nor the secret.
func NewWebhook(address, secret string, log *slog.Logger) (*Webhook, error) {
	parsed, err := url.Parse(address)
	if err != nil || parsed.Host == "" || parsed.Scheme != "https" && parsed.Scheme != "http" {
		return nil, errors.New("the address of the webhook must be like https://example.com/messages")
	}
	if len(secret) < MinSecretLength {
		return nil, fmt.Errorf("the secret of the webhook must have at least %d characters", MinSecretLength)
	}
	return &Webhook{address: parsed, secret: []byte(secret), pace: newPace(parsed.Host, log), client: &http.Client{
		Timeout: webhookTimeout,
		Transport: &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			MaxIdleConnsPerHost: maxIdleConnections,
			ForceAttemptHTTP2:   true,
			IdleConnTimeout:     time.Minute,
		},
		// What is posted goes where the operator said, and nowhere else.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Close closes the connections that are kept open.
func (w *Webhook) Close() { w.client.CloseIdleConnections() }

// Reach connects to the receiver, or to the proxy before it, with TLS where requests use it, and sends nothing. Its errors
// do not contain the address, but for its host.
func (w *Webhook) Reach(ctx context.Context) (said string, err error) {
	target := w.address
	proxy, err := http.ProxyFromEnvironment(&http.Request{URL: w.address})
	if err == nil && proxy != nil {
		target = proxy
	}
	port := target.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[target.Scheme]
	}
	address := net.JoinHostPort(target.Hostname(), port)
	dial := (&net.Dialer{}).DialContext
	if target.Scheme == "https" {
		dial = (&tls.Dialer{Config: &tls.Config{ServerName: target.Hostname(), MinVersion: tls.VersionTLS12}}).DialContext
	}
	connection, err := dial(ctx, "tcp", address)
	if err != nil {
		return "", fmt.Errorf("the webhook cannot be reached at %s: %w", address, err)
	}
	return "connected to " + address, connection.Close()
}

// Traits tells how batches should be now.
func (w *Webhook) Traits() Traits {
	size, wait := w.pace.room(MaxWebhookBatch)
	return Traits{MaxBatch: size, Wait: wait, IsRepeatable: true}
}

// Limits returns what was learned of how much the receiver takes.
func (w *Webhook) Limits() Limits { return w.pace.limits() }

// webhookMessage is one message in a request.
type webhookMessage struct {
	MessageID  coupon.ID      `json:"messageId"`
	DeliveryID coupon.ID      `json:"deliveryId"`
	Channel    coupon.Channel `json:"channel"`
	Recipient  string         `json:"recipient"`
	Address    string         `json:"address"`
	Code       string         `json:"code,omitempty"`
	Subject    string         `json:"subject,omitempty"`
	Body       string         `json:"body"`
}

// webhookRequest is the body of a request.
type webhookRequest struct {
	Messages []webhookMessage `json:"messages"`
}

// webhookRefusal is a message that the answer to an accepted batch refuses. Its values may be of other types than
// they should: who writes a number for a reason means it all the same.
type webhookRefusal struct {
	MessageID   coupon.ID
	Reason      string
	IsPermanent bool
}

// UnmarshalJSON reads an object with the names messageId, reason and isPermanent.
func (r *webhookRefusal) UnmarshalJSON(text []byte) error {
	var given struct {
		MessageID   coupon.ID       `json:"messageId"`
		Reason      json.RawMessage `json:"reason"`
		IsPermanent json.RawMessage `json:"isPermanent"`
	}
	if err := json.Unmarshal(text, &given); err != nil {
		return err
	}
	r.MessageID, r.Reason = given.MessageID, string(given.Reason)
	var reason string
	if err := json.Unmarshal(given.Reason, &reason); err == nil {
		r.Reason = reason
	}
	switch strings.Trim(string(given.IsPermanent), `"`) {
	case "true":
		r.IsPermanent = true
	case "", "false", "null":
	default:
		return errors.New("isPermanent is neither true nor false")
	}
	return nil
}

// Send posts the batch.
func (w *Webhook) Send(ctx context.Context, batch *Batch) ([]coupon.Attempt, error) {
	ctx, cancel := graceful(ctx)
	defer cancel()
	began := time.Now()
	if wait := w.pace.reserve(len(batch.Messages)); wait > patience {
		return same(len(batch.Messages), coupon.Attempt{
			Result: coupon.AttemptPostponed, About: coupon.AboutLine, RepeatsBatch: true, NotBefore: batch.At.Add(wait),
			Reason: "The webhook takes no more for now. " + w.pace.lastReason(),
		}), nil
	} else if wait > 0 {
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
	attempts := same(len(batch.Messages), coupon.Attempt{Result: coupon.AttemptWithheld})
	body := webhookRequest{Messages: make([]webhookMessage, 0, len(batch.Messages))}
	places := make(map[coupon.ID]int, len(batch.Messages))
	for i := range batch.Messages {
		if batch.Leave != nil && !batch.Leave(i) {
			continue
		}
		m := &batch.Messages[i]
		places[m.MessageID] = i
		body.Messages = append(body.Messages, webhookMessage{
			m.MessageID, m.DeliveryID, m.Channel, m.Recipient, m.Address, m.Code, m.Subject, m.Body,
		})
	}
	if len(places) == 0 {
		return attempts, nil
	}
	answer, refusal, err := w.post(ctx, batch.Key, batch.At, body)
	if err != nil {
		return nil, err
	}
	if refusal == nil {
		w.pace.took(len(places), began)
		refusal = &coupon.Attempt{Result: coupon.AttemptAccepted}
	}
	for _, place := range places {
		attempts[place] = *refusal
	}
	if refusal.Result == coupon.AttemptAccepted {
		w.tellApart(attempts, places, answer)
		for _, place := range places {
			batch.answered(place, attempts[place].Result == coupon.AttemptAccepted)
		}
	}
	return attempts, nil
}

// alertMessage is the body of a request that tells of an alert. It is the same at each attempt.
type alertMessage struct {
	ID         string           `json:"id"`
	Kind       coupon.AlertKind `json:"kind"`
	At         time.Time        `json:"at"`
	BeganAt    time.Time        `json:"beganAt"`
	Text       string           `json:"text"`
	CouponID   *coupon.ID       `json:"couponId,omitempty"`
	DeliveryID *coupon.ID       `json:"deliveryId,omitempty"`
	ImportID   *coupon.ID       `json:"importId,omitempty"`
}

// alertRequest is the body of that request.
type alertRequest struct {
	Alert alertMessage `json:"alert"`
}

// SendAlert posts that an alert began. now is the time that the request is signed with.
func (w *Webhook) SendAlert(ctx context.Context, notice *coupon.AlertNotice, now time.Time) (coupon.Attempt, error) {
	ctx, cancel := graceful(ctx)
	defer cancel()
	_, refusal, err := w.post(ctx, notice.ID, now, alertRequest{alertMessage{
		notice.ID, notice.Kind, notice.At, notice.BeganAt, notice.Text, notice.CouponID, notice.DeliveryID, notice.ImportID,
	}})
	if err != nil || refusal == nil {
		return coupon.Attempt{Result: coupon.AttemptAccepted}, err
	}
	return *refusal, nil
}

// post sends a body, signed, and gives what the receiver answered, or why it did not take it.
func (w *Webhook) post(ctx context.Context, key string, at time.Time, body any) (answer []byte, refusal *coupon.Attempt, err error) {
	text, err := json.Marshal(body)
	if err != nil {
		return nil, nil, fmt.Errorf("encode a request to the webhook: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, w.address.String(), bytes.NewReader(text))
	if err != nil {
		return nil, nil, errors.New("make a request to the webhook: its address is invalid")
	}
	timestamp := strconv.FormatInt(at.Unix(), 10)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "couponql")
	request.Header.Set(HeaderTimestamp, timestamp)
	request.Header.Set(HeaderSignature, "v1="+w.sign(timestamp, text))
	request.Header.Set(HeaderIdempotencyKey, key)
	began := time.Now()
	response, err := w.client.Do(request)
	if err != nil {
		attempt := unanswered(ctx, err)
		if attempt.About == coupon.AboutLine {
			w.pace.broke(began, attempt.Reason)
		}
		return nil, &attempt, nil
	}
	defer response.Body.Close()
	if response.StatusCode < 200 || response.StatusCode > 299 {
		attempt := judge(response, at)
		switch {
		case attempt.About != coupon.AboutLine:
		case attempt.MayBeSent: // nobody behind it answers
			w.pace.broke(began, attempt.Reason)
		case attempt.NotBefore.IsZero():
			w.pace.refused(began, time.Time{}, attempt.Reason)
		default:
			w.pace.refused(began, began.Add(attempt.NotBefore.Sub(at)), attempt.Reason)
		}
		return nil, &attempt, nil
	}
	if answer, err = io.ReadAll(io.LimitReader(response.Body, maxAnswer)); err != nil {
		return nil, new(unanswered(ctx, err)), nil
	}
	return answer, nil, nil
}

// sign returns the signature of a body at a time, in hexadecimal digits.
func (w *Webhook) sign(timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, w.secret)
	mac.Write([]byte(timestamp + "."))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

// unanswered judges a batch that got no answer: unless there was no connection at all, the receiver may have
// taken it.
func unanswered(ctx context.Context, err error) coupon.Attempt {
	if ctx.Err() != nil {
		return coupon.Attempt{} // the server stops
	}
	if ofURL, ok := errors.AsType[*url.Error](err); ok {
		err = ofURL.Err // the address may have a password
	}
	network, ok := errors.AsType[*net.OpError](err)
	isDialing := ok && network.Op == "dial"
	attempt := coupon.Attempt{
		Result: coupon.AttemptPostponed, Reason: "The webhook did not answer: " + err.Error(),
		MayBeSent: !isDialing, RepeatsBatch: true,
	}
	if isDialing {
		attempt.About = coupon.AboutLine
	}
	return attempt
}

// judge returns the outcome of all messages of a batch that was answered with no success.
func judge(response *http.Response, now time.Time) coupon.Attempt {
	about, isLater := aboutStatus(response.StatusCode)
	attempt := coupon.Attempt{Result: coupon.AttemptRefused, About: about, Reason: "The webhook answered " + response.Status}
	if !isLater {
		return attempt
	}
	attempt.Result, attempt.RepeatsBatch = coupon.AttemptPostponed, true
	// It may have broken down after it took the batch.
	attempt.MayBeSent = response.StatusCode >= 500 && response.StatusCode != http.StatusServiceUnavailable
	if about != coupon.AboutSender {
		attempt.NotBefore = retryAfter(response.Header.Get("Retry-After"), now)
	}
	return attempt
}

// retryAfter reads the header of that name: seconds or a date.
func retryAfter(value string, now time.Time) time.Time {
	if seconds, err := strconv.ParseInt(value, 10, 32); err == nil && seconds >= 0 {
		return now.Add(time.Duration(seconds) * time.Second)
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return time.Time{}
	}
	return at
}

// tellApart puts in the outcomes of the messages that the answer to a batch refuses. places has those of the batch. What
// cannot be read of the answer is told in the log.
func (w *Webhook) tellApart(attempts []coupon.Attempt, places map[coupon.ID]int, text []byte) {
	refused, problem := readRefused(text)
	if problem != "" {
		w.pace.log.Warn("the webhook took messages with an answer that cannot be read whole; what else it refuses counts as sent",
			"webhook", w.pace.name, "messages", len(places), "refusalsRead", len(refused), "problem", problem)
	}
	for _, refused := range refused {
		place, isOurs := places[refused.MessageID]
		if !isOurs {
			continue
		}
		attempts[place] = coupon.Attempt{Result: coupon.AttemptPostponed, Reason: refused.Reason}
		if refused.IsPermanent {
			attempts[place].Result = coupon.AttemptRefused
		}
	}
}

// readRefused reads the list named refused of an answer, as far as it can be read, and says what could not. An answer
// need not be JSON.
func readRefused(text []byte) (refused []webhookRefusal, problem string) {
	if text = bytes.TrimSpace(text); len(text) == 0 || text[0] != '{' {
		return nil, ""
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	if _, err := decoder.Token(); err != nil {
		return nil, err.Error()
	}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return refused, err.Error()
		}
		var value json.RawMessage
		if word, _ := name.(string); !strings.EqualFold(word, "refused") {
			if err := decoder.Decode(&value); err != nil {
				return refused, err.Error()
			}
			continue
		}
		if begin, err := decoder.Token(); err != nil || begin != json.Delim('[') {
			return refused, "refused is no list"
		}
		for decoder.More() {
			if err := decoder.Decode(&value); err != nil {
				return refused, err.Error()
			}
			var one webhookRefusal
			if err := json.Unmarshal(value, &one); err != nil {
				problem = err.Error()
				continue
			}
			refused = append(refused, one)
		}
		if _, err := decoder.Token(); err != nil {
			return refused, err.Error()
		}
	}
	if _, err := decoder.Token(); err != nil {
		return refused, err.Error()
	}
	return refused, problem
}
