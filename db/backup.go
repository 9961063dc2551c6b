package db

import (
	"context"
	"fmt"
	"strings"
	"time"

	"couponql/coupon"
	"couponql/db/duckdb"
)

// backupTakenAt is the setting that makes a database a backup: a server does not open one, since it
// would send messages again and give codes away that others have by now; see Restore.
const backupTakenAt = "backup_taken_at"

// writeBackup writes a copy of the whole database as it is at one instant, beside the writer, and
// then reads it again: a copy that breaks a promise is refused with UserErrors. It gives how many
// rows the copy has.
func (s *Store) writeBackup(ctx context.Context, e *coupon.Export, progress *exportProgress) (
	rows int, err error,
) {
	size, err := duckdb.Size(s.options.Path)
	if err != nil {
		return 0, err
	}
	progress.expected.Store(int64(size))
	// The copy passes through the engine's log of it.
	if err := s.engine.CheckDisk(s.reserve + 2*size); err != nil {
		return 0, err
	}
	copied, err := s.engine.NewCopy(ctx, progress.path)
	if err != nil {
		return 0, err
	}
	defer copied.Close()
	// Whoever restores it asks what happened since: so this is never after the instant that the
	// copy shows.
	takenAt := s.now()
	mark := func() error {
		return copied.Run(ctx, settingInsert, named("name", backupTakenAt),
			named("value", takenAt.Format(time.RFC3339Nano)))
	}
	if err := copied.All(ctx, mark); err != nil {
		return 0, err
	}
	release, err := s.reports.Enter(ctx)
	if err != nil {
		return 0, err
	}
	defer release()
	err = copied.Check(ctx, func() error {
		checks, err := checkInvariants(ctx, copied)
		if err != nil {
			return err
		}
		if err := refuseUnsound(&coupon.IntegrityReport{Checks: checks}); err != nil {
			return err
		}
		rows, err = s.engine.ReadAll(ctx, copied)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("verify %s: %w", e.ID, err)
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
	return coupon.Errorf(coupon.ErrorInvalidState,
		"The copy is no good: it breaks %d checks of integrityReport. %s.", len(found),
		strings.Join(found, "; "))
}
