package db

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
)

// departures is a small file that tells after a crash which messages of an open batch had left, and what was answered: each
// is noted, with one write, before it can reach its recipient, and again with the answer. A killed process loses none of
// these notes; a machine that loses its power may.
type departures struct {
	mu   sync.Mutex
	path string
	// file is nil until something is noted. size is how long it is.
	file *os.File
	size int
	// known has what is noted of messages, by the batches that are not recorded.
	known map[int64]map[int64]departure
}

// departure is how far a message of a batch got.
type departure byte

// The departures. The zero value of a message that is not noted says that it did not leave.
const (
	stayed departure = iota
	// left: it may have been taken.
	left
	taken
	// returned: it was surely not taken.
	returned
)

// departureBytes is the length of a note: the number of a batch, and that of a message with its departure in the highest
// byte. The message is 0 when the batch begins. An earlier version noted only what left, with 0 in that byte.
const departureBytes = 16

// departureShift is where the departure stands in the number of a message.
const departureShift = 56

// readDepartures reads what an earlier process noted. A note that was not finished is of a message that did not leave, or
// of an answer that nobody knows.
func readDepartures(folder, storeID string) (*departures, error) {
	d := &departures{path: filepath.Join(folder, "departures-"+storeID), known: map[int64]map[int64]departure{}}
	notes, err := os.ReadFile(d.path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("read which messages left: %w", err)
	}
	d.size = len(notes)
	for ; len(notes) >= departureBytes; notes = notes[departureBytes:] {
		noted := int64(binary.LittleEndian.Uint64(notes[8:]))
		d.add(int64(binary.LittleEndian.Uint64(notes)), noted&(1<<departureShift-1), max(left, departure(noted>>departureShift)))
	}
	return d, nil
}

func (d *departures) add(batch, message int64, how departure) {
	if d.known[batch] == nil {
		d.known[batch] = map[int64]departure{}
	}
	if message != 0 {
		d.known[batch][message] = how
	}
}

// begin notes that a batch begins.
func (d *departures) begin(batch int64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.note(batch, 0, stayed)
}

// leave notes that a message of a batch leaves. It reports whether that is new: one that was asked about, and came back
// before it reached anybody, is asked about again.
func (d *departures) leave(batch, message int64) (isNew bool, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	before := d.known[batch][message]
	if before == left {
		return false, nil
	}
	return before == stayed, d.note(batch, message, left)
}

// answer notes whether a message that left was taken. One that did not leave needs no answer.
func (d *departures) answer(batch, message int64, isTaken bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	how := returned
	if isTaken {
		how = taken
	}
	if before := d.known[batch][message]; before == stayed || before == how {
		return nil
	}
	return d.note(batch, message, how)
}

// note writes a note, while the lock is held.
func (d *departures) note(batch, message int64, how departure) error {
	if d.file == nil {
		file, err := os.OpenFile(d.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
		if err != nil {
			return fmt.Errorf("note that messages leave: %w", err)
		}
		// A note that a full disk cut off would move all that follow.
		if whole, err := file.Seek(0, io.SeekEnd); err != nil {
			return errors.Join(fmt.Errorf("note that messages leave: %w", err), file.Close())
		} else if err := file.Truncate(whole - whole%departureBytes); err != nil {
			return errors.Join(fmt.Errorf("note that messages leave: %w", err), file.Close())
		}
		d.file = file
	}
	if _, err := d.file.Write(appendNote(nil, batch, message, how)); err != nil {
		err = errors.Join(fmt.Errorf("note that a message leaves: %w", err), d.file.Close())
		d.file = nil
		return err
	}
	d.size += departureBytes
	d.add(batch, message, how)
	return nil
}

func appendNote(notes []byte, batch, message int64, how departure) []byte {
	notes = binary.LittleEndian.AppendUint64(notes, uint64(batch))
	return binary.LittleEndian.AppendUint64(notes, uint64(message|int64(how)<<departureShift))
}

// of tells how far a message of a batch got. Of a batch that is not noted, each may have left.
func (d *departures) of(batch, message int64) departure {
	d.mu.Lock()
	defer d.mu.Unlock()
	if known, isNoted := d.known[batch]; isNoted {
		return known[message]
	}
	return left
}

// open returns the batches that are noted, in their order.
func (d *departures) open() []int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Sorted(maps.Keys(d.known))
}

// maxDepartureBytes is how long the file gets before it is written anew, while a batch in it stays open.
const maxDepartureBytes = 1 << 20

// forget forgets batches that are recorded. The file is emptied when none is left in it.
func (d *departures) forget(batches ...int64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, batch := range batches {
		delete(d.known, batch)
	}
	if len(d.known) > 0 && d.size <= maxDepartureBytes || d.size == 0 {
		return nil
	}
	var notes []byte
	for batch, messages := range d.known {
		notes = appendNote(notes, batch, 0, stayed)
		for message, how := range messages {
			notes = appendNote(notes, batch, message, how)
		}
	}
	if err := d.replace(notes); err != nil {
		return fmt.Errorf("forget which messages left: %w", err)
	}
	return nil
}

// replace puts other notes in the place of all.
func (d *departures) replace(notes []byte) error {
	if len(notes) == 0 {
		d.size = 0
		return os.Truncate(d.path, 0)
	}
	written := d.path + ".new"
	if err := os.WriteFile(written, notes, 0o600); err != nil {
		return errors.Join(err, os.Remove(written))
	}
	// It is opened anew for the next note.
	if err := d.shut(); err != nil {
		return err
	}
	if err := os.Rename(written, d.path); err != nil {
		return err
	}
	d.size = len(notes)
	return nil
}

func (d *departures) close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.shut()
}

// shut is close, while the lock is held.
func (d *departures) shut() error {
	if d.file == nil {
		return nil
	}
	err := d.file.Close()
	d.file = nil
	return err
}
