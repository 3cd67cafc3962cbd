package limits

import (
	"context"
	"fmt"
	"time"

	"github.com/gatecert/gatecert/contract"
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
	// all are the calls' decisions, and rule is the limiter that explains them best.
	all  []decision
	rule limiter
	// refusedCount says that refused calls are found to use up the limit.
	refusedCount bool
	findings     []contract.Finding
	evidence     Evidence
}

// Verify makes the calls that show whether a declared limit holds, and returns a finding for each obligation that does
// not. It assumes that nobody else uses the keys meanwhile. In calls, it takes about four times the limit and a few
// hundred; in time, four to five windows (a sliding counter takes seven).
//
// It returns [ErrDeclared], [ErrBudget] and [ErrUnclear], and the probers' errors; the findings and the evidence are
// then what was known until then.
func Verify(ctx context.Context, with Probers, d Declared, b Budget) ([]contract.Finding, Evidence, error) {
	if err := d.check(); err != nil {
		return nil, Evidence{}, err
	}
	if d.Slack <= 0 {
		d.Slack = defaultSlack
	}
	v := &verification{session: newSession(with.Limited, b), with: with, declared: d}
	v.failuresTell = true
	err := v.run(ctx)
	v.judge()
	v.evidence.Took = time.Since(v.began)
	return v.findings, v.evidence, err
}

func (v *verification) run(ctx context.Context) error {
	run := v.timed
	if v.declared.Kind == Concurrency {
		run = v.concurrent
	}
	if err := run(ctx); err != nil {
		return err
	}
	return v.throttled(ctx)
}

// in makes calls of one stage.
func (v *verification) in(at stage, run func() error) error {
	err := run()
	for len(v.stages) < len(v.calls) {
		v.stages = append(v.stages, at)
	}
	return err
}

// further is how many calls are made once the limit is used up, to see that they change nothing.
const further = 5

// timed verifies a limit that time frees: a storm, whatever the key was used for before; once it is over, call by call
// on a rested limiter; then many calls at once on a rested limiter. Each time it is waited for the limit to be free.
func (v *verification) timed(ctx context.Context) error {
	most := v.declared.most()
	var quiet []Call
	var last time.Time
	for _, step := range []func() error{
		func() (err error) {
			quiet, err = v.company(ctx)
			return err
		},
		func() error { return v.in(storm, func() error { return v.use(ctx, 0, 4*most+further) }) },
		func() error {
			last = time.Now()
			return v.in(storm, func() error { return v.isolation(ctx, quiet, most) })
		},
		func() error { return v.recover(ctx, true) },
		func() error {
			if v.declared.Kind == FixedWindow || v.declared.Kind == "" {
				// A window may have begun with the call that was admitted again. Only after a rest is it known where the next begins.
				last = v.lastPassed(last)
			}
			return v.rest(ctx, last.Add(v.declared.rest()))
		},
		func() error { return v.in(sequence, func() error { return v.use(ctx, 4*most, 4*most) }) },
		func() error {
			last = time.Now()
			return v.streams(ctx)
		},
		func() error { return v.in(refusals, func() error { return v.costs(ctx) }) },
		func() error { return v.recover(ctx, false) },
		func() error { return v.rest(ctx, v.lastPassed(last).Add(v.declared.rest())) },
		func() error { return v.in(together, func() error { return v.surplus(ctx, most) }) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// use makes calls until one is refused.
func (v *verification) use(ctx context.Context, single, most int) error {
	_, _, err := v.drain(ctx, single, most)
	return err
}

// surplus sends half as many calls again as the limit admits, as many at once as the budget permits.
func (v *verification) surplus(ctx context.Context, most int) error {
	for left := most + most/2 + further; left > 0; left -= v.budget.Concurrency {
		if _, err := v.burst(ctx, left, 0); err != nil {
			return err
		}
	}
	return nil
}

// lateness is by how much a limit may be late before the wait for it is given up, besides half of its time.
const lateness = 2 * time.Second

// recover asks until a call is admitted again.
func (v *verification) recover(ctx context.Context, first bool) error {
	ended := time.Now()
	full := v.declared.full()
	return v.in(recovery, func() error {
		took, err := v.await(ctx, ended.Add(full+full/2+lateness))
		if first {
			v.evidence.Recovery = took
		}
		return err
	})
}

// lastPassed is when the last call ended that passed the limiter, or may have, and at least an instant.
func (v *verification) lastPassed(least time.Time) time.Time {
	for _, c := range v.calls {
		if c.Outcome() != Refused && c.Latest.After(least) {
			least = c.Latest
		}
	}
	return least
}

// concurrent verifies a limit of calls under way: one by one they all pass, and held under way the limit alone does.
func (v *verification) concurrent(ctx context.Context) error {
	most := v.declared.Limit
	quiet, err := v.company(ctx)
	if err != nil {
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
		if err := v.recover(ctx, v.evidence.Recovery == 0); err != nil {
			return err
		}
	}
	return v.beside(ctx, quiet, most)
}

// beside holds the limit under way and calls meanwhile: with the other key, and streaming.
func (v *verification) beside(ctx context.Context, quiet []Call, most int) error {
	streaming := v.with.Stream != nil && v.declared.Shared != nil
	var company, streams []Call
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
	_ = v.in(together, func() error { return nil })
	if err != nil {
		return err
	}
	if v.with.Other != nil {
		v.judgeCompany(quiet, company)
	}
	if streaming {
		v.calls = append(v.calls, streams...)
		_ = v.in(streamed, func() error { return nil })
		v.judgeStreams(streams)
	}
	return nil
}

// several is enough calls for a median, and few enough for any limit.
func several(ctx context.Context, p Prober) ([]Call, error) {
	calls := make([]Call, 0, further)
	for range further {
		c, err := p.Probe(ctx)
		if err != nil {
			return calls, fmt.Errorf("probe: %w", err)
		}
		calls = append(calls, c)
	}
	return calls, nil
}

func (v *verification) find(o contract.Obligation, s contract.Severity, want, got string) {
	v.findings = append(v.findings, contract.Finding{Obligation: o, Severity: s, Want: want, Got: got})
}
