package resolvers_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"couponql/access"
	"couponql/db/dbtest"
	"couponql/monitor"
	"couponql/resolvers"
	"couponql/transfer"
)

// exchange sends a request as it stands and gives the status and the body of the answer.
func (s *server) exchange(t *testing.T, method, path, contentType string, body io.Reader) (
	int, string,
) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, body)
	if err != nil {
		t.Fatal(err)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(answer)
}

// TestRefusedQueries asks what cannot be answered: each time there is one error with its code, and
// never one that blames the server.
func TestRefusedQueries(t *testing.T) {
	t.Parallel()
	s := newPool(t)
	for _, test := range []struct{ query, code, message string }{
		{`{ coupons(first: -1) { totalCount } }`, "INVALID", "0 to 500, not -1"},
		{`{ coupons(first: 501) { totalCount } }`, "INVALID", "0 to 500, not 501"},
		{`{ recipients(after: "abc") { totalCount } }`, "INVALID", "not a cursor"},
		{`{ deliveries(after: "") { totalCount } }`, "INVALID", "not a cursor"},
		{
			`{ coupon(id: "coupon_1") { codes(first: 1000) { totalCount } } }`, "INVALID",
			"0 to 500, not 1000",
		},
		{`{ coupon(id: "coupon_1") { codes(filter: {assignedFrom: "last week"}) { totalCount } } }`, "INVALID", "not a date"},
		{`{ coupon(id: "coupon_1") { stats(from: "x") { sent } } }`, "INVALID", "not a date"},
		{`{ redemptions(filter: {to: "2026-02-30"}) { totalCount } }`, "INVALID", "not a date"},
		{`{ redemptionStats(timezone: "Nowhere") { keys } }`, "INVALID", "not a time zone"},
		{`{ redemptionStats(limit: 0) { keys } }`, "INVALID", "1 to 10000, not 0"},
		{
			`{ redemptionStats(groupBy: [DAY, WEEK, MONTH, LABEL, COUPON]) { keys } }`,
			"INVALID", "at most 4",
		},
		{`{ sql(query: "SELEC 1") { rows } }`, "QUERY_REJECTED", "syntax error at or near"},
		{
			`{ coupons { nodes { lable } } }`, "GRAPHQL_VALIDATION_FAILED",
			`Cannot query field "lable"`,
		},
		{`{ coupons { nodes { id } }`, "GRAPHQL_PARSE_FAILED", "Expected"},
		{``, "BAD_REQUEST", "no query"},
		{`# nothing`, "GRAPHQL_VALIDATION_FAILED", "no operation"},
		{
			`query ($id: ID!) { coupon(id: $id) { id } }`, "GRAPHQL_VALIDATION_FAILED",
			"it is missing",
		},
		{
			`mutation { deleteCoupon(input: {}) { deletedId } }`, "GRAPHQL_VALIDATION_FAILED",
			"was not provided",
		},
		{
			`mutation { upsertRecipients(input: {recipients: [{externalId: "c", attributes: ["x"]}]}) { recipients { id } } }`,
			"GRAPHQL_VALIDATION_FAILED", "must be a JSON object",
		},
		{
			`{ coupons(filter: {status: [SOLD]}) { totalCount } }`,
			"GRAPHQL_VALIDATION_FAILED", "SOLD",
		},
		{`{ coupons(first: "5") { totalCount } }`, "GRAPHQL_VALIDATION_FAILED", "Int"},
		{
			`{ coupons(first: 99999999999999999999) { totalCount } }`, "GRAPHQL_VALIDATION_FAILED",
			"Int cannot represent",
		},
		{
			`{ node(id: "coupon_1") { ... on Coupon { codes(first: 1) { nodes { coupon { codes(first: 1) { nodes { coupon {
				codes(first: 1) { nodes { coupon { codes(first: 1) { nodes { coupon {
					codes(first: 1) { nodes { id } } } } } } } } }
				} } } } } } } }`,
			"DEPTH_LIMIT_EXCEEDED", "16 levels deep; the server allows 15",
		},
		{
			`{ coupons(first: 500) { nodes { codes(first: 500) { nodes { value label status } } } } }`,
			"COMPLEXITY_LIMIT_EXCEEDED",
			"Ask for fewer fields, smaller pages, or several operations",
		},
		{
			"{ " + strings.Repeat("__typename ", 15_001) + "}", "DOCUMENT_LIMIT_EXCEEDED",
			"more than 15000 tokens",
		},
		// Problems of the input are data: none of these is an error of the request.
		{`mutation { createDelivery(input: {label: "x", body: "x", messageLimit: 3000000000}) { userErrors { message } } }`, "", ""},
		{
			`mutation { createCoupon(input: {label: "x", type: INDIVIDUAL, startsAt: "2026-11-01", lowStockThreshold: 3000000000}) {
				userErrors { message }
			} }`, "", "",
		},
		{`{ recipients(filter: {externalIds: []}) { totalCount } }`, "", ""},
	} {
		body, contentType := request(t, test.query, nil, nil)
		text := s.post(t, body, contentType)
		var answer struct {
			Errors []struct {
				Message    string `json:"message"`
				Extensions struct {
					Code string `json:"code"`
				} `json:"extensions"`
			} `json:"errors"`
		}
		if err := json.Unmarshal(text, &answer); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		name := test.query[:min(len(test.query), 100)]
		switch {
		case test.code == "" && len(answer.Errors) == 0:
		case len(answer.Errors) != 1:
			t.Errorf("%s: %s", name, text)
		case answer.Errors[0].Extensions.Code != test.code ||
			!strings.Contains(answer.Errors[0].Message, test.message):
			t.Errorf("%s: %s: %s", name, answer.Errors[0].Extensions.Code, answer.Errors[0].Message)
		}
	}
}

// TestTransports sends requests over HTTP as clients do, and as they should not.
func TestTransports(t *testing.T) {
	t.Parallel()
	s := newPool(t)
	const query = `{ coupon(id: "coupon_1") { label } }`
	const wantPool = `{"data":{"coupon":{"label":"Pool"}}}`
	quoted := func(text string) string {
		encoded, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		return string(encoded)
	}
	for name, test := range map[string]struct {
		method, path, contentType, body string
		status                          int
		want                            string
	}{
		"GET": {"GET", "/graphql?query=" + url.QueryEscape(query), "", "", 200, wantPool},
		"GET with variables": {
			"GET", "/graphql?query=" +
				url.QueryEscape(`query ($id: ID!) { coupon(id: $id) { label } }`) + "&variables=" +
				url.QueryEscape(`{"id": "coupon_1"}`),
			"", "", 200, wantPool,
		},
		"GET one of two operations": {
			"GET", "/graphql?operationName=B&query=" +
				url.QueryEscape(`query A { coupons { totalCount } } query B `+query),
			"", "", 200, wantPool,
		},
		"GET mutation": {
			"GET", "/graphql?query=" + url.QueryEscape(
				`mutation { archiveCoupon(input: {id: "coupon_1"}) { coupon { id } } }`,
			),
			"", "", 405, "A GET request may only query",
		},
		"GET bad variables": {
			"GET", "/graphql?query=" + url.QueryEscape(query) + "&variables=x",
			"", "", 400, "variables of the URL must be a JSON object",
		},
		"POST": {
			"POST", "/graphql", "application/json", `{"query": ` + quoted(query) + `}`,
			200, wantPool,
		},
		"POST with charset": {
			"POST", "/graphql",
			"application/json; charset=utf-8", `{"query": ` + quoted(query) + `}`, 200, wantPool,
		},
		"POST malformed": {
			"POST", "/graphql", "application/json", `{"query": `, 400, "not one JSON value",
		},
		"POST more than one": {
			"POST", "/graphql", "application/json", `{"query": ` + quoted(query) + `} {}`, 400,
			"not one JSON value",
		},
		"POST nulls": {
			"POST", "/graphql", "application/json",
			`{"query": ` + quoted(query) +
				`, "variables": null, "operationName": null, "extensions": null}`, 200, wantPool,
		},
		"POST a number as query": {
			"POST", "/graphql", "application/json", `{"query": 1}`, 400,
			"query must not be a JSON number",
		},
		"POST a list as variables": {
			"POST", "/graphql", "application/json", `{"query": "{a}", "variables": [1]}`, 400,
			"variables must not be a JSON array",
		},
		"POST a number as operation": {
			"POST", "/graphql", "application/json", `{"query": "{a}", "operationName": 1}`, 400,
			"operationName must not",
		},
		"POST a text as extensions": {
			"POST", "/graphql", "application/json", `{"query": "{a}", "extensions": ""}`, 400,
			"extensions must not",
		},
		"POST without a query": {
			"POST", "/graphql", "application/json", `{}`, 400, "has no query",
		},
		"POST a subscription": {
			"POST", "/graphql",
			"application/json", `{"query": "subscription { redemptionRecorded { id } }"}`, 406,
			"text/event-stream",
		},
		"POST with another charset": {
			"POST", "/graphql", "application/json; charset=latin1", `{"query": "{a}"}`,
			415, "UTF-8",
		},
		"POST what is not valid": {
			"POST", "/graphql", "application/json", `{"query": "{a}"}`, 200,
			`{"errors":[{"message":"Cannot query field`,
		},
		"GET without a query": {"GET", "/graphql", "", "", 400, "has no query"},
		"POST a list": {"POST", "/graphql", "application/json", `[{"query":
			` + quoted(query) + `}]`, 400, "The request has an array"},
		"POST a text": {
			"POST", "/graphql", "application/json", `"{a}"`, 400, "must be one JSON object",
		},
		"POST nothing": {"POST", "/graphql", "application/json", ``, 400, "not one JSON value"},
		"POST as a form": {
			"POST", "/graphql",
			"application/x-www-form-urlencoded", "query=" + url.QueryEscape(query), 415,
			"application/json",
		},
		"POST as text": {
			"POST", "/graphql", "text/plain", `{"query": ` + quoted(query) + `}`, 415,
			"application/json",
		},
		"POST over the limit": {
			"POST", "/graphql",
			"application/json",
			`{"query": ` + quoted(query+strings.Repeat(" ", resolvers.MaxRequestBytes)) + `}`,
			413, "larger than 4194304 bytes",
		},
		"DELETE":  {"DELETE", "/graphql", "", "", 405, "Use GET or POST"},
		"OPTIONS": {"OPTIONS", "/graphql", "", "", 200, ""},
		"the schema": {
			"POST", "/graphql",
			"application/json", `{"query": "{ __schema { queryType { name } mutationType { name } subscriptionType { name } } }"}`, 200, `{"data":{"__schema":{"queryType":{"name":"Query"},"mutationType":{"name":"Mutation"},"subscriptionType":{"name":"Subscription"}}}}`,
		},
	} {
		status, got := s.exchange(t, test.method, test.path, test.contentType,
			strings.NewReader(test.body))
		if status != test.status || !strings.Contains(got, test.want) ||
			strings.Contains(got, "INTERNAL") {
			t.Errorf("%s: %d %s", name, status, got[:min(len(got), 500)])
		}
	}
	data := s.ask(t, `{ coupon(id: "coupon_1") { status } }`, nil, nil)
	if got := at[string](t, data, "coupon", "status"); got != "ACTIVE" {
		t.Errorf("a request that was refused made the coupon %s", got)
	}
}

// TestMediaTypes asks for answers of each media type.
func TestMediaTypes(t *testing.T) {
	t.Parallel()
	s := newPool(t)
	const valid, invalid = `{"query": "{ coupons { totalCount } }"}`, `{"query": "{ nothing }"}`
	const plain, response = "application/json", "application/graphql-response+json"
	for _, test := range []struct {
		accept, body string
		status       int
		contentType  string
	}{
		{"", valid, 200, plain},
		{"*/*", valid, 200, plain},
		{"application/*", valid, 200, plain},
		{"application/json", valid, 200, plain},
		{response, valid, 200, response},
		{response + ", application/json;q=0.9", valid, 200, response},
		{"application/json;q=0.5, " + response + ";q=0.4", valid, 200, plain},
		{"text/html, */*;q=0.1", valid, 200, plain},
		{"text/html", valid, 406, plain},
		{"text/html;q=x", valid, 406, plain},
		{"application/json;q=0", valid, 406, plain},
		{"", invalid, 200, plain},
		{response, invalid, 400, response},
		{response, `{`, 400, response},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/graphql",
			strings.NewReader(test.body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", plain)
		if test.accept != "" {
			r.Header.Set("Accept", test.accept)
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(answer.Body)
		if err := errors.Join(err, answer.Body.Close()); err != nil {
			t.Fatal(err)
		}
		var fields map[string]any
		if err := json.Unmarshal(text, &fields); err != nil {
			t.Errorf("Accept %q: %v: %s", test.accept, err, text)
		}
		if got := answer.Header.Get("Content-Type"); answer.StatusCode != test.status ||
			got != test.contentType {
			t.Errorf("Accept %q: %d %s, want %d %s", test.accept, answer.StatusCode, got,
				test.status, test.contentType)
		}
		if _, hasData := fields["data"]; hasData != (test.status == 200 && test.body == valid) {
			t.Errorf("Accept %q: %s", test.accept, text)
		}
	}
}

// form is a multipart body, part by part.
func form(t *testing.T, parts ...string) (body, contentType string) {
	t.Helper()
	var buffer bytes.Buffer
	w := multipart.NewWriter(&buffer)
	for _, part := range parts {
		name, content, _ := strings.Cut(part, "=")
		var field io.Writer
		var err error
		if number, isFile := strings.CutPrefix(name, "@"); isFile {
			field, err = w.CreateFormFile(number, "codes.csv")
		} else {
			field, err = w.CreateFormField(name)
		}
		if err == nil {
			_, err = io.WriteString(field, content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buffer.String(), w.FormDataContentType()
}

// vanish waits until no file matches the pattern.
func vanish(t *testing.T, pattern string) {
	t.Helper()
	deadline := time.After(time.Minute)
	for {
		left, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		if len(left) == 0 {
			return
		}
		select {
		case <-deadline:
			t.Fatalf("these files are left: %v", left)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// TestUploads sends files as the multipart request specification says, with a length and without,
// and in ways that it forbids.
func TestUploads(t *testing.T) {
	t.Parallel()
	const operations = `operations={"query": "mutation ($a: Upload!, $b: Upload) { a: importCodes(input: {couponId: \"coupon_1\", file: $a}) { import { fileName byteCount } userErrors { code } } b: importRecipients(input: {file: $b}) { import { byteCount } userErrors { code } } }", "variables": {"a": null, "b": null}}`
	const answer = `{"data":{"a":{"import":{"fileName":"codes.csv","byteCount":9},"userErrors":[]},` +
		`"b":{"import":{"byteCount":%d},"userErrors":[]}}}`
	for name, test := range map[string]struct {
		parts  []string
		status int
		want   string
	}{
		"two files": {
			[]string{
				operations, `map={"0": ["variables.a"], "1": ["variables.b"]}`, "@0=code\nA-1\n",
				"@1=customer id\nc\n",
			},
			200, fmt.Sprintf(answer, 14),
		},
		"one file twice": {
			[]string{operations, `map={"0": ["variables.a", "variables.b"]}`, "@0=code\nA-1\n"},
			200, fmt.Sprintf(answer, 9),
		},
		"a file is missing": {
			[]string{
				operations, `map={"0": ["variables.a"], "1": ["variables.b"]}`, "@0=code\nA-1\n",
			},
			422, "failed to get key 1 from form",
		},
		"a file that is not meant": {
			[]string{operations, `map={"0": ["variables.a"]}`, "@1=code\nA-1\n"},
			422, "invalid empty operations paths list for key 1",
		},
		"a path that is not there": {
			[]string{operations, `map={"0": ["variables.c.d"]}`, "@0=code\nA-1\n"},
			422,
			"variables.c.d",
		},
		"no map": {
			[]string{operations, "@0=code\nA-1\n"}, 422, "second part must be map",
		},
		"a malformed map": {
			[]string{operations, "map=0", "@0=code\nA-1\n"},
			422,
			"map form field could not be decoded",
		},
		"no operations": {
			[]string{`map={"0": ["variables.a"]}`, operations, "@0=code\nA-1\n"},
			422, "first part must be operations",
		},
		"malformed operations": {
			[]string{"operations={", `map={"0": ["variables.a"]}`, "@0=code\nA-1\n"},
			422, "operations form field could not be decoded",
		},
		"nothing": {nil, 422, "first part must be operations"},
	} {
		for _, isChunked := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, chunked %t", name, isChunked), func(t *testing.T) {
				t.Parallel()
				s := newPool(t)
				text, contentType := form(t, test.parts...)
				var body io.Reader = strings.NewReader(text)
				if isChunked {
					// Its type does not tell its length.
					body = io.MultiReader(body)
				}
				status, got := s.exchange(t, http.MethodPost, "/graphql", contentType, body)
				if status != test.status || !strings.Contains(got, test.want) {
					t.Errorf("%d %s", status, got)
				}
				s.drain(t)
				vanish(t, filepath.Join(s.folder, "*.files", "uploads", "*"))
				s.checkPromises(t)
			})
		}
	}
}

// stream is a long file that is made while it is read; it looks at the memory of the process now
// and then.
type stream struct {
	left int
	row  []byte
	most uint64
}

func (s *stream) Read(p []byte) (int, error) {
	if s.left <= 0 {
		return 0, io.EOF
	}
	n := 0
	for n+len(s.row) <= len(p) {
		n += copy(p[n:], s.row)
	}
	if n == 0 {
		n = copy(p, s.row)
	}
	const every = 16 << 20
	if s.left/every != (s.left-n)/every {
		var memory runtime.MemStats
		runtime.ReadMemStats(&memory)
		s.most = max(s.most, memory.HeapAlloc)
	}
	s.left -= n
	return n, nil
}

// TestLargeUpload sends 200 MB without a length: they go to disk and not into memory, and nothing
// is left when the import is over.
func TestLargeUpload(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("TMPDIR", folder)
	s := newPool(t)
	var head bytes.Buffer
	w := multipart.NewWriter(&head)
	for name, content := range map[string]string{
		"operations": `{"query": "mutation ($file: Upload!) { importCodes(input: {couponId: \"coupon_1\", file: $file}) { import { byteCount } userErrors { message } } }", "variables": {"file": null}}`,
	} {
		if err := w.WriteField(name, content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.WriteField("map", `{"0": ["variables.file"]}`); err != nil {
		t.Fatal(err)
	}
	if _, err := w.CreateFormFile("0", "names.csv"); err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	const size = 200 << 20
	// There is no column of codes, so the import ends at once; the upload is what matters here.
	content := &stream{left: size, row: []byte("first name,last name,and so on\n")}
	status, got := s.exchange(
		t,
		http.MethodPost,
		"/graphql",
		w.FormDataContentType(),
		io.MultiReader(&head, content, strings.NewReader("\r\n--"+w.Boundary()+"--\r\n")),
	)
	if status != http.StatusOK || !strings.Contains(got, `"userErrors":[]`) {
		t.Fatalf("%d %s", status, got)
	}
	if content.left > 0 || content.most == 0 {
		t.Fatalf("%d bytes were not sent", content.left)
	}
	const allowed = 48 << 20
	if grown := int64(content.most) - int64(memory.HeapAlloc); grown > allowed {
		t.Errorf("the heap grew by %d MB", grown>>20)
	}
	s.drain(t)
	data := s.ask(t, `{ import(id: "import_1") { status byteCount } }`, nil, nil)
	if at[string](t, data, "import", "status") != "FAILED" ||
		at[float64](t, data, "import", "byteCount") < size {
		t.Errorf("the import is %v", data)
	}
	vanish(t, filepath.Join(folder, "gqlgen-*"))
	vanish(t, filepath.Join(s.folder, "*.files", "uploads", "*"))
}

// TestInternalErrors provokes errors that are the server's own: a folder that somebody took away,
// and a panic. The client gets the id of its request and no detail; the log has both.
func TestInternalErrors(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "couponql.duckdb")
	store := dbtest.Open(t, path)
	if err := os.RemoveAll(path + ".files"); err != nil {
		t.Fatal(err)
	}
	guard, err := access.New(store, access.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		resolver *resolvers.Resolver
		cause    string
		queries  []string
	}{
		"no folder": {
			resolvers.New(store, transfer.NewLinks(nil), nil, nil, guard), "no such file",
			[]string{`mutation { addCodes(input: {couponId: "coupon_1", codes: [{value: "A"}]}) { codes { id } } }`},
		},
		"a panic": {
			resolvers.New(nil, nil, nil, nil, guard), "nil pointer",
			[]string{
				`{ recipients { totalCount } }`,
				`mutation { archiveCoupon(input: {id: "coupon_1"}) { coupon { id } } }`,
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			handler := resolvers.Handler(test.resolver,
				resolvers.Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
			for _, query := range test.queries {
				log.Reset()
				body, contentType := request(t, query, nil, nil)
				ctx := monitor.WithRequestID(t.Context(), "request-7")
				r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/graphql",
					bytes.NewReader(body))
				r.Header.Set("Content-Type", contentType)
				recorder := httptest.NewRecorder()
				handler.ServeHTTP(recorder, r)
				got := recorder.Body.String()
				const want = `"extensions":{"code":"INTERNAL","requestId":"request-7"}`
				if recorder.Code != http.StatusOK || !strings.Contains(got, want) {
					t.Errorf("%s: %d %s", query, recorder.Code, got)
				}
				if strings.Contains(got, test.cause) || strings.Contains(got, ".go") {
					t.Errorf("%s tells too much: %s", query, got)
				}
				if text := log.String(); !strings.Contains(text, "request-7") ||
					!strings.Contains(text, test.cause) {
					t.Errorf("%s: the log has %q", query, text)
				}
			}
		})
	}
}
