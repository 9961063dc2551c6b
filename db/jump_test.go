package db_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"couponql/coupon"
	"couponql/db"
	"couponql/db/dbtest"
)

// jumps are ways in which a clock jumps: it is set forward, back, forward for a moment, or back for
// a moment.
func jumps() map[string][]time.Duration {
	return map[string][]time.Duration{
		"forward": {30 * time.Hour}, "back": {-24 * time.Hour},
		"forward and back": {30 * time.Hour, -30 * time.Hour},
		"back and forward": {-24 * time.Hour, 24 * time.Hour},
	}
}

// TestKeysOutliveJumps redeems with an idempotency key again after the clock jumped: the key still
// counts, and so does a restart's reading of it.
func TestKeysOutliveJumps(t *testing.T) {
	t.Parallel()
	for name, steps := range jumps() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			id := s.newCoupon(t, withLimit(5), withoutAssignment)
			s.codes(t, id, "", "A1", "A2", "A3")
			request := &coupon.RedeemRequest{Value: "A1", IdempotencyKey: new("K1")}
			first, err := s.Redeem(t.Context(), request)
			if err != nil {
				t.Fatal(err)
			}
			for i, step := range steps {
				s.clock.Jump(step)
				// Keys are forgotten when others come.
				if _, err := s.Redeem(t.Context(), &coupon.RedeemRequest{
					Value: "A2", IdempotencyKey: new("other" + string(rune('0'+i))),
				}); err != nil {
					t.Fatal(err)
				}
				again, err := s.Redeem(t.Context(), request)
				if err != nil || again.ID != first.ID {
					t.Fatalf("after a jump by %s the key gives %v, %v, want %s", step, again,
						err, first.ID)
				}
			}
		})
	}
}

// TestFilesOutliveJumps tells that a clock that is set forward deletes no file, and that time that
// passes does.
func TestFilesOutliveJumps(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	id := s.newCoupon(t)
	s.codes(t, id, "", "A1")
	e, err := s.CreateExport(t.Context(), &coupon.Export{
		Kind: coupon.ExportCodes, Format: coupon.FormatCSV,
		Request: coupon.ExportRequest{CouponID: &id},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.RunExport(t.Context(), e.ID, nil); err != nil {
		t.Fatal(err)
	}
	left := func() int {
		if err := s.ForgetFiles(t.Context()); err != nil {
			t.Fatal(err)
		}
		entries, err := os.ReadDir(filepath.Join(s.path+".files", "exports"))
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	s.clock.Jump(365 * 24 * time.Hour)
	if got := left(); got != 1 {
		t.Errorf("after a jump forward %d files are left instead of one", got)
	}
	s.clock.Jump(-366 * 24 * time.Hour)
	if got := left(); got != 1 {
		t.Errorf("after a jump back %d files are left instead of one", got)
	}
	s.clock.Jump(24 * time.Hour)
	s.clock.Advance(25 * time.Hour)
	left()
	s.clock.Advance(25 * time.Hour)
	if got := left(); got != 0 {
		t.Errorf("after two days %d files are left", got)
	}
}

// TestSettled tells when a clock that was set forward is believed.
func TestSettled(t *testing.T) {
	t.Parallel()
	clock := dbtest.NewClock(noon())
	s := dbtest.New(t, clock.Use)
	want := func(at time.Time, when string) {
		t.Helper()
		if got := s.Passed(); !got.Equal(at) {
			t.Errorf("%s: %s has passed for sure, want %s", when, got, at)
		}
	}
	want(noon(), "at the start")
	clock.Advance(time.Hour)
	clock.Jump(30 * time.Second)
	want(clock.Now(), "after a small correction")
	clock.Jump(-time.Hour)
	want(clock.Now(), "set back")
	before := clock.Now()
	clock.Jump(72 * time.Hour)
	want(before, "set forward")
	clock.Advance(23 * time.Hour)
	want(before.Add(23*time.Hour), "set forward since 23 hours")
	clock.Advance(time.Hour)
	want(clock.Now(), "set forward since a day")
}

// TestSnapshotAge tells that a snapshot gets older however the clock is set.
func TestSnapshotAge(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	taken, err := s.TakeSnapshot(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	s.clock.Jump(-24 * time.Hour)
	s.clock.Advance(time.Minute)
	if got := taken.Age(); got != time.Minute {
		t.Errorf("set back, a snapshot of a minute ago is %s old", got)
	}
	s.clock.Jump(48 * time.Hour)
	if got := taken.Age(); got < 24*time.Hour {
		t.Errorf("set forward, which is how a machine wakes up, the snapshot is %s old", got)
	}
	if err := taken.Remove(); err != nil {
		t.Error(err)
	}
}

// TestRetriesOutliveJumps tells that a message which waits for its next attempt waits no longer
// when the clock is set back.
func TestRetriesOutliveJumps(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	id := s.newDelivery(t, "", s.recipients(t, 1))
	s.confirm(t, id)
	batch, err := s.NextBatch(t.Context(), id, 10)
	if err != nil {
		t.Fatal(err)
	}
	if err := batch.Begin(t.Context(), batch.Contents); err != nil {
		t.Fatal(err)
	}
	err = batch.Record(t.Context(), &db.SentBatch{Refused: []db.Refusal{{
		Content: batch.Contents[0],
		Settlement: coupon.Settlement{
			Status: coupon.MessagePending, RetryAt: s.Now().Add(time.Minute), Failure: "busy",
		},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	s.clock.Jump(-24 * time.Hour)
	s.clock.Advance(59 * time.Second)
	if got := waitingContents(t, s, id); got != 0 {
		t.Errorf("%d messages are handed over before their time", got)
	}
	s.clock.Advance(time.Second)
	if got := waitingContents(t, s, id); got != 1 {
		t.Errorf("%d messages are handed over after a minute, with the clock set back", got)
	}
}

func waitingContents(t *testing.T, s *scene, id coupon.ID) int {
	t.Helper()
	batch, err := s.NextBatch(t.Context(), id, 10)
	if err != nil || batch == nil {
		t.Fatalf("the next batch is %v, %v", batch, err)
	}
	defer batch.Release()
	return len(batch.Contents)
}

// TestHoldsOutliveJumps tells that held codes are free when the clock says so, also after a sleep;
// that a clock which was set forward by mistake takes no hold away; and that no jump gives a code
// twice.
func TestHoldsOutliveJumps(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.newCoupon(t)
	s.codes(t, c, "", "A1", "A2")
	recipients := s.recipients(t, 2)
	first, second := s.newDelivery(t, c, recipients), s.newDelivery(t, c, recipients)
	s.analyze(t, first, coupon.DeliveryReady)
	for _, step := range []struct {
		by   time.Duration
		want string
	}{
		{30 * time.Hour, "available 2"},
		{-30 * time.Hour, "held 2"},
		{-24 * time.Hour, "held 2"},
		{48*time.Hour - time.Minute, "held 2"},
		{time.Minute, "available 2"},
	} {
		s.clock.Jump(step.by)
		s.wantAvailability(t, c, step.want)
	}
	s.analyze(t, second, coupon.DeliveryReady)
	s.clock.Jump(-24 * time.Hour)
	// Both are held for now, so that neither is sure of its codes until one is analyzed again.
	for _, id := range []coupon.ID{first, second} {
		_, err := s.ConfirmDelivery(t.Context(), id, fine)
		wantError(t, err, coupon.ErrorInsufficientCodes, "input.id")
	}
	s.analyze(t, first, coupon.DeliveryEditing)
	if _, err := s.ConfirmDelivery(t.Context(), second, fine); err != nil {
		t.Error(err)
	}
	s.wantAvailability(t, c, "assigned 2")
	s.checkSound(t)
	s.reopen(t)
	s.checkSound(t)
}
