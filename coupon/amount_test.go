package coupon

import (
	"regexp"
	"strings"
	"testing"
)

func TestFileAmounts(t *testing.T) {
	t.Parallel()
	const point, comma = "49.90", "49,90"
	for name, test := range map[string]struct {
		observed []string
		mark     string
		isNumber bool
		currency string
		text     string
		want     string
		reason   RejectionReason
	}{
		"plain":            {text: "49.90", want: "49.90"},
		"whole":            {text: "49", want: "49"},
		"comma":            {text: "49,90", want: "49.90"},
		"one digit":        {text: "49,9", want: "49.9"},
		"four digits":      {text: "12.3456", want: "12.3456"},
		"no whole":         {text: ",50", want: "0.50"},
		"zeros before":     {text: "0049.90", want: "49.90"},
		"point at the end": {text: "49.", want: "49"},
		"German dash":      {text: "49,- €", want: "49 EUR"},
		"Swiss dash":       {text: "CHF 1’249.–", want: "1249 CHF"},
		"German":           {text: "1.234,50", want: "1234.50"},
		"English":          {text: "1,234.50", want: "1234.50"},
		"millions":         {text: "1.234.567", want: "1234567"},
		"Indian":           {text: "₹ 1,23,456.78", want: "123456.78 INR"},
		"French":           {text: "1\u202f234,50\u00a0€", want: "1234.50 EUR"},
		"Swiss":            {text: "1'234.50", want: "1234.50"},
		"code behind":      {text: "49.90 EUR", want: "49.90 EUR"},
		"code before":      {text: "eur49,90", want: "49.90 EUR"},
		"code, twice":      {text: "49.90 EUR", currency: "EUR", want: "49.90 EUR"},
		"another code": {
			text: "49.90 EUR", currency: "USD", reason: RejectedBadCurrency,
		},
		"sign of one":               {text: "£49.90", want: "49.90 GBP"},
		"sign of several":           {text: "$49.90", want: "49.90"},
		"sign of several, and code": {text: "$49.90", currency: "CAD", want: "49.90 CAD"},
		"zloty":                     {text: "49,90 zł", want: "49.90 PLN"},
		"negative":                  {text: "-49.90", want: "-49.90"},
		"negative, typographic":     {text: "\u221249,90 €", want: "-49.90 EUR"},
		"negative, behind":          {text: "49,90-", want: "-49.90"},
		"negative, accounting":      {text: "(49.90)", want: "-49.90"},
		"negative zero":             {text: "-0.00", want: "0.00"},
		"two signs":                 {text: "--49.90", reason: RejectedBadAmount},
		"plus":                      {text: "+49.90", want: "49.90"},
		"binary fraction": {
			currency: "EUR", text: "49.900000000000006", want: "49.90 EUR rounded",
		},
		"binary fraction, below": {
			currency: "EUR", text: "49.89999999999999", want: "49.90 EUR rounded",
		},
		"0.1 + 0.2": {
			currency: "EUR", text: "0.30000000000000004", want: "0.30 EUR rounded",
		},
		"binary fraction, no code": {text: "49.900000000000006", want: "49.9000 rounded"},
		"binary fraction of yen": {
			currency: "JPY", isNumber: true, text: "4990.000000000001", want: "4990 JPY rounded",
		},
		"binary fraction of dinars": {
			currency: "KWD", text: "1.23450000000001", want: "1.235 KWD rounded",
		},
		"zeros behind":        {currency: "EUR", text: "49.9000000000", want: "49.9000 EUR"},
		"half away from zero": {currency: "EUR", text: "-0.00500", want: "-0.0050 EUR"},
		"rounded half away": {
			currency: "EUR", text: "-0.125000001", want: "-0.13 EUR rounded",
		},
		"small":                     {currency: "EUR", text: "5e-05", want: "0.00 EUR rounded"},
		"exponent, nothing is lost": {text: "4.99E+01", want: "49.9"},
		"exponent, digits are lost": {text: "1,23457E+12", reason: RejectedRoundedNumber},
		"open":                      {text: "1.234", reason: RejectedAmbiguousAmount},
		"open, comma":               {text: "1,234", reason: RejectedAmbiguousAmount},
		"open, point by evidence":   {observed: []string{point}, text: "1.234", want: "1.234"},
		"thousands by evidence":     {observed: []string{comma}, text: "1.234", want: "1234"},
		"comma by evidence":         {observed: []string{comma}, text: "1,234", want: "1.234"},
		"thousands by other": {
			observed: []string{"1.234.567"}, text: "1.234", want: "1234",
		},
		"evidence of both": {
			observed: []string{point, comma}, text: "1.234", reason: RejectedAmbiguousAmount,
		},
		"evidence that is none": {
			observed: []string{"1.234", "5,678", "12", "x"}, text: "1.234",
			reason: RejectedAmbiguousAmount,
		},
		"open, but a number of JSON": {isNumber: true, text: "1.234", want: "1.234"},
		"open, yen":                  {currency: "JPY", text: "1,234", want: "1234 JPY"},
		"not open, zero":             {text: "0,125", want: "0.125"},
		"not open, four before":      {text: "1234,125", want: "1234.125"},
		"said: comma":                {mark: ",", text: "1.234", want: "1234"},
		"said: point":                {mark: ".", text: "1.234", want: "1.234"},
		"said against evidence": {
			mark: ".", observed: []string{comma}, text: "1,234", want: "1234",
		},
		"said and impossible":  {mark: ",", text: "49.90", reason: RejectedBadAmount},
		"14 digits":            {text: "99999999999999.99", want: "99999999999999.99"},
		"15 digits":            {text: "123456789012345", reason: RejectedBadAmount},
		"wrong groups":         {text: "1,23.50", reason: RejectedBadAmount},
		"mixed groups":         {text: "1.234,567,8", reason: RejectedBadAmount},
		"marks without digits": {text: ".,", reason: RejectedBadAmount},
		"a word":               {text: "a lot", reason: RejectedBadAmount},
		"two numbers":          {text: "12 EUR 34", reason: RejectedBadAmount},
		"another unit":         {text: "49 points", reason: RejectedBadAmount},
		"huge exponent":        {text: "1E999999", reason: RejectedBadAmount},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			amounts := &FileAmounts{}
			if test.mark != "" {
				amounts.Mark = &test.mark
			}
			cell := Cell{Presence: Given, Text: test.text, IsNumber: test.isNumber}
			for _, text := range test.observed {
				amounts.Observe(Cell{Presence: Given, Text: text})
			}
			amounts.Observe(cell)
			amount, reason := amounts.Parse(cell, test.currency)
			got := strings.TrimSpace(string(amount.Value) + " " + amount.Currency)
			if amount.IsRounded {
				got += " rounded"
			}
			if got != test.want || reason != test.reason {
				t.Errorf("got %q, %q, want %q, %q", got, reason, test.want, test.reason)
			}
		})
	}
}

func TestParseCurrency(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"EUR": "EUR", "eur": "EUR", " Eur\u00a0": "EUR", //nolint:gocritic // blanks are what is tried
		"€": "EUR", "zł": "PLN", "$": "", "": "", "US$": "USD", "kr": "",
	} {
		if got, isKnown := ParseCurrency(text); got != want || !isKnown {
			t.Errorf("%q: got %q, %t, want %q", text, got, isKnown, want)
		}
	}
	for _, text := range []string{"euro", "EU", "E1R", "£€"} {
		if got, isKnown := ParseCurrency(text); isKnown {
			t.Errorf("%q is taken for %q", text, got)
		}
	}
}

func FuzzFileAmounts(f *testing.F) {
	for _, text := range []string{
		"49.90", "1.234,50 EUR", "(1'234.50)", "49,- €", "₹ 1,23,456.78", "4.99E+01", "1e-400",
		"49.900000000000006", "-,5", "1.234", ".", "1,,2", "12-34",
	} {
		f.Add(text, "49,90", "EUR")
		f.Add("1,234", text, "")
	}
	decimal := regexp.MustCompile(`^-?[0-9]{1,14}(\.[0-9]{1,4})?$`)
	f.Fuzz(func(t *testing.T, text, evidence, code string) {
		amounts := &FileAmounts{}
		amounts.Observe(Cell{Presence: Given, Text: evidence})
		amount, reason := amounts.Parse(Cell{Presence: Given, Text: text}, code)
		if (reason == "") != decimal.MatchString(string(amount.Value)) {
			t.Fatalf("got %+v and the reason %q of %q", amount, reason, text)
		}
		if reason != "" {
			return
		}
		again, reason := amounts.Parse(
			Cell{Presence: Given, Text: string(amount.Value), IsNumber: true}, code,
		)
		if reason != "" || again.Value != amount.Value || again.IsRounded {
			t.Errorf("got %+v, %q again of %+v", again, reason, amount)
		}
	})
}
