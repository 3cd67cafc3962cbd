package load

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Plan is what will be sent, said before it is sent.
type Plan struct {
	// Hosts are where the requests go, host:port.
	Hosts []string
	// Requests is the greatest number of them, Rate the highest number a second (0 for a closed loop, which goes as
	// fast as the gateway lets it), Time the length of the schedules, and Connections how many are open at once.
	Requests    uint64
	Rate        float64
	Duration        time.Duration
	Connections int
}

// IsLoopback reports whether nothing leaves this machine.
func (p Plan) Loopback() bool {
	return !slices.ContainsFunc(p.Hosts, func(hostport string) bool {
		host, _, err := net.SplitHostPort(hostport)
		return err != nil || !IsLoopback(host)
	})
}

// IsLoopback reports whether a host is this machine and nothing else. A name other than localhost may lead anywhere.
func IsLoopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return err == nil && address.IsLoopback() || strings.EqualFold(host, "localhost")
}

// String is the plan in one line.
func (p Plan) String() string {
	rate := fmt.Sprintf("at most %g a second", p.Rate)
	if p.Rate == 0 {
		rate = "as fast as it goes"
	}
	return fmt.Sprintf("up to %d requests, %s, for %s, on %d connections, to %s",
		p.Requests, rate, p.Duration.Round(100*time.Millisecond), p.Connections, strings.Join(p.Hosts, " and "))
}

// Add is a plan for both: the requests and times add up, the rates and connections do not.
func (p Plan) Add(q Plan) Plan {
	hosts := slices.Concat(p.Hosts, q.Hosts)
	slices.Sort(hosts)
	return Plan{
		Hosts: slices.Compact(hosts), Requests: p.Requests + q.Requests, Rate: max(p.Rate, q.Rate),
		Duration: p.Duration + q.Duration, Connections: max(p.Connections, q.Connections),
	}
}

// Repeat is a plan for n times the same.
func (p Plan) Repeat(n int) Plan {
	p.Requests *= uint64(max(n, 0))
	p.Duration *= time.Duration(n)
	return p
}
