package runner

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/load"
	"github.com/gatecert/gatecert/load/limits"
	"github.com/gatecert/gatecert/load/outage"
	"github.com/gatecert/gatecert/steps"
	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/profile"
)

// stressedStage is a stage on which cases under load are played too.
type stressedStage struct {
	*targets.Session

	runner *runner
}

var _ steps.Session = stressedStage{}

// RunLoad implements [steps.Session].
func (s stressedStage) RunLoad(ctx context.Context, c contract.Case) (steps.LoadResult, error) {
	progress := func(p load.Progress) { s.runner.loaded(p) }
	if c.Row == "http:429" {
		return stressLimit(ctx, s.Session, s.runner.prepared, c, progress)
	}
	return stressProvider(ctx, s.runner.prepared, c, progress)
}

// stressLimit verifies the declared rate limit.
func stressLimit(ctx context.Context, stage *targets.Session, p targets.Prepared, c contract.Case, progress func(load.Progress)) (steps.LoadResult, error) {
	findings, evidence, err := verifyRateLimit(ctx, stage, p, c.Surface, progress)
	came := steps.LoadResult{Findings: findings, Summary: evidence.Summary()}
	if errors.Is(err, limits.ErrBudget) || errors.Is(err, limits.ErrInconclusive) {
		err = fmt.Errorf("%w: %w", steps.ErrUnreached, err)
	}
	return came, err
}

// usuallyAtOnce are the calls under way in a burst, and mostAtOnce those where the limit is higher. One of calls under way
// that is beyond that cannot be reached.
const usuallyAtOnce, mostAtOnce = 128, 512

// verificationBudget bounds the verification of a limit: it takes about four times the limit and a few hundred calls, and
// four to five windows, and whatever a busy machine adds.
func verificationBudget(r profile.Rate) limits.Budget {
	most := max(r.Requests, r.Burst)
	return limits.Budget{Calls: 8*most + 1000, Time: 12*r.Window + time.Minute, Concurrency: min(max(2*most+16, usuallyAtOnce), mostAtOnce)}
}

// stressProvider lets the provider go wrong on a share of the calls.
func stressProvider(ctx context.Context, p targets.Prepared, c contract.Case, progress func(load.Progress)) (steps.LoadResult, error) {
	experiment, err := outageOf(p, c)
	if err != nil {
		return steps.LoadResult{}, err
	}
	experiment.Progress = progress
	engine := load.NewEngine(OptionsFor(p))
	defer engine.Close()
	findings, evidence, err := outage.Verify(ctx, engine, experiment)
	came := steps.LoadResult{Findings: findings, Summary: evidence.Summary()}
	for _, b := range evidence.Violations {
		if came.Evidence == nil {
			came.Evidence = b.Evidence
		}
	}
	switch {
	case errors.Is(err, outage.ErrNotReached):
		err = fmt.Errorf("%w: %w", steps.ErrUnreached, err)
	case errors.Is(err, outage.ErrGeneratorBusy):
		err = fmt.Errorf("%w: %w", steps.ErrGeneratorBusy, err)
	}
	return came, err
}

// outageOf is the experiment of a case.
func outageOf(p targets.Prepared, c contract.Case) (outage.Experiment, error) {
	if c.Circumstance == contract.SlowUpstream {
		return SlowOutage(p, c.Surface)
	}
	return FailingOutage(p, c.Surface)
}

// planLoads says what the cases under load will send, and refuses to send it to somebody else's machine without consent.
func (r *runner) planLoads() error {
	var parts []string
	for _, c := range r.plan.loads {
		sentence, err := planLoad(r.prepared, c)
		if err != nil {
			return fmt.Errorf("%w: plan %s: %w", ErrHarness, c.ID(), err)
		}
		parts = append(parts, sentence)
	}
	if len(parts) == 0 {
		return nil
	}
	plan := fmt.Sprintf("under load, to %s: %s", r.prepared.Profile.BaseURL, strings.Join(parts, "; "))
	if !r.cfg.AllowRemoteLoad && !OnThisMachine(r.prepared.Profile.BaseURL) {
		return fmt.Errorf("%w: the run would put a gateway that is not on this machine %s", targets.ErrConsent, plan)
	}
	r.progress(Progress{Phase: "load", Plan: plan, Done: r.done, Total: r.total})
	return nil
}

// planLoad is what one case will send.
func planLoad(p targets.Prepared, c contract.Case) (string, error) {
	if c.Row == "http:429" {
		budget := verificationBudget(p.Profile.Limits.Rate)
		return fmt.Sprintf("at most %d calls over the limit of %d in %s, for at most %s on %s",
			budget.Calls, p.Profile.Limits.Rate.Requests, p.Profile.Limits.Rate.Window, budget.Time, c.Surface), nil
	}
	experiment, err := outageOf(p, c)
	if err != nil {
		return "", err
	}
	engine := load.NewEngine(OptionsFor(p))
	defer engine.Close()
	usual, err := experiment.UsualTraffic(engine)
	if err != nil {
		return "", err
	}
	most, err := experiment.MaxTraffic(engine)
	sentence := fmt.Sprintf("usually %d requests in about %s, at most %d in %s, %g a second, %d at once",
		usual.Requests, usual.Duration.Round(time.Second), most.Requests, most.Duration.Round(time.Second), most.Rate, most.Connections)
	if experiment.Direct != nil {
		sentence += ", some of them directly to the mock upstream at " + experiment.Direct.Call.BaseURL
	}
	return sentence, err
}

// loaded passes the progress of a load on.
func (r *runner) loaded(p load.Progress) {
	r.mu.Lock()
	done := r.done
	r.mu.Unlock()
	r.progress(Progress{Phase: "load", Target: r.prepared.Profile.BaseURL, Done: done, Total: r.total, Load: &p})
}

// OnThisMachine reports whether what is sent to a URL stays on this machine.
func OnThisMachine(baseURL string) bool {
	u, err := url.Parse(baseURL)
	return err == nil && load.IsLoopback(u.Hostname())
}
