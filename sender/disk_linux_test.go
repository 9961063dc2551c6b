package sender_test

import (
	"flag"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"couponql/coupon"
	"couponql/sender"
)

// fillDisk appends batches until the disk is full, and expects the file to end with the last batch
// that fitted. Afterwards a small batch must still find its place.
func fillDisk(t *testing.T, dir string) {
	t.Helper()
	o, err := sender.OpenOutbox(dir)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "delivery_1.mbox")
	size, batches := int64(0), 0
	for ; batches < 100; batches++ {
		next, err := o.Append("delivery_1", size,
			batch(coupon.ChannelEmail, batches*400+1, 400), sentAt)
		if err != nil {
			if !strings.Contains(err.Error(), path) {
				t.Errorf("got %v, want an error that names %s", err, path)
			}
			t.Logf("after %d batches: %v", batches, err)
			break
		}
		size = next
	}
	if batches == 0 || batches == 100 {
		t.Fatalf("the disk was full after %d batches", batches)
	}
	if info, err := os.Stat(path); err != nil || info.Size() != size {
		t.Fatalf("got %v, %v, want a file of %d bytes", info, err, size)
	}
	mustAppend(t, o, "delivery_1", size, batch(coupon.ChannelEmail, batches*400+1, 1))
	if got := readMailbox(t, read(t, path)); len(got) != batches*400+1 {
		t.Errorf("got %d messages, want %d", len(got), batches*400+1)
	}
}

func TestFullDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=2m"); err != nil {
		t.Skipf("mounting a small disk: %v; TestFileSizeLimit does without", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	fillDisk(t, dir)
}

// limitedDir is the folder for the process that TestFileSizeLimit starts.
var limitedDir = flag.String("limited-dir", "",
	"fill this folder with a limit on the size of files")

// TestFileSizeLimit needs no rights: the limit of a file's size fails a write in the middle of a
// batch, as a full disk does. A limit is the whole process's, so that another one takes it.
func TestFileSizeLimit(t *testing.T) {
	if *limitedDir != "" {
		signal.Ignore(syscall.SIGXFSZ)
		limit := syscall.Rlimit{Cur: 2 << 20, Max: 2 << 20}
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
			t.Fatal(err)
		}
		fillDisk(t, *limitedDir)
		return
	}
	t.Parallel()
	command := exec.CommandContext(t.Context(), os.Args[0],
		"-test.run=^TestFileSizeLimit$", "-test.v",
		"-limited-dir="+filepath.Join(t.TempDir(), "outbox"))
	output, err := command.CombinedOutput()
	if err != nil || !strings.Contains(string(output), "file too large") {
		t.Errorf("got %v, want the file to be too large:\n%s", err, output)
	}
}
