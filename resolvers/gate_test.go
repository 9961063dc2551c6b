package resolvers_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"couponql/coupon"
)

// TestGateOfEveryTransport: by whatever transport an operation comes, it is refused when it may cost too much.
func TestGateOfEveryTransport(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	double := "{caller{...F00}}"
	for i := range 40 {
		double += " fragment F" + number(i) + " on Caller{...F" + number(i+1) + " ...F" + number(i+1) + "}"
	}
	double += " fragment F" + number(40) + " on Caller{name}"
	for query, code := range map[string]string{
		double: "DOCUMENT_LIMIT_EXCEEDED",
		"{caller{" + strings.Repeat("name ", 5000) + "}}":                                           "DOCUMENT_LIMIT_EXCEEDED",
		"{coupons(first:500){nodes{codes(first:500){nodes{value label}}}}}":                         "COMPLEXITY_LIMIT_EXCEEDED",
		"{" + strings.Repeat("__typename ", 15_001) + "}":                                           "DOCUMENT_LIMIT_EXCEEDED",
		"{" + strings.Join(numbered(10, "a%:integrityReport{isSound}"), " ") + "}":                  "COMPLEXITY_LIMIT_EXCEEDED",
		"{" + strings.Join(numbered(100, "a%:__schema{types{fields{name args{name}}}}"), " ") + "}": "COMPLEXITY_LIMIT_EXCEEDED",
	} {
		body, err := json.Marshal(map[string]any{"query": query, "variables": map[string]any{}})
		if err != nil {
			t.Fatal(err)
		}
		_, post := s.exchange(t, http.MethodPost, "/graphql", "application/json", strings.NewReader(string(body)))
		multipartBody, contentType := form(t, "operations="+string(body), "map={}")
		_, multipart := s.exchange(t, http.MethodPost, "/graphql", contentType, strings.NewReader(multipartBody))
		answers := map[string]string{"POST": post, "multipart": multipart}
		if len(query) < 50_000 {
			// Headers have a limit of their own.
			_, answers["GET"] = s.exchange(t, http.MethodGet, "/graphql?query="+url.QueryEscape(query), "", nil)
		}
		for name, subscribe := range transports() {
			answers[name] = subscribe(t, s, query).next().data
		}
		for transport, got := range answers {
			if !strings.Contains(got, code) {
				t.Errorf("%s answers %.40s by %.300s, want %s", transport, query, got, code)
			}
		}
	}
	deep := `{"query":"{caller{name}}","variables":{"x":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `}}`
	multipartBody, contentType := form(t, "operations="+deep, "map={}")
	for kind, body := range map[string]string{"application/json": deep, contentType: multipartBody} {
		status, got := s.exchange(t, http.MethodPost, "/graphql", kind, strings.NewReader(body))
		if status != http.StatusBadRequest || !strings.Contains(got, "nested deeper than 100 levels") {
			t.Errorf("%s: %d %s", kind, status, got)
		}
	}
}

func number(i int) string { return fmt.Sprintf("%02d", i) }

// numbered returns a text many times, with a number in it.
func numbered(count int, text string) []string {
	all := make([]string, count)
	for i := range all {
		all[i] = strings.ReplaceAll(text, "%", number(i))
	}
	return all
}

// TestOverload: who has as much in flight as one may is refused at once and told when to come again, by every transport; others go on, and
// so does who asks for little. What has left is there again.
func TestOverload(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.become(t, coupon.RoleMarketer)
	const event = `{coupon{deliveries(first:500){nodes{messages(first:400){nodes{id}}}}}}`
	// Each is estimated at 50 MB for as long as it is open.
	first := overWebSocket(t, s, "subscription{redemptionRecorded"+event+"}")
	second := overSSE(t, s, "subscription{redemptionRecorded"+event+"}")
	const large = `{"query":"{coupons(first:500){nodes{codes(first:400){nodes{id}}}}}"}`
	ask := func(body, accept string) (*http.Response, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/graphql", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Accept", accept)
		s.authorize(r)
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response, string(text)
	}
	until := func(want string) {
		t.Helper()
		for deadline := time.After(20 * time.Second); ; {
			_, got := ask(large, "application/json")
			if strings.Contains(got, want) {
				return
			}
			select {
			case <-deadline:
				t.Fatalf("the answer stays %s", got)
			case <-time.After(10 * time.Millisecond):
			}
		}
	}
	// A subscription holds its part from when it is let in.
	until(`"code":"UNAVAILABLE"`)
	for _, accept := range []string{"application/json", "application/graphql-response+json", "text/event-stream"} {
		response, got := ask(large, accept)
		if response.StatusCode != http.StatusServiceUnavailable || response.Header.Get("Retry-After") != "1" ||
			!strings.Contains(got, `"code":"UNAVAILABLE"`) || !strings.Contains(got, `"retryAfterSeconds":1`) {
			t.Errorf("%s: %d %s %s", accept, response.StatusCode, response.Header.Get("Retry-After"), got)
		}
	}
	if got := overWebSocket(t, s, `{coupons(first:500){nodes{codes(first:400){nodes{id}}}}}`).next(); !strings.Contains(got.data, `"retryAfterSeconds":1`) {
		t.Errorf("WebSocket: %v", got)
	}
	if _, got := ask(`{"query":"{coupons{totalCount}}"}`, "application/json"); !strings.Contains(got, `"totalCount":0`) {
		t.Errorf("who asks for little gets %s", got)
	}
	s.become(t, coupon.RoleAdmin)
	if _, got := ask(large, "application/json"); !strings.Contains(got, `"nodes":[]`) {
		t.Errorf("another gets %s", got)
	}
	s.become(t, coupon.RoleMarketer)
	first.leave()
	second.leave()
	until(`"nodes":[]`)
}
