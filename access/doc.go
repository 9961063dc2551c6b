// Package access tells who sends a request, and how much of it they may send: keys and tokens, the
// rate of requests, and how often one may guess at codes. What a role may do stands in the schema,
// and package resolvers sees to it.
package access
