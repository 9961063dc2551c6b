package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestRun runs the whole story once with a few rows, so that a change of the API or of a table cannot leave
// a measurement behind. What it took is nobody's concern here.
func TestRun(t *testing.T) {
	t.Parallel()
	o := &options{codes: 300, messages: 20, runs: 1, dir: t.TempDir(), profiles: t.TempDir(), asJSON: true}
	if err := o.check(); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := run(t.Context(), o, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Codes   int      `json:"codes"`
		Results []result `json:"results"`
	}
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatalf("%v: %s", err, &out)
	}
	if got.Codes != o.codes {
		t.Errorf("got %d codes, want %d", got.Codes, o.codes)
	}
	for _, r := range got.Results {
		// The heap may shrink while a database this small is opened.
		if r.Ours <= 0 && r.Unit != "B" {
			t.Errorf("got %+v, want more than 0", r)
		}
	}
	for _, want := range []string{
		"import 300 codes over HTTP", "import 20 recipients", "import 90 redemptions",
		"start with 300 codes", "start with 600 codes, 300 messages",
		"analyze + confirm 20 messages, codes by label", "analyze + confirm 20 messages, individual codes",
		"analyze + confirm 18 messages, limited", "send messages",
		"page of 100 codes", "  the same with totalCount", "  only redeemed", "  only assigned", "  only of one delivery",
		"code(value:)", "availability", "redemptionStats",
		"redeemCode, 1 caller", "redeemCode, 8 callers", "redeemCode, 64 callers",
	} {
		i := slices.IndexFunc(got.Results, func(r result) bool { return strings.HasPrefix(r.Name, want) })
		if i < 0 {
			t.Errorf("nothing is said about %q", want)
			continue
		}
		if got.Results[i].Raw == 0 {
			t.Errorf("got no raw SQL beside %q, want some", want)
		}
	}
	left, err := os.ReadDir(o.dir)
	if err != nil || len(left) > 0 {
		t.Errorf("got %v left behind (%v), want an empty folder", left, err)
	}
}

func TestOptionsCheck(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		options options
		want    string
	}{
		"the defaults":           {options{codes: 1_000_000, messages: 100_000, runs: 3}, ""},
		"too few codes":          {options{codes: 899_999, messages: 100_000, runs: 3}, "--codes=899999"},
		"more codes than fit":    {options{codes: maxCodes + 1, messages: 100, runs: 3}, "--codes=100000001"},
		"too few messages":       {options{codes: 1000, messages: 9, runs: 1}, "--messages=9"},
		"not run at all":         {options{codes: 1000, messages: 10, runs: 0}, "--runs=0"},
		"a negative run is none": {options{codes: 1000, messages: 10, runs: -1}, "--runs=-1"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := ""
			if err := c.options.check(); err != nil {
				got, _, _ = strings.Cut(err.Error(), ":")
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestPrintTable(t *testing.T) {
	t.Parallel()
	results := []result{
		newResult("import", "s", 1.5, 1, goal{mostRatio: 3}),
		newResult("page", "ms", 12.34, 123.4, goal{most: 10}),
		newResult("redeemed", "/s", 1234.5, 0, goal{}),
	}
	var got strings.Builder
	if err := printTable(&got, results); err != nil {
		t.Fatal(err)
	}
	const want = `measurement  ours     raw SQL  ratio  goal       
import       1.5 s    1 s      1.50   ≤ 3 × raw  ok
page         12.3 ms  123 ms   0.10   ≤ 10 ms    over
redeemed     1234/s   –        –      –          
`
	if got.String() != want {
		t.Errorf("got\n%s\nwant\n%s", got.String(), want)
	}
}
