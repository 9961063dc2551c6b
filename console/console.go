// Package console serves the page on which marketers work: coupons, files, deliveries and their
// results, without a line of GraphQL.
//
// The page uses the public API alone, with the key that its user enters. It is written in
// TypeScript in source/, and source/build.mjs makes static/ of it, which is committed and embedded:
// the program needs neither Node nor the internet. Scripts and styles have a hash of their content
// in their names, so a browser keeps them for good and still sees a new release at once.
package console

import (
	"embed"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"

	"couponql/page"
)

// staticFiles are index.html and, gzipped, what it needs.
//
//go:embed static
var staticFiles embed.FS

const (
	// Path is where the console begins; its pages are below.
	Path       = "/console"
	staticPath = Path + "/static/"
)

// Handler serves the console at /console and below. Which page an address means is decided in the
// browser, so every address below has the same HTML; a file that does not exist is 404. Handler
// panics if an embedded file cannot be served, which only a faulty build can cause.
func Handler() http.Handler {
	files, err := load()
	if err != nil {
		panic(fmt.Errorf("load the console's files: %w", err))
	}
	mux := http.NewServeMux()
	mux.Handle("GET "+Path, files[Path])
	mux.Handle("GET "+Path+"/", files[Path])
	mux.Handle("GET "+staticPath, http.NotFoundHandler())
	for _, file := range files {
		if file.Path() != Path {
			mux.Handle("GET "+file.Path(), file)
		}
	}
	return page.Secure(mux)
}

// load returns every file by its path on the server.
func load() (map[string]*page.File, error) {
	files := make(map[string]*page.File)
	err := fs.WalkDir(staticFiles, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		file, err := loadFile(name)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		files[file.Path()] = file
		return nil
	})
	return files, err
}

func loadFile(name string) (*page.File, error) {
	content, err := staticFiles.ReadFile(name)
	if err != nil {
		return nil, err
	}
	base, isCompressed := strings.CutSuffix(path.Base(name), ".gz")
	plain, gzipped := content, content
	if isCompressed {
		plain, err = page.Decompress(gzipped)
	} else {
		gzipped, err = page.Compress(plain)
	}
	if err != nil {
		return nil, err
	}
	switch base {
	case "index.html":
		return page.New(Path, page.Revalidate, plain, gzipped)
	case "LICENSES.txt":
		return page.New(staticPath+base, page.Revalidate, plain, gzipped)
	}
	return page.New(staticPath+base, page.Forever, plain, gzipped)
}
