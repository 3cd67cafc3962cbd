package convert

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/gatecert/gatecert/dialect"
)

// Refusal is an upstream's description of its own error. All of it is in the upstream's words, and none of it may reach the caller, because upstreams
// quote keys and addresses.
type Refusal struct {
	Type string
	// Code is text; a numeric code is converted to text. For Gemini, it is the reason in the error's ErrorInfo or, if there is none, the status.
	Code    string
	Message string
	// Blocked means that the upstream refused the prompt on policy grounds.
	Blocked bool
}

// maxRefusal bounds each text of a [Refusal] in bytes.
const maxRefusal = 4 << 10

// DecodeRefusal decodes the body of an upstream's response whose status is not a success. ok is false if the body contains no usable error object: an
// object, in the place that the protocol or OpenAI uses, with a message, a type or a code.
func DecodeRefusal(p dialect.Dialect, status int, body []byte) (refusal Refusal, ok bool) {
	if !p.Valid() || len(body) > MaxAnswer {
		return Refusal{}, false
	}
	refusal, ok = errorObject(body)
	// A policy is never the upstream's own failure: a 5xx that names one is not to be believed.
	refusal.Blocked = refusal.Blocked && status < 500
	return refusal, ok
}

// errorInstead is the error for an answer or event that holds an upstream's error object in its place.
func errorInstead(body []byte) error {
	if refusal, ok := errorObject(body); ok && refusal.Blocked {
		return ErrBlocked
	}
	return notAnswer("the upstream sent an error object")
}

// errorObject reads {"error":{…}}, the envelope that all three protocols share but for what else is in it. Gemini
// sends it in an array when the answer was to be a stream of them.
func errorObject(body []byte) (Refusal, bool) {
	body = bytes.TrimSpace(body)
	if len(body) > 0 && body[0] == '[' {
		var list []json.RawMessage
		if json.Unmarshal(body, &list) != nil || len(list) == 0 {
			return Refusal{}, false
		}
		body = list[0]
	}
	var in struct {
		Error map[string]any `json:"error"`
	}
	if json.Unmarshal(body, &in) != nil || len(in.Error) == 0 {
		return Refusal{}, false
	}
	word := func(from map[string]any, key string) string {
		s, _ := from[key].(string)
		return clip(s)
	}
	e := in.Error
	out := Refusal{Type: word(e, "type"), Message: word(e, "message")}
	number := ""
	if n, ok := e["code"].(float64); ok {
		number = strconv.FormatFloat(n, 'f', -1, 64)
	}
	out.Code = cmp.Or(errorReason(e["details"]), word(e, "code"), word(e, "status"), number)
	inner, _ := e["innererror"].(map[string]any)
	out.Blocked = isPolicy(out.Type) || isPolicy(out.Code) || isPolicy(word(inner, "code"))
	return out, out.Type != "" || out.Code != "" || out.Message != ""
}

// errorReason finds the reason of a google.rpc.ErrorInfo among an error's details.
func errorReason(details any) string {
	list, _ := details.([]any)
	for _, d := range list {
		info, _ := d.(map[string]any)
		if reason, ok := info["reason"].(string); ok && reason != "" {
			return clip(reason)
		}
	}
	return ""
}

// isPolicy reports whether a type or code speaks of a content policy: OpenAI's two, Azure's, and Gemini's.
func isPolicy(word string) bool {
	policies := []string{
		"content_filter", "content_policy_violation", "ResponsibleAIPolicyViolation", "SAFETY", "PROHIBITED_CONTENT",
	}
	return slices.Contains(policies, word)
}

// clip cuts a text to maxRefusal bytes at a character's edge.
func clip(s string) string {
	s = strings.ToValidUTF8(s, "�")
	if len(s) <= maxRefusal {
		return s
	}
	cut := maxRefusal
	for !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut]
}
