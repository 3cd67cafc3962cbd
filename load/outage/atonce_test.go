package outage

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/runlog"
)

// slots is a gateway in which so many calls fit at once. What does not fit waits, or is refused.
type slots struct {
	// places are how many there are at an instant since the simulation began.
	places func(at time.Duration) int
	// status refuses what does not fit; 0 lets it wait.
	status int
	// perMinute bounds the healthy requests of a minute, 0 does not; counted are their instants.
	perMinute int
	counted   []time.Duration
	busy      places
	// slow is how long the gateway takes to take a call, one after the other.
	slow, taken time.Duration
}

func (s *slots) answer(r simulated, a *answer) {
	if s.perMinute > 0 && (r.name == "held" || r.name == "healthy") {
		n := 0
		for _, at := range s.counted {
			if r.at-at < time.Minute {
				n++
			}
		}
		if n >= s.perMinute && (r.phase == "at once after" || r.phase == "one by one") { // before, there were few enough
			a.after, a.status, a.outcome, a.attempts = ms, 429, runlog.Refused, nil
			return
		}
		s.counted = append(s.counted, r.at)
	}
	if r.name != "held" {
		return
	}
	for len(s.busy) > 0 && s.busy[0] <= r.at {
		s.busy = s.busy[1:]
	}
	start := r.at
	if s.slow > 0 {
		s.taken = max(s.taken, r.at) + s.slow
		start = s.taken
	}
	if n := s.places(r.at); len(s.busy) >= n {
		if s.status != 0 {
			a.after, a.status, a.outcome, a.attempts = ms, s.status, runlog.Error5xx, nil
			if s.status == 429 {
				a.outcome = runlog.Refused
			}
			return
		}
		start = s.busy[len(s.busy)-n]
	}
	s.busy = append(s.busy, start+a.after)
	a.after += start - r.at
}

// Places that failed calls keep are found, whether other calls wait for them or are refused. Nothing is said of a gateway that has few,
// that frees them late, or whose limit is on the number of calls.
func TestPlacesThatAreLost(t *testing.T) {
	const outageEnds = 8 * time.Second // about
	always := func(n int) func(time.Duration) int { return func(time.Duration) int { return n } }
	losing := func(n, later int) func(time.Duration) int {
		return func(at time.Duration) int {
			if at < outageEnds {
				return n
			}
			return later
		}
	}
	freedLate := func(at time.Duration) int {
		if at > outageEnds && at < outageEnds+3*time.Second {
			return 10
		}
		return 40
	}
	for _, row := range []struct {
		sentence string
		gateway  slots
		result   contract.Result
		says     string
	}{
		{"more places than calls", slots{places: always(200)}, contract.Held, "after the outage, 64 of 64 concurrent calls reached the upstream at the same time (64 before the outage)"},
		{"a few places", slots{places: always(4)}, contract.Held, "after the outage, 4 of 64 concurrent calls reached the upstream at the same time (4 before the outage)"},
		{"one place", slots{places: always(1)}, contract.Held, "after the outage, 1 of 64 concurrent calls"},
		{"a few places, and the others are refused", slots{places: always(12), status: 429}, contract.Held, "12 of 64"},
		{"one place less: not more than chance", slots{places: losing(40, 39)}, contract.Held, "after the outage, 39 of 64 concurrent calls reached the upstream at the same time (40 before the outage)"},
		{"places that are free again after three seconds", slots{places: freedLate}, contract.Held, "after the outage, 40 of 64 concurrent calls reached the upstream at the same time (40 before the outage)"},
		{"a place lost with each failed call", slots{places: losing(40, 14)}, contract.Violated, "got at most 14 concurrent calls at the upstream in 8 attempts; the last attempt ended"},
		{"the same in a pool of 80", slots{places: losing(80, 54)}, contract.Violated, "got at most 54"},
		{"the same, and others are refused", slots{places: losing(40, 14), status: 503}, contract.Violated, "got at most 14"},
		{"the same, with 429", slots{places: losing(40, 14), status: 429}, contract.Violated, "got at most 14"},
		{"a gateway that takes one call after the other", slots{places: always(200), slow: 30 * ms}, contract.Untested, "64 concurrent calls did not reach the upstream at the same time"},
		{"a limit on the number of calls", slots{places: always(200), perMinute: 100}, contract.Untested, "a rate limit may have refused the others"},
	} {
		t.Run(row.sentence, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &simulation{change: row.gateway.answer}
				findings, evidence, err := s.verify(t.Context())
				require.NoError(t, err)
				for _, c := range evidence.checks {
					if c.Requirement == contract.CapacityKept {
						assert.Equal(t, row.result, c.Result, c.Sentence)
						assert.Contains(t, c.Sentence, row.says)
					}
				}
				for _, f := range findings {
					if row.gateway.perMinute == 0 {
						assert.Equal(t, contract.CapacityKept, f.Requirement, "nothing else is said: %v", f)
					}
				}
				assert.Len(t, evidence.rounds, 1, "a place that stays lost needs no second round")
			})
		})
	}
}
