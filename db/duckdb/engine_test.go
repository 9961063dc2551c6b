package duckdb

import (
	"errors"
	"path/filepath"
	"testing"
)

// TestClosed asks an engine that was closed, in every way there is: the answer is ErrClosed, not an
// error of the library's.
func TestClosed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	e, err := Open(t.Context(), Options{
		Path: filepath.Join(dir, "test.duckdb"), SpoolDir: dir, TempDir: filepath.Join(dir, "temp"),
		MemoryLimit: "500MB", MaxConnections: 4,
	})
	if err != nil {
		t.Fatal(err)
	}
	const statement = "-- ask\nSELECT 1"
	ask := map[string]func() error{
		"planned": func() error {
			_, err := One[int](t.Context(), e.Planned(), statement)
			return err
		},
		"unplanned": func() error {
			_, err := One[int](t.Context(), e, statement)
			return err
		},
		"a transaction": func() error {
			return e.Transact(t.Context(), func(*Tx) error { return nil })
		},
		"a statement": func() error { return e.Exec(t.Context(), statement) },
		"a ping":      func() error { return e.Ping(t.Context()) },
	}
	for name, do := range ask {
		if err := do(); err != nil {
			t.Errorf("%s of an open engine: %v", name, err)
		}
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	for name, do := range ask {
		if err := do(); !errors.Is(err, ErrClosed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
