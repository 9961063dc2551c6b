package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/marcboeker/go-duckdb/v2"

	"couponql/background"
	"couponql/coupon"
	"couponql/db/duckdb/memory"
)

// Defaults of Options.
const (
	// DefaultHoldDuration is how long an analyzed delivery keeps its codes.
	DefaultHoldDuration = 24 * time.Hour
	// DefaultMemoryLimit is how much memory the engine may take before it spills to disk. Twenty million codes are
	// imported as fast with it as with four times as much.
	DefaultMemoryLimit = "1GB"
)

const (
	// maxReaders is how many reads run at once; more wait. The engine is parallel inside a read, so more
	// connections than a few only make everybody slower.
	maxReaders = 4
	// maxAdditions is how many long additions of codes run at once beside the writer: one of each lane of imports, and
	// one of generateCodes.
	maxAdditions = 3
	// maxPreparations is how many deliveries are analyzed or confirmed at once: two would take the same codes.
	maxPreparations = 1
	// maxConnections: the writer and the journal never give theirs back, and an export, a snapshot, a draft and an integrity
	// report take one for long.
	maxConnections = maxReaders + maxAdditions + maxPreparations + 6
)

// Options says how to open a store. Only Path is required.
type Options struct {
	// Path is the database file; it is created when it does not exist. Beside it the store keeps the
	// folder Path + ".files" for uploads and spooled rows.
	Path string
	// CaseSensitiveCodes keeps codes apart that differ in case only. It is fixed when the database is
	// created; opening an existing one with another choice is an error.
	CaseSensitiveCodes bool
	// HoldDuration is how long an analyzed delivery keeps its codes; 0 means DefaultHoldDuration.
	HoldDuration time.Duration
	// MemoryLimit is what the engine may take, such as "2GB"; "" means DefaultMemoryLimit.
	MemoryLimit string
	// Now is the clock; nil means the machine's.
	Now func() time.Time
	// CutsLogAt, when it is not nil, is the byte behind which a damaged log is cut off, with what was acknowledged there. It
	// must be the one that Open told before; a log that is not damaged stays as it is. What follows is that of Restore.
	CutsLogAt *int64
	// Steady is a clock that nobody sets; nil means the machine's.
	Steady func() time.Time
	// isInspection opens the file without changing it; see Inspect.
	isInspection bool
}

// Store is an open database. Its methods are safe for concurrent use; each is one use case, and what
// it acknowledges is on disk.
type Store struct {
	options Options
	// id tells the database from every other one.
	id      string
	db      *sql.DB
	keys    coupon.CodeKeys
	memory  *memory.Memory
	drafts  drafts
	writer  *writer
	reports chan struct{}
	// additions and preparations are lanes beside the writer.
	additions, preparations lane
	// recipients, removals and redemptions let one at a time change recipients in place, delete codes, and read a file of
	// redemptions. No till needs them. Whoever has one may wait for the writer's turn; nobody waits for one in it.
	recipients, removals, redemptions lane
	// catalogs is held while a snapshot is attached, and while catalogs are listed; see listCatalogs.
	catalogs   lane
	settled    *settledClock
	work       *work
	statements atomic.Int64
	watchers   watchers
	// reserve is how many bytes of the disk every commit leaves free.
	reserve uint64
	// failed is closed when the engine failed; failure then tells why.
	failed   chan struct{}
	failOnce sync.Once
	failure  error
	// plans has the *sql.Stmt of each planned statement.
	plans sync.Map
	// running has the *importProgress of each import that runs, by its id.
	running sync.Map
	// exporting has the *exportProgress of each export that runs, by its id.
	exporting sync.Map
	// receiving has the *receiving of each upload that was written to, by its id.
	receiving sync.Map
	// waiting has the waitingMessages of each delivery that is being sent, by its id. Whoever holds the lock
	// of a delivery's sending may use its entry.
	waiting sync.Map
	// isRewritten and notRewritten tell what rewrite did.
	isRewritten  bool
	notRewritten error
	// notice tells what was odd about the engine's log.
	notice string
	// rates has the *sendingRate of each delivery that is being sent, by its id.
	rates   sync.Map
	keyring apiKeys
	audit   audit
}

// Open opens or creates the database, brings its schema up to date, makes its file anew if recipients were erased, and
// loads the pool. It returns an error that says what to do, and leaves everything as it is, when the file is in use by
// another process, is none of this version's databases, or has a log that is damaged.
func Open(ctx context.Context, options Options) (*Store, error) {
	s, err := describeStore(options)
	if err != nil {
		return nil, err
	}
	isNew, err := checkFile(s.options.Path)
	if err != nil {
		return nil, err
	}
	if isNew {
		// The folder that it is to be in may have to be made as well.
		if err := s.makeFolders(); err != nil {
			return nil, err
		}
		// Of a database that was here before there may be a mark; it says nothing of this one.
		if err := errors.Join(markCut.remove(s.options.Path), markFirst.set(s.options.Path)); err != nil {
			return nil, err
		}
		if s.options.CutsLogAt != nil {
			s.addNotice(needlessCut)
		}
	} else if err := s.checkLog(); err != nil {
		return nil, err
	}
	if err := s.connect(ctx); err != nil {
		return nil, err
	}
	for _, step := range []func(context.Context) error{s.refuseForeign, s.migrate, s.rewrite, s.load, s.finishStart} {
		if err := step(ctx); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	return s, nil
}

// Notice tells what an operator should know of the state in which Open found the database, "" when there is nothing.
func (s *Store) Notice() string { return s.notice }

// makeFolders makes the folders of the store.
func (s *Store) makeFolders() error {
	for _, dir := range []string{s.uploadDir(), s.exportDir(), s.spoolDir(), s.tempDir()} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("create the folder for files: %w", err)
		}
	}
	return nil
}

// describeStore gives a store that is not connected yet and has no folders.
func describeStore(options Options) (*Store, error) {
	if options.HoldDuration == 0 {
		options.HoldDuration = DefaultHoldDuration
	}
	if options.MemoryLimit == "" {
		options.MemoryLimit = DefaultMemoryLimit
	}
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.Steady == nil {
		began := time.Now()
		options.Steady = func() time.Time { return began.Round(0).Add(time.Since(began)) }
	}
	path, err := filepath.Abs(options.Path)
	if err != nil {
		return nil, fmt.Errorf("find the database: %w", err)
	}
	options.Path = path
	settled := &settledClock{lead: options.Now().Sub(options.Steady())}
	return &Store{
		options:   options,
		settled:   settled,
		work:      newWork(),
		keys:      coupon.CodeKeys{CaseSensitive: options.CaseSensitiveCodes},
		reports:   make(chan struct{}, 1),
		additions: make(lane, maxAdditions), preparations: make(lane, maxPreparations),
		recipients: make(lane, 1), removals: make(lane, 1), redemptions: make(lane, 1), catalogs: make(lane, 1),
		reserve: minFreeDisk,
		failed:  make(chan struct{}),
	}, nil
}

// load reads everything that is kept in memory.
func (s *Store) load(ctx context.Context) error {
	if err := s.makeFolders(); err != nil {
		return err
	}
	if err := s.checkSettings(ctx); err != nil {
		return err
	}
	if err := s.clearSpool(); err != nil {
		return err
	}
	if err := s.clearUploads(ctx); err != nil {
		return err
	}
	if err := s.clearExports(ctx); err != nil {
		return err
	}
	if err := s.loadKeys(ctx); err != nil {
		return fmt.Errorf("load the keys: %w", err)
	}
	last, err := one[int64](ctx, s, auditLast)
	if err != nil {
		return err
	}
	s.audit.last = last
	if s.memory, err = memory.New(); err != nil {
		return err
	}
	if err := s.loadMemory(ctx); err != nil {
		return fmt.Errorf("load the codes: %w", err)
	}
	s.writer, err = newWriter(ctx, s)
	return err
}

// Close interrupts what may take long, finishes what takes a moment and closes the file, unless the engine failed; see
// Interrupt and Failed. It returns an UnrecordedError when all is well but for a disk that had no room for the last notes.
//
//nolint:contextcheck // it finishes what requests began
func (s *Store) Close() error {
	s.Interrupt()
	if s.whole() == nil {
		s.work.going.Wait()
	}
	var unwritten error
	if s.writer != nil {
		unwritten = s.writeLast()
		s.writer.close()
	}
	if err := s.whole(); err != nil {
		return err
	}
	// A plan that is open keeps the engine from closing the file, and so does a draft.
	s.drafts.take().free()
	s.plans.Range(func(_, plan any) bool {
		_ = plan.(*sql.Stmt).Close() //nolint:forcetypeassert // nothing else is stored
		return true
	})
	if err := s.db.Close(); err != nil {
		return errors.Join(unwritten, fmt.Errorf("close the database: %w", err))
	}
	return unwritten
}

// ID gives what tells this database from every other one: 32 characters that change only when acknowledged changes were lost.
func (s *Store) ID() string { return s.id }

// background runs what belongs to the store beside its callers. What goes wrong in it without anybody who could be told is the
// end of the store; see Failed.
func (s *Store) background(do func() error) { background.Go(do, s.failWith) }

// later is background after a while.
func (s *Store) later(wait time.Duration, do func() error) *time.Timer {
	return background.After(wait, do, s.failWith)
}

func (s *Store) failWith(err error) {
	if err != nil {
		_ = s.fail(err)
	}
}

// uploadDir holds files that come in until nobody needs them any more.
func (s *Store) uploadDir() string { return filepath.Join(s.filesDir(), "uploads") }

// exportDir holds the files of exports until nobody needs them any more.
func (s *Store) exportDir() string { return filepath.Join(s.filesDir(), "exports") }

// spoolDir holds rows on their way into the engine.
func (s *Store) spoolDir() string { return filepath.Join(s.filesDir(), "spool") }

// tempDir is where the engine spills what does not fit into memory.
func (s *Store) tempDir() string { return filepath.Join(s.filesDir(), "temp") }

func (s *Store) filesDir() string { return s.options.Path + filesSuffix }

// filesSuffix and the name of a database file are the name of its folder.
const filesSuffix = ".files"

// clearSpool removes what a crash left behind: spooled rows are made anew by the import that is resumed.
func (s *Store) clearSpool() error {
	entries, err := os.ReadDir(s.spoolDir())
	if err != nil {
		return fmt.Errorf("read the spool folder: %w", err)
	}
	for _, entry := range entries {
		if err := os.RemoveAll(filepath.Join(s.spoolDir(), entry.Name())); err != nil {
			return fmt.Errorf("clear the spool folder: %w", err)
		}
	}
	return nil
}

// connect opens the file with every setting that the product relies on.
func (s *Store) connect(ctx context.Context) error {
	source := s.options.Path + withoutExtensions
	if s.options.isInspection {
		source += readOnly
	}
	connector, err := duckdb.NewConnector(source, nil)
	if err != nil {
		return openError(s.options.Path, err)
	}
	s.db = sql.OpenDB(connector)
	s.db.SetMaxOpenConns(maxConnections)
	s.db.SetMaxIdleConns(maxConnections)
	settings := []string{
		"SET GLOBAL TimeZone = 'UTC'",
		fmt.Sprintf("SET threads = %d", runtime.GOMAXPROCS(0)),
		"SET memory_limit = " + quote(s.options.MemoryLimit),
		"SET temp_directory = " + quote(s.tempDir()),
		// Rows are stored in the order they were inserted in: paging and zone maps rely on it.
		"SET preserve_insertion_order = true",
		"SET allowed_directories = [" + quote(s.spoolDir()+string(filepath.Separator)) + "]",
		// Once off, the engine opens no file but its own and the spool's; it cannot be turned on again.
		"SET enable_external_access = false",
		"SET lock_configuration = true",
	}
	for _, setting := range settings {
		if _, err := s.db.ExecContext(ctx, setting); err != nil {
			return errors.Join(fmt.Errorf("%s: %w", setting, err), s.db.Close())
		}
	}
	return nil
}

// connection takes a connection from the pool.
func (s *Store) connection(ctx context.Context) (*sql.Conn, error) {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return nil, storageError("open a connection", err)
	}
	return conn, nil
}

// discard closes a connection that is not to go back to the others, with the temporary tables that it has.
func discard(conn *sql.Conn) {
	// This error says that the connection is bad, and is given back.
	_ = conn.Raw(func(any) error { return driver.ErrBadConn })
}

// withoutExtensions, behind the name of a file, keeps the engine from fetching an extension that could read it: of what is
// set after a file was opened, opening it knows nothing. readOnly, behind that, has the engine leave the file as it is.
const (
	withoutExtensions = "?autoinstall_known_extensions=false&autoload_known_extensions=false"
	readOnly          = "&access_mode=read_only"
)

// openError says what became of opening a file.
func openError(path string, err error) error {
	if isLockedOut(err) {
		return fmt.Errorf("open %s: another process has the database open; stop it first: %w", path, err)
	}
	return fmt.Errorf("open %s: %w", path, err)
}

// isLockedOut tells the error of opening a file that another process has open.
func isLockedOut(err error) bool {
	return err != nil && strings.Contains(err.Error(), "Could not set lock")
}

// quote makes a SQL literal of a setting, which cannot be a parameter. It is used for the operator's
// own settings and for constants of ours, never for input.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// quoteName makes a name of SQL of the name of a column.
func quoteName(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// Keys tells how this database compares codes.
func (s *Store) Keys() coupon.CodeKeys { return s.keys }

// Statements counts the statements that were run since the start.
func (s *Store) Statements() int64 { return s.statements.Load() }

// Ping reports whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.whole(); err != nil {
		return err
	}
	if err := s.db.PingContext(ctx); err != nil {
		return fmt.Errorf("ping the database: %w", err)
	}
	return nil
}

// report waits for the lane of heavy questions, of which one runs at a time, so that they cannot
// starve quick reads. The caller gives it back with the function it gets.
func (s *Store) report(ctx context.Context) (func(), error) {
	select {
	case s.reports <- struct{}{}:
		return func() { <-s.reports }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for other reports: %w", context.Cause(ctx))
	}
}

// querier runs statements: the readers' pool, or the writer's transaction.
type querier interface {
	QueryContext(ctx context.Context, statement string, args ...any) (*sql.Rows, error)
}

// QueryContext makes the readers' pool a querier that counts.
func (s *Store) QueryContext(ctx context.Context, statement string, args ...any) (*sql.Rows, error) {
	if err := s.whole(); err != nil {
		return nil, err
	}
	s.statements.Add(1)
	return s.db.QueryContext(ctx, statement, args...)
}

// planned is a querier of the readers' pool for statements that read a few rows of one table by number: their
// plan is the same whatever the tables hold, and making it takes half of their time, so it is made once for each
// connection. A statement that joins is not for it: its plan would stay that for the tables as they once were.
type planned struct{ store *Store }

// QueryContext makes the planned statements a querier that counts.
func (p planned) QueryContext(ctx context.Context, statement string, args ...any) (*sql.Rows, error) {
	s := p.store
	if err := s.whole(); err != nil {
		return nil, err
	}
	known, isPlanned := s.plans.Load(statement)
	if !isPlanned {
		plan, err := s.db.PrepareContext(ctx, statement)
		if err != nil {
			return nil, err
		}
		var isTwice bool
		if known, isTwice = s.plans.LoadOrStore(statement, plan); isTwice {
			_ = plan.Close() //nolint:sqlclosecheck // another one was quicker; every other plan is closed with the store
		}
	}
	s.statements.Add(1)
	return known.(*sql.Stmt).QueryContext(ctx, args...) //nolint:forcetypeassert // nothing else is stored
}

// collect runs a statement and scans every row of its answer.
func collect[T any](ctx context.Context, q querier, statement string, scan func(*sql.Rows) (T, error), args ...any) ([]T, error) {
	rows, err := q.QueryContext(ctx, statement, args...)
	if err != nil {
		return nil, storageError(title(statement), err)
	}
	defer rows.Close()
	items := []T{}
	for rows.Next() {
		item, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("%s: scan: %w", title(statement), err)
		}
		items = append(items, item)
	}
	if err := rows.Err(); err != nil {
		return nil, storageError(title(statement), err)
	}
	return items, nil
}

// scanInto scans rows of one column.
func scanInto[T any](rows *sql.Rows) (T, error) {
	var value T
	err := rows.Scan(&value)
	return value, err
}

// one gives the single value of a statement that always has exactly one row.
func one[T any](ctx context.Context, q querier, statement string, args ...any) (T, error) {
	values, err := collect(ctx, q, statement, scanInto[T], args...)
	if err == nil && len(values) != 1 {
		err = fmt.Errorf("%s: %d rows instead of one", title(statement), len(values))
	}
	if err != nil {
		var zero T
		return zero, err
	}
	return values[0], nil
}

// title gives the first line of a statement, which says what it is for.
func title(statement string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(statement), "\n")
	return strings.TrimSpace(strings.TrimPrefix(line, "--"))
}

// named is a parameter of a statement.
func named(name string, value any) any { return sql.Named(name, value) }

// optional gives what a pointer points to, or NULL.
func optional[T any](value *T) driver.Value {
	if value == nil {
		return nil
	}
	return *value
}
