// Package doctor looks at an installation as an operator would who wonders whether it is well: the database, the disk,
// the machine, the settings, and whether the senders can be reached. It changes nothing and sends nothing.
//
// Each check is one finding: what was looked at, how it stands, and what to do. A check that FAILED means that the
// server does not start, loses something or breaks a promise; a WARNING that somebody should look into it.
package doctor

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode"
)

// Status is how something stands.
type Status string

// What a check can come to.
const (
	OK      Status = "OK"
	Warning Status = "WARNING"
	Failed  Status = "FAILED"
)

// Finding is what a check came to.
type Finding struct {
	// Name is what was looked at, such as "disk".
	Name   string `json:"name"`
	Status Status `json:"status"`
	// Text says how it stands and, unless that is OK, what to do.
	Text string `json:"text"`
}

// Report collects findings.
type Report struct {
	Findings []Finding `json:"findings"`
}

func (r *Report) addf(name string, status Status, format string, args ...any) {
	r.Findings = append(r.Findings, Finding{name, status, fmt.Sprintf(format, args...)})
}

// HasFailed reports whether any check failed.
func (r *Report) HasFailed() bool {
	for _, finding := range r.Findings {
		if finding.Status == Failed {
			return true
		}
	}
	return false
}

// Write writes one line a check.
func (r *Report) Write(out io.Writer) error {
	var b strings.Builder
	for _, finding := range r.Findings {
		fmt.Fprintf(&b, "%-8s %-10s %s\n", strings.ToLower(string(finding.Status)), finding.Name, oneLine(finding.Text))
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// WriteJSON writes one JSON object.
func (r *Report) WriteJSON(out io.Writer) error {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(r)
}

// oneLine keeps a text on its line, and from playing tricks on a terminal.
func oneLine(text string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case unicode.IsSpace(c):
			return ' '
		case unicode.IsPrint(c):
			return c
		}
		return unicode.ReplacementChar
	}, text)
}
