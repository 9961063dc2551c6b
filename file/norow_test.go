package file

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"couponql/coupon"
)

func TestLinesThatAreNoRows(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		kind    coupon.ImportKind
		options coupon.FileOptions
		content string
		want    []string
	}{
		"joined files": {
			content: "code\nA1\ncode\nB2\n", want: []string{"2: A1", "3: NOT_A_ROW code", "4: B2"},
		},
		"joined, other case": {content: "Code;Label\nA1;x\ncode; LABEL \nB2;y\n", want: []string{
			"2: A1|x", "3: NOT_A_ROW code; LABEL ", "4: B2|y",
		}},
		"joined, quoted": {content: "code,label\nA1,x\n\"code\",\"label\"\n", want: []string{
			"2: A1|x", "3: NOT_A_ROW codelabel",
		}},
		"joined, unread column": {
			content: "code,foo,label\nA1,1,x\ncode,foo,label\n",
			want:    []string{"2: A1|x", "3: NOT_A_ROW code,foo,label"},
		},
		"joined, unknown header": {
			content: "Aktionskürzel\nA1\nAktionskürzel\nB2\n",
			want:    []string{"2: A1", "3: NOT_A_ROW Aktionskürzel", "4: B2"},
		},
		"another file's header": {
			content: "code,label\nA1,x\nGutscheincode,Gruppe\nB2,y\n",
			want:    []string{"2: A1|x", "3: NOT_A_ROW Gutscheincode,Gruppe", "4: B2|y"},
		},
		"another header, one column": {content: "code\nA1\nvoucher\nB2\n", want: []string{
			"2: A1", "3: NOT_A_ROW voucher", "4: B2",
		}},
		"a header further down": {content: "A1\nB2\nGutscheincode\nC3\n", want: []string{
			"1: A1", "2: B2", "3: NOT_A_ROW Gutscheincode", "4: C3",
		}},
		"a code that is a word": {
			content: "code\nSUN\nBON\nSKY\n", want: []string{"2: SUN", "3: BON", "4: SKY"},
		},
		"a code like half a header": {
			content: "code,label\ncode,x\nA1,label\n", want: []string{"2: code|x", "3: A1|label"},
		},
		"denied": {
			content: "code\nA1\ncode\n", options: coupon.FileOptions{HasHeader: new(false)},
			want: []string{"1: code", "2: A1", "3: code"},
		},

		"rulers": {
			content: "code\n-----\nA1\n=====\nB2\n*****\n",
			want: []string{
				"2: NOT_A_ROW -----", "3: A1", "4: NOT_A_ROW =====", "5: B2", "6: NOT_A_ROW *****",
			},
		},
		"rulers of columns": {
			content: "code|label\n----|-----\nA1|x\n----+-----\n",
			want:    []string{"2: NOT_A_ROW ----|-----", "3: A1|x", "4: NOT_A_ROW ----+-----"},
		},
		"a ruler, too wide": {
			content: "code\nA1\n---,---\n", want: []string{"2: A1", "3: NOT_A_ROW ---,---"},
		},
		"a table": {
			content: "+------+-------+\n| code | label |\n+------+-------+\n| A1   | x     |\n+------+-------+\n",
			want: []string{
				"1: NOT_A_ROW +------+-------+", "3: NOT_A_ROW +------+-------+", "4: A1|x",
				"5: NOT_A_ROW +------+-------+",
			},
		},
		"no rulers": {
			content: "code,label\nA-1,---\n--,x\n-=-=-,y\nB2,-----\n",
			want:    []string{"2: A-1|---", "3: --|x", "4: -=-=-|y", "5: B2|-----"},
		},
		"codes like rulers": {content: "code\n-----\n====\n----\nA1\n", want: []string{
			"2: -----", "3: ====", "4: ----", "5: A1",
		}},
		"codes alike, alone": {content: "-----\n====\n----\nA1\n", want: []string{
			"1: -----", "2: ====", "3: ----", "4: A1",
		}},

		"SQL Server": {
			content: "code\nA1\nB2\n\n(2 rows affected)\n\nCompletion time: 2026-11-24T10:15:00.1234567+01:00\n",
			want: []string{
				"2: A1", "3: B2", "5: NOT_A_ROW (2 rows affected)",
				"7: NOT_A_ROW Completion time: 2026-11-24T10:15:00.1234567+01:00",
			},
		},
		"Oracle": {
			content: "CODE\n----\nA1\nB2\n\n2 rows selected.\n\nElapsed: 00:00:00.01\n",
			want: []string{
				"2: NOT_A_ROW ----", "3: A1", "4: B2", "6: NOT_A_ROW 2 rows selected.",
				"8: NOT_A_ROW Elapsed: 00:00:00.01",
			},
		},
		"PostgreSQL": {
			content: "code|label\nA1|x\n(1 row)\nTime: 3.021 ms\n",
			want:    []string{"2: A1|x", "3: NOT_A_ROW (1 row)", "4: NOT_A_ROW Time: 3.021 ms"},
		},
		"MySQL": {
			content: "code\nA1\n1 row in set (0.01 sec)\nQuery OK, 0 rows affected (0.00 sec)\n",
			want: []string{
				"2: A1", "3: NOT_A_ROW 1 row in set (0.01 sec)",
				"4: NOT_A_ROW Query OK, 0 rows affected (0.00 sec)",
			},
		},
		"DB2": {content: "code\nA1\n  1,234 record(s) selected.\n", want: []string{
			"2: A1", "3: NOT_A_ROW   1,234 record(s) selected.",
		}},
		"DuckDB": {
			content: "code\nA1\nRun Time (s): real 0.001 user 0.000 sys 0.000\n",
			want: []string{
				"2: A1", "3: NOT_A_ROW Run Time (s): real 0.001 user 0.000 sys 0.000",
			},
		},
		"Hive": {
			content: "code,label\nA1,x\nTime taken: 0.5 seconds, Fetched: 3 row(s)\n",
			want:    []string{"2: A1|x", "3: NOT_A_ROW Time taken: 0.5 seconds, Fetched: 3 row(s)"},
		},
		"German": {
			content: "code\nA1\n(2 Zeilen)\n", want: []string{"2: A1", "3: NOT_A_ROW (2 Zeilen)"},
		},
		"without rows": {
			content: "code\nno rows selected\n", want: []string{"2: NOT_A_ROW no rows selected"},
		},
		"codes like footers": {
			content: "code\n2 rows\nTime: now\n(2 rows of seats)\nROW 5\n10 rows selected by hand\n(rows)\n(2)\n100 RECORDS\n",
			want: []string{
				"2: 2 rows", "3: Time: now", "4: (2 rows of seats)", "5: ROW 5",
				"6: 10 rows selected by hand", "7: (rows)", "8: (2)", "9: 100 RECORDS",
			},
		},
		"a footer with a label is a code": {
			content: "code,label\n(2 rows affected),x\n", want: []string{"2: (2 rows affected)|x"},
		},

		"JSONL": {
			content: "{\"code\":\"A1\",\"label\":\"x\"}\n{\"code\":\"code\",\"label\":\"label\"}\n{\"code\":\"-----\"}\n{\"code\":\"(2 rows affected)\"}\n",
			want: []string{
				"1: A1|x", "2: NOT_A_ROW codelabel", "3: NOT_A_ROW -----",
				"4: NOT_A_ROW (2 rows affected)",
			},
		},
		"JSONL, late": {
			content: "{\"code\":\"A1\"}\n{\"code\":\"code\",\"x\":\"x\"}\n{\"x\":\"x\"}\n",
			want:    []string{"1: A1", "2: NOT_A_ROW codex", "3: "},
		},
		"XML": {
			content: "<c><v><code>A1</code></v>\n<v><code>code</code></v>\n<v><code>=====</code></v>\n<v><code>2 rows selected.</code></v></c>",
			want: []string{
				"1: A1", "2: NOT_A_ROW code", "3: NOT_A_ROW =====", "4: NOT_A_ROW 2 rows selected.",
			},
		},
		"recipients": {
			kind:    coupon.ImportRecipients,
			content: "Kundennummer;Ort\n7;Ulm\nKundennummer;Ort\n-------;---\n(1 rows affected)\n8;Bonn\n",
			want: []string{
				"2: 7 Ort=Ulm", "3: NOT_A_ROW Kundennummer;Ort", "4: NOT_A_ROW -------;---",
				"5: NOT_A_ROW (1 rows affected)", "6: 8 Ort=Bonn",
			},
		},
		"redemptions": {
			kind:    coupon.ImportRedemptions,
			content: "code,redeemed on\nA1,2026-11-24\ncode,redeemed on\n(1 row)\n",
			want: []string{
				"2: A1|2026-11-24", "3: NOT_A_ROW code,redeemed on", "4: NOT_A_ROW (1 row)",
			},
		},
		"targets": {
			kind:    coupon.ImportTargets,
			content: "id\n7\nid\n-----\n(1 row)\n",
			want: []string{
				"2: 7", "3: NOT_A_ROW id", "4: NOT_A_ROW -----", "5: NOT_A_ROW (1 row)",
			},
		},
		"bounces": {
			kind:    coupon.ImportBounces,
			content: "email,type\na@example.com,hard\nemail,type\n(1 row)\n",
			want: []string{
				"2: a@example.com|-|hard", "3: NOT_A_ROW email,type", "4: NOT_A_ROW (1 row)",
			},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if test.kind == "" {
				test.kind = coupon.ImportCodes
			}
			_, got := readAll(t, write(t, []byte(test.content)), test.options, test.kind)
			// What the file lacks before its last field is of no interest here.
			for i := range got {
				got[i] = strings.ReplaceAll(strings.ReplaceAll(got[i], " -|", " "), "|-|", "|")
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParquetRowsThatAreNone(t *testing.T) {
	t.Parallel()
	type row struct {
		Code  string `parquet:"code"`
		Label string `parquet:"label,optional"`
	}
	content := parquetOf(t, []row{
		{"A1", "x"}, {"code", "label"}, {"-----", "-----"}, {"(2 rows affected)", ""}, {"B2", ""},
	})
	_, got := readAll(t, write(t, content), coupon.FileOptions{}, coupon.ImportCodes)
	want := []string{
		"1: A1|x", "2: NOT_A_ROW codelabel", "3: NOT_A_ROW ----------",
		"4: NOT_A_ROW (2 rows affected)", "5: B2",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

// TestLinesBeforeTheHeader has more lines that are no rows than are looked for before the header.
// No line is lost.
func TestLinesBeforeTheHeader(t *testing.T) {
	t.Parallel()
	var content bytes.Buffer
	for i := range maxBegun + 5 {
		fmt.Fprintf(&content, "(%d rows affected)\n", i)
	}
	content.WriteString("A1\nB2\n")
	r := open(t, write(t, content.Bytes()), coupon.FileOptions{HasHeader: new(false)},
		coupon.ImportCodes)
	lines := 0
	for {
		row, err := r.Next()
		if err != nil {
			break
		}
		if lines++; row.Line != lines {
			t.Errorf("got line %d, want %d", row.Line, lines)
		}
	}
	if want := maxBegun + 7; lines != want {
		t.Errorf("got %d lines, want %d", lines, want)
	}
}
