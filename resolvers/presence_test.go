package resolvers_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
	"github.com/go-jose/go-jose/v4"

	"couponql/access"
	"couponql/coupon"
)

// tooLate is when a test gives up on what has a second: machines of tests are busy.
const tooLate = 5 * time.Second

// credential is a way to be let in, and how it ends.
type credential struct {
	name string
	// let gives a server and the value of the header Authorization of a MARKETER or ADMIN.
	let func(*testing.T) (s *server, authorization string)
	// end takes the right away.
	end func(*testing.T, *server)
}

// newKey makes the key whose holder is let out; an ADMIN has the first one.
func newKey(t *testing.T, s *server, expiresAt *coupon.DateTime) string {
	t.Helper()
	s.become(t, coupon.RoleAdmin)
	_, token, err := s.store.CreateKey(t.Context(),
		&coupon.NewAPIKey{Label: "k", Role: coupon.RoleMarketer, ExpiresAt: expiresAt})
	if err != nil {
		t.Fatal(err)
	}
	return "Bearer " + token
}

func credentials() []credential {
	later := func(_ *testing.T, s *server) { s.clock.Advance(2 * time.Hour) }
	return []credential{
		{"a key that is revoked", func(t *testing.T) (*server, string) {
			t.Helper()
			s := newServer(t)
			return s, newKey(t, s, nil)
		}, func(t *testing.T, s *server) {
			t.Helper()
			if _, got := s.answer(
				t,
				`mutation { revokeApiKey(input: {id: "key_7"}) { apiKey { isWorking } } }`,
				nil,
			); !strings.Contains(
				got,
				`"isWorking":false`,
			) {
				t.Fatal(got)
			}
		}},
		{"a key that expires", func(t *testing.T) (*server, string) {
			t.Helper()
			s := newServer(t)
			return s, newKey(t, s, new(coupon.DateTime("2026-11-23T13:00:00Z")))
		}, later},
		{"a token that expires", func(t *testing.T) (*server, string) {
			t.Helper()
			issuer, sign := newIssuer(t)
			tokens, err := access.NewTokens(
				access.TokenOptions{Issuer: issuer, Audience: "couponql"},
			)
			if err != nil {
				t.Fatal(err)
			}
			s := newGuardedServer(t, access.Options{Tokens: tokens})
			return s, "Bearer " + sign(map[string]any{
				"iss": issuer, "aud": "couponql", "sub": "u-1", "couponql_role": "MARKETER",
				"exp": s.clock.Now().Add(time.Hour).Unix(),
			})
		}, later},
		{"nobody, until the first key", func(t *testing.T) (*server, string) {
			t.Helper()
			return newServer(t), ""
		}, func(t *testing.T, s *server) {
			t.Helper()
			if _, got := s.answer(
				t,
				`mutation { createApiKey(input: {label: "first", role: ADMIN}) { token } }`,
				nil,
			); !strings.Contains(
				got,
				`"token":"cpnql_`,
			) {
				t.Fatal(got)
			}
		}},
	}
}

// newIssuer starts an identity provider and gives its address and what signs for it.
func newIssuer(t *testing.T) (address string, sign func(claims map[string]any) string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	provider := httptest.NewServer(mux)
	t.Cleanup(provider.Close)
	mux.HandleFunc("/.well-known/openid-configuration",
		func(w http.ResponseWriter, _ *http.Request) {
			_ = json.NewEncoder(w).Encode(
				map[string]any{"issuer": provider.URL, "jwks_uri": provider.URL + "/keys"},
			)
		})
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(
			jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "1"}}},
		)
	})
	return provider.URL, func(claims map[string]any) string {
		signer, err := jose.NewSigner(
			jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: key, KeyID: "1"}}, nil,
		)
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(claims)
		if err != nil {
			t.Fatal(err)
		}
		signed, err := signer.Sign(text)
		if err != nil {
			t.Fatal(err)
		}
		compact, err := signed.CompactSerialize()
		if err != nil {
			t.Fatal(err)
		}
		return compact
	}
}

// line is a way to the server that a caller has opened.
type line struct {
	// ask sends an operation and gives what comes of it: the text of an answer, or that the line
	// has ended.
	ask func(query string) string
	// ended is closed when the server has ended the line; nil: it has none that stays open.
	ended <-chan struct{}
	// why tells, after that, how.
	why func() string
	// seen gets what a subscription sends.
	seen <-chan string
}

const (
	aQuery    = `{ coupons { totalCount } }`
	aMutation = `mutation { createCoupon(input: {label: "x", type: INDIVIDUAL, startsAt: "2026-11-01"}) { coupon { id } } }`
	aStream   = `subscription { redemptionRecorded { id } }`
)

// overHTTP asks by requests of their own, which share a connection.
func overHTTP(
	t *testing.T, authorization string, build func(query string) (*http.Request, error),
) *line {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 1}}
	t.Cleanup(client.CloseIdleConnections)
	return &line{ask: func(query string) string {
		r, err := build(query)
		if err != nil {
			t.Error(err)
			return ""
		}
		if authorization != "" {
			r.Header.Set("Authorization", authorization)
		}
		response, err := client.Do(r)
		if err != nil {
			t.Error(err)
			return ""
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err != nil {
			t.Error(err)
		}
		if isRefused := strings.Contains(string(text),
			"UNAUTHENTICATED"); isRefused != (response.StatusCode == http.StatusUnauthorized) {
			t.Errorf("status %d: %s", response.StatusCode, text)
		}
		return string(text)
	}}
}

// overSocket opens a WebSocket of one of the protocols, with the key in connection_init or in the
// header, and subscribes when it is told to.
func overSocket(
	t *testing.T, s *server, authorization, protocol string, isInHeader bool, subscription string,
) *line {
	t.Helper()
	begin, data := "subscribe", "next"
	if protocol == "graphql-ws" {
		begin, data = "start", "data"
	}
	options := &websocket.DialOptions{Subprotocols: []string{protocol}, HTTPHeader: http.Header{}}
	hello := map[string]any{"type": "connection_init"}
	switch {
	case authorization == "":
	case isInHeader:
		options.HTTPHeader.Set("Authorization", authorization)
	default:
		hello["payload"] = map[string]any{"Authorization": authorization}
	}
	connection, response, err := websocket.Dial(t.Context(),
		strings.Replace(s.URL, "http", "ws", 1)+"/graphql", options)
	if err != nil {
		t.Fatal(err)
	}
	if response.Body != nil {
		t.Cleanup(func() { _ = response.Body.Close() })
	}
	t.Cleanup(func() { _ = connection.CloseNow() })
	ended, answers, seen, ready := make(chan struct{}), make(chan string, 100), make(chan string,
		100), make(chan struct{})
	var end error
	go func() {
		defer close(ended)
		for {
			var message struct {
				Type    string          `json:"type"`
				ID      string          `json:"id"`
				Payload json.RawMessage `json:"payload"`
			}
			// The context of the test ends before its cleanup, which this goroutine would not wait
			// for.
			if end = wsjson.Read(context.WithoutCancel(t.Context()), connection,
				&message); end != nil {
				return
			}
			switch {
			case message.Type == "connection_ack":
				close(ready)
			case message.Type == data && message.ID == "stream":
				seen <- string(message.Payload)
			case message.Type == data || message.Type == "error":
				answers <- string(message.Payload)
			}
		}
	}()
	send := func(message map[string]any) bool {
		return wsjson.Write(t.Context(), connection, message) == nil
	}
	send(hello)
	select {
	case <-ready:
	case <-ended:
		t.Fatal(end)
	}
	if subscription != "" {
		send(map[string]any{
			"type": begin, "id": "stream", "payload": map[string]any{"query": subscription},
		})
	}
	return &line{ended: ended, seen: seen, why: func() string { return end.Error() }, ask: func(
		query string,
	) string {
		if !send(
			map[string]any{"type": begin, "id": "1", "payload": map[string]any{"query": query}},
		) {
			return "ended"
		}
		select {
		case answer := <-answers:
			return answer
		case <-ended:
			return "ended"
		}
	}}
}

// overStream subscribes by server-sent events.
func overStream(t *testing.T, s *server, authorization string) *line {
	t.Helper()
	s.token = strings.TrimPrefix(authorization, "Bearer ")
	sub := overSSE(t, s, aStream)
	if s.tokens != nil {
		s.become(t, coupon.RoleAdmin)
	}
	ended, seen := make(chan struct{}), make(chan string, 100)
	last := ""
	go func() {
		defer close(ended)
		for {
			e := sub.next()
			if e.kind == "end" {
				return
			}
			if e.kind == "next" {
				last = e.data
				seen <- e.data
			}
		}
	}()
	return &line{ended: ended, seen: seen, why: func() string { return last }}
}

// lines are the ways to ask, each as one that was opened while its caller was let in.
func lines() map[string]func(t *testing.T, s *server, authorization string) *line {
	all := map[string]func(t *testing.T, s *server, authorization string) *line{
		"POST": func(t *testing.T, s *server, authorization string) *line {
			t.Helper()
			return overHTTP(t, authorization, func(query string) (*http.Request, error) {
				body, contentType := request(t, query, nil, nil)
				r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/graphql",
					strings.NewReader(string(body)))
				r.Header.Set("Content-Type", contentType)
				return r, err
			})
		},
		"GET": func(t *testing.T, s *server, authorization string) *line {
			t.Helper()
			return overHTTP(t, authorization, func(query string) (*http.Request, error) {
				return http.NewRequestWithContext(t.Context(), http.MethodGet,
					s.URL+"/graphql?query="+url.QueryEscape(query), http.NoBody)
			})
		},
		"multipart": func(t *testing.T, s *server, authorization string) *line {
			t.Helper()
			return overHTTP(t, authorization, func(query string) (*http.Request, error) {
				operations, err := json.Marshal(map[string]any{"query": query})
				if err != nil {
					return nil, err
				}
				body, contentType := form(t, "operations="+string(operations), "map={}")
				r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/graphql",
					strings.NewReader(body))
				r.Header.Set("Content-Type", contentType)
				return r, err
			})
		},
		"SSE": overStream,
	}
	for _, protocol := range []string{"graphql-transport-ws", "graphql-ws"} {
		for place, isInHeader := range map[string]bool{"header": true, "connection_init": false} {
			for kind, subscription := range map[string]string{"idle": "", "subscribed": aStream} {
				all[protocol+", "+place+", "+kind] = func(
					t *testing.T, s *server, authorization string,
				) *line {
					t.Helper()
					return overSocket(t, s, authorization, protocol, isInHeader, subscription)
				}
			}
		}
	}
	return all
}

// TestRightsEndAtOnce: whoever loses the right to be let in is answered nothing from then on,
// neither a query nor a mutation nor an event, on any line that was opened before, and the line
// ends.
func TestRightsEndAtOnce(t *testing.T) {
	t.Parallel()
	for _, one := range credentials() {
		t.Run(one.name, func(t *testing.T) {
			t.Parallel()
			s, authorization := one.let(t)
			c, err := s.store.CreateCoupon(t.Context(), &coupon.CouponChanges{
				Type:            coupon.TypeAnonymous,
				Label:           coupon.Set(new("a")),
				StartsAt:        coupon.Set(new(coupon.DateTime("2026-11-01"))),
				RedemptionLimit: coupon.Set[int](nil),
			})
			if err != nil {
				t.Fatal(err)
			}
			redeem := func() {
				if _, err := s.store.Redeem(t.Context(),
					&coupon.RedeemRequest{Value: c.Code}); err != nil {
					t.Fatal(err)
				}
			}
			open := map[string]*line{}
			for name, over := range lines() {
				open[name] = over(t, s, authorization)
			}
			for name, l := range open {
				if l.ask != nil {
					if got := l.ask(aQuery); !strings.Contains(got, `"totalCount"`) {
						t.Errorf("%s: before, a query is answered by %s", name, got)
					}
				}
				if l.ask != nil && name != "GET" {
					if got := l.ask(aMutation); !strings.Contains(got, `"coupon_`) {
						t.Errorf("%s: before, a mutation is answered by %s", name, got)
					}
				}
				if isStream := name == "SSE" || strings.HasSuffix(name, "subscribed"); isStream {
					for isSeen := false; !isSeen; {
						redeem()
						select {
						case got := <-l.seen:
							if isSeen = strings.Contains(got, `"redemption_`); !isSeen {
								t.Fatalf("%s: before, the first event is %s", name, got)
							}
						case <-time.After(50 * time.Millisecond):
						}
					}
				}
			}
			before, err := s.store.Coupons(t.Context(), nil, coupon.OrderCreatedAtDesc,
				coupon.Page{WantsTotal: true})
			if err != nil {
				t.Fatal(err)
			}
			for _, l := range open {
				for len(l.seen) > 0 {
					<-l.seen
				}
			}
			one.end(t, s)
			ended := time.Now()
			// What was recorded before may still be on its way; this was not.
			recorded, err := s.store.Redeem(t.Context(), &coupon.RedeemRequest{Value: c.Code})
			if err != nil {
				t.Fatal(err)
			}
			for name, l := range open {
				// Those that are idle end without being asked.
				if l.ask != nil && !strings.HasSuffix(name, "idle") {
					for _, operation := range []string{aMutation, aQuery} {
						if got := l.ask(operation); got != "ended" && (!strings.Contains(got,
							"UNAUTHENTICATED") || strings.Contains(got, `"coupon_`)) {
							t.Errorf("%s: after, %s is answered by %s", name, operation, got)
						}
					}
				}
				if l.ended == nil {
					continue
				}
				select {
				case <-l.ended:
				case <-time.After(tooLate):
					t.Errorf("%s: open %s later", name, time.Since(ended))
					continue
				}
				if want := map[bool]string{
					true: "UNAUTHENTICATED", false: "4403",
				}[name == "SSE"]; !strings.Contains(l.why(), want) {
					t.Errorf("%s: it ended by %s, want %s", name, l.why(), want)
				}
				for len(l.seen) > 0 {
					if got := <-l.seen; strings.Contains(got, `"`+string(recorded.ID)+`"`) {
						t.Errorf("%s: after, an event says %s", name, got)
					}
				}
			}
			after, err := s.store.Coupons(t.Context(), nil, coupon.OrderCreatedAtDesc,
				coupon.Page{WantsTotal: true})
			if err != nil || after.Total != before.Total {
				t.Errorf("after, there are %d coupons instead of %d: %v", after.Total,
					before.Total, err)
			}
		})
	}
}

// TestRightsEndWhileAsking: what runs when its caller loses the right is not answered, and does not
// go on.
func TestRightsEndWhileAsking(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	authorization := newKey(t, s, nil)
	l := lines()["POST"](t, s, authorization)
	if got := l.ask(`{ sql(query: "SELECT 1") { rows } }`); !strings.Contains(got, `"rows":[[1`) {
		t.Fatalf("got %s", got)
	}
	answers := make(chan string, 1)
	go func() {
		answers <- l.ask(`{ sql(query: "SELECT sum(a.range * b.range) FROM range(1000000) a, range(1000000) b") { rows } }`)
	}()
	if _, got := s.answer(t, `mutation { revokeApiKey(input: {id: "key_7"}) { apiKey { id } } }`,
		nil); !strings.Contains(got, "key_7") {
		t.Fatal(got)
	}
	select {
	case got := <-answers:
		if !strings.Contains(got, "UNAUTHENTICATED") || strings.Contains(got, "data") {
			t.Errorf("got %s", got)
		}
	case <-time.After(tooLate):
		t.Error("the query runs on")
	}
}

// TestOwnRightEnds: the mutation that takes its caller's own right away is done to its end, and its
// answer arrives.
func TestOwnRightEnds(t *testing.T) {
	t.Parallel()
	for _, protocol := range []string{"", "graphql-transport-ws"} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			l := lines()["POST"](t, s, "")
			if protocol != "" {
				l = overSocket(t, s, "", protocol, false, "")
			}
			got := l.ask(
				`mutation { a: createApiKey(input: {label: "a", role: ADMIN}) { token } b: createApiKey(input: {label: "b", role: REDEEMER}) { token } }`,
			)
			if strings.Count(got, `"cpnql_`) != 2 {
				t.Errorf("got %s", got)
			}
			if got := l.ask(aQuery); got != "ended" && !strings.Contains(got, "UNAUTHENTICATED") {
				t.Errorf("then %s", got)
			}
		})
	}
}
