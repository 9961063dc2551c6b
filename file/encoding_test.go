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
		"UTF-8":                   {content: []byte(text), want: "utf-8"},
		"UTF-8 BOM":               {content: []byte("\uFEFF" + text), want: "utf-8"},
		"UTF-8 BOM, denied":       {content: []byte("\uFEFF" + text), encoding: new("latin1"), want: "utf-8"},
		"UTF-8, named":            {content: []byte(text), encoding: new("UTF8"), want: "utf-8"},
		"UTF-16LE BOM":            {content: encoded(t, utf16le, "\uFEFF"+text), want: "utf-16le"},
		"UTF-16BE BOM":            {content: encoded(t, utf16be, "\uFEFF"+text), want: "utf-16be"},
		"UTF-16LE":                {content: encoded(t, utf16le, text), want: "utf-16le"},
		"UTF-16BE":                {content: encoded(t, utf16be, text), want: "utf-16be"},
		"UTF-16LE, named":         {content: encoded(t, utf16le, text), encoding: new("utf-16le"), want: "utf-16le"},
		"UTF-16, order not named": {content: encoded(t, utf16be, text), encoding: new("UTF-16"), want: "utf-16be"},
		"UTF-16, named, LE":       {content: encoded(t, utf16le, text), encoding: new("utf-16"), want: "utf-16le"},
		"Windows-1252":            {content: encoded(t, charmap.Windows1252, text), want: "windows-1252"},
		"Latin-1, named":          {content: encoded(t, charmap.Windows1252, text), encoding: new("Latin-1"), want: "windows-1252"},
		"ISO 8859-1, named":       {content: encoded(t, charmap.Windows1252, text), encoding: new("iso-8859-1"), want: "windows-1252"},
		"Windows-1252, named":     {content: encoded(t, charmap.Windows1252, text), encoding: new("windows-1252"), want: "windows-1252"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			layout, got := readAll(t, write(t, test.content), coupon.FileOptions{Encoding: test.encoding}, coupon.ImportCodes)
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
	layout, got := readAll(t, path, coupon.FileOptions{Encoding: new("shift_jis")}, coupon.ImportCodes)
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
	loneSurrogate := append(encoded(t, unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), "code\nA"), 0x00, 0xd8)
	loneSurrogate = append(loneSurrogate, encoded(t, unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), "\nB2\n")...)
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
			content: []byte("code,label\nÄ1,Fußball\nB\xff2,x\n"), want: []string{"2: Ä1|Fußball", "3: BAD_CHARACTER B\uFFFD2,x"},
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
			content: []byte("code,label\nA\x001,x\nB2,y\n"), options: coupon.FileOptions{Encoding: new("utf-8")},
			want: []string{"2: BAD_CHARACTER A 1,x", "3: B2|y"},
		},
		"half a UTF-16 character": {content: loneSurrogate, want: []string{"2: BAD_CHARACTER A\uFFFD", "3: B2"}},
		"odd number of bytes in UTF-16": {
			content: append(encoded(t, unicode.UTF16(unicode.BigEndian, unicode.UseBOM), "code\nA1\nB2"), 'x'),
			want:    []string{"2: A1", "3: BAD_CHARACTER B2\uFFFD"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, got := readAll(t, write(t, test.content), test.options, coupon.ImportCodes)
			if diff := cmp.Diff(test.want, got[max(0, len(got)-len(test.want)):]); diff != "" {
				t.Errorf("last rows (-want +got):\n%s", diff)
			}
			bad := slices.ContainsFunc(got[:len(got)-len(test.want)], func(row string) bool { return strings.Contains(row, ": BAD_") })
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
