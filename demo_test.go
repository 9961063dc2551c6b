package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// cancelsAt is a writer that calls cancel when it is told a text.
type cancelsAt struct {
	text   string
	cancel context.CancelFunc
}

// Write looks for the text.
func (c cancelsAt) Write(b []byte) (int, error) {
	if strings.Contains(string(b), c.text) {
		c.cancel()
	}
	return len(b), nil
}

// TestDemoLeavesNothing: what is broken off is removed, so that the same command can be given again.
func TestDemoLeavesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c := demoCommand{Data: filepath.Join(dir, "demo.duckdb")}
	if err := c.make(ctx, cancelsAt{"codes of FLYER20 imported", cancel}); err == nil {
		t.Error("got no error")
	}
	left, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range left {
		t.Errorf("%s is left", entry.Name())
	}
}

// TestDemoRefuses: neither a database nor the folders beside it are touched when one of them is there.
func TestDemoRefuses(t *testing.T) {
	t.Parallel()
	for _, ending := range []string{"", ".files", ".outbox"} {
		path := filepath.Join(t.TempDir(), "demo.duckdb")
		if err := os.WriteFile(path+ending, []byte("mine"), 0o600); err != nil {
			t.Fatal(err)
		}
		c := demoCommand{Data: path}
		if err := c.make(t.Context(), cancelsAt{"made", func() {}}); err == nil || !strings.Contains(err.Error(), path+ending+" exists already") {
			t.Errorf("got the error %v, want that %s exists", err, path+ending)
		}
		if kept, err := os.ReadFile(path + ending); string(kept) != "mine" {
			t.Errorf("%s holds %q, %v", path+ending, kept, err)
		}
	}
}
