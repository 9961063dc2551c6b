// Package monitor lets operators see what the server does: metrics for Prometheus, and traces for OpenTelemetry. Neither tells
// what was given or answered.
package monitor

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"couponql/coupon"
	"couponql/db"
	"couponql/sender"
)

// Kind is the kind of a piece of work.
type Kind string

// The kinds of work. A query, mutation or subscription is named by its root field, a job by what it is.
const (
	KindQuery        Kind = "query"
	KindMutation     Kind = "mutation"
	KindSubscription Kind = "subscription"
	KindJob          Kind = "job"
)

// Outcome says what came of a piece of work.
type Outcome string

// The outcomes.
const (
	OutcomeDone Outcome = "done"
	// OutcomeRefused: the caller was told what to mend.
	OutcomeRefused Outcome = "refused"
	OutcomeFailed  Outcome = "failed"
)

// Monitor counts and times. A nil one does neither.
type Monitor struct {
	registry *prometheus.Registry
	requests *prometheus.HistogramVec
	work     *prometheus.HistogramVec
	messages *prometheus.CounterVec
}

// New returns the monitor of a store, of a release of the program.
func New(store *db.Store, version string) *Monitor {
	m := &Monitor{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "couponql_request_duration_seconds", Help: "How long requests took, by path, method and status; streams count until their end.",
			Buckets: buckets(),
		}, []string{"path", "method", "code"}),
		work: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "couponql_work_duration_seconds",
			Help:    "How long root fields of queries, mutations and subscriptions took, and jobs: imports, exports, and batches of messages by channel.",
			Buckets: buckets(),
		}, []string{"kind", "name", "outcome"}),
		messages: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "couponql_messages_total", Help: "Messages that were handed to a sender, by channel and by what came of it.",
		}, []string{"channel", "result"}),
	}
	release := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "couponql_build_info", Help: "1, with the version as a label.", ConstLabels: prometheus.Labels{"version": version},
	}, func() float64 { return 1 })
	m.registry.MustRegister(m.requests, m.work, m.messages, release, newStoreCollector(store),
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// buckets are the bounds of histograms in seconds: from a redemption to an import.
func buckets() []float64 {
	return []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10, 60, 600}
}

// Handler returns what /metrics answers.
func (m *Monitor) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// Request counts a request that was answered. Whatever it asked for, its labels are of fixed sets: a series that a client may invent
// would stay in memory for ever.
func (m *Monitor) Request(r *http.Request, status int, took time.Duration) {
	m.requests.WithLabelValues(PathOf(r), MethodOf(r), statusOf(status)).Observe(took.Seconds())
}

// other is the label of what has none of its own.
const other = "other"

// MethodOf returns the method of a request, or "other" for one that the server knows nothing of.
func MethodOf(r *http.Request) string {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return r.Method
	}
	return other
}

// statusOf returns a status of HTTP as a label.
func statusOf(status int) string {
	if http.StatusText(status) == "" {
		return other
	}
	return strconv.Itoa(status)
}

// Messages counts what came of messages that were handed to the sender of a channel.
func (m *Monitor) Messages(channel coupon.Channel, attempts []coupon.Attempt) {
	if m == nil {
		return
	}
	counts := map[coupon.AttemptResult]int{}
	for i := range attempts {
		counts[attempts[i].Result]++
	}
	for result, count := range counts {
		m.messages.WithLabelValues(string(channel), string(result)).Add(float64(count))
	}
}

// tracer makes spans, which go nowhere unless StartTracing was called.
func tracer() trace.Tracer { return otel.Tracer("couponql") }

// Begin begins a piece of work; the context is for what belongs to it. end is called with what came of it.
func (m *Monitor) Begin(ctx context.Context, kind Kind, name string) (inner context.Context, end func(Outcome)) {
	if m == nil {
		return ctx, func(Outcome) {}
	}
	began := time.Now()
	inner, span := tracer().Start( //nolint:spancheck // the caller ends it, by end
		ctx, string(kind)+" "+name, trace.WithAttributes(
			attribute.String("couponql.kind", string(kind)), attribute.String("couponql.name", name)))
	return inner, func(outcome Outcome) { //nolint:spancheck // as above
		m.work.WithLabelValues(string(kind), name, string(outcome)).Observe(time.Since(began).Seconds())
		span.SetAttributes(attribute.String("couponql.outcome", string(outcome)))
		if outcome == OutcomeFailed {
			span.SetStatus(codes.Error, "")
		}
		span.End()
	}
}

// OutcomeOf returns the outcome of work that ended with an error, or without.
func OutcomeOf(err error) Outcome {
	if err == nil {
		return OutcomeDone
	}
	if _, isUser := coupon.AsUserErrors(err); isUser {
		return OutcomeRefused
	}
	return OutcomeFailed
}

// Line tells what was learned of how much another server takes, under a name such as "mail".
func (m *Monitor) Line(name string, limits func() sender.Limits) {
	for _, gauge := range []struct {
		name, help string
		of         func(sender.Limits) float64
	}{
		{
			"couponql_line_messages_per_second", "How many messages a second another server takes, as far as it showed; 0: no limit is known.",
			func(l sender.Limits) float64 { return l.Rate },
		},
		{
			"couponql_line_connections", "How many connections another server has open at once; 0: no limit is known.",
			func(l sender.Limits) float64 { return float64(l.Connections) },
		},
		{
			"couponql_line_messages_per_connection", "How many messages another server takes on a connection; 0: no limit is known.",
			func(l sender.Limits) float64 { return float64(l.PerConnection) },
		},
	} {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: gauge.name, Help: gauge.help, ConstLabels: prometheus.Labels{"line": name},
		}, func() float64 { return gauge.of(limits()) }))
	}
}
