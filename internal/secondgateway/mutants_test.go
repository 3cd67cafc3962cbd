//go:build !race

// The tests of this package do without the race detector, see secondgateway_test.go.

package secondgateway

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
)

func swap(a *Answer, old, replacement string) {
	a.Body = bytes.Replace(a.Body, []byte(old), []byte(replacement), 1)
}

// Mutants were written from CONTRACT.md alone, before anybody looked at how gatecert judges them: each breaks one sentence.
func Mutants() []Mutant { return slices.Concat(answering(), calling()) }

// answering are mutants in what an answer says.
func answering() []Mutant {
	return []Mutant{
		{
			Name:  "windows-quotes",
			Where: "code:model_not_found", On: "messages",
			Sentence: "MUST: valid UTF-8",
			Change:   "quotes around an unknown model's name in the bytes of windows-1252, on messages",
			answer: func(c *call, a *Answer) {
				if c.to.kind == messages && c.failed("model_not_found") {
					a.Body = bytes.ReplaceAll(a.Body, []byte(`\u201c`), []byte{0x93})
					a.Body = bytes.ReplaceAll(a.Body, []byte(`\u201d`), []byte{0x94})
				}
			},
		},
		{
			Name:  "code-twice",
			Where: "code:invalid_request", On: "completions",
			Sentence: "MUST: no member named twice",
			Change:   "a null code before the code of a parameter's error, on completions",
			answer: func(c *call, a *Answer) {
				if c.to.kind == completions && c.failed("invalid_request") {
					swap(a, `"code":"`, `"code":null,"code":"`)
				}
			},
		},
		{
			Name:  "upstream-404-kept",
			Where: "code:bad_response_status_code", On: "chat",
			Sentence: "MUST: the class must agree with \"What to do\" (bad_response_status_code is 5xx)",
			Change:   "the status of an upstream's 404 without a usable error object is the gateway's own",
			failure: func(c *call, f *Failure) {
				if c.status == 404 && f.Code == "bad_response_status_code" {
					f.Status = 404
				}
			},
		},
		{
			Name:  "gateway-behind-gateway",
			Where: "http:5xx", On: "chat",
			Sentence: "MUST: 401, 402, 403 with an error object also of this vocabulary: 5xx; never a code that tells the caller to top up",
			Change:   "an upstream's error of table 2 under 401, 402 or 403 is passed on with its status and code",
			failure: func(c *call, f *Failure) {
				code, _ := c.upstreamCode().(string)
				ours := []string{"access_denied", "insufficient_user_quota", "pre_consume_token_quota_failed"}
				if slices.Contains([]int{401, 402, 403}, c.status) && slices.Contains(ours, code) {
					f.Status, f.Code = c.status, code
				}
			},
		},
		{
			Name:  "a-minute-for-five-seconds",
			Where: "http:429", On: "chat",
			Sentence: "SHOULD: Retry-After no longer than the declared window plus a second",
			Change:   "60 whatever the window of the key's limit",
			failure: func(c *call, f *Failure) {
				if c.status == 0 && f.Status == 429 {
					f.RetryAfter = "60"
				}
			},
		},
		{
			Name:  "own-retry-after",
			Where: "http:5xx", On: "chat",
			Sentence: "SHOULD: 429 with the upstream's Retry-After kept",
			Change:   "1 in place of what the upstream's 429 asks for",
			failure: func(c *call, f *Failure) {
				if c.status == 429 && f.Status == 429 {
					f.RetryAfter = "1"
				}
			},
		},
		{
			Name:  "stop-reason-first",
			Where: "code:read_response_body_failed", On: "messages-stream",
			Sentence: "MUST: before the error there must be no finish (stop_reason)",
			Options:  Options{ErrorsInStream: true},
			Change:   "a message_delta with stop_reason end_turn before the error event, on messages",
			answer: func(c *call, a *Answer) {
				if c.told(a) && c.to.kind == messages {
					a.Events = slices.Insert(a.Events, len(a.Events)-1,
						named("message_delta", object{"delta": object{"stop_reason": "end_turn"}, "usage": object{"output_tokens": 1}}))
				}
			},
		},
		{
			Name:  "item-after-error",
			Where: "code:read_response_body_failed", On: "responses-stream",
			Sentence: "MUST: after it nothing of an answer may follow: no finished item",
			Options:  Options{ErrorsInStream: true},
			Change:   "a response.output_item.done after the error, on responses",
			answer: func(c *call, a *Answer) {
				if c.told(a) && c.to.kind == responses {
					item := object{"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": []any{}}
					a.Events = append(a.Events, named("response.output_item.done", object{"output_index": 0, "item": item}))
				}
			},
		},
		{
			Name:  "quota-in-stream",
			Where: "code:insufficient_user_quota", On: "chat-stream",
			Sentence: "MUST: what it decides by itself (quotas) owes its status and JSON, whatever was sent first",
			Options:  Options{BeginsEarly: true},
			Change:   "a spent account is reported in a stream that has begun with a comment, on chat",
			answer: func(c *call, a *Answer) {
				if c.to.kind == chat && c.streaming() && c.failed("insufficient_user_quota") {
					*a = *success("text/event-stream", nil, []Event{c.failure.event(openAI)})
				}
			},
		},
		{
			Name:  "gemini-array",
			Where: "code:model_not_found", On: "gemini-stream",
			Sentence: "MUST: a body in the envelope of the dialect asked for",
			Change:   "errors of streamGenerateContent in an array",
			answer: func(c *call, a *Answer) {
				if c.failure != nil && c.to.stream && a.Events == nil {
					a.Body = slices.Concat([]byte("["), a.Body, []byte("]"))
				}
			},
		},
		{
			Name:  "key-in-cookie",
			Where: "http:403", On: "chat",
			Sentence: "MUST: body and header fields, keys in base64 at any offset, also the caller's own key",
			Change:   "a session cookie with the base64 of u1:KEY with a revoked key's 403",
			answer: func(c *call, a *Answer) {
				if c.failure != nil && strings.Contains(c.failure.Message, "revoked on") {
					a.Add("Set-Cookie", "sid="+base64.RawURLEncoding.EncodeToString([]byte("u1:"+c.key))+"; Path=/")
				}
			},
		},
		{
			Name:  "thin-mask",
			Where: "code:access_denied", On: "chat",
			Sentence: "MUST: a mask that leaves more than eight characters",
			Change:   "all but the last five characters of a key that may not be used from here",
			failure: func(c *call, f *Failure) {
				if strings.Contains(f.Message, "may not be used from") {
					f.Message += " Key: " + c.key[:len(c.key)-5] + "*****"
				}
			},
		},
		{
			Name:  "peer-in-details",
			Where: "code:do_request_failed", On: "messages",
			Sentence: "MUST: the upstream's address in every form (separate members)",
			Change:   "members host and port of the upstream in the details of do_request_failed, on messages",
			answer: func(c *call, a *Answer) {
				var broken *net.OpError
				if c.to.kind == messages && c.failed("do_request_failed") && errors.As(c.err, &broken) {
					host, port, _ := net.SplitHostPort(broken.Addr.String())
					swap(a, `"retry":true`, fmt.Sprintf(`"retry":true,"peer":{"host":%q,"port":%s}`, host, port))
				}
			},
		},
		{
			Name:  "redis-words",
			Where: "code:update_data_error", On: "chat",
			Sentence: "MUST: the store's own error texts (Redis)",
			Change:   "update_data_error with what Redis says on a replica",
			failure: func(_ *call, f *Failure) {
				if f.Code == "update_data_error" {
					f.Message = "The request cannot be booked: READONLY You can't write against a read only replica."
				}
			},
		},
		{
			Name:  "stack-in-comment",
			Where: "code:read_response_body_failed", On: "messages-stream",
			Sentence: "MUST: stack traces of any runtime (Go), in the body",
			Options:  Options{ErrorsInStream: true},
			Change:   "a comment with a goroutine's stack before the data of the error event, on messages",
			answer: func(c *call, a *Answer) {
				if c.told(a) && c.to.kind == messages {
					a.Events[len(a.Events)-1].Name = "error\r\n: goroutine 41 [running]:\r\n" +
						": main.(*relay).copy(0xc00012a000)\r\n: \t/app/relay/copy.go:88 +0x1d4"
				}
			},
		},
		{
			Name:  "upper-case-key-in-via",
			Where: "code:channel:response_time_exceeded", On: "chat",
			Sentence: "MUST: the keys of either side in any encoding (case), in header fields",
			Change:   "the upstream's key in capitals in Via with channel:response_time_exceeded",
			answer: func(c *call, a *Answer) {
				if c.failed("channel:response_time_exceeded") {
					a.Add("Via", "1.1 relay-"+strings.ToUpper(UpstreamKey))
				}
			},
		},
		{
			Name:  "two-content-types",
			Where: "code:model_not_found", On: "chat-stream",
			Sentence: "MUST: Content-Type: application/json, once",
			Change:   "text/event-stream as a second Content-Type of errors to callers of OpenAI's streams",
			answer: func(c *call, a *Answer) {
				if c.failure != nil && a.Events == nil && c.to.format == openAI && c.streaming() {
					a.Add("Content-Type", "text/event-stream")
				}
			},
		},
	}
}
