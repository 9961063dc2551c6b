package transfer

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"time"

	"couponql/coupon"
	"couponql/db"
	"couponql/monitor"
	"couponql/unavailable"
)

// Options says what a Handler works with; all of them are needed.
type Options struct {
	Store *db.Store
	Links *Links
	Log   *slog.Logger
}

// handler has the routes.
type handler struct {
	Options

	// patience is how long a client may stall.
	patience time.Duration
}

// Handler serves the routes that move files, which begin with /uploads/ and /files/. Every problem is answered as a
// sentence of plain text; what is the server's own fault is logged with the id of the request, and answered with
// that alone.
func Handler(options Options) http.Handler { return newHandler(options, stallTime) }

func newHandler(options Options, patience time.Duration) http.Handler {
	h := &handler{Options: options, patience: patience}
	mux := http.NewServeMux()
	mux.HandleFunc(uploadsPath+"{id}", h.upload)
	mux.HandleFunc("GET "+filesPath+"{name}", h.download)
	return mux
}

// isAllowed reports whether the request has a link for this that still works; if not, it is answered.
func (h *handler) isAllowed(w http.ResponseWriter, r *http.Request, what purpose) bool {
	isSigned, isCurrent := h.Links.verify(r, what, h.Store.Now())
	switch {
	case !isSigned:
		refuse(w, http.StatusForbidden, "This link is not one that the server made for this. Use it unchanged, as the API answered it.")
	case !isCurrent:
		refuse(w, http.StatusForbidden, "This link has expired. Ask the API for a new one.")
	}
	return isSigned && isCurrent
}

// refuse answers a sentence.
func refuse(w http.ResponseWriter, status int, sentence string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	// A client that still sends its file knows by it where the answer ends.
	w.Header().Set("Content-Length", strconv.Itoa(len(sentence)+len("\n")))
	w.WriteHeader(status)
	// A client that went away needs no answer.
	_, _ = fmt.Fprintln(w, sentence) //nolint:gosec // it is plain text, and browsers are told not to take it for anything else
}

// fail answers an error of the store.
func (h *handler) fail(w http.ResponseWriter, r *http.Request, err error) {
	problems, isUser := coupon.AsUserErrors(err)
	unable, isUnable := errors.AsType[*unavailable.Error](err)
	switch {
	case isUser:
		refuse(w, statusOf(problems[0].Code), problems.Error())
	case errors.Is(err, db.ErrWrongChecksum):
		refuse(w, statusChecksumMismatch, "The bytes have another checksum than Upload-Checksum says. None of them was kept: send them again.")
	case isUnable:
		h.refuseNow(w, r, unable, err)
	case isGone(r, err):
		// The client rarely hears it; when it merely stalled, it may.
		refuse(w, http.StatusRequestTimeout, "The connection broke off or stalled. What came in was kept: go on there.")
	default:
		id := monitor.RequestID(r.Context())
		h.Log.ErrorContext(r.Context(), "transfer failed", "request", id, "method", r.Method, "path", r.URL.Path, "error", err)
		refuse(w, http.StatusServiceUnavailable, "Something went wrong on the server; its log has the cause under request "+id+".")
	}
}

// refuseNow answers what the server cannot do now. What it has of a file it keeps.
func (h *handler) refuseNow(w http.ResponseWriter, r *http.Request, unable *unavailable.Error, err error) {
	if unable.IsLogged {
		h.Log.WarnContext(r.Context(), unable.Cause, "request", monitor.RequestID(r.Context()), "method", r.Method, "path", r.URL.Path, "error", err)
	}
	status := http.StatusInsufficientStorage
	if unable.RetryAfter > 0 {
		status = http.StatusServiceUnavailable
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(unable.RetryAfter.Seconds()))))
	}
	refuse(w, status, unable.Sentences(""))
}

// statusOf returns the status for a problem of the caller.
func statusOf(code coupon.ErrorCode) int {
	switch code { //nolint:exhaustive // the store's methods that are used here return no others
	case coupon.ErrorNotFound:
		return http.StatusNotFound
	case coupon.ErrorInvalidState:
		return http.StatusConflict
	case coupon.ErrorFileTooLarge:
		return http.StatusRequestEntityTooLarge
	}
	return http.StatusUnprocessableEntity
}
