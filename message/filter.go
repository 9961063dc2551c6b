package message

import (
	"errors"
	"fmt"
	"html"
	"maps"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	standard "github.com/osteele/liquid/filters"
)

// filter makes a value of a value.
type filter struct {
	// min and max are how many arguments it takes.
	min, max int
	apply    func(m *machine, input any, args []any) (any, error)
}

// arguments says how many arguments the filter takes.
func (f *filter) arguments() string {
	switch {
	case f.min < f.max:
		return fmt.Sprintf("%d to %d arguments", f.min, f.max)
	case f.max == 1:
		return "1 argument"
	case f.max == 0:
		return "no arguments"
	}
	return fmt.Sprintf("%d arguments", f.max)
}

// filters are all filters by name. It is never written again.
var filters = newFilters()

// filterNames lists the filters, for hints.
func filterNames() []string { return slices.Sorted(maps.Keys(filters)) }

// newFilters takes the filters that osteele/liquid gets right for all values, and our own for those
// that depend on the clock, cut characters in two, panic, write numbers as 1e+06, or have to know of
// HTML or of the work they are about to do.
func newFilters() map[string]*filter {
	library := registry{}
	standard.AddStandardFilters(library)
	all := map[string]*filter{
		"compact":       library.adapt("compact", 0, 0),
		"concat":        library.adapt("concat", 1, 1),
		"downcase":      library.adapt("downcase", 0, 0),
		"first":         library.adapt("first", 0, 0),
		"last":          library.adapt("last", 0, 0),
		"map":           library.adapt("map", 1, 1),
		"remove":        library.adapt("remove", 1, 1),
		"remove_first":  library.adapt("remove_first", 1, 1),
		"replace_first": library.adapt("replace_first", 2, 2),
		"reverse":       library.adapt("reverse", 0, 0),
		"sort":          library.adapt("sort", 0, 1),
		"sort_natural":  library.adapt("sort_natural", 0, 1),
		"split":         library.adapt("split", 1, 1),
		"upcase":        library.adapt("upcase", 0, 0),
		"url_decode":    library.adapt("url_decode", 0, 0),
		"url_encode":    library.adapt("url_encode", 0, 0),
		"date":          {0, 1, library.date},

		"abs":           {0, 0, number(math.Abs)},
		"append":        {1, 1, func(m *machine, input any, args []any) (any, error) { return m.join(input, args[0]), nil }},
		"capitalize":    {0, 0, text(capitalize)},
		"ceil":          {0, 0, number(math.Ceil)},
		"default":       {1, 1, orDefault},
		"divided_by":    {1, 1, divide},
		"escape":        {0, 0, escape},
		"escape_once":   {0, 0, escapeOnce},
		"floor":         {0, 0, number(math.Floor)},
		"join":          {0, 1, join},
		"json":          {0, 0, func(m *machine, input any, _ []any) (any, error) { return toJSON(input), m.spend(deepCost(input)) }},
		"lstrip":        {0, 0, spaces(func(s string) string { return strings.TrimLeftFunc(s, unicode.IsSpace) })},
		"minus":         {1, 1, arithmetic(func(a, b float64) float64 { return a - b })},
		"modulo":        {1, 1, modulo},
		"money":         {0, 1, money},
		"newline_to_br": {0, 0, breakLines},
		"plus":          {1, 1, arithmetic(func(a, b float64) float64 { return a + b })},
		"prepend":       {1, 1, func(m *machine, input any, args []any) (any, error) { return m.join(args[0], input), nil }},
		"replace":       {2, 2, replace},
		"round":         {0, 1, round},
		"rstrip":        {0, 0, spaces(func(s string) string { return strings.TrimRightFunc(s, unicode.IsSpace) })},
		"size":          {0, 0, func(_ *machine, input any, _ []any) (any, error) { return length(input), nil }},
		"slice":         {1, 2, slice},
		"strip":         {0, 0, spaces(strings.TrimSpace)},
		"strip_html":    {0, 0, stripHTML},
		"strip_newlines": {0, 0, spaces(func(s string) string {
			return strings.ReplaceAll(strings.ReplaceAll(s, "\r", ""), "\n", "")
		})},
		"times":         {1, 1, arithmetic(func(a, b float64) float64 { return a * b })},
		"truncate":      {0, 2, truncate},
		"truncatewords": {0, 2, truncateWords},
		"uniq":          {0, 0, unique},
	}
	return all
}

// registry collects the library's filters, which are functions of many types.
type registry map[string]any

// AddFilter keeps a filter of the library.
func (r registry) AddFilter(name string, fn any) { r[name] = fn }

// adapt makes a filter of a library function whose parameters are texts, lists and values. Arguments
// are converted here rather than by the library, whose conversion visits maps in random order.
func (r registry) adapt(name string, minArgs, maxArgs int) *filter {
	fn := reflect.ValueOf(r[name])
	return &filter{minArgs, maxArgs, func(_ *machine, input any, args []any) (result any, err error) {
		defer func() {
			// sort_natural panics on lists that are not of texts alone.
			if recover() != nil {
				result, err = nil, errors.New("cannot be used on this value")
			}
		}()
		in := make([]reflect.Value, fn.Type().NumIn())
		for i := range in {
			var value any
			if i == 0 {
				value = input
			} else if i <= len(args) {
				value = args[i-1]
			}
			in[i] = convert(value, fn.Type().In(i))
		}
		out := fn.Call(in)
		if len(out) > 1 && !out[1].IsNil() {
			return nil, fmt.Errorf("%v", out[1].Interface())
		}
		return fromLibrary(out[0].Interface()), nil
	}}
}

// convert makes an argument of the type that a library function wants: text, a list or any value.
func convert(value any, to reflect.Type) reflect.Value {
	switch to.Kind() {
	case reflect.String:
		return reflect.ValueOf(toText(value))
	case reflect.Slice:
		return reflect.ValueOf(toList(value))
	default:
		if value = plain(value); value == nil {
			return reflect.Zero(to)
		}
		return reflect.ValueOf(value)
	}
}

// fromLibrary makes one of our values of a library function's result.
func fromLibrary(result any) any {
	texts, ok := result.([]string)
	if !ok {
		return result
	}
	list := make([]any, len(texts))
	for i, text := range texts {
		list[i] = text
	}
	return list
}

// text makes a filter of a function of texts.
func text(fn func(string) string) func(*machine, any, []any) (any, error) {
	return func(_ *machine, input any, _ []any) (any, error) { return fn(toText(input)), nil }
}

// spaces makes a filter of a function that changes nothing but white space, which markup may lose.
func spaces(fn func(string) string) func(*machine, any, []any) (any, error) {
	return func(_ *machine, input any, _ []any) (any, error) {
		if captured, ok := input.(markup); ok {
			return markup(fn(string(captured))), nil
		}
		return fn(toText(input)), nil
	}
}

// join puts two values together. If one is markup, so is the result, and the other is escaped.
func (m *machine) join(left, right any) any {
	_, isLeft := left.(markup)
	_, isRight := right.(markup)
	if isLeft || isRight {
		return toMarkup(left) + toMarkup(right)
	}
	return toText(left) + toText(right)
}

func toMarkup(value any) markup {
	if captured, ok := value.(markup); ok {
		return captured
	}
	return markup(html.EscapeString(toText(value)))
}

// escape is left to the output in HTML, which escapes every value once. Captured markup becomes the
// text of itself, which is what escaping it asks for.
func escape(m *machine, input any, _ []any) (any, error) {
	if !m.part.isHTML {
		return html.EscapeString(toText(input)), nil
	}
	if captured, ok := input.(markup); ok {
		return string(captured), nil
	}
	return input, nil
}

func escapeOnce(m *machine, input any, _ []any) (any, error) {
	text := html.UnescapeString(toText(input))
	if !m.part.isHTML {
		text = html.EscapeString(text)
	}
	return text, nil
}

// breakLines is newline_to_br. In HTML its result is markup, made of an escaped value.
func breakLines(m *machine, input any, _ []any) (any, error) {
	if m.part.isHTML {
		return markup(strings.ReplaceAll(string(toMarkup(input)), "\n", "<br />\n")), nil
	}
	return strings.ReplaceAll(toText(input), "\n", "<br />\n"), nil
}

var elementPattern = regexp.MustCompile(`(?s)<script.*?</script>|<!--.*?-->|<style.*?</style>|<.*?>`)

func stripHTML(_ *machine, input any, _ []any) (any, error) {
	if captured, ok := input.(markup); ok {
		return html.UnescapeString(elementPattern.ReplaceAllString(string(captured), "")), nil
	}
	return elementPattern.ReplaceAllString(toText(input), ""), nil
}

func capitalize(s string) string {
	first, size := utf8.DecodeRuneInString(s)
	if size == 0 {
		return s
	}
	return string(unicode.ToUpper(first)) + s[size:]
}

func orDefault(_ *machine, input any, args []any) (any, error) {
	if value := plain(input); !isTrue(value) || isEmpty(value) {
		return args[0], nil
	}
	return input, nil
}

func join(_ *machine, input any, args []any) (any, error) {
	separator := " "
	if len(args) > 0 {
		separator = toText(args[0])
	}
	list := toList(input)
	texts := make([]string, 0, len(list))
	size := 0
	for _, one := range list {
		if one != nil {
			texts = append(texts, toText(one))
			size += len(separator) + len(texts[len(texts)-1])
		}
	}
	if size > MaxBodyBytes {
		return nil, errTooMuchWork
	}
	return strings.Join(texts, separator), nil
}

// replace looks at the size of its result before it makes it.
func replace(m *machine, input any, args []any) (any, error) {
	text, old, replacement := toText(input), toText(args[0]), toText(args[1])
	if err := m.spend(strings.Count(text, old) * len(replacement)); err != nil {
		return nil, err
	}
	return strings.ReplaceAll(text, old, replacement), nil
}

// optional returns an argument as a number, or a default.
func optional(args []any, i, otherwise int) int {
	if i < len(args) {
		return toInt(args[i])
	}
	return otherwise
}

// slice takes characters of a text or elements of a list, from a place that may count from the end.
func slice(_ *machine, input any, args []any) (any, error) {
	list, isList := plain(input).([]any)
	var runes []rune
	total := len(list)
	if !isList {
		runes = []rune(toText(input))
		total = len(runes)
	}
	start := toInt(args[0])
	if start < 0 {
		start += total
	}
	if start < 0 || start > total {
		start, total = 0, 0
	}
	end := start + min(max(optional(args, 1, 1), 0), total-start)
	if isList {
		return list[start:end:end], nil
	}
	return string(runes[start:end]), nil
}

// ellipsis returns the second argument of truncate and truncatewords.
func ellipsis(args []any) string {
	if len(args) > 1 {
		return toText(args[1])
	}
	return "..."
}

func truncate(_ *machine, input any, args []any) (any, error) {
	runes, end := []rune(toText(input)), ellipsis(args)
	limit := optional(args, 0, 50)
	if len(runes) <= limit {
		return string(runes), nil
	}
	return string(runes[:max(limit-utf8.RuneCountInString(end), 0)]) + end, nil
}

func truncateWords(_ *machine, input any, args []any) (any, error) {
	text := toText(input)
	words, limit := strings.Fields(text), max(optional(args, 0, 15), 1)
	if len(words) <= limit {
		return text, nil
	}
	return strings.Join(words[:limit], " ") + ellipsis(args), nil
}

// unique drops elements that an earlier one equals.
func unique(m *machine, input any, _ []any) (any, error) {
	list := toList(input)
	seen := make(map[string]bool, len(list))
	result := make([]any, 0, len(list))
	for _, one := range list {
		if err := m.spend(deepCost(one)); err != nil {
			return nil, err
		}
		key := toJSON(one)
		if !seen[key] {
			seen[key] = true
			result = append(result, one)
		}
	}
	return result, nil
}

// whole returns a float without a fraction as an int, if it is exact.
func whole(f float64) (any, error) {
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return nil, errors.New("the result is not a number")
	}
	if f == math.Trunc(f) && math.Abs(f) <= maxExact {
		return int(f), nil
	}
	return withoutNoise(f), nil
}

// number makes a filter of a function of one number.
func number(fn func(float64) float64) func(*machine, any, []any) (any, error) {
	return func(_ *machine, input any, _ []any) (any, error) { return whole(fn(toFloat(input))) }
}

// arithmetic makes a filter of a function of two numbers. Whole numbers stay whole; a result with a
// fraction of zero is written without it.
func arithmetic(fn func(a, b float64) float64) func(*machine, any, []any) (any, error) {
	return func(_ *machine, input any, args []any) (any, error) {
		return whole(fn(toFloat(input), toFloat(args[0])))
	}
}

var errDivision = errors.New("cannot divide by zero")

// divide returns a whole number, rounded down, when both numbers are whole, as Liquid does.
func divide(_ *machine, input any, args []any) (any, error) {
	divisor := toFloat(args[0])
	if divisor == 0 {
		return nil, errDivision
	}
	result := toFloat(input) / divisor
	if areWhole(input, args[0]) {
		result = math.Floor(result)
	}
	return whole(result)
}

func modulo(_ *machine, input any, args []any) (any, error) {
	a, b := toFloat(input), toFloat(args[0])
	if b == 0 {
		return nil, errDivision
	}
	return whole(a - b*math.Floor(a/b))
}

// areWhole reports whether no value is a number with a fraction.
func areWhole(values ...any) bool {
	for _, value := range values {
		number, _ := toNumber(value)
		if _, ok := number.(int); !ok {
			return false
		}
	}
	return true
}

// maxPlaces is how many decimal places round knows.
const maxPlaces = 15

func round(_ *machine, input any, args []any) (any, error) {
	scale := math.Pow10(min(max(optional(args, 0, 0), 0), maxPlaces))
	scaled := toFloat(input) * scale
	if math.IsInf(scaled, 0) {
		return whole(toFloat(input)) // too large to have decimal places
	}
	return whole(math.Round(withoutNoise(scaled)) / scale)
}

// money writes an amount with two decimal places and groups of three digits. An ISO code stands
// behind the amount, any other sign of a currency before it. What is no number is left alone.
func money(_ *machine, input any, args []any) (any, error) {
	amount, ok := toNumber(input)
	if !ok {
		return plain(input), nil
	}
	currency, places := "", 2
	if len(args) > 0 {
		currency = strings.TrimSpace(toText(args[0]))
	}
	switch currency {
	case "CLP", "ISK", "JPY", "KRW", "PYG", "UGX", "VND":
		places = 0
	}
	scale := math.Pow10(places)
	value := toFloat(amount)
	if scaled := withoutNoise(value * scale); !math.IsInf(scaled, 0) {
		value = math.Round(scaled) / scale
	}
	digits, fraction, _ := strings.Cut(strconv.FormatFloat(math.Abs(value), 'f', places, 64), ".")
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	if fraction != "" {
		digits += "." + fraction
	}
	switch {
	case isCurrencyCode(currency):
		digits += " " + currency
	default:
		digits = currency + digits
	}
	if value < 0 {
		digits = "-" + digits
	}
	return digits, nil
}

// isCurrencyCode tells three capital letters.
func isCurrencyCode(s string) bool {
	return len(s) == 3 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

// dateLayouts are the forms of dates that are understood; without an offset, UTC is meant.
var dateLayouts = []string{
	time.RFC3339, "2006-01-02", "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02 15:04:05 -0700",
	time.RFC1123Z, time.RFC1123, "2 January 2006", "2 Jan 2006", "January 2, 2006", "Jan 2, 2006",
}

// widePattern finds a directive of a date's format that would make very long text.
var widePattern = regexp.MustCompile(`%\D?\d{3}`)

// date writes a date in a form such as "%d.%m.%Y". The form is the library's work; reading is ours,
// since the library knows "now" and the time zone of the machine. What is no date is left alone.
func (r registry) date(m *machine, input any, args []any) (any, error) {
	write, ok := r["date"].(func(time.Time, func(string) string) (string, error))
	if !ok {
		return nil, errors.New("is not available")
	}
	at, ok := toTime(plain(input))
	if !ok {
		return plain(input), nil
	}
	form := "%a, %b %d, %y"
	if len(args) > 0 {
		form = toText(args[0])
	}
	if widePattern.MatchString(form) {
		return nil, errors.New("widths have at most two digits")
	}
	if err := m.spend(maxDirective * len(form)); err != nil {
		return nil, err
	}
	return write(at, func(string) string { return form })
}

// maxDirective bounds the text that one character of a date's format can make.
const maxDirective = 100

// toTime reads a date, or a number of seconds since 1970.
func toTime(value any) (at time.Time, ok bool) {
	switch value := value.(type) {
	case int:
		if value < -maxSeconds || value > maxSeconds {
			return time.Time{}, false
		}
		return time.Unix(int64(value), 0).UTC(), true
	case string:
		text := strings.TrimSpace(value)
		for _, layout := range dateLayouts {
			if at, err := time.Parse(layout, text); err == nil {
				return withFixedZone(at), true
			}
		}
	}
	return time.Time{}, false
}

// maxSeconds is the year 9999, in seconds since 1970.
const maxSeconds = 253_402_300_799

// withFixedZone forgets the machine's own time zone, which time.Parse takes where the offset fits.
func withFixedZone(at time.Time) time.Time {
	_, offset := at.Zone()
	if offset == 0 {
		return at.UTC()
	}
	return at.In(time.FixedZone("", offset))
}
