//go:build !linux && !darwin

package doctor

// isWritable reports whether this user may write to a file; elsewhere that is not known before it is tried.
func isWritable(string) bool { return true }
