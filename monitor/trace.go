package monitor

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/felixge/httpsnoop"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.37.0"
	"go.opentelemetry.io/otel/trace"
)

// StartTracing sends spans to a collector, by OTLP over HTTP, at an address such as http://127.0.0.1:4318. stop sends what is left. A
// collector that does not answer loses spans and nothing else.
func StartTracing(ctx context.Context, endpoint, version string) (stop func(context.Context) error, err error) {
	address, err := url.Parse(endpoint)
	if err != nil || address.Host == "" || address.Scheme != "http" && address.Scheme != "https" {
		return nil, fmt.Errorf("--otlp-endpoint=%s: must be an address such as http://127.0.0.1:4318", endpoint)
	}
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(address.JoinPath("v1", "traces").String()))
	if err != nil {
		return nil, fmt.Errorf("start tracing: %w", err)
	}
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(resource.NewSchemaless(
		semconv.ServiceName("couponql"), semconv.ServiceVersion(version))))
	otel.SetTracerProvider(provider)
	// W3C Trace Context: a caller's trace goes on here.
	otel.SetTextMapPropagator(propagation.TraceContext{})
	return provider.Shutdown, nil
}

// Traced returns each request a span, in the trace of its caller where the request names one. Of what a client sends (its program,
// the names of files, the state of its trace) nothing is told: the attributes are those of the metrics.
func Traced(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := otel.GetTextMapPropagator().Extract(r.Context(), propagation.HeaderCarrier(r.Header))
		if caller := trace.SpanContextFromContext(ctx); caller.IsValid() {
			ctx = trace.ContextWithRemoteSpanContext(ctx, caller.WithTraceState(trace.TraceState{}))
		}
		ctx, span := tracer().Start(
			ctx, MethodOf(r)+" "+PathOf(r), trace.WithSpanKind(trace.SpanKindServer),
			trace.WithAttributes(semconv.HTTPRequestMethodKey.String(MethodOf(r)), semconv.URLPath(PathOf(r))),
		)
		defer span.End()
		seen := httpsnoop.CaptureMetrics(next, w, r.WithContext(ctx))
		span.SetAttributes(semconv.HTTPResponseStatusCode(seen.Code))
		if seen.Code >= http.StatusInternalServerError {
			span.SetStatus(codes.Error, "")
		}
	})
}

// PathOf returns the path of a request without what names single things, so that there are few.
func PathOf(r *http.Request) string {
	for _, path := range []string{"/graphql", "/uploads/", "/files/", "/metrics", "/healthz", "/readyz"} {
		if r.URL.Path == path || path[len(path)-1] == '/' && len(r.URL.Path) > len(path) && r.URL.Path[:len(path)] == path {
			return path
		}
	}
	return "/"
}
