package load

import (
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestGeneratorHealth(t *testing.T) {
	health := func(sent, late int) (h GeneratorHealth) {
		for range sent {
			h.Lag.Add(ms)
		}
		h.Late = uint64(late)
		return h
	}
	allCores := time.Duration(runtime.GOMAXPROCS(0)) * time.Second
	for _, row := range []struct {
		sentence   string
		health     GeneratorHealth
		effort     effort
		ok, unsent bool
	}{
		{"all was sent, in time", health(100, 0), effort{offered: 100, sent: 100, cpu: allCores / 2, wall: time.Second}, true, false},
		{"one in a hundred was not sent", health(99, 0), effort{offered: 100, sent: 99, unsent: 1}, true, false},
		{"two in a hundred were not sent", health(98, 0), effort{offered: 100, sent: 98, unsent: 2}, false, true},
		{"requests that waited for the gateway do not count", health(10, 0), effort{offered: 100, sent: 10}, true, false},
		{"one in a hundred was late", health(100, 1), effort{offered: 100, sent: 100}, true, false},
		{"two requests may always be late", health(20, 2), effort{offered: 20, sent: 20}, true, false},
		{"three in a hundred were late", health(100, 3), effort{offered: 100, sent: 100}, false, false},
		{"lag beside a gateway in this process", health(100, 50), effort{offered: 100, sent: 100, embedded: true}, true, false},
		{"this process used all cores", health(100, 0), effort{offered: 100, sent: 100, cpu: allCores, wall: time.Second}, false, false},
		{"all cores with the gateway in this process", health(100, 0), effort{offered: 100, sent: 100, cpu: allCores, wall: time.Second, embedded: true}, true, false},
		{"no ports were left for some", health(998, 0), effort{offered: 1000, sent: 1000, localErrors: 2}, false, true},
	} {
		t.Run(row.sentence, func(t *testing.T) {
			h := GeneratorLimits{}.withDefaults().check(row.health, row.effort)
			assert.Equal(t, row.ok, h.OK(), "%v", h.Problems)
			assert.Equal(t, row.unsent, h.Undersent)
		})
	}
}

// A phase in which the generator could not keep up says nothing about the gateway, whatever the gateway answered.
func TestGeneratorProblemsAreNotTheGatewaysFault(t *testing.T) {
	s := serve(t, ok)
	m, err := newEngine(t, Caps{}).Run(t.Context(), Phase{
		Mix: []Request{chatRequest(s.URL)}, Rate: 100, For: 200 * ms,
		Generator: GeneratorLimits{Missed: 0.99, Lag: time.Nanosecond, CPU: 100},
	})
	assert.NoError(t, err)
	assert.False(t, m.Generator.OK())
	assert.Equal(t, m.Generator.Late, m.Generator.Lag.Count(), "no request is on time to the nanosecond")
	assert.Equal(t, "error", string(m.Verdict()))
	assert.Regexp(t, `^this machine sent \d+ of \d+ requests more than 1ns late \(at most 1 % may be late\)$`, m.Generator.Problems[0])
}
