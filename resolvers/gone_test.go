package resolvers_test

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"couponql/coupon"
)

// resetWays are the ways to ask that a client can reset: what is sent through the connection, by
// the document that it asks.
func resetWays() map[string]func(t *testing.T, document string) string {
	post := func(headers, body string) string {
		return fmt.Sprintf("POST /graphql HTTP/1.1\r\nHost: x\r\n%sContent-Length: %d\r\n\r\n%s",
			headers, len(body), body)
	}
	body := func(t *testing.T, document string) string {
		t.Helper()
		text, err := json.Marshal(map[string]any{"query": document})
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	return map[string]func(t *testing.T, document string) string{
		"GET": func(_ *testing.T, document string) string {
			return "GET /graphql?query=" + url.QueryEscape(document) +
				" HTTP/1.1\r\nHost: x\r\n\r\n"
		},
		"POST": func(t *testing.T, document string) string {
			t.Helper()
			return post("Content-Type: application/json\r\n", body(t, document))
		},
		"SSE": func(t *testing.T, document string) string {
			t.Helper()
			return post("Content-Type: application/json\r\nAccept: text/event-stream\r\n",
				body(t, document))
		},
		"multipart": func(t *testing.T, document string) string {
			t.Helper()
			text, contentType := form(t, "operations="+body(t, document), "map={}")
			return post("Content-Type: "+contentType+"\r\n", text)
		},
	}
}

// reset sends a request and resets its connection as soon as it has begun. It gives how many
// statements there were when the server was through with it.
func (s *server) reset(t *testing.T, request string, begun func() bool) (statements int64) {
	t.Helper()
	through := make(chan struct{})
	inner := s.Config.Handler
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(through)
		inner.ServeHTTP(w, r)
	}))
	defer front.Close()
	connection, err := net.Dial("tcp", front.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	before := s.store.Statements()
	if _, err := connection.Write([]byte(request)); err != nil {
		t.Fatal(err)
	}
	deadline := time.After(10 * time.Second)
	for !begun() {
		select {
		case <-through:
			t.Fatalf("the server was through after %d statements", s.store.Statements()-before)
		case <-deadline:
			t.Fatalf("there were %d statements", s.store.Statements()-before)
		case <-time.After(50 * time.Microsecond):
		}
	}
	// Without lingering, closing resets.
	if err := connection.(*net.TCPConn).SetLinger(0); err != nil {
		t.Fatal(err)
	}
	if err := connection.Close(); err != nil {
		t.Fatal(err)
	}
	<-through
	return s.store.Statements() - before
}

// TestReset: a query whose client resets its connection ends, and a mutation that has begun comes
// to its end, whichever way it came.
func TestReset(t *testing.T) {
	t.Parallel()
	s := newPool(t)
	// Jobs ask statements of their own.
	s.stop()
	defer s.start()
	const reports, begun = 9, 4
	var query strings.Builder
	for i := range reports {
		fmt.Fprintf(&query, "r%d: integrityReport { checkedAt } ", i)
	}
	before := s.store.Statements()
	s.try(t, "{"+query.String()+"}", nil, nil)
	whole := s.store.Statements() - before
	for way, request := range resetWays() {
		asked := s.reset(t, request(t, "{"+query.String()+"}"), s.hasAsked(begun))
		if asked > whole/2 {
			t.Errorf("%s: %d of %d statements were asked for a client who has gone", way,
				asked, whole)
		}
		if way == "GET" {
			continue
		}
		id := s.importedCodes(t, way, 30000)
		undo := fmt.Sprintf(`mutation { undoImport(input: {id: %q}) { removedCount } }`, id)
		s.reset(t, request(t, undo), func() bool { return s.store.Workload().Additions > 0 })
		found, err := s.store.ImportsByID(t.Context(), []coupon.ID{id})
		if err != nil || found[id].UndoneAt == nil {
			t.Errorf("%s: a mutation that had begun was not done: %+v, %v", way, found[id], err)
		}
		log, err := s.store.AuditLog(t.Context(), nil, coupon.Page{First: 1, WantsItems: true})
		if err != nil || log.Items[0].Action != "undoImport" ||
			log.Items[0].Outcome != coupon.AuditDone {
			t.Errorf("%s: the audit log has %+v, %v", way, log.Items[0], err)
		}
	}
	s.checkPromises(t)
}

// hasAsked returns what reports whether the store has begun so many statements more.
func (s *server) hasAsked(statements int64) func() bool {
	begun := s.store.Statements() + statements
	return func() bool { return s.store.Statements() >= begun }
}

// importedCodes imports so many codes into the first coupon while no job runs.
func (s *server) importedCodes(t *testing.T, prefix string, count int) coupon.ID {
	t.Helper()
	text := "code\n"
	for i := range count {
		text += fmt.Sprintf("%s-%05d\n", prefix, i)
	}
	upload, err := s.store.Receive(t.Context(), "codes.csv", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	queued, err := s.store.CreateImport(t.Context(), &coupon.Import{
		Kind: coupon.ImportCodes, Mode: coupon.ImportAdd, Format: coupon.FormatCSV,
		CouponID:    new(coupon.ID("coupon_1")),
		OnRejection: coupon.SkipRow, Timezone: "UTC",
	}, upload.ID, true)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.store.RunImport(t.Context(), queued.ID); err != nil {
		t.Fatal(err)
	}
	return queued.ID
}
