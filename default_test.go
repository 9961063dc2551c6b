package main

import (
	"testing"
	"time"

	"couponql/access"
	"couponql/analyst"
	"couponql/db"
)

// TestDefaults: a command without flags does what the packages do without options.
func TestDefaults(t *testing.T) {
	t.Parallel()
	var c commands
	if _, err := newParser(&c).Parse([]string{"serve"}); err != nil {
		t.Fatal(err)
	}
	if _, err := newParser(&c).
		Parse([]string{"restore", "default_test.go", "--data", "new.duckdb"}); err != nil {
		t.Fatal(err)
	}
	s := c.Serve
	for name, pair := range map[string][2]any{
		"--oidc-role-claim":         {s.OIDCRoleClaim, access.DefaultRoleClaim},
		"--hold-duration":           {s.HoldDuration, db.DefaultHoldDuration},
		"--memory-limit":            {string(s.MemoryLimit), db.DefaultMemoryLimit},
		"--memory-limit of restore": {string(c.Restore.MemoryLimit), db.DefaultMemoryLimit},
		"--timezone":                {s.Timezone, db.DefaultTimezone},
		"--sql-max-age":             {s.SQLMaxAge, analyst.DefaultMaxAge},
		"--sql-timeout":             {s.SQLTimeout, analyst.DefaultTimeout},
		"--sql-memory-limit":        {string(s.SQLMemoryLimit), analyst.DefaultMemoryLimit},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s is %v, want %v", name, pair[0], pair[1])
		}
	}
}

// TestDurationText: what --help shows can be given again.
func TestDurationText(t *testing.T) {
	t.Parallel()
	for want, d := range map[string]time.Duration{
		"24h": 24 * time.Hour, "1m": time.Minute, "30s": 30 * time.Second, "10m": 10 * time.Minute,
		"1h30m":   90 * time.Minute,
		"1h0m30s": time.Hour + 30*time.Second, "0s": 0, "100ms": 100 * time.Millisecond,
	} {
		got := durationText(d)
		if back, err := time.ParseDuration(got); got != want || back != d || err != nil {
			t.Errorf("got %s, want %s (%v)", got, want, err)
		}
	}
}
