package load

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/gatecert/gatecert/internal/wait"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// Search configures a search for the highest rate at which a gateway meets an SLO. Fields that are zero take their
// defaults.
type Search struct {
	// Phase is run for every probe. The search sets the phase's name, rate and length.
	Phase Phase
	SLO   SLO
	// From and To are the lowest and the highest rate to probe, in requests/s. Default 10 and 200.
	From, To float64
	// Short is the duration of the shortest probes. Full is the duration of the probes that decide. Default 1 s and 5 s.
	Short, Full time.Duration
	// Precision, 0.01 to 1, ends the search when Upper/Lower-1 is at most this value. Default 0.1.
	Precision float64
	// Repeats is how many full-length probes in a row have to agree at each bound, 1 to 100. Default 2, which takes less than
	// a minute. Against a gateway whose throughput varies by a tenth (standard deviation), the bounds of five searches
	// overlap in a quarter of all cases with 2 repeats, and in more than nine tenths with 5.
	Repeats int
	// Curve contains the shares of Lower at which the latency is measured after the search, in probes of a length between Short and Full. Default
	// 0.25, 0.5 and 0.75; if Curve is empty but not nil, no latency is measured.
	Curve []float64
	// Observe, when not nil, is called after every probe.
	Observe func(Probe)
}

const (
	// settleTime is the pause between two probes, so that one does not pay for the queue of the other.
	settleTime = 100 * time.Millisecond
	// warmUp is how long requests are sent at the lowest rate before the first probe.
	warmUp = 500 * time.Millisecond
	// warmUpShare is the part of each probe whose requests are left out: those that open connections, and find no queue. With
	// fewer than leastWarmUp requests in it, none are.
	warmUpShare = 10
	leastWarmUp = 2
)

func probeWarmUp(rate float64, d time.Duration) time.Duration {
	warmUp := d / warmUpShare
	if rate*warmUp.Seconds() < leastWarmUp {
		return 0
	}
	return warmUp
}

func (s Search) withDefaults() Search {
	s.Phase = s.Phase.withDefaults()
	s.SLO = s.SLO.withDefaults()
	s.Phase.SLO = s.SLO
	setDefault(&s.From, 10)
	setDefault(&s.To, 200)
	setDefault(&s.Short, time.Second)
	setDefault(&s.Full, 5*time.Second)
	setDefault(&s.Precision, 0.1)
	setDefault(&s.Repeats, 2)
	if s.Curve == nil {
		s.Curve = []float64{0.25, 0.5, 0.75}
	}
	return s
}

func (s Search) check() error {
	problem := ""
	switch { // every comparison is written so that NaN fails it
	case !(s.From > 0) || !(s.To >= s.From):
		problem = fmt.Sprintf("rates from %g/s to %g/s: the lowest rate must be greater than 0 and no higher than the highest rate", s.From, s.To)
	case s.Short <= 0 || s.Full < s.Short:
		problem = fmt.Sprintf("probes of %s to %s: the shortest probe must be longer than 0s and no longer than a full-length probe", plain.Duration(s.Short), plain.Duration(s.Full))
	case !(s.Precision >= 0.01) || s.Precision > 1:
		problem = fmt.Sprintf("precision %g: must be between 0.01 and 1", s.Precision)
	case s.Repeats < 1 || s.Repeats > 100:
		problem = fmt.Sprintf("%d repeats: must be between 1 and 100", s.Repeats)
	case !(s.SLO.Quantile > 0) || s.SLO.Quantile >= 1:
		problem = fmt.Sprintf("quantile %g: must be greater than 0 and less than 1, such as 0.99", s.SLO.Quantile)
	case s.SLO.Latency < 0 || s.SLO.Latency == 0 && !s.SLO.Only:
		problem = fmt.Sprintf("SLO latency %s: must be greater than 0s", plain.Duration(s.SLO.Latency))
	}
	for _, share := range s.Curve {
		if !(share > 0) || share > 1 {
			problem = fmt.Sprintf("curve point %g: must be a share of the capacity, greater than 0 and at most 1", share)
		}
	}
	if problem != "" {
		return fmt.Errorf("%w: capacity search: %s", ErrInvalid, problem)
	}
	return nil
}

// PlanSearch returns an upper bound on what a search will send. It simulates the search against stable gateways of every
// capacity between From and To, takes the most expensive search, and doubles it for probes that are repeated and bounds
// that move. It returns [ErrInvalid].
func (e *Engine) PlanSearch(s Search) (Plan, error) {
	s = s.withDefaults()
	if err := s.check(); err != nil {
		return Plan{}, err
	}
	s.Phase.Rate, s.Phase.For = s.To, s.Full
	p, err := e.Plan(s.Phase)
	if err != nil {
		return Plan{}, err
	}
	p.Requests, p.Duration = 0, 0
	for capacity := s.From; ; capacity *= 1.1 {
		capacity = min(capacity, s.To)
		cost := s.cost(capacity).Repeat(2)
		p.Requests, p.Duration = max(p.Requests, cost.Requests), max(p.Duration, cost.Duration)
		if capacity >= s.To {
			return p, nil
		}
	}
}

// cost returns what the search sends to a stable gateway of a known capacity.
func (s Search) cost(capacity float64) Plan {
	var spent Plan
	add := func(rate float64, d time.Duration) { spent = spent.Add(probePlan(rate, d)) }
	add(s.From, warmUp)
	b := s.newBounds(func(_ context.Context, rate float64, d time.Duration) (Probe, error) {
		add(rate, d)
		p := Probe{Rate: rate, Duration: d}
		if rate > capacity {
			p.Misses, p.Throughput = []string{"missed"}, capacity
		}
		return p, nil
	})
	_ = b.run(context.Background()) // fails only when a probe does
	for _, share := range s.Curve {
		add(share*b.lower, s.between())
	}
	return spent
}

func probePlan(rate float64, d time.Duration) Plan {
	return Plan{Requests: uint64(math.Ceil(rate * d.Seconds())), Duration: d}
}

// between is the length of probes that are neither short nor full.
func (s Search) between() time.Duration {
	return time.Duration(math.Sqrt(float64(s.Short) * float64(s.Full)))
}

func (s Search) newBounds(probe func(context.Context, float64, time.Duration) (Probe, error)) *bounds {
	return &bounds{minRate: s.From, maxRate: s.To, passes: newPasses(s.Short, s.Full, s.Precision), repeats: s.Repeats, probe: probe}
}

// Capacity searches for the highest rate that meets the SLO. It sends no more than [Engine.PlanSearch] returns: a search that would need more ends at
// this point, and its notes state this.
//
// It returns [ErrInvalid] and [ErrCap] as [Engine.Run] does. When ctx is done, it returns what is known so far and the context's cause.
func (e *Engine) Capacity(ctx context.Context, s Search) (Capacity, error) {
	budget, err := e.PlanSearch(s)
	if err != nil {
		return Capacity{}, err
	}
	r := searchRun{engine: e, Search: s.withDefaults(), budget: budget, met: map[float64]Measurement{}}
	c := Capacity{SLO: r.SLO, Arrivals: r.Phase.Arrivals, MaxRate: r.To}
	if err := r.warmUp(ctx); err != nil {
		return c, err
	}
	b := r.newBounds(r.probe)
	err = b.run(ctx)
	if err == nil {
		c.Curve, err = r.curve(ctx, b)
	}
	c.Lower, c.Upper, c.GeneratorLimited, c.Probes = b.lower, b.upper, b.generatorLimited, b.probes
	c.Violations = r.violations
	switch {
	case errors.Is(err, errBudget):
		err, c.Partial = nil, true
		c.notef("the search stopped before %s in a row gave the same result at each bound, because the next probe would have exceeded the traffic plan", plain.Count(r.Repeats, "probe"))
	case err != nil:
		c.Partial = true
		c.notef("the search was interrupted before %s in a row gave the same result at each bound", plain.Count(r.Repeats, "probe"))
	}
	c.noteUnstable(r.Search)
	c.RateLimited = rateLimited(b.probes, b.upper)
	c.AtLower = r.met[c.Lower]
	return c, err
}

// errBudget ends a search that would send more than was planned.
var errBudget = errors.New("all planned requests were sent")

type searchRun struct {
	Search

	engine *Engine
	budget Plan // what may still be sent
	// unloaded is the median service time at the lowest rate.
	unloaded   time.Duration
	met        map[float64]Measurement // the last full-length probe of each rate that met the SLO
	violations []Violation
}

// warmUp opens connections, and measures the service time of the gateway at the lowest rate.
func (r *searchRun) warmUp(ctx context.Context) error {
	m, err := r.runAt(ctx, r.From, warmUp)
	r.budget.Requests, r.budget.Duration = r.budget.Requests-m.Sent, r.budget.Duration-warmUp
	r.unloaded = m.Of(AllRequests, runlog.Admitted).ServiceTime.Quantile(0.5)
	return err
}

// probe probes one rate. It returns [errBudget] when that would exceed the budget.
func (r *searchRun) probe(ctx context.Context, rate float64, d time.Duration) (Probe, error) {
	cost := probePlan(rate, d)
	if cost.Requests > r.budget.Requests || cost.Duration > r.budget.Duration {
		return Probe{}, errBudget
	}
	r.budget.Requests, r.budget.Duration = r.budget.Requests-cost.Requests, r.budget.Duration-cost.Duration
	m, err := r.runAt(ctx, rate, d)
	r.violations = mergeViolations(r.violations, m.Violations)
	if err != nil {
		return Probe{}, err
	}
	p := newProbe(rate, d, r.Phase, m, r.SLO, r.unloaded)
	if p.Met() && d == r.Full {
		r.met[rate] = m
	}
	if r.Observe != nil {
		r.Observe(p)
	}
	return p, wait.For(ctx, settleTime)
}

func (r *searchRun) runAt(ctx context.Context, rate float64, d time.Duration) (Measurement, error) {
	p := r.Phase
	p.Name, p.Rate, p.For = fmt.Sprintf("%.4g/s for %s", rate, d.Round(time.Millisecond)), rate, d
	p.WarmUp = probeWarmUp(rate, d)
	r.Phase.Seed++ // each probe has arrivals of its own
	return r.engine.Run(ctx, p)
}

// curve probes shares of the lower bound. When one of them misses, the bound is in doubt and is confirmed again.
func (s Search) curve(ctx context.Context, b *bounds) (curve []Probe, err error) {
	found := b.lower
	for _, share := range s.Curve {
		if found == 0 {
			break
		}
		p, err := b.probe(ctx, share*found, s.between())
		if err != nil {
			return curve, err
		}
		curve = append(curve, p)
	}
	if slices.ContainsFunc(curve, Probe.missed) {
		return curve, b.confirm(ctx, 0, 0)
	}
	return curve, nil
}
