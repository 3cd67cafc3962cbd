package load

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/reports/runlog"
)

func closedPhase(url string, connections int) Phase {
	return Phase{
		Mix: []Request{chatRequest(url)}, Rate: 30, For: 4 * time.Second, Closed: true, Connections: connections, Keep: 200, Generator: lenient(),
		Timeout: time.Minute,
	}
}

// A closed loop sends as many requests as its plan permits and no more, each of them once, also in shares.
func TestAClosedLoopKeepsToItsPlan(t *testing.T) {
	simulate(t, ok, func(t *testing.T, e *Engine, url string) {
		for _, connections := range []int{1, 4, 64} {
			p := closedPhase(url, connections)
			m, err := e.Run(t.Context(), p)
			require.NoError(t, err)
			assert.True(t, m.Generator.OK(), "%v", m.Generator.Problems)
			assert.Equal(t, uint64(120), m.Sent, "%d callers", connections)
			assert.Equal(t, uint64(120), m.Count(runlog.Admitted))
			seen := map[uint64]bool{}
			for _, r := range m.Results {
				seen[r.Seq] = true
				assert.Less(t, r.Seq, uint64(120))
			}
			assert.Len(t, seen, 120, "each request once")
		}
		sent := uint64(0)
		for i := range 2 {
			p := closedPhase(url, 5)
			p.Share = Share{i, 2}
			part, err := e.RunShare(t.Context(), p)
			require.NoError(t, err)
			assert.Equal(t, p.Requests(), part.m.Sent)
			sent += part.m.Sent
		}
		assert.Equal(t, uint64(120), sent)
	})
}

func hang(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body) // else the server does not notice a client that disconnects
	<-r.Context().Done()
}

// Callers that wait for a gateway that hangs send nothing more when the phase is over.
func TestAClosedLoopAgainstAHangingGateway(t *testing.T) {
	simulate(t, hang, func(t *testing.T, e *Engine, url string) {
		p, began := closedPhase(url, 8), time.Now()
		m, err := e.Run(t.Context(), p)
		require.NoError(t, err)
		assert.Equal(t, time.Minute, time.Since(began))
		assert.Equal(t, uint64(8), m.Sent)
		assert.Equal(t, uint64(8), m.Count(runlog.Timeout))
	})
}

// A closed loop that is cancelled sends nothing more, whether the gateway hangs or responds.
func TestAClosedLoopIsCancelled(t *testing.T) {
	for name, gateway := range map[string]http.HandlerFunc{"hangs": hang, "responds": queueing(10 * ms)} {
		t.Run(name, func(t *testing.T) {
			simulate(t, gateway, func(t *testing.T, e *Engine, url string) {
				cause := errors.New("the user left")
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(405*ms, func() { cancel(cause) })
				began := time.Now()
				m, err := e.Run(ctx, closedPhase(url, 4))
				require.ErrorIs(t, err, cause)
				assert.Equal(t, 405*ms, time.Since(began))
				assert.LessOrEqual(t, m.Count(runlog.Abandoned), uint64(5), "the open ones, and one that was released")
				assert.Equal(t, m.Sent, m.Count(runlog.Abandoned)+m.Count(runlog.Admitted))
				assert.Zero(t, m.ErrorRate())
			})
		})
	}
}

// A closed loop whose lease has ended sends nothing more.
func TestAClosedLoopEndsWithItsLease(t *testing.T) {
	simulate(t, queueing(10*ms), func(t *testing.T, e *Engine, url string) {
		p := closedPhase(url, 4)
		p.Share, p.Lease = Share{0, 2}, &Lease{}
		p.Lease.Extend(time.Now().Add(305 * ms))
		part, err := e.RunShare(t.Context(), p)
		require.NoError(t, err)
		assert.InDelta(t, 30, float64(part.m.Count(runlog.Admitted)), 5)
		assert.Positive(t, part.Unleased())
		assert.False(t, part.m.Generator.OK(), "it is not the whole share")
	})
}
