package coupon

import (
	"fmt"
	"strings"
	"time"
	"unicode"
)

// ImportKind is what the rows of an imported file are.
type ImportKind string

// The kinds of imports.
const (
	ImportCodes       ImportKind = "CODES"
	ImportRecipients  ImportKind = "RECIPIENTS"
	ImportRedemptions ImportKind = "REDEMPTIONS"
	ImportTargets     ImportKind = "TARGETS"
)

// FileFormat is the format of an imported or exported file.
type FileFormat string

// The formats of files.
const (
	FormatCSV     FileFormat = "CSV"
	FormatXML     FileFormat = "XML"
	FormatJSONL   FileFormat = "JSONL"
	FormatParquet FileFormat = "PARQUET"
)

// ImportStatus is where a job stands.
type ImportStatus string

// The states of a job. QUEUED and RUNNING are resumed after a restart; the others are final.
const (
	ImportQueued    ImportStatus = "QUEUED"
	ImportRunning   ImportStatus = "RUNNING"
	ImportSucceeded ImportStatus = "SUCCEEDED"
	ImportFailed    ImportStatus = "FAILED"
	ImportCanceled  ImportStatus = "CANCELED"
)

// IsFinal reports whether a job in this state will never change again.
func (s ImportStatus) IsFinal() bool {
	return s == ImportSucceeded || s == ImportFailed || s == ImportCanceled
}

// OnRejection says what a bad row means for the good ones.
type OnRejection string

// The policies for bad rows.
const (
	SkipRow    OnRejection = "SKIP_ROW"
	RejectFile OnRejection = "REJECT_FILE"
)

// ImportMode says what an import of codes does with its rows.
type ImportMode string

// The modes of an import of codes.
const (
	ImportAdd           ImportMode = "ADD"
	ImportReplaceUnused ImportMode = "REPLACE_UNUSED"
	ImportVoid          ImportMode = "VOID"
)

// RejectionReason says why a row was not imported.
type RejectionReason string

// The reasons of the public schema.
const (
	RejectedMalformed        RejectionReason = "MALFORMED"
	RejectedEmpty            RejectionReason = "EMPTY"
	RejectedTooLong          RejectionReason = "TOO_LONG"
	RejectedBadCharacter     RejectionReason = "BAD_CHARACTER"
	RejectedBadDate          RejectionReason = "BAD_DATE"
	RejectedAmbiguousDate    RejectionReason = "AMBIGUOUS_DATE"
	RejectedFutureDate       RejectionReason = "FUTURE_DATE"
	RejectedDuplicateInFile  RejectionReason = "DUPLICATE_IN_FILE"
	RejectedAlreadyExists    RejectionReason = "ALREADY_EXISTS"
	RejectedExistsElsewhere  RejectionReason = "EXISTS_ELSEWHERE"
	RejectedUnknownCode      RejectionReason = "UNKNOWN_CODE"
	RejectedUnknownRecipient RejectionReason = "UNKNOWN_RECIPIENT"
	RejectedAlreadyRecorded  RejectionReason = "ALREADY_RECORDED"
	RejectedAlreadyRedeemed  RejectionReason = "ALREADY_REDEEMED"
)

// Message says in a sentence what is wrong with a row that was rejected for this reason.
func (r RejectionReason) Message() string {
	switch r {
	case RejectedMalformed:
		return "The row cannot be read: its quotes or columns are wrong."
	case RejectedEmpty:
		return "A required value is empty."
	case RejectedTooLong:
		return fmt.Sprintf("The value is longer than %d characters.", MaxTextLength)
	case RejectedBadCharacter:
		return "The value has a control character or bytes that are not text in the file's encoding."
	case RejectedBadDate:
		return "The date cannot be read. Use RFC 3339, e.g. 2026-11-24T10:15:00+01:00, or 2026-11-24."
	case RejectedAmbiguousDate:
		return "Day and month could be swapped, and no row of the file tells which is which. Use the form 2026-11-24."
	case RejectedFutureDate:
		return "The date lies in the future."
	case RejectedDuplicateInFile:
		return "An earlier row of this file has the same value."
	case RejectedAlreadyExists:
		return "The coupon already has this code."
	case RejectedExistsElsewhere:
		return "Another coupon has this code."
	case RejectedUnknownCode:
		return "No coupon has this code."
	case RejectedUnknownRecipient:
		return "There is no recipient with this external id."
	case RejectedAlreadyRecorded:
		return "This redemption was recorded before; nothing changed."
	case RejectedAlreadyRedeemed:
		return "The code was redeemed before, and may be redeemed no more often."
	}
	return string(r)
}

// Import is one file that was or will be imported.
type Import struct {
	ID          ID
	Kind        ImportKind
	Mode        ImportMode
	Status      ImportStatus
	Format      FileFormat
	IsDryRun    bool
	CouponID    *ID
	DeliveryID  *ID
	FileName    string
	ByteCount   float64
	Checksum    string
	OnRejection OnRejection
	Options     FileOptions
	// Label is given to the codes whose row has none.
	Label *string
	// Timezone is meant where a date of the file has no offset; an IANA name.
	Timezone     string
	Progress     float64
	RowsRead     int
	RowsImported int
	RowsRejected int
	Failure      *string
	CreatedAt    time.Time
	StartedAt    *time.Time
	FinishedAt   *time.Time
}

// MaxColumnMappings is how many columns one import maps.
const MaxColumnMappings = 1_000

// Check cleans the label and checks what does not depend on the file or the database. It returns UserErrors
// with INVALID.
func (i *Import) Check() error {
	var problems UserErrors
	if _, err := LoadZone(i.Timezone); err != nil {
		invalidf(&problems, "timezone", "%q is not a time zone. Use an IANA name such as Europe/Berlin.", i.Timezone)
	}
	if i.Label != nil {
		label, reason := CleanLabel(*i.Label)
		if reason != "" {
			invalidf(&problems, "label", "%s", reason.Message())
		}
		i.Label = &label
		if label == "" {
			i.Label = nil
		}
	}
	if len(i.Options.Columns) > MaxColumnMappings {
		problems = append(problems, Errorf(ErrorInvalid, "Map at most %d columns.", MaxColumnMappings).At("input", "options", "columns"))
	}
	return problems.OrNil()
}

// FileOptions says how to read a file; what is nil or empty is detected.
type FileOptions struct {
	Format    *FileFormat      `json:"format,omitempty"`
	Delimiter *string          `json:"delimiter,omitempty"`
	Encoding  *string          `json:"encoding,omitempty"`
	HasHeader *bool            `json:"hasHeader,omitempty"`
	Columns   []*ColumnMapping `json:"columns,omitempty"`
}

// ColumnMapping says that the column with this name holds this field.
type ColumnMapping struct {
	Field  string `json:"field"`
	Column string `json:"column"`
}

// RejectionCount is how many rows were rejected for a reason.
type RejectionCount struct {
	Reason RejectionReason
	Count  int
}

// Rejection is one row that was not imported.
type Rejection struct {
	// Line is the line of the file on which the row begins, from 1; for a list, the position from 1.
	Line   int
	Reason RejectionReason
	Value  *string
}

// Message says in a sentence what is wrong.
func (r *Rejection) Message() string { return r.Reason.Message() }

// CleanFileName gives the name of an uploaded file as it is shown: without folders, control characters
// and what is too long. It is never used to open a file.
func CleanFileName(name string) string {
	if i := strings.LastIndexAny(name, `/\`); i >= 0 {
		name = name[i+1:]
	}
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(name, ""))
	if name == "" {
		return "unnamed"
	}
	if runes := []rune(name); len(runes) > MaxTextLength {
		name = string(runes[:MaxTextLength])
	}
	return name
}
