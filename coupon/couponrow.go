package coupon

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"
)

// Limits of one import of coupons. All coupons are in memory, so that a file of them may be as well.
const (
	// MaxImportedCoupons is how many rows the file has.
	MaxImportedCoupons = 10_000
	// MaxImportedCouponBytes is how many bytes their values have together.
	MaxImportedCouponBytes = 64 << 20
)

// CouponRow is what a row of a file says of the coupon that its code names. Texts are as they stand in the file.
type CouponRow struct {
	Line               int
	Code               string
	Label              Change[string]
	Type               Change[string]
	StartsAt           Change[string]
	EndsAt             Change[string]
	RedemptionLimit    Change[string]
	RequiresAssignment Change[bool]
	LowStockThreshold  Change[string]
	LowStockShare      Change[string]
	Timezone           Change[string]
	Metadata           Change[string]
	IsArchived         Change[bool]
}

// NewCoupon returns a coupon of a type with all that it has unless something else is said. Its zone is an IANA name.
func NewCoupon(t CouponType, timezone string, now time.Time) *Coupon {
	c := &Coupon{Type: t, CreatedAt: now, Timezone: timezone, RequiresAssignment: true, Metadata: EmptyJSON}
	if t == TypeIndividual {
		c.RedemptionLimit = new(1)
	}
	return c
}

// Apply makes of a coupon what the row says; nil is one that does not exist yet. It gives a new one, or the reason and the value for
// which the row is rejected. Dates without an offset are meant in the zone of the row, or else of the coupon; a new one has the given zone.
func (r *CouponRow) Apply(known *Coupon, timezone string, dates *FileDates, now time.Time) (c *Coupon, reason RejectionReason, value string) {
	t, reason, value := r.typeOf(known)
	if reason != "" {
		return nil, reason, value
	}
	c = NewCoupon(t, timezone, now)
	if known != nil {
		*c = *known
	}
	for _, needed := range []Change[string]{r.Label, r.StartsAt} {
		if needed.Value == nil && (known == nil || needed.IsSet) {
			return nil, RejectedEmpty, r.Code
		}
	}
	changes := &CouponChanges{RequiresAssignment: r.RequiresAssignment, Timezone: r.Timezone}
	for _, read := range []func(*CouponChanges, *Coupon, *FileDates) (RejectionReason, string){r.readLabel, r.readPeriod, r.readCounts, r.readMetadata} {
		if reason, value := read(changes, c, dates); reason != "" {
			return nil, reason, value
		}
	}
	if err := c.Apply(changes); err != nil {
		reason, value := r.reasonOf(err)
		return nil, reason, value
	}
	if isArchived := r.IsArchived.Value; isArchived != nil {
		switch {
		case *isArchived && c.ArchivedAt == nil:
			c.ArchivedAt = &now
		case !*isArchived && c.ArchivedAt != nil:
			return nil, RejectedCannotChange, r.Code
		}
	}
	return c, "", ""
}

// typeOf returns the type of the coupon, which never changes.
func (r *CouponRow) typeOf(known *Coupon) (t CouponType, reason RejectionReason, value string) {
	if r.Type.Value == nil {
		if known == nil || r.Type.IsSet {
			return "", RejectedEmpty, r.Code
		}
		return known.Type, "", ""
	}
	t = CouponType(strings.ToUpper(CleanValue(*r.Type.Value)))
	switch {
	case t != TypeAnonymous && t != TypeIndividual:
		return "", RejectedBadType, *r.Type.Value
	case known != nil && known.Type != t:
		return "", RejectedCannotChange, *r.Type.Value
	}
	return t, "", ""
}

func (r *CouponRow) readLabel(changes *CouponChanges, _ *Coupon, _ *FileDates) (reason RejectionReason, value string) {
	if r.Label.Value == nil {
		return "", ""
	}
	label, reason := CleanLabel(*r.Label.Value)
	changes.Label = Set(&label)
	return reason, *r.Label.Value
}

// readPeriod reads the zone and the bounds.
func (r *CouponRow) readPeriod(changes *CouponChanges, c *Coupon, dates *FileDates) (reason RejectionReason, value string) {
	name := c.Timezone
	if r.Timezone.IsSet {
		name = "UTC"
	}
	if r.Timezone.Value != nil {
		name = CleanValue(*r.Timezone.Value)
		changes.Timezone = Set(&name)
	}
	zone, err := LoadZone(name)
	if err != nil {
		return RejectedBadTimezone, name
	}
	for _, bound := range []struct {
		text  Change[string]
		isEnd bool
		into  *Change[DateTime]
	}{{r.StartsAt, false, &changes.StartsAt}, {r.EndsAt, true, &changes.EndsAt}} {
		switch {
		case !bound.text.IsSet:
		case bound.text.Value == nil:
			*bound.into = Set[DateTime](nil)
		default:
			at, reason := dates.Bound(*bound.text.Value, zone, bound.isEnd)
			if reason != "" {
				return reason, *bound.text.Value
			}
			*bound.into = Set(new(DateTime(at.Format(time.RFC3339Nano))))
		}
	}
	return "", ""
}

func (r *CouponRow) readCounts(changes *CouponChanges, _ *Coupon, _ *FileDates) (reason RejectionReason, value string) {
	for _, count := range []struct {
		text Change[string]
		into *Change[int]
	}{{r.RedemptionLimit, &changes.RedemptionLimit}, {r.LowStockThreshold, &changes.LowStockThreshold}} {
		count.into.IsSet = count.text.IsSet
		if count.text.Value == nil {
			continue
		}
		number, err := strconv.Atoi(CleanValue(*count.text.Value))
		if err != nil {
			return RejectedBadNumber, *count.text.Value
		}
		count.into.Value = &number
	}
	changes.LowStockShare.IsSet = r.LowStockShare.IsSet
	if r.LowStockShare.Value == nil {
		return "", ""
	}
	share, err := strconv.ParseFloat(strings.Replace(CleanValue(*r.LowStockShare.Value), ",", ".", 1), 64)
	if err != nil {
		return RejectedBadNumber, *r.LowStockShare.Value
	}
	changes.LowStockShare.Value = &share
	return "", ""
}

func (r *CouponRow) readMetadata(changes *CouponChanges, _ *Coupon, _ *FileDates) (reason RejectionReason, value string) {
	changes.Metadata.IsSet = r.Metadata.IsSet
	if r.Metadata.Value == nil {
		return "", ""
	}
	object, isObject := ParseJSON(*r.Metadata.Value)
	switch {
	case !isObject:
		return RejectedBadJSON, *r.Metadata.Value
	case len(object) > MaxJSONBytes:
		return RejectedTooLong, *r.Metadata.Value
	}
	changes.Metadata.Value = &object
	return "", ""
}

// reasonOf returns the reason for the first rule of coupons that the row breaks.
func (r *CouponRow) reasonOf(err error) (reason RejectionReason, value string) {
	var problems UserErrors
	if !errors.As(err, &problems) || len(problems[0].Field) < 2 {
		return RejectedMalformed, r.Code
	}
	switch problems[0].Field[1] {
	case "label":
		return RejectedEmpty, r.Code
	case "redemptionLimit":
		return RejectedBadNumber, *r.RedemptionLimit.Value
	case "lowStockThreshold":
		return RejectedBadNumber, *r.LowStockThreshold.Value
	case "lowStockShare":
		return RejectedBadNumber, *r.LowStockShare.Value
	case "endsAt":
		if r.EndsAt.Value == nil {
			return RejectedBadPeriod, *r.StartsAt.Value
		}
		return RejectedBadPeriod, *r.EndsAt.Value
	}
	return RejectedMalformed, r.Code
}

// IsSame reports whether two coupons are the same but for when they were changed.
func (c *Coupon) IsSame(other *Coupon) bool {
	return c.Label == other.Label && c.Code == other.Code && c.Type == other.Type && c.StartsAt.Equal(other.StartsAt) &&
		equal(c.RedemptionLimit, other.RedemptionLimit) && c.RequiresAssignment == other.RequiresAssignment &&
		equal(c.LowStockThreshold, other.LowStockThreshold) && equal(c.LowStockShare, other.LowStockShare) && c.Timezone == other.Timezone &&
		c.Metadata == other.Metadata && equalInstant(c.EndsAt, other.EndsAt) && equalInstant(c.ArchivedAt, other.ArchivedAt)
}

func equal[T comparable](a, b *T) bool {
	return a == nil && b == nil || a != nil && b != nil && *a == *b
}

func equalInstant(a, b *time.Time) bool {
	return a == nil && b == nil || a != nil && b != nil && a.Equal(*b)
}

// ParseJSON returns the text of an object as it is written, but for the spaces between its parts.
func ParseJSON(text string) (object JSON, isObject bool) {
	text = CleanValue(text)
	if !strings.HasPrefix(text, "{") {
		return "", false
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, []byte(text)); err != nil {
		return "", false
	}
	return JSON(compact.String()), true
}
