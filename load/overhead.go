package load

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/runlog"
)

// ErrInconclusive is returned when so many rounds of a comparison were of no use that none can be made.
var ErrInconclusive = errors.New("no comparison")

// Comparison measures what a gateway adds to a call: the same request directly to the provider and through the
// gateway, in rounds by turns, at the same rate in an open loop. What disturbs the machine disturbs both.
type Comparison struct {
	// Phase is fired for every half round; its parts and its schedule are the comparison's own.
	Phase           Phase
	Direct, Through Request
	// Rate is that of each half round, in requests a second. Default 50: far from any gateway's capacity.
	Rate float64
	// Rounds is how often both are measured. Default 10; at least 5.
	Rounds int
	// Duration is how long each half round takes. Default 1 s.
	Duration time.Duration
	// Progress, when not nil, is told of every round when it is over.
	Progress func(done, of int)
}

// Overhead is what a comparison found.
type Overhead struct {
	Rate   float64
	Rounds int
	// Differences are by quantile, in ascending order.
	Differences []Difference
	// Discarded counts the rounds that were measured again because this machine was not fit, or an answer not healthy.
	Discarded int
}

// Difference is what the gateway adds to one quantile of the service time.
type Difference struct {
	Quantile float64
	// Direct and Through are the medians of the rounds' quantiles.
	Direct, Through time.Duration
	// Added is the median of the rounds' differences; Low and High are its 95 % interval by bootstrap over the rounds.
	Added, Low, High time.Duration
}

// overheadQuantiles stop at the 99th percentile: beyond it a half round of 50 requests has nothing to say.
var overheadQuantiles = []float64{0.5, 0.9, 0.99}

func (c Comparison) withDefaults() Comparison {
	c.Phase = c.Phase.withDefaults()
	setDefault(&c.Rate, 50)
	setDefault(&c.Rounds, 10)
	setDefault(&c.Duration, time.Second)
	c.Direct.Name, c.Through.Name = "direct", "through"
	return c
}

// stage is the half round of one of the two ways.
func (c Comparison) stage(p Request) Phase {
	s := c.Phase
	s.Name, s.Mix, s.Schedule = p.Name, []Request{p}, Constant{Rate: c.Rate, For: c.Duration}
	return s
}

// rehearsals is how many rounds may be measured again, relative to those asked for.
const rehearsals = 1

// PlanComparison says what a comparison will send at most.
func (e *Engine) PlanComparison(c Comparison) (Plan, error) {
	c = c.withDefaults()
	if c.Rounds < 5 {
		return Plan{}, fmt.Errorf("%w: %d rounds: want at least 5", ErrInvalid, c.Rounds)
	}
	direct, err := e.Plan(c.stage(c.Direct))
	if err != nil {
		return Plan{}, err
	}
	through, err := e.Plan(c.stage(c.Through))
	if err != nil {
		return Plan{}, err
	}
	return direct.Add(through).Repeat(1 + c.Rounds*(1+rehearsals)), nil
}

// Overhead measures what the gateway adds.
//
// It returns [ErrInvalid], [ErrCap], and [ErrInconclusive] when too many rounds had to be thrown away. When ctx is
// cancelled it returns the context's cause.
func (e *Engine) Overhead(ctx context.Context, c Comparison) (Overhead, error) {
	c = c.withDefaults()
	if _, err := e.PlanComparison(c); err != nil {
		return Overhead{}, err
	}
	out := Overhead{Rate: c.Rate, Rounds: c.Rounds}
	var rounds []pairing
	for turn := -1; len(rounds) < c.Rounds; turn++ {
		if out.Discarded > c.Rounds*rehearsals {
			return out, fmt.Errorf("%w: %d of %d rounds were of no use", ErrInconclusive, out.Discarded, turn)
		}
		r, fit, err := e.round(ctx, c, turn)
		switch {
		case err != nil:
			return out, err
		case turn < 0: // the first round opens the connections and warms both up
		case !fit:
			out.Discarded++
		default:
			rounds = append(rounds, r)
			if c.Progress != nil {
				c.Progress(len(rounds), c.Rounds)
			}
		}
	}
	for i, q := range overheadQuantiles {
		out.Differences = append(out.Differences, differenceAt(q, i, rounds))
	}
	return out, nil
}

// pairing holds the quantiles of both halves of a round.
type pairing struct{ direct, through []time.Duration }

// round measures both ways, in alternating order. A round in which anything was not healthy, or this machine not fit,
// is not fit.
func (e *Engine) round(ctx context.Context, c Comparison, turn int) (r pairing, fit bool, err error) {
	fit = true
	half := func(p Request) ([]time.Duration, error) {
		m, err := e.Run(ctx, c.stage(p))
		if err != nil {
			return nil, err
		}
		admitted := m.Of(AllRequests, runlog.Admitted)
		fit = fit && m.Generator.OK() && m.Sent > 0 && admitted.Count == m.Sent && m.Verdict() != contract.Error
		var out []time.Duration
		for _, q := range overheadQuantiles {
			out = append(out, admitted.ServiceTime.Quantile(q))
		}
		return out, pause(ctx, settle)
	}
	if turn%2 == 0 {
		if r.direct, err = half(c.Direct); err != nil {
			return r, false, err
		}
		r.through, err = half(c.Through)
		return r, fit, err
	}
	if r.through, err = half(c.Through); err != nil {
		return r, false, err
	}
	r.direct, err = half(c.Direct)
	return r, fit, err
}

func differenceAt(q float64, i int, rounds []pairing) Difference {
	var direct, through, added []float64
	for _, r := range rounds {
		direct = append(direct, float64(r.direct[i]))
		through = append(through, float64(r.through[i]))
		added = append(added, float64(r.through[i]-r.direct[i]))
	}
	estimate := bootstrapMedian(added)
	return Difference{
		Quantile: q, Direct: time.Duration(median(direct)), Through: time.Duration(median(through)),
		Added: time.Duration(estimate.Value), Low: time.Duration(estimate.Low), High: time.Duration(estimate.High),
	}
}
