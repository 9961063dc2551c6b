package access_test

import (
	"errors"
	"testing"
	"time"

	"couponql/access"
	"couponql/coupon"
	"couponql/db/dbtest"
)

// TestLimitsOutliveJumps tells that a clock that is set gives nobody more requests or guesses, and
// locks nobody out: what is spent comes back with the time that passes. A machine that slept has
// its clock set forward.
func TestLimitsOutliveJumps(t *testing.T) {
	t.Parallel()
	for name, steps := range map[string][]time.Duration{
		"forward, or a sleep": {30 * time.Hour}, "back": {-24 * time.Hour},
		"forward and back": {30 * time.Hour, -30 * time.Hour},
		"back and forward": {-24 * time.Hour, 24 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clock := dbtest.NewClock(time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC))
			guard := newGuard(t, dbtest.New(t, clock.Use), access.Options{})
			const limit = 10
			caller := &coupon.Caller{Name: "key_1", RequestsPerSecond: new(limit)}
			spend := func() (requests, guesses int) {
				for guard.Admit(caller) == 0 {
					requests++
				}
				for {
					if allowed, _ := guard.Ask(caller, []bool{true}); allowed == 0 {
						return requests, guesses
					}
					guesses++
				}
			}
			if requests, guesses := spend(); requests != limit || guesses != access.MaxGuesses {
				t.Fatalf("at first there are %d requests and %d guesses", requests, guesses)
			}
			for _, step := range steps {
				clock.Jump(step)
				if requests, guesses := spend(); requests != 0 || guesses != 0 {
					t.Errorf("a jump by %s gives %d requests and %d guesses", step,
						requests, guesses)
				}
				clock.Advance(time.Second)
				if requests, guesses := spend(); requests != limit ||
					guesses != access.GuessesPerSecond {
					t.Errorf("a second after a jump by %s there are %d requests and %d guesses",
						step, requests, guesses)
				}
			}
		})
	}
}

// TestKeyExpiryAndJumps tells that a key ends when the clock says so, also when a machine wakes up
// after that, at once and for those who are connected; and that a clock that was set forward by
// mistake takes no key away for good.
func TestKeyExpiryAndJumps(t *testing.T) {
	t.Parallel()
	clock := dbtest.NewClock(time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC))
	store := dbtest.New(t, clock.Use)
	guard := newGuard(t, store, access.Options{})
	_, token := createKey(t, store, coupon.NewAPIKey{
		Role: coupon.RoleAdmin, ExpiresAt: new(coupon.DateTime("2026-11-27T18:00:00Z")),
	})
	caller, err := guard.Identify(t.Context(), "Bearer "+token, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		by     time.Duration
		isLeft bool
	}{
		{5 * time.Hour, true},
		{8 * time.Hour, false},
		{-8 * time.Hour, true},
		{-48 * time.Hour, true},
		{72 * time.Hour, false},
	} {
		clock.Jump(step.by)
		_, err := guard.Identify(t.Context(), "Bearer "+token, "")
		if isLeft := err == nil; isLeft != step.isLeft || !isLeft &&
			!errors.Is(err, access.ErrWrongKey) || guard.IsStillIn(caller) != step.isLeft {
			t.Errorf("at %s: %v, still in: %t; want a key that works: %t", clock.Now(), err,
				guard.IsStillIn(caller), step.isLeft)
		}
	}
}
