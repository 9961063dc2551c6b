package main

import (
	"database/sql"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// newDatabase makes a database of the server's schema, in which a little happened as it should.
func newDatabase(t *testing.T, doctor ...string) string {
	t.Helper()
	schema, err := os.ReadFile("../db/testdata/schema.sql")
	if err != nil {
		t.Fatal(err)
	}
	sound, err := os.ReadFile("testdata/sound.sql")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "data", "couponql.duckdb")
	if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("duckdb", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	for statement := range strings.SplitSeq(
		string(schema)+string(sound)+strings.Join(doctor, ";\n"), ";\n",
	) {
		// The views are the server's; the soak reads the tables.
		if strings.HasPrefix(statement, "CREATE VIEW") || strings.TrimSpace(statement) == "" {
			continue
		}
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	return path
}

// openDatabase opens a copy of a database.
func openDatabase(t *testing.T, path string) *database {
	t.Helper()
	d, err := openCopy(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// TestPromises: a sound database breaks no promise, and for each statement on one a database that
// breaks it is found out.
func TestPromises(t *testing.T) {
	t.Parallel()
	const another = "INSERT INTO message (id, delivery_id, coupon_id, recipient_id, address, code_id, created_at) "
	doctored := map[string][]string{
		"":               nil,
		"p1_batch_mixed": {"INSERT INTO sending_attempt VALUES (2, 2, 1, 7, 2, '2026-01-01')"},
		"p1_code_for_two": {
			another + "VALUES (3, 1, 1, 3, 'c@x', 1, '2026-01-01')",
			"UPDATE delivery SET message_count = 3 WHERE id = 1",
			"UPDATE delivery SET status = 'IN_PROGRESS'",
		},
		"p1_code_repeated": {
			"UPDATE message SET repeats_id = 1, repeated_code_id = code_id WHERE id = 2",
		},
		"p1_message_without_code": {"UPDATE message SET code_id = NULL WHERE id = 1"},
		"p1_number_twice": {
			`INSERT INTO journal VALUES ('2026-01-01', '{"auditEntries": [{"id": 1, "action": "other", "input": "{}", "outcome": "DONE"}]}')`,
		},
		"p1_recipient_twice": {
			another + "VALUES (3, 1, 1, 1, 'a@x', 3, '2026-01-01')",
			"UPDATE delivery SET message_count = 3 WHERE id = 1",
			"UPDATE delivery SET status = 'IN_PROGRESS'",
		},
		"p1_sent_code_for_two": {
			another + "VALUES (3, 1, 1, 3, 'c@x', 1, '2026-01-01')",
			"INSERT INTO sending VALUES (3, 1, 'SENT', '2026-01-01', NULL, NULL)",
			"INSERT INTO code_return VALUES (1, 1, 1, '2026-01-01', 'test')",
			"UPDATE delivery SET message_count = 3, sent_count = 3 WHERE id = 1",
		},
		"p2_redeemed_too_often": {`INSERT INTO journal VALUES ('2026-01-01', '{"redemptions": [{"id": 3, "coupon": 1, "code": 1}]}')`},
		"p2_reversed_twice":     {"INSERT INTO reversal SELECT * FROM reversal"},
		"p3_half_import":        {"UPDATE import SET status = 'FAILED'"},
		"p3_points_nowhere": {
			"DELETE FROM target", "UPDATE delivery SET target_count = 0",
			"INSERT INTO rejection VALUES (9, 1, 'EMPTY', '')",
		},
		"p4_delivery_counts": {"UPDATE delivery SET target_count = 7 WHERE id = 2"},
		"p4_message_settled_twice": {
			"INSERT INTO sending SELECT * FROM sending WHERE message_id = 2",
			"UPDATE delivery SET sent_count = 3, message_count = 3 WHERE id = 1",
		},
		"p4_over_and_pending": {
			"DELETE FROM sending WHERE message_id = 2",
			"UPDATE delivery SET sent_count = 1 WHERE id = 1",
		},
		"p5_rows_lost":  {"DELETE FROM rejection"},
		"p6_code_twice": {"UPDATE code SET key = 'SUMMER' WHERE id = 3"},
	}
	for _, name := range namesIn("promise") {
		if doctored[name] == nil {
			t.Errorf("no database breaks %s", name)
		}
	}
	for name, statements := range doctored {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found, err := openDatabase(t, newDatabase(t, statements...)).violations(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			promise, title, _ := strings.Cut(name, "_")
			isFound := slices.ContainsFunc(found, func(v violation) bool {
				return v.promise == strings.ToUpper(promise) &&
					strings.HasPrefix(v.text, strings.ReplaceAll(title, "_", " ")+": ")
			})
			if name == "" && len(found) > 0 || name != "" && !isFound {
				t.Errorf("got %v, want %q", found, name)
			}
		})
	}
}

// TestFacts reads what is in the tables and in the journal.
func TestFacts(t *testing.T) {
	t.Parallel()
	f, err := openDatabase(t, newDatabase(t)).facts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]fact{
		"code F1":         {"code_1", redeemed},
		"code F2":         {"code_2", assigned},
		"code F3":         {"code_3", voided},
		"code F4":         {"code_4", available},
		"coupon mk1x":     {"coupon_1", there},
		"delivery mk2x":   {"delivery_1", sending},
		"delivery mk3x":   {"delivery_2", open},
		"import mk4x":     {"import_1", there},
		"key mk5x":        {"key_1", revoked},
		"recipient zz1q":  {"recipient_1", there},
		"redemption mk6x": {"redemption_1", live},
		"redemption mk7x": {"redemption_2", reversed},
	} {
		if got := f.things[name]; got != want {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
	if f.audited["redeemCode"] != 1 || f.audited["createCoupon"] != 1 ||
		f.audited["voidCodes"] != 0 {
		t.Errorf("audit log: got %v", f.audited)
	}
	if got := f.groups["D8"]; got != 1 {
		t.Errorf("generated: got %d, want 1", got)
	}
	if got := f.people["zz1q"]; got == "" || f.people["zz2q"] != "" {
		t.Errorf("people: got %v", f.people)
	}
	if want := (importState{"mk4x", "import_1", "SUCCEEDED", 5, 4, 1, ""}); len(f.imports) != 1 ||
		f.imports[0] != want {
		t.Errorf("imports: got %v, want %v", f.imports, want)
	}
}
