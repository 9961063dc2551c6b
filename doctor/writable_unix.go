//go:build linux || darwin

package doctor

import "syscall"

// isWritable reports whether this user may write to a file, or make one in a folder.
func isWritable(path string) bool {
	const write = 2
	return syscall.Access(path, write) == nil
}
