package db

import (
	"path/filepath"

	"couponql/db/duckdb"
)

// Workload says how busy a store is.
type Workload struct {
	// Statements, Commits and Committed count since the start: SQL statements, transactions of the
	// writer, and the writes that those carried.
	Statements, Commits, Committed int64
	// Waiting is how many writes wait for the writer, Additions and Preparations how many run
	// beside it.
	Waiting, Additions, Preparations int
	// AuditWaiting is how many entries of the audit log are not on the disk yet.
	AuditWaiting int
	// Codes is how many codes there are in all pools.
	Codes int
	// DatabaseBytes is the size of the database with its log, FreeBytes what is free on its disk; 0
	// when it cannot be told.
	DatabaseBytes, FreeBytes uint64
}

// Workload tells how busy the store is now.
func (s *Store) Workload() Workload {
	joins, alone := s.writer.Waiting()
	load := Workload{
		Statements: s.Statements(), Commits: s.writer.commits.Load(),
		Committed: s.writer.committed.Load(),
		Waiting:   joins + alone, Additions: len(s.additions), Preparations: len(s.preparations),
		Codes: s.memory.Size(),
	}
	s.audit.mu.Lock()
	load.AuditWaiting = len(s.audit.waiting)
	s.audit.mu.Unlock()
	if size, err := duckdb.Size(s.options.Path); err == nil {
		load.DatabaseBytes = size
	}
	if free, err := duckdb.FreeDisk(filepath.Dir(s.options.Path)); err == nil {
		load.FreeBytes = free
	}
	return load
}
