package job_test

import (
	"log/slog"
	"testing"
	"time"

	"couponql/coupon"
	"couponql/job"
	"couponql/sender"
)

// TestRetention erases who was not heard of for 30 days, once the time has come, and nobody without that setting.
func TestRetention(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		retention time.Duration
		isErased  bool
	}{"30 days": {30 * 24 * time.Hour, true}, "for ever": {0, false}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			add := func(externalID string) coupon.ID {
				t.Helper()
				kept, err := s.UpsertRecipients(t.Context(), []*coupon.RecipientChanges{{ExternalID: externalID, Email: coupon.Set(new("a@example.org"))}})
				if err != nil {
					t.Fatal(err)
				}
				return kept[0].ID
			}
			old := add("old")
			s.clock.Advance(31 * 24 * time.Hour)
			recent := add("recent")
			out, err := sender.OpenOutbox(s.folder)
			if err != nil {
				t.Fatal(err)
			}
			runner := job.Start(t.Context(), s.Store, out, job.Options{Log: slog.New(slog.NewTextHandler(t.Output(), nil)), Retention: test.retention})
			t.Cleanup(runner.Stop)
			isErased := func(id coupon.ID) bool {
				found, err := s.RecipientsByID(t.Context(), []coupon.ID{id})
				if err != nil {
					t.Fatal(err)
				}
				return found[id].ErasedAt != nil
			}
			deadline := time.Now().Add(time.Minute)
			for isErased(old) != test.isErased && time.Now().Before(deadline) {
				time.Sleep(time.Millisecond)
			}
			if isErased(old) != test.isErased || isErased(recent) {
				t.Errorf("erased: old %t, recent %t; want %t, false", isErased(old), isErased(recent), test.isErased)
			}
		})
	}
}
