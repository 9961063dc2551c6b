package transfer

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"couponql/db"
	"couponql/monitor"
	"couponql/unavailable"
)

// TestUnavailable: what the server cannot do now is answered so, whatever it is, and is no fault
// that the log has.
func TestUnavailable(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		err        error
		status     int
		retryAfter string
		sentences  string
	}{
		"full": {
			db.ErrDiskFull, http.StatusInsufficientStorage, "",
			"The server's disk is full. Free space there and try again.",
		},
		"busy": {
			db.ErrBusy, http.StatusServiceUnavailable, "1",
			"The server has more to write than it can in a moment. Try again in 1s.",
		},
		"memory": {
			db.ErrMemory, http.StatusServiceUnavailable, "1", "The server's database has too little memory for this beside its other work. Try again in 1s. If that does not help, ask for less at once, " +
				"or let the database take more (--memory-limit).",
		},
		"closed": {
			db.ErrClosed, http.StatusServiceUnavailable, "1",
			"The server stops and did not do this. Try again when it is back.",
		},
		"another": {
			&unavailable.Error{
				Cause: "no shelf", Reason: "The shelf is full", Advice: "Clear it.",
				RetryAfter: 1500 * time.Millisecond,
			},
			http.StatusServiceUnavailable, "2", "The shelf is full. Clear it.",
		},
	} {
		var log strings.Builder
		h := &handler{Options: Options{Log: slog.New(slog.NewTextHandler(&log, nil))}}
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(monitor.WithRequestID(t.Context(), "request-7"),
			http.MethodPatch, "/uploads/upload_1", http.NoBody)
		h.fail(w, r, fmt.Errorf("store an upload: %w", test.err))
		if w.Code != test.status || w.Header().Get("Retry-After") != test.retryAfter ||
			w.Body.String() != test.sentences+"\n" {
			t.Errorf("%s: %d %v %s", name, w.Code, w.Header(), w.Body)
		}
		if isWarned := strings.Contains(log.String(), "level=WARN"); strings.Contains(log.String(),
			"level=ERROR") || isWarned != (name == "memory") {
			t.Errorf("%s: logged %s", name, log.String())
		}
	}
}
