package db

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"embed"
	"encoding/hex"
	"fmt"
	"path"
	"slices"
	"strconv"

	"couponql/db/duckdb"
)

//go:embed migration/*.sql
var migrations embed.FS

// migrate applies the migrations that the file lacks, forward only, each in a transaction with its
// record. A file that has a migration we don't know was made by a newer version, and one whose
// record differs was made by an edited one: both are refused rather than guessed at.
func (s *Store) migrate(ctx context.Context) error {
	if err := s.engine.Exec(ctx, migrationCreate); err != nil {
		return fmt.Errorf("create the record of migrations: %w", err)
	}
	applied, err := s.appliedMigrations(ctx)
	if err != nil {
		return err
	}
	names, err := migrationNames()
	if err != nil {
		return err
	}
	return s.applyMigrations(ctx, applied, names)
}

// applyMigrations applies those of the migrations that are not applied yet.
func (s *Store) applyMigrations(
	ctx context.Context, applied map[string]string, names []string,
) error {
	for _, name := range names {
		text, err := migrations.ReadFile(path.Join("migration", name))
		if err != nil {
			return fmt.Errorf("read migration: %w", err)
		}
		sum := sha256.Sum256(text)
		checksum := hex.EncodeToString(sum[:])
		if recorded, found := applied[name]; found {
			if recorded != checksum {
				return fmt.Errorf("open %s: its migration %s is not the one of this version",
					s.options.Path, name)
			}
			continue
		}
		if err := s.applyMigration(ctx, name, string(text), checksum); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) appliedMigrations(ctx context.Context) (map[string]string, error) {
	applied := map[string]string{}
	err := duckdb.Each(ctx, s.engine, migrationAll, func(rows *sql.Rows) error {
		var name, checksum string
		err := rows.Scan(&name, &checksum)
		applied[name] = checksum
		return err
	})
	return applied, err
}

func migrationNames() ([]string, error) {
	entries, err := migrations.ReadDir("migration")
	if err != nil {
		return nil, fmt.Errorf("list migrations: %w", err)
	}
	names := make([]string, len(entries))
	for i, entry := range entries {
		names[i] = entry.Name()
	}
	slices.Sort(names)
	return names, nil
}

func (s *Store) applyMigration(ctx context.Context, name, text, checksum string) error {
	err := s.engine.Transact(ctx, func(t *duckdb.Tx) error {
		if err := t.Append(ctx, text); err != nil {
			return err
		}
		return t.Append(ctx, migrationInsert, named("name", name), named("checksum", checksum),
			named("now", s.now()))
	})
	if err != nil {
		return fmt.Errorf("apply migration %s: %w", name, err)
	}
	return nil
}

// databaseID is the setting that tells the database from every other one.
const databaseID = "database_id"

// caseSensitiveCodes is the setting that says how codes are compared.
const caseSensitiveCodes = "case_sensitive_codes"

// checkSettings fixes how codes are compared when the database is new, and refuses to open it
// another way later: every stored key depends on it.
func (s *Store) checkSettings(ctx context.Context) error {
	const name = caseSensitiveCodes
	wanted := strconv.FormatBool(s.keys.CaseSensitive)
	stored, err := setting(ctx, s.engine, name)
	if err != nil {
		return err
	}
	switch stored {
	case wanted:
	case "":
		if err := s.engine.Exec(ctx, settingInsert, named("name", name),
			named("value", wanted)); err != nil {
			return fmt.Errorf("record the settings: %w", err)
		}
	default:
		return fmt.Errorf("open %s: it was created with case-sensitive codes %s, which cannot change; start with --case-sensitive-codes=%s",
			s.options.Path, stored, stored)
	}
	ids, err := duckdb.Collect(ctx, s.engine, settingGet, duckdb.ScanInto[string],
		named("name", databaseID))
	if err != nil {
		return err
	}
	if len(ids) != 1 {
		return fmt.Errorf("open %s: it has %d ids of its own instead of one",
			s.options.Path, len(ids))
	}
	s.id = ids[0]
	return nil
}
