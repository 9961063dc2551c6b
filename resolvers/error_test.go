package resolvers

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"

	"couponql/db"
)

// TestPresentBusy tells that a client whose request was refused because too many wait learns when to come back.
func TestPresentBusy(t *testing.T) {
	t.Parallel()
	header := http.Header{}
	ctx := withHeader(graphql.WithResponseContext(t.Context(), nil, nil), header)
	for range 2 { // two fields of one response
		err := present(Options{Log: slog.New(slog.DiscardHandler)})(ctx, fmt.Errorf("redeem: %w", db.ErrBusy))
		if err.Extensions["code"] != "UNAVAILABLE" {
			t.Errorf("got %v", err)
		}
	}
	if got := header.Values("Retry-After"); len(got) != 1 || got[0] != "1" {
		t.Errorf("Retry-After is %v", got)
	}
}

// TestEndedRequest tells that a request that ends before its operation is executed is answered all the same.
func TestEndedRequest(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	answer(w, nil)
	if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "nothing was changed") {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

// TestPresentStop tells that an operation that ends because the server stops is answered so, whoever noticed first, and is no fault
// that the log has.
func TestPresentStop(t *testing.T) {
	t.Parallel()
	canceled, stop := context.WithCancel(t.Context())
	stop()
	for _, cause := range []error{context.Cause(canceled), db.ErrClosed} {
		var log strings.Builder
		header := http.Header{}
		ctx := withHeader(graphql.WithResponseContext(t.Context(), nil, nil), header)
		err := present(Options{Log: slog.New(slog.NewTextHandler(&log, nil))})(ctx, fmt.Errorf("answer an analyst: %w", cause))
		const want = "The server stops and did not do this. Try again when it is back."
		if err.Extensions["code"] != "UNAVAILABLE" || err.Message != want || log.Len() > 0 || header.Get("Retry-After") != "1" {
			t.Errorf("%v: got %v, Retry-After %q, logged %q", cause, err, header.Get("Retry-After"), log.String())
		}
	}
}

// TestPresentScarce tells that whoever is kept from something by a full disk or by too little memory learns what happened, how much
// there is, if that is known, and what to do.
func TestPresentScarce(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		err  error
		want string
	}{
		{
			fmt.Errorf("commit: %w", &db.DiskError{Free: 12<<20 + 1, Needed: 64 << 20}),
			"The server's disk is full: 12 MB are free, and 64 MB are needed. Nothing was changed. Free space there and try again.",
		},
		{fmt.Errorf("write: %w", db.ErrDiskFull), "The server's disk is full. Nothing was changed. Free space there and try again."},
		{
			fmt.Errorf("analyze: %w", db.ErrMemory),
			"The server's database has too little memory for this beside its other work, so nothing was changed. Try again in 1s. " +
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
