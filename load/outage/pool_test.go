package outage

import (
	"container/heap"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
)

// pool is one in a gateway that all calls share: so many places, and a queue for whoever finds none free. The time limit of a
// call begins when it has a place.
type pool struct {
	places int
	busy   places // until when
}

type places []time.Duration

func (p places) Len() int           { return len(p) }
func (p places) Less(i, j int) bool { return p[i] < p[j] }
func (p places) Swap(i, j int)      { p[i], p[j] = p[j], p[i] }
func (p *places) Push(x any)        { *p = append(*p, x.(time.Duration)) }
func (p *places) Pop() any {
	last := (*p)[len(*p)-1]
	*p = (*p)[:len(*p)-1]
	return last
}

// answer lets a call wait for a place.
func (p *pool) answer(r simulated, a *answer) {
	if r.phase != "outage" {
		return
	}
	for len(p.busy) > 0 && p.busy[0] <= r.at {
		heap.Pop(&p.busy)
	}
	start := r.at
	if len(p.busy) >= p.places {
		start = heap.Pop(&p.busy).(time.Duration)
	}
	heap.Push(&p.busy, start+a.after)
	a.after += start - r.at
}

// Healthy requests that wait for hanging ones are found where the upstream holds more calls than the pool has places, and
// nothing is found where the pool is large enough.
func TestHeadOfLineBlockingInPools(t *testing.T) {
	for _, row := range []struct {
		places, slow int
		found        bool
	}{
		{4, 0, true}, {16, 0, false}, {4, 160, true}, {16, 160, true}, {40, 160, true}, {100, 160, true}, {256, 160, false}, {256, 400, true},
	} {
		t.Run(fmt.Sprintf("%d places, %d slow calls", row.places, row.slow), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &pool{places: row.places}
				s := &simulation{change: p.answer, slow: row.slow}
				findings, evidence, err := s.verify(t.Context())
				require.NoError(t, err)
				var violated []contract.Requirement
				for _, f := range findings {
					violated = append(violated, f.Requirement)
				}
				if !row.found {
					assert.Empty(t, violated)
					return
				}
				// Where half of them wait for so long that they fail, nothing can be said of their latency.
				slow, failing := slices.Contains(violated, contract.HealthySpared), slices.Contains(violated, contract.HealthyServed)
				assert.True(t, slow || failing, "%v", evidence.checks)
			})
		})
	}
}
