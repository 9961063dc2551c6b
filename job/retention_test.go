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

// TestRetentionAndJumps sets the clock forward by more than recipients are kept: nobody is erased who was heard of in time.
func TestRetentionAndJumps(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	const retention = 30 * 24 * time.Hour
	add := func(externalID string) coupon.ID {
		t.Helper()
		kept, err := s.UpsertRecipients(t.Context(), []*coupon.RecipientChanges{{ExternalID: externalID, Email: coupon.Set(new("a@example.org"))}})
		if err != nil {
			t.Fatal(err)
		}
		return kept[0].ID
	}
	old := add("old")
	s.clock.Advance(retention + time.Hour)
	recent := add("recent")
	s.clock.Jump(2 * retention)
	out, err := sender.OpenOutbox(s.folder)
	if err != nil {
		t.Fatal(err)
	}
	runner := job.Start(t.Context(), s.Store, out, job.Options{Log: slog.New(slog.NewTextHandler(t.Output(), nil)), Retention: retention})
	t.Cleanup(runner.Stop)
	isErased := func(id coupon.ID) bool {
		found, err := s.RecipientsByID(t.Context(), []coupon.ID{id})
		if err != nil {
			t.Fatal(err)
		}
		return found[id].ErasedAt != nil
	}
	for deadline := time.Now().Add(time.Minute); !isErased(old); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("who was not heard of for long is not erased")
		}
	}
	// They are erased in one batch, oldest first, so that the other one would be by now.
	if runner.Stop(); isErased(recent) {
		t.Error("a clock that was set forward erases recipients")
	}
}
