// Package db keeps everything in one DuckDB file. It is the only package that knows SQL and the
// driver. It takes and returns the types of package coupon, and a few of its own about files, jobs
// and sending.
//
// # Turns
//
// Reads go through a few connections and are never blocked. There are three ways to write, each
// with a type of its own (turn.go), so that the compiler says what may be done where:
//
//   - turn: the writer's turn. One use case after the other has it, in a transaction of its own. It
//     may look, decide and write without a lock: nothing that it decided on can change before its
//     commit.
//   - tx: a long use case beside the writer, on a connection of its own. It makes temporary tables
//     and appends rows that nobody else touches. It ends in a turn, where it looks at what others
//     did meanwhile.
//   - group: many small use cases, redemptions above all, that share a turn. They decide in memory,
//     and one row of the journal (journal.go) brings all of them to the disk. The journal posts its
//     rows to the tables soon after, on a connection of its own.
//
// # Memory
//
// What every decision about a code needs (does it exist, where does it stand) is kept in memory, by
// package memory. The rows are the truth: memory is filled from them at start (load.go) and changed
// in one step with a commit, and integrityReport compares the two.
//
// # Statements
//
// Every statement is a file in query/, embedded under its name; a test prepares each of them
// against the migrated schema. Thousands of rows are one statement: rows travel into the engine as
// lists or as a file in the spool folder, the only place the engine may read.
package db
