package resolvers_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"

	"couponql/coupon"
)

// reply is what a transport answered: the status and header of HTTP, and the answer as JSON.
type reply struct {
	status int
	header http.Header
	text   string
}

// failures returns the codes and messages of an answer's errors.
func (r reply) failures(t *testing.T) string {
	t.Helper()
	var answer struct {
		Errors []struct {
			Message    string `json:"message"`
			Extensions struct {
				Code string `json:"code"`
			} `json:"extensions"`
		} `json:"errors"`
	}
	if err := json.Unmarshal([]byte(r.text), &answer); err != nil {
		t.Fatalf("%v: %s", err, r.text)
	}
	var lines []string
	for _, one := range answer.Errors {
		lines = append(lines, one.Extensions.Code+": "+one.Message)
	}
	return strings.Join(lines, "\n")
}

// way is how a request gets to the server and its answer back.
type way struct {
	name string
	// refused is the status of a request that is not executed; 0: the way has none.
	refused     int
	contentType string
	// mutates: mutations may go this way.
	mutates bool
	send    func(t *testing.T, s *server, request map[string]any) reply
}

// ways are all there are.
func ways() []way {
	return []way{
		{"POST", 200, "application/json", true, byHTTP(inBody, "application/json")},
		{"POST for the media type of GraphQL", 400, "application/graphql-response+json", true, byHTTP(inBody, "application/graphql-response+json")},
		{"GET", 200, "application/json", false, byHTTP(inURL, "*/*")},
		{"events by POST", 200, "text/event-stream", true, byHTTP(inBody, "text/event-stream")},
		{"events by GET", 200, "text/event-stream", false, byHTTP(inURL, "text/event-stream")},
		{"a form", 200, "application/json", true, byHTTP(inForm, "")},
		{"events for a form", 200, "text/event-stream", true, byHTTP(inForm, "text/event-stream")},
		{"a WebSocket", 0, "", true, bySocket},
	}
}

// inBody, inURL and inForm write a request.
func inBody(t *testing.T, s *server, text string, _ map[string]any) *http.Request {
	t.Helper()
	return newRequest(t, http.MethodPost, s.URL+"/graphql", "application/json", strings.NewReader(text))
}

func inURL(t *testing.T, s *server, _ string, members map[string]any) *http.Request {
	t.Helper()
	values := url.Values{}
	for name, value := range members {
		text, isText := value.(string)
		if !isText {
			encoded, err := json.Marshal(value)
			if err != nil {
				t.Fatal(err)
			}
			text = string(encoded)
		}
		values.Set(name, text)
	}
	return newRequest(t, http.MethodGet, s.URL+"/graphql?"+values.Encode(), "", nil)
}

func inForm(t *testing.T, s *server, text string, _ map[string]any) *http.Request {
	t.Helper()
	var body strings.Builder
	w := multipart.NewWriter(&body)
	for _, part := range [][2]string{{"operations", text}, {"map", "{}"}} {
		if err := w.WriteField(part[0], part[1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return newRequest(t, http.MethodPost, s.URL+"/graphql", w.FormDataContentType(), strings.NewReader(body.String()))
}

func newRequest(t *testing.T, method, address, contentType string, body io.Reader) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, body)
	if err != nil {
		t.Fatal(err)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	return r
}

// byHTTP sends a request and gives its only answer, which may be an event.
func byHTTP(
	write func(t *testing.T, s *server, text string, members map[string]any) *http.Request, accept string,
) func(*testing.T, *server, map[string]any) reply {
	return func(t *testing.T, s *server, members map[string]any) reply {
		t.Helper()
		encoded, err := json.Marshal(members)
		if err != nil {
			t.Fatal(err)
		}
		r := write(t, s, string(encoded), members)
		if accept != "" {
			r.Header.Set("Accept", accept)
		}
		s.authorize(r)
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		text := string(body)
		if response.Header.Get("Content-Type") == "text/event-stream" {
			begin, end := ":\n\nevent: next\ndata: ", "\n\nevent: complete\ndata:\n\n"
			inner, isBegun := strings.CutPrefix(text, begin)
			inner, isEnded := strings.CutSuffix(inner, end)
			if !isBegun || !isEnded || strings.Contains(inner, "\n") {
				t.Fatalf("the events are %q", text)
			}
			text = inner
			if got := response.Header.Get("X-Accel-Buffering"); got != "no" {
				t.Errorf("proxies may buffer: %q", got)
			}
		}
		return reply{response.StatusCode, response.Header, text}
	}
}

// bySocket sends a request by graphql-transport-ws.
func bySocket(t *testing.T, s *server, members map[string]any) reply {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	connection, response, err := websocket.Dial(ctx, strings.Replace(s.URL, "http", "ws", 1)+"/graphql",
		&websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = connection.CloseNow() }()
	if response.Body != nil {
		defer response.Body.Close()
	}
	hello := map[string]any{"type": "connection_init"}
	if s.token != "" {
		hello["payload"] = map[string]any{"Authorization": "Bearer " + s.token}
	}
	for _, message := range []map[string]any{hello, {"type": "subscribe", "id": "1", "payload": members}} {
		if err := wsjson.Write(ctx, connection, message); err != nil {
			t.Fatal(err)
		}
	}
	for {
		var message struct {
			Type    string          `json:"type"`
			Payload json.RawMessage `json:"payload"`
		}
		if err := wsjson.Read(ctx, connection, &message); err != nil {
			t.Fatal(err)
		}
		switch message.Type {
		case "next":
			return reply{text: string(message.Payload)}
		case "error":
			return reply{text: `{"errors":` + string(message.Payload) + `}`}
		}
	}
}

// TestOneProtocol asks the same by every transport: what is answered, and what is wrong with what is asked, does not depend on it.
func TestOneProtocol(t *testing.T) {
	t.Parallel()
	s := newPool(t)
	one := func(query string) map[string]any { return map[string]any{"query": query} }
	with := func(query string, name string, value any) map[string]any {
		return map[string]any{"query": query, "variables": map[string]any{name: value}}
	}
	const byFilter = `query ($f: CouponFilter) { coupons(filter: $f) { totalCount } }`
	for name, test := range map[string]struct {
		request map[string]any
		// data is what is answered; otherwise wrong is, and what it holds.
		data, wrong string
		status      int
	}{
		"a query":       {request: one(`{ coupon(id: "coupon_1") { label } }`), data: `{"coupon":{"label":"Pool"}}`},
		"a named one":   {request: map[string]any{"query": "query A { coupons { totalCount } } query B { __typename }", "operationName": "B"}, data: `{"__typename":"Query"}`},
		"no such field": {request: one(`{ coupons { totalCounts } }`), wrong: `GRAPHQL_VALIDATION_FAILED: Cannot query field "totalCounts" on type "CouponConnection". Did you mean "totalCount"?`},
		"a syntax":      {request: one(`{ coupons {`), wrong: `GRAPHQL_PARSE_FAILED: Expected Name, found <EOF>`},
		"defer":         {request: one(`{ coupons { nodes { id ... @defer { label } } } }`), wrong: `GRAPHQL_VALIDATION_FAILED: Unknown directive "@defer".`},
		"two operations": {
			request: one(`query A { coupons { totalCount } } query B { __typename }`),
			wrong:   `GRAPHQL_VALIDATION_FAILED: The request has 2 operations: A, B. Set operationName to the one to run.`,
		},
		"no such operation": {
			request: map[string]any{"query": "query A { __typename }", "operationName": "C"},
			wrong:   `GRAPHQL_VALIDATION_FAILED: The request has no operation "C". It has A.`,
		},
		"a name where there is none": {
			request: map[string]any{"query": "{ __typename }", "operationName": "C"},
			wrong:   `GRAPHQL_VALIDATION_FAILED: The operation of the request has no name, but operationName is "C". Leave it out.`,
		},
		"a field that is near": {
			request: with(byFilter, "f", map[string]any{"statuz": "ACTIVE"}),
			wrong:   `GRAPHQL_VALIDATION_FAILED: Variable "$f.statuz": CouponFilter has no field "statuz". Did you mean "status"?`,
		},
		"a value that is near": {
			request: with(byFilter, "f", map[string]any{"status": []string{"EXPIRED", "ACTIV"}}),
			wrong:   `GRAPHQL_VALIDATION_FAILED: Variable "$f.status[1]": "ACTIV" is not a value of CouponStatus. Did you mean "ACTIVE"?`,
		},
		"no object": {request: with(byFilter, "f", 17), wrong: `GRAPHQL_VALIDATION_FAILED: Variable "$f": 17 is not an object of the type CouponFilter.`},
		"a fraction": {
			request: with(`query ($n: Int) { coupons(first: $n) { totalCount } }`, "n", 1.5),
			wrong:   `GRAPHQL_VALIDATION_FAILED: Variable "$n": 1.5 is not a value of the type Int.`,
		},
		"a number that is too large": {
			request: with(`query ($n: Int) { coupons(first: $n) { totalCount } }`, "n", json.Number("99999999999999999999")),
			wrong:   `GRAPHQL_VALIDATION_FAILED: Variable "$n": 99999999999999999999 is not a value of the type Int.`,
		},
		"nothing": {
			request: one(`query ($id: ID!) { coupon(id: $id) { id } }`),
			wrong:   `GRAPHQL_VALIDATION_FAILED: Variable "$id": it is missing, and its type is ID!.`,
		},
		"null": {
			request: with(`query ($id: ID!) { coupon(id: $id) { id } }`, "id", nil),
			wrong:   `GRAPHQL_VALIDATION_FAILED: Variable "$id": it is null, and its type is ID!.`,
		},
		"no query": {request: map[string]any{"variables": map[string]any{}}, wrong: `BAD_REQUEST: The request has no query.`, status: 400},
	} {
		for _, way := range ways() {
			if name == "no query" && way.refused == 0 {
				continue // The library answers what is no message of its protocol by closing.
			}
			got := way.send(t, s, test.request)
			status, contentType := way.refused, way.contentType
			switch {
			case way.refused == 0:
			case test.status != 0:
				status = test.status
				if contentType == "text/event-stream" {
					contentType = "application/json"
				}
			case test.data != "":
				status = http.StatusOK
			}
			if got.status != status || got.header.Get("Content-Type") != contentType {
				t.Errorf("%s by %s: %d %s, want %d %s", name, way.name, got.status, got.header.Get("Content-Type"), status, contentType)
			}
			if way.refused != 0 && got.header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s by %s may be stored", name, way.name)
			}
			want := `{"data":` + test.data + `}`
			if test.data != "" && got.text != want || got.failures(t) != test.wrong {
				t.Errorf("%s by %s: %s\nwant %s%s", name, way.name, got.text, test.wrong, test.data)
			}
			if test.data == "" && way.refused != 0 && strings.Contains(got.text, `"data"`) {
				t.Errorf("%s by %s has data: %s", name, way.name, got.text)
			}
		}
	}
}

// TestDigits: no number loses a digit, by whatever way and however it is written.
func TestDigits(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.ask(t, `mutation { createCoupon(input: {label: "All", code: "ALL", type: ANONYMOUS, startsAt: "2026-11-01"}) { userErrors { message } } }`, nil, nil)
	const amount, ratio = "12345678901234.5678", "0.12345678901234567890123"
	for _, way := range ways() {
		if !way.mutates {
			continue
		}
		for name, request := range map[string]map[string]any{
			"in the document": {"query": `mutation { redeemCode(input: {value: "ALL", amount: ` + amount + `}) { redemption { amount } userErrors { message } }
				upsertRecipients(input: {recipients: [{externalId: "c", attributes: {ratio: ` + ratio + `, list: [1, ` + ratio + `]}}]}) {
					recipients { attributes } } }`},
			"as variables": {
				"query": `mutation ($amount: Decimal, $attributes: JSON) {
					redeemCode(input: {value: "ALL", amount: $amount}) { redemption { amount } userErrors { message } }
					upsertRecipients(input: {recipients: [{externalId: "c", attributes: $attributes}]}) { recipients { attributes } } }`,
				"variables": map[string]any{
					"amount":     json.Number(amount),
					"attributes": map[string]any{"ratio": json.Number(ratio), "list": []any{1, json.Number(ratio)}},
				},
			},
		} {
			// The second time the document is known.
			for range 2 {
				want := `{"data":{"redeemCode":{"redemption":{"amount":"` + amount + `"},"userErrors":[]},"upsertRecipients":{"recipients":[` +
					`{"attributes":{"list":[1,` + ratio + `],"ratio":` + ratio + `}}]}}}`
				if got := way.send(t, s, request); got.text != want {
					t.Errorf("%s by %s: %s\nwant %s", name, way.name, got.text, want)
				}
			}
		}
	}
}

// TestPersistedQueries: a client sends the hash of a document, and after the answer that it knows the document with its hash, once.
func TestPersistedQueries(t *testing.T) {
	t.Parallel()
	const notFound = "PERSISTED_QUERY_NOT_FOUND: PersistedQueryNotFound"
	hashed := func(query string, version any) map[string]any {
		sum := sha256.Sum256([]byte(query))
		return map[string]any{"persistedQuery": map[string]any{"version": version, "sha256Hash": hex.EncodeToString(sum[:])}}
	}
	s := newServer(t)
	for i, way := range ways() {
		query := fmt.Sprintf("query Q%d { __typename }", i)
		alone, whole := map[string]any{"extensions": hashed(query, 1)}, map[string]any{"query": query, "extensions": hashed(query, 1)}
		poisoned := map[string]any{"query": "{ caller { name } }", "extensions": hashed(query, 1)}
		for step, test := range []struct {
			request map[string]any
			want    string
		}{
			{alone, notFound},
			{poisoned, "BAD_REQUEST: persistedQuery.sha256Hash is not the SHA-256 of the query, in hexadecimal."},
			{alone, notFound},
			{map[string]any{"query": "query Q { nothing }", "extensions": hashed("query Q { nothing }", 1)}, `GRAPHQL_VALIDATION_FAILED: Cannot query field "nothing" on type "Query".`},
			{map[string]any{"extensions": hashed("query Q { nothing }", 1)}, notFound},
			{whole, ""},
			{alone, ""},
			{map[string]any{"extensions": hashed(query, 2)}, "PERSISTED_QUERY_NOT_SUPPORTED: PersistedQueryNotSupported"},
			{map[string]any{"query": query, "extensions": hashed(query, 2)}, ""},
		} {
			got := way.send(t, s, test.request)
			if failures := got.failures(t); failures != test.want || test.want == "" && got.text != `{"data":{"__typename":"Query"}}` {
				t.Errorf("step %d by %s: %s, want %s", step, way.name, got.text, test.want)
			}
			if test.want == notFound && way.refused != 0 && got.status != http.StatusOK {
				t.Errorf("step %d by %s: a client takes the status %d for a fault", step, way.name, got.status)
			}
		}
	}
	// Each role has its own: one cannot tell what others ask.
	const mine = "query Mine { __typename }"
	for _, role := range []coupon.Role{coupon.RoleAnalyst, coupon.RoleRedeemer} {
		s.become(t, role)
		for _, want := range []string{notFound, ""} {
			got := ways()[0].send(t, s, map[string]any{"extensions": hashed(mine, 1)})
			if failures := got.failures(t); failures != want {
				t.Errorf("%s: %q, want %q", role, failures, want)
			}
			ways()[0].send(t, s, map[string]any{"query": mine, "extensions": hashed(mine, 1)})
		}
	}
	// What its caller may not ask is not kept.
	const forbidden = "{ coupons { totalCount } }"
	ways()[0].send(t, s, map[string]any{"query": forbidden, "extensions": hashed(forbidden, 1)})
	if got := ways()[0].send(t, s, map[string]any{"extensions": hashed(forbidden, 1)}).failures(t); got != notFound {
		t.Errorf("a document that was refused is kept: %s", got)
	}
	// What does not fit is asked for each time.
	large := "{ __typename #" + strings.Repeat(" ", 16<<10) + "\n}"
	post := ways()[0]
	post.send(t, s, map[string]any{"query": large, "extensions": hashed(large, 1)})
	if got := post.send(t, s, map[string]any{"extensions": hashed(large, 1)}).failures(t); got != notFound {
		t.Errorf("a large document is kept: %s", got)
	}
}

// TestNotLetIn: who shows no key is told so with the status and the header of HTTP, whatever answer was asked for.
func TestNotLetIn(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.become(t, coupon.RoleAnalyst)
	s.token = ""
	for _, way := range ways() {
		if way.refused == 0 {
			continue // It closes; a test of its own tells how.
		}
		got := way.send(t, s, map[string]any{"query": "{ __typename }"})
		if got.status != http.StatusUnauthorized || !strings.HasPrefix(got.failures(t), "UNAUTHENTICATED: ") || got.header.Get("WWW-Authenticate") == "" {
			t.Errorf("%s: %d %v %s", way.name, got.status, got.header, got.text)
		}
	}
}

// TestSubscribeByGET subscribes as an EventSource does, and as clients that would take other answers too.
func TestSubscribeByGET(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.ask(t, `mutation { createCoupon(input: {label: "All", code: "ALL", type: ANONYMOUS, startsAt: "2026-11-01"}) { userErrors { message } } }`, nil, nil)
	const query = `subscription { redemptionRecorded { codeValue } }`
	for name, r := range map[string]*http.Request{
		"an EventSource": newRequest(t, http.MethodGet, s.URL+"/graphql?query="+url.QueryEscape(query), "", nil),
		"urql":           newRequest(t, http.MethodPost, s.URL+"/graphql", "application/json", strings.NewReader(`{"query":"`+query+`"}`)),
	} {
		r.Header.Set("Accept", "text/event-stream")
		if name == "urql" {
			r.Header.Set("Accept", "application/graphql-response+json, application/graphql+json, application/json, text/event-stream, multipart/mixed")
		}
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		s.ask(t, `mutation { redeemCode(input: {value: "all"}) { userErrors { message } } }`, nil, nil)
		want := ":\n\nevent: next\ndata: " + `{"data":{"redemptionRecorded":{"codeValue":"ALL"}}}` + "\n\n"
		got := make([]byte, len(want))
		if _, err := io.ReadFull(response.Body, got); err != nil || string(got) != want || response.Header.Get("Content-Type") != "text/event-stream" {
			t.Errorf("%s: %q, %v, %v", name, got, err, response.Header)
		}
		if err := response.Body.Close(); err != nil {
			t.Error(err)
		}
	}
}
