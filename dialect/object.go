package dialect

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// ErrNotJSON is returned when a body does not parse as exactly one JSON value.
var ErrNotJSON = errors.New("not JSON")

// maxDepth bounds nesting: encoding/json itself allows 10,000 levels, no error object needs more than a handful.
const maxDepth = 64

// DecodeObject parses exactly one JSON object and the order of its keys. A key that stands twice is an error: readers
// disagree on which one counts.
func DecodeObject(body []byte) (map[string]json.RawMessage, []string, error) {
	trimmed := bytes.TrimSpace(body)
	if len(trimmed) == 0 {
		return nil, nil, errors.New("empty")
	}
	if !json.Valid(trimmed) {
		return nil, nil, fmt.Errorf("%w: %s", ErrNotJSON, Excerpt(trimmed))
	}
	if trimmed[0] != '{' {
		return nil, nil, fmt.Errorf("%s, not an object", jsonKind(trimmed))
	}
	if depth(trimmed) > maxDepth {
		return nil, nil, fmt.Errorf("nested more than %d deep", maxDepth)
	}
	dec := json.NewDecoder(bytes.NewReader(trimmed))
	if _, err := dec.Token(); err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrNotJSON, err)
	}
	object := map[string]json.RawMessage{}
	var order []string
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return nil, nil, fmt.Errorf("%w: %w", ErrNotJSON, err)
		}
		key, _ := token.(string)
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil && !errors.Is(err, io.EOF) {
			return nil, nil, fmt.Errorf("%w: %w", ErrNotJSON, err)
		}
		if _, twice := object[key]; twice {
			return nil, nil, fmt.Errorf("an object with the key %q twice", key)
		}
		object[key] = value
		order = append(order, key)
	}
	return object, order, nil
}

// depth counts the nesting of valid JSON without building it.
func depth(body []byte) int {
	level, deepest, inString, escaped := 0, 0, false, false
	for _, b := range body {
		switch {
		case escaped:
			escaped = false
		case inString:
			escaped, inString = b == '\\', b != '"'
		case b == '"':
			inString = true
		case b == '{', b == '[':
			level++
			deepest = max(deepest, level)
		case b == '}', b == ']':
			level--
		}
	}
	return deepest
}

func jsonKind(value []byte) string {
	switch value[0] {
	case '[':
		return "an array"
	case '"':
		return "a string"
	case 'n':
		return "null"
	case 't', 'f':
		return "a boolean"
	default:
		return "a number"
	}
}

// ExcerptLength is how many bytes an excerpt quotes: findings are a line long.
const ExcerptLength = 80

// Excerpt quotes the beginning of a body.
func Excerpt(body []byte) string {
	if len(body) > ExcerptLength {
		return strconv.Quote(string(body[:ExcerptLength])) + "…"
	}
	return strconv.Quote(string(body))
}
