//go:build unix

package main

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// runUnprivileged makes a command that root starts run as PostgreSQL's user, or as nobody, and
// gives that user the folder. The folder above it may then be passed through by everybody.
func runUnprivileged(command *exec.Cmd, folder string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	account, err := user.Lookup(postgresUser)
	if err != nil {
		if account, err = user.Lookup("nobody"); err != nil {
			return fmt.Errorf("find a user without privileges: %w", err)
		}
	}
	uid, err := strconv.ParseUint(account.Uid, 10, 32)
	if err != nil {
		return fmt.Errorf("find a user without privileges: %w", err)
	}
	gid, err := strconv.ParseUint(account.Gid, 10, 32)
	if err != nil {
		return fmt.Errorf("find a user without privileges: %w", err)
	}
	command.SysProcAttr = &syscall.SysProcAttr{
		Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)},
	}
	if err := os.Chown(folder, int(uid), int(gid)); err != nil {
		return fmt.Errorf("give %s its folder: %w", account.Username, err)
	}
	if err := os.Chmod(filepath.Dir(folder), 0o711); err != nil {
		return fmt.Errorf("let %s to its folder: %w", account.Username, err)
	}
	return nil
}

// processorTime returns how long the processors have worked for this process.
func processorTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// maxFiles returns how many files this process may have open: the runtime has raised the soft limit
// to the hard one.
func maxFiles() uint64 {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return spareFiles
	}
	return limit.Max
}
