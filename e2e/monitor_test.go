package e2e

import (
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	tracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"
)

// TestMetrics looks at what operators are told after some work.
func TestMetrics(t *testing.T) {
	t.Parallel()
	p := start(t, t.TempDir())
	var ignored any
	p.must(t, createCoupon, &ignored)
	p.must(t, `mutation { addCodes(input: {couponId: "coupon_1", codes: [{value: "AAA"}, {value: "BBB"}]}) { userErrors { code } } }`, &ignored)
	p.must(
		t,
		`mutation { redeemCode(input: {value: "AAA"}) { userErrors { code } } again: redeemCode(input: {value: "AAA"}) { userErrors { code } } }`,
		&ignored,
	)
	p.must(t, `{ coupons { totalCount } }`, &ignored)
	if err := p.ask(t.Context(), `{ coupons(first: -1) { totalCount } }`, nil,
		&ignored); err == nil {
		t.Error("took a page of -1")
	}
	p.must(t, `mutation { upsertRecipients(input: {recipients: [{externalId: "r-1", email: "ada@example.com"}]}) { userErrors { code } }
		createDelivery(input: {label: "L", body: "b {{ couponValue.code }}", couponId: "coupon_1"})
			{ delivery { id } }
		addTargets(input: {deliveryId: "delivery_1", filter: {externalIds: ["r-1"]}}) { delivery {
			id } }
		analyzeDelivery(input: {id: "delivery_1"}) { delivery { id } }
			confirmDelivery(input: {id: "delivery_1"}) { delivery { id } } }`, &ignored)
	p.must(t, `mutation { exportCodes(input: {couponId: "coupon_1"}) { export { id } } }`, &ignored)
	want := []string{
		`couponql_work_duration_seconds_count{kind="mutation",name="redeemCode",outcome="done"} 1`,
		`couponql_work_duration_seconds_count{kind="mutation",name="redeemCode",outcome="refused"} 1`,
		`couponql_work_duration_seconds_count{kind="query",name="coupons",outcome="done"} 1`,
		`couponql_work_duration_seconds_count{kind="query",name="coupons",outcome="refused"} 1`,
		`couponql_work_duration_seconds_count{kind="job",name="export",outcome="done"} 1`,
		`couponql_work_duration_seconds_count{kind="job",name="batch EMAIL",outcome="done"} 1`,
		`couponql_messages_total{channel="EMAIL",result="ACCEPTED"} 1`,
		`couponql_request_duration_seconds_count{code="200",method="POST",path="/graphql"} 7`,
		`couponql_codes 2`, `couponql_lane_busy{lane="additions"} 0`, `couponql_writer_waiting 0`,
		`couponql_build_info{version="`,
	}
	missing := ""
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(
		50 * time.Millisecond,
	) {
		_, text := p.get(t, "/metrics", nil)
		missing = ""
		for _, line := range want {
			if !strings.Contains(text, line) {
				missing += line + "\n"
			}
		}
		if missing == "" {
			for _, name := range []string{
				"couponql_commits_total", "couponql_committed_requests_total",
				"couponql_database_bytes", "couponql_disk_free_bytes",
				"couponql_statements_total",
			} {
				if !regexp.MustCompile(name + ` [1-9]`).MatchString(text) {
					t.Errorf("%s is 0 or missing", name)
				}
			}
			p.stop(t, time.Minute)
			return
		}
	}
	t.Errorf("the metrics lack\n%s", missing)
}

// TestMetricsOfInventedNames: whatever clients invent, the number of series stays.
func TestMetricsOfInventedNames(t *testing.T) {
	t.Parallel()
	p := start(t, t.TempDir())
	flood := func(round string) {
		for i := range 40 {
			name := fmt.Sprintf("X%s%d", round, i)
			for _, first := range []string{
				name + " /graphql", "GET /" + name, "GET /files/" + name, "PATCH /uploads/" + name,
				"DELETE /" + name + "/graphql", "GET /graphql?query=" + name,
				"GET /graphql?operationName=" + name + "&query=query+" + name + "{" + name +
					":caller{" + name + ":name}}", "GET /graphql/" + name,
				name + " /" + name, "GET /metrics/" + name,
			} {
				p.sendRaw(t, first+" HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\nX-"+name+
					": "+name+"\r\nConnection: close\r\n\r\n")
			}
		}
	}
	series := func() int {
		_, text := p.get(t, "/metrics", nil)
		return strings.Count(text, "\ncouponql_")
	}
	flood("A")
	series()
	before := series()
	flood("B")
	if after := series(); after != before || before < 10 {
		t.Errorf("%d series, and %d after other names", before, after)
	}
	if _, text := p.get(t, "/metrics", nil); !strings.Contains(text,
		`method="other",path="/graphql"`) || strings.Contains(text, "XA1") {
		t.Error("the metrics have an invented name, or lack what was invented")
	}
	p.stop(t, time.Minute)
}

// collector takes traces as an OpenTelemetry collector does.
type collector struct {
	*httptest.Server
	mu    sync.Mutex
	spans map[string]string
	bytes bytes.Buffer
}

func newCollector(t *testing.T) *collector {
	t.Helper()
	c := &collector{spans: map[string]string{}}
	c.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body := io.Reader(r.Body)
		if r.Header.Get("Content-Encoding") == "gzip" {
			inflated, err := gzip.NewReader(r.Body)
			if err != nil {
				t.Error(err)
				return
			}
			body = inflated
		}
		text, err := io.ReadAll(body)
		if err != nil {
			t.Error(err)
		}
		var request tracepb.ExportTraceServiceRequest
		if r.URL.Path != "/v1/traces" || proto.Unmarshal(text, &request) != nil {
			t.Errorf("got a request to %s that is not one", r.URL.Path)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.bytes.Write(text)
		for _, resource := range request.GetResourceSpans() {
			for _, scope := range resource.GetScopeSpans() {
				for _, span := range scope.GetSpans() {
					c.spans[span.GetName()] = string(span.GetTraceId())
				}
			}
		}
	}))
	t.Cleanup(c.Close)
	return c
}

// TestTraces: a collector gets a span for each request, root field and job, in the trace of the
// caller, and nothing that was given.
func TestTraces(t *testing.T) {
	t.Parallel()
	c := newCollector(t)
	p := start(t, t.TempDir(), "--otlp-endpoint", c.URL, "--log-level", "debug",
		"--log-format", "json")
	var ignored any
	p.must(t, createCoupon, &ignored)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.url+"/graphql",
		strings.NewReader(
			`{"query":"mutation { addCodes(input: {couponId: \"coupon_1\", codes: [{value: \"SECRET-CODE\"}]}) { userErrors { code } } }"}`))
	if err != nil {
		t.Fatal(err)
	}
	const traceID = "4bf92f3577b34da6a3ce929d0e0e4736"
	p.do(t, request, func(r *http.Request) {
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Traceparent", "00-"+traceID+"-00f067aa0ba902b7-01")
		secretHeaders(r)
	})
	p.get(t, "/files/SECRET-PATH?SECRET-QUERY", func(r *http.Request) {
		secretHeaders(r)
		r.Method, r.Host = "SECRETMETHOD", "secret-host.example"
	})
	p.must(t, `mutation { exportCodes(input: {couponId: "coupon_1"}) { export { id } } }`, &ignored)
	// A server that stops leaves the job to the next one.
	const done = `couponql_work_duration_seconds_count{kind="job",name="export",outcome="done"} 1`
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(
		10 * time.Millisecond,
	) {
		if _, text := p.get(t, "/metrics", nil); strings.Contains(text, done) {
			break
		}
	}
	p.stop(t, time.Minute)
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, name := range []string{
		"POST /graphql", "mutation createCoupon", "mutation exportCodes", "job export",
	} {
		if c.spans[name] == "" {
			t.Errorf("there is no span %q among %d", name, len(c.spans))
		}
	}
	if got := []byte(c.spans["mutation addCodes"]); !bytes.Equal(got, fromHex(t, traceID)) {
		t.Errorf("the span is in the trace %x", got)
	}
	for place, text := range map[string]string{
		"the traces": c.bytes.String(), "the log": p.text(),
	} {
		if at := strings.Index(strings.ToUpper(text), "SECRET"); at >= 0 {
			t.Errorf("%s tell what a client sent: %.40q", place, text[at:])
		}
	}
	// The log is JSON, line by line, and has every request.
	answered := 0
	for line := range strings.Lines(p.text()) {
		if strings.HasPrefix(line, "listening on ") {
			continue
		}
		var entry struct {
			Message string `json:"msg"`
			Request string `json:"request"`
			Method  string `json:"method"`
			Path    string `json:"path"`
			Status  int    `json:"status"`
		}
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Errorf("the log has %q", line)
		}
		if entry.Message == "answered" && entry.Request != "" && entry.Method == http.MethodPost &&
			entry.Path == "/graphql" && entry.Status == http.StatusOK {
			answered++
		}
	}
	if answered != 3 {
		t.Errorf("the log has %d of 3 requests:\n%s", answered, p.text())
	}
}

// secretHeaders has a request say what clients say of themselves.
func secretHeaders(r *http.Request) {
	for _, name := range []string{"Tracestate", "Baggage"} {
		r.Header.Set(name, "secret=SECRET-STATE")
	}
	for _, name := range []string{
		"User-Agent", "Referer", "X-Request-ID", "X-Forwarded-For", "Cookie",
	} {
		r.Header.Set(name, "SECRET-"+name)
	}
}

// TestTracesWithoutCollector: a collector that is not there harms nobody.
func TestTracesWithoutCollector(t *testing.T) {
	t.Parallel()
	p := start(t, t.TempDir(), "--otlp-endpoint", "http://127.0.0.1:1")
	var ignored any
	p.must(t, createCoupon, &ignored)
	p.stop(t, time.Minute)
}

func fromHex(t *testing.T, text string) []byte {
	t.Helper()
	decoded, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return decoded
}

// TestMetricsOfLines: what was learned of a mail server is a metric.
func TestMetricsOfLines(t *testing.T) {
	t.Parallel()
	p := start(t, t.TempDir(), "--smtp-url", "smtp://127.0.0.1:1", "--mail-from",
		"shop@example.com")
	_, text := p.get(t, "/metrics", nil)
	for _, name := range []string{
		"couponql_line_messages_per_second", "couponql_line_connections",
		"couponql_line_messages_per_connection",
	} {
		if !strings.Contains(text, name+`{line="mail"} 0`) ||
			strings.Contains(text, name+`{line="webhook"}`) {
			t.Errorf("the metrics do not tell %s of mail alone", name)
		}
	}
	p.stop(t, time.Minute)
}
