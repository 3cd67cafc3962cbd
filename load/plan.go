package load

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/gatecert/gatecert/reports/plain"
)

// Plan is an upper limit on what will be sent. It is known before anything is sent.
type Plan struct {
	// Hosts are the destinations of the requests, as host:port.
	Hosts []string
	// Requests is the greatest number of requests, Rate the highest number per second, Duration how long they are sent, and
	// Connections how many are open at once.
	Requests    uint64
	Rate        float64
	Duration    time.Duration
	Connections int
}

// Loopback reports whether all requests stay on this machine.
func (p Plan) Loopback() bool {
	return !slices.ContainsFunc(p.Hosts, func(hostport string) bool {
		host, _, err := net.SplitHostPort(hostport)
		return err != nil || !IsLoopback(host)
	})
}

// IsLoopback reports whether a host is certainly this machine. Any host name except localhost may resolve to
// another machine.
func IsLoopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return err == nil && address.IsLoopback() || strings.EqualFold(host, "localhost")
}

// String returns the plan in one line.
func (p Plan) String() string {
	return fmt.Sprintf("at most %s at up to %g/s for %s, over %s, to %s",
		plain.Count(p.Requests, "request"), p.Rate, plain.Duration(p.Duration.Round(100*time.Millisecond)), plain.Count(p.Connections, "connection"), strings.Join(p.Hosts, " and "))
}

// Add returns the plan for p followed by q. Requests and durations are added; of the rates and connections, the higher value counts.
func (p Plan) Add(q Plan) Plan {
	hosts := slices.Concat(p.Hosts, q.Hosts)
	slices.Sort(hosts)
	return Plan{
		Hosts: slices.Compact(hosts), Requests: p.Requests + q.Requests, Rate: max(p.Rate, q.Rate),
		Duration: p.Duration + q.Duration, Connections: max(p.Connections, q.Connections),
	}
}

// Repeat returns the plan for p repeated n times.
func (p Plan) Repeat(n int) Plan {
	p.Requests *= uint64(max(n, 0))
	p.Duration *= time.Duration(n)
	return p
}

// ErrCap is returned when a phase would exceed the engine's caps. Its text names the exceeded cap.
var ErrCap = errors.New("the plan exceeds a cap")

// Caps limit what an engine sends. A field that is zero has the value of [DefaultCaps].
type Caps struct {
	// Requests is the maximum number of requests in all phases of an engine together, and Duration is the maximum total length of these phases.
	Requests uint64
	Duration time.Duration
	// Rate is the maximum number of requests per second in any phase, and Connections is the maximum number of connections of a phase.
	Rate        float64
	Connections int
}

// DefaultCaps returns the caps for sending load to a gateway without the consent of its owner. A capacity search
// and a comparison with all defaults send at most 39,406 requests in 272 s.
func DefaultCaps() Caps {
	return Caps{Requests: 40_000, Rate: 200, Duration: 5 * time.Minute, Connections: 64}
}

// LocalCaps returns the caps for sending load to a gateway on this machine without the consent of
// its owner.
func LocalCaps() Caps {
	c := HardCaps()
	c.Connections = 4096
	return c
}

// HardCaps returns the upper bounds of all caps: they exceed what one machine can generate, but reject values that only a typo explains. Linux has
// 28,232 ports for the connections to one address.
func HardCaps() Caps {
	return Caps{Requests: 100_000_000, Rate: 100_000, Duration: 24 * time.Hour, Connections: 25_000}
}

func (c Caps) withDefaults() Caps {
	d := DefaultCaps()
	setDefault(&c.Requests, d.Requests)
	setDefault(&c.Rate, d.Rate)
	setDefault(&c.Duration, d.Duration)
	setDefault(&c.Connections, d.Connections)
	return c
}

func (c Caps) within(other Caps) Caps {
	return Caps{
		Requests: min(c.Requests, other.Requests), Rate: min(c.Rate, other.Rate),
		Duration: min(c.Duration, other.Duration), Connections: min(c.Connections, other.Connections),
	}
}

// Allow returns an [ErrCap] for each cap that the plan exceeds, or nil if it exceeds none.
func (c Caps) Allow(p Plan) error {
	var over []error
	check := func(exceeds bool, format string, args ...any) {
		if exceeds {
			over = append(over, fmt.Errorf("%w: "+format, append([]any{ErrCap}, args...)...))
		}
	}
	check(p.Requests > c.Requests, "it sends %d requests, but at most %d are allowed", p.Requests, c.Requests)
	check(p.Rate > c.Rate, "it sends %g requests/s, but at most %g/s are allowed", p.Rate, c.Rate)
	check(p.Duration > c.Duration, "it takes %s, but at most %s is allowed", plain.Duration(p.Duration.Round(100*time.Millisecond)), plain.Duration(c.Duration))
	check(p.Connections > c.Connections, "it uses %d connections, but at most %d are allowed", p.Connections, c.Connections)
	return errors.Join(over...)
}
