package coupon

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestDeliveryCheck(t *testing.T) {
	t.Parallel()
	// One letter an action, in the order of allActions: a: allowed, d: already done, -:
	// INVALID_STATE.
	tests := []struct {
		status   DeliveryStatus
		outcomes string
		rest     string
	}{
		{DeliveryEditing, "aaa----", "what is possible now: edit, delete, analyze"},
		{DeliveryReady, "aaaa--a", "what is possible now: edit, delete, analyze, confirm, stop"},
		{DeliveryScheduled, "---d--a", "what is possible now: stop"},
		{DeliveryInProgress, "---dada", "what is possible now: pause, stop"},
		{DeliveryPaused, "---ddaa", "what is possible now: resume, stop"},
		{DeliveryFinished, "---d---", "nothing can be done with it any more"},
		{DeliveryStopped, "------d", "nothing can be done with it any more"},
		{DeliveryFailed, "-------", "nothing can be done with it any more"},
	}
	if got, want := len(allActions()), 7; got != want {
		t.Fatalf("got %d actions, want %d", got, want)
	}
	for _, test := range tests {
		for i, action := range allActions() {
			t.Run(fmt.Sprintf("%s %s", test.status, action), func(t *testing.T) {
				t.Parallel()
				d := &Delivery{Label: "Spring", Status: test.status}
				isDone, err := d.Check(action)
				if want := test.outcomes[i] == 'd'; isDone != want {
					t.Errorf("got isDone %t, want %t", isDone, want)
				}
				var want []string
				if test.outcomes[i] == '-' {
					hint := ""
					if action == ActionConfirm && test.status == DeliveryEditing {
						hint = " Analyze it first."
					}
					want = []string{fmt.Sprintf(` INVALID_STATE: The delivery "Spring" is %s, so you cannot %s it; %s.%s`,
						test.status, action, test.rest, hint)}
				}
				if diff := cmp.Diff(want, problemLines(t, err)); diff != "" {
					t.Errorf("problems (-want +got):\n%s", diff)
				}
				if d.Status != test.status {
					t.Errorf("the check changed the state to %s", d.Status)
				}
			})
		}
	}
}

func TestDeliveryCheckOfUnknownAction(t *testing.T) {
	t.Parallel()
	isDone, err := (&Delivery{Label: "Spring", Status: DeliveryReady}).Check("launch")
	want := []string{
		` INVALID_STATE: The delivery "Spring" is READY, so you cannot launch it; ` +
			`what is possible now: edit, delete, analyze, confirm, stop.`,
	}
	if diff := cmp.Diff(want, problemLines(t, err)); diff != "" || isDone {
		t.Errorf("got isDone %t, problems (-want +got):\n%s", isDone, diff)
	}
}

func TestDeliveryApply(t *testing.T) {
	t.Parallel()
	berlin := zoneOf(t, "Europe/Berlin")
	before := Delivery{
		Label: "Spring", Channel: ChannelSMS, CouponID: new(ID("coupon_1")), Subject: new("Hello"),
		Body:         "Body",
		MessageLimit: new(5), MatchLabelTo: new("sport"),
		ContactAt: new(instantOf(t, "2026-11-24T09:00:00Z")),
	}
	changed := func(change func(*Delivery)) Delivery {
		d := before
		change(&d)
		return d
	}
	tests := map[string]struct {
		changes DeliveryChanges
		want    Delivery
	}{
		"nothing": {want: before},
		"everything": {
			changes: DeliveryChanges{
				Label: Set(new(" Autumn\u00A0")), Channel: Set(new(ChannelPush)),
				CouponID: Set(new(ID("coupon_2"))), Subject: Set(new("Bye")),
				Body: Set(new(" Text ")), MessageLimit: Set(new(7)),
				MatchLabelTo: Set(new(" team ")), ContactAt: Set(new(DateTime("2026-12-01T10:00"))),
				SendRate: Set(new(0.05)), AllowDuplicateAddresses: Set(new(true)),
				IgnoreQuarantine: Set(new(true)),
			},
			want: Delivery{
				Label: "Autumn", Channel: ChannelPush, CouponID: new(ID("coupon_2")),
				Subject: new("Bye"), Body: " Text ",
				MessageLimit: new(7), MatchLabelTo: new("team"),
				ContactAt: new(instantOf(t, "2026-12-01T09:00:00Z")),
				SendRate:  new(0.05), AllowDuplicateAddresses: true, IgnoreQuarantine: true,
			},
		},
		"cleared": {
			changes: DeliveryChanges{
				Channel: Set[Channel](nil), CouponID: Set[ID](nil), Subject: Set[string](nil),
				MessageLimit: Set[int](nil),
				MatchLabelTo: Set[string](nil), ContactAt: Set[DateTime](nil),
				SendRate: Set[float64](nil), AllowDuplicateAddresses: Set[bool](nil),
				IgnoreQuarantine: Set[bool](nil),
			},
			want: Delivery{Label: "Spring", Channel: ChannelEmail, Body: "Body"},
		},
		"empty label to match clears": {
			changes: DeliveryChanges{MatchLabelTo: Set(new(""))},
			want:    changed(func(d *Delivery) { d.MatchLabelTo = nil }),
		},
		"limit 0": {
			changes: DeliveryChanges{MessageLimit: Set(new(0))},
			want:    changed(func(d *Delivery) { d.MessageLimit = new(0) }),
		},
		"contact date alone begins in the zone": {
			changes: DeliveryChanges{ContactAt: Set(new(DateTime("2026-07-01")))},
			want: changed(
				func(d *Delivery) { d.ContactAt = new(instantOf(t, "2026-06-30T22:00:00Z")) },
			),
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := before
			if err := got.Apply(&test.changes, berlin); err != nil {
				t.Fatalf("got %v, want no error", err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("delivery (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDeliveryApplyLimits(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		changes DeliveryChanges
		want    []string
	}{
		"label of 255": {changes: DeliveryChanges{Label: Set(new(strings.Repeat("ä", 255)))}},
		"label of 256": {
			changes: DeliveryChanges{Label: Set(new(strings.Repeat("ä", 256)))},
			want: []string{
				"input.label INVALID: The label of a delivery must have at most 255 characters.",
			},
		},
		"label null": {
			changes: DeliveryChanges{Label: Set[string](nil)},
			want:    []string{"input.label INVALID: The label of a delivery must not be empty."},
		},
		"label blank": {
			changes: DeliveryChanges{Label: Set(new(" \u200B\t"))},
			want:    []string{"input.label INVALID: The label of a delivery must not be empty."},
		},
		"label of lines": {
			changes: DeliveryChanges{Label: Set(new("a\nb"))},
			want: []string{
				"input.label INVALID: The label of a delivery must not have control characters.",
			},
		},
		"subject of 998": {
			changes: DeliveryChanges{Subject: Set(new(strings.Repeat("ü", MaxSubjectLength)))},
		},
		"subject of 999": {
			changes: DeliveryChanges{Subject: Set(new(strings.Repeat("ü", MaxSubjectLength+1)))},
			want: []string{
				"input.subject INVALID: The subject must have at most 998 characters.",
			},
		},
		"body null": {changes: DeliveryChanges{Body: Set[string](nil)}, want: []string{
			"input.body INVALID: The body must not be empty.",
		}},
		"body blank": {
			changes: DeliveryChanges{Body: Set(new(" \n\t"))},
			want:    []string{"input.body INVALID: The body must not be empty."},
		},
		"body full": {changes: DeliveryChanges{Body: Set(new(strings.Repeat("x", MaxBodyBytes)))}},
		"body over": {
			changes: DeliveryChanges{Body: Set(new(strings.Repeat("x", MaxBodyBytes+1)))},
			want: []string{
				"input.body INVALID: The body must have at most 1048576 bytes, not 1048577.",
			},
		},
		"limit -1": {
			changes: DeliveryChanges{MessageLimit: Set(new(-1))},
			want:    []string{"input.messageLimit INVALID: The message limit must not be negative; null or 0 means no limit."},
		},
		"rate of one an hour": {changes: DeliveryChanges{SendRate: Set(new(MinSendRate))}},
		"rate of 0": {
			changes: DeliveryChanges{SendRate: Set(new(0.0))},
			want:    []string{"input.sendRate INVALID: The rate must be 0.0003 to 1000000 messages a second; null means only the server's own limit."},
		},
		"rate that is no number": {
			changes: DeliveryChanges{SendRate: Set(new(math.NaN()))},
			want:    []string{"input.sendRate INVALID: The rate must be 0.0003 to 1000000 messages a second; null means only the server's own limit."},
		},
		"match of blanks": {
			changes: DeliveryChanges{MatchLabelTo: Set(new(" "))},
			want: []string{
				"input.matchLabelTo INVALID: The name of the attribute must not be empty.",
			},
		},
		"match of 256": {
			changes: DeliveryChanges{MatchLabelTo: Set(new(strings.Repeat("x", 256)))},
			want:    []string{"input.matchLabelTo INVALID: The name of the attribute must have at most 255 characters."},
		},
		"contact never": {
			changes: DeliveryChanges{ContactAt: Set(new(DateTime("never")))},
			want: []string{
				"input.contactAt INVALID: \"never\" is not a date and time. Use RFC 3339, e.g. 2026-11-24T10:15:00+01:00, or a date alone, e.g. 2026-11-24.",
			},
		},
		"contact in 1899": {
			changes: DeliveryChanges{ContactAt: Set(new(DateTime("1899-12-31")))},
			want: []string{
				"input.contactAt INVALID: \"1899-12-31\" is outside the years 1900 to 9999.",
			},
		},
		"everything": {
			changes: DeliveryChanges{
				Label: Set(new("")), Subject: Set(new(strings.Repeat("x", MaxSubjectLength+1))),
				Body:         Set(new("")),
				MessageLimit: Set(new(-7)),
				MatchLabelTo: Set(new("\x01")), ContactAt: Set(new(DateTime(""))),
			},
			want: []string{
				"input.label INVALID: The label of a delivery must not be empty.",
				"input.subject INVALID: The subject must have at most 998 characters.",
				"input.body INVALID: The body must not be empty.",
				"input.messageLimit INVALID: The message limit must not be negative; null or 0 means no limit.",
				"input.matchLabelTo INVALID: The name of the attribute must not have control characters.",
				"input.contactAt INVALID: \"\" is not a date and time. Use RFC 3339, e.g. 2026-11-24T10:15:00+01:00, or a date alone, e.g. 2026-11-24.",
			},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := (&Delivery{}).Apply(&test.changes, time.UTC)
			if diff := cmp.Diff(test.want, problemLines(t, err)); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDeliveryLimit(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		limit *int
		want  int
	}{{nil, 0}, {new(0), 0}, {new(3), 3}} {
		if got := (&Delivery{MessageLimit: test.limit}).Limit(); got != test.want {
			t.Errorf("got %d, want %d", got, test.want)
		}
	}
}

func TestDeliveryContactTime(t *testing.T) {
	t.Parallel()
	now := instantOf(t, "2026-11-24T09:15:00Z")
	tests := map[string]struct{ contactAt, want *time.Time }{
		"none":   {contactAt: nil, want: &now},
		"past":   {contactAt: new(now.Add(-time.Second)), want: &now},
		"now":    {contactAt: &now, want: &now},
		"future": {contactAt: new(now.Add(time.Hour)), want: new(now.Add(time.Hour))},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := (&Delivery{ContactAt: test.contactAt}).ContactTime(now); !got.Equal(
				*test.want,
			) {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}
