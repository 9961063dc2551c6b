package coupon

import "time"

// Role is what a caller may do; the directives of the schema say which fields that is.
type Role string

// The roles.
const (
	RoleAdmin    Role = "ADMIN"
	RoleMarketer Role = "MARKETER"
	RoleAnalyst  Role = "ANALYST"
	RoleRedeemer Role = "REDEEMER"
	RoleReporter Role = "REPORTER"
	RoleClaimer  Role = "CLAIMER"
)

// Roles returns all roles.
func Roles() []Role {
	return []Role{RoleAdmin, RoleMarketer, RoleAnalyst, RoleRedeemer, RoleReporter, RoleClaimer}
}

// IsStaff reports whether the role is of people who see how the server does, and not of a program
// with one task.
func (r Role) IsStaff() bool { return r == RoleAdmin || r == RoleMarketer || r == RoleAnalyst }

// IsMasked reports whether codes and personal data are hidden from the role: who counts redemptions
// needs none of them.
func (r Role) IsMasked() bool { return r == RoleAnalyst }

// Caller is who sends a request.
type Caller struct {
	// Name tells the caller from all others, such as key_17. It is in the audit log.
	Name string
	// Label is what people call the caller.
	Label string
	Role  Role
	// Address is where the request came from.
	Address string
	// KeyID is the key that the caller showed; nil: another proof, or none.
	KeyID *ID
	// ExpiresAt is when the proof ends that the caller showed; nil: it does not, or its key tells.
	ExpiresAt *time.Time
	// RequestsPerSecond is how many requests are answered; nil: no limit.
	RequestsPerSecond *int
}

// IsMasked reports whether codes and personal data are hidden from the caller.
func (c *Caller) IsMasked() bool { return c.Role.IsMasked() }

// LocalCaller is the name of everybody while the server has no keys and answers its own machine
// alone.
const LocalCaller = "local"

// Mask stands in an answer for what its reader may not see.
const Mask = "•••"

// MaskText returns the mask for a text; nothing stays nothing.
func MaskText(text string) string {
	if text == "" {
		return ""
	}
	return Mask
}
