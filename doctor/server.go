package doctor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"couponql/client"
	"couponql/coupon"
)

// integrityAsk asks for the promises, as anybody may.
const integrityAsk = `query IntegrityReport {
  integrityReport { checkedAt checks { name description isWarning violations examples } }
}`

const (
	// probeTimeout is how long a server may take to say that it is ready.
	probeTimeout = 10 * time.Second
	// maxMetricsBytes is how much of /metrics is read.
	maxMetricsBytes = 1 << 20
)

// Server asks a running server whether it is ready, which version it has, and whether the promises
// hold.
func (r *Report) Server(ctx context.Context, asked *client.Client, version string) {
	if text, err := get(ctx, asked, "/readyz"); err != nil {
		r.addf("server", Failed, "%s at %s. Look at its log.", err, asked.Address)
		return
	} else if strings.TrimSpace(text) != "ready" {
		r.addf("server", Failed, "What answers at %s is no couponql that is ready: %.80q.",
			asked.Address, text)
		return
	}
	r.addf("server", OK, "It is ready at %s.", asked.Address)
	r.version(ctx, asked, version)
	var answer struct {
		IntegrityReport struct {
			CheckedAt time.Time                `json:"checkedAt"`
			Checks    []*coupon.IntegrityCheck `json:"checks"`
		} `json:"integrityReport"`
	}
	if err := asked.Do(ctx, integrityAsk, nil, &answer); err != nil {
		r.addf("integrity", Failed, "The server does not tell: %s.", err)
		return
	}
	r.integrity(&coupon.IntegrityReport{
		CheckedAt: answer.IntegrityReport.CheckedAt, Checks: answer.IntegrityReport.Checks,
	}, "")
}

// version compares the server's version with that of this program.
func (r *Report) version(ctx context.Context, asked *client.Client, version string) {
	text, err := get(ctx, asked, "/metrics")
	if err != nil {
		r.addf("version", Warning, "The server does not tell its version: %s.", err)
		return
	}
	_, rest, isThere := strings.Cut(text, `couponql_build_info{`)
	_, rest, isNamed := strings.Cut(rest, `version="`)
	running, _, _ := strings.Cut(rest, `"`)
	switch {
	case !isThere || !isNamed:
		r.addf("version", Warning,
			"The server does not tell its version in /metrics: it is older than this program (%s).", version)
	case running != version:
		r.addf("version", Warning,
			"The server is %s and this program %s: ask with the program that the server runs.",
			running, version)
	default:
		r.addf("version", OK, "The server and this program are %s.", version)
	}
}

// get reads a short answer of the server.
func get(ctx context.Context, asked *client.Client, path string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, asked.Address+path, http.NoBody)
	if err != nil {
		return "", err
	}
	asked.Authorize(request)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", errors.New("no server answers")
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxMetricsBytes))
	if err != nil {
		return "", errors.New("the server breaks off")
	}
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("the server answers %s (%.80s)", response.Status,
			strings.TrimSpace(string(text)))
	}
	return string(text), nil
}
