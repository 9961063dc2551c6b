package db

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"couponql/coupon"
	"couponql/db/duckdb"
)

var (
	update   = flag.Bool("update", false, "write testdata/schema.sql anew; review it before you commit")
	openPath = flag.String("open", "", "used by the tests themselves: a database that a process of its own tries to open")
)

// TestSchema compares the tables that the migrations make with the ones that were reviewed.
func TestSchema(t *testing.T) {
	t.Parallel()
	got := schemaOf(t, openTemp(t).engine)
	const golden = "testdata/schema.sql"
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// schemaOf returns what a database consists of.
func schemaOf(t *testing.T, q duckdb.Querier) string {
	t.Helper()
	// The engine's own text of a table differs between its versions, so it is put together here.
	lines, err := duckdb.Collect(t.Context(), q, `-- what the database consists of
		SELECT format(E'CREATE TABLE {} (\n    {}\n);', c.table_name, concat_ws(E',\n    ', c.lines, k.lines)) FROM (
			SELECT table_name, string_agg(line, E',\n    ' ORDER BY column_index) AS lines
			FROM (
				SELECT *, concat_ws(' ', column_name, data_type, CASE WHEN NOT is_nullable THEN 'NOT NULL' END) AS line
				FROM duckdb_columns() WHERE NOT internal AND table_oid IN (SELECT table_oid FROM duckdb_tables() WHERE NOT temporary)
			)
			GROUP BY table_name
		) c LEFT JOIN (
			SELECT table_name, string_agg(constraint_text, E',\n    ' ORDER BY constraint_text) AS lines
			FROM duckdb_constraints() WHERE constraint_type <> 'NOT NULL' GROUP BY table_name
		) k USING (table_name)
		UNION ALL SELECT format('CREATE SEQUENCE {};', sequence_name) FROM duckdb_sequences()
		UNION ALL SELECT format('CREATE VIEW {};', view_name) FROM duckdb_views() WHERE NOT internal
		UNION ALL SELECT format('CREATE INDEX {};', index_name) FROM duckdb_indexes()
		ORDER BY ALL`, duckdb.ScanInto[string])
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(lines, "\n") + "\n"
}

// TestMigrationsAreReplayed kills a server that has just been upgraded from each earlier version: the engine has to replay from its
// log what the migrations did.
func TestMigrationsAreReplayed(t *testing.T) {
	t.Parallel()
	names, err := migrationNames()
	if err != nil {
		t.Fatal(err)
	}
	for known := 1; known < len(names); known++ {
		t.Run("after "+names[known-1], func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "couponql.duckdb")
			earlier := openEarlier(t, path, names[:known])
			if err := earlier.Close(); err != nil { // which makes a checkpoint
				t.Fatal(err)
			}
			upgraded, err := Open(t.Context(), Options{Path: path, MemoryLimit: "1GB"})
			if err != nil {
				t.Fatal(err)
			}
			killed := filepath.Join(t.TempDir(), "couponql.duckdb")
			copyFile(t, path, killed)
			copyFile(t, path+duckdb.LogSuffix, killed+duckdb.LogSuffix)
			if err := upgraded.Close(); err != nil {
				t.Fatal(err)
			}
			checkReport(t, openAt(t, killed))
		})
	}
}

// TestRedemptionsOfBefore: what an earlier version recorded, in its table or its journal, tells no
// store and no customer, and counts as before.
func TestRedemptionsOfBefore(t *testing.T) {
	t.Parallel()
	names, err := migrationNames()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "couponql.duckdb")
	earlier := openEarlier(t, path, names[:slices.Index(names, "0026_stores.sql")])
	for _, statement := range []string{
		`INSERT INTO coupon (id, label, code, code_key, type, starts_at, requires_assignment, timezone,
			metadata, created_at, updated_at)
		VALUES (1, 'All', 'ALL', 'ALL', 'ANONYMOUS', '2020-01-01', false, 'UTC', '{}', now(), now())`,
		"UPDATE number SET given = 1 WHERE kind = 'coupon'",
		`INSERT INTO posted_redemption (id, coupon_id, redeemed_at, redeemed_on, source, reference,
			recorded_at, caller)
		VALUES (1, 1, '2026-01-01', '2026-01-01', 'API', 'posted', '2026-01-01', 'key_1')`,
		`INSERT INTO journal
		VALUES ('2026-01-02', '{"redemptions": [{"id": 2, "coupon": 1, "reference": "journaled"}]}')`,
	} {
		if err := earlier.engine.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	if err := earlier.Close(); err != nil {
		t.Fatal(err)
	}
	s := openAt(t, path)
	for range 2 {
		list, err := s.Redemptions(t.Context(), nil, coupon.Page{First: 10, WantsItems: true})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range list.Items {
			got = append(got, fmt.Sprintln(*r.Reference, r.Store == nil, r.Customer == nil))
		}
		want := []string{"journaled true true\n", "posted true true\n"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		waitPosted(t, s)
	}
	checkReport(t, s)
}

// TestOpenRefuses tells which files are not opened, and what the operator is told.
func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, statement string
		options         Options
		want            string
	}{
		{"a newer version's", "INSERT INTO migration VALUES ('9999_future.sql', 'x', now())", Options{}, "made by a newer version of couponql (it has the migration 9999_future.sql)"},
		{"one with an edited migration", "UPDATE migration SET checksum = 'x' WHERE name = '0001_init.sql'", Options{}, "its migration 0001_init.sql is not the one of this version"},
		{"one that compares codes otherwise", "SELECT 1", Options{CaseSensitiveCodes: true}, "start with --case-sensitive-codes=false"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "couponql.duckdb")
			options := Options{Path: path, MemoryLimit: "1GB"}
			s, err := Open(t.Context(), options)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.engine.Exec(t.Context(), test.statement); err != nil {
				t.Fatal(err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			test.options.Path, test.options.MemoryLimit = path, "1GB"
			for range 2 { // a refused opening leaves the file as it was, and closed
				if s, err = Open(t.Context(), test.options); err == nil {
					t.Fatal("it was opened", s.Close())
				}
				if !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), path) {
					t.Errorf("got %q, want %q and the path", err, test.want)
				}
			}
		})
	}
	t.Run("one that is no database", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "couponql.duckdb")
		if err := os.WriteFile(path, []byte(strings.Repeat("not a database ", 1000)), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(t.Context(), Options{Path: path}); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("got %v", err)
		}
	})
}

// TestOpenTwice tries to open a database that this process has open from another one.
func TestOpenTwice(t *testing.T) {
	t.Parallel()
	if *openPath != "" {
		s, err := Open(t.Context(), Options{Path: *openPath, MemoryLimit: "1GB"})
		if err == nil {
			t.Fatal("opened twice", s.Close())
		}
		t.Log(err)
		return
	}
	s := openTemp(t)
	output, err := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestOpenTwice$", "-test.v",
		"-open="+s.options.Path).CombinedOutput()
	if err != nil {
		t.Fatalf("%v:\n%s", err, output)
	}
	if !strings.Contains(string(output), s.options.Path+": another process has the database open; stop it first") {
		t.Errorf("the other process says:\n%s", output)
	}
	// Nothing of this process's was touched: its spool and its uploads are there.
	checkReport(t, s)
}

// TestCaseSensitiveCodes tells that a database may keep codes apart that differ in case only, for good.
func TestCaseSensitiveCodes(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "couponql.duckdb")
	for range 2 {
		s, err := Open(t.Context(), Options{Path: path, CaseSensitiveCodes: true, MemoryLimit: "1GB"})
		if err != nil {
			t.Fatal(err)
		}
		if a, b := s.Keys().Key("a"), s.Keys().Key("A"); a == b {
			t.Errorf("keys %q and %q", a, b)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	_, err := Open(t.Context(), Options{Path: path, MemoryLimit: "1GB"})
	if err == nil || !strings.Contains(err.Error(), "start with --case-sensitive-codes=true") {
		t.Errorf("got %v", err)
	}
}
