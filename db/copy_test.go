package db

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"couponql/coupon"
	"couponql/db/duckdb"
)

var (
	fillPath   = flag.String("fill", "", "used by the tests themselves: a database that a process of its own makes and leaves open until it is killed")
	fillErases = flag.Bool(
		"fill-erases",
		false,
		"used by the tests themselves: somebody is erased in that database, so that the next start makes its file anew",
	)
	fillMigrations = flag.Int("fill-migrations", 0,
		"used by the tests themselves: how many migrations that database has; 0: all")
)

// TestCopies copies a database in every way there is, after a stop and after a kill, and compares
// each copy with its source: what it consists of, rows, settings and next numbers. The newest of
// everything is deleted in the source, so that no row tells which numbers were given out.
func TestCopies(t *testing.T) {
	t.Parallel()
	if *fillPath != "" {
		fillCopied(t)
		return
	}
	for _, way := range []struct {
		name string
		// copies gives the file of a copy of the database at a path, which may be the same.
		copies func(t *testing.T, path string) string
		// differs are settings and kinds of rows that are not the source's, and skips is how many
		// numbers are passed over.
		differs []string
		skips   int64
	}{
		{"start", reopened, nil, 0},
		{"rewrite", rewritten, []string{erasedSinceRewrite}, 0},
		{"backup", backedUp, []string{backupTakenAt, "export"}, 0},
		{"restore", restored, []string{"database_id", "export", "upload"}, skippedNumbers},
		{"restore of a restored one", func(t *testing.T, path string) string { t.Helper(); return restored(t, restored(t, path)) }, []string{"database_id", "export", "upload"}, 2 * skippedNumbers},
	} {
		for _, isKilled := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, killed %t", way.name, isKilled), func(t *testing.T) {
				t.Parallel()
				source := filledCopied(t, 0, way.name == "rewrite", isKilled)
				want := readCopied(t, source)
				path := way.copies(t, source)
				got := readCopied(t, path)
				for _, name := range way.differs {
					for _, all := range []copied{want, got} {
						delete(all.rows, name)
						delete(all.settings, name)
					}
				}
				for kind, given := range want.given {
					want.given[kind] = given + way.skips
				}
				// Backups take the number of their export.
				want.given[string(numberOfExports)], got.given[string(numberOfExports)] = 0, 0
				if diff := cmp.Diff(want, got, cmp.AllowUnexported(copied{})); diff != "" {
					t.Errorf("(-source +copy):\n%s", diff)
				}
				if way.name != "backup" { // which is not opened
					checkNextNumbers(t, path, want.given)
				}
			})
		}
	}
}

// TestCopiesOfEveryVersion brings a database of each earlier version up to date, after a stop and
// after a kill: what was in it is in it, and no number is given out again. A database that was
// damaged before, with sequences set back, gives out none of those that its rows have.
func TestCopiesOfEveryVersion(t *testing.T) {
	t.Parallel()
	names, err := migrationNames()
	if err != nil {
		t.Fatal(err)
	}
	for count := 1; count < len(names); count++ {
		for _, isKilled := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, killed %t", names[count-1], isKilled), func(t *testing.T) {
				t.Parallel()
				path := filledCopied(t, count, false, isKilled)
				want := readCopied(t, path)
				reopened(t, path)
				got := readCopied(t, path)
				for table, rows := range want.rows {
					if table == "migration" || table == "setting" {
						continue
					}
					// A later version has more columns, or keeps the rows elsewhere.
					if has := len(got.rows[table]) +
						len(got.rows["posted_"+table]); has != len(rows) {
						t.Errorf("%s has %d rows instead of %d", table, has, len(rows))
					}
				}
				for name, value := range want.settings {
					if got.settings[name] != value {
						t.Errorf("%s is %q instead of %q", name, got.settings[name], value)
					}
				}
				if got.given[string(numberOfCoupons)] != 3 ||
					got.given[string(numberOfDeliveries)] != 2 ||
					got.given[string(numberOfImports)] != 1 {
					t.Errorf("numbers are given out after %v", got.given)
				}
				checkNextNumbers(t, path, got.given)
			})
		}
	}
}

// copied is what a copy and its source have in common.
type copied struct {
	schema string
	// rows are those of each table in the order of the file, which pages rely on.
	rows     map[string][]string
	settings map[string]string
	given    map[string]int64
}

// readCopied reads a database, with its log, past the store.
func readCopied(t *testing.T, path string) copied {
	t.Helper()
	dir := t.TempDir()
	read := filepath.Join(dir, "couponql.duckdb")
	for _, suffix := range []string{"", duckdb.LogSuffix} {
		if _, err := os.Stat(path + suffix); suffix == "" || err == nil {
			copyFile(t, path+suffix, read+suffix)
		}
	}
	database, err := sql.Open("duckdb", read+"?access_mode=read_only")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := database.Close(); err != nil {
			t.Error(err)
		}
	}()
	ask := func(statement string) []string {
		found, err := duckdb.Collect(t.Context(), database, statement, duckdb.ScanInto[string])
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	c := copied{
		rows: map[string][]string{}, settings: map[string]string{}, given: map[string]int64{},
	}
	c.schema = schemaOf(t, database) +
		strings.Join(
			ask("SELECT sql FROM duckdb_views() WHERE NOT internal ORDER BY view_name"), "\n",
		)
	for _, table := range ask("SELECT table_name FROM duckdb_tables() ORDER BY table_name") {
		switch table {
		case "setting":
			for _, line := range ask("SELECT name || '=' || value FROM setting") {
				name, value, _ := strings.Cut(line, "=")
				c.settings[name] = value
			}
		case "number":
			for _, line := range ask("SELECT kind || '=' || given FROM number") {
				kind, value, _ := strings.Cut(line, "=")
				var given int64
				if _, err := fmt.Sscan(value, &given); err != nil {
					t.Fatal(err)
				}
				c.given[kind] = given
			}
		case "journal", "posted_redemption", "posted_audit_entry":
			// When they are posted is chance; the views below have both.
		default:
			c.rows[table] = ask("SELECT t::VARCHAR FROM " + table + " t")
		}
	}
	for _, view := range ask("SELECT view_name FROM duckdb_views() WHERE NOT internal") {
		columns := "*"
		if view == "redemption" || view == "audit_entry" {
			columns = "* EXCLUDE is_journaled"
		}
		c.rows[view] = ask(
			"SELECT v::VARCHAR FROM (SELECT " + columns + " FROM " + view + ") v ORDER BY ALL",
		)
	}
	return c
}

// filledCopied makes a database in a process of its own, with so many migrations (0: all), and
// gives its path. Unless that process is killed, it is closed properly.
func filledCopied(t *testing.T, migrated int, erases, isKilled bool) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "couponql.duckdb")
	process := exec.CommandContext(
		t.Context(),
		os.Args[0],
		"-test.run=^TestCopies$",
		"-fill="+path,
		fmt.Sprint("-fill-migrations=", migrated),
		fmt.Sprint("-fill-erases=", erases),
	)
	in, err := process.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	process.Stderr = os.Stderr
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	isFilled := false
	for !isFilled && lines.Scan() {
		if isFilled = lines.Text() == filled; !isFilled {
			t.Log(lines.Text())
		}
	}
	if isKilled {
		err = process.Process.Kill()
	} else {
		err = in.Close()
	}
	if waited := process.Wait(); !isKilled {
		err = errors.Join(err, waited)
	}
	if err != nil || !isFilled {
		t.Fatalf("the process that makes a database: %v, filled: %t", err, isFilled)
	}
	return path
}

// filled is what that process says when it is done; it ends with its input.
const filled = "filled"

// fillCopied is what that process does.
func fillCopied(t *testing.T) {
	t.Helper()
	wait := func() {
		_, _ = fmt.Fprintln(os.Stdout, filled)
		_, _ = bufio.NewReader(os.Stdin).ReadString(0)
	}
	if *fillMigrations > 0 {
		fillEarlier(t, *fillMigrations, wait)
		return
	}
	s := openAt(t, *fillPath)
	fillStore(t, s)
	wait()
}

// fillStore makes some of everything, and deletes the newest again.
func fillStore(t *testing.T, s *Store) {
	t.Helper()
	ctx := WithAudit(
		t.Context(),
		&coupon.AuditEntry{
			At: s.Now(), Caller: "key_1", Role: coupon.RoleAdmin, Kind: coupon.AuditMutation,
			Action: "redeemCode", Input: "{}", RequestID: "R",
		},
	)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	newAnonymousCoupon(t, s)
	var ids []coupon.ID
	for range 2 {
		c, err := s.CreateCoupon(t.Context(), &coupon.CouponChanges{
			Type: coupon.TypeIndividual, Label: coupon.Set(new("c")),
			StartsAt:           coupon.Set(new(coupon.DateTime("2020-01-01"))),
			RequiresAssignment: coupon.Set(new(false)),
		})
		must(err)
		ids = append(ids, c.ID)
	}
	added, _, err := s.AddCodes(t.Context(), ids[0],
		[]coupon.NewCode{{Value: "A", Label: new("x")}, {Value: "b"}, {Value: "C"}, {Value: "D"}})
	must(err)
	if len(added) != 4 {
		t.Fatalf("added %v", added)
	}
	_, err = s.VoidCodes(t.Context(), &CodeSelection{CouponID: ids[0], Values: []string{"D"}})
	must(err)
	_, err = s.UpsertRecipients(t.Context(), []*coupon.RecipientChanges{
		{ExternalID: "r1", Email: coupon.Set(new("r1@example.org"))},
		{ExternalID: "r2", Email: coupon.Set(new("r2@example.org"))},
	})
	must(err)
	for range 2 {
		d, err := s.CreateDelivery(t.Context(), &coupon.DeliveryChanges{
			Label: coupon.Set(new("d")), Subject: coupon.Set(new("s")),
			Body: coupon.Set(new("{{ couponValue.code }}")), CouponID: coupon.Set(&ids[0]),
		})
		must(err)
		ids = append(ids, d.ID)
	}
	fine := func(*coupon.Delivery, *coupon.Coupon) coupon.ContentFindings {
		return coupon.ContentFindings{}
	}
	_, err = s.AddTargets(t.Context(), ids[2], nil, &coupon.RecipientFilter{})
	must(err)
	_, _, err = s.AnalyzeDelivery(t.Context(), ids[2], fine)
	must(err)
	_, err = s.ConfirmDelivery(t.Context(), ids[2], fine)
	must(err)
	_, err = s.StopDelivery(t.Context(), ids[2])
	must(err)
	must(s.DeleteDelivery(t.Context(), ids[3]))
	must(s.DeleteCoupon(t.Context(), ids[1]))
	_, _, err = s.CreateKey(t.Context(), &coupon.NewAPIKey{Label: "k", Role: coupon.RoleAdmin})
	must(err)
	u, err := s.CreateUpload(t.Context(), &coupon.Upload{FileName: "f.csv"})
	must(err)
	must(s.DeleteUpload(t.Context(), u.ID))
	must(s.update(t.Context(), func(ctx context.Context, t *turn) error {
		_, err := t.nextNumber(ctx, numberOfBatches)
		return err
	}))
	for _, value := range []string{"ALL", "C"} {
		_, err := s.Redeem(ctx,
			&coupon.RedeemRequest{Value: value, IdempotencyKey: new("key of " + value)})
		must(err)
	}
	if *fillErases {
		_, err = s.EraseRecipients(t.Context(), nil, []string{"r2"})
		must(err)
	}
	waitPosted(t, s)
}

// openEarlier connects to a new database that has these migrations alone.
func openEarlier(t *testing.T, path string, migrations []string) *Store {
	t.Helper()
	s, err := describeStore(Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.engine.Exec(t.Context(), migrationCreate); err != nil {
		t.Fatal(err)
	}
	if err := s.applyMigrations(t.Context(), nil, migrations); err != nil {
		t.Fatal(err)
	}
	return s
}

// fillEarlier makes a database as an earlier version left it, with numbers of its sequences.
func fillEarlier(t *testing.T, migrated int, wait func()) {
	t.Helper()
	names, err := migrationNames()
	if err != nil {
		t.Fatal(err)
	}
	s := openEarlier(t, *fillPath, names[:migrated])
	numbered := strings.NewReplacer()
	if slices.Index(names, "0010_numbers.sql") < migrated {
		// What sequences gave out before is what a table says now.
		numbered = strings.NewReplacer("nextval('coupon_id')", "i + 1", "nextval('delivery_id')",
			"i + 1", "nextval('import_id')", "1")
		const given = "UPDATE number SET given = CASE kind WHEN 'coupon' THEN 3 WHEN 'delivery' THEN 2 WHEN 'import' THEN 1 ELSE given END"
		if err := s.engine.Exec(t.Context(), given); err != nil {
			t.Fatal(err)
		}
	}
	batch := "INSERT INTO code_batch BY NAME SELECT 1 AS id, 1 AS coupon_id, 1 AS first_id, 3 AS last_id, now()::TIMESTAMP AS created_at"
	if slices.Index(names, "0020_batches.sql") < migrated {
		batch += ", 'ADDED' AS kind, 3 AS count"
	}
	for _, statement := range []string{
		batch,
		"INSERT INTO setting VALUES ('case_sensitive_codes', 'false')",
		"INSERT INTO coupon SELECT nextval('coupon_id'), 'c', 'CPN' || i, 'CPN' || i, 'INDIVIDUAL', TIMESTAMP '2020-01-01', NULL, 1, false, NULL, NULL, 'UTC', '{}', NULL, now()::TIMESTAMP, now()::TIMESTAMP FROM range(3) r(i)",
		"INSERT INTO code SELECT i + 1, 1, 1, NULL, 'K' || i, NULL FROM range(3) r(i)",
		"INSERT INTO delivery (id, label, channel, coupon_id, subject, body, message_limit, match_label_to, contact_at, status, target_count, analysis, first_message_id, message_count, sent_count, failed_count, canceled_count, outbox_size, created_at, confirmed_at, finished_at) SELECT nextval('delivery_id'), 'd', 'EMAIL', 1, 's', 'b', NULL, NULL, NULL, 'EDITING', 0, NULL, NULL, 0, 0, 0, 0, 0, now()::TIMESTAMP, NULL, NULL FROM range(2) r(i)",
		"INSERT INTO import (id, kind, mode, status, format, is_dry_run, coupon_id, file_name, byte_count, checksum, on_rejection, options, timezone, rows_read, rows_imported, rows_rejected, created_at) SELECT nextval('import_id'), 'CODES', 'ADD', 'FAILED', 'CSV', false, 1, 'f', 1, 'x', 'SKIP', '{}', 'UTC', 0, 0, 0, now()::TIMESTAMP",
		"DELETE FROM coupon WHERE id = 3",
		"DELETE FROM delivery WHERE id = 2",
	} {
		if err := s.engine.Exec(t.Context(), numbered.Replace(statement)); err != nil {
			t.Fatal(statement, err)
		}
	}
	wait()
	if err := s.engine.Close(); err != nil {
		t.Fatal(err)
	}
}

// reopened starts on a database and stops.
func reopened(t *testing.T, path string) string {
	t.Helper()
	s, err := Open(t.Context(), Options{Path: path, MemoryLimit: "1GB"})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// rewritten starts on a database, which makes its file anew.
func rewritten(t *testing.T, path string) string {
	t.Helper()
	s, err := Open(t.Context(), Options{Path: path, MemoryLimit: "1GB"})
	if err != nil {
		t.Fatal(err)
	}
	if isDone, err := s.Rewritten(); !isDone || err != nil {
		t.Errorf("rewritten: %t, %v", isDone, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// backedUp makes a backup right after the start.
func backedUp(t *testing.T, path string) string {
	t.Helper()
	s, err := Open(t.Context(), Options{Path: path, MemoryLimit: "1GB"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	created, err := s.CreateExport(t.Context(), &coupon.Export{
		Kind: coupon.ExportBackup, Format: coupon.FormatDuckDB,
		Request: coupon.ExportRequest{HoursKept: 2},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.RunExport(t.Context(), created.ID, nil); err != nil {
		t.Fatal(err)
	}
	done, err := s.ExportsByID(t.Context(), []coupon.ID{created.ID})
	if err != nil || done[created.ID].VerifiedAt() == nil {
		t.Fatalf("the backup is %+v, %v", done[created.ID], err)
	}
	backup := filepath.Join(t.TempDir(), "backup.duckdb")
	copyFile(t, s.exportPath(coupon.MustNumber(coupon.KindExport, created.ID)), backup)
	return backup
}

// restored makes a database of a backup.
func restored(t *testing.T, path string) string {
	t.Helper()
	backup := backedUp(t, path)
	target := filepath.Join(t.TempDir(), "restored.duckdb")
	if _, err := Restore(t.Context(), RestoreOptions{Backup: backup, Path: target}); err != nil {
		t.Fatal(err)
	}
	return target
}

// checkNextNumbers creates things in a copy: each has the number after those that were given out.
func checkNextNumbers(t *testing.T, path string, given map[string]int64) {
	t.Helper()
	s := openAt(t, path)
	checkReport(t, s)
	c, err := s.CreateCoupon(t.Context(), &coupon.CouponChanges{
		Type: coupon.TypeIndividual, Label: coupon.Set(new("next")),
		StartsAt: coupon.Set(new(coupon.DateTime("2020-01-01"))),
	})
	if err != nil {
		t.Fatal(err)
	}
	d, err := s.CreateDelivery(t.Context(),
		&coupon.DeliveryChanges{Label: coupon.Set(new("d")), Body: coupon.Set(new("b"))})
	if err != nil {
		t.Fatal(err)
	}
	u, err := s.CreateUpload(t.Context(), &coupon.Upload{FileName: "f.csv"})
	if err != nil {
		t.Fatal(err)
	}
	k, _, err := s.CreateKey(t.Context(), &coupon.NewAPIKey{Label: "k", Role: coupon.RoleAdmin})
	if err != nil {
		t.Fatal(err)
	}
	want := []coupon.ID{
		coupon.NewID(coupon.KindCoupon, given["coupon"]+1),
		coupon.NewID(coupon.KindDelivery, given["delivery"]+1),
		coupon.NewID(coupon.KindUpload, given["upload"]+1),
		coupon.NewID(coupon.KindAPIKey, given["api_key"]+1),
	}
	if diff := cmp.Diff(want, []coupon.ID{c.ID, d.ID, u.ID, k.ID}); diff != "" {
		t.Errorf("next (-want +got):\n%s", diff)
	}
	checkReport(t, s)
}
