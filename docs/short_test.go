package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestShortRuns: each test that a package names for short runs is there, or they would pass without
// it.
func TestShortRuns(t *testing.T) {
	t.Parallel()
	named, declared := map[string][]string{}, map[string]map[string]bool{}
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(name, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		folder := filepath.Dir(name)
		if declared[folder] == nil {
			declared[folder] = map[string]bool{}
		}
		ast.Inspect(file, func(node ast.Node) bool {
			switch node := node.(type) {
			case *ast.FuncDecl:
				declared[folder][node.Name.Name] = true
			case *ast.CallExpr:
				called, _ := node.Fun.(*ast.SelectorExpr)
				if called == nil || called.Sel.Name != "Run" {
					break
				}
				if from, _ := called.X.(*ast.Ident); from != nil && from.Name == "short" {
					for _, arg := range node.Args[1:] {
						test, _ := strconv.Unquote(arg.(*ast.BasicLit).Value)
						named[folder] = append(named[folder], test)
					}
				}
			}
			return true
		})
		return nil
	})
	if err != nil || len(named) == 0 {
		t.Fatalf("no package names tests for short runs, %v", err)
	}
	for folder, tests := range named {
		for _, test := range tests {
			if test, _, _ = strings.Cut(test, "/"); !declared[folder][test] {
				t.Errorf("%s has no %s", folder, test)
			}
		}
	}
}
