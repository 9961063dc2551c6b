package command

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"couponql/client"
	"couponql/coupon"
)

// SQL asks a running server in SQL.
type SQL struct {
	addressFlag

	Query  string       `arg:"" help:"One SELECT in DuckDB's SQL, over the views coupons, codes, recipients, deliveries, messages, quarantine, redemptions, imports, batches, claims and labels; - reads it from standard input."`
	Format resultFormat `default:"table" help:"How to write the rows: table, csv or json." placeholder:"FORMAT"`
	Limit  int          `default:"1000" help:"Maximum number of rows, up to 10,000; exportSql of the API has no limit."`
	Quiet  bool         `short:"q" help:"Do not write the number of rows and their age."`
}

// resultFormat is how rows are written.
type resultFormat string

const (
	resultTable resultFormat = "TABLE"
	resultCSV   resultFormat = "CSV"
	resultJSON  resultFormat = "JSON"
)

// UnmarshalText reads a flag.
func (f *resultFormat) UnmarshalText(text []byte) error {
	return choose(text, f, resultTable, resultCSV, resultJSON)
}

// Help is what --help says beside the flags.
func (*SQL) Help() string {
	return `Exit codes: 0 all went well; 1 the server could not be reached, or the query was refused or took too long; 2 wrong
usage; 130 interrupted, which ends the query.`
}

// Validate refuses what makes no sense before anything is asked.
func (c *SQL) Validate() error {
	if err := c.check(); err != nil {
		return err
	}
	if strings.TrimSpace(c.Query) == "" {
		return errors.New("the query is empty")
	}
	if c.Limit < 1 || c.Limit > coupon.MaxSQLRows {
		return fmt.Errorf("--limit=%d: must be 1 to %d", c.Limit, coupon.MaxSQLRows)
	}
	return nil
}

// answered is what the server answers.
type answered struct {
	Columns       []coupon.SQLColumn  `json:"columns"`
	Rows          [][]json.RawMessage `json:"rows"`
	RowCount      int                 `json:"rowCount"`
	IsTruncated   bool                `json:"isTruncated"`
	ElapsedMs     float64             `json:"elapsedMs"`
	SnapshotAgeMs float64             `json:"snapshotAgeMs"`
}

// Run asks, and writes the rows to standard output.
func (c *SQL) Run(ctx context.Context, console *Console) error {
	answer, err := c.ask(ctx, console)
	if err == nil {
		err = c.write(console, answer)
	}
	if err == nil {
		return nil
	}
	return console.failed(ctx, err)
}

func (c *SQL) ask(ctx context.Context, console *Console) (*answered, error) {
	query := c.Query
	if query == standardStream {
		read, err := io.ReadAll(io.LimitReader(console.in, coupon.MaxSQLQueryBytes+1))
		if err != nil {
			return nil, fmt.Errorf("read the query: %w", err)
		}
		query = string(read)
	}
	var answer struct{ SQL answered }
	err := client.New(c.URL, c.Key).Do(ctx, sqlAsk,
		client.Variables{"query": query, "limit": c.Limit}, &answer)
	return &answer.SQL, err
}

func (c *SQL) write(console *Console, answer *answered) error {
	out := bufio.NewWriter(console.out)
	var err error
	switch c.Format {
	case resultTable:
		_, err = fmt.Fprintln(out, answer.table())
	case resultCSV:
		err = answer.writeCSV(out)
	case resultJSON:
		err = answer.writeJSON(out)
	}
	if err := errors.Join(err, out.Flush()); err != nil {
		return fmt.Errorf("write the rows: %w", err)
	}
	if answer.IsTruncated {
		console.complainf("only the first %d rows: there are more; give --limit, up to %d",
			answer.RowCount, coupon.MaxSQLRows)
	} else if c.Format == resultTable && !c.Quiet {
		ms := func(count float64) time.Duration {
			return time.Duration(count * float64(time.Millisecond)).Round(time.Millisecond)
		}
		_, err = fmt.Fprintf(console.err, "%d rows in %s, as of %s ago\n", answer.RowCount,
			ms(answer.ElapsedMs), ms(answer.SnapshotAgeMs))
	}
	return err
}

// table returns the rows as a table, numbers to the right.
func (a *answered) table() string {
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Format.Header = text.FormatDefault
	header := make(table.Row, len(a.Columns))
	configs := make([]table.ColumnConfig, len(a.Columns))
	for i, c := range a.Columns {
		header[i] = oneLine(c.Name)
		configs[i] = table.ColumnConfig{
			Number: i + 1, Align: text.AlignLeft, AlignHeader: text.AlignLeft,
		}
		if isNumber(c.Type) {
			configs[i].Align, configs[i].AlignHeader = text.AlignRight, text.AlignRight
		}
	}
	t.AppendHeader(header)
	t.SetColumnConfigs(configs)
	for _, values := range a.Rows {
		row := make(table.Row, len(values))
		for i, value := range values {
			row[i] = "NULL"
			if shown, isNull := plain(value); !isNull {
				row[i] = oneLine(shown)
			}
		}
		t.AppendRow(row)
	}
	return t.Render()
}

// isNumber reports whether a type of the engine is that of numbers.
func isNumber(kind string) bool {
	return !strings.HasSuffix(kind, "]") &&
		(strings.HasSuffix(kind, "INT") || strings.HasSuffix(kind, "INTEGER") ||
			strings.HasPrefix(kind, "DECIMAL") || kind == "DOUBLE" || kind == "FLOAT")
}

// plain returns a value as people write it: texts without quotes, all else as JSON has it.
func plain(value json.RawMessage) (shown string, isNull bool) {
	if string(value) == "null" {
		return "", true
	}
	if json.Unmarshal(value, &shown) == nil {
		return shown, false
	}
	return string(value), false
}

// oneLine keeps text inside its cell, and from playing tricks on the terminal.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return ' '
		}
		return r
	}, printable(text))
}

func (a *answered) writeCSV(out io.Writer) error {
	w := csv.NewWriter(out)
	fields := make([]string, len(a.Columns))
	for i, c := range a.Columns {
		fields[i] = c.Name
	}
	if err := w.Write(fields); err != nil {
		return err
	}
	for _, row := range a.Rows {
		for i, value := range row {
			fields[i], _ = plain(value)
		}
		if err := w.Write(fields); err != nil {
			return err
		}
	}
	w.Flush()
	return w.Error()
}

// writeJSON writes an array of objects, a line each, with the columns in their order.
func (a *answered) writeJSON(out *bufio.Writer) error {
	var b strings.Builder
	b.WriteString("[")
	for i, row := range a.Rows {
		if i > 0 {
			b.WriteString(",")
		}
		b.WriteString("\n{")
		for j, value := range row {
			name, err := json.Marshal(a.Columns[j].Name)
			if err != nil {
				return err
			}
			if j > 0 {
				b.WriteString(",")
			}
			fmt.Fprintf(&b, "%s:%s", name, value)
		}
		b.WriteString("}")
	}
	b.WriteString("\n]\n")
	_, err := out.WriteString(b.String())
	return err
}
