//go:build !race

// With the race detector these take five times as long, and the tests of the root package run all cases with it.

package secondgateway_test

import (
	"bytes"
	"net/http"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/gatecert/gatecert"
	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/internal/secondgateway"
	"github.com/gatecert/gatecert/reports/runlog"
	"github.com/gatecert/gatecert/targets/profile"
)

// Each broken gateway breaks the contract in one way. The cases that it breaks must fail or warn, with the requirement that
// it breaks, and all others of the rows must pass.
func TestABrokenSecondGatewayIsFoundOut(t *testing.T) {
	for _, tt := range []struct {
		name     string
		options  secondgateway.Options
		rows     []string
		surfaces []string
		// broken are the cases that cannot pass, and the requirement that each violates.
		broken map[string]contract.Requirement
	}{
		{
			"a failure with another status",
			secondgateway.Options{Hooks: secondgateway.Hooks{Failure: func(_ *http.Request, f *secondgateway.Failure) {
				if f.Code == "model_not_found" {
					f.Status = 503
				}
			}}},
			[]string{"code:model_not_found", "code:access_denied"},
			[]string{"chat", "gemini-stream"},
			map[string]contract.Requirement{
				"code:model_not_found/absent-model/chat":          contract.StatusClass,
				"code:model_not_found/absent-model/gemini-stream": contract.StatusClass,
			},
		},
		{
			"an answer that ends with [DONE] after its error",
			secondgateway.Options{ErrorsInStream: true, Hooks: secondgateway.Hooks{Answer: func(_ *http.Request, a *secondgateway.Answer) {
				if last := len(a.Events) - 1; last >= 0 && bytes.HasPrefix(a.Events[last].Data, []byte(`{"error"`)) {
					a.Events = append(a.Events, secondgateway.Event{Data: []byte("[DONE]")})
				}
			}}},
			[]string{"code:read_response_body_failed"},
			[]string{"chat", "chat-stream"},
			map[string]contract.Requirement{
				"code:read_response_body_failed/truncated-upstream-response/chat-stream/cut-stream":  contract.StreamEnd,
				"code:read_response_body_failed/truncated-upstream-response/chat-stream/ended-early": contract.StreamEnd,
			},
		},
		{
			"a check that is left out",
			secondgateway.Options{Hooks: secondgateway.Hooks{Skip: map[string]bool{"words": true}}},
			[]string{"code:sensitive_words_detected", "code:prompt_blocked"},
			[]string{"messages", "embeddings"},
			map[string]contract.Requirement{
				"code:sensitive_words_detected/sensitive-content/messages":   contract.NotSuccess,
				"code:sensitive_words_detected/sensitive-content/embeddings": contract.NotSuccess,
			},
		},
		{
			"a call that is not cancelled",
			secondgateway.Options{Hooks: secondgateway.Hooks{KeepUpstreamCalls: true}},
			[]string{"code:channel:response_time_exceeded"},
			[]string{"completions"},
			map[string]contract.Requirement{
				"code:channel:response_time_exceeded/slow-upstream/completions/no-answer":      contract.UpstreamFreed,
				"code:channel:response_time_exceeded/slow-upstream/completions/stalled-answer": contract.UpstreamFreed,
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			target := start(t, "openai", tt.options)
			target.Balance = profile.Balance{}
			run := certify(t, gatecert.Config{Target: target, Rows: tt.rows, Surfaces: tt.surfaces})
			for _, c := range run.Cases {
				requirement, broken := tt.broken[c.ID]
				if !broken {
					assert.Equal(t, contract.Pass, c.Verdict, "%s: %v", c.ID, c.Findings)
					continue
				}
				assert.NotEqual(t, contract.Pass, c.Verdict, c.ID)
				assert.True(t, slices.ContainsFunc(c.Findings, func(f contract.Finding) bool { return f.Requirement == requirement }),
					"%s: want %s among %v", c.ID, requirement, c.Findings)
			}
			for id := range tt.broken {
				assert.True(t, slices.ContainsFunc(run.Cases, func(c runlog.Case) bool { return c.ID == id }), "%s did not run", id)
			}
		})
	}
}
