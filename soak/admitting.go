package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"

	"couponql/client"
)

// revocationGrace is how long after a revocation was answered streams that are open may still bring
// something.
const revocationGrace = time.Second

// newKey makes a key of the API.
func (c *caller) newKey(ctx context.Context, expiresAt *time.Time) (
	id, label, token string, err error,
) {
	label = c.mark()
	change := c.model.begin("createApiKey", move{"key " + label, there})
	in := map[string]any{"label": label, "role": "MARKETER"}
	if expiresAt != nil {
		in["expiresAt"] = expiresAt.UTC().Format(time.RFC3339Nano)
	}
	var made struct {
		APIKey struct{ ID string }
		Token  string
	}
	if err := change.answered(c.mutate(ctx, "createApiKey", "apiKey { id } token", label, in,
		&made)); err != nil {
		return "", "", "", err
	}
	c.model.give(made.APIKey.ID, "key "+label)
	return made.APIKey.ID, label, made.Token, nil
}

// useKey opens a WebSocket and a stream with a key of its own, ends the key, and wants nothing to
// be answered to it any more.
func (c *caller) useKey(ctx context.Context) error {
	var expiresAt *time.Time
	if c.oneIn(3) {
		expiresAt = new(time.Now().Add(1500 * time.Millisecond))
	}
	id, label, token, err := c.newKey(ctx, expiresAt)
	if expiresAt != nil && isRefusal(err) {
		// The request took so long that the key would have ended before it began.
		return errNothingToDo
	}
	if err != nil {
		return err
	}
	socket, err := c.openSocket(ctx, token)
	if err == nil {
		defer func() { _ = socket.CloseNow() }()
		err = c.askBefore(ctx, socket)
	}
	if err != nil {
		if expiresAt != nil && time.Now().After(*expiresAt) {
			return errNothingToDo
		}
		return err
	}
	streaming, leave := context.WithCancel(ctx)
	defer leave()
	last := make(chan time.Time, 1)
	go c.follow(streaming, token, last)
	if expiresAt == nil {
		change := c.model.begin("revokeApiKey", move{"key " + label, revoked})
		if err := change.answered(c.mutate(ctx, "revokeApiKey", "apiKey { id }", id,
			map[string]any{"id": id}, nil)); err != nil {
			return err
		}
	} else {
		sleep(ctx, time.Until(*expiresAt)+10*time.Millisecond)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return c.expectShut(ctx, id, token, socket, leave, last)
}

// askBefore wants a key that has not ended to be answered.
func (c *caller) askBefore(ctx context.Context, socket *websocket.Conn) error {
	answer, err := c.ask(ctx, socket, "before", "{ caller { name } }")
	if err == nil && answer.Type != "next" {
		err = fmt.Errorf("a key is answered %s on a WebSocket", answer)
	}
	return err
}

// expectShut wants a key that ended to be let in nowhere.
func (c *caller) expectShut(
	ctx context.Context, id, token string, socket *websocket.Conn, leave func(),
	last <-chan time.Time,
) error {
	ended := time.Now()
	label := c.mark()
	// Should it be done and not be answered, the file has it.
	c.model.begin("createCoupon by "+id+", which had ended", move{"coupon " + label, gone}).done()
	operation := fmt.Sprintf(
		"mutation { createCoupon(input: {label: %q, type: INDIVIDUAL, startsAt: \"2020-01-01\"}) { coupon { id } } }",
		label,
	)
	answer, err := c.ask(ctx, socket, "after", operation)
	if err == nil && answer.Type == "next" && strings.Contains(string(answer.Payload), `"id"`) {
		c.report("rights", fmt.Errorf(
			"%s had ended at %s, and a mutation on its open WebSocket was done: %s", id,
			ended.Format(clock), answer.Payload,
		))
		c.model.begin("createCoupon by "+id+", which had ended",
			move{"coupon " + label, there}).done()
	}
	err = client.New(c.server.url, token).Do(ctx, "{ caller { name } }", nil, nil)
	if err == nil {
		c.report("rights", fmt.Errorf("%s had ended at %s, and a request with it was answered", id,
			ended.Format(clock)))
	}
	sleep(ctx, revocationGrace*3/2)
	leave()
	if at := <-last; at.After(ended.Add(revocationGrace)) {
		c.report("rights", fmt.Errorf("%s had ended at %s, and its stream brought something at %s",
			id, ended.Format(clock), at.Format(clock)))
	}
	return ctx.Err()
}

// openSocket opens a WebSocket that shows a key.
func (c *caller) openSocket(ctx context.Context, token string) (*websocket.Conn, error) {
	socket, _, err := websocket.Dial( //nolint:bodyclose // the package closes it
		ctx,
		strings.Replace(c.server.url, "http", "ws", 1)+"/graphql",
		&websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}},
	)
	if err != nil {
		return nil, err
	}
	hello := socketMessage{
		Type:    "connection_init",
		Payload: json.RawMessage(fmt.Sprintf("{\"Authorization\": \"Bearer %s\"}", token)),
	}
	var answer socketMessage
	if err = wsjson.Write(ctx, socket, hello); err == nil {
		err = wsjson.Read(ctx, socket, &answer)
	}
	if err == nil && answer.Type != "connection_ack" {
		err = fmt.Errorf("a key is answered %s on a WebSocket", answer)
	}
	if err != nil {
		_ = socket.CloseNow()
	}
	return socket, err
}

// socketMessage is one of the protocol graphql-transport-ws.
type socketMessage struct {
	ID      string          `json:"id,omitempty"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

// String tells the type and the payload.
func (m socketMessage) String() string { return m.Type + " " + string(m.Payload) }

// ask asks on a WebSocket and gives the first message that answers it.
func (*caller) ask(ctx context.Context, socket *websocket.Conn, id, operation string) (
	answer socketMessage, err error,
) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	payload, err := json.Marshal(client.Request{Query: operation})
	if err != nil {
		return answer, err
	}
	if err := wsjson.Write(ctx, socket,
		socketMessage{ID: id, Type: "subscribe", Payload: payload}); err != nil {
		return answer, err
	}
	for {
		answer = socketMessage{}
		if err := wsjson.Read(ctx, socket, &answer); err != nil || answer.ID == id {
			return answer, err
		}
	}
}

// answerTimeout is how long an answer on a WebSocket is waited for.
const answerTimeout = 10 * time.Second

// follow follows redemptions with a key until it is told to leave or the stream ends, and tells
// when the last one came.
func (c *caller) follow(ctx context.Context, token string, last chan<- time.Time) {
	var at time.Time
	defer func() { last <- at }()
	body, err := json.Marshal(client.Request{Query: "subscription { redemptionRecorded { id } }"})
	if err != nil {
		return
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.server.url+"/graphql",
		bytes.NewReader(body))
	if err != nil {
		return
	}
	request.Close = true
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "text/event-stream")
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return
	}
	defer response.Body.Close()
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "data:") &&
			strings.Contains(lines.Text(), "redemptionRecorded") {
			at = time.Now()
		}
	}
}
