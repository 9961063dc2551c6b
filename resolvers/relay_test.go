package resolvers_test

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

// connection is one of the API's lists, as a query up to its arguments.
type connection struct {
	// before and after enclose field, which takes the arguments of a page.
	before, field, after string
	// path leads to the connection in the answer.
	path []string
	// key is what tells the nodes apart.
	key string
}

// connections are all lists of the API.
func connections() map[string]connection {
	of := func(parent, field, key string) connection {
		name, _, _ := strings.Cut(parent, "(")
		field, arguments, _ := strings.Cut(field, "(")
		return connection{
			before: parent + " {", field: field + "(" + arguments, after: "}",
			path: []string{name, field}, key: key,
		}
	}
	root := func(field string) connection {
		name, _, _ := strings.Cut(field, "(")
		return connection{field: field, path: []string{name}, key: "id"}
	}
	return map[string]connection{
		"coupons":               root("coupons("),
		"coupons, oldest first": root("coupons(orderBy: CREATED_AT_ASC, "),
		"coupons by label":      root("coupons(orderBy: LABEL_ASC, "),
		"coupons by end":        root("coupons(orderBy: ENDS_AT_ASC, "),
		"coupons by start":      root("coupons(orderBy: STARTS_AT_ASC, "),
		"coupons by code":       root("coupons(orderBy: CODE_ASC, "),
		"coupons by type":       root("coupons(orderBy: TYPE_ASC, "),
		"coupons that run low":  root("coupons(filter: {isLow: true}, "),
		"codes":                 of(`coupon(id: "coupon_1")`, "codes(", "id"),
		"codes by status": of(`coupon(id: "coupon_1")`,
			"codes(filter: {status: [ASSIGNED]}, ", "id"),
		"codes by prefix": of(`coupon(id: "coupon_1")`,
			`codes(filter: {valuePrefix: "c0"}, `, "id"),
		"codes by delivery": of(`coupon(id: "coupon_1")`,
			`codes(filter: {deliveryId: "delivery_3"}, `, "id"),
		"coupon's deliveries":  of(`coupon(id: "coupon_1")`, "deliveries(", "id"),
		"coupon's imports":     of(`coupon(id: "coupon_1")`, "imports(", "id"),
		"deliveries":           root("deliveries("),
		"deliveries by text":   root(`deliveries(filter: {search: "e", channel: EMAIL}, `),
		"deliveries by coupon": root(`deliveries(couponId: "coupon_1", `),
		"exclusions": of(`delivery(id: "delivery_2")`, "exclusions(",
			"recipient { id }"),
		"exclusions by reason": of(`delivery(id: "delivery_2")`,
			"exclusions(reason: [NO_ADDRESS], ", "recipient { id }"),
		"messages": of(`delivery(id: "delivery_2")`, "messages(", "id"),
		"messages by status": of(`delivery(id: "delivery_2")`,
			"messages(status: [SENT, FAILED], ", "id"),
		"recipients": root("recipients("),
		"recipients by sport": root(
			`recipients(filter: {attributes: [{name: "sport", in: ["golf"]}], search: "R-"}, `,
		),
		"recipient's messages": of(`recipient(externalId: "r-000")`, "messages(", "id"),
		"recipient's codes":    of(`recipient(externalId: "r-000")`, "codes(", "id"),
		"redemptions":          root("redemptions("),
		"redemptions by coupon": root(
			`redemptions(filter: {couponIds: ["coupon_1"], channels: [EMAIL]}, `,
		),
		"code's redemptions": of(`code(value: "T-1")`, "redemptions(", "id"),
		"imports":            root("imports("),
		"imports by kind":    root("imports(kind: CODES, status: [SUCCEEDED], "),
		"rejections":         of(`import(id: "import_2")`, "rejections(", "line"),
	}
}

// page is one answer of a connection.
type page struct {
	nodes, edges, cursors []string
	hasNext, hasPrevious  bool
	start, end            any
	total                 int
}

func (c connection) read(t *testing.T, s *server, first int, after any) page {
	t.Helper()
	data := s.ask(t, fmt.Sprintf(`query ($first: Int, $after: String) { %s %sfirst: $first, after: $after) {
		totalCount nodes { %s } edges { cursor node { %s } } pageInfo { hasNextPage hasPreviousPage
			startCursor endCursor }
	} %s }`, c.before, c.field, c.key, c.key, c.after), map[string]any{
		"first": first, "after": after,
	}, nil)
	list := at[map[string]any](t, data, c.path...)
	info := at[map[string]any](t, list, "pageInfo")
	p := page{
		hasNext:     at[bool](t, info, "hasNextPage"),
		hasPrevious: at[bool](t, info, "hasPreviousPage"),
		start:       info["startCursor"], end: info["endCursor"],
		total: int(at[float64](t, list, "totalCount")),
	}
	for _, node := range at[[]any](t, list, "nodes") {
		p.nodes = append(p.nodes, fmt.Sprint(node))
	}
	for _, edge := range at[[]any](t, list, "edges") {
		p.edges = append(p.edges, fmt.Sprint(at[any](t, edge, "node")))
		p.cursors = append(p.cursors, at[string](t, edge, "cursor"))
	}
	return p
}

// TestConnections pages through every list with pages of several sizes: each gives every item
// exactly once, in the same order, and tells truly whether there is more.
func TestConnections(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	// One code that was used often enough to page through.
	s.ask(t, `mutation {
		createCoupon(input: {label: "Often", type: INDIVIDUAL, startsAt: "2026-11-01",
			requiresAssignment: false, redemptionLimit:
			5}) { userErrors { message } }
		addCodes(input: {couponId: "coupon_13", codes: [{value: "T-1"}]}) { userErrors { message } }
		a: redeemCode(input: {value: "T-1"}) { userErrors { message } }
		b: redeemCode(input: {value: "T-1"}) { userErrors { message } }
		c: redeemCode(input: {value: "T-1"}) { userErrors { message } }
	}`, nil, nil)
	for name, c := range connections() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all := c.read(t, s, 500, nil)
			if len(all.nodes) == 0 || all.hasNext || all.hasPrevious ||
				all.total != len(all.nodes) {
				t.Fatalf(
					"the whole list has %d nodes, totalCount %d, hasNextPage %t, hasPreviousPage %t",
					len(all.nodes),
					all.total,
					all.hasNext,
					all.hasPrevious,
				)
			}
			if distinct := slices.Compact(slices.Sorted(slices.Values(all.nodes))); len(distinct) !=
				len(all.nodes) {
				t.Fatalf("a node is there twice: %v", all.nodes)
			}
			for _, first := range []int{1, 2, 3, 7, len(all.nodes), len(all.nodes) + 1} {
				c.walk(t, s, first, all)
			}
			none := c.read(t, s, 0, nil)
			if len(none.nodes)+len(none.edges) > 0 || none.total != all.total || !none.hasNext ||
				none.start != nil || none.end != nil {
				t.Errorf("first: 0 gives %+v", none)
			}
			beyond := c.read(t, s, 3, all.cursors[len(all.cursors)-1])
			if len(beyond.nodes) > 0 || beyond.hasNext || !beyond.hasPrevious ||
				beyond.total != all.total {
				t.Errorf("after the last: %+v", beyond)
			}
		})
	}
}

// walk pages through a list and compares what it gets with the whole list.
func (c connection) walk(t *testing.T, s *server, first int, all page) {
	t.Helper()
	var got []string
	var after any
	for {
		p := c.read(t, s, first, after)
		got = append(got, p.nodes...)
		if diff := gocmp.Diff(p.nodes, p.edges); diff != "" {
			t.Fatalf("first: %d: nodes and edges differ: %s", first, diff)
		}
		wantNext := len(got) < len(all.nodes)
		if p.hasNext != wantNext || p.hasPrevious != (after != nil) || p.total != all.total ||
			len(p.nodes) > first || len(p.nodes) == 0 {
			t.Fatalf(
				"first: %d, %d read before: %d nodes, totalCount %d, hasNextPage %t, hasPreviousPage %t",
				first,
				len(got)-len(p.nodes),
				len(p.nodes),
				p.total,
				p.hasNext,
				p.hasPrevious,
			)
		}
		if p.start != p.cursors[0] || p.end != p.cursors[len(p.cursors)-1] {
			t.Fatalf("first: %d: the page begins at %v and ends at %v, not %v", first, p.start,
				p.end, p.cursors)
		}
		if !wantNext {
			break
		}
		after = p.end
	}
	if diff := gocmp.Diff(all.nodes, got); diff != "" {
		t.Errorf("first: %d (-whole list +pages):\n%s", first, diff)
	}
}

// TestNestedConnections asks for lists of many parents in one request; each must be what its parent
// gives alone. It also fetches an object of each type by its id.
func TestNestedConnections(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	for name, id := range map[string]string{
		"Coupon": "coupon_1", "Code": "code_1", "Recipient": "recipient_1",
		"Delivery": "delivery_1",
		"Message":  "message_1", "Redemption": "redemption_1", "Import": "import_1",
	} {
		data := s.ask(t, `query ($id: ID!) { node(id: $id) { __typename id } }`,
			map[string]any{"id": id}, nil)
		want := map[string]any{"__typename": name, "id": id}
		if diff := gocmp.Diff(want, data["node"]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", id, diff)
		}
		data = s.ask(t, `query ($id: ID!) { node(id: $id) { id } }`,
			map[string]any{"id": id + "000000"}, nil)
		if data["node"] != nil {
			t.Errorf("%s000000 is %v", id, data["node"])
		}
	}
	for name, test := range map[string]struct{ parents, parent, nested string }{
		"codes": {
			"coupons(first: 500)", "coupon(id: $id)",
			"codes(first: 3) { totalCount nodes { id } pageInfo { hasNextPage endCursor } }",
		},
		"some codes": {"coupons(first: 500)", "coupon(id: $id)", `codes(first: 3, filter: {valuePrefix: "C1", redeemedFrom:
			"2026-11-01"}) { totalCount nodes { id } pageInfo { hasNextPage } }`},
		"deliveries": {
			"coupons(first: 500)", "coupon(id: $id)", "deliveries(first: 2) { totalCount edges { node { id } } pageInfo { hasNextPage } }",
		},
		"imports": {
			"coupons(first: 500)", "coupon(id: $id)",
			"imports(first: 2) { totalCount nodes { id } pageInfo { hasNextPage } }",
		},
		"availability": {"coupons(first: 500)", "coupon(id: $id)", "availability { total available assigned redeemed byLabel { label total } } stats { assigned sent redeemed amount }"},
		"messages":     {"deliveries(first: 500)", "delivery(id: $id)", "messages(first: 4) { totalCount nodes { id code { value redemptions { totalCount } } } pageInfo { hasNextPage } }"},
		"exclusions":   {"deliveries(first: 500)", "delivery(id: $id)", "exclusions(first: 2) { totalCount nodes { reason recipient { externalId } } pageInfo { hasNextPage } } stats { sent redeemed }"},
		"rejections":   {"imports(first: 500)", "import(id: $id)", "rejections(first: 2) { totalCount nodes { line reason } pageInfo { hasNextPage } } rejectionsByReason { reason count }"},
		"their codes": {
			"recipients(first: 500)", "node(id: $id) { ... on Recipient", "codes(first: 2) { totalCount nodes { id events { kind } } pageInfo { hasNextPage } }",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			field, _, _ := strings.Cut(test.parents, "(")
			data := s.ask(t,
				fmt.Sprintf("{ %s { nodes { id %s } } }", test.parents, test.nested), nil, nil)
			parents := at[[]any](t, data, field, "nodes")
			if len(parents) < 2 {
				t.Fatalf("%d parents", len(parents))
			}
			for _, parent := range parents {
				single, _, isFragment := strings.Cut(test.parent, "(")
				end := ""
				if isFragment && strings.Contains(test.parent, "{") {
					end = "}"
				}
				query := fmt.Sprintf("query ($id: ID!) { %s { id %s } %s }", test.parent,
					test.nested, end)
				alone := s.ask(t, query, map[string]any{"id": at[string](t, parent, "id")}, nil)
				if diff := gocmp.Diff(alone[single], parent); diff != "" {
					t.Fatalf("(-alone +nested): %s", diff)
				}
			}
		})
	}
}

// TestCouponOrders checks each order of coupons against one made here, and that a cursor outlives
// its coupon.
func TestCouponOrders(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	for i := 1; i <= shopCoupons; i++ {
		s.ask(t, `mutation ($input: CreateCouponInput!) { createCoupon(input: $input) { userErrors { message } }
			}`, map[string]any{"input": shopCoupon(i)}, nil)
	}
	type entry struct {
		number            int
		id, label, ending string
	}
	read := func(order string, first int, after any) ([]entry, any) {
		data := s.ask(
			t,
			fmt.Sprintf(
				"query ($first: Int, $after: String) { coupons(orderBy: %s, first: $first, after: $after) { nodes { id label endsAt } pageInfo { endCursor } } }",
				order,
			),
			map[string]any{"first": first, "after": after},
			nil,
		)
		var entries []entry
		for _, node := range at[[]any](t, data, "coupons", "nodes") {
			e := entry{
				id: at[string](t, node, "id"), label: strings.ToLower(at[string](t, node, "label")),
				ending: "9999",
			}
			if _, err := fmt.Sscanf(e.id, "coupon_%d", &e.number); err != nil {
				t.Fatal(err)
			}
			if ending, ok := at[map[string]any](t, node)["endsAt"].(string); ok {
				e.ending = ending
			}
			entries = append(entries, e)
		}
		return entries, at[any](t, data, "coupons", "pageInfo", "endCursor")
	}
	for order, compare := range map[string]func(a, b entry) int{
		"CREATED_AT_DESC": func(a, b entry) int { return b.number - a.number },
		"CREATED_AT_ASC":  func(a, b entry) int { return a.number - b.number },
		"LABEL_ASC": func(a, b entry) int {
			return cmp.Or(strings.Compare(a.label, b.label), a.number-b.number)
		},
		"ENDS_AT_ASC": func(a, b entry) int {
			return cmp.Or(strings.Compare(a.ending, b.ending), a.number-b.number)
		},
	} {
		got, _ := read(order, 500, nil)
		if len(got) != shopCoupons || !slices.IsSortedFunc(got, compare) {
			t.Errorf("%s gives %v", order, got)
		}
	}
	for _, order := range []string{
		"CREATED_AT_DESC", "CREATED_AT_ASC", "LABEL_ASC", "ENDS_AT_ASC",
	} {
		before, _ := read(order, 500, nil)
		_, cursor := read(order, 2, nil)
		s.ask(t, `mutation ($id: ID!) { deleteCoupon(input: {id: $id}) { userErrors { message } }
			}`, map[string]any{"id": before[1].id}, nil)
		after, _ := read(order, 500, cursor)
		if diff := gocmp.Diff(before[2:], after, gocmp.AllowUnexported(entry{})); diff != "" {
			t.Errorf("%s: after a deleted coupon (-want +got):\n%s", order, diff)
		}
	}
}

// TestCodeFilters asks for codes with random filters and compares the answer with the same choice
// made from the list of all codes.
func TestCodeFilters(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.clock.Set(s.clock.Now().AddDate(0, 0, 1))
	s.ask(t, `mutation {
		voidCodes(input: {couponId: "coupon_1", values: ["C01-00", "C02-11", "C03-05"]}) {
			userErrors { message } }
		releaseCodes(input: {couponId: "coupon_1", filter: {deliveryId: "delivery_4", status:
			[ASSIGNED]}, evenIfSent: true, reason:
			"test"}) { userErrors { message } }
		reverseRedemption(input: {id: "redemption_1"}) { userErrors { message } }
	}`, nil, nil)
	data := s.ask(t, `{ coupon(id: "coupon_1") { codes(first: 500) { nodes { id value label status assignedAt redeemedAt delivery {
		id } recipient { id } import { id } } } } }`, nil, nil)
	all := at[[]any](t, data, "coupon", "codes", "nodes")
	text := func(code any, path ...string) string {
		for _, name := range path {
			object, ok := code.(map[string]any)
			if !ok {
				return ""
			}
			code = object[name]
		}
		got, _ := code.(string)
		return got
	}
	random := rand.New(rand.NewPCG(1, 2))
	values := map[string][]any{
		"importId": {"import_2", "import_3", "import_99"},
		"status": {
			[]string{"AVAILABLE"},
			[]string{"ASSIGNED", "VOIDED"},
			[]string{"REDEEMED"},
			[]string{"EXPIRED"},
		},
		"label": {
			[]string{"tennis"}, []string{"golf", "nothing"}, []string{"tennis", "golf"},
		},
		"deliveryId":   {"delivery_1", "delivery_4", "delivery_99"},
		"recipientId":  {"recipient_1", "recipient_12"},
		"valuePrefix":  {"C0", "c01", "C01-0", "X"},
		"assignedFrom": {"2026-11-23", "2026-11-23T12:00:00Z", "2026-11-23T12:00:01Z"},
		"assignedTo":   {"2026-11-23T12:00:00Z", "2026-11-23T12:00:01Z", "2026-11-23"},
		"redeemedFrom": {"2026-11-23T12:00:00Z", "2026-11-24"},
		"redeemedTo":   {"2026-11-23T12:00:00Z", "2026-11-24"},
	}
	instant := func(bound, name string) string {
		switch {
		case strings.Contains(bound, "T"):
			return bound
		case strings.HasSuffix(name, "To"):
			return strings.Replace(bound, "23", "24", 1) + "T00:00:00Z"
		}
		return bound + "T00:00:00Z"
	}
	matches := func(code any, name string, value any) bool {
		chosen, _ := value.(string)
		list, _ := value.([]string)
		switch name {
		case "importId":
			return text(code, "import", "id") == chosen
		case "status":
			return slices.Contains(list, text(code, "status"))
		case "label":
			return slices.Contains(list, text(code, "label"))
		case "deliveryId":
			return text(code, "delivery", "id") == chosen
		case "recipientId":
			return text(code, "recipient", "id") == chosen
		case "valuePrefix":
			return strings.HasPrefix(text(code, "value"), strings.ToUpper(chosen))
		case "assignedFrom", "redeemedFrom":
			happened := text(code, strings.TrimSuffix(name, "From")+"At")
			return happened != "" && happened >= instant(chosen, name)
		default:
			happened := text(code, strings.TrimSuffix(name, "To")+"At")
			if chosen == "2026-11-24" {
				return happened != ""
			}
			return happened != "" && happened < instant(chosen, name)
		}
	}
	names := slices.Sorted(maps.Keys(values))
	for round := range 150 {
		filter := map[string]any{}
		if round < len(names) {
			filter[names[round]] = values[names[round]][0]
		}
		for len(filter) < 1+round%4 {
			name := names[random.IntN(len(names))]
			filter[name] = values[name][random.IntN(len(values[name]))]
		}
		for _, of := range []string{"assigned", "redeemed"} {
			from, hasFrom := filter[of+"From"].(string)
			to, hasTo := filter[of+"To"].(string)
			// A period that ends before it begins is refused.
			if hasFrom && hasTo && instant(to, of+"To") < instant(from, of+"From") {
				delete(filter, of+"To")
			}
		}
		var want []string
		for _, code := range all {
			isMatch := true
			for name, value := range filter {
				isMatch = isMatch && matches(code, name, value)
			}
			if isMatch {
				want = append(want, text(code, "value"))
			}
		}
		data := s.ask(t, `query ($filter: CodeFilter) { coupon(id: "coupon_1") { codes(first: 500, filter: $filter) {
			totalCount nodes { value } } } }`, map[string]any{"filter": filter}, nil)
		var got []string
		for _, code := range at[[]any](t, data, "coupon", "codes", "nodes") {
			got = append(got, text(code, "value"))
		}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("%v (-want +got):\n%s", filter, diff)
		}
		if total := int(at[float64](t, data, "coupon", "codes", "totalCount")); total != len(want) {
			t.Errorf("%v: totalCount is %d, not %d", filter, total, len(want))
		}
	}
	// Two filters that read alike when written one after the other are still two.
	data = s.ask(t, `{ coupon(id: "coupon_1") { one: codes(filter: {label: ["tennis golf"]}) { totalCount }
		two: codes(filter: {label: ["tennis", "golf"]}) { totalCount } } }`, nil, nil)
	one, two := at[float64](t, data, "coupon", "one", "totalCount"), at[float64](t, data, "coupon",
		"two", "totalCount")
	if one != 0 || two == 0 {
		t.Errorf("the labels %q gave %v codes, and two labels %v", "tennis golf", one, two)
	}
}
