package db_test

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"couponql/coupon"
	"couponql/db"
	"couponql/db/dbtest"
)

// roomy is how much of a disk is free when nothing fills it.
const roomy = 1 << 30

// TestFullDiskDuringJobs has the disk get full in the middle of each job that takes long: up to one
// of the reserves, exactly or by a page, or to the last byte. The job says so, the store goes on
// with what needs no room and can be closed, and with room again the job is done.
func TestFullDiskDuringJobs(t *testing.T) {
	t.Parallel()
	const page, little, size = 4096, 2 << 20, 500
	levels := []uint64{
		0, little, db.ReserveOfOutcome - page, db.ReserveOfOutcome, db.Reserve - page, db.Reserve,
	}
	level := rand.IntN(len(levels))
	dir := db.MountDisk(t, "1g")
	s := &scene{clock: dbtest.NewClock(noon()), path: filepath.Join(dir, "couponql.duckdb")}
	s.Store = dbtest.Open(t, s.path, s.clock.Use)
	s.codes(t, s.newCoupon(t, withoutAssignment), "", "SPARE")
	cutOffJobs(t, s, size, func(ended <-chan struct{}) {
		level++
		left := levels[level%len(levels)]
		isStopped := rand.IntN(2) == 0
		t.Logf("%d bytes are left, stopped then: %t", left, isStopped)
		fill := func() {
			// What fills up to the last byte within a commit ends the store, which
			// TestFailedCheckpoint tells.
			if err := s.InTurn(t.Context(), func() { db.LeaveFree(t, dir, left) }); err != nil {
				t.Error(err)
			}
		}
		if left > 0 {
			db.LeaveFree(t, dir, left)
		} else {
			fill()
		}
		<-ended
		// Without the files that the job had.
		fill()
		s.checkFull(t, left)
		if isStopped {
			err := s.Close()
			if _, isUnrecorded := errors.AsType[*db.UnrecordedError](err); err != nil &&
				!isUnrecorded {
				t.Errorf("closing: %v", err)
			}
		}
		db.LeaveFree(t, dir, roomy)
		if isStopped {
			s.Store = dbtest.Open(t, s.path, s.clock.Use)
		}
	}, func(err error) bool {
		return errors.Is(err, db.ErrDiskFull) || strings.Contains(err.Error(), "disk is full")
	})
}

// checkFull fails the test unless a store on a disk with so many bytes left goes on.
func (s *scene) checkFull(t *testing.T, left uint64) {
	t.Helper()
	if err := s.Ping(t.Context()); err != nil {
		t.Errorf("the store says %v", err)
	}
	if code, err := s.CodeByValue(t.Context(), "SPARE", coupon.AnyState); err != nil ||
		code.Status != coupon.CodeAvailable {
		t.Errorf("a code is %+v, %v", code, err)
	}
	if left < db.Reserve {
		if _, err := s.Redeem(t.Context(), &coupon.RedeemRequest{Value: "SPARE"}); !errors.Is(err,
			db.ErrDiskFull) {
			t.Errorf("a redemption on a full disk: %v", err)
		}
	}
	entries, err := os.ReadDir(filepath.Join(s.path+".files", "spool"))
	if err != nil || len(entries) > 0 {
		t.Errorf("the spool folder has %v, %v", entries, err)
	}
}
