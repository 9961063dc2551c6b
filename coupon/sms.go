package coupon

import "unicode/utf16"

// The sizes of an SMS, in units of its encoding: 7 bits of the GSM alphabet, or 16 bits of UCS-2. A
// longer text goes in parts, each with a header that tells how they follow one another. Source:
// 3GPP TS 23.040, 9.2.3.24.1, and TS 23.038, 4.
const (
	smsUnits     = 160
	smsPartUnits = 153
	smsWide      = 70
	smsPartWide  = 67
)

// gsmAlphabet has the characters of the GSM 7-bit default alphabet; gsmExtension those that take
// two units. Source: 3GPP TS 23.038, 6.2.1.
const (
	gsmAlphabet = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿" +
		"abcdefghijklmnopqrstuvwxyzäöñüà"
	gsmExtension = "\f^{}\\[~]|€"
)

// gsmUnits is how many units a character takes in the GSM alphabet.
var gsmUnits = func() map[rune]int {
	units := map[rune]int{}
	for _, r := range gsmAlphabet {
		units[r] = 1
	}
	for _, r := range gsmExtension {
		units[r] = 2
	}
	return units
}()

// SMSParts returns in how many parts a text goes as SMS, each of which costs as one. wide is the
// first character that the GSM alphabet does not have, which makes a part hold less than half as
// much; 0: all are in it.
func SMSParts(text string) (parts int, wide rune) {
	units, partUnits := 0, 0
	parts = 1
	// A character of two units never lies in two parts.
	add := func(size, limit int) {
		units += size
		if partUnits += size; partUnits > limit {
			parts, partUnits = parts+1, size
		}
	}
	for _, r := range text {
		size := gsmUnits[r]
		if size == 0 {
			wide = r
			break
		}
		add(size, smsPartUnits)
	}
	if wide == 0 {
		if units <= smsUnits {
			return 1, 0
		}
		return parts, 0
	}
	units, partUnits, parts = 0, 0, 1
	for _, r := range text {
		add(max(1, utf16.RuneLen(r)), smsPartWide)
	}
	if units <= smsWide {
		return 1, wide
	}
	return parts, wide
}
