package load

import (
	"context"
	"crypto/tls"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/gatecert/gatecert/exchange/redact"
)

// Options configure an engine.
type Options struct {
	// Caps bound what the engine does; [HardCaps] bound them.
	Caps Caps
	// Secrets are replaced in whatever is kept of an answer. A call's own key is one without being listed.
	Secrets []redact.Secret
	// TLS says whom to trust. nil is the system's choice.
	TLS *tls.Config
}

// Engine fires stages, one at a time. Its connections are shared by them all; Close ends them.
type Engine struct {
	caps    Caps
	secrets []redact.Secret
	pool    *pool

	// firing makes stages wait for each other: two at once would measure each other.
	firing sync.Mutex
	used   Plan // what the stages so far came to
}

// NewEngine returns an engine that has sent nothing yet.
func NewEngine(o Options) *Engine {
	return &Engine{caps: o.Caps.withDefaults().within(HardCaps()), secrets: o.Secrets, pool: newPool(o.TLS)}
}

// Close closes all connections.
func (e *Engine) Close() { e.pool.close() }

// Caps are those that hold for this engine.
func (e *Engine) Caps() Caps { return e.caps }

// Plan says what a stage will send. It returns [ErrInvalid] when the stage cannot be fired.
func (e *Engine) Plan(s Phase) (Plan, error) {
	s = s.withDefaults()
	requests, err := e.prepare(s)
	if err != nil {
		return Plan{}, err
	}
	extent, err := s.Schedule.Extent()
	if err != nil {
		return Plan{}, err
	}
	p := Plan{Requests: extent.Requests, Rate: extent.Rate, Duration: extent.Duration, Connections: s.Connections}
	if _, closed := s.Schedule.(Closed); closed && p.Requests == 0 {
		p.Requests = e.caps.Requests - min(e.used.Requests, e.caps.Requests)
	}
	for _, r := range requests {
		p.Hosts = append(p.Hosts, r.to.address)
	}
	slices.Sort(p.Hosts)
	p.Hosts = slices.Compact(p.Hosts)
	return p, nil
}

func (e *Engine) prepare(s Phase) ([]*request, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	requests := make([]*request, len(s.Mix))
	for i, part := range s.Mix {
		r, err := newRequest(part, e.secrets)
		if err != nil {
			return nil, err
		}
		requests[i] = r
	}
	return requests, nil
}

// Run runs a stage and measures it. It returns when every request of it has ended.
//
// It returns [ErrInvalid] or [ErrCap], and has sent nothing then. When ctx is cancelled, it stops sending at once, cuts
// off what is under way ([Abandoned]), and returns the measurement so far with the context's cause. That the gateway
// fails is no error.
func (e *Engine) Run(ctx context.Context, s Phase) (Measurement, error) {
	e.firing.Lock()
	defer e.firing.Unlock()
	s = s.withDefaults()
	plan, err := e.Plan(s)
	if err != nil {
		return Measurement{}, err
	}
	total := e.used.Add(plan)
	total.Rate, total.Connections = plan.Rate, plan.Connections
	if err := e.caps.Allow(total); err != nil {
		return Measurement{}, fmt.Errorf("stage %q: %w", s.Name, err)
	}
	requests, err := e.prepare(s)
	if err != nil {
		return Measurement{}, err
	}
	m, err := e.fire(ctx, s, plan, requests)
	e.used.Requests += m.Sent
	e.used.Duration += min(m.Elapsed, plan.Duration)
	return m, err
}

func (e *Engine) fire(ctx context.Context, s Phase, plan Plan, requests []*request) (Measurement, error) {
	if s.Preconnect {
		if err := e.warm(ctx, s, plan, requests); err != nil {
			return Measurement{}, err
		}
	}
	v := newVolley(ctx, e.pool, s, requests)
	m := Measurement{Phase: s.Name, Schedule: s.Schedule.String(), Started: time.Now(), tallies: map[tallyKey]*Metrics{}}
	for i, part := range s.Mix {
		m.Requests = append(m.Requests, part.Name)
		m.targets = append(m.targets, target{requests[i].method, requests[i].sent.URL, requests[i].bodySize})
	}
	t := newTally(&m, s, plan.Duration)
	cost := effort{closed: v.closed, embedded: s.Embedded, cpu: -cpuTime()}
	answered := v.attack(s, plan, t)
	cost.cpu += cpuTime()
	cost.wall = time.Since(m.Started)
	t.close()
	m.Started = v.began

	m.Offered, cost.lost = m.Sent, 0
	if left := v.pacer.left(m.Sent); ctx.Err() == nil {
		m.Offered += left
		if v.pacer.held() {
			m.Waited += left
		} else {
			cost.lost = left
		}
	}
	cost.offered, cost.sent, cost.late, cost.client, cost.lag = m.Offered, m.Sent, m.Late, t.client, m.Lag
	m.Generator = s.Generator.judge(cost)
	if answered != m.Sent {
		m.Generator.Problems = append(m.Generator.Problems, fmt.Sprintf("vegeta counts %d requests, the tally %d", answered, m.Sent))
	}
	if ctx.Err() != nil {
		return m, context.Cause(ctx)
	}
	return m, nil
}

// warm opens the connections of a stage, no more than it has requests.
func (e *Engine) warm(ctx context.Context, s Phase, plan Plan, requests []*request) error {
	n := int(min(plan.Requests, uint64(s.Connections))) //nolint:gosec // checked
	for _, r := range requests {
		if err := e.pool.warm(ctx, r.to, n, s.Timeout); err != nil {
			return fmt.Errorf("stage %q: open %d connections to %s: %w", s.Name, n, r.to.address, err)
		}
	}
	return nil
}
