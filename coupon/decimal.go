package coupon

import (
	"fmt"
	"regexp"
	"strings"
)

// Decimal is a decimal number as text, e.g. "12.50": money must not pass through binary fractions.
type Decimal string

// decimalPattern is what DECIMAL(18,4) holds, 14 digits before and 4 after the point, with zeros
// around them that say nothing.
var decimalPattern = regexp.MustCompile(`^-?0*\d{1,14}(\.\d{1,4}0*)?$`)

// ParseDecimal reads a number that a caller gave. Two texts of one number give the same Decimal,
// the one that NewDecimal gives. The error is a sentence for the caller.
func ParseDecimal(text string) (Decimal, error) {
	text = CleanReference(text)
	if !decimalPattern.MatchString(text) {
		return "", fmt.Errorf("%q is not a decimal number with at most 14 digits before and 4 after the point, such as 12.50", Printable(text))
	}
	return NewDecimal(text), nil
}

// NewDecimal makes a Decimal of a number, e.g. "12.5000" as the database prints it: cents are kept,
// further zeros are not.
func NewDecimal(number string) Decimal {
	unsigned, isNegative := strings.CutPrefix(number, "-")
	whole, fraction, _ := strings.Cut(unsigned, ".")
	if whole = strings.TrimLeft(whole, "0"); whole == "" {
		whole = "0"
	}
	fraction = strings.TrimRight(fraction, "0")
	for len(fraction) < 2 {
		fraction += "0"
	}
	if isNegative && (whole != "0" || fraction != "00") {
		whole = "-" + whole
	}
	return Decimal(whole + "." + fraction)
}
