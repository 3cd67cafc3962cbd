package contract

import "strings"

// answeredWith is a conformant error of the OpenAI format but for its status.
func answeredWith(status int, code string) Observation { return jsonAnswer(status, openaiError(code)) }

// upstreamErrorRows are answers to errors that the upstream told.
func upstreamErrorRows() []judgeRow {
	const (
		fivexx   = "http:5xx/upstream-error/"
		refused  = "http:400/malformed-parameter/"
		blamed   = "a code that does not blame the caller's key or quota"
		fits     = "a code from table 2 that fits the cause, in error.code: "
		fits5xx  = fits + "bad_response_status_code, bad_response, do_request_failed, channel:invalid_key …"
		fits400  = fits + "invalid_request, bad_request_body, read_request_body_failed, convert_request_failed"
		keyBlame = "a status that does not blame the caller's key"
	)
	inStream := func(code string) Observation {
		failed := Event{Data: Bytes(openaiError(code))}
		return with(answer(200, "", ""), events("data: x", Event{Data: Bytes(chatContent)}, failed))
	}
	return []judgeRow{
		{"the upstream's 401 as a bad channel key", fivexx + "chat/error-401", answeredWith(502, "channel:invalid_key"), nil},
		{"the upstream's 401 as a bad status", fivexx + "chat/error-401", answeredWith(500, "bad_response_status_code"), nil},
		{"the upstream's 401 passed on", fivexx + "chat/error-401", answeredWith(401, "invalid_api_key"), []string{
			"MUST status-class: got 401, want 5xx", "MUST status-blame: got 401, want " + keyBlame,
			`SHOULD code-known: got "invalid_api_key", want ` + fits5xx,
			"NOTE challenge: got none, want WWW-Authenticate on a 401 (RFC 9110 15.5.2)",
		}},
		{"the upstream's 402 passed on", fivexx + "chat/error-402", answeredWith(402, "bad_response_status_code"), []string{
			"MUST status-class: got 402, want 5xx", "MUST status-blame: got 402, want " + keyBlame,
			"SHOULD consistent: got 402, want bad_response_status_code with 5xx",
		}},
		{"the upstream's 403 as the caller's mistake", fivexx + "chat/error-403", answeredWith(400, "bad_response_status_code"), []string{
			"MUST status-class: got 400, want 5xx", "SHOULD consistent: got 400, want bad_response_status_code with 5xx",
		}},
		{"a gateway's code of a gateway behind it", fivexx + "chat/own-words", answeredWith(502, "insufficient_user_quota"), []string{
			`SHOULD code-known: got "insufficient_user_quota", want ` + fits5xx,
			"SHOULD consistent: got 502, want insufficient_user_quota with 403",
			`MUST status-blame: got "insufficient_user_quota", want ` + blamed,
		}},
		{"a denied access of the upstream's", fivexx + "chat/error-403", answeredWith(500, "access_denied"), []string{
			`SHOULD code-known: got "access_denied", want ` + fits5xx,
			"SHOULD consistent: got 500, want access_denied with 403", `MUST status-blame: got "access_denied", want ` + blamed,
		}},
		{"the same code for an ordinary error", fivexx + "chat/error-object", answeredWith(500, "access_denied"), []string{
			`SHOULD code-known: got "access_denied", want ` + fits5xx, "SHOULD consistent: got 500, want access_denied with 403",
		}},
		{"blame in a stream that has begun", fivexx + "chat-stream/error-401", inStream("pre_consume_token_quota_failed"), []string{
			`SHOULD code-known: got "pre_consume_token_quota_failed", want ` + fits5xx,
			`MUST status-blame: got "pre_consume_token_quota_failed", want ` + blamed,
		}},
		{"no blame in a stream that has begun", fivexx + "chat-stream/error-401", inStream("channel:invalid_key"), nil},
		{"an overloaded upstream as 503", fivexx + "chat/error-529", answeredWith(503, "bad_response_status_code"), nil},
		{"an overloaded upstream as 529", fivexx + "chat/error-529", answeredWith(529, "bad_response_status_code"), nil},
		{"a numeric code passed on", fivexx + "chat/numeric-code", with(answeredWith(500, ""), func(o *Observation) {
			o.Body = Bytes(strings.Replace(string(o.Body), `""`, "1305", 1))
		}), []string{"SHOULD code-known: got 1305, want " + fits5xx, "SHOULD fields: got 1305, want code as a string or null"}},

		{"a parameter that the upstream refused", refused + "chat/refused-400", answeredWith(400, "invalid_request"), nil},
		{"too large an input without a code", refused + "chat/refused-413", with(answeredWith(413, ""), func(o *Observation) {
			o.Body = Bytes(strings.Replace(string(o.Body), `""`, "null", 1))
		}), []string{"SHOULD code-known: got null, want " + fits400}},
		{"a parameter that the upstream refused, as a bad status", refused + "chat/refused-422", answeredWith(502, "bad_response_status_code"), []string{
			"SHOULD status-class: got 502, want 4xx: the caller can fix this error",
			`SHOULD code-known: got "bad_response_status_code", want ` + fits400,
		}},
		{"a parameter that the upstream refused, as a success", refused + "chat/refused-422", answeredWith(200, "invalid_request"), []string{
			"MUST not-success: got 200 with " + `"{\"error\":{\"message\":\"m\",\"type\":\"upstream_error\",\"param\":null,\"code\":\"invalid_req"…, want 4xx`,
		}},

		{"the first event an error, as JSON", fivexx + "chat-stream/first-event-error", answeredWith(502, "bad_response"), nil},
		{"the first event an error, passed on", fivexx + "chat-stream/first-event-error",
			with(answer(200, "", ""), events("data: x", Event{Data: Bytes(openaiError("bad_response"))})),
			[]string{"MUST not-success: got 200 text/event-stream that begins with the error, want 5xx as JSON, before any byte of the stream"}},
		{"an error after the lifecycle events", fivexx + "chat-stream/lifecycle-then-error", inStream("bad_response"), nil},
		{"a finish after the lifecycle events", fivexx + "chat-stream/lifecycle-then-error",
			with(answer(200, "", ""), events("data: x", Event{Data: Bytes(chatFinish)}, Event{Data: Bytes("[DONE]")})),
			[]string{"MUST not-success: got 200 with an ordinary stream, want 5xx"}},
		{"an end after the lifecycle events", fivexx + "chat-stream/lifecycle-then-error",
			with(answer(200, "", ""), events("data: x", Event{Data: Bytes(`{"choices":[{"delta":{"role":"assistant"}}]}`)})),
			[]string{"MUST stream-end: got a clean end without an error, want an error event, or a visibly broken transfer"}},
	}
}
