package resolvers_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"couponql/coupon"
)

// TestTills: two tills with one idempotency key do not hear of each other; a till takes back its
// own by the reference, and a late repeat of what was reversed redeems nothing and is not counted.
func TestTills(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.ask(t, `mutation {
		createCoupon(input: {label: "All", code: "ALL", type: ANONYMOUS, startsAt: "2026-11-01"}) {
			userErrors { message } }
	}`, nil, nil)
	s.become(t, coupon.RoleRedeemer)
	first := s.token
	_, second, err := s.store.CreateKey(t.Context(),
		&coupon.NewAPIKey{Label: "another till", Role: coupon.RoleRedeemer})
	if err != nil {
		t.Fatal(err)
	}
	const redeem = `mutation { redeemCode(input: {value: "ALL", reference: "A-7", idempotencyKey: "order 7"}) {
		redemption { id } userErrors { code } } }`
	const reverse = `mutation { reverseRedemption(input: {reference: "A-7"}) { redemption { id } userErrors { code field } } }`
	const repeat = `mutation { redeemCodes(input: {redemptions: [
		{value: "ALL", reference: "A-7", idempotencyKey: "order 7"}, {value: "ALL", idempotencyKey:
			"order 8"}
	]}) { redeemedCount results { redemption { id } userErrors { code field } } } }`
	const refused = `{"redemption":null,"userErrors":[{"code":"%s","field":["input"%s]}]}`
	for i, step := range []struct{ token, query, want string }{
		{first, redeem, `{"redeemCode":{"redemption":{"id":"redemption_1"},"userErrors":[]}}`},
		{second, redeem, `{"redeemCode":{"redemption":{"id":"redemption_2"},"userErrors":[]}}`},
		{first, redeem, `{"redeemCode":{"redemption":{"id":"redemption_1"},"userErrors":[]}}`},
		{
			first, reverse,
			`{"reverseRedemption":{"redemption":{"id":"redemption_1"},"userErrors":[]}}`,
		},
		{
			first, reverse,
			`{"reverseRedemption":{"redemption":{"id":"redemption_1"},"userErrors":[]}}`,
		},
		{
			first, repeat, `{"redeemCodes":{"redeemedCount":1,"results":[{"redemption":{"id":"redemption_1"},"userErrors":[{"code":` +
				`"REDEMPTION_REVERSED","field":["input","redemptions","0","idempotencyKey"]}]},{"redemption":{"id":"redemption_3"},"userErrors":[]}]}}`,
		},
		{second, redeem, `{"redeemCode":{"redemption":{"id":"redemption_2"},"userErrors":[]}}`},
		{
			first, `mutation { reverseRedemption(input: {reference: "B-1"}) { redemption { id } userErrors { code field } } }`,
			`{"reverseRedemption":` + fmt.Sprintf(refused, "NOT_FOUND", `,"reference"`) + `}`,
		},
		{
			first, `mutation { reverseRedemption(input: {}) { redemption { id } userErrors { code field } } }`,
			`{"reverseRedemption":` + fmt.Sprintf(refused, "INVALID", "") + `}`,
		},
		{
			first, `mutation { reverseRedemption(input: {id: "redemption_1", value: "ALL"}) { redemption { id } userErrors { code field } } }`,
			`{"reverseRedemption":` + fmt.Sprintf(refused, "INVALID", "") + `}`,
		},
	} {
		s.token = step.token
		_, text := s.answer(t, step.query, nil)
		var answer struct {
			Data json.RawMessage `json:"data"`
		}
		if err := json.Unmarshal([]byte(text), &answer); err != nil ||
			string(answer.Data) != step.want {
			t.Errorf("step %d: %s\nwant %s", i, text, step.want)
		}
	}
	s.checkPromises(t)
}
