package monitor

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.37.0"
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

// Traced gives each request a span, in the trace of its caller where the request names one.
func Traced(next http.Handler) http.Handler {
	return otelhttp.NewHandler(next, "request", otelhttp.WithSpanNameFormatter(func(_ string, r *http.Request) string { return MethodOf(r) + " " + PathOf(r) }))
}

// PathOf gives the path of a request without what names single things, so that there are few.
func PathOf(r *http.Request) string {
	for _, path := range []string{"/graphql", "/uploads/", "/files/", "/metrics", "/healthz", "/readyz"} {
		if r.URL.Path == path || path[len(path)-1] == '/' && len(r.URL.Path) > len(path) && r.URL.Path[:len(path)] == path {
			return path
		}
	}
	return "/"
}
