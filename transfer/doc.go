// Package transfer moves files over HTTP: those that are sent to be imported, and those to be
// downloaded.
//
// GraphQL carries commands and their state; the bytes of files go their own way. A mutation or a
// field answers a link, which says by its signature that who has it may send or get this one file
// until it expires: the routes here ask for nothing else. Links signs and verifies.
//
// # Uploads
//
// The link of createUpload takes the whole file by PUT, which any client can, or piece by piece by
// the tus protocol (https://tus.io/protocols/resumable-upload, version 1.0.0), which resumes after
// a broken connection. Of its extensions there are checksum, expiration, termination and the
// deferred length of creation-defer-length: an upload is created by the mutation alone.
//
// # Downloads
//
// A GET of a link to a file answers it as an attachment.
//
// # Slow clients
//
// A transfer may take hours as long as something moves: a client that neither sends nor takes a
// byte for a minute is cut off, see Body.
package transfer
