package contract

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/dialect"
)

// The error bodies of a gateway that keeps the contract.
const (
	openaiNotFound    = `{"error":{"message":"no such model","type":"invalid_request_error","param":null,"code":"model_not_found"}}`
	anthropicNotFound = `{"type":"error","error":{"type":"not_found_error","message":"no such model","code":"model_not_found"}}`
	geminiNotFound    = `{"error":{"code":404,"message":"no such model","status":"NOT_FOUND","details":[{"reason":"model_not_found"}]}}`
)

// openaiError is a conformant error of the gateway's or the upstream's.
func openaiError(code string) string {
	return `{"error":{"message":"m","type":"upstream_error","param":null,"code":"` + code + `"}}`
}

func mustCase(t *testing.T, id string) Case {
	t.Helper()
	c, err := ParseCase(id)
	require.NoError(t, err)
	return c
}

func answer(status int, contentType, body string) Observation {
	return Observation{
		Status: status,
		Header: map[string][]string{"Content-Type": {contentType}, "X-Request-Id": {"req_1"}},
		Body:   Bytes(body), BodySize: int64(len(body)),
	}
}

func jsonAnswer(status int, body string) Observation { return answer(status, "application/json", body) }

func with(o Observation, changes ...func(*Observation)) Observation {
	for _, change := range changes {
		change(&o)
	}
	return o
}

func events(body string, events ...Event) func(*Observation) {
	return func(o *Observation) {
		o.Header["Content-Type"] = []string{"text/event-stream"}
		o.Body = Bytes(body)
		o.Stream = &Stream{Events: events}
	}
}

func findings(c Case, o Observation) []string {
	var lines []string
	for _, f := range Judge(c, o).Findings {
		lines = append(lines, f.String())
	}
	return lines
}

const (
	chatContent = `{"choices":[{"delta":{"content":"Hel"},"finish_reason":null}]}`
	chatFinish  = `{"choices":[{"delta":{},"finish_reason":"stop"}]}`
	chatError   = `{"error":{"message":"the upstream broke off","type":"upstream_error","param":null,"code":"read_response_body_failed"}}`
	claudeError = `{"type":"error","error":{"type":"api_error","message":"the upstream broke off","code":"read_response_body_failed"}}`
)

// judgeRow is an answer and the findings that it leads to.
type judgeRow struct {
	name string
	id   string
	o    Observation
	want []string
}

// judgeTable is the corpus of answers. The golden file of their findings forces a new judge version when one changes.
func judgeTable() []judgeRow {
	return slices.Concat(answerRows(), streamRows(), readingRows(), agreementRows(), upstreamErrorRows(), upstreamFormRows())
}

func answerRows() []judgeRow {
	return []judgeRow{
		{"a conformant OpenAI answer", "code:model_not_found/absent-model/chat", jsonAnswer(404, openaiNotFound), nil},
		{"a conformant Anthropic answer", "code:model_not_found/absent-model/messages", jsonAnswer(404, anthropicNotFound), nil},
		{"a conformant Gemini answer", "code:model_not_found/absent-model/gemini", jsonAnswer(404, geminiNotFound), nil},
		{"a charset in the content type is fine", "code:model_not_found/absent-model/chat", answer(404, "application/json; charset=utf-8", openaiNotFound), nil},
		{"extra fields are fine", "code:model_not_found/absent-model/chat", jsonAnswer(404, strings.Replace(openaiNotFound, `"code"`, `"extra":1,"code"`, 1)), nil},
		{"Gemini's code in error.status", "code:model_not_found/absent-model/gemini",
			jsonAnswer(404, `{"error":{"code":404,"message":"m","status":"model_not_found","details":[]}}`), nil},

		// statuses
		{"a stated status missed within its class", "code:invalid_request/invalid-parameters/chat/wrong-type",
			jsonAnswer(422, `{"error":{"message":"m","type":"t","param":null,"code":"invalid_request"}}`),
			[]string{"MUST status-exact: got 422, want 400"}},
		{"a derived status missed within its class", "code:read_request_body_failed/unreadable-body/chat/oversize",
			jsonAnswer(413, `{"error":{"message":"m","type":"t","param":null,"code":"read_request_body_failed"}}`),
			[]string{"SHOULD status-exact: got 413, want 400"}},
		{"quota as 429 is a warning", "code:insufficient_user_quota/spent-account/chat",
			jsonAnswer(429, `{"error":{"message":"m","type":"t","param":null,"code":"insufficient_user_quota"}}`),
			[]string{"SHOULD status-exact: got 429, want 403"}},
		{"the caller's fault as the gateway's", "code:model_not_found/absent-model/chat", jsonAnswer(503, openaiNotFound),
			[]string{"MUST status-class: got 503, want 404", `SHOULD consistent: got "invalid_request_error", want an error.type that fits status 503`}},
		{"the gateway's fault as the caller's", "code:do_request_failed/unreachable-upstream/chat/reset",
			jsonAnswer(400, `{"error":{"message":"m","type":"t","param":null,"code":"do_request_failed"}}`),
			[]string{"MUST status-class: got 400, want 5xx"}},
		{"a channel's bad key as the caller's", "code:channel:invalid_key/channel-with-bad-key/chat",
			jsonAnswer(401, `{"error":{"message":"m","type":"t","param":null,"code":"channel:invalid_key"}}`),
			[]string{"MUST status-class: got 401, want 5xx", "MUST status-blame: got 401, want a status that does not blame the caller's key",
				"NOTE challenge: got none, want WWW-Authenticate on a 401 (RFC 9110 15.5.2)"}},
		{"token counting may be 400", "code:count_token_failed/uncountable-input/chat",
			jsonAnswer(400, `{"error":{"message":"m","type":"t","param":null,"code":"count_token_failed"}}`), nil},
		{"token counting may be 500", "code:count_token_failed/uncountable-input/chat",
			jsonAnswer(500, `{"error":{"message":"m","type":"t","param":null,"code":"count_token_failed"}}`), nil},
		{"token counting as 403", "code:count_token_failed/uncountable-input/chat",
			jsonAnswer(403, `{"error":{"message":"m","type":"t","param":null,"code":"count_token_failed"}}`),
			[]string{"SHOULD status-exact: got 403, want 400 or 5xx"}},
		{"any 5xx will do", "code:get_channel_failed/no-channel/chat",
			jsonAnswer(507, `{"error":{"message":"m","type":"t","param":null,"code":"get_channel_failed"}}`), nil},
		{"405 for a wrong method", "http:404/unknown-path/chat/wrong-method",
			with(jsonAnswer(405, strings.Replace(openaiNotFound, "model_not_found", "invalid_request", 1)), func(o *Observation) { o.Header["Allow"] = []string{"POST"} }), nil},
		{"405 without Allow is a note", "http:404/unknown-path/chat/wrong-method",
			jsonAnswer(405, strings.Replace(openaiNotFound, "model_not_found", "invalid_request", 1)),
			[]string{"NOTE allow: got none, want Allow on a 405 (RFC 9110 15.5.6)"}},
		{"405 for a path that does not exist", "http:404/unknown-path/chat/no-such-path", jsonAnswer(405, openaiNotFound),
			[]string{"MUST status-exact: got 405, want 404",
				`SHOULD code-known: got "model_not_found", want a code from table 2 that fits the cause, in error.code: invalid_request, invalid_api_type`,
				"SHOULD consistent: got 405, want model_not_found with 404", "NOTE allow: got none, want Allow on a 405 (RFC 9110 15.5.6)"}},
		{"a redirect", "http:404/unknown-path/chat/no-such-path", answer(302, "text/html", ""),
			[]string{"MUST not-success: got 302 with an empty body, want 404", "MUST content-type: got text/html, want application/json",
				`MUST envelope: got empty, want {"error":{"message","type","param","code"}}`}},
		{"200 with an error body", "code:model_not_found/absent-model/chat", jsonAnswer(200, openaiNotFound),
			[]string{`MUST not-success: got 200 with "{\"error\":{\"message\":\"no such model\",\"type\":\"invalid_request_error\",\"param\":null,"…, want 404`}},
		{"200 with an answer", "code:model_not_found/absent-model/chat", jsonAnswer(200, `{"choices":[{"message":{"content":"hi"}}]}`),
			[]string{"MUST not-success: got 200 with an ordinary answer, want 404"}},

		// content type, envelope, message, fields
		{"an HTML page", "http:404/unknown-path/chat/no-such-path", answer(404, "text/html", "<html>"),
			[]string{"MUST content-type: got text/html, want application/json",
				`MUST envelope: got not JSON at byte 1 (invalid character '<' looking for beginning of value): "<html>", want {"error":{"message","type","param","code"}}`}},
		{"an empty body without a content type", "http:429/over-rate-limit/chat", Observation{Status: 429},
			[]string{"MUST content-type: got no Content-Type, want application/json",
				`MUST envelope: got empty, want {"error":{"message","type","param","code"}}`,
				"SHOULD retry-after: got none, want Retry-After in whole seconds (RFC 9110 10.2.3, RFC 6585 4)",
				"NOTE request-id: got none, want a request id in a header field such as X-Request-Id"}},
		{"JSON under text/event-stream", "code:model_not_found/absent-model/chat-stream", answer(404, "text/event-stream", openaiNotFound),
			[]string{"MUST content-type: got text/event-stream, want application/json"}},
		{"the OpenAI envelope on the Anthropic route", "code:model_not_found/absent-model/messages", jsonAnswer(404, openaiNotFound),
			[]string{`MUST envelope: got the outer "type" is not "error", want {"type":"error","error":{"type","message"}}`}},
		{"the OpenAI envelope on the Gemini route", "code:model_not_found/absent-model/gemini", jsonAnswer(404, openaiNotFound),
			[]string{`MUST envelope: got error.code is not an integer, want {"error":{"code":<int>,"message","status","details"}}`,
				`MUST envelope: got error.status is missing, empty or not a string, want {"error":{"code":<int>,"message","status","details"}}`,
				`SHOULD code-place: got it in error.code, want "model_not_found" in error.details[].reason or error.status`}},
		{"the code in Anthropic's error.type", "code:model_not_found/absent-model/messages",
			jsonAnswer(404, `{"type":"error","error":{"type":"model_not_found","message":"m"}}`),
			[]string{`SHOULD code-place: got it in error.type, want "model_not_found" in error.code or error.details.error_code`}},
		{"the code lost in the Anthropic dialect", "code:model_not_found/absent-model/messages",
			jsonAnswer(404, `{"type":"error","error":{"type":"not_found_error","message":"m"}}`),
			[]string{`MUST code: got no code, want "model_not_found" in error.code or error.details.error_code`}},
		{"an error that is a string", "code:model_not_found/absent-model/chat", jsonAnswer(404, `{"error":"boom"}`),
			[]string{`MUST envelope: got "error" is a string, not an object, want {"error":{"message","type","param","code"}}`,
				`MUST code: got no error object, want "model_not_found"`}},
		{"an array", "http:404/unknown-model/chat", jsonAnswer(404, `[{"error":{}}]`),
			[]string{`MUST envelope: got an array, not an object, want {"error":{"message","type","param","code"}}`}},
		{"a problem document", "http:404/unknown-model/chat", answer(404, "application/problem+json", `{"title":"t"}`),
			[]string{"MUST content-type: got application/problem+json, want application/json",
				`MUST envelope: got an object without "error" (keys: title), want {"error":{"message","type","param","code"}}`}},
		{"the key error twice", "http:404/unknown-model/chat", jsonAnswer(404, `{"error":{},"error":{}}`),
			[]string{`MUST envelope: got an object with the duplicate key "error", want {"error":{"message","type","param","code"}}`}},
		{"a message that is an object", "code:model_not_found/absent-model/chat", jsonAnswer(404, strings.Replace(openaiNotFound, `"no such model"`, `{"a":1}`, 1)),
			[]string{`MUST message: got {"a":1}, want a non-empty string`}},
		{"a blank message", "code:model_not_found/absent-model/chat", jsonAnswer(404, strings.Replace(openaiNotFound, `no such model`, `  `, 1)),
			[]string{`MUST message: got "  ", want a non-empty string`}},
		{"no message at all", "code:model_not_found/absent-model/chat", jsonAnswer(404, strings.Replace(openaiNotFound, `"message"`, `"msg"`, 1)),
			[]string{`MUST message: got nothing, want a non-empty string`}},
		{"a numeric code", "code:model_not_found/absent-model/chat", jsonAnswer(404, strings.Replace(openaiNotFound, `"model_not_found"`, `1113`, 1)),
			[]string{`MUST code: got 1113, want "model_not_found" in error.code`, "SHOULD fields: got 1113, want code as a string or null"}},
		{"a foreign code", "code:model_not_found/absent-model/chat", jsonAnswer(404, strings.Replace(openaiNotFound, `model_not_found`, `not_found`, 1)),
			[]string{`MUST code: got "not_found", want "model_not_found" in error.code`}},
		{"an empty code on a row of table 1", "http:404/unknown-model/chat", jsonAnswer(404, strings.Replace(openaiNotFound, `model_not_found`, ``, 1)),
			[]string{`SHOULD code-known: got "", want a code from table 2 that fits the cause, in error.code: model_not_found`}},
		{"missing fields", "code:model_not_found/absent-model/chat", jsonAnswer(404, `{"error":{"message":"m","code":"model_not_found"}}`),
			[]string{"SHOULD fields: got no type, want type in the error object", "SHOULD fields: got no param, want param in the error object"}},
		{"a type that is <nil>", "code:model_not_found/absent-model/chat", jsonAnswer(404, strings.Replace(openaiNotFound, `invalid_request_error`, `<nil>`, 1)),
			[]string{`SHOULD fields: got "\u003cnil\u003e", want type as a string that names the kind of error`}},
		{"an answer that broke off", "code:model_not_found/absent-model/chat",
			with(jsonAnswer(404, openaiNotFound), func(o *Observation) { o.TransferError = "unexpected EOF" }),
			[]string{"MUST whole: got a response that was cut off: unexpected EOF, want a complete error response"}},
		{"an endless answer", "code:model_not_found/absent-model/chat",
			with(jsonAnswer(404, openaiNotFound), func(o *Observation) { o.Cut = "more than 4 MiB" }),
			[]string{"MUST whole: got a response that does not end: more than 4 MiB, want a complete error response"}},

		// 429
		{"a whole 429", "http:429/over-rate-limit/chat",
			with(jsonAnswer(429, `{"error":{"message":"m","type":"t","param":null,"code":null}}`), func(o *Observation) { o.Header["Retry-After"] = []string{"7"} }), nil},
		{"Retry-After as a fraction", "http:429/over-rate-limit/chat",
			with(jsonAnswer(429, `{"error":{"message":"m","type":"t","param":null,"code":null}}`), func(o *Observation) { o.Header["Retry-After"] = []string{"1.5"} }),
			[]string{`SHOULD retry-after: got "1.5", want Retry-After in whole seconds (RFC 9110 10.2.3, RFC 6585 4)`}},
		{"a limit that never came", "http:429/over-rate-limit/chat", jsonAnswer(200, `{"choices":[{}]}`),
			[]string{"MUST not-success: got 200 with an ordinary answer, want 429"}},

		// no answer
		{"a closed connection", "code:read_request_body_failed/unreadable-body/chat/short-body",
			Observation{Failure: &Failure{Closed, "EOF"}}, []string{"SHOULD answered: got closed: EOF, want an HTTP response with status 400"}},
		{"a connection that is closed on the upstream's short body", "code:read_response_body_failed/truncated-upstream-response/chat/short-body",
			Observation{Failure: &Failure{Closed, "EOF"}}, []string{"MUST answered: got closed: EOF, want an HTTP response with status 5xx"}},
		{"a short body that nobody answers in time", "code:read_request_body_failed/unreadable-body/chat/short-body",
			Observation{Failure: &Failure{TimedOut, "30s"}}, []string{"MUST answered: got timed-out: 30s, want an HTTP response with status 400"}},
		{"a closed connection for a whole body", "code:read_request_body_failed/unreadable-body/chat/oversize",
			Observation{Failure: &Failure{Closed, "EOF"}}, []string{"MUST answered: got closed: EOF, want an HTTP response with status 400"}},
		{"a form told as unreadable", "code:bad_request_body/malformed-body/chat/form-body",
			jsonAnswer(400, `{"error":{"message":"m","type":"t","param":null,"code":"read_request_body_failed"}}`), nil},
		{"a form refused with 415", "code:bad_request_body/malformed-body/chat/form-body",
			jsonAnswer(415, `{"error":{"message":"m","type":"t","param":null,"code":"bad_request_body"}}`), []string{"SHOULD status-exact: got 415, want 400"}},
		{"a form refused with 415 as unreadable", "code:bad_request_body/malformed-body/chat/form-body",
			jsonAnswer(415, `{"error":{"message":"m","type":"t","param":null,"code":"read_request_body_failed"}}`), []string{"SHOULD status-exact: got 415, want 400"}},
		{"JSON told as unreadable", "code:bad_request_body/malformed-body/chat/cut-json",
			jsonAnswer(400, `{"error":{"message":"m","type":"t","param":null,"code":"read_request_body_failed"}}`),
			[]string{`MUST code: got "read_request_body_failed", want "bad_request_body" in error.code`}},

		// streams
		{"an error event after content", "code:read_response_body_failed/truncated-upstream-response/chat-stream/cut-stream",
			with(answer(200, "", ""), events("data: x", Event{Data: Bytes(chatContent)}, Event{Data: Bytes(chatError)})), nil},
		{"Anthropic's error event", "code:read_response_body_failed/truncated-upstream-response/messages-stream/cut-stream",
			with(answer(200, "", ""), events("event: x", Event{Name: "content_block_delta", Data: Bytes(`{"type":"content_block_delta"}`)}, Event{Name: "error", Data: Bytes(claudeError)})), nil},
		{"Anthropic's error without its name", "code:read_response_body_failed/truncated-upstream-response/messages-stream/cut-stream",
			with(answer(200, "", ""), events("event: x", Event{Data: Bytes(claudeError)})),
			[]string{`MUST stream-error: got event: "", want event: error`}},
		{"[DONE] after the error", "code:read_response_body_failed/truncated-upstream-response/chat-stream/cut-stream",
			with(answer(200, "", ""), events("data: x", Event{Data: Bytes(chatContent)}, Event{Data: Bytes(chatError)}, Event{Data: Bytes("[DONE]")})),
			[]string{"MUST stream-end: got [DONE], want nothing after the error event"}},
		{"error is not the first key", "code:read_response_body_failed/truncated-upstream-response/chat-stream/cut-stream",
			with(answer(200, "", ""), events("data: x", Event{Data: Bytes(`{"id":"x",` + chatError[1:])})),
			[]string{`MUST stream-error: got 2 keys, "id" first, want data with "error" as its first and only key`}},
		{"a flat error event", "code:read_response_body_failed/truncated-upstream-response/chat-stream/cut-stream",
			with(answer(200, "", ""), events("data: x", Event{Data: Bytes(chatContent)}, Event{Name: "error", Data: Bytes(`{"code":"read_response_body_failed","message":"m"}`)})),
			[]string{`MUST envelope: got an object without "error" (keys: code, message), want {"error":{"message","type","param","code"}}`,
				`MUST code: got no error object, want "read_response_body_failed"`}},
		{"a fabricated [DONE]", "code:read_response_body_failed/truncated-upstream-response/chat-stream/cut-stream",
			with(answer(200, "", ""), events("data: x", Event{Data: Bytes(chatContent)}, Event{Data: Bytes("[DONE]")})),
			[]string{"MUST stream-end: got a clean end with [DONE], want an error event, or a visibly broken transfer"}},
		{"a fabricated finish", "code:read_response_body_failed/truncated-upstream-response/chat-stream/ended-early",
			with(answer(200, "", ""), events("data: x", Event{Data: Bytes(chatContent)}, Event{Data: Bytes(chatFinish)})),
			[]string{"MUST stream-end: got a clean end with a finish event, want an error event, or a visibly broken transfer"}},
		{"a clean end without a word", "code:read_response_body_failed/truncated-upstream-response/chat-stream/cut-stream",
			with(answer(200, "", ""), events("data: x", Event{Data: Bytes(chatContent)})),
			[]string{"MUST stream-end: got a clean end without an error, want an error event, or a visibly broken transfer"}},
		{"a broken transfer stands in for the event", "code:read_response_body_failed/truncated-upstream-response/chat-stream/cut-stream",
			with(with(answer(200, "", ""), events("data: x", Event{Data: Bytes(chatContent)})), func(o *Observation) { o.TransferError = "unexpected EOF" }),
			[]string{"SHOULD stream-error: got a broken transfer: unexpected EOF, want the API format's own error event"}},
		{"a finish, then a broken transfer", "code:read_response_body_failed/truncated-upstream-response/chat-stream/cut-stream",
			with(with(answer(200, "", ""), events("data: x", Event{Data: Bytes(chatFinish)})), func(o *Observation) { o.TransferError = "unexpected EOF" }),
			[]string{"MUST stream-end: got a finish event before the stream was cut off: unexpected EOF, want an error event, or a visibly broken transfer"}},
		{"an error that comes as the first event of a 200", "code:model_not_found/absent-model/chat-stream",
			with(answer(200, "", ""), events("data: x", Event{Data: Bytes(openaiNotFound)})),
			[]string{"MUST not-success: got 200 text/event-stream that contains the error, want 404 as JSON, because the gateway can detect this error before it calls the upstream"}},
		{"an error after a keep-alive comment", "code:channel:response_time_exceeded/slow-upstream/chat-stream/no-answer",
			with(answer(200, "", ""), events(": ping\n\ndata: x", Event{Data: Bytes(strings.Replace(chatError, "read_response_body_failed", "channel:response_time_exceeded", 1))})), nil},
		{"an empty 200 stream", "code:empty_response/empty-upstream-response/chat-stream/empty-stream",
			with(answer(200, "", ""), events("")),
			[]string{"MUST not-success: got 200 with an empty event stream, want 5xx"}},
		{"an ordinary stream", "code:model_not_found/absent-model/chat-stream",
			with(answer(200, "", ""), events("data: x", Event{Data: Bytes(chatContent)}, Event{Data: Bytes(chatFinish)}, Event{Data: Bytes("[DONE]")})),
			[]string{"MUST not-success: got 200 with an ordinary stream, want 404"}},
		{"a stream that goes on for ever", "code:channel:response_time_exceeded/slow-upstream/chat-stream/stalled-answer",
			with(with(answer(200, "", ""), events("data: x", Event{Data: Bytes(chatContent)})), func(o *Observation) { o.Cut = "no byte for 45s" }),
			[]string{"MUST answered: got a stream that does not end: no byte for 45s, want an error event, or a visibly broken transfer"}},
		{"a breach of the stream's format", "code:read_response_body_failed/truncated-upstream-response/chat-stream/cut-stream",
			with(with(answer(200, "", ""), events("data: x", Event{Data: Bytes(chatContent)}, Event{Data: Bytes(chatError)})), func(o *Observation) { o.Stream.Violations = []string{"invalid UTF-8 in event 1"} }),
			[]string{"SHOULD stream-format: got invalid UTF-8 in event 1, want a well-formed event stream (WHATWG HTML 9.2.6)"}},

		// secrecy
		{"a leaked key", "code:model_not_found/absent-model/chat",
			with(jsonAnswer(404, openaiNotFound), func(o *Observation) { o.Leaks = []Leak{{"upstream key", "body"}} }),
			[]string{"MUST secrecy: got the upstream key in body, want no secrets or internals"}},
		{"leaked SQL", "code:model_not_found/absent-model/chat", jsonAnswer(404, strings.Replace(openaiNotFound, "no such model", "SELECT id FROM users WHERE", 1)),
			[]string{`MUST secrecy: got SQL ("SELECT id FROM ") in the body, want no secrets or internals`}},

		// effects
		{"a refused request that reached the upstream", "http:401/missing-key/chat",
			with(jsonAnswer(401, strings.Replace(openaiNotFound, "model_not_found", "access_denied", 1)), func(o *Observation) {
				o.Header["Www-Authenticate"] = []string{"Bearer"}
				o.Upstream = &Seen{Attempts: []Attempt{{}}}
			}),
			[]string{"SHOULD upstream-unused: got the upstream was called once, want no call to the upstream"}},
		{"a refused request that reached the upstream later", "http:401/missing-key/chat",
			with(jsonAnswer(401, strings.Replace(openaiNotFound, "model_not_found", "access_denied", 1)), func(o *Observation) {
				o.Header["Www-Authenticate"] = []string{"Bearer"}
				o.Upstream = &Seen{Attempts: []Attempt{{Late: true}}}
			}),
			[]string{"SHOULD upstream-unused: got the upstream was called once, after the gateway had answered, want no call to the upstream"}},
		{"retries that go on after the answer", "http:5xx/upstream-error/chat/error-object",
			with(jsonAnswer(502, openaiError("bad_response_status_code")), func(o *Observation) {
				o.Upstream = &Seen{Attempts: []Attempt{{}, {}, {Late: true}}, Bound: 2}
			}),
			[]string{"SHOULD retries-bounded: got 3, 1 of them after the gateway had answered, want at most 2 upstream attempts"}},
		{"a retry after the answer, within bounds", "http:5xx/upstream-error/chat/error-object",
			with(jsonAnswer(502, openaiError("bad_response_status_code")), func(o *Observation) { o.Upstream = &Seen{Attempts: []Attempt{{}, {Late: true}}, Bound: 2} }),
			nil},
		{"others that are not served any more", "http:401/missing-key/chat",
			with(jsonAnswer(401, strings.Replace(openaiNotFound, "model_not_found", "access_denied", 1)), func(o *Observation) {
				o.Header["Www-Authenticate"] = []string{"Bearer"}
				o.Aftermath = &Aftermath{After: 75 * time.Second, Detail: "503"}
			}),
			[]string{"SHOULD no-collateral: got none succeeded: 503, want healthy calls to succeed within 1m15s"}},
		{"others that are served after a while", "http:401/missing-key/chat",
			with(jsonAnswer(401, strings.Replace(openaiNotFound, "model_not_found", "access_denied", 1)), func(o *Observation) {
				o.Header["Www-Authenticate"] = []string{"Bearer"}
				o.Aftermath = &Aftermath{Served: true, After: 20 * time.Second}
			}),
			nil},
		{"retries that multiply", "http:5xx/upstream-error/chat/error-object",
			with(jsonAnswer(502, openaiError("bad_response_status_code")), func(o *Observation) { o.Upstream = &Seen{Attempts: make([]Attempt, 3), Bound: 2} }),
			[]string{"SHOULD retries-bounded: got 3, want at most 2 upstream attempts"}},
		{"a call to the upstream that nobody cancelled", "code:channel:response_time_exceeded/slow-upstream/chat/no-answer",
			with(jsonAnswer(504, openaiError("channel:response_time_exceeded")), func(o *Observation) { o.Upstream = &Seen{Attempts: []Attempt{{Open: true}}} }),
			[]string{"SHOULD upstream-freed: got upstream call 1 still open, want the upstream call to be cancelled"}},
		{"a failed request that cost something", "http:5xx/upstream-error/chat/error-object",
			with(jsonAnswer(502, openaiError("bad_response_status_code")), func(o *Observation) { o.Balance = &Balance{Before: 100, After: 90} }),
			[]string{"SHOULD not-billed: got a charge of 10, want a failed request to cost nothing"}},

		{"everything wrong at once is reported at once", "code:channel:invalid_key/channel-with-bad-key/chat",
			Observation{Status: 403, Header: map[string][]string{"Content-Type": {"text/plain"}}, Body: Bytes(`{"error":{"message":"","code":7}}`), Leaks: []Leak{{"upstream key", "header X-Debug"}}},
			[]string{"MUST status-class: got 403, want 5xx", "MUST status-blame: got 403, want a status that does not blame the caller's key",
				"MUST content-type: got text/plain, want application/json", `MUST message: got "", want a non-empty string`,
				`MUST code: got 7, want "channel:invalid_key" in error.code`, "SHOULD fields: got no type, want type in the error object",
				"SHOULD fields: got no param, want param in the error object", "SHOULD fields: got 7, want code as a string or null",
				"NOTE request-id: got none, want a request id in a header field such as X-Request-Id",
				"MUST secrecy: got the upstream key in header X-Debug, want no secrets or internals"}},
	}
}

func TestJudge(t *testing.T) {
	for _, tt := range judgeTable() {
		t.Run(tt.name, func(t *testing.T) {
			c := mustCase(t, tt.id)
			assert.Equal(t, tt.want, findings(c, tt.o))

			// The verdict must follow from the log as it did from the wire.
			raw, err := json.Marshal(tt.o)
			require.NoError(t, err)
			var back Observation
			require.NoError(t, json.Unmarshal(raw, &back))
			assert.Equal(t, tt.want, findings(c, back), "judged again from the log")
			assertResultsAgree(t, Judge(c, tt.o))
		})
	}
}

func TestJudgeHasNoMercyForACaseThatDoesNotExist(t *testing.T) {
	got := Judge(Case{Row: "http:404", Circumstance: "made-up", Surface: dialect.Chat}, jsonAnswer(404, openaiNotFound))
	assert.Equal(t, Fail, VerdictOf(got.Findings))
	assertResultsAgree(t, got)
}

// assertResultsAgree checks that a judgement has a finding of every violated requirement, and of no other.
func assertResultsAgree(t *testing.T, j Judgement) {
	t.Helper()
	found := map[Requirement]bool{}
	for _, f := range j.Findings {
		found[f.Requirement] = true
		assert.Equal(t, Violated, j.Results[f.Requirement], f)
	}
	for r, result := range j.Results {
		assert.Equal(t, found[r], result == Violated, r)
		_, ok := r.Details()
		assert.True(t, ok, r)
	}
}

func TestResultsSayWhatAnAnswerLeavesUntested(t *testing.T) {
	const cutStream = "code:read_response_body_failed/truncated-upstream-response/chat-stream/cut-stream"
	seen := &Seen{Attempts: []Attempt{{Status: 200}}}
	for _, tt := range []struct {
		name           string
		id             string
		o              Observation
		held, untested []Requirement
	}{
		{
			"a stream that ends without a word says nothing about status, code and envelope", cutStream,
			with(answer(200, "", ""), events("data: x", Event{Data: Bytes(chatContent)})),
			[]Requirement{Answered, StreamFormat, Secrecy},
			[]Requirement{NotSuccess, StatusClass, StatusExact, Code, Envelope, Message, Fields, NotBilled, RetriesBounded},
		},
		{
			"the status of a stream that has begun was sent before the error", cutStream,
			with(answer(200, "", ""), events("data: x", Event{Data: Bytes(chatContent)}, Event{Data: Bytes(chatError)})),
			[]Requirement{Answered, NotSuccess, Code, CodePlace, Envelope, Message, Fields, StreamError, StreamEnd, Secrecy},
			[]Requirement{StatusClass, StatusExact, NotBilled, RetriesBounded},
		},
		{
			"a broken transfer cannot carry a code", cutStream,
			with(answer(200, "", ""), events("data: x", Event{Data: Bytes(chatContent)}), func(o *Observation) { o.TransferError = "unexpected EOF" }),
			[]Requirement{Answered, NotSuccess, StreamEnd, Secrecy}, []Requirement{StatusClass, Code, Envelope, Message},
		},
		{
			"a success leaves everything about the error untested", "code:model_not_found/absent-model/chat",
			jsonAnswer(200, `{"choices":[{"message":{"content":"hi"}}]}`),
			[]Requirement{Answered, Secrecy}, []Requirement{StatusClass, StatusExact, Code, Envelope, Message, Fields, RetriesBounded},
		},
		{
			"so does a connection that closes", "code:model_not_found/absent-model/chat",
			Observation{Failure: &Failure{Closed, "EOF"}},
			nil, []Requirement{NotSuccess, StatusClass, Code, Envelope, Message, Secrecy, RetriesBounded},
		},
		{
			"a body that is not an error object", "http:404/unknown-model/chat", answer(404, "text/html", "<html>"),
			[]Requirement{Answered, NotSuccess, StatusClass, StatusExact, Whole, Secrecy}, []Requirement{CodeKnown, Message, Fields, RetriesBounded},
		},
		{
			"a 500 where a 429 was due has no need of Retry-After", "http:429/over-rate-limit/chat",
			jsonAnswer(500, `{"error":{"message":"m","type":"t","param":null,"code":null}}`),
			[]Requirement{Answered, NotSuccess, Envelope, Message, Fields, Secrecy}, []Requirement{RetryAfter, UpstreamUnused, RetriesBounded},
		},
		{
			"the effects, where they can be seen", "code:bad_response/bad-upstream-response/chat/html",
			with(jsonAnswer(502, `{"error":{"message":"m","type":"t","param":null,"code":"bad_response"}}`), func(o *Observation) { o.Upstream, o.Balance = seen, &Balance{1, 1} }),
			[]Requirement{Answered, NotSuccess, StatusClass, StatusExact, Code, CodePlace, Envelope, Message, Fields, Secrecy, RetriesBounded, NotBilled}, nil,
		},
		{
			"a slow upstream is not asked what it cost", "code:channel:response_time_exceeded/slow-upstream/chat/no-answer",
			with(jsonAnswer(504, `{"error":{"message":"m","type":"t","param":null,"code":"channel:response_time_exceeded"}}`), func(o *Observation) { o.Upstream = seen }),
			[]Requirement{Code, RetriesBounded, UpstreamFreed}, nil,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			j := Judge(mustCase(t, tt.id), tt.o)
			var untested []Requirement
			for _, r := range Requirements() {
				if j.Results[r] == Untested {
					untested = append(untested, r)
				}
			}
			for _, r := range tt.held {
				assert.Equal(t, Held, j.Results[r], r)
			}
			for _, r := range tt.untested {
				assert.Contains(t, untested, r)
			}
			if tt.untested == nil {
				assert.Empty(t, untested)
			}
		})
	}
}

func TestVerdictOf(t *testing.T) {
	assert.Equal(t, Pass, VerdictOf(nil))
	assert.Equal(t, Pass, VerdictOf([]Finding{{Level: Note}}), "a note never changes a verdict")
	assert.Equal(t, Warn, VerdictOf([]Finding{{Level: Note}, {Level: Should}}))
	assert.Equal(t, Fail, VerdictOf([]Finding{{Level: Should}, {Level: Must}}))
	assert.Equal(t, Fail, VerdictOf([]Finding{{Level: "made up"}}), "an unknown severity never makes anything better")
}

func TestReached(t *testing.T) {
	relayed := mustCase(t, "http:5xx/upstream-error/chat/error-object")
	ok, reason := Reached(relayed, Observation{Status: 401, Body: Bytes("no"), Upstream: &Seen{}})
	assert.False(t, ok)
	assert.Equal(t, `the gateway never called the upstream; it answered 401 with "no"`, reason)
	ok, _ = Reached(relayed, Observation{Upstream: &Seen{Attempts: []Attempt{{}}}})
	assert.True(t, ok)
	ok, _ = Reached(mustCase(t, "code:do_request_failed/unreachable-upstream/chat/refused"), Observation{Upstream: &Seen{}})
	assert.True(t, ok, "nobody can see a call that was refused")
}

func TestHealthy(t *testing.T) {
	for _, tt := range []struct {
		name    string
		surface dialect.Surface
		o       Observation
		want    string
	}{
		{"a chat answer", dialect.Chat, jsonAnswer(200, `{"choices":[{"message":{}}]}`), ""},
		{"a chat answer without a word of text", dialect.Chat, jsonAnswer(200, `{"choices":[{"finish_reason":"length"}]}`), ""},
		{"no choices", dialect.Chat, jsonAnswer(200, `{"choices":[]}`), `200, but not JSON with a non-empty "choices": "{\"choices\":[]}"`},
		{"an error in a 200", dialect.Chat, jsonAnswer(200, `{"error":{"message":"m"},"choices":[{}]}`), `200, but not JSON with a non-empty "choices": "{\"error\":{\"message\":\"m\"},\"choices\":[{}]}"`},
		{"an error that is null", dialect.Chat, jsonAnswer(200, `{"error":null,"choices":[{}]}`), ""},
		{"HTML", dialect.Chat, answer(200, "text/html", "<html>"), `200, but not JSON with a non-empty "choices": "<html>"`},
		{"a status", dialect.Messages, jsonAnswer(401, ``), `401 with an empty body`},
		{"nothing", dialect.Messages, Observation{Failure: &Failure{Unreachable, "refused"}}, `no response (unreachable: refused)`},
		{"a stream with a finish", dialect.ChatStream, with(answer(200, "", ""), events("d", Event{Data: Bytes(chatContent)}, Event{Data: Bytes(chatFinish)})), ""},
		{"a stream that stops", dialect.ChatStream, with(answer(200, "", ""), events("d", Event{Data: Bytes(`{"choices":[{}]}`)})),
			`200, but not a complete event stream: no finish event; the last event is "{\"choices\":[{}]}"`},
		{"a stream with an error behind content", dialect.ChatStream,
			with(answer(200, "", ""), events("d", Event{Data: Bytes(chatContent)}, Event{Data: Bytes(`{"error":{"message":"m"}}`)})),
			`200, but not a complete event stream: event 2 is an error: "{\"error\":{\"message\":\"m\"}}"`},
		{"a stream with text in it", dialect.ChatStream, with(answer(200, "", ""), events("d", Event{Data: Bytes("oops")})),
			`200, but not a complete event stream: an event that is not JSON: "oops"`},
		{"JSON where a stream was asked for", dialect.ChatStream, jsonAnswer(200, `{"choices":[{}]}`), `200, but not a complete event stream: "{\"choices\":[{}]}"`},
		{"a responses stream", dialect.ResponsesStream, with(answer(200, "", ""), events("d", Event{Data: Bytes(`{"type":"response.output_text.delta"}`)}, Event{Data: Bytes(`{"type":"response.completed"}`)})), ""},
		{"a Gemini stream", dialect.GenerateStream, with(answer(200, "", ""), events("d", Event{Data: Bytes(`{"candidates":[{"finishReason":"STOP"}]}`)})), ""},
		{"embeddings", dialect.Embeddings, jsonAnswer(200, `{"data":[{}]}`), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ok, reason := IsSuccess(tt.surface, tt.o)
			assert.Equal(t, tt.want == "", ok)
			assert.Equal(t, tt.want, reason)
		})
	}
}

func TestBytesSurviveJSON(t *testing.T) {
	for _, content := range []Bytes{nil, Bytes("text"), Bytes("\xff\xfe\x00"), Bytes(`{"base64":"x"}`)} {
		raw, err := json.Marshal(content)
		require.NoError(t, err)
		var back Bytes
		require.NoError(t, json.Unmarshal(raw, &back))
		assert.Equal(t, string(content), string(back))
	}
	var b Bytes
	require.Error(t, b.UnmarshalJSON([]byte(`{"base64":7}`)))
	require.Error(t, b.UnmarshalJSON([]byte(`{"other":"x"}`)))
	require.Error(t, b.UnmarshalJSON([]byte(`7`)))
}

// FuzzJudge feeds the judge hostile answers: it never panics, and what it says does not change through the log.
func FuzzJudge(f *testing.F) {
	f.Add(404, "application/json", openaiNotFound, uint(0))
	f.Add(200, "text/event-stream", "data: {\"error\":1}\n\n", uint(1))
	f.Add(500, "", strings.Repeat(`{"error":`, 100), uint(300))
	cases := Cases()
	f.Fuzz(func(t *testing.T, status int, contentType, body string, pick uint) {
		c := cases[pick%uint(len(cases))]
		o := answer(status, contentType, body)
		if strings.HasPrefix(contentType, "text/event-stream") {
			o.Stream = &Stream{}
			for part := range strings.SplitSeq(body, "\n\n") {
				o.Stream.Events = append(o.Stream.Events, Event{At: time.Millisecond, Data: Bytes(part)})
			}
		}
		once := Judge(c, o)
		assert.Equal(t, once, Judge(c, o), "the judge is pure")
		assertResultsAgree(t, once)
		if status/100 == 2 && VerdictOf(once.Findings).Conformant() {
			require.NotNil(t, o.Stream, "a 2xx is conformant only as a stream that had begun")
		}
	})
}

func BenchmarkJudge(b *testing.B) {
	for _, bench := range []struct {
		name string
		c    Case
		o    Observation
	}{
		{"conformant", Case{"code:model_not_found", "absent-model", dialect.Chat, ""}, jsonAnswer(404, openaiNotFound)},
		{"gemini", Case{"code:model_not_found", "absent-model", dialect.GenerateContent, ""}, jsonAnswer(404, geminiNotFound)},
		{"html", Case{"code:model_not_found", "absent-model", dialect.Chat, ""}, answer(502, "text/html", strings.Repeat("<p>bad gateway</p>", 50))},
		{"stream", Case{"code:read_response_body_failed", "truncated-upstream-response", dialect.ChatStream, "cut-stream"},
			with(answer(200, "", ""), events("data: x", Event{Data: Bytes(chatContent)}, Event{Data: Bytes(chatContent)}, Event{Data: Bytes(chatError)}))},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_ = Judge(bench.c, bench.o)
			}
		})
	}
}
