// Package analyst answers the SQL of analysts.
//
// The engine does not count foreign SQL as safe, and a single function may keep it busy for
// minutes. So every query runs in a process of its own, which is this program again with the hidden
// command answer-sql:
//
//	server                                          process
//	snapshot no older than MaxAge
//	start, with no environment, no file, no right
//	request on standard input ────────────────────▶ read it, limit itself (confine)
//	                                                open the snapshot read-only, locked
//	read lines, count bytes ◀────────────────────── columns, rows, end on standard output
//	kill it: at the end, the time limit, or when
//	the caller has gone
//
// The process sees a copy of the data that has nothing secret in it (snapshot.Snapshot), and on
// Linux no other file and no TCP connection (Landlock), whatever the SQL makes the engine do. The
// process ends itself when the server has gone.
package analyst
