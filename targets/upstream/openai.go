package upstream

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"

	"github.com/gatecert/gatecert/dialect"
)

// openAI is what the OpenAI endpoints have in common.
type openAI struct{}

func (openAI) dialect() dialect.Dialect { return dialect.OpenAI }

func (openAI) credential(r *http.Request) string { return bearer(r) }

func (openAI) badKey() problem {
	return problem{status: http.StatusUnauthorized}
}

func (openAI) noModel(model string) problem {
	return problem{status: http.StatusNotFound, code: "model_not_found",
		message: fmt.Sprintf("The model `%s` does not exist or you do not have access to it.", model)}
}

func (openAI) describe(p problem) problem {
	kind, code, message := "invalid_request_error", "", "The request was not understood."
	switch {
	case p.status == http.StatusUnauthorized:
		code, message = "invalid_api_key", "Incorrect API key provided."
	case p.status == http.StatusForbidden:
		message = "Your project does not have access to this."
	case p.status == http.StatusNotFound:
		message = "The resource was not found."
	case p.status == http.StatusTooManyRequests:
		kind, code, message = "requests", "rate_limit_exceeded", "Rate limit reached for requests."
	case p.status >= 500:
		kind, message = "server_error", "The server had an error while processing your request."
	}
	return p.orElse(kind, code, message)
}

func (openAI) errorBody(p problem) object {
	return object{"error": object{"message": p.message, "type": p.kind, "param": orNull(p.param), "code": orNull(p.code)}}
}

func (o openAI) errorEvent(p problem, _ int) event {
	return event{data: encode(o.errorBody(p))}
}

func (openAI) wantsStream(doc object) bool { return doc["stream"] == true }

func (openAI) refusal() *problem {
	return &problem{status: http.StatusBadRequest, code: "content_filter", message: "The prompt was refused by the content policy."}
}

func (openAI) contentTypes() (json, stream string) {
	return "application/json", "text/event-stream; charset=utf-8"
}

// bearer is the credential of an Authorization field of the Bearer scheme, "" for none.
func bearer(r *http.Request) string {
	scheme, key, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(key)
}

// orElse fills in the words that the problem does not have.
func (p problem) orElse(kind, code, message string) problem {
	p.kind = cmp.Or(p.kind, kind)
	p.code = cmp.Or(p.code, code)
	p.message = cmp.Or(p.message, message)
	return p
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}
