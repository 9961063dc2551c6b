package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"couponql/coupon"
)

// maxToldOrigins is how many origins the log names that were refused, each once.
const maxToldOrigins = 100

// origins refuses the pages of other sites that are not named: none must be able to use the server of a visitor's machine, neither
// by sending it forms, nor by a name that it points to this address. One rule holds for all ways to ask, also for a preflight and a
// WebSocket.
type origins struct {
	named      []string
	protection *http.CrossOriginProtection
	log        *slog.Logger

	mu   sync.Mutex
	told map[string]bool
}

func newOrigins(named []string, log *slog.Logger) *origins {
	o := &origins{named: named, protection: http.NewCrossOriginProtection(), log: log, told: map[string]bool{}}
	for _, origin := range named {
		// It was checked.
		_ = o.protection.AddTrustedOrigin(origin)
	}
	return o
}

// guard lets through what does not come from a page of another site.
func (o *origins) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// A link from elsewhere has no origin. A script has, whatever the method by which it asks.
		judged := *r
		if r.Header.Get("Origin") != "" {
			judged.Method = http.MethodPost
		}
		if o.protection.Check(&judged) == nil {
			next.ServeHTTP(w, r)
			return
		}
		origin := originOf(r)
		o.tell(r.Context(), origin)
		o.refuse(w, origin)
	})
}

// originOf returns the origin of a request as a browser writes it, or "" when it has none, or none that could be named.
func originOf(r *http.Request) string {
	origin := r.Header.Get("Origin")
	address, err := url.Parse(origin)
	isPlain := !strings.ContainsFunc(origin, func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < '0' || c > '9') && !strings.ContainsRune(".:/-[]", c)
	})
	if err != nil || !isPlain || address.Host == "" || len(origin) > coupon.MaxTextLength || origin != address.Scheme+"://"+address.Host {
		return ""
	}
	return origin
}

// remedy says how to let the pages of an origin in.
func (o *origins) remedy(origin string) string {
	switch {
	case origin == "":
		return "Only pages with an origin that --cors-origin names may use it."
	case len(o.named) > 0:
		return fmt.Sprintf("To let them, add %s to --cors-origin and start the server again.", origin)
	}
	return fmt.Sprintf("To let them, start the server with --cors-origin %s.", origin)
}

// refuse answers with an error of GraphQL, which is what most who ask can show.
func (o *origins) refuse(w http.ResponseWriter, origin string) {
	pages := "Pages of " + origin
	if origin == "" {
		pages = "Pages of other sites"
	}
	text, err := json.Marshal(map[string]any{"errors": []any{map[string]any{
		"message": pages + " may not use this server. " + o.remedy(origin), "extensions": map[string]any{"code": "FORBIDDEN"},
	}}})
	if err != nil {
		panic(err) // It is made of texts.
	}
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Cache-Control", "no-store")
	header.Add("Vary", "Origin")
	w.WriteHeader(http.StatusForbidden)
	// A client that went away needs no answer.
	_, _ = w.Write(text)
}

// tell names an origin in the log, once.
func (o *origins) tell(ctx context.Context, origin string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if origin == "" || o.told[origin] || len(o.told) == maxToldOrigins {
		return
	}
	o.told[origin] = true
	o.log.WarnContext(ctx, "pages of an origin were refused", "origin", origin, "remedy", o.remedy(origin))
}
