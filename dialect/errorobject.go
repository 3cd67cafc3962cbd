package dialect

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// ErrorObject is an error as a format frames it, with every breach of the frame.
type ErrorObject struct {
	// Message, Type, Param and Code are the members as they stood; nil when absent.
	Message, Type, Param, Code any
	// Business is the business code, "" for none. Tolerated names its place where that is only tolerated.
	Business, Tolerated string
	// FirstKey and Keys are those of the outermost object.
	FirstKey string
	Keys     int
	// Breaches say what about the frame is wrong.
	Breaches []string

	has map[string]bool
}

// Has reports whether the error object has a member, null or not.
func (e ErrorObject) Has(member string) bool { return e.has[member] }

// members are those of a JSON object.
type members map[string]json.RawMessage

// value decodes a member, which [DecodeObject] has parsed already; nil when it is absent.
func (m members) value(name string) any {
	var v any
	if raw, ok := m[name]; ok {
		_ = json.Unmarshal(raw, &v)
	}
	return v
}

// DecodeError reads one error body strictly, in the frame of a format. known says whether a word is a business code:
// where a format has no place of its own for one, it is looked for in several.
//
// An error says that the body is not an object with an error object in it.
func DecodeError(d Dialect, body []byte, known func(code string) bool) (ErrorObject, error) {
	outer, order, err := DecodeObject(body)
	if err != nil {
		return ErrorObject{}, err
	}
	e := newErrorObject(order)
	raw, ok := outer["error"]
	if !ok {
		return e, fmt.Errorf("an object without \"error\" (keys: %s)", strings.Join(order, ", "))
	}
	return e, e.read(d, outer, raw, known)
}

// DecodeErrorEvent reads an error event of a surface like [DecodeError], and the forms that only this surface's protocol
// has. Then form names it, and is "" otherwise.
func (s Surface) DecodeErrorEvent(name string, data []byte, known func(code string) bool) (e ErrorObject, form string, err error) {
	if own := s.endpoint().ownError; own != nil {
		if outer, order, err := DecodeObject(data); err == nil {
			if raw, form := own(name, outer); form != "" {
				e := newErrorObject(order)
				return e, form, e.read(s.Dialect(), outer, raw, known)
			}
		}
	}
	e, err = DecodeError(s.Dialect(), data, known)
	return e, "", err
}

func newErrorObject(outerKeys []string) ErrorObject {
	e := ErrorObject{Keys: len(outerKeys), has: map[string]bool{}}
	if len(outerKeys) > 0 {
		e.FirstKey = outerKeys[0]
	}
	return e
}

// read reads the error object itself. An error says that it is not an object.
func (e *ErrorObject) read(d Dialect, outer members, raw json.RawMessage, known func(code string) bool) error {
	if len(raw) == 0 {
		return errors.New("an event without an error object")
	}
	object, order, err := DecodeObject(raw)
	if err != nil {
		return fmt.Errorf("\"error\" is %w", err)
	}
	for _, k := range order {
		e.has[k] = true
	}
	inner := members(object)
	e.Message, e.Type, e.Param, e.Code = inner.value("message"), inner.value("type"), inner.value("param"), inner.value("code")
	d.clientSide().readError(e, outer, inner, known)
	return nil
}
