package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"couponql/access"
	"couponql/coupon"
	"couponql/db"
	"couponql/job"
	"couponql/resolvers"
	"couponql/sender"
	"couponql/transfer"
)

// memoryLimit is what each engine, the server's and the raw one, may take: the server's default.
const memoryLimit = db.DefaultMemoryLimit

// clock is the machine's clock, moved: a campaign of weeks passes in a minute.
type clock struct{ offset atomic.Int64 }

func (c *clock) now() time.Time { return time.Now().Add(time.Duration(c.offset.Load())) }

// moveTo sets the clock so many days before the machine's.
func (c *clock) moveTo(daysAgo int) { c.offset.Store(-int64(daysAgo) * int64(24*time.Hour)) }

// server is a whole couponql server on a loopback port.
type server struct {
	*client
	// keyed asks the same server for the same, where a key is wanted and requests are limited.
	keyed  *client
	store  *db.Store
	runner *job.Runner
	outbox string
	http   *http.Server
	log    *slog.Logger
}

// benchKey is the key of the operator.
const benchKey = "0123456789abcdef0123456789abcdef"

// newServer opens or creates a database and serves it. Imports wait and messages are not sent until
// startJobs.
func newServer(ctx context.Context, path string, clock *clock, log *slog.Logger) (*server, error) {
	store, err := db.Open(ctx, db.Options{Path: path, MemoryLimit: memoryLimit, Now: clock.now})
	if err != nil {
		return nil, err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("listen: %w", err), store.Close())
	}
	key, err := store.LinkKey(ctx)
	if err != nil {
		return nil, errors.Join(err, listener.Close(), store.Close())
	}
	links := transfer.NewLinks(key)
	mux := http.NewServeMux()
	guard, err := access.New(store, access.Options{})
	if err != nil {
		return nil, errors.Join(err, listener.Close(), store.Close())
	}
	closed, err := access.New(store, access.Options{AdminKey: benchKey, RequestsPerSecond: coupon.MaxRequestsPerSecond})
	if err != nil {
		return nil, errors.Join(err, listener.Close(), store.Close())
	}
	mux.Handle("/keyed", resolvers.Handler(resolvers.New(store, links, nil, nil, closed), resolvers.Options{Log: log}))
	// No single messages are sent here.
	mux.Handle("/graphql", resolvers.Handler(resolvers.New(store, links, nil, nil, guard), resolvers.Options{Log: log}))
	mux.Handle("/", transfer.Handler(transfer.Options{Store: store, Links: links, Log: log}))
	host := listener.Addr().String()
	s := &server{
		client: newClient(host, "/graphql", ""), keyed: newClient(host, "/keyed", benchKey), store: store, outbox: filepath.Join(filepath.Dir(path), "outbox"),
		http: &http.Server{Handler: transfer.WithBaseURL(mux), ReadHeaderTimeout: time.Minute}, log: log,
	}
	go func() {
		if err := s.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			log.Error("serve", "error", err)
		}
	}()
	return s, nil
}

// startJobs begins to run imports and to send messages.
func (s *server) startJobs() error {
	out, err := sender.OpenOutbox(s.outbox)
	if err != nil {
		return err
	}
	s.runner = job.Start(context.Background(), s.store, out, job.Options{Log: s.log})
	return nil
}

func (s *server) stopJobs() {
	if s.runner != nil {
		s.runner.Stop()
		s.runner = nil
	}
}

func (s *server) close() error {
	s.stopJobs()
	s.client.close()
	s.keyed.close()
	return errors.Join(s.http.Close(), s.store.Close())
}

// resetPeak makes the kernel forget how much memory this process had at most; where that cannot be done,
// the peak is that since the program began.
func resetPeak() {
	const forgetPeak = "5"
	_ = os.WriteFile("/proc/self/clear_refs", []byte(forgetPeak), 0)
}

// peakMemory returns the most memory, in bytes, that this process had resident; 0 where the system does not
// tell.
func peakMemory() int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		var kilobytes int64
		if _, err := fmt.Sscanf(line, "VmHWM: %d kB", &kilobytes); err == nil {
			return kilobytes << 10
		}
	}
	return 0
}
