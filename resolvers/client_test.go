package resolvers_test

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"couponql/coupon"
)

// TestBatch sends arrays of operations, as clients do that collect them: each operation hears that it
// needs a request of its own, in an array as long as theirs; so does a request with files.
func TestBatch(t *testing.T) {
	t.Parallel()
	s := newPool(t)
	const one = `{"query": "{ coupons { totalCount } }"}`
	batch := func(count int) string { return "[" + strings.TrimSuffix(strings.Repeat(one+",", count), ",") + "]" }
	const maxBatch = 100
	for name, test := range map[string]struct {
		body string
		// answers is how many there are, and 0 where one stands for all.
		answers int
	}{
		"one":                  {batch(1), 1},
		"two":                  {batch(2), 2},
		"as many as are told":  {batch(maxBatch), maxBatch},
		"one more":             {batch(maxBatch + 1), 0},
		"none":                 {"[]", 0},
		"what are no requests": {"[1, null]", 2},
	} {
		for _, isForm := range []bool{false, true} {
			body, contentType := test.body, "application/json"
			if isForm {
				body, contentType = form(t, "operations="+test.body, "map={}")
			}
			status, text := s.exchange(t, http.MethodPost, "/graphql", contentType, strings.NewReader(body))
			type answer struct {
				Errors []struct {
					Message    string            `json:"message"`
					Extensions map[string]string `json:"extensions"`
				} `json:"errors"`
			}
			answers := make([]answer, 1)
			var err error
			if test.answers == 0 {
				err = json.Unmarshal([]byte(text), &answers[0])
			} else {
				err = json.Unmarshal([]byte(text), &answers)
			}
			if err != nil || status != http.StatusBadRequest || len(answers) != max(test.answers, 1) {
				t.Errorf("%s, form %t: %d, %d answers: %v: %.200s", name, isForm, status, len(answers), err, text)
				continue
			}
			for _, a := range answers {
				const want = "Send each operation in a request of its own."
				if len(a.Errors) != 1 || !strings.Contains(a.Errors[0].Message, want) ||
					a.Errors[0].Extensions["code"] != "BAD_REQUEST" {
					t.Errorf("%s, form %t: %.200s", name, isForm, text)
				}
			}
		}
	}
}

// TestRefusalType: whoever is not let in is told so in the media type of GraphQL, if that is asked for.
// Clients take no error from an answer of another type whose status is one.
func TestRefusalType(t *testing.T) {
	t.Parallel()
	s := newPool(t)
	s.become(t, coupon.RoleAdmin)
	const plain, response = "application/json", "application/graphql-response+json"
	for accept, want := range map[string]string{
		"":                                     plain,
		"*/*":                                  plain,
		"text/event-stream":                    plain,
		response:                               response,
		response + ",application/json;q=0.9":   response,
		response + ", text/event-stream;q=0.9": response,
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/graphql",
			strings.NewReader(`{"query": "{ coupons { totalCount } }"}`))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", plain)
		r.Header.Set("Authorization", "Bearer wrong")
		if accept != "" {
			r.Header.Set("Accept", accept)
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		got := answer.Header.Get("Content-Type")
		if err != nil || answer.StatusCode != http.StatusUnauthorized || got != want ||
			answer.ContentLength != int64(len(text)) || !strings.Contains(string(text), "UNAUTHENTICATED") {
			t.Errorf("Accept %q: %d %s, want %s: %s", accept, answer.StatusCode, got, want, text)
		}
	}
}

// TestCompressedRequest: a client that compresses what it sends hears that this is not for requests.
func TestCompressedRequest(t *testing.T) {
	t.Parallel()
	s := newPool(t)
	for coding, want := range map[string]int{
		"gzip": http.StatusUnsupportedMediaType, "identity": http.StatusOK, "": http.StatusOK,
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/graphql",
			strings.NewReader(`{"query": "{ coupons { totalCount } }"}`))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Content-Encoding", coding)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		isTold := strings.Contains(string(text), "without a Content-Encoding")
		if err != nil || answer.StatusCode != want || isTold != (coding == "gzip") {
			t.Errorf("%q: %d %s, want %d", coding, answer.StatusCode, text, want)
		}
	}
}

// TestStoppedSubscription: a subscription that breaks off because the server stops is not complete, and
// a WebSocket says why, so that clients connect again.
func TestStoppedSubscription(t *testing.T) {
	t.Parallel()
	for name, subscribe := range transports() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newPool(t)
			s.ask(t, `mutation { createDelivery(input: {label: "x", channel: EMAIL, subject: "x", body: "x"}) {
				delivery { id } } }`, nil, nil)
			base, stop := context.WithCancel(t.Context())
			front := httptest.NewUnstartedServer(s.Config.Handler)
			front.Config.BaseContext = func(net.Listener) context.Context { return base }
			front.Start()
			t.Cleanup(front.Close)
			t.Cleanup(stop)
			followed := subscribe(t, &server{Server: front}, `subscription { deliveryProgress(id: "delivery_1") { status } }`)
			if got := followed.next(); !strings.Contains(got.data, "EDITING") {
				t.Fatalf("got %v", got)
			}
			stop()
			got := followed.next()
			if got.kind != "end" || name == "WebSocket" && !strings.Contains(got.data, "StatusGoingAway") {
				t.Errorf("got %v", got)
			}
		})
	}
}
