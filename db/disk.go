package db

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/marcboeker/go-duckdb/v2"

	"couponql/coupon"
)

// A write is refused unless this much of the disk is free when it is committed. From time to time a commit
// makes the engine fold its log, of at most 16 MB, into the file (a checkpoint); when that runs out of disk,
// the engine is lost (see fail). The outcome of a job may go deeper, so that it is told.
const (
	minFreeDisk           = 64 << 20
	minFreeDiskForOutcome = 16 << 20
)

// ErrDiskFull is the cause of errors of writes for which the disk has no room. Nothing of them remains.
var ErrDiskFull error = &coupon.UnavailableError{
	Cause:  "the disk is full",
	Reason: "The server's disk is full", Advice: "Free space there and try again.",
}

// ErrMemory is the cause of errors of statements for which the engine had not enough memory, because of what they ask or because
// of what others ask at the same time. Nothing of them remains.
var ErrMemory error = &coupon.UnavailableError{
	Cause:  "the engine is out of memory",
	Reason: "Other work takes the memory of the server's database",
	Advice: fmt.Sprintf("Try again in %s.", coupon.RetryAfter), RetryAfter: coupon.RetryAfter,
	// The engine is given too little, or asked too much.
	IsLogged: true,
}

// checkDisk returns ErrDiskFull unless so many bytes of the disk are free.
func (s *Store) checkDisk(reserve uint64) error {
	free, err := freeDisk(filepath.Dir(s.options.Path))
	if err != nil {
		return fmt.Errorf("look how much of the disk is free: %w", err)
	}
	if free < reserve {
		return fmt.Errorf("%w: %d MB are free, and %d MB are kept in reserve", ErrDiskFull, free>>20, reserve>>20)
	}
	return nil
}

// storageError names what was being done, and tells a full disk, which an operator can mend, from
// everything else.
func storageError(doing string, err error) error {
	if errors.Is(err, syscall.ENOSPC) || strings.Contains(err.Error(), "No space left on device") {
		return fmt.Errorf("%s: %w: %w", doing, ErrDiskFull, err)
	}
	if engine, ok := errors.AsType[*duckdb.Error](err); ok && engine.Type == duckdb.ErrorTypeOutOfMemory {
		return fmt.Errorf("%s: %w: %w", doing, ErrMemory, err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// isLost tells errors after which the engine answers nothing any more.
func isLost(err error) bool {
	engine, ok := errors.AsType[*duckdb.Error](err)
	return ok && (engine.Type == duckdb.ErrorTypeFatal || engine.Type == duckdb.ErrorTypeInternal)
}

// isConflict tells errors of a transaction that changes a row which another one changed since it began.
func isConflict(err error) bool {
	engine, ok := errors.AsType[*duckdb.Error](err)
	return ok && engine.Type == duckdb.ErrorTypeTransaction
}

// fail ends the work of a store whose commit failed, and gives the error. What the engine then has in memory
// is not what is on disk: after a checkpoint that ran out of disk, committed rows are missing, and the next
// checkpoint, which closing makes too, would write that to the file. What is on disk is whole: a new start of
// the process reads it again.
func (s *Store) fail(err error) error {
	s.failOnce.Do(func() {
		s.failure = fmt.Errorf("the database engine failed, and the process must start anew: %w", err)
		close(s.failed)
	})
	return err
}

// Failed gives a channel that is closed when the engine failed. Nothing can be read or written then, Close
// tells why and leaves the file alone, and the process has to end: the engine is freed with it.
func (s *Store) Failed() <-chan struct{} { return s.failed }

// whole returns an error once the engine failed.
func (s *Store) whole() error {
	select {
	case <-s.failed:
		return s.failure
	default:
		return nil
	}
}
