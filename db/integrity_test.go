package db

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"couponql/coupon"
)

// TestIntegrityOfNumbers damages a database in the ways that nothing but numbers tells: each check
// names what it finds, and nothing else is found that is not so. A backup of what is damaged is
// refused, and leaves nothing.
func TestIntegrityOfNumbers(t *testing.T) {
	t.Parallel()
	path := filledCopied(t, 0, false, false)
	tests := map[string]struct{ check, want string }{
		"UPDATE number SET given = 1 WHERE kind = 'coupon'":                                                       {"number_again", "coupon 2"},
		"DELETE FROM number WHERE kind = 'alert'":                                                                 {"number_again", ""},
		"INSERT INTO number VALUES ('export', 7)":                                                                 {"number_again", ""},
		"UPDATE number SET given = 0 WHERE kind = 'api_key'":                                                      {"number_again", "api_key 1"},
		"DELETE FROM code WHERE id = 3":                                                                           {"gone", "code_3 of redemption_2"},
		"DELETE FROM code WHERE id = 4":                                                                           {"gone", "code_4 of a void"},
		"DELETE FROM message WHERE id = 1":                                                                        {"gone", "message_1 of an outcome"},
		"DELETE FROM recipient WHERE id = 1":                                                                      {"gone", "recipient_1 of message_"},
		"DELETE FROM delivery WHERE id = 1":                                                                       {"gone", "delivery_1 of message_"},
		"DELETE FROM coupon WHERE id = 2":                                                                         {"gone", "coupon_2 of code_"},
		"INSERT INTO reversal VALUES (99, now()::TIMESTAMP, 'x')":                                                 {"gone", "redemption_99 of a reversal"},
		"UPDATE code_void SET batch_id = 99":                                                                      {"gone", "batch_99 of a void"},
		"INSERT INTO rejection VALUES (99, 1, 'x', 'x')":                                                          {"gone", "import_99 of a rejection"},
		"INSERT INTO hold VALUES (1, 99, NULL, 1, now()::TIMESTAMP)":                                              {"gone", "coupon_99 of a hold"},
		"INSERT INTO posted_redemption SELECT * REPLACE (id + 7 AS id) FROM posted_redemption":                    {"key_twice", "redemption_"},
		"INSERT INTO sending_attempt VALUES (1, 1, 1, 1, 1, now()::TIMESTAMP), (2, 1, 1, 1, 1, now()::TIMESTAMP)": {"number_twice", "batch of messages 1"},
	}
	for table, name := range map[string]string{
		"coupon": "coupon_1", "delivery": "delivery_1", "code": "code_1", "message": "message_1",
		"recipient": "recipient_1", "api_key": "",
		"posted_redemption": "redemption_1", "posted_audit_entry": "audit entry 1",
		"code_batch": "batch of codes 1",
	} {
		if name != "" { // which has a key of its own
			tests["INSERT INTO "+table+" FROM "+table] = struct{ check, want string }{
				"number_twice", name,
			}
		}
	}
	for status, counts := range map[string]string{
		"SUCCEEDED": "3, 1, 1", "FAILED": "3, 1, 0", "CANCELED": "3, 0, 4",
	} {
		tests["INSERT INTO import (id, kind, mode, status, format, is_dry_run, file_name, byte_count, checksum, on_rejection, options, timezone, created_at, "+
			"rows_read, rows_imported, rows_rejected) VALUES (9, 'CODES', 'ADD', '"+status+
			"', 'CSV', false, 'f', 1, 'x', 'SKIP_ROW', '{}', 'UTC', "+
			"now()::TIMESTAMP, "+counts+")"] = struct{ check, want string }{
			"import_rows", "import_9",
		}
	}
	for statement, test := range tests {
		t.Run(statement, func(t *testing.T) {
			t.Parallel()
			damaged := filepath.Join(t.TempDir(), "couponql.duckdb")
			copyFile(t, path, damaged)
			ExecOn(t, damaged, statement)
			found, err := Inspect(t.Context(), damaged, "1GB")
			if err != nil {
				t.Fatal(err)
			}
			i := slices.IndexFunc(found.Report.Checks,
				func(c *coupon.IntegrityCheck) bool { return c.Name == test.check })
			if c := found.Report.Checks[i]; c.Violations == 0 ||
				!strings.Contains(strings.Join(c.Examples, "\n"), test.want) {
				t.Errorf("got %+v of %v", c, found.Report.Broken())
			}
		})
	}
	t.Run("sound", func(t *testing.T) {
		t.Parallel()
		// A key may be used again when it does not count any more.
		later := filepath.Join(t.TempDir(), "couponql.duckdb")
		copyFile(t, path, later)
		ExecOn(
			t,
			later,
			"INSERT INTO posted_redemption SELECT * REPLACE (id + 7 AS id, recorded_at + INTERVAL 25 HOUR AS recorded_at, NULL AS code_id) FROM posted_redemption WHERE code_id IS NULL",
		)
		found, err := Inspect(t.Context(), later, "1GB")
		if err != nil || !found.Report.IsSound() {
			t.Errorf("got %v, %v", found.Report.Broken(), err)
		}
	})
}

// TestNumbersSetBack brings a database up to date that an earlier version damaged: its sequences
// begin anew, and two coupons have one number. The doubles are named, and no other number is given
// out again.
func TestNumbersSetBack(t *testing.T) {
	t.Parallel()
	names, err := migrationNames()
	if err != nil {
		t.Fatal(err)
	}
	last := slices.Index(names, "0010_numbers.sql")
	path := filledCopied(t, last, false, true)
	for _, statement := range []string{
		"CREATE OR REPLACE SEQUENCE coupon_id START 2",
		"INSERT INTO coupon SELECT * REPLACE (nextval('coupon_id') AS id, 'CPNX' AS code, 'CPNX' AS code_key) FROM coupon WHERE id = 1",
		"CREATE OR REPLACE SEQUENCE export_id",
		"INSERT INTO export VALUES (5, 'CODES', 'FAILED', 'CSV', '{}', 0, 0, NULL, now()::TIMESTAMP, NULL, NULL, NULL)",
	} {
		ExecOn(t, path, statement)
	}
	s := openAt(t, path)
	report, err := s.IntegrityReport(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if broken := report.Broken(); len(broken) == 0 || broken[0].Name != "number_twice" ||
		!slices.Contains(broken[0].Examples, "coupon_2") {
		t.Errorf("got %v", broken)
	}
	e := codesOfCoupon("coupon_1")
	if created, err := s.CreateExport(t.Context(), e); err != nil || created.ID != "export_6" {
		t.Errorf("the next export is %v, %v", created, err)
	}
	// A backup of it is refused, and leaves nothing.
	created, err := s.CreateExport(
		t.Context(),
		&coupon.Export{
			Kind: coupon.ExportBackup, Format: coupon.FormatDuckDB,
			Request: coupon.ExportRequest{HoursKept: 2},
		},
	)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.RunExport(t.Context(), created.ID, nil); err != nil {
		t.Fatal(err)
	}
	done, err := s.ExportsByID(t.Context(), []coupon.ID{created.ID})
	if e := done[created.ID]; err != nil || e.Status != coupon.ImportFailed ||
		!strings.Contains(*e.Failure, "number_twice: 1") {
		t.Errorf("the backup is %+v, %v", e, err)
	}
	for _, dir := range []string{s.spoolDir(), s.exportDir()} {
		if left, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(left) > 0 {
			t.Errorf("left %v, %v", left, err)
		}
	}
}

// codesOfCoupon asks for a file of the codes of a coupon.
func codesOfCoupon(id coupon.ID) *coupon.Export {
	return &coupon.Export{
		Kind: coupon.ExportCodes, Format: coupon.FormatCSV,
		Request: coupon.ExportRequest{CouponID: &id, HoursKept: 2},
	}
}
