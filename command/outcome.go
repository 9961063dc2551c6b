package command

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"couponql/coupon"
)

// outcome is what became of an import.
type outcome struct {
	// raw is all that the server says of it.
	raw json.RawMessage

	ID                 string              `json:"id"`
	Status             coupon.ImportStatus `json:"status"`
	IsDryRun           bool                `json:"isDryRun"`
	FileName           string              `json:"fileName"`
	RowsRead           int                 `json:"rowsRead"`
	RowsImported       int                 `json:"rowsImported"`
	RowsRejected       int                 `json:"rowsRejected"`
	RejectionsByReason []rejectionCount    `json:"rejectionsByReason"`
	Rejections         firstRejections     `json:"rejections"`
	RejectsURL         *string             `json:"rejectsUrl"`
	SameFileAs         *earlierImport      `json:"sameFileAs"`
	Warnings           []warning           `json:"warnings"`
	Changes            changes             `json:"changes"`
	Failure            *string             `json:"failure"`
	Format             coupon.FileFormat   `json:"format"`
	Layout             *layout             `json:"layout"`
}

// layout is how the server read the file.
type layout struct {
	Delimiter          *string           `json:"delimiter"`
	DelimiterCertainty *coupon.Certainty `json:"delimiterCertainty"`
	Encoding           *string           `json:"encoding"`
	EncodingCertainty  *coupon.Certainty `json:"encodingCertainty"`
	HasHeader          bool              `json:"hasHeader"`
	HeaderCertainty    *coupon.Certainty `json:"headerCertainty"`
	Columns            []layoutColumn    `json:"columns"`
	Sample             []sampleRow       `json:"sample"`
}

type layoutColumn struct {
	Name      string            `json:"name"`
	Field     *string           `json:"field"`
	Certainty *coupon.Certainty `json:"certainty"`
}

type sampleRow struct {
	Line   int      `json:"line"`
	Values []string `json:"values"`
}

// maxColumnsShown is how many columns of a file are shown.
const maxColumnsShown = 50

// show tells how the file was read; a dry run shows its first rows too.
func (l *layout) show(format coupon.FileFormat, hasSample bool, line func(format string, args ...any)) {
	parts := []string{string(format)}
	if l.Delimiter != nil {
		parts = append(parts, fmt.Sprintf("delimiter %q", *l.Delimiter)+doubt(l.DelimiterCertainty))
	}
	if l.Encoding != nil {
		parts = append(parts, *l.Encoding+doubt(l.EncodingCertainty))
	}
	header := "no header"
	if l.HasHeader {
		header = "header"
	}
	line("read as %s", strings.Join(append(parts, header+doubt(l.HeaderCertainty)), ", "))
	for i, column := range l.Columns {
		switch {
		case i == maxColumnsShown:
			line("  and %d more columns", len(l.Columns)-i)
			return
		case column.Field != nil:
			line("  %s -> %s%s", column.Name, *column.Field, doubt(column.Certainty))
		case column.Name != "":
			line("  %s is not read", column.Name)
		}
	}
	if !hasSample {
		return
	}
	for _, row := range l.Sample {
		line("  line %d: %s", row.Line, strings.Join(row.Values, " | "))
	}
}

// doubt marks what is a guess.
func doubt(certainty *coupon.Certainty) string {
	if certainty != nil && *certainty == coupon.CertaintyGuessed {
		return " (guessed)"
	}
	return ""
}

// rejectionCount is how many rows were not imported for a reason.
type rejectionCount struct {
	Reason coupon.RejectionReason `json:"reason"`
	Count  int                    `json:"count"`
}

// firstRejections are the first rows that were not imported.
type firstRejections struct {
	Nodes []rejection `json:"nodes"`
}

// rejection is a row that was not imported.
type rejection struct {
	Line    int                    `json:"line"`
	Reason  coupon.RejectionReason `json:"reason"`
	Message string                 `json:"message"`
	Value   *string                `json:"value"`
}

// earlierImport is one of the same file.
type earlierImport struct {
	ID        string `json:"id"`
	FileName  string `json:"fileName"`
	CreatedAt string `json:"createdAt"`
}

// warning says what is odd about a file.
type warning struct {
	Text string `json:"text"`
}

// changes counts what is different now.
type changes struct {
	Added   int `json:"added"`
	Changed int `json:"changed"`
	Removed int `json:"removed"`
	Cleared int `json:"cleared"`
	Voided  int `json:"voided"`

	Quarantined     int `json:"quarantined"`
	PendingMessages int `json:"pendingMessages"`
}

// code returns the exit code.
func (o *outcome) code() int {
	switch {
	case o.Status != coupon.ImportSucceeded:
		return codeFailed
	case o.RowsRejected > 0:
		return codeRejected
	default:
		return 0
	}
}

// isClean reports whether there is nothing that somebody should look at.
func (o *outcome) isClean() bool { return o.code() == 0 && len(o.Warnings) == 0 && o.SameFileAs == nil }

// text tells the outcome to people.
func (o *outcome) text() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, "  "+format+"\n", args...) }
	fmt.Fprintf(&b, "%s: %s as %s\n", o.FileName, o.verb(), o.ID)
	if o.Failure != nil {
		line("%s", *o.Failure)
	}
	imported := "imported"
	if o.IsDryRun {
		imported = "would be imported"
	}
	if o.Layout != nil {
		o.Layout.show(o.Format, o.IsDryRun, line)
	}
	line("%d rows read, %d %s, %d rejected", o.RowsRead, o.RowsImported, imported, o.RowsRejected)
	if o.Status == coupon.ImportSucceeded {
		line("%s", o.difference())
	}
	for _, r := range o.RejectionsByReason {
		line("%d %s: %s", r.Count, r.Reason, o.explain(r.Reason))
	}
	for _, w := range o.Warnings {
		line("warning: %s", w.Text)
	}
	if same := o.SameFileAs; same != nil {
		line("warning: the same file was imported before: %s, %s of %s", same.ID, same.FileName, same.CreatedAt)
	}
	return b.String()
}

func (o *outcome) verb() string {
	switch {
	case o.Status == coupon.ImportCanceled:
		return "canceled"
	case o.Status != coupon.ImportSucceeded:
		return "not imported"
	case o.IsDryRun:
		return "checked"
	default:
		return "imported"
	}
}

// difference says what is different now.
func (o *outcome) difference() string {
	var parts []string
	for _, part := range []struct {
		count int
		verb  string
	}{
		{o.Changes.Added, "added"},
		{o.Changes.Changed, "changed"},
		{o.Changes.Removed, "removed"},
		{o.Changes.Cleared, "cleared of values"},
		{o.Changes.Voided, "voided"},
		{o.Changes.Quarantined, "in quarantine"},
		{o.Changes.PendingMessages, "messages to be canceled"},
	} {
		if part.count > 0 {
			parts = append(parts, strconv.Itoa(part.count)+" "+part.verb)
		}
	}
	if len(parts) == 0 {
		return "nothing changed"
	}
	text := strings.Join(parts, ", ")
	if o.IsDryRun {
		return "would be changed: " + text
	}
	return text
}

// explain says what a reason means, with the first row that it concerns if that is known.
func (o *outcome) explain(reason coupon.RejectionReason) string {
	for _, r := range o.Rejections.Nodes {
		if r.Reason != reason {
			continue
		}
		if r.Value == nil || strings.HasPrefix(r.Message, strconv.Quote(*r.Value)) {
			return fmt.Sprintf("%s (first in line %d)", r.Message, r.Line)
		}
		return fmt.Sprintf("%s (first in line %d: %q)", r.Message, r.Line, *r.Value)
	}
	return reason.Message()
}

// writeJSON writes one line of JSON to standard output.
func (c *Console) writeJSON(value any) error {
	encoder := json.NewEncoder(c.out)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(value)
}
