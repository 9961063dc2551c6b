package e2e

import (
	"fmt"
	"strings"
	"testing"
)

// TestAuditSurvivesAKill: what a mutation was told is done has its entry in the audit log though
// the server is killed right after the answer: each alias, each list, and what had nothing to
// change. What was refused is not told as done.
func TestAuditSurvivesAKill(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := start(t, dir)
	p.must(
		t,
		`mutation { createCoupon(input: {label: "a", type: ANONYMOUS, code: "ALL", startsAt: "2020-01-01", redemptionLimit: null}) { coupon { id } } }`,
		new(any),
	)
	const aliases = 500
	many := func(field func(i int) string) string {
		var fields strings.Builder
		for i := range aliases {
			fmt.Fprintf(&fields, "a%d: %s ", i, field(i))
		}
		return "mutation { " + fields.String() + "}"
	}
	redeem := func(value string) string {
		return fmt.Sprintf(`redeemCode(input: {value: %q}) { redemption { id } }`, value)
	}
	for _, test := range []struct {
		name, query string
		// redeemed and done are how many redemptions and entries there are more.
		redeemed, done int
	}{
		{"aliases", many(func(int) string { return redeem("ALL") }), aliases, aliases},
		{
			"every other is refused",
			many(func(i int) string { return redeem([]string{"NONE", "ALL"}[i%2]) }),
			aliases / 2, aliases / 2,
		},
		{"aliases of two kinds", many(func(i int) string {
			return []string{
				redeem("ALL"),
				`updateCoupon(input: {id: "coupon_1", label: "b"}) { coupon { id } }`,
			}[i%2]
		}), aliases / 2, aliases},
		{"lists", `mutation { a: redeemCodes(input: {redemptions: [{value: "ALL"}, {value: "NONE"}, {value: "ALL"}]}) { redeemedCount }
			b: redeemCodes(input: {redemptions: [{value: "ALL"}]}) { redeemedCount } }`, 3, 2},
		{"one with a key", `mutation { redeemCode(input: {value: "ALL", idempotencyKey: "k"}) { redemption { id } } }`, 1, 1},
		{"the same again", `mutation { redeemCode(input: {value: "ALL", idempotencyKey: "k"}) { redemption { id } } }`, 0, 1},
		{
			"again in a list",
			`mutation { redeemCodes(input: {redemptions: [{value: "ALL", idempotencyKey: "k"}]}) { redeemedCount } }`, 0, 1,
		},
		{"again beside a new one", `mutation { a: redeemCode(input: {value: "ALL", idempotencyKey: "k"}) { redemption { id } } b: ` +
			redeem("ALL") + ` }`, 1, 2},
		{"nothing to change", `mutation { reverseRedemption(input: {id: "redemption_1"}) { redemption { id } } ` +
			`again: reverseRedemption(input: {id: "redemption_1"}) { redemption { id } } }`, 0, 2},
		{
			"nothing to change again",
			`mutation { reverseRedemption(input: {id: "redemption_1"}) { redemption { id } } }`, 0,
			1,
		},
	} {
		redeemed, done := countDone(t, p)
		p.must(t, test.query, new(any))
		p.kill(t)
		p = start(t, dir)
		redeemedAfter, doneAfter := countDone(t, p)
		if redeemedAfter-redeemed != test.redeemed || doneAfter-done != test.done {
			t.Errorf("%s: %d more redemptions and %d more entries, want %d and %d", test.name,
				redeemedAfter-redeemed, doneAfter-done, test.redeemed, test.done)
		}
	}
}

// countDone counts the redemptions, and the entries of mutations that are done.
func countDone(t *testing.T, p *process) (redeemed, done int) {
	t.Helper()
	var counted struct {
		Redemptions, AuditLog struct{ TotalCount int }
	}
	p.must(t, `{ redemptions(first: 0) { totalCount } auditLog(first: 0, filter: {kind: MUTATION, outcome: DONE}) { totalCount } }`, &counted)
	return counted.Redemptions.TotalCount, counted.AuditLog.TotalCount
}
