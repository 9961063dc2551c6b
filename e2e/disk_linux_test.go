package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestFullDisk fills the disk under a server: what is written is refused whole, what is there can
// be read, and with room again everything goes on.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=120m"); err != nil {
		t.Skipf("mounting a small disk: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	p := start(t, dir)
	var none struct{}
	p.must(t, createCoupon, &none)
	const field = `importCodes(input: {couponId: "coupon_1", file: $file})`
	p.importFile(t, field, codesFile("A", 1000))

	// 70 MB are left, so that the reserve is reached in the middle of the next import.
	filler := fill(t, dir, 70<<20)
	id, err := queueFile(t.Context(), p, field, codesFile("B", 400_000))
	if err != nil {
		t.Fatal(err)
	}
	var read struct {
		Import struct {
			Status  string
			Failure *string
		}
		Coupon struct{ Availability struct{ Total, Redeemed int } }
	}
	query := fmt.Sprintf(`{ import(id: %q) { status failure } coupon(id: "coupon_1") { availability { total redeemed } } }`, id)
	for deadline := time.Now().Add(30 * time.Second); ; pause(t) {
		p.must(t, query, &read)
		if read.Import.Status != "QUEUED" && read.Import.Status != "RUNNING" ||
			time.Now().After(deadline) {
			break
		}
	}
	if read.Import.Status != "FAILED" || read.Import.Failure == nil ||
		!strings.Contains(*read.Import.Failure, "disk is full") {
		t.Errorf("the import is %+v\n%s", read.Import, p.text())
	}
	if read.Coupon.Availability.Total != 1000 {
		t.Errorf("half an import is there: %+v", read.Coupon)
	}
	const large = `mutation { createUpload(input: {fileName: "codes.csv", byteCount: 1e9}) { upload { id } userErrors { message } } }`
	if err := p.ask(t.Context(), large, nil, &none); err == nil ||
		!strings.Contains(err.Error(), "UNAVAILABLE") {
		t.Errorf("a place for more than the disk holds: %v", err)
	}
	small := fill(t, dir, 30<<20)
	redeem := `mutation { redeemCode(input: {value: "A000001"}) { redemption { id } userErrors { message } } }`
	if err := p.ask(t.Context(), redeem, nil, &none); err == nil {
		t.Error("a redemption was acknowledged below the reserve")
	}
	p.must(t, query, &read)
	if read.Coupon.Availability.Redeemed != 0 {
		t.Errorf("a refused redemption counts: %+v", read.Coupon)
	}
	if status, text := p.get(t, "/readyz", nil); status != 200 {
		t.Errorf("/readyz: %d %s", status, text)
	}
	for _, file := range []string{filler, small} {
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
	}
	p.must(t, redeem, &none)
	p.importFile(t, field, codesFile("C", 1000))

	// A server that stops on a disk without any room loses nothing: what was refused at last is in
	// its log.
	filler = fill(t, dir, 0)
	if err := p.ask(t.Context(), strings.Replace(redeem, "A000001", "A000002", 1), nil,
		&none); err == nil {
		t.Error("a redemption was acknowledged on a full disk")
	}
	p.stop(t, shutdownTimeout)
	if text := p.text(); !strings.Contains(text, "could not write the last audit entries") ||
		!strings.Contains(text, "action=redeemCode") {
		t.Errorf("what the audit log lacks was not told:\n%s", text)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	p = start(t, dir)
	p.must(t, query, &read)
	if got := read.Coupon.Availability; got.Total != 2000 || got.Redeemed != 1 {
		t.Errorf("after a stop on a full disk: %+v", got)
	}
	var report struct{ IntegrityReport struct{ IsSound bool } }
	p.must(t, `{ integrityReport { isSound } }`, &report)
	if !report.IntegrityReport.IsSound {
		t.Error("the database is not sound")
	}
}

func codesFile(prefix string, count int) string {
	var text strings.Builder
	text.WriteString("code\n")
	for i := range count {
		fmt.Fprintf(&text, "%s%06d\n", prefix, i)
	}
	return text.String()
}

// fill writes a file that leaves so many bytes of the disk free.
func fill(t *testing.T, dir string, leave uint64) string {
	t.Helper()
	file, err := os.CreateTemp(dir, "filler-*")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := file.Close(); err != nil {
			t.Error(err)
		}
	}()
	block := make([]byte, 1<<20)
	for {
		var disk syscall.Statfs_t
		if err := syscall.Statfs(dir, &disk); err != nil {
			t.Fatal(err)
		}
		free := disk.Bavail * uint64(disk.Bsize)
		if free <= leave {
			return filepath.Join(dir, filepath.Base(file.Name()))
		}
		if _, err := file.Write(block[:min(uint64(len(block)), free-leave)]); err != nil {
			t.Fatal(err)
		}
	}
}
