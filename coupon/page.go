package coupon

import (
	"encoding/base64"
	"strconv"
	"strings"
)

// MaxPageSize is the largest `first`; DefaultPageSize the one of a caller who names none.
const (
	MaxPageSize     = 500
	DefaultPageSize = 20
)

// Page asks for at most First items that come after a cursor.
type Page struct {
	First int
	// After is the key of the last item before the page; nil asks for the beginning.
	After *Cursor
	// WantsItems and WantsTotal tell what the caller will look at: what is not wanted is not computed.
	WantsItems bool
	WantsTotal bool
}

// Cursor is the place of an item in an ordered list: the value it is sorted by, where that is not
// its number alone, and its number.
type Cursor struct {
	Key    string
	Number int64
}

// String returns the opaque text of the cursor.
func (c Cursor) String() string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(c.Number, 10) + ":" + c.Key))
}

// ParseCursor reads a cursor that a caller gave back. It returns INVALID for anything that String
// did not make.
func ParseCursor(text string) (*Cursor, error) {
	decoded, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		digits, key, _ := strings.Cut(string(decoded), ":")
		number, err := strconv.ParseInt(digits, 10, 64)
		// What is written back alike had no superfluous zero, sign or bit.
		cursor := Cursor{Key: key, Number: number}
		if err == nil && cursor.String() == text {
			return &cursor, nil
		}
	}
	return nil, Errorf(ErrorInvalid, "%q is not a cursor. Use endCursor or an edge's cursor of the page before.", text).At("after")
}

// NewPage checks the arguments of a connection. It returns INVALID when first is not 0 to
// MaxPageSize or after is not a cursor.
func NewPage(first *int, after *string) (Page, error) {
	page := Page{First: DefaultPageSize}
	if first != nil {
		page.First = *first
	}
	if page.First < 0 || page.First > MaxPageSize {
		return Page{}, Errorf(ErrorInvalid, "`first` must be 0 to %d, not %d.", MaxPageSize, page.First).At("first")
	}
	if after != nil {
		cursor, err := ParseCursor(*after)
		if err != nil {
			return Page{}, err
		}
		page.After = cursor
	}
	return page, nil
}

// List is one page of items.
type List[T any] struct {
	Items []T
	// Cursors holds the place of each item.
	Cursors []Cursor
	// HasNext tells whether items follow the page.
	HasNext bool
	// Total is the number of all items, when the page wanted it.
	Total int
}
