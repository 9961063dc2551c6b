package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"couponql/coupon"
)

// backupDatabase is what the engine calls a backup while it is attached. It calls the server's own database after its
// file, whose name has no slash.
const backupDatabase = "the/backup"

// backupTakenAt is the setting that makes a database a backup: a server does not open one, since it would send messages
// again and give codes away that others have by now; see Restore.
const backupTakenAt = "backup_taken_at"

// copyDatabase copies tables, their rows in their order, sequences and all else to the backup.
const copyDatabase = "-- copy the database to a backup\nCOPY FROM DATABASE %s TO %s"

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
	if err := os.RemoveAll(filepath.Dir(progress.path)); err != nil {
		return 0, fmt.Errorf("make the folder of a backup: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(progress.path), 0o700); err != nil {
		return 0, storageError("make the folder of a backup", err)
	}
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return 0, fmt.Errorf("open a connection: %w", err)
	}
	// It does not go back to the others: it has asked another database.
	defer func() { _ = conn.Raw(func(any) error { return driver.ErrBadConn }) }()
	b := &backupConn{store: s, conn: conn, path: progress.path}
	if err := b.attached(ctx, "", func() error { return b.copyAll(ctx) }); err != nil {
		return 0, err
	}
	err = b.attached(ctx, " (READ_ONLY)", func() error {
		rows, err = b.verify(ctx)
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

// backupConn is a connection on which a backup is made.
type backupConn struct {
	store *Store
	conn  *sql.Conn
	path  string
}

func (b *backupConn) run(ctx context.Context, statement string, args ...any) error {
	b.store.statements.Add(1)
	if _, err := b.conn.ExecContext(ctx, statement, args...); err != nil {
		return storageError(title(statement), err)
	}
	return nil
}

// attached runs do while the file of the backup is attached.
func (b *backupConn) attached(ctx context.Context, how string, do func() error) (err error) {
	// The path is ours.
	if err := b.run(ctx, "-- attach a backup\nATTACH "+quote(b.path)+" AS "+quoteName(backupDatabase)+how); err != nil {
		return err
	}
	defer func() {
		// Detaching writes the file; it must happen also when the caller has gone.
		err = errors.Join(err, b.run(context.WithoutCancel(ctx), "-- detach a backup\nDETACH "+quoteName(backupDatabase)))
	}()
	return do()
}

// copyAll copies everything in one transaction, with when that was.
func (b *backupConn) copyAll(ctx context.Context) (err error) {
	name, err := one[string](ctx, b.conn, "-- the name of this database\nSELECT current_database()")
	if err != nil {
		return err
	}
	if err := b.run(ctx, "BEGIN"); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.run(context.WithoutCancel(ctx), "ROLLBACK"))
		}
	}()
	takenAt := b.store.now()
	if err := b.run(ctx, fmt.Sprintf(copyDatabase, quoteName(name), quoteName(backupDatabase))); err != nil {
		return err
	}
	mark := "-- mark a backup\nINSERT INTO " + quoteName(backupDatabase) + ".setting (name, value) VALUES ($name, $value)"
	if err := b.run(ctx, mark, named("name", backupTakenAt), named("value", takenAt.Format(time.RFC3339Nano))); err != nil {
		return err
	}
	return b.run(ctx, "COMMIT")
}

// verify checks the promises in the copy, as it is on the disk, and counts its rows.
func (b *backupConn) verify(ctx context.Context) (rows int, err error) {
	release, err := b.store.report(ctx)
	if err != nil {
		return 0, err
	}
	defer release()
	name, err := one[string](ctx, b.conn, "-- the name of this database\nSELECT current_database()")
	if err != nil {
		return 0, err
	}
	if err := b.run(ctx, "-- ask a backup\nUSE "+quoteName(backupDatabase)); err != nil {
		return 0, err
	}
	defer func() {
		err = errors.Join(err, b.run(context.WithoutCancel(ctx), "-- ask the database again\nUSE "+quoteName(name)))
	}()
	checks, err := checkInvariants(ctx, b.conn)
	if err != nil {
		return 0, err
	}
	if err := refuseUnsound(&coupon.IntegrityReport{Checks: checks}); err != nil {
		return 0, err
	}
	return readAll(ctx, b.conn)
}

// readAll reads every value of a database, whose blocks have checksums, and gives how many rows it has.
func readAll(ctx context.Context, q querier) (rows int, err error) {
	tables, err := collect(ctx, q, "-- the tables of this database\nSELECT table_name FROM duckdb_tables() WHERE database_name = current_database() AND NOT temporary",
		scanInto[string])
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
