// Package playground serves GraphiQL, the page on which analysts and marketers explore couponql's
// API.
//
// The page is complete without the internet: GraphiQL, React and the query builder are embedded in
// the program, and so is Chart.js, as published by their projects (assets/build.mjs fetches and
// compresses them into static/, together with their licenses). Of our own are app.js, which mounts
// GraphiQL on /graphql and speaks server-sent events for subscriptions; results.js, which shows the
// rows of an answer as a table or a chart, with rows.js, which finds them, and series.js, which
// decides what to draw; questions.js, which opens examples, saved questions and links; and
// access.js, which keeps the API key. The files in operations/ are the examples, the first of which
// open as tabs; each begins with the question that it answers.
//
// The page takes nothing from elsewhere and runs no inline script; its content security policy
// enforces both. Assets have the hash of their content in their name, so a browser keeps them for
// good and still sees a new release at once.
package playground

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"

	"couponql/page"
)

var (
	// The folder static holds files of other projects, gzipped, and their licenses.
	//
	//go:embed static app.js access.js questions.js results.js rows.js series.js app.css icon.svg
	assetFiles embed.FS

	//go:embed operations
	operationFiles embed.FS

	//go:embed index.html
	indexHTML string
)

// sqlOperations are the examples that a server answers only while SQL is on.
const sqlOperations = "*-sql.graphql"

// Options are what a server's playground depends on.
type Options struct {
	// HasSQL puts the question in SQL among the examples; without it, it would only be refused.
	HasSQL bool
}

// Handler serves the page at / and what it needs below /assets/; any other path is 404. The page
// sends its operations to /graphql on the same host, which the caller serves. Handler panics if the
// embedded files do not fit together, which only a faulty build can cause.
func Handler(options Options) http.Handler {
	assets, err := loadAssets()
	if err != nil {
		panic(fmt.Errorf("load playground assets: %w", err))
	}
	index, err := renderPage(assets, options)
	if err != nil {
		panic(fmt.Errorf("render playground page: %w", err))
	}

	mux := http.NewServeMux()
	mux.Handle("GET /{$}", index)
	for _, asset := range assets {
		mux.Handle("GET "+asset.Path(), asset)
	}
	return page.Secure(mux)
}

// renderPage fills index.html with the addresses of the assets and with the example operations.
func renderPage(assets map[string]*page.File, options Options) (*page.File, error) {
	operations, err := exampleOperations(options)
	if err != nil {
		return nil, err
	}
	index, err := template.New("index.html").Funcs(template.FuncMap{
		"asset": func(name string) (string, error) {
			found, ok := assets[name]
			if !ok {
				return "", fmt.Errorf("no asset %q", name)
			}
			return found.Path(), nil
		},
	}).Parse(indexHTML)
	if err != nil {
		return nil, fmt.Errorf("parse template: %w", err)
	}
	var html bytes.Buffer
	if err := index.Execute(&html, struct{ Operations []string }{operations}); err != nil {
		return nil, fmt.Errorf("execute template: %w", err)
	}
	// The page must be asked for at each visit, as it names the assets of the running release.
	compressed, err := page.Compress(html.Bytes())
	if err != nil {
		return nil, err
	}
	return page.New("/", page.Revalidate, html.Bytes(), compressed)
}

// exampleOperations returns the text of every file in operations/ that the server can answer, in
// the order of the numbers with which their names begin.
func exampleOperations(options Options) ([]string, error) {
	names, err := fs.Glob(operationFiles, "operations/*.graphql")
	if err != nil {
		return nil, fmt.Errorf("list operations: %w", err)
	}
	operations := make([]string, 0, len(names))
	for _, name := range names {
		isSQL, err := path.Match(sqlOperations, path.Base(name))
		if err != nil {
			return nil, fmt.Errorf("match operation: %w", err)
		}
		if isSQL && !options.HasSQL {
			continue
		}
		text, err := operationFiles.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read operation: %w", err)
		}
		operations = append(operations, string(text))
	}
	return operations, nil
}
