package duckdb

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/marcboeker/go-duckdb/v2"
)

// ErrDiskFull is the cause of errors of writes for which the disk has no room. Nothing of them remains.
var ErrDiskFull = errors.New("the disk is full")

// ErrMemory is the cause of errors of statements for which the engine had not enough memory, because of what they ask or because
// of what others ask at the same time. Nothing of them remains.
var ErrMemory = errors.New("the engine is out of memory")

// CheckDisk returns ErrDiskFull unless so many bytes of the disk are free that the database is on.
func (e *Engine) CheckDisk(reserve uint64) error {
	free, err := FreeDisk(filepath.Dir(e.options.Path))
	if err != nil {
		return fmt.Errorf("look how much of the disk is free: %w", err)
	}
	if free < reserve {
		return fmt.Errorf("%w: %d MB are free, and %d MB are kept in reserve", ErrDiskFull, free>>20, reserve>>20)
	}
	return nil
}

// StorageError returns the error with what was being done. A full disk, and one that is out of memory, have errors of their own.
func StorageError(doing string, err error) error {
	if errors.Is(err, syscall.ENOSPC) || strings.Contains(err.Error(), "No space left on device") {
		return fmt.Errorf("%s: %w: %w", doing, ErrDiskFull, err)
	}
	if engine, ok := errors.AsType[*duckdb.Error](err); ok && engine.Type == duckdb.ErrorTypeOutOfMemory {
		return fmt.Errorf("%s: %w: %w", doing, ErrMemory, err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// IsLost reports whether an error is one after which the engine answers nothing any more.
func IsLost(err error) bool {
	engine, ok := errors.AsType[*duckdb.Error](err)
	return ok && (engine.Type == duckdb.ErrorTypeFatal || engine.Type == duckdb.ErrorTypeInternal)
}

// IsConflict reports whether an error is that of a transaction that changes a row which another one changed since it began.
func IsConflict(err error) bool {
	engine, ok := errors.AsType[*duckdb.Error](err)
	return ok && engine.Type == duckdb.ErrorTypeTransaction
}
