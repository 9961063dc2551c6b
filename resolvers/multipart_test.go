package resolvers_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"couponql/coupon"
	"couponql/resolvers"
)

const importA = `operations={"query": "mutation ($a: Upload) { importCodes(input: {couponId: \"coupon_1\", file: $a}) { import { id } userErrors { code } } }", "variables": {"a": null}}`

// wantNoUploads fails the test when any of the first uploads is known still, or keeps its file: that goes after what needed it
// has ended.
func (s *server) wantNoUploads(t *testing.T) {
	t.Helper()
	vanish(t, filepath.Join(s.folder, "*.files", "uploads", "*"))
	for number := range int64(12) {
		if u, err := s.store.UploadByID(t.Context(), coupon.NewID(coupon.KindUpload, number+1)); err == nil {
			t.Errorf("left behind: %+v", u)
		}
	}
}

// TestFormRefused sends what cannot be followed, or what nobody takes: nothing of it stays.
func TestFormRefused(t *testing.T) {
	t.Parallel()
	const list = `operations={"query": "mutation { __typename }", "variables": {"a": [null], "b": "text"}}`
	const place = `map={"0": ["variables.a"]}`
	long := strings.Repeat(" ", resolvers.MaxRequestBytes+1)
	files := func(count int) []string {
		var places, parts []string
		for i := range count {
			places = append(places, fmt.Sprintf(`"%d": ["variables.f%d"]`, i, i))
			parts = append(parts, fmt.Sprintf("@%d=code\n", i))
		}
		return append([]string{`operations={"query": "mutation { __typename }", "variables": {}}`, "map={" + strings.Join(places, ", ") + "}"}, parts...)
	}
	for name, test := range map[string]struct {
		parts  []string
		status int
		want   string
	}{
		"a refused mutation": {
			[]string{strings.Replace(importA, "coupon_1", "coupon_9", 1), `map={"0": ["variables.a"]}`, "@0=code\nA-1\n"}, 200, `"NOT_FOUND"`,
		},
		"a file nobody takes":       {[]string{list, `map={"0": ["variables.a.0"]}`, "@0=code\nA-1\n"}, 200, "__typename"},
		"a query that is none":      {[]string{`operations={"query": "{", "variables": {}}`, place, "@0=code\n"}, 200, "GRAPHQL_PARSE_FAILED"},
		"a variable that is none":   {[]string{list, `map={"0": ["variables.b.c"]}`, "@0=code\n"}, 422, "invalid operations path variables.b.c"},
		"a place behind the last":   {[]string{list, `map={"0": ["variables.a.1"]}`, "@0=code\n"}, 422, "invalid operations path variables.a.1"},
		"a place before the first":  {[]string{list, `map={"0": ["variables.a.-1"]}`, "@0=code\n"}, 422, "invalid operations path"},
		"a place that is no number": {[]string{list, `map={"0": ["variables.a.x"]}`, "@0=code\n"}, 422, "invalid operations path"},
		"no variable":               {[]string{list, `map={"0": ["query"]}`, "@0=code\n"}, 422, "invalid operations path query"},
		"no variables":              {[]string{`operations={"query": "{ __typename }"}`, place, "@0=code\n"}, 422, "invalid operations path"},
		"no places":                 {[]string{list, `map={"0": []}`, "@0=code\n"}, 422, "empty operations paths list for key 0"},
		"a batch":                   {[]string{`operations=[{"query": "{ __typename }"}]`, `map={}`}, 400, "in a request of its own"},
		"a file twice":              {[]string{list, `map={"0": ["variables.a.0"]}`, "@0=code\n", "@0=code\n"}, 422, "for key 0"},
		"eleven files":              {files(11), 422, "at most 10 files"},
		"ten files":                 {files(10), 200, "__typename"},
		"long operations":           {[]string{"operations=" + long}, 413, "operations form field is larger than 4 MiB"},
		"a long map":                {[]string{list, "map=" + long}, 413, "map form field is larger than 4 MiB"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newPool(t)
			text, contentType := form(t, test.parts...)
			status, got := s.exchange(t, http.MethodPost, "/graphql", contentType, strings.NewReader(text))
			if status != test.status || !strings.Contains(got, test.want) || len(got) > 1000 {
				t.Errorf("%d %s", status, got)
			}
			s.wantNoUploads(t)
		})
	}
}

// TestFormTakenTwice gives one variable to several mutations, of which the first is refused: the others have the
// whole file.
func TestFormTakenTwice(t *testing.T) {
	t.Parallel()
	s := newPool(t)
	const field = `importCodes(input: {couponId: \"coupon_%d\", file: $a}) { import { fileName byteCount } userErrors { code } }`
	operations := fmt.Sprintf(`operations={"query": "mutation ($a: Upload!) { a: `+field+` b: `+field+` c: `+field+` }", "variables": {"a": null}}`, 9, 1, 1)
	text, contentType := form(t, operations, `map={"0": ["variables.a"]}`, "@0=code\nA-1\n")
	status, got := s.exchange(t, http.MethodPost, "/graphql", contentType, strings.NewReader(text))
	const imported = `{"import":{"fileName":"codes.csv","byteCount":9},"userErrors":[]}`
	if want := `{"data":{"a":{"import":null,"userErrors":[{"code":"NOT_FOUND"}]},"b":` + imported + `,"c":` + imported + `}}`; status != 200 || got != want {
		t.Errorf("%d %s, want %s", status, got, want)
	}
	s.drain(t)
	data := s.ask(t, `{ imports { nodes { status rowsImported rowsRejected } } }`, nil, nil)
	const later, earlier = "map[rowsImported:0 rowsRejected:1 status:SUCCEEDED]", "map[rowsImported:1 rowsRejected:0 status:SUCCEEDED]"
	// Each lane runs one of them, and either may come first.
	if got := fmt.Sprint(at[[]any](t, data, "imports", "nodes")); got != "["+later+" "+earlier+"]" && got != "["+earlier+" "+later+"]" {
		t.Errorf("got %s", got)
	}
	s.checkPromises(t)
}

// TestFormVanished breaks off while a file is sent.
func TestFormVanished(t *testing.T) {
	t.Parallel()
	s := newPool(t)
	text, contentType := form(t, importA, `map={"0": ["variables.a"]}`, "@0=code\n"+strings.Repeat("A-1\n", 10_000))
	connection, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	head := fmt.Sprintf("POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n", contentType, len(text))
	if _, err := io.WriteString(connection, head+text[:len(text)/2]); err != nil {
		t.Fatal(err)
	}
	deadline := time.After(10 * time.Second)
	for {
		u, err := s.store.UploadByID(t.Context(), "upload_1")
		if err == nil && u.Received > 0 {
			break
		}
		select {
		case <-deadline:
			t.Fatalf("the file does not come in: %v", err)
		case <-time.After(time.Millisecond):
		}
	}
	if err := connection.Close(); err != nil {
		t.Fatal(err)
	}
	s.wantNoUploads(t)
	if data := s.ask(t, `{ imports { totalCount } }`, nil, nil); at[float64](t, data, "imports", "totalCount") != 0 {
		t.Errorf("an import was queued: %v", data)
	}
}

// TestLinks sends a file by its link, imports it twice, and gets what was rejected by another link, which
// subscriptions answer too.
func TestLinks(t *testing.T) {
	t.Parallel()
	s := newPool(t)
	const content = "code\nA-1\nA-1\n"
	data := s.ask(t, `mutation { createUpload(input: {fileName: "codes.csv", byteCount: 13}) { upload { id url expiresAt }
		userErrors { message } } }`, nil, nil)
	if got := at[string](t, data, "createUpload", "upload", "expiresAt"); got != "2026-11-24T12:00:00Z" {
		t.Errorf("it expires at %s", got)
	}
	path, isHere := strings.CutPrefix(at[string](t, data, "createUpload", "upload", "url"), s.URL)
	if !isHere {
		t.Fatalf("the link leads to %s", path)
	}
	if status, got := s.exchange(t, http.MethodPut, path, "text/csv", strings.NewReader(content)); status != http.StatusNoContent {
		t.Fatalf("%d %s", status, got)
	}
	for range 2 {
		data = s.ask(t, `mutation { importCodes(input: {couponId: "coupon_1", uploadId: "upload_1"}) { import { rejectsUrl }
			userErrors { message } } }`, nil, nil)
		if got := fmt.Sprint(at[any](t, data, "importCodes")); got != "map[import:map[rejectsUrl:<nil>] userErrors:[]]" {
			t.Errorf("got %s", got)
		}
		s.drain(t)
	}
	data = s.ask(t, `{ imports { nodes { rowsImported rowsRejected rejectsUrl } } }`, nil, nil)
	link := at[string](t, at[[]any](t, data, "imports", "nodes")[0], "rejectsUrl")
	status, got := s.exchange(t, http.MethodGet, strings.TrimPrefix(link, s.URL), "", nil)
	if want := "code,_line,_reason,_value\nA-1,2,ALREADY_EXISTS,A-1\nA-1,3,ALREADY_EXISTS,A-1\n"; status != http.StatusOK || got != want {
		t.Errorf("%s: %d %q", link, status, got)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/graphql",
		strings.NewReader(`{"query": "subscription { importProgress(id: \"import_2\") { rejectsUrl } }"}`))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "text/event-stream")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if events, err := io.ReadAll(response.Body); err != nil || !strings.Contains(string(events), s.URL+"/files/import_2-rejects.csv?expires=") {
		t.Errorf("the subscription answers %s, %v", events, err)
	}
	s.checkPromises(t)
}

// TestCreateUpload refuses sizes that cannot be.
func TestCreateUpload(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	for input, want := range map[string]string{
		`fileName: " "`:                         "[INVALID fileName]",
		`fileName: "a", byteCount: 1.5`:         "[INVALID byteCount]",
		`fileName: "a", byteCount: -1`:          "[INVALID byteCount]",
		`fileName: "a", byteCount: 68719476737`: "[FILE_TOO_LARGE byteCount]",
		`fileName: "a", byteCount: 1e300`:       "[FILE_TOO_LARGE byteCount]",
		`fileName: "a", checksum: "x"`:          "[INVALID checksum]",
	} {
		data := s.try(t, `mutation { createUpload(input: {`+input+`}) { upload { id } userErrors { code field } } }`, nil, nil)
		problems := at[[]any](t, data, "createUpload", "userErrors")
		got := "none"
		if len(problems) > 0 {
			got = fmt.Sprintf("[%s %s]", at[string](t, problems[0], "code"), at[[]any](t, problems[0], "field")[1])
		}
		if got != want || at[map[string]any](t, data, "createUpload")["upload"] != nil {
			t.Errorf("%s: got %v, want %s", input, data, want)
		}
	}
}
