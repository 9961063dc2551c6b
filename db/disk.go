package db

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/marcboeker/go-duckdb/v2"
)

// A write is refused unless this much of the disk is free when it is committed. From time to time a commit
// makes the engine fold its log, of at most 16 MB, into the file (a checkpoint); when that runs out of disk,
// the engine is lost (see fail). The outcome of a job may go deeper, so that it is told.
const (
	minFreeDisk           = 64 << 20
	minFreeDiskForOutcome = 16 << 20
)

// ErrDiskFull is the cause of errors of writes for which the disk has no room. Nothing of them remains.
var ErrDiskFull = errors.New("the disk is full")

// ErrMemory is the cause of errors of statements for which the engine had not enough memory, because of what they ask or because
// of what others ask at the same time. Nothing of them remains.
var ErrMemory = errors.New("the engine is out of memory")

// DiskError is an ErrDiskFull that tells how much room there is, and how much there must be.
type DiskError struct{ Free, Needed uint64 }

func (e *DiskError) Error() string { return ErrDiskFull.Error() + ": " + e.room() }

// Is makes it an ErrDiskFull.
func (e *DiskError) Is(target error) bool { return target == ErrDiskFull }

func (e *DiskError) room() string {
	const mb = 1 << 20
	return fmt.Sprintf("%d MB are free, and %d MB are needed", e.Free/mb, (e.Needed+mb-1)/mb)
}

// DiskNotice says of an ErrDiskFull, to whom it keeps from something, that the disk is full and how much of it is free, if that is
// known. What came of it and what to do is to follow.
func DiskNotice(err error) string {
	if known, ok := errors.AsType[*DiskError](err); ok {
		return "The server's disk is full: " + known.room() + "."
	}
	return "The server's disk is full."
}

// checkDisk returns a DiskError unless so many bytes of the disk are free.
func (s *Store) checkDisk(reserve uint64) error {
	free, err := freeDisk(filepath.Dir(s.options.Path))
	if err != nil {
		return fmt.Errorf("look how much of the disk is free: %w", err)
	}
	if free < reserve {
		return &DiskError{Free: free, Needed: reserve}
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
		// What the memory has no room for goes to the disk, of which the engine leaves a part to others.
		if strings.Contains(err.Error(), "max_temp_directory_size") {
			return fmt.Errorf("%s: %w: %w", doing, ErrDiskFull, err)
		}
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
