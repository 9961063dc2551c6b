package resolvers_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// ask sends a request and gives the data of its answer. Files are uploaded for variables such as "@name".
// An error of the answer, or a userError anywhere in it, fails the test.
func (s *server) ask(t *testing.T, query string, variables map[string]any, files map[string]string) map[string]any {
	t.Helper()
	data := s.try(t, query, variables, files)
	if hasUserErrors(data) {
		t.Fatalf("%s\n%v", query, data)
	}
	return data
}

// try is ask for a request that may be refused: userErrors are part of the data.
func (s *server) try(t *testing.T, query string, variables map[string]any, files map[string]string) map[string]any {
	t.Helper()
	body, contentType := request(t, query, variables, func(name string) []byte { return []byte(files[name]) })
	var answer struct {
		Data   map[string]any `json:"data"`
		Errors []any          `json:"errors"`
	}
	text := s.post(t, body, contentType)
	if err := json.Unmarshal(text, &answer); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	if len(answer.Errors) > 0 {
		t.Fatalf("%s\n%s", query, text)
	}
	return answer.Data
}

func hasUserErrors(value any) bool {
	switch v := value.(type) {
	case map[string]any:
		for name, one := range v {
			if problems, isList := one.([]any); name == "userErrors" && isList && len(problems) > 0 || hasUserErrors(one) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(v, hasUserErrors)
	}
	return false
}

// at returns what lies at a path of names in an answer.
func at[T any](t *testing.T, value any, path ...string) T {
	t.Helper()
	for _, name := range path {
		object, ok := value.(map[string]any)
		if !ok {
			t.Fatalf("%v has no %s", value, name)
		}
		value = object[name]
	}
	got, ok := value.(T)
	if !ok {
		t.Fatalf("%s is %v (%T)", strings.Join(path, "."), value, value)
	}
	return got
}

// The size of a shop.
const (
	shopCoupons    = 12
	shopDeliveries = 12
	shopTargets    = 10
)

// newShop returns a server with 12 coupons, 12 deliveries that were sent to 10 of 120 recipients each, and an
// import with 3 rejected rows behind the codes of each delivery. The first coupon has three times as many
// imports and deliveries as the others have together: nine each. Every fourth code is redeemed.
func newShop(t *testing.T) *server {
	t.Helper()
	s := newServer(t)
	var recipients strings.Builder
	recipients.WriteString("customer id,e-mail,sport\n")
	for i := range shopDeliveries * shopTargets {
		fmt.Fprintf(&recipients, "r-%03d,r%d@example.com,%s\n", i, i, []string{"tennis", "golf"}[i%2])
	}
	// Nobody can be sent an e-mail without an address: these are left out of every delivery.
	recipients.WriteString("x-1,,golf\nx-2,nowhere,golf\nx-3,,golf\n")
	s.ask(t, `mutation ($file: Upload!) { importRecipients(input: {file: $file}) { userErrors { message } }
		}`, map[string]any{"file": "@recipients.csv"}, map[string]string{"recipients.csv": recipients.String()})
	for i := 1; i <= shopCoupons; i++ {
		s.ask(t, `mutation ($input: CreateCouponInput!) { createCoupon(input: $input) { userErrors { message } }
			}`, map[string]any{"input": shopCoupon(i)}, nil)
	}
	s.drain(t)
	for i := 1; i <= shopDeliveries; i++ {
		s.deliver(t, i, max(1, i-8))
	}
	return s
}

// shopCoupon returns the i-th coupon: labels repeat but for their case, and every third has no end.
func shopCoupon(i int) map[string]any {
	label := []string{"autumn", "Winter", "AUTUMN", "spring"}[i%4]
	input := map[string]any{"label": label, "type": "INDIVIDUAL", "startsAt": "2026-11-01", "lowStockThreshold": i}
	if i%3 > 0 {
		input["endsAt"] = fmt.Sprintf("2026-12-%02d", 31-i/2)
	}
	if i%5 == 0 {
		input["type"] = "ANONYMOUS"
	}
	return input
}

// deliver makes the i-th delivery: it imports the codes of a coupon, sends them, and redeems every fourth.
func (s *server) deliver(t *testing.T, i, couponNumber int) {
	t.Helper()
	if couponNumber%5 == 0 {
		t.Fatalf("coupon_%d has no pool", couponNumber)
	}
	var codes strings.Builder
	codes.WriteString("code,label\n")
	for j := range shopTargets + 2 {
		fmt.Fprintf(&codes, "C%02d-%02d,%s\n", i, j, []string{"tennis", "", "golf"}[j%3])
	}
	fmt.Fprintf(&codes, ",tennis\nC%02d-00,golf\nC%02d-01,golf\n", i, i)
	s.ask(t, `mutation ($coupon: ID!, $file: Upload!) { importCodes(input: {couponId: $coupon, file: $file}) { userErrors { message } } }`,
		map[string]any{"coupon": fmt.Sprintf("coupon_%d", couponNumber), "file": "@codes.csv"},
		map[string]string{"codes.csv": codes.String()})
	s.drain(t)
	var targets []string
	for j := range shopTargets {
		targets = append(targets, fmt.Sprintf("r-%03d", (i-1)*shopTargets+j))
	}
	s.ask(t, `mutation ($input: CreateDeliveryInput!) { createDelivery(input: $input) { userErrors { message } }
		}`, map[string]any{"input": map[string]any{
		"label": fmt.Sprintf("Delivery %d", i), "couponId": fmt.Sprintf("coupon_%d", couponNumber),
		"subject": "Hello", "body": "{{ couponValue.code }}",
	}}, nil)
	s.ask(t, `mutation ($id: ID!, $targets: [String!]) {
		addTargets(input: {deliveryId: $id, filter: {externalIds: $targets}}) { userErrors { message } }
		others: addTargets(input: {deliveryId: $id, filter: {search: "x-"}}) { userErrors { message } }
		analyzeDelivery(input: {id: $id}) { userErrors { message } }
		confirmDelivery(input: {id: $id}) { userErrors { message } }
	}`, map[string]any{"id": fmt.Sprintf("delivery_%d", i), "targets": targets}, nil)
	s.drain(t)
	data := s.ask(t, `query ($id: ID!) { delivery(id: $id) { status messages { nodes { code { value } } } }
		}`, map[string]any{"id": fmt.Sprintf("delivery_%d", i)}, nil)
	if got := at[string](t, data, "delivery", "status"); got != "FINISHED" {
		t.Fatalf("delivery_%d is %s", i, got)
	}
	for j, message := range at[[]any](t, data, "delivery", "messages", "nodes") {
		if j%4 == 0 {
			s.ask(t, `mutation ($value: String!, $reference: String) {
				redeemCode(input: {value: $value, reference: $reference, amount: "9.90", currency: "EUR"}) { userErrors { message } } }`,
				map[string]any{"value": at[string](t, message, "code", "value"), "reference": fmt.Sprintf("R-%d-%d", i, j)}, nil)
		}
	}
}
