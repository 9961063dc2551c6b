package coupon

import (
	"fmt"
	"regexp"
	"strings"
)

// Decimal is a decimal number as text, e.g. "12.50": money must not pass through binary fractions.
type Decimal string

// decimalPattern is what DECIMAL(18,4) holds: 14 digits before and 4 after the point.
var decimalPattern = regexp.MustCompile(`^-?\d{1,14}(\.\d{1,4})?$`)

// ParseDecimal checks a number that a caller gave. The error is a sentence for the caller.
func ParseDecimal(text string) (Decimal, error) {
	text = strings.TrimSpace(text)
	if !decimalPattern.MatchString(text) {
		return "", fmt.Errorf("%q is not a decimal number with at most 14 digits before and 4 after the point, such as 12.50", text)
	}
	return Decimal(text), nil
}

// NewDecimal makes a Decimal of a number with a fixed scale as the database prints it, e.g.
// "12.5000": cents are kept, further zeros are not.
func NewDecimal(fixed string) Decimal {
	whole, fraction, _ := strings.Cut(fixed, ".")
	fraction = strings.TrimRight(fraction, "0")
	for len(fraction) < 2 {
		fraction += "0"
	}
	return Decimal(whole + "." + fraction)
}
