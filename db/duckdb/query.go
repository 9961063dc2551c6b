package duckdb

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
)

// Querier runs statements: an Engine, a Tx or a connection.
type Querier interface {
	// QueryContext runs a statement that answers with rows.
	QueryContext(ctx context.Context, statement string, args ...any) (*sql.Rows, error)
}

// Each runs a statement and calls scan with every row of its answer.
func Each(
	ctx context.Context, q Querier, statement string, scan func(*sql.Rows) error, args ...any,
) error {
	rows, err := q.QueryContext(ctx, statement, args...)
	if err != nil {
		return StorageError(Title(statement), err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return fmt.Errorf("%s: scan: %w", Title(statement), err)
		}
	}
	if err := rows.Err(); err != nil {
		return StorageError(Title(statement), err)
	}
	return nil
}

// Collect runs a statement and returns what scan makes of each row of its answer.
func Collect[T any](
	ctx context.Context, q Querier, statement string, scan func(*sql.Rows) (T, error), args ...any,
) ([]T, error) {
	items := []T{}
	err := Each(ctx, q, statement, func(rows *sql.Rows) error {
		item, err := scan(rows)
		items = append(items, item)
		return err
	}, args...)
	if err != nil {
		return nil, err
	}
	return items, nil
}

// ScanInto scans a row of one column.
func ScanInto[T any](rows *sql.Rows) (T, error) {
	var value T
	err := rows.Scan(&value)
	return value, err
}

// One returns the single value of a statement that always has exactly one row.
func One[T any](ctx context.Context, q Querier, statement string, args ...any) (T, error) {
	values, err := Collect(ctx, q, statement, ScanInto[T], args...)
	if err == nil && len(values) != 1 {
		err = fmt.Errorf("%s: %d rows instead of one", Title(statement), len(values))
	}
	if err != nil {
		var zero T
		return zero, err
	}
	return values[0], nil
}

// maxSpread is how many rows are read for each that is wanted before they are picked by number,
// which costs a join.
const maxSpread = 8

// EachNumbered runs a statement whose rows have numbers in a column, and whose condition, which
// ends it, is that the number lies between $first and $last, for these numbers. Rows with others
// may be among those that scan gets.
func EachNumbered(
	ctx context.Context, q Querier, statement, column string, numbers []int64,
	scan func(*sql.Rows) error,
) error {
	if len(numbers) == 0 {
		return nil
	}
	first, last := slices.Min(numbers), slices.Max(numbers)
	args := []any{sql.Named("first", first), sql.Named("last", last)}
	if last-first >= int64(maxSpread*len(numbers)) {
		statement += " AND " + column + " IN (SELECT unnest($ids::BIGINT[]))"
		args = append(args, sql.Named("ids", numbers))
	}
	return Each(ctx, q, statement, scan, args...)
}

// Title returns the first line of a statement, which says what it is for.
func Title(statement string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(statement), "\n")
	return strings.TrimSpace(strings.TrimPrefix(line, "--"))
}

// Quote makes a SQL literal of a setting, which cannot be a parameter. It is used for the
// operator's own settings and for constants of ours, never for input.
func Quote(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// QuoteName makes a name of SQL of the name of a column.
func QuoteName(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
