package runner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/features"
	"github.com/gatecert/gatecert/internal/version"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
	"github.com/gatecert/gatecert/steps"
	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/profile"
)

// runner is one run from its preparation to its footer.
type runner struct {
	job       Job
	id        string
	selection runlog.Selection
	progress  *reporter
	journal   *journal

	prepared targets.Prepared
	session  *targets.Session
	// before are the control calls that were made first.
	before controls
	// surfaces are the selected surfaces that the target has.
	surfaces []dialect.Surface
	plan     plan
}

func (r *runner) run(ctx context.Context) (run runlog.Run, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	r.journal.failed = cancel // nothing is sent that the log could not show
	if limit := r.job.TimeLimit; limit > 0 {
		over := fmt.Errorf("%w: the run took longer than %s; increase --time-limit", ErrTimeLimit, plain.Duration(limit))
		timer := time.AfterFunc(limit, func() { cancel(over) })
		defer timer.Stop()
		defer func() {
			if cause := context.Cause(ctx); err != nil && errors.Is(cause, ErrTimeLimit) && !errors.Is(err, ErrTimeLimit) {
				err = fmt.Errorf("%w: %w", cause, err) // whatever was under way then has failed with an error of its own
			}
		}()
	}
	r.progress.report(Progress{Phase: PhasePrepare})
	r.prepared, err = Prepare(ctx, r.job.Driver, consented(r.job))
	if err != nil {
		return run, err
	}
	// The target is restored even when ctx is done.
	defer func() {
		if closing := r.prepared.Close(context.WithoutCancel(ctx)); closing != nil {
			// Its kind does not matter: whatever it was, the gateway is not as it was before.
			err = errors.Join(err, fmt.Errorf("%w: gatecert could not clean up after the run: %v", ErrHarness, closing)) //nolint:errorlint // see above
		}
	}()
	if r.job.Concurrency > 0 {
		r.prepared.Profile.Concurrency = r.job.Concurrency
	}
	if surfaces := r.job.Target.Load.Surfaces; len(surfaces) > 0 {
		r.prepared.Profile.Load = r.job.Target.Load
	}
	r.journal.hide = r.prepared.Profile.Shown
	for _, note := range r.prepared.Notes {
		r.journal.note("%s", note)
	}
	if _, weak := r.prepared.Profile.SearchedSecrets(); len(weak) > 0 {
		r.journal.note("gatecert does not search responses for these secrets, because they are too short, or are ordinary words or numbers: %s", strings.Join(weak, ", "))
	}
	r.session = targets.NewSession(r.prepared, targets.Host{OpenStore: r.job.OpenStore, Persist: r.job.Persist})
	defer func() { err = errors.Join(err, r.session.Close()) }()

	if err := r.begin(ctx); err != nil {
		return run, err
	}
	interrupted := r.runCases(ctx)
	if errors.Is(interrupted, ErrTimeLimit) {
		r.journal.note("%v", interrupted)
	}
	if run, err = r.end(ctx, interrupted); err != nil {
		return run, err
	}
	r.progress.report(Progress{Phase: PhaseDone})
	if interrupted == nil && r.job.Afterwards != nil {
		return run, r.job.Afterwards(ctx, run, r.session)
	}
	return run, interrupted
}

// consented is the target of a job, without its actions where they are not permitted.
func consented(job Job) profile.Profile {
	target := job.Target
	target.WithoutActions = target.WithoutActions || !job.AllowActions && len(target.Actions()) > 0
	return target
}

// begin makes the control calls, computes the expected set of cases and logs everything that is known before the first.
func (r *runner) begin(ctx context.Context) (err error) {
	profile := r.session.Profile // without the models that are found below
	r.progress.start(PhaseControls, profile.BaseURL)
	r.surfaces = slices.DeleteFunc(slices.Clone(profile.Surfaces), func(s dialect.Surface) bool {
		return len(r.selection.Surfaces) > 0 && !slices.Contains(r.selection.Surfaces, s)
	})
	if r.before, err = callControls(ctx, r.session, r.surfaces, runlog.BeforeCases); err != nil {
		return fmt.Errorf("%w: %w", ErrHarness, err)
	}
	if err := checkAttached(ctx, r.session); err != nil {
		// Where the gateway is down as well, that comes first.
		if down := checkControls(ctx, r.session, r.before, r.surfaces); errors.Is(down, ErrUnreachable) {
			return down
		}
		return err
	}
	if profile.Discover {
		if err := r.tryOtherModels(ctx); err != nil {
			return fmt.Errorf("%w: %w", ErrHarness, err)
		}
	}
	if err := checkControls(ctx, r.session, r.before, r.surfaces); err != nil {
		return err
	}
	if profile.Discover && len(r.before.failed) < len(r.surfaces) {
		r.dropUnclaimed()
	}
	if err := r.tryNewerVersions(ctx); err != nil {
		return fmt.Errorf("%w: %w", ErrHarness, err)
	}
	if err := r.checkCounts(ctx); err != nil {
		return err
	}
	if !r.selection.WithoutLoad {
		r.selection.LoadSurfaces = profile.LoadSurfaces()
	}
	if r.plan, err = newPlan(r.selection, r.session, r.surfaces); err != nil {
		return err
	}
	if err := r.checkUpstream(ctx); err != nil {
		return err
	}
	if err := r.checkKeys(ctx); err != nil {
		return err
	}
	r.progress.expect(len(r.plan.all()))
	if err := r.announceLoad(); err != nil {
		return err
	}
	r.journal.wrote(r.journal.log.Header(r.header()))
	if err := r.journal.fault(); err != nil {
		return err // the run has not begun
	}
	for _, c := range r.before.calls {
		r.journal.wrote(r.journal.log.Control(c))
	}
	for _, absent := range r.plan.notOffered {
		r.journal.wrote(r.journal.log.Case(absent))
	}
	return nil
}

// checkKeys makes a call with each of the limited, revoked and spent keys where a case is going to use it.
func (r *runner) checkKeys(ctx context.Context) error {
	cases := slices.DeleteFunc(r.plan.all(), func(c contract.Case) bool { return r.before.failed[c.Surface] != "" })
	notes, err := r.session.CheckPreparedKeys(ctx, cases)
	for _, note := range notes {
		r.journal.note("%s", note)
	}
	i := slices.IndexFunc(cases, func(c contract.Case) bool { return c.Circumstance == contract.OverRateLimit })
	if err != nil || i < 0 {
		return err
	}
	err = r.session.CheckLimitedKey(ctx, cases[i].Surface)
	if errors.Is(err, targets.ErrUnknownKey) {
		return fmt.Errorf("%w: %w", ErrUsage, err)
	}
	return err
}

// tryNewerVersions finds out which surfaces serve a newer version of their API too.
func (r *runner) tryNewerVersions(ctx context.Context) error {
	for _, s := range r.surfaces {
		if r.before.failed[s] != "" {
			continue
		}
		refused, err := r.session.TryNewerVersion(ctx, s)
		if err != nil {
			return err
		}
		if refused != "" {
			r.journal.note("%s", refused)
		}
	}
	return nil
}

// dropUnclaimed leaves out the surfaces whose healthy call failed. It is for profiles that claim no surfaces: a surface
// that does not answer is then not offered rather than broken.
func (r *runner) dropUnclaimed() {
	r.surfaces = slices.DeleteFunc(r.surfaces, func(s dialect.Surface) bool {
		if r.before.unhealthy[s] {
			r.journal.note("endpoint %s is treated as not offered: %s", s, r.before.failed[s])
			delete(r.before.failed, s)
		}
		return r.before.unhealthy[s]
	})
}

func (r *runner) header() runlog.Header {
	p := r.session.Profile
	selection := r.selection
	selection.Surfaces = r.surfaces
	return runlog.Header{
		RunID: r.id, Tool: version.Tool(), Started: time.Now(), ContractDigest: contract.Digest(),
		Target:    targetInfo(p, r.surfaces),
		Selection: selection,
		Command:   p.ShownCommand(r.job.Command),
		TraceURL:  p.Shown(r.job.TraceURL),
		Expected:  r.plan.expected(),
	}
}

// targetInfo describes the target as a reader of the profile in the log will: an audit compares the two.
func targetInfo(p profile.Profile, surfaces []dialect.Surface) runlog.TargetInfo {
	info := runlog.TargetInfo{
		Name: p.Shown(p.Name), BaseURL: p.Shown(p.BaseURL), Driver: p.Driver, Version: p.Version, Claims: p.Claims.Declared(),
		Profile: p.Redacted(), UpstreamProtocols: p.UpstreamProtocols(surfaces),
	}
	if offer, err := targets.OfferOf(info.Profile); err == nil {
		info.Name, info.BaseURL, info.Recipes = offer.Name, offer.BaseURL, offer.Recipes
	}
	return info
}

// end repeats the healthy calls, compares the cases that ran with those that were expected, and closes the log.
func (r *runner) end(ctx context.Context, interrupted error) (runlog.Run, error) {
	healthy := interrupted != nil || r.healthyAfter(ctx)
	if interrupted == nil {
		r.reviseLate(ctx)
	}
	for _, note := range r.session.HealthNotes() {
		r.journal.note("%s", note)
	}
	r.noteTraces()
	return r.journal.close(func(run runlog.Run) runlog.Footer {
		footer := runlog.Conclude(run.Header, run.Cases, time.Now().Round(0).UTC()) // as it is read
		footer.Interrupted = interrupted != nil
		switch {
		case len(footer.Missing)+len(footer.Surplus) > 0:
			footer.Verdict = contract.Error
		case !healthy:
			footer.Verdict, _ = contract.Worst(footer.Verdict, contract.Error) // what is proven stands
		}
		if interrupted == nil {
			footer.Stale = r.job.Baseline.Stale(run.Cases, r.selection.Asks, time.Now())
		}
		return footer
	})
}

// healthyAfter makes the healthy calls once more. A surface that is not healthy at the end, and does not recover within
// the profile's settle.recovery, casts doubt on everything that ran on it. It reports whether all were healthy in time.
func (r *runner) healthyAfter(ctx context.Context) bool {
	surfaces := slices.DeleteFunc(slices.Clone(r.surfaces), func(s dialect.Surface) bool {
		return r.before.failed[s] != "" || !slices.ContainsFunc(r.plan.all(), func(c contract.Case) bool { return c.Surface == s })
	})
	after, err := callControls(ctx, r.session, surfaces, runlog.AfterCases)
	if err != nil {
		r.journal.note("gatecert could not make the control calls after the cases: %v", err)
		return false
	}
	healthy := true
	for _, c := range after.calls {
		r.journal.wrote(r.journal.log.Control(c))
		if c.OK {
			continue
		}
		waited, err := r.session.AwaitRecovery(ctx, contract.Case{Surface: c.Surface})
		if err != nil {
			r.journal.note("the endpoint %s was not healthy after the run (%s): %v", c.Surface, c.Detail, err)
			healthy = false
			continue
		}
		r.journal.note("the endpoint %s was not healthy right after the run (%s); it recovered after %s", c.Surface, c.Detail, waited.Round(time.Millisecond))
	}
	return healthy
}

// runCases runs the cases of the plan, phase by phase. It returns why it was interrupted, or nil.
func (r *runner) runCases(ctx context.Context) error {
	type part struct {
		phase       string
		cases       []contract.Case
		concurrency int
	}
	var parts []part
	add := func(phase string, cases []contract.Case, risk, concurrency int) {
		cases = filter(cases, func(c contract.Case) bool { return targets.RiskOf(r.session.Profile, c) == risk })
		// A witness comes before the other cases of its kind, which would take the gateway down unseen.
		parts = append(parts,
			part{phase, filter(cases, func(c contract.Case) bool { return r.plan.witnesses[c.ID()] }), 1},
			part{phase, filter(cases, func(c contract.Case) bool { return !r.plan.witnesses[c.ID()] }), concurrency})
	}
	for risk := range targets.Risks {
		add(PhaseConcurrent, r.plan.concurrent, risk, r.session.Profile.Concurrency)
		add(PhaseExclusive, r.plan.billed, risk, 1)
	}
	for risk := range targets.Risks {
		add(PhaseExclusive, r.plan.exclusive, risk, 1)
	}
	for _, part := range append(parts, part{PhaseLoad, r.plan.load, 1}) {
		selected := make(map[string]bool)
		for _, c := range part.cases {
			if reason, failed := r.before.failed[c.Surface]; failed {
				r.record(part.phase, steps.Outcome{Case: notRun(c, contract.Error, reason)})
				continue
			}
			selected[c.ID()] = true
		}
		suite := steps.Suite{
			Features: features.FS, Session: loadSession{Session: r.session, runner: r, phase: part.phase}, Selected: selected, Witnesses: r.plan.witnesses, Concurrency: part.concurrency,
			Sink: func(o steps.Outcome) { r.record(part.phase, o) },
		}
		if err := suite.Run(ctx); err != nil {
			return err
		}
	}
	return nil
}

func filter(cases []contract.Case, keep func(contract.Case) bool) []contract.Case {
	return slices.DeleteFunc(slices.Clone(cases), func(c contract.Case) bool { return !keep(c) })
}

// record logs an outcome and reports it. Failures that the baseline lists are expected in every report of the run.
func (r *runner) record(phase string, o steps.Outcome) {
	result := r.job.Baseline.Excused(o.Case)
	result.Reason = r.journal.hidden(result.Reason)
	r.journal.wrote(r.journal.log.Case(result))
	for _, note := range o.Notes {
		r.journal.note("%s", note)
	}
	r.progress.report(Progress{Phase: phase, Last: &result})
}

func notRun(c contract.Case, verdict contract.Verdict, reason string) runlog.Case {
	result := runlog.NewCase(c)
	result.Verdict, result.Reason, result.Started = verdict, reason, time.Now()
	return result
}
