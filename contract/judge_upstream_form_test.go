package contract

// redirected are the calls that the upstream saw of one that it redirected; credential is what came to the other host.
func redirected(credential string) func(*Observation) {
	return func(o *Observation) {
		o.Upstream = &Seen{Attempts: []Attempt{
			{Credential: "0a1b2c3d", Status: 307}, {Credential: credential, Status: 500, Redirected: true},
			{Credential: "0a1b2c3d", Status: 307}, {Credential: credential, Status: 500, Redirected: true},
		}}
	}
}

// upstreamFormRows are answers to errors that the upstream told in a form that misleads.
func upstreamFormRows() []judgeRow {
	const (
		fivexx  = "http:5xx/upstream-error/"
		refused = "http:400/malformed-parameter/"
		fits400 = "a code from table 2 that fits the cause, in error.code: invalid_request, bad_request_body, read_request_body_failed, convert_request_failed"
		fits5xx = "a code from table 2 that fits the cause, in error.code: " +
			"bad_response_status_code, bad_response, do_request_failed, channel:invalid_key …"
		toolCall  = `{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"te"}}]},"finish_reason":null}]}`
		toolsDone = `{"choices":[{"delta":{},"finish_reason":"tool_calls"}]}`
		thought   = `{"choices":[{"delta":{"reasoning_content":"Hm"},"finish_reason":null}]}`
		blockPart = `{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{\"te"}}`
		blockEnd  = `{"type":"message_delta","delta":{"stop_reason":"tool_use"}}`
		wantEnd   = "want an error event, or a visibly broken transfer"
	)
	retryAfter := func(value string) func(*Observation) {
		return func(o *Observation) { o.Header["Retry-After"] = []string{value} }
	}
	coded := func(coding, body string) Observation {
		return with(jsonAnswer(502, body), func(o *Observation) { o.Header["Content-Encoding"] = []string{coding} })
	}
	stream := func(list ...string) Observation {
		var all []Event
		for _, data := range list {
			all = append(all, Event{Data: Bytes(data)})
		}
		return with(answer(200, "", ""), events("data: x", all...))
	}
	broken := func(o *Observation) { o.TransferError = "unexpected EOF" }
	return []judgeRow{
		{"a file that the upstream does not have", refused + "chat/refused-404", answeredWith(400, "invalid_request"), nil},
		{"a file that the upstream does not have, as a model", refused + "chat/refused-404", answeredWith(404, "model_not_found"),
			[]string{`SHOULD code-known: got "model_not_found", want ` + fits400}},
		{"a file that the upstream does not have, as its failure", refused + "chat/refused-404", answeredWith(502, "bad_response_status_code"), []string{
			"SHOULD status-class: got 502, want 4xx: the caller can fix this error", `SHOULD code-known: got "bad_response_status_code", want ` + fits400,
		}},

		{"the upstream's 429 passed on", fivexx + "chat/error-429", with(answeredWith(429, "rate_limit_exceeded"), retryAfter("7")), nil},
		{"the upstream's 429 with a code of table 2", fivexx + "chat/error-429",
			with(answeredWith(429, "bad_response_status_code"), retryAfter("7")), nil},
		{"the upstream's 429 as a bad status", fivexx + "chat/error-429", answeredWith(503, "bad_response_status_code"), nil},
		{"the upstream's 429 as a bad status without a code", fivexx + "chat/error-429", answeredWith(503, "overloaded"),
			[]string{`SHOULD code-known: got "overloaded", want ` + fits5xx}},
		{"the upstream's 429 without its Retry-After", fivexx + "chat/error-429", answeredWith(429, "x"),
			[]string{"SHOULD retry-after: got none, want Retry-After in whole seconds (RFC 9110 10.2.3, RFC 6585 4)"}},
		{"the upstream's 429 with another Retry-After", fivexx + "chat/error-429", with(answeredWith(429, "x"), retryAfter("1")),
			[]string{"SHOULD retry-after: got 1, want the upstream's Retry-After: 7"}},
		{"the upstream's 429 as the caller's mistake", fivexx + "chat/error-429", answeredWith(400, "bad_response_status_code"), []string{
			"MUST status-exact: got 400, want 429 or 5xx", "SHOULD consistent: got 400, want bad_response_status_code with 5xx",
		}},
		{"the upstream's 429 in a stream that has begun", fivexx + "chat-stream/error-429",
			stream(chatContent, openaiError("bad_response_status_code")), nil},
		{"the upstream's 429 in a stream that has begun, with a code of the gateway's own", fivexx + "chat-stream/error-429",
			stream(chatContent, openaiError("rate_limit_exceeded")), nil},

		{"the upstream's 429 in a stream that has begun, without a code", fivexx + "chat-stream/error-429",
			stream(chatContent, `{"error":{"message":"m","type":"rate_limit_error","param":null,"code":null}}`), nil},

		{"a compressed error, told in plain JSON", fivexx + "chat/compressed-error", answeredWith(502, "bad_response_status_code"), nil},
		{"a compressed error, passed on without its Content-Encoding", fivexx + "chat/compressed-error", jsonAnswer(502, "\x1f\x8b\x08\x00"),
			[]string{"MUST envelope: got not JSON: compressed with gzip but without a Content-Encoding, want " + `{"error":{"message","type","param","code"}}`}},
		{"a compressed error, compressed twice", fivexx + "chat/compressed-error", coded("gzip", "\x1f\x8b\x08\x00"),
			[]string{"MUST envelope: got not JSON: the body is compressed with gzip one more time than its header (Content-Encoding: gzip) declares, want " + `{"error":{"message","type","param","code"}}`}},

		{"an error in an answer, as an error", fivexx + "chat/answer-with-error", answeredWith(502, "empty_response"), nil},
		{"an error in an answer, passed on", fivexx + "chat/answer-with-error",
			jsonAnswer(200, `{"choices":[{"message":{"content":"A"}}],"error":{"message":"m","type":"server_error","param":null,"code":"bad_response"}}`),
			[]string{"MUST not-success: got 200 with " + `"{\"choices\":[{\"message\":{\"content\":\"A\"}}],\"error\":{\"message\":\"m\",\"type\":\"server_e"…, want 5xx`}},
		{"an error in an answer, overlooked", fivexx + "chat/answer-with-error", jsonAnswer(200, `{"choices":[{"message":{"content":"A"}}]}`),
			[]string{"MUST not-success: got 200 with an ordinary answer, want 5xx"}},
		{"an error in a chunk, as an error event", fivexx + "chat-stream/answer-with-error",
			stream(chatContent, openaiError("bad_response")), nil},
		{"an error in a chunk, overlooked", fivexx + "chat-stream/answer-with-error", stream(chatContent, chatFinish, "[DONE]"),
			[]string{"MUST stream-end: got a clean end with [DONE], " + wantEnd}},

		{"a redirect that is not followed", fivexx + "chat/redirect", answeredWith(502, "bad_response_status_code"), nil},
		{"a redirect that is followed without the key", fivexx + "chat/redirect",
			with(answeredWith(502, "bad_response_status_code"), redirected("")), nil},
		{"a redirect that is followed with the key", fivexx + "chat/redirect",
			with(answeredWith(502, "bad_response_status_code"), redirected("0a1b2c3d")),
			[]string{"SHOULD key-kept: got a key in the redirected request, want no key in the redirected request"}},
		{"a redirect that is passed on", fivexx + "chat/redirect", answer(307, "", ""), []string{
			"MUST not-success: got 307 with an empty body, want 5xx", "MUST content-type: got no Content-Type, want application/json",
			`MUST envelope: got empty, want {"error":{"message","type","param","code"}}`,
		}},

		{"a cut tool call, told in an event", fivexx + "chat-stream/cut-tool-call", stream(toolCall, openaiError("read_response_body_failed")), nil},
		{"a cut tool call, told before anything was sent", fivexx + "chat-stream/cut-tool-call", answeredWith(502, "bad_response"), nil},
		{"a cut tool call, cut here too", fivexx + "chat-stream/cut-tool-call", with(stream(toolCall), broken),
			[]string{"SHOULD stream-error: got a broken transfer: unexpected EOF, want the API format's own error event"}},
		{"a cut tool call, finished", fivexx + "chat-stream/cut-tool-call", stream(toolCall, toolsDone, "[DONE]"),
			[]string{"MUST stream-end: got a clean end with [DONE], " + wantEnd}},
		{"a cut tool call, finished before the error", fivexx + "chat-stream/cut-tool-call",
			stream(toolCall, toolsDone, openaiError("read_response_body_failed")),
			[]string{"MUST stream-end: got a finish event, want no finish event before the error event"}},
		{"a tool call that ended early, ended so here too", fivexx + "chat-stream/ended-tool-call", stream(toolCall),
			[]string{"MUST stream-end: got a clean end without an error, " + wantEnd}},
		{"a tool call that ended early, stopped for its use", fivexx + "messages-stream/ended-tool-call", stream(blockPart, blockEnd),
			[]string{"MUST stream-end: got a clean end with a finish event, " + wantEnd}},

		{"an error after reasoning, told in an event", fivexx + "chat-stream/error-after-reasoning", stream(thought, openaiError("bad_response")), nil},
		{"an error after reasoning, finished", fivexx + "chat-stream/error-after-reasoning", stream(thought, chatFinish, "[DONE]"),
			[]string{"MUST stream-end: got a clean end with [DONE], " + wantEnd}},
		{"an error after reasoning, and more of it", fivexx + "chat-stream/error-after-reasoning",
			stream(thought, openaiError("bad_response"), thought),
			[]string{"MUST stream-end: got more content, want nothing after the error event"}},
	}
}
