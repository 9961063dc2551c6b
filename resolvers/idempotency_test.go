package resolvers_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// withKey sends a request with the header Idempotency-Key, and gives the answer.
func (s *server) withKey(t *testing.T, key, query string) string {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": query})
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/graphql", strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Idempotency-Key", key)
	s.authorize(request)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var answer any
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(answer)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func jsonOf(t *testing.T, answer any) string {
	t.Helper()
	text, err := json.Marshal(answer)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestIdempotencyKey: what is made with a key is made once, whether the key comes in the input or in the header, and a key whose
// use is not clear is refused before anything is done.
func TestIdempotencyKey(t *testing.T) {
	t.Parallel()
	s := newPool(t)
	create := func(label string) string {
		return `mutation { createCoupon(input: {label: "` + label + `", type: INDIVIDUAL, startsAt: "2026-11-01"}) {
			coupon { id } userErrors { code field } } }`
	}
	for range 3 {
		if got := s.withKey(t, "K1", create("A")); got != `{"data":{"createCoupon":{"coupon":{"id":"coupon_2"},"userErrors":[]}}}` {
			t.Errorf("got %s", got)
		}
	}
	inInput := strings.Replace(create("A"), `label: "A"`, `label: "A", idempotencyKey: "K1"`, 1)
	refused := map[string][2]string{
		create("B"): {"K1", `"code":"ALREADY_EXISTS","field":["input","idempotencyKey"]`},
		`mutation { a: voidCodes(input: {couponId: "coupon_1", filter: {}}) { voidedCount } }`: {"K3", "BAD_REQUEST"},
		`{ coupons { totalCount } }`: {"K3", "BAD_REQUEST"},
		inInput:                      {"K4", "BAD_REQUEST"},
	}
	two := strings.Replace(create("D"), "mutation {", `mutation { addCodes(input: {couponId: "coupon_1", codes: [{value: "X1"}]}) { batch { id } } `, 1)
	refused[two] = [2]string{"K3", "BAD_REQUEST"}
	for query, want := range refused {
		if got := s.withKey(t, want[0], query); !strings.Contains(got, want[1]) {
			t.Errorf("%s with %s gave %s, want %s", query, want[0], got, want[1])
		}
	}
	if got := s.withKey(t, "K1", inInput); !strings.Contains(got, "coupon_2") {
		t.Errorf("the same key in both places gave %s", got)
	}
	add := `mutation { addCodes(input: {couponId: "coupon_1", codes: [{value: "R1"}, {value: "R2"}]}) { codes { value } batch { id } } }`
	for range 2 {
		if got := s.withKey(t, "K5", add); got != `{"data":{"addCodes":{"batch":{"id":"batch_1"},"codes":[{"value":"R1"},{"value":"R2"}]}}}` {
			t.Errorf("got %s", got)
		}
	}
	file := `mutation($file: Upload!, $key: String) { importCodes(input: {couponId: "coupon_1", file: $file, idempotencyKey: $key}) {
		import { id } userErrors { code } } }`
	for range 2 {
		answer := s.try(t, file, map[string]any{"key": "K6", "file": "@codes.csv"}, map[string]string{"codes.csv": "code\nF1\n"})
		if text := jsonOf(t, answer); !strings.Contains(text, "import_1") {
			t.Errorf("got %s", text)
		}
	}
	answer := s.try(t, file, map[string]any{"key": "K6", "file": "@codes.csv"}, map[string]string{"codes.csv": "code\nF2\n"})
	if text := jsonOf(t, answer); !strings.Contains(text, "ALREADY_EXISTS") {
		t.Errorf("another file with the key gave %s", text)
	}
	s.drain(t)
	s.wantNoUploads(t)
	found := s.ask(t, `{ coupons { totalCount } coupon(id: "coupon_1") { availability { total } } imports { totalCount } }`, nil, nil)
	if text := jsonOf(t, found); !strings.Contains(text, `"coupon":{"availability":{"total":3}}`) ||
		!strings.Contains(text, `"coupons":{"totalCount":2}`) || !strings.Contains(text, `"imports":{"totalCount":1}`) {
		t.Errorf("there are %s", text)
	}
	s.checkPromises(t)
}
