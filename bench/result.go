package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
)

// result is one line of the table.
type result struct {
	Name string  `json:"name"`
	Ours float64 `json:"ours"`
	// Unit is that of Ours and Raw: s, ms, /s, MB, B or × (times).
	Unit string `json:"unit"`
	// Raw is what raw DuckDB SQL takes for the same; 0 where there is no such SQL.
	Raw float64 `json:"raw,omitempty"`
	// Ratio is Ours to Raw.
	Ratio float64 `json:"ratio,omitempty"`
	// Goal is what is promised, "" where nothing is.
	Goal string `json:"goal,omitempty"`
	// IsMet tells whether the goal is met; nil where there is none.
	IsMet *bool `json:"isMet,omitempty"`
	// IsMissing: the server cannot do this yet, and nothing was measured.
	IsMissing bool `json:"isMissing,omitempty"`
}

// goal is what a result must not exceed: an absolute number in its unit, or a ratio to the raw SQL. The
// zero value promises nothing.
type goal struct{ most, mostRatio float64 }

func newResult(name, unit string, ours, raw float64, goal goal) result {
	r := result{Name: name, Ours: ours, Unit: unit, Raw: raw}
	if raw > 0 {
		r.Ratio = ours / raw
	}
	switch {
	case goal.most > 0:
		r.Goal = "≤ " + quantity(goal.most, unit)
		r.IsMet = new(ours <= goal.most)
	case goal.mostRatio > 0:
		r.Goal = fmt.Sprintf("≤ %g × raw", goal.mostRatio)
		r.IsMet = new(r.Ratio <= goal.mostRatio)
	}
	return r
}

// ours gives what was measured, as people read it.
func (r *result) ours() string {
	if r.IsMissing {
		return "not available"
	}
	return quantity(r.Ours, r.Unit)
}

// verdict tells in a word whether the goal is met.
func (r *result) verdict() string {
	switch {
	case r.IsMet == nil:
		return ""
	case *r.IsMet:
		return "ok"
	}
	return "over"
}

// quantity gives a number with three significant digits, and its unit.
func quantity(value float64, unit string) string {
	text := strconv.FormatFloat(value, 'g', 3, 64)
	if value >= 100 {
		text = strconv.FormatFloat(value, 'f', 0, 64)
	}
	if strings.HasPrefix(unit, "/") {
		return text + unit
	}
	return text + " " + unit
}

// printTable prints results as aligned columns.
func printTable(out io.Writer, results []result) error {
	text := &strings.Builder{}
	text.WriteString("measurement\tours\traw SQL\tratio\tgoal\t\n")
	for _, r := range results {
		raw, ratio := "–", "–"
		if r.Raw > 0 {
			raw, ratio = quantity(r.Raw, r.Unit), fmt.Sprintf("%.2f", r.Ratio)
		}
		promised := "–"
		if r.Goal != "" {
			promised = r.Goal
		}
		row := []string{r.Name, r.ours(), raw, ratio, promised, r.verdict()}
		text.WriteString(strings.Join(row, "\t") + "\n")
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	if _, err := io.WriteString(w, text.String()); err != nil {
		return fmt.Errorf("print the table: %w", err)
	}
	return w.Flush()
}
