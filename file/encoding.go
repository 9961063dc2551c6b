package file

import (
	"bytes"
	"encoding/binary"
	"io"
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
	// certainty is how sure it is that this is the encoding.
	certainty coupon.Certainty
	// evidence is what the beginning of the text has, or all of it where that contradicts itself.
	evidence evidence
	// isOpen says that the beginning has nothing but ASCII, so that what comes later decides.
	isOpen bool
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
	return &charset{name: name, bomSize: bomSize, encoding: unicode.UTF16(order, unicode.IgnoreBOM), certainty: coupon.CertaintySure}
}

// detectCharset finds the encoding of a text by its beginning. A byte order mark is believed even
// against the name that was given: it is in the file. Without either, a NUL in every other byte is
// UTF-16, and what is not UTF-8 is Windows-1252, of which Latin-1 is a part. Where bytes contradict UTF-8, rest is asked
// for what the rest of the text has. It returns INVALID for an unknown name and
// FILE_UNREADABLE for UTF-32.
func detectCharset(sample []byte, isCut bool, name *string, rest func() (evidence, error)) (*charset, error) {
	switch {
	case bytes.HasPrefix(sample, []byte{0xff, 0xfe, 0, 0}), bytes.HasPrefix(sample, []byte{0, 0, 0xfe, 0xff}):
		return nil, coupon.Errorf(coupon.ErrorFileUnreadable, "The file is written in UTF-32. Save it as UTF-8 and import it again.")
	case bytes.HasPrefix(sample, []byte("\uFEFF")):
		return &charset{name: nameUTF8, bomSize: 3, certainty: coupon.CertaintySure}, nil
	case bytes.HasPrefix(sample, []byte{0xff, 0xfe}):
		return utf16(nameUTF16LE, 2), nil
	case bytes.HasPrefix(sample, []byte{0xfe, 0xff}):
		return utf16(nameUTF16BE, 2), nil
	case name != nil && *name != "":
		set, err := namedCharset(*name, sample)
		if err != nil {
			return nil, err
		}
		set.certainty = coupon.CertaintyGiven
		return set, nil
	}
	if found := guessUTF16(sample); found != "" {
		return utf16(found, 0), nil
	}
	e := gather(sample, isCut)
	if e.bad > 0 && isCut {
		more, err := rest()
		if err != nil {
			return nil, err
		}
		e.good, e.bad = e.good+more.good, e.bad+more.bad
	}
	set := e.charset()
	set.isOpen = e.good == 0 && e.bad == 0
	return set, nil
}

// charset returns the encoding that the evidence speaks for.
func (e evidence) charset() *charset {
	set := &charset{name: nameUTF8, certainty: coupon.CertaintySure, evidence: e}
	if e.bad > 0 {
		set.certainty = coupon.CertaintyGuessed
	}
	if !e.isUTF8() {
		set.name, set.encoding = nameWindows1252, charmap.Windows1252
	}
	return set
}

// decodeStart returns the beginning of a text in UTF-8.
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

// isSingleByte reports whether each byte is a character of its own.
func isSingleByte(c *charset) bool {
	_, is := c.encoding.(*charmap.Charmap)
	return is
}

// declared returns the charset of an XML text, which is the one that it declares, unless a byte order mark,
// the NULs of UTF-16 or sequences that only UTF-8 has say otherwise. It returns FILE_UNREADABLE for a declared one that is unknown.
func (c *charset) declared(sample []byte) (*charset, error) {
	isUTF16 := c.name == nameUTF16LE || c.name == nameUTF16BE
	found := declaration.FindSubmatch(sample[:min(len(sample), 1<<10)])
	if c.bomSize > 0 || isUTF16 || found == nil {
		return c, nil
	}
	name := string(found[1])
	if strings.HasPrefix(strings.ToLower(name), "utf-16") {
		// A text that can be read up to here without decoding is not what it declares.
		return &charset{name: nameUTF8, certainty: coupon.CertaintySure}, nil
	}
	set, err := namedCharset(name, sample)
	if err == nil {
		set.certainty = coupon.CertaintySure
	}
	if err == nil && c.name == nameUTF8 && c.evidence.good > 0 && set.encoding != nil && isSingleByte(set) {
		// Programs that write UTF-8 leave the declaration of a template as it is.
		return c, nil
	}
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

// evidence counts what speaks for UTF-8 and against it.
type evidence struct {
	// good is how many characters of several bytes there are, and bad how many bytes that belong to none.
	good, bad int
}

// minGoodShare: in other encodings the bytes of a character of UTF-8 come together by chance about once in a hundred times.
// A text in which they are as frequent as this is UTF-8, in which something else got in.
const minGoodShare = 4

func (e evidence) isUTF8() bool { return e.bad == 0 || minGoodShare*e.good >= e.bad }

// gather counts the evidence in a part of a text, which may be cut in the middle of a character.
func gather(text []byte, isCut bool) evidence {
	var e evidence
	for {
		i := firstHigh(text)
		if i < 0 {
			return e
		}
		text = text[i:]
		if isCut && !utf8.FullRune(text) {
			return e
		}
		r, size := utf8.DecodeRune(text)
		if r == utf8.RuneError && size == 1 {
			e.bad++
		} else {
			e.good++
		}
		text = text[size:]
	}
}

// firstHigh returns the position of the first byte that is not ASCII, or -1.
func firstHigh(text []byte) int {
	const high = 0x8080808080808080
	i := 0
	for ; i+8 <= len(text); i += 8 {
		if binary.LittleEndian.Uint64(text[i:])&high != 0 {
			break
		}
	}
	for ; i < len(text); i++ {
		if text[i] >= utf8.RuneSelf {
			return i
		}
	}
	return -1
}

// maxEvidenceBytes is how much of a file that contradicts itself is read to find its encoding.
const maxEvidenceBytes = 1 << 30

// gatherRest counts the evidence in a file behind its first bytes.
func gatherRest(path string, skip int64) (evidence, error) {
	var e evidence
	src, err := openSource(path)
	if err != nil {
		return e, err
	}
	defer func() { _ = src.close() }()
	if _, err := io.CopyN(io.Discard, src, skip); err != nil {
		return e, nil // the reading that follows tells it
	}
	buf := make([]byte, chunkBytes)
	kept := 0
	for read := 0; read < maxEvidenceBytes; {
		n, err := src.Read(buf[kept:])
		read += n
		text := buf[:kept+n]
		whole := wholeCharacters(text)
		more := gather(text[:whole], err != nil)
		e.good, e.bad = e.good+more.good, e.bad+more.bad
		kept = copy(buf, text[whole:])
		if err != nil { // Damage is told by the reading that follows.
			break
		}
	}
	return e, nil
}

// wholeCharacters returns how much of a text ends with a whole character.
func wholeCharacters(text []byte) int {
	for i := len(text) - 1; i >= max(0, len(text)-utf8.UTFMax); i-- {
		if utf8.RuneStart(text[i]) {
			if !utf8.FullRune(text[i:]) {
				return i
			}
			break
		}
	}
	return len(text)
}

// openText gives a text of which nothing but ASCII was seen. The first other bytes decide how it is encoded; what came
// before is the same in both encodings.
type openText struct {
	set    *charset
	source io.Reader
	// text is what follows the first byte that is not ASCII; nil until then.
	text io.Reader
}

// Read returns the decoded text.
func (o *openText) Read(p []byte) (int, error) {
	if o.text != nil {
		return o.text.Read(p)
	}
	n, err := o.source.Read(p)
	i := firstHigh(p[:n])
	if i < 0 {
		return n, err
	}
	ahead := append(make([]byte, 0, n-i+sampleBytes), p[i:n]...)
	rest := o.source
	for err == nil && len(ahead) < cap(ahead) {
		n, err = o.source.Read(ahead[len(ahead):cap(ahead)])
		ahead = ahead[:len(ahead)+n]
	}
	if err != nil {
		rest = failing(err)
	}
	found := gather(ahead, err == nil).charset()
	o.text = io.MultiReader(bytes.NewReader(ahead), rest)
	if found.encoding != nil {
		o.text = transform.NewReader(o.text, found.encoding.NewDecoder())
	}
	o.set.name, o.set.certainty, o.set.isOpen = found.name, found.certainty, false
	if i == 0 {
		return o.text.Read(p)
	}
	return i, nil
}

// text returns the decoded text of which a sample is in memory already. UTF-8 is as it is.
func (c *charset) text(sample []byte, rest io.Reader) io.Reader {
	text := io.MultiReader(bytes.NewReader(sample[c.bomSize:]), rest)
	switch {
	case c.isOpen:
		text = &openText{set: c, source: text}
	case c.encoding != nil:
		text = transform.NewReader(text, c.encoding.NewDecoder())
	}
	return &endTrimmer{source: text}
}

// repair reads what is no UTF-8 as Windows-1252.
func repair(text []byte) string {
	var b strings.Builder
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		if r == utf8.RuneError && size == 1 {
			r = charmap.Windows1252.DecodeByte(text[0])
		}
		b.WriteRune(r)
		text = text[size:]
	}
	return b.String()
}

// isGuess reports whether the letters of the text may be others.
func (c *charset) isGuess() bool {
	return c.name == nameWindows1252 && c.certainty == coupon.CertaintyGuessed
}
