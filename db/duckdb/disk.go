package duckdb

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/marcboeker/go-duckdb/v2"

	"couponql/unavailable"
)

// ErrDiskFull is the cause of errors of writes for which the disk has no room. Nothing of them
// remains.
var ErrDiskFull error = &unavailable.Error{
	Cause: "the disk is full", Reason: "The server's disk is full",
	Advice: "Free space there and try again.",
}

// ErrMemory is the cause of errors of statements for which the engine had not enough memory,
// because of what they ask or because of what others ask at the same time. Nothing of them remains.
var ErrMemory error = &unavailable.Error{
	Cause:  "the engine is out of memory",
	Reason: "The server's database has too little memory for this beside its other work",
	Advice: fmt.Sprintf("Try again in %s. If that does not help, ask for less at once, or let the database take more (--memory-limit).",
		unavailable.RetryAfter),
	RetryAfter: unavailable.RetryAfter,
	// The engine is given too little, or asked too much.
	IsLogged: true,
}

// DiskError is an ErrDiskFull that tells how much room there is, and how much there must be.
type DiskError struct{ Free, Needed uint64 }

func (e *DiskError) Error() string { return ErrDiskFull.Error() + ": " + e.room() }

// Unwrap makes it an ErrDiskFull, and tells callers how much room there is.
func (e *DiskError) Unwrap() []error {
	return []error{
		&unavailable.Error{
			Cause: e.Error(), Reason: "The server's disk is full: " + e.room(),
			Advice: "Free space there and try again.",
		},
		ErrDiskFull,
	}
}

func (e *DiskError) room() string {
	const mb = 1 << 20
	return fmt.Sprintf("%d MB are free, and %d MB are needed", e.Free/mb, (e.Needed+mb-1)/mb)
}

// CheckDisk returns a DiskError unless so many bytes of the disk are free that the database is on.
func (e *Engine) CheckDisk(reserve uint64) error {
	_, err := e.FreeBeyond(reserve)
	return err
}

// FreeBeyond returns how many bytes of that disk are free beyond a reserve, and a DiskError when it
// is not.
func (e *Engine) FreeBeyond(reserve uint64) (uint64, error) {
	free, err := FreeDisk(filepath.Dir(e.options.Path))
	if err != nil {
		return 0, fmt.Errorf("look how much of the disk is free: %w", err)
	}
	if free < reserve {
		return 0, &DiskError{Free: free, Needed: reserve}
	}
	return free - reserve, nil
}

// StorageError returns the error with what was being done. A full disk, too little memory and an
// engine that was closed have errors of their own.
func StorageError(doing string, err error) error {
	if errors.Is(err, syscall.ENOSPC) || strings.Contains(err.Error(), "No space left on device") {
		return fmt.Errorf("%s: %w: %w", doing, ErrDiskFull, err)
	}
	// The library has no errors to compare these with.
	if text := err.Error(); strings.Contains(text, "sql: database is closed") ||
		strings.Contains(text, "sql: statement is closed") {
		return fmt.Errorf("%s: %w: %w", doing, ErrClosed, err)
	}
	if engine, ok := errors.AsType[*duckdb.Error](err); ok &&
		engine.Type == duckdb.ErrorTypeOutOfMemory {
		// What the memory has no room for goes to the disk, of which the engine leaves a part to
		// others.
		if strings.Contains(err.Error(), "max_temp_directory_size") {
			return fmt.Errorf("%s: %w: %w", doing, ErrDiskFull, err)
		}
		return fmt.Errorf("%s: %w: %w", doing, ErrMemory, err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// IsLost reports whether an error is one after which the engine answers nothing any more.
func IsLost(err error) bool {
	engine, ok := errors.AsType[*duckdb.Error](err)
	return ok && (engine.Type == duckdb.ErrorTypeFatal || engine.Type == duckdb.ErrorTypeInternal)
}

// IsConflict reports whether an error is that of a transaction that changes a row which another one
// changed since it began.
func IsConflict(err error) bool {
	engine, ok := errors.AsType[*duckdb.Error](err)
	return ok && engine.Type == duckdb.ErrorTypeTransaction
}
