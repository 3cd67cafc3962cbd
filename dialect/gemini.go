package dialect

import (
	"cmp"
	"fmt"
)

// gemini is what the Gemini endpoints have in common.
type gemini struct{}

func (gemini) Dialect() Dialect { return Gemini }

func (gemini) Credential(from Presented) string {
	if key := from.Header("X-Goog-Api-Key"); key != "" {
		return key
	}
	if key := from.Query("key"); key != "" {
		return key
	}
	return bearer(from)
}

// BadKey returns a 400, because Gemini does not use 401 for API keys.
func (gemini) BadKey() Problem {
	return Problem{Status: statusBadRequest, Code: "API_KEY_INVALID", Message: "API key not valid. Please pass a valid API key."}
}

func (gemini) NoModel(model string) Problem {
	return Problem{Status: statusNotFound, Message: fmt.Sprintf("models/%s is not found or does not support this method.", model)}
}

func (gemini) Describe(p Problem) Problem {
	kind, message := "INVALID_ARGUMENT", "Request contains an invalid argument."
	switch {
	case p.Status == statusUnauthorized:
		kind, message = "UNAUTHENTICATED", "Request had invalid authentication credentials."
	case p.Status == statusForbidden:
		kind, message = "PERMISSION_DENIED", "The caller does not have permission."
	case p.Status == statusNotFound:
		kind, message = "NOT_FOUND", "Requested entity was not found."
	case p.Status == statusConflict:
		kind, message = "ABORTED", "The operation was aborted."
	case p.Status == statusTooManyRequests:
		kind, message = "RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota)."
	case p.Status == statusNotImplemented:
		kind, message = "UNIMPLEMENTED", "The operation is not implemented."
	case p.Status == statusServiceUnavailable:
		kind, message = "UNAVAILABLE", "The model is overloaded. Please try again later."
	case p.Status == statusGatewayTimeout:
		kind, message = "DEADLINE_EXCEEDED", "The deadline expired before the operation could complete."
	case p.Status >= 500:
		kind, message = "INTERNAL", "An internal error has occurred."
	}
	return p.orElse(kind, "", message)
}

func (gemini) ErrorBody(p Problem) Object {
	inner := Object{"code": cmp.Or(p.Number, p.Status), "message": p.Message, "status": p.Type}
	if p.Code != "" {
		// google.rpc.ErrorInfo (google/rpc/error_details.proto)
		info := Object{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": p.Code, "domain": p.Domain}
		if p.Domain == "" {
			info["domain"], info["metadata"] = "googleapis.com", Object{"service": "generativelanguage.googleapis.com"}
		}
		inner["details"] = List{info}
	}
	return Object{"error": inner}
}

func (g gemini) ErrorEvent(p Problem, _ int) Event {
	return Event{Data: Encode(g.ErrorBody(p))}
}

func (gemini) ContentTypes() (json, stream string) {
	return "application/json; charset=UTF-8", "text/event-stream"
}

var geminiClients = clientSide{
	credential: "X-Goog-Api-Key", keyInQuery: true,
	envelope: `{"error":{"code":<int>,"message","status","details"}}`, codePlace: "error.details[].reason or error.status",
	readError: readGemini,
}

// readGemini wants {"error":{"code":<int>,"message","status","details"}}; the code belongs in error.details[].reason or
// error.status, a string error.code is tolerated.
func readGemini(e *ErrorObject, _, inner members, known func(code string) bool) {
	if n, ok := e.Code.(float64); !ok || n != float64(int(n)) {
		e.Breaches = append(e.Breaches, "error.code is not an integer")
	}
	word, ok := inner.value("status").(string)
	if !ok || word == "" {
		e.Breaches = append(e.Breaches, "error.status is missing, empty or not a string")
	}
	details, isList := inner.value("details").(List)
	if raw := inner["details"]; len(raw) > 0 && string(raw) != "null" && (!isList || !all(details, isObject)) {
		e.Breaches = append(e.Breaches, "error.details is not a list of objects")
	}
	for _, item := range details {
		detail, _ := item.(Object)
		if reason, ok := detail["reason"].(string); ok && reason != "" {
			e.Business = reason
			if known(reason) {
				return
			}
		}
	}
	if known(word) {
		e.Business = word
		return
	}
	if code, ok := e.Code.(string); ok && code != "" && !known(e.Business) {
		e.Business, e.Tolerated = code, "error.code"
	}
}
