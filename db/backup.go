package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"couponql/coupon"
)

// backupDatabase is what the engine calls a copy while it is attached. It calls the server's own database after its
// file, whose name has no slash.
const backupDatabase = "the/backup"

// backupTakenAt is the setting that makes a database a backup: a server does not open one, since it would send messages
// again and give codes away that others have by now; see Restore.
const backupTakenAt = "backup_taken_at"

// writeBackup writes a copy of the whole database as it is at one instant, beside the writer, and then reads it again:
// a copy that breaks a promise is refused with UserErrors. It gives how many rows the copy has.
func (s *Store) writeBackup(ctx context.Context, e *coupon.Export, progress *exportProgress) (rows int, err error) {
	size, err := dataSize(s.options.Path)
	if err != nil {
		return 0, err
	}
	progress.expected.Store(int64(size))
	// The copy passes through the engine's log of it.
	if err := s.checkDisk(s.reserve + 2*size); err != nil {
		return 0, err
	}
	b, err := s.newBackupConn(ctx, progress.path)
	if err != nil {
		return 0, err
	}
	defer b.close()
	conn := b.conn
	// Whoever restores it asks what happened since: so this is never after the instant that the copy shows.
	takenAt := s.now()
	mark := func() error {
		return b.run(ctx, settingInsert, named("name", backupTakenAt), named("value", takenAt.Format(time.RFC3339Nano)))
	}
	if err := b.copyAll(ctx, mark); err != nil {
		return 0, err
	}
	release, err := s.report(ctx)
	if err != nil {
		return 0, err
	}
	defer release()
	err = b.attached(ctx, " (READ_ONLY)", func(string) error {
		checks, err := checkInvariants(ctx, conn)
		if err != nil {
			return err
		}
		if err := refuseUnsound(&coupon.IntegrityReport{Checks: checks}); err != nil {
			return err
		}
		rows, err = s.readAll(ctx, conn)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("verify %s: %w", e.ID, err)
	}
	return rows, nil
}

// dataSize gives how many bytes a database has on the disk, with its log.
func dataSize(path string) (uint64, error) {
	total := uint64(0)
	for _, name := range []string{path, path + walSuffix} {
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

// walSuffix and the name of a database file are the name of the engine's log, which is part of the database.
const walSuffix = ".wal"

// backupConn is a connection on which a copy of the database is made.
type backupConn struct {
	store *Store
	conn  *sql.Conn
	path  string
}

// newBackupConn makes the folder of a copy anew and opens a connection for making it.
func (s *Store) newBackupConn(ctx context.Context, path string) (*backupConn, error) {
	if err := os.RemoveAll(filepath.Dir(path)); err != nil {
		return nil, fmt.Errorf("make the folder of a copy: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, storageError("make the folder of a copy", err)
	}
	conn, err := s.connection(ctx)
	if err != nil {
		return nil, err
	}
	return &backupConn{store: s, conn: conn, path: path}, nil
}

// close ends the connection, which does not go back to the others: it has asked another database.
func (b *backupConn) close() { discard(b.conn) }

func (b *backupConn) run(ctx context.Context, statement string, args ...any) error {
	b.store.statements.Add(1)
	if _, err := b.conn.ExecContext(ctx, statement, args...); err != nil {
		return storageError(title(statement), err)
	}
	return nil
}

// attached runs do while the file of the copy is attached and names mean what is in it; from is the name of the database
// itself.
func (b *backupConn) attached(ctx context.Context, how string, do func(from string) error) (err error) {
	from, err := one[string](ctx, b.conn, "-- the name of this database\nSELECT current_database()")
	if err != nil {
		return err
	}
	// The path is ours.
	if err := b.run(ctx, "-- attach a copy\nATTACH "+quote(b.path)+" AS "+quoteName(backupDatabase)+how); err != nil {
		return err
	}
	defer func() {
		// Detaching writes the file; it must happen also when the caller has gone.
		err = errors.Join(err, b.run(context.WithoutCancel(ctx), "-- detach a copy\nDETACH "+quoteName(backupDatabase)))
	}()
	if err := b.run(ctx, "-- ask a copy\nUSE "+quoteName(backupDatabase)); err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, b.run(context.WithoutCancel(ctx), "-- ask the database again\nUSE "+quoteName(from)))
	}()
	return do(from)
}

// copyAll copies everything into the file in one transaction, with what change changes in the copy. COPY FROM DATABASE
// would do it in one statement, but newer engines change a setting for it, and ours are locked.
func (b *backupConn) copyAll(ctx context.Context, change func() error) error {
	return b.attached(ctx, "", func(from string) (err error) {
		if err := b.run(ctx, "BEGIN"); err != nil {
			return err
		}
		defer func() {
			if err != nil {
				err = errors.Join(err, b.run(context.WithoutCancel(ctx), "ROLLBACK"))
			}
		}()
		var tables []table
		var views []string
		err = b.store.listCatalogs(ctx, func() (err error) {
			if tables, err = b.tables(ctx, from); err != nil {
				return err
			}
			views, err = collect(ctx, b.conn, backupViews, scanInto[string], named("database", from))
			return err
		})
		if err != nil {
			return err
		}
		if err := b.copyTables(ctx, from, tables); err != nil {
			return err
		}
		for _, create := range views {
			if err := b.run(ctx, "-- copy a view\n"+create); err != nil {
				return err
			}
		}
		if err := change(); err != nil {
			return err
		}
		return b.run(ctx, "COMMIT")
	})
}

// table is a table by its name and by how the engine says that it was made.
type table struct{ name, create string }

func (b *backupConn) tables(ctx context.Context, from string) ([]table, error) {
	return collect(ctx, b.conn, backupTables, func(rows *sql.Rows) (table, error) {
		var t table
		err := rows.Scan(&t.name, &t.create)
		return t, err
	}, named("database", from))
}

// copyTables makes tables, with all rows in their order.
func (b *backupConn) copyTables(ctx context.Context, from string, tables []table) error {
	for _, t := range tables {
		if err := b.run(ctx, "-- copy a table\n"+t.create); err != nil {
			return err
		}
		if err := b.run(ctx, "-- copy the rows of a table\nINSERT INTO "+quoteName(t.name)+" FROM "+quoteName(from)+"."+quoteName(t.name)); err != nil {
			return err
		}
	}
	return nil
}

// readAll reads every value of a database, whose blocks have checksums, and gives how many rows it has.
func (s *Store) readAll(ctx context.Context, q querier) (rows int, err error) {
	var tables []string
	err = s.listCatalogs(ctx, func() (err error) {
		tables, err = collect(
			ctx,
			q,
			"-- the tables of this database\nSELECT table_name FROM duckdb_tables() WHERE database_name = current_database() AND NOT temporary",
			scanInto[string],
		)
		return err
	})
	if err != nil {
		return 0, err
	}
	for _, table := range tables {
		count, err := one[int](ctx, q, "-- read "+table+"\nSELECT count(*) + 0 * count(hash(t)) FROM "+quoteName(table)+" t")
		if err != nil {
			return 0, err
		}
		rows += count
	}
	return rows, nil
}

// refuseUnsound returns INVALID_STATE when a check found a violation.
func refuseUnsound(report *coupon.IntegrityReport) error {
	if report.IsSound() {
		return nil
	}
	var found []string
	for _, check := range report.Broken() {
		found = append(found, check.String())
	}
	return coupon.Errorf(coupon.ErrorInvalidState, "The copy is no good: it breaks %d checks of integrityReport. %s.", len(found), strings.Join(found, "; "))
}
