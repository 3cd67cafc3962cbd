package load

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/internal/wait"
	"github.com/gatecert/gatecert/reports/runlog"
)

// ErrInconclusive is returned when too many rounds of a comparison were inconclusive.
var ErrInconclusive = errors.New("gateway overhead not measured")

// Comparison configures a measurement of what a gateway adds to a call: the same request straight to the upstream and
// through the gateway, at the same rate in an open loop, in interleaved rounds. What disturbs this machine then disturbs
// both. Fields that are zero take their defaults.
type Comparison struct {
	// Phase is run for each half of a round. The comparison sets its mix, its rate and its length.
	Phase           Phase
	Direct, Through Request
	// Rate is in requests/s. Default 50, which is far from the capacity of any gateway.
	Rate float64
	// Rounds is how often both are measured, at least 5. Default 10.
	Rounds int
	// Duration is that of each half of a round. Default 1 s.
	Duration time.Duration
	// Progress, when not nil, is called with the number of rounds when one is over.
	Progress func(done, of int)
}

// Overhead is the result of a comparison.
type Overhead struct {
	Rate   float64
	Rounds int
	// Differences are by quantile, in ascending order.
	Differences []Difference
	// Discarded counts the rounds that were measured again, because this machine could not keep up or a request failed.
	Discarded int
}

// Difference is what the gateway adds to one quantile of the service time.
type Difference struct {
	Quantile float64
	// Direct and Through are the medians of the rounds' quantiles.
	Direct, Through time.Duration
	// Added is the median of the rounds' differences. Low and High are its 95 % confidence interval, by bootstrap over the
	// rounds.
	Added, Low, High time.Duration
}

// overheadQuantiles end at the 99th percentile. The 50 requests of half a round say nothing beyond it.
var overheadQuantiles = []float64{0.5, 0.9, 0.99}

func (c Comparison) withDefaults() Comparison {
	c.Phase = c.Phase.withDefaults()
	setDefault(&c.Rate, 50)
	setDefault(&c.Rounds, 10)
	setDefault(&c.Duration, time.Second)
	c.Direct.Name, c.Through.Name = "direct", "through"
	return c
}

func (c Comparison) half(r Request) Phase {
	p := c.Phase
	p.Name, p.Mix, p.Rate, p.For = r.Name, []Request{r}, c.Rate, c.Duration
	return p
}

// spareRounds is how many rounds may be measured again, relative to those asked for.
const spareRounds = 1

// PlanComparison returns an upper bound of what a comparison will send. It returns [ErrInvalid].
func (e *Engine) PlanComparison(c Comparison) (Plan, error) {
	c = c.withDefaults()
	if c.Rounds < 5 {
		return Plan{}, fmt.Errorf("%w: %d rounds, must be at least 5", ErrInvalid, c.Rounds)
	}
	direct, err := e.Plan(c.half(c.Direct))
	if err != nil {
		return Plan{}, err
	}
	through, err := e.Plan(c.half(c.Through))
	if err != nil {
		return Plan{}, err
	}
	return direct.Add(through).Repeat(1 + c.Rounds*(1+spareRounds)), nil
}

// Overhead measures what the gateway adds to a call.
//
// It returns [ErrInvalid], [ErrCap], and [ErrInconclusive] when more rounds were inconclusive than were asked for. When ctx
// is done it returns the context's cause.
func (e *Engine) Overhead(ctx context.Context, c Comparison) (Overhead, error) {
	c = c.withDefaults()
	if _, err := e.PlanComparison(c); err != nil {
		return Overhead{}, err
	}
	out := Overhead{Rate: c.Rate, Rounds: c.Rounds}
	if _, err := e.compareOnce(ctx, c, -1); err != nil { // opens the connections and warms both up
		return out, err
	}
	var rounds []comparedRound
	for n := 0; len(rounds) < c.Rounds; n++ {
		if out.Discarded > c.Rounds*spareRounds {
			return out, fmt.Errorf("%w: %d of %d rounds were inconclusive", ErrInconclusive, out.Discarded, n)
		}
		r, err := e.compareOnce(ctx, c, n)
		if err != nil {
			return out, err
		}
		if !r.conclusive {
			out.Discarded++
			continue
		}
		rounds = append(rounds, r)
		if c.Progress != nil {
			c.Progress(len(rounds), c.Rounds)
		}
	}
	for i, q := range overheadQuantiles {
		out.Differences = append(out.Differences, differenceAt(q, i, rounds))
	}
	return out, nil
}

// comparedRound holds the quantiles of both halves of a round.
type comparedRound struct {
	direct, through []time.Duration
	// conclusive says that this machine kept up in both halves, and that every request succeeded.
	conclusive bool
}

// compareOnce measures round n. In even rounds the direct half comes first.
func (e *Engine) compareOnce(ctx context.Context, c Comparison, n int) (r comparedRound, err error) {
	r.conclusive = true
	halves := []struct {
		request   Request
		quantiles *[]time.Duration
	}{{c.Through, &r.through}, {c.Direct, &r.direct}}
	if n%2 == 0 {
		halves[0], halves[1] = halves[1], halves[0]
	}
	for _, half := range halves {
		m, err := e.Run(ctx, c.half(half.request))
		if err != nil {
			return r, err
		}
		admitted := m.Of(AllRequests, runlog.Admitted)
		r.conclusive = r.conclusive && admitted.Count == m.Sent && m.Verdict() != contract.Error
		for _, q := range overheadQuantiles {
			*half.quantiles = append(*half.quantiles, admitted.ServiceTime.Quantile(q))
		}
		if err := wait.For(ctx, settleTime); err != nil {
			return r, err
		}
	}
	return r, nil
}

func differenceAt(q float64, i int, rounds []comparedRound) Difference {
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
