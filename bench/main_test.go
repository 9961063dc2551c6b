package main

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestRun runs the whole story once with a few rows, so that a change of the API or of a table
// cannot leave a measurement behind. What it took is nobody's concern here.
func TestRun(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it measures everything once, which takes a minute")
	}
	o := &options{
		codes:         300,
		messages:      20,
		bulk:          minBulk,
		audience:      minAudience,
		tills:         minTills,
		beside:        minBeside,
		analysts:      minAnalysts,
		subscriptions: 50,
		runs:          1,
		dir:           t.TempDir(),
		profiles:      t.TempDir(),
		asJSON:        true,
	}
	if _, err := findPostgres(); err == nil {
		o.peers = true
		// Its user, who is not root, must get to its folder.
		if err := os.Chmod(filepath.Dir(o.dir), 0o711); err != nil {
			t.Fatal(err)
		}
	}
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
		"status counts of a coupon, 2,000 codes", "redemptions by day and channel, 2,000 codes",
		"  the same in Europe/Berlin",
		"quantiles of the time to redeem", "assigned, sent and redeemed by day", "funnel",
		"cohorts", "statistics of 100 deliveries",
		"import 100 codes over HTTP where as many are",
		"import 2,000 codes over HTTP where as many are",
		"  what a row costs", "export 3,940 codes",
		"import 300 codes over HTTP", "import 20 recipients", "import 90 redemptions",
		"start with 300 codes", "start with 600 codes, 300 messages",
		"analyze + confirm 20 messages, codes by label",
		"analyze + confirm 20 messages, individual codes",
		"analyze + confirm 18 messages, limited", "send messages",
		"page of 100 codes", "  the same with totalCount", "  only redeemed", "  only assigned",
		"  only of one delivery",
		"pages of 100 codes, 8 callers, beside the same JSON from memory",
		"code(value:)", "availability", "redemptionStats",
		"redeemCode, 1 caller", "redeemCode, 8 callers", "redeemCode, 64 callers",
	} {
		i := slices.IndexFunc(got.Results,
			func(r result) bool { return strings.HasPrefix(r.Name, want) })
		if i < 0 {
			t.Errorf("nothing is said about %q", want)
			continue
		}
		if got.Results[i].Raw == 0 {
			t.Errorf("got no raw SQL beside %q, want some", want)
		}
	}
	for _, want := range []string{
		"one code, with value, status and coupon, 64 at once",
		"one code, with delivery, recipient and redemptions, 8 at once",
		"a page of 100 codes, one of 20, 1 at once", "  processor a request",
		"start with 1,000 codes in one pool", "code(value) at the storage layer",
		"redeem at the storage layer, 64 at once",
		"redeemCode over HTTP, 64 at once", "redeemCodes over HTTP, 125 at once",
		"claim at the storage layer, 64 at once", "claimCode over HTTP, 64 at once",
		"claimCode over HTTP, people who have a code", "claimCode over HTTP, people who are new",
		"import of 500 codes while tills redeem",
		"add of 1,000 rows while", "replace of", "void of", "undo of", "recipients of",
		"known-recipients of", "targets of", "redemptions of", "one-code of",
		"analysis of 100 messages while", "confirmation of 100 messages while",
		"memory of a server with 50 idle subscriptions by WebSocket",
		"memory of a server with 50 idle subscriptions by Server-Sent Events",
		"analyze 100 messages, 500 codes", "  confirm them", "  render them and write them",
		"  what a message costs, in messages to 10",
	} {
		if !slices.ContainsFunc(got.Results,
			func(r result) bool { return strings.HasPrefix(r.Name, want) }) {
			t.Errorf("nothing is said about %q", want)
		}
	}
	if peers := slices.DeleteFunc(got.Results,
		func(r result) bool { return r.Peer == 0 }); o.peers && len(peers) != 20 {
		t.Errorf("got %d measurements beside PostgreSQL, want 20: %+v", len(peers), peers)
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
		"the defaults": {options{codes: 1_000_000, messages: 100_000, runs: 3}, ""},
		"too few codes": {
			options{codes: 899_999, messages: 100_000, runs: 3}, "--codes=899999",
		},
		"more codes than fit": {
			options{codes: maxCodes + 1, messages: 100, runs: 3}, "--codes=100000001",
		},
		"bulk": {
			options{codes: 1000, messages: 10, runs: 1, bulk: 5_000_000}, "",
		},
		"too little bulk": {
			options{codes: 1000, messages: 10, runs: 1, bulk: minBulk - 1}, "--bulk=1999",
		},
		"too few rows beside": {
			options{codes: 1000, messages: 10, runs: 1, beside: minBeside - 1}, "--beside=999",
		},
		"an unknown mode": {
			options{codes: 1000, messages: 10, runs: 1, beside: minBeside, modes: "add,x"},
			"--modes=add,x",
		},
		"too much bulk": {
			options{codes: 1000, messages: 10, runs: 1, bulk: maxCodes/2 + 1}, "--bulk=50000001",
		},
		"an audience": {
			options{codes: 1000, messages: 10, runs: 1, audience: 5_000_000, peers: true}, "",
		},
		"too small an audience": {
			options{codes: 1000, messages: 10, runs: 1, audience: 99}, "--audience=99",
		},
		"too large an audience": {
			options{codes: 1000, messages: 10, runs: 1, audience: maxCodes}, "--audience=100000000",
		},
		"too little for peers": {
			options{codes: 9000, messages: 3000, runs: 1, bulk: minBulk, peers: true}, "--peers",
		},
		"too few for analysts": {
			options{codes: 1000, messages: 10, runs: 1, analysts: minAnalysts - 1},
			"--analysts=1999",
		},
		"too little bulk beside": {
			options{codes: 1000, messages: 10, runs: 1, peers: true}, "--peers",
		},
		"peers of analysts":      {options{codes: 1000, messages: 10, runs: 1, analysts: minAnalysts, peers: true}, ""},
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
		newResult("sent", "/s", 1234.5, 0, goal{least: 2000}),
		newPeerResult("copy", "s", 2, 30, 10),
		newPeerResult("redeem", "/s", 100, 80, 2.5),
	}
	var got strings.Builder
	if err := printTable(&got, results); err != nil {
		t.Fatal(err)
	}
	const want = `measurement  ours     raw SQL  ratio  goal       
import       1.5 s    1 s      1.50   ≤ 3 × raw  ok
page         12.3 ms  123 ms   0.10   ≤ 10 ms    over
redeemed     1234/s   –        –      –          
sent         1234/s   –        –      ≥ 2000/s   under

measurement  ours   PostgreSQL  times as fast  goal     
copy         2 s    30 s        15.0           ≥ 10 ×   ok
redeem       100/s  80/s        1.2            ≥ 2.5 ×  under
`
	if got.String() != want {
		t.Errorf("got\n%s\nwant\n%s", got.String(), want)
	}
}

// TestWriteBulkFiles looks whether each row of the files is what the counts say of it.
func TestWriteBulkFiles(t *testing.T) {
	t.Parallel()
	const size = 2000
	file, err := writeBulkFiles(t.TempDir(), size, true)
	if err != nil {
		t.Fatal(err)
	}
	known := make(map[string]bool)
	for _, row := range rowsOf(t, file.first) {
		code, _, _ := strings.Cut(row, ",")
		known[code] = true
	}
	if len(known) != size {
		t.Errorf("got %d codes in the first file, want %d", len(known), size)
	}
	rejected := make(map[string]int)
	seen := make(map[string]bool)
	var good []string
	rows := rowsOf(t, file.path)
	for _, row := range rows {
		code, _, _ := strings.Cut(row, ",")
		switch {
		case code == "":
			rejected["EMPTY"]++
		case len(code) > 255:
			rejected["TOO_LONG"]++
		case strings.Contains(code, "\x01"):
			rejected["BAD_CHARACTER"]++
		case seen[code]:
			rejected["DUPLICATE_IN_FILE"]++
		case known[code]:
			rejected["ALREADY_EXISTS"]++
		default:
			seen[code] = true
			good = append(good, row)
		}
	}
	if len(rows) != size || len(good) != file.good || !maps.Equal(rejected, file.rejected) {
		t.Errorf("got %d rows, %d good ones and %v, want %d, %d and %v", len(rows), len(good),
			rejected, size, file.good, file.rejected)
	}
	if !slices.Equal(rowsOf(t, file.clean), good) {
		t.Error("got other rows in the clean file than the good ones")
	}
}

// rowsOf returns the rows of a file below its head.
func rowsOf(t *testing.T, path string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")[1:]
}

// TestDownload looks whether a file that is not what was asked for is noticed.
func TestDownload(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"/files/whole": "code,label\nA,x\nB,y\n", "/files/short": "code,label\nA,x\n",
		"/files/other": "code;label\nA;x\nB;y\n",
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, found := files[r.URL.Path]
		if !found || r.URL.Query().Get("key") != "1" {
			http.NotFound(w, r)
			return
		}
		_, _ = io.WriteString(w, text)
	}))
	defer server.Close()
	c := newClient(server.Listener.Addr().String(), "/graphql", "")
	defer c.close()
	for link, want := range map[string]string{
		"/files/whole?key=1":                        "",
		"https://coupons.example/files/whole?key=1": "",
		"/files/short?key=1":                        "2 lines instead of 3",
		"/files/other?key=1":                        "begins with",
		"/files/whole?key=2":                        "404",
	} {
		got := ""
		if err := c.download(t.Context(), link, "code,label", 2); err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, want) || (want == "") != (got == "") {
			t.Errorf("got %q for %s, want %q", got, link, want)
		}
	}
}
