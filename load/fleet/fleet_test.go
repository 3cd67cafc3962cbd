package fleet

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/load"
	"github.com/gatecert/gatecert/reports/runlog"
)

// Four workers send one phase: every request once, at its place in the schedule.
func TestWorkersSendOnePhase(t *testing.T) {
	g, a := newTarget(t), newServer(t)
	join(t, 4, WorkerOptions{Access: a, Targets: []string{g.URL}})
	f := open(t, a, 4)
	e := engineOf(t, f)
	var progress load.Progress
	p := g.phase("steady", 400, time.Second)
	p.Connections = 400 // as many as requests: none waits for a connection, however busy the machine is
	p.Arrivals, p.Keep, p.Progress = load.PoissonArrivals(), 1000, func(q load.Progress) { progress = q }
	m, err := e.Run(t.Context(), p)
	require.NoError(t, err)

	assert.Equal(t, contract.Pass, m.Verdict(), m.Generator.Problems)
	assert.Equal(t, uint64(400), m.Offered)
	assert.Equal(t, uint64(400), m.Sent)
	assert.Equal(t, int64(400), g.requests.Load())
	assert.Equal(t, uint64(400), m.Count(runlog.Admitted))
	assert.Len(t, m.Workers, 4)
	for _, w := range m.Workers {
		assert.Equal(t, uint64(100), w.Sent)
	}
	seen := map[uint64]bool{}
	for _, r := range m.Results {
		seen[r.Seq] = true
	}
	assert.Len(t, seen, 400, "each request once")
	assert.Positive(t, progress.Sent)
	assert.NotEmpty(t, m.Windows)

	// The instants are those of one process with the same seed.
	one := load.NewEngine(load.Options{Caps: load.HardCaps()})
	t.Cleanup(one.Close)
	p.Progress = nil
	alone, err := one.Run(t.Context(), p)
	require.NoError(t, err)
	due := map[uint64]time.Duration{}
	for _, r := range alone.Results {
		due[r.Seq] = r.Due
	}
	for _, r := range m.Results {
		assert.Equal(t, due[r.Seq], r.Due)
	}
}
