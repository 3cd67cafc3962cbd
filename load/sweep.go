package load

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/internal/wait"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// Sweep configures a closed loop at increasing concurrency: each caller sends its next request as soon as it has received the response to its
// previous one. A sweep shows the concurrency beyond which more callers no longer increase the throughput. Fields that are zero take their defaults.
type Sweep struct {
	// Phase is run for each level. The sweep sets the phase's name, connections, rate and length.
	Phase Phase
	SLO   SLO
	// Levels are the concurrencies, 1 to 25,000 each. Default 1, 2, 4, 8, 16, 32 and 64.
	Levels []int
	// Each is how long each level takes. Default 5 s.
	Each time.Duration
	// Most is the maximum average rate of requests in a level, in requests/s. Default 200.
	Most float64
	// Observe, when not nil, is called after every level.
	Observe func(SweepLevel)
}

// SweepLevel is the result at one concurrency.
type SweepLevel struct {
	Concurrency int
	// Throughput is the number of requests admitted per second.
	Throughput float64
	Admitted   uint64
	// P50 and P99 are quantiles of the service time of admitted requests: nobody waits for a connection.
	P50, P99 time.Duration
	// Errors is the share of requests that failed, 0 to 1.
	Errors float64
	// Misses describes how the SLO was missed. Inconclusive lists the reasons why the level is not evidence about the gateway.
	Misses, Inconclusive []string
	// Bounded means that the level ended because it had sent the largest number of requests that
	// [Sweep.Most] allows.
	Bounded bool
}

// SweepResult is the result of a sweep.
type SweepResult struct {
	SLO    SLO
	Levels []SweepLevel
	// Violations are the requirements of the contract that responses violated at any level.
	Violations []Violation
	// AtBest is the measurement of the best level, see [SweepResult.Best].
	AtBest Measurement
}

// enough is the share of the highest throughput that the best level has at least.
const enough = 0.95

// Best returns the lowest concurrency that meets the SLO with at least 95 % of the highest throughput of those that do: more
// callers would only wait longer. ok is false if no level meets the SLO.
func (r SweepResult) Best() (best SweepLevel, ok bool) {
	meets := func(l SweepLevel) bool { return len(l.Misses) == 0 && len(l.Inconclusive) == 0 }
	highest := 0.0
	for _, l := range r.Levels {
		if meets(l) {
			highest = max(highest, l.Throughput)
		}
	}
	for _, l := range r.Levels {
		if meets(l) && l.Throughput >= enough*highest {
			return l, true
		}
	}
	return SweepLevel{}, false
}

// Verdict returns error when nothing was measured, and otherwise the verdict of the responses' violations.
func (r SweepResult) Verdict() contract.Verdict {
	if len(r.Levels) == 0 {
		return contract.Error
	}
	return verdictOf(r.Violations)
}

// String returns the result in one line.
func (r SweepResult) String() string {
	best, ok := r.Best()
	if !ok {
		return "the SLO was not met at any tested number of callers"
	}
	if len(r.Levels) > 0 && best.Concurrency == r.Levels[len(r.Levels)-1].Concurrency {
		return fmt.Sprintf("%.4g/s with %s, the highest number tried: more callers may reach a higher rate", best.Throughput, plain.Count(best.Concurrency, "caller"))
	}
	return fmt.Sprintf("%.4g/s with %s: more callers do not increase the throughput within the SLO", best.Throughput, plain.Count(best.Concurrency, "caller"))
}

func (s Sweep) withDefaults() Sweep {
	s.SLO = s.SLO.withDefaults()
	if len(s.Levels) == 0 {
		s.Levels = []int{1, 2, 4, 8, 16, 32, 64}
	}
	setDefault(&s.Each, 5*time.Second)
	setDefault(&s.Most, 200)
	return s
}

func (s Sweep) level(concurrency int) Phase {
	p := s.Phase
	p.Name, p.Closed, p.Rate, p.For = plain.Count(concurrency, "caller"), true, s.Most, s.Each
	p.Connections, p.WarmUp, p.Arrivals, p.SLO = concurrency, s.Each/warmUpShare, Arrivals{}, s.SLO
	return p
}

// PlanSweep returns what a sweep will send at most. It returns [ErrInvalid].
func (e *Engine) PlanSweep(s Sweep) (plan Plan, err error) {
	s = s.withDefaults()
	if !slices.IsSorted(s.Levels) {
		return Plan{}, fmt.Errorf("%w: concurrency %v: specify the levels in ascending order", ErrInvalid, s.Levels)
	}
	for _, level := range s.Levels {
		more, err := e.Plan(s.level(level))
		if err != nil {
			return Plan{}, err
		}
		plan = plan.Add(more)
	}
	return plan, nil
}

// Sweep measures every level, the lowest concurrency first. It returns the errors of [Engine.Run], with the levels so far.
func (e *Engine) Sweep(ctx context.Context, s Sweep) (SweepResult, error) {
	s = s.withDefaults()
	result := SweepResult{SLO: s.SLO}
	if _, err := e.PlanSweep(s); err != nil {
		return result, err
	}
	measured := map[int]Measurement{}
	for _, concurrency := range s.Levels {
		phase := s.level(concurrency)
		m, err := e.Run(ctx, phase)
		result.Violations = mergeViolations(result.Violations, m.Violations)
		if err != nil {
			return result, err
		}
		l := newSweepLevel(concurrency, phase, m, s.SLO)
		result.Levels = append(result.Levels, l)
		measured[concurrency] = m
		if best, ok := result.Best(); ok {
			result.AtBest = measured[best.Concurrency]
		}
		if s.Observe != nil {
			s.Observe(l)
		}
		if err := wait.For(ctx, settleTime); err != nil {
			return result, err
		}
	}
	return result, nil
}

func newSweepLevel(concurrency int, p Phase, m Measurement, slo SLO) SweepLevel {
	admitted := m.Of(AllRequests, runlog.Admitted)
	l := SweepLevel{
		Concurrency: concurrency, Admitted: admitted.Count, P50: admitted.ServiceTime.Quantile(0.5), P99: admitted.ServiceTime.Quantile(0.99),
		Errors: m.ErrorRate(), Misses: slo.Misses(m), Bounded: float64(m.Sent) >= math.Floor(p.Rate*p.For.Seconds()),
	}
	// In a closed loop as many requests are sent as are answered, and they are counted by when they were sent.
	span := p.For - p.WarmUp
	if l.Bounded {
		span = min(span, max(m.Elapsed-p.WarmUp, 1))
	}
	l.Throughput = float64(admitted.Count) / span.Seconds()
	if len(l.Misses) > 0 || m.Generator.Undersent {
		l.Inconclusive = m.Generator.Problems
	}
	return l
}
