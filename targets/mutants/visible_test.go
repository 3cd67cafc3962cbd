//go:build !race

// With the race detector 38 gateways take half a minute to start.

package mutants

import (
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/targets/reference"
)

// A permitted behaviour that changes nothing would test nothing. Those that do not show in the answers have tests of
// their own below.
func TestEveryPermittedBehaviourCanBeSeen(t *testing.T) {
	cases := []string{
		"http:404/unknown-model/gemini", "http:404/unknown-model/messages", "http:404/unknown-path/chat/wrong-method", "http:429/over-rate-limit/chat",
		"code:count_token_failed/uncountable-input/chat", "code:bad_response_status_code/bad-upstream-status/chat-stream/html-502",
		"code:read_response_body_failed/truncated-upstream-response/chat-stream/cut-stream",
		"code:read_response_body_failed/truncated-upstream-response/gemini-stream/cut-stream",
		"code:read_response_body_failed/truncated-upstream-response/responses-stream/cut-stream",
		"http:404/unknown-path/count-tokens/unsupported", "code:read_response_body_failed/truncated-upstream-response/speech/cut-chunk",
		"http:5xx/upstream-error/chat/error-403", "http:5xx/upstream-error/chat/error-429", "http:5xx/upstream-error/chat/redirect",
	}
	look := func(t *testing.T, name string) iter.Seq2[string, string] {
		return func(yield func(id, text string) bool) {
			s := serve(t, reference.Options{}, name)
			for _, id := range cases {
				if !yield(id, stableText(t, observe(t, s, id))) {
					return
				}
			}
		}
	}
	ordinary := maps.Collect(look(t, "none"))
	require.Equal(t, ordinary, maps.Collect(look(t, "none")), "the texts are stable")
	elsewhere := []string{"none", "interim-answers", "slow-but-in-time", "refund-booked-late", "newer-version-refused", "upstream-places-freed-late", "slots-freed-late", "slots-freed-by-the-upstream", breaker}
	for _, p := range Permitted() {
		if slices.Contains(elsewhere, p.Name) {
			continue
		}
		t.Run(p.Name, func(t *testing.T) {
			for id, text := range look(t, p.Name) {
				if text != ordinary[id] {
					return
				}
			}
			t.Error("no answer shows it")
		})
	}
}

// stableText is an observation without what differs from call to call.
func stableText(t *testing.T, o contract.Observation) string {
	t.Helper()
	for _, name := range []string{"Date", "X-Ratelimit-Reset-Requests", "Retry-After"} {
		if len(o.Header[name]) > 0 {
			o.Header[name] = []string{"…"}
		}
	}
	header, err := json.Marshal(o.Header)
	require.NoError(t, err)
	attempts := 0
	if o.Upstream != nil {
		attempts = len(o.Upstream.Attempts)
	}
	text := fmt.Sprintf("%s %d %s\n%s\n%d attempts", o.Proto, o.Status, header, o.Body, attempts)
	return regexp.MustCompile(`[0-9a-f]{32}|"created(_at)?":\d+|"Content-Length":\["\d+"\]`).ReplaceAllString(text, "…")
}
