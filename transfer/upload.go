package transfer

import (
	"crypto/sha1" //nolint:gosec // tus clients check against accidents with it; a link, not a checksum, says who may send
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"hash"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"couponql/coupon"
	"couponql/db"
)

// What the tus protocol calls for.
const (
	tusVersion    = "1.0.0"
	tusExtensions = "checksum,creation-defer-length,expiration,termination"
	tusChecksums  = "sha256,sha1"
	tusChunk      = "application/offset+octet-stream"

	statusChecksumMismatch = 460
)

// upload serves the link of an upload: PUT for whole files, and the methods of the tus protocol.
func (h *handler) upload(w http.ResponseWriter, r *http.Request) {
	method := r.Method
	if meant := r.Header.Get("X-Http-Method-Override"); method == http.MethodPost && meant != "" {
		method = meant
	}
	w.Header().Set("Tus-Resumable", tusVersion)
	w.Header().Set("Cache-Control", "no-store")
	if method == http.MethodOptions {
		describe(w)
		return
	}
	serve, isKnown := map[string]func(http.ResponseWriter, *http.Request, coupon.ID){
		http.MethodPut: h.put, http.MethodHead: h.look, http.MethodPatch: h.patch, http.MethodDelete: h.remove,
	}[method]
	if !isKnown {
		w.Header().Set("Allow", "DELETE, HEAD, OPTIONS, PATCH, PUT")
		refuse(w, http.StatusMethodNotAllowed, "Send the whole file with PUT, or use the tus protocol with HEAD and PATCH.")
		return
	}
	if !h.isAllowed(w, r, forUpload) {
		return
	}
	version := r.Header.Get("Tus-Resumable")
	if needsVersion := method == http.MethodPatch || method == http.MethodDelete; version != tusVersion && (version != "" || needsVersion) {
		w.Header().Set("Tus-Version", tusVersion)
		refuse(w, http.StatusPreconditionFailed, "Tus-Resumable must be "+tusVersion+", the version of the tus protocol that is spoken here.")
		return
	}
	serve(w, r, coupon.ID(r.PathValue("id")))
}

// describe tells a tus client what it can do here.
func describe(w http.ResponseWriter) {
	w.Header().Set("Tus-Version", tusVersion)
	w.Header().Set("Tus-Extension", tusExtensions)
	w.Header().Set("Tus-Checksum-Algorithm", tusChecksums)
	w.Header().Set("Tus-Max-Size", strconv.FormatInt(coupon.MaxUploadBytes, 10))
	w.WriteHeader(http.StatusNoContent)
}

// put takes a whole file.
func (h *handler) put(w http.ResponseWriter, r *http.Request, id coupon.ID) {
	if r.Header.Get("Content-Range") != "" {
		refuse(w, http.StatusBadRequest, "PUT takes the whole file. To send it in pieces, use the tus protocol.")
		return
	}
	if r.ContentLength > coupon.MaxUploadBytes {
		h.fail(w, r, coupon.ErrUploadTooLarge())
		return
	}
	content, end := newBody(w, r, h.patience)
	defer end()
	u, err := h.Store.WriteUpload(r.Context(), id, 0, content, true)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	tell(w, u)
	w.WriteHeader(http.StatusNoContent)
}

// look tells how much of a file is here.
func (h *handler) look(w http.ResponseWriter, r *http.Request, id coupon.ID) {
	u, err := h.Store.UploadByID(r.Context(), id)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	tell(w, u)
	if u.ByteCount != nil {
		w.Header().Set("Upload-Length", strconv.FormatInt(*u.ByteCount, 10))
	} else {
		w.Header().Set("Upload-Defer-Length", "1")
	}
	w.WriteHeader(http.StatusOK)
}

// tell says how much of a file is here, and until when the rest can be sent.
func tell(w http.ResponseWriter, u *coupon.Upload) {
	w.Header().Set("Upload-Offset", strconv.FormatInt(u.Received, 10))
	w.Header().Set("Upload-Expires", u.ExpiresAt.UTC().Format(http.TimeFormat))
}

// patch takes a piece of a file.
func (h *handler) patch(w http.ResponseWriter, r *http.Request, id coupon.ID) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != tusChunk {
		refuse(w, http.StatusUnsupportedMediaType, "The Content-Type of a piece of a file is "+tusChunk+".")
		return
	}
	offset, isNumber := count(r, "Upload-Offset")
	if !isNumber {
		refuse(w, http.StatusBadRequest, "Upload-Offset must say at which byte of the file the piece begins.")
		return
	}
	if r.Header.Get("Upload-Length") != "" {
		length, isNumber := count(r, "Upload-Length")
		if !isNumber {
			refuse(w, http.StatusBadRequest, "Upload-Length must say how many bytes the file has.")
			return
		}
		if err := h.Store.AnnounceUpload(r.Context(), id, length); err != nil {
			h.fail(w, r, err)
			return
		}
	}
	received, end := newBody(w, r, h.patience)
	defer end()
	content, err := verified(received, r.Header.Get("Upload-Checksum"))
	if err != nil {
		refuse(w, http.StatusBadRequest, "Upload-Checksum must be one of "+tusChecksums+", a space, and the checksum in Base64.")
		return
	}
	u, err := h.Store.WriteUpload(r.Context(), id, offset, content, false)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	tell(w, u)
	w.WriteHeader(http.StatusNoContent)
}

// count returns a header that is a number of bytes.
func count(r *http.Request, name string) (int64, bool) {
	n, err := strconv.ParseInt(r.Header.Get(name), 10, 64)
	return n, err == nil && n >= 0
}

// remove deletes an upload that no import waits for.
func (h *handler) remove(w http.ResponseWriter, r *http.Request, id coupon.ID) {
	_, err := h.Store.UploadByID(r.Context(), id)
	if err == nil {
		err = h.Store.DeleteUpload(r.Context(), id)
	}
	if err != nil {
		h.fail(w, r, err)
		return
	}
	if _, err := h.Store.UploadByID(r.Context(), id); err == nil {
		refuse(w, http.StatusConflict, "An import needs the file still.")
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// checked is a reader that knows what its bytes must come to.
type checked struct {
	from io.Reader
	sum  hash.Hash
	want string
}

// verified returns a reader of the same bytes that ends with db.ErrWrongChecksum unless they have the checksum, which
// is that of an Upload-Checksum header; "" is none.
func verified(r io.Reader, header string) (io.Reader, error) {
	if header == "" {
		return r, nil
	}
	name, encoded, _ := strings.Cut(header, " ")
	want, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return nil, err
	}
	c := &checked{from: r, want: string(want)}
	switch name {
	case "sha256":
		c.sum = sha256.New()
	case "sha1":
		c.sum = sha1.New() //nolint:gosec // see the import
	default:
		return nil, errors.New("unknown kind of checksum")
	}
	if len(want) != c.sum.Size() {
		return nil, errors.New("a checksum of another length")
	}
	return c, nil
}

// Read reads. Bytes that break off cannot be checked, so they are as good as wrong.
func (c *checked) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.sum.Write(p[:n])
	switch {
	case err == nil, errors.Is(err, io.EOF) && string(c.sum.Sum(nil)) == c.want:
		return n, err
	case errors.Is(err, io.EOF):
		return n, db.ErrWrongChecksum
	}
	return n, errors.Join(db.ErrWrongChecksum, err)
}
