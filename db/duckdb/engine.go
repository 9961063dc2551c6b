package duckdb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/marcboeker/go-duckdb/v2"
)

// Options says how to open an engine. All of it is required, but for IsReadOnly.
type Options struct {
	// Path is the database file; it is created when it does not exist.
	Path string
	// SpoolDir is the one folder that the engine may read from and write to, TempDir that for what
	// does not fit into memory.
	SpoolDir, TempDir string
	// MemoryLimit is what the engine may take, such as "2GB".
	MemoryLimit string
	// MaxConnections is how many connections there are at once.
	MaxConnections int
	// TemporaryTables are the temporary tables that transactions share between their statements;
	// see Tx.Create.
	TemporaryTables []string
	// IsReadOnly leaves the file as it is.
	IsReadOnly bool
}

// Engine is an open database file. Its methods are safe for concurrent use.
type Engine struct {
	options    Options
	db         *sql.DB
	statements atomic.Int64
	// plans has the *sql.Stmt of each planned statement.
	plans sync.Map
	// catalogs is held while a snapshot is attached, and while catalogs are listed; see
	// ListCatalogs.
	catalogs Lane
	// failed is closed when the engine failed; failure then tells why.
	failed   chan struct{}
	failOnce sync.Once
	failure  error
}

// Open opens the file with every setting that the product relies on.
func Open(ctx context.Context, o Options) (*Engine, error) {
	source := o.Path + withoutExtensions
	if o.IsReadOnly {
		source += readOnly
	}
	connector, err := duckdb.NewConnector(source, nil)
	if err != nil {
		return nil, OpenError(o.Path, err)
	}
	e := &Engine{
		options: o, db: sql.OpenDB(connector), catalogs: NewLane(1), failed: make(chan struct{}),
	}
	e.db.SetMaxOpenConns(o.MaxConnections)
	e.db.SetMaxIdleConns(o.MaxConnections)
	settings := []string{
		"SET GLOBAL TimeZone = 'UTC'",
		fmt.Sprintf("SET threads = %d", runtime.GOMAXPROCS(0)),
		"SET memory_limit = " + Quote(o.MemoryLimit),
		"SET temp_directory = " + Quote(o.TempDir),
		// Rows are stored in the order they were inserted in: paging and zone maps rely on it.
		"SET preserve_insertion_order = true",
		"SET allowed_directories = [" + Quote(o.SpoolDir+string(filepath.Separator)) + "]",
		// Once off, the engine opens no file but its own and the spool's; it cannot be turned on
		// again.
		"SET enable_external_access = false",
		"SET lock_configuration = true",
	}
	for _, setting := range settings {
		if _, err := e.db.ExecContext(ctx, setting); err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", setting, err), e.db.Close())
		}
	}
	return e, nil
}

// Close brings the log into the file and closes it. It returns Whole's error, and leaves the file
// alone, once the engine failed.
func (e *Engine) Close() error {
	if err := e.Whole(); err != nil {
		return err
	}
	// A plan that is open keeps the engine from closing the file.
	e.plans.Range(func(_, plan any) bool {
		_ = plan.(*sql.Stmt).Close() //nolint:forcetypeassert // nothing else is stored
		return true
	})
	if err := e.db.Close(); err != nil {
		return fmt.Errorf("close the database: %w", err)
	}
	return nil
}

// Statements counts the statements that were run since the start.
func (e *Engine) Statements() int64 { return e.statements.Load() }

// Ping reports whether the database answers.
func (e *Engine) Ping(ctx context.Context) error {
	if err := e.Whole(); err != nil {
		return err
	}
	if err := e.db.PingContext(ctx); err != nil {
		return StorageError("ping the database", err)
	}
	return nil
}

// Connection takes a connection, which the caller closes to give it back.
func (e *Engine) Connection(ctx context.Context) (*sql.Conn, error) {
	conn, err := e.db.Conn(ctx)
	if err != nil {
		return nil, StorageError("open a connection", err)
	}
	return conn, nil
}

// Discard closes a connection that is not to go back to the others, with the temporary tables that
// it has.
func Discard(conn *sql.Conn) {
	// This error says that the connection is bad, and is given back.
	_ = conn.Raw(func(any) error { return driver.ErrBadConn })
}

// Run runs a statement on a connection, in no transaction of its own.
func (e *Engine) Run(ctx context.Context, conn *sql.Conn, statement string, args ...any) error {
	_, err := e.RunCounting(ctx, conn, statement, args...)
	return err
}

// RunCounting is Run that returns the number of rows that the statement touched.
func (e *Engine) RunCounting(ctx context.Context, conn *sql.Conn, statement string, args ...any) (
	int, error,
) {
	e.statements.Add(1)
	result, err := conn.ExecContext(ctx, statement, args...)
	return touched(statement, result, err)
}

// touched returns the number of rows that a statement touched, or why it failed.
func touched(statement string, result sql.Result, err error) (int, error) {
	var rows int64
	if err == nil {
		rows, err = result.RowsAffected()
	}
	if err != nil {
		return 0, StorageError(Title(statement), err)
	}
	return int(rows), nil
}

// QueryContext makes the engine a Querier: each statement takes a connection.
func (e *Engine) QueryContext(ctx context.Context, statement string, args ...any) (
	*sql.Rows, error,
) {
	if err := e.Whole(); err != nil {
		return nil, err
	}
	e.statements.Add(1)
	return e.db.QueryContext(ctx, statement, args...)
}

// Planned returns a Querier for statements that read a few rows of one table by number: their plan
// is the same whatever the tables hold, and making it takes half of their time, so it is made once
// for each connection. A statement that joins is not for it: its plan would stay that for the
// tables as they once were.
func (e *Engine) Planned() Querier { return planned{e} }

type planned struct{ engine *Engine }

// QueryContext makes the planned statements a Querier.
func (p planned) QueryContext(ctx context.Context, statement string, args ...any) (
	*sql.Rows, error,
) {
	e := p.engine
	if err := e.Whole(); err != nil {
		return nil, err
	}
	known, isPlanned := e.plans.Load(statement)
	if !isPlanned {
		plan, err := e.db.PrepareContext(ctx, statement)
		if err != nil {
			return nil, err
		}
		var isTwice bool
		if known, isTwice = e.plans.LoadOrStore(statement, plan); isTwice {
			_ = plan.Close() //nolint:sqlclosecheck // another one was quicker; every other plan is closed with the engine
		}
	}
	e.statements.Add(1)
	return known.(*sql.Stmt).QueryContext(ctx, args...) //nolint:forcetypeassert // nothing else is stored
}

// Fail ends the work of an engine whose commit failed, and returns the error. What the engine then
// has in memory is not what is on disk: after a checkpoint that ran out of disk, committed rows are
// missing, and the next checkpoint, which closing makes too, would write that to the file. What is
// on disk is whole: a new start of the process reads it again.
func (e *Engine) Fail(err error) error {
	e.failOnce.Do(func() {
		e.failure = fmt.Errorf(
			"the database engine failed, and the process must start anew: %w", err,
		)
		close(e.failed)
	})
	return err
}

// Failed returns a channel that is closed when the engine failed. Nothing can be read or written
// then, Close tells why and leaves the file alone, and the process has to end: the engine is freed
// with it.
func (e *Engine) Failed() <-chan struct{} { return e.failed }

// Whole returns an error once the engine failed.
func (e *Engine) Whole() error {
	select {
	case <-e.failed:
		return e.failure
	default:
		return nil
	}
}

// ListCatalogs runs do, which asks the engine what there is: tables, views, sequences. The engine
// then looks into every database that is attached, and keeps it until the transaction ends; so none
// of them may come or go meanwhile, and there must be no snapshot among them, which the transaction
// would keep from being written.
func (e *Engine) ListCatalogs(ctx context.Context, do func() error) error {
	leave, err := e.Catalogs(ctx)
	if err != nil {
		return err
	}
	defer leave()
	return do()
}

// Catalogs waits until no catalogs are listed, and keeps others from listing them while a snapshot
// is attached.
func (e *Engine) Catalogs(ctx context.Context) (leave func(), err error) {
	return e.catalogs.Enter(ctx)
}

// withoutExtensions, behind the name of a file, keeps the engine from fetching an extension that
// could read it: of what is set after a file was opened, opening it knows nothing. readOnly, behind
// that, has the engine leave the file as it is.
const (
	withoutExtensions = "?autoinstall_known_extensions=false&autoload_known_extensions=false"
	readOnly          = "&access_mode=read_only"
)

// OpenError says what became of opening a file.
func OpenError(path string, err error) error {
	if IsLockedOut(err) {
		return fmt.Errorf(
			"open %s: another process has the database open; stop it first: %w", path, err,
		)
	}
	return fmt.Errorf("open %s: %w", path, err)
}

// IsLockedOut reports whether an error is that of opening a file that another process has open.
func IsLockedOut(err error) bool {
	return err != nil && strings.Contains(err.Error(), "Could not set lock")
}

// Lane limits how many use cases of a kind run at once.
type Lane chan struct{}

// NewLane returns a lane for so many at once.
func NewLane(width int) Lane { return make(Lane, width) }

// Enter waits for a turn in the lane, which the caller gives back with the function it gets.
func (l Lane) Enter(ctx context.Context) (leave func(), err error) {
	select {
	case l <- struct{}{}:
		return func() { <-l }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for others of the kind: %w", context.Cause(ctx))
	}
}
