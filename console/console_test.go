package console_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"couponql/console"
)

// get asks the console as a browser does.
func get(t *testing.T, path string) (*http.Response, string) {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, http.NoBody)
	request.Header.Set("Accept-Encoding", "gzip")
	recorder := httptest.NewRecorder()
	console.Handler().ServeHTTP(recorder, request)
	answer := recorder.Result()
	body := io.Reader(answer.Body)
	if answer.Header.Get("Content-Encoding") == "gzip" {
		var err error
		if body, err = gzip.NewReader(body); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
	}
	text, err := io.ReadAll(body)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return answer, string(text)
}

// Every address of the console has the same page, since the browser decides what to show.
func TestPages(t *testing.T) {
	t.Parallel()
	_, want := get(t, "/console")
	for _, path := range []string{
		"/console/", "/console/coupons", "/console/deliveries/delivery_1/check",
	} {
		answer, got := get(t, path)
		if answer.StatusCode != http.StatusOK || got != want {
			t.Errorf("%s: got status %d and %d bytes, want the page",
				path, answer.StatusCode, len(got))
		}
		if got, want := answer.Header.Get("Cache-Control"), "no-cache"; got != want {
			t.Errorf("%s: got Cache-Control %q, want %q", path, got, want)
		}
		policy := answer.Header.Get("Content-Security-Policy")
		if !strings.HasPrefix(policy, "default-src 'self';") ||
			strings.Contains(policy, "script-src") {
			t.Errorf("%s: got the policy %q, want scripts of this server alone", path, policy)
		}
	}
	if answer, _ := get(t, "/console/static/nothing.js"); answer.StatusCode != http.StatusNotFound {
		t.Errorf("a file that does not exist: got status %d, want 404", answer.StatusCode)
	}
}

// What the page names is there, is kept for good unless it may change, and is small.
func TestFiles(t *testing.T) {
	t.Parallel()
	_, index := get(t, "/console")
	if strings.Contains(index, "<style") || strings.Contains(index, "onclick") {
		t.Error("the page has something inline")
	}
	found := regexp.MustCompile(`(?:href|src)="([^"]*)"`).FindAllStringSubmatch(index, -1)
	if len(found) < 4 {
		t.Fatalf("the page names %d files", len(found))
	}
	const limit = 100_000
	var sum int64
	for _, match := range found {
		answer, text := get(t, match[1])
		if answer.StatusCode != http.StatusOK || text == "" {
			t.Errorf("%s: got status %d", match[1], answer.StatusCode)
		}
		isKept := strings.Contains(answer.Header.Get("Cache-Control"), "immutable")
		if want := !strings.HasSuffix(match[1], ".txt"); isKept != want {
			t.Errorf("%s: kept for good: got %t, want %t", match[1], isKept, want)
		}
		sum += answer.ContentLength
	}
	if sum > limit {
		t.Errorf("a first visit loads %d bytes, want at most %d", sum, limit)
	}
}
