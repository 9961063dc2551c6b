package coupon

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSplitPartsCheck(t *testing.T) {
	t.Parallel()
	everybody := &RecipientFilter{}
	tests := map[string]struct {
		parts SplitParts
		want  []string
	}{
		"fine": {parts: SplitParts{
			{Label: " a ", Filter: everybody},
			{Label: "b", Count: new(1)},
			{Label: "c", Percent: new(33.34)},
			{Label: "d", Percent: new(66.67)},
			{Label: "e", Rest: true},
			{Label: "f", Filter: everybody, Percent: new(0.01)},
		}},
		"none": {want: []string{"input.parts INVALID: Give 1 to 100 parts, not 0."}},
		"labels": {
			parts: SplitParts{{Label: " ", Rest: true}, {Label: "a\x00", Count: new(1)}},
			want: []string{
				"input.parts.0.label INVALID: Name the part: it becomes a delivery.",
				"input.parts.1.label INVALID: " + RejectedBadCharacter.Message(),
			},
		},
		"numbers": {
			parts: SplitParts{{Label: "a", Count: new(0)}, {Label: "b", Percent: new(0.0)}, {
				Label: "c", Percent: new(101.0),
			}},
			want: []string{
				"input.parts.0.count INVALID: A part takes 1 target or more, not 0.",
				"input.parts.1.percent INVALID: A share is above 0 and up to 100 per cent, not 0.",
				"input.parts.2.percent INVALID: A share is above 0 and up to 100 per cent, not 101.",
				"input.parts INVALID: The shares make 101 per cent together; at most 100 can be given.",
			},
		},
		"unclear": {
			parts: SplitParts{
				{Label: "a"},
				{Label: "b", Count: new(1), Percent: new(1.0)},
				{Label: "c", Rest: true, Count: new(1)},
				{Label: "d", Rest: true},
			},
			want: []string{
				"input.parts.0.rest INVALID: Say whom the part takes: give a filter, a count, a share, or rest.",
				"input.parts.1.percent INVALID: Give a count or a share, not both.",
				"input.parts.2.rest INVALID: The rest is everyone whom no other part takes: it has no filter, count or share.",
				"input.parts INVALID: At most one part can take the rest, not 2.",
			},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, problemLines(t, test.parts.Check())); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSplitPartsLimits(t *testing.T) {
	t.Parallel()
	share := func(percent float64) *SplitPart { return &SplitPart{Percent: &percent} }
	tests := []struct {
		parts   SplitParts
		targets int
		want    []int
	}{
		{SplitParts{share(50), share(50)}, 101, []int{51, 50}},
		{SplitParts{share(33.33), share(33.33), share(33.34)}, 100, []int{33, 34, 33}},
		{SplitParts{share(33.34), share(33.34), share(33.34)}, 10, []int{3, 4, 3}},
		{SplitParts{share(10), {Rest: true}, {Count: new(7)}, share(0.1)}, 99, []int{10, -1, 7, 0}},
		{SplitParts{share(100)}, 0, []int{0}},
	}
	for _, test := range tests {
		if got := test.parts.Limits(test.targets); !slices.Equal(got, test.want) {
			t.Errorf("%d targets: got %v, want %v", test.targets, got, test.want)
		}
	}
}
