package runner

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/exchange"
	"github.com/gatecert/gatecert/load"
	"github.com/gatecert/gatecert/load/limits"
	"github.com/gatecert/gatecert/steps"
	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/profile"
)

// InferRateLimit infers the limit of the valid key of a prepared gateway. It makes at most as many calls as the budget allows and takes several
// windows of time. Progress, when not nil, is called a few times a second. It returns the limit and the experiments that it was inferred from.
//
// If the profile declares a limit, use the load cases of http:429 to verify it instead.
//
// It returns [ErrNothingToRun] when the profile has no model for the surface, [ErrUnreachable] or [ErrHarness] when the healthy call fails, and the
// errors of [limits.Infer].
func InferRateLimit(ctx context.Context, p targets.Prepared, surface dialect.Surface, budget limits.Budget, progress func(load.Progress)) (limits.LimiterModel, []limits.Experiment, error) {
	if p.Profile.Models.Routed(surface) == "" {
		return limits.LimiterModel{}, nil, fmt.Errorf("%w: the profile has no model for the endpoint %s", ErrNothingToRun, surface)
	}
	if err := CheckHealth(ctx, p, surface); err != nil {
		return limits.LimiterModel{}, nil, err
	}
	probers := newProberFactory(p, progress)
	defer probers.client.Close()
	return limits.Infer(ctx, probers.prober(surface, p.Profile.Keys.Valid, ""), budget)
}

// Scope states who else makes calls while a limit is used up.
type Scope struct {
	// OtherSource makes calls from another address; nil means none. OtherKey is another key; "" means none.
	OtherSource exchange.Caller
	OtherKey    string
}

// InferScope infers whether others share an inferred limit of the valid key. budget is what is left after the inference, as returned by
// [limits.Budget.Left]. InferScope returns the errors of [limits.InferScope].
func InferScope(ctx context.Context, p targets.Prepared, surface dialect.Surface, m limits.LimiterModel, others Scope, budget limits.Budget, progress func(load.Progress)) (limits.Scope, []limits.Experiment, error) {
	own := newProberFactory(p, progress)
	defer own.client.Close()
	probers := limits.ScopeProbers{Limited: own.prober(surface, p.Profile.Keys.Valid, "")}
	if others.OtherSource != nil {
		p.Caller = others.OtherSource
		other := newProberFactory(p, progress)
		defer other.client.Close()
		probers.OtherSource = other.prober(surface, p.Profile.Keys.Valid, "")
	}
	if others.OtherKey != "" {
		probers.OtherKey = own.prober(surface, others.OtherKey, "")
	}
	return limits.InferScope(ctx, m, probers, budget)
}

// verifyRateLimit verifies the limit that the profile declares. It returns the errors of [limits.Verify],
// with [steps.ErrUnreached] where they leave the limit unknown.
func verifyRateLimit(ctx context.Context, session *targets.Session, p targets.Prepared, surface dialect.Surface, progress func(load.Progress)) (steps.LoadResult, error) {
	declared := p.Profile
	factory := newProberFactory(p, progress)
	defer factory.client.Close()
	probers := limits.Probers{
		Limited: factory.limited(surface),
		Sized:   factory.sized(surface),
		Control: factory.prober(surface, declared.Keys.Valid, ""),
	}
	if twin, ok := surface.Twin(); ok && slices.Contains(declared.Surfaces, twin) {
		probers.Stream = factory.limited(twin)
	}
	if declared.Balance.Path != "" {
		probers.Balance = func(ctx context.Context) (float64, error) { return session.Balance(ctx, declared.LimitedKey()) }
	}
	if p.Upstream != nil {
		probers.Throttled = factory.prober(surface, declared.Keys.Valid, fmt.Sprintf("status=429 retry-after=%d", contract.UpstreamRetryAfter))
	}
	findings, summary, err := limits.VerifyAll(ctx, probers, declaredLimits(declared), verificationBudget(declared.Limits.Rate))
	if errors.Is(err, limits.ErrBudget) || errors.Is(err, limits.ErrInconclusive) {
		err = fmt.Errorf("%w: %w", steps.ErrUnreached, err)
	}
	return steps.LoadResult{Findings: findings, Summary: summary}, err
}

// declaredLimits are the limits of the profile's limited key.
func declaredLimits(p profile.Profile) []limits.DeclaredLimit {
	rate := p.Limits.Rate
	var all []limits.DeclaredLimit
	for _, l := range rate.Limits() {
		all = append(all, limits.DeclaredLimit{
			Kind: l.Kind, Limit: max(l.Requests, l.CountedTokens()), Tokens: l.CountedTokens() > 0, Part: partOf(l), Window: l.Window, Burst: l.Burst, Shared: rate.Shared,
			RefusedCount: l.RefusedCount, Attempts: p.Limits.Attempts, UpstreamRetryAfter: contract.UpstreamRetryAfter,
		})
	}
	return all
}

// partOf is the part of the tokens that a limit counts.
func partOf(l profile.Rate) limits.TokenPart {
	switch {
	case l.InputTokens > 0:
		return limits.InputTokens
	case l.OutputTokens > 0:
		return limits.OutputTokens
	default:
		return limits.AllTokens
	}
}

// proberFactory makes probers that share a client and a meter. A token in each prompt tells their calls apart.
type proberFactory struct {
	prepared targets.Prepared
	client   *exchange.Client
	run      string
	calls    *atomic.Int64
	meter    *callMeter
}

// newProberFactory returns a factory whose client has to be closed. The client trusts the certificates that the target's driver
// trusts.
func newProberFactory(p targets.Prepared, progress func(load.Progress)) proberFactory {
	patience := p.Profile.Limits.Patience
	searched, _ := p.Profile.SearchedSecrets()
	client := exchange.NewClient(exchange.Limits{Patience: patience, Total: 2 * patience, Idle: patience}, p.Roots, searched...)
	return proberFactory{
		prepared: p, client: client, run: strings.ReplaceAll(runID(), ":", ""), calls: new(atomic.Int64), meter: newCallMeter(progress),
	}
}

// limited calls a surface with the key and the model that have the declared limit.
func (f proberFactory) limited(surface dialect.Surface) limits.Prober {
	return f.proberOf(surface, f.prepared.Profile.LimitedKey(), f.prepared.Profile.Limits.Rate.Model, "")
}

// prober calls a surface with a key. The directive tells the mock upstream what to do.
func (f proberFactory) prober(surface dialect.Surface, key, directive string) limits.Prober {
	return f.proberOf(surface, key, "", directive)
}

// proberOf is prober with another model; "" stands for the surface's own.
func (f proberFactory) proberOf(surface dialect.Surface, key, model, directive string) limits.Prober {
	newRequest := func(hold time.Duration) limits.Request {
		words := directive
		if hold > 0 {
			words = strings.TrimSpace(words + " delay=" + hold.String())
		}
		return f.request(surface, key, model, words)
	}
	return f.probes(newRequest)
}

// sized calls a surface with the key and the model that have the declared limit, in the size that is asked for.
func (f proberFactory) sized(surface dialect.Surface) limits.SizedProber {
	return func(ctx context.Context, prompt, answer int) (limits.Call, error) {
		newRequest := func(time.Duration) limits.Request {
			request := f.request(surface, f.prepared.Profile.LimitedKey(), f.prepared.Profile.Limits.Rate.Model, fmt.Sprintf("chunks=%d", answer))
			request.Call.Prompt += strings.Repeat(" cat", prompt)
			return request
		}
		c, err := f.probes(newRequest)(ctx, 0)
		c.Asked = limits.TokenCount{Input: prompt, Output: answer}
		return c, err
	}
}

// probes is a prober of requests.
func (f proberFactory) probes(newRequest func(time.Duration) limits.Request) limits.Prober {
	return limits.ClientProber{Client: f.client, Caller: f.prepared.Caller, NewRequest: newRequest, CanHold: f.prepared.Upstream != nil, OnEnd: f.meter.count}.Probe
}

// request is a call with a token of its own.
func (f proberFactory) request(surface dialect.Surface, key, model, directive string) limits.Request {
	token, upstream := fmt.Sprintf("%s.%d", f.run, f.calls.Add(1)), f.prepared.Upstream
	request := limits.Request{Call: targets.CallWithKey(f.prepared.Profile, surface, key, token, directive)}
	request.Call.Model = cmp.Or(model, request.Call.Model)
	if upstream != nil {
		request.Seen = func(ctx context.Context) (contract.Seen, error) { return upstream.Seen(ctx, token) }
	}
	return request
}

type callMeter struct {
	report func(load.Progress)
	began  time.Time

	mu       sync.Mutex
	reported time.Time
	progress load.Progress
}

const meterInterval = 250 * time.Millisecond

func newCallMeter(report func(load.Progress)) *callMeter {
	return &callMeter{report: report, began: time.Now(), progress: load.Progress{Phase: "rate limit"}}
}

// count counts a call that has ended, and reports if the last report is meterInterval ago.
func (m *callMeter) count(c limits.Call) {
	if m.report == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.progress.Sent++
	switch c.Outcome() {
	case limits.Admitted:
		m.progress.Admitted++
	case limits.Refused:
		m.progress.Refused++
	case limits.Failed:
		m.progress.Failed++
	}
	if time.Since(m.reported) >= meterInterval {
		m.reported, m.progress.Elapsed = time.Now(), time.Since(m.began)
		m.report(m.progress)
	}
}
