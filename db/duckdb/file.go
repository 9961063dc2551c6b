package duckdb

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"

	"github.com/marcboeker/go-duckdb/v2"
)

// LogSuffix and the name of a database file are the name of the engine's log, which is part of the
// database.
const LogSuffix = ".wal"

// CheckFile looks whether there is something that the engine may be given as a database, before it
// is: the engine would take an empty file for a new database, and look for an extension that reads
// what others wrote. isNew: there is none yet.
func CheckFile(path string) (isNew bool, err error) {
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		return true, refuseOrphan(path)
	}
	if err != nil {
		return false, fmt.Errorf("open %s: %w", path, err)
	}
	switch {
	case info.IsDir():
		return false, fmt.Errorf("open %s: it is a folder; give the file of a database", path)
	case !info.Mode().IsRegular():
		return false,
			fmt.Errorf("open %s: it is no ordinary file; give the file of a database", path)
	case info.Size() == 0:
		return false, fmt.Errorf("open %s: it is empty, so it is no database any more; restore a backup, or delete it to begin with a new database", path)
	}
	file, err := os.Open(path)
	if err != nil {
		return false, fmt.Errorf("open the database: %w", err)
	}
	defer func() { _ = file.Close() }()
	// The engine's file begins with a checksum of eight bytes and its mark.
	const mark, markAt = "DUCK", 8
	beginning := make([]byte, 16)
	read, err := io.ReadFull(file, beginning)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return false, fmt.Errorf("open %s: %w", path, err)
	}
	beginning = beginning[:read]
	switch {
	case bytes.HasPrefix(beginning, []byte("SQLite format 3")):
		return false, fmt.Errorf(
			"open %s: it is a database of SQLite, not of couponql; give another file", path,
		)
	case len(beginning) < markAt+len(mark) || string(beginning[markAt:markAt+len(mark)]) != mark:
		return false, fmt.Errorf("open %s: it is no database, or its beginning is damaged; give another file, or restore a backup", path)
	}
	return false, nil
}

// refuseOrphan returns an error when a database is gone and its log is there, which the engine
// would take for that of a new one.
func refuseOrphan(path string) error {
	info, err := os.Stat(path + LogSuffix)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	if info.Size() == 0 {
		return nil
	}
	return fmt.Errorf(
		"open %s: it does not exist, but its log %s does, which has changes that belong to it; bring the file back, restore a backup, or move the log away to begin with a new database",
		path,
		path+LogSuffix,
	)
}

// Probe opens a database without changing it, and gives the engine's error.
func Probe(path string) error {
	connector, err := duckdb.NewConnector(path+withoutExtensions+readOnly, nil)
	if err != nil {
		return err
	}
	return connector.Close()
}

// CopyDurably copies a file to a new one, which only its owner may read, and brings it to the disk.
// It returns ErrDiskFull, and begins nothing, where the copy would leave less of the disk free than
// the reserve. Of a copy that failed nothing stays.
func CopyDurably(from, to, what string, reserve uint64) (err error) {
	source, err := os.Open(from)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	defer func() { _ = source.Close() }()
	info, err := source.Stat()
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	free, err := FreeDisk(filepath.Dir(to))
	if err != nil {
		return fmt.Errorf("%s: look how much of the disk is free: %w", what, err)
	}
	if needed := uint64(info.Size()) + reserve; free < needed {
		return fmt.Errorf("%s: %w; make room and try again", what,
			&DiskError{Free: free, Needed: needed})
	}
	target, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	defer func() {
		if closed := target.Close(); err == nil && closed != nil {
			err = StorageError(what, closed)
		}
		if err != nil {
			err = errors.Join(err, os.Remove(to))
		}
	}()
	if _, err := io.Copy(target, source); err != nil {
		return StorageError(what, err)
	}
	if err := target.Sync(); err != nil {
		return StorageError(what, err)
	}
	return nil
}

// SyncFolder brings the list of names of a folder to the disk. Windows knows no such thing.
func SyncFolder(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	folder, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("sync a folder: %w", err)
	}
	if err := errors.Join(folder.Sync(), folder.Close()); err != nil {
		return fmt.Errorf("sync a folder: %w", err)
	}
	return nil
}
