package mutants

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/targets/reference"
)

// An endpoint is in an outage if at least outageFailures of at least outageCalls calls in the last outageSpan failed at the upstream. Cases other
// than load cases stay far below these numbers, because they make only a few calls per second on an endpoint.
const (
	outageSpan     = 2 * time.Second
	outageCalls    = 30
	outageFailures = 3
)

// outages knows which endpoints are in an outage.
type outages struct {
	mu        sync.Mutex
	endpoints map[dialect.Surface]*endpoint
}

// endpoint is what is known of one of them: a surface together with its streaming twin.
type endpoint struct {
	calls, failures []time.Time
	// last is the last failure in an outage, zero for none.
	last time.Time
	// sinceFailure counts the upstream calls since any failure.
	sinceFailure int
	// considered counts the calls that a mutant may have refused.
	considered int
}

// inOutage makes a change that depends on outages.
func inOutage(change func(*outages) change) change {
	return func(o *reference.Options) {
		s := &outages{endpoints: make(map[dialect.Surface]*endpoint)}
		wrap(reference.Dial, func(ctx context.Context, c *reference.Call, dial reference.Handler) error {
			s.update(c, func(e *endpoint) {
				e.calls = append(recent(e.calls, outageSpan), time.Now())
				e.sinceFailure++
			})
			return dial(ctx, c)
		})(o)
		changeFailure(func(c *reference.Call, _ *reference.Failure) {
			s.update(c, func(e *endpoint) {
				e.failures = append(recent(e.failures, outageSpan), time.Now())
				if e.inOutage() {
					e.last = time.Now()
				}
				e.sinceFailure = 0
			})
		}, withCode(reference.ResponseTime, reference.DoRequest, reference.BadResponseStatus, reference.ReadResponseBody))(o)
		change(s)(o)
	}
}

func (s *outages) update(c *reference.Call, do func(*endpoint)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := c.Surface.Endpoint()
	if s.endpoints[key] == nil {
		s.endpoints[key] = new(endpoint)
	}
	do(s.endpoints[key])
}

// recent leaves out what is longer ago.
func recent(all []time.Time, span time.Duration) []time.Time {
	return slices.DeleteFunc(all, func(t time.Time) bool { return time.Since(t) > span })
}

func (e *endpoint) inOutage() bool {
	e.calls, e.failures = recent(e.calls, outageSpan), recent(e.failures, outageSpan)
	return len(e.calls) >= outageCalls && len(e.failures) >= outageFailures
}

// sinceOutage is the time since the last failure in an outage, an hour when there was none.
func (e *endpoint) sinceOutage() time.Duration {
	if e.last.IsZero() {
		return time.Hour
	}
	return time.Since(e.last)
}

func (s *outages) active(c *reference.Call) (active bool) {
	s.update(c, func(e *endpoint) { active = e.inOutage() })
	return active
}

func (s *outages) condition() condition {
	return func(c *reference.Call, _ *reference.Failure) bool { return s.active(c) }
}
