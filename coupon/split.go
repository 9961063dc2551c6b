package coupon

import (
	"math"
	"strconv"
)

// MaxSplitParts is how many parts one splitDelivery makes.
const MaxSplitParts = 100

// SplitPart is a part of a delivery: the targets that match the filter, of these at most Count, or Percent of all
// targets; or with Rest those that no other part takes.
type SplitPart struct {
	Label    string
	Filter   *RecipientFilter
	Count    *int
	Percent  *float64
	Rest     bool
	CouponID *ID
}

// SplitParts are the parts of one delivery, in the order in which they take targets.
type SplitParts []*SplitPart

// Check cleans the labels. It returns UserErrors with INVALID for parts that cannot be meant.
func (p SplitParts) Check() error {
	var problems UserErrors
	if len(p) == 0 || len(p) > MaxSplitParts {
		invalidf(&problems, "parts", "Give 1 to %d parts, not %d.", MaxSplitParts, len(p))
	}
	rests, percent := 0, 0.0
	for i, part := range p {
		part.check(func(field, format string, args ...any) {
			problems = append(problems, Errorf(ErrorInvalid, format, args...).At("input", "parts", strconv.Itoa(i), field))
		})
		if part.Percent != nil {
			percent += *part.Percent
		}
		if part.Rest {
			rests++
		}
	}
	if rests > 1 {
		invalidf(&problems, "parts", "At most one part can take the rest, not %d.", rests)
	}
	// Shares such as three times 33.34 are meant to be the whole.
	const tolerance = 0.1
	if percent > 100+tolerance {
		invalidf(&problems, "parts", "The shares make %g per cent together; at most 100 can be given.", percent)
	}
	return problems.OrNil()
}

// check cleans the label, and calls refuse with what cannot be meant.
func (p *SplitPart) check(refuse func(field, format string, args ...any)) {
	label, reason := CleanLabel(p.Label)
	switch {
	case reason != "":
		refuse("label", "%s", reason.Message())
	case label == "":
		refuse("label", "Name the part: it becomes a delivery.")
	}
	p.Label = label
	if p.Count != nil && *p.Count < 1 {
		refuse("count", "A part takes 1 target or more, not %d.", *p.Count)
	}
	// The negation tells NaN, too.
	if p.Percent != nil && !(*p.Percent > 0 && *p.Percent <= 100) {
		refuse("percent", "A share is above 0 and up to 100 per cent, not %g.", *p.Percent)
	}
	isNarrowed := p.Filter != nil || p.Count != nil || p.Percent != nil
	switch {
	case p.Count != nil && p.Percent != nil:
		refuse("percent", "Give a count or a share, not both.")
	case p.Rest && isNarrowed:
		refuse("rest", "The rest is everyone whom no other part takes: it has no filter, count or share.")
	case !p.Rest && !isNarrowed:
		refuse("rest", "Say whom the part takes: give a filter, a count, a share, or rest.")
	}
}

// Limits returns how many of so many targets each part takes at most; -1 for no limit. Shares are rounded so that they
// add up: what one is short of, the next one gets.
func (p SplitParts) Limits(targets int) []int {
	limits := make([]int, len(p))
	share, taken := 0.0, 0
	for i, part := range p {
		limits[i] = -1
		switch {
		case part.Count != nil:
			limits[i] = *part.Count
		case part.Percent != nil:
			share += *part.Percent
			end := int(math.Round(float64(targets) * min(share, 100) / 100))
			limits[i] = end - taken
			taken = end
		}
	}
	return limits
}
