package duckdb

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
)

// The engine's log of a database, beside it until it is brought into the file, begins with logHeader and has entries of
// these words, in little endian: the size of what follows, its checksum, and what follows. The first bytes of that tell what it
// is; logCommit ends a change, which the engine syncs then. See docs/adr/0044-copies.md.
const (
	logHeader      = "\x64\x00\x62\x65\x00\x02\xff\xff"
	logCommit      = "\x64\x00\x64"
	logEntryHeader = 16
	// maxLogEntry is more than the engine ever writes at once: a larger size is none.
	maxLogEntry = 1 << 36
)

// LogState tells how much of a log can be read.
type LogState int

const (
	// LogWhole says that there is none, or all of it can be read.
	LogWhole LogState = iota
	// LogUnfinished says that it ends in the middle of a change, as a crash leaves it; the engine leaves that change out.
	LogUnfinished
	// LogFilled says that behind the last change there are zeros, as some file systems leave them after a power failure.
	LogFilled
	// LogBroken says that something in it cannot be read, and what comes behind it neither.
	LogBroken
	// LogUnknown says that it is written in a way that only another version of the engine knows.
	LogUnknown
)

// LogReading is what became of reading the log of a database.
type LogReading struct {
	path string
	// State tells how much of it can be read.
	State LogState
	// size is how many bytes it has.
	size int64
	// Whole is how many bytes of it are changes that can be read.
	Whole int64
	// Changes counts those.
	Changes int
}

// ReadLog reads the log of the database at a path as the engine will, from beginning to end.
func ReadLog(database string) (*LogReading, error) {
	l := &LogReading{path: database + LogSuffix}
	file, err := os.Open(l.path)
	if errors.Is(err, os.ErrNotExist) {
		return l, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the log of the database: %w", err)
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("read the log of the database: %w", err)
	}
	l.size = info.Size()
	if err := l.read(bufio.NewReaderSize(file, 1<<20)); err != nil {
		return nil, fmt.Errorf("read %s: %w", l.path, err)
	}
	if l.State != LogBroken || l.Whole == 0 {
		return l, nil
	}
	isFilled, err := isZero(file, l.Whole, l.size)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", l.path, err)
	}
	if isFilled {
		l.State = LogFilled
	}
	return l, nil
}

// read goes from entry to entry. A change that is not followed by its end is left out, whatever comes of the rest.
func (l *LogReading) read(in *bufio.Reader) error {
	if l.size == 0 {
		return nil
	}
	header := make([]byte, len(logHeader))
	if _, err := io.ReadFull(in, header); errors.Is(err, io.ErrUnexpectedEOF) {
		l.State = LogUnfinished
		return nil
	} else if err != nil {
		return err
	}
	if string(header) != logHeader {
		l.State = LogBroken
		if bytes.HasPrefix(header, []byte(logHeader[:4])) {
			l.State = LogUnknown
		}
		return nil
	}
	at := int64(len(logHeader))
	l.Whole = at
	for at < l.size {
		size, isCommit, state, err := readLogEntry(in, l.size-at)
		if err != nil || state != LogWhole {
			l.State = state
			return err
		}
		at += logEntryHeader + size
		if isCommit {
			l.Whole = at
			l.Changes++
		}
	}
	if l.Whole < at {
		l.State = LogUnfinished
	}
	return nil
}

// readLogEntry reads an entry, of which at most so many bytes are left.
func readLogEntry(in *bufio.Reader, left int64) (size int64, isCommit bool, state LogState, err error) {
	header := make([]byte, logEntryHeader)
	if left < logEntryHeader {
		return 0, false, LogUnfinished, nil
	}
	if _, err := io.ReadFull(in, header); err != nil {
		return 0, false, LogBroken, err
	}
	announced, wanted := binary.LittleEndian.Uint64(header), binary.LittleEndian.Uint64(header[8:])
	switch {
	case announced == 0 || announced > maxLogEntry:
		return 0, false, LogBroken, nil
	case int64(announced) > left-logEntryHeader:
		return 0, false, LogUnfinished, nil
	}
	size = int64(announced)
	beginning, sum, err := sumLogEntry(in, size)
	if err != nil {
		return 0, false, LogBroken, err
	}
	if sum != wanted {
		return 0, false, LogBroken, nil
	}
	return size, bytes.HasPrefix(beginning, []byte(logCommit)), LogWhole, nil
}

// sumLogEntry reads so many bytes and gives the first of them and the engine's checksum of all.
func sumLogEntry(in *bufio.Reader, size int64) (beginning []byte, sum uint64, err error) {
	const (
		start  = 5381
		factor = 0xbf58476d1ce4e5b9
	)
	sum = start
	beginning, err = in.Peek(int(min(size, int64(len(logCommit)))))
	if err != nil {
		return nil, 0, err
	}
	beginning = bytes.Clone(beginning)
	buffer := make([]byte, min(size, 1<<16))
	for left := size; left > 0; {
		part := buffer[:min(left, int64(len(buffer)))]
		if _, err := io.ReadFull(in, part); err != nil {
			return nil, 0, err
		}
		left -= int64(len(part))
		for len(part) >= 8 {
			sum ^= binary.LittleEndian.Uint64(part) * factor
			part = part[8:]
		}
		if len(part) > 0 {
			sum ^= sumRest(part)
		}
	}
	return beginning, sum, nil
}

// sumRest is the engine's checksum of fewer than eight bytes.
func sumRest(rest []byte) uint64 {
	const (
		seed   = 0xe17a1465
		factor = 0xc6a4a7935bd1e995
		shift  = 47
	)
	hash := seed ^ uint64(len(rest))*factor
	for i, b := range rest {
		hash ^= uint64(b) << (8 * i)
	}
	hash *= factor
	hash ^= hash >> shift
	hash *= factor
	return hash ^ hash>>shift
}

// isZero reports whether a file ends in zeros that begin within the first entry behind an offset. Every entry ends with
// other bytes, so one that ends in zeros was never written to its end, and never synced.
func isZero(file *os.File, from, length int64) (bool, error) {
	end := length
	buffer := make([]byte, 1<<16)
	for end > from {
		part := buffer[:min(int64(len(buffer)), end-from)]
		if _, err := file.ReadAt(part, end-int64(len(part))); err != nil {
			return false, err
		}
		kept := bytes.TrimRight(part, "\x00")
		end -= int64(len(part) - len(kept))
		if len(kept) > 0 {
			break
		}
	}
	if end == length {
		return false, nil
	}
	// Between the last change and the zeros may stand whole entries of a change that did not end, and one that is not whole.
	at := from
	in := bufio.NewReader(io.NewSectionReader(file, from, length-from))
	for at < end {
		header, err := in.Peek(logEntryHeader)
		if errors.Is(err, io.EOF) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
		announced := binary.LittleEndian.Uint64(header)
		if announced == 0 || announced > maxLogEntry || int64(announced) > math.MaxInt64-at {
			// Its very size was not written whole.
			return at+logEntryHeader >= end, nil
		}
		next := at + logEntryHeader + int64(announced)
		if next > end {
			return true, nil
		}
		size, isCommit, state, err := readLogEntry(in, length-at)
		if err != nil || state != LogWhole || isCommit {
			return false, err
		}
		at += logEntryHeader + size
	}
	return true, nil
}

// Notice tells an operator what was found, and "" when there is nothing to tell.
func (l *LogReading) Notice() string {
	switch l.State {
	case LogUnfinished:
		return fmt.Sprintf("The log of the database, %s, ends in the middle of a change, as after a crash: its last %d of %d bytes are left out. "+
			"The server acknowledges a change when all of it is on the disk, so nothing acknowledged is in them, unless the file was cut off or the disk lost data.",
			l.path, l.size-l.Whole, l.size)
	case LogFilled:
		return fmt.Sprintf(
			"The log of the database, %s, ends with zeros behind its last change, as a power failure leaves them: its last %d of %d bytes were never written. "+
				"The server acknowledges a change when all of it is on the disk, so nothing acknowledged is in them, unless the disk lost data.",
			l.path,
			l.size-l.Whole,
			l.size,
		)
	case LogBroken:
		return fmt.Sprintf("The log of the database, %s, is damaged behind byte %d of %d: %s, and what follows cannot be. "+
			"Changes that were acknowledged may be in it.", l.path, l.Whole, l.size, l.readable())
	case LogWhole, LogUnknown:
	}
	return ""
}

// readable says what can be read.
func (l *LogReading) readable() string {
	switch l.Changes {
	case 0:
		return "none of its changes can be read"
	case 1:
		return "1 change before that can be read"
	default:
		return fmt.Sprintf("%d changes before that can be read", l.Changes)
	}
}

// BrokenError is what Open returns for a log with damage that may have cost what was acknowledged.
func (l *LogReading) BrokenError() error {
	return fmt.Errorf(
		"%s Nothing was changed. Restore the last backup (couponql restore), or go on without what cannot be read: start once with --cut-log-at=%d, "+
			"which keeps the damaged log beside the database",
		l.Notice(),
		l.Whole,
	)
}

// Cut takes away what cannot be read.
func (l *LogReading) Cut() error {
	file, err := os.OpenFile(l.path, os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("cut the log of the database: %w", err)
	}
	if err := errors.Join(file.Truncate(l.Whole), file.Sync(), file.Close()); err != nil {
		return StorageError("cut the log of the database", err)
	}
	return nil
}

// Keep copies the log, as it is, to a name beside it that no file has, and gives the name. It returns ErrDiskFull where there is
// no room for that, beside the reserve: nothing is cut off then.
func (l *LogReading) Keep(reserve uint64) (string, error) {
	for i := 1; ; i++ {
		kept := fmt.Sprintf("%s%s%d", l.path, DamagedSuffix, i)
		if _, err := os.Lstat(kept); err == nil {
			continue
		}
		return kept, CopyDurably(l.path, kept, "keep the damaged log", reserve)
	}
}

// DamagedSuffix and a number, behind the name of a log, are the name of a copy of it as it was when it was damaged.
const DamagedSuffix = ".damaged-"
