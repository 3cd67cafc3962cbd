// Package steps turns the sentences of the features into verbs: thin step definitions over a [World]. It neither speaks
// HTTP nor formats anything.
package steps

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/reports/runlog"
)

// Session is what the steps need of a prepared gateway. [targets.Session] is one.
type Session interface {
	// Observe brings a case about once.
	Observe(ctx context.Context, c contract.Case) (contract.Observation, error)
	// AwaitRecovery waits until a surface is healthy and says how long that took, 0 for at once.
	AwaitRecovery(ctx context.Context, surface dialect.Surface) (time.Duration, error)
	// RunLoad plays a case under load. It returns an error that wraps [ErrUnreached] when the load did not bring the
	// circumstance about, and others when it is no evidence.
	RunLoad(ctx context.Context, c contract.Case) (LoadResult, error)
}

// LoadResult is what came of a case under load.
type LoadResult struct {
	Findings []contract.Finding
	Summary  runlog.LoadSummary
	// Evidence is one of the answers that broke an obligation, nil when none did.
	Evidence *contract.Observation
}

// ErrUnreached is returned when a load ended without bringing its circumstance about: the gateway refused what it should
// have admitted, or the calls that were allowed did not suffice.
var ErrUnreached = errors.New("the load did not show it")

// ErrGeneratorBusy is returned when this machine did not do its part of a load, so that nothing can be said about the gateway.
var ErrGeneratorBusy = errors.New("this machine was too busy")

// World is the state of one scenario.
type World struct {
	session Session
	// given, surface and variant are what the scenario's own words say; they must agree with its name.
	given   contract.Circumstance
	current contract.Case

	judged      bool
	observation contract.Observation
	findings    []contract.Finding
	verdict     contract.Verdict
	reason      string
	tries       int
	notes       []string
	load        *runlog.LoadSummary // of a case under load
}

// errDisagrees is returned when a scenario says one thing and the contract another: a fault of the features.
var errDisagrees = errors.New("the scenario disagrees with the contract")

func (w *World) givenCircumstance(id, sentence string) error {
	circ, ok := contract.CircumstanceByID(id)
	if !ok || circ.Sentence != sentence {
		return fmt.Errorf("%w: no circumstance %q described as %q", errDisagrees, id, sentence)
	}
	w.given = circ
	return nil
}

// plays is the case that the scenario's words say. It returns errDisagrees when its name says another.
func (w *World) plays(surface dialect.Surface, variant string) (contract.Case, error) {
	c := contract.Case{Row: w.given.Row, Circumstance: w.given.ID, Surface: surface, Variant: variant}
	if c != w.current {
		return c, fmt.Errorf("%w: the scenario is named %s and plays %s", errDisagrees, w.current.ID(), c.ID())
	}
	return c, nil
}

// ask brings the case about and judges it. It runs the case once more when the gateway turns out not to be well: an
// earlier case may have opened a breaker or used up a limit, and that says nothing about this one.
func (w *World) ask(ctx context.Context, surface dialect.Surface, variant string) error {
	c, err := w.plays(surface, variant)
	if err != nil {
		return err
	}
	for w.tries = 1; ; w.tries++ {
		o, err := w.session.Observe(ctx, c)
		if err != nil {
			return w.harness(fmt.Errorf("%s: %w", c.ID(), err))
		}
		w.judge(o)
		if w.tries > 1 || !w.suspicious() {
			return nil
		}
		waited, err := w.session.AwaitRecovery(ctx, surface)
		if err != nil {
			w.notes = append(w.notes, fmt.Sprintf("%s: %v", c.ID(), err))
			return nil
		}
		if waited == 0 && o.Status != 429 {
			return nil // the gateway is well, so the answer stands
		}
		w.notes = append(w.notes, fmt.Sprintf("%s: the gateway answered %d and was well again after %s; the case was run again",
			c.ID(), o.Status, waited.Round(time.Millisecond)))
	}
}

// fitTries is how often a load is played on a machine that turns out not to be fit for it.
const fitTries = 3

// runLoad plays a case under load. Where this machine was not fit it plays it again.
func (w *World) runLoad(ctx context.Context, surface dialect.Surface) error {
	c, err := w.plays(surface, contract.LoadVariant)
	if err != nil {
		return err
	}
	var came LoadResult
	for w.tries = 1; ; w.tries++ {
		if came, err = w.session.RunLoad(ctx, c); !errors.Is(err, ErrGeneratorBusy) || w.tries == fitTries {
			break
		}
		w.notes = append(w.notes, fmt.Sprintf("%s: %v; it was played again", c.ID(), err))
	}
	w.findings, w.verdict = came.Findings, contract.VerdictOf(came.Findings)
	if len(came.Summary.Checks) > 0 {
		w.load = &came.Summary
	}
	if came.Evidence != nil {
		w.observation = *came.Evidence
	}
	switch {
	case ctx.Err() != nil:
		// What was sent is told, and nothing is concluded from the half of it.
		w.judged, w.verdict, w.findings, w.reason = true, contract.Error, nil, "interrupted"
		return context.Cause(ctx)
	case errors.Is(err, ErrUnreached) && w.verdict == contract.Fail:
		w.judged, w.reason = true, err.Error() // what was found until then is certain
		return err
	case errors.Is(err, ErrUnreached):
		w.judged, w.verdict, w.reason = true, contract.Untestable, err.Error()
		return err
	case err != nil:
		return w.harness(fmt.Errorf("%s: %w", c.ID(), err))
	}
	w.judged = true
	return nil
}

// suspicious recognises answers that may come from the gateway's state, and not from the case.
func (w *World) suspicious() bool {
	foreignLimit := w.observation.Status == 429 && w.current.Row != "http:429"
	return w.verdict == contract.Untestable || foreignLimit && !w.verdict.Conformant()
}

func (w *World) judge(o contract.Observation) {
	w.judged, w.observation, w.reason = true, o, ""
	w.findings = contract.Judge(w.current, o).Findings
	w.verdict = contract.VerdictOf(w.findings)
	if ok, reason := contract.Reached(w.current, o); !ok {
		w.verdict, w.reason = contract.Untestable, reason
	}
	if f := o.Failure; f != nil && f.Kind == contract.Unreachable {
		w.verdict, w.reason = contract.Error, fmt.Sprintf("%s cannot be reached: %s", o.Sent.URL, f.Detail)
	}
}

// harness records a fault of ours: the case is no evidence about the gateway.
func (w *World) harness(err error) error {
	w.judged, w.verdict, w.reason = true, contract.Error, err.Error()
	return err
}

// hold fails the step when one of its obligations is broken. Broken SHOULDs are findings and warnings, no failed step.
func (w *World) hold(obligations ...contract.Requirement) error {
	if w.verdict == contract.Untestable || w.verdict == contract.Error {
		return errors.New(w.reason)
	}
	var broken []string
	for _, f := range w.findings {
		if f.Level == contract.Must && slices.Contains(obligations, f.Requirement) {
			broken = append(broken, f.String())
		}
	}
	if len(broken) == 0 {
		return nil
	}
	return errors.New(strings.Join(broken, "; "))
}
