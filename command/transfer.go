package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"couponql/background"
)

const (
	// maxReasonBytes bounds how much of an answer that is an error is repeated.
	maxReasonBytes = 300
	// tusVersion is that of the protocol spoken here, https://tus.io/protocols/resumable-upload.
	tusVersion = "1.0.0"
)

// errSilent says that a transfer stood still for too long.
var errSilent = errors.New("nothing moves on the connection")

// send brings a file of known size to a place by the tus protocol. It asks how much the server has and sends
// the rest, until that is all.
func (s *session) send(ctx context.Context, address string, content io.ReaderAt, size int64, shown *bar) error {
	reached := int64(0)
	return s.persist(ctx, func() (hasProgressed bool, _ error) {
		offset, err := s.askOffset(ctx, address)
		if err != nil {
			return false, err
		}
		for {
			if offset > size {
				return false, &lastingError{fmt.Errorf("the server has %d bytes of a file that has %d", offset, size)}
			}
			hasProgressed = hasProgressed || offset > reached
			reached = max(reached, offset)
			shown.set(offset)
			if offset == size {
				return true, nil
			}
			next, err := s.sendChunk(ctx, address, io.NewSectionReader(content, offset, min(s.pace.chunkBytes, size-offset)), offset, shown)
			if err == nil && next <= offset {
				err = fmt.Errorf("the server has %d bytes after a request that carried on from %d", next, offset)
			}
			if err != nil {
				return hasProgressed, err
			}
			offset = next
		}
	})
}

// askOffset asks how much of a file the server has.
func (s *session) askOffset(ctx context.Context, address string) (int64, error) {
	ctx, watch := s.watch(ctx)
	defer watch.stop()
	request, err := http.NewRequestWithContext(ctx, http.MethodHead, address, http.NoBody)
	if err != nil {
		return 0, &lastingError{err}
	}
	response, err := s.exchange(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	return readOffset(response)
}

// sendChunk sends a piece of a file and gives how much of the file the server has then.
func (s *session) sendChunk(ctx context.Context, address string, chunk *io.SectionReader, offset int64, shown *bar) (int64, error) {
	ctx, watch := s.watch(ctx)
	defer watch.stop()
	body := &watchedReader{chunk, watch, func(n int) { shown.add(n) }}
	request, err := http.NewRequestWithContext(ctx, http.MethodPatch, address, body)
	if err != nil {
		return 0, &lastingError{err}
	}
	request.ContentLength = chunk.Size()
	request.Header.Set("Content-Type", "application/offset+octet-stream")
	request.Header.Set("Upload-Offset", strconv.FormatInt(offset, 10))
	response, err := s.exchange(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	return readOffset(response)
}

// put sends a file of unknown size in one request. It cannot be resumed: what was read is gone.
func (s *session) put(ctx context.Context, address string, content io.Reader, shown *bar) error {
	ctx, watch := s.watch(ctx)
	defer watch.stop()
	// A source may be silent for ever, and a request only ends when a read of its body has: this one ends with ctx.
	reader, writer := io.Pipe()
	background.Go(func() error {
		_, err := io.Copy(writer, content)
		return err
	}, func(err error) { writer.CloseWithError(err) })
	stop := background.AfterDone(ctx, func() error { return reader.CloseWithError(context.Cause(ctx)) }, func(error) {})
	defer stop()
	body := &watchedReader{reader, watch, func(n int) { shown.add(n) }}
	request, err := http.NewRequestWithContext(ctx, http.MethodPut, address, body)
	if err != nil {
		return err
	}
	request.ContentLength = -1
	request.Header.Set("Content-Type", "application/octet-stream")
	response, err := s.exchange(request)
	if err != nil {
		return err
	}
	return response.Body.Close()
}

// fetch writes the file at an address to a writer. When the connection breaks it goes on where it was. It gives
// the number of bytes.
func (s *session) fetch(ctx context.Context, address string, to io.Writer, shown *bar) (int64, error) {
	written := int64(0)
	err := s.persist(ctx, func() (bool, error) {
		before := written
		err := s.fetchFrom(ctx, address, &written, to, shown)
		return written > before, err
	})
	return written, err
}

// fetchFrom writes what is behind *written, and counts it there.
func (s *session) fetchFrom(ctx context.Context, address string, written *int64, to io.Writer, shown *bar) error {
	ctx, watch := s.watch(ctx)
	defer watch.stop()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return &lastingError{err}
	}
	// The bytes of the file are wanted, not another way to write them that has another length.
	request.Header.Set("Accept-Encoding", "identity")
	if *written > 0 {
		request.Header.Set("Range", fmt.Sprintf("bytes=%d-", *written))
	}
	response, err := s.exchange(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body := &watchedReader{response.Body, nil, func(int) { watch.touch() }}
	if *written > 0 && response.StatusCode != http.StatusPartialContent {
		// The server knows no ranges. The file is the same, so its beginning is skipped.
		if _, err := io.CopyN(io.Discard, body, *written); err != nil {
			return silent(ctx, err)
		}
	}
	target := &countingWriter{to: to, each: func(n int) { *written += int64(n); shown.add(n) }}
	if _, err := io.Copy(target, body); err != nil {
		if target.err != nil {
			return &lastingError{target.err}
		}
		return silent(ctx, err)
	}
	return nil
}

// countingWriter tells of what was written, and tells its own errors from those of reading.
type countingWriter struct {
	to   io.Writer
	each func(n int)
	err  error
}

// Write writes and counts.
func (w *countingWriter) Write(p []byte) (int, error) {
	n, err := w.to.Write(p)
	w.each(n)
	w.err = err
	return n, err
}

// exchange sends a request and judges the answer: one that is an error is a *lastingError unless it may pass.
func (s *session) exchange(request *http.Request) (*http.Response, error) {
	if request.Method != http.MethodGet {
		request.Header.Set("Tus-Resumable", tusVersion)
	}
	response, err := s.http.Do(request)
	if err != nil {
		return nil, silent(request.Context(), err)
	}
	if response.StatusCode/100 == 2 {
		return response, nil
	}
	defer response.Body.Close()
	reason, _ := io.ReadAll(io.LimitReader(response.Body, maxReasonBytes)) // What is there is enough.
	err = fmt.Errorf("the server answers %s", response.Status)
	if text := strings.TrimSpace(string(reason)); text != "" {
		err = fmt.Errorf("%w: %s", err, text)
	}
	switch response.StatusCode {
	case http.StatusRequestTimeout, http.StatusConflict, http.StatusLocked, http.StatusTooManyRequests,
		http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return nil, err
	default:
		return nil, &lastingError{err}
	}
}

// readOffset returns how much of a file the server has.
func readOffset(response *http.Response) (int64, error) {
	text := response.Header.Get("Upload-Offset")
	offset, err := strconv.ParseInt(text, 10, 64)
	if err != nil || offset < 0 {
		return 0, &lastingError{fmt.Errorf("the server does not say how much of the file it has: Upload-Offset is %q", text)}
	}
	return offset, nil
}

// watch bounds how long a transfer may stand still, since no limit fits the time of a file of any size.
type watch struct {
	timer   *time.Timer
	silence time.Duration
	cancel  context.CancelCauseFunc
}

func (s *session) watch(ctx context.Context) (context.Context, *watch) {
	ctx, cancel := context.WithCancelCause(ctx)
	timer := background.After(s.pace.silence, func() error { return errSilent }, func(err error) { cancel(err) })
	return ctx, &watch{timer, s.pace.silence, cancel}
}

// touch says that something moved.
func (w *watch) touch() { w.timer.Reset(w.silence) }

func (w *watch) stop() {
	w.timer.Stop()
	w.cancel(nil)
}

// silent returns the reason why a transfer ended, where the error only says that it was canceled.
func silent(ctx context.Context, err error) error {
	if errors.Is(context.Cause(ctx), errSilent) {
		return errSilent
	}
	return err
}

// watchedReader tells of what is read. With a watch, time counts only between reads: the source may take as
// long as it wants, the connection may not.
type watchedReader struct {
	from  io.Reader
	watch *watch
	each  func(n int)
}

// Read reads.
func (r *watchedReader) Read(p []byte) (int, error) {
	if r.watch != nil {
		r.watch.timer.Stop()
		defer r.watch.touch()
	}
	n, err := r.from.Read(p)
	r.each(n)
	return n, err
}
