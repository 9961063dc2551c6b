package coupon

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestSettle(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		attempt     Attempt
		number      int
		mightBeSent bool
		jitter      float64
		want        Settlement
	}{
		"accepted": {
			Attempt{Result: AttemptAccepted}, 1, false, 0, Settlement{Status: MessageSent},
		},
		"accepted at last": {
			Attempt{Result: AttemptAccepted}, 8, true, 0, Settlement{Status: MessageSent},
		},
		"refused for good": {
			Attempt{Result: AttemptRefused, Reason: "550 no"},
			1, false, 0,
			Settlement{Status: MessageFailed, Failure: "550 no"},
		},
		"refused, but sent once": {
			Attempt{Result: AttemptRefused, Reason: "550 no"},
			2, true, 0,
			Settlement{Status: MessageFailed, Failure: "550 no", MayBeSent: true},
		},
		"postponed, soon": {
			Attempt{Result: AttemptPostponed, Reason: "450 later"},
			1, false, 0,
			Settlement{
				Status: MessagePending, Failure: "450 later", RetryAt: now.Add(64 * time.Second),
			},
		},
		"postponed, late": {
			Attempt{Result: AttemptPostponed, Reason: "450 later"},
			1, false, 1,
			Settlement{
				Status: MessagePending, Failure: "450 later", RetryAt: now.Add(96 * time.Second),
			},
		},
		"the last delay": {
			Attempt{Result: AttemptPostponed, Reason: "x"},
			7, false, 0.5,
			Settlement{
				Status: MessagePending, Failure: "x", RetryAt: now.Add(729 * 80 * time.Second),
			},
		},
		"asked to wait": {
			Attempt{Result: AttemptPostponed, Reason: "x", NotBefore: now.Add(time.Hour)},
			1, false, 0,
			Settlement{Status: MessagePending, Failure: "x", RetryAt: now.Add(time.Hour)},
		},
		"asked to wait less": {
			Attempt{Result: AttemptPostponed, Reason: "x", NotBefore: now.Add(time.Second)},
			1, false, 0,
			Settlement{Status: MessagePending, Failure: "x", RetryAt: now.Add(64 * time.Second)},
		},
		"asked to wait for ever": {
			Attempt{Result: AttemptPostponed, Reason: "x", NotBefore: now.AddDate(10, 0, 0)},
			1, false, 0,
			Settlement{Status: MessagePending, Failure: "x", RetryAt: now.Add(24 * time.Hour)},
		},
		"may be sent": {
			Attempt{Result: AttemptPostponed, Reason: "x", MayBeSent: true},
			1, false, 0,
			Settlement{
				Status: MessagePending, Failure: "x", MayBeSent: true,
				RetryAt: now.Add(64 * time.Second),
			},
		},
		"given up": {
			Attempt{Result: AttemptPostponed, Reason: "450 later"},
			8, false, 0,
			Settlement{
				Status:  MessageFailed,
				Failure: "Given up after 8 attempts. The last one: 450 later",
			},
		},
		"given up, but sent once": {
			Attempt{Result: AttemptPostponed, Reason: "x"},
			8, true, 0,
			Settlement{
				Status: MessageFailed, Failure: "Given up after 8 attempts. The last one: x",
				MayBeSent: true,
			},
		},
		"no reason": {Attempt{Result: AttemptRefused, Reason: " \r\n"}, 1, false, 0, Settlement{
			Status: MessageFailed, Failure: "The sender gave no reason.",
		}},
		"reason of several lines": {
			Attempt{Result: AttemptRefused, Reason: "550 a\r\n\x00b\xff"},
			1, false, 0,
			Settlement{Status: MessageFailed, Failure: "550 a b?"},
		},
		"long reason": {
			Attempt{Result: AttemptRefused, Reason: strings.Repeat("ä", 501)},
			1, false, 0,
			Settlement{Status: MessageFailed, Failure: strings.Repeat("ä", 499) + "…"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want,
				test.attempt.Settle(test.number, test.mightBeSent, now, test.jitter)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestAttemptsTakeADay adds up the delays between all attempts.
func TestAttemptsTakeADay(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	at := now
	for number := 1; number < MaxAttempts; number++ {
		at = (&Attempt{Result: AttemptPostponed}).Settle(number, false, at, 0.5).RetryAt
	}
	if took := at.Sub(now); took < 20*time.Hour || took > 28*time.Hour {
		t.Errorf("%d attempts take %s, want about a day", MaxAttempts, took)
	}
}
