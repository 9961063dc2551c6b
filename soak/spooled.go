package main

import "sync"

// spooled counts what the server may keep files of. uploads and exports are how many were asked for: their files stay for a
// day. files is how many came with the request of their import, which stay some minutes, and answered how many of these were
// acknowledged and had no row rejected: where the request ended before that, or rows were rejected, the file stays longer.
type spooled struct {
	mu                                sync.Mutex
	uploads, exports, files, answered int
}

func (s *spooled) upload() { s.add(&s.uploads) }

func (s *spooled) export() { s.add(&s.exports) }

func (s *spooled) sendFile() { s.add(&s.files) }

func (s *spooled) fileAnswered() { s.add(&s.answered) }

func (s *spooled) add(count *int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	*count++
}

// mayStay returns how many files of each folder may be there for long.
func (s *spooled) mayStay() (uploads, exports int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.uploads + s.files - s.answered, s.exports
}

// mayBe returns how many files of each folder may be there for a moment.
func (s *spooled) mayBe() (uploads, exports int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.uploads + s.files, s.exports
}
