package resolvers_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vektah/gqlparser/v2/ast"

	"couponql/coupon"
)

// secrets are markers, each planted in another place, that must not be where they are looked for.
type secrets []string

// in returns the markers that a text has, in clear or inside a cursor.
func (s secrets) in(text string) []string {
	for _, cursor := range cursorText.FindAllStringSubmatch(text, -1) {
		if decoded, err := base64.RawURLEncoding.DecodeString(cursor[1]); err == nil {
			text += "\n" + string(decoded)
		}
	}
	text = strings.ToUpper(text)
	var found []string
	for _, secret := range s {
		if strings.Contains(text, secret) {
			found = append(found, secret)
		}
	}
	return found
}

// countsByLabel is what a whole pool has by label.
var countsByLabel = regexp.MustCompile(`"byLabel":\[[^\]]*\]`)

var cursorText = regexp.MustCompile(`"(?:cursor|startCursor|endCursor)":"([\w-]+)"`)

// masked are the markers of what is a code or personal data: an ANALYST sees none of them, a
// MARKETER all.
func masked() secrets {
	return secrets{
		"QZLISTCODE", "QZCSVCODE", "QZDOUBLE", "QZOWNCODE", "QZMAIL", "QZPHONE", "QZFIRST",
		"QZLAST", "QZSTREET", "QZTOKEN", "QZSPORT", "QZHEADER",
		"QZHEADFIELD", "QZCAST", "QZSUBJECT", "QZLABEL", "QZMATCHED", "QZCUSTOMER",
	}
}

// given are the markers of what else a request had, and the audit log keeps not.
func given() secrets {
	return secrets{
		"QZREASON", "QZREFERENCE", "QZIDEMPOTENCY", "QZFILE", "QZMETADATA", "QZID", "QZATTRIBUTE",
		"QZSEARCH", "QZPREFIX", "QZSQL", "QZQUOTED", "QZWORD",
		"QZEXTERNAL", "QZPATTERN", "QZDATE", "QZENUM", "QZPROOF", "QZCURSOR", "QZBODY", "QZUNKNOWN",
		"QZCHECKSUM", "QZALIAS", "QZTEMPLATE",
		"QZOPERATION", "QZVARIABLE", "QZFRAGMENT", "QZCLIENT", "QZSTORE", "QZSHOPPER",
	}
}

// plant puts each marker where it belongs, in shapes that clients send: one object for a list,
// variables of any type, inline values, files of each kind, files without a header.
func (s *server) plant(t *testing.T) {
	t.Helper()
	for _, step := range []struct {
		query     string
		variables map[string]any
		files     map[string]string
	}{
		{query: `mutation { createCoupon(input: {label: "Winter", type: INDIVIDUAL, code: "QZNAME", startsAt: "2026-11-01",
				requiresAssignment: false, metadata: {a: "QZMETADATA"}}) { coupon { id } }
			anonymous: createCoupon(input: {label: "All", type: ANONYMOUS, code: "QZOWNCODE",
				startsAt: "2026-11-01"}) { coupon { id } } }`},
		{query: `mutation($v: [NewCode!]!) { addCodes(input: {couponId: "coupon_1", codes: $v}) { codes { id } } }`, variables: map[string]any{"v": map[string]any{
			"value": "QZLISTCODE", "label": "Ball",
		}}},
		{
			query: `mutation($v: [RecipientInput!]!) { upsertRecipients(input: {recipients: $v}) { recipients { id } } }`,
			variables: map[string]any{"v": map[string]any{
				"externalId": "QZEXTERNAL", "email": "QZMAIL@example.com", "phone": "+49QZPHONE",
				"firstName": "QZFIRST", "lastName": "QZLAST",
				"attributes": map[string]any{
					"postalAddress": "QZSTREET 1", "pushToken": "QZTOKEN", "sport": "QZSPORT",
					"club": "QZLABEL",
				},
			}},
		},
		{
			query: `mutation($a: Upload!, $b: Upload!, $c: Upload!, $d: Upload!, $e: Upload!, $f: Upload!) {
				a: importCodes(input: {couponId: "coupon_1", file: $a}) { import { id } userErrors {
					message } }
				b: importCodes(input: {couponId: "coupon_1", file: $b}) { import { id } userErrors {
					message } }
				c: importRecipients(input: {file: $c}) { import { id } userErrors { message } }
				d: importRecipients(input: {file: $d, options: {hasHeader: true, columns:
					[{field: "externalId", column: "1"}]}}) {
					import { id } userErrors { message } }
				e: importCodes(input: {couponId: "coupon_1", file: $e}) { import { id } userErrors {
					message } }
				f: importRecipients(input: {file: $f, options: {hasHeader: true, columns:
					[{field: "externalId", column: "c-9"}]}}) {
					import { id } userErrors { message } }
				g: importCodes(input: {couponId: "coupon_1", file: $f, options: {columns:
					[{field: "code", column: "QZUNKNOWN"}]}}) {
					import { id } userErrors { message } } }`,
			variables: map[string]any{
				"a": "@QZFILE-a.csv", "b": "@b.csv", "c": "@c.csv", "d": "@d.csv", "e": "@e.xml",
				"f": "@f.csv",
			},
			files: map[string]string{
				"QZFILE-a.csv": "code,QZHEADFIELD\nQZCSVCODE,x\nQZDOUBLE,x\nQZDOUBLE,x\n",
				"b.csv":        "QZHEADER77;2026;x\nQZHEADER78;2026;x\n",
				"c.csv":        "QZHEADER@example.com,QZHEADER Zoe,x\nb@example.com,Bob,x\n",
				"d.csv":        "QZHEADER,x\ny,z\n",
				"e.xml":        "<a><value code=\"X1\"/>&QZHEADER;</a>",
				"f.csv":        "c-9,QZHEADFIELD@example.com\nc-8,x\n",
			},
		},
		{query: `mutation { createDelivery(input: {label: "d", couponId: "coupon_1", subject: "QZSUBJECT", matchLabelTo: "sport",
				body: "{{ couponValue.code }} {{ recipient.lastName }} QZBODY"}) { delivery { id } }
			addTargets(input: {deliveryId: "delivery_1", filter: {externalIds: ["QZEXTERNAL"]}}) {
				delivery { id } }
			analyzeDelivery(input: {id: "delivery_1"}) { delivery { id } }
			b: createDelivery(input: {label: "e", couponId: "coupon_1", subject:
				"QZSUBJECT {{ recipient.firstName }}",
				body: "{{ couponValue.code }}"}) { delivery { id } }
			c: addTargets(input: {deliveryId: "delivery_2", filter: {attributes:
				[{name: "sport", in: ["QZSPORT"]}]}}) { delivery { id } }
			d: analyzeDelivery(input: {id: "delivery_2"}) { delivery { id } }
			e: confirmDelivery(input: {id: "delivery_2"}) { delivery { id } userErrors { message } }
			f: createDelivery(input: {label: "f", body:
				"{{ recipient.firstName | divided_by: 2 }} {{ QZTEMPLATE }}"}) { delivery { id }
				userErrors { message } }
			g: sendProof(input: {deliveryId: "delivery_1", addresses: "QZPROOF"}) { userErrors {
				message } } }`},
		{query: `mutation($v: [RedeemCodeInput!]!) { redeemCodes(input: {redemptions: $v}) { redeemedCount } }`, variables: map[string]any{"v": map[string]any{
			"value": "QZLISTCODE", "idempotencyKey": "QZIDEMPOTENCY", "reference": "QZREFERENCE",
			"store": "QZSTORE", "customer": "QZCUSTOMER",
		}}},
		{
			query: `mutation($r: String, $o: String!, $v: [String!]) { reverseRedemption(input: {id: "redemption_1", reason: $r}) { userErrors { message } }
			redeemCode(input: {value: $o}) { userErrors { message } }
			voidCodes(input: {couponId: "coupon_1", values: $v}) { userErrors { message } }
			releaseCodes(input: {couponId: "coupon_1", values: "QZNONE", reason: "QZREASON"}) {
				userErrors { message } }
			generateCodes(input: {couponId: "coupon_1", count: 1, pattern: "QZPATTERN#", label:
				"Gym"}) { userErrors { message } }
			createUpload(input: {fileName: "QZFILE\u0000\r\n.csv", checksum: "QZCHECKSUM"}) { upload
				{ id } userErrors { message } }
			archiveCoupon(input: {id: "QZID_1"}) { userErrors { message } }
			unarchiveCoupon(input: {id: "QZID_1"}) { userErrors { message } }
			exportSql(input: {query: "SELECT replace(value, 'QZCSVCODE', 'QZCAST')::INT AS QZWORD FROM codes WHERE value = 'QZCSVCODE'"}) { export { id } userErrors { message } } }`,
			variables: map[string]any{"r": "QZREASON", "o": "QZOWNCODE", "v": "QZDOUBLE"},
		},
		{
			query: `mutation($c: [String!], $n: [String!], $i: RedeemCodeInput!) {
				eraseRecipients(input: {customers: $c}) { erasedCount }
				b: eraseRecipients(input: {customers: $n, recipientIds: "recipient_99"}) {
					erasedCount userErrors { message } }
				redeemCode(input: $i) { userErrors { message } } }`,
			variables: map[string]any{
				"c": "QZSHOPPER", "n": []string{"QZCUSTOMER"}, "i": map[string]any{
					"value": "QZOWNCODE", "store": "QZSTORE\n", "customer": "QZCUSTOMER\n\n.",
				},
			},
		},
		// Reads by variables of every type, also wrong ones.
		{query: `query QZ($a: [AttributeFilter!], $s: RecipientFilter, $x: String!, $id: ID!, $n: CodeFilter, $d: DateTime, $after: String) {
			a: recipients(filter: {attributes: $a}) { nodes { email } } b: recipients(filter: $s) {
				nodes { email } } recipient(externalId: $x) { email }
			c: node(id: $id) { ... on Recipient { email } } coupon(id: "coupon_1") {
				codes(filter: $n) { nodes { value } } stats(from: $d) { sent } }
			d: recipients(after: $after) { nodes { email } } QZALIAS: recipients { nodes { email } }
				}`, variables: map[string]any{
			"a": map[string]any{"name": "QZATTRIBUTE", "in": "QZSPORT"},
			"s": map[string]any{
				"search":     "QZSEARCH",
				"attributes": map[string]any{"name": "x", "in": "QZATTRIBUTE"},
			},
			"x": "QZEXTERNAL", "id": "QZID",
			"n": map[string]any{"valuePrefix": "QZPREFIX", "importId": "QZID", "label": "Ball"},
			"d": "QZDATE", "after": "QZCURSOR",
		}},
		{query: `query($s: [CodeStatus!]) { coupon(id: "coupon_1") { codes(filter: {status: $s}) { nodes { value } } } }`, variables: map[string]any{"s": "QZENUM"}},
		{query: `query($q: String!) { sql(query: $q) { rows } }`, variables: map[string]any{
			"q": `SELECT 'QZSQL', "QZQUOTED", QZWORD FROM codes -- QZSQL`,
		}},
		{query: `{ sql(query: "SELECT value::INT FROM codes WHERE value = 'QZCSVCODE'") { rows } }`},
		// A code whose label a delivery matches to what an attribute says, and which is redeemed; a
		// file and a pattern with that label.
		{query: `mutation { addCodes(input: {couponId: "coupon_1", codes: [{value: "QZMATCHED", label: "QZLABEL"}]}) { userErrors { message } }
			createDelivery(input: {label: "h", couponId: "coupon_1", matchLabelTo: "club", body:
				"{{ couponValue.code }}"}) { delivery { id } }
			addTargets(input: {deliveryId: "delivery_4", filter: {externalIds: ["QZEXTERNAL"]}}) {
				userErrors { message } }
			analyzeDelivery(input: {id: "delivery_4"}) { delivery { id } }
			confirmDelivery(input: {id: "delivery_4"}) { userErrors { message } }
			redeemCode(input: {value: "QZMATCHED"}) { userErrors { message } }
			generateCodes(input: {couponId: "coupon_1", count: 1, pattern: "########", label:
				"QZLABEL"}) { userErrors { message } } }`},
		{
			query:     `mutation($f: Upload!) { importCodes(input: {couponId: "coupon_1", file: $f, label: "QZLABEL"}) { userErrors { message } } }`,
			variables: map[string]any{"f": "@g.csv"},
			files:     map[string]string{"g.csv": "code\nG1\n"},
		},
	} {
		body, contentType := request(t, step.query, step.variables,
			func(name string) []byte { return []byte(step.files[name]) })
		s.post(t, body, contentType)
		s.drain(t)
	}
}

// askAll asks for every field of every query that a role may ask for, and of every object there is,
// and gives the answers.
func (s *server) askAll(t *testing.T, role coupon.Role) map[string]string {
	t.Helper()
	may := allowed(t)
	s.become(t, role)
	answers := map[string]string{}
	ask := func(query string) {
		_, answers[query] = s.answer(t, query, nil)
		if strings.Contains(answers[query], "VALIDATION") ||
			strings.Contains(answers[query], "LIMIT_EXCEEDED") {
			t.Fatalf("%s: %.300s", query, answers[query])
		}
	}
	arguments := map[string]string{
		"deliveryId": `"delivery_2"`, "recipientId": `"recipient_1"`, "externalId": `"QZEXTERNAL"`,
		"ids": `["delivery_1", "delivery_2"]`, "id": `"coupon_1"`,
		"input": `{id: "delivery_1"}`, "query": `"SELECT * FROM codes"`, "value": `"QZLISTCODE"`,
		"code":  `"QZOWNCODE"`,
		"limit": "10",
	}
	for _, field := range schema().Query.Fields {
		if strings.HasPrefix(field.Name, "__") || field.Name == "auditLog" ||
			field.Name == "apiKeys" || !may("Query."+field.Name, role) {
			continue
		}
		var list []string
		for _, argument := range field.Arguments {
			// A short list, so that the budget of an operation holds all of its fields.
			if argument.Type.NonNull && argument.DefaultValue == nil || argument.Name == "limit" {
				list = append(list, argument.Name+": "+arguments[argument.Name])
			}
		}
		query := "{ " + field.Name
		if len(list) > 0 {
			query += "(" + strings.Join(list, ", ") + ")"
		}
		if schema().Types[field.Type.Name()].IsCompositeType() {
			query += " { __typename " + everything(may, role, field.Type.Name(), 3) + " }"
		}
		ask(query + " }")
	}
	for kind, ids := range map[string][]string{
		"Import": {
			"import_1", "import_2", "import_3", "import_4", "import_5", "import_6",
			"import_7", "import_8",
		}, "Export": {"export_1"},
		"Delivery":   {"delivery_1", "delivery_2", "delivery_3", "delivery_4"},
		"Coupon":     {"coupon_1", "coupon_2"},
		"Redemption": {"redemption_1", "redemption_2", "redemption_3"},
	} {
		for _, id := range ids {
			ask(`{ node(id: "` + id + `") { ... on ` + kind + ` { ` +
				everything(may, role, kind, 2) + ` } } }`)
		}
	}
	for _, view := range []string{
		"coupons", "codes", "recipients", "deliveries", "messages", "redemptions",
		"imports", "labels",
	} {
		ask(`{ sql(query: "SELECT * FROM ` + view + `") { rows } }`)
		ask(`{ sql(query: "SUMMARIZE ` + view + `") { rows } }`)
	}
	for _, query := range []string{
		"SELECT value::INT FROM codes", "SELECT error(email) FROM recipients",
		"SELECT code::INT FROM coupons", "SELECT failure::INT FROM imports",
		"SELECT json_extract(address, 'x') FROM messages", "SELECT * FROM fact.codes",
		"SELECT min(value), max(value) FROM codes",
		"SELECT json_serialize_plan('SELECT 1 FROM fact.codes WHERE value >= ''QZD''', optimize := true)", "SELECT strptime(last_name, 'x') FROM recipients",
	} {
		ask(`{ sql(query: "` + query + `") { rows } }`)
	}
	return answers
}

// TestSecretsStay plants markers in every confidential place, by every channel, asks everything as
// every role, and looks for them in answers, errors and cursors, in the files of exports, in the
// answers of SQL, in alerts as they are told to others, in the audit log and in the log.
func TestSecretsStay(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.become(t, coupon.RoleMarketer)
	s.plant(t)
	seen := map[string]bool{}
	for _, answer := range s.askAll(t, coupon.RoleMarketer) {
		for _, secret := range masked().in(answer) {
			seen[secret] = true
		}
	}
	// What is the header of a file, or the subject of a template, is shown to nobody as a value, or
	// to everybody.
	for _, secret := range masked() {
		if !seen[secret] && secret != "QZHEADER" && secret != "QZCAST" {
			t.Errorf("not even a MARKETER sees %s: this test looks for what is not there", secret)
		}
	}
	// The own code of an INDIVIDUAL coupon redeems nothing, so that everybody who counts may tell
	// coupons apart by it.
	named := map[string]bool{
		`{ node(id: "coupon_1")`: false, `{ coupons `: false, `{ redemptions `: false, `{ deliveries `: false, `{ sql(query: "SELECT * FROM coupons")`: false,
	}
	hidden := slices.DeleteFunc(masked(), func(secret string) bool { return secret == "QZSUBJECT" })
	for query, answer := range s.askAll(t, coupon.RoleAnalyst) {
		// What a whole pool has is counted by label.
		counted := countsByLabel.FindString(answer)
		if answer = countsByLabel.ReplaceAllString(
			answer,
			"",
		); strings.HasPrefix(query, `{ node(id: "coupon_1") { ... on Coupon `) &&
			!strings.Contains(counted, "QZLABEL") {
			t.Errorf("%.100s tells an ANALYST no counts by label: %s", query, counted)
		}
		if strings.Contains(query, "FROM labels") || strings.Contains(query, "SUMMARIZE labels") {
			continue
		}
		for _, secret := range hidden.in(answer) {
			place := strings.Index(strings.ToUpper(answer), secret)
			t.Errorf("%.100s tells an ANALYST %s: …%s", query, secret,
				answer[max(0, place-200):min(len(answer), max(0, place)+20)])
		}
		for beginning := range named {
			named[beginning] = named[beginning] ||
				strings.HasPrefix(query, beginning) && strings.Contains(answer, "QZNAME")
		}
	}
	for beginning, isShown := range named {
		if !isShown {
			t.Errorf("an ANALYST who asks %s… is not told the own code of an INDIVIDUAL coupon",
				beginning)
		}
	}
	for _, query := range []string{
		`{ simulateDelivery(input: {id: "delivery_1", filter: {externalIds: ["QZEXTERNAL"]}, matchLabelTo: "postalAddress"}) ` +
			`{ analysis { shortByLabel { label } remedies { text label } log { text } } } }`,
		`{ simulateDelivery(input: {id: "delivery_1"}) { analysis { shortByLabel { label } remedies { text label } log { text } } userErrors { message } } }`,
		`{ coupons(filter: {search: "QZOWNCODE"}) { totalCount nodes { code } } }`,
		`{ couponByCode(code: "QZOWNCODE") { id } }`,
		`{ coupons(filter: {search: "QZNAME"}) { totalCount nodes { code } } }`,
		`{ couponByCode(code: "QZNAME") { id } }`,
		`{ coupons(orderBy: LABEL_ASC) { edges { cursor node { code } } } }`,
		`{ coupon(id: "coupon_1") { codes(filter: {label: "QZLABEL", recipientId: "recipient_1"}) { totalCount } } }`,
		`{ redemptions(filter: {customer: "QZCUSTOMER"}) { totalCount nodes { customer } } }`,
		`{ redemptions(filter: {labels: ["QZLABEL"]}) { totalCount } }`,
		`{ redemptionStats(groupBy: LABEL) { keys } }`,
		`{ redemptionFunnel(filter: {labels: ["QZLABEL"]}) { stage count } }`,
		`{ recipient(externalId: "QZEXTERNAL") { codes { nodes { label } } } }`,
		`{ simulateDelivery(input: {id: "delivery_1", filter: {externalIds: ["QZEXTERNAL"]}}) { analysis { codesAvailable } } }`,
		`subscription { importProgress(id: "import_2") { failure checksum layout { columns { name field } } } }`,
		`subscription { exportProgress(id: "export_1") { failure } }`,
	} {
		_, answer := s.answer(t, query, nil)
		if found := hidden.in(answer); len(found) > 0 ||
			strings.Contains(answer, `"totalCount":1`) {
			t.Errorf("%s tells an ANALYST %v: %s", query, found, answer)
		}
	}
	s.nameThings(t)
	s.exportAll(t, hidden)
	s.formsOfOthers(t)
	// A webhook is told the texts of alerts.
	alerts, err := s.store.Alerts(t.Context(), coupon.Page{First: 100, WantsItems: true})
	if err != nil || len(alerts.Items) == 0 {
		t.Fatalf("%v, %v", alerts, err)
	}
	for _, alert := range alerts.Items {
		if found := masked().in(alert.Text); len(found) > 0 {
			t.Errorf("others are told %v: %s", found, alert.Text)
		}
	}
	everywhere := slices.Concat(masked(), given())
	log, err := s.store.AuditLog(t.Context(), nil,
		coupon.Page{First: coupon.MaxPageSize, WantsItems: true})
	if err != nil || len(log.Items) < 20 {
		t.Fatalf("%d entries, %v", len(log.Items), err)
	}
	reads, ofNodes := map[string]int{}, 0
	for _, entry := range log.Items {
		if entry.Kind == coupon.AuditRead &&
			strings.Contains(string(entry.Input), `"variable1":"`) {
			reads[entry.Action]++
		}
		if slices.Contains(strings.Fields(entry.Action), "node") {
			ofNodes++
		}
		if found := everywhere.in(entry.Action + " " + string(entry.Input)); len(found) > 0 {
			t.Errorf("the audit log has %v: %s %s", found, entry.Action, entry.Input)
		}
	}
	if want := map[string]int{"coupon recipients node": 3, "importProgress": 1}; !cmp.Equal(
		reads, want,
	) {
		t.Errorf("operations with names of their own are in the audit log as %v, want %v",
			reads, want)
	}
	// Whatever stands beside it in an operation, a field is found.
	found, err := s.store.AuditLog(t.Context(), &coupon.AuditFilter{Action: new("node")},
		coupon.Page{First: 1, WantsTotal: true})
	if err != nil || found.Total != ofNodes {
		t.Errorf("%d entries about node, %v, want %d", found.Total, err, ofNodes)
	}
	if found := everywhere.in(s.logged.String()); len(found) > 0 {
		t.Errorf("the log has %v: %s", found, s.logged)
	}
}

// nameThings asks with names of a client's own for all that may have one, by every transport.
func (s *server) nameThings(t *testing.T) {
	t.Helper()
	s.become(t, coupon.RoleMarketer)
	const query = `query QZOPERATION($QZVARIABLE: ID = "coupon_1", $id: ID = "QZID") { ...QZFRAGMENT }
		fragment QZFRAGMENT on Query { QZALIAS: coupon(id: $QZVARIABLE) { QZALIAS: codes { nodes {
			value } } } recipients { totalCount } node(id: $id) { id } }`
	parameters := map[string]any{
		"query": query, "operationName": "QZOPERATION",
		"variables":  map[string]any{"QZVARIABLE": "coupon_1", "QZCLIENT": "QZCLIENT"},
		"extensions": map[string]any{"QZCLIENT": map[string]any{"persistedQuery": "QZCLIENT"}},
		"QZCLIENT":   "QZCLIENT",
	}
	body, err := json.Marshal(parameters)
	if err != nil {
		t.Fatal(err)
	}
	values := url.Values{"QZCLIENT": {"QZCLIENT"}}
	for name, value := range parameters {
		if text, isText := value.(string); isText {
			values.Set(name, text)
		} else if text, err := json.Marshal(value); err == nil {
			values.Set(name, string(text))
		}
	}
	for _, one := range []struct{ method, query, accepts string }{
		{http.MethodPost, "?QZCLIENT=QZCLIENT", "application/json"},
		{http.MethodGet, "?" + values.Encode(), "application/json"},
		{http.MethodPost, "", "text/event-stream"},
	} {
		r, err := http.NewRequestWithContext(t.Context(), one.method, s.URL+"/graphql"+one.query,
			bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range map[string]string{
			"Content-Type": "application/json", "Accept": one.accepts, "User-Agent": "QZCLIENT",
			"Referer": "QZCLIENT", "X-Request-ID": "QZCLIENT",
			"Apollographql-Client-Name": "QZCLIENT", "X-Forwarded-For": "QZCLIENT",
		} {
			r.Header.Set(name, value)
		}
		s.authorize(r)
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil || !strings.Contains(string(answer), "QZCSVCODE") {
			t.Errorf("%s %s: %s, %v", one.method, one.accepts, answer, err)
		}
	}
	const follow = `subscription QZOPERATION($QZVARIABLE: ID! = "import_2") { QZALIAS: importProgress(id: $QZVARIABLE) { checksum } }`
	if got := overWebSocket(t, s, follow).next(); !strings.Contains(got.data, "checksum") {
		t.Errorf("got %v", got)
	}
}

// exportAll exports all that an ANALYST may, and looks into the files.
func (s *server) exportAll(t *testing.T, hidden secrets) {
	t.Helper()
	s.become(t, coupon.RoleAnalyst)
	const fields = "{ export { id } userErrors { message } }"
	for _, format := range []string{"CSV", "XML", "JSONL", "PARQUET"} {
		s.ask(
			t,
			`mutation { exportCodes(input: {couponId: "coupon_1", format: `+format+`}) `+fields+` exportMessages(input: {deliveryId: "delivery_2", format: `+format+`}) `+fields+`
			exportRedemptions(input: {format: `+format+`}) `+fields+` }`,
			nil,
			nil,
		)
	}
	s.ask(
		t,
		`mutation { exportSql(input: {query: "SELECT * FROM codes, recipients", format: CSV}) `+
			fields+` b: exportSql(input: {query: "SELECT value::INT FROM codes"}) `+fields+` }`,
		nil,
		nil,
	)
	s.drain(t)
	files, named := 0, 0
	for number := 2; ; number++ {
		data := s.ask(t,
			fmt.Sprintf(`{ export(id: "export_%d") { url failure isMasked } }`, number), nil, nil)
		export, isThere := data["export"].(map[string]any)
		if !isThere {
			break
		}
		if failure, failed := export["failure"].(string); failed &&
			(failure == coupon.Mask || len(hidden.in(failure)) > 0) {
			t.Errorf("export_%d failed: %s", number, failure)
		}
		url, hasFile := export["url"].(string)
		if !hasFile {
			continue
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil || response.StatusCode != http.StatusOK {
			t.Errorf("%s: %s, %v", url, response.Status, err)
		}
		if found := hidden.in(string(content)); len(found) > 0 {
			t.Errorf("the file of export_%d has %v", number, found)
		}
		files++
		if strings.Contains(string(content), "QZNAME") {
			named++
		}
	}
	// The files of codes; what the coupon's only redemption was is reversed, and Parquet may be
	// compressed.
	if named < 3 {
		t.Errorf("%d files have the own code of an INDIVIDUAL coupon", named)
	}
	if files < 13 {
		t.Errorf("%d files were exported", files)
	}
}

// formsOfOthers sends files as those who may not import: nothing of them comes to the disk.
func (s *server) formsOfOthers(t *testing.T) {
	t.Helper()
	uploads := func() []string {
		found, err := filepath.Glob(
			filepath.Join(s.folder, "couponql.duckdb.files", "upload*", "*"),
		)
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	before := uploads()
	if len(before) == 0 {
		t.Error("the files of imports are elsewhere")
	}
	for _, role := range []coupon.Role{coupon.RoleRedeemer, coupon.RoleAnalyst} {
		s.become(t, role)
		var body bytes.Buffer
		form := multipart.NewWriter(&body)
		for _, part := range [][2]string{
			{"operations", `{"query":"mutation($f:Upload!){importCodes(input:{couponId:\"coupon_1\",file:$f}){import{id}}}","variables":{"f":null}}`}, {"map", `{"0":["variables.f"]}`},
		} {
			if err := form.WriteField(part[0], part[1]); err != nil {
				t.Fatal(err)
			}
		}
		file, err := form.CreateFormFile("0", "x.csv")
		if err != nil {
			t.Fatal(err)
		}
		// The file does not end before it was looked at what is there.
		reader, writer := io.Pipe()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/graphql",
			io.MultiReader(bytes.NewReader(body.Bytes()), reader))
		if err != nil {
			t.Fatal(err)
		}
		_ = file
		r.Header.Set("Content-Type", form.FormDataContentType())
		s.authorize(r)
		response, err := http.DefaultClient.Do(r)
		_ = writer.Close()
		if err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil || !strings.Contains(string(answer), "FORBIDDEN") {
			t.Errorf("%s: %s, %v", role, answer, err)
		}
		if now := uploads(); !slices.Equal(now, before) {
			t.Errorf("the file of a %s was stored: %v", role, now)
		}
	}
}

// TestLabelsAreConfidential: a label is the name of a thing, or is that of a code, which deliveries
// match to what an attribute says. A new field or input with a label must be one or the other.
func TestLabelsAreConfidential(t *testing.T) {
	t.Parallel()
	// What has a name that its owner gave it, and what counts a whole pool.
	named := []string{
		"Coupon", "CreateCouponInput", "UpdateCouponInput", "Delivery", "CreateDeliveryInput",
		"UpdateDeliveryInput", "SplitPart", "DuplicateDeliveryInput", "SendDeliveryInput",
		"RecipientList", "CreateRecipientListInput", "RenameRecipientListInput",
		"ApiKey", "CreateApiKeyInput", "Caller", "LabelAvailability",
	}
	for _, definition := range schema().Types {
		for _, field := range definition.Fields {
			isLabel := strings.Contains(strings.ToLower(field.Name), "label") &&
				field.Type.Name() == "String"
			if field.Name == "callerLabel" || field.Name == "matchLabelTo" || !isLabel {
				continue
			}
			if isConfidential := field.Directives.ForName("confidential") != nil; isConfidential ==
				slices.Contains(named, definition.Name) {
				t.Errorf("%s.%s: confidential: %t", definition.Name, field.Name, isConfidential)
			}
		}
	}
	for _, dimension := range schema().Types["StatsDimension"].EnumValues {
		if isConfidential := dimension.Directives.ForName("confidential") != nil; isConfidential !=
			(dimension.Name == "LABEL") {
			t.Errorf("StatsDimension.%s: confidential: %t", dimension.Name, isConfidential)
		}
	}
}

// TestLoggedIsHarmless: what the audit log keeps of texts is nothing that is confidential, and a
// confidential input is never kept.
func TestLoggedIsHarmless(t *testing.T) {
	t.Parallel()
	for _, definition := range schema().Types {
		if definition.Kind != ast.InputObject && definition.Kind != ast.Object {
			continue
		}
		for _, field := range definition.Fields {
			if field.Directives.ForName("logged") != nil &&
				(field.Directives.ForName("confidential") != nil || field.Type.Name() != "String") {
				t.Errorf("%s.%s is @logged: it is confidential, or no text",
					definition.Name, field.Name)
			}
		}
	}
}
