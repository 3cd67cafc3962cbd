package load

import (
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestFitness(t *testing.T) {
	lag := func(n int, d time.Duration) Histogram {
		var l Histogram
		for range n {
			l.Add(d)
		}
		return l
	}
	allCores := time.Duration(runtime.GOMAXPROCS(0)) * time.Second
	for _, row := range []struct {
		sentence string
		effort   effort
		fit      bool
	}{
		{"all was sent, in time", effort{offered: 100, sent: 100, lag: lag(100, ms), cpu: allCores / 2, wall: time.Second}, true},
		{"one in a hundred is missing", effort{offered: 100, sent: 99, lost: 1, lag: lag(99, ms)}, true},
		{"two in a hundred are missing", effort{offered: 100, sent: 98, lost: 2, lag: lag(98, ms)}, false},
		{"what waited for the gateway is not ours", effort{offered: 100, sent: 10, waited: 90, lag: lag(10, ms)}, true},
		{"one in a hundred was late", effort{offered: 100, sent: 100, late: 1, lag: lag(100, ms)}, true},
		{"two shots may always be late", effort{offered: 20, sent: 20, late: 2, lag: lag(20, ms)}, true},
		{"three in a hundred were late", effort{offered: 100, sent: 100, late: 3, lag: lag(100, ms)}, false},
		{"of a gateway in this process nobody can tell who was late", effort{offered: 100, sent: 100, late: 50, lag: lag(100, ms), embedded: true}, true},
		{"this process used all cores", effort{offered: 100, sent: 100, cpu: allCores, wall: time.Second}, false},
		{"in a closed loop it may", effort{offered: 100, sent: 100, cpu: allCores, wall: time.Second, closed: true}, true},
		{"with the gateway inside it nobody can tell whose they are", effort{offered: 100, sent: 100, cpu: allCores, wall: time.Second, embedded: true}, true},
		{"no ports were left for some", effort{offered: 1000, sent: 1000, client: 2}, false},
	} {
		t.Run(row.sentence, func(t *testing.T) {
			f := GeneratorLimits{}.withDefaults().judge(row.effort)
			assert.Equal(t, row.fit, f.OK(), "%v", f.Problems)
		})
	}
}

// What is unfit says nothing about the gateway, however it answered.
func TestUnfitIsNeverTheGatewaysFault(t *testing.T) {
	s := serve(t, ok)
	slow := Phase{
		Mix: []Request{part(s.URL)}, Schedule: Constant{Rate: 100, For: 200 * ms},
		Generator: GeneratorLimits{Missed: 0.99, Lag: time.Nanosecond, CPU: 100},
	}
	m, err := newEngine(t, Caps{}).Run(t.Context(), slow)
	assert.NoError(t, err)
	assert.False(t, m.Generator.OK())
	assert.Equal(t, m.Late, m.Lag.Count(), "nobody is on time to the nanosecond")
	assert.Equal(t, "error", string(m.Verdict()))
	assert.Regexp(t, `^\d+ of \d+ shots were sent more than 1ns late$`, m.Generator.Problems[0])
}
