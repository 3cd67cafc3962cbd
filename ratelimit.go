package gatecert

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/exchange"
	"github.com/gatecert/gatecert/load/limits"
	"github.com/gatecert/gatecert/targets"
)

// RateLimit is what the calls of one key showed of its limit.
type RateLimit struct {
	// Model is the limiter that explains the answers.
	Model limits.Model
	// Declared says that the profile declares the limit: it was verified, and Findings and Checks tell how it came out.
	// Without a declaration it was inferred, and Experiments tell from what.
	Declared    bool
	Findings    []contract.Finding
	Evidence    limits.Evidence
	Experiments []limits.Experiment
}

// upstreamRetryAfter is what our upstream says in its own 429, in seconds: unlike any time a gateway would make up.
const upstreamRetryAfter = 7

// CheckRateLimit verifies the limit that a prepared gateway's profile declares for limits.rate.key, or infers the one of
// keys.valid where none is declared. It makes at most budget's calls and takes several windows of time.
//
// It returns [ErrNothingToRun] when the profile has no model for the surface, and the errors of package limits.
func CheckRateLimit(ctx context.Context, p targets.Prepared, surface contract.Surface, budget limits.Budget) (RateLimit, error) {
	profile := p.Profile
	if profile.Models.Routed(surface) == "" {
		return RateLimit{}, fmt.Errorf("%w: the profile has no model for surface %s", ErrNothingToRun, surface)
	}
	client := exchange.NewClient(exchange.Limits{Patience: profile.Limits.Patience}, profile.Secrets()...)
	defer client.Close()
	probers := proberMaker{prepared: p, client: client, run: strings.ReplaceAll(runID(), ":", ""), calls: new(atomic.Int64)}
	rate := profile.Limits.Rate
	if rate.Key == "" {
		model, experiments, err := limits.Infer(ctx, probers.calling(surface, profile.Keys.Valid, ""), budget)
		return RateLimit{Model: model, Experiments: experiments}, err
	}
	with := limits.Probers{
		Limited: probers.calling(surface, rate.Key, ""),
		Other:   probers.calling(surface, profile.Keys.Valid, ""),
	}
	if twin := contract.Surface(string(surface) + "-stream"); twin.Valid() {
		with.Stream = probers.calling(twin, rate.Key, "")
	}
	if p.Provider != nil {
		with.Throttled = probers.calling(surface, profile.Keys.Valid, fmt.Sprintf("status=429 retry-after=%d", upstreamRetryAfter))
	}
	findings, evidence, err := limits.Verify(ctx, with, limits.Declared{
		Kind: limits.Kind(rate.Kind), Limit: rate.Requests, Window: rate.Window, Burst: rate.Burst, Shared: rate.Shared,
		Attempts: profile.Limits.Attempts, UpstreamRetryAfter: upstreamRetryAfter,
	}, budget)
	return RateLimit{Model: evidence.Model, Declared: true, Findings: findings, Evidence: evidence}, err
}

// proberMaker makes probers whose calls are told apart by a token each.
type proberMaker struct {
	prepared targets.Prepared
	client   *exchange.Client
	run      string
	calls    *atomic.Int64
}

func (m proberMaker) calling(surface contract.Surface, key, directive string) limits.Prober {
	provider := m.prepared.Provider
	return limits.Caller{Client: m.client, Holds: provider != nil, Make: func(hold time.Duration) limits.Planned {
		token := fmt.Sprintf("%s.%d", m.run, m.calls.Add(1))
		words := directive
		if hold > 0 {
			words = strings.TrimSpace(words + " delay=" + hold.String())
		}
		planned := limits.Planned{Call: m.prepared.Profile.Ask(surface, key, token, words)}
		if provider != nil {
			planned.Seen = func(ctx context.Context) (contract.Seen, error) { return provider.Seen(ctx, token) }
		}
		return planned
	}}
}
