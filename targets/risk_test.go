package targets

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/targets/profile"
)

func TestRiskOf(t *testing.T) {
	for id, want := range map[string]int{
		"http:401/missing-key/chat":                                                    0,
		"code:model_not_found/absent-model/chat":                                       1,
		"http:400/malformed-parameter/chat/refused-413":                                3,
		"code:prompt_blocked/blocked-prompt/chat":                                      3,
		"code:bad_response_status_code/bad-upstream-status/chat/html-404":              3,
		"http:5xx/upstream-error/chat-stream/mid-stream":                               4,
		"code:channel:response_time_exceeded/slow-upstream/chat-stream/stalled-answer": 6,
		"code:bad_response/bad-upstream-response/chat/html":                            5,
		"code:read_response_body_failed/truncated-upstream-response/chat/short-body":   5,
		"http:5xx/upstream-error/chat/error-401":                                       6,
		"http:5xx/upstream-error/chat/error-429":                                       6,
		"http:5xx/upstream-error/chat/redirect":                                        6,
		"code:do_request_failed/unreachable-upstream/chat/reset":                       6,
		"code:channel:response_time_exceeded/slow-upstream/chat/no-answer":             6,
	} {
		c, err := contract.ParseCase(id)
		require.NoError(t, err)
		assert.Equal(t, want, RiskOf(profile.Profile{}, c), id)
	}
	for _, c := range contract.Cases() {
		assert.Less(t, RiskOf(profile.Profile{}, c), Risks, c.ID())
	}
	own := profile.Profile{Circumstances: map[string]profile.Recipe{"bad-upstream-response": {Directive: "status=500"}}}
	c, err := contract.ParseCase("code:bad_response/bad-upstream-response/chat/html")
	require.NoError(t, err)
	assert.Equal(t, 6, RiskOf(own, c), "a recipe's own directive")
}
