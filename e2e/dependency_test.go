package e2e

import (
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestDependenciesAreExplained wants a line in docs/adr/0013-dependencies.md for each module that
// go.mod requires directly.
func TestDependenciesAreExplained(t *testing.T) {
	t.Parallel()
	text, err := exec.CommandContext(t.Context(), "go", "mod", "edit", "-json").Output()
	if err != nil {
		t.Fatal(err)
	}
	var module struct {
		Require []struct {
			Path     string `json:"path"`
			Indirect bool   `json:"indirect"`
		} `json:"require"`
	}
	if err := json.Unmarshal(text, &module); err != nil {
		t.Fatal(err)
	}
	reasons, err := os.ReadFile(filepath.Join("..", "docs", "adr", "0013-dependencies.md"))
	if err != nil {
		t.Fatal(err)
	}
	direct := 0
	for _, required := range module.Require {
		if required.Indirect {
			continue
		}
		direct++
		// The table leaves the host and the major version out.
		name := regexp.MustCompile(`/v\d+$`).ReplaceAllString(
			strings.TrimPrefix(required.Path, "github.com/"), "",
		)
		if !strings.Contains(string(reasons), name) {
			t.Errorf("docs/adr/0013-dependencies.md does not say what %s is for", required.Path)
		}
	}
	if direct == 0 {
		t.Error("go.mod requires nothing")
	}
}

// TestPackagesArePinned wants an exact version of each package that comes from npm, and a lock file
// beside each list.
func TestPackagesArePinned(t *testing.T) {
	t.Parallel()
	var lists []string
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "node_modules" || entry.Name() == ".git"):
			return fs.SkipDir
		case entry.Name() == "package.json":
			lists = append(lists, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	exact := regexp.MustCompile(`^\d+\.\d+\.\d+$`)
	checked := 0
	for _, path := range lists {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var wanted struct {
			Dependencies    map[string]string `json:"dependencies"`
			DevDependencies map[string]string `json:"devDependencies"`
		}
		if err := json.Unmarshal(text, &wanted); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		for _, versions := range []map[string]string{wanted.Dependencies, wanted.DevDependencies} {
			for name, version := range versions {
				checked++
				if !exact.MatchString(version) {
					t.Errorf("%s: %s is %q, want an exact version", path, name, version)
				}
			}
		}
		if _, err := os.Stat(filepath.Join(filepath.Dir(path), "package-lock.json")); err != nil {
			t.Error(err)
		}
	}
	if checked == 0 {
		t.Error("no package was found")
	}
}
