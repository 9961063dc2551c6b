package background_test

import (
	"context"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"couponql/background"
)

// TestPanicIsAnswer tells that whoever waits hears of a panic, in every way of running something
// beside.
func TestPanicIsAnswer(t *testing.T) {
	t.Parallel()
	fail := func() error { panic("broken") }
	done, cancel := context.WithCancel(t.Context())
	cancel()
	for name, run := range map[string]func(end func(error)){
		"Run":       func(end func(error)) { end(background.Run(fail)) },
		"Go":        func(end func(error)) { background.Go(fail, end) },
		"After":     func(end func(error)) { background.After(time.Nanosecond, fail, end) },
		"AfterDone": func(end func(error)) { background.AfterDone(done, fail, end) },
		"Group": func(end func(error)) {
			var g background.Group
			g.Go(func() error { return nil })
			g.Go(fail)
			end(g.Wait())
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ended := make(chan error, 2)
			run(func(err error) { ended <- err })
			if err := <-ended; err == nil || !strings.Contains(err.Error(), "broken") ||
				!strings.Contains(err.Error(), "background_test.go") {
				t.Errorf("whoever waits gets %v", err)
			}
		})
	}
}

// TestEndedGoroutineIsAnswer tells that whoever waits hears of a goroutine that ended itself.
func TestEndedGoroutineIsAnswer(t *testing.T) {
	t.Parallel()
	ended := make(chan error, 1)
	background.Go(func() error { runtime.Goexit(); return nil }, func(err error) { ended <- err })
	if err := <-ended; err == nil {
		t.Error("whoever waits takes it for done")
	}
}

// TestGroupGivesEveryError tells that a group gives the errors of all parts that failed.
func TestGroupGivesEveryError(t *testing.T) {
	t.Parallel()
	first, second := errors.New("first"), errors.New("second")
	var g background.Group
	for _, err := range []error{first, nil, second} {
		g.Go(func() error { return err })
	}
	if err := g.Wait(); !errors.Is(err, first) || !errors.Is(err, second) {
		t.Errorf("the group gives %v", err)
	}
}

// TestNoOtherGoroutine reads the program: nothing but this package starts a goroutine, for its
// panic would be the end of the server.
func TestNoOtherGoroutine(t *testing.T) {
	t.Parallel()
	// What is for tests and measurements may.
	others := []string{
		"background", "bench", "examples", "mailtest", "soak", "tools", "node_modules",
		".git", "data",
	}
	read := 0
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && slices.Contains(others, entry.Name()):
			return fs.SkipDir
		case entry.IsDir(), !strings.HasSuffix(path, ".go"), strings.HasSuffix(path, "_test.go"),
			strings.HasSuffix(path, ".generated.go"):
			return nil
		}
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		read++
		ast.Inspect(file, func(node ast.Node) bool {
			if isStart(node) {
				t.Errorf("%s starts a goroutine by itself: let background do it",
					files.Position(node.Pos()))
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if read < 100 {
		t.Errorf("only %d files were read", read)
	}
}

// isStart tells a go statement, the Go of a sync.WaitGroup, and the timers that run something.
func isStart(node ast.Node) bool {
	switch n := node.(type) {
	case *ast.GoStmt:
		return true
	case *ast.CallExpr:
		called, ok := n.Fun.(*ast.SelectorExpr)
		if !ok {
			return false
		}
		if called.Sel.Name == "AfterFunc" {
			return true
		}
		// A part of a background.Group gives an error; that of a WaitGroup gives nothing.
		part, isFunction := argument(n).(*ast.FuncLit)
		return called.Sel.Name == "Go" && isFunction && part.Type.Results == nil
	}
	return false
}

func argument(call *ast.CallExpr) ast.Expr {
	if len(call.Args) != 1 {
		return nil
	}
	return call.Args[0]
}
