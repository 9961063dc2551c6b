package coupon

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
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

// hasNUL reports whether a text in the object has the character NUL, which no file of text can carry.
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

// Merge returns the object with the members of changes, and without those whose names are in removed, a list in JSON or "".
// Everything else stays as it is written. It gives how many members were removed.
func (j JSON) Merge(changes JSON, removed string) (merged JSON, removedCount int, err error) {
	var names []string
	if removed != "" {
		if err := json.Unmarshal([]byte(removed), &names); err != nil {
			return "", 0, fmt.Errorf("decode names: %w", err)
		}
	}
	first, err := j.members()
	if err != nil {
		return "", 0, err
	}
	more, err := changes.members()
	if err != nil {
		return "", 0, err
	}
	places := make(map[string]int, len(more))
	for i, m := range more {
		places[m.name] = i
	}
	members := make([]jsonMember, 0, len(first)+len(more))
	for _, m := range first {
		place, isChanged := places[m.name]
		switch {
		case slices.Contains(names, m.name):
			removedCount++
		case isChanged:
			members = append(members, more[place])
			more[place].value = nil
		default:
			members = append(members, m)
		}
	}
	var b strings.Builder
	for _, m := range append(members, more...) {
		if m.value == nil {
			continue
		}
		name, err := json.Marshal(m.name)
		if err != nil {
			return "", 0, fmt.Errorf("encode a name: %w", err)
		}
		b.WriteString(",")
		b.Write(name)
		b.WriteString(":")
		b.Write(m.value)
	}
	return JSON("{" + strings.TrimPrefix(b.String(), ",") + "}"), removedCount, nil
}

// jsonMember is a member of an object, with its value as it is written.
type jsonMember struct {
	name  string
	value json.RawMessage
}

// members returns the members of an object in their order.
func (j JSON) members() (members []jsonMember, err error) {
	decoder := json.NewDecoder(strings.NewReader(string(j)))
	if _, err := decoder.Token(); err != nil {
		return nil, fmt.Errorf("decode JSON object: %w", err)
	}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return nil, fmt.Errorf("decode JSON object: %w", err)
		}
		var m jsonMember
		m.name, _ = name.(string)
		if err := decoder.Decode(&m.value); err != nil {
			return nil, fmt.Errorf("decode JSON object: %w", err)
		}
		members = append(members, m)
	}
	if _, err := decoder.Token(); err != nil {
		return nil, fmt.Errorf("decode JSON object: %w", err)
	}
	return members, nil
}

// Text returns a member of the object as text: a string trimmed like a code, anything else as JSON, and ""
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
