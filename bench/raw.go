package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"

	"github.com/marcboeker/go-duckdb/v2"
)

// rawDB is the other side of every comparison: a DuckDB file, asked directly.
type rawDB struct {
	path string
	db   *sql.DB
	// conn is the one connection that everything but many callers uses.
	conn *sql.Conn
}

// openRaw opens or creates a file with the settings that the server has.
func openRaw(ctx context.Context, path string) (*rawDB, error) {
	connector, err := duckdb.NewConnector(path, nil)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	r := &rawDB{path: path, db: sql.OpenDB(connector)}
	r.db.SetMaxIdleConns(maxCallers)
	if r.conn, err = r.db.Conn(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), r.db.Close())
	}
	err = r.run(ctx, "SET GLOBAL TimeZone = 'UTC'",
		fmt.Sprintf("SET threads = %d", runtime.NumCPU()),
		fmt.Sprintf("SET memory_limit = '%s'", memoryLimit))
	if err != nil {
		return nil, errors.Join(err, r.close())
	}
	return r, nil
}

func (r *rawDB) close() error { return errors.Join(r.conn.Close(), r.db.Close()) }

// run runs statements without parameters, one after the other.
func (r *rawDB) run(ctx context.Context, statements ...string) error {
	for _, statement := range statements {
		if err := r.exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

func (r *rawDB) exec(ctx context.Context, statement string, args ...any) error {
	if _, err := r.conn.ExecContext(ctx, statement, args...); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}

// read fetches every value of an answer, as a caller would who wants to show it, and gives the
// rows.
func (r *rawDB) read(ctx context.Context, statement string, args ...any) ([][]any, error) {
	rows, err := r.conn.QueryContext(ctx, statement, args...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", statement, err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", statement, err)
	}
	var all [][]any
	for rows.Next() {
		values := make([]any, len(columns))
		places := make([]any, len(columns))
		for i := range values {
			places[i] = &values[i]
		}
		if err := rows.Scan(places...); err != nil {
			return nil, fmt.Errorf("%s: %w", statement, err)
		}
		all = append(all, values)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", statement, err)
	}
	return all, nil
}

// expect is read for a statement that must have so many rows: raw SQL that does less than the
// server would be an unfair comparison.
func (r *rawDB) expect(ctx context.Context, count int, statement string, args ...any) error {
	rows, err := r.read(ctx, statement, args...)
	if err == nil && len(rows) != count {
		err = fmt.Errorf("%s: %d rows instead of %d", statement, len(rows), count)
	}
	return err
}

// copyDatabase closes the server, so that its file is complete, makes a copy for the raw side and
// opens both.
func (b *bench) copyDatabase(ctx context.Context, name string) error {
	if b.raw != nil {
		if err := b.raw.close(); err != nil {
			return err
		}
		b.raw = nil
	}
	err := b.server.close()
	b.server = nil
	if err != nil {
		return err
	}
	if err := copyFile(b.path, b.file(name)); err != nil {
		return err
	}
	if b.raw, err = openRaw(ctx, b.file(name)); err != nil {
		return err
	}
	b.server, err = newServer(ctx, b.path, b.clock, b.log)
	return err
}

func copyFile(from, to string) (err error) {
	source, err := os.Open(from)
	if err != nil {
		return fmt.Errorf("copy the database: %w", err)
	}
	defer source.Close() //nolint:errcheck // it was only read
	target, err := os.Create(to)
	if err != nil {
		return fmt.Errorf("copy the database: %w", err)
	}
	defer func() { err = errors.Join(err, target.Close()) }()
	if _, err := io.Copy(target, source); err != nil {
		return fmt.Errorf("copy the database: %w", err)
	}
	return nil
}
