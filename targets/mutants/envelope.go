package mutants

import (
	"bytes"
	"strings"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/targets/reference"
)

// contentTypeMutants answer with something else than JSON, or do not say that it is JSON.
func contentTypeMutants() []Mutant {
	return []Mutant{
		mutant("html-for-unknown-paths", "The gateway returns the web server's HTML error page for an unknown path.",
			changeError(page("text/html; charset=utf-8", "<html><body><h1>Not Found</h1></body></html>"), at(reference.Route)),
			passes(uncounted),
			fails(contract.ContentType, "http:404/unknown-path/**")),
		mutant("dashboard-for-unknown-paths", "The gateway returns 200 and its dashboard page for an unknown path.",
			all(setStatus(200, at(reference.Route), withStatus(404)),
				changeError(page("text/html", "<!doctype html><div id=root></div>"), at(reference.Route), withStatus(200))),
			fails(contract.NotSuccess, "http:404/unknown-path/*/no-such-path", "http:404/unknown-path/*/get")),
		mutant("text-for-timeouts", "A proxy in front of the gateway reports a timeout in plain text.",
			changeError(page("text/plain", "upstream request timeout"), causedBy(reference.ErrTooSlow)),
			passes(midStream()...),
			fails(contract.ContentType, "code:channel:response_time_exceeded/**")),
		mutant("nothing-for-bad-gzip", "The gateway returns 400 with an empty body for a request whose gzip data is corrupt.",
			changeError(nothing, withCode(reference.ReadRequestBody), encoded),
			fails(contract.Envelope, "code:read_request_body_failed/*/*/broken-gzip")),
		mutant("nothing-for-rate-limits", "The gateway returns 429 with an empty body to a client that exceeds its rate limit.",
			changeError(nothing, withCode(reference.RateLimited)),
			fails(contract.Envelope, "http:429/**", limitedUpstream)),
		mutant("no-content-type", "If the gateway cannot read its database, the error response has no Content-Type.",
			changeError(func(_ *reference.Call, a *reference.Answer) {
				a.Header["Content-Type"] = nil // net/http would guess one
			}, causedBy(reference.ErrStoreRead)),
			fails(contract.ContentType, "http:5xx/gateway-error/**", "code:query_data_error/**")),
		mutant("json-announced-as-event-stream", "For streaming requests, the gateway returns upstream errors as JSON with the Content-Type text/event-stream.",
			changeError(setHeader("Content-Type", "text/event-stream"), streaming, at(reference.Dial, reference.Deliver)),
			passes(midStream()...),
			fails(contract.ContentType, onSurfaces(streamingSurfaces(), afterReserve()...)...),
			fails(contract.ContentType, refusedParametersOfStreams)),
	}
}

// envelopeShapeMutants answer with JSON that is not the envelope.
func envelopeShapeMutants() []Mutant {
	return []Mutant{
		mutant("openai-envelope-on-anthropic", "Errors on the Anthropic endpoints use OpenAI's envelope.",
			changeError(inOpenAIEnvelope, in(dialect.Anthropic)),
			passes(midStream()...),
			fails(contract.Envelope, onSurfaces(anthropic(), "*/*")...)),
		mutant("openai-envelope-on-gemini", "Errors on the Gemini endpoints use OpenAI's envelope.",
			changeError(inOpenAIEnvelope, in(dialect.Gemini)),
			passes(midStream()...),
			fails(contract.Envelope, onSurfaces(gemini(), "*/*")...)),
		mutant("envelope-without-error", "For a malformed body, the code and the message are at the top level of the response, without an error object.",
			changeError(func(c *reference.Call, a *reference.Answer) {
				a.Body = encode(map[string]any{"code": c.Failure.Code, "message": c.Failure.Message, "data": nil})
			}, withCode(reference.BadRequestBody)),
			fails(contract.Envelope, "code:bad_request_body/**")),
		mutant("error-as-a-string", "The error field is a string instead of an object.",
			changeError(func(c *reference.Call, a *reference.Answer) {
				a.Body = encode(map[string]any{"error": c.Failure.Message})
			}, withCode(reference.GetChannel)),
			fails(contract.Envelope, "code:get_channel_failed/**").and(contract.Code)),
		mutant("error-in-an-array", "On the streaming Gemini endpoint, the gateway wraps the error in an array, as Google's own API does without alt=sse.",
			changeError(func(_ *reference.Call, a *reference.Answer) { a.Body = append(append([]byte("["), a.Body...), ']') }, on(dialect.GenerateStream)),
			passes(midStream()...),
			fails(contract.Envelope, "*/*/gemini-stream/**")),
		mutant("error-not-json", "The gateway does not escape quotation marks in the error message, so the body is not valid JSON.",
			changeError(replaceInBody(`"message":"`, `"message":"model "mystery": `), withCode(reference.ModelPrice)),
			fails(contract.Envelope, "code:model_price_error/**")),
		mutant("error-twice", "Two layers of the gateway each write an error field into the same object, and JSON parsers disagree on which of the two fields counts.",
			changeError(replaceInBody(`{`, `{"error":{"message":"Forbidden","code":"forbidden"},`), withCode(reference.InsufficientQuota)),
			fails(contract.Envelope, "code:insufficient_user_quota/**")),
		mutant("error-nested-without-end", "The error object contains a trace field with arrays nested 100 levels deep, which exceeds the limit of some JSON parsers.",
			changeError(replaceInBody(`"message":`, `"trace":`+strings.Repeat("[", 100)+strings.Repeat("]", 100)+`,"message":`),
				withCode(reference.InvalidAPIType)),
			fails(contract.Envelope, "code:invalid_api_type/**")),
		mutant("error-cut-off", "The body of an error response is shorter than its Content-Length.",
			changeError(writeWith(cutOff), withCode(reference.CountToken)),
			fails(contract.Whole, "code:count_token_failed/**")),
		mutant("error-without-end", "An error response never ends: after the error object, the gateway sends whitespace forever.",
			changeError(writeWith(endless), at(reference.Authorize), withCode(reference.AccessDenied), on(dialect.Completions)),
			fails(contract.Whole, "http:403/no-model-access/completions")),
	}
}

func messageMutants() []Mutant {
	return []Mutant{
		mutant("message-empty", "The error message for an unreachable upstream is empty.",
			changeFailure(func(_ *reference.Call, f *reference.Failure) { f.Message = "" }, withCode(reference.DoRequest)),
			fails(contract.Message, "code:do_request_failed/**")),
		mutant("message-an-object", "The error's message is not a string but an object that contains the text.",
			changeError(editError(func(e map[string]any) { e["message"] = map[string]any{"text": e["message"]} }),
				withCode(reference.InvalidRequest), withParam("temperature")),
			fails(contract.Message, "code:invalid_request/*/*/out-of-range", "http:400/malformed-parameter/*/out-of-range")),
		mutant("message-missing", "The error for a sensitive word has a code but no message.",
			changeError(editError(func(e map[string]any) { delete(e, "message") }), withCode(reference.SensitiveWords)),
			fails(contract.Message, "code:sensitive_words_detected/**")),
	}
}

func openAIFieldMutants() []Mutant {
	return []Mutant{
		mutant("type-nil", "The error's type is <nil>, the text that Go prints for a missing value.",
			all(changeError(editError(func(e map[string]any) { e["type"] = "<nil>" }), withCode(reference.BadResponseStatus), in(dialect.OpenAI)),
				changeStreamError(editErrorEvent(func(e map[string]any) { e["type"] = "None" }), withCode(reference.BadResponse), in(dialect.OpenAI))),
			warns(contract.Fields, append(badStatuses(openAI()...), onSurfaces(relayed(openAI()), "code:bad_response_status_code/*")...)...),
			warns(contract.Fields, "http:5xx/upstream-error/chat-stream/mid-stream", "http:5xx/upstream-error/responses-stream/mid-stream",
				"http:5xx/upstream-error/chat-stream/answer-with-error", "http:5xx/upstream-error/responses-stream/answer-with-error")),
		mutant("param-missing-from-refusals",
			"On the OpenAI endpoints, if the gateway refuses a request before it reads the body, the error has no param field.",
			changeError(editError(func(e map[string]any) { delete(e, "param") }),
				at(reference.Authenticate, reference.Admit, reference.Limit), in(dialect.OpenAI), with4xx),
			warns(contract.Fields, onSurfaces(openAI(), "http:401/*", "http:403/revoked-key", "http:429/*", "code:access_denied/*")...)),
		mutant("param-a-list", "The error's param field is a list instead of a string.",
			changeError(editError(func(e map[string]any) { e["param"] = []any{"body", e["param"]} }),
				withCode(reference.InvalidRequest), at(reference.Decode), in(dialect.OpenAI)),
			passes(refusedParameters),
			warns(contract.Fields, onSurfaces(relayed(openAI()), "code:invalid_request/*", "http:400/*")...)),
	}
}

func anthropicMutants() []Mutant {
	return []Mutant{
		mutant("anthropic-without-outer-type", "The Anthropic error envelope lacks its top-level type field.",
			changeError(editBody(func(body map[string]any) { delete(body, "type") }), in(dialect.Anthropic)),
			passes(midStream()...),
			fails(contract.Envelope, onSurfaces(anthropic(), "*/*")...)),
		mutant("anthropic-type-null", "In the Anthropic error envelope, error.type is null.",
			changeError(editError(func(e map[string]any) { e["type"] = nil }), withCode(reference.ModelNotFound), in(dialect.Anthropic)),
			fails(contract.Envelope, onSurfaces(anthropic(), "code:model_not_found/*", "http:404/unknown-model")...)),
	}
}

func geminiMutants() []Mutant {
	return []Mutant{
		mutant("gemini-without-status", "The Gemini error envelope lacks its status field.",
			changeError(editError(func(e map[string]any) { delete(e, "status") }), withCode(reference.BadResponseStatus), in(dialect.Gemini)),
			fails(contract.Envelope, append(badStatuses(gemini()...), onSurfaces(gemini(), "code:bad_response_status_code/*")...)...)),
		mutant("gemini-details-not-a-list", "The details in the Gemini error envelope are an object instead of a list.",
			changeError(editError(func(e map[string]any) { e["details"] = map[string]any{"reason": reference.GetChannel} }),
				withCode(reference.GetChannel), in(dialect.Gemini)),
			fails(contract.Envelope, onSurfaces(gemini(), "code:get_channel_failed/*")...)),
		mutant("gemini-code-a-word",
			"On the Gemini endpoints, the contract's code is in error.code, where Google's clients expect a number.",
			changeError(editError(func(e map[string]any) {
				e["code"] = reference.NoAvailableKey
				delete(e, "details")
			}), withCode(reference.NoAvailableKey), in(dialect.Gemini)),
			fails(contract.Envelope, onSurfaces(gemini(), "code:channel:no_available_key/*")...)),
	}
}

func inOpenAIEnvelope(c *reference.Call, a *reference.Answer) {
	a.Body = c.Failure.Encode(dialect.Chat)
}

func replaceInBody(old, with string) func(*reference.Call, *reference.Answer) {
	return func(_ *reference.Call, a *reference.Answer) {
		a.Body = bytes.Replace(a.Body, []byte(old), []byte(with), 1)
	}
}
