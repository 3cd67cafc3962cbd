package load

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/runlog"
)

// Search looks for the highest rate at which a gateway meets an objective.
type Search struct {
	// Phase is fired for every trial; its schedule is the search's own.
	Phase     Phase
	SLO SLO
	// From and To bound the rates that are tried, in requests a second. Default 10 and 200.
	From, To float64
	// Undersent and Full are the lengths of the shortest and of the decisive trials. Default 1 s and 5 s.
	Short, Full time.Duration
	// Precision is the width of the bracket to reach with a steady gateway, relative to its lower end. Default 0.1.
	Precision float64
	// Repeats is how many full-length trials each end of the bracket has to hold in the end. Default 5: the brackets of
	// five runs against a gateway whose throughput varies by a tenth (standard deviation) then overlap in 97 of 100 cases,
	// with 3 in 77.
	Repeats int
	// Curve are shares of the capacity found at which the latency is measured in the end. Default 0.1, 0.25, 0.5,
	// 0.75, 0.9 and 1; an empty list that is not nil leaves it out.
	Curve []float64
	// Observe, when not nil, is told of every trial when it is over.
	Observe func(Probe)
}

// settle is how long the gateway is left alone between two trials, so that one does not pay for the other.
const settle = 100 * time.Millisecond

// warmUp is how long the gateway is called before the first trial counts.
const warmUp = 500 * time.Millisecond

func (s Search) withDefaults() Search {
	s.Phase = s.Phase.withDefaults()
	s.SLO = s.SLO.withDefaults()
	setDefault(&s.From, 10)
	setDefault(&s.To, 200)
	setDefault(&s.Short, time.Second)
	setDefault(&s.Full, 5*time.Second)
	setDefault(&s.Precision, 0.1)
	setDefault(&s.Repeats, 5)
	if s.Curve == nil {
		s.Curve = []float64{0.1, 0.25, 0.5, 0.75, 0.9, 1}
	}
	return s
}

func (s Search) check() error {
	if !(s.From > 0) || !(s.To >= s.From) || s.Short <= 0 || s.Full < s.Short || !(s.Precision >= 0.01) || s.Precision > 1 ||
		s.Repeats < 1 || s.Repeats > 100 ||
		s.SLO.Quantile <= 0 || s.SLO.Quantile >= 1 || s.SLO.Latency <= 0 {
		return fmt.Errorf("%w: a search from %g to %g/s in trials of %s to %s to a precision of %g with %d repeats, objective %s",
			ErrInvalid, s.From, s.To, s.Short, s.Full, s.Precision, s.Repeats, s.SLO)
	}
	for _, share := range s.Curve {
		if !(share > 0) || share > 1 {
			return fmt.Errorf("%w: a point of the curve at %g of the capacity", ErrInvalid, share)
		}
	}
	return nil
}

// Capacity is what a search found.
type Capacity struct {
	SLO SLO
	// Lower is a rate at which the gateway met the objective in every full-length trial since the end of the bracket is
	// there, 0 when there is none. Upper is one at which it missed it in every one, 0 when it met it at the highest rate
	// that was allowed. The capacity is between them: as near as the precision asked for when the gateway is steady, as
	// far apart as it varies when it is not.
	Lower, Upper float64
	// MaxRate is the highest rate that was allowed.
	MaxRate float64
	// GeneratorLimited says that from Upper on it was this machine that was not fit: about the gateway nothing is known there.
	GeneratorLimited bool
	// Observe are all trials of the search in their order, Curve the latency at shares of Lower.
	Probes, Curve []Probe
	// Start is the measurement of the last full-length trial at Lower, the zero value when there is none.
	AtLower Measurement
	// Violations are the obligations of the contract that answers broke in any trial.
	Violations []Violation
	// Unstable says that the bracket is wider than was asked for, or that a rate below it was missed after the search.
	// Partial says that the search ended before its ends were proved. The notes say more about both.
	Unstable, Partial bool
	// Notes are what else people should know.
	Notes []string
}

// Verdict is error when this machine was not fit for what would have decided, else what the answers' breaches lead to.
// A low capacity breaks nothing.
func (c Capacity) Verdict() contract.Verdict {
	if len(c.Probes) == 0 || c.GeneratorLimited && c.Lower == 0 {
		return contract.Error
	}
	return verdictOf(c.Violations)
}

// String is the result in one line.
func (c Capacity) String() string {
	switch {
	case len(c.Probes) == 0:
		return "nothing was tried"
	case c.GeneratorLimited && c.Lower == 0:
		return fmt.Sprintf("unknown: at %.4g/s this machine was not fit", c.Upper)
	case c.GeneratorLimited:
		return fmt.Sprintf("at least %.4g/s; at %.4g/s this machine was not fit", c.Lower, c.Upper)
	case c.Partial && c.Lower == 0 && c.Upper == 0:
		return "unknown so far"
	case c.Partial && c.Lower == 0:
		return fmt.Sprintf("below %.4g/s so far", c.Upper)
	case c.Partial && c.Upper == 0:
		return fmt.Sprintf("at least %.4g/s so far", c.Lower)
	case c.Lower == 0 && slices.ContainsFunc(c.Probes, func(t Probe) bool { return t.Rate < c.Upper }):
		return fmt.Sprintf("below %.4g/s; at lower rates it depended", c.Upper)
	case c.Lower == 0:
		return fmt.Sprintf("below %.4g/s, the least rate that was tried", c.Upper)
	case c.Upper == 0 && c.Lower < c.MaxRate:
		return fmt.Sprintf("at least %.4g/s; at %.4g/s, the highest rate that was allowed, it depended", c.Lower, c.MaxRate)
	case c.Upper == 0:
		return fmt.Sprintf("at least %.4g/s, the highest rate that was allowed", c.Lower)
	default:
		return fmt.Sprintf("between %.4g and %.4g/s", c.Lower, c.Upper)
	}
}

// PlanSearch says what a search will send at most. It plays the search against steady gateways of every capacity
// between From and To and takes the dearest, and as much again for trials that have to be repeated and ends that move.
func (e *Engine) PlanSearch(s Search) (Plan, error) {
	s = s.withDefaults()
	if err := s.check(); err != nil {
		return Plan{}, err
	}
	s.Phase.Schedule = Constant{Rate: s.To, For: s.Full}
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

// cost is what the search sends to a steady gateway of a known capacity.
func (s Search) cost(capacity float64) Plan {
	var spent Plan
	add := func(rate float64, lasts time.Duration) { spent = spent.Add(trialPlan(rate, lasts)) }
	add(s.From, warmUp)
	b := s.bracket(func(_ context.Context, rate float64, lasts time.Duration) (Probe, error) {
		add(rate, lasts)
		t := Probe{Rate: rate}
		if rate > capacity {
			t.Misses = []string{"missed"}
		}
		return t, nil
	})
	_ = b.run(context.Background()) // fails when a trial does, and these do not
	for _, share := range s.Curve {
		add(share*b.lower, s.Full)
	}
	return spent
}

func trialPlan(rate float64, lasts time.Duration) Plan {
	return Plan{Requests: uint64(math.Ceil(rate * lasts.Seconds())), Duration: lasts}
}

// errSpent ends a search that would send more than was planned.
var errSpent = errors.New("the plan is used up")

func (s Search) bracket(trial func(context.Context, float64, time.Duration) (Probe, error)) *bracket {
	return &bracket{least: s.From, most: s.To, phases: phasesOf(s.Short, s.Full, s.Precision), repeats: s.Repeats, trial: trial}
}

// Capacity searches for the highest rate that meets the objective. It sends no more than [Engine.PlanSearch] says: a
// search that would have to ends there, and its notes say so.
//
// It returns [ErrInvalid] or [ErrCap] as [Engine.Run] does. When ctx is cancelled, it returns what is known by then and
// the context's cause.
func (e *Engine) Capacity(ctx context.Context, s Search) (Capacity, error) {
	left, err := e.PlanSearch(s)
	if err != nil {
		return Capacity{}, err
	}
	s = s.withDefaults()
	c := Capacity{SLO: s.SLO, MaxRate: s.To}
	var usual time.Duration
	met := map[float64]Measurement{}
	trial := func(ctx context.Context, rate float64, lasts time.Duration) (Probe, error) {
		cost := trialPlan(rate, lasts)
		if cost.Requests > left.Requests || cost.Duration > left.Duration {
			return Probe{}, errSpent
		}
		left.Requests, left.Duration = left.Requests-cost.Requests, left.Duration-cost.Duration
		m, err := e.fireAt(ctx, s, rate, lasts)
		c.Violations = worstBreaches(c.Violations, m.Violations)
		if err != nil {
			return Probe{}, err
		}
		t := newTrial(rate, lasts, s.Phase, m, s.SLO, usual)
		if t.Met() && lasts == s.Full {
			met[rate] = m
		}
		if s.Observe != nil {
			s.Observe(t)
		}
		return t, pause(ctx, settle)
	}
	quiet, err := e.fireAt(ctx, s, s.From, warmUp)
	if err != nil {
		return c, err
	}
	left.Requests, left.Duration = left.Requests-quiet.Sent, left.Duration-warmUp
	usual = quiet.Of(AllRequests, runlog.Admitted).ServiceTime.Quantile(0.5)
	b := s.bracket(trial)
	err = b.run(ctx)
	if err == nil {
		c.Curve, err = s.curve(ctx, b)
	}
	c.Lower, c.Upper, c.GeneratorLimited, c.Probes = b.lower, b.upper, b.ceiling, b.trials
	switch {
	case errors.Is(err, errSpent):
		err, c.Partial = nil, true
		c.notef("the search has sent what was planned before %d trials of each end agreed", s.Repeats)
	case err != nil:
		c.Partial = true
		c.notef("the search ended before %d trials of each end agreed", s.Repeats)
	}
	c.noteUnsteady(s)
	c.AtLower = met[c.Lower]
	return c, err
}

// curve measures the latency at shares of the bracket's lower end. When one of them is missed, the end is in doubt and
// has to be proved again.
func (s Search) curve(ctx context.Context, b *bracket) (curve []Probe, err error) {
	found := b.lower
	for _, share := range s.Curve {
		if found == 0 {
			break
		}
		t, err := b.trial(ctx, share*found, s.Full)
		if err != nil {
			return curve, err
		}
		curve = append(curve, t)
	}
	if slices.ContainsFunc(curve, Probe.missed) {
		return curve, b.prove(ctx)
	}
	return curve, nil
}

func (c *Capacity) notef(format string, args ...any) {
	c.Notes = append(c.Notes, fmt.Sprintf(format, args...))
}

// noteUnsteady notes that the bracket is wider than was asked for, and what the trials inside it came to; and what was
// missed below it.
func (c *Capacity) noteUnsteady(s Search) {
	for _, t := range c.Curve {
		if t.missed() && t.Rate <= c.Lower {
			c.Unstable = true
			c.notef("the gateway or its machine is not steady: at %.4g/s it missed the objective once, after the search", t.Rate)
		}
	}
	asked := 1 + s.Precision + 1e-9 // roots and products are not exact
	if c.Lower == 0 || c.GeneratorLimited || c.Upper > 0 && c.Upper/c.Lower <= asked || c.Upper == 0 && c.Lower == c.MaxRate {
		return
	}
	inside, met := 0, 0
	for _, t := range slices.Concat(c.Probes, c.Curve) {
		if t.Duration == s.Full && t.Rate > c.Lower && (t.Rate < c.Upper || c.Upper == 0) && len(t.Inconclusive) == 0 {
			inside++
			if t.Met() {
				met++
			}
		}
	}
	if c.Unstable = c.Unstable || inside > 0; inside > 0 {
		c.notef("the gateway or its machine is not steady: between these rates it met the objective in %d of %d full-length trials", met, inside)
	}
}

// fireAt fires the search's stage at a constant rate.
func (e *Engine) fireAt(ctx context.Context, s Search, rate float64, lasts time.Duration) (Measurement, error) {
	stage := s.Phase
	stage.Name = fmt.Sprintf("%.4g/s for %s", rate, lasts.Round(time.Millisecond))
	stage.Schedule = Constant{Rate: rate, For: lasts}
	return e.Run(ctx, stage)
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
