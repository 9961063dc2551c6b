package db

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"couponql/db/duckdb"
)

// mark is an empty file beside a database that tells of a start which did not come to its end, so
// that the next one does what is still to be done. It is called like the database, with the mark
// behind.
type mark string

const (
	// markFirst: the database is being made, and nothing was acknowledged yet. A file with nothing
	// in it and without this mark has lost its log.
	markFirst mark = ".first-start"
	// markCut: acknowledged changes were, or are about to be, cut off with the log, and what
	// follows from that was not done.
	markCut mark = ".log-cut"
)

// marks are all of them.
func marks() []mark { return []mark{markFirst, markCut} }

// set brings the mark to the disk before it returns.
func (m mark) set(path string) error {
	const what = "mark the start on a database"
	file, err := os.OpenFile(path+string(m), os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return duckdb.StorageError(what, err)
	}
	if err := errors.Join(file.Sync(), file.Close()); err != nil {
		return duckdb.StorageError(what, err)
	}
	return duckdb.SyncFolder(filepath.Dir(path))
}

func (m mark) isSet(path string) (bool, error) {
	_, err := os.Stat(path + string(m))
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for the mark of a start: %w", err)
	}
	return true, nil
}

// remove takes the mark away, if it is set, for good.
func (m mark) remove(path string) error {
	err := os.Remove(path + string(m))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("take away the mark of a start: %w", err)
	}
	return duckdb.SyncFolder(filepath.Dir(path))
}
