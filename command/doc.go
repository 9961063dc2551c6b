// Package command is the command line for those who work with a running server: it sends files to
// be imported and fetches what is exported.
//
// A command works through the public API alone, over HTTP, as a program of anybody else would; it
// never opens the database. So it may run on another machine, say at the end of a tunnel, and what
// it can do everybody can.
//
// An import asks for an upload, sends the file there piece by piece (tus 1.0), begins the import
// and follows it. Sending goes on where it stopped when the connection breaks, and the import goes
// on by itself: looking at it is tried again. What cannot be repeated without harm, the mutations,
// is asked for once. An export is the same the other way round. A file of any size passes through
// in pieces; none is ever held in memory.
//
// Results go to standard output; progress and problems go to standard error.
package command
