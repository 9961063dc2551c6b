package analyst

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"

	"couponql/coupon"
	"couponql/db"
	"couponql/db/snapshot"
	"couponql/unavailable"
)

// Defaults of Options.
const (
	// DefaultMaxAge is how old a snapshot may be that is asked.
	DefaultMaxAge = time.Minute
	// DefaultTimeout is how long a query may take.
	DefaultTimeout = 30 * time.Second
	// DefaultMemoryLimit is what the engine may take for a query.
	DefaultMemoryLimit = "1GB"
)

const (
	// maxProcesses is how many queries run at once, exports included; more wait.
	maxProcesses = 2
	// maxWaiting is how many queries wait; more are refused.
	maxWaiting = 16
	// exportTimeout is how long the query of an export may take.
	exportTimeout = 10 * time.Minute
	// maxNoiseBytes is how much of what a process says beside its answer is kept for the log.
	maxNoiseBytes = 4 << 10
	// maxLineBytes bounds one line of an answer.
	maxLineBytes = coupon.MaxSQLResultBytes + 1<<20
	// spareCPU is how much processor time a process has beyond that of all cores until its time limit: it is the net under
	// a server that died.
	spareCPU = 10 * time.Second
)

// ErrBusy says that too many queries wait.
var ErrBusy error = &unavailable.Error{
	Cause:  "too many SQL queries wait",
	Reason: "The server answers other SQL queries, and many wait",
	Advice: fmt.Sprintf("Try again in %s.", unavailable.RetryAfter), RetryAfter: unavailable.RetryAfter,
}

// Options says how to answer.
type Options struct {
	// Program is the path of the program whose command answer-sql calls Answer.
	Program string
	// MaxAge is how old the snapshot may be that is asked; 0 means DefaultMaxAge.
	MaxAge time.Duration
	// Timeout is how long a query may take; 0 means DefaultTimeout.
	Timeout time.Duration
	// MemoryLimit is what the engine may take for a query, in MB or GB, such as "512MB"; "" means DefaultMemoryLimit.
	MemoryLimit string
	Log         *slog.Logger
}

// Analyst answers the SQL of analysts. A nil one answers that this is switched off. Its methods are safe for concurrent
// use.
type Analyst struct {
	store       *db.Store
	options     Options
	memoryBytes uint64
	// whole and masked keep what those are asked who may see everything, and those who may not.
	whole, masked *snapshots
	// running has a place for each process, and waiting one for each query besides.
	running chan struct{}
	waiting chan struct{}
}

// New returns the analyst of a store. It returns an error for options that make no sense.
func New(store *db.Store, options Options) (*Analyst, error) {
	if options.MaxAge == 0 {
		options.MaxAge = DefaultMaxAge
	}
	if options.Timeout == 0 {
		options.Timeout = DefaultTimeout
	}
	if options.MemoryLimit == "" {
		options.MemoryLimit = DefaultMemoryLimit
	}
	memory, err := ParseBytes(options.MemoryLimit)
	if err != nil {
		return nil, err
	}
	if options.MaxAge < 0 || options.Timeout < 0 {
		return nil, errors.New("the age of a snapshot and the time of a query must be more than 0")
	}
	return &Analyst{
		store: store, options: options, memoryBytes: memory,
		whole: newSnapshots(store, false, options.MaxAge, options.Log), masked: newSnapshots(store, true, options.MaxAge, options.Log),
		running: make(chan struct{}, maxProcesses), waiting: make(chan struct{}, maxWaiting),
	}, nil
}

// size is a memory limit as the engine reads it too.
var size = regexp.MustCompile(`(?i)^([0-9]{1,6}(?:\.[0-9]{1,6})?) ?([KMGT])(i?)B$`)

// ParseBytes returns the bytes of a memory limit such as 512MB, 1.5GB or 2GiB. It returns an error for what is none.
func ParseBytes(text string) (uint64, error) {
	parts := size.FindStringSubmatch(text)
	if parts == nil {
		return 0, fmt.Errorf("%q is no memory limit such as 512MB or 2GB", text)
	}
	count, err := strconv.ParseFloat(parts[1], 64)
	if err != nil || count == 0 {
		return 0, fmt.Errorf("%q is no memory limit such as 512MB or 2GB", text)
	}
	base := 1000.0
	if parts[3] != "" {
		base = 1024
	}
	return uint64(count * math.Pow(base, float64(1+strings.Index("KMGT", strings.ToUpper(parts[2]))))), nil
}

// Close removes the snapshots. No method may run or be called any more.
func (a *Analyst) Close() error {
	if a == nil {
		return nil
	}
	return errors.Join(a.whole.close(), a.masked.close())
}

func off() error {
	return coupon.Errorf(coupon.ErrorQueryRejected, "SQL is switched off on this server; it is switched on by --enable-sql.")
}

// Ask answers a query with at most limit rows. It returns INVALID, QUERY_REJECTED, QUERY_TIMEOUT, RESULT_TOO_LARGE, and ErrBusy.
// When ctx is done the query is ended at once. isMasked: codes and personal data are shown as coupon.Mask.
func (a *Analyst) Ask(ctx context.Context, query string, limit int, isMasked bool) (*coupon.SQLResult, error) {
	if a == nil {
		return nil, off()
	}
	if err := coupon.CheckSQL(query, limit); err != nil {
		return nil, err
	}
	result := &coupon.SQLResult{Columns: []*coupon.SQLColumn{}, Rows: [][]any{}}
	last, snapshot, err := a.run(ctx, &request{Task: taskRows, Query: query, Limit: limit}, isMasked, a.options.Timeout, func(l *line) error {
		if l.Columns != nil {
			result.Columns = l.Columns
		}
		if l.Row == nil {
			return nil
		}
		if len(l.Row) != len(result.Columns) || len(result.Rows) == limit {
			return errors.New("the process answers with other rows than were asked for")
		}
		row := make([]any, len(l.Row))
		for i, value := range l.Row {
			row[i] = value
		}
		result.Rows = append(result.Rows, row)
		return nil
	})
	if err != nil {
		return nil, err
	}
	result.IsTruncated, result.ElapsedMs, result.SnapshotAt = last.IsTruncated, last.ElapsedMs, snapshot.TakenAt
	result.SnapshotAgeMs = float64(snapshot.Age().Microseconds()) / 1000
	return result, nil
}

// Check reports whether a query can be exported. It returns QUERY_REJECTED.
func (a *Analyst) Check(ctx context.Context, query string, isMasked bool) error {
	if a == nil {
		return off()
	}
	if err := coupon.CheckSQL(query, 1); err != nil {
		return err
	}
	_, _, err := a.run(ctx, &request{Task: taskCheck, Query: query}, isMasked, a.options.Timeout, func(*line) error { return nil })
	return err
}

// Export writes all rows of the query of an export to a new file, alone in its folder, and gives how many there are. It
// is a db.WriteQuery, and returns what Ask does, but waits however many queries do.
func (a *Analyst) Export(ctx context.Context, e *coupon.Export, path string) (rows int, err error) {
	if a == nil {
		return 0, off()
	}
	room, err := a.store.FreeForExport()
	if err != nil {
		return 0, err
	}
	last, _, err := a.run(ctx, &request{
		Task:              taskFile,
		Query:             e.Request.Query,
		File:              path,
		FileBytes:         room,
		Format:            e.Format,
		IsSpreadsheetSafe: e.Request.IsSpreadsheetSafe,
	}, e.Request.IsMasked, exportTimeout, func(*line) error { return nil })
	if err != nil {
		return 0, err
	}
	return last.RowCount, nil
}

// enter waits for a place among the processes, and gives what gives it back.
func (a *Analyst) enter(ctx context.Context, isPatient bool) (leave func(), err error) {
	leave = func() { <-a.running }
	select {
	case a.running <- struct{}{}:
		return leave, nil
	default:
	}
	if !isPatient {
		select {
		case a.waiting <- struct{}{}:
			defer func() { <-a.waiting }()
		default:
			return nil, ErrBusy
		}
	}
	select {
	case a.running <- struct{}{}:
		return leave, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for other queries: %w", context.Cause(ctx))
	}
}

// run has a process do what a request says of a whole or a masked snapshot, and hands every line of its answer but the last to
// take.
func (a *Analyst) run(ctx context.Context, r *request, isMasked bool, timeout time.Duration, take func(*line) error) (*end, *snapshot.Snapshot, error) {
	leave, err := a.enter(ctx, r.Task == taskFile)
	if err != nil {
		return nil, nil, err
	}
	defer leave()
	snapshots := a.whole
	if isMasked {
		snapshots = a.masked
	}
	snapshot, release, err := snapshots.acquire(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer release()
	r.MemoryLimit, r.MemoryBytes = a.options.MemoryLimit, a.memoryBytes
	r.CPUSeconds = uint64((threads*timeout + spareCPU) / time.Second)
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	last, noise, err := a.process(limited, r, snapshot.Dir, take)
	switch {
	case ctx.Err() != nil:
		return nil, nil, fmt.Errorf("answer an analyst: %w", context.Cause(ctx))
	case limited.Err() != nil:
		return nil, nil, coupon.Errorf(coupon.ErrorQueryTimeout,
			"The query took longer than the %s that the server allows, and was ended. Ask for less at once: filter earlier, group by fewer columns.", timeout)
	case last != nil && last.Code != "":
		return nil, nil, problemOf(last)
	case last != nil && last.NeedsMemory, last == nil && isMemory(noise):
		return nil, nil, coupon.Errorf(coupon.ErrorResultTooLarge,
			"The query needs more memory than the %s that the server allows. Ask for less at once: filter earlier, group or sort by fewer columns.",
			a.options.MemoryLimit)
	case err != nil:
		if _, isUser := coupon.AsUserErrors(err); isUser {
			return nil, nil, err
		}
		return nil, nil, a.fault(ctx, fmt.Errorf("%w: %s", err, noise))
	case last.Failure != "":
		return nil, nil, a.fault(ctx, errors.New(last.Failure))
	}
	return last, snapshot, nil
}

// fault logs that a process failed, which a query can bring about, and tells the caller so.
func (a *Analyst) fault(ctx context.Context, err error) error {
	a.options.Log.WarnContext(ctx, "the process of an SQL query failed", "error", err)
	return coupon.Errorf(coupon.ErrorQueryRejected,
		"The engine failed at this query; nothing else is harmed. Write it another way. The server's log has the cause.")
}

// problemOf returns what a process has against a query. It may be anything that the query made of the process.
func problemOf(last *end) error {
	if last.Code == coupon.ErrorResultTooLarge {
		return coupon.Errorf(coupon.ErrorResultTooLarge, "%s", last.Message)
	}
	return coupon.Errorf(coupon.ErrorQueryRejected, "%s", last.Message).At("query")
}

// isMemory reports whether a process that ended without an answer had no memory left: the words are those of Go's runtime, of the
// C++ library and of the C library.
func isMemory(noise string) bool {
	for _, words := range []string{"out of memory", "cannot allocate memory", "bad_alloc", "failed to create new OS thread", "pthread_create failed"} {
		if strings.Contains(noise, words) {
			return true
		}
	}
	return false
}

// process runs a process to its end. Whatever happens, it is gone afterwards. It gives the end of its answer, nil when there
// is none, and what it said beside.
func (a *Analyst) process(ctx context.Context, r *request, dir string, take func(*line) error) (last *end, noise string, err error) {
	ctx, kill := context.WithCancel(ctx)
	defer kill()
	//nolint:gosec // the program is this one
	cmd := exec.CommandContext(ctx, a.options.Program, Command)
	// Nothing of the server's environment, which has secrets.
	cmd.Env = []string{}
	cmd.Dir = dir
	stderr := &limitedBuffer{}
	cmd.Stderr = stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, "", fmt.Errorf("make a pipe: %w", err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, "", fmt.Errorf("make a pipe: %w", err)
	}
	if err := start(cmd, r); err != nil {
		return nil, "", fmt.Errorf("start a process for SQL: %w", err)
	}
	defer func() {
		// When the answer is whole there is nothing left to do for the process.
		kill()
		_ = cmd.Wait()
		noise = stderr.String()
	}()
	if err := json.NewEncoder(in).Encode(r); err != nil {
		return nil, "", fmt.Errorf("ask a process for SQL: %w", err)
	}
	last, err = readAnswer(out, take)
	return last, "", err
}

// readAnswer reads the lines of a process. What foreign SQL could make of it is bounded.
func readAnswer(out io.Reader, take func(*line) error) (*end, error) {
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, maxLineBytes)
	total := 0
	for lines.Scan() {
		if total += len(lines.Bytes()); total > 2*maxLineBytes {
			return nil, tooLarge()
		}
		var l line
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			return nil, fmt.Errorf("read the answer of a process: %w", err)
		}
		if l.End != nil {
			return l.End, nil
		}
		if err := take(&l); err != nil {
			return nil, err
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read the answer of a process: %w", err)
	}
	return nil, errors.New("the process ended without an answer")
}

// limitedBuffer keeps the first bytes that are written to it.
type limitedBuffer struct{ bytes.Buffer }

// Write takes everything and keeps what there is room for.
func (b *limitedBuffer) Write(p []byte) (int, error) {
	if room := maxNoiseBytes - b.Len(); room > 0 {
		_, _ = b.Buffer.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}
