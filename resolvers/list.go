package resolvers

import (
	"encoding/json"
	"fmt"

	"couponql/coupon"
	"couponql/graph"
)

// inList returns the filter that those in a list match.
func inList(l *coupon.RecipientList) *coupon.RecipientFilter {
	return &coupon.RecipientFilter{Lists: []coupon.ID{l.ID}}
}

// savedFilter returns the filter of a list as JSON, nil when it has none.
func savedFilter(l *coupon.RecipientList) (*coupon.JSON, error) {
	if l.SavedFilter == nil {
		return nil, nil
	}
	text, err := json.Marshal(l.SavedFilter)
	if err != nil {
		return nil, fmt.Errorf("encode the filter of %s: %w", l.ID, err)
	}
	return new(coupon.JSON(text)), nil
}

// recipientListPayload returns what changes of lists answer.
func recipientListPayload(l *coupon.RecipientList, err error) (
	*graph.RecipientListPayload, error,
) {
	problems, err := userErrors(err)
	if err != nil || len(problems) > 0 {
		l = nil
	}
	return &graph.RecipientListPayload{List: l, UserErrors: problems}, err
}
