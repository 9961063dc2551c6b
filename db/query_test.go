package db

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"couponql/coupon"
	"couponql/db/duckdb"
)

// TestQueriesPrepare prepares every statement against the migrated schema, so that a wrong name or
// type is found without running the use case.
func TestQueriesPrepare(t *testing.T) {
	t.Parallel()
	store := openTemp(t)
	ctx := t.Context()
	conn, err := store.engine.Connection(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	// The temporary tables that the statements of one use case share.
	for _, table := range []string{
		"prepared (seq BIGINT, recipient_id BIGINT, address VARCHAR, label VARCHAR, reason VARCHAR, repeats_id BIGINT, repeated_code_id BIGINT)",
		"draft (place BIGINT, recipient_id BIGINT, address VARCHAR, repeats_id BIGINT, repeated_code_id BIGINT, external_id VARCHAR, email VARCHAR, phone VARCHAR, first_name VARCHAR, last_name VARCHAR, attributes VARCHAR)",
		"taken (place BIGINT, code_id BIGINT, label VARCHAR)",
		"chosen (id BIGINT)",
		"erased (text VARCHAR)",
		"unused (id BIGINT)",
		"parted (part INTEGER, recipient_id BIGINT)",
		"matched (line BIGINT, code_id BIGINT, coupon_id BIGINT, raw VARCHAR)",
		"rejected (line BIGINT, reason VARCHAR, value VARCHAR)",
		"merged (id BIGINT, external_id VARCHAR, email VARCHAR, email_address VARCHAR, phone VARCHAR, phone_address VARCHAR, first_name VARCHAR, last_name VARCHAR, attributes VARCHAR, is_contactable BOOLEAN, erased_at TIMESTAMP)",
		"recording (id BIGINT, line BIGINT, raw VARCHAR, code_id BIGINT, coupon_id BIGINT, label VARCHAR, redeemed_at TIMESTAMP, latest_at TIMESTAMP, reference VARCHAR, amount DECIMAL(18,4), currency VARCHAR, store VARCHAR, customer VARCHAR, source VARCHAR)",
		"suspect (channel VARCHAR, address_key VARCHAR, address VARCHAR, is_quarantined BOOLEAN, reason VARCHAR, bounce_count BIGINT, last_reason VARCHAR)",
		"touched (channel VARCHAR, address_key VARCHAR, address VARCHAR, lifted_at TIMESTAMP, is_quarantined BOOLEAN)",
		"erased_redemption (id BIGINT, customer VARCHAR)",
		"erased_address (channel VARCHAR, address_key VARCHAR)",
		"late (coupon_id BIGINT, code_id BIGINT, redeemed_at TIMESTAMP, reference VARCHAR)",
		"contested (coupon_id BIGINT, code_id BIGINT, times BIGINT)",
		"belated (id BIGINT, line BIGINT, coupon_id BIGINT, code_id BIGINT, raw VARCHAR, reason VARCHAR)",
	} {
		if _, err := conn.ExecContext(ctx, "CREATE OR REPLACE TEMP TABLE "+table); err != nil {
			t.Fatal(err)
		}
	}
	stages := map[string]string{
		"code":       "line BIGINT, key VARCHAR, value VARCHAR, label VARCHAR, coupon_id BIGINT",
		"recipient":  "line BIGINT, external_id VARCHAR, email VARCHAR, email_address VARCHAR, phone VARCHAR, phone_address VARCHAR, first_name VARCHAR, last_name VARCHAR, attributes VARCHAR, removed VARCHAR, is_contactable BOOLEAN, given UTINYINT",
		"recording":  "line BIGINT, raw VARCHAR, code_id BIGINT, coupon_id BIGINT, label VARCHAR, redeemed_at TIMESTAMP, latest_at TIMESTAMP, reference VARCHAR, amount DECIMAL(18,4), currency VARCHAR, store VARCHAR, customer VARCHAR, source VARCHAR",
		"bounce":     "line BIGINT, raw VARCHAR, named_id BIGINT, message_id BIGINT, delivery_id BIGINT, channel VARCHAR, address VARCHAR, kind VARCHAR, happened_at TIMESTAMP, reason VARCHAR, address_key VARCHAR",
		"redemption": "line BIGINT, raw VARCHAR, code_id BIGINT, coupon_id BIGINT, label VARCHAR, redeemed_at TIMESTAMP, latest_at TIMESTAMP, reference VARCHAR, amount DECIMAL(18,4), currency VARCHAR, store VARCHAR, customer VARCHAR, source VARCHAR",
		"target":     "line BIGINT, external_id VARCHAR, recipient_id BIGINT",
	}
	var files []string
	for _, pattern := range []string{"query/*.sql", "duckdb/query/*.sql"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatalf("no statements in %s: %v", pattern, err)
		}
		files = append(files, found...)
	}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(filepath.Base(path), ".sql")
		noun, _, _ := strings.Cut(name, "_")
		if noun == "matched" || noun == "spared" {
			noun = "code"
		}
		if columns := stages[noun]; columns != "" {
			if _, err := conn.ExecContext(ctx,
				"CREATE OR REPLACE TEMP TABLE stage ("+columns+")"); err != nil {
				t.Fatal(err)
			}
		}
		if !strings.HasPrefix(string(text), "-- ") {
			t.Errorf("%s: the first line must say what the statement is for", path)
		}
		statement, err := conn.PrepareContext(ctx, withAddressKeys(string(text)))
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		if err := statement.Close(); err != nil { //nolint:sqlclosecheck // hundreds of statements would stay open until the end
			t.Error(err)
		}
	}
}

// TestKeyOfAddress has the engine compare addresses as coupon does, in statements that say so in
// one place.
func TestKeyOfAddress(t *testing.T) {
	t.Parallel()
	store := openTemp(t)
	for channel, texts := range map[coupon.Channel][]string{
		coupon.ChannelEmail: {
			"Ada.Lovelace+X@Example.ORG", "Ä.Ünal@Bücher.example", "a@xn--bcher-kva.example",
		},
		coupon.ChannelSMS:        {"+49 170 1234567", "0170 1234567"},
		coupon.ChannelPush:       {"AbC:dEf-1"},
		coupon.ChannelDirectMail: {"Große Straße 1, 10115 BERLIN"},
	} {
		for _, text := range texts {
			address, reason := coupon.Canonical(channel, text, "DE")
			if reason != "" {
				t.Fatalf("%s is %s", text, reason)
			}
			got, err := duckdb.One[string](t.Context(), store.engine,
				withAddressKeys("SELECT key_of_address($channel, coalesce($address, ('')))"),
				named("channel", string(channel)), named("address", address.Send))
			if err != nil || got != address.Key {
				t.Errorf("the key of %s is %q, %v, want %q", text, got, err, address.Key)
			}
		}
	}
	files, err := filepath.Glob("query/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "IN ('EMAIL', 'DIRECT_MAIL')") {
			t.Errorf("%s says by itself how addresses compare", path)
		}
	}
}

// openTemp opens a new database.
func openTemp(t testing.TB) *Store {
	t.Helper()
	return openAt(t, filepath.Join(t.TempDir(), "couponql.duckdb"))
}

// openAt opens the database at a path until the test ends.
func openAt(t testing.TB, path string) *Store {
	t.Helper()
	store, err := Open(t.Context(), Options{Path: path, MemoryLimit: "1GB"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return store
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}
