package limits

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/runlog"
)

// stage is a part of a verification. What is found in it belongs to an obligation of its own.
type stage string

const (
	storm    stage = "storm"    // many calls at once, whatever the key was used for before
	recovery stage = "recovery" // calls until one is admitted again
	sequence stage = "sequence" // call by call, on a rested limiter
	streamed stage = "stream"   // streaming calls, once the limit is used up
	refusals stage = "refusals" // further calls, once the limit is used up
	together stage = "burst"    // many calls at once, on a rested limiter
)

// verification is a session in stages.
type verification struct {
	*session

	with     Probers
	declared Declared
	// stages holds the stage of each call.
	stages []stage
	// others are the calls that are not the limited key's, or use up another limit.
	others []besideCall
	// all are the calls' decisions, and rule is the limiter that explains them best.
	all  []decision
	rule limiter
	// quiet and beside are the other key's calls, before the storm and beside it; streamCalls are the streaming ones.
	quiet, beside, streamCalls []Call
	// turnedAway says of each call whether it was refused, well or not.
	turnedAway []bool
	// costLooked says that a balance was read before and after refused calls.
	costLooked bool
	// recovering says that it was waited for a recovery before.
	recovering bool
	// refusedCount says that refused calls are found to use up the limit.
	refusedCount bool
	findings     []contract.Finding
	evidence     Evidence
}

// besideCall is a call of another part than the limited key.
type besideCall struct {
	Call

	part string
}

// Verify makes the calls that show whether a declared limit holds, and returns a finding for each obligation that does
// not. It assumes that nobody else uses the keys meanwhile. In calls, it takes about four times the limit and a few
// hundred; in time, a little more than two windows, three for a fixed window, a sliding counter and where the kind is not declared.
//
// It returns [ErrDeclared], [ErrBudget], [ErrUnclear] and [ErrGone], and the probers' errors; the findings and the evidence
// are then what was known until then. A call that was cut short by the budget, or that a gateway did not answer before it
// went away, is part of neither.
func Verify(ctx context.Context, with Probers, d Declared, b Budget) ([]contract.Finding, Evidence, error) {
	if err := d.check(); err != nil {
		return nil, Evidence{}, err
	}
	if d.Slack <= 0 {
		d.Slack = defaultSlack
	}
	v := &verification{session: newSession(with.Limited, b), with: with, declared: d}
	v.failuresTell = true
	ctx, cancel := v.bounded(ctx)
	defer cancel()
	err := v.run(ctx)
	if errors.Is(err, ErrGone) {
		v.forget()
	}
	v.judge()
	v.tell()
	if err == nil {
		err = v.unclear()
	}
	return v.findings, v.evidence, err
}

func (v *verification) run(ctx context.Context) error {
	run := v.timed
	if v.declared.Kind == contract.Concurrency {
		run = v.concurrent
	}
	if err := run(ctx); err != nil {
		return err
	}
	return v.throttled(ctx)
}

// dying is how long before its last answer a gateway that goes away may have dropped calls.
const dying = time.Second

// forget drops the calls that ended when nobody answered any more, and those that were dropped just before.
func (v *verification) forget() {
	all := slices.Concat(v.calls, v.quiet, v.beside, v.streamCalls)
	for _, o := range v.others {
		all = append(all, o.Call)
	}
	until := lastAnswer(all)
	after := func(c Call) bool {
		return c.Ended.After(until) || c.Observation.Failure != nil && c.Ended.After(until.Add(-dying))
	}
	calls, stages := v.calls, v.stages
	v.calls, v.stages = nil, nil
	for i, c := range calls {
		if !after(c) {
			v.calls, v.stages = append(v.calls, c), append(v.stages, stages[i])
		}
	}
	v.quiet, v.beside = slices.DeleteFunc(v.quiet, after), slices.DeleteFunc(v.beside, after)
	v.streamCalls = slices.DeleteFunc(v.streamCalls, after)
	v.others = slices.DeleteFunc(v.others, func(o besideCall) bool { return after(o.Call) })
}

// in makes calls of one stage.
func (v *verification) in(at stage, run func() error) error {
	from := time.Since(v.began)
	err := run()
	v.mark(at)
	v.evidence.Phases = append(v.evidence.Phases, runlog.Phase{Name: string(at), From: from, To: time.Since(v.began)})
	return err
}

// mark says that the latest calls were made in a stage.
func (v *verification) mark(at stage) {
	for len(v.stages) < len(v.calls) {
		v.stages = append(v.stages, at)
	}
}

// turns is how often calls are made that want the limit used up, when time frees it before they are through.
const turns = 3

// further is how many calls are made once the limit is used up, to see that they change nothing.
const further = 5

// timed verifies a limit that time frees: a storm, whatever the key was used for before; once it is over, call by call;
// then many calls at once. Each time it is asked when the first call is admitted again, and waited for the rest.
func (v *verification) timed(ctx context.Context) error {
	most := v.declared.most()
	var used, recovered time.Time
	for _, step := range []func() error{
		func() error { return v.company(ctx) },
		func() error {
			return v.in(storm, func() error {
				err := v.use(ctx, 0, 4*most+further)
				if err == nil && count(v.calls, Admitted) == 0 {
					// The key was in use before. Where refused calls count, only a rest frees it.
					if err = v.rest(ctx, time.Now().Add(v.declared.full()+v.declared.settled())); err == nil {
						err = v.use(ctx, 0, 4*most+further)
					}
				}
				if err != nil {
					return err
				}
				return v.isolation(ctx, most)
			})
		},
		func() (err error) {
			used = v.lastPassed()
			recovered, err = v.recover(ctx)
			return err
		},
		func() error { return v.rest(ctx, v.ready(used, recovered, soon)) },
		func() error { return v.in(sequence, func() error { return v.use(ctx, 4*most, 4*most) }) },
		func() error { return v.streams(ctx, most) },
		func() error { return v.in(refusals, func() error { return v.costs(ctx) }) },
		func() (err error) {
			used = v.lastPassed()
			recovered, err = v.recover(ctx)
			return err
		},
		func() error { return v.rest(ctx, v.ready(used, recovered, rested)) },
		func() error { return v.in(together, func() error { return v.surplus(ctx, most) }) },
		func() error {
			if v.declared.Kind != contract.FixedWindow {
				return nil
			}
			// A boundary may have hidden in the storm: only a third window, used up, tells how far they are apart.
			again, err := v.recover(ctx)
			if err == nil {
				err = v.rest(ctx, again.Add(2*v.declared.settled()))
			}
			if err != nil {
				return err
			}
			return v.in(recovery, func() error { return v.use(ctx, 0, 2*most) })
		},
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// How long after the last use of a sliding counter calls are made, in windows. It is as good as new two windows after its
// last use, but for what the boundary spares: soon after it began to admit again most of the limit is free, and how much is
// known from when that was; later, used in the second half of a window, it is free after the next but one boundary.
const (
	soon   = 0.6 // after it began to admit again
	rested = 1.4 // after its last use
)

// small is a limit of which the call that finds the recovery takes so much that too little is left to be counted.
const small = 2

// ready is when enough of the limit is free to count the calls, after it was used up, and began to admit again: never,
// if that is the zero time.
func (v *verification) ready(used, recovered time.Time, counter float64) time.Time {
	var ready time.Time
	for _, kind := range v.declared.kinds() {
		m := v.declared.model(kind)
		at := used.Add(m.full())
		switch {
		case recovered.IsZero():
		case v.declared.most() <= small:
			at = recovered.Add(m.full()) // the call that found the recovery has taken most of it
		case kind == contract.FixedWindow:
			at = recovered // a window began between the last call that was refused and the first that was not
		case kind == contract.SlidingCounter && counter < 1:
			at = recovered.Add(time.Duration(counter * float64(m.Window)))
		case kind == contract.SlidingCounter:
			at = used.Add(time.Duration(counter * float64(m.Window)))
		}
		if at.After(ready) {
			ready = at
		}
	}
	return ready.Add(v.declared.settled())
}

// use makes calls until one is refused.
func (v *verification) use(ctx context.Context, single, most int) error {
	_, _, err := v.drain(ctx, single, most)
	return err
}

// surplus sends half as many calls again as the limit admits, as many at once as the budget permits.
func (v *verification) surplus(ctx context.Context, most int) error {
	for left := most + most/2 + further; left > 0; {
		calls, err := v.burst(ctx, left, 0)
		if err != nil {
			return err
		}
		left -= len(calls)
	}
	return nil
}

// lateness is by how much a limit may be late before the wait for it is given up, besides a tenth of its time.
const lateness = time.Second

// recover asks until a call is admitted again, and returns when that was: never, if it is the zero time.
func (v *verification) recover(ctx context.Context) (at time.Time, err error) {
	ended := time.Now()
	full := v.declared.full()
	err = v.in(recovery, func() error {
		took, err := v.await(ctx, ended.Add(full+full/10+lateness))
		if took > 0 {
			at = ended.Add(took)
		}
		if !v.recovering {
			v.recovering, v.evidence.Recovery = true, took
		}
		return err
	})
	return at, err
}

// lastPassed is when the last call ended that passed the limiter, or may have; when watching began, without any.
func (v *verification) lastPassed() time.Time {
	last := v.began
	for _, c := range v.calls {
		if c.Outcome() != Refused && c.Latest.After(last) {
			last = c.Latest
		}
	}
	return last
}

// concurrent verifies a limit of calls under way: one by one they all pass, and held under way the limit alone does.
func (v *verification) concurrent(ctx context.Context) error {
	most := v.declared.Limit
	if err := v.company(ctx); err != nil {
		return err
	}
	if err := v.in(sequence, func() error {
		for range most + further {
			if _, err := v.probe(ctx); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return err
	}
	for range 2 {
		if err := v.in(together, func() error {
			_, err := v.burst(ctx, most+most/2+further, v.budget.Hold)
			return err
		}); err != nil {
			return err
		}
		if _, err := v.recover(ctx); err != nil {
			return err
		}
	}
	return v.whileFull(ctx, most)
}

// whileFull holds the limit under way and calls meanwhile: with the other key, and streaming.
func (v *verification) whileFull(ctx context.Context, most int) error {
	streaming := v.with.Stream != nil && v.declared.Shared != nil
	var company, streams []Call
	if err := v.in(together, func() error {
		_, err := v.whileHeld(ctx, most, 4*v.budget.Hold, func(ctx context.Context) (err error) {
			if err = sleep(ctx, v.budget.Hold); err != nil {
				return err
			}
			if v.with.Other != nil {
				if company, err = several(ctx, v.with.Other); err != nil {
					return err
				}
			}
			if streaming {
				streams, err = several(ctx, v.with.Stream)
			}
			return err
		})
		return err
	}); err != nil {
		return err
	}
	if v.with.Other != nil {
		v.accompanied(company)
	}
	if streaming {
		v.streaming(streams)
		v.mark(streamed)
	}
	return nil
}

// several is enough calls for a median, and few enough for any limit. It makes more only to find out whether anybody is
// there. It returns [ErrGone].
func several(ctx context.Context, p Prober) ([]Call, error) {
	calls := make([]Call, 0, further)
	for len(calls) < further || lost(calls) == len(calls) {
		c, err := p.Probe(ctx)
		if err != nil {
			return calls, fmt.Errorf("probe: %w", cut(ctx, err))
		}
		calls = append(calls, c)
		if err := gone(calls); err != nil {
			return calls, err
		}
	}
	return calls, nil
}

func (v *verification) find(o contract.Requirement, s contract.RequirementLevel, want, got string) {
	v.findings = append(v.findings, contract.Finding{Requirement: o, Level: s, Want: want, Got: got})
}
