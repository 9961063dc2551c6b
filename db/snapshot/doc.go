// Package snapshot makes the copies of the data that analysts ask, and asks them. Take writes one
// beside everything else; Open opens one, in a process that has nothing else, with all that leads
// out of it switched off.
//
// A snapshot has the views of views.sql, made of the tables of tables.sql. A masked one has neither
// codes nor personal data.
package snapshot
