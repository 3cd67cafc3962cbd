package contract

import (
	"encoding/json"
	"strings"
)

const (
	geminiError  = `{"error":{"code":500,"message":"the upstream broke off","status":"INTERNAL","details":[{"reason":"read_response_body_failed"}]}}`
	slowStream   = "code:channel:response_time_exceeded/slow-upstream/chat-stream/no-answer"
	cutResponses = "code:read_response_body_failed/truncated-upstream-response/responses-stream/cut-stream"
)

// slowError is a stream whose only event is an error, after the given bytes.
func slowError(before string) Observation {
	data := strings.Replace(chatError, "read_response_body_failed", "channel:response_time_exceeded", 1)
	return with(answer(200, "", ""), events(before+"data: "+data+"\n\n", Event{Data: Bytes(data)}))
}

// claudeStream and responsesStream are streams of events whose names are their types, as the APIs have them.
func claudeStream(data ...string) Observation { return typedStream(data...) }

func responsesStream(data ...string) Observation {
	return typedStream(append([]string{`{"type":"response.output_text.delta"}`}, data...)...)
}

func typedStream(data ...string) Observation {
	var list []Event
	for _, d := range data {
		var typed struct{ Type string }
		_ = json.Unmarshal([]byte(d), &typed) // [DONE] has no type, and an event without type no name
		list = append(list, Event{Name: typed.Type, Data: Bytes(d)})
	}
	return with(answer(200, "", ""), events("event: x", list...))
}

// streamRows are answers to streaming requests.
func streamRows() []judgeRow {
	return []judgeRow{
		// streams: where an error may be told
		{"a refused key told in a stream that began with content", "http:401/missing-key/chat-stream",
			with(answer(200, "", ""), events("data: x", Event{Data: Bytes(chatContent)}, Event{Data: Bytes(strings.Replace(openaiNotFound, "model_not_found", "access_denied", 1))})),
			[]string{"MUST not-success: got 200 text/event-stream that contains the error, want 401 as JSON, because the gateway can detect this error before it calls the upstream"}},
		{"a missing model told in a stream after a comment", "http:400/missing-parameter/chat-stream/no-model",
			with(answer(200, "", ""), events(": hi\n\ndata: x", Event{Data: Bytes(strings.Replace(openaiNotFound, "model_not_found", "invalid_request", 1))})),
			[]string{"MUST not-success: got 200 text/event-stream that contains the error, want 400 as JSON, because the gateway can detect this error before it calls the upstream"}},
		{"a bad parameter that the upstream found, told in a stream that has begun", "code:invalid_request/invalid-parameters/chat-stream/out-of-range",
			with(answer(200, "", ""), events(": hi\n\ndata: x", Event{Data: Bytes(strings.Replace(openaiNotFound, "model_not_found", "invalid_request", 1))}),
				func(o *Observation) { o.Upstream = &Seen{Attempts: []Attempt{{Status: 400}}} }), nil},
		{"an upstream that cannot be reached, told in a stream that has begun", "code:do_request_failed/unreachable-upstream/chat-stream/refused",
			with(answer(200, "", ""), events(": hi\n\ndata: x", Event{Data: Bytes(strings.Replace(chatError, "read_response_body_failed", "do_request_failed", 1))})), nil},
		{"a refused key told by a stream that breaks off", "http:401/missing-key/chat-stream",
			with(answer(200, "", ""), events("data: x", Event{Data: Bytes(chatContent)}), func(o *Observation) { o.TransferError = "unexpected EOF" }),
			[]string{"MUST not-success: got 200 text/event-stream that broke off: unexpected EOF, want 401 as JSON, because the gateway can detect this error before it calls the upstream"}},
		{"begun with a retry field", slowStream, slowError("retry: 3000\n\n"), nil},
		{"begun with a retry field of the same event", slowStream, slowError("retry: 3000\n"), nil},
		{"begun with an id", slowStream, slowError("id: 0\n"), nil},
		{"begun with a blank line", slowStream, slowError("\n"), nil},
		{"begun with a blank line that ends in CR LF", slowStream, slowError("\r\n"), nil},
		{"begun with a byte order mark", slowStream, slowError("\uFEFF"), nil},
		{"begun with an event that has no data", slowStream, slowError("event: ping\n\n"), nil},
		{"not begun: the event field belongs to the error", slowStream, slowError("event: message\n"),
			[]string{"MUST not-success: got 200 text/event-stream that begins with the error, want 5xx as JSON, before any byte of the stream"}},

		// streams: what stands before and after the error
		{"a finish before the error", "code:read_response_body_failed/truncated-upstream-response/chat-stream/cut-stream",
			with(answer(200, "", ""), events("data: x", Event{Data: Bytes(chatContent)}, Event{Data: Bytes(chatFinish)}, Event{Data: Bytes(chatError)})),
			[]string{"MUST stream-end: got a finish event, want no finish event before the error event"}},
		{"[DONE] before the error", "code:read_response_body_failed/truncated-upstream-response/chat-stream/cut-stream",
			with(answer(200, "", ""), events("data: x", Event{Data: Bytes(chatContent)}, Event{Data: Bytes(chatFinish)}, Event{Data: Bytes("[DONE]")}, Event{Data: Bytes(chatError)})),
			[]string{"MUST stream-end: got [DONE], want no finish event before the error event"}},
		{"a stop reason before Anthropic's error", "code:read_response_body_failed/truncated-upstream-response/messages-stream/cut-stream",
			claudeStream(`{"type":"content_block_delta"}`, `{"type":"message_delta","delta":{"stop_reason":"end_turn"}}`, claudeError),
			[]string{"MUST stream-end: got a finish event, want no finish event before the error event"}},
		{"usage before and after Anthropic's error", "code:read_response_body_failed/truncated-upstream-response/messages-stream/cut-stream",
			claudeStream(`{"type":"message_delta","delta":{"stop_reason":null},"usage":{"output_tokens":1}}`, claudeError, `{"type":"ping"}`), nil},
		{"a stop reason after Anthropic's error", "code:read_response_body_failed/truncated-upstream-response/messages-stream/cut-stream",
			claudeStream(`{"type":"content_block_delta"}`, claudeError, `{"type":"message_delta","delta":{"stop_reason":"end_turn"}}`),
			[]string{"MUST stream-end: got a finish event, want nothing after the error event"}},
		{"the end of a block after Anthropic's error", "code:read_response_body_failed/truncated-upstream-response/messages-stream/cut-stream",
			claudeStream(`{"type":"content_block_delta"}`, claudeError, `{"type":"content_block_stop","index":0}`),
			[]string{"MUST stream-end: got an event that marks the end of part of the answer, want nothing after the error event"}},
		{"a finishReason before Gemini's error", "code:read_response_body_failed/truncated-upstream-response/gemini-stream/cut-stream",
			with(answer(200, "", ""), events("data: x", Event{Data: Bytes(`{"candidates":[{"finishReason":"STOP"}]}`)}, Event{Data: Bytes(geminiError)})),
			[]string{"MUST stream-end: got a finish event, want no finish event before the error event"}},
		{"response.completed before the error", cutResponses, responsesStream(`{"type":"response.completed"}`, chatError),
			[]string{"MUST stream-end: got a finish event, want no finish event before the error event"}},
		{"finished text after the error", cutResponses, responsesStream(chatError, `{"type":"response.output_text.done"}`),
			[]string{"MUST stream-end: got an event that marks the end of part of the answer, want nothing after the error event"}},
		{"a finished item after the error", cutResponses, responsesStream(chatError, `{"type":"response.output_item.done"}`),
			[]string{"MUST stream-end: got an event that marks the end of part of the answer, want nothing after the error event"}},
		{"more reasoning after the error", cutResponses, responsesStream(chatError, `{"type":"response.reasoning_summary_text.delta"}`),
			[]string{"MUST stream-end: got more content, want nothing after the error event"}},
		{"response.failed and [DONE] after the error", cutResponses, responsesStream(chatError, `{"type":"response.failed","response":{"status":"failed"}}`, "[DONE]"), nil},
		{"the name that EventSource uses by default", "code:read_response_body_failed/truncated-upstream-response/chat-stream/cut-stream",
			with(answer(200, "", ""), events("data: x", Event{Data: Bytes(chatContent)}, Event{Name: "message", Data: Bytes(chatError)})), nil},
		{"an error that is not JSON", "code:read_response_body_failed/truncated-upstream-response/chat-stream/cut-stream",
			with(answer(200, "", ""), events("data: x", Event{Data: Bytes(chatContent)}, Event{Data: Bytes("error: CUDA out of memory")})),
			[]string{`MUST stream-end: got an event that no client can read because it is not JSON: "error: CUDA out of memory", want an error event, or a visibly broken transfer`}},
		{"two objects in one event", "code:read_response_body_failed/truncated-upstream-response/chat-stream/cut-stream",
			with(answer(200, "", ""), events("data: x", Event{Data: Bytes(chatContent)}, Event{Data: Bytes("{}\n" + `{"error":{}}`)})),
			[]string{`MUST stream-end: got an event that no client can read because it is not JSON: "{}\n{\"error\":{}}", want an error event, or a visibly broken transfer`}},
		{"text before the error event", "code:read_response_body_failed/truncated-upstream-response/chat-stream/cut-stream",
			with(answer(200, "", ""), events("data: x", Event{Data: Bytes("oops")}, Event{Data: Bytes(chatError)})),
			[]string{`SHOULD stream-format: got an event that is not JSON: "oops", want events that each contain one JSON value`}},
		{"data without a word keeps a connection alive", "code:read_response_body_failed/truncated-upstream-response/chat-stream/cut-stream",
			with(answer(200, "", ""), events("data: x", Event{}, Event{Data: Bytes(chatError)})), nil},

		// streams: the error events that the API of responses has
		{"event: error with flat members", cutResponses,
			responsesStream(`{"type":"error","code":"read_response_body_failed","message":"the upstream broke off","param":null}`),
			[]string{`SHOULD stream-error: got event: error with the error's fields at the top level, which some clients do not raise as an error, want data: {"error":{…}}, which every official client raises as an error`}},
		{"event: error with a nested error object", cutResponses, responsesStream(`{"type":"error",` + chatError[1:]),
			[]string{`SHOULD stream-error: got event: error with a nested error object, which some clients do not raise as an error, want data: {"error":{…}}, which every official client raises as an error`}},
		{"response.failed", cutResponses,
			responsesStream(`{"type":"response.failed","response":{"error":{"code":"read_response_body_failed","message":"the upstream broke off"}}}`, "[DONE]"),
			[]string{`SHOULD stream-error: got response.failed, which some clients do not raise as an error, want data: {"error":{…}}, which every official client raises as an error`}},
		{"response.failed with another code", cutResponses,
			responsesStream(`{"type":"response.failed","response":{"error":{"code":"server_error","message":"the upstream broke off"}}}`),
			[]string{`MUST code: got "server_error", want "read_response_body_failed" in error.code`,
				`SHOULD stream-error: got response.failed, which some clients do not raise as an error, want data: {"error":{…}}, which every official client raises as an error`}},
		{"response.failed without an error", cutResponses, responsesStream(`{"type":"response.failed","response":{}}`),
			[]string{`MUST envelope: got an event without an error object, want {"error":{"message","type","param","code"}}`,
				`MUST code: got no error object, want "read_response_body_failed"`}},
	}
}
