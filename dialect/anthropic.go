package dialect

// anthropic is the format of the Anthropic API.
type anthropic struct{}

func (anthropic) Dialect() Dialect { return Anthropic }

func (anthropic) Credential(from Presented) string {
	if key := from.Header("X-Api-Key"); key != "" {
		return key
	}
	return bearer(from)
}

func (anthropic) BadKey() Problem {
	return Problem{Status: statusUnauthorized}
}

func (anthropic) NoModel(model string) Problem {
	return Problem{Status: statusNotFound, Message: "model: " + model}
}

func (anthropic) Describe(p Problem) Problem {
	kind, message := "invalid_request_error", "The request was not understood."
	switch {
	case p.Status == statusUnauthorized:
		kind, message = "authentication_error", "invalid x-api-key"
	case p.Status == statusPaymentRequired:
		kind, message = "billing_error", "The credit balance is too low."
	case p.Status == statusForbidden:
		kind, message = "permission_error", "The key does not have permission to use this resource."
	case p.Status == statusNotFound:
		kind, message = "not_found_error", "The resource was not found."
	case p.Status == statusRequestEntityTooLarge:
		kind, message = "request_too_large", "The request exceeds the maximum size."
	case p.Status == statusTooManyRequests:
		kind, message = "rate_limit_error", "The request would exceed the rate limit."
	case p.Status == statusGatewayTimeout:
		kind, message = "timeout_error", "The request timed out."
	case p.Status == 529:
		kind, message = "overloaded_error", "Overloaded"
	case p.Status >= 500:
		kind, message = "api_error", "Internal server error"
	}
	return p.orElse(kind, "", message)
}

func (anthropic) ErrorBody(p Problem) Object {
	inner := Object{"type": p.Type, "message": p.Message}
	if code := p.code(); code != nil {
		inner["code"] = code
	}
	return Object{"type": "error", "error": inner}
}

func (a anthropic) ErrorEvent(p Problem, _ int) Event {
	return Event{Name: "error", Data: Encode(a.ErrorBody(p))}
}

func (anthropic) ContentTypes() (json, stream string) {
	return "application/json", "text/event-stream; charset=utf-8"
}

var anthropicClients = clientSide{
	credential: "X-Api-Key", versionField: "Anthropic-Version", version: "2023-06-01", newerVersion: "2026-10-21",
	envelope: `{"type":"error","error":{"type","message"}}`, codePlace: "error.code or error.details.error_code",
	readError: readAnthropic,
}

// readAnthropic wants {"type":"error","error":{"type","message"}}; the code belongs in error.code or, as in the API since its
// version 2026-10-21, in error.details.error_code. error.type is tolerated.
func readAnthropic(e *ErrorObject, outer, inner members, known func(code string) bool) {
	if kind, _ := outer.value("type").(string); kind != "error" {
		e.Breaches = append(e.Breaches, `the outer "type" is not "error"`)
	}
	kind, ok := e.Type.(string)
	if !ok || kind == "" {
		e.Breaches = append(e.Breaches, `error.type is missing, empty or not a string`)
	}
	if code, ok := e.Code.(string); ok && code != "" {
		e.Business = code
	} else if code := detailsCode(inner); code != "" {
		e.Business = code
	} else if known(kind) {
		e.Business, e.Tolerated = kind, "error.type"
	}
}

// detailsCode returns error.details.error_code, "" when there is none.
func detailsCode(inner members) string {
	details, _ := inner.value("details").(Object)
	code, _ := details["error_code"].(string)
	return code
}
