package main

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
)

// TestLogOfLibraries: what libraries write to the program's log is not told, and what a client can
// make the HTTP server write is told a few times a second, each on one line that is not longer than
// it may be.
func TestLogOfLibraries(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	handler := slog.NewTextHandler(&out,
		&slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: cutAttribute})
	slog.New(libraryLog{handler}).With("a",
		"PLANTED").WithGroup("PLANTED").Error("PLANTED\nlevel=ERROR", "b", "PLANTED")
	if got := out.String(); strings.Contains(got, "PLANTED") || strings.Count(got, "\n") != 1 ||
		!strings.Contains(got, "bytes=19") {
		t.Errorf("logged: %s", got)
	}
	out.Reset()
	log := slog.NewLogLogger(newSparseLog(handler), slog.LevelWarn)
	for range 1000 {
		log.Print("http: a line\n" + strings.Repeat("x", 20_000))
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) < sparseLines || len(lines) > 10*sparseLines {
		t.Errorf("%d lines of 1000 are logged", len(lines))
	}
	slog.New(handler).Error("one", "error", errors.New(strings.Repeat("é", 20_000)), "text",
		strings.Repeat("y", 20_000))
	for line := range strings.SplitSeq(out.String(), "\n") {
		if len(line) > 3*maxLogged {
			t.Errorf("a line has %d bytes", len(line))
		}
	}
}
