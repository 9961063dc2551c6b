package command

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// download fetches a file to a path or to standard output, and gives the name of the place. size is
// that of the file, or negative if it is not known; a file of another size is an error.
func (s *session) download(ctx context.Context, address, path string, size int64, label string) (
	string, error,
) {
	shown := s.newBar(label, size)
	defer shown.clear()
	if path == standardStream {
		return "standard output", s.fetchAll(ctx, address, s.out, size, shown)
	}
	return filepath.Base(path),
		s.replace(path, func(w io.Writer) error { return s.fetchAll(ctx, address, w, size, shown) })
}

// fetchAll is fetch of a file of a size that is known, unless it is negative.
func (s *session) fetchAll(
	ctx context.Context, address string, to io.Writer, size int64, shown *bar,
) error {
	buffered := bufio.NewWriterSize(to, 256<<10)
	written, err := s.fetch(ctx, address, buffered, shown)
	if err != nil {
		return err
	}
	if size >= 0 && written != size {
		return fmt.Errorf("%d bytes came of %d", written, size)
	}
	return buffered.Flush()
}

// replace writes a file under another name and gives it its own when it is whole. Nobody finds half
// a file.
func (s *session) replace(path string, write func(io.Writer) error) error {
	temporary := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+"."+rand.Text()[:8])
	file, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, s.fileMode)
	if err != nil {
		return err
	}
	err = write(file)
	if err == nil {
		// Somebody may delete the original as soon as it is told that the file is here.
		err = file.Sync()
	}
	if err := errors.Join(err, file.Close()); err != nil {
		return errors.Join(err, os.Remove(temporary))
	}
	// It may have come into being meanwhile.
	if err := s.flags.checkNew("the file", path); err != nil {
		return errors.Join(err, os.Remove(temporary))
	}
	return os.Rename(temporary, path)
}
