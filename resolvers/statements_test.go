package resolvers_test

import (
	"testing"

	"couponql/coupon"
)

// TestStatements counts the statements behind nested queries: a page of 2 and one of 100 run the
// same few, however deep they go, in nodes as well as in edges.
func TestStatements(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.stop() // jobs run statements, too
	for name, test := range map[string]struct {
		query string
		// large is the size of the large page.
		large int
		// want is the number of statements of the large page; a small one runs no more, and fewer
		// where it is full before.
		want int64
		// spared are statements that are not run when another part of the query has read the same
		// codes before.
		spared int64
	}{
		"coupons, which are kept in memory": {`query ($first: Int) { coupons(orderBy: CREATED_AT_ASC, first: $first) {
			totalCount nodes { id label status } } }`, 100, 0, 0},
		"codes with all they refer to": {`query ($first: Int) { coupon(id: "coupon_1") { codes(first: $first) { totalCount nodes {
			value coupon { label } delivery { label coupon { id } } recipient { email } import {
				fileName coupon { id } }
		} } } }`, 100, 5, 0},
		"edges of codes": {`query ($first: Int) { coupon(id: "coupon_1") { codes(first: $first) { totalCount edges { cursor node {
			value coupon { label } delivery { label } recipient { email } import { fileName }
		} } } } }`, 100, 5, 0},
		"codes with their history": {`query ($first: Int) { coupon(id: "coupon_1") { codes(first: $first) { nodes {
			events { kind delivery { label } } redemptions(first: 3) { totalCount nodes { reference
				coupon { id } code { value } } }
		} } } }`, 100, 6, 4},
		"deliveries, their messages, codes and recipients": {`query ($first: Int) { deliveries(first: $first) { totalCount nodes {
			label coupon { label } messages(first: $first) { totalCount nodes { status code { value
				recipient { email } }
				recipient { email codes(first: 3) { totalCount nodes { value } } } delivery { label
					} } }
		} } }`, 20, 12, 4},
		"deliveries with everything": {`query ($first: Int) { deliveries(first: $first) { edges { node {
			analysis { log { text } } exclusions(first: $first) { totalCount nodes { reason
				recipient { externalId } } } stats {
				sent redeemed } coupon { availability { available } stats { sent } }
		} } } }`, 20, 10, 0},
		"rendered messages": {`query ($first: Int) { delivery(id: "delivery_1") { messages(first: $first) {
			nodes { rendered { subject body } } } } }`, 100, 5, 0},
		"rendered messages of many deliveries": {`query ($first: Int) { deliveries(first: $first) { nodes {
			messages(first: $first) { nodes { rendered { body } } } } } }`, 20, 6, 0},
		"coupons and their codes": {`query ($first: Int) { coupons(orderBy: CREATED_AT_ASC, first: $first) { nodes {
			availability { available runsOutAt } stats { sent } codes(first: $first) { totalCount
				nodes { value delivery { label } }
			} } } }`, 20, 5, 0},
		"coupons and some codes": {`query ($first: Int) { coupons(orderBy: CREATED_AT_ASC, first: $first) { nodes {
			codes(first: $first, filter: {valuePrefix: "C", assignedFrom: "2026-11-01", redeemedTo:
				"2026-12-01"}) {
			totalCount nodes { value } } } } }`, 20, 2, 0},
		"coupons, deliveries and imports": {`query ($first: Int) { coupons(orderBy: CREATED_AT_ASC, first: $first) { nodes {
			deliveries(first: $first) { totalCount nodes { label stats { sent } } }
				imports(first: $first) { totalCount nodes {
			fileName } } } } }`, 20, 7, 0},
		"imports and their rejections": {`query ($first: Int) { imports(first: $first) { totalCount nodes {
			fileName coupon { label } sameFileAs { id } rejectionsByReason { reason count }
				rejections(first: $first) {
			totalCount nodes { line reason } } } } }`, 20, 8, 0},
		"recipients and their codes": {`query ($first: Int) { recipients(first: $first) { totalCount nodes {
			email codes(first: $first) { totalCount nodes { value delivery { label } coupon { label
				} } } } } }`, 20, 7, 0},
		"redemptions": {
			`query ($first: Int) { redemptions(first: $first) { totalCount nodes {
			reference coupon { label } code { value delivery { label } recipient { email } } } } }`,
			100, 7, 0,
		},
		"statistics by delivery": {`query ($first: Int) {
			redemptionStats(groupBy: [DELIVERY, COUPON], limit: $first) { delivery { label } coupon
				{ label } stats {
			sent redeemed } } }`, 100, 3, 0},
		"statistics of a period": {`query ($first: Int) { coupons(orderBy: CREATED_AT_ASC, first: $first) { nodes {
			stats(from: "2026-11-01", to: "2026-11-30") { assigned sent redeemed byCurrency {
				currency amount } timeToRedeem { p50 } }
			deliveries(first: $first) { nodes { stats(from: "2026-11-01") { sent redeemed } } } } }
				}`, 20, 9, 0},
		"forecasts": {`query ($first: Int) { coupons(orderBy: CREATED_AT_ASC, first: $first) { nodes {
			availability { runsOutAt forecast { perDay planned { codes delivery { label } } } } } }
				}`, 20, 2, 0},
		"alerts": {`query ($first: Int) { alerts(first: $first) { totalCount nodes {
			kind text coupon { label availability { available } } delivery { label } import {
				fileName } } } }`, 100, 5, 0},
		"what memory knows of codes": {
			`query ($first: Int) { coupon(id: "coupon_1") { codes(first: $first) { nodes {
			id label batch { id } channel assignedAt coupon { label } delivery { id } } } } }`, 100,
			3, 0,
		},
		"the same twice": {`query ($first: Int) { one: coupon(id: "coupon_1") { codes(first: $first) { nodes {
			recipient { email } } } } two: coupon(id: "coupon_1") { codes(first: $first) { nodes {
				recipient { email } } } } }`, 100, 3, 0},
	} {
		for _, first := range []int{2, test.large} {
			s.forget(t)
			before := s.store.Statements()
			s.ask(t, test.query, map[string]any{"first": first}, nil)
			if got := s.store.Statements() - before; got > test.want ||
				first == test.large && got < test.want-test.spared {
				t.Errorf("%s: a page of %d runs %d statements, not %d", name, first, got, test.want)
			}
		}
	}
}

// TestStatementsOfATill counts the statements behind what a till asks with a redemption: none,
// since the server was told the code and has just recorded what happened to it.
func TestStatementsOfATill(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.stop()
	var values []any
	for _, message := range at[[]any](t,
		s.ask(t,
			`{ delivery(id: "delivery_1") { messages(first: 4) { nodes { code { value } } } } }`,
			nil, nil), "delivery", "messages", "nodes") {
		values = append(values, at[string](t, message, "code", "value"))
	}
	// The shop has redeemed every fourth code.
	for name, test := range map[string]struct {
		query string
		value any
		want  int64
	}{
		"redeemed": {`mutation ($value: String!) { redeemCode(input: {value: $value}) {
			redemption { code { value status label redeemedAt coupon { label } } } userErrors {
				message } } }`, values[1], 0},
		"redeemed, and looked at before": {`mutation ($value: String!) { redeemCode(input: {value: $value}) {
			redemption { code { value status label redeemedAt coupon { label } } } userErrors {
				message } } }`, values[3], 0},
		"valid": {`query ($value: String!) { validateCode(value: $value) {
			isRedeemable code { value status label coupon { label } } } }`, values[2], 0},
		"held": {`query ($value: String!) { code(value: $value) {
			id value status label channel assignedAt coupon { label endsAt } } }`, values[2], 0},
		"spent": {`query ($value: String!) { code(value: $value) { value status } }`, values[0], 1},
	} {
		s.forget(t)
		if name == "redeemed, and looked at before" {
			s.ask(t, `query ($value: String!) { code(value: $value) { address } }`,
				map[string]any{"value": test.value}, nil)
		}
		before := s.store.Statements()
		answer := s.ask(t, test.query, map[string]any{"value": test.value}, nil)
		if got := s.store.Statements() - before; got != test.want {
			t.Errorf("%s: %d statements, not %d: %v", name, got, test.want, answer)
		}
	}
}

// forget has the store forget what was read lately: it does so when a recipient changes, and when a
// delivery does.
func (s *server) forget(t *testing.T) {
	t.Helper()
	_, err := s.store.UpsertRecipients(t.Context(),
		[]*coupon.RecipientChanges{{ExternalID: "nobody"}})
	if err != nil {
		t.Fatal(err)
	}
	d, err := s.store.CreateDelivery(t.Context(), &coupon.DeliveryChanges{
		Label: coupon.Set(new("Nobody's")), Channel: coupon.Set(new(coupon.ChannelSMS)),
	})
	if err == nil {
		err = s.store.DeleteDelivery(t.Context(), d.ID)
	}
	if err != nil {
		t.Fatal(err)
	}
}
