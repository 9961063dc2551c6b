package playground

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"
)

// hashDigits is how much of a file's SHA-256 its name and its ETag carry: 64 bits, in hexadecimal.
const hashDigits = 16

// asset is a file in memory, ready to be sent both as it is and compressed.
type asset struct {
	path         string
	contentType  string
	cacheControl string
	hash         string
	plain        []byte
	gzipped      []byte
}

// loadAssets returns every embedded file of the page by its plain name, such as "graphiql.js". Its path
// is /assets/ and that name with the content's hash before the extension.
func loadAssets() (map[string]*asset, error) {
	assets := make(map[string]*asset)
	err := fs.WalkDir(assetFiles, ".", func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		plain, err := assetFiles.ReadFile(file)
		if err != nil {
			return err
		}
		name, isCompressed := strings.CutSuffix(path.Base(file), ".gz")
		gzipped := plain
		if isCompressed {
			plain, err = decompress(gzipped)
		} else {
			gzipped, err = compress(plain)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		extension := path.Ext(name)
		hashed := strings.TrimSuffix(name, extension) + "." + hash(plain) + extension
		assets[name], err = newAsset("/assets/"+hashed, "public, max-age=31536000, immutable", plain, gzipped)
		return err
	})
	return assets, err
}

// newAsset is a file at a path of the server; the file's type follows from the path's extension.
func newAsset(urlPath, cacheControl string, plain, gzipped []byte) (*asset, error) {
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
	return &asset{
		path:         urlPath,
		contentType:  contentType,
		cacheControl: cacheControl,
		hash:         hash(plain),
		plain:        plain,
		gzipped:      gzipped,
	}, nil
}

// ServeHTTP sends the file, compressed to those who accept it, and answers 304 to those who have it.
func (a *asset) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Type", a.contentType)
	header.Set("Cache-Control", a.cacheControl)
	header.Set("Vary", "Accept-Encoding")

	body, etag := a.plain, a.hash
	if acceptsGzip(r.Header.Values("Accept-Encoding")) {
		body, etag = a.gzipped, a.hash+"-gzip"
		header.Set("Content-Encoding", "gzip")
		// http.ServeContent leaves the length of encoded content to its caller.
		header.Set("Content-Length", strconv.Itoa(len(body)))
	}
	header.Set("ETag", `"`+etag+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}

// acceptsGzip tells from the lines of an Accept-Encoding header whether the client takes gzip: by name,
// or by the wildcard unless its name says otherwise. A weight of zero means that it does not.
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

// isWanted reads the parameter q of a content coding, such as "q=0.5"; a missing one stands for 1, and
// one that is no number for 0.
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

func compress(plain []byte) ([]byte, error) {
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

func decompress(compressed []byte) ([]byte, error) {
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

// hash identifies content by the first hashDigits digits of its SHA-256.
func hash(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])[:hashDigits]
}
