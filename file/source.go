package file

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"couponql/coupon"
)

// MaxFileBytes is how large a file may be once it is unpacked. It keeps a small file that unpacks
// without end from working for ever.
const MaxFileBytes = 64 << 30

// maxWindowBytes is the largest zstd window that is accepted, which is the memory that unpacking
// takes; it is what `zstd --ultra -22` and `zstd --long` need.
const maxWindowBytes = 128 << 20

// errDamaged is the error of compressed data that cannot be unpacked. It becomes a FILE_UNREADABLE that
// names the last good line where that line is known.
var errDamaged = errors.New("unpack: the compressed data is damaged")

// source gives the unpacked bytes of a file.
type source struct {
	file *os.File
	size int64
	// read counts the bytes taken from the file. Another goroutine may look at it.
	read atomic.Int64
	// fileErr tells trouble of the file system from trouble of the compressed data.
	fileErr error
	stream  io.Reader
	// isPacked says that the file is compressed.
	isPacked bool
	// decoder has to be closed; nil unless the file is zstd.
	decoder *zstd.Decoder
	// left is how many bytes may still be unpacked.
	left int64
}

func openSource(path string) (*source, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open file: %w", err)
	}
	s := &source{file: f, left: MaxFileBytes}
	if err := s.unpack(); err != nil {
		_ = f.Close()
		return nil, err
	}
	return s, nil
}

// unpack finds out by the file's first bytes whether it is compressed.
func (s *source) unpack() error {
	info, err := s.file.Stat()
	if err != nil {
		return fmt.Errorf("look at file: %w", err)
	}
	s.size = info.Size()
	packed := bufio.NewReaderSize(readerFunc(s.readFile), chunkBytes)
	s.stream = packed
	// A file that is shorter than this is not compressed; an error comes again when the file is read.
	magic, _ := packed.Peek(4)
	switch {
	case isGzip(magic):
		unpacked, err := gzip.NewReader(packed)
		if err != nil {
			return s.failure(err)
		}
		unpacked.Multistream(false)
		members := &gzipMembers{packed: packed, member: unpacked}
		s.stream, s.isPacked = readerFunc(members.read), true
	case isZstd(magic):
		padded := &zstdFrames{source: s, packed: packed}
		// Without concurrency the decoder works in the caller's goroutine and reads nothing ahead.
		s.decoder, err = zstd.NewReader(readerFunc(padded.read), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindowBytes))
		if err != nil {
			return s.failure(err)
		}
		s.stream, s.isPacked = s.decoder, true
	}
	return nil
}

// gzipMembers unpacks the members of a gzip file, which are one text. Zeros behind a member are padding, as tapes and
// block devices have it.
type gzipMembers struct {
	packed *bufio.Reader
	member *gzip.Reader
}

func (g *gzipMembers) read(p []byte) (int, error) {
	for {
		n, err := g.member.Read(p)
		if n > 0 && errors.Is(err, io.EOF) {
			err = nil
		}
		if n > 0 || !errors.Is(err, io.EOF) {
			return n, err
		}
		for {
			c, err := g.packed.ReadByte()
			if err != nil {
				return 0, err
			}
			if c != 0 {
				break
			}
		}
		if err := g.packed.UnreadByte(); err != nil {
			return 0, err
		}
		if err := g.member.Reset(g.packed); err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return 0, err
		}
		g.member.Multistream(false)
	}
}

// zstdFrames gives the frames of a zstd file to the decoder and ends before the zeros behind them. The decoder asks for the
// first byte of a frame alone.
type zstdFrames struct {
	source *source
	packed *bufio.Reader
	// firstOther is the position in the file of the first byte that is no zero, where that is known.
	firstOther int64
}

func (z *zstdFrames) read(p []byte) (int, error) {
	if len(p) == 1 {
		isPadding, err := z.isPadding()
		if err != nil || isPadding {
			return 0, cmp.Or(err, io.EOF)
		}
	}
	return z.packed.Read(p)
}

// isPadding reports whether there is nothing left but zeros.
func (z *zstdFrames) isPadding() (bool, error) {
	next, err := z.packed.Peek(1)
	if err != nil || next[0] != 0 {
		return false, nil //nolint:nilerr // the decoder gets the error when it reads
	}
	at := z.source.read.Load() - int64(z.packed.Buffered())
	if z.firstOther > at {
		return false, nil
	}
	buf := make([]byte, chunkBytes)
	for {
		n, err := z.source.file.ReadAt(buf, at)
		if i := bytes.IndexFunc(buf[:n], func(r rune) bool { return r != 0 }); i >= 0 {
			z.firstOther = at + int64(i)
			return false, nil
		}
		at += int64(n)
		switch {
		case errors.Is(err, io.EOF):
			return true, nil
		case err != nil:
			return false, fmt.Errorf("read file: %w", err)
		}
	}
}

func isGzip(start []byte) bool { return bytes.HasPrefix(start, []byte{0x1f, 0x8b}) }

// isZstd also tells the skippable frames with which a zstd file may begin.
func isZstd(start []byte) bool {
	return bytes.HasPrefix(start, []byte{0x28, 0xb5, 0x2f, 0xfd}) ||
		len(start) >= 4 && start[0]&0xf0 == 0x50 && bytes.Equal(start[1:4], []byte{0x2a, 0x4d, 0x18})
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func (s *source) readFile(p []byte) (int, error) {
	n, err := s.file.Read(p)
	s.read.Add(int64(n))
	if err != nil && !errors.Is(err, io.EOF) {
		s.fileErr = fmt.Errorf("read file: %w", err)
	}
	return n, err
}

// Read returns unpacked bytes. It returns FILE_TOO_LARGE beyond MaxFileBytes, FILE_UNREADABLE beyond
// maxWindowBytes, and errDamaged.
func (s *source) Read(p []byte) (int, error) {
	n, err := s.stream.Read(p)
	if err := s.take(n); err != nil {
		return 0, err
	}
	if err == nil || errors.Is(err, io.EOF) {
		return n, err
	}
	return n, s.failure(err)
}

// take counts bytes that were unpacked. It returns FILE_TOO_LARGE beyond MaxFileBytes.
func (s *source) take(count int) error {
	if s.left -= int64(count); s.left < 0 {
		return coupon.Errorf(coupon.ErrorFileTooLarge, "The file is larger than %d GiB once it is unpacked. Split it.", MaxFileBytes>>30)
	}
	return nil
}

func (s *source) failure(err error) error {
	switch {
	case s.fileErr != nil:
		return s.fileErr
	case errors.Is(err, zstd.ErrWindowSizeExceeded), errors.Is(err, zstd.ErrDecoderSizeExceeded):
		// In a stream both say that the window is too large.
		return unreadable("The file takes too much memory to unpack. Compress it again with zstd, without --long.")
	}
	return fmt.Errorf("%w: %w", errDamaged, err)
}

func (s *source) close() error {
	if s.decoder != nil {
		s.decoder.Close()
	}
	return s.file.Close()
}
