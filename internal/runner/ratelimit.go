package runner

import (
	"context"
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
	"github.com/gatecert/gatecert/targets"
)

// RateLimit is what the calls of one key showed of its limit.
type RateLimit struct {
	// Model is the limiter that explains the answers.
	Model limits.Model
	// Experiments tell from what it was inferred.
	Experiments []limits.Experiment
}

// InferRateLimit finds out what limit the valid key of a prepared gateway has. It makes at most budget's calls and takes
// several windows of time. Progress, when not nil, is told of the calls that have ended.
//
// A limit that the profile declares is not inferred but verified: [Run] does, in the cases of http:429 under load.
//
// It returns [ErrNothingToRun] when the profile has no model for the surface, [ErrUnreachable] or [ErrHarness] when the
// healthy call fails, and the errors of [limits.Infer].
func InferRateLimit(ctx context.Context, p targets.Prepared, surface dialect.Surface, budget limits.Budget, progress func(load.Progress)) (RateLimit, error) {
	if p.Profile.Models.Routed(surface) == "" {
		return RateLimit{}, fmt.Errorf("%w: the profile has no model for surface %s", ErrNothingToRun, surface)
	}
	if err := Healthy(ctx, p, surface); err != nil {
		return RateLimit{}, err
	}
	probers := newProberMaker(p, progress)
	defer probers.client.Close()
	model, experiments, err := limits.Infer(ctx, probers.calling(surface, p.Profile.Keys.Valid, ""), budget)
	return RateLimit{Model: model, Experiments: experiments}, err
}

// upstreamRetryAfter is what our upstream says in its own 429, in seconds: unlike any time a gateway would make up.
const upstreamRetryAfter = 7

// verifyRateLimit verifies the limit that the profile declares. It returns the errors of [limits.Verify].
func verifyRateLimit(ctx context.Context, stage *targets.Session, p targets.Prepared, surface dialect.Surface, progress func(load.Progress)) ([]contract.Finding, limits.Evidence, error) {
	profile, rate := p.Profile, p.Profile.Limits.Rate
	probers := newProberMaker(p, progress)
	defer probers.client.Close()
	with := limits.Probers{
		Limited: probers.calling(surface, rate.Key, ""),
		Other:   probers.calling(surface, profile.Keys.Valid, ""),
	}
	if twin, ok := surface.Twin(); ok && slices.Contains(profile.Surfaces, twin) {
		with.Stream = probers.calling(twin, rate.Key, "")
	}
	if profile.Balance.Path != "" {
		with.Balance = func(ctx context.Context) (float64, error) { return stage.Balance(ctx, rate.Key) }
	}
	if p.Upstream != nil {
		with.Throttled = probers.calling(surface, profile.Keys.Valid, fmt.Sprintf("status=429 retry-after=%d", upstreamRetryAfter))
	}
	return limits.Verify(ctx, with, limits.Declared{
		Kind: rate.Kind, Limit: rate.Requests, Window: rate.Window, Burst: rate.Burst, Shared: rate.Shared,
		Attempts: profile.Limits.Attempts, UpstreamRetryAfter: upstreamRetryAfter,
	}, verificationBudget(rate))
}

// newProberMaker trusts whom the target's driver trusts. Its client has to be closed.
func newProberMaker(p targets.Prepared, progress func(load.Progress)) proberMaker {
	client := exchange.NewTrustingClient(exchange.Limits{Patience: p.Profile.Limits.Patience, Total: 2 * p.Profile.Limits.Patience, Idle: p.Profile.Limits.Patience}, p.Roots, p.Profile.Secrets()...)
	return proberMaker{
		prepared: p, client: client, run: strings.ReplaceAll(runID(), ":", ""), calls: new(atomic.Int64), meter: newMeter(progress),
	}
}

// proberMaker makes probers whose calls are told apart by a token each.
type proberMaker struct {
	prepared targets.Prepared
	client   *exchange.Client
	run      string
	calls    *atomic.Int64
	meter    *meter
}

func (m proberMaker) calling(surface dialect.Surface, key, directive string) limits.Prober {
	provider := m.prepared.Upstream
	return limits.Caller{Ended: m.meter.count, Client: m.client, Holds: provider != nil, Make: func(hold time.Duration) limits.Planned {
		token := fmt.Sprintf("%s.%d", m.run, m.calls.Add(1))
		words := directive
		if hold > 0 {
			words = strings.TrimSpace(words + " delay=" + hold.String())
		}
		planned := limits.Planned{Call: targets.CallWithKey(m.prepared.Profile, surface, key, token, words)}
		if provider != nil {
			planned.Seen = func(ctx context.Context) (contract.Seen, error) { return provider.Seen(ctx, token) }
		}
		return planned
	}}
}

// meter counts calls for whoever watches, a few times a second.
type meter struct {
	tell  func(load.Progress)
	began time.Time

	mu   sync.Mutex
	told time.Time
	now  load.Progress
}

const meterEvery = 250 * time.Millisecond

func newMeter(tell func(load.Progress)) *meter {
	return &meter{tell: tell, began: time.Now(), now: load.Progress{Phase: "rate limit"}}
}

// count counts a call that has ended.
func (m *meter) count(c limits.Call) {
	if m.tell == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now.Sent++
	switch c.Outcome() {
	case limits.Admitted:
		m.now.Admitted++
	case limits.Refused:
		m.now.Refused++
	case limits.Failed:
		m.now.Failed++
	}
	if time.Since(m.told) >= meterEvery {
		m.told, m.now.Elapsed = time.Now(), time.Since(m.began)
		m.tell(m.now)
	}
}
