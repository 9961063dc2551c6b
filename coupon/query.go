package coupon

import "time"

// Limits of analysts' SQL.
const (
	// DefaultSQLRows and MaxSQLRows are the default and the largest `limit` of sql.
	DefaultSQLRows = 1000
	MaxSQLRows     = 10_000
	// MaxSQLQueryBytes is the length of the longest query.
	MaxSQLQueryBytes = 64 << 10
	// MaxSQLResultBytes is the size of the largest result of sql, as JSON.
	MaxSQLResultBytes = 8 << 20
)

// SQLColumn is a column of an analyst's query.
type SQLColumn struct {
	Name string `json:"name"`
	// Type is the engine's, such as VARCHAR.
	Type string `json:"type"`
}

// SQLResult is what an analyst's query gave.
type SQLResult struct {
	Columns []*SQLColumn
	// Rows have a json.RawMessage for each column.
	Rows [][]any
	// IsTruncated: the query has more rows.
	IsTruncated bool
	// ElapsedMs is how long the engine worked, in milliseconds.
	ElapsedMs float64
	// SnapshotAt is the instant that the rows tell of, and SnapshotAgeMs how long ago that was, in
	// milliseconds.
	SnapshotAt    time.Time
	SnapshotAgeMs float64
}

// RowCount tells how many rows are here.
func (r *SQLResult) RowCount() int { return len(r.Rows) }

// CheckSQL returns UserErrors with INVALID or QUERY_REJECTED for what cannot be asked.
func CheckSQL(query string, limit int) error {
	var problems UserErrors
	if len(query) > MaxSQLQueryBytes {
		problems = append(problems, errorQueryLength(query).At("query"))
	}
	if limit < 1 || limit > MaxSQLRows {
		problems = append(problems,
			Errorf(ErrorInvalid, "`limit` must be 1 to %d, not %d. For more rows use exportSql.",
				MaxSQLRows, limit).At("limit"))
	}
	return problems.OrNil()
}

func errorQueryLength(query string) *UserError {
	return Errorf(ErrorQueryRejected, "The query has %d bytes; the longest may have %d.",
		len(query), MaxSQLQueryBytes)
}
