package convert

import (
	"cmp"
	"encoding/json"

	"github.com/gatecert/gatecert/dialect"
)

// APIError is an error as the gateway tells it to the caller.
type APIError struct {
	// Status is the HTTP status, from which the dialects take words of their own. 0 counts as 500.
	Status int
	// Code is the business code of table 2, or "" for none.
	Code string
	// Message is for people and must not be empty.
	Message string
	// Type is OpenAI's type; "" leaves it to the status. The other dialects have types of their own.
	Type string
	// Param is the field at fault, "" for none. Only OpenAI's envelope has a place for it.
	Param string
}

// EncodeError writes the error envelope that a surface's dialect owes, as the body of an answer (CONTRACT.md, "What
// every error answer owes").
func EncodeError(surface dialect.Surface, e APIError) []byte { return plainJSON(envelope(surface, e)) }

// envelope is {"error":{…}} with error as the first key, and but for Anthropic the only one.
func envelope(surface dialect.Surface, e APIError) any {
	status := cmp.Or(e.Status, 500)
	switch surface.Dialect() {
	case dialect.Anthropic:
		return anthropicEnvelope{Type: "error", Error: anthropicError{anthropicType(status), e.Message, e.Code}}
	case dialect.Gemini:
		inner := geminiError{Code: status, Message: e.Message, Status: googleStatus(status)}
		if e.Code != "" {
			inner.Details = []errorInfo{{"type.googleapis.com/google.rpc.ErrorInfo", e.Code, "gatecert"}}
		}
		return geminiEnvelope{inner}
	default:
		kind := cmp.Or(e.Type, openAIType(status))
		return openAIEnvelope{openAIError{e.Message, kind, optional(e.Param), optional(e.Code)}}
	}
}

type openAIEnvelope struct {
	Error openAIError `json:"error"`
}

// openAIError has all four members always; clients tell null from absent.
type openAIError struct {
	Message string  `json:"message"`
	Type    string  `json:"type"`
	Param   *string `json:"param"`
	Code    *string `json:"code"`
}

type anthropicEnvelope struct {
	Type  string         `json:"type"`
	Error anthropicError `json:"error"`
}

type anthropicError struct {
	Type    string `json:"type"`
	Message string `json:"message"`
	Code    string `json:"code,omitempty"`
}

type geminiEnvelope struct {
	Error geminiError `json:"error"`
}

type geminiError struct {
	Code    int         `json:"code"`
	Message string      `json:"message"`
	Status  string      `json:"status"`
	Details []errorInfo `json:"details,omitempty"`
}

// errorInfo is google.rpc.ErrorInfo (google/rpc/error_details.proto).
type errorInfo struct {
	Type   string `json:"@type"`
	Reason string `json:"reason"`
	Domain string `json:"domain"`
}

// optional is null for "".
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// openAIType is the error.type that OpenAI gives a status.
func openAIType(status int) string {
	switch {
	case status == 401:
		return "authentication_error"
	case status == 403:
		return "permission_error"
	case status == 429:
		return "rate_limit_error"
	case status >= 500:
		return "server_error"
	default:
		return "invalid_request_error"
	}
}

// anthropicType is the error.type that Anthropic gives a status (platform.claude.com/docs/api/errors).
func anthropicType(status int) string {
	switch {
	case status == 401:
		return "authentication_error"
	case status == 402:
		return "billing_error"
	case status == 403:
		return "permission_error"
	case status == 404:
		return "not_found_error"
	case status == 413:
		return "request_too_large"
	case status == 429:
		return "rate_limit_error"
	case status == 504:
		return "timeout_error"
	case status == 529:
		return "overloaded_error"
	case status >= 500:
		return "api_error"
	default:
		return "invalid_request_error"
	}
}

// googleStatus is the canonical code of a status (google/rpc/code.proto). 502 has none of its own and is, for a
// caller, what 503 is.
func googleStatus(status int) string {
	switch {
	case status == 401:
		return "UNAUTHENTICATED"
	case status == 403:
		return "PERMISSION_DENIED"
	case status == 404:
		return "NOT_FOUND"
	case status == 409:
		return "ABORTED"
	case status == 402, status == 429:
		return "RESOURCE_EXHAUSTED"
	case status == 499:
		return "CANCELLED"
	case status == 501:
		return "UNIMPLEMENTED"
	case status == 502, status == 503, status == 529:
		return "UNAVAILABLE"
	case status == 504:
		return "DEADLINE_EXCEEDED"
	case status >= 500:
		return "INTERNAL"
	default:
		return "INVALID_ARGUMENT"
	}
}

// plainJSON writes a value of strings and numbers alone, which encoding/json cannot fail to write.
func plainJSON(v any) []byte {
	body, _ := json.Marshal(v)
	return body
}
