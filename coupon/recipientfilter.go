package coupon

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const (
	// MaxAttributeFilters is how many attributes one filter looks at.
	MaxAttributeFilters = 20
	// MaxFilterDepth is how many filters may stand in one another by RecipientFilter.Not.
	MaxFilterDepth = 4
)

// RecipientFilter narrows a list of recipients; what is nil or empty does not narrow.
type RecipientFilter struct {
	ExternalIDs []string `json:"externalIds,omitempty"`
	// Search matches a part of the external id, the address or the name, case-insensitive.
	Search     *string            `json:"search,omitempty"`
	Attributes []*AttributeFilter `json:"attributes,omitempty"`
	// IsContactable tells those on the denylist from all others.
	IsContactable *bool `json:"isContactable,omitempty"`
	// ReachableBy: a message by one of these channels could be sent.
	ReachableBy []Channel `json:"reachableBy,omitempty"`
	// EmailDomains are what stands behind the @ of the e-mail address.
	EmailDomains []string `json:"emailDomains,omitempty"`
	// Languages are ranges of BCP 47: de matches de-AT too.
	Languages []string `json:"languages,omitempty"`
	// Codes wants that somebody was given codes, or none.
	Codes []*GivenCodeFilter `json:"codes,omitempty"`
	// ExcludedFrom wants that the analysis of a delivery left somebody out.
	ExcludedFrom *ExcludedFromFilter `json:"excludedFrom,omitempty"`
	// Lists are named lists of which somebody is in one.
	Lists []ID `json:"lists,omitempty"`
	// TargetOf: somebody is a target of the delivery.
	TargetOf *ID `json:"targetOf,omitempty"`
	// Not: nobody who matches this.
	Not *RecipientFilter `json:"not,omitempty"`
}

// AttributeFilter wants an attribute to satisfy each condition that is given.
type AttributeFilter struct {
	Name     string   `json:"name"`
	In       []string `json:"in,omitempty"`
	Contains *string  `json:"contains,omitempty"`
	Exists   *bool    `json:"exists,omitempty"`
	Gt       *Bound   `json:"gt,omitempty"`
	Gte      *Bound   `json:"gte,omitempty"`
	Lt       *Bound   `json:"lt,omitempty"`
	Lte      *Bound   `json:"lte,omitempty"`
	// Not turns the whole around.
	Not *bool `json:"not,omitempty"`
}

// IsEmpty reports whether the filter names no condition.
func (f *AttributeFilter) IsEmpty() bool {
	return f.In == nil && f.Contains == nil && f.Exists == nil && f.Gt == nil && f.Gte == nil &&
		f.Lt == nil && f.Lte == nil
}

// GivenCodeFilter wants that messages gave somebody a code of which all this holds, or no such
// code.
type GivenCodeFilter struct {
	CouponID   *ID          `json:"couponId,omitempty"`
	DeliveryID *ID          `json:"deliveryId,omitempty"`
	Status     []CodeStatus `json:"status,omitempty"`
	SentFrom   *DateTime    `json:"sentFrom,omitempty"`
	SentTo     *DateTime    `json:"sentTo,omitempty"`
	Is         *Quantity    `json:"is,omitempty"`
}

// Quantity is how many of something there must be.
type Quantity string

// The quantities.
const (
	QuantitySome Quantity = "SOME"
	QuantityNone Quantity = "NONE"
)

// ExcludedFromFilter wants that the last analysis of a delivery left somebody out.
type ExcludedFromFilter struct {
	DeliveryID ID                `json:"deliveryId"`
	Reasons    []ExclusionReason `json:"reasons,omitempty"`
}

// Bound is what values of an attribute are compared with: a number, or a date or instant, as text.
type Bound string

// numberPattern is what DECIMAL(38,12) holds.
var numberPattern = regexp.MustCompile(`^[+-]?\d{1,26}(\.\d{1,12})?$`)

// IsNumber reports whether numbers are compared with it.
func (b Bound) IsNumber() bool { return numberPattern.MatchString(string(b)) }

// Day returns the first instant, in UTC, of what the bound names, and the first one behind it: of a
// date alone, a day later; of an instant, the same. The error is a sentence for the caller, without
// its full stop.
func (b Bound) Day() (first, next time.Time, err error) {
	if first, err = DateTime(b).Start(time.UTC); err != nil {
		return first, next, fmt.Errorf("%q is neither a number of at most 26 digits before and 12 after the point, nor a date or instant such as 2026-11-24 or 2026-11-24T10:15:00Z", Printable(string(b)))
	}
	next, err = DateTime(b).End(time.UTC)
	return first, next, err
}

// MarshalGQL writes the bound as text.
func (b Bound) MarshalGQL(w io.Writer) { _, _ = io.WriteString(w, strconv.Quote(string(b))) }

// UnmarshalGQL takes a number or a text; which texts are bounds is judged with the filter.
func (b *Bound) UnmarshalGQL(value any) error {
	switch v := value.(type) {
	case string:
		*b = Bound(strings.TrimSpace(v))
	case json.Number:
		*b = plainNumber(v.String())
	case int64:
		*b = Bound(strconv.FormatInt(v, 10))
	case int:
		*b = Bound(strconv.Itoa(v))
	case float64:
		*b = plainNumber(strconv.FormatFloat(v, 'f', -1, 64))
	default:
		return errors.New("must be a number, or a date or instant as text")
	}
	return nil
}

// plainNumber returns a number without an exponent.
func plainNumber(text string) Bound {
	if number, err := strconv.ParseFloat(text, 64); err == nil && strings.ContainsAny(text, "eE") {
		text = strconv.FormatFloat(number, 'f', -1, 64)
	}
	return Bound(text)
}
