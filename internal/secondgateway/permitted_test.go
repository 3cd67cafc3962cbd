//go:build !race

// With the race detector these take five times as long, and the tests of the root package run all cases with it.

package secondgateway_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/gatecert/gatecert"
	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/internal/secondgateway"
	"github.com/gatecert/gatecert/targets/profile"
)

// inError changes the error object of an answer, and the object around it.
func inError(a *secondgateway.Answer, change func(outer, inner map[string]any)) {
	var outer map[string]any
	if a.Status < 400 || json.Unmarshal(a.Body, &outer) != nil {
		return
	}
	inner, _ := outer["error"].(map[string]any)
	change(outer, inner)
	a.Body, _ = json.Marshal(outer)
}

// What the contract leaves open raises no alarm.
func TestWhatTheContractPermitsIsNotBlamed(t *testing.T) {
	if os.Getenv("GATECERT_ACCEPTANCE") == "" {
		t.Skip("make accept-judge certifies permitted behaviours of the second gateway: a minute")
	}
	for _, tt := range []struct {
		name    string
		options secondgateway.Options
	}{
		{"members of other formats, and an echo of the request", secondgateway.Options{Hooks: secondgateway.Hooks{
			Answer: func(r *http.Request, a *secondgateway.Answer) {
				inError(a, func(outer, inner map[string]any) {
					outer["type"], outer["success"], outer["data"] = "error", false, nil
					outer["detail"] = []any{map[string]any{"loc": []any{"body", "messages"}, "msg": "Field required"}}
					inner["instance"] = "http://" + r.Host + r.URL.Path
					ticket := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("ticket 7;", 500)))
					inner["metadata"] = map[string]any{"agent": r.UserAgent(), "from": r.RemoteAddr, "method": r.Method, "ticket": ticket}
					inner["errors"] = []any{map[string]any{"message": "the same again", "code": 17}}
				})
				a.Add("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
				a.Add("x-served-by", "edge-7.fra.othergateway.cc:8443")
			},
		}}},
		{"white space, big numbers, a long message", secondgateway.Options{BeginsEarly: true, Hooks: secondgateway.Hooks{
			Answer: func(_ *http.Request, a *secondgateway.Answer) {
				inError(a, func(outer, inner map[string]any) {
					outer["nonce"] = json.Number("123456789012345678901234567890.5e300")
					inner["message"] = inner["message"].(string) + strings.Repeat(" Please.", 5_000)
				})
				if a.Events == nil {
					var pretty bytes.Buffer
					_ = json.Indent(&pretty, a.Body, "  ", "\t")
					a.Body = append(append([]byte("\r\n \t"), pretty.Bytes()...), "\n\n"...)
				}
				a.Set("content-type", `application/json; profile="https://othergateway.cc:8443/errors"; charset=utf-8`)
				if a.Events != nil {
					a.Set("content-type", "Text/Event-Stream")
				}
			},
		}}},
		{"other permitted statuses", secondgateway.Options{ErrorsInStream: true, Hooks: secondgateway.Hooks{
			Failure: func(_ *http.Request, f *secondgateway.Failure) {
				switch {
				case f.Code == "count_token_failed":
					f.Status = 500
				case f.Status == 405:
					f.Status, f.Allow = 404, ""
				case f.Status == 429:
					f.Code = "get_channel_failed"
				case f.Status == 400 && strings.HasPrefix(f.Message, "The upstream does not accept"):
					f.Code = "convert_request_failed"
				case f.Status >= 500 && f.Code == "channel:response_time_exceeded":
					f.Status = 524
				case f.Status >= 500:
					f.Status = 599
				}
			},
		}}},
		{"an echo of the body", secondgateway.Options{Hooks: secondgateway.Hooks{
			Answer: func(r *http.Request, a *secondgateway.Answer) {
				inError(a, func(_, inner map[string]any) {
					if body, ok := r.Context().Value(bodyKey{}).(*bytes.Buffer); ok && body.Len() < 10_000 {
						inner["input"] = body.String()
					}
				})
			},
		}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			target := start(t, "openai", tt.options)
			target.Balance = profile.Balance{}
			run := certify(t, gatecert.Config{
				Target: target, Surfaces: []string{"chat", "messages-stream", "responses-stream", "gemini"},
				Rows: []string{"http:*", "code:bad_*", "code:access_denied", "code:count_token_failed", "code:re*", "code:channel:response_time_exceeded"},
			})
			for _, c := range run.Cases {
				assert.Equal(t, contract.Pass, c.Verdict, "%s %s: %v", c.ID, c.Reason, c.Findings)
			}
		})
	}
}
