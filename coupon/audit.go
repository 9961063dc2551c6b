package coupon

import "time"

// AuditKind says what an entry of the audit log is about.
type AuditKind string

// The kinds of entries.
const (
	// AuditMutation: something was, or was to be, changed.
	AuditMutation AuditKind = "MUTATION"
	// AuditRead: codes or personal data were shown unmasked.
	AuditRead AuditKind = "READ"
)

// AuditOutcome says what came of it.
type AuditOutcome string

// The outcomes.
const (
	// AuditDone: it did what was asked for.
	AuditDone AuditOutcome = "DONE"
	// AuditRefused: the caller was told what to mend.
	AuditRefused AuditOutcome = "REFUSED"
	// AuditFailed: the server could not.
	AuditFailed AuditOutcome = "FAILED"
)

// What the audit log keeps of an input.
const (
	// MaxAuditText is how many characters of one text.
	MaxAuditText = 200
	// MaxAuditItems is how many items of one list.
	MaxAuditItems = 20
)

// AuditEntry says who did what. It is never changed nor deleted.
type AuditEntry struct {
	ID ID
	At time.Time
	// Caller is the name of who asked, such as key_17, Role what the caller might do then, and
	// Address where the request came from.
	Caller  string
	Role    Role
	Address string
	Kind    AuditKind
	// Action is the field that was asked for, such as voidCodes; of a READ the fields of the
	// operation's root.
	Action string
	// Input is what was given, without secrets, codes and personal data; of a READ the confidential
	// fields.
	Input     JSON
	Outcome   AuditOutcome
	Errors    []ErrorCode
	RequestID string
}

// AuditFilter chooses entries. What is nil chooses all.
type AuditFilter struct {
	Caller  *string
	Kind    *AuditKind
	Action  *string
	Outcome *AuditOutcome
	From    *DateTime
	To      *DateTime
}
