package snapshot

import (
	"strings"

	"couponql/coupon"
	"couponql/db/duckdb"
)

// MaskedText returns SQL that gives the mask in the place of a text.
func MaskedText(name string) string {
	return "CASE WHEN " + name + " IS NOT NULL THEN " + duckdb.Quote(coupon.Mask) + " END"
}

// MaskedOwnCode returns SQL that gives the mask in the place of the own code of a coupon, if that
// of its type is secret.
func MaskedOwnCode(code, couponType string) string {
	var names []string
	for _, t := range coupon.CouponTypes() {
		if !t.IsOwnCodeSecret() {
			names = append(names, duckdb.Quote(string(t)))
		}
	}
	return "CASE WHEN " + couponType + " IN (" + strings.Join(names, ", ") + ") THEN " + code +
		" ELSE " + MaskedText(code) + " END"
}
