package coupon

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestCodeStateStatus(t *testing.T) {
	t.Parallel()
	for state := range StateGone {
		for _, hasEnded := range []bool{false, true} {
			want := CodeAvailable
			if state&StateAssigned != 0 {
				want = CodeAssigned
			}
			if hasEnded {
				want = CodeExpired
			}
			if state&StateVoided != 0 {
				want = CodeVoided
			}
			if state&StateRedeemed != 0 {
				want = CodeRedeemed
			}
			if got := state.Status(hasEnded); got != want {
				t.Errorf("got %s for the state %05b, ended %t, want %s", got, state, hasEnded, want)
			}
		}
	}
}

func TestCodeStateHas(t *testing.T) {
	t.Parallel()
	state := StateAssigned | StateSent
	tests := []struct {
		flags CodeState
		want  bool
	}{
		{StateAssigned, true},
		{StateSent | StateRedeemed, true},
		{StateRedeemed | StateVoided, false},
		{0, false},
	}
	for _, test := range tests {
		if got := state.Has(test.flags); got != test.want {
			t.Errorf("got %t for the flags %05b, want %t", got, test.flags, test.want)
		}
	}
}

func TestCodeState(t *testing.T) {
	t.Parallel()
	at := instantOf(t, "2026-11-24T09:15:00Z")
	tests := map[string]struct {
		code Code
		want CodeState
	}{
		"untouched": {code: Code{AddedAt: at}},
		"assigned": {
			code: Code{RecipientID: new(ID("recipient_1")), AssignedAt: &at}, want: StateAssigned,
		},
		"sent": {
			code: Code{RecipientID: new(ID("recipient_1")), SentAt: &at},
			want: StateAssigned | StateSent,
		},
		"redeemed": {code: Code{RedeemedAt: &at}, want: StateRedeemed},
		"voided":   {code: Code{VoidedAt: &at}, want: StateVoided},
		"everything": {code: Code{
			RecipientID: new(ID("recipient_1")), SentAt: &at, RedeemedAt: &at, VoidedAt: &at,
		}, want: StateGone - 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := test.code.State(); got != test.want {
				t.Errorf("got %05b, want %05b", got, test.want)
			}
		})
	}
}

func TestCheckRedemption(t *testing.T) {
	t.Parallel()
	starts, ends := instantOf(t, "2026-11-01T00:00:00Z"), instantOf(t, "2026-12-01T00:00:00Z")
	during := instantOf(t, "2026-11-24T09:15:00Z")
	pool := func(limit *int) *Coupon {
		return &Coupon{
			Type: TypeIndividual, StartsAt: starts, EndsAt: &ends, RedemptionLimit: limit,
			RequiresAssignment: true,
		}
	}
	free := pool(new(1))
	free.RequiresAssignment = false
	anonymous := &Coupon{
		Type: TypeAnonymous, StartsAt: starts, EndsAt: &ends, RequiresAssignment: true,
	}
	anonymousTwice := &Coupon{
		Type: TypeAnonymous, StartsAt: starts, EndsAt: &ends, RedemptionLimit: new(2),
		RequiresAssignment: true,
	}
	endless := &Coupon{Type: TypeIndividual, StartsAt: starts, RedemptionLimit: new(1)}
	tests := map[string]struct {
		coupon *Coupon
		state  CodeState
		count  int
		at     time.Time
		want   string
	}{
		"assigned":     {coupon: pool(new(1)), state: StateAssigned, at: during},
		"sent":         {coupon: pool(new(1)), state: StateAssigned | StateSent, at: during},
		"at the start": {coupon: pool(new(1)), state: StateAssigned, at: starts},
		"just before the start": {
			coupon: pool(new(1)),
			state:  StateAssigned,
			at:     starts.Add(-1),
			want:   `CODE_NOT_YET_VALID: The code "Trynow" is valid from 2026-11-01T00:00:00Z.`,
		},
		"just before the end": {coupon: pool(new(1)), state: StateAssigned, at: ends.Add(-1)},
		"at the end": {
			coupon: pool(new(1)),
			state:  StateAssigned,
			at:     ends,
			want:   `CODE_EXPIRED: The code "Trynow" was valid until 2026-12-01T00:00:00Z.`,
		},
		"no end":                     {coupon: endless, at: during.AddDate(500, 0, 0)},
		"not assigned":               {coupon: pool(new(1)), at: during, want: `CODE_NOT_ASSIGNED: The code "Trynow" was not given to anybody yet.`},
		"not assigned, not required": {coupon: free, at: during},
		"voided": {
			coupon: pool(new(1)),
			state:  StateAssigned | StateVoided,
			at:     during,
			want:   `CODE_VOIDED: The code "Trynow" was voided.`,
		},
		"limit 1, redeemed": {
			coupon: pool(new(1)),
			state:  StateAssigned | StateRedeemed,
			count:  1,
			at:     during,
			want:   `CODE_ALREADY_REDEEMED: The code "Trynow" was already redeemed.`,
		},
		"limit 1, twice by file": {
			coupon: pool(new(1)),
			state:  StateAssigned | StateRedeemed,
			count:  2,
			at:     during,
			want:   `CODE_ALREADY_REDEEMED: The code "Trynow" was already redeemed.`,
		},
		"limit 3, twice": {
			coupon: pool(new(3)), state: StateAssigned | StateRedeemed, count: 2, at: during,
		},
		"limit 3, three times": {
			coupon: pool(new(3)),
			state:  StateAssigned | StateRedeemed,
			count:  3,
			at:     during,
			want:   `REDEMPTION_LIMIT_REACHED: The code "Trynow" was redeemed 3 times, and may be redeemed no more often.`,
		},
		"no limit": {
			coupon: pool(nil), state: StateAssigned | StateRedeemed, count: 1_000_000, at: during,
		},
		"anonymous":                {coupon: anonymous, count: 1_000_000, at: during},
		"anonymous, limit 2, once": {coupon: anonymousTwice, count: 1, at: during},
		"anonymous, limit 2, twice": {
			coupon: anonymousTwice,
			count:  2,
			at:     during,
			want:   `REDEMPTION_LIMIT_REACHED: The code "Trynow" was redeemed 2 times, and may be redeemed no more often.`,
		},
		"anonymous, over": {
			coupon: anonymous, at: ends,
			want: `CODE_EXPIRED: The code "Trynow" was valid until 2026-12-01T00:00:00Z.`,
		},
		"redeemed before voided": {
			coupon: pool(new(1)),
			state:  StateRedeemed | StateVoided,
			count:  1,
			at:     ends,
			want:   `CODE_ALREADY_REDEEMED: The code "Trynow" was already redeemed.`,
		},
		"limit before voided": {
			coupon: pool(new(2)),
			state:  StateRedeemed | StateVoided,
			count:  2,
			at:     starts.Add(-1),
			want:   `REDEMPTION_LIMIT_REACHED: The code "Trynow" was redeemed 2 times, and may be redeemed no more often.`,
		},
		"voided before not yet valid": {coupon: pool(new(1)), state: StateVoided, at: starts.Add(-1), want: `CODE_VOIDED: The code "Trynow" was voided.`},
		"voided before expired":       {coupon: pool(new(1)), state: StateVoided, at: ends, want: `CODE_VOIDED: The code "Trynow" was voided.`},
		"not yet before not assigned": {
			coupon: pool(new(1)),
			at:     starts.Add(-1),
			want:   `CODE_NOT_YET_VALID: The code "Trynow" is valid from 2026-11-01T00:00:00Z.`,
		},
		"expired before not assigned": {
			coupon: pool(new(1)), at: ends,
			want: `CODE_EXPIRED: The code "Trynow" was valid until 2026-12-01T00:00:00Z.`,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := ""
			code := Redeemability{Value: "Trynow", State: test.state, Count: test.count}
			if refusal := test.coupon.CheckRedemption(code, test.at); refusal != nil {
				got = fmt.Sprintf("%s: %s", refusal.Code, refusal.Message)
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestIsLow(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		coupon           Coupon
		available, total int
		want             bool
	}{
		"no threshold": {
			coupon: Coupon{Type: TypeIndividual}, available: 0, total: 10, want: false,
		},
		"at the threshold": {
			coupon: Coupon{Type: TypeIndividual, LowStockThreshold: new(5)}, available: 5,
			total: 10, want: false,
		},
		"below the threshold": {
			coupon: Coupon{Type: TypeIndividual, LowStockThreshold: new(5)}, available: 4,
			total: 10, want: true,
		},
		"threshold 0": {
			coupon: Coupon{Type: TypeIndividual, LowStockThreshold: new(0)}, available: 0,
			total: 0, want: false,
		},
		"threshold of empty pool": {
			coupon: Coupon{Type: TypeIndividual, LowStockThreshold: new(1)}, available: 0,
			total: 0, want: true,
		},
		"at the share": {
			coupon: Coupon{Type: TypeIndividual, LowStockShare: new(0.07)}, available: 7,
			total: 100, want: false,
		},
		"below the share": {
			coupon: Coupon{Type: TypeIndividual, LowStockShare: new(0.07)}, available: 6,
			total: 100, want: true,
		},
		"share of empty pool": {
			coupon: Coupon{Type: TypeIndividual, LowStockShare: new(0.5)}, available: 0,
			total: 0, want: false,
		},
		"share 0": {
			coupon: Coupon{Type: TypeIndividual, LowStockShare: new(0.0)}, available: 0,
			total: 100, want: false,
		},
		"share 1, full": {
			coupon: Coupon{Type: TypeIndividual, LowStockShare: new(1.0)}, available: 100,
			total: 100, want: false,
		},
		"share 1, one gone": {
			coupon: Coupon{Type: TypeIndividual, LowStockShare: new(1.0)}, available: 99,
			total: 100, want: true,
		},
		"either is enough": {
			coupon: Coupon{
				Type: TypeIndividual, LowStockThreshold: new(1), LowStockShare: new(0.9),
			}, available: 50, total: 100,
			want: true,
		},
		"anonymous": {
			coupon: Coupon{
				Type: TypeAnonymous, LowStockThreshold: new(5), LowStockShare: new(1.0),
			},
			available: 0, total: 10,
			want: false,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := test.coupon.IsLow(test.available, test.total); got != test.want {
				t.Errorf("got %t, want %t", got, test.want)
			}
		})
	}
}

func TestIsLowExactlyAtAPercentage(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		percent, hundreds := rapid.IntRange(0, 100).Draw(t, "percent"), rapid.IntRange(1,
			100_000).Draw(t, "hundreds")
		c := &Coupon{Type: TypeIndividual, LowStockShare: new(float64(percent) / 100)}
		at, total := percent*hundreds, 100*hundreds
		if c.IsLow(at, total) {
			t.Fatalf("%d of %d is low at a share of %d %%", at, total, percent)
		}
		if at > 0 && !c.IsLow(at-1, total) {
			t.Fatalf("%d of %d is not low at a share of %d %%", at-1, total, percent)
		}
	})
}

func TestCheckPool(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		coupon Coupon
		want   []string
	}{
		"individual": {coupon: Coupon{Type: TypeIndividual}},
		"anonymous": {
			coupon: Coupon{Type: TypeAnonymous, Label: "Ski", Code: "CPN7"},
			want: []string{
				`input.couponId INVALID_STATE: The coupon "Ski" is anonymous: ` +
					`everybody gets its own code "CPN7", so it has no pool of codes.`,
			},
		},
		"archived": {
			coupon: Coupon{
				Type: TypeIndividual, Label: "Ski",
				ArchivedAt: new(instantOf(t, "2026-11-24T09:15:00Z")),
			},
			want: []string{`input.couponId INVALID_STATE: The coupon "Ski" is archived and takes no new codes.`},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want,
				problemLines(t, test.coupon.CheckPool(ImportAdd))); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNewCodeEvent(t *testing.T) {
	t.Parallel()
	at, delivery := instantOf(t, "2026-11-24T09:15:00Z"), ID("delivery_1")
	tests := map[CodeEventKind]struct{ detail, plain, want string }{
		EventAdded: {
			detail: "codes.csv", plain: "Added to the pool.",
			want: "Added to the pool by the import of codes.csv.",
		},
		EventAssigned: {
			detail: "a@b.example", plain: "Given to a message.",
			want: "Given to a message to a@b.example.",
		},
		EventSent: {
			detail: "a@b.example", plain: "Handed to the sender.",
			want: "Handed to the sender for a@b.example.",
		},
		EventUnknown: {
			detail: "a@b.example", plain: "Handed over and never answered.",
			want: "Handed over and never answered for a@b.example.",
		},
		EventBounced: {
			detail: "550 no such user.", plain: "Came back.", want: "Came back: 550 no such user.",
		},
		EventReturned: {
			detail: "stopped", plain: "Returned to the pool.",
			want: "Returned to the pool: stopped.",
		},
		EventRedeemed: {
			detail: "ORD-1", plain: "Redeemed.", want: "Redeemed with the reference ORD-1.",
		},
		EventReversed: {
			detail: "mistake", plain: "Redemption reversed.", want: "Redemption reversed: mistake.",
		},
		EventVoided: {detail: "leaked", plain: "Voided.", want: "Voided: leaked."},
		EventRestored: {
			detail: "key_1", plain: "Not voided any more.",
			want: "Not voided any more: undone by key_1.",
		},
	}
	for kind, test := range tests {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			got := NewCodeEvent(at, kind, &delivery, test.detail, "")
			if diff := cmp.Diff(&CodeEvent{
				At: at, Kind: kind, DeliveryID: &delivery, Text: test.want,
			}, got); diff != "" {
				t.Errorf("event (-want +got):\n%s", diff)
			}
			if got := NewCodeEvent(at, kind, nil, "", "").Text; got != test.plain {
				t.Errorf("got %q, want %q", got, test.plain)
			}
		})
	}
	for detail, want := range map[string]string{
		"ORD-1": "Redeemed with the reference ORD-1 at Till 4.", "": "Redeemed at Till 4.",
	} {
		if got := NewCodeEvent(at, EventRedeemed, nil, detail, "Till 4").Text; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
