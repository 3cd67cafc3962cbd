package dialect

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// ErrNotJSON is returned if a body is not exactly one JSON value.
var ErrNotJSON = errors.New("not JSON")

// maxDepth bounds nesting: encoding/json itself allows 10,000 levels, no error object needs more than a handful.
const maxDepth = 64

// DecodeObject parses exactly one JSON object and records the order of its keys. It is stricter than encoding/json: text that is not UTF-8 and
// duplicate keys, at any depth, are errors, because parsers interpret them differently. An error states the position in the body. The returned values
// refer to parts of the body.
func DecodeObject(body []byte) (map[string]json.RawMessage, []string, error) {
	trimmed := bytes.TrimSpace(body)
	if len(trimmed) == 0 {
		return nil, nil, errors.New("empty")
	}
	if err := checkJSON(body, trimmed); err != nil {
		return nil, nil, err
	}
	w := walk{rest: trimmed}
	if trimmed[0] != '{' {
		if !w.value(0) {
			return nil, nil, errTooDeep
		}
		return nil, nil, fmt.Errorf("%s, not an object", jsonKind(trimmed))
	}
	object := map[string]json.RawMessage{}
	var order []string
	if !w.object(1, func(key string, value []byte) {
		object[key] = value
		order = append(order, key)
	}) {
		return nil, nil, errTooDeep
	}
	if w.twice != nil {
		return nil, nil, fmt.Errorf("an object with the duplicate key %q", *w.twice)
	}
	return object, order, nil
}

// checkJSON reports why trimmed, a part of body, is not one JSON value in UTF-8, and where.
func checkJSON(body, trimmed []byte) error {
	start := bytes.Index(body, trimmed)
	if bytes.HasPrefix(trimmed, []byte{0x1f, 0x8b}) {
		return fmt.Errorf("%w: compressed with gzip but without a Content-Encoding", ErrNotJSON)
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
	if json.Valid(trimmed) {
		return nil
	}
	var value json.RawMessage
	err := json.Unmarshal(trimmed, &value)
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("%w at byte %d (%s): %s", ErrNotJSON, start+int(syntax.Offset), reason(syntax), Excerpt(trimmed))
	}
	return fmt.Errorf("%w: %w", ErrNotJSON, err)
}

// reason is what is wrong, in the words of encoding/json, where those say it well.
func reason(err *json.SyntaxError) string {
	switch text := err.Error(); {
	case strings.HasSuffix(text, "after top-level value"):
		return "more data after the value"
	case strings.HasPrefix(text, "unexpected end"):
		return "cut off"
	default:
		return text
	}
}

// walk goes once through JSON that is known to be valid, and finds what encoding/json lets pass.
type walk struct {
	rest []byte
	// twice is the first key that stands twice in one object.
	twice *string
}

var errTooDeep = fmt.Errorf("nested more than %d levels deep", maxDepth)

// value goes past the value that comes next. It reports whether it is nested no deeper than it may be.
func (w *walk) value(depth int) bool {
	switch w.next() {
	case '{':
		return w.object(depth+1, func(string, []byte) {})
	case '[':
		return w.list(depth + 1)
	case '"':
		w.text()
	default: // a number, true, false or null
		end := bytes.IndexAny(w.rest, ",]} \t\r\n")
		if end < 0 {
			end = len(w.rest)
		}
		w.rest = w.rest[end:]
	}
	return true
}

// next is the byte after the blanks that come next.
func (w *walk) next() byte {
	w.rest = bytes.TrimLeft(w.rest, " \t\r\n")
	return w.rest[0]
}

// text goes past a string and returns it, with its quotes.
func (w *walk) text() []byte {
	end := 1
	for w.rest[end] != '"' {
		if w.rest[end] == '\\' {
			end++
		}
		end++
	}
	text := w.rest[:end+1]
	w.rest = w.rest[end+1:]
	return text
}

func (w *walk) list(depth int) bool {
	for w.rest = w.rest[1:]; w.next() != ']'; w.comma() {
		if depth > maxDepth || !w.value(depth) {
			return false
		}
	}
	w.rest = w.rest[1:]
	return depth <= maxDepth
}

// object goes past an object, and passes each of its members on.
func (w *walk) object(depth int, member func(key string, value []byte)) bool {
	keys := make(map[string]bool)
	for w.rest = w.rest[1:]; w.next() != '}'; w.comma() {
		var key string
		_ = json.Unmarshal(w.text(), &key) // valid, as all of it
		if keys[key] && w.twice == nil {
			w.twice = &key
		}
		keys[key] = true
		w.next() // the colon
		w.rest = w.rest[1:]
		w.next()
		value := w.rest
		if depth > maxDepth || !w.value(depth) {
			return false
		}
		member(key, value[:len(value)-len(w.rest):len(value)-len(w.rest)])
	}
	w.rest = w.rest[1:]
	return depth <= maxDepth
}

// comma goes past the comma before the next value, if there is one.
func (w *walk) comma() {
	if w.next() == ',' {
		w.rest = w.rest[1:]
	}
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

// ExcerptLength is the maximum number of bytes in an excerpt, so that a finding fits on one line.
const ExcerptLength = 80

// Excerpt returns the quoted beginning of a body.
func Excerpt(body []byte) string {
	if len(body) > ExcerptLength {
		return strconv.Quote(string(body[:ExcerptLength])) + "…"
	}
	return strconv.Quote(string(body))
}
