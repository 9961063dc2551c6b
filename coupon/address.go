package coupon

import (
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/nyaruka/phonenumbers"
	"golang.org/x/net/idna"
	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
	"golang.org/x/text/unicode/norm"
)

// Limits of an e-mail address in the form that is sent to, in bytes, after RFC 5321 4.5.3.1.
const (
	// MaxLocalPartLength is what stands before the @, with quotes.
	MaxLocalPartLength = 64
	// MaxEmailLength is a path of 256 without its angle brackets.
	MaxEmailLength = 254
)

// Limits of a phone number that no region explains, in digits.
const (
	minPhoneDigits = 5
	maxPhoneDigits = 17
)

// AddressRule names the rule of this file. Where it changes, forms that are stored are made anew.
const AddressRule = "1"

// CountryAttribute is the attribute with the country of a recipient, as CanonicalRegion reads it.
const CountryAttribute = "country"

// InvisiblePattern is a regular expression, in RE2 syntax, of what nobody sees or types: white
// space at both ends and Unicode's default-ignorable characters anywhere.
const InvisiblePattern = `^\s+|\s+$|[` + ignorables + `]`

// ignorables are Unicode's default-ignorable characters, as a class of a regular expression.
const ignorables = `\x{00AD}\x{034F}\x{061C}\x{115F}\x{1160}\x{17B4}\x{17B5}\x{180B}-\x{180F}` +
	`\x{200B}-\x{200F}\x{202A}-\x{202E}\x{2060}-\x{206F}\x{3164}\x{FE00}-\x{FE0F}\x{FEFF}\x{FFA0}` +
	`\x{FFF0}-\x{FFF8}\x{1BCA0}-\x{1BCA3}\x{1D173}-\x{1D17A}\x{E0000}-\x{E0FFF}`

// Address is where a message goes.
type Address struct {
	// Send is the form that a message is sent to. It is one for all spellings of an address, but
	// for the case of a mailbox's name.
	Send string
	// Key is the form to compare: two addresses with one key are one. It is Send, in lower case
	// unless case matters, as it does in a push token.
	Key string
}

// Canonical returns the address of a channel that a text means, or the reason why it cannot be one:
// a sentence that says what to do. Whether somebody is there only sending tells. region, such as
// DE, is where a phone number without a country's calling code is from; empty where nobody knows.
// Canonical of what it returns is the same.
func Canonical(channel Channel, text, region string) (address Address, reason string) {
	switch channel {
	case ChannelEmail:
		address.Send, reason = canonicalEmail(text)
	case ChannelSMS:
		address.Send, reason = canonicalPhone(text, region)
	case ChannelPush, ChannelDirectMail:
		if address.Send = visible(text); address.Send == "" {
			reason = "The address is empty: leave it out, or give one."
		}
	}
	address.Key = address.Send
	if channel == ChannelEmail || channel == ChannelDirectMail {
		address.Key = strings.ToLower(address.Send)
	}
	return address, reason
}

// CanonicalRegion returns a region such as DE, and reports whether there are phone numbers of it.
// Besides the code it knows the name of a country in the languages of files. An empty text is no
// region, which is fine.
func CanonicalRegion(text string) (region string, isKnown bool) {
	region = strings.ToUpper(CleanValue(text))
	if region == "" || phonenumbers.GetCountryCodeForRegion(region) != 0 {
		return region, true
	}
	if named := namedRegions()[strings.ToLower(region)]; named != "" {
		return named, true
	}
	return region, false
}

// namedRegions are the regions by their names in small letters, as Unicode's CLDR has them.
var namedRegions = sync.OnceValue(func() map[string]string {
	// As people write it: ISO 3166 keeps UK free for that.
	regions := map[string]string{"uk": "GB"}
	for _, tongue := range []language.Tag{
		language.English, language.German, language.French, language.Spanish, language.Italian,
		language.Portuguese,
		language.Dutch, language.Polish, language.Turkish,
	} {
		names := display.Regions(tongue)
		for code := range phonenumbers.GetSupportedRegions() {
			if region, err := language.ParseRegion(code); err == nil {
				regions[strings.ToLower(names.Name(region))] = code
			}
		}
	}
	return regions
})

// RegionOf returns the region that a recipient's phone number is read in: the recipient's own
// country, or the default where the recipient has none. A country that nobody knows is no region: a
// guess might make the number somebody else's.
func RegionOf(country, defaultRegion string) string {
	switch region, isKnown := CanonicalRegion(country); {
	case region == "":
		return defaultRegion
	case isKnown:
		return region
	}
	return ""
}

// NeedsRegion reports whether a phone number may mean another one in another region.
func NeedsRegion(phone string) bool { return !strings.HasPrefix(phone, "+") }

var (
	ignorable = regexp.MustCompile(`[` + ignorables + `]`)
	invisible = regexp.MustCompile(InvisiblePattern)
)

// visible returns a text without what nobody sees.
func visible(text string) string {
	if IsASCII(text) {
		return strings.Trim(text, " \t\r\n\v\f")
	}
	return strings.TrimSpace(invisible.ReplaceAllString(text, ""))
}

// narrow makes full-width characters of ASCII, which East Asian keyboards type, narrow.
func narrow(text string) string {
	const first, last, distance = '！', '～', '！' - '!'
	return strings.Map(func(r rune) rune {
		if r >= first && r <= last {
			return r - distance
		}
		return r
	}, text)
}

// canonicalEmail returns an address of e-mail as RFC 5321 writes it on the line: the domain in
// ASCII and lower case, the local part quoted where its dots need that.
func canonicalEmail(text string) (send, reason string) {
	if isPlainEmail(text) {
		return text, ""
	}
	if !utf8.ValidString(text) {
		return "", "The address is not UTF-8: save the file as UTF-8."
	}
	if !IsASCII(text) {
		text = narrow(norm.NFC.String(text))
	}
	// A domain keeps its joiners for now: in some scripts they tell two words apart.
	text = strings.TrimSpace(ignorable.ReplaceAllStringFunc(text, func(r string) string {
		if r == zeroWidthNonJoiner || r == zeroWidthJoiner {
			return r
		}
		return ""
	}))
	text, reason = bareEmail(text)
	if reason != "" {
		return "", reason
	}
	at := strings.LastIndexByte(text, '@')
	if at < 0 {
		return "", "The address has no @: give one such as anna@example.com."
	}
	local, reason := canonicalLocalPart(text[:at])
	if reason != "" {
		return "", reason
	}
	domain, reason := canonicalDomain(text[at+1:])
	if reason != "" {
		return "", reason
	}
	if send = local + "@" + domain; len(send) > MaxEmailLength {
		return "", fmt.Sprintf(
			"The address is longer than %d bytes, which mail servers do not take: shorten it.",
			MaxEmailLength,
		)
	}
	return send, ""
}

const (
	zeroWidthNonJoiner = "\u200C"
	zeroWidthJoiner    = "\u200D"
	maxLabelLength     = 63
)

// isPlainEmail reports whether a text is an address in canonical form that needs no second look.
// Nearly all are, so that it is quick.
func isPlainEmail(text string) bool {
	at := strings.IndexByte(text, '@')
	return at > 0 && len(text) <= MaxEmailLength && isPlainLocalPart(text[:at]) &&
		isPlainDomain(text[at+1:])
}

func isPlainLocalPart(local string) bool {
	if len(local) > MaxLocalPartLength || local[0] == '.' || local[len(local)-1] == '.' {
		return false
	}
	for i := range len(local) {
		if !isAtom(local[i]) && (local[i] != '.' || local[i-1] == '.') {
			return false
		}
	}
	return true
}

func isPlainDomain(domain string) bool {
	start := 0
	for i := range len(domain) {
		switch c := domain[i]; {
		case c == '.':
			if !isPlainLabel(domain[start:i]) {
				return false
			}
			start = i + 1
		case (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-':
			return false
		}
	}
	last := domain[start:]
	return start > 0 && isPlainLabel(last) && !isNumber(last)
}

// isPlainLabel looks at the hyphens of a label; one in the third place may begin an encoding, which
// has to be looked into.
func isPlainLabel(label string) bool {
	return label != "" && len(label) <= maxLabelLength && label[0] != '-' &&
		label[len(label)-1] != '-' && (len(label) < 3 || label[2] != '-')
}

// isAtom tells the characters of ASCII that a local part has without quotes, but for dots.
func isAtom(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
		c != 0 && strings.IndexByte("!#$%&'*+-/=?^_`{|}~", c) >= 0
}

func isNumber(text string) bool { return text != "" && strings.Trim(text, "0123456789") == "" }

// bareEmail takes off what stands around an address in links and in address books.
func bareEmail(text string) (bare, reason string) {
	const scheme = "mailto:"
	if len(text) >= len(scheme) && strings.EqualFold(text[:len(scheme)], scheme) {
		text, _, _ = strings.Cut(text[len(scheme):], "?")
	}
	if start := strings.LastIndexByte(text, '<'); start >= 0 && strings.HasSuffix(text, ">") {
		// What stands before it is a name, unless it ends one address and this is the next.
		if name := text[:start]; strings.ContainsAny(name, ",;<>") &&
			!strings.HasPrefix(name, `"`) {
			return "", severalEmails
		}
		return strings.TrimSpace(text[start+1 : len(text)-1]), ""
	}
	if strings.Count(text, "@") > 1 && strings.ContainsAny(text, ",; ") {
		return "", severalEmails
	}
	return text, ""
}

const severalEmails = "There is more than one address: a recipient has one; give the others to recipients of their own."

// withoutJoiners takes out what joins letters or keeps them apart, and nobody sees by itself.
var withoutJoiners = strings.NewReplacer(zeroWidthJoiner, "", zeroWidthNonJoiner, "")

// canonicalLocalPart returns what stands before the @. Dots where RFC 5321 wants none are allowed
// in quotes: mobile carriers gave such addresses to many people.
func canonicalLocalPart(local string) (canonical, reason string) {
	local = withoutJoiners.Replace(local)
	if len(local) > 1 && local[0] == '"' && local[len(local)-1] == '"' {
		local = unquotePairs(local[1 : len(local)-1])
	}
	if local == "" {
		return "", "Nothing stands before the @: give an address such as anna@example.com."
	}
	for _, r := range local {
		if r != '.' &&
			(r < utf8.RuneSelf && !isAtom(byte(r)) || r >= utf8.RuneSelf && !isMailRune(r)) {
			return "", fmt.Sprintf("%q cannot stand before the @: take it out.", r)
		}
	}
	if local[0] == '.' || local[len(local)-1] == '.' || strings.Contains(local, "..") {
		local = `"` + local + `"`
	}
	if len(local) > MaxLocalPartLength {
		return "", fmt.Sprintf("What stands before the @ is longer than %d bytes, which mail servers do not take: shorten it.", MaxLocalPartLength)
	}
	return local, ""
}

// unquotePairs takes off the backslashes of a quoted text.
func unquotePairs(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+1 < len(text) {
			i++
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

// isMailRune tells the characters beyond ASCII that may stand before the @.
func isMailRune(r rune) bool { return unicode.IsGraphic(r) && !unicode.IsSpace(r) }

// lookup makes domains as browsers do. Hyphens and lengths are looked at apart.
var lookup = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(true),
	idna.CheckHyphens(false), idna.CheckJoiners(true), idna.BidiRule(), idna.VerifyDNSLength(true))

// canonicalDomain returns a domain in ASCII and lower case, without a dot at its end.
func canonicalDomain(domain string) (canonical, reason string) {
	canonical, err := lookup.ToASCII(strings.TrimRight(domain, ".。．｡"))
	if err != nil {
		canonical, err = lookup.ToASCII(strings.TrimRight(withoutJoiners.Replace(domain), ".。．｡"))
	}
	switch {
	case domain == "":
		return "", "Nothing stands after the @: give an address such as anna@example.com."
	case err != nil:
		return "", "What stands after the @ is no domain: give one such as example.com."
	}
	labels := strings.Split(canonical, ".")
	for _, label := range labels {
		if label == "" || label[0] == '-' || label[len(label)-1] == '-' {
			return "", "What stands after the @ is no domain: give one such as example.com."
		}
	}
	if _, err := netip.ParseAddr(canonical); err == nil || isNumber(labels[len(labels)-1]) {
		return "", "An address on the internet stands after the @: give the name of a domain such as example.com."
	}
	if len(labels) == 1 {
		return "", "The domain after the @ has no dot: give one such as example.com."
	}
	return canonical, ""
}

// canonicalPhone returns a phone number in E.164 (+491701234567). Where neither the text nor a
// region says which country it is from, it returns the digits: whoever sends them may know.
func canonicalPhone(text, region string) (send, reason string) {
	digits := dialed(text)
	if isPlainPhone(digits) {
		return digits, ""
	}
	if !utf8.ValidString(text) {
		return "", "The number is not UTF-8: save the file as UTF-8."
	}
	text = visible(norm.NFKC.String(text))
	if spreadsheetNumber.MatchString(text) {
		return "", "A spreadsheet rounded the number and its last digits are lost: format the column as text and export it again."
	}
	if len(text) > maxPhoneText || !phoneText.MatchString(text) {
		return "", "It is no phone number: give one such as +491701234567, without letters or an extension."
	}
	text = strings.TrimPrefix(strings.ToLower(text), "tel:")
	if digits = dialed(text); strings.HasPrefix(digits, "00") && digits[2:] != "" &&
		digits[2] != '0' && (region == "" || isDialedAbroad(region)) {
		// The prefix that the International Telecommunication Union recommends.
		text = "+" + strings.TrimPrefix(digits, "00")
	}
	isInternational := strings.HasPrefix(digits, "+") || strings.HasPrefix(text, "+")
	if !isInternational && region == "" {
		if len(digits) < minPhoneDigits || len(digits) > maxPhoneDigits {
			return "", fmt.Sprintf("A phone number has %d to %d digits, not %d.", minPhoneDigits,
				maxPhoneDigits, len(digits))
		}
		return digits, ""
	}
	if isInternational {
		return internationalPhone(text)
	}
	return nationalPhone(text, digits, region)
}

// internationalPhone judges a number with a country's calling code.
func internationalPhone(text string) (send, reason string) {
	number, err := phonenumbers.Parse(text, "")
	switch {
	case err != nil:
		return "", "No country has numbers like it: give one such as +491701234567."
	case phonenumbers.IsPossibleNumberWithReason(number) != phonenumbers.IS_POSSIBLE:
		return "", "Numbers of its country have more or fewer digits: correct it."
	}
	return phonenumbers.Format(number, phonenumbers.E164), ""
}

// nationalPhone judges a number whose country is assumed, and more strictly therefore: it has to be
// in use.
func nationalPhone(text, digits, region string) (send, reason string) {
	number, err := phonenumbers.Parse(text, region)
	isNational := err == nil && phonenumbers.IsValidNumber(number)
	// Many databases leave the + out. Of two numbers that are meant, one that takes a text is more
	// likely.
	code := strconv.Itoa(phonenumbers.GetCountryCodeForRegion(region))
	if strings.HasPrefix(digits, code) &&
		(!isNational || phonenumbers.GetNumberType(number) == phonenumbers.FIXED_LINE) {
		other, err := phonenumbers.Parse("+"+digits, "")
		if err == nil && phonenumbers.IsValidNumber(other) &&
			(!isNational || phonenumbers.GetNumberType(other) == phonenumbers.MOBILE) {
			number, isNational = other, true
		}
	}
	if !isNational {
		return "", fmt.Sprintf(
			"It is no complete number of %s: give it with + and the country's calling code.",
			region,
		)
	}
	return phonenumbers.Format(number, phonenumbers.E164), ""
}

// isDialedAbroad reports whether 00 begins an international number in a region, as it does nearly
// everywhere.
func isDialedAbroad(region string) bool {
	const sample = "0041446681800" // a number of Zürich
	number, err := phonenumbers.Parse(sample, region)
	return err == nil && phonenumbers.Format(number, phonenumbers.E164) == "+"+sample[2:]
}

// maxPhoneText is the longest text that is looked at as a phone number, in bytes.
const maxPhoneText = 64

var (
	// phoneText is a number with the separators that people write: without letters, so without an
	// extension.
	phoneText = regexp.MustCompile(
		`^(?i:tel:)?[(]?\+?[0-9\p{Nd} ()\[\]./~‐-―−\x{00A0}ー－*-]*\p{Nd}[) ]*$`,
	)
	// spreadsheetNumber is what spreadsheets make of a long number.
	spreadsheetNumber = regexp.MustCompile(`^[0-9]+[.,]?[0-9]*[eE]\+?[0-9]+$`)
)

// dialed returns a + at the start and the digits of a phone number in ASCII, without usual
// separators. What has anything else comes back as it is.
func dialed(text string) string {
	isClean := true
	for i := range len(text) {
		c := text[i]
		if (c < '0' || c > '9') && (c != '+' || i > 0) {
			isClean = false
			break
		}
	}
	if isClean {
		return text
	}
	var b strings.Builder
	for i := range len(text) {
		switch c := text[i]; {
		case c >= '0' && c <= '9', c == '+' && b.Len() == 0:
			b.WriteByte(c)
		case strings.IndexByte(" ()-./", c) >= 0:
		default:
			return text
		}
	}
	return b.String()
}

// plan is what numbers of a country look like behind its calling code.
type plan struct {
	code     string
	min, max int
}

// plans are of the countries that most numbers are from and where nothing stands between the
// calling code and a number that begins with 1 to 9 (2 to 9 in North America). The library, which
// takes 15 µs a number, says the same of them.
var plans = []plan{
	{"1", 10, 10},
	{"30", 10, 10},
	{"31", 9, 9},
	{"32", 8, 9},
	{"33", 9, 9},
	{"34", 9, 9},
	{"351", 9, 9},
	{"353", 7, 9},
	{"358", 7, 10},
	{"36", 8, 9},
	{"380", 9, 9},
	{"39", 8, 11},
	{"41", 9, 9},
	{"420", 9, 9},
	{"43", 7, 13},
	{"44", 9, 10},
	{"45", 8, 8},
	{"46", 7, 10},
	{"47", 8, 8},
	{"48", 9, 9},
	{"49", 7, 13},
	{"81", 9, 10},
	{"90", 10, 10},
	{"91", 10, 10},
}

// isPlainPhone reports whether digits are a number in E.164 that needs no second look.
func isPlainPhone(digits string) bool {
	const shortest, longest = 8, 16
	if len(digits) < shortest || len(digits) > longest || digits[0] != '+' ||
		strings.IndexByte(digits[1:], '+') >= 0 {
		return false
	}
	for i := range plans {
		plan := &plans[i]
		if !strings.HasPrefix(digits[1:], plan.code) {
			continue
		}
		number := digits[1+len(plan.code):]
		return len(number) >= plan.min && len(number) <= plan.max && number[0] > '0' &&
			(number[0] > '1' || plan.code != "1") && isNumber(number)
	}
	return false
}
