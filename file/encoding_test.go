package file

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/unicode"

	"couponql/coupon"
)

func TestReadEncodings(t *testing.T) {
	t.Parallel()
	const text = "code,label\nA1,Fußball\nÄ2,Gewichtheben – schwer\n"
	utf16le := unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)
	utf16be := unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)
	tests := map[string]struct {
		content  []byte
		encoding *string
		want     string
	}{
		"UTF-8":     {content: []byte(text), want: "utf-8"},
		"UTF-8 BOM": {content: []byte("\uFEFF" + text), want: "utf-8"},
		"UTF-8 BOM, denied": {
			content: []byte("\uFEFF" + text), encoding: new("latin1"), want: "utf-8",
		},
		"UTF-8, named": {content: []byte(text), encoding: new("UTF8"), want: "utf-8"},
		"UTF-16LE BOM": {content: encoded(t, utf16le, "\uFEFF"+text), want: "utf-16le"},
		"UTF-16BE BOM": {content: encoded(t, utf16be, "\uFEFF"+text), want: "utf-16be"},
		"UTF-16LE":     {content: encoded(t, utf16le, text), want: "utf-16le"},
		"UTF-16BE":     {content: encoded(t, utf16be, text), want: "utf-16be"},
		"UTF-16LE, named": {
			content: encoded(t, utf16le, text), encoding: new("utf-16le"), want: "utf-16le",
		},
		"UTF-16, order not named": {
			content: encoded(t, utf16be, text), encoding: new("UTF-16"), want: "utf-16be",
		},
		"UTF-16, named, LE": {
			content: encoded(t, utf16le, text), encoding: new("utf-16"), want: "utf-16le",
		},
		"Windows-1252": {
			content: encoded(t, charmap.Windows1252, text), want: "windows-1252",
		},
		"Latin-1, named": {
			content: encoded(t, charmap.Windows1252, text), encoding: new("Latin-1"),
			want: "windows-1252",
		},
		"ISO 8859-1, named": {
			content: encoded(t, charmap.Windows1252, text), encoding: new("iso-8859-1"),
			want: "windows-1252",
		},
		"Windows-1252, named": {
			content: encoded(t, charmap.Windows1252, text), encoding: new("windows-1252"),
			want: "windows-1252",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			layout, got := readAll(t, write(t, test.content),
				coupon.FileOptions{Encoding: test.encoding}, coupon.ImportCodes)
			want := []string{"2: A1|Fußball", "3: Ä2|Gewichtheben – schwer"}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
			if layout.Encoding != test.want {
				t.Errorf("got encoding %q, want %q", layout.Encoding, test.want)
			}
		})
	}
}

func TestReadOtherNamedEncoding(t *testing.T) {
	t.Parallel()
	path := write(t, encoded(t, japanese.ShiftJIS, "code,label\nA1,サッカー\n"))
	layout, got := readAll(t, path, coupon.FileOptions{Encoding: new("shift_jis")},
		coupon.ImportCodes)
	if diff := cmp.Diff([]string{"2: A1|サッカー"}, got); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	if layout.Encoding != "shift_jis" {
		t.Errorf("got encoding %q", layout.Encoding)
	}
}

func TestBadCharacters(t *testing.T) {
	t.Parallel()
	far := strings.Repeat("CODE-12345678,soccer\n", 2<<20/21)
	first := 2 + strings.Count(far, "\n")
	loneSurrogate := append(
		encoded(t, unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), "code\nA"), 0x00, 0xd8,
	)
	loneSurrogate = append(loneSurrogate,
		encoded(t, unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), "\nB2\n")...)
	tests := map[string]struct {
		content []byte
		options coupon.FileOptions
		want    []string
	}{
		"bad byte far behind the sample": {
			content: []byte("code,label\n" + far + "B\xff2,x\nC\xe43,\"\xe4\"\nD4,ö\n"),
			want: []string{
				fmt.Sprintf("%d: BAD_CHARACTER B\uFFFD2,x", first),
				fmt.Sprintf("%d: BAD_CHARACTER C\uFFFD3,\"\uFFFD\"", first+1),
				fmt.Sprintf("%d: D4|ö", first+2),
			},
		},
		"sample ends within a character": {
			content: []byte("code\n" + strings.Repeat("éé\n", sampleBytes/5+1) + "B2\n"),
			want:    []string{fmt.Sprintf("%d: B2", 3+sampleBytes/5)},
		},
		"one bad byte among much UTF-8": {
			content: []byte("code,label\nÄ1,Fußball\nB\xff2,x\n"),
			want:    []string{"2: Ä1|Fußball", "3: BAD_CHARACTER B\uFFFD2,x"},
		},
		"NUL far behind the sample": {
			content: []byte("code,label\n" + far + "B\x002,x\n\"C\x003\",x\nD4,x\n"),
			want: []string{
				fmt.Sprintf("%d: BAD_CHARACTER B 2,x", first),
				fmt.Sprintf("%d: BAD_CHARACTER \"C 3\",x", first+1),
				fmt.Sprintf("%d: D4|x", first+2),
			},
		},
		"NUL in an encoding that was named": {
			content: []byte("code,label\nA\x001,x\nB2,y\n"),
			options: coupon.FileOptions{Encoding: new("utf-8")},
			want:    []string{"2: BAD_CHARACTER A 1,x", "3: B2|y"},
		},
		"half a UTF-16 character": {
			content: loneSurrogate, want: []string{"2: BAD_CHARACTER A\uFFFD", "3: B2"},
		},
		"odd number of bytes in UTF-16": {
			content: append(
				encoded(t, unicode.UTF16(unicode.BigEndian, unicode.UseBOM), "code\nA1\nB2"), 'x',
			),
			want: []string{"2: A1", "3: BAD_CHARACTER B2\uFFFD"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, got := readAll(t, write(t, test.content), test.options, coupon.ImportCodes)
			if diff := cmp.Diff(test.want, got[max(0, len(got)-len(test.want)):]); diff != "" {
				t.Errorf("last rows (-want +got):\n%s", diff)
			}
			bad := slices.ContainsFunc(got[:len(got)-len(test.want)],
				func(row string) bool { return strings.Contains(row, ": BAD_") })
			if bad {
				t.Error("a good row was rejected")
			}
		})
	}
}

func encoded(t testing.TB, set encoding.Encoding, text string) []byte {
	t.Helper()
	content, err := set.NewEncoder().Bytes([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func TestStrayBytes(t *testing.T) {
	t.Parallel()
	far := strings.Repeat("CODE-12345678,soccer\n", 2<<20/21)
	first := 2 + strings.Count(far, "\n")
	latin := string(encoded(t, charmap.Windows1252, strings.Repeat("Ä1,Fußball\n", 20)))
	at := func(line int, text string) string { return fmt.Sprintf("%d: %s", line, text) }
	tests := map[string]struct {
		content  string
		want     []string // the last rows
		encoding string
		isSure   bool
		warnings []string // kind, count and line
	}{
		"one stray byte, one letter": {
			content: "code,label\nA1,M\u00fcller\nB2,don\x92t\n",
			want:    []string{"2: A1|Müller", "3: BAD_CHARACTER B2,don\uFFFDt"}, encoding: "utf-8",
			warnings: []string{"BAD_ENCODING 1 3"},
		},
		"a stray byte first": {
			content: "code,label\nA1,don\x92t\nB2,M\u00fcller\n",
			want:    []string{"2: BAD_CHARACTER A1,don\uFFFDt", "3: B2|Müller"}, encoding: "utf-8",
			warnings: []string{"BAD_ENCODING 1 2"},
		},
		"a stray byte first, the letters behind the sample": {
			content: "code,label\nA1,don\x92t\n" + far + "B2,M\u00fcller\n",
			want:    []string{at(first+1, "B2|Müller")}, encoding: "utf-8",
			warnings: []string{"BAD_ENCODING 1 2"},
		},
		"files joined of both encodings": {
			content:  "code,label\nA1,M\u00fcller\nB2,J\u00e4ger\nC3,M\xfcller\nD4,J\xe4ger\n",
			encoding: "utf-8",
			want: []string{
				"2: A1|Müller", "3: B2|Jäger", "4: BAD_CHARACTER C3,M\uFFFDller",
				"5: BAD_CHARACTER D4,J\uFFFDger",
			},
			warnings: []string{"BAD_ENCODING 2 4"},
		},
		"Latin-1": {
			content:  "code,label\nA1,x\nB2,M\xfcller\n",
			want:     []string{"2: A1|x", "3: B2|Müller"},
			encoding: "windows-1252",
			warnings: []string{"GUESSED_ENCODING 1 3"},
		},
		"Latin-1 with one sequence by chance": {
			content: "code,label\n" + latin + "B2,\xc3\xbc\n",
			want:    []string{"21: Ä1|Fußball", "22: B2|Ã¼"}, encoding: "windows-1252",
			warnings: []string{"GUESSED_ENCODING 21 2"},
		},
		"Latin-1 behind the sample": {
			content: "code,label\n" + far + "A1,x\n" + latin,
			want:    []string{at(first+20, "Ä1|Fußball")}, encoding: "windows-1252",
			warnings: []string{fmt.Sprintf("GUESSED_ENCODING 20 %d", first+1)},
		},
		"UTF-8 behind the sample": {
			content: "code,label\n" + far + "Ä1,Fußball\n", want: []string{at(first, "Ä1|Fußball")},
			encoding: "utf-8", isSure: true,
		},
		"UTF-8 and a stray byte behind the sample": {
			content:  "code,label\n" + far + "Ä1,x\nB\x922,x\n",
			want:     []string{at(first, "Ä1|x"), at(first+1, "BAD_CHARACTER B\uFFFD2,x")},
			encoding: "utf-8",
			warnings: []string{fmt.Sprintf("BAD_ENCODING 1 %d", first+1)},
		},
		"nothing but ASCII": {
			content: "code,label\nA1,x\n", want: []string{"2: A1|x"}, encoding: "utf-8",
			isSure: true,
		},

		"JSONL": {
			content:  "{\"code\":\"A1\",\"label\":\"M\u00fcller\"}\n{\"code\":\"B\x92\"}\n",
			want:     []string{"1: A1|Müller", "2: BAD_CHARACTER {\"code\":\"B\uFFFD\"}"},
			encoding: "utf-8",
			warnings: []string{"BAD_ENCODING 1 2"},
		},
		"XML": {
			content:  "<c><v code=\"A1\" label=\"M\u00fcller\"/>\n<v code=\"B\x92\"/></c>",
			want:     []string{"1: A1|Müller", "2: BAD_CHARACTER <v code=\"B\uFFFD\"/>"},
			encoding: "utf-8",
			warnings: []string{"BAD_ENCODING 1 2"},
		},
		"XML that declares what it is not": {
			content:  "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><c><v code=\"A1\" label=\"M\u00fcller\"/></c>",
			want:     []string{"1: A1|Müller"},
			encoding: "utf-8", isSure: true,
		},
		"XML that declares what it is": {
			content:  "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><c><v code=\"A1\" label=\"M\xfcller\"/></c>",
			want:     []string{"1: A1|Müller"},
			encoding: "windows-1252", isSure: true,
		},
		"XML, Latin-1 behind the sample": {
			content: "<c>" + strings.Repeat(
				"<v code=\"CODE-12345678\"/>\n",
				2<<20/27,
			) + "<v code=\"M\xfcller\"/></c>",
			want:     []string{at(2<<20/27+1, "Müller")},
			encoding: "windows-1252",
			warnings: []string{fmt.Sprintf("GUESSED_ENCODING 1 %d", 2<<20/27+1)},
		},
	}
	for name, test := range tests {
		for _, isPacked := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, packed %t", name, isPacked), func(t *testing.T) {
				t.Parallel()
				content := []byte(test.content)
				if isPacked {
					content = gzipped(t, content)
				}
				layout, got := readAll(t, write(t, content), coupon.FileOptions{},
					coupon.ImportCodes)
				if diff := cmp.Diff(test.want, got[max(0, len(got)-len(test.want)):]); diff != "" {
					t.Errorf("last rows (-want +got):\n%s", diff)
				}
				if isSure := layout.EncodingCertainty == coupon.CertaintySure; layout.Encoding !=
					test.encoding || isSure != test.isSure {
					t.Errorf("got encoding %q, %s", layout.Encoding, layout.EncodingCertainty)
				}
				var warnings []string
				for _, w := range layout.Warnings {
					warnings = append(warnings, fmt.Sprintf("%s %d %d", w.Kind, w.Count, *w.Line))
				}
				if diff := cmp.Diff(test.warnings, warnings); diff != "" {
					t.Errorf("warnings (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// TestOddEncodingIsSaid reads the same bytes in the encoding that is given: then nothing is a
// guess.
func TestOddEncodingIsSaid(t *testing.T) {
	t.Parallel()
	path := write(t, encoded(t, charmap.Windows1250, "code,label\nA1,Łódź\n"))
	layout, got := readAll(t, path, coupon.FileOptions{Encoding: new("windows-1250")},
		coupon.ImportCodes)
	if diff := cmp.Diff([]string{"2: A1|Łódź"}, got); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	if layout.EncodingCertainty != coupon.CertaintyGiven || len(layout.Warnings) > 0 {
		t.Errorf("got %s, %v", layout.EncodingCertainty, warningsOf(&layout))
	}
}
