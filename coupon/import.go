package coupon

import (
	"fmt"
	"slices"
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
	ImportCoupons     ImportKind = "COUPONS"
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
	RejectedAmbiguousCode    RejectionReason = "AMBIGUOUS_CODE"
	RejectedUnknownRecipient RejectionReason = "UNKNOWN_RECIPIENT"
	RejectedAlreadyRecorded  RejectionReason = "ALREADY_RECORDED"
	RejectedAlreadyRedeemed  RejectionReason = "ALREADY_REDEEMED"
	RejectedUnknownMessage   RejectionReason = "UNKNOWN_MESSAGE"
	RejectedNotSent          RejectionReason = "NOT_SENT"
	RejectedBadAddress       RejectionReason = "BAD_ADDRESS"
	RejectedBadKind          RejectionReason = "BAD_KIND"
	RejectedNoOutcome        RejectionReason = "NO_OUTCOME"
	RejectedNotARow          RejectionReason = "NOT_A_ROW"
	RejectedBadFlag          RejectionReason = "BAD_FLAG"
	RejectedBadAmount        RejectionReason = "BAD_AMOUNT"
	RejectedAmbiguousAmount  RejectionReason = "AMBIGUOUS_AMOUNT"
	RejectedBadCurrency      RejectionReason = "BAD_CURRENCY"
	RejectedRoundedNumber    RejectionReason = "ROUNDED_NUMBER"
	RejectedReserved         RejectionReason = "RESERVED"
	RejectedAmbiguousColumn  RejectionReason = "AMBIGUOUS_COLUMN"
	RejectedUnknownCoupon    RejectionReason = "UNKNOWN_COUPON"
	RejectedNoPool           RejectionReason = "NO_POOL"
	RejectedCannotChange     RejectionReason = "CANNOT_CHANGE"
	RejectedBadType          RejectionReason = "BAD_TYPE"
	RejectedBadNumber        RejectionReason = "BAD_NUMBER"
	RejectedBadTimezone      RejectionReason = "BAD_TIMEZONE"
	RejectedBadPeriod        RejectionReason = "BAD_PERIOD"
	RejectedBadJSON          RejectionReason = "BAD_JSON"
)

// IsRepeat reports whether the row says what is known already, so that it is harmless.
func (r RejectionReason) IsRepeat() bool {
	return r == RejectedAlreadyRecorded || r == RejectedDuplicateInFile
}

// IsFault reports whether something is wrong with the row. A report of an opening or a click is none: whoever passes on all
// that a product reports means those of what came back.
func (r RejectionReason) IsFault() bool { return r != RejectedNoOutcome }

// Message says in a sentence what is wrong with a row that was rejected for this reason.
func (r RejectionReason) Message() string {
	if message, isKnown := rejectionMessages[r]; isKnown {
		return message
	}
	return string(r)
}

var rejectionMessages = map[RejectionReason]string{
	RejectedMalformed:       "The row cannot be read: its quotes or columns are wrong.",
	RejectedEmpty:           "A required value is empty.",
	RejectedTooLong:         fmt.Sprintf("The value is longer than %d characters.", MaxTextLength),
	RejectedBadCharacter:    "The value has a control character or bytes that are not text in the file's encoding.",
	RejectedBadDate:         "The date cannot be read. Use RFC 3339, e.g. 2026-11-24T10:15:00+01:00, or 2026-11-24.",
	RejectedAmbiguousDate:   "Day and month could be swapped, and no row of the file tells which is which. Set options.dateOrder, or use the form 2026-11-24.",
	RejectedFutureDate:      "The date lies in the future.",
	RejectedDuplicateInFile: "An earlier row of this file has the same value.",
	RejectedAlreadyExists:   "The coupon already has this code.",
	RejectedExistsElsewhere: "Another coupon has this code.",
	RejectedUnknownCode:     "No coupon has this code.",
	RejectedAmbiguousCode: "The code is spelled like none of several that exist and are the same otherwise; integrityReport names them. " +
		"Write one of them as it was added, or choose another code.",
	RejectedUnknownRecipient: "There is no recipient with this external id.",
	RejectedAlreadyRecorded:  "This was recorded before; nothing changed.",
	RejectedAlreadyRedeemed:  "The code was redeemed before, and may be redeemed no more often.",
	RejectedUnknownMessage:   "There is no message with this id.",
	RejectedNotSent:          "The message was never handed to a sender, so nothing can have come of it.",
	RejectedBadAddress:       "The address cannot be one of this channel.",
	RejectedBadKind:          "Nobody knows this word: use HARD, SOFT, COMPLAINT or DELIVERED.",
	RejectedNoOutcome:        "The row does not say whether a message arrived, but something else of it; nothing changed.",
	RejectedAmbiguousColumn:  "Two columns of the row could hold the same field. Say with options.columns which one does.",
	RejectedNotARow:          "The line is no row: a title, the header once more, a ruler, a sum, a mark of the end, or what a database client adds.",
	RejectedBadFlag:          "The value is neither a yes nor a no. Use true or false; a column of opt-outs may have dates.",
	RejectedBadAmount:        "The value is not an amount with at most 14 digits before its decimal mark. Use the form 1234.50.",
	RejectedAmbiguousAmount:  "The amount could be thousands or have a fraction, and no row of the file tells which. Set options.decimalMark, or use the form 1234.50.",
	RejectedBadCurrency:      "The currency cannot be one, or is another than that of the amount. Use the three letters of ISO 4217, such as EUR.",
	RejectedRoundedNumber:    "The value is a number that a spreadsheet rounded, so its last digits are lost. Export it again with the column formatted as text.",
	RejectedReserved:         "The external id is of the form that people have whose data were erased. Use the id that your own system has.",
	RejectedUnknownCoupon:    "No coupon has this code of its own. Import the coupons first.",
	RejectedNoPool:           "The coupon takes no codes: it is ANONYMOUS or ARCHIVED.",
	RejectedCannotChange:     "The coupon exists and cannot change so: its type stays, an ARCHIVED one is not brought back, and its limit is not less than what a code reached.",
	RejectedBadType:          "The type is neither ANONYMOUS nor INDIVIDUAL.",
	RejectedBadNumber: fmt.Sprintf(
		"The value is no number, or out of its range: a limit is 1 to %d, a threshold 0 to %d, a share 0 to 1.",
		MaxRedemptionLimit,
		MaxCount,
	),
	RejectedBadTimezone: "This is not a time zone. Use an IANA name such as Europe/Berlin.",
	RejectedBadPeriod:   "The coupon would end before it starts.",
	RejectedBadJSON:     "The value is not an object in JSON, such as {\"sport\":\"golf\"}.",
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
	// CreatedBy is what the audit log calls who asked for it; nil when a version did that kept no names.
	CreatedBy  *string
	CreatedAt  time.Time
	StartedAt  *time.Time
	FinishedAt *time.Time
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

// HasRejects reports whether the rejected rows can be downloaded at an instant.
func (i *Import) HasRejects(now time.Time) bool {
	return i.Status.IsFinal() && i.RowsRejected > 0 && i.FileExpiresAt != nil && now.Before(*i.FileExpiresAt)
}

// MostRejections returns how many rows may be rejected for the others to be imported; nil: any number.
func (i *Import) MostRejections() *int {
	if i.OnRejection == RejectFile {
		return new(0)
	}
	return i.Options.MaxRejections
}

// RowsHeldBack returns how many rows were read and neither imported nor rejected: those that a RUNNING
// import has read so far, and whatever was not bad in a file of which nothing was imported.
func (i *Import) RowsHeldBack() int { return i.RowsRead - i.RowsImported - i.RowsRejected }

// Limits of the options of one import.
const (
	// MaxColumnMappings is how many columns it maps.
	MaxColumnMappings = 1_000
	// MaxNothings is how many texts stand for nothing.
	MaxNothings = 100
)

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
	if mark := i.Options.DecimalMark; mark != nil && *mark != "." && *mark != "," {
		problems = append(problems, Errorf(ErrorInvalid, "The decimal mark is a point or a comma, not %q.", *mark).At("input", "options", "decimalMark"))
	}
	if most := i.Options.MaxRejections; most != nil && (*most < 0 || *most > MaxCount) {
		problems = append(problems, Errorf(ErrorInvalid, "`options.maxRejections` must be 0 to %d, not %d.", MaxCount, *most).
			At("input", "options", "maxRejections"))
	}
	if count := len(i.Options.Nothing); count > MaxNothings {
		problems = append(problems, Errorf(ErrorInvalid, "`options.nothing` must have 0 to %d texts, not %d.", MaxNothings, count).
			At("input", "options", "nothing"))
	}
	if count := len(i.Options.Columns); count > MaxColumnMappings {
		problems = append(problems, Errorf(ErrorInvalid, "`options.columns` must map 0 to %d columns, not %d.", MaxColumnMappings, count).
			At("input", "options", "columns"))
	}
	return problems.OrNil()
}

// CheckUndo reports whether what the import did can be taken back. It returns INVALID_STATE for one that was neither about codes
// nor about reports: recipients, targets and redemptions are changed by others, too.
func (i *Import) CheckUndo() error {
	switch {
	case i.Kind != ImportCodes && i.Kind != ImportBounces:
		return Errorf(ErrorInvalidState, "Only an import of codes or of reports of bounces can be undone, and %s is none.", i.ID)
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
	// Nothing has the texts that stand for nothing; nil: SQLNull alone. The empty text may be one of them.
	Nothing []string `json:"nothing"`
	// IsSpreadsheetSafe says whether values have the guards of an export that is safe for spreadsheets; nil: what looks
	// like a guard in CSV is one.
	IsSpreadsheetSafe *bool `json:"isSpreadsheetSafe,omitempty"`
	// DecimalMark is a point or a comma.
	DecimalMark *string    `json:"decimalMark,omitempty"`
	DateOrder   *DateOrder `json:"dateOrder,omitempty"`
	// MaxRejections is how many rows may be rejected before nothing more is read; nil: any number.
	MaxRejections *int `json:"maxRejections,omitempty"`
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

// Message says in sentences what is wrong, with the value at fault where that is one value of the row.
func (r *Rejection) Message() string {
	if r.Value == nil || !r.Reason.isOfValue() {
		return r.Reason.Message()
	}
	message := r.Reason.Message()
	if r.Reason == RejectedBadDate {
		message = dateProblem(*r.Value)
	}
	return fmt.Sprintf("%q: %s", *r.Value, message)
}

// isOfValue tells the reasons whose value is what cannot be read, and not what names the row.
func (r RejectionReason) isOfValue() bool {
	switch r { //nolint:exhaustive // the others name a row
	case RejectedBadDate, RejectedAmbiguousDate, RejectedFutureDate, RejectedBadAmount, RejectedAmbiguousAmount, RejectedBadCurrency,
		RejectedBadFlag, RejectedRoundedNumber, RejectedBadKind, RejectedBadAddress, RejectedReserved, RejectedUnknownCoupon, RejectedBadType,
		RejectedBadNumber, RejectedBadTimezone, RejectedBadPeriod, RejectedBadJSON:
		return true
	}
	return false
}

// CleanFileName returns the name of an uploaded file as it is shown: without folders, control characters
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

// Certainty is how sure it is how a file was written.
type Certainty string

// The degrees of certainty.
const (
	// CertaintyGiven: the options of the import said so.
	CertaintyGiven Certainty = "GIVEN"
	// CertaintySure: the file can be read in no other way that makes sense.
	CertaintySure Certainty = "SURE"
	// CertaintyGuessed: the file can be read in another way; somebody should look at it.
	CertaintyGuessed Certainty = "GUESSED"
)

// ImportLayout is how a file turned out to be written. Delimiter and Encoding are nil where the format has none; a certainty
// is nil where there is nothing to be certain of, and for imports of earlier versions.
type ImportLayout struct {
	FormatCertainty    *Certainty      `json:"formatCertainty,omitempty"`
	Delimiter          *string         `json:"delimiter,omitempty"`
	DelimiterCertainty *Certainty      `json:"delimiterCertainty,omitempty"`
	Encoding           *string         `json:"encoding,omitempty"`
	EncodingCertainty  *Certainty      `json:"encodingCertainty,omitempty"`
	HasHeader          bool            `json:"hasHeader"`
	HeaderCertainty    *Certainty      `json:"headerCertainty,omitempty"`
	Columns            []*ImportColumn `json:"columns"`
	// Sample are the first rows that could be read.
	Sample []*ImportSample `json:"sample,omitempty"`
}

// ImportColumn is a column of a file. Field is what it holds; nil for a column that nobody knows.
type ImportColumn struct {
	Name      string     `json:"name"`
	Field     *string    `json:"field,omitempty"`
	Certainty *Certainty `json:"certainty,omitempty"`
}

// ImportSample is one of the first rows of a file: its values in the order of the columns.
type ImportSample struct {
	Line   int      `json:"line"`
	Values []string `json:"values"`
}

// Limits of the sample of an import.
const (
	MaxSampleRows    = 20
	MaxSampleColumns = 50
	// MaxSampleLength is the length of a value, in characters; what is longer is cut.
	MaxSampleLength = 100
)

// AddSample takes a row into the sample, unless that is full. The values are made anew for each row.
func (l *ImportLayout) AddSample(line int, values []string) {
	if len(l.Sample) == MaxSampleRows {
		return
	}
	values = values[:min(len(values), MaxSampleColumns)]
	for i, value := range values {
		value = Printable(value)
		if runes := []rune(value); len(runes) > MaxSampleLength {
			value = string(runes[:MaxSampleLength-1]) + "…"
		}
		values[i] = value
	}
	l.Sample = append(l.Sample, &ImportSample{Line: line, Values: values})
}

// ImportChanges counts what an import added, changed, removed and voided.
type ImportChanges struct {
	Added   int `json:"added,omitempty"`
	Changed int `json:"changed,omitempty"`
	Removed int `json:"removed,omitempty"`
	// Cleared is how many values of known recipients were removed.
	Cleared int `json:"cleared,omitempty"`
	Voided  int `json:"voided,omitempty"`
	// Quarantined is how many addresses came into quarantine.
	Quarantined int `json:"quarantined,omitempty"`
	// PendingMessages is how many messages that are still to be sent it concerns.
	PendingMessages int `json:"pendingMessages,omitempty"`
}

// ImportWarningKind says what is odd about rows that were imported all the same.
type ImportWarningKind string

// The kinds of warnings.
const (
	WarningScientific    ImportWarningKind = "SCIENTIFIC_NOTATION"
	WarningFormula       ImportWarningKind = "FORMULA"
	WarningIgnoredColumn ImportWarningKind = "IGNORED_COLUMN"
	WarningGuessedHeader ImportWarningKind = "GUESSED_HEADER"
	WarningOddFirstRow   ImportWarningKind = "ODD_FIRST_ROW"
	WarningGuessedColumn ImportWarningKind = "GUESSED_COLUMN"
	WarningDoubleColumn  ImportWarningKind = "DOUBLE_COLUMN"
	WarningNestedColumn  ImportWarningKind = "NESTED_COLUMN"

	WarningGuessedEncoding ImportWarningKind = "GUESSED_ENCODING"
	WarningBadEncoding     ImportWarningKind = "BAD_ENCODING"
	WarningPlaceholder     ImportWarningKind = "PLACEHOLDER"
	WarningGuard           ImportWarningKind = "GUARD"
	WarningRounded         ImportWarningKind = "ROUNDED_AMOUNT"
	WarningNoConsent       ImportWarningKind = "NO_CONSENT_COLUMN"
	WarningSilentConsent   ImportWarningKind = "SILENT_CONSENT"

	WarningWrappedRows      ImportWarningKind = "WRAPPED_ROWS"
	WarningSuspectedConsent ImportWarningKind = "SUSPECTED_CONSENT"
	WarningGuessedOptOut    ImportWarningKind = "GUESSED_OPT_OUT"
)

// ImportWarning tells of one kind of oddity: how many rows or columns it concerns, and the first of them.
type ImportWarning struct {
	Kind  ImportWarningKind `json:"kind"`
	Count int               `json:"count"`
	// Line is the line of the first row; nil for a warning about a column.
	Line *int `json:"line,omitempty"`
	// Value is the value of the first row, or the name of the first column.
	Value string `json:"value"`
	// Others are the names of the other columns, as far as maxNamed allows; nil for rows.
	Others []string `json:"others,omitempty"`
}

// maxNamed is how many columns a warning names.
const maxNamed = 20

// names returns the columns that a warning names, for its text.
func (w *ImportWarning) names() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%q", w.Value)
	for _, other := range w.Others {
		fmt.Fprintf(&b, ", %q", other)
	}
	if more := w.Count - 1 - len(w.Others); more > 0 {
		fmt.Fprintf(&b, " and %d more", more)
	}
	return b.String()
}

// Text says in sentences what is odd and what to do.
func (w *ImportWarning) Text() string {
	switch w.Kind {
	case WarningScientific:
		return fmt.Sprintf("Values that look like numbers which a spreadsheet rounded: %d, such as %q. The digits that it cut off are lost; "+
			"export them again with the column formatted as text.", w.Count, w.Value)
	case WarningFormula:
		return fmt.Sprintf("Codes that begin like a formula of a spreadsheet: %d, such as %q. They were taken as they are.", w.Count, w.Value)
	case WarningIgnoredColumn:
		return fmt.Sprintf("Columns that were not read: %s. Map them with options.columns if they are needed.", w.names())
	case WarningGuessedHeader:
		return fmt.Sprintf(
			"The first row was taken for the name of the column: %q. If it is a value, import the file again with options.hasHeader: false.",
			w.Value,
		)
	case WarningOddFirstRow:
		return fmt.Sprintf("The first row looks like no other and was taken for a value: %q. If it names the column, import the file again "+
			"with options.hasHeader: true.", w.Value)
	case WarningGuessedColumn:
		return fmt.Sprintf("Columns that could hold the same field as another one, which was taken: %s. "+
			"If that is wrong, say with options.columns which one holds it.", w.names())
	case WarningDoubleColumn:
		return fmt.Sprintf("Columns that were not read, as an earlier one has the same name: %s. Rename them if they are needed.", w.names())
	case WarningNestedColumn:
		return fmt.Sprintf("Columns of lists, structures or bytes that were not read: %s. Write them as text if they are needed.", w.names())
	case WarningGuessedEncoding:
		return fmt.Sprintf("The file is not UTF-8 and was read as windows-1252. Rows with letters that this decides: %d, such as %q. If they are wrong, "+
			"give options.encoding, such as windows-1250 for Polish, windows-1254 for Turkish, or utf-8.", w.Count, w.Value)
	case WarningBadEncoding:
		return fmt.Sprintf("Rows that were rejected as they have characters which are no text in the file's encoding: %d. "+
			"If the file is written in another one, give options.encoding, such as windows-1252.", w.Count)
	case WarningPlaceholder:
		return fmt.Sprintf("Rows with a value that may stand for nothing: %d, such as %q. It was taken as text; "+
			"if nothing is meant, name it in options.nothing.", w.Count, w.Value)
	case WarningGuard:
		return fmt.Sprintf("Rows with a value that is guarded from spreadsheets: %d, such as %q. It was taken without its guard; if that is part of it, "+
			"set options.isSpreadsheetSafe to false.", w.Count, w.Value)
	case WarningRounded:
		return fmt.Sprintf("Amounts with more digits than are kept: %d, such as %q. They were rounded to the digits that their currency has.",
			w.Count, w.Value)
	case WarningNoConsent:
		return fmt.Sprintf(
			"The file has no column that says who may be contacted: new recipients of whom it says nothing may be, %d of them, and known ones stay as they "+
				"are. Add the column %s, or map it with options.columns.",
			w.Count,
			w.Value,
		)
	case WarningSilentConsent:
		return fmt.Sprintf("Rows that say neither yes nor no to being contacted: %d. Who of them is new is not contactable, and known ones stay as they "+
			"are.", w.Count)
	case WarningWrappedRows:
		return "Each line of the file is quoted as a whole. These quotes were taken off, and the columns are those inside."
	case WarningSuspectedConsent:
		return fmt.Sprintf("Columns that may say who may be contacted: %s. A no in them, or a word such as unsubscribed, pending or cleaned, takes "+
			"consent away, for all channels; a yes does not give it. They are attributes, too. Say with options.columns what they are: isContactable, unsubscribed, "+
			"or an attribute by its name.", w.names())
	case WarningGuessedOptOut:
		return fmt.Sprintf("Rows whose consent was taken away by a column that may be about something else: %d, such as %q. If that is wrong, map the column "+
			"to an attribute with options.columns.", w.Count, w.Value)
	}
	return string(w.Kind)
}

// Tell warns of something that concerns so many rows, instead of what it told of it before.
func (f *ImportFindings) Tell(kind ImportWarningKind, count int, value string) {
	f.Warnings = slices.DeleteFunc(f.Warnings, func(w *ImportWarning) bool { return w.Kind == kind })
	f.Warnings = append(f.Warnings, &ImportWarning{Kind: kind, Count: count, Value: value})
}

// Warn counts one more oddity; line is 0 for one that is not about a row.
func (f *ImportFindings) Warn(kind ImportWarningKind, line int, value string) {
	for _, known := range f.Warnings {
		if known.Kind == kind {
			known.Count++
			if line == 0 && len(known.Others) < maxNamed-1 {
				known.Others = append(known.Others, Printable(value))
			}
			return
		}
	}
	w := &ImportWarning{Kind: kind, Count: 1, Value: Printable(value)}
	if line > 0 {
		w.Line = &line
	}
	f.Warnings = append(f.Warnings, w)
}

// IsFormula tells a code that is valid and that a spreadsheet would take for a formula.
func IsFormula(value string) bool { return value != "" && strings.IndexByte("=+-@", value[0]) >= 0 }
