package targets

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
)

// growingUpstream is one whose records grow.
type growingUpstream struct {
	Upstream
	mu       sync.Mutex
	attempts map[string][]contract.Attempt
	asked    time.Time
}

func (u *growingUpstream) Seen(_ context.Context, token string) (contract.Seen, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.asked = time.Now()
	return contract.Seen{Attempts: u.attempts[token]}, nil
}

func TestTheUpstreamIsAskedAgainWhenRefusedCallsHaveHadTime(t *testing.T) {
	refused, _ := contract.ParseCase("http:401/missing-key/chat")
	tried, _ := contract.ParseCase("http:5xx/upstream-error/chat/error-object")
	same, _ := contract.ParseCase("http:5xx/upstream-error/chat/error-529")
	synctest.Test(t, func(t *testing.T) {
		open := contract.Attempt{Open: true}
		u := &growingUpstream{attempts: map[string][]contract.Attempt{
			"a": {{Status: 200}}, "b": {{Status: 500}, {Status: 500}}, "c": {{Status: 529}},
		}}
		s := &Session{upstream: u}
		s.recorded.add(tried, "b", contract.Seen{Attempts: []contract.Attempt{open}, Bound: 3})
		s.recorded.add(same, "c", contract.Seen{Attempts: []contract.Attempt{open}})
		s.recorded.add(refused, "a", contract.Seen{})
		ended := time.Now()
		late, err := s.LateCalls(t.Context())
		require.NoError(t, err)
		assert.Equal(t, map[string]contract.Seen{
			refused.ID(): {Attempts: []contract.Attempt{{Status: 200, Late: true}}},
			tried.ID():   {Attempts: []contract.Attempt{open, {Status: 500, Late: true}}, Bound: 3},
		}, late)
		assert.Equal(t, LateGrace, u.asked.Sub(ended))
	})
}
