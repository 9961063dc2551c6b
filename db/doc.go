// Package db keeps everything in one DuckDB file. It is the only package that knows SQL and the
// driver; it gives and takes the types of package coupon.
//
// # Lanes
//
// Reads go through a small pool of connections and are never blocked. All writes go through one
// writer (writer.go): a goroutine that owns one connection and runs one use case after the other, each
// in a transaction of its own, or many small ones (redemptions) together, so that they share a row of
// the journal (journal.go) and the disk's flush. There is no other way to write, so a use case may
// look, decide and write without any lock, and nothing it decided on can change under it.
//
// # The pool
//
// What every decision about a code needs (does it exist, where does it stand) is kept in memory
// (pool.go): an index from a code's key to its number and a byte of state a code, loaded from the
// rows at start. The rows are the truth: the pool is changed when a transaction has committed, and
// integrityReport compares the two.
//
// # Statements
//
// Every statement is a file in query/, embedded under its name; a test prepares each of them against
// the migrated schema. Thousands of rows are one statement: rows travel into the engine as lists or as
// a file in the spool folder, the only place the engine may read.
package db
