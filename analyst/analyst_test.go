package analyst_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"couponql/analyst"
	"couponql/coupon"
	"couponql/db"
	"couponql/db/dbtest"
	"couponql/short"
)

// TestMain lets the processes that answer queries be this program.
func TestMain(m *testing.M) {
	//nolint:forbidigo // it is a main function
	exit := os.Exit
	if len(os.Args) == 2 && os.Args[1] == analyst.Command {
		if err := analyst.Answer(os.Stdin, os.Stdout, exit); err != nil {
			fmt.Fprintln(os.Stderr, err)
			exit(1)
		}
		return
	}
	exit(short.Run(m, "TestAsk", "TestMasked", "TestAllowed"))
}

// room is a server as far as SQL is concerned.
type room struct {
	*analyst.Analyst

	store *db.Store
	clock *dbtest.Clock
	// folder has the database.
	folder string
	log    *bytes.Buffer
}

func newRoom(t *testing.T, edit func(*analyst.Options)) *room {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	r := &room{
		clock: dbtest.NewClock(time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)), folder: t.TempDir(),
		log: &bytes.Buffer{},
	}
	r.store = dbtest.Open(t, filepath.Join(r.folder, "couponql.duckdb"), r.clock.Use)
	options := analyst.Options{
		Program: program, Log: slog.New(slog.NewTextHandler(&lockedWriter{to: r.log}, nil)),
	}
	if edit != nil {
		edit(&options)
	}
	if r.Analyst, err = analyst.New(r.store, options); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Log(r.log.String())
		}
		if left := r.snapshots(t); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	})
	return r
}

// lockedWriter is a buffer that several goroutines write to.
type lockedWriter struct {
	mu sync.Mutex
	to *bytes.Buffer
}

func (w *lockedWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.to.Write(p)
}

// snapshots lists the snapshots that are on the disk.
func (r *room) snapshots(t *testing.T) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(r.folder, "*", "spool", "*"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// addCodes makes a coupon with so many codes.
func (r *room) addCodes(t *testing.T, count int) {
	t.Helper()
	c, err := r.store.CreateCoupon(t.Context(), &coupon.CouponChanges{
		Type: coupon.TypeIndividual, Label: coupon.Set(new("Winter")),
		StartsAt: coupon.Set(new(coupon.DateTime("2026-11-01"))),
	})
	if err != nil {
		t.Fatal(err)
	}
	codes := make([]coupon.NewCode, count)
	for i := range codes {
		codes[i].Value = fmt.Sprintf("CODE-%d", i)
	}
	if _, _, err := r.store.AddCodes(t.Context(), c.ID, codes); err != nil {
		t.Fatal(err)
	}
}

// codeOf returns the code of an error that the caller may see.
func codeOf(err error) coupon.ErrorCode {
	if problems, ok := coupon.AsUserErrors(err); ok {
		return problems[0].Code
	}
	return ""
}

func TestAsk(t *testing.T) {
	t.Parallel()
	r := newRoom(t, nil)
	r.addCodes(t, 5)
	got, err := r.Ask(t.Context(), "SELECT value, status FROM codes ORDER BY value DESC", 2, false)
	if err != nil {
		t.Fatal(err)
	}
	const rows = `[["CODE-4" "AVAILABLE"] ["CODE-3" "AVAILABLE"]]`
	if len(got.Columns) != 2 ||
		*got.Columns[1] != (coupon.SQLColumn{Name: "status", Type: "VARCHAR"}) ||
		fmt.Sprintf("%s", got.Rows) != rows ||
		!got.IsTruncated || !got.SnapshotAt.Equal(r.clock.Now()) || got.SnapshotAgeMs != 0 ||
		got.ElapsedMs <= 0 {
		t.Errorf("got %+v", got)
	}
	if got, err := r.Ask(t.Context(), "FROM codes", 5, false); err != nil || got.IsTruncated ||
		got.RowCount() != 5 {
		t.Errorf("got %+v, %v", got, err)
	}
	for _, limit := range []int{0, coupon.MaxSQLRows + 1} {
		if _, err := r.Ask(t.Context(), "SELECT 1", limit,
			false); codeOf(err) != coupon.ErrorInvalid {
			t.Errorf("limit %d: got %v", limit, err)
		}
	}
	var off *analyst.Analyst
	if _, err := off.Ask(t.Context(),
		"SELECT 1", 1, false); codeOf(err) != coupon.ErrorQueryRejected || !strings.Contains(err.Error(), "--enable-sql") {
		t.Errorf("got %v", err)
	}
}

// inside finds what a message must not tell of the server.
func inside(folder string) *regexp.Regexp {
	return regexp.MustCompile(regexp.QuoteMeta(folder) + `|snapshot\.duckdb|Stack Trace`)
}

// TestHostile asks what must be refused or stopped, while the server goes on.
func TestHostile(t *testing.T) {
	t.Parallel()
	r := newRoom(t, func(o *analyst.Options) { o.Timeout, o.MemoryLimit = 3*time.Second, "300MB" })
	r.addCodes(t, 100)
	secret := filepath.Join(t.TempDir(), "secret.csv")
	if err := os.WriteFile(secret, []byte("a,b\ntop,secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	target := filepath.Join(t.TempDir(), "out")
	const rejected, timeout, large = coupon.ErrorQueryRejected, coupon.ErrorQueryTimeout,
		coupon.ErrorResultTooLarge
	// Which limit is reached first depends on the machine.
	const stopped = coupon.ErrorCode("QUERY_TIMEOUT or RESULT_TOO_LARGE")
	for _, test := range []struct {
		query string
		want  coupon.ErrorCode
		// message is a part of what the caller is told.
		message string
	}{
		// Files.
		{
			"SELECT * FROM read_csv('" + secret + "')", rejected,
			"table function read_csv is not available",
		},
		{"SELECT * FROM read_text('" + secret + "')", rejected, "read_text"},
		{"SELECT * FROM read_blob('" + secret + "')", rejected, "read_blob"},
		{"SELECT * FROM '" + secret + "'", rejected, "disabled by configuration"},
		{"SELECT * FROM \"" + secret + "\"", rejected, "disabled by configuration"},
		{"SELECT * FROM glob('/etc/*')", rejected, "glob"},
		{"SELECT * FROM sniff_csv('" + secret + "')", rejected, "sniff_csv"},
		{"SELECT * FROM read_parquet('x.parquet')", rejected, "read_parquet"},
		{"SELECT * FROM parquet_metadata('x.parquet')", rejected, "parquet_metadata"},
		{"SELECT * FROM read_json_auto('/proc/self/environ')", rejected, "read_json_auto"},
		{
			"SELECT * FROM query('SELECT * FROM read_text(''" + secret + "'')')", rejected,
			"table function query ",
		},
		{"SELECT * FROM query_table('codes')", rejected, "query_table"},
		{"SELECT (SELECT content FROM read_text('" + secret + "'))", rejected, "read_text"},
		{"WITH x AS MATERIALIZED (SELECT * FROM glob('*')) SELECT * FROM x", rejected, "glob"},
		{"COPY codes TO '" + target + "'", rejected, "Only SELECT"},
		{"COPY (SELECT 1) TO '" + target + "' (FORMAT parquet)", rejected, "Only SELECT"},
		{"EXPORT DATABASE '" + target + "'", rejected, "Only SELECT"},
		{"IMPORT DATABASE '" + target + "'", rejected, "Only SELECT"},
		// Other databases, extensions, network.
		{"ATTACH '" + target + "' AS x", rejected, "Only SELECT"},
		{"ATTACH ':memory:' AS x", rejected, "Only SELECT"},
		{"DETACH snapshot", rejected, "Only SELECT"},
		{"USE memory", rejected, "Only SELECT"},
		{"INSTALL httpfs", rejected, "Only SELECT"},
		{"LOAD '" + target + "'", rejected, "Only SELECT"},
		{"SELECT * FROM read_csv('https://example.com/x.csv')", rejected, "read_csv"},
		{"SELECT * FROM 'https://example.com/x.parquet'", rejected, ""},
		{"SELECT * FROM duckdb_extensions()", rejected, "duckdb_extensions"},
		// Settings, the engine and the environment.
		{"SET memory_limit = '100GB'", rejected, "Only SELECT"},
		{"SET VARIABLE x = 1", rejected, "Only SELECT"},
		{"RESET ALL", rejected, "Only SELECT"},
		{"PRAGMA enable_profiling", rejected, "Only SELECT"},
		{"PRAGMA database_list", rejected, ""},
		{"CHECKPOINT", rejected, "Only SELECT"},
		{"FORCE CHECKPOINT", rejected, "Only SELECT"},
		{"VACUUM", rejected, "Only SELECT"},
		{"ANALYZE", rejected, "Only SELECT"},
		{"SELECT * FROM checkpoint()", rejected, "checkpoint"},
		{"SELECT * FROM enable_logging()", rejected, "enable_logging"},
		{"CALL enable_logging()", rejected, "Only SELECT"},
		{"SELECT * FROM duckdb_settings()", rejected, "duckdb_settings"},
		{"SELECT * FROM duckdb_settings", rejected, "duckdb_settings"},
		{"SELECT * FROM pg_catalog.pg_settings", rejected, "pg_settings"},
		{"SELECT path FROM duckdb_databases()", rejected, "duckdb_databases"},
		{"SELECT * FROM duckdb_databases", rejected, "duckdb_databases"},
		{"SELECT * FROM pragma_database_size()", rejected, "pragma_database_size"},
		{"SELECT * FROM duckdb_secrets()", rejected, "duckdb_secrets"},
		{"SELECT current_setting('temp_directory')", rejected, "current_setting is not available"},
		{
			"SELECT json_serialize_plan('SELECT 1 FROM fact.codes', optimize := true)", rejected,
			"json_serialize_plan is not available",
		},
		{"SELECT getenv('HOME')", rejected, "getenv is not available"},
		{"SELECT write_log('x')", rejected, "write_log is not available"},
		{"SELECT nextval('coupon_id')", rejected, "nextval"},
		{"SELECT pg_sleep(100)", rejected, "pg_sleep"},
		{"SELECT * FROM test_all_types()", rejected, "test_all_types"},
		{
			"SELECT * FROM json_execute_serialized_sql('{}')", rejected,
			"json_execute_serialized_sql",
		},
		// Changes, and several statements.
		{"DELETE FROM codes", rejected, "Only SELECT"},
		{"INSERT INTO fact.codes SELECT * FROM fact.codes", rejected, "Only SELECT"},
		{"UPDATE fact.codes SET value = 'x'", rejected, "Only SELECT"},
		{"DROP TABLE fact.codes", rejected, "Only SELECT"},
		{"CREATE TABLE x AS SELECT 1", rejected, "Only SELECT"},
		{"CREATE TEMP TABLE x (a INT)", rejected, "Only SELECT"},
		{"CREATE MACRO f(x) AS x", rejected, "Only SELECT"},
		{"ALTER TABLE fact.codes ADD COLUMN x INT", rejected, "Only SELECT"},
		{"COMMENT ON VIEW codes IS 'x'", rejected, "Only SELECT"},
		{"PREPARE x AS SELECT 1", rejected, "Only SELECT"},
		{"EXECUTE x", rejected, "Only SELECT"},
		{"BEGIN", rejected, "Only SELECT"},
		{"EXPLAIN ANALYZE SELECT 1", rejected, "Only SELECT"},
		{"SELECT 1; SELECT 2", rejected, "these are 2 statements"},
		{"SELECT 1; DROP TABLE fact.codes", rejected, "Only SELECT"},
		{"DROP TABLE fact.codes; SELECT 1", rejected, "Only SELECT"},
		{"SELECT 1) LIMIT 1; DROP TABLE fact.codes; SELECT (1", rejected, "Parser Error"},
		{
			"SELECT 1') UNION ALL SELECT * FROM read_text('" + secret + "') --", rejected,
			"Parser Error",
		},
		{"SELECT $1", rejected, "has a parameter"},
		{"SELECT ?", rejected, "has a parameter"},
		{"", rejected, ""},
		{"-- nothing", rejected, ""},
		{"\x00SELECT 1", rejected, ""},
		{
			"SELECT '" + strings.Repeat("x", coupon.MaxSQLQueryBytes) + "'", rejected,
			"the longest may have",
		},
		{"SELECT " + strings.Repeat("(", 5000) + "1" + strings.Repeat(")", 5000), "", ""},
		{"SELECT " + strings.Repeat("-", 1) + strings.Repeat("(1+", 900) + "1" + strings.Repeat(
			")", 900,
		), "", ""},
		// What is not there.
		{"SELECT * FROM setting", rejected, "does not exist"},
		{"SELECT idempotency_key FROM redemptions", rejected, "not found"},
		{"SELEC 1", rejected, `syntax error at or near "SELEC"`},
		{"SELECT nope FROM codes", rejected, `column "nope" not found`},
		{"SELECT 'x'::INTEGER FROM range(3)", rejected, "Could not convert string 'x'"},
		{"SELECT error('mine')", rejected, "mine"},
		// Time.
		{"SELECT count(*) FROM range(1000000) a, range(1000000) b, range(1000000) c WHERE a.range + b.range + c.range = 7", timeout, "3s"},
		{"WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT max(n) FROM r", stopped, ""},
		{"WITH RECURSIVE r AS (SELECT 1::HUGEINT AS n UNION SELECT (n * 7919) % 1000000007 FROM r) SELECT count(*) FROM r", stopped, ""},
		{"SELECT max(levenshtein(repeat('a', 20000), repeat('b', 20000) || i)) FROM range(1000) t(i)", timeout, "3s"},
		{"SELECT sum(list_reduce(range(1000000), lambda a, b: (a * b + i) % 7)) FROM range(1000) t(i)", stopped, ""},
		// Memory.
		{"SELECT repeat('x', 1000000000)", stopped, ""},
		{"SELECT length(repeat('x', 4000000000))", stopped, ""},
		{"SELECT list(i) FROM range(1000000000) t(i)", stopped, ""},
		{"SELECT i, count(*) FROM range(100000000) t(i) GROUP BY i ORDER BY 2, 1", stopped, ""},
		{"SELECT string_agg(i, ',') FROM range(1000000000) t(i)", stopped, ""},
		{"SELECT range(1000000000)", stopped, ""},
		{"SELECT repeat('x', 9000000)", stopped, ""},
		{"SELECT repeat('x', 100000) FROM range(1000)", stopped, ""},
	} {
		name := test.query
		if len(name) > 60 {
			name = name[:60]
		}
		began := time.Now()
		got, err := r.Ask(t.Context(), test.query, 1000, false)
		if took := time.Since(began); took > 30*time.Second {
			t.Errorf("%s: took %s", name, took)
		}
		// On a busy machine the process may have had no time to read the query: what is to be
		// rejected is asked again.
		for tries := 0; test.want == rejected && codeOf(err) == timeout && tries < 10; tries++ {
			got, err = r.Ask(t.Context(), test.query, 1000, false)
		}
		// A case without a wanted code is one that may end in several ways, but ends.
		_, isUser := coupon.AsUserErrors(err)
		switch {
		case err != nil && !isUser:
			t.Errorf("%s: got the error %v", name, err)
		case test.want == stopped && codeOf(err) != timeout && codeOf(err) != large,
			test.want != "" && test.want != stopped && codeOf(err) != test.want:
			t.Errorf("%s: got %+v, %v, want %s", name, got, err, test.want)
		case err != nil && !strings.Contains(err.Error(), test.message):
			t.Errorf("%s: got %q, want %q in it", name, err, test.message)
		case err != nil && inside(r.folder).MatchString(err.Error()):
			t.Errorf("%s: %q tells of the server's inside", name, err)
		}
		if _, err := os.Stat(target); err == nil {
			t.Fatalf("%s: wrote a file", name)
		}
		// The server is as it was.
		if codes, err := r.store.CodeByValue(t.Context(), "CODE-7", coupon.AnyState); err != nil ||
			codes == nil {
			t.Fatalf("%s: then the server answers %v, %v", name, codes, err)
		}
	}
	if got, err := r.Ask(t.Context(), "SELECT count(*) FROM codes", 1, false); err != nil ||
		fmt.Sprintf("%s", got.Rows) != "[[100]]" {
		t.Errorf("got %+v, %v", got, err)
	}
}

// TestAllowed asks what analysts use beside plain SELECT.
func TestAllowed(t *testing.T) {
	t.Parallel()
	r := newRoom(t, nil)
	r.addCodes(t, 3)
	for _, query := range []string{
		"FROM codes SELECT status, count(*) GROUP BY ALL", "DESCRIBE codes", "SUMMARIZE coupons",
		"SHOW TABLES", "VALUES (1), (2)", "SELECT 1;\n-- done",
		"SELECT column_name, comment FROM duckdb_columns() WHERE table_name = 'codes'",
		"SELECT * FROM information_schema.columns",
		"SELECT unnest([1, 2])", "SELECT * FROM generate_series(1, 3)", "SELECT random(), uuid()",
		"SELECT now() IS NOT NULL",
		"SELECT c.label, k.value FROM coupons c JOIN codes k ON k.coupon_id = c.id QUALIFY row_number() OVER (ORDER BY k.value) = 1",
		"SELECT metadata->>'x' FROM coupons", "SELECT date_trunc('month', added_at AT TIME ZONE 'UTC' AT TIME ZONE 'Europe/Berlin') FROM codes",
		"PIVOT (SELECT label, status FROM codes) ON status IN ('AVAILABLE', 'REDEEMED') USING count(*)", "SELECT * FROM codes ASOF JOIN coupons ON codes.coupon_id = coupons.id AND codes.added_at >= coupons.starts_at",
	} {
		for _, isMasked := range []bool{false, true} {
			if got, err := r.Ask(t.Context(), query, 10, isMasked); err != nil ||
				got.RowCount() == 0 {
				t.Errorf("%s, masked %t: got %+v, %v", query, isMasked, got, err)
			}
		}
	}
}

// TestMasked: who may not see codes is asked of a snapshot without any, and others of one with all,
// in any order and when they are renewed; a file that is exported has what its caller may see.
func TestMasked(t *testing.T) {
	t.Parallel()
	r := newRoom(t, nil)
	r.addCodes(t, 3)
	for range 2 {
		for _, isMasked := range []bool{false, true, false} {
			got, err := r.Ask(t.Context(), "SELECT DISTINCT left(value, 5) FROM codes",
				10, isMasked)
			want := map[bool]string{false: `[["CODE-"]]`, true: `[["•••"]]`}[isMasked]
			if err != nil || fmt.Sprintf("%s", got.Rows) != want {
				t.Errorf("masked %t: got %+v, %v, want %s", isMasked, got, err, want)
			}
			path := filepath.Join(t.TempDir(), "rows")
			if _, err := r.Export(t.Context(), &coupon.Export{
				Kind: coupon.ExportSQL, Format: coupon.FormatCSV,
				Request: coupon.ExportRequest{Query: "SELECT value FROM codes", IsMasked: isMasked},
			}, path); err != nil {
				t.Fatal(err)
			}
			content, err := os.ReadFile(path)
			if err != nil || strings.Contains(string(content), "CODE-") == isMasked {
				t.Errorf("masked %t: the file has %s, %v", isMasked, content, err)
			}
		}
		r.clock.Advance(2 * time.Minute)
	}
}

// TestProcessIsBare looks at what the process of a query has: no environment, no files but its
// pipes.
func TestProcessIsBare(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("looks at /proc")
	}
	r := newRoom(t, func(o *analyst.Options) { o.Timeout = 3 * time.Second })
	done := make(chan error, 1)
	go func() {
		_, err := r.Ask(
			t.Context(),
			"SELECT count(*) FROM range(1000000) a, range(1000000) b, range(1000000) c WHERE a.range + b.range + c.range = 7",
			1,
			false,
		)
		done <- err
	}()
	var seen string
	for end := time.Now().Add(3 * time.Second); time.Now().Before(end) &&
		seen == ""; time.Sleep(5 * time.Millisecond) {
		seen = bareProcess(t, r.folder)
	}
	if seen == "" {
		t.Error("no process was seen")
	}
	if err := <-done; codeOf(err) != coupon.ErrorQueryTimeout {
		t.Errorf("got %v", err)
	}
}

// bareProcess finds a process of ours that has a snapshot of the folder open, and checks it.
func bareProcess(t *testing.T, folder string) string {
	t.Helper()
	children, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", os.Getpid()))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range children {
		text, _ := os.ReadFile(path)
		for pid := range strings.FieldsSeq(string(text)) {
			process := "/proc/" + pid
			entries, err := os.ReadDir(process + "/fd")
			if err != nil {
				continue
			}
			files := 0
			var foreign []string
			for _, entry := range entries {
				switch to, _ := os.Readlink(process + "/fd/" + entry.Name()); {
				case strings.HasPrefix(to, folder) && strings.HasSuffix(to, "snapshot.duckdb"):
					files++
				case strings.HasPrefix(to, "/") && to != os.DevNull:
					foreign = append(foreign, to)
				}
			}
			if files == 0 {
				continue
			}
			if len(foreign) > 0 {
				t.Errorf("the process has %v open", foreign)
			}
			if environment, err := os.ReadFile(process + "/environ"); err == nil &&
				len(bytes.Trim(environment, "\x00")) > 0 {
				t.Errorf("the process has the environment %q", environment)
			}
			status, err := os.ReadFile(process + "/status")
			if err == nil &&
				!regexp.MustCompile(`(?s)CapPrm:\t0+\n.*CapEff:\t0+\n.*NoNewPrivs:\t1`).
					Match(status) {
				t.Errorf("the process has rights, or may gain some:\n%s", status)
			}
			limits, err := os.ReadFile(process + "/limits")
			if err == nil &&
				regexp.MustCompile(`Max (file size|address space|cpu time) +unlimited`).
					Match(limits) {
				t.Errorf("the process has no limits:\n%s", limits)
			}
			return pid
		}
	}
	return ""
}

// TestCancel: when the caller goes away the query is ended at once, and the place is free.
func TestCancel(t *testing.T) {
	t.Parallel()
	r := newRoom(t, nil)
	for _, query := range []string{
		"SELECT count(*) FROM range(1000000) a, range(1000000) b, range(1000000) c WHERE a.range + b.range + c.range = 7",
		"SELECT max(levenshtein(repeat('a', 20000), repeat('b', 20000) || i)) FROM range(1000) t(i)",
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		began := time.Now()
		_, err := r.Ask(ctx, query, 1, false)
		cancel()
		if _, isUser := coupon.AsUserErrors(err); err == nil || isUser ||
			!errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("it took %s to end", took)
		}
	}
}

// TestSnapshotAge: a snapshot is asked until it is too old; one that is getting old is followed
// while it is asked.
func TestSnapshotAge(t *testing.T) {
	t.Parallel()
	r := newRoom(t, nil)
	began := r.clock.Now()
	ask := func(wantAge time.Duration, wantRows string) {
		t.Helper()
		got, err := r.Ask(t.Context(), "SELECT count(*) FROM codes", 1, false)
		if err != nil {
			t.Fatal(err)
		}
		if age := time.Duration(
			got.SnapshotAgeMs,
		) * time.Millisecond; age != wantAge || r.clock.Now().Sub(got.SnapshotAt) != wantAge ||
			fmt.Sprintf("%s", got.Rows) != wantRows {
			t.Errorf("%s after the start: got %s old, %s, want %s, %s", r.clock.Now().Sub(began),
				age, got.Rows, wantAge, wantRows)
		}
	}
	ask(0, "[[0]]")
	r.addCodes(t, 3)
	r.clock.Advance(29 * time.Second)
	ask(29*time.Second, "[[0]]")
	r.clock.Advance(2 * time.Second)
	ask(31*time.Second, "[[0]]")
	for len(r.snapshots(t)) != 1 || func() bool {
		got, err := r.Ask(t.Context(), "SELECT 1", 1, false)
		return err != nil || got.SnapshotAgeMs > 0
	}() {
		time.Sleep(10 * time.Millisecond)
	}
	ask(0, "[[3]]")
	r.clock.Advance(2 * time.Minute)
	ask(0, "[[3]]")
}

// TestSnapshotAfterJumps: who asks after the machine slept, or the clock was set, is told what is
// so now, and no age below zero.
func TestSnapshotAfterJumps(t *testing.T) {
	t.Parallel()
	r := newRoom(t, nil)
	for i, step := range []struct{ jump, pass time.Duration }{
		{0, 0}, {8 * time.Hour, 0}, {-24 * time.Hour, analyst.DefaultMaxAge}, {48 * time.Hour, 0},
	} {
		r.clock.Jump(step.jump)
		r.clock.Advance(step.pass)
		got, err := r.Ask(t.Context(), "SELECT count(*) FROM codes", 1, false)
		if err != nil || fmt.Sprintf("%s", got.Rows) != fmt.Sprintf("[[%d]]", i) ||
			got.SnapshotAgeMs != 0 {
			t.Errorf("after a jump by %s and %s: %+v, %v, want %d codes", step.jump, step.pass,
				got, err, i)
		}
		// All but the last of them are there already.
		r.addCodes(t, i+1)
	}
}

// TestSnapshotIsRemoved: a snapshot that nobody asks any more is gone from the disk after maxAge,
// without another query, and however the clock is set.
func TestSnapshotIsRemoved(t *testing.T) {
	t.Parallel()
	r := newRoom(t, func(o *analyst.Options) { o.MaxAge = 100 * time.Millisecond })
	if _, err := r.Ask(t.Context(), "SELECT 1", 1, false); err != nil {
		t.Fatal(err)
	}
	if got := r.snapshots(t); len(got) != 1 {
		t.Fatalf("after a query there are %v", got)
	}
	r.clock.Jump(-24 * time.Hour)
	r.clock.Advance(99 * time.Millisecond)
	got, err := r.Ask(t.Context(), "SELECT 1", 1, false)
	if err != nil || got.SnapshotAgeMs < 0 {
		t.Errorf("with the clock set back: %+v, %v", got, err)
	}
	for deadline := time.Now().Add(10 * time.Second); len(r.snapshots(t)) > 0; {
		if time.Now().After(deadline) {
			t.Fatalf("ten seconds after the last query there are %v", r.snapshots(t))
		}
		// The last query may have had a snapshot made, whose time begins when it is.
		r.clock.Advance(10 * time.Millisecond)
		time.Sleep(10 * time.Millisecond)
	}
	if _, err := r.Ask(t.Context(), "SELECT 1", 1, false); err != nil {
		t.Errorf("the next query: %v", err)
	}
}

// TestSnapshotFails: a snapshot that cannot be made is an error of who asks, and a line in the log;
// the next one is made.
func TestSnapshotFails(t *testing.T) {
	t.Parallel()
	r := newRoom(t, nil)
	spool := filepath.Join(r.folder, "couponql.duckdb.files", "spool")
	if err := os.Rename(spool, spool+"-away"); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Ask(t.Context(), "SELECT 1", 1, false); err == nil {
		t.Error("SQL is answered without a snapshot")
	}
	if err := os.Rename(spool+"-away", spool); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Ask(t.Context(), "SELECT 1", 1, false); err != nil {
		t.Errorf("the next query: %v", err)
	}
	if !strings.Contains(r.log.String(), "could not make a snapshot") {
		t.Errorf("the log says %s", r.log)
	}
}

// TestQueue: few run at once, some wait, and more are refused.
func TestQueue(t *testing.T) {
	t.Parallel()
	r := newRoom(t, func(o *analyst.Options) { o.Timeout = 5 * time.Second })
	const callers = 24
	errs := make(chan error, callers)
	ctx, cancel := context.WithCancel(t.Context())
	for range callers {
		go func() {
			_, err := r.Ask(ctx, "SELECT count(*) FROM range(1000000) a, range(1000000) b, range(1000000) c WHERE a.range + b.range + c.range = 7", 1, false)
			errs <- err
		}()
	}
	for range callers - 18 {
		if err := <-errs; !errors.Is(err, analyst.ErrBusy) {
			t.Errorf("got %v", err)
		}
	}
	cancel()
	for range 18 {
		if err := <-errs; err == nil || errors.Is(err, analyst.ErrBusy) {
			t.Errorf("got %v", err)
		}
	}
	if _, err := r.Ask(t.Context(), "SELECT 1", 1, false); err != nil {
		t.Error(err)
	}
}

// TestServerDies: a process ends itself when its server has gone, whatever it is at.
func TestServerDies(t *testing.T) {
	t.Parallel()
	r := newRoom(t, nil)
	taken, err := r.store.TakeSnapshot(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := taken.Remove(); err != nil {
			t.Error(err)
		}
	}()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	endsItself(t, program, taken.Dir)
}

// TestExport writes the files of a query.
func TestExport(t *testing.T) {
	t.Parallel()
	r := newRoom(t, nil)
	r.addCodes(t, 3)
	export := func(query string, format coupon.FileFormat, isSafe bool) (string, int, error) {
		path := filepath.Join(t.TempDir(), "rows")
		rows, err := r.Export(t.Context(), &coupon.Export{
			Kind: coupon.ExportSQL, Format: format,
			Request: coupon.ExportRequest{Query: query, IsSpreadsheetSafe: isSafe},
		}, path)
		content, _ := os.ReadFile(path)
		return string(content), rows, err
	}
	const query = `SELECT '=1+1' AS "a "" b", 12::HUGEINT AS n, 1.50::DECIMAL(9,2) AS d, TIMESTAMP '2026-11-23 01:02:03' AS at, DATE '2026-11-23' AS day,
		[1, 2] AS list, NULL AS nothing, '00123' AS zip, true AS yes -- the end`
	for _, test := range []struct {
		format coupon.FileFormat
		isSafe bool
		want   string
	}{
		{coupon.FormatCSV, false, "\"a \"\" b\",n,d,at,day,list,nothing,zip,yes\n=1+1,12,1.50,2026-11-23T01:02:03.000000,2026-11-23,\"[1,2]\",,00123,true\n"},
		{coupon.FormatCSV, true, "\"a \"\" b\",n,d,at,day,list,nothing,zip,yes\n'=1+1,12,1.50,2026-11-23T01:02:03.000000,2026-11-23,\"[1,2]\",,\"=\"\"00123\"\"\",true\n"},
		{
			coupon.FormatJSONL, false, `{"a \" b":"=1+1","n":12,"d":"1.50","at":"2026-11-23T01:02:03.000000","day":"2026-11-23","list":[1,2],` +
				`"nothing":null,"zip":"00123","yes":true}` + "\n",
		},
	} {
		got, rows, err := export(query, test.format, test.isSafe)
		if err != nil || rows != 1 || got != test.want {
			t.Errorf("%s: got %d, %v\n%s\nwant\n%s", test.format, rows, err, got, test.want)
		}
	}
	if got, rows, err := export(
		"FROM range(100000) t(i) JOIN codes ON true",
		coupon.FormatParquet,
		false,
	); err != nil || rows != 300_000 ||
		!strings.HasPrefix(got, "PAR1") {
		t.Errorf("got %d, %v, %d bytes", rows, err, len(got))
	}
	for query, want := range map[string]coupon.ErrorCode{
		"SELECT nope":                                 coupon.ErrorQueryRejected,
		"SELECT 'x'::INT FROM range(3)":               coupon.ErrorQueryRejected,
		"SELECT list(i) FROM range(10000000000) t(i)": coupon.ErrorResultTooLarge,
		"SELECT * FROM read_text('rows')":             coupon.ErrorQueryRejected,
	} {
		if _, _, err := export(query, coupon.FormatCSV, false); codeOf(err) != want {
			t.Errorf("%s: got %v", query, err)
		}
	}
}

// TestOptions refuses what makes no sense.
func TestOptions(t *testing.T) {
	t.Parallel()
	for _, options := range []analyst.Options{
		{MemoryLimit: "lots"},
		{MemoryLimit: "0GB"},
		{MemoryLimit: "1 Gb/s"},
		{MaxAge: -1},
		{Timeout: -1},
	} {
		if _, err := analyst.New(nil, options); err == nil {
			t.Errorf("%+v: no error", options)
		}
	}
}
