package contract

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/gatecert/gatecert/dialect"
)

// envelope is an error object as a dialect frames it, with every breach of the frame.
type envelope struct {
	// message, typ, param and code are the fields as they stood; nil when absent.
	message, typ, param, code any
	has                       map[string]bool
	// business is the code found, in place or in a place that is only tolerated.
	business string
	// tolerated names the place when it is only tolerated.
	tolerated string
	// firstKey and keys are those of the outermost object.
	firstKey string
	keys     int
	breaches []string
}

// decodeEnvelope reads one error body strictly. An err says that the body is not even an object; breaches then is empty.
func decodeEnvelope(spoken dialect.Dialect, body []byte) (envelope, error) {
	outer, order, err := decodeObject(body)
	if err != nil {
		return envelope{}, err
	}
	env := envelope{keys: len(order), has: map[string]bool{}}
	if len(order) > 0 {
		env.firstKey = order[0]
	}
	raw, ok := outer["error"]
	if !ok {
		return env, fmt.Errorf("an object without \"error\" (keys: %s)", strings.Join(order, ", "))
	}
	inner, innerOrder, err := decodeObject(raw)
	if err != nil {
		return env, fmt.Errorf("\"error\" is %w", err)
	}
	for _, k := range innerOrder {
		env.has[k] = true
	}
	field := func(name string) any {
		var v any
		if raw, ok := inner[name]; ok {
			_ = json.Unmarshal(raw, &v) // decodeObject has parsed it already
		}
		return v
	}
	env.message, env.typ, env.param, env.code = field("message"), field("type"), field("param"), field("code")
	switch spoken {
	case dialect.Anthropic:
		env.readAnthropic(outer)
	case dialect.Gemini:
		env.readGemini(field("status"), inner["details"])
	default:
		env.readOpenAI()
	}
	return env, nil
}

func (e *envelope) readOpenAI() {
	e.business, _ = e.code.(string)
}

// readAnthropic wants {"type":"error","error":{"type","message"}}; the code belongs in error.code, error.type is tolerated.
func (e *envelope) readAnthropic(outer map[string]json.RawMessage) {
	var kind string
	if raw, ok := outer["type"]; !ok || json.Unmarshal(raw, &kind) != nil || kind != "error" {
		e.breaches = append(e.breaches, `the outer "type" is not "error"`)
	}
	typ, ok := e.typ.(string)
	if !ok || typ == "" {
		e.breaches = append(e.breaches, `error.type is not a non-empty string`)
	}
	if code, ok := e.code.(string); ok && code != "" {
		e.business = code
	} else if IsCode(typ) {
		e.business, e.tolerated = typ, "error.type"
	}
}

// readGemini wants {"error":{"code":<int>,"message","status","details"}}; the code belongs in error.details[].reason or error.status.
func (e *envelope) readGemini(status any, details json.RawMessage) {
	if n, ok := e.code.(float64); !ok || n != float64(int(n)) {
		e.breaches = append(e.breaches, "error.code is not an integer")
	}
	word, ok := status.(string)
	if !ok || word == "" {
		e.breaches = append(e.breaches, "error.status is not a non-empty string")
	}
	var list []struct {
		Reason any `json:"reason"`
	}
	if len(details) > 0 && json.Unmarshal(details, &list) != nil {
		e.breaches = append(e.breaches, "error.details is not a list of objects")
	}
	for _, d := range list {
		if reason, ok := d.Reason.(string); ok && reason != "" {
			e.business = reason
			if IsCode(reason) {
				return
			}
		}
	}
	if IsCode(word) {
		e.business = word
		return
	}
	if code, ok := e.code.(string); ok && code != "" && !IsCode(e.business) {
		e.business, e.tolerated = code, "error.code"
	}
}

// errNotJSON is returned when a body does not parse as exactly one JSON value.
var errNotJSON = errors.New("not JSON")

// maxDepth bounds nesting: encoding/json itself allows 10,000 levels, no error object needs more than a handful.
const maxDepth = 64

// decodeObject parses exactly one JSON object and the order of its keys. A key that stands twice is an error: readers
// disagree on which one counts.
func decodeObject(body []byte) (map[string]json.RawMessage, []string, error) {
	trimmed := bytes.TrimSpace(body)
	if len(trimmed) == 0 {
		return nil, nil, errors.New("empty")
	}
	if !json.Valid(trimmed) {
		return nil, nil, fmt.Errorf("%w: %s", errNotJSON, excerpt(trimmed))
	}
	if trimmed[0] != '{' {
		return nil, nil, fmt.Errorf("%s, not an object", jsonKind(trimmed))
	}
	if depth(trimmed) > maxDepth {
		return nil, nil, fmt.Errorf("nested more than %d deep", maxDepth)
	}
	dec := json.NewDecoder(bytes.NewReader(trimmed))
	if _, err := dec.Token(); err != nil {
		return nil, nil, fmt.Errorf("%w: %w", errNotJSON, err)
	}
	object := map[string]json.RawMessage{}
	var order []string
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return nil, nil, fmt.Errorf("%w: %w", errNotJSON, err)
		}
		key, _ := token.(string)
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil && !errors.Is(err, io.EOF) {
			return nil, nil, fmt.Errorf("%w: %w", errNotJSON, err)
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

// excerptLen keeps findings to a line.
const excerptLen = 80

func excerpt(body []byte) string {
	if len(body) > excerptLen {
		return strconv.Quote(string(body[:excerptLen])) + "…"
	}
	return strconv.Quote(string(body))
}
