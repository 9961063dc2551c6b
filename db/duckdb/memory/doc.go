// Package memory keeps where every code stands: who holds it, whether it was redeemed or voided,
// which codes are free, and which are held for whom. It decides about redemptions and chooses codes
// without a statement.
//
// The rows are the truth. Memory is filled from them at start (Load) and changed in one step with
// each commit (Commit), so that what a reader sees always adds up. A code takes 9 bytes (codeTable)
// and a slot of 8 in the index of keys (keyIndex).
//
// # Who may do what
//
// A Memory takes its lock for each question. Read asks several questions of one instant by a View.
// A Change changes things; it is handed out by Load, Commit and Redeem alone, which hold the lock.
//
// The package knows no SQL, no context and no clock: callers say what time it is.
package memory
