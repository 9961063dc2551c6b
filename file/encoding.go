package file

import (
	"bytes"
	"regexp"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"couponql/coupon"
)

// charset is the encoding of a text.
type charset struct {
	// name is the encoding's name in the WHATWG standard.
	name string
	// bomSize is the length of the byte order mark at the beginning.
	bomSize int
	// encoding is nil for UTF-8, which needs no decoding.
	encoding encoding.Encoding
}

// The encodings that are detected.
const (
	nameUTF8        = "utf-8"
	nameUTF16LE     = "utf-16le"
	nameUTF16BE     = "utf-16be"
	nameWindows1252 = "windows-1252"
)

// utf16 makes the charset of UTF-16 in this order of bytes.
func utf16(name string, bomSize int) *charset {
	order := unicode.LittleEndian
	if name == nameUTF16BE {
		order = unicode.BigEndian
	}
	return &charset{name: name, bomSize: bomSize, encoding: unicode.UTF16(order, unicode.IgnoreBOM)}
}

// detectCharset finds the encoding of a text by its beginning. A byte order mark is believed even
// against the name that was given: it is in the file. Without either, a NUL in every other byte is
// UTF-16, and what is not UTF-8 is Windows-1252, of which Latin-1 is a part. One bad byte does not turn
// a text with many good UTF-8 sequences into Windows-1252. It returns INVALID for an unknown name and
// FILE_UNREADABLE for UTF-32.
func detectCharset(sample []byte, isCut bool, name *string) (*charset, error) {
	switch {
	case bytes.HasPrefix(sample, []byte{0xff, 0xfe, 0, 0}), bytes.HasPrefix(sample, []byte{0, 0, 0xfe, 0xff}):
		return nil, coupon.Errorf(coupon.ErrorFileUnreadable, "The file is written in UTF-32. Save it as UTF-8 and import it again.")
	case bytes.HasPrefix(sample, []byte("\uFEFF")):
		return &charset{name: nameUTF8, bomSize: 3}, nil
	case bytes.HasPrefix(sample, []byte{0xff, 0xfe}):
		return utf16(nameUTF16LE, 2), nil
	case bytes.HasPrefix(sample, []byte{0xfe, 0xff}):
		return utf16(nameUTF16BE, 2), nil
	case name != nil && *name != "":
		return namedCharset(*name, sample)
	}
	if found := guessUTF16(sample); found != "" {
		return utf16(found, 0), nil
	}
	if isUTF8(sample, isCut) {
		return &charset{name: nameUTF8}, nil
	}
	return &charset{name: nameWindows1252, encoding: charmap.Windows1252}, nil
}

// decodeStart gives the beginning of a text in UTF-8.
func (c *charset) decodeStart(sample []byte) []byte {
	start := sample[c.bomSize:min(len(sample), startBytes)]
	if c.encoding == nil {
		return start
	}
	// What is cut off in the middle of a character is of no interest here.
	decoded, _, _ := transform.Bytes(c.encoding.NewDecoder(), start)
	return decoded
}

// declaration finds the encoding that an XML declaration names.
var declaration = regexp.MustCompile(`^\s*<\?xml\s[^>]*?\sencoding\s*=\s*["']([^"'<>]*)["']`)

// declared gives the charset of an XML text, which is the one that it declares, unless a byte order mark
// or the NULs of UTF-16 say otherwise. It returns FILE_UNREADABLE for a declared one that is unknown.
func (c *charset) declared(sample []byte) (*charset, error) {
	isUTF16 := c.name == nameUTF16LE || c.name == nameUTF16BE
	found := declaration.FindSubmatch(sample[:min(len(sample), 1<<10)])
	if c.bomSize > 0 || isUTF16 || found == nil {
		return c, nil
	}
	name := string(found[1])
	if strings.HasPrefix(strings.ToLower(name), "utf-16") {
		// A text that can be read up to here without decoding is not what it declares.
		return &charset{name: nameUTF8}, nil
	}
	set, err := namedCharset(name, sample)
	if err != nil {
		return nil, coupon.Errorf(coupon.ErrorFileUnreadable,
			"The file declares an encoding that is not known. Save it as UTF-8.")
	}
	return set, nil
}

// namedCharset finds an encoding by its name.
func namedCharset(name string, sample []byte) (*charset, error) {
	lower := strings.ToLower(strings.TrimSpace(name))
	if lower == "utf-16" || lower == "utf16" {
		if guessUTF16(sample) == nameUTF16BE {
			return utf16(nameUTF16BE, 0), nil
		}
		return utf16(nameUTF16LE, 0), nil
	}
	found, err := htmlindex.Get(lower)
	if err != nil {
		// People write Latin-1, the standard latin1.
		found, err = htmlindex.Get(strings.ReplaceAll(lower, "-", ""))
	}
	var canonical string
	if err == nil {
		canonical, err = htmlindex.Name(found)
	}
	switch {
	case err != nil || canonical == "replacement":
		return nil, coupon.Errorf(coupon.ErrorInvalid,
			"The encoding %q is not known. Use for example utf-8, utf-16, iso-8859-1 or windows-1252.", excerpt(name, maxNameLength)).
			At("input", "options", "encoding")
	case canonical == nameUTF8:
		return &charset{name: nameUTF8}, nil
	case canonical == nameUTF16LE, canonical == nameUTF16BE:
		return utf16(canonical, 0), nil
	}
	return &charset{name: canonical, encoding: found}, nil
}

// guessUTF16 tells UTF-16 without a byte order mark: delimiters, digits, line ends and Latin letters
// have a NUL on one side, and nothing in a text has one on the other. It gives "" for anything else.
func guessUTF16(sample []byte) string {
	sample = sample[:min(len(sample), binaryBytes)]
	pairs := len(sample) / 2
	var nuls [2]int
	for i, c := range sample[:2*pairs] {
		if c == 0 {
			nuls[i%2]++
		}
	}
	switch {
	case nuls[0] == 0 && nuls[1] > pairs/4:
		return nameUTF16LE
	case nuls[1] == 0 && nuls[0] > pairs/4:
		return nameUTF16BE
	}
	return ""
}

// isUTF8 reports whether a sample, which may be cut in the middle of a character, has more good
// multi-byte sequences than bad bytes. In Windows-1252 good ones are next to impossible.
func isUTF8(sample []byte, isCut bool) bool {
	good, bad := 0, 0
	for len(sample) > 0 {
		if sample[0] < utf8.RuneSelf {
			sample = sample[1:]
			continue
		}
		if isCut && !utf8.FullRune(sample) {
			break
		}
		r, size := utf8.DecodeRune(sample)
		if r == utf8.RuneError && size == 1 {
			bad++
		} else {
			good++
		}
		sample = sample[size:]
	}
	return bad == 0 || good > bad
}
