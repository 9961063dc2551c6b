package main

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// mountDisk makes a disk of so many bytes, in memory.
func mountDisk(dir string, size int) error {
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d", size)); err != nil {
		return fmt.Errorf("mount a small disk: %w", err)
	}
	return nil
}

func unmountDisk(dir string) error {
	if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
		return fmt.Errorf("unmount the small disk: %w", err)
	}
	return nil
}

// fill writes a file until so many bytes of its disk are free.
func fill(path, dir string, leave uint64) (err error) {
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("fill the disk: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	block := make([]byte, 1<<20)
	for {
		var disk syscall.Statfs_t
		if err := syscall.Statfs(dir, &disk); err != nil {
			return fmt.Errorf("look how full the disk is: %w", err)
		}
		free := disk.Bavail * uint64(disk.Bsize)
		if free <= leave {
			return nil
		}
		if _, err := file.Write(block[:min(uint64(len(block)), free-leave)]); err != nil {
			return fmt.Errorf("fill the disk: %w", err)
		}
	}
}
