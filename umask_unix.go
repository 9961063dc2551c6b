//go:build unix

package main

import "syscall"

// keepToSelf has every file that the process makes readable by its user alone: the engine makes
// some, and asks nobody.
func keepToSelf() {
	const others = 0o077
	syscall.Umask(others)
}
