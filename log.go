package main

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"golang.org/x/time/rate"
)

// maxLogged is how many bytes of a value are logged: an error may quote what a client sent, or have the stack of a panic.
const maxLogged = 8 << 10

// cutAttribute cuts what is logged. That it is on one line, and cannot be taken for another, the handlers of slog see to.
func cutAttribute(_ []string, attribute slog.Attr) slog.Attr {
	text := ""
	switch value := attribute.Value.Resolve(); value.Kind() { //nolint:exhaustive // the others are short
	case slog.KindString:
		text = value.String()
	case slog.KindAny:
		if err, isError := value.Any().(error); isError {
			text = err.Error()
		} else if stringer, isStringer := value.Any().(fmt.Stringer); isStringer {
			text = stringer.String()
		}
	}
	if len(text) <= maxLogged {
		return attribute
	}
	return slog.String(attribute.Key, strings.ToValidUTF8(text[:maxLogged], "")+"…")
}

// libraryLog is the log of libraries that write to that of the program, by the package log or slog. They may quote what a client sent, so
// that only it is told that one wrote something, at the level debug: what matters to an operator the libraries return as errors.
type libraryLog struct {
	slog.Handler
}

var _ slog.Handler = libraryLog{}

// Enabled reports whether anything is logged.
func (l libraryLog) Enabled(ctx context.Context, _ slog.Level) bool {
	return l.Handler.Enabled(ctx, slog.LevelDebug)
}

// Handle logs that something was written.
func (l libraryLog) Handle(ctx context.Context, record slog.Record) error {
	told := slog.NewRecord(record.Time, slog.LevelDebug, "a library wrote to the log", 0)
	told.AddAttrs(slog.Int("bytes", len(record.Message)))
	return l.Handler.Handle(ctx, told) //nolint:wrapcheck // it is the handler's
}

// WithAttrs leaves out what a library adds.
func (l libraryLog) WithAttrs([]slog.Attr) slog.Handler { return l }

// WithGroup leaves out what a library adds.
func (l libraryLog) WithGroup(string) slog.Handler { return l }

// sparseLines is how many lines a second the log of the HTTP server has at the most: clients without a key can cause them.
const sparseLines = 5

// sparseLog logs a few lines a second, and no more.
type sparseLog struct {
	slog.Handler

	lines *rate.Limiter
}

var _ slog.Handler = sparseLog{}

func newSparseLog(handler slog.Handler) sparseLog {
	return sparseLog{handler, rate.NewLimiter(rate.Every(time.Second/sparseLines), sparseLines)}
}

// Handle logs a line, unless there were many.
func (l sparseLog) Handle(ctx context.Context, record slog.Record) error {
	if !l.lines.Allow() {
		return nil
	}
	return l.Handler.Handle(ctx, record) //nolint:wrapcheck // it is the handler's
}
