package load

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/exchange/redact"
)

// Options configure an [Engine].
type Options struct {
	// Caps bound what the engine sends. They cannot exceed [HardCaps].
	Caps Caps
	// Secrets are redacted in everything that is kept of a response. A call's own key is redacted without being listed.
	Secrets []redact.Secret
	// TLS configures HTTPS connections. nil trusts the system's roots.
	TLS *tls.Config
	// Codes are the codes that the gateway publishes. nil stands for table 2 unchanged.
	Codes *contract.CodeClaim
	// CountTokens counts the tokens of a text, for responses that do not report their tokens. It must be safe for concurrent use. If it is nil, the
	// events of a stream are counted instead.
	CountTokens func(text string) int
	// Generators run the phases instead of this process. nil means that this process runs them.
	Generators Generators
	// Source is the address of this machine that connections are made from. The zero value leaves the choice to the system.
	Source netip.Addr
}

// Engine runs phases, one at a time, over connections that they share. It is safe for concurrent use.
type Engine struct {
	caps    Caps
	secrets []redact.Secret
	codes   *contract.CodeClaim
	tokens  tokenCounter
	conns   *pool
	// generators run the phases; nil for this process.
	generators Generators
	// sleepUntil waits for the instant a request is due.
	sleepUntil func(ctx context.Context, instant time.Time) error

	// running is held while a phase runs. Two phases at once would measure each other.
	running sync.Mutex
	used    Plan // the requests and the time of all phases so far; running guards it
}

// NewEngine returns an engine that has sent nothing yet. Close it to close its connections.
func NewEngine(o Options) *Engine {
	return &Engine{
		caps: o.Caps.withDefaults().within(HardCaps()), secrets: o.Secrets, codes: o.Codes, tokens: tokenCounter{o.CountTokens}, conns: newPool(o.TLS, o.Source), sleepUntil: sleepUntil,
		generators: o.Generators,
	}
}

// Close closes all connections of the engine.
func (e *Engine) Close() { e.conns.close() }

// Caps returns the caps in force.
func (e *Engine) Caps() Caps { return e.caps }

// Plan returns what a phase will send. It returns [ErrInvalid] when the phase cannot be run.
func (e *Engine) Plan(p Phase) (Plan, error) {
	plan, _, err := e.prepare(p.withDefaults())
	return plan, err
}

// prepare plans a phase and builds its requests.
func (e *Engine) prepare(p Phase) (Plan, []*wireRequest, error) {
	if err := p.check(); err != nil {
		return Plan{}, nil, err
	}
	most := p.Requests() // before the connections are divided
	p.Connections = p.Share.connections(p.Connections)
	if e.generators == nil { // they have descriptors of their own
		if err := checkDescriptors(p, descriptorLimit()); err != nil {
			return Plan{}, nil, err
		}
	}
	plan := Plan{Requests: most, Rate: max(p.Rate, p.RampTo) / float64(max(p.Share.Of, 1)), Duration: p.For, Connections: p.Connections}
	requests := make([]*wireRequest, len(p.Mix))
	for i, request := range p.Mix {
		r, err := newWireRequest(request, e.secrets, e.codes)
		if err != nil {
			return Plan{}, nil, err
		}
		requests[i] = r
		plan.Hosts = append(plan.Hosts, r.to.address)
	}
	slices.Sort(plan.Hosts)
	plan.Hosts = slices.Compact(plan.Hosts)
	return plan, requests, nil
}

// Run runs a phase and measures it. It returns when every request of the phase has ended.
//
// It returns [ErrInvalid] or [ErrCap] before anything is sent. When ctx is done, it stops sending, aborts the requests in
// flight ([runlog.Abandoned]), and returns the measurement so far with the context's cause. A failing gateway is not an
// error.
func (e *Engine) Run(ctx context.Context, p Phase) (Measurement, error) {
	if e.generators != nil {
		return e.runElsewhere(ctx, p)
	}
	portion, err := e.RunShare(ctx, p)
	return portion.measurement(p.withDefaults()), err
}

// RunShare is like Run, for a generator that sends only a [Share] of the phase. [Phase.Join] joins the portion that it returns
// with the others. The caps of this engine apply to its share only.
func (e *Engine) RunShare(ctx context.Context, p Phase) (Portion, error) {
	e.running.Lock()
	defer e.running.Unlock()
	p = p.withDefaults()
	plan, requests, err := e.allow(p)
	if err != nil {
		return Portion{}, err
	}
	return e.attack(ctx, p, plan, requests)
}

// attack runs a phase whose requests are built. The caller holds running.
func (e *Engine) attack(ctx context.Context, p Phase, plan Plan, requests []*wireRequest) (Portion, error) {
	p.Connections = plan.Connections
	portion, err := newAttack(ctx, e, p, plan, requests).run()
	e.used.Requests += portion.m.Sent
	e.used.Duration += min(portion.m.Elapsed, plan.Duration)
	return portion, err
}

// allow returns the plan of a phase with its requests. It returns [ErrInvalid], and [ErrCap] where the phase would exceed the caps with
// what was sent before.
func (e *Engine) allow(p Phase) (Plan, []*wireRequest, error) {
	plan, requests, err := e.prepare(p)
	if err != nil {
		return plan, nil, err
	}
	return plan, requests, e.allowPlan(p, plan)
}

func (e *Engine) allowPlan(p Phase, plan Plan) error {
	total := e.used.Add(plan)
	total.Rate, total.Connections = plan.Rate, plan.Connections
	if err := e.caps.Allow(total); err != nil {
		return fmt.Errorf("phase %q: %w", p.Name, err)
	}
	return nil
}
