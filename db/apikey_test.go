package db_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"couponql/coupon"
	"couponql/db/dbtest"
)

func TestKeys(t *testing.T) {
	t.Parallel()
	clock := dbtest.NewClock(time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC))
	path := filepath.Join(t.TempDir(), "couponql.duckdb")
	s := dbtest.Open(t, path, clock.Use)
	if s.HasKeys() {
		t.Error("a new database has keys")
	}
	if _, _, err := s.CreateKey(t.Context(),
		&coupon.NewAPIKey{Label: "a", Role: coupon.RoleAnalyst}); err == nil {
		t.Error("the first key was not an admin's")
	}
	admin, adminToken, err := s.CreateKey(t.Context(),
		&coupon.NewAPIKey{Label: "ops", Role: coupon.RoleAdmin})
	if err != nil {
		t.Fatal(err)
	}
	short, shortToken, err := s.CreateKey(
		t.Context(),
		&coupon.NewAPIKey{
			Label: "short", Role: coupon.RoleAnalyst,
			ExpiresAt: new(coupon.DateTime("2026-11-27T13:00:00Z")),
		},
	)
	if err != nil {
		t.Fatal(err)
	}
	if k := s.FindKey(adminToken); k == nil || k.ID != admin.ID || !s.KeyWorks(admin.ID) {
		t.Errorf("the token gives %+v", k)
	}
	for _, token := range []string{
		"", "x", shortToken + "x", "cpnql_99_" + strings.Repeat("A", 26),
		strings.Replace(adminToken, "_1_", "_2_", 1),
	} {
		if k := s.FindKey(token); k != nil {
			t.Errorf("%q gives %s", token, k.ID)
		}
	}
	clock.Advance(time.Hour)
	if s.FindKey(shortToken) != nil || s.KeyWorks(short.ID) {
		t.Error("an expired key works")
	}
	if _, err := s.RevokeKey(t.Context(), "key_9"); err == nil {
		t.Error("revoked a key that is not there")
	}
	for range 2 {
		if revoked, err := s.RevokeKey(t.Context(), admin.ID); err != nil ||
			revoked.RevokedAt == nil || !revoked.RevokedAt.Equal(clock.Now()) {
			t.Fatalf("got %+v, %v", revoked, err)
		}
	}
	if s.FindKey(adminToken) != nil {
		t.Error("a revoked key works")
	}

	// All of it is there after a restart, and no token is.
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	reopened := dbtest.Open(t, path, clock.Use)
	list := reopened.APIKeys(coupon.Page{First: 1})
	if len(list.Items) != 1 || !list.HasNext || list.Total != 2 || list.Items[0].ID != short.ID {
		t.Fatalf("got %+v", list)
	}
	next := reopened.APIKeys(coupon.Page{First: 1, After: &list.Cursors[0]})
	if k := next.Items[0]; next.HasNext || k.ID != admin.ID || k.RevokedAt == nil ||
		k.LastUsedAt == nil || k.Label != "ops" ||
		k.Digest != coupon.DigestOf(adminToken) {
		t.Errorf("got %+v", k)
	}
	if !reopened.HasKeys() || reopened.FindKey(adminToken) != nil {
		t.Error("a revoked key works after a restart, or counts as none")
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(content), adminToken[len("cpnql_1_"):]) {
		t.Error("the file has a token")
	}
}
