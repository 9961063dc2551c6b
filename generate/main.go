// The program generate writes the Go code that follows from graph/*.graphqls: gqlgen with one
// plugin. `make generate` runs it, in the folder of gqlgen.yml.
package main

import (
	"fmt"
	"log/slog"
	"os"

	"github.com/99designs/gqlgen/api"
	"github.com/99designs/gqlgen/codegen"
	"github.com/99designs/gqlgen/codegen/config"
)

func main() {
	// gqlgen logs each field that has a resolver, by the package log.
	slog.SetDefault(slog.New(slog.DiscardHandler))
	if err := run(); err != nil {
		fmt.Fprintf(os.Stderr, "generate: %v\n", err)
		os.Exit(1)
	}
}

func run() error {
	settings, err := config.LoadConfigFromDefaultLocations()
	if err != nil {
		return fmt.Errorf("read gqlgen.yml: %w", err)
	}
	if err := api.Generate(settings, api.AddPlugin(inTurn{})); err != nil {
		return fmt.Errorf("generate: %w", err)
	}
	return nil
}

// inTurn lets the fields of an object be resolved one after the other. gqlgen starts a goroutine
// for each field that has a resolver, but here only the first of its kind on a page asks the store,
// for all objects at once: the others would wait for it. Fields of Query stay side by side.
type inTurn struct{}

// Name returns the name that gqlgen shows with errors.
func (inTurn) Name() string { return "inturn" }

// GenerateCode changes what the templates are given, before they are rendered.
func (inTurn) GenerateCode(data *codegen.Data) error { //nolint:unparam // gqlgen wants an error
	for _, object := range data.Objects {
		if object != data.QueryRoot && !object.Stream {
			object.DisableConcurrency = true
		}
	}
	return nil
}
