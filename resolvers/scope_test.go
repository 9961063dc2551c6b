package resolvers

import (
	"context"
	"errors"
	"testing"

	"couponql/coupon"
)

// TestLoadFailsOnce tells that the store is asked once for all objects of an answer, also when it gives an error.
func TestLoadFailsOnce(t *testing.T) {
	t.Parallel()
	errGone := errors.New("the caller has gone")
	for name, want := range map[string]error{"gives": nil, "fails": errGone} {
		ctx := withScope(t.Context())
		codes := []*coupon.Code{{ID: "code_1"}, {ID: "code_2"}, {ID: "code_3"}}
		show(ctx, codes...)
		times := 0
		for _, code := range codes {
			got, err := load(ctx, "field", code.ID, func(_ context.Context, ids []coupon.ID) (map[coupon.ID]coupon.ID, error) {
				times++
				found := map[coupon.ID]coupon.ID{}
				for _, id := range ids {
					found[id] = id
				}
				return found, want
			})
			if !errors.Is(err, want) || want == nil && got != code.ID {
				t.Errorf("%s: %s is %q, %v", name, code.ID, got, err)
			}
		}
		if times != 1 {
			t.Errorf("%s: the store was asked %d times", name, times)
		}
	}
}
