// Package unavailable has the error for what the server cannot do now and can at other times: too
// much is going on, it stops, or its disk is full. Whoever makes such an error knows what to say;
// the edges answer it without knowing any of them.
package unavailable

import "time"

// RetryAfter is when a request may be made again that was refused because too much is going on.
const RetryAfter = time.Second

// Error says that the server cannot do now what it can do at other times. Whoever answers it
// needs to know nothing else about it.
type Error struct {
	// Cause is for the log.
	Cause string
	// Reason begins a sentence for a person, and Advice is the next one: what to do.
	Reason, Advice string
	// RetryAfter is when the same request may succeed; 0: once somebody has made room on the disk.
	RetryAfter time.Duration
	// IsLogged: whoever runs the server has to hear of it.
	IsLogged bool
}

// Error returns the cause.
func (e *Error) Error() string { return e.Cause }

// Sentences returns what a caller is told. remains says what is left of the request, such as
// "nothing was changed"; "": that goes without saying.
func (e *Error) Sentences(remains string) string {
	if remains != "" {
		remains = ", so " + remains
	}
	return e.Reason + remains + ". " + e.Advice
}
