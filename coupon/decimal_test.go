package coupon

import (
	"fmt"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

func TestParseDecimal(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Decimal{
		"12.50":                "12.50",
		"0":                    "0.00",
		"-0.0":                 "0.00",
		"-3":                   "-3.00",
		"0049.90":              "49.90",
		"49.900000000":         "49.90",
		"-007":                 "-7.00",
		"000000000000000000.5": "0.50",
		"0.0001":               "0.0001",
		"99999999999999.9999":  "99999999999999.9999",
		"-99999999999999.9999": "-99999999999999.9999",
	} {
		if got, err := ParseDecimal(text); err != nil || got != want {
			t.Errorf("got %q and the error %v for %q, want %q", got, err, text, want)
		}
	}
	for _, text := range []string{
		"", " ", "-", ".", "1.", ".5", "+1", "1,50", "1.000,50", "1e3", "0x1", "1.00001",
		"100000000000000", "1 000", "NaN", "Inf",
		"12.50 EUR", "--1", "1.2.3",
		"٣", "1\n2", "1.50\x00",
	} {
		got, err := ParseDecimal(text)
		if err == nil || got != "" {
			t.Errorf("got %q and the error %v for %q, want an error", got, err, text)
		}
	}
	if got, err := ParseDecimal(" 7.5\n"); err != nil || got != "7.50" {
		t.Errorf("got %q and the error %v, want 7.50", got, err)
	}
	_, err := ParseDecimal(" 1,50 ")
	want := `"1,50" is not a decimal number with at most 14 digits before and 4 after the point, such as 12.50`
	if err == nil || err.Error() != want {
		t.Errorf("got the error %v, want %s", err, want)
	}
}

func TestNewDecimal(t *testing.T) {
	t.Parallel()
	for fixed, want := range map[string]Decimal{
		"12.5000": "12.50", "12.0000": "12.00", "12": "12.00", "12.3": "12.30", "0.0001": "0.0001",
		"-0.5000":   "-0.50",
		"1200.0000": "1200.00", "-0.0000": "0.00", "007": "7.00",
		"12.3450": "12.345", "99999999999999.9999": "99999999999999.9999",
	} {
		if got := NewDecimal(fixed); got != want {
			t.Errorf("got %q for %q, want %q", got, fixed, want)
		}
	}
}

func TestNewDecimalKeepsTheNumber(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		const scale = 10_000
		units := rapid.Int64Range(0, 999_999_999_999_999_999).Draw(t, "ten-thousandths")
		fixed := fmt.Sprintf("%s%d.%04d", rapid.SampledFrom([]string{"", "-"}).Draw(t, "sign"),
			units/scale, units%scale)
		got, err := ParseDecimal(string(NewDecimal(fixed)))
		if err != nil {
			t.Fatalf("got %v for %s", err, fixed)
		}
		gotNumber, _ := new(big.Rat).SetString(string(got))
		wantNumber, _ := new(big.Rat).SetString(fixed)
		if gotNumber.Cmp(wantNumber) != 0 {
			t.Fatalf("got %s, want %s", got, fixed)
		}
	})
}
