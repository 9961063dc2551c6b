package coupon

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMessageDataComplete(t *testing.T) {
	t.Parallel()
	delivery := &Delivery{Label: "Spring"}
	starts, ends := instantOf(t, "2026-03-28T23:00:00Z"), instantOf(t, "2026-03-29T22:00:00Z")
	tests := map[string]struct {
		coupon *Coupon
		want   *CouponData
	}{
		"no coupon": {},
		"endless": {
			coupon: &Coupon{Code: "CPN1", Label: "Ski", StartsAt: starts, Timezone: "UTC"},
			want:   &CouponData{Code: "CPN1", Label: "Ski", StartsAt: "2026-03-28T23:00:00Z"},
		},
		"in its zone": {
			coupon: &Coupon{
				Code: "CPN1", Label: "Ski", StartsAt: starts, EndsAt: &ends,
				Timezone: "Europe/Berlin",
			},
			want: &CouponData{
				Code: "CPN1", Label: "Ski", StartsAt: "2026-03-29T00:00:00+01:00",
				EndsAt: "2026-03-29T23:59:59+02:00",
			},
		},
		"with an end in the middle of a day": {
			coupon: &Coupon{
				Code: "CPN1", Label: "Ski", StartsAt: starts, EndsAt: &ends,
				Timezone: "America/New_York",
			},
			want: &CouponData{
				Code: "CPN1", Label: "Ski", StartsAt: "2026-03-28T19:00:00-04:00",
				EndsAt: "2026-03-29T18:00:00-04:00",
			},
		},
		"in a zone that is no more": {
			coupon: &Coupon{
				Code: "CPN1", Label: "Ski", StartsAt: starts, EndsAt: &ends,
				Timezone: "Mars/Olympus",
			},
			want: &CouponData{
				Code: "CPN1", Label: "Ski", StartsAt: "2026-03-28T23:00:00Z",
				EndsAt: "2026-03-29T22:00:00Z",
			},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := MessageData{
				Recipient: RecipientData{ExternalID: "R1"}, CouponValue: &CodeData{Code: "Trynow"},
			}
			got.Complete(delivery, test.coupon)
			want := MessageData{
				Recipient: RecipientData{ExternalID: "R1"}, CouponValue: &CodeData{Code: "Trynow"},
				Coupon: test.want, Delivery: DeliveryData{Label: "Spring"},
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("data (-want +got):\n%s", diff)
			}
		})
	}
}
