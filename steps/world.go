// Package steps binds the sentences of the features to code: thin step definitions that work on a [World]. It contains no HTTP or formatting code.
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

// Session is the part of a prepared gateway that the steps need.
type Session interface {
	// Observe creates the case's circumstance once and observes the response.
	Observe(ctx context.Context, c contract.Case) (contract.Observation, error)
	// Healthy makes the healthy call for a case that was observed once. detail states why the call did not succeed.
	Healthy(ctx context.Context, c contract.Case) (ok bool, detail string, err error)
	// AwaitRecovery waits until the healthy call for a case succeeds. It returns how long that took, or 0 if the first call succeeded. If a limit of
	// the key was the reason for the wait, later calls stay within the limit.
	AwaitRecovery(ctx context.Context, c contract.Case) (time.Duration, error)
	// AtOnce returns how many cases may run at once, never more than most, and whether healthy calls failed for some time earlier in the run.
	AtOnce(most int) (n int, fragile bool)
	// AnswersUnhealthy reports whether a response resembles one that a healthy call received while the gateway was not healthy.
	AnswersUnhealthy(o contract.Observation) bool
	// Limited reports whether calls are paced to stay within a limit. SlowDown halves their rate.
	Limited() bool
	SlowDown()
	// Aftermath makes the healthy call after a case that ran alone. It returns nil if this call shows nothing about the case.
	Aftermath(ctx context.Context, surface dialect.Surface) (*contract.Aftermath, error)
	// RunLoad runs a load case. It returns an error that wraps [ErrUnreached] if the load did not create the circumstance, and one that wraps
	// [ErrGeneratorBusy] if this machine could not keep up.
	RunLoad(ctx context.Context, c contract.Case) (LoadResult, error)
}

// LoadResult is the result of a load case.
type LoadResult struct {
	Findings []contract.Finding
	Summary  runlog.LoadSummary
	// Evidence is one of the responses that violated a requirement, or nil if none did.
	Evidence *contract.Observation
}

// judgement returns what the checks of the load and its findings say of each requirement.
func (r LoadResult) judgement() contract.Judgement {
	results := make(map[contract.Requirement]contract.Result)
	for _, c := range r.Summary.Checks {
		results[c.Requirement] = c.Result
	}
	for _, f := range r.Findings {
		results[f.Requirement] = contract.Violated
	}
	return contract.Judgement{Findings: r.Findings, Results: results}
}

var (
	// ErrUnreached is returned if a load ended without creating its circumstance: the gateway refused calls that it should have admitted, or the
	// permitted number of calls was not enough.
	ErrUnreached = errors.New("the load did not create the circumstance that the case tests")
	// ErrGivenUp is returned if a case was not attempted because other cases on its surface took too long.
	ErrGivenUp = errors.New("given up")
	// ErrGeneratorBusy is returned if this machine could not keep up with a load, so that the results show nothing about the gateway.
	ErrGeneratorBusy = errors.New("the load generator could not keep up on this machine")
)

// errDisagrees is returned when a scenario says one thing and the contract another: the features are wrong.
var errDisagrees = errors.New("the scenario disagrees with the contract")

// World is the state of one scenario.
type World struct {
	session Session
	gate    *gate
	// witness has the session make a healthy call after the case.
	witness bool
	// current is the case that the scenario is named for, given the circumstance that its first step names.
	current contract.Case
	given   contract.Circumstance

	// result collects what the scenario finds, judgement what its steps are checked against.
	result    runlog.Case
	judgement contract.Judgement
	judged    bool
	notes     []string
	// status is that of the step that is running.
	status runlog.StepStatus
}

func newWorld(session Session, g *gate, c contract.Case, scenario runlog.Scenario) *World {
	w := &World{session: session, gate: g, current: c, result: runlog.NewCase(c)}
	w.result.Started, w.result.Scenario = time.Now(), &scenario
	return w
}

func (w *World) setCircumstance(id, sentence string) error {
	circ, ok := contract.CircumstanceByID(id)
	if !ok || circ.Sentence != sentence {
		return fmt.Errorf("%w: the contract does not define a circumstance %q with the description %q", errDisagrees, id, sentence)
	}
	w.given = circ
	return nil
}

// caseOf builds the case that the scenario's steps describe. It returns errDisagrees when the scenario is named for another.
func (w *World) caseOf(surface dialect.Surface, variant string) (contract.Case, error) {
	c := contract.Case{Row: w.given.Row, Circumstance: w.given.ID, Surface: surface, Variant: variant}
	if c != w.current {
		return c, fmt.Errorf("%w: the scenario is named %s, but its steps describe %s", errDisagrees, w.current.ID(), c.ID())
	}
	return c, nil
}

func (w *World) judge(o contract.Observation) {
	w.judgement, w.judged, w.status = contract.Judge(w.current, o), true, runlog.StepPassed
	w.result.Observation, w.result.Findings, w.result.Reason = &o, w.judgement.Findings, ""
	w.result.Aspects = w.judgement.Aspects()
	w.result.Verdict = contract.VerdictOf(w.judgement.Findings)
	if ok, reason := contract.Reached(w.current, o); !ok {
		w.reject(contract.Untestable, reason)
	}
	if f := o.Failure; f != nil && f.Kind == contract.Unreachable {
		w.reject(contract.Error, fmt.Sprintf("%s cannot be reached: %s", o.Sent.URL, f.Detail))
	}
}

// maxLoadTries bounds how often a load case is run on a machine that does not keep up with it.
const maxLoadTries = 3

// runLoad runs a load case, and again where this machine could not keep up.
func (w *World) runLoad(ctx context.Context, surface dialect.Surface) error {
	c, err := w.caseOf(surface, contract.LoadVariant)
	if err != nil {
		return err
	}
	var load LoadResult
	for w.result.Tries = 1; ; w.result.Tries++ {
		if load, err = w.session.RunLoad(ctx, c); !errors.Is(err, ErrGeneratorBusy) || w.result.Tries == maxLoadTries {
			break
		}
		w.notes = append(w.notes, fmt.Sprintf("%s: %v; gatecert ran the case again", c.ID(), err))
	}
	if len(load.Summary.Checks) > 0 {
		w.result.Load = &load.Summary
	}
	w.result.Observation = load.Evidence
	if ctx.Err() != nil {
		// The log keeps what was sent. Half a load is not enough to judge by.
		w.reject(contract.Error, "interrupted")
		return nil
	}
	w.judgement, w.judged, w.status = load.judgement(), true, runlog.StepPassed
	w.result.Findings, w.result.Verdict = load.Findings, contract.VerdictOf(load.Findings)
	switch {
	case errors.Is(err, ErrUnreached) && w.result.Verdict == contract.Fail:
		w.reject(contract.Fail, err.Error()) // what was found by then is certain
	case errors.Is(err, ErrUnreached):
		w.reject(contract.Untestable, err.Error())
	case err != nil:
		w.reject(contract.Error, fmt.Sprintf("%s: %v", c.ID(), err))
	}
	return nil
}

// reject fails the step that should have brought the circumstance about. What was observed by then stays judged.
func (w *World) reject(verdict contract.Verdict, reason string) {
	w.judged, w.status = true, runlog.StepFailed
	w.result.Verdict, w.result.Reason = verdict, reason
}

// check sets the status of a step that states requirements: failed when a MUST among them is violated, warned when a
// SHOULD is, and untested when one of them could not be checked, or none applies. A violated NOTE changes nothing.
func (w *World) check(requirements []contract.Requirement) {
	about := func(f contract.Finding) bool { return slices.Contains(requirements, f.Requirement) }
	switch contract.VerdictOf(filter(w.judgement.Findings, about)) {
	case contract.Fail:
		w.status = runlog.StepFailed
	case contract.Warn:
		w.status = runlog.StepWarned
	default:
		w.status = runlog.StepUntested
		for _, r := range requirements {
			switch w.judgement.Results[r] {
			case contract.Untested:
				w.status = runlog.StepUntested
				return
			case contract.Held, contract.Violated:
				w.status = runlog.StepPassed
			}
		}
	}
}

func filter(findings []contract.Finding, keep func(contract.Finding) bool) []contract.Finding {
	return slices.DeleteFunc(slices.Clone(findings), func(f contract.Finding) bool { return !keep(f) })
}

// Revise judges a case again with the upstream's record of its call at the end of the run. It reports whether the findings have changed. An outcome
// that was not derived from findings stays as it is.
func Revise(c contract.Case, before runlog.Case, seen contract.Seen) (after runlog.Case, changed bool) {
	switch before.Verdict {
	case contract.Pass, contract.Warn, contract.Fail, contract.ExpectedFail:
	default:
		return before, false
	}
	if before.Observation == nil || before.Scenario == nil {
		return before, false
	}
	w := &World{current: c, result: before}
	o := *before.Observation
	o.Upstream = &seen
	w.judge(o)
	scenario := *before.Scenario
	scenario.Steps = slices.Clone(scenario.Steps)
	for i, step := range scenario.Steps {
		_, sentence, _ := strings.Cut(step.Text, " ")
		for _, d := range definitions() {
			if len(d.requirements) > 0 && d.sentence.MatchString(sentence) {
				w.check(d.requirements)
				scenario.Steps[i].Status = w.status
			}
		}
	}
	w.result.Scenario = &scenario
	return w.result, !slices.Equal(w.result.Findings, before.Findings)
}
