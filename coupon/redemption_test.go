package coupon

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRedeemRequestCheck(t *testing.T) {
	t.Parallel()
	now := instantOf(t, "2026-11-24T09:15:00Z")
	const badDecimal = " is not a decimal number with at most 14 digits before and 4 after the point, such as 12.50."
	const badText = " must have 1 to 255 characters and no control characters."
	tests := map[string]struct {
		request RedeemRequest
		// want is the request after a check without problems.
		want     RedeemRequest
		problems []string
	}{
		"value alone": {
			request: RedeemRequest{Value: " Trynow "}, want: RedeemRequest{Value: " Trynow "},
		},
		"everything": {
			request: RedeemRequest{
				Value:          "Trynow",
				RedeemedAt:     new(now.Add(ClockTolerance)),
				Reference:      new(" ORD-1\u00A0"),
				Amount:         new(Decimal(" 12.50 ")),
				Currency:       new("EUR"),
				IdempotencyKey: new("\uFEFFkey "),
			},
			want: RedeemRequest{
				Value:          "Trynow",
				RedeemedAt:     new(now.Add(ClockTolerance)),
				Reference:      new("ORD-1"),
				Amount:         new(Decimal("12.50")),
				Currency:       new("EUR"),
				IdempotencyKey: new("key"),
			},
		},
		"long ago": {
			request: RedeemRequest{RedeemedAt: new(now.AddDate(-10, 0, 0))},
			want:    RedeemRequest{RedeemedAt: new(now.AddDate(-10, 0, 0))},
		},
		"longest reference": {
			request: RedeemRequest{Reference: new(strings.Repeat("ä", 255))},
			want:    RedeemRequest{Reference: new(strings.Repeat("ä", 255))},
		},
		"a refund": {
			request: RedeemRequest{Amount: new(Decimal("-1"))},
			want:    RedeemRequest{Amount: new(Decimal("-1.00"))},
		},
		"what nobody sees": {
			request: RedeemRequest{
				Reference: new(
					" A\u200B-7\uFEFF",
				),
				IdempotencyKey: new("\u00ADk\u20607 "),
				Amount:         new(Decimal(" 0049.9000\u200B")),
				Currency:       new(" eur\u200B"),
			},
			want: RedeemRequest{
				Reference: new("A-7"), IdempotencyKey: new("k7"), Amount: new(Decimal("49.90")),
				Currency: new("EUR"),
			},
		},
		"nothing below zero": {
			request: RedeemRequest{Amount: new(Decimal("-000.000"))},
			want:    RedeemRequest{Amount: new(Decimal("0.00"))},
		},
		"long reference": {
			request:  RedeemRequest{Reference: new(strings.Repeat("ä", 256))},
			problems: []string{"input.reference INVALID: reference" + badText},
		},
		"blank reference": {
			request:  RedeemRequest{Reference: new(" \u200B")},
			problems: []string{"input.reference INVALID: reference" + badText},
		},
		"lines in reference": {
			request:  RedeemRequest{Reference: new("a\nb")},
			problems: []string{"input.reference INVALID: reference" + badText},
		},
		"empty key": {
			request:  RedeemRequest{IdempotencyKey: new("")},
			problems: []string{"input.idempotencyKey INVALID: idempotencyKey" + badText},
		},
		"comma in amount": {
			request:  RedeemRequest{Amount: new(Decimal("1,50"))},
			problems: []string{`input.amount INVALID: "1,50"` + badDecimal},
		},
		"two letters": {
			request:  RedeemRequest{Currency: new("eu")},
			problems: []string{`input.currency INVALID: "eu" is not a currency. Use the three letters of ISO 4217, such as EUR.`},
		},
		"future": {
			request:  RedeemRequest{RedeemedAt: new(now.Add(ClockTolerance + 1))},
			problems: []string{"input.redeemedAt INVALID: The redemption lies in the future."},
		},
		"everything wrong": {
			request: RedeemRequest{
				RedeemedAt: new(now.AddDate(1, 0, 0)), Reference: new(""), Amount: new(Decimal("")),
				Currency:       new("€"),
				IdempotencyKey: new("\x00x\x00"),
			},
			problems: []string{
				"input.reference INVALID: reference" + badText,
				"input.idempotencyKey INVALID: idempotencyKey" + badText,
				`input.amount INVALID: ""` + badDecimal,
				`input.currency INVALID: "€" is not a currency. Use the three letters of ISO 4217, such as EUR.`,
				"input.redeemedAt INVALID: The redemption lies in the future.",
			},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := test.request.Check(now)
			if diff := cmp.Diff(test.problems, problemLines(t, err)); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
			if err != nil {
				return
			}
			if diff := cmp.Diff(test.want, test.request); diff != "" {
				t.Errorf("request (-want +got):\n%s", diff)
			}
		})
	}
}

func TestIsCurrency(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"EUR": true, "XXX": true, "AZA": true, "": false, "EU": false, "EURO": false, "eur": false,
		"E1R": false, "E@R": false,
		"E[R": false, "É€": false, "E R": false,
	} {
		if got := IsCurrency(text); got != want {
			t.Errorf("got %t for %q, want %t", got, text, want)
		}
	}
}

func TestRedemptionRate(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		stats RedemptionStats
		want  *float64
	}{
		"nothing sent":   {stats: RedemptionStats{Redeemed: 3}},
		"none redeemed":  {stats: RedemptionStats{Sent: 4}, want: new(0.0)},
		"some redeemed":  {stats: RedemptionStats{Sent: 4, Redeemed: 1}, want: new(0.25)},
		"more than sent": {stats: RedemptionStats{Sent: 4, Redeemed: 6}, want: new(1.0)},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, test.stats.RedemptionRate()); diff != "" {
				t.Errorf("rate (-want +got):\n%s", diff)
			}
		})
	}
}

func TestIsSound(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		violations []int
		want       bool
	}{
		"no check": {want: true},
		"sound":    {violations: []int{0, 0}, want: true},
		"the last": {violations: []int{0, 2}, want: false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			report := &IntegrityReport{}
			for _, count := range test.violations {
				report.Checks = append(report.Checks, &IntegrityCheck{Violations: count})
			}
			if got := report.IsSound(); got != test.want {
				t.Errorf("got %t, want %t", got, test.want)
			}
		})
	}
}
