package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"couponql/coupon"
	"couponql/db/duckdb"
)

// named is a parameter of a statement.
func named(name string, value any) any { return sql.Named(name, value) }

// optional returns what a pointer points to, or NULL.
func optional[T any](value *T) driver.Value {
	if value == nil {
		return nil
	}
	return *value
}

// texts returns enum values as a parameter; none gives NULL, which narrows nothing.
func texts[T ~string](values []T) any {
	if len(values) == 0 {
		return nil
	}
	list := make([]string, len(values))
	for i, value := range values {
		list[i] = string(value)
	}
	return list
}

// numbersOf returns the numbers of the ids of a kind; others name nothing and are left out.
func numbersOf(kind coupon.Kind, ids []coupon.ID) []int64 {
	numbers := make([]int64, 0, len(ids))
	for _, id := range ids {
		if number, err := id.Number(kind); err == nil {
			numbers = append(numbers, number)
		}
	}
	return numbers
}

// unlessZero returns a number as a parameter: nil for 0, which nothing has.
func unlessZero(number int64) any {
	if number == 0 {
		return nil
	}
	return number
}

// optionalNumber returns the number of an id as a parameter: nil for none, 0 (which nothing has)
// for an id that names nothing.
func optionalNumber(kind coupon.Kind, id *coupon.ID) any {
	if id == nil {
		return nil
	}
	number, err := id.Number(kind)
	if err != nil {
		return int64(0)
	}
	return number
}

// equal compares what two pointers point to, or whether neither points to anything.
func equal[T comparable](a, b *T) bool { return a == b || a != nil && b != nil && *a == *b }

// numbersParameter returns ids as a parameter; none gives NULL, which narrows nothing, and ids that
// name nothing are 0, which nothing has.
func numbersParameter(kind coupon.Kind, ids []coupon.ID) any {
	if len(ids) == 0 {
		return nil
	}
	numbers := make([]int64, len(ids))
	for i, id := range ids {
		numbers[i], _ = id.Number(kind)
	}
	return numbers
}

// optionalText returns a word of the schema for a statement, or NULL.
func optionalText[T ~string](word *T) any {
	if word == nil {
		return nil
	}
	return string(*word)
}

// zoneOf returns the time zone of a coupon; UTC when there is none.
func zoneOf(s *Store, couponNumber int64) *time.Location {
	if known := s.memory.Coupon(couponNumber); known != nil {
		if zone, err := coupon.LoadZone(known.Timezone); err == nil {
			return zone
		}
	}
	return time.UTC
}

// between returns numbers as parameters, with their bounds: the engine skips what lies outside.
func between(numbers []int64) []any {
	return []any{
		named("ids", numbers), named("first", slices.Min(numbers)),
		named("last", slices.Max(numbers)),
	}
}

func orEmpty[T any](value *T) (zero T) {
	if value == nil {
		return zero
	}
	return *value
}

// timestampLayout is how the engine reads a TIMESTAMP.
const timestampLayout = "2006-01-02 15:04:05.999999"

// collectNumbers runs a statement that gives numbers packed into texts, one a row.
func collectNumbers(ctx context.Context, q duckdb.Querier, statement string, args ...any) (
	[]int64, error,
) {
	packed, err := duckdb.Collect(ctx, q, statement, duckdb.ScanInto[string], args...)
	if err != nil {
		return nil, err
	}
	var numbers []int64
	for _, text := range packed {
		part, err := parseNumbers(text)
		if err != nil {
			return nil, err
		}
		numbers = append(numbers, part...)
	}
	return numbers, nil
}

// parseNumbers reads numbers that a statement packed into a text; "" gives nil.
func parseNumbers(packed string) ([]int64, error) {
	if packed == "" {
		return nil, nil
	}
	numbers := make([]int64, 0, strings.Count(packed, " ")+1)
	for text := range strings.SplitSeq(packed, " ") {
		number, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("read packed numbers: %w", err)
		}
		numbers = append(numbers, number)
	}
	return numbers, nil
}
