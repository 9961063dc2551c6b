package coupon

import (
	"fmt"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func allKinds() []Kind {
	return []Kind{
		KindCoupon, KindCode, KindRecipient, KindDelivery, KindMessage, KindRedemption,
		KindImport, KindExport,
	}
}

func TestIDRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom(allKinds()).Draw(t, "kind")
		number := rapid.Int64Range(1, math.MaxInt64).Draw(t, "number")
		id := NewID(kind, number)
		if got, err := id.Number(kind); err != nil || got != number {
			t.Fatalf("got %d and the error %v for %s, want %d", got, err, id, number)
		}
		if got := id.Kind(); got != kind {
			t.Fatalf("got the kind %s for %s, want %s", got, id, kind)
		}
		for _, other := range allKinds() {
			if got, err := id.Number(other); other != kind && err == nil {
				t.Fatalf("got %d for %s as a %s, want NOT_FOUND", got, id, other)
			}
		}
	})
}

func TestIDText(t *testing.T) {
	t.Parallel()
	if got, want := NewID(KindCoupon, 17), ID("coupon_17"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := NewID(KindExport, 3).FileName(), "export_3"; got != want {
		t.Errorf("got the file name %q, want %q", got, want)
	}
	if got := NewIDPtr(KindCode, nil); got != nil {
		t.Errorf("got %q for no number, want none", *got)
	}
	if diff := cmp.Diff(new(ID("code_5")), NewIDPtr(KindCode, new(int64(5)))); diff != "" {
		t.Errorf("id (-want +got):\n%s", diff)
	}
}

func TestMalformedID(t *testing.T) {
	t.Parallel()
	for _, id := range []ID{
		"", "coupon", "coupon_", "_17", "17", "coupon_0", "coupon_-1", "coupon_+1", "coupon_017",
		"coupon_1.0", "coupon_1e3",
		"coupon_0x1", "coupon_1_0",
		" coupon_1", "coupon_1 ", "Coupon_1", "coupon-1", "coupon__1", "coupon_٣",
		"coupon_9223372036854775808", "coupon_1\x00",
		"code_1", "../coupon_1",
	} {
		got, err := id.Number(KindCoupon)
		want := []string{fmt.Sprintf(" NOT_FOUND: There is no coupon with the id %q.", id)}
		if diff := cmp.Diff(want, problemLines(t, err)); diff != "" || got != 0 {
			t.Errorf("got %d and the problems (-want +got):\n%s", got, diff)
		}
	}
}

func FuzzIDNumber(f *testing.F) {
	for _, id := range []string{
		"coupon_17", "coupon_017", "coupon_+1", "coupon_", "code_1",
		"coupon_9223372036854775808", "_", "",
	} {
		f.Add(id)
	}
	f.Fuzz(func(t *testing.T, text string) {
		id := ID(text)
		number, err := id.Number(KindCoupon)
		switch {
		case err == nil &&
			(number < 1 || NewID(KindCoupon, number) != id || id.Kind() != KindCoupon):
			t.Errorf("got %d for %q", number, id)
		case err != nil && number != 0:
			t.Errorf("got %d with the error %v", number, err)
		}
	})
}
