//go:build !race

// The tests of this package do without the race detector, see secondgateway_test.go.

package secondgateway

import (
	"encoding/json"
	"strings"
	"time"
)

// Permitted are changes that CONTRACT.md allows.
func Permitted() []Mutant {
	return []Mutant{
		{
			Name:  "form-is-a-bad-body",
			Where: "code:bad_request_body", On: "chat",
			Sentence: "For a body under a foreign Content-Type, bad_request_body with 400 is right",
			Change:   "bad_request_body for a form",
			failure: func(_ *call, f *Failure) {
				if strings.Contains(f.Message, "check the Content-Type") {
					f.Code = "bad_request_body"
				}
			},
		},
		{
			Name:  "mask-of-eight",
			Where: "http:403", On: "chat",
			Sentence: "a mask that leaves more than eight characters is a leak: eight are not",
			Change:   "the first four and the last four characters of a wrong or revoked key",
			failure: func(c *call, f *Failure) {
				if c.key != "" {
					f.Message = strings.Replace(f.Message, masked(c.key), c.key[:4]+"…"+c.key[len(c.key)-4:], 1)
				}
			},
		},
		{
			Name:  "upstream-429-is-503",
			Where: "http:5xx", On: "chat",
			Sentence: "429: 429 with the upstream's Retry-After kept, or 5xx",
			Change:   "503 with get_channel_failed, and no Retry-After",
			failure: func(c *call, f *Failure) {
				if c.status == 429 {
					f.Status, f.Code, f.RetryAfter = 503, "get_channel_failed", ""
				}
			},
		},
		{
			Name:  "429-with-a-code",
			Where: "http:429", On: "chat",
			Sentence: "429: any code, or none",
			Change:   "access_denied under 429",
			failure: func(_ *call, f *Failure) {
				if f.Status == 429 {
					f.Code = "access_denied"
				}
			},
		},
		{
			Name:  "a-second-more",
			Where: "http:429", On: "chat",
			Sentence: "Retry-After no longer than the declared window plus a second",
			Change:   "the window and a second, always",
			failure: func(c *call, f *Failure) {
				if f.Status == 429 && c.status == 0 {
					f.RetryAfter = seconds(LimitWindowMS*time.Millisecond + time.Second)
				}
			},
		},
		{
			Name:  "anthropic-error-code",
			Where: "*", On: "messages",
			Sentence: "Anthropic: error.code or error.details.error_code",
			Change:   "error.code, and no details",
			answer: func(c *call, a *Answer) {
				if c.failure == nil || c.to.format != anthropic || a.Events != nil {
					return
				}
				inner := object{"type": c.failure.anthropicType(), "message": c.failure.Message}
				if c.failure.Code != "" {
					inner["code"] = c.failure.Code
				}
				a.Body, _ = json.Marshal(object{"type": "error", "error": inner})
			},
		},
		{
			Name:  "gemini-reason",
			Where: "*", On: "gemini",
			Sentence: "Gemini: error.details[].reason, or error.status",
			Change:   "Google's own status words, and the code as a reason",
			answer: func(c *call, a *Answer) {
				if c.failure == nil || c.to.format != gemini || a.Events != nil {
					return
				}
				status := map[int]string{
					400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 405: "UNIMPLEMENTED",
					429: "RESOURCE_EXHAUSTED", 500: "INTERNAL", 503: "UNAVAILABLE", 504: "DEADLINE_EXCEEDED",
				}[c.failure.Status]
				if status == "" {
					status = "INTERNAL"
				}
				details := []any{}
				if c.failure.Code != "" {
					details = []any{object{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": c.failure.Code, "domain": "othergateway.cc"}}
				}
				a.Body, _ = json.Marshal(object{"error": object{
					"code": c.failure.Status, "message": c.failure.Message, "status": status, "details": details,
				}})
			},
		},
		{
			Name:  "always-522",
			Where: "*", On: "chat",
			Sentence: "5xx: upstream / gateway error",
			Change:   "every status from 500 is 522",
			failure: func(_ *call, f *Failure) {
				if f.Status >= 500 {
					f.Status = 522
				}
			},
		},
		{
			Name:  "late-but-in-time",
			Where: "code:channel:response_time_exceeded", On: "chat",
			Sentence: "answered within 2 × attempts × limit + 1 s",
			Change:   "a slow upstream is reported four seconds later than need be",
			failure: func(_ *call, f *Failure) {
				if f.Code == "channel:response_time_exceeded" {
					time.Sleep(4 * time.Second)
				}
			},
		},
	}
}
