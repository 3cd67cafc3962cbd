package targets

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/targets/profile"
)

func TestObserveTellsWhatTheUpstreamSawAndWhatItCost(t *testing.T) {
	balance, reads := 100.0, 0
	p := profile.Profile{Keys: profile.Keys{Valid: "sk-abcdefgh"}, Models: profile.Models{Default: "m"}, Upstream: profile.Upstream{Listen: "127.0.0.1:1"},
		Balance: profile.Balance{Path: "/left", Field: "data.quota"}, Limits: profile.Limits{Attempts: 2}}
	healthy := false
	s := newTestSession(t, p, fakeUpstream{}, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/left" {
			reads++
			_ = json.NewEncoder(w).Encode(map[string]any{"data": map[string]any{"quota": balance}})
			return
		}
		balance -= 7
		if healthy {
			return
		}
		w.WriteHeader(http.StatusBadGateway)
	})
	c, err := contract.ParseCase("http:5xx/upstream-error/chat/error-object")
	require.NoError(t, err)
	assert.True(t, s.ReadsBalance(c))
	o, err := s.Observe(t.Context(), c)
	require.NoError(t, err)
	assert.Equal(t, 502, o.Status)
	assert.Equal(t, &contract.Seen{Attempts: []contract.Attempt{{Status: 500}}, Bound: 2}, o.Upstream)
	assert.Equal(t, &contract.Balance{Before: 100, After: 93}, o.Balance)

	reads = 0
	o, err = s.Observe(t.Context(), c)
	require.NoError(t, err)
	assert.Equal(t, &contract.Balance{Before: 93, After: 86}, o.Balance)
	assert.Equal(t, settlePolls+1, reads, "the balance before is the one that the case before has left")

	healthy = true
	_, ok, _, err := s.Control(t.Context(), "chat", ControlHealthy)
	require.NoError(t, err)
	require.False(t, ok, "an empty 200")
	healthy = false
	o, err = s.Observe(t.Context(), c)
	require.NoError(t, err)
	assert.Equal(t, &contract.Balance{Before: 79, After: 72}, o.Balance, "what a healthy call cost is not the case's")
}
