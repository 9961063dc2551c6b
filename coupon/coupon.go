package coupon

import (
	"math"
	"time"
)

// CouponType says whether a coupon has one code for all or a pool of unique ones.
type CouponType string

// The types of coupons.
const (
	TypeAnonymous  CouponType = "ANONYMOUS"
	TypeIndividual CouponType = "INDIVIDUAL"
)

// CouponTypes returns all types.
func CouponTypes() []CouponType { return []CouponType{TypeAnonymous, TypeIndividual} }

// IsOwnCodeSecret reports whether the own code of a coupon of the type can be redeemed, so that it
// is hidden from whoever may see no codes. That of an INDIVIDUAL coupon redeems nothing: it is a
// name, by which people tell coupons apart.
func (t CouponType) IsOwnCodeSecret() bool { return t != TypeIndividual }

// CouponStatus is where a coupon stands at an instant.
type CouponStatus string

// The states of a coupon. All but ARCHIVED are derived from the clock.
const (
	CouponScheduled CouponStatus = "SCHEDULED"
	CouponActive    CouponStatus = "ACTIVE"
	CouponExpired   CouponStatus = "EXPIRED"
	CouponArchived  CouponStatus = "ARCHIVED"
)

// AutomaticCodePrefix and a number make the code of a coupon that was created without one.
const AutomaticCodePrefix = "CPN"

// Coupon is what a marketer offers.
type Coupon struct {
	ID       ID
	Label    string
	Code     string
	Type     CouponType
	StartsAt time.Time
	// EndsAt is exclusive; nil means no end.
	EndsAt *time.Time
	// RedemptionLimit is how often one code may be redeemed; nil means no limit.
	RedemptionLimit    *int
	RequiresAssignment bool
	LowStockThreshold  *int
	LowStockShare      *float64
	Timezone           string
	Metadata           JSON
	ArchivedAt         *time.Time
	CreatedAt          time.Time
	UpdatedAt          time.Time
	// Status is where the coupon stood when it was read.
	Status CouponStatus
}

// StatusAt tells where the coupon stands at an instant.
func (c *Coupon) StatusAt(now time.Time) CouponStatus {
	switch {
	case c.ArchivedAt != nil:
		return CouponArchived
	case now.Before(c.StartsAt):
		return CouponScheduled
	case c.HasEnded(now):
		return CouponExpired
	default:
		return CouponActive
	}
}

// HasEnded reports whether the coupon's validity is over: validity is half-open, so the end itself
// is outside.
func (c *Coupon) HasEnded(now time.Time) bool {
	return c.EndsAt != nil && !now.Before(*c.EndsAt)
}

// IsValidAt reports whether startsAt <= t < endsAt.
func (c *Coupon) IsValidAt(t time.Time) bool {
	return !t.Before(c.StartsAt) && !c.HasEnded(t)
}

// CouponChanges is what a caller wants a coupon to be: for a new coupon everything, for an existing
// one only what is set.
type CouponChanges struct {
	Label              Change[string]
	Code               Change[string]
	Type               CouponType
	StartsAt           Change[DateTime]
	EndsAt             Change[DateTime]
	RedemptionLimit    Change[int]
	RequiresAssignment Change[bool]
	LowStockThreshold  Change[int]
	LowStockShare      Change[float64]
	Timezone           Change[string]
	Metadata           Change[JSON]
}

// Change is a field of an update: left alone unless set, and cleared when set to nil.
type Change[T any] struct {
	IsSet bool
	Value *T
}

// Set makes a change to this value; nil clears.
func Set[T any](value *T) Change[T] { return Change[T]{IsSet: true, Value: value} }

// Apply makes the changes to the coupon and checks every rule a coupon must keep. It returns
// UserErrors with INVALID, all of them at once; the coupon is then half changed and must be thrown
// away. What depends on other coupons or on codes (unique code, type) is the store's to check.
func (c *Coupon) Apply(changes *CouponChanges) error {
	var problems UserErrors
	if changes.Label.IsSet {
		c.Label = required(changes.Label, "label", "The label of a coupon", &problems)
	}
	c.applyValidity(changes, &problems)
	c.applyRedemption(changes, &problems)
	c.applyLowStock(changes, &problems)
	if changes.Metadata.IsSet {
		c.Metadata = EmptyJSON
		if changes.Metadata.Value != nil {
			c.Metadata = *changes.Metadata.Value
		}
		if len(c.Metadata) > MaxJSONBytes {
			invalidf(
				&problems, "metadata", "The metadata must be at most %d bytes of JSON, not %d.",
				MaxJSONBytes, len(c.Metadata),
			)
		}
	}
	return problems.OrNil()
}

// applyValidity changes the time zone first, since dates without an offset are meant in it.
func (c *Coupon) applyValidity(changes *CouponChanges, problems *UserErrors) {
	if changes.Timezone.IsSet {
		c.Timezone = "UTC"
		if changes.Timezone.Value != nil {
			c.Timezone = *changes.Timezone.Value
		}
	}
	zone, err := LoadZone(c.Timezone)
	if err != nil {
		invalidf(problems, "timezone",
			"%q is not a time zone. Use an IANA name such as Europe/Berlin.", c.Timezone)
		zone = time.UTC
	}
	if changes.StartsAt.IsSet {
		if changes.StartsAt.Value == nil {
			invalidf(problems, "startsAt", "A coupon needs a start date.")
		} else if startsAt, err := changes.StartsAt.Value.Start(zone); err != nil {
			invalidf(problems, "startsAt", "%s.", err)
		} else {
			c.StartsAt = startsAt
		}
	}
	if changes.EndsAt.IsSet {
		c.EndsAt = nil
		if changes.EndsAt.Value != nil {
			endsAt, err := changes.EndsAt.Value.End(zone)
			if err != nil {
				invalidf(problems, "endsAt", "%s.", err)
				return
			}
			c.EndsAt = &endsAt
		}
	}
	if c.EndsAt != nil && !c.StartsAt.Before(*c.EndsAt) {
		invalidf(problems, "endsAt", "The coupon would end (%s) before it starts (%s).",
			c.EndsAt.Format(time.RFC3339), c.StartsAt.Format(time.RFC3339))
	}
}

// MaxCount is the largest number of codes or messages that a caller can name: GraphQL's largest
// Int.
const MaxCount = math.MaxInt32

// MaxRedemptionLimit is the largest limit of redemptions a code.
const MaxRedemptionLimit = 1_000_000_000

func (c *Coupon) applyRedemption(changes *CouponChanges, problems *UserErrors) {
	if changes.RedemptionLimit.IsSet {
		c.RedemptionLimit = changes.RedemptionLimit.Value
		if c.RedemptionLimit == nil && c.Type == TypeIndividual {
			c.RedemptionLimit = new(1)
		}
	}
	if c.RedemptionLimit != nil &&
		(*c.RedemptionLimit < 1 || *c.RedemptionLimit > MaxRedemptionLimit) {
		invalidf(problems, "redemptionLimit", "The redemption limit must be 1 to %d, not %d.",
			MaxRedemptionLimit, *c.RedemptionLimit)
	}
	if changes.RequiresAssignment.IsSet {
		c.RequiresAssignment = changes.RequiresAssignment.Value == nil ||
			*changes.RequiresAssignment.Value
	}
}

func (c *Coupon) applyLowStock(changes *CouponChanges, problems *UserErrors) {
	if changes.LowStockThreshold.IsSet {
		c.LowStockThreshold = changes.LowStockThreshold.Value
	}
	switch {
	case c.LowStockThreshold == nil:
	case *c.LowStockThreshold < 0:
		invalidf(problems, "lowStockThreshold", "The low-stock threshold must not be negative.")
	case *c.LowStockThreshold > MaxCount:
		invalidf(problems, "lowStockThreshold",
			"The low-stock threshold must be at most %d.", MaxCount)
	}
	if changes.LowStockShare.IsSet {
		c.LowStockShare = changes.LowStockShare.Value
	}
	// Written so that NaN, which is in no range, is refused too.
	if c.LowStockShare != nil && (!(*c.LowStockShare >= 0) || *c.LowStockShare > 1) {
		invalidf(problems, "lowStockShare", "The low-stock share must be 0 to 1.")
	}
}

// required cleans a text that must be there and fit; what is wrong is added to problems.
func required(change Change[string], field, subject string, problems *UserErrors) string {
	raw := ""
	if change.Value != nil {
		raw = *change.Value
	}
	text, reason := CleanLabel(raw)
	switch {
	case reason == RejectedTooLong:
		invalidf(problems, field, "%s must have at most %d characters.", subject, MaxTextLength)
	case reason != "":
		invalidf(problems, field, "%s must not have control characters.", subject)
	case text == "":
		invalidf(problems, field, "%s must not be empty.", subject)
	}
	return text
}

// CouponFilter narrows a list of coupons; what is nil or empty does not narrow.
type CouponFilter struct {
	Type   *CouponType    `json:"type,omitempty"`
	Status []CouponStatus `json:"status,omitempty"`
	Search *string        `json:"search,omitempty"`
	// IsMasked: whoever searches may not see codes, so that only labels are searched.
	IsMasked bool  `json:"isMasked,omitempty"`
	IsLow    *bool `json:"isLow,omitempty"`
}

// CouponOrder is the order of a list of coupons.
type CouponOrder string

// The orders of coupons. Ties are broken by id, so that paging is stable.
const (
	OrderCreatedAtDesc CouponOrder = "CREATED_AT_DESC"
	OrderCreatedAtAsc  CouponOrder = "CREATED_AT_ASC"
	OrderLabelAsc      CouponOrder = "LABEL_ASC"
	OrderEndsAtAsc     CouponOrder = "ENDS_AT_ASC"
	OrderStartsAtAsc   CouponOrder = "STARTS_AT_ASC"
	OrderStartsAtDesc  CouponOrder = "STARTS_AT_DESC"
	OrderCodeAsc       CouponOrder = "CODE_ASC"
	OrderTypeAsc       CouponOrder = "TYPE_ASC"
)
