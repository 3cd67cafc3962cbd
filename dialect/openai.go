package dialect

import (
	"cmp"
	"fmt"
	"strings"
)

// openAI is what the OpenAI endpoints have in common.
type openAI struct{}

func (openAI) Dialect() Dialect { return OpenAI }

func (openAI) Credential(from Presented) string { return bearer(from) }

func (openAI) BadKey() Problem {
	return Problem{Status: statusUnauthorized}
}

func (openAI) NoModel(model string) Problem {
	return Problem{Status: statusNotFound, Code: "model_not_found",
		Message: fmt.Sprintf("The model `%s` does not exist or you do not have access to it.", model)}
}

func (openAI) Describe(p Problem) Problem {
	kind, code, message := "invalid_request_error", "", "The request was not understood."
	switch {
	case p.Status == statusUnauthorized:
		code, message = "invalid_api_key", "Incorrect API key provided."
	case p.Status == statusForbidden:
		message = "Your project does not have access to this resource."
	case p.Status == statusNotFound:
		message = "The resource was not found."
	case p.Status == statusTooManyRequests:
		kind, code, message = "requests", "rate_limit_exceeded", "Rate limit reached for requests."
	case p.Status >= 500:
		kind, message = "server_error", "The server had an error while processing your request."
	}
	return p.orElse(kind, code, message)
}

func (openAI) ErrorBody(p Problem) Object {
	return Object{"error": Object{"message": p.Message, "type": p.Type, "param": orNull(p.Param), "code": p.code()}}
}

func (o openAI) ErrorEvent(p Problem, _ int) Event {
	return Event{Data: Encode(o.ErrorBody(p))}
}

func (openAI) WantsStream(doc Object) bool { return doc["stream"] == true }

func (openAI) Refusal() *Problem {
	return &Problem{Status: statusBadRequest, Code: "content_filter", Message: "The prompt was rejected because it violates the content policy."}
}

func (openAI) ContentTypes() (json, stream string) {
	return "application/json", "text/event-stream; charset=utf-8"
}

// bearer is the credential of an Authorization field of the Bearer scheme, "" for none.
func bearer(from Presented) string {
	scheme, key, _ := strings.Cut(from.Header("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(key)
}

// orElse fills in the words that the problem does not have.
func (p Problem) orElse(kind, code, message string) Problem {
	p.Type = cmp.Or(p.Type, kind)
	p.Code = cmp.Or(p.Code, code)
	p.Message = cmp.Or(p.Message, message)
	return p
}

// code is the code of an error object: a word, a number or null.
func (p Problem) code() any {
	if p.Number != 0 {
		return p.Number
	}
	return orNull(p.Code)
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

var openAIClients = clientSide{
	credential: "Authorization", scheme: "Bearer ",
	envelope: `{"error":{"message","type","param","code"}}`, codePlace: "error.code",
	readError: func(e *ErrorObject, _, _ members, _ func(string) bool) { e.Business, _ = e.Code.(string) },
}
