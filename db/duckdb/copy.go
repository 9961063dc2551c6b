package duckdb

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

//go:embed query/copy_tables.sql
var copyTables string

//go:embed query/copy_views.sql
var copyViews string

// copyDatabase is what the engine calls a copy while it is attached. It calls the server's own
// database after its file, whose name has no slash.
const copyDatabase = "the/backup"

// Size returns how many bytes a database has on the disk, with its log.
func Size(path string) (uint64, error) {
	total := uint64(0)
	for _, name := range []string{path, path + LogSuffix} {
		info, err := os.Stat(name)
		switch {
		case errors.Is(err, os.ErrNotExist):
		case err != nil:
			return 0, fmt.Errorf("look how large the database is: %w", err)
		default:
			total += uint64(info.Size())
		}
	}
	return total, nil
}

// Copy is a connection on which a copy of the database is made.
type Copy struct {
	engine *Engine
	conn   *sql.Conn
	path   string
}

// NewCopy makes the folder of a copy anew and opens a connection for making it. The path must be
// ours.
func (e *Engine) NewCopy(ctx context.Context, path string) (*Copy, error) {
	if err := os.RemoveAll(filepath.Dir(path)); err != nil {
		return nil, fmt.Errorf("make the folder of a copy: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, StorageError("make the folder of a copy", err)
	}
	conn, err := e.Connection(ctx)
	if err != nil {
		return nil, err
	}
	return &Copy{engine: e, conn: conn, path: path}, nil
}

// Close ends the connection, which does not go back to the others: it has asked another database.
func (c *Copy) Close() { Discard(c.conn) }

// QueryContext makes the copy a Querier: names mean what is in it while All or Attached runs.
func (c *Copy) QueryContext(ctx context.Context, statement string, args ...any) (*sql.Rows, error) {
	c.engine.statements.Add(1)
	return c.conn.QueryContext(ctx, statement, args...)
}

// Run runs a statement in the copy.
func (c *Copy) Run(ctx context.Context, statement string, args ...any) error {
	return c.engine.Run(ctx, c.conn, statement, args...)
}

// Check calls do while the copy is attached to be read.
func (c *Copy) Check(ctx context.Context, do func() error) error {
	return c.attached(ctx, " (READ_ONLY)", func(string) error { return do() })
}

// attached runs do while the file of the copy is attached and names mean what is in it; from is the
// name of the database itself.
func (c *Copy) attached(ctx context.Context, how string, do func(from string) error) (err error) {
	from, err := One[string](ctx, c, "-- the name of this database\nSELECT current_database()")
	if err != nil {
		return err
	}
	// The path is ours.
	if err := c.Run(ctx,
		"-- attach a copy\nATTACH "+Quote(c.path)+" AS "+QuoteName(copyDatabase)+how); err != nil {
		return err
	}
	defer func() {
		// Detaching writes the file; it must happen also when the caller has gone.
		err = errors.Join(err,
			c.Run(context.WithoutCancel(ctx), "-- detach a copy\nDETACH "+QuoteName(copyDatabase)))
	}()
	if err := c.Run(ctx, "-- ask a copy\nUSE "+QuoteName(copyDatabase)); err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err,
			c.Run(context.WithoutCancel(ctx), "-- ask the database again\nUSE "+QuoteName(from)))
	}()
	return do(from)
}

// All copies everything into the file in one transaction, with what change changes in the copy.
// COPY FROM DATABASE would do it in one statement, but newer engines change a setting for it, and
// ours are locked.
func (c *Copy) All(ctx context.Context, change func() error) error {
	return c.attached(ctx, "", func(from string) (err error) {
		if err := c.Run(ctx, "BEGIN"); err != nil {
			return err
		}
		defer func() {
			if err != nil {
				err = errors.Join(err, c.Run(context.WithoutCancel(ctx), "ROLLBACK"))
			}
		}()
		var tables []table
		var views []string
		err = c.engine.ListCatalogs(ctx, func() (err error) {
			if tables, err = c.tables(ctx, from); err != nil {
				return err
			}
			views, err = Collect(ctx, c, copyViews, ScanInto[string], sql.Named("database", from))
			return err
		})
		if err != nil {
			return err
		}
		if err := c.copyTables(ctx, from, tables); err != nil {
			return err
		}
		for _, create := range views {
			if err := c.Run(ctx, "-- copy a view\n"+create); err != nil {
				return err
			}
		}
		if err := change(); err != nil {
			return err
		}
		return c.Run(ctx, "COMMIT")
	})
}

// table is a table by its name and by how the engine says that it was made.
type table struct{ name, create string }

func (c *Copy) tables(ctx context.Context, from string) ([]table, error) {
	return Collect(ctx, c, copyTables, func(rows *sql.Rows) (table, error) {
		var t table
		err := rows.Scan(&t.name, &t.create)
		return t, err
	}, sql.Named("database", from))
}

// copyTables makes tables, with all rows in their order.
func (c *Copy) copyTables(ctx context.Context, from string, tables []table) error {
	for _, t := range tables {
		if err := c.Run(ctx, "-- copy a table\n"+t.create); err != nil {
			return err
		}
		copyRows := "INSERT INTO " + QuoteName(t.name) + " FROM " + QuoteName(from) + "." +
			QuoteName(t.name)
		if err := c.Run(ctx, "-- copy the rows of a table\n"+copyRows); err != nil {
			return err
		}
	}
	return nil
}

// ReadAll reads every value of a database, whose blocks have checksums, and returns how many rows
// it has.
func (e *Engine) ReadAll(ctx context.Context, q Querier) (rows int, err error) {
	var tables []string
	err = e.ListCatalogs(ctx, func() (err error) {
		tables, err = Collect(ctx, q, "-- the tables of this database\n"+
			"SELECT table_name FROM duckdb_tables() WHERE database_name = current_database() AND NOT temporary", ScanInto[string])
		return err
	})
	if err != nil {
		return 0, err
	}
	for _, table := range tables {
		count, err := One[int](ctx, q,
			"-- read "+table+"\nSELECT count(*) + 0 * count(hash(t)) FROM "+QuoteName(table)+" t")
		if err != nil {
			return 0, err
		}
		rows += count
	}
	return rows, nil
}

// SyncFile brings a file to the disk and returns its size.
func SyncFile(path string) (size int64, err error) {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return 0, fmt.Errorf("keep an export: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if err := file.Sync(); err != nil {
		return 0, StorageError("keep an export", err)
	}
	info, err := file.Stat()
	if err != nil {
		return 0, fmt.Errorf("keep an export: %w", err)
	}
	return info.Size(), nil
}
