package load

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/exchange"
	"github.com/gatecert/gatecert/reports/plain"
)

// ErrInvalid is returned when a phase or an experiment cannot be run as configured: a rate or a bound out of range,
// no requests, a call that cannot be built, or a proxy in the environment.
var ErrInvalid = errors.New("invalid load configuration")

// Phase is a period of load: a mix of requests, sent at a rate. Fields that are zero take their defaults.
type Phase struct {
	Name string
	// Share is the part of the phase that is sent. The zero value is the whole phase.
	Share Share
	// Start is when the phase begins. Requests that are due before the phase can begin are late. The zero value means:
	// at once.
	Start time.Time `json:"-"`
	// Lease, when not nil, is the permission to send: no request is sent after it has ended.
	Lease *Lease `json:"-"`
	// Mix are the kinds of requests that are sent, 1 to 16, in proportion to their weights.
	Mix []Request
	// Rate is how many requests are sent per second, For is how long. A slow gateway does not slow them down (an open
	// loop).
	Rate float64
	For  time.Duration
	// Arrivals is the process by which requests become due. The zero value is constant: the first request is due at once, and the others follow at
	// intervals of 1/Rate. Seed is the seed of the process: the same seed always results in the same arrival times.
	Arrivals Arrivals
	Seed     uint64
	// RampTo, when it is above 0, is the rate at the end of the phase; the rate changes evenly from Rate to RampTo.
	RampTo float64
	// Closed sends a request whenever a connection is free, but not more than Rate per second on average (a closed loop):
	// a slow gateway does slow them down.
	Closed bool
	// WarmUp is the time at the beginning whose requests are sent, and judged, but left out of all counts and times by
	// outcome. Default 0.
	WarmUp time.Duration
	// Connections is the maximum number of requests in flight. Default 64.
	Connections int
	// Timeout is the maximum time from the moment a connection is free for a request until the end of its response. Default 30 s.
	Timeout time.Duration
	// Body is the maximum size of a response body in bytes. Default 1 MiB, or [exchange.LargeBody] if a request of the mix is on a surface with large
	// responses.
	Body int64
	// Keep is how many results the measurement keeps, at about 300 bytes each. Default 0.
	Keep int
	// Record, when not nil, is called when the phase begins. One goroutine writes each result to the writer that it returns, as a
	// line of vegeta's JSON, when the response has ended. Results therefore need no memory, however many there are.
	Record func() io.Writer `json:"-"`
	// Window is the length of a [Window] of the measurement. Default 1 s, or longer if there would be more than 600 windows.
	Window time.Duration
	// SLO contains the time bounds that a request must meet to count in [Measurement.Good].
	SLO SLO
	// Generator limits how far this machine may fall behind before the phase is inconclusive.
	Generator GeneratorLimits
	// Embedded means that the gateway runs in this process, so that its CPU time and lag cannot be distinguished from the generator's.
	Embedded bool
	// Snapshot, when not nil, is called with a copy of the measurement so far, without results, once every
	// SnapshotEvery.
	Snapshot      func(Measurement) `json:"-"`
	SnapshotEvery time.Duration
	// SoFar, when not nil, is called like Snapshot with the portion so far, which must not be kept beyond the call.
	SoFar func(Portion) `json:"-"`
	// Closing, when not nil, is called by one goroutine with every window when it ends, and with the measurement of its
	// responses.
	Closing func(Window, Measurement) `json:"-"`
	// Progress, when not nil, is called about four times a second, by one goroutine. It does not slow the load down until
	// 8,192 results wait for it.
	Progress func(Progress) `json:"-"`
}

// Request is one kind of request in the mix of a phase.
type Request struct {
	Name string
	// Call is the call to send. [TokenPlaceholder] in its prompt is replaced by a token that is unique to each request.
	Call exchange.Call
	// Variants, at most 1024, are sent instead of Call, each about equally often: the same kind of request with other prompts. They must
	// go to the same endpoint as Call.
	Variants []exchange.Call
	// Weight is the share of this kind in the mix, relative to the other weights. At most 1000; 0 counts as 1.
	Weight int
	// Expect, if set, is the case whose error every response must contain. Otherwise a success is expected, and an error is checked against the row
	// of the contract whose code or status it has.
	Expect contract.Case
}

// Progress is how far a phase has come.
type Progress struct {
	Phase   string
	Elapsed time.Duration
	// Sent counts the requests that have ended; Admitted, Refused and Failed count those with that outcome.
	Sent, Admitted, Refused, Failed uint64
	// Waited counts the requests that waited for a connection. Lag is the 99th percentile of the generator's own lag.
	Waited uint64
	Lag    time.Duration
}

const (
	// maxMix and maxWeight bound the list that [Phase.turns] makes.
	maxMix    = 16
	maxWeight = 1000
	// maxVariants bounds the calls of a kind of request, which are built before the first is sent.
	maxVariants = 1024
)

func (p Phase) withDefaults() Phase {
	setDefault(&p.Connections, 64)
	setDefault(&p.Timeout, 30*time.Second)
	setDefault(&p.Body, 1<<20)
	if slices.ContainsFunc(p.Mix, func(r Request) bool { return r.Call.Surface.Large() }) {
		p.Body = max(p.Body, exchange.LargeBody)
	}
	setDefault(&p.Window, time.Second)
	p.Generator = p.Generator.withDefaults()
	return p
}

func (p Phase) check() error {
	problem := ""
	switch {
	case len(p.Mix) == 0 || len(p.Mix) > maxMix:
		problem = fmt.Sprintf("the mix has %d kinds of requests: it must have 1 to %d", len(p.Mix), maxMix)
	case p.Connections < 1, p.Timeout < 0, p.Body < 0, p.Keep < 0, p.Window < 0, p.WarmUp < 0:
		problem = "at least one connection is required, and times and sizes must not be negative"
	case p.WarmUp > 0 && p.WarmUp >= p.For:
		problem = fmt.Sprintf("the warm-up of %s must be shorter than the phase of %s", plain.Duration(p.WarmUp), plain.Duration(p.For))
	}
	for _, r := range p.Mix {
		if r.Weight < 0 || r.Weight > maxWeight {
			problem = fmt.Sprintf("request %q has weight %d: the weight must be between 0 and %d", r.Name, r.Weight, maxWeight)
		}
		if len(r.Variants) > maxVariants {
			problem = fmt.Sprintf("request %q has %d variants: at most %d are allowed", r.Name, len(r.Variants), maxVariants)
		}
	}
	if problem != "" {
		return fmt.Errorf("%w: %s", ErrInvalid, problem)
	}
	if !p.Share.whole() && (p.Record != nil || p.Closing != nil) {
		return fmt.Errorf("%w: a process that sends only a share of the requests in a phase can neither record individual results nor report windows while the phase is running", ErrInvalid)
	}
	return cmp.Or(p.Share.check(), p.checkSchedule())
}

// window is the length of the phase's windows.
func (p Phase) window() time.Duration { return max(p.Window, p.For/maxWindows) }

// turns returns the order in which the kinds of requests take turns, as indices of the mix. It spreads them evenly:
// weights of 2 and 2 make abab, not aabb (smooth weighted round-robin, as in nginx).
func (p Phase) turns() []int {
	total := 0
	for _, r := range p.Mix {
		total += max(r.Weight, 1)
	}
	credit := make([]int, len(p.Mix))
	turns := make([]int, total)
	for i := range turns {
		best := 0
		for kind, r := range p.Mix {
			credit[kind] += max(r.Weight, 1)
			if credit[kind] > credit[best] {
				best = kind
			}
		}
		credit[best] -= total
		turns[i] = best
	}
	return turns
}

// requests returns the number of requests that are due before the end of a phase, not at it.
func (p Phase) requests() uint64 {
	n := p.meanRate() * p.For.Seconds()
	// 20/s for 0.15 s are 3 requests, but 3.0000000000000004 in binary. What is this close to a whole number is rounded.
	if whole := math.Round(n); whole >= 1 && math.Abs(n-whole) < 1e-6 {
		return uint64(whole)
	}
	return uint64(math.Ceil(n))
}

// Requests returns the greatest number of requests that the phase's share sends. In a closed loop, a share sends the same proportion of the requests
// as it has of the connections.
func (p Phase) Requests() uint64 {
	if !p.Closed || p.Share.whole() || p.Connections < 1 {
		return p.Share.requests(p.requests())
	}
	each, more := p.Connections/p.Share.Of, p.Connections%p.Share.Of
	upTo := func(shares int) uint64 {
		connections := shares*each + min(shares, more)
		return uint64(math.Round(float64(p.requests()) * float64(connections) / float64(p.Connections)))
	}
	return upTo(p.Share.Index+1) - upTo(p.Share.Index)
}

// meanRate is how many requests are sent a second, on average.
func (p Phase) meanRate() float64 {
	if p.RampTo > 0 {
		return (p.Rate + p.RampTo) / 2
	}
	return p.Rate
}

// instant returns when so many requests were due, counted from 0.
func (p Phase) instant(requests float64) time.Duration {
	seconds := requests / p.Rate
	if p.RampTo > 0 {
		// requests = rate*t + (to-rate)/(2*for)*t², in the form that does not cancel where the ramp is flat
		rise := (p.RampTo - p.Rate) / p.For.Seconds()
		seconds = 2 * requests / (p.Rate + math.Sqrt(max(p.Rate*p.Rate+2*rise*requests, 0)))
	}
	return min(time.Duration(seconds*float64(time.Second)), p.For)
}

// text returns the schedule in words: "400/s (poisson) for 5s".
func (p Phase) text() string {
	text := fmt.Sprintf("%g/s", p.Rate)
	switch {
	case p.Closed:
		text = plain.Count(p.Connections, "caller")
	case p.RampTo > 0:
		text = fmt.Sprintf("%g/s to %g/s", p.Rate, p.RampTo)
	}
	if !p.Arrivals.constant() {
		text += " (" + p.Arrivals.String() + ")"
	}
	return text + " for " + plain.Duration(p.For)
}

// A phase beyond these bounds is a mistake, and computations about it would overflow.
const (
	maxRequests = 1e12
	maxDuration = 30 * 24 * time.Hour
)

// checkSchedule returns [ErrInvalid] when the rate or the length of a phase is out of range.
func (p Phase) checkSchedule() error {
	if p.For <= 0 || p.For > maxDuration {
		return fmt.Errorf("%w: the duration %s must be greater than 0 and at most %s", ErrInvalid, plain.Duration(p.For), plain.Duration(maxDuration))
	}
	if !(p.Rate > 0) || !(p.RampTo >= 0) || p.meanRate()*p.For.Seconds() > maxRequests { // !(>) catches NaN too
		return fmt.Errorf("%w: a rate of %g/s for %s: the rate must be greater than 0, and the total number of requests must be at most %g", ErrInvalid, p.Rate, plain.Duration(p.For), maxRequests)
	}
	return nil
}
