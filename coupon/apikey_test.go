package coupon

import (
	"strings"
	"testing"
	"time"
)

func TestToken(t *testing.T) {
	t.Parallel()
	first, second := NewToken(17), NewToken(17)
	if first == second || len(first) < len("cpnql_17_")+26 {
		t.Errorf("two tokens are %s and %s", first, second)
	}
	if number, isToken := TokenNumber(first); number != 17 || !isToken {
		t.Errorf("%s is of key %d, %t", first, number, isToken)
	}
	for _, text := range []string{
		"", "cpnql", "cpnql_17", "cpnql_17_", "cpnql_x_SECRET", "other_17_SECRET", "_17_SECRET",
	} {
		if _, isToken := TokenNumber(text); isToken {
			t.Errorf("%q counts as a token", text)
		}
	}
	if digest := DigestOf(first); !digest.Matches(first) || digest.Matches(second) ||
		digest.Matches("") {
		t.Error("a digest matches another token, or not its own")
	}
}

func TestNewAPIKey(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	good := NewAPIKey{
		Label: " till 4 ", Role: RoleRedeemer, RequestsPerSecond: new(50),
		ExpiresAt: new(DateTime("2026-11-27")),
	}
	key, err := good.Key(now, false)
	if err != nil {
		t.Fatal(err)
	}
	// A date includes that day.
	end := time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC)
	if key.Label != "till 4" || !key.ExpiresAt.Equal(end) || !key.Works(now) ||
		!key.Works(end.Add(-1)) || key.Works(end) {
		t.Errorf("got %+v", key)
	}
	if key.RevokedAt = &now; key.Works(now) {
		t.Error("a revoked key works")
	}
	for field, bad := range map[string]NewAPIKey{
		"label":             {Label: "  ", Role: RoleAdmin},
		"requestsPerSecond": {Label: "a", Role: RoleAdmin, RequestsPerSecond: new(0)},
		"expiresAt":         {Label: "a", Role: RoleAdmin, ExpiresAt: new(DateTime("2026-11-26"))},
		"role":              {Label: "a", Role: RoleMarketer},
	} {
		_, err := bad.Key(now, field == "role")
		problems, _ := AsUserErrors(err)
		if len(problems) != 1 || problems[0].Code != ErrorInvalid ||
			strings.Join(problems[0].Field, ".") != "input."+field {
			t.Errorf("%s: got %v", field, err)
		}
	}
}

func TestIsMasked(t *testing.T) {
	t.Parallel()
	for _, role := range Roles() {
		if role.IsMasked() != (role == RoleAnalyst) {
			t.Errorf("%s: IsMasked is %t", role, role.IsMasked())
		}
		if role.IsStaff() != (role == RoleAdmin || role == RoleMarketer || role == RoleAnalyst) {
			t.Errorf("%s: IsStaff is %t", role, role.IsStaff())
		}
	}
	if MaskText("A") != Mask || MaskText("") != "" {
		t.Error("the mask tells more than whether there is something")
	}
}
