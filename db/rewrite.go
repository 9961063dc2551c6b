package db

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"couponql/db/duckdb"
)

// Rewritten tells what Open did about the text of recipients who were erased since the last start,
// which the engine leaves in parts of the file that it does not use any more. isDone: it made the
// file anew, without them. err tells why it could not; the next start tries again.
func (s *Store) Rewritten() (isDone bool, err error) { return s.isRewritten, s.notRewritten }

// rewrite makes the file anew when recipients were erased since it was last: neither a checkpoint
// nor writing over its free blocks does away with all old text, for blocks that are in use hold
// some too. The file is replaced in one step, by a copy that was read again.
func (s *Store) rewrite(ctx context.Context) error {
	tables, err := duckdb.One[int](ctx, s.engine, settingExists)
	if err != nil || tables == 0 {
		return err
	}
	since, err := setting(ctx, s.engine, erasedSinceRewrite)
	if err != nil || since == "" {
		return err
	}
	size, err := duckdb.Size(s.options.Path)
	if err != nil {
		return err
	}
	if err := s.engine.CheckDisk(s.reserve + 2*size); err != nil {
		s.notRewritten = fmt.Errorf(
			"make the file anew without recipients erased since %s: %w", since, err,
		)
		return nil
	}
	path := filepath.Join(s.spoolDir(), "rewrite", "couponql.duckdb")
	if err := s.copyWithoutErased(ctx, path); err != nil {
		return fmt.Errorf("make the file anew without recipients erased since %s: %w", since, err)
	}
	// Closing brings the log of the old file into it: what is left of it must not be taken for that
	// of the new one.
	if err := s.engine.Close(); err != nil {
		return err
	}
	if _, err := os.Stat(s.options.Path + duckdb.LogSuffix); !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("make the file anew: the engine left %s: %w",
			s.options.Path+duckdb.LogSuffix, err)
	}
	if err := os.Rename(path, s.options.Path); err != nil {
		return fmt.Errorf("put the new file in its place: %w", err)
	}
	if err := duckdb.SyncFolder(filepath.Dir(s.options.Path)); err != nil {
		return err
	}
	s.isRewritten = true
	return s.connect(ctx)
}

// copyWithoutErased copies the database to a file and reads it again.
func (s *Store) copyWithoutErased(ctx context.Context, path string) error {
	rows, err := s.engine.ReadAll(ctx, s.engine)
	if err != nil {
		return err
	}
	c, err := s.engine.NewCopy(ctx, path)
	if err != nil {
		return err
	}
	defer c.Close()
	err = c.All(ctx, func() error {
		return c.Run(ctx, settingDelete, named("name", erasedSinceRewrite))
	})
	if err != nil {
		return err
	}
	err = c.Check(ctx, func() error {
		copied, err := s.engine.ReadAll(ctx, c)
		if err == nil && copied != rows-1 {
			err = fmt.Errorf("the copy has %d rows instead of %d", copied, rows-1)
		}
		return err
	})
	if err != nil {
		return err
	}
	_, err = duckdb.SyncFile(path)
	return err
}
