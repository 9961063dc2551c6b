// Package page serves the files of embedded pages: compressed ahead, known by a hash of their
// content, and with the headers that let a page use this server alone.
package page

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"
)

// hashDigits is how much of a file's SHA-256 its name and its ETag carry: 64 bits, in hexadecimal.
const hashDigits = 16

// File is a file in memory, ready to be sent both as it is and compressed.
type File struct {
	path         string
	contentType  string
	cacheControl string
	hash         string
	plain        []byte
	gzipped      []byte
}

// New returns a file at a path of the server; the file's type follows from the path's extension.
func New(urlPath, cacheControl string, plain, gzipped []byte) (*File, error) {
	contentType, ok := map[string]string{
		"":     "text/html; charset=utf-8",
		".css": "text/css; charset=utf-8",
		".js":  "text/javascript; charset=utf-8",
		".svg": "image/svg+xml",
		".txt": "text/plain; charset=utf-8",
	}[path.Ext(urlPath)]
	if !ok {
		return nil, fmt.Errorf("file of unknown type at %s", urlPath)
	}
	return &File{
		path:         urlPath,
		contentType:  contentType,
		cacheControl: cacheControl,
		hash:         Hash(plain),
		plain:        plain,
		gzipped:      gzipped,
	}, nil
}

// ServeHTTP sends the file, compressed to those who accept it, and answers 304 to those who have
// it.
func (f *File) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Type", f.contentType)
	header.Set("Cache-Control", f.cacheControl)
	header.Set("Vary", "Accept-Encoding")

	body, etag := f.plain, f.hash
	if acceptsGzip(r.Header.Values("Accept-Encoding")) {
		body, etag = f.gzipped, f.hash+"-gzip"
		header.Set("Content-Encoding", "gzip")
		// http.ServeContent leaves the length of encoded content to its caller.
		header.Set("Content-Length", strconv.Itoa(len(body)))
	}
	header.Set("ETag", `"`+etag+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}

// Path returns where the server has the file.
func (f *File) Path() string { return f.path }

// Forever is the cache control of a file whose path has a hash of its content.
const Forever = "public, max-age=31536000, immutable"

// Revalidate is the cache control of a page that names the files of the running release.
const Revalidate = "no-cache"

// contentSecurityPolicy lets a page use this server alone, and run no inline script. Inline styles
// are allowed: GraphiQL's dialogs and menus insert style elements, and mails that are looked at
// have them. GraphiQL's style sheet holds fonts and images as data URLs.
const contentSecurityPolicy = "default-src 'self'; " +
	"style-src 'self' 'unsafe-inline'; " +
	"font-src 'self' data:; " +
	"img-src 'self' data:; " +
	"object-src 'none'; " +
	"base-uri 'none'; " +
	"form-action 'none'; " +
	"frame-ancestors 'none'"

// Secure adds the headers that protect a page to every answer, errors included.
func Secure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", contentSecurityPolicy)
		header.Set("X-Frame-Options", "DENY")
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "no-referrer")
		next.ServeHTTP(w, r)
	})
}

// acceptsGzip tells from the lines of an Accept-Encoding header whether the client takes gzip: by
// name, or by the wildcard unless its name says otherwise. A weight of zero means that it does not.
func acceptsGzip(lines []string) bool {
	isAccepted := false
	for coding := range strings.SplitSeq(strings.Join(lines, ","), ",") {
		name, parameters, _ := strings.Cut(coding, ";")
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "gzip":
			return isWanted(parameters)
		case "*":
			isAccepted = isWanted(parameters)
		}
	}
	return isAccepted
}

// isWanted reads the parameter q of a content coding, such as "q=0.5"; a missing one stands for 1,
// and one that is no number for 0.
func isWanted(parameters string) bool {
	for parameter := range strings.SplitSeq(parameters, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(parameter), "=")
		if strings.EqualFold(name, "q") {
			weight, err := strconv.ParseFloat(value, 64)
			return err == nil && weight > 0
		}
	}
	return true
}

// Compress returns what Decompress makes plain again.
func Compress(plain []byte) ([]byte, error) {
	var compressed bytes.Buffer
	writer, err := gzip.NewWriterLevel(&compressed, gzip.BestCompression)
	if err != nil {
		return nil, fmt.Errorf("compress: %w", err)
	}
	if _, err := writer.Write(plain); err != nil {
		return nil, fmt.Errorf("compress: %w", err)
	}
	if err := writer.Close(); err != nil {
		return nil, fmt.Errorf("compress: %w", err)
	}
	return compressed.Bytes(), nil
}

// Decompress returns the content of a file in the format gzip.
func Decompress(compressed []byte) ([]byte, error) {
	reader, err := gzip.NewReader(bytes.NewReader(compressed))
	if err != nil {
		return nil, fmt.Errorf("decompress: %w", err)
	}
	plain, err := io.ReadAll(reader)
	if err != nil {
		return nil, fmt.Errorf("decompress: %w", err)
	}
	return plain, nil
}

// Hash identifies content by the first hashDigits digits of its SHA-256.
func Hash(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])[:hashDigits]
}
