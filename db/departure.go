package db

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
)

// departures is a small file that tells after a crash which messages of an open batch had left: each is noted, with one
// write, before it can reach its recipient. A killed process loses none of them; a machine that loses its power may.
type departures struct {
	mu   sync.Mutex
	path string
	// file is nil until something is noted.
	file *os.File
	// left has the messages that left, by the batches that are not recorded.
	left map[int64]map[int64]struct{}
}

// departureBytes is the length of a note: the numbers of a batch and of a message, which is 0 when the batch begins.
const departureBytes = 16

// readDepartures reads what an earlier process noted. A note that was not finished is of a message that did not leave.
func readDepartures(folder, storeID string) (*departures, error) {
	d := &departures{path: filepath.Join(folder, "departures-"+storeID), left: map[int64]map[int64]struct{}{}}
	notes, err := os.ReadFile(d.path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("read which messages left: %w", err)
	}
	for ; len(notes) >= departureBytes; notes = notes[departureBytes:] {
		d.add(int64(binary.LittleEndian.Uint64(notes)), int64(binary.LittleEndian.Uint64(notes[8:])))
	}
	return d, nil
}

func (d *departures) add(batch, message int64) {
	if d.left[batch] == nil {
		d.left[batch] = map[int64]struct{}{}
	}
	if message != 0 {
		d.left[batch][message] = struct{}{}
	}
}

// note writes that a message of a batch leaves; with 0 that the batch begins.
func (d *departures) note(batch, message int64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
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
	note := binary.LittleEndian.AppendUint64(nil, uint64(batch))
	note = binary.LittleEndian.AppendUint64(note, uint64(message))
	if _, err := d.file.Write(note); err != nil {
		err = errors.Join(fmt.Errorf("note that a message leaves: %w", err), d.file.Close())
		d.file = nil
		return err
	}
	d.add(batch, message)
	return nil
}

// mayHaveLeft reports whether a message of a batch may have left. Of a batch that is not noted, each may.
func (d *departures) mayHaveLeft(batch, message int64) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	left, isNoted := d.left[batch]
	_, hasLeft := left[message]
	return hasLeft || !isNoted
}

// forget forgets a batch that is recorded. The file is emptied when no batch is left in it.
func (d *departures) forget(batch int64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.left, batch)
	if len(d.left) > 0 || d.file == nil {
		return nil
	}
	if err := d.file.Truncate(0); err != nil {
		return fmt.Errorf("forget which messages left: %w", err)
	}
	return nil
}

func (d *departures) close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.file == nil {
		return nil
	}
	err := d.file.Close()
	d.file = nil
	return err
}
