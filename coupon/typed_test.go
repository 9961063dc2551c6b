package coupon

import (
	"testing"
	"time"
	"unicode"

	"golang.org/x/text/cases"
)

// TestOneTableOfSigns tells that codes, amounts and dates agree on which hyphens and spaces are
// one, and on what nobody sees.
func TestOneTableOfSigns(t *testing.T) {
	t.Parallel()
	dates := &FileDates{Zone: time.UTC, Now: time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC)}
	amounts := &FileAmounts{}
	hyphens, spaces, unseen := 0, 0, 0
	for r := rune(0x80); r <= unicode.MaxRune; r++ {
		if r >= 0xD800 && r < 0xE000 {
			continue
		}
		var amount, date, code string
		switch sign := string(r); {
		case isHyphen(r):
			hyphens++
			amount, date, code = sign+"49.90", "2026"+sign+"11"+sign+"24", "A"+sign+"B"
		case unicode.IsSpace(r):
			spaces++
			amount, date, code = "49.90"+sign+"EUR", "2026-11-24"+sign+"10:15", "A"+sign+"B"
		case isIgnorable(r):
			unseen++
			amount, date, code = "49"+sign+".90", "2026-"+sign+"11-24", "A"+sign+"B"
		default:
			continue
		}
		if _, reason := amounts.Parse(Cell{Presence: Given, Text: amount}, ""); reason != "" {
			t.Errorf("%+q: the amount is %s", amount, reason)
		}
		if _, reason := dates.Parse(date); reason != "" {
			t.Errorf("%+q: the date is %s", date, reason)
		}
		if key := (CodeKeys{}).Key(code); key != "A-B" && key != "A B" && key != "AB" {
			t.Errorf("%+q: the key is %+q", code, key)
		}
	}
	if hyphens < 15 || spaces < 15 || unseen < 100 {
		t.Errorf("got %d hyphens, %d spaces and %d that nobody sees", hyphens, spaces, unseen)
	}
}

// TestFurtherFolds tells that the letters which are replaced one by one fold as Unicode's rule
// folds them in a value, and that these are all.
func TestFurtherFolds(t *testing.T) {
	t.Parallel()
	fold := cases.Fold()
	for r := rune(0x80); r <= unicode.MaxRune; r++ {
		if r >= 0xD800 && r < 0xE000 || isIgnorable(r) {
			continue
		}
		value := "a" + string(r) + "Z"
		if got, want := (CodeKeys{}).Key(value), (CodeKeys{}).Key(fold.String(value)); got != want {
			t.Fatalf("%+q: got the key %+q, want %+q", value, got, want)
		}
	}
}
