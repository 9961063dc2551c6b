package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

const (
	// diskBytes is the size of the small disk, and leftBytes what is left of it when it counts as
	// full: less than the server keeps in reserve.
	diskBytes = 600 << 20
	leftBytes = 40 << 20
	// minDiskTime is enough for some clients to meet a full disk.
	minDiskTime = 8 * time.Second
)

// fullDisk puts a server on a small disk under load, fills the disk in the second third of the
// time, and compares what the server acknowledged with its file. It gives what went wrong, and
// whether there was such a disk at all.
func fullDisk(ctx context.Context, o *options, dir string, d time.Duration, out io.Writer) (
	problems error, isSkipped bool, err error,
) {
	s, err := newSoak(o, filepath.Join(dir, "data"), out)
	if err != nil {
		return nil, false, err
	}
	defer s.close()
	if err := mountDisk(dir, diskBytes); err != nil {
		s.sayf("SKIPPED: the part with a full disk: %v", err)
		return nil, true, nil
	}
	defer func() { s.close(); err = errors.Join(err, unmountDisk(dir)) }()
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return nil, false, fmt.Errorf("make a folder: %w", err)
	}
	if err := s.prepare(ctx); err != nil {
		return nil, false, err
	}
	d = max(d, minDiskTime)
	filler := filepath.Join(dir, "filler")
	var filled, emptied error
	s.drive(ctx, d/3, func() {
		s.isDiskFull.Store(true)
		filled = fill(filler, dir, leftBytes)
	})
	s.drive(ctx, d/3, func() { emptied = os.Remove(filler) })
	if err := errors.Join(filled, emptied); err != nil {
		return nil, false, err
	}
	// Who was answered badly on the full disk was not told what became of it: the file tells, while
	// no server runs.
	if s.server.hasEnded() {
		// The engine may be lost with the disk; then the server ends, and whoever supervises it
		// starts it again.
		s.sayf("the server ended on the full disk; it is started again")
	} else {
		s.stop()
	}
	if err := s.look(ctx); err != nil {
		return nil, false, err
	}
	if err := s.start(ctx); err != nil {
		return nil, false, err
	}
	if err := s.check(ctx); err != nil {
		return nil, false, err
	}
	s.isDiskFull.Store(false)
	s.drive(ctx, d/3, nil)
	if err := s.finish(ctx); err != nil {
		return nil, false, err
	}
	s.sayf("\non a disk that was full for a third of %s:", d.Round(time.Second))
	s.tell(d)
	return s.found.err(), false, nil
}
