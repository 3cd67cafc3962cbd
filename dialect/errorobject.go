package dialect

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// ErrorObject is a decoded error in a given format, with every violation of that format.
type ErrorObject struct {
	// Message, Type, Param and Code are the members as received. They are nil if absent.
	Message, Type, Param, Code any
	// Business is the business code, or "" if there is none. Tolerated names the place of the code if that place is only tolerated.
	Business, Tolerated string
	// FirstKey is the first key of the outermost object, and Keys is the number of its keys.
	FirstKey string
	Keys     int
	// Breaches describes each violation of the format.
	Breaches []string

	has map[string]bool
}

// Has reports whether the error object contains a member, even if its value is null.
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

// DecodeError strictly decodes one error body in a given format. known reports whether a word is a business code; it is needed because some formats
// have no dedicated place for a business code, so several places are searched.
//
// DecodeError returns an error if the body is not an object that contains an error object.
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

// DecodeErrorEvent decodes an error event of a surface. It accepts what [DecodeError] accepts, and forms that only this surface's protocol has; for
// such a form, form is its name, otherwise "".
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
