package analyst_test

import (
	"fmt"
	"log/slog"
	"os"
	"testing"

	"couponql/analyst"
	"couponql/db/dbtest"
)

// TestMain lets the processes that answer queries be this program.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == analyst.Command {
		if err := analyst.Answer(os.Stdin, os.Stdout, os.Exit); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func TestTry(t *testing.T) {
	t.Parallel()
	store := dbtest.Open(t, t.TempDir()+"/couponql.duckdb")
	program, _ := os.Executable()
	a, err := analyst.New(store, analyst.Options{Program: program, Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range []string{"SELECT 1 AS a, 'x' b", "SELECT status, count(*) FROM codes GROUP BY ALL", "SELECT repeat('x', 1000000000)", "SELECT list_reduce(range(3000000000), (a, b) -> a + b)"} {
		r, err := a.Ask(t.Context(), q, 10)
		t.Logf("%+v %v", r, err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
}
