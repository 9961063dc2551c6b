package coupon

import (
	"math/big"
	"strings"
	"unicode"

	"golang.org/x/text/currency"
)

// FileAmounts reads the amounts of money of one file. Whether a point or a comma is the decimal mark is told by evidence
// alone: 49,90 and 1.234,50 say comma, 1,234 says nothing. Show every amount to Observe before the first Parse.
type FileAmounts struct {
	// Mark is what the caller says; nil: it follows from the file.
	Mark *string

	hasPoint, hasComma bool
}

// Amount is an amount as it is recorded.
type Amount struct {
	Value Decimal
	// Currency is that of the text, or else the one that was given; "" for none.
	Currency string
	// IsRounded says that the text has more digits than are kept.
	IsRounded bool
}

// Limits of amounts: what DECIMAL(18,4) holds, and how long a text is looked at.
const (
	maxWholeDigits    = 14
	maxFractionDigits = 4
	maxAmountBytes    = 100
	maxExponent       = 400
)

// amountText is an amount as somebody wrote it.
type amountText struct {
	isNegative bool
	// currency is what stands beside the number; "" for nothing, or for a sign that several currencies have.
	currency string
	// whole and fraction are its digits; exponent is the power of ten that they are times.
	whole, fraction string
	exponent        int
	// mark is the decimal mark that the text proves; 0: it proves none.
	mark byte
	// isOpen: the only separator may be the decimal mark or one of thousands. whole and fraction are what stands
	// before and after it.
	isOpen    bool
	separator byte
}

// Observe learns from one amount of the file what its decimal mark is.
func (f *FileAmounts) Observe(cell Cell) {
	if cell.Presence != Given || cell.IsNumber {
		return
	}
	a, isAmount := readAmount(cell.Text, f.markOf(cell))
	f.hasPoint, f.hasComma = f.hasPoint || isAmount && a.mark == '.', f.hasComma || isAmount && a.mark == ','
}

// markOf returns the decimal mark that is known before the text is read; 0 for none.
func (f *FileAmounts) markOf(cell Cell) byte {
	switch {
	case cell.IsNumber:
		return '.'
	case f.Mark != nil && *f.Mark != "":
		return (*f.Mark)[0]
	}
	return 0
}

// Parse returns an amount, or the reason to reject it: BAD_AMOUNT, AMBIGUOUS_AMOUNT, ROUNDED_NUMBER, or BAD_CURRENCY where the
// text names another currency than the one beside it. What has more than four digits after its decimal mark, as sums
// of binary fractions do, is rounded to the digits that its currency has.
func (f *FileAmounts) Parse(cell Cell, currencyCode string) (Amount, RejectionReason) {
	a, isAmount := readAmount(cell.Text, f.markOf(cell))
	switch {
	case !isAmount:
		return Amount{}, RejectedBadAmount
	case a.currency != "" && currencyCode != "" && a.currency != currencyCode:
		return Amount{}, RejectedBadCurrency
	case a.currency != "":
		currencyCode = a.currency
	}
	if a.isOpen {
		isMark, isKnown := f.isMark(&a, currencyCode)
		if !isKnown {
			return Amount{}, RejectedAmbiguousAmount
		}
		if !isMark {
			a.whole, a.fraction = a.whole+a.fraction, ""
		}
	}
	if a.exponent > len(a.fraction) {
		return Amount{}, RejectedRoundedNumber
	}
	value, isRounded, fits := a.decimal(currencyDigits(currencyCode))
	if !fits {
		return Amount{}, RejectedBadAmount
	}
	return Amount{Value: value, Currency: currencyCode, IsRounded: isRounded}, ""
}

// isMark reports whether the only separator of an amount is its decimal mark.
func (f *FileAmounts) isMark(a *amountText, currencyCode string) (isMark, isKnown bool) {
	switch {
	case f.hasPoint != f.hasComma:
		return f.hasPoint == (a.separator == '.'), true
	case currencyCode != "" && currencyDigits(currencyCode) == 0:
		return false, true
	}
	return false, false
}

// decimal returns the number with at most maxFractionDigits, rounded half away from zero to so many digits if it has more.
func (a *amountText) decimal(digits int) (value Decimal, isRounded, fits bool) {
	all := a.whole + a.fraction
	scale := len(a.fraction) - a.exponent
	number, ok := new(big.Int).SetString(all, 10)
	if !ok {
		return "", false, false
	}
	ten := big.NewInt(10)
	for scale > maxFractionDigits {
		quotient, rest := new(big.Int).QuoRem(number, ten, new(big.Int))
		if rest.Sign() != 0 {
			isRounded = true
			break
		}
		number, scale = quotient, scale-1
	}
	if isRounded {
		divisor := new(big.Int).Exp(ten, big.NewInt(int64(scale-digits)), nil)
		half := new(big.Int).Rsh(divisor, 1)
		number, scale = number.Add(number, half).Quo(number, divisor), digits
	}
	text := number.String()
	for len(text) <= scale {
		text = "0" + text
	}
	whole, fraction := text[:len(text)-scale], text[len(text)-scale:]
	if len(whole) > maxWholeDigits {
		return "", false, false
	}
	if fraction != "" {
		whole += "." + fraction
	}
	if a.isNegative && number.Sign() != 0 {
		whole = "-" + whole
	}
	return Decimal(whole), isRounded, true
}

// currencyDigits returns how many digits after the decimal mark a currency has; maxFractionDigits for none that is known.
func currencyDigits(code string) int {
	unit, err := currency.ParseISO(code)
	if err != nil {
		return maxFractionDigits
	}
	digits, _ := currency.Standard.Rounding(unit)
	return min(digits, maxFractionDigits)
}

// ParseCurrency reads a currency: its code of ISO 4217 in any case, or a sign that it alone has. A sign that several have,
// such as $, is known and says nothing.
func ParseCurrency(text string) (code string, isKnown bool) {
	word := strings.ToUpper(CleanValue(text))
	switch word {
	case "€":
		return "EUR", true
	case "£":
		return "GBP", true
	case "₺":
		return "TRY", true
	case "ZŁ":
		return "PLN", true
	case "KČ":
		return "CZK", true
	case "FT":
		return "HUF", true
	case "₹":
		return "INR", true
	case "₩":
		return "KRW", true
	case "₽":
		return "RUB", true
	case "₴":
		return "UAH", true
	case "₪":
		return "ILS", true
	case "R$":
		return "BRL", true
	case "US$":
		return "USD", true
	case "FR.", "SFR.", "FR", "SFR":
		return "CHF", true
	case "", "$", "¥", "KR", "KR.":
		return "", true
	}
	return word, IsCurrency(word)
}

// readAmount reads a text, and reports whether all of it is an amount. mark is the decimal mark if it is known, or 0.
func readAmount(text string, mark byte) (a amountText, isAmount bool) {
	if len(text) > maxAmountBytes {
		return a, false
	}
	text = amountPlain(text)
	begin := strings.IndexAny(text, "0123456789")
	if begin < 0 {
		return a, false
	}
	end := strings.LastIndexAny(text, "0123456789") + 1
	if begin > 0 && (text[begin-1] == '.' || text[begin-1] == ',') && (begin == 1 || strings.IndexByte(" -+(", text[begin-2]) >= 0) {
		begin--
	}
	if !a.sides(text[:begin], text[end:]) {
		return a, false
	}
	return a, a.number(text[begin:end], mark) && (mark == 0 || a.mark == 0 || a.mark == mark)
}

// What stands around the digits of an amount without what says that it is negative.
var withoutBrackets, withoutSigns = strings.NewReplacer("(", "", ")", ""), strings.NewReplacer("-", "", "+", "")

// sides reads what stands before and after the digits: a sign, brackets and a currency.
func (a *amountText) sides(before, after string) bool {
	// As in 49,- and 49.--.
	if len(after) > 1 && (after[0] == '.' || after[0] == ',') && after[1] == '-' {
		a.mark, after = after[0], strings.TrimLeft(after[1:], "-")
	} else if len(after) > 0 && (after[0] == '.' || after[0] == ',') {
		after = after[1:]
	}
	around := before + " " + after
	if strings.Contains(before, "(") && strings.Contains(after, ")") {
		a.isNegative = true
		around = withoutBrackets.Replace(around)
	}
	switch signs := strings.Count(around, "-") + strings.Count(around, "+"); {
	case signs > 1 || signs == 1 && a.isNegative:
		return false
	case strings.Contains(around, "-"):
		a.isNegative = true
	}
	word := strings.Trim(withoutSigns.Replace(around), " ")
	var isKnown bool
	a.currency, isKnown = ParseCurrency(word)
	return isKnown
}

// amountPlain returns a text with plain spaces, hyphens and apostrophes and without what nobody sees.
func amountPlain(text string) string {
	return strings.Map(func(r rune) rune {
		switch r = typed(r); {
		case r == '\u2019' || r == '\u00B4' || r == '`':
			return '\''
		case unicode.IsSpace(r):
			return ' '
		}
		return r
	}, CleanValue(text))
}

// number reads digits with what stands between them.
func (a *amountText) number(text string, mark byte) bool {
	if e := strings.IndexAny(text, "eE"); e >= 0 {
		if !a.power(text[e+1:]) {
			return false
		}
		text = text[:e]
	}
	points, commas := strings.Count(text, "."), strings.Count(text, ",")
	at := -1 // where the decimal mark stands
	switch last := strings.LastIndexAny(text, ".,"); {
	case last < 0:
	case mark != 0:
		at = strings.LastIndexByte(text, mark)
	case points > 0 && commas > 0:
		at, a.mark = last, text[last]
	case points+commas > 1:
		a.mark = '.' + ',' - text[last]
	case a.exponent == 0 && isThousands(text, last):
		a.isOpen, a.separator = true, text[last]
		a.whole, a.fraction = text[:last], text[last+1:]
		return true
	default:
		at, a.mark = last, text[last]
	}
	whole := text
	if at >= 0 {
		whole, a.fraction = text[:at], text[at+1:]
		if strings.IndexByte(whole, text[at]) >= 0 {
			return false
		}
	}
	var isGrouped bool
	a.whole, isGrouped = ungroup(whole)
	return isGrouped && strings.Trim(a.fraction, "0123456789") == "" && a.whole+a.fraction != ""
}

// power reads an exponent.
func (a *amountText) power(text string) bool {
	sign := 1
	if text != "" && (text[0] == '+' || text[0] == '-') {
		if text[0] == '-' {
			sign = -1
		}
		text = text[1:]
	}
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' || a.exponent > maxExponent {
			return false
		}
		a.exponent = 10*a.exponent + int(text[i]-'0')
	}
	a.exponent *= sign
	return text != ""
}

// isThousands reports whether the only point or comma of a number may stand between thousands.
func isThousands(text string, at int) bool {
	whole, rest := text[:at], text[at+1:]
	return len(rest) == 3 && len(whole) >= 1 && len(whole) <= 3 && whole[0] != '0' && strings.Trim(whole+rest, "0123456789") == ""
}

// ungroup takes out what stands between the thousands of a whole number, or in India between thousands and hundreds of
// them, and reports whether it stands where it should.
func ungroup(text string) (digits string, isGrouped bool) {
	groups := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(".,' ", r) })
	digits = strings.Join(groups, "")
	if strings.Trim(digits, "0123456789") != "" {
		return "", false
	}
	if len(groups) < 2 {
		return digits, len(digits) == len(text)
	}
	separators := strings.Trim(text, "0123456789")
	if len(text)-len(digits) != len(groups)-1 || separators == "" {
		return "", false
	}
	separator := strings.IndexAny(text, ".,' ")
	width := len(groups[len(groups)-2])
	for i, group := range groups {
		isLast := i == len(groups)-1
		switch {
		case isLast && len(group) != 3, !isLast && i > 0 && (len(group) != width || width < 2 || width > 3):
			return "", false
		case i == 0 && (len(group) > 3 || len(group) == 0):
			return "", false
		}
	}
	return digits, strings.Count(text, text[separator:separator+1]) == len(groups)-1
}

// readScientific tells a number with an exponent, whether it has a sign there, as spreadsheets write it, and whether digits
// before its decimal mark are lost.
func readScientific(text string) (isScientific, isSigned, isLost bool) {
	if text == "" || len(text) > 40 || (text[0] < '0' || text[0] > '9') && text[0] != '+' && text[0] != '-' {
		return false, false, false
	}
	e := strings.IndexAny(text, "eE")
	if e < 1 {
		return false, false, false
	}
	mantissa := strings.TrimLeft(text[:e], "+-")
	whole, fraction, _ := strings.Cut(strings.Replace(mantissa, ",", ".", 1), ".")
	var a amountText
	if whole == "" || strings.Trim(whole+fraction, "0123456789") != "" || !a.power(text[e+1:]) {
		return false, false, false
	}
	return true, text[e+1] == '+', a.exponent > len(fraction)
}
