package coupon

import "time"

// CodeBatchKind is how a batch came about.
type CodeBatchKind string

// The kinds of batches.
const (
	BatchAdded     CodeBatchKind = "ADDED"
	BatchGenerated CodeBatchKind = "GENERATED"
	BatchImported  CodeBatchKind = "IMPORTED"
	// BatchVoided: it brought no codes and voided some.
	BatchVoided CodeBatchKind = "VOIDED"
)

// CodeBatch is one addition of codes to a pool, or one voiding of codes of a coupon.
type CodeBatch struct {
	ID       ID
	Kind     CodeBatchKind
	CouponID ID
	// ImportID is that of the import that did it; nil when none did.
	ImportID *ID
	// Count is how many codes it brought or voided.
	Count int
	// CreatedBy is what the audit log calls who asked for it; nil when a version did that kept no names.
	CreatedBy *string
	CreatedAt time.Time
	UndoneAt  *time.Time
}

// Undone is what undoing an import or a batch came to.
type Undone struct {
	// Import is the import that was undone; nil for a batch of no import. Batch is the batch; nil for an import that has none.
	Import *Import
	Batch  *CodeBatch
	// Removed is how many codes or reports were taken out, Restored how many codes are not voided any more, and Kept how many
	// codes had to stay as they are.
	Removed, Restored, Kept int
	// Lifted is how many addresses left quarantine.
	Lifted int
}
