package load

import (
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/runlog"
)

// vegeta's own client leaves 1,278 goroutines and 852 descriptors behind after 20 attacks.
func TestTwentyPhasesLeaveNothingBehind(t *testing.T) {
	s := serve(t, ok)
	descriptors := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip("the descriptors cannot be counted here")
		}
		return len(entries)
	}
	e := NewEngine(Options{})
	goroutines, open := goleak.IgnoreCurrent(), descriptors()
	for range 20 {
		_, err := e.Run(t.Context(), Phase{Mix: []Request{chatRequest(s.URL)}, Rate: 200, For: 150 * ms, Connections: 16, Generator: lenient()})
		require.NoError(t, err)
	}
	assert.LessOrEqual(t, descriptors()-open, 2*16, "phases share their connections; both ends are counted here")
	e.Close()
	s.CloseClientConnections()
	assert.Eventually(t, func() bool { return descriptors() <= open }, 10*time.Second, 10*ms)
	goleak.VerifyNone(t, goroutines)
}

// The aggregator is what grows with the results, if anything does.
func TestAMillionResultsFitInFortyMegabytes(t *testing.T) {
	heap := func() uint64 {
		runtime.GC()
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		return stats.HeapAlloc
	}
	before := heap()
	m := Measurement{Requests: []string{"a"}, metrics: map[metricsKey]*Metrics{}}
	a := newAggregator(&m, Phase{Keep: 1000, For: time.Hour}.withDefaults())
	findings := []contract.Finding{{Requirement: contract.RetryAfter, Level: contract.Should, Want: "a", Got: "b"}}
	outcomes := runlog.Outcomes()
	for i := range 1_000_000 {
		at := time.Duration(i) * ms
		a.add(sample{Result: Result{
			Seq: uint64(i), Due: at, Sent: at, FirstByte: at + ms, End: at + time.Duration(i%977)*ms,
			Outcome: outcomes[i%len(outcomes)], Findings: findings,
		}, started: at})
	}
	a.close()
	assert.Equal(t, uint64(1_000_000), m.Sent)
	assert.Less(t, heap()-before, uint64(10<<20), "the whole engine has 40 MB")
	assert.LessOrEqual(t, len(m.Windows), maxWindows+1)
	runtime.KeepAlive(m)
}
