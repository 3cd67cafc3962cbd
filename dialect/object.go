package dialect

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// ErrNotJSON is returned when a body does not parse as exactly one JSON value.
var ErrNotJSON = errors.New("not JSON")

// maxDepth bounds nesting: encoding/json itself allows 10,000 levels, no error object needs more than a handful.
const maxDepth = 64

// DecodeObject parses exactly one JSON object and the order of its keys. It is stricter than encoding/json: text that is
// not UTF-8 and a key that stands twice, at any depth, are errors, because readers disagree on what they mean. An error
// says where the body is wrong.
func DecodeObject(body []byte) (map[string]json.RawMessage, []string, error) {
	trimmed := bytes.TrimSpace(body)
	if len(trimmed) == 0 {
		return nil, nil, errors.New("empty")
	}
	if err := checkJSON(body, trimmed); err != nil {
		return nil, nil, err
	}
	if trimmed[0] != '{' {
		return nil, nil, fmt.Errorf("%s, not an object", jsonKind(trimmed))
	}
	if key, twice := repeatedKey(trimmed); twice {
		return nil, nil, fmt.Errorf("an object with the key %q twice", key)
	}
	dec := json.NewDecoder(bytes.NewReader(trimmed))
	_, _ = dec.Token() // {
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
		object[key] = value
		order = append(order, key)
	}
	return object, order, nil
}

// checkJSON reports why trimmed, a part of body, is not one JSON value in UTF-8 of a bounded depth, and where.
func checkJSON(body, trimmed []byte) error {
	start := bytes.Index(body, trimmed)
	if bytes.HasPrefix(trimmed, []byte{0x1f, 0x8b}) {
		return fmt.Errorf("%w: compressed (gzip), without a Content-Encoding", ErrNotJSON)
	}
	if !utf8.Valid(trimmed) {
		at := 0
		for at < len(trimmed) {
			r, size := utf8.DecodeRune(trimmed[at:])
			if r == utf8.RuneError && size <= 1 {
				break
			}
			at += size
		}
		return fmt.Errorf("%w: byte %d is not UTF-8: %s", ErrNotJSON, start+at+1, Excerpt(trimmed[max(at-20, 0):]))
	}
	var value json.RawMessage
	if err := json.Unmarshal(trimmed, &value); err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			return fmt.Errorf("%w at byte %d (%s): %s", ErrNotJSON, start+int(syntax.Offset), reason(syntax), Excerpt(trimmed))
		}
		return fmt.Errorf("%w: %w", ErrNotJSON, err)
	}
	if depth(trimmed) > maxDepth {
		return fmt.Errorf("nested more than %d deep", maxDepth)
	}
	return nil
}

// reason is what is wrong, in the words of encoding/json, where those say it well.
func reason(err *json.SyntaxError) string {
	switch text := err.Error(); {
	case strings.HasSuffix(text, "after top-level value"):
		return "more follows after the value"
	case strings.HasPrefix(text, "unexpected end"):
		return "cut off"
	default:
		return text
	}
}

// repeatedKey finds a key that stands twice in one object of valid JSON, at any depth.
func repeatedKey(value []byte) (key string, found bool) {
	type frame struct {
		keys  map[string]bool // nil in an array
		isKey bool            // the next string is a key
	}
	var frames []frame
	dec := json.NewDecoder(bytes.NewReader(value))
	dec.UseNumber() // a number that is too big for a float is still JSON
	for {
		token, err := dec.Token()
		if err != nil {
			return "", false
		}
		top := len(frames) - 1
		switch t := token.(type) {
		case json.Delim:
			switch t {
			case '{':
				frames = append(frames, frame{keys: map[string]bool{}, isKey: true})
				continue
			case '[':
				frames = append(frames, frame{})
				continue
			default:
				frames = frames[:top]
				top--
			}
		case string:
			if top >= 0 && frames[top].isKey {
				if frames[top].keys[t] {
					return t, true
				}
				frames[top].keys[t], frames[top].isKey = true, false
				continue
			}
		}
		if top >= 0 { // a value has ended
			frames[top].isKey = frames[top].keys != nil
		}
	}
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
