package command

import (
	"time"

	"github.com/schollz/progressbar/v3"
)

// bar shows how far something is, if a person watches.
type bar struct {
	// shown is nil where nothing is shown.
	shown *progressbar.ProgressBar
}

// wholeJob is the length of a bar for a job, whose progress is a share.
const wholeJob = 1000

// newBar returns a bar of so many bytes, or of unknown length if that is negative.
func (s *session) newBar(label string, byteCount int64) *bar {
	return s.bar(label, byteCount, progressbar.OptionShowBytes(true))
}

// newJobBar returns a bar for a job.
func (s *session) newJobBar(label string) *bar { return s.bar(label, wholeJob) }

func (s *session) bar(label string, length int64, options ...progressbar.Option) *bar {
	if !s.isTerminal || s.flags.Quiet || s.flags.JSON {
		return &bar{}
	}
	if length == 0 {
		length = 1
	}
	options = append(options, progressbar.OptionSetWriter(s.err), progressbar.OptionSetDescription(printable(label)),
		progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionSetWidth(30), progressbar.OptionClearOnFinish(),
		// Otherwise a bar of unknown length is drawn by a goroutine of its own too, which clear does not wait for.
		progressbar.OptionSetSpinnerChangeInterval(0))
	return &bar{progressbar.NewOptions64(length, options...)}
}

// A bar that cannot be drawn is no reason to stop: errors of drawing are left aside.

func (b *bar) set(n int64) {
	if b.shown != nil {
		_ = b.shown.Set64(n)
	}
}

func (b *bar) add(n int) {
	if b.shown != nil {
		_ = b.shown.Add(n)
	}
}

// show gives the progress of a job.
func (b *bar) show(progress float64, label string) {
	if b.shown != nil {
		b.shown.Describe(printable(label))
		// The last step is the job's end, which follow sees: a full bar takes no more.
		b.set(min(int64(progress*wholeJob), wholeJob-1))
	}
}

// clear takes the bar away.
func (b *bar) clear() {
	if b.shown != nil {
		_ = b.shown.Exit()
		_ = b.shown.Clear()
	}
}
