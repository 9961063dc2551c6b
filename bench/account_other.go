//go:build !unix

package main

import (
	"os/exec"
	"time"
)

// runUnprivileged has nothing to do: there is no root.
func runUnprivileged(*exec.Cmd, string) error { return nil }

// maxFiles returns how many files this process may have open: there is no limit worth a thought.
func maxFiles() uint64 { return 1 << 20 }

// processorTime returns 0: nothing counts it here.
func processorTime() time.Duration { return 0 }
