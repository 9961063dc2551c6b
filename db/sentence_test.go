package db

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"couponql/coupon"
	"couponql/db/duckdb"
)

// TestOldSentences brings a database up to date whose sentences were made when they repeated labels
// of codes and what is in files: logs, remedies and alerts have none any more, and say all else
// that they said. What is for those who may see it stays.
func TestOldSentences(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "couponql.duckdb")
	names, err := migrationNames()
	if err != nil {
		t.Fatal(err)
	}
	s := openEarlier(t, path, names[:slices.Index(names, "0012_sentences.sql")])
	exec := func(statement string, args ...any) {
		t.Helper()
		if err := s.engine.Exec(t.Context(), statement, args...); err != nil {
			t.Fatal(statement, err)
		}
	}
	exec("INSERT INTO setting VALUES ('case_sensitive_codes', 'false')")
	// Whatever is in a label, and sentences that have none.
	labels := []string{
		"SECRET", `SE"CRET": 1 needed, 2 available, 3 missing.`,
		"SECRET\n\\ with the label \"SECRET\" to the coupon.", "ΣECRET 'SECRET'",
	}
	a := coupon.Analysis{MessageCount: 7, Fingerprint: "f"}
	lines := []string{"INFO The analysis started."}
	for i, label := range labels {
		lines = append(lines, fmt.Sprintf(
			"ERROR Not enough codes with the label %q: %d needed, 2 available, 3 missing.", label,
			i,
		))
		a.ShortByLabel = append(a.ShortByLabel,
			&coupon.LabelShortage{Label: label, Needed: i, Available: 2})
		noun := "code"
		if i > 0 {
			noun = "codes"
		}
		a.Remedies = append(a.Remedies, &coupon.Remedy{
			Kind: coupon.RemedyAddCodes, Count: i + 1, Label: &label,
			Text: fmt.Sprintf("Add %d %s with the label %q to the coupon.", i+1, noun, label),
		})
	}
	lines = append(lines, "ERROR Not enough codes: 9 needed, 3 missing.")
	a.Remedies = append(a.Remedies, &coupon.Remedy{
		Kind: coupon.RemedySplitDelivery, Count: 4,
		Text: "Split the delivery: there are codes for 4 messages now.",
	})
	old, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	const untouched = `{"remedies": [{"kind": "ADD_CODES", "count": 1, "text": "Add 1 code to the coupon."}], "fingerprint": "g"}`
	for id, analysis := range []any{string(old), untouched, nil} {
		exec(
			"INSERT INTO delivery SELECT $1, 'd', 'EMAIL', NULL, 's', 'b', NULL, 'sport', NULL, 'EDITING', 0, $2, NULL, 0, 0, 0, 0, 0, now()::TIMESTAMP, NULL, NULL",
			id+1,
			analysis,
		)
	}
	exec("UPDATE number SET given = 3 WHERE kind = 'delivery'")
	for round := range 2 {
		for i, line := range lines {
			level, text, _ := strings.Cut(line, " ")
			exec("INSERT INTO delivery_log VALUES (1, $1, $2, now()::TIMESTAMP, $3, $4)", round+1,
				i+1, level, text)
		}
	}
	exec(
		`INSERT INTO import (id, kind, mode, status, format, is_dry_run, coupon_id, file_name, byte_count, checksum,
			on_rejection, options, timezone, rows_read, rows_imported, rows_rejected, failure,
				created_at)
		SELECT 7, 'CODES', 'ADD', 'FAILED', 'CSV', false, NULL, 'f.csv', 1, 'x', 'SKIP', '{}',
			'UTC', 0, 0, 0, 'SECRET', now()::TIMESTAMP`,
	)
	for i, kind := range []string{"IMPORT_FAILED", "DELIVERY_FAILED"} {
		exec("INSERT INTO alert VALUES ($1, $2, 7, now()::TIMESTAMP, 'It failed: SECRET', now()::TIMESTAMP, NULL, true, 0, now()::TIMESTAMP)", i+1, kind)
	}
	if err := s.engine.Close(); err != nil {
		t.Fatal(err)
	}

	s, err = Open(t.Context(), Options{Path: path, MemoryLimit: "1GB"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	texts, err := duckdb.Collect(
		t.Context(), s.engine, "SELECT level || ' ' || text FROM delivery_log ORDER BY round, seq",
		duckdb.ScanInto[string],
	)
	if err != nil {
		t.Fatal(err)
	}
	want := slices.Clone(lines)
	for i := range labels {
		want[i+1] = fmt.Sprintf("ERROR Not enough codes with the label of shortByLabel[%d]: %d needed, 2 available, 3 missing.", i, i)
		a.Remedies[i].Text = fmt.Sprintf("Add %d codes with this label to the coupon.", i+1)
	}
	a.Remedies[0].Text = "Add 1 code with this label to the coupon."
	if want = append(want, want...); !slices.Equal(texts, want) {
		t.Errorf("the logs have\n%s\nwant\n%s", strings.Join(texts, "\n"), strings.Join(want, "\n"))
	}
	found, err := s.DeliveriesByID(t.Context(),
		[]coupon.ID{"delivery_1", "delivery_2", "delivery_3"})
	if err != nil || len(found) != 3 {
		t.Fatalf("%v, %v", found, err)
	}
	wanted, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := json.Marshal(found["delivery_1"].Analysis); err != nil ||
		string(got) != string(wanted) {
		t.Errorf("got %s, %v\nwant %s", got, err, wanted)
	}
	alerts, err := duckdb.Collect(t.Context(), s.engine, "SELECT text FROM alert ORDER BY id",
		duckdb.ScanInto[string])
	if want := []string{
		"The import of \"f.csv\" failed. Its `failure` says why.", "It failed: SECRET",
	}; err != nil || !slices.Equal(alerts, want) {
		t.Errorf("got %q, %v, want %q", alerts, err, want)
	}
	kept, err := duckdb.Collect(t.Context(), s.engine,
		"SELECT coalesce(analysis, 'none') FROM delivery WHERE id > 1 ORDER BY id",
		duckdb.ScanInto[string])
	if err != nil || !slices.Equal(kept, []string{untouched, "none"}) {
		t.Errorf("got %q, %v", kept, err)
	}
}
