package transfer

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"couponql/coupon"
	"couponql/db/dbtest"
)

// zeros gives zeros without end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// TestDiskFull sends more than the disk has room for: the client hears it, what came in can be gone
// on with, and the database has what it needs.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=144m"); err != nil {
		t.Skipf("mounting a small disk: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	s := &site{
		clock: dbtest.NewClock(time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)),
		path:  filepath.Join(dir, "couponql.duckdb"), log: &lockedBuffer{},
	}
	s.open(t, stallTime)
	id, path := s.create(t)
	response := s.ask(t, http.MethodPut, path, io.LimitReader(zeros{}, 100<<20))
	want(t, response, http.StatusInsufficientStorage, "disk is full")
	u, err := s.store.UploadByID(t.Context(), id)
	if err != nil || u.Received == 0 || u.IsComplete {
		t.Errorf("got %+v, %v", u, err)
	}
	_, err = s.store.CreateCoupon(t.Context(), &coupon.CouponChanges{
		Type: coupon.TypeIndividual, Label: coupon.Set(new("c")),
		StartsAt: coupon.Set(new(coupon.DateTime("2026-11-01"))),
	})
	if err != nil {
		t.Error(err)
	}
	// Even when something else has taken the reserve, an upload can be deleted to make room.
	if err := os.WriteFile(filepath.Join(dir, "filler"), make([]byte, 20<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	want(t, s.patch(t, path, int(u.Received), text), http.StatusInsufficientStorage, "disk is full")
	want(t, s.ask(t, http.MethodDelete, path, nil, "Tus-Resumable: 1.0.0"), 204, "")
	_, path = s.create(t)
	want(t, s.put(t, path, text), 204, "")
}
