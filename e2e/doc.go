// Package e2e has the tests of the built program: they start it, ask it over HTTP and by its
// commands, stop and kill it, and look at the files that it leaves. Like an operator they know
// nothing of its packages.
package e2e
