package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// answers asks for something in SQL and gives the rows, as JSON.
func (p *process) answers(t *testing.T, query string) [][]any {
	t.Helper()
	var answer struct{ SQL struct{ Rows [][]any } }
	quoted, err := json.Marshal(query)
	if err != nil {
		t.Fatal(err)
	}
	p.must(t, fmt.Sprintf(`{ sql(query: %s, limit: 10000) { rows } }`, quoted), &answer)
	return answer.SQL.Rows
}

// TestDemo makes the demo data with the program and serves it: the history goes by the rules of the
// product and of the world, and every example of the playground has something to show.
func TestDemo(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it makes two months of history")
	}
	dir := t.TempDir()
	data := filepath.Join(dir, "couponql.duckdb")
	makeDemo := func() commandResult {
		cmd := exec.CommandContext(t.Context(), binary, "demo", "--data", data)
		// What is set for a server must not lead the demo's messages out of the machine.
		cmd.Env = append(os.Environ(), "COUPONQL_WEBHOOK_URL=http://127.0.0.1:9/",
			"COUPONQL_SMTP_URL=smtp://127.0.0.1:9")
		return resultOf(t, cmd, "")
	}
	made := makeDemo()
	if made.code != 0 ||
		!strings.Contains(made.out, "couponql serve --data "+data+" --outbox "+data+".outbox") {
		t.Fatalf("got the code %d and\n%s%s", made.code, made.out, made.err)
	}
	if again := makeDemo(); again.code != 1 ||
		!strings.Contains(again.err, data+" exists already") {
		t.Errorf("once more: got the code %d and %q, want a refusal", again.code, again.err)
	}

	p := start(t, dir, "--enable-sql", "--timezone", "Europe/Berlin")
	t.Run("history", func(t *testing.T) { checkHistory(t, p) })
	t.Run("examples", func(t *testing.T) { checkExamples(t, p) })
	p.stop(t, shutdownTimeout)
}

// TestDemoKilled: what a run leaves that is killed is not where the demo belongs, and the next run
// says whose it is.
func TestDemoKilled(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "couponql.duckdb")
	// run kills the program when it has told of a file, and returns what it told until then.
	run := func() (told string) {
		cmd := exec.CommandContext(t.Context(), binary, "demo", "--data", data)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for !strings.Contains(told, " imported from ") && lines.Scan() {
			told += lines.Text() + "\n"
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Error(err)
		}
		if err := cmd.Wait(); err == nil {
			t.Error("it was through before it was killed")
		}
		return told
	}
	run()
	left, err := filepath.Glob(data + "*")
	if err != nil || len(left) != 1 || !strings.HasPrefix(left[0], data+".unfinished-") {
		t.Fatalf("%v is left, %v; want one unfinished folder", left, err)
	}
	if told := run(); !strings.HasPrefix(told, left[0]+" is another run's; ") {
		t.Errorf("the next run told %q", told)
	}
}

// checkHistory asks the rows for what cannot be, and for what must be there to be looked at.
func checkHistory(t *testing.T, p *process) {
	for what, query := range map[string]string{
		"redeemed before it was given":     `FROM redemptions WHERE redeemed_at < assigned_at`,
		"redeemed before it was sent":      `FROM redemptions r JOIN codes c ON c.id = r.code_id WHERE r.redeemed_at < c.sent_at`,
		"redeemed before it was known":     `FROM redemptions WHERE recorded_at < redeemed_at`,
		"redeemed before the coupon began": `FROM redemptions r JOIN coupons c ON c.id = r.coupon_id WHERE r.redeemed_at < c.starts_at`,
		"reversed before it was redeemed":  `FROM redemptions WHERE reversed_at < redeemed_at`,
		"given before it was added":        `FROM codes WHERE assigned_at < added_at`,
		"sent before it was given":         `FROM codes WHERE sent_at < assigned_at`,
		"reported before it was sent":      `FROM messages WHERE outcome_at < sent_at`,
		"confirmed before it was created":  `FROM deliveries WHERE confirmed_at < created_at`,
		"added before the coupon was made": `FROM codes JOIN coupons c ON c.id = coupon_id WHERE added_at < c.created_at`,
		"bounced and redeemed":             `FROM redemptions r JOIN messages m ON m.code_id = r.code_id WHERE m.outcome LIKE '%BOUNCE'`,
		"sold on a Sunday at a till":       `FROM redemptions WHERE source = 'IMPORT' AND dayofweek(redeemed_on) = 0`,
		"odd without a reason":             `FROM redemptions WHERE anomalies <> ['VOIDED']`,
	} {
		if got := p.answers(t, "SELECT count(*) "+query)[0][0]; got != 0.0 {
			t.Errorf("%s: %v", what, got)
		}
	}
	for what, query := range map[string]string{
		"two months":                "SELECT date_diff('day', min(redeemed_at), max(redeemed_at)) BETWEEN 50 AND 60 FROM redemptions",
		"sales until yesterday":     "SELECT max(redeemed_at) > now()::TIMESTAMP - INTERVAL 50 HOUR FROM redemptions",
		"full Saturdays":            "SELECT count(*) FILTER (isodow(redeemed_on) = 6) > 1.5 * count(*) FILTER (isodow(redeemed_on) = 1) FROM redemptions WHERE source = 'IMPORT'",
		"five stores":               "SELECT count(DISTINCT store) = 5 AND count(*) FILTER (store IS NULL) = 0 FROM redemptions",
		"both sources":              "SELECT count(DISTINCT source) = 2 FROM redemptions",
		"three channels":            "SELECT count(DISTINCT channel) = 3 FROM redemptions",
		"sports that differ":        "SELECT count(*) FILTER (label = 'soccer') > 2 * count(*) FILTER (label = 'tennis') FROM redemptions",
		"found flyers":              "SELECT count(*) BETWEEN 1 AND 3 FROM redemptions WHERE anomalies = ['VOIDED']",
		"reversals":                 "SELECT count(*) > 20 FROM redemptions WHERE is_reversed",
		"bounces of both kinds":     "SELECT count(DISTINCT outcome) = 4 FROM messages",
		"addresses in quarantine":   "SELECT count(*) > 50 FROM quarantine",
		"rejected rows":             "SELECT sum(rows_rejected) > 10 FROM imports WHERE status = 'SUCCEEDED'",
		"deliveries in four states": "SELECT count(*) FILTER (status = 'READY') > 0 AND count(*) FILTER (status = 'SCHEDULED') > 0 AND count(*) FILTER (status = 'EDITING') > 0 AND count(*) FILTER (status = 'FINISHED') > 10 FROM deliveries",
		"a response that falls": `SELECT count(*) FILTER (days < 3) > 3 * count(*) FILTER (days BETWEEN 7 AND 9) AND count(*) FILTER (days > 20) > 0
			FROM (SELECT date_diff('hour', assigned_at, redeemed_at) / 24 AS days FROM redemptions
				WHERE delivery_id IN ('delivery_1', 'delivery_2'))`,
	} {
		if holds, isBool := p.answers(t, query)[0][0].(bool); !isBool || !holds {
			t.Errorf("not there: %s", what)
		}
	}
	checkNoFuture(t, p)

	var shown struct {
		IntegrityReport struct {
			IsSound bool
			Checks  []struct{ Violations int }
		}
		Coupons struct {
			Nodes []struct {
				Label        string
				Availability struct {
					Forecast *struct{ RunsOutAt *time.Time }
				}
			}
		}
		Alerts            struct{ Nodes []struct{ Kind string } }
		CompareDeliveries []struct{ IsComplete, IsSignificant bool }
		Deliveries        struct {
			Nodes []struct{ Analysis struct{ HeldUntil time.Time } }
		}
	}
	p.must(t, `{
		integrityReport { isSound checks { violations } }
		coupons(filter: {search: "birthday"}) { nodes { label availability { forecast { runsOutAt }
			} } }
		alerts { nodes { kind } }
		compareDeliveries(ids: ["delivery_1", "delivery_2"], withinDays: 14) { isComplete
			isSignificant }
		deliveries(status: [READY]) { nodes { analysis { heldUntil } } }
	}`, &shown)
	if !shown.IntegrityReport.IsSound {
		t.Error("the database is not sound")
	}
	for _, check := range shown.IntegrityReport.Checks {
		if check.Violations > 0 {
			t.Errorf("the report has violations: %+v", shown.IntegrityReport.Checks)
		}
	}
	until := shown.Coupons.Nodes[0].Availability.Forecast.RunsOutAt
	if until == nil || time.Until(*until) < 0 || time.Until(*until) > 7*24*time.Hour {
		t.Errorf("the pool for birthdays runs dry at %v, want a day of the next week", until)
	}
	kinds := map[string]bool{}
	for _, alert := range shown.Alerts.Nodes {
		kinds[alert.Kind] = true
	}
	for _, want := range []string{"LOW_STOCK", "ENDS_SOON", "RUNS_OUT_SOON", "IMPORT_FAILED"} {
		if !kinds[want] {
			t.Errorf("no alert %s among %v", want, kinds)
		}
	}
	if c := shown.CompareDeliveries; !c[0].IsComplete || !c[1].IsComplete || !c[1].IsSignificant {
		t.Errorf("the comparison is %+v", c)
	}
	if until := shown.Deliveries.Nodes[0].Analysis.HeldUntil; time.Until(until) < 3*24*time.Hour {
		t.Errorf("the delivery that waits holds its codes until %s only", until)
	}
}

// checkNoFuture looks at every moment in every view, but those that are meant for later.
func checkNoFuture(t *testing.T, p *process) {
	t.Helper()
	document, err := os.ReadFile("../docs/sql.md")
	if err != nil {
		t.Fatal(err)
	}
	later := map[string]bool{"coupons.ends_at": true, "deliveries.contact_at": true}
	view, seen := "", 0
	for line := range strings.Lines(string(document)) {
		if name, isView := strings.CutPrefix(line, "## "); isView {
			view = strings.TrimSpace(name)
		}
		column := regexp.MustCompile("^\\| `(\\w+)` \\| TIMESTAMP \\|").FindStringSubmatch(line)
		if column == nil || later[view+"."+column[1]] {
			continue
		}
		seen++
		query := fmt.Sprintf("SELECT count(*) FROM %s WHERE %s > now()::TIMESTAMP", view, column[1])
		if got := p.answers(t, query)[0][0]; got != 0.0 {
			t.Errorf("%s.%s: %v rows lie in the future", view, column[1], got)
		}
	}
	if seen < 15 {
		t.Errorf("got %d columns with moments, want at least 15", seen)
	}
	var log struct {
		AuditLog struct{ Nodes []struct{ At time.Time } }
	}
	p.must(t, `{ auditLog(first: 500) { nodes { at } } }`, &log)
	if len(log.AuditLog.Nodes) < 100 {
		t.Errorf("got %d entries of the audit log, want those of two months",
			len(log.AuditLog.Nodes))
	}
	for _, entry := range log.AuditLog.Nodes {
		if entry.At.After(time.Now()) {
			t.Errorf("an entry of the audit log is of %s", entry.At)
		}
	}
}

// checkExamples asks what each example of the playground asks. The last one in a path is a list
// that must have so many entries; a tab of one bar tells nobody anything.
func checkExamples(t *testing.T, p *process) {
	for name, want := range map[string]struct {
		path  string
		count int
	}{
		"Availability":      {"coupons nodes", 4},
		"RunDry":            {"coupons nodes", 3},
		"Redemptions":       {"redemptionStats", 200},
		"Funnel":            {"redemptionFunnel", 4},
		"TimeToRedeem":      {"redemptionStats", 3},
		"DeliveryResults":   {"redemptionStats", 12},
		"Cohorts":           {"redemptionCohorts", 10},
		"Alerts":            {"alerts nodes", 4},
		"Sql":               {"sql rows", 100},
		"CompareDeliveries": {"compareDeliveries", 2},
		"Codes":             {"coupons nodes 0 codes nodes", 50},
		"CodeHistory":       {"code events", 6},
		"Deliveries":        {"deliveries nodes", 10},
		"ValidateCode":      {"validateCode userErrors", 1},
		"Integrity":         {"integrityReport checks", 10},
	} {
		t.Run(name, func(t *testing.T) {
			var answer any
			p.must(t, example(t, name), &answer)
			for step := range strings.FieldsSeq(want.path) {
				switch at := answer.(type) {
				case map[string]any:
					answer = at[step]
				case []any:
					answer = at[0]
				}
			}
			if rows, _ := answer.([]any); len(rows) < want.count {
				t.Errorf("%s has %d rows, want at least %d: %v", want.path, len(rows),
					want.count, answer)
			}
		})
	}
}

// example reads an example of the playground.
func example(t *testing.T, name string) string {
	t.Helper()
	files, err := filepath.Glob("../playground/operations/*.graphql")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if regexp.MustCompile(`(?m)^query ` + name + `\b`).Match(text) {
			return string(text)
		}
	}
	t.Fatalf("there is no example %s", name)
	return ""
}
