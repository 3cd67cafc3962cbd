package dialect

import (
	"fmt"
	"math"
	"slices"
)

// rule checks one demand on a request; nil means it holds.
type rule func(doc Object) *Problem

// firstProblem applies the rules in order, as the APIs report one fault at a time.
func firstProblem(doc Object, rules ...rule) *Problem {
	for _, r := range rules {
		if p := r(doc); p != nil {
			return p
		}
	}
	return nil
}

// Invalid returns the problem of an invalid parameter. param is its position in the body.
func Invalid(param, format string, args ...any) *Problem {
	return &Problem{Status: statusBadRequest, Param: param, Message: fmt.Sprintf(format, args...)}
}

// required demands that the field is there and not null.
func required(field string) rule {
	return func(doc Object) *Problem {
		if doc[field] == nil {
			return Invalid(field, "Missing required parameter: '%s'.", field)
		}
		return nil
	}
}

// optional applies a test to the field when it is there and not null.
func optional(field, demand string, holds func(v any) bool) rule {
	return func(doc Object) *Problem {
		if v := doc[field]; v != nil && !holds(v) {
			return Invalid(field, "Invalid value for '%s': expected %s.", field, demand)
		}
		return nil
	}
}

// namesModel demands a model's name in the body.
func namesModel() rule {
	named := optional("model", "a non-empty string", isText)
	return func(doc Object) *Problem { return firstProblem(doc, required("model"), named) }
}

func flag(field string) rule {
	return optional(field, "a boolean", func(v any) bool { _, ok := v.(bool); return ok })
}

// upTo demands a number from zero to high, both included.
func upTo(field string, high float64) rule {
	return optional(field, fmt.Sprintf("a number from 0 to %g", high), func(v any) bool {
		n, ok := v.(float64)
		return ok && n >= 0 && n <= high
	})
}

// atLeastOne demands a whole number above zero.
func atLeastOne(field string) rule {
	return optional(field, "an integer of at least 1", func(v any) bool {
		n, ok := v.(float64)
		return ok && n >= 1 && n == math.Trunc(n)
	})
}

// each demands a non-empty array all of whose elements hold.
func each(field, element string, holds func(v any) bool) rule {
	return optional(field, "a non-empty array of "+element, func(v any) bool {
		elements, ok := v.(List)
		return ok && len(elements) > 0 && all(elements, holds)
	})
}

// within applies rules to the object in a field, when there is one.
func within(field string, rules ...rule) rule {
	return func(doc Object) *Problem {
		if doc[field] == nil {
			return nil
		}
		inner, ok := doc[field].(Object)
		if !ok {
			return Invalid(field, "Invalid value for '%s': expected an object.", field)
		}
		return firstProblem(inner, rules...)
	}
}

func all(elements List, holds func(v any) bool) bool {
	return !slices.ContainsFunc(elements, func(v any) bool { return !holds(v) })
}

func isText(v any) bool {
	s, ok := v.(string)
	return ok && s != ""
}

func isObject(v any) bool {
	_, ok := v.(Object)
	return ok
}

func isWhole(v any) bool {
	n, ok := v.(float64)
	return ok && n >= 0 && n == math.Trunc(n)
}

// isContent reports whether v is the content of a message: a string or an array of parts.
func isContent(v any) bool {
	if parts, ok := v.(List); ok {
		return all(parts, isObject)
	}
	_, ok := v.(string)
	return ok
}

// isMessage returns a test for messages of the roles; a message without content is valid where another field can
// stand for it (the tool calls of an assistant).
func isMessage(contentless bool, roles ...string) func(v any) bool {
	return func(v any) bool {
		m, ok := v.(Object)
		if !ok {
			return false
		}
		role, _ := m["role"].(string)
		if !slices.Contains(roles, role) {
			return false
		}
		return isContent(m["content"]) || m["content"] == nil && contentless && role == "assistant"
	}
}
