package coupon

import "time"

// ExportKind is what the rows of an exported file are.
type ExportKind string

// The kinds of exports.
const (
	ExportCodes       ExportKind = "CODES"
	ExportMessages    ExportKind = "MESSAGES"
	ExportRedemptions ExportKind = "REDEMPTIONS"
	ExportCoupons     ExportKind = "COUPONS"
	ExportRecipients  ExportKind = "RECIPIENTS"
	ExportDeliveries  ExportKind = "DELIVERIES"
	ExportSQL         ExportKind = "SQL"
	ExportBackup      ExportKind = "BACKUP"
)

const (
	// ExportLifetime is how long an exported file is kept after its end.
	ExportLifetime = 24 * time.Hour
	// DefaultBackupHours is how long a backup is kept on the server, where it takes as much room as the database and is no
	// backup against the loss of the disk.
	DefaultBackupHours = 1
	// MaxBackupHours is the longest that it may be kept there.
	MaxBackupHours = 24
)

// Export is one file that was or will be written.
type Export struct {
	ID      ID
	Kind    ExportKind
	Status  ImportStatus
	Format  FileFormat
	Request ExportRequest
	// RowCount, ByteCount and Progress tell how much is written.
	RowCount   int
	ByteCount  float64
	Progress   float64
	Failure    *string
	CreatedAt  time.Time
	StartedAt  *time.Time
	FinishedAt *time.Time
	// ExpiresAt is when the file is deleted; nil until it is there.
	ExpiresAt *time.Time
}

// ExportRequest is what was asked for; which fields count depends on the kind.
type ExportRequest struct {
	// CouponID is the coupon, and CouponIDs are the coupons, whose codes are wanted; neither: all. Of deliveries, CouponID is the
	// coupon that they hand out.
	CouponID  *ID  `json:"couponId,omitempty"`
	CouponIDs []ID `json:"couponIds,omitempty"`

	DeliveryID      *ID              `json:"deliveryId,omitempty"`
	CodeFilter      *CodeFilter      `json:"codeFilter,omitempty"`
	StatsFilter     *StatsFilter     `json:"statsFilter,omitempty"`
	CouponFilter    *CouponFilter    `json:"couponFilter,omitempty"`
	RecipientFilter *RecipientFilter `json:"recipientFilter,omitempty"`
	// DeliveryStatus: only deliveries in one of these; empty: all.
	DeliveryStatus []DeliveryStatus `json:"deliveryStatus,omitempty"`
	// WithCodes: the codes of each coupon are elements in it.
	WithCodes bool `json:"withCodes,omitempty"`
	// Query is an analyst's.
	Query string `json:"query,omitempty"`
	// HoursKept is how long a backup is kept after its end.
	HoursKept int `json:"hoursKept,omitempty"`
	// IsSpreadsheetSafe: what a spreadsheet would take for a number, a date or a formula is written so that it
	// does not. Only for CSV.
	IsSpreadsheetSafe bool `json:"isSpreadsheetSafe,omitempty"`
	// IsMasked: codes and personal data are not in the file, since whoever asked for it may not see them.
	IsMasked bool `json:"isMasked,omitempty"`
}

// Coupons returns the coupons whose codes are wanted; nil for all.
func (r *ExportRequest) Coupons() []ID {
	if r.CouponID != nil {
		return []ID{*r.CouponID}
	}
	if len(r.CouponIDs) == 0 {
		return nil
	}
	return r.CouponIDs
}

// Check returns UserErrors with INVALID for what cannot be asked for.
func (e *Export) Check() error {
	var problems UserErrors
	if e.Request.CouponID != nil && e.Request.CouponIDs != nil {
		invalidf(&problems, "couponIds", "Give couponId or couponIds, not both.")
	}
	if len(e.Request.CouponIDs) > MaxFilterValues {
		invalidf(&problems, "couponIds", "Name at most %d coupons; without a name there are the codes of all.", MaxFilterValues)
	}
	if e.Kind == ExportBackup && (e.Request.HoursKept < 1 || e.Request.HoursKept > MaxBackupHours) {
		invalidf(&problems, "hoursKept", "A backup is kept for 1 to %d hours, not %d.", MaxBackupHours, e.Request.HoursKept)
	}
	if (e.Kind == ExportBackup) != (e.Format == FormatDuckDB) {
		invalidf(&problems, "format", "Only a backup is a database (DUCKDB), and it is nothing else.")
	}
	if e.Request.IsSpreadsheetSafe && e.Format != FormatCSV {
		invalidf(&problems, "isSpreadsheetSafe", "Only CSV is opened as a spreadsheet; %s needs no such care.", e.Format)
	}
	if e.Request.WithCodes && e.Format != FormatXML {
		invalidf(&problems, "withCodes", "Only XML has codes in coupons. Export the codes as %s by themselves: exportCodes.", e.Format)
	}
	if e.Kind == ExportSQL && e.Format == FormatXML {
		invalidf(&problems, "format", "The columns of a query make no XML; choose CSV, JSONL or PARQUET.")
	}
	if e.Kind == ExportSQL && len(e.Request.Query) > MaxSQLQueryBytes {
		problems = append(problems, errorQueryLength(e.Request.Query).At("input", "query"))
	}
	return problems.OrNil()
}

// IsMasked reports whether codes and personal data are left out of the file.
func (e *Export) IsMasked() bool { return e.Request.IsMasked }

// CheckCancel reports whether a role may call the export off. It returns INVALID: a backup is an ADMIN's, and a file with codes and
// personal data is not the business of those who may not see them.
func (e *Export) CheckCancel(role Role) error {
	switch {
	case e.Kind == ExportBackup && role != RoleAdmin:
		return Errorf(ErrorInvalid, "%s is a backup, which an ADMIN alone can cancel.", e.ID)
	case role == RoleAnalyst && !e.IsMasked():
		return Errorf(ErrorInvalid, "%s is not masked, so an ANALYST cannot cancel it.", e.ID)
	}
	return nil
}

// HasFile reports whether the file can be downloaded at an instant.
func (e *Export) HasFile(now time.Time) bool {
	return e.Status == ImportSucceeded && e.ExpiresAt != nil && now.Before(*e.ExpiresAt)
}

// Lifetime returns how long the file is kept after its end.
func (e *Export) Lifetime() time.Duration {
	if e.Kind == ExportBackup {
		return time.Duration(e.Request.HoursKept) * time.Hour
	}
	return ExportLifetime
}

// VerifiedAt returns when a backup was opened and found sound, without which none succeeds; nil for other files.
func (e *Export) VerifiedAt() *time.Time {
	if e.Kind == ExportBackup && e.Status == ImportSucceeded {
		return e.FinishedAt
	}
	return nil
}

// FileName is what the file is called for those who download it.
func (e *Export) FileName() string {
	extension := map[FileFormat]string{
		FormatCSV: ".csv", FormatXML: ".xml", FormatJSONL: ".jsonl", FormatParquet: ".parquet", FormatDuckDB: ".duckdb",
	}[e.Format]
	return e.ID.FileName() + extension
}
