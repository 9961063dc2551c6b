// Package short chooses the tests of a short run.
package short

import (
	"flag"
	"strings"
	"testing"
)

// Run runs the tests of a package that starts engines or servers. Of these a short run, go test
// -short, has only the ones named, a part of one behind a slash: together they do the main job and
// look at every part once, in seconds. It returns what the process is to exit with.
func Run(m *testing.M, short ...string) int {
	flag.Parse()
	chosen := flag.Lookup("test.run").Value
	if testing.Short() && chosen.String() == "" {
		var patterns []string
		for _, name := range short {
			patterns = append(patterns, "^"+strings.ReplaceAll(name, "/", "$/^")+"$")
		}
		if err := chosen.Set(strings.Join(patterns, "|")); err != nil {
			panic(err)
		}
	}
	return m.Run()
}
