package targets

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/targets/profile"
)

func TestAwaitRecovery(t *testing.T) {
	calls := 0
	p := profile.Profile{Keys: profile.Keys{Valid: "sk-abcdefgh"}, Models: profile.Models{Default: "m"}}
	s := newTestSession(t, p, nil, func(w http.ResponseWriter, _ *http.Request) {
		if calls++; calls < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"choices":[{}]}`))
	})
	waited, err := s.AwaitRecovery(t.Context(), contract.Case{Surface: dialect.Chat})
	require.NoError(t, err)
	assert.Positive(t, waited)
	waited, err = s.AwaitRecovery(t.Context(), contract.Case{Surface: dialect.Chat})
	require.NoError(t, err)
	assert.Zero(t, waited, "well all along")

	never := newTestSession(t, with(p, func(p *profile.Profile) { p.Settle.Recovery = time.Millisecond }), nil, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	_, err = never.AwaitRecovery(t.Context(), contract.Case{Surface: dialect.Chat})
	require.ErrorIs(t, err, ErrNotRecovered)
	_, err = never.AwaitRecovery(t.Context(), contract.Case{Surface: dialect.Chat})
	require.EqualError(t, err, "the gateway has not recovered; gatecert did not wait again, because the gateway did not recover during an earlier wait or the run has used up its total waiting time; the healthy call failed: 503 with an empty body")
}

// A breaker is known by what it answers, and by how often it opens.
func TestAFragileGateway(t *testing.T) {
	var failures atomic.Int64 // of the next calls
	p := profile.Profile{Keys: profile.Keys{Valid: "sk-abcdefgh"}, Models: profile.Models{Default: "m"}}
	s := newTestSession(t, with(p, func(p *profile.Profile) { p.Settle.Recovery = time.Minute }), nil, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if left := failures.Add(-1); left >= 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = fmt.Fprintf(w, `{"error":{"message":"breaker open, request %d"}}`, left)
			return
		}
		_, _ = w.Write([]byte(`{"choices":[{}]}`))
	})
	answer := func(status int, body string) contract.Observation {
		return contract.Observation{Status: status, Body: contract.Bytes(body)}
	}
	breaker := answer(503, `{"error":{"message":"breaker open, request 17"}}`)
	atOnce := func() []any { n, fragile := s.AtOnce(8); return []any{n, fragile} }

	_, err := s.AwaitRecovery(t.Context(), contract.Case{Surface: dialect.Chat})
	require.NoError(t, err)
	assert.False(t, s.AnswersUnhealthy(breaker))
	assert.Equal(t, []any{8, false}, atOnce())

	for _, want := range []int{4, 2, 1, 1} {
		failures.Store(1)
		_, err = s.AwaitRecovery(t.Context(), contract.Case{Surface: dialect.Chat})
		require.NoError(t, err)
		assert.Equal(t, []any{want, true}, atOnce())
	}
	assert.True(t, s.AnswersUnhealthy(breaker))
	assert.False(t, s.AnswersUnhealthy(answer(502, string(breaker.Body))), "another status")
	assert.False(t, s.AnswersUnhealthy(answer(503, `{"error":{"message":"another one"}}`)))
	assert.False(t, s.AnswersUnhealthy(contract.Observation{Failure: &contract.Failure{}}))
}

// A wait that the run's budget cuts short proves less than settle.recovery.
func TestAftermathNeedsTheWholeRecovery(t *testing.T) {
	p := profile.Profile{Keys: profile.Keys{Valid: "sk-abcdefgh"}, Models: profile.Models{Default: "m"}}
	p.Settle.Recovery = 150 * time.Millisecond
	dead := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }

	s := newTestSession(t, p, nil, dead)
	after, err := s.Aftermath(t.Context(), dialect.Chat)
	require.NoError(t, err)
	require.NotNil(t, after)
	assert.False(t, after.Served)
	assert.Equal(t, 150*time.Millisecond, after.After)

	cut := newTestSession(t, p, nil, dead)
	cut.health.tripped(false, recoveryBudget-50*time.Millisecond)
	after, err = cut.Aftermath(t.Context(), dialect.Chat)
	require.NoError(t, err)
	assert.Nil(t, after, "50 ms were left")
}
