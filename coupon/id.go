package coupon

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Kind is the type of an object that has an id.
type Kind string

// The kinds of objects that have ids. node(id:) finds all but uploads, keys and entries of the
// audit log.
const (
	KindCoupon     Kind = "coupon"
	KindCode       Kind = "code"
	KindRecipient  Kind = "recipient"
	KindDelivery   Kind = "delivery"
	KindMessage    Kind = "message"
	KindRedemption Kind = "redemption"
	KindImport     Kind = "import"
	KindExport     Kind = "export"
	KindBatch      Kind = "batch"
	KindList       Kind = "list"
	KindUpload     Kind = "upload"
	KindAPIKey     Kind = "key"
	KindAuditEntry Kind = "audit"
	KindQuarantine Kind = "quarantine" // it is known by its address alone
)

// ID names one object in the whole database: its kind and number, e.g. "coupon_17". Callers treat
// it as opaque; it is safe in a URL and as a file name.
type ID string

// NewID makes the id of the object of this kind with this number.
func NewID(kind Kind, number int64) ID {
	return ID(string(kind) + "_" + strconv.FormatInt(number, 10))
}

// NewIDPtr is NewID for a reference that may be missing: nil gives nil.
func NewIDPtr(kind Kind, number *int64) *ID {
	if number == nil {
		return nil
	}
	id := NewID(kind, *number)
	return &id
}

// FileName returns the id as the name of a file: an id that the server made is safe as one.
func (id ID) FileName() string { return string(id) }

// Kind returns the kind of object that the id names, whether or not such an object exists.
func (id ID) Kind() Kind {
	kind, _, _ := strings.Cut(string(id), "_")
	return Kind(kind)
}

// IsKnown reports whether the server makes ids like this one, whether or not there is such an
// object.
func (id ID) IsKnown() bool {
	kind := id.Kind()
	_, err := id.Number(kind)
	return err == nil && slices.Contains([]Kind{
		KindCoupon, KindCode, KindRecipient, KindDelivery, KindMessage, KindRedemption, KindImport,
		KindExport, KindBatch, KindList, KindUpload, KindAPIKey,
		KindAuditEntry,
	}, kind)
}

// Number returns the number of an object of this kind. It returns NOT_FOUND for an id of another
// kind or of no known shape: to a caller a malformed id is just an id that nothing has.
func (id ID) Number(kind Kind) (int64, error) {
	prefix, digits, found := strings.Cut(string(id), "_")
	number, err := strconv.ParseInt(digits, 10, 64)
	if !found || Kind(prefix) != kind || err != nil || number <= 0 || NewID(kind, number) != id {
		return 0, NotFound(kind, id)
	}
	return number, nil
}

// MustNumber returns the number of an id that was read from the database. It panics for any other.
func MustNumber(kind Kind, id ID) int64 {
	number, err := id.Number(kind)
	if err != nil {
		panic(fmt.Sprintf("the id %q is not one of a %s", id, kind))
	}
	return number
}
