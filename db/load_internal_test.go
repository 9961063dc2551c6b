package db

import (
	"slices"
	"strconv"
	"strings"
	"testing"
)

// FuzzParseNumbers compares with numbers joined again.
func FuzzParseNumbers(f *testing.F) {
	for _, packed := range []string{
		"", "1", "1 2 3", "9223372036854775807", "1  2", " 1", "x", "1 -2", "99999999999999999999",
	} {
		f.Add(packed)
	}
	f.Fuzz(func(t *testing.T, packed string) {
		numbers, err := parseNumbers(packed)
		if err != nil {
			return
		}
		if (len(numbers) == 0) != (packed == "") {
			t.Errorf("parseNumbers(%q) = %v", packed, numbers)
		}
		texts := make([]string, len(numbers))
		for i, number := range numbers {
			texts[i] = strconv.FormatInt(number, 10)
		}
		again, err := parseNumbers(strings.Join(texts, " "))
		if err != nil || !slices.Equal(again, numbers) {
			t.Errorf("parseNumbers(%q) = %v, and joined again %v, %v", packed, numbers, again, err)
		}
	})
}
