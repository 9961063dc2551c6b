package db_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"couponql/coupon"
	"couponql/db"
	"couponql/db/snapshot"
)

// question is a snapshot that tests ask.
type question struct {
	*snapshot.Opened
}

// ask returns the columns and the rows of a query, each row as a line of JSON.
func (q question) ask(t testing.TB, query string) ([]*coupon.SQLColumn, []string, error) {
	t.Helper()
	return q.askWith(t.Context(), query)
}

// askWith is ask in a context of the caller's.
func (q question) askWith(ctx context.Context, query string) (
	[]*coupon.SQLColumn, []string, error,
) {
	columns, err := q.Check(ctx, query)
	if err != nil {
		return nil, nil, err
	}
	rows := []string{}
	_, err = q.Rows(ctx, query, columns, coupon.MaxSQLRows, func(row []json.RawMessage) error {
		line, err := json.Marshal(row)
		rows = append(rows, string(line))
		return err
	})
	return columns, rows, err
}

// rows returns the rows of a query that must be answered.
func (q question) rows(t testing.TB, query string) []string {
	t.Helper()
	_, rows, err := q.ask(t, query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return rows
}

// openSnapshot takes a snapshot, with everything in it, and opens it.
func openSnapshot(t testing.TB, s *db.Store) (q question, end func()) {
	t.Helper()
	taken, err := s.TakeSnapshot(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	return openTaken(t, taken)
}

// openTaken opens a snapshot that was taken.
func openTaken(t testing.TB, taken *snapshot.Snapshot) (q question, end func()) {
	t.Helper()
	opened, err := snapshot.Open(t.Context(), taken.Dir,
		snapshot.Options{MemoryLimit: "500MB", Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	return question{opened}, func() {
		if err := opened.Close(); err != nil {
			t.Error(err)
		}
		if err := taken.Remove(); err != nil {
			t.Error(err)
		}
	}
}

// row writes what the API gives as a row of JSON: pointers as what they lead to, times as the views
// have them.
func row(values ...any) string {
	plain := make([]any, len(values))
	for i, value := range values {
		switch value := value.(type) {
		case time.Time:
			plain[i] = stamp(&value)
		case *time.Time:
			plain[i] = stamp(value)
		default:
			plain[i] = value
		}
	}
	line, err := json.Marshal(plain)
	if err != nil {
		panic(err)
	}
	return string(line)
}

func stamp(at *time.Time) *string {
	if at == nil {
		return nil
	}
	text := at.Format("2006-01-02T15:04:05.999999")
	return &text
}

// askInSQL compares what the views say with what the API says.
func (w *world) askInSQL(rt *rapid.T) {
	q, end := openSnapshot(w.t, w.Store)
	defer end()
	ctx := w.t.Context()
	var codes, coupons []string
	found, err := w.CouponsByID(ctx, w.coupons)
	if err != nil {
		rt.Fatal(err)
	}
	lists, err := w.CodesOf(ctx, w.coupons, nil, coupon.Page{First: 10_000, WantsItems: true},
		coupon.AnyState)
	if err != nil {
		rt.Fatal(err)
	}
	for id, c := range found {
		coupons = append(coupons, row(id, c.Label, c.Code, c.Type, c.Status, c.StartsAt, c.EndsAt,
			c.RedemptionLimit, c.ArchivedAt))
		for _, c := range lists[id].Items {
			codes = append(codes, row(c.ID, c.Value, c.Label, c.CouponID, c.Status, c.ImportID,
				c.AddedAt, c.MessageID, c.DeliveryID, c.RecipientID, c.Channel,
				c.AssignedAt, c.SentAt, c.RedeemedAt, c.VoidedAt, w.live[c.Value]))
		}
	}
	w.same(rt, q, coupons, "SELECT id, label, code, type, status, starts_at, ends_at, redemption_limit, archived_at FROM coupons")
	w.same(rt, q, codes, `SELECT id, value, label, coupon_id, status, import_id, added_at, message_id, delivery_id, recipient_id, channel, assigned_at,
		sent_at, redeemed_at, voided_at, redemption_count FROM codes`)
	var messages, deliveries []string
	sent, err := w.DeliveryMessages(ctx, w.deliveries, nil, nil, nil,
		coupon.Page{First: 10_000, WantsItems: true})
	if err != nil {
		rt.Fatal(err)
	}
	known, err := w.DeliveriesByID(ctx, w.deliveries)
	if err != nil {
		rt.Fatal(err)
	}
	for id, d := range known {
		deliveries = append(deliveries, row(id, d.Label, d.Channel, d.CouponID, d.Status,
			d.TargetCount, d.Counts.Total, d.Counts.Pending, d.Counts.Sent,
			d.Counts.Failed, d.Counts.Canceled, d.Counts.Unknown, d.CreatedAt, d.FinishedAt))
		for _, m := range sent[id].Items {
			messages = append(messages, row(m.ID, m.DeliveryID, m.RecipientID, m.Address, m.CodeID,
				m.Status, m.Attempts, m.CreatedAt, m.SentAt, m.Failure,
				m.CancelReason, m.Outcome, m.OutcomeAt, m.OutcomeReason))
		}
	}
	w.same(rt, q, deliveries, `SELECT id, label, channel, coupon_id, status, target_count, message_count, pending_count, sent_count, failed_count,
		canceled_count, unknown_count, created_at, finished_at FROM deliveries`)
	w.same(rt, q, messages, `SELECT id, delivery_id, recipient_id, address, code_id, status, attempts, created_at, sent_at, failure, cancel_reason, outcome,
		outcome_at, outcome_reason FROM messages`)
	var redemptions []string
	recorded, err := w.Redemptions(ctx, nil, coupon.Page{First: 10_000, WantsItems: true})
	if err != nil {
		rt.Fatal(err)
	}
	for _, r := range recorded.Items {
		redemptions = append(
			redemptions,
			row(r.ID, r.CouponID, r.CodeID, r.RedeemedAt, r.Source, r.Reference, r.ReversedAt,
				r.ReversedAt != nil, len(r.Anomalies),
				r.Store, r.Customer),
		)
	}
	w.same(rt, q, redemptions, `SELECT id, coupon_id, code_id, redeemed_at, source, reference, reversed_at, is_reversed, coalesce(len(anomalies), 0),
		store, customer FROM redemptions`)
}

// same compares rows in any order.
func (w *world) same(rt *rapid.T, q question, want []string, query string) {
	_, got, err := q.ask(w.t, query)
	if err != nil {
		rt.Fatal(err)
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" && len(want)+len(got) > 0 {
		rt.Fatalf("%s (-API +SQL):\n%s", query, diff)
	}
}

// TestSnapshotSecrets looks for what must not be in a snapshot in the bytes of its file.
func TestSnapshotSecrets(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	id := s.newCoupon(t, withoutAssignment)
	s.codes(t, id, "", "AAAA")
	if _, err := s.Redeem(
		t.Context(),
		&coupon.RedeemRequest{
			Value: "AAAA", IdempotencyKey: new("the-idempotency-key"),
			Reference: new("the-reference"),
		},
	); err != nil {
		t.Fatal(err)
	}
	key, err := s.LinkKey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	taken, err := s.TakeSnapshot(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(taken.Dir, "snapshot.duckdb"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(content), "the-reference") {
		t.Error("the snapshot does not even have what it should")
	}
	for _, secret := range []string{
		"the-idempotency-key", string(key), fmt.Sprintf("%x", key), s.ID(),
	} {
		if strings.Contains(string(content), secret) {
			t.Errorf("the snapshot has %q", secret)
		}
	}
}

// TestMaskedSnapshot: what those ask who may not see codes and personal data has none, be it in a
// view, in a table below it, in the engine's statistics or in the bytes of the file; and everything
// else is as for others.
func TestMaskedSnapshot(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	id := s.newCoupon(t, func(c *coupon.CouponChanges) { c.Code = coupon.Set(new("SPORT15")) })
	s.newCoupon(t, func(c *coupon.CouponChanges) {
		c.Type, c.Code = coupon.TypeAnonymous, coupon.Set(new("SECRETOWN"))
	})
	s.codes(t, id, "gold", "SECRET-AAAA", "SECRET-BBBB")
	_, err := s.UpsertRecipients(t.Context(), []*coupon.RecipientChanges{{
		ExternalID: "r-1", Email: coupon.Set(new("SECRET@example.com")),
		Phone: coupon.Set(new("+49301234567")), FirstName: coupon.Set(new("SECRETFIRST")),
		LastName:   coupon.Set(new("SECRETLAST")),
		Attributes: coupon.Set(new(coupon.JSON(`{"city":"SECRETCITY"}`))),
	}})
	if err != nil {
		t.Fatal(err)
	}
	s.deliver(t, id, s.recipients(t, 1))
	s.redeem(t, "SECRET-AAAA")
	s.importFile(t, newImport(coupon.ImportCodes, into(id),
		func(i *coupon.Import) { i.Label = new("gold") }), "code\nSECRET-CCCC\n")
	whole, err := s.TakeSnapshot(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	taken, err := s.TakeSnapshot(t.Context(), true)
	if err != nil {
		t.Fatal(err)
	}
	for dir, wants := range map[string]bool{whole.Dir: true, taken.Dir: false} {
		content, err := os.ReadFile(filepath.Join(dir, "snapshot.duckdb"))
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{
			"SECRETOWN", "AAAA", "SECRET@example.com", "1234567", "SECRETFIRST", "SECRETLAST",
			"SECRETCITY",
		} {
			if has := strings.Contains(string(content), secret); has != wants {
				t.Errorf("masked %t, %s in the bytes of the file: %t", !wants, secret, has)
			}
		}
	}
	if err := whole.Remove(); err != nil {
		t.Fatal(err)
	}
	q, end := openTaken(t, taken)
	defer end()
	for query, want := range map[string]string{
		"SELECT value, label, coupon_id FROM codes ORDER BY id LIMIT 1":                                                                     `["•••","•••","coupon_1"]`,
		"SELECT value FROM main.codes LIMIT 1":                                                                                              `["•••"]`,
		"SELECT list((code, type) ORDER BY id)::VARCHAR FROM coupons":                                                                       `["[(SPORT15, INDIVIDUAL), (•••, ANONYMOUS)]"]`,
		"SELECT email, phone, first_name, last_name, attributes FROM recipients WHERE external_id = 'r-1'":                                  `["•••","•••","•••","•••",{}]`,
		"SELECT count(DISTINCT address), min(address), count(failure) FROM messages":                                                        `[1,"•••",0]`,
		"SELECT count(*) FROM codes WHERE value LIKE 'SECRET%'":                                                                             `[0]`,
		"SELECT max(c.value) FROM codes c JOIN messages m ON m.code_id = c.id":                                                              `["•••"]`,
		"WITH main AS (SELECT value FROM codes) SELECT DISTINCT value FROM main":                                                            `["•••"]`,
		"SELECT DISTINCT c.label, m.label, r.label FROM codes c JOIN messages m ON m.code_id = c.id JOIN redemptions r ON r.code_id = c.id": `["•••","•••","•••"]`,
		"SELECT DISTINCT label FROM imports":                                                                                                `["•••"]`,
		"SELECT list((b.kind, b.count, b.created_by) ORDER BY b.id)::VARCHAR FROM batches b WHERE b.id IN (SELECT batch_id FROM codes)":     `["[(ADDED, 2, NULL), (IMPORTED, 1, NULL)]"]`,
		"SELECT * EXCLUDE coupon_id FROM labels":                                                                                            `["gold",3,2,0,1,0,0]`,
	} {
		if got := q.rows(t, query); !cmp.Equal(got, []string{want}) {
			t.Errorf("%s: got %v, want %s", query, got, want)
		}
	}
	for _, query := range []string{
		"FROM fact.codes", "FROM snapshot.fact.codes", "FROM snapshot.codes",
		"FROM query('FROM codes')", "FROM query_table('codes')",
		"SELECT json_serialize_plan('SELECT 1 FROM fact.codes WHERE value >= ''ZZ''', optimize := true)", "SELECT 'SELECT 1'.json_serialize_plan()",
		"SELECT list_transform(['SELECT 1'], lambda x: json_serialize_plan(x))",
		"SELECT 1 ORDER BY json_serialize_plan('SELECT 1')",
		"SELECT sum(1) FILTER (stats(1) = '') OVER ()", "FROM codes SELECT stats(value)",
		"FROM range(nextval('x'))",
		"SELECT value FROM codes QUALIFY stats(value) = ''", "SELECT json_deserialize_sql('{}')",
		"SELECT getvariable('x')",
		"SELECT current_setting('threads')", "SELECT pg_catalog.pg_get_viewdef(1)",
		"FROM pragma_storage_info('fact.codes')",
		"CREATE TABLE t AS FROM codes", "SET schema = 'main'", "COPY codes TO 'x'",
		"EXPLAIN ANALYZE FROM codes",
		"EXPLAIN SELECT 1 FROM codes WHERE value > 'Z'",
	} {
		_, rows, err := q.ask(t, query)
		if problems, _ := coupon.AsUserErrors(err); len(problems) == 0 ||
			problems[0].Code != coupon.ErrorQueryRejected {
			t.Errorf("%s: got %v, %v", query, rows, err)
		}
	}
	// Whatever is not refused shows no secret either.
	for _, query := range []string{
		"SUMMARIZE codes", "SELECT * FROM (SUMMARIZE recipients)", "SHOW TABLES", "SHOW ALL TABLES",
		"FROM duckdb_columns()", "FROM duckdb_views()",
		"FROM duckdb_tables()", "SELECT value::INTEGER FROM codes",
		"SELECT error(value) FROM codes", "SELECT to_json(c) FROM codes c",
		"SELECT COLUMNS(*) FROM recipients", "FROM codes SELECT unnest(string_split(value, '-'))",
		"SELECT * FROM codes TABLESAMPLE 100%",
		"SELECT value FROM codes POSITIONAL JOIN recipients",
		"SELECT regexp_extract_all(value, '.') FROM codes",
		"FROM recipients SELECT attributes->>'city'", "FROM histogram('fact.codes', value)",
		"FROM histogram_values('codes', value)",
		"FROM summary((FROM main.codes))", "PIVOT codes ON label IN ('gold') USING max(value)",
		"FROM (UNPIVOT codes ON value)", "FROM 'main.codes'",
	} {
		_, rows, err := q.ask(t, query)
		if text := fmt.Sprint(rows, err); strings.Contains(text, "SECRET") ||
			strings.Contains(text, "AAAA") {
			t.Errorf("%s: got %v, %v", query, rows, err)
		}
	}
}

// TestSnapshotFunctions: every function of the engine is either allowed or refused, by its name in
// a list. Whoever brings another engine decides about those that are new.
func TestSnapshotFunctions(t *testing.T) {
	t.Parallel()
	lists := map[string]string{}
	for _, path := range []string{"snapshot/functions.txt", "testdata/functions_refused.txt"} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			name := strings.TrimSpace(line)
			if name == "" || strings.HasPrefix(name, "-- ") {
				continue
			}
			if lists[name] != "" {
				t.Errorf("%s is in %s and %s", name, lists[name], path)
			}
			lists[name] = path
		}
	}
	q, end := openSnapshot(t, newScene(t).Store)
	defer end()
	names := q.rows(t, `SELECT DISTINCT CASE WHEN function_type IN ('table', 'table_macro') THEN 'FROM ' ELSE '' END || function_name
		FROM duckdb_functions() WHERE function_type <> 'pragma' ORDER BY 1`)
	if len(names) < 500 {
		t.Errorf("the engine names %d functions alone", len(names))
	}
	for _, line := range names {
		var name [1]string
		if err := json.Unmarshal([]byte(line), &name); err != nil {
			t.Fatal(err)
		}
		if lists[name[0]] == "" {
			t.Errorf("%s is neither allowed nor refused", name[0])
		}
	}
	for name, path := range lists {
		function, isTable := strings.CutPrefix(name, "FROM ")
		query := `SELECT "` + function + `"()`
		if isTable {
			query = `FROM "` + function + `"()`
		}
		_, err := q.Check(t.Context(), query)
		if isRefused := err != nil && strings.Contains(err.Error(),
			function+" is not available here"); isRefused != strings.HasPrefix(path, "testdata") {
			t.Errorf("%s of %s: %v", query, path, err)
		}
	}
}

// sqlViews are the views in the order of the documents.
func sqlViews() []string {
	return []string{
		"coupons", "codes", "recipients", "deliveries", "messages", "quarantine", "redemptions",
		"imports", "batches", "claims", "labels",
	}
}

// TestSnapshotColumns: every view and every column says what it is.
func TestSnapshotColumns(t *testing.T) {
	t.Parallel()
	q, end := openSnapshot(t, newScene(t).Store)
	defer end()
	if got := q.rows(t, `SELECT table_name, column_name FROM duckdb_columns() WHERE schema_name = 'main' AND NOT internal AND comment IS NULL`); len(got) > 0 {
		t.Errorf("without a comment: %v", got)
	}
	var want []string
	for _, view := range slices.Sorted(slices.Values(sqlViews())) {
		want = append(want, `["`+view+`"]`)
	}
	got := q.rows(t, `SELECT view_name FROM duckdb_views() WHERE schema_name = 'main' AND NOT internal AND comment IS NOT NULL ORDER BY 1`)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	contract, err := os.ReadFile("../graph/report.graphqls")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(strings.Fields(string(contract)), " ")
	if list := "over the views " + strings.Join(sqlViews(), ", ") +
		"."; !strings.Contains(text, list) {
		t.Errorf("the description of sql lacks: %s", list)
	}
	_, _, err = q.ask(t, "FROM read_csv('x')")
	if list := strings.Replace(strings.Join(sqlViews(), ", "), ", labels", " and labels",
		1); err == nil || !strings.Contains(err.Error(), list) {
		t.Errorf("a refusal lacks: %s (%v)", list, err)
	}
	help, err := os.ReadFile("../command/sql.go")
	list := "over the views " +
		strings.Replace(strings.Join(sqlViews(), ", "), ", labels", " and labels", 1)
	if err != nil || !strings.Contains(string(help), list) {
		t.Errorf("the help of couponql sql lacks: %s (%v)", list, err)
	}
	for _, view := range sqlViews() {
		columns := q.rows(
			t,
			"SELECT '`' || column_name || '`' FROM duckdb_columns() WHERE schema_name = 'main' AND table_name = '"+view+"' ORDER BY column_index",
		)
		line := "- `" + view + "`: " +
			strings.NewReplacer(`["`, "", `"]`, "").Replace(strings.Join(columns, ", "))
		if !strings.Contains(text, line) {
			t.Errorf("the description of sql lacks: %s", line)
		}
	}
}

// TestSQLDocument keeps docs/sql.md what the comments of the views say. After a change, `go test
// ./db -run TestSQLDocument -update` writes it anew.
func TestSQLDocument(t *testing.T) {
	t.Parallel()
	q, end := openSnapshot(t, newScene(t).Store)
	defer end()
	var b strings.Builder
	b.WriteString(sqlDocument)
	for _, view := range sqlViews() {
		var about [1]string
		if err := json.Unmarshal([]byte(q.rows(t,
			"SELECT comment FROM duckdb_views() WHERE view_name = '"+view+"'")[0]),
			&about); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n| column | type | what it is |\n|---|---|---|\n",
			view, about[0])
		for _, line := range q.rows(t, "SELECT column_name, data_type, comment FROM duckdb_columns() WHERE schema_name = 'main' AND table_name = '"+view+"' ORDER BY column_index") {
			var column [3]string
			if err := json.Unmarshal([]byte(line), &column); err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", column[0], column[1], column[2])
		}
	}
	for _, example := range strings.Split(strings.Split(sqlDocument, "```")[1], ";")[:3] {
		q.rows(t, strings.TrimPrefix(example, "sql"))
	}
	const path = "../docs/sql.md"
	if flag.Lookup("update").Value.String() == "true" {
		if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(b.String(), string(got)); diff != "" {
		t.Errorf("docs/sql.md is not what the views say (-want +got):\n%s", diff)
	}
}

// sqlDocument is what stands before the views.
const sqlDocument = `# The views of SQL

` + "`sql`, `exportSql` and `couponql sql`" + ` read these views, on a server that runs with ` + "`--enable-sql`" + `.
A test writes this page from the comments of the views.

- The language is [DuckDB's](https://duckdb.org/docs/stable/sql/introduction); one
  SELECT is answered at a time.
- Ids are those of the API.
- Times are in UTC; ` + "`redeemed_at AT TIME ZONE 'UTC' AT TIME ZONE 'Europe/Berlin'`" + ` is a local one.
- Statuses are those when the snapshot was taken.

` + "```sql" + `
-- redemptions by week and channel
SELECT date_trunc('week', redeemed_on) AS week, channel, count(*) FROM redemptions
	WHERE NOT is_reversed GROUP BY ALL ORDER BY ALL;
-- how long it takes until a code is redeemed
SELECT d.label, median(c.redeemed_at - c.sent_at) FROM codes c
	JOIN deliveries d ON d.id = c.delivery_id GROUP BY ALL;
-- cities in which nobody redeemed
SELECT r.attributes->>'city' AS city FROM codes c JOIN recipients r ON r.id = c.recipient_id
	GROUP BY ALL HAVING count(c.redeemed_at) = 0;
` + "```" + `
`

// TestSQLValues tells how values of every type become JSON.
func TestSQLValues(t *testing.T) {
	t.Parallel()
	q, end := openSnapshot(t, newScene(t).Store)
	defer end()
	for _, test := range []struct{ expression, kind, want string }{
		{"1::TINYINT", "TINYINT", `1`},
		{"9007199254740991", "BIGINT", `9007199254740991`},
		{"9007199254740992", "BIGINT", `"9007199254740992"`},
		{"-9007199254740992", "BIGINT", `"-9007199254740992"`},
		{"sum(x) FROM range(3) t(x)", "HUGEINT", `3`},
		{
			"170141183460469231731687303715884105727", "HUGEINT",
			`"170141183460469231731687303715884105727"`,
		},
		{"18446744073709551615::UBIGINT", "UBIGINT", `"18446744073709551615"`},
		{
			"340282366920938463463374607431768211455::UHUGEINT", "UHUGEINT",
			`"340282366920938463463374607431768211455"`,
		},
		{"7::BIGNUM", "BIGNUM", `7`},
		{"1.50::DECIMAL(18, 4)", "DECIMAL(18,4)", `"1.5000"`},
		{"0.1::DOUBLE", "DOUBLE", `0.1`},
		{"1e300::DOUBLE", "DOUBLE", `1e+300`},
		{"'nan'::DOUBLE", "DOUBLE", `"nan"`},
		{"'-inf'::FLOAT", "FLOAT", `"-inf"`},
		{"true", "BOOLEAN", `true`},
		{"NULL::BOOLEAN", "BOOLEAN", `null`},
		{"NULL", "INTEGER", `null`},
		{"'a\"<é' || chr(10)", "VARCHAR", `"a\"\u003cé\n"`},
		{"'null'", "VARCHAR", `"null"`},
		{"DATE '2026-11-23'", "DATE", `"2026-11-23"`},
		{"TIME '01:02:03.5'", "TIME", `"01:02:03.5"`},
		{"TIMESTAMP '2026-11-23 01:02:03.000004'", "TIMESTAMP", `"2026-11-23T01:02:03.000004"`},
		{"TIMESTAMPTZ '2026-11-23 01:02:03+02'", "TIMESTAMPTZ", `"2026-11-22T23:02:03Z"`},
		{"'infinity'::TIMESTAMP", "TIMESTAMP", `"infinity"`},
		{
			"TIMESTAMP_NS '2026-11-23 01:02:03.000000004'", "TIMESTAMP_NS",
			`"2026-11-23T01:02:03.000000004"`,
		},
		{"INTERVAL 3 MONTH", "INTERVAL", `"3 months"`},
		{"'\\xAA'::BLOB", "BLOB", `"qg=="`},
		{"'101'::BIT", "BIT", `"101"`},
		{
			"'ab5eb5ee-0000-4000-8000-000000000000'::UUID", "UUID",
			`"ab5eb5ee-0000-4000-8000-000000000000"`,
		},
		{"'a'::ENUM('a', 'b')", "ENUM", `"a"`},
		{"[1, NULL, 3]", "INTEGER[]", `[1,null,3]`},
		{"[]::VARCHAR[]", "VARCHAR[]", `[]`},
		{"[1, 2]::INTEGER[2]", "INTEGER[2]", `[1,2]`},
		{
			"{'b': 1, 'a': [DATE '2026-11-23']}", `STRUCT("b" INTEGER, "a" DATE[])`,
			`{"b":1,"a":["2026-11-23"]}`,
		},
		{"MAP {'x': {'y': 'z'}}", `MAP(VARCHAR, STRUCT("y" VARCHAR))`, `{"x":{"y":"z"}}`},
		{"union_value(n := 1)", `UNION("n" INTEGER)`, `{"n":1}`},
		{`'{"a": [9007199254740993, 1.10]}'::JSON`, "JSON", `{"a":[9007199254740993,1.10]}`},
	} {
		columns, rows, err := q.ask(t, "SELECT "+test.expression)
		if err != nil {
			t.Errorf("%s: %v", test.expression, err)
			continue
		}
		if columns[0].Type != test.kind || len(rows) != 1 || rows[0] != "["+test.want+"]" {
			t.Errorf("%s: got %s %v, want %s [%s]", test.expression, columns[0].Type, rows,
				test.kind, test.want)
		}
	}
	columns, rows, err := q.ask(t, "SELECT 1 AS a, 2 AS \"a\", 3 AS \"x\"\" y\"\n-- the end;\n;")
	if err != nil || len(rows) != 1 || rows[0] != "[1,2,3]" || columns[1].Name != "a_1" ||
		columns[2].Name != `x" y` {
		t.Errorf("got %+v, %v, %v", columns, rows, err)
	}
}

// TestSnapshotsAreRemoved: a snapshot that nobody removed, since the server died, is gone at the
// next start.
func TestSnapshotsAreRemoved(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	taken, err := s.TakeSnapshot(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	s.reopen(t)
	if _, err := os.Stat(taken.Dir); !os.IsNotExist(err) {
		t.Errorf("the snapshot is still there: %v", err)
	}
}
