package coupon_test

import (
	"strings"
	"testing"

	"couponql/coupon"
)

func TestSMSParts(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		text  string
		parts int
		wide  rune
	}{
		"empty":                           {"", 1, 0},
		"one part":                        {strings.Repeat("a", 160), 1, 0},
		"two parts":                       {strings.Repeat("a", 161), 2, 0},
		"two whole parts":                 {strings.Repeat("a", 306), 2, 0},
		"three parts":                     {strings.Repeat("a", 307), 3, 0},
		"two units":                       {strings.Repeat("€", 80), 1, 0},
		"two units in two parts":          {strings.Repeat("€", 81), 2, 0},
		"two units never lie in two":      {strings.Repeat("€", 153), 3, 0},
		"umlauts are in the alphabet":     {strings.Repeat("ü", 160), 1, 0},
		"one wide character":              {strings.Repeat("a", 69) + "ç", 1, 'ç'},
		"one wide character in two":       {strings.Repeat("a", 70) + "ç", 2, 'ç'},
		"a pair of surrogates":            {strings.Repeat("🎁", 35), 1, '🎁'},
		"pairs of surrogates":             {strings.Repeat("🎁", 36), 2, '🎁'},
		"a pair never lies in two parts":  {strings.Repeat("🎁", 67), 3, '🎁'},
		"a typographic apostrophe counts": {"It’s " + strings.Repeat("a", 100), 2, '’'},
	} {
		if parts, wide := coupon.SMSParts(test.text); parts != test.parts || wide != test.wide {
			t.Errorf("%s: %d parts, %q, want %d, %q", name, parts, wide, test.parts, test.wide)
		}
	}
}
