package resolvers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"couponql/access"
	"couponql/coupon"
	"couponql/db"
	"couponql/monitor"
	"couponql/transfer"
)

// multipartForm is the transport of requests that bring files, as the GraphQL multipart request specification says:
// the parts `operations` and `map`, and then the files. Each goes straight to where the store keeps uploads; what no
// mutation took is deleted at the end of the request.
type multipartForm struct {
	store   *db.Store
	options Options
}

var _ graphql.Transport = multipartForm{}

// Supports tells requests that may bring files.
func (multipartForm) Supports(r *http.Request) bool {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && r.Method == http.MethodPost && kind == "multipart/form-data" && r.Header.Get("Upgrade") == ""
}

// Do answers a request.
func (f multipartForm) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	// A client that uploads a file and accepts nothing that there is rather has the wrong type than no answer.
	a := newReply(w, r, exec)
	content, end := transfer.Body(w, r)
	defer end()
	r.Body = io.NopCloser(content)
	start := graphql.Now()
	files := &formFiles{store: f.store}
	defer f.clear(r.Context(), files)
	parts, params, err := files.open(r)
	if err != nil {
		f.refuse(w, r, err)
		return
	}
	params.ReadTime = graphql.TraceTiming{Start: start, End: graphql.Now()}
	// Whoever may not do what is asked for, or asks for what cannot be done, is told so before any file of it is stored.
	operation := a.operation(params) //nolint:contextcheck // what is answered has the request, and its context
	if operation == nil {
		return
	}
	if err := files.read(r.Context(), parts); err != nil {
		f.refuse(w, r, err)
		return
	}
	// The body is read to its end, where the deadline for the client's next byte ends.
	_, _ = io.Copy(io.Discard, io.LimitReader(content, MaxRequestBytes))
	a.run(operation) //nolint:contextcheck // what is answered has the request, and its context
}

// clear deletes what no mutation took.
func (f multipartForm) clear(ctx context.Context, files *formFiles) {
	if err := files.clear(ctx); err != nil {
		f.options.Log.ErrorContext(ctx, "could not delete the files of a request", "request", monitor.RequestID(ctx), "error", err)
	}
}

// refuse answers a request whose files are not here.
func (f multipartForm) refuse(w http.ResponseWriter, r *http.Request, err error) {
	status := http.StatusServiceUnavailable
	var answer *gqlerror.Error
	problems, isUser := coupon.AsUserErrors(err)
	form, isForm := errors.AsType[httpError](err)
	switch {
	case errors.Is(context.Cause(r.Context()), access.ErrOut):
		answer = refusal(codeUnauthenticated, nil, "%s.", sentence(access.ErrOut))
	case isForm:
		refuseHTTP(w, form)
		return
	case isUser && problems[0].Code == coupon.ErrorFileTooLarge:
		status, answer = http.StatusRequestEntityTooLarge, present(f.options)(r.Context(), err)
	default:
		answer = present(f.options)(r.Context(), err)
	}
	writeResponse(w, status, &graphql.Response{Errors: gqlerror.List{answer}})
}

// badForm says what is wrong with the parts of a request.
func badForm(format string, args ...any) error {
	return badRequest(http.StatusUnprocessableEntity, fmt.Sprintf(format, args...))
}

// formFiles are the files that come with one request.
type formFiles struct {
	store *db.Store
	// expected has the files that have not come yet, by the names of their parts; the variables have them already.
	expected map[string]*storedFile
	stored   []*storedFile
}

// open reads what a request asks for, and the variables that its files are for: they have the files from here on, which read
// fills.
func (f *formFiles) open(r *http.Request) (parts *multipart.Reader, params *graphql.RawParams, err error) {
	if parts, err = r.MultipartReader(); err != nil {
		return nil, nil, badForm("failed to parse multipart form")
	}
	var asked parameters
	if err := readField(r.Context(), parts, "operations", "first", asked.decode); err != nil {
		return nil, nil, err
	}
	if params, err = asked.params(); err != nil {
		return nil, nil, err
	}
	places := map[string][]string{}
	readPlaces := func(ctx context.Context, text []byte) error { return decode(ctx, text, &places) }
	if err := readField(r.Context(), parts, "map", "second", readPlaces); err != nil {
		return nil, nil, err
	}
	return parts, params, f.expect(params, places)
}

// expect puts the files into the variables. It refuses a map that cannot be followed before any file is received.
func (f *formFiles) expect(params *graphql.RawParams, places map[string][]string) error {
	f.expected = make(map[string]*storedFile, len(places))
	count := 0
	for _, key := range slices.Sorted(maps.Keys(places)) {
		paths := places[key]
		if len(paths) == 0 {
			return badForm("invalid empty operations paths list for key %.100s", key)
		}
		count += len(paths)
		file := &storedFile{}
		f.expected[key] = file
		for _, path := range paths {
			if err := put(params.Variables, path, graphql.Upload{File: file}); err != nil {
				return err
			}
		}
	}
	if len(places) > maxFiles || count > maxPlaces {
		return badForm("a request has at most %d files, for at most %d variables", maxFiles, maxPlaces)
	}
	return nil
}

// read stores the files of a request.
func (f *formFiles) read(ctx context.Context, parts *multipart.Reader) error {
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return badForm("failed to parse part")
		}
		key := part.FormName()
		file := f.expected[key]
		if file == nil {
			return badForm("invalid empty operations paths list for key %.100s", key)
		}
		delete(f.expected, key)
		if err := f.receive(ctx, key, part, file); err != nil {
			return err
		}
	}
	for key := range f.expected {
		return badForm("failed to get key %.100s from form", key)
	}
	return nil
}

// readField reads the next part, which must be a field with this name. decode reads its JSON.
func readField(
	ctx context.Context,
	parts *multipart.Reader,
	name, place string,
	decode func(ctx context.Context, text []byte) error,
) error {
	part, err := parts.NextPart()
	if err != nil || part.FormName() != name {
		return badForm("%s part must be %s", place, name)
	}
	text, err := readText(ctx, io.LimitReader(part, MaxRequestBytes+1))
	if problem, isHTTP := errors.AsType[httpError](err); isHTTP {
		return problem
	}
	if err != nil {
		return badForm("failed to parse part")
	}
	if len(text) > MaxRequestBytes {
		return badRequest(http.StatusRequestEntityTooLarge, fmt.Sprintf("%s form field is larger than %d MiB", name, MaxRequestBytes>>20))
	}
	err = decode(ctx, text)
	if problem, isHTTP := errors.AsType[httpError](err); isHTTP {
		return problem
	}
	if err != nil {
		return badForm("%s form field could not be decoded", name)
	}
	return nil
}

// put puts a file where a path such as variables.files.0 leads.
func put(variables map[string]any, path string, file any) error {
	names := strings.Split(path, ".")
	if len(names) < 2 || names[0] != "variables" || variables == nil {
		return badForm("invalid operations path %.100s", path)
	}
	var at any = variables
	for i, name := range names[1:] {
		isLast := i == len(names)-2
		switch in := at.(type) {
		case map[string]any:
			if isLast {
				in[name] = file
			}
			at = in[name]
		case []any:
			place, err := strconv.Atoi(name)
			if err != nil || place < 0 || place >= len(in) {
				return badForm("invalid operations path %.100s", path)
			}
			if isLast {
				in[place] = file
			}
			at = in[place]
		default:
			return badForm("invalid operations path %.100s", path)
		}
	}
	return nil
}

// receive stores a file.
func (f *formFiles) receive(ctx context.Context, key string, part *multipart.Part, file *storedFile) error {
	source := &formPart{from: part}
	// A name of nothing but spaces is none, which the store can do without.
	file.name = strings.TrimSpace(part.FileName())
	stored, err := f.store.Receive(ctx, file.name, source)
	switch {
	case source.err != nil:
		return badForm("failed to read file for key %.100s", key)
	case err != nil:
		return err
	}
	file.id, file.size, file.checksum = stored.ID, stored.Received, or(stored.Checksum, "")
	f.stored = append(f.stored, file)
	file.ReadSeekCloser, err = f.store.OpenUpload(ctx, stored.ID)
	return err
}

// clear deletes what no mutation took.
func (f *formFiles) clear(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx)
	var failed error
	for _, file := range f.stored {
		if file.ReadSeekCloser != nil {
			failed = errors.Join(failed, file.Close())
		}
		if !file.isTaken.Load() {
			failed = errors.Join(failed, f.store.DeleteUpload(ctx, file.id))
		}
	}
	return failed
}

// formPart reads a part and notes how that failed, so that the client's failure is told from the store's.
type formPart struct {
	from io.Reader
	err  error
}

// Read reads.
func (p *formPart) Read(b []byte) (int, error) {
	n, err := p.from.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		p.err = err
	}
	return n, err
}

// storedFile is a file of a request, which is an upload once it has come: before that nothing of the operation is done.
type storedFile struct {
	io.ReadSeekCloser

	id   coupon.ID
	name string
	size int64
	// checksum is the SHA-256 of the file in hexadecimal.
	checksum string
	isTaken  atomic.Bool
}

// take returns the upload to an import, which then owns it. Another field of the operation that asks for the same file
// gets a copy: the first import may be over by then, and its file gone.
func (f *storedFile) take(ctx context.Context, store *db.Store) (coupon.ID, error) {
	if f.isTaken.CompareAndSwap(false, true) {
		return f.id, nil
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return "", fmt.Errorf("read an upload again: %w", err)
	}
	copied, err := store.Receive(ctx, f.name, f)
	if err != nil {
		return "", err
	}
	return copied.ID, nil
}
