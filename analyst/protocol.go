package analyst

import (
	"encoding/json"

	"couponql/coupon"
)

// task is what a process is to do with a query.
type task string

const (
	// taskCheck only looks whether the query can be answered.
	taskCheck task = "check"
	// taskRows gives the first rows.
	taskRows task = "rows"
	// taskFile writes all rows to a file.
	taskFile task = "file"
)

// request is what the server asks of a process, one line of JSON.
type request struct {
	Task  task   `json:"task"`
	Query string `json:"query"`
	// Limit is how many rows are wanted.
	Limit int `json:"limit,omitempty"`
	// MemoryLimit is as the engine reads it, MemoryBytes the same in bytes.
	MemoryLimit string `json:"memoryLimit"`
	MemoryBytes uint64 `json:"memoryBytes"`
	// CPUSeconds is how much time of processors the process may use.
	CPUSeconds uint64 `json:"cpuSeconds"`
	// File is the file to write, in a folder of its own, and FileBytes how large it may become.
	File      string `json:"file,omitempty"`
	FileBytes uint64 `json:"fileBytes,omitempty"`
	// Format and IsSpreadsheetSafe say how to write it.
	Format            coupon.FileFormat `json:"format,omitempty"`
	IsSpreadsheetSafe bool              `json:"isSpreadsheetSafe,omitempty"`
}

// line is one line of JSON of a process's answer: the columns first, then rows, and an end.
type line struct {
	Columns []*coupon.SQLColumn `json:"columns,omitempty"`
	Row     []json.RawMessage   `json:"row,omitempty"`
	End     *end                `json:"end,omitempty"`
}

// end is how an answer ends.
type end struct {
	IsTruncated bool    `json:"isTruncated,omitempty"`
	ElapsedMs   float64 `json:"elapsedMs,omitempty"`
	RowCount    int     `json:"rowCount,omitempty"`
	// Code and Message say what the caller must know, NeedsMemory that the memory did not suffice,
	// and Failure what is for the log.
	Code        coupon.ErrorCode `json:"code,omitempty"`
	Message     string           `json:"message,omitempty"`
	NeedsMemory bool             `json:"needsMemory,omitempty"`
	Failure     string           `json:"failure,omitempty"`
}
