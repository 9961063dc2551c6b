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
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/graphql",
		strings.NewReader(string(body)))
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

// TestIdempotencyKey: what is made with a key is made once, whether the key comes in the input or
// in the header, and a key whose use is not clear is refused before anything is done.
func TestIdempotencyKey(t *testing.T) {
	t.Parallel()
	s := newPool(t)
	create := func(label string) string {
		return `mutation {
			createCoupon(input: {label: "` + label + `", type: INDIVIDUAL,
			startsAt: "2026-11-01"}) {
			coupon { id } userErrors { code field } } }`
	}
	for range 3 {
		if got := s.withKey(t, "K1", create("A")); got !=
			`{"data":{"createCoupon":{"coupon":{"id":"coupon_2"},"userErrors":[]}}}` {
			t.Errorf("got %s", got)
		}
	}
	inInput := strings.Replace(create("A"), `label: "A"`, `label: "A", idempotencyKey: "K1"`, 1)
	refused := map[string][2]string{
		create("B"): {"K1", `"code":"ALREADY_EXISTS","field":["input","idempotencyKey"]`},
		`mutation { a: voidCodes(input: {couponId: "coupon_1", filter: {}}) { voidedCount } }`: {
			"K3", "BAD_REQUEST",
		},
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
		answer := s.try(t, file, map[string]any{"key": "K6", "file": "@codes.csv"},
			map[string]string{"codes.csv": "code\nF1\n"})
		if text := jsonOf(t, answer); !strings.Contains(text, "import_1") {
			t.Errorf("got %s", text)
		}
	}
	answer := s.try(t, file, map[string]any{"key": "K6", "file": "@codes.csv"},
		map[string]string{"codes.csv": "code\nF2\n"})
	if text := jsonOf(t, answer); !strings.Contains(text, "ALREADY_EXISTS") {
		t.Errorf("another file with the key gave %s", text)
	}
	upload := func(text string) string {
		made, err := s.store.Receive(t.Context(), "other.csv", strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		return string(made.ID)
	}
	sent := `mutation($id: ID) { importCodes(input: {couponId: "coupon_1", uploadId: $id, idempotencyKey: "K6"}) { import { id } userErrors { code } } }`
	same := upload("code\nF1\n")
	for _, id := range []string{same, upload("code\nF1\n"), same} {
		if text := jsonOf(t, s.try(t, sent, map[string]any{"id": id}, nil)); !strings.Contains(text,
			"import_1") {
			t.Errorf("the same file as %s gave %s", id, text)
		}
	}
	if text := jsonOf(t, s.try(t, sent, map[string]any{"id": upload("code\nF2\n")},
		nil)); !strings.Contains(text, "ALREADY_EXISTS") {
		t.Errorf("another upload with the key gave %s", text)
	}
	s.drain(t)
	found := s.ask(t, `{ coupons { totalCount } coupon(id: "coupon_1") { availability { total } } imports { totalCount } }`, nil, nil)
	if text := jsonOf(t, found); !strings.Contains(text, `"coupon":{"availability":{"total":3}}`) ||
		!strings.Contains(text, `"coupons":{"totalCount":2}`) ||
		!strings.Contains(text, `"imports":{"totalCount":1}`) {
		t.Errorf("there are %s", text)
	}
	s.checkPromises(t)
}

// TestRepeatTellsOfNow asks again with the keys of what was deleted or taken back meanwhile: the
// answer is of now.
func TestRepeatTellsOfNow(t *testing.T) {
	t.Parallel()
	s := newPool(t)
	first := map[string]string{
		`addCodes(input: {couponId: "coupon_1", codes: [{value: "R1"}, {value: "R1"}]}) {
			codes { value } rejections { reason } batch { id undoneAt } userErrors { code message }
				}`: `{"batch":{"id":"batch_1","undoneAt":null},` +
			`"codes":[{"value":"R1"}],"rejections":[{"reason":"DUPLICATE_IN_FILE"}],"userErrors":[]}`,
		`generateCodes(input: {couponId: "coupon_1", count: 1, pattern: "########"}) {
			generatedCount sample batch { count undoneAt } coupon { availability { total } }
				userErrors { code message } }`: `"generatedCount":1`,
		`createCoupon(input: {label: "A", type: INDIVIDUAL, startsAt: "2026-11-01"}) { coupon { id } userErrors { code message field } }`: `"id":"coupon_2"`,
		`createDelivery(input: {label: "D", couponId: "coupon_1", body: "x"}) { delivery { id } userErrors { code message field } }`:      `"id":"delivery_1"`,
		`createUpload(input: {fileName: "a.csv"}) { upload { id } userErrors { code message field } }`:                                    `"id":"upload_1"`,
	}
	gone := func(id string) string {
		return `"userErrors":[{"code":"NOT_FOUND","field":["input","idempotencyKey"],` +
			`"message":"The idempotency key made ` + id + `, which is not there any more. Use a new key to make another one."}]`
	}
	then := map[string]string{
		"addCodes":       `"codes":[],"rejections":[{"reason":"DUPLICATE_IN_FILE"}],"userErrors":[]`,
		"generateCodes":  `"coupon":{"availability":{"total":0}},"generatedCount":1,"sample":[],"userErrors":[]`,
		"createCoupon":   `"coupon":null,` + gone("coupon_2"),
		"createDelivery": `"delivery":null,` + gone("delivery_1"),
		"createUpload":   `"upload":null,` + gone("upload_1"),
	}
	nameOf := func(mutation string) string { name, _, _ := strings.Cut(mutation, "("); return name }
	ask := func(mutation string) string {
		return s.withKey(t, "K "+nameOf(mutation), "mutation { "+mutation+" }")
	}
	for mutation, want := range first {
		if nameOf(mutation) != "addCodes" {
			continue
		}
		if got := ask(mutation); !strings.Contains(got, want) {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	for mutation, want := range first {
		if got := ask(mutation); !strings.Contains(got, want) {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	s.ask(t, `mutation {
		added: undoBatch(input: {id: "batch_1"}) { removedCount } generated:
			undoBatch(input: {id: "batch_2"}) { removedCount }
		deleteDelivery(input: {id: "delivery_1"}) { userErrors { message } }
			deleteCoupon(input: {id: "coupon_2"}) { userErrors { message } }
	}`, nil, nil)
	if err := s.store.DeleteUpload(t.Context(), "upload_1"); err != nil {
		t.Fatal(err)
	}
	for mutation := range first {
		got := ask(mutation)
		if want := then[nameOf(mutation)]; !strings.Contains(got, want) {
			t.Errorf("got %s, want %s", got, want)
		}
		if isBatch := strings.Contains(mutation, "undoneAt"); isBatch != strings.Contains(got,
			`"undoneAt":"`) {
			t.Errorf("its batch: %s", got)
		}
	}
	s.checkPromises(t)
}
