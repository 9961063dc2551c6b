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
	// Peer is what PostgreSQL takes for the same, and Faster how many times as fast ours is; 0 where it was not asked.
	Peer   float64 `json:"peer,omitempty"`
	Faster float64 `json:"faster,omitempty"`
	// Goal is what is promised, "" where nothing is.
	Goal string `json:"goal,omitempty"`
	// IsMet tells whether the goal is met; nil where there is none.
	IsMet *bool `json:"isMet,omitempty"`
}

// goal is what a result must not exceed, or reach at least: an absolute number in its unit, a ratio to the raw SQL, or
// both. The zero value promises nothing.
type goal struct{ most, least, mostRatio, leastRatio float64 }

func newResult(name, unit string, ours, raw float64, goal goal) result {
	r := result{Name: name, Ours: ours, Unit: unit, Raw: raw}
	if raw > 0 {
		r.Ratio = ours / raw
	}
	var promises []string
	isMet := true
	if goal.most > 0 {
		promises = append(promises, "≤ "+quantity(goal.most, unit))
		isMet = ours <= goal.most
	}
	if goal.least > 0 {
		promises = append(promises, "≥ "+quantity(goal.least, unit))
		isMet = isMet && ours >= goal.least
	}
	if goal.mostRatio > 0 {
		promises = append(promises, fmt.Sprintf("≤ %g × raw", goal.mostRatio))
		isMet = isMet && r.Ratio <= goal.mostRatio
	}
	if goal.leastRatio > 0 {
		promises = append(promises, fmt.Sprintf("≥ %g ×", goal.leastRatio))
		isMet = isMet && r.Ratio >= goal.leastRatio
	}
	if len(promises) > 0 {
		r.Goal, r.IsMet = strings.Join(promises, ", "), &isMet
	}
	return r
}

// newPeerResult returns a result beside PostgreSQL, which ours is to be so many times as fast as at least; 0 promises
// nothing.
func newPeerResult(name, unit string, ours, peer, least float64) result {
	r := result{Name: name, Ours: ours, Unit: unit, Peer: peer, Faster: peer / ours}
	if strings.HasPrefix(unit, "/") {
		r.Faster = ours / peer
	}
	if least > 0 {
		r.Goal = fmt.Sprintf("≥ %g ×", least)
		r.IsMet = new(r.Faster >= least)
	}
	return r
}

// ours returns what was measured, as people read it.
func (r *result) ours() string { return quantity(r.Ours, r.Unit) }

// verdict tells in a word whether the goal is met.
func (r *result) verdict() string {
	switch {
	case r.IsMet == nil:
		return ""
	case *r.IsMet:
		return "ok"
	}
	if r.Peer > 0 || strings.HasPrefix(r.Goal, "≥") {
		return "under"
	}
	return "over"
}

// quantity returns a number with three significant digits, and its unit.
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

// printTable prints results as aligned columns; those beside PostgreSQL are a table of their own.
func printTable(out io.Writer, results []result) error {
	var own, peers []result
	for _, r := range results {
		if r.Peer > 0 {
			peers = append(peers, r)
		} else {
			own = append(own, r)
		}
	}
	err := printRows(out, "measurement\tours\traw SQL\tratio\tgoal\t\n", own)
	if err == nil && len(peers) > 0 {
		err = printRows(out, "\nmeasurement\tours\tPostgreSQL\ttimes as fast\tgoal\t\n", peers)
	}
	return err
}

func printRows(out io.Writer, head string, results []result) error {
	text := &strings.Builder{}
	text.WriteString(head)
	for _, r := range results {
		beside, ratio := "–", "–"
		switch {
		case r.Peer > 0:
			beside, ratio = quantity(r.Peer, r.Unit), fmt.Sprintf("%.1f", r.Faster)
		case r.Raw > 0:
			beside, ratio = quantity(r.Raw, r.Unit), fmt.Sprintf("%.2f", r.Ratio)
		}
		promised := "–"
		if r.Goal != "" {
			promised = r.Goal
		}
		row := []string{r.Name, r.ours(), beside, ratio, promised, r.verdict()}
		text.WriteString(strings.Join(row, "\t") + "\n")
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	if _, err := io.WriteString(w, text.String()); err != nil {
		return fmt.Errorf("print the table: %w", err)
	}
	return w.Flush()
}
