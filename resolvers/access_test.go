package resolvers_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
	"github.com/google/go-cmp/cmp"
	"github.com/vektah/gqlparser/v2/ast"

	"couponql/access"
	"couponql/coupon"
	"couponql/graph"
)

// schema returns the schema that is served.
func schema() *ast.Schema { return graph.NewExecutableSchema(graph.Config{}).Schema() }

// accessTable returns the roles of every field, as its directives say, a line each. A field without
// a rule has no role.
func accessTable() string {
	var lines []string
	for name, definition := range schema().Types {
		if definition.BuiltIn ||
			definition.Kind != ast.Object && definition.Kind != ast.InputObject {
			continue
		}
		for _, field := range definition.Fields {
			if strings.HasPrefix(field.Name, "__") {
				continue
			}
			mark := ""
			if field.Directives.ForName("confidential") != nil {
				mark = " confidential"
			}
			if field.Directives.ForName("logged") != nil {
				mark = " logged"
			}
			if definition.Kind == ast.InputObject {
				if mark != "" {
					lines = append(lines, name+"."+field.Name+":"+mark)
				}
				continue
			}
			allow := field.Directives.ForName("allow")
			if allow == nil {
				allow = definition.Directives.ForName("allow")
			}
			roles := " NOBODY"
			if allow != nil {
				roles = " ADMIN"
				if to := allow.Arguments.ForName("to"); to != nil {
					for _, child := range to.Value.Children {
						roles += " " + child.Value.Raw
					}
				}
			}
			lines = append(lines, name+"."+field.Name+":"+roles+mark)
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n") + "\n"
}

// TestAccessTable: testdata/access.txt says who may ask for each field of the schema, and what is
// confidential. A new field without a rule is nobody's, and must be given one.
func TestAccessTable(t *testing.T) {
	t.Parallel()
	const path = "testdata/access.txt"
	got := accessTable()
	for line := range strings.Lines(got) {
		if strings.Contains(line, "NOBODY") {
			t.Errorf("%s has no rule: add @allow to it or to its type", strings.TrimSpace(line))
		}
	}
	for _, field := range schema().Mutation.Fields {
		if field.Directives.ForName("audited") == nil {
			t.Errorf("the mutation %s is not @audited", field.Name)
		}
	}
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// allowed reads testdata/access.txt: whether a role may ask for a field.
func allowed(t *testing.T) func(field string, role coupon.Role) bool {
	t.Helper()
	text, err := os.ReadFile("testdata/access.txt")
	if err != nil {
		t.Fatal(err)
	}
	table := map[string][]string{}
	for line := range strings.Lines(string(text)) {
		field, roles, _ := strings.Cut(strings.TrimSpace(line), ":")
		table[field] = strings.Fields(roles)
	}
	return func(field string, role coupon.Role) bool {
		return slices.Contains(table[field], string(role))
	}
}

// sample returns a value of a type, as a variable has it.
func sample(kind *ast.Type) any {
	if kind.Elem != nil {
		return []any{sample(kind.Elem)}
	}
	definition := schema().Types[kind.Name()]
	switch definition.Kind {
	case ast.Enum:
		return definition.EnumValues[0].Name
	case ast.InputObject:
		object := map[string]any{}
		for _, field := range definition.Fields {
			if field.Type.NonNull && field.DefaultValue == nil {
				object[field.Name] = sample(field.Type)
			}
		}
		return object
	case ast.Scalar, ast.Object, ast.Interface, ast.Union:
	}
	return map[string]any{
		"ID": "coupon_99", "Int": 1, "Float": 1.5, "Boolean": true, "DateTime": "2026-11-23",
		"Decimal": "1.00", "JSON": map[string]any{}, "String": "x",
	}[kind.Name()]
}

// operation asks for a root field with sample values for the arguments that it needs, and for
// selection of what it gives.
func operation(kind ast.Operation, field *ast.FieldDefinition, selection string) (
	query string, variables map[string]any,
) {
	variables = map[string]any{}
	var declared, given []string
	for _, argument := range field.Arguments {
		if argument.Type.NonNull && argument.DefaultValue == nil {
			declared = append(declared, "$"+argument.Name+": "+argument.Type.String())
			given = append(given, argument.Name+": $"+argument.Name)
			variables[argument.Name] = sample(argument.Type)
		}
	}
	query = string(kind)
	if len(declared) > 0 {
		query += "(" + strings.Join(declared, ", ") + ")"
	}
	query += " { " + field.Name
	if len(given) > 0 {
		query += "(" + strings.Join(given, ", ") + ")"
	}
	if definition := schema().Types[field.Type.Name()]; definition.IsCompositeType() {
		query += " { " + selection + " }"
	}
	return query + " }", variables
}

// answer posts an operation as the caller of the server, and gives the status and the answer.
func (s *server) answer(t *testing.T, query string, variables map[string]any) (int, string) {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/graphql",
		bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if strings.HasPrefix(query, string(ast.Subscription)) {
		r.Header.Set("Accept", "text/event-stream")
	}
	s.authorize(r)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// TestEveryRoleAndRootField asks for every query, mutation and subscription as every role, and for
// every field of what each gives: what the table does not allow is FORBIDDEN, and all else is
// answered.
func TestEveryRoleAndRootField(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	may := allowed(t)
	for _, role := range coupon.Roles() {
		s.become(t, role)
		for kind, root := range map[ast.Operation]*ast.Definition{
			ast.Query: schema().Query, ast.Mutation: schema().Mutation,
			ast.Subscription: schema().Subscription,
		} {
			for _, field := range root.Fields {
				if strings.HasPrefix(field.Name, "__") || field.Name == "redemptionRecorded" {
					// The last one has no end.
					continue
				}
				query, variables := operation(kind, field, "__typename")
				status, got := s.answer(t, query, variables)
				isForbidden := strings.Contains(got, `"FORBIDDEN"`)
				wants := !may(root.Name+"."+field.Name, role)
				if isForbidden != wants {
					t.Errorf("%s asks for %s.%s: %d %s", role, root.Name, field.Name, status, got)
				}
				if strings.Contains(got, "INTERNAL") {
					t.Errorf("%s.%s: %s", root.Name, field.Name, got)
				}
			}
		}
	}
}

// TestEveryRoleAndField asks, as every role, for every field of every type that has an id, which
// node finds: the refusal comes from the field alone, whether or not there is such an object.
func TestEveryRoleAndField(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	may := allowed(t)
	for _, role := range []coupon.Role{coupon.RoleAdmin, coupon.RoleMarketer, coupon.RoleAnalyst} {
		s.become(t, role)
		for name, definition := range schema().Types {
			if definition.Kind != ast.Object || !slices.Contains(definition.Interfaces, "Node") {
				continue
			}
			for _, field := range definition.Fields {
				selection := field.Name
				if schema().Types[field.Type.Name()].IsCompositeType() {
					selection += " { __typename }"
				}
				_, got := s.answer(t,
					`{ node(id: "coupon_99") { ... on `+name+` { `+selection+` } } }`, nil)
				if isForbidden := strings.Contains(got,
					`"FORBIDDEN"`); isForbidden == may(name+"."+field.Name, role) {
					t.Errorf("%s asks for %s.%s: %s", role, name, field.Name, got)
				}
			}
		}
	}
	// A REDEEMER has no node, and reaches objects by what it redeems.
	s.become(t, coupon.RoleRedeemer)
	redemption := schema().Types["Redemption"]
	for _, one := range []struct{ path, kind string }{{"code", "Code"}, {"coupon", "Coupon"}} {
		if redemption.Fields.ForName(one.path) == nil {
			t.Fatalf("a redemption has no %s", one.path)
		}
		for _, field := range schema().Types[one.kind].Fields {
			selection := field.Name
			if schema().Types[field.Type.Name()].IsCompositeType() {
				selection += " { __typename }"
			}
			_, got := s.answer(t, `mutation { redeemCode(input: {value: "x"}) { redemption { `+
				one.path+` { `+selection+` } } } }`, nil)
			if isForbidden := strings.Contains(got,
				`"FORBIDDEN"`); isForbidden == may(one.kind+"."+field.Name, coupon.RoleRedeemer) {
				t.Errorf("a REDEEMER asks for %s.%s: %s", one.kind, field.Name, got)
			}
		}
	}
}

// TestReporter: a REPORTER records what came of messages, learns who it is, and may ask for nothing
// else.
func TestReporter(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.become(t, coupon.RoleReporter)
	_, got := s.answer(t, `mutation { recordBounces(input: {bounces: [{address: "ada@example.com", kind: HARD}, {messageId: "message_7", kind: HARD}]}) {
		recordedCount quarantinedCount rejections { line reason message value } userErrors { code }
	} }`, nil)
	if !strings.Contains(got,
		`"recordedCount":1,"quarantinedCount":1,"rejections":[{"line":2,"reason":"UNKNOWN_MESSAGE"`) {
		t.Errorf("recordBounces: %s", got)
	}
	if _, got := s.answer(t, "{ caller { role isMasked } }", nil); !strings.Contains(got,
		`"role":"REPORTER"`) {
		t.Errorf("caller: %s", got)
	}
	may := allowed(t)
	var roots []string
	for _, root := range []*ast.Definition{
		schema().Query, schema().Mutation, schema().Subscription,
	} {
		for _, field := range root.Fields {
			if name := root.Name + "." + field.Name; !strings.HasPrefix(field.Name, "__") &&
				may(name, coupon.RoleReporter) {
				roots = append(roots, name)
			}
		}
	}
	if want := []string{"Query.caller", "Mutation.recordBounces"}; !slices.Equal(roots, want) {
		t.Errorf("a REPORTER may ask for %v, want %v", roots, want)
	}
}

// TestNothingIsDoneThatIsForbidden: one forbidden field refuses the whole request.
func TestNothingIsDoneThatIsForbidden(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.become(t, coupon.RoleMarketer)
	_, got := s.answer(t, `mutation { createCoupon(input: {label: "a", type: INDIVIDUAL, startsAt: "2026-11-01"}) { coupon { id } }
		revokeApiKey(input: {id: "key_1"}) { apiKey { id } } }`, nil)
	if !strings.Contains(got, `"FORBIDDEN"`) || strings.Contains(got, "data") {
		t.Errorf("got %s", got)
	}
	if _, got := s.answer(t, `{ coupons { totalCount } }`,
		nil); got != `{"data":{"coupons":{"totalCount":0}}}` {
		t.Errorf("got %s", got)
	}
}

// TestConfidentialInputs: an ANALYST may not choose by what is masked, be it inline, in a variable
// or inside a list.
func TestConfidentialInputs(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.become(t, coupon.RoleAnalyst)
	for _, test := range []struct {
		query, place string
		variables    map[string]any
	}{
		{`{ recipients(filter: {search: "a"}) { totalCount } }`, "filter.search", nil},
		{`query($f: RecipientFilter) { recipients(filter: $f) { totalCount } }`, "filter.attributes", map[string]any{
			"f": map[string]any{"attributes": []any{map[string]any{"name": "a", "in": "b"}}},
		}},
		{`query($p: String) { node(id: "coupon_1") { ... on Coupon { codes(filter: {valuePrefix: $p}) { totalCount } } } }`, "filter.valuePrefix", map[string]any{"p": "A"}},
		{
			`{ recipients(filter: {not: {not: {emailDomains: ["a.example"]}}}) { totalCount } }`,
			"filter.not.not.emailDomains", nil,
		},
		{
			`query($f: RecipientFilter) { recipients(filter: $f) { totalCount } }`,
			"filter.reachableBy",
			map[string]any{"f": map[string]any{"reachableBy": "SMS"}},
		},
		{`mutation { exportCodes(input: {couponId: "coupon_1", filter: {valuePrefix: "A"}}) { export { id } } }`, "input.filter.valuePrefix", nil},
		{`{ coupon(id: "coupon_1") { codes(filter: {label: "a", recipientId: "recipient_1"}) { totalCount } } }`, "filter.label", nil},
		{`{ redemptions(filter: {labels: ["a"]}) { totalCount } }`, "filter.labels", nil},
		{
			`mutation { exportRedemptions(input: {filter: {labels: ["a"]}}) { export { id } } }`, "input.filter.labels", nil,
		},
		{`{ redemptionStats(groupBy: LABEL) { keys } }`, "groupBy.LABEL", nil},
		{
			`query($by: [StatsDimension!]!) { redemptionStats(groupBy: $by) { keys } }`,
			"groupBy.LABEL",
			map[string]any{"by": []any{"COUPON", "LABEL"}},
		},
		{`query($by: [StatsDimension!] = [HOUR, LABEL]) { redemptionStats(groupBy: $by) { keys } }`, "groupBy.LABEL", nil},
		{`{ simulateDelivery(input: {id: "delivery_1", filter: {externalIds: ["a"]}}) { analysis { codesAvailable } } }`, "input.filter", nil},
		{`query { ...f } fragment f on Query { coupon(id: "coupon_1") { ...g } } fragment g on Coupon { codes(filter: {valuePrefix: "A"}) { totalCount } }`, "filter.valuePrefix", nil},
	} {
		if _, got := s.answer(t, test.query, test.variables); !strings.Contains(got,
			`"FORBIDDEN"`) || !strings.Contains(got, test.place) {
			t.Errorf("%s: got %s", test.query, got)
		}
	}
	for _, query := range []string{
		`query($p: String) { coupon(id: "coupon_1") { codes(filter: {valuePrefix: $p, status: [VOIDED]}) { totalCount } } }`,
		`{ recipients(filter: {externalIds: ["a"], isContactable: true}) { totalCount } }`,
		`{ recipients(filter: {not: {codes: [{status: [REDEEMED], is: NONE}]}}) { totalCount } }`,
		`{ redemptionStats(groupBy: [COUPON, HOUR]) { keys } coupons { nodes { availability { byLabel { label redeemed } } } } }`,
	} {
		if _, got := s.answer(t, query, nil); strings.Contains(got, "errors") {
			t.Errorf("%s: got %s", query, got)
		}
	}
}

// TestNoKey: a request without a key, or with a wrong one, is answered by 401, whatever it asks
// for, and runs nothing.
func TestNoKey(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.become(t, coupon.RoleAdmin)
	for _, token := range []string{"", "cpnql_1_" + strings.Repeat("A", 26)} {
		s.token = token
		for _, query := range []string{
			`{ __typename }`, `{ __schema { types { name } } }`,
			`mutation { archiveCoupon(input: {id: "coupon_1"}) { coupon { id } } }`,
		} {
			if status, got := s.answer(
				t,
				query,
				nil,
			); status != http.StatusUnauthorized || !strings.Contains(got, "UNAUTHENTICATED") ||
				strings.Contains(got, "data") {
				t.Errorf("%s: %d %s", query, status, got)
			}
		}
	}
}

// TestWebSocketKey: browsers send the key with connection_init; a wrong one closes the connection
// with 4401, after which clients do not try again.
func TestWebSocketKey(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.become(t, coupon.RoleAnalyst)
	sub := overWebSocket(t, s, `subscription { importProgress(id: "import_9") { id } }`)
	if got := sub.next(); !strings.Contains(got.data, "NOT_FOUND") {
		t.Errorf("got %v", got)
	}
	s.become(t, coupon.RoleRedeemer)
	sub = overWebSocket(t, s, `subscription { importProgress(id: "import_9") { id } }`)
	if got := sub.next(); !strings.Contains(got.data, "FORBIDDEN") {
		t.Errorf("got %v", got)
	}
	for _, payload := range []any{
		nil, map[string]any{"Authorization": "Bearer x"}, map[string]any{"authorization": 7},
	} {
		connection, response, err := websocket.Dial(
			t.Context(),
			strings.Replace(s.URL, "http", "ws", 1)+"/graphql",
			&websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}},
		)
		if err != nil {
			t.Fatal(err)
		}
		if response.Body != nil {
			t.Cleanup(func() { _ = response.Body.Close() })
		}
		if err := wsjson.Write(t.Context(), connection,
			map[string]any{"type": "connection_init", "payload": payload}); err != nil {
			t.Fatal(err)
		}
		var message map[string]any
		for err == nil {
			err = wsjson.Read(t.Context(), connection, &message)
			if message["type"] == "connection_ack" {
				t.Errorf("%v is let in", payload)
			}
		}
		if code := websocket.CloseStatus(err); code != 4401 {
			t.Errorf("%v: closed with %d: %v", payload, code, err)
		}
		_ = connection.CloseNow()
	}
}

// TestRevokedKeyEndsSubscriptions: whoever is not let in any more gets no more news.
func TestRevokedKeyEndsSubscriptions(t *testing.T) {
	t.Parallel()
	for name, over := range map[string]func(*testing.T, *server, string) subscription{
		"SSE": overSSE, "WebSocket": overWebSocket,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			c, err := s.store.CreateCoupon(t.Context(), &coupon.CouponChanges{
				Type:            coupon.TypeAnonymous,
				Label:           coupon.Set(new("a")),
				StartsAt:        coupon.Set(new(coupon.DateTime("2026-11-01"))),
				RedemptionLimit: coupon.Set[int](nil),
			})
			if err != nil {
				t.Fatal(err)
			}
			s.become(t, coupon.RoleMarketer)
			sub := over(t, s, `subscription { redemptionRecorded { id } }`)
			redeemed := 0
			redeem := func() {
				redeemed++
				if _, err := s.store.Redeem(t.Context(),
					&coupon.RedeemRequest{Value: c.Code}); err != nil {
					t.Fatal(err)
				}
			}
			// The subscription may not be there yet.
			events := make(chan event, 1)
			go func() { events <- sub.next() }()
			var first event
			for first.kind == "" {
				redeem()
				select {
				case first = <-events:
				case <-time.After(50 * time.Millisecond):
				}
			}
			if first.kind != "next" {
				t.Fatalf("got %v", first)
			}
			before := redeemed
			number, _ := coupon.TokenNumber(s.token)
			if _, err := s.store.RevokeKey(t.Context(),
				coupon.NewID(coupon.KindAPIKey, number)); err != nil {
				t.Fatal(err)
			}
			redeem()
			for seen := 1; ; {
				got := sub.next()
				if got.kind == "complete" || got.kind == "end" {
					break
				}
				if got.kind == "next" && !strings.Contains(got.data, `"code":"UNAUTHENTICATED"`) {
					// Those of before may still be on their way; the last one may say why there are
					// no more.
					if seen++; seen > before {
						t.Fatalf("got %v after the key was revoked", got)
					}
				}
			}
		})
	}
}

// TestTooManyRequests: a caller who sends more than the limit of its key gets 429 and when to come
// again; others do not notice.
func TestTooManyRequests(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.become(t, coupon.RoleAdmin)
	_, token, err := s.store.CreateKey(t.Context(),
		&coupon.NewAPIKey{Label: "slow", Role: coupon.RoleAnalyst, RequestsPerSecond: new(2)})
	if err != nil {
		t.Fatal(err)
	}
	admin := s.token
	for _, step := range []struct {
		token string
		want  int
	}{{token, 200}, {token, 200}, {token, 429}, {admin, 200}, {token, 429}} {
		s.token = step.token
		if status, got := s.answer(
			t,
			`{ caller { name requestsPerSecond } }`,
			nil,
		); status != step.want ||
			(status == 429) != strings.Contains(got, "RATE_LIMITED") {
			t.Errorf("got %d %s, want %d", status, got, step.want)
		}
	}
	s.clock.Advance(time.Second)
	s.token = token
	if status, _ := s.answer(t, `{ caller { name } }`, nil); status != http.StatusOK {
		t.Errorf("a second later: %d", status)
	}
}

// TestGuessingIsSlow: who asks about codes that do not exist must wait, with any of the fields that
// would tell.
func TestGuessingIsSlow(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.become(t, coupon.RoleMarketer)
	fields := []string{
		`validateCode(value: "%s") { isRedeemable }`, `code(value: "%s") { id }`,
		`couponByCode(code: "%s") { id }`,
	}
	for i := range access.MaxGuesses - 1 {
		query := "{ " + fmt.Sprintf(fields[i%len(fields)], fmt.Sprintf("GUESS-%d", i)) + " }"
		if _, got := s.answer(t, query, nil); strings.Contains(got, "errors\":[{") {
			t.Fatalf("guess %d: %s", i, got)
		}
	}
	if _, got := s.answer(t,
		`mutation { redeemCode(input: {value: "GUESS"}) { userErrors { code } } }`,
		nil); !strings.Contains(got, "CODE_UNKNOWN") {
		t.Errorf("got %s", got)
	}
	for _, query := range []string{
		`{ validateCode(value: "x") { isRedeemable } }`, `{ code(value: "x") { id } }`,
		`{ couponByCode(code: "x") { id } }`,
		`mutation { redeemCode(input: {value: "x"}) { userErrors { code } } }`,
		`mutation { redeemCodes(input: {redemptions: [{value: "x"}]}) { redeemedCount } }`,
	} {
		if _, got := s.answer(t, query, nil); !strings.Contains(got, "RATE_LIMITED") ||
			!strings.Contains(got, "too many codes that do not exist") {
			t.Errorf("%s: %s", query, got)
		}
	}
	s.clock.Advance(time.Second)
	if _, got := s.answer(t, `{ validateCode(value: "x") { isRedeemable } }`,
		nil); strings.Contains(got, "RATE_LIMITED") {
		t.Errorf("a second later: %s", got)
	}
}

// TestGuessingByLists: what is asked in a list, or by aliases, costs as much as one by one: after
// the last guess nothing is looked at, be it there or not, and what was redeemed before stays
// redeemed and is told.
func TestGuessingByLists(t *testing.T) {
	t.Parallel()
	for name, build := range map[string]func(values []string) string{
		"redeemCodes": func(values []string) string {
			var list strings.Builder
			for _, value := range values {
				fmt.Fprintf(&list, "{value: %q}", value)
			}
			return "mutation { redeemCodes(input: {redemptions: [" + list.String() + "]}) { results { redemption { codeValue } userErrors { code field } } userErrors { code } } }"
		},
		"aliases": func(values []string) string {
			var list strings.Builder
			for i, value := range values {
				fmt.Fprintf(&list, "a%d: redeemCode(input: {value: %q}) { redemption { codeValue } userErrors { code field } }", i, value)
			}
			return "mutation { " + list.String() + " }"
		},
		"aliases apart": func(values []string) string {
			var list strings.Builder
			for i, value := range values {
				fmt.Fprintf(&list, "a%d: redeemCodes(input: {redemptions: [{value: %q}]}) { results { redemption { codeValue } userErrors { code field } } }", i, value)
			}
			return "mutation { " + list.String() + " }"
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			s.become(t, coupon.RoleRedeemer)
			made, err := s.store.CreateCoupon(t.Context(), &coupon.CouponChanges{
				Type:            coupon.TypeAnonymous,
				Label:           coupon.Set(new("a")),
				StartsAt:        coupon.Set(new(coupon.DateTime("2026-11-01"))),
				RedemptionLimit: coupon.Set[int](nil),
			})
			if err != nil {
				t.Fatal(err)
			}
			// The redemption in front earns no more than there is.
			values := []string{made.Code}
			for i := range 2 * access.MaxGuesses {
				values = append(values, fmt.Sprintf("GUESS-%d", i))
			}
			values = append(values, made.Code)
			_, got := s.answer(t, build(values), nil)
			if count := strings.Count(got, `"CODE_UNKNOWN"`); count != access.MaxGuesses {
				t.Errorf("%d guesses were answered: %s", count, got)
			}
			if count := strings.Count(got, `"RATE_LIMITED"`); count != access.MaxGuesses+1 {
				t.Errorf("%d were not looked at: %s", count, got)
			}
			if count := strings.Count(got, `"codeValue":"`+made.Code); count != 1 ||
				strings.Contains(got, `"errors":[{`) {
				t.Errorf("%d were redeemed: %s", count, got)
			}
			list, err := s.store.Redemptions(t.Context(), nil, coupon.Page{WantsTotal: true})
			if err != nil || list.Total != 1 {
				t.Errorf("%d redemptions are recorded: %v", list.Total, err)
			}
			// The till is not locked: a second later it redeems all that is right.
			s.clock.Advance(time.Second)
			_, got = s.answer(t, build(slices.Repeat([]string{made.Code}, 300)), nil)
			if count := strings.Count(got, `"codeValue":"`+made.Code); count != 300 {
				t.Errorf("a second later %d of 300 are redeemed: %s", count, got)
			}
		})
	}
}

// TestTillReversesItsOwn: a REDEEMER takes back what its own key redeemed a short while ago. Of
// others it learns nothing, and asking is guessing; a MARKETER takes back all.
func TestTillReversesItsOwn(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.become(t, coupon.RoleRedeemer)
	made, err := s.store.CreateCoupon(t.Context(), &coupon.CouponChanges{
		Type:            coupon.TypeAnonymous,
		Label:           coupon.Set(new("a")),
		StartsAt:        coupon.Set(new(coupon.DateTime("2026-11-01"))),
		RedemptionLimit: coupon.Set[int](nil),
	})
	if err != nil {
		t.Fatal(err)
	}
	_, other, err := s.store.CreateKey(t.Context(),
		&coupon.NewAPIKey{Label: "till 2", Role: coupon.RoleRedeemer})
	if err != nil {
		t.Fatal(err)
	}
	redeem := func() string {
		t.Helper()
		_, got := s.answer(t,
			fmt.Sprintf(`mutation { redeemCode(input: {value: %q, reference: "order"}) { redemption { id } } }`, made.Code), nil)
		_, id, _ := strings.Cut(got, `"id":"`)
		id, _, _ = strings.Cut(id, `"`)
		if !strings.HasPrefix(id, "redemption_") {
			t.Fatal(got)
		}
		return id
	}
	reverse := func(id string) string {
		_, got := s.answer(
			t,
			fmt.Sprintf(`mutation { reverseRedemption(input: {id: %q}) { redemption { codeValue reversedAt } userErrors { code message } } }`, id),
			nil,
		)
		return strings.ReplaceAll(got, id, "ID")
	}
	own, late := redeem(), redeem()
	for range 2 {
		if got := reverse(own); !strings.Contains(got, `"reversedAt":"2026`) {
			t.Errorf("its own: %s", got)
		}
	}
	s.token = other
	unknown := reverse("redemption_999")
	if !strings.Contains(unknown, "NOT_FOUND") {
		t.Errorf("one that does not exist: %s", unknown)
	}
	// Whether it stands, was reversed, or is in the tables already: it is as if it did not exist.
	for _, id := range []string{own, late} {
		if got := reverse(id); got != unknown {
			t.Errorf("of another till: %s, want %s", got, unknown)
		}
	}
	s.token = s.tokens[coupon.RoleRedeemer]
	s.clock.Advance(coupon.ReversalTime + time.Second)
	if got := reverse(late); got != unknown {
		t.Errorf("its own, too late: %s", got)
	}
	s.token = other
	for i := 0; strings.Contains(reverse(late), "NOT_FOUND"); i++ {
		if i > access.MaxGuesses {
			t.Fatal("ids can be counted without end")
		}
	}
	if got := reverse(own); !strings.Contains(got, "RATE_LIMITED") {
		t.Errorf("after many: %s", got)
	}
	s.become(t, coupon.RoleMarketer)
	if got := reverse(late); !strings.Contains(got, `"reversedAt":"2026`) {
		t.Errorf("a marketer: %s", got)
	}
}

// TestAliasLimit: an operation may not say the same a thousand times over, neither by itself nor by
// fragments.
func TestAliasLimit(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	var many, nested strings.Builder
	many.WriteString("{")
	for i := range 1001 {
		fmt.Fprintf(&many, " a%d: __typename", i)
	}
	many.WriteString("}")
	nested.WriteString("{ ...f0 }")
	for i := range 10 {
		fmt.Fprintf(&nested, " fragment f%d on Query { x%da: __typename ...f%d ...f%d }", i,
			i, i+1, i+1)
	}
	nested.WriteString(" fragment f10 on Query { x: __typename }")
	for name, query := range map[string]string{"many": many.String(), "nested": nested.String()} {
		if _, got := s.answer(t, query, nil); !strings.Contains(got, "ALIAS_LIMIT_EXCEEDED") {
			t.Errorf("%s: %.300s", name, got)
		}
	}
}

// everything selects all fields of a type that a role may ask for, objects inside objects as deep
// as depth says, of lists the first three.
func everything(
	may func(string, coupon.Role) bool, role coupon.Role, kind string, depth int,
) string {
	definition := schema().Types[kind]
	var fields []string
	for _, field := range definition.Fields {
		if strings.HasPrefix(field.Name, "__") ||
			definition.Kind == ast.Object && !may(kind+"."+field.Name, role) {
			continue
		}
		selected := field.Name
		if field.Arguments.ForName("first") != nil {
			selected += "(first: 3)"
		}
		if schema().Types[field.Type.Name()].IsCompositeType() {
			inner := ""
			if depth > 0 {
				inner = everything(may, role, field.Type.Name(), depth-1)
			}
			if inner == "" {
				continue
			}
			selected += " { " + inner + " }"
		}
		fields = append(fields, selected)
	}
	return strings.Join(fields, " ")
}

// TestAnalystSeesNoSecrets asks as an ANALYST for all there is, and looks for codes and personal
// data in the answers; a MARKETER sees them by the same queries.
func TestAnalystSeesNoSecrets(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	may := allowed(t)
	s.become(t, coupon.RoleAdmin)
	s.ask(
		t,
		`mutation { createCoupon(input: {label: "Winter", type: INDIVIDUAL, startsAt: "2026-11-01", requiresAssignment: false}) { coupon { id } } }`,
		nil,
		nil,
	)
	s.ask(t, `mutation($codes: Upload!, $people: Upload!) {
		importCodes(input: {couponId: "coupon_1", file: $codes}) { import { id } userErrors {
			message } }
		importRecipients(input: {file: $people}) { import { id } userErrors { message } } }`,
		map[string]any{"codes": "@codes.csv", "people": "@people.csv"}, map[string]string{
			"codes.csv": "code\nSECRETCODE-1\nSECRETCODE-2\nSECRETCODE-1\nSECRETCODE-" +
				strings.Repeat("X", 300) + "\n",
			"people.csv": "external id,email,phone,first name,last name,city\nr-1,SECRETMAIL@example.com,+49305550123,SECRETFIRST,SECRETLAST,SECRETCITY\nr-2,SECRET no address,,,,\n",
		})
	s.drain(t)
	s.ask(
		t,
		`mutation { createDelivery(input: {label: "December", couponId: "coupon_1", subject: "{{ recipient.lastName }}", body: "{{ couponValue.code }} {{ recipient.attributes.city }}"}) {
			delivery { id } userErrors { message } }
		addTargets(input: {deliveryId: "delivery_1", filter: {externalIds: ["r-1", "r-2"]}}) {
			userErrors { message } }
		analyzeDelivery(input: {id: "delivery_1"}) { userErrors { message } }
		confirmDelivery(input: {id: "delivery_1"}) { userErrors { message } } }`,
		nil,
		nil,
	)
	s.drain(t)
	s.ask(t, `mutation { redeemCode(input: {value: "SECRETCODE-1", reference: "order-1"}) { userErrors { message } }
		voidCodes(input: {couponId: "coupon_1", values: ["SECRETCODE-2"]}) { userErrors { message }
			}
		exportMessages(input: {deliveryId: "delivery_1"}) { export { id } } }`, nil, nil)
	s.drain(t)
	secrets := []string{
		"SECRETCODE", "SECRETMAIL", "5550123", "SECRETFIRST", "SECRETLAST", "SECRETCITY",
		"SECRET no address",
	}
	arguments := map[string]string{
		"id":          `"coupon_1"`,
		"deliveryId":  `"delivery_1"`,
		"recipientId": `"recipient_1"`,
		"externalId":  `"r-1"`,
		"ids":         `["delivery_1"]`,
		"input":       `{id: "delivery_1"}`,
		"query":       `"SELECT c.*, r.* FROM codes c LEFT JOIN recipients r ON r.id = c.recipient_id"`,
		"code":        `"CPN1"`,
		"value":       `"SECRETCODE-1"`,
	}
	ids := map[string]string{
		"delivery": `"delivery_1"`, "import": `"import_2"`, "export": `"export_1"`,
	}
	seen := map[string]bool{}
	for _, role := range []coupon.Role{coupon.RoleAnalyst, coupon.RoleMarketer} {
		s.become(t, role)
		for _, field := range schema().Query.Fields {
			if strings.HasPrefix(field.Name, "__") || !may("Query."+field.Name, role) {
				continue
			}
			var given []string
			for _, argument := range field.Arguments {
				value := arguments[argument.Name]
				if own := ids[field.Name]; own != "" && argument.Name == "id" {
					value = own
				}
				if argument.Type.NonNull && argument.DefaultValue == nil && value != "" {
					given = append(given, argument.Name+": "+value)
				}
				if argument.Name == "limit" || argument.Name == "first" || argument.Name == "days" {
					given = append(given, argument.Name+": 3")
				}
			}
			query := "{ " + field.Name
			if len(given) > 0 {
				query += "(" + strings.Join(given, ", ") + ")"
			}
			if schema().Types[field.Type.Name()].IsCompositeType() {
				query += " { __typename " + everything(may, role, field.Type.Name(), 5) + " }"
			}
			_, got := s.answer(t, query+" }", nil)
			if strings.Contains(got, "VALIDATION") || strings.Contains(got, "LIMIT") {
				t.Fatalf("%s: %.500s", field.Name, got)
			}
			for _, secret := range secrets {
				if !strings.Contains(got, secret) {
					continue
				}
				if role == coupon.RoleAnalyst {
					t.Errorf("%s tells an ANALYST %s: …%s", field.Name, secret,
						got[max(0, strings.Index(got, secret)-300):strings.Index(got, secret)+20])
				}
				seen[secret] = true
			}
		}
	}
	for _, secret := range secrets {
		if !seen[secret] {
			t.Errorf("not even a MARKETER sees %s: this test looks for what is not there", secret)
		}
	}
}
