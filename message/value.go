package message

import (
	"bytes"
	"encoding/json"
	"html"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The values of templates are nil, bool, int, float64, string, []any and map[string]any, with int or
// float64 for the numbers of JSON; besides them markup, the literals blank and empty, and *loop.

// markup is text that is HTML already and is written as it is. Only captured text and what
// newline_to_br makes of a value become markup, and both escape what comes from outside.
type markup string

// plain returns a value as filters and comparisons see it: markup becomes the text that it shows.
func plain(value any) any {
	switch value := value.(type) {
	case markup:
		return html.UnescapeString(string(value))
	case blank, empty:
		return ""
	case *loop:
		return nil
	}
	return value
}

// toText returns a value as a filter's text: a list is its elements one after the other.
func toText(value any) string {
	switch value := plain(value).(type) {
	case nil:
		return ""
	case string:
		return value
	case bool:
		return strconv.FormatBool(value)
	case int:
		return strconv.Itoa(value)
	case float64:
		return formatFloat(value)
	case []any:
		var text strings.Builder
		for _, one := range value {
			text.WriteString(toText(one))
		}
		return text.String()
	default:
		return toJSON(value)
	}
}

// formatFloat writes a number without an exponent and without the noise of binary fractions.
func formatFloat(f float64) string {
	return strconv.FormatFloat(withoutNoise(f), 'f', -1, 64)
}

// withoutNoise rounds to 15 significant digits, so that 0.1 plus 0.2 is 0.3.
func withoutNoise(f float64) float64 {
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(f, 'g', 15, 64), 64)
	if err != nil {
		return f
	}
	return rounded
}

// toJSON writes a value as JSON, with the keys of objects in order.
func toJSON(value any) string {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false) // the output escapes
	if err := encoder.Encode(plain(value)); err != nil {
		return ""
	}
	return strings.TrimSuffix(text.String(), "\n")
}

// parseJSON reads a recipient's attributes. Whole numbers are int, and text where they do not fit:
// an account number must not lose digits.
func parseJSON(text string) (map[string]any, error) {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var object map[string]any
	if err := decoder.Decode(&object); err != nil {
		return nil, err
	}
	for name, value := range object {
		object[name] = withNumbers(value)
	}
	return object, nil
}

func withNumbers(value any) any {
	switch value := value.(type) {
	case json.Number:
		if n, err := strconv.Atoi(value.String()); err == nil {
			return n
		}
		if f, err := value.Float64(); err == nil && strings.ContainsAny(value.String(), ".eE") {
			return f
		}
		return value.String()
	case []any:
		for i, one := range value {
			value[i] = withNumbers(one)
		}
	case map[string]any:
		for name, one := range value {
			value[name] = withNumbers(one)
		}
	}
	return value
}

// toList returns a value as a list: an object as its values in the order of their names, nothing as no
// elements, anything else as the only one.
func toList(value any) []any {
	switch value := plain(value).(type) {
	case nil:
		return nil
	case []any:
		return value
	case map[string]any:
		list := make([]any, 0, len(value))
		for _, name := range sortedNames(value) {
			list = append(list, value[name])
		}
		return list
	default:
		return []any{value}
	}
}

func sortedNames(object map[string]any) []string {
	names := make([]string, 0, len(object))
	for name := range object {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// toNumber returns a value as a number, an int or a float64; ok is false where it is none.
func toNumber(value any) (number any, ok bool) {
	switch value := plain(value).(type) {
	case int, float64:
		return value, true
	case string:
		text := strings.TrimSpace(value)
		// Only what looks like a number: ParseFloat also knows "infinity" and hexadecimals.
		if text == "" || strings.Trim(text, "0123456789+-.eE") != "" {
			return 0, false
		}
		if n, err := strconv.Atoi(text); err == nil {
			return n, true
		}
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return 0, false
		}
		return f, true
	}
	return 0, false
}

// toFloat returns a value as a float64, and 0 where it is no number, as Liquid does.
func toFloat(value any) float64 {
	switch number, _ := toNumber(value); number := number.(type) {
	case int:
		return float64(number)
	case float64:
		return number
	}
	return 0
}

// toInt returns a value as an int, cutting a fraction off, and 0 where it is no number.
func toInt(value any) int {
	number, _ := toNumber(value)
	if n, ok := number.(int); ok {
		return n
	}
	f := toFloat(number)
	if math.Abs(f) > maxExact {
		return 0
	}
	return int(f)
}

// maxExact bounds the whole numbers that a float64 holds exactly.
const maxExact = 1 << 53

// isTrue tells what counts as true: everything but nil and false.
func isTrue(value any) bool {
	truth, isBool := value.(bool)
	return truth || value != nil && !isBool
}

// isEmpty tells the values that hold nothing.
func isEmpty(value any) bool {
	switch value := value.(type) {
	case string:
		return value == ""
	case []any:
		return len(value) == 0
	case map[string]any:
		return len(value) == 0
	}
	return false
}

// isBlank tells what a reader would not see.
func isBlank(value any) bool {
	if text, ok := value.(string); ok {
		return strings.TrimSpace(text) == ""
	}
	return !isTrue(value) || isEmpty(value)
}

// length is the number of characters, elements or members.
func length(value any) int {
	switch value := plain(value).(type) {
	case string:
		return utf8.RuneCountInString(value)
	case []any:
		return len(value)
	case map[string]any:
		return len(value)
	}
	return 0
}

// cost is the work of handling a value once, without what is in its elements.
func cost(value any) int {
	switch value := value.(type) {
	case string:
		return len(value)
	case markup:
		return len(value)
	case []any:
		return stepCost * len(value)
	case map[string]any:
		return stepCost * len(value)
	}
	return 0
}

// deepCost is the work of handling a value and everything in it.
func deepCost(value any) int {
	total := stepCost + cost(value)
	switch value := value.(type) {
	case []any:
		for _, one := range value {
			total += deepCost(one)
		}
	case map[string]any:
		for name, one := range value {
			total += len(name) + deepCost(one)
		}
	}
	return total
}
