package runner

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/exchange/redact"
	"github.com/gatecert/gatecert/features"
	"github.com/gatecert/gatecert/reports/runlog"
	"github.com/gatecert/gatecert/steps"
	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/profile"
)

// runner is one run from its preparation to its footer.
type runner struct {
	cfg    Job
	id     string
	chosen runlog.Selection

	prepared targets.Prepared
	stage    *targets.Session
	// offered are the selected surfaces that the target has.
	offered []dialect.Surface
	plan    plan
	// copy holds the log once more, so that the run is returned as a reader of the log would see it.
	copy bytes.Buffer
	log  *runlog.Writer

	mu     sync.Mutex
	done   int
	total  int
	notes  []string
	logErr error
}

func newRunner(job Job) *runner {
	r := &runner{cfg: job, id: runID(), chosen: job.Selection}
	var out io.Writer = &r.copy
	if job.Log != nil {
		out = io.MultiWriter(job.Log, &r.copy)
	}
	r.log = runlog.NewWriter(out)
	return r
}

func (r *runner) run(ctx context.Context) (run runlog.Run, err error) {
	r.progress(Progress{Phase: "prepare"})
	prepared, err := r.cfg.Driver.Prepare(ctx, r.cfg.Target)
	if err != nil {
		return run, unprepared(r.cfg.Target, err)
	}
	// Taking down must happen also when ctx is gone.
	defer func() {
		if closing := prepared.Close(context.WithoutCancel(ctx)); closing != nil {
			// Its kind does not matter: whatever it was, the gateway is not as it was before.
			err = errors.Join(err, fmt.Errorf("%w: take down what was prepared: %v", ErrHarness, closing)) //nolint:errorlint // see above
		}
	}()
	if r.cfg.Concurrency > 0 {
		prepared.Profile.Concurrency = r.cfg.Concurrency
	}
	if asked := r.cfg.Target.Load.Surfaces; len(asked) > 0 {
		prepared.Profile.Load.Surfaces = asked
	}
	r.notes = append(r.notes, prepared.Notes...)
	r.prepared, r.stage = prepared, targets.NewSession(prepared, targets.Host{OpenStore: r.cfg.OpenStore})
	defer func() { err = errors.Join(err, r.stage.Close()) }()

	before, err := r.begin(ctx)
	if err != nil {
		return run, err
	}
	interrupted := r.play(ctx, before)
	if run, err = r.end(ctx, before, interrupted); err != nil {
		return run, err
	}
	r.progress(Progress{Phase: "done", Done: r.done, Total: r.total})
	return run, interrupted
}

// unprepared tells what the user can mend from a fault of ours.
func unprepared(target profile.Profile, err error) error {
	if errors.Is(err, targets.ErrConsent) || errors.Is(err, targets.ErrCredential) || errors.Is(err, targets.ErrCannotPrepare) {
		return fmt.Errorf("prepare %s: %w", target.Name, err)
	}
	if op := (*net.OpError)(nil); errors.As(err, &op) && op.Op == "dial" {
		return fmt.Errorf("%w: %s: %w", ErrUnreachable, target.BaseURL, err)
	}
	return fmt.Errorf("%w: prepare %s: %w", ErrHarness, target.Name, err)
}

// begin makes the control calls, computes the expected set and writes everything that is known before the first case.
func (r *runner) begin(ctx context.Context) (controls, error) {
	profile := r.stage.Profile
	r.progress(Progress{Phase: "controls", Target: profile.BaseURL})
	surfaces := r.surfaces()
	before, err := callControls(ctx, r.stage, surfaces, "before")
	if err != nil {
		return before, fmt.Errorf("%w: %w", ErrHarness, err)
	}
	if before.unreachable != "" && len(before.failed) == len(surfaces) {
		return before, fmt.Errorf("%w: %s: %s", ErrUnreachable, profile.BaseURL, before.unreachable)
	}
	if profile.Discover && len(before.failed) < len(surfaces) {
		// Nobody claimed these surfaces: that they do not answer says they are not offered, not that they are broken.
		surfaces = slices.DeleteFunc(surfaces, func(s dialect.Surface) bool {
			if before.silent[s] {
				r.note(fmt.Sprintf("surface %s is taken as not offered: %s", s, before.failed[s]))
				delete(before.failed, s)
			}
			return before.silent[s]
		})
	}
	if !r.chosen.WithoutLoad {
		r.chosen.LoadSurfaces = profile.LoadSurfaces()
	}
	r.offered = surfaces
	if r.plan, err = newPlan(r.chosen, r.stage, surfaces); err != nil {
		return before, err
	}
	r.total = len(r.plan.all())
	if err := r.planLoads(); err != nil {
		return before, err
	}
	r.write(r.log.Header(r.header(surfaces)))
	for _, c := range before.events {
		r.write(r.log.Control(c))
	}
	for _, absent := range r.plan.notOffered {
		r.write(r.log.Case(notRun(absent.c, contract.NotOffered, absent.reason)))
	}
	return before, nil
}

// surfaces are those the profile lists, as far as they were selected.
func (r *runner) surfaces() []dialect.Surface {
	return slices.DeleteFunc(slices.Clone(r.stage.Profile.Surfaces), func(s dialect.Surface) bool {
		return len(r.chosen.Surfaces) > 0 && !slices.Contains(r.chosen.Surfaces, s)
	})
}

func (r *runner) header(surfaces []dialect.Surface) runlog.Header {
	profile := r.stage.Profile
	redactor := redact.New(profile.Secrets()...)
	command := make([]string, len(r.cfg.Command))
	for i, word := range r.cfg.Command {
		command[i] = redactor.Text(word)
	}
	selected := r.chosen
	selected.Surfaces = surfaces
	return runlog.Header{
		Schema: runlog.Schema, RunID: r.id, Tool: r.cfg.Tool, Started: time.Now(),
		ContractDigest: contract.Digest(),
		Target: runlog.TargetInfo{
			Name: profile.Name, BaseURL: redactor.Text(profile.BaseURL), Driver: profile.Driver,
			Version: profile.Version, Profile: profile.Redacted(),
		},
		Selection: selected,
		Command:   command,
		Expected:  r.plan.expected(),
	}
}

// play runs the cases that may run together, then those that must run alone, then the loads. It returns why it was interrupted, or nil.
func (r *runner) play(ctx context.Context, before controls) error {
	stressed := stressedStage{Session: r.stage, runner: r}
	for _, part := range []struct {
		phase string
		cases []contract.Case
		atime int
	}{
		{"cases", r.plan.together, r.stage.Profile.Concurrency},
		{"alone", r.plan.alone, 1},
		{"load", r.plan.loads, 1},
	} {
		runnable := slices.DeleteFunc(slices.Clone(part.cases), func(c contract.Case) bool {
			reason, failed := before.failed[c.Surface]
			if failed {
				r.outcome(part.phase, steps.Outcome{Case: notRun(c, contract.Error, reason)})
			}
			return failed
		})
		suite := steps.Suite{
			Features: features.FS, Session: stressed, Selected: idSet(runnable), Concurrency: part.atime,
			Sink: func(o steps.Outcome) { r.outcome(part.phase, o) },
		}
		if err := suite.Run(ctx); err != nil {
			return err
		}
	}
	return nil
}

// end compares the executed set with the expected one, writes the footer and returns the run. Both sets are read from
// the log: what is not in it did not happen.
func (r *runner) end(ctx context.Context, before controls, interrupted error) (runlog.Run, error) {
	well := true
	if interrupted == nil {
		well = r.controlsAfter(ctx, before)
	}
	run, err := runlog.Read(bytes.NewReader(r.copy.Bytes()))
	if err != nil {
		return run, fmt.Errorf("%w: read the log back: %w", ErrHarness, err)
	}
	footer := runlog.Conclude(run.Header, run.Cases, time.Now().Round(0).UTC()) // as it is read
	footer.Interrupted, footer.Notes = interrupted != nil, r.notes
	if len(footer.Missing)+len(footer.Surplus) > 0 || !well {
		footer.Verdict = contract.Error
	}
	if interrupted == nil {
		footer.Stale = r.cfg.Baseline.Stale(run.Cases, r.chosen.Asks, time.Now())
	}
	r.write(r.log.Footer(footer))
	if r.logErr != nil {
		return run, fmt.Errorf("%w: write the log: %w", ErrHarness, r.logErr)
	}
	run.Footer = &footer
	return run, nil
}

// controlsAfter makes the healthy calls once more: a surface that is not well at the end, and does not get well within
// the profile's time, puts everything that ran on it in doubt. It reports whether all were.
func (r *runner) controlsAfter(ctx context.Context, before controls) (well bool) {
	surfaces := slices.DeleteFunc(slices.Clone(r.offered), func(s dialect.Surface) bool {
		return before.failed[s] != "" || !slices.ContainsFunc(r.plan.all(), func(c contract.Case) bool { return c.Surface == s })
	})
	after, err := callControls(ctx, r.stage, surfaces, "after")
	if err != nil {
		r.note(fmt.Sprintf("the closing controls could not be made: %v", err))
		return false
	}
	well = true
	for _, c := range after.events {
		r.write(r.log.Control(c))
		if c.OK {
			continue
		}
		waited, err := r.stage.AwaitRecovery(ctx, c.Surface)
		if err != nil {
			r.note(fmt.Sprintf("%s was not well after the run (%s): %v", c.Surface, c.Detail, err))
			well = false
			continue
		}
		r.note(fmt.Sprintf("%s was not well right after the run (%s); it was again after %s", c.Surface, c.Detail, waited.Round(time.Millisecond)))
	}
	return well
}

func (r *runner) outcome(phase string, o steps.Outcome) {
	// Before it is logged: every report of the run then agrees about what was expected.
	res := r.cfg.Baseline.Excused(o.Case)
	r.write(r.log.Case(res))
	for _, n := range o.Notes {
		r.note(n)
	}
	r.mu.Lock()
	r.done++
	done := r.done
	r.mu.Unlock()
	r.progress(Progress{Phase: phase, Target: r.stage.Profile.BaseURL, Done: done, Total: r.total, Last: &res})
}

func (r *runner) note(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.notes = append(r.notes, text)
}

// write keeps the first error of the log: without its log a run is no evidence.
func (r *runner) write(err error) {
	if err == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.logErr == nil {
		r.logErr = err
	}
}

func (r *runner) progress(p Progress) {
	if r.cfg.Progress == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cfg.Progress(p)
}

// notRun is the outcome of a case that was not run.
func notRun(c contract.Case, verdict contract.Verdict, reason string) runlog.Case {
	result := runlog.NewCase(c)
	result.Verdict, result.Reason, result.Started = verdict, reason, time.Now()
	return result
}
