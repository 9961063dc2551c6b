package db

import (
	"context"
	"fmt"
	"os"

	"couponql/db/snapshot"
)

// TakeSnapshot is snapshot.Take of this database. It disturbs others no more than an export does. The snapshot is removed, too,
// when the store is opened again. TakeSnapshot returns ErrDiskFull when there is no room for it.
func (s *Store) TakeSnapshot(ctx context.Context, isMasked bool) (*snapshot.Snapshot, error) {
	if err := s.engine.Whole(); err != nil {
		return nil, err
	}
	ctx, leave := s.within(ctx)
	defer leave()
	info, err := os.Stat(s.options.Path)
	if err != nil {
		return nil, fmt.Errorf("look how large the database is: %w", err)
	}
	if err := s.engine.CheckDisk(s.reserve + 2*uint64(info.Size())); err != nil {
		return nil, err
	}
	return snapshot.Take(ctx, s.engine, s, s.spoolDir(), isMasked)
}

// FreeForExport returns how many bytes of the disk a file may take before others miss them. It returns ErrDiskFull when
// there are none.
func (s *Store) FreeForExport() (uint64, error) { return s.engine.FreeBeyond(s.reserve) }
