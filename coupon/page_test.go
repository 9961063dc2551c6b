package coupon

import (
	"encoding/base64"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestCursorRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := Cursor{Key: rapid.String().Draw(t, "key"), Number: rapid.Int64().Draw(t, "number")}
		got, err := ParseCursor(want.String())
		if err != nil || *got != want {
			t.Fatalf("got %v and the error %v, want %v", got, err, want)
		}
	})
}

func TestCursorRoundTripOfOddKeys(t *testing.T) {
	t.Parallel()
	for _, want := range []Cursor{
		{},
		{Number: 17},
		{Key: "a:b:", Number: math.MaxInt64},
		{Key: "5", Number: -5},
		{Key: "<ä\u2028&>\xff\x00", Number: math.MinInt64},
	} {
		got, err := ParseCursor(want.String())
		if err != nil || *got != want {
			t.Errorf("got %v and the error %v, want %v", got, err, want)
		}
	}
}

func TestParseCursorErrors(t *testing.T) {
	t.Parallel()
	encode := base64.RawURLEncoding.EncodeToString
	for name, text := range map[string]string{
		"empty":               "",
		"no base64":           "17!",
		"padded":              "MTo=",
		"no number":           encode([]byte(":")),
		"no colon":            encode([]byte("17")),
		"a sign":              encode([]byte("+17:")),
		"a superfluous zero":  encode([]byte("017:")),
		"minus zero":          encode([]byte("-0:")),
		"white space":         encode([]byte(" 17:")),
		"too large":           encode([]byte("9223372036854775808:")),
		"superfluous bits":    "MR",  // "1" is MQ; the last two bits of R are lost
		"bits beside a colon": "MTp", // "1:" is MTo
		"a line break inside": "MT\no",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := ParseCursor(text)
			problems, ok := AsUserErrors(err)
			if !ok || problems[0].Code != ErrorInvalid ||
				!cmp.Equal(problems[0].Field, []string{"after"}) {
				t.Errorf("got %v and the error %#v, want INVALID at after", got, err)
			}
		})
	}
	_, err := ParseCursor("17!")
	want := []string{`after INVALID: "17!" is not a cursor. Use endCursor or an edge's cursor of the page before.`}
	if diff := cmp.Diff(want, problemLines(t, err)); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

func TestNewPage(t *testing.T) {
	t.Parallel()
	cursor := Cursor{Key: "ski", Number: 3}
	tests := map[string]struct {
		first    *int
		after    *string
		want     Page
		problems []string
	}{
		"default": {want: Page{First: DefaultPageSize}},
		"none":    {first: new(0), want: Page{First: 0}},
		"largest": {first: new(MaxPageSize), want: Page{First: 500}},
		"too large": {first: new(MaxPageSize + 1), problems: []string{
			"first INVALID: `first` must be 0 to 500, not 501.",
		}},
		"negative": {
			first: new(-1), problems: []string{"first INVALID: `first` must be 0 to 500, not -1."},
		},
		"after": {
			first: new(5), after: new(cursor.String()), want: Page{First: 5, After: &cursor},
		},
		"bad after": {
			after:    new("x"),
			problems: []string{`after INVALID: "x" is not a cursor. Use endCursor or an edge's cursor of the page before.`},
		},
		"after, empty": {
			after:    new(""),
			problems: []string{`after INVALID: "" is not a cursor. Use endCursor or an edge's cursor of the page before.`},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := NewPage(test.first, test.after)
			if diff := cmp.Diff(test.problems, problemLines(t, err)); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("page (-want +got):\n%s", diff)
			}
		})
	}
}

func FuzzParseCursor(f *testing.F) {
	for _, text := range []string{
		"", "17!", Cursor{Number: 17}.String(), Cursor{Key: "a:b", Number: -1}.String(), "MTp",
		"MR", "MT\no",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		cursor, err := ParseCursor(text)
		switch {
		case err == nil && cursor.String() != text:
			t.Errorf("got a cursor that is %q for %q", cursor, text)
		case err != nil && cursor != nil:
			t.Errorf("got the cursor %q with the error %v", cursor, err)
		}
	})
}
