//go:build linux || darwin

package duckdb

import (
	"fmt"
	"syscall"
)

// FreeDisk returns how many bytes of the disk that a folder is on are free for this process.
func FreeDisk(dir string) (uint64, error) {
	var stat syscall.Statfs_t
	if err := syscall.Statfs(dir, &stat); err != nil {
		return 0, fmt.Errorf("statfs %s: %w", dir, err)
	}
	return stat.Bavail * uint64(stat.Bsize), nil
}
