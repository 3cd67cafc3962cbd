package load

import (
	"fmt"
	"slices"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/plain"
)

// Capacity is the result of a search. The capacity lies between Lower and Upper. If the gateway's throughput is stable,
// the two are as close as the requested precision. If the throughput varies, so does the distance between them.
type Capacity struct {
	SLO SLO
	// Arrivals is the arrival process of every probe. Evenly spaced requests queue less than random ones, so the
	// capacity depends on the arrivals.
	Arrivals Arrivals
	// Lower is the highest rate, in requests/s, whose last [Search.Repeats] full-length probes all met the SLO; 0 when none
	// did. Upper is the lowest rate whose last Repeats full-length probes all missed it; 0 when MaxRate met it.
	Lower, Upper float64
	// MaxRate is the highest rate that could be probed.
	MaxRate float64
	// GeneratorLimited means that this machine could not keep up at Upper, so nothing is known about the gateway at that
	// rate.
	GeneratorLimited bool
	// Probes holds all probes of the search, in order. Curve holds the probes that ran after the search, at
	// fractions of Lower.
	Probes, Curve []Probe
	// AtLower is the measurement of the last full-length probe at Lower, the zero value when there is none.
	AtLower Measurement
	// RateLimited is the share of the requests, 0 to 1, that a rate limit refused at Upper, if only refusals missed the SLO
	// there. The bounds are then those of the rate limit, and the gateway may be able to handle more.
	RateLimited float64
	// Violations are the requirements of the contract that responses violated in any probe.
	Violations []Violation
	// Unstable means that the bounds are further apart than the precision, or that a probe below Lower missed the SLO after the search. Partial means
	// that the search ended before its bounds were confirmed. Notes has the details.
	Unstable, Partial bool
	Notes             []string
}

// Verdict returns error when the generator could not keep up at any rate, and otherwise the verdict of the responses'
// violations. A low capacity is not a violation.
func (c Capacity) Verdict() contract.Verdict {
	if len(c.Probes) == 0 || c.GeneratorLimited && c.Lower == 0 {
		return contract.Error
	}
	return verdictOf(c.Violations)
}

// String returns the result in one line, with the arrivals that it applies to.
func (c Capacity) String() string {
	text := c.bounds() + " with " + c.Arrivals.String() + " arrivals"
	if c.RateLimited > 0 {
		text += fmt.Sprintf(". This is the key's rate limit, not the gateway's capacity: at %.4g/s, the gateway refused %.0f %% of the requests", c.Upper, 100*c.RateLimited)
	}
	return text
}

func (c Capacity) bounds() string {
	lowerProbed := slices.ContainsFunc(c.Probes, func(p Probe) bool { return p.Rate < c.Upper })
	switch {
	case len(c.Probes) == 0:
		return "unknown: no probe was run"
	case c.GeneratorLimited && c.Lower == 0:
		return fmt.Sprintf("unknown: the load generator could not keep up at %.4g/s", c.Upper)
	case c.GeneratorLimited:
		return fmt.Sprintf("at least %.4g/s (the load generator could not keep up at %.4g/s)", c.Lower, c.Upper)
	case c.Partial && c.Lower == 0 && c.Upper == 0:
		return "unknown so far"
	case c.Partial && c.Lower == 0:
		return fmt.Sprintf("below %.4g/s so far", c.Upper)
	case c.Partial && c.Upper == 0:
		return fmt.Sprintf("at least %.4g/s so far", c.Lower)
	case c.Lower == 0 && lowerProbed:
		return fmt.Sprintf("below %.4g/s (unstable: lower rates missed the SLO too)", c.Upper)
	case c.Lower == 0:
		return fmt.Sprintf("below %.4g/s (the lowest rate tried)", c.Upper)
	case c.Upper == 0 && c.Lower < c.MaxRate:
		return fmt.Sprintf("at least %.4g/s (unstable between this rate and %.4g/s, the highest rate allowed)", c.Lower, c.MaxRate)
	case c.Upper == 0:
		return fmt.Sprintf("at least %.4g/s (the highest rate allowed)", c.Lower)
	default:
		return fmt.Sprintf("between %.4g and %.4g/s", c.Lower, c.Upper)
	}
}

func (c *Capacity) notef(format string, args ...any) {
	c.Notes = append(c.Notes, fmt.Sprintf(format, args...))
}

// rateLimited returns the share of requests that were refused in the probes at a rate, 0 where anything else missed.
func rateLimited(probes []Probe, rate float64) (share float64) {
	n := 0
	for _, p := range probes {
		if p.Rate != rate || !p.missed() {
			continue
		}
		if p.Refused == 0 || len(p.Misses) > 1 {
			return 0
		}
		n++
		share += p.Refused
	}
	return share / float64(max(n, 1))
}

// noteUnstable notes that the bounds are further apart than the precision, with what the probes between them came to, and
// what was missed below them.
func (c *Capacity) noteUnstable(s Search) {
	for _, p := range c.Curve {
		if p.missed() && p.Rate <= c.Lower {
			c.Unstable = true
			c.notef("unstable: after the search, a probe at %.4g/s missed the SLO, although the lower bound is %.4g/s", p.Rate, c.Lower)
		}
	}
	ratio := 1 + s.Precision + 1e-9 // roots and products are not exact
	if c.Lower == 0 || c.GeneratorLimited || c.Upper > 0 && c.Upper/c.Lower <= ratio || c.Upper == 0 && c.Lower == c.MaxRate {
		return
	}
	between, met := 0, 0
	for _, p := range slices.Concat(c.Probes, c.Curve) {
		if p.Duration == s.Full && p.Rate > c.Lower && (p.Rate < c.Upper || c.Upper == 0) && len(p.Inconclusive) == 0 {
			between++
			if p.Met() {
				met++
			}
		}
	}
	if between > 0 {
		c.Unstable = true
		c.notef("unstable: %d of %s at rates between the bounds met the SLO", met, plain.Count(between, "full-length probe"))
	}
}
