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
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/steps"
	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/profile"
)

// loadSession is a session that can run load cases too, and whose errors the steps know.
type loadSession struct {
	*targets.Session

	runner *runner
	phase  string
}

var _ steps.Session = loadSession{}

// Observe implements [steps.Session].
func (s loadSession) Observe(ctx context.Context, c contract.Case) (contract.Observation, error) {
	s.runner.progress.begin(s.phase, c.ID())
	o, err := s.Session.Observe(ctx, c)
	if errors.Is(err, targets.ErrGivenUp) {
		err = fmt.Errorf("%w: %s", steps.ErrGivenUp, strings.TrimPrefix(err.Error(), targets.ErrGivenUp.Error()+": "))
	}
	return o, err
}

// RunLoad implements [steps.Session].
func (s loadSession) RunLoad(ctx context.Context, c contract.Case) (result steps.LoadResult, err error) {
	s.runner.progress.begin(PhaseLoad, c.ID())
	progress := func(p load.Progress) { s.runner.progress.report(Progress{Phase: PhaseLoad, Load: &p}) }
	if c.Row != contract.RowRateLimited {
		return runOutage(ctx, s.runner.prepared, c, progress)
	}
	err = s.Around(ctx, c, func(ctx context.Context) (err error) {
		result, err = verifyRateLimit(ctx, s.Session, s.runner.prepared, c.Surface, progress)
		return err
	})
	return result, err
}

// The calls in flight in a burst: usualConcurrency, and up to maxConcurrency where the limit is higher. A limit on
// concurrent calls beyond that cannot be reached.
const usualConcurrency, maxConcurrency = 128, 512

// verificationBudget bounds the verification of limits, one after the other: each takes about four times the limit and a few hundred
// calls, and four to five windows, and whatever a busy machine adds. Windows that are longer than a verification waits take nothing.
func verificationBudget(r profile.Rate) limits.Budget {
	b := limits.Budget{Time: time.Minute, Concurrency: usualConcurrency}
	all := r.Limits()
	for _, l := range all {
		if !(limits.DeclaredLimit{Window: l.Window}).Waits(len(all) == 1) {
			continue
		}
		most := max(l.Requests, l.Burst)
		if l.CountedTokens() > 0 {
			most = callsOfTokens
		}
		b.Calls += 8*most + 1000
		b.Time += 12 * l.Window
		if len(all) > 1 {
			b.Time += 2 * r.LongestWindowUpTo(limits.LongestVerified) // for the others to forget
		}
		if l.CountedTokens() == 0 {
			b.Concurrency = min(max(2*most+16, b.Concurrency), maxConcurrency)
		}
	}
	return b
}

// callsOfTokens stands for the number of calls that use up a limit on tokens.
const callsOfTokens = 100

func runOutage(ctx context.Context, p targets.Prepared, c contract.Case, progress func(load.Progress)) (steps.LoadResult, error) {
	experiment, err := outageOf(p, c)
	if err != nil {
		return steps.LoadResult{}, err
	}
	experiment.Progress = progress
	engine := outageEngine(p)
	defer engine.Close()
	findings, evidence, err := outage.Verify(ctx, engine, experiment)
	switch {
	case errors.Is(err, outage.ErrNotReached):
		err = fmt.Errorf("%w: %w", steps.ErrUnreached, err)
	case errors.Is(err, outage.ErrGeneratorBusy):
		err = fmt.Errorf("%w: %w", steps.ErrGeneratorBusy, err)
	}
	return steps.LoadResult{Findings: findings, Summary: evidence.Summary(), Evidence: evidence.Response()}, err
}

// outageEngine is the engine of an outage. What the profile, or the command line, asks for itself is not held to the default
// caps: load cases are only sent to another machine with consent, and the plan says what they send.
func outageEngine(p targets.Prepared) *load.Engine {
	options := OptionsFor(p)
	if l := p.Profile.Load; l.Rate > 0 || l.Outage > 0 || l.SlowCalls > 0 {
		options.Caps = load.HardCaps()
	}
	return load.NewEngine(options)
}

func outageOf(p targets.Prepared, c contract.Case) (outage.Experiment, error) {
	if c.Circumstance == contract.SlowUpstream {
		return SlowOutage(p, c.Surface)
	}
	return FailingOutage(p, c.Surface)
}

// announceLoad reports what the load cases are going to send. It returns [targets.ErrConsent] where the gateway is on
// another machine and the job does not permit that.
func (r *runner) announceLoad() error {
	var parts []string
	for _, c := range r.plan.load {
		sentence, err := traffic(r.prepared, c)
		if err != nil {
			return fmt.Errorf("%w: plan %s: %w", ErrHarness, c.ID(), err)
		}
		parts = append(parts, sentence)
	}
	if len(parts) == 0 {
		return nil
	}
	plan := fmt.Sprintf("load cases on %s: %s", r.prepared.Profile.BaseURL, strings.Join(parts, "; "))
	if !r.job.AllowRemoteLoad && !OnThisMachine(r.prepared.Profile.BaseURL) {
		return fmt.Errorf("%w: the gateway is not on this machine, and the run would include %s; if the gateway's operator agrees, add --yes", targets.ErrConsent, plan)
	}
	r.progress.report(Progress{Phase: PhaseLoad, Plan: plan})
	return nil
}

func traffic(p targets.Prepared, c contract.Case) (string, error) {
	if c.Row == contract.RowRateLimited {
		budget := verificationBudget(p.Profile.Limits.Rate)
		var names []string
		var calls, tokens = fmt.Sprintf("%d calls", budget.Calls), 0
		for _, d := range declaredLimits(p.Profile) {
			names = append(names, d.String())
			tokens += d.MostTokens()
		}
		if tokens > 0 {
			calls += fmt.Sprintf(" with about %d tokens in total", tokens)
		}
		return fmt.Sprintf("on %s, at most %s, in at most %s, to verify %s", c.Surface, calls, plain.Duration(budget.Time), plain.Joined(names)), nil
	}
	experiment, err := outageOf(p, c)
	if err != nil {
		return "", err
	}
	engine := outageEngine(p)
	defer engine.Close()
	usual, err := experiment.UsualTraffic(engine)
	if err != nil {
		return "", err
	}
	most, err := experiment.MaxTraffic(engine)
	sentence := fmt.Sprintf("on %s, usually %d requests in about %s (at most %d requests in %s), at up to %.4g requests per second, with up to %d requests at once", c.Surface,
		usual.Requests, plain.Duration(usual.Duration.Round(time.Second)), most.Requests, plain.Duration(most.Duration.Round(time.Second)), most.Rate, most.Connections)
	if experiment.Direct != nil {
		sentence += ", some of them directly to the mock upstream at " + experiment.Direct.Call.BaseURL
	}
	return sentence, err
}

// OnThisMachine reports whether requests to a URL stay on this machine.
func OnThisMachine(baseURL string) bool {
	u, err := url.Parse(baseURL)
	return err == nil && load.IsLoopback(u.Hostname())
}
