package db

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"sync"

	"couponql/coupon"
	"couponql/db/duckdb"
)

// receiving is an upload that is being written. There is one for each that was written to since the start.
type receiving struct {
	// mu is held while a request writes to the file.
	mu sync.Mutex
	// sum is that of the first hashed bytes of the file, so that a file that came in pieces need not be read
	// again to know its checksum.
	sum    hash.Hash
	hashed int64
}

// forget makes the sum that of no bytes; before the file is complete, it is read again.
func (in *receiving) forget() {
	in.sum.Reset()
	in.hashed = 0
}

// ErrWrongChecksum is what a reader wraps, that was given to WriteUpload, when it ends and what it gave is not what
// was sent.
var ErrWrongChecksum = errors.New("the bytes have another checksum than announced")

func (s *Store) uploadPath(number int64) string {
	return filepath.Join(s.uploadDir(), coupon.NewID(coupon.KindUpload, number).FileName())
}

// CreateUpload makes a place for a file: of u it takes the name, and the size and checksum if they are known.
// It returns INVALID, FILE_TOO_LARGE, and ErrDiskFull when the disk has no room for the file.
func (s *Store) CreateUpload(ctx context.Context, u *coupon.Upload) (*coupon.Upload, error) {
	if err := u.Check(); err != nil {
		return nil, err
	}
	if u.ByteCount != nil {
		if err := s.engine.CheckDisk(s.reserve + uint64(*u.ByteCount)); err != nil {
			return nil, err
		}
	}
	var number int64
	err := s.update(ctx, func(ctx context.Context, t *turn) error {
		err := t.once(ctx)
		if err != nil {
			return err
		}
		if number, err = t.nextNumber(ctx, numberOfUploads); err != nil {
			return err
		}
		u.CreatedAt, u.ExpiresAt = t.now, t.now.Add(coupon.UploadLifetime)
		_, err = t.Exec(ctx, uploadInsert, named("id", number), named("file_name", u.FileName), named("byte_count", u.ByteCount),
			named("checksum", u.Checksum), named("now", t.now), named("expires_at", u.ExpiresAt))
		if err != nil {
			return err
		}
		return t.made(ctx, coupon.NewID(coupon.KindUpload, number), nil)
	})
	if before := repeatOf(err); before != nil {
		found, err := s.uploadsByNumber(ctx, s.engine, coupon.MustNumber(coupon.KindUpload, before.object))
		return there(found, before, err)
	}
	u.ID = coupon.NewID(coupon.KindUpload, number)
	return u, err
}

// ChecksumOf returns the SHA-256 of an upload that is complete, also when an import has it and the file is gone; "" when neither is so.
func (s *Store) ChecksumOf(ctx context.Context, id coupon.ID) (string, error) {
	number, err := id.Number(coupon.KindUpload)
	if err != nil {
		return "", nil //nolint:nilerr // no file has such an id
	}
	return duckdb.One[string](ctx, s.engine, uploadChecksum, named("id", number))
}

// UploadByID returns an upload with how much of it is here. It returns NOT_FOUND for one that never was, or that
// is gone.
func (s *Store) UploadByID(ctx context.Context, id coupon.ID) (*coupon.Upload, error) {
	_, u, err := s.upload(ctx, s.engine, id)
	return u, err
}

func (s *Store) upload(ctx context.Context, q duckdb.Querier, id coupon.ID) (int64, *coupon.Upload, error) {
	number, err := id.Number(coupon.KindUpload)
	if err != nil {
		return 0, nil, err
	}
	found, err := s.uploadsByNumber(ctx, q, number)
	if err == nil && found[id] == nil {
		err = coupon.NotFound(coupon.KindUpload, id)
	}
	return number, found[id], err
}

// uploadsByNumber returns the upload with a number, if it exists, with how much of it is here.
func (s *Store) uploadsByNumber(ctx context.Context, q duckdb.Querier, number int64) (map[coupon.ID]*coupon.Upload, error) {
	found := map[coupon.ID]*coupon.Upload{}
	err := duckdb.Each(ctx, q, uploadGet, func(rows *sql.Rows) error {
		u := &coupon.Upload{ID: coupon.NewID(coupon.KindUpload, number)}
		if err := rows.Scan(&u.FileName, &u.ByteCount, &u.Checksum, &u.IsComplete, &u.CreatedAt, &u.ExpiresAt); err != nil {
			return err
		}
		info, err := os.Stat(s.uploadPath(number))
		switch {
		case errors.Is(err, os.ErrNotExist):
		case err != nil:
			return fmt.Errorf("look at %s: %w", u.ID, err)
		default:
			u.Received = info.Size()
		}
		found[u.ID] = u
		return nil
	}, named("id", number), named("now", s.now()))
	return found, err
}

// AnnounceUpload notes the size that an upload will have, when none was announced before. It returns NOT_FOUND,
// FILE_TOO_LARGE, and INVALID for another size than the one that is known.
func (s *Store) AnnounceUpload(ctx context.Context, id coupon.ID, byteCount int64) error {
	if byteCount > coupon.MaxUploadBytes {
		return coupon.ErrUploadTooLarge()
	}
	return s.update(ctx, func(ctx context.Context, t *turn) error {
		number, u, err := s.upload(ctx, t, id)
		if err != nil {
			return err
		}
		if u.ByteCount != nil {
			if *u.ByteCount != byteCount {
				return coupon.Errorf(coupon.ErrorInvalid, "The file was announced with %d bytes, not %d.", *u.ByteCount, byteCount)
			}
			return nil
		}
		_, err = t.Exec(ctx, uploadAnnounce, named("id", number), named("byte_count", byteCount))
		return err
	})
}

// WriteUpload adds what r gives to an upload of which offset bytes are here. When r breaks off, what came in
// stays and the error is that of r, so that the rest can be sent later; when it ends with ErrWrongChecksum, nothing
// that it gave is kept. The file is complete, synced and checked when it has the announced size, or, if isWhole,
// when r ends: then r is the whole file, and a file that was begun is begun anew. It returns NOT_FOUND;
// INVALID_STATE for an upload that is complete, that another request writes to, or of which not exactly offset
// bytes are here; FILE_TOO_LARGE; INVALID for a file without the announced size or checksum, of which nothing is
// kept; and ErrDiskFull.
func (s *Store) WriteUpload(ctx context.Context, id coupon.ID, offset int64, r io.Reader, isWhole bool) (*coupon.Upload, error) {
	known, _ := s.receiving.LoadOrStore(id, &receiving{sum: sha256.New()})
	in := known.(*receiving) //nolint:forcetypeassert // nothing else is stored
	if !in.mu.TryLock() {
		return nil, coupon.Errorf(coupon.ErrorInvalidState, "Another request is sending the file right now.")
	}
	defer in.mu.Unlock()
	number, u, err := s.upload(ctx, s.engine, id)
	switch {
	case err != nil:
		s.receiving.Delete(id)
		return nil, err
	case u.IsComplete:
		return nil, coupon.Errorf(coupon.ErrorInvalidState, "The file %q is complete already.", u.FileName)
	case !isWhole && u.Received != offset:
		return nil, coupon.Errorf(coupon.ErrorInvalidState, "%d bytes of the file are here: go on there, not at %d.", u.Received, offset)
	}
	if err := s.append(number, u, in, r, isWhole); err != nil {
		return u, err
	}
	if !isWhole && (u.ByteCount == nil || u.Received < *u.ByteCount) {
		return u, nil
	}
	return u, s.complete(ctx, number, u, in)
}

// append writes to the file of an upload, and keeps its sum as far as it is known.
func (s *Store) append(number int64, u *coupon.Upload, in *receiving, r io.Reader, isWhole bool) (err error) {
	flags := os.O_CREATE | os.O_WRONLY | os.O_APPEND
	if isWhole {
		flags |= os.O_TRUNC
		u.Received = 0
	}
	if u.Received == 0 {
		in.forget()
	}
	file, err := os.OpenFile(s.uploadPath(number), flags, 0o600)
	if err != nil {
		return duckdb.StorageError("store an upload", err)
	}
	defer func() {
		if closed := file.Close(); err == nil && closed != nil {
			err = duckdb.StorageError("store an upload", closed)
		}
	}()
	most := int64(coupon.MaxUploadBytes)
	if u.ByteCount != nil {
		most = *u.ByteCount
	}
	before, isHashed := u.Received, in.hashed == u.Received
	to := &landing{store: s, file: file}
	if isHashed {
		to.sum = in.sum
	}
	count, err := io.Copy(to, io.LimitReader(r, most-u.Received))
	u.Received += count
	if isHashed {
		in.hashed += count
	}
	more, end := 0, err
	if err == nil {
		more, end = io.ReadFull(r, make([]byte, 1))
	}
	switch {
	case more > 0:
		return errors.Join(s.discard(number, in), tooLong(u, most))
	case errors.Is(end, ErrWrongChecksum):
		in.forget()
		u.Received = before
		err = errors.Join(end, file.Truncate(before))
	}
	// What is acknowledged is on disk: an import goes on after a crash, and so does the sending of the rest. So is
	// what came before a connection broke: the client is told that it need not send that again.
	if synced := file.Sync(); err == nil {
		err = synced
	}
	if err != nil {
		return duckdb.StorageError("store an upload", err)
	}
	return nil
}

// diskInterval is how many bytes of an upload are written between two looks at how much of the disk is free.
const diskInterval = 1 << 20

// landing writes what is received to a file and to its sum, unless that is nil, and leaves the store's reserve
// of the disk alone: files must not take what the database needs to go on.
type landing struct {
	store *Store
	file  *os.File
	sum   hash.Hash
	// unchecked is how many bytes may come until the next look at the disk.
	unchecked int
}

// Write writes to the file. It returns ErrDiskFull, as storageError does.
func (l *landing) Write(p []byte) (int, error) {
	if l.unchecked <= 0 {
		if err := l.store.engine.CheckDisk(l.store.reserve + diskInterval); err != nil {
			return 0, err
		}
		l.unchecked = diskInterval
	}
	n, err := l.file.Write(p)
	l.unchecked -= n
	if l.sum != nil {
		l.sum.Write(p[:n])
	}
	return n, err
}

func tooLong(u *coupon.Upload, most int64) error {
	if u.ByteCount == nil {
		return coupon.ErrUploadTooLarge()
	}
	return coupon.Errorf(coupon.ErrorInvalid, "The file was announced with %d bytes and has more. Send it again from its start.", most)
}

// discard throws away what is here of a file that cannot be right.
func (s *Store) discard(number int64, in *receiving) error {
	in.forget()
	if err := os.Truncate(s.uploadPath(number), 0); err != nil {
		return fmt.Errorf("discard an upload: %w", err)
	}
	return nil
}

// complete checks the size and checksum of a file that is here, and records them.
func (s *Store) complete(ctx context.Context, number int64, u *coupon.Upload, in *receiving) error {
	if in.hashed != u.Received {
		if err := in.rehash(s.uploadPath(number)); err != nil {
			return err
		}
	}
	checksum := hex.EncodeToString(in.sum.Sum(nil))
	switch {
	case u.ByteCount != nil && *u.ByteCount != u.Received:
		return errors.Join(s.discard(number, in),
			coupon.Errorf(coupon.ErrorInvalid, "The file was announced with %d bytes and has %d. Send it again from its start.", *u.ByteCount, u.Received))
	case u.Checksum != nil && *u.Checksum != checksum:
		return errors.Join(s.discard(number, in),
			coupon.Errorf(coupon.ErrorInvalid, "The file was announced with the checksum %s and has %s. Send it again from its start.", *u.Checksum, checksum))
	}
	err := s.update(context.WithoutCancel(ctx), func(ctx context.Context, t *turn) error {
		completed, err := t.Exec(ctx, uploadComplete, named("id", number), named("byte_count", u.Received), named("checksum", checksum))
		if err == nil && completed == 0 { // It was deleted while it was sent.
			err = coupon.NotFound(coupon.KindUpload, u.ID)
		}
		return err
	})
	if err != nil {
		return err
	}
	u.IsComplete, u.ByteCount, u.Checksum = true, &u.Received, &checksum
	s.receiving.Delete(u.ID)
	return nil
}

// rehash reads the whole file: pieces of it came before the server started.
func (in *receiving) rehash(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("read an upload again: %w", err)
	}
	defer func() { _ = file.Close() }()
	in.forget()
	if in.hashed, err = io.Copy(in.sum, file); err != nil {
		return fmt.Errorf("read an upload again: %w", err)
	}
	return nil
}

// Receive stores a file that comes with a request; what is stored of one that breaks off is deleted. It returns
// FILE_TOO_LARGE and ErrDiskFull.
func (s *Store) Receive(ctx context.Context, fileName string, r io.Reader) (*coupon.Upload, error) {
	// The key of an import is for the import.
	u, err := s.CreateUpload(WithOnce(ctx, nil), &coupon.Upload{FileName: coupon.CleanFileName(fileName)})
	if err != nil {
		return nil, err
	}
	received, err := s.WriteUpload(ctx, u.ID, 0, r, true)
	if err != nil {
		return nil, errors.Join(err, s.DeleteUpload(context.WithoutCancel(ctx), u.ID))
	}
	return received, nil
}

// OpenUpload opens a complete upload to be read; what is open can be read even when the upload is deleted. It
// returns NOT_FOUND.
func (s *Store) OpenUpload(ctx context.Context, id coupon.ID) (io.ReadSeekCloser, error) {
	number, _, err := s.upload(ctx, s.engine, id)
	if err != nil {
		return nil, err
	}
	file, err := os.Open(s.uploadPath(number))
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", id, err)
	}
	return file, nil
}

// DeleteUpload deletes a file that no import waits for; one that is needed still, or gone already, is left
// alone.
func (s *Store) DeleteUpload(ctx context.Context, id coupon.ID) error {
	number, err := id.Number(coupon.KindUpload)
	if err != nil {
		return err
	}
	err = s.update(ctx, func(ctx context.Context, t *turn) error {
		t.reserve = min(t.reserve, minFreeDiskForOutcome) // Deleting makes room.
		_, err := t.Exec(ctx, uploadDelete, named("id", number))
		return err
	})
	if err != nil {
		return err
	}
	s.receiving.Delete(id)
	return s.clearUploads(ctx)
}

// ForgetFiles deletes the files that nobody needs any more.
func (s *Store) ForgetFiles(ctx context.Context) error {
	return errors.Join(s.forgetUploads(ctx), s.clearExports(ctx))
}

// clearExports deletes the files of exports whose time is over.
func (s *Store) clearExports(ctx context.Context) error {
	return s.clearFiles(ctx, s.exportDir(), coupon.KindExport, exportNumbers, named("now", s.Passed()))
}

// forgetUploads forgets the uploads that nobody needs any more, and deletes their files.
func (s *Store) forgetUploads(ctx context.Context) error {
	forgotten := 0
	err := s.update(ctx, func(ctx context.Context, t *turn) error {
		t.reserve = min(t.reserve, minFreeDiskForOutcome) // Deleting makes room.
		var err error
		forgotten, err = t.Exec(ctx, uploadDeleteExpired, named("now", s.Passed()))
		return err
	})
	if err != nil || forgotten == 0 {
		return err
	}
	return s.clearUploads(ctx)
}

// clearUploads deletes the files of uploads that are forgotten.
func (s *Store) clearUploads(ctx context.Context) error {
	return s.clearFiles(ctx, s.uploadDir(), coupon.KindUpload, uploadNumbers)
}

// clearFiles deletes all files of a folder but those that are called after an object whose number a statement
// gives.
func (s *Store) clearFiles(ctx context.Context, dir string, kind coupon.Kind, statement string, args ...any) error {
	// A file that is made after the folder was read is left alone: so this comes before the numbers.
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("read a folder of files: %w", err)
	}
	numbers, err := duckdb.Collect(ctx, s.engine, statement, duckdb.ScanInto[int64], args...)
	if err != nil {
		return err
	}
	kept := make(map[string]bool, len(numbers))
	for _, number := range numbers {
		kept[coupon.NewID(kind, number).FileName()] = true
	}
	for _, entry := range entries {
		if kept[entry.Name()] {
			continue
		}
		if err := os.Remove(filepath.Join(dir, entry.Name())); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("clear a folder of files: %w", err)
		}
	}
	return nil
}
