package contract

import (
	"strings"
	"time"
)

const absentModel = "code:model_not_found/absent-model/"

// readingRows are bodies that lenient readers take for something else.
func readingRows() []judgeRow {
	const openaiWant = `, want {"error":{"message","type","param","code"}}`
	noObject := `MUST code: got no error object, want "model_not_found"`
	message := func(text string) string { return strings.Replace(openaiNotFound, "no such model", text, 1) }
	return []judgeRow{
		{"a message in UTF-8", absentModel + "chat", jsonAnswer(404, message("das Modell „x“ gibt es nicht 模型")), nil},
		{"a message in GBK", absentModel + "chat", jsonAnswer(404, message("\xcf\xde\xd6\xc6")),
			[]string{`MUST envelope: got not JSON: byte 22 is not UTF-8: "\"error\":{\"message\":\"\xcf\xde\xd6\xc6\",\"type\":\"invalid_request_error\",\"param\":null,\"code\":\"mo"…` + openaiWant, noObject}},
		{"a byte that is not UTF-8 in Latin-1", absentModel + "chat", jsonAnswer(404, message("na\xefve")),
			[]string{`MUST envelope: got not JSON: byte 24 is not UTF-8: "rror\":{\"message\":\"na\xefve\",\"type\":\"invalid_request_error\",\"param\":null,\"code\":\"mod"…` + openaiWant, noObject}},
		{"more after the value", absentModel + "chat", jsonAnswer(404, "{}\n"+openaiNotFound),
			[]string{`MUST envelope: got not JSON at byte 4 (more data after the value): "{}\n{\"error\":{\"message\":\"no such model\",\"type\":\"invalid_request_error\",\"param\":nu"…` + openaiWant, noObject}},
		{"a body that is cut off", absentModel + "chat", jsonAnswer(404, `{"error":{"message":"m`),
			[]string{`MUST envelope: got not JSON at byte 22 (cut off): "{\"error\":{\"message\":\"m"` + openaiWant, noObject}},
		{"a NaN", absentModel + "chat", jsonAnswer(404, `{"error":{"message":"m","code":NaN}}`),
			[]string{`MUST envelope: got not JSON at byte 32 (invalid character 'N' looking for beginning of value): "{\"error\":{\"message\":\"m\",\"code\":NaN}}"` + openaiWant, noObject}},
		{"gzip that nothing declares", absentModel + "chat", jsonAnswer(404, "\x1f\x8b\x08\x00"),
			[]string{`MUST envelope: got not JSON: compressed with gzip but without a Content-Encoding` + openaiWant, noObject}},
		{"a coding that nobody asked for", absentModel + "chat", with(jsonAnswer(404, "\x8b\x02\x80"), func(o *Observation) {
			o.Header["Content-Encoding"] = []string{"br"}
		}), []string{`MUST envelope: got not JSON: byte 1 is not UTF-8: "\x8b\x02\x80"; the response came with Content-Encoding: br, which was not requested` + openaiWant, noObject}},
		{"a key twice inside", absentModel + "chat", jsonAnswer(404, strings.Replace(openaiNotFound, `"param":null`, `"code":"other"`, 1)),
			[]string{`MUST envelope: got an object with the duplicate key "code"` + openaiWant, noObject}},
		{"a key twice, far inside", absentModel + "chat", jsonAnswer(404, strings.Replace(openaiNotFound, `"param":null`, `"param":null,"meta":[{"a":{"b":1,"b":2}}]`, 1)),
			[]string{`MUST envelope: got an object with the duplicate key "b"` + openaiWant, noObject}},
		{"the same key in two objects", absentModel + "chat", jsonAnswer(404, strings.Replace(openaiNotFound, `"param":null`, `"param":null,"meta":[{"a":1},{"a":{"a":"code"}},"a"]`, 1)), nil},
		{"two content types", absentModel + "chat", with(jsonAnswer(404, openaiNotFound), func(o *Observation) {
			o.Header["Content-Type"] = []string{"application/json", "text/html"}
		}), []string{"MUST content-type: got application/json and text/html, want application/json, once"}},
		{"80 KB of message", absentModel + "chat", jsonAnswer(404, message(strings.Repeat("x", 80<<10))), nil},
		{"a look-alike letter in the code", absentModel + "chat", jsonAnswer(404, strings.Replace(openaiNotFound, "model_not", "mod\u0435l_not", 1)),
			[]string{`MUST code: got "mod\u0435l_not_found", want "model_not_found" in error.code`}},
		{"members are case-sensitive", absentModel + "chat", jsonAnswer(404, strings.Replace(openaiNotFound, `"code"`, `"Code"`, 1)),
			[]string{`MUST code: got nothing, want "model_not_found" in error.code`, "SHOULD fields: got no code, want code in the error object"}},
		{"so are Gemini's reasons", absentModel + "gemini", jsonAnswer(404, strings.Replace(geminiNotFound, `"reason"`, `"Reason"`, 1)),
			[]string{`MUST code: got no code, want "model_not_found" in error.details[].reason or error.status`}},
		{"Gemini's details of strings", absentModel + "gemini", jsonAnswer(404, strings.Replace(geminiNotFound, `[{"reason":"model_not_found"}]`, `["model_not_found"]`, 1)),
			[]string{`MUST envelope: got error.details is not a list of objects, want {"error":{"code":<int>,"message","status","details"}}`,
				`MUST code: got no code, want "model_not_found" in error.details[].reason or error.status`}},
		{"Gemini's details are null", absentModel + "gemini", jsonAnswer(404, `{"error":{"code":404,"message":"m","status":"model_not_found","details":null}}`), nil},
		{"the code where Anthropic's SDKs read it", absentModel + "messages",
			jsonAnswer(404, `{"type":"error","error":{"type":"not_found_error","message":"m","details":{"error_code":"model_not_found"}}}`), nil},
		{"Azure's type is null", absentModel + "chat", jsonAnswer(404, strings.Replace(openaiNotFound, `"invalid_request_error"`, "null", 1)), nil},
	}
}

// agreementRows are errors that say one thing in the status and another in the body, and what a profile declares.
func agreementRows() []judgeRow {
	typed := func(kind, code string) string {
		return `{"error":{"message":"m","type":"` + kind + `","param":null,"code":"` + code + `"}}`
	}
	slow := func(took time.Duration, d *Declared) Observation {
		return with(jsonAnswer(504, openaiError("channel:response_time_exceeded")), func(o *Observation) {
			o.Timing.End, o.Declared = took, d
		})
	}
	limited := func(retryAfter string, window time.Duration) Observation {
		return with(jsonAnswer(429, typed("rate_limit_error", "")), func(o *Observation) {
			o.Header["Retry-After"] = []string{retryAfter}
			o.Declared = &Declared{Window: window}
		})
	}
	const noInput = "http:400/missing-parameter/chat/no-input"
	return []judgeRow{
		{"a code that fits the cause", noInput, jsonAnswer(400, typed("t", "bad_request_body")), nil},
		{"a code of another status", noInput, jsonAnswer(400, typed("t", "model_not_found")),
			[]string{`SHOULD code-known: got "model_not_found", want a code from table 2 that fits the cause, in error.code: invalid_request, bad_request_body, read_request_body_failed, convert_request_failed`,
				"SHOULD consistent: got 400, want model_not_found with 404"}},
		{"a code of another cause with the same status", noInput, jsonAnswer(400, typed("t", "prompt_blocked")),
			[]string{`SHOULD code-known: got "prompt_blocked", want a code from table 2 that fits the cause, in error.code: invalid_request, bad_request_body, read_request_body_failed, convert_request_failed`}},
		{"access_denied fits 401", "http:401/wrong-key/chat/header", with(jsonAnswer(401, typed("t", "access_denied")),
			func(o *Observation) { o.Header["Www-Authenticate"] = []string{"Bearer"} }), nil},
		{"an unknown path with a code of its own", "http:404/unknown-path/chat/no-such-path", jsonAnswer(404, typed("t", "invalid_api_type")), nil},
		{"any code of the gateway's on 5xx", "http:5xx/upstream-error/chat/error-object", jsonAnswer(502, typed("t", "empty_response")), nil},
		{"a caller's code on 5xx", "http:5xx/upstream-error/chat/error-object", jsonAnswer(502, typed("t", "access_denied")),
			[]string{`SHOULD code-known: got "access_denied", want a code from table 2 that fits the cause, in error.code: bad_response_status_code, bad_response, do_request_failed, channel:invalid_key …`,
				"SHOULD consistent: got 502, want access_denied with 403"}},
		{"any code on 429", "http:429/over-rate-limit/chat", with(limited("1", 0), func(o *Observation) {
			o.Body = Bytes(typed("rate_limit_error", "insufficient_user_quota"))
		}), nil},
		{"the caller's type for the gateway's fault", "code:do_request_failed/unreachable-upstream/chat/reset",
			jsonAnswer(502, typed("authentication_error", "do_request_failed")),
			[]string{`SHOULD consistent: got "authentication_error", want an error.type that fits status 502`}},
		{"the gateway's type for the caller's fault", absentModel + "chat", jsonAnswer(404, typed("server_error", "model_not_found")),
			[]string{`SHOULD consistent: got "server_error", want an error.type that fits status 404`}},
		{"a type of the gateway's own", absentModel + "chat", jsonAnswer(404, typed("new_api_error", "model_not_found")), nil},
		{"Gemini's number is not the status", absentModel + "gemini", jsonAnswer(404, strings.Replace(geminiNotFound, "404", "400", 1)),
			[]string{"SHOULD consistent: got 400, want error.code 404, the same as the HTTP status"}},

		{"Retry-After of a day", "http:429/over-rate-limit/chat", limited("86400", 0), nil},
		{"Retry-After of more than a day", "http:429/over-rate-limit/chat", limited("86401", 0),
			[]string{"SHOULD retry-after: got 86401, want Retry-After of at most 86400 s"}},
		{"Retry-After beyond any number", "http:429/over-rate-limit/chat", limited("99999999999999999999", 0),
			[]string{"SHOULD retry-after: got 99999999999999999999, want Retry-After of at most 86400 s"}},
		{"Retry-After as a date", "http:429/over-rate-limit/chat", limited("Sun, 29 Nov 2026 12:00:30 GMT", 0),
			[]string{`SHOULD retry-after: got "Sun, 29 Nov 2026 12:00:30 GMT", want Retry-After in whole seconds (RFC 9110 10.2.3, RFC 6585 4)`}},
		{"milliseconds beside Retry-After", "http:429/over-rate-limit/chat",
			with(limited("1", 0), func(o *Observation) { o.Header["Retry-After-Ms"] = []string{"900"} }), nil},
		{"milliseconds instead of Retry-After", "http:429/over-rate-limit/chat",
			with(limited("", 0), func(o *Observation) { o.Header["Retry-After-Ms"] = []string{"900"} }),
			[]string{`SHOULD retry-after: got only retry-after-ms, which few clients read, want Retry-After in whole seconds (RFC 9110 10.2.3, RFC 6585 4)`}},
		{"Retry-After of the window and a second", "http:429/over-rate-limit/chat", limited("11", 10*time.Second), nil},
		{"Retry-After longer than the window", "http:429/over-rate-limit/chat", limited("60", 10*time.Second),
			[]string{"SHOULD retry-after: got 60, want Retry-After of at most 11 s"}},

		{"a slow upstream given up in time", "code:channel:response_time_exceeded/slow-upstream/chat/no-answer",
			slow(9900*time.Millisecond, &Declared{TimeLimit: 1500 * time.Millisecond}), nil},
		{"a slow upstream given up too late", "code:channel:response_time_exceeded/slow-upstream/chat/no-answer",
			slow(13*time.Second, &Declared{TimeLimit: 1500 * time.Millisecond}),
			[]string{"MUST answered-in-time: got 13s, want the call to end within 10s"}},
		{"a slow upstream, and one attempt declared", "code:channel:response_time_exceeded/slow-upstream/chat/no-answer",
			slow(5*time.Second, &Declared{TimeLimit: 1500 * time.Millisecond, Attempts: 1, ServiceTime: 500 * time.Millisecond}),
			[]string{"MUST answered-in-time: got 5s, want the call to end within 4.5s"}},
		{"slow is not wrong where nothing is declared", "code:channel:response_time_exceeded/slow-upstream/chat/no-answer", slow(50*time.Second, nil), nil},
	}
}
