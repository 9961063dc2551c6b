package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestBackupAndRestore backs up a server that sends and redeems, loses it, and goes on with a
// server of the backup.
func TestBackupAndRestore(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := start(t, dir)
	var data any
	p.must(t, createCoupon, &data)
	p.must(t, `mutation {
		addCodes(input: {couponId: "coupon_1", codes:
			[{value: "AAA"}, {value: "BBB"}, {value: "CCC"}]}) { codes { id } }
		upsertRecipients(input: {recipients:
			[{externalId: "r1", email: "r1@example.org"}, {externalId: "r2", email:
			"r2@example.org"}]}) { recipients { id } }
		createDelivery(input: {label: "L", subject: "s", body: "{{ couponValue.code }}", couponId:
			"coupon_1", contactAt: "2999-01-01"}) { delivery { id } }
		addTargets(input: {deliveryId: "delivery_1", filter: {}}) { delivery { id } }
		analyzeDelivery(input: {id: "delivery_1"}) { delivery { id } }
		confirmDelivery(input: {id: "delivery_1"}) { delivery { id } }
	}`, &data)
	backup := filepath.Join(dir, "backup.duckdb")
	if got := p.commandLine(t, "", "backup", backup); got.code != 0 ||
		!strings.Contains(got.err, "verified") {
		t.Fatalf("got %+v", got)
	}
	restore := func(args ...string) commandResult {
		return resultOf(t, exec.CommandContext(t.Context(), binary,
			append([]string{"restore", backup}, args...)...), "")
	}
	database := filepath.Join(dir, "couponql.duckdb")
	for want, args := range map[string][]string{
		"exists":                     {"--data", database},
		"another process has the":    {"--data", database, "--force"},
		"missing flags: --data=FILE": {},
		"no such file or directory":  {"--data", filepath.Join(dir, "nowhere", "file")},
	} {
		if got := restore(args...); got.code == 0 || got.out != "" ||
			!strings.Contains(got.err, want) {
			t.Errorf("restore %v: got %+v, want %q", args, got, want)
		}
	}
	p.kill(t)
	if got := restore("--data", database, "--force"); got.code != 0 ||
		!strings.Contains(got.out, "checks of integrityReport hold\npaused") ||
		!strings.Contains(got.out, ": delivery_1\n") {
		t.Fatalf("got %+v", got)
	}
	other := filepath.Join(dir, "other.duckdb")
	var result struct {
		Data             string    `json:"data"`
		TakenAt          time.Time `json:"takenAt"`
		RowCount         int       `json:"rowCount"`
		PausedDeliveries []string  `json:"pausedDeliveries"`
	}
	if got := restore("--data", other, "--json"); got.code != 0 ||
		json.Unmarshal([]byte(got.out), &result) != nil || result.Data != other ||
		result.RowCount == 0 || result.TakenAt.IsZero() || len(result.PausedDeliveries) != 1 {
		t.Errorf("got %+v", got)
	}
	p = start(t, dir)
	var answer struct {
		Code     struct{ Status string }
		Delivery struct{ Status string }
	}
	p.must(t, `{ code(value: "aaa") { status } delivery(id: "delivery_1") { status } }`, &answer)
	if answer.Code.Status != "ASSIGNED" || answer.Delivery.Status != "PAUSED" {
		t.Errorf("got %+v", answer)
	}
	p.checkSound(t)
}

// TestBackupAfterKill kills the server while it makes a backup: the next one makes it.
func TestBackupAfterKill(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := start(t, dir)
	var data any
	p.must(t, createCoupon, &data)
	p.must(t, `mutation { generateCodes(input: {couponId: "coupon_1", count: 300000, pattern: "##########"}) { generatedCount } }`, &data)
	p.must(t, `mutation { exportBackup(input: {}) { export { id } } }`, &data)
	p.kill(t)
	p = start(t, dir)
	var answer struct {
		Export struct {
			Status, VerifiedAt string
			RowCount           int
		}
	}
	for deadline := time.Now().Add(time.Minute); answer.Export.Status != "SUCCEEDED" &&
		time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		p.must(t, `{ export(id: "export_1") { status verifiedAt rowCount } }`, &answer)
	}
	if answer.Export.VerifiedAt == "" || answer.Export.RowCount < 300_000 {
		t.Errorf("got %+v", answer)
	}
}

// TestErasedAfterKill erases somebody and kills the server: when the next one is ready, the person
// is in none of its files.
func TestErasedAfterKill(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := start(t, dir)
	var data any
	p.must(t, `mutation {
		upsertRecipients(input: {recipients:
			[{externalId: "Zk-4711", email: "zelda.4711@example.org", attributes: {hobby:
			"violet-hatter"}}]}) {
			recipients { id }
		}
	}`, &data)
	isThere := func(text string) bool {
		t.Helper()
		for _, pattern := range []string{"couponql.duckdb*", "couponql.duckdb.files/*/*"} {
			names, err := filepath.Glob(filepath.Join(dir, pattern))
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range names {
				// Folders among them cannot be read.
				if content, err := os.ReadFile(name); err == nil &&
					strings.Contains(string(content), text) {
					return true
				}
			}
		}
		return false
	}
	if !isThere("zelda.4711") || !isThere("violet-hatter") {
		t.Fatal("this test looks for what is not there")
	}
	p.must(
		t, `mutation { eraseRecipients(input: {externalIds: ["Zk-4711"]}) { erasedCount } }`, &data,
	)
	p.kill(t)
	if got := examine(t, dir, nil); got.code != 0 ||
		!strings.Contains(got.out, "warning  erasure") {
		t.Errorf("got %+v", got)
	}
	p = start(t, dir)
	if isThere("zelda.4711") || isThere("violet-hatter") || isThere("Zk-4711") {
		t.Error("the person is in a file still")
	}
	p.checkSound(t)
	p.stop(t, 10*time.Second)
	if !strings.Contains(p.text(), "rewrote the database file") {
		t.Errorf("the log says\n%s", p.text())
	}
	if got := examine(t, dir, nil); got.code != 0 || strings.Contains(got.out, "erasure") {
		t.Errorf("got %+v", got)
	}
}
