package command

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"couponql/graph"
)

// The contract allows each operation.
func TestOperations(t *testing.T) {
	t.Parallel()
	schema := graph.NewExecutableSchema(graph.Config{}).Schema()
	files, err := filepath.Glob("operations/*.graphql")
	if err != nil || len(files) == 0 {
		t.Fatalf("got %d operations, %v", len(files), err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if _, problems := gqlparser.LoadQueryWithRules(schema, string(content),
			rules.NewDefaultRules()); problems != nil {
			t.Errorf("%s: %v", file, problems)
		}
	}
}
