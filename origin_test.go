package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestOrigins: a page of another site hears which origin was refused and which flag lets it in,
// whatever the method by which it asks; the log says it once, and neither what is no origin nor
// more origins than it has room for.
func TestOrigins(t *testing.T) {
	t.Parallel()
	var lines bytes.Buffer
	o := newOrigins([]string{"https://shop.example.com"},
		slog.New(slog.NewTextHandler(&lines, nil)))
	alone := newOrigins(nil, slog.New(slog.DiscardHandler))
	ask := func(o *origins, method string, header map[string]string) (int, string) {
		t.Helper()
		r := httptest.NewRequestWithContext(t.Context(), method, "http://127.0.0.1:8080/graphql",
			http.NoBody)
		for name, value := range header {
			r.Header.Set(name, value)
		}
		w := httptest.NewRecorder()
		o.guard(http.HandlerFunc(
			func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) },
		)).ServeHTTP(w, r)
		var answer struct {
			Errors []struct {
				Message    string `json:"message"`
				Extensions struct {
					Code string `json:"code"`
				} `json:"extensions"`
			} `json:"errors"`
		}
		if w.Code == http.StatusTeapot {
			return w.Code, ""
		}
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || len(answer.Errors) != 1 ||
			answer.Errors[0].Extensions.Code != "FORBIDDEN" {
			t.Fatalf("%d %s: %v", w.Code, w.Body, err)
		}
		return w.Code, answer.Errors[0].Message
	}
	const dev = "http://localhost:5173"
	for _, method := range []string{
		http.MethodPost, http.MethodGet, http.MethodOptions, http.MethodPatch,
	} {
		status, message := ask(alone, method, map[string]string{"Origin": dev})
		if want := "Pages of " + dev +
			" may not use this server. To let them, start the server with --cors-origin " + dev +
			"."; status != 403 ||
			message != want {
			t.Errorf("%s: %d %q, want %q", method, status, message, want)
		}
		status, message = ask(o, method, map[string]string{"Origin": dev, "Upgrade": "websocket"})
		if want := "add " + dev + " to --cors-origin"; status != 403 ||
			!strings.Contains(message, want) || strings.Contains(message, "shop") {
			t.Errorf("%s: %d %q, want %q", method, status, message, want)
		}
		for name, header := range map[string]map[string]string{
			"a program": {}, "a named site": {"Origin": "https://shop.example.com"},
			"the playground": {"Origin": "http://127.0.0.1:8080"},
			"behind a proxy": {
				"Origin": "https://coupons.example.com", "Sec-Fetch-Site": "same-origin",
			},
		} {
			if status, message := ask(o, method, header); status != http.StatusTeapot {
				t.Errorf("%s of %s: %d %s", method, name, status, message)
			}
		}
	}
	if status, _ := ask(o, http.MethodGet,
		map[string]string{"Sec-Fetch-Site": "cross-site"}); status != http.StatusTeapot {
		t.Errorf("a link from another site: %d", status)
	}
	for _, strange := range []string{
		"null", "http://SECRET.example", "http://a\nb", "file://", "http://a.example/path",
		"http://" + strings.Repeat("a", 300),
	} {
		if status, message := ask(o, http.MethodPost,
			map[string]string{"Origin": strange}); status != 403 ||
			strings.Contains(message, strange) {
			t.Errorf("%.50q: %d %s", strange, status, message)
		}
	}
	if got := strings.Count(lines.String(), "\n"); got != 1 ||
		!strings.Contains(lines.String(), "origin="+dev) {
		t.Errorf("the log has %d lines:\n%s", got, lines.String())
	}
	for i := range 3 * maxToldOrigins {
		ask(o, http.MethodPost,
			map[string]string{"Origin": fmt.Sprintf("http://host-%d.example", i)})
	}
	if got := strings.Count(lines.String(), "\n"); got != maxToldOrigins {
		t.Errorf("the log has %d lines, want %d", got, maxToldOrigins)
	}
}
