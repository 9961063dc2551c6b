package command

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
)

// Exit codes, for scripts. When several files are imported, the highest counts.
const (
	// codeFailed: the server could not be reached or answered with an error, or a job failed.
	codeFailed = 1
	// CodeMisused says that the command line makes no sense. Nothing was asked of the server.
	CodeMisused = 2
	// codeRejected: imported, but some rows were rejected.
	codeRejected = 3
	// codeInterrupted is what a shell expects after Ctrl-C.
	codeInterrupted = 130
)

// exitHelp documents the codes in --help.
const exitHelp = `Exit codes: 0 all went well; 1 the server could not be reached or answered with an error, or the job
failed; 2 wrong usage; 3 imported, but some rows were rejected; 130 interrupted.`

// ExitError ends the program with this code. What led to it has been said already.
type ExitError int

// Error names the code.
func (e ExitError) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// ExitCode returns the code to the main package.
func (e ExitError) ExitCode() int { return int(e) }

// exit returns the error for a code; none for 0.
func exit(code int) error {
	if code == 0 {
		return nil
	}
	return ExitError(code)
}

// Console is what a command reads from and writes to.
type Console struct {
	in       io.Reader
	out, err io.Writer
	// isTerminal tells whether a person watches err, and so whether progress is shown.
	isTerminal bool
	pace       pace
}

// NewConsole returns a console of these streams; isTerminal tells whether a person watches err.
func NewConsole(in io.Reader, out, err io.Writer, isTerminal bool) *Console {
	return &Console{in, out, err, isTerminal, pace{
		poll: 250 * time.Millisecond, firstWait: 250 * time.Millisecond, lastWait: 10 * time.Second,
		silence: 2 * time.Minute, grace: 10 * time.Second, chunkBytes: 32 << 20,
	}}
}

// pace says how patient the commands are, and how long their steps.
type pace struct {
	// poll is the time between two looks at a job.
	poll time.Duration
	// firstWait is the time after a failure until the next try; it doubles with each one up to lastWait.
	firstWait, lastWait time.Duration
	// silence is how long a transfer may stand still before it counts as broken.
	silence time.Duration
	// grace is how long what was begun may go on after an interrupt.
	grace time.Duration
	// chunkBytes is how much of a file one request carries: little enough that the server has something safe
	// soon, enough that requests do not count.
	chunkBytes int64
}

// complainf tells of a problem on standard error.
func (c *Console) complainf(format string, args ...any) {
	// There is no other place to tell that standard error is gone.
	_, _ = fmt.Fprintln(c.err, "couponql:", printable(inFlags(fmt.Sprintf(format, args...))))
}

// printable returns text that cannot play tricks on a terminal: files and servers may have any characters in it.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, text)
}
