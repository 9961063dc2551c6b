// Package sender hands messages over: to a mail server ([SMTP]), to a program of the operator's ([Webhook]), or
// into files. The [Outbox] is the sender that needs no set-up: it appends every message to a file of its
// delivery, where people and programs can read it.
//
// # Files
//
// A delivery by EMAIL becomes <delivery id>.mbox, which every mail program opens: messages of RFC 5322
// in a mailbox of RFC 4155, with lines that begin like a separator quoted by > (mboxrd). Every other
// delivery becomes <delivery id>.jsonl, one JSON object a line. Codes stand in the bodies and, in
// .jsonl, in the member code; never in a header.
//
// # Exactly once
//
// A file and a database cannot be changed in one transaction, and a process can die between the two.
// So the database is the truth about the file: the caller stores the size that [Outbox.Append] gives in
// the same transaction that marks the batch's messages as sent, and passes it as the offset of the
// next batch. What stands behind that offset belongs to a batch that was never marked, and Append cuts
// it off before it writes that batch again. Hence every message is in the file exactly once, even
// after kill -9 or a power failure, for Append returns only when the batch is on disk.
package sender

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"couponql/coupon"
)

// Only the operator may read what recipients get.
const (
	folderMode = 0o700
	fileMode   = 0o600
)

// maxOutboxBatch is how many messages are appended together. A larger batch costs fewer flushes of the disk; a
// smaller one is sooner paused.
const maxOutboxBatch = 5000

// bufferSize is how much is written at once, in bytes.
const bufferSize = 256 << 10

// Outbox is a folder of such files. It may be used by several goroutines at once, as long as each
// delivery is appended to by one at a time.
type Outbox struct {
	dir string
	// extra is held while a file of extra messages is written.
	extra sync.Mutex
}

// OpenOutbox returns the outbox in a folder, which it creates if need be. A path that is no folder is an error.
func OpenOutbox(dir string) (*Outbox, error) {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err := makeFolder(dir); err != nil {
			return nil, fmt.Errorf("create outbox: %w", err)
		}
	case err != nil:
		return nil, fmt.Errorf("open outbox: %w", err)
	case !info.IsDir():
		return nil, fmt.Errorf("open outbox: %s is a file, not a folder", dir)
	}
	return &Outbox{dir: dir}, nil
}

// Traits tells that a batch that was not recorded counts as not handed over.
func (*Outbox) Traits() Traits { return Traits{MaxBatch: maxOutboxBatch, IsExact: true} }

// Send appends the batch to its delivery's file: all messages that may leave are accepted, or there is an error.
func (o *Outbox) Send(_ context.Context, batch *Batch) ([]coupon.Attempt, error) {
	attempts := same(len(batch.Messages), coupon.Attempt{Result: coupon.AttemptAccepted})
	if batch.Extra != "" {
		o.extra.Lock()
		defer o.extra.Unlock()
	}
	messages := batch.Messages
	if batch.Leave != nil {
		messages = make([]coupon.OutgoingMessage, 0, len(batch.Messages))
		for i := range batch.Messages {
			if batch.Leave(i) {
				messages = append(messages, batch.Messages[i])
			} else {
				attempts[i].Result = coupon.AttemptWithheld
			}
		}
	}
	if batch.Extra != "" {
		_, err := o.write(batch.DeliveryID, "-"+string(batch.Extra), math.MaxInt64, messages, batch.At)
		return attempts, err
	}
	size, err := o.Append(batch.DeliveryID, batch.OutboxSize, messages, batch.At)
	if err != nil {
		return nil, err
	}
	batch.OutboxSize = size
	return attempts, nil
}

// Append writes a batch of a delivery's messages at an offset of the delivery's file, cutting off
// what stands behind it, and gives the file's new size when the batch is on disk. All messages of a
// delivery have one channel. If the file is shorter than the offset, because an operator moved it
// away, the batch is written at its end. An error names the file and what is wrong with it; the file
// then ends at the offset, as before the batch.
func (o *Outbox) Append(delivery coupon.ID, at int64, batch []coupon.OutgoingMessage, sentAt time.Time) (size int64, err error) {
	return o.write(delivery, "", at, batch, sentAt)
}

// write writes a batch to the file of a delivery whose name has this ending.
func (o *Outbox) write(delivery coupon.ID, ending string, at int64, batch []coupon.OutgoingMessage, sentAt time.Time) (size int64, err error) {
	if _, err := delivery.Number(coupon.KindDelivery); err != nil {
		// The id becomes a file's name: "../x" must not.
		return 0, fmt.Errorf("append to outbox: %w", err)
	}
	if len(batch) == 0 {
		return at, nil
	}
	write, extension := format(writeJSON), ".jsonl"
	if batch[0].Channel == coupon.ChannelEmail {
		write, extension = writeMail, ".mbox"
	}
	path := filepath.Join(o.dir, string(delivery)+ending+extension)
	file, isNew, err := open(path)
	if errors.Is(err, fs.ErrNotExist) {
		// Somebody removed the folder, perhaps with all that was in it.
		if err = makeFolder(o.dir); err == nil {
			file, isNew, err = open(path)
		}
	}
	if err != nil {
		return 0, fmt.Errorf("append to outbox: %w", err)
	}
	defer func() {
		if closeErr := file.Close(); err == nil && closeErr != nil {
			err = fmt.Errorf("append to outbox: %w", closeErr)
		}
	}()
	if at, err = cut(file, at); err != nil {
		return 0, fmt.Errorf("append to outbox: %w", err)
	}
	size, err = appendBatch(file, at, batch, sentAt, write)
	if err == nil && isNew {
		// The file's name has to be on disk as well.
		err = syncFolder(o.dir)
	}
	if err != nil {
		return 0, fmt.Errorf("append to outbox: %w", errors.Join(err, file.Truncate(at)))
	}
	return size, nil
}

// makeFolder makes the folder of an outbox, and brings its name to the disk.
func makeFolder(dir string) error {
	if err := os.MkdirAll(dir, folderMode); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(dir))
}

// open opens a file for writing and tells whether it was created.
func open(path string) (file *os.File, isNew bool, err error) {
	file, err = os.OpenFile(path, os.O_WRONLY, fileMode)
	if errors.Is(err, fs.ErrNotExist) {
		file, err = os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
		return file, true, err
	}
	return file, false, err
}

// cut makes the file end at an offset, or where it ends already, and gives that place.
func cut(file *os.File, at int64) (int64, error) {
	size, err := file.Seek(0, io.SeekEnd)
	if err != nil || size <= at {
		return size, err
	}
	if err := file.Truncate(at); err != nil {
		return 0, err
	}
	return file.Seek(at, io.SeekStart)
}

// format appends a message to a text.
type format func(text []byte, message *coupon.OutgoingMessage, sentAt time.Time) ([]byte, error)

// appendBatch writes the messages and syncs them to disk.
func appendBatch(file *os.File, at int64, batch []coupon.OutgoingMessage, sentAt time.Time, write format) (int64, error) {
	writer := bufio.NewWriterSize(file, bufferSize)
	var text []byte
	size := at
	for i := range batch {
		var err error
		if text, err = write(text[:0], &batch[i], sentAt); err != nil {
			return 0, err
		}
		size += int64(len(text))
		if _, err := writer.Write(text); err != nil {
			return 0, err
		}
	}
	if err := writer.Flush(); err != nil {
		return 0, err
	}
	return size, file.Sync()
}

// syncFolder writes the folder's list of names to disk. Windows knows no such thing.
func syncFolder(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	folder, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
