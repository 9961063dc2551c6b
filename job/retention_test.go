package job_test

import (
	"log/slog"
	"testing"
	"time"

	"couponql/coupon"
	"couponql/job"
	"couponql/sender"
)

// addRecipient adds somebody who is heard of now.
func (s *scene) addRecipient(t *testing.T, externalID string) coupon.ID {
	t.Helper()
	kept, err := s.UpsertRecipients(t.Context(), []*coupon.RecipientChanges{
		{ExternalID: externalID, Email: coupon.Set(new("a@example.org"))},
	})
	if err != nil {
		t.Fatal(err)
	}
	return kept[0].ID
}

func (s *scene) isErased(t *testing.T, id coupon.ID) bool {
	t.Helper()
	found, err := s.RecipientsByID(t.Context(), []coupon.ID{id})
	if err != nil {
		t.Fatal(err)
	}
	return found[id].ErasedAt != nil
}

// keep runs the jobs of a server that keeps recipients for a while.
func (s *scene) keep(t *testing.T, retention time.Duration) *job.Runner {
	t.Helper()
	out, err := sender.OpenOutbox(s.folder)
	if err != nil {
		t.Fatal(err)
	}
	runner := job.Start(t.Context(), s.Store, out,
		job.Options{Log: slog.New(slog.NewTextHandler(t.Output(), nil)), Retention: retention})
	t.Cleanup(runner.Stop)
	return runner
}

// TestRetention erases who was not heard of for 30 days, once the time has come, and nobody without
// that setting.
func TestRetention(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		retention time.Duration
		isErased  bool
	}{"30 days": {30 * 24 * time.Hour, true}, "for ever": {0, false}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			old := s.addRecipient(t, "old")
			s.clock.Advance(31 * 24 * time.Hour)
			recent := s.addRecipient(t, "recent")
			s.keep(t, test.retention)
			deadline := time.Now().Add(time.Minute)
			for s.isErased(t, old) != test.isErased && time.Now().Before(deadline) {
				time.Sleep(time.Millisecond)
			}
			if s.isErased(t, old) != test.isErased || s.isErased(t, recent) {
				t.Errorf("erased: old %t, recent %t; want %t, false", s.isErased(t, old),
					s.isErased(t, recent), test.isErased)
			}
		})
	}
}

// TestRetentionAndJumps sets the clock forward by more than recipients are kept: nobody is erased
// who was heard of in time.
func TestRetentionAndJumps(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	const retention = 30 * 24 * time.Hour
	old := s.addRecipient(t, "old")
	s.clock.Advance(retention + time.Hour)
	recent := s.addRecipient(t, "recent")
	s.clock.Jump(2 * retention)
	runner := s.keep(t, retention)
	for deadline := time.Now().Add(time.Minute); !s.isErased(t, old); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("who was not heard of for long is not erased")
		}
	}
	// They are erased in one batch, oldest first, so that the other one would be by now.
	if runner.Stop(); s.isErased(t, recent) {
		t.Error("a clock that was set forward erases recipients")
	}
}
