package load

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/gatecert/gatecert/contract"
)

// Search looks for the highest rate at which a gateway meets an objective.
type Search struct {
	// Stage is fired for every trial; its schedule is the search's own.
	Stage     Stage
	Objective Objective
	// From and To bound the rates that are tried, in requests a second. Default 10 and 200.
	From, To float64
	// Short and Full are the lengths of the shortest and of the decisive trials. Default 1 s and 5 s.
	Short, Full time.Duration
	// Precision is the width of the bracket to reach, relative to its lower end. Default 0.1.
	Precision float64
	// Curve are shares of the capacity found at which the latency is measured in the end. Default 0.1, 0.25, 0.5,
	// 0.75, 0.9 and 1; an empty list that is not nil leaves it out.
	Curve []float64
	// Trials, when not nil, is told of every trial when it is over.
	Trials func(Trial)
}

// settle is how long the gateway is left alone between two trials, so that one does not pay for the other.
const settle = 100 * time.Millisecond

// warmUp is how long the gateway is called before the first trial counts.
const warmUp = 500 * time.Millisecond

func (s Search) withDefaults() Search {
	s.Stage = s.Stage.withDefaults()
	s.Objective = s.Objective.withDefaults()
	setDefault(&s.From, 10)
	setDefault(&s.To, 200)
	setDefault(&s.Short, time.Second)
	setDefault(&s.Full, 5*time.Second)
	setDefault(&s.Precision, 0.1)
	if s.Curve == nil {
		s.Curve = []float64{0.1, 0.25, 0.5, 0.75, 0.9, 1}
	}
	return s
}

func (s Search) check() error {
	if !(s.From > 0) || !(s.To >= s.From) || s.Short <= 0 || s.Full < s.Short || !(s.Precision >= 0.01) || s.Precision > 1 ||
		s.Objective.Quantile <= 0 || s.Objective.Quantile >= 1 || s.Objective.Latency <= 0 {
		return fmt.Errorf("%w: a search from %g to %g/s in trials of %s to %s to a precision of %g, objective %s",
			ErrStage, s.From, s.To, s.Short, s.Full, s.Precision, s.Objective)
	}
	for _, share := range s.Curve {
		if !(share > 0) || share > 1 {
			return fmt.Errorf("%w: a point of the curve at %g of the capacity", ErrStage, share)
		}
	}
	return nil
}

// Capacity is what a search found.
type Capacity struct {
	Objective Objective
	// Lower is the highest rate at which the gateway met the objective in full-length trials, 0 when it met it at
	// none. Upper is the lowest at which it did not, 0 when it met it at the highest rate that was allowed. The
	// capacity is between them.
	Lower, Upper float64
	// Ceiling says that from Upper on it was this machine that was not fit: about the gateway nothing is known there.
	Ceiling bool
	// Trials are all trials of the search in their order, Curve the latency at shares of Lower.
	Trials, Curve []Trial
	// At is the measurement of the last full-length trial at Lower, the zero value when there is none.
	At Measurement
	// Breaches are the obligations of the contract that answers broke in any trial.
	Breaches []Breach
	// Notes are what else people should know.
	Notes []string
}

// Verdict is error when this machine was not fit for what would have decided, else what the answers' breaches lead to.
// A low capacity breaks nothing.
func (c Capacity) Verdict() contract.Verdict {
	if len(c.Trials) == 0 || c.Ceiling && c.Lower == 0 {
		return contract.Error
	}
	return verdictOf(c.Breaches)
}

// Steady reports whether no trial of the curve contradicts the search: what was met in it was met again after it.
func (c Capacity) Steady() bool { return !slices.ContainsFunc(c.Curve, Trial.missed) }

// missed reports whether the gateway, and not this machine, missed the objective.
func (t Trial) missed() bool { return len(t.Misses) > 0 && len(t.Unfit) == 0 }

// String is the result in one line.
func (c Capacity) String() string {
	switch {
	case len(c.Trials) == 0:
		return "nothing was tried"
	case c.Ceiling && c.Lower == 0:
		return fmt.Sprintf("unknown: at %.4g/s this machine was not fit", c.Upper)
	case c.Ceiling:
		return fmt.Sprintf("at least %.4g/s; at %.4g/s this machine was not fit", c.Lower, c.Upper)
	case c.Lower == 0:
		return fmt.Sprintf("below %.4g/s, the least rate that was tried", c.Upper)
	case c.Upper == 0:
		return fmt.Sprintf("at least %.4g/s, the highest rate that was allowed", c.Lower)
	default:
		return fmt.Sprintf("between %.4g and %.4g/s", c.Lower, c.Upper)
	}
}

// PlanSearch says what a search will send at most. It plays the search against gateways of every capacity between
// From and To and takes the dearest, half as much again for trials that have to be repeated.
func (e *Engine) PlanSearch(s Search) (Plan, error) {
	s = s.withDefaults()
	if err := s.check(); err != nil {
		return Plan{}, err
	}
	s.Stage.Schedule = Constant{Rate: s.To, For: s.Full}
	p, err := e.Plan(s.Stage)
	if err != nil {
		return Plan{}, err
	}
	p.Requests, p.Time = 0, 0
	for capacity := s.From; ; capacity *= 1.1 {
		capacity = min(capacity, s.To)
		requests, lasts := s.cost(capacity)
		p.Requests, p.Time = max(p.Requests, requests), max(p.Time, lasts)
		if capacity >= s.To {
			return p, nil
		}
	}
}

// cost is what the search sends to a gateway of a known capacity, half as much again.
func (s Search) cost(capacity float64) (requests uint64, lasts time.Duration) {
	sent, seconds := s.From*warmUp.Seconds(), warmUp.Seconds()
	add := func(rate float64, lasts time.Duration) {
		sent += math.Ceil(rate * lasts.Seconds())
		seconds += lasts.Seconds()
	}
	b := s.bracket(func(_ context.Context, rate float64, lasts time.Duration) (Trial, error) {
		add(rate, lasts)
		t := Trial{Rate: rate}
		if rate > capacity {
			t.Misses = []string{"missed"}
		}
		return t, nil
	})
	_ = b.run(context.Background()) // fails when a trial does, and these do not
	for _, share := range s.Curve {
		add(share*b.lower, s.Full)
	}
	return uint64(math.Ceil(1.5 * sent)), time.Duration(1.5 * seconds * float64(time.Second))
}

func (s Search) bracket(trial func(context.Context, float64, time.Duration) (Trial, error)) *bracket {
	return &bracket{least: s.From, most: s.To, phases: phasesOf(s.Short, s.Full, s.Precision), trial: trial}
}

// Capacity searches for the highest rate that meets the objective.
//
// It returns [ErrStage] or [ErrCap] as [Engine.Fire] does. When ctx is cancelled, it returns what is known by then and
// the context's cause.
func (e *Engine) Capacity(ctx context.Context, s Search) (Capacity, error) {
	s = s.withDefaults()
	if err := s.check(); err != nil {
		return Capacity{}, err
	}
	c := Capacity{Objective: s.Objective}
	var usual time.Duration
	met := map[float64]Measurement{}
	trial := func(ctx context.Context, rate float64, lasts time.Duration) (Trial, error) {
		m, err := e.fireAt(ctx, s, rate, lasts)
		c.Breaches = worstBreaches(c.Breaches, m.Breaches)
		if err != nil {
			return Trial{}, err
		}
		t := newTrial(rate, lasts, s.Stage, m, s.Objective, usual)
		if t.Met() && lasts == s.Full {
			met[rate] = m
		}
		if s.Trials != nil {
			s.Trials(t)
		}
		return t, pause(ctx, settle)
	}
	quiet, err := e.fireAt(ctx, s, s.From, warmUp)
	if err != nil {
		return c, err
	}
	usual = quiet.Of(AllParts, Admitted).Service.Quantile(0.5)
	b := s.bracket(trial)
	err = b.run(ctx)
	c.Lower, c.Upper, c.Ceiling, c.Trials = b.lower, b.upper, b.ceiling, b.trials
	for _, share := range s.Curve {
		if err != nil || c.Lower == 0 {
			break
		}
		var t Trial
		if t, err = trial(ctx, share*c.Lower, s.Full); err == nil {
			c.Curve = append(c.Curve, t)
			c.noteUnsteady(t)
		}
	}
	c.At = met[c.Lower]
	return c, err
}

// noteUnsteady notes a trial of the curve that contradicts the search: what was met a minute ago is missed below it.
func (c *Capacity) noteUnsteady(t Trial) {
	if t.missed() {
		c.Notes = append(c.Notes, fmt.Sprintf("the gateway or its machine is not steady: %.4g/s was met in the search, and %.4g/s missed after it",
			c.Lower, t.Rate))
	}
}

// fireAt fires the search's stage at a constant rate.
func (e *Engine) fireAt(ctx context.Context, s Search, rate float64, lasts time.Duration) (Measurement, error) {
	stage := s.Stage
	stage.Name = fmt.Sprintf("%.4g/s for %s", rate, lasts.Round(time.Millisecond))
	stage.Schedule = Constant{Rate: rate, For: lasts}
	return e.Fire(ctx, stage)
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
