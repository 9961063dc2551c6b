package e2e

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// withKey runs a command that shows a key.
func (p *process) withKey(t *testing.T, key string, args ...string) commandResult {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary, args...)
	cmd.Env = append(os.Environ(), "COUPONQL_URL="+p.url, "COUPONQL_KEY="+key)
	return resultOf(t, cmd, "")
}

// show adds a key to a request.
func show(key string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+key) }
}

const whoAmI = "/graphql?query=%7Bcaller%7Bname%20role%7D%7D"

// TestKeyCommands makes keys, uses them, and takes one back; a server that has them may listen to
// everybody, also after a crash.
func TestKeyCommands(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := start(t, dir)
	p.awaitText(t, "no API keys yet")
	create := func(key string, args ...string) string {
		t.Helper()
		got := p.withKey(t, key, append([]string{"key", "create"}, args...)...)
		if got.code != 0 || !strings.HasPrefix(got.out, "cpnql_") ||
			!strings.Contains(got.err, "keep the token") {
			t.Fatalf("got %+v", got)
		}
		return strings.TrimSpace(got.out)
	}
	if got := p.withKey(
		t,
		"",
		"key",
		"create",
		"--label",
		"a",
		"--role",
		"analyst",
	); got.code != 1 || got.out != "" ||
		!strings.Contains(got.err, "first key") {
		t.Errorf("got %+v", got)
	}
	admin := create("", "--label", "ops", "--role", "admin")
	if got := p.withKey(t, "", "key", "list"); got.code != 1 ||
		!strings.Contains(got.err, "requires an API key") {
		t.Errorf("without a key: %+v", got)
	}
	analyst := create(admin, "--label", "dashboard", "--role", "analyst", "--expires", "90d",
		"--requests-per-second", "50")
	got := p.withKey(t, admin, "key", "list")
	for _, want := range []string{
		"key_2", "dashboard", "ANALYST", "works",
		time.Now().UTC().AddDate(0, 0, 90).Format(time.DateOnly), "key_1",
	} {
		if !strings.Contains(got.out, want) {
			t.Errorf("the list has no %s:\n%s", want, got.out)
		}
	}
	if strings.Contains(got.out, analyst) {
		t.Error("the list tells a token")
	}
	for _, args := range [][]string{
		{"--role", "king", "--label", "a"},
		{"--role", "admin"},
		{"--label", "a"},
		{"--label", "a", "--role", "admin", "--expires", "0d"},
	} {
		if got := p.withKey(t, admin,
			append([]string{"key", "create"}, args...)...); got.code != 2 {
			t.Errorf("%v: got %+v", args, got)
		}
	}

	// What was answered is there after a crash, and others may come now.
	p.kill(t)
	p = start(t, dir, "--listen", "0.0.0.0:0")
	p.url = strings.Replace(p.url, "[::]", "127.0.0.1", 1)
	if status, text := p.get(t, whoAmI, show(analyst)); status != http.StatusOK ||
		!strings.Contains(text, `"key_2","role":"ANALYST"`) {
		t.Errorf("got %d %s", status, text)
	}
	if status, _ := p.get(t, whoAmI, func(
		r *http.Request,
	) {
		show(analyst)(r)
		r.Host = "coupons.example.com"
	}); status != http.StatusOK {
		t.Errorf("by its name it answers %d", status)
	}
	for path, want := range map[string]int{
		whoAmI: http.StatusUnauthorized, "/metrics": http.StatusUnauthorized,
		"/healthz": http.StatusOK, "/readyz": http.StatusOK, "/": http.StatusOK,
	} {
		if status, text := p.get(t, path, nil); status != want {
			t.Errorf("%s without a key: %d %.200s, want %d", path, status, text, want)
		}
	}
	till := create(admin, "--label", "till", "--role", "redeemer")
	for key, want := range map[string]int{analyst: http.StatusOK, till: http.StatusForbidden} {
		if status, _ := p.get(t, "/metrics", show(key)); status != want {
			t.Errorf("/metrics: %d, want %d", status, want)
		}
	}
	if got := p.withKey(t, admin, "key", "revoke", "key_2"); got.code != 0 ||
		got.err != "revoked key_2\n" {
		t.Errorf("got %+v", got)
	}
	if status, _ := p.get(t, whoAmI, show(analyst)); status != http.StatusUnauthorized {
		t.Errorf("a revoked key gets %d", status)
	}
	if got := p.withKey(t, admin, "key", "revoke", "key_9"); got.code != 1 ||
		!strings.Contains(got.err, "no key with the id") {
		t.Errorf("got %+v", got)
	}
	for _, secret := range []string{admin, analyst, till} {
		if strings.Contains(p.text(), secret) {
			t.Error("the log tells a token")
		}
	}
	p.stop(t, time.Minute)
}

// TestOperatorsKey: a new server may listen to everybody when its operator gives it a key.
func TestOperatorsKey(t *testing.T) {
	t.Parallel()
	const key = "0123456789abcdef0123456789abcdef"
	t.Run("is never told", func(t *testing.T) {
		t.Parallel()
		cmd := serveCommandLine(t, t.TempDir(), "--print-config")
		cmd.Env = append(os.Environ(), "COUPONQL_ADMIN_KEY="+key)
		if text, err := cmd.CombinedOutput(); err != nil || strings.Contains(string(text), key) {
			t.Errorf("got %s, %v", text, err)
		}
	})
	p := startWith(t, t.TempDir(), []string{"COUPONQL_ADMIN_KEY=" + key}, "--listen", "0.0.0.0:0")
	p.url = strings.Replace(p.url, "[::]", "127.0.0.1", 1)
	if status, text := p.get(t, whoAmI, show(key)); status != http.StatusOK ||
		!strings.Contains(text, `"operator"`) {
		t.Errorf("got %d %s", status, text)
	}
	if status, _ := p.get(t, whoAmI, nil); status != http.StatusUnauthorized {
		t.Errorf("without a key: %d", status)
	}
	p.stop(t, time.Minute)
}

// TestOtherSites: pages of the sites that are named may use the API, and no others; they need a key
// like everybody.
func TestOtherSites(t *testing.T) {
	t.Parallel()
	p := start(t, t.TempDir(), "--cors-origin",
		"https://shop.example.com,https://other.example.com")
	ask := func(method, origin string) (int, http.Header) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), method, p.url+"/graphql",
			strings.NewReader(`{"query":"{__typename}"}`))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Origin", origin)
		request.Header.Set("Sec-Fetch-Site", "cross-site")
		if method == http.MethodOptions {
			request.Header.Set("Access-Control-Request-Method", "POST")
			request.Header.Set("Access-Control-Request-Headers", "authorization,content-type")
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		return response.StatusCode, response.Header
	}
	for _, origin := range []string{"https://shop.example.com", "https://other.example.com"} {
		for _, method := range []string{http.MethodOptions, http.MethodPost} {
			status, header := ask(method, origin)
			if status >= 300 || header.Get("Access-Control-Allow-Origin") != origin ||
				header.Get("Access-Control-Allow-Credentials") != "" {
				t.Errorf("%s from %s: %d %v", method, origin, status, header)
			}
		}
	}
	for _, origin := range []string{
		"https://evil.example", "http://shop.example.com",
		"https://shop.example.com.evil.example", "null",
	} {
		for _, method := range []string{http.MethodPost, http.MethodOptions, http.MethodGet} {
			status, header := ask(method, origin)
			if status != http.StatusForbidden || header.Get("Access-Control-Allow-Origin") != "" ||
				header.Get("Content-Type") != "application/json" {
				t.Errorf("%s from %s: %d %v", method, origin, status, header)
			}
		}
	}
	p.stop(t, time.Minute)
}

// TestTrustedProxies: only proxies that the operator names say where requests come from.
func TestTrustedProxies(t *testing.T) {
	t.Parallel()
	for trusted, want := range map[string]string{
		"127.0.0.0/8,10.0.0.0/8": "203.0.113.9", "10.0.0.0/8": "127.0.0.1",
	} {
		t.Run(trusted, func(t *testing.T) {
			t.Parallel()
			p := start(t, t.TempDir(), "--trusted-proxy", trusted)
			request := `{"query":"mutation { createUpload(input: {fileName: \"a.csv\"}) { upload { url } } }"}`
			r, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()),
				http.MethodPost, p.url+"/graphql", strings.NewReader(request))
			if err != nil {
				t.Fatal(err)
			}
			_, text := p.do(t, r, func(r *http.Request) {
				r.Header.Set("Content-Type", "application/json")
				// Whoever is outside may claim anything; the proxies add what they see behind it.
				r.Header.Add("X-Forwarded-For", "1.2.3.4, 203.0.113.9")
				r.Header.Add("X-Forwarded-For", "10.1.1.1")
				r.Header.Set("X-Forwarded-Proto", "https")
				r.Header.Set("X-Forwarded-Host", "localhost:8443")
			})
			if isBehind := strings.Contains(text,
				`"https://localhost:8443/uploads/`); isBehind != (want != "127.0.0.1") {
				t.Errorf("the link is %s", text)
			}
			var log struct {
				AuditLog struct {
					Nodes []struct{ Address string }
				}
			}
			p.must(t, `{ auditLog(first: 1) { nodes { address } } }`, &log)
			if got := log.AuditLog.Nodes[0].Address; got != want {
				t.Errorf("the request came from %s, want %s", got, want)
			}
			p.stop(t, time.Minute)
		})
	}
}
