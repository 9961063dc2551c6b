package command

import (
	"context"
	"strings"
	"testing"
)

const answeredSQL = `{"data":{"sql":{"columns":[{"name":"label","type":"VARCHAR"},{"name":"n","type":"BIGINT"},{"name":"x","type":"INTEGER[]"}],
	"rows":[["Größe\u001b[2J\n2",12,[1,2]],["a,b",9007199254740991,null]],"rowCount":2,
		"isTruncated":false,"elapsedMs":12.4,
	"snapshotAt":"2026-11-23T12:00:00Z","snapshotAgeMs":31000}}}`

// TestSQL tells how rows are written.
func TestSQL(t *testing.T) {
	t.Parallel()
	const table = "┌─────────────┬──────────────────┬───────┐\n" +
		"│ label       │                n │ x     │\n" +
		"├─────────────┼──────────────────┼───────┤\n" +
		"│ Größe�[2J 2 │               12 │ [1,2] │\n" +
		"│ a,b         │ 9007199254740991 │ NULL  │\n" +
		"└─────────────┴──────────────────┴───────┘\n"
	const told = "2 rows in 12ms, as of 31s ago\n"
	for _, test := range []struct {
		args []string
		want result
	}{
		{[]string{"SELECT 1"}, result{0, table, told}},
		{[]string{"--quiet", "SELECT 1"}, result{0, table, ""}},
		{[]string{"--format", "csv", "SELECT 1"}, result{
			0, "label,n,x\n\"Größe\x1b[2J\n2\",12,\"[1,2]\"\n\"a,b\",9007199254740991,\n", "",
		}},
		{[]string{"--format=json", "SELECT 1"}, result{
			0,
			"[\n{\"label\":\"Größe\\u001b[2J\\n2\",\"n\":12,\"x\":[1,2]},\n{\"label\":\"a,b\",\"n\":9007199254740991,\"x\":null}\n]\n",
			"",
		}},
	} {
		t.Run(strings.Join(test.args, " "), func(t *testing.T) {
			t.Parallel()
			s := newServer(t, func(s *server) { s.answers["Sql"] = []string{answeredSQL} })
			if got := s.run(t.Context(), t, nil, nil,
				append([]string{"sql"}, test.args...)...); got != test.want {
				t.Errorf("got %d\n%s\n%s\nwant\n%s\n%s", got.code, got.out, got.err, test.want.out,
					test.want.err)
			}
		})
	}
}

// TestSQLFromInput reads the query from standard input.
func TestSQLFromInput(t *testing.T) {
	t.Parallel()
	s := newServer(t, func(s *server) {
		s.answers["Sql"] = []string{
			strings.Replace(answeredSQL, `"isTruncated":false`, `"isTruncated":true`, 1),
		}
	})
	got := s.run(t.Context(), t, strings.NewReader("SELECT 1;\n"), nil, "sql", "-", "--limit", "2",
		"--format", "csv")
	if got.code != 0 ||
		got.err != "couponql: only the first 2 rows: there are more; give --limit, up to 10000\n" {
		t.Errorf("got %+v", got)
	}
}

// TestSQLFails tells what goes wrong, by exit code too.
func TestSQLFails(t *testing.T) {
	t.Parallel()
	s := newServer(t, func(s *server) {
		s.answers["Sql"] = []string{`{"errors":[{"message":"Parser Error: syntax error at or near \"SELEC\"","path":["sql"]}],"data":null}`}
	})
	if got := s.run(
		t.Context(),
		t,
		nil,
		nil,
		"sql",
		"SELEC 1",
	); got != (result{
		codeFailed, "", "couponql: Parser Error: syntax error at or near \"SELEC\"\n",
	}) {
		t.Errorf("got %+v", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got := s.run(ctx, t, nil, nil, "sql", "SELECT 1"); got.code != codeInterrupted ||
		got.err != "couponql: interrupted\n" {
		t.Errorf("got %+v", got)
	}
	for _, args := range [][]string{
		{""},
		{},
		{"SELECT 1", "--limit=0"},
		{"SELECT 1", "--limit=10001"},
		{"SELECT 1", "--format=xml"},
	} {
		if got := s.run(t.Context(), t, nil, nil,
			append([]string{"sql"}, args...)...); got.code != CodeMisused {
			t.Errorf("%q: got %+v", args, got)
		}
	}
}
