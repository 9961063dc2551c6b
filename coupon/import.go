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
	ImportBounces     ImportKind = "BOUNCES"
)

// FileFormat is the format of an imported or exported file.
type FileFormat string

// The formats of files.
const (
	FormatCSV     FileFormat = "CSV"
	FormatXML     FileFormat = "XML"
	FormatJSONL   FileFormat = "JSONL"
	FormatParquet FileFormat = "PARQUET"
	// FormatDuckDB is a whole database: that of a backup, and of nothing else.
	FormatDuckDB FileFormat = "DUCKDB"
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
	RejectedUnknownMessage   RejectionReason = "UNKNOWN_MESSAGE"
	RejectedNotSent          RejectionReason = "NOT_SENT"
	RejectedBadAddress       RejectionReason = "BAD_ADDRESS"
	RejectedBadKind          RejectionReason = "BAD_KIND"
	RejectedNoOutcome        RejectionReason = "NO_OUTCOME"
)

// IsRepeat reports whether the row says what is known already, so that it is harmless.
func (r RejectionReason) IsRepeat() bool {
	return r == RejectedAlreadyRecorded || r == RejectedDuplicateInFile
}

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
		return "This was recorded before; nothing changed."
	case RejectedAlreadyRedeemed:
		return "The code was redeemed before, and may be redeemed no more often."
	case RejectedUnknownMessage:
		return "There is no message with this id."
	case RejectedNotSent:
		return "The message was never handed to a sender, so nothing can have come of it."
	case RejectedBadAddress:
		return "The address cannot be one of this channel."
	case RejectedBadKind:
		return "Nobody knows this word: use HARD, SOFT, COMPLAINT or DELIVERED."
	case RejectedNoOutcome:
		return "The row does not say whether a message arrived, but something else of it; nothing changed."
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
	// UndoneAt is when undoImport took out again what it added.
	UndoneAt *time.Time
	// Channel is that of the addresses of an import of bounces, and BounceKind that of rows which say none; nil otherwise.
	Channel    *Channel
	BounceKind *BounceKind
	// UploadID is the file, which is there until FileExpiresAt; nil: it is gone.
	UploadID      *ID
	FileExpiresAt *time.Time
	ImportFindings
}

// HasRejects tells whether the rejected rows can be downloaded at an instant.
func (i *Import) HasRejects(now time.Time) bool {
	return i.Status.IsFinal() && i.RowsRejected > 0 && i.FileExpiresAt != nil && now.Before(*i.FileExpiresAt)
}

// RowsHeldBack gives how many rows were read and neither imported nor rejected: those that a RUNNING
// import has read so far, and whatever was not bad in a file of which nothing was imported.
func (i *Import) RowsHeldBack() int { return i.RowsRead - i.RowsImported - i.RowsRejected }

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
	if i.Options.Format != nil && *i.Options.Format == FormatDuckDB {
		problems = append(problems, Errorf(ErrorInvalid, "A database cannot be imported. A backup is restored by: couponql restore.").
			At("input", "options", "format"))
	}
	if len(i.Options.Columns) > MaxColumnMappings {
		problems = append(problems, Errorf(ErrorInvalid, "Map at most %d columns.", MaxColumnMappings).At("input", "options", "columns"))
	}
	return problems.OrNil()
}

// Undone is what undoing an import came to.
type Undone struct {
	Import *Import
	// Removed is how many codes or reports were taken out, Kept how many codes had to stay.
	Removed, Kept int
	// Lifted is how many addresses left quarantine.
	Lifted int
}

// CheckUndo tells whether what the import added can be taken out again. It returns INVALID_STATE for one that added neither codes
// nor reports: recipients, targets and redemptions are changed by others, too.
func (i *Import) CheckUndo() error {
	switch {
	case (i.Kind != ImportCodes || i.Mode == ImportVoid) && i.Kind != ImportBounces:
		return Errorf(ErrorInvalidState, "Only an import that added codes or reports of bounces can be undone, and %s did not.", i.ID)
	case i.IsDryRun:
		return Errorf(ErrorInvalidState, "The import was a dry run: it changed nothing, so there is nothing to undo.")
	case i.Status != ImportSucceeded:
		return Errorf(ErrorInvalidState, "The import is %s; only one that has SUCCEEDED can be undone.", i.Status)
	}
	return nil
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

// ImportFindings is what an import found out about its file, and what it did.
type ImportFindings struct {
	// Layout is how the file turned out to be written; nil until it was opened.
	Layout   *ImportLayout    `json:"layout,omitempty"`
	Warnings []*ImportWarning `json:"warnings,omitempty"`
	// Changes is what the import changed, or in a dry run would have changed.
	Changes ImportChanges `json:"changes"`
}

// ImportLayout is how a file turned out to be written. Delimiter and Encoding are nil where the format has none.
type ImportLayout struct {
	Delimiter *string         `json:"delimiter,omitempty"`
	Encoding  *string         `json:"encoding,omitempty"`
	HasHeader bool            `json:"hasHeader"`
	Columns   []*ImportColumn `json:"columns"`
}

// ImportColumn is a column of a file. Field is what it holds; nil for a column that nobody knows.
type ImportColumn struct {
	Name  string  `json:"name"`
	Field *string `json:"field,omitempty"`
}

// ImportChanges counts what an import added, changed, removed and voided.
type ImportChanges struct {
	Added   int `json:"added,omitempty"`
	Changed int `json:"changed,omitempty"`
	Removed int `json:"removed,omitempty"`
	Voided  int `json:"voided,omitempty"`
	// Quarantined is how many addresses came into quarantine.
	Quarantined int `json:"quarantined,omitempty"`
}

// ImportWarningKind says what is odd about rows that were imported all the same.
type ImportWarningKind string

// The kinds of warnings.
const (
	WarningScientific    ImportWarningKind = "SCIENTIFIC_NOTATION"
	WarningFormula       ImportWarningKind = "FORMULA"
	WarningIgnoredColumn ImportWarningKind = "IGNORED_COLUMN"
)

// ImportWarning tells of one kind of oddity: how many rows or columns it concerns, and the first of them.
type ImportWarning struct {
	Kind  ImportWarningKind `json:"kind"`
	Count int               `json:"count"`
	// Line is the line of the first row; nil for a warning about a column.
	Line *int `json:"line,omitempty"`
	// Value is the value of the first row, or the name of the first column.
	Value string `json:"value"`
}

// Text says in sentences what is odd and what to do.
func (w *ImportWarning) Text() string {
	switch w.Kind {
	case WarningScientific:
		return fmt.Sprintf("Codes that look like numbers which a spreadsheet rounded: %d, such as %q. The digits that it cut off are lost; "+
			"export the codes again with the column formatted as text.", w.Count, w.Value)
	case WarningFormula:
		return fmt.Sprintf("Codes that begin like a formula of a spreadsheet: %d, such as %q. They were taken as they are.", w.Count, w.Value)
	case WarningIgnoredColumn:
		return fmt.Sprintf("Columns that were not read: %d, such as %q. Map them with options.columns if they are needed.", w.Count, w.Value)
	}
	return string(w.Kind)
}

// Warn counts one more oddity; line is 0 for one that is not about a row.
func (f *ImportFindings) Warn(kind ImportWarningKind, line int, value string) {
	for _, known := range f.Warnings {
		if known.Kind == kind {
			known.Count++
			return
		}
	}
	w := &ImportWarning{Kind: kind, Count: 1, Value: value}
	if line > 0 {
		w.Line = &line
	}
	f.Warnings = append(f.Warnings, w)
}

// OddCode tells what is odd about a code that is valid: that a spreadsheet may have rounded it, or that a
// spreadsheet would take it for a formula; "" when nothing is.
func OddCode(value string) ImportWarningKind {
	if value == "" {
		return ""
	}
	if strings.IndexByte("=+-@", value[0]) >= 0 {
		return WarningFormula
	}
	// As in 6.9E+12: digits, perhaps with a point or comma, an exponent with a sign.
	if mantissa, exponent, found := strings.Cut(value, "E+"); found || strings.Contains(value, "e+") {
		if !found {
			mantissa, exponent, _ = strings.Cut(value, "e+")
		}
		if mantissa != "" && exponent != "" && strings.Trim(mantissa, "0123456789.,") == "" && strings.Trim(exponent, "0123456789") == "" {
			return WarningScientific
		}
	}
	return ""
}
