package resolvers

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"couponql/db"
	"couponql/unavailable"
)

// TestPresentBusy tells that a client whose request was refused because too many wait learns when
// to come back.
func TestPresentBusy(t *testing.T) {
	t.Parallel()
	header := http.Header{}
	ctx := withHeader(graphql.WithResponseContext(t.Context(), nil, nil), header)
	for range 2 { // two fields of one response
		err := present(Options{Log: slog.New(slog.DiscardHandler)})(ctx,
			fmt.Errorf("redeem: %w", db.ErrBusy))
		if err.Extensions["code"] != "UNAVAILABLE" {
			t.Errorf("got %v", err)
		}
	}
	if got := header.Values("Retry-After"); len(got) != 1 || got[0] != "1" {
		t.Errorf("Retry-After is %v", got)
	}
}

// TestPresentUnavailable: an error that nobody listed is answered as what the server cannot do now,
// and logged only if it says so. That nothing was changed a mutation hears.
func TestPresentUnavailable(t *testing.T) {
	t.Parallel()
	for kind, want := range map[ast.Operation]string{
		ast.Query:    "The shelf is full. Clear it.",
		ast.Mutation: "The shelf is full, so nothing was changed. Clear it.",
	} {
		for _, isLogged := range []bool{false, true} {
			var log strings.Builder
			header := http.Header{}
			ctx := graphql.WithOperationContext(t.Context(),
				&graphql.OperationContext{Operation: &ast.OperationDefinition{Operation: kind}})
			ctx = withHeader(graphql.WithResponseContext(ctx, nil, nil), header)
			cause := &unavailable.Error{
				Cause: "no shelf", Reason: "The shelf is full", Advice: "Clear it.",
				RetryAfter: 2500 * time.Millisecond, IsLogged: isLogged,
			}
			err := present(Options{Log: slog.New(slog.NewTextHandler(&log, nil))})(ctx,
				fmt.Errorf("put: %w", cause))
			if err.Extensions["code"] != "UNAVAILABLE" || err.Message != want {
				t.Errorf("got %v, want %q", err, want)
			}
			if header.Get("Retry-After") != "3" ||
				strings.Contains(log.String(), "no shelf") != isLogged {
				t.Errorf("Retry-After is %q, logged %q", header.Get("Retry-After"), log.String())
			}
		}
	}
}

// TestEndedRequest tells that a request that ends before its operation is executed is answered all
// the same.
func TestEndedRequest(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	answer(w, nil)
	if w.Code != http.StatusServiceUnavailable ||
		!strings.Contains(w.Body.String(), "nothing was changed") {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

// TestPresentStop tells that an operation that ends because the server stops is answered so,
// whoever noticed first, and is no fault that the log has.
func TestPresentStop(t *testing.T) {
	t.Parallel()
	canceled, stop := context.WithCancel(t.Context())
	stop()
	for _, cause := range []error{context.Cause(canceled), db.ErrClosed} {
		var log strings.Builder
		header := http.Header{}
		ctx := withHeader(graphql.WithResponseContext(t.Context(), nil, nil), header)
		err := present(Options{Log: slog.New(slog.NewTextHandler(&log, nil))})(ctx,
			fmt.Errorf("answer an analyst: %w", cause))
		const want = "The server stops and did not do this. Try again when it is back."
		if err.Extensions["code"] != "UNAVAILABLE" || err.Message != want || log.Len() > 0 ||
			header.Get("Retry-After") != "1" {
			t.Errorf("%v: got %v, Retry-After %q, logged %q", cause, err, header.Get("Retry-After"),
				log.String())
		}
	}
}

// TestPresentScarce tells that whoever is kept from something by a full disk or by too little
// memory learns what happened, how much there is, if that is known, and what to do.
func TestPresentScarce(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		err  error
		want string
	}{
		{
			fmt.Errorf("commit: %w", &db.DiskError{Free: 12<<20 + 1, Needed: 64 << 20}),
			"The server's disk is full: 12 MB are free, and 64 MB are needed. Free space there and try again.",
		},
		{
			fmt.Errorf("write: %w", db.ErrDiskFull),
			"The server's disk is full. Free space there and try again.",
		},
		{
			fmt.Errorf("analyze: %w", db.ErrMemory),
			"The server's database has too little memory for this beside its other work. Try again in 1s. " +
				"If that does not help, ask for less at once, or let the database take more (--memory-limit).",
		},
	} {
		ctx := graphql.WithResponseContext(t.Context(), nil, nil)
		got := present(Options{Log: slog.New(slog.DiscardHandler)})(ctx, test.err)
		if got.Message != test.want || got.Extensions["code"] != "UNAVAILABLE" {
			t.Errorf("%v: got %q, %v, want %q", test.err, got.Message, got.Extensions, test.want)
		}
	}
}
