package coupon

import (
	"strings"
	"testing"
)

// TestClaimRequestCheck tells what of a claim is wrong whatever the coupon is, and that texts are
// cleaned.
func TestClaimRequestCheck(t *testing.T) {
	t.Parallel()
	good := func() *ClaimRequest {
		return &ClaimRequest{
			CouponID: new(ID("coupon_1")), Recipient: &RecipientChanges{ExternalID: " ada "},
			Label: new(" golf "), IdempotencyKey: new(" 1 "),
		}
	}
	r := good()
	if err := r.Check(); err != nil || r.Recipient.ExternalID != "ada" || *r.Label != "golf" ||
		*r.IdempotencyKey != "1" {
		t.Errorf("got %+v, %v", r, err)
	}
	for field, spoil := range map[string]func(*ClaimRequest){
		"input":                      func(r *ClaimRequest) { r.CouponID = nil },
		"input.recipient.externalId": func(r *ClaimRequest) { r.Recipient.ExternalID = "" },
		"input.label":                func(r *ClaimRequest) { r.Label = new("a\nb") },
		"input.idempotencyKey":       func(r *ClaimRequest) { r.IdempotencyKey = new(" ") },
	} {
		r := good()
		spoil(r)
		problems, _ := AsUserErrors(r.Check())
		if len(problems) != 1 || problems[0].Code != ErrorInvalid ||
			strings.Join(problems[0].Field, ".") != field {
			t.Errorf("%s: got %v", field, problems)
		}
	}
}

// TestCheckClaim tells when codes of a coupon may be claimed.
func TestCheckClaim(t *testing.T) {
	t.Parallel()
	starts, ends := instantOf(t, "2026-11-01T00:00:00Z"), instantOf(t, "2026-12-01T00:00:00Z")
	for at, want := range map[string]ErrorCode{
		"2026-10-31T23:59:59.999999Z": ErrorCodeNotYetValid,
		"2026-11-01T00:00:00Z":        "",
		"2026-11-30T23:59:59.999999Z": "",
		"2026-12-01T00:00:00Z":        ErrorCodeExpired,
	} {
		c := &Coupon{Type: TypeIndividual, StartsAt: starts, EndsAt: &ends}
		got := ErrorCode("")
		if refusal := c.CheckClaim(instantOf(t, at)); refusal != nil {
			got = refusal.Code
		}
		if got != want {
			t.Errorf("at %s: got %q, want %q", at, got, want)
		}
		for _, other := range []*Coupon{
			{Type: TypeAnonymous, StartsAt: starts},
			{Type: TypeIndividual, StartsAt: starts, ArchivedAt: &starts},
		} {
			if refusal := other.CheckClaim(instantOf(t, at)); refusal == nil ||
				refusal.Code != ErrorInvalidState {
				t.Errorf("%+v at %s: got %v", other, at, refusal)
			}
		}
	}
}
