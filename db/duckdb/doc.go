// Package duckdb is what the server needs of DuckDB: an engine on one file, its connections,
// statements and transactions, the one writer, rows on their way in (Spool), files and copies on
// their way out, the room on the disk, and the engine's log.
//
// It knows nothing of coupons: what is written, and when, is for package db to say.
package duckdb
