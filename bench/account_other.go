//go:build !unix

package main

import "os/exec"

// runUnprivileged has nothing to do: there is no root.
func runUnprivileged(*exec.Cmd, string) error { return nil }
