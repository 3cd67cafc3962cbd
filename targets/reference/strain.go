package reference

import (
	"context"
	"slices"
	"sync"
	"time"
)

// A route is under strain when, of at least so many calls in the last strainSpan, at least so many failed through the
// provider. Cases at rest never come near that: they make a few calls a second on any one route.
const (
	strainSpan     = 2 * time.Second
	strainCalls    = 30
	strainFailures = 3
)

// strain counts the calls that reach for the provider and those of them that fail, by route: a surface with its
// streaming twin.
type strain struct {
	mu     sync.Mutex
	routes map[string]*strained
}

// strained is what is known of one route.
type strained struct {
	calls, failures []time.Time
	// last is the last failure under strain, zero for none; healthy counts the calls since.
	last    time.Time
	healthy int
}

// straining bends by what is known of the strain on the routes.
func straining(bend func(*strain) func(*bends)) func(*bends) {
	return func(b *bends) {
		s := &strain{routes: make(map[string]*strained)}
		wrapping("dial", func(_ *Gateway, dial step) step {
			return func(ctx context.Context, c *call) error {
				s.on(c, func(r *strained) {
					r.calls = append(recent(r.calls), time.Now())
					r.healthy++
				})
				return dial(ctx, c)
			}
		})(b)
		b.failed = append(b.failed, func(c *call, f *failure) {
			if !coded(responseTime, doRequest, badResponseStatus, readResponseBody)(c, f) {
				return
			}
			s.on(c, func(r *strained) {
				r.failures = append(recent(r.failures), time.Now())
				if r.under() {
					r.last = time.Now()
				}
				r.healthy = 0
			})
		})
		bend(s)(b)
	}
}

func routeOf(c *call) string { return string(c.surface.Endpoint()) }

func (s *strain) on(c *call, do func(*strained)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.routes[routeOf(c)]
	if r == nil {
		r = new(strained)
		s.routes[routeOf(c)] = r
	}
	do(r)
}

// recent leaves out what is longer ago than strainSpan.
func recent(all []time.Time) []time.Time {
	return slices.DeleteFunc(all, func(t time.Time) bool { return time.Since(t) > strainSpan })
}

func (r *strained) under() bool {
	r.calls, r.failures = recent(r.calls), recent(r.failures)
	return len(r.calls) >= strainCalls && len(r.failures) >= strainFailures
}

// under reports whether the call's route is under strain.
func (s *strain) under(c *call) (yes bool) {
	s.on(c, func(r *strained) { yes = r.under() })
	return yes
}

// since is the time since the last failure under strain on the call's route, an hour when there was none, and the number
// of calls that reached for the provider since any failure.
func (s *strain) since(c *call) (since time.Duration, calls int) {
	since = time.Hour
	s.on(c, func(r *strained) {
		if calls = r.healthy; !r.last.IsZero() {
			since = time.Since(r.last)
		}
	})
	return since, calls
}

// perRoute counts by route. The mutex of a strain guards it.
type perRoute map[string]int

func (n perRoute) next(s *strain, c *call) (count int) {
	s.on(c, func(*strained) {
		n[routeOf(c)]++
		count = n[routeOf(c)]
	})
	return count
}
