package playground_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"couponql/playground"
)

// get sends one request to a fresh handler; header lines are in pairs of name and value.
func get(t testing.TB, method, path string, header ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, path, nil)
	for pair := range slices.Chunk(header, 2) {
		r.Header.Set(pair[0], pair[1])
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w.Result()
}

// handler is shared: it has no state, and every test may call it at once.
var handler = playground.Handler(playground.Options{HasSQL: true})

func TestPage(t *testing.T) {
	t.Parallel()
	page := get(t, http.MethodGet, "/")
	if page.StatusCode != http.StatusOK {
		t.Fatalf("got status %d, want 200", page.StatusCode)
	}
	for name, want := range map[string]string{
		"Content-Type":           "text/html; charset=utf-8",
		"Cache-Control":          "no-cache",
		"Vary":                   "Accept-Encoding",
		"X-Frame-Options":        "DENY",
		"X-Content-Type-Options": "nosniff",
		"Referrer-Policy":        "no-referrer",
	} {
		if got := page.Header.Get(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	if got := text(t, page); !strings.Contains(got, "<title>couponql</title>") {
		t.Errorf("page has no title of the product:\n%s", got)
	}
}

func TestPageHead(t *testing.T) {
	t.Parallel()
	want := get(t, http.MethodGet, "/").Header
	head := get(t, http.MethodHead, "/")
	if diff := cmp.Diff(want, head.Header); diff != "" {
		t.Errorf("header of HEAD differs from that of GET (-want +got):\n%s", diff)
	}
	if got := text(t, head); got != "" {
		t.Errorf("HEAD has a body of %d bytes", len(got))
	}
}

func TestContentSecurityPolicy(t *testing.T) {
	t.Parallel()
	directives := make(map[string]string)
	for directive := range strings.SplitSeq(get(t, http.MethodGet, "/").Header.Get("Content-Security-Policy"), "; ") {
		name, sources, _ := strings.Cut(directive, " ")
		directives[name] = sources
	}
	if got, want := directives["default-src"], "'self'"; got != want {
		t.Errorf("default-src: got %q, want %q", got, want)
	}
	if got, want := directives["frame-ancestors"], "'none'"; got != want {
		t.Errorf("frame-ancestors: got %q, want %q", got, want)
	}
	for _, name := range []string{"script-src", "connect-src", "worker-src"} {
		if got, ok := directives[name]; ok {
			t.Errorf("%s is %s, looser than default-src", name, got)
		}
	}
}

func TestPageRunsNoInlineCode(t *testing.T) {
	t.Parallel()
	page := text(t, get(t, http.MethodGet, "/"))
	for _, tag := range regexp.MustCompile(`<script[^>]*>`).FindAllString(page, -1) {
		if !strings.Contains(tag, ` src="/assets/`) && !strings.Contains(tag, ` type="application/json"`) {
			t.Errorf("inline script %s", tag)
		}
	}
	if found := regexp.MustCompile(`<style|<[^>]* (on\w+|style)=`).FindString(page); found != "" {
		t.Errorf("inline style or event handler %s", found)
	}
}

// foreignAddress finds what a browser would load from another host. The name of the SVG namespace looks
// like an address and is none.
var foreignAddress = regexp.MustCompile(`(?i)(https?:|wss?:|["'(])//[^\s"')]+`)

func TestOwnFilesNameNoOtherHost(t *testing.T) {
	t.Parallel()
	texts := map[string]string{"the page": text(t, get(t, http.MethodGet, "/"))}
	for name, address := range assetAddresses(t) {
		if slices.Contains([]string{"access.js", "app.css", "app.js", "icon.svg", "questions.js", "results.js", "rows.js", "series.js"}, name) {
			texts[name] = text(t, get(t, http.MethodGet, address))
		}
	}
	if got, want := len(texts), 9; got != want {
		t.Fatalf("got %d files of our own, want %d", got, want)
	}
	for name, content := range texts {
		content = strings.ReplaceAll(content, `xmlns="http://www.w3.org/2000/svg"`, "")
		if found := foreignAddress.FindString(content); found != "" {
			t.Errorf("%s names %s", name, found)
		}
	}
}

func TestStyleSheetsLoadNothing(t *testing.T) {
	t.Parallel()
	for name, address := range assetAddresses(t) {
		if filepath.Ext(name) != ".css" {
			continue
		}
		content := text(t, get(t, http.MethodGet, address))
		if strings.Contains(content, "@import") {
			t.Errorf("%s imports another style sheet", name)
		}
		for _, source := range regexp.MustCompile(`url\(["']?[^:)]{0,40}`).FindAllString(content, -1) {
			if !strings.HasSuffix(source, "data") {
				t.Errorf("%s loads %s", name, source)
			}
		}
	}
}

func TestUnknownPaths(t *testing.T) {
	t.Parallel()
	tests := []struct {
		method, path string
		want         int
	}{
		{http.MethodGet, "/index.html", http.StatusNotFound},
		{http.MethodGet, "/app.js", http.StatusNotFound},
		{http.MethodGet, "/assets", http.StatusNotFound},
		{http.MethodGet, "/assets/", http.StatusNotFound},
		{http.MethodGet, "/assets/app.js", http.StatusNotFound},
		{http.MethodGet, "/operations/01-availability.graphql", http.StatusNotFound},
		{http.MethodPost, "/unknown", http.StatusNotFound},
		{http.MethodPost, "/", http.StatusMethodNotAllowed},
	}
	for _, test := range tests {
		t.Run(test.method+" "+test.path, func(t *testing.T) {
			t.Parallel()
			answer := get(t, test.method, test.path)
			if got := answer.StatusCode; got != test.want {
				t.Errorf("got status %d, want %d", got, test.want)
			}
			if answer.Header.Get("Content-Security-Policy") == "" {
				t.Error("the answer has no content security policy")
			}
		})
	}
}

func TestPageHoldsTheOperations(t *testing.T) {
	t.Parallel()
	var want []string
	for _, file := range operationFiles(t) {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, string(content))
	}
	if diff := cmp.Diff(want, operationsOf(t, handler)); diff != "" {
		t.Errorf("operations (-want +got):\n%s", diff)
	}
}

// A server without SQL refuses the field sql, so no example asks for it.
func TestPageWithoutSQLHasNoExampleOfIt(t *testing.T) {
	t.Parallel()
	asksSQL := regexp.MustCompile(`(?m)^  sql\(`).MatchString
	got := operationsOf(t, playground.Handler(playground.Options{}))
	want := slices.DeleteFunc(operationsOf(t, handler), asksSQL)
	if len(want) == len(operationFiles(t)) {
		t.Fatal("no example asks in SQL")
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("operations (-want +got):\n%s", diff)
	}
}

// operationsOf returns the examples in a handler's page.
func operationsOf(t *testing.T, handler http.Handler) []string {
	t.Helper()
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	block := regexp.MustCompile(`(?s)id="operations">(.*?)</script>`).FindStringSubmatch(w.Body.String())
	if block == nil {
		t.Fatal("page has no block of operations")
	}
	var operations []string
	if err := json.Unmarshal([]byte(block[1]), &operations); err != nil {
		t.Fatalf("block of operations: %v", err)
	}
	return operations
}
