package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// commandResult is what came of a command.
type commandResult struct {
	code     int
	out, err string
}

// commandLine runs a command against the server.
func (p *process) commandLine(t *testing.T, stdin string, args ...string) commandResult {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary, args...)
	cmd.Env = append(os.Environ(), "COUPONQL_URL="+p.url)
	return resultOf(t, cmd, stdin)
}

func resultOf(t *testing.T, cmd *exec.Cmd, stdin string) commandResult {
	t.Helper()
	var out, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &stderr
	err := cmd.Run()
	if _, isExit := errors.AsType[*exec.ExitError](err); err != nil && !isExit {
		t.Fatal(err)
	}
	return commandResult{cmd.ProcessState.ExitCode(), out.String(), stderr.String()}
}

// writeFile makes a file.
func writeFile(t *testing.T, dir, name, content string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestCommandLine brings a shop's files in and out again.
func TestCommandLine(t *testing.T) {
	t.Parallel()
	p, dir := start(t, t.TempDir()), t.TempDir()
	var created any
	p.must(t, createCoupon, &created)
	p.must(t, `mutation { createDelivery(input: {label: "L", body: "b", couponId: "coupon_1"}) { delivery { id } } }`, &created)
	codes := writeFile(t, dir, "codes.csv", "Voucher no.;batch\nAAA;x\n;x\naaa;x\nBBB;\n")
	rejects := filepath.Join(dir, "rejects.csv")

	got := p.commandLine(t, "", "import", "codes", codes, "--coupon", "CPN1", "--column",
		"code=Voucher no.", "--column", "label=batch",
		"--label", "rest", "--rejects", rejects)
	if got.code != 3 || got.err != "" ||
		!strings.Contains(got.out, "4 rows read, 2 imported, 2 rejected") ||
		!strings.Contains(got.out, "1 DUPLICATE_IN_FILE: ") {
		t.Fatalf("import codes: got %+v", got)
	}
	if text, err := os.ReadFile(rejects); err != nil || !strings.Contains(string(text), "aaa") {
		t.Errorf("the rejected rows are %q, %v", text, err)
	}
	for _, test := range []struct {
		stdin string
		args  []string
		code  int
		want  string
	}{
		{
			"code\nCCC\n",
			[]string{"import", "codes", "-", "--coupon", "coupon_1", "--json"},
			0,
			`"rowsImported":1,"rowsRejected":0`,
		},
		{"CCC\n", []string{
			"import", "codes", "-", "--coupon", "coupon_1", "--mode", "void", "--no-header", "-q",
		}, 0, ""},
		{
			"code\nDDD\nAAA\n",
			[]string{"import", "codes", "-", "--coupon", "CPN1", "--reject-file"},
			1,
			"not imported",
		},
		{
			"code\nDDD\n",
			[]string{"import", "codes", "-", "--coupon", "CPN1", "--dry-run"},
			0,
			"1 would be imported",
		},
		{
			"external id,email\nc-1,ada@example.com\n",
			[]string{"import", "recipients", "-"},
			0, "1 added",
		},
		{
			"external id\nc-1\n",
			[]string{"import", "targets", "-", "--delivery", "delivery_1"},
			0, "1 added",
		},
		{
			"code,redeemed on\nAAA,2026-11-23 12:00\n",
			[]string{"import", "redemptions", "-", "--timezone", "Europe/Berlin"},
			0, "1 added",
		},
		{"code\nA\n", []string{"import", "codes", "-", "--coupon", "nothing"}, 1, ""},
		{"", []string{"import", "codes", "no such file", "--coupon", "CPN1"}, 2, ""},
	} {
		got := p.commandLine(t, test.stdin, test.args...)
		if got.code != test.code || !strings.Contains(got.out, test.want) ||
			test.want == "" && got.out != "" {
			t.Errorf("%v: got %+v, want %d %q", test.args, got, test.code, test.want)
		}
	}
}

// TestCommandLineExports brings out what is there, and in again.
func TestCommandLineExports(t *testing.T) {
	t.Parallel()
	p, dir := start(t, t.TempDir()), t.TempDir()
	var created any
	p.must(t, createCoupon, &created)
	p.must(t, `mutation { createDelivery(input: {label: "L", body: "b", couponId: "coupon_1"}) { delivery { id } } }`, &created)
	if got := p.commandLine(t, "code;label\nAAA;x\nBBB;\nCCC;x\n", "import", "codes", "-",
		"--coupon", "CPN1"); got.code != 0 {
		t.Fatalf("import codes: got %+v", got)
	}
	redemptions := "code,redeemed on\nAAA,2026-11-23 12:00\n"
	if got := p.commandLine(t, redemptions, "import", "redemptions", "-", "--timezone",
		"Europe/Berlin"); got.code != 0 {
		t.Fatalf("import redemptions: got %+v", got)
	}
	for _, test := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"export", "codes", "--coupon", "CPN1", "--status", "available"}, 0, "BBB"},
		{
			[]string{"export", "codes", "--coupon", "CPN1", "--label", "x", "--spreadsheet-safe"},
			0, "AAA",
		},
		{
			[]string{"export", "redemptions", "--coupon", "CPN1", "--format", "jsonl"},
			0,
			"2026-11-23T11:00:00.000000Z",
		},
		{[]string{"export", "messages", "--delivery", "delivery_1"}, 0, ""},
		{[]string{"export", "messages", "--delivery", "delivery_2"}, 1, ""},
		{[]string{
			"export", "codes", "--coupon", "CPN1", "-o", filepath.Join(dir, "a.parquet"), "--json",
		}, 0, `"format":"PARQUET","rowCount":3`},
		{[]string{
			"export", "codes", "--coupon", "CPN1", "-o", filepath.Join(dir, "a.parquet"),
		}, 2, ""},
		{[]string{
			"export", "codes", "--coupon", "CPN1", "-o", filepath.Join(dir, "a.csv"), "-q",
		}, 0, ""},
	} {
		got := p.commandLine(t, "", test.args...)
		if got.code != test.code || !strings.Contains(got.out, test.want) {
			t.Errorf("%v: got %+v, want %d %q", test.args, got, test.code, test.want)
		}
	}
	// What was exported can be imported again.
	again := p.commandLine(t, "", "import", "codes", filepath.Join(dir, "a.csv"),
		filepath.Join(dir, "a.parquet"), "--coupon", "CPN1", "--dry-run", "--json")
	if again.code != 3 || strings.Count(again.out,
		`"rejectionsByReason":[{"reason":"ALREADY_EXISTS","count":3}]`) != 2 {
		t.Errorf("again: got %+v", again)
	}
}

// A file of several pieces arrives whole.
func TestCommandLineSendsLargeFiles(t *testing.T) {
	t.Parallel()
	p := start(t, t.TempDir())
	var created any
	p.must(t, createCoupon, &created)
	var content strings.Builder
	const count = 200_000
	content.WriteString("code;label;remark\n")
	remark := strings.Repeat("x", 200)
	for i := range count {
		content.WriteString("CODE-" + strconv.Itoa(i) + ";l;" + remark + "\n")
	}
	got := p.commandLine(t, "", "import", "codes",
		writeFile(t, t.TempDir(), "codes.csv", content.String()), "--coupon", "CPN1", "--json")
	var job struct {
		RowsImported int     `json:"rowsImported"`
		ByteCount    float64 `json:"byteCount"`
	}
	if err := json.Unmarshal([]byte(got.out), &job); err != nil || got.code != 0 ||
		job.RowsImported != count || job.ByteCount != float64(content.Len()) {
		t.Errorf("got %+v, %v", got, err)
	}
}

// Ctrl-C while a file is sent ends with 130, and nothing is imported.
func TestCommandLineInterrupted(t *testing.T) {
	t.Parallel()
	p := start(t, t.TempDir())
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, "import", "recipients", "-", "--url", p.url)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// More than the pipe and the connection hold: when it is written, the command is at work.
	if _, err := stdin.Write(bytes.Repeat([]byte("external id\n"), 1<<18)); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	exit, isExit := errors.AsType[*exec.ExitError](cmd.Wait())
	if !isExit || exit.ExitCode() != 130 || !strings.Contains(stderr.String(), "interrupted") {
		t.Errorf("got %v: %s", exit, stderr.String())
	}
	var read struct{ Imports struct{ TotalCount int } }
	p.must(t, `{ imports { totalCount } }`, &read)
	if read.Imports.TotalCount != 0 {
		t.Errorf("got %d imports", read.Imports.TotalCount)
	}
}

func TestCommandLineNobodyThere(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), binary, "export", "redemptions", "--url",
		"http://127.0.0.1:1")
	if got := resultOf(t, cmd, ""); got.code != 1 || got.out != "" ||
		!strings.Contains(got.err, "connection refused") {
		t.Errorf("got %+v", got)
	}
}

// TestSQLCommand asks a server in SQL, which must be switched on there.
func TestSQLCommand(t *testing.T) {
	t.Parallel()
	off := start(t, t.TempDir())
	if got := off.commandLine(t, "", "sql", "SELECT 1"); got.code != 1 ||
		!strings.Contains(got.err, "--enable-sql") || got.out != "" {
		t.Errorf("got %+v", got)
	}
	dir := t.TempDir()
	p := start(t, dir, "--enable-sql")
	var created any
	p.must(t, createCoupon, &created)
	got := p.commandLine(t, "SELECT label, status FROM coupons", "sql", "-", "--format", "csv")
	if got.code != 0 || got.err != "" || !strings.HasPrefix(got.out, "label,status\n") ||
		strings.Count(got.out, "\n") != 2 {
		t.Errorf("got %+v", got)
	}
	if got := p.commandLine(t, "", "sql",
		"SELECT * FROM read_text('/etc/passwd')"); got.code != 1 ||
		!strings.Contains(got.err, "read_text is not available") {
		t.Errorf("got %+v", got)
	}
	// A caller who goes away ends the query, and a server that dies its process; nothing of it is
	// left at the next start.
	cmd := exec.CommandContext(
		t.Context(),
		binary,
		"sql",
		"SELECT count(*) FROM range(1000000) a, range(1000000) b, range(1000000) c WHERE a.range + b.range + c.range = 7",
	)
	cmd.Env = append(os.Environ(), "COUPONQL_URL="+p.url)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Second)
	p.kill(t)
	_ = cmd.Wait()
	again := start(t, dir, "--enable-sql")
	left, err := filepath.Glob(filepath.Join(dir, "*.files", "spool", "*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if got := again.commandLine(t, "", "sql", "SELECT 1 AS one"); got.code != 0 ||
		!strings.Contains(got.out, "one") {
		t.Errorf("got %+v", got)
	}
	again.stop(t, 5*time.Second)
	if left, err := filepath.Glob(filepath.Join(dir, "*.files", "spool", "*")); err != nil ||
		len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
