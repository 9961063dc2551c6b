package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"couponql/short"
)

// binary is the program under test, built once.
var binary string

// shutdownTimeout is how long a server takes at most to end: what runs then it cuts off.
const shutdownTimeout = 15 * time.Second

func TestMain(m *testing.M) { os.Exit(runTests(m)) }

func runTests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "couponql")
	if err == nil {
		defer func() { _ = os.RemoveAll(dir) }()
		binary = filepath.Join(dir, "couponql")
		build := exec.CommandContext(context.Background(), "go", "build", "-o", binary, "..")
		build.Stdout, build.Stderr = os.Stdout, os.Stderr
		err = build.Run()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "build the program:", err)
		return 1
	}
	return short.Run(m, "TestServe", "TestCommandLine", "TestAuditSurvivesAKill")
}

// process is a running server.
type process struct {
	cmd *exec.Cmd
	url string
	// ended is closed when the process is gone; err is then what it ended with.
	ended chan struct{}
	err   error
	mu    sync.Mutex
	log   bytes.Buffer
}

// serveCommandLine returns the program with its files in a folder.
func serveCommandLine(t *testing.T, dir string, args ...string) *exec.Cmd {
	t.Helper()
	args = append([]string{
		"serve", "--data", filepath.Join(dir, "couponql.duckdb"), "--outbox",
		filepath.Join(dir, "outbox"),
	}, args...)
	return exec.CommandContext(context.WithoutCancel(t.Context()), binary, args...)
}

// start starts a server with its files in a folder and waits until it is ready.
func start(t *testing.T, dir string, args ...string) *process {
	t.Helper()
	return startWith(t, dir, nil, args...)
}

// startWith is start with environment variables.
func startWith(t *testing.T, dir string, environment []string, args ...string) *process {
	t.Helper()
	p := &process{
		cmd:   serveCommandLine(t, dir, append([]string{"--listen", "127.0.0.1:0"}, args...)...),
		ended: make(chan struct{}),
	}
	p.cmd.Env = append(os.Environ(), environment...)
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.kill(t) })
	ready := make(chan string, 1)
	go func() {
		lines := bufio.NewScanner(stderr)
		for lines.Scan() {
			if url, isReady := strings.CutPrefix(lines.Text(), "listening on "); isReady {
				ready <- url
			}
			p.mu.Lock()
			p.log.WriteString(lines.Text() + "\n")
			p.mu.Unlock()
		}
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	select {
	case p.url = <-ready:
	case <-p.ended:
		t.Fatalf("the server ended: %v\n%s", p.err, p.text())
	case <-time.After(30 * time.Second):
		t.Fatalf("the server is not ready after 30 seconds:\n%s", p.text())
	}
	return p
}

// text returns what the server logged so far.
func (p *process) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// awaitText waits until the log has a text.
func (p *process) awaitText(t *testing.T, want string) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !strings.Contains(p.text(), want); {
		if time.Now().After(deadline) {
			t.Fatalf("the log does not say %q:\n%s", want, p.text())
		}
		time.Sleep(time.Millisecond)
	}
}

// kill ends the server like a power cut.
func (p *process) kill(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Error(err)
	}
	<-p.ended
}

// stop asks the server to end, and fails the test unless it ends well within a time.
func (p *process) stop(t *testing.T, within time.Duration) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-p.ended:
		if p.err != nil {
			t.Errorf("the server ended with %v:\n%s", p.err, p.text())
		}
	case <-time.After(within):
		t.Errorf("the server did not end within %s:\n%s", within, p.text())
	}
}

// graphqlAnswer is what the API answers.
type graphqlAnswer struct {
	Data   json.RawMessage `json:"data"`
	Errors []struct {
		Message    string         `json:"message"`
		Extensions map[string]any `json:"extensions"`
	} `json:"errors"`
}

// ask sends a query to the API. It gives an error when there is no answer, or one with errors.
func (p *process) ask(ctx context.Context, query string, variables map[string]any, data any) error {
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		return err
	}
	return p.post(ctx, "application/json", bytes.NewReader(body), data)
}

func (p *process) post(ctx context.Context, contentType string, body io.Reader, data any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url+"/graphql", body)
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", contentType)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	var a graphqlAnswer
	if err := json.NewDecoder(response.Body).Decode(&a); err != nil {
		return err
	}
	if len(a.Errors) > 0 {
		return fmt.Errorf("%s %v", a.Errors[0].Message, a.Errors[0].Extensions)
	}
	return json.Unmarshal(a.Data, data)
}

// upload sends a mutation whose variable $file is a file.
func (p *process) upload(
	ctx context.Context, query, name string, content io.Reader, data any,
) error {
	reader, writer := io.Pipe()
	form := multipart.NewWriter(writer)
	go func() {
		operations, err := json.Marshal(
			map[string]any{"query": query, "variables": map[string]any{"file": nil}},
		)
		if err == nil {
			err = form.WriteField("operations", string(operations))
		}
		if err == nil {
			err = form.WriteField("map", `{"0": ["variables.file"]}`)
		}
		if err == nil {
			var part io.Writer
			if part, err = form.CreateFormFile("0", name); err == nil {
				_, err = io.Copy(part, content)
			}
		}
		if err == nil {
			err = form.Close()
		}
		writer.CloseWithError(err)
	}()
	err := p.post(ctx, form.FormDataContentType(), reader, data)
	_ = reader.Close()
	return err
}

// must asks, and fails the test when that fails.
func (p *process) must(t *testing.T, query string, data any) {
	t.Helper()
	if err := p.ask(t.Context(), query, nil, data); err != nil {
		t.Fatalf("%s: %v\n%s", query, err, p.text())
	}
}

const createCoupon = `mutation {
	createCoupon(input: {label: "Sale", type: INDIVIDUAL, startsAt: "2020-01-01",
		requiresAssignment: false}) {
		coupon { id } userErrors { message }
	}
}`

func TestServe(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := start(t, dir)
	var created struct {
		CreateCoupon struct{ Coupon struct{ ID string } }
	}
	p.must(t, createCoupon, &created)
	if created.CreateCoupon.Coupon.ID != "coupon_1" {
		t.Errorf("got %+v", created)
	}
	var read struct {
		Coupons struct {
			Nodes []struct{ Label, Code string }
		}
	}
	p.must(t, `{ coupons { nodes { label code } } }`, &read)
	if len(read.Coupons.Nodes) != 1 || read.Coupons.Nodes[0].Code != "CPN1" {
		t.Errorf("got %+v", read)
	}
	for path, want := range map[string]string{
		"/healthz": "ok", "/readyz": "ready", "/": "<!doctype html>",
		"/metrics":                        "couponql_statements_total",
		"/graphql?query=%7B__typename%7D": `"__typename":"Query"`,
	} {
		status, text := p.get(t, path, nil)
		if status != http.StatusOK ||
			!strings.Contains(strings.ToLower(text), strings.ToLower(want)) {
			t.Errorf("%s: %d %.200s, want %q", path, status, text, want)
		}
	}
	if status, _ := p.get(t, "/nothing-here", nil); status != http.StatusNotFound {
		t.Errorf("an unknown path gives %d", status)
	}
	p.stop(t, 10*time.Second)
	again := start(t, dir)
	again.must(t, `{ coupons { nodes { label code } } }`, &read)
	if len(read.Coupons.Nodes) != 1 {
		t.Errorf("after a restart: %+v", read)
	}
	again.stop(t, 10*time.Second)
}

// TestHeaders: no answer of the API is kept by anybody, and none is taken for anything but what it
// says it is.
func TestHeaders(t *testing.T) {
	t.Parallel()
	p := start(t, t.TempDir())
	for path, want := range map[string]string{
		"/graphql?query=%7B__typename%7D": "no-store", "/healthz": "", "/": "",
	} {
		response, err := http.Get(p.url + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		got := response.Header
		if got.Get("X-Content-Type-Options") != "nosniff" || len(got.Get("X-Request-ID")) != 26 ||
			want != "" && got.Get("Cache-Control") != want {
			t.Errorf("%s: %v", path, got)
		}
	}
	p.stop(t, time.Minute)
}

// get sends a GET request and gives status and text.
func (p *process) get(t *testing.T, path string, edit func(*http.Request)) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.url+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	return p.do(t, request, edit)
}

func (p *process) do(t *testing.T, request *http.Request, edit func(*http.Request)) (int, string) {
	t.Helper()
	if edit != nil {
		edit(request)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// TestStrangers tells whom the server does not answer: other machines' names and other sites'
// pages.
func TestStrangers(t *testing.T) {
	t.Parallel()
	p := start(t, t.TempDir())
	for _, host := range []string{
		"evil.example", "evil.example:80", "127.0.0.1.evil.example", "10.0.0.1", "0.0.0.0", "",
	} {
		status, text := p.get(t, "/healthz", func(r *http.Request) { r.Host = host })
		want := http.StatusMisdirectedRequest
		if host == "" {
			want = http.StatusOK // the client puts the address there
		}
		if status != want {
			t.Errorf("the host %q gets %d %q, want %d", host, status, text, want)
		}
	}
	for _, host := range []string{
		"localhost", "localhost:1234", "127.0.0.1", "127.8.8.8:80", "[::1]:80", "[::1]",
	} {
		if status, text := p.get(t, "/healthz",
			func(r *http.Request) { r.Host = host }); status != http.StatusOK {
			t.Errorf("the host %q gets %d %q", host, status, text)
		}
	}
	for name, test := range map[string]struct {
		header map[string]string
		want   int
	}{
		"a program": {nil, http.StatusOK},
		"the playground": {
			map[string]string{"Origin": p.url, "Sec-Fetch-Site": "same-origin"}, http.StatusOK,
		},
		"another site": {
			map[string]string{"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
			http.StatusForbidden,
		},
		"an old browser": {
			map[string]string{"Origin": "https://evil.example"}, http.StatusForbidden,
		},
		"another port": {
			map[string]string{"Origin": "http://127.0.0.1:1", "Sec-Fetch-Site": "same-site"},
			http.StatusForbidden,
		},
		"a sandboxed page": {map[string]string{"Origin": "null"}, http.StatusForbidden},
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.url+"/graphql",
			strings.NewReader(`{"query": "mutation { __typename }"}`))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/json")
		status, text := p.do(t, request, func(r *http.Request) {
			for key, value := range test.header {
				r.Header.Set(key, value)
			}
		})
		if status != test.want {
			t.Errorf("%s gets %d %q, want %d", name, status, text, test.want)
		}
	}
}

// TestStop tells that a stop waits for nobody who only listens.
func TestStop(t *testing.T) {
	t.Parallel()
	p := start(t, t.TempDir())
	var created struct {
		CreateDelivery struct{ Delivery struct{ ID string } }
	}
	p.must(t, `mutation { createDelivery(input: {label: "L", body: "b"}) { delivery { id } } }`,
		&created)
	body := fmt.Sprintf(`{"query": "subscription { deliveryProgress(id: \"%s\") { status } }"}`,
		created.CreateDelivery.Delivery.ID)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.url+"/graphql",
		strings.NewReader(body))
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
	events := bufio.NewReader(response.Body)
	for {
		line, err := events.ReadString('\n')
		if err != nil {
			t.Fatalf("the subscription ended before its first event: %v", err)
		}
		if strings.Contains(line, "EDITING") {
			break
		}
	}
	p.stop(t, shutdownTimeout)
	if _, err := io.ReadAll(events); err != nil && !errors.Is(err, io.ErrUnexpectedEOF) &&
		!errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the subscription ended with %v", err)
	}
	if !strings.Contains(p.text(), "stopping") {
		t.Errorf("the log says\n%s", p.text())
	}
}

// TestRefusesSettings tells what the program does not start with, and says so.
func TestRefusesSettings(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	running := start(t, dir)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	fresh := func() string { return filepath.Join(t.TempDir(), "fresh.duckdb") }
	for _, test := range []struct {
		args []string
		env  string
		want string
	}{
		{[]string{"--listen", "0.0.0.0:0", "--data", fresh()}, "", "loopback addresses only"},
		{[]string{"--listen", ":0", "--data", fresh()}, "", "loopback addresses only"},
		{[]string{"--listen", "[::]:0", "--data", fresh()}, "", "loopback addresses only"},
		{
			[]string{"--listen", "192.0.2.1:80", "--data", fresh()},
			"",
			"this machine does not have the address",
		},
		{
			[]string{"--listen", "127.0.0.1"},
			"",
			"must be a host and a port, such as 127.0.0.1:8080",
		},
		{[]string{"--port", "9000"}, "", "Give --listen 127.0.0.1:9000 instead."},
		{[]string{"--log-level", "verbose"}, "", "--log-level: must be debug, info, warn or error"},
		{[]string{"--data", fresh()}, "COUPONQL_LISTEN=0.0.0.0:0", "loopback addresses only"},
		{
			[]string{"--listen", "0.0.0.0:0", "--data", fresh()},
			"COUPONQL_ADMIN_KEY=hunter2",
			"too short to be safe",
		},
		{[]string{"--rate-limit=-1"}, "", "--rate-limit=-1"},
		{[]string{"--cors-origin", "https://shop.example.com/"}, "", "must be a scheme and a host"},
		{[]string{"--cors-origin", "*"}, "", "must be a scheme and a host"},
		{[]string{"--trusted-proxy", "proxy"}, "", "--trusted-proxy"},
		{
			[]string{"--oidc-issuer", "https://login.example.com", "--data", fresh()},
			"",
			"--oidc-audience is needed",
		},
		{
			[]string{"--oidc-issuer", "login", "--oidc-audience", "a", "--data", fresh()},
			"",
			"--oidc-issuer=login",
		},
		{[]string{"--oidc-audience", "a"}, "", "--oidc-audience needs --oidc-issuer"},
		{[]string{"--send-rate=-1"}, "", "--send-rate=-1"},
		{[]string{"--hold-duration", "0s"}, "", "--hold-duration=0s"},
		{[]string{"--retention-days=-1"}, "", "--retention-days=-1"},
		{[]string{"--default-region=Atlantis"}, "", "--default-region=Atlantis: must be a country"},
		{
			[]string{"--smtp-url", "smtp://127.0.0.1", "--mail-from", "shop@example"},
			"",
			"has no dot",
		},
		{[]string{
			"--data", filepath.Join(t.TempDir(), "new.duckdb"), "--memory-limit", "plenty",
		}, "", "--memory-limit"},
		{[]string{"--no-such-flag"}, "", "unknown flag --no-such-flag"},
		{[]string{"--outbox", file}, "", "is a file, not a folder"},
		{nil, "COUPONQL_SMTP_URL=smtp://user:hunter2@127.0.0.1", "--mail-from is needed"},
		{
			[]string{"--mail-from", "shop@example.com"},
			"COUPONQL_SMTP_URL=smtp://user:hunter2%zz@127.0.0.1", "must be like smtp://",
		},
		{
			[]string{"--mail-from", "shop"},
			"COUPONQL_SMTP_URL=smtp://user:hunter2@127.0.0.1",
			"sender of mail",
		},
		{[]string{"--mail-from", "shop@example.com"}, "", "need --smtp-url"},
		{nil, "COUPONQL_WEBHOOK_URL=https://user:hunter2@example.com", "COUPONQL_WEBHOOK_SECRET"},
		{
			[]string{"--webhook-url", "https://example.com"},
			"COUPONQL_WEBHOOK_SECRET=hunter2",
			"at least 16",
		},
		{
			nil, "COUPONQL_ALERT_WEBHOOK_URL=https://user:hunter2@example.com",
			"COUPONQL_ALERT_WEBHOOK_SECRET",
		},
		{
			[]string{"--alert-webhook-url", "https://example.com"},
			"COUPONQL_ALERT_WEBHOOK_SECRET=hunter2", "at least 16",
		},
		{
			[]string{
				"--listen", strings.TrimPrefix(running.url, "http://"), "--data",
				filepath.Join(t.TempDir(), "other.duckdb"),
			},
			"",
			"a program uses this address already",
		},
		{
			[]string{"--listen", "127.0.0.1:0"},
			"",
			"another process has the database open; stop it first",
		},
	} {
		t.Run(strings.Join(append(test.args, test.env), " "), func(t *testing.T) {
			t.Parallel()
			cmd := serveCommandLine(t, dir, test.args...)
			cmd.Env = append(os.Environ(), test.env)
			output, err := cmd.CombinedOutput()
			exit, isExit := errors.AsType[*exec.ExitError](err)
			if !isExit || exit.ExitCode() <= 0 {
				t.Errorf("the program ended with %v", err)
			}
			if !strings.Contains(string(output), test.want) || strings.Contains(string(output),
				"panic") || strings.Contains(string(output), "hunter2") {
				t.Errorf("the program says\n%s\nwant %q", output, test.want)
			}
		})
	}
}

// TestVersion tells which version runs: what the build of a release stamps, in the log and in
// /metrics too.
func TestVersion(t *testing.T) {
	t.Parallel()
	output, err := exec.CommandContext(t.Context(), binary, "--version").Output()
	version := strings.TrimSpace(string(output))
	if err != nil || version == "" {
		t.Fatalf("got %q, %v", output, err)
	}
	p := start(t, t.TempDir())
	if _, text := p.get(t, "/metrics", nil); !strings.Contains(text,
		`couponql_build_info{version="`+version+`"} 1`) {
		t.Errorf("/metrics tells no version %s", version)
	}
	p.stop(t, 10*time.Second)
	if log := p.text(); !strings.Contains(log, "version="+version) {
		t.Errorf("the log tells no version %s:\n%s", version, log)
	}
	released := filepath.Join(t.TempDir(), "couponql")
	build := exec.CommandContext(t.Context(), "go", "build", "-ldflags", "-X main.release=v1.2.3",
		"-o", released, "..")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build a release: %v\n%s", err, output)
	}
	if output, err := exec.CommandContext(t.Context(), released,
		"--version").Output(); err != nil || string(output) != "v1.2.3\n" {
		t.Errorf("got %q, %v", output, err)
	}
}

// TestHidden starts a server that tells nobody what there is.
func TestHidden(t *testing.T) {
	t.Parallel()
	p := start(t, t.TempDir(), "--no-introspection", "--no-playground", "--no-console")
	defer p.stop(t, time.Minute)
	for _, path := range []string{"/", "/console", "/console/coupons"} {
		if status, _ := p.get(t, path, nil); status != http.StatusNotFound {
			t.Errorf("%s answers %d", path, status)
		}
	}
	for query, want := range map[string]string{
		"{__schema{types{name}}}":                                   "INTROSPECTION_DISABLED",
		"{...a} fragment a on Query{b:__type(name:\"Code\"){name}}": "INTROSPECTION_DISABLED",
		"{coupon(id:1){lable}}":                                     `Cannot query field \"lable\" on type \"Coupon\".","`,

		"{__typename}": `{"data":{"__typename":"Query"}}`,
	} {
		if _, got := p.get(t, "/graphql?query="+url.QueryEscape(query),
			nil); !strings.Contains(got, want) {
			t.Errorf("%s: %s", query, got)
		}
	}
}

// TestSettingsFile prints settings that come from flags, the environment and a file, and gives them
// to the server again.
func TestSettingsFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "couponql.json")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	settings := func(args ...string) (string, error) {
		cmd := serveCommandLine(t, dir, append(args, "--config", file, "--print-config")...)
		cmd.Env = append(os.Environ(), "COUPONQL_MEMORY_LIMIT=2GB",
			"COUPONQL_WEBHOOK_SECRET=hunter2hunter2hunter2",
			"COUPONQL_SMTP_URL=smtp://me:hunter2@mail",
			"COUPONQL_ADMIN_KEY=hunter2hunter2hunter2hunter2hunter2")
		text, err := cmd.CombinedOutput()
		if strings.Contains(string(text), "hunter2") {
			t.Errorf("a secret is told: %s", text)
		}
		return string(text), err
	}
	write(
		`{"send-rate": 7, "memory-limit": "3GB", "hold-duration": "2h", "playground": false,
		"cors-origin": ["https://a.example", "https://b.example"], "trusted-proxy": "10.0.0.0/8"}`,
	)
	printed, err := settings("--hold-duration", "3h")
	if err != nil {
		t.Fatalf("%v: %s", err, printed)
	}
	for _, want := range []string{
		`"send-rate": 7`, `"memory-limit": "2GB"`, `"hold-duration": "3h0m0s"`,
		`"playground": false`, `"introspection": true`,
		`"admin-key": "xxxxx"`, `"cors-origin": "https://a.example,https://b.example"`,
		`"trusted-proxy": "10.0.0.0/8"`,
		`"webhook-secret": "xxxxx"`, `"smtp-url": "smtp://me:xxxxx@mail"`,
	} {
		if !strings.Contains(printed, want) {
			t.Errorf("the settings have no %s: %s", want, printed)
		}
	}
	write(printed)
	if again, err := settings("--hold-duration", "3h"); err != nil || again != printed {
		t.Errorf("printed again they are %s, %v, not %s", again, err, printed)
	}
	for text, want := range map[string]string{
		`{"sendrate": 7}`:       `"sendrate" is not a setting`,
		`{"send-rate": "many"}`: "send-rate",
		`[]`:                    "not one JSON object",
	} {
		write(text)
		if got, err := settings(); err == nil || !strings.Contains(got, want) {
			t.Errorf("%s: %s, %v", text, got, err)
		}
	}
}

// TestFilesAreOurs tells that nobody else can read what the server writes.
func TestFilesAreOurs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := start(t, dir)
	p.must(t, `mutation { createDelivery(input: {label: "L", body: "b"}) { delivery { id } } }`,
		&struct{}{})
	seen := 0
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		seen++
		info, err := entry.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s is %s", path, info.Mode())
		}
		return err
	})
	if err != nil || seen < 4 {
		t.Errorf("%d files, %v", seen, err)
	}
	p.stop(t, shutdownTimeout)
}
