package coupon

import "time"

// RecipientList is a list of recipients that has a name: those who were put into it, or who match a
// filter whenever it is read.
type RecipientList struct {
	ID    ID
	Label string
	// SavedFilter is nil of a list that people are put into.
	SavedFilter *RecipientFilter
	CreatedAt   time.Time
}

// IsSaved reports whether whoever matches a filter is in the list.
func (l *RecipientList) IsSaved() bool { return l.SavedFilter != nil }

// MaxFilterLists is how many lists one filter names.
const MaxFilterLists = 20

// CheckSaved returns INVALID for a filter that cannot be kept: one that names single people, whom
// an erasure would have to find in it, or lists, which could end in a circle.
func (f *RecipientFilter) CheckSaved() error {
	for place, isGiven := range map[string]bool{
		"externalIds": f.ExternalIDs != nil, "search": f.Search != nil,
	} {
		if isGiven {
			return Errorf(ErrorInvalid, "A filter that is saved names nobody by %s. Make a list of those people instead: isSaved: false.", place).
				At(place)
		}
	}
	if f.Lists != nil {
		return Errorf(ErrorInvalid, "A filter that is saved cannot name other lists.").At("lists")
	}
	if f.Not == nil {
		return nil
	}
	return Under(f.Not.CheckSaved(), "not")
}
