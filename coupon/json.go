package coupon

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// MaxJSONBytes is the size of the largest JSON object that is kept (metadata, attributes).
const MaxJSONBytes = 64 << 10

// JSON is the text of a JSON object. It is kept as text from the request to the database and back.
type JSON string

// EmptyJSON is the object without members.
const EmptyJSON JSON = "{}"

// MarshalGQL writes the object into a GraphQL response.
func (j JSON) MarshalGQL(w io.Writer) {
	if j == "" {
		j = EmptyJSON
	}
	// The writer is the response's buffer, which does not fail.
	_, _ = io.WriteString(w, string(j))
}

// UnmarshalGQL takes a JSON object from a GraphQL request; anything else is an error.
func (j *JSON) UnmarshalGQL(value any) error {
	object, ok := value.(map[string]any)
	if !ok {
		return errors.New("must be a JSON object")
	}
	text, err := json.Marshal(object)
	if err != nil {
		return fmt.Errorf("encode JSON object: %w", err)
	}
	*j = JSON(text)
	return nil
}

// hasNUL tells whether a text in the object has the character NUL, which no file of text can carry.
func (j JSON) hasNUL() bool {
	for i := 0; i < len(j); i++ {
		switch {
		case j[i] != '\\':
		case strings.HasPrefix(string(j[i:]), `\u0000`):
			return true
		default:
			i++ // What is escaped is no escape.
		}
	}
	return false
}

// Text gives a member of the object as text: a string trimmed like a code, anything else as JSON, and ""
// for none or null.
func (j JSON) Text(name string) string {
	var members map[string]json.RawMessage
	if err := json.Unmarshal([]byte(j), &members); err != nil {
		return ""
	}
	var text string
	switch raw := members[name]; {
	case len(raw) == 0 || string(raw) == "null":
		return ""
	case json.Unmarshal(raw, &text) == nil:
		return CleanValue(text)
	default:
		return string(raw)
	}
}
