//go:build !race

// The tests of this package do without the race detector, see secondgateway_test.go.

package secondgateway

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

// calling are mutants in how a call is treated, and in some kinds of callers and of upstream errors.
func calling() []Mutant {
	return []Mutant{
		{
			Name:  "page-for-browsers",
			Where: "code:model_not_found", On: "",
			Sentence: "MUST: Content-Type: application/json, whatever the caller accepts",
			Change:   "a page in HTML for a caller whose Accept has text/html",
			answer: func(c *call, a *Answer) {
				if c.failure != nil && strings.Contains(c.request.Header.Get("Accept"), "text/html") {
					a.page(c.failure.Status, "text/html; charset=utf-8", "<!doctype html><h1>"+http.StatusText(c.failure.Status)+"</h1>")
				}
			},
		},
		{
			Name:  "budget-afterwards",
			Where: "code:pre_consume_token_quota_failed", On: "chat",
			Sentence: "a refused request must not reach the upstream (every circumstance that never reaches the upstream)",
			Change:   "the budget of a key is looked at when the upstream has answered", skip: "budget",
			answer: func(c *call, a *Answer) {
				if c.key == SpentKey && a.Status == 200 {
					*a = *fail(403, "pre_consume_token_quota_failed", "The budget of this API key is too small for the request.").answer(c.to.format)
				}
			},
		},
		{
			Name:  "late-streams",
			Where: "code:channel:response_time_exceeded", On: "chat-stream",
			Sentence: "MUST: answered within 2 × attempts × limit + 1 s",
			Change:   "the time limit of streams is twenty seconds longer than declared",
			failure: func(c *call, f *Failure) {
				if f.Code == "channel:response_time_exceeded" && c.streaming() {
					time.Sleep(20 * time.Second)
				}
			},
		},
		banning(),
		{
			Name:  "no-http-1.0",
			Where: "code:model_not_found", On: "",
			Sentence: "MUST: Content-Type: application/json and the envelope on every error answer",
			Change:   "426 and a text for a caller that speaks HTTP/1.0",
			Missed:   "no case is sent in HTTP/1.0",
			handler: func(c *call, w http.ResponseWriter) bool {
				if c.request.ProtoAtLeast(1, 1) {
					return false
				}
				http.Error(w, "Upgrade Required", http.StatusUpgradeRequired)
				return true
			},
		},
		{
			Name:  "rest-of-body-ignored",
			Where: "code:bad_request_body", On: "chat",
			Sentence: "MUST: malformed-body, a body that is not JSON, owes bad_request_body",
			Change:   "whatever follows the first JSON value of a body is ignored",
			handler:  ignoreRest,
		},
		{
			Name:  "model-not-found-under-403",
			Where: "http:403", On: "chat",
			Sentence: "SHOULD: a code and its status agree (403: access_denied)",
			Change:   "a key that may not use the model gets model_not_found, under 403",
			failure: func(_ *call, f *Failure) {
				if strings.Contains(f.Message, "outside the plan") {
					f.Code = "model_not_found"
				}
			},
		},
		{
			Name:  "stale-content-encoding",
			Where: "http:5xx", On: "chat",
			Sentence: "SHOULD: an error object that is compressed: must not leave a stale Content-Encoding",
			Change:   "Content-Encoding of a compressed error of the upstream is passed on, on OpenAI's endpoints",
			answer: func(c *call, a *Answer) {
				if c.failure != nil && c.unpacked && c.to.format == openAI && a.Events == nil {
					a.Add("Content-Encoding", "gzip")
				}
			},
		},
		{
			Name:  "numeric-code-unread",
			Where: "http:400", On: "chat",
			Sentence: "SHOULD: an error object with a numeric code: the form must not change the class",
			Change:   "an upstream's 400 whose error object has a number as its code is bad_response_status_code",
			failure: func(c *call, f *Failure) {
				if _, number := c.upstreamCode().(float64); number && f.Code == "invalid_request" {
					f.Status, f.Code = 502, "bad_response_status_code"
				}
			},
		},
		{
			Name:  "written-twice",
			Where: "code:read_response_body_failed", On: "chat",
			Sentence: "MUST: one JSON value",
			Change:   "the error of an upstream's truncated answer is written twice",
			answer: func(c *call, a *Answer) {
				if c.failed("read_response_body_failed") && a.Events == nil {
					a.Body = slices.Concat(a.Body, a.Body)
				}
			},
		},
		{
			Name:  "silent-end",
			Where: "code:read_response_body_failed", On: "chat-stream",
			Sentence: "MUST: a clean end after a truncated upstream stream is a failure",
			Options:  Options{ErrorsInStream: true},
			Change:   "no error event, no finish and no [DONE] after what came, on chat",
			answer: func(c *call, a *Answer) {
				if c.told(a) && c.to.kind == chat {
					a.Events = a.Events[:len(a.Events)-1]
				}
			},
		},
		{
			Name:  "console-page",
			Where: "http:404", On: "chat",
			Sentence: "MUST: an error is never 2xx (404: path does not exist)",
			Change:   "a GET of a path that does not exist gets the console's page",
			handler: func(c *call, w http.ResponseWriter) bool {
				if c.to.kind != "" || c.request.Method != http.MethodGet {
					return false
				}
				w.Header().Set("Content-Type", "text/html; charset=utf-8")
				_, _ = io.WriteString(w, "<!doctype html><title>Console</title><div id=root></div>")
				return true
			},
		},
		{
			Name:  "closed-is-truncated",
			Where: "code:do_request_failed", On: "chat",
			Sentence: "MUST: the row's error.code (do_request_failed: the upstream refuses, resets)",
			Change:   "an upstream that closes the connection without an answer is read_response_body_failed",
			failure: func(c *call, f *Failure) {
				if f.Code == "do_request_failed" && (errors.Is(c.err, io.EOF) || errors.Is(c.err, io.ErrUnexpectedEOF)) {
					f.Code = "read_response_body_failed"
				}
			},
		},
	}
}
