package coupon

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
)

func TestJSONText(t *testing.T) {
	t.Parallel()
	const object = JSON(`{"text":" Ski\u00e9 \ufeff","empty":"","blank":" ","zero":0,"number":1.50,
		"big":12345678901234567890,"yes":true,"none":null,
		"list":[1, "a"],"object":{"a": 1},
		"":"nameless","a.b":"dotted","Text":"upper","twice":1,"twice":2,"quoted":"null"}`)
	tests := map[string]string{
		"text": "Skié", "empty": "", "blank": "", "zero": "0", "number": "1.50",
		"big": "12345678901234567890", "yes": "true", "none": "",
		"list": `[1, "a"]`, "object": `{"a": 1}`, "": "nameless", "a.b": "dotted", "Text": "upper",
		"TEXT": "", "twice": "2",
		"quoted":  "null",
		"missing": "",
	}
	for name, want := range tests {
		if got := object.Text(name); got != want {
			t.Errorf("got %q for %q, want %q", got, name, want)
		}
	}
	for _, broken := range []JSON{"", "null", "[]", `"text"`, `{"text":`, `{"text":"a"} x`} {
		if got := broken.Text("text"); got != "" {
			t.Errorf("got %q of %q, want nothing", got, broken)
		}
	}
}

func TestJSONMerge(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		known, changes JSON
		removed        string
		want           JSON
		count          int
	}{
		"nothing": {known: "{}", changes: "{}", want: "{}"},
		"new":     {known: "{}", changes: `{"a":"1"}`, want: `{"a":"1"}`},
		"kept": {
			known:   `{"n":12.50, "big":12345678901234567890123, "l":[1.0, "x"]}`,
			changes: `{"a":"1"}`,
			want:    `{"n":12.50,"big":12345678901234567890123,"l":[1.0, "x"],"a":"1"}`,
		},
		"changed": {
			known: `{"a":1,"b":2}`, changes: `{"b":"y","a":"x"}`, want: `{"a":"x","b":"y"}`,
		},
		"removed": {
			known: `{"a":1,"b":2}`, changes: `{}`, removed: `["b","c"]`, want: `{"a":1}`, count: 1,
		},
		"null": {known: `{"a":null}`, changes: `{"b":"x"}`, want: `{"a":null,"b":"x"}`},
		"odd names": {
			known: `{"a\"b":1,"":2}`, changes: `{"\u00e4":"x"}`, removed: `[""]`,
			want: `{"a\"b":1,"ä":"x"}`, count: 1,
		},
	} {
		got, count, err := test.known.Merge(test.changes, test.removed)
		if err != nil || got != test.want || count != test.count {
			t.Errorf("%s: got %s, %d, %v, want %s, %d", name, got, count, err,
				test.want, test.count)
		}
	}
	for _, broken := range []JSON{"", "{", `{"a":`} {
		if _, _, err := broken.Merge("{}", ""); err == nil {
			t.Errorf("%q can be merged", broken)
		}
	}
}

func TestJSONUnmarshalGQL(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		value any
		want  JSON
		err   string
	}{
		"empty": {value: map[string]any{}, want: "{}"},
		"members": {
			value: map[string]any{"b": []any{1, nil}, "a": json.Number("1.50")},
			want:  `{"a":1.50,"b":[1,null]}`,
		},
		"list": {value: []any{1}, err: "must be a JSON object"},
		"text": {value: "{}", err: "must be a JSON object"},
		"null": {value: nil, err: "must be a JSON object"},
		"no number": {
			value: map[string]any{"a": math.NaN()},
			err:   "encode JSON object: json: unsupported value: NaN",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, gotErr := JSON(""), ""
			if err := got.UnmarshalGQL(test.value); err != nil {
				gotErr = err.Error()
			}
			if got != test.want || gotErr != test.err {
				t.Errorf("got %q and the error %q, want %q and %q", got, gotErr,
					test.want, test.err)
			}
		})
	}
}

func TestJSONMarshalGQL(t *testing.T) {
	t.Parallel()
	for object, want := range map[JSON]string{"": "{}", "{}": "{}", `{"a": 1}`: `{"a": 1}`} {
		var got strings.Builder
		object.MarshalGQL(&got)
		if got.String() != want {
			t.Errorf("got %q for %q, want %q", got.String(), object, want)
		}
	}
}
