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
	ID   ID
	Kind CodeBatchKind
	// Status is how far it is. Only codes that a job generates are a batch before they are there.
	Status   ImportStatus
	CouponID ID
	// ImportID is that of the import that did it; nil when none did.
	ImportID *ID
	// Count is how many codes it brought or voided, RequestedCount how many were asked for, and MadeCount how many of these are
	// made so far.
	Count, RequestedCount, MadeCount int
	// Progress is 0 to 1.
	Progress float64
	// Failure says why it FAILED; nil: it did not.
	Failure *string
	// CreatedBy is what the audit log calls who asked for it; nil when a version did that kept no names.
	CreatedBy *string
	// CreatedAt is when its codes were there, or voided; until then, when it was asked for.
	CreatedAt time.Time
	UndoneAt  *time.Time
}

// CheckUndo reports whether the batch can be taken back. It returns INVALID_STATE for one that is not made.
func (b *CodeBatch) CheckUndo() error {
	switch b.Status {
	case ImportQueued, ImportRunning:
		return Errorf(ErrorInvalidState, "The batch is %s: none of its codes is there yet. Call it off with cancelBatch.", b.Status)
	case ImportFailed, ImportCanceled:
		return Errorf(ErrorInvalidState, "The batch is %s: it brought no codes, so there is nothing to undo.", b.Status)
	case ImportSucceeded:
	}
	return nil
}

// CheckCanceled reports whether the batch is canceled, after it was to be. It returns INVALID_STATE for one that was over before.
func (b *CodeBatch) CheckCanceled() error {
	switch b.Status {
	case ImportCanceled:
		return nil
	case ImportSucceeded:
		return Errorf(ErrorInvalidState, "The batch has SUCCEEDED: take it back with undoBatch.")
	default:
		return Errorf(ErrorInvalidState, "The batch is %s; only one that is QUEUED or RUNNING can be canceled.", b.Status)
	}
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
