package load

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/internal/wait"
	"github.com/gatecert/gatecert/reports/runlog"
)

// ErrInconclusive is returned when too many rounds of a comparison were inconclusive.
var ErrInconclusive = errors.New("not compared")

// Comparison configures a measurement of how two targets differ. Both get the same load, in an open loop and in interleaved
// rounds, so that whatever disturbs this machine disturbs both. Fields that are zero take their defaults.
type Comparison struct {
	// Phase is run for each half of a round. The comparison sets its name, its mix, its rate and its length. Both halves of a
	// round have the same arrivals.
	Phase Phase
	// A and B are the targets. The comparison measures how much longer B takes than A.
	A, B Side
	// Rate is in requests/s. Default 50, which is far below the capacity of any gateway.
	Rate float64
	// Rounds is the number of times that both targets are measured, 5 to 1000. Default 20.
	Rounds int
	// Duration is the length of each half of a round. Default 1 s.
	Duration time.Duration
	// Progress, when not nil, is called after each round with the number of rounds so far.
	Progress func(done, of int)
}

// Side is one of the targets of a comparison.
type Side struct {
	Name string
	Mix  []Request
	// Engine runs this side's half of each round. nil means the engine that runs the comparison.
	Engine *Engine
	// Embedded says that this target runs in this process.
	Embedded bool
}

// Compared is the result of a comparison.
type Compared struct {
	// A and B are the names of the targets.
	A, B     string
	Arrivals Arrivals
	Rate     float64
	// Rounds is how many of the Asked rounds were measured.
	Rounds, Asked int
	Duration      time.Duration
	// Differences has an entry for each metric that both targets have.
	Differences []Difference
	// Discarded counts the rounds that were measured again, because this machine could not keep up or nothing was admitted.
	Discarded int
	// Violations are the requirements of the contract that responses of either violated.
	Violations []Violation
}

// Verdict returns error when nothing was compared, and otherwise the verdict of the responses' violations. A difference
// is not a violation.
func (c Compared) Verdict() contract.Verdict {
	if len(c.Differences) == 0 {
		return contract.Error
	}
	return verdictOf(c.Violations)
}

const (
	minRounds = 5
	maxRounds = 1000
	// spareRounds is how many rounds may be measured again, relative to those asked for.
	spareRounds = 1
	// maxCompared bounds the results that are kept of each target, in all rounds. More of a round add nothing.
	maxCompared = 200_000
)

func (c Comparison) withDefaults() Comparison {
	c.Phase = c.Phase.withDefaults()
	setDefault(&c.Rate, 50)
	setDefault(&c.Rounds, 20)
	setDefault(&c.Duration, time.Second)
	return c
}

// half is the phase of one side in a round.
func (c Comparison) half(side Side, round int) Phase {
	p := c.Phase
	p.Name, p.Mix, p.Rate, p.For, p.Embedded = side.Name, side.Mix, c.Rate, c.Duration, side.Embedded
	p.Keep = maxCompared / max(c.Rounds, 1)
	p.Seed += uint64(round + 1) //nolint:gosec // counts from -1
	return p
}

// PlanComparison returns an upper bound on what a comparison will send. It returns [ErrInvalid].
func (e *Engine) PlanComparison(c Comparison) (Plan, error) {
	a, b, err := e.planSides(c.withDefaults())
	return a.Add(b), err
}

// planSides returns what will be sent to either side.
func (e *Engine) planSides(c Comparison) (a, b Plan, err error) {
	if c.Rounds < minRounds || c.Rounds > maxRounds {
		return a, b, fmt.Errorf("%w: the number of rounds is %d, but must be between %d and %d", ErrInvalid, c.Rounds, minRounds, maxRounds)
	}
	if a, err = e.Plan(c.half(c.A, 0)); err != nil {
		return a, b, err
	}
	if b, err = e.Plan(c.half(c.B, 0)); err != nil {
		return a, b, err
	}
	times := 1 + c.Rounds*(1+spareRounds)
	return a.Repeat(times), b.Repeat(times), nil
}

// Compare measures how B differs from A.
//
// It returns [ErrInvalid], [ErrCap], and [ErrInconclusive] when the number of inconclusive rounds exceeds
// [Comparison.Rounds]. When ctx is done it returns the context's cause. With an error, the result covers the rounds so far;
// it contains no differences if there were too few rounds.
func (e *Engine) Compare(ctx context.Context, c Comparison) (Compared, error) {
	c = c.withDefaults()
	out := Compared{A: c.A.Name, B: c.B.Name, Arrivals: c.Phase.Arrivals, Rate: c.Rate, Asked: c.Rounds, Duration: c.Duration}
	if _, _, err := e.planSides(c); err != nil {
		return out, err
	}
	var rounds []comparedRound
	err := e.playRounds(ctx, c, &out, &rounds)
	out.Rounds = len(rounds)
	if len(rounds) >= minRounds {
		out.Differences = differences(rounds)
	}
	return out, err
}

func (e *Engine) playRounds(ctx context.Context, c Comparison, out *Compared, rounds *[]comparedRound) error {
	if _, err := e.compareOnce(ctx, c, -1, out); err != nil { // opens the connections and warms both up
		return err
	}
	for n := 0; len(*rounds) < c.Rounds; n++ {
		if out.Discarded > c.Rounds*spareRounds {
			return fmt.Errorf("%w: %d of %d rounds were inconclusive because the load generator could not keep up or the gateway admitted no request", ErrInconclusive, out.Discarded, n)
		}
		r, err := e.compareOnce(ctx, c, n, out)
		if err != nil {
			return err
		}
		if !r.conclusive {
			out.Discarded++
			continue
		}
		*rounds = append(*rounds, r)
		if c.Progress != nil {
			c.Progress(len(*rounds), c.Rounds)
		}
	}
	return nil
}

// comparedRound holds what both halves of a round came to.
type comparedRound struct {
	a, b comparedHalf
	// conclusive says that this machine kept up in both halves, and that both answered.
	conclusive bool
}

// comparedHalf is what one target came to in a round: values by metric.
type comparedHalf struct {
	service, ttft []float64 // seconds, of the admitted requests
	failed, sent  float64
}

// compareOnce measures round n. In even rounds A comes first.
func (e *Engine) compareOnce(ctx context.Context, c Comparison, n int, out *Compared) (r comparedRound, err error) {
	r.conclusive = true
	halves := []struct {
		side Side
		into *comparedHalf
	}{{c.B, &r.b}, {c.A, &r.a}}
	if n%2 == 0 {
		halves[0], halves[1] = halves[1], halves[0]
	}
	for _, half := range halves {
		engine := e
		if half.side.Engine != nil {
			engine = half.side.Engine
		}
		m, err := engine.Run(ctx, c.half(half.side, n))
		out.Violations = mergeViolations(out.Violations, m.Violations)
		if err != nil {
			return r, err
		}
		*half.into = newComparedHalf(m)
		r.conclusive = r.conclusive && len(half.into.service) > 0 && m.Generator.OK()
		if err := wait.For(ctx, settleTime); err != nil {
			return r, err
		}
	}
	return r, nil
}

func newComparedHalf(m Measurement) (h comparedHalf) {
	for _, r := range m.Results {
		if !r.Outcome.OfGateway() {
			continue
		}
		h.sent++
		if r.Outcome.Failed() {
			h.failed++
		}
		if r.Outcome != runlog.Admitted {
			continue
		}
		h.service = append(h.service, r.ServiceTime().Seconds())
		if r.FirstToken > 0 {
			h.ttft = append(h.ttft, (r.FirstToken - r.Sent).Seconds())
		}
	}
	slices.Sort(h.service)
	slices.Sort(h.ttft)
	return h
}
