package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/felixge/httpsnoop"
	"github.com/rs/cors"

	"couponql/access"
	"couponql/background"
	"couponql/console"
	"couponql/db"
	"couponql/monitor"
	"couponql/playground"
	"couponql/resolvers"
	"couponql/transfer"
)

// serve answers requests until ctx is done, and then lets those that run end. When the store is
// lost it ends at once; closing the store then tells why.
func serve(
	ctx context.Context, listener net.Listener, handler http.Handler, store *db.Store,
	log *slog.Logger,
) error {
	// Requests are canceled with base, which ends subscriptions when the server stops.
	base, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		BaseContext:       func(net.Listener) context.Context { return base },
		ErrorLog:          slog.NewLogLogger(newSparseLog(log.Handler()), slog.LevelWarn),
	}
	failed := make(chan error, 1)
	background.Go(func() error { return server.Serve(patientListener{listener, stallTime}) },
		func(err error) { failed <- err })
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-store.Failed():
		return server.Close()
	case <-ctx.Done():
	}
	log.Info("stopping")
	deadline, stop := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer stop()
	// What takes longer than a moment is a subscription, a long query or a long change: it is told
	// to end. The store comes first, so that whose change it cuts off hears that nothing remains of
	// it.
	defer background.After(graceTime, func() error {
		store.Interrupt()
		return nil
	}, func(error) { cancel() }).Stop()
	if err := server.Shutdown(deadline); err != nil {
		return fmt.Errorf("stop: %w", err)
	}
	return nil
}

// newHandler routes requests: the API, files, the console, the playground, and the health of the
// server.
func (c *serveCommand) newHandler(
	store *db.Store,
	resolver *resolvers.Resolver,
	guard *access.Guard,
	links *transfer.Links,
	watch *monitor.Monitor,
	log *slog.Logger,
) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/graphql", resolvers.Handler(resolver, resolvers.Options{
		Log: log, Monitor: watch, HidesSchema: !c.Introspection, Origins: c.CORSOrigins,
	}))
	files := transfer.Handler(transfer.Options{Store: store, Links: links, Log: log})
	mux.Handle("/uploads/", files)
	mux.Handle("/files/", files)
	mux.Handle("GET /metrics", forStaff(guard, watch.Handler()))
	if c.Console {
		mux.Handle(console.Path, console.Handler())
		mux.Handle(console.Path+"/", console.Handler())
	}
	if c.Playground {
		mux.Handle("/", playground.Handler(playground.Options{HasSQL: c.EnableSQL}))
	}
	mux.HandleFunc("GET /healthz",
		func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if err := store.Ping(r.Context()); err != nil {
			log.ErrorContext(r.Context(), "not ready", "error", err)
			answer(w, http.StatusServiceUnavailable, "the database does not answer")
			return
		}
		answer(w, http.StatusOK, "ready")
	})
	handler := localOnly(guard, transfer.WithBaseURL(mux))
	if len(c.CORSOrigins) > 0 {
		handler = shareWith(c.CORSOrigins).Handler(handler)
	}
	handler = newOrigins(c.CORSOrigins, log).guard(handler)
	handler = observed(watch, log, throughProxies(c.TrustedProxies, handler))
	if c.OTLPEndpoint != "" {
		handler = monitor.Traced(handler)
	}
	return lingering(lingerTime, withRequestID(handler))
}

// observed counts and times requests, and logs each at the level debug: neither what it asked for
// nor what it got.
func observed(watch *monitor.Monitor, log *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen := httpsnoop.CaptureMetrics(next, w, r)
		watch.Request(r, seen.Code, seen.Duration)
		log.DebugContext(r.Context(), "answered", "request", monitor.RequestID(r.Context()),
			"method", monitor.MethodOf(r), "path", monitor.PathOf(r),
			"status", seen.Code, "bytes", seen.Written, "took", seen.Duration, "address",
			r.RemoteAddr)
	})
}

// corsMaxAge is how long browsers keep what they were told about other sites' requests, in seconds.
const corsMaxAge = 600

// shareWith lets the pages of other sites use the API. Keys are in a header, and there are no
// cookies, so that a page can do nothing in the name of its visitor.
func shareWith(origins []string) *cors.Cors {
	return cors.New(cors.Options{
		AllowedOrigins: origins,
		AllowedMethods: []string{
			http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch,
			http.MethodDelete,
		},
		AllowedHeaders: []string{"*"},
		MaxAge:         corsMaxAge,
		ExposedHeaders: []string{
			"X-Request-ID", "Retry-After", "Location", "Upload-Offset", "Upload-Length",
			"Upload-Expires", "Tus-Resumable",
		},
	})
}

// throughProxies takes from trusted proxies who is behind them: the last address of X-Forwarded-For
// that is not one of theirs, and the scheme and host that the client used.
func throughProxies(trusted []netip.Prefix, next http.Handler) http.Handler {
	if len(trusted) == 0 {
		return next
	}
	isTrusted := func(address netip.Addr) bool {
		return slices.ContainsFunc(trusted,
			func(p netip.Prefix) bool { return p.Contains(address.Unmap()) })
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		peer, err := netip.ParseAddrPort(r.RemoteAddr)
		if err != nil || !isTrusted(peer.Addr()) {
			next.ServeHTTP(w, r)
			return
		}
		r = r.Clone(r.Context())
		hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
		for _, hop := range slices.Backward(hops) {
			address, err := netip.ParseAddr(strings.TrimSpace(hop))
			if err != nil {
				break
			}
			r.RemoteAddr = netip.AddrPortFrom(address.Unmap(), 0).String()
			if !isTrusted(address) {
				break
			}
		}
		if scheme := r.Header.Get("X-Forwarded-Proto"); scheme == "https" || scheme == "http" {
			r.URL.Scheme = scheme
		}
		if host := r.Header.Get("X-Forwarded-Host"); host != "" {
			r.Host = host
		}
		next.ServeHTTP(w, r)
	})
}

// forStaff lets all in but programs with one task, such as a till.
func forStaff(guard *access.Guard, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		caller, err := guard.Identify(r.Context(), r.Header.Get("Authorization"), r.RemoteAddr)
		switch {
		case err != nil:
			w.Header().Set("WWW-Authenticate", access.Realm)
			answer(w, access.StatusOf(err),
				"show an API key that works in the header Authorization: Bearer")
		case !caller.Role.IsStaff():
			answer(w, http.StatusForbidden, "the roles REDEEMER, REPORTER and CLAIMER do not see metrics")
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	// A client that went away needs no answer.
	_, _ = fmt.Fprintln(w, text)
}

// withRequestID returns every request an id, which its answer, its errors and the log carry.
// Browsers take no answer for anything but what it says it is.
func withRequestID(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := rand.Text()
		w.Header().Set("X-Request-ID", id)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		next.ServeHTTP(w, r.WithContext(monitor.WithRequestID(r.Context(), id)))
	})
}

// localOnly refuses requests that name another host than this machine, as long as nobody has to
// show a key.
func localOnly(guard *access.Guard, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = strings.Trim(r.Host, "[]")
		}
		if guard.IsOpen() && !isLoopback(host) {
			answer(w, http.StatusMisdirectedRequest,
				"this server answers to loopback addresses only")
			return
		}
		next.ServeHTTP(w, r)
	})
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
