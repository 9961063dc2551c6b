package coupon

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestCouponStatusAt(t *testing.T) {
	t.Parallel()
	starts, ends := instantOf(t, "2026-11-01T00:00:00Z"), instantOf(t, "2026-12-01T00:00:00Z")
	limited, endless := Coupon{StartsAt: starts, EndsAt: &ends}, Coupon{StartsAt: starts}
	archived := Coupon{StartsAt: starts, EndsAt: &ends, ArchivedAt: &starts}
	tests := map[string]struct {
		coupon  Coupon
		at      time.Time
		want    CouponStatus
		isValid bool
	}{
		"just before the start": {coupon: limited, at: starts.Add(-1), want: CouponScheduled},
		"at the start":          {coupon: limited, at: starts, want: CouponActive, isValid: true},
		"just before the end": {
			coupon: limited, at: ends.Add(-1), want: CouponActive, isValid: true,
		},
		"at the end": {coupon: limited, at: ends, want: CouponExpired},
		"no end": {
			coupon: endless, at: ends.AddDate(900, 0, 0), want: CouponActive, isValid: true,
		},
		"no end, before":   {coupon: endless, at: starts.Add(-1), want: CouponScheduled},
		"archived, before": {coupon: archived, at: starts.Add(-1), want: CouponArchived},
		"archived, during": {
			coupon: archived, at: starts, want: CouponArchived, isValid: true,
		},
		"archived, over": {coupon: archived, at: ends, want: CouponArchived},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := test.coupon.StatusAt(test.at); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
			if got := test.coupon.IsValidAt(test.at); got != test.isValid {
				t.Errorf("got valid %t, want %t", got, test.isValid)
			}
		})
	}
}

func TestCouponApply(t *testing.T) {
	t.Parallel()
	before := Coupon{
		Label: "Ski", Code: "CPN1", Type: TypeIndividual,
		StartsAt:        instantOf(t, "2026-11-01T00:00:00Z"),
		EndsAt:          new(instantOf(t, "2026-12-01T00:00:00Z")),
		RedemptionLimit: new(3), RequiresAssignment: true, LowStockThreshold: new(5),
		LowStockShare: new(0.5),
		Timezone:      "Europe/Berlin", Metadata: `{"a":1}`,
	}
	changed := func(change func(*Coupon)) Coupon {
		c := before
		change(&c)
		return c
	}
	tests := map[string]struct {
		changes CouponChanges
		want    Coupon
	}{
		"nothing": {want: before},
		"everything": {
			changes: CouponChanges{
				Label: Set(new(" Snow ")), StartsAt: Set(new(DateTime("2026-03-01"))),
				EndsAt:             Set(new(DateTime("2026-03-08"))),
				RedemptionLimit:    Set(new(1)),
				RequiresAssignment: Set(new(false)), LowStockThreshold: Set(new(0)),
				LowStockShare: Set(new(1.0)),
				Timezone:      Set(new("America/New_York")),
				Metadata:      Set(new(JSON(`{"b":2}`))),
			},
			want: Coupon{
				Label: "Snow", Code: "CPN1", Type: TypeIndividual,
				StartsAt:        instantOf(t, "2026-03-01T05:00:00Z"),
				EndsAt:          new(instantOf(t, "2026-03-09T04:00:00Z")),
				RedemptionLimit: new(1), LowStockThreshold: new(0), LowStockShare: new(1.0),
				Timezone: "America/New_York",
				Metadata: `{"b":2}`,
			},
		},
		"cleared": {
			changes: CouponChanges{
				EndsAt: Set[DateTime](nil), RedemptionLimit: Set[int](nil),
				RequiresAssignment: Set[bool](nil),
				LowStockThreshold:  Set[int](nil),
				LowStockShare:      Set[float64](nil), Timezone: Set[string](nil),
				Metadata: Set[JSON](nil),
			},
			want: Coupon{
				Label: "Ski", Code: "CPN1", Type: TypeIndividual, StartsAt: before.StartsAt,
				RedemptionLimit:    new(1),
				RequiresAssignment: true,
				Timezone:           "UTC", Metadata: "{}",
			},
		},
		"a new zone moves no instant": {
			changes: CouponChanges{Timezone: Set(new("Asia/Tokyo"))},
			want:    changed(func(c *Coupon) { c.Timezone = "Asia/Tokyo" }),
		},
		"the zone of the coupon": {
			changes: CouponChanges{EndsAt: Set(new(DateTime("2026-11-30")))},
			want: changed(
				func(c *Coupon) { c.EndsAt = new(instantOf(t, "2026-11-30T23:00:00Z")) },
			),
		},
		"limit at its largest": {
			changes: CouponChanges{RedemptionLimit: Set(new(MaxRedemptionLimit))},
			want:    changed(func(c *Coupon) { c.RedemptionLimit = new(MaxRedemptionLimit) }),
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := before
			if err := got.Apply(&test.changes); err != nil {
				t.Fatalf("got %v, want no error", err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("coupon (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCouponApplyToAnonymous(t *testing.T) {
	t.Parallel()
	c := Coupon{Type: TypeAnonymous, Timezone: "UTC", RedemptionLimit: new(7)}
	if err := c.Apply(&CouponChanges{RedemptionLimit: Set[int](nil)}); err != nil ||
		c.RedemptionLimit != nil {
		t.Errorf("got the limit %v and the error %v, want none", c.RedemptionLimit, err)
	}
}

func TestCouponApplyLimits(t *testing.T) {
	t.Parallel()
	const badDate = ` is not a date and time. Use RFC 3339, e.g. 2026-11-24T10:15:00+01:00, or a date alone, e.g. 2026-11-24.`
	tests := map[string]struct {
		changes CouponChanges
		want    []string
	}{
		"label of 255": {changes: CouponChanges{Label: Set(new(strings.Repeat("€", 255)))}},
		"label of 256": {
			changes: CouponChanges{Label: Set(new(strings.Repeat("€", 256)))},
			want: []string{
				"input.label INVALID: The label of a coupon must have at most 255 characters.",
			},
		},
		"label null": {
			changes: CouponChanges{Label: Set[string](nil)},
			want:    []string{"input.label INVALID: The label of a coupon must not be empty."},
		},
		"label not UTF-8": {
			changes: CouponChanges{Label: Set(new("a\xffb"))},
			want: []string{
				"input.label INVALID: The label of a coupon must not have control characters.",
			},
		},
		"zone unknown": {
			changes: CouponChanges{Timezone: Set(new("Berlin"))},
			want:    []string{`input.timezone INVALID: "Berlin" is not a time zone. Use an IANA name such as Europe/Berlin.`},
		},
		"zone Local": {
			changes: CouponChanges{Timezone: Set(new("Local"))},
			want:    []string{`input.timezone INVALID: "Local" is not a time zone. Use an IANA name such as Europe/Berlin.`},
		},
		"start null": {changes: CouponChanges{StartsAt: Set[DateTime](nil)}, want: []string{
			"input.startsAt INVALID: A coupon needs a start date.",
		}},
		"start unreadable": {
			changes: CouponChanges{StartsAt: Set(new(DateTime("soon")))},
			want:    []string{`input.startsAt INVALID: "soon"` + badDate},
		},
		"end unreadable": {
			changes: CouponChanges{EndsAt: Set(new(DateTime("never")))},
			want:    []string{`input.endsAt INVALID: "never"` + badDate},
		},
		"end at the start": {
			changes: CouponChanges{EndsAt: Set(new(DateTime("2026-11-01T00:00")))},
			want:    []string{"input.endsAt INVALID: The coupon would end (2026-11-01T00:00:00Z) before it starts (2026-11-01T00:00:00Z)."},
		},
		"end after start": {
			changes: CouponChanges{EndsAt: Set(new(DateTime("2026-11-01T00:00:00.000001Z")))},
		},
		"one day": {changes: CouponChanges{EndsAt: Set(new(DateTime("2026-11-01")))}},
		"end the day before": {
			changes: CouponChanges{EndsAt: Set(new(DateTime("2026-10-31")))},
			want:    []string{"input.endsAt INVALID: The coupon would end (2026-11-01T00:00:00Z) before it starts (2026-11-01T00:00:00Z)."},
		},
		"start after end": {
			changes: CouponChanges{StartsAt: Set(new(DateTime("2027-01-01")))},
			want:    []string{"input.endsAt INVALID: The coupon would end (2026-12-01T00:00:00Z) before it starts (2027-01-01T00:00:00Z)."},
		},
		"limit 0": {
			changes: CouponChanges{RedemptionLimit: Set(new(0))},
			want:    []string{"input.redemptionLimit INVALID: The redemption limit must be 1 to 1000000000, not 0."},
		},
		"limit too large": {
			changes: CouponChanges{RedemptionLimit: Set(new(MaxRedemptionLimit + 1))},
			want:    []string{"input.redemptionLimit INVALID: The redemption limit must be 1 to 1000000000, not 1000000001."},
		},
		"threshold -1": {
			changes: CouponChanges{LowStockThreshold: Set(new(-1))},
			want: []string{
				"input.lowStockThreshold INVALID: The low-stock threshold must not be negative.",
			},
		},
		"share 0": {changes: CouponChanges{LowStockShare: Set(new(0.0))}},
		"share below 0": {
			changes: CouponChanges{LowStockShare: Set(new(-0.01))},
			want:    []string{"input.lowStockShare INVALID: The low-stock share must be 0 to 1."},
		},
		"share above 1": {
			changes: CouponChanges{LowStockShare: Set(new(1.01))},
			want:    []string{"input.lowStockShare INVALID: The low-stock share must be 0 to 1."},
		},
		"share NaN": {
			changes: CouponChanges{LowStockShare: Set(new(math.NaN()))},
			want:    []string{"input.lowStockShare INVALID: The low-stock share must be 0 to 1."},
		},
		"metadata full": {
			changes: CouponChanges{Metadata: Set(new(JSON(strings.Repeat("x", MaxJSONBytes))))},
		},
		"metadata over": {
			changes: CouponChanges{Metadata: Set(new(JSON(strings.Repeat("x", MaxJSONBytes+1))))},
			want:    []string{"input.metadata INVALID: The metadata must be at most 65536 bytes of JSON, not 65537."},
		},
		"everything": {
			changes: CouponChanges{
				Label: Set(new("\x00")), Timezone: Set(new("Mars")),
				StartsAt: Set(new(DateTime("x"))), EndsAt: Set(new(DateTime("y"))),
				RedemptionLimit:   Set(new(-1)),
				LowStockThreshold: Set(new(-2)), LowStockShare: Set(new(math.Inf(1))),
				Metadata: Set(new(JSON(strings.Repeat("x", MaxJSONBytes+1)))),
			},
			want: []string{
				"input.label INVALID: The label of a coupon must not have control characters.",
				`input.timezone INVALID: "Mars" is not a time zone. Use an IANA name such as Europe/Berlin.`,
				`input.startsAt INVALID: "x"` + badDate,
				`input.endsAt INVALID: "y"` + badDate,
				"input.redemptionLimit INVALID: The redemption limit must be 1 to 1000000000, not -1.",
				"input.lowStockThreshold INVALID: The low-stock threshold must not be negative.",
				"input.lowStockShare INVALID: The low-stock share must be 0 to 1.",
				"input.metadata INVALID: The metadata must be at most 65536 bytes of JSON, not 65537.",
			},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := &Coupon{
				Type: TypeIndividual, Timezone: "UTC",
				StartsAt: instantOf(t, "2026-11-01T00:00:00Z"),
				EndsAt:   new(instantOf(t, "2026-12-01T00:00:00Z")),
			}
			if diff := cmp.Diff(test.want, problemLines(t, c.Apply(&test.changes))); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

// TestCouponValidityIsOneRule holds together what tells of validity: the status, the span and the
// decision.
func TestCouponValidityIsOneRule(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		starts := time.Unix(rapid.Int64Range(0, 100).Draw(t, "starts"), 0)
		c := &Coupon{Type: TypeAnonymous, StartsAt: starts}
		if rapid.Bool().Draw(t, "has an end") {
			c.EndsAt = new(
				starts.Add(time.Duration(rapid.IntRange(1, 50).Draw(t, "seconds")) * time.Second),
			)
		}
		at := time.Unix(rapid.Int64Range(0, 200).Draw(t, "at"), 0)
		isValid := c.IsValidAt(at)
		if got := c.StatusAt(at) == CouponActive; got != isValid {
			t.Fatalf("got active %t where valid is %t", got, isValid)
		}
		if got := c.CheckRedemption(Redeemability{}, at) == nil; got != isValid {
			t.Fatalf("got redeemable %t where valid is %t", got, isValid)
		}
	})
}
