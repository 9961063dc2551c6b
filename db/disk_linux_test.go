package db

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"couponql/coupon"
	"couponql/db/duckdb"
)

// mountDisk mounts a small disk, or skips the test.
func mountDisk(t *testing.T, size string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Skipf("mounting a small disk: %v", err)
	}
	t.Cleanup(func() {
		// A failed store keeps its file open until the process ends.
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// MountDisk is mountDisk.
func MountDisk(t *testing.T, size string) (dir string) { t.Helper(); return mountDisk(t, size) }

// LeaveFree makes a small disk so large that so many bytes of it are free, whatever is on it and
// still comes to it.
func LeaveFree(t *testing.T, dir string, bytes uint64) {
	t.Helper()
	for {
		var disk syscall.Statfs_t
		if err := syscall.Statfs(dir, &disk); err != nil {
			t.Error(err)
			return
		}
		used := (disk.Blocks - disk.Bfree) * uint64(disk.Bsize)
		err := syscall.Mount("", dir, "", syscall.MS_REMOUNT, fmt.Sprintf("size=%d", used+bytes))
		// More is on it than a moment ago.
		if errors.Is(err, syscall.EINVAL) {
			continue
		}
		if err != nil {
			t.Errorf("make a disk smaller: %v", err)
		}
		return
	}
}

// What writes, and the outcomes of jobs, leave free.
const (
	Reserve          = minFreeDisk
	ReserveOfOutcome = minFreeDiskForOutcome
)

// InTurn has something happen while nothing else is committed by the writer.
func (s *Store) InTurn(ctx context.Context, do func()) error {
	return s.conclude(ctx, func(context.Context, *turn) error {
		do()
		return nil
	})
}

// addRandom adds codes that do not compress, and gives one of them.
func addRandom(t *testing.T, s *Store, id coupon.ID, count int) (string, error) {
	t.Helper()
	codes := make([]coupon.NewCode, count)
	for i := range codes {
		random := make([]byte, 120)
		if _, err := rand.Read(random); err != nil {
			t.Fatal(err)
		}
		codes[i].Value = hex.EncodeToString(random)
	}
	added, _, err := s.AddCodes(t.Context(), id, codes)
	if err == nil && len(added) != count {
		t.Fatalf("%d of %d were added", len(added), count)
	}
	return codes[0].Value, err
}

// TestFailedCheckpoint runs out of disk while the engine folds its log into the file. In memory the
// engine then lacks rows that were committed; the store must neither show that nor let it reach the
// file.
func TestFailedCheckpoint(t *testing.T) {
	t.Parallel()
	dir := mountDisk(t, "24m")
	options := Options{Path: filepath.Join(dir, "couponql.duckdb"), MemoryLimit: "1GB"}
	s, err := Open(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	s.reserve = 0 // which would refuse the write before it comes to this
	c, err := s.CreateCoupon(t.Context(), &coupon.CouponChanges{
		Type: coupon.TypeIndividual, Label: coupon.Set(new("c")),
		StartsAt: coupon.Set(new(coupon.DateTime("2020-01-01"))),
	})
	if err != nil {
		t.Fatal(err)
	}
	var acknowledged []string
	const each = 9000
	for range 20 {
		var value string
		if value, err = addRandom(t, s, c.ID, each); err != nil {
			break
		}
		acknowledged = append(acknowledged, value)
	}
	if !errors.Is(err, ErrDiskFull) {
		t.Fatalf("after %d batches: %v", len(acknowledged), err)
	}
	t.Logf("after %d batches: %v", len(acknowledged), err)
	select {
	case <-s.Failed():
	default:
		t.Fatal("the store goes on")
	}
	if _, err := s.CodeByValue(t.Context(), acknowledged[0], coupon.AnyState); err == nil {
		t.Error("a failed store answers")
	}
	if _, err := s.ArchiveCoupon(t.Context(), c.ID); err == nil {
		t.Error("a failed store writes")
	}
	if err := s.Ping(t.Context()); err == nil {
		t.Error("a failed store says it is well")
	}
	if err := s.Close(); err == nil {
		t.Error("closing does not tell why")
	}
	// Another process would open the same file; here a copy of what is on disk stands for that.
	copied := filepath.Join(t.TempDir(), "couponql.duckdb")
	for _, suffix := range []string{"", ".wal"} {
		copyFile(t, options.Path+suffix, copied+suffix)
	}
	s, err = Open(t.Context(), Options{Path: copied, MemoryLimit: "1GB"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	found, err := s.Availabilities(t.Context(), []coupon.ID{c.ID})
	// Whether the last batch, which was answered with an error, is there, nobody promised.
	if total := found[c.ID].Total; err != nil ||
		total != each*len(acknowledged) && total != each*(len(acknowledged)+1) {
		t.Errorf("%d codes are there, %v; %d batches of %d were acknowledged", total, err,
			len(acknowledged), each)
	}
	for _, value := range acknowledged {
		if code, err := s.CodeByValue(t.Context(), value, coupon.AnyState); err != nil ||
			code == nil {
			t.Errorf("an acknowledged code is %v, %v", code, err)
		}
	}
	checkReport(t, s)
}

// TestReserve tells that writes stop while there is still room for what must not fail.
func TestReserve(t *testing.T) {
	t.Parallel()
	dir := mountDisk(t, "80m")
	s, err := Open(t.Context(),
		Options{Path: filepath.Join(dir, "couponql.duckdb"), MemoryLimit: "1GB"})
	if err != nil {
		t.Fatal(err)
	}
	c, err := s.CreateCoupon(t.Context(), &coupon.CouponChanges{
		Type: coupon.TypeIndividual, Label: coupon.Set(new("c")),
		StartsAt: coupon.Set(new(coupon.DateTime("2020-01-01"))),
	})
	if err != nil {
		t.Fatal(err)
	}
	batches := 0
	for ; err == nil && batches < 20; batches++ {
		_, err = addRandom(t, s, c.ID, 9000)
	}
	if !errors.Is(err, ErrDiskFull) {
		t.Fatalf("after %d batches: %v", batches, err)
	}
	free, err := duckdb.FreeDisk(dir)
	if err != nil || free < minFreeDiskForOutcome*2 {
		t.Errorf("%d bytes are free, %v", free, err)
	}
	checkReport(t, s)
	if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT, "size=300m"); err != nil {
		t.Fatal(err)
	}
	if _, err := addRandom(t, s, c.ID, 9000); err != nil {
		t.Errorf("with room again: %v", err)
	}
	checkReport(t, s)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// TestDiskFullBeforeRewriting opens a database with something to erase from its file on a disk
// without room for another one: it is served as it is, and made anew when there is room.
func TestDiskFullBeforeRewriting(t *testing.T) {
	t.Parallel()
	dir := mountDisk(t, "144m")
	options := Options{Path: filepath.Join(dir, "couponql.duckdb"), MemoryLimit: "1GB"}
	s, err := Open(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.UpsertRecipients(t.Context(), []*coupon.RecipientChanges{
		{ExternalID: "r1", Email: coupon.Set(new("a@example.org"))},
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.EraseRecipients(t.Context(), nil, []string{"r1"}); err != nil {
		t.Fatal(err)
	}
	filler := filepath.Join(dir, "filler")
	for _, isFull := range []bool{true, false} {
		if isFull {
			free, err := duckdb.FreeDisk(dir)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filler, make([]byte, free-(60<<20)), 0o600); err != nil {
				t.Fatal(err)
			}
		} else if err := os.Remove(filler); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if s, err = Open(t.Context(), options); err != nil {
			t.Fatal(err)
		}
		isDone, err := s.Rewritten()
		if isDone == isFull || errors.Is(err, ErrDiskFull) != isFull {
			t.Errorf("with a full disk %t: rewritten %t, %v", isFull, isDone, err)
		}
		checkReport(t, s)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestDiskFullBeforeCuttingLog starts on a log that ends with zeros, on a disk without room for a
// copy of it: nothing is changed until there is room.
func TestDiskFullBeforeCuttingLog(t *testing.T) {
	t.Parallel()
	killed := filledCopied(t, 0, false, true)
	dir := mountDisk(t, "160m")
	path, filler := filepath.Join(dir, "couponql.duckdb"), filepath.Join(dir, "filler")
	copyFile(t, killed, path)
	sound, err := os.ReadFile(killed + duckdb.LogSuffix)
	if err != nil {
		t.Fatal(err)
	}
	log := slices.Concat(sound, make([]byte, 4096))
	if err := os.WriteFile(path+duckdb.LogSuffix, log, 0o600); err != nil {
		t.Fatal(err)
	}
	free, err := duckdb.FreeDisk(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filler, make([]byte, free-minFreeDisk-uint64(len(sound))),
		0o600); err != nil {
		t.Fatal(err)
	}
	if s, err := Open(t.Context(), Options{Path: path, MemoryLimit: "1GB"}); !errors.Is(err,
		ErrDiskFull) {
		t.Fatal(s, err)
	}
	if content, err := os.ReadFile(path + duckdb.LogSuffix); err != nil ||
		!bytes.Equal(content, log) {
		t.Errorf("the log has %d bytes of %d, %v", len(content), len(log), err)
	}
	if left, err := filepath.Glob(path + duckdb.LogSuffix + duckdb.DamagedSuffix +
		"*"); err != nil || len(left) > 0 {
		t.Errorf("left %v, %v", left, err)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	s := openAt(t, path)
	if kept, err := os.ReadFile(path + duckdb.LogSuffix + duckdb.DamagedSuffix + "1"); err != nil ||
		!bytes.Equal(kept, log) {
		t.Errorf("kept are %d bytes of %d, %v", len(kept), len(log), err)
	}
	checkReport(t, s)
}

// TestCopyDurablyFails: of a copy that fails on its way nothing stays.
func TestCopyDurablyFails(t *testing.T) {
	t.Parallel()
	to := filepath.Join(t.TempDir(), "copy")
	// A folder can be opened, and not be read.
	err := duckdb.CopyDurably(t.TempDir(), to, "copy a folder", minFreeDisk)
	if _, left := os.Lstat(to); err == nil || !errors.Is(left, os.ErrNotExist) {
		t.Errorf("got %v, left %v", err, left)
	}
}

// TestSpoolsOnFullDisk runs out of files while the spools of a use case are made: none of them
// stays.
func TestSpoolsOnFullDisk(t *testing.T) {
	t.Parallel()
	dir := mountDisk(t, "160m,nr_inodes=64")
	s := openAt(t, filepath.Join(dir, "couponql.duckdb"))
	id := addPool(t, s, "A1")
	useCases := map[string]func() error{
		"codes": func() error {
			_, _, err := s.AddCodes(t.Context(), id, []coupon.NewCode{{Value: "B1"}})
			return err
		},
		"generated codes": func() error {
			_, err := s.GenerateCodes(t.Context(), &GenerateRequest{
				CouponID: id, Count: 10, Pattern: "########", Alphabet: "ABCDEFGHJK",
			})
			return err
		},
		"recipients": func() error {
			_, err := s.UpsertRecipients(t.Context(),
				[]*coupon.RecipientChanges{{ExternalID: "r1"}})
			return err
		},
	}
	takeFiles(t, dir)
	for room := range 3 {
		for name, do := range useCases {
			if needed := map[string]int{"recipients": 2}[name]; needed > 0 && room >= needed {
				continue
			}
			if err := do(); !errors.Is(err, ErrDiskFull) {
				t.Errorf("%s with room for %d files: %v", name, room, err)
			}
			if left, err := os.ReadDir(s.spoolDir()); err != nil || len(left) > 0 {
				t.Fatalf("%s with room for %d files left %v, %v", name, room, left, err)
			}
		}
		if err := os.Remove(filepath.Join(dir, fmt.Sprintf("taken-%d", room))); err != nil {
			t.Fatal(err)
		}
	}
	for name, do := range useCases {
		if err := do(); err != nil {
			t.Errorf("%s with room again: %v", name, err)
		}
	}
}

// takeFiles makes files, taken-0 and so on, until the disk has no room for another one.
func takeFiles(t *testing.T, dir string) {
	t.Helper()
	for i := 0; ; i++ {
		err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("taken-%d", i)), nil, 0o600)
		if errors.Is(err, syscall.ENOSPC) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
