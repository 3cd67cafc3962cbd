package convert

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxDepth bounds the nesting of a body. A tool's JSON schema, the deepest thing people send, stays under 30.
const maxDepth = 64

// maxInteger bounds every integer of a request, so that sums over them cannot overflow.
const maxInteger = math.MaxInt32

// parse reads a whole body into a tree of map[string]any, []any, string, json.Number, bool and nil. Unlike
// encoding/json it refuses repeated names: two readers of the same body must not see two different requests.
func parse(body []byte) (any, error) {
	if !utf8.Valid(body) {
		return nil, errors.New("the body is not valid UTF-8")
	}
	// The decoder's Token is lenient about commas and blind to what follows; Valid is neither.
	if !json.Valid(body) {
		return nil, errors.New("the body is not valid JSON")
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	return parseValue(dec, 0)
}

func parseValue(dec *json.Decoder, depth int) (any, error) {
	token, err := dec.Token()
	if err != nil {
		return nil, errors.New("the body is not valid JSON")
	}
	open, nested := token.(json.Delim)
	if !nested {
		return token, nil
	}
	if depth == maxDepth {
		return nil, errors.New("the body is nested too deeply")
	}
	if open == '[' {
		list := []any{}
		for dec.More() {
			v, err := parseValue(dec, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err = dec.Token()
		return list, err
	}
	fields := map[string]any{}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return nil, errors.New("the body is not valid JSON")
		}
		key, _ := name.(string)
		if _, twice := fields[key]; twice {
			return nil, errors.New("the body contains a duplicate field")
		}
		if fields[key], err = parseValue(dec, depth+1); err != nil {
			return nil, err
		}
	}
	_, err = dec.Token()
	return fields, err
}

// object reads the fields of one JSON object. The first field that is not as it must be becomes the decoder's
// problem; reading goes on with zero values, so that callers need not look after each field.
type object struct {
	d      *decoder
	path   string
	fields map[string]any
}

// name is the full name of a field for people: "messages[0].role".
func (o object) name(key string) string {
	if o.path == "" {
		return key
	}
	return o.path + "." + key
}

// get returns a field that is present. A null counts as absent, as it does for the upstreams.
func (o object) get(key string) (any, bool) {
	v, ok := o.fields[key]
	if !ok && o.d.snakeToo {
		v = o.fields[snake(key)]
	}
	return v, v != nil
}

func (o object) has(key string) bool {
	_, ok := o.get(key)
	return ok
}

// snake turns a lowerCamel name into the proto field name, which Gemini accepts as well.
func snake(key string) string {
	var b strings.Builder
	for _, r := range key {
		if unicode.IsUpper(r) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

func (o object) need(key string) (any, bool) {
	v, ok := o.get(key)
	if !ok {
		o.d.refuse(o.name(key), "is required")
	}
	return v, ok
}

// read returns a field of type T; what names the type for people.
func read[T any](o object, key, what string) (value T, ok bool) {
	v, present := o.get(key)
	if !present {
		return value, false
	}
	if value, ok = v.(T); !ok {
		o.d.refuse(o.name(key), "must be "+what)
	}
	return value, ok
}

func (o object) text(key string) (string, bool) { return read[string](o, key, "a string") }

func (o object) flag(key string) bool {
	v, _ := read[bool](o, key, "a boolean")
	return v
}

func (o object) list(key string) ([]any, bool) { return read[[]any](o, key, "an array") }

func (o object) object(key string) (object, bool) {
	fields, ok := read[map[string]any](o, key, "an object")
	return object{d: o.d, path: o.name(key), fields: fields}, ok
}

// requiredText returns a string that must be there and not be empty.
func (o object) requiredText(key string) string {
	if _, ok := o.need(key); !ok {
		return ""
	}
	s, ok := o.text(key)
	if ok && s == "" {
		o.d.refuse(o.name(key), "must not be empty")
	}
	return s
}

// choice returns a string that must be one of the words, or "" when it is absent.
func (o object) choice(key string, words ...string) string {
	s, ok := o.text(key)
	if ok && !slices.Contains(words, s) {
		o.d.refuse(o.name(key), "must be one of "+strings.Join(words, ", "))
	}
	return s
}

func (o object) integer(key string, low, high int) *int {
	v, ok := read[json.Number](o, key, "an integer")
	if !ok {
		return nil
	}
	n, err := strconv.Atoi(v.String())
	if err != nil {
		o.d.refuse(o.name(key), "must be an integer")
		return nil
	}
	if n < low || n > high {
		o.d.refuse(o.name(key), fmt.Sprintf("must be between %d and %d", low, high))
		return nil
	}
	return &n
}

// number returns a number within low..high, nil when it is absent.
func (o object) number(key string, low, high float64) *float64 {
	v, ok := read[json.Number](o, key, "a number")
	if !ok {
		return nil
	}
	f, err := v.Float64()
	if err != nil || f < low || f > high {
		o.d.refuse(o.name(key), fmt.Sprintf("must be between %g and %g", low, high))
		return nil
	}
	return &f
}

// objects returns the members of an array of objects that must be there and not be empty.
func (o object) objects(key string) []object {
	if _, ok := o.need(key); !ok {
		return nil
	}
	list, ok := o.list(key)
	if ok && len(list) == 0 {
		o.d.refuse(o.name(key), "must not be empty")
	}
	members := make([]object, 0, len(list))
	for i, v := range list {
		at := fmt.Sprintf("%s[%d]", o.name(key), i)
		fields, ok := v.(map[string]any)
		if !ok {
			o.d.refuse(at, "must be an object")
			return nil
		}
		members = append(members, object{d: o.d, path: at, fields: fields})
	}
	return members
}

// texts returns an array of at most limit non-empty strings.
func (o object) texts(key string, limit int) []string {
	list, ok := o.list(key)
	if !ok {
		return nil
	}
	if len(list) > limit {
		o.d.refuse(o.name(key), fmt.Sprintf("must have at most %d elements", limit))
		return nil
	}
	texts := make([]string, 0, len(list))
	for i, v := range list {
		s, ok := v.(string)
		if !ok || s == "" {
			o.d.refuse(fmt.Sprintf("%s[%d]", o.name(key), i), "must be a non-empty string")
			return nil
		}
		texts = append(texts, s)
	}
	return texts
}
