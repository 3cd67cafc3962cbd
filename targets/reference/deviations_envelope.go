package reference

import (
	"bytes"
	"context"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/targets/reference/convert"
)

// envelopeDeviations answer with an error that the dialect's own clients cannot read.
func envelopeDeviations() []Deviation {
	return []Deviation{
		{
			Name:     "html-for-unknown-paths",
			Sentence: "A path that does not exist is answered with the HTML page of the web server.",
			Turns:    []Turn{fails(contract.ContentType, "http:404/unknown-path/**")},
			bend:     answering(page("text/html; charset=utf-8", "<html><body><h1>Not Found</h1></body></html>"), at("route")),
		},
		{
			Name:     "dashboard-for-unknown-paths",
			Sentence: "A path that does not exist is answered 200 with the dashboard.",
			Turns:    []Turn{fails(contract.NotSuccess, "http:404/unknown-path/*/no-such-path")},
			bend: together(taking(200, at("route"), answered(404)),
				answering(page("text/html", "<!doctype html><div id=root></div>"), at("route"), answered(200))),
		},
		{
			Name:     "text-for-timeouts",
			Sentence: "A timeout is answered by the proxy in front, in plain text.",
			Turns: []Turn{
				stays(midStream()...),
				fails(contract.ContentType, "code:channel:response_time_exceeded/**"),
			},
			bend: answering(page("text/plain", "upstream request timeout"), because(errTooSlow)),
		},
		{
			Name:     "nothing-for-bad-gzip",
			Sentence: "A body in broken gzip is answered 400 with nothing at all.",
			Turns:    []Turn{fails(contract.Envelope, "code:read_request_body_failed/*/*/broken-gzip")},
			bend: answering(func(_ *call, a *wholeAnswer) {
				a.header.Del("Content-Type")
				a.body = nil
			}, coded(readRequestBody), func(c *call, _ *failure) bool { return c.request.Header.Get("Content-Encoding") != "" }),
		},
		{
			Name:     "nothing-for-rate-limits",
			Sentence: "A caller over its limit is answered 429 with nothing at all.",
			Turns:    []Turn{fails(contract.Envelope, "http:429/**")},
			bend: answering(func(_ *call, a *wholeAnswer) {
				a.header.Del("Content-Type")
				a.body = nil
			}, coded(rateLimited)),
		},
		{
			Name:     "no-content-type",
			Sentence: "Errors of the store come without a Content-Type.",
			Turns:    []Turn{fails(contract.ContentType, "http:5xx/gateway-error/**", "code:query_data_error/**")},
			bend: answering(func(_ *call, a *wholeAnswer) {
				a.header["Content-Type"] = nil // net/http would guess one
			}, because(errQuery)),
		},
		{
			Name:     "json-announced-as-event-stream",
			Sentence: "Who asked for a stream gets the errors of the provider's side as JSON under text/event-stream.",
			Turns: []Turn{
				stays(midStream()...),
				fails(contract.ContentType, onSurfaces(streamingSurfaces(), onTheProvidersSide()...)...),
			},
			bend: answering(func(_ *call, a *wholeAnswer) { a.header.Set("Content-Type", "text/event-stream") },
				streaming, at("dial", "deliver")),
		},
		{
			Name:     "openai-envelope-on-anthropic",
			Sentence: "Errors on the Anthropic routes come in OpenAI's envelope.",
			Turns: []Turn{
				stays(midStream()...),
				fails(contract.Envelope, onSurfaces(anthropic(), "*/*")...),
			},
			bend: answering(inOpenAI, speaking(dialect.Anthropic)),
		},
		{
			Name:     "openai-envelope-on-gemini",
			Sentence: "Errors on the Gemini routes come in OpenAI's envelope.",
			Turns: []Turn{
				stays(midStream()...),
				fails(contract.Envelope, onSurfaces(gemini(), "*/*")...),
			},
			bend: answering(inOpenAI, speaking(dialect.Gemini)),
		},
		{
			Name:     "envelope-without-error",
			Sentence: "Some errors have no error object: code and message stand at the top.",
			Turns:    []Turn{fails(contract.Envelope, "code:bad_request_body/**")},
			bend: answering(func(c *call, a *wholeAnswer) {
				a.body = written(map[string]any{"code": c.failed.code, "message": c.failed.message, "data": nil})
			}, coded(badRequestBody)),
		},
		{
			Name:     "error-as-a-string",
			Sentence: "The error is a string instead of an object.",
			Turns: []Turn{{
				Cases: []contract.Pattern{"code:get_channel_failed/**"}, Verdict: contract.Fail,
				Breaks: []contract.Requirement{contract.Envelope, contract.Code},
			}},
			bend: answering(func(c *call, a *wholeAnswer) {
				a.body = written(map[string]any{"error": c.failed.message})
			}, coded(getChannel)),
		},
		{
			Name:     "error-in-an-array",
			Sentence: "On the streaming Gemini route an error stands in an array, as Google's own does without alt=sse.",
			Turns: []Turn{
				stays(midStream()...),
				fails(contract.Envelope, "*/*/gemini-stream/**"),
			},
			bend: answering(func(_ *call, a *wholeAnswer) { a.body = append(append([]byte("["), a.body...), ']') }, on(dialect.GenerateStream)),
		},
		{
			Name:     "error-that-is-no-json",
			Sentence: "The message is put between quotes without being escaped, so that the body is no JSON.",
			Turns:    []Turn{fails(contract.Envelope, "code:model_price_error/**")},
			bend: answering(func(_ *call, a *wholeAnswer) {
				a.body = bytes.Replace(a.body, []byte(`"message":"`), []byte(`"message":"model "mystery": `), 1)
			}, coded(modelPrice)),
		},
		{
			Name:     "error-twice",
			Sentence: "Two layers write an error each, into one object: clients disagree on which one counts.",
			Turns:    []Turn{fails(contract.Envelope, "code:insufficient_user_quota/**")},
			bend: answering(func(_ *call, a *wholeAnswer) {
				a.body = append([]byte(`{"error":{"message":"Forbidden","code":"forbidden"},`), a.body[1:]...)
			}, coded(insufficientQuota)),
		},
		{
			Name:     "error-nested-without-end",
			Sentence: "Each of a hundred layers wraps the error of the one below as its details.",
			Turns:    []Turn{fails(contract.Envelope, "code:invalid_api_type/**")},
			bend: answering(func(_ *call, a *wholeAnswer) {
				const layers = 100
				trace := `"trace":` + strings.Repeat("[", layers) + strings.Repeat("]", layers) + `,"message":`
				a.body = bytes.Replace(a.body, []byte(`"message":`), []byte(trace), 1)
			}, coded(invalidAPIType)),
		},
		{
			Name:     "error-cut-off",
			Sentence: "An error answer announces more bytes than it has.",
			Turns:    []Turn{fails(contract.Whole, "code:count_token_failed/**")},
			bend:     answering(sending(cutOff), coded(countToken)),
		},
		{
			Name:     "error-without-end",
			Sentence: "An error answer goes on and on after its object.",
			Turns:    []Turn{fails(contract.Whole, "http:403/no-model-access/completions")},
			bend:     answering(sending(withoutEnd), at("authorise"), coded(accessDenied), on(dialect.Completions)),
		},
		{
			Name:     "message-empty",
			Sentence: "The message of a failed request to the provider is empty.",
			Turns:    []Turn{fails(contract.Message, "code:do_request_failed/**")},
			bend:     failing(func(_ *call, f *failure) { f.message = "" }, coded(doRequest)),
		},
		{
			Name:     "message-an-object",
			Sentence: "The message is an object with the message in it.",
			Turns:    []Turn{fails(contract.Message, "code:invalid_request/*/*/out-of-range", "http:400/malformed-parameter/*/out-of-range")},
			bend: answering(inError(func(e map[string]any) { e["message"] = map[string]any{"text": e["message"]} }),
				coded(invalidRequest), func(_ *call, f *failure) bool { return strings.HasSuffix(f.param, "temperature") }),
		},
		{
			Name:     "message-missing",
			Sentence: "A sensitive word is told by code alone, without a message.",
			Turns:    []Turn{fails(contract.Message, "code:sensitive_words_detected/**")},
			bend:     answering(inError(func(e map[string]any) { delete(e, "message") }), coded(sensitiveWords)),
		},
		{
			Name:     "type-nil",
			Sentence: "The type is the text of an absent value: <nil>.",
			Turns:    []Turn{warns(contract.Fields, onSurfaces(openAI(), "code:bad_response_status_code/*", "http:5xx/upstream-error")...)},
			bend: together(
				answering(inError(func(e map[string]any) { e["type"] = "<nil>" }), coded(badResponseStatus), speaking(dialect.OpenAI)),
				breaking(inErrorEvent(func(e map[string]any) { e["type"] = "None" }), coded(badResponse), speaking(dialect.OpenAI)),
			),
		},
		{
			Name:     "param-missing-at-the-door",
			Sentence: "What is refused at the door has no param, on the OpenAI routes.",
			Turns: []Turn{warns(contract.Fields, onSurfaces(openAI(),
				"http:401/*", "http:403/revoked-key", "http:429/*", "code:access_denied/*")...)},
			bend: answering(inError(func(e map[string]any) { delete(e, "param") }),
				at("authenticate", "admit", "limit"), speaking(dialect.OpenAI), func(_ *call, f *failure) bool { return f.status < 500 }),
		},
		{
			Name:     "param-a-list",
			Sentence: "The param is a list of places.",
			Turns:    []Turn{warns(contract.Fields, onSurfaces(openAI(), "code:invalid_request/*", "http:400/*")...)},
			bend: answering(inError(func(e map[string]any) { e["param"] = []any{"body", e["param"]} }),
				coded(invalidRequest), at("decode"), speaking(dialect.OpenAI)),
		},
		{
			Name:     "anthropic-without-outer-type",
			Sentence: "The Anthropic envelope lacks its outer type.",
			Turns: []Turn{
				stays(midStream()...),
				fails(contract.Envelope, onSurfaces(anthropic(), "*/*")...),
			},
			bend: answering(func(_ *call, a *wholeAnswer) {
				a.body = bytes.Replace(a.body, []byte(`"type":"error",`), nil, 1)
			}, speaking(dialect.Anthropic)),
		},
		{
			Name:     "anthropic-type-null",
			Sentence: "The inner type of the Anthropic envelope is null.",
			Turns:    []Turn{fails(contract.Envelope, onSurfaces(anthropic(), "code:model_not_found/*", "http:404/unknown-model")...)},
			bend:     answering(inError(func(e map[string]any) { e["type"] = nil }), coded(modelNotFound), speaking(dialect.Anthropic)),
		},
		{
			Name:     "gemini-without-status",
			Sentence: "The Gemini envelope lacks its status.",
			Turns: []Turn{
				stays(midStream()...),
				fails(contract.Envelope, onSurfaces(gemini(), "code:bad_response_status_code/*", "http:5xx/upstream-error")...),
			},
			bend: answering(inError(func(e map[string]any) { delete(e, "status") }), coded(badResponseStatus), speaking(dialect.Gemini)),
		},
		{
			Name:     "gemini-details-no-list",
			Sentence: "The details of the Gemini envelope are an object instead of a list.",
			Turns:    []Turn{fails(contract.Envelope, onSurfaces(gemini(), "code:get_channel_failed/*")...)},
			bend: answering(inError(func(e map[string]any) { e["details"] = map[string]any{"reason": getChannel} }),
				coded(getChannel), speaking(dialect.Gemini)),
		},
		{
			Name:     "gemini-code-a-word",
			Sentence: "On the Gemini routes the business code stands in error.code, where Google's clients want a number.",
			Turns:    []Turn{fails(contract.Envelope, onSurfaces(gemini(), "code:channel:no_available_key/*")...)},
			bend: answering(inError(func(e map[string]any) {
				e["code"] = noAvailableKey
				delete(e, "details")
			}), coded(noAvailableKey), speaking(dialect.Gemini)),
		},
		{
			Name:     "retry-after-missing",
			Sentence: "A caller over its limit is not told when to come back.",
			Turns:    []Turn{warns(contract.RetryAfter, "http:429/**")},
			bend:     failing(func(_ *call, f *failure) { f.header.Del("Retry-After") }, coded(rateLimited)),
		},
		{
			Name:     "retry-after-a-fraction",
			Sentence: "The time to come back is a fraction of a second, which clients that want whole seconds do not read.",
			Turns:    []Turn{warns(contract.RetryAfter, "http:429/**")},
			bend:     failing(func(_ *call, f *failure) { _ = f.saying("Retry-After", "9.72") }, coded(rateLimited)),
		},
		{
			Name:     "no-request-id",
			Sentence: "Errors carry no request id.",
			Turns:    []Turn{notes(contract.RequestID, "**")},
			bend: func(b *bends) {
				b.whole = append(b.whole, func(_ *call, a *wholeAnswer) { a.header.Del("X-Request-ID") })
				b.events = append(b.events, func(c *call, events []byte) []byte {
					c.reply.Header().Del("X-Request-ID")
					return events
				})
			},
		},
		{
			Name:     "no-challenge",
			Sentence: "A 401 does not say how to authenticate.",
			Turns:    []Turn{notes(contract.Challenge, "http:401/**")},
			bend:     failing(func(_ *call, f *failure) { f.header.Del("WWW-Authenticate") }, answered(401)),
		},
		{
			Name:     "no-allow",
			Sentence: "A 405 does not say what the path understands.",
			Turns:    []Turn{notes(contract.Allow, "http:404/unknown-path/*/wrong-method")},
			bend:     failing(func(_ *call, f *failure) { f.header.Del("Allow") }, answered(405)),
		},
	}
}

// page answers with a page of somebody who knows no JSON.
func page(contentType, body string) func(*call, *wholeAnswer) {
	return func(_ *call, a *wholeAnswer) {
		a.header.Set("Content-Type", contentType)
		a.body = []byte(body)
	}
}

// inOpenAI writes the error in OpenAI's envelope, whatever the surface.
func inOpenAI(c *call, a *wholeAnswer) { a.body = convert.EncodeError(dialect.Chat, c.failed.told()) }

// inError edits the members of an answer's error object.
func inError(edit func(map[string]any)) func(*call, *wholeAnswer) {
	return func(_ *call, a *wholeAnswer) { a.body = edited(a.body, edit) }
}

// edited is a body with the members of its error object changed. What has no such object stays as it is.
func edited(body []byte, edit func(map[string]any)) []byte {
	var outer map[string]any
	if json.Unmarshal(body, &outer) != nil {
		return body
	}
	inner, ok := outer["error"].(map[string]any)
	if !ok {
		return body
	}
	edit(inner)
	return written(outer)
}

// written is a value of maps, lists, strings and numbers as JSON, which cannot fail.
func written(v any) []byte {
	body, _ := json.Marshal(v)
	return body
}

// sending sends an answer in a way of its own.
func sending(write func(context.Context, *reply, *wholeAnswer) error) func(*call, *wholeAnswer) {
	return func(_ *call, a *wholeAnswer) { a.write = write }
}

// cutOff announces more than it sends; the server then closes the connection.
func cutOff(_ context.Context, r *reply, a *wholeAnswer) error {
	const more = 100
	r.Header().Set("Content-Length", strconv.Itoa(len(a.body)+more))
	r.WriteHeader(a.status)
	return r.send(a.body)
}

// withoutEnd sends white space after the answer until the caller leaves, or has got more than any caller should take.
func withoutEnd(ctx context.Context, r *reply, a *wholeAnswer) error {
	const enough = 64 << 20
	r.WriteHeader(a.status)
	filler := bytes.Repeat([]byte(" "), 64<<10)
	err := r.send(a.body)
	for sent := 0; err == nil && ctx.Err() == nil && sent < enough; sent += len(filler) {
		err = r.send(filler)
	}
	return err
}
