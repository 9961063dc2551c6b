package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"
)

// footprint is what a server takes while nothing is to do.
type footprint struct {
	goroutines, openFiles, memory float64
	// codes is how many there are.
	codes int
	// fileCounts are the files in the folders of the server, by folder, and mayStay how many of each may stay for a while.
	fileCounts, mayStay map[string]int
}

const (
	// What may come on top while nothing leaks: connections that are about to close, threads, the allocator's slack.
	slackGoroutines = 20
	slackFiles      = 20
	slackMemory     = 128 << 20
	// maxSpilled is how many files the engine may spill to while nothing is to do: a draft waits for its confirmation.
	maxSpilled = 8
	// bytesOfCode is what a code may take in memory, with its message and redemption, twice over for the garbage collector.
	bytesOfCode = 400
)

// fileFolders are those in which files come and go.
var fileFolders = []string{"spool", "temp", "uploads", "exports"}

// measure waits until nothing is to do, and looks what the server takes.
func (s *soak) measure(ctx context.Context) (*footprint, error) {
	if err := s.drain(ctx); err != nil {
		return nil, err
	}
	s.server.client.Close()
	// Subscriptions and requests of clients that went away end when the server notices it.
	sleep(ctx, quietTime)
	metrics, err := s.server.metrics(ctx)
	if err != nil {
		return nil, err
	}
	uploads, exports := s.spooled.mayBe()
	f := &footprint{
		goroutines: metrics["go_goroutines"], openFiles: metrics["process_open_fds"], memory: metrics["process_resident_memory_bytes"],
		mayStay: map[string]int{"uploads": uploads, "exports": exports},
	}
	if f.goroutines == 0 || f.openFiles == 0 || f.memory == 0 {
		return nil, fmt.Errorf("/metrics does not tell what the server takes: %v", f)
	}
	f.codes = s.model.codes()
	f.fileCounts, err = s.countFiles()
	return f, err
}

// countFiles counts the files in each of the server's folders.
func (s *soak) countFiles() (counts map[string]int, err error) {
	counts = map[string]int{}
	for _, folder := range fileFolders {
		if counts[folder], err = files(filepath.Join(s.dir, "couponql.duckdb.files", folder)); err != nil {
			return nil, fmt.Errorf("count files: %w", err)
		}
	}
	return counts, nil
}

// quietTime is how long after the load the server is looked at: longer than the interval at which subscriptions are kept
// alive, which is when the server notices that a client is gone.
const quietTime = 20 * time.Second

// compare returns what has grown more than it may.
func (f *footprint) compare(after *footprint) (problems []error) {
	grown := func(what string, before, after, slack float64) {
		if after > before+slack {
			problems = append(problems, fmt.Errorf("%s: %.0f grew to %.0f, by more than %.0f", what, before, after, slack))
		}
	}
	grown("goroutines", f.goroutines, after.goroutines, slackGoroutines)
	grown("open files", f.openFiles, after.openFiles, slackFiles)
	grown("bytes of memory", f.memory, after.memory, slackMemory+bytesOfCode*float64(after.codes-f.codes))
	for folder, count := range after.fileCounts {
		slack := after.mayStay[folder] - f.mayStay[folder]
		if folder == "temp" {
			slack = maxSpilled
		}
		grown("files in "+folder, float64(f.fileCounts[folder]), float64(count), float64(slack))
	}
	return problems
}

// lines tells about both.
func (f *footprint) lines(after *footprint, first, all time.Duration) []string {
	lines := []string{
		fmt.Sprintf("without a break, after %s and after %s of load:", first.Round(time.Second), all.Round(time.Second)),
		fmt.Sprintf("  goroutines %.0f, %.0f", f.goroutines, after.goroutines),
		fmt.Sprintf("  open files %.0f, %.0f", f.openFiles, after.openFiles),
		fmt.Sprintf("  memory     %.0f MB, %.0f MB, with %d codes more", f.memory/1e6, after.memory/1e6, after.codes-f.codes),
	}
	for _, folder := range fileFolders {
		lines = append(lines, fmt.Sprintf("  files in %s %d, %d", folder, f.fileCounts[folder], after.fileCounts[folder]))
	}
	return lines
}
