package load

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Plan bounds what will be sent. It is known before anything is sent.
type Plan struct {
	// Hosts are where the requests go, as host:port.
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

// IsLoopback reports whether a host is certainly this machine. Any name but localhost may resolve to another one.
func IsLoopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return err == nil && address.IsLoopback() || strings.EqualFold(host, "localhost")
}

// String returns the plan in one line.
func (p Plan) String() string {
	return fmt.Sprintf("at most %d requests at up to %g/s for %s, over %d connections, to %s",
		p.Requests, p.Rate, p.Duration.Round(100*time.Millisecond), p.Connections, strings.Join(p.Hosts, " and "))
}

// Add returns the plan for p and then q: requests and durations add up, rates and connections do not.
func (p Plan) Add(q Plan) Plan {
	hosts := slices.Concat(p.Hosts, q.Hosts)
	slices.Sort(hosts)
	return Plan{
		Hosts: slices.Compact(hosts), Requests: p.Requests + q.Requests, Rate: max(p.Rate, q.Rate),
		Duration: p.Duration + q.Duration, Connections: max(p.Connections, q.Connections),
	}
}

// Repeat returns the plan for n times p.
func (p Plan) Repeat(n int) Plan {
	p.Requests *= uint64(max(n, 0))
	p.Duration *= time.Duration(n)
	return p
}
